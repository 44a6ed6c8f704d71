"""The package by itself: what its two archives hold, and that it works where NumPy alone is."""

from __future__ import annotations

import email
import json
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests import fresh
from web.source import ROOT

NAME = "nllbook-0.1.0"
PROGRAM = ROOT / "tests" / "on_wheel.py"
MESSAGE = "drawing needs matplotlib, which is not installed: pip install matplotlib"
# Python, what is installed, and which NumPy: the oldest that nllbook promises runs up to 3.12
ENVIRONMENTS = [("3.11", "whl", "1.26.*"), ("3.12", "whl", ""), ("3.13", "tar.gz", "")]


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("archives")
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return folder


def package() -> set[str]:
    """The files of nllbook in this checkout."""
    found = [path for path in (ROOT / "nllbook").rglob("*") if path.is_file()]
    return {str(path.relative_to(ROOT)) for path in found if "__pycache__" not in path.parts}


# ---- what the archives hold


def test_the_wheel_holds_the_package_its_licence_and_nothing_else(archives: Path) -> None:
    (path,) = archives.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        about = {"METADATA", "WHEEL", "RECORD", "licenses/LICENSE"}
        assert set(wheel.namelist()) == package() | {f"{NAME}.dist-info/{one}" for one in about}
        assert {one for one in package() if wheel.read(one) != (ROOT / one).read_bytes()} == set()


def test_the_sdist_holds_the_package_and_what_it_is_built_with(archives: Path) -> None:
    (path,) = archives.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        inside = set(sdist.getnames())
    # hatchling adds the last two
    about = {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO", ".gitignore"}
    assert inside == {f"{NAME}/{one}" for one in package() | about}


def test_the_package_says_that_it_is_typed_and_carries_its_data_and_figures() -> None:
    kinds = {Path(one).suffix for one in package()}
    assert kinds == {".py", ".typed", ".csv", ".txt", ".toml", ".json", ".js", ".css", ".png"}


# ---- what the package needs


def test_the_package_needs_numpy_alone_and_its_extras_what_they_say(archives: Path) -> None:
    (path,) = archives.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        metadata = email.message_from_bytes(wheel.read(f"{NAME}.dist-info/METADATA"))
    wanted = [Requirement(one) for one in metadata.get_all("Requires-Dist", [])]
    assert [str(one) for one in wanted if one.marker is None] == ["numpy>=1.26"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = extras["optional-dependencies"]
    assert set(extras) == {"plot", "torch", "book", "test"}
    assert extras["plot"] == ["matplotlib>=3.8"]
    assert set(extras["plot"]) < set(extras["book"])


def test_the_extra_torch_takes_the_version_that_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (torch,) = map(Requirement, project["optional-dependencies"]["torch"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (tested,) = re.findall(r"^TORCH := torch==(.*)$", makefile, re.MULTILINE)
    assert torch.name == "torch"
    assert torch.specifier.contains(tested)


def test_nothing_that_draws_is_imported_before_something_is_drawn() -> None:
    code = "import sys, nllbook, nllbook.plotting; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    loaded = set(run.stdout.decode().split())
    assert "nllbook.plotting" in loaded
    assert not loaded & {"matplotlib", "IPython", "anywidget", "traitlets", "torch"}


# ---- where nothing else is installed


def tried(here: Path, *options: str) -> dict[str, Any]:
    """What the program finds there; warnings are errors."""
    run = subprocess.run(
        [str(here), "-I", "-W", "error", *options, str(PROGRAM)],
        cwd=here.parent,
        env=fresh.outside(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("version", "kind", "numpy"), ENVIRONMENTS)
def test_from_the_file_numpy_alone_comes_and_every_example_runs(
    version: str, kind: str, numpy: str, archives: Path, tmp_path: Path
) -> None:
    here = fresh.empty(tmp_path / "env", version)
    (archive,) = archives.glob(f"*.{kind}")
    if numpy and runs(here) > (3, 12):  # it stands in: that NumPy has no wheel for it
        numpy = ""
    fresh.install(here, str(archive), *([f"numpy=={numpy}"] if numpy else []))
    found = tried(here)
    assert Path(found["place"]).is_relative_to(tmp_path)
    assert found["installed"] == ["nllbook", "numpy"]
    assert found["numpy"].startswith(numpy.rstrip("*"))
    assert found["failures"] == ""
    modules = {path.stem for path in (ROOT / "nllbook").glob("*.py")} | {"figures"}
    assert set(found["examples"]) == modules - {"__init__", "plotting"}
    assert sum(found["examples"].values()) > 80
    assert found["copies"] is True
    assert found["drawing"] == found["a history"] == found["shades"] == MESSAGE
    assert (
        found["torch"] == "nllbook.torch needs PyTorch, which is not installed: pip install torch"
    )
    assert found["strangers"] == 0
    assert found["too much"] == []
    assert tried(here, "-O") == {**found, "optimised": True}


def runs(here: Path) -> tuple[int, ...]:
    """The version of that Python."""
    code = "import sys; print(*sys.version_info[:2])"
    said = subprocess.run([here, "-c", code], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, said.split()))
