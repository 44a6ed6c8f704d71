"""The site as built: the real book by plain Sphinx, and small books with mistakes in them."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pikepdf
import pytest

from web.labels import Book
from web.notebooks import glued
from web.source import ROOT, STATEMENTS, chapters, pages

pytestmark = pytest.mark.slow

BOOK = ("_config.yml", "_toc.yml", "benchmarks", "chapters", "nllbook", "web")


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def copy_book(folder: Path) -> None:
    for name in BOOK:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(
                origin, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build")
            )
        else:
            shutil.copy(origin, folder / name)
    katex = ROOT / "_build" / "katex"
    if katex.is_dir():  # fetched before: no need of the network
        shutil.copytree(katex, folder / "_build" / "katex")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real book, built without jupyter-book: the way out if that is ever given up."""
    folder = tmp_path_factory.mktemp("book")
    copy_book(folder)
    config = run(folder, "jupyter-book", "config", "sphinx", ".")
    assert config.returncode == 0, config.stderr
    built = run(
        folder, "sphinx-build", "-W", "-n", "--keep-going", "-b", "html", ".", "_build/html"
    )
    assert built.returncode == 0, built.stderr
    return folder / "_build"


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def html_pages(site: Path) -> list[Path]:
    return [(site / "html" / page.path.relative_to(ROOT)).with_suffix(".html") for page in pages()]


def test_the_ledger_holds_every_claim_with_its_checks(site: Path) -> None:
    entries = json.loads((site / "claims.json").read_text(encoding="utf-8"))
    stated = [
        (one.options["label"], chapter.name)
        for chapter in chapters()
        for one in chapter.directives
        if one.name in STATEMENTS
    ]
    assert [(entry["id"], entry["chapter"]) for entry in entries] == stated
    for entry in entries:
        assert set(entry) == {"id", "chapter", "statement", "checks"}
        assert entry["statement"]
        assert entry["checks"]
        for check in entry["checks"]:
            assert set(check) == {"kind", "difference", "tolerance"}
    page = (site / "html" / "chapters" / "claims.html").read_text(encoding="utf-8")
    for name, chapter in stated:
        assert f'href="{chapter}.html#{name}"' in page


def test_every_check_line_links_to_its_statement(site: Path) -> None:
    for chapter in chapters():
        page = (site / "html" / "chapters" / f"{chapter.name}.html").read_text(encoding="utf-8")
        lines = re.findall(r'<p class="check[^>]*>✓ <a [^>]*href="#([^"]+)"', page)
        assert len(lines) == page.count("✓ <a")
        assert len(lines) > 0
        for name in set(lines):
            assert f'id="{name}"' in page


def test_every_image_has_alt_text_that_is_no_path(site: Path) -> None:
    for path in html_pages(site):
        for tag, attributes in Elements(path).found:
            if tag == "img":
                alt = attributes.get("alt") or ""
                assert len(alt) >= 30, (path, attributes)
                assert ".png" not in alt, (path, attributes)


def test_no_number_for_the_prose_is_missing(site: Path) -> None:
    for path in html_pages(site):
        assert "glue:" not in path.read_text(encoding="utf-8"), path


def test_numbers_for_the_prose_keep_their_digits(site: Path) -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in html_pages(site))
    for chapter in chapters():
        notebook = nbformat.read(ROOT / "notebooks" / f"{chapter.name}.ipynb", as_version=4)
        for name, text in glued(notebook.cells).items():
            assert f'pasted-text">{html.escape(text)}<' in pages, (name, text)


def test_maths_is_set_and_no_page_asks_for_mathjax(site: Path) -> None:
    for path in html_pages(site):
        text = path.read_text(encoding="utf-8")
        assert "mathjax" not in text.lower(), path
        assert not re.search(r'<(div|span) class="math[^"]*">\s*\\[(\[]', text), path


def test_the_cheat_sheet_names_the_number_of_every_statement(site: Path) -> None:
    page = (site / "html" / "chapters" / "cheat-sheet.html").read_text(encoding="utf-8")
    to = r'href="([\w-]+)\.html#([\w-]+)"(?:(?!</a>).)*'
    found = re.findall(to + r'<sup class="statement-number">([D\d.]+)</sup></a>', page)
    labels = Book().labels
    assert len(found) > 90
    for chapter, label, number in found:
        kind = "D" if labels[label].kind == "Definition" else ""
        assert (chapter, number) == (labels[label].page.name, kind + labels[label].number)


def test_the_links_of_the_printed_sheet_lead_from_its_place_on_the_site(site: Path) -> None:
    (sheet,) = (site / "html" / "_downloads").glob("*/cheat-sheet-a4.pdf")
    with pikepdf.open(sheet) as pdf:
        links = [str(one.A.URI) for one in pdf.pages[0].Annots]
    assert len(links) > 90
    for link in links:
        path, _, label = link.partition("#")
        page = (sheet.parent / path).read_text(encoding="utf-8")
        assert not label or f'id="{label}"' in page, link


def test_the_style_that_chooses_the_paper_is_on_the_cheat_sheet_alone(site: Path) -> None:
    styled = [path for path in html_pages(site) if "/cheat-sheet.css" in path.read_text("utf-8")]
    assert [path.name for path in styled] == ["cheat-sheet.html"]


def small_book(folder: Path, chapter: str) -> subprocess.CompletedProcess[str]:
    """Build a book of one chapter with the real configuration."""
    copy_book(folder)
    shutil.rmtree(folder / "chapters")
    (folder / "chapters").mkdir()
    (folder / "chapters" / "references.bib").touch()
    front = (ROOT / "chapters" / "likelihood.md").read_text(encoding="utf-8").split("\n# ")[0]
    (folder / "chapters" / "index.md").write_text(f"{front}\n# Book\n\n{chapter}", encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n", encoding="utf-8")
    return run(folder, "jupyter-book", "build", ".")


CELL = "```{code-cell} ipython3\n%s\n```\n"


def test_a_failing_cell_stops_the_build_even_without_warnings_as_errors(tmp_path: Path) -> None:
    built = small_book(tmp_path, "Words.\n\n" + CELL % "1 / 0")
    line = (tmp_path / "chapters" / "index.md").read_text().splitlines().index("1 / 0")
    assert built.returncode != 0
    assert (
        f"chapters/index.md:{line}: this cell fails with ZeroDivisionError: division by zero: mend"
        in built.stdout + built.stderr
    )
    again = run(tmp_path, "jupyter-book", "build", ".")  # and it is not forgotten
    assert again.returncode != 0


def test_a_check_of_an_unknown_claim_stops_the_build(tmp_path: Path) -> None:
    cell = CELL % 'from nllbook import check\ncheck("no-such-claim", 1, 1, exact=True)'
    built = small_book(tmp_path, cell)
    assert built.returncode != 0
    assert "check('no-such-claim', …) names no statement" in built.stdout + built.stderr
