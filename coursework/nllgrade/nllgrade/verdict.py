"""Compares what a submission answered with what is right, and says in one line what was wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nllgrade.spec import Answer, Case, Item

MOST_SHOWN = 160  # characters of an input in an explanation


def agrees(found: Answer, right: Answer, rtol: float, atol: float) -> str:
    """What is wrong with an answer; empty where nothing is. No number of the right one is said."""
    if found.error is not None:
        return found.error
    if right.text is not None:
        if found.text is None:
            return "the answer is not text in quotes"
        return "" if found.text.strip().lower() == right.text.lower() else "not the right choice"
    if found.text is not None:
        return "the answer is text, not a number"
    if len(found.arrays) == 1 and found.arrays[0].shape[:1] == (len(right.arrays),) != (1,):
        found = Answer(tuple(np.asarray(one) for one in found.arrays[0]))  # a list of them will do
    if len(found.arrays) != len(right.arrays):
        return f"{len(found.arrays)} results, where {len(right.arrays)} are asked for"
    for index, (one, other) in enumerate(zip(found.arrays, right.arrays, strict=True)):
        if problem := _differ(one, other, rtol, atol):
            return problem if len(right.arrays) == 1 else f"result {index + 1}: {problem}"
    return ""


def _differ(found: NDArray[Any], right: NDArray[Any], rtol: float, atol: float) -> str:
    if found.shape != right.shape:
        return f"the shape is {found.shape}, not {right.shape}"
    if right.dtype.kind == "b" and found.dtype.kind != "b":
        return f"the type is {found.dtype}, not bool"
    if found.dtype.kind == "b" and right.dtype.kind != "b":
        return "the answer is True or False, not a number"
    a, b = found.astype(float), right.astype(float)
    if np.any(np.isnan(a) & ~np.isnan(b)):
        return "nan"
    with np.errstate(invalid="ignore", over="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        near = np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= atol + rtol * np.abs(b))
    if np.all(same | near):
        return ""
    if np.any(np.isinf(a) & np.isfinite(b)):
        return "infinite, where a finite number is right"
    return "not the right value"


def likely_mistake(answers: list[Answer], item: Item) -> str:
    """Which of the planted mistakes gives exactly these answers, some of them wrong."""
    for what in item.cases[0].mistaken:
        wrong = [case.mistaken[what] for case in item.cases[: len(answers)]]
        pairs = list(zip(answers, wrong, strict=True))
        if all(_alike(one, other, item) for one, other in pairs):
            return what
    return ""


def _alike(found: Answer, mistaken: Answer, item: Item) -> bool:
    if found.error is not None or mistaken.error is not None:
        return found.error is not None and mistaken.error is not None
    return not agrees(found, mistaken, item.rtol, item.atol)


def call(item: Item, case: Case) -> str:
    """A request as Python would write it, shortened: what failed, not what was expected."""
    if case.arguments is None:
        return item.name
    shown = [_short(one) for one in case.arguments]
    shown += [f"{key}={_short(one)}" for key, one in case.options.items()]
    return f"{item.name}({', '.join(shown)})"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        with np.printoptions(threshold=8, edgeitems=2, precision=4):
            text = " ".join(repr(value.tolist()).split()) if value.size <= 8 else ""
            text = text or f"<{value.dtype} of shape {value.shape}, beginning {value.flat[0]!s}>"
    else:
        text = repr(value)
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"
