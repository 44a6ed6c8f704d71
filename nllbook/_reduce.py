"""From a loss per row to the number that is returned: weights, sums and means, in one place.

A row with the weight w counts as w rows. With the losses ℓᵢ of the rows and their weights wᵢ

    "none"  wᵢ ℓᵢ        "sum"  Σ wᵢ ℓᵢ        "mean"  Σ wᵢ ℓᵢ / Σ wᵢ

Only the ratios of the weights matter to a mean, so there they are divided by a power of two first,
which is exact, and no sum of weights can overflow.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._validate import power_of_two, real_array, refuse, rounded

Reduction = Literal["mean", "sum", "none"]
Floats = NDArray[np.float64]


def row_weights(
    sample_weight: ArrayLike | None, data: str, shape: tuple[int, ...], reduction: Reduction
) -> Floats:
    """The weight of each row (1 without weights); ``data`` names whose shape they must have."""
    if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    if sample_weight is None:
        return np.ones(shape)
    weight = real_array("sample_weight", sample_weight).astype(np.float64)
    if weight.ndim == 0:
        weight = np.full(shape, weight)
    if weight.shape != shape:
        raise ValueError(
            f"sample_weight must have the shape of {data}, {shape}, got {weight.shape}"
        )
    refuse("sample_weight", weight, ~(np.isfinite(weight) & (weight >= 0)), "finite and >= 0")
    return balanced(weight, reduction)


def balanced(weight: Floats, reduction: Reduction) -> Floats:
    """For the mean the weights over a power of two, so that the largest is between 1 and 2."""
    if reduction != "mean" or not np.any(weight):
        return weight
    return weight / power_of_two(weight)


def times(weight: Floats, loss: Floats) -> Floats:
    """weight · loss, and 0 for a weight of 0, whatever the loss."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.where(weight == 0, 0.0, weight * loss)


def divisor(weight: Floats, reduction: Reduction) -> float:
    """What the sum of the weighted losses is divided by: Σ w for the mean, else 1."""
    if reduction != "mean":
        return 1.0
    if not np.any(weight):
        if weight.size == 0:
            raise ValueError("there are no rows, and their mean is not defined: sum them instead")
        raise ValueError(
            "every row has weight 0 (by its weights, or ignored), and their mean is not defined: "
            "reduction='sum' gives 0"
        )
    return float(np.sum(weight))


def reduced(terms: Floats, by: float, reduction: Reduction, dtype: Any) -> Any:
    """The weighted losses themselves, their sum, or that over the ``divisor``, in ``dtype``."""
    with np.errstate(over="ignore", invalid="ignore"):
        if reduction == "none":
            return rounded(terms, dtype)
        return rounded(np.sum(terms) / by, dtype)
