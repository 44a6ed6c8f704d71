"""The pieces of ``categorical_nll``: what a row says about its class, and what that costs.

A row says how much of each class it holds: t_c >= 0, the target with smoothing and all weights in
it. Its loss is Σ t_c (−log p_c), and its count, T = Σ t_c, is what a mean divides by the sum of.
From logits the gradient is T p − t. A row that is sure of one class y has t_y = T and 0 elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._reduce import Floats, Reduction, balanced, row_weights, times
from nllbook._softmax import Rows, surprise
from nllbook._validate import FloatArray, real_array, refuse, refuse_sums, scalar, shown


class Targets:
    """The targets of n rows: checked, and ready to be asked for a block of rows at a time."""

    def __init__(
        self,
        y: ArrayLike,
        name: str,
        table: FloatArray,
        class_weight: ArrayLike | None,
        ignore_index: int | None,
        label_smoothing: float,
        sample_weight: ArrayLike | None,
        reduction: Reduction,
    ) -> None:
        if table.ndim == 0 or table.shape[-1] == 0:
            raise ValueError(f"{name} must have shape (..., k) with k >= 1, got {table.shape}")
        shape, self.k = table.shape[:-1], table.shape[-1]
        real_array("y", y)
        labels = np.asarray(y)
        integers = labels.dtype.kind in "iu" or labels.size == 0  # an empty list is of floats
        self.hard = integers and labels.shape == shape
        if not self.hard and (labels.dtype.kind != "f" or labels.shape != table.shape):
            raise ValueError(
                f"y must hold class indices (integers of shape {shape}) or distributions "
                f"(floats of shape {table.shape}), got {labels.dtype} of shape {labels.shape}"
            )
        self.smoothing = scalar("label_smoothing", label_smoothing, "in [0, 1]", low=0, closed=True)
        if self.smoothing > 1:
            raise ValueError(f"label_smoothing = {shown(self.smoothing)} must be in [0, 1]")
        self.class_weight = _class_weights(class_weight, self.k, reduction)
        weight = row_weights(sample_weight, "the rows", shape, reduction)
        if ignore_index is not None:
            if not isinstance(ignore_index, int | np.integer) or isinstance(ignore_index, bool):
                raise TypeError(
                    f"ignore_index must be an integer, got {type(ignore_index).__name__}"
                )
            if not self.hard:
                raise ValueError("ignore_index is for class indices, and y holds distributions")
            weight = np.where(labels == ignore_index, 0.0, weight)
        self.weight = weight.ravel()
        self.checked = (weight != 0) & ~np.isnan(table).any(axis=-1)
        even = self.class_weight.mean()  # what a row counts that spreads over all classes
        self.labels: NDArray[Any]
        if self.hard:
            _refuse_labels(labels, self.k, self.checked)
            self.labels = np.where(self.checked, labels, 0).astype(np.int64).ravel()
            share = self.class_weight[self.labels]
        else:
            self.checked &= ~np.isnan(labels).any(axis=-1)
            refuse_probabilities("y", labels, labels.dtype, self.checked)
            self.labels = labels.reshape(-1, self.k)
            share = np.full(len(self.labels), even)
            if class_weight is not None:
                share = self.labels @ self.class_weight
                share[np.isnan(share)] = even  # of an unknown target
        share = (1 - self.smoothing) * share + self.smoothing * even
        self.count = times(self.weight, share)

    def rows(self, block: slice) -> Floats:
        """t for a block of rows; all NaN where y has one."""
        labels = self.labels[block]
        if self.hard:
            t = np.zeros((len(labels), self.k))
            t[np.arange(len(t)), labels] = 1
        else:
            t = labels.astype(np.float64)
            t[np.isnan(t).any(axis=1)] = np.nan
        t = (1 - self.smoothing) * t + self.smoothing / self.k
        return times(self.weight[block, None], t * self.class_weight)


def _class_weights(class_weight: ArrayLike | None, k: int, reduction: Reduction) -> Floats:
    if class_weight is None:
        return np.ones(k)
    weight = real_array("class_weight", class_weight).astype(np.float64)
    if weight.shape != (k,):
        raise ValueError(f"class_weight must have the shape ({k},), got {weight.shape}")
    refuse("class_weight", weight, ~(np.isfinite(weight) & (weight >= 0)), "finite and >= 0")
    return balanced(weight, reduction)


def _refuse_labels(labels: NDArray[Any], k: int, checked: NDArray[np.bool_]) -> None:
    wrong = checked & ((labels < 0) | (labels >= k))
    if np.any(wrong):
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f"[{', '.join(map(str, where))}]" if where else ""
        raise ValueError(f"y{place} = {labels[where]} is outside 0..{k - 1}")


def refuse_probabilities(
    name: str, p: NDArray[Any], dtype: Any, checked: NDArray[np.bool_]
) -> None:
    """Raise a ValueError unless each row to be checked is a distribution."""
    refuse(name, p, checked[..., None] & ((p < 0) | (p > 1)), "in [0, 1]")
    refuse_sums(name, p, dtype, checked)


def hard_loss(z: NDArray[Any], seen: Rows, y: NDArray[np.int64], count: Floats) -> Floats:
    """−T log softmax(z)[y]."""
    z_y = z[np.arange(len(z)), y].astype(np.float64)
    return times(count, surprise(z_y, seen.largest, seen.odds))


def hard_slope(seen: Rows, y: NDArray[np.int64], count: Floats) -> Floats:
    """T p − t: T p, but T (p − 1) at the class y, written as −T (1 − p)."""
    rows = np.arange(len(y))
    slope = times(count[:, None], seen.ratios / (1 + seen.odds[:, None]))
    slope[rows, seen.top] = times(count, 1 / (1 + seen.odds))
    ratio = seen.ratios[rows, y]
    others = np.where(seen.top == y, seen.odds, 1 + seen.odds - ratio)
    slope[rows, y] = -times(count, others / (1 + seen.odds))
    return slope


def soft_loss(z: NDArray[Any], seen: Rows, t: Floats) -> Floats:
    """−Σ t_c log softmax(z)_c."""
    total: Floats = times(t, surprise(z, seen.largest[:, None], seen.odds[:, None])).sum(axis=1)
    return total


def soft_slope(seen: Rows, t: Floats, count: Floats) -> Floats:
    """T p − t. At the top, where both may be near T, it is the others' t less T (1 − p).

    It uses t up.
    """
    rows = np.arange(len(t))
    at_top = t[rows, seen.top]
    slope = times(count[:, None], seen.ratios / (1 + seen.odds[:, None])) - t
    t[rows, seen.top] = 0
    others = t.sum(axis=1) - times(count, seen.odds / (1 + seen.odds))
    direct = times(count, 1 / (1 + seen.odds)) - at_top
    slope[rows, seen.top] = np.where(seen.odds < 1, others, direct)
    return slope
