"""What the chapters' sections "In code elsewhere" say beyond the tables, against the libraries.

Each test names the chapter and words of the sentence that it tests, so that whoever changes the
one finds the other. What the tables say as well is tested in tests/libraries/.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

import nllbook
from web.source import CHAPTERS

Test = Callable[[], None]
SENTENCES: dict[tuple[str, str], Test] = {}

X = [1.0, 2.0, 6.0]  # mean 3, squared deviations 4, 1, 9
DESIGN = np.array([[0.0, 1], [1, -1], [2, 0], [3, 1], [4, -2], [5, 2]])
Y = np.array([1.0, 2, 2, 4, 9, 6])


def says(chapter: str, words: str) -> Callable[[Test], Test]:
    """Registers the test of a sentence in the chapter's section."""

    def register(test: Test) -> Test:
        SENTENCES[chapter, words] = test
        return test

    return register


def near(got: Any, expected: Any, rel: float = 1e-6) -> None:
    np.testing.assert_allclose(np.asarray(got), np.asarray(expected), rtol=rel, atol=1e-7)


def section(chapter: str) -> str:
    text = (CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")
    if chapter == "other-libraries":
        return text
    found = re.search(r"(?s)^\(sec-elsewhere[\w-]*\)=\n(.*?)^\(sec-summary", text, re.MULTILINE)
    assert found, f"{chapter} has no section “In code elsewhere”"
    return found[1]


@says("likelihood", "returns `-inf` for a negative whole number, but for a fraction a number")
def _() -> None:
    torch = import_module("torch")
    free = torch.distributions.Poisson(torch.tensor(2.0), validate_args=False)
    assert free.log_prob(torch.tensor(-1.0)) == -math.inf
    assert math.isfinite(free.log_prob(torch.tensor(1.5)))
    assert stats.poisson.logpmf(1.5, 2) == -math.inf


@says("likelihood", "for constant data SciPy returns a scale of 0, or of rounding errors")
def _() -> None:
    assert stats.norm.fit([2.0] * 3) == (2, 0)
    assert 0 < stats.norm.fit([0.1] * 3)[1] < 1e-15


@says("likelihood", "SciPy's scale is one over the rate, and without `floc=0` it fits a shift")
def _() -> None:
    near(stats.expon.fit(X, floc=0), (0, 3))
    near(stats.expon.fit(X), (1, 2))


@says("likelihood", "`uniform.fit(x)` gives (low, width)")
def _() -> None:
    near(stats.uniform.fit(X), (1, 5))


@says("likelihood", "SciPy's discrete distributions have no `.fit`")
def _() -> None:
    assert not any(hasattr(one, "fit") for one in (stats.poisson, stats.bernoulli, stats.binom))
    found = stats.fit(stats.poisson, [1, 2, 6], {"mu": (0, 10)})
    near(found.params.mu, 3, 1e-2)  # approximate: the search starts at random


@says("likelihood", "`torch.std(x)` and pandas divide by $n - 1$ unless told otherwise")
def _() -> None:
    torch = import_module("torch")
    near(np.std(X), math.sqrt(14 / 3))
    near(torch.std(torch.tensor(X)), math.sqrt(14 / 2))
    near(torch.std(torch.tensor(X), correction=0), math.sqrt(14 / 3))


@says("likelihood", "`GaussianMixture.score` is a mean, `KernelDensity.score` a sum")
def _() -> None:
    mixture = import_module("sklearn.mixture").GaussianMixture(1, reg_covar=0)
    kernel = import_module("sklearn.neighbors").KernelDensity(bandwidth=1.0)
    x = np.array(X)[:, None]
    near(mixture.fit(x).score(x), stats.norm.logpdf(X, 3, math.sqrt(14 / 3)).mean())
    near(kernel.fit(x).score(x), np.log(stats.norm.pdf(x - x.T).mean(axis=1)).sum())


@says("log-likelihood", "`scipy.stats.norm.nnlf((mean, std), x)` is $-\\ell$, a sum")
def _() -> None:
    near(stats.norm.nnlf((0, 1), X), 41 / 2 + 1.5 * math.log(2 * math.pi))


@says("log-likelihood", "returns (shape, loc, scale) with scale = 1/rate")
def _() -> None:
    shape, loc, scale = stats.gamma.fit(X, floc=0)
    near((shape, 0, 1 / scale), (nllbook.Gamma.fit(X).shape, loc, nllbook.Gamma.fit(X).rate), 1e-5)


@says("log-likelihood", "are `scipy.special.gammaln`, `.digamma`, `.polygamma(1, ·)`, and `torch")
def _() -> None:
    torch = import_module("torch")
    t = torch.tensor(2.5, dtype=torch.float64)
    ours = [float(one(2.5)) for one in (nllbook.lgamma, nllbook.digamma, nllbook.trigamma)]
    near([special.gammaln(2.5), special.digamma(2.5), special.polygamma(1, 2.5)], ours)
    near([torch.lgamma(t), torch.digamma(t), torch.polygamma(1, t)], ours)


@says("log-likelihood", "It starts as the identity and may still be that when the search stops")
def _() -> None:
    at_the_optimum = optimize.minimize(lambda x: 50 * float(x @ x), [0.0], method="BFGS")
    near(at_the_optimum.hess_inv, [[1]])  # and not 1/100


@says("negative-log-likelihood", "take `maximize=True`, but for `LBFGS` and `Muon`")
def _() -> None:
    optim = import_module("torch").optim
    classes = {
        name
        for name, one in vars(optim).items()
        if inspect.isclass(one) and issubclass(one, optim.Optimizer) and one is not optim.Optimizer
    }
    lacking = {
        name
        for name in classes
        if "maximize" not in inspect.signature(getattr(optim, name)).parameters
    }
    assert lacking == {"LBFGS", "Muon"}
    assert len(classes) > 10


@says("negative-log-likelihood", "`scipy.optimize.minimize` has no such switch")
def _() -> None:
    assert "maximize" not in inspect.signature(optimize.minimize).parameters


@says("cross-entropy-and-kl", "`scipy.stats.differential_entropy` estimates $h$ from samples")
def _() -> None:
    x = np.random.default_rng(2026).standard_normal(10_000)
    near(stats.differential_entropy(x), 0.5 * math.log(2 * math.pi * math.e), 0.02)


@says("cross-entropy-and-kl", "and of those of PyTorch that have it")
def _() -> None:
    distributions = import_module("torch").distributions
    with pytest.raises(NotImplementedError):
        distributions.VonMises(0.0, 1.0).entropy()
    near(distributions.Exponential(2.0).entropy(), 1 - math.log(2))


@says(
    "mse-as-gaussian-nll", "also fits a scale, by a criterion of its own, and has a small penalty"
)
def _() -> None:
    model = import_module("sklearn.linear_model").HuberRegressor
    assert 0 < inspect.signature(model).parameters["alpha"].default < 1e-3
    assert model().fit(DESIGN, Y).scale_ > 0


@says("mse-as-gaussian-nll", "`QuantileRegressor(quantile=q)`, which penalises the weights unless")
def _() -> None:
    model = import_module("sklearn.linear_model").QuantileRegressor
    near(model(quantile=0.5).fit(DESIGN, Y).coef_, [0, 0])  # alpha=1: nothing is left
    free = model(quantile=0.5, alpha=0).fit(DESIGN, Y)
    assert abs(free.coef_).min() > 0.1


@says("mse-as-gaussian-nll", "`PoissonRegressor` has the log link and penalises the weights unless")
def _() -> None:
    model = import_module("sklearn.linear_model").PoissonRegressor
    free = model(alpha=0, tol=1e-10, max_iter=1000).fit(DESIGN, Y)
    rates = np.exp(free.intercept_ + DESIGN @ free.coef_)
    near(free.predict(DESIGN), rates)
    near(np.c_[np.ones(6), DESIGN].T @ (rates - Y), [0] * 3, 1e-3)  # the score equations
    penalised = model(tol=1e-10, max_iter=1000).fit(DESIGN, Y)
    assert np.linalg.norm(penalised.coef_) < 0.9 * np.linalg.norm(free.coef_)


@says("mse-as-gaussian-nll", "is SSE + `alpha` ‖w‖², the intercept free: `alpha` is the λ above")
def _() -> None:
    ridge = import_module("sklearn.linear_model").Ridge(alpha=3.0).fit(DESIGN, Y)
    a = np.c_[np.ones(6), DESIGN]
    near([ridge.intercept_, *ridge.coef_], np.linalg.solve(a.T @ a + np.diag([0, 3, 3]), a.T @ Y))


@says("mse-as-gaussian-nll", "adds `weight_decay * w` to the gradient: with `MSELoss` it is")
def _() -> None:
    torch = import_module("torch")
    strength, x, y = 3.0, torch.tensor(DESIGN), torch.tensor(Y)
    w = torch.tensor([0.5, -0.25], dtype=torch.float64, requires_grad=True)
    step = torch.optim.SGD([w], lr=0.1, weight_decay=2 * strength / len(Y))
    torch.nn.functional.mse_loss(x @ w, y).backward()
    before = w.detach().numpy().copy()
    step.step()
    slope = (2 * DESIGN.T @ (DESIGN @ before - Y) + 2 * strength * before) / len(Y)
    near(w.detach(), before - 0.1 * slope)


@says("classification-losses", "`LogisticRegression(C=1.0)` has a penalty by default")
def _() -> None:
    model = import_module("sklearn.linear_model").LogisticRegression
    labels = np.array([0, 1, 0, 1, 0, 1])
    default, free = (model(tol=1e-10, **how).fit(DESIGN, labels) for how in ({}, {"C": np.inf}))
    assert inspect.signature(model).parameters["C"].default == 1
    assert default.coef_.shape == (1, 2)  # two classes, one column of weights
    for fitted, penalty in ((default, 1.0), (free, 0.0)):
        error = special.expit(fitted.decision_function(DESIGN)) - labels
        near(error.sum(), 0, 1e-3)
        near(DESIGN.T @ error + penalty * fitted.coef_[0], [0, 0], 1e-3)


@says("classification-losses", "halves the sum for two classes unless `scale_by_half=False`")
def _() -> None:
    brier = import_module("sklearn.metrics").brier_score_loss
    near(brier([0, 1], [0.2, 0.7]), (0.2**2 + 0.3**2) / 2)
    near(brier([0, 1], [0.2, 0.7], scale_by_half=False), 0.2**2 + 0.3**2)
    three = [[0.5, 0.25, 0.25]]
    near(brier([0], three, labels=[0, 1, 2]), 0.5**2 + 2 * 0.25**2)


@says("classification-losses", '`CalibratedClassifierCV`, with the method `"temperature"`')
def _() -> None:
    model = import_module("sklearn.calibration").CalibratedClassifierCV
    logistic = import_module("sklearn.linear_model").LogisticRegression()
    x = np.arange(20.0)[:, None]
    labels = np.tile([0, 1, 0, 1, 1, 0, 1, 0, 1, 1], 2)
    assert model(logistic, method="temperature", cv=2).fit(x, labels).predict_proba(x).shape == (
        20,
        2,
    )


@says("other-libraries", "the same number, and the same gradient")
def _() -> None:
    torch = import_module("torch")
    y, slopes, losses = torch.tensor([0, 2]), [], []
    for last, loss in (
        (torch.nn.Identity(), torch.nn.CrossEntropyLoss()),
        (torch.nn.LogSoftmax(1), torch.nn.NLLLoss()),
    ):
        z = torch.tensor([[2.0, 0, 0], [0, 1, 3]], requires_grad=True)
        losses.append(loss(last(z), y))
        losses[-1].backward()
        slopes.append(z.grad)
    near(
        losses[0].detach(),
        (math.log(math.exp(2) + 2) - 2 + math.log(1 + math.e + math.exp(3)) - 3) / 2,
    )
    near(losses[0].detach(), losses[1].detach())
    near(*slopes)


@says("other-libraries", "for both, `ignore_index` and class weights mean the same")
def _() -> None:
    nn = import_module("torch").nn
    torch = import_module("torch")
    z, y, weights = (
        torch.tensor([[2.0, 0], [0, 1], [3, 1]]),
        torch.tensor([0, 1, 1]),
        torch.tensor([1.0, 4]),
    )
    for how in ({"ignore_index": 0}, {"weight": weights}, {"ignore_index": 0, "weight": weights}):
        near(nn.CrossEntropyLoss(**how)(z, y), nn.NLLLoss(**how)(z.log_softmax(1), y))


@says(
    "other-libraries", "1 less the ratio of the log loss to that of the frequencies of the classes"
)
def _() -> None:
    metrics = import_module("sklearn.metrics")
    y, p = [0, 1, 1], [0.1, 0.8, 0.9]
    frequencies = -(math.log(1 / 3) + 2 * math.log(2 / 3)) / 3
    loss = -(math.log(0.9) + math.log(0.8) + math.log(0.9)) / 3
    near(metrics.d2_log_loss_score(y, p), 1 - loss / frequencies)


@says("other-libraries", "string labels need its `pos_label`, where `log_loss` goes by their order")
def _() -> None:
    metrics = import_module("sklearn.metrics")
    with pytest.raises(ValueError, match="pos_label"):
        metrics.brier_score_loss(["ham", "spam"], [0.2, 0.7])
    got = metrics.brier_score_loss(["ham", "spam"], [0.2, 0.7], pos_label="spam")
    near(got, (0.2**2 + 0.3**2) / 2)
    near(metrics.log_loss(["ham", "spam"], [0.2, 0.7]), -(math.log(0.8) + math.log(0.7)) / 2)


@says("other-libraries", "the second has it as `power=1`")
def _() -> None:
    metrics = import_module("sklearn.metrics")
    y, rate = [3.0, 1.0], [2.0, 2.0]
    poisson = metrics.mean_poisson_deviance(y, rate)
    near(metrics.mean_tweedie_deviance(y, rate, power=1), poisson)
    gamma = sum(2 * (math.log(m / one) + one / m - 1) for one, m in zip(y, rate, strict=True)) / 2
    near(metrics.mean_gamma_deviance(y, rate), gamma)


@says("other-libraries", "takes a list of *labels*, not probabilities, and is deprecated")
def _() -> None:
    import_module("sklearn.metrics")
    entropy = import_module("sklearn.metrics.cluster").entropy
    with pytest.warns(FutureWarning, match="deprecated"):
        near(entropy([7, 7, 8, 8]), math.log(2))


@pytest.mark.parametrize(("chapter", "words"), SENTENCES, ids=[key[1] for key in SENTENCES])
def test_the_sentence_stands_in_the_chapter(chapter: str, words: str) -> None:
    assert words in section(chapter), f"{chapter}.md has it no longer: mend the words or the test"


@pytest.mark.slow
@pytest.mark.parametrize(("chapter", "words"), SENTENCES, ids=[key[1] for key in SENTENCES])
def test_the_sentence_is_true(chapter: str, words: str) -> None:
    SENTENCES[chapter, words]()
