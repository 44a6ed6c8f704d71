"""Checks on what callers pass in: one place for the rules, one style for the messages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]


def real_array(name: str, value: ArrayLike) -> FloatArray:
    """``value`` as an array of float64, or of float32 where it came as float32 (or float16).

    Integers and booleans become float64. The caller's array is never changed.
    """
    array = np.asarray(value)
    kind = array.dtype.kind
    if kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got an array of dtype {array.dtype}")
    single = kind == "f" and array.dtype.itemsize <= 4
    return array.astype(np.float32 if single else np.float64, copy=False)


def float_type(*values: ArrayLike) -> Any:
    """float32 where all arrays of floats among ``values`` are float32 or float16, else float64.

    Integers and plain Python numbers adapt to the others.
    """
    floats = [
        dtype
        for value in values
        if type(value) not in (bool, int, float) and (dtype := np.asarray(value).dtype).kind == "f"
    ]
    single = floats and all(dtype.itemsize <= 4 for dtype in floats)
    return np.dtype(np.float32 if single else np.float64)


def rounded(values: ArrayLike, dtype: Any) -> Any:
    """``values`` in the caller's float type: too large for it is infinite, and log 1 is 0.0."""
    with np.errstate(over="ignore"):
        return (np.asarray(values) + 0.0).astype(dtype)[()]


def power_of_two(data: FloatArray) -> float:
    """The power of 2 just below the largest magnitude: dividing by it is exact, and tames sums."""
    return math.ldexp(1.0, math.frexp(float(np.max(np.abs(data), initial=0.0)))[1] - 1)


def samples(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Data to fit a model to: one dimension, at least one value, every value finite."""
    array = real_array(name, value).astype(np.float64, copy=False)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: there is nothing to fit a model to")
    refuse(name, array, ~np.isfinite(array), "finite")
    return array


def shown(x: float | np.floating[Any]) -> str:
    """The shortest text that reads back as ``x`` in its own float type: 3, 0.1, 1.000000001, inf.

    Six digits would let an error contradict itself: "p = 1 must be in [0, 1]".
    """
    return str(x).removesuffix(".0")


def refuse(name: str, array: FloatArray, wrong: NDArray[np.bool_], expected: str) -> None:
    """Raise a ValueError for the first entry of ``array`` that is marked ``wrong``."""
    if not np.any(wrong):
        return
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"[{', '.join(map(str, where))}]" if where else ""
    raise ValueError(f"{name}{place} = {shown(array[where])} must be {expected}")


def refuse_sums(name: str, rows: FloatArray, dtype: Any, counts: NDArray[np.bool_]) -> None:
    """Raise a ValueError for the first row of probabilities that counts and does not sum to 1.

    k roundings of the float type in which the k probabilities came are allowed; NaN passes.
    """
    totals = np.asarray(np.sum(rows, axis=-1, dtype=np.float64))
    eps = np.finfo(dtype if dtype.kind == "f" else np.float64).eps
    wrong = counts & (np.abs(totals - 1) > rows.shape[-1] * eps)
    if np.any(wrong):
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f" in row {', '.join(map(str, where))}" if where else ""
        raise ValueError(f"{name} must sum to 1, got a sum of {float(totals[where])!r}{place}")


def scalar(name: str, value: float, expected: str, *, low: float, closed: bool = False) -> float:
    """A finite number above ``low`` (or at least ``low`` where ``closed``)."""
    if np.ndim(value) != 0:
        raise ValueError(f"{name} must be one number, got shape {np.shape(value)}")
    array = real_array(name, value)
    number = float(array)
    if not np.isfinite(number) or number < low or (number == low and not closed):
        raise ValueError(f"{name} = {shown(array[()])} must be {expected}")
    return number
