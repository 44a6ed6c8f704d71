"""Prints the cheat sheet of the built site to chapters/cheat-sheet-a4.pdf and -letter.pdf.

``python -m web.print_sheet``, after the site was built, with Chromium or Chrome on the PATH. The
links lead to the site: to the address in _config.yml (html: baseurl) or, where there is none, from
the place that the site gives the PDF. It keeps a hash of its sources: a test finds a stale one.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pikepdf
import yaml

from web.browser import NoBrowserError, program
from web.labels import Book
from web.sheet_page import PAGE, STYLE
from web.source import CHAPTERS, ROOT

SITE = ROOT / "_build" / "html"
PAPERS = {"a4": "A4", "letter": "Letter"}  # as CSS calls them
SWITCHES = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FROM_DOWNLOADS = "../../"  # Sphinx puts it into _downloads/<hash>/
SECONDS = 120


class PrintError(Exception):
    """Why nothing was printed, in one line."""


def target(paper: str) -> Path:
    """Where the PDF for this paper is kept."""
    return CHAPTERS / f"cheat-sheet-{paper}.pdf"


def source_hash(book: Book) -> str:
    """Of all that the book says on the sheet: its text, its style, its statements' numbers."""
    page = book.page(PAGE)
    assert page is not None, f"{PAGE} is not in _toc.yml"
    labels = sorted({one.target for one in page.references})
    numbers = "\n".join(f"{label} {book.labels[label].number}" for label in labels)
    style = (ROOT / "web" / "static" / STYLE).read_text(encoding="utf-8")
    text = "\n".join(page.text.split("\n")[page.first - 1 :]).lstrip()  # the front matter is not
    return hashlib.sha256("\0".join((text, style, numbers)).encode()).hexdigest()


def address() -> str:
    """What the links begin with."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    published = str(config.get("html", {}).get("baseurl") or "")
    return published.rstrip("/") + "/" if published else FROM_DOWNLOADS


def printed(page: Path, paper: str, folder: Path) -> Path:
    """The page as Chromium prints it, on the paper that is named."""
    html = page.read_text(encoding="utf-8")
    html = html.replace("<head>", f'<head><base href="{page.as_uri()}">', 1)
    rule = f"<style>@page {{ size: {PAPERS[paper]} landscape; }}</style>"
    copy, pdf = folder / f"{paper}.html", folder / f"{paper}.pdf"
    copy.write_text(html.replace("</head>", f"{rule}</head>", 1), encoding="utf-8")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    command = [program(), *SWITCHES, *root, f"--user-data-dir={folder / 'profile'}"]
    command += ["--no-pdf-header-footer", f"--print-to-pdf={pdf}", copy.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if not pdf.exists():
        said = (run.stderr.strip() or "nothing").split("\n")[-1]
        raise PrintError(f"{command[0]} printed no PDF; its last words: {said}")
    return pdf


def finish(pdf: pikepdf.Pdf, paper: str, book: Book) -> None:
    """Point the links at the site, and drop the date and what else is of one machine."""
    if len(pdf.pages) != 1:
        raise PrintError(
            f"chapters/cheat-sheet.md: it takes {len(pdf.pages)} pages of {PAPERS[paper]}, not 1: "
            f"shorten it, or make the type smaller in web/static/{STYLE}"
        )
    here, there = SITE.as_uri() + "/", address()
    for annotation in pdf.pages[0].get("/Annots", []):
        link = str(annotation.A.URI)
        if not link.startswith(here):
            raise PrintError(f"chapters/cheat-sheet.md: the link {link} leaves the book: drop it")
        annotation.A.URI = pikepdf.String(there + link.removeprefix(here))
    for key in ("/Creator", "/CreationDate", "/ModDate"):
        del pdf.docinfo[key]
    pdf.docinfo["/Keywords"] = f"sha256 of its sources: {source_hash(book)}"
    pdf.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)


def main() -> int:
    page, book = SITE / f"{PAGE}.html", Book()
    try:
        if not page.exists():
            raise PrintError(f"{page.relative_to(ROOT)} is missing: run make book first")
        for paper in PAPERS:
            with tempfile.TemporaryDirectory() as folder:
                pdf = pikepdf.open(printed(page, paper, Path(folder)))
                finish(pdf, paper, book)
                pdf.save(
                    target(paper),
                    object_stream_mode=pikepdf.ObjectStreamMode.generate,
                    recompress_flate=True,
                    deterministic_id=True,
                )
            print(f"{target(paper).relative_to(ROOT)}: printed")
    except (PrintError, NoBrowserError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
