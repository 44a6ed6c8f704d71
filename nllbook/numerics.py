"""Elementary functions that stay right where the textbook form fails."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nllbook._validate import FloatArray, real_array, refuse, rounded


def xlogy(x: ArrayLike, y: ArrayLike) -> Any:
    """``x · log(y)`` in nats, with ``0 · log(0) = 0``.

    An outcome that has probability 0 and never happens costs nothing: that is the limit of
    ``x log x`` as x goes to 0, and what every sum over outcomes needs.

    Parameters
    ----------
    x, y : array_like
        Real numbers of one shape, or one of them a scalar; ``y >= 0``.

    Returns
    -------
    ndarray or scalar
        float32 where both are float32, else float64. ``-inf`` for x > 0, y = 0; NaN passes through.

    Raises
    ------
    ValueError
        Where the shapes differ, or some ``y`` is negative.

    Examples
    --------
    >>> float(xlogy(0, 0)), float(xlogy(2, 0))
    (0.0, -inf)
    """
    x_array, y_array = real_array("x", x), real_array("y", y)
    if x_array.shape != y_array.shape and x_array.ndim and y_array.ndim:
        raise ValueError(
            f"x and y must have one shape (or one be a scalar), got {x_array.shape} "
            f"and {y_array.shape}"
        )
    refuse("y", y_array, y_array < 0, ">= 0")
    dtype = np.result_type(x_array, y_array)
    x_wide, y_wide = np.broadcast_arrays(x_array.astype(np.float64), y_array.astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        product = np.where((x_wide == 0) & ~np.isnan(y_wide), 0.0, x_wide * np.log(y_wide))
    return rounded(product, dtype)


def logsumexp(a: ArrayLike, axis: int | None = -1, keepdims: bool = False) -> Any:
    """``log(Σ exp(a))`` along an axis (over everything for None), in nats."""
    array = real_array("a", a)
    wide = array.astype(np.float64)
    top = np.max(wide, axis=axis, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore", under="ignore"):
        shifted = np.where(wide == top, 0.0, wide - top)
        result = top + np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    result = np.where(np.isfinite(top), result, top)
    return rounded(result if keepdims else np.squeeze(result, axis=axis), array.dtype)


def log_softmax(z: ArrayLike, axis: int = -1) -> Any:
    """``z − logsumexp(z)`` along an axis, in nats."""
    array = real_array("z", z)
    wide = array.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return rounded(wide - logsumexp(wide, axis=axis, keepdims=True), array.dtype)


def softmax(z: ArrayLike, axis: int = -1) -> Any:
    """``exp(z) / Σ exp(z)`` along an axis."""
    array = real_array("z", z)
    with np.errstate(under="ignore"):
        return rounded(np.exp(log_softmax(array.astype(np.float64), axis)), array.dtype)


def softplus(z: ArrayLike) -> Any:
    """``log(1 + exp(z))``, in nats."""
    array = real_array("z", z)
    wide = array.astype(np.float64)
    with np.errstate(under="ignore"):
        return rounded(np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide))), array.dtype)


def log_sigmoid(z: ArrayLike) -> Any:
    """``log(1 / (1 + exp(−z))) = −softplus(−z)``, in nats."""
    return -softplus(-real_array("z", z))


def sigmoid(z: ArrayLike) -> Any:
    """``1 / (1 + exp(−z))``."""
    array = real_array("z", z)
    with np.errstate(under="ignore", over="ignore"):
        return rounded(1 / (1 + np.exp(-array.astype(np.float64))), array.dtype)


def lgamma(x: ArrayLike) -> Any:
    """The logarithm of the absolute value of the gamma function; ``lgamma(k + 1) = log(k!)``.

    Parameters
    ----------
    x : array_like
        Real numbers, any shape.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``x``. ``inf`` at 0, -1, -2, …; NaN passes through.

    Notes
    -----
    Each *different* value is computed once, by ``math.lgamma``: counts repeat.

    Examples
    --------
    >>> round(float(np.exp(lgamma(5.0))), 9)  # 4! = 24
    24.0
    """
    array: FloatArray = real_array("x", x)
    values, index = np.unique(array, return_inverse=True)
    logs = np.array([_lgamma(float(value)) for value in values])
    return rounded(logs[index].reshape(array.shape), array.dtype)


def _lgamma(value: float) -> float:
    try:
        return math.lgamma(value)
    except (ValueError, OverflowError):  # a pole, where the limit is +inf; or beyond the floats
        return math.inf
