"""Entropy and its kin: against 50 digits and SciPy, by their properties, and at every edge."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import (
    Bernoulli,
    Categorical,
    binary_entropy,
    cross_entropy,
    entropy,
    kl_divergence,
    perplexity,
    surprisal,
)
from nllbook._validate import power_of_two, refuse_sums, shown
from nllbook.information import deviance

mpmath.mp.dps = 50
mpf = mpmath.mpf
EPS = float(np.finfo(np.float64).eps)
EPS32 = float(np.finfo(np.float32).eps)
INF, NAN = math.inf, math.nan
FEW = settings(max_examples=60, deadline=None, derandomize=True)
Function = Callable[..., Any]

OF_ONE: list[Function] = [surprisal, binary_entropy, perplexity]  # value by value
OF_PAIRS: list[Function] = [cross_entropy, kl_divergence]


def alone(function: Function) -> Function:
    """Every function as one of a single argument: H(p, p) and KL(p‖p) for pairs."""
    return (lambda p, **options: function(p, p, **options)) if function in OF_PAIRS else function


def distribution(weights: Any, dtype: type = np.float64) -> Any:
    weights = np.asarray(weights, dtype=np.float64)
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(dtype)


def exact_entropy(p: Any) -> Any:
    return -mpmath.fsum(mpf(float(a)) * mpmath.log(mpf(float(a))) for a in p if a)


def exact_cross_entropy(p: Any, q: Any) -> Any:
    pairs = zip(p, q, strict=True)
    return -mpmath.fsum(mpf(float(a)) * mpmath.log(mpf(float(b))) for a, b in pairs if a)


def exact_kl(p: Any, q: Any) -> Any:
    """Σ [p log(p/q) − p + q], for the very floats."""
    return mpmath.fsum(
        (mpf(float(a)) * mpmath.log(mpf(float(a)) / mpf(float(b))) if a else 0)
        - mpf(float(a))
        + mpf(float(b))
        for a, b in zip(p, q, strict=True)
    )


def error(got: Any, exact: Any) -> float:
    difference = abs(mpf(float(got)) - exact)
    return float(difference / abs(exact)) if difference else 0.0


RNG = np.random.default_rng(4)
ROWS: dict[str, Any] = {
    "a fair coin": np.array([0.5, 0.5]),
    "three": np.array([0.25, 0.625, 0.125]),
    "with zeros": np.array([0.0, 0.25, 0.75, 0.0]),
    "nearly certain": np.array([1 - 2.0**-40, 2.0**-41, 2.0**-41]),
    "hardly possible": np.array([1.0, 1e-300, 5e-324]),
    "many": distribution(RNG.random(1000)),
    "of all sizes": distribution(10.0 ** RNG.uniform(-30, 0, 40)),
    "a vocabulary": distribution(np.exp(3 * RNG.normal(size=5_000))),
}
EACH_ROW = pytest.mark.parametrize("p", ROWS.values(), ids=ROWS.keys())


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1.0, 1 - 2.0**-53, 0.999, 0.5, 0.3, 1e-9, 1e-300, 5e-324])
def test_surprisal_is_right(p: float) -> None:
    exact = -mpmath.log(mpf(p))
    for base, unit in ((None, mpf(1)), (2, mpmath.log(2)), (10, mpmath.log(10))):
        got = surprisal(p, base=base)
        assert float(abs(mpf(float(got)) - exact / unit)) <= 3 * EPS * exact / unit


def test_surprisal_by_hand() -> None:
    assert surprisal([1, 0.5, 0.25, 0], base=2).tolist() == [0, 1, 2, INF]
    assert surprisal(0.5) == pytest.approx(math.log(2), rel=2 * EPS, abs=0)
    assert math.copysign(1, float(surprisal(1.0))) == 1  # 0.0, not −0.0
    assert math.copysign(1, float(surprisal(1.0, base=2))) == 1


def test_bits_of_powers_of_two_are_exact() -> None:
    """A rounding up would make ⌈−log₂ p⌉ one bit too long."""
    k = np.arange(1075)
    np.testing.assert_array_equal(surprisal(np.ldexp(1.0, -k), base=2), k)
    for m in range(14):
        uniform = np.full(2**m, 0.5**m)
        assert entropy(uniform, base=2) == cross_entropy(uniform, uniform, base=2) == m


@EACH_ROW
def test_entropy_is_right(p: Any) -> None:
    exact = exact_entropy(p)
    assert error(entropy(p), exact) <= 8 * EPS
    assert error(entropy(p, base=2), exact / mpmath.log(2)) <= 8 * EPS


@EACH_ROW
def test_cross_entropy_is_right(p: Any) -> None:
    q = distribution(p + 0.1 / p.size)
    assert error(cross_entropy(p, q), exact_cross_entropy(p, q)) <= 8 * EPS
    assert error(cross_entropy(q, q), exact_entropy(q)) <= 8 * EPS


@EACH_ROW
def test_kl_divergence_is_right(p: Any) -> None:
    for mixed in (1e-12, 1e-6, 0.1, 10.0):
        q = distribution(p + mixed / p.size)
        assert error(kl_divergence(p, q), exact_kl(p, q)) <= 1e-12
        assert error(kl_divergence(q, q[::-1]), exact_kl(q, q[::-1])) <= 1e-12


@pytest.mark.parametrize("relative", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15])
@pytest.mark.parametrize("k", [2, 3, 10, 1000])
def test_kl_divergence_of_close_distributions(k: int, relative: float) -> None:
    """q = p(1 ± δ), where Σ p log(p/q) is a difference of terms far larger than itself."""
    p = distribution(np.random.default_rng(k).random(k) + 0.1)
    q = p * (1 + relative * (-1.0) ** np.arange(k))
    q[-1] += 1 - math.fsum(q)
    got = kl_divergence(p, q)
    assert got > 0
    assert error(got, exact_kl(p, q)) <= 1e-12
    plain = math.fsum(p * np.log(p / q))
    if relative <= 1e-9:
        assert error(plain, exact_kl(p, q)) > 1e-9  # what the plain sum makes of it


@pytest.mark.parametrize(
    ("x", "m"), [(0.5, 0.5 + 1e-3), (0.3, 0.4), (1.0, 0.8), (1e-300, 1.0), (1.0, 5e-324)]
)
def test_deviance_is_right(x: float, m: float) -> None:
    for a, b in ((x, m), (m, x), (1e5 * x, 1e5 * m)):
        exact = mpf(a) * mpmath.log(mpf(a) / mpf(b)) - mpf(a) + mpf(b)
        assert error(deviance(np.asarray(a), np.asarray(b)), exact) <= 1e-14


@pytest.mark.parametrize(("x", "m"), [(1e200, 1e190), (1e-200, 1e-190), (1e-290, 3e-300)])
def test_deviance_takes_the_log_of_the_ratio(x: float, m: float) -> None:
    """Not the difference of two logs of 460, whose roundings would show."""
    exact = mpf(x) * mpmath.log(mpf(x) / mpf(m)) - mpf(x) + mpf(m)
    assert error(deviance(np.asarray(x), np.asarray(m)), exact) <= 3 * EPS


def test_deviance_where_its_two_forms_meet() -> None:
    """At |x − m| = 0.1 (x + m): nothing may jump."""
    x = np.ones(400)
    m = np.concatenate([np.linspace(0.80, 0.84, 200), np.linspace(1.20, 1.24, 200)])
    exact = [mpmath.log(1 / mpf(b)) - 1 + mpf(b) for b in m.tolist()]
    errors = [error(a, b) for a, b in zip(deviance(x, m), exact, strict=True)]
    assert max(errors) <= 2e-14


@pytest.mark.parametrize(("x", "m"), [(1.5e308, 1.6e308), (1e308, 1.7e308), (1.7e308, 1e308)])
def test_deviance_of_numbers_whose_sum_is_no_float(x: float, m: float) -> None:
    exact = mpf(x) * mpmath.log(mpf(x) / mpf(m)) - mpf(x) + mpf(m)
    found = deviance(np.asarray(x), np.asarray(m))
    assert error(found, exact) <= 1e-14


def test_deviance_at_its_edges() -> None:
    x = np.array([0.0, 0.0, 2.0, 2.0, 2.0, 0.0, NAN, 1.0])
    m = np.array([0.0, 3.0, 0.0, 2.0, INF, INF, 1.0, NAN])
    expected = [0, 3, INF, 0, INF, INF, NAN, NAN]
    np.testing.assert_array_equal(deviance(x, m), expected)


@pytest.mark.parametrize("p", [5e-324, 1e-300, 1e-17, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-9, 1 - 2.0**-53])
def test_binary_entropy_is_right(p: float) -> None:
    """Near 0 and near 1 too, where one of its terms is p itself, or the other 1 − p."""
    with mpmath.workdps(400):
        exact = exact_entropy([mpf(p)]) - (1 - mpf(p)) * mpmath.log1p(-mpf(p))
    assert float(abs(mpf(float(binary_entropy(p))) - exact)) <= 4 * EPS * exact + 5e-324
    assert binary_entropy(p) == pytest.approx(Bernoulli(p).entropy(), rel=4 * EPS, abs=5e-324)


def test_binary_entropy_by_hand() -> None:
    assert binary_entropy([0, 0.5, 1], base=2).tolist() == [0, 1, 0]
    assert binary_entropy([0.0, 1.0]).tolist() == [0, 0]
    assert np.all(np.copysign(1, binary_entropy([0.0, 1.0])) == 1)
    # ¼ · 2 bits + ¾ · log₂ 4/3 bits
    assert binary_entropy(0.25, base=2) == pytest.approx(
        2 - 0.75 * math.log2(3), rel=4 * EPS, abs=0
    )


def test_kl_divergence_by_hand() -> None:
    # ½ log₂ 2 + ½ log₂ 2/3 = 1 − ½ log₂ 3
    assert kl_divergence([0.5, 0.5], [0.25, 0.75], base=2) == pytest.approx(
        1 - 0.5 * math.log2(3), rel=8 * EPS, abs=0
    )
    # and the other way round ¼ log₂ ½ + ¾ log₂ 3/2 = ¾ log₂ 3 − 1
    assert kl_divergence([0.25, 0.75], [0.5, 0.5], base=2) == pytest.approx(
        0.75 * math.log2(3) - 1, rel=8 * EPS, abs=0
    )
    assert kl_divergence([1, 0], [0.5, 0.5]) == pytest.approx(math.log(2), rel=4 * EPS, abs=0)
    assert kl_divergence([0, 1, 0], [0, 1, 0]) == 0


def test_perplexity_by_hand() -> None:
    assert perplexity([0, 1, 3, 0.5], base=2).tolist() == pytest.approx(
        [1, 2, 8, math.sqrt(2)], rel=2 * EPS, abs=0
    )
    # an NLL may be negative
    expected = [1, math.e, 1 / math.e, INF, 0]
    assert perplexity([0.0, 1, -1, INF, -INF]).tolist() == pytest.approx(
        expected, rel=4 * EPS, abs=0
    )
    assert perplexity(2, base=10) == pytest.approx(100, rel=2 * EPS, abs=0)
    assert perplexity(1e4) == INF  # and nothing warns
    assert perplexity(-1e4) == 0


@pytest.mark.parametrize("base", [None, 2, 10, 1.5])
def test_the_base_of_a_perplexity_is_the_unit_of_its_argument(base: float | None) -> None:
    """The mean surprise of a fair die has the perplexity 6, in whatever unit it is given."""
    die = np.full(6, 1 / 6)
    assert perplexity(entropy(die, base=base), base=base) == pytest.approx(6, rel=16 * EPS, abs=0)


@EACH_ROW
def test_scipy_agrees(p: Any) -> None:
    q = distribution(p + 0.1 / p.size)
    assert entropy(p) == pytest.approx(scipy.stats.entropy(p), rel=1e-12, abs=0)
    assert entropy(p, base=2) == pytest.approx(scipy.stats.entropy(p, base=2), rel=1e-12, abs=0)
    assert kl_divergence(p, q) == pytest.approx(scipy.stats.entropy(p, q), rel=1e-10, abs=1e-15)


# --- properties ----------------------------------------------------------------------------------

WEIGHTS = st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any)


@st.composite
def pairs(draw: Any) -> tuple[Any, Any]:
    p = draw(WEIGHTS)
    q = draw(st.lists(st.integers(1, 1000), min_size=len(p), max_size=len(p)))
    return distribution(p), distribution(q)


@FEW
@given(pairs())
def test_cross_entropy_is_entropy_and_divergence(pair: Any) -> None:
    p, q = pair
    total = float(entropy(p) + kl_divergence(p, q))
    assert cross_entropy(p, q) == pytest.approx(total, rel=1e-12, abs=1e-14)


@FEW
@given(pairs())
def test_gibbs(pair: Any) -> None:
    p, q = pair
    assert kl_divergence(p, q) >= 0
    assert (kl_divergence(p, q) == 0) == bool(np.array_equal(p, q))
    assert kl_divergence(p, p) == 0
    assert kl_divergence(q, q) == 0


@FEW
@given(WEIGHTS)
def test_entropy_lies_between_certainty_and_uniformity(weights: list[int]) -> None:
    p = distribution(weights)
    assert 0 <= entropy(p) <= math.log(p.size) + 4 * EPS
    assert (entropy(p) == 0) == (np.count_nonzero(p) == 1)
    uniform = np.full(p.size, 1 / p.size)
    gap = math.log(p.size) - float(entropy(p))
    assert kl_divergence(p, uniform) == pytest.approx(gap, rel=1e-9, abs=1e-14)


@FEW
@given(pairs(), st.floats(1.1, 100))
def test_a_base_is_a_unit(pair: Any, base: float) -> None:
    p, q = pair
    unit = math.log(base)
    for got, nats in (
        (surprisal(q, base=base), surprisal(q)),
        (entropy(p, base=base), entropy(p)),
        (binary_entropy(p, base=base), binary_entropy(p)),
        (cross_entropy(p, q, base=base), cross_entropy(p, q)),
        (kl_divergence(p, q, base=base), kl_divergence(p, q)),
    ):
        np.testing.assert_allclose(got * unit, nats, rtol=8 * EPS, atol=1e-300)


@FEW
@given(WEIGHTS, st.integers(0, 7))
def test_entropy_is_that_of_the_model(weights: list[int], shift: int) -> None:
    p = distribution(weights)
    assert entropy(p) == pytest.approx(Categorical(p).entropy(), rel=4 * EPS, abs=0)
    assert entropy(np.roll(p, shift)) == pytest.approx(float(entropy(p)), rel=8 * EPS, abs=0)


@FEW
@given(pairs(), pairs())
def test_information_of_independent_pairs_adds(one: Any, two: Any) -> None:
    p, q = (np.outer(a, b).ravel() for a, b in zip(one, two, strict=True))
    assert entropy(p) == pytest.approx(float(entropy(one[0]) + entropy(two[0])), rel=1e-12, abs=0)
    total = float(kl_divergence(*one) + kl_divergence(*two))
    assert kl_divergence(p, q) == pytest.approx(total, rel=1e-9, abs=1e-14)


# --- zeros, infinities, NaN ----------------------------------------------------------------------


def test_what_never_happens_costs_nothing() -> None:
    assert entropy([0.0, 1.0]) == 0
    assert math.copysign(1, float(entropy([0.0, 1.0]))) == 1
    assert cross_entropy([0.0, 1.0], [0.0, 1.0]) == 0
    assert cross_entropy([0, 1], [0.5, 0.5]) == pytest.approx(math.log(2), rel=2 * EPS, abs=0)
    assert kl_divergence([0.0, 1.0], [0.0, 1.0]) == 0


def test_what_was_held_impossible_costs_infinitely_much() -> None:
    assert cross_entropy([0.5, 0.5], [1, 0]) == INF
    assert kl_divergence([0.5, 0.5], [1, 0]) == INF
    assert kl_divergence([0, 5e-324, 1], [1, 0, 0]) == INF
    assert kl_divergence([1, 0], [0.5, 0.5]) < 1  # the other way round it is finite


def test_nan_stays_in_its_row() -> None:
    p = np.array([[0.5, 0.5], [NAN, 0.5], [0.25, 0.75]])
    for function in (entropy, alone(cross_entropy), alone(kl_divergence)):
        got = function(p)
        assert np.isnan(got).tolist() == [False, True, False]
        assert got[0] == function(p[0])
        assert got[2] == function(p[2])
    q = np.array([[0.5, 0.5], [0.5, 0.5], [NAN, NAN]])
    for function in OF_PAIRS:
        assert np.isnan(function(p, q)).tolist() == [False, True, True]
        assert np.isnan(function([0.0, 1.0], [NAN, 1.0]))
    for function in OF_ONE:
        assert np.isnan(function([0.5, NAN, 1.0])).tolist() == [False, True, False]
    assert np.isnan(surprisal(NAN))


# --- shapes and types ----------------------------------------------------------------------------


@pytest.mark.parametrize("function", [entropy, *OF_PAIRS])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axes(function: Function, axis: int) -> None:
    rows = distribution(np.random.default_rng(1).random((3, 4, 5)))
    other = distribution(np.random.default_rng(2).random((3, 4, 5)))
    arguments = [rows] if function is entropy else [rows, other]
    expected = np.array(
        [[function(*(one[i, j] for one in arguments)) for j in range(4)] for i in range(3)]
    )
    moved = [np.moveaxis(one, -1, axis) for one in arguments]
    np.testing.assert_allclose(function(*moved, axis=axis), expected, rtol=8 * EPS)
    assert function(*moved, axis=axis).shape == (3, 4)
    again = [np.asfortranarray(one)[::-1] for one in arguments]
    np.testing.assert_allclose(function(*again), expected[::-1], rtol=8 * EPS)


def test_scalars_come_back_as_scalars() -> None:
    for function in OF_ONE:
        assert isinstance(function(0.5), np.float64)
        assert isinstance(function(np.array(0.5, dtype=np.float32)), np.float32)
    for function in (entropy, alone(cross_entropy), alone(kl_divergence)):
        assert isinstance(function([0.5, 0.5]), np.float64)


def test_empty_arrays() -> None:
    for function in OF_ONE:
        assert function([]).shape == (0,)
    for function in (entropy, alone(cross_entropy), alone(kl_divergence)):
        assert function(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize("function", [surprisal, binary_entropy, entropy, *OF_PAIRS, perplexity])
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_float32_is_the_float64_result_rounded(function: Function, dtype: type) -> None:
    p: Any = np.array([0.125, 0.625, 0.25], dtype=dtype)
    for base in (None, 2, 10):
        got = alone(function)(p, base=base)
        assert got.dtype == np.float32
        wide = alone(function)(p.astype(np.float64), base=base)
        np.testing.assert_array_equal(got, np.asarray(wide, dtype=np.float32))


def test_one_float64_makes_the_result_float64() -> None:
    single, double = np.array([0.5, 0.5], dtype=np.float32), np.array([0.25, 0.75])
    for function in OF_PAIRS:
        assert function(single, single).dtype == np.float32
        assert function(single, double).dtype == function(double, single).dtype == np.float64


def test_float32_overflows_without_a_warning() -> None:
    assert perplexity(np.float32(100)) == INF
    assert perplexity(np.float32(-200)) == 0


@pytest.mark.parametrize("function", [surprisal, binary_entropy, entropy, *OF_PAIRS, perplexity])
def test_the_input_is_never_changed_whatever_its_byte_order(function: Function) -> None:
    p = np.array([0.125, 0.625, 0.25])
    for dtype in (">f8", "<f8", ">f4"):
        given_array = p.astype(dtype)
        given_array.flags.writeable = False
        before = given_array.tobytes()
        got = alone(function)(given_array)
        assert given_array.tobytes() == before
        assert got.dtype.isnative
        np.testing.assert_array_equal(got, alone(function)(p.astype(got.dtype)))


def test_integers_and_booleans_are_probabilities_too() -> None:
    for p in ([0, 1], [False, True], np.array([0, 1], dtype=np.uint8)):
        assert entropy(p) == 0
        assert entropy(p).dtype == np.float64
        assert surprisal(p).tolist() == [INF, 0]


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: surprisal(1.5), r"^p = 1\.5 must be in \[0, 1\]$"),
        (lambda: surprisal([0.5, -0.25]), r"^p\[1\] = -0\.25 must be in \[0, 1\]$"),
        (lambda: binary_entropy(1.5), r"^p = 1\.5 must be in \[0, 1\]$"),
        (lambda: binary_entropy([[0.5], [INF]]), r"^p\[1, 0\] = inf must be in \[0, 1\]$"),
        (lambda: entropy([0.5, 0.75, -0.25]), r"^p\[2\] = -0\.25 must be in \[0, 1\]$"),
        (lambda: entropy([1.5, -0.5]), r"^p\[0\] = 1\.5 must be in \[0, 1\]$"),
        (lambda: entropy([0.5, 0.25]), r"^p must sum to 1, got a sum of 0\.75$"),
        (lambda: entropy([[0.5, 0.5], [0.5, 1]]), r"^p must sum to 1, got a sum of 1\.5 in row 1$"),
        (lambda: entropy(np.full((2, 2, 2), 0.25)), r"^p must sum to 1, .* 0\.5 in row 0, 0$"),
        (
            lambda: entropy([[[NAN, 1.0]], [[0.5, 1.0]]]),
            r"^p must sum to 1, got a sum of 1\.5 in row 1, 0$",
        ),
        (lambda: entropy(np.empty(0)), r"^p must sum to 1, got a sum of 0\.0$"),
        (lambda: entropy(1.0), r"^p must have at least one dimension, got one number$"),
        (lambda: entropy([[0.5, 0.5], [1.0, 0.0]], axis=0), r"^p must sum to 1, .* 1\.5 in row 0$"),
        (lambda: entropy([0.5, 0.5], axis=1), r"^axis = 1 is no axis of p, whose shape is \(2,\)$"),
        (lambda: cross_entropy([1.0], [0.5]), r"^q must sum to 1, got a sum of 0\.5$"),
        (lambda: cross_entropy([0.5], [1.0]), r"^p must sum to 1, got a sum of 0\.5$"),
        (lambda: kl_divergence([0.5, 0.5], [1.5, -0.5]), r"^q\[0\] = 1\.5 must be in \[0, 1\]$"),
        (
            lambda: kl_divergence([[0.5, 0.5]], [0.5, 0.5]),
            r"^p and q must have one shape, got \(1, 2\) and \(2,\)$",
        ),
        (
            lambda: cross_entropy([1.0], [0.5, 0.5]),
            r"^p and q must have one shape, got \(1,\) and \(2,\)$",
        ),
    ],
)
def test_what_are_no_probabilities(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (1 + 2.0**-52, "1.0000000000000002"),
        (np.float64(0.1), "0.1"),
        (np.float32(0.1), "0.1"),
        (np.float32(1 + 2.0**-23), "1.0000001"),
        (3.0, "3"),
        (-2.0, "-2"),
        (np.float32(300), "300"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (NAN, "nan"),
        (-INF, "-inf"),
    ],
)
def test_errors_show_the_shortest_text_that_reads_back(x: Any, text: str) -> None:
    assert shown(x) == text
    assert type(x)(text) == x or math.isnan(x)


def test_errors_do_not_contradict_themselves() -> None:
    """To six digits these values would be 1, which is in [0, 1]."""
    with pytest.raises(ValueError, match=r"^p = 1\.000000001 must be in \[0, 1\]$"):
        surprisal(1 + 1e-9)
    with pytest.raises(ValueError, match=r"^p\[0\] = 1\.0000001 must be in \[0, 1\]$"):
        surprisal(np.array([1 + 2.0**-23], dtype=np.float32))
    with pytest.raises(ValueError, match=r"^p = 1\.000000001 must be in \[0, 1\]$"):
        Bernoulli(1 + 1e-9)
    with pytest.raises(ValueError, match=r"^base = 0\.9999999999999999 must be finite and > 1$"):
        surprisal(0.5, base=1 - 2.0**-53)
    with pytest.raises(ValueError, match=r"^base = 0\.1 must be finite and > 1$"):
        surprisal(0.5, base=np.float32(0.1))  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [surprisal, binary_entropy, entropy, *OF_PAIRS, perplexity])
@pytest.mark.parametrize("base", [1, 0, -2, 0.5, NAN, INF])
def test_a_base_must_exceed_one(function: Function, base: float) -> None:
    with pytest.raises(ValueError, match=rf"^base = {base:g} must be finite and > 1$"):
        alone(function)([0.5, 0.5], base=base)


@pytest.mark.parametrize("function", [surprisal, binary_entropy, entropy, *OF_PAIRS, perplexity])
@pytest.mark.parametrize("value", ["1", None, 1j])
def test_what_is_no_real_number_is_a_type_error(function: Function, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^(p|nll) must be real numbers, got an array of dtype "):
        alone(function)(value)
    with pytest.raises(TypeError, match=r"^base must be real numbers, got an array of dtype "):
        alone(function)([0.5, 0.5], base="2")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("k", [2, 10, 1000])
def test_the_sum_has_a_tolerance_of_k_roundings(k: int, dtype: type) -> None:
    eps = float(np.finfo(dtype).eps)
    for factor, fits in ((0.25, True), (4.0, False)):
        p: Any = np.full(k, 1 / k, dtype=dtype)
        p[0] += dtype(factor * k * eps)
        if fits:
            assert np.isfinite(entropy(p))
        else:
            with pytest.raises(ValueError, match=r"^p must sum to 1, got a sum of 1\.\d+$"):
                entropy(p)


def test_the_tolerance_is_that_of_the_type_the_probabilities_came_in() -> None:
    """float16 is computed in float32, and long doubles in float64; neither is refused for it."""
    tenths = np.full(10, 0.1)
    assert entropy(tenths.astype(np.float16)) == pytest.approx(math.log(10), rel=1e-3, abs=0)
    assert entropy(tenths.astype(np.longdouble)) == pytest.approx(math.log(10), rel=4 * EPS, abs=0)
    with pytest.raises(ValueError, match="must sum to 1"):
        entropy(tenths.astype(np.float16).astype(np.float32))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_k_roundings_are_allowed_and_no_more(dtype: str) -> None:
    eps = float(np.finfo(dtype).eps)
    counts = np.array(True)
    for roundings in (2, -2):
        p = np.array([0.5, 0.5 + roundings * eps], dtype)
        refuse_sums("p", p, np.dtype(dtype), counts)
    # float32 itself would round a sum of 1 + 2.5 eps to 1 + 2 eps
    p = np.array([0.5, 0.5 + (2.5 if dtype == "float32" else 3) * eps], dtype)
    with pytest.raises(ValueError, match=r"^p must sum to 1, got a sum of 1\.0000"):
        refuse_sums("p", p, np.dtype(dtype), counts)


@pytest.mark.parametrize(
    ("data", "power"),
    [
        ([3.0], 2.0),
        ([1.0, -5.0, 4.0], 4.0),
        ([0.75, 0.1], 0.5),
        ([8.0], 8.0),
        ([1.7e308], 2.0**1023),
        ([5e-324], 5e-324),
    ],
)
def test_the_largest_power_of_two_that_no_magnitude_exceeds(
    data: list[float], power: float
) -> None:
    assert power_of_two(np.array(data)) == power


def test_long_doubles_may_miss_one_by_the_roundings_of_the_sum() -> None:
    """The sum is taken in float64, where 0.7 + 0.2 + 0.1 is 1 − 1.1e-16."""
    p = np.array([0.7, 0.2, 0.1])
    assert np.sum(p) == 1 - 2.0**-53
    refuse_sums("p", p, np.dtype(np.longdouble), np.array(True))
    with pytest.raises(ValueError, match=r"^p must sum to 1, got a sum of 1\.0"):
        refuse_sums("p", p + 1e-15, np.dtype(np.longdouble), np.array(True))


def test_a_row_with_a_nan_is_not_checked_but_the_others_are() -> None:
    p = np.array([[NAN, 2.0], [0.5, 0.5], [-1.0, NAN]])
    half = np.full((3, 2), 0.5)
    each: list[Function] = [
        lambda p, axis: entropy(p, axis=axis),
        lambda p, axis: cross_entropy(p, half if axis else half.T, axis=axis),
        lambda p, axis: cross_entropy(half if axis else half.T, p, axis=axis),
        lambda p, axis: kl_divergence(p, half if axis else half.T, axis=axis),
        lambda p, axis: kl_divergence(half if axis else half.T, p, axis=axis),
    ]
    for calls in each:
        for rows, axis in ((p, 1), (p.T, 0)):
            np.testing.assert_array_equal(np.isnan(calls(rows, axis)), [True, False, True])
            with pytest.raises(ValueError, match=r"^[pq]\[1, 1\] = 1\.5 must be in \[0, 1\]$"):
                calls(np.where(rows == 0.5, [[0.5, 1.5]] if axis else [[0.5], [1.5]], rows), axis)
            with pytest.raises(ValueError, match=r"^[pq] must sum to 1, .* 0\.5 in row 1$"):
                calls(np.where(rows == 0.5, 0.25, rows), axis)


def test_no_warning_leaves_even_where_underflow_is_an_error() -> None:
    p = np.array([1e-320, 1.0])
    single = np.array([1.5e-45, 1.0], np.float32)
    calls: list[Callable[[], Any]] = [
        lambda: surprisal(p, base=1e300),
        lambda: entropy(p),
        lambda: entropy(single),
        lambda: binary_entropy(p),
        lambda: binary_entropy(np.float32(1e-45)),
        lambda: cross_entropy(p, p),
        lambda: kl_divergence(p, p[::-1], base=1e300),
        lambda: kl_divergence(p, [0.0, 1.0]),
        lambda: kl_divergence(p, [2e-320, 1.0], base=10),
        lambda: perplexity([-800.0, 800.0]),
        lambda: perplexity(np.array([-95.0, 95.0], np.float32)),
        lambda: surprisal(np.longdouble("1e-400")),
        lambda: entropy([[NAN, -1.0]]),
    ]
    for call in calls:
        expected = call()
        with np.errstate(all="raise"):
            np.testing.assert_array_equal(call(), expected)


def test_masks_and_ragged_rows_are_refused_by_name() -> None:
    masked: Any = np.ma.array([0.5, 0.5], mask=[False, True])
    with pytest.raises(TypeError, match=r"^p must not be a masked array, .* sample_weight of 0 "):
        entropy(masked)
    ragged: Any = [[0.5, 0.5], [1.0]]
    for function in (surprisal, entropy):
        with pytest.raises(ValueError, match=r"^p must be an array of real numbers, but its rows"):
            function(ragged)
    with pytest.raises(ValueError, match=r"^axis = None is no axis of p, whose shape is \(1,\)$"):
        entropy([1.0], axis=None)  # type: ignore[arg-type]


def test_a_softmax_in_float32_sums_to_one() -> None:
    """50,257 outcomes in float32, as a language model gives them."""
    z = np.random.default_rng(9).normal(size=50_257).astype(np.float32)
    p = np.exp(z) / np.sum(np.exp(z))
    assert p.dtype == np.float32
    assert entropy(p) == pytest.approx(
        scipy.stats.entropy(p.astype(np.float64)), rel=4 * EPS32, abs=0
    )
    with pytest.raises(ValueError, match="must sum to 1"):
        entropy(p.astype(np.float64))  # whoever says float64 is taken at their word
