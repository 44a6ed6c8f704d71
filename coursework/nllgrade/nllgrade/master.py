"""Reads an assignment's master: a MyST text notebook in nbgrader's cell format, with the answers.

What is ours in the metadata of a cell stands under ``nllgrade``: of a cell with hidden cases the
``function`` or the ``value`` that is asked for and the tolerance, of a derivation the ``rubric``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext.myst
import numpy as np

from nllgrade.errors import GradeError

ASSIGNMENTS = Path(__file__).resolve().parents[2] / "assignments"
SCHEMA = 3  # of nbgrader's metadata
LEAST_KEY = 16  # bytes

_SOLUTION = re.compile(r"^[ \t]*### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION$", re.M | re.S)
_HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n(.*?)^### END HIDDEN TESTS$\n?", re.M | re.S)
_OPTION = re.compile(r'^- `"(\w)"`: (.*)$', re.M)
_CHOICE = re.compile(r'^choice = "(\w)"$', re.M)
_BLANK = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Course:
    """Whose inputs and constants: those of the course that holds the key, or of public practice."""

    key: bytes = b""

    @staticmethod
    def read(path: Path | None) -> Course:
        """The course of a key file; without one, practice."""
        if path is None:
            return Course()
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise GradeError(f"{path}: the course key cannot be read ({error.strerror})") from None
        if len(key) < LEAST_KEY:
            raise GradeError(
                f"{path}: a course key has at least {LEAST_KEY} bytes, this one {len(key)}: "
                "write one with `nllgrade key`"
            )
        return Course(key)

    @property
    def name(self) -> str:
        """What tells courses apart without telling the key."""
        return hmac.digest(self.key, b"name", "sha256").hex()[:12] if self.key else "practice"

    def draw(self, *what: str) -> np.random.Generator:
        """Random numbers that nobody without the key can foresee, the same each time."""
        digest = hmac.digest(self.key, "\0".join(what).encode(), hashlib.sha256)
        return np.random.default_rng(list(digest))


@dataclass(frozen=True)
class Part:
    """A cell of the master, the blanks in it filled in for a course."""

    kind: str  # "code" or "markdown"
    source: str
    nbgrader: Mapping[str, Any] = field(default_factory=dict)
    ours: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()

    @property
    def grade_id(self) -> str:
        return str(self.nbgrader.get("grade_id", ""))

    @property
    def points(self) -> float:
        return float(self.nbgrader.get("points", 0))

    @property
    def is_solution(self) -> bool:
        """Written by the student."""
        return bool(self.nbgrader.get("solution"))

    @property
    def is_tested(self) -> bool:
        """Graded by running the submission."""
        return bool(self.nbgrader.get("grade")) and not self.is_solution

    @property
    def is_manual(self) -> bool:
        """Graded by a person."""
        return bool(self.nbgrader.get("grade")) and self.is_solution

    @property
    def hidden(self) -> str:
        """The code between the marks of hidden tests."""
        return "".join(_HIDDEN.findall(self.source))

    @property
    def answer(self) -> str:
        """The code between the marks of a solution."""
        return "".join(_SOLUTION.findall(self.source))


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer to a question, and the wrong belief behind it, if it is one."""

    question: str
    what: str
    source: str  # the whole solution cell, with the mistake in it
    belief: str = ""


@dataclass(frozen=True)
class Master:
    """An assignment with its answers, for one course."""

    name: str
    title: str
    parts: tuple[Part, ...]
    mistakes: tuple[Mistake, ...]
    course: Course
    digest: str  # of everything that the grades depend on
    claims: Mapping[str, tuple[str, ...]]  # of the book, on which a question rests

    @cached_property
    def points(self) -> float:
        return sum(part.points for part in self.parts)


@dataclass(frozen=True)
class Question:
    """A question of an assignment: its heading, and the parts from there on."""

    title: str
    parts: tuple[Part, ...]

    @property
    def points(self) -> float:
        return sum(part.points for part in self.parts)

    @property
    def answer(self) -> Part:
        """The part that the student writes."""
        return next(part for part in self.parts if part.is_solution)


def questions(found: Master) -> list[Question]:
    """The questions of an assignment; what stands before the first is none."""
    groups: list[list[Part]] = [[]]
    for part in found.parts:
        if part.kind == "markdown" and part.source.startswith("## "):
            groups.append([])
        groups[-1].append(part)
    return [
        Question(group[0].source.partition("\n")[0].removeprefix("## "), tuple(group))
        for group in groups[1:]
    ]


def names() -> list[str]:
    """The assignments, in the order of the book."""
    return sorted(path.stem for path in ASSIGNMENTS.glob("*.md"))


def read(name: str, course: Course, folder: Path = ASSIGNMENTS) -> Master:
    """The assignment of that name, or whose name begins so: ``1`` is enough for the first."""
    found = [path for path in sorted(folder.glob("*.md")) if path.stem.startswith(name)]
    if len(found) != 1:
        known = ", ".join(path.stem for path in sorted(folder.glob("*.md")))
        raise GradeError(f"no assignment is called {name!r}; there are {known}")
    path = found[0]
    text = path.read_text(encoding="utf-8")
    planted = path.with_suffix(".toml").read_text(encoding="utf-8")
    notebook = jupytext.myst.myst_to_notebook(text)
    ours = notebook.metadata.get("nllgrade", {})
    blanks = _fill(ours.get("constants", {}), course, path.stem)
    parts = tuple(_part(cell, blanks, path) for cell in notebook.cells)
    letters: Mapping[str, str] = {}
    if course.key:
        parts, letters = _shuffled(parts, course, path.stem)
    if course.key.isascii() and course.key and course.key.decode() in text:
        raise GradeError(f"{path}: the course key stands in the master")
    digest = hashlib.sha256(f"{text}\0{planted}\0{course.name}".encode()).hexdigest()
    planted = _BLANK.sub(lambda match: blanks.get(match[1], match[0]), planted)
    mistakes = tuple(
        replace(one, source=_relettered(one.source, letters))
        for one in _mistakes(tomllib.loads(planted), parts, path.with_suffix(".toml"))
    )
    claims = {question: tuple(one) for question, one in ours.get("claims", {}).items()}
    return Master(path.stem, str(ours["title"]), parts, mistakes, course, digest, claims)


def _fill(constants: Mapping[str, Any], course: Course, assignment: str) -> dict[str, str]:
    """What stands in the blanks: for practice the values written there, else one of the choices."""
    return {
        name: str(
            course.draw(assignment, "constant", name).choice(np.array(one["choices"], dtype=object))
            if course.key
            else one["practice"]
        )
        for name, one in constants.items()
    }


def _part(cell: Any, blanks: Mapping[str, str], path: Path) -> Part:
    def filled(match: re.Match[str]) -> str:
        if match[1] not in blanks:
            raise GradeError(f"{path}: {match[0]} has no constant in the front matter")
        return blanks[match[1]]

    return Part(
        cell.cell_type,
        _BLANK.sub(filled, cell.source),
        cell.metadata.get("nbgrader", {}),
        cell.metadata.get("nllgrade", {}),
        tuple(cell.metadata.get("tags", [])),
    )


def _shuffled(
    parts: tuple[Part, ...], course: Course, assignment: str
) -> tuple[tuple[Part, ...], Mapping[str, str]]:
    """The options of the question with a choice in an order of the course's own.

    Also which letter each of them has become: that of the answer would else be the same everywhere.
    """
    asking = next((part for part in parts if _OPTION.search(part.source)), None)
    if not asking:
        return parts, {}
    options = _OPTION.findall(asking.source)
    order = course.draw(assignment, "order of the options").permutation(len(options))
    texts = iter([options[place][1] for place in order])
    known = [letter for letter, _ in options]
    letters = {known[place]: known[new] for new, place in enumerate(order)}
    source = _OPTION.sub(lambda at: f'- `"{at[1]}"`: {next(texts)}', asking.source)
    return tuple(
        replace(part, source=source if part is asking else _relettered(part.source, letters))
        for part in parts
    ), letters


def _relettered(source: str, letters: Mapping[str, str]) -> str:
    return _CHOICE.sub(lambda at: f'choice = "{letters.get(at[1], at[1])}"', source)


def _mistakes(planted: Mapping[str, Any], parts: tuple[Part, ...], path: Path) -> list[Mistake]:
    found = []
    solutions = {part.grade_id: part.source for part in parts if part.is_solution}
    for question, entries in planted.items():
        if question not in solutions:
            raise GradeError(f"{path}: no solution cell has the grade_id {question}")
        for entry in entries:
            source = solutions[question]
            if "code" in entry:
                source = entry["code"]
            elif source.count(entry["replace"]) == 1:
                source = source.replace(entry["replace"], entry["with"])
            else:
                said = entry["replace"]
                raise GradeError(f"{path}: {question}: {said!r} does not stand there exactly once")
            found.append(Mistake(question, entry["what"], source, entry.get("belief", "")))
    return found


def stub(part: Part) -> str:
    """The cell as the student receives it: gaps for solutions, no hidden tests."""
    if part.is_manual:
        return "*Write your answer here.*"

    def gap(match: re.Match[str]) -> str:
        indent = re.match(r"[ \t]*", match[0])
        space = indent[0] if indent else ""
        return f"{space}# YOUR CODE HERE\n{space}raise NotImplementedError()"

    return _HIDDEN.sub("", _SOLUTION.sub(gap, part.source)).strip("\n")
