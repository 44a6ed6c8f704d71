"""Hands the points to what a school uses: fills the instructor's own export, or makes a table."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nllbook
from nllgrade.batch import named, write_table
from nllgrade.errors import GradeError
from nllgrade.grade import Result
from nllgrade.master import Master
from nllgrade.rubric import Marks, delimiter, earned


@dataclass(frozen=True)
class School:
    """How a school's system names students in its table."""

    column: str  # of its table, by which students are found
    divider: str = ""  # all that it reads between two values; else that of the table


SCHOOLS = {
    # read by canvas-lms, lib/gradebook_importer.rb
    "canvas": School("ID"),
    # "Participant 41", in the language of the school; read by commas alone:
    # moodle, mod/assign/feedback/offline/importgradeslib.php
    "moodle": School("Identifier", ","),
}
_LAST_NUMBER = re.compile(r"\S (\d+)$")


def totals(results: list[Result], marks: Marks) -> list[tuple[Result, float]]:
    """Each submission with its points, those by hand included."""
    return [(one, one.earned + (earned(marks, one) or 0.0)) for one in results]


def write_csv(results: list[Result], marks: Marks, path: Path) -> str:
    """Write student, status, automatic points, points by hand, and their sum."""
    rows = [
        [
            *(one.student, one.file, one.status, f"{one.earned:g}"),
            "" if (by_hand := earned(marks, one)) is None else f"{by_hand:g}",
            f"{total:g}",
        ]
        for one, total in totals(results, marks)
    ]
    write_table(path, ["student", "file", "status", "automatic", "by hand", "total"], rows)
    return f"{path}: {len(rows)} rows"


def fill(
    school: School,
    results: list[Result],
    marks: Marks,
    table: Path,
    column: str,
    path: Path,
) -> str:
    """Write the instructor's table with the points in ``column``, and say who is not in it.

    No other value changes, rows and columns that are not ours included.

    Raises
    ------
    GradeError
        Where the table lacks a column, or two submissions belong to one row.
    """
    try:
        text = table.read_bytes().decode("utf-8-sig")  # its line ends as they are
    except (OSError, UnicodeDecodeError) as error:
        raise GradeError(f"{table} cannot be read as UTF-8: {error}") from None
    divider = delimiter(text)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=divider))
    head = [one.strip() for one in rows[0]] if rows else []
    for needed in (school.column, column):
        if head.count(needed) != 1:
            raise GradeError(
                f"{table} has {head.count(needed)} columns {needed!r}, of {', '.join(head)}"
            )
    key, place = head.index(school.column), head.index(column)
    points: dict[str, str] = {}
    files: dict[str, list[str]] = {}
    for one, total in totals(results, marks):
        name = named(one.student)
        files.setdefault(name, []).append(f"{one.student}/{one.file}")
        points[name] = f"{total:g}"
    if several := [" and ".join(found) for found in files.values() if len(found) > 1]:
        raise GradeError(
            f"several submissions of one student, {'; '.join(several)}: keep one in the folder, "
            "and grade it again"
        )
    if path.resolve() == table.resolve():
        raise GradeError(f"{table} would be overwritten: call it something else")
    filled = 0
    for row in rows[1:]:
        if len(row) <= max(key, place):
            continue
        cell = row[key].strip()
        if cell not in points and (number := _LAST_NUMBER.search(cell)):
            cell = number[1]
        if cell in points:
            row[place] = points.pop(cell)
            filled += 1
    with path.open("w", encoding="utf-8", newline="") as file:
        ends = "\r\n" if "\r\n" in text else "\n"
        csv.writer(file, delimiter=school.divider or divider, lineterminator=ends).writerows(rows)
    strangers = ", ".join(sorted(points))
    return f"{path}: {filled} rows filled" + (f"; not in the table: {strangers}" * bool(points))


# ---- Gradescope

# Gradescope's image is Ubuntu 22.04, whose python3 is 3.10; newer ones have no package python3.11.
_SETUP = """#!/usr/bin/env bash
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq python3.11 python3.11-venv || apt-get install -y -qq python3 python3-venv
for python in python3.11 python3 none; do
    "$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' && break
done 2>/dev/null
if [ "$python" = none ]; then
    echo "Python 3.11 or newer is needed: choose Ubuntu 22.04 or newer as the base image" >&2
    exit 1
fi
"$python" -m venv /autograder/venv
/autograder/venv/bin/pip install --quiet /autograder/source/nllbook-source
/autograder/venv/bin/pip install --quiet /autograder/source/nllgrade
chmod -R go-rwx /autograder/source /autograder/venv
/autograder/venv/bin/nllgrade doctor --level container || true  # and keep what it made
"""
_RUN = """#!/usr/bin/env bash
set -e
/autograder/venv/bin/nllgrade gradescope {assignment} {key} \\
    --assignments /autograder/source/assignments
"""
_KEY = "course.key"


def gradescope_zip(master: Master, assignments: Path, path: Path) -> str:
    """Write what Gradescope takes as an autograder: this grader, the master, how to run them."""
    here = Path(__file__).parents[1]
    package = Path(nllbook.__file__).parent
    files: dict[str, bytes] = {}
    for name, start in (("nllgrade", here), ("nllbook-source", package.parent)):
        inside = "nllgrade" if name == "nllgrade" else "nllbook"
        found = [start / "pyproject.toml", *sorted((start / inside).rglob("*"))]
        found += [start / one for one in ("LICENSE", "README.md") if (start / one).is_file()]
        for one in found:
            if one.is_file() and "__pycache__" not in one.parts:
                files[f"{name}/{one.relative_to(start).as_posix()}"] = one.read_bytes()
    for suffix in (".md", ".toml"):
        source = assignments / f"{master.name}{suffix}"
        files[f"assignments/{source.name}"] = source.read_bytes()
    key = "--course-key /autograder/source/course.key" if master.course.key else ""
    if key:
        files[_KEY] = master.course.key
    files["setup.sh"] = _SETUP.encode()
    files["run_autograder"] = _RUN.format(assignment=master.name, key=key).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o644) << 16
            archive.writestr(info, content)
    return f"{path}: upload it as the autograder of the programming assignment"


def gradescope_results(result: Result) -> dict[str, object]:
    """What Gradescope reads from results.json: the questions, without what was expected."""
    tests = [
        {
            "name": one.id,
            "score": one.earned,
            "max_score": one.points,
            "output": one.reason or "right",
            "visibility": "visible",
        }
        for one in result.items
    ]
    return {
        "score": result.earned,
        "output": "" if result.status == "graded" else f"{result.status}: {result.reason}",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
    }
