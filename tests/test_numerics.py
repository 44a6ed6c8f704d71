"""The elementary functions: right to the last bits, at every edge, in every float type, silently.

digamma and trigamma have tests of their own.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import (
    lgamma,
    log_sigmoid,
    log_softmax,
    logsumexp,
    sigmoid,
    softmax,
    softplus,
    xlogy,
)
from nllbook._reduce import blocks
from tests.hard_rows import classes, exact, mp, rows, worst

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
    assert float(xlogy(3, math.e)) == pytest.approx(3, rel=2 * EPS, abs=0)


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


def test_xlogy_underflows_in_silence() -> None:
    expected = xlogy([1e-320, 1.0], [0.9, 2.0])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(xlogy([1e-320, 1.0], [0.9, 2.0]), expected)
        assert xlogy(np.float32(1e-45), np.float32(0.9)) == 0


def test_softplus_and_sigmoids_underflow_in_silence() -> None:
    with np.errstate(all="raise"):
        assert softplus([-1000.0, 1000.0, INF, -INF]).tolist() == [0, 1000, INF, 0]
        assert log_sigmoid([-1000.0, 1000.0]).tolist() == [-1000, 0]
        assert sigmoid([-1000.0, 1000.0, INF, -INF]).tolist() == [0, 1, 1, 0]


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
    assert float(lgamma(x)) == pytest.approx(float(scipy.special.gammaln(x)), rel=1e-13, abs=0)


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


# --- rows: logsumexp, log_softmax, softmax -------------------------------------------------------

TYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
ROWS = pytest.mark.parametrize("name", list(rows("float64")))


@TYPES
@ROWS
def test_log_softmax_on_hard_rows(name: str, dtype: str) -> None:
    row, truth = rows(dtype)[name], exact(dtype, name)
    got = log_softmax(row)
    pairs = ((got[c], -truth.surprise[float(row[c])]) for c in classes(row))
    assert worst(pairs, dtype) <= 4


@TYPES
@ROWS
def test_softmax_on_hard_rows(name: str, dtype: str) -> None:
    row, truth = rows(dtype)[name], exact(dtype, name)
    got = softmax(row)
    assert worst(((got[c], truth.prob[float(row[c])]) for c in classes(row)), dtype) <= 4


@TYPES
@ROWS
def test_logsumexp_on_hard_rows(name: str, dtype: str) -> None:
    row, truth = rows(dtype)[name], exact(dtype, name).logsumexp
    got = logsumexp(row)
    assert got.dtype == dtype
    error = float(abs(mp.mpf(float(got)) - truth))
    assert error <= 4 * float(np.finfo(dtype).eps) * max(1, float(abs(truth)))


def test_logsumexp_of_many_terms_that_add_up_to_about_one() -> None:
    """Taking the largest out would make 0 from −10.8 + 10.8, and its error twice as large."""
    rng = np.random.default_rng(1)
    plainly_worse = 0
    for _ in range(40):
        few = rng.normal(0, rng.choice([0.01, 0.3, 1]), 12)
        few -= float(scipy.special.logsumexp(np.resize(few, 50_257))) + rng.uniform(-0.5, 0.5)
        row = np.resize(few, 50_257)
        values, counts = np.unique(row, return_counts=True)
        powers = (mpmath.exp(mpmath.mpf(float(v))) for v in values)
        truth = mpmath.log(mpmath.fsum(int(n) * p for n, p in zip(counts, powers, strict=True)))
        error, other = (
            float(abs(mpmath.mpf(float(got)) - truth)) / EPS
            for got in (logsumexp(row), row.max() + np.log(np.sum(np.exp(row - row.max()))))
        )
        assert error <= 3
        plainly_worse += other > 3
    assert plainly_worse


def test_a_confident_row_keeps_its_tiny_surprise() -> None:
    """−log1p(exp(−40)) = −4.248354255291588986…e-18, where z − logsumexp(z) is 0."""
    z = np.array([10.0, -30.0])
    assert z[0] - np.logaddexp(*z) == 0
    assert float(log_softmax(z)[0]) == pytest.approx(-4.248354255291589e-18, rel=4 * EPS, abs=0)
    assert log_softmax(z.astype(np.float32))[0] == np.float32(-4.248354255291589e-18)


def test_the_vocabulary_far_below_the_top() -> None:
    """Each ratio is below the normal floats, the sum of the 50,256 is not."""
    row = rows("float64")["vocabulary, far"]
    assert 0 < np.exp(row[0] - row[-1]) < np.finfo(float).tiny < -log_softmax(row)[-1]


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_rows_run_along_any_axis(axis: int) -> None:
    z = np.random.default_rng(5).normal(0, 9, (2, 3, 4))
    moved = np.moveaxis(z, axis, -1)
    expected = np.array([[log_softmax(row) for row in block] for block in moved])
    np.testing.assert_array_equal(log_softmax(z, axis=axis), np.moveaxis(expected, -1, axis))
    np.testing.assert_array_equal(softmax(z, axis), np.moveaxis(softmax(moved), -1, axis))
    sums = logsumexp(z, axis)
    assert sums.shape == moved.shape[:-1]
    np.testing.assert_allclose(sums, scipy.special.logsumexp(z, axis=axis), rtol=8 * EPS)
    assert logsumexp(z, axis, keepdims=True).shape == np.sum(z, axis=axis, keepdims=True).shape
    np.testing.assert_array_equal(np.squeeze(logsumexp(z, axis, keepdims=True), axis), sums)


def test_logsumexp_takes_out_one_axis_of_length_one() -> None:
    assert logsumexp(np.zeros((1, 3))).tolist() == pytest.approx([math.log(3)], rel=EPS)
    assert logsumexp(np.zeros((1, 3)), axis=0).tolist() == [0.0, 0.0, 0.0]


def test_logsumexp_of_rows_each_of_many_terms() -> None:
    """Sums near 1 of many terms are taken by another formula: row by row, along any axis."""
    z = np.array([[-3.0] * 20, [-2.0] * 20, [5.0] * 20])
    expected = [float(mpmath.log(20 * mpmath.exp(top))) for top in (-3, -2, 5)]
    # the log of a sum near 1 is as wrong as the sum
    assert logsumexp(z).tolist() == pytest.approx(expected, rel=4 * EPS, abs=4 * EPS)
    assert logsumexp(z.T, axis=0).tolist() == pytest.approx(expected, rel=4 * EPS, abs=4 * EPS)
    assert logsumexp(z, keepdims=True).shape == (3, 1)


def test_logsumexp_of_everything() -> None:
    z = np.random.default_rng(6).normal(0, 9, (2, 3))
    total = logsumexp(z, axis=None)
    assert np.ndim(total) == 0
    assert float(total) == pytest.approx(float(scipy.special.logsumexp(z)), rel=4 * EPS, abs=0)
    assert logsumexp(z, None, True).shape == (1, 1)
    assert logsumexp(2.5, axis=None) == pytest.approx(2.5, rel=EPS, abs=0)


@FEW
@given(st.lists(st.integers(-9999, 9999), min_size=1, max_size=8), st.integers(-(2**30), 2**30))
def test_a_shift_moves_logsumexp_and_leaves_softmax(sixteenths: list[int], shift: int) -> None:
    z = np.array(sixteenths) / 16  # so that the shift is exact
    np.testing.assert_array_equal(softmax(z + shift), softmax(z))
    np.testing.assert_array_equal(log_softmax(z + shift), log_softmax(z))
    room = 4 * EPS * (1 + np.abs(z).max() + abs(shift))
    assert float(logsumexp(z + shift)) == pytest.approx(float(logsumexp(z)) + shift, abs=room)


@FEW
@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=8))
def test_softmax_and_its_log_belong_together(z: list[float]) -> None:
    p, logs = softmax(z), log_softmax(z)
    assert np.all((p >= 0) & (p <= 1))
    assert np.all(logs <= 0)
    assert abs(math.fsum(p) - 1) <= 4 * EPS
    with np.errstate(under="ignore"):
        np.testing.assert_allclose(np.exp(logs), p, rtol=2e-12, atol=1e-300)
    assert np.all(np.diff(logs[np.argsort(z)]) >= 0)  # in the order of the logits
    np.testing.assert_allclose(log_softmax(logs), logs, rtol=1e-12, atol=1e-13)  # idempotent
    largest = max(z)
    assert largest <= logsumexp(z) <= largest + math.log(len(z)) + EPS * (2 + abs(largest))
    assert logsumexp(z[:1]) == z[0]


@FEW
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=8))
def test_rows_agree_with_scipy(z: list[float]) -> None:
    assert float(logsumexp(z)) == pytest.approx(float(scipy.special.logsumexp(z)), abs=1e-13)
    np.testing.assert_allclose(softmax(z), scipy.special.softmax(z), rtol=1e-13)
    np.testing.assert_allclose(log_softmax(z), scipy.special.log_softmax(z), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    ("z", "total", "logs"),
    [
        ([-INF, -INF], -INF, [NAN, NAN]),  # no class can happen
        ([-INF], -INF, [NAN]),
        ([INF, 0.0], INF, [0, -INF]),  # the limit
        ([INF, -INF, 3.0], INF, [0, -INF, -INF]),
        ([INF, INF], INF, [NAN, NAN]),  # ∞ − ∞
        ([INF], INF, [0]),
        ([0.0, -INF], 0.0, [0, -INF]),
        ([NAN, 1.0], NAN, [NAN, NAN]),
        ([NAN], NAN, [NAN]),
        ([NAN, INF], NAN, [NAN, NAN]),
        ([NAN, -INF], NAN, [NAN, NAN]),
        ([3e38, -3e38], 3e38, [0, -6e38]),  # in float32 the difference overflows
        ([1.5e308, -1.5e308], 1.5e308, [0, -INF]),  # in float64 too
        ([5.0], 5.0, [0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_at_the_edges(z: list[float], total: float, logs: list[float], dtype: type) -> None:
    k = len(z)
    with np.errstate(over="ignore"):
        row: Any = np.array([z, [1.0] * k]).astype(dtype)
        expected: Any = np.array([logs, [-math.log(k)] * k]).astype(dtype)
        sums: Any = np.array([total, 1 + math.log(k)]).astype(dtype)
    got, eps = log_softmax(row), float(np.finfo(dtype).eps)
    np.testing.assert_allclose(got, expected, rtol=2 * eps)
    np.testing.assert_allclose(logsumexp(row), sums, rtol=2 * eps)
    np.testing.assert_allclose(softmax(row), np.exp(expected), rtol=8 * eps)
    assert not np.any(np.signbit(got) & (got == 0))


def test_logsumexp_of_nothing() -> None:
    assert logsumexp([]) == -INF  # the log of an empty sum
    np.testing.assert_array_equal(logsumexp(np.empty((2, 0))), [-INF, -INF])
    assert logsumexp(np.empty((0, 3))).shape == (0,)
    assert logsumexp([], axis=None) == -INF
    assert logsumexp([-1.5e308, -1.7e308]) == -1.5e308  # and not of what starts the maximum
    for function in (softmax, log_softmax):
        for shape in ((0,), (0, 3), (2, 0)):
            assert function(np.empty(shape, dtype=np.float32)).shape == shape
            assert function(np.empty(shape, dtype=np.float32)).dtype == np.float32


def test_rows_in_many_blocks_are_the_rows_alone() -> None:
    """Blocks of rows are no more than a way to compute them."""
    z = np.random.default_rng(7).normal(0, 9, (401, 301))
    for function in (softmax, log_softmax):
        np.testing.assert_array_equal(function(z), [function(row) for row in z])


def test_nan_stays_in_its_row() -> None:
    z = np.array([[1.0, 2.0], [NAN, 0.0], [3.0, 4.0]])
    for function in (softmax, log_softmax, logsumexp):
        got = function(z)
        np.testing.assert_array_equal(got[[0, 2]], function(z[[0, 2]]))
        assert np.all(np.isnan(got[1]))


def test_blocks_part_the_rows_into_256_kib_or_one_row() -> None:
    k = 256 * 1024 // 8 // 2  # two rows of float64 make a block
    assert list(blocks(5, k)) == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert list(blocks(5, k + 1)) == [slice(i, i + 1) for i in range(5)]
    assert list(blocks(2, 10 * k)) == [slice(0, 1), slice(1, 2)]
    assert list(blocks(2 * k, 1)) == [slice(0, 2 * k)]
    assert list(blocks(2, 0)) == [slice(0, 2 * k)]
    assert not list(blocks(0, 3))


ROW_FUNCTIONS = pytest.mark.parametrize("function", [softmax, log_softmax, logsumexp])


@ROW_FUNCTIONS
def test_rows_need_a_dimension_and_an_axis(function: Function) -> None:
    name = "a" if function is logsumexp else "z"
    message = rf"^{name} must have at least one dimension, got one number$"
    with pytest.raises(ValueError, match=message):
        function(1.0)
    if function is not logsumexp:  # which adds everything then
        message = r"^axis = None is no axis of z, whose shape is \(1,\)$"
        with pytest.raises(ValueError, match=message):
            function([1.0], axis=None)  # type: ignore[call-arg]
    for axis in (1, -2):
        message = rf"^axis = {axis} is no axis of {name}, whose shape is \(1,\)$"
        with pytest.raises(ValueError, match=message):
            function([1.0], axis=axis)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=rf"^{name} must be real numbers, got an array of dtype "):
        function(["1"])


# --- single logits: softplus, log_sigmoid, sigmoid -----------------------------------------------


def exact_softplus(z: Any) -> Any:
    return mp.log(1 + mp.exp(mp.mpf(float(z))))


def hard_logits(dtype: str) -> Any:
    rng = np.random.default_rng(8)
    size = 87.0 if dtype == "float32" else 708.0
    z = np.concatenate(
        [
            rng.normal(0, 3, 40),
            rng.uniform(-size, size, 60),
            rng.choice([-1, 1], 20) * 10 ** rng.uniform(-30, 0, 20),
            [0.0, -0.0, 745, -745, 1e4, -1e4, 1e8, -1e8, 36.7, -36.7, 17.3, -17.3],
        ]
    )
    return z.astype(dtype)


@TYPES
def test_softplus_and_log_sigmoid_on_hard_logits(dtype: str) -> None:
    z = hard_logits(dtype)
    truth = [exact_softplus(value) for value in z]
    assert worst(zip(softplus(z), truth, strict=True), dtype) <= 4
    assert worst(zip(log_sigmoid(-z), [-value for value in truth], strict=True), dtype) <= 4


@TYPES
def test_sigmoid_on_hard_logits(dtype: str) -> None:
    z = hard_logits(dtype)
    truth = (1 / (1 + mp.exp(-mp.mpf(float(value)))) for value in z)
    assert worst(zip(sigmoid(z), truth, strict=True), dtype) <= 4


@pytest.mark.parametrize(
    ("z", "plus", "log", "p"),
    [
        (INF, INF, 0.0, 1.0),
        (-INF, 0.0, -INF, 0.0),
        (1e308, 1e308, 0.0, 1.0),
        (-1e308, 0.0, -1e308, 0.0),
        (NAN, NAN, NAN, NAN),
        (-745.0, 5e-324, -745.0, 5e-324),
    ],
)
def test_single_logits_at_the_edges(z: float, plus: float, log: float, p: float) -> None:
    got = softplus(z), log_sigmoid(z), sigmoid(z)
    np.testing.assert_array_equal(got, (plus, log, p))
    assert not any(np.signbit(value) for value in got if value == 0)
    np.testing.assert_array_equal(softplus([0.0, z])[1], plus)


@FEW
@given(st.floats(-1e4, 1e4))
def test_single_logits_belong_together(z: float) -> None:
    assert float(softplus(z) - softplus(-z)) == pytest.approx(z, abs=4 * EPS * (1 + abs(z)))
    assert float(sigmoid(z) + sigmoid(-z)) == pytest.approx(1, abs=2 * EPS)
    assert log_sigmoid(z) == -softplus(-z)
    assert softplus(z) >= max(z, 0)
    pair = log_softmax([z, 0.0])  # a logit is two of them, of which one is 0
    np.testing.assert_allclose(pair, [log_sigmoid(z), log_sigmoid(-z)], rtol=4 * EPS)
    np.testing.assert_allclose(softmax([z, 0.0])[0], sigmoid(z), rtol=6 * EPS)


@FEW
@given(st.floats(-30, 30))
def test_single_logits_agree_with_scipy(z: float) -> None:
    assert float(sigmoid(z)) == pytest.approx(float(scipy.special.expit(z)), rel=4 * EPS, abs=0)
    log = float(scipy.special.log_expit(z))
    assert float(log_sigmoid(z)) == pytest.approx(log, rel=4 * EPS, abs=0)
    assert float(softplus(-z)) == pytest.approx(-log, rel=4 * EPS, abs=0)


# --- all that take logits ------------------------------------------------------------------------

LOGITS = pytest.mark.parametrize(
    "function", [softmax, log_softmax, logsumexp, softplus, log_sigmoid, sigmoid]
)


@LOGITS
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("<f8", np.float64),
        (">f8", np.float64),
        ("<f4", np.float32),
        (">f4", np.float32),
        ("<f2", np.float32),
        (">i4", np.float64),
        ("u1", np.float64),
        ("?", np.float64),
        ("g", np.float64),
    ],
)
def test_float_types_of_logits(function: Function, dtype: str, expected: type) -> None:
    z = np.array([[0, 1, 1], [1, 0, 1]], dtype=dtype)
    got = function(z)
    assert got.dtype == expected
    assert got.dtype.isnative
    np.testing.assert_array_equal(got, function(z.astype(np.float64)).astype(expected))


@LOGITS
def test_layouts_of_logits(function: Function) -> None:
    z = np.random.default_rng(9).normal(0, 9, (4, 6))
    expected = function(z.tolist())
    np.testing.assert_array_equal(function(np.asfortranarray(z)), expected)
    wide = np.repeat(np.repeat(z, 2, axis=0), 3, axis=1)
    np.testing.assert_array_equal(function(wide[::2, ::3]), expected)
    np.testing.assert_array_equal(function(z[::-1, ::-1][::-1, ::-1]), expected)
    np.testing.assert_array_equal(function(z[::-1]), expected[::-1])
    same = np.broadcast_to(z[0], (3, 6))
    np.testing.assert_array_equal(
        function(same), np.broadcast_to(expected[0], (3, *expected.shape[1:]))
    )


@LOGITS
def test_logits_are_never_changed(function: Function) -> None:
    z = np.array([[1.0, NAN, -INF], [800.0, -800.0, 0.0], [-INF, -INF, -INF]])
    before = z.tobytes()
    z.flags.writeable = False
    got = function(z)
    assert z.tobytes() == before
    assert not np.shares_memory(got, z)


# --- the import ----------------------------------------------------------------------------------


def test_the_import_brings_numpy_alone() -> None:
    """Readers wait for it in every notebook; matplotlib comes with the first figure."""
    heavy = ["matplotlib", "scipy", "sympy", "torch", "IPython", "pandas", "sklearn", "pytest"]
    script = f"import sys, nllbook; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"


@pytest.mark.parametrize("axis", [True, False, np.timedelta64(0, "s"), 0.0, "0"])
def test_an_axis_is_an_integer(axis: Any) -> None:
    for function in (logsumexp, softmax, log_softmax):
        with pytest.raises(ValueError, match=r"is no axis of "):
            function([0.0, 1.0], axis=axis)
