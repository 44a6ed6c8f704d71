"""How probable a model makes the data: as a product, as a sum of logs, as a loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nllbook._quiet import quiet
from nllbook._reduce import Reduction, Total, blocks, divisor, part, row_weights, times
from nllbook._stream import Batches, Summed, comes_in_batches, streamed
from nllbook._validate import real_array, rounded
from nllbook.distributions import Distribution


def likelihood(x: ArrayLike, dist: Distribution) -> Any:
    """Π p(xᵢ): the product of ``dist.prob(x)`` over independent samples.

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
        float32 where ``x`` is float32 or float16 (the product is then taken in float32), else
        float64. 1 for no samples at all: the empty product.

    Raises
    ------
    TypeError
        For an ``x`` that is no real number.

    Examples
    --------
    >>> from nllbook import Bernoulli
    >>> float(likelihood([1, 0, 1], Bernoulli(0.5)))
    0.125
    """
    with np.errstate(all="ignore"):
        return np.prod(_model(dist).prob(x))


def log_likelihood(x: ArrayLike, dist: Distribution) -> Any:
    """ℓ = Σ log p(x): the log of the likelihood, in nats, a *sum* over samples.

    Parameters and errors as for ``likelihood``. See the chapter "Log-likelihood".

    Returns
    -------
    scalar
        float32 where ``x`` is float32 or float16, else float64, in which the sum is accumulated.
        0 for no samples at all.

    Examples
    --------
    >>> from nllbook import Bernoulli
    >>> round(float(log_likelihood([1, 0, 1], Bernoulli(0.5))), 6)
    -2.079442
    """
    array = real_array("x", x)
    with np.errstate(all="ignore"):
        return rounded(np.sum(_model(dist).log_prob(array.astype(np.float64))), array.dtype)


@quiet
def nll(
    x: ArrayLike | Batches,
    dist: Distribution,
    sample_weight: ArrayLike | Batches | None = None,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood −log p(x), in nats.

    See the chapter "Negative log-likelihood".

    Parameters
    ----------
    x : array_like, or an iterator of such
        Samples, any shape. Those on disk may come as a memory-mapped array, or batch after batch
        from an iterator: the memory taken does not grow with their number.
    dist : Distribution
        The model.
    sample_weight : array_like, optional
        Weights >= 0 of the shape of ``x``, or one number. A weight of 2 counts a sample twice, 0
        leaves it out. For batches an iterator too, or one number.
    reduction : {"mean", "sum", "none"}
        "mean" divides the weighted sum by the sum of the weights (by n without weights), over all
        batches. "none" is not for batches.

    Returns
    -------
    scalar, or an array of the shape of ``x`` for "none"
        float32 where ``x`` is float32 or float16, else float64; accumulated in float64.

    Raises
    ------
    ValueError
        For an unknown reduction, weights of another shape, negative or not finite, and for the
        mean where every row has weight 0, or there is none.

    Examples
    --------
    >>> from nllbook import Bernoulli
    >>> round(float(nll([1, 0, 1], Bernoulli(0.5))), 6)
    0.693147
    >>> round(float(nll(iter([[1, 0], [1]]), Bernoulli(0.5))), 6)  # the same in two batches
    0.693147
    """

    model = _model(dist)

    def total(sample_weight: Any, x: Any, over: Reduction) -> Summed:
        array = real_array("x", x)
        weight = row_weights(sample_weight, "x", array.shape, over)
        found = Total(array.shape, over == "none", array.dtype)
        weights = None if weight is None else weight.ravel()
        if not isinstance(model, Distribution):  # which may have a parameter for each value
            surprise = -np.asarray(model.log_prob(array.astype(np.float64)))
            if surprise.shape != array.shape:
                raise ValueError(
                    f"dist.log_prob must give a number for each of x, of shape {array.shape}, "
                    f"got shape {surprise.shape}"
                )
            found.add(slice(None), times(weights, surprise.ravel()))
            return found, weight
        samples = array.ravel()
        for block in blocks(samples.size, 1):
            surprise = -model.log_prob(samples[block].astype(np.float64, copy=False))
            found.add(block, times(part(weights, block), surprise))
        return found, weight

    if comes_in_batches(x=x):
        return streamed(total, reduction, sample_weight, x=x)
    found, weight = total(sample_weight, x, reduction)
    return found.over(divisor(weight, found.rows, reduction))


def _model(dist: Distribution) -> Distribution:
    """The model, which may be of a class of the caller's own: it has to have the two methods."""
    if not (hasattr(dist, "log_prob") and hasattr(dist, "prob")):
        raise TypeError(
            f"dist must be a distribution such as Bernoulli(0.5), got {type(dist).__name__}"
        )
    return dist
