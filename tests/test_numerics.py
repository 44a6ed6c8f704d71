"""xlogy and lgamma: right to the last bits, at every edge, in every float type, silently."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import lgamma, xlogy

mpmath.mp.dps = 50
EPS = float(np.finfo(np.float64).eps)
INF, NAN = math.inf, math.nan
FEW = settings(max_examples=60, deadline=None, derandomize=True)

positive = st.floats(1e-300, 1e300)


def relative_error(value: float, exact: Any) -> float:
    """Against mpmath's number, which is kept at 50 digits until the end."""
    return float(abs((mpmath.mpf(float(value)) - exact) / exact))


# --- xlogy ---------------------------------------------------------------------------------------


@FEW
@given(x=st.floats(-1e3, 1e3).filter(lambda x: abs(x) > 1e-3), y=positive)
def test_xlogy_is_right_to_two_roundings(x: float, y: float) -> None:
    exact = mpmath.mpf(x) * mpmath.log(mpmath.mpf(y))
    if exact == 0:
        assert xlogy(x, y) == 0
    else:  # log is off by at most a unit in the last place, the product by another half
        assert relative_error(xlogy(x, y), exact) <= 2 * EPS


@FEW
@given(x=st.floats(-1e3, 1e3), y=st.one_of(st.just(0.0), st.just(INF), positive))
def test_xlogy_agrees_with_scipy(x: float, y: float) -> None:
    expected = float(scipy.special.xlogy(x, y))
    np.testing.assert_allclose(xlogy(x, y), expected, rtol=4 * EPS, atol=0)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0, 0, 0.0),  # the limit of x log x
        (0.0, -0.0, 0.0),
        (-0.0, 0.0, 0.0),
        (0, 5, 0.0),
        (0, INF, 0.0),
        (7, 1, 0.0),
        (2, 0, -INF),
        (-2, 0, INF),
        (2, INF, INF),
        (INF, 0, -INF),
        (INF, 2, INF),
        (INF, 1, NAN),  # ∞ · 0 has no value
        (0, NAN, NAN),  # an unknown probability is no zero
        (NAN, 0, NAN),
        (NAN, 1, NAN),
        (1, NAN, NAN),
    ],
)
def test_xlogy_at_the_edges(x: float, y: float, expected: float) -> None:
    np.testing.assert_array_equal(xlogy(x, y), expected)
    np.testing.assert_array_equal(xlogy([x, 1.0], [y, 1.0]), [expected, 0.0])


def test_xlogy_of_zero_is_not_negative() -> None:
    assert math.copysign(1, xlogy(0, 0)) == 1
    assert math.copysign(1, xlogy(0, 0.5)) == 1  # not 0 · log(½) = −0.0


def test_xlogy_is_in_nats() -> None:
    assert float(xlogy(1, 2)) == 0.6931471805599453  # log 2 = 0.693147180559945309417…
    assert float(xlogy(3, math.e)) == pytest.approx(3, rel=2 * EPS)


def test_xlogy_broadcasts_scalars_alone() -> None:
    np.testing.assert_array_equal(xlogy(2, [1.0, 0.0]), [0, -INF])
    np.testing.assert_array_equal(xlogy([0, 2], 0.0), [0, -INF])
    assert xlogy([[1.0, 2.0]], 1).shape == (1, 2)
    assert xlogy([], 2.0).shape == (0,)


@pytest.mark.parametrize("shapes", [((3, 1), (3,)), ((1,), (3,)), ((2, 3), (3,)), ((3,), (2, 3))])
def test_xlogy_refuses_other_shapes(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    first, second = (np.ones(shape) for shape in shapes)
    message = r"^x and y must have one shape \(or one be a scalar\), got \(.*\) and \(.*\)$"
    with pytest.raises(ValueError, match=message):
        xlogy(first, second)


@pytest.mark.parametrize("y", [-1, -INF, -5e-324])
def test_xlogy_refuses_negative_y(y: float) -> None:
    with pytest.raises(ValueError, match=r"^y.* must be >= 0"):
        xlogy(1, y)
    with pytest.raises(ValueError, match=r"^y.* must be >= 0"):
        xlogy([NAN, 0, 1], [NAN, 1, y])


def test_xlogy_says_where_y_is_negative() -> None:
    with pytest.raises(ValueError, match=r"y\[1, 0\] = -2 must be >= 0"):
        xlogy(1.0, [[1, 2], [-2, -3]])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (np.float32, np.float32, np.float32),
        (np.float16, np.float16, np.float32),
        (np.float16, np.float32, np.float32),
        (np.float32, np.float64, np.float64),
        (np.float64, np.float32, np.float64),
        (np.float32, np.int64, np.float64),
        (np.int8, np.uint16, np.float64),
        (np.bool_, np.float64, np.float64),
        (np.longdouble, np.longdouble, np.float64),
    ],
)
def test_xlogy_float_type(first: type, second: type, expected: type) -> None:
    x: Any = np.array([1, 0], dtype=first)
    y: Any = np.array([2, 0], dtype=second)
    got = xlogy(x, y)
    assert got.dtype == expected
    np.testing.assert_array_equal(got, np.array([math.log(2), 0]).astype(expected))
    assert xlogy(x[0], y[0]).dtype == expected


@FEW
@given(
    x=st.floats(-(2.0**20), 2.0**20, width=32),
    y=st.floats(2.0**-100, 2.0**100, width=32),
)
def test_xlogy_in_float32_is_the_float64_result_rounded(x: float, y: float) -> None:
    got = xlogy(np.float32(x), np.float32(y))
    assert got.dtype == np.float32
    assert got == np.float32(xlogy(x, y))


def test_xlogy_overflows_to_infinity_without_a_warning() -> None:
    assert xlogy(1e308, 1e308) == INF  # 7e310
    assert xlogy(-1e308, 1e308) == -INF


def test_xlogy_overflows_in_float32_without_a_warning() -> None:
    assert xlogy(np.float32(3e38), np.float32(3e38)) == np.float32(INF)  # 2.7e40


# --- lgamma --------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, 2, 3, 4, 10, 20, 170, 1000])
def test_lgamma_is_the_log_of_the_factorial(k: int) -> None:
    exact = mpmath.log(math.factorial(k))  # an integer, exactly
    if exact == 0:
        assert lgamma(k + 1) == 0
    else:
        assert relative_error(lgamma(k + 1), exact) <= 4 * EPS


@FEW
@given(st.floats(1e-300, 1e15))
def test_lgamma_agrees_with_mpmath(x: float) -> None:
    exact = mpmath.loggamma(mpmath.mpf(x))
    # near its zeros, 1 and 2, it is right in absolute terms only
    assert float(abs(mpmath.mpf(float(lgamma(x))) - exact)) <= 8 * EPS * max(1, float(abs(exact)))


@pytest.mark.parametrize("x", [-0.5, -1.5, -2.25, -10.75, -100.5, -1e-10])
def test_lgamma_of_a_negative_is_the_log_of_the_absolute_value(x: float) -> None:
    exact = mpmath.log(abs(mpmath.gamma(mpmath.mpf(x))))
    assert relative_error(lgamma(x), exact) <= 16 * EPS
    assert float(lgamma(x)) == pytest.approx(float(scipy.special.gammaln(x)), rel=1e-13)


@FEW
@given(st.floats(0.01, 1e6))
def test_lgamma_recurrence(x: float) -> None:
    left, right = float(lgamma(x + 1)), float(lgamma(x)) + math.log(x)
    # x + 1 is rounded, which moves log Γ by up to x·eps/2 · ψ(x)
    assert abs(left - right) <= 8 * EPS * (1 + abs(left) + abs(math.log(x))) * (1 + math.log1p(x))


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (1, 0.0),
        (2, 0.0),
        (0.0, INF),
        (-0.0, INF),
        (-1, INF),
        (-2.0, INF),
        (-1e300, INF),
        (INF, INF),
        (NAN, NAN),
    ],
)
def test_lgamma_at_the_edges(x: float, expected: float) -> None:
    np.testing.assert_array_equal(lgamma(x), expected)
    got = lgamma([3.0, x, 1.0, x])
    np.testing.assert_allclose(got, [math.log(2), expected, 0, expected], rtol=4 * EPS, atol=0)


def test_lgamma_at_minus_infinity() -> None:
    assert lgamma(-INF) == INF  # as in C, POSIX and scipy.special.gammaln


def test_lgamma_overflows_to_infinity_without_an_error() -> None:
    assert lgamma(1e306) == INF  # about 7e308
    np.testing.assert_array_equal(lgamma([1.0, 1e308]), [0, INF])


def test_lgamma_overflows_in_float32_without_a_warning() -> None:
    assert lgamma(np.float32(1e38)) == np.float32(INF)  # about 9e39


@FEW
@given(st.lists(st.integers(1, 12), max_size=30))
def test_lgamma_of_repeats_keeps_the_order(values: list[int]) -> None:
    expected = [math.log(math.factorial(value - 1)) for value in values]
    got = lgamma(np.array(values, dtype=float))
    np.testing.assert_allclose(got, expected, rtol=4 * EPS, atol=0)


def test_lgamma_keeps_the_shape() -> None:
    array = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 3.0]])
    factorials = np.log([[1, 1, 2], [6, 24, 2]])
    np.testing.assert_allclose(lgamma(array), factorials, rtol=4 * EPS)
    np.testing.assert_allclose(lgamma(array.T), factorials.T, rtol=4 * EPS)
    assert lgamma(np.empty((0, 3))).shape == (0, 3)
    assert np.ndim(lgamma(4)) == 0


@FEW
@given(st.floats(2.0**-60, 2.0**60, width=32))
def test_lgamma_in_float32_is_the_float64_result_rounded(x: float) -> None:
    got = lgamma(np.float32(x))
    assert got.dtype == np.float32
    assert got == np.float32(lgamma(x))


# --- both ----------------------------------------------------------------------------------------


def log(x: Any) -> Any:
    """xlogy with one argument, so that both functions can run in one test."""
    return xlogy(1.0 if np.asarray(x).dtype.itemsize > 4 else np.float32(1), x)


BOTH = pytest.mark.parametrize("function", [log, lgamma])
Function = Callable[[Any], Any]


@BOTH
@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64, np.bool_])
def test_integers_become_float64(function: Function, dtype: type) -> None:
    got = function(np.array([1, 1], dtype=dtype))
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, [0, 0])
    assert function(3).dtype == np.float64


@BOTH
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", ">f4", "<f2", ">f2", ">i4"])
def test_byte_order_makes_no_difference(function: Function, dtype: str) -> None:
    values = [1, 3, 7]
    got = function(np.array(values, dtype=dtype))
    assert got.dtype == (np.float32 if dtype[1:] in ("f4", "f2") else np.float64)
    assert got.dtype.isnative
    np.testing.assert_array_equal(got, function(np.array(values, dtype=got.dtype)))


@BOTH
def test_memory_layout_makes_no_difference(function: Function) -> None:
    array = np.linspace(1, 5, 24).reshape(4, 6)
    expected = np.array([[function(value) for value in row] for row in array])
    np.testing.assert_array_equal(function(array), expected)
    np.testing.assert_array_equal(function(array[::-2, ::3]), expected[::-2, ::3])
    np.testing.assert_array_equal(function(np.asfortranarray(array)), expected)


@BOTH
def test_the_input_is_never_changed(function: Function) -> None:
    array = np.array([3.0, NAN, 0.0, 1.0])
    before = array.tobytes()
    array.flags.writeable = False
    result = function(array)
    assert array.tobytes() == before
    assert not np.shares_memory(result, array)


@BOTH
@pytest.mark.parametrize(
    "value", ["1", b"1", None, 1j, object(), ["a"], np.datetime64("2020-01-01")]
)
def test_what_is_no_real_number_is_a_type_error(function: Function, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^[xy] must be real numbers, got an array of dtype "):
        function(value)
    with pytest.raises(TypeError, match=r"^x must be real numbers, got an array of dtype "):
        xlogy(value, 1)
