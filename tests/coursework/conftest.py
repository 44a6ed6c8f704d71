"""Leaves out, and says so, what needs Linux's namespaces where there are none."""

from __future__ import annotations

import sys

import pytest

SANDBOXED = ("test_hostile.py", "test_course.py", "test_doctor.py")  # they run submissions
_LEFT_OUT: list[str] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the tests that run submissions, except on Linux."""
    if sys.platform.startswith("linux"):
        return
    out = [one for one in items if one.path.name in SANDBOXED]
    config.hook.pytest_deselected(items=out)
    items[:] = [one for one in items if one not in out]
    _LEFT_OUT.extend(one.nodeid for one in out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were left out, and why."""
    if _LEFT_OUT:
        files = ", ".join(SANDBOXED)
        said = f"{len(_LEFT_OUT)} tests of {files} were left out: submissions run on Linux alone"
        terminalreporter.write_line(said)
