"""From a loss per row to the number that is returned: weights, sums and means, in one place.

A row with the weight w counts as w rows. With the losses ℓᵢ of the rows and their weights wᵢ

    "none"  wᵢ ℓᵢ        "sum"  Σ wᵢ ℓᵢ        "mean"  Σ wᵢ ℓᵢ / Σ wᵢ

Only the ratios of the weights matter to a mean, so there they are divided by a power of two first:
that is exact, but for weights too small to add anything, and no sum of weights can overflow. Rows
are taken a block at a time, so that what is computed on the way stays in the processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._validate import power_of_two, real_array, refuse

Reduction = Literal["mean", "sum", "none"]
Floats = NDArray[np.float64]
BLOCK = 2**15  # so many float64 (256 KiB) stay in the processor's cache


def blocks(n: int, k: int) -> Iterator[slice]:
    """Some rows at a time: as many of k numbers each as make a block, and at least one."""
    step = max(1, BLOCK // max(1, k))
    return (slice(start, start + step) for start in range(0, n, step))


def row_weights(
    sample_weight: ArrayLike | None, data: str, shape: tuple[int, ...], reduction: Reduction
) -> Floats | None:
    """The weight of each row, or None where each counts once; ``data`` names whose shape it has."""
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if sample_weight is None:
        return None
    given = real_array("sample_weight", sample_weight)
    if given.ndim and given.shape != shape:
        raise ValueError(f"sample_weight must have the shape of {data}, {shape}, got {given.shape}")
    refuse("sample_weight", given, ~(np.isfinite(given) & (given >= 0)), "finite and >= 0")
    weight = np.broadcast_to(given, shape).astype(np.float64)
    return balanced(weight, reduction)


def balanced(weight: Floats, reduction: Reduction) -> Floats:
    """For the mean the weights over a power of two, so that the largest is between 1 and 2."""
    if reduction != "mean" or not np.any(weight):
        return weight
    return still_counting(weight / power_of_two(weight), weight)


def still_counting(weight: Floats, of: Floats) -> Floats:
    """The weights, of which none is 0 but those ``of`` 0: a row that counts is looked at."""
    return np.where((weight == 0) & (of > 0), math.ulp(0.0), weight)


def part(weight: Floats | None, block: slice) -> Floats | None:
    """The weights of a block of rows."""
    return None if weight is None else weight[block]


def times(weight: Floats | None, loss: Floats) -> Floats:
    """weight · loss, and 0 for a weight of 0, whatever the loss; None is a weight of 1."""
    if weight is None:
        return loss
    product = np.asarray(weight * loss)
    if math.isnan(np.add.reduce(product, axis=None)):  # there may be 0 · inf, or 0 · NaN
        product = np.where(weight == 0, 0.0, product)
    return product


def divisor(weight: Floats | None, rows: int, reduction: Reduction) -> float:
    """What the sum of the weighted losses is divided by: Σ w for the mean, else 1."""
    if reduction != "mean":
        return 1.0
    if rows == 0:
        raise ValueError("there are no rows, and their mean is not defined: sum them instead")
    if weight is None:
        return float(rows)
    if not np.any(weight):
        raise ValueError(
            "every row has weight 0 (by its weights, or ignored), and their mean is not defined: "
            "reduction='sum' gives 0"
        )
    return float(np.sum(weight))


class Total:
    """One number per row, or their sum: terms over a divisor, added a block of rows at a time.

    Like all that computes here it leaves it to the caller to silence NumPy's warnings.
    """

    def __init__(self, shape: tuple[int, ...], keep: bool, dtype: Any) -> None:
        self.shape, self.rows, self.dtype = shape, math.prod(shape), dtype
        self._kept = np.empty(self.rows, dtype) if keep else None
        self._sums: list[np.float64] = []

    def add(self, block: slice, terms: Floats, by: float = 1.0, total: Any = None) -> None:
        """The terms of a block of rows; ``by`` is what they are over where they are kept.

        ``total`` is their sum, where it is known.
        """
        if self._kept is None:
            self._sums.append(np.add.reduce(terms) if total is None else total)
        else:
            self._kept[block] = terms / by + 0.0  # no −0

    def sum(self) -> Any:
        """Their sum, in float64."""
        return self._sums[0] if len(self._sums) == 1 else np.add.reduce(self._sums)

    def over(self, by: float) -> Any:
        """What is returned, in the caller's float type: the terms, or their sum over ``by``."""
        if self._kept is None:
            return self.dtype.type(self.sum() / by + 0.0)  # no −0
        return self._kept.reshape(self.shape)[()]
