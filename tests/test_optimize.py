"""Gradient descent and Newton's method: their steps by hand, where they stop, what they refuse."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from nllbook import History, datasets, digamma, gradient_descent, lgamma, newton, trigamma

EPS = float(np.finfo(np.float64).eps)
INF, NAN = math.inf, math.nan
FEW = settings(max_examples=50, deadline=None, derandomize=True)


def parabola(x: Any) -> tuple[Any, Any]:
    """(x − 3)² and its slope."""
    return (x - 3.0) ** 2, 2 * (x - 3.0)


def bowl(x: Any) -> tuple[Any, Any]:
    """Σ k (x_k − 1)² for an array of any shape."""
    weights = np.arange(1, x.size + 1).reshape(x.shape)
    return np.sum(weights * (x - 1) ** 2), 2 * weights * (x - 1)


def valley(x: Any) -> tuple[Any, Any, Any]:
    """Rosenbrock's function of two variables."""
    a, b = x
    value = (1 - a) ** 2 + 100 * (b - a**2) ** 2
    gradient = np.array([-2 * (1 - a) - 400 * a * (b - a**2), 200 * (b - a**2)])
    hessian = np.array([[2 - 400 * (b - 3 * a**2), -400 * a], [-400 * a, 200]])
    return value, gradient, hessian


def logarithm(x: Any) -> tuple[Any, Any, Any]:
    """x − log x, whose minimum is 1."""
    return x - np.log(x), 1 - 1 / x, 1 / x**2


# --- gradient descent ----------------------------------------------------------------------------


def test_gradient_descent_by_hand() -> None:
    """The distance from 3 is halved at each step of ¼: 2 · ¼ = ½."""
    history = gradient_descent(parabola, 0, learning_rate=0.25, steps=4)
    assert history.x.tolist() == [0, 1.5, 2.25, 2.625, 2.8125]
    assert history.value.tolist() == [9, 2.25, 0.5625, 0.140625, 0.03515625]
    assert history.gradient.tolist() == [-6, -3, -1.5, -0.75, -0.375]
    assert history.converged is None
    assert len(history) == 5


@FEW
@given(st.integers(-50, 50), st.integers(1, 15), st.integers(0, 12))
def test_gradient_descent_in_fractions(start: int, sixteenths: int, steps: int) -> None:
    """x_t − 3 = (1 − 2 · rate)ᵗ (x₀ − 3)."""
    rate = Fraction(sixteenths, 16)
    history = gradient_descent(parabola, start, learning_rate=float(rate), steps=steps)
    expected = [3 + (1 - 2 * rate) ** t * (start - 3) for t in range(steps + 1)]
    np.testing.assert_allclose(history.x, [float(x) for x in expected], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (2, 1, 2)])
def test_gradient_descent_in_any_shape(shape: tuple[int, ...]) -> None:
    history = gradient_descent(bowl, np.zeros(shape), learning_rate=0.05, steps=300)
    assert history.x.shape == history.gradient.shape == (301, *shape)
    assert history.value.shape == (301,)
    np.testing.assert_allclose(history.x[-1], np.ones(shape), rtol=1e-9)
    for x, value, gradient in zip(history.x, history.value, history.gradient, strict=True):
        np.testing.assert_array_equal(value, bowl(np.asarray(x))[0])
        np.testing.assert_array_equal(gradient, bowl(np.asarray(x))[1])


def test_no_steps_leave_the_start() -> None:
    history = gradient_descent(parabola, 1.0, learning_rate=0.1, steps=0)
    assert (history.x.tolist(), history.value.tolist()) == ([1.0], [4.0])


@FEW
@given(st.floats(1e-4, 0.04), st.lists(st.floats(-10, 10), min_size=1, max_size=4), st.booleans())
def test_maximising_visits_the_iterates_of_minimising_the_negative(
    rate: float, start: list[float], single: bool
) -> None:
    """Bit for bit, in float64 and in float32."""

    def negative(x: Any) -> tuple[Any, Any]:
        value, gradient = bowl(x)
        return -value, -gradient

    x0 = np.array(start, dtype=np.float32 if single else np.float64)
    down = gradient_descent(bowl, x0, learning_rate=rate, steps=30)
    up = gradient_descent(negative, x0, learning_rate=rate, steps=30, maximize=True)
    assert down.x.tobytes() == up.x.tobytes()
    assert down.value.tobytes() == (-up.value).tobytes()


def test_maximising_climbs() -> None:
    def hill(x: Any) -> tuple[Any, Any]:
        return -((x - 3.0) ** 2), -2 * (x - 3.0)

    history = gradient_descent(hill, 0.0, learning_rate=0.25, steps=50, maximize=True)
    assert np.all(np.diff(history.value) >= 0)
    assert history.x[-1] == pytest.approx(3)


def test_too_large_a_rate_leaves_the_finite_numbers_in_silence() -> None:
    history = gradient_descent(parabola, 1e300, learning_rate=1e5, steps=100)
    assert len(history) < 5
    assert not math.isfinite(history.value[-1])
    history = gradient_descent(bowl, np.array([1e308]), learning_rate=10.0, steps=100)
    assert not math.isfinite(history.value[-1])


def test_newton_is_silent_too() -> None:
    """log of a negative number is a NaN: the history says so, and no warning besides."""
    history = newton(logarithm, 2.5)
    assert history.x[1] < 0
    np.testing.assert_array_equal(history.value[1:], [NAN])
    assert history.converged is False


def test_an_iterate_that_is_not_finite_ends_the_history() -> None:
    """The function is not asked there: it might raise, or warn."""
    asked: list[float] = []

    def steep(x: Any) -> tuple[Any, Any]:
        asked.append(float(x))
        return 0.0, -1e308

    history = gradient_descent(steep, 0.0, learning_rate=1.0, steps=10)
    assert history.x.tolist() == [0, 1e308, INF]
    np.testing.assert_array_equal(history.value, [0, 0, NAN])
    np.testing.assert_array_equal(history.gradient, [-1e308, -1e308, NAN])
    assert asked == [0, 1e308]


@pytest.mark.parametrize(("value", "gradient"), [(NAN, 1.0), (INF, 1.0), (1.0, NAN), (1.0, INF)])
def test_a_value_that_is_not_finite_ends_the_history(value: float, gradient: float) -> None:
    history = gradient_descent(lambda x: (value, gradient), 2.0, learning_rate=0.5, steps=10)
    assert history.x.tolist() == [2]
    np.testing.assert_array_equal(history.value, [value])
    np.testing.assert_array_equal(history.gradient, [gradient])


# --- Newton --------------------------------------------------------------------------------------


def test_newton_by_hand() -> None:
    """For x − log x the step is x(x − 1), so that the distance to 1 is squared."""
    history = newton(logarithm, 0.5)
    assert history.x[:4].tolist() == [0.5, 0.75, 0.9375, 0.99609375]
    assert history.x[-1] == 1
    assert history.converged is True
    assert len(history) == 7  # (½)^(2⁶) is lost in rounding 1, where the gradient is exactly 0


def test_newton_needs_one_step_for_a_parabola() -> None:
    history = newton(lambda x: (*parabola(x), 2.0), 100.0)
    assert history.x.tolist() == [100, 3]
    assert history.converged is True


def test_newton_in_several_dimensions() -> None:
    history = newton(valley, [-1.2, 1.0])
    assert history.converged is True
    np.testing.assert_allclose(history.x[-1], [1, 1], rtol=1e-12)
    assert history.x.shape == history.gradient.shape == (len(history), 2)
    assert history.value[-1] < 1e-24
    # the first step, by Cramer's rule
    _, (a, b), ((p, q), (r, s)) = valley(np.array([-1.2, 1.0]))
    step = np.array([s * a - q * b, p * b - r * a]) / (p * s - q * r)
    np.testing.assert_allclose(history.x[1], np.array([-1.2, 1.0]) - step, rtol=1e-12)


def test_newton_solves_with_the_hessian_not_its_transpose() -> None:
    """Its rows belong to the gradient's entries: only then does one step solve a linear system."""
    matrix = np.array([[2.0, 1.0], [0.0, 3.0]])
    history = newton(lambda x: (0.0, matrix @ x - [3.0, 6.0], matrix), [5.0, 5.0], steps=1)
    np.testing.assert_allclose(history.x[1], [0.5, 2], rtol=1e-14)


def test_newton_on_arrays_of_two_dimensions() -> None:
    weights = np.arange(1.0, 7).reshape(2, 3)
    hessian = (2 * np.diag(weights.ravel())).reshape(2, 3, 2, 3)
    history = newton(lambda x: (*bowl(x), hessian), np.zeros((2, 3)))
    np.testing.assert_allclose(history.x, [np.zeros((2, 3)), np.ones((2, 3))], rtol=1e-15)
    assert history.converged is True


def test_newton_of_the_negative_visits_the_same_iterates() -> None:
    for derivatives, start in ((valley, [-1.2, 1.0]), (logarithm, 0.3)):

        def negative(x: Any, derivatives: Any = derivatives) -> tuple[Any, ...]:
            return tuple(-part for part in derivatives(x))

        down: History = newton(derivatives, start)
        up: History = newton(negative, start, maximize=True)
        assert down.x.tobytes() == up.x.tobytes()
        assert down.value.tobytes() == (-up.value).tobytes()
        assert down.converged is up.converged is True


def test_newton_finds_stationary_points_and_says_when_they_are_of_another_kind() -> None:
    for maximize in (False, True):
        history = newton(lambda x: (x**2, 2 * x, 2.0), 7.0, maximize=maximize)
        assert history.x[-1] == 0
        assert history.converged is not maximize
        saddle = newton(
            lambda x: (x[0] ** 2 - x[1] ** 2, [2 * x[0], -2 * x[1]], np.diag([2.0, -2.0])),
            [3.0, 4.0],
            maximize=maximize,
        )
        np.testing.assert_allclose(saddle.x[-1], [0, 0], atol=1e-15)
        assert saddle.converged is False


def test_newton_at_a_flat_optimum() -> None:
    """x⁴: a third of the distance goes at each step, and the Hessian at the start may be 0."""
    history = newton(lambda x: (x**4, 4 * x**3, 12 * x**2), 1.0, steps=200)
    np.testing.assert_allclose(history.x[1:4], [2 / 3, 4 / 9, 8 / 27], rtol=1e-14)
    assert history.converged is True
    at_once = newton(lambda x: (x**4, 4 * x**3, 12 * x**2), 0.0)
    assert (at_once.x.tolist(), at_once.converged) == ([0], True)


def test_a_curvature_that_is_zero_but_for_rounding_is_no_wrong_one() -> None:
    """An eigenvalue of 0 is computed as one of about 1e-17, of either sign."""
    for small, converged in ((1e-17, True), (-1e-17, True), (-1e-3, False)):
        for sign in (1, -1):
            answer = (0.0, np.zeros(2), sign * np.diag([small, 2.0]))
            history = newton(lambda x, a=answer: a, np.zeros(2), maximize=sign < 0)  # type: ignore[misc]
            assert history.converged is converged


def test_a_curvature_is_compared_with_the_largest() -> None:
    """Beside 1e12 a curvature of −1e-6 is rounding, beside 1e-12 a real one."""
    for large, converged in ((1e12, True), (1e-12, False)):
        answer = (0.0, np.zeros(2), np.diag([-1e-6, large]))
        assert newton(lambda x, a=answer: a, np.zeros(2)).converged is converged  # type: ignore[misc]


def test_newton_takes_fifty_steps_unless_told_otherwise() -> None:
    history = newton(lambda x: (x, 1.0, 1.0), 0.0)  # one down each time
    assert (len(history), history.x[-1], history.converged) == (51, -50, False)


def test_newton_overflows_in_silence() -> None:
    with np.errstate(all="raise"):
        history = newton(lambda x: (x, 1e308, 1.0), -1.7e308)
        assert (history.x[0], history.x[-1], history.converged) == (-1.7e308, -INF, False)
        answer = (0.0, np.zeros(2), np.diag([1.7e308, 1.7e308]))
        assert newton(lambda x: answer, np.zeros(2)).converged is True
        answer = (0.0, np.zeros(2), np.diag([1e-310, 1e-310]))
        assert newton(lambda x: answer, np.zeros(2)).converged is True


def test_float32_stays_float32_beyond_its_range() -> None:
    history = gradient_descent(parabola, np.float32(1e18), learning_rate=1e30, steps=3)
    assert np.isnan(history.value[-1])
    assert history.x.dtype == history.value.dtype == history.gradient.dtype == np.float32


def test_newton_stops_at_a_singular_hessian() -> None:
    history = newton(lambda x: (x**3 - x, 3 * x**2 - 1, 6 * x), 0.0)
    assert (history.x.tolist(), history.converged) == ([0], False)
    flat = newton(lambda x: (x[0], [1.0, 0.0], np.zeros((2, 2))), [1.0, 2.0])
    assert (flat.x.tolist(), flat.converged) == ([[1, 2]], False)


def test_newton_without_enough_steps_has_not_converged() -> None:
    for steps in (0, 1, 3):
        history = newton(logarithm, 0.5, steps=steps)
        assert len(history) == steps + 1
        assert history.converged is False


def test_newton_with_a_tolerance() -> None:
    loose, tight = newton(logarithm, 0.5, tolerance=0.1), newton(logarithm, 0.5, tolerance=0.0)
    assert loose.converged is tight.converged is True
    # the steps are 0.25, 0.1875, 0.0586: the third is the first below 0.1
    assert loose.x.tolist() == [0.5, 0.75, 0.9375, 0.99609375]
    assert tight.gradient[-1] == 0
    assert newton(logarithm, 0.5, tolerance=0.25).x.tolist() == [0.5, 0.75]  # "none exceeds" it
    # for large x it is relative: a step of 1e-4 is small at 1e9, and not at 1
    assert newton(lambda x: (0.0, 1e-4, 1.0), 1e9).x.tolist() == [1e9, 1e9 - 1e-4]
    assert newton(lambda x: (0.0, 1e-4, 1.0), 1.0).converged is False


def test_newton_leaves_the_domain_from_a_bad_start() -> None:
    """The gamma's shape k on the rain: from 1.5 a step goes below 0, on log k none can."""
    x = datasets.load_illinois_rainfall()["rainfall"]
    s = math.log(x.mean()) - np.log(x).mean()

    def on_k(k: Any) -> tuple[Any, Any, Any]:
        if k <= 0:
            raise ValueError(f"shape = {k:g} must be > 0")
        value = lgamma(k) - k * math.log(k) + k + k * s
        return value, digamma(k) - math.log(k) + s, trigamma(k) - 1 / k

    def on_log_k(u: Any) -> tuple[Any, Any, Any]:
        k = math.exp(u)
        value, slope, curvature = on_k(k)
        return value, k * slope, k * slope + k**2 * curvature

    with pytest.raises(ValueError, match=r"^shape = -\d.* must be > 0$"):
        newton(on_k, 1.5)
    assert newton(on_k, 0.4).x[-1] == pytest.approx(0.4408, abs=1e-4)
    for start in (0.01, 0.4, 1.5, 10.0):
        history = newton(on_log_k, math.log(start))
        assert history.converged is True
        assert math.exp(history.x[-1]) == pytest.approx(0.4408, abs=1e-4)


def test_newton_that_leaves_the_finite_numbers_stops() -> None:
    history = newton(lambda x: (0.0, 1e300, -1e-300), 0.0)
    assert history.x.tolist() == [0, INF]
    assert history.converged is False
    for value, gradient, hessian in ((NAN, 1.0, 1.0), (1.0, INF, 1.0), (1.0, 1.0, NAN)):
        parts = (value, gradient, hessian)
        history = newton(lambda x, parts=parts: parts, 2.0)  # type: ignore[misc]
        assert (history.x.tolist(), history.converged) == ([2], False)


# --- both ----------------------------------------------------------------------------------------


def test_float32_stays_float32() -> None:
    start = np.float32(0.1)
    for history in (
        gradient_descent(parabola, start, learning_rate=0.3, steps=5),
        newton(lambda x: (*parabola(x), 2.0), start),
        gradient_descent(bowl, np.zeros(3, np.float32), learning_rate=0.01, steps=5),
    ):
        assert history.x.dtype == history.value.dtype == history.gradient.dtype == np.float32
    first: Any = gradient_descent(parabola, start, learning_rate=0.3, steps=1)
    gradient = np.float32(2) * (start - np.float32(3))
    expected = start - np.float32(0.3 * float(gradient))  # the rate is not rounded to float32
    assert first.x[1] == expected
    over = gradient_descent(lambda x: (1e300, 1e300), start, learning_rate=1.0, steps=3)
    assert over.value.tolist() == [INF]  # 1e300 is no float32; nothing warns


def test_the_start_is_never_changed_and_iterates_cannot_be() -> None:
    x0 = np.array([3.0, 4.0])
    x0.flags.writeable = False
    kept: list[Any] = []

    def meddling(x: Any) -> tuple[Any, Any]:
        kept.append(x)
        with pytest.raises(ValueError, match="read-only"):
            x[0] = 99
        return bowl(x)

    history = gradient_descent(meddling, x0, learning_rate=0.1, steps=3)
    assert x0.tolist() == [3, 4]
    np.testing.assert_array_equal(history.x, kept)
    changed = np.array([3.0, 4.0])
    history = gradient_descent(bowl, changed, learning_rate=0.1, steps=1)
    changed[:] = 0
    assert history.x[0].tolist() == [3, 4]


def test_a_gradient_written_into_one_array_again_and_again() -> None:
    buffer = np.empty(2)

    def reusing(x: Any) -> tuple[Any, Any]:
        value, buffer[:] = bowl(x)
        return value, buffer

    one = gradient_descent(reusing, [3.0, 4.0], learning_rate=0.1, steps=4)
    two = gradient_descent(bowl, [3.0, 4.0], learning_rate=0.1, steps=4)
    assert one.gradient.tobytes() == two.gradient.tobytes()


def test_byte_orders_and_integers() -> None:
    expected = gradient_descent(bowl, [3.0, 4.0], learning_rate=0.1, steps=3)
    for x0 in (np.array([3, 4], dtype=">f8"), np.array([3, 4], dtype=">i2"), (3, 4)):
        history = gradient_descent(bowl, x0, learning_rate=0.1, steps=3)
        assert history.x.dtype == np.float64
        assert history.x.tobytes() == expected.x.tobytes()


@pytest.mark.parametrize("maximize", [False, True])
def test_a_rate_beyond_float32_leaves_no_warning(maximize: bool) -> None:
    """1e300 is no float32; times a gradient of 0 it would be NaN, and 1e-300 would be 0."""
    start = np.array([1.0, 0.0], np.float32)
    with np.errstate(all="raise"):
        history = gradient_descent(
            lambda x: (x @ x, 2 * x), start, learning_rate=1e300, steps=3, maximize=maximize
        )
    assert len(history) == 2
    np.testing.assert_array_equal(history.x[1], [INF if maximize else -INF, 0])
    tiny = gradient_descent(
        lambda x: (0 * x, np.float32(1e30)), np.float32(0), learning_rate=1e-50, steps=1
    )
    assert tiny.x[1] == np.float32(-1e-50 * float(np.float32(1e30)))


def test_newton_needs_a_number_to_start_from() -> None:
    with pytest.raises(ValueError, match=r"^x0 is empty: there is nothing to optimise$"):
        newton(lambda x: (0.0, x, np.empty((0, 0))), [])


def test_a_history_is_immutable_and_short_to_print() -> None:
    history = newton(logarithm, 0.5)
    for field in dataclasses.fields(history):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(history, field.name, None)
    assert repr(history).startswith("History(x=array([0.5")
    assert "gradient" not in repr(history)
    assert "value" not in repr(history)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"learning_rate": 0}, ValueError, r"^learning_rate = 0 must be finite and > 0$"),
        ({"learning_rate": -0.1}, ValueError, r"^learning_rate = -0\.1 must be finite and > 0$"),
        ({"learning_rate": NAN}, ValueError, r"^learning_rate = nan must be finite and > 0$"),
        ({"learning_rate": [0.1, 0.2]}, ValueError, r"^learning_rate must be one number, got sh"),
        ({"learning_rate": "0.1"}, TypeError, r"^learning_rate must be real numbers, got "),
        ({"steps": -1}, ValueError, r"^steps = -1 must be >= 0$"),
        ({"steps": 2.5}, TypeError, r"^steps must be an integer, got float$"),
        ({"x0": NAN}, ValueError, r"^x0 = nan must be finite$"),
        ({"x0": [1, INF]}, ValueError, r"^x0\[1\] = inf must be finite$"),
        ({"x0": [[1], [1, 2]]}, ValueError, r"^x0 must be an array of real numbers, but its rows"),
        ({"learning_rate": [[1], [1, 2]]}, ValueError, r"^learning_rate must be an array of real"),
        ({"x0": np.ma.array([1.0], mask=[True])}, TypeError, r"^x0 must not be a masked array, .*"),
        ({"x0": "a"}, TypeError, r"^x0 must be real numbers, got an array of dtype "),
    ],
)
def test_gradient_descent_refuses(options: Any, error: type[Exception], message: str) -> None:
    arguments = {"x0": 1.0, "learning_rate": 0.1, "steps": 3, **options}
    with pytest.raises(error, match=message):
        gradient_descent(parabola, arguments.pop("x0"), **arguments)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"tolerance": -1e-9}, ValueError, r"^tolerance = -1e-09 must be finite and >= 0$"),
        ({"tolerance": NAN}, ValueError, r"^tolerance = nan must be finite and >= 0$"),
        ({"steps": -1}, ValueError, r"^steps = -1 must be >= 0$"),
        ({"steps": "3"}, TypeError, r"^steps must be an integer, got str$"),
        ({"x0": INF}, ValueError, r"^x0 = inf must be finite$"),
    ],
)
def test_newton_refuses(options: Any, error: type[Exception], message: str) -> None:
    arguments = {"x0": 1.0, **options}
    with pytest.raises(error, match=message):
        newton(logarithm, arguments.pop("x0"), **arguments)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (1.0, TypeError, r"^value_and_grad must return a tuple \(value, gradient\), got 1\.0$"),
        (
            (1.0,),
            TypeError,
            r"^value_and_grad must return a tuple \(value, gradient\), got \(1\.0,\)",
        ),
        (
            ([1.0], [1.0, 2.0]),
            ValueError,
            r"^value_and_grad must return a value of shape \(\), got \(1,\)$",
        ),
        (
            (1.0, 2.0),
            ValueError,
            r"^value_and_grad must return a gradient of shape \(2,\), got \(\)$",
        ),
        ((1.0, [[1.0, 2.0]]), ValueError, r"gradient of shape \(2,\), got \(1, 2\)$"),
        ((1.0, ["a", "b"]), TypeError, r"^gradient must be real numbers, got an array of dtype "),
        ((None, [1.0, 2.0]), TypeError, r"^value must be real numbers, got an array of dtype "),
    ],
)
def test_answers_of_the_wrong_kind(answer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        gradient_descent(lambda x: answer, [1.0, 2.0], learning_rate=0.1, steps=1)


def test_hessians_of_the_wrong_shape() -> None:
    message = r"^derivatives must return a hessian of shape \(2, 2\), got \(2,\)$"
    with pytest.raises(ValueError, match=message):
        newton(lambda x: (1.0, [1.0, 2.0], [1.0, 2.0]), [1.0, 2.0])
    message = r"^derivatives must return a tuple \(value, gradient, hessian\), got \(1\.0, 2\.0\)$"
    with pytest.raises(TypeError, match=message):
        newton(lambda x: (1.0, 2.0), 1.0)  # type: ignore[arg-type, return-value]


def test_what_the_function_raises_passes_through() -> None:
    def broken(x: Any) -> Any:
        raise ZeroDivisionError("here")

    with pytest.raises(ZeroDivisionError, match=r"^here$"):
        gradient_descent(broken, 1.0, learning_rate=0.1, steps=1)
    with pytest.raises(ZeroDivisionError, match=r"^here$"):
        newton(broken, 1.0)


# --- the figure ----------------------------------------------------------------------------------


def test_plot_draws_the_values_against_the_steps() -> None:
    history = gradient_descent(parabola, 0.0, learning_rate=0.25, steps=4)
    axes = Figure().add_subplot()
    assert history.plot(axes) is axes
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(line.get_ydata(), history.value)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "value")


def test_plot_leaves_out_what_is_not_finite() -> None:
    history = gradient_descent(parabola, 1e300, learning_rate=1e5, steps=100)
    axes = history.plot(Figure().add_subplot())
    assert not np.any(np.isinf(axes.get_lines()[0].get_ydata()))


def test_plot_makes_its_own_figure_in_the_books_style() -> None:
    import matplotlib.pyplot as plt

    from nllbook.plotting import BLUE

    with mpl.rc_context():
        axes = newton(logarithm, 0.5).plot()
        assert axes.get_lines()[0].get_color() == BLUE
        figure: Any = axes.figure
        assert figure.get_size_inches()[0] == 4.8
        plt.close(figure)
