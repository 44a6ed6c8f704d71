"""What the losses share whose rows are single numbers: shapes, weights, checks, gradients.

A loss is written for some rows at a time,

    batch = Batch(sample_weight, reduction, return_grad, y=y, mean=mean)
    for rows in batch:
        error = rows["y"] - rows.finite("mean")
        rows.loss(0.5 * error * error)
        if return_grad:
            rows.slopes(mean=-error)
    return batch.result()

and that is a block that fits into the processor's cache, not all of them at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._reduce import (
    Floats,
    Reduction,
    Total,
    blocks,
    divisor,
    part,
    row_weights,
    times,
)
from nllbook._validate import float_type, real_array, refuse


def one_of(**values: Any) -> tuple[str, Any]:
    """The name and the value of the one argument that was given, of several."""
    given = [(name, value) for name, value in values.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(name for name, _ in given) or "none"
        raise ValueError(f"exactly one of {', '.join(values)} must be given, got {found}")
    return given[0]


class Batch:
    """Data and parameters of one call: arrays of one shape, or single numbers for all rows."""

    def __init__(
        self,
        sample_weight: ArrayLike | None,
        reduction: Reduction,
        return_grad: bool,
        **values: ArrayLike,
    ) -> None:
        arrays = {name: real_array(name, value) for name, value in values.items()}
        shapes = {array.shape for array in arrays.values() if array.ndim}
        if len(shapes) > 1:
            found = [f"{name} of shape {one.shape}" for name, one in arrays.items() if one.ndim]
            raise ValueError(
                f"{', '.join(values)} must have one shape or be numbers, got {', '.join(found)}"
            )
        self.shape: tuple[int, ...] = next(iter(shapes), ())
        self.size = math.prod(self.shape)
        self.dtype = float_type(*values.values())
        self.reduction, self.return_grad = reduction, return_grad
        weight = row_weights(sample_weight, "the rows", self.shape, reduction)
        self.weight = None if weight is None else weight.ravel()
        self.arrays = {
            name: array.ravel() if array.ndim else array for name, array in arrays.items()
        }
        self.by = math.nan  # until it is asked for: what the values and the gradient are over
        self.value = Total(self.shape, reduction == "none", self.dtype)
        self.gradients: dict[str, Total] = {}

    def __iter__(self) -> Iterator[Rows]:
        """The rows, a block at a time; where there are none, one empty block all the same."""
        if math.isnan(self.by):
            self.by = divisor(self.weight, self.size, self.reduction)
        for block in blocks(max(1, self.size), 1):
            yield Rows(self, block)

    def checked(self) -> NDArray[np.bool_]:
        """Which rows are looked at: those that have a weight and no NaN, all in one dimension."""
        known = np.ones(self.size, bool)
        for array in self.arrays.values():
            known &= ~np.isnan(array)
        return known if self.weight is None else known & (self.weight != 0)

    def result(self) -> Any:
        """The value, and with ``return_grad`` the gradient with respect to each parameter.

        Where a single number serves all rows its gradient is the sum over them, but for "none".
        """
        value = self.value.over(self.by)
        if not self.return_grad:
            return value
        gradients = tuple(total.over(self.by) for total in self.gradients.values())
        return value, gradients[0] if len(gradients) == 1 else gradients


class Rows:
    """A block of rows: ``rows["loc"]`` are their entries of the argument ``loc``, in float64.

    Only rows that count and hold no NaN are checked; those of weight 0 are blanked out with NaN.
    A mean or a scale that is wrong makes the loss of its row infinite or NaN: only then are the
    entries looked at. A single number, which serves all rows, is looked at at once.
    """

    def __init__(self, batch: Batch, block: slice) -> None:
        self.batch, self.block = batch, block
        self._arrays: dict[str, Floats] = {
            name: (array[block] if array.ndim else array).astype(np.float64, copy=False)
            for name, array in batch.arrays.items()
        }
        self._later: list[tuple[str, Callable[[Floats], Any], str]] = []
        self.weight = part(batch.weight, block)
        if self.weight is not None and not np.all(self.weight):
            for name, array in self._arrays.items():
                if array.ndim or not batch.shape:
                    self._arrays[name] = np.where(self.weight == 0, np.nan, array)

    def __getitem__(self, name: str) -> Floats:
        return self._arrays[name]

    def refuse(self, name: str, right: NDArray[np.bool_], expected: str) -> None:
        """Raise a ValueError for the first entry that is to be checked and not marked right."""
        wrong = ~(right | np.isnan(self[name]))
        for array in self._arrays.values():
            if array.ndim <= wrong.ndim:
                wrong = wrong & ~np.isnan(array)
        given = self.batch.arrays[name]  # in its own float type
        given = given[self.block] if given.ndim else given
        refuse(name, given, wrong, expected, self.batch.shape, self.block.start)

    def finite(self, name: str) -> Floats:
        """The argument, which must be finite (or NaN)."""
        return self._looked_at(name, np.isfinite, "finite")

    def positive(self, name: str) -> Floats:
        """The argument, which must be finite and > 0 (or NaN)."""
        return self._looked_at(name, lambda x: (x > 0) & (x < np.inf), "finite and > 0")

    def _looked_at(self, name: str, right: Callable[[Floats], Any], expected: str) -> Floats:
        x = self[name]
        if x.ndim:
            self._later.append((name, right, expected))
        elif not right(x):
            self.refuse(name, right(x), expected)
        return x

    def share(self, name: str) -> Floats:
        """The argument, which must be in [0, 1] (or NaN)."""
        x = self[name]
        if not (np.minimum.reduce(x, initial=0) >= 0 and np.maximum.reduce(x, initial=1) <= 1):
            self.refuse(name, (x >= 0) & (x <= 1), "in [0, 1]")
        return x

    def loss(self, loss: Floats) -> None:
        """The losses of the rows, without their weights."""
        terms = times(self.weight, loss)
        total = np.add.reduce(terms)
        if not math.isfinite(total):
            for name, right, expected in self._later:
                self.refuse(name, right(self[name]), expected)
        self.batch.value.add(self.block, terms, total=total)

    def slopes(self, **slopes: Floats) -> None:
        """Their derivatives by the arguments named."""
        batch = self.batch
        for name, slope in slopes.items():
            if name not in batch.gradients:
                keep = batch.reduction == "none" or self[name].ndim > 0
                batch.gradients[name] = Total(batch.shape, keep, batch.dtype)
            batch.gradients[name].add(self.block, times(self.weight, slope), batch.by)
