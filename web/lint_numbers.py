"""The rules of web.lint about numbers in the text: typed ones, and glued ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from web.beliefs import nearest
from web.cells import calls, tree
from web.labels import Book
from web.lint_rules import Finding, finding, readable_beliefs
from web.source import Chapter, Directive

# ---- typed numbers

# With a fraction, a thousands separator, a per cent sign, or three digits and more: what a cell
# computes looks like that. Smaller whole numbers are counts that a reader checks at a glance.
_NUMBER = re.compile(
    r"(?<![\w.,/#-])"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d{3,}|\d+(?=\s?(?:%|per ?cent)))"
    r"(?!\d|\.\d|,\d{3})(?P<percent>\s?(?:%|per ?cent))?"
)
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
# What is no prose; and the numbers of places, versions and standards.
_NO_PROSE = re.compile(
    r"\{[a-z][\w:.-]*\}(?P<ticks>`+)(?s:.+?)(?P=ticks)|\$\$(?s:.+?)\$\$|\$[^$]+\$"
    r"|\]\([^)]*\)|\w+://\S+|^:(?!alt:)[\w-]+:.*$",
    re.MULTILINE,
)
_PLACE = re.compile(
    r"\b(?:[Ss]ections?|[Ee]quations?|[Tt]heorems?|[Tt]ables?|[Cc]hapters?|[Vv]ersions?|pp?\."
    r"|CC BY|IEEE|SHA|Python|NumPy|SciPy|PyTorch|scikit-learn|Optax|pandas)[ -]"
    r"\d+(?:\.\d+)*(?:(?:–|,? and )\d+(?:\.\d+)*)*"
)
_CITATION = re.compile(r"\{cite(?::\w+)?\}")


def typed_numbers(book: Book) -> Iterator[Finding]:
    remedy = "show it by glue:text, or say it in words"
    inputs = {page.name: {n for cell in page.cells for n in _literals(cell)} for page in book.pages}
    for page in book.pages:
        if not page.cells or page.name == book.beliefs_file.stem:
            continue  # nothing is computed there; the texts of the beliefs come below
        for shown, values, line in _numbers(page.prose):
            figure = next((one for one in page.cells if one.line < line < one.end_line), None)
            known = _literals(figure) if figure else inputs[page.name]
            if not values & known and not _is_quoted_or_guessed(page, line):
                where = "the code of this cell" if figure else "the code of this page"
                yield finding(page, line, f"{shown} is typed, and no input in {where}", remedy)
    for belief in (readable_beliefs(book) or {}).values():
        for text in (belief.belief, belief.tempting, belief.refutation):
            for shown, values, _ in _numbers(text):
                if not values & inputs.get(belief.chapter, set()):
                    wrong = f"{shown} is typed, and no input in the code of {belief.chapter}.md"
                    yield Finding(book.beliefs_file, belief.line, f"{wrong}: {remedy}")


def _numbers(text: str) -> Iterator[tuple[str, set[float], int]]:
    """The numbers typed in a text: as written, what they may mean, the line."""
    prose = text
    for pattern in (_NO_PROSE, _PLACE):
        prose = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), prose)
    for match in _NUMBER.finditer(prose):
        if not _YEAR.fullmatch(match[0]):
            value = float(match["digits"].replace(",", ""))
            values = {value, value / 100} if match["percent"] else {value}
            yield match[0], values, prose.count("\n", 0, match.start()) + 1


def _literals(cell: Directive) -> set[float]:
    """The numbers written in the code: what was put in by hand."""
    values = (node.value for node in ast.walk(tree(cell)) if isinstance(node, ast.Constant))
    return {float(value) for value in values if isinstance(value, int | float)}


def _is_quoted_or_guessed(page: Chapter, line: int) -> bool:
    """Whether the paragraph names its source, or asks for a prediction."""
    boxes = [one for one in page.named("admonition") if one.line < line < one.end_line]
    if any("predict" in one.options.get("class", "").split() for one in boxes):
        return True
    lines = page.prose.split("\n")
    first = last = line - 1
    while first > 0 and lines[first - 1].strip():
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].strip():
        last += 1
    return bool(_CITATION.search("\n".join(lines[first : last + 1])))


# ---- glued numbers


def shown_glue(book: Book) -> Iterator[Finding]:
    emitted = {(page.name, call.argument) for page in book.pages for call in calls(page, "glue")}
    for page in book.pages:
        for call in calls(page, "glue"):
            if call.argument is None:
                yield finding(
                    page, call.line, "the name to glue is no plain string", "write it out"
                )
    for chapter, name, page, line in _glue_uses(book):
        if (chapter, name) not in emitted:
            wrong = f"no cell of {chapter}.md glues {name!r}"
            names = [str(known) for place, known in emitted if place == chapter]
            remedy = f'correct the name, or add glue("{name}", …) to a cell'
            yield finding(page, line, wrong + nearest(name, names), remedy)

    if readable_beliefs(book) is None:
        return  # they may show what no page does
    used = {(chapter, name) for chapter, name, _, _ in _glue_uses(book)}
    for page in book.pages:
        for call in calls(page, "glue"):
            if call.argument and (page.name, call.argument) not in used:
                wrong = f"nothing shows the glued {call.argument!r}"
                yield finding(page, call.line, wrong, "use it by the role glue:text, or drop it")


def _glue_uses(book: Book) -> Iterator[tuple[str, str, Chapter, int]]:
    """The chapter that must glue it, the name, and where it is used."""
    for page in book.texts:
        for role in page.roles:
            if role.name == "glue:text":
                chapter, separator, name = role.content.rpartition("::")
                home = chapter.removesuffix(".md") if separator else _home(book, page, role.line)
                if home:
                    yield home, name.partition(":")[0], page, role.line


def _home(book: Book, page: Chapter, line: int) -> str:
    """The page, or the chapter of the belief that stands on this line."""
    if page.path != book.beliefs_file:
        return page.name
    known = (readable_beliefs(book) or {}).values()
    before = [belief.chapter for belief in known if belief.line <= line]
    return before[-1] if before else ""
