"""What is published: addresses, buttons, notebooks, wheel; that they run in Colab and Binder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nllgrade import master
from nllgrade.release import left_in, release
from playwright.sync_api import expect

from tests import fresh
from web import committed, launch, publish, publish_check
from web.browser import served, visit
from web.launch import Addresses
from web.source import ROOT, pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

v4: Any = nbformat.v4  # has no types
REPOSITORY, SITE = "https://github.com/reader/Fork", "https://reader.github.io/Fork/"
FOUND = Addresses(REPOSITORY, SITE)
COLAB = ROOT / "tests" / "colab.txt"


# ---- addresses


@pytest.mark.parametrize(
    "written",
    [REPOSITORY, f"{REPOSITORY}.git", f"{REPOSITORY}/", "git@github.com:reader/Fork.git\n"],
)
def test_a_repository_has_one_form_however_it_is_written(written: str) -> None:
    assert launch.addresses(written, SITE.rstrip("/")) == FOUND


@pytest.mark.parametrize(
    ("repository", "site"),
    [
        ("somewhere", ""),
        ("http://github.com/reader/Fork", ""),
        ("https://github.com", ""),
        ("", "http://reader.github.io/Fork"),  # anybody on the way could change the page
        ("", "reader.github.io"),
        ("", 'https://reader.github.io/"; import os'),  # stands in a cell
    ],
)
def test_what_is_no_address_is_refused(repository: str, site: str) -> None:
    with pytest.raises(launch.AddressError, match="give https://"):
        launch.addresses(repository, site)


def test_loopback_needs_no_certificate() -> None:
    assert launch.addresses("", "http://127.0.0.1:8000/book").site == "http://127.0.0.1:8000/book/"


def test_colab_and_binder_open_the_notebook_in_the_published_branch() -> None:
    assert FOUND.colab("x") == (
        "https://colab.research.google.com/github/reader/Fork/blob/published/notebooks/x.ipynb"
    )
    assert FOUND.binder("x") == (
        "https://mybinder.org/v2/gh/reader/Fork/published?urlpath=lab/tree/notebooks/x.ipynb"
    )


def test_the_address_of_the_pages_follows_from_the_repository() -> None:
    assert publish.pages_address(FOUND) == SITE
    own = Addresses("https://github.com/Reader/reader.github.io")
    assert publish.pages_address(own) == "https://reader.github.io/"


def test_the_environment_names_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(launch.REPOSITORY, REPOSITORY)
    monkeypatch.delenv(launch.SITE, raising=False)
    assert publish.find_addresses("", "") == (FOUND, f"from {launch.REPOSITORY}")
    other = "https://example.org/book/"
    assert publish.find_addresses("", other)[0] == Addresses(REPOSITORY, other)


def test_the_source_names_no_repository() -> None:
    """So that a fork needs no edit."""
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")
    assert re.search(r'^repository:\n  url: ""$', config, re.MULTILINE)


# ---- the wheel and the notebooks


def test_the_same_source_gives_the_same_wheel(tmp_path: Path) -> None:
    one, two = (publish.build_wheel(tmp_path / name) for name in ("one", "two"))
    assert one.hash == two.hash
    assert one.version == "0.1.0"


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    wheel = publish.build_wheel(tmp_path_factory.mktemp("wheel"))
    return publish.notebooks(wheel, SITE)


CHAPTERS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
ASSIGNMENTS = [f"assignment-{name}" for name in master.names()]


def test_every_chapter_with_cells_and_every_assignment_is_published(texts: dict[str, str]) -> None:
    assert set(texts) == {*CHAPTERS, *ASSIGNMENTS}


def test_a_published_assignment_is_the_released_one_after_the_cell_that_installs(
    texts: dict[str, str],
) -> None:
    for name in ASSIGNMENTS:
        found = master.read(name.removeprefix("assignment-"), master.Course())
        first, *rest = v4.reads(texts[name]).cells
        assert first.id == "install-nllbook"
        assert rest == v4.reads(release(found, SITE)).cells
        assert left_in(found, texts[name]) == []


def test_a_published_notebook_is_the_committed_one_after_the_cell_that_installs(
    texts: dict[str, str],
) -> None:
    for name in CHAPTERS:
        text = texts[name]
        committed = (ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
        assert "pip install" not in committed
        first, note, *rest = v4.reads(text).cells
        assert (first.id, first.metadata.tags) == ("install-nllbook", ["install-nllbook"])
        assert f"chapters/{name}.html" in note.source
        _, *wanted = v4.reads(committed).cells
        assert [cell.id for cell in rest] == [cell.id for cell in wanted]
        for cell, one in zip(rest, wanted, strict=True):
            if cell.cell_type == "code":
                assert cell.source == one.source
                assert fresh.said(cell) == [
                    out for out in fresh.said(one) if "<Figure" not in str(out)
                ]


def test_the_first_cell_names_the_sites_wheel_and_its_checksum_alone(
    texts: dict[str, str], tmp_path: Path
) -> None:
    wheel = publish.build_wheel(tmp_path)
    sources = {v4.reads(text).cells[0].source for text in texts.values()}
    (cell,) = {source.removesuffix(publish.NEEDS.format(package="torch")) for source in sources}
    assert re.findall(r"https?://[^\"]+", cell) == [f"{SITE}{wheel.name}"]
    assert cell.count(wheel.hash) == 1
    assert max(map(len, cell.splitlines())) <= 90


# ---- the whole


@pytest.fixture(scope="module")
def published(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real book once more, written for an address; the two folders made of it."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copytree(site / "html" / ".doctrees", folder / "doctrees")
    shutil.copytree(site / "jupyter_execute", folder / "jupyter_execute")  # numbers for the prose
    command = ["-m", "sphinx", "-W", "-n", "-q", "-b", "html", "-d", str(folder / "doctrees")]
    built = subprocess.run(
        [sys.executable, *command, str(site.parent), str(folder / "html")],
        env={**os.environ, launch.REPOSITORY: REPOSITORY, launch.SITE: SITE},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    book = ROOT / "chapters" / "cheat-sheet-a4.pdf"  # any will do here: test_pdf.py prints it
    publish.assemble(folder / "html", folder / "publish", FOUND, book)
    return folder / "publish"


def problems(folder: Path) -> list[str]:
    (wheel,) = map(publish.Wheel, (folder / "branch").glob("*.whl"))
    return publish_check.problems(folder, FOUND, wheel.name, wheel.hash)


@pytest.mark.slow
def test_nothing_is_wrong_with_what_is_published(published: Path) -> None:
    assert problems(published) == []


def test_the_first_cell_brings_a_package_that_a_chapter_needs_besides(
    texts: dict[str, str],
) -> None:
    fetched = {}
    for name, text in texts.items():
        source = v4.reads(text).cells[0].source
        fetched[name] = re.findall(r"(?m)^    %pip install --quiet (\w+)$", source)
        assert ('find_spec("torch") is None:' in source) == bool(fetched[name])
    assert {name: found for name, found in fetched.items() if found} == {"nll-on-gpu": ["torch"]}


def damage(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


DAMAGES = (  # a file, what is changed in it, what is then found
    ("site/chapters/likelihood.html", 'href="api.html', 'href="gone.html', "no such file"),
    ("site/chapters/likelihood.html", 'id="sec-question"', 'id="x"', "no such place on that page"),
    ("site/chapters/likelihood.html", "blob/published", "blob/main", "leads to no notebook"),
    ("site/chapters/log-likelihood.html", 'rel="canonical"', 'rel="x"', "canonical address is ''"),
    ("site/chapters/likelihood.html", 'src="../_static/', 'src="https://x/', "it loads"),
    ("site/chapters/api.html", "</body>", f"{ROOT}</body>", "a path of this machine"),
    ("branch/notebooks/likelihood.ipynb", 'SHA256 = \\"', 'SHA256 = \\"0', "does not install"),
    ("branch/notebooks/likelihood.ipynb", "](#", "](#gone-", "no such place in the notebook"),
    ("branch/.binder/requirements.txt", "sha256=", "sha256=0", "names another wheel"),
)


@pytest.mark.slow
def test_the_check_finds_what_is_wrong(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(published, copy)
    for name, old, new, _ in DAMAGES:
        damage(copy, name, old, new)
    lines = problems(copy)
    for name, _, _, found in DAMAGES:
        place = name.partition("/")[2]  # the line may be that of a page which links there
        page = re.compile(rf"(?<![\w-]){re.escape(Path(place).name)}.*{re.escape(found)}")
        assert any(page.search(line) for line in lines), (name, found)


@pytest.mark.slow
def test_a_missing_notebook_and_another_wheel_are_found(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(published, copy)
    (copy / "branch" / "notebooks" / "likelihood.ipynb").unlink()
    (wheel,) = (copy / "site").glob("*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"0")
    lines = problems(copy)
    assert "branch/notebooks: not the chapters that are committed, and the assignments" in lines
    assert sum("leads to no notebook of the branch" in line for line in lines) == 2  # two buttons
    assert f"site/{wheel.name}: missing, or not the wheel that the notebooks expect" in lines


@pytest.mark.slow
def test_only_pages_with_a_notebook_have_buttons_and_they_say_what_they_do(
    published: Path, browser: Browser
) -> None:
    names = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    for page in pages():
        text = (published / "site" / "chapters" / f"{page.name}.html").read_text(encoding="utf-8")
        assert text.count('class="btn btn-sm btn-launch-') == (3 if page.name in names else 0)
    page_address = (published / "site" / "chapters" / "likelihood.html").as_uri()
    with visit(browser, page_address) as found:
        for words in ("Run this chapter in Colab", "Run this chapter in Binder"):
            assert found.page.get_by_role("link", name=words, exact=True).is_visible()
        download = found.page.get_by_role("link", name="Download this chapter as a Notebook")
        path = published / "site" / "chapters" / str(download.get_attribute("href"))
        assert path.resolve().is_file()
        assert (found.elsewhere, found.errors) == ([], [])


@pytest.mark.slow
def test_without_an_address_no_page_has_buttons(site: Path) -> None:
    for path in (site / "html" / "chapters").glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "btn-launch" not in text
        assert "launch.css" not in text


# ---- Colab and Binder


@pytest.fixture(scope="module")
def colab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python with what Colab ships, and nothing else."""
    lines = COLAB.read_text(encoding="utf-8")
    (version,) = re.findall(r"Python (\d\.\d+)", lines)
    (pip,) = re.findall(r"^pip==.*$", lines, re.MULTILINE)
    return fresh.environment(tmp_path_factory.mktemp("colab") / "env", version, COLAB, pip)


@pytest.fixture(scope="module")
def at_loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The notebooks as published for the address at which this machine serves the wheel."""
    folder = tmp_path_factory.mktemp("served")
    wheel = publish.build_wheel(folder)
    with served(folder) as start:
        yield {
            one.name: publish.notebook(one, wheel, start)
            for one in pages()
            if one.cells and not committed.needs(one)  # these packages are not in that list
        }


def first_cell(text: str, old: str = "", new: str = "") -> str:
    """A notebook of the cell that installs alone, with a change in it."""
    notebook = v4.reads(text)
    notebook.cells = notebook.cells[:1]
    notebook.cells[0].source = notebook.cells[0].source.replace(old, new)
    return str(v4.writes(notebook))


@pytest.mark.slow
def test_pip_refuses_a_wheel_with_another_checksum(
    colab: Path, at_loopback: dict[str, str]
) -> None:
    changed = first_cell(at_loopback["likelihood"], 'SHA256 = "', 'SHA256 = "0')
    with pytest.raises(CellExecutionError, match="DO NOT MATCH THE HASHES") as refused:
        fresh.execute(colab, changed)
    assert refused.value.ename == "RuntimeError"
    there = subprocess.run(
        [colab, "-c", "import nllbook"], capture_output=True, cwd=colab.parent, env=fresh.outside()
    )
    assert there.returncode != 0


@pytest.mark.slow
def test_in_colab_every_notebook_runs_and_says_what_the_committed_one_says(
    colab: Path, at_loopback: dict[str, str]
) -> None:
    start = first_cell(at_loopback["likelihood"])
    (cell,) = fresh.execute(colab, start)
    address = re.search(r'WHEEL = "(.*)"', cell.source)
    assert address
    assert f"Installed nllbook 0.1.0 from {address[1]}\n" in cell.outputs[-1].text
    (cell,) = fresh.execute(colab, start)  # and then it leaves it alone
    assert cell.outputs[0].text == "nllbook 0.1.0 is installed already: nothing to do.\n"
    assert fresh.differences(colab, at_loopback, skip=publish.INSTALL) == []


@pytest.fixture(scope="module")
def binder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of Binder's machine, made of the files of .binder/ as pip reads them there."""
    folder = tmp_path_factory.mktemp("binder")
    wheel = publish.build_wheel(folder)
    publish.binder(folder / ".binder", wheel)
    lines = (folder / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    most = folder / ".binder" / "most.txt"  # uv is faster, and cannot read the wheel's line
    most.write_text("\n".join(line for line in lines if not line.startswith("file:")))
    version = (folder / ".binder" / "runtime.txt").read_text().strip().removeprefix("python-")
    here = fresh.environment(folder / "env", version, most)
    install = [str(here), "-m", "pip", "install", "--quiet", "-r", ".binder/requirements.txt"]
    done = subprocess.run(install, cwd=folder, env=fresh.outside(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return here


@pytest.mark.slow
def test_in_binder_the_notebooks_run(binder: Path, texts: dict[str, str]) -> None:
    """Two notebooks stand for all."""
    two = {name: texts[name] for name in ("likelihood", "negative-log-likelihood")}
    assert fresh.differences(binder, two, skip=publish.INSTALL) == []
    lab = subprocess.run(
        [binder.parent / "jupyter-lab", "--version"], capture_output=True, text=True
    )
    wanted = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert f"jupyterlab=={lab.stdout.strip()}" in wanted


@pytest.mark.slow
def test_in_jupyterlab_an_interactive_figure_moves_and_python_knows(
    binder: Path, browser: Browser, tmp_path: Path
) -> None:
    cells = [
        "from nllbook import figures\ncoin = figures.show('coin')\ncoin",
        "print('heads:', coin.widget.k)",
        "coin.widget.n = 20",
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    (tmp_path / "figure.ipynb").write_text(v4.writes(notebook), encoding="utf-8")
    with fresh.lab(binder, tmp_path) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}lab/tree/figure.ipynb")
        first = page.locator(".jp-CodeCell").first
        first.locator(".cm-content").click(timeout=60_000)
        page.keyboard.press("Shift+Enter")
        says = page.locator(".nll-says")
        expect(says).to_contain_text("7 heads in 10 throws", timeout=60_000)
        heads = page.get_by_role("slider", name="heads")
        heads.press("ArrowRight")
        expect(says).to_contain_text("8 heads in 10 throws")
        page.locator(".jp-CodeCell .cm-content").nth(1).click()
        page.keyboard.press("Shift+Enter")
        output = page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
        expect(output).to_have_text("heads: 8\n")
        page.keyboard.press("Shift+Enter")
        expect(says).to_contain_text("8 heads in 20 throws")  # moved by Python
        page.close()
