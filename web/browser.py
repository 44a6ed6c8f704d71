"""Opens the built site in headless Chromium with no other host in reach: for tests and measures.

From disk (``file://``), or served from loopback as a host of static pages serves it: under a path,
compressed, with its page for what is not found.
"""

from __future__ import annotations

import gzip
import mimetypes
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

PROGRAMS = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
SWITCHES = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
    # As on a plane: no name is found but that of this machine.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PREFIX = "/book/"  # a project's pages are served under its name
# All of a long page (static/draw.js). While one page gives way to another there is no root.
DRAWN = "document.documentElement && !('drawing' in document.documentElement.dataset)"
DESKTOP, PHONE = (1280, 900), (390, 844)  # in CSS pixels

Scheme = Literal["light", "dark"]


class NoBrowserError(Exception):
    """Says, in one line, that there is none and how to get one."""


def program() -> str:
    """Chromium or Chrome: the one that CHROMIUM names, or the first that is found."""
    for name in (os.environ.get("CHROMIUM", ""), *PROGRAMS):
        if path := shutil.which(name):
            return path
    raise NoBrowserError(
        "No Chromium or Chrome was found, in which the site is read and printed. "
        "On Debian or Ubuntu: apt install chromium (or set CHROMIUM to the path of one)"
    )


def main() -> int:
    """See to it that there is a browser: the Debian package, where apt may install it."""
    try:
        program()
    except NoBrowserError as missing:
        apt = shutil.which("apt-get")
        if apt and os.geteuid() == 0:
            print("Setting up Chromium (once) ...", flush=True)
            install = ["install", "-y", "-qq", "--no-install-recommends", "chromium"]
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for arguments in (["update", "-qq"], install):
                done = subprocess.run(
                    [apt, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False
                )
            if done.returncode == 0:
                return 0
        print(missing, file=sys.stderr)
        return 1
    return 0


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with a profile of its own, ended at the end."""
    from playwright.sync_api import sync_playwright

    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program(), args=[*SWITCHES, *root], timeout=60_000
        )
        yield browser
        browser.close()


class Visit:
    """A page as it was opened, with what it asked other hosts for and the errors it logged."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._logged)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", lambda request: self.errors.append(f"failed: {request.url}"))
        self.page.goto(url, wait_until="load", timeout=60_000)

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"{message.type}: {message.text}")

    @property
    def elsewhere(self) -> list[str]:
        """Requests that left the site."""
        start = urlsplit(self.url)
        return [
            url
            for url in self.requests
            if urlsplit(url)[:2] != start[:2] and urlsplit(url).scheme not in ("data", "blob")
        ]


@contextmanager
def visit(
    browser: Browser,
    url: str,
    *,
    scheme: Scheme = "light",
    size: tuple[int, int] = DESKTOP,
    drawn: bool = True,
    **options: Any,
) -> Iterator[Visit]:
    """Open a page as a new reader does: nothing stored, their system light or dark.

    It is given when all of it is drawn, or with ``drawn=False`` as soon as it is there.
    """
    viewport: Any = {"width": size[0], "height": size[1]}
    context = browser.new_context(viewport=viewport, color_scheme=scheme, **options)
    try:
        found = Visit(context, url)
        if drawn and options.get("java_script_enabled", True):
            found.page.wait_for_function(DRAWN, timeout=60_000)
        yield found
    finally:
        context.close()


class _Handler(BaseHTTPRequestHandler):
    """Serves a folder under PREFIX, text compressed, 404.html for what is not there."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args: Any, folder: Path) -> None:
        self.folder = folder
        super().__init__(*args)

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        file = (self.folder / path.removeprefix(PREFIX)).resolve()
        if file.is_dir():
            file /= "index.html"
        status = HTTPStatus.OK
        if not (path.startswith(PREFIX) and file.is_relative_to(self.folder) and file.is_file()):
            status, file = HTTPStatus.NOT_FOUND, self.folder / "404.html"
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        content = file.read_bytes() if file.is_file() else b""
        self.send_response(status)
        if kind.startswith("text/") or kind.endswith(("javascript", "json", "svg+xml")):
            content = gzip.compress(content, 6, mtime=0)
            self.send_header("Content-Encoding", "gzip")
            kind += "; charset=utf-8"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder from this machine to this machine; gives the address it is served under."""
    handler = partial(_Handler, folder=folder.resolve())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}{PREFIX}"
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    sys.exit(main())
