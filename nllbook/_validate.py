"""Checks on what callers pass in: one place for the rules, one style for the messages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]
_FLOATS = _FLOAT64, _FLOAT32 = np.dtype(np.float64), np.dtype(np.float32)


def plain_array(name: str, value: ArrayLike) -> NDArray[Any]:
    """``value`` as an array of whatever type, with no mask and no ragged rows."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} must not be a masked array, whose mask would be lost: leave the masked values "
            "out, or give them a sample_weight of 0 where there is one"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name} must be an array of real numbers, but its rows differ in length or shape"
        ) from error


def numbers(name: str, value: ArrayLike) -> NDArray[Any]:
    """``value`` as an array of booleans, integers or floats, of the type in which it came."""
    array = plain_array(name, value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must be real numbers, got an array of dtype {array.dtype}")
    return array


def real_array(name: str, value: ArrayLike) -> FloatArray:
    """``value`` as an array of float64, or of float32 where it came as float32 (or float16).

    Integers and booleans become float64. The caller's array is never changed.
    """
    if type(value) is np.ndarray and value.dtype in _FLOATS:
        return value  # as nearly always, and a call for few rows is short
    array = numbers(name, value)
    kind = array.dtype.kind
    if kind == "f" and array.dtype.itemsize > 8:
        with np.errstate(all="ignore"):  # long doubles too large or too small for a float64
            return array.astype(np.float64)
    single = kind == "f" and array.dtype.itemsize <= 4
    return array.astype(np.float32 if single else np.float64, copy=False)


def float_type(*values: ArrayLike) -> Any:
    """float32 where all arrays of floats among ``values`` are float32 or float16, else float64.

    Integers and plain Python numbers adapt to the others.
    """
    single = False
    for value in values:
        if type(value) not in (bool, int, float):
            dtype = np.asarray(value).dtype
            if dtype.kind == "f" and dtype.itemsize > 4:
                return _FLOAT64
            single |= dtype.kind == "f"
    return _FLOAT32 if single else _FLOAT64


def rounded(values: ArrayLike, dtype: Any) -> Any:
    """``values`` in the caller's float type: too large for it is infinite, and log 1 is 0.0."""
    with np.errstate(all="ignore"):
        return (np.asarray(values) + 0.0).astype(dtype, copy=False)[()]


def power_of_two(data: FloatArray) -> float:
    """The power of 2 just below the largest magnitude: dividing by it is exact, and tames sums."""
    return math.ldexp(1.0, math.frexp(float(np.max(np.abs(data))))[1] - 1)


def samples(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """Data to fit a model to: one dimension, at least one value, every value finite."""
    array = real_array(name, value).astype(np.float64)
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


def refuse(
    name: str,
    array: FloatArray,
    wrong: NDArray[np.bool_],
    expected: str,
    whole: tuple[int, ...] | None = None,
    start: int = 0,
) -> None:
    """Raise a ValueError for the first entry of ``array`` that is marked ``wrong``.

    Where ``array`` is a part of a flattened one, that had the shape ``whole``, and the part begins
    at ``start``.
    """
    if not np.any(wrong):
        return
    first = int(np.argmax(wrong))
    place = at(start + first, whole if whole is not None and array.ndim else array.shape)
    raise ValueError(f"{name}{place} = {shown(array.ravel()[first])} must be {expected}")


def at(index: int, shape: tuple[int, ...]) -> str:
    """The place of an entry of an array, given its place in the flattened one: "[1, 2]"."""
    where = [str(int(i)) for i in np.unravel_index(index, shape)]
    return f"[{', '.join(where)}]" if where else ""


def refuse_axis(name: str, array: FloatArray, axis: int) -> None:
    """Raise a ValueError where ``array`` is one number, or has no such axis."""
    if array.ndim == 0:
        raise ValueError(f"{name} must have at least one dimension, got one number")
    if not whole(axis) or not -array.ndim <= axis < array.ndim:
        raise ValueError(f"axis = {axis} is no axis of {name}, whose shape is {array.shape}")


def refuse_sums(
    name: str,
    rows: FloatArray,
    dtype: Any,
    counts: NDArray[np.bool_],
    whole: tuple[int, ...] | None = None,
    start: int = 0,
) -> None:
    """Raise a ValueError for the first row of probabilities that counts and does not sum to 1.

    k roundings of the float type in which the k probabilities came are allowed, at least of
    float64, in which the sums are; NaN passes. ``whole`` and ``start`` as for ``refuse``.
    """
    totals = np.asarray(np.sum(rows, axis=-1, dtype=np.float64))
    eps = float(np.finfo(np.float64).eps)
    if dtype.kind == "f":
        eps = max(eps, float(np.finfo(dtype).eps))
    wrong = counts & (np.abs(totals - 1) > rows.shape[-1] * eps)
    if np.any(wrong):
        first = int(np.argmax(wrong))
        place = at(start + first, totals.shape if whole is None else whole)
        where = f" in row {place[1:-1]}" if place else ""
        raise ValueError(f"{name} must sum to 1, got a sum of {float(totals.flat[first])!r}{where}")


def scalar(name: str, value: float, expected: str, *, low: float, closed: bool = False) -> float:
    """A finite number above ``low`` (or at least ``low`` where ``closed``)."""
    if type(value) is float and (low < value < math.inf or (closed and value == low)):
        return value  # as nearly always
    array = real_array(name, value)
    if array.ndim != 0:
        raise ValueError(f"{name} must be one number, got shape {array.shape}")
    number = float(array)
    if not np.isfinite(number) or number < low or (number == low and not closed):
        raise ValueError(f"{name} = {shown(array.dtype.type(number))} must be {expected}")
    return number


def whole(value: Any) -> bool:
    """Whether a value is an integer: True is none, and a NumPy time neither."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def integer(name: str, value: int) -> int:
    """A whole number that is not negative."""
    if not whole(value):
        raise TypeError(f"{name} must be an integer, got {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} = {value} must be >= 0")
    return int(value)


def degrees_of_freedom(value: float) -> float:
    """The df of Student's t: finite, and not so small that half of it is no longer a float."""
    scalar("df", value, "finite and > 0", low=0)
    smallest = float(np.finfo(np.float64).tiny)
    return scalar("df", value, f"at least {smallest}", low=smallest, closed=True)
