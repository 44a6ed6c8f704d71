"""Measures what a newcomer waits for: `make book` from nothing and again, `make quick`, chapters.

    python benchmarks/book.py [--repeat 3]

The package caches stay warm; nothing else does. Prints medians and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def seconds(folder: Path, *command: str) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as scratch:
        clone = Path(scratch) / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        times = {
            "make book, fresh clone (goal 90 s)": seconds(clone, "make", "book"),
            "make book, no change (goal 30 s)": seconds(clone, "make", "book"),
            "make quick (goal 60 s)": seconds(clone, "make", "quick"),
        }
        python = str(clone / ".venv" / "bin" / "python")
        imports = [
            statistics.median(seconds(clone, python, "-c", f"import {name}") for _ in range(9))
            for name in ("nllbook", "numpy")
        ]
        times["import nllbook beyond NumPy (goal 0.2 s)"] = imports[0] - imports[1]
        for chapter in sorted((clone / "notebooks").glob("*.ipynb")):
            command = (python, "-m", "web.notebooks", chapter.stem)
            times[f"convert and run {chapter.stem} (goal 15 s)"] = seconds(clone, *command)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    runs = [measure() for _ in range(parser.parse_args().repeat)]
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {len(runs)} runs")
    for name in runs[0]:
        values = sorted(run[name] for run in runs)
        median = statistics.median(values)
        print(f"{name:50} {median:6.2f} s  ({values[0]:.2f} to {values[-1]:.2f})")


if __name__ == "__main__":
    main()
