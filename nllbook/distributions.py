"""The models of the book: each says how probable a value is, and fits itself to data.

A distribution here is *one* distribution: its parameters are numbers (a vector for Categorical),
and its methods take data of any shape.

========================  ==========================================  =========================
model                     log_prob(x) on its support                  fit(x), maximum likelihood
========================  ==========================================  =========================
Bernoulli(p)              x log p + (1 − x) log(1 − p)                mean
Categorical(probs)        log probs[x]                                frequencies
Poisson(rate)             x log rate − rate − log x!                  mean
Exponential(rate)         log rate − rate · x                         1 / mean
Gaussian(mean, std)       −½ ((x − mean)/std)² − log std − ½ log 2π   mean, √(mean of (x − mean)²)
Uniform(low, high)        −log(high − low)                            smallest, largest
========================  ==========================================  =========================

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

from nllbook._validate import power_of_two, real_array, refuse, rounded, samples, scalar
from nllbook.numerics import lgamma, xlogy

LOG_2PI = math.log(2 * math.pi)

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def _phi(u: Floats) -> Floats:
    """φ(u) = u − log(1 + u), without cancellation where u is small.

    With v = u/(2 + u), log(1 + u) = 2 (v + v³/3 + v⁵/5 + …) and u − 2v = u v. For |u| < 0.1 the
    terms left out are below 1e-17 of the result.
    """
    v = u / (2 + u)
    w = v * v
    tail = 1 / 3 + w * (1 / 5 + w * (1 / 7 + w * (1 / 9 + w * (1 / 11 + w / 13))))
    return np.where(np.abs(u) < 0.1, u * v - 2 * v * w * tail, u - np.log1p(u))


def is_whole(x: Floats) -> Bools:
    """Which values are integers (infinities are not)."""
    return np.asarray(np.isfinite(x) & (x == np.floor(x)))


class Distribution(ABC):
    """What all models share: probabilities from log-probabilities, and the support."""

    def log_prob(self, x: ArrayLike) -> Any:
        """Log-probability (or log-density) of each value, in nats.

        Parameters
        ----------
        x : array_like
            Real numbers, any shape.

        Returns
        -------
        ndarray or scalar
            The shape of ``x``; float32 where ``x`` is float32, else float64.
            ``-inf`` off the support, NaN where ``x`` is NaN.
        """
        array = real_array("x", x)
        wide = array.astype(np.float64)
        inside = self._supports(wide)
        logs = np.full(wide.shape, -np.inf)
        logs[np.isnan(wide)] = np.nan
        logs[inside] = self._log_prob(wide[inside])
        return rounded(logs, array.dtype)

    def prob(self, x: ArrayLike) -> Any:
        """Probability of each value, or density where the values are continuous.

        A density is a probability *per unit of x*: it can exceed 1. Shapes and types as in
        ``log_prob``.
        """
        array = real_array("x", x)
        with np.errstate(over="ignore", under="ignore"):
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
    """1 with probability ``p``, else 0.

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
            raise ValueError(f"p = {self.p:g} must be in [0, 1]")

    def _supports(self, x: Floats) -> Bools:
        return np.asarray((x == 0) | (x == 1))

    def _log_prob(self, x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
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

    Parameters
    ----------
    probs : array_like, shape (k,)
        Probabilities that sum to 1 within k float64 roundings (k · 2.2e-16; never renormalised).

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
        refuse("probs", probs, ~((probs >= 0) & (probs <= 1)), "in [0, 1]")
        total = math.fsum(probs)
        if abs(total - 1) > probs.size * np.finfo(real_array("probs", self.probs).dtype).eps:
            raise ValueError(f"probs must sum to 1, got a sum of {total!r}")
        self.__setstate__({"probs": probs})

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
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.probs)[x.astype(np.int64)])

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.choice(self.probs.size, size=size, p=self.probs)

    def entropy(self) -> float:
        return math.fsum(-xlogy(self.probs, self.probs))

    @classmethod
    def fit(cls, x: ArrayLike, k: int | None = None) -> Self:
        """The frequencies of the classes 0, …, k − 1 (k: one more than the largest seen)."""
        data = samples("x", x)
        refuse("x", data, (data < 0) | ~is_whole(data), "a class index 0, 1, 2, …")
        if k is not None:
            if not isinstance(k, int | np.integer):
                raise TypeError(f"k must be an integer, got {type(k).__name__}")
            if k < 1:
                raise ValueError(f"k = {k} must be at least 1")
            refuse("x", data, data >= k, f"a class index in 0..{k - 1}")
        counts = np.bincount(data.astype(np.int64), minlength=0 if k is None else k)
        return cls(counts / data.size)


@dataclass(frozen=True)
class Poisson(Distribution):
    """Counts 0, 1, 2, … of events that happen independently at a constant rate.

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
        −x φ((rate − x)/x) − ½ log 2πx − s(x), which has no cancellation (Loader 2000).
        """
        logs = np.empty(x.shape)
        few, many = x < 16, x[x >= 16]
        logs[few] = xlogy(x[few], self.rate) - self.rate - lgamma(x[few] + 1)
        with np.errstate(divide="ignore", over="ignore"):
            r = 1 / many**2
            s = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / many
            deviance = many * _phi((self.rate - many) / many)
            logs[~few] = -deviance - 0.5 * (LOG_2PI + np.log(many)) - s
        return logs

    def sample(self, size: int | tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
        return rng.poisson(self.rate, size)

    def entropy(self) -> float:
        """Sum of −p log p over the counts within 12 standard deviations (+ 40) of the mean.

        No closed form exists. What is left out has less than 1e-15 of the probability.
        """
        reach = 12 * math.sqrt(self.rate) + 40
        counts = np.arange(max(0, math.floor(self.rate - reach)), math.ceil(self.rate + reach) + 1)
        logs = self.log_prob(counts)
        possible = logs > -np.inf
        return math.fsum(-np.exp(logs[possible]) * logs[possible])

    @classmethod
    def fit(cls, x: ArrayLike) -> Self:
        data = samples("x", x)
        refuse("x", data, (data < 0) | ~is_whole(data), "a count 0, 1, 2, …")
        return cls(float(data.mean()))


@dataclass(frozen=True)
class Exponential(Distribution):
    """Waiting times x >= 0 without memory, with density ``rate · exp(−rate · x)``.

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
        with np.errstate(over="ignore"):
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
        return cls(1 / (scale * float((data / scale).mean())))


@dataclass(frozen=True)
class Gaussian(Distribution):
    """The normal distribution with the given mean and standard deviation.

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
        with np.errstate(over="ignore"):
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
                f"x is constant ({data[0]:g}): the likelihood grows without bound as std → 0"
            )
        scale = power_of_two(data)  # exact, and no square under- or overflows
        scaled = data / scale
        return cls(scale * float(scaled.mean()), scale * float(scaled.std(ddof=0)))


@dataclass(frozen=True)
class Uniform(Distribution):
    """Every value of the closed interval [low, high] alike.

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
            scalar("high", self.high, f"finite and > low = {self.low:g}", low=self.low),
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
                f"x is constant ({data[0]:g}): the likelihood grows without bound as high → low"
            )
        return cls(float(data.min()), float(data.max()))
