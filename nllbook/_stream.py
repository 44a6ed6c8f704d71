"""Data that come in batches, one after another, because all of them together are too many.

A loss takes an iterator (what ``iter`` returns, or a generator) in the place of an array. Each of
its items is a batch; iterators go in step, and everything else serves all batches. Of a batch its
sum of losses stays and its sum of weights, so the memory taken does not grow with their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nllbook._reduce import Floats, Total

Batches = Iterator[ArrayLike]
# The losses of a batch, added up, and the weights of its rows (None: each counts once).
Summed = tuple[Total, Floats | None]


class Running:
    """A sum to which numbers are added, together with what its roundings lost (Neumaier 1974)."""

    def __init__(self) -> None:
        self.total = self.lost = 0.0

    def add(self, x: float) -> None:
        """One more."""
        total = self.total + x
        larger, smaller = (self.total, x) if abs(self.total) >= abs(x) else (x, self.total)
        self.lost += (larger - total) + smaller
        self.total = total

    def value(self) -> float:
        """The sum: infinite, or NaN, where that of the numbers is."""
        return self.total + self.lost if math.isfinite(self.total) else self.total


def streamed(losses: Callable[..., Summed], reduction: str, sample_weight: Any, **rows: Any) -> Any:
    """The mean or the sum over all batches; ``losses`` is called with the arguments of each."""
    if reduction not in ("mean", "sum"):
        raise ValueError(
            f"reduction must be 'mean' or 'sum' where batches come one after another, "
            f"got {reduction!r}"
        )
    if np.ndim(sample_weight) != 0:  # it is 0 for an iterator, too
        raise TypeError("sample_weight must be an iterator of batches, too, or one number")
    # the weights of iterators are over no power of two, as that would differ from batch to batch
    over = "sum" if isinstance(sample_weight, Iterator) else reduction
    total, counts, types = Running(), Running(), set()
    for number, batch in enumerate(in_step(sample_weight=sample_weight, **rows)):
        try:
            found, weight = losses(**batch, over=over)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"in batch {number}: {error}") from error
        total.add(float(found.sum()))
        counts.add(float(found.rows if weight is None else np.sum(weight)))
        types.add(found.dtype)
    by = counts.value() if reduction == "mean" else 1.0
    if by == 0:
        raise ValueError("no row has a weight, and their mean is not defined: sum them instead")
    if math.isinf(by):
        raise ValueError("the weights add up to more than a float holds: divide them by a number")
    return np.result_type(*(types or {np.float64})).type(total.value() / by)


def in_step(**arguments: Any) -> Iterator[dict[str, Any]]:
    """The arguments of each batch: the next item of every iterator, and the others as they are."""
    iterators = {name: value for name, value in arguments.items() if isinstance(value, Iterator)}
    number, missing = 0, object()
    while True:
        items = {name: next(iterator, missing) for name, iterator in iterators.items()}
        ended = [name for name, item in items.items() if item is missing]
        if len(ended) == len(items):
            return
        if ended:
            raise ValueError(
                f"{' and '.join(ended)} ended after {number} batches, before the others"
            )
        yield {**arguments, **items}
        number += 1


def comes_in_batches(**rows: Any) -> bool:
    """Whether arguments that have an entry for each row are iterators: all of them, or none."""
    iterators = [name for name, value in rows.items() if isinstance(value, Iterator)]
    if iterators and len(iterators) < len(rows):
        others = [name for name in rows if name not in iterators]
        raise TypeError(
            f"{' and '.join(iterators)} comes in batches, and so must {' and '.join(others)}: "
            "an iterator"
        )
    return bool(iterators)
