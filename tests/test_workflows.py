"""The GitHub workflows: two linters, what the linters leave open, and proof that both can fail."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PUBLISH = ROOT / ".github" / "workflows" / "publish.yml"
DEPENDABOT = ROOT / ".github" / "dependabot.yml"

# Only GitHub's own actions, each at a commit (a tag can be moved), with the version beside it.
PINNED = re.compile(r"(?:- )?uses: (actions/[a-z-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+")

# A workflow with two slips: a misspelled key, and an action at a tag.
BROKEN = """\
name: Broken
on: push
permissions: {}
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minuts: 5
    steps:
      - uses: actions/checkout@v7
        with:
          persist-credentials: false
      - run: make tset
"""

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    """Look for insecure workflows. The program is a binary beside the interpreter."""
    program = shutil.which("zizmor", path=str(Path(sys.executable).parent))
    assert program, f"zizmor is not installed beside {sys.executable}"
    options = ["--offline", "--no-config", "--no-progress", "--color=never", "--persona=pedantic"]
    return run(program, *options, "--strict-collection", *map(str, paths))


def schema(name: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Compare files with a schema that check-jsonschema carries."""
    options = ["-m", "check_jsonschema", "--color=never", "--builtin-schema", f"vendor.{name}"]
    return run(sys.executable, *options, *map(str, paths))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def load(path: Path) -> dict[str, Any]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(path)["jobs"]
    return found


def steps(path: Path) -> Iterator[dict[str, Any]]:
    for job in jobs(path).values():
        yield from job["steps"]


def unpinned(path: Path) -> list[str]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if re.match(r"(- )?uses:", line) and not PINNED.fullmatch(line)]


def without_timeout(path: Path) -> list[str]:
    return [name for name, job in jobs(path).items() if "timeout-minutes" not in job]


def made(path: Path) -> set[str]:
    """The targets that a workflow gives to make."""
    targets: set[str] = set()
    for step in steps(path):
        words = shlex.split(step.get("run", ""), comments=True)
        if words[:1] == ["make"]:
            targets |= {word for word in words[1:] if "=" not in word and not word.startswith("-")}
    return targets


def makefile_targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", text, flags=re.MULTILINE))


def test_the_linters_find_nothing() -> None:
    assert WORKFLOWS
    for result in (
        zizmor(*WORKFLOWS, DEPENDABOT),
        schema("github-workflows", *WORKFLOWS),
        schema("dependabot", DEPENDABOT),
    ):
        assert result.returncode == 0, result.stdout + result.stderr


def test_the_checks_can_fail(tmp_path: Path) -> None:
    broken = tmp_path / ".github" / "workflows" / "broken.yml"
    broken.parent.mkdir(parents=True)
    broken.write_text(BROKEN, encoding="utf-8")

    insecure = zizmor(broken)
    assert insecure.returncode != 0
    assert "unpinned-uses" in insecure.stdout

    invalid = schema("github-workflows", broken)
    assert invalid.returncode != 0
    assert "timeout-minuts" in invalid.stdout

    assert unpinned(broken) == ["- uses: actions/checkout@v7"]
    assert without_timeout(broken) == ["test"]
    assert made(broken) - makefile_targets() == {"tset"}


def test_every_make_target_exists_and_the_gates_are_run() -> None:
    named = set().union(*map(made, WORKFLOWS))
    assert named <= makefile_targets()
    assert {"publish-dry-run", "test", "test-portable", "mutants"} <= named


def test_every_python_that_is_promised_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [re.fullmatch(r".* :: (3\.\d+)", one) for one in project["classifiers"]]
    promised = [one[1] for one in named if one]
    tested = jobs(ROOT / ".github" / "workflows" / "test.yml")["test"]["strategy"]["matrix"]
    assert tested["python"] == promised
    assert project["requires-python"] == f">={promised[0]}"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"Python {promised[0]} or newer (tested up to {promised[-1]})" in readme
    assert f"Python {promised[0]} to {promised[-1]}, with NumPy from 1.26 on" in readme


def test_make_stands_alone_in_its_step() -> None:
    # `made` reads a step whose first word is make; one hidden behind `cd x &&` would escape it.
    hidden = [
        step["run"]
        for path in WORKFLOWS
        for step in steps(path)
        if re.search(r"\bmake\b", step.get("run", ""))
        and not re.fullmatch(r"make [a-z-]+ PYTHON=python\n?", step["run"])
    ]
    assert not hidden


@each_workflow
def test_every_action_is_pinned_to_a_commit(path: Path) -> None:
    assert not unpinned(path)
    pinned = PINNED.findall(path.read_text(encoding="utf-8"))
    # The text above and the parsed file below agree on how many there are.
    assert len(pinned) == sum("uses" in step for step in steps(path)) > 0


def test_one_commit_for_each_action() -> None:
    found = {
        pair for path in WORKFLOWS for pair in PINNED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(found) == len({action for action, _ in found})


@each_workflow
def test_every_job_has_a_time_limit(path: Path) -> None:
    assert not without_timeout(path)


@each_workflow
def test_nothing_is_granted_by_default(path: Path) -> None:
    assert load(path)["permissions"] == {}
    assert all("permissions" in job for job in jobs(path).values())
    # It runs with the base repository's rights on what a pull request brings.
    assert "pull_request_target" not in path.read_text(encoding="utf-8")


@each_workflow
def test_no_checkout_leaves_its_token_behind(path: Path) -> None:
    checkouts = [step for step in steps(path) if "actions/checkout@" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_main_publishes_and_only_where_pages_is_on() -> None:
    condition = "github.ref == 'refs/heads/main' && github.event.repository.has_pages"
    writers = {
        name: job
        for path in WORKFLOWS
        for name, job in jobs(path).items()
        if "write" in job["permissions"].values()
    }
    assert set(writers) == {"deploy", "branch"}
    assert all(job["if"] == condition for job in writers.values())
    # A job that may publish checks nothing out and runs no code of the book; one of them runs git.
    for job in writers.values():
        assert not any("checkout" in step.get("uses", "") for step in job["steps"])
    assert not any("run" in step for step in writers["deploy"]["steps"])
    assert writers["branch"]["permissions"] == {"contents": "write"}
    (push,) = [step["run"] for step in writers["branch"]["steps"] if "run" in step]
    assert set(re.findall(r"^ *(?:if )?(\w+)", push, re.MULTILINE)) <= {"git", "echo", "else", "fi"}


def push_script() -> str:
    (step,) = [step for step in jobs(PUBLISH)["branch"]["steps"] if "run" in step]
    return str(step["run"])


def test_the_branch_is_pushed_once_and_grows_only_by_what_changes(tmp_path: Path) -> None:
    """The script of the workflow, with a repository on this machine in the place of GitHub's."""
    origin, work = tmp_path / "origin.git", tmp_path / "work"
    (work / "files" / ".binder").mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "COMMIT": "abc",
        "TOKEN": "none",
        "ADDRESS": str(origin),
        "GIT_CONFIG_NOSYSTEM": "1",
    }

    def push() -> str:
        shutil.rmtree(work / "repository", ignore_errors=True)
        bash = ["bash", "-eo", "pipefail", "-c", push_script()]
        done = subprocess.run(bash, cwd=work, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return git("rev-list", "--count", "published").strip()

    def git(*arguments: str) -> str:
        run = ["git", "-C", str(origin), *arguments]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout

    subprocess.run(["git", "init", "--quiet", "--bare", origin], check=True)
    (work / "files" / "one.ipynb").write_text("1", encoding="utf-8")
    (work / "files" / ".binder" / "runtime.txt").write_text("python-3.12", encoding="utf-8")
    assert push() == "1"
    assert push() == "1"  # nothing has changed
    (work / "files" / "one.ipynb").rename(work / "files" / "two.ipynb")
    assert push() == "2"
    listed = git("ls-tree", "-r", "--name-only", "published").split()
    assert listed == [".binder/runtime.txt", "two.ipynb"]
