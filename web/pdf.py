"""Prints the whole built site as one book: _build/nllbook.pdf.

``python -m web.pdf``, after the site was built. The pages are put one after the other into one
document, in which every link leads from place to place, and Chromium prints it twice: the first
time tells on which page each section begins, which the second writes into the contents.
"""

from __future__ import annotations

import html
import re
import sys
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf

from web import citation
from web.browser import NoBrowserError, launched
from web.source import ROOT, pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SITE = ROOT / "_build" / "html"
NAME = "nllbook.pdf"
LEFT_OUT = ("index", "cheat-sheet")  # the first page is of links; the sheet has PDFs of its own
SECONDS = 300

_ARTICLE = re.compile(r"<article\b[^>]*>(.*)</article>", re.S)
_ID = re.compile(r'\bid="([^"]+)"')
_TO = re.compile(r'(<a\b[^>]*?) href="([^"]*)"')
_FROM = re.compile(r'\bsrc="([^"]+)"')
_HEADING = re.compile(
    r'<section id="([^"]+)">\s*(?:<span[^>]*></span>\s*)*<h([12])>(.*?)</h\2>', re.S
)
_HEADERLINK = re.compile(r'<a class="headerlink".*?</a>', re.S)


class PdfError(Exception):
    """Why nothing was printed, in one line."""


@dataclass(frozen=True)
class Entry:
    """A line of the contents."""

    target: str
    level: int  # 1 a page of the site, 2 a section of it
    title: str  # as HTML


def part(name: str, text: str, names: set[str], site: Path) -> str:
    """A page's article for the document: ids and links with the page's name before them.

    Links to other files of the site, which are not in the document, become their text.
    """
    folder = (site / "chapters").resolve()

    def to(found: re.Match[str]) -> str:
        start, address = found.groups()
        page, _, place = address.partition("#")
        if re.match(r"\w+:", address):
            return found[0]
        goal = page.removesuffix(".html") if page else name
        if goal not in names:
            return start
        return f'{start} href="#{goal}--{place}"' if place else f'{start} href="#{goal}"'

    match = _ARTICLE.search(text)
    if match is None:
        raise PdfError(f"chapters/{name}.html has no article")
    body = _HEADERLINK.sub("", match[1])
    body = _TO.sub(to, _ID.sub(rf'id="{name}--\1"', body))
    body = _FROM.sub(
        lambda one: f'src="{(folder / html.unescape(one[1])).resolve().as_uri()}"', body
    )
    body = body.replace(' loading="lazy"', "")
    return f'<article class="bd-article" id="{name}">{body}</article>'


def headings(name: str, body: str) -> Iterator[Entry]:
    """The page and its sections; ``body`` is what `part` made of it."""
    for place, level, title in _HEADING.findall(body):
        yield Entry(name if level == "1" else place, int(level), title)


def contents(entries: list[Entry], numbers: dict[str, int]) -> str:
    rows = (
        f'<li class="level-{one.level}"><a href="#{one.target}"><span>{one.title}</span>'
        f'<span class="page">{numbers.get(one.target, "")}</span></a></li>'
        for one in entries
    )
    return f'<nav class="whole-contents"><h1>Contents</h1><ol>{"".join(rows)}</ol></nav>'


def document(
    site: Path, numbers: dict[str, int], only: Collection[str] = ()
) -> tuple[str, list[Entry]]:
    """The whole, or these pages, as one page of HTML, and the entries of its contents."""
    order = [page.name for page in pages() if page.name not in LEFT_OUT]
    order = [name for name in order if not only or name in only]
    names = set(order)
    texts = {name: (site / "chapters" / f"{name}.html").read_text("utf-8") for name in order}
    parts = {name: part(name, text, names, site) for name, text in texts.items()}
    entries = [entry for name, body in parts.items() for entry in headings(name, body)]
    style = (site / "_static" / "site.css").resolve().as_uri()
    own = (ROOT / "web" / "static" / "pdf.css").read_text(encoding="utf-8")
    book = citation.read()
    cover = (
        f'<section class="cover"><p class="title">{book.title}</p><p>{", ".join(book.authors)}</p>'
        f"<p>Version {book.version}. Prose and figures: CC BY 4.0; all code: MIT.</p></section>"
    )
    whole = (
        f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        f"<title>{book.title}</title><link rel=stylesheet href='{style}'>"
        f"<style>{own}</style></head><body><main class='bd-main bd-content'>{cover}"
        f"{contents(entries, numbers)}{''.join(parts.values())}</main></body></html>"
    )
    return whole, entries


FOOTER = (
    '<p style="width: 100%; font: 8px sans-serif; text-align: center">'
    '<span class="pageNumber"></span></p>'
)


def printed(browser: Browser, text: str, folder: Path) -> Path:
    source, target = folder / "whole.html", folder / "whole.pdf"
    source.write_text(text, encoding="utf-8")
    page = browser.new_page(java_script_enabled=False)
    page.set_default_timeout(SECONDS * 1000)
    page.goto(source.as_uri(), wait_until="load")
    page.pdf(
        path=target,
        format="A4",
        margin={"top": "16mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        tagged=True,
    )
    page.close()
    return target


def places(path: Path) -> dict[str, int]:
    """The number of the page on which each target of a link lies."""
    with pikepdf.open(path) as pdf:
        sheets = {page.obj.objgen: number for number, page in enumerate(pdf.pages, 1)}
        goals = pdf.Root.Dests.as_dict()
        return {name.removeprefix("/"): sheets[goal[0].objgen] for name, goal in goals.items()}


def bookmarks(pdf: pikepdf.Pdf, entries: list[Entry]) -> None:
    """The contents once more, for the side bar; Chromium's own would have some titles twice."""
    goals = pdf.Root.Dests
    with pdf.open_outline() as outline:
        for one in entries:
            title = html.unescape(re.sub(r"<[^>]+>", "", one.title))
            item = pikepdf.OutlineItem(title, goals[f"/{one.target}"].wrap_in_array())
            (outline.root if one.level == 1 else outline.root[-1].children).append(item)


def finish(path: Path, target: Path, entries: list[Entry]) -> int:
    """Say what it is, and drop what is of one machine and moment; the number of its pages."""
    book = citation.read()
    with pikepdf.open(path) as pdf:
        for key in ("/Creator", "/CreationDate", "/ModDate"):
            if key in pdf.docinfo:
                del pdf.docinfo[key]
        pdf.docinfo["/Title"] = book.title
        pdf.docinfo["/Author"] = ", ".join(book.authors)
        pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        bookmarks(pdf, entries)
        pdf.Root.PageMode = pikepdf.Name.UseOutlines
        pdf.save(
            target,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            recompress_flate=True,
            deterministic_id=True,
        )
        return len(pdf.pages)


def make(site: Path, target: Path, only: Collection[str] = ()) -> int:
    """Print the book, or these pages of it; the number of sheets."""
    with launched() as browser, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text, _ = document(site, {}, only)
        numbers = places(printed(browser, text, folder))
        text, entries = document(site, numbers, only)
        again = printed(browser, text, folder)
        if missing := [one.target for one in entries if one.target not in numbers]:
            raise PdfError(f"the contents lead nowhere: {', '.join(missing[:3])}")
        if places(again) != numbers:
            raise PdfError("the numbers in the contents moved what they point to")
        return finish(again, target, entries)


def main() -> int:
    try:
        if not (SITE / "chapters").is_dir():
            raise PdfError("The site is not built: make book")
        count = make(SITE, ROOT / "_build" / NAME)
    except (PdfError, NoBrowserError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"_build/{NAME}: {count} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
