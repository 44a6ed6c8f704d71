"""Leaves of a style sheet what some page can need: its rules for classes that are on no page go."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_STRING = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
_COMMENT = re.compile(rf"({_STRING})|/\*(?!!).*?\*/", re.DOTALL)  # a licence begins with /*!
_MARK = re.compile(rf"{_STRING}|/\*!.*?\*/|url\([^)\"']*\)|[{{}};]", re.DOTALL)
_CLASS = re.compile(r"\.(-?[A-Za-z_](?:[\w-]|\\.)*)")
_GROUP = re.compile(r"@(media|supports|layer|container)\b")


def without_comments(css: str) -> str:
    return _COMMENT.sub(lambda found: found[1] or "", css)


def prune(css: str, classes: Collection[str], face: Callable[[str], str]) -> str:
    """Return the sheet without the rules that need a class not in `classes`.

    `face` is given the body of each ``@font-face`` and returns what it shall be, or nothing.
    """
    css = without_comments(css)
    kept, _ = _block(css, 0, classes, face)
    return kept


def _block(
    css: str, at: int, classes: Collection[str], face: Callable[[str], str]
) -> tuple[str, int]:
    """What is kept from a place on to the end of the block there, and where that ends."""
    kept, start = [], at
    while mark := _MARK.search(css, at):
        at = mark.end()
        head = css[start : mark.start()].strip()
        if mark[0].startswith("/*!") and not head:
            kept.append(mark[0] + "\n")
            start = at
        elif mark[0] == "}":
            return "".join(kept), at
        elif mark[0] == ";":
            kept.append(f"{head};\n" if head else "")
            start = at
        elif mark[0] == "{":
            if _GROUP.match(head):
                inside, at = _block(css, at, classes, face)
                kept.append(f"{head}{{{inside}}}\n" if inside else "")
            else:
                end = _end(css, at)
                body, at = " ".join(css[at : end - 1].split()), end
                if head == "@font-face":
                    body = face(body)
                elif not head.startswith("@"):
                    head = ",".join(one for one in _selectors(head) if needed(one, classes))
                kept.append(f"{head}{{{body}}}\n" if head and body else "")
            start = at
    return "".join(kept), len(css)


def _end(css: str, at: int) -> int:
    """Where the block that is open at a place ends."""
    depth = 1
    for mark in _MARK.finditer(css, at):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.end()
    return len(css)


def _selectors(head: str) -> list[str]:
    """The selectors of a list: a comma in brackets or in a string parts none."""
    parts, depth, start = [], 0, 0
    for mark in re.finditer(rf"{_STRING}|[()\[\],]", head):
        if mark[0] == "," and depth == 0:
            parts.append(head[start : mark.start()])
            start = mark.end()
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(mark[0], 0)
    return [part.strip() for part in [*parts, head[start:]]]


def needed(selector: str, classes: Collection[str]) -> bool:
    """Whether every class that an element must have for it is known; those of :not() and the like
    may be missing."""
    bare, depth = [], 0
    for piece in re.split(rf"({_STRING}|[()\[\]])", selector):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(piece, 0)
        bare.append("" if depth else piece)
    names = (name.replace("\\", "") for name in _CLASS.findall("".join(bare)))
    return all(name in classes for name in names)
