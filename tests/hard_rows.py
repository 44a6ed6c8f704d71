"""Rows of logits on which formulas fail, and the exact answers from the textbook's formula."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

DIGITS = 700  # log(1 + 1e-308) to 50 digits needs 358; a context of its own keeps others' digits
mp = mpmath.MPContext()
mp.dps = DIGITS

VOCABULARY = 50_257  # the tokens of GPT-2
Row = NDArray[np.floating[Any]]


@cache
def rows(dtype: str) -> dict[str, Row]:
    """Rows by name: random ones, half of them confident, and a list of hard ones."""
    rng = np.random.default_rng(20_260_101)
    single = dtype == "float32"
    reach = 87.0 if single else 708.0  # exp(−reach) is about the smallest normal float
    found: dict[str, Any] = {}
    for i in range(6):
        for k in (2, 3, 10):
            z = rng.normal(0, 3, k)
            found[f"random {k}, {i}"] = z.copy()
            z[rng.integers(k)] = z.max() + rng.uniform(5, reach - 10)
            found[f"confident {k}, {i}"] = z
    found["random 1000"] = rng.normal(0, 3, 1000)
    found["confident 1000"] = np.append(rng.normal(0, 1, 999), 37.3)
    for size in (745.0, 1e4, 1e8):
        for i in range(3):
            found[f"±{size:g}, {i}"] = rng.choice([-size, size], 5) + rng.normal(0, 4, 5)
        found[f"±{size:g} alone"] = np.array([size, -size])
        found[f"all {size:g}"] = np.full(7, size)
        found[f"all −{size:g}"] = np.full(7, -size)
        found[f"{size:g} and near"] = size + np.array([0.3, 20.7, -3.1, -40.9])
    leads = {"1e-3": 1e-3, "1": 1.0, "30": 30.1, "300": 300.3, "all that floats hold": reach}
    for name, lead in leads.items():
        found[f"ahead by {name}"] = np.array([0.1, 0.1 + lead, -0.2, 0.05])
    best = np.array(7.3, dtype)
    for steps in range(-3, 4):
        tie = best + steps * np.spacing(best)
        found[f"a tie but for {steps} units"] = np.array([tie, best, 0.7, -9.1])
    inf = np.inf
    found["−inf"] = np.array([-inf, 2.5, -inf, 1.5, -30.0])
    found["all but one −inf"] = np.array([-inf, -inf, 3.5])
    found["one class"] = np.array([-3.7])
    found["tiny differences"] = np.array([1e-9, 0.0, -1e-12])
    # so many tokens that the random ones have two decimals: equal ones are worked out once
    found["vocabulary"] = rng.normal(0, 3, VOCABULARY).round(2)
    found["vocabulary, all equal"] = np.full(VOCABULARY, 0.1)
    found["vocabulary, all at −log k"] = np.full(VOCABULARY, -np.log(VOCABULARY))
    found["vocabulary, confident"] = np.append(rng.normal(0, 2, VOCABULARY - 1).round(2), 57.9)
    # exp(−reach − 5) loses digits, 50,256 times exp(−reach − 5) does not
    found["vocabulary, far"] = np.append(np.full(VOCABULARY - 1, -5.3), reach - 0.2)
    # the second and the sum of all others weigh the same, and their differences are rounded alike
    found["vocabulary, three levels"] = np.r_[50.2, 11.1, np.full(VOCABULARY - 2, 0.3)]
    return {name: np.asarray(row).astype(dtype) for name, row in found.items()}


@dataclass(frozen=True)
class Exact:
    """What the classes of one row cost, and how probable they are, at 700 digits."""

    logsumexp: Any
    surprise: dict[float, Any]  # by the logit, log Σ exp(z) − z
    prob: dict[float, Any]
    complement: dict[float, Any]  # 1 − p


@cache
def exact(dtype: str, name: str) -> Exact:
    """The textbook's formulas for one of the rows, with nothing done for stability."""
    values, counts = np.unique(rows(dtype)[name], return_counts=True)
    logits = [float(value) for value in values]
    power = {z: mp.exp(mp.mpf(z)) for z in logits}
    total = mp.fsum(int(n) * power[z] for n, z in zip(counts, logits, strict=True))
    log = mp.log(total)
    surprise = {z: log - mp.mpf(z) for z in logits}
    prob = {z: power[z] / total for z in logits}
    return Exact(log, surprise, prob, {z: 1 - prob[z] for z in logits})


def classes(row: Row) -> list[int]:
    """One class for each different logit, where they are many; else all."""
    if row.size <= 1000:
        return list(range(row.size))
    return [int(i) for i in np.unique(row, return_index=True)[1]]


def epsilons(got: Any, expected: Any, dtype: str) -> float:
    """The relative error in units of the float type's epsilon.

    Where the exact value is infinite, or too small for a normal float, it is 0 if the result is
    infinite, or as small, too, and infinite otherwise.
    """
    info = np.finfo(dtype)
    assert got.dtype == info.dtype
    if mp.isinf(expected) or abs(expected) > mp.mpf(float(info.max)):
        return 0.0 if got == float(expected) else float("inf")
    if abs(expected) < mp.mpf(float(info.tiny)):
        return 0.0 if abs(float(got)) <= float(info.tiny) else float("inf")
    return float(abs((mp.mpf(float(got)) - expected) / expected)) / float(info.eps)


def worst(pairs: Iterator[tuple[Any, Any]], dtype: str) -> float:
    """The largest error of some results and their exact values."""
    return max(epsilons(got, expected, dtype) for got, expected in pairs)
