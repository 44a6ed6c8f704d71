"""The rules of web.lint for the wrong beliefs: their order, and their counterexamples."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from web.labels import Book
from web.lint_rules import Finding, readable_beliefs

MAX_WIDTH = 79  # columns of a counterexample
EVERYWHERE = {"nllbook", "numpy", *sys.stdlib_module_names}  # what one may import


def ordered(book: Book) -> Iterator[Finding]:
    places = {page.name: place for place, page in enumerate(book.pages)}
    last = -1
    for belief in (readable_beliefs(book) or {}).values():
        place = places.get(belief.chapter, last)
        if place < last:
            wrong = f"the belief {belief.id!r} stands after those of a later chapter: move it up"
            yield Finding(book.beliefs_file, belief.line, wrong)
        last = max(place, last)


def runnable(book: Book) -> Iterator[Finding]:
    for belief in (readable_beliefs(book) or {}).values():
        for line, wrong in _mistakes(belief.counterexample):
            first = belief.lines["counterexample"]
            yield Finding(book.beliefs_file, first + line - 1, wrong)


def _mistakes(code: str) -> Iterator[tuple[int, str]]:
    """Why a counterexample prints nothing or does not run everywhere, each with its line."""
    for number, line in enumerate(code.split("\n"), 1):
        if len(line) > MAX_WIDTH:
            yield number, f"the line has {len(line)} columns, more than {MAX_WIDTH}: break it"
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError as error:
        yield error.lineno or 1, f"the counterexample is no Python ({error.msg}): mend it"
        return
    for node in (one for one in nodes if isinstance(one, ast.Import | ast.ImportFrom)):
        for name in _imported(node):
            if name.split(".")[0] not in EVERYWHERE:
                wrong = f"the counterexample imports {name}, which not everyone has"
                yield node.lineno, f"{wrong}: use NumPy, nllbook and the standard library"
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    if not any(isinstance(called, ast.Name) and called.id == "print" for called in calls):
        yield 1, "the counterexample prints nothing: print the number that refutes the belief"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or "."]
    return [alias.name for alias in node.names]
