"""The losses: one set of tests for all of them, then what is special about each.

The oracle is −log of the density as the textbook writes it, by SymPy: evaluated at 50 digits for
the values, differentiated for the gradients. SciPy's densities and finite differences are others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from nllbook import (
    Bernoulli,
    Categorical,
    Gaussian,
    Laplace,
    Poisson,
    StudentT,
    asymmetric_laplace_nll,
    bernoulli_nll,
    categorical_nll,
    gaussian_nll,
    huber_nll,
    laplace_nll,
    nll,
    poisson_nll,
    softmax,
    student_t_nll,
)
from nllbook._reduce import BLOCK
from tests.hard_rows import classes, exact, mp, rows, worst

mpmath.mp.dps = 50
mpf = mpmath.mpf
EPS = float(np.finfo(np.float64).eps)
EPS32 = float(np.finfo(np.float32).eps)
INF, NAN = math.inf, math.nan
FEW = settings(max_examples=25, deadline=None, derandomize=True)
DF, DELTA, QUANTILE = 3.5, 1.25, 0.3

Generator = np.random.Generator
Params = tuple[Any, ...]


# --- The losses and their textbook formulas ------------------------------------------------------

Y, LOC, SCALE, P, Z, RATE, S = sympy.symbols("y loc scale p z rate s", real=True)
RESIDUAL = (Y - LOC) / SCALE
T3, Z3 = sympy.symbols("t0:3", real=True), sympy.symbols("z0:3", real=True)


def huber_area(delta: float) -> Any:
    """The integral of exp(−ρ), by quadrature."""
    d = mpf(delta)
    middle = mpmath.quad(lambda z: mpmath.exp(-z * z / 2), [-d, 0, d])
    tail = mpmath.quad(lambda z: mpmath.exp(-d * z + d * d / 2), [d, mpmath.inf])
    return sympy.Float(middle + 2 * tail, 50)


def rational(x: float) -> Any:
    return sympy.Rational(x)


def density_of_huber() -> Any:
    d = rational(DELTA)
    tail = sympy.exp(-d * sympy.Abs(RESIDUAL) + d**2 / 2)
    core = sympy.Piecewise((sympy.exp(-(RESIDUAL**2) / 2), sympy.Abs(RESIDUAL) <= d), (tail, True))
    return core / (SCALE * huber_area(DELTA))


def density_of_t() -> Any:
    nu = rational(DF)
    top, bottom = sympy.gamma((nu + 1) / 2), sympy.gamma(nu / 2) * sympy.sqrt(nu * sympy.pi)
    return top / bottom / SCALE * (1 + RESIDUAL**2 / nu) ** (-(nu + 1) / 2)


def density_of_asymmetric_laplace() -> Any:
    q = rational(QUANTILE)
    rho = sympy.Piecewise((q * RESIDUAL, RESIDUAL > 0), ((q - 1) * RESIDUAL, True))
    return q * (1 - q) / SCALE * sympy.exp(-rho)


def density_of_gaussian(std: Any) -> Any:
    return sympy.exp(-((Y - LOC) ** 2) / (2 * std**2)) / (std * sympy.sqrt(2 * sympy.pi))


def bernoulli_mass(p: Any) -> Any:
    return p**Y * (1 - p) ** (1 - Y)  # also of a share of ones between 0 and 1


def categorical_mass(p: Any) -> Any:
    return sympy.Mul(*(prob**share for prob, share in zip(p, T3, strict=True)))


SOFTMAX = [sympy.exp(z) / sum(sympy.exp(other) for other in Z3) for z in Z3]


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss with one way to pass its parameters, data to try it on, and its formula."""

    function: Callable[..., Any]
    names: tuple[str, ...]  # of the parameters that have a gradient
    mass: Any  # probability or density, in SymPy
    symbols: tuple[Any, ...]  # of the mass: data, then parameters
    draw: Callable[[Generator, int], tuple[Any, Params]]
    fixed: dict[str, float] | None = None
    scipy: Callable[..., Any] | None = None  # its log-density of data and parameters
    discrete: bool = False
    classes: bool = False

    def __call__(self, y: Any, params: Params, **options: Any) -> Any:
        named = dict(zip(self.names, params, strict=True))
        return self.function(y, **named, **(self.fixed or {}), **options)

    def gradients(self, y: Any, params: Params, **options: Any) -> Params:
        """The gradient as a tuple, whatever the number of parameters."""
        _, gradient = self(y, params, return_grad=True, **options)
        return gradient if isinstance(gradient, tuple) else (gradient,)

    def cells(self, y: Any, params: Params) -> list[list[float]]:
        """The numbers of each row, in the order of ``symbols``."""
        if self.classes:
            target = np.eye(3)[y] if np.ndim(y) == 1 else y
            return list(np.concatenate([target, params[0]], axis=-1).tolist())
        return list(np.stack([y, *params], axis=-1).tolist())


def locations(rng: Generator, n: int) -> tuple[Any, Params]:
    scale = rng.uniform(0.5, 2.0, n)
    loc = rng.normal(0, 2, n)
    return loc + 2 * scale * rng.normal(0, 1, n), (loc, scale)


def log_scales(rng: Generator, n: int) -> tuple[Any, Params]:
    y, (loc, scale) = locations(rng, n)
    return y, (loc, np.log(scale))


def labels(rng: Generator, n: int) -> tuple[Any, Params]:
    return rng.integers(0, 3, n), (rng.normal(0, 3, (n, 3)),)


def shares(rng: Generator, n: int) -> Any:
    """Rows of whole 64ths that sum to 1."""
    cut = np.sort(rng.integers(0, 65, (n, 2)), axis=1)
    return np.diff(np.c_[np.zeros(n), cut, np.full(n, 64)], axis=1) / 64


def distributions(rng: Generator, n: int) -> tuple[Any, Params]:
    return shares(rng, n), (rng.normal(0, 3, (n, 3)),)


def positive_shares(rng: Generator, n: int) -> Any:
    return (shares(rng, n) + np.array([0.25, 0.5, 0.25])) / 2


def counts(rng: Generator, n: int) -> tuple[Any, Params]:
    rate = rng.uniform(0.2, 40, n)
    return rng.poisson(rate), (rate,)


def log_counts(rng: Generator, n: int) -> tuple[Any, Params]:
    y, (rate,) = counts(rng, n)
    return y, (np.log(rate),)


LOCATION = (Y, LOC, SCALE)
LOSSES = {
    "categorical, indices, logits": Loss(
        categorical_nll,
        ("logits",),
        categorical_mass(SOFTMAX),
        (*T3, *Z3),
        labels,
        discrete=True,
        classes=True,
    ),
    "categorical, rows, logits": Loss(
        categorical_nll,
        ("logits",),
        categorical_mass(SOFTMAX),
        (*T3, *Z3),
        distributions,
        discrete=True,
        classes=True,
    ),
    "categorical, indices, probs": Loss(
        categorical_nll,
        ("probs",),
        categorical_mass(Z3),
        (*T3, *Z3),
        lambda rng, n: (rng.integers(0, 3, n), (positive_shares(rng, n),)),
        discrete=True,
        classes=True,
    ),
    "categorical, rows, probs": Loss(
        categorical_nll,
        ("probs",),
        categorical_mass(Z3),
        (*T3, *Z3),
        lambda rng, n: (shares(rng, n), (positive_shares(rng, n),)),
        discrete=True,
        classes=True,
    ),
    "bernoulli, logits": Loss(
        bernoulli_nll,
        ("logits",),
        bernoulli_mass(1 / (1 + sympy.exp(-Z))),
        (Y, Z),
        lambda rng, n: (rng.integers(0, 2, n), (rng.normal(0, 3, n),)),
        scipy=lambda y, z: scipy.stats.bernoulli.logpmf(y, scipy.special.expit(z)),
        discrete=True,
    ),
    "bernoulli, shares, logits": Loss(
        bernoulli_nll,
        ("logits",),
        bernoulli_mass(1 / (1 + sympy.exp(-Z))),
        (Y, Z),
        lambda rng, n: (rng.integers(0, 65, n) / 64, (rng.normal(0, 3, n),)),
        discrete=True,
    ),
    "bernoulli, probs": Loss(
        bernoulli_nll,
        ("probs",),
        bernoulli_mass(P),
        (Y, P),
        lambda rng, n: (rng.integers(0, 2, n), (rng.uniform(0.01, 0.99, n),)),
        scipy=scipy.stats.bernoulli.logpmf,
        discrete=True,
    ),
    "gaussian, std": Loss(
        gaussian_nll,
        ("mean", "std"),
        density_of_gaussian(SCALE),
        LOCATION,
        locations,
        scipy=scipy.stats.norm.logpdf,
    ),
    "gaussian, variance": Loss(
        gaussian_nll,
        ("mean", "variance"),
        density_of_gaussian(sympy.sqrt(SCALE)),
        LOCATION,
        locations,
        scipy=lambda y, mean, v: scipy.stats.norm.logpdf(y, mean, np.sqrt(v)),
    ),
    "gaussian, log_std": Loss(
        gaussian_nll,
        ("mean", "log_std"),
        density_of_gaussian(sympy.exp(SCALE)),
        LOCATION,
        log_scales,
        scipy=lambda y, mean, s: scipy.stats.norm.logpdf(y, mean, np.exp(s)),
    ),
    "laplace": Loss(
        laplace_nll,
        ("loc", "scale"),
        sympy.exp(-sympy.Abs(RESIDUAL)) / (2 * SCALE),
        LOCATION,
        locations,
        scipy=scipy.stats.laplace.logpdf,
    ),
    "student t": Loss(
        student_t_nll,
        ("loc", "scale"),
        density_of_t(),
        LOCATION,
        locations,
        {"df": DF},
        scipy=lambda y, loc, scale: scipy.stats.t.logpdf(y, DF, loc, scale),
    ),
    "huber": Loss(
        huber_nll, ("loc", "scale"), density_of_huber(), LOCATION, locations, {"delta": DELTA}
    ),
    "poisson, rate": Loss(
        poisson_nll,
        ("rate",),
        RATE**Y * sympy.exp(-RATE) / sympy.factorial(Y),
        (Y, RATE),
        counts,
        scipy=scipy.stats.poisson.logpmf,
        discrete=True,
    ),
    "poisson, log_rate": Loss(
        poisson_nll,
        ("log_rate",),
        sympy.exp(S * Y - sympy.exp(S)) / sympy.factorial(Y),
        (Y, S),
        log_counts,
        scipy=lambda y, s: scipy.stats.poisson.logpmf(y, np.exp(s)),
        discrete=True,
    ),
    "asymmetric laplace": Loss(
        asymmetric_laplace_nll,
        ("loc", "scale"),
        density_of_asymmetric_laplace(),
        LOCATION,
        locations,
        {"quantile": QUANTILE},
        scipy=lambda y, loc, scale: scipy.stats.laplace_asymmetric.logpdf(
            y,  # SciPy's κ and scale, from q = κ²/(1 + κ²)
            math.sqrt(QUANTILE / (1 - QUANTILE)),
            loc,
            scale / math.sqrt(QUANTILE * (1 - QUANTILE)),
        ),
    ),
}
EACH = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
ELEMENTWISE = {name: loss for name, loss in LOSSES.items() if not loss.classes}
EACH_ELEMENTWISE = pytest.mark.parametrize("loss", ELEMENTWISE.values(), ids=ELEMENTWISE.keys())
REDUCTIONS = pytest.mark.parametrize("reduction", ["mean", "sum", "none"])


def draw(loss: Loss, n: int = 7, seed: int = 3) -> tuple[Any, Params]:
    return loss.draw(np.random.default_rng(seed), n)


def weights(n: int = 7) -> Any:
    return np.array([0.5, 2.0, 1.0, 0.25, 4.0, 1.5, 0.75] * n)[:n]


@cache
def textbook(loss: Loss) -> tuple[Any, Any]:
    """−log of the mass and its derivatives by the parameters, as functions of mpmath numbers."""
    formula = -sympy.log(loss.mass)
    data = 3 if loss.classes else 1
    derivatives = [sympy.diff(formula, symbol) for symbol in loss.symbols[data:]]
    return tuple(sympy.lambdify(loss.symbols, f, "mpmath") for f in (formula, derivatives))


def exact_rows(loss: Loss, y: Any, params: Params) -> tuple[list[Any], list[list[Any]]]:
    value, slope = textbook(loss)
    cells = [[mpf(x) for x in row] for row in loss.cells(y, params)]
    return [value(*row) for row in cells], [slope(*row) for row in cells]


def columns(loss: Loss, gradients: Params) -> list[list[float]]:
    """Gradients row by row, in the order of the derivatives."""
    together = gradients[0] if loss.classes else np.stack(gradients, axis=-1)
    return list(together.tolist())


def off(got: float, expected: Any, scale: float = 1) -> float:
    """The error in epsilons of the exact value, or of ``scale`` where that is less."""
    error = abs(mpf(float(got)) - expected)
    return float(error / max(scale, abs(expected))) / EPS if error else 0.0


# --- Values and gradients ------------------------------------------------------------------------


@EACH
def test_values_are_the_textbooks(loss: Loss) -> None:
    y, params = draw(loss, 40)
    values, _ = exact_rows(loss, y, params)
    got = loss(y, params, reduction="none")
    assert got.shape == (40,)
    assert max(map(off, got, values)) <= 6
    if loss.scipy is not None:
        np.testing.assert_allclose(got, -loss.scipy(y, *params), rtol=1e-12, atol=1e-13)


@EACH
def test_gradients_are_the_derivatives(loss: Loss) -> None:
    y, params = draw(loss, 40)
    _, slopes = exact_rows(loss, y, params)
    gradients = loss.gradients(y, params, reduction="none")
    assert [g.shape for g in gradients] == [p.shape for p in params]
    for row, got, expected in zip(y, columns(loss, gradients), slopes, strict=True):
        scale = max(1.0, float(np.max(row)))  # of what is subtracted: mean − y, rate − y
        assert max(off(g, e, scale) for g, e in zip(got, expected, strict=True)) <= 8


@EACH
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_differences_of_the_returned_number(
    loss: Loss, reduction: str, weighted: bool
) -> None:
    """Along random directions; probabilities go on summing to 1."""
    y, params = draw(loss)
    options = {"reduction": reduction, "sample_weight": weights() if weighted else None}
    gradients = loss.gradients(y, params, **options)
    rng = np.random.default_rng(11)
    for _ in range(4):
        way = [rng.normal(0, 1, p.shape) for p in params]
        if loss.names == ("probs",) and loss.classes:
            way = [w - w.mean(axis=1, keepdims=True) for w in way]
        h = 1e-5
        high = loss(y, tuple(p + h * w for p, w in zip(params, way, strict=True)), **options)
        low = loss(y, tuple(p - h * w for p, w in zip(params, way, strict=True)), **options)
        slope = sum(float(np.sum(g * w)) for g, w in zip(gradients, way, strict=True))
        # the third derivatives make an error of about h² = 1e-10, rounding one of 1e-15/h
        assert (high - low) / (2 * h) == pytest.approx(slope, rel=1e-6, abs=1e-7)


@EACH
def test_the_value_comes_alone_or_with_its_gradient(loss: Loss) -> None:
    y, params = draw(loss)
    for reduction in ("mean", "sum", "none"):
        pair = loss(y, params, reduction=reduction, return_grad=True)
        assert isinstance(pair, tuple)
        value, gradient = pair
        np.testing.assert_array_equal(value, loss(y, params, reduction=reduction))
        assert isinstance(gradient, tuple) == (len(params) == 2)


@EACH_ELEMENTWISE
def test_a_density_adds_up_to_one(loss: Loss) -> None:
    """Over all values of y, with the parameters of one row."""
    _, params = draw(loss, 1)
    params = tuple(float(p[0]) for p in params)
    if "shares" in next(name for name, one in LOSSES.items() if one is loss):
        return_to = [0.0, 1.0]
        total = sum(math.exp(-loss(y, params)) for y in return_to)
    elif loss.discrete:
        y = np.arange(2 if loss.function is bernoulli_nll else 200)
        total = float(np.sum(np.exp(-loss(y, params, reduction="none"))))
    else:
        total = 0.0
        for low, high in ((-INF, params[0]), (params[0], INF)):
            total += scipy.integrate.quad(lambda y: math.exp(-loss(y, params)), low, high)[0]
    assert total == pytest.approx(1, abs=1e-7)


# --- The constant fit ----------------------------------------------------------------------------

SAMPLE = np.array([3, 0, 1, 1, 7, 2, 2, 2, 12, 4, 0, 5, 1.0])


@pytest.mark.parametrize(
    ("fit", "statistic"),
    [
        (lambda c: gaussian_nll(SAMPLE, c, std=1.7), SAMPLE.mean()),
        (lambda c: gaussian_nll(SAMPLE, c, log_std=-0.3), SAMPLE.mean()),
        (lambda c: poisson_nll(SAMPLE, rate=c), SAMPLE.mean()),
        (lambda c: poisson_nll(SAMPLE, log_rate=math.log(c)), SAMPLE.mean()),
        (lambda c: bernoulli_nll(SAMPLE > 1, probs=c), (SAMPLE > 1).mean()),
        (lambda c: bernoulli_nll(SAMPLE / 12, probs=c), (SAMPLE / 12).mean()),
        (
            lambda c: bernoulli_nll(SAMPLE > 1, logits=math.log(c / (1 - c))),
            (SAMPLE > 1).mean(),
        ),
        (lambda c: laplace_nll(SAMPLE, c, 1.7), np.median(SAMPLE)),
        *(
            (
                lambda c, q=q: asymmetric_laplace_nll(SAMPLE, c, 1.7, quantile=q),
                np.quantile(SAMPLE, q, method="inverted_cdf"),
            )
            for q in (0.2, 0.3, 0.45, 0.8, 0.95)
        ),
        (lambda c: huber_nll(SAMPLE, c, 1.0, delta=100.0), SAMPLE.mean()),
        (lambda c: huber_nll(SAMPLE, c, 1.0, delta=1e-3), np.median(SAMPLE)),
        (lambda c: student_t_nll(SAMPLE, c, 1.0, df=1e9), SAMPLE.mean()),
    ],
)
def test_the_constant_fit(fit: Callable[[float], float], statistic: float) -> None:
    grid = np.linspace(0.02, 0.98, 97) if statistic < 1 else np.linspace(0.05, 12, 240)
    best = fit(float(statistic))
    assert all(best <= fit(float(c)) for c in grid)
    for step in (0.01, -0.01):
        assert fit(float(statistic) + step) > best
    found = scipy.optimize.minimize_scalar(fit, bounds=(grid[0], grid[-1]), method="bounded")
    assert found.x == pytest.approx(statistic, abs=0.01)


@pytest.mark.parametrize("name", ["logits", "probs"])
def test_the_constant_fit_of_classes_is_their_frequencies(name: str) -> None:
    y = np.array([0, 2, 2, 1, 2, 2, 0, 2])
    p = np.array([2, 1, 5]) / 8

    def fit(probs: Any) -> float:
        row = np.log(probs) if name == "logits" else probs
        table: Any = {name: np.broadcast_to(row, (8, 3))}
        return float(categorical_nll(y, **table))

    assert fit(p) == pytest.approx(float(scipy.stats.entropy(p)), rel=4 * EPS, abs=0)
    rng = np.random.default_rng(12)
    for _ in range(50):
        other = p + 0.05 * (rng.dirichlet([1, 1, 1]) - 1 / 3)
        assert fit(other / other.sum()) > fit(p)
    _, gradient = categorical_nll(y, logits=np.broadcast_to(np.log(p), (8, 3)), return_grad=True)
    np.testing.assert_allclose(gradient.sum(axis=0), 0, atol=2 * EPS)


def test_robust_fits_weigh_an_outlier_less() -> None:
    """The pull of a residual: all of it, a constant, and less and less."""
    far = np.array([1.0, 10.0, 100.0])
    _, (gauss, _) = gaussian_nll(far, 0.0 * far, std=1.0, reduction="none", return_grad=True)
    _, (huber, _) = huber_nll(far, 0.0 * far, 1.0, 1.0, reduction="none", return_grad=True)
    _, (student, _) = student_t_nll(far, 0.0 * far, 1.0, 1.0, reduction="none", return_grad=True)
    np.testing.assert_array_equal(gauss, [-1, -10, -100])
    np.testing.assert_array_equal(huber, [-1, -1, -1])
    np.testing.assert_allclose(student, [-1, -20 / 101, -200 / 10001], rtol=4 * EPS)


def test_the_scale_fits_too() -> None:
    """Scale = the standard deviation (by n), and the mean distance from the median."""
    centre, std, variance = SAMPLE.mean(), SAMPLE.std(), SAMPLE.var()
    _, by_std = gaussian_nll(SAMPLE, centre, std=std, return_grad=True)
    _, by_variance = gaussian_nll(SAMPLE, centre, variance=variance, return_grad=True)
    np.testing.assert_allclose([by_std, by_variance], 0, atol=1e-15)
    best = np.abs(SAMPLE - np.median(SAMPLE)).mean()
    _, (_, by_scale) = laplace_nll(SAMPLE, np.median(SAMPLE), best, return_grad=True)
    assert float(by_scale) == pytest.approx(0, abs=1e-15)


# --- Reductions and weights ----------------------------------------------------------------------


@EACH
def test_reductions(loss: Loss) -> None:
    y, params = draw(loss)
    each = loss(y, params, reduction="none")
    total = math.fsum(each)
    assert loss(y, params, reduction="sum") == pytest.approx(total, rel=4 * EPS, abs=0)
    assert loss(y, params) == pytest.approx(total / 7, rel=4 * EPS, abs=0)
    assert loss(y, params) == loss(y, params, reduction="mean")
    slopes = loss.gradients(y, params, reduction="none")
    for divided, reduction in ((7, "mean"), (1, "sum")):
        for got, slope in zip(loss.gradients(y, params, reduction=reduction), slopes, strict=True):
            np.testing.assert_allclose(got, slope / divided, rtol=2 * EPS)


@EACH
def test_weighted_reductions(loss: Loss) -> None:
    y, params = draw(loss)
    w = weights()
    plain = loss(y, params, reduction="none")
    each = loss(y, params, reduction="none", sample_weight=w)
    np.testing.assert_allclose(each, w * plain, rtol=4 * EPS)
    total = math.fsum(each)
    assert loss(y, params, reduction="sum", sample_weight=w) == pytest.approx(
        total, rel=4 * EPS, abs=0
    )
    assert loss(y, params, sample_weight=w) == pytest.approx(total / w.sum(), rel=4 * EPS, abs=0)
    slopes = loss.gradients(y, params, reduction="none")
    for divided, reduction in ((w.sum(), "mean"), (1, "sum"), (1, "none")):
        got = loss.gradients(y, params, reduction=reduction, sample_weight=w)
        for one, slope in zip(got, slopes, strict=True):
            by_row = w.reshape(-1, *[1] * (slope.ndim - 1))
            np.testing.assert_allclose(one, by_row * slope / divided, rtol=4 * EPS)


@EACH
@FEW
@given(times=st.lists(st.integers(0, 3), min_size=7, max_size=7).filter(any))
def test_an_integer_weight_repeats_a_row(loss: Loss, times: list[int]) -> None:
    y, params = draw(loss)
    many = np.repeat(y, times, axis=0), tuple(np.repeat(p, times, axis=0) for p in params)
    for reduction in ("mean", "sum"):
        got, gradient = loss(y, params, sample_weight=times, reduction=reduction, return_grad=True)
        expected, repeated = loss(*many, reduction=reduction, return_grad=True)
        assert got == pytest.approx(expected, rel=1e-13, abs=1e-14)
        pairs = [(gradient, repeated)]
        if isinstance(gradient, tuple):
            pairs = list(zip(gradient, repeated, strict=True))
        for one, other in pairs:  # the copies of a row share its gradient
            added = np.zeros_like(one)
            np.add.at(added, np.repeat(np.arange(7), times), other)
            np.testing.assert_allclose(one, added, rtol=1e-13, atol=1e-15)


@EACH
@REDUCTIONS
def test_a_mask_is_a_subset(loss: Loss, reduction: str) -> None:
    """Whatever stands in the rows that are masked, in data, parameters or both."""
    y, params = draw(loss)
    kept = np.array([True, False, True, True, False, False, True])
    value, expected = loss(
        y[kept], tuple(p[kept] for p in params), reduction=reduction, return_grad=True
    )
    garbage = [NAN, INF, -INF, -7.5, 1e300]
    for bad in garbage:
        bad_params = tuple(np.where(kept.reshape(-1, *[1] * (p.ndim - 1)), p, bad) for p in params)
        bad_y = y.copy() if y.dtype.kind == "i" and loss.classes else y.astype(float)
        bad_y[~kept] = 1_000 if bad_y.dtype.kind == "i" else bad
        for data, table in ((bad_y, bad_params), (y, bad_params), (bad_y, params)):
            got, gradient = loss(
                data, table, sample_weight=kept, reduction=reduction, return_grad=True
            )
            if reduction == "none":
                np.testing.assert_array_equal(got[kept], value)
                assert np.all(got[~kept] == 0)
            else:
                assert got == pytest.approx(value, rel=4 * EPS, abs=0)
            pairs = [(gradient, expected)]
            if isinstance(gradient, tuple):
                pairs = list(zip(gradient, expected, strict=True))
            for one, other in pairs:
                np.testing.assert_allclose(one[kept], other, rtol=4 * EPS)
                assert np.all(one[~kept] == 0)


@EACH
def test_weights_of_zero_alone(loss: Loss) -> None:
    y, params = draw(loss)
    nothing = y[:0], tuple(p[:0] for p in params)
    with pytest.raises(ValueError, match=r"^every row has weight 0 .* their mean is not defined"):
        loss(y, params, sample_weight=0)
    one = y[:1], tuple(p[:1] for p in params)
    with pytest.raises(ValueError, match=r"^every row has weight 0 .* their mean is not defined"):
        loss(*one, sample_weight=0)
    with pytest.raises(ValueError, match=r"^there are no rows, and their mean is not defined"):
        loss(*nothing)
    value, gradient = loss(y, params, sample_weight=0, reduction="sum", return_grad=True)
    assert value == 0
    for one in gradient if isinstance(gradient, tuple) else (gradient,):
        assert np.all(one == 0)
    assert loss(*nothing, reduction="sum") == 0
    assert loss(*nothing, reduction="none").shape == (0,)
    assert loss.gradients(*nothing, reduction="sum")[0].shape == params[0][:0].shape


@EACH
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, -1], r"^sample_weight\[1\] = -1 must be finite and >= 0$"),
        ([NAN, 1], r"^sample_weight\[0\] = nan must be finite and >= 0$"),
        ([1, INF], r"^sample_weight\[1\] = inf must be finite and >= 0$"),
        (-2.0, r"^sample_weight = -2 must be finite and >= 0$"),
        ([1], r"^sample_weight must have the shape of the rows, \(2,\), got \(1,\)$"),
        ([[1], [1]], r"^sample_weight must have the shape of the rows, \(2,\), got \(2, 1\)$"),
    ],
)
def test_weights_that_are_none(loss: Loss, weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        loss(*draw(loss, 2), sample_weight=weight)


@EACH
@pytest.mark.parametrize("reduction", ["average", "", None, "MEAN", 0, ["mean"], True])
def test_unknown_reductions(loss: Loss, reduction: Any) -> None:
    message = r"^reduction must be 'mean', 'sum' or 'none', got "
    with pytest.raises(ValueError, match=message):
        loss(*draw(loss), reduction=reduction)


@EACH
def test_only_the_ratios_of_weights_count_in_a_mean(loss: Loss) -> None:
    y, params = draw(loss)
    expected = loss(y, params, sample_weight=weights())
    for scale in (2.0**-1070, 1e-300, 3.7, 4e307):
        got, gradient = loss(y, params, sample_weight=scale * weights(), return_grad=True)
        assert got == pytest.approx(expected, rel=1e-13, abs=0)
        for one in gradient if isinstance(gradient, tuple) else (gradient,):
            assert np.all(np.isfinite(one))


# --- Shapes, types, layouts ----------------------------------------------------------------------


@EACH
def test_rows_of_any_shape(loss: Loss) -> None:
    y, params = draw(loss, 24)
    each = loss(y, params, reduction="none", sample_weight=weights(24))
    grid = y.reshape(4, 6, *y.shape[1:]), tuple(p.reshape(4, 6, *p.shape[1:]) for p in params)
    got = loss(*grid, reduction="none", sample_weight=weights(24).reshape(4, 6))
    np.testing.assert_array_equal(got, each.reshape(4, 6))
    assert np.ndim(loss(*grid)) == 0
    assert loss(*grid) == pytest.approx(loss(y, params), rel=4 * EPS, abs=0)
    for one, flat, p in zip(loss.gradients(*grid), loss.gradients(y, params), grid[1], strict=True):
        assert one.shape == p.shape
        np.testing.assert_allclose(one.reshape(flat.shape), flat, rtol=4 * EPS)
    one_row = y[0], tuple(p[0] for p in params)
    assert np.ndim(loss(*one_row, reduction="none")) == 0
    assert loss(*one_row) == loss(y[:1], tuple(p[:1] for p in params))
    assert loss.gradients(*one_row)[0].shape == params[0][0].shape


@EACH_ELEMENTWISE
@REDUCTIONS
def test_a_number_serves_all_rows(loss: Loss, reduction: str) -> None:
    y, params = draw(loss)
    w = weights()
    for place in range(len(params)):
        numbers = tuple(float(p[0]) if i == place else p for i, p in enumerate(params))
        arrays = tuple(np.full(7, p) if np.ndim(p) == 0 else p for p in numbers)
        options = {"reduction": reduction, "sample_weight": w}
        np.testing.assert_array_equal(loss(y, numbers, **options), loss(y, arrays, **options))
        few, many = loss.gradients(y, numbers, **options), loss.gradients(y, arrays, **options)
        for i, (one, all_) in enumerate(zip(few, many, strict=True)):
            if i == place and reduction != "none":
                assert np.ndim(one) == 0
                room = 8 * EPS * float(np.abs(all_).sum())
                assert float(one) == pytest.approx(math.fsum(all_), abs=room)
            else:
                np.testing.assert_array_equal(one, all_)
    one_y = float(y[0])
    np.testing.assert_array_equal(
        loss(one_y, params, reduction=reduction),
        loss(np.full(7, one_y), params, reduction=reduction),
    )


@EACH_ELEMENTWISE
@pytest.mark.parametrize("shape", [(7, 1), (1,), (1, 7), (6,)])
def test_nothing_else_is_broadcast(loss: Loss, shape: tuple[int, ...]) -> None:
    y, params = draw(loss)
    for i, name in enumerate(loss.names):
        bad = tuple(np.resize(p, shape) if j == i else p for j, p in enumerate(params))
        got = rf"got y of shape \(7,\).*{name} of shape"
        message = rf"^y, {', '.join(loss.names)} must have one shape or be numbers, {got}"
        with pytest.raises(ValueError, match=message):
            loss(y, bad)


@EACH
def test_layouts_make_no_difference(loss: Loss) -> None:
    y, params = draw(loss, 24)
    y, params = y.reshape(4, 6, *y.shape[1:]), tuple(p.reshape(4, 6, *p.shape[1:]) for p in params)
    expected = loss(y, params, reduction="none", return_grad=True)

    def views(change: Callable[[Any], Any]) -> Any:
        return loss(change(y), tuple(change(p) for p in params), reduction="none", return_grad=True)

    def spread(a: Any) -> Any:
        wide = np.zeros((8, 18, *a.shape[2:]), a.dtype)
        wide[::2, ::3] = a
        return wide[::2, ::3]

    same = (np.asfortranarray, spread, lambda a: np.ascontiguousarray(a[::-1])[::-1])
    for change in same:
        value, gradient = views(change)
        np.testing.assert_array_equal(value, expected[0])
        np.testing.assert_array_equal(gradient, expected[1])
    value, gradient = views(lambda a: a[::-1, ::-1])
    np.testing.assert_array_equal(value, expected[0][::-1, ::-1])
    flipped = [np.asarray(g)[::-1, ::-1] for g in loss.gradients(y, params, reduction="none")]
    np.testing.assert_array_equal(gradient, flipped if len(params) == 2 else flipped[0])


@EACH
def test_read_only_and_foreign_byte_order(loss: Loss) -> None:
    y, params = draw(loss)
    w = weights()
    expected = loss(y, params, sample_weight=w, reduction="none", return_grad=True)
    arrays = [a.astype(a.dtype.newbyteorder(">")) for a in (y, *params, w)]
    before = [a.tobytes() for a in arrays]
    for a in arrays:
        a.flags.writeable = False
    got = loss(
        arrays[0], tuple(arrays[1:-1]), sample_weight=arrays[-1], reduction="none", return_grad=True
    )
    np.testing.assert_array_equal(got[0], expected[0])
    np.testing.assert_array_equal(got[1], expected[1])
    assert [a.tobytes() for a in arrays] == before
    assert got[0].dtype.isnative
    for one in got[1] if isinstance(got[1], tuple) else (got[1],):
        assert one.dtype.isnative
        assert not any(np.shares_memory(one, a) for a in arrays)


@EACH
@REDUCTIONS
def test_the_arguments_are_never_changed(loss: Loss, reduction: str) -> None:
    y, params = draw(loss)
    mask = np.array([1.0, 0, 1, 2, 0, 1, 1])
    arrays = (y, *params, mask)
    before = [a.tobytes() for a in arrays]
    value, gradient = loss(y, params, sample_weight=mask, reduction=reduction, return_grad=True)
    assert [a.tobytes() for a in arrays] == before
    for one in (value, *(gradient if isinstance(gradient, tuple) else (gradient,))):
        assert not any(np.shares_memory(one, a) for a in arrays)


@EACH
@REDUCTIONS
def test_float32_is_the_float64_result_rounded(loss: Loss, reduction: str) -> None:
    y, params = draw(loss, 50)
    y32 = y.astype(np.float32) if y.dtype.kind == "f" else y
    p32 = tuple(p.astype(np.float32) for p in params)
    wide = y32.astype(float) if y.dtype.kind == "f" else y, tuple(p.astype(float) for p in p32)
    got, slopes = loss(y32, p32, reduction=reduction, return_grad=True)
    expected, exact_slopes = loss(*wide, reduction=reduction, return_grad=True)
    if not isinstance(slopes, tuple):
        slopes, exact_slopes = (slopes,), (exact_slopes,)
    for one, other in ((got, expected), *zip(slopes, exact_slopes, strict=True)):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=0.5001 * EPS32, atol=0)


@EACH
@pytest.mark.parametrize(
    ("data", "parameter", "expected"),
    [
        (np.float32, np.float32, np.float32),
        (np.float16, np.float16, np.float32),
        (np.float64, np.float32, np.float64),
        (np.float32, np.float64, np.float64),
        (np.float64, np.float64, np.float64),
        (np.longdouble, np.float32, np.float64),
    ],
)
def test_float_types(loss: Loss, data: Any, parameter: Any, expected: Any) -> None:
    y, params = draw(loss)
    if y.dtype.kind == "f":
        y = y.astype(data)
    elif data != parameter:
        expected = np.float32 if parameter == np.float32 else np.float64  # counts adapt
    table = tuple((8 * p).round().astype(parameter) / parameter(8) for p in params)
    if loss.names == ("probs",):
        table = tuple(np.full_like(p, 0.25) for p in table)
        if loss.classes:
            table[0][:, 1] = 0.5
    if loss.fixed is not None or "scale" in loss.names or loss.names[-1] in ("std", "variance"):
        table = (*table[:-1], np.full_like(table[-1], 0.5))
    value, gradient = loss(y, table, return_grad=True, sample_weight=weights())
    assert value.dtype == expected
    for one in gradient if isinstance(gradient, tuple) else (gradient,):
        assert one.dtype == expected


@EACH_ELEMENTWISE
def test_plain_numbers_and_integers_adapt(loss: Loss) -> None:
    y, params = draw(loss)
    numbers = tuple(float(p[0]) for p in params)
    whole = np.clip(np.round(y), 0, 1).astype(int)
    assert loss(whole, numbers).dtype == np.float64  # no array of floats at all
    assert loss(whole.astype(np.float32), numbers).dtype == np.float32
    assert loss(whole.tolist(), numbers).dtype == np.float64
    for dtype in (np.int8, np.uint8, np.bool_, np.uint64):
        got = loss(whole.astype(dtype), numbers)
        assert got == loss(whole.astype(float), numbers)
        p32 = tuple(np.full(7, p, np.float32) for p in numbers)
        assert loss(whole.astype(dtype), p32).dtype == np.float32
    single = tuple(np.float32(p) for p in numbers)
    assert loss(whole, single).dtype == np.float32
    assert loss.gradients(whole, single)[0].dtype == np.float32


# --- NaN and silence -----------------------------------------------------------------------------


@EACH
@REDUCTIONS
def test_nan_stays_in_its_row(loss: Loss, reduction: str) -> None:
    y, params = draw(loss)
    value = loss(y, params, reduction="none")
    slopes = loss.gradients(y, params, reduction="none")
    for place in range(1 + len(params)):
        if place == 0 and y.dtype.kind == "i" and loss.classes:
            continue  # class indices have no NaN
        arrays = [y.astype(float) if place == 0 else y, *(p.copy() for p in params)]
        arrays[place].reshape(7, -1)[3, -1] = NAN
        got, gradient = loss(arrays[0], tuple(arrays[1:]), reduction=reduction, return_grad=True)
        others = np.arange(7) != 3
        gradients = gradient if isinstance(gradient, tuple) else (gradient,)
        for one, slope in zip(gradients, slopes, strict=True):
            assert np.all(np.isnan(np.asarray(one)[3]))
            if reduction == "none":
                np.testing.assert_array_equal(one[others], slope[others])
            else:
                assert np.all(np.isfinite(np.asarray(one)[others]))
        if reduction == "none":
            np.testing.assert_array_equal(got[others], value[others])
            assert np.isnan(got[3])
        else:
            assert np.isnan(got)


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaussian_nll([NAN, 1], 0.0, std=[-1, 1], reduction="none"),
        lambda: gaussian_nll([7, 1], [NAN, 1], std=[0, 1], reduction="none"),
        lambda: bernoulli_nll([5, 1], logits=[NAN, 0], reduction="none"),
        lambda: bernoulli_nll([1, 1], logits=[NAN, 0], pos_weight=[-1, 1], reduction="none"),
        lambda: poisson_nll([0.5, 1], rate=[NAN, 1], reduction="none"),
        lambda: categorical_nll([9, 0], logits=[[5.0, NAN], [3.0, 2.0]], reduction="none"),
        lambda: categorical_nll([0, 1], probs=[[NAN, 2.0], [0.5, 0.5]], reduction="none"),
        lambda: categorical_nll(
            [[NAN, 7.0], [1.0, 0.0]], logits=np.zeros((2, 2)), reduction="none"
        ),
        lambda: categorical_nll(
            [[2.0, 7.0], [1.0, 0.0]], logits=[[NAN, 0.0], [0.0, 0.0]], reduction="none"
        ),
    ],
)
def test_a_row_with_a_nan_is_not_checked_further(call: Callable[[], Any]) -> None:
    first, second = call()
    assert np.isnan(first)
    assert np.isfinite(second)


def test_a_row_beside_one_with_a_nan_is_checked() -> None:
    with pytest.raises(ValueError, match=r"^y must sum to 1, got a sum of 0\.5 in row 1$"):
        categorical_nll([[NAN, 1.0], [0.5, 0.0]], logits=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"^probs must sum to 1, got a sum of 0\.5 in row 1$"):
        categorical_nll([0, 0], probs=[[NAN, 1.0], [0.5, 0.0]])


def test_a_nan_in_y_leaves_the_gradients_of_the_other_rows_alone() -> None:
    for pos_weight, weight in ((None, 1.0), (5.0, 5.0)):
        _, gradient = bernoulli_nll(
            [NAN, 1.0], logits=[0.0, 0.0], pos_weight=pos_weight, return_grad=True
        )
        # the unknown row counts as one row; the other as its weight
        np.testing.assert_allclose(gradient, [NAN, -0.5 * weight / (1 + weight)], rtol=1e-15)
    y = [[NAN, NAN], [1.0, 0.0]]
    _, gradient = categorical_nll(y, logits=np.zeros((2, 2)), return_grad=True)
    np.testing.assert_array_equal(gradient, [[NAN, NAN], [-0.25, 0.25]])
    _, gradient = categorical_nll(
        y, logits=np.zeros((2, 2)), class_weight=[3.0, 1.0], return_grad=True
    )
    # the unknown row counts like one that is spread evenly: 2; the other 3
    np.testing.assert_allclose(gradient, [[NAN, NAN], [-0.3, 0.3]], rtol=1e-15)


def test_pos_weight_is_not_looked_at_where_the_weight_is_0() -> None:
    value = bernoulli_nll([1, 5], logits=[0, 1], sample_weight=[1, 0], pos_weight=[2, NAN])
    assert value == bernoulli_nll([1], logits=[0])


def test_no_gradient_is_minus_zero() -> None:
    _, gradient = categorical_nll(
        [0, 0], logits=[[1.0, 0.0], [1.0, 0.0]], sample_weight=[0, 1], return_grad=True
    )
    assert not np.any(np.signbit(gradient[0]))


def test_no_rows_may_come_as_an_empty_list() -> None:
    assert categorical_nll([], logits=np.zeros((0, 2)), reduction="none").shape == (0,)


def test_ignore_index_is_no_boolean() -> None:
    with pytest.raises(TypeError, match=r"^ignore_index must be an integer, got bool$"):
        categorical_nll([0], logits=[[0.0, 1.0]], ignore_index=True)


def test_reduction_is_a_text() -> None:
    with pytest.raises(ValueError, match=r"^reduction must be 'mean', 'sum' or 'none', got array"):
        categorical_nll([0], logits=[[0.0, 1.0]], reduction=np.array(["mean"]))  # type: ignore[arg-type]


@EACH
@pytest.mark.parametrize("y", ["1", None, 1j, [object()], ["a"]])
def test_what_is_no_number_is_a_type_error(loss: Loss, y: Any) -> None:
    _, params = draw(loss, 1)
    with pytest.raises(TypeError, match=r"^y must be real numbers, got an array of dtype "):
        loss(y, params)
    data, _ = draw(loss, 1)
    for i, name in enumerate(loss.names):
        if y is not None:  # None is what an argument left out is
            bad = tuple(y if j == i else p for j, p in enumerate(params))
            with pytest.raises(TypeError, match=rf"^{name} must be real numbers, got an array of"):
                loss(data, bad)
    with pytest.raises(TypeError, match=r"^sample_weight must be real numbers"):
        loss(data, params, sample_weight=["1"])


# --- categorical_nll -----------------------------------------------------------------------------

TYPES = pytest.mark.parametrize("dtype", ["float64", "float32"])
ROWS = pytest.mark.parametrize("name", list(rows("float64")))


def some_classes(row: Any) -> list[int]:
    """Every class of a short row; of a long one the top, a random one and the last."""
    found = classes(row)
    return found if len(found) <= 10 else [int(np.argmax(row)), found[len(found) // 2], found[0]]


@TYPES
@ROWS
def test_categorical_values_and_gradients_on_hard_rows(name: str, dtype: str) -> None:
    """The gradient is p, and at the label p − 1 = −(the sum of the others' p)."""
    row, truth = rows(dtype)[name], exact(dtype, name)
    labels, shown = some_classes(row), classes(row)
    table = np.tile(row, (len(labels), 1))
    value, gradient = categorical_nll(labels, logits=table, reduction="none", return_grad=True)
    pairs = ((got, truth.surprise[float(row[y])]) for got, y in zip(value, labels, strict=True))
    assert worst(pairs, dtype) <= 4
    for y, got in zip(labels, gradient, strict=True):
        slopes = {c: truth.prob[float(row[c])] for c in shown}
        slopes[y] = -truth.complement[float(row[y])]
        assert worst(((got[c], expected) for c, expected in slopes.items()), dtype) <= 4


@TYPES
@ROWS
@pytest.mark.parametrize("smoothing", [0.0, 0.125])
def test_categorical_with_distributions_on_hard_rows(
    name: str, dtype: str, smoothing: float
) -> None:
    """All entries of the loss are >= 0; those of the gradient are differences p − t."""
    row, truth = rows(dtype)[name], exact(dtype, name)
    k, eps = row.size, float(np.finfo(dtype).eps)
    rest = mp.mpf(smoothing) / k
    values, counts = np.unique(row, return_counts=True)
    common = mp.mpf(0)
    if smoothing:
        common = mp.fsum(
            int(n) * rest * truth.surprise[float(z)] for z, n in zip(values, counts, strict=True)
        )
    for y in some_classes(row)[:3]:
        t = np.zeros((1, k), dtype)
        t[0, y] = 0.75
        t[0, int(np.argmax(row))] += 0.25
        value, gradient = categorical_nll(
            t, logits=row[None], label_smoothing=smoothing, return_grad=True
        )
        shares = {int(c): (1 - mp.mpf(smoothing)) * float(t[0, c]) for c in np.flatnonzero(t[0])}
        own = mp.fsum(share * truth.surprise[float(row[c])] for c, share in shares.items())
        # 50,257 equal terms are all rounded alike
        assert worst(iter([(value, common + own)]), dtype) <= (6 if smoothing else 4)
        for c in classes(row):
            p, share = truth.prob[float(row[c])], shares.get(c, 0) + rest
            error = abs(mp.mpf(float(gradient[0, c])) - (p - share))
            room = 6 * eps * max(abs(p - share), min(p, share, 1 - p))
            assert error <= max(room, float(np.finfo(dtype).tiny))


@TYPES
def test_a_distribution_on_one_class_is_its_index(dtype: str) -> None:
    for name, row in rows(dtype).items():
        if row.size > 1000:
            continue
        y = np.arange(row.size)
        table = np.tile(row, (row.size, 1))
        one = categorical_nll(y, logits=table, reduction="none", return_grad=True)
        hot = categorical_nll(
            np.eye(row.size, dtype=dtype), logits=table, reduction="none", return_grad=True
        )
        eps = float(np.finfo(dtype).eps)  # they are computed in two ways, each right to about eps
        np.testing.assert_allclose(hot[0], one[0], rtol=2 * eps, err_msg=name)
        np.testing.assert_allclose(hot[1], one[1], rtol=4 * eps, atol=1e-307, err_msg=name)


@TYPES
def test_rows_longer_than_a_block(dtype: str) -> None:
    """Labels at both ends of each part of a row, and far ahead: the others' odds are what counts.

    They are summed exactly by math.fsum; the exp and the logarithm add an epsilon each, a sum of
    70,000 terms another one or two.
    """
    k = 2 * BLOCK + 5
    z = np.random.default_rng(8).normal(0, 1, k).astype(dtype)
    for y in (0, BLOCK - 1, BLOCK, 2 * BLOCK - 1, 2 * BLOCK, k - 1):
        row = z.copy()
        row[y] = 30
        others = math.fsum(np.exp(np.delete(row.astype(float), y) - 30))
        value, gradient = categorical_nll([y], logits=row[None], return_grad=True)
        eps = 4 * float(np.finfo(dtype).eps)
        assert float(value) == pytest.approx(math.log1p(others), rel=eps, abs=0)
        assert categorical_nll([y], logits=row[None]) == pytest.approx(value, rel=eps, abs=0)
        assert float(gradient[0, y]) == pytest.approx(-others / (1 + others), rel=eps, abs=0)


def test_the_sum_of_a_row_as_long_as_a_block() -> None:
    """Equal logits cost log k: NumPy adds in pairs; one after the other would be 7 EPS off."""
    z = np.full((1, BLOCK), 0.1)
    loss = float(categorical_nll([0], logits=z))
    assert loss == pytest.approx(math.log(BLOCK), rel=3 * EPS, abs=0)


@TYPES
def test_slopes_of_rows_longer_than_a_block(dtype: str) -> None:
    """T p − t over ΣT, for two rows of which the second counts three times; Σ exp by math.fsum.

    Computed in float64 and rounded once: half an epsilon in float32.
    """
    k = BLOCK + 3
    z = np.random.default_rng(9).normal(0, 1, (2, k)).astype(dtype)
    y, share = np.array([5, k - 1]), np.array([0.25, 0.75])
    value, gradient = categorical_nll(y, logits=z, sample_weight=[1, 3], return_grad=True)
    e = np.exp(z.astype(float))
    total = np.array([math.fsum(row) for row in e])
    expected = share[:, None] * e / total[:, None]
    expected[[0, 1], y] -= share
    rtol = 8 * EPS if dtype == "float64" else 0.5001 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(gradient, expected, rtol=rtol, atol=0)
    loss = share @ np.log(total / e[[0, 1], y])
    assert float(value) == pytest.approx(loss, rel=rtol, abs=0)


def test_slopes_of_classes_that_cannot_be_seen_beside_the_floats() -> None:
    """All logits are low: exp(−740) has one digit, and p = exp(−740)/Σ all."""
    row = [-300.0, -300.75, -740.0]
    with mpmath.workdps(50):
        e = [mpmath.exp(z) for z in row]
        p = [float(one / sum(e)) for one in e]
    value, gradient = categorical_nll([1], logits=[row], return_grad=True)
    np.testing.assert_allclose(gradient[0], [p[0], p[1] - 1, p[2]], rtol=4 * EPS)
    assert value == categorical_nll([1], logits=[row])
    far = [1000.0, 999.25, 0.0]  # and where no exp can be taken, of two rows
    gradient = categorical_nll([1, 1], logits=[far, far], return_grad=True)[1]
    np.testing.assert_allclose(gradient[:, 0], [p[0] / 2, p[0] / 2], rtol=4 * EPS)


@pytest.mark.parametrize("weight", [1e-300, 1e300])
@pytest.mark.parametrize("height", [0.0, 340.0])
def test_slopes_with_weights_near_the_ends_of_the_floats(weight: float, height: float) -> None:
    """weight/Σ exp(z) would leave the floats, weight · p does not."""
    z = np.array([[0.0, -1.0, -2.0]])
    p = np.exp(z[0]) / np.exp(z[0]).sum()
    gradient = categorical_nll(
        [1], logits=z + height, sample_weight=weight, reduction="sum", return_grad=True
    )[1]
    np.testing.assert_allclose(gradient[0] / weight, p - [0, 1, 0], rtol=1e-14)


def test_a_sample_at_infinity_has_an_infinite_loss_however_wide_the_model() -> None:
    value, (by_mean, by_log_std) = gaussian_nll(INF, 0.0, log_std=1500.0, return_grad=True)
    assert value == INF
    assert (by_mean, by_log_std) == (-INF, -INF)


def test_a_weight_of_the_ones_is_named_by_its_place() -> None:
    with pytest.raises(ValueError, match=r"^pos_weight\[1, 0\] = -1 must be finite and >= 0$"):
        bernoulli_nll([[0, 1], [1, 0]], logits=0.0, pos_weight=[[1, 2], [-1, 2]])
    with pytest.raises(ValueError, match=r"^there are no rows, and their mean is not defined"):
        bernoulli_nll([], logits=[], pos_weight=2.0)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_class_weights_near_the_end_of_the_floats(reduction: Any) -> None:
    value = categorical_nll(
        [0], logits=[[0.0, 0.0]], class_weight=[1e308, 1e308], reduction=reduction
    )
    weight = 1 if reduction == "mean" else 1e308
    assert float(value) == pytest.approx(math.log(2) * weight, rel=4 * EPS)


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1e308])
def test_a_weight_of_the_ones_that_nobody_has_changes_nothing(weight: float) -> None:
    """All labels are 0, and then all are 1: a mean where each row counts alike."""
    for y in (0, 1):
        z = np.array([-20.0, 3.0]) * (1 - 2 * y)
        value, slope = bernoulli_nll([y, y], logits=z, pos_weight=weight, return_grad=True)
        plain, expected = bernoulli_nll([y, y], logits=z, return_grad=True)
        assert float(value) == pytest.approx(float(plain), rel=4 * EPS)
        np.testing.assert_allclose(slope, expected, rtol=4 * EPS)


def test_one_number_of_weight_0_is_not_looked_at() -> None:
    assert bernoulli_nll(2, logits=0.0, sample_weight=0, reduction="sum") == 0
    assert poisson_nll(-1, rate=INF, sample_weight=0, reduction="sum") == 0


def test_a_number_for_all_rows_is_looked_at_where_no_row_counts() -> None:
    n = BLOCK + 1
    later = np.repeat([0.0, 1.0], [BLOCK, 1])  # the first block has the weight 0
    cases: Any = (
        ([1.0, 2.0], {"sample_weight": [0, 0], "reduction": "sum"}),
        ([1.0, 2.0], {"sample_weight": 0.0, "reduction": "none"}),
        ([], {"reduction": "sum"}),
        (np.ones(n), {"sample_weight": later}),
    )
    for y, options in cases:
        with pytest.raises(ValueError, match=r"^std = -1 must be finite and > 0$"):
            gaussian_nll(y, 0.0, std=-1.0, **options)
        with pytest.raises(ValueError, match=r"^loc = inf must be finite$"):
            laplace_nll(y, INF, 1.0, **options)


def test_a_row_counts_however_small_its_weight() -> None:
    """Beside 1e200 the weight 1e-200 is 0 in floats: it adds nothing, but is looked at."""
    small: Any = {"sample_weight": [1e-200, 1e200]}
    assert np.isnan(gaussian_nll([NAN, 1.0], 0.0, std=1.0, **small))
    assert gaussian_nll([INF, 1.0], 0.0, std=1.0, **small) == INF
    value = gaussian_nll([1e8, 0.0], 0.0, std=1.0, **small)  # that of the second row alone
    assert float(value) == pytest.approx(0.5 * math.log(2 * math.pi), rel=4 * EPS, abs=0)
    with pytest.raises(ValueError, match=r"^std\[0\] = -1 must be finite and > 0$"):
        gaussian_nll([1.0, 1.0], 0.0, std=[-1.0, 1.0], **small)
    with pytest.raises(ValueError, match=r"^y\[0\] = 7 is outside 0..2$"):
        categorical_nll([7, 1], logits=np.zeros((2, 3)), **small)
    value = categorical_nll(
        [0, 1],
        logits=[[NAN, 0.0], [0.0, 0.0]],
        sample_weight=[1e-200, 1],
        class_weight=[1e-200, 1],
        reduction="sum",
    )
    assert np.isnan(value)
    value = categorical_nll(
        [0, 1], logits=[[NAN, 0.0], [0.0, 0.0]], sample_weight=[1, 1], class_weight=[0, 1]
    )
    assert float(value) == pytest.approx(math.log(2), rel=4 * EPS, abs=0)  # 0 is left out


def test_a_wrong_label_is_named_where_the_ones_are_weighed() -> None:
    with pytest.raises(ValueError, match=r"^y\[0\] = -1 must be in \[0, 1\]$"):
        bernoulli_nll([-1.0], logits=0.0, pos_weight=2.0)
    with pytest.raises(ValueError, match=r"^y\[0\] = 2 must be in \[0, 1\]$"):
        bernoulli_nll([2.0], logits=0.0, pos_weight=0.5)


def test_a_number_for_all_rows_has_one_slope_where_rows_of_weight_0_are_among_them() -> None:
    value, (by_mean, by_std) = gaussian_nll(
        [2.0, 9.0], 1.0, std=1.0, sample_weight=[1, 0], return_grad=True
    )
    assert (by_mean, by_std) == (-1.0, 0.0)  # of the first row alone
    assert np.ndim(by_mean) == np.ndim(by_std) == np.ndim(value) == 0


def test_a_weight_of_the_ones_is_not_looked_at_in_rows_that_do_not_count() -> None:
    """However large it is: the other row has no less digits for it."""
    z = [0.0, -40.0]
    for weight in (1e308, [1e308, 1]):
        value = bernoulli_nll([1, 0], logits=z, pos_weight=weight, sample_weight=[0, 1])
        assert float(value) == pytest.approx(math.exp(-40), rel=4 * EPS, abs=0)
    losses = bernoulli_nll([NAN, 0], logits=z, pos_weight=[-1, 1], reduction="none")
    assert math.isnan(losses[0])


@pytest.mark.parametrize("p", [0.3000000001, 0.30001, 0.9])
def test_slopes_of_soft_labels_near_their_probabilities(p: float) -> None:
    """(p − y)/(p (1 − p)), whose difference is exact."""
    gradient = bernoulli_nll(0.3, probs=p, return_grad=True)[1]
    with mpmath.workdps(40):
        exact = (mpmath.mpf(p) - mpmath.mpf(0.3)) / (mpmath.mpf(p) * (1 - mpmath.mpf(p)))
        assert abs(float(gradient / exact - 1)) <= 4 * EPS


def test_slopes_of_probabilities_near_0() -> None:
    """−t/p/n is a float where 1/p is none."""
    gradient = categorical_nll([0, 0], probs=[[4e-309, 1.0], [1.0, 0.0]], return_grad=True)[1]
    assert float(gradient[0, 0]) == pytest.approx(-0.5 / 4e-309, rel=1e-14)


def test_slopes_of_a_t_model_of_very_few_degrees_of_freedom() -> None:
    by_loc = student_t_nll(1e10, 0.0, 1.0, 1e-300, return_grad=True)[1][0]
    assert float(by_loc) == pytest.approx(-1e-10, rel=4 * EPS, abs=0)
    by_loc = student_t_nll(1e-10, 0.0, 1.0, 1e308, return_grad=True)[1][0]
    assert float(by_loc) == pytest.approx(-1e-10, rel=4 * EPS, abs=0)  # a Gaussian's


def test_single_numbers_are_left_alone_like_rows() -> None:
    """Where a row is not known, or does not count, its other values are not checked."""
    assert math.isnan(poisson_nll(1.5, rate=NAN))
    assert math.isnan(poisson_nll([1.5], rate=NAN))
    assert gaussian_nll(0.0, INF, std=1.0, sample_weight=0.0, reduction="none") == 0
    assert math.isnan(categorical_nll([[NAN, NAN]], probs=[[0.9, 0.9]]))


@pytest.mark.parametrize(
    ("y", "options"),
    [
        ([1], {"probs": np.array([1.1], np.float32)}),
        (1, {"probs": np.float32(1.1)}),
        ([1], {"logits": [0], "sample_weight": np.array([-1.1], np.float32)}),
    ],
)
def test_a_wrong_number_is_shown_in_its_own_float_type(y: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"1\.1 must be"):
        bernoulli_nll(y, **options)


def test_an_unknown_reduction_is_named_before_weights_are_looked_at() -> None:
    with pytest.raises(ValueError, match=r"^reduction must be 'mean', 'sum' or 'none', got"):
        categorical_nll(
            [0],
            logits=[[0.0, 1.0]],
            class_weight=[1.0, 2.0],
            reduction=np.array(["mean", "sum"]),  # type: ignore[arg-type]
        )


@pytest.mark.parametrize("wrong", [True, np.timedelta64(0, "s"), 1.0])
def test_an_index_to_ignore_is_an_integer(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"^ignore_index must be an integer, got"):
        categorical_nll([0], logits=[[0.0, 1.0]], ignore_index=wrong)


def test_ignored_labels_beside_weights() -> None:
    """(1 · log 2 + 3 · log 4)/(1 + 3) for rows whose third is left out."""
    p = [[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]]
    value = categorical_nll([1, 0, -1], probs=p, sample_weight=[1, 3, 7], ignore_index=-1)
    assert float(value) == pytest.approx((math.log(2) + 3 * math.log(4)) / 4, rel=4 * EPS)


def test_errors_name_the_place_in_a_later_block() -> None:
    n = BLOCK  # rows of two: two blocks
    for wrong, message in (
        ([0.25, 1.5], r"^probs\[1, 16390, 1\] = 1.5 must be in \[0, 1\]$"),
        ([0.25, 0.5], r"^probs must sum to 1, got a sum of 0.75 in row 1, 16390$"),
    ):
        p = np.full((2, n, 2), 0.5)
        p[1, 16390] = wrong
        with pytest.raises(ValueError, match=message):
            categorical_nll(np.zeros((2, n), int), probs=p)
        with pytest.raises(ValueError, match=message.replace("probs", "y")):
            categorical_nll(p, logits=np.zeros_like(p))
    y = np.zeros((2, n), int)
    y[1, 16390] = 2
    with pytest.raises(ValueError, match=r"^y\[1, 16390\] = 2 is outside 0..1$"):
        categorical_nll(y, logits=np.zeros((2, n, 2)))
    rate = np.ones((2, n))
    rate[1, 16390] = -1
    with pytest.raises(ValueError, match=r"^rate\[1, 16390\] = -1 must be finite and >= 0$"):
        poisson_nll(1, rate=rate)


@pytest.mark.parametrize("height", [0.0, 1000.0])
def test_no_slope_is_minus_zero(height: float) -> None:
    z = np.array([[0.0, -1.0, -np.inf]]) + height
    for gradient in (
        categorical_nll([0], logits=z, return_grad=True)[1],
        categorical_nll([0], logits=z, sample_weight=0, reduction="sum", return_grad=True)[1],
        categorical_nll([[1.0, 0.0, 0.0]], logits=z, return_grad=True)[1],
        categorical_nll([0], probs=[[0.5, 0.5, 0.0]], return_grad=True)[1],
        categorical_nll([0], probs=[[0.5, 0.25, 0.25]], return_grad=True)[1],
    ):
        assert not np.signbit(gradient[gradient == 0]).any()


@pytest.mark.parametrize("full", [1, 2])
def test_blocks_add_up(full: int) -> None:
    """Over two and three blocks of rows the mean is that of the rows' losses, and so is its slope.

    A number that serves all rows adds up their slopes; math.fsum rounds a sum once.
    """
    rng = np.random.default_rng(4)
    n = full * BLOCK + 11
    y, loc = rng.normal(size=n), rng.normal(size=n)
    value, (by_loc, by_std) = gaussian_nll(y, loc, std=1.5, return_grad=True)
    each, (loc_each, std_each) = gaussian_nll(y, loc, std=1.5, reduction="none", return_grad=True)
    assert float(value) == pytest.approx(math.fsum(each) / n, rel=8 * EPS)
    assert float(by_std) == pytest.approx(math.fsum(std_each) / n, rel=1e-13)  # of both signs
    np.testing.assert_allclose(by_loc * n, loc_each, rtol=2 * EPS)
    label = (y > 0).astype(float)
    value, slope = bernoulli_nll(label, logits=loc, pos_weight=y * y, return_grad=True)
    each, slopes = bernoulli_nll(
        label, logits=loc, pos_weight=y * y, reduction="none", return_grad=True
    )
    weight = math.fsum(np.where(y > 0, y * y, 1))
    assert float(value) == pytest.approx(math.fsum(each) / weight, rel=8 * EPS)
    np.testing.assert_allclose(slope * weight, slopes, rtol=8 * EPS)


def test_a_confident_row_costs_what_it_costs() -> None:
    """SYLLABUS: (10, −30), y = 0 costs 4.248e-18, which others give as 0."""
    value, gradient = categorical_nll([0], logits=[[10.0, -30.0]], return_grad=True)
    assert float(value) == pytest.approx(4.248354255291589e-18, rel=4 * EPS, abs=0)
    tiny = 4.248354255291589e-18
    np.testing.assert_allclose(gradient, [[-tiny, tiny]], rtol=4 * EPS)


@pytest.mark.parametrize("k", [1, 2, 3, 10, 1000])
@pytest.mark.parametrize("smoothing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("target", ["indices", "rows"])
def test_equal_logits_cost_log_k_whatever_the_weights(
    k: int, smoothing: float, target: str
) -> None:
    rng = np.random.default_rng(20)
    y: Any = rng.integers(0, k, 9)
    if target == "rows":
        y = rng.dirichlet(np.ones(k), 9)
    got = categorical_nll(
        y,
        logits=np.full((9, k), -3.3),
        class_weight=rng.uniform(0, 5, k),
        sample_weight=rng.uniform(0, 5, 9),
        label_smoothing=smoothing,
    )
    assert float(got) == pytest.approx(math.log(k), rel=1e-13, abs=0)


@FEW
@given(st.lists(st.integers(0, 4), min_size=3, max_size=3).filter(any))
def test_a_class_weight_repeats_the_samples_of_the_class(repeats: list[int]) -> None:
    rng = np.random.default_rng(21)
    y = np.array([0, 1, 2, 2, 1, 0, 0, 2])
    z = rng.normal(0, 3, (8, 3))
    times = np.array(repeats)[y]
    many = np.repeat(y, times), np.repeat(z, times, axis=0)
    for reduction in ("mean", "sum"):
        got = categorical_nll(y, logits=z, class_weight=repeats, reduction=reduction)
        expected = categorical_nll(many[0], logits=many[1], reduction=reduction)
        assert got == pytest.approx(expected, rel=1e-13, abs=0)
        per_row = categorical_nll(y, logits=z, sample_weight=times, reduction=reduction)
        assert got == pytest.approx(per_row, rel=1e-14, abs=0)


@pytest.mark.parametrize("name", ["logits", "probs"])
def test_class_weights_with_distributions_by_hand(name: str) -> None:
    """Σ s w_c t_c (−log p_c) over Σ s w_c t_c, the target smoothed first."""
    p = np.array([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125]])
    t = np.array([[0.5, 0.5, 0.0], [0.25, 0.0, 0.75]])
    w, s, smoothing = np.array([1.0, 2.0, 5.0]), np.array([3.0, 0.5]), 0.25
    a = s[:, None] * w * (0.75 * t + 0.25 / 3)
    expected = np.sum(a * -np.log(p)) / np.sum(a)
    table: Any = {name: np.log(p) + 7.0 if name == "logits" else p}
    value, gradient = categorical_nll(
        t,
        **table,
        class_weight=w,
        sample_weight=s,
        label_smoothing=smoothing,
        return_grad=True,
    )
    assert float(value) == pytest.approx(expected, rel=1e-14, abs=0)
    slope = a.sum(axis=1, keepdims=True) * p - a if name == "logits" else -a / p
    np.testing.assert_allclose(gradient, slope / np.sum(a), rtol=1e-13)


@FEW
@given(st.floats(0, 1))
def test_smoothing_mixes_the_target_with_the_uniform_one(smoothing: float) -> None:
    rng = np.random.default_rng(22)
    y, z = rng.integers(0, 4, 6), rng.normal(0, 3, (6, 4))
    mixed = (1 - smoothing) * np.eye(4)[y] + smoothing / 4
    got = categorical_nll(y, logits=z, label_smoothing=smoothing, return_grad=True)
    expected = categorical_nll(mixed, logits=z, return_grad=True)
    assert got[0] == pytest.approx(expected[0], rel=1e-13, abs=0)
    np.testing.assert_allclose(got[1], expected[1], rtol=1e-12, atol=1e-15)


def test_all_of_the_target_may_be_smoothed_away() -> None:
    z = np.log([[0.5, 0.25, 0.25]])
    value, gradient = categorical_nll([0], logits=z, label_smoothing=1.0, return_grad=True)
    assert value == pytest.approx(5 / 3 * math.log(2), rel=4 * EPS, abs=0)
    np.testing.assert_allclose(gradient, [[1 / 6, -1 / 12, -1 / 12]], rtol=8 * EPS)


def test_the_least_smoothed_loss_is_the_entropy_of_the_target() -> None:
    target = np.array([0.9 + 0.1 / 4, 0.1 / 4, 0.1 / 4, 0.1 / 4])
    value, gradient = categorical_nll(
        [0], logits=np.log(target)[None], label_smoothing=0.1, return_grad=True
    )
    assert float(value) == pytest.approx(float(scipy.stats.entropy(target)), rel=1e-14, abs=0)
    np.testing.assert_allclose(gradient, 0, atol=2 * EPS)


@pytest.mark.parametrize("ignored", [-100, -1, 2, 7])
@REDUCTIONS
def test_ignored_labels_are_rows_of_weight_zero(ignored: int, reduction: Any) -> None:
    y = np.array([0, ignored, 1, 1, ignored])
    z = np.random.default_rng(23).normal(0, 3, (5, 3))
    z[4] = NAN
    kept = y != ignored
    got = categorical_nll(y, logits=z, ignore_index=ignored, reduction=reduction, return_grad=True)
    subset = categorical_nll(y[kept], logits=z[kept], reduction=reduction, return_grad=True)
    np.testing.assert_array_equal(got[0][kept] if reduction == "none" else got[0], subset[0])
    np.testing.assert_array_equal(got[1][kept], subset[1])
    assert np.all(got[1][~kept] == 0)
    if reduction == "none":
        assert np.all(got[0][~kept] == 0)
    smoothed = {"label_smoothing": 0.1, "class_weight": [1.0, 2.0, 3.0], "reduction": reduction}
    with_weights = categorical_nll(y, logits=z, ignore_index=ignored, **smoothed)
    expected = categorical_nll(y[kept], logits=z[kept], **smoothed)
    np.testing.assert_allclose(
        with_weights[kept] if reduction == "none" else with_weights, expected, rtol=4 * EPS
    )


def test_a_single_class_with_a_row_ignored() -> None:
    value = categorical_nll([0, -100], logits=[[3.0], [5.0]], ignore_index=-100, reduction="none")
    assert value.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("scale", [2.0**-1070, 1e-300, 1.0, 1e308])
def test_only_the_ratios_of_class_weights_count_in_a_mean(scale: float) -> None:
    y, z = [0, 1, 1, 2], np.random.default_rng(29).normal(0, 3, (4, 3))
    got = categorical_nll(y, logits=z, class_weight=scale * np.array([1.0, 1.5, 0.5]))
    expected = categorical_nll(y, logits=z, class_weight=[2, 3, 1])
    assert got == pytest.approx(expected, rel=1e-14, abs=0)


def test_all_rows_ignored() -> None:
    z = np.zeros((2, 3))
    with pytest.raises(ValueError, match=r"^every row has weight 0 .* their mean is not defined"):
        categorical_nll([5, 5], logits=z, ignore_index=5)
    assert categorical_nll([5, 5], logits=z, ignore_index=5, reduction="sum") == 0
    with pytest.raises(ValueError, match=r"^every row has weight 0 .* their mean is not defined"):
        categorical_nll([0, 1], logits=z, class_weight=[0, 0, 1])


def test_zero_times_infinity_is_zero() -> None:
    """A class that cannot happen and does not happen costs nothing."""
    for t in ([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]):
        row, p = [[1.0, 1.0, -INF]], [[0.5, 0.5, 0.0]]
        value, gradient = categorical_nll([t], logits=row, return_grad=True)
        assert float(value) == pytest.approx(math.log(2), rel=EPS, abs=0)
        assert gradient[0, 2] == 0
        value, gradient = categorical_nll([t], probs=p, return_grad=True)
        assert float(value) == pytest.approx(math.log(2), rel=EPS, abs=0)
        np.testing.assert_array_equal(gradient, [[-2 * t[0], -2 * t[1], 0]])
    assert categorical_nll([[0, 1.0]], logits=[[-INF, 3.0]]) == 0
    assert categorical_nll([[0, 1.0]], logits=[[5.0, INF]]) == 0


def test_what_cannot_happen_and_happens_costs_infinitely_much() -> None:
    value, gradient = categorical_nll([2], logits=[[1.0, 1.0, -INF]], return_grad=True)
    assert value == INF
    np.testing.assert_allclose(gradient, [[0.5, 0.5, -1]])
    value, gradient = categorical_nll([1], probs=[[1.0, 0.0]], return_grad=True)
    assert value == INF
    np.testing.assert_array_equal(gradient, [[0, -INF]])
    assert categorical_nll([0, 2], logits=[[0.0, 0, 0], [0, 0, -INF]], reduction="sum") == INF


def test_certainty_prints_as_zero() -> None:
    for value in (
        categorical_nll([1], logits=[[-INF, 2.0]], reduction="none")[0],
        categorical_nll([1], probs=[[0.0, 1.0]]),
        categorical_nll([0], logits=[[3.0]]),
        bernoulli_nll(1, logits=INF),
        bernoulli_nll([1, 0], probs=[1.0, 0.0]),
        poisson_nll([0], rate=0.0),
    ):
        assert value == 0
        assert not np.signbit(value)


def test_a_vocabulary_of_rows() -> None:
    """Enough logits for many blocks; equal to each row alone, in float32 and float64."""
    rng = np.random.default_rng(24)
    for shape, dtype in (((3, 50_257), np.float32), ((900, 101), np.float64)):
        z = rng.normal(0, 5, shape).astype(dtype)
        y = rng.integers(0, shape[1], shape[0])
        each, gradient = categorical_nll(y, logits=z, reduction="none", return_grad=True)
        for i in range(0, shape[0], 97):
            one = categorical_nll(y[i], logits=z[i], return_grad=True)
            np.testing.assert_array_equal(each[i], one[0])
            np.testing.assert_array_equal(gradient[i], one[1])
        np.testing.assert_allclose(gradient.sum(axis=1, dtype=np.float64), 0, atol=1e-6)


@FEW
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.data())
def test_gradients_of_logits_add_up_to_zero(row: list[float], data: Any) -> None:
    y = data.draw(st.integers(0, len(row) - 1))
    value, gradient = categorical_nll(y, logits=row, return_grad=True)
    assert value >= 0
    assert abs(math.fsum(gradient)) <= 4 * EPS
    assert -1 <= gradient[y] <= 0
    assert np.all(np.delete(gradient, y) >= 0)


@FEW
@given(
    st.lists(st.floats(-30, 30), min_size=2, max_size=6),
    st.lists(st.floats(-5, 5), min_size=6, max_size=6),
    st.data(),
)
def test_the_loss_is_convex_in_the_logits(row: list[float], way: list[float], data: Any) -> None:
    y = data.draw(st.integers(0, len(row) - 1))
    z, step = np.array(row), np.array(way[: len(row)])
    low, mid, high = (categorical_nll(y, logits=z + s * step) for s in (-1, 0, 1))
    assert mid <= (low + high) / 2 + 1e-13 * (1 + abs(low) + abs(high))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0, 10], {"logits": np.zeros((2, 10))}), ValueError, r"^y\[1\] = 10 is outside 0\.\.9$"),
        (([0, -1], {"logits": np.zeros((2, 10))}), ValueError, r"^y\[1\] = -1 is outside 0\.\.9$"),
        (([[2]], {"probs": [[[0.5, 0.5]]]}), ValueError, r"^y\[0, 0\] = 2 is outside 0\.\.1$"),
        ((7, {"logits": [0.0, 1.0]}), ValueError, r"^y = 7 is outside 0\.\.1$"),
        (([0], {}), ValueError, r"^exactly one of logits, probs must be given, got none$"),
        (
            ([0], {"logits": [[0.0]], "probs": [[1.0]]}),
            ValueError,
            r"^exactly one of logits, probs must be given, got logits and probs$",
        ),
        (
            ([[0, 1]], {"logits": [[0.0, 0.0]]}),
            ValueError,
            r"^y must hold class indices \(integers of shape \(1,\)\) or distributions "
            r"\(floats of shape \(1, 2\)\), got int64 of shape \(1, 2\)$",
        ),
        (([0.0], {"logits": [[0.0, 0.0]]}), ValueError, r"^y must hold .* got float64 of shape"),
        (([True], {"logits": [[0.0, 0.0]]}), ValueError, r"^y must hold .* got bool of shape"),
        (([0, 1], {"logits": [[0.0, 0.0]]}), ValueError, r"^y must hold .* of shape \(2,\)$"),
        (([[0]], {"logits": [[0.0, 0.0]]}), ValueError, r"^y must hold .* of shape \(1, 1\)$"),
        ((0, {"logits": 1.0}), ValueError, r"^logits must have shape .* k >= 1, got \(\)$"),
        (([0], {"probs": [[]]}), ValueError, r"^probs must have shape .* k >= 1, got \(1, 0\)$"),
        (
            ([0, 1], {"probs": [[0.5, 0.5], [1.5, -0.5]]}),
            ValueError,
            r"^probs\[1, 0\] = 1.5 must be in \[0, 1\]$",
        ),
        (
            ([0, 1], {"probs": [[0.5, 0.5], [0.5, 0.25]]}),
            ValueError,
            r"^probs must sum to 1, got a sum of 0.75 in row 1$",
        ),
        (
            ([[1]], {"probs": [[[0.5, 0.25]]]}),
            ValueError,
            r"^probs must sum to 1, got a sum of 0.75 in row 0, 0$",
        ),
        (
            ([[0.5, 0.25]], {"logits": [[0.5, 0.25]]}),
            ValueError,
            r"^y must sum to 1, got a sum of 0.75 in row 0$",
        ),
        (
            ([[1.5, -0.5]], {"logits": [[0.5, 0.25]]}),
            ValueError,
            r"^y\[0, 0\] = 1.5 must be in \[0, 1\]$",
        ),
        (
            ([0], {"logits": [[0.0, 1.0]], "class_weight": [1.0]}),
            ValueError,
            r"^class_weight must have the shape \(2,\), got \(1,\)$",
        ),
        (
            ([0], {"logits": [[0.0, 1.0]], "class_weight": 2.0}),
            ValueError,
            r"^class_weight must have the shape \(2,\), got \(\)$",
        ),
        (
            ([0], {"logits": [[0.0, 1.0]], "class_weight": [1, -2]}),
            ValueError,
            r"^class_weight\[1\] = -2 must be finite and >= 0$",
        ),
        (
            ([0], {"logits": [[0.0, 1.0]], "class_weight": [NAN, 1]}),
            ValueError,
            r"^class_weight\[0\] = nan must be finite and >= 0$",
        ),
        (
            ([0], {"logits": [[0.0, 1.0]], "class_weight": ["a", "b"]}),
            TypeError,
            r"^class_weight must be real numbers, got an array of dtype",
        ),
        *(
            (
                ([0], {"logits": [[0.0, 1.0]], "label_smoothing": bad}),
                ValueError,
                rf"^label_smoothing = {bad:g} must be in \[0, 1\]$",
            )
            for bad in (-0.1, 1.1, NAN, INF)
        ),
        (
            ([[0.5, 0.5]], {"logits": [[0.0, 1.0]], "ignore_index": 1}),
            ValueError,
            r"^ignore_index is for class indices, and y holds distributions$",
        ),
        (
            ([0], {"logits": [[0.0, 1.0]], "ignore_index": 1.0}),
            TypeError,
            r"^ignore_index must be an integer, got float$",
        ),
    ],
)
def test_categorical_errors(arguments: Any, error: type[Exception], message: str) -> None:
    y, options = arguments
    with pytest.raises(error, match=message):
        categorical_nll(y, **options)


def test_a_row_may_miss_one_by_k_roundings_of_its_own_type() -> None:
    for dtype in ("float64", "float32", "float16"):
        eps = float(np.finfo(dtype).eps)
        p = np.array([[0.5, 0.25, 0.25 + 2 * eps]]).astype(dtype)
        assert np.isfinite(categorical_nll([0], probs=p))
        assert np.isfinite(categorical_nll(p, logits=np.zeros((1, 3), dtype)))
        p = np.array([[0.5, 0.25, 0.25 + 4 * eps]]).astype(dtype)
        with pytest.raises(ValueError, match=r"^probs must sum to 1, got a sum of"):
            categorical_nll([0], probs=p)
        with pytest.raises(ValueError, match=r"^y must sum to 1, got a sum of"):
            categorical_nll(p, logits=np.zeros((1, 3), dtype))


@FEW
@given(st.lists(st.floats(-40, 40, width=32), min_size=1, max_size=300))
def test_softmax_gives_rows_that_are_accepted(row: list[float]) -> None:
    for dtype in (np.float64, np.float32):
        z = np.array([row], dtype=dtype)
        got = categorical_nll([0], probs=softmax(z))
        expected = categorical_nll([0], logits=z)
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, ">i8"])
def test_labels_of_any_integer_type(dtype: Any) -> None:
    y = np.array([0, 2, 1], dtype=dtype)
    z = np.random.default_rng(25).normal(0, 3, (3, 3)).astype(np.float32)
    got = categorical_nll(y, logits=z, ignore_index=-1)
    assert got.dtype == np.float32
    assert got == categorical_nll([0, 2, 1], logits=z)


# --- bernoulli_nll -------------------------------------------------------------------------------


@TYPES
def test_bernoulli_on_hard_logits(dtype: str) -> None:
    rng = np.random.default_rng(26)
    size = 87.0 if dtype == "float32" else 708.0
    hard = [0.0, -0.0, 745, -745, 1e4, -1e4, 1e8, -1e8, 36.7, -36.7, 17.3, -17.3]
    z = np.concatenate([rng.normal(0, 3, 60), rng.uniform(-size, size, 60), hard]).astype(dtype)
    exps = [mp.exp(mp.mpf(float(one))) for one in z]
    for y in (0, 1):
        value, gradient = bernoulli_nll(y, logits=z, reduction="none", return_grad=True)
        truth = (mp.log(1 + (1 / e if y else e)) for e in exps)
        assert worst(zip(value, truth, strict=True), dtype) <= 4
        slopes = (-1 / (1 + e) if y else e / (1 + e) for e in exps)
        assert worst(zip(gradient, slopes, strict=True), dtype) <= 4
    shares = rng.uniform(0, 1, z.size).astype(dtype)
    truth = (
        mp.mpf(float(t)) * mp.log(1 + 1 / e) + (1 - mp.mpf(float(t))) * mp.log(1 + e)
        for t, e in zip(shares, exps, strict=True)
    )
    got = bernoulli_nll(shares, logits=z, reduction="none")
    assert worst(zip(got, truth, strict=True), dtype) <= 4


@FEW
@given(st.floats(-800, 800), st.integers(0, 1))
def test_bernoulli_is_categorical_with_two_classes(z: float, y: int) -> None:
    one = bernoulli_nll(y, logits=z, return_grad=True)
    two = categorical_nll([y], logits=[[0.0, z]], return_grad=True)
    assert one[0] == pytest.approx(two[0], rel=4 * EPS, abs=1e-307)
    assert one[1] == pytest.approx(two[1][0, 1], rel=6 * EPS, abs=1e-307)


@FEW
@given(st.integers(0, 5), st.lists(st.integers(0, 1), min_size=1, max_size=8))
def test_pos_weight_repeats_the_ones(repeats: int, y: list[int]) -> None:
    z = np.linspace(-3, 4, len(y))
    times = [repeats if label else 1 for label in y]
    for reduction in ("mean", "sum"):
        if sum(times) == 0 and reduction == "mean":
            with pytest.raises(ValueError, match=r"^every row has weight 0"):
                bernoulli_nll(y, logits=z, pos_weight=repeats)
            continue
        got, slope = bernoulli_nll(
            y, logits=z, pos_weight=repeats, reduction=reduction, return_grad=True
        )
        expected, other = bernoulli_nll(
            y, logits=z, sample_weight=times, reduction=reduction, return_grad=True
        )
        assert got == pytest.approx(expected, rel=1e-14, abs=0)
        np.testing.assert_allclose(slope, other, rtol=1e-14)


def test_pos_weight_with_shares_by_hand() -> None:
    y, p, w = np.array([0.25, 1.0]), np.array([0.5, 0.75]), np.array([3.0, 0.5])
    s = np.array([2.0, 4.0])
    ones, zeros = s * w * y, s * (1 - y)
    expected = np.sum(-ones * np.log(p) - zeros * np.log(1 - p)) / np.sum(ones + zeros)
    value, gradient = bernoulli_nll(y, probs=p, pos_weight=w, sample_weight=s, return_grad=True)
    assert float(value) == pytest.approx(expected, rel=1e-14, abs=0)
    slope = (zeros / (1 - p) - ones / p) / np.sum(ones + zeros)
    np.testing.assert_allclose(gradient, slope, rtol=1e-14)


@pytest.mark.parametrize("weight", [0.0, 1e-300, 0.3, 17.0, 1e308])
def test_even_odds_cost_log_two_whatever_the_weight(weight: float) -> None:
    got = bernoulli_nll([0, 1, 1, 0.5], logits=0.0, pos_weight=weight, sample_weight=[3, 3, 3, 4])
    assert float(got) == pytest.approx(math.log(2), rel=1e-14, abs=0)


@pytest.mark.parametrize(
    ("y", "p", "value", "slope"),
    [
        (1, 1.0, 0.0, -1.0),
        (0, 0.0, 0.0, 1.0),
        (1, 0.0, INF, -INF),
        (0, 1.0, INF, INF),
        (0, 1e-300, 1e-300, 1.0),
        (1, 1e-300, 300 * math.log(10), -1e300),
        (0.5, 0.0, INF, -INF),
    ],
)
def test_bernoulli_at_the_edges_of_probs(y: float, p: float, value: float, slope: float) -> None:
    got, gradient = bernoulli_nll(y, probs=p, return_grad=True)
    assert float(got) == pytest.approx(value, rel=4 * EPS, abs=0)
    assert float(gradient) == pytest.approx(slope, rel=4 * EPS, abs=0)


@pytest.mark.parametrize(
    ("y", "z", "value", "slope"),
    [(1, INF, 0, 0), (0, -INF, 0, 0), (1, -INF, INF, -1), (0, INF, INF, 1), (0.5, INF, INF, 0.5)],
)
def test_bernoulli_at_infinite_logits(y: float, z: float, value: float, slope: float) -> None:
    got = bernoulli_nll([y], logits=[z], reduction="none", return_grad=True)
    np.testing.assert_array_equal(got, ([value], [slope]))


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([0, 2], {"logits": [0.0, 0.0]}, r"^y\[1\] = 2 must be in \[0, 1\]$"),
        ([0, -0.5], {"logits": [0.0, 0.0]}, r"^y\[1\] = -0.5 must be in \[0, 1\]$"),
        (1.5, {"logits": [0.0, 0.0]}, r"^y = 1.5 must be in \[0, 1\]$"),
        ([0, 1], {"probs": [0.0, 1.01]}, r"^probs\[1\] = 1.01 must be in \[0, 1\]$"),
        ([0, 1], {"probs": -0.5}, r"^probs = -0.5 must be in \[0, 1\]$"),
        ([0, 1], {}, r"^exactly one of logits, probs must be given, got none$"),
        ([0], {"logits": [0.0], "probs": [0.5]}, r"^exactly one of .*, got logits and probs$"),
        ([0, 1], {"logits": 0.0, "pos_weight": -1}, r"^pos_weight = -1 must be finite and >= 0$"),
        ([0], {"logits": 0.0, "pos_weight": [INF]}, r"^pos_weight\[0\] = inf must be finite and"),
        (
            [0, 1],
            {"logits": 0.0, "pos_weight": [1.0]},
            r"^pos_weight must be a number or have the shape of the rows, \(2,\), got \(1,\)$",
        ),
    ],
)
def test_bernoulli_errors(y: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bernoulli_nll(y, **options)


# --- The losses of locations ---------------------------------------------------------------------

OF_LOCATIONS: dict[str, tuple[Callable[..., Any], tuple[str, str]]] = {
    "std": (lambda y, m, s, **o: gaussian_nll(y, m, std=s, **o), ("mean", "std")),
    "variance": (lambda y, m, s, **o: gaussian_nll(y, m, variance=s, **o), ("mean", "variance")),
    "laplace": (laplace_nll, ("loc", "scale")),
    "student": (lambda y, m, s, **o: student_t_nll(y, m, s, DF, **o), ("loc", "scale")),
    "huber": (lambda y, m, s, **o: huber_nll(y, m, s, DELTA, **o), ("loc", "scale")),
    "asymmetric": (
        lambda y, m, s, **o: asymmetric_laplace_nll(y, m, s, QUANTILE, **o),
        ("loc", "scale"),
    ),
}
AT_LOCATIONS = pytest.mark.parametrize(
    ("function", "names"), OF_LOCATIONS.values(), ids=OF_LOCATIONS.keys()
)


@AT_LOCATIONS
@pytest.mark.parametrize("bad", [0.0, -0.0, -1.0, INF, -INF])
def test_scales_are_positive_and_finite(
    function: Callable[..., Any], names: tuple[str, str], bad: float
) -> None:
    with pytest.raises(ValueError, match=rf"^{names[1]}\[1\] = {bad:g} must be finite and > 0$"):
        function([0.0, 1.0], 0.0, [1.0, bad])
    with pytest.raises(ValueError, match=rf"^{names[1]} = {bad:g} must be finite and > 0$"):
        function([0.0, 1.0], 0.0, bad)
    assert np.isfinite(function([0.0, 1.0], 0.0, [1.0, bad], sample_weight=[1, 0]))


@AT_LOCATIONS
@pytest.mark.parametrize("bad", [INF, -INF])
def test_locations_are_finite(
    function: Callable[..., Any], names: tuple[str, str], bad: float
) -> None:
    with pytest.raises(ValueError, match=rf"^{names[0]}\[0\] = {bad:g} must be finite$"):
        function([0.0, 1.0], [bad, 1.0], 1.0)


@AT_LOCATIONS
def test_infinite_data_cost_infinitely_much(
    function: Callable[..., Any], names: tuple[str, str]
) -> None:
    value, gradient = function([INF, 0.5, -INF], 0.25, 1.0, reduction="none", return_grad=True)
    assert value[0] == value[2] == INF
    assert np.isfinite(value[1])
    assert not np.any(np.isnan(gradient))


@AT_LOCATIONS
@FEW
@given(st.integers(-(2**20), 2**20), st.integers(-30, 30))
def test_losses_follow_units(
    function: Callable[..., Any], names: tuple[str, str], move: int, power: int
) -> None:
    """A new origin changes nothing; new units, by a power of 2, add their logarithm."""
    y, loc, scale = np.array([0.5, 3.25, -7.0]), np.array([1.0, 2.0, -3.5]), np.array([1.0, 0.5, 4])
    each = function(y, loc, scale, reduction="none")
    np.testing.assert_array_equal(function(y + move, loc + move, scale, reduction="none"), each)
    unit = 2.0**power
    of_scale = unit**2 if names[1] == "variance" else unit
    got = function(y * unit, loc * unit, scale * of_scale, reduction="none")
    np.testing.assert_allclose(got, each + power * math.log(2), rtol=1e-14, atol=1e-14)


def test_gaussian_parameters_are_the_same_model() -> None:
    y, (mean, std) = draw(LOSSES["gaussian, std"], 30)
    expected, (by_mean, by_std) = gaussian_nll(y, mean, std=std, reduction="none", return_grad=True)
    for name, spread, chain in (
        ("variance", std**2, 1 / (2 * std)),
        ("log_std", np.log(std), std),
    ):
        value, (mean_slope, slope) = gaussian_nll(
            y, mean, **{name: spread}, reduction="none", return_grad=True
        )
        np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(mean_slope, by_mean, rtol=1e-13, atol=1e-14)
        np.testing.assert_allclose(slope, by_std * chain, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("s", [-1400.0, -800.0, -20.0, 0.0, 20.0, 800.0, 1400.0])
@pytest.mark.parametrize("u", [0.0, 1e-300, -1e-5, 1.0, 1e300])
def test_any_log_std_that_floats_hold(s: float, u: float) -> None:
    z = mpf(u) * mpmath.exp(-mpf(s))
    value, (by_mean, by_log_std) = gaussian_nll(u, 0.0, log_std=s, return_grad=True)
    truth = (
        (value, z * z / 2 + mpf(s) + mpmath.log(2 * mpmath.pi) / 2),
        (by_mean, -z * mpmath.exp(-mpf(s))),
        (by_log_std, 1 - z * z),
    )
    for got, expected in truth:
        if abs(expected) > mpf(1.7e308):
            assert float(got) == math.copysign(INF, expected)
        else:
            assert off(got, expected, scale=1e-300) <= 8 or abs(expected) < 1e-290


@pytest.mark.parametrize("std", [1e-200, 1e-3, 1.0, 1e200])
def test_any_std_that_floats_hold(std: float) -> None:
    y = 2 * std
    value, (by_mean, by_std) = gaussian_nll(y, 0.0, std=std, return_grad=True)
    assert float(value) == pytest.approx(2 + math.log(std) + 0.5 * math.log(2 * math.pi))
    assert float(by_mean) == pytest.approx(-2 / std, rel=4 * EPS, abs=0)
    assert float(by_std) == pytest.approx(-3 / std, rel=4 * EPS, abs=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"^exactly one of std, variance, log_std must be given, got none$"),
        (
            {"std": 1.0, "log_std": 0.0},
            r"^exactly one of std, variance, log_std must be given, got std and log_std$",
        ),
        ({"log_std": [INF, 0.0]}, r"^log_std\[0\] = inf must be finite$"),
        ({"log_std": -INF}, r"^log_std = -inf must be finite$"),
    ],
)
def test_gaussian_errors(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gaussian_nll([0.0, 1.0], 0.0, **options)


def test_a_kink_has_the_slope_zero() -> None:
    """At y = loc, between the slopes of either side."""
    for function in (laplace_nll, OF_LOCATIONS["asymmetric"][0]):
        value, (by_loc, by_scale) = function(1.5, 1.5, 2.0, return_grad=True)
        assert np.isfinite(value)
        assert by_loc == 0
        assert by_scale == 0.5


@pytest.mark.parametrize("df", [1e-3, 0.1, 1.0, 2.0, 5.0, 19.99, 30.0, 1e3, 1e8, 1e12, 1e300])
@pytest.mark.parametrize("z", [0.0, 1e-8, 0.3, 1.0, 30.0, 1e6, 1e200])
def test_student_t_at_any_df(df: float, z: float) -> None:
    nu, x = mpf(df), mpf(z)
    with mpmath.workdps(400):  # log Γ of 1e300 leaves no digit of a difference below that
        if df < 1e290:
            log_c = mpmath.loggamma(nu / 2) - mpmath.loggamma((nu + 1) / 2)
            log_c += mpmath.log(nu * mpmath.pi) / 2
        else:
            log_c = mpmath.log(2 * mpmath.pi) / 2
        log_c += mpmath.log(3)
        expected = log_c + (nu + 1) / 2 * mpmath.log1p(x**2 / nu)
    scale = 3.0
    value, (by_loc, by_scale) = student_t_nll(scale * z, 0.0, scale, df, return_grad=True)
    z_rounded = abs(float(expected)) * 4 + 2
    assert off(value, expected) <= max(8.0, 2 * float(z_rounded > 1e15))
    if mpf(z) ** 2 < mpf(10) ** 300:
        assert off(by_loc, -(nu + 1) * x / (nu + x**2) / 3, 1e-300) <= 8
        slope = (1 - x**2) / (1 + x**2 / nu) / 3
        assert off(by_scale, slope) <= 8


def test_student_t_becomes_cauchy_and_gaussian() -> None:
    y, (loc, scale) = draw(LOSSES["student t"], 30)
    cauchy = -scipy.stats.cauchy.logpdf(y, loc, scale)
    np.testing.assert_allclose(
        student_t_nll(y, loc, scale, 1, reduction="none"), cauchy, rtol=1e-13, atol=1e-14
    )
    gauss = gaussian_nll(y, loc, std=scale, reduction="none", return_grad=True)
    student = student_t_nll(y, loc, scale, 1e17, reduction="none", return_grad=True)
    np.testing.assert_allclose(student[0], gauss[0], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(student[1], gauss[1], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("delta", [1e-6, 0.01, 0.5, 1.0, 1.345, 3.0, 8.0, 40.0, 1e160])
def test_hubers_constant_is_the_integral(delta: float) -> None:
    area = mpmath.sqrt(2 * mpmath.pi) if delta > 30 else mpf(str(huber_area(delta)))
    got = huber_nll(0.0, 0.0, 1.0, delta)
    assert off(got, mpmath.log(area)) <= 4


@pytest.mark.parametrize(("delta", "below"), [(1.345, 0.6803739), (1.5, 0.6842623)])
def test_huber_against_another_programs_distribution_function(delta: float, below: float) -> None:
    """P(Y <= 0.5) as the R package hoa prints it for ``pHuber(0.5)``."""
    got = 0.5 + scipy.integrate.quad(lambda y: math.exp(-huber_nll(y, 0.0, 1.0, delta)), 0, 0.5)[0]
    assert got == pytest.approx(below, abs=6e-8)


def test_huber_becomes_gaussian_and_laplace() -> None:
    y, (loc, scale) = draw(LOSSES["huber"], 30)
    gauss = gaussian_nll(y, loc, std=scale, reduction="none", return_grad=True)
    huber = huber_nll(y, loc, scale, 50.0, reduction="none", return_grad=True)
    np.testing.assert_allclose(huber[0], gauss[0], rtol=1e-14)
    np.testing.assert_allclose(huber[1], gauss[1], rtol=1e-13, atol=1e-14)
    delta = 1e-9
    laplace = laplace_nll(y, loc, scale / delta, reduction="none")
    np.testing.assert_allclose(
        huber_nll(y, loc, scale, delta, reduction="none"), laplace, rtol=1e-12
    )


def test_huber_is_smooth_where_its_tail_begins() -> None:
    for side in (1, -1):
        z = side * np.nextafter(1.345, [0, 9])
        value, (slope, _) = huber_nll(z, 0.0, 1.0, 1.345, reduction="none", return_grad=True)
        np.testing.assert_allclose(value[0], value[1], rtol=4 * EPS)
        np.testing.assert_allclose(slope, -side * 1.345, rtol=2 * EPS)


def test_hubers_delta_cannot_be_chosen_without_the_constant() -> None:
    """ρ alone falls with delta; the likelihood has a best one, here between 0.1 and 10."""
    y = scipy.stats.laplace.ppf((np.arange(200) + 0.5) / 200) + scipy.stats.norm.ppf(
        (np.arange(200)[::-1] * 37 % 200 + 0.5) / 200
    )
    deltas = np.geomspace(0.01, 20, 60)
    losses = [float(huber_nll(y, 0.0, 1.0, d)) for d in deltas]
    constants = [float(huber_nll(0.0, 0.0, 1.0, d)) for d in deltas]
    rho = np.array(losses) - constants
    assert np.all(np.diff(rho) >= -1e-12)
    assert 0.1 < deltas[int(np.argmin(losses))] < 10


def test_asymmetric_laplace_at_one_half_is_laplace() -> None:
    y, (loc, scale) = draw(LOSSES["asymmetric laplace"], 30)
    half = asymmetric_laplace_nll(y, loc, scale, 0.5, reduction="none", return_grad=True)
    laplace = laplace_nll(y, loc, 2 * scale, reduction="none", return_grad=True)
    np.testing.assert_allclose(half[0], laplace[0], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(half[1][0], laplace[1][0], rtol=1e-14)
    np.testing.assert_allclose(half[1][1], 2 * laplace[1][1], rtol=1e-14)


@pytest.mark.parametrize(
    ("function", "name", "bad", "expected"),
    [
        *((student_t_nll, "df", bad, "finite and > 0") for bad in (0.0, -1.0, INF, NAN)),
        *((huber_nll, "delta", bad, "finite and > 0") for bad in (0.0, -1.0, INF, NAN)),
        *(
            (asymmetric_laplace_nll, "quantile", bad, r"in \(0, 1\)")
            for bad in (0.0, 1.0, -0.5, 1.5, INF, NAN)
        ),
    ],
)
def test_numbers_chosen_beforehand(
    function: Callable[..., Any], name: str, bad: float, expected: str
) -> None:
    with pytest.raises(ValueError, match=rf"^{name} = {bad:g} must be {expected}$"):
        function([0.0, 1.0], 0.0, 1.0, bad)
    with pytest.raises(ValueError, match=rf"^{name} must be one number, got shape \(2,\)$"):
        function([0.0, 1.0], 0.0, 1.0, [0.5, 0.5])


# --- poisson_nll ---------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [0, 1, 2, 5, 15, 16, 100, 12345, 10**9, 10**15])
@pytest.mark.parametrize("ratio", [1e-9, 0.1, 0.6, 0.9, 0.999, 1.0, 1 + 1e-8, 1.2, 2.0, 1e4])
def test_poisson_at_any_count(y: int, ratio: float) -> None:
    rate = max(y, 1) * ratio
    n, m = mpf(y), mpf(rate)
    with mpmath.workdps(60):
        expected = m - n * mpmath.log(m) + mpmath.loggamma(n + 1)
    value, slope = poisson_nll(y, rate=rate, return_grad=True)
    assert off(value, expected, scale=0) <= 16
    assert off(slope, 1 - n / m, scale=0) <= 2
    eta = math.log(rate)
    m = mpmath.exp(mpf(eta))
    with mpmath.workdps(60):
        expected = m - n * mpf(eta) + mpmath.loggamma(n + 1)
    value, slope = poisson_nll(y, log_rate=eta, return_grad=True)
    # rounding the rate moves the loss by |rate − y| eps
    room = 16 * expected + 2 * abs(m - n)
    assert abs(mpf(float(value)) - expected) <= EPS * room
    assert off(slope, m - n, scale=float(m)) <= 2


@pytest.mark.parametrize(
    ("y", "rate", "value", "slope"),
    [
        (0, 0.0, 0.0, 1.0),
        (3, 0.0, INF, -INF),
        (0, 2.5, 2.5, 1.0),
        (0, 1e308, 1e308, 1.0),
        (1, 1e-310, 310 * math.log(10), -1e310),
    ],
)
def test_poisson_at_the_edges_of_rate(y: int, rate: float, value: float, slope: float) -> None:
    got, gradient = poisson_nll(y, rate=rate, return_grad=True)
    assert float(got) == pytest.approx(value, rel=4 * EPS, abs=0)
    assert float(gradient) == pytest.approx(slope, rel=4 * EPS, abs=0)


def test_poisson_of_an_unknown_rate() -> None:
    for name in ("rate", "log_rate"):
        options: Any = {name: [NAN, 1.0], "reduction": "none", "return_grad": True}
        value, gradient = poisson_nll([0, 0], **options)
        np.testing.assert_array_equal(np.isnan(value), [True, False])
        np.testing.assert_array_equal(np.isnan(gradient), [True, False])


@pytest.mark.parametrize(
    ("y", "log_rate", "value", "slope"),
    [
        (0, -INF, 0.0, 0.0),
        (2, -INF, INF, -2.0),
        (2, -800.0, 1600 + math.log(2), -2.0),
        (2, -720.0, 1440 + math.log(2), -2.0),
        (0, 800.0, INF, INF),
        (5, 800.0, INF, INF),
    ],
)
def test_poisson_at_the_edges_of_log_rate(
    y: int, log_rate: float, value: float, slope: float
) -> None:
    got, gradient = poisson_nll(y, log_rate=log_rate, return_grad=True)
    assert float(got) == pytest.approx(value, rel=4 * EPS, abs=0)
    assert float(gradient) == pytest.approx(slope, rel=4 * EPS, abs=0)


@pytest.mark.parametrize(
    ("y", "options", "message"),
    [
        ([1, 1.5], {"rate": 1.0}, r"^y\[1\] = 1.5 must be a count 0, 1, 2, …$"),
        ([-1], {"rate": 1.0}, r"^y\[0\] = -1 must be a count 0, 1, 2, …$"),
        ([INF], {"log_rate": 1.0}, r"^y\[0\] = inf must be a count 0, 1, 2, …$"),
        ([1], {"rate": [-0.5]}, r"^rate\[0\] = -0.5 must be finite and >= 0$"),
        ([1], {"rate": INF}, r"^rate = inf must be finite and >= 0$"),
        ([1], {"log_rate": [INF]}, r"^log_rate\[0\] = inf must be below infinity$"),
        ([1], {}, r"^exactly one of rate, log_rate must be given, got none$"),
        ([1], {"rate": 1.0, "log_rate": 0.0}, r"^exactly one of .*, got rate and log_rate$"),
    ],
)
def test_poisson_errors(y: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        poisson_nll(y, **options)


# --- Change the model, not the loss --------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "loss", "x"),
    [
        (Bernoulli(0.3), lambda x, **o: bernoulli_nll(x, probs=0.3, **o), [0, 1, 1, 0]),
        (Gaussian(0.5, 2), lambda x, **o: gaussian_nll(x, 0.5, std=2, **o), [0.5, -4.0, 9.25]),
        (Laplace(0.5, 2), lambda x, **o: laplace_nll(x, 0.5, 2, **o), [0.5, -4.0, 9.25]),
        (StudentT(3, 0.5, 2), lambda x, **o: student_t_nll(x, 0.5, 2, 3, **o), [0.5, -4, 9.25]),
        (Poisson(2.5), lambda x, **o: poisson_nll(x, rate=2.5, **o), [0, 3, 2, 40]),
        (
            Categorical(np.array([0.5, 0.375, 0.125])),
            lambda x, **o: categorical_nll(
                x, probs=np.broadcast_to([0.5, 0.375, 0.125], (len(x), 3)), **o
            ),
            [0, 2, 1, 1],
        ),
    ],
)
@REDUCTIONS
def test_losses_are_the_nll_of_their_distributions(
    model: Any, loss: Callable[..., Any], x: list[Any], reduction: Any
) -> None:
    w = weights(len(x))
    np.testing.assert_allclose(
        loss(x, reduction=reduction), nll(x, model, reduction=reduction), rtol=1e-14
    )
    np.testing.assert_allclose(
        loss(x, sample_weight=w, reduction=reduction), nll(x, model, w, reduction), rtol=1e-14
    )


def test_one_gradient_for_four_losses() -> None:
    """With their canonical links: prediction − observation."""
    rng = np.random.default_rng(27)
    z = rng.normal(0, 1, 9)
    options: dict[str, Any] = {"reduction": "none", "return_grad": True}
    y = rng.integers(0, 2, 9)
    sigma = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(bernoulli_nll(y, logits=z, **options)[1], sigma - y, rtol=1e-13)
    np.testing.assert_allclose(
        poisson_nll(y, log_rate=z, **options)[1], np.exp(z) - y, rtol=1e-13, atol=1e-15
    )
    np.testing.assert_allclose(gaussian_nll(y, z, std=1.0, **options)[1][0], z - y, rtol=1e-13)
    table = rng.normal(0, 1, (9, 2))
    np.testing.assert_allclose(
        categorical_nll(y, logits=table, **options)[1], softmax(table) - np.eye(2)[y], rtol=1e-12
    )


@pytest.mark.slow
def test_ten_million_float32_terms() -> None:
    """A thousand terms, each ten thousand times: the exact mean is that of the thousand."""
    rng = np.random.default_rng(28)
    few = rng.normal(2, 3, 1000).astype(np.float32)
    many = np.tile(few, 10_000)
    truth = mp.fsum(mp.log(1 + mp.exp(-mp.mpf(float(z)))) for z in few) / 1000
    wide = bernoulli_nll(np.float64(1), logits=many)
    assert wide.dtype == np.float64
    assert abs(float((mp.mpf(float(wide)) - truth) / truth)) <= 1e-12
    single = bernoulli_nll(1, logits=many)
    assert single.dtype == np.float32
    assert abs(float((mp.mpf(float(single)) - truth) / truth)) <= 0.5001 * EPS32
