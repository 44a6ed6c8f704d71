"""Re-runs every notebook as another machine would: ``python -m web.portable``.

A reader has another processor, another BLAS, another locale and time zone. What the notebooks show
must not change with them, and a re-run that changed nothing would prove nothing: before the run a
basket of NumPy operations must differ in some bit under the other instructions, and under the other
BLAS core.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import locale
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from web import committed
from web.notebooks import NOTEBOOKS
from web.source import ROOT, chapters

# Old cores, without the instructions for which OpenBLAS has kernels of their own; the first works.
OLD_CORES = {"x86_64": ["Prescott", "Nehalem"], "aarch64": ["ARMV8"], "arm64": ["ARMV8"]}
# Turkish has another upper case of i, German another decimal point.
LOCALES = ["tr_TR.UTF-8", "de_DE.UTF-8", "C"]


def main() -> int:
    """Measure what changes, re-run the notebooks, and report; the exit status."""
    left_out = {chapter.name for chapter in chapters() if committed.missing(chapter)}
    paths = [one for one in sorted(NOTEBOOKS.glob("*.ipynb")) if one.stem not in left_out]
    if not paths:
        print("notebooks/ is empty: run make notebooks")
        return 1
    committed.main()  # says what is left out
    other, missing = other_arithmetic()
    surroundings = other_surroundings()
    print("in other surroundings:", ", ".join(f"{k}={v}" for k, v in surroundings.items()))
    started = time.perf_counter()
    status = run_nbval(paths, {**other, **surroundings})
    print(f"nbval: exit {status} after {time.perf_counter() - started:.0f} s")
    must_change = platform.machine() == "x86_64" and sys.platform == "linux"
    if missing and must_change:
        print(f"FAILED: nothing was tested about {' and '.join(missing)}")
        return 1
    return status


def other_arithmetic() -> tuple[dict[str, str], list[str]]:
    """Settings that change bits on this machine, and what could not be changed."""
    default = basket({})
    settings: dict[str, str] = {}
    missing = []
    for what, candidates in (
        ("NumPy's instructions", numpy_settings()),
        ("the BLAS core", [{"OPENBLAS_CORETYPE": core} for core in _old_cores()]),
    ):
        for candidate in candidates:
            changed = differing(default, basket(candidate))
            shown = ", ".join(f"{key}={value}" for key, value in candidate.items())
            print(f"{what}: {shown}: {len(changed)} of {len(default)} results change")
            print("   ", ", ".join(changed) or "none")
            if changed:
                settings |= candidate
                break
        else:
            missing.append(what)
            print(f"{what}: this machine offers nothing that changes a bit")
    return settings, missing


def numpy_settings() -> list[dict[str, str]]:
    """All instruction sets that NumPy would choose on this processor, switched off."""
    core: Any = importlib.import_module("numpy._core._multiarray_umath")
    features: dict[str, bool] = core.__cpu_features__
    enabled = [name for name in core.__cpu_dispatch__ if features.get(name)]
    return [{"NPY_DISABLE_CPU_FEATURES": " ".join(enabled)}] if enabled else []


def _old_cores() -> list[str]:
    return OLD_CORES.get(platform.machine(), [])


def other_surroundings() -> dict[str, str]:
    """What differs between readers and must not matter."""
    return {
        "LC_ALL": next(name for name in LOCALES if _has_locale(name)),
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "random",
        "TZ": "<+14>-14",  # Kiritimati's, where it is already tomorrow; needs no time-zone files
    }


def _has_locale(name: str) -> bool:
    before = locale.setlocale(locale.LC_ALL)
    try:
        locale.setlocale(locale.LC_ALL, name)
    except locale.Error:
        return False
    locale.setlocale(locale.LC_ALL, before)
    return True


def run_nbval(paths: list[Path], settings: dict[str, str]) -> int:
    """Compare every text output with the committed one; the exit status of pytest."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env"]
    command += ["--nbval-cell-timeout=120", "-q", "-p", "no:cacheprovider", "-c", os.devnull]
    command += [f"--rootdir={ROOT}", *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, env=_environment(settings), check=False).returncode


def basket(settings: dict[str, str]) -> dict[str, str]:
    """A digest of each of the basket's results, computed in a process with the given settings."""
    command = [sys.executable, "-W", "error", "-m", "web.portable", "--basket"]
    done = subprocess.run(
        command, cwd=ROOT, env=_environment(settings), check=True, capture_output=True, text=True
    )
    results: dict[str, str] = json.loads(done.stdout)
    return results


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The names of the results that are not the same to the last bit."""
    return [name for name in one if one[name] != other[name]]


def _environment(settings: dict[str, str]) -> dict[str, str]:
    """This process's environment, without settings of its own that would hide the difference."""
    ours = ("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES", "OPENBLAS_CORETYPE")
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    # figures are shown by IPython's own backend
    return {**kept, "MPLBACKEND": "", **settings}


def print_basket() -> None:
    """Compute the basket in this process: what the book's arithmetic is made of."""
    import numpy as np

    rng = np.random.default_rng(1875)
    digests = {}
    for dtype in (np.float32, np.float64):
        x: Any = rng.standard_normal(10_007).astype(dtype)
        positive = np.abs(x) + dtype(1e-3)
        matrix: Any = rng.standard_normal((67, 131)).astype(dtype)
        results = {
            "exp": np.exp(x),
            "log": np.log(positive),
            "log1p": np.log1p(positive),
            "power": np.power(positive, dtype(1.7)),
            "sin": np.sin(x),
            "tanh": np.tanh(x),
            "logaddexp": np.logaddexp(x, x[::-1]),
            "sum": np.sum(x),
            "mean": np.mean(matrix, axis=0),
            "std": np.std(x),
            "dot": x @ x[::-1],
            "matmul": matrix @ matrix.T,
            "solve": np.linalg.solve(matrix[:, :67], matrix[:, 67]),
        }
        for name, value in results.items():
            digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            digests[f"{name} {np.dtype(dtype)}"] = digest
    print(json.dumps(digests))


if __name__ == "__main__":
    if sys.argv[1:] == ["--basket"]:
        print_basket()
    else:
        sys.exit(main())
