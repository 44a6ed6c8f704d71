"""Tests of the page "In other libraries": every cell of its tables against the real library."""

from __future__ import annotations

import ast
import html
import os
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from tests.libraries.cells import reads
from web import libraries
from web.libraries import LIBRARIES, PACKAGES
from web.source import ROOT, SourceError

LOSSES = libraries.load()
TABLE = {
    (f"{loss.id} / {row}", library): cell
    for loss in LOSSES.values()
    for row, cells in loss.rows.items()
    for library, cell in cells.items()
}
ABSENT = {
    (loss.id, library): pattern
    for loss in LOSSES.values()
    for library, pattern in loss.absent.items()
}


def unusable(library: str) -> str | None:
    """Why the library cannot be tested: it is missing, or not of the version in the lock."""
    if library not in PACKAGES:
        return None
    package = PACKAGES[library]
    wanted = " or ".join(libraries.pins(package))
    remedy = f"run `make .venv/{'torch' if library == 'torch' else 'ready'}`"
    try:
        found = version(package).partition("+")[0]  # without "cpu"
    except PackageNotFoundError:
        return f"{package} {wanted} is not installed, and the page tells of it: {remedy}"
    if found not in libraries.pins(package):
        return f"{package} {found} is installed, and the page tells of {wanted}: {remedy}"
    return None


USABLE = [library for library in LIBRARIES if not unusable(library)]


def cells_of(library: str) -> Any:
    """The register of the library's tests."""
    return import_module(f"tests.libraries.of_{library}").cell


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_library_is_the_one_that_the_page_tells_of(library: str) -> None:
    """Where it is not, the tests of its cells are left out, and this one fails."""
    if reason := unusable(library):
        pytest.fail(reason, pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "library"),
    [pytest.param(*key, id=f"{key[0]} - {key[1]}") for key in TABLE if key[1] in USABLE],
)
def test_cell(name: str, library: str) -> None:
    cell = TABLE[name, library]
    try:
        test = cells_of(library).tests.get(name)
        assert test, f"add a test of {name!r} to tests/libraries/of_{library}.py"
        test(**cell.values)
    except (Exception, pytest.fail.Exception) as error:
        error.add_note(f"{name}, {LIBRARIES[library]}: {libraries.FILE.name} says “{cell.text}”")
        raise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("library", "function", "loss", "rows"),
    [
        ("optax", "optax.safe_softmax_cross_entropy", "categorical-logits", "minus infinity"),
        ("optax", "optax.huber_loss", "huber", ""),
        ("scipy", "scipy.stats.laplace_asymmetric", "quantile", ""),
        ("sklearn", "sklearn.metrics.hinge_loss", "hinge-focal", "/ hinge"),
        ("torch", "torch.nn.functional.poisson_nll_loss", "poisson", ""),
    ],
)
def test_a_removed_function_fails_its_own_rows_by_their_names(
    monkeypatch: pytest.MonkeyPatch, library: str, function: str, loss: str, rows: str
) -> None:
    if library not in USABLE:
        pytest.fail(str(unusable(library)), pytrace=False)
    monkeypatch.delitem(sys.modules, f"tests.libraries.of_{library}", raising=False)
    monkeypatch.delattr(function)
    errors = {}
    for name, column in TABLE:
        if column == library and name.partition(" / ")[0] in (loss, "entropy"):
            try:
                test_cell(name, library)
            except AttributeError as error:
                errors[name] = error.__notes__
    assert set(errors) == {
        name
        for name, column in TABLE
        if column == library and name.startswith(f"{loss} / ") and rows in name
    }
    assert all(
        notes[0].startswith(f"{name}, {LIBRARIES[library]}: ") for name, notes in errors.items()
    )


def test_every_cell_has_a_test_and_every_test_a_cell() -> None:
    """Without the libraries: by the names that the decorators bear."""
    for library in LIBRARIES:
        file = ROOT / "tests" / "libraries" / f"of_{library}.py"
        named = [
            name.value
            for node in ast.parse(file.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef)
            for mark in node.decorator_list
            if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "cell"
            for name in mark.args
            if isinstance(name, ast.Constant) and isinstance(name.value, str)
        ]
        assert sorted(named) == sorted(name for name, column in TABLE if column == library), file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "library"),
    [pytest.param(*key, id=f"{key[0]} - {key[1]}") for key in ABSENT if key[1] in USABLE],
)
def test_the_library_has_no_such_function(loss: str, library: str) -> None:
    pattern = re.compile(ABSENT[loss, library], re.IGNORECASE)
    found = sorted(name for name in cells_of(library).names if pattern.search(name))
    assert not found, (
        f"{loss}: {LIBRARIES[library]} has {found} by now, and the page says it lacks it"
    )


# ---- the file and the page


def test_every_loss_has_its_table_on_the_page_once() -> None:
    page = (ROOT / "chapters" / "other-libraries.md").read_text(encoding="utf-8")
    assert re.findall(r"^```\{in-libraries\} (\S+)$", page, re.MULTILINE) == list(LOSSES)
    assert page.count("```{library-versions}") == 1


def test_a_library_has_all_rows_of_a_loss_or_lacks_it() -> None:
    for loss in LOSSES.values():
        for cells in loss.rows.values():
            assert set(cells) | set(loss.absent) == set(LIBRARIES)
            assert not set(cells) & set(loss.absent)


def test_the_versions_come_from_the_lock_and_the_makefile() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    for package in ("scikit-learn", "scipy", "optax", "jax"):
        assert libraries.pins(package)
        for pin in libraries.pins(package):
            assert re.search(rf"(?m)^{package}=={re.escape(pin)}( |$)", lock)
    (torch,) = libraries.pins("torch")
    assert f"torch=={torch}\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_make_test_installs_torch_and_make_quick_does_not() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"(?m)^test: \.venv/torch .*##", makefile)
    assert re.search(r"(?m)^quick: \.venv/ready ##", makefile)


@pytest.mark.parametrize(
    ("written", "value", "right"),
    [
        ("1.461", 1.46115, True),
        ("1.461", 1.4616, False),
        ("2.22e-16", 2**-52, True),
        ("2.22e-16", 2**-53, False),
        ("-100", -100, True),
        ("36.04", 36.05, False),
    ],
)
def test_a_number_reads_as_it_is(written: str, value: float, right: bool) -> None:
    if right:
        reads(written, value)
    else:
        with pytest.raises(AssertionError, match=re.escape(f"the page has {written}")):
            reads(written, value)


GOOD = """
- loss: one
  absent: {optax: one, scipy: one, sklearn: one}
  rows:
    call:
      nllbook: "`one(y)`"
      torch:
        text: "a floor of <floor>, or <other>"
        floor: "1e-6"
        other: "-2.5e-3"
- loss: two
  absent: {optax: two, scipy: two, sklearn: two, torch: two}
  rows:
    call:
      nllbook: none
"""


def load(folder: Path, text: str) -> dict[str, libraries.Loss]:
    path = folder / "other-libraries.yml"
    path.write_text(text, encoding="utf-8")
    return libraries.load(path)


def test_the_file_is_read(tmp_path: Path) -> None:
    one, two = load(tmp_path, GOOD).values()
    assert (one.libraries, two.libraries) == (["nllbook", "torch"], ["nllbook"])
    cell = one.rows["call"]["torch"]
    assert cell.values == {"floor": "1e-6", "other": "-2.5e-3"}
    assert cell.shown == "a floor of $10^{-6}$, or $-2.5 \\cdot 10^{-3}$"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("loss: two", "loss: one", 11, "stands on line 2 too"),
        ("loss: two", "loss: Two", 11, "kebab-case"),
        ('nllbook: "`one(y)`"', 'nlbook: "`one(y)`"', 6, "nearest: nllbook"),
        ('      nllbook: "`one(y)`"\n', "", 6, "no cell for nllbook"),
        ("absent: {optax: one", "absent: {nllbook: x, optax: one", 6, "no library 'nllbook'"),
        ("or <other>", "or other", 8, "'other' must be"),
        ("or <other>", "or <another>", 8, "'another' must be"),
        ('floor: "1e-6"', "floor: 0.1", 9, "in quotes"),
        ("        text: ", "        txt: ", 8, "lacks its text"),
        ("    call:\n      nllbook: none", "    röw:\n      nllbook: none", 15, "ASCII"),
        ("      nllbook: none", "      nllbook: none\n      nllbook: none", 16, "twice"),
    ],
)
def test_a_mistake_in_the_file_is_one_line_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(SourceError) as caught:
        load(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/other-libraries.yml:{line}: ")
    assert words in message
    assert "\n" not in message


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as HTML, without its links to the chapters."""
    folder = tmp_path_factory.mktemp("page")
    text = (ROOT / "chapters" / "other-libraries.md").read_text(encoding="utf-8")
    directives = re.findall(r"(?ms)^```\{.*?^```$", text)
    link = "[the weights](#libraries-huber-weights)"
    page = "\n\n".join(("# Page", link, *directives))
    (folder / "index.md").write_text(page, encoding="utf-8")
    settings = (
        'extensions = ["myst_parser", "web.libraries"]\nmyst_enable_extensions = ["dollarmath"]'
    )
    (folder / "conf.py").write_text(settings, encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", ".", "_build"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert not done.stderr
    return (folder / "_build" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_tables_say_what_their_parts_are(page: str) -> None:
    tables = re.findall(r"(?s)<table.*?</table>", page)
    assert len(tables) == len(LOSSES)
    for table, loss in zip(tables, LOSSES.values(), strict=True):
        assert re.search(
            r'<table aria-label="[^"]+ by library" class="libraries" role="table"', table
        )
        columns = re.findall(r'<th role="columnheader" scope="col">(.*?)</th>', table)
        assert columns == ["Aspect", *(LIBRARIES[one] for one in loss.libraries)]
        rows = re.findall(
            r'<th role="rowheader" scope="row">(.*?)<a [^>]*class="headerlink"', table
        )
        assert [html.unescape(row).lower() for row in rows] == [name.lower() for name in loss.rows]
        apart = sum(not agree(cells) for cells in loss.rows.values())
        ours = table.count('<td role="cell">')
        assert ours == ("nllbook" in loss.libraries) * apart
        theirs = table.count('<td class="elsewhere" role="cell">')  # no link to names of nllbook
        assert ours + theirs == apart * len(loss.libraries)
        whole = f'<td class="elsewhere" colspan="{len(loss.libraries)}" role="cell">'
        assert table.count(whole) == len(loss.rows) - apart


def agree(cells: dict[str, libraries.Cell]) -> bool:
    """All libraries do the same: there is one cell for them."""
    return len({cell.shown for cell in cells.values()}) == 1


@pytest.mark.slow
def test_a_cell_names_its_library_where_the_table_is_stacked(page: str) -> None:
    cells = re.findall(
        r'(?s)<td[^>]* role="cell">\s*<span class="library">(.*?): </span>(.*?)</td>', page
    )
    assert [name for name, _ in cells] == [
        name
        for loss in LOSSES.values()
        for row in loss.rows.values()
        for name in (["all"] if agree(row) else [LIBRARIES[library] for library in row])
    ]
    assert [name for name, _ in cells].count("all") > 4
    assert all(text.strip() for _, text in cells)


@pytest.mark.slow
def test_each_row_has_an_id_of_its_own_and_a_mark_that_leads_to_it(page: str) -> None:
    rows = re.findall(r'<tr id="(\S+)" role="row">', page)
    marks = re.findall(
        r'<a aria-hidden="true" class="headerlink" href="#(\S+)" tabindex="-1">', page
    )
    assert rows == marks
    assert len(set(rows)) == len(rows) == sum(len(loss.rows) for loss in LOSSES.values())
    assert "libraries-categorical-logits-class-weights-distributions" in rows
    assert 'href="#libraries-huber-weights">the weights</a>' in page


@pytest.mark.slow
def test_a_name_breaks_only_between_its_words(page: str) -> None:
    plain = page.replace('<span class="pre">', "").replace("</span>", "")
    assert ">binary_<wbr>cross_<wbr>entropy_<wbr>with_<wbr>logits(<wbr>z," in plain
    assert "Cross<wbr>Entropy<wbr>Loss()(z," in plain
    assert "kl_<wbr>div(<wbr>log_q, p, reduction=<wbr>&quot;batchmean" in plain  # log_q is short
    assert "(n, 1)" in plain


@pytest.mark.slow
def test_the_page_says_which_library_lacks_a_loss_and_which_versions(page: str) -> None:
    assert "<p>scikit-learn and Optax have no such function.</p>" in page
    assert "<p>Optax has no such function.</p>" in page
    for package in PACKAGES.values():
        assert " or ".join(libraries.pins(package)) in page


@pytest.mark.parametrize(
    ("library", "found", "says"),
    [
        ("torch", None, "torch 2.13.0 is not installed, and the page tells of it: run `make .v"),
        (
            "torch",
            "9.9.9+cpu",
            "torch 9.9.9 is installed, and the page tells of 2.13.0: run `make .v",
        ),
        ("optax", "0.0.1", "optax 0.0.1 is installed"),
    ],
)
def test_another_version_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, library: str, found: str | None, says: str
) -> None:
    def pretend(package: str) -> str:
        if found is None:
            raise PackageNotFoundError(package)
        return found

    says = says.replace("2.13.0", libraries.pins("torch")[0])
    monkeypatch.setitem(globals(), "version", pretend)
    reason = unusable(library)
    assert reason
    assert reason.startswith(says)
    assert "\n" not in reason


def test_the_locked_versions_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "version", lambda package: libraries.pins(package)[-1] + "+cpu")
    assert [library for library in LIBRARIES if unusable(library)] == []
