"""The models: against 50-digit arithmetic and SciPy, by their properties, and at every edge."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import (
    Bernoulli,
    Categorical,
    Exponential,
    Gamma,
    Gaussian,
    Laplace,
    Poisson,
    StudentT,
    Uniform,
    _student,
    datasets,
    distributions,
)
from nllbook.distributions import Distribution, _gamma_nll, _log_mean_minus_mean_log
from nllbook.optimize import newton

mpmath.mp.dps = 50
mpf = mpmath.mpf
EPS = float(np.finfo(np.float64).eps)
INF, NAN = math.inf, math.nan
FEW = settings(max_examples=40, deadline=None, derandomize=True)
MODELS: list[type[Distribution]] = [
    Bernoulli,
    Categorical,
    Poisson,
    Exponential,
    Gamma,
    Gaussian,
    Laplace,
    StudentT,
    Uniform,
]


def categorical(probs: Any) -> Categorical:
    """Its parameter may be anything that makes an array."""
    return Categorical(probs)


def fit(family: type[Distribution], x: Any) -> Any:
    """The fit of any model; Student's t needs its df, which is 5 in these tests."""
    return StudentT.fit(x, 5) if family is StudentT else family.fit(x)


@dataclass
class Case:
    """A model, and what is known of it without the package."""

    model: Distribution
    inside: list[float]  # values on the support, each float32 (and so exact in every type used)
    outside: list[float]  # values off it
    log_density: Callable[[Any], Any]  # of an mpf: its log-probability, at 50 digits
    entropy: Any  # at 50 digits
    mean: float
    spread: float  # the standard deviation
    rival: float  # a mean that a plausible mistake would give
    scipy: Any  # the same model there


def poisson_entropy(rate: Any) -> Any:
    """λ(1 − log λ) + e^−λ Σ λᵏ log k! / k!: another form than the mean surprise."""
    tail = mpmath.nsum(lambda k: rate**k * mpmath.loggamma(k + 1) / mpmath.factorial(k), [0, 400])
    return rate * (1 - mpmath.log(rate)) + mpmath.exp(-rate) * tail


def entropy_of(*probs: float) -> Any:
    return -mpmath.fsum(mpf(p) * mpmath.log(mpf(p)) for p in probs if p)


def normal_log(mean: float, std: float) -> Callable[[Any], Any]:
    def log_density(x: Any) -> Any:
        return mpmath.log(mpmath.npdf(x, mpf(mean), mpf(std)))

    return log_density


def gamma_log(shape: float, rate: float) -> Callable[[Any], Any]:
    k, b = mpf(shape), mpf(rate)

    def log_density(x: Any) -> Any:
        if x == 0:
            return {-1: mpf("inf"), 0: mpmath.log(b), 1: mpf("-inf")}[int(mpmath.sign(k - 1))]
        return k * mpmath.log(b) + (k - 1) * mpmath.log(x) - b * x - mpmath.loggamma(k)

    return log_density


def gamma_entropy(shape: float, rate: float) -> Any:
    k = mpf(shape)
    return k - mpmath.log(mpf(rate)) + mpmath.loggamma(k) + (1 - k) * mpmath.digamma(k)


def t_log(df: float, loc: float, scale: float) -> Callable[[Any], Any]:
    nu, s = mpf(df), mpf(scale)
    constant = mpmath.loggamma((nu + 1) / 2) - mpmath.loggamma(nu / 2)
    constant -= mpmath.log(mpmath.pi * nu) / 2 + mpmath.log(s)

    def log_density(x: Any) -> Any:
        return constant - (nu + 1) / 2 * mpmath.log1p(((x - mpf(loc)) / s) ** 2 / nu)

    return log_density


def t_entropy(df: float, scale: float) -> Any:
    nu = mpf(df)
    half = (nu + 1) / 2
    spread = half * (mpmath.digamma(half) - mpmath.digamma(nu / 2))
    return spread + mpmath.log(mpf(scale) * mpmath.sqrt(nu) * mpmath.beta(nu / 2, mpf(0.5)))


QUARTERS = [0.125, 0.5, 0.0, 0.375]
OFF_INTEGERS = [-1.0, 0.5, 1.5, -0.25, INF, -INF]
CASES = {
    "Bernoulli": Case(
        Bernoulli(0.3),
        [0, 1],
        [2.0, *OFF_INTEGERS],
        lambda x: mpmath.log(mpf(0.3) if x == 1 else 1 - mpf(0.3)),
        entropy_of(0.3, 0.7),
        0.3,
        math.sqrt(0.3 * 0.7),
        0.7,
        scipy.stats.bernoulli(0.3),
    ),
    "Bernoulli, rare": Case(
        Bernoulli(2.0**-40),
        [0, 1],
        OFF_INTEGERS,
        lambda x: mpmath.log(mpf(2) ** -40 if x == 1 else 1 - mpf(2) ** -40),
        mpf(2) ** -40 * 40 * mpmath.log(2) - (1 - mpf(2) ** -40) * mpmath.log(1 - mpf(2) ** -40),
        0.0,
        2.0**-20,
        1.0,
        None,  # SciPy's log(1 − p) has no more than four digits here
    ),
    "Categorical": Case(
        categorical(QUARTERS),
        [0, 1, 3],
        [2.0, 4.0, *OFF_INTEGERS],  # 2 has probability 0
        lambda x: mpmath.log(mpf(QUARTERS[int(x)])),
        entropy_of(*QUARTERS),
        0 * 0.125 + 1 * 0.5 + 3 * 0.375,
        math.sqrt(0.5 + 9 * 0.375 - 1.625**2),
        2.625,  # classes counted from 1
        scipy.stats.rv_discrete(values=([0, 1, 3], [0.125, 0.5, 0.375])),
    ),
    "Poisson": Case(
        Poisson(0.61),
        [0, 1, 2, 3, 4, 30],
        OFF_INTEGERS,
        lambda x: x * mpmath.log(mpf(0.61)) - mpf(0.61) - mpmath.loggamma(x + 1),
        poisson_entropy(mpf(0.61)),
        0.61,
        math.sqrt(0.61),
        1 / 0.61,
        scipy.stats.poisson(0.61),
    ),
    "Poisson, large": Case(
        Poisson(40.5),
        [0, 10, 40, 41, 90],
        OFF_INTEGERS,
        lambda x: x * mpmath.log(mpf(40.5)) - mpf(40.5) - mpmath.loggamma(x + 1),
        poisson_entropy(mpf(40.5)),
        40.5,
        math.sqrt(40.5),
        41.5,
        scipy.stats.poisson(40.5),
    ),
    "Exponential": Case(
        Exponential(2.5),
        [0.0, 0.25, 1.0, 7.5, 100.0],
        [-0.25, -100.0, INF, -INF],
        lambda x: mpmath.log(mpf(2.5)) - mpf(2.5) * x,
        1 - mpmath.log(mpf(2.5)),
        0.4,
        0.4,
        2.5,  # the rate for its inverse
        scipy.stats.expon(scale=0.4),
    ),
    "Gamma": Case(
        Gamma(2.5, 0.75),
        [2.0**-30, 0.25, 2.0, 3.25, 40.0],
        [-0.25, -100.0, INF, -INF],
        gamma_log(2.5, 0.75),
        gamma_entropy(2.5, 0.75),
        2.5 / 0.75,
        math.sqrt(2.5) / 0.75,
        2.5 * 0.75,  # the scale for the rate
        scipy.stats.gamma(2.5, scale=1 / 0.75),
    ),
    "Gamma, small shape": Case(
        Gamma(0.4375, 2.0),
        [2.0**-30, 0.0009765625, 0.25, 2.125, 30.0],
        [-0.25, INF, -INF],
        gamma_log(0.4375, 2.0),
        gamma_entropy(0.4375, 2.0),
        0.4375 / 2,
        math.sqrt(0.4375) / 2,
        0.4375 * 2,
        scipy.stats.gamma(0.4375, scale=0.5),
    ),
    "Laplace": Case(
        Laplace(1.5, 0.375),
        [-44.0, 0.0, 1.5, 1.75, 100.0],
        [INF, -INF],
        lambda x: -abs(x - mpf(1.5)) / mpf(0.375) - mpmath.log(mpf(0.75)),
        1 + mpmath.log(mpf(0.75)),
        1.5,
        0.375 * math.sqrt(2),
        1.875,
        scipy.stats.laplace(1.5, 0.375),
    ),
    "StudentT": Case(
        StudentT(5.0, 2.25, 1.5),
        [-44.0, -2.0, 2.25, 3.0, 59904.0],
        [INF, -INF],
        t_log(5.0, 2.25, 1.5),
        t_entropy(5.0, 1.5),
        2.25,
        1.5 * math.sqrt(5 / 3),
        3.75,
        scipy.stats.t(5.0, 2.25, 1.5),
    ),
    "Gaussian": Case(
        Gaussian(26.25, 10.75),
        [-44.0, -2.0, 0.0, 26.25, 27.5, 300.0],
        [INF, -INF],
        normal_log(26.25, 10.75),
        mpmath.log(2 * mpmath.pi * mpmath.e * mpf(10.75) ** 2) / 2,
        26.25,
        10.75,
        10.75,
        scipy.stats.norm(26.25, 10.75),
    ),
    "Gaussian, narrow": Case(
        Gaussian(-1.0, 2.0**-10),
        [-1.0, -1.0078125, -0.9990234375],
        [INF, -INF],
        normal_log(-1.0, 2.0**-10),
        mpmath.log(2 * mpmath.pi * mpmath.e * mpf(2) ** -20) / 2,
        -1.0,
        2.0**-10,
        1.0,
        scipy.stats.norm(-1.0, 2.0**-10),
    ),
    "Uniform": Case(
        Uniform(-0.5, 0.25),
        [-0.5, -0.25, 0.0, 0.125, 0.25],  # both ends belong to it
        [-0.5000001, 0.2500001, 3.0, INF, -INF],
        lambda x: -mpmath.log(mpf(0.75)),
        mpmath.log(mpf(0.75)),
        -0.125,
        0.75 / math.sqrt(12),
        0.25,
        scipy.stats.uniform(-0.5, 0.75),
    ),
}
EACH = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
EACH_MODEL = pytest.mark.parametrize("family", MODELS)


def test_every_model_has_a_case() -> None:
    assert {type(case.model) for case in CASES.values()} == set(MODELS)
    assert set(Distribution.__subclasses__()) == set(MODELS)


# --- log_prob and prob ---------------------------------------------------------------------------


@EACH
def test_log_prob_is_right(case: Case) -> None:
    for x in case.inside:
        exact = case.log_density(mpf(x))
        # up to three terms, of at most 700 here, each right to an ulp or two
        allowed = 4 * EPS * max(1, abs(exact), min(abs(x), 700))
        assert abs(mpf(float(case.model.log_prob(x))) - exact) <= allowed, x


@EACH
def test_log_prob_agrees_with_scipy(case: Case) -> None:
    if case.scipy is None:
        return
    x = np.array(case.inside)
    discrete = isinstance(case.model, Bernoulli | Categorical | Poisson)
    expected = np.log(case.scipy.pmf(x)) if discrete else case.scipy.logpdf(x)
    np.testing.assert_allclose(case.model.log_prob(x), expected, rtol=1e-13, atol=1e-13)


@EACH
def test_prob_is_exp_of_log_prob(case: Case) -> None:
    for x in case.inside:
        exact = mpmath.exp(case.log_density(mpf(x)))
        # the exponential turns an error of log p into a relative one
        got = mpf(float(case.model.prob(x)))
        allowed = 4 * EPS * max(1, abs(case.log_density(mpf(x))), min(abs(x), 700)) * exact
        assert abs(got - exact) <= allowed + mpf(5e-324), x


@EACH
def test_off_the_support_nothing_is_possible(case: Case) -> None:
    for x in case.outside:
        assert case.model.log_prob(x) == -INF, x
        assert case.model.prob(x) == 0, x


@EACH
def test_nan_passes_through_and_touches_nothing_else(case: Case) -> None:
    x = np.array([NAN, *case.inside, NAN, *case.outside])
    for method in (case.model.log_prob, case.model.prob):
        got = method(x)
        expected = [method(value) for value in x]
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(x))


@EACH
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64, np.bool_])
def test_integers_become_float64(case: Case, dtype: type) -> None:
    x: Any = np.array([0, 1, 1], dtype=dtype)
    for method in (case.model.log_prob, case.model.prob):
        assert method(x).dtype == np.float64
        np.testing.assert_array_equal(method(x), method([0.0, 1.0, 1.0]))
    assert case.model.log_prob(1).dtype == np.float64


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_float32_is_the_float64_result_rounded(case: Case, dtype: type) -> None:
    x: Any = np.array([*case.inside, *case.outside, NAN]).astype(dtype)
    for method in (case.model.log_prob, case.model.prob):
        got = method(x)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, method(x.astype(np.float64)).astype(np.float32))
        assert method(x[0]).dtype == np.float32


@EACH
@pytest.mark.parametrize("dtype", [">f8", ">f4", ">f2", "<f4", ">i4"])
def test_byte_order_makes_no_difference(case: Case, dtype: str) -> None:
    x = np.array([0, 1, 2, 1], dtype=dtype)
    for method in (case.model.log_prob, case.model.prob):
        got = method(x)
        assert got.dtype.isnative
        np.testing.assert_array_equal(got, method(x.astype(x.dtype.newbyteorder("="))))


@EACH
def test_shapes(case: Case) -> None:
    row = np.resize([*case.inside, *case.outside, NAN], 24)
    for method in (case.model.log_prob, case.model.prob):
        expected = np.array([method(value) for value in row])
        for array, values in (
            (row.reshape(2, 3, 4), expected.reshape(2, 3, 4)),
            (row.reshape(4, 6)[::-2, 1::2], expected.reshape(4, 6)[::-2, 1::2]),
            (np.asfortranarray(row.reshape(4, 6)), expected.reshape(4, 6)),
            (np.broadcast_to(row[:, None], (24, 2)), np.stack([expected, expected], axis=1)),
            (row[:1], expected[:1]),
        ):
            np.testing.assert_array_equal(method(array), values)
            assert method(array).shape == array.shape
        assert method(row.tolist()).shape == (24,)
        empties: list[Any] = [[], np.empty((0, 3)), np.empty((2, 0), dtype=np.float32)]
        for empty in empties:
            assert method(empty).shape == np.shape(empty)
        for single in (row[0], np.array(row[0]), float(row[0])):
            assert np.ndim(method(single)) == 0
            assert isinstance(method(single), np.float64)


@EACH
def test_the_input_is_never_changed(case: Case) -> None:
    x = np.array([*case.inside, *case.outside, NAN])
    before = x.tobytes()
    x.flags.writeable = False
    for method in (case.model.log_prob, case.model.prob):
        assert not np.shares_memory(method(x), x)
        assert x.tobytes() == before


@EACH
@pytest.mark.parametrize("x", ["1", b"1", None, 1j, [object()], np.datetime64("2020-01-01")])
def test_what_is_no_real_number_is_a_type_error(case: Case, x: Any) -> None:
    for method in (case.model.log_prob, case.model.prob, lambda x: fit(type(case.model), x)):
        with pytest.raises(TypeError, match=r"^x must be real numbers, got an array of dtype "):
            method(x)


@EACH
def test_probabilities_sum_to_one(case: Case) -> None:
    model = case.model
    if isinstance(model, Bernoulli | Categorical | Poisson):
        assert math.fsum(model.prob(np.arange(400))) == pytest.approx(1, abs=40 * EPS)
    elif isinstance(model, Uniform):
        assert model.prob(0.0) * (model.high - model.low) == pytest.approx(1, abs=4 * EPS)
    else:
        edges = [case.mean + k * case.spread for k in (-20, -5, -1, 0, 1, 5, 20)]
        edges = [-INF, *edges, INF]
        if isinstance(model, Exponential | Gamma):
            edges = [0.0, *(edge for edge in edges if edge > 0)]
        parts = [
            scipy.integrate.quad(model.prob, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
            for a, b in itertools.pairwise(edges)
        ]
        assert math.fsum(parts) == pytest.approx(1, abs=1e-11)


# --- entropy -------------------------------------------------------------------------------------


@EACH
def test_entropy_is_right(case: Case) -> None:
    # a sum over counts; their log-probabilities are differences of terms of up to 300
    digits = 1e-13 if isinstance(case.model, Poisson) else 8 * EPS
    assert float(abs(case.model.entropy() / case.entropy - 1)) <= digits
    assert type(case.model.entropy()) is float


@EACH
def test_entropy_is_the_mean_surprise(case: Case) -> None:
    """By quadrature or summation of the definition, from log_prob and prob."""
    model = case.model
    if not isinstance(model, Bernoulli | Categorical | Poisson):

        def term(x: float) -> float:
            return -float(model.prob(x) * model.log_prob(x)) if model.prob(x) else 0.0

        edges = [-INF, *(case.mean + k * case.spread for k in (-20, -5, 0, 5, 20)), INF]
        if isinstance(model, Exponential | Gamma):
            edges = [0.0, *(edge for edge in edges if edge > 0)]
        if isinstance(model, Uniform):
            edges = [case.inside[0], case.inside[-1]]
        surprise = math.fsum(
            scipy.integrate.quad(term, a, b, limit=200, epsrel=1e-11)[0]
            for a, b in itertools.pairwise(edges)
        )
        assert model.entropy() == pytest.approx(surprise, rel=1e-9, abs=0)
    else:
        x = np.arange(400)
        x = x[model.prob(x) > 0]
        surprise = math.fsum(-model.prob(x) * model.log_prob(x))
        assert model.entropy() == pytest.approx(surprise, rel=1e-12, abs=0)


@pytest.mark.parametrize("p", [1e-20, 1e-9, 1e-3, 0.25, 0.5, 0.75, 1 - 2.0**-53])
def test_bernoulli_entropy_keeps_its_digits(p: float) -> None:
    """The term of the likely outcome is as large as p where p is small: 1e-20 of 4.7e-19."""
    exact = -mpf(p) * mpmath.log(mpf(p)) - (1 - mpf(p)) * mpmath.log(1 - mpf(p))
    assert float(abs(Bernoulli(p).entropy() / exact - 1)) <= 4 * EPS


@pytest.mark.parametrize(
    "model", [Bernoulli(0), Bernoulli(1), categorical([1.0]), categorical([0, 1, 0]), Poisson(0)]
)
def test_certainty_has_no_entropy(model: Distribution) -> None:
    assert model.entropy() == 0
    assert math.copysign(1, model.entropy()) == 1  # printed as 0.0, not as -0.0


def test_entropy_is_in_nats() -> None:
    assert Bernoulli(0.5).entropy() == pytest.approx(0.6931471805599453, rel=2 * EPS, abs=0)
    assert categorical(np.full(8, 0.125)).entropy() == pytest.approx(
        math.log(8), rel=2 * EPS, abs=0
    )
    assert Uniform(0, 1).entropy() == 0
    assert Uniform(0, 0.5).entropy() == pytest.approx(
        -math.log(2), rel=2 * EPS, abs=0
    )  # may be negative


@pytest.mark.parametrize("rate", [1e-9, 1e-3, 0.1, 1.0, 10.0, 100.0])
def test_poisson_entropy(rate: float) -> None:
    exact = poisson_entropy(mpf(rate))
    assert float(abs(Poisson(rate).entropy() / exact - 1)) <= 1e-13


# --- single values, exactly ----------------------------------------------------------------------


def test_bernoulli_by_hand() -> None:
    assert Bernoulli(0.25).prob([0, 1]).tolist() == [0.75, 0.25]
    assert Bernoulli(0.5).log_prob(1) == -0.6931471805599453


@pytest.mark.parametrize(("p", "certain", "impossible"), [(0, 0, 1), (1, 1, 0)])
def test_bernoulli_at_its_ends(p: float, certain: int, impossible: int) -> None:
    model = Bernoulli(p)
    assert model.log_prob(certain) == 0
    assert model.log_prob(impossible) == -INF
    assert model.prob([certain, impossible]).tolist() == [1, 0]
    assert set(model.sample(20, np.random.default_rng(1)).tolist()) == {certain}


@pytest.mark.parametrize("p", [1e-300, 1e-17, 1e-12, 1e-3, 0.25])
def test_bernoulli_keeps_the_digits_of_the_nearly_certain(p: float) -> None:
    """log(1 − p) by log1p: 1 − 1e-17 is 1, whose log says nothing of p."""
    exact = mpmath.log(1 - mpf(p)) if p > 1e-40 else -mpf(p)
    assert float(abs(mpf(float(Bernoulli(p).log_prob(0))) / exact - 1)) <= 4 * EPS


def test_categorical_at_its_ends() -> None:
    model = categorical([0.0, 1.0, 0.0])
    assert model.log_prob([0, 1, 2]).tolist() == [-INF, 0, -INF]
    assert set(model.sample(20, np.random.default_rng(1)).tolist()) == {1}


def test_categorical_with_two_classes_is_bernoulli() -> None:
    x = [0, 1, 2, -1, 0.5]
    two, one = categorical([0.625, 0.375]), Bernoulli(0.375)
    np.testing.assert_allclose(two.log_prob(x), one.log_prob(x), rtol=4 * EPS)
    assert two.entropy() == pytest.approx(one.entropy(), rel=4 * EPS, abs=0)


@pytest.mark.parametrize(("k", "factorial"), [(0, 1), (1, 1), (2, 2), (3, 6), (5, 120), (20, None)])
def test_poisson_of_rate_one(k: int, factorial: int | None) -> None:
    expected = -1 - math.log(factorial or math.factorial(k))
    assert float(Poisson(1).log_prob(k)) == pytest.approx(expected, rel=4 * EPS, abs=0)


def test_poisson_of_rate_zero_gives_zero() -> None:
    assert Poisson(0).log_prob([0, 1, 2]).tolist() == [0, -INF, -INF]
    assert Poisson(0).prob([0, 1]).tolist() == [1, 0]
    assert Poisson(0).sample(5, np.random.default_rng(1)).tolist() == [0] * 5


def test_exponential_has_no_memory() -> None:
    model = Exponential(0.75)
    # p(3 + 2) p(0) = p(3) p(2)
    assert float(model.log_prob(5) + model.log_prob(0)) == pytest.approx(
        float(model.log_prob(3) + model.log_prob(2)), rel=4 * EPS, abs=0
    )
    assert model.prob(0) == pytest.approx(0.75, rel=2 * EPS, abs=0)  # the support is closed at 0
    assert model.prob(-0.0) == pytest.approx(0.75, rel=2 * EPS, abs=0)


def test_gaussian_by_hand() -> None:
    # −½ log 2π = −0.918938533204672741780…
    assert Gaussian(0, 1).log_prob(0) == -0.9189385332046727
    one_up = Gaussian(0, 1).log_prob(1)
    assert float(one_up) == pytest.approx(-1.4189385332046727, rel=2 * EPS, abs=0)
    # std is no variance: at 2 of std 2, the density is half of that at 1 of std 1
    assert Gaussian(0, 2).prob(2) == pytest.approx(Gaussian(0, 1).prob(1) / 2, rel=4 * EPS, abs=0)


def test_a_density_can_exceed_one() -> None:
    assert Gaussian(0, 0.1).prob(0) == pytest.approx(
        3.9894228040143267, rel=4 * EPS, abs=0
    )  # 10/√2π
    assert Uniform(0, 0.125).prob(0.1) == pytest.approx(8, rel=4 * EPS, abs=0)


def test_gamma_of_shape_one_is_exponential() -> None:
    x = [0.0, 1e-3, 0.25, 3.0, 100.0, -1.0, INF, NAN]
    np.testing.assert_allclose(
        Gamma(1, 0.75).log_prob(x), Exponential(0.75).log_prob(x), rtol=16 * EPS
    )
    assert Gamma(1, 0.75).entropy() == pytest.approx(
        Exponential(0.75).entropy(), rel=4 * EPS, abs=0
    )
    # the sum of two waiting times has density rate² · x · exp(−rate x)
    assert Gamma(2, 0.75).prob(4.0) == pytest.approx(0.75**2 * 4 * math.exp(-3), rel=8 * EPS, abs=0)


def test_gamma_at_zero() -> None:
    """Below shape 1 the density has no bound there, above it vanishes."""
    assert Gamma(0.999, 2.0).log_prob([0.0, -0.0]).tolist() == [INF, INF]
    assert Gamma(1, 2.0).log_prob(0.0) == math.log(2)
    assert Gamma(1.001, 2.0).log_prob([0.0, -0.0]).tolist() == [-INF, -INF]
    assert Gamma(0.5, 2.0).prob(0.0) == INF


def test_laplace_by_hand() -> None:
    assert Laplace(0, 1).prob([0, 1, -1]).tolist() == pytest.approx(
        [0.5, 0.5 / math.e, 0.5 / math.e], rel=4 * EPS, abs=0
    )
    # at 2 of scale 2 the density is half of that at 1 of scale 1
    assert Laplace(1, 2).prob(3) == pytest.approx(Laplace(1, 1).prob(2) / 2, rel=4 * EPS, abs=0)


def test_student_t_with_one_degree_of_freedom_is_cauchy() -> None:
    x = np.array([-1e100, -3.0, 0.0, 0.5, 2.0, 1e10])
    np.testing.assert_allclose(
        StudentT(1, 0, 2).prob(x), 1 / (math.pi * 2 * (1 + (x / 2) ** 2)), rtol=500 * 2 * EPS
    )
    assert StudentT(1, 0, 2).entropy() == pytest.approx(math.log(8 * math.pi), rel=4 * EPS, abs=0)


def test_student_t_with_two_degrees_of_freedom() -> None:
    """The density is (2 + z²)^(−3/2), without any constant."""
    x = np.array([0.0, 0.5, -2.0, 30.0])
    np.testing.assert_allclose(StudentT(2, 0, 1).prob(x), (2 + x**2) ** -1.5, rtol=8 * EPS)


@pytest.mark.parametrize("df", [1e15, 1e30, 1e300, 1.7e308])
def test_student_t_becomes_the_gaussian(df: float) -> None:
    x = [0.0, 0.25, -1.0, 3.0, -8.0]
    np.testing.assert_allclose(
        StudentT(df, -1, 2).log_prob(x), Gaussian(-1, 2).log_prob(x), rtol=64 / df + 4 * EPS
    )
    assert StudentT(df, 0, 2).entropy() == pytest.approx(
        Gaussian(0, 2).entropy(), rel=4 * EPS, abs=0
    )


def test_uniform_is_closed() -> None:
    model = Uniform(-1.0, 3.0)
    assert model.prob([-1, 0, 3]).tolist() == pytest.approx([0.25] * 3, rel=4 * EPS, abs=0)
    assert model.prob(np.nextafter([-1.0, 3.0], [-2.0, 4.0])).tolist() == [0, 0]
    assert Uniform(0, 1).prob([0, 0.5, 1]).tolist() == [1, 1, 1]


def test_a_log_probability_of_certainty_prints_as_zero() -> None:
    """log 1 is 0.0: a minus sign before it would puzzle the reader of an output."""
    certain = [
        Bernoulli(0).log_prob(0),
        Bernoulli(1).log_prob(1),
        categorical([1.0]).log_prob(0),
        Poisson(0).log_prob(0),
        Uniform(0, 1).log_prob(0.5),
    ]
    assert [math.copysign(1, float(value)) for value in certain] == [1] * 5


# --- large and small -----------------------------------------------------------------------------


def test_values_too_improbable_for_a_float_are_minus_infinity() -> None:
    assert Gaussian(0, 1).log_prob([1e200, -1e200]).tolist() == [-INF, -INF]
    assert Gaussian(1e308, 1).log_prob(-1e308) == -INF
    assert Gaussian(0, 1e-310).log_prob(1.0) == -INF


def test_exponential_far_out_does_not_warn() -> None:
    assert Exponential(1e308).log_prob(1e308) == -INF


def test_poisson_far_out_neither_warns_nor_raises() -> None:
    assert Poisson(1.0).log_prob(1e306) == -INF  # −7e308
    assert Poisson(1e308).log_prob(0) == -1e308


@pytest.mark.parametrize(
    ("model", "x"), [(Gaussian(0, 1), 1e30), (Exponential(1e10), 1e38), (Poisson(1), 1e38)]
)
def test_float32_overflows_to_infinity_without_a_warning(model: Distribution, x: float) -> None:
    got = model.log_prob(np.float32(x))
    assert got.dtype == np.float32
    assert got == -INF


@pytest.mark.parametrize("rate", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("shift", [0, 1, -2])
def test_poisson_with_a_large_rate_in_float32(rate: float, shift: int) -> None:
    """Three terms of 2e10 cancel to −11: half an ulp of *that* is 5e-7."""
    x = np.float32(rate) + np.float32(shift) * np.float32(2.0 ** round(math.log2(rate) / 2))
    exact = mpf(float(x)) * mpmath.log(mpf(rate)) - mpf(rate) - mpmath.loggamma(mpf(float(x)) + 1)
    got = Poisson(rate).log_prob(x)
    assert got.dtype == np.float32
    assert float(abs(mpf(float(got)) - exact)) <= 0.501 * float(np.spacing(abs(got)))


def test_poisson_with_a_large_rate() -> None:
    """Near its mean it is a Gaussian: −½ log 2πλ − 1/(12λ) + O(λ⁻³), by Stirling's series."""
    # its three terms are up to 2e11, of which 11 is left: summed as they are, ten digits go
    for rate in (1e4, 1e6, 1e8, 1e10):
        expected = -0.5 * math.log(2 * math.pi * rate) - 1 / (12 * rate)
        assert float(Poisson(rate).log_prob(rate)) == pytest.approx(expected, rel=1e-11, abs=0)


@pytest.mark.parametrize(("rate", "x"), [(1e-10, 20), (1e-300, 50), (1e-3, 16), (3.0, 100)])
def test_poisson_far_above_its_mean(rate: float, x: int) -> None:
    exact = x * mpmath.log(mpf(rate)) - mpf(rate) - mpmath.loggamma(x + 1)
    assert float(abs(mpf(float(Poisson(rate).log_prob(x))) / exact - 1)) <= 4 * EPS


def relative_to(*sizes: Any) -> float:
    """What a few roundings of numbers of these sizes may add up to."""
    return 8 * EPS * max(1.0, *(float(abs(size)) for size in sizes))


@pytest.mark.parametrize(
    "shape", [1e-300, 1e-3, 0.3, 0.999, 1.0, 1.5, 15.9, 16.0, 500.0, 1e6, 1e12]
)
@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 1e-3, 2.0])
def test_gamma_near_its_mean(shape: float, z: float) -> None:
    """For a large shape three terms of k log k cancel; what is left is known to its last digits."""
    rate = 0.3
    x = shape / rate * math.exp(z / math.sqrt(max(shape, 1)))
    exact = gamma_log(shape, rate)(mpf(x))
    # the rounding of rate · x counts by the slope there
    allowed = relative_to(exact, math.log(x), 0.25 * (shape - rate * x))
    assert float(abs(mpf(float(Gamma(shape, rate).log_prob(x))) - exact)) <= allowed


@pytest.mark.parametrize("shape", [1e-3, 0.5, 1.0, 2.5, 1e5])
@pytest.mark.parametrize(
    ("rate", "x"),
    [
        (1.0, 5e-324),
        (1e-200, 1e-200),
        (1e200, 1e-200),
        (1e-200, 1e200),
        (1e300, 1e300),
        (1e-9, 3.0),
    ],
)
def test_gamma_far_from_its_mean(shape: float, rate: float, x: float) -> None:
    exact = gamma_log(shape, rate)(mpf(x))
    got = float(Gamma(shape, rate).log_prob(x))
    if exact < -(10**308):
        assert got == -INF
    else:
        assert float(abs(mpf(got) - exact)) <= relative_to(exact, math.log(x))


@pytest.mark.parametrize("df", [1e-300, 1e-3, 0.5, 1.0, 3.0, 31.9, 32.0, 1e3, 1e6, 1e10, 1e16])
@pytest.mark.parametrize("z", [0.0, 1e-9, 0.5, -2.0, 40.0, 1e9, -1e150, 1e155, 1e300, -1.7e308])
def test_student_t_near_and_far(df: float, z: float) -> None:
    exact = t_log(df, 1.0, 0.5)(mpf(1) + mpf(z) / 2)
    got = float(StudentT(df, 1.0, 0.5).log_prob(1.0 + z / 2)) if abs(z) != 1e-9 else None
    if got is None:  # 1 + z/2 is rounded
        exact = t_log(df, 0.0, 0.5)(mpf(z) / 2)
        got = float(StudentT(df, 0.0, 0.5).log_prob(z / 2))
    assert float(abs(mpf(got) - exact)) <= relative_to(exact, math.log(df))


def test_student_t_where_the_distance_in_scales_is_no_float() -> None:
    exact = t_log(2.0, 0.0, 1e-300)(mpf(1e300))
    assert float(StudentT(2.0, 0.0, 1e-300).log_prob(1e300)) == pytest.approx(
        float(exact), rel=1e-15, abs=0
    )
    exact = t_log(1e-200, 0.0, 1.0)(mpf(1e300))
    got = StudentT(1e-200, 0.0, 1.0).log_prob(1e300)
    assert float(got) == pytest.approx(float(exact), rel=1e-15, abs=0)
    assert StudentT(3.0, 0.0, 1.0).log_prob([1e308, -1e308]).tolist() == pytest.approx(
        [float(t_log(3.0, 0.0, 1.0)(mpf(1e308)))] * 2, rel=1e-15, abs=0
    )


@pytest.mark.parametrize(
    "shape", [1e-300, 1e-3, 0.5, 0.999, 1.0, 1.001, 3.0, 16.0, 100.0, 1e8, 1e15]
)
def test_gamma_entropy_keeps_its_digits(shape: float) -> None:
    """Its terms are k log k for large k; ½ log 2πek of it is left."""
    exact = gamma_entropy(shape, 1.0)
    assert float(abs(mpf(Gamma(shape, 1.0).entropy()) - exact)) <= relative_to(exact)


@pytest.mark.parametrize("df", [1e-300, 1e-3, 0.5, 1.0, 2.0, 30.0, 32.0, 1e3, 1e8, 1e15])
def test_student_t_entropy_keeps_its_digits(df: float) -> None:
    """½(df + 1) times the difference of two digammas, each of log df: plain, 1e-5 at df = 1e10."""
    with mpmath.workdps(400 if df < 1e-99 else 50):
        exact = t_entropy(df, 1.0)
    assert float(abs(mpf(StudentT(df, 0.0, 1.0).entropy()) - exact)) <= relative_to(exact)


def test_gamma_samples_of_a_tiny_shape_are_finite() -> None:
    x = Gamma(1e-3, 1.0).sample(1000, np.random.default_rng(2))
    assert np.all((x >= 0) & np.isfinite(x))
    assert np.any(x == 0)  # as its docstring says


@pytest.mark.parametrize("model", [Gamma(5, 1e-308), StudentT(0.01, 0, 1e300), Laplace(0, 1.7e308)])
def test_samples_too_large_for_a_float_are_infinite(model: Distribution) -> None:
    x = model.sample(200, np.random.default_rng(2))
    assert np.any(np.isinf(x))
    assert not np.any(np.isnan(x))


def test_uniform_is_no_wider_than_the_largest_float() -> None:
    """Else its density would be 0 on its own support, and its entropy infinite."""
    with pytest.raises(ValueError, match=r"^high - low = inf must be finite"):
        Uniform(-1e308, 1e308)
    half = Uniform(-0.5e308, 0.5e308)
    assert half.entropy() == pytest.approx(308 * math.log(10), rel=4 * EPS, abs=0)
    assert np.isfinite(half.sample(5, np.random.default_rng(1))).all()


# --- samples -------------------------------------------------------------------------------------


@EACH
def test_the_mean_of_samples(case: Case) -> None:
    draws = 40_000
    x = case.model.sample(draws, np.random.default_rng(20_240_229))
    error = case.spread / math.sqrt(draws)
    assert abs(case.rival - case.mean) >= 10 * error  # else the test could not tell them apart
    assert abs(float(np.mean(x)) - case.mean) <= 4 * error


@EACH
def test_samples_have_the_right_distribution(case: Case) -> None:
    """The whole distribution function: Kolmogorov and Smirnov's distance at a level of 1e-4."""
    if case.scipy is None:
        return
    draws = 20_000
    x = np.sort(case.model.sample(draws, np.random.default_rng(7)))
    values = np.unique(x)
    empirical = np.searchsorted(x, values, side="right") / draws
    # for a discrete model the same bound holds, only more generously
    assert np.max(np.abs(empirical - case.scipy.cdf(values))) <= 2.23 / math.sqrt(draws)


@EACH
def test_samples_are_possible(case: Case) -> None:
    x = case.model.sample(2_000, np.random.default_rng(3))
    assert np.all(np.isfinite(case.model.log_prob(x)))
    discrete = isinstance(case.model, Bernoulli | Categorical | Poisson)
    assert x.dtype == (np.int64 if discrete else np.float64)


@EACH
@pytest.mark.parametrize("size", [0, 1, 5, (), (3,), (2, 3), (0, 2)])
def test_the_shape_of_samples(case: Case, size: int | tuple[int, ...]) -> None:
    x = case.model.sample(size, np.random.default_rng(1))
    assert np.shape(x) == ((size,) if isinstance(size, int) else size)


@EACH
def test_samples_come_from_the_callers_generator(case: Case) -> None:
    one, two = np.random.default_rng(11), np.random.default_rng(11)
    first, again = case.model.sample(50, one), case.model.sample(50, two)
    np.testing.assert_array_equal(first, again)
    assert one.bit_generator.state == two.bit_generator.state
    assert one.bit_generator.state != np.random.default_rng(11).bit_generator.state
    if case.scipy is not None:
        assert np.any(case.model.sample(50, one) != first)  # it went on, it did not start again


# --- fit -----------------------------------------------------------------------------------------

DATA: dict[type[Distribution], list[float]] = {
    Bernoulli: [1, 0, 0, 1, 1, 0, 0, 0],
    Categorical: [0, 2, 2, 1, 3, 2, 0, 2],
    Poisson: [0, 2, 1, 0, 0, 3, 1, 1],
    Exponential: [0.5, 0.0, 3.0, 1.25, 0.25, 7.0, 1.0, 3.0],
    Gamma: [0.5, 0.125, 3.0, 1.25, 0.25, 7.0, 1.0, 3.0],
    Gaussian: [-44.0, 28.0, 26.0, 33.0, 24.0, 34.0, -2.0, 27.0],
    Laplace: [-44.0, 28.0, 27.0, 33.0, 24.0, 34.0, -2.0, 27.0],
    StudentT: [2.0, 7.0, 4.0, -1.0, 4.0, 2.0, -1.0, 7.0],
    Uniform: [0.5, 0.0, 2.0, 1.5, 1.0, 0.25, 0.75, 1.75],
}
GAMMA_SHAPE = mpmath.findroot(  # where log k − ψ(k) = log(mean) − mean of log
    lambda k: mpmath.log(k) - mpmath.digamma(k) - mpmath.log(mpf(16.125) / 8)
    + mpmath.log(mpf(0.5) * 0.125 * 3 * 1.25 * 0.25 * 7 * 1 * 3) / 8,
    1,
)  # fmt: skip
FITTED: dict[type[Distribution], dict[str, Any]] = {  # in fractions, by hand
    Bernoulli: {"p": Fraction(3, 8)},
    Categorical: {"probs": [Fraction(2, 8), Fraction(1, 8), Fraction(4, 8), Fraction(1, 8)]},
    Poisson: {"rate": Fraction(8, 8)},
    Exponential: {"rate": Fraction(8, 16)},
    Gaussian: {
        "mean": Fraction(126, 8),
        # the squares sum to 6950, less 8 times the square of the mean, over 8: not over 7
        "std": math.sqrt(Fraction(6950, 8) - Fraction(126, 8) ** 2),
    },
    Gamma: {"shape": GAMMA_SHAPE, "rate": GAMMA_SHAPE * 8 / mpf(16.125)},
    # the median, and (71 + 1 + 0 + 6 + 3 + 7 + 29 + 0) / 8
    Laplace: {"loc": Fraction(27), "scale": Fraction(117, 8)},
    # symmetric about 3 at distances 1 and 4: ½ [6/(y + 1) + 6 · 16/(y + 16)] = 1 for y = 5 scale²
    StudentT: {"df": 5, "loc": Fraction(3), "scale": math.sqrt((17 + math.sqrt(369)) / 5)},
    Uniform: {"low": Fraction(0), "high": Fraction(2)},
}


@EACH_MODEL
def test_fit_by_hand(family: type[Distribution]) -> None:
    fitted = fit(family, DATA[family])
    assert type(fitted) is family
    for name, value in FITTED[family].items():
        expected = np.array(value, dtype=float)
        np.testing.assert_allclose(getattr(fitted, name), expected, rtol=4 * EPS, atol=0)


def test_the_squares_of_the_data_by_hand() -> None:
    """What the fit of the Gaussian above rests on."""
    assert sum(Fraction(x) ** 2 for x in DATA[Gaussian]) == 6950
    assert sum(Fraction(x) for x in DATA[Gaussian]) == 126


def neighbours(model: Any) -> list[Distribution]:
    """The same model with one parameter a little changed, every way that there is."""
    found: list[Distribution] = []
    for step in (1e-3, -1e-3, 0.1, -0.1):
        if isinstance(model, Categorical):
            for i in range(model.probs.size):
                for j in range(i):
                    probs = model.probs.copy()
                    moved = step * min(probs[i], probs[j])
                    probs[i] += moved
                    probs[j] -= moved
                    found.append(categorical(probs / math.fsum(probs)))
            continue
        for field in dataclasses.fields(model):
            if field.name == "df":
                continue  # it was given, not fitted
            value = getattr(model, field.name)
            try:
                found.append(dataclasses.replace(model, **{field.name: value * (1 + step) + step}))
            except ValueError:
                continue  # there is no such model
    return found


@EACH_MODEL
def test_fit_beats_its_neighbours(family: type[Distribution]) -> None:
    data = DATA[family]
    fitted = fit(family, data)
    best = math.fsum(fitted.log_prob(data))
    rivals = neighbours(fitted)
    assert len(rivals) >= 4
    for rival in rivals:
        assert math.fsum(rival.log_prob(data)) < best - 1e-7, rival


@EACH_MODEL
@FEW
@given(st.data())
def test_fit_beats_its_neighbours_on_any_data(family: type[Distribution], data: Any) -> None:
    values = {
        Bernoulli: st.integers(0, 1),
        Categorical: st.integers(0, 4),
        Poisson: st.integers(0, 50),
        Exponential: st.floats(0.125, 64, width=16),
        Gamma: st.floats(0.125, 64, width=16),
        Gaussian: st.floats(-64, 64, width=16),
        Laplace: st.floats(-64, 64, width=16),
        StudentT: st.floats(-64, 64, width=16),
        Uniform: st.floats(-64, 64, width=16),
    }[family]
    distinct = family in (Gamma, Gaussian, Laplace, StudentT, Uniform)
    x = data.draw(st.lists(values, min_size=2, max_size=12, unique=distinct))
    if distinct and np.ptp(x) < 0.01:
        return  # the neighbours would be too far away
    fitted = fit(family, x)
    best = math.fsum(fitted.log_prob(x))
    for rival in neighbours(fitted):
        assert math.fsum(rival.log_prob(x)) <= best + 1e-9 * max(1, abs(best)), rival


@EACH_MODEL
def test_fit_does_not_depend_on_the_order_or_the_type(family: type[Distribution]) -> None:
    data = np.array(DATA[family])
    expected = fit(family, data.tolist())
    allowed = (32 if family in (Gamma, StudentT) else 4) * EPS  # those are found step by step
    data.flags.writeable = False
    before = data.tobytes()
    forms = [data, data[::-1], np.repeat(data, 3), np.repeat(data, 2)[::2]]
    forms += [data.astype(kind) for kind in (np.float32, np.float16, ">f8", ">f4")]
    forms += [data.astype(np.int16)] if np.all(data == data.round()) else []
    for form in forms:
        fitted = fit(family, form)
        for field in dataclasses.fields(fitted):
            np.testing.assert_allclose(
                getattr(fitted, field.name), getattr(expected, field.name), rtol=allowed
            )
    assert data.tobytes() == before


@EACH_MODEL
def test_fit_of_a_sample_finds_the_model(family: type[Distribution]) -> None:
    truth = next(case.model for case in CASES.values() if type(case.model) is family)
    x = truth.sample(100_000, np.random.default_rng(5))
    fitted = fit(family, x)
    for field in dataclasses.fields(fitted):
        np.testing.assert_allclose(
            getattr(fitted, field.name), getattr(truth, field.name), rtol=0.02, atol=1e-3
        )


@EACH_MODEL
@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([], r"^x is empty: there is nothing to fit a model to$"),
        (3, r"^x must have one dimension, got shape \(\)$"),
        ([[0, 1]], r"^x must have one dimension, got shape \(1, 2\)$"),
        ([1, 0, NAN], r"^x\[2\] = nan must be finite$"),
        ([1, INF], r"^x\[1\] = inf must be finite$"),
        ([-INF, 1], r"^x\[0\] = -inf must be finite$"),
    ],
)
def test_fit_refuses_what_is_no_data(family: type[Distribution], x: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(family, x)


@pytest.mark.parametrize(
    ("family", "x", "message"),
    [
        (Bernoulli, [0, 1, 2], r"^x\[2\] = 2 must be 0 or 1$"),
        (Bernoulli, [0.5], r"^x\[0\] = 0\.5 must be 0 or 1$"),
        (Categorical, [0, -1], r"^x\[1\] = -1 must be a class index 0, 1, 2, …$"),
        (Categorical, [0, 1.5], r"^x\[1\] = 1\.5 must be a class index 0, 1, 2, …$"),
        (Poisson, [0, 1, -1], r"^x\[2\] = -1 must be a count 0, 1, 2, …$"),
        (Poisson, [0.25], r"^x\[0\] = 0\.25 must be a count 0, 1, 2, …$"),
        (Exponential, [1, -0.5], r"^x\[1\] = -0\.5 must be >= 0$"),
        (Exponential, [0, 0.0], r"^x is all zeros: the likelihood grows .* as rate → ∞$"),
        (Gamma, [1, 0.5, 0], r"^x\[2\] = 0 must be > 0$"),
        (Gamma, [-1, 0.5], r"^x\[0\] = -1 must be > 0$"),
        (Gamma, [0.0], r"^x\[0\] = 0 must be > 0$"),
        (Gamma, [2.5, 2.5], r"^x is constant \(2\.5\): the likelihood grows .* as shape → ∞$"),
        (Gamma, [7], r"^x is constant \(7\): the likelihood grows .* as shape → ∞$"),
        (Laplace, [2.5, 2.5], r"^x is constant \(2\.5\): the likelihood grows .* as scale → 0$"),
        (Laplace, [7], r"^x is constant \(7\): the likelihood grows .* as scale → 0$"),
        (StudentT, [2.5, 2.5], r"^2 of the 2 values of x are 2\.5: from a share of .* scale → 0$"),
        (Gaussian, [2.5, 2.5], r"^x is constant \(2\.5\): the likelihood grows .* as std → 0$"),
        (Gaussian, [7], r"^x is constant \(7\): the likelihood grows .* as std → 0$"),
        (Uniform, [2.5, 2.5], r"^x is constant \(2\.5\): the likelihood grows .* as high → low$"),
    ],
)
def test_fit_refuses_what_has_no_maximum(
    family: type[Distribution], x: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit(family, x)


def test_a_maximum_on_the_boundary_is_one() -> None:
    assert Bernoulli.fit([0, 0]) == Bernoulli(0)
    assert Bernoulli.fit([1]) == Bernoulli(1)
    assert Poisson.fit([0, 0, 0]) == Poisson(0)
    assert Categorical.fit([2, 2]).probs.tolist() == [0, 0, 1]


def test_categorical_fit_with_a_number_of_classes() -> None:
    assert Categorical.fit([0, 2, 2, 1], k=5).probs.tolist() == [0.25, 0.25, 0.5, 0, 0]
    assert Categorical.fit([0, 2, 2, 1], k=3).probs.tolist() == [0.25, 0.25, 0.5]
    largest: Any = np.int64(1)  # as it comes from data
    assert Categorical.fit([0], k=largest + 1).probs.tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"^x\[1\] = 2 must be a class index in 0\.\.1$"):
        Categorical.fit([0, 2, 2, 1], k=2)


@pytest.mark.parametrize("k", [0, -1])
def test_categorical_fit_needs_a_class(k: int) -> None:
    with pytest.raises(ValueError, match=rf"^k = {k} must be "):
        Categorical.fit([0, 1], k=k)


@pytest.mark.parametrize("index", [1e7, 1e18, 1e300])
def test_categorical_fit_refuses_what_is_hardly_a_class(index: float) -> None:
    """Counting so many classes would take the memory of the machine, and more."""
    shown = re.escape(repr(index).removesuffix(".0"))
    message = rf"^x\[1\] = {shown} must be a class index below 10000000$"
    with pytest.raises(ValueError, match=message):
        Categorical.fit([0, index])
    with pytest.raises(ValueError, match=r"^k = 10000001 must be at least 1 and at most 10000000$"):
        Categorical.fit([0], k=10_000_001)


def test_poisson_fit_of_huge_counts() -> None:
    assert Poisson.fit([1e308, 1.5e308]).rate == pytest.approx(1.25e308, rel=4 * EPS, abs=0)


@pytest.mark.parametrize("count", [14, 15, 16, 17, 20, 40])
def test_poisson_where_stirlings_series_begins(count: int) -> None:
    for rate in (0.5 * count, float(count), 1.125 * count):
        exact = count * mpmath.log(rate) - mpf(rate) - mpmath.loggamma(count + 1)
        got = Poisson(rate).log_prob(count)
        allowed = 4 * EPS if count >= 16 else 64 * EPS  # below, large terms cancel
        assert float(abs(mpf(float(got)) / exact - 1)) <= allowed


def test_poisson_entropy_of_large_rates() -> None:
    """The series, which is tested below, without its next term; and where it meets the sum."""
    for rate in (1e6, 1e9, 1e18, 1e308):
        n = mpmath.mpf(rate)
        exact = mpmath.log(2 * mpmath.pi * mpmath.e * n) / 2 - 1 / (12 * n) - 1 / (24 * n**2)
        assert Poisson(rate).entropy() == pytest.approx(float(exact), rel=2 * EPS, abs=0)
    below = math.nextafter(1e6, 0)
    assert Poisson(below).entropy() == pytest.approx(Poisson(1e6).entropy(), rel=1e-13, abs=0)


def test_the_series_of_the_poisson_entropy() -> None:
    """What it leaves out falls like −19/(360 rate³): against the sum in 50 digits."""
    for rate in (200, 400):
        n = mpmath.mpf(rate)
        logs = [k * mpmath.log(n) - n - mpmath.loggamma(k + 1) for k in range(4 * rate)]
        exact = -mpmath.fsum(mpmath.exp(log) * log for log in logs)
        series = mpmath.log(2 * mpmath.pi * mpmath.e * n) / 2 - 1 / (12 * n) - 1 / (24 * n**2)
        assert float((exact - series) * n**3) == pytest.approx(-19 / 360, rel=3 / rate, abs=0)


@pytest.mark.parametrize("df", [5e-324, 1e-310])
def test_student_t_refuses_a_df_that_loses_digits(df: float) -> None:
    message = rf"^df = {df!r} must be at least 2\.2250738585072014e-308$"
    with pytest.raises(ValueError, match=message):
        StudentT(df, 0, 1)
    with pytest.raises(ValueError, match=message):
        StudentT.fit([1, 2, 4], df)
    assert math.isfinite(float(StudentT(2.2250738585072014e-308, 0, 1).log_prob(1.0)))


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (Bernoulli(1e-320), [0, 1]),
        (Categorical(np.array([0.0, 1.0])), [0, 1, 2]),
        (Poisson(1e-300), [0, 1, 20, 1e300]),
        (Exponential(1e-300), [1e-300, 1.0]),
        (Gamma(0.5, 1e-300), [1e-300, 1e300]),
        (Gamma(2.0, 1e-300), [0.0, 1e-300, 1e300]),
        (Gaussian(0.0, 1.0), [1e-200, 1e200]),
        (Laplace(0.0, 1e300), [1e-300, 1.0]),
        (StudentT(3.0, 0.0, 1e200), [0.0, 1e-200, 1e300]),
        (Uniform(0.0, 1e-310), [0.0, 1.0]),
    ],
)
def test_no_underflow_leaves_a_model(model: Distribution, x: list[float]) -> None:
    logs, probabilities, entropy = model.log_prob(x), model.prob(x), model.entropy()
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(model.log_prob(x), logs)
        np.testing.assert_array_equal(model.prob(x), probabilities)
        assert model.entropy() == entropy


@pytest.mark.parametrize("family", [Exponential, Gamma, Gaussian, Laplace, StudentT, Uniform])
def test_no_underflow_leaves_a_fit(family: type[Distribution]) -> None:
    x = [1e-320, 1.0, 2.0, 1e300]
    expected = fit(family, x)
    with np.errstate(all="raise"):
        assert fit(family, x) == expected


@pytest.mark.parametrize("k", [2.5, "3", [3]])
def test_categorical_fit_counts_classes_in_integers(k: Any) -> None:
    with pytest.raises(TypeError, match=r"^k must be an integer"):
        Categorical.fit([0, 1], k=k)


def test_gaussian_fit_of_tiny_data() -> None:
    """Squared, 1e-200 is 0: scaled first, the standard deviation is what it is."""
    fitted = Gaussian.fit([1e-200, 3e-200])
    assert fitted.mean == pytest.approx(2e-200, rel=4 * EPS, abs=0)
    assert fitted.std == pytest.approx(1e-200, rel=4 * EPS, abs=0)


def test_fits_of_huge_data() -> None:
    """No sum of them is a float; their mean is."""
    assert Gaussian.fit([1e308, 1.5e308]).mean == pytest.approx(1.25e308, rel=4 * EPS, abs=0)
    assert Gaussian.fit([1e200, -1e200]).std == pytest.approx(1e200, rel=4 * EPS, abs=0)
    assert Exponential.fit([1e308, 1.5e308]).rate == pytest.approx(8e-309, rel=1e-12, abs=0)


def test_exponential_fit_of_data_too_small() -> None:
    """The rate is beyond the largest float: that is said, not warned of."""
    with pytest.raises(ValueError, match=r"^rate = inf must be finite and > 0"):
        Exponential.fit([1e-320, 0.0])


# --- fits without a closed form ------------------------------------------------------------------


def exact_gamma_fit(x: Any) -> tuple[Any, Any]:
    """Root of log k − ψ(k) = log(mean) − mean of log, at 60 digits, from the very floats."""
    with mpmath.workdps(80):
        values = [mpf(float(value)) for value in x]
        mean = mpmath.fsum(values) / len(values)
        s = mpmath.log(mean) - mpmath.fsum(mpmath.log(value) for value in values) / len(values)
        u = mpmath.log((3 - s + mpmath.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s))
        for _ in range(8):
            k = mpmath.exp(u)
            slope = k * (1 - k * mpmath.psi(1, k))
            u -= k * (mpmath.log(k) - mpmath.digamma(k) - s) / slope
        k = mpmath.exp(u)
        assert abs(mpmath.log(k) - mpmath.digamma(k) - s) < mpf(10) ** -45 * s
        return k, k / mean


GAMMA_DATA = {
    f"shape {shape:g}, scale {scale:g}": scale * draws[draws > 1e-80]
    for shape in (1e-3, 0.1, 1.0, 30.0, 1e6)
    for scale in (1.0, 1e-200, 1e200)
    for draws in [np.random.default_rng(8).standard_gamma(shape, 60)]
} | {
    "two neighbouring floats": np.array([1, 1 + EPS]),
    "a large offset": 1e6 + np.random.default_rng(8).random(50),
    "all the floats": np.array([5e-324, 1e-300, 1.0, 1e300]),
    "near the largest float": np.array([1e308, 1.5e308, 1.7e308]),
    "rain": datasets.load_illinois_rainfall()["rainfall"],
}


@pytest.mark.parametrize("x", GAMMA_DATA.values(), ids=GAMMA_DATA.keys())
def test_gamma_fit_is_the_root_of_its_score(x: Any) -> None:
    fitted = Gamma.fit(x)
    shape, rate = exact_gamma_fit(x)
    assert float(abs(fitted.shape / shape - 1)) <= 16 * EPS
    subnormal = 5e-324 / fitted.rate
    assert float(abs(fitted.rate / rate - 1)) <= 16 * EPS + subnormal


@pytest.mark.parametrize("u", [-4.0, -0.8, 0.0, 1.5, 5.0])
def test_what_the_gamma_fit_minimises(u: float) -> None:
    """The mean NLL, up to what does not depend on the shape, with its two derivatives."""
    x = GAMMA_DATA["rain"]
    s = math.log(x.mean()) - np.log(x).mean()

    def nll(u: float) -> float:
        k = math.exp(u)
        return -math.fsum(Gamma(k, k / x.mean()).log_prob(x)) / len(x)

    value, slope, curvature = _gamma_nll(u, s)
    assert value - _gamma_nll(0.3, s)[0] == pytest.approx(nll(u) - nll(0.3), rel=1e-10, abs=0)
    values = [_gamma_nll(u + step, s) for step in (1e-4, -1e-4)]
    assert slope == pytest.approx((values[0][0] - values[1][0]) / 2e-4, rel=1e-6, abs=0)
    assert curvature == pytest.approx((values[0][1] - values[1][1]) / 2e-4, rel=1e-6, abs=0)


def test_gamma_fit_starts_within_its_promise_of_the_minimum(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts: list[float] = []

    def recording(derivatives: Callable[[Any], Any], x0: float) -> Any:
        starts.append(math.exp(x0))
        return newton(derivatives, x0)

    monkeypatch.setattr(distributions, "newton", recording)
    for shape in (0.05, 0.3, 1.0, 3.0, 30.0):
        fitted = Gamma.fit(np.random.default_rng(8).gamma(shape, size=50))
        assert starts.pop() == pytest.approx(fitted.shape, rel=0.015, abs=0)


def test_what_the_gamma_fit_needs_of_nearly_constant_data() -> None:
    """The mean's own rounding error matters where the data are that close, wherever they lie."""
    for low in (1.0, 1.9):
        x = np.array([low, low, np.nextafter(low, 2)])
        exact = [mpf(float(value)) for value in x]
        expected = mpmath.log(mpmath.fsum(exact) / 3) - mpmath.fsum(map(mpmath.log, exact)) / 3
        got = _log_mean_minus_mean_log(x, 1.0, float(x.mean()))
        assert got == pytest.approx(float(expected), rel=1e-9, abs=0)


def test_gamma_fit_of_the_rain() -> None:
    """scipy.stats.gamma.fit(x, floc=0) gives 0.44079 and 1 / 0.50907."""
    fitted = Gamma.fit(datasets.load_illinois_rainfall()["rainfall"])
    assert (round(fitted.shape, 3), round(fitted.rate, 2)) == (0.441, 1.96)


@pytest.mark.parametrize("name", ["rain", "shape 0.1, scale 1", "shape 30, scale 1"])
def test_gamma_fit_agrees_with_a_numerical_optimiser(name: str) -> None:
    """Nelder and Mead know nothing of digamma, nor of the profiled rate."""
    x = GAMMA_DATA[name]

    def cost(theta: Any) -> float:
        return -math.fsum(
            scipy.stats.gamma.logpdf(x, math.exp(theta[0]), scale=math.exp(-theta[1]))
        )

    fitted = Gamma.fit(x)
    found = scipy.optimize.minimize(
        cost, [0.0, -math.log(x.mean())], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 0}
    )
    assert np.exp(found.x).tolist() == pytest.approx([fitted.shape, fitted.rate], rel=1e-6, abs=0)


@FEW
@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=20, unique=True), st.integers(-900, 900))
def test_gamma_fit_moves_with_the_unit(x: list[float], power: int) -> None:
    """x → cx leaves the shape and divides the rate by c: exactly so for a power of 2."""
    fitted, moved = Gamma.fit(x), Gamma.fit(np.ldexp(x, power))
    assert moved.shape == fitted.shape
    assert moved.rate == math.ldexp(fitted.rate, -power)


def test_laplace_fit_of_an_even_number_of_samples() -> None:
    """Any point between the two in the middle is as good; numpy.median takes half the way."""
    x = [1.0, 2.0, 4.0, 10.0]
    fitted = Laplace.fit(x)
    assert fitted == Laplace(3.0, 11 / 4)
    best = math.fsum(fitted.log_prob(x))
    for loc in (2.0, 2.5, 4.0):
        assert math.fsum(Laplace(loc, 11 / 4).log_prob(x)) == pytest.approx(
            best, rel=4 * EPS, abs=0
        )
    for loc in (1.999, 4.001):
        assert math.fsum(Laplace(loc, 11 / 4).log_prob(x)) < best


def test_laplace_fit_when_most_samples_are_equal() -> None:
    """The scale stays > 0 as long as one differs: no share of ties is too large here."""
    assert Laplace.fit([3.0] * 9 + [13.0]) == Laplace(3.0, 1.0)


def test_laplace_fits_of_tiny_and_huge_data() -> None:
    assert Laplace.fit([1e-200, 3e-200, 8e-200]).loc == 3e-200
    assert Laplace.fit([1e308, 1.5e308]).loc == pytest.approx(1.25e308, rel=4 * EPS, abs=0)
    assert Laplace.fit([1e308, 1.5e308, -1.7e308]).scale == pytest.approx(
        3.2 / 3 * 1e308, rel=4 * EPS, abs=0
    )


T_DATA = {
    "light": datasets.load_newcomb()["deviation"].astype(np.float64),
    "normal": np.random.default_rng(6).normal(size=50),
    "cauchy": np.random.default_rng(6).standard_cauchy(60),
    "far heavier tails": np.random.default_rng(6).standard_t(0.1, 50),
    "three": np.array([0.0, 1.0, 10.0]),
    "ties": np.array([0.0, 0, 0, 0, 1, 2, 3, 4, 5]),
    "symmetric": np.array([-2.0, -1, 0, 1, 2]),
    "two clusters": np.concatenate(
        [np.random.default_rng(6).normal(size=20), 100 + np.random.default_rng(7).normal(size=21)]
    ),
    "outlier": np.array([0, 0.1, 0.2, 0.35, 0.5, 0.55, 1e15]),
    "a large offset": 1e9 + np.random.default_rng(6).normal(size=30),
    "tiny": 1e-200 * np.random.default_rng(6).normal(size=30),
    "huge": 1e200 * np.random.default_rng(6).normal(size=30),
    "as wide as the floats": np.array([-1.7e308, 1.7e308, 1e308, 0, -1e308, 3e307]),
}


def distance_from_the_maximum(x: Any, fitted: StudentT) -> tuple[float, float]:
    """Newton's steps at 50 digits from the fit: how far loc and scale go, in scales."""
    nu, loc, u = mpf(fitted.df), mpf(fitted.loc), mpmath.log(mpf(fitted.scale))
    for _ in range(4):
        s = mpmath.exp(u)
        t = [(mpf(float(value)) - loc) / s for value in x]
        w = [1 / (nu + one**2) for one in t]
        by_loc = mpmath.fsum((nu + 1) * a * b for a, b in zip(t, w, strict=True)) / s
        by_u = mpmath.fsum((nu + 1) * a**2 * b - 1 for a, b in zip(t, w, strict=True))
        loc_loc = (
            -(nu + 1) * mpmath.fsum((nu - a**2) * b**2 for a, b in zip(t, w, strict=True)) / s**2
        )
        loc_u = -2 * (nu + 1) * mpmath.fsum(a * nu * b**2 for a, b in zip(t, w, strict=True)) / s
        u_u = -2 * (nu + 1) * mpmath.fsum(a**2 * nu * b**2 for a, b in zip(t, w, strict=True))
        determinant = loc_loc * u_u - loc_u**2
        assert loc_loc < 0
        assert determinant > 0  # a maximum
        loc -= (u_u * by_loc - loc_u * by_u) / determinant
        u -= (loc_loc * by_u - loc_u * by_loc) / determinant
    return float(abs(loc - mpf(fitted.loc)) / mpmath.exp(u)), float(
        abs(mpmath.exp(u) / fitted.scale - 1)
    )


@pytest.mark.parametrize("x", T_DATA.values(), ids=T_DATA.keys())
@pytest.mark.parametrize("df", [1.0, 1.5, 4.0, 30.0, 1e10])
def test_student_t_fit_is_the_root_of_its_scores(x: Any, df: float) -> None:
    fitted = StudentT.fit(x, df)
    loc_error, scale_error = distance_from_the_maximum(x, fitted)
    assert loc_error <= 64 * EPS + 2 * EPS * abs(fitted.loc) / fitted.scale  # loc is rounded itself
    assert scale_error <= 64 * EPS


@pytest.mark.parametrize("df", [1.0, 4.0])
@pytest.mark.parametrize("name", ["light", "cauchy", "two clusters"])
def test_student_t_fit_agrees_with_a_numerical_optimiser(name: str, df: float) -> None:
    x = T_DATA[name]

    def cost(theta: Any) -> float:
        return -math.fsum(scipy.stats.t.logpdf(x, df, theta[0], math.exp(theta[1])))

    fitted = StudentT.fit(x, df)
    found = scipy.optimize.minimize(
        cost,
        [x.mean(), math.log(x.std())],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 0},
    )
    assert [found.x[0], math.exp(found.x[1])] == pytest.approx(
        [fitted.loc, fitted.scale], rel=1e-5, abs=0
    )


@FEW
@given(
    st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=12, unique=True),
    st.sampled_from([0.5, 0.75, 1.0, 2.0, 10.0]),
)
def test_student_t_fit_beats_every_point_of_a_grid(x: list[float], df: float) -> None:
    """Also for df < 1, where there may be several maxima."""
    if len(x) * df <= df + 1.5 or np.ptp(x) < 1e-3:
        return
    fitted = StudentT.fit(x, df)
    locs = np.concatenate([np.linspace(min(x), max(x), 201), x])
    logs = np.linspace(-12, 2, 113) + math.log(np.ptp(x))
    t = (np.array(x) - locs[:, None, None]) / np.exp(logs[:, None])
    grid = -len(x) * logs - 0.5 * (df + 1) * np.log1p(t**2 / df).sum(axis=-1)
    best = -len(x) * math.log(fitted.scale) - 0.5 * (df + 1) * math.fsum(
        np.log1p(((np.array(x) - fitted.loc) / fitted.scale) ** 2 / df)
    )
    assert np.max(grid) <= best + 1e-9 * max(1, abs(best))


def test_student_t_fit_below_one_degree_of_freedom_chooses_among_maxima() -> None:
    """Two clusters, each a maximum: the tighter one is higher, wherever the median lies."""
    loose, tight = [-10.0, -9.0, -8.5, -7.0], [100.0, 100.125, 100.25, 100.375]
    for x in (loose + tight, tight + loose):
        assert 100 < StudentT.fit(x, 0.9).loc < 100.4
    far_off = [*loose, *tight, -1e200]  # the square of its distance is no float
    assert 100 < StudentT.fit(far_off, 0.5).loc < 100.4


@pytest.mark.parametrize(
    ("x", "df", "loc", "lower"),
    [  # another maximum, and a lower one, is found if only the samples themselves are looked at
        ([-10.0, -1.5, -0.75, 0.5, 1.75, 2.0, 50.0], 0.3, 0.52534, (1.77793, 0.46844)),
        ([-9.75, -4.5, -1.25, 2.0, 6.5, 7.75], 0.3, 1.49674, (-0.80288, 2.75213)),
        ([-1.5, 0.75, 6.0, 7.75], 0.75, 5.78924, (1.66456, 3.00792)),
    ],
)
def test_student_t_fit_finds_the_highest_maximum_between_samples(
    x: list[float], df: float, loc: float, lower: tuple[float, float]
) -> None:
    fitted = StudentT.fit(x, df)
    assert fitted.loc == pytest.approx(loc, abs=1e-5)
    # where the zero lies makes no difference either
    found = _student.fit_t(np.array(x), df)
    assert found == pytest.approx((fitted.loc, fitted.scale), rel=1e-12, abs=0)
    assert max(distance_from_the_maximum(x, fitted)) <= 64 * EPS
    other = StudentT(df, *lower)
    assert max(distance_from_the_maximum(x, other)) <= 1e-3  # a maximum as well
    assert fitted.log_prob(x).sum() > other.log_prob(x).sum() + 1e-4


def test_student_t_fit_chooses_among_maxima_of_many_samples() -> None:
    loose = np.random.default_rng(1).normal(-10, 1, 150)
    tight = np.random.default_rng(2).normal(100, 0.1, 151)
    for x in (np.concatenate([loose, tight]), np.concatenate([tight, loose])):
        fitted = StudentT.fit(x, 0.5)
        assert 99.9 < fitted.loc < 100.1
        assert max(distance_from_the_maximum(x, fitted)) <= 2 * EPS * fitted.loc / fitted.scale


@pytest.mark.parametrize("name", ["light", "normal", "cauchy", "three"])
@pytest.mark.parametrize("df", [1.0, 4.0, 30.0])
def test_student_t_fit_takes_few_steps_as_newtons_method_does(
    name: str, df: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong derivative would leave the search to halving its bracket: 50 steps for 15 digits."""
    steps: list[int] = []  # of each search for a root; those for the scale end first
    search = _student._root

    def counting(f: Callable[[float], Any], low: float, high: float, start: float) -> float:
        steps.append(0)
        number = len(steps) - 1

        def counted(x: float) -> Any:
            steps[number] += 1
            return f(x)

        return search(counted, low, high, start)

    monkeypatch.setattr(_student, "_root", counting)
    StudentT.fit(T_DATA[name], df)
    assert max(steps) <= 12
    assert np.mean(steps) <= 7


def test_categorical_fit_at_the_edges_of_k(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Categorical.fit([0, 0], k=1).probs.tolist() == [1.0]
    monkeypatch.setattr(distributions, "MOST_CLASSES", 5)
    assert Categorical.fit([4]).probs.tolist() == [0, 0, 0, 0, 1]
    assert Categorical.fit([0], k=5).probs.tolist() == [1, 0, 0, 0, 0]
    with pytest.raises(ValueError, match=r"^k = 6 must be at least 1 and at most 5$"):
        Categorical.fit([0], k=6)
    with pytest.raises(ValueError, match=r"^x\[1\] = 5 must be a class index below 5$"):
        Categorical.fit([0, 5])


def test_different_categoricals_have_different_hashes() -> None:
    probs = [[1.0], [0.5, 0.5], [0.25, 0.75], [0.75, 0.25]]
    assert len({hash(Categorical(np.array(row))) for row in probs}) == 4


def test_a_root_is_found_by_newtons_steps_or_by_halves() -> None:
    seen: list[float] = []

    def line(x: float) -> tuple[float, float, float]:
        seen.append(x)
        return 3 - x, -1.0, 1.0

    assert _student._root(line, -10, 10, 0) == 3
    assert seen == [0, 3]  # straight to the root, and once more to see that it is one

    def flat(x: float) -> tuple[float, float, float]:  # a derivative that says nothing
        return 2 - x, 0.0, 1.0

    assert _student._root(flat, 0, 3, 1) == 2

    def curve(x: float) -> tuple[float, float, float]:  # Newton's steps leave any bracket
        return math.atan(1 - x), -1 / (1 + (x - 1) ** 2), 1.0

    assert _student._root(curve, -50, 40, 35) == pytest.approx(1, abs=1e-15)


def test_a_root_is_found_where_newtons_steps_go_to_and_fro() -> None:
    seen: list[float] = []

    def f(x: float) -> tuple[float, float, float]:  # each step from x leads to −0.96 x
        seen.append(x)
        return -x, -0.51, 1.0

    assert _student._root(f, -10, 11, 3) == pytest.approx(0, abs=1e-9)
    assert len(seen) <= 50


def test_the_best_scale_where_almost_half_of_the_samples_are_at_loc() -> None:
    """A share of 0.51 at the distance 1: where 2 · 0.51/(1 + scale²) = 1 has its root."""
    distance = np.array([0.0] * 49 + [1.0] * 51)
    assert _student._best_log_scale(distance, 1.0) == pytest.approx(
        0.5 * math.log(0.02), rel=1e-14, abs=0
    )


@FEW
@given(
    st.lists(st.floats(-100, 100, width=16), min_size=3, max_size=12, unique=True),
    st.sampled_from([1.0, 4.0, 1e10]),
    st.integers(-900, 900),
)
def test_student_t_fit_moves_with_the_unit(x: list[float], df: float, power: int) -> None:
    fitted, moved = StudentT.fit(x, df), StudentT.fit(np.ldexp(x, power), df)
    assert moved.loc == math.ldexp(fitted.loc, power)
    assert moved.scale == math.ldexp(fitted.scale, power)
    back = StudentT.fit([-value for value in x], df)
    assert back.loc == pytest.approx(-fitted.loc, rel=1e-12, abs=1e-12 * fitted.scale)


def test_student_t_fit_for_a_large_df_is_the_gaussian_fit() -> None:
    x = T_DATA["light"]
    gaussian = Gaussian.fit(x)
    for df in (1e15, 1e100, 1.7e308):
        fitted = StudentT.fit(x, df)
        assert fitted.df == df
        assert fitted.loc == pytest.approx(gaussian.mean, rel=1e-12, abs=0)
        assert fitted.scale == pytest.approx(gaussian.std, rel=1e-12, abs=0)


def test_student_t_fit_is_not_pulled_by_outliers() -> None:
    """Newcomb's −44 and −2 pull the mean to 26.2; without them it is 27.75."""
    x = T_DATA["light"]
    assert 27.2 < StudentT.fit(x, 2).loc < 27.6
    moved = np.where(x == -44, -1e9, x)
    assert StudentT.fit(moved, 2).loc == pytest.approx(StudentT.fit(x, 2).loc, abs=0.02)


@pytest.mark.parametrize(
    ("x", "df", "message"),
    [
        ([1, 2, 2], 2, r"^2 of the 3 values of x are 2: from a share .*, 0\.667 for df = 2, "),
        ([5, 5, 5, 5, 9], 3, r"^4 of the 5 values of x are 5: from a share .*, 0\.75 for df = 3, "),
        ([1, 2], 1, r"^1 of the 2 values of x are 1: from a share .*, 0\.5 for df = 1, "),
        (
            [1, 2, 4],
            0.5,
            r"^1 of the 3 values of x are 1: .*, 0\.333 for df = 0\.5, no maximum is sought",
        ),
        ([4], 7, r"^1 of the 1 values of x are 4: "),
        ([1e-310, 2e-310, 3e-310, 1e308], 2, r"^3 of the 4 values of x are 1e-310: "),
    ],
)
def test_student_t_fit_where_too_many_samples_coincide(
    x: list[float], df: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        StudentT.fit(x, df)


@pytest.mark.parametrize(("x", "df"), [([1, 2, 2], 2.01), ([1, 2], 1.01), ([1, 2, 4], 0.51)])
def test_student_t_fit_where_almost_too_many_coincide(x: list[float], df: float) -> None:
    fitted = StudentT.fit(x, df)
    assert max(distance_from_the_maximum(x, fitted)) <= 1e-12


def test_the_likelihood_of_coinciding_samples_has_no_bound() -> None:
    """What the error says, shown: above the share it grows, below it falls as scale → 0."""
    x = [2.0, 2.0, 2.0, 1.0]
    for df, sign in ((2.0, 1), (4.0, -1)):
        values = [math.fsum(StudentT(df, 2.0, 10.0**-k).log_prob(x)) for k in (5, 10, 15, 20)]
        assert np.all(sign * np.diff(values) > 1)


def test_student_t_fit_needs_its_df() -> None:
    with pytest.raises(TypeError, match="df"):
        StudentT.fit([1, 2, 4])  # type: ignore[call-arg]


@pytest.mark.parametrize("df", [0, -1, NAN, INF])
def test_student_t_fit_refuses_what_is_no_df(df: float) -> None:
    with pytest.raises(ValueError, match=rf"^df = {df:g} must be finite and > 0$"):
        StudentT.fit([1, 2, 4], df)


# --- parameters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bernoulli(-0.1), r"^p = -0\.1 must be in \[0, 1\]$"),
        (lambda: Bernoulli(1.5), r"^p = 1\.5 must be in \[0, 1\]$"),
        (lambda: Bernoulli(NAN), r"^p = nan must be in \[0, 1\]$"),
        (lambda: Bernoulli([0.5]), r"^p must be one number, got shape \(1,\)$"),  # type: ignore[arg-type]
        (lambda: categorical([]), r"^probs must have shape \(k,\) with k >= 1, got \(0,\)$"),
        (lambda: categorical(1.0), r"^probs must have shape \(k,\) with k >= 1, got \(\)$"),
        (lambda: categorical([[1.0]]), r"^probs must have shape \(k,\) .*, got \(1, 1\)$"),
        (lambda: categorical([0.5, -0.5, 1]), r"^probs\[1\] = -0\.5 must be in \[0, 1\]$"),
        (lambda: categorical([0.5, 1.5]), r"^probs\[1\] = 1\.5 must be in \[0, 1\]$"),
        (lambda: categorical([NAN, 1]), r"^probs\[0\] = nan must be in \[0, 1\]$"),
        (lambda: categorical([0.5, 0.25]), r"^probs must sum to 1, got a sum of 0\.75$"),
        (lambda: Poisson(-1), r"^rate = -1 must be finite and >= 0$"),
        (lambda: Poisson(INF), r"^rate = inf must be finite and >= 0$"),
        (lambda: Poisson(NAN), r"^rate = nan must be finite and >= 0$"),
        (lambda: Poisson([1, 2]), r"^rate must be one number, got shape \(2,\)$"),  # type: ignore[arg-type]
        (lambda: Exponential(0), r"^rate = 0 must be finite and > 0$"),
        (lambda: Exponential(-2), r"^rate = -2 must be finite and > 0$"),
        (lambda: Exponential(INF), r"^rate = inf must be finite and > 0$"),
        (lambda: Gamma(0, 1), r"^shape = 0 must be finite and > 0$"),
        (lambda: Gamma(-1, 1), r"^shape = -1 must be finite and > 0$"),
        (lambda: Gamma(1, 0), r"^rate = 0 must be finite and > 0$"),
        (lambda: Gamma(1, INF), r"^rate = inf must be finite and > 0$"),
        (lambda: Gamma(NAN, 1), r"^shape = nan must be finite and > 0$"),
        (lambda: Laplace(NAN, 1), r"^loc = nan must be finite$"),
        (lambda: Laplace(0, 0), r"^scale = 0 must be finite and > 0$"),
        (lambda: Laplace(0, -1), r"^scale = -1 must be finite and > 0$"),
        (lambda: StudentT(0, 0, 1), r"^df = 0 must be finite and > 0$"),
        (lambda: StudentT(INF, 0, 1), r"^df = inf must be finite and > 0$"),
        (lambda: StudentT(1, INF, 1), r"^loc = inf must be finite$"),
        (lambda: StudentT(1, 0, -2), r"^scale = -2 must be finite and > 0$"),
        (lambda: Gaussian(0, 0), r"^std = 0 must be finite and > 0$"),
        (lambda: Gaussian(0, -1), r"^std = -1 must be finite and > 0$"),
        (lambda: Gaussian(0, NAN), r"^std = nan must be finite and > 0$"),
        (lambda: Gaussian(0, INF), r"^std = inf must be finite and > 0$"),
        (lambda: Gaussian(NAN, 1), r"^mean = nan must be finite$"),
        (lambda: Gaussian(INF, 1), r"^mean = inf must be finite$"),
        (lambda: Gaussian(-INF, 1), r"^mean = -inf must be finite$"),
        (lambda: Gaussian([0, 1], 1), r"^mean must be one number, got shape \(2,\)$"),  # type: ignore[arg-type]
        (lambda: Uniform(1, 1), r"^high = 1 must be finite and > low = 1$"),
        (lambda: Uniform(2, 1), r"^high = 1 must be finite and > low = 2$"),
        (lambda: Uniform(0, INF), r"^high = inf must be finite and > low = 0$"),
        (lambda: Uniform(-INF, 0), r"^low = -inf must be finite$"),
        (lambda: Uniform(NAN, 0), r"^low = nan must be finite$"),
    ],
)
def test_parameters_that_make_no_model(make: Callable[[], Distribution], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda value: Bernoulli(value), "p"),
        (lambda value: categorical(value), "probs"),
        (lambda value: Poisson(value), "rate"),
        (lambda value: Exponential(value), "rate"),
        (lambda value: Gamma(value, 1), "shape"),
        (lambda value: Gamma(1, value), "rate"),
        (lambda value: Laplace(value, 1), "loc"),
        (lambda value: Laplace(0, value), "scale"),
        (lambda value: StudentT(value, 0, 1), "df"),
        (lambda value: StudentT(1, value, 1), "loc"),
        (lambda value: StudentT(1, 0, value), "scale"),
        (lambda value: StudentT.fit([1, 2, 3], value), "df"),
        (lambda value: Gaussian(value, 1), "mean"),
        (lambda value: Gaussian(0, value), "std"),
        (lambda value: Uniform(value, 1), "low"),
        (lambda value: Uniform(0, value), "high"),
    ],
)
@pytest.mark.parametrize("value", ["0.5", None, 1j])
def test_parameters_that_are_no_numbers(make: Callable[[Any], Any], name: str, value: Any) -> None:
    message = rf"^{name} must be real numbers, got an array of dtype "
    with pytest.raises(TypeError, match=message):
        make(value)


@pytest.mark.parametrize("kind", [int, float, np.int8, np.float32, np.float64, np.array])
def test_parameters_become_python_floats(kind: Callable[[float], Any]) -> None:
    for model in (
        Bernoulli(kind(1)),
        Poisson(kind(1)),
        Exponential(kind(1)),
        Gamma(kind(1), kind(2)),
        Gaussian(kind(1), kind(2)),
        Laplace(kind(1), kind(2)),
        StudentT(kind(1), kind(2), kind(2)),
        Uniform(kind(1), kind(2)),
    ):
        for field in dataclasses.fields(model):
            assert type(getattr(model, field.name)) is float


def test_categorical_keeps_what_it_is_given() -> None:
    given = np.array([0.5, 0.25, 0.25])
    model = categorical(given)
    given[:] = 7
    assert model.probs.tolist() == [0.5, 0.25, 0.25]
    assert given.flags.writeable
    assert model.probs.dtype == np.float64
    assert categorical([1, 0]).probs.dtype == np.float64


def test_the_sum_of_probabilities_has_a_tolerance_of_k_roundings() -> None:
    for k in (3, 10, 1000):
        probs = np.full(k, 1 / k)
        categorical(probs)
        inside, outside = probs.copy(), probs.copy()
        inside[0] += 0.5 * k * EPS
        outside[0] += 2 * k * EPS
        assert categorical(inside).probs[0] == inside[0]  # never renormalised
        with pytest.raises(ValueError, match=r"^probs must sum to 1, got a sum of 1"):
            categorical(outside)


def test_probabilities_in_float32_sum_to_one_as_float32_does() -> None:
    """The contract's tolerance is scaled to the type: a softmax in float32 is a model."""
    for probs in ([0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3], [0.1] * 10):
        single = np.array(probs, dtype=np.float32)
        np.testing.assert_allclose(categorical(single).probs, probs, rtol=1e-6)
    with pytest.raises(ValueError, match=r"^probs must sum to 1, got"):
        categorical(np.array([0.1, 0.2, 0.7001], dtype=np.float32))


@EACH
def test_models_are_immutable(case: Case) -> None:
    for field in dataclasses.fields(case.model):  # type: ignore[arg-type]
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(case.model, field.name, 0.5)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(case.model, field.name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.model.anything = 1  # type: ignore[attr-defined]


def test_the_probabilities_are_immutable() -> None:
    with pytest.raises(ValueError, match="read-only"):
        categorical([0.5, 0.5]).probs[0] = 1


def test_copies_of_the_probabilities_are_immutable() -> None:
    model = categorical([0.5, 0.5])
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.probs.tolist() == [0.5, 0.5]
        with pytest.raises(ValueError, match="read-only"):
            other.probs[0] = 1


@EACH
def test_equal_models_are_equal(case: Case) -> None:
    """Categorical too, whose parameter is an array."""
    fields = dataclasses.fields(case.model)  # type: ignore[arg-type]
    again: Any = type(case.model)(*(getattr(case.model, field.name) for field in fields))
    assert (case.model == again) is True
    assert hash(case.model) == hash(again)
    assert again != "another"
    assert all(case.model != other.model for other in CASES.values() if other is not case)


@EACH
def test_the_repr_makes_the_model_again(case: Case) -> None:
    names = {family.__name__: family for family in MODELS}
    again: Any = eval(repr(case.model), {**names, "array": np.array})
    for field in dataclasses.fields(again):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(case.model, field.name))


def test_the_abstract_model_is_none() -> None:
    with pytest.raises(TypeError, match="abstract"):
        Distribution()  # type: ignore[abstract]


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_categorical_draws_from_probabilities_of_a_short_float_type(dtype: Any) -> None:
    """Their sum is 1 up to their own rounding, which NumPy's ``choice`` refuses."""
    probs = np.array([0.15, 0.25, 0.6], dtype)
    assert abs(float(probs.astype(np.float64).sum()) - 1) > 1e-8
    draws = Categorical(probs).sample(1000, np.random.default_rng(3))
    counts = np.bincount(draws, minlength=3)
    assert np.all(np.abs(counts - [150, 250, 600]) < 75)


@pytest.mark.parametrize("size", [0, 7, (), (2, 3)])
def test_categorical_draws_what_numpy_chooses(size: Any) -> None:
    probs = np.array([0.1, 0.2, 0.0, 0.7])
    expected = np.random.default_rng(3).choice(4, size=size, p=probs)
    found = Categorical(probs).sample(size, np.random.default_rng(3))
    assert type(found) is type(expected)
    np.testing.assert_array_equal(found, expected)


def test_poisson_draws_no_counts_that_are_too_large() -> None:
    rng = np.random.default_rng(3)
    assert Poisson(9.2e18).sample(3, rng).min() > 9.1e18
    with pytest.raises(ValueError, match=r"^rate = 9\.3e\+18 must be at most 9\.2e18"):
        Poisson(9.3e18).sample(3, rng)


def test_gamma_and_t_at_the_edges_of_the_floats() -> None:
    with np.errstate(all="raise"):
        assert Gamma(5e-324, 1.0).entropy() == -math.inf
        assert math.isfinite(StudentT(1e300, 0.0, 1.0).entropy())
        assert Gamma(1.7976931348623157e308, 1.7e308).prob(0.04) == 0


@pytest.mark.parametrize("k", [True, 2.0, "2"])
def test_categorical_fit_wants_an_integer_k(k: Any) -> None:
    with pytest.raises(TypeError, match=r"^k must be an integer, got"):
        Categorical.fit([0, 1], k)


@pytest.mark.parametrize(("drawn", "expected"), [(0.0, 1), (math.nextafter(1, 0), 3)])
def test_categorical_draws_no_impossible_class(drawn: float, expected: int) -> None:
    """Neither the first, of probability 0, nor one beyond the last, where the sum is below 1."""
    probs: Any = np.array([0, 0.1, 0.2, 0.7], np.float32)
    assert probs.astype(np.float64).sum() < 1
    rng: Any = SimpleNamespace(random=lambda size: np.full(size, drawn))
    assert Categorical(probs).sample(2, rng).tolist() == [expected, expected]
