"""Measures how far losses are from the truth, here and in other libraries: `make accuracy`.

    python benchmarks/accuracy.py

prints the tables and writes them to benchmarks/accuracy.md, which the book shows. Every function
is computed on families of inputs, in float64 and float32, and compared with mpmath at 50 digits.
"""

from __future__ import annotations

import math
import platform
import re
import subprocess
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Context, Decimal
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

import nllbook

PAGE = Path(__file__).with_name("accuracy.md")
SEED = 2026
TERMS = 10**7
SECOND = "SciPy (2)"  # a column of the tables that have one
LIBRARIES = ("nllbook", "SciPy", SECOND, "scikit-learn", "torch", "optax")
DTYPES = ("float64", "float32")

mp = mpmath.MPContext()  # a context of its own: nobody else's digits change
mp.dps = 50

Floats = NDArray[np.floating[Any]]
Case = tuple[Any, ...]  # the arrays that a function is called with
Make = Callable[[Generator, tuple[int, ...], str], Case]


# --- The inputs ----------------------------------------------------------------------------------

# Rows of k logits with a label each. For few and many classes, always in the same shapes.
SHAPES = ((64, 2), (32, 10), (4, 1000))
VOCABULARY = 50_257  # the tokens of GPT-2


def reach(dtype: str) -> float:
    """The largest x for which exp(-x) is a normal number: 708 or 87."""
    return -math.log(float(np.finfo(dtype).tiny))


def labels(rng: Generator, shape: tuple[int, ...]) -> NDArray[np.int64]:
    return rng.integers(shape[-1], size=shape[0])


def signs(rng: Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return rng.choice([-1.0, 1.0], size=shape)


def moderate_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Normal logits of standard deviation 3, a random label."""
    return 3 * rng.standard_normal(shape), labels(rng, shape)


def confident_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Normal logits, the label ahead of all others by 5 up to where its loss underflows."""
    z, y = rng.standard_normal(shape), labels(rng, shape)
    z[np.arange(len(y)), y] = z.max(axis=1) + rng.uniform(5, reach(dtype) - 1, len(y))
    return z, y


def wrong_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Normal logits, the label behind all others by 5 up to twice where exp underflows."""
    z, y = rng.standard_normal(shape), labels(rng, shape)
    z[np.arange(len(y)), y] = z.min(axis=1) - rng.uniform(5, 2 * reach(dtype), len(y))
    return z, y


def tied_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Label and runner-up apart by at most 4 units in the last place, the others behind."""
    y = labels(rng, shape)
    best = np.exp(rng.uniform(-5, 5, len(y))).astype(dtype)
    z = best[:, None] - rng.uniform(0, 40, shape)
    rows = np.arange(len(y))
    z[rows, y] = best
    z[rows, (y + 1) % shape[1]] = best + np.spacing(best) * rng.integers(-4, 5, len(y))
    return z, y


def equal_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """All logits of a row are the same number, between -1e4 and 1e4: the loss is log k."""
    z = np.broadcast_to(rng.uniform(-1e4, 1e4, (shape[0], 1)), shape)
    return z.copy(), labels(rng, shape)


def dominant_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """One logit is ahead by 20 to 80, the others are close; every other label is that one."""
    z, y = rng.uniform(-1, 1, shape), labels(rng, shape)
    first = np.where(np.arange(len(y)) % 2 == 0, y, (y + 1) % shape[1])
    z[np.arange(len(y)), first] = rng.uniform(20, 80, len(y))
    return z, y


def rows_at_745(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of either sign, from 665 to 745: exp overflows from 710 on, and is 0 below -745."""
    return signs(rng, shape) * (745 - rng.uniform(0, 80, shape)), labels(rng, shape)


def rows_at_1e4(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of ±1e4, with normal noise of standard deviation 5."""
    return signs(rng, shape) * 1e4 + 5 * rng.standard_normal(shape), labels(rng, shape)


def rows_at_1e8(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of ±1e8, with normal noise of standard deviation 20 (2.5 float32 units there)."""
    return signs(rng, shape) * 1e8 + 20 * rng.standard_normal(shape), labels(rng, shape)


def masked_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """About half of the logits are minus infinity, in some rows all but the label's, or its too."""
    z, y = 3 * rng.standard_normal(shape), labels(rng, shape)
    kept = np.arange(len(y)), y
    own = z[kept]
    z[rng.random(shape) < 0.5] = -math.inf
    z[: len(y) // 4] = -math.inf
    z[kept] = own
    z[-1] = 0.5
    z[-1, y[-1]] = -math.inf
    return z, y


def vocabulary_rows(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """50,257 classes: a row with a random label, a confident one, and one of equal logits."""
    z, y = 5 * rng.standard_normal(shape), labels(rng, shape)
    z[1, y[1]] = 60
    z[2] = 0.1
    return z, y


# One logit each, with a label 0 or 1.
def moderate(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Normal logits of standard deviation 3, a random label."""
    return 3 * rng.standard_normal(shape), rng.integers(2, size=shape)


def confident(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """The label is right by a logit of 5 up to where the loss underflows."""
    y = rng.integers(2, size=shape)
    return (2 * y - 1) * rng.uniform(5, reach(dtype) - 1, shape), y


def wrong(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """The label is wrong by a logit of 5 up to twice where exp underflows."""
    y = rng.integers(2, size=shape)
    return (1 - 2 * y) * rng.uniform(5, 2 * reach(dtype), shape), y


def near_zero(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of either sign from 1e-30 to 1e-3: the loss is near log 2."""
    return signs(rng, shape) * 10 ** rng.uniform(-30, -3, shape), rng.integers(2, size=shape)


def at_745(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of either sign, from 665 to 745: exp overflows from 710 on, and is 0 below -745."""
    return signs(rng, shape) * (745 - rng.uniform(0, 80, shape)), rng.integers(2, size=shape)


def at_1e4(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of ±1e4, with normal noise of standard deviation 5."""
    z = signs(rng, shape) * 1e4 + 5 * rng.standard_normal(shape)
    return z, rng.integers(2, size=shape)


def at_1e8(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of ±1e8, with normal noise of standard deviation 20 (2.5 float32 units there)."""
    z = signs(rng, shape) * 1e8 + 20 * rng.standard_normal(shape)
    return z, rng.integers(2, size=shape)


def infinite(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Logits of plus and minus infinity, which follow from masks and from probabilities 0 and 1."""
    return signs(rng, shape) * math.inf, rng.integers(2, size=shape)


def soft_targets(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Normal logits of standard deviation 10, targets anywhere between 0 and 1."""
    return 10 * rng.standard_normal(shape), rng.random(shape)


# Two rows of probabilities each. They are whole multiples of 2^-52 (float32: 2^-24) with the sum 1
# *exactly*, so that all formulas for the divergence have one and the same exact value.
def grid(dtype: str) -> int:
    return 2 ** (52 if dtype == "float64" else 24)


def on_grid(weights: NDArray[np.float64], dtype: str) -> NDArray[np.float64]:
    """The rows in proportion to the weights, as whole numbers with the sum ``grid``."""
    counts: NDArray[np.float64] = np.floor(
        weights / weights.sum(axis=1, keepdims=True) * grid(dtype)
    )
    largest = np.arange(len(counts)), counts.argmax(axis=1)
    counts[largest] += grid(dtype) - counts.sum(axis=1)
    return counts


def far_pairs(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Two unrelated random rows."""
    p, q = (on_grid(rng.random(shape) + 0.1, dtype) for _ in range(2))
    return p / grid(dtype), q / grid(dtype)


def sparse_pairs(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Unrelated random rows; about half of the entries of p are 0."""
    p, q = far_pairs(rng, shape, dtype)
    weights = np.where(rng.random(shape) < 0.5, p, 0)
    weights[:, 0] += 1e-3
    return on_grid(weights, dtype) / grid(dtype), q


def equal_pairs(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """q = p: the divergence is 0."""
    p, _ = far_pairs(rng, shape, dtype)
    return p, p.copy()


def near_pairs(distance: str) -> Make:
    def make(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
        p = on_grid(rng.random(shape) + 0.1, dtype)
        change = np.rint(p * signs(rng, shape) * float(distance))
        change[:, 0] -= change.sum(axis=1)
        return p / grid(dtype), (p + change) / grid(dtype)

    make.__doc__ = f"q = p(1 ± {distance}), but for the first entry, which makes the sum 1."
    return make


# Ten million terms: a thousand different logits, each many times, in random order.
def many_moderate(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Moderate as above."""
    z, y = moderate(rng, (1000,), dtype)
    order = rng.integers(1000, size=shape)
    return z[order], y[order]


def many_confident(rng: Generator, shape: tuple[int, ...], dtype: str) -> Case:
    """Confident as above, most of them tiny."""
    z, y = confident(rng, (1000,), dtype)
    order = rng.integers(1000, size=shape)
    return z[order], y[order]


@dataclass(frozen=True)
class Family:
    """Inputs of one kind: what makes them, in which shapes and float types."""

    name: str
    make: Make
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...] = DTYPES

    def cases(self, dtype: str) -> list[Case]:
        """The inputs, the same at every call; what is no label has the float type."""
        rng = np.random.default_rng(SEED)
        made = (self.make(rng, shape, dtype) for shape in self.shapes)
        return [
            tuple(one if one.dtype.kind == "i" else one.astype(dtype) for one in case)
            for case in made
        ]


ROWS = (
    Family("moderate", moderate_rows, SHAPES),
    Family("confident", confident_rows, SHAPES),
    Family("confident, wrong", wrong_rows, SHAPES),
    Family("one dominant", dominant_rows, SHAPES),
    Family("near-ties", tied_rows, SHAPES),
    Family("all equal", equal_rows, SHAPES),
    Family("near ±745", rows_at_745, SHAPES),
    Family("near ±1e4", rows_at_1e4, SHAPES),
    Family("near ±1e8", rows_at_1e8, SHAPES),
    Family("−inf entries", masked_rows, SHAPES),
    Family("k = 50,257", vocabulary_rows, ((3, VOCABULARY),)),
)
SCALARS = (
    Family("moderate", moderate, ((400,),)),
    Family("confident", confident, ((400,),)),
    Family("confident, wrong", wrong, ((400,),)),
    Family("near 0", near_zero, ((400,),)),
    Family("near ±745", at_745, ((400,),)),
    Family("near ±1e4", at_1e4, ((400,),)),
    Family("near ±1e8", at_1e8, ((400,),)),
    Family("±inf", infinite, ((400,),)),
)
PAIRS = (
    Family("unrelated", far_pairs, SHAPES),
    Family("zeros in p", sparse_pairs, SHAPES),
    Family("k = 50,257", far_pairs, ((2, VOCABULARY),)),
    Family("p(1 ± 1e-3)", near_pairs("1e-3"), SHAPES),
    Family("p(1 ± 1e-6)", near_pairs("1e-6"), SHAPES, ("float64",)),
    Family("p(1 ± 1e-9)", near_pairs("1e-9"), SHAPES, ("float64",)),
    Family("q = p", equal_pairs, SHAPES),
)
MANY = (
    Family("moderate", many_moderate, ((TERMS,),), ("float32",)),
    Family("confident", many_confident, ((TERMS,),), ("float32",)),
)


# --- The truth -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Exact:
    """Exact values, (high + low) · 2^shift with two floats each, and what errors are relative to.

    Two floats hold 32 digits: enough to see the error of a float to 16.
    """

    high: NDArray[np.float64]
    low: NDArray[np.float64]
    shift: NDArray[np.int32]
    scale: NDArray[np.float64]  # of the error, in units of 2^shift

    def rounded(self) -> NDArray[np.float64]:
        """The nearest floats."""
        return np.ldexp(self.high, self.shift)


def relative(values: Sequence[Any]) -> Exact:
    """Exact values whose error counts relative to themselves."""
    parts = []
    for value in values:
        mantissa, exponent = mp.frexp(value) if mp.isfinite(value) else (value, 0)
        parts.append((float(mantissa), rest(mantissa), exponent))
    high, low, shift = (np.array(part) for part in zip(*parts, strict=True))
    return Exact(high, low, shift.astype(np.int32), np.abs(high))


def floored(values: Sequence[Any]) -> Exact:
    """Exact values r whose error counts relative to max(1, |r|)."""
    high = np.array([float(value) for value in values])
    low = np.array([rest(value) for value in values])
    return Exact(high, low, np.zeros(len(high), np.int32), np.maximum(1, np.abs(high)))


def rest(value: Any) -> float:
    """What its nearest float leaves of a number."""
    return float(value - float(value)) if mp.isfinite(value) else 0.0


def rows_truth(z: Floats, y: NDArray[np.int64]) -> dict[str, Exact]:
    """Everything about rows of logits, from the distances to the largest: no sum cancels."""
    nll, log_softmax, logsumexp, gradient = [], [], [], []
    for row, label in zip(z, y, strict=True):
        top = int(np.argmax(row))
        ahead = [mp.mpf(float(one)) - mp.mpf(float(row[top])) for one in row]
        known = {one: mp.exp(one) for one in set(ahead)}
        weights = [known[one] for one in ahead]
        total = mp.fsum(weights)
        log_total = mp.log1p(mp.fsum(weights[:top] + weights[top + 1 :]))
        logsumexp.append(mp.mpf(float(row[top])) + log_total)
        log_probs = [one - log_total for one in ahead]
        log_softmax += log_probs
        nll.append(-log_probs[label])
        slope = [one / total for one in weights]
        slope[label] = -mp.fsum(slope[:label] + slope[label + 1 :])
        gradient += slope
    return {
        "Categorical NLL": relative(nll),
        "Gradient": relative(gradient),
        "log_softmax": relative(log_softmax),
        "logsumexp": floored(logsumexp),
    }


def exact_softplus(z: float) -> Any:
    return mp.log1p(mp.exp(mp.mpf(float(z))))


def bernoulli_truth(z: Floats, y: Floats) -> dict[str, Exact]:
    """−y log σ(z) − (1 − y) log(1 − σ(z)): two softpluses, weighted."""
    nll = []
    for logit, target in zip(z, y, strict=True):
        t = mp.mpf(float(target))
        costs = ((t, exact_softplus(-logit)), (1 - t, exact_softplus(logit)))
        nll.append(mp.fsum(weight * cost for weight, cost in costs if weight))
    return {"Bernoulli NLL": relative(nll)}


def scalars_truth(z: Floats, y: Floats) -> dict[str, Exact]:
    return {
        "softplus": relative([exact_softplus(one) for one in z]),
        "log_sigmoid": relative([-exact_softplus(-one) for one in z]),
    }


def pairs_truth(p: Floats, q: Floats) -> dict[str, Exact]:
    """Σ p log(p/q); as both rows sum to 1, that is Σ p log(p/q) − p + q as well."""
    divergences = []
    for p_row, q_row in zip(p, q, strict=True):
        pairs = [(mp.mpf(float(a)), mp.mpf(float(b))) for a, b in zip(p_row, q_row, strict=True)]
        divergences.append(mp.fsum(a * mp.log(a / b) for a, b in pairs if a))
    return {"KL divergence": relative(divergences)}


def many_truth(z: Floats, y: NDArray[np.int64]) -> dict[str, Exact]:
    """The mean of softplus(∓z), each different one computed once and counted."""
    margins, counts = np.unique(np.where(y == 1, -z, z), return_counts=True)
    terms = (int(n) * exact_softplus(m) for n, m in zip(counts, margins, strict=True))
    mean = relative([mp.fsum(terms) / len(z)])
    return {"Bernoulli mean": mean, "Categorical mean": mean}


# --- The libraries -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """How a library computes a function: as the page shows it, and as it is run."""

    written: str
    run: Callable[..., Any]


def of_nllbook() -> dict[str, Call]:
    def gradient(z: Floats, y: NDArray[np.int64]) -> Any:
        return nllbook.categorical_nll(y, logits=z, reduction="none", return_grad=True)[1]

    return {
        "Categorical NLL": Call(
            'categorical_nll(y, logits=z, reduction="none")',
            lambda z, y: nllbook.categorical_nll(y, logits=z, reduction="none"),
        ),
        "Gradient": Call("the same with return_grad=True", gradient),
        "log_softmax": Call("log_softmax(z)", lambda z, y: nllbook.log_softmax(z)),
        "logsumexp": Call("logsumexp(z)", lambda z, y: nllbook.logsumexp(z)),
        "Bernoulli NLL": Call(
            'bernoulli_nll(y, logits=z, reduction="none")',
            lambda z, y: nllbook.bernoulli_nll(y, logits=z, reduction="none"),
        ),
        "softplus": Call("softplus(z)", lambda z, y: nllbook.softplus(z)),
        "log_sigmoid": Call("log_sigmoid(z)", lambda z, y: nllbook.log_sigmoid(z)),
        "KL divergence": Call("kl_divergence(p, q)", nllbook.kl_divergence),
        "Bernoulli mean": Call(
            "bernoulli_nll(y, logits=z)", lambda z, y: nllbook.bernoulli_nll(y, logits=z)
        ),
        "Categorical mean": Call(
            "categorical_nll(y, logits=[0, z])",
            lambda z, y: nllbook.categorical_nll(y, logits=two_classes(z)),
        ),
    }


def two_classes(z: Floats) -> Floats:
    """The logits (0, z) of two classes, which say the same as the one logit z."""
    return np.stack([np.zeros_like(z), z], axis=-1)


def picked(rows: Any, y: NDArray[np.int64]) -> Any:
    """The entry of each row's label."""
    return rows[np.arange(len(y)), y]


def of_scipy() -> dict[str, Call]:
    special, stats = import_module("scipy.special"), import_module("scipy.stats")

    def gradient(z: Floats, y: NDArray[np.int64]) -> Any:
        slope = special.softmax(z, axis=-1)
        slope[np.arange(len(y)), y] -= 1
        return slope

    def bernoulli(z: Floats, y: Floats) -> Any:
        if y.dtype.kind == "i":
            return -special.log_expit(np.where(y == 1, z, -z))
        return -y * special.log_expit(z) - (1 - y) * special.log_expit(-z)

    def categorical(z: Floats, y: NDArray[np.int64]) -> Any:
        return -picked(special.log_softmax(z, axis=-1), y)

    return {
        "Categorical NLL": Call("-log_softmax(z)[y]", categorical),
        "Gradient": Call("softmax(z), less 1 at the label", gradient),
        "log_softmax": Call("log_softmax(z)", lambda z, y: special.log_softmax(z, axis=-1)),
        "logsumexp": Call("logsumexp(z)", lambda z, y: special.logsumexp(z, axis=-1)),
        "Bernoulli NLL": Call(
            "-log_expit(z if y else -z), for soft targets their mixture", bernoulli
        ),
        "softplus": Call("softplus(z)", lambda z, y: special.softplus(z)),
        "log_sigmoid": Call("log_expit(z)", lambda z, y: special.log_expit(z)),
        "KL divergence": Call("stats.entropy(p, q)", lambda p, q: stats.entropy(p, q, axis=-1)),
        "Bernoulli mean": Call("the above, .mean()", lambda z, y: bernoulli(z, y).mean()),
        "Categorical mean": Call(
            "the above, .mean()", lambda z, y: categorical(two_classes(z), y).mean()
        ),
    }


def of_scipy_otherwise() -> dict[str, Call]:
    """Second ways that a user of SciPy may take."""
    special = import_module("scipy.special")

    def categorical(z: Floats, y: NDArray[np.int64]) -> Any:
        return special.logsumexp(z, axis=-1) - picked(z, y)

    return {
        "Categorical NLL": Call("logsumexp(z) - z[y]", categorical),
        "KL divergence": Call("kl_div(p, q).sum()", lambda p, q: special.kl_div(p, q).sum(axis=-1)),
    }


def of_sklearn() -> dict[str, Call]:
    losses = import_module("sklearn._loss.loss")  # what LogisticRegression minimises

    def loss(z: Floats, y: Floats) -> dict[str, Any]:
        return {"y_true": y.astype(z.dtype), "raw_prediction": z}

    def multinomial(z: Floats) -> Any:
        return losses.HalfMultinomialLoss(n_classes=z.shape[-1])

    binomial = losses.HalfBinomialLoss()
    return {
        "Categorical NLL": Call(
            "HalfMultinomialLoss().loss(y, z)", lambda z, y: multinomial(z).loss(**loss(z, y))
        ),
        "Gradient": Call(
            "HalfMultinomialLoss().gradient(y, z)",
            lambda z, y: multinomial(z).gradient(**loss(z, y)),
        ),
        "Bernoulli NLL": Call(
            "HalfBinomialLoss().loss(y, z)", lambda z, y: binomial.loss(**loss(z, y))
        ),
        "Bernoulli mean": Call("HalfBinomialLoss()(y, z)", lambda z, y: binomial(**loss(z, y))),
        "Categorical mean": Call(
            "HalfMultinomialLoss()(y, z)",
            lambda z, y: multinomial(two_classes(z))(**loss(two_classes(z), y)),
        ),
    }


def of_torch() -> dict[str, Call]:
    torch = import_module("torch")
    F = torch.nn.functional
    tensor = torch.from_numpy

    def gradient(z: Floats, y: NDArray[np.int64]) -> Any:
        logits = tensor(z).requires_grad_()
        F.cross_entropy(logits, tensor(y), reduction="sum").backward()
        return logits.grad

    def bernoulli(z: Floats, y: Floats, reduction: str) -> Any:
        target = tensor(y.astype(z.dtype))
        return F.binary_cross_entropy_with_logits(tensor(z), target, reduction=reduction)

    return {
        "Categorical NLL": Call(
            'cross_entropy(z, y, reduction="none")',
            lambda z, y: F.cross_entropy(tensor(z), tensor(y), reduction="none"),
        ),
        "Gradient": Call('cross_entropy(z, y, reduction="sum").backward()', gradient),
        "log_softmax": Call("log_softmax(z)", lambda z, y: F.log_softmax(tensor(z), dim=-1)),
        "logsumexp": Call("logsumexp(z)", lambda z, y: torch.logsumexp(tensor(z), dim=-1)),
        "Bernoulli NLL": Call(
            'binary_cross_entropy_with_logits(z, y, reduction="none")',
            lambda z, y: bernoulli(z, y, "none"),
        ),
        "softplus": Call("softplus(z)", lambda z, y: F.softplus(tensor(z))),
        "log_sigmoid": Call("logsigmoid(z)", lambda z, y: F.logsigmoid(tensor(z))),
        "KL divergence": Call(
            'kl_div(log(q), p, reduction="none").sum()',
            lambda p, q: F.kl_div(tensor(q).log(), tensor(p), reduction="none").sum(dim=-1),
        ),
        "Bernoulli mean": Call(
            "binary_cross_entropy_with_logits(z, y)", lambda z, y: bernoulli(z, y, "mean")
        ),
        "Categorical mean": Call(
            "cross_entropy([0, z], y)",
            lambda z, y: F.cross_entropy(tensor(two_classes(z)), tensor(y)),
        ),
    }


def of_optax() -> dict[str, Call]:
    """Optax, and where it has no such function JAX, which it is built on."""
    jax, optax = import_module("jax"), import_module("optax")
    jax.config.update("jax_enable_x64", True)
    jnp = jax.numpy
    categorical = optax.softmax_cross_entropy_with_integer_labels
    binary = optax.sigmoid_binary_cross_entropy
    return {
        "Categorical NLL": Call("softmax_cross_entropy_with_integer_labels(z, y)", categorical),
        "Gradient": Call(
            "jax.grad of its sum", lambda z, y: jax.grad(lambda a: categorical(a, y).sum())(z)
        ),
        "log_softmax": Call("jax.nn.log_softmax(z)", lambda z, y: jax.nn.log_softmax(z)),
        "logsumexp": Call("jax.nn.logsumexp(z)", lambda z, y: jax.nn.logsumexp(z, axis=-1)),
        "Bernoulli NLL": Call("sigmoid_binary_cross_entropy(z, y)", binary),
        "softplus": Call("jax.nn.softplus(z)", lambda z, y: jax.nn.softplus(z)),
        "log_sigmoid": Call("jax.nn.log_sigmoid(z)", lambda z, y: jax.nn.log_sigmoid(z)),
        "KL divergence": Call(
            "kl_divergence(log(q), p)", lambda p, q: optax.kl_divergence(jnp.log(q), p)
        ),
        "Bernoulli mean": Call("the above, .mean()", lambda z, y: binary(z, y).mean()),
        "Categorical mean": Call(
            "the above, .mean()", lambda z, y: categorical(two_classes(z), y).mean()
        ),
    }


# --- The comparison ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Function:
    """What is measured: its name, its formula, its inputs, and what nllbook promises."""

    name: str
    formula: str
    families: tuple[Family, ...]
    truth: Callable[..., dict[str, Exact]]
    promise: str = "at most 4 epsilons"
    limits: dict[str, float] = field(
        default_factory=lambda: {one: 4 * float(np.finfo(one).eps) for one in DTYPES}
    )


SUM = "at most 1e−8 before the result is rounded to float32"
SUM_LIMIT = {"float32": float(np.finfo("float32").eps) / 2 + 1e-8}
FUNCTIONS = (
    Function("Categorical NLL", r"$-\log \operatorname{softmax}(z)_y$", ROWS, rows_truth),
    Function(
        "Gradient",
        r"Of the categorical NLL: $\operatorname{softmax}(z)_j - [j = y]$",
        ROWS,
        rows_truth,
    ),
    Function("log_softmax", r"$z_j - \log \sum_i e^{z_i}$", ROWS, rows_truth),
    Function(
        "logsumexp",
        r"$r = \log \sum_j e^{z_j}$; its error is relative to the larger of 1 and $|r|$",
        ROWS,
        rows_truth,
    ),
    Function(
        "Bernoulli NLL",
        r"$-y \log \sigma(z) - (1 - y) \log \sigma(-z)$",
        (*SCALARS, Family("soft targets", soft_targets, ((400,),))),
        bernoulli_truth,
    ),
    Function("softplus", r"$\log(1 + e^z)$", SCALARS, scalars_truth),
    Function("log_sigmoid", r"$-\log(1 + e^{-z})$", SCALARS, scalars_truth),
    Function(
        "KL divergence",
        r"$\sum_j p_j \log (p_j / q_j)$",
        PAIRS,
        pairs_truth,
        "at most 1e−12, in float32 4 epsilons, and never a result below 0",
        {"float64": 1e-12, "float32": 4 * float(np.finfo("float32").eps)},
    ),
    Function("Bernoulli mean", "The mean of Bernoulli NLLs", MANY, many_truth, SUM, SUM_LIMIT),
    Function(
        "Categorical mean",
        "The same terms, as two classes with the logits 0 and $z$",
        MANY,
        many_truth,
        SUM,
        SUM_LIMIT,
    ),
)


@dataclass(frozen=True)
class Worst:
    """The largest error of a family: relative, and the values that it belongs to."""

    error: float
    exact: float
    got: float


def largest(found: Iterable[Worst]) -> Worst:
    """The largest error; of equal ones (results of 0, say) that of the largest exact value."""
    return max(found, key=lambda one: (one.error, abs(one.exact)))


def worst(got: Any, exact: Exact, dtype: str) -> Worst:
    """The largest error. An exact 0 or infinity must be met; below normal numbers, 0 will do."""
    values = np.asarray(got).astype(np.float64).ravel()
    nearest = exact.rounded()
    size = np.abs(nearest)
    with np.errstate(all="ignore"):
        error = np.abs(np.ldexp(values, -exact.shift) - exact.high - exact.low) / exact.scale
    must_meet = (exact.scale == 0) | np.isinf(size)
    error = np.where(must_meet, np.where(values == nearest, 0.0, math.inf), error)
    tiny = float(np.finfo(dtype).tiny)
    below = (exact.high != 0) & (size < tiny)
    error = np.where(below, np.where(np.abs(values) <= tiny, 0.0, math.inf), error)
    error = np.where(np.isnan(values), math.inf, error)
    index = int(np.lexsort((size, error))[-1])
    return Worst(float(error[index]), float(nearest[index]), float(values[index]))


Results = dict[tuple[str, str, str], dict[str, Worst]]  # by function, dtype, family; by library


def measure(libraries: dict[str, dict[str, Call]]) -> Results:
    """The worst error of every function, family and float type, in every library that has it."""
    results: Results = {}
    for truth in dict.fromkeys(one.truth for one in FUNCTIONS):
        functions = [one for one in FUNCTIONS if one.truth is truth]
        for family in functions[0].families:
            for dtype in family.dtypes:
                cases = family.cases(dtype)
                exact = [truth(*case) for case in cases]
                for function in functions:
                    results[function.name, dtype, family.name] = {
                        library: largest(
                            worst(calls[function.name].run(*case), one[function.name], dtype)
                            for case, one in zip(cases, exact, strict=True)
                        )
                        for library, calls in libraries.items()
                        if function.name in calls
                    }
    return results


# --- The page ------------------------------------------------------------------------------------


def short(value: float, rounding: str | None = None) -> str:
    """Two significant digits: 0.51, 47, 1200, 3.1e−16 (with a minus, at which no line breaks)."""
    if not math.isfinite(value) or value == 0:
        text = f"{value + 0.0:g}"
    else:
        digits = Context(prec=2, rounding=rounding).create_decimal(Decimal(value))
        text = f"{float(digits):g}" if 1e-2 <= abs(digits) < 1e4 else f"{digits:.1e}"
    return text.replace("e+", "e").replace("-", "−")


def cell(worst: Worst | None, dtype: str) -> str:
    """Machine epsilons and the number, rounded up; or what came, where no digit is right."""
    if worst is None:
        return "–"
    if worst.error >= 1:
        return f"{short(worst.got)} for<br>{short(worst.exact)}"
    if worst.error == 0:
        return "0"
    eps = float(np.finfo(dtype).eps)
    return f"{short(worst.error / eps, ROUND_CEILING)}<br>{short(worst.error, ROUND_CEILING)}"


def table(first: str, columns: Sequence[str], rows: dict[str, list[str]]) -> list[str]:
    """A Markdown table whose columns are aligned in the source as well."""
    lines = [[first, *columns], *([name, *cells] for name, cells in rows.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return [
        "| "
        + " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]


def both_tables(
    results: Results, names: dict[str, tuple[str, str]], columns: Sequence[str]
) -> list[str]:
    """A table a float type; ``names`` says of each row its function and its family.

    Without a family ("") it is the worst of all, but for those with infinite logits: what a library
    makes of them says little about its digits.
    """
    lines = []
    for dtype in DTYPES:
        rows = {}
        for name, (function, family) in names.items():
            cells = []
            for library in columns:
                found = [
                    by_library[library]
                    for key, by_library in results.items()
                    if key[:2] == (function, dtype)
                    and (key[2] == family if family else "inf" not in key[2])
                    and library in by_library
                ]
                cells.append(cell(largest(found) if found else None, dtype))
            if set(cells) != {"–"}:
                rows[name] = cells
        if rows:
            lines += [*table(dtype, columns, rows), ""]
    return lines


def closer(results: Results, name: str) -> str:
    """In how many rows another library is closer to the truth, and by how much at most."""
    rows = {key: found for key, found in results.items() if key[0] == name}
    ahead = []
    for (_, dtype, family), found in rows.items():
        library = min((one for one in found if one != "nllbook"), key=lambda one: found[one].error)
        eps = float(np.finfo(dtype).eps)
        ours, theirs = found["nllbook"].error / eps, found[library].error / eps
        if theirs < ours:
            ahead.append((ours - theirs, ours, theirs, library, family, dtype))
    if not ahead:
        return f"In none of the {len(rows)} rows is another library closer."
    _, ours, theirs, library, family, dtype = max(ahead)
    return (
        f"In {len(ahead)} of the {len(rows)} rows another library is closer"
        f"{', most clearly in' if len(ahead) > 1 else ':'} “{family}”, {dtype}, where {library} is "
        f"off by {short(theirs, ROUND_CEILING)} epsilons and nllbook by "
        f"{short(ours, ROUND_CEILING)}."
    )


def processor() -> str:
    """The name of this machine's processor."""
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def surroundings() -> str:
    """Versions and machine."""
    names = ("scipy", "scikit-learn", "torch", "optax", "jax", "numpy", "mpmath")
    packages = {"nllbook": nllbook.__version__, **{name: version(name) for name in names}}
    listed = ", ".join(f"{name} {number.partition('+')[0]}" for name, number in packages.items())
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    epsilons = " and ".join(f"{short(float(np.finfo(one).eps))} in {one}" for one in DTYPES)
    return (
        f"Computed with {listed}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}, {processor()}, where NumPy uses the instructions "
        f"{', '.join(found) or 'of its baseline'}. An epsilon is {epsilons}."
    )


def page(results: Results, libraries: dict[str, dict[str, Call]]) -> str:
    """The tables as Markdown that GitHub and the book both show."""
    names = {function.name: (function.name, "") for function in FUNCTIONS}
    columns = [name for name in libraries if name != SECOND]
    lines = ["<!-- Written by `make accuracy`: do not edit. -->", ""]
    lines += ["## The worst of all finite inputs", "", '<div class="accuracy">', ""]
    lines += [*both_tables(results, names, columns), "</div>", ""]
    lines += [surroundings(), ""]
    for function in FUNCTIONS:
        columns = [name for name, calls in libraries.items() if function.name in calls]
        calls = (f"{name} `{libraries[name][function.name].written}`" for name in columns)
        names = {family.name: (function.name, family.name) for family in function.families}
        lines += [f"## {function.name}", ""]
        lines += [f"{function.formula}. nllbook promises an error of {function.promise}."]
        lines += [closer(results, function.name), ""]
        lines += ['<details class="accuracy">']
        lines += [f"<summary>{function.name}: the worst of each kind of input</summary>", ""]
        lines += [*both_tables(results, names, columns), f"Called: {', '.join(calls)}.", ""]
        lines += ["</details>", ""]
    lines += ["## The inputs", ""]
    for what, families in (
        ("Rows of logits with a label each:", ROWS),
        ("Single logits with a label 0 or 1:", FUNCTIONS[4].families),
        ("Pairs of rows of probabilities, of which each sums to exactly 1:", PAIRS),
        ("Ten million terms in float32:", MANY),
    ):
        lines += [what, ""]
        lines += [f"- **{one.name}**: {(one.make.__doc__ or '').strip()}" for one in families]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    libraries = dict(
        zip(
            LIBRARIES,
            (of_nllbook(), of_scipy(), of_scipy_otherwise(), of_sklearn(), of_torch(), of_optax()),
            strict=True,
        )
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the others: what they return is in the tables
        results = measure(libraries)
    text = page(results, libraries)
    PAGE.write_text(text, encoding="utf-8")
    print(re.sub(r"</?(?:div|details|summary).*?>|<!--.*-->", "", text.replace("<br>", "    ")))
    print(f"Written to {PAGE}")


if __name__ == "__main__":
    main()
