"""Reads a chapter's source: front matter, directives, roles, labels, sections, with their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"

STATEMENTS = ("prf:theorem", "prf:proposition", "prf:lemma", "prf:corollary")
CODE = ("code-cell", "code-block", "code")  # directives in which nothing is MyST
FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}  # tags of a cell
REFERENCES = ("ref", "numref", "eq", "prf:ref")

_OPEN = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[^}\s]+)\}[ \t]*(?P<argument>.*?)[ \t]*$")
_VERBATIM = re.compile(r"^(?P<fence>`{3,}|~{3,})[^`{]*$")  # a fence that is no directive
_OPTION = re.compile(r"^:(?P<key>[\w-]+):[ \t]*(?P<value>.*)$")
_ROLE = re.compile(r"\{(?P<name>[a-z][\w:.-]*)\}(?P<ticks>`+)(?P<content>.+?)(?P=ticks)", re.DOTALL)
# What is no prose, and what only looks like it and is kept: a directive's first line, an indented
# directive (which the lint refuses), a role.
_NO_PROSE = re.compile(
    r"""
      (?P<kept> ^`{3,}\{.*$
              | ^[ \t]+(?P<shut>`{3,})\{(?s:.*?)^[ \t]*(?P=shut)[ \t]*$
              | \{[a-z][\w:.-]*\}(?P<marks>`+)(?:[^\n]|\n(?![ \t]*\n))+?(?P=marks) )
    | ^[ \t]*(?P<fence>`{3,}|~{3,})[^`\n]*\n(?s:.*?)^[ \t]*(?P=fence)[`~]*[ \t]*$
    | ^%.*$
    | (?P<ticks>`+)(?!`)(?:[^\n]|\n(?![ \t]*\n))+?(?<!`)(?P=ticks)(?!`)
    """,
    re.MULTILINE | re.VERBOSE,
)
_TARGET = re.compile(r"^\((?P<label>[^()\s]+)\)=[ \t]*$", re.MULTILINE)
_DISPLAY = re.compile(r"\$\$.+?\$\$(?:[ \t]*\((?P<label>[^()\s]+)\))?", re.DOTALL)
_LINK = re.compile(r"\]\((?:[^()\s#]*?(?P<page>[\w-]+)\.md)?#(?P<target>[^()\s]+)")
_HEADING = re.compile(r"^(?P<hashes>#{1,6})[ \t]+(?P<title>.+?)[ \t]*$", re.MULTILINE)
_TEXT_AND_TARGET = re.compile(r".*<(?P<target>[^<>]+)>", re.DOTALL)


@dataclass(frozen=True)
class Directive:
    """A fenced directive; ``line`` is that of its opening fence, ``body_line`` of its body."""

    name: str
    argument: str
    options: dict[str, Any]
    body: str
    line: int
    body_line: int
    end_line: int
    inside: tuple[str, ...] = ()  # the names of the directives around it

    @property
    def label(self) -> str:
        """What it can be referred to by; of a code cell, the name of its figure."""
        if self.name == "code-cell":
            return figure_options(self.options).get("name") or ""
        return self.options.get("label") or self.options.get("name") or ""


@dataclass(frozen=True)
class Role:
    """An inline role such as ``{prf:ref}`` with its content."""

    name: str
    content: str
    line: int


@dataclass(frozen=True)
class Reference:
    """A reference by a role or a link; ``page`` is the page that a link names."""

    target: str
    line: int
    how: str
    page: str = ""


@dataclass(frozen=True)
class Section:
    """A heading with its labels; ``slug`` is what a link without a label leads to."""

    title: str
    level: int
    line: int
    labels: tuple[str, ...]

    @property
    def slug(self) -> str:
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")


@dataclass(frozen=True, eq=False)
class Chapter:
    """A source file, read; ``number`` is its place in the numbered parts of the book.

    ``origins`` says where each line of the text was written, if not all of them in this file.
    """

    path: Path
    text: str = field(repr=False)
    front_matter: dict[str, Any] = field(default_factory=dict, repr=False)
    directives: tuple[Directive, ...] = field(default=(), repr=False)
    first: int = 1  # the line after the front matter
    number: int | None = None
    origins: tuple[tuple[Path, int], ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        return self.path.stem

    def origin(self, line: int) -> tuple[Path, int]:
        """The file and the line in which this line of the text is written."""
        return self.origins[line - 1] if self.origins else (self.path, line)

    def named(self, *names: str) -> list[Directive]:
        """The directives with one of the given names, in order."""
        return [directive for directive in self.directives if directive.name in names]

    @property
    def cells(self) -> list[Directive]:
        """The code cells, in order."""
        return self.named("code-cell")

    @property
    def statements(self) -> list[Directive]:
        """The theorems, propositions and the like, in order."""
        return self.named(*STATEMENTS)

    @cached_property
    def prose(self) -> str:
        """The text, with front matter, code and comments emptied, so that line numbers stay."""
        lines = self.text.split("\n")
        empty = [range(self.first - 1)]
        for one in self.directives:
            start = one.body_line if one.name in CODE else one.end_line
            empty.append(range(start - 1, one.end_line))
        for index in (index for indices in empty for index in indices):
            lines[index] = ""
        return _NO_PROSE.sub(
            lambda match: match[0] if match["kept"] else re.sub(r"[^\n]", " ", match[0]),
            "\n".join(lines),
        )

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], int]]:
        """The matches in the prose, each with its line."""
        for match in pattern.finditer(self.prose):
            yield match, self.prose.count("\n", 0, match.start()) + 1

    @cached_property
    def roles(self) -> list[Role]:
        """The inline roles, those in the captions of code cells included, in order."""
        return [Role(match["name"], match["content"], line) for match, line in self.find(_ROLE)]

    @cached_property
    def references(self) -> list[Reference]:
        """What the page refers to in the book."""
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
    def equations(self) -> list[tuple[str, int]]:
        """The labels of equations between dollars, with their lines."""
        found = ((match["label"], line) for match, line in self.find(_DISPLAY))
        return [(label, line) for label, line in found if label]

    @cached_property
    def targets(self) -> list[tuple[str, int, int]]:
        """The ``(label)=`` lines: label, line, and the line of what it names."""
        lines = self.prose.split("\n")
        found = []
        for match, line in self.find(_TARGET):
            below = line
            while below < len(lines) and (not lines[below].strip() or _TARGET.match(lines[below])):
                below += 1
            found.append((match["label"], line, below + 1))
        return found

    @cached_property
    def labels(self) -> list[tuple[str, int]]:
        """Everything that can be referred to by a label, with its line."""
        found = [(one.label, one.line) for one in self.directives if one.label]
        found += [*self.equations, *((label, line) for label, line, _ in self.targets)]
        return sorted(found, key=lambda pair: pair[1])

    @cached_property
    def sections(self) -> list[Section]:
        """The headings, in order."""
        lines = self.text.split("\n")
        in_cells = {line for one in self.cells for line in range(one.line, one.end_line)}
        found = []
        for match, line in self.find(_HEADING):
            written = _HEADING.match(lines[line - 1])  # with what is code in it
            if written and line not in in_cells:
                labels = tuple(label for label, _, below in self.targets if below == line)
                found.append(Section(written["title"], len(match["hashes"]), line, labels))
        return found

    def section(self, line: int) -> Section:
        """The section that a line stands in."""
        return [one for one in self.sections if one.line <= line][-1]

    @property
    def title(self) -> str:
        """The first heading."""
        return self.sections[0].title if self.sections else self.name


class SourceError(ValueError):
    """A mistake in a source file: one line with the file, the line and the remedy."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        super().__init__(f"{place}:{line}: {message}")
        self.path, self.line, self.message = path, line, message


def yaml_error(path: Path, first: int, what: str, error: yaml.YAMLError) -> SourceError:
    """What is wrong with a piece of YAML that begins on the given line, on one line."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).split("\n")[0]
    message = f"{what} not YAML ({problem}): mend it, perhaps by quotes around the text"
    return SourceError(path, first + (mark.line if mark else 0), message)


def read(path: Path, number: int | None = None) -> Chapter:
    """Read one MyST file; where the wrong beliefs stand in it, they are written out."""
    from web import beliefs_page  # which reads with this module

    text, origins = beliefs_page.expand(path, path.read_text(encoding="utf-8"))
    front_matter: dict[str, Any] = {}
    start = 0
    lines = text.split("\n")
    if lines[0] == "---":
        front_matter, start = _yaml_block(path, lines, 1, "the front matter is")
    found = tuple(_directives(path, lines[start:], start + 1, ()))
    return Chapter(path, text, front_matter, found, start + 1, number, origins)


def directives(path: Path, text: str, first: int) -> list[Directive]:
    """The directives in a piece of a source file, which begins on the given line of it."""
    return list(_directives(path, text.split("\n"), first, ()))


def chapters() -> list[Chapter]:
    """The files of the book that hold code cells, in the order of the table of contents."""
    return [chapter for chapter in pages() if chapter.cells]


def pages() -> list[Chapter]:
    """All files of the book, in the order of the table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [part for part in toc.get("parts", []) if part.get("numbered")]
    numbered = [entry["file"] for part in parts for entry in part["chapters"]]
    numbers = {name: place for place, name in enumerate(numbered, 1)}
    return [read(ROOT / f"{name}.md", numbers.get(name)) for name in _toc_files(toc)]


def _toc_files(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key in ("root", "file"):
            if key in node:
                yield node[key]
        for key in ("parts", "chapters", "sections"):
            yield from _toc_files(node.get(key, []))
    elif isinstance(node, list):
        for child in node:
            yield from _toc_files(child)


def figure_options(options: dict[str, Any]) -> dict[str, Any]:
    """Name, caption and alt text of the figure that a code cell draws."""
    mystnb = options.get("mystnb")
    mystnb = mapping(yaml.safe_load(mystnb) if isinstance(mystnb, str) else mystnb)
    return {"alt": mapping(mystnb.get("image")).get("alt"), **mapping(mystnb.get("figure"))}


def mapping(value: object) -> dict[str, Any]:
    """The value if it is a mapping; an empty one for what someone wrote instead."""
    return value if isinstance(value, dict) else {}


def tags(cell: Directive) -> set[str]:
    """The tags of a code cell."""
    value = cell.options.get("tags") or []
    return set(yaml.safe_load(value) if isinstance(value, str) else value)


def _directives(
    path: Path, lines: list[str], first: int, inside: tuple[str, ...]
) -> Iterator[Directive]:
    index = 0
    while index < len(lines):
        opening = _OPEN.match(lines[index])
        verbatim = None if opening else _VERBATIM.match(lines[index])
        fence = (opening or verbatim or {"fence": ""})["fence"]
        if not fence:
            index += 1
            continue
        end = _closing(lines, index, fence)
        if end is None:
            raise SourceError(path, first + index, f"the fence {fence} is never closed: close it")
        if opening:
            inner = lines[index + 1 : end]
            options, skipped = _options(path, inner, first + index + 1)
            body_line = first + index + 1 + skipped
            yield Directive(
                opening["name"],
                opening["argument"],
                options,
                "\n".join(inner[skipped:]),
                first + index,
                body_line,
                first + end,
                inside,
            )
            if opening["name"] not in CODE:
                yield from _directives(path, inner[skipped:], body_line, (*inside, opening["name"]))
        index = end + 1


def _closing(lines: list[str], start: int, fence: str) -> int | None:
    for index in range(start + 1, len(lines)):
        line = lines[index].rstrip()
        if len(line) >= len(fence) and line == fence[0] * len(line):
            return index
    return None


def _options(path: Path, lines: list[str], first: int) -> tuple[dict[str, Any], int]:
    """The options at the top of a directive, and how many lines they take."""
    if lines and lines[0] == "---":
        return _yaml_block(path, lines, first, "the options are")
    options: dict[str, Any] = {}
    for count, line in enumerate(lines):
        match = _OPTION.match(line)
        if not match:
            return options, count
        options[match["key"]] = match["value"]
    return options, len(lines)


def _yaml_block(path: Path, lines: list[str], first: int, what: str) -> tuple[dict[str, Any], int]:
    """The mapping between the two lines of dashes at the top, and how many lines it takes."""
    if "---" not in lines[1:]:
        raise SourceError(path, first, f"{what} never closed: close with ---")
    end = lines.index("---", 1)
    try:
        found = yaml.safe_load("\n".join(lines[1:end])) or {}
    except yaml.YAMLError as error:
        raise yaml_error(path, first + 1, what, error) from None
    if not isinstance(found, dict):
        raise SourceError(path, first, f"{what} no mapping: write `key: value` lines")
    return found, end + 1
