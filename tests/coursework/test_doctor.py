"""The doctor finds a sandbox that does not hold, and grading then refuses."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from nllgrade import doctor, runtime, sandbox
from nllgrade.__main__ import main
from nllgrade.errors import GradeError
from nllgrade.sandbox import Limits

from tests.coursework.papers import graded, solved, written

pytestmark = pytest.mark.slow

_bubblewrap, _resources = sandbox.bubblewrap, sandbox.resources


@pytest.fixture(autouse=True)
def _examined_anew() -> Iterator[None]:
    doctor.require.cache_clear()
    yield
    doctor.require.cache_clear()


def without(*options: str) -> Callable[[Path, Limits], list[str]]:
    """The sandbox's command without these words, which stand one after the other in it."""

    def weakened(runtime: Path, limits: Limits) -> list[str]:
        words = _bubblewrap(runtime, limits)
        many = len(options)
        place = [words[one : one + many] for one in range(len(words))].index(list(options))
        return words[:place] + words[place + many :]

    return weakened


def shares(*what: str) -> Callable[[Path, Limits], list[str]]:
    """The sandbox's command, with more of this machine in it."""

    def weakened(runtime: Path, limits: Limits) -> list[str]:
        words = _bubblewrap(runtime, limits)
        end = words.index("--remount-ro")
        return [*words[:end], *what, *words[end:]]

    return weakened


WEAKER = {
    "cannot read the answers": shares("--bind", "/tmp", "/tmp"),
    "cannot write beside its folder": without("--remount-ro", "/"),
    "reaches no network": shares("--share-net"),
    "sees no other process": shares("--ro-bind", "/proc", "/proc"),
    "cannot fill the disk": without("--size", str(doctor.LIMITS.disk)),
}


def problems() -> set[str]:
    return {one.what for one in doctor.examine("bwrap") if one.problem}


@pytest.mark.parametrize("what", WEAKER)
def test_a_hole_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "bubblewrap", WEAKER[what])
    if what == "cannot fill the disk":  # a file's own limit would stop it as well
        monkeypatch.setattr(
            sandbox, "resources", lambda limits: {**_resources(limits), "FSIZE": -1}
        )
    assert what in problems()


@pytest.mark.parametrize(
    ("limit", "what"),
    [("AS", "cannot take more memory"), ("NPROC", "cannot start many processes")],
)
def test_a_missing_limit_is_found(limit: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def weakened(limits: Limits) -> dict[str, int]:
        return {name: most for name, most in _resources(limits).items() if name != limit}

    monkeypatch.setattr(sandbox, "resources", weakened)
    assert problems() == {what}


def test_this_machine_holds() -> None:
    assert problems() == set()
    assert len(doctor.examine("bwrap")) == len(doctor.PROBES) + 1


def test_nothing_is_graded_where_something_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sandbox, "bubblewrap", shares("--share-net"))
    with pytest.raises(GradeError, match=r"Nothing is graded.*reaches no network: it can"):
        graded(solved())
    (tmp_path / "handed").mkdir()
    (tmp_path / "handed" / "ann.ipynb").write_bytes(written(solved()))
    call = ["grade", str(tmp_path / "handed"), "--assignment", "1", "--out", str(tmp_path / "out")]
    assert main(call) == 1
    assert list((tmp_path / "out").rglob("*.*")) == []
    assert main(["doctor"]) == 1
    said = capsys.readouterr()
    assert "\u2717 reaches no network: it can" in said.out
    assert "apt install bubblewrap" in said.err


def test_without_bubblewrap_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GradeError, match="apt install bubblewrap"):
        graded(solved())


def test_old_runtimes_are_deleted_and_others_are_kept(tmp_path: Path) -> None:
    uid = os.getuid()
    names = {f"nllgrade-{uid}-{'0' * 16}": 8, f"nllgrade-{uid}-{'1' * 16}": 6, "other": 99}
    for name, days in names.items():
        (tmp_path / name / "bin").mkdir(parents=True)
        then = time.time() - days * 86_400
        os.utime(tmp_path / name, (then, then))
    (tmp_path / f"nllgrade-{uid}-{'0' * 16}" / "bin" / "python").write_text("x")
    runtime._forget_old(tmp_path, uid)
    assert {one.name for one in tmp_path.iterdir()} == {f"nllgrade-{uid}-{'1' * 16}", "other"}


def test_a_runtime_of_which_something_was_tidied_away_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(path: Path) -> None:
        (path / "bin").mkdir(parents=True)
        (path / "bin" / "python").write_text("python")

    monkeypatch.setattr(runtime, "_fill", fill)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    runtime._made.cache_clear()
    try:
        path = runtime.folder()
        (path / "bin" / "python").unlink()
        runtime._made.cache_clear()  # another process
        assert runtime.folder() == path
        assert (path / "bin" / "python").read_text() == "python"
        runtime._delete(path)  # while this process has it
        assert (runtime.folder() / "bin" / "python").exists()
        assert [one.name for one in tmp_path.iterdir()] == [path.name]
    finally:
        runtime._made.cache_clear()
