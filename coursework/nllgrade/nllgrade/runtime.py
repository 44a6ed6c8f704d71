"""Puts together the folder that a sandbox sees: Python, NumPy, matplotlib, some of nllbook.

A copy, and not the environment itself: that one holds the answers, and may lie where the user that
submissions run as cannot read.
"""

from __future__ import annotations

import compileall
import hashlib
import importlib.metadata
import os
import py_compile
import shutil
import stat
import sys
import sysconfig
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

import nllbook
from nllgrade import __version__
from nllgrade.errors import GradeError

HERE = Path(__file__).parent
RUNNER = ("runner.py", "wire.py")
WHOLE = "whole"  # the file that says what a runtime consists of
KEPT_DAYS = 7  # that a runtime is kept since it was last used
PACKAGES = ("numpy", "matplotlib")  # with what they need: a submission may draw
# Of nllbook only what answers no question.
PROVIDED = (
    *(
        "_notebook.py",
        "_validate.py",
        "data",
        "datasets.py",
        "exercises.json",
        "exercises.py",
        "plotting.py",
        "prose.py",
        "py.typed",
    ),
)
_LEFT_OUT = shutil.ignore_patterns(
    *("test", "tests", "site-packages", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"),
    *("config-*", "*.a"),
)
# What notebooks import to show something; there is nothing to show it on.
_IPYTHON = '''"""Shows nothing: there is no notebook."""


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(name)
    return lambda *values, **options: None
'''
_REFUSAL = '''"""The part of nllbook that answers no question of the coursework."""

from nllbook import datasets, exercises, plotting
from nllbook.prose import glue, scientific


def __getattr__(name):
    if name.startswith("_"):
        raise AttributeError(name)
    raise ImportError(f"nllbook.{name} is not there while coursework is graded: write it yourself")
'''


def folder() -> Path:
    """The runtime of this Python and these packages, made where there is none yet.

    It is kept between runs, and used again only where nobody else could have written to it and
    nothing is missing: systems tidy their temporary folders.
    """
    path = _made()
    try:
        os.utime(path)  # in use
    except FileNotFoundError:
        _made.cache_clear()
        path = _made()
    return path


@cache
def _made() -> Path:
    uid = os.getuid()
    path = Path(tempfile.gettempdir()) / f"nllgrade-{uid}-{fingerprint()}"
    if path.is_dir():
        _refuse_foreign(path, uid)
        if _is_whole(path):
            return path
        _delete(path)
    _forget_old(path.parent, uid)
    with tempfile.TemporaryDirectory(prefix=f"nllgrade-{uid}-", dir=path.parent) as scratch:
        fresh = Path(scratch) / "runtime"
        _fill(fresh)
        (fresh / WHOLE).write_text(_size(fresh), encoding="utf-8")
        try:
            fresh.rename(path)
        except OSError:  # another process was faster
            _refuse_foreign(path, uid)
    return path


def _size(path: Path) -> str:
    """How many files a runtime has, and how many bytes they have."""
    sizes = [
        os.stat(os.path.join(place, name)).st_size
        for place, _, names in os.walk(path)
        for name in names
        if name != WHOLE
    ]
    return f"{len(sizes)} files, {sum(sizes)} bytes"


def _is_whole(path: Path) -> bool:
    try:
        return (path / WHOLE).read_text(encoding="utf-8") == _size(path)
    except OSError:
        return False


def _delete(path: Path) -> None:
    """Delete a runtime, which loses its name first: half of one is never found."""
    with suppress(OSError), tempfile.TemporaryDirectory(prefix=path.name, dir=path.parent) as aside:
        path.rename(Path(aside) / "runtime")


def _forget_old(parent: Path, uid: int) -> None:
    """Delete what nothing has used for a while: each version leaves a runtime."""
    for path in parent.glob(f"nllgrade-{uid}-*"):
        with suppress(FileNotFoundError):
            found = path.lstat()
            if found.st_uid == uid and time.time() - found.st_mtime > KEPT_DAYS * 86_400:
                _delete(path)


def _refuse_foreign(path: Path, uid: int) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or found.st_mode & 0o022:
        raise GradeError(f"{path} could have been written by somebody else: delete it")


@cache
def fingerprint() -> str:
    """What the runtime is made from, as one hash."""
    parts = [__version__, sys.version, sys.base_prefix]
    parts += sorted(f"{one.metadata['Name']} {one.version}" for one in _distributions())
    sources = [HERE / "runtime.py", *(HERE / name for name in RUNNER)]
    for path in [*sources, *_provided()]:
        parts.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _provided() -> list[Path]:
    start = Path(nllbook.__file__).parent
    found = [
        one
        for name in PROVIDED
        for one in ((start / name).rglob("*") if (start / name).is_dir() else [start / name])
    ]
    return sorted(one for one in found if one.is_file() and "__pycache__" not in one.parts)


def _fill(runtime: Path) -> None:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (runtime / "bin").mkdir(parents=True)
    shutil.copy2(Path(sys.executable).resolve(), runtime / "bin" / "python")
    # lib/python3.x beside bin/ is how Python finds itself
    shutil.copytree(
        sysconfig.get_path("stdlib"), runtime / "lib" / version, ignore=_LEFT_OUT, symlinks=False
    )
    for library in Path(sysconfig.get_config_var("LIBDIR") or "/").glob("libpython*.so*"):
        shutil.copy2(library, runtime / "lib" / library.name)
    for distribution in _distributions():
        _copy_distribution(distribution, runtime / "packages")
    # compiled once, since nothing can be written there later; half a submission's time otherwise
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(runtime / "packages", quiet=2, invalidation_mode=unchecked)
    (runtime / "grader").mkdir()
    for name in RUNNER:
        shutil.copy2(HERE / name, runtime / "grader" / name)
    start = Path(nllbook.__file__).parent
    for path in _provided():
        target = runtime / "provided" / "nllbook" / path.relative_to(start)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (runtime / "provided" / "nllbook" / "__init__.py").write_text(_REFUSAL, encoding="utf-8")
    # so that a published notebook, whose first cell asks for the package, does not install it
    version = importlib.metadata.version("nllbook")
    (runtime / "provided" / f"nllbook-{version}.dist-info").mkdir()
    metadata = f"Metadata-Version: 2.1\nName: nllbook\nVersion: {version}\n"
    (runtime / "provided" / f"nllbook-{version}.dist-info" / "METADATA").write_text(metadata)
    (runtime / "provided" / "IPython").mkdir()
    for name in ("__init__.py", "display.py"):
        (runtime / "provided" / "IPython" / name).write_text(_IPYTHON, encoding="utf-8")
    for path in [runtime, *runtime.rglob("*")]:  # everyone may read, nobody write
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _distributions() -> list[importlib.metadata.Distribution]:
    """The packages that a sandbox has, and all that they need."""
    found: dict[str, importlib.metadata.Distribution] = {}
    wanted = list(PACKAGES)
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = importlib.metadata.distribution(name)
        needed = [Requirement(one) for one in found[name].requires or []]
        wanted += [one.name for one in needed if not one.marker or one.marker.evaluate()]
    return list(found.values())


def _copy_distribution(distribution: importlib.metadata.Distribution, target: Path) -> None:
    if not distribution.files:
        name = distribution.metadata["Name"]
        raise GradeError(f"pip did not install {name}: use a virtual environment")
    for file in distribution.files:
        if ".." in file.parts or {"test", "tests"} & set(file.parts[:-1]):
            continue
        source = Path(str(distribution.locate_file(file)))
        if source.is_file():  # a compiled file may be listed, and not be there
            copy = target / file
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
