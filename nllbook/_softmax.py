"""Rows of logits, seen from the largest of each: what softmax and its logarithm are made of.

``categorical_nll`` of a class index comes here only where sums of exp(z) will not do: where they
leave the floats, and for rows with one class that can happen.

With ``r_j = exp(z_j − z_top)`` for every class j but the top one, and the sum of these,

    odds = Σ r_j              the odds against the top class
    p_top = 1 / (1 + odds)    p_j = r_j / (1 + odds)
    −log p_top = log1p(odds)  −log p_j = (z_top − z_j) + log1p(odds)

Nothing is subtracted that is nearly equal, and ``log1p`` of the *others* keeps the surprise of a
confident row: 4.2e-18 for the logits (40, 0), where ``logsumexp(z) − z_top`` is 0.
Two things are left to look after.

* ``z_j − z_top`` is rounded. The rounding error e of a difference of 700 changes its exponential by
  350 units in the last place, so e is computed too, and exp(d + e) = exp(d) (1 + e).
* Ratios below 2e-308 lose digits, and vanish at 5e-324. Where they are all that small the odds are
  taken from the largest of the others instead.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Seen(NamedTuple):
    """n rows of k logits each, as above: ``ratios`` (n, k) with 0 at the top, the others (n,)."""

    ratios: Floats
    odds: Floats
    top: NDArray[np.intp]
    largest: Floats


def seen_from_the_top(z: NDArray[Any], carry: bool) -> Seen:
    """The rows of the logits z, shape (n, k) with k >= 1.

    ``carry`` the rounding errors of the differences: for results in float64. They make no
    difference to results in float32.
    """
    z = z.astype(np.float64)
    rows = np.arange(len(z))
    top = z.argmax(axis=1)
    largest = z[rows, top]
    ratios = exp_difference(z, largest[:, None], carry)
    ratios[rows, top] = 0
    odds = ratios.sum(axis=1)
    far = odds < 1e-290
    if np.any(far):
        z[rows, top] = -np.inf
        odds[far] = _far_odds(z[far], largest[far])
    return Seen(ratios, odds, top, largest)


def _far_odds(others: Floats, largest: Floats) -> Floats:
    """exp(second − largest) · Σ exp(others − second), the first factor in two halves.

    In the sum a difference d is rounded by less than d · 1.1e-16, which changes nothing beside
    exp(−d).
    """
    second = others.max(axis=1)
    shift = np.where(np.isfinite(second), second, 0.0)
    total = np.exp(others - shift[:, None]).sum(axis=1)
    gap, error = difference(second, largest)
    half = np.exp(gap / 2)
    odds: Floats = total * half * (1 + error) * half
    return odds


def surprise(z: NDArray[Any], largest: Floats, odds: Floats) -> Floats:
    """−log softmax of logits z, given the largest of their rows and the odds against it."""
    return np.where(z == largest, 0.0, largest - z) + np.log1p(odds)


def exp_difference(a: Floats, b: Floats, carry: bool) -> Floats:
    """exp(a − b), with the rounding error of the difference taken into account or not."""
    if not carry:
        return np.exp(a - b)
    d, error = difference(a, b)
    ratio = np.exp(d)
    ratio += ratio * error
    return ratio


def difference(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """a − b as it is rounded, and its rounding error, exactly (0 where a or b is infinite).

    Knuth's two-sum (The Art of Computer Programming 2, 4.2.2, theorem B).
    """
    d = a - b
    t = d - a
    error = (a - (d - t)) - (b + t)
    return d, np.where(np.isfinite(d), error, 0.0)
