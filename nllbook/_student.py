"""The search for location and scale of Student's t: one root inside another."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def fit_t(x: Floats, nu: float) -> tuple[float, float]:
    """Where the profile log-likelihood, ℓ(loc) = max over scale of ℓ(loc, scale), is largest.

    With t = (x − loc)/scale and a = t²/(ν + t²), and means over the samples:
    ℓ/n = −log scale − ½(ν + 1) mean log(1 + t²/ν) + const, of which the derivatives are
    (ν + 1) mean(a/t)/scale by loc and (ν + 1) mean(a) − 1 by log scale.
    """

    def at(loc: float) -> tuple[float, Floats, Floats]:
        scale = math.exp(_best_log_scale(np.abs(x - loc), nu))
        t = (x - loc) / scale
        return scale, t, 1 / (1 + nu / t**2)

    def slope(loc: float) -> tuple[float, float, float]:
        """scale · ℓ′(loc)/n, its derivative, and the scale."""
        scale, t, a = at(loc)
        pull = np.where(t == 0, 0.0, a / t)
        by_loc = -(nu + 1) / nu * np.mean((1 - a) * (1 - 2 * a))
        by_both = -2 * (nu + 1) * np.mean(pull * (1 - a))
        by_log_scale = -2 * (nu + 1) * np.mean(a * (1 - a))
        curvature = by_loc - by_both**2 / by_log_scale
        return float((nu + 1) * np.mean(pull)), float(curvature / scale), scale

    def log_likelihood(loc: float) -> float:
        scale, t, _ = at(loc)  # the root of 1 + t²/ν by hypot, which does not overflow
        return -math.log(scale) - (nu + 1) * float(np.mean(np.log(np.hypot(1, t / math.sqrt(nu)))))

    with np.errstate(all="ignore"):
        points = np.array([x.min(), x.max()])
        if nu < 1:
            points = np.unique(x if x.size <= 200 else np.quantile(x, np.linspace(0, 1, 200)))
            points = np.sort(np.concatenate([points, (points[1:] + points[:-1]) / 2]))
        rises = [slope(point)[0] > 0 for point in points]
        maxima = [
            _root(slope, points[i], points[i + 1], 0.5 * (points[i] + points[i + 1]))
            for i in range(len(points) - 1)
            if rises[i] and not rises[i + 1]
        ]
        best = max(maxima, key=log_likelihood)
        return float(best), at(best)[0]


def _best_log_scale(distance: Floats, nu: float) -> float:
    """The log of the scale under which samples at these distances from loc are most probable.

    It is where (ν + 1) mean(a) − 1 = 0, which falls with the scale: samples at a distance 0 have
    a = 0, the others go from a = 1 to 0, so it goes from room = (ν + 1) · (share of the others) − 1
    to −1. Were the others all at their largest distance, the root would be at most that distance;
    at their smallest, it would be that distance times √(room/ν).
    """
    away = distance[distance > 0]
    share = away.size / distance.size
    room = (nu * away.size - (distance.size - away.size)) / distance.size

    def slope(u: float) -> tuple[float, float, float]:
        a = 1 / (1 + nu * (math.exp(u) / away) ** 2)
        value = (nu + 1) * share * float(np.mean(a)) - 1
        return value, -2 * (nu + 1) * share * float(np.mean(a * (1 - a))), 1.0

    low = math.log(away.min()) + 0.5 * (math.log(room) - math.log(nu))
    high = math.log(away.max())
    return _root(slope, low - 1, high + 1, math.log(np.median(away)))


def _root(
    f: Callable[[float], tuple[float, float, float]], low: float, high: float, start: float
) -> float:
    """The root between low and high of a function that is positive at low, not so at high.

    ``f(x)`` is its value, its derivative, and the length to measure an error in x against. Newton's
    steps square the error: after one below 1e-9 only rounding is left. Where they leave the
    bracket, or do not halve, the bracket is halved instead.
    """
    x, step = start, high - low
    while True:
        value, derivative, unit = f(x)
        low, high = (x, high) if value > 0 else (low, x)
        guess = x - value / derivative if derivative < 0 else math.nan
        if abs(guess - x) <= 1e-9 * unit:
            return guess
        if not (low < guess < high and abs(guess - x) < 0.5 * step):
            guess = low + 0.5 * (high - low)
            if guess in (low, high):
                return guess
        x, step = guess, abs(guess - x)
