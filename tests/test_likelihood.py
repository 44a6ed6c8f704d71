"""likelihood, log_likelihood and nll: product, sum and loss of the same probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import (
    Bernoulli,
    Categorical,
    Exponential,
    Gamma,
    Gaussian,
    Poisson,
    Uniform,
    likelihood,
    log_likelihood,
    nll,
)
from nllbook._reduce import BLOCK
from nllbook.distributions import Distribution

mpmath.mp.dps = 50
mpf = mpmath.mpf
EPS = float(np.finfo(np.float64).eps)
INF, NAN = math.inf, math.nan
FEW = settings(max_examples=40, deadline=None, derandomize=True)


def categorical(probs: Any) -> Categorical:
    """Its parameter may be anything that makes an array."""
    return Categorical(probs)


SAMPLES: dict[str, tuple[Distribution, list[float]]] = {
    "Bernoulli": (Bernoulli(0.3), [1, 0, 0, 1, 0]),
    "Categorical": (categorical([0.125, 0.5, 0.375]), [2, 0, 1, 1, 2]),
    "Poisson": (Poisson(0.61), [0, 2, 0, 1, 4]),
    "Exponential": (Exponential(2.5), [0.0, 0.5, 3.0, 0.125, 1.0]),
    "Gaussian": (Gaussian(0.5, 2.0), [-4.0, 0.5, 1.0, 2.25, 9.0]),
    "Uniform": (Uniform(-1.0, 7.0), [-1.0, 0.0, 3.0, 2.5, 1.0]),
}
EACH = pytest.mark.parametrize(("model", "x"), SAMPLES.values(), ids=SAMPLES.keys())
LOSSES: list[Callable[..., Any]] = [likelihood, log_likelihood, nll]


# --- likelihood ----------------------------------------------------------------------------------


@FEW
@given(st.lists(st.integers(0, 2), max_size=12))
def test_likelihood_is_the_product_exactly(x: list[int]) -> None:
    probs = [Fraction(1, 2), Fraction(1, 4), Fraction(1, 4)]  # and so are all products, in binary
    exact = math.prod((probs[c] for c in x), start=Fraction(1))
    got = float(likelihood(x, categorical([0.5, 0.25, 0.25])))
    assert got == pytest.approx(float(exact), rel=2 * (len(x) + 1) * EPS, abs=0)


@EACH
def test_likelihood_against_fifty_digits(model: Distribution, x: list[float]) -> None:
    exact = mpmath.fprod(mpf(float(p)) for p in model.prob(x))
    assert float(abs(mpf(float(likelihood(x, model))) / exact - 1)) <= len(x) * EPS
    by_logs = mpmath.exp(mpmath.fsum(mpf(float(log)) for log in model.log_prob(x)))
    assert float(abs(mpf(float(likelihood(x, model))) / by_logs - 1)) <= 40 * EPS


def test_likelihood_of_nothing_is_one() -> None:
    assert likelihood([], Poisson(2)) == 1
    assert likelihood(np.empty((0, 3), dtype=np.float32), Poisson(2)) == 1


def test_likelihood_underflows_as_the_product_does() -> None:
    half = Bernoulli(0.5)
    # 2⁻¹⁰⁷⁴ is the smallest float64 above 0, 2⁻¹⁴⁹ the smallest float32
    assert likelihood(np.ones(1074), half) == 2.0**-1074
    assert likelihood(np.ones(1075), half) == 0
    assert likelihood(np.ones(149, dtype=np.float32), half) == np.float32(2.0**-149)
    assert likelihood(np.ones(150, dtype=np.float32), half) == 0


def test_likelihood_overflows_as_the_product_does() -> None:
    narrow = Uniform(0.0, 0.5)  # of density 2
    assert likelihood(np.zeros(1023), narrow) == pytest.approx(2.0**1023, rel=4000 * EPS, abs=0)
    assert likelihood(np.zeros(1025), narrow) == INF
    assert likelihood(np.zeros(129, dtype=np.float32), narrow) == np.float32(INF)
    assert likelihood(np.zeros(1025), narrow).dtype == np.float64


def test_likelihood_of_the_impossible_is_zero() -> None:
    assert likelihood([1, 0, 2], Bernoulli(0.5)) == 0
    assert likelihood([0, 1], Bernoulli(0.0)) == 0


def test_likelihood_of_infinite_and_zero_factors_does_not_warn() -> None:
    """A density too large for a float times one too small: ∞ · 0, and nothing to warn of."""
    got = likelihood([0.0, 1.0], Gaussian(0, 1e-320))
    assert got == 0 or np.isnan(got)


# --- log_likelihood ------------------------------------------------------------------------------


@EACH
def test_log_likelihood_is_the_sum(model: Distribution, x: list[float]) -> None:
    exact = mpmath.fsum(mpf(float(log)) for log in model.log_prob(x))
    got = mpf(float(log_likelihood(x, model)))
    size = mpmath.fsum(abs(mpf(float(log))) for log in model.log_prob(x))
    assert float(abs(got - exact)) <= len(x) * EPS * float(size)
    assert float(log_likelihood(x, model)) == pytest.approx(
        float(mpmath.log(mpf(float(likelihood(x, model))))), rel=1e-14, abs=0
    )


def test_log_likelihood_survives_where_the_product_does_not() -> None:
    x = np.ones(100_000)
    assert likelihood(x, Bernoulli(0.5)) == 0
    assert float(log_likelihood(x, Bernoulli(0.5))) == pytest.approx(
        -100_000 * math.log(2), rel=1e-14, abs=0
    )
    assert log_likelihood([], Bernoulli(0.5)) == 0
    assert log_likelihood([1, 0], Bernoulli(0.0)) == -INF


@pytest.mark.parametrize("p", [0.2, 0.32, 0.42, 0.58, 0.9])
@pytest.mark.parametrize("n", [3, 6000, 100_000])
def test_float32_sums_are_right_to_half_an_ulp(p: float, n: int) -> None:
    """Rounding each term to float32 first would repeat one rounding error n times."""
    x = np.resize(np.array([1, 0, 1], dtype=np.float32), n)
    ones = int(x.sum(dtype=np.float64))
    exact = ones * mpmath.log(mpf(p)) + (n - ones) * mpmath.log(1 - mpf(p))
    log, loss = log_likelihood(x, Bernoulli(p)), nll(x, Bernoulli(p), reduction="sum")
    for got, expected in ((log, exact), (loss, -exact), (nll(x, Bernoulli(p)), -exact / n)):
        assert got.dtype == np.float32
        half = float(np.spacing(abs(np.float32(float(expected))))) / 2
        assert float(abs(mpf(float(got)) - expected)) <= 1.0001 * half


# --- nll: reductions -----------------------------------------------------------------------------


@EACH
def test_reductions(model: Distribution, x: list[float]) -> None:
    each = nll(x, model, reduction="none")
    np.testing.assert_array_equal(each, -model.log_prob(x))
    total = math.fsum(each)
    assert float(nll(x, model, reduction="sum")) == pytest.approx(total, rel=1e-14, abs=0)
    assert float(nll(x, model, reduction="mean")) == pytest.approx(total / len(x), rel=1e-14, abs=0)
    assert nll(x, model) == nll(x, model, reduction="mean")
    assert float(nll(x, model, reduction="sum")) == pytest.approx(
        -float(log_likelihood(x, model)), rel=1e-14, abs=0
    )


@EACH
def test_weighted_reductions(model: Distribution, x: list[float]) -> None:
    weight = [0.5, 2.0, 0.25, 1.0, 4.0]
    each = nll(x, model, weight, "none")
    np.testing.assert_allclose(each, -np.array(weight) * model.log_prob(x), rtol=2 * EPS)
    total = math.fsum(each)
    assert float(nll(x, model, weight, "sum")) == pytest.approx(total, rel=1e-14, abs=0)
    assert float(nll(x, model, weight)) == pytest.approx(total / 7.75, rel=1e-14, abs=0)  # not / 5


@pytest.mark.parametrize("reduction", ["average", "", None, "MEAN", 0, ["mean"], True])
def test_unknown_reductions(reduction: Any) -> None:
    message = r"^reduction must be 'mean', 'sum' or 'none', got "
    with pytest.raises(ValueError, match=message):
        nll([1, 0], Bernoulli(0.5), reduction=reduction)


def test_nll_is_in_nats() -> None:
    assert float(nll([1, 0, 1], Bernoulli(0.5))) == pytest.approx(
        0.6931471805599453, rel=2 * EPS, abs=0
    )


def test_nll_of_certainty_is_zero_and_of_the_impossible_infinite() -> None:
    assert nll([1, 1], Bernoulli(1)) == 0
    assert nll([1, 0], Bernoulli(1)) == INF
    assert nll([1, 0], Bernoulli(1), reduction="none").tolist() == [0, INF]
    assert nll([0, 3], categorical([0.5, 0.5]), reduction="sum") == INF


def test_nll_of_certainty_prints_as_zero() -> None:
    """A surprise of −0.0 would puzzle the reader of an output."""
    for reduction in ("mean", "sum", "none"):
        values = np.ravel(nll([1, 1], Bernoulli(1), reduction=reduction))
        assert not np.any(np.signbit(values))


def test_nan_passes_through() -> None:
    model = Gaussian(0, 1)
    assert np.isnan(nll([0, NAN], model))
    assert np.isnan(nll([0, NAN], model, reduction="sum"))
    each = nll([0, NAN], model, reduction="none")
    np.testing.assert_array_equal(each, [-model.log_prob(0), NAN])
    assert np.isnan(likelihood([0, NAN], model))
    assert np.isnan(log_likelihood([0, NAN], model))


# --- nll: weights --------------------------------------------------------------------------------


@EACH
@FEW
@given(st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any))
def test_an_integer_weight_repeats_a_row(
    model: Distribution, x: list[float], weight: list[int]
) -> None:
    repeated = np.repeat(np.array(x, dtype=float), weight)
    for reduction in ("mean", "sum"):
        assert float(nll(x, model, weight, reduction)) == pytest.approx(
            float(nll(repeated, model, reduction=reduction)),
            rel=1e-13,
            abs=1e-14,
        )


@EACH
@FEW
@given(st.lists(st.floats(0.125, 8), min_size=5, max_size=5), st.floats(1e-3, 1e3))
def test_the_mean_does_not_depend_on_the_scale_of_the_weights(
    model: Distribution, x: list[float], weight: list[float], scale: float
) -> None:
    scaled = [scale * w for w in weight]
    loss = float(nll(x, model, weight))
    assert float(nll(x, model, scaled)) == pytest.approx(loss, rel=1e-12, abs=1e-13)
    assert float(nll(x, model, scaled, "sum")) == pytest.approx(
        scale * float(nll(x, model, weight, "sum")), rel=1e-12, abs=1e-12 * scale
    )


@EACH
def test_weights_of_one_change_nothing(model: Distribution, x: list[float]) -> None:
    for reduction in ("mean", "sum", "none"):
        for ones in (np.ones(5), np.ones(5, dtype=bool), [1, 1, 1, 1, 1]):
            np.testing.assert_array_equal(
                nll(x, model, ones, reduction),
                nll(x, model, reduction=reduction),
            )


@EACH
@pytest.mark.parametrize("bad", [NAN, INF, -INF, -7.5])  # off every support but the Gaussian's
def test_a_weight_of_zero_leaves_a_row_out(model: Distribution, x: list[float], bad: float) -> None:
    rows, weight = [bad, *x, bad], [0, *[2.0] * 5, 0]
    assert nll(rows, model, weight) == nll(x, model, [2.0] * 5)
    assert nll(rows, model, weight, "sum") == nll(x, model, [2.0] * 5, "sum")
    each = nll(rows, model, weight, "none")
    np.testing.assert_array_equal(each, [0, *nll(x, model, [2.0] * 5, "none"), 0])
    # and without the weights it would have mattered
    assert nll(rows, model) != nll(x, model)


def test_a_negative_zero_is_a_zero() -> None:
    assert nll([1, NAN], Bernoulli(0.5), [1, -0.0]) == nll([1], Bernoulli(0.5))


@pytest.mark.parametrize(
    ("x", "weight"), [([], None), ([], []), ([1, 0], [0, 0]), ([NAN], [0]), ([1], [False])]
)
def test_weights_that_sum_to_zero(x: list[float], weight: list[float] | None) -> None:
    model = Bernoulli(0.5)
    reason = "every row has weight 0 .*" if x else "there are no rows, and"
    with pytest.raises(ValueError, match=f"^{reason} their mean is not defined"):
        nll(x, model, weight)
    assert nll(x, model, weight, "sum") == 0
    np.testing.assert_array_equal(nll(x, model, weight, "none"), np.zeros(len(x)))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1], r"^sample_weight\[1\] = -1 must be finite and >= 0$"),
        ([NAN, 1], r"^sample_weight\[0\] = nan must be finite and >= 0$"),
        ([1, INF], r"^sample_weight\[1\] = inf must be finite and >= 0$"),
        ([1], r"^sample_weight must have the shape of x, \(2,\), got \(1,\)$"),
        ([1, 1, 1], r"^sample_weight must have the shape of x, \(2,\), got \(3,\)$"),
        ([[1], [1]], r"^sample_weight must have the shape of x, \(2,\), got \(2, 1\)$"),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_that_are_none(weight: Any, message: str, reduction: Any) -> None:
    with pytest.raises(ValueError, match=message):
        nll([1, 0], Bernoulli(0.5), weight, reduction)


def test_weights_must_be_numbers() -> None:
    with pytest.raises(TypeError, match=r"^sample_weight must be real numbers, got an array of"):
        nll([1, 0], Bernoulli(0.5), ["1", "2"])


def test_a_scalar_weight_is_every_rows() -> None:
    """Scalars broadcast, everywhere in the package."""
    assert nll([1, 0], Bernoulli(0.5), 2.0, "sum") == nll([1, 0], Bernoulli(0.5), [2.0, 2.0], "sum")


def test_tiny_and_huge_weights_have_a_mean() -> None:
    """Only their ratios count."""
    model, x = Bernoulli(0.3), [1, 0]
    expected = float(nll(x, model, [1.0, 3.0]))
    assert float(nll(x, model, [0.25e308, 0.75e308])) == pytest.approx(expected, rel=1e-14, abs=0)
    assert float(nll(x, model, [0.5e308, 1.5e308])) == pytest.approx(expected, rel=1e-14, abs=0)
    tiny = 2.0**-1070
    assert float(nll(x, model, [tiny, 3 * tiny])) == pytest.approx(expected, rel=1e-14, abs=0)


def test_blocks_of_samples_add_up() -> None:
    """Over more than two blocks the mean is that of the samples' surprises, summed by math.fsum."""
    x = np.random.default_rng(5).normal(size=2 * BLOCK + 11)
    model = Gaussian(0.5, 2.0)
    each = nll(x, model, reduction="none")
    np.testing.assert_allclose(each, -model.log_prob(x), rtol=0)
    assert float(nll(x, model)) == pytest.approx(math.fsum(each) / x.size, rel=8 * 2.0**-52)


class PerValue:
    """A model of the caller's own, with a mean for each value."""

    def __init__(self, mean: Any) -> None:
        self.mean = mean

    def log_prob(self, x: Any) -> Any:
        return -0.5 * (np.asarray(x) - self.mean) ** 2

    prob = log_prob


def test_a_model_of_the_callers_own_gets_all_values_at_once() -> None:
    x = np.arange(2 * BLOCK + 2.0).reshape(2, -1)
    value = nll(x, PerValue(x - 1), reduction="none")  # type: ignore[arg-type]
    np.testing.assert_array_equal(value, np.full(x.shape, 0.5))
    assert nll(x, PerValue(x[0] - 1), [[1] * (BLOCK + 1), [0] * (BLOCK + 1)]) == 0.5  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^dist\.log_prob must give a number for each of x, of"):
        nll([1.0, 2.0], PerValue(np.zeros((2, 1))))  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [likelihood, log_likelihood, nll])
def test_a_model_that_is_none(function: Callable[[Any, Any], Any]) -> None:
    class Half:
        def prob(self, x: Any) -> Any:
            return x

    for model in (0.5, Half()):
        kind = type(model).__name__
        with pytest.raises(TypeError, match=rf"^dist must be a distribution .*, got {kind}$"):
            function([0.0], model)


def test_weights_far_apart_raise_no_floating_point_error() -> None:
    """The weights are divided by a power of two, and the smaller one vanishes."""
    with np.errstate(all="raise"):
        value = nll([1.0, 0.0], Gaussian(0, 1), sample_weight=[5e-324, 2.0])
    assert float(value) == pytest.approx(0.5 * math.log(2 * math.pi), rel=2 * 2.0**-52)


def test_no_surprise_at_all_is_not_minus_zero() -> None:
    for reduction in ("mean", "sum", "none"):
        assert not np.signbit(nll([1, 1], Bernoulli(1.0), reduction=reduction)).any()


def test_sums_overflow_to_infinity_without_a_warning() -> None:
    model = Gaussian(0, 1)
    x = np.full(9, 1e154)  # each of them costs 5e307
    assert log_likelihood(x, model) == -INF
    assert nll(x, model, reduction="sum") == INF
    assert nll([1e150], model, [1e20], "sum") == INF


def test_float32_overflows_to_infinity_without_a_warning() -> None:
    x = np.full(9, 1e19, dtype=np.float32)  # each of them costs 5e37, the nine 4.5e38
    assert float(nll(x, Gaussian(0, 1))) == pytest.approx(5e37, rel=1e-6, abs=0)
    assert nll(x, Gaussian(0, 1), reduction="sum") == np.float32(INF)
    assert log_likelihood(x, Gaussian(0, 1)) == np.float32(-INF)
    assert nll(np.array([1e30], dtype=np.float32), Gaussian(0, 1)) == np.float32(INF)


# --- all three -----------------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (np.float64, np.float64),
        (np.float32, np.float32),
        (np.float16, np.float32),
        (np.int64, np.float64),
        (np.uint8, np.float64),
        (np.bool_, np.float64),
        (">f8", np.float64),
        (">f4", np.float32),
    ],
)
def test_float_types(
    loss: Callable[..., Any],
    model: Distribution,
    x: list[float],
    dtype: Any,
    expected: type,
) -> None:
    array: Any = np.array([0, 1, 1, 0, round(x[0])]).clip(0, 1).astype(dtype)
    got = loss(array, model)
    assert got.dtype == expected
    assert np.ndim(got) == 0
    wide = float(loss(np.array(array, dtype=np.float64), model))
    # the product of five is taken in float32, where each factor and each product is rounded
    rel = 1e-14 if expected == np.float64 else 10 * 2.0**-24
    assert float(got) == pytest.approx(wide, rel=rel, abs=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_type_of_the_weights_does_not_matter(dtype: type) -> None:
    x: Any = np.array([1, 0, 1], dtype=dtype)
    for weight in (np.array([1, 2, 3], dtype=kind) for kind in (float, np.float32, np.int8)):
        for reduction in ("mean", "sum", "none"):
            got = nll(x, Bernoulli(0.3), weight, reduction)
            assert got.dtype == dtype
            expected = nll([1, 0, 1], Bernoulli(0.3), [1, 2, 3], reduction)
            np.testing.assert_array_equal(got, np.asarray(expected).astype(dtype))


@EACH
def test_shapes(model: Distribution, x: list[float]) -> None:
    block = np.resize(x, 24)
    weight = np.linspace(0.5, 2.0, 24)
    for loss in LOSSES:
        for array in (block.reshape(2, 3, 4), np.asfortranarray(block.reshape(4, 6))):
            assert np.ndim(loss(array, model)) == 0
            assert float(loss(array, model)) == pytest.approx(
                float(loss(block, model)), rel=1e-12, abs=0
            )
    each = nll(block, model, weight, "none")
    grid = nll(block.reshape(4, 6), model, weight.reshape(4, 6), "none")
    np.testing.assert_array_equal(grid, each.reshape(4, 6))
    strided = nll(block[::-3], model, weight[::-3], "none")
    np.testing.assert_array_equal(strided, each[::-3])
    assert nll(np.empty((0, 3)), model, reduction="none").shape == (0, 3)


@EACH
def test_a_single_value(model: Distribution, x: list[float]) -> None:
    one = x[1]
    assert likelihood(one, model) == model.prob(one)
    assert log_likelihood(one, model) == model.log_prob(one)
    for reduction in ("mean", "sum", "none"):
        got = nll(one, model, reduction=reduction)
        assert np.ndim(got) == 0
        assert got == -model.log_prob(one)
    assert nll(one, model, 3.0) == pytest.approx(-float(model.log_prob(one)), rel=2 * EPS, abs=0)


def test_the_input_is_never_changed() -> None:
    x, weight = np.array([1.0, NAN, 0.0]), np.array([2.0, 0.0, 1.0])
    before = x.tobytes(), weight.tobytes()
    for array in (x, weight):
        array.flags.writeable = False
    for reduction in ("mean", "sum", "none"):
        nll(x, Bernoulli(0.3), weight, reduction)
    likelihood(x, Bernoulli(0.3))
    log_likelihood(x, Bernoulli(0.3))
    assert (x.tobytes(), weight.tobytes()) == before


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("x", ["1", None, 1j, [object()]])
def test_what_is_no_real_number_is_a_type_error(loss: Callable[..., Any], x: Any) -> None:
    with pytest.raises(TypeError, match=r"^x must be real numbers, got an array of dtype "):
        loss(x, Bernoulli(0.5))


def test_no_warning_leaves_where_underflow_or_infinities_meet() -> None:
    with np.errstate(all="raise"):
        assert nll([1e-200], Gaussian(0, 1)) == pytest.approx(0.5 * math.log(2 * math.pi))
        # at 0 the density is infinite, at −1 it is 0: their product has no value
        assert math.isnan(log_likelihood([0.0, -1.0], Gamma(0.5, 1)))
        assert math.isnan(likelihood([0.0, -1.0], Gamma(0.5, 1)))
        assert math.isnan(nll([0.0, -1.0], Gamma(0.5, 1)))
        # a weight of 1e-308 times a surprise of 0.1 is below the normal numbers
        tiny = nll([1.0], Bernoulli(0.9), 1e-308, "sum")
        assert tiny == pytest.approx(-1e-308 * math.log(0.9), rel=1e-14, abs=0)
        assert likelihood([30.0] * 4, Gaussian(0, 1)) == 0


@EACH
def test_change_the_model_not_the_loss(model: Distribution, x: list[float]) -> None:
    """The fitted model has the smallest loss of its family: what the whole book is about."""
    fitted = type(model).fit(x)
    assert nll(x, fitted) < nll(x, model)
