"""What a submission is asked, and what it should answer: worked out by the reference, in here."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nllgrade.errors import GradeError
from nllgrade.master import Master, Part


@dataclass(frozen=True)
class Answer:
    """Plain arrays, or text, or an error."""

    arrays: tuple[NDArray[Any], ...] = ()
    text: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Case:
    """One request: the arguments of a call (None: the value of a name), and the right answer."""

    arguments: tuple[Any, ...] | None
    options: Mapping[str, Any]
    expected: Answer
    # what each mistake of the question answers, to tell which was made
    mistaken: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Item:
    """Cases that earn their points together, or none."""

    id: str
    question: str  # the grade_id of the solution cell
    name: str  # what is asked for
    points: float
    rtol: float
    atol: float
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Manual:
    """A derivation that a person grades."""

    id: str
    points: float
    rubric: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Spec:
    """All that grading a submission needs; it stays on the grader's side."""

    assignment: str
    digest: str
    course: str
    items: tuple[Item, ...]
    manual: tuple[Manual, ...]
    beliefs: Mapping[tuple[str, str], str]  # of a question and a mistake: the wrong belief

    @property
    def points(self) -> float:
        return sum(one.points for one in self.items) + sum(one.points for one in self.manual)


def compile_spec(master: Master) -> Spec:
    """Run the reference, and each planted mistake, on the hidden cases of the course."""
    names: dict[str, Any] = {"__name__": "__main__"}
    before: dict[str, dict[str, Any]] = {}  # what is defined before a question is answered
    question = ""
    items: list[Item] = []
    manual: list[Manual] = []
    for part in master.parts:
        if part.is_manual:
            rubric = tuple((float(one["points"]), one["criterion"]) for one in part.ours["rubric"])
            manual.append(Manual(part.grade_id, part.points, rubric))
        elif part.kind == "code" and part.is_tested:
            items.append(_item(master, part, question, names, before[question]))
        elif part.kind == "code":
            if part.is_solution:
                question = part.grade_id
                before[question] = dict(names)
            _run(part.source, names, f"{master.name}: {part.grade_id or 'a cell'}")
    beliefs = {(one.question, one.what): one.belief for one in master.mistakes if one.belief}
    return Spec(
        master.name, master.digest, master.course.name, tuple(items), tuple(manual), beliefs
    )


def _item(
    master: Master,
    part: Part,
    question: str,
    names: Mapping[str, Any],
    before: Mapping[str, Any],
) -> Item:
    where = f"{master.name}: {part.grade_id}"
    ours = part.ours
    if ("function" in ours) == ("value" in ours):
        raise GradeError(f"{where}: a cell with hidden cases names a function or a value")
    name = ours.get("function", ours.get("value"))
    requests: list[tuple[tuple[Any, ...] | None, dict[str, Any]]] = [(None, {})]
    if "function" in ours:
        requests = _requests(part, names, master.course.draw(master.name, part.grade_id), where)
    wrong: dict[str, Mapping[str, Any]] = {}
    for mistake in master.mistakes:
        if mistake.question == question:
            wrong[mistake.what] = scope = dict(before)
            _run(mistake.source, scope, f"{where}: the mistake {mistake.what!r}")
    cases = []
    for arguments, options in requests:
        expected = ask(names, name, arguments, options)
        if expected.error:
            raise GradeError(f"{where}: the reference fails: {expected.error}")
        mistaken = {what: ask(scope, name, arguments, options) for what, scope in wrong.items()}
        cases.append(Case(arguments, options, expected, mistaken))
    rtol, atol = float(ours.get("rtol", 1e-9)), float(ours.get("atol", 0.0))
    return Item(part.grade_id, question, name, part.points, rtol, atol, tuple(cases))


def _requests(
    part: Part, names: Mapping[str, Any], draw: np.random.Generator, where: str
) -> list[tuple[tuple[Any, ...] | None, dict[str, Any]]]:
    scope = dict(names)
    scope["call"] = lambda *arguments, **options: (arguments, options)
    _run(part.hidden, scope, f"{where}: the hidden cases")
    make: Callable[[np.random.Generator], Iterator[Any]] | None = scope.get("cases")
    requests = list(make(draw)) if make else []
    if not requests:
        raise GradeError(f"{where}: the hidden tests define no cases(draw), or it yields nothing")
    return requests


def _run(source: str, names: dict[str, Any], where: str) -> None:
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(source, where, "exec"), names)
    except Exception as error:
        raise GradeError(f"{where} fails: {type(error).__name__}: {error}") from error


def ask(
    names: Mapping[str, Any],
    name: str,
    arguments: tuple[Any, ...] | None,
    options: Mapping[str, Any],
) -> Answer:
    """What trusted code answers, in the form in which the sandbox answers."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = names[name]
            if arguments is not None:
                given = [one.copy() if isinstance(one, np.ndarray) else one for one in arguments]
                value = value(*given, **options)
    except Exception as error:
        return Answer(error=f"{type(error).__name__}: {error}")
    if isinstance(value, str):
        return Answer(text=value)
    parts = value if isinstance(value, tuple) else (value,)
    return Answer(tuple(np.asarray(one) for one in parts))
