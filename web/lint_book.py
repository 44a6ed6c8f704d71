"""What the rules of web.lint look at: pages with their labels, references and calls; findings."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import yaml

from web import beliefs, labels
from web.source import ROOT, STATEMENTS, Chapter, Directive, Role, SourceError

CODE = ("code-cell", "code-block", "code")

_FENCE = re.compile(r"^[ \t]*(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>[^`]*)$")
_CODE_SPAN = re.compile(
    r"""
      (?P<fence>^[ \t]*`{3,}.*$)
    | (?P<role>\{[a-z][\w:.-]*\})?(?P<ticks>`+)(?!`)(?:[^\n]|\n(?![ \t]*\n))+?(?<!`)(?P=ticks)(?!`)
    """,
    re.MULTILINE | re.VERBOSE,
)
_TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=[ \t]*$", re.MULTILINE)
_DISPLAY = re.compile(r"\$\$.+?\$\$(?:[ \t]*\((?P<label>[^()\s]+)\))?", re.DOTALL)
_LINK = re.compile(r"\]\((?:[^()\s#]*?(?P<page>[\w-]+)\.md)?#(?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^(?P<hashes>#{1,6})[ \t]")
_TEXT_AND_TARGET = re.compile(r".*<(?P<target>[^<>]+)>", re.DOTALL)
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)

REFERENCES = ("ref", "numref", "eq", "prf:ref")


@dataclass(frozen=True)
class Finding:
    """A mistake: where, what is wrong and what to do, and the rule that found it."""

    path: Path
    line: int
    message: str
    rule: str = ""

    def __str__(self) -> str:
        place = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{place}:{self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True)
class Reference:
    """A reference by a role or a link; ``page`` is the page that a link names."""

    target: str
    line: int
    how: str
    page: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with its labels."""

    labels: tuple[str, ...]
    level: int
    line: int


@dataclass(frozen=True)
class Call:
    """A call in a code cell; ``argument`` is its first one if that is a string written out."""

    argument: str | None
    line: int


class Page:
    """A chapter, taken apart for the rules."""

    def __init__(self, chapter: Chapter) -> None:
        self.path = chapter.path
        self.name = chapter.name
        self.directives = [one for one in chapter.directives if not set(one.inside) & set(CODE)]
        self.prose = _CODE_SPAN.sub(_blanks, "\n".join(_without_code(chapter)))
        self._chapter = chapter

    def finding(self, line: int, wrong: str, remedy: str) -> Finding:
        return Finding(self.path, line, f"{wrong}: {remedy}")

    def named(self, *names: str) -> list[Directive]:
        return [one for one in self.directives if one.name in names]

    @property
    def cells(self) -> list[Directive]:
        return self.named("code-cell")

    @property
    def statements(self) -> list[Directive]:
        return self.named(*STATEMENTS)

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int]]:
        """The matches in the prose, each with its line."""
        for match in pattern.finditer(self.prose):
            yield match, self.prose.count("\n", 0, match.start()) + 1

    @cached_property
    def roles(self) -> list[Role]:
        """The roles, those in the captions of code cells included."""
        return replace(self._chapter, text=self.prose, directives=()).roles

    @cached_property
    def references(self) -> list[Reference]:
        found = []
        for role in self.roles:
            if role.name in REFERENCES:
                match = _TEXT_AND_TARGET.fullmatch(role.content)
                target = match["target"] if match else role.content
                found.append(Reference(target, role.line, f"{{{role.name}}}"))
        for match, line in self.find(_LINK):
            found.append(Reference(match["target"], line, "the link", match["page"] or ""))
        return found

    @cached_property
    def labels(self) -> list[tuple[str, int]]:
        """Everything that can be referred to, with its line."""
        found = [(_label(one), one.line) for one in self.directives]
        found += [(match["label"], line) for match, line in self.find(_TARGET)]
        found += [(match["label"], line) for match, line in self.find(_DISPLAY)]
        return [(label, line) for label, line in found if label]

    @cached_property
    def sections(self) -> list[Section]:
        """The headings, in order."""
        found, names = [], []
        for line, text in enumerate(self.prose.split("\n"), 1):
            if target := _TARGET.match(text):
                names.append(target["label"])
            elif heading := _HEADING.match(text):
                found.append(Section(tuple(names), len(heading["hashes"]), line))
            if text.strip() and not target:
                names = []
        return found

    def calls(self, name: str) -> list[Call]:
        """The calls of a function of nllbook in the code cells."""
        return [call for called, call in self._calls if called == name]

    @cached_property
    def _calls(self) -> list[tuple[str, Call]]:
        return [
            (_called(node.func), Call(_first_string(node), cell.body_line + node.lineno - 1))
            for cell in self.cells
            for node in ast.walk(_tree(cell))
            if isinstance(node, ast.Call)
        ]


class Book:
    """The pages, the wrong beliefs and the other files that the rules look at."""

    def __init__(
        self, chapters: Sequence[Chapter], beliefs_file: Path, files: Sequence[Path] = ()
    ) -> None:
        self.pages = [Page(chapter) for chapter in chapters]
        self.beliefs_file = beliefs_file
        self.files = files
        self.headings = set(labels.load(list(chapters), beliefs_file).headings)

    @cached_property
    def texts(self) -> list[Page]:
        """The pages, and the file of wrong beliefs, whose texts have roles too."""
        if not self.beliefs_file.exists():
            return self.pages
        text = self.beliefs_file.read_text(encoding="utf-8")
        return [*self.pages, Page(Chapter(self.beliefs_file, text))]

    @cached_property
    def labels(self) -> dict[str, list[tuple[Page, int]]]:
        places = defaultdict(list)
        for page in self.pages:
            for label, line in page.labels:
                places[label].append((page, line))
        return dict(places)

    @cached_property
    def claims(self) -> dict[str, list[tuple[Page, int]]]:
        places = defaultdict(list)
        for page in self.pages:
            for statement in page.statements:
                if _label(statement):
                    places[_label(statement)].append((page, statement.line))
        return dict(places)

    @cached_property
    def beliefs(self) -> dict[str, beliefs.Belief] | SourceError:
        """The wrong beliefs by id, or what is wrong with their file."""
        if not self.beliefs_file.exists():
            return {}
        try:
            return beliefs.load(self.beliefs_file, self.claims)
        except SourceError as error:
            return error


def tags(cell: Directive) -> set[str]:
    """The tags of a code cell."""
    value = cell.options.get("tags") or []
    return set(yaml.safe_load(value) if isinstance(value, str) else value)


def syntax_error(cell: Directive) -> SyntaxError | None:
    """Why the cell is no Python, if so."""
    try:
        _parse(cell)
    except SyntaxError as error:
        return error
    return None


def _parse(cell: Directive) -> ast.Module:
    try:
        return ast.parse(cell.body)
    except SyntaxError:
        return ast.parse(_MAGIC.sub("", cell.body))


def _tree(cell: Directive) -> ast.Module:
    return ast.Module([], []) if syntax_error(cell) else _parse(cell)


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id == "nllbook" else ""
    return function.id if isinstance(function, ast.Name) else ""


def _first_string(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None


def _label(directive: Directive) -> str:
    if directive.name == "code-cell":
        return labels.figure_options(directive.options).get("name") or ""
    return directive.options.get("label") or directive.options.get("name") or ""


def _without_code(chapter: Chapter) -> list[str]:
    """The lines, those of front matter, code and comments emptied."""
    lines = chapter.text.split("\n")
    if chapter.front_matter:
        end = lines.index("---", 1)
        lines[: end + 1] = [""] * (end + 1)
    for one in chapter.directives:
        if one.name in CODE:
            lines[one.body_line - 1 : one.end_line - 1] = [""] * (one.end_line - one.body_line)
    known = {line for one in chapter.directives for line in (one.line, one.end_line)}
    fence, is_code = "", False
    for index, line in enumerate(lines):
        opening = None if fence or index + 1 in known else _FENCE.match(line)
        if opening:
            fence, is_code = opening["fence"], "{" not in opening["info"]
        if (fence and is_code) or line.startswith("%"):
            lines[index] = ""
        if fence and not opening and _closes(line.strip(), fence):
            fence = ""
    return lines


def _closes(line: str, fence: str) -> bool:
    return line.startswith(fence) and line == line[0] * len(line)


def _blanks(match: re.Match[str]) -> str:
    if match["fence"] or match["role"]:
        return match[0]
    return re.sub(r"[^\n]", " ", match[0])
