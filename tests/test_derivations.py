"""The derivatives that the chapters' proofs write down, by computer algebra.

Each case is the function that is differentiated, and the derivative as the text has it. The
chapters check the same by finite differences and by search, on data.
"""

from __future__ import annotations

import pytest
import sympy as sp

n, S, k, x, m, s, t = sp.symbols("n S k x m s t", positive=True)
rate, theta, sigma, v, mu, mean, std = sp.symbols("rate theta sigma v mu mean std", positive=True)
x_bar, m_log = sp.symbols("x_bar m_log", real=True)

poisson = rate**S * sp.exp(-n * rate)  # but for the factorials
bernoulli = theta**k * (1 - theta) ** (n - k)
gaussian = sigma**-n * sp.exp(-n * v / (2 * sigma**2))  # at the best mean, but for a constant
exponential = rate**n * sp.exp(-rate * S)
gauss_log = -n / 2 * sp.log(2 * sp.pi * v) - S / (2 * v)  # S is Σ (x − μ)²
along_sigma = -n * sp.log(sigma) - n * v / (2 * sigma**2)
along_v = -n * sp.log(t) / 2 - n * v / (2 * t)
gamma_rest = k * sp.log(k) - k * sp.log(mean) - sp.loggamma(k) + (k - 1) * m_log - k

CASES = {
    # chapter 1: likelihoods
    "Poisson": (poisson, rate, rate ** (S - 1) * sp.exp(-n * rate) * (S - n * rate)),
    "Bernoulli": (
        bernoulli,
        theta,
        theta ** (k - 1) * (1 - theta) ** (n - k - 1) * (k - n * theta),
    ),
    "Gaussian": (
        gaussian,
        sigma,
        n * sigma ** (-n - 3) * sp.exp(-n * v / (2 * sigma**2)) * (v - sigma**2),
    ),
    "exponential": (exponential, rate, rate ** (n - 1) * sp.exp(-rate * S) * (n - rate * S)),
    # chapter 2: log-likelihoods
    "score of the Poisson rate": (x * sp.log(rate) - rate - sp.loggamma(x + 1), rate, x / rate - 1),
    "Gaussian log by v": (gauss_log, v, -n / (2 * v) + S / (2 * v**2)),
    "score of the mean": (
        -((x - mu) ** 2) / (2 * std**2) - sp.log(std),
        mu,
        (x - mu) / std**2,
    ),
    "score of the standard deviation": (
        -((x - mu) ** 2) / (2 * std**2) - sp.log(std),
        std,
        (((x - mu) / std) ** 2 - 1) / std,
    ),
    "what is left of the gamma": (
        gamma_rest,
        k,
        sp.log(k) - sp.log(mean) - sp.digamma(k) + m_log,
    ),
    "the gap, u − 1 − log u": (t - 1 - sp.log(t), t, 1 - 1 / t),
    # chapter 3: losses
    "Poisson loss at rate exp(t)": (sp.exp(t) - x * t + sp.loggamma(x + 1), t, sp.exp(t) - x),
    "a vowel": (-sp.log(1 / (1 + sp.exp(-t))), t, 1 / (1 + sp.exp(-t)) - 1),
    "a consonant": (-sp.log(1 - 1 / (1 + sp.exp(-t))), t, 1 / (1 + sp.exp(-t))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_derivative_of_the_proofs(name: str) -> None:
    function, variable, claimed = CASES[name]
    # over the function, so that its powers cancel
    assert sp.simplify((sp.diff(function, variable) - claimed) / function) == 0


@pytest.mark.parametrize(
    ("function", "variable", "at", "claimed"),
    [
        (along_sigma, sigma, sp.sqrt(v), -2 * n / v),  # curvature in σ: 2n/σ̂²
        (along_v, t, v, -n / (2 * v**2)),  # in σ²: n/(2 v̂²)
        (S * sp.log(rate) - n * rate, rate, S / n, -(n**2) / S),  # Poisson: J = n²/S
        (n * sp.log(theta) + S * sp.log(1 - theta), theta, n / (n + S), -((n + S) ** 3) / (n * S)),
    ],
    ids=["sigma", "variance", "Poisson", "geometric"],
)
def test_a_second_derivative_at_the_maximum(
    function: sp.Expr, variable: sp.Symbol, at: sp.Expr, claimed: sp.Expr
) -> None:
    assert sp.simplify(sp.diff(function, variable).subs(variable, at)) == 0
    assert sp.simplify(sp.diff(function, variable, 2).subs(variable, at) - claimed) == 0


def test_the_log_of_a_density_differentiated_twice() -> None:
    """(log p)″ = p″/p − (p′/p)², on which the two forms of the Fisher information rest."""
    p = sp.Function("p")(t)
    claimed = sp.diff(p, t, 2) / p - (sp.diff(p, t) / p) ** 2
    assert sp.simplify(sp.diff(sp.log(p), t, 2) - claimed) == 0


def test_what_newton_in_the_log_of_the_shape_rests_on() -> None:
    """d/dt [log k − ψ(k)] at k = exp t, and the derivative of q(y) = y/(1 − exp(−y))."""
    F = t - sp.digamma(sp.exp(t))
    slope = 1 - sp.exp(t) * sp.polygamma(1, sp.exp(t))
    assert sp.simplify(sp.diff(F, t) - slope) == 0
    q = t / (1 - sp.exp(-t))
    claimed = (1 - (1 + t) * sp.exp(-t)) / (1 - sp.exp(-t)) ** 2
    assert sp.simplify(sp.diff(q, t) - claimed) == 0


def test_one_over_s_in_rising_factorials() -> None:
    """1/s = Σ_j j!/((s+1)…(s+j+1)); after four terms 24/(s (s+1)…(s+4)) is left."""
    terms = [sp.factorial(j) / sp.rf(s + 1, j + 1) for j in range(4)]
    rest = 24 / (s * sp.rf(s + 1, 4))
    assert sp.simplify(sp.expand_func(1 / s - sum(terms) - rest)) == 0
