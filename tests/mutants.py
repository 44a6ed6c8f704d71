"""Checks of the book's checks: plausible mistakes, planted one at a time; each must be caught.

A mutant replaces one piece of text in the package or in a chapter's cells; ``tests/mistakes`` lists
them, one file a chapter. The chapter's cells are then run (without drawing), and a `check(...)` of
the book must raise. `make mutants ONLY=...` names the claim that caught each.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from web import source

FOLDER = Path(__file__).parent / "mistakes"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # as many runs as cores
CAUGHT = 3  # exit status of a run that a check stopped; 1 would be any crash


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


def mutate(mutant: Mutant, folder: Path) -> Path:
    """A copy of the package and the chapter in ``folder``, mutated; the chapter's path."""
    shutil.copytree(
        source.ROOT / "nllbook", folder / "nllbook", ignore=shutil.ignore_patterns("__pycache__")
    )
    chapter = folder / "chapters" / f"{mutant.chapter}.md"
    chapter.parent.mkdir()
    shutil.copy(source.CHAPTERS / chapter.name, chapter)
    target = folder / mutant.file
    text = target.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise ValueError(
            f"{mutant.file}: the mutant {mutant.mistake!r} must find {mutant.old!r} exactly once, "
            f"found it {text.count(mutant.old)} times: mend the mutant"
        )
    target.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    return chapter


def catch(mutant: Mutant, limit: float = 300) -> tuple[bool, str]:
    """Whether a check of the book caught the mutant, and its claim (or what happened instead)."""
    with tempfile.TemporaryDirectory() as folder:
        chapter = mutate(mutant, Path(folder))
        path = os.pathsep.join([folder, str(source.ROOT)])
        try:
            run = subprocess.run(
                [sys.executable, "-m", "tests.mutants", "--run", str(chapter)],
                cwd=folder,  # so that the mutated package is imported, not the one of the checkout
                env={**os.environ, "PYTHONPATH": path, **ONE_THREAD},
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False, f"HUNG, no check objects in {limit:g} s"
    if run.returncode == CAUGHT:
        return True, run.stdout.strip().splitlines()[-1]
    if run.returncode == 0:
        return False, "SURVIVED: no check of the book objects"
    last = [f"exit status {run.returncode}", *run.stderr.strip().splitlines()][-1]
    return False, f"CRASHED, no check objects: {last}"


def run_cells(path: Path) -> str | None:
    """Run a chapter's cells without drawing; the id of the first claim that fails, if any."""
    from nllbook import ClaimError, plotting

    def figure(columns: int = 1, *, rows: int = 1, height: float | None = None) -> Any:
        return MagicMock(), [_Axes() for _ in range(columns * rows)]

    plotting.figure = figure
    namespace: dict[str, object] = {}
    for cell in source.read(path).cells:
        # the line of the chapter, so that a traceback points to it
        code = compile("\n" * (cell.body_line - 1) + cell.body, str(path), "exec")
        try:
            exec(code, namespace)
        except ClaimError as error:
            return error.claim
    return None


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
    parser.add_argument(
        "--run", type=Path, help="run this chapter's cells; exit 3 at a failing check"
    )
    parser.add_argument("only", nargs="?", help="only mutants whose chapter or mistake holds this")
    arguments = parser.parse_args()
    if arguments.run:
        claim = run_cells(arguments.run)
        print(claim or "no check objects")
        return CAUGHT if claim else 0
    only = arguments.only or ""
    mutants = [one for one in MUTANTS if only in one.chapter or only in one.mistake]
    claims = {one.options["label"] for page in source.chapters() for one in page.statements}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = zip(mutants, pool.map(catch, mutants), strict=True)
        return report(results, set() if only else claims, every=bool(only))


if __name__ == "__main__":
    sys.exit(main())
