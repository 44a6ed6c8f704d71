"""Checks what is about to be published: links, files, buttons, checksums, addresses, sizes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
from nllgrade import master

from web import launch, offline, pdf
from web.launch import Addresses
from web.source import ROOT

v4: Any = nbformat.v4  # has no types
SITE_MB = 900  # GitHub Pages takes a gigabyte
FILE_MB = 50  # from there on, git on GitHub warns
LOADED = {("script", "src"), ("img", "src"), ("source", "src"), ("iframe", "src"), ("link", "href")}
SERVICES = ("colab.research.google.com", "mybinder.org")
TEXT = (".html", ".js", ".json", ".css", ".ipynb", ".md", ".txt", ".xml", ".svg")


class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it that can be linked to."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.canonical = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        address = found.get("href") or found.get("src") or ""
        if not address:
            return
        if tag == "link" and found.get("rel") == "canonical":
            self.canonical = address
        elif tag == "link" and found.get("rel") in ("next", "prev", "search", "author", "license"):
            self.links.append(address)
        elif (tag, "href" if "href" in found else "src") in LOADED:
            self.loaded.append(address)
        else:
            self.links.append(address)


class Site:
    """The folder of the site, and the address that it is to have."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder.resolve(), address
        self.page = cache(Page)
        self.pages = sorted(self.folder.rglob("*.html"))

    def missing(self, link: str, at: str) -> str:
        """Why nothing of the site answers this link on the page at that address, if so."""
        url = urljoin(at, link)
        if not url.startswith(self.address):
            ours = not urlsplit(link).netloc and not urlsplit(link).scheme
            return "it leads out of the site" if ours else ""  # else another site's
        path = (
            self.folder / unquote(urlsplit(url).path[len(urlsplit(self.address).path) :])
        ).resolve()
        path = path / "index.html" if path.is_dir() else path
        if not path.is_relative_to(self.folder) or not path.is_file():
            return "no such file"
        fragment = unquote(urlsplit(url).fragment)
        if fragment and path.suffix == ".html" and fragment not in self.page(path).ids:
            return "" if fragment.startswith(":~:") else "no such place on that page"
        return ""


def problems(target: Path, found: Addresses, wheel: str, digest: str) -> list[str]:
    """What is wrong with the two folders, a line each."""
    site, branch = Site(target / "site", found.site), target / "branch"
    return [
        *_links(site, found, branch),
        *_wheel(target, found, wheel, digest),
        *_notebooks(site, branch, found, wheel, digest),
        *_machine(target),
        *_sizes(target),
    ]


def _links(site: Site, found: Addresses, branch: Path) -> Iterator[str]:
    buttons = {found.colab, found.binder} if found.github else set()
    wanted = {button(path.stem) for button in buttons for path in branch.glob("notebooks/*.ipynb")}
    seen: set[str] = set()
    for path in site.pages:
        name = path.relative_to(site.folder).as_posix()
        page, at = site.page(path), site.address + name
        for link in dict.fromkeys([*page.links, *page.loaded]):
            if why := site.missing(link, at):
                yield f"site/{name}: {link}: {why}"
            elif urlsplit(link).hostname in SERVICES:
                seen.add(link)
                if link not in wanted:
                    yield f"site/{name}: {link} leads to no notebook of the branch"
        for link in page.loaded:
            if not urljoin(at, link).startswith((site.address, "data:")):
                yield f"site/{name}: it loads {link}, which is not of the site"
        if name.startswith("chapters/") and page.canonical != at:
            yield f"site/{name}: its canonical address is {page.canonical!r}, and should be {at}"
    for link in sorted(wanted - seen):
        yield f"site: no page has a button that leads to {link}"
    if not any(site.folder.rglob("cheat-sheet-a4.pdf")):
        yield "site: it lacks the cheat sheet as a PDF: run make cheat-sheet"
    for sitemap in site.folder.glob("sitemap*.xml"):
        for link in re.findall(r"<loc>([^<]+)</loc>", sitemap.read_text(encoding="utf-8")):
            if not link.startswith(site.address) or site.missing(link, site.address):
                yield f"site/{sitemap.name}: {link} is no page of the site"


def _wheel(target: Path, found: Addresses, wheel: str, digest: str) -> Iterator[str]:
    for place in ("site", "branch"):
        path = target / place / wheel
        if not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{place}/{wheel}: missing, or not the wheel that the notebooks expect"
    wanted = (target / "branch" / ".binder" / "requirements.txt").read_text(encoding="utf-8")
    if f"file:./{wheel}#sha256={digest}" not in wanted.split():
        yield "branch/.binder/requirements.txt: it names another wheel"


def _notebooks(
    site: Site, branch: Path, found: Addresses, wheel: str, digest: str
) -> Iterator[str]:
    install = (f'\nWHEEL = "{found.site}{wheel}"\n', f'\nSHA256 = "{digest}"\n')
    wanted = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    wanted |= {f"assignment-{name}.ipynb" for name in master.names()}
    if {path.name for path in branch.glob("notebooks/*.ipynb")} != wanted:
        yield "branch/notebooks: not the chapters that are committed, and the assignments"
    for path in sorted(branch.glob("notebooks/*.ipynb")):
        name = f"branch/notebooks/{path.name}"
        text = path.read_text(encoding="utf-8")
        if (site.folder / "notebooks" / path.name).read_text(encoding="utf-8") != text:
            yield f"{name}: the site has another one"
        cells = v4.reads(text).cells
        if not all(line in cells[0].source for line in install):
            yield f"{name}: its first cell does not install {wheel} by its checksum"
        words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        anchors = set(re.findall(r'<a id="([^"]+)">', words))
        for link in re.findall(r"\]\(([^)\s]+)", words):
            if link.startswith("#"):
                why = "" if link[1:] in anchors else "no such place in the notebook"
            elif link.startswith(("https://", "http://", "mailto:")):
                why = site.missing(link, site.address)
            else:
                why = "a notebook stands alone: link to the site"
            if why:
                yield f"{name}: {link}: {why}"


def _machine(target: Path) -> Iterator[str]:
    """Paths of the machine that built it, which are nobody else's business."""
    here = {str(ROOT), sys.prefix, str(Path.home()), "file:///"} - {"/", "/root"}
    for path in sorted(target.rglob("*")):
        if path.is_file() and path.suffix in TEXT:
            text = path.read_text(encoding="utf-8", errors="replace")
            for one in sorted(here):
                if one in text:
                    yield f"{path.relative_to(target)}: it shows {one}, a path of this machine"


def _sizes(target: Path) -> Iterator[str]:
    for path in target.rglob("*"):
        if path.is_file() and path.stat().st_size > FILE_MB * 1e6:
            yield f"{path.relative_to(target)}: larger than {FILE_MB} MB"
    if size(target / "site")[1] > SITE_MB * 1e6:
        yield f"site: larger than {SITE_MB} MB, and Pages takes a gigabyte"


def size(folder: Path, pattern: str = "**/*") -> tuple[int, int]:
    """How many files, how many bytes."""
    sizes = [path.stat().st_size for path in folder.glob(pattern) if path.is_file()]
    return len(sizes), sum(sizes)


def summary(target: Path, wheel: str, digest: str) -> str:
    """What would be published, in a few lines."""

    def line(name: str, folder: Path, pattern: str = "**/*") -> str:
        count, total = size(folder, pattern)
        return f"  {name:<34} {count:4} files {total / 1e6:8.2f} MB"

    site, branch = target / "site", target / "branch"
    return "\n".join(
        (
            f"What would be published, in {target}:",
            line("site/", site),
            line("  pages", site, "**/*.html"),
            line("  the whole as a PDF", site, pdf.NAME),
            line("  the whole as a zip", site, f"{offline.NAME}.zip"),
            line("  cheat sheets", site, "**/cheat-sheet-*.pdf"),
            line("  notebooks", site, f"{launch.FOLDER}/*.ipynb"),
            line(f"  {wheel}", site, "*.whl"),
            line(f"branch/ (to the branch {launch.BRANCH})", branch),
            line("  notebooks", branch, f"{launch.FOLDER}/*.ipynb"),
            f"  sha256 of the wheel, as in every notebook: {digest}",
        )
    )
