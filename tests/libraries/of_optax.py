"""What Optax does: a test for every cell of its columns in chapters/other-libraries.yml."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from optax import losses

from tests.libraries.cells import (
    INF,
    KL,
    LABELS,
    LOG_2,
    LOG_3,
    LOSSES,
    NAN,
    ROWS,
    TERMS,
    Cells,
    P,
    Q,
    default,
    first,
    lacks,
    near,
    reads,
    refuses,
    shape,
    silent,
)

cell = Cells([optax, losses])

by_index = optax.softmax_cross_entropy_with_integer_labels
by_target = optax.softmax_cross_entropy
binary = optax.sigmoid_binary_cross_entropy


def a(numbers: Any) -> Any:
    return jnp.array(numbers, dtype=jnp.float32)


Z, Y, ONE_HOT = a(ROWS), jnp.array(LABELS), a([[1, 0, 0], [0, 1, 0]])
COLUMN, ROW = a([[1], [2]]), a([0, 0])
LOG_Q, TARGET = jnp.log(a(Q)), a(P)


@cell("categorical-logits / call", "categorical-logits / reduction")
def _() -> None:
    near(by_index(Z, Y), LOSSES)
    near(by_target(Z, ONE_HOT), LOSSES)
    near(by_target(a([[0, 0]]), a([[0.3, 0.7]])), [LOG_2])
    for function in (by_index, by_target):
        first(function, "logits", "labels")
        lacks(function, "reduc")


@cell("categorical-logits / class axis")
def _() -> None:
    near(by_index(Z.T, Y, axis=0), LOSSES)
    shape(by_index(jnp.zeros((2, 3, 5)), jnp.zeros((2, 3), int)), 2, 3)


@cell("categorical-logits / kinds of label")
def _() -> None:
    refuses(TypeError, lambda: by_index(Z, Y.astype(float)))
    refuses(TypeError, lambda: by_index(Z.astype(int), Y))
    one, two = LOSSES[0], LOSSES[1]
    near(silent(lambda: by_target(Z, jnp.array([0, 1, 0]))), [one + 2, two])
    near(silent(lambda: by_target(Z, Y[:, None])), [0, (two + 1) + two + (two - 2)])


@cell(
    "categorical-logits / class weights",
    "categorical-logits / class weights, distributions",
    "categorical-logits / row weights",
    "categorical-logits / smoothing, class weights",
    "categorical-logits / smoothing, ignored labels",
)
def _() -> None:
    for function in (by_index, by_target):
        lacks(function, "weight", "smooth", "ignore")


@cell("categorical-logits / ignored labels")
def _(label: str) -> None:
    lacks(by_index, "ignore")
    near(by_index(Z, jnp.array([0, int(label)])), [LOSSES[0], NAN])


@cell("categorical-logits / no row counted")
def _() -> None:
    shape(by_index(Z[:0], Y[:0]), 0)
    near(by_index(Z[:0], Y[:0]).mean(), NAN)


@cell("categorical-logits / smoothing")
def _() -> None:
    near(optax.smooth_labels(a([[1, 0, 0]]), 0.3), [[0.8, 0.1, 0.1]])
    near(optax.smooth_labels(a([[1, 0, 0]]), 1.5), [[0, 0.5, 0.5]])
    lacks(by_target, "smooth")


@cell("categorical-logits / logits of minus infinity")
def _() -> None:
    z, target, expected = a([[0, -INF, 1]]), a([[0.5, 0, 0.5]]), math.log(1 + math.e)
    near(by_index(z, jnp.array([0])), [expected])
    near(by_index(z, jnp.array([1])), [INF])
    near(by_index(a([[-INF, -INF]]), jnp.array([0])), [NAN])
    near(by_target(z, target), [NAN])
    near(optax.safe_softmax_cross_entropy(z, target), [expected - 0.5])


@cell("categorical-logits / labels outside the classes")
def _() -> None:
    near(silent(lambda: by_index(Z, jnp.array([0, 3]))), [LOSSES[0], NAN])
    near(silent(lambda: by_index(Z, jnp.array([0, -1]))), [LOSSES[0], LOSSES[1] - 2])


@cell("categorical-logits / labels of shape (n, 1)")
def _() -> None:
    refuses(ValueError, lambda: by_index(Z, Y[:, None]))
    shape(by_target(Z, Y[:, None]), 2)


@cell("categorical-logits / targets that do not sum to 1")
def _() -> None:
    near(silent(lambda: by_target(0 * Z, 2 * ONE_HOT)), [2 * LOG_3] * 2)


@cell("categorical-logits / probabilities given as logits")
def _(floor: str) -> None:
    best = silent(lambda: by_index(jnp.eye(10), jnp.arange(10)))
    near(best, [math.log(math.e + 9) - 1] * 10)
    reads(floor, best[0])


@cell("categorical-logits / log-probabilities given as logits")
def _() -> None:
    near(by_index(jax.nn.log_softmax(Z), Y), LOSSES)


@cell("categorical-logits / log of softmax, in two steps")
def _(gap: str) -> None:
    z = a([[0, -float(gap)]])
    assert jnp.log(jax.nn.softmax(z))[0, 1] == -INF
    assert by_index(z, jnp.array([1]))[0] == float(gap)


@cell("categorical-logits / a confident row")
def _() -> None:
    assert by_index(a([[40, 0]]), jnp.array([0]))[0] == 0


@cell("categorical-logits / a NaN among the logits")
def _() -> None:
    near(by_index(a([[NAN, 0, 0], ROWS[1]]), Y), [NAN, LOSSES[1]])


@cell("bernoulli-logits / call", "bernoulli-logits / reduction")
def _() -> None:
    near(binary(a([2, 1]), a([1, 0])), [math.log1p(math.exp(-2)), math.log1p(math.e)])
    first(binary, "logits", "labels")
    lacks(binary, "reduc")


@cell("bernoulli-logits / kinds of label")
def _() -> None:
    soft = math.log1p(math.exp(2)) - 0.25 * 2
    near(binary(a([2, 2]), a([0.25, 0])), [soft, math.log1p(math.exp(2))])
    near(binary(a([2]), jnp.array([1])), [math.log1p(math.exp(-2))])


@cell("bernoulli-logits / several yes-or-no labels a row")
def _() -> None:
    near(binary(jnp.zeros((2, 3)), jnp.ones((2, 3))), [[LOG_2] * 3] * 2)


@cell(
    "bernoulli-logits / weight of the ones",
    "bernoulli-logits / row weights",
    "bernoulli-logits / smoothing, ignored labels",
)
def _() -> None:
    lacks(binary, "weight", "smooth", "ignore")


@cell("bernoulli-logits / labels outside [0, 1]")
def _() -> None:
    loss = silent(lambda: binary(a([0.5, -1]), a([2, -1])))
    near(loss, [math.log1p(math.exp(0.5)) - 1, math.log1p(math.exp(-1)) - 1])
    assert loss.max() < 0


@cell("bernoulli-logits / infinite logits")
def _() -> None:
    near(binary(a([INF, -INF, INF, -INF]), a([1, 0, 0, 1])), [NAN, NAN, INF, INF])


@cell("bernoulli-logits / probabilities given as logits")
def _(one: str, zero: str) -> None:
    best = silent(lambda: binary(a([1, 0]), a([1, 0])))
    near(best, [math.log1p(math.exp(-1)), LOG_2])
    reads(one, best[0])
    reads(zero, best[1])


@cell("bernoulli-logits / (n, 1) against (n,)")
def _() -> None:
    near(silent(lambda: binary(0 * COLUMN, a([1, 0]))), [[LOG_2] * 2] * 2)


@cell("bernoulli-logits / a confident row")
def _(loss: str) -> None:
    got = binary(a([40, -40]), a([1, 0]))
    near(got, [math.exp(-40)] * 2, 1e-6)
    reads(loss, got[0])


@cell("bernoulli-logits / empty batch")
def _() -> None:
    shape(binary(a([]), a([])), 0)


@cell("squared-error / call", "squared-error / factor one half", "squared-error / reduction")
def _() -> None:
    near(optax.squared_error(a([0, 0]), a([1, 3])), [1, 9])
    near(optax.l2_loss(a([0, 0]), a([1, 3])), [0.5, 4.5])
    first(optax.squared_error, "predictions", "targets")
    lacks(optax.squared_error, "reduc")


@cell("squared-error / weights")
def _() -> None:
    lacks(optax.squared_error, "weight")


@cell("squared-error / (n, 1) against (n,)")
def _() -> None:
    for function in (optax.squared_error, optax.l2_loss):
        for other in (COLUMN, 1.0):
            refuses(ValueError, lambda f=function, other=other: f(ROW, other))


@cell("squared-error / empty batch")
def _() -> None:
    shape(optax.squared_error(a([]), a([])), 0)


@cell("squared-error / a NaN among the data")
def _() -> None:
    near(optax.squared_error(ROW, a([NAN, 2])), [NAN, 4])


@cell(
    "huber / call",
    "huber / beyond delta",
    "huber / scale and normalising constant",
    "huber / reduction",
)
def _() -> None:
    expected = [0.5 * 1.5**2, 2 * 5 - 0.5 * 2**2]
    near(optax.huber_loss(ROW, a([1.5, -5]), delta=2.0), expected)
    near(optax.huber_loss(a([1.5, -5]), delta=2.0), expected)
    lacks(optax.huber_loss, "reduc", "scale")


@cell("huber / default of delta")
def _(delta: str) -> None:
    assert default(optax.huber_loss, "delta") == float(delta)
    near(optax.huber_loss(a([5])), [5 - 0.5])


@cell("huber / delta 0 or negative")
def _() -> None:
    near(silent(lambda: optax.huber_loss(ROW, a([1, 5]), delta=-1.0)), [-1.5, -5.5])
    near(silent(lambda: optax.huber_loss(ROW, a([1, 5]), delta=0.0)), [0, 0])


@cell("huber / weights")
def _() -> None:
    lacks(optax.huber_loss, "weight")


@cell("huber / (n, 1) against (n,)")
def _() -> None:
    near(silent(lambda: optax.huber_loss(ROW, COLUMN)), [[0.5, 0.5], [1.5, 1.5]])
    refuses(ValueError, lambda: optax.squared_error(ROW, COLUMN))


with_logs = losses.kl_divergence_with_log_targets


@cell("kl-divergence / call", "kl-divergence / takes", "kl-divergence / reduction")
def _() -> None:
    near(optax.kl_divergence(LOG_Q, TARGET), KL)
    near(with_logs(LOG_Q, jnp.log(TARGET)), KL)
    first(optax.kl_divergence, "log_predictions", "targets")
    lacks(optax.kl_divergence, "reduc")


@cell("kl-divergence / the terms")
def _() -> None:
    terms = optax.kl_divergence(LOG_Q.reshape(4, 1), TARGET.reshape(4, 1))
    near(terms, np.ravel(TERMS))
    assert terms.min() < 0
    twice = optax.losses.generalized_kl_divergence(LOG_Q, 2 * TARGET)
    near(twice, [2 * one + 2 * LOG_2 - 2 + 1 for one in KL])


ZERO = a([[0, 1], [1, 0]])


@cell("kl-divergence / p = 0")
def _() -> None:
    near(optax.kl_divergence(LOG_Q, ZERO), [math.log(4 / 3), LOG_2])
    near(with_logs(LOG_Q, jnp.log(ZERO)), [NAN, NAN])


@cell("kl-divergence / q = 0 where p > 0")
def _() -> None:
    near(optax.kl_divergence(jnp.log(ZERO[0]), a([0.5, 0.5])), INF)


@cell("kl-divergence / p = q = 0")
def _() -> None:
    near(optax.kl_divergence(jnp.log(ZERO[0]), ZERO[0]), NAN)


@cell("kl-divergence / rows that do not sum to 1")
def _() -> None:
    near(silent(lambda: optax.kl_divergence(LOG_Q, 2 * TARGET)), [2 * k + 2 * LOG_2 for k in KL])


@cell("kl-divergence / the other kind given")
def _() -> None:
    loss = silent(lambda: optax.kl_divergence(a(Q), TARGET))
    near(loss[0], -LOG_2 - 0.5 * (0.25 + 0.75))
    assert loss.max() < 0


@cell("kl-divergence / different shapes")
def _() -> None:
    near(silent(lambda: optax.kl_divergence(LOG_Q, TARGET[0])), [KL[0], 0])


@cell("kl-divergence / p and q nearly equal")
def _() -> None:
    p, q = a([0.1, 0.2, 0.7]), a([0.1 + 1e-9, 0.2, 0.7 - 1e-9])
    assert (p == q).all()
    assert abs(optax.kl_divergence(jnp.log(q), p)) < 1e-7


@cell("kl-divergence / no row")
def _() -> None:
    shape(optax.kl_divergence(LOG_Q[:0], TARGET[:0]), 0)


@cell("hinge-focal / hinge")
def _() -> None:
    near(optax.hinge_loss(a([0.5, 0.5]), a([-1, 1])), [1.5, 0.5])
    near(silent(lambda: optax.hinge_loss(a([-9, 0.5, 9]), a([0, 0, 0]))), [1, 1, 1])


@cell("hinge-focal / focal")
def _() -> None:
    p = 1 / (1 + math.exp(-1))
    expected = [-((1 - p) ** 2) * math.log(p), -(p**2) * math.log(1 - p)]
    near(optax.sigmoid_focal_loss(a([1, 1]), a([1, 0])), expected)
    near(optax.sigmoid_focal_loss(a([1]), a([1]), gamma=3.0), [-((1 - p) ** 3) * math.log(p)])
