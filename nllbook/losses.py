"""The losses of machine learning, each the negative log-likelihood −log p(y) of a distribution.

========================  ===========================================================  ===========
loss                      −log p(y) in nats                                            constant fit
========================  ===========================================================  ===========
categorical_nll           −log softmax(logits)[y] = −log probs[y]                      frequencies
bernoulli_nll             softplus(z) − y z = −y log p − (1 − y) log(1 − p)            mean
gaussian_nll              ½ z² + log std + ½ log 2π                                    mean
laplace_nll               abs(z) + log(2 scale)                                        median
student_t_nll             ½ (df + 1) log(1 + z²/df) + log scale + log C(df)            no formula
huber_nll                 ρ(z) + log scale + log C(delta)                              no formula
poisson_nll               rate − y log rate + log y!                                   mean
asymmetric_laplace_nll    max(q z, (q − 1) z) + log scale − log(q (1 − q))             q-quantile
========================  ===========================================================  ===========

Here z = (y − loc)/scale, but for ``bernoulli_nll``, whose z is a logit. The constant fit is the
one number for all rows that makes the mean loss smallest. See the chapters "Mean squared error as
Gaussian NLL" and "Classification losses".

**What all losses share**

Rows
    Data and parameters have one shape, or are single numbers that serve all rows; nothing else is
    broadcast. ``categorical_nll`` has the classes on a last axis besides.
``sample_weight`` : array_like, optional
    Numbers >= 0, one per row or one for all. A row of weight w counts as w rows. A row of weight 0
    is not looked at: its loss and its gradient are 0, whatever it holds.
``reduction`` : {"mean", "sum", "none"}
    "none": the weighted losses of the rows. "sum": their sum. "mean": that over the sum of the
    rows' weights; a ValueError where this is 0. Sums are accumulated in float64.
``return_grad`` : bool
    Return ``(value, gradient)``: the gradient of the value returned (for "none" of each row's own)
    with respect to the parameter that was passed, a tuple where two were. The gradient of a single
    number that serves all rows is a single number too, but for "none".
Float type
    float32 where all arrays of floats among data and parameters are float32, else float64;
    integers and single Python numbers adapt. All is computed in float64 and rounded once.
NaN
    A NaN in a row makes its loss and its gradient NaN; the row is not checked further. Where the
    loss is infinite, the gradient is its limit. No warning is raised.
Errors
    ValueError for other shapes, an unknown reduction and for the values that each loss names,
    TypeError for what is no real number. No argument is ever changed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nllbook._batch import Batch, one_of
from nllbook._classes import Targets, probs_nll, soft_nll, sure_nll
from nllbook._gamma import half_step, stirling
from nllbook._quiet import quiet
from nllbook._reduce import Floats, Reduction, Total, blocks, divisor, part, times
from nllbook._stream import Batches, Summed, comes_in_batches, streamed
from nllbook._validate import (
    FloatArray,
    degrees_of_freedom,
    power_of_two,
    real_array,
    refuse,
    scalar,
    shown,
)
from nllbook.information import deviance

LOG_2PI = math.log(2 * math.pi)


@quiet
def categorical_nll(
    y: ArrayLike | Batches,
    *,
    logits: ArrayLike | Batches | None = None,
    probs: ArrayLike | Batches | None = None,
    class_weight: ArrayLike | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    sample_weight: ArrayLike | Batches | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """−log of the probability that a model gave to the class: "softmax cross-entropy".

    For a class index the loss of a row is −log softmax(logits)[y] = logsumexp(logits) − logits[y],
    for a distribution t over the classes −Σ t_c log softmax(logits)_c; a class with t_c = 0 costs
    nothing, even one that cannot happen.

    Parameters
    ----------
    y : array_like, or an iterator of such
        Integers 0, …, k − 1 of shape (...), or floats of shape (..., k): in each row a distribution
        over the classes, with the sum 1 within k roundings of its float type.
    logits, probs : array_like, shape (..., k), or an iterator of such
        Exactly one of the two. Logits are any numbers, ``-inf`` is a class that cannot happen.
        Probabilities are in [0, 1] and sum to 1 as those of ``y``. Those on disk may come as a
        memory-mapped array, or batch after batch from an iterator, in step with one for ``y``
        (and for ``sample_weight``, unless it is one number); then there is only a value, "mean" or
        "sum", the same as in one go up to the rounding of a sum.
    class_weight : array_like, shape (k,), optional
        Numbers >= 0: what a sample of each class counts.
    ignore_index : int, optional
        Rows with this label have weight 0. For class indices only.
    label_smoothing : float
        ε in [0, 1]: the target t becomes (1 − ε) t + ε/k. For ε > 0 and k >= 2 the smallest loss is
        no longer 0.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of shape (...) for "none"
    gradient : ndarray, shape (..., k)
        With respect to the logits softmax − t, to the probabilities −t/probs, both weighted.

    Raises
    ------
    ValueError
        For labels outside 0..k − 1, rows that are no distributions, weights that are negative or
        not finite, a smoothing outside [0, 1], both or none of logits and probs, other shapes.

    Notes
    -----
    With class weights w a row's weight is its sample weight times Σ w_c t_c, t being the smoothed
    target, and "mean" divides by the sum of these. So the loss is that of a data set in which each
    sample of class c stands w_c times, and for equal logits it is log k whatever the weights.
    PyTorch's ``CrossEntropyLoss`` divides by Σ w_y over the labels also when it smooths them, and
    by the number of rows when it is given distributions; both are other numbers.

    A confident row has its true, tiny loss: ``nllbook/_softmax.py`` says how. See the chapter
    "Classification losses".

    Examples
    --------
    >>> logits = [[2.0, 0.0, 0.0], [0.0, 40.0, -np.inf]]
    >>> [f"{loss:.4g}" for loss in categorical_nll([0, 1], logits=logits, reduction="none")]
    ['0.2395', '4.248e-18']
    >>> value, gradient = categorical_nll([0, 2], probs=[[0.5, 0.5, 0], [0.5, 0.25, 0.25]],
    ...                                   return_grad=True)
    >>> round(float(value / np.log(2)), 12), gradient.tolist()  # (1 bit + 2 bits) / 2
    (1.5, [[-1.0, 0.0, 0.0], [0.0, 0.0, -2.0]])
    >>> y, logits = np.array([0, 2, 1]), np.zeros((3, 4))
    >>> value = categorical_nll(iter([y[:2], y[2:]]), logits=iter([logits[:2], logits[2:]]))
    >>> round(float(value), 6)  # log 4
    1.386294
    """
    name, scores = one_of(logits=logits, probs=probs)
    options = class_weight, ignore_index, label_smoothing
    if comes_in_batches(y=y, **{name: scores}):
        if return_grad:
            raise ValueError("return_grad: the gradient of batches has to be asked for one by one")

        def losses(sample_weight: Any, y: Any, over: Reduction, **batch: Any) -> Summed:
            target = Targets(y, name, batch[name], sample_weight, over, *options)
            return _categorical(target, 1.0, None), target.count

        return streamed(losses, reduction, sample_weight, y=y, **{name: scores})
    target = Targets(y, name, scores, sample_weight, reduction, *options)
    by = divisor(target.count, target.n, reduction)
    gradient = np.empty((target.n, target.k), target.dtype) if return_grad else None
    value = _categorical(target, by, gradient, reduction == "none").over(by)
    if gradient is None:
        return value
    return value, gradient.reshape(*target.shape, target.k)


def _categorical(
    target: Targets, by: float, gradient: FloatArray | None, keep: bool = False
) -> Total:
    """The losses of all rows; their gradients, over ``by``, are written into ``gradient``."""
    total = Total(target.shape, keep, target.dtype)
    sure = target.name == "logits" and target.hard and target.smoothing == 0
    for block in blocks(target.n, 1 if sure else target.k):
        rows, count = target.table[block], part(target.count, block)
        slope = None if gradient is None else gradient[block]
        if sure:
            loss = sure_nll(rows, target.labels(block), count, by, slope)
        elif target.name == "logits":
            carry = target.dtype == np.float64
            loss = soft_nll(rows, target.rows(block), count, carry, by, slope)
        else:
            target.refuse_probs(block)
            loss = probs_nll(rows.astype(np.float64), target.rows(block), by, slope)
        total.add(block, loss)
    return total


@quiet
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
    """−log of the probability that a model gave to a yes or a no: "binary cross-entropy".

    −y log p − (1 − y) log(1 − p), which is softplus(z) − y z for a logit z = log(p/(1 − p)). It is
    computed as log1p(exp(−|z|)) and |z| times the share of the less likely label: nothing cancels.

    Parameters
    ----------
    y : array_like
        Labels 0 or 1, or anything between: the share of ones.
    logits, probs : array_like
        Exactly one of the two: logits z, or probabilities of a 1, in [0, 1].
    pos_weight : array_like, optional
        A number >= 0, or one per row: what a 1 counts, where a 0 counts 1.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
    gradient : of the shape of logits or probs
        With respect to the logits sigmoid(z) − y, to the probabilities (p − y)/(p (1 − p)); the
        part of a 1 is multiplied by pos_weight.

    Raises
    ------
    ValueError
        For labels or probabilities outside [0, 1], weights that are negative or not finite, both
        or none of logits and probs.

    Notes
    -----
    A row's weight is its sample weight times (y · pos_weight + 1 − y), and "mean" divides by the
    sum of these: the loss of a data set in which each 1 stands pos_weight times. PyTorch's
    ``BCEWithLogitsLoss`` divides by the number of rows, which is another number. See the chapter
    "Classification losses".

    Examples
    --------
    >>> [f"{loss:.4g}" for loss in bernoulli_nll([1, 0], logits=[40.0, 1000.0], reduction="none")]
    ['4.248e-18', '1000']
    >>> value, gradient = bernoulli_nll([1, 1, 0, 1], logits=0.0, return_grad=True)
    >>> round(float(value), 6), float(gradient)  # log 2, and ½ − ¾
    (0.693147, -0.25)
    """
    name, scores = one_of(logits=logits, probs=probs)
    batch = Batch(sample_weight, reduction, return_grad, y=y, **{name: scores})
    ones, unit = _counts(pos_weight, batch)
    for rows in batch:
        label, score = rows.share("y"), rows[name]
        if ones is not None:
            each = ones[rows.block] if ones.ndim else ones
            yes, no = label * each / unit, (1 - label) / unit
        elif name == "probs":
            yes, no = label, 1 - label
        if name == "logits":
            # log1p(exp(−|z|)) is softplus(z) or softplus(−z), and the other one is larger by |z|
            likely, small = score >= 0, np.exp(-np.abs(score))
            if ones is None:
                both, missed = None, likely - label
            else:
                both, missed = yes + no, np.where(likely, no, -yes)
            loss = times(both, np.log1p(small))
            loss += times(missed, score)
            rows.loss(loss)
        else:
            rows.share(name)
            rows.loss(times(yes, -np.log(score)) + times(no, -np.log1p(-score)))
        if return_grad and name == "logits":
            # with s = σ(−|z|) it is (1 − y) − s for z >= 0, and s − y below; −0 + 0 is 0
            smaller = times(both, small / (1 + small))
            rows.slopes(logits=missed - np.copysign(smaller, score + 0.0))
        elif return_grad:
            slope = times(no, 1 / (1 - score)) - times(yes, 1 / score)
            if ones is None:  # p − y as it is, where both terms count
                mixed = (label > 0) & (label < 1)
                slope = np.where(mixed, (score - label) / (score * (1 - score)), slope)
            rows.slopes(probs=slope)
    return batch.result()


def _counts(pos_weight: ArrayLike | None, batch: Batch) -> tuple[Floats | None, float]:
    """What a 1 counts, where a 0 counts 1, and what both are over; sets the batch's divisor."""
    if pos_weight is None:
        return None, 1.0
    ones = real_array("pos_weight", pos_weight).astype(np.float64)
    if ones.ndim and ones.shape != batch.shape:
        raise ValueError(
            f"pos_weight must be a number or have the shape of the rows, {batch.shape}, "
            f"got {ones.shape}"
        )
    if ones.ndim:
        ones = np.where(batch.checked(), ones.ravel(), 1.0)  # the others are not looked at
    right = (ones >= 0) & (ones < np.inf)
    refuse("pos_weight", ones, ~right, "finite and >= 0", batch.shape)
    if batch.reduction != "mean":
        return ones, 1.0
    label = np.clip(batch.arrays["y"].astype(np.float64), 0, 1)  # they are looked at later
    count = np.where(np.isnan(label), 1.0, label * ones + (1 - label))
    count = np.broadcast_to(count, batch.size)
    counted = None if batch.weight is None else np.sign(batch.weight)
    unit = power_of_two(np.append(times(counted, count), 0.0))
    batch.by = divisor(times(batch.weight, count / unit), batch.size, "mean")
    return ones, unit


@quiet
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
    """½ z² + log std + ½ log 2π with z = (y − mean)/std: squared error and what belongs to it.

    Parameters
    ----------
    y : array_like
        Real numbers.
    mean : array_like
        Finite numbers.
    std, variance, log_std : array_like
        Exactly one of the three; std and variance finite and > 0, log_std finite.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
        Negative where the density is above 1.
    gradient : tuple of two
        With respect to the mean −z/std, and to log_std 1 − z², to std (1 − z²)/std, to the
        variance (1 − z²)/(2 variance).

    Raises
    ------
    ValueError
        For a mean that is not finite, an std or variance that is not > 0 and finite, and unless
        exactly one of the three is given.

    Notes
    -----
    PyTorch's ``GaussianNLLLoss`` takes the variance, raises it to 1e-6 where it is less, and leaves
    out ½ log 2π unless ``full=True``. See the chapter "Mean squared error as Gaussian NLL".

    Examples
    --------
    >>> round(float(gaussian_nll([0.0, 2.0], 1.0, std=1.0)), 6)  # ½ + ½ log 2π
    1.418939
    >>> value, (by_mean, by_log_std) = gaussian_nll([0.0, 4.0], 1.0, log_std=0.0, return_grad=True)
    >>> float(by_mean), float(by_log_std)  # 1 − 2, and 1 − (1 + 9)/2
    (-1.0, -4.0)
    """
    name, spread = one_of(std=std, variance=variance, log_std=log_std)
    batch = Batch(sample_weight, reduction, return_grad, y=y, mean=mean, **{name: spread})
    for rows in batch:
        u = rows["y"] - rows.finite("mean")
        if name == "log_std":
            log_scale = rows.finite(name)
            z = _times_exp(u, -log_scale)
        else:
            given = rows.positive(name)
            scale = given if name == "std" else np.sqrt(given)
            z, log_scale = u / scale, np.log(scale)
        rows.loss(0.5 * z * z + (log_scale + 0.5 * LOG_2PI))
        if return_grad:
            growth = (1 - z) * (1 + z)  # 1 − z², the derivative by log std
            if name == "log_std":
                rows.slopes(mean=-_times_exp(z, -log_scale), log_std=growth)
            else:
                by_spread = growth / scale if name == "std" else 0.5 * growth / given
                rows.slopes(mean=-z / scale, **{name: by_spread})
    return batch.result()


def _times_exp(x: Floats, s: Floats) -> Floats:
    """x exp(s), also where exp(s) alone would overflow, or lose digits below the normal floats."""
    half = np.exp(0.5 * s)
    far = np.where(np.isinf(x), x, times(times(x, half), half))  # half may be 0
    return np.where(np.abs(s) < 700, times(x, np.exp(s)), far)


@quiet
def laplace_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """|z| + log(2 scale) with z = (y − loc)/scale: absolute error and what belongs to it.

    Parameters
    ----------
    y : array_like
        Real numbers.
    loc, scale : array_like
        Finite numbers, scale > 0. It is the mean of |y − loc|.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
    gradient : tuple of two
        With respect to loc −sign(z)/scale (0 at y = loc, where the loss has a kink), to scale
        (1 − |z|)/scale.

    Raises
    ------
    ValueError
        For a loc that is not finite, and a scale that is not > 0 and finite.

    Notes
    -----
    See the chapter "Mean squared error as Gaussian NLL".

    Examples
    --------
    >>> float(laplace_nll([0.0, 3.0], 1.0, 0.5))  # (2 + 4)/2 + log 1
    3.0
    """
    batch = Batch(sample_weight, reduction, return_grad, y=y, loc=loc, scale=scale)
    for rows in batch:
        b = rows.positive("scale")
        z = (rows["y"] - rows.finite("loc")) / b
        rows.loss(np.abs(z) + np.log(2 * b))
        if return_grad:
            rows.slopes(loc=-np.sign(z) / b, scale=(1 - np.abs(z)) / b)
    return batch.result()


@quiet
def student_t_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    df: float,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """½ (df + 1) log(1 + z²/df) + log scale + log C(df) with z = (y − loc)/scale.

    C(df) = √(df π) Γ(df/2) / Γ((df + 1)/2). The loss grows like log |z|: beyond √df scales
    an outlier pulls at loc the less the farther it is. For df → ∞ it becomes ``gaussian_nll``.

    Parameters
    ----------
    y : array_like
        Real numbers.
    loc, scale : array_like
        Finite numbers, scale > 0 (it is not the standard deviation).
    df : float
        Degrees of freedom, one number > 0, chosen beforehand: it has no gradient here.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
    gradient : tuple of two
        With respect to loc −(df + 1) z/(df + z²)/scale, to scale (1 − z²)/(1 + z²/df)/scale.

    Raises
    ------
    ValueError
        For a loc that is not finite, and a scale or df that is not > 0 and finite.

    Notes
    -----
    See the chapter "Mean squared error as Gaussian NLL".

    Examples
    --------
    >>> round(float(student_t_nll(0.0, 0.0, 1.0, df=1)), 6)  # Cauchy: log π
    1.14473
    """
    batch = Batch(sample_weight, reduction, return_grad, y=y, loc=loc, scale=scale)
    nu = degrees_of_freedom(df)
    log_c = 0.5 * LOG_2PI - half_step(0.5 * nu)[0]
    for rows in batch:
        b = rows.positive("scale")
        u = rows["y"] - rows.finite("loc")
        z = u / b
        r = z / math.sqrt(nu)
        far = 2 * (np.log(np.abs(u)) - np.log(b)) - math.log(nu)  # log(z²/df), where z² overflows
        log_tail = np.where(np.abs(r) < 1e100, np.log1p(r * r), far)
        rows.loss(0.5 * (nu + 1) * log_tail + np.log(b) + log_c)
        if return_grad:
            pull = (1 + 1 / nu) / (1 / z + z / nu) if nu > 1 else (nu + 1) / (nu / z + z)
            w = 1 / (z * z)
            near = (1 - z) * (1 + z) / (1 + z * z / nu)
            growth = np.where(w > 1, near, (w - 1) / (w + 1 / nu))
            rows.slopes(loc=-pull / b, scale=growth / b)
    return batch.result()


@quiet
def huber_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    delta: float,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """ρ(z) + log scale + log C(delta) with z = (y − loc)/scale: Huber's loss as a likelihood.

    ρ(z) = ½ z² for |z| <= delta, and beyond the straight line delta |z| − ½ delta² that continues
    it: Gaussian in the middle, Laplace in the tails. C(delta) = √(2π) erf(delta/√2) +
    2/delta · exp(−½ delta²) is the integral of exp(−ρ). Without it the loss could not compare one
    delta with another. An outlier pulls at loc with delta/scale at most.

    Parameters
    ----------
    y : array_like
        Real numbers.
    loc, scale : array_like
        Finite numbers, scale > 0.
    delta : float
        Where the tails begin, in units of scale; one number > 0, chosen beforehand: it has no
        gradient here.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
    gradient : tuple of two
        With ψ(z) = z up to |z| = delta and ±delta beyond: with respect to loc −ψ(z)/scale, to scale
        (1 − z ψ(z))/scale.

    Raises
    ------
    ValueError
        For a loc that is not finite, and a scale or delta that is not > 0 and finite.

    Notes
    -----
    The density is Huber's (1964) least favourable distribution. PyTorch's ``HuberLoss`` is ρ alone,
    with scale 1. See the chapter "Mean squared error as Gaussian NLL".

    Examples
    --------
    >>> value, (by_loc, by_scale) = huber_nll([0.5, 9.0], 0.0, 1.0, delta=2.0, return_grad=True)
    >>> float(by_loc), float(by_scale)  # −(0.5 + 2)/2, and 1 − (0.25 + 18)/2
    (-1.25, -8.125)
    """
    batch = Batch(sample_weight, reduction, return_grad, y=y, loc=loc, scale=scale)
    d = scalar("delta", delta, "finite and > 0", low=0)
    c = math.sqrt(2 * math.pi) * math.erf(d / math.sqrt(2)) + 2 / d * math.exp(-0.5 * d * d)
    for rows in batch:
        b = rows.positive("scale")
        z = (rows["y"] - rows.finite("loc")) / b
        rho = np.where(np.abs(z) <= d, 0.5 * z * z, d * (np.abs(z) - 0.5 * d))
        rows.loss(rho + np.log(b) + math.log(c))
        if return_grad:
            psi = np.clip(z, -d, d)
            rows.slopes(loc=-psi / b, scale=(1 - z * psi) / b)
    return batch.result()


@quiet
def poisson_nll(
    y: ArrayLike,
    *,
    rate: ArrayLike | None = None,
    log_rate: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """rate − y log rate + log y!, the loss for counts.

    Parameters
    ----------
    y : array_like
        Counts 0, 1, 2, … (floats may hold them too).
    rate, log_rate : array_like
        Exactly one of the two: the mean count, finite and >= 0, or its logarithm, below infinity.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
    gradient : of the shape of rate or log_rate
        With respect to the rate 1 − y/rate, to log_rate rate − y.

    Raises
    ------
    ValueError
        For a y that is no count, a rate that is negative or not finite, both or none of the two.

    Notes
    -----
    log y! is part of it, so that losses of different models for the same counts compare, and so
    that it is the NLL. PyTorch's ``PoissonNLLLoss`` leaves it out, and with ``full=True`` replaces
    it by Stirling's approximation for y > 1 and by 0 for y <= 1. See the chapter "Mean
    squared error as Gaussian NLL".

    Examples
    --------
    >>> round(float(poisson_nll([0, 1], rate=1.0)), 12)
    1.0
    >>> value, gradient = poisson_nll([0, 1, 5], log_rate=0.0, return_grad=True)
    >>> float(gradient)  # 1 − 2
    -1.0
    """
    name, scores = one_of(rate=rate, log_rate=log_rate)
    batch = Batch(sample_weight, reduction, return_grad, y=y, **{name: scores})
    for rows in batch:
        n, score = rows["y"], rows[name]
        rows.refuse("y", (n >= 0) & (n < np.inf) & (n == np.floor(n)), "a count 0, 1, 2, …")
        if name == "rate":
            rows.refuse(name, (score >= 0) & (score < np.inf), "finite and >= 0")
            mean, log_mean = score, np.log(score)
        else:
            rows.refuse(name, score < np.inf, "below infinity")
            mean, log_mean = np.exp(score), score
        rows.loss(_poisson(*np.broadcast_arrays(n, mean, log_mean)))
        if return_grad:
            by_rate = np.where((n == 0) & (mean == 0), 1.0, (mean - n) / mean)
            rows.slopes(**{name: by_rate if name == "rate" else mean - n})
    return batch.result()


def _poisson(y: Floats, rate: Floats, log_rate: Floats) -> Floats:
    """rate − y log rate + log y!, without forming its large terms, which cancel.

    With Stirling's series log y! = y log y − y + ½ log 2πy + s(y) it is the sum of
    y log(y/rate) − y + rate, ½ log 2πy and s(y), all of them >= 0 (Loader 2000).
    """
    n = np.where(y == 0, 1.0, y)
    counts, index = np.unique(n, return_inverse=True)
    s = np.array([stirling(float(count)) for count in counts])[index].reshape(n.shape)
    tiny = rate < 1e-290  # where the exp of a log_rate loses digits
    gap = np.where(tiny, n * (np.log(n) - log_rate) - n, deviance(n, rate))
    return np.where(y == 0, rate, gap + 0.5 * (LOG_2PI + np.log(n)) + s)


@quiet
def asymmetric_laplace_nll(
    y: ArrayLike,
    loc: ArrayLike,
    scale: ArrayLike,
    quantile: float,
    sample_weight: ArrayLike | None = None,
    reduction: Reduction = "mean",
    return_grad: bool = False,
) -> Any:
    """max(q z, (q − 1) z) + log scale − log(q (1 − q)), z = (y − loc)/scale: the pinball loss.

    Parameters
    ----------
    y : array_like
        Real numbers.
    loc, scale : array_like
        Finite numbers, scale > 0.
    quantile : float
        q in (0, 1), one number, chosen beforehand: the share of y below the loc that fits best.
    sample_weight, reduction, return_grad
        As for every loss: see the top of this module.

    Returns
    -------
    value : scalar, or an array of the rows' shape for "none"
    gradient : tuple of two
        With ρ = max(q z, (q − 1) z) and its slope ψ, q above 0, q − 1 below it and 0 at the kink:
        with respect to loc −ψ/scale, to scale (1 − ρ)/scale.

    Raises
    ------
    ValueError
        For a loc that is not finite, a scale that is not > 0 and finite, a quantile outside (0, 1).

    Notes
    -----
    The asymmetric Laplace density as in Koenker and Machado (1999). For q = ½ it is the Laplace
    density whose scale is twice as large. See the chapter "Mean squared error as Gaussian NLL".

    Examples
    --------
    >>> value, (by_loc, by_scale) = asymmetric_laplace_nll([0.0, 4.0], 1.0, 1.0, quantile=0.75,
    ...                                                    return_grad=True)
    >>> float(by_loc), float(by_scale)  # (¼ − ¾)/2, and 1 − (¼ + 9/4)/2
    (-0.25, -0.25)
    """
    batch = Batch(sample_weight, reduction, return_grad, y=y, loc=loc, scale=scale)
    q = scalar("quantile", quantile, "in (0, 1)", low=0)
    if q >= 1:
        raise ValueError(f"quantile = {shown(q)} must be in (0, 1)")
    for rows in batch:
        b = rows.positive("scale")
        z = (rows["y"] - rows.finite("loc")) / b
        psi = np.where(z > 0, q, np.where(z < 0, q - 1, z))
        rows.loss(psi * z + np.log(b / (q * (1 - q))))
        if return_grad:
            rows.slopes(loc=-psi / b, scale=(1 - psi * z) / b)
    return batch.result()
