"""What the book's text can refer to: labels with their numbers, references, quizzes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pybtex.database  # type: ignore[import-untyped]
import yaml
from pybtex.style.formatting.plain import Style  # type: ignore[import-untyped]

from web import beliefs
from web.source import CHAPTERS, Chapter, Directive, blank_lines, pages

KINDS = {
    "prf:theorem": "Theorem",
    "prf:proposition": "Proposition",
    "prf:lemma": "Lemma",
    "prf:corollary": "Corollary",
    "prf:definition": "Definition",
    "prf:example": "Example",
    "prf:remark": "Remark",
    "exercise": "Exercise",
    "exercise-start": "Exercise",
    "solution": "Solution",
    "solution-start": "Solution",
    "figure": "Figure",
    "code-cell": "Figure",
    "table": "Table",
    "list-table": "Table",
    "math": "Equation",
}
# They share one counter, as _config.yml has it.
_THEOREMS = ("Theorem", "Proposition", "Lemma", "Corollary")
_FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>[^`]*?)[ \t]*$")
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>.+?)[ \t]*$", re.MULTILINE)
_TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=[ \t]*$", re.MULTILINE)
_DISPLAY = re.compile(r"\$\$.+?\$\$(?:[ \t]*\((?P<label>[^()\s]+)\))?", re.DOTALL)
_LINK = re.compile(r"\]\((?:[^()\s#]*?(?P<page>[\w-]+)\.md)?#(?P<fragment>[^()\s]+)")


@dataclass(frozen=True)
class Label:
    """A place that can be referred to; ``number`` counts its kind within the chapter."""

    page: Chapter
    name: str
    line: int
    kind: str = ""
    title: str = ""
    number: int | None = None

    @property
    def text(self) -> str:
        """What a reference without a text of its own shows (MyST)."""
        if self.kind == "Equation":
            return f"({self.number})"
        if self.number is not None:
            return f"{self.kind} {self.number}"
        return self.title or self.kind


@dataclass(frozen=True)
class Book:
    """The pages with all that they can refer to."""

    pages: list[Chapter]
    beliefs_file: Path
    references_file: Path
    labels: dict[str, Label] = field(default_factory=dict)
    places: dict[tuple[str, int], Label] = field(default_factory=dict)  # by page and line
    headings: dict[tuple[str, str], Label] = field(default_factory=dict)  # by page and slug

    def page(self, name: str) -> Chapter | None:
        """The page that a link or a ``doc`` role means."""
        stem = Path(name).name.removesuffix(".md")
        return next((page for page in self.pages if page.name == stem), None)

    @cached_property
    def beliefs(self) -> dict[str, beliefs.Belief]:
        """The wrong beliefs by id."""
        return beliefs.load(self.beliefs_file)

    @cached_property
    def references(self) -> dict[str, pybtex.database.Entry]:
        """The entries of the bibliography by key."""
        return dict(pybtex.database.parse_file(str(self.references_file)).entries)

    @cached_property
    def linked(self) -> frozenset[tuple[str, str]]:
        """Each page and fragment that some link of the book leads to."""
        return frozenset(
            (match["page"] or page.name, match["fragment"])
            for page in self.pages
            for match in _LINK.finditer(page.text)
        )


def load(
    the_pages: list[Chapter] | None = None,
    beliefs_file: Path = beliefs.FILE,
    references_file: Path = CHAPTERS / "references.bib",
) -> Book:
    """The book (or the given pages as a book of their own), with its labels numbered."""
    book = Book(pages() if the_pages is None else the_pages, beliefs_file, references_file)
    for page in book.pages:
        for label in _numbered(page):
            book.places[page.name, label.line] = label
            if label.name:
                book.labels[label.name] = label
        _add_headings(book, page)
        _add_targets(book, page)
    return book


def figure_options(options: dict[str, Any]) -> dict[str, Any]:
    """Name, caption and alt text of the figure that a code cell draws."""
    mystnb = options.get("mystnb") or {}
    if isinstance(mystnb, str):
        mystnb = yaml.safe_load(mystnb)
    return {"alt": (mystnb.get("image") or {}).get("alt"), **(mystnb.get("figure") or {})}


def cite(entry: pybtex.database.Entry) -> tuple[str, str]:
    """Author and year of a reference, as the text names them."""
    persons = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [" ".join(str(part) for part in person.rich_last_names) for person in persons]
    if not names:
        names = [str(entry.rich_fields.get("title", entry.key))]
    if len(names) > 2:
        names = [f"{names[0]} et al."]
    return " and ".join(names), str(entry.fields.get("year", "n.d."))


def address(entry: pybtex.database.Entry) -> str:
    """Where a reference can be read, if it says so."""
    doi = entry.fields.get("doi")
    return f"https://doi.org/{doi}" if doi else str(entry.fields.get("url", ""))


def bibliography(entries: list[pybtex.database.Entry]) -> str:
    """A list of references as Markdown, sorted by author, year and title."""
    formatted = Style().format_entries(sorted(entries, key=lambda entry: entry.key))
    texts = [str(entry.text.render_as("html")) for entry in formatted]
    texts = [re.sub(r"</?span[^>]*>", "", text.replace("&nbsp;", "\u00a0")) for text in texts]
    return "\n".join("- " + re.sub(r"[ \n]+", " ", text) for text in texts)


def _plain(page: Chapter) -> str:
    """The page's prose and directives: code emptied, so that lines keep their numbers."""
    lines = blank_lines(page.text, page.cells).split("\n")
    fences: list[str] = []  # around the line, of directives; the last one of code where in_code
    in_code = False
    for index, line in enumerate(lines):
        match = _FENCE.match(line)
        fence, info = (match["fence"], match["info"]) if match else ("", "")
        if fence and not info and fences and fence.startswith(fences[-1]):
            fences.pop()
            in_code = False
        elif in_code:
            lines[index] = ""
        elif info.startswith("{"):
            fences.append(fence)
        elif fence and fence[0] != ":":
            fences.append(fence)
            in_code = True
    return "\n".join(lines)


def _numbered(page: Chapter) -> Iterator[Label]:
    """Directives and equations with a label, a number or a kind, numbered in their order."""
    found = [*_directives(page), *_equations(page)]
    counts: dict[str, int] = {}
    for label, numbered in sorted(found, key=lambda pair: pair[0].line):
        number = None
        if numbered:
            counter = "Theorem" if label.kind in _THEOREMS else label.kind
            number = counts[counter] = counts.get(counter, 0) + 1
        yield Label(page, label.name, label.line, label.kind, label.title, number)


def _directives(page: Chapter) -> Iterator[tuple[Label, bool]]:
    for directive in page.directives:
        kind = KINDS.get(directive.name, "")
        name = directive.options.get("label") or directive.options.get("name") or ""
        if directive.name == "code-cell":
            name = figure_options(directive.options).get("name") or ""
        if kind or name:
            title = "" if directive.name == "figure" else directive.argument
            numbered = _is_numbered(directive, kind, name)
            yield Label(page, name, directive.line, kind, title), numbered


def _is_numbered(directive: Directive, kind: str, name: str) -> bool:
    if directive.name == "code-cell":
        return bool(figure_options(directive.options).get("caption"))
    if kind in ("Figure", "Table"):
        return bool(directive.body.strip() if kind == "Figure" else directive.argument)
    if kind == "Equation":
        return bool(name)
    return kind not in ("", "Solution")


def _equations(page: Chapter) -> Iterator[tuple[Label, bool]]:
    text = _plain(page)
    for match in _DISPLAY.finditer(text):
        if match["label"]:
            yield Label(page, match["label"], _line(text, match), "Equation"), True


def _add_headings(book: Book, page: Chapter) -> None:
    text = _plain(page)
    for match in _HEADING.finditer(text):
        title = match["title"]
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        label = Label(page, slug, _line(text, match), "", title)
        book.headings.setdefault((page.name, slug), label)
        book.places[page.name, label.line] = label


def _add_targets(book: Book, page: Chapter) -> None:
    """The labels of ``(label)=`` lines: each names the heading or directive below it."""
    text = _plain(page)
    lines = text.split("\n")
    for match in _TARGET.finditer(text):
        line = below = _line(text, match)
        while below < len(lines) and (not lines[below].strip() or _TARGET.match(lines[below])):
            below += 1
        place = book.places.get((page.name, below + 1))
        kind, title, number = (place.kind, place.title, place.number) if place else ("", "", None)
        book.labels[match["label"]] = Label(page, match["label"], line, kind, title, number)


def title(page: Chapter) -> str:
    """The page's first heading."""
    match = _HEADING.search(_plain(page))
    return match["title"] if match else page.name


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1
