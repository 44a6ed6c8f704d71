"""What scikit-learn does: a test for every cell of its columns in chapters/other-libraries.yml."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from sklearn import metrics

from tests.libraries.cells import (
    INF,
    LOG_2,
    NAN,
    Cells,
    first,
    lacks,
    near,
    reads,
    refuses,
    silent,
    warns,
)

cell = Cells([metrics])

PROBS = [[0.5, 0.25, 0.25], [0.1, 0.6, 0.3]]
Y, CLASSES = [0, 1], [0, 1, 2]
LOSSES = [LOG_2, -math.log(0.6)]
EPS = sys.float_info.epsilon


@cell("categorical-probabilities / call", "categorical-probabilities / takes")
def _() -> None:
    near(metrics.log_loss(Y, PROBS, labels=CLASSES), sum(LOSSES) / 2)
    first(metrics.log_loss, "y_true", "y_proba")
    refuses(ValueError, lambda: metrics.log_loss([0.2, 0.7], [0, 1]))


@cell("categorical-probabilities / the other kind given")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss(Y, [[3.0, 0, 0], [0, 1, 0]], labels=CLASSES))
    refuses(ValueError, lambda: metrics.log_loss(Y, np.log(PROBS), labels=CLASSES))
    within = warns(lambda: metrics.log_loss([0, 1], [[0.9, 0.2], [0.1, 0.8]]), "do not sum to one")
    near(within, -(math.log(0.9) + math.log(0.8)) / 2)


@cell("categorical-probabilities / labels")
def _() -> None:
    rows = [[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.3, 0.3, 0.4]]
    expected = -(math.log(0.2) + math.log(0.6) + math.log(0.3)) / 3
    near(metrics.log_loss(["c", "a", "b"], rows), expected)
    near(metrics.log_loss([[0, 0, 1], [1, 0, 0], [0, 1, 0]], rows), expected)
    near(metrics.log_loss([2, 0, 1], rows), expected)
    near(metrics.log_loss([2.0, 0.0, 1.0], rows), expected)
    near(metrics.log_loss([True, False], [0.8, 0.3]), sum(BINARY) / 2)
    for odd in ([1.0, 0.0, 0.5], [1, 0, "b"]):
        refuses(ValueError, lambda odd: metrics.log_loss(odd, rows), odd)
    order = ["c", "b", "a"]
    unsorted = warns(lambda: metrics.log_loss(["c", "a", "b"], rows, labels=order), "order")
    near(unsorted, expected)
    refuses(TypeError, lambda: metrics.log_loss([[0.5, 0.5, 0], [0, 1, 0]], PROBS, labels=CLASSES))
    refuses(ValueError, lambda: metrics.log_loss([[0.5, 0.5, 0], [0, 1, 0]], PROBS))


@cell("categorical-probabilities / classes that do not occur in y")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss(Y, PROBS))
    near(silent(metrics.log_loss, [0, 2], [[0.2, 0.8], [0.3, 0.7]]),
         -(math.log(0.2) + math.log(0.7)) / 2)  # fmt: skip


@cell("categorical-probabilities / reduction")
def _() -> None:
    near(metrics.log_loss(Y, PROBS, labels=CLASSES), sum(LOSSES) / 2)
    near(metrics.log_loss(Y, PROBS, labels=CLASSES, normalize=False), sum(LOSSES))


@cell("categorical-probabilities / weights")
def _() -> None:
    for weights in ([3, 1], [-1, 2]):
        total = weights[0] * LOSSES[0] + weights[1] * LOSSES[1]
        near(
            metrics.log_loss(Y, PROBS, labels=CLASSES, sample_weight=weights), total / sum(weights)
        )


@cell("categorical-probabilities / ignored labels")
def _() -> None:
    lacks(metrics.log_loss, "ignore")


@cell("categorical-probabilities / p = 0 for what happened")
def _(double: str, worst: str, single: str, worst_single: str) -> None:
    for dtype, eps, most in (("float64", double, worst), ("float32", single, worst_single)):
        wrong = metrics.log_loss([0, 1], np.array([[0, 1], [1, 0]], dtype))
        reads(eps, np.finfo(dtype).eps)
        near(wrong, -math.log(np.finfo(dtype).eps))
        reads(most, wrong)
    refuses(TypeError, lambda: metrics.log_loss([0, 1], [0.2, 0.7], eps=1e-3))


@cell("categorical-probabilities / a perfect prediction")
def _(loss: str) -> None:
    perfect = metrics.log_loss([0, 1], [[1.0, 0], [0, 1]])
    near(perfect, -math.log1p(-EPS), 1e-9)
    reads(loss, perfect)


@cell("categorical-probabilities / rows that do not sum to 1")
def _() -> None:
    loss = warns(lambda: metrics.log_loss([0, 1], [[0.5, 0.25], [0.25, 0.5]]), "do not sum to one")
    near(loss, LOG_2)


@cell("categorical-probabilities / no row counted")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([], np.empty((0, 2)), labels=[0, 1]))
    refuses(ValueError, lambda: metrics.log_loss(Y, PROBS, labels=CLASSES, sample_weight=[0, 0]))


@cell("categorical-probabilities / labels outside the classes")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([0, 7], PROBS, labels=CLASSES))
    near(silent(metrics.log_loss, [0, 7], [[0.8, 0.2], [0.3, 0.7]]), sum(BINARY) / 2)


@cell("categorical-probabilities / labels of shape (n, 1)")
def _() -> None:
    column = np.array(Y)[:, None]
    near(silent(lambda: metrics.log_loss(column, PROBS, labels=CLASSES)), sum(LOSSES) / 2)


@cell("categorical-probabilities / a NaN among the probabilities")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([0, 1], [[NAN, 1], [0, 1]]))


BINARY = [-math.log(0.8), -math.log(0.7)]


@cell("bernoulli-probabilities / call")
def _() -> None:
    near(metrics.log_loss([0, 1], [0.2, 0.7]), sum(BINARY) / 2)
    refuses(ValueError, lambda: metrics.log_loss([0.2, 0.7], [0, 1]))


@cell("bernoulli-probabilities / whose probability")
def _() -> None:
    near(metrics.log_loss(["spam", "ham"], [0.2, 0.7]), -(math.log(0.2) + math.log(0.3)) / 2)


@cell("bernoulli-probabilities / labels between 0 and 1")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([0.3, 0.7], [0.2, 0.7]))


@cell("bernoulli-probabilities / labels and probabilities outside [0, 1]")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([0, 1], [0.2, 1.2]))
    near(metrics.log_loss([-1, 7], [0.2, 0.7]), sum(BINARY) / 2)


@cell("bernoulli-probabilities / reduction")
def _() -> None:
    near(metrics.log_loss([0, 1], [0.2, 0.7], normalize=False), sum(BINARY))


@cell("bernoulli-probabilities / weights")
def _() -> None:
    near(
        metrics.log_loss([0, 1], [0.2, 0.7], sample_weight=[3, 1]), (3 * BINARY[0] + BINARY[1]) / 4
    )


@cell("bernoulli-probabilities / p = 0 for a 1")
def _(worst: str) -> None:
    loss = metrics.log_loss([1, 0], [0.0, 1.0])
    near(loss, -math.log(EPS))
    reads(worst, loss)


@cell("bernoulli-probabilities / sigmoid first, then this")
def _(clipped: str, right: str) -> None:
    z = np.array([float(right)], np.float32)
    loss = metrics.log_loss([0], 1 / (1 + np.exp(-z)), labels=[0, 1])
    near(loss, -math.log(np.finfo("float32").eps))
    reads(clipped, loss)


@cell("bernoulli-probabilities / logits given as probabilities")
def _() -> None:
    for z in (-0.5, 2.0):
        refuses(ValueError, lambda z: metrics.log_loss([1, 0], [z, 0.5]), z)


@cell("bernoulli-probabilities / (n, 1) against (n,)")
def _() -> None:
    labels, probs = np.array([0, 1]), np.array([0.2, 0.7])
    for y in (labels, labels[:, None]):
        for p in (probs, probs[:, None]):
            near(silent(metrics.log_loss, y, p), sum(BINARY) / 2)
    refuses(ValueError, lambda: metrics.log_loss(labels[None, :], probs))
    refuses(ValueError, lambda: metrics.log_loss(labels, probs[None, :]))


@cell("bernoulli-probabilities / one class only")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([1, 1], [0.5, 0.5]))
    near(metrics.log_loss([1, 1], [0.5, 0.5], labels=[0, 1]), LOG_2)


@cell("bernoulli-probabilities / empty batch")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([], [], labels=[0, 1]))


@cell("bernoulli-probabilities / a NaN among the probabilities")
def _() -> None:
    refuses(ValueError, lambda: metrics.log_loss([0, 1], [NAN, 0.5]))


def of_numbers(loss: Any) -> None:
    """Neither an empty batch nor a NaN is accepted."""
    refuses(ValueError, loss, [], [])
    for odd in (NAN, INF):
        refuses(ValueError, loss, [odd, 0], [1, 2])
        refuses(ValueError, loss, [1, 0], [odd, 2])


@cell("squared-error / call", "squared-error / factor one half")
def _() -> None:
    near(metrics.mean_squared_error([0.0], [3.0]), 9)
    first(metrics.mean_squared_error, "y_true", "y_pred")


@cell("squared-error / reduction")
def _() -> None:
    near(metrics.mean_squared_error([[0, 0]] * 2, [[1, 3], [1, 5]]), (1 + 9 + 1 + 25) / 4)
    by_output = metrics.mean_squared_error([[0, 0]] * 2, [[1, 3], [1, 5]], multioutput="raw_values")
    near(by_output, [1, 17])


@cell("squared-error / weights")
def _() -> None:
    near(metrics.mean_squared_error([0, 0], [1, 2], sample_weight=[3, 1]), (3 + 4) / 4)


def column_is_row(loss: Any, expected: float) -> None:
    near(silent(lambda: loss([3.0, 5.0], [[1.0], [2.0]])), expected)
    near(silent(lambda: loss([[3.0], [5.0]], [1.0, 2.0])), expected)
    refuses(ValueError, loss, [3.0, 5.0], [[1.0, 2.0]])
    refuses(ValueError, loss, [[3.0, 5.0]], [1.0, 2.0])


@cell("squared-error / (n, 1) against (n,)")
def _() -> None:
    column_is_row(metrics.mean_squared_error, (4 + 9) / 2)


@cell("squared-error / empty batch", "squared-error / a NaN among the data")
def _() -> None:
    of_numbers(metrics.mean_squared_error)


@cell("squared-error / integers")
def _() -> None:
    near(metrics.mean_squared_error([0, 0], [1, 2]), 2.5)


@cell("absolute-error / empty batch", "absolute-error / a NaN among the data")
def _() -> None:
    of_numbers(metrics.mean_absolute_error)


@cell("quantile / empty batch", "quantile / a NaN among the data")
def _() -> None:
    of_numbers(metrics.mean_pinball_loss)


@cell("poisson / empty batch", "poisson / a NaN among the counts")
def _() -> None:
    of_numbers(metrics.mean_poisson_deviance)


@cell("absolute-error / call", "absolute-error / scale and constant", "absolute-error / reduction")
def _() -> None:
    near(metrics.mean_absolute_error([4.0, 0], [1.0, 1]), (3 + 1) / 2)
    first(metrics.mean_absolute_error, "y_true", "y_pred")


@cell("absolute-error / weights")
def _() -> None:
    near(metrics.mean_absolute_error([0, 0], [1, 2], sample_weight=[3, 1]), (3 + 2) / 4)


@cell("absolute-error / gradient at the kink")
def _() -> None:
    lacks(metrics.mean_absolute_error, "grad")


@cell("absolute-error / (n, 1) against (n,)")
def _() -> None:
    column_is_row(metrics.mean_absolute_error, (2 + 3) / 2)


@cell("quantile / call", "quantile / too low a prediction costs", "quantile / scale and constant")
def _() -> None:
    near(metrics.mean_pinball_loss([4.0], [1.0], alpha=0.75), 0.75 * 3)
    near(metrics.mean_pinball_loss([1.0], [4.0], alpha=0.75), 0.25 * 3)
    first(metrics.mean_pinball_loss, "y_true", "y_pred")
    lacks(metrics.mean_pinball_loss, "scale")


@cell("quantile / q = 0 or 1")
def _() -> None:
    near([metrics.mean_pinball_loss([4.0], [1.0], alpha=q) for q in (0, 1)], [0, 3])
    for q in (-0.1, 1.5):
        refuses(ValueError, lambda q: metrics.mean_pinball_loss([4.0], [1.0], alpha=q), q)


@cell("quantile / reduction, weights")
def _() -> None:
    pair = [4.0, 1.0], [1.0, 4.0]
    near(metrics.mean_pinball_loss(*pair, alpha=0.75), (2.25 + 0.75) / 2)
    near(metrics.mean_pinball_loss(*pair, alpha=0.75, sample_weight=[3, 1]), (3 * 2.25 + 0.75) / 4)


@cell("quantile / (n, 1) against (n,)")
def _() -> None:
    column_is_row(metrics.mean_pinball_loss, 0.5 * (2 + 3) / 2)


@cell("poisson / call", "poisson / rate or its logarithm", "poisson / the constant log y!")
def _() -> None:
    def nll(y: int, rate: float) -> float:
        return rate - y * math.log(rate) + math.log(math.factorial(y))

    near(metrics.mean_poisson_deviance([3], [2.0]), 2 * (nll(3, 2) - nll(3, 3)))
    first(metrics.mean_poisson_deviance, "y_true", "y_pred")


@cell("poisson / rate 0")
def _() -> None:
    refuses(ValueError, lambda: metrics.mean_poisson_deviance([0], [0.0]))


@cell("poisson / y that is no count")
def _() -> None:
    near(metrics.mean_poisson_deviance([1.5], [1.0]), 2 * (1.5 * math.log(1.5) - 0.5))
    refuses(ValueError, lambda: metrics.mean_poisson_deviance([-1], [1.0]))


POISSON_3_1, POISSON_5_2 = (2 * (y * math.log(y / rate) - y + rate) for y, rate in ((3, 1), (5, 2)))
DEVIANCES = [2 * (3 * math.log(3 / 2) - 1), 2.0]


@cell("poisson / reduction")
def _() -> None:
    near(metrics.mean_poisson_deviance([3, 0], [2.0, 1.0]), sum(DEVIANCES) / 2)
    lacks(metrics.mean_poisson_deviance, "normalize", "reduction")


@cell("poisson / weights")
def _() -> None:
    loss = metrics.mean_poisson_deviance([3, 0], [2.0, 1.0], sample_weight=[3, 1])
    near(loss, (3 * DEVIANCES[0] + DEVIANCES[1]) / 4)


@cell("poisson / (n, 1) against (n,)")
def _() -> None:
    column_is_row(metrics.mean_poisson_deviance, (POISSON_3_1 + POISSON_5_2) / 2)


@cell("hinge-focal / hinge")
def _(one: str) -> None:
    near(metrics.hinge_loss([1, 1], [3, 3]), float(one))
    near(metrics.hinge_loss([1, 1], [3, 3], labels=[-1, 1]), float(one))
    for labels in ([-1, 1], [0, 1], [3, 5]):
        near(metrics.hinge_loss(labels, [0.5, 0.5]), (1.5 + 0.5) / 2)
    first(metrics.hinge_loss, "y_true", "pred_decision")


@cell("hinge-focal / focal")
def _() -> None:
    assert not any("focal" in name for name in cell.names)
