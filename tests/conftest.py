"""Settings of the whole test run, and the site that several tests look at."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.building import copy_book, run
from web import npm
from web.browser import launched, served
from web.source import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

os.environ.pop("MPLBACKEND", None)  # with "agg", kernels would show no figures

pytest.register_assert_rewrite("tests.libraries")  # its asserts say what they found, too

# Imported by test_libraries.py alone, when it runs: the libraries take seconds to import.
collect_ignore_glob = ["libraries/of_*.py", "on_*.py"]

# On Linux alone there are the namespaces of the sandbox, and Triton.
LINUX = ("test_hostile.py", "test_course.py", "test_doctor.py", "test_torch_kernels.py")
_LEFT_OUT: list[str] = []

# A new version has a new checksum, too: `npm view axe-core@VERSION dist.integrity` tells it.
AXE = "4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that need Linux, except there."""
    if sys.platform.startswith("linux"):
        return
    out = [one for one in items if one.path.name in LINUX]
    config.hook.pytest_deselected(items=out)
    items[:] = [one for one in items if one not in out]
    _LEFT_OUT.extend(one.nodeid for one in out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out, and why."""
    if _LEFT_OUT:
        files = ", ".join(LINUX)
        said = f"{len(_LEFT_OUT)} tests of {files} were left out: they run on Linux alone"
        terminalreporter.write_line(said)


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """What runs next in this process would show it."""
    yield
    if plt := sys.modules.get("matplotlib.pyplot"):
        left = plt.get_fignums()
        plt.close("all")
        assert not left, "close the figures that were drawn"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The real book, built without jupyter-book: the way out if that is ever given up.

    Where several processes run the tests, the first to ask builds it, and the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "book"
    with open(folder.with_suffix(".lock"), "w") as lock:
        flock(lock, LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            copy_book(folder)
            config = run(folder, "jupyter-book", "config", "sphinx", ".")
            assert config.returncode == 0, config.stderr
            built = run(
                folder, "sphinx-build", "-W", "-n", "--keep-going", "-b", "html", ".", "_build/html"
            )
            assert built.returncode == 0, built.stderr
        assert (folder / "_build" / "html" / "search.html").exists(), "the book was not built"
    return folder / "_build"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, with no other host in reach."""
    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served, on this machine alone."""
    with served(site / "html") as start:
        yield start


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which looks for what stands in the way of some readers."""
    folder = npm.fetch("axe-core", AXE, AXE_SHA512, ("axe.min.js",), ROOT / npm.CACHE)
    return (folder / "axe.min.js").read_text(encoding="utf-8")
