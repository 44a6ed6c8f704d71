"""The part that a person grades: a sheet to fill in, and what was filled in, checked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nllgrade.batch import harmless, write_table, write_whole
from nllgrade.errors import GradeError
from nllgrade.grade import Result
from nllgrade.spec import Manual

SHEET = "rubric.csv"
MERGED = "rubric.json"
_HEAD = (
    *("student", "file", "version", "question", "criterion", "of", "points", "comment", "written"),
)
_NEEDED = _HEAD[:7]


@dataclass(frozen=True)
class Mark:
    """The points for one criterion, and a word to the student."""

    criterion: str
    points: float
    of: float
    comment: str = ""


# By student, file and version, then by question.
Who = tuple[str, str, str]
Marks = Mapping[Who, Mapping[str, tuple[Mark, ...]]]


def who(result: Result) -> Who:
    """Whose marks they are; a derivation that was changed is another one."""
    text = json.dumps(result.manual, sort_keys=True).encode()
    # with a letter, since spreadsheets take some hashes for numbers
    return result.student, result.file, f"v{hashlib.sha256(text).hexdigest()[:12]}"


def write_sheet(results: list[Result], manual: tuple[Manual, ...], marks: Marks, path: Path) -> int:
    """Write a row for each submission and criterion, with the marks that there are.

    What the student wrote stands in the first row of its question. Returns how many rows are open.
    """
    rows = []
    for one in results:
        for item in manual:
            known = {mark.criterion: mark for mark in marks.get(who(one), {}).get(item.id, ())}
            for number, (points, criterion) in enumerate(item.rubric):
                mark = known.get(harmless(criterion))
                said = (f"{mark.points:g}", mark.comment) if mark else ("", "")
                text = one.manual.get(item.id, "") if number == 0 else ""
                rows.append([*who(one), item.id, criterion, f"{points:g}", *said, text])
    write_table(path, list(_HEAD), rows, encoding="utf-8-sig")  # else Excel takes it for another
    return sum(not row[6] for row in rows)


def read_sheet(
    path: Path, results: list[Result], manual: tuple[Manual, ...]
) -> tuple[Marks, list[str]]:
    """The marks of a sheet, in whatever order its rows are, and who of it is left out, and why.

    A question of which all rows are without points is not graded yet.

    Raises
    ------
    GradeError
        Where a row names no criterion, or points that are not between 0 and the most; where some
        criteria of a question have points and others none.
    """
    known = {(harmless(one.student), harmless(one.file)): one for one in results}
    most = {
        (item.id, harmless(criterion)): points
        for item in manual
        for points, criterion in item.rubric
    }
    found: dict[Who, dict[str, tuple[Mark, ...]]] = {}
    left_open: dict[tuple[str, ...], str] = {}
    seen: set[tuple[str, ...]] = set()
    left_out: dict[str, None] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")  # as spreadsheets write it
    except (OSError, UnicodeDecodeError) as error:
        raise GradeError(f"{path} cannot be read as UTF-8: {error}") from None
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter(text), restval="")
    if missing := set(_NEEDED) - set(rows.fieldnames or ()):
        raise GradeError(f"{path} has no column {', '.join(sorted(missing))}")
    for number, row in enumerate(rows, 2):
        where = f"{path}, row {number}"
        result = known.get((row["student"], row["file"]))
        if result is None:
            left_out[f"{row['student']} ({row['file']}): no such submission"] = None
            continue
        if row["version"] != who(result)[2]:
            left_out[f"{row['student']} ({row['file']}): changed since the sheet"] = None
            continue
        criterion = (row["question"], row["criterion"])
        if criterion not in most:
            raise GradeError(f"{where}: {row['question']} has no criterion {row['criterion']!r}")
        if (key := (result.student, result.file, *criterion)) in seen:
            raise GradeError(f"{where}: this criterion was graded above")
        seen.add(key)
        if not row["points"].strip():
            left_open[*who(result), row["question"]] = where
            continue
        points = _points(row["points"], most[criterion], where)
        mark = Mark(criterion[1], points, most[criterion], row.get("comment") or "")
        of_student = found.setdefault(who(result), {})
        of_student[criterion[0]] = (*of_student.get(criterion[0], ()), mark)
    for (*whose, question), where in left_open.items():
        if question in found.get((whose[0], whose[1], whose[2]), {}):
            raise GradeError(f"{where}: no points, but other criteria of {question} have some")
    return found, list(left_out)


def delimiter(text: str) -> str:
    """What stands between two values: in some languages spreadsheets write semicolons."""
    first = text.partition("\n")[0]
    commas, semicolons = (len(next(csv.reader([first], delimiter=one))) for one in ",;")
    return ";" if semicolons > commas else ","


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
    both = {one: {**known.get(one, {}), **marks.get(one, {})} for one in {**known, **marks}}
    record = [
        [*one, {question: [vars(mark) for mark in parts] for question, parts in of.items()}]
        for one, of in sorted(both.items())
    ]
    write_whole(out / MERGED, json.dumps(record, indent=1))


def stored(out: Path) -> Marks:
    """The marks that were merged; none where there were none."""
    path = out / MERGED
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise GradeError(f"{path} is damaged: delete it, and merge the sheets again") from None
    return {
        (student, file, version): {
            question: tuple(Mark(**one) for one in parts) for question, parts in of.items()
        }
        for student, file, version, of in found
    }


def earned(marks: Marks, result: Result) -> float | None:
    """The points by hand of a submission; None where nobody has graded it."""
    of = marks.get(who(result))
    return None if of is None else sum(one.points for parts in of.values() for one in parts)
