"""The models: against 50-digit arithmetic and SciPy, by their properties, and at every edge."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import Bernoulli, Categorical, Exponential, Gaussian, Poisson, Uniform
from nllbook.distributions import Distribution

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
    Gaussian,
    Uniform,
]


def categorical(probs: Any) -> Categorical:
    """Its parameter may be anything that makes an array."""
    return Categorical(probs)


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
        allowed = 4 * EPS * max(1, abs(exact), abs(x))
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
        allowed = 4 * EPS * max(1, abs(case.log_density(mpf(x))), abs(x)) * exact
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
    for method in (case.model.log_prob, case.model.prob, type(case.model).fit):
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
        low = case.mean - 40 * case.spread if isinstance(model, Gaussian) else 0.0
        edges = [low + 10 * case.spread * k for k in range(9)]
        parts = [
            scipy.integrate.quad(model.prob, a, b, epsabs=1e-13, epsrel=1e-12)[0]
            for a, b in itertools.pairwise(edges)
        ]
        assert math.fsum(parts) == pytest.approx(1, abs=1e-12)


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
    if isinstance(model, Exponential | Gaussian | Uniform):
        low, high = case.mean - 12 * case.spread, case.mean + 40 * case.spread
        if not isinstance(model, Gaussian):
            low = case.inside[0]
        if isinstance(model, Uniform):
            high = case.inside[-1]
        peak = [case.mean] if isinstance(model, Gaussian) else None
        surprise = scipy.integrate.quad(
            lambda x: -model.prob(x) * model.log_prob(x), low, high, limit=200, points=peak
        )[0]
        assert model.entropy() == pytest.approx(surprise, rel=1e-9)
    else:
        x = np.arange(400)
        x = x[model.prob(x) > 0]
        surprise = math.fsum(-model.prob(x) * model.log_prob(x))
        assert model.entropy() == pytest.approx(surprise, rel=1e-12)


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
    assert Bernoulli(0.5).entropy() == pytest.approx(0.6931471805599453, rel=2 * EPS)
    assert categorical(np.full(8, 0.125)).entropy() == pytest.approx(math.log(8), rel=2 * EPS)
    assert Uniform(0, 1).entropy() == 0
    assert Uniform(0, 0.5).entropy() == pytest.approx(-math.log(2), rel=2 * EPS)  # may be negative


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
    assert two.entropy() == pytest.approx(one.entropy(), rel=4 * EPS)


@pytest.mark.parametrize(("k", "factorial"), [(0, 1), (1, 1), (2, 2), (3, 6), (5, 120), (20, None)])
def test_poisson_of_rate_one(k: int, factorial: int | None) -> None:
    expected = -1 - math.log(factorial or math.factorial(k))
    assert float(Poisson(1).log_prob(k)) == pytest.approx(expected, rel=4 * EPS)


def test_poisson_of_rate_zero_gives_zero() -> None:
    assert Poisson(0).log_prob([0, 1, 2]).tolist() == [0, -INF, -INF]
    assert Poisson(0).prob([0, 1]).tolist() == [1, 0]
    assert Poisson(0).sample(5, np.random.default_rng(1)).tolist() == [0] * 5


def test_exponential_has_no_memory() -> None:
    model = Exponential(0.75)
    # p(3 + 2) p(0) = p(3) p(2)
    assert float(model.log_prob(5) + model.log_prob(0)) == pytest.approx(
        float(model.log_prob(3) + model.log_prob(2)), rel=4 * EPS
    )
    assert model.prob(0) == pytest.approx(0.75, rel=2 * EPS)  # the support is closed at 0
    assert model.prob(-0.0) == pytest.approx(0.75, rel=2 * EPS)


def test_gaussian_by_hand() -> None:
    # −½ log 2π = −0.918938533204672741780…
    assert Gaussian(0, 1).log_prob(0) == -0.9189385332046727
    one_up = Gaussian(0, 1).log_prob(1)
    assert float(one_up) == pytest.approx(-1.4189385332046727, rel=2 * EPS)
    # std is no variance: at 2 of std 2, the density is half of that at 1 of std 1
    assert Gaussian(0, 2).prob(2) == pytest.approx(Gaussian(0, 1).prob(1) / 2, rel=4 * EPS)


def test_a_density_can_exceed_one() -> None:
    assert Gaussian(0, 0.1).prob(0) == pytest.approx(3.9894228040143267, rel=4 * EPS)  # 10/√2π
    assert Uniform(0, 0.125).prob(0.1) == pytest.approx(8, rel=4 * EPS)


def test_uniform_is_closed() -> None:
    model = Uniform(-1.0, 3.0)
    assert model.prob([-1, 0, 3]).tolist() == pytest.approx([0.25] * 3, rel=4 * EPS)
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
        assert float(Poisson(rate).log_prob(rate)) == pytest.approx(expected, rel=1e-11)


def test_uniform_is_no_wider_than_the_largest_float() -> None:
    """Else its density would be 0 on its own support, and its entropy infinite."""
    with pytest.raises(ValueError, match=r"^high - low = inf must be finite"):
        Uniform(-1e308, 1e308)
    half = Uniform(-0.5e308, 0.5e308)
    assert half.entropy() == pytest.approx(308 * math.log(10), rel=4 * EPS)
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
    Gaussian: [-44.0, 28.0, 26.0, 33.0, 24.0, 34.0, -2.0, 27.0],
    Uniform: [0.5, 0.0, 2.0, 1.5, 1.0, 0.25, 0.75, 1.75],
}
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
    Uniform: {"low": Fraction(0), "high": Fraction(2)},
}


@EACH_MODEL
def test_fit_by_hand(family: type[Distribution]) -> None:
    fitted: Any = family.fit(DATA[family])
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
            value = getattr(model, field.name)
            try:
                found.append(dataclasses.replace(model, **{field.name: value * (1 + step) + step}))
            except ValueError:
                continue  # there is no such model
    return found


@EACH_MODEL
def test_fit_beats_its_neighbours(family: type[Distribution]) -> None:
    data = DATA[family]
    fitted = family.fit(data)
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
        Gaussian: st.floats(-64, 64, width=16),
        Uniform: st.floats(-64, 64, width=16),
    }[family]
    x = data.draw(st.lists(values, min_size=2, max_size=12, unique=family in (Gaussian, Uniform)))
    if family is Gaussian and np.ptp(x) < 0.01:
        return  # the neighbours would be too far away
    fitted = family.fit(x)
    best = math.fsum(fitted.log_prob(x))
    for rival in neighbours(fitted):
        assert math.fsum(rival.log_prob(x)) <= best + 1e-9 * max(1, abs(best)), rival


@EACH_MODEL
def test_fit_does_not_depend_on_the_order_or_the_type(family: type[Distribution]) -> None:
    data = np.array(DATA[family])
    expected: Any = family.fit(data.tolist())
    data.flags.writeable = False
    before = data.tobytes()
    forms = [data, data[::-1], np.repeat(data, 3), np.repeat(data, 2)[::2]]
    forms += [data.astype(kind) for kind in (np.float32, np.float16, ">f8", ">f4")]
    forms += [data.astype(np.int16)] if np.all(data == data.round()) else []
    for form in forms:
        fitted: Any = family.fit(form)
        for field in dataclasses.fields(fitted):
            np.testing.assert_allclose(
                getattr(fitted, field.name), getattr(expected, field.name), rtol=4 * EPS
            )
    assert data.tobytes() == before


@EACH_MODEL
def test_fit_of_a_sample_finds_the_model(family: type[Distribution]) -> None:
    truth = next(case.model for case in CASES.values() if type(case.model) is family)
    x = truth.sample(100_000, np.random.default_rng(5))
    fitted = family.fit(x)
    for field in dataclasses.fields(fitted):  # type: ignore[arg-type]
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
        family.fit(x)


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
        (Gaussian, [2.5, 2.5], r"^x is constant \(2\.5\): the likelihood grows .* as std → 0$"),
        (Gaussian, [7], r"^x is constant \(7\): the likelihood grows .* as std → 0$"),
        (Uniform, [2.5, 2.5], r"^x is constant \(2\.5\): the likelihood grows .* as high → low$"),
    ],
)
def test_fit_refuses_what_has_no_maximum(
    family: type[Distribution], x: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        family.fit(x)


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


@pytest.mark.parametrize("k", [2.5, "3", [3]])
def test_categorical_fit_counts_classes_in_integers(k: Any) -> None:
    with pytest.raises(TypeError, match=r"^k must be an integer"):
        Categorical.fit([0, 1], k=k)


def test_gaussian_fit_of_tiny_data() -> None:
    """Squared, 1e-200 is 0: scaled first, the standard deviation is what it is."""
    fitted = Gaussian.fit([1e-200, 3e-200])
    assert fitted.mean == pytest.approx(2e-200, rel=4 * EPS)
    assert fitted.std == pytest.approx(1e-200, rel=4 * EPS)


def test_fits_of_huge_data() -> None:
    """No sum of them is a float; their mean is."""
    assert Gaussian.fit([1e308, 1.5e308]).mean == pytest.approx(1.25e308, rel=4 * EPS)
    assert Gaussian.fit([1e200, -1e200]).std == pytest.approx(1e200, rel=4 * EPS)
    assert Exponential.fit([1e308, 1.5e308]).rate == pytest.approx(8e-309, rel=1e-12)


def test_exponential_fit_of_data_too_small() -> None:
    """The rate is beyond the largest float: that is said, not warned of."""
    with pytest.raises(ValueError, match=r"^rate = inf must be finite and > 0"):
        Exponential.fit([1e-320, 0.0])


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
        Gaussian(kind(1), kind(2)),
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
