"""Surprise and what is made of it: entropy, cross-entropy, the Kullback-Leibler divergence.

===============  =======================  ========================================
function         formula                  it is
===============  =======================  ========================================
surprisal        −log p                   what one outcome costs
entropy          H(p) = −Σ p log p        the mean surprise under p
cross_entropy    H(p, q) = −Σ p log q     the same to one who believes q
kl_divergence    KL(p‖q) = Σ p log(p/q)   what that costs more: H(p, q) − H(p)
perplexity       exp(mean surprise)       so many equally likely outcomes
===============  =======================  ========================================

Here 0 · log 0 is 0. Probabilities must sum to 1 within k roundings of the float type they came in:
k · 2.2e-16 for k outcomes in float64, k · 1.2e-7 in float32. They are never renormalised. See the
chapter "Entropy, cross-entropy and KL divergence".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._validate import real_array, refuse, refuse_axis, refuse_sums, rounded, scalar

Floats = NDArray[np.float64]


def surprisal(p: ArrayLike, base: float | None = None) -> Any:
    """−log p of each probability: what an outcome of that probability costs when it happens.

    See the chapter "Entropy, cross-entropy and KL divergence".

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1], any shape.
    base : float, optional
        Base of the logarithm, > 1: 2 for bits. Without it nats.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``p``: 0.0 for p = 1, ``inf`` for p = 0; NaN passes through.

    Raises
    ------
    ValueError
        For a probability outside [0, 1].

    Examples
    --------
    >>> float(surprisal(0.125, base=2))
    3.0
    """
    array = real_array("p", p)
    refuse("p", array, (array < 0) | (array > 1), "in [0, 1]")
    return rounded(-_log(array.astype(np.float64), base), array.dtype)


def entropy(p: ArrayLike, base: float | None = None, axis: int = -1) -> Any:
    """H(p) = −Σ p log p, the mean surprise of outcomes that have the probabilities p.

    See the chapter "Entropy, cross-entropy and KL divergence".

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1] that sum to 1 along ``axis``.
    base : float, optional
        Base of the logarithm, > 1: 2 for bits. Without it nats.
    axis : int
        The axis of the outcomes.

    Returns
    -------
    ndarray or scalar
        The shape of ``p`` without ``axis``, and its float type. At least 0, and up to rounding at
        most log k. NaN where a probability is.

    Raises
    ------
    ValueError
        For probabilities outside [0, 1] or that do not sum to 1.

    Examples
    --------
    >>> float(entropy([0.5, 0.25, 0.25], base=2))
    1.5
    """
    rows, dtype = probabilities("p", p, axis)
    return rounded(np.sum(_costs(rows, rows, base), axis=-1), dtype)


def binary_entropy(p: ArrayLike, base: float | None = None) -> Any:
    """−p log p − (1 − p) log(1 − p), the entropy of a coin that shows heads with probability p.

    See the chapter "Entropy, cross-entropy and KL divergence".

    Parameters
    ----------
    p : array_like
        Probabilities in [0, 1], any shape.
    base : float, optional
        Base of the logarithm, > 1: 2 for bits. Without it nats.

    Returns
    -------
    ndarray or scalar
        The shape and float type of ``p``; NaN passes through.

    Raises
    ------
    ValueError
        For a probability outside [0, 1].

    Examples
    --------
    >>> float(binary_entropy(0.5, base=2))
    1.0
    """
    array = real_array("p", p)
    refuse("p", array, (array < 0) | (array > 1), "in [0, 1]")
    wide = array.astype(np.float64)
    with np.errstate(all="ignore"):
        tails = np.where(wide == 1, 0.0, (wide - 1) * np.log1p(-wide))  # log1p: exact near p = 0
        return rounded(_costs(wide, wide, base) + tails / _unit(base), array.dtype)


def cross_entropy(p: ArrayLike, q: ArrayLike, base: float | None = None, axis: int = -1) -> Any:
    """H(p, q) = −Σ p log q, the mean surprise of outcomes of probabilities p to one who believes q.

    See the chapter "Entropy, cross-entropy and KL divergence".

    Parameters
    ----------
    p, q : array_like
        Probabilities of one shape that sum to 1 along ``axis``.
    base : float, optional
        Base of the logarithm, > 1: 2 for bits. Without it nats.
    axis : int
        The axis of the outcomes.

    Returns
    -------
    ndarray or scalar
        The shape of ``p`` without ``axis``; float32 where both are float32 or float16, else
        float64. ``inf`` where some p > 0 meets q = 0; NaN where a probability is.

    Raises
    ------
    ValueError
        For different shapes, probabilities outside [0, 1] or that do not sum to 1.

    Examples
    --------
    >>> float(cross_entropy([0.5, 0.5], [0.25, 0.75], base=4)) > 0.5
    True
    >>> float(cross_entropy([0, 1], [1, 0]))
    inf
    """
    p_rows, q_rows, dtype = _pair(p, q, axis)
    return rounded(np.sum(_costs(p_rows, q_rows, base), axis=-1), dtype)


def kl_divergence(p: ArrayLike, q: ArrayLike, base: float | None = None, axis: int = -1) -> Any:
    """KL(p‖q) = Σ p log(p/q): what believing q costs more than knowing p, H(p, q) − H(p).

    It is summed as Σ [p log(p/q) − p + q]: the same for probabilities that sum to 1, but none of
    these terms is negative, and each is computed without cancellation (see ``deviance``).

    See the chapter "Entropy, cross-entropy and KL divergence".

    Parameters
    ----------
    p, q : array_like
        Probabilities of one shape that sum to 1 along ``axis``.
    base : float, optional
        Base of the logarithm, > 1: 2 for bits. Without it nats.
    axis : int
        The axis of the outcomes.

    Returns
    -------
    ndarray or scalar
        The shape of ``p`` without ``axis``; float32 where both are float32 or float16, else
        float64. Never negative, and 0.0 where p = q; ``inf`` where some p > 0 meets q = 0; NaN
        where a probability is.

    Raises
    ------
    ValueError
        For different shapes, probabilities outside [0, 1] or that do not sum to 1.

    Examples
    --------
    >>> round(float(kl_divergence([0.5, 0.5], [0.25, 0.75], base=2)), 6)
    0.207519
    >>> float(kl_divergence([0.25, 0.75], [0.25, 0.75]))
    0.0
    """
    p_rows, q_rows, dtype = _pair(p, q, axis)
    with np.errstate(all="ignore"):
        return rounded(np.sum(deviance(p_rows, q_rows), axis=-1) / _unit(base), dtype)


def perplexity(nll: ArrayLike, base: float | None = None) -> Any:
    """exp(nll): among that many equally likely outcomes, each would surprise as much.

    See the chapter "Entropy, cross-entropy and KL divergence".

    Parameters
    ----------
    nll : array_like
        A *mean* negative log-likelihood per symbol (a cross-entropy), any shape.
    base : float, optional
        Its unit, as the base of its logarithm, > 1: 2 where ``nll`` is in bits. Without it nats.

    Returns
    -------
    ndarray or scalar
        base^nll, in the shape and float type of ``nll``. The base changes nothing but the unit
        in which ``nll`` is read. NaN passes through.

    Raises
    ------
    TypeError, ValueError
        For what is no real number, and a base that is not > 1.

    Examples
    --------
    >>> float(perplexity(3, base=2))
    8.0
    >>> round(float(perplexity(np.log(6))), 12)
    6.0
    """
    array = real_array("nll", nll)
    wide = array.astype(np.float64)
    _unit(base)
    with np.errstate(all="ignore"):
        return rounded(np.exp(wide) if base is None else np.power(float(base), wide), array.dtype)


def deviance(x: Floats, m: Floats) -> Floats:
    """x log(x/m) − x + m for x, m >= 0, without cancellation where x and m are close.

    With v = (x − m)/(x + m), log(x/m) = 2 (v + v³/3 + v⁵/5 + …), so that the sum is
    (x − m) v + 2x (v³/3 + v⁵/5 + …) (Loader 2000). It is 0 for x = m, m for x = 0, inf for m = 0
    and any other x, and never negative. Large x and m are divided by 4, so that x + m is finite.
    """
    with np.errstate(all="ignore"):
        unit = np.where(np.maximum(x, m) > 1e307, 4.0, 1.0)
        x, m = x / unit, m / unit
        v = (x - m) / (x + m)
        w = v * v
        tail = w * (1 / 3 + w * (1 / 5 + w * (1 / 7 + w * (1 / 9 + w * (1 / 11 + w / 13)))))
        ratio = x / m
        in_range = (ratio > 1e-300) & (ratio < 1e300)
        log_ratio = np.where(in_range, np.log(ratio), np.log(x) - np.log(m))
        far = np.where((x == 0) | np.isinf(m), m, x * log_ratio - x + m)
        return unit * np.where(np.abs(v) < 0.1, (x - m) * v + 2 * x * v * tail, far)


def probabilities(name: str, p: ArrayLike, axis: int = -1) -> tuple[Floats, Any]:
    """Float64 rows of probabilities with the outcomes on the last axis, and the result's type.

    Raises a ValueError where some are outside [0, 1] or do not sum to 1 (see ``refuse_sums``).
    A row that holds a NaN passes, whatever else is in it.
    """
    array = real_array(name, p)
    refuse_axis(name, array, axis)
    known = ~np.any(np.isnan(array), axis=axis, keepdims=True)
    refuse(name, array, known & ((array < 0) | (array > 1)), "in [0, 1]")
    rows = np.moveaxis(array, axis, -1).astype(np.float64)
    refuse_sums(name, rows, np.asarray(p).dtype, np.squeeze(known, axis))
    return rows, array.dtype


def _pair(p: ArrayLike, q: ArrayLike, axis: int) -> tuple[Floats, Floats, Any]:
    p_rows, p_type = probabilities("p", p, axis)
    q_rows, q_type = probabilities("q", q, axis)
    if np.shape(p) != np.shape(q):
        raise ValueError(f"p and q must have one shape, got {np.shape(p)} and {np.shape(q)}")
    return p_rows, q_rows, np.result_type(p_type, q_type)


def _costs(p: Floats, q: Floats, base: float | None) -> Floats:
    """−p log q for each pair, and 0 where p is: what never happens costs nothing."""
    with np.errstate(all="ignore"):
        return np.where((p == 0) & ~np.isnan(q), 0.0, -p * _log(q, base))


def _log(y: Floats, base: float | None) -> Floats:
    """The logarithm of the given base: in bits exact for powers of 2, as code lengths need it."""
    with np.errstate(all="ignore"):
        return np.log2(y) if _unit(base) == math.log(2) else np.log(y) / _unit(base)


def _unit(base: float | None) -> float:
    """One unit of the given base, in nats."""
    return 1.0 if base is None else math.log(scalar("base", base, "finite and > 1", low=1))
