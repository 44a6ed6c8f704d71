"""Digamma, trigamma, and what cancelling leaves of log Γ and ψ: against 50-digit arithmetic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.special

from nllbook import digamma, lgamma, trigamma
from nllbook._gamma import half_step, log_minus_digamma, stirling

mpmath.mp.dps = 50
mpf = mpmath.mpf
EPS = float(np.finfo(np.float64).eps)
INF, NAN = math.inf, math.nan
Function = Callable[..., Any]
BOTH = pytest.mark.parametrize("function", [digamma, trigamma])
ROOT = 1.4616321449683622  # of digamma

RNG = np.random.default_rng(12)
POSITIVE: dict[str, Any] = {
    "tiny": 10 ** RNG.uniform(-150, -1, 100),
    "below 10": RNG.uniform(0, 10, 400),
    "around 10": np.concatenate([np.linspace(9.99, 10.01, 41), np.nextafter(10, [0, 11])]),
    "at the root": ROOT + np.outer([1, -1], 10.0 ** -np.arange(0.5, 16, 0.25)).ravel(),
    "integers and halves": np.arange(1, 41) / 2,
    "large": 10 ** RNG.uniform(1, 150, 100),
}


def exact(function: Function, x: float) -> Any:
    return mpmath.psi(0 if function is digamma else 1, mpf(x))


@BOTH
@pytest.mark.parametrize("x", POSITIVE.values(), ids=POSITIVE.keys())
def test_positive_arguments_keep_all_their_digits(function: Function, x: Any) -> None:
    """Relative errors, next to the root of digamma too."""
    for value, got in zip(x.tolist(), function(x).tolist(), strict=True):
        assert float(abs(mpf(got) / exact(function, value) - 1)) <= 4 * EPS, value


def test_the_root_of_digamma() -> None:
    """Between these neighbouring floats it changes sign; its values there are about 1e-16."""
    below, above = ROOT, math.nextafter(ROOT, 2)
    assert digamma(below) < 0 < digamma(above)
    assert float(abs(mpf(float(digamma(below))) / mpmath.digamma(mpf(below)) - 1)) <= 4 * EPS


@BOTH
def test_negative_arguments(function: Function) -> None:
    """For digamma the reflection cancels next to its roots: there the error is absolute."""
    for value in RNG.uniform(-30, 0, 300).tolist():
        error = abs(mpf(float(function(value))) - exact(function, value))
        assert float(error) <= 8 * EPS * max(1, abs(float(exact(function, value)))), value
    if function is trigamma:
        for value in (-0.5, -2.4999, -17.25):
            assert float(abs(mpf(float(trigamma(value))) / exact(trigamma, value) - 1)) <= 4 * EPS


@BOTH
def test_next_to_a_pole(function: Function) -> None:
    for value in (1e-9, -1e-9, -1 + 2.0**-40, -1 - 2.0**-40, -7 + 2.0**-30):
        assert float(abs(mpf(float(function(value))) / exact(function, value) - 1)) <= 4 * EPS


def test_values_known_in_closed_form() -> None:
    euler = float(mpmath.euler)
    assert float(digamma(1)) == pytest.approx(-euler, rel=2 * EPS, abs=0)
    assert float(digamma(0.5)) == pytest.approx(-euler - 2 * math.log(2), rel=2 * EPS, abs=0)
    harmonic = math.fsum(1 / k for k in range(1, 30))
    assert float(digamma(30)) == pytest.approx(harmonic - euler, rel=2 * EPS, abs=0)
    assert float(trigamma(1)) == pytest.approx(math.pi**2 / 6, rel=2 * EPS, abs=0)
    assert float(trigamma(0.5)) == pytest.approx(math.pi**2 / 2, rel=2 * EPS, abs=0)


def test_poles_and_ends() -> None:
    """Both sides of a pole of trigamma go to +∞; those of digamma part."""
    np.testing.assert_array_equal(
        digamma([0, -1, -50, -1e300, INF, -INF, NAN]), [NAN] * 4 + [INF] + [NAN] * 2
    )
    np.testing.assert_array_equal(
        trigamma([0, -1, -50, -1e300, INF, -INF, NAN]), [INF] * 4 + [0] + [NAN] * 2
    )
    assert digamma(5e-324) == -INF
    assert trigamma(1e-200) == INF
    assert digamma(1.7e308) == pytest.approx(308 * math.log(10) + math.log(1.7), rel=2 * EPS, abs=0)
    assert trigamma(1e300) == pytest.approx(1e-300, rel=2 * EPS, abs=0)


@BOTH
def test_the_recurrence(function: Function) -> None:
    """ψ(x + 1) = ψ(x) + 1/x, across every seam of the formulas."""
    x = np.concatenate([np.arange(1, 200) / 16, -np.arange(1, 80) / 7.5])
    x = x[x % 1 != 0]
    step = 1 / x if function is digamma else -1 / x**2
    np.testing.assert_allclose(function(x + 1), function(x) + step, rtol=1e-13, atol=1e-13)


def test_they_are_derivatives() -> None:
    x, h = np.array([0.3, 1.0, 4.4, 10.0, 33.0]), 1e-5
    np.testing.assert_allclose(digamma(x), (lgamma(x + h) - lgamma(x - h)) / (2 * h), rtol=1e-8)
    np.testing.assert_allclose(trigamma(x), (digamma(x + h) - digamma(x - h)) / (2 * h), rtol=1e-8)


@BOTH
def test_scipy_agrees(function: Function) -> None:
    x = np.concatenate([RNG.uniform(0, 30, 200), RNG.uniform(-8, 0, 100)])
    expected = scipy.special.psi(x) if function is digamma else scipy.special.polygamma(1, x)
    np.testing.assert_allclose(function(x), expected, rtol=1e-12, atol=1e-12)


@BOTH
def test_types_and_shapes(function: Function) -> None:
    x = np.array([[0.25, 3.0, 12.0], [-0.75, NAN, 1.5]])
    got = function(x)
    for i in range(2):
        for j in range(3):
            np.testing.assert_array_equal(got[i, j], function(x[i, j]))
    assert isinstance(function(2), np.float64)
    assert function(np.array([1, 2])).dtype == np.float64
    assert function([]).shape == (0,)
    np.testing.assert_array_equal(function(x[::-1, ::2]), got[::-1, ::2])
    np.testing.assert_array_equal(function(np.asfortranarray(x)), got)
    for dtype in (np.float32, np.float16):
        single = function(x.astype(dtype))
        assert single.dtype == np.float32
        np.testing.assert_array_equal(single, got.astype(np.float32))


@BOTH
def test_the_input_is_never_changed_whatever_its_byte_order(function: Function) -> None:
    x = np.array([0.5, -0.5, 20.0], dtype=">f8")
    x.flags.writeable = False
    before = x.tobytes()
    got = function(x)
    assert x.tobytes() == before
    assert got.dtype.isnative
    np.testing.assert_array_equal(got, function([0.5, -0.5, 20.0]))


@BOTH
@pytest.mark.parametrize("value", ["1", None, 1j])
def test_what_is_no_real_number_is_a_type_error(function: Function, value: Any) -> None:
    with pytest.raises(TypeError, match=r"^x must be real numbers, got an array of dtype "):
        function(value)


# --- the parts that cancel -----------------------------------------------------------------------

ARGUMENTS = [1e-150, 1e-3, 0.5, 0.999, 1.0, 1.5, 3.7, 15.9, 16.0, 17.0, 100.0, 1e6, 1e15]


@pytest.mark.parametrize("x", [x for x in ARGUMENTS if x >= 1] + [1e300])
def test_what_stirlings_formula_leaves(x: float) -> None:
    with mpmath.workdps(700 if x > 1e100 else 60):
        m = mpf(x)
        left = mpmath.loggamma(m) - ((m - 0.5) * mpmath.log(m) - m + mpmath.log(2 * mpmath.pi) / 2)
        assert float(abs(stirling(x) / left - 1)) <= 4 * EPS


@pytest.mark.parametrize("x", ARGUMENTS)
def test_log_minus_digamma(x: float) -> None:
    """At 1e15 it is 5e-16: the difference of two floats of 35 has no digit right."""
    with mpmath.workdps(200):
        value = mpmath.log(mpf(x)) - mpmath.digamma(mpf(x))
        slope = mpmath.psi(1, mpf(x)) - 1 / mpf(x)
    got, got_slope = log_minus_digamma(x)
    assert float(abs(got / value - 1)) <= 8 * EPS
    assert float(abs(got_slope / slope - 1)) <= 8 * EPS


@pytest.mark.parametrize("x", ARGUMENTS)
def test_half_a_step(x: float) -> None:
    with mpmath.workdps(200):
        m = mpf(x)
        log_ratio = mpmath.loggamma(m + 0.5) - mpmath.loggamma(m) - mpmath.log(m) / 2
        difference = mpmath.digamma(m + 0.5) - mpmath.digamma(m)
    got, got_difference = half_step(x)
    assert float(abs(got - log_ratio)) <= 4 * EPS * max(1, float(abs(log_ratio)))
    assert float(abs(got_difference / difference - 1)) <= 8 * EPS
    if x >= 16:
        assert float(abs(got / log_ratio - 1)) <= 4 * EPS


def test_what_is_left_never_warns_and_is_infinite_at_the_smallest_float() -> None:
    with np.errstate(all="raise"):
        assert log_minus_digamma(5e-324) == (INF, INF)
        for function in (stirling, log_minus_digamma, half_step):
            assert np.all(np.abs(function(1e300)) < 1e-299)
