"""The code runs in the page: what it shows, how it is worked, and what it is made of."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from playwright.sync_api import expect
from sphinx.errors import ExtensionError

from web import npm, run_cell, runtime, source
from web.browser import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Response

v4: Any = nbformat.v4  # has no types

MOST_MOVED = 26_000_000  # bytes, for a page that loads all: matplotlib, SymPy
RUNNABLE = [page.name for page in source.pages() if runtime.runs(page)]


@pytest.fixture(autouse=True, scope="module")
def patience() -> Iterator[None]:
    """Python is loaded, and other tests run beside."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


# ---- a cell, in this Python


class Shown(list[tuple[str, str]]):
    """What a cell sent."""

    def __call__(self, kind: str, content: str) -> None:
        self.append((kind, content))


def ran(*cells: str, scope: dict[str, Any] | None = None) -> Shown:
    """What the last cell shows."""
    scope = {} if scope is None else scope
    for number, cell in enumerate(cells, 1):
        shown = Shown()
        run_cell.run(cell, f"<cell {number}>", scope, shown)
    return shown


def test_the_last_value_is_shown_unless_there_is_none() -> None:
    assert ran("x = 3\nx + 1") == [("text", "4\n")]
    assert ran("x = 3") == ran("None") == ran("3;") == ran("") == []
    assert ran("3", "_ + 1") == [("text", "4\n")]


def test_a_traceback_has_the_lines_of_the_cells_alone() -> None:
    shown = ran("import json\ndef read(text):\n    return json.loads(text)", "1\nread('{')")
    ((kind, told),) = shown
    assert kind == "error"
    assert 'File "<cell 2>", line 2, in <module>' in told
    assert 'File "<cell 1>", line 3, in read' in told
    assert "read('{')" in told
    assert "return json.loads(text)" in told
    assert "json/decoder.py" not in told
    assert "run_cell" not in told
    assert told.endswith("double quotes: line 1 column 2 (char 1)\n")


def test_a_traceback_is_trimmed_through_its_causes() -> None:
    cell = (
        "import json\ntry:\n    json.loads('{')\nexcept ValueError as e:\n    raise KeyError from e"
    )
    ((_, told),) = ran(cell)
    assert told.count('File "<cell 1>"') == 2
    assert "direct cause" in told
    assert told.count("File ") == 2


@pytest.mark.parametrize(
    ("cell", "end"),
    [
        ("x = (", "SyntaxError: '(' was never closed\n"),
        ("x", "NameError: name 'x' is not defined\n"),
        ("raise SystemExit(3)", "SystemExit: 3\n"),
    ],
)
def test_an_error_ends_the_cell_alone(cell: str, end: str) -> None:
    scope: dict[str, Any] = {}
    shown = Shown()
    assert run_cell.run(cell, "<cell 1>", scope, shown) is False
    ((kind, told),) = shown
    assert (kind, told.endswith(end)) == ("error", True)
    assert run_cell.run("1 + 1", "<cell 2>", scope, shown) is True


def test_figures_are_shown_once_and_those_of_an_error_are_not() -> None:
    scope: dict[str, Any] = {}
    draw = "from nllbook import plotting\nfig, (ax,) = plotting.figure()\n"
    assert [kind for kind, _ in ran(draw, scope=scope)] == ["image"]
    assert ran("0;", scope=scope) == []
    assert [kind for kind, _ in ran(draw + "1 / 0", scope=scope)] == ["error"]
    assert ran("0;", scope=scope) == []


def test_a_figure_that_cannot_be_drawn_is_an_error_of_the_cell() -> None:
    scope: dict[str, Any] = {}
    draw = "import matplotlib.pyplot as plt\nplt.title(r'$\\foo$')"
    ((kind, told),) = ran(draw + ";", scope=scope)
    assert (kind, "Unknown symbol" in told) == ("error", True)
    ((_, told),) = ran(draw + "\n1 / 0", scope=scope)
    assert told.endswith("ZeroDivisionError: division by zero\n")
    assert ran("0;", scope=scope) == []


def test_cells_are_compiled_as_in_a_notebook() -> None:
    assert ran("def f(x: int): ...\nf.__annotations__") == [("text", "{'x': <class 'int'>}\n")]


def test_numbers_that_no_page_can_read_are_an_error() -> None:
    ((kind, told),) = ran("from nllbook import figures\nfigures.show('coin', k=float('nan'))")
    assert (kind, "not JSON compliant" in told) == ("error", True)


def test_an_interactive_figure_is_sent_with_its_numbers() -> None:
    ((kind, content),) = ran("from nllbook import figures\nfigures.show('coin', k=9)")
    sent = json.loads(content)
    assert kind == "figure"
    assert (sent["name"], sent["state"]) == ("coin", {"n": 10, "k": 9})
    assert sent["png"].startswith("iVBORw0KGgo")


# ---- where the runtime comes from


def lock(**packages: dict[str, Any]) -> dict[str, Any]:
    return {"packages": {name: {"depends": [], **one} for name, one in packages.items()}}


def test_packages_are_what_the_chapters_import_and_what_that_needs() -> None:
    names: dict[str, dict[str, Any]] = {
        name: {} for name in (*runtime.IMPORTED, "pillow", "fonttools", "scipy")
    }
    names["matplotlib"] = {"depends": ["numpy", "pillow", "fonttools"]}
    found = runtime.packages(lock(**names))
    assert found.keys() == {*runtime.IMPORTED, "pillow"}
    assert found["matplotlib"]["depends"] == ["numpy", "pillow"]


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A folder with a package, and one with a core whose lock describes it; no network."""
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "numpy.whl").write_bytes(b"as it should be")
    core = tmp_path / "core"
    core.mkdir()
    for name in (*runtime.CORE, runtime.PACKED):
        (core / name).write_text(name)
    digest = sha256(b"as it should be").hexdigest()
    described = lock(numpy={"file_name": "numpy.whl", "sha256": digest})
    (core / "pyodide-lock.json").write_text(json.dumps(described))
    monkeypatch.setattr(npm, "fetch", lambda *_: core)
    monkeypatch.setattr(runtime, "IMPORTED", ("numpy",))
    monkeypatch.setattr(runtime, "official", refuse)
    monkeypatch.setattr(runtime, "carried", refuse)
    return tmp_path / "from", tmp_path / "cache"


def refuse(*_: object) -> Any:
    raise OSError("no way there")


def test_from_a_folder_once(made_up: tuple[Path, Path]) -> None:
    folder, cache = made_up
    cache.mkdir()
    place = runtime.fetch(cache, folder)
    assert {one.name for one in place.iterdir()} == {
        *runtime.CORE,
        f"{runtime.PACKED}.gz",
        "numpy.whl",
        "pyodide-lock.json",
    }
    (folder / "numpy.whl").unlink()
    assert runtime.fetch(cache) == place  # and nothing is asked for


def test_another_file_than_the_lock_says_is_refused(made_up: tuple[Path, Path]) -> None:
    folder, cache = made_up
    cache.mkdir()
    (folder / "numpy.whl").write_bytes(b"something else")
    with pytest.raises(ExtensionError, match=r"the sha256 of numpy\.whl is not that of Pyodide's"):
        runtime.fetch(cache, folder)
    assert not list(cache.rglob("numpy.whl"))


def test_without_any_source_the_build_says_what_helps(made_up: tuple[Path, Path]) -> None:
    _, cache = made_up
    cache.mkdir()
    with pytest.raises(ExtensionError, match=r"--from DIR .*: no way there; no way there"):
        runtime.fetch(cache)


def test_the_second_source_stands_in_for_the_first(
    made_up: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, cache = made_up
    cache.mkdir()
    monkeypatch.setattr(runtime, "carried", lambda _: lambda name: (folder / name).read_bytes())
    assert (runtime.fetch(cache) / "numpy.whl").read_bytes() == b"as it should be"


# ---- in the browser


@contextmanager
def opened(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    with visit(browser, url, **options) as found:
        yield found.page
        assert found.errors == []
        assert found.elsewhere == []


def texts_of(name: str) -> list[str]:
    """What each cell of the committed notebook says; figures are not in it."""
    path = source.ROOT / "notebooks" / f"{name}.ipynb"
    notebook: Any = v4.reads(path.read_text(encoding="utf-8"))
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            said = [one.get("text") or one.data.get("text/plain", "") for one in cell.outputs]
            shown = [text for text in said if text and not text.startswith("<Figure ")]
            lines = (text.removesuffix("\n") + "\n" for text in shown)
            found.append("".join(lines))
    return found


def cells(page: Page) -> Locator:
    return page.locator(".cell:has(.run-bar)")


def note(cell: Locator) -> Locator:
    return cell.locator(".run-note")


def write(cell: Locator, code: str) -> Locator:
    cell.get_by_role("button", name="Edit").click()
    cell.get_by_role("textbox").fill(code)
    return cell.get_by_role("textbox")


def unfold(page: Page) -> None:
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNABLE)
def test_every_cell_says_what_the_committed_notebook_says(
    browser: Browser, address: str, name: str
) -> None:
    committed = texts_of(name)
    with opened(browser, f"{address}chapters/{name}.html") as page:
        unfold(page)
        assert cells(page).count() == len(committed)
        last = cells(page).last
        last.get_by_role("button", name="Run cell").click()
        expect(note(last)).to_have_text("Done.", timeout=540_000)
        shown = page.eval_on_selector_all(
            ".cell:has(.run-bar)",
            """(all) => all.map((one) => [...one.querySelectorAll(".run-output > pre")]
               .map((pre) => pre.textContent).join(""))""",
        )
        drawn = page.eval_on_selector_all(
            ".cell:has(.run-bar)",
            "(all) => all.map((one) => one.querySelectorAll('.run-output figure').length)",
        )
        stored = page.eval_on_selector_all(
            ".cell:has(.run-bar)",
            "(all) => all.map((one) => one.querySelectorAll('.run-old figure').length)",
        )
    assert shown == committed
    assert drawn == stored


@pytest.fixture
def first(browser: Browser, address: str) -> Iterator[Page]:
    with opened(browser, f"{address}chapters/likelihood.html") as page:
        unfold(page)
        yield page


@pytest.mark.slow
def test_nothing_moves_before_the_first_run_and_then_what_is_needed(
    browser: Browser, address: str
) -> None:
    with opened(browser, f"{address}chapters/log-likelihood.html") as page:
        moved: dict[str, int] = {}

        def came(response: Response) -> None:
            if f"/{runtime.FOLDER}/" in response.url:
                moved[response.url] = int(response.headers["content-length"])

        page.on("response", came)
        page.reload()
        cell = cells(page).first
        unfold(page)
        cell.get_by_role("button", name="Edit").click()
        assert moved == {}
        cell.get_by_role("textbox").fill("import nllbook\nprint('here')")
        cell.get_by_role("textbox").press("Shift+Enter")
        expect(cell.locator(".run-output")).to_have_text("here\n")
        assert 5_000_000 < sum(moved.values()) < MOST_MOVED / 2
        assert not any("matplotlib" in url or "sympy" in url for url in moved)
        cell.get_by_role("textbox").fill("import matplotlib.pyplot, sympy\nprint('there')")
        cell.get_by_role("textbox").press("Shift+Enter")
        expect(cell.locator(".run-output")).to_have_text("there\n")
        assert sum(moved.values()) <= MOST_MOVED
        assert any("matplotlib" in url for url in moved)


@pytest.mark.slow
def test_by_keyboard_a_cell_is_changed_run_and_put_back(first: Page) -> None:
    cell = cells(first).nth(1)
    stored = cell.locator(".cell_output").first
    before = cell.locator("pre").first.inner_text()
    cell.get_by_role("button", name="Edit cell 2").press("Enter")
    area = cell.get_by_role("textbox", name="Code of cell 2")
    expect(area).to_be_focused()
    first.keyboard.press("Control+A")
    first.keyboard.type("6 * 7")
    first.keyboard.press("Shift+Enter")
    expect(note(cell)).to_have_text("Done.")
    expect(cell.locator(".run-output")).to_have_text("42")
    expect(first.get_by_role("status").filter(has_text="cell 2: Done.")).to_have_count(1)
    expect(area).to_be_focused()
    cell.get_by_role("button", name="Reset cell 2").press("Enter")
    expect(cell.get_by_role("button", name="Run cell 2")).to_be_focused()
    assert cell.locator("pre").first.inner_text() == before
    assert cell.locator(".run-output").count() == 0
    expect(stored).to_be_visible()


@pytest.mark.slow
def test_an_error_is_said_where_it_is_and_below_nothing_runs(first: Page) -> None:
    one, two = cells(first).nth(0), cells(first).nth(1)
    write(one, "def f(x):\n    return x.no\n\nf(3)")
    two.get_by_role("button", name="Run cell").click()
    expect(note(one)).to_have_text("It ended in an error.")
    expect(note(two)).to_have_text("Not run: cell 1 above ended in an error.")
    told = one.locator(".run-output pre[data-kind=error]").inner_text()
    assert 'File "<cell 1>", line 4, in <module>' in told
    assert 'File "<cell 1>", line 2, in f' in told
    assert told.rstrip().endswith("AttributeError: 'int' object has no attribute 'no'")
    assert told.count("File ") == 2
    assert two.locator(".run-output").count() == 0


@pytest.mark.slow
def test_stop_ends_a_loop_and_the_next_run_begins_anew(first: Page) -> None:
    one = cells(first).nth(0)
    area = write(one, "kept = 1\nwhile True:\n    print('again')")
    one.get_by_role("button", name="Run cell").click()
    expect(one.locator(".run-output pre")).to_contain_text("which is not shown")
    two = cells(first).nth(1)
    two.get_by_role("button", name="Run cell").click()
    expect(note(two)).to_have_text("Waits until cell 1 has run.")
    one.get_by_role("button", name="Stop cell 1").click()
    expect(note(one)).to_contain_text("Stopped")
    assert len(one.locator(".run-output").inner_text()) < 250_000
    area.fill("'kept' in globals()")
    one.get_by_role("button", name="Run cell").click()
    expect(one.locator(".run-output")).to_have_text("False")


@pytest.mark.slow
def test_what_rests_on_a_changed_cell_runs_again(first: Page) -> None:
    one, two, three = (cells(first).nth(place) for place in range(3))
    area = write(one, "x = 1")
    write(two, "y = 2 * x")
    last = write(three, "print(y, x)")
    last.press("Shift+Enter")
    expect(three.locator(".run-output")).to_have_text("2 1\n")
    area.fill("x = 5")
    last.press("Shift+Enter")
    expect(three.locator(".run-output")).to_have_text("10 5\n")
    area.fill("import time\ntime.sleep(2)\nx = 7")
    last.press("Shift+Enter")
    expect(note(one)).to_have_text("Running …")
    area.fill("x = 100")  # while it runs as it was
    expect(three.locator(".run-output")).to_have_text("14 7\n")
    expect(note(three)).to_have_text("Done.")
    last.press("Shift+Enter")
    expect(three.locator(".run-output")).to_have_text("200 100\n")


@pytest.mark.slow
def test_what_was_printed_is_seen_at_once_and_stays_after_stop(first: Page) -> None:
    one, two = cells(first).nth(0), cells(first).nth(1)
    write(one, "print('begun')\nwhile True:\n    pass").press("Shift+Enter")
    expect(one.locator(".run-output")).to_have_text("begun\n")
    one.get_by_role("button", name="Stop cell 1").click()
    expect(one.locator(".run-output")).to_have_text("begun\n")
    one.get_by_role("textbox").fill("raise ValueError('no')")
    write(two, "1").press("Shift+Enter")
    expect(note(two)).to_have_text("Not run: cell 1 above ended in an error.")
    one.get_by_role("textbox").press("Shift+Enter")
    said = first.get_by_role("status").filter(has_text="ValueError: no")
    expect(said).to_have_text("cell 1: It ended in an error: ValueError: no")


@pytest.mark.slow
def test_a_cell_that_was_asked_for_meanwhile_runs_next(first: Page) -> None:
    one, two = cells(first).nth(0), cells(first).nth(1)
    write(one, "import time\ntime.sleep(1)\nx = 3").press("Shift+Enter")
    write(two, "x + 1").press("Shift+Enter")
    expect(two.locator(".run-output")).to_have_text("4\n")


@pytest.mark.slow
def test_what_was_written_is_there_when_the_page_comes_again(first: Page) -> None:
    one = cells(first).nth(0)
    write(one, "x = 41 + 1")
    first.reload()
    unfold(first)
    expect(one.get_by_role("textbox")).to_have_value("x = 41 + 1")
    one.get_by_role("button", name="Reset").click()
    first.reload()
    unfold(first)
    expect(one.locator(".run-bar")).to_be_visible()
    assert one.get_by_role("textbox").count() == 0


@pytest.mark.slow
def test_a_package_that_does_not_come_is_said(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}chapters/likelihood.html") as found:
        found.page.route("**/numpy*.whl", lambda route: route.abort())
        cell = cells(found.page).first
        cell.get_by_role("button", name="Run cell").click()
        expect(note(cell)).to_contain_text("numpy")
        expect(note(cell)).to_contain_text("Run tries again.")
        assert cell.locator(".run-output").count() == 0


@pytest.mark.slow
def test_a_warning_is_shown_and_an_interactive_figure_moves(first: Page) -> None:
    one = cells(first).nth(0)
    area = write(one, "import warnings\nwarnings.warn('careful')")
    area.press("Shift+Enter")
    expect(one.locator(".run-output")).to_contain_text("UserWarning: careful")
    area.fill("from nllbook import figures\nfigures.show('coin', k=9)")
    area.press("Shift+Enter")
    says = one.locator(".run-output .nll-says")
    expect(says).to_contain_text("9 heads in 10 throws")
    one.locator(".run-output input").nth(1).press("ArrowLeft")
    expect(says).to_contain_text("8 heads in 10 throws")
    first.emulate_media(media="print")  # on paper its picture
    expect(one.locator(".run-output img")).to_be_visible()


@pytest.mark.slow
def test_where_the_runtime_is_missing_it_is_said(browser: Browser, address: str) -> None:
    with visit(browser, f"{address}chapters/likelihood.html") as found:
        found.page.route("**/pyodide/**", lambda route: route.abort())
        cell = cells(found.page).first
        cell.get_by_role("button", name="Run cell").click()
        expect(note(cell)).to_contain_text("Run tries again.")
        found.page.unroute("**/pyodide/**")
        cell.get_by_role("button", name="Run cell").click()
        expect(note(cell)).to_have_text("Done.", timeout=60_000)


@pytest.mark.slow
def test_from_disk_the_button_says_why_it_cannot(browser: Browser, site: Path) -> None:
    with opened(browser, (site / "html" / "chapters" / "likelihood.html").as_uri()) as page:
        cell = cells(page).first
        cell.get_by_role("button", name="Run cell").click()
        expect(note(cell)).to_contain_text("opened from a disk")


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNNABLE)
def test_the_bars_take_no_place_that_was_not_free(browser: Browser, site: Path, name: str) -> None:
    heights = []
    for blocked in (True, False):
        with visit(browser, (site / "html" / "chapters" / f"{name}.html").as_uri()) as found:
            if blocked:
                found.page.route("**/run.js*", lambda route: route.abort())
                found.page.reload()
            bars = found.page.locator(".run-bar").count()
            assert (bars == 0) == blocked
            heights.append(
                found.page.eval_on_selector_all(
                    ".cell", "(all) => all.map((one) => one.offsetHeight)"
                )
            )
    assert heights[0] == heights[1]


@pytest.mark.slow
def test_the_runtime_on_the_site_is_what_its_lock_says(site: Path) -> None:
    folder = site / "html" / runtime.FOLDER
    described = json.loads((folder / "pyodide-lock.json").read_text())["packages"]
    files = {one["file_name"]: one["sha256"] for one in described.values()}
    others = {*runtime.CORE, f"{runtime.PACKED}.gz", *runtime.SCRIPTS, "pyodide-lock.json"}
    assert {one.name for one in folder.iterdir()} == files.keys() | others
    for name, digest in files.items():
        assert sha256((folder / name).read_bytes()).hexdigest() == digest, name
    wheel = folder / described["nllbook"]["file_name"]
    assert "nllbook/data/horse_kicks.csv" in zipfile.ZipFile(wheel).namelist()
