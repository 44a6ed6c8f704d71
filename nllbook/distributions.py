"""The models of the book: each says how probable a value is, and fits itself to data.

A distribution here is *one* distribution: its parameters are numbers (a vector for Categorical),
and its methods take data of any shape.

=========================  ==========================================  =========================
model                      log_prob(x) on its support                  fit(x), maximum likelihood
=========================  ==========================================  =========================
Bernoulli(p)               x log p + (1 − x) log(1 − p)                mean
Categorical(probs)         log probs[x]                                frequencies
Poisson(rate)              x log rate − rate − log x!                  mean
Exponential(rate)          log rate − rate · x                         1 / mean
Gamma(shape, rate)         (shape − 1) log x − rate · x                Newton's method on log shape;
                           + shape log rate − log Γ(shape)             rate = shape / mean
Gaussian(mean, std)        −½ ((x − mean)/std)² − log std − ½ log 2π   mean, √(mean of (x − mean)²)
Laplace(loc, scale)        −abs(x − loc)/scale − log 2 scale           median, mean of abs(x − loc)
StudentT(df, loc, scale)   −½ (df + 1) log(1 + z²/df) − log scale      roots of the score in loc and
                           + a constant, z = (x − loc)/scale           scale; df is given
Uniform(low, high)         −log(high − low)                            smallest, largest
=========================  ==========================================  =========================

Off its support a model gives probability 0, so ``log_prob`` is ``-inf``; NaN gives NaN.
See the chapter "Likelihood" for every derivation.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nllbook._gamma import half_step, log_minus_digamma, stirling
from nllbook._student import fit_t
from nllbook._validate import (
    degrees_of_freedom,
    integer,
    power_of_two,
    real_array,
    refuse,
    rounded,
    samples,
    scalar,
    shown,
)
from nllbook.information import deviance, probabilities
from nllbook.numerics import lgamma, xlogy
from nllbook.optimize import newton

LOG_2PI = math.log(2 * math.pi)
MOST_CLASSES = 10_000_000  # that Categorical.fit counts: far more words than any vocabulary has

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def is_whole(x: Floats) -> Bools:
    """Which values are integers (infinities are not)."""
    return np.asarray(np.isfinite(x) & (x == np.floor(x)))


class Distribution(ABC):
    """What all models share: ``prob(x) = exp(log_prob(x))``, and the support.

    See the chapter "Likelihood".

    Examples
    --------
    >>> model = Poisson(2.0)
    >>> isinstance(model, Distribution), model.log_prob([0, 0.5]).tolist()
    (True, [-2.0, -inf])
    """

    def log_prob(self, x: ArrayLike) -> Any:
        """Log-probability (or log-density) of each value, in nats.

        Parameters
        ----------
        x : array_like
            Real numbers, any shape.

        Returns
        -------
        ndarray or scalar
            The shape of ``x``; float32 where ``x`` is float32 or float16, else float64.
            ``-inf`` off the support, NaN where ``x`` is NaN.
        """
        array = real_array("x", x)
        wide = array.astype(np.float64, copy=False)
        logs = np.empty(wide.shape)
        with np.errstate(all="ignore"):  # the formulas of the models, too, are computed here
            inside = self._supports(wide)
            if np.all(inside):
                logs[...] = self._log_prob(wide)
            else:
                logs[...] = np.where(np.isnan(wide), np.nan, -np.inf)
                logs[inside] = self._log_prob(wide[inside])
        return rounded(logs, array.dtype)

    def prob(self, x: ArrayLike) -> Any:
        """Probability of each value, or density where the values are continuous.

        A density is a probability *per unit of x*: it can exceed 1. Shapes and types as in
        ``log_prob``.
        """
        array = real_array("x", x)
        with np.errstate(all="ignore"):
            return rounded(np.exp(self.log_prob(array.astype(np.float64))), array.dtype)

    @abstractmethod
    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[Any]:
        """Independent draws of the given size, from the caller's generator."""

    @abstractmethod
    def entropy(self) -> float:
        """The mean surprise E[−log p(X)] in nats (differential entropy for a density)."""

    @classmethod
    @abstractmethod
    def fit(cls, x: ArrayLike) -> Self:
        """The member of the family under which the data are most probable.

        Raises
        ------
        ValueError
            For data that are empty, not finite or off the support, and where no maximum exists.
        """

    @abstractmethod
    def _supports(self, x: Floats) -> Bools:
        """Which values the model can produce."""

    @abstractmethod
    def _log_prob(self, x: Floats) -> Floats:
        """The formula, for values on the support."""


@dataclass(frozen=True)
class Bernoulli(Distribution):
    """1 with probability ``p``, else 0: p^x · (1 − p)^(1 − x).

    See the chapter "Likelihood".

    Parameters
    ----------
    p : float
        Probability of a 1, in [0, 1].

    Examples
    --------
    >>> Bernoulli.fit([1, 0, 0, 1, 0])
    Bernoulli(p=0.4)
    """

    p: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "p", scalar("p", self.p, "in [0, 1]", low=0, closed=True))
        if self.p > 1:
            raise ValueError(f"p = {shown(self.p)} must be in [0, 1]")

    def _supports(self, x: Floats) -> Bools:
        return np.asarray((x == 0) | (x == 1))

    def _log_prob(self, x: Floats) -> Floats:
        return np.asarray(np.where(x == 1, np.log(self.p), np.log1p(-self.p)))

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.binomial(1, self.p, size)

    def entropy(self) -> float:
        if self.p in (0, 1):
            return 0.0
        return -self.p * math.log(self.p) - (1 - self.p) * math.log1p(-self.p)

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        data = samples("x", x)
        refuse("x", data, (data != 0) & (data != 1), "0 or 1")
        return cls(float(data.mean()))


@dataclass(frozen=True, eq=False)
class Categorical(Distribution):
    """Class ``c`` of 0, …, k − 1 with probability ``probs[c]``.

    See the chapter "Likelihood".

    Parameters
    ----------
    probs : array_like, shape (k,)
        Probabilities in [0, 1] that sum to 1 within k roundings (k · 2.2e-16; k · 1.2e-7 in
        float32). They are never renormalised.

    Examples
    --------
    >>> Categorical.fit([0, 2, 2, 1]).probs
    array([0.25, 0.25, 0.5 ])
    """

    probs: Floats

    def __post_init__(self) -> None:
        probs = real_array("probs", self.probs).astype(np.float64)
        if probs.ndim != 1 or probs.size == 0:
            raise ValueError(f"probs must have shape (k,) with k >= 1, got {probs.shape}")
        refuse("probs", probs, np.isnan(probs), "in [0, 1]")
        self.__setstate__({"probs": probabilities("probs", self.probs)[0]})

    def __setstate__(self, state: dict[str, Floats]) -> None:
        state["probs"].flags.writeable = False
        object.__setattr__(self, "probs", state["probs"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Categorical) and bool(np.array_equal(self.probs, other.probs))

    def __hash__(self) -> int:
        return hash(tuple(self.probs.tolist()))

    def _supports(self, x: Floats) -> Bools:
        return np.asarray(is_whole(x) & (x >= 0) & (x < self.probs.size))

    def _log_prob(self, x: Floats) -> Floats:
        return np.asarray(np.log(self.probs)[x.astype(np.int64)])

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        cumulative = np.cumsum(self.probs)  # up to rounding 1 at the end
        uniform = rng.random(size)
        return np.asarray(np.searchsorted(cumulative / cumulative[-1], uniform, side="right"))

    def entropy(self) -> float:
        return math.fsum(-xlogy(self.probs, self.probs))

    @classmethod
    def fit(cls, x: ArrayLike, k: int | None = None) -> Self:
        """The frequencies of the classes 0, …, k − 1 (k: one more than the largest seen).

        More than 10,000,000 classes are refused: such numbers are hardly indices of classes.
        """
        data = samples("x", x)
        refuse("x", data, (data < 0) | ~is_whole(data), "a class index 0, 1, 2, …")
        if k is not None:
            k = integer("k", k)
            if not 1 <= k <= MOST_CLASSES:
                raise ValueError(f"k = {k} must be at least 1 and at most {MOST_CLASSES}")
            refuse("x", data, data >= k, f"a class index in 0..{k - 1}")
        refuse("x", data, data >= MOST_CLASSES, f"a class index below {MOST_CLASSES}")
        counts = np.bincount(data.astype(np.int64), minlength=0 if k is None else k)
        return cls(counts / data.size)


@dataclass(frozen=True)
class Poisson(Distribution):
    """Counts 0, 1, 2, … of events that happen independently at a constant rate.

    The probability of x is rate^x · exp(−rate) / x!. See the chapter "Likelihood".

    Parameters
    ----------
    rate : float
        Mean count, >= 0 (a rate of 0 always gives 0).

    Examples
    --------
    >>> Poisson.fit([0, 2, 1, 1])
    Poisson(rate=1.0)
    """

    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "rate", scalar("rate", self.rate, "finite and >= 0", low=0, closed=True)
        )

    def _supports(self, x: Floats) -> Bools:
        return is_whole(x) & (x >= 0)

    def _log_prob(self, x: Floats) -> Floats:
        """x log rate − rate − log x!; the large terms cancel, so from 16 on they are not formed.

        Stirling's series log x! = x log x − x + ½ log 2πx + s(x) turns the formula into
        −[x log(x/rate) − x + rate] − ½ log 2πx − s(x), without cancellation (Loader 2000).
        """
        logs = np.empty(x.shape)
        few, many = x < 16, x[x >= 16]
        logs[few] = xlogy(x[few], self.rate) - self.rate - lgamma(x[few] + 1)
        r = 1 / many**2
        s = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / many
        rate = np.full_like(many, self.rate)
        logs[~few] = -deviance(many, rate) - 0.5 * (LOG_2PI + np.log(many)) - s
        return logs

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        """Independent draws. Rates above 9.2e18 are refused: an int64 could not hold the counts."""
        if self.rate > 9.2e18:
            raise ValueError(f"rate = {shown(self.rate)} must be at most 9.2e18 for int64 counts")
        return rng.poisson(self.rate, size)

    def entropy(self) -> float:
        """Sum of −p log p over the counts within 12 standard deviations (+ 40) of the mean.

        No closed form exists. What is left out has less than 1e-15 of the probability. From a
        rate of 1e6 on, ½ log(2πe rate) − 1/(12 rate) − 1/(24 rate²): Stirling's series for log X!
        and the moments of X − rate in E[−log p(X)]. The next term, −19/(360 rate³), is below 1e-19.
        """
        if self.rate >= 1e6:
            gaussian = 0.5 * (math.log(self.rate) + LOG_2PI + 1)
            return gaussian - (1 + 0.5 / self.rate) / (12 * self.rate)
        reach = 12 * math.sqrt(self.rate) + 40
        counts = np.arange(max(0, math.floor(self.rate - reach)), math.ceil(self.rate + reach) + 1)
        logs = self.log_prob(counts)
        possible = logs[logs > -np.inf]
        with np.errstate(all="ignore"):
            return math.fsum(-np.exp(possible) * possible)

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        data = samples("x", x)
        refuse("x", data, (data < 0) | ~is_whole(data), "a count 0, 1, 2, …")
        scale = power_of_two(data)  # exact, and no sum overflows
        return cls(scale * float((data / scale).mean()))


@dataclass(frozen=True)
class Exponential(Distribution):
    """Waiting times x >= 0 without memory, with density ``rate · exp(−rate · x)``.

    See the chapter "Likelihood".

    Parameters
    ----------
    rate : float
        Events per unit of x, > 0; the mean waiting time is ``1 / rate``.

    Examples
    --------
    >>> Exponential.fit([1.0, 3.0, 2.0])
    Exponential(rate=0.5)
    """

    rate: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "rate", scalar("rate", self.rate, "finite and > 0", low=0))

    def _supports(self, x: Floats) -> Bools:
        return x >= 0

    def _log_prob(self, x: Floats) -> Floats:
        return math.log(self.rate) - self.rate * x

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
        return rng.exponential(1 / self.rate, size)

    def entropy(self) -> float:
        return 1 - math.log(self.rate)

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        data = samples("x", x)
        refuse("x", data, data < 0, ">= 0")
        if not np.any(data > 0):
            raise ValueError("x is all zeros: the likelihood grows without bound as rate → ∞")
        scale = power_of_two(data)  # exact, and no sum overflows
        with np.errstate(all="ignore"):
            return cls(1 / (scale * float((data / scale).mean())))


@dataclass(frozen=True)
class Gamma(Distribution):
    """Positive amounts with density rate^shape · x^(shape − 1) · exp(−rate · x) / Γ(shape).

    See the chapter "Log-likelihood".

    Parameters
    ----------
    shape : float
        > 0. Above 1 the density has a peak, below it rises without bound towards x = 0;
        ``Gamma(1, rate)`` is ``Exponential(rate)``.
    rate : float
        In units of 1/x, > 0; the mean is ``shape / rate``, the variance ``shape / rate²``.

    Examples
    --------
    >>> round(float(Gamma(2.0, 3.0).prob(1.0)), 6)  # 3² · 1 · exp(−3) / 1!
    0.448084
    """

    shape: float
    rate: float

    def __post_init__(self) -> None:
        for name in ("shape", "rate"):
            value = scalar(name, getattr(self, name), "finite and > 0", low=0)
            object.__setattr__(self, name, value)

    def _supports(self, x: Floats) -> Bools:
        return (x >= 0) & (x < np.inf)

    def _log_prob(self, x: Floats) -> Floats:
        """k log βx − βx − log Γ(k) − log x; for k >= 1 its large terms are not formed.

        Stirling's series turns it into −[k log(k/βx) − k + βx] + ½ log(k/2π) − s(k) − log x,
        without cancellation: the bracket is small where x is probable (Loader 2000).
        """
        k = self.shape
        y = self.rate * x
        logs = k * (math.log(self.rate) + np.log(x)) - y - lgamma(k) - np.log(x)
        if k >= 1:
            few_terms = 0.5 * (math.log(k) - LOG_2PI) - stirling(k) - np.log(x)
            logs = np.where(y > 1e-300, few_terms - deviance(np.full_like(y, k), y), logs)
        at_zero = np.inf if k < 1 else math.log(self.rate) if k == 1 else -np.inf
        return np.where(x == 0, at_zero, logs)

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
        """Independent draws. With a small shape some are too small for a float, and so 0.0."""
        with np.errstate(all="ignore"):
            return np.asarray(rng.standard_gamma(self.shape, size) / self.rate)

    def entropy(self) -> float:
        """k − log β + log Γ(k) + (1 − k) ψ(k), for k >= 1 without the terms that cancel."""
        k = self.shape
        log_less_digamma = log_minus_digamma(k)[0]
        if k < 1:
            digamma = math.log(k) - log_less_digamma
            return k + math.lgamma(k) + (1 - k) * digamma - math.log(self.rate)
        bulk = 0.5 * (math.log(k) + LOG_2PI) - math.log(self.rate)
        return bulk + stirling(k) + (k - 1) * log_less_digamma

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        """Newton's method on u = log k; the rate that goes with a shape k is k / mean.

        With it the mean NLL is log Γ(k) − k log k + k + k s and a constant, where
        s = log(mean of x) − mean of log x > 0. It has one minimum, where log k − ψ(k) = s. In u no
        step can leave k > 0, and a closed form starts it within 1.5 % of the minimum.

        Raises
        ------
        ValueError
            For data that are empty, not finite, not > 0 (a zero makes the likelihood infinite for
            every shape below 1), or constant (it grows without bound with the shape).
        """
        data = samples("x", x)
        refuse("x", data, data <= 0, "> 0")
        if data.min() == data.max():
            raise ValueError(
                f"x is constant ({shown(data[0])}): the likelihood grows without bound as shape → ∞"
            )
        scale = power_of_two(data)  # exact, and no sum overflows
        with np.errstate(all="ignore"):
            mean = float((data / scale).mean())
            s = _log_mean_minus_mean_log(data, scale, mean)
        start = (3 - s + math.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
        shape = math.exp(newton(lambda u: _gamma_nll(u, s), math.log(start)).x[-1])
        return cls(shape, shape / mean / scale)


def _gamma_nll(u: float, s: float) -> tuple[float, float, float]:
    """The mean NLL at shape k = exp(u) and its best rate, but for a constant; two derivatives."""
    k = math.exp(u)
    excess, slope = log_minus_digamma(k)
    value = math.lgamma(k) - k * u + k + k * s
    return value, k * (s - excess), k * (s - excess) + k * k * slope


def _log_mean_minus_mean_log(x: Floats, scale: float, mean: float) -> float:
    """log(mean of x) − mean of log x, without cancellation where x is nearly constant.

    It is the mean of log(mean/x) − 1 + x/mean, no term of which is negative, for the exact mean.
    A mean with the relative error δ makes that ½ δ² too large. Here mean is that of x/scale.
    """
    scaled = x / scale
    terms = deviance(np.asarray(mean), scaled) / mean
    lost = scaled < 1e-300  # too small to be scaled
    terms[lost] = math.log(mean) + math.log(scale) - np.log(x[lost]) - 1
    error = float(np.mean((scaled - mean) / mean))
    return float(np.mean(terms)) - 0.5 * error**2


@dataclass(frozen=True)
class Gaussian(Distribution):
    """The normal distribution with the given mean and standard deviation.

    Its density is exp(−½ ((x − mean)/std)²) / (std · √(2π)). See the chapter "Likelihood".

    Parameters
    ----------
    mean : float
        Centre, in the units of x.
    std : float
        Standard deviation (not the variance), in the units of x, > 0.

    Examples
    --------
    >>> Gaussian.fit([1.0, 3.0])
    Gaussian(mean=2.0, std=1.0)
    """

    mean: float
    std: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", scalar("mean", self.mean, "finite", low=-math.inf))
        object.__setattr__(self, "std", scalar("std", self.std, "finite and > 0", low=0))

    def _supports(self, x: Floats) -> Bools:
        return ~np.isnan(x)

    def _log_prob(self, x: Floats) -> Floats:
        z = (x - self.mean) / self.std
        return -0.5 * z**2 - math.log(self.std) - 0.5 * LOG_2PI

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
        return rng.normal(self.mean, self.std, size)

    def entropy(self) -> float:
        return math.log(self.std) + 0.5 * (LOG_2PI + 1)

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        """The mean, and the root of the mean squared deviation (divided by n, not n − 1)."""
        data = samples("x", x)
        if data.min() == data.max():
            raise ValueError(
                f"x is constant ({shown(data[0])}): the likelihood grows without bound as std → 0"
            )
        scale = power_of_two(data)  # exact, and no square under- or overflows
        with np.errstate(all="ignore"):
            scaled = data / scale
            return cls(scale * float(scaled.mean()), scale * float(scaled.std(ddof=0)))


@dataclass(frozen=True)
class Laplace(Distribution):
    """Two exponentials back to back: density exp(−abs(x − loc)/scale) / (2 · scale).

    See the chapters "Log-likelihood" and "Mean squared error as Gaussian NLL".

    Parameters
    ----------
    loc : float
        Centre (mean and median), in the units of x.
    scale : float
        Mean distance from the centre, in the units of x, > 0; the standard deviation is √2 of it.

    Examples
    --------
    >>> Laplace.fit([1.0, 2.0, 9.0])
    Laplace(loc=2.0, scale=2.6666666666666665)
    """

    loc: float
    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "loc", scalar("loc", self.loc, "finite", low=-math.inf))
        object.__setattr__(self, "scale", scalar("scale", self.scale, "finite and > 0", low=0))

    def _supports(self, x: Floats) -> Bools:
        return ~np.isnan(x)

    def _log_prob(self, x: Floats) -> Floats:
        return -np.abs(x - self.loc) / self.scale - math.log(self.scale) - math.log(2)

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
        return rng.laplace(self.loc, self.scale, size)

    def entropy(self) -> float:
        return 1 + math.log(2) + math.log(self.scale)

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        """The median, and the mean distance from it.

        Of an even number of samples every point between the two in the middle is a maximum; the
        one taken is halfway, as by ``numpy.median``.
        """
        data = samples("x", x)
        if data.min() == data.max():
            raise ValueError(
                f"x is constant ({shown(data[0])}): the likelihood grows without bound as scale → 0"
            )
        unit = power_of_two(data)  # exact, and no sum overflows
        with np.errstate(all="ignore"):
            loc = float(np.median(data / unit))
            return cls(unit * loc, unit * float(np.abs(data / unit - loc).mean()))


@dataclass(frozen=True)
class StudentT(Distribution):
    """Student's t, moved and stretched: like the Gaussian in the middle, with heavy tails.

    The density at z = (x − loc)/scale is Γ((df+1)/2) / (Γ(df/2) √(π df) scale) times
    (1 + z²/df)^(−(df+1)/2). Far out it falls only like a power of x; for df → ∞ it
    becomes the Gaussian. See the chapter "Mean squared error as Gaussian NLL".

    Parameters
    ----------
    df : float
        Degrees of freedom, > 0: 1 gives the Cauchy distribution, which has no mean. Below 2.2e-308,
        where floats lose digits, refused.
    loc : float
        Centre, in the units of x.
    scale : float
        In the units of x, > 0. For df > 2 the standard deviation is scale · √(df/(df − 2)).

    Examples
    --------
    >>> round(float(StudentT(1.0, 0.0, 1.0).prob(0.0)), 6)  # 1/π
    0.31831
    """

    df: float
    loc: float
    scale: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "df", degrees_of_freedom(self.df))
        object.__setattr__(self, "loc", scalar("loc", self.loc, "finite", low=-math.inf))
        object.__setattr__(self, "scale", scalar("scale", self.scale, "finite and > 0", low=0))

    def _supports(self, x: Floats) -> Bools:
        return ~np.isnan(x)

    def _log_prob(self, x: Floats) -> Floats:
        """The constant from the logarithm of Γ((df+1)/2) / (Γ(df/2) √(df/2)), in one piece."""
        constant = half_step(self.df / 2)[0] - 0.5 * LOG_2PI - math.log(self.scale)
        distance = np.abs(x - self.loc)
        squared = (distance / self.scale / math.sqrt(self.df)) ** 2
        # far out log(1 + z²/df) is log(z²/df), which does not overflow
        far = 2 * (np.log(distance) - math.log(self.scale)) - math.log(self.df)
        logs = np.where(squared < 1e18, np.log1p(squared), far)
        return constant - (0.5 * self.df + 0.5) * logs

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
        """Independent draws. With a small df some are too large for a float, and so infinite."""
        with np.errstate(all="ignore"):
            return np.asarray(self.loc + self.scale * rng.standard_t(self.df, size))

    def entropy(self) -> float:
        """½(df+1) [ψ(½(df+1)) − ψ(½df)] − log Γ(½(df+1)) + log Γ(½df) + ½ log(π df) + log scale."""
        log_ratio, difference = half_step(self.df / 2)
        return (0.5 * self.df + 0.5) * difference - log_ratio + 0.5 * LOG_2PI + math.log(self.scale)

    @classmethod
    def fit(cls, x: ArrayLike, df: float) -> Self:  # type: ignore[override]
        """Location and scale for the given df: no closed form, but one search inside another.

        For any loc the best scale is the one root of a decreasing function. With that scale the
        log-likelihood is a function of loc alone. For df >= 1 it has one stationary point, its
        maximum (Kent, Tyler and Vardi 1994), where its slope changes sign between the smallest
        and the largest sample. For df < 1 it may have several maxima: changes of sign are sought
        at the samples (at 200 quantiles where there are more) and halfway between them, and the
        best maximum found is returned.

        Raises
        ------
        ValueError
            For a df that is not finite and > 0, data that are empty or not finite, and where a
            share of df/(df + 1) or more of the samples coincide: the likelihood then grows
            without bound as scale → 0 there. (At that very share it stays bounded, and for df < 1
            it may have a maximum elsewhere, which is not sought.)
        """
        nu = degrees_of_freedom(df)
        data = samples("x", x)
        unit = power_of_two(data)  # exact, and no difference overflows
        with np.errstate(all="ignore"):
            centre = float(np.median(data / unit))
            centred = data / unit - centre
        values, counts = np.unique(centred, return_counts=True)
        most = int(counts.max())
        if most >= nu * (data.size - most):
            where = data[centred == values[counts.argmax()]][0]
            raise ValueError(
                f"{most} of the {data.size} values of x are {shown(where)}: from a share of "
                f"df/(df + 1) on, {nu / (nu + 1):.3g} for df = {shown(nu)}, no maximum is sought, "
                "as the likelihood stays large or grows without bound as scale → 0"
            )
        # from 1e20 on it is the Gaussian to the last bit, and larger numbers might overflow
        loc, scale = fit_t(centred, min(nu, 1e20))
        return cls(nu, unit * (centre + loc), unit * scale)


@dataclass(frozen=True)
class Uniform(Distribution):
    """Every value of the closed interval [low, high] alike, with density 1/(high − low).

    See the chapter "Likelihood".

    Parameters
    ----------
    low, high : float
        Ends of the interval, in the units of x, ``low < high``. Both belong to it.

    Examples
    --------
    >>> Uniform.fit([0.5, 0.0, 2.0])
    Uniform(low=0.0, high=2.0)
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", scalar("low", self.low, "finite", low=-math.inf))
        object.__setattr__(
            self,
            "high",
            scalar("high", self.high, f"finite and > low = {shown(self.low)}", low=self.low),
        )
        scalar("high - low", self.high - self.low, "finite", low=0)

    def _supports(self, x: Floats) -> Bools:
        return (x >= self.low) & (x <= self.high)

    def _log_prob(self, x: Floats) -> Floats:
        return np.full(x.shape, -math.log(self.high - self.low))

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> Floats:
        return rng.uniform(self.low, self.high, size)

    def entropy(self) -> float:
        return math.log(self.high - self.low)

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        data = samples("x", x)
        if data.min() == data.max():
            raise ValueError(
                f"x is constant ({shown(data[0])}): "
                "the likelihood grows without bound as high → low"
            )
        return cls(float(data.min()), float(data.max()))
