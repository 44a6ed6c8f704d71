"""What all losses share: data and parameters of one shape, weights, values and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._reduce import Floats, Reduction, divisor, reduced, row_weights, times
from nllbook._validate import float_type, real_array, refuse, rounded


def one_of(**values: ArrayLike | None) -> tuple[str, ArrayLike]:
    """The name and the value of the one argument that was given, of several."""
    given = [(name, value) for name, value in values.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(name for name, _ in given) or "none"
        raise ValueError(f"exactly one of {', '.join(values)} must be given, got {found}")
    return given[0]


class Batch:
    """Data and parameters of one call, in float64: arrays of one shape, or single numbers.

    ``batch["loc"]`` is the argument ``loc``. Only rows that count and hold no NaN are checked, and
    those of weight 0 are blanked out with NaN.
    """

    def __init__(
        self, sample_weight: ArrayLike | None, reduction: Reduction, **values: ArrayLike
    ) -> None:
        arrays = {name: real_array(name, value) for name, value in values.items()}
        shapes = {name: array.shape for name, array in arrays.items() if array.ndim}
        if len(set(shapes.values())) > 1:
            found = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
            raise ValueError(f"{', '.join(values)} must have one shape or be numbers, got {found}")
        self.shape = next(iter(shapes.values()), ())
        self.dtype = float_type(*values.values())
        self.reduction = reduction
        self.weight = row_weights(sample_weight, "the rows", self.shape, reduction)
        self.count = self.weight  # what "mean" divides by the sum of
        self._arrays = {name: array.astype(np.float64) for name, array in arrays.items()}
        self.checked = self.weight != 0
        for array in self._arrays.values():
            if array.ndim:
                self.checked &= ~np.isnan(array)
                array[self.weight == 0] = np.nan

    def __getitem__(self, name: str) -> Floats:
        return self._arrays[name]

    def refuse(self, name: str, wrong: NDArray[np.bool_], expected: str) -> None:
        """Raise a ValueError for the first entry that is checked and marked wrong."""
        refuse(name, self[name], wrong & self.checked if wrong.ndim else wrong, expected)

    def finite(self, name: str) -> Floats:
        """The argument, which must be finite (or NaN)."""
        self.refuse(name, np.isinf(self[name]), "finite")
        return self[name]

    def positive(self, name: str) -> Floats:
        """The argument, which must be finite and > 0 (or NaN)."""
        self.refuse(name, np.isinf(self[name]) | (self[name] <= 0), "finite and > 0")
        return self[name]

    def value(self, loss: Floats) -> Any:
        """The losses of the rows, reduced."""
        by = divisor(self.count, self.reduction)
        return reduced(times(self.weight, loss), by, self.reduction, self.dtype)

    def gradient(self, **slopes: Floats) -> Any:
        """The gradient of ``value`` with respect to each argument named, from those of the rows.

        Where a single number serves all rows it is the sum over the rows, but for "none".
        """
        by = divisor(self.count, self.reduction)
        gradients = []
        for name, slope in slopes.items():
            terms = times(self.weight, slope)
            single = self[name].ndim == 0 and self.reduction != "none"
            gradients.append(rounded((np.sum(terms) if single else terms) / by, self.dtype))
        return gradients[0] if len(gradients) == 1 else tuple(gradients)
