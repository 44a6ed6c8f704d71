"""What is left of log Γ and ψ once their large parts have cancelled: for the gamma and t models.

The series are those of log Γ(x) and log Γ(x + ½) for large x (DLMF 5.11.1 and 5.11.8); smaller
arguments are raised to 16 by the recurrence Γ(x + 1) = x Γ(x), whose terms are written so that
nothing cancels either.
"""

from __future__ import annotations

import math
import sys

import numpy as np

from nllbook.numerics import _BERNOULLI

LARGEST = sys.float_info.max

_K = np.arange(1, _BERNOULLI.size + 1)
_STIRLING = _BERNOULLI / (2 * _K * (2 * _K - 1))  # of log Γ(x), at x¹⁻²ᵏ
_HALF_STEP = (2.0 ** (1 - 2 * _K) - 2) * _STIRLING  # of log Γ(x + ½) − log Γ(x) − ½ log x


@np.errstate(all="ignore")
def stirling(x: float) -> float:
    """log Γ(x) − [(x − ½) log x − x + ½ log 2π] for x >= 1.

    It falls by (x + ½) log(1 + 1/x) − 1 from x to x + 1; with v = 1/(2x + 1) that is
    artanh(v)/v − 1 = v²/3 + v⁴/5 + …
    """
    total = 0.0
    while x < 16:
        w = (2 * x + 1) ** -2
        total += sum(w**i / (2 * i + 1) for i in range(1, 18))
        x += 1
    return total + float(np.sum(_STIRLING * x ** (1.0 - 2 * _K)))


@np.errstate(all="ignore")
def log_minus_digamma(x: float) -> tuple[float, float]:
    """log x − ψ(x) for x > 0, and the negative of its derivative, ψ′(x) − 1/x."""
    value = slope = 0.0
    while x < 16:
        value += 1 / x - math.log1p(min(1 / x, LARGEST))  # no infinite number less another
        slope += 1 / x / x / (x + 1)
        x += 1
    value += 0.5 / x + float(np.sum((2 * _K - 1) * _STIRLING * x ** (-2.0 * _K)))
    slope += 0.5 / x / x + float(np.sum(_BERNOULLI * x ** (-1.0 - 2 * _K)))
    return value, slope


@np.errstate(all="ignore")
def half_step(x: float) -> tuple[float, float]:
    """log Γ(x + ½) − log Γ(x) − ½ log x, and ψ(x + ½) − ψ(x), for x > 0."""
    ratio, difference, low = 1.0, 0.0, x
    while x < 16:
        ratio *= x / (x + 0.5)
        difference += 0.5 / (x * (x + 0.5))
        x += 1
    log_ratio = math.log(ratio) + 0.5 * (math.log(x) - math.log(low))
    log_ratio += float(np.sum(_HALF_STEP * x ** (1.0 - 2 * _K)))
    difference += 0.5 / x - float(np.sum((2 * _K - 1) * _HALF_STEP * x ** (-2.0 * _K)))
    return log_ratio, difference
