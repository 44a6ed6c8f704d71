"""Grades one submission: runs its cells in a sandbox, asks for answers, compares them out here."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nllgrade import doctor, runtime
from nllgrade.errors import GradeError
from nllgrade.sandbox import Gone, Level, Limits, Sandbox, describe
from nllgrade.spec import Answer, Case, Item, Spec
from nllgrade.submission import MOST_WRITTEN, Cell, Notebook, UnreadableError, clean, parse
from nllgrade.verdict import agrees, call, likely_mistake
from nllgrade.wire import pack

FAILED = "the grader itself failed"
MOST_PRINTED, MOST_SAID = 2_000, 600  # characters
MOST_RESTARTS = 6  # of the sandbox; what hangs or ends the process is then left out


@dataclass(frozen=True)
class Outcome:
    """What became of an item: the points, and if they were not earned why, without the answer."""

    id: str
    points: float
    earned: float
    reason: str = ""
    mistake: str = ""  # the planted mistake that answers the same


@dataclass(frozen=True)
class Said:
    """What a cell printed and which error it ended with, both cut short."""

    cell: int
    printed: str = ""
    error: str = ""


@dataclass(frozen=True)
class Result:
    """One submission's row. It has no times in it, so that it is the same on every machine."""

    student: str
    file: str
    sha256: str
    assignment: str
    course: str
    level: str
    status: str  # graded, unreadable or stopped
    reason: str
    items: tuple[Outcome, ...]
    manual: dict[str, str] = field(default_factory=dict)  # what was written, by grade_id
    said: tuple[Said, ...] = ()

    @property
    def earned(self) -> float:
        return sum(one.earned for one in self.items)

    def record(self) -> dict[str, Any]:
        """The result as JSON writes it."""
        return asdict(self)

    @staticmethod
    def of(record: dict[str, Any]) -> Result:
        """The result that ``record`` gave."""
        items = tuple(Outcome(**one) for one in record["items"])
        said = tuple(Said(**one) for one in record["said"])
        return Result(**{**record, "items": items, "said": said})


@dataclass(frozen=True)
class Terms:
    """What is the same for all submissions; it can be sent to another process of ours."""

    spec: Spec
    level: Level
    limits: Limits

    def key(self, student: str, file: str, content: bytes) -> str:
        """What a result depends on, so that it need not be worked out twice."""
        parts = (_sources(), runtime.fingerprint(), self.spec.digest, self.level)
        text = "\0".join((*parts, describe(self.limits), student, file))
        return hashlib.sha256(text.encode() + b"\0" + content).hexdigest()


@cache
def _sources() -> str:
    """A hash of the grader: another one may grade otherwise."""
    code = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(code).hexdigest()


def grade(terms: Terms, student: str, file: str, content: bytes) -> Result:
    """The result of one submitted file, whatever is in it.

    Raises
    ------
    GradeError
        Where the doctor finds that the sandbox would not hold.
    """
    doctor.require(terms.level)
    try:
        return _graded(terms, student, file, content)
    except UnreadableError as error:
        return unreadable(terms, student, file, content, str(error))
    except GradeError:
        raise
    except Exception as error:  # the others must not suffer from what nobody thought of
        why = f"{FAILED} on it ({type(error).__name__}): try again, or tell its authors"
        return unreadable(terms, student, file, content, why)


def _graded(terms: Terms, student: str, file: str, content: bytes) -> Result:
    notebook = parse(content)
    cells, spec = notebook.cells, terms.spec
    run = _Run(terms, [cell.source for cell in cells if cell.kind == "code"])
    try:
        items = tuple(run.item(one) for one in terms.spec.items)
    finally:
        run.end()
    return Result(
        student,
        file,
        hashlib.sha256(content).hexdigest(),
        terms.spec.assignment,
        terms.spec.course,
        terms.level,
        "stopped" if run.stopped else "graded",
        run.stopped or _other(notebook, spec),
        items,
        {one.id: _written(cells, one.id) for one in terms.spec.manual},
        tuple(run.said),
    )


def _other(notebook: Notebook, spec: Spec) -> str:
    """A word of warning where it is probably graded as what it is not."""
    if notebook.assignment not in ("", spec.assignment):
        return f"made for the assignment {notebook.assignment}"
    if notebook.course not in ("", spec.course):
        return f"made for the course {notebook.course}"
    return ""


def unreadable(terms: Terms, student: str, file: str, content: bytes, reason: str) -> Result:
    """The row of a file that cannot be graded."""
    spec = terms.spec
    items = tuple(Outcome(one.id, one.points, 0.0, "not graded") for one in spec.items)
    digest = hashlib.sha256(content).hexdigest()
    head = (student, file, digest, spec.assignment, spec.course, terms.level)
    return Result(*head, "unreadable", reason, items)


def _written(cells: list[Cell], grade_id: str) -> str:
    """What the student wrote in the cell of that id; the longest where it was duplicated."""
    found = max((one.source for one in cells if one.grade_id == grade_id), key=len, default="")
    return clean(found, MOST_WRITTEN)


class _Run:
    """The sandbox of one submission, made anew without what hung or ended it."""

    def __init__(self, terms: Terms, sources: list[str]) -> None:
        self.terms = terms
        self.hung: set[str] = set()  # names that hung or ended the process: not asked again
        self.running = 0
        self.sources: list[str | None] = list(sources)
        self.said: list[Said] = []
        self.stopped = ""
        self.end_at = time.monotonic() + terms.limits.total
        self.starts = 0
        self.sandbox: Sandbox | None = None

    def item(self, item: Item) -> Outcome:
        """Ask for all answers of an item, up to the first that hangs or ends the process."""
        answers: list[Answer] = []
        problems: list[str] = []
        for case in item.cases:
            answer = self._answer(item, case)
            problem = agrees(answer, case.expected, item.rtol, item.atol)
            answers.append(answer)
            if problem:
                asked = call(item, case)
                problems.append(f"{asked}: {problem}")
            if self.sandbox is None:
                break
        if not problems:
            return Outcome(item.id, item.points, item.points)
        mistake = likely_mistake(answers, item) if len(answers) == len(item.cases) else ""
        return Outcome(item.id, item.points, 0.0, problems[0], mistake)

    def _answer(self, item: Item, case: Case) -> Answer:
        if item.name in self.hung:
            return Answer(error="not asked again, since it hung or ended its process before")
        sandbox = self._ready()
        if sandbox is None:
            return Answer(error=self.stopped)
        arrays: list[NDArray[Any]] = []
        given = case.arguments
        head = {
            "name": item.name,
            "arguments": None if given is None else [pack(one, arrays) for one in given],
            "options": {key: pack(one, arrays) for key, one in case.options.items()},
        }
        try:
            reply, parts = sandbox.ask(head, arrays, self._seconds())
        except Gone as error:
            self.hung.add(item.name)
            self.end()
            return Answer(error=str(error))
        match reply:
            case {"missing": True}:
                return Answer(error=f"there is no {item.name}: its cell is missing or failed")
            case {"error": str(said)}:
                return Answer(error=clean(said, MOST_SAID))
            case {"text": str(said)}:
                return Answer(text=clean(said, MOST_SAID))
        return Answer(tuple(parts))

    def _ready(self) -> Sandbox | None:
        """The sandbox after all cells ran that can; None where time or restarts are over."""
        while self.sandbox is None:
            if self.starts > MOST_RESTARTS:
                self.stopped = "hung or ended its process too often"
            elif time.monotonic() > self.end_at:
                self.stopped = "took too long altogether"
            if self.stopped:
                return None
            self.starts += 1
            self.sandbox = Sandbox(runtime.folder(), self.terms.level, self.terms.limits)
            self.sandbox.begin()
            with self._leaving_out():
                self._run_cells(self.sandbox)
        return self.sandbox

    def _run_cells(self, sandbox: Sandbox) -> None:
        self.said = [one for one in self.said if self.sources[one.cell - 1] is None]
        for number, source in enumerate(self.sources, 1):
            if source is None:
                continue
            self.running = number
            head = {"number": number, "source": source}
            reply, _ = sandbox.ask(head, [], self._seconds())
            printed, problem = (str(reply.get(one, "")) for one in ("printed", "error"))
            if printed or problem:
                printed, problem = clean(printed, MOST_PRINTED), clean(problem, MOST_SAID)
                self.said.append(Said(number, printed, problem))
        self.said.sort(key=lambda one: one.cell)

    @contextmanager
    def _leaving_out(self) -> Iterator[None]:
        try:
            yield
        except Gone as error:
            self.sources[self.running - 1] = None
            self.said.append(Said(self.running, "", f"The cell {error}; it was left out."))
            self.end()

    def _seconds(self) -> float:
        return max(0.1, min(self.terms.limits.seconds, self.end_at - time.monotonic()))

    def end(self) -> None:
        if self.sandbox:
            self.sandbox.close()
        self.sandbox = None
