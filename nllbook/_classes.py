"""The pieces of ``categorical_nll``: what a row says about its class, and what that costs.

A row says how much of each class it holds: t_c >= 0, the target with smoothing and all weights in
it. Its loss is Σ t_c (−log p_c), and its count, T = Σ t_c, is what a mean divides by the sum of.
From logits the gradient is T p − t. A row that is sure of one class y has t_y = T and 0 elsewhere.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._reduce import (
    BLOCK,
    Floats,
    Reduction,
    balanced,
    blocks,
    row_weights,
    still_counting,
    times,
)
from nllbook._softmax import Seen, seen_from_the_top, surprise
from nllbook._validate import (
    FloatArray,
    at,
    float_type,
    numbers,
    real_array,
    refuse,
    refuse_sums,
    scalar,
    shown,
    whole,
)


class Targets:
    """The targets of n rows, and their logits or probabilities, checked some rows at a time."""

    def __init__(
        self,
        y: Any,
        name: str,
        scores: Any,
        sample_weight: Any,
        reduction: Reduction,
        class_weight: ArrayLike | None,
        ignore_index: int | None,
        label_smoothing: float,
    ) -> None:
        table = real_array(name, scores)
        if table.ndim == 0 or table.shape[-1] == 0:
            raise ValueError(f"{name} must have shape (..., k) with k >= 1, got {table.shape}")
        self.shape, self.k = table.shape[:-1], table.shape[-1]
        self.n = math.prod(self.shape)
        self.name, self.table = name, table.reshape(self.n, self.k)
        labels = numbers("y", y)
        self.given, self.dtype = np.asarray(scores).dtype, float_type(scores, y)
        integers = labels.dtype.kind in "iu" or labels.size == 0  # an empty list is of floats
        self.hard = integers and labels.shape == self.shape
        if not self.hard and (labels.dtype.kind != "f" or labels.shape != table.shape):
            raise ValueError(
                f"y must hold class indices (integers of shape {self.shape}) or distributions "
                f"(floats of shape {table.shape}), got {labels.dtype} of shape {labels.shape}"
            )
        self.smoothing = scalar("label_smoothing", label_smoothing, "in [0, 1]", low=0, closed=True)
        if self.smoothing > 1:
            raise ValueError(f"label_smoothing = {shown(self.smoothing)} must be in [0, 1]")
        weight = row_weights(sample_weight, "the rows", self.shape, reduction)
        self.class_weight = _class_weights(class_weight, self.k, reduction)
        if ignore_index is not None:
            if not whole(ignore_index):
                raise TypeError(
                    f"ignore_index must be an integer, got {type(ignore_index).__name__}"
                )
            if not self.hard:
                raise ValueError("ignore_index is for class indices, and y holds distributions")
            weight = np.where(labels == ignore_index, 0.0, 1.0 if weight is None else weight)
        self.weight = None if weight is None else weight.ravel()
        self.y = labels.ravel() if self.hard else labels.reshape(self.n, self.k)
        self.count = self.weight
        if self.class_weight is not None:
            self.count = share = self._shares(self.class_weight)
            if self.weight is not None:
                both = times(self.weight, share)
                self.count = still_counting(both, np.minimum(self.weight, share))

    def _shares(self, class_weight: Floats) -> Floats:
        """What a row of sample weight 1 counts: Σ t_c, with smoothing and class weights."""
        even = np.sum(class_weight / self.k)  # a row that spreads over all classes
        share = np.empty(self.n)
        for block in blocks(self.n, 1 if self.hard else self.k):
            share[block] = (
                class_weight[self.labels(block)] if self.hard else self.y[block] @ class_weight
            )
        share[np.isnan(share)] = even  # of an unknown target
        return np.asarray((1 - self.smoothing) * share + self.smoothing * even)

    def _checked(self, block: slice) -> NDArray[np.bool_]:
        """Which rows of a block are to be checked: those that count and hold no NaN."""
        known = ~np.isnan(self.table[block]).any(axis=1)
        if not self.hard:
            known &= ~np.isnan(self.y[block]).any(axis=1)
        return np.asarray(known if self.weight is None else known & (self.weight[block] != 0))

    def labels(self, block: slice) -> NDArray[np.intp]:
        """The class indices of a block of rows; 0 for those out of range that are not checked."""
        y = self.y[block]
        index = y.astype(np.intp, copy=False)
        if np.maximum.reduce(index.view(np.uintp)) < self.k:
            return index  # as nearly always: without its sign a negative number is a huge one
        wrong = (y < 0) | (y >= self.k)
        checked = wrong & self._checked(block)
        if checked.any():
            first = int(np.argmax(checked))
            place = at(block.start + first, self.shape)
            raise ValueError(f"y{place} = {y[first]} is outside 0..{self.k - 1}")
        return np.where(wrong, 0, y).astype(np.intp)

    def rows(self, block: slice) -> Floats:
        """t for a block of rows; all NaN where y has one."""
        if self.hard:
            labels = self.labels(block)
            t = np.zeros((len(labels), self.k))
            t[np.arange(len(t)), labels] = 1
        else:
            y = self.y[block]
            self._refuse("y", y, y.dtype, block, self._checked(block))
            t = y.astype(np.float64)
            t[np.isnan(t).any(axis=1)] = np.nan
        t = (1 - self.smoothing) * t + self.smoothing / self.k
        if self.class_weight is not None:
            t = t * self.class_weight
        return t if self.weight is None else times(self.weight[block, None], t)

    def refuse_probs(self, block: slice) -> None:
        """Raise a ValueError unless each row of a block to be checked is a distribution."""
        self._refuse("probs", self.table[block], self.given, block, self._checked(block))

    def _refuse(
        self, name: str, p: FloatArray, dtype: Any, block: slice, checked: NDArray[np.bool_]
    ) -> None:
        wrong = checked[:, None] & ((p < 0) | (p > 1))
        refuse(name, p, wrong, "in [0, 1]", (*self.shape, self.k), block.start * self.k)
        refuse_sums(name, p, dtype, checked, self.shape, block.start)


def _class_weights(class_weight: ArrayLike | None, k: int, reduction: Reduction) -> Floats | None:
    if class_weight is None:
        return None
    weight = real_array("class_weight", class_weight).astype(np.float64)
    if weight.shape != (k,):
        raise ValueError(f"class_weight must have the shape ({k},), got {weight.shape}")
    refuse("class_weight", weight, ~(np.isfinite(weight) & (weight >= 0)), "finite and >= 0")
    return balanced(weight, reduction)


def sure_nll(
    z: FloatArray, y: NDArray[np.intp], count: Floats | None, by: float, slope: FloatArray | None
) -> Floats:
    """−T log softmax(z)_y for n rows z of k logits, each sure of a class y; (T p − t)/by in slope.

    It is log1p(o) with the odds against the class, o = Σ_{j≠y} exp(z_j) / exp(z_y), and then
    p_j = exp(z_j) / (exp(z_y) (1 + o)). Not even a difference of logits is rounded, and a class
    that is almost certain keeps all digits of its loss.

    Beyond ±708 an exp leaves the normal floats. Where a sum or the label's own exp does not lie
    between 1e-150 and 1e150 the row is seen from its largest logit instead, which takes longer
    (``nllbook/_softmax.py``). For a slope digits of the small p_j count as well: there no
    exp may be below the normal floats, unless the sum of all is at least ½.
    """
    own, others = _exp_sums(z, y, count, by, slope)
    loss: Floats = np.log1p(others / own)
    plain = _moderate(own) & _moderate(others)
    right = plain
    if slope is not None:
        right = plain & (own + others >= 0.5)
        if not right.all():
            right |= plain & (z.min(axis=1) > -708)
        if count is not None:
            right &= _moderate(count / by) | (count == 0)
    if right.all():
        return times(count, loss)
    places = np.flatnonzero(~right)
    for some in blocks(len(places), z.shape[1]):
        i = places[some]
        seen = seen_from_the_top(z[i], carry=z.dtype == np.float64)
        careful = surprise(z[i, y[i]].astype(np.float64), seen.largest, seen.odds)
        loss[i] = np.where(plain[i], loss[i], careful)
        if slope is not None:
            weights = np.ones(len(i)) if count is None else count[i]
            slope[i] = _sure_slope(seen, y[i], weights) / by + 0.0  # no −0
    return times(count, loss)


def _exp_sums(
    z: FloatArray, y: NDArray[np.intp], count: Floats | None, by: float, slope: FloatArray | None
) -> tuple[Floats, Floats]:
    """exp(z_y) of each row, and Σ_{j≠y} exp(z_j); in slope what follows where these are moderate.

    One exp of each logit and one sum, a block of rows at a time in the cache. In float64 the exps
    are where their slopes will be.
    """
    n, k = z.shape
    if k > BLOCK:
        return _exp_sums_in_parts(z, y, count, by, slope)
    own, others, step = np.empty(n), np.empty(n), BLOCK // k
    starts = np.arange(0, min(n, step) * k, k)  # of the rows, in a block
    exps = slope if slope is not None and slope.dtype == np.float64 else None
    scratch = np.empty((0 if exps is not None else len(starts), k))
    for start in range(0, n, step):
        block = slice(start, start + step)
        logits, labels = z[block], y[block]
        room = scratch[: len(logits)] if exps is None else exps[block]
        e: Floats = np.exp(logits, out=room, dtype=np.float64)
        flat, place = e.reshape(-1), starts[: len(labels)] + labels
        own[block], flat[place] = flat[place], 0
        others[block] = sums = _row_sums(e)
        if slope is not None:
            share = (1 / by if count is None else count[block] / by) / (own[block] + sums)
            np.multiply(e, share[:, None], out=slope[block])
            slope[block].reshape(-1)[place] = 0.0 - share * sums  # no −0
    return own, others


def _exp_sums_in_parts(
    z: FloatArray, y: NDArray[np.intp], count: Floats | None, by: float, slope: FloatArray | None
) -> tuple[Floats, Floats]:
    """The same for rows that are longer than a block; slopes in float32 take their exps twice.

    Parts are half a block: where types differ NumPy keeps a few thousand numbers besides.
    """
    (n, k), width = z.shape, BLOCK // 2
    own, others, scratch = np.zeros(n), np.zeros(n), np.empty(width)
    exps = slope if slope is not None and slope.dtype == np.float64 else None
    parts = [slice(left, min(k, left + width)) for left in range(0, k, width)]

    def exp(i: int, part: slice) -> Floats:
        room = scratch[: part.stop - part.start] if exps is None else exps[i, part]
        return np.exp(z[i, part], out=room, dtype=np.float64)

    for i, label in enumerate(y):
        for part in parts:
            e = exp(i, part)
            if part.start <= label < part.stop:
                own[i], e[label - part.start] = e[label - part.start], 0
            others[i] += np.add.reduce(e)
        if slope is not None:
            share = (1 if count is None else count[i]) / by / (own[i] + others[i])
            for part in parts:
                found = exp(i, part) if exps is None else exps[i, part]
                np.multiply(found, share, out=slope[i, part])
            slope[i, label] = 0.0 - share * others[i]  # no −0
    return own, others


def _row_sums(e: Floats) -> Floats:
    """The sum of each row: NumPy's sum is slow for short ones, and exact enough for long ones."""
    sums: Floats = np.einsum("ij->i", e) if e.shape[1] <= 32 else np.add.reduce(e, axis=1)
    return sums


def _moderate(x: Floats) -> NDArray[np.bool_]:
    return (x > 1e-150) & (x < 1e150)


def _sure_slope(seen: Seen, y: NDArray[np.intp], count: Floats) -> Floats:
    """T p − t: T p, but T (p − 1) at the class y, written as −T (1 − p)."""
    rows = np.arange(len(y))
    slope = times(count[:, None], seen.ratios / (1 + seen.odds[:, None]))
    slope[rows, seen.top] = times(count, 1 / (1 + seen.odds))
    ratio = seen.ratios[rows, y]
    others = np.where(seen.top == y, seen.odds, 1 + seen.odds - ratio)
    slope[rows, y] = -times(count, others / (1 + seen.odds))
    return slope


def soft_nll(
    z: FloatArray,
    t: Floats,
    count: Floats | None,
    carry: bool,
    by: float,
    slope: FloatArray | None,
) -> Floats:
    """−Σ t_c log softmax(z)_c for a block of rows; (T p − t)/by in slope. It uses t up.

    At the top, where both T p and t may be near T, the slope is the others' t less T (1 − p).
    """
    seen = seen_from_the_top(z, carry)
    odds = seen.odds[:, None]
    loss: Floats = times(t, surprise(z, seen.largest[:, None], odds)).sum(axis=1)
    if slope is not None:
        rows = np.arange(len(t))
        at_top = t[rows, seen.top]
        counts = np.ones(len(t)) if count is None else count
        found = times(counts[:, None], seen.ratios / (1 + odds)) - t
        t[rows, seen.top] = 0
        others = t.sum(axis=1) - times(counts, seen.odds / (1 + seen.odds))
        direct = times(counts, 1 / (1 + seen.odds)) - at_top
        found[rows, seen.top] = np.where(seen.odds < 1, others, direct)
        slope[:] = found / by
    return loss


def probs_nll(p: Floats, t: Floats, by: float, slope: FloatArray | None) -> Floats:
    """−Σ t_c log p_c for a block of rows of probabilities; −t/p/by in slope. It changes t."""
    t[np.isnan(p).any(axis=1) & (t.sum(axis=1) != 0)] = np.nan
    if slope is not None:
        slope[:] = np.where(t == 0, 0.0, -(t / by) / p)
    loss: Floats = times(t, -np.log(p)).sum(axis=1)
    return loss
