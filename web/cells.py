"""Reads the Python of a chapter's code cells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from web.source import Chapter, Directive

_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class Call:
    """A call in a code cell; ``argument`` is its first one if that is a string written out."""

    argument: str | None
    line: int


def calls(chapter: Chapter, name: str) -> Iterator[Call]:
    """The calls of a function of nllbook in the code cells."""
    for cell in chapter.cells:
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.Call) and _called(node.func) == name:
                yield Call(_first_string(node), cell.body_line + node.lineno - 1)


def names(chapter: Chapter, package: str) -> Iterator[tuple[str, int]]:
    """What the code cells use of a package, such as `nllbook.datasets.load_engel`, with the lines.

    An import is no use. No chapter may give an imported name another meaning: that is tested.
    """
    imported: dict[str, str] = {}
    for cell in chapter.cells:
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
                for one in node.names:
                    imported[one.asname or one.name] = f"{node.module}.{one.name}"
            elif isinstance(node, ast.Name | ast.Attribute):
                start, dot, rest = _dotted(node).partition(".")
                if start in imported:
                    yield imported[start] + dot + rest, cell.body_line + node.lineno - 1


def imports(chapter: Chapter, package: str) -> Iterator[tuple[str, str, int]]:
    """What the code cells import from a package: module, name, line."""
    for cell in chapter.cells:
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
                for one in node.names:
                    yield str(node.module), one.name, cell.body_line + one.lineno - 1


def syntax_error(cell: Directive) -> SyntaxError | None:
    """Why the cell is no Python, if so."""
    try:
        _parse(cell.body)
    except SyntaxError as error:
        return error
    return None


def tree(cell: Directive) -> ast.Module:
    """The cell as Python reads it; empty where it is none, which syntax_error reports."""
    return ast.Module([], []) if syntax_error(cell) else _parse(cell.body)


@cache
def _parse(body: str) -> ast.Module:
    try:
        return ast.parse(body)
    except SyntaxError:
        return ast.parse(_MAGIC.sub("", body))


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id == "nllbook" else ""
    return function.id if isinstance(function, ast.Name) else ""


def _first_string(call: ast.Call) -> str | None:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None


def _dotted(node: ast.expr) -> str:
    """`a.b.c` as text; of anything else nothing."""
    if isinstance(node, ast.Attribute):
        start = _dotted(node.value)
        return start and f"{start}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
