"""The site as built: the real book by plain Sphinx, and small books with mistakes in them."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from tests.building import copy_book, run
from web.notebooks import glued
from web.source import ROOT, STATEMENTS, chapters, pages

pytestmark = pytest.mark.slow


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
