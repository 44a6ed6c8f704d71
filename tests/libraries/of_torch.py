"""What PyTorch does: a test for every cell of its columns in chapters/other-libraries.yml."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.distributions as D
import torch.nn.functional as F

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
    TERMS,
    WEIGHTS,
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
    warns,
)

cell = Cells([torch.nn, F, D, torch.special])


def t(numbers: Any, dtype: Any = torch.float64) -> Any:
    return torch.tensor(numbers, dtype=dtype)


Z, Y = t(ROWS), torch.tensor(LABELS)
EMPTY, NO_LABELS = Z[:0], Y[:0]
ONE_HOT = t([[1, 0, 0], [0, 1, 0]])
COLUMN, ROW = t([[1], [2]]), t([0, 0])
LOG_Q, TARGET = t(Q).log(), t(P)
OTHER_SIZE = "different to the input size"


def gradient(loss: Any, *numbers: float) -> Any:
    """The gradient of a loss of one tensor of these numbers."""
    x = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    loss(x).backward()
    return x.grad


def reductions(loss: Any, expected: list[float]) -> None:
    """The mean by default, the sum and the single numbers on demand."""
    near(loss(), sum(expected) / len(expected))
    near(loss(reduction="mean"), sum(expected) / len(expected))
    near(loss(reduction="sum"), sum(expected))
    near(loss(reduction="none"), expected)


def of_nothing(loss: Any) -> None:
    """The mean of no row is NaN, the sum 0."""
    near(loss(t([]), t([])), NAN)
    near(loss(t([]), t([]), reduction="sum"), 0)


def functions_alone_weigh(function: Any, module: Any) -> None:
    """The function has a weight of the input's shape, the module none."""
    refuses(ValueError, lambda: function(ROW, ROW, weight=t([1])))
    refuses(TypeError, lambda: module(weight=ROW))
    refuses(TypeError, lambda: module()(ROW, ROW, weight=ROW))


def categorical(rows: Any) -> Any:
    return D.Categorical(probs=torch.as_tensor(rows, dtype=torch.float64))


# --- Classes -------------------------------------------------------------------------------------


@cell("categorical-logits / call")
def _() -> None:
    near(F.cross_entropy(Z, Y), sum(LOSSES) / 2)
    near(torch.nn.CrossEntropyLoss()(Z, Y), sum(LOSSES) / 2)
    first(F.cross_entropy, "input", "target")
    refuses(RuntimeError, lambda: F.cross_entropy(Y, Z))
    w = t([[1, 2], [3, 4], [5, 6]])
    near(F.linear_cross_entropy(t(P), w, Y), F.cross_entropy(t(P) @ w.T, Y))


@cell("categorical-logits / class axis")
def _() -> None:
    logits, labels = torch.zeros(2, 5, 3), torch.zeros(2, 3, dtype=torch.long)
    near(F.cross_entropy(logits, labels), math.log(5))
    refuses(RuntimeError, lambda: F.cross_entropy(logits.transpose(1, 2), labels))
    near(F.cross_entropy(Z[0], Y[0]), LOSSES[0])
    square = t([[[0, 9], [0, 9]]])  # two places, two classes: sure of class 1 at both
    near(silent(lambda: F.cross_entropy(square, torch.tensor([[1, 1]]))), LOG_2)
    near(F.cross_entropy(square.transpose(1, 2), torch.tensor([[1, 1]])), math.log1p(math.exp(-9)))


@cell("categorical-logits / one column of logits")
def _() -> None:
    z = t([[2], [-1]])
    for label in (0, 1):
        near(silent(lambda label: F.cross_entropy(z, t([[label]] * 2)), label), 0)
    refuses(IndexError, lambda: F.cross_entropy(z, torch.tensor([0, 1])))
    near(F.binary_cross_entropy_with_logits(z, t([[1], [1]]), reduction="sum"),
         math.log1p(math.exp(-2)) + math.log1p(math.e))  # fmt: skip


@cell("categorical-logits / kinds of label")
def _() -> None:
    for dtype in (torch.int64, torch.uint8):
        near(F.cross_entropy(Z, Y.to(dtype)), sum(LOSSES) / 2)
    refuses(RuntimeError, lambda: F.cross_entropy(Z, Y.int()))
    with pytest.raises(RuntimeError, match="Long"):
        F.cross_entropy(Z, Y.double())
    near(F.cross_entropy(Z, ONE_HOT), sum(LOSSES) / 2)
    near(F.cross_entropy(t([[0, 0]]), t([[0.3, 0.7]])), LOG_2)


@cell("categorical-logits / reduction")
def _() -> None:
    reductions(lambda **how: F.cross_entropy(Z, Y, **how), LOSSES)


@cell("categorical-logits / class weights")
def _() -> None:
    expected = (WEIGHTS[0] * LOSSES[0] + WEIGHTS[1] * LOSSES[1]) / (WEIGHTS[0] + WEIGHTS[1])
    near(F.cross_entropy(Z, Y, weight=t(WEIGHTS)), expected)


@cell("categorical-logits / class weights, distributions")
def _(got: str, log_k: str) -> None:
    loss = F.cross_entropy(0 * Z, ONE_HOT, weight=t(WEIGHTS))
    near(loss, (1 + 2) * LOG_3 / 2)
    reads(got, loss)
    reads(log_k, LOG_3)


@cell("categorical-logits / row weights")
def _() -> None:
    lacks(F.cross_entropy, "sample")
    refuses(RuntimeError, lambda: F.cross_entropy(Z, Y, weight=t([1, 2])))  # as many as classes


@cell("categorical-logits / ignored labels")
def _(default: str) -> None:
    labels = torch.tensor([int(default), 1])
    near(F.cross_entropy(Z, labels), LOSSES[1])
    assert torch.nn.CrossEntropyLoss().ignore_index == int(default)
    near(F.cross_entropy(Z, Y, ignore_index=0), LOSSES[1])  # the label 0, and not row 0 ...
    assert LOSSES[1] > math.log(1 + math.exp(2))  # ... nor are its classes but two
    batches = [F.cross_entropy(Z, labels), F.cross_entropy(Z, Y)]
    whole = F.cross_entropy(torch.cat([Z, Z]), torch.cat([labels, Y]))
    near(sum(batches) / 2, (LOSSES[1] + sum(LOSSES) / 2) / 2)
    near(whole, (LOSSES[1] + sum(LOSSES)) / 3)
    refuses(RuntimeError, lambda: F.cross_entropy(Z, ONE_HOT, ignore_index=1))
    near(silent(lambda: F.cross_entropy(Z, ONE_HOT, ignore_index=-5)), sum(LOSSES) / 2)


@cell("categorical-logits / no row counted")
def _() -> None:
    ignored = torch.full_like(Y, -100)
    for logits, labels in ((EMPTY, NO_LABELS), (Z, ignored)):
        near(F.cross_entropy(logits, labels), NAN)
        near(F.cross_entropy(logits, labels, reduction="sum"), 0)


@cell("categorical-logits / smoothing")
def _() -> None:
    target = 0.7 * ONE_HOT + 0.3 / 3
    expected = -(target * (Z - Z.logsumexp(1, keepdim=True))).sum(1)
    near(F.cross_entropy(Z, Y, label_smoothing=0.3, reduction="none"), expected)
    near(F.cross_entropy(Z, ONE_HOT, label_smoothing=0.3, reduction="none"), expected)
    refuses(RuntimeError, lambda: F.cross_entropy(Z, Y, label_smoothing=1.5))


@cell("categorical-logits / smoothing, class weights")
def _(got: str, one_hot: str) -> None:
    loss = F.cross_entropy(0 * Z, Y, weight=t(WEIGHTS), label_smoothing=0.5)
    weights = [0.5 * WEIGHTS[label] + 0.5 * sum(WEIGHTS) / 3 for label in LABELS]
    near(loss, sum(weights) * LOG_3 / (WEIGHTS[0] + WEIGHTS[1]))
    reads(got, loss)
    rows = F.cross_entropy(0 * Z, ONE_HOT, weight=t(WEIGHTS), label_smoothing=0.5)
    near(rows, sum(weights) * LOG_3 / 2)
    reads(one_hot, rows)


@cell("categorical-logits / smoothing, ignored labels")
def _() -> None:
    smoothed = 0.7 * LOSSES[1] + 0.1 * sum(LOSSES[1] + 1 - z for z in ROWS[1])
    near(F.cross_entropy(Z, torch.tensor([-100, 1]), label_smoothing=0.3), smoothed)


@cell("categorical-logits / logits of minus infinity")
def _() -> None:
    z = t([[0, -INF, 1]])
    near(F.cross_entropy(z, torch.tensor([0])), math.log(1 + math.e))
    near(F.cross_entropy(z, torch.tensor([1])), INF)
    near(F.cross_entropy(t([[-INF, -INF]]), torch.tensor([0])), NAN)
    near(F.cross_entropy(z, t([[0.5, 0, 0.5]])), NAN)


@cell("categorical-logits / labels outside the classes")
def _() -> None:
    for label in (3, -1):
        refuses(IndexError, lambda label: F.cross_entropy(Z, torch.tensor([0, label])), label)


@cell("categorical-logits / labels of shape (n, 1)")
def _() -> None:
    refuses(RuntimeError, lambda: F.cross_entropy(Z, Y[:, None]))
    refuses(RuntimeError, lambda: F.cross_entropy(Z, Y[:, None].double()))


@cell("categorical-logits / targets that do not sum to 1")
def _() -> None:
    near(silent(lambda: F.cross_entropy(0 * Z, 2 * ONE_HOT)), 2 * LOG_3)


@cell("categorical-logits / probabilities given as logits")
def _(floor: str) -> None:
    best = silent(lambda: F.cross_entropy(torch.eye(10), torch.arange(10)))
    near(best, math.log(math.e + 9) - 1)
    reads(floor, best)


@cell("categorical-logits / log-probabilities given as logits")
def _() -> None:
    near(F.cross_entropy(Z - Z.logsumexp(1, keepdim=True), Y, reduction="none"), LOSSES)


@cell("categorical-logits / log of softmax, in two steps")
def _(gap: str) -> None:
    z = t([[0, -float(gap)]])
    assert z.softmax(1).log()[0, 1] == -INF
    assert F.cross_entropy(z, torch.tensor([1])) == float(gap)


@cell("categorical-logits / a confident row")
def _() -> None:
    for dtype in (torch.float32, torch.float64):
        assert F.cross_entropy(t([[40, 0]], dtype), torch.tensor([0])) == 0


@cell("categorical-logits / a NaN among the logits")
def _() -> None:
    z = torch.stack([t([NAN, 0, 0]), Z[1]])
    near(F.cross_entropy(z, Y, reduction="none"), [NAN, LOSSES[1]])


LOG_PROBS = Z - Z.logsumexp(1, keepdim=True)


@cell("categorical-probabilities / call", "categorical-probabilities / takes")
def _() -> None:
    near(F.nll_loss(LOG_PROBS, Y), sum(LOSSES) / 2)
    near(torch.nn.NLLLoss()(LOG_PROBS, Y), sum(LOSSES) / 2)
    first(F.nll_loss, "input", "target")
    lacks(F.nll_loss, "smooth")
    near(-categorical(LOG_PROBS.exp()).log_prob(Y), LOSSES)
    near(-D.Categorical(logits=Z).log_prob(Y), LOSSES)


@cell("categorical-probabilities / the other kind given")
def _() -> None:
    loss = silent(lambda: F.nll_loss(LOG_PROBS.exp(), Y))
    near(loss, -sum(math.exp(-one) for one in LOSSES) / 2)
    assert loss < 0
    near(silent(lambda: categorical(LOG_Q)).probs, LOG_Q / LOG_Q.sum(1, keepdim=True))


@cell("categorical-probabilities / labels")
def _() -> None:
    refuses(RuntimeError, lambda: F.nll_loss(LOG_PROBS, ONE_HOT))


@cell("categorical-probabilities / classes that do not occur in y")
def _() -> None:
    near(F.nll_loss(LOG_PROBS, torch.tensor([0, 0])), (LOSSES[0] + LOSSES[1] + 1) / 2)


@cell("categorical-probabilities / reduction")
def _() -> None:
    reductions(lambda **how: F.nll_loss(LOG_PROBS, Y, **how), LOSSES)


@cell("categorical-probabilities / weights")
def _() -> None:
    expected = (WEIGHTS[0] * LOSSES[0] + WEIGHTS[1] * LOSSES[1]) / (WEIGHTS[0] + WEIGHTS[1])
    near(F.nll_loss(LOG_PROBS, Y, weight=t(WEIGHTS)), expected)
    lacks(F.nll_loss, "sample")


@cell("categorical-probabilities / ignored labels")
def _(default: str) -> None:
    near(F.nll_loss(LOG_PROBS, torch.tensor([int(default), 1])), LOSSES[1])
    assert torch.nn.NLLLoss().ignore_index == int(default)


@cell("categorical-probabilities / p = 0 for what happened")
def _(worst: str, worst_single: str) -> None:
    near(F.nll_loss(t([[0, -INF]]), torch.tensor([1])), INF)
    for dtype, most in ((torch.float64, worst), (torch.float32, worst_single)):
        clipped = -D.Categorical(probs=t([1, 0], dtype)).log_prob(torch.tensor(1))
        near(clipped, -math.log(torch.finfo(dtype).eps))
        reads(most, clipped)


@cell("categorical-probabilities / a perfect prediction")
def _() -> None:
    assert F.nll_loss(t([[0, -INF]]), torch.tensor([0])) == 0


@cell("categorical-probabilities / rows that do not sum to 1")
def _() -> None:
    near(silent(lambda: F.nll_loss(t([[LOG_2, 0]]), torch.tensor([0]))), -LOG_2)
    near(silent(lambda: F.nll_loss(t([[0, LOG_2]]), torch.tensor([0]))), 0)
    near(silent(lambda: -D.Categorical(probs=t([2, 2])).log_prob(torch.tensor(0))), LOG_2)


@cell("categorical-probabilities / no row counted")
def _() -> None:
    for rows, labels in ((EMPTY, NO_LABELS), (LOG_PROBS, torch.full_like(Y, -100))):
        near(F.nll_loss(rows, labels), NAN)
        near(F.nll_loss(rows, labels, reduction="sum"), 0)


@cell("categorical-probabilities / labels outside the classes")
def _() -> None:
    refuses(IndexError, lambda: F.nll_loss(LOG_PROBS, torch.tensor([0, 3])))
    for label in (-1, 3):
        outside = torch.tensor([0, label])
        refuses(ValueError, D.Categorical(logits=Z).log_prob, outside)


@cell("categorical-probabilities / labels of shape (n, 1)")
def _() -> None:
    refuses(RuntimeError, lambda: F.nll_loss(LOG_PROBS, Y[:, None]))
    near(silent(D.Categorical(logits=Z).log_prob, Y[:, None]), [LOG_PROBS[:, y] for y in LABELS])


@cell("categorical-probabilities / a NaN among the probabilities")
def _() -> None:
    near(F.nll_loss(t([[NAN, -1]]), torch.tensor([0])), NAN)
    near(silent(lambda: F.nll_loss(t([[NAN, -1]]), torch.tensor([1]))), 1)
    refuses(ValueError, lambda: categorical([NAN, 0.5]))


# --- Yes or no -----------------------------------------------------------------------------------


@cell("bernoulli-logits / call")
def _() -> None:
    expected = (math.log1p(math.exp(-2)) + math.log1p(math.e)) / 2
    near(F.binary_cross_entropy_with_logits(t([2, 1]), t([1, 0])), expected)
    near(torch.nn.BCEWithLogitsLoss()(t([2, 1]), t([1, 0])), expected)
    first(F.binary_cross_entropy_with_logits, "input", "target")


@cell("bernoulli-logits / kinds of label")
def _() -> None:
    near(F.binary_cross_entropy_with_logits(t([2]), t([0.25])), math.log1p(math.exp(2)) - 0.25 * 2)
    refuses(RuntimeError, lambda: F.binary_cross_entropy_with_logits(t([2]), torch.tensor([1])))


@cell("bernoulli-logits / reduction")
def _() -> None:
    expected = [math.log1p(math.exp(-2)), math.log1p(math.e)]
    reductions(
        lambda **how: F.binary_cross_entropy_with_logits(t([2, 1]), t([1, 0]), **how), expected
    )


@cell("bernoulli-logits / several yes-or-no labels a row")
def _() -> None:
    near(F.binary_cross_entropy_with_logits(torch.zeros(2, 3), torch.ones(2, 3)), LOG_2)
    bernoulli = F.binary_cross_entropy_with_logits(Z, ONE_HOT)
    near(F.multilabel_soft_margin_loss(Z, ONE_HOT), bernoulli)
    near(
        F.binary_cross_entropy_with_logits(torch.zeros(2, 3), torch.ones(2, 3), reduction="sum"),
        6 * LOG_2,
    )


@cell("bernoulli-logits / weight of the ones")
def _() -> None:
    near(
        F.binary_cross_entropy_with_logits(t([0, 0]), t([1, 0]), pos_weight=t([3])),
        (3 + 1) * LOG_2 / 2,
    )


@cell("bernoulli-logits / row weights")
def _() -> None:
    near(
        F.binary_cross_entropy_with_logits(t([0, 0]), t([1, 0]), weight=t([3, 1])),
        (3 + 1) * LOG_2 / 2,
    )


@cell("bernoulli-logits / smoothing, ignored labels")
def _() -> None:
    lacks(F.binary_cross_entropy_with_logits, "smooth", "ignore")


@cell("bernoulli-logits / labels outside [0, 1]")
def _(big: str, zero: str) -> None:
    losses = silent(
        lambda: F.binary_cross_entropy_with_logits(t([0.5, -1]), t([2, -1]), reduction="none")
    )
    near(losses, [math.log1p(math.exp(0.5)) - 1, math.log1p(math.exp(-1)) - 1])
    assert losses.max() < 0
    margin = F.soft_margin_loss(t([2, 1]), t([1, -1]), reduction="none")
    near(margin, [math.log1p(math.exp(-2)), math.log1p(math.e)])
    near(F.soft_margin_loss(t([float(big)]), t([1])), INF)
    for z in (-9, 0, 9):
        reads(zero, silent(lambda z: F.soft_margin_loss(t([z]), t([0])), z))


@cell("bernoulli-logits / infinite logits")
def _() -> None:
    losses = F.binary_cross_entropy_with_logits(
        t([INF, -INF, INF, -INF]), t([1, 0, 0, 1]), reduction="none"
    )
    near(losses, [NAN, NAN, INF, NAN])


@cell("bernoulli-logits / probabilities given as logits")
def _(one: str, zero: str) -> None:
    best = silent(
        lambda: F.binary_cross_entropy_with_logits(t([1, 0]), t([1, 0]), reduction="none")
    )
    near(best, [math.log1p(math.exp(-1)), LOG_2])
    reads(one, best[0])
    reads(zero, best[1])


@cell("bernoulli-logits / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: F.binary_cross_entropy_with_logits(COLUMN, t([1, 0])))


@cell("bernoulli-logits / a confident row")
def _(loss: str) -> None:
    one, zero = F.binary_cross_entropy_with_logits(t([40, -40]), t([1, 0]), reduction="none")
    near(one, math.exp(-40), 1e-12)
    reads(loss, one)
    assert zero == 0


@cell("bernoulli-logits / empty batch")
def _() -> None:
    near(F.binary_cross_entropy_with_logits(t([]), t([])), NAN)
    near(F.binary_cross_entropy_with_logits(t([]), t([]), reduction="sum"), 0)


@cell("bernoulli-probabilities / call", "bernoulli-probabilities / whose probability")
def _() -> None:
    expected = -(math.log(0.2) + math.log(0.3)) / 2
    near(F.binary_cross_entropy(t([0.2, 0.7]), t([1, 0])), expected)
    near(torch.nn.BCELoss()(t([0.2, 0.7]), t([1, 0])), expected)
    near(-D.Bernoulli(probs=t([0.2, 0.7])).log_prob(t([1, 0])), [-math.log(0.2), -math.log(0.3)])
    first(F.binary_cross_entropy, "input", "target")


@cell("bernoulli-probabilities / labels between 0 and 1")
def _() -> None:
    near(F.binary_cross_entropy(t([0.2]), t([0.25])), -0.25 * math.log(0.2) - 0.75 * math.log(0.8))
    refuses(RuntimeError, lambda: F.binary_cross_entropy(t([0.2]), torch.tensor([1])))
    refuses(ValueError, D.Bernoulli(probs=t([0.2])).log_prob, t([0.25]))


@cell("bernoulli-probabilities / labels and probabilities outside [0, 1]")
def _() -> None:
    refuses(RuntimeError, lambda: F.binary_cross_entropy(t([1.2]), t([1])))
    refuses(RuntimeError, lambda: F.binary_cross_entropy(t([0.5]), t([2])))
    refuses(ValueError, lambda: D.Bernoulli(probs=t([1.2])))
    refuses(ValueError, D.Bernoulli(probs=t([0.5])).log_prob, t([2]))


@cell("bernoulli-probabilities / reduction")
def _() -> None:
    expected = [-math.log(0.2), -math.log(0.3)]
    reductions(lambda **how: F.binary_cross_entropy(t([0.2, 0.7]), t([1, 0]), **how), expected)


@cell("bernoulli-probabilities / weights")
def _() -> None:
    near(F.binary_cross_entropy(t([0.5, 0.5]), t([1, 0]), weight=t([3, 1])), (3 + 1) * LOG_2 / 2)
    lacks(F.binary_cross_entropy, "pos_weight")


@cell("bernoulli-probabilities / p = 0 for a 1")
def _(most: str, least: str, bernoulli: str) -> None:
    reads(bernoulli, -D.Bernoulli(probs=t(0)).log_prob(t(1)))
    near(F.binary_cross_entropy(t([0, 1e-50]), t([1, 1]), reduction="none"), [float(most)] * 2)
    slope = gradient(
        lambda p: F.binary_cross_entropy(p, torch.ones_like(p), reduction="sum"), 0, 1e-20, 1e-6
    )
    near(slope, [-1 / float(least), -1 / float(least), -1e6], 1e-5)


@cell("bernoulli-probabilities / sigmoid first, then this")
def _(cut: str, right: str) -> None:
    z, zero = t([float(right)], torch.float32), torch.zeros(1)
    near(F.binary_cross_entropy(z.sigmoid(), zero), float(cut))
    near(F.binary_cross_entropy_with_logits(z, zero), float(right))


@cell("bernoulli-probabilities / logits given as probabilities")
def _() -> None:
    for z in (-0.5, 2.0):
        refuses(RuntimeError, lambda z: F.binary_cross_entropy(t([z, 0.5]), t([1, 0])), z)


@cell("bernoulli-probabilities / (n, 1) against (n,)")
def _() -> None:
    refuses(ValueError, lambda: F.binary_cross_entropy(t([[0.2], [0.7]]), t([1, 0])))
    shape(silent(D.Bernoulli(probs=t([[0.2], [0.7]])).log_prob, t([1, 0])), 2, 2)


@cell("bernoulli-probabilities / one class only")
def _() -> None:
    near(F.binary_cross_entropy(t([0.5, 0.5]), t([1, 1])), LOG_2)


@cell("bernoulli-probabilities / empty batch")
def _() -> None:
    of_nothing(F.binary_cross_entropy)


@cell("bernoulli-probabilities / a NaN among the probabilities")
def _() -> None:
    for p, y in ((NAN, 1), (0.5, NAN)):
        refuses(RuntimeError, lambda p, y: F.binary_cross_entropy(t([p]), t([y])), p, y)


# --- Numbers -------------------------------------------------------------------------------------


@cell("gaussian / call", "gaussian / spread")
def _() -> None:
    near(F.gaussian_nll_loss(t([1]), t([4]), t([4])), 0.5 * (math.log(4) + 3**2 / 4))
    near(torch.nn.GaussianNLLLoss()(t([1]), t([4]), t([4])), 0.5 * (math.log(4) + 3**2 / 4))
    first(F.gaussian_nll_loss, "input", "target", "var")
    near(-D.Normal(1, 2).log_prob(t(4)), math.log(2) + 3**2 / 8 + HALF_LOG_2PI)
    one = D.MultivariateNormal(t([1]), t([[4]]))
    near(-one.log_prob(t([4])), math.log(2) + 3**2 / 8 + HALF_LOG_2PI)


@cell("gaussian / constant")
def _(constant: str) -> None:
    short, full = (F.gaussian_nll_loss(t([0]), t([1]), t([1]), full=full) for full in (False, True))
    near([short, full], [0.5, 0.5 + HALF_LOG_2PI])
    reads(constant, full - short)
    assert default(F.gaussian_nll_loss, "full") is False
    near(-D.Normal(0, 1).log_prob(t(1)), 0.5 + HALF_LOG_2PI)


@cell("gaussian / reduction")
def _() -> None:
    assert torch.nn.GaussianNLLLoss().reduction == "mean"
    reductions(
        lambda **how: F.gaussian_nll_loss(ROW, t([1, 2]), t([1, 4]), **how), [0.5, LOG_2 + 0.5]
    )
    shape(D.Normal(0, 1).log_prob(t([1, 2])), 2)


@cell("gaussian / small variances")
def _(floor: str) -> None:
    least = float(floor)
    variances = t([0, least / 10, least, 2 * least])
    zero = torch.zeros_like(variances)
    expected = [0.5 * math.log(one) for one in (least, least, least, 2 * least)]
    near(F.gaussian_nll_loss(zero, zero, variances, reduction="none"), expected, 1e-12)
    near(F.gaussian_nll_loss(t([0]), t([0]), t([0.1]), eps=0.5), 0.5 * math.log(0.5))
    assert torch.nn.GaussianNLLLoss().eps == least


@cell("gaussian / gradient below the floor")
def _() -> None:
    slope = gradient(lambda v: F.gaussian_nll_loss(t([0]), t([1e-2]), v), 1e-9)
    near(slope, [0.5 * (1e6 - 1e-4 * 1e12)])


@cell("gaussian / spread 0 or negative")
def _() -> None:
    near(F.gaussian_nll_loss(t([0]), t([0]), t([0])), 0.5 * math.log(1e-6))
    refuses(ValueError, lambda: F.gaussian_nll_loss(t([0]), t([0]), t([-1])))
    for std in (0.0, -1.0):
        refuses(ValueError, lambda std: D.Normal(0.0, std), std)


@cell("gaussian / weights")
def _() -> None:
    lacks(F.gaussian_nll_loss, "weight")


@cell("gaussian / (n, 1) against (n,)")
def _() -> None:
    means, ones = t([10, 20]), t([1, 1])
    loss = silent(lambda: F.gaussian_nll_loss(means, COLUMN, ones, reduction="none"))
    near(loss, [[0.5 * 9**2, 0.5 * 19**2], [0.5 * 8**2, 0.5 * 18**2]])
    refuses(ValueError, lambda: F.gaussian_nll_loss(means, means, ones[:, None]))
    near(silent(D.Normal(means, 1).log_prob, COLUMN) + HALF_LOG_2PI, -loss)
    column = means[:, None]
    for variances in (ones, ones[:, None]):
        got = silent(
            lambda v: F.gaussian_nll_loss(column, t([1, 2]), v, reduction="none"), variances
        )
        near(got, loss.T)


@cell("gaussian / empty batch")
def _() -> None:
    of_nothing(lambda mean, y, **how: F.gaussian_nll_loss(mean, y, t([]), **how))
    shape(D.Normal(0, 1).log_prob(t([])), 0)


@cell("gaussian / a NaN among the data")
def _() -> None:
    near(F.gaussian_nll_loss(ROW, t([NAN, 1]), t([1, 1]), reduction="none"), [NAN, 0.5])
    refuses(ValueError, D.Normal(t(0), 1).log_prob, t([NAN, 1]))


@cell("gaussian / the estimate from data")
def _() -> None:
    near(torch.std(t([1, 2, 6])), math.sqrt((4 + 1 + 9) / 2))
    near(torch.std(t([1, 2, 6]), correction=0), math.sqrt((4 + 1 + 9) / 3))
    near(torch.var(t([1, 2, 6])), (4 + 1 + 9) / 2)
    near(torch.var(t([1, 2, 6]), correction=0), (4 + 1 + 9) / 3)


@cell("squared-error / call", "squared-error / factor one half")
def _() -> None:
    near(F.mse_loss(t([0]), t([3])), 9)
    near(torch.nn.MSELoss()(t([0, 0]), t([3, 1])), (9 + 1) / 2)


@cell("squared-error / reduction")
def _() -> None:
    reductions(lambda **how: F.mse_loss(ROW, t([1, 2]), **how), [1, 4])
    near(F.mse_loss(torch.zeros(2, 3), torch.ones(2, 3)), 1)


@cell("squared-error / weights")
def _() -> None:
    near(F.mse_loss(ROW, t([1, 2]), weight=t([3, 1])), (3 * 1 + 1 * 4) / (3 + 1))
    near(F.huber_loss(ROW, t([1, 2]), weight=t([3, 1])), (3 * 0.5 + 1 * 1.5) / 2)
    functions_alone_weigh(F.mse_loss, torch.nn.MSELoss)


@cell("squared-error / (n, 1) against (n,)")
def _() -> None:
    loss = warns(lambda: F.mse_loss(ROW, COLUMN, reduction="none"), OTHER_SIZE)
    near(loss, [[1, 1], [4, 4]])


@cell("squared-error / empty batch")
def _() -> None:
    of_nothing(F.mse_loss)


@cell("squared-error / a NaN among the data")
def _() -> None:
    near(F.mse_loss(ROW, t([NAN, 2]), reduction="none"), [NAN, 4])


@cell("squared-error / integers")
def _() -> None:
    refuses(NotImplementedError, F.mse_loss, Y, Y)
    near(F.mse_loss(ROW, Y), 0.5)


@cell("absolute-error / call", "absolute-error / scale and constant")
def _() -> None:
    near(F.l1_loss(t([1]), t([4])), 3)
    near(torch.nn.L1Loss()(t([1, 1]), t([4, 2])), (3 + 1) / 2)
    near(-D.Laplace(1, 2).log_prob(t(4)), 3 / 2 + math.log(4))


@cell("absolute-error / reduction")
def _() -> None:
    reductions(lambda **how: F.l1_loss(ROW, t([1, -2]), **how), [1, 2])
    near(F.l1_loss(torch.zeros(2, 3), torch.ones(2, 3)), 1)


@cell("absolute-error / weights")
def _() -> None:
    near(F.l1_loss(ROW, t([1, 2]), weight=t([3, 1])), (3 * 1 + 1 * 2) / (3 + 1))
    functions_alone_weigh(F.l1_loss, torch.nn.L1Loss)


@cell("absolute-error / gradient at the kink")
def _() -> None:
    near(gradient(lambda loc: F.l1_loss(loc, t([1])), 1), [0])


@cell("absolute-error / (n, 1) against (n,)")
def _() -> None:
    loss = warns(lambda: F.l1_loss(ROW, COLUMN, reduction="none"), OTHER_SIZE)
    near(loss, [[1, 1], [2, 2]])
    near(silent(D.Laplace(ROW, 1).log_prob, COLUMN) + LOG_2, -loss)


@cell("absolute-error / empty batch")
def _() -> None:
    of_nothing(F.l1_loss)
    shape(D.Laplace(t(0), 1).log_prob(t([])), 0)


@cell("absolute-error / a NaN among the data")
def _() -> None:
    near(F.l1_loss(ROW, t([NAN, 2]), reduction="none"), [NAN, 2])
    refuses(ValueError, D.Laplace(t(0), 1).log_prob, t([NAN, 2]))


@cell("huber / call", "huber / beyond delta", "huber / scale and normalising constant")
def _() -> None:
    inside, beyond = 0.5 * 1.5**2, 2 * 5 - 0.5 * 2**2
    near(F.huber_loss(ROW, t([1.5, 5]), delta=2, reduction="none"), [inside, beyond])
    near(torch.nn.HuberLoss(delta=2)(ROW, t([1.5, 5])), (inside + beyond) / 2)
    smooth = F.smooth_l1_loss(ROW, t([1.5, 5]), beta=2, reduction="none")
    near(smooth, [inside / 2, beyond / 2])


@cell("huber / default of delta")
def _(delta: str) -> None:
    assert default(F.huber_loss, "delta") == torch.nn.HuberLoss().delta == float(delta)
    near(F.huber_loss(t([0]), t([5])), 5 - 0.5)


@cell("huber / delta 0 or negative")
def _() -> None:
    for delta in (0, -1):
        refuses(RuntimeError, lambda delta: F.huber_loss(ROW, t([1, 5]), delta=delta), delta)
    near(F.smooth_l1_loss(ROW, t([1, 5]), beta=0, reduction="none"), [1, 5])


@cell("huber / reduction")
def _() -> None:
    reductions(lambda **how: F.huber_loss(ROW, t([1, 5]), **how), [0.5, 4.5])
    near(F.huber_loss(torch.zeros(2, 3), torch.ones(2, 3)), 0.5)


@cell("huber / weights")
def _() -> None:
    near(F.huber_loss(ROW, t([1, 2]), weight=t([3, 1])), (3 * 0.5 + 1 * 1.5) / 2)
    near(F.mse_loss(ROW, t([1, 2]), weight=t([3, 1])), (3 * 1 + 1 * 4) / (3 + 1))
    functions_alone_weigh(F.huber_loss, torch.nn.HuberLoss)


@cell("huber / empty batch")
def _() -> None:
    of_nothing(F.huber_loss)


@cell("huber / a NaN among the data")
def _() -> None:
    near(F.huber_loss(ROW, t([NAN, 5]), reduction="none"), [NAN, 4.5])


@cell("huber / (n, 1) against (n,)")
def _() -> None:
    loss = warns(lambda: F.huber_loss(ROW, COLUMN, reduction="none"), OTHER_SIZE)
    near(loss, [[0.5, 0.5], [1.5, 1.5]])


@cell("poisson / call", "poisson / rate or its logarithm")
def _() -> None:
    near(F.poisson_nll_loss(t([LOG_2]), t([3])), 2 - 3 * LOG_2)
    near(torch.nn.PoissonNLLLoss()(t([LOG_2]), t([3])), 2 - 3 * LOG_2)
    near(F.poisson_nll_loss(t([2]), t([3]), log_input=False), 2 - 3 * LOG_2)
    assert default(F.poisson_nll_loss, "log_input") is True
    first(F.poisson_nll_loss, "input", "target")
    near(-D.Poisson(t(2)).log_prob(t(3)), 2 - 3 * LOG_2 + math.log(6))


@cell("poisson / the constant log y!")
def _(stirling: str, exact: str) -> None:
    counts = t([0, 1, 2, 3])
    without = F.poisson_nll_loss(torch.zeros(4), counts, reduction="none")
    near(without, [1] * 4)
    added = F.poisson_nll_loss(torch.zeros(4), counts, full=True, reduction="none") - without
    formula = [y * math.log(y) - y + 0.5 * math.log(2 * math.pi * y) for y in (2, 3)]
    near(added, [0, 0, *formula])
    reads(stirling, added[2])
    reads(exact, math.log(2))
    assert default(F.poisson_nll_loss, "full") is False
    near(-D.Poisson(t(1)).log_prob(t(2)), 1 + math.log(2))


@cell("poisson / rate 0")
def _(eps: str, cost: str) -> None:
    assert default(F.poisson_nll_loss, "eps") == torch.nn.PoissonNLLLoss().eps == float(eps)
    loss = F.poisson_nll_loss(t([0, 1]), t([1, 1]), log_input=False, reduction="none")
    near(loss, [-math.log(float(eps)), 1 - math.log1p(float(eps))], 1e-12)
    reads(cost, loss[0])
    near(F.poisson_nll_loss(t([-INF]), t([0])), NAN)


@cell("poisson / y that is no count")
def _() -> None:
    near(
        silent(lambda: F.poisson_nll_loss(t([0, 1]), t([1.5, -1]), reduction="none")),
        [1, math.e + 1],
    )
    for count in (1.5, -1.0):
        refuses(ValueError, lambda count: D.Poisson(t(1)).log_prob(t(count)), count)


@cell("poisson / reduction")
def _() -> None:
    reductions(lambda **how: F.poisson_nll_loss(t([0, 1]), t([2, 3]), **how), [1, math.e - 3])


@cell("poisson / weights")
def _() -> None:
    lacks(F.poisson_nll_loss, "weight")


@cell("poisson / (n, 1) against (n,)")
def _() -> None:
    loss = silent(lambda: F.poisson_nll_loss(t([0, 1]), COLUMN, reduction="none"))
    near(loss, [[1, math.e - 1], [1, math.e - 2]])
    shape(silent(D.Poisson(t([1, 1])).log_prob, COLUMN), 2, 2)


@cell("poisson / empty batch")
def _() -> None:
    of_nothing(F.poisson_nll_loss)
    shape(D.Poisson(t(1)).log_prob(t([])), 0)


@cell("poisson / a NaN among the counts")
def _() -> None:
    near(F.poisson_nll_loss(ROW, t([NAN, 2]), reduction="none"), [NAN, 1])
    refuses(ValueError, D.Poisson(t(1)).log_prob, t([NAN, 2]))


@cell("student-t / call", "student-t / normalising constant")
def _() -> None:
    constant = math.log(math.sqrt(3 * math.pi) * math.gamma(1.5) / math.gamma(2))
    expected = 2 * math.log(1 + 1.5**2 / 3) + math.log(2) + constant
    near(-D.StudentT(t(3), 1, 2).log_prob(t(4)), expected)
    first(D.StudentT, "df", "loc", "scale")


@cell("student-t / reduction")
def _() -> None:
    shape(D.StudentT(t(3)).log_prob(t([1, 2])), 2)


@cell("student-t / infinite degrees of freedom")
def _() -> None:
    near(D.StudentT(t(INF)).log_prob(t(1)), NAN)


@cell("student-t / degrees of freedom or scale 0 or negative")
def _() -> None:
    for odd in (0, -1):
        refuses(ValueError, D.StudentT, t(odd))
        refuses(ValueError, D.StudentT, t(3), t(0), t(odd))


@cell("student-t / (n, 1) against (n,)")
def _() -> None:
    shape(silent(D.StudentT(t(3), ROW).log_prob, COLUMN), 2, 2)


@cell("student-t / empty batch")
def _() -> None:
    shape(D.StudentT(t(3)).log_prob(t([])), 0)


@cell("student-t / a NaN among the data")
def _() -> None:
    refuses(ValueError, D.StudentT(t(3)).log_prob, t([NAN, 1]))


# --- Between distributions -----------------------------------------------------------------------


@cell("kl-divergence / call", "kl-divergence / takes")
def _() -> None:
    near(F.kl_div(LOG_Q, TARGET, reduction="batchmean"), sum(KL) / 2)
    near(torch.nn.KLDivLoss(reduction="batchmean")(LOG_Q, TARGET), sum(KL) / 2)
    assert warns(lambda: F.kl_div(LOG_Q, TARGET), "batchmean") < 0.6 * sum(KL) / 2
    first(F.kl_div, "input", "target")
    near(D.kl_divergence(categorical(P), categorical(Q)), KL)
    near(F.kl_div(LOG_Q, TARGET.log(), reduction="sum", log_target=True), sum(KL))


@cell("kl-divergence / the terms")
def _() -> None:
    terms = F.kl_div(LOG_Q, TARGET, reduction="none")
    near(terms, TERMS)
    assert terms.min() < 0


@cell("kl-divergence / reduction")
def _() -> None:
    near(warns(lambda: F.kl_div(LOG_Q, TARGET), "batchmean"), sum(KL) / 4)
    near(warns(lambda: torch.nn.KLDivLoss()(LOG_Q, TARGET), "batchmean"), sum(KL) / 4)
    near(F.kl_div(LOG_Q, TARGET, reduction="batchmean"), sum(KL) / 2)
    one_row = F.kl_div(LOG_Q[0], TARGET[0], reduction="batchmean")
    near(one_row, KL[0] / 2)


@cell("kl-divergence / p = 0")
def _() -> None:
    zero = t([[0, 1], [1, 0]])
    near(F.kl_div(LOG_Q, zero, reduction="none").sum(1), [math.log(4 / 3), LOG_2])
    logs = F.kl_div(LOG_Q, zero.log(), reduction="none", log_target=True)
    assert logs.isnan().tolist() == [[True, False], [False, True]]


@cell("kl-divergence / q = 0 where p > 0")
def _() -> None:
    near(F.kl_div(t([0, 1]).log(), t([0.5, 0.5]), reduction="sum"), INF)


@cell("kl-divergence / p = q = 0")
def _() -> None:
    near(F.kl_div(t([0, 1]).log(), t([0, 1]), reduction="sum"), NAN)
    assert D.kl_divergence(categorical([0, 1]), categorical([0, 1])) == 0


@cell("kl-divergence / rows that do not sum to 1")
def _() -> None:
    expected = [2 * one + 2 * LOG_2 for one in KL]
    near(silent(lambda: F.kl_div(LOG_Q, 2 * TARGET, reduction="none")).sum(1), expected)
    twice = silent(lambda: D.Categorical(probs=2 * TARGET))
    near(D.kl_divergence(twice, categorical(Q)), KL)


@cell("kl-divergence / the other kind given")
def _() -> None:
    loss = silent(lambda: F.kl_div(t(Q), TARGET, reduction="sum"))
    mixed = sum(a * b for p, q in zip(P, Q, strict=True) for a, b in zip(p, q, strict=True))
    near(loss, -sum(ENTROPIES) - mixed)
    assert loss < 0


@cell("kl-divergence / different shapes")
def _() -> None:
    loss = silent(lambda: F.kl_div(LOG_Q, TARGET[0], reduction="none"))
    near(loss, [TERMS[0], [0, 0]])


@cell("kl-divergence / p and q nearly equal")
def _() -> None:
    p, q = t([0.1, 0.2, 0.7]), t([0.1 + 1e-9, 0.2, 0.7 - 1e-9])
    assert -1e-15 < F.kl_div(q.log(), p, reduction="sum") < 0


@cell("kl-divergence / no row")
def _() -> None:
    near(warns(lambda: F.kl_div(LOG_Q[:0], TARGET[:0]), "batchmean"), NAN)
    near(F.kl_div(LOG_Q[:0], TARGET[:0], reduction="batchmean"), NAN)


@cell("kl-divergence / integers")
def _() -> None:
    refuses(RuntimeError, lambda: F.kl_div(LOG_Q[0], Y, reduction="none"))


@cell("entropy / call", "entropy / unit", "entropy / axis")
def _() -> None:
    near(categorical(P).entropy(), ENTROPIES)
    near(torch.special.entr(TARGET).sum(1), ENTROPIES)
    lacks(D.Categorical.entropy, "base", "axis", "dim")


@cell("entropy / rows that do not sum to 1")
def _() -> None:
    near(silent(lambda: D.Categorical(probs=2 * TARGET)).entropy(), ENTROPIES)
    near(silent(torch.special.entr, t(2)), -2 * LOG_2)


@cell("entropy / no row")
def _() -> None:
    shape(D.Categorical(probs=TARGET[:0]).entropy(), 0)


@cell("entropy / log-probabilities given")
def _(got: str, right: str) -> None:
    logs = t([0.1, 0.9]).log()
    shares = logs / logs.sum()
    near(silent(categorical, logs).entropy(), -(shares * shares.log()).sum())
    reads(got, categorical(logs).entropy())
    reads(right, ENTROPIES[1])
    near(torch.special.entr(logs), [-INF, -INF])


@cell("entropy / p = 0")
def _(left: str) -> None:
    assert torch.special.entr(t([0, 1])).sum() == 0
    entropy = categorical([0, 1]).entropy()
    near(entropy, -math.log1p(-(2**-52)), 1e-6)
    reads(left, entropy)


@cell("entropy / negative probabilities")
def _() -> None:
    refuses(ValueError, lambda: categorical([-1, 2]))
    near(torch.special.entr(t(-1)), -INF)


@cell("entropy / of a density")
def _() -> None:
    near(D.Normal(0, t(0.01)).entropy(), 0.5 + HALF_LOG_2PI + math.log(0.01))
    assert D.Normal(0, t(0.01)).entropy() < 0


@cell("hinge-focal / hinge")
def _() -> None:
    embedding = F.hinge_embedding_loss(t([0.5, 0.5, -3]), t([1, -1, 1]), reduction="none")
    near(embedding, [0.5, 0.5, -3])  # the hinge would be 0.5, 1.5 and 4
    margin = F.multi_margin_loss(t([[0, 0.5, 1]]), torch.tensor([1]))
    near(margin, (max(0, 1 - 0.5 + 0) + max(0, 1 - 0.5 + 1)) / 3)
    assert {name for name in cell.names if "hinge" in name.lower()} == {
        "HingeEmbeddingLoss",
        "hinge_embedding_loss",
    }


@cell("hinge-focal / focal")
def _() -> None:
    assert not any("focal" in name.lower() for name in cell.names)
