"""What nllbook does: a test for every cell of its columns in chapters/other-libraries.yml."""

from __future__ import annotations

import inspect
import math
from functools import partial
from typing import Any

import mpmath
import numpy as np
import pytest

import nllbook
from nllbook import (
    Gaussian,
    asymmetric_laplace_nll,
    bernoulli_nll,
    categorical_nll,
    entropy,
    gaussian_nll,
    huber_nll,
    kl_divergence,
    laplace_nll,
    losses,
    poisson_nll,
    sigmoid,
    softmax,
    student_t_nll,
)
from tests.libraries.cells import (
    ENTROPIES,
    HALF_LOG_2PI,
    INF,
    KL,
    LABELS,
    LOG_2,
    LOG_3,
    LOSSES,
    NAN,
    ROWS,
    WEIGHTS,
    Cells,
    P,
    Q,
    lacks,
    near,
    reads,
    refuses,
    shape,
    silent,
)

cell = Cells([nllbook, losses])

Z, Y = np.array(ROWS), np.array(LABELS)
ONE_HOT = np.array([[1.0, 0, 0], [0, 1, 0]])
PROBS = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
COLUMN, ROW = np.array([[1.0], [2.0]]), np.zeros(2)


def reductions(loss: Any, expected: list[float]) -> None:
    """The mean by default, the sum and the single numbers on demand."""
    near(loss(), sum(expected) / len(expected))
    near(loss(reduction="sum"), sum(expected))
    near(loss(reduction="none"), expected)


def weighted(loss: Any, expected: list[float]) -> None:
    """The mean divides by the sum of the weights."""
    near(loss(sample_weight=[3, 1]), (3 * expected[0] + expected[1]) / 4)


def no_mean(loss: Any) -> None:
    """Of nothing there is no mean, but a sum."""
    refuses(ValueError, loss)
    assert loss(reduction="sum") == 0


# --- Classes -------------------------------------------------------------------------------------


@cell("categorical-logits / call", "categorical-logits / reduction")
def _() -> None:
    reductions(lambda **how: categorical_nll(Y, logits=Z, **how), LOSSES)
    refuses(TypeError, lambda: categorical_nll(Y, Z))  # type: ignore[call-arg]


@cell("categorical-logits / class axis")
def _() -> None:
    shape(
        categorical_nll(np.zeros((2, 3), int), logits=np.zeros((2, 3, 5)), reduction="none"), 2, 3
    )


@cell("categorical-logits / one column of logits")
def _() -> None:
    assert categorical_nll([0, 0], logits=[[2], [-1]]) == 0
    for odd in ([1, 0], [[1.0], [0.0]]):
        refuses(ValueError, lambda odd: categorical_nll(odd, logits=[[2], [-1]]), odd)
    expected = math.log1p(math.exp(-2)) + math.log1p(math.exp(-1))
    near(bernoulli_nll([1, 0], logits=[2, -1], reduction="sum"), expected)


@cell("categorical-logits / kinds of label", "categorical-probabilities / labels")
def _() -> None:
    for labels in (Y, Y.astype("int32"), ONE_HOT):
        near(categorical_nll(labels, logits=Z), sum(LOSSES) / 2)
        near(categorical_nll(labels, probs=PROBS), sum(LOSSES) / 2)
    near(categorical_nll([[0.3, 0.7]], logits=[[0, 0]]), LOG_2)


@cell("categorical-logits / class weights")
def _() -> None:
    expected = (WEIGHTS[0] * LOSSES[0] + WEIGHTS[1] * LOSSES[1]) / (WEIGHTS[0] + WEIGHTS[1])
    near(categorical_nll(Y, logits=Z, class_weight=WEIGHTS), expected)


@cell("categorical-logits / class weights, distributions")
def _() -> None:
    t = np.array([[0.5, 0.5, 0], [0, 0.1, 0.9]])
    rows = t @ WEIGHTS
    equal = categorical_nll(t, logits=0 * Z, class_weight=WEIGHTS, reduction="none")
    near(equal, rows * LOG_3)
    near(categorical_nll(t, logits=0 * Z, class_weight=WEIGHTS), LOG_3)


@cell("categorical-logits / row weights")
def _() -> None:
    weighted(lambda **how: categorical_nll(Y, logits=Z, **how), LOSSES)


@cell("categorical-logits / ignored labels", "categorical-probabilities / ignored labels")
def _() -> None:
    for score in ({"logits": Z}, {"probs": PROBS}):
        for label in (-100, 2):
            loss = categorical_nll([label, 1], ignore_index=label, **score)
            near(loss, LOSSES[1])
        refuses(ValueError, lambda score: categorical_nll([-100, 1], **score), score)
    refuses(ValueError, lambda: categorical_nll(ONE_HOT, logits=Z, ignore_index=1))


@cell("categorical-logits / no row counted", "categorical-probabilities / no row counted")
def _() -> None:
    for score in ({"logits": Z}, {"probs": PROBS}):
        no_mean(partial(categorical_nll, [2, 2], ignore_index=2, **score))
        empty: dict[str, Any] = {name: rows[:0] for name, rows in score.items()}
        no_mean(partial(categorical_nll, Y[:0], **empty))


@cell("categorical-logits / smoothing")
def _() -> None:
    target = 0.7 * ONE_HOT + 0.3 / 3
    expected = -(target * np.log(PROBS)).sum(axis=1)
    near(categorical_nll(Y, logits=Z, label_smoothing=0.3, reduction="none"), expected)


@cell("categorical-logits / smoothing, class weights")
def _() -> None:
    equal = categorical_nll(Y, logits=0 * Z, class_weight=WEIGHTS, label_smoothing=0.5)
    near(equal, LOG_3)
    parts = (0.5 * ONE_HOT + 0.5 / 3) * WEIGHTS
    expected = -(parts * np.log(PROBS)).sum() / parts.sum()
    near(categorical_nll(Y, logits=Z, class_weight=WEIGHTS, label_smoothing=0.5), expected)


@cell("categorical-logits / smoothing, ignored labels")
def _() -> None:
    smoothed = 0.7 * LOSSES[1] + 0.1 * sum(LOSSES[1] + 1 - z for z in ROWS[1])
    near(categorical_nll([-1, 1], logits=Z, ignore_index=-1, label_smoothing=0.3), smoothed)


@cell("categorical-logits / logits of minus infinity")
def _() -> None:
    z, expected = [[0, -INF, 1]], math.log(1 + math.e)
    near(categorical_nll([0], logits=z), expected)
    near(categorical_nll([1], logits=z), INF)
    near(categorical_nll([[0.5, 0, 0.5]], logits=z), expected - 0.5)
    near(categorical_nll([0], logits=[[-INF, -INF]]), NAN)


@cell(
    "categorical-logits / labels outside the classes",
    "categorical-probabilities / labels outside the classes",
)
def _() -> None:
    for label in (3, -1):
        for score in ({"logits": Z}, {"probs": PROBS}):
            with pytest.raises(ValueError, match=rf"y\[1\] = {label} is outside 0\.\.2"):
                categorical_nll([0, label], **score)


@cell(
    "categorical-logits / labels of shape (n, 1)",
    "categorical-probabilities / labels of shape (n, 1)",
)
def _() -> None:
    refuses(ValueError, lambda: categorical_nll(Y[:, None], probs=PROBS))
    refuses(ValueError, lambda: categorical_nll(Y[:, None], logits=Z))
    refuses(ValueError, lambda: categorical_nll(Y[:, None].astype(float), logits=Z))


@cell("categorical-logits / targets that do not sum to 1")
def _() -> None:
    refuses(ValueError, lambda: categorical_nll(2 * ONE_HOT, logits=Z))


@cell("categorical-logits / probabilities given as logits")
def _(floor: str) -> None:
    best = silent(lambda: categorical_nll(np.arange(10), logits=np.eye(10)))
    near(best, math.log(math.e + 9) - 1)
    reads(floor, best)


@cell("categorical-logits / log-probabilities given as logits")
def _() -> None:
    near(categorical_nll(Y, logits=np.log(PROBS), reduction="none"), LOSSES)


@cell("categorical-logits / log of softmax, in two steps")
def _(gap: str) -> None:
    z = np.array([[0, -float(gap)]])
    with np.errstate(divide="ignore"):
        assert np.log(softmax(z))[0, 1] == -INF
    assert categorical_nll([1], logits=z) == float(gap)


@cell("categorical-logits / a confident row")
def _(loss: str) -> None:
    got = categorical_nll([0], logits=[[40.0, 0]])
    near(got, math.log1p(math.exp(-40)), 1e-15)
    reads(loss, got)


@cell("categorical-logits / a NaN among the logits")
def _() -> None:
    z = [[NAN, 0, 0], ROWS[1]]
    near(categorical_nll(Y, logits=z, reduction="none"), [NAN, LOSSES[1]])


@cell(
    "categorical-probabilities / call",
    "categorical-probabilities / takes",
    "categorical-probabilities / reduction",
)
def _() -> None:
    reductions(lambda **how: categorical_nll(Y, probs=PROBS, **how), LOSSES)


@cell("categorical-probabilities / the other kind given")
def _() -> None:
    refuses(ValueError, lambda: categorical_nll(Y, probs=np.log(PROBS)))


@cell("categorical-probabilities / classes that do not occur in y")
def _() -> None:
    near(categorical_nll([0, 0], probs=PROBS), (LOSSES[0] + LOSSES[1] + 1) / 2)


@cell("categorical-probabilities / weights")
def _() -> None:
    weighted(lambda **how: categorical_nll(Y, probs=PROBS, **how), LOSSES)
    expected = (WEIGHTS[0] * LOSSES[0] + WEIGHTS[1] * LOSSES[1]) / (WEIGHTS[0] + WEIGHTS[1])
    near(categorical_nll(Y, probs=PROBS, class_weight=WEIGHTS), expected)


@cell("categorical-probabilities / p = 0 for what happened")
def _() -> None:
    assert categorical_nll([1], probs=[[1.0, 0]]) == INF


@cell("categorical-probabilities / a perfect prediction")
def _() -> None:
    assert categorical_nll([0], probs=[[1.0, 0]]) == 0


@cell("categorical-probabilities / rows that do not sum to 1")
def _() -> None:
    refuses(ValueError, lambda: categorical_nll([0], probs=[[0.5, 0.4]]))


@cell("categorical-probabilities / a NaN among the probabilities")
def _() -> None:
    rows = [[NAN, 0.5, 0.5], PROBS[1].tolist()]
    near(categorical_nll(Y, probs=rows, reduction="none"), [NAN, LOSSES[1]])


# --- Yes or no -----------------------------------------------------------------------------------


@cell("bernoulli-logits / call", "bernoulli-logits / reduction")
def _() -> None:
    expected = [math.log1p(math.exp(-2)), math.log1p(math.e)]
    reductions(lambda **how: bernoulli_nll([1, 0], logits=[2, 1], **how), expected)


@cell("bernoulli-logits / kinds of label")
def _() -> None:
    near(bernoulli_nll([0.25], logits=[2.0]), math.log1p(math.exp(2)) - 0.25 * 2)
    near(bernoulli_nll([1], logits=[2.0]), bernoulli_nll([1.0], logits=[2.0]))


@cell("bernoulli-logits / several yes-or-no labels a row")
def _() -> None:
    near(bernoulli_nll(np.ones((2, 3)), logits=np.zeros((2, 3))), LOG_2)
    labels = [[1, 0], [0, 0]]
    expected = np.log1p(np.exp([[-2, 1], [3, -1]])).sum() / 4
    near(bernoulli_nll(labels, logits=[[2, 1], [3, -1]]), expected)
    near(bernoulli_nll(np.ones((2, 3)), logits=np.zeros((2, 3)), reduction="sum"), 6 * LOG_2)


@cell("bernoulli-logits / weight of the ones")
def _() -> None:
    loss = bernoulli_nll([1, 0], logits=[2, 1], pos_weight=3)
    near(loss, (3 * math.log1p(math.exp(-2)) + math.log1p(math.e)) / (3 + 1))


@cell("bernoulli-logits / row weights")
def _() -> None:
    expected = [math.log1p(math.exp(-2)), math.log1p(math.e)]
    weighted(lambda **how: bernoulli_nll([1, 0], logits=[2, 1], **how), expected)


@cell("bernoulli-logits / smoothing, ignored labels")
def _() -> None:
    lacks(bernoulli_nll, "smooth", "ignore")
    loss = bernoulli_nll([7, 0], logits=[NAN, 1], sample_weight=[0, 1])
    near(loss, math.log1p(math.e))


@cell(
    "bernoulli-logits / labels outside [0, 1]",
    "bernoulli-probabilities / labels and probabilities outside [0, 1]",
)
def _() -> None:
    for label in (2, -1):
        refuses(ValueError, lambda label: bernoulli_nll([label], logits=[0.0]), label)
        refuses(ValueError, lambda label: bernoulli_nll([label], probs=[0.5]), label)
    refuses(ValueError, lambda: bernoulli_nll([1], probs=[1.2]))


@cell("bernoulli-logits / infinite logits")
def _() -> None:
    loss = bernoulli_nll([1, 0, 0, 1], logits=[INF, -INF, INF, -INF], reduction="none")
    near(loss, [0, 0, INF, INF])


@cell("bernoulli-logits / probabilities given as logits")
def _(one: str, zero: str) -> None:
    best = silent(lambda: bernoulli_nll([1, 0], logits=[1.0, 0.0], reduction="none"))
    near(best, [math.log1p(math.exp(-1)), LOG_2])
    reads(one, best[0])
    reads(zero, best[1])


@cell("bernoulli-logits / (n, 1) against (n,)", "bernoulli-probabilities / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: bernoulli_nll([1, 0], logits=COLUMN))
    refuses(ValueError, lambda: bernoulli_nll([1, 0], probs=COLUMN / 3))


@cell("bernoulli-logits / a confident row")
def _(loss: str) -> None:
    got = bernoulli_nll([1, 0], logits=[40, -40], reduction="none")
    near(got, [math.log1p(math.exp(-40))] * 2, 1e-15)
    reads(loss, got[0])


@cell("bernoulli-logits / empty batch")
def _() -> None:
    no_mean(lambda **how: bernoulli_nll([], logits=[], **how))


@cell(
    "bernoulli-probabilities / call",
    "bernoulli-probabilities / whose probability",
    "bernoulli-probabilities / reduction",
)
def _() -> None:
    expected = [-math.log(0.2), -math.log(0.3)]
    reductions(lambda **how: bernoulli_nll([1, 0], probs=[0.2, 0.7], **how), expected)


@cell("bernoulli-probabilities / labels between 0 and 1")
def _() -> None:
    near(bernoulli_nll([0.25], probs=[0.2]), -0.25 * math.log(0.2) - 0.75 * math.log(0.8))


@cell("bernoulli-probabilities / weights")
def _() -> None:
    expected = [-math.log(0.2), -math.log(0.3)]
    weighted(lambda **how: bernoulli_nll([1, 0], probs=[0.2, 0.7], **how), expected)
    loss = bernoulli_nll([1, 0], probs=[0.2, 0.7], pos_weight=3)
    near(loss, (3 * expected[0] + expected[1]) / 4)


@cell("bernoulli-probabilities / logits given as probabilities")
def _() -> None:
    for z in (-0.5, 2.0):
        refuses(ValueError, lambda z: bernoulli_nll([1, 0], probs=[z, 0.5]), z)


@cell("bernoulli-probabilities / p = 0 for a 1")
def _() -> None:
    assert bernoulli_nll([1], probs=[0.0]) == INF


@cell("bernoulli-probabilities / sigmoid first, then this")
def _(right: str) -> None:
    z = np.array([float(right)], np.float32)
    assert sigmoid(z) == 1
    assert bernoulli_nll([0], probs=sigmoid(z)) == INF
    near(bernoulli_nll([0], logits=z), float(right))


@cell("bernoulli-probabilities / one class only")
def _() -> None:
    near(bernoulli_nll([1, 1], probs=[0.5, 0.5]), LOG_2)


@cell("bernoulli-probabilities / empty batch")
def _() -> None:
    no_mean(lambda **how: bernoulli_nll([], probs=[], **how))


@cell("bernoulli-probabilities / a NaN among the probabilities")
def _() -> None:
    near(bernoulli_nll([1, 1], probs=[NAN, 0.5], reduction="none"), [NAN, LOG_2])


# --- Numbers -------------------------------------------------------------------------------------


@cell("gaussian / call", "gaussian / constant")
def _() -> None:
    near(gaussian_nll([4.0], [1.0], std=2.0), math.log(2) + 3**2 / 8 + HALF_LOG_2PI)


@cell("gaussian / spread")
def _() -> None:
    expected = math.log(2) + 3**2 / 8 + HALF_LOG_2PI
    near(gaussian_nll([4.0], [1.0], std=2.0), expected)
    near(gaussian_nll([4.0], [1.0], variance=4.0), expected)
    near(gaussian_nll([4.0], [1.0], log_std=LOG_2), expected)
    refuses(TypeError, lambda: gaussian_nll([4.0], [1.0], 2.0))  # type: ignore[call-arg]
    refuses(ValueError, lambda: gaussian_nll([4.0], [1.0], std=2.0, variance=4.0))


@cell("gaussian / reduction")
def _() -> None:
    expected = [0.5 + HALF_LOG_2PI, 2 + HALF_LOG_2PI]
    reductions(lambda **how: gaussian_nll([1, 2], 0, std=1.0, **how), expected)


@cell("gaussian / small variances")
def _() -> None:
    near(gaussian_nll(0, 0, variance=1e-18), math.log(1e-9) + HALF_LOG_2PI)


@cell("gaussian / gradient below the floor")
def _() -> None:
    _, (_, slope) = gaussian_nll(1e-2, 0, variance=1e-9, return_grad=True)
    near(slope, 0.5 * (1e9 - 1e-4 * 1e18))


@cell("gaussian / spread 0 or negative")
def _() -> None:
    for spread in (0.0, -1.0):
        refuses(ValueError, lambda spread: gaussian_nll([1.0], 0, std=spread), spread)
        refuses(ValueError, lambda spread: gaussian_nll([1.0], 0, variance=spread), spread)


@cell("gaussian / weights", "squared-error / weights")
def _() -> None:
    expected = [0.5 + HALF_LOG_2PI, 2 + HALF_LOG_2PI]
    weighted(lambda **how: gaussian_nll([1, 2], 0, std=1.0, **how), expected)


@cell("gaussian / (n, 1) against (n,)", "squared-error / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: gaussian_nll(COLUMN, ROW, std=1.0))
    refuses(ValueError, lambda: gaussian_nll(ROW, COLUMN, std=1.0))


@cell("gaussian / empty batch", "squared-error / empty batch")
def _() -> None:
    no_mean(lambda **how: gaussian_nll([], [], std=1.0, **how))


@cell("gaussian / a NaN among the data", "squared-error / a NaN among the data")
def _() -> None:
    near(gaussian_nll([NAN, 0], 0, std=1.0, reduction="none"), [NAN, HALF_LOG_2PI])


@cell("gaussian / the estimate from data")
def _() -> None:
    near(Gaussian.fit([1, 2, 6]).std, math.sqrt((4 + 1 + 9) / 3))


def like_gaussian(loss: Any) -> None:
    """Of nothing there is no mean; the row of a NaN is NaN, and no other."""
    no_mean(lambda **how: loss([], **how))
    rows = loss([NAN, 1], reduction="none")
    near(rows, [NAN, loss([1])])
    assert np.isfinite(rows[1])


@cell("absolute-error / empty batch", "absolute-error / a NaN among the data")
def _() -> None:
    like_gaussian(lambda y, **how: laplace_nll(y, 0, 1, **how))


@cell("huber / empty batch", "huber / a NaN among the data")
def _() -> None:
    like_gaussian(lambda y, **how: huber_nll(y, 0, 1, 1, **how))


@cell("quantile / empty batch", "quantile / a NaN among the data")
def _() -> None:
    like_gaussian(lambda y, **how: asymmetric_laplace_nll(y, 0, 1, 0.75, **how))


@cell("poisson / empty batch", "poisson / a NaN among the counts")
def _() -> None:
    like_gaussian(lambda y, **how: poisson_nll(y, rate=1.0, **how))


@cell("student-t / empty batch", "student-t / a NaN among the data")
def _() -> None:
    like_gaussian(lambda y, **how: student_t_nll(y, 0, 1, 3, **how))


@cell("student-t / infinite degrees of freedom")
def _() -> None:
    refuses(ValueError, student_t_nll, 1, 0, 1, INF)


@cell("student-t / degrees of freedom or scale 0 or negative")
def _() -> None:
    for odd in (0, -1):
        refuses(ValueError, student_t_nll, 1, 0, 1, odd)
        refuses(ValueError, student_t_nll, 1, 0, odd, 3)


@cell("student-t / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, student_t_nll, COLUMN, ROW, 1, 3)


@cell("squared-error / integers")
def _() -> None:
    near(gaussian_nll([0, 3], [0, 0], std=1), 0.5 * 9 / 2 + HALF_LOG_2PI)


@cell("squared-error / call", "squared-error / factor one half", "squared-error / reduction")
def _() -> None:
    expected = [0.5 * 3**2 + HALF_LOG_2PI, 0.5 + HALF_LOG_2PI]
    reductions(lambda **how: gaussian_nll([3, 1], 0, std=1.0, **how), expected)


@cell("absolute-error / call", "absolute-error / scale and constant", "absolute-error / reduction")
def _() -> None:
    expected = [3 / 2 + math.log(4), 1 / 2 + math.log(4)]
    reductions(lambda **how: laplace_nll([4, 0], 1, 2, **how), expected)


@cell("absolute-error / weights")
def _() -> None:
    weighted(lambda **how: laplace_nll([4, 0], 1, 0.5, **how), [6, 2])


@cell("absolute-error / gradient at the kink")
def _() -> None:
    _, (slope, _) = laplace_nll([1.0], [1.0], 1.0, return_grad=True)
    near(slope, [0])


@cell("absolute-error / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: laplace_nll(COLUMN, ROW, 1.0))


HUBER_2 = math.log(
    math.sqrt(2 * math.pi) * math.erf(2 / math.sqrt(2)) + 2 / 2 * math.exp(-0.5 * 2**2)
)


@cell("huber / call", "huber / scale and normalising constant", "huber / reduction")
def _() -> None:
    expected = [one + math.log(3) + HUBER_2 for one in (0.5 * 1.5**2, 2 * 5 - 0.5 * 2**2)]
    reductions(lambda **how: huber_nll([4.5, -15], 0, 3, 2, **how), expected)


@cell("huber / beyond delta")
def _() -> None:
    near(huber_nll(5, 0, 1, 2) - huber_nll(0, 0, 1, 2), 2 * 5 - 0.5 * 2**2)


@cell("huber / default of delta")
def _() -> None:
    assert inspect.signature(huber_nll).parameters["delta"].default is inspect.Parameter.empty


@cell("huber / delta 0 or negative")
def _() -> None:
    for delta in (0, -1):
        refuses(ValueError, lambda delta: huber_nll(1, 0, 1, delta), delta)


@cell("huber / weights")
def _() -> None:
    expected = [HUBER_2 + 0.5, HUBER_2 + 8]
    weighted(lambda **how: huber_nll([1, 5], 0, 1, 2, **how), expected)


@cell("huber / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: huber_nll(COLUMN, ROW, 1, 2))


PINBALL = [one * 3 / 2 + LOG_2 - math.log(0.75 * 0.25) for one in (0.75, 0.25)]


@cell("quantile / call", "quantile / too low a prediction costs", "quantile / scale and constant")
def _() -> None:
    loss = asymmetric_laplace_nll([4, -2], 1, 2, quantile=0.75, reduction="none")
    near(loss, PINBALL)


@cell("quantile / q = 0 or 1")
def _() -> None:
    for q in (0, 1):
        refuses(ValueError, lambda q: asymmetric_laplace_nll(1, 0, 1, q), q)


@cell("quantile / reduction, weights")
def _() -> None:
    def loss(**how: Any) -> Any:
        return asymmetric_laplace_nll([4, -2], 1, 2, 0.75, **how)

    reductions(loss, PINBALL)
    weighted(loss, PINBALL)


@cell("quantile / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: asymmetric_laplace_nll(COLUMN, ROW, 1, 0.75))


POISSON = [2 - y * LOG_2 + math.log(math.factorial(y)) for y in (3, 30)]


@cell(
    "poisson / call",
    "poisson / rate or its logarithm",
    "poisson / the constant log y!",
    "poisson / reduction",
)
def _() -> None:
    reductions(lambda **how: poisson_nll([3, 30], rate=2.0, **how), POISSON)
    near(poisson_nll([3, 30], log_rate=LOG_2, reduction="none"), POISSON, 1e-12)


@cell("poisson / rate 0")
def _() -> None:
    near(poisson_nll([0, 1], rate=0.0, reduction="none"), [0, INF])
    near(poisson_nll([0, 1], log_rate=-INF, reduction="none"), [0, INF])


@cell("poisson / y that is no count")
def _() -> None:
    for count in (1.5, -1):
        refuses(ValueError, lambda count: poisson_nll([count], rate=1.0), count)


@cell("poisson / weights")
def _() -> None:
    weighted(lambda **how: poisson_nll([3, 30], rate=2.0, **how), POISSON)


@cell("poisson / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: poisson_nll(COLUMN, rate=np.ones(2)))


@cell("student-t / call", "student-t / normalising constant", "student-t / reduction")
def _() -> None:
    constant = math.log(math.sqrt(3 * math.pi) * math.gamma(1.5) / math.gamma(2))
    expected = [2 * math.log(1 + z**2 / 3) + math.log(2) + constant for z in (1.5, 0)]
    reductions(lambda **how: student_t_nll([4, 1], 1, 2, 3, **how), expected)


# --- Between distributions -----------------------------------------------------------------------


@cell("kl-divergence / call", "kl-divergence / takes", "kl-divergence / reduction")
def _() -> None:
    near(kl_divergence(P, Q), KL)
    lacks(kl_divergence, "reduc")


@cell("kl-divergence / the terms")
def _() -> None:
    # All would be 0 or noise of either sign if the terms of such pairs were not >= 0.
    p = np.random.default_rng(2026).dirichlet(np.ones(5), 1000)
    q = p * (1 + 1e-9 * np.random.default_rng(1).standard_normal(p.shape))
    q[:, 0] = 1 - q[:, 1:].sum(axis=1)
    assert (kl_divergence(p, q) >= 0).all()


@cell("kl-divergence / p = 0")
def _() -> None:
    near(kl_divergence([[0, 1], [1, 0]], Q), [math.log(4 / 3), LOG_2])
    # The terms q make up for those left out: without them this would be log(4/3) - 1 + 0.75.
    near(kl_divergence([0, 1], [0.25, 0.75]), math.log(4 / 3))


@cell("kl-divergence / integers")
def _() -> None:
    near(kl_divergence([0, 1], [0.25, 0.75]), math.log(4 / 3))


@cell("kl-divergence / q = 0 where p > 0")
def _() -> None:
    assert kl_divergence([0.5, 0.5], [0, 1]) == INF


@cell("kl-divergence / p = q = 0")
def _() -> None:
    assert kl_divergence([0, 1], [0, 1]) == 0


@cell("kl-divergence / rows that do not sum to 1")
def _() -> None:
    refuses(ValueError, lambda: kl_divergence([1, 1], [0.5, 0.5]))
    refuses(ValueError, lambda: kl_divergence([0.5, 0.5], [1, 1]))


@cell("kl-divergence / the other kind given")
def _() -> None:
    refuses(ValueError, lambda: kl_divergence(P, np.log(Q)))
    refuses(ValueError, lambda: kl_divergence(np.log(P), Q))


@cell("kl-divergence / different shapes")
def _() -> None:
    refuses(ValueError, lambda: kl_divergence(P[0], Q))


@cell("kl-divergence / p and q nearly equal")
def _(exact: str) -> None:
    p, q = np.array([0.1, 0.2, 0.7]), np.array([0.1 + 1e-9, 0.2, 0.7 - 1e-9])
    got = kl_divergence(p, q)
    with mpmath.workdps(50):
        terms = [a * mpmath.log(mpmath.mpf(a) / b) - a + b for a, b in zip(p, q, strict=True)]
        near(got, float(mpmath.fsum(terms)), 1e-12)
    reads(exact, got)


@cell("kl-divergence / no row")
def _() -> None:
    shape(kl_divergence(np.empty((0, 2)), np.empty((0, 2))), 0)


@cell("entropy / call", "entropy / unit", "entropy / axis")
def _() -> None:
    near(entropy(P), ENTROPIES)
    near(entropy([0.5, 0.25, 0.25], base=2), 1.5)


@cell("entropy / rows that do not sum to 1", "entropy / negative probabilities")
def _() -> None:
    refuses(ValueError, lambda: entropy([1, 1]))
    refuses(ValueError, lambda: entropy([-0.5, 1.5]))


@cell("entropy / no row")
def _() -> None:
    shape(entropy(np.empty((0, 2))), 0)


@cell("entropy / log-probabilities given")
def _() -> None:
    refuses(ValueError, entropy, np.log([0.1, 0.9]))


@cell("entropy / p = 0")
def _() -> None:
    assert entropy([0, 1]) == 0


@cell("entropy / of a density")
def _() -> None:
    near(Gaussian(0, 0.01).entropy(), 0.5 + HALF_LOG_2PI + math.log(0.01))
    assert Gaussian(0, 0.01).entropy() < 0
