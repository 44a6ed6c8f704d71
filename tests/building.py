"""Builds books for the tests: the real one in a folder of its own, or what a test puts there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from web import npm
from web.source import ROOT

BOOK = (
    *("CITATION.cff", "LICENSE", "Makefile", "_config.yml", "_toc.yml", "benchmarks", "chapters"),
    *("nllbook", "pyproject.toml", "requirements.txt", "web"),
)


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / command[0]), *command[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def copy_book(folder: Path) -> None:
    for name in BOOK:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(
                origin, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build")
            )
        else:
            shutil.copy(origin, folder / name)
    fetched = ROOT / npm.CACHE
    if fetched.is_dir():  # before: no need of the network
        shutil.copytree(fetched, folder / npm.CACHE)
