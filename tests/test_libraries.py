"""Tests of the page "In other libraries": every cell of its tables against the real library."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest

from web import libraries
from web.libraries import LIBRARIES, PACKAGES

pytest.register_assert_rewrite("tests.libraries")

LOSSES = libraries.load()
TABLE = {
    (f"{loss.id} / {row}", library): cell
    for loss in LOSSES.values()
    for row, cells in loss.rows.items()
    for library, cell in cells.items()
}
ABSENT = {
    (loss.id, library): pattern
    for loss in LOSSES.values()
    for library, pattern in loss.absent.items()
}


def unusable(library: str) -> str | None:
    """Why the library cannot be tested: it is missing, or not of the version in the lock."""
    if library not in PACKAGES:
        return None
    package = PACKAGES[library]
    wanted = " or ".join(libraries.pins(package))
    remedy = f"run `make .venv/{'torch' if library == 'torch' else 'ready'}`"
    try:
        found = version(package).partition("+")[0]  # without "cpu"
    except PackageNotFoundError:
        return f"{package} {wanted} is not installed, and the page tells of it: {remedy}"
    if found not in libraries.pins(package):
        return f"{package} {found} is installed, and the page tells of {wanted}: {remedy}"
    return None


USABLE = [library for library in LIBRARIES if not unusable(library)]


def cells_of(library: str) -> Any:
    """The register of the library's tests."""
    return import_module(f"tests.libraries.of_{library}").cell


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES)
def test_the_library_is_the_one_that_the_page_tells_of(library: str) -> None:
    """Where it is not, the tests of its cells are left out, and this one fails."""
    if reason := unusable(library):
        pytest.fail(reason, pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "library"),
    [pytest.param(*key, id=f"{key[0]} - {key[1]}") for key in TABLE if key[1] in USABLE],
)
def test_cell(name: str, library: str) -> None:
    cell = TABLE[name, library]
    test = cells_of(library).tests.get(name)
    assert test, f"add a test of {name!r} to tests/libraries/of_{library}.py"
    try:
        test(**cell.values)
    except (Exception, pytest.fail.Exception) as error:
        error.add_note(f"{name}, {LIBRARIES[library]}: {libraries.FILE.name} says “{cell.text}”")
        raise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "library"),
    [pytest.param(*key, id=f"{key[0]} - {key[1]}") for key in ABSENT if key[1] in USABLE],
)
def test_the_library_has_no_such_function(loss: str, library: str) -> None:
    pattern = re.compile(ABSENT[loss, library], re.IGNORECASE)
    found = sorted(name for name in cells_of(library).names if pattern.search(name))
    assert not found, (
        f"{loss}: {LIBRARIES[library]} has {found} by now, and the page says it lacks it"
    )


@pytest.mark.slow
@pytest.mark.parametrize("library", USABLE)
def test_no_test_is_left_over(library: str) -> None:
    cells = {name for name, column in TABLE if column == library}
    assert set(cells_of(library).tests) <= cells
