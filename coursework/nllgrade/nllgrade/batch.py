"""Grades a folder of submissions: finds them, shares the work out, goes on where it was stopped."""

from __future__ import annotations

import csv
import ctypes
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from nllgrade import doctor
from nllgrade.errors import GradeError
from nllgrade.grade import FAILED, Result, Terms, grade, unreadable
from nllgrade.submission import UnreadableError, read_bytes

# Folders beside those of the students, in what macOS zips and Moodle hands out.
NO_WORK = ("__MACOSX", "_assignsubmission_onlinetext")
# The number of a student, in the names of what these systems hand out.
NUMBERS = (
    # Canvas: lastfirst_<user id>_<file id>_name.ipynb, with LATE after the name where it was:
    # canvas-lms, lib/content_zipper.rb, get_filename and add_upload_submission
    re.compile(r"^[^_]*(?:_LATE)?_(\d+)_\d+_"),
    # Moodle: First Last_<participant>_assignsubmission_file: mod/assign/classes/downloader.php
    re.compile(r"_(\d+)_assignsubmission_"),
)
AHEAD = 4  # submissions that wait for each process, so that memory stays flat
GRADEBOOK = "gradebook.csv"
PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True)
class Handed:
    """A file that was handed in, and by whom."""

    student: str
    path: Path
    file: str  # where it lies in the student's folder


def shown(name: str) -> str:
    """A file's name as text that every program can write, in one line."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def find(folder: Path, assignment: str) -> list[Handed]:
    """What was handed in, by student and file.

    A file directly in the folder is its student's; so is each notebook in a student's folder, or,
    as nbgrader collects them, in the folder of the assignment there. Where such a folder holds no
    notebook, its first file stands for it, so that the student has a row. Files that would be
    called alike, such as bo.ipynb and bo/bo.ipynb, are called by their path.
    """
    if not folder.is_dir():
        raise GradeError(f"{folder} is no folder of submissions")
    found = []
    for entry in sorted(folder.iterdir(), key=lambda one: os.fsencode(one.name)):
        if entry.name.startswith(".") or any(one in entry.name for one in NO_WORK):
            continue
        if entry.is_dir() and not entry.is_symlink():
            for path in _of_student(entry, assignment):
                inside = str(path.relative_to(entry))
                found.append(Handed(shown(entry.name), path, shown(inside)))
        else:
            found.append(Handed(shown(entry.stem), entry, shown(entry.name)))
    if not found:
        raise GradeError(f"{folder} holds no submission")
    times = Counter((one.student, one.file) for one in found)
    return [
        replace(one, file=shown(str(one.path.relative_to(folder))))
        if times[one.student, one.file] > 1
        else one
        for one in found
    ]


def twice(handed: Iterable[Handed]) -> list[str]:
    """Who handed in more than once, by the school's number where a name holds one."""
    counts = Counter(named(one.student) for one in handed)
    return sorted(student for student, count in counts.items() if count > 1)


def named(student: str) -> str:
    """What tells a student from others: the school's number, or else the name itself."""
    found = (pattern.search(student) for pattern in NUMBERS)
    return next((match[1] for match in found if match), student)


def _of_student(folder: Path, assignment: str) -> list[Path]:
    inside = folder / assignment
    start = inside if inside.is_dir() and not inside.is_symlink() else folder
    files = sorted(
        Path(place) / name
        for place, folders, names in os.walk(start)  # follows no links
        for name in names
        if not name.startswith(".") and ".ipynb_checkpoints" not in Path(place).parts
    )
    notebooks = [path for path in files if path.suffix.lower() == ".ipynb"]
    return notebooks or files[:1] or [start / "nothing.ipynb"]


def grade_all(
    handed: Iterable[Handed],
    terms: Terms,
    out: Path,
    *,
    jobs: int = 0,
    scheduler: str = "",
) -> list[tuple[str, str]]:
    """Grade what has no result yet, and write the gradebook of all.

    Returns the status of each submission, and the reason for it.

    Raises
    ------
    GradeError
        Where the sandbox does not hold; nothing is then graded.
    """
    (out / "results").mkdir(parents=True, exist_ok=True)
    if (out / "index.json").exists():
        before = next(each(out)).assignment
        if before != terms.spec.assignment:
            raise GradeError(f"{out} holds the results of {before}: give --out another folder")
    everything = list(handed)
    keys: dict[str, tuple[str, str]] = {}
    with tqdm(total=len(everything), unit="", desc=terms.spec.assignment, disable=None) as bar:

        def keep(key: str, result: Result) -> None:
            write_whole(
                out / "results" / f"{key}.json", json.dumps(result.record(), sort_keys=True)
            )
            bar.update()

        def waiting() -> Iterator[tuple[str, tuple[str, str, bytes]]]:
            for one in everything:
                content, problem = b"", ""
                try:
                    content = _content(one.path)
                except UnreadableError as error:
                    problem = str(error)
                key = terms.key(one.student, one.file, content or problem.encode())
                known = key in keys or _is_done(out / "results" / f"{key}.json")
                keys[key] = (one.student, one.file)
                if known:
                    bar.update()
                elif problem:
                    keep(key, unreadable(terms, one.student, one.file, b"", problem))
                else:
                    yield key, (one.student, one.file, content)

        with _workers(terms, jobs, scheduler) as (submit, many):
            try:
                _share(waiting(), submit, many * AHEAD, keep)
            except BrokenProcessPool:
                raise GradeError(
                    "a process that grades was ended from outside: the same command goes on"
                ) from None
    write_whole(out / "index.json", json.dumps(sorted(keys, key=lambda key: keys[key])))
    return write_gradebook(each(out), out / GRADEBOOK)


def _is_done(path: Path) -> bool:
    """Whether there is a result; a failure of the grader is none, and may have passed."""
    try:
        return f'"reason": "{FAILED}' not in path.read_text(encoding="utf-8")
    except OSError:
        return False


def _content(path: Path) -> bytes:
    if path.suffix.lower() != ".ipynb" and not path.is_symlink():
        raise UnreadableError("the file is no notebook: its name does not end in .ipynb")
    return read_bytes(path)


def _share(
    work: Iterator[tuple[str, tuple[str, str, bytes]]],
    submit: Callable[..., Any],
    most: int,
    keep: Callable[[str, Result], None],
) -> None:
    """Hand out the work, a little ahead of the workers, and keep what comes back."""
    running: dict[Any, str] = {}
    over = False
    while running or not over:
        while not over and len(running) < most:
            following = next(work, None)
            if following is None:
                over = True
            else:
                running[submit(*following[1])] = following[0]
        done = [one for one in running if one.done()] or list(_first(running)) if running else []
        for one in done:
            keep(running.pop(one), one.result())


def _first(running: Iterable[Any]) -> Iterable[Any]:
    some = list(running)
    if isinstance(some[0], Future):
        return wait(some, return_when=FIRST_COMPLETED).done
    from distributed import wait as wait_for

    done: Iterable[Any] = wait_for(some, return_when="FIRST_COMPLETED").done
    return done


_TERMS: list[Terms] = []  # of this worker process


def _begin(terms: Terms) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # not to outlive the command
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which the command itself takes
    _TERMS[:] = [terms]


def _work(student: str, file: str, content: bytes) -> Result:
    return grade(_TERMS[0], student, file, content)


@contextmanager
def _workers(terms: Terms, jobs: int, scheduler: str) -> Iterator[tuple[Callable[..., Any], int]]:
    """What submits work and how many do it: processes here, or the workers of a dask scheduler."""
    if scheduler and terms.level == "container":
        raise GradeError("--scheduler needs the level bwrap: a container has one submission")
    if scheduler:
        try:
            from distributed import Client
        except ImportError:
            raise GradeError(
                "--scheduler needs dask.distributed: pip install distributed"
            ) from None
        try:
            client = Client(scheduler, timeout=30)
        except OSError as error:
            raise GradeError(f"no scheduler answers at {scheduler}: {error}") from None
        with client:
            common = client.scatter(terms, broadcast=True)
            many = max(1, sum(client.nthreads().values()))
            yield lambda *one: client.submit(grade, common, *one, pure=False, retries=2), many
        return
    doctor.require(terms.level)  # once, before anything is started
    many = jobs or os.cpu_count() or 1
    if terms.level == "container":
        many = 1  # all submissions run as one user, whose processes are ended after each
    with ProcessPoolExecutor(many, initializer=_begin, initargs=(terms,)) as pool:
        try:
            yield lambda *one: pool.submit(_work, *one), many
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def load(out: Path) -> list[Result]:
    """The results of the last run in a folder, by student and file."""
    return list(each(out))


def each(out: Path) -> Iterator[Result]:
    """The same one by one, so that a large class takes no more memory than a small one."""
    try:
        keys = json.loads((out / "index.json").read_text(encoding="utf-8"))
    except OSError:
        raise GradeError(f"{out} holds no results: run `nllgrade grade` first") from None
    for path in (out / "results" / f"{key}.json" for key in keys):
        try:
            yield Result.of(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            raise GradeError(f"{path} is damaged: delete it, and grade again") from None


def write_gradebook(results: Iterator[Result], path: Path) -> list[tuple[str, str]]:
    """One row a submission: who, what, the status, the points of each item and their sum.

    Returns each status, and the reason for it.
    """
    said: list[tuple[str, str]] = []
    first = next(results)
    items = [one.id for one in first.items]
    head = ["student", "file", "sha256", "assignment", "course", "level", "status", "reason"]

    def rows() -> Iterator[list[str]]:
        for one in chain([first], results):
            said.append((one.status, one.reason))
            yield [
                *(one.student, one.file, one.sha256, one.assignment, one.course, one.level),
                *(one.status, one.reason, *(f"{item.earned:g}" for item in one.items)),
                f"{one.earned:g}",
                f"{sum(item.points for item in one.items):g}",
            ]

    write_table(path, [*head, *items, "automatic", "of"], rows())
    return said


def write_table(
    path: Path, head: list[str], rows: Iterable[list[str]], encoding: str = "utf-8"
) -> None:
    """Write a CSV file that no spreadsheet takes for formulas."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
    with scratch.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for row in rows:
            writer.writerow([harmless(one) for one in row])
    scratch.replace(path)


def harmless(text: str) -> str:
    """A field that a spreadsheet would run as a formula, with an apostrophe in front."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
    scratch.write_text(text + "\n", encoding="utf-8")
    scratch.replace(path)
