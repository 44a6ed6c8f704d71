"""What SciPy does: a test for every cell of its columns in chapters/other-libraries.yml."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import scipy
from scipy import special, stats

from tests.libraries.cells import (
    ENTROPIES,
    HALF_LOG_2PI,
    INF,
    KL,
    LABELS,
    LOG_2,
    LOSSES,
    NAN,
    ROWS,
    TERMS,
    Cells,
    P,
    Q,
    first,
    near,
    reads,
    refuses,
    shape,
    silent,
    warns,
)

cell = Cells([special, stats])

NaN_FROM_118 = tuple(map(int, scipy.__version__.split(".")[:2])) >= (1, 18)

Z = np.array(ROWS)
COLUMN = np.array([[1.0], [2.0]])


def losses(z: Any, labels: Any) -> Any:
    """What the page calls the piece: the rows of -log_softmax at their labels."""
    return -special.log_softmax(z, axis=-1)[np.arange(len(z)), labels]


# --- Classes -------------------------------------------------------------------------------------


@cell(
    "categorical-logits / call",
    "categorical-logits / kinds of label",
    "categorical-logits / reduction",
)
def _() -> None:
    near(losses(Z, LABELS), LOSSES)
    near(special.logsumexp(Z, axis=-1) - Z[[0, 1], LABELS], LOSSES)
    refuses(IndexError, lambda: losses(Z, [0.0, 1.0]))


@cell("categorical-logits / class axis")
def _() -> None:
    near(special.softmax(np.zeros((2, 3))), np.full((2, 3), 1 / 6))
    near(special.log_softmax(np.zeros((2, 3))), np.full((2, 3), -math.log(6)))
    near(special.log_softmax(np.zeros((2, 3)), axis=0), np.full((2, 3), -LOG_2))


@cell(
    "categorical-logits / class weights",
    "categorical-logits / class weights, distributions",
    "categorical-logits / row weights",
    "categorical-logits / ignored labels",
    "categorical-logits / smoothing",
    "categorical-logits / smoothing, class weights",
    "categorical-logits / smoothing, ignored labels",
    "categorical-logits / targets that do not sum to 1",
)
def no_loss_of_classes() -> None:
    assert not [name for name in cell.names if "cross_entropy" in name or "nll" in name.lower()]
    for odd in ("weight", "ignore_index", "smoothing", "target"):
        refuses(TypeError, lambda odd: special.log_softmax(Z, **{odd: 1}), odd)


@cell("categorical-logits / one column of logits")
def _() -> None:
    near(silent(lambda: special.log_softmax([[2.0], [-1]], axis=-1)), [[0], [0]])


@cell("categorical-logits / no row counted")
def _() -> None:
    shape(losses(Z[:0], LABELS[:0]), 0)


@cell("categorical-logits / logits of minus infinity")
def _() -> None:
    z = np.array([[0, -INF, 1]])
    near(losses(z, [0]), [math.log(1 + math.e)])
    near(losses(z, [1]), [INF])
    nothing = warns(lambda: losses(np.array([[-INF, -INF]]), [0]), "invalid", RuntimeWarning)
    near(nothing, [NAN])


@cell("categorical-logits / labels outside the classes")
def _() -> None:
    refuses(IndexError, lambda: losses(Z, [0, 3]))
    near(silent(lambda: losses(Z, [0, -1])), [LOSSES[0], LOSSES[1] - 2])


@cell("categorical-logits / labels of shape (n, 1)")
def _() -> None:
    shape(silent(lambda: losses(Z, np.array(LABELS)[:, None])), 2, 2)


@cell("categorical-logits / probabilities given as logits")
def _(floor: str) -> None:
    best = silent(lambda: losses(np.eye(10), np.arange(10)))
    near(best, [math.log(math.e + 9) - 1] * 10)
    reads(floor, best[0])


@cell("categorical-logits / log-probabilities given as logits")
def _() -> None:
    near(losses(Z - special.logsumexp(Z, axis=1, keepdims=True), LABELS), LOSSES)


@cell("categorical-logits / log of softmax, in two steps")
def _(gap: str) -> None:
    z = np.array([[0, -float(gap)]])
    with np.errstate(divide="ignore"):
        assert np.log(special.softmax(z, axis=1))[0, 1] == -INF
    assert losses(z, [1])[0] == float(gap)


@cell("categorical-logits / a confident row")
def _() -> None:
    assert losses(np.array([[40.0, 0]]), [0])[0] == 0


@cell("categorical-logits / a NaN among the logits")
def _() -> None:
    near(losses(np.array([[NAN, 0, 0], ROWS[1]]), LABELS), [NAN, LOSSES[1]])


Q3 = [[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]]
ONE_HOT = [[1, 0, 0], [0, 1, 0]]


def multinomial(rows: Any, q: Any) -> Any:
    """As the page says, whatever SciPy warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return -stats.multinomial.logpmf(rows, 1, q)


@cell(
    "categorical-probabilities / call",
    "categorical-probabilities / takes",
    "categorical-probabilities / reduction",
)
def _() -> None:
    near(silent(multinomial, ONE_HOT, Q3), [LOG_2, -math.log(0.6)])
    first(stats.multinomial.logpmf, "x", "n", "p")


@cell("categorical-probabilities / the other kind given")
def _() -> None:
    near(multinomial(ONE_HOT, np.log(Q3)), [NAN, NAN])


@cell("categorical-probabilities / labels")
def _() -> None:
    near(multinomial([[0.5, 0.5, 0]], Q3[:1]), [INF])
    refuses(ValueError, multinomial, [0, 1], Q3)
    near(silent(multinomial, [0, 1], [[0.5, 0.5], [0.1, 0.9]]), [LOG_2, -math.log(0.9)])


@cell("categorical-probabilities / classes that do not occur in y")
def _() -> None:
    near(multinomial(ONE_HOT[:1] * 2, Q3), [LOG_2, -math.log(0.1)])


@cell("categorical-probabilities / weights")
def _() -> None:
    refuses(TypeError, lambda: stats.multinomial.logpmf(ONE_HOT, 1, Q3, weights=[1, 1]))


@cell(
    "categorical-probabilities / ignored labels",
    "categorical-probabilities / labels outside the classes",
)
def _() -> None:
    near(multinomial([[0, 0, 0], [1, 1, 0]], Q3), [INF, INF])


@cell(
    "categorical-probabilities / p = 0 for what happened",
    "categorical-probabilities / a perfect prediction",
)
def _() -> None:
    near(multinomial([[0, 1], [1, 0]], [1, 0]), [INF, 0])


@cell("categorical-probabilities / rows that do not sum to 1")
def _(last: str) -> None:
    rows, q = np.eye(3, dtype=int), [0.5, 0.25, 0.3]
    if NaN_FROM_118:
        near(multinomial(rows, q), [NAN] * 3)
    else:
        loss = warns(lambda: -stats.multinomial.logpmf(rows, 1, q), "1.18", FutureWarning)
        near(loss, -np.log([0.5, 0.25, 0.25]))
    reads(last, math.log(4))


@cell("categorical-probabilities / no row counted")
def _() -> None:
    shape(multinomial(np.empty((0, 3)), np.empty((0, 3))), 0)


@cell("categorical-probabilities / labels of shape (n, 1)")
def _() -> None:
    refuses(ValueError, multinomial, [[0], [1]], Q3)


@cell("categorical-probabilities / a NaN among the probabilities")
def _() -> None:
    for odd in ([NAN, 0.5, 0.5], [0.5, NAN, 0.5], [0.5, 0.5, NAN]):
        near(multinomial(ONE_HOT, [odd, Q3[1]]), [NAN, -math.log(0.6)])


# --- Yes or no -----------------------------------------------------------------------------------


@cell("bernoulli-logits / call", "bernoulli-logits / reduction")
def _() -> None:
    z = np.array([2.0, -3])
    near(-special.log_expit(z), np.log1p(np.exp(-z)))
    near(-special.log_expit(-z), np.log1p(np.exp(z)))
    near(special.softplus([-z, z]), -special.log_expit([z, -z]))


@cell(
    "bernoulli-logits / kinds of label",
    "bernoulli-logits / weight of the ones",
    "bernoulli-logits / row weights",
    "bernoulli-logits / smoothing, ignored labels",
    "bernoulli-logits / labels outside [0, 1]",
    "bernoulli-logits / (n, 1) against (n,)",
)
def one_argument() -> None:
    assert special.log_expit.nin == 1
    refuses(TypeError, lambda: special.log_expit(COLUMN, np.zeros(2), np.zeros(2)))
    assert not [name for name in cell.names if "cross_entropy" in name]


@cell("bernoulli-logits / several yes-or-no labels a row")
def _() -> None:
    near(-special.log_expit(np.zeros((2, 3))), np.full((2, 3), LOG_2))


@cell("bernoulli-logits / infinite logits")
def _() -> None:
    near(-special.log_expit([INF, -INF]), [0, INF])


@cell("bernoulli-logits / probabilities given as logits")
def _(one: str, zero: str) -> None:
    best = silent(lambda: -special.log_expit([1.0, -0.0]))
    near(best, [math.log1p(math.exp(-1)), LOG_2])
    reads(one, best[0])
    reads(zero, best[1])


@cell("bernoulli-logits / a confident row")
def _(loss: str) -> None:
    got = -special.log_expit(40.0)
    near(got, math.exp(-40), 1e-12)
    reads(loss, got)


@cell("bernoulli-logits / empty batch")
def _() -> None:
    shape(special.log_expit([]), 0)


@cell(
    "bernoulli-probabilities / call",
    "bernoulli-probabilities / whose probability",
    "bernoulli-probabilities / reduction",
)
def _() -> None:
    near(-stats.bernoulli.logpmf([1, 0], 0.2), [-math.log(0.2), -math.log(0.8)])


@cell("bernoulli-probabilities / labels between 0 and 1")
def _() -> None:
    assert stats.bernoulli.logpmf(0.25, 0.2) == -INF


@cell("bernoulli-probabilities / labels and probabilities outside [0, 1]")
def _() -> None:
    assert stats.bernoulli.logpmf(2, 0.2) == -INF
    near(stats.bernoulli.logpmf([0, 1], 1.2), [NAN, NAN])


@cell("bernoulli-probabilities / weights")
def _() -> None:
    refuses(TypeError, lambda: stats.bernoulli.logpmf([1], 0.2, weight=1))
    refuses(TypeError, lambda: stats.bernoulli.logpmf([1], 0.2, sample_weight=1))


@cell("bernoulli-probabilities / p = 0 for a 1")
def _() -> None:
    near(-stats.bernoulli.logpmf([1, 0], 0), [INF, 0])


@cell("bernoulli-probabilities / sigmoid first, then this")
def _(right: str) -> None:
    p = special.expit(np.float32(right))
    assert p == 1
    assert -stats.bernoulli.logpmf(0, p) == INF


@cell("bernoulli-probabilities / logits given as probabilities")
def _() -> None:
    for z in (-0.5, 2.0):
        near(silent(stats.bernoulli.logpmf, 1, z), NAN)


@cell("bernoulli-probabilities / (n, 1) against (n,)")
def _() -> None:
    loss = silent(lambda: -stats.bernoulli.logpmf([[1], [0]], [0.2, 0.7]))
    near(loss, -np.log([[0.2, 0.7], [0.8, 0.3]]))


@cell("bernoulli-probabilities / one class only")
def _() -> None:
    near(-stats.bernoulli.logpmf([1, 1], 0.5), [LOG_2, LOG_2])


@cell("bernoulli-probabilities / empty batch")
def _() -> None:
    shape(stats.bernoulli.logpmf([], 0.5), 0)


@cell("bernoulli-probabilities / a NaN among the probabilities")
def _() -> None:
    near(-stats.bernoulli.logpmf([1, 1], [NAN, 0.5]), [NAN, LOG_2])


# --- Numbers -------------------------------------------------------------------------------------


@cell("gaussian / call", "gaussian / spread", "gaussian / constant", "gaussian / reduction")
def _() -> None:
    expected = [math.log(2) + r**2 / 8 + HALF_LOG_2PI for r in (3, 1)]
    near(-stats.norm.logpdf([4, 2], 1, 2), expected)
    near(stats.norm.nnlf((1, 2), [4, 2]), sum(expected))
    near(-stats.multivariate_normal.logpdf([4, 2], 1, 4), expected)


@cell("gaussian / small variances")
def _() -> None:
    near(-stats.norm.logpdf(0, 0, 1e-9), math.log(1e-9) + HALF_LOG_2PI)


@cell("gaussian / gradient below the floor", "absolute-error / gradient at the kink")
def _() -> None:
    assert not [name for one in (stats.norm, stats.laplace) for name in dir(one) if "grad" in name]


@cell("gaussian / spread 0 or negative")
def _() -> None:
    for std in (0, -1):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            near(stats.norm.logpdf(1, 0, std), NAN)
        assert stats.norm.nnlf((0, std), [1.0]) == INF


@cell("gaussian / weights")
def _() -> None:
    refuses(TypeError, lambda: stats.norm.logpdf([1.0], 0, 1, weights=[1]))
    refuses(TypeError, lambda: stats.norm.nnlf((0, 1), [1.0], weights=[1]))


@cell("gaussian / (n, 1) against (n,)")
def _() -> None:
    loss = silent(lambda: -stats.norm.logpdf(COLUMN, [10, 20], 1) - HALF_LOG_2PI)
    near(loss, [[0.5 * 9**2, 0.5 * 19**2], [0.5 * 8**2, 0.5 * 18**2]])


@cell("gaussian / empty batch")
def _() -> None:
    assert stats.norm.nnlf((0, 1), []) == 0


@cell("gaussian / a NaN among the data")
def _() -> None:
    near(-stats.norm.logpdf([NAN, 0], 0, 1), [NAN, HALF_LOG_2PI])
    assert stats.norm.nnlf((0, 1), [NAN, 0]) == INF


@cell("gaussian / the estimate from data")
def _() -> None:
    near(stats.norm.fit([1, 2, 6]), (3, math.sqrt((4 + 1 + 9) / 3)))
    near(np.std([1, 2, 6]), math.sqrt((4 + 1 + 9) / 3))
    near(stats.tstd([1, 2, 6]), math.sqrt((4 + 1 + 9) / 2))


@cell("absolute-error / call", "absolute-error / scale and constant", "absolute-error / reduction")
def _() -> None:
    near(-stats.laplace.logpdf([4, 0], 1, 2), [3 / 2 + math.log(4), 1 / 2 + math.log(4)])


@cell("absolute-error / weights")
def _() -> None:
    refuses(TypeError, lambda: stats.laplace.logpdf([1.0], 0, 1, weights=[1]))


@cell("absolute-error / (n, 1) against (n,)")
def _() -> None:
    loss = silent(lambda: -stats.laplace.logpdf(COLUMN, [0, 0]) - LOG_2)
    near(loss, [[1, 1], [2, 2]])


@cell("absolute-error / empty batch")
def _() -> None:
    shape(stats.laplace.logpdf([], 0, 1), 0)


@cell("absolute-error / a NaN among the data")
def _() -> None:
    near(-stats.laplace.logpdf([NAN, 1], 0, 1), [NAN, 1 + LOG_2])


@cell(
    "huber / call",
    "huber / beyond delta",
    "huber / scale and normalising constant",
    "huber / reduction",
)
def _() -> None:
    near(special.huber(2, [1.5, -5]), [0.5 * 1.5**2, 2 * 5 - 0.5 * 2**2])


@cell("huber / default of delta", "huber / weights", "huber / (n, 1) against (n,)")
def _() -> None:
    assert special.huber.nin == 2  # δ and the residuals, and nothing else
    refuses(TypeError, lambda: special.huber([1.0]))


@cell("huber / delta 0 or negative")
def _() -> None:
    near(special.huber([-1, 0], 5), [INF, 0])


@cell("huber / empty batch", "huber / a NaN among the data")
def _() -> None:
    shape(special.huber(1, []), 0)
    near(special.huber(1, [NAN, 5]), [NAN, 4.5])


def asymmetric(y: Any, loc: Any, scale: float, q: float) -> Any:
    """As the page says."""
    kappa, s = math.sqrt(q / (1 - q)), scale / math.sqrt(q * (1 - q))
    return -stats.laplace_asymmetric.logpdf(y, kappa, loc, s)


@cell("quantile / call", "quantile / scale and constant")
def _() -> None:
    constant = LOG_2 - math.log(0.75 * 0.25)
    near(asymmetric([4, -2], 1, 2, 0.75), [constant + one * 3 / 2 for one in (0.75, 0.25)])


@cell("quantile / too low a prediction costs")
def _() -> None:
    near(-np.diff(stats.laplace_asymmetric.logpdf([1, 2, 3], 3.0)), [3, 3])
    near(-np.diff(stats.laplace_asymmetric.logpdf([-1, -2, -3], 3.0)), [1 / 3, 1 / 3])


@cell("quantile / q = 0 or 1")
def _() -> None:
    with np.errstate(invalid="ignore"):
        for kappa in (0.0, INF):  # q = 0 and q = 1
            near(stats.laplace_asymmetric.logpdf(1, kappa, 0, INF), NAN)


@cell("quantile / reduction, weights")
def _() -> None:
    shape(stats.laplace_asymmetric.logpdf([1, 2], 1.0), 2)
    refuses(TypeError, lambda: stats.laplace_asymmetric.logpdf([1], 1.0, weights=[1]))


@cell("quantile / (n, 1) against (n,)")
def _() -> None:
    shape(silent(lambda: asymmetric(COLUMN, np.zeros(2), 1, 0.75)), 2, 2)


@cell("quantile / empty batch", "quantile / a NaN among the data")
def _() -> None:
    shape(asymmetric([], 0, 1, 0.75), 0)
    near(asymmetric([NAN, 0], 0, 1, 0.5), [NAN, LOG_2 + LOG_2])


@cell(
    "poisson / call",
    "poisson / rate or its logarithm",
    "poisson / the constant log y!",
    "poisson / reduction",
)
def _() -> None:
    expected = [2 - y * LOG_2 + math.log(math.factorial(y)) for y in (0, 2, 30)]
    near(-stats.poisson.logpmf([0, 2, 30], 2), expected, 1e-12)


@cell("poisson / rate 0")
def _() -> None:
    near(-stats.poisson.logpmf([0, 1], 0), [0, INF])


@cell("poisson / y that is no count")
def _() -> None:
    near(-stats.poisson.logpmf([1.5, -1], 2), [INF, INF])


@cell("poisson / weights")
def _() -> None:
    refuses(TypeError, lambda: stats.poisson.logpmf([1], 2, weights=[1]))


@cell("poisson / (n, 1) against (n,)")
def _() -> None:
    near(silent(lambda: -stats.poisson.logpmf([[0], [1]], [1, 1])), [[1, 1], [1, 1]])


@cell("poisson / empty batch", "poisson / a NaN among the counts")
def _() -> None:
    shape(stats.poisson.logpmf([], 1), 0)
    near(-stats.poisson.logpmf([NAN, 1], 1), [NAN, 1])


@cell("student-t / call", "student-t / normalising constant", "student-t / reduction")
def _() -> None:
    constant = math.log(math.sqrt(3 * math.pi) * math.gamma(1.5) / math.gamma(2))
    expected = [2 * math.log(1 + z**2 / 3) + math.log(2) + constant for z in (1.5, 0)]
    near(-stats.t.logpdf([4, 1], 3, 1, 2), expected)


@cell("student-t / infinite degrees of freedom")
def _() -> None:
    near(stats.t.logpdf([0, 1], INF), stats.norm.logpdf([0, 1]))


@cell("student-t / degrees of freedom or scale 0 or negative")
def _() -> None:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        near([stats.t.logpdf(1, df) for df in (0, -1)], [NAN, NAN])
        near([stats.t.logpdf(1, 3, 0, scale) for scale in (0, -1)], [NAN, NAN])


@cell("student-t / (n, 1) against (n,)")
def _() -> None:
    shape(silent(lambda: stats.t.logpdf(COLUMN, 3, np.zeros(2))), 2, 2)


@cell("student-t / empty batch", "student-t / a NaN among the data")
def _() -> None:
    shape(stats.t.logpdf([], 3), 0)
    near(stats.t.logpdf([NAN, 1], 3), [NAN, stats.t.logpdf(1, 3)])


# --- Between distributions -----------------------------------------------------------------------


@cell("kl-divergence / call", "kl-divergence / takes")
def _() -> None:
    near(stats.entropy(P, Q, axis=-1), KL)
    near(special.rel_entr(P, Q).sum(axis=1), KL)
    near(special.kl_div(P, Q).sum(axis=1), KL)


@cell("kl-divergence / the terms")
def _() -> None:
    near(special.rel_entr(P, Q), TERMS)
    assert special.rel_entr(P, Q).min() < 0
    near(special.kl_div(P, Q), np.array(TERMS) - P + Q)
    assert special.kl_div(P, Q).min() >= 0


@cell("kl-divergence / reduction")
def _() -> None:
    p, q = np.array(P), np.array(Q)
    columns = stats.entropy(p, q)
    near(columns, stats.entropy(p.T, q.T, axis=1))
    p0, q0 = p[:, 0] / p[:, 0].sum(), q[:, 0] / q[:, 0].sum()
    near(columns[0], (p0 * np.log(p0 / q0)).sum())


@cell("kl-divergence / p = 0")
def _() -> None:
    near(stats.entropy([0, 1], [0.25, 0.75]), math.log(4 / 3))
    near(special.rel_entr([0, 1], [0.25, 0.75]), [0, math.log(4 / 3)])
    near(special.kl_div(0, [0.25, 0.75]), [0.25, 0.75])


@cell("kl-divergence / q = 0 where p > 0")
def _() -> None:
    near([stats.entropy([0.5, 0.5], [0, 1]), special.rel_entr(0.5, 0)], [INF, INF])
    assert special.kl_div(0.5, 0) == INF


@cell("kl-divergence / p = q = 0")
def _() -> None:
    near([stats.entropy([0, 1], [0, 1]), special.rel_entr(0, 0), special.kl_div(0, 0)], [0] * 3)


@cell("kl-divergence / rows that do not sum to 1")
def _() -> None:
    near(silent(lambda: stats.entropy(2 * np.array(P), 3 * np.array(Q), axis=1)), KL)
    near(special.rel_entr(2, 0.5), 2 * math.log(4))


@cell("kl-divergence / the other kind given")
def _() -> None:
    logs = np.log(Q[0])
    taken_for = logs / logs.sum()
    loss = silent(lambda: stats.entropy(P[0], logs))
    near(loss, sum(p * math.log(p / q) for p, q in zip(P[0], taken_for, strict=True)))
    near(special.rel_entr(P[0], logs), [INF, INF])


@cell("kl-divergence / different shapes")
def _() -> None:
    near(silent(lambda: stats.entropy(P[0], Q, axis=1)), [KL[0], 0])
    shape(special.rel_entr(P[0], Q), 2, 2)


@cell("kl-divergence / p and q nearly equal")
def _() -> None:
    p, q = np.array([0.1, 0.2, 0.7]), np.array([0.1 + 1e-9, 0.2, 0.7 - 1e-9])
    exact = 0.5 * 1e-18 * (1 / 0.1 + 1 / 0.7)
    assert -1e-15 < stats.entropy(p, q) < 0
    assert abs(special.kl_div(p, q).sum() / exact - 1) > 0.5


@cell("kl-divergence / no row")
def _() -> None:
    nothing = np.empty((0, 2))
    shape(stats.entropy(nothing, nothing, axis=-1), 0)
    near(stats.entropy(nothing, nothing), [0, 0])


@cell("kl-divergence / integers")
def _() -> None:
    near(stats.entropy([0, 1], [1, 3]), math.log(4 / 3))
    near(special.rel_entr([0, 1], [0.25, 0.75]), [0, math.log(4 / 3)])


@cell("entropy / call", "entropy / unit")
def _() -> None:
    near(stats.entropy(P, axis=1), ENTROPIES)
    near(special.entr(P).sum(axis=1), ENTROPIES)
    near(stats.entropy([0.5, 0.25, 0.25], base=2), 1.5)


@cell("entropy / axis")
def _() -> None:
    columns = [[0.5, 0.1, 0.5], [0.5, 0.9, 0.5]]
    near(stats.entropy(columns), [LOG_2, ENTROPIES[1], LOG_2])


@cell("entropy / rows that do not sum to 1")
def _() -> None:
    near(silent(lambda: stats.entropy([2, 1, 1], base=2)), 1.5)
    near(silent(special.entr, [2.0, 1.0]), [-2 * LOG_2, 0])


@cell("entropy / no row")
def _() -> None:
    shape(stats.entropy(np.empty((0, 2)), axis=-1), 0)
    near(stats.entropy(np.empty((0, 2))), [0, 0])


@cell("entropy / log-probabilities given")
def _(got: str, right: str) -> None:
    logs = np.log([0.1, 0.9])
    shares = logs / logs.sum()
    near(silent(stats.entropy, logs), -(shares * np.log(shares)).sum())
    reads(got, stats.entropy(logs))
    reads(right, ENTROPIES[1])
    near(special.entr(logs), [-INF, -INF])


@cell("entropy / p = 0")
def _() -> None:
    assert stats.entropy([0, 1]) == 0
    assert special.entr(0) == 0


@cell("entropy / negative probabilities")
def _() -> None:
    near([stats.entropy([-0.5, 1.5]), special.entr(-0.5)], [-INF, -INF])


@cell("entropy / of a density")
def _() -> None:
    near(stats.norm(0, 0.01).entropy(), 0.5 + HALF_LOG_2PI + math.log(0.01))
    assert stats.norm(0, 0.01).entropy() < 0
