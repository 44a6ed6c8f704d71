"""Elementary functions that stay right where the textbook form fails."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nllbook._reduce import blocks
from nllbook._softmax import seen_from_the_top, surprise
from nllbook._validate import FloatArray, real_array, refuse, refuse_axis, rounded


def xlogy(x: ArrayLike, y: ArrayLike) -> Any:
    """``x · log(y)`` in nats, with ``0 · log(0) = 0``.

    An outcome that has probability 0 and never happens costs nothing: that is the limit of
    ``x log x`` as x goes to 0, and what every sum over outcomes needs. See the chapter "Entropy,
    cross-entropy and KL divergence".

    Parameters
    ----------
    x, y : array_like
        Real numbers of one shape, or one of them a scalar; ``y >= 0``.

    Returns
    -------
    ndarray or scalar
        float32 where both are float32 or float16, else float64. ``-inf`` for x > 0, y = 0; NaN
        passes through.

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
    with np.errstate(all="ignore"):
        product = np.where((x_wide == 0) & ~np.isnan(y_wide), 0.0, x_wide * np.log(y_wide))
    return rounded(product, dtype)


def logsumexp(a: ArrayLike, axis: int | None = -1, keepdims: bool = False) -> Any:
    """``log(Σ exp(a))``: adds numbers that are given by their logarithms, in nats.

    Parameters
    ----------
    a : array_like
        Real numbers, at least one dimension (any number of them for ``axis=None``).
    axis : int or None
        The axis to add along; None adds everything.
    keepdims : bool
        Whether ``axis`` stays, with length 1.

    Returns
    -------
    ndarray or scalar
        float32 where ``a`` is float32 or float16, else float64. ``-inf`` for no terms at all and
        where all are ``-inf``; NaN where a term is.

    Raises
    ------
    ValueError
        For an axis that ``a`` does not have.

    Notes
    -----
    ``exp(a)`` overflows from 710 on, so the largest term m is taken out of the sum first:
    m + log Σ exp(a − m). Where m is negative but moderate and the terms are many, that would be a
    difference of two large numbers, as in −10.8 + log 50,257, and the plain formula is right.
    See the chapter "Classification losses".

    Examples
    --------
    >>> round(float(logsumexp([1000.0, 1000.0])), 6)  # 1000 + log 2
    1000.693147
    """
    array = real_array("a", a)
    if axis is not None:
        refuse_axis("a", array, axis)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        largest = np.max(wide, axis=axis, keepdims=True, initial=-np.inf)
        shift = np.where(np.isfinite(largest), largest, 0.0)
        total = np.sum(np.exp(wide - shift), axis=axis, keepdims=True)
        logs = shift + np.log(total)
        cancels = (largest > -40) & (largest < 0) & (total > 8)
        if np.any(cancels):
            plain = np.log(np.sum(np.exp(wide), axis=axis, keepdims=True))
            logs = np.where(cancels, plain, logs)
    return rounded(logs if keepdims else np.squeeze(logs, axis=axis), array.dtype)


def log_softmax(z: ArrayLike, axis: int = -1) -> Any:
    """``log(exp(z) / Σ exp(z)) = z − logsumexp(z)``: log-probabilities from logits, in nats.

    Parameters
    ----------
    z : array_like
        Logits, at least one dimension. ``-inf`` is a class that cannot happen.
    axis : int
        The axis of the classes.

    Returns
    -------
    ndarray
        The shape of ``z``; float32 where ``z`` is float32 or float16, else float64. NaN in a row
        with a NaN, with more than one ``inf``, and with ``-inf`` only.

    Raises
    ------
    ValueError
        For an axis that ``z`` does not have.

    Notes
    -----
    Right to a few units in the last place also for a class that is almost certain, where the
    formula above gives 0: ``nllbook/_softmax.py`` says how. See the chapter "Classification
    losses".

    Examples
    --------
    >>> log_softmax([0.0, 1000.0]).tolist()
    [-1000.0, 0.0]
    >>> [f"{log:.4g}" for log in log_softmax([40.0, 0.0])]  # the first is −log1p(exp(−40))
    ['-4.248e-18', '-40']
    """

    def formula(z: FloatArray, carry: bool) -> FloatArray:
        _, odds, _, largest = seen_from_the_top(z, carry)
        return 0.0 - surprise(z, largest[:, None], odds[:, None])

    return _by_rows(formula, z, axis)


def softmax(z: ArrayLike, axis: int = -1) -> Any:
    """``exp(z) / Σ exp(z)``: probabilities from logits.

    Parameters, result and errors as for ``log_softmax``. See the chapter "Classification losses".

    Examples
    --------
    >>> softmax([0.0, np.log(3)]).round(12).tolist()
    [0.25, 0.75]
    >>> softmax([[0.0, 1000.0], [-np.inf, 5.0]]).tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """

    def formula(z: FloatArray, carry: bool) -> FloatArray:
        ratios, odds, top, _ = seen_from_the_top(z, carry)
        ratios[np.arange(len(z)), top] = 1
        return ratios / (1 + odds[:, None])

    return _by_rows(formula, z, axis)


def _by_rows(
    formula: Callable[[FloatArray, bool], FloatArray], z: ArrayLike, axis: int
) -> FloatArray:
    """Apply a formula for rows of logits along an axis, a block of rows at a time."""
    array = real_array("z", z)
    refuse_axis("z", array, axis)
    last = np.moveaxis(array, axis, -1)
    if array.size == 0:
        return array.astype(array.dtype)
    rows = last.reshape(-1, last.shape[-1])
    result = np.empty(rows.shape, array.dtype)
    with np.errstate(all="ignore"):
        for block in blocks(*rows.shape):
            result[block] = formula(rows[block], array.dtype == np.float64)
    return np.moveaxis(result.reshape(last.shape), -1, axis)


def softplus(z: ArrayLike) -> Any:
    """``log(1 + exp(z))``, in nats: what a logit of z costs where the label is 0.

    Parameters
    ----------
    z : array_like
        Real numbers, any shape.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``z``. NaN passes through.

    Raises
    ------
    TypeError
        For what is no real number.

    Notes
    -----
    ``max(z, 0) + log1p(exp(−|z|))`` adds two numbers >= 0, and its exp cannot overflow. See the
    chapter "Classification losses".

    Examples
    --------
    >>> [f"{value:.4g}" for value in softplus([-40.0, 0.0, 1000.0])]
    ['4.248e-18', '0.6931', '1000']
    """
    array = real_array("z", z)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        return rounded(np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide))), array.dtype)


def log_sigmoid(z: ArrayLike) -> Any:
    """``log(1 / (1 + exp(−z))) = −softplus(−z)``, in nats: the log-probability of the label 1.

    Parameters, result and errors as for ``softplus``. See the chapter "Classification losses".

    Examples
    --------
    >>> [f"{log:.4g}" for log in log_sigmoid([-1000.0, 40.0])]
    ['-1000', '-4.248e-18']
    """
    array = real_array("z", z)
    return rounded(-softplus(-array), array.dtype)


def sigmoid(z: ArrayLike) -> Any:
    """``1 / (1 + exp(−z))``: the probability of the label 1, from its logit.

    Parameters, result and errors as for ``softplus``. See the chapter "Classification losses".

    Notes
    -----
    For negative z it is ``exp(z) / (1 + exp(z))``, whose exp cannot overflow.

    Examples
    --------
    >>> [f"{p:.4g}" for p in sigmoid([-40.0, 0.0, 1000.0])]
    ['4.248e-18', '0.5', '1']
    """
    array = real_array("z", z)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        small = np.exp(-np.abs(wide))
        return rounded(np.where(wide < 0, small, 1.0) / (1 + small), array.dtype)


def lgamma(x: ArrayLike) -> Any:
    """``log |Γ(x)|``, in nats: for a count k, ``lgamma(k + 1) = log(k!)``.

    See the chapter "Mean squared error as Gaussian NLL".

    Parameters
    ----------
    x : array_like
        Real numbers, any shape.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``x``. ``inf`` at 0, -1, -2, …; NaN passes through.

    Raises
    ------
    TypeError
        For what is no real number.

    Notes
    -----
    Each *different* value is computed once, by ``math.lgamma``: counts repeat.

    Between 0.5 and 4, around its zeros 1 and 2, only the absolute error is small (8 float64
    epsilons), as that of ``math.lgamma`` is; elsewhere on x > 0 the relative error is as small.
    That is enough where log Γ is a term beside others of size 1, as in every log-likelihood here.
    At the integers 1 and 2 themselves the 0 is exact.

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


# The root of digamma among the positive numbers, with what is lost in rounding it.
_ROOT, _ROOT_REST = 1.4616321449683622, 9.549995429965697e-17
_BERNOULLI = np.array([1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6])  # B₂ to B₁₄


def digamma(x: ArrayLike) -> Any:
    """ψ(x) = d/dx log Γ(x), which the score of the gamma model needs.

    Parameters
    ----------
    x : array_like
        Real numbers, any shape.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``x``. NaN at the poles 0, -1, -2, … (where the limits from
        the two sides differ) and at -inf; NaN passes through.

    Raises
    ------
    TypeError
        For what is no real number.

    Notes
    -----
    From 10 on the asymptotic series, ψ(x) = log x − 1/2x − Σ B₂ₖ/(2k x²ᵏ) (DLMF 5.11.2).
    Below, with ψ(a) = 0, a sum in which nothing cancels: ψ(x) = (x − a) Σ 1/((k + a)(k + x)) over
    k = 0, 1, 2, … (DLMF 5.7.6 at x less the same at a). The relative error of a positive x is a
    few roundings. Negative x by reflection, ψ(x) = ψ(1 − x) − π/tan πx (DLMF 5.5.4): near the
    negative roots of ψ its two terms cancel, and only the absolute error is that small.

    See the chapter "Log-likelihood".

    Examples
    --------
    >>> round(float(digamma(1.0)), 6)  # minus Euler's constant
    -0.577216
    """
    array = real_array("x", x)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        positive = np.where(wide > 0, wide, 1 - wide)
        values = np.where(positive < 10, _digamma_below_10(positive), _digamma_from_10(positive))
        distance = wide - np.round(wide)  # tan πx from the distance to an integer, which is exact
        reflected = values - np.where(distance == 0, np.nan, np.pi / np.tan(np.pi * distance))
    return rounded(np.where(wide > 0, values, reflected), array.dtype)


def _digamma_from_10(x: FloatArray) -> FloatArray:
    tail = sum(b / (2 * k * x ** (2 * k)) for k, b in enumerate(_BERNOULLI, 1))
    return np.asarray(np.log(x) - 0.5 / x - tail)


def _digamma_below_10(x: FloatArray) -> FloatArray:
    above = (x - _ROOT) - _ROOT_REST  # x − a, never 0
    near = sum(1 / ((k + _ROOT) * (k + x)) for k in range(10))
    # The terms from k = 10 on sum to (ψ(X) − ψ(A))/(X − A) with X = x + 10 and A = a + 10.
    # In t = 1/X the series is −log t − p(t) with a polynomial p, so that is log(X/A)/(X − A) +
    # (p(t) − p(s))/(t − s) · ts with s = 1/A; Horner's scheme for p(t) gives the quotient too.
    s, t = 1 / (_ROOT + 10), 1 / (x + 10)
    coefficients = np.zeros(15)
    coefficients[1], coefficients[2::2] = 0.5, _BERNOULLI / np.arange(2, 15, 2)
    quotient, p = np.zeros_like(x), np.zeros_like(x)
    for coefficient in coefficients[::-1]:
        quotient, p = quotient * s + p, p * t + coefficient
    return np.asarray(above * (near + np.log1p(above * s) / above + quotient * t * s))


def trigamma(x: ArrayLike) -> Any:
    """ψ′(x) = d²/dx² log Γ(x), which the curvature of the gamma model's likelihood needs.

    Parameters
    ----------
    x : array_like
        Real numbers, any shape.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``x``. ``inf`` at the poles 0, -1, -2, …; NaN at -inf; NaN
        passes through.

    Raises
    ------
    TypeError
        For what is no real number.

    Notes
    -----
    From 10 on the asymptotic series, ψ′(x) = 1/x + 1/2x² + Σ B₂ₖ/x²ᵏ⁺¹ (DLMF 5.15.8); below, the
    recurrence ψ′(x) = 1/x² + ψ′(x + 1) (5.15.5) up to there; negative x by reflection,
    ψ′(x) = (π/sin πx)² − ψ′(1 − x) (5.15.6). The relative error is a few roundings everywhere.

    See the chapter "Log-likelihood".

    Examples
    --------
    >>> round(float(trigamma(1.0)), 6)  # π²/6
    1.644934
    """
    array = real_array("x", x)
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        positive = np.where(wide > 0, wide, 1 - wide)
        few = positive < 10
        near = sum(np.where(few, 1 / (positive + k) ** 2, 0) for k in range(10))
        r = 1 / np.where(few, positive + 10, positive)
        tail = sum(b * r ** (2 * k) for k, b in enumerate(_BERNOULLI, 1))
        values = near + r * (1 + r / 2 + tail)
        reflected = (np.pi / np.sin(np.pi * (wide - np.round(wide)))) ** 2 - values
    return rounded(np.where(wide > 0, values, reflected), array.dtype)
