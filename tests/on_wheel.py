"""Run where nllbook and NumPy alone are installed: every module, every example that does not draw.

Prints what it found as JSON. It must work under ``python -O``, which drops every assert.
"""

from __future__ import annotations

import contextlib
import copy
import doctest
import importlib
import io
import json
import pickle
import pkgutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata

import numpy as np

import nllbook

DRAWS = "plotting"  # its examples need matplotlib


def main() -> None:
    modules = [one.name for one in pkgutil.iter_modules(nllbook.__path__) if one.name != "torch"]
    said = io.StringIO()
    examples = {}
    with contextlib.redirect_stdout(said):
        for name in modules:
            module = importlib.import_module(f"nllbook.{name}")
            if name != DRAWS:
                examples[name] = doctest.testmod(module).attempted
    model = nllbook.Categorical(np.array([0.25, 0.75]))
    history = nllbook.gradient_descent(lambda x: (x * x, 2 * x), 1.0, learning_rate=0.1, steps=1)
    found = {
        "place": nllbook.__file__,
        "optimised": not __debug__,
        "numpy": np.__version__,
        "installed": sorted(one.name for one in metadata.distributions()),
        "examples": examples,
        "failures": said.getvalue(),
        "copies": pickle.loads(pickle.dumps(model)) == copy.deepcopy(model) == model,
        "drawing": refused(nllbook.plotting.figure),
        "a history": refused(history.plot),
        "shades": refused(lambda: nllbook.plotting.SHADES),
        "torch": refused(lambda: importlib.import_module("nllbook.torch")),
        "strangers": strangers(),
        "too much": sorted({"matplotlib", "IPython", "anywidget"} & sys.modules.keys()),
    }
    print(json.dumps(found))


def strangers() -> int:
    """How often one of eight threads finds the floating-point settings of another as its own."""
    sys.setswitchinterval(1e-6)

    def work(number: int) -> int:
        with np.errstate(all=("raise", "warn")[number % 2]):
            mine, wrong = np.geterr(), 0
            for _ in range(200):
                nllbook.laplace_nll([0.0, 1.0], 0.0, 1.0)
                wrong += np.geterr() != mine
                np.seterr(**mine)
            return wrong

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(work, range(8)))


def refused(call: Callable[[], object]) -> str:
    """The message of the ImportError that a call raises."""
    try:
        call()
    except ImportError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    main()
