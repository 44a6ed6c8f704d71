"""Reads a chapter's source: its front matter, directives, roles and cells, each with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = ROOT / "chapters"

STATEMENTS = ("prf:theorem", "prf:proposition", "prf:lemma", "prf:corollary")

_OPEN = re.compile(r"^(?P<fence>`{3,}|:{3,})\{(?P<name>[^}\s]+)\}[ \t]*(?P<argument>.*?)[ \t]*$")
_VERBATIM = re.compile(r"^(?P<fence>`{3,}|~{3,})[^`{]*$")  # a fence that is no directive
_OPTION = re.compile(r"^:(?P<key>[\w-]+):[ \t]*(?P<value>.*)$")
_ROLE = re.compile(r"\{(?P<name>[a-z][\w:.-]*)\}(?P<ticks>`+)(?P<content>.+?)(?P=ticks)", re.DOTALL)


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


@dataclass(frozen=True)
class Role:
    """An inline role such as ``{prf:ref}`` with its content."""

    name: str
    content: str
    line: int


@dataclass(frozen=True)
class Chapter:
    """A source file, read."""

    path: Path
    text: str
    front_matter: dict[str, Any] = field(default_factory=dict)
    directives: tuple[Directive, ...] = ()

    @property
    def name(self) -> str:
        return self.path.stem

    def named(self, *names: str) -> list[Directive]:
        """The directives with one of the given names, in order."""
        return [directive for directive in self.directives if directive.name in names]

    @property
    def cells(self) -> list[Directive]:
        """The code cells, in order."""
        return self.named("code-cell")

    @property
    def roles(self) -> list[Role]:
        """The inline roles outside code cells, in order."""
        text = blank_lines(self.text, self.cells)
        return [
            Role(match["name"], match["content"], text.count("\n", 0, match.start()) + 1)
            for match in _ROLE.finditer(text)
        ]


class SourceError(ValueError):
    """A mistake in a source file: one line with the file, the line and the remedy."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        place = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        super().__init__(f"{place}:{line}: {message}")
        self.path, self.line, self.message = path, line, message


def read(path: Path) -> Chapter:
    """Read one MyST file."""
    text = path.read_text(encoding="utf-8")
    front_matter: dict[str, Any] = {}
    start = 0
    lines = text.split("\n")
    if lines[0] == "---":
        end = lines.index("---", 1)
        front_matter = yaml.safe_load("\n".join(lines[1:end])) or {}
        start = end + 1
    directives = tuple(_directives(path, lines[start:], start + 1, ()))
    return Chapter(path, text, front_matter, directives)


def directives(path: Path, text: str, first: int) -> list[Directive]:
    """The directives in a piece of a source file, which begins on the given line of it."""
    return list(_directives(path, text.split("\n"), first, ()))


def chapters() -> list[Chapter]:
    """The files of the book that hold code cells, in the order of the table of contents."""
    return [chapter for chapter in pages() if chapter.cells]


def pages() -> list[Chapter]:
    """All files of the book, in the order of the table of contents."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [read(ROOT / f"{name}.md") for name in _toc_files(toc)]


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


def blank_lines(text: str, directives: list[Directive]) -> str:
    """``text`` with the given directives emptied, so that line numbers stay."""
    lines = text.split("\n")
    for directive in directives:
        for index in range(directive.line - 1, directive.end_line):
            lines[index] = ""
    return "\n".join(lines)


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
            if opening["name"] != "code-cell":
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
        try:
            end = lines.index("---", 1)
            return yaml.safe_load("\n".join(lines[1:end])) or {}, end + 1
        except (ValueError, yaml.YAMLError) as error:
            raise SourceError(path, first, f"the options are not YAML: {error}") from None
    options: dict[str, Any] = {}
    for count, line in enumerate(lines):
        match = _OPTION.match(line)
        if not match:
            return options, count
        options[match["key"]] = match["value"]
    return options, len(lines)
