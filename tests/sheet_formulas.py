"""The formulas of the cheat sheet, each with a computation of it that knows nothing of the sheet.

A check names the formulas it stands for, letter by letter as the sheet has them, and computes them
a second time: against nllbook, by sums over all cases, integrals and finite differences. (That the
letters and the Python below them say the same is for the eye.) tests/test_cheat_sheet.py runs them.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, optimize, special, stats

import nllbook as nb
from nllbook.distributions import Distribution


@dataclass(frozen=True)
class Check:
    """Formulas of the sheet, in entries that link to the claim, and what computes them again."""

    claim: str
    formulas: tuple[str, ...]
    run: Callable[[], None]


CHECKS: list[Check] = []


def sheet(claim: str, *formulas: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Say for which formulas of the sheet the function below stands."""

    def keep(run: Callable[[], None]) -> Callable[[], None]:
        CHECKS.append(Check(claim, formulas, run))
        return run

    return keep


# ---- what the formulas are computed from

LOG_2PI = math.log(2 * math.pi)
P = np.array([0.5, 0.3, 0.2])  # two distributions over three outcomes
Q = np.array([0.2, 0.3, 0.5])
COUNTS = np.array([0, 2, 1, 4, 0, 1])
REALS = np.array([-1.0, 0.5, 2.0, 2.5, 7.0])
Z = np.array([[0.3, -1.2, 2.0], [1.5, 0.0, -0.4]])  # logits
Y = np.array([1, 0])


def h(theta: Any) -> Any:
    return -theta * np.log(theta) - (1 - theta) * np.log(1 - theta)


def lse(z: Any) -> Any:
    return np.log(np.sum(np.exp(z), axis=-1))


def sp(z: Any) -> Any:
    return np.log(1 + np.exp(z))


def sigma(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any) -> Any:
    return np.exp(z - lse(z)[..., None])


def H(p: Any, q: Any = None) -> Any:
    return -np.sum(p * np.log(p if q is None else q), axis=-1)


def KL(p: Any, q: Any) -> Any:
    return np.sum(p * np.log(p / q), axis=-1)


def slope(f: Callable[[float], Any], x: float, step: float = 1e-6) -> Any:
    return (f(x + step) - f(x - step)) / (2 * step)


def bend(f: Callable[[float], Any], x: float, step: float = 1e-4) -> Any:
    return (f(x + step) - 2 * f(x) + f(x - step)) / step**2


def gradient(f: Callable[[Any], Any], x: Any, step: float = 1e-6) -> Any:
    steps = step * np.eye(len(x))
    return np.array([(f(x + one) - f(x - one)) / (2 * step) for one in steps])


def mean_under(density: Callable[[float], float], f: Callable[[float], float]) -> float:
    """E[f(X)] for a density on the line that is hardly anything beyond ±60."""
    value, _ = integrate.quad(
        lambda x: density(x) * f(x), -60, 60, points=[-1, 0, 1, 2], limit=400, epsabs=1e-11
    )
    return float(value)


def c_nu(nu: float) -> float:
    return math.sqrt(nu * math.pi) * math.gamma(nu / 2) / math.gamma((nu + 1) / 2)


def c_delta(delta: float) -> float:
    root = math.sqrt(2 * math.pi) * math.erf(delta / math.sqrt(2))
    return root + 2 / delta * math.exp(-(delta**2) / 2)


@sheet(
    "notation",
    r"$r = y - \mu$, $z = r/\sigma$ with a scale $\sigma > 0$",
    r"1 bit = $\log 2$ nats",
    r"$\sigma(z) = 1/(1 + e^{-z})$, $\operatorname{sp}(z) = \log(1 + e^z)$",
    r"$\operatorname{lse}(z) = \log\sum_c e^{z_c}$",
    r"$\operatorname{softmax}(z)_c = e^{z_c - \operatorname{lse}(z)}$",
    r"$h_2(\theta) = -\theta\log\theta - (1-\theta)\log(1-\theta)$",
)
def _() -> None:
    assert_allclose(nb.surprisal(0.5), math.log(2) * nb.surprisal(0.5, base=2), rtol=1e-12)
    assert_allclose(nb.sigmoid(Z), sigma(Z), rtol=1e-12)
    assert_allclose(nb.softplus(Z), sp(Z), rtol=1e-12)
    assert_allclose(nb.logsumexp(Z), lse(Z), rtol=1e-12)
    assert_allclose(nb.softmax(Z), softmax(Z), rtol=1e-12)
    assert_allclose(nb.binary_entropy(0.3), h(0.3), rtol=1e-12)


# ---- the table of distributions


def distribution(
    x: Any,
    model: Callable[..., Distribution],
    at: tuple[float, ...],
    *,
    p: Any,
    nll: Any,
    information: Any = None,
    entropy: float | None = None,
) -> None:
    """A row: its density, NLL, entropy and information, for the model at these parameters.

    The information is E[score scoreᵀ], summed over x (integrated, where x has more than 100 steps).
    """
    here = model(*at)
    assert_allclose(here.prob(x), p, rtol=1e-10)
    assert_allclose(-np.asarray(here.log_prob(x)), nll, rtol=1e-10, atol=1e-12)
    if entropy is not None:
        assert_allclose(here.entropy(), entropy, rtol=1e-10)
    if information is not None:
        scores = gradient(lambda theta: np.asarray(model(*theta).log_prob(x)), np.array(at))
        weight = p * (x[1] - x[0]) if len(x) > 100 else p
        assert_allclose((scores * weight) @ scores.T, np.atleast_2d(information), atol=2e-4)


@sheet(
    "mle-bernoulli",
    r"$\theta^x(1-\theta)^{1-x}$, $x \in \{0,1\}$ | $-x\log\theta - (1-x)\log(1-\theta)$",
    r"$\hat\theta = \bar x$, the share of ones | all 0: $\hat\theta = 0$; all 1: $\hat\theta = 1$",
    r"$1/(\theta(1-\theta))$, $0 < \theta < 1$ | $h_2(\theta)$",
)
def _() -> None:
    x, t = np.array([0, 1]), 0.3
    p, nll = t**x * (1 - t) ** (1 - x), -x * np.log(t) - (1 - x) * np.log(1 - t)
    distribution(x, nb.Bernoulli, (t,), p=p, nll=nll, information=1 / (t * (1 - t)), entropy=h(t))
    data = [1, 0, 0, 1, 0]
    assert nb.Bernoulli.fit(data).p == sum(data) / len(data)
    assert (nb.Bernoulli.fit([0, 0]).p, nb.Bernoulli.fit([1, 1]).p) == (0, 1)


@sheet(
    "mle-categorical",
    r"$p_x$, $x \in \{1, \dots, k\}$ | $-\log p_x$ | $\hat p_c = n_c/n$",
    r"class not seen: $\hat p_c = 0$",
    r"$\operatorname{Cov}\hat p = (\operatorname{diag} p - pp^{\mathsf T})/n$",
    r"$-\sum_c p_c\log p_c$",
)
def _() -> None:
    model = nb.Categorical(P)
    distribution(np.arange(3), lambda: model, (), p=P, nll=-np.log(P), entropy=H(P))
    assert_array_equal(nb.Categorical.fit([0, 2, 2, 0], k=3).probs, [2 / 4, 0, 2 / 4])
    n = 2  # all pairs of samples, each with its probability
    pairs = list(itertools.product(range(3), repeat=n))
    weight = np.array([P[a] * P[b] for a, b in pairs])
    shares = np.array([nb.Categorical.fit(pair, k=3).probs for pair in pairs]) - P
    assert_allclose((shares.T * weight) @ shares, (np.diag(P) - np.outer(P, P)) / n, atol=1e-15)


@sheet(
    "entropy-is-expected-nll",
    r"$\theta(1-\theta)^{x-1}$, $x = 1, 2, \dots$ | $-\log\theta - (x-1)\log(1-\theta)$",
    r"$\hat\theta = 1/\bar x$ | all 1: $\hat\theta = 1$",
    r"$1/(\theta^2(1-\theta))$, $0 < \theta < 1$ | $h_2(\theta)/\theta$",
)
def _() -> None:
    t, x = 0.3, np.arange(1, 200)
    p = stats.geom(t).pmf(x)
    assert_allclose(p, t * (1 - t) ** (x - 1), rtol=1e-10)

    def nll(t: float) -> Any:
        return -np.log(t) - (x - 1) * np.log(1 - t)

    assert_allclose(nll(t), -np.log(p), rtol=1e-10)
    assert_allclose(np.sum(p * slope(nll, t) ** 2), 1 / (t**2 * (1 - t)), rtol=1e-6)
    assert_allclose(np.sum(p * nll(t)), h(t) / t, rtol=1e-10)
    data = COUNTS + 1
    best = 1 / data.mean()
    assert abs(slope(lambda t: -np.mean(np.log(t) + (data - 1) * np.log(1 - t)), best)) < 1e-6
    thetas = np.linspace(0.01, 1, 100)
    assert thetas[np.argmax(3 * np.log(thetas))] == 1  # three samples, all 1


@sheet(
    "mle-poisson",
    r"$\lambda^x e^{-\lambda}/x!$, $x = 0, 1, \dots$ | $\lambda - x\log\lambda + \log x!$",
    r"$\hat\lambda = \bar x$ | all 0: $\hat\lambda = 0$",
    r"$1/\lambda$, $\lambda > 0$ | no formula |",
)
def _() -> None:
    x, rate = np.arange(60), 2.5
    p = rate**x * np.exp(-rate) / special.factorial(x)
    nll = rate - x * np.log(rate) + special.gammaln(x + 1)
    distribution(x, nb.Poisson, (rate,), p=p, nll=nll, information=1 / rate)
    assert nb.Poisson.fit(COUNTS).rate == COUNTS.mean()
    assert nb.Poisson.fit([0, 0]).rate == 0


def refuses_constant(model: type[Distribution], value: float, **options: Any) -> None:
    with pytest.raises(ValueError, match="without bound"):
        model.fit([value] * 3, **options)


@sheet(
    "mle-exponential",
    r"$r e^{-rx}$, $x \ge 0$ | $rx - \log r$ | $\hat r = 1/\bar x$",
    r"all 0: none | $1/r^2$ | $1 - \log r$",
)
def _() -> None:
    x, r = np.linspace(0, 30, 60_001), 1.7
    distribution(
        x,
        nb.Exponential,
        (r,),
        p=r * np.exp(-r * x),
        nll=r * x - np.log(r),
        information=1 / r**2,
        entropy=1 - np.log(r),
    )
    assert_allclose(nb.Exponential.fit(COUNTS).rate, 1 / COUNTS.mean(), rtol=1e-12)
    refuses_constant(nb.Exponential, 0.0)


@sheet(
    "no-closed-form",
    r"$r^k x^{k-1} e^{-rx}/\Gamma(k)$, $x > 0$",
    r"$rx - (k-1)\log x - k\log r + \log\Gamma(k)$",
    r"$\log\hat k - \psi(\hat k) = \log\bar x - \overline{\log x}$,",
    r"$\hat r = \hat k/\bar x$ | all equal: none",
    r"$k$: $\psi'(k)$, $r$: $k/r^2$, mixed: $-1/r$ | $k - \log r + \log\Gamma(k) + (1-k)\psi(k)$",
)
def _() -> None:
    x, k, r = np.linspace(1e-4, 30, 100_001), 2.6, 1.4
    distribution(
        x,
        nb.Gamma,
        (k, r),
        p=r**k * x ** (k - 1) * np.exp(-r * x) / math.gamma(k),
        nll=r * x - (k - 1) * np.log(x) - k * np.log(r) + math.lgamma(k),
        information=[[special.polygamma(1, k), -1 / r], [-1 / r, k / r**2]],
        entropy=k - np.log(r) + math.lgamma(k) + (1 - k) * special.digamma(k),
    )
    data = np.array([0.3, 1.0, 2.5, 0.7])
    best = nb.Gamma.fit(data)
    spread = np.log(data.mean()) - np.log(data).mean()
    assert_allclose(np.log(best.shape) - special.digamma(best.shape), spread, rtol=1e-9)
    assert_allclose(best.rate, best.shape / data.mean(), rtol=1e-12)
    refuses_constant(nb.Gamma, 2.0)


LINE = np.linspace(-60, 60, 240_001)


@sheet(
    "mle-gaussian",
    r"$e^{-z^2/2}/(\sigma\sqrt{2\pi})$, $z = (x-\mu)/\sigma$",
    r"$z^2/2 + \log\sigma + \frac12\log 2\pi$",
    r"$\hat\mu = \bar x$, $\hat\sigma^2 = \frac1n\sum_i(x_i - \bar x)^2$ | all equal: none",
    r"$\mu$: $1/\sigma^2$, $\sigma$: $2/\sigma^2$, mixed: 0 | $\frac12\log(2\pi e\,\sigma^2)$",
)
def _() -> None:
    mu, s = 0.7, 1.6
    z = (LINE - mu) / s
    distribution(
        LINE,
        nb.Gaussian,
        (mu, s),
        p=np.exp(-(z**2) / 2) / (s * math.sqrt(2 * math.pi)),
        nll=z**2 / 2 + np.log(s) + LOG_2PI / 2,
        information=np.diag([1 / s**2, 2 / s**2]),
        entropy=np.log(2 * math.pi * math.e * s**2) / 2,
    )
    best = nb.Gaussian.fit(REALS)
    assert_allclose(best.mean, REALS.mean(), rtol=1e-12)
    assert_allclose(best.std**2, np.mean((REALS - REALS.mean()) ** 2), rtol=1e-12)
    refuses_constant(nb.Gaussian, 2.0)


@sheet(
    "mae-is-laplace-nll",
    r"$e^{-\lvert z\rvert}/(2b)$, $z = (x-m)/b$ | $\lvert z\rvert + \log 2b$",
    r"$\hat m$ = a median, $\hat b = \frac1n\sum_i\lvert x_i - \hat m\rvert$ | all equal: none",
    r"$m$: $1/b^2$, $b$: $1/b^2$, mixed: 0 | $1 + \log 2b$",
)
def _() -> None:
    m, b = 0.70013, 1.6  # the kink lies between two points of the line
    z = (LINE - m) / b
    distribution(
        LINE,
        nb.Laplace,
        (m, b),
        p=np.exp(-abs(z)) / (2 * b),
        nll=abs(z) + np.log(2 * b),
        information=np.diag([1 / b**2, 1 / b**2]),
        entropy=1 + np.log(2 * b),
    )
    best = nb.Laplace.fit(REALS)
    assert best.loc == np.median(REALS)
    assert_allclose(best.scale, np.mean(abs(REALS - np.median(REALS))), rtol=1e-12)
    refuses_constant(nb.Laplace, 2.0)


@sheet(
    "huber-and-student",
    r"$(1 + z^2/\nu)^{-(\nu+1)/2}/(\sigma C_\nu)$",
    r"$\frac{\nu+1}2\log(1 + z^2/\nu) + \log\sigma + \log C_\nu$ | no formula; $\nu$ given |",
    r"from $n\nu/(\nu+1)$ equal: none, or many",
    r"$\mu$: $\frac{\nu+1}{(\nu+3)\sigma^2}$, $\sigma$: $\frac{2\nu}{(\nu+3)\sigma^2}$, mixed: 0",
    r"$\frac{\nu+1}2\big(\psi(\frac{\nu+1}2) - \psi(\frac\nu2)\big) + \log\sigma C_\nu$",
)
def _() -> None:
    nu, mu, s = 5.0, 0.7, 1.6
    z = (LINE - mu) / s
    nll = (nu + 1) / 2 * np.log(1 + z**2 / nu) + np.log(s) + np.log(c_nu(nu))
    distribution(
        LINE,
        lambda mu, s: nb.StudentT(nu, mu, s),
        (mu, s),
        p=(1 + z**2 / nu) ** (-(nu + 1) / 2) / (s * c_nu(nu)),
        nll=nll,
        information=np.diag([nu + 1, 2 * nu]) / ((nu + 3) * s**2),
        entropy=(nu + 1) / 2 * (special.digamma((nu + 1) / 2) - special.digamma(nu / 2))
        + np.log(s * c_nu(nu)),
    )
    few, many = [0.0] * 3 + [1.0, 2.0], [0.0] * 4 + [1.0]  # 3 and 4 of 5, about 5 · 2/3
    nb.StudentT.fit(few, df=2)
    for data, df in ((many, 2), ([0.0, 0, 1, -1], 1)):
        with pytest.raises(ValueError, match="without bound"):
            nb.StudentT.fit(data, df=df)

    def cauchy(data: list[float], mu: float, s: float) -> Any:
        return nb.nll(data, nb.StudentT(1, mu, s))

    # 2 of 4 are equal, at ν = 1 just the limit: at 0 ever better as σ falls, nowhere else as good
    falling = [cauchy([0, 0, 1, -1], 0, s) for s in (1, 0.1, 0.01, 0.001)]
    assert np.all(np.diff(falling) < 0)
    grid = itertools.product(np.linspace(-2, 2, 81), np.geomspace(1e-2, 10, 40))
    assert min(cauchy([0, 0, 1, -1], mu, s) for mu, s in grid) > falling[-1]
    # 1 of 2: the best parameters are a half circle
    angles = (0.3, 1.0, 2.5)
    circle = [cauchy([0, 1], (1 + math.cos(a)) / 2, math.sin(a) / 2) for a in angles]
    assert_allclose(circle, circle[0], rtol=1e-12)
    assert circle[0] < min(cauchy([0, 1], 0.5, 0.4), cauchy([0, 1], 0.5, 0.6))


@sheet(
    "mle-uniform-boundary",
    r"$1/\theta$, $0 \le x \le \theta$ | $\log\theta$",
    r"$\hat\theta = \max_i x_i$, where $\ell' \ne 0$",
    r"all 0, or on $[0, \theta)$: none | the support moves | $\log\theta$",
)
def _() -> None:
    x, theta = np.array([0, 0.5, 3.0]), 3.0
    log_likelihoods = [nb.log_likelihood(x, nb.Uniform(0, t)) for t in (2.999, theta, 3.001)]
    distribution(
        x, lambda: nb.Uniform(0, theta), (), p=1 / theta, nll=np.log(theta), entropy=np.log(theta)
    )
    assert log_likelihoods[0] == -np.inf
    assert log_likelihoods[1] > log_likelihoods[2]
    assert_allclose((log_likelihoods[2] - log_likelihoods[1]) / 0.001, -3 / theta, rtol=1e-3)
    zeros = [nb.log_likelihood([0.0, 0.0], nb.Uniform(0, t)) for t in (1.0, 1e-9, 1e-99)]
    assert np.all(np.diff(zeros) > 30)

    def half_open(t: float) -> float:
        return -3 * math.log(t) if np.all(x < t) else -np.inf

    assert half_open(3.1) < half_open(3.001) < half_open(3 + 1e-9)
    assert half_open(3.0) == -np.inf


# ---- the table of losses


def loss(
    found: tuple[Any, Any], value: Any, by_output: Any, constants: Callable[[float], Any], at: float
) -> None:
    """A row: the losses of the samples, their gradients, and the best constant ``at``."""
    assert_allclose(found[0], value, rtol=1e-10)
    assert_allclose(found[1], by_output, rtol=1e-10, atol=1e-12)
    assert constants(at) < min(constants(at - 0.01), constants(at + 0.01))


@sheet(
    "mse-is-gaussian-nll",
    r"Gaussian, one fixed $\sigma$ | $\mu$ | $z^2/2 + \log\sigma + \frac12\log 2\pi$",
    r"$-z/\sigma = (\mu - y)/\sigma^2$ | the mean |",
)
def _() -> None:
    mu, s = 0.4, 1.3
    z = (REALS - mu) / s
    v, (g, _) = nb.gaussian_nll(REALS, mu, std=s, reduction="none", return_grad=True)
    value = z**2 / 2 + np.log(s) + LOG_2PI / 2
    loss((v, g), value, -z / s, lambda c: nb.gaussian_nll(REALS, c, std=s), REALS.mean())
    assert_allclose(g, (mu - REALS) / s**2, rtol=1e-10)


@sheet(
    "heteroscedastic",
    r"Gaussian, $\sigma$ computed too | $\mu$, $\log\sigma$ |",
    r"$z^2/2 + \log\sigma + \frac12\log 2\pi$ | $-z/\sigma$, $1 - z^2$",
    r"mean; $\sigma^2$ = MSE $> 0$ |",
)
def _() -> None:
    mu, s = 0.4, 1.3
    z = (REALS - mu) / s
    v, g = nb.gaussian_nll(REALS, mu, log_std=math.log(s), reduction="none", return_grad=True)
    best = math.log(np.mean((REALS - REALS.mean()) ** 2)) / 2
    value = z**2 / 2 + np.log(s) + LOG_2PI / 2
    loss(
        (v, g[1]), value, 1 - z**2, lambda c: nb.gaussian_nll(REALS, REALS.mean(), log_std=c), best
    )
    assert_allclose(g[0], -z / s, rtol=1e-10)


@sheet(
    "mae-is-laplace-nll",
    r"Laplace, scale $\sigma$ | $\mu$ | $\lvert z\rvert + \log 2\sigma$ |",
    r"$-\operatorname{sign}(z)/\sigma$, $z \ne 0$ | a median |",
)
def _() -> None:
    mu, s = 0.4, 1.3
    z = (REALS - mu) / s
    v, (g, _) = nb.laplace_nll(REALS, mu, s, reduction="none", return_grad=True)
    constants = np.median(REALS)
    loss(
        (v, g),
        abs(z) + np.log(2 * s),
        -np.sign(z) / s,
        lambda c: nb.laplace_nll(REALS, c, s),
        float(constants),
    )


@sheet(
    "quantile-is-asymmetric-laplace",
    r"asymmetric Laplace, $0 < q < 1$ | $\mu$ | $\rho_q(z) + \log\sigma - \log(q(1-q))$",
    r"$-q/\sigma$ if $z > 0$, $(1-q)/\sigma$ if $z < 0$ | a $q$-quantile |",
)
@sheet("change-the-model-not-the-loss", r"$\rho_q(z) = \max(qz, (q-1)z)$")
def _() -> None:
    mu, s, q = 0.4, 1.3, 0.7
    z = (REALS - mu) / s
    v, (g, _) = nb.asymmetric_laplace_nll(
        REALS, mu, s, quantile=q, reduction="none", return_grad=True
    )
    value = np.maximum(q * z, (q - 1) * z) + np.log(s) - np.log(q * (1 - q))
    loss(
        (v, g),
        value,
        np.where(z > 0, -q / s, (1 - q) / s),
        lambda c: nb.asymmetric_laplace_nll(REALS, c, s, quantile=q),
        np.quantile(REALS, q, method="inverted_cdf"),
    )
    total, _ = integrate.quad(
        lambda t: q * (1 - q) * math.exp(-max(q * t, (q - 1) * t)), -80, 80, points=[0]
    )
    assert_allclose(total, 1, rtol=1e-8)


def fixed_point(
    weight: Callable[[Any], Any], y: Any = REALS, s: float = 1.3, start: float = 2.2
) -> float:
    mu = start
    for _ in range(500):
        w = weight((y - mu) / s)
        mu = np.sum(w * y) / np.sum(w)
    return float(mu)


@sheet(
    "huber-and-student",
    r"Gaussian centre, Laplace tails | $\mu$ |",
    r"$\rho_\delta(z) + \log\sigma + \log C_\delta$ | $-\max(-\delta, \min(z, \delta))/\sigma$",
    r"mean, weights $\min(1, \delta/\lvert z\rvert)$ |",
)
@sheet(
    "change-the-model-not-the-loss",
    r"$\rho_\delta(z) = z^2/2$ for $\lvert z\rvert \le \delta$, else",
    r"$\delta\lvert z\rvert - \delta^2/2$",
    r"$C_\delta = \sqrt{2\pi}\operatorname{erf}(\delta/\sqrt2) + \frac2\delta e^{-\delta^2/2};$",
)
def _() -> None:
    mu, s, delta = 0.4, 1.3, 0.6
    z = (REALS - mu) / s
    v, (g, _) = nb.huber_nll(REALS, mu, s, delta=delta, reduction="none", return_grad=True)
    rho = np.where(abs(z) <= delta, z**2 / 2, delta * abs(z) - delta**2 / 2)
    loss(
        (v, g),
        rho + np.log(s) + np.log(c_delta(delta)),
        -np.maximum(-delta, np.minimum(z, delta)) / s,
        lambda c: nb.huber_nll(REALS, c, s, delta=delta),
        fixed_point(lambda z: np.minimum(1, delta / abs(z))),
    )


@sheet(
    "huber-and-student",
    r"Student-t; Cauchy: $\nu = 1$ | $\mu$ |",
    r"$\frac{\nu+1}2\log(1 + z^2/\nu) + \log\sigma + \log C_\nu$",
    r"$-(\nu+1)z/((\nu + z^2)\sigma)$ | mean, weights $1/(\nu + z^2)$ |",
)
@sheet(
    "change-the-model-not-the-loss",
    r"$C_\nu = \sqrt{\nu\pi}\,\Gamma(\frac\nu2)/\Gamma(\frac{\nu+1}2),$",
    r"equations ($\mu$ is in $z$), Student-t's with several solutions",
)
def _() -> None:
    mu, s, nu = 0.4, 1.3, 4.0
    z = (REALS - mu) / s
    v, (g, _) = nb.student_t_nll(REALS, mu, s, df=nu, reduction="none", return_grad=True)
    value = (nu + 1) / 2 * np.log(1 + z**2 / nu) + np.log(s) + np.log(c_nu(nu))
    loss(
        (v, g),
        value,
        -(nu + 1) * z / ((nu + z**2) * s),
        lambda c: nb.student_t_nll(REALS, c, s, df=nu),
        fixed_point(lambda z: 1 / (nu + z**2)),
    )
    assert_allclose(nb.StudentT(1, 0, 1).prob(REALS), stats.cauchy.pdf(REALS), rtol=1e-12)
    y = np.array([-5, -4.5, 5, 5.2, 5.1])  # the worse solution is one all the same
    left, right = (fixed_point(lambda z: 1 / (1 + z**2), y, 1.0, at) for at in (-5.0, 5.0))
    assert_allclose(nb.student_t_nll(y, left, 1.0, df=1, return_grad=True)[1][0], 0, atol=1e-9)
    assert nb.student_t_nll(y, left, 1.0, df=1) > nb.student_t_nll(y, right, 1.0, df=1) + 0.5


@sheet(
    "poisson-regression",
    r"Poisson, rate $\lambda$ | $\eta = \log\lambda$ |",
    r"$e^\eta - y\eta + \log y!$ | $e^\eta - y$ | $\log\bar y$ |",
)
def _() -> None:
    eta = 0.4
    found = nb.poisson_nll(COUNTS, log_rate=eta, reduction="none", return_grad=True)
    value = np.exp(eta) - COUNTS * eta + special.gammaln(COUNTS + 1)
    loss(
        found,
        value,
        np.exp(eta) - COUNTS,
        lambda c: nb.poisson_nll(COUNTS, log_rate=c),
        math.log(COUNTS.mean()),
    )


@sheet(
    "bce-is-bernoulli-nll",
    r"Bernoulli; $0 \le y \le 1$, share of ones |",
    r"logit $z$ | $\operatorname{sp}(z) - yz$ | $\sigma(z) - y$",
    r"$\log(\bar y/(1-\bar y))$ |",
)
def _() -> None:
    y, z = np.array([0.0, 1.0, 1.0, 0.25]), 0.8
    found = nb.bernoulli_nll(y, logits=z, reduction="none", return_grad=True)
    best = math.log(y.mean() / (1 - y.mean()))
    loss(found, sp(z) - y * z, sigma(z) - y, lambda c: nb.bernoulli_nll(y, logits=c), best)


@sheet(
    "softmax-ce-is-categorical-nll",
    r"categorical | $k$ logits $z$ |",
    r"$\operatorname{lse}(z) - z_y$ | $\operatorname{softmax}(z) - e_y$",
    r"$\log(n_c/n)$, up to a shift",
)
@sheet("one-hot-equals-index", r"$-\sum_c (e_y)_c\log p_c = -\log p_y$")
@sheet("softmax-gradient", r"$p - e_y$")
def _() -> None:
    one_hot = np.eye(3)[Y]
    value, by_logits = nb.categorical_nll(Y, logits=Z, reduction="none", return_grad=True)
    assert_allclose(value, lse(Z) - Z[[0, 1], Y], rtol=1e-12)
    assert_allclose(value, -np.sum(one_hot * np.log(softmax(Z)), axis=1), rtol=1e-12)
    assert_allclose(by_logits, softmax(Z) - one_hot, rtol=1e-12)
    labels = np.array([0, 0, 1, 2])
    best = np.log(np.bincount(labels) / 4) + 5  # shifted
    _, at_best = nb.categorical_nll(labels, logits=np.tile(best, (4, 1)), return_grad=True)
    assert_allclose(at_best.sum(axis=0), 0, atol=1e-15)


@sheet(
    "soft-labels",
    r"categorical, a share $t_c$ of class $c$ | $k$ logits $z$ |",
    r"$-\sum_c t_c\log\operatorname{softmax}(z)_c \ge H(t)$ | $\operatorname{softmax}(z) - t$",
    r"$\log\bar t_c$, up to a shift",
)
def _() -> None:
    t = np.array([P, Q])
    value, by_logits = nb.categorical_nll(t, logits=Z, reduction="none", return_grad=True)
    assert_allclose(value, -np.sum(t * np.log(softmax(Z)), axis=1), rtol=1e-12)
    assert_allclose(by_logits, softmax(Z) - t, rtol=1e-12)
    assert np.all(value > H(t))
    assert_allclose(nb.categorical_nll(t, logits=np.log(t), reduction="none"), H(t), rtol=1e-12)
    same = np.tile(np.log(t.mean(axis=0)), (2, 1))
    assert_allclose(
        nb.categorical_nll(t, logits=same, return_grad=True)[1].sum(axis=0), 0, atol=1e-15
    )


# ---- beside the losses


@sheet(
    "sigma-mle",
    r"$\sigma^2 = \mathrm{MSE}$, if $> 0$",
    r"$\frac{\mathrm{MSE}}{2\sigma^2} + \log\sigma + \frac12\log 2\pi$",
    r"then $\frac12\log(2\pi e\,\mathrm{MSE})$",
    r"Laplace: MAE, then $\log(2e\,\mathrm{MAE})$",
)
def _() -> None:
    mse, mae = np.mean(REALS**2), np.mean(abs(REALS))
    for s in (0.5, 3.0):
        wanted = mse / (2 * s**2) + np.log(s) + LOG_2PI / 2
        assert_allclose(nb.gaussian_nll(REALS, 0.0, std=s), wanted, rtol=1e-12)
    best = nb.gaussian_nll(REALS, 0.0, variance=mse)
    assert_allclose(best, np.log(2 * math.pi * math.e * mse) / 2, rtol=1e-12)
    assert best < min(nb.gaussian_nll(REALS, 0.0, variance=mse * f) for f in (0.9, 1.1))
    lowest = nb.laplace_nll(REALS, 0.0, mae)
    assert_allclose(lowest, np.log(2 * math.e * mae), rtol=1e-12)
    assert lowest < min(nb.laplace_nll(REALS, 0.0, mae * f) for f in (0.99, 1.01))


@sheet(
    "not-every-loss-is-an-nll",
    r"up to a constant $\iff \sum_y e^{-s(y, z)}$ is the same for all $z$",
    r"Hinge, focal: no multiple",
)
def _() -> None:
    z = np.array([-1.0, 0.3, 2.0])
    bce = [nb.bernoulli_nll(np.full(3, y), logits=z, reduction="none") for y in (0.0, 1.0)]
    assert_allclose(np.exp(-np.array(bce)).sum(axis=0), 1, rtol=1e-12)
    hinge = np.array([np.maximum(0, 1 - y * z) for y in (-1, 1)])
    focal = np.array([-((1 - q) ** 2) * np.log(q) for q in (sigma(-z), sigma(z))])
    for s, c in itertools.product((hinge, focal), (0.2, 1.0, 5.0)):
        assert np.ptp(np.exp(-c * s).sum(axis=0)) > 1e-3


# ---- definitions


@sheet("def-likelihood", r"$L(\theta) = p_\theta(\text{data})$", r"$\prod_i p_\theta(x_i)$ if")
@sheet("log-turns-product-into-sum", r"$\ell(\theta) = \sum_i\log p_\theta(x_i)$")
@sheet("def-nll", r"$= -\ell(\theta)/n$")
@sheet("nll-mean", r"$\mathrm{NLL} = \mathrm E_{\hat p}[-\log p_\theta(X)]$")
@sheet("gradient-of-log-survives", r"$L' = L\,\ell'$, $L > 0$")
@sheet("curvature-standard-error", r"$J = -\ell''(\hat\theta) \approx nI$")
@sheet("mle-equivariance", r"the MLE of $g(\theta)$ is $g(\hat\theta)$, $g$ one-to-one")
def _() -> None:
    model, n = nb.Poisson(1.3), len(COUNTS)
    assert_allclose(nb.likelihood(COUNTS, model), np.prod(model.prob(COUNTS)), rtol=1e-12)
    log_l = nb.log_likelihood(COUNTS, model)
    assert_allclose(log_l, np.sum(model.log_prob(COUNTS)), rtol=1e-12)
    assert_allclose(nb.nll(COUNTS, model), -log_l / n, rtol=1e-12)
    values, times = np.unique(COUNTS, return_counts=True)
    assert_allclose(nb.nll(COUNTS, model), times / n @ -model.log_prob(values), rtol=1e-12)

    def ell(rate: float) -> Any:
        return nb.log_likelihood(COUNTS, nb.Poisson(rate))

    by_product = slope(lambda rate: nb.likelihood(COUNTS, nb.Poisson(rate)), 1.3)
    assert_allclose(by_product, math.exp(log_l) * slope(ell, 1.3), rtol=1e-6)
    best = COUNTS.mean()
    assert_allclose(-bend(ell, best), n / best, rtol=1e-5)  # and I = 1/λ, above
    assert abs(slope(lambda eta: ell(math.exp(eta)), math.log(best))) < 1e-6


@sheet(
    "curvature-standard-error",
    r"$1/\sqrt J$",
    r"model right, smooth, support fixed, $\theta$ inside, $n$ large",
    r"95%: $\hat\theta \pm 1.96/\sqrt J$",
)
def _() -> None:
    """By exact sums: the spread of the Poisson MLE around λ in units of 1/√J tends to 1."""
    n, rate = 400, 2.0
    total = np.arange(1, 3000)
    estimate = total / n
    weight = stats.poisson(n * rate).pmf(total)
    spread = np.sum(weight * n / estimate * (estimate - rate) ** 2)
    assert_allclose(spread, 1, atol=4 / (n * rate))
    near = abs(estimate - rate) <= 1.96 / np.sqrt(n / estimate)
    assert_allclose(np.sum(weight[near]), 0.95, atol=0.005)
    theta, n = 3.0, 400  # the support moves: J = −n/θ̂², and the spread is about θ/n, not θ/√n
    scaled = theta * stats.beta(n, 1).std()
    assert_allclose(scaled, theta / n, rtol=0.01)


@sheet(
    "likelihood-not-a-distribution",
    r"$k$ ones of $n \ge 1$: $\int_0^1 \theta^k(1-\theta)^{n-k}d\theta = \frac{k!(n-k)!}{(n+1)!}$",
)
def _() -> None:
    data = [1, 0, 0, 1, 0]
    area, _ = integrate.quad(lambda t: float(nb.likelihood(data, nb.Bernoulli(t))), 0, 1)
    assert_allclose(area, math.factorial(2) * math.factorial(3) / math.factorial(6), rtol=1e-9)


@sheet("surprisal-adds", r"$-\log p$: 0 at $p = 1$, $\infty$ at 0; adds if independent")
def _() -> None:
    assert (nb.surprisal(1.0), nb.surprisal(0.0)) == (0, np.inf)
    assert_allclose(nb.surprisal(0.2 * 0.7), nb.surprisal(0.2) + nb.surprisal(0.7), rtol=1e-12)
    assert_allclose(nb.surprisal(0.2), -math.log(0.2), rtol=1e-12)


@sheet("def-entropy", r"$H(p) = -\sum_x p(x)\log p(x) \ge 0$")
@sheet("def-cross-entropy", r"$H(p, q) = -\sum_x p(x)\log q(x)$")
@sheet("def-kl", r"$\mathrm{KL}(p\,\|\,q) = \sum_{p(x)>0} p(x)\log\frac{p(x)}{q(x)}$")
@sheet("decomposition", r"$H(p, q) = H(p) + \mathrm{KL}(p\,\|\,q)$, $H(p) < \infty$")
@sheet(
    "gibbs",
    r"$\mathrm{KL}(p\,\|\,q) \ge 0$, 0 only for $p = q$",
    r"Terms $p\log\frac pq$ may be $< 0$, terms $p\log\frac pq - p + q$ not",
)
@sheet(
    "binary-entropy",
    r"$H(p) = \log k - \mathrm{KL}(p\,\|\,\text{uniform}) \le \log k;$",
    r"$h_2''(\theta) = -1/(\theta(1-\theta))$",
)
def _() -> None:
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(4), 50), rng.dirichlet(np.ones(4), 50)
    assert_allclose(nb.entropy(p), H(p), rtol=1e-10)
    assert_allclose(nb.cross_entropy(p, q), H(p, q), rtol=1e-10)
    assert_allclose(nb.kl_divergence(p, q), KL(p, q), rtol=1e-10)
    assert_allclose(
        nb.kl_divergence([0.5, 0.5, 0], [0.2, 0.3, 0.5]),
        KL(P[:0], P[:0]) + 0.5 * math.log(0.5 / 0.2) + 0.5 * math.log(0.5 / 0.3),
        rtol=1e-12,
    )
    assert_allclose(H(p, q), H(p) + KL(p, q), rtol=1e-10)
    assert np.all(nb.entropy(p) > 0)
    assert np.all(nb.kl_divergence(p, q) > 0)
    assert nb.kl_divergence(P, P) == 0
    terms = p * np.log(p / q)
    assert np.any(terms < 0)
    assert np.all(terms - p + q > 0)
    assert_allclose(nb.entropy(p), math.log(4) - KL(p, np.full(4, 0.25)), rtol=1e-10)
    curvature = bend(lambda t: nb.binary_entropy(t), 0.3)
    assert_allclose(curvature, -1 / (0.3 * 0.7), rtol=1e-5)


@sheet("differential-entropy", r"$h(f) = \mathrm E[-\log f(X)]$ may be $< 0$", r"$h + \log|c|$")
def _() -> None:
    f = nb.Gaussian(0.3, 0.8)
    by_integral = mean_under(lambda x: float(f.prob(x)), lambda x: -float(f.log_prob(x)))
    assert_allclose(by_integral, f.entropy(), rtol=1e-8)
    scaled = nb.Gaussian(-3 * 0.3, 3 * 0.8)  # of −3X
    assert_allclose(scaled.entropy(), f.entropy() + math.log(3), rtol=1e-12)
    assert nb.Gaussian(0, 0.1).entropy() < 0


@sheet(
    "perplexity", r"$e^{\mathrm{NLL}}$ in nats, $2^{\mathrm{NLL}}$ in bits", r"$\ge$ the whole's"
)
def _() -> None:
    parts = np.array([1.1, 2.7])
    assert_allclose(nb.perplexity(parts), np.exp(parts), rtol=1e-12)
    assert_allclose(nb.perplexity(parts / math.log(2), base=2), np.exp(parts), rtol=1e-12)
    length = np.array([3, 7]) / 10
    assert length @ np.exp(parts) > nb.perplexity(length @ parts)
    assert_allclose(nb.perplexity(nb.surprisal(1 / 6)), 6, rtol=1e-12)


@sheet(
    "fisher-two-forms",
    r"$s_\theta(x) = \frac{d}{d\theta}\log p_\theta(x)$",
    r"$I = \operatorname{Var}(s_\theta) = -\mathrm E[(\log p_\theta)'']$",
    r"(Laplace $m$: $1/b^2$ and 0)",
)
@sheet("score-mean-zero", r"0 at the truth, inside the range, support fixed (uniform: $-1/\theta$)")
def _() -> None:
    x, rate = np.arange(60), 2.5
    p = nb.Poisson(rate).prob(x)
    scores = slope(lambda rate: nb.Poisson(rate).log_prob(x), rate)
    second = bend(lambda rate: nb.Poisson(rate).log_prob(x), rate)
    assert abs(p @ scores) < 1e-8
    assert_allclose([p @ scores**2, -p @ second], 1 / rate, rtol=1e-5)
    at = np.array([-1.0, 0.4, 2.0])  # away from the kink
    assert_allclose(bend(lambda m: nb.Laplace(m, 1.6).log_prob(at), 0.7), 0, atol=1e-6)
    uniform = slope(lambda theta: float(nb.Uniform(0, theta).log_prob(1.0)), 3.0)
    assert_allclose(uniform, -1 / 3, rtol=1e-8)  # the same for every x


@sheet(
    "code-length",
    r"a prefix code exists $\iff \sum_x 2^{-l(x)} \le 1$; its mean $\ge H(p)$",
    r"$\lceil-\log_2 q\rceil$: in $[H(p,q), H(p,q) + 1)$",
    r"Huffman, best: in $[H(p), H(p) + 1)$, two or more $p(x)$, all $> 0$",
    r"Arithmetic: a message in $< -\log_2 q + 2$, model and length known",
)
def _() -> None:
    rng = np.random.default_rng(2)
    # both ends of the intervals are reached, or all but reached, by these
    halves = np.array([0.5, 0.25, 0.25])
    ends = [(np.array([0.999, 0.001]), np.array([0.499, 0.501])), (halves, halves)]
    for p, q in [*rng.dirichlet(np.ones(5), (20, 2)), *ends]:
        bits, crossed = nb.entropy(p, base=2), nb.cross_entropy(p, q, base=2)
        lengths = np.ceil(-np.log2(q))
        assert np.sum(2.0**-lengths) <= 1
        assert crossed <= p @ lengths < crossed + 1
        huffman = np.array([len(word) for word in nb.huffman_code(p)])
        assert np.sum(2.0**-huffman) <= 1
        assert bits <= p @ huffman < bits + 1
    for lengths, exist in (((1, 2, 3, 3), True), ((1, 2, 2), True), ((1, 1, 2), False)):
        choices = itertools.product(*(itertools.product("01", repeat=n) for n in lengths))
        free = (
            all(a[: len(b)] != b for a, b in itertools.permutations(code, 2)) for code in choices
        )
        assert any(free) == exist == (sum(2.0**-n for n in lengths) <= 1)
    frequencies, message = np.array([5, 3, 2]), [0, 2, 1, 0, 0, 1, 2, 0]
    ideal = -np.log2(frequencies[message] / 10).sum()
    width = math.ceil(ideal) + 1  # an interval of that many bits fits into one of 2^−ideal
    assert width < ideal + 2
    low, part = 0.0, 1.0
    for symbol in message:
        low, part = low + part * frequencies[:symbol].sum() / 10, part * frequencies[symbol] / 10
    assert (math.ceil(low * 2**width) + 1) / 2**width <= low + part


# ---- identities


@sheet(
    "nll-equals-cross-entropy",
    r"$\mathrm{NLL}(\theta) = H(\hat p, p_\theta) = H(\hat p) + \mathrm{KL}(\hat p\,\|\,p_\theta)$",
)
@sheet(
    "same-argmin-different-values",
    r"$-L$, NLL $= H(\hat p, p_\theta)$ and $\mathrm{KL}(\hat p\,\|\,p_\theta)$,"
    r" less by $H(\hat p)$",
)
def _() -> None:
    x = np.array([0, 2, 2, 1, 0, 0])
    share = np.bincount(x) / len(x)
    nll = nb.nll(x, nb.Categorical(Q))
    assert_allclose(nll, nb.cross_entropy(share, Q), rtol=1e-12)
    assert_allclose(nll, nb.entropy(share) + nb.kl_divergence(share, Q), rtol=1e-12)
    grid = [np.array([t, 0.5 * (1 - t), 0.5 * (1 - t)]) for t in np.linspace(0.05, 0.95, 91)]
    values = np.array(
        [
            (
                -nb.likelihood(x, nb.Categorical(q)),
                nb.nll(x, nb.Categorical(q)),
                nb.cross_entropy(share, q),
                nb.kl_divergence(share, q),
            )
            for q in grid
        ]
    )
    assert len(set(values.argmin(axis=0))) == 1
    assert_allclose(values[:, 1], values[:, 2], rtol=1e-12)
    assert_allclose(values[:, 2] - values[:, 3], nb.entropy(share), rtol=1e-9)


@sheet(
    "conditional-likelihood",
    r"$-\frac1n\sum_i\log p_\theta(y_i|x_i)$",
    r"$\mathrm E_X\mathrm{KL}(p(\cdot|X)\,\|\,p_\theta(\cdot|X)) + H(Y|X)$",
    r"$H(Y|X) = \mathrm E_X H(p(\cdot|X)) < \infty$",
)
def _() -> None:
    inputs, truth = np.array([0.4, 0.6]), np.array([P, Q])
    model = np.array([[0.3, 0.3, 0.4], [0.1, 0.6, 0.3]])
    joint = inputs[:, None] * truth
    assert_allclose(H(joint.ravel()) - H(inputs), inputs @ H(truth), rtol=1e-12)
    expected = -np.sum(joint * np.log(model))
    assert_allclose(expected, inputs @ KL(truth, model) + inputs @ H(truth), rtol=1e-12)
    whole = -np.sum(joint * np.log(inputs[:, None] * model))  # of the pairs
    assert_allclose(whole, H(inputs) + expected, rtol=1e-12)


@sheet(
    "kl-asymmetric",
    r"$\mathrm{KL}(1\,\|\,2) = \log\frac{\sigma_2}{\sigma_1} + "
    r"\frac{\sigma_1^2 + (\mu_1-\mu_2)^2}{2\sigma_2^2} - \frac12$",
    r"symmetric only if $\sigma_1 = \sigma_2$",
)
def _() -> None:
    def formula(m1: float, s1: float, m2: float, s2: float) -> float:
        return math.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5

    one, two = nb.Gaussian(0.3, 0.8), nb.Gaussian(-0.5, 1.9)
    value = mean_under(
        lambda x: float(one.prob(x)), lambda x: float(one.log_prob(x) - two.log_prob(x))
    )
    assert_allclose(value, formula(0.3, 0.8, -0.5, 1.9), rtol=1e-8)
    assert abs(formula(0.3, 0.8, -0.5, 1.9) - formula(-0.5, 1.9, 0.3, 0.8)) > 0.1
    assert_allclose(formula(0.3, 0.8, -0.5, 0.8), formula(-0.5, 0.8, 0.3, 0.8), rtol=1e-12)


@sheet("log-keeps-argmax", "g$ keeps argmax")
@sheet("max-is-min-negated", r"$\max f = -\min(-f)$")
def _() -> None:
    assert REALS.max() == -(-REALS).min()
    assert REALS.argmax() == (-REALS).argmin() == np.exp(REALS).argmax()


@sheet(
    "softmax-shift-invariance",
    r"$\operatorname{softmax}(z + b) = \operatorname{softmax}(z)$",
    r"$\operatorname{lse}(z + b) = \operatorname{lse}(z) + b$",
    r"two classes: $\operatorname{softmax}(z)_1 = \sigma(z_1 - z_0)$",
)
def _() -> None:
    assert_allclose(nb.softmax(Z + 7), softmax(Z), rtol=1e-12)
    assert_allclose(nb.logsumexp(Z + 7), lse(Z) + 7, rtol=1e-12)
    assert_allclose(nb.softmax([0.3, 1.4])[1], sigma(1.4 - 0.3), rtol=1e-12)


@sheet(
    "soft-labels",
    r"$t = (1-\epsilon)e_y + \epsilon/k$, $0 < \epsilon < 1$",
    r"${H(t) = -(1-a)\log(1-a) - a\log\frac\epsilon k}$, $a = \epsilon\frac{k-1}k$",
)
def _() -> None:
    k, eps = 4, 0.1
    t = (1 - eps) * np.eye(k)[2] + eps / k
    a = eps * (k - 1) / k
    floor = -(1 - a) * math.log(1 - a) - a * math.log(eps / k)
    assert_allclose(H(t), floor, rtol=1e-12)
    assert_allclose(
        nb.categorical_nll([2], logits=np.log([t]), label_smoothing=eps), floor, rtol=1e-12
    )


# ---- gradients


@sheet(
    "prediction-minus-observation",
    r"$p(y) = a(y)e^{y\eta - b(\eta)}$ has $\partial_\eta[-\log p] = b'(\eta) - y = \hat y - y$",
    r"$\hat y = \mathrm E[y]$; $b'' = \operatorname{Var}(y) \ge 0$: convex",
    r"$\nabla_w = \frac1n\sum_i(\hat y_i - y_i)x_i$. $\eta = g(\theta)$: $\times\,g'(\theta)$",
)
def _() -> None:
    eta, y = 0.6, np.arange(60)
    p = nb.Poisson(math.exp(eta)).prob(y)
    assert_allclose(slope(math.exp, eta), p @ y, rtol=1e-8)  # b = exp
    assert_allclose(bend(math.exp, eta), p @ (y - p @ y) ** 2, rtol=1e-5)
    by_eta = slope(lambda e: -nb.Poisson(math.exp(e)).log_prob(y), eta)
    assert_allclose(by_eta, math.exp(eta) - y, rtol=1e-7, atol=1e-7)
    by_rate = slope(lambda r: -nb.Poisson(r).log_prob(y), math.exp(eta))  # η = log r
    assert_allclose(by_rate, (math.exp(eta) - y) / math.exp(eta), rtol=1e-7, atol=1e-7)
    x, w = np.column_stack([np.ones(6), REALS[[0, 1, 2, 3, 1, 0]]]), np.array([0.2, -0.3])
    by_weights = gradient(lambda w: nb.poisson_nll(COUNTS, log_rate=x @ w), w)
    assert_allclose(by_weights, x.T @ (np.exp(x @ w) - COUNTS) / 6, rtol=1e-6)


@sheet("gradient-is-average-score", r"$\nabla\mathrm{NLL} = -\frac1n\sum_i s_\theta(x_i)$")
def _() -> None:
    by_nll = gradient(lambda t: nb.nll(REALS, nb.Gaussian(*t)), np.array([0.4, 1.3]))
    scores = gradient(lambda t: nb.Gaussian(*t).log_prob(REALS), np.array([0.4, 1.3]))
    assert_allclose(by_nll, -scores.sum(axis=1) / 5, rtol=1e-6)


@sheet("bce-gradient", r"slope $\sigma(z) - y$, curvature $\sigma(z)(1 - \sigma(z)) > 0$")
def _() -> None:
    for z, y in itertools.product((-2.0, 0.7), (0.0, 0.3, 1.0)):

        def bce(z: float, y: float = y) -> Any:
            return nb.bernoulli_nll(y, logits=z)

        assert_allclose(slope(bce, z), sigma(z) - y, rtol=1e-7)
        assert_allclose(bend(bce, z), sigma(z) * (1 - sigma(z)), rtol=1e-5)


@sheet(
    "softmax-gradient",
    r"Hessian $\operatorname{diag}(p) - pp^{\mathsf T}$, eigenvalues in $[0, \frac12]$",
)
def _() -> None:
    def by_logits(z: Any) -> Any:
        return nb.categorical_nll([1], logits=z[None], return_grad=True)[1][0]

    for z in (*Z, np.array([20.0, 20.0, -20.0])):
        p = nb.softmax(z)
        hessian = np.diag(p) - np.outer(p, p)
        assert_allclose(gradient(by_logits, z), hessian, atol=1e-8)
        assert np.linalg.eigvalsh(hessian).min() > -1e-12
        assert np.linalg.eigvalsh(hessian).max() < 0.5 + 1e-12
    assert_allclose(np.linalg.eigvalsh(hessian).max(), 0.5, atol=1e-12)  # of the last one


X = np.column_stack([np.ones(6), [0.0, 1, 2, 3, 4, 6]])
TARGET = np.array([1.0, 0.5, 2, 4, 3, 7])


@sheet(
    "ols-is-mle",
    r"$X^{\mathsf T}X\hat w = X^{\mathsf T}y$ for every $\sigma$, columns linearly independent",
    r"$\mathrm{NLL}(w) - \mathrm{NLL}(\hat w) = \lVert X(w - \hat w)\rVert^2/(2n\sigma^2)$",
    r"One $\sigma_i$ each:",
    r"$1/\sigma_i^2$.",
    r"at the minimum: $X^{\mathsf T}\lambda = X^{\mathsf T}y$",
)
def _() -> None:
    best, w = np.linalg.solve(X.T @ X, X.T @ TARGET), np.array([0.3, 0.8])
    for s in (0.5, 2.0):
        gap = nb.gaussian_nll(TARGET, X @ w, std=s) - nb.gaussian_nll(TARGET, X @ best, std=s)
        assert_allclose(gap, np.sum((X @ (w - best)) ** 2) / (2 * 6 * s**2), rtol=1e-9)

    each = np.array([0.5, 1, 2, 0.7, 1, 3])
    weighted = np.linalg.solve((X.T / each**2) @ X, (X.T / each**2) @ TARGET)
    slopes = gradient(lambda w: nb.gaussian_nll(TARGET, X @ w, std=each), weighted)
    assert_allclose(slopes, 0, atol=1e-8)

    def poisson(w: Any) -> Any:
        value, slopes = nb.poisson_nll(COUNTS, log_rate=X @ w, return_grad=True)
        return value, X.T @ slopes, (X.T * np.exp(X @ w)) @ X / 6

    rates = np.exp(X @ nb.newton(poisson, np.zeros(2)).x[-1])
    assert_allclose(X.T @ rates, X.T @ COUNTS, rtol=1e-9)


@sheet(
    "penalty-certificate",
    r"$g$ convex, $f = g + \frac\kappa2\lVert V\rVert^2$, $\kappa > 0$: where $\nabla_b f = 0$",
    r"$f - \lVert\nabla_V f\rVert^2/(2\kappa)$",
)
def _() -> None:
    kappa, y = 0.3, np.array([0.0, 1, 0, 1, 1, 1])

    def f(w: Any) -> Any:
        value, slopes = nb.bernoulli_nll(y, logits=X @ w, return_grad=True)
        q = sigma(X @ w)
        only = np.array([0, kappa])
        hessian = (X.T * (q * (1 - q))) @ X / 6 + np.diag(only)
        return value + w @ (only * w) / 2, X.T @ slopes + only * w, hessian

    lowest = nb.newton(f, np.zeros(2)).value[-1]
    for v in (-0.5, 0.9):

        def by_intercept(b: Any, v: float = v) -> Any:
            value, slopes, hessian = f(np.array([float(b), v]))
            return value, slopes[0], hessian[0, 0]

        b = nb.newton(by_intercept, 0.0).x[-1]
        value, slopes, _ = f(np.array([float(b), v]))
        assert value - slopes[1] ** 2 / (2 * kappa) <= lowest < value
    c = np.array([1.3, -0.4])  # g = c·V: there the bound is the minimum itself, at V = −c/κ
    lowest = c @ (-c / kappa) + kappa / 2 * np.sum((c / kappa) ** 2)
    for V in np.array([[-2.0, 0], [0, 0], [1, 3]]):
        value, slopes = c @ V + kappa / 2 * V @ V, c + kappa * V
        assert_allclose(value - slopes @ slopes / (2 * kappa), lowest, rtol=1e-12)


# ---- how sure, how far


@sheet(
    "mle-gaussian-variance-biased",
    r"$\mathrm E\,\hat\sigma^2 = \frac{n-1}n\mathrm{Var}$. Uniform:",
    r"$\mathrm E\,\hat\theta = \frac n{n+1}\theta$",
)
def _() -> None:
    values, n = np.array([0.0, 1.0, 5.0]), 4
    mean = 0.0
    for sample in itertools.product(range(3), repeat=n):
        mean += np.prod(P[list(sample)]) * values[list(sample)].var()
    variance = P @ (values - P @ values) ** 2
    assert_allclose(mean, (n - 1) / n * variance, rtol=1e-12)
    theta = 3.0  # the largest of n has the density n x^(n−1)/θ^n
    largest, _ = integrate.quad(lambda x: x * n * x ** (n - 1) / theta**n, 0, theta)
    assert_allclose(largest, n / (n + 1) * theta, rtol=1e-9)


@sheet(
    "train-nll-is-optimistic",
    r"fresh − training NLL $\approx k/n$, expected; $k$ parameters, model right",
    r"Gaussian $\mu, \sigma$: exactly $2/(n-3)$, $n > 3$",
)
def _() -> None:
    n = 8  # with σ = 1: v̂ = χ²/n with n − 1 degrees of freedom, and x̄ is independent of it
    inverse = stats.chi2(n - 1).expect(lambda c: n / c)
    gap = 0.5 * (1 + 1 / n) * inverse - 0.5
    assert_allclose(gap, 2 / (n - 3), rtol=1e-6)
    n = 10**4  # k = 2; and k = 1: counts, of which Σx is Poisson, with NLL λ̂ − x̄ log λ̂ + …
    assert_allclose(n * 0.5 * ((1 + 1 / n) * n / (n - 3) - 1), 2, rtol=1e-3)
    n, rate = 400, 2.0
    total = np.arange(1, 3000)
    best = total / n
    fresh, training = best - rate * np.log(best), best - best * np.log(best)
    gap = np.sum(stats.poisson(n * rate).pmf(total) * (fresh - training))
    assert_allclose(n * gap, 1, rtol=0.01)


@sheet("consistency", r"its standard deviation: that of $\log p_\theta(X)$, over $\sqrt n$")
@sheet(
    "entropy-estimates",
    r"low by $\frac{k-1}{2n} + O(n^{-2})$ on average, $k$ outcomes, all $p(x) > 0$",
)
def _() -> None:
    n = 3
    samples = list(itertools.product(range(3), repeat=n))
    weight = np.array([np.prod(P[list(one)]) for one in samples])
    nll = np.array([nb.nll(one, nb.Categorical(Q)) for one in samples])
    assert_allclose(weight @ nll, H(P, Q), rtol=1e-12)
    s = math.sqrt(P @ (np.log(Q) - P @ np.log(Q)) ** 2)
    assert_allclose(math.sqrt(weight @ (nll - weight @ nll) ** 2), s / math.sqrt(n), rtol=1e-12)
    for n in (100, 1000):  # k = 2: all counts of a coin
        ones = np.arange(n + 1)
        plug_in = nb.binary_entropy(ones / n)
        low = nb.binary_entropy(0.3) - stats.binom(n, 0.3).pmf(ones) @ plug_in
        assert_allclose(low, 1 / (2 * n), atol=1 / n**2)
    n = 100  # k = 3: all counts
    counts = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
    plug_in = stats.multinomial(n, P).pmf(counts) @ nb.entropy(counts / n)
    assert_allclose(H(P) - plug_in, 2 / (2 * n), atol=1 / n**2)


@sheet(
    "nll-depends-on-units",
    r"$cx \in \mathbb R^d$, $c \ne 0$: NLL of densities $+\,d\log|c|$; gaps stay",
)
def _() -> None:
    one, scaled = nb.Gaussian(0.4, 1.3), nb.Gaussian(-3 * 0.4, 3 * 1.3)
    gap = nb.nll(-3 * REALS, scaled) - nb.nll(REALS, one)
    assert_allclose(gap, math.log(3), rtol=1e-12)
    cov, points = np.array([[1.0, 0.3], [0.3, 2]]), REALS[[[0, 1], [2, 3], [4, 0]]]
    plane = stats.multivariate_normal([0.4, 1], cov).logpdf(points)
    wider = stats.multivariate_normal([-1.2, -3], 9 * cov).logpdf(-3 * points)
    assert_allclose(plane - wider, 2 * math.log(3), rtol=1e-12)


@sheet(
    "calibration",
    r"expected NLL and Brier score $\sum_c(q_c - (e_y)_c)^2$ are least at the true $p$ only",
    r"kept by $\operatorname{softmax}(z/T)$, $T > 0$",
)
def _() -> None:
    rng = np.random.default_rng(3)
    other = rng.dirichlet(np.ones(3), 200)
    assert np.all(H(P, other) > H(P))
    brier = np.array([P @ np.sum((q - np.eye(3)) ** 2, axis=1) for q in [P, *other]])
    assert brier.argmin() == 0
    for T in (0.3, 4.0):
        assert_array_equal(nb.softmax(Z / T).argmax(axis=1), Z.argmax(axis=1))


# ---- training


@sheet(
    "mean-makes-lr-portable",
    r"Parabola, curvature $c > 0$: descent $\theta - \alpha\nabla$ converges"
    r" for $0 < \alpha < 2/c$",
    r"sum: $2/(nc)$; Newton's $\theta - (\nabla^2)^{-1}\nabla$ in a step",
)
def _() -> None:
    c, n = 1.7, 5

    def ends(rate: float, factor: float) -> float:
        path = nb.gradient_descent(
            lambda x: (factor * c / 2 * x**2, factor * c * x), 1.0, learning_rate=rate, steps=400
        )
        return abs(float(path.x[-1]))

    for factor in (1, n):
        assert ends(0.98 * 2 / (factor * c), factor) < 1e-3
        assert ends(1.02 * 2 / (factor * c), factor) > 1e3
    A, at = np.array([[2.0, 0.5], [0.5, 1]]), np.array([3.0, -4])
    assert_allclose(at - np.linalg.inv(A) @ (A @ (at - 1)), 1, rtol=1e-12)  # ½(θ−1)ᵀA(θ−1)


@sheet("minibatch-unbiased", r"$G_B/(bW/n)$ is unbiased; $G_B/W_B$ is off by a covariance")
def _() -> None:
    g, b, n = np.array([1.0, -2, 4, 0.5]), 2, 4
    batches = [list(one) for one in itertools.combinations(range(n), b)]

    def means(w: Any) -> Any:
        total = w @ g / w.sum()
        own = np.array([w[one] @ g[one] / w[one].sum() for one in batches])
        fixed = np.array([w[one] @ g[one] / (b * w.sum() / n) for one in batches])
        weight = np.array([w[one].sum() for one in batches])
        shift = np.mean((own - own.mean()) * (weight - weight.mean())) / (b * w.sum() / n)
        assert_allclose(fixed.mean(), total, rtol=1e-12)
        assert_allclose(own.mean(), total - shift, rtol=1e-12)
        return shift

    assert abs(means(np.array([1.0, 2, 5, 0.5]))) > 0.1
    assert abs(means(np.array([2.0, 2, 2, 2]))) < 1e-12
    assert abs(means(np.array([1.0, 0, 1, 1]))) < 1e-12


@sheet(
    "class-weights-and-ignore-index",
    r"$\sum_i w_{y_i}s_i/\sum_i w_{y_i}$, whole $w_c$: mean over copies; best",
    r"$q_c \propto w_c p_c$; `pos_weight`: $\frac{wp}{wp + 1 - p}$. Ignored: $w = 0$",
)
def _() -> None:
    w, logits = np.array([1.0, 3, 2]), np.vstack([Z, Z[0]])
    labels = np.array([1, 0, 2])
    copies = np.repeat(np.arange(3), w[labels].astype(int))
    value = nb.categorical_nll(labels, logits=logits, class_weight=w)
    assert_allclose(value, nb.categorical_nll(labels[copies], logits=logits[copies]), rtol=1e-12)
    s = nb.categorical_nll(labels, logits=logits, reduction="none")
    assert_allclose(value, w[labels] @ s / w[labels].sum(), rtol=1e-12)
    ignored = nb.categorical_nll(labels, logits=logits, ignore_index=2)
    assert_allclose(ignored, s[:2].mean(), rtol=1e-12)
    best = w * P / (w * P).sum()
    rng = np.random.default_rng(4)
    costs = [-(w * P) @ np.log(q) for q in [best, *rng.dirichlet(np.ones(3), 200)]]
    assert np.argmin(costs) == 0
    p, weight = 0.3, 4.0
    q = weight * p / (weight * p + 1 - p)
    by_logit = nb.bernoulli_nll(
        p, logits=math.log(q / (1 - q)), pos_weight=weight, return_grad=True
    )[1]
    assert_allclose(by_logit, 0, atol=1e-12)


@sheet(
    "ridge-is-gaussian-prior",
    r"$\lambda = \sigma^2/\tau^2$: $\mathrm{NLL} + \frac{\lVert w\rVert^2}{2n\tau^2}$,"
    r" $\mathrm{SSE} + \lambda\lVert w\rVert^2$, $\mathrm{MSE} + \frac\lambda n\lVert w\rVert^2$",
    r"$\hat w = (\tilde X^{\mathsf T}\tilde X + \lambda I)^{-1}\tilde X^{\mathsf T}\tilde y$",
)
def _() -> None:
    s, tau, n = 0.7, 1.9, 6
    lam = s**2 / tau**2
    x = np.column_stack([X[:, 1], [1.0, -1, 0, 2, 0, 1]])
    x0, y0 = x - x.mean(axis=0), TARGET - TARGET.mean()
    w = np.linalg.inv(x0.T @ x0 + lam * np.eye(2)) @ x0.T @ y0
    best = np.append(w, TARGET.mean() - w @ x.mean(axis=0))

    def sse(v: Any) -> Any:
        return np.sum((TARGET - x @ v[:2] - v[2]) ** 2)

    objectives: list[Callable[[Any], Any]] = [
        lambda v: (
            nb.gaussian_nll(TARGET, x @ v[:2] + v[2], std=s) + v[:2] @ v[:2] / (2 * n * tau**2)
        ),
        lambda v: sse(v) + lam * v[:2] @ v[:2],
        lambda v: sse(v) / n + lam / n * v[:2] @ v[:2],
    ]
    for objective in objectives:
        assert_allclose(gradient(objective, best), 0, atol=1e-7)


@sheet(
    "separable-diverges",
    r"$\mathrm{NLL} \to 0$ only as $\lVert W\rVert \to \infty$",
    r"Quasi-: no minimum, $\ge \frac1n\log 2$. With $+\frac{\lVert V\rVert^2}{2nC}$,",
    r"$C > 0$, all classes seen: one",
)
def _() -> None:
    w = np.array([1.0, 10, 30])
    apart = [nb.bernoulli_nll([0.0, 1], logits=np.array([-1.0, 1]) * one) for one in w]
    x, y = np.array([-1.0, 0, 1]), np.array([0.0, 0, 1])  # the one in the middle costs log 2
    quasi = [nb.bernoulli_nll(y, logits=x * one) for one in w]
    assert np.all(np.diff(apart) < 0)
    assert 0 < apart[-1] < 1e-12
    assert np.all(np.diff(quasi) < 0)
    assert_allclose(quasi[-1], math.log(2) / 3, rtol=1e-12)
    assert quasi[-1] > math.log(2) / 3
    n, C = 2, 5

    def penalised(v: float) -> Any:
        logits = np.array([-1.0, 1]) * v
        return nb.bernoulli_nll([0.0, 1], logits=logits) + v**2 / (2 * n * C)

    best = optimize.brentq(lambda v: slope(penalised, v), 0.1, 20)
    assert bend(penalised, best) > 0
    assert penalised(best) < min(penalised(v) for v in (-50, 0, best - 0.1, best + 0.1, 50))


@sheet(
    "variance-collapse",
    r"some $\sigma_j$ free and $r_j = 0$: no lower bound",
    r"only if all $r_i \to 0$. A floor $\max(\sigma_j, \varepsilon)$ gives one",
)
def _() -> None:
    y, small = np.array([0.0, 1, 5]), np.array([1e-1, 1e-50, 1e-300])
    free = [nb.gaussian_nll(y, 0.0, std=np.array([s, 1, 1])) for s in small]
    assert np.all(np.diff(free) < -20)
    shared = [nb.gaussian_nll(y, 0.0, std=s) for s in small]
    assert np.all(np.diff(shared) > 0)
    floored = [nb.gaussian_nll(y, 0.0, std=np.array([max(s, 0.01), 1, 1])) for s in small]
    assert floored[1] == floored[2]


@sheet(
    "infinite-penalty",
    r"one $p_\theta(x_i) = 0$ makes NLL infinite; clipped at",
    r"$\varepsilon < 1$ it costs $-\log\varepsilon$, with gradient 0",
)
def _() -> None:
    assert nb.nll([0, 1], nb.Categorical(np.array([1.0, 0.0]))) == np.inf

    def clipped(p: float) -> float:
        return -math.log(max(p, math.exp(-5)))

    assert clipped(0.0) == clipped(1e-4) == 5
    assert slope(clipped, 1e-4) == 0


# ---- in floats


@sheet(
    "product-underflows",
    r"$0.5^n = 0$ from $n = 1075$ in float64, 150 in float32",
)
def _() -> None:
    products = np.cumprod(np.full(1075, 0.5))
    assert products[-1] == 0 < products[-2]
    products32 = np.cumprod(np.full(150, 0.5, np.float32), dtype=np.float32)
    assert products32[-1] == 0 < products32[-2]


@sheet(
    "log-softmax-stability",
    r"$m + \log\sum_c e^{z_c - m} - z_y$ with $m = \max_c z_c$ is right absolutely",
    r"$\operatorname{log1p}\sum_{j\ne y}e^{z_j - z_y}$ relatively, if all"
    r" $z_j - z_y \le 709 - \log k$",
    r"$-\log(\operatorname{softmax}(z)_y)$: 0 where it rounds to 1, $\infty$ where it underflows",
    r"$\operatorname{sp}(z) = \max(z, 0) + \operatorname{log1p}(e^{-|z|})$",
)
def _() -> None:
    def trick(z: Any) -> Any:
        return z.max() + np.log(np.sum(np.exp(z - z.max())))

    exact = 4.2483542552915889e-18  # log(1 + e^−40) ≈ e^−40
    assert trick(np.array([40.0, 0.0])) - 40 == 0  # absolutely right, relatively all wrong
    assert_allclose(math.log1p(math.exp(-40)), exact, rtol=1e-15)
    with np.errstate(all="ignore"):
        assert lse(np.array([710.0, 0])) == np.inf
        assert trick(np.array([710.0, 0])) == 710
        for k in (2, 1001):
            others = np.ones(k - 1)

            def relative(gap: float, others: Any = others) -> Any:
                return np.log1p(np.sum(np.exp(gap * others)))

            assert_allclose(relative(709 - math.log(k)), 709 + math.log((k - 1) / k), rtol=1e-12)
            assert relative(711 - math.log(k)) == np.inf
        assert relative(709) == np.inf  # with 1001 classes
        naive = -np.log(nb.softmax(np.array([800.0, 0.0])))
        unstable = sp(np.array([800.0]))
    assert_array_equal(naive, [0, np.inf])
    assert_allclose(-np.log(nb.softmax([2.0, 0, 1]))[0], trick(np.array([2.0, 0, 1])) - 2)
    assert unstable == np.inf
    z = np.array([-800, -40, 0, 3, 800])
    stable = np.maximum(z, 0) + np.log1p(np.exp(-abs(z)))
    assert_allclose(stable, nb.softplus(z), rtol=1e-15)
    assert_allclose(stable, [0, exact, math.log(2), math.log(1 + math.exp(3)), 800], rtol=1e-15)


@sheet(
    "float32-summation",
    r"pairwise, terms $> 0$: relative error up to about $(\lceil\log_2 n\rceil + 1)2^{-24}$",
)
def _() -> None:
    n = 2**20

    def pairwise(x: Any) -> Any:
        while len(x) > 1:
            x = x[::2] + x[1::2]
        return float(x[0])

    bound = (math.ceil(math.log2(n)) + 1) * 2**-24
    same = np.full(n, np.float32(0.1))
    exact = n * float(same[0])
    assert abs(pairwise(same) / exact - 1) < bound
    assert abs(float(np.add.accumulate(same)[-1]) / exact - 1) > 10 * bound
    worst = np.ones(n, np.float32)  # whatever is added to the first is half a unit: lost each time
    for size in 2 ** np.arange(20):
        worst[size : 2 * size] = 2.0**-24 / size
    exact = float(np.sum(worst, dtype=np.float64))
    assert 0.9 * bound < abs(pairwise(worst) / exact - 1) < bound


# ---- what does not hold


@sheet(
    "nll-can-be-negative",
    r"for one Gaussian on data not all equal $\ge \frac12\log(2\pi e\,\hat\sigma^2)$",
)
def _() -> None:
    floor = np.log(2 * math.pi * math.e * REALS.var()) / 2
    assert_allclose(nb.nll(REALS, nb.Gaussian.fit(REALS)), floor, rtol=1e-12)
    for mu, s in itertools.product((-1.0, 2.2, 4.0), (0.5, 2.8, 6.0)):
        assert nb.nll(REALS, nb.Gaussian(mu, s)) > floor
    assert nb.nll([1.0], nb.Gaussian(1.0, 1e-3)) < 0


@sheet(
    "log-softmax-plus-nll",
    r"probabilities as logits: $> \log(e + k - 1) - 1$, as log-probabilities: $-p_y$",
    r"log-softmax into $k$ BCEs: $+\sum_c\log(1 + p_c)$",
)
def _() -> None:
    logs = nb.log_softmax(Z)
    right = nb.categorical_nll(Y, logits=Z, reduction="none")
    assert_allclose(nb.categorical_nll(Y, logits=logs, reduction="none"), right, rtol=1e-12)
    floor = math.log(math.e + 3 - 1) - 1
    for sure in (1.0, 5.0, 30.0):
        p = nb.softmax([sure, 0.0, 0.0])
        assert nb.categorical_nll([0], logits=p[None]) > floor
    assert_allclose(nb.categorical_nll([0], logits=[[1.0, 0, 0]]), floor, rtol=1e-12)
    by_z = slope(lambda z: -nb.softmax([z, 0.0, 1.0])[0], 0.3)  # the slope is the right one · p_y
    p = nb.softmax([0.3, 0.0, 1.0])[0]
    assert_allclose(by_z, p * (p - 1), rtol=1e-7)
    bces = nb.bernoulli_nll(np.eye(3)[Y], logits=logs, reduction="none").sum(axis=1)
    assert_allclose(bces, right + np.log(1 + nb.softmax(Z)).sum(axis=1), rtol=1e-12)


@sheet(
    "iid-product",
    r"$\mathrm E\log\frac{\text{joint}}{\text{product}} = (n-1)\,I(X;Y)$ for neighbours",
    r"$I(X;Y) = \mathrm{KL}(p_{XY}\,\|\,p_X p_Y)$",
)
def _() -> None:
    step, n = np.array([[0.9, 0.1], [0.3, 0.7]]), 5
    alone = np.array([0.75, 0.25])
    assert_allclose(alone @ step, alone, rtol=1e-12)
    pair = alone[:, None] * step
    mutual = KL(pair.ravel(), np.outer(alone, alone).ravel())
    mean = total = 0.0
    for x in itertools.product(range(2), repeat=n):
        product = np.prod(alone[list(x)])
        joint = alone[x[0]] * np.prod([step[a, b] for a, b in itertools.pairwise(x)])
        mean, total = mean + joint * math.log(joint / product), total + product
    assert_allclose(mean, (n - 1) * mutual, rtol=1e-12)
    assert_allclose(total, 1, rtol=1e-12)


@sheet(
    "kl-infinite",
    r"where $q = 0 < p$; one $q = \varepsilon$, the rest in proportion:",
    r"$-p\log\varepsilon + \text{const} + O(\varepsilon)$",
)
def _() -> None:
    assert nb.kl_divergence(P, [0, 0.5, 0.5]) == np.inf

    def rest(eps: float) -> Any:
        q = np.array([eps, 0.6 * (1 - eps), 0.4 * (1 - eps)])
        return nb.kl_divergence(P, q) + P[0] * math.log(eps)

    assert abs(rest(1e-6) - rest(1e-7)) < 1e-6
    assert abs(rest(1e-3) - rest(1e-7)) < 1e-3


@sheet(
    "mse-on-sigmoid-stalls",
    r"$y = 1$: slope $-2p(1-p)^2$, 0 at sure mistakes (NLL: $-1$); not convex for $p < \frac13$",
)
def _() -> None:
    def squared(z: float) -> Any:
        return (sigma(z) - 1) ** 2

    for z in (-3.0, 0.4):
        assert_allclose(slope(squared, z), -2 * sigma(z) * (1 - sigma(z)) ** 2, rtol=1e-7)
    edge = math.log(1 / 2)  # p = 1/3
    assert bend(squared, edge - 0.1) < 0 < bend(squared, edge + 0.1)
    assert abs(slope(squared, -30.0)) < 1e-12
    assert_allclose(slope(lambda z: nb.bernoulli_nll(1.0, logits=z), -30.0), -1, rtol=1e-7)


@sheet(
    "multilabel-vs-multiclass",
    r"$m$ ones: $\ge m\log m$",
    r"$\sum_c(\operatorname{sp}(z_c) - y_c z_c)$",
)
def _() -> None:
    y, m = np.array([1.0, 0, 1, 1]), 3
    rng = np.random.default_rng(5)
    z = rng.normal(0, 3, (100, 4))
    assert np.all(-np.sum(y * np.log(softmax(z)), axis=1) > m * math.log(m))
    best = np.where(y == 1, 0.0, -50.0)
    assert_allclose(-np.sum(y * nb.log_softmax(best)), m * math.log(m), rtol=1e-12)
    independent = nb.bernoulli_nll(np.tile(y, (100, 1)), logits=z, reduction="none")
    assert_allclose(independent.sum(axis=1), np.sum(sp(z) - y * z, axis=1), rtol=1e-10)


# ---- templates


@sheet(
    "gaussian-mle-derivation",
    r"$u = \hat v/v$: $\ell(\bar x, \hat v) - \ell(\mu, v) = \frac n2(u - 1 - \log u) + "
    r"\frac{n(\bar x - \mu)^2}{2v} \ge 0$",
)
def _() -> None:
    n, best = len(REALS), nb.Gaussian.fit(REALS)
    for mu, v in ((0.3, 2.0), (2.2, 30.0)):
        u = best.std**2 / v
        gap = nb.log_likelihood(REALS, best) - nb.log_likelihood(REALS, nb.Gaussian(mu, v**0.5))
        formula = n / 2 * (u - 1 - math.log(u)) + n * (REALS.mean() - mu) ** 2 / (2 * v)
        assert_allclose(gap, formula, rtol=1e-10)
        assert gap > 0
