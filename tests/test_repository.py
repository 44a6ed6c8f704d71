"""What a newcomer meets: the README's commands, their messages, the lock, the house's order."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from web.source import ROOT

MAKE_NEEDS = ("Makefile", "requirements.txt", "pyproject.toml")


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listing.stdout.splitlines()]


def make(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make in a copy of the project that holds only what the set-up reads."""
    for name in MAKE_NEEDS:
        shutil.copy(ROOT / name, folder / name)
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_readme_names_targets_that_exist_and_ci_runs_its_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^make ([a-z-]+)", readme, re.MULTILINE))
    assert named == {"book", "test"}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert named <= targets
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert {"make book", "make mutants"} < set(commands)
    assert commands[-1] == "make test"  # so that its summary ends what a run prints


def test_help_names_every_target(tmp_path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    helped = re.findall(r"^  make ([a-z-]+)", make(tmp_path, "help").stdout, re.MULTILINE)
    assert helped == phony.split()


def test_a_python_that_is_too_old_is_refused_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    pretend = "import sys; sys.version_info = (3, 9, 1); exec(sys.argv[1])"
    old.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{pretend}" "$2"\n', encoding="utf-8")
    old.chmod(0o755)
    run = make(tmp_path, "book", f"PYTHON={old}")
    assert run.returncode != 0
    assert f"needs Python 3.11 or newer, and {old} is 3.9." in run.stderr
    assert "make book PYTHON=/path/to/python3.12" in run.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.slow
def test_without_network_or_cache_the_set_up_says_what_it_needs(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/simple"  # the discard port: refused at once
    cut_off = {
        "PIP_INDEX_URL": nowhere,
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
    }
    run = make(tmp_path, "book", f"PYTHON={sys.executable}", **cut_off)
    assert run.returncode != 0
    assert "The first run needs the network, or a package cache that holds them." in run.stderr
    assert not (tmp_path / ".venv").exists()  # nothing half-made stays


def test_the_lock_pins_every_direct_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["book"], *extras["test"]]
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    direct = {re.split(r"[<>=~ ;]", one)[0].lower().replace("_", "-") for one in wanted}
    assert direct <= pinned
    assert "torch" not in pinned  # its default build is several gigabytes; it is kept apart


def test_every_python_file_opens_with_what_it_is_for() -> None:
    for path in tracked("*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring, path


def test_the_top_level_is_the_house_that_the_readme_shows() -> None:
    top = {path.relative_to(ROOT).parts[0] for path in tracked()}
    folders = {"chapters", "notebooks", "nllbook", "web", "coursework", "tests", "benchmarks"}
    hidden = {".binder", ".ci", ".gitattributes", ".github", ".gitignore"}
    files = {"README.md", "LICENSE", "CITATION.cff", "Makefile", "pyproject.toml"}
    files |= {"requirements.txt", "_config.yml", "_toc.yml"}
    assert top == folders | hidden | files
