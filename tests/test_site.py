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
import pikepdf
import pytest

from tests.building import copy_book, run
from web import api
from web.labels import Book
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
        assert bool(lines) == bool(chapter.statements)
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
        text = path.read_text(encoding="utf-8").replace('<span class="pre">glue:text</span>', "")
        assert "glue:" not in text, path


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
    found = re.findall(to + r'<sup class="statement-number">\xa0([D\d.]+)</sup></a>', page)
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


def test_a_term_is_described_by_a_hidden_element_of_its_page(site: Path) -> None:
    for path in html_pages(site):
        found = [attributes for _, attributes in Elements(path).found]
        terms = [one for one in found if one.get("class") == "term"]
        hidden = [one for one in found if one.get("class") == "term-definition"]
        assert {one["aria-describedby"] for one in terms} == {one["id"] for one in hidden}
        assert all(one["href"] and one["href"].startswith("notation.html#term-") for one in terms)
        assert all(one["role"] == "tooltip" and one["popover"] == "manual" for one in hidden)
        assert terms or path.stem not in {chapter.name for chapter in chapters() if chapter.number}


def test_reference_pages_have_unique_ids_and_their_links_lead_somewhere(site: Path) -> None:
    ids: dict[str, set[str]] = {}
    links: dict[str, list[str]] = {}
    for path in html_pages(site):
        found = [attributes for _, attributes in Elements(path).found]
        here = [one["id"] or "" for one in found if "id" in one]
        if path.stem in ("api", "bibliography", "notation"):
            assert sorted(here) == sorted(set(here)), path
            links[path.name] = [one["href"] or "" for one in found if "href" in one]
        ids[path.name] = set(here)
    for page, addresses in links.items():
        for address in addresses:
            target, _, fragment = address.partition("#")
            if fragment and "/" not in target:
                assert fragment in ids[target or page], (page, address)


def test_every_public_name_has_an_entry_that_leads_to_the_book(site: Path) -> None:
    page = (site / "html" / "chapters" / "api.html").read_text(encoding="utf-8")
    entries = re.split(r'<dt class="sig sig-object py" id="', page)[1:]
    shown = {entry.partition('"')[0]: entry for entry in entries}
    for name in api.public():
        uses = [entry for entry in shown if entry == name or entry.startswith(f"{name}.")]
        text = "".join(shown[entry] for entry in uses)
        sections = re.findall(r'href="([\w-]+)\.html#', text)
        expected = {chapter.name for chapter, _ in api.uses().get(name, [])}
        assert expected <= set(sections), name
        assert expected or "In the book:" in text, name


class InlineCode(HTMLParser):
    """The pieces of inline code outside headings, each with the address of the link around it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.around: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.read_text(encoding="utf-8").partition("<article")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "hr", "img", "input", "link", "meta"):
            self.around.append((tag, dict(attrs)))
            if tag == "code" and not any(re.fullmatch("h[1-6]", one) for one, _ in self.around):
                links = [attributes["href"] or "" for one, attributes in self.around if one == "a"]
                classes = [attributes.get("class") for _, attributes in self.around]
                links += ["elsewhere"] if "elsewhere" in classes and not links else []
                self.found.append(("", links[-1] if links else ""))

    def handle_endtag(self, tag: str) -> None:
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if any(tag == "code" for tag, _ in self.around) and self.found:
            text, link = self.found[-1]
            self.found[-1] = (text + data, link)


def test_inline_code_that_names_something_public_leads_to_its_entry(site: Path) -> None:
    led = 0
    for path in html_pages(site):
        if path.stem in ("api", "claims"):  # whose code is its own entries, and ids of claims
            continue
        for text, link in InlineCode(path).found:
            if (name := api.named(text)) and link != "elsewhere":  # another library's: no link
                page, _, target = link.rpartition("#")
                assert page == "api.html", (path.stem, text)
                assert name.startswith(target), (path.stem, text)
                led += 1
    assert led > 40


def test_the_names_that_a_chapter_imports_lead_to_their_entries(site: Path) -> None:
    for chapter in chapters():
        page = (site / "html" / "chapters" / f"{chapter.name}.html").read_text(encoding="utf-8")
        names = re.findall(r'href="api\.html#(?:nllbook\.|api-)(\w+)"><span class="n">(\w+)<', page)
        code = "\n".join(cell.body for cell in chapter.cells)
        imports = re.findall(r"from nllbook import (?:\(([^)]*)\)|(.*))", code)
        assert [name for _, name in names] == re.findall(r"\w+", " ".join(map("".join, imports)))
        assert all(target == name for target, name in names)


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
