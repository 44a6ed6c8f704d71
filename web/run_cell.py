"""Runs a cell in the page, as a notebook would, and sends what it shows. Pyodide imports this file.

What is sent has a kind: "text" and "error" are texts, "image" a PNG in base64, "figure" one of the
book's interactive figures as JSON, with its PNG for pages that do not have its script.
"""

from __future__ import annotations

import ast
import base64
import json
import linecache
import sys
import traceback
from collections.abc import Callable
from typing import Any

PREFIX = "<cell "  # the names of cells, as tracebacks have them, begin so

Emit = Callable[[str, str], None]


def run(source: str, name: str, scope: dict[str, Any], emit: Emit) -> bool:
    """Whether the cell ran to its end."""
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        tree = ast.parse(source, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)  # type: ignore[attr-defined]
        exec(compile(tree, name, "exec", dont_inherit=True), scope)
        value = eval(compile(last, name, "eval", dont_inherit=True), scope) if last else None
        if value is not None and not source.rstrip().endswith(";"):
            scope["_"] = value
            show(value, emit)
        figures(emit)
    except BaseException as error:  # SystemExit too: it ends the cell, not Python
        if plt := sys.modules.get("matplotlib.pyplot"):
            plt.close("all")
        emit("error", trimmed(error))
        return False
    return True


def show(value: Any, emit: Emit) -> None:
    """The last value of a cell."""
    bundle = value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}
    png = base64.b64encode(bundle.get("image/png", b"")).decode()
    if type(value).__module__ == "nllbook.figures":
        sent = {"name": value.name, "state": value.state, "png": png}
        emit("figure", json.dumps(sent, allow_nan=False))
    elif png:
        emit("image", png)
    else:
        emit("text", f"{value!r}\n")


def figures(emit: Emit) -> None:
    """Matplotlib's open figures, which are closed then, as Jupyter does after each cell."""
    plt: Any = sys.modules.get("matplotlib.pyplot")
    if plt is None:
        return
    from io import BytesIO

    for number in plt.get_fignums():
        content = BytesIO()
        plt.figure(number).savefig(content, format="png", dpi="figure", bbox_inches="tight")
        emit("image", base64.b64encode(content.getvalue()).decode())
    plt.close("all")


def trimmed(error: BaseException) -> str:
    """The traceback with the lines of the reader's cells alone, and the message."""
    told = traceback.TracebackException.from_exception(error)
    _keep_cells(told)
    return "".join(told.format())


def _keep_cells(told: traceback.TracebackException) -> None:
    told.stack = traceback.StackSummary.from_list(
        [frame for frame in told.stack if frame.filename.startswith(PREFIX)]
    )
    for cause in (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ())):
        if cause is not None:
            _keep_cells(cause)
