"""The part that a person grades: a sheet to fill in, and what was filled in, checked."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nllgrade.batch import harmless, write_table
from nllgrade.errors import GradeError
from nllgrade.grade import Result
from nllgrade.spec import Manual

SHEET = "rubric.csv"
MERGED = "rubric.json"
_HEAD = ("student", "file", "question", "criterion", "of", "points", "comment", "written")


@dataclass(frozen=True)
class Mark:
    """The points for one criterion, and a word to the student."""

    criterion: str
    points: float
    of: float
    comment: str = ""


# By student and file, then by question.
Marks = Mapping[tuple[str, str], Mapping[str, tuple[Mark, ...]]]


def write_sheet(results: list[Result], manual: tuple[Manual, ...], path: Path) -> int:
    """Write a row for each submission and criterion, the points left open; how many there are.

    What the student wrote stands in the first row of its question.
    """
    rows = [
        [
            *(one.student, one.file, item.id, criterion, f"{points:g}", "", ""),
            one.manual.get(item.id, "") if number == 0 else "",
        ]
        for one in results
        for item in manual
        for number, (points, criterion) in enumerate(item.rubric)
    ]
    write_table(path, list(_HEAD), rows)
    return len(rows)


def read_sheet(path: Path, results: list[Result], manual: tuple[Manual, ...]) -> Marks:
    """The marks of a sheet, in whatever order its rows are; a row without points is 0.

    Raises
    ------
    GradeError
        Where a row names nobody, no criterion, or points that are not between 0 and the most.
    """
    known = {harmless(one.student) + "\0" + harmless(one.file): one for one in results}
    most = {
        (item.id, harmless(criterion)): points
        for item in manual
        for points, criterion in item.rubric
    }
    found: dict[tuple[str, str], dict[str, tuple[Mark, ...]]] = {}
    seen: set[tuple[str, ...]] = set()
    try:
        text = path.read_text(encoding="utf-8-sig")  # as spreadsheets write it
    except (OSError, UnicodeDecodeError) as error:
        raise GradeError(f"{path} cannot be read as UTF-8: {error}") from None
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    if missing := set(_HEAD[:6]) - set(rows.fieldnames or ()):
        raise GradeError(f"{path} has no column {', '.join(sorted(missing))}")
    for number, row in enumerate(rows, 2):
        where = f"{path}, row {number}"
        result = known.get(f"{row['student']}\0{row['file']}")
        if result is None:
            raise GradeError(f"{where}: no submission of {row['student']!r} ({row['file']!r})")
        criterion = (row["question"], row["criterion"])
        if criterion not in most:
            raise GradeError(f"{where}: {row['question']} has no criterion {row['criterion']!r}")
        if (key := (result.student, result.file, *criterion)) in seen:
            raise GradeError(f"{where}: this criterion was graded above")
        seen.add(key)
        points = _points(row["points"] or "0", most[criterion], where)
        mark = Mark(criterion[1], points, most[criterion], row.get("comment") or "")
        of_student = found.setdefault((result.student, result.file), {})
        of_student[criterion[0]] = (*of_student.get(criterion[0], ()), mark)
    return found


def _delimiter(text: str) -> str:
    """Spreadsheets in some languages write semicolons."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _points(text: str, most: float, where: str) -> float:
    try:
        points = float(text.replace(",", "."))
    except ValueError:
        points = -1.0
    if not 0 <= points <= most:
        raise GradeError(f"{where}: points = {text!r}, expected a number from 0 to {most:g}")
    return points


def store(marks: Marks, out: Path) -> None:
    """Keep the marks beside the results; those of another sheet stay, question by question."""
    known = stored(out)
    marks = {who: {**known.get(who, {}), **marks.get(who, {})} for who in {**known, **marks}}
    record = [
        [*who, {question: [vars(one) for one in parts] for question, parts in of.items()}]
        for who, of in sorted(marks.items())
    ]
    (out / MERGED).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def stored(out: Path) -> Marks:
    """The marks that were merged; none where there were none."""
    path = out / MERGED
    if not path.exists():
        return {}
    return {
        (student, file): {
            question: tuple(Mark(**one) for one in parts) for question, parts in of.items()
        }
        for student, file, of in json.loads(path.read_text(encoding="utf-8"))
    }


def earned(marks: Marks, result: Result) -> float | None:
    """The points by hand of a submission; None where nobody has graded it."""
    of = marks.get((result.student, result.file))
    return None if of is None else sum(one.points for parts in of.values() for one in parts)
