"""Makes submissions to test with: honest ones, and honest ones with something done to them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from nllgrade.grade import Result, Terms, grade
from nllgrade.master import Course, Master, read
from nllgrade.release import release
from nllgrade.sandbox import Limits
from nllgrade.spec import compile_spec

ASSIGNMENT = "1-likelihood"
PRACTICE = Course()
# Short, since much here hangs on purpose; an honest submission needs a hundredth of it.
# The odd limit of the disk tells the sandboxes of this process from those of others.
LIMITS = Limits(seconds=5.0, total=60.0, disk=(1 << 24) + os.getpid())

_MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)


@cache
def master(name: str = ASSIGNMENT, course: Course = PRACTICE) -> Master:
    """An assignment, read once."""
    return read(name, course)


@cache
def terms(name: str = ASSIGNMENT, course: Course = PRACTICE) -> Terms:
    """What it is graded by."""
    return Terms(compile_spec(master(name, course)), "bwrap", LIMITS)


def blank(name: str = ASSIGNMENT, course: Course = PRACTICE) -> dict[str, Any]:
    """The notebook that students receive."""
    found: dict[str, Any] = json.loads(release(master(name, course)))
    return found


def solved(
    name: str = ASSIGNMENT, course: Course = PRACTICE, answers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The notebook with the reference's answers, or with others for some questions."""
    notebook = blank(name, course)
    known = {
        part.grade_id: _MARK.sub("", part.source)
        for part in master(name, course).parts
        if part.is_solution
    }
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in known:
            cell["source"] = (answers or {}).get(grade_id, known[grade_id])
    return notebook


def code(source: str) -> dict[str, Any]:
    """A code cell of a student's own."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "own",
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def place(notebook: Mapping[str, Any], grade_id: str) -> int:
    """Where the cell of that id stands."""
    ids = [one["metadata"].get("nbgrader", {}).get("grade_id") for one in notebook["cells"]]
    return ids.index(grade_id)


def written(notebook: object) -> bytes:
    """The notebook as a file."""
    return json.dumps(notebook).encode()


def graded(notebook: object, name: str = ASSIGNMENT, student: str = "someone") -> Result:
    """Its result; bytes are taken as they are."""
    content = notebook if isinstance(notebook, bytes) else written(notebook)
    return grade(terms(name), student, f"{name}.ipynb", content)


def points(result: Result) -> dict[str, float]:
    """The points by question, such as q1, its items added up."""
    found: dict[str, float] = {}
    for item in result.items:
        question = item.id.partition("-")[0]
        found[question] = found.get(question, 0.0) + item.earned
    return found


FULL = {"q1": 3.0, "q2": 2.0, "q3": 1.0, "q4": 3.0, "q5": 2.0, "q6": 3.0, "q7": 1.0, "q8": 1.0}
