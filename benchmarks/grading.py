"""Measures the grader: processor time for each submission, memory, classes of 30 and of 5,000.

``python benchmarks/grading.py`` (``make bench-grade``); ``--class-size 500`` for a shorter run.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from distributed import LocalCluster

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nllgrade import doctor
from nllgrade.batch import GRADEBOOK
from nllgrade.grade import grade
from nllgrade.master import names

from tests.coursework.papers import blank, code, master, solved, terms, written
from tests.coursework.test_hostile import CHEATS, DYING, HANGING, WRONG

REPEAT = 15
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def adopt() -> None:
    """Let processes whose parent has ended become children of this one, to be counted."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> float:
    """Seconds of processor time of all processes that ended below this one, adopted ones too."""
    time.sleep(0.05)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def own_compute(name: str) -> float:
    """Seconds of processor time that the answers and the cells themselves take."""
    spec = terms(name).spec
    began = time.process_time()
    scope: dict[str, Any] = {"__name__": "__main__"}
    with redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
        for part in master(name).parts:
            if part.kind == "code" and not part.is_tested:
                exec(compile(part.source, "cell", "exec"), scope)
        for item in spec.items:
            for case in item.cases:
                if case.arguments is not None:
                    scope[item.name](*case.arguments, **case.options)
    return time.process_time() - began


def each(name: str) -> None:
    """Processor time of one honest submission."""
    adopt()
    content = written(solved(name))
    doctor.require("bwrap")
    spent = []
    for _ in range(REPEAT):
        before, mine = children(), time.process_time()
        grade(terms(name), "someone", f"{name}.ipynb", content)
        spent.append(time.process_time() - mine + children() - before)
    own = median(own_compute(name) for _ in range(REPEAT))
    print(f"{name:32} {median(spent):8.3f} s, of which the student's own {own:.3f} s", flush=True)


def class_of(size: int, hostile: int, folder: Path, name: str) -> None:
    """Write a class, the hostile ones spread over it; the same each time."""
    folder.mkdir()
    choose = random.Random(7)
    attacks = [*CHEATS.values(), *DYING.values(), *HANGING.values()]
    bad = set(choose.sample(range(size), hostile))
    questions = sorted({one.question for one in terms(name).spec.items})
    plain = blank(name)
    for number in range(size):
        wrong = choose.sample(questions, choose.randrange(3))
        known = {one["metadata"].get("nbgrader", {}).get("grade_id"): one for one in plain["cells"]}
        notebook = solved(name, answers={one: known[one]["source"] for one in wrong})
        if number in bad:
            notebook = solved(name, answers={questions[0]: WRONG})
            notebook["cells"].append(code(choose.choice(attacks)))
        else:  # no two files alike
            notebook["cells"].append(code(f"student = {number}"))
        (folder / f"student{number:05}.ipynb").write_bytes(written(notebook))


def command(folder: Path, out: Path, name: str, *more: str) -> list[str]:
    start = [sys.executable, "-m", "nllgrade", "grade", str(folder), "--assignment", name]
    return [*start, "--out", str(out), "--seconds", "4", *more]


def timed(words: list[str]) -> tuple[float, int]:
    """Seconds, and the most memory that the grading process itself had, in MB."""
    began = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            text = Path(f"/proc/{process.pid}/status").read_text()
            most = int(text.partition("VmHWM:")[2].split()[0]) // 1000
        except (OSError, IndexError):
            pass
        time.sleep(0.2)
    assert process.returncode == 0
    return time.monotonic() - began, most


def with_dask(handed: Path, out: Path, name: str, size: int) -> float:
    """Seconds that dask's two workers take, though the command is killed midway and begun again."""
    began = time.monotonic()
    workers = {"n_workers": 2, "threads_per_worker": 1}
    with LocalCluster(host="127.0.0.1", dashboard_address=None, **workers) as cluster:
        words = command(handed, out, name, "--scheduler", cluster.scheduler_address)
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list((out / "results").glob("*.json"))) < size // 2:
            assert process.poll() is None
            time.sleep(1)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (out / GRADEBOOK).exists()
        timed(words)
    return time.monotonic() - began


def machine() -> str:
    """What this was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {model}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--class-size", type=int, default=5000)
    options = parser.parse_args()
    print(f"{machine()}, Python {platform.python_version()}")
    print(f"\nprocessor time of an honest submission, medians of {REPEAT}")
    for name in names():
        each(name)
    name = names()[0]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        class_of(30, 10, folder / "small", name)
        seconds, memory = timed(command(folder / "small", folder / "small-out", name))
        print(f"\n30 students, 10 of them hostile: {seconds:.0f} s, {memory} MB", flush=True)
        size = options.class_size
        class_of(size, size // 50, folder / "large", name)
        seconds, memory = timed(command(folder / "large", folder / "large-out", name))
        print(f"{size} students, 2 % hostile: {seconds:.0f} s, {memory} MB", flush=True)
        seconds = with_dask(folder / "large", folder / "dask-out", name, size)
        books = [(folder / out / GRADEBOOK).read_bytes() for out in ("large-out", "dask-out")]
        assert books[0] == books[1]
        assert books[0].count(b"\n") == size + 1
        print(f"the same by dask, 2 workers, killed at half and begun again: {seconds:.0f} s,")
        print("and the gradebook is the same to the last byte", flush=True)


if __name__ == "__main__":
    main()
