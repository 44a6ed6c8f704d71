"""Runs the programs `on_*.py`, which need processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from web.source import ROOT


def run(*command: str | Path, **environment: str) -> str:
    """What Python prints, called with these words from the root of the repository."""
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
