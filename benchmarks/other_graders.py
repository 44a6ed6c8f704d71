"""Measures nbgrader and otter-grader beside this project's grader, on the same notebook.

``python benchmarks/other_graders.py`` sets the two up in an environment of their own, under _build,
and grades the same honest submissions with each in turn: processor seconds for each submission.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nllgrade.batch import GRADEBOOK
from nllgrade.spec import Item

from benchmarks.grading import adopt, children, machine
from tests.coursework.papers import place, solved, terms, written

ROOT = Path(__file__).resolve().parents[1]
NAME = "1-likelihood"
FULL = sum(item.points for item in terms(NAME).spec.items)  # what each of them must give
VERSIONS = ("nbgrader==0.9.6", "otter-grader==7.0.0")
HOME = ROOT / "_build" / "other-graders"
PYTHON = HOME / "bin" / "python"


def set_up() -> None:
    """Both graders, and what the notebook imports; once."""
    if not (HOME / "ready").exists():
        venv.create(HOME, with_pip=True)
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *VERSIONS, "ipykernel", "setuptools", "-e", str(ROOT)], check=True)
        (HOME / "ready").touch()


def tested(item: Item) -> list[str]:
    """The hidden cases of an item as lines that raise where an answer is wrong."""
    lines = []
    for case in item.cases:
        (expected,) = case.expected.arrays if len(case.expected.arrays) == 1 else (None,)
        if expected is None:
            expected = tuple(one.tolist() for one in case.expected.arrays)
        answer = item.name
        if case.arguments is not None:
            answer = f"{item.name}({', '.join(map(_literal, case.arguments))})"
        if case.expected.text is not None:
            lines.append(f"assert {answer} == {case.expected.text!r}")
        else:
            close = f"rtol={item.rtol!r}, atol={item.atol!r}"
            lines.append(f"np.testing.assert_allclose({answer}, {_literal(expected)}, {close})")
    return lines


def _literal(value: Any) -> str:
    return f"np.array({value.tolist()!r})" if isinstance(value, np.ndarray) else repr(value)


def with_tests() -> dict[str, Any]:
    """The notebook with our hidden cases in its test cells, as nbgrader has them."""
    notebook = solved(NAME)
    for item in terms(NAME).spec.items:
        cell = notebook["cells"][place(notebook, item.id)]
        hidden = "\n".join(tested(item))
        cell["source"] += f"\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code":
            cell["source"] = f"### BEGIN SOLUTION\n{cell['source']}\n### END SOLUTION"
    return notebook


def spent(*command: object, folder: Path) -> float:
    """Processor seconds of a command and of all that it starts."""
    before = children()
    path = f"{PYTHON.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [str(one) for one in command],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return children() - before


def nbgrader(folder: Path, count: int) -> Callable[[], float]:
    """A course in which ``count`` students have handed in."""
    course = folder / "nbgrader"
    (course / "source" / NAME).mkdir(parents=True)
    (course / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'course'\n"
        "c.ClearSolutions.code_stub = {'python': 'raise NotImplementedError()'}\n"
    )
    (course / "source" / NAME / f"{NAME}.ipynb").write_text(json.dumps(with_tests()))
    spent("nbgrader", "generate_assignment", NAME, folder=course)
    for number in range(count):
        student = course / "submitted" / f"student{number}" / NAME
        student.mkdir(parents=True)
        (student / f"{NAME}.ipynb").write_bytes(written(solved(NAME)))

    def run() -> float:
        seconds = spent("nbgrader", "autograde", NAME, "--force", folder=course) / count
        with closing(sqlite3.connect(course / "gradebook.db")) as book:
            (marks,) = book.execute("select sum(auto_score) from grade").fetchone()
        assert marks == FULL * count
        return seconds

    return run


def otter(folder: Path, count: int) -> Callable[[], float]:
    """A zip of tests, with which ``otter run`` grades one notebook after the other."""
    course = folder / "otter"
    (course / "tests").mkdir(parents=True)
    for item in terms(NAME).spec.items:
        cases = [
            {"code": f">>> import numpy as np\n>>> {line}", "hidden": False, "locked": False}
            for line in tested(item)
        ]
        suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        test = {"name": item.id, "points": item.points, "suites": [suite]}
        name = item.id.replace("-", "_")
        (course / "tests" / f"{name}.py").write_text(f"OK_FORMAT = True\ntest = {test!r}\n")
    (course / "out").mkdir()
    spent("otter", "generate", "-t", "tests", "-o", "autograder.zip", folder=course)
    (course / f"{NAME}.ipynb").write_bytes(written(solved(NAME)))
    call = ("otter", "run", "-a", "autograder.zip", "-o", "out", f"{NAME}.ipynb")

    def run() -> float:
        seconds = sum(spent(*call, folder=course) for _ in range(count)) / count
        found = json.loads((course / "out" / "results.json").read_text(encoding="utf-8"))
        assert sum(one.get("score", 0) for one in found["tests"]) == FULL
        return seconds

    return run


def ours(folder: Path, count: int) -> Callable[[], float]:
    """The same submissions for `nllgrade grade`, its own start and examination included."""
    handed = folder / "handed"
    handed.mkdir()
    for number in range(count):
        (handed / f"student{number}.ipynb").write_bytes(written(solved(NAME)))
    start = (sys.executable, "-m", "nllgrade", "grade", handed, "--assignment", NAME)

    def run() -> float:
        shutil.rmtree(folder / "graded", ignore_errors=True)
        seconds = spent(*start, "--out", folder / "graded", folder=folder) / count
        with (folder / "graded" / GRADEBOOK).open(encoding="utf-8") as book:
            assert [float(row["automatic"]) for row in csv.DictReader(book)] == [FULL] * count
        return seconds

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10, help="submissions")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    set_up()
    adopt()
    with tempfile.TemporaryDirectory() as scratch:
        runs = {
            "nllgrade": ours(Path(scratch), options.count),
            VERSIONS[0]: nbgrader(Path(scratch), options.count),
            VERSIONS[1]: otter(Path(scratch), options.count),
        }
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(options.repeat):  # in turn, since the machine is shared
            for name, run in runs.items():
                found[name].append(run())
    print(f"{machine()}, Python {sys.version.split()[0]}")
    print(f"{options.count} honest submissions of {NAME}, medians of {options.repeat}, in turn")
    print("(otter-grader is started for each of them, the others once for all)")
    for name, seconds in found.items():
        print(f"{name:24} {median(seconds):6.2f} s of processor time each")


if __name__ == "__main__":
    main()
