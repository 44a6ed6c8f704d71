"""The losses of machine learning, each the negative log-likelihood −log p(y) of a distribution.

=======================  ==========================================================  ==============
loss                     −log p(y), in nats                                          a constant fit
=======================  ==========================================================  ==============
categorical_nll          −log softmax(logits)[y], or −log probs[y]                   frequencies
bernoulli_nll            softplus(z) − y z, or −y log p − (1 − y) log(1 − p)         mean
gaussian_nll             ½ ((y − mean)/std)² + log std + ½ log 2π                    mean
laplace_nll              |y − loc|/scale + log(2 scale)                              median
student_t_nll            ½(df+1) log(1 + z²/df) + log scale + log C(df)              (robust)
huber_nll                z²/2 or δ|z| − δ²/2 + log scale + log C(δ)                  (robust)
poisson_nll              rate − y log rate + log y!                                  mean
asymmetric_laplace_nll   max(q u, (q − 1) u)/scale + log(scale/(q (1 − q)))          q-quantile
=======================  ==========================================================  ==============

with u = y − loc and z = u/scale. What all of them share:

* **Rows.** Data and parameters have one shape, or are single numbers; nothing else is broadcast.
* **Weights.** A row of weight w counts as w rows. "none" gives the weighted losses, "sum" their
  sum, "mean" (the default) that divided by the sum of the weights. A row of weight 0 is not looked
  at: it costs 0, whatever it holds.
* **Gradients.** ``return_grad=True`` gives ``(value, gradient)``: the gradient of the number that
  is returned (for "none" each row's own) with respect to the parameter that was passed, a tuple
  where two were. The gradient of a single number that serves all rows is one number.
* **Float types.** float32 where all arrays of floats among data and parameters are float32, else
  float64; integers and plain Python numbers adapt. Everything is computed in float64.
* **NaN** stays in its row. A row with a NaN is not asked to make sense otherwise.

See the chapters "Squared error as a Gaussian NLL" and "Classification losses".
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._gamma import half_step, stirling
from nllbook._reduce import Floats, Reduction, balanced, divisor, reduced, row_weights, times
from nllbook._softmax import blocks, seen_from_the_top, surprise
from nllbook._validate import float_type, real_array, refuse, refuse_sums, rounded, scalar
from nllbook.information import deviance
from nllbook.numerics import sigmoid, softplus

LOG_2PI = math.log(2 * math.pi)


def categorical_nll(
    y: ArrayLike,
    *,
    logits: ArrayLike | None = None,
    probs: ArrayLike | None = None,
    class_weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """−log of the probability of the class that happened."""
    name, scores = _one_of(logits=logits, probs=probs)
    given = np.asarray(scores)
    table = real_array(name, scores)
    if table.ndim == 0 or table.shape[-1] == 0:
        raise ValueError(f"{name} must have shape (..., k) with k >= 1, got {table.shape}")
    labels = np.asarray(y)
    real_array("y", y)
    *leading, k = table.shape
    shape = tuple(leading)
    hard = labels.dtype.kind in "iu" and labels.shape == shape
    if not hard and not (labels.dtype.kind == "f" and labels.shape == table.shape):
        raise ValueError(
            f"y must hold class indices (integers of shape {shape}) or distributions "
            f"(floats of shape {table.shape}), got {labels.dtype} of shape {labels.shape}"
        )
    smoothing = scalar("label_smoothing", label_smoothing, "in [0, 1]", low=0, closed=True)
    if smoothing > 1:
        raise ValueError(f"label_smoothing = {smoothing:g} must be in [0, 1]")
    per_class = _class_weights(class_weight, k, reduction)
    weight = row_weights(sample_weight, "the rows", shape, reduction)
    if ignore_index is not None:
        if not hard:
            raise ValueError("ignore_index needs class indices, and y holds distributions")
        weight = np.where(labels == ignore_index, 0.0, weight)
    counts = weight != 0
    if name == "probs":
        outside = counts[..., None] & ((table < 0) | (table > 1))
        refuse(name, table, outside, "in [0, 1]")
        refuse_sums(name, table, given.dtype, counts)
    if hard:
        _refuse_labels(labels, k, counts)
        labels = np.where(counts, labels, 0).astype(np.int64).ravel()
    else:
        refuse("y", labels, counts[..., None] & ((labels < 0) | (labels > 1)), "in [0, 1]")
        refuse_sums("y", labels, labels.dtype, counts)
        labels = labels.reshape(-1, k)

    def target(block: slice) -> Floats:
        """How much of each class the rows of a block hold, weights and smoothing included."""
        if hard:
            t = np.zeros((len(labels[block]), k))
            t[np.arange(len(t)), labels[block]] = 1
        else:
            t = labels[block].astype(np.float64)
        t = (1 - smoothing) * t + smoothing / k
        return times(weight.ravel()[block, None], t * per_class)

    rows = table.reshape(-1, k)
    dtype = float_type(scores, y)
    parts = list(blocks(len(rows), k))
    with np.errstate(all="ignore"):
        count = np.concatenate([np.empty(0), *(target(block).sum(axis=1) for block in parts)])
        by = divisor(count, reduction)
        terms, slope = np.empty(len(rows)), np.empty(rows.shape if return_grad else (0, k), dtype)
        for block in parts:
            wanted = target(block)
            formula = _from_logits if name == "logits" else _from_probs
            loss, gradient = formula(rows[block], wanted, dtype == np.float64)
            terms[block] = loss
            if return_grad:
                slope[block] = gradient / by
    value = reduced(terms.reshape(shape), by, reduction, dtype)
    return (value, slope.reshape(table.shape)) if return_grad else value


def _class_weights(class_weight: ArrayLike | None, k: int, reduction: Reduction) -> Floats:
    if class_weight is None:
        return np.ones(k)
    weight = real_array("class_weight", class_weight).astype(np.float64)
    if weight.shape != (k,):
        raise ValueError(f"class_weight must have the shape ({k},), got {weight.shape}")
    refuse("class_weight", weight, ~(np.isfinite(weight) & (weight >= 0)), "finite and >= 0")
    return balanced(weight, reduction)


def _refuse_labels(labels: NDArray[Any], k: int, counts: NDArray[np.bool_]) -> None:
    wrong = counts & ((labels < 0) | (labels >= k))
    if np.any(wrong):
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        place = f"[{', '.join(map(str, where))}]" if where else ""
        raise ValueError(f"y{place} = {labels[where]} is outside 0..{k - 1}")


def _from_logits(z: NDArray[Any], t: Floats, carry: bool) -> tuple[Floats, Floats]:
    """Σ t_c (−log p_c) of each row and its gradient T p − t, with T = Σ t_c."""
    rows = np.arange(len(z))
    ratios, odds, top, largest = seen_from_the_top(z, carry)
    loss = times(t, surprise(z, largest[:, None], odds[:, None])).sum(axis=1)
    total, at_top = t.sum(axis=1), t[rows, top]
    t[rows, top] = 0
    gradient = times(total[:, None], ratios / (1 + odds[:, None])) - t
    # at the top, where p may be near 1, T p − t is the others' t less T (1 − p)
    others = t.sum(axis=1) - times(total, odds / (1 + odds))
    gradient[rows, top] = np.where(odds < 1, others, times(total, 1 / (1 + odds)) - at_top)
    return loss, gradient


def _from_probs(p: NDArray[Any], t: Floats, carry: bool) -> tuple[Floats, Floats]:
    """Σ t_c (−log p_c) of each row and its gradient −t/p."""
    wide = p.astype(np.float64)
    return times(t, -np.log(wide)).sum(axis=1), times(t, -1 / wide)


class _Batch:
    """Data and parameters of one call, as float64 arrays of one shape or numbers, and weights.

    Rows of weight 0 are blanked out with NaN, which no check objects to.
    """

    def __init__(
        self, sample_weight: ArrayLike | None, reduction: Reduction, **values: ArrayLike
    ) -> None:
        self.dtype = float_type(*values.values())
        arrays = {name: real_array(name, value) for name, value in values.items()}
        shapes = {name: array.shape for name, array in arrays.items() if array.ndim}
        if len(set(shapes.values())) > 1:
            found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ValueError(f"data and parameters must have one shape or be numbers, got {found}")
        shape = next(iter(shapes.values()), ())
        self.reduction = reduction
        self.weight = self.count = row_weights(sample_weight, "the rows", shape, reduction)
        self.arrays = {name: array.astype(np.float64) for name, array in arrays.items()}
        for array in self.arrays.values():
            if array.ndim:
                array[self.weight == 0] = np.nan

    def __getitem__(self, name: str) -> Floats:
        return self.arrays[name]

    def refuse(self, name: str, wrong: NDArray[np.bool_], expected: str) -> None:
        refuse(name, self[name], wrong, expected)

    def place(self, name: str) -> Floats:
        """A location: finite."""
        self.refuse(name, np.isinf(self[name]), "finite")
        return self[name]

    def positive(self, name: str) -> Floats:
        """A scale: finite and > 0."""
        self.refuse(name, np.isinf(self[name]) | (self[name] <= 0), "finite and > 0")
        return self[name]

    def value(self, loss: Floats) -> Any:
        by = divisor(self.count, self.reduction)
        return reduced(times(self.weight, loss), by, self.reduction, self.dtype)

    def gradient(self, **rows: Floats) -> Any:
        """The gradients by name, from those of each row's loss."""
        by = divisor(self.count, self.reduction)
        parts = []
        for name, slope in rows.items():
            terms = times(self.weight, slope) / by
            single = self[name].ndim == 0 and self.reduction != "none"
            parts.append(rounded(np.sum(terms) if single else terms, self.dtype))
        return parts[0] if len(parts) == 1 else tuple(parts)


def _one_of(**values: ArrayLike | None) -> tuple[str, ArrayLike]:
    """The name and value of the only argument given of several."""
    given = [(name, value) for name, value in values.items() if value is not None]
    if len(given) != 1:
        found = " and ".join(name for name, _ in given) or "none"
        raise ValueError(f"give exactly one of {', '.join(values)}, got {found}")
    return given[0]


@np.errstate(all="ignore")
def bernoulli_nll(
    y: ArrayLike,
    *,
    logits: ArrayLike | None = None,
    probs: ArrayLike | None = None,
    pos_weight: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """−y log p − (1 − y) log(1 − p) for labels y in [0, 1]: softplus(z) − y z from logits z."""
    name, scores = _one_of(logits=logits, probs=probs)
    batch = _Batch(sample_weight, reduction, y=y, **{name: scores})
    label, score = batch["y"], batch[name]
    batch.refuse("y", (label < 0) | (label > 1), "in [0, 1]")
    positive = 1.0 if pos_weight is None else _pos_weight(pos_weight, batch.weight.shape)
    yes, no = label * positive, 1 - label
    batch.count = times(batch.weight, yes + no)
    if name == "logits":
        loss = times(yes, softplus(-score)) + times(no, softplus(score))
        slope = times(no, sigmoid(score)) - times(yes, sigmoid(-score))
    else:
        batch.refuse("probs", (score < 0) | (score > 1), "in [0, 1]")
        loss = times(yes, -np.log(score)) + times(no, -np.log1p(-score))
        slope = times(no, 1 / (1 - score)) - times(yes, 1 / score)
    value = batch.value(loss)
    return (value, batch.gradient(**{name: slope})) if return_grad else value


def _pos_weight(pos_weight: ArrayLike, shape: tuple[int, ...]) -> Floats:
    weight = real_array("pos_weight", pos_weight).astype(np.float64)
    if weight.ndim and weight.shape != shape:
        raise ValueError(f"pos_weight must have the shape of the rows, {shape}, got {weight.shape}")
    refuse("pos_weight", weight, ~(np.isfinite(weight) & (weight >= 0)), "finite and >= 0")
    return weight


@np.errstate(all="ignore")
def gaussian_nll(
    y: ArrayLike,
    mean: ArrayLike,
    *,
    std: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    log_std: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """½ ((y − mean)/std)² + log std + ½ log 2π."""
    name, spread = _one_of(std=std, variance=variance, log_std=log_std)
    batch = _Batch(sample_weight, reduction, y=y, mean=mean, **{name: spread})
    u = batch["y"] - batch.place("mean")
    if name == "log_std":
        s = batch.place(name)
        z, log_scale = _times_exp(u, -s), s
    else:
        s = batch.positive(name)
        scale = s if name == "std" else np.sqrt(s)
        z, log_scale = u / scale, np.log(scale)
    value = batch.value(0.5 * z**2 + log_scale + 0.5 * LOG_2PI)
    if not return_grad:
        return value
    growth = (1 - z) * (1 + z)  # ∂/∂ log std
    if name == "log_std":
        slopes = -_times_exp(z, -s), growth
    else:
        slopes = -z / scale, growth / (s if name == "std" else 2 * s)
    return value, batch.gradient(mean=slopes[0], **{name: slopes[1]})


def _times_exp(x: Floats, s: Floats) -> Floats:
    """x exp(s), also where exp(s) alone would overflow or lose digits below the normal floats."""
    half = np.exp(s / 2)
    return np.where(np.abs(s) < 700, times(x, np.exp(s)), times(times(x, half), half))


@np.errstate(all="ignore")
def laplace_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """|y − loc|/scale + log(2 scale)."""
    batch = _Batch(sample_weight, reduction, y=y, loc=loc, scale=scale)
    b = batch.positive("scale")
    z = (batch["y"] - batch.place("loc")) / b
    value = batch.value(np.abs(z) + np.log(2 * b))
    if not return_grad:
        return value
    return value, batch.gradient(loc=-np.sign(z) / b, scale=(1 - np.abs(z)) / b)


@np.errstate(all="ignore")
def student_t_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    df: float,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """½ (df + 1) log(1 + z²/df) + log scale + log C(df) with z = (y − loc)/scale."""
    batch = _Batch(sample_weight, reduction, y=y, loc=loc, scale=scale)
    nu = scalar("df", df, "finite and > 0", low=0)
    b = batch.positive("scale")
    z = (batch["y"] - batch.place("loc")) / b
    r = np.abs(z) / math.sqrt(nu)
    tail = np.where(r < 1e100, np.log1p(r * r), 2 * np.log(r))
    value = batch.value(0.5 * (nu + 1) * tail + np.log(b) + 0.5 * LOG_2PI - half_step(nu / 2)[0])
    if not return_grad:
        return value
    pull = (1 + 1 / nu) / (1 / z + z / nu)
    growth = np.where(
        np.abs(z) < 1, (1 - z) * (1 + z) / (1 + z * z / nu), (z**-2 - 1) / (z**-2 + 1 / nu)
    )
    return value, batch.gradient(loc=-pull / b, scale=growth / b)


@np.errstate(all="ignore")
def huber_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    delta: float,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """ρ(z) + log scale + log C(delta), ρ(z) = z²/2 up to |z| = delta and a line beyond."""
    batch = _Batch(sample_weight, reduction, y=y, loc=loc, scale=scale)
    d = scalar("delta", delta, "finite and > 0", low=0)
    b = batch.positive("scale")
    z = (batch["y"] - batch.place("loc")) / b
    size = np.abs(z)
    rho = np.where(size <= d, 0.5 * z * z, d * (size - 0.5 * d))
    area = math.sqrt(2 * math.pi) * math.erf(d / math.sqrt(2)) + 2 / d * math.exp(-0.5 * d * d)
    value = batch.value(rho + np.log(b) + math.log(area))
    if not return_grad:
        return value
    pull = np.clip(z, -d, d)
    return value, batch.gradient(loc=-pull / b, scale=(1 - z * pull) / b)


@np.errstate(all="ignore")
def poisson_nll(
    y: ArrayLike,
    *,
    rate: ArrayLike | None = None,
    log_rate: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """rate − y log rate + log y! for counts y."""
    name, scores = _one_of(rate=rate, log_rate=log_rate)
    batch = _Batch(sample_weight, reduction, y=y, **{name: scores})
    count, score = batch["y"], batch[name]
    not_whole = (count < 0) | np.isinf(count) | (np.floor(count) < count)
    batch.refuse("y", not_whole, "a count 0, 1, 2, …")
    if name == "rate":
        batch.refuse(name, (score < 0) | np.isinf(score), "finite and >= 0")
        mean, log_mean = score, np.log(score)
        slope = np.where(count == 0, 1.0, (mean - count) / mean)
    else:
        batch.refuse(name, score == np.inf, "below infinity")
        mean, log_mean = np.exp(score), score
        slope = mean - count
    value = batch.value(_poisson(*np.broadcast_arrays(count, mean, log_mean)))
    return (value, batch.gradient(**{name: slope})) if return_grad else value


def _poisson(y: Floats, rate: Floats, log_rate: Floats) -> Floats:
    """rate − y log rate + log y!, where the large terms cancel, without forming them.

    With Stirling's series log y! = y log y − y + ½ log 2πy + s(y) it is the sum of
    y log(y/rate) − y + rate, ½ log 2πy and s(y), none of them negative (Loader 2000).
    """
    n = np.where(y == 0, 1.0, y)
    tiny = rate < 1e-290  # y/rate might overflow
    gap = np.where(tiny, n * (np.log(n) - log_rate) - n + rate, deviance(n, rate))
    counts, index = np.unique(n, return_inverse=True)
    rest = np.array([stirling(float(c)) for c in counts])[index].reshape(n.shape)
    nll = np.where(np.isinf(rate), np.inf, gap) + 0.5 * (LOG_2PI + np.log(n)) + rest
    return np.where(y == 0, rate, nll)


@np.errstate(all="ignore")
def asymmetric_laplace_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    quantile: float,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """max(q u, (q − 1) u)/scale + log(scale/(q (1 − q))) with u = y − loc."""
    batch = _Batch(sample_weight, reduction, y=y, loc=loc, scale=scale)
    q = scalar("quantile", quantile, "in (0, 1)", low=0)
    if q >= 1:
        raise ValueError(f"quantile = {q:g} must be in (0, 1)")
    b = batch.positive("scale")
    z = (batch["y"] - batch.place("loc")) / b
    side = np.where(z > 0, q, np.where(z < 0, q - 1, 0.0))
    value = batch.value(side * z + np.log(b / (q * (1 - q))))
    if not return_grad:
        return value
    return value, batch.gradient(loc=-side / b, scale=(1 - side * z) / b)
