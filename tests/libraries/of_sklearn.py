"""What scikit-learn does: a test for every cell of its columns in chapters/other-libraries.yml."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.metrics import (
    hinge_loss,
    log_loss,
    mean_absolute_error,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_squared_error,
)

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
    near(log_loss(Y, PROBS, labels=CLASSES), sum(LOSSES) / 2)
    first(log_loss, "y_true", "y_proba")
    refuses(ValueError, lambda: log_loss([0.2, 0.7], [0, 1]))


@cell("categorical-probabilities / the other kind given")
def _() -> None:
    refuses(ValueError, lambda: log_loss(Y, [[3.0, 0, 0], [0, 1, 0]], labels=CLASSES))
    refuses(ValueError, lambda: log_loss(Y, np.log(PROBS), labels=CLASSES))


@cell("categorical-probabilities / labels")
def _() -> None:
    rows = [[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0.3, 0.3, 0.4]]
    expected = -(math.log(0.2) + math.log(0.6) + math.log(0.3)) / 3
    near(log_loss(["c", "a", "b"], rows), expected)
    near(log_loss([[0, 0, 1], [1, 0, 0], [0, 1, 0]], rows), expected)
    refuses(TypeError, lambda: log_loss([[0.5, 0.5, 0], [0, 1, 0]], PROBS, labels=CLASSES))
    refuses(ValueError, lambda: log_loss([[0.5, 0.5, 0], [0, 1, 0]], PROBS))


@cell("categorical-probabilities / classes that do not occur in y")
def _() -> None:
    refuses(ValueError, lambda: log_loss(Y, PROBS))


@cell("categorical-probabilities / reduction")
def _() -> None:
    near(log_loss(Y, PROBS, labels=CLASSES), sum(LOSSES) / 2)
    near(log_loss(Y, PROBS, labels=CLASSES, normalize=False), sum(LOSSES))


@cell("categorical-probabilities / weights")
def _() -> None:
    for weights in ([3, 1], [-1, 2]):
        total = weights[0] * LOSSES[0] + weights[1] * LOSSES[1]
        near(log_loss(Y, PROBS, labels=CLASSES, sample_weight=weights), total / sum(weights))


@cell("categorical-probabilities / ignored labels")
def _() -> None:
    lacks(log_loss, "ignore")


@cell("categorical-probabilities / p = 0 for what happened")
def _(double: str, worst: str, single: str, worst_single: str) -> None:
    for dtype, eps, most in (("float64", double, worst), ("float32", single, worst_single)):
        wrong = log_loss([0, 1], np.array([[0, 1], [1, 0]], dtype))
        reads(eps, np.finfo(dtype).eps)
        near(wrong, -math.log(np.finfo(dtype).eps))
        reads(most, wrong)


@cell("categorical-probabilities / a perfect prediction")
def _(loss: str) -> None:
    perfect = log_loss([0, 1], [[1.0, 0], [0, 1]])
    near(perfect, -math.log1p(-EPS), 1e-9)
    reads(loss, perfect)


@cell("categorical-probabilities / rows that do not sum to 1")
def _() -> None:
    loss = warns(lambda: log_loss([0, 1], [[0.5, 0.25], [0.25, 0.5]]), "do not sum to one")
    near(loss, LOG_2)


@cell("categorical-probabilities / no row counted")
def _() -> None:
    refuses(ValueError, lambda: log_loss([], np.empty((0, 2)), labels=[0, 1]))
    refuses(ValueError, lambda: log_loss(Y, PROBS, labels=CLASSES, sample_weight=[0, 0]))


@cell("categorical-probabilities / labels outside the classes")
def _() -> None:
    refuses(ValueError, lambda: log_loss([0, 7], PROBS, labels=CLASSES))


@cell("categorical-probabilities / a NaN among the probabilities")
def _() -> None:
    refuses(ValueError, lambda: log_loss([0, 1], [[NAN, 1], [0, 1]]))


BINARY = [-math.log(0.8), -math.log(0.7)]


@cell("bernoulli-probabilities / call")
def _() -> None:
    near(log_loss([0, 1], [0.2, 0.7]), sum(BINARY) / 2)
    refuses(ValueError, lambda: log_loss([0.2, 0.7], [0, 1]))


@cell("bernoulli-probabilities / whose probability")
def _() -> None:
    near(log_loss(["spam", "ham"], [0.2, 0.7]), -(math.log(0.2) + math.log(0.3)) / 2)


@cell("bernoulli-probabilities / labels between 0 and 1")
def _() -> None:
    refuses(ValueError, lambda: log_loss([0.3, 0.7], [0.2, 0.7]))


@cell("bernoulli-probabilities / labels and probabilities outside [0, 1]")
def _() -> None:
    refuses(ValueError, lambda: log_loss([0, 1], [0.2, 1.2]))
    near(log_loss([-1, 7], [0.2, 0.7]), sum(BINARY) / 2)


@cell("bernoulli-probabilities / reduction")
def _() -> None:
    near(log_loss([0, 1], [0.2, 0.7], normalize=False), sum(BINARY))


@cell("bernoulli-probabilities / weights")
def _() -> None:
    near(log_loss([0, 1], [0.2, 0.7], sample_weight=[3, 1]), (3 * BINARY[0] + BINARY[1]) / 4)


@cell("bernoulli-probabilities / p = 0 for a 1")
def _(worst: str) -> None:
    loss = log_loss([1, 0], [0.0, 1.0])
    near(loss, -math.log(EPS))
    reads(worst, loss)


@cell("bernoulli-probabilities / sigmoid first, then this")
def _(clipped: str, right: str) -> None:
    z = np.array([float(right)], np.float32)
    loss = log_loss([0], 1 / (1 + np.exp(-z)), labels=[0, 1])
    near(loss, -math.log(np.finfo("float32").eps))
    reads(clipped, loss)


@cell("bernoulli-probabilities / logits given as probabilities")
def _() -> None:
    for z in (-0.5, 2.0):
        refuses(ValueError, lambda z: log_loss([1, 0], [z, 0.5]), z)


@cell("bernoulli-probabilities / (n, 1) against (n,)")
def _() -> None:
    labels, probs = np.array([0, 1]), np.array([0.2, 0.7])
    for y in (labels, labels[:, None]):
        for p in (probs, probs[:, None]):
            near(silent(log_loss, y, p), sum(BINARY) / 2)


@cell("bernoulli-probabilities / one class only")
def _() -> None:
    refuses(ValueError, lambda: log_loss([1, 1], [0.5, 0.5]))
    near(log_loss([1, 1], [0.5, 0.5], labels=[0, 1]), LOG_2)


@cell("squared-error / call", "squared-error / factor one half")
def _() -> None:
    near(mean_squared_error([0.0], [3.0]), 9)
    first(mean_squared_error, "y_true", "y_pred")


@cell("squared-error / reduction")
def _() -> None:
    near(mean_squared_error([[0, 0]] * 2, [[1, 3], [1, 5]]), (1 + 9 + 1 + 25) / 4)
    by_output = mean_squared_error([[0, 0]] * 2, [[1, 3], [1, 5]], multioutput="raw_values")
    near(by_output, [1, 17])


@cell("squared-error / weights")
def _() -> None:
    near(mean_squared_error([0, 0], [1, 2], sample_weight=[3, 1]), (3 + 4) / 4)


def column_is_row(loss: Any, expected: float) -> None:
    near(silent(lambda: loss([3.0, 5.0], [[1.0], [2.0]])), expected)
    near(silent(lambda: loss([[3.0], [5.0]], [1.0, 2.0])), expected)


@cell("squared-error / (n, 1) against (n,)")
def _() -> None:
    column_is_row(mean_squared_error, (4 + 9) / 2)


@cell("squared-error / empty batch")
def _() -> None:
    refuses(ValueError, lambda: mean_squared_error([], []))


@cell("squared-error / a NaN among the data")
def _() -> None:
    for odd in (NAN, INF):
        refuses(ValueError, lambda odd: mean_squared_error([odd, 0], [1, 2]), odd)


@cell("absolute-error / call", "absolute-error / scale and constant", "absolute-error / reduction")
def _() -> None:
    near(mean_absolute_error([4.0, 0], [1.0, 1]), (3 + 1) / 2)
    first(mean_absolute_error, "y_true", "y_pred")


@cell("absolute-error / weights")
def _() -> None:
    near(mean_absolute_error([0, 0], [1, 2], sample_weight=[3, 1]), (3 + 2) / 4)


@cell("absolute-error / gradient at the kink")
def _() -> None:
    lacks(mean_absolute_error, "grad")


@cell("absolute-error / (n, 1) against (n,)")
def _() -> None:
    column_is_row(mean_absolute_error, (2 + 3) / 2)


@cell("quantile / call", "quantile / too low a prediction costs", "quantile / scale and constant")
def _() -> None:
    near(mean_pinball_loss([4.0], [1.0], alpha=0.75), 0.75 * 3)
    near(mean_pinball_loss([1.0], [4.0], alpha=0.75), 0.25 * 3)
    first(mean_pinball_loss, "y_true", "y_pred")
    lacks(mean_pinball_loss, "scale")


@cell("quantile / q = 0 or 1")
def _() -> None:
    near([mean_pinball_loss([4.0], [1.0], alpha=q) for q in (0, 1)], [0, 3])
    for q in (-0.1, 1.5):
        refuses(ValueError, lambda q: mean_pinball_loss([4.0], [1.0], alpha=q), q)


@cell("quantile / reduction, weights")
def _() -> None:
    pair = [4.0, 1.0], [1.0, 4.0]
    near(mean_pinball_loss(*pair, alpha=0.75), (2.25 + 0.75) / 2)
    near(mean_pinball_loss(*pair, alpha=0.75, sample_weight=[3, 1]), (3 * 2.25 + 0.75) / 4)


@cell("quantile / (n, 1) against (n,)")
def _() -> None:
    column_is_row(mean_pinball_loss, 0.5 * (2 + 3) / 2)


@cell("poisson / call", "poisson / rate or its logarithm", "poisson / the constant log y!")
def _() -> None:
    def nll(y: int, rate: float) -> float:
        return rate - y * math.log(rate) + math.log(math.factorial(y))

    near(mean_poisson_deviance([3], [2.0]), 2 * (nll(3, 2) - nll(3, 3)))
    first(mean_poisson_deviance, "y_true", "y_pred")


@cell("poisson / rate 0")
def _() -> None:
    refuses(ValueError, lambda: mean_poisson_deviance([0], [0.0]))


@cell("poisson / y that is no count")
def _() -> None:
    near(mean_poisson_deviance([1.5], [1.0]), 2 * (1.5 * math.log(1.5) - 0.5))
    refuses(ValueError, lambda: mean_poisson_deviance([-1], [1.0]))


DEVIANCES = [2 * (3 * math.log(3 / 2) - 1), 2.0]


@cell("poisson / reduction")
def _() -> None:
    near(mean_poisson_deviance([3, 0], [2.0, 1.0]), sum(DEVIANCES) / 2)
    lacks(mean_poisson_deviance, "normalize", "reduction")


@cell("poisson / weights")
def _() -> None:
    loss = mean_poisson_deviance([3, 0], [2.0, 1.0], sample_weight=[3, 1])
    near(loss, (3 * DEVIANCES[0] + DEVIANCES[1]) / 4)


@cell("poisson / (n, 1) against (n,)")
def _() -> None:
    near(silent(lambda: mean_poisson_deviance([3, 0], [[2.0], [1.0]])), sum(DEVIANCES) / 2)


@cell("hinge-focal / hinge")
def _() -> None:
    for labels in ([-1, 1], [0, 1], [3, 5]):
        near(hinge_loss(labels, [0.5, 0.5]), (1.5 + 0.5) / 2)
    first(hinge_loss, "y_true", "pred_decision")


@cell("hinge-focal / focal")
def _() -> None:
    assert not any("focal" in name for name in cell.names)
