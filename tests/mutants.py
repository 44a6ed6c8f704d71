"""Checks of the book's checks: plausible mistakes, planted one at a time; each must be caught.

A mutant replaces one piece of text in the package or in a chapter's cells; ``tests/mistakes`` lists
them, one file a chapter. The chapter's cells are then run (without drawing), and a `check(...)` of
the book must raise. `make mutants ONLY=...` names the claim that caught each.

The cells before a mistake are the same for all mutants of a chapter: one process runs them once,
and each mutant goes on from there in a fork of it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from web import source

FOLDER = Path(__file__).parent / "mistakes"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as many runs as cores
TOGETHER = 12  # mutants of a chapter's cells that one process tries
CAUGHT, CRASHED = 3, 1  # exit status of a fork that a check stopped, or any other error


@dataclass(frozen=True)
class Mutant:
    """``old``, which stands once in ``file``, becomes ``new``; the chapter's checks must object."""

    mistake: str
    file: str
    old: str
    new: str
    chapter: str


def read(folder: Path = FOLDER) -> list[Mutant]:
    """The mutants of ``tests/mistakes``, one file a chapter, in the order of the book."""
    order = [page.path.stem for page in source.chapters()]
    mutants = []
    for path in sorted(folder.glob("*.toml"), key=lambda path: order.index(path.stem)):
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]:
            entry = {"file": f"chapters/{path.stem}.md", **entry}
            if entry.keys() != {"mistake", "file", "old", "new"}:
                raise ValueError(
                    f"{path.name}: {entry.get('mistake')!r} has the keys {', '.join(entry)}; "
                    "wanted are mistake, old, new and perhaps file"
                )
            mutants.append(Mutant(**entry, chapter=path.stem))
    return mutants


MUTANTS = read()


def mutated(mutant: Mutant) -> str:
    """The text of the mutant's file."""
    text = (source.ROOT / mutant.file).read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(
            f"{mutant.file}: the mutant {mutant.mistake!r} must find {mutant.old!r} exactly once, "
            f"found it {text.count(mutant.old)} times: mend the mutant"
        )
    return text.replace(mutant.old, mutant.new)


def together(mutants: Iterable[Mutant]) -> Iterator[list[Mutant]]:
    """What one process can try: some mutants of one chapter's cells, or one of the package."""
    for chapter, those in groupby(mutants, lambda one: one.chapter):
        group: list[Mutant] = []
        for mutant in those:
            if mutant.file != f"chapters/{chapter}.md":
                yield [mutant]
                continue
            group.append(mutant)
            if len(group) == TOGETHER:
                yield group
                group = []
        if group:
            yield group


def catch(mutants: Sequence[Mutant], limit: int = 300) -> list[tuple[bool, str]]:
    """For each of `together`: whether a check caught it, and its claim (or what else happened)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source.ROOT / "nllbook", folder / "nllbook", ignore=without)
        chapter = source.CHAPTERS / f"{mutants[0].chapter}.md"
        pages = [folder / f"{number}.md" for number in range(len(mutants))]
        for mutant, page in zip(mutants, pages, strict=True):
            shutil.copy(chapter, page)
            (page if mutant.file.startswith("chapters/") else folder / mutant.file).write_text(
                mutated(mutant), encoding="utf-8"
            )
        run = subprocess.run(
            [sys.executable, "-m", "tests.mutants", "--run", str(chapter), *map(str, pages)],
            cwd=folder,  # so that the mutated package is imported, not the one of the checkout
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join([name, str(source.ROOT)]),
                "LIMIT": str(limit),
                **ONE_THREAD,
            },
            capture_output=True,
            text=True,
            timeout=(len(mutants) + 1) * limit,
            check=False,
        )
        if run.returncode:
            raise RuntimeError(f"{chapter.name}, not mutated, fails: {run.stderr[-2000:]}")
        results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return [(bool(caught), by) for caught, by in results]


def run_pages(chapter: Path, pages: list[Path], limit: int) -> None:
    """Run the mutants of a chapter, each in a fork; write ``results.json`` in this folder.

    A mutant of the package has no other cells: its fork begins at the first.
    """
    from nllbook import plotting

    def figure(columns: int = 1, *, rows: int = 1, height: float | None = None) -> Any:
        return MagicMock(), [_Axes() for _ in range(columns * rows)]

    cells = source.read(chapter).cells
    changed = {page: source.read(page).cells for page in pages}
    first = {
        page: next((k for k, cell in enumerate(cells) if cell.body != its[k].body), 0)
        for page, its in changed.items()
    }
    plotting.figure = figure
    namespace: dict[str, object] = {}
    results: dict[Path, tuple[bool, str]] = {}
    for number, cell in enumerate(cells[: max(first.values()) + 1]):
        for page in pages:
            if first[page] == number:
                results[page] = _in_a_fork(changed[page][number:], page, namespace, limit)
        if number < max(first.values()):
            _run(cell, chapter, namespace)
    ordered = [results[page] for page in pages]
    Path("results.json").write_text(json.dumps(ordered), encoding="utf-8")


def _run(cell: source.Directive, path: Path, namespace: dict[str, object]) -> None:
    # the line of the chapter, so that a traceback points to it
    exec(compile("\n" * (cell.body_line - 1) + cell.body, str(path), "exec"), namespace)


def _in_a_fork(
    cells: list[source.Directive], path: Path, namespace: dict[str, object], limit: int
) -> tuple[bool, str]:
    """Whether a check stopped these cells, and its claim (or what else happened)."""
    from nllbook import ClaimError

    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        signal.alarm(limit)
        code, said = 0, ""
        try:
            for cell in cells:
                _run(cell, path, namespace)
        except ClaimError as error:
            code, said = CAUGHT, str(error.claim)
        except BaseException as error:
            code, said = CRASHED, f"{type(error).__name__}: {error}"
        os.write(writing, said[:4000].encode())  # less than a pipe holds
        os._exit(code)
    os.close(writing)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with os.fdopen(reading) as end:
        said = end.read()
    if code == CAUGHT:
        return True, said
    if code == 0:
        return False, "SURVIVED: no check of the book objects"
    if code == -signal.SIGALRM:
        return False, f"HUNG, no check objects in {limit} s"
    return False, f"CRASHED, no check objects: {said or f'exit status {code}'}"


class _Axes(MagicMock):
    """Axes that draw nothing; `plot` gives one line, as for one pair of x and y."""

    def plot(self, *args: object, **kwargs: object) -> list[MagicMock]:
        return [MagicMock()]


def report(
    results: Iterable[tuple[Mutant, tuple[bool, str]]], claims: set[str], *, every: bool = False
) -> int:
    """Print the mutants that were not caught (or every one), and the count of each chapter.

    1 if one was not caught, or a claim caught none, else 0.
    """
    proven, total, caught_of = set[str](), Counter[str](), Counter[str]()
    for mutant, (caught, by) in results:
        if mutant.chapter not in total:
            print(f"{mutant.chapter} ...", flush=True)
        total[mutant.chapter] += 1
        caught_of[mutant.chapter] += caught
        proven |= {by} if caught else set()
        if every or not caught:
            said = f"caught by {by}" if caught else by
            print(f"{said:48} {mutant.file}: {mutant.mistake}", flush=True)
    for chapter, count in total.items():
        print(f"{chapter:28} {caught_of[chapter]:3} of {count:3}")
    print(f"{caught_of.total()} of {total.total()} mutants caught by the book's checks")
    for claim in sorted(claims - proven):
        print(f"{claim}: no mutant is caught by its checks, so nothing shows that they can fail")
    return 1 if caught_of != total or claims - proven else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, nargs="+", help="a chapter, and mutants of it")
    parser.add_argument("only", nargs="?", help="only mutants whose chapter or mistake holds this")
    arguments = parser.parse_args()
    if arguments.run:
        chapter, *pages = arguments.run
        run_pages(chapter, pages, int(os.environ["LIMIT"]))
        return 0
    only = arguments.only or ""
    mutants = [one for one in MUTANTS if only in one.chapter or only in one.mistake]
    claims = {one.options["label"] for page in source.chapters() for one in page.statements}
    groups = list(together(mutants))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = zip(groups, pool.map(catch, groups), strict=True)
        results = (pair for group, said in found for pair in zip(group, said, strict=True))
        return report(results, set() if only else claims, every=bool(only))


if __name__ == "__main__":
    sys.exit(main())
