"""Makes the notebook that students receive, and refuses where an answer would be left in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import nbformat

from nllgrade.errors import GradeError
from nllgrade.master import SCHEMA, Master, Part, stub

v4: Any = nbformat.v4  # has no types
LEAST_SHARED = 12  # characters: a shorter line of an answer may stand in the stub by chance
_MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN", "END HIDDEN", "nllgrade")
_LINK = re.compile(r"\[([^\]\n]+)\]\(book:([^()\s]+)\)")


def release(master: Master, book: str = "") -> str:
    """The text of the students' notebook; ``book`` is the address that links to it begin with.

    Raises
    ------
    GradeError
        Where a line of a solution, a hidden test or the course key is left in it.
    """
    cells = [_cell(part, number, book) for number, part in enumerate(master.parts, 1)]
    notebook = v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
            # so that grading can say when it is done with another course's key
            "coursework": {"assignment": master.name, "course": master.course.name},
        },
    )
    notebook.nbformat_minor = 5
    nbformat.validate(notebook)
    text = str(v4.writes(notebook)) + "\n"
    if leaks := left_in(master, text):
        raise GradeError(f"{master.name} is not released, since it would hold {leaks[0]}")
    return text


def left_in(master: Master, text: str) -> list[str]:
    """What of the answers stands in a text that students receive."""
    notebook = v4.reads(text)
    shown = "\n".join(cell.source for cell in notebook.cells)
    public = {line.strip() for part in master.parts for line in stub(part).split("\n")}
    found = [f"the mark {mark!r}" for mark in _MARKS if mark in text]
    for part in master.parts:
        secret = part.source if part.is_manual else part.answer + part.hidden
        for line in (line.strip() for line in secret.split("\n")):
            if len(line) >= LEAST_SHARED and line not in public and line in shown:
                found.append(f"a line of the answer to {part.grade_id}: {line!r}")
    key = master.course.key
    for said in (key.hex(), key.decode("latin-1")):
        if said and said in text:
            found.append("the course key")
    return found


def linked(text: str, book: str) -> str:
    """Links to the book lead to where it is; without an address they are plain text."""
    return _LINK.sub(rf"[\1]({book}\2)" if book else r"\1", text)


def _cell(part: Part, number: int, book: str) -> Any:
    name = part.grade_id or f"cell-{number}"
    metadata: dict[str, Any] = {}
    if part.nbgrader:
        metadata["nbgrader"] = {"schema_version": SCHEMA, "cell_type": part.kind} | dict(
            _nbgrader(part.nbgrader)
        )
    if part.is_tested:
        metadata |= {"deletable": False, "editable": False}
    source = stub(part)
    if part.kind == "markdown":
        return v4.new_markdown_cell(linked(source, book), id=name, metadata=metadata)
    return v4.new_code_cell(source, id=name, metadata=metadata)


def _nbgrader(given: Mapping[str, Any]) -> dict[str, Any]:
    known = ("grade", "grade_id", "locked", "points", "solution", "task")
    return {"task": False, **{key: given[key] for key in known if key in given}}
