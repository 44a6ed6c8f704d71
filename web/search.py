"""The site's search: an index of its sections and statements, ranked by MiniSearch in the page.

Sphinx's own search looks for pages that hold all the words, and so finds no answer to a question.
The index is taken from the pages as they were written, so that it holds what a reader sees there.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, PreformattedString, Tag
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config
from sphinx.search.en import js_porter_stemmer

from web import npm, source

# A new version has a new checksum, too: `npm view minisearch@VERSION dist.integrity` tells it.
VERSION = "7.2.0"
SHA512 = "dqT2XBYUOZOiC5t2HRnwADjhNS2cecp9u+TJRiJ1Qp/f5qjkeT5APcGPjHw+bz89Ms8Jp+cG4AlE+QZ/QnDglg=="

WORDS = source.ROOT / "web" / "search.yml"
TEMPLATES = source.ROOT / "web" / "templates"

# Each needs those before it; the page of results loads them, and no other page.
SCRIPTS = (
    "search/minisearch.js",
    "search/stemmer.js",
    "search-rank.js",
    "search/index.js",
    "search-page.js",
)

STATEMENTS = {name.removeprefix("prf:") for name in source.STATEMENTS}
# What is written by Sphinx for its own search.
UNUSED = ("searchtools.js", "language_data.js", "../searchindex.js")
# Left out: marks for links, the numbers of statements behind their names, what cells print (but
# not the captions of their figures), what is folded (a snippet would give a solution away) and the
# words that unfold it, lists of pages and of claims, the chapters' map.
SKIPPED = {
    *("headerlink", "viewcode-link", "statement-number", "cell_output", "solution", "dropdown"),
    "visually-hidden",
    *("sd-dropdown", "toctree-wrapper", "ledger", "map", "term-definition"),
}
# Most of a page, cut out before it is parsed: what KaTeX draws for the eyes alone, and
# code, whose names the functions of the package and the prose have, too.
DROPPED = (("span", 'class="katex-html"'), ("div", 'class="cell_input '))

_HEADING = re.compile(r"h[1-6]")
_BLOCK = re.compile(r"p|div|section|li|dt|dd|d[tl]|[uo]l|pre|t[drh]|table|figure|figcaption|h[1-6]")
_ACCENTS = {"^": "\u0302", "ˉ": "\u0304", "‾": "\u0304", "~": "\u0303", "˙": "\u0307"}
_INVISIBLE = str.maketrans("", "", "\u200b\u2061\u2062\u2063\u2064")


class Entry:
    """Something that can be found: a section, a statement, a wrong belief, a term, a function."""

    def __init__(self, kind: str, anchor: str, title: str, inside: int | None) -> None:
        self.kind, self.anchor, self.inside = kind, anchor, inside
        self.title = _squeeze(title)
        self.number = ""
        self.name = ""  # what it is called in the source, where readers see that
        self.text: list[str] = []

    def as_json(self, page: str) -> dict[str, Any]:
        """The entry as the scripts take it."""
        found = {"kind": self.kind, "title": self.title, "url": f"{page}#{self.anchor}"}
        more = {
            "number": self.number,
            "name": self.name,
            "in": self.inside,
            "text": _squeeze("".join(self.text)),
        }
        return found | {key: value for key, value in more.items() if value not in ("", None)}


class Page:
    """The entries of one written page; `first` is the place of its first one in the index."""

    def __init__(self, html: str, first: int) -> None:
        self.first = first
        self.entries: list[Entry] = []
        _, opening, content = html.partition("<article")
        for name, start in DROPPED:
            content = _without(content, name, start)
        self._read(BeautifulSoup(opening + content, "html.parser"), None)

    def _read(self, parent: Tag, at: int | None) -> None:
        """Add what is in `parent` to the entry at a place, or to new ones."""
        inside = at  # what follows a term is its definition
        for child in list(parent.children):
            if not isinstance(child, Tag):
                self._tell(inside, _text(child))
            elif child.name == "math":
                self._tell(inside, formula(child))
            elif _skipped(child):
                for caption in child.find_all("figcaption"):
                    self._read(caption, inside)
            elif (entry := self._entry(child, at)) is None:
                edge = " " if _BLOCK.fullmatch(child.name) else ""
                self._tell(inside, edge)
                self._read(child, inside)
                self._tell(inside, edge)
            else:
                if entry.kind == "term" and _follows_term(child):
                    entry.text = self.entries[-1].text  # one definition, of both
                self.entries.append(entry)
                inside = len(self.entries) - 1
                if child.name != "dt":
                    self._read(child, inside)
                    inside = at

    def _tell(self, at: int | None, words: str) -> None:
        if at is not None:
            self.entries[at].text.append(words)

    def _entry(self, tag: Tag, at: int | None) -> Entry | None:
        """The entry that begins with this element, if one does; its title is taken out."""
        classes = set(tag.get_attribute_list("class"))
        anchor = str(tag.get("id", ""))
        inside = None if at is None else self.first + at
        if tag.name == "section" and (heading := tag.find(_HEADING, recursive=False)):
            label = tag.find("span", id=True, recursive=False)
            number = _taken(heading, ".section-number").strip(" .")
            entry = Entry("section", str((label or tag)["id"]), _taken(heading), inside)
            entry.number = number
        elif anchor and classes & {"proof", "exercise"} and (title := _numbered_title(tag)):
            number = _taken(title, ".caption-number").strip()
            words = re.sub(r"^\((.*)\)$", r"\1", _taken(title).strip()) or number
            kinds = classes & {*STATEMENTS, "definition", "exercise"}
            kind = "claim" if kinds & STATEMENTS else next(iter(kinds), "statement")
            entry = Entry(kind, anchor, words, inside)
            entry.number, entry.name = number, anchor if kind == "claim" else ""
        elif anchor and "quiz" in classes and (question := tag.select_one(".quiz-question")):
            _taken(question, ".quiz-label")
            entry = Entry("quiz", anchor, _taken(question), inside)
            tag.clear()  # an option is right or wrong: a snippet would not say which
        elif anchor and tag.name == "dt" and "sig" in classes:
            entry = Entry("function", anchor, anchor, inside)
            entry.name, entry.text = anchor, [told(tag)]
        elif anchor and tag.name == "dt":
            entry = Entry("term", anchor, told(tag), inside)
        else:
            return None
        for start, kind in (("belief-", "belief"), ("sec-assignments-", "assignment")):
            if entry.anchor.startswith(start):
                entry.kind = kind
        return entry


def _follows_term(term: Tag) -> bool:
    before = term.find_previous_sibling()
    return isinstance(before, Tag) and before.name == "dt"


def _numbered_title(tag: Tag) -> Tag | None:
    """The title of a statement; a proof's has no number."""
    title = tag.find("p", class_="admonition-title", recursive=False)
    return title if isinstance(title, Tag) and title.select_one(".caption-number") else None


def _without(html: str, name: str, start: str) -> str:
    """The page without the elements that have a name and begin so."""
    tags = re.compile(rf"<(/?){name}\b[^>]*>")
    kept, at = [], 0
    while (cut := html.find(f"<{name} {start}", at)) >= 0:
        kept.append(html[at:cut])
        depth = 0
        for tag in tags.finditer(html, cut):
            depth += -1 if tag[1] else 1
            at = tag.end()
            if depth == 0:
                break
    return "".join([*kept, html[at:]])


def _taken(tag: Tag, selector: str = "") -> str:
    """The words of an element, or of the first one in it so selected, which is taken out."""
    chosen = tag.select_one(selector) if selector else tag
    if chosen is None:
        return ""
    words = told(chosen)
    chosen.extract()
    return words


def told(tag: Tag) -> str:
    """The words of an element, with its formulas in a line."""
    words = []
    for child in tag.children:
        if not isinstance(child, Tag):
            words.append(_text(child))
        elif not _skipped(child):
            words.append(formula(child) if child.name == "math" else told(child))
    return "".join(words)


def _skipped(tag: Tag) -> bool:
    return tag.name == "summary" or not SKIPPED.isdisjoint(tag.get_attribute_list("class"))


def _text(node: PageElement) -> str:
    is_text = isinstance(node, NavigableString) and not isinstance(node, PreformattedString)
    return str(node) if is_text else ""


def _squeeze(words: str) -> str:
    return re.sub(r"\s+([,.;:!?)])", r"\1", " ".join(words.split()))


def formula(tag: Tag) -> str:
    """A formula in MathML as a line of text: fractions with a slash, powers with ^."""
    parts = [formula(child) for child in tag.find_all(True, recursive=False)]
    match tag.name:
        case "annotation":
            return ""
        case "mi" | "mn" | "mtext" | "ms":
            words = tag.get_text().translate(_INVISIBLE).replace("\u00a0", " ")
            return f" {words} " if len(words) > 1 and tag.name == "mi" else words
        case "mo":
            words = tag.get_text().strip().translate(_INVISIBLE)
            bare = tag.get("fence") or tag.get("stretchy") or tag.get("separator")
            return words if bare or not words or words in "()[]|!∣,/′" else f" {words} "
        case "mspace":
            return " "
        case "mfrac" if str(tag.get("linethickness", "")).startswith("0"):
            return f"{parts[0]} choose {parts[1]}"
        case "mfrac":
            return "/".join(_grouped(part) for part in parts)
        case "msqrt":
            return f"√{_grouped(''.join(parts))}"
        case "mover" if tag.get("accent"):
            return parts[0].strip() + _ACCENTS.get(parts[1].strip(), "")
        case "msup" | "mover":
            return f"{parts[0].rstrip()}^{_grouped(parts[1])}"
        case "msub" | "munder":
            after = " " if tag.name == "munder" else ""
            return f"{parts[0].rstrip()}_{_grouped(parts[1])}{after}"
        case "msubsup" | "munderover":
            after = " " if tag.name == "munderover" else ""
            return f"{parts[0].rstrip()}_{_grouped(parts[1])}^{_grouped(parts[2])}{after}"
        case "mtd" | "mtr":
            return "".join(parts) + " "
        case "math":
            line = "".join(parts).strip()
            return re.sub(r"(^|[=≤≥<>→(,/] ?) ?− ", r"\1−", line)  # a sign, not a difference
        case _:
            return "".join(parts)


def _grouped(words: str) -> str:
    words = " ".join(words.split())
    return words if re.fullmatch(r"[\w.∗*′∂\u0302-\u0307]*|\([^()]*\)", words) else f"({words})"


def index(app: Sphinx) -> Iterator[dict[str, Any]]:
    """The entries of all pages, in the order of the table of contents."""
    count = 0
    for name in app.env.collect_relations():
        written = Path(app.builder.get_outfilename(name))  # type: ignore[attr-defined]
        page = Page(written.read_text(encoding="utf-8"), count)
        count += len(page.entries)
        yield from (entry.as_json(app.builder.get_target_uri(name)) for entry in page.entries)


def put_libraries(static: Path, cache: Path) -> None:
    """Put what the ranking needs into a folder of the site."""
    minisearch = npm.fetch("minisearch", VERSION, SHA512, ("dist/umd/index.js", "LICENSE"), cache)
    folder = static / "search"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(minisearch / "dist" / "umd" / "index.js", folder / "minisearch.js")
    shutil.copyfile(minisearch / "LICENSE.txt", folder / "LICENSE.txt")
    (folder / "stemmer.js").write_text(js_porter_stemmer, encoding="utf-8")


def put_index(static: Path, entries: list[dict[str, Any]]) -> None:
    """Write the index as a script: a page opened from disk may load that, and no data."""
    words = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    content = json.dumps({"words": words, "entries": entries}, ensure_ascii=False)
    target = static / "search" / "index.js"
    target.write_text(f"var bookIndex = {content};\n", encoding="utf-8")


def _begin(app: Sphinx) -> None:
    """Let Sphinx leave its own search out."""
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.search = False
        put_libraries(Path(app.outdir, "_static"), Path(app.srcdir, npm.CACHE))


def _page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield "search", {"search_scripts": SCRIPTS}, "search.html"


def _end(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and isinstance(app.builder, StandaloneHTMLBuilder):
        static = Path(app.outdir, "_static")
        put_index(static, list(index(app)))
        for name in UNUSED:
            (static / name).unlink(missing_ok=True)


def _templates(app: Sphinx, config: Config) -> None:
    config.templates_path.append(str(TEMPLATES))


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", _templates)
    app.connect("builder-inited", _begin)
    app.connect("html-collect-pages", _page)
    app.connect("build-finished", _end)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
