"""What the book's text can refer to: labels with their numbers, references, quizzes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pybtex.database  # type: ignore[import-untyped]
from pybtex.style.formatting.plain import Style  # type: ignore[import-untyped]

from web import beliefs
from web.source import CHAPTERS, STATEMENTS, Chapter, Directive, figure_options, pages

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
    "figure": "Fig.",
    "code-cell": "Fig.",
    "table": "Table",
    "list-table": "Table",
    "math": "Equation",
}
# They share one counter, as _config.yml has it.
_THEOREMS = tuple(KINDS[name] for name in STATEMENTS)


@dataclass(frozen=True)
class Label:
    """A place that can be referred to; ``number`` is that of the site, "1.2"."""

    page: Chapter
    name: str
    line: int
    kind: str = ""
    title: str = ""
    number: str = ""

    @property
    def text(self) -> str:
        """What a reference without a text of its own shows (MyST)."""
        if self.kind == "Equation":
            return f"({self.number})"
        if self.number:
            return f"{self.kind} {self.number}"
        return self.title or self.kind


@dataclass(frozen=True)
class Book:
    """The pages with all that they can refer to; ``files`` are others that the lint looks at."""

    pages: list[Chapter] = field(default_factory=pages)
    beliefs_file: Path = beliefs.FILE
    references_file: Path = CHAPTERS / "references.bib"
    files: Sequence[Path] = ()

    @cached_property
    def terms(self) -> frozenset[str]:
        """The terms of the glossary: what stands in its first column."""
        glossaries = (one.body for page in self.pages for one in page.named("glossary"))
        lines = [line for body in glossaries for line in body.split("\n")]
        return frozenset(line.strip() for line in lines if line[:1].strip())

    def page(self, name: str) -> Chapter | None:
        """The page that a link or a ``doc`` role means."""
        stem = Path(name).name.removesuffix(".md")
        return next((page for page in self.pages if page.name == stem), None)

    @cached_property
    def texts(self) -> list[Chapter]:
        """The pages, and the file of wrong beliefs, whose texts have roles too."""
        if not self.beliefs_file.exists():
            return self.pages
        text = self.beliefs_file.read_text(encoding="utf-8")
        return [*self.pages, Chapter(self.beliefs_file, text)]

    @cached_property
    def claims(self) -> dict[str, list[tuple[Chapter, int]]]:
        """Where each claim is stated."""
        places: dict[str, list[tuple[Chapter, int]]] = {}
        for page in self.pages:
            for one in page.statements:
                if one.label:
                    places.setdefault(one.label, []).append((page, one.line))
        return places

    @cached_property
    def beliefs(self) -> dict[str, beliefs.Belief]:
        """The wrong beliefs by id; what claims they name is left unchecked."""
        return beliefs.load(self.beliefs_file) if self.beliefs_file.exists() else {}

    @cached_property
    def references(self) -> dict[str, pybtex.database.Entry]:
        """The entries of the bibliography by key."""
        return dict(pybtex.database.parse_file(str(self.references_file)).entries)

    @cached_property
    def linked(self) -> frozenset[tuple[str, str]]:
        """Each page and fragment that some link of the book leads to."""
        return frozenset(
            (one.page or page.name, one.target) for page in self.pages for one in page.references
        )

    @cached_property
    def places(self) -> dict[tuple[str, int], Label]:
        """The directives, equations and headings by page and line, numbered as Sphinx does."""
        found: dict[tuple[str, int], Label] = {}
        counts: Counter[tuple[int | None, str]] = Counter()  # pages without a number share theirs
        for page in self.pages:
            labels = [_of_directive(page, one) for one in page.directives]
            labels += [(Label(page, name, line, "Equation"), True) for name, line in page.equations]
            for label, is_numbered in sorted(labels, key=lambda pair: pair[0].line):
                if is_numbered:
                    counter = (page.number, "Theorem" if label.kind in _THEOREMS else label.kind)
                    counts[counter] += 1
                    number = f"{page.number}.{counts[counter]}" if page.number else counts[counter]
                    label = replace(label, number=str(number))
                if label.kind or label.name:
                    found[page.name, label.line] = label
            for one in page.sections:
                found[page.name, one.line] = Label(page, one.slug, one.line, "", one.title)
        return found

    @cached_property
    def headings(self) -> dict[tuple[str, str], Label]:
        """The headings by page and slug."""
        lines = ((page.name, one.line) for page in self.pages for one in reversed(page.sections))
        return {(place[0], self.places[place].name): self.places[place] for place in lines}

    @cached_property
    def labels(self) -> dict[str, Label]:
        """What has a label, by it; a ``(label)=`` line names what stands below it."""
        found: dict[str, Label] = {}
        for page in self.pages:
            below = {line: place for _, line, place in page.targets}
            for name, line in page.labels:
                place = self.places.get((page.name, below.get(line, line)))
                found[name] = replace(place or Label(page, name, line), name=name, line=line)
            for one in page.named("quiz"):
                name = f"quiz-{one.argument}"
                found[name] = Label(page, name, one.line)
        return found


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
    for kind, site in (("doi", "https://doi.org/"), ("eprint", "https://arxiv.org/abs/")):
        if kind in entry.fields:
            return f"{site}{entry.fields[kind]}"
    return str(entry.fields.get("url", ""))


def bibliography(entries: list[pybtex.database.Entry]) -> str:
    """A list of references as Markdown, sorted by author, year and title."""
    formatted = Style().format_entries(sorted(entries, key=lambda entry: entry.key))
    texts = [str(entry.text.render_as("html")) for entry in formatted]
    texts = [re.sub(r"</?span[^>]*>", "", text.replace("&nbsp;", "\u00a0")) for text in texts]
    return "\n".join("- " + re.sub(r"[ \n]+", " ", text) for text in texts)


def _of_directive(page: Chapter, one: Directive) -> tuple[Label, bool]:
    """What a directive is referred to as, and whether it has a number."""
    kind = KINDS.get(one.name, "")
    title = "" if kind == "Fig." else one.argument
    return Label(page, one.label, one.line, kind, title), _is_numbered(one, kind)


def _is_numbered(directive: Directive, kind: str) -> bool:
    if directive.name == "code-cell":
        return bool(figure_options(directive.options).get("caption"))
    if kind in ("Fig.", "Table"):
        return bool(directive.body.strip() if kind == "Fig." else directive.argument)
    if kind == "Equation":
        return bool(directive.label)
    return kind not in ("", "Solution")
