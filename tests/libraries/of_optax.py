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


def a(numbers: Any) -> Any:
    return jnp.array(numbers, dtype=jnp.float32)


Z, Y, ONE_HOT = a(ROWS), jnp.array(LABELS), a([[1, 0, 0], [0, 1, 0]])
COLUMN, ROW = a([[1], [2]]), a([0, 0])
LOG_Q, TARGET = jnp.log(a(Q)), a(P)


@cell("categorical-logits / call", "categorical-logits / reduction")
def _() -> None:
    near(optax.softmax_cross_entropy_with_integer_labels(Z, Y), LOSSES)
    near(optax.softmax_cross_entropy(Z, ONE_HOT), LOSSES)
    near(optax.softmax_cross_entropy(a([[0, 0]]), a([[0.3, 0.7]])), [LOG_2])
    for function in (optax.softmax_cross_entropy_with_integer_labels, optax.softmax_cross_entropy):
        first(function, "logits", "labels")
        lacks(function, "reduc")


@cell("categorical-logits / class axis")
def _() -> None:
    near(optax.softmax_cross_entropy_with_integer_labels(Z.T, Y, axis=0), LOSSES)
    near(optax.softmax_cross_entropy(Z.T, ONE_HOT.T, axis=0), LOSSES)
    shape(
        optax.softmax_cross_entropy_with_integer_labels(
            jnp.zeros((2, 3, 5)), jnp.zeros((2, 3), int)
        ),
        2,
        3,
    )


@cell("categorical-logits / kinds of label")
def _() -> None:
    refuses(TypeError, lambda: optax.softmax_cross_entropy_with_integer_labels(Z, Y.astype(float)))
    refuses(TypeError, lambda: optax.softmax_cross_entropy_with_integer_labels(Z.astype(int), Y))
    square = a([[2, 0], [0, 3]])
    twice = silent(lambda: optax.softmax_cross_entropy(square, jnp.array([0, 1])))
    near(twice, [math.log1p(math.exp(2)), math.log1p(math.exp(-3))])
    one, two = LOSSES[0], LOSSES[1]
    near(silent(lambda: optax.softmax_cross_entropy(Z, jnp.array([0, 1, 0]))), [one + 2, two])
    near(
        silent(lambda: optax.softmax_cross_entropy(Z, Y[:, None])), [0, (two + 1) + two + (two - 2)]
    )


@cell(
    "categorical-logits / class weights",
    "categorical-logits / class weights, distributions",
    "categorical-logits / row weights",
    "categorical-logits / smoothing, class weights",
    "categorical-logits / smoothing, ignored labels",
)
def _() -> None:
    for function in (optax.softmax_cross_entropy_with_integer_labels, optax.softmax_cross_entropy):
        lacks(function, "weight", "smooth", "ignore")


@cell("categorical-logits / ignored labels")
def _(label: str) -> None:
    lacks(optax.softmax_cross_entropy_with_integer_labels, "ignore")
    finite_slope_of_nan(int(label))
    near(
        optax.softmax_cross_entropy_with_integer_labels(Z, jnp.array([0, int(label)])),
        [LOSSES[0], NAN],
    )


def finite_slope_of_nan(label: int) -> None:
    """The loss of the label is NaN, and its gradient in the logits the softmax."""
    loss = optax.softmax_cross_entropy_with_integer_labels
    near(loss(a([0, 0, 0]), jnp.array(label)), NAN)
    near(jax.grad(loss)(a([0, 0, 0]), jnp.array(label)), [1 / 3] * 3)


@cell("categorical-logits / one column of logits")
def _() -> None:
    z = a([[2], [-1]])
    for label in (0.0, 1.0):
        near(silent(lambda f: optax.softmax_cross_entropy(z, a([[f], [f]])), label), [0, 0])
    labels = jnp.array([0, 1])
    near(optax.softmax_cross_entropy_with_integer_labels(z, labels), [0, NAN])


@cell("categorical-logits / no row counted")
def _() -> None:
    shape(optax.softmax_cross_entropy_with_integer_labels(Z[:0], Y[:0]), 0)
    near(optax.softmax_cross_entropy_with_integer_labels(Z[:0], Y[:0]).mean(), NAN)


@cell("categorical-logits / smoothing")
def _() -> None:
    near(optax.smooth_labels(a([[1, 0, 0]]), 0.3), [[0.8, 0.1, 0.1]])
    near(optax.smooth_labels(a([[1, 0, 0]]), 1.5), [[0, 0.5, 0.5]])
    refuses(TypeError, lambda: optax.smooth_labels(jnp.array([[1, 0, 0]]), 0.3))
    lacks(optax.softmax_cross_entropy, "smooth")


@cell("categorical-logits / logits of minus infinity")
def _() -> None:
    z, target, expected = a([[0, -INF, 1]]), a([[0.5, 0, 0.5]]), math.log(1 + math.e)
    near(optax.softmax_cross_entropy_with_integer_labels(z, jnp.array([0])), [expected])
    near(optax.softmax_cross_entropy_with_integer_labels(z, jnp.array([1])), [INF])
    near(optax.softmax_cross_entropy_with_integer_labels(a([[-INF, -INF]]), jnp.array([0])), [NAN])
    near(optax.softmax_cross_entropy(z, target), [NAN])
    near(optax.safe_softmax_cross_entropy(z, target), [expected - 0.5])


@cell("categorical-logits / labels outside the classes")
def _() -> None:
    near(
        silent(lambda: optax.softmax_cross_entropy_with_integer_labels(Z, jnp.array([0, 3]))),
        [LOSSES[0], NAN],
    )
    near(
        silent(lambda: optax.softmax_cross_entropy_with_integer_labels(Z, jnp.array([0, -1]))),
        [LOSSES[0], LOSSES[1] - 2],
    )

    finite_slope_of_nan(3)


@cell("categorical-logits / labels of shape (n, 1)")
def _() -> None:
    refuses(ValueError, lambda: optax.softmax_cross_entropy_with_integer_labels(Z, Y[:, None]))
    shape(silent(lambda: optax.softmax_cross_entropy(Z, Y[:, None])), 2)


@cell("categorical-logits / targets that do not sum to 1")
def _() -> None:
    near(silent(lambda: optax.softmax_cross_entropy(0 * Z, 2 * ONE_HOT)), [2 * LOG_3] * 2)


@cell("categorical-logits / probabilities given as logits")
def _(floor: str) -> None:
    best = silent(
        lambda: optax.softmax_cross_entropy_with_integer_labels(jnp.eye(10), jnp.arange(10))
    )
    near(best, [math.log(math.e + 9) - 1] * 10)
    reads(floor, best[0])


@cell("categorical-logits / log-probabilities given as logits")
def _() -> None:
    near(optax.softmax_cross_entropy_with_integer_labels(jax.nn.log_softmax(Z), Y), LOSSES)


@cell("categorical-logits / log of softmax, in two steps")
def _(gap: str) -> None:
    z = a([[0, -float(gap)]])
    assert jnp.log(jax.nn.softmax(z))[0, 1] == -INF
    assert optax.softmax_cross_entropy_with_integer_labels(z, jnp.array([1]))[0] == float(gap)


@cell("categorical-logits / a confident row")
def _() -> None:
    assert optax.softmax_cross_entropy_with_integer_labels(a([[40, 0]]), jnp.array([0]))[0] == 0


@cell("categorical-logits / a NaN among the logits")
def _() -> None:
    near(
        optax.softmax_cross_entropy_with_integer_labels(a([[NAN, 0, 0], ROWS[1]]), Y),
        [NAN, LOSSES[1]],
    )


@cell("bernoulli-logits / call", "bernoulli-logits / reduction")
def _() -> None:
    near(
        optax.sigmoid_binary_cross_entropy(a([2, 1]), a([1, 0])),
        [math.log1p(math.exp(-2)), math.log1p(math.e)],
    )
    first(optax.sigmoid_binary_cross_entropy, "logits", "labels")
    lacks(optax.sigmoid_binary_cross_entropy, "reduc")


@cell("bernoulli-logits / kinds of label")
def _() -> None:
    soft = math.log1p(math.exp(2)) - 0.25 * 2
    near(
        optax.sigmoid_binary_cross_entropy(a([2, 2]), a([0.25, 0])), [soft, math.log1p(math.exp(2))]
    )
    near(optax.sigmoid_binary_cross_entropy(a([2]), jnp.array([1])), [math.log1p(math.exp(-2))])


@cell("bernoulli-logits / several yes-or-no labels a row")
def _() -> None:
    near(optax.sigmoid_binary_cross_entropy(jnp.zeros((2, 3)), jnp.ones((2, 3))), [[LOG_2] * 3] * 2)


@cell(
    "bernoulli-logits / weight of the ones",
    "bernoulli-logits / row weights",
    "bernoulli-logits / smoothing, ignored labels",
)
def _() -> None:
    lacks(optax.sigmoid_binary_cross_entropy, "weight", "smooth", "ignore")


@cell("bernoulli-logits / labels outside [0, 1]")
def _() -> None:
    loss = silent(lambda: optax.sigmoid_binary_cross_entropy(a([0.5, -1]), a([2, -1])))
    near(loss, [math.log1p(math.exp(0.5)) - 1, math.log1p(math.exp(-1)) - 1])
    assert loss.max() < 0


@cell("bernoulli-logits / infinite logits")
def _() -> None:
    near(
        optax.sigmoid_binary_cross_entropy(a([INF, -INF, INF, -INF]), a([1, 0, 0, 1])),
        [NAN, NAN, INF, INF],
    )


@cell("bernoulli-logits / probabilities given as logits")
def _(one: str, zero: str) -> None:
    best = silent(lambda: optax.sigmoid_binary_cross_entropy(a([1, 0]), a([1, 0])))
    near(best, [math.log1p(math.exp(-1)), LOG_2])
    reads(one, best[0])
    reads(zero, best[1])


@cell("bernoulli-logits / (n, 1) against (n,)")
def _() -> None:
    near(
        silent(lambda: optax.sigmoid_binary_cross_entropy(0 * COLUMN, a([1, 0]))), [[LOG_2] * 2] * 2
    )


@cell("bernoulli-logits / a confident row")
def _(loss: str) -> None:
    got = optax.sigmoid_binary_cross_entropy(a([40, -40]), a([1, 0]))
    near(got, [math.exp(-40)] * 2, 1e-6)
    reads(loss, got[0])


@cell("bernoulli-logits / empty batch")
def _() -> None:
    shape(optax.sigmoid_binary_cross_entropy(a([]), a([])), 0)


@cell("squared-error / call", "squared-error / factor one half", "squared-error / reduction")
def _() -> None:
    near(optax.squared_error(a([0, 0]), a([1, 3])), [1, 9])
    near(optax.l2_loss(a([0, 0]), a([1, 3])), [0.5, 4.5])
    near(optax.squared_error(a([1, 3])), [1, 9])
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


@cell("squared-error / integers")
def _() -> None:
    refuses(TypeError, lambda: optax.squared_error(Y, ROW))
    near(optax.squared_error(ROW, Y), [0, 1])


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


@cell("huber / empty batch")
def _() -> None:
    shape(optax.huber_loss(a([]), a([])), 0)


@cell("huber / a NaN among the data")
def _() -> None:
    near(optax.huber_loss(ROW, a([NAN, 5])), [NAN, 4.5])


@cell("kl-divergence / call", "kl-divergence / takes", "kl-divergence / reduction")
def _() -> None:
    near(optax.kl_divergence(LOG_Q, TARGET), KL)
    near(losses.kl_divergence_with_log_targets(LOG_Q, jnp.log(TARGET)), KL)
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
    near(losses.kl_divergence_with_log_targets(LOG_Q, jnp.log(ZERO)), [NAN, NAN])
    generalized = losses.generalized_kl_divergence(LOG_Q[0][:1], a([0]))
    near(generalized, Q[0][0])


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


@cell("kl-divergence / integers")
def _() -> None:
    refuses(TypeError, lambda: optax.kl_divergence(LOG_Q, jnp.array([[1, 0], [0, 1]])))


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
