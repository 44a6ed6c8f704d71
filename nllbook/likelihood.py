"""How probable a model makes the data: as a product, as a sum of logs, as a loss."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from nllbook._validate import FloatArray, power_of_two, real_array, refuse, rounded
from nllbook.distributions import Distribution

Reduction = Literal["mean", "sum", "none"]


def likelihood(x: ArrayLike, dist: Distribution) -> Any:
    """The product of ``dist.prob(x)`` over independent samples.

    It is computed as it is written, and so it underflows (or overflows) as the product does:
    see the chapter "Likelihood". ``log_likelihood`` survives.

    Parameters
    ----------
    x : array_like
        Samples, any shape.
    dist : Distribution
        The model.

    Returns
    -------
    scalar
        float32 where ``x`` is float32 (the product is then taken in float32), else float64.
        1 for no samples at all: the empty product.

    Examples
    --------
    >>> from nllbook import Bernoulli
    >>> float(likelihood([1, 0, 1], Bernoulli(0.5)))
    0.125
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.prod(dist.prob(x))


def log_likelihood(x: ArrayLike, dist: Distribution) -> Any:
    """ℓ = Σ log p(x): the log of the likelihood, in nats, a *sum* over samples.

    Parameters and float type as in ``likelihood``; the sum is accumulated in float64.

    Examples
    --------
    >>> from nllbook import Bernoulli
    >>> round(float(log_likelihood([1, 0, 1], Bernoulli(0.5))), 6)
    -2.079442
    """
    array = real_array("x", x)
    with np.errstate(over="ignore"):
        return rounded(np.sum(dist.log_prob(array.astype(np.float64))), array.dtype)


def nll(
    x: ArrayLike,
    dist: Distribution,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood −log p(x), in nats.

    Parameters
    ----------
    x : array_like
        Samples, any shape.
    dist : Distribution
        The model.
    sample_weight : array_like, optional
        Weights >= 0 of the shape of ``x``. A weight of 2 counts a sample twice, 0 leaves it out.
    reduction : {"mean", "sum", "none"}
        "mean" divides the weighted sum by the sum of the weights (by n without weights).

    Returns
    -------
    scalar, or an array of the shape of ``x`` for "none"
        float32 where ``x`` is float32, else float64; accumulated in float64.

    Raises
    ------
    ValueError
        For an unknown reduction, weights of another shape, negative or not finite, and for the
        mean where the weights sum to 0.

    Examples
    --------
    >>> from nllbook import Bernoulli
    >>> round(float(nll([1, 0, 1], Bernoulli(0.5))), 6)
    0.693147
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', got {reduction!r}")
    array = real_array("x", x)
    weight = _weights(sample_weight, array)
    surprise = -dist.log_prob(array.astype(np.float64))
    if reduction == "mean":
        if not np.any(weight):
            raise ValueError("the weights sum to 0 (no samples?): their mean is not defined")
        weight = weight / power_of_two(weight)
    with np.errstate(over="ignore"):
        terms = weight * np.where(weight == 0, 0.0, surprise)
        if reduction == "none":
            return rounded(terms, array.dtype)
        total = np.sum(terms)
        if reduction == "mean":
            total = total / np.sum(weight)
    return rounded(total, array.dtype)


def _weights(sample_weight: ArrayLike | None, x: FloatArray) -> FloatArray:
    if sample_weight is None:
        return np.ones(x.shape)
    weight = real_array("sample_weight", sample_weight).astype(np.float64)
    if weight.ndim == 0:
        weight = np.full(x.shape, weight)
    if weight.shape != x.shape:
        raise ValueError(f"sample_weight must have the shape of x, {x.shape}, got {weight.shape}")
    refuse("sample_weight", weight, ~(np.isfinite(weight) & (weight >= 0)), "finite and >= 0")
    return weight
