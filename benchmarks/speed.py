"""Measures how fast the losses are, and how much memory they take: `make bench`.

    python -m benchmarks.speed [--quick] [--page] [--to FOLDER]

Everybody has one thread. The contenders of a case take turns, another one first in every round, and
what counts is the ratio within a round: to the floor, one pass of np.exp or np.log over the same
numbers into a warm buffer, and to nllbook. Every peer must give the same number before it is timed.
Prints the tables, and writes benchmarks/results/speed.json, benchmarks/speed.md and the figures,
which the book shows. `--page` makes the last two from the first; `--quick` has tiny sizes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import multiprocessing
import os
import platform
import re
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nllbook
from benchmarks import speed_page
from benchmarks.accuracy import processor
from benchmarks.speed_page import (
    BARE,
    BLOCK,
    DESCENT,
    DTYPES,
    EXP,
    LOG,
    LOG_SOFTMAX,
    LOGSUMEXP,
    NEWTON,
    OPTAX,
    OURS,
    SCIPY,
    SKLEARN,
    TORCH,
    Results,
    named,
    times,
)

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "VECLIB_MAXIMUM_THREADS": "1",
    # jax reads these two, of which the second alone keeps its pool at one thread
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "NPROC": "1",
}
SEED = 2026
DATA = ("untrained", "confident")
WITHIN = 1e-6  # of the optimum, relatively: where the optimisers have arrived
# Float32 peers round each term and their sum, and what is left of a confident row's loss cancels.
SAME = {"float64": 1e-9, "float32": 1e-3}
SAME_SLOPE = {"float64": 1e-9, "float32": 1e-5}  # of a row: it is what is left of 1 minus about 1

Run = Callable[[], Any]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Sizes:
    rows: tuple[tuple[int, int], ...]  # rows and classes
    terms: tuple[int, ...]  # of losses with one number a row
    memory: tuple[tuple[int, int], ...]
    growth: tuple[int, ...]
    disk: int
    digits: int  # images for the optimisers
    seconds: float  # for a case, unless that makes fewer rounds than the first of `rounds`
    rounds: tuple[int, int]


FULL = Sizes(
    rows=((10_000, 1000), (1000, 50_257), (10_000, 10), (100_000, 10)),
    terms=(10_000, 1_000_000),
    memory=((10_000, 1000), (1000, 50_257)),
    growth=(10**5, 10**6, 10**7, 10**8),
    disk=10**8,
    digits=1797,
    seconds=3,
    rounds=(5, 31),
)
QUICK = Sizes(
    rows=((20, 1000), (10_000, 10)),
    terms=(10_000,),
    memory=((100, 1000),),
    growth=(10**4, 10**5),
    disk=10**5,
    digits=100,
    seconds=0,
    rounds=(2, 2),
)


# --- Time ----------------------------------------------------------------------------------------


def turns(names: Sequence[str], round: int) -> list[str]:
    """The order of a round: everybody is first, and second, equally often."""
    first = round % len(names)
    return [*names[first:], *names[:first]]


def take_turns(
    runs: dict[str, Run],
    seconds: float,
    rounds: tuple[int, int],
    clocks: tuple[Run, Run] = (time.perf_counter, time.process_time),
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """The seconds of a call, by round; and how many cores were busy meanwhile.

    Calls of microseconds are repeated, and their mean taken. One that is not counted goes before:
    the others have taken the cache, and who is called less often would pay more for it. There are
    as many rounds as the seconds allow, from the first of ``rounds`` to the second.
    """

    def took(run: Run, calls: int) -> tuple[float, float]:
        if calls > 1:
            run()
        starts = [clock() for clock in clocks]
        for _ in range(calls):
            run()
        elapsed, busy = (clock() - start for clock, start in zip(clocks, starts, strict=True))
        return elapsed, busy

    calls, expected = {}, 0.0
    for name, run in runs.items():
        once, _ = took(run, 1)  # touches the memory
        if once < 0.1:
            once, _ = took(run, 1)
        calls[name] = max(1, min(1000, math.ceil(2e-3 / max(once, 1e-9))))
        expected += calls[name] * once
    found: dict[str, list[float]] = {name: [] for name in runs}
    used = dict.fromkeys(runs, 0.0)
    for round in range(max(rounds[0], min(rounds[1], int(seconds / expected)))):
        for name in turns(list(runs), round):
            elapsed, busy = took(runs[name], calls[name])
            found[name].append(elapsed / calls[name])
            used[name] += busy
    return found, {name: used[name] / (calls[name] * sum(found[name])) for name in runs}


def quartiles(values: Sequence[float]) -> list[float]:
    return quantiles(values, n=4, method="inclusive")


def ratio(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The quartiles of the ratios within a round."""
    return quartiles([one / other for one, other in zip(above, below, strict=True)])


# --- The losses and their peers ------------------------------------------------------------------


@dataclass(frozen=True)
class Ways:
    """A loss computed by somebody: alone, and with its gradient."""

    value: Run
    both: Run


def of_torch(loss: Callable[..., Any], *arrays: Floats) -> Ways:
    """The arrays are leaves: the gradient is that of all of them."""
    torch = import_module("torch")
    torch.set_num_threads(1)
    leaves = [torch.from_numpy(one).requires_grad_() for one in arrays]

    def value() -> Any:
        with torch.no_grad():
            return loss(*leaves)

    def both() -> Any:
        for leaf in leaves:
            leaf.grad = None
        result = loss(*leaves)
        result.backward()
        return result.detach(), leaves[0].grad

    return Ways(value, both)


def of_jax(loss: Callable[..., Any], *arrays: Any) -> Ways:
    """Compiled for these shapes, with the arrays where jax wants them."""
    jax = import_module("jax")
    there = [jax.device_put(one) for one in arrays]
    value, both = jax.jit(loss), jax.jit(jax.value_and_grad(loss))
    return Ways(
        lambda: value(*there).block_until_ready(), lambda: jax.block_until_ready(both(*there))
    )


def categorical(z: Floats, y: NDArray[np.int64]) -> dict[str, Ways]:
    special, losses = import_module("scipy.special"), import_module("sklearn._loss.loss")
    torch, optax = import_module("torch"), import_module("optax")
    n, rows = len(y), np.arange(len(y))
    target, labels = y.astype(z.dtype), torch.from_numpy(y)
    multinomial = losses.HalfMultinomialLoss(n_classes=z.shape[1])

    def log_softmax() -> Any:
        return -special.log_softmax(z, axis=1)[rows, y].mean()

    def minus_one_hot(slope: Any) -> Any:
        slope[rows, y] -= 1
        slope /= n
        return slope

    def by_logsumexp() -> tuple[Any, Any]:
        lse = special.logsumexp(z, axis=1)
        return (lse - z[rows, y]).mean(), minus_one_hot(np.exp(z - lse[:, None]))

    def by_sklearn() -> tuple[Any, Any]:
        loss, slope = multinomial.loss_gradient(target, z)
        slope /= n  # as its LogisticRegression does
        return loss.mean(), slope

    ours = partial(nllbook.categorical_nll, y, logits=z)
    integer = optax.softmax_cross_entropy_with_integer_labels
    return {
        OURS: Ways(ours, partial(ours, return_grad=True)),
        LOGSUMEXP: Ways(lambda: (special.logsumexp(z, axis=1) - z[rows, y]).mean(), by_logsumexp),
        LOG_SOFTMAX: Ways(
            log_softmax, lambda: (log_softmax(), minus_one_hot(special.softmax(z, axis=1)))
        ),
        SKLEARN: Ways(lambda: multinomial(target, z), by_sklearn),
        TORCH: of_torch(lambda a: torch.nn.functional.cross_entropy(a, labels), z),
        OPTAX: of_jax(lambda a, b: integer(a, b).mean(), z, y),
    }


def bernoulli(z: Floats, y: Floats) -> dict[str, Ways]:
    special, losses = import_module("scipy.special"), import_module("sklearn._loss.loss")
    torch, optax = import_module("torch"), import_module("optax")
    binomial, target = losses.HalfBinomialLoss(), torch.from_numpy(y)

    def log_expit() -> Any:
        return -special.log_expit(np.where(y == 1, z, -z)).mean()

    def by_sklearn() -> tuple[Any, Any]:
        loss, slope = binomial.loss_gradient(y, z)
        slope /= len(y)
        return loss.mean(), slope

    ours = partial(nllbook.bernoulli_nll, y, logits=z)
    binary = torch.nn.functional.binary_cross_entropy_with_logits
    return {
        OURS: Ways(ours, partial(ours, return_grad=True)),
        SCIPY: Ways(log_expit, lambda: (log_expit(), (special.expit(z) - y) / len(y))),
        SKLEARN: Ways(lambda: binomial(y, z), by_sklearn),
        TORCH: of_torch(lambda a: binary(a, target), z),
        OPTAX: of_jax(lambda a, b: optax.sigmoid_binary_cross_entropy(a, b).mean(), z, y),
    }


def gaussian(y: Floats, mean: Floats, std: Any) -> dict[str, Ways]:
    """``std`` is an array or one number; torch takes the variance."""
    stats, torch = import_module("scipy.stats"), import_module("torch")
    target, variance = torch.from_numpy(y), np.atleast_1d(np.asarray(std, y.dtype)) ** 2

    def logpdf() -> Any:
        return -stats.norm.logpdf(y, mean, std).mean()

    def by_scipy() -> tuple[Any, ...]:
        value, u = logpdf(), (y - mean) / std
        by_std = (1 - u**2) / (std * len(y))
        return value, -u / (std * len(y)), by_std if np.ndim(std) else by_std.sum()

    def by_nllbook() -> tuple[Any, Any]:
        value, (by_mean, _) = nllbook.gaussian_nll(y, mean, std=std, return_grad=True)
        return value, by_mean

    loss = torch.nn.functional.gaussian_nll_loss
    return {
        OURS: Ways(partial(nllbook.gaussian_nll, y, mean, std=std), by_nllbook),
        SCIPY: Ways(logpdf, by_scipy),
        TORCH: of_torch(lambda a, b: loss(a, target, b, full=True), mean, variance),
    }


def agree(name: str, found: Any, expected: Any, dtype: str, rows: int) -> None:
    """Ends the run where a peer computes something else: the mean, or the first rows' slopes."""
    (value, slopes), (right, right_slopes) = as_pair(found), as_pair(expected)
    errors = {
        "mean": (abs(float(value / right - 1)), SAME[dtype]),
        "slope": (
            rows * float(np.max(np.abs(slopes - right_slopes), initial=0)),
            SAME_SLOPE[dtype],
        ),
    }
    for what, (error, most) in errors.items():
        if not error <= most:
            sys.exit(
                f"Wrong: the {what} of {name} is off by {error:.1e}, {dtype} (allowed: {most})"
            )


def as_pair(result: Any) -> tuple[Floats, Floats]:
    value, *slopes = result if isinstance(result, tuple) else (result,)
    first = np.asarray(slopes[0][:10], np.float64) if slopes else np.zeros(0)
    return np.asarray(value, np.float64), first


def logits(rng: Any, n: int, k: int, data: str, dtype: str) -> tuple[Floats, NDArray[np.int64]]:
    """Normal, of standard deviation 3; if confident, the label's is ahead of all by 5 to 20."""
    z, y = 3 * rng.standard_normal((n, k), dtype), rng.integers(k, size=n)
    if data == "confident":
        z[np.arange(n), y] = -np.inf
        z[np.arange(n), y] = z.max(axis=1) + rng.uniform(5, 20, n)
    return z, y


def cases(sizes: Sizes) -> Iterator[tuple[Results, dict[str, Ways], dict[str, Run]]]:
    """What a case is, who computes it, and the floors, of which the first is the one that counts.

    The peers are handed what they want: labels as floats, for example, are made beforehand.
    """
    rng: Any = np.random.default_rng(SEED)
    for dtype in DTYPES:
        for n, k in sizes.rows:
            warm: Any = np.empty((n, k), dtype)
            for data in DATA:
                z, y = logits(rng, n, k, data, dtype)
                floors: dict[str, Run] = {EXP: partial(np.exp, z, out=warm)}
                floors[BARE] = partial(exp_and_sum, z)
                about = {"loss": "categorical_nll", "shape": [n, k], "data": data, "dtype": dtype}
                yield about, categorical(z, y), floors
        for n in sizes.terms:
            warm = np.empty(n, dtype)
            for data in DATA:
                yes = rng.integers(2, size=n).astype(dtype)
                sure = (2 * yes - 1) * rng.uniform(5, 20, n).astype(dtype)
                z = sure if data == "confident" else 3 * rng.standard_normal(n, dtype)
                about = {"loss": "bernoulli_nll", "shape": [n], "data": data, "dtype": dtype}
                yield about, bernoulli(z, yes), {EXP: partial(np.exp, z, out=warm)}
            y, mean, std = rng.standard_normal((3, n), dtype)
            std = np.abs(std) + np.asarray(0.5, dtype)
            floors = {LOG: partial(np.log, std, out=warm)}
            for data, spread in (("std an array", std), ("std a number", 1.5)):
                about = {"loss": "gaussian_nll", "shape": [n], "data": data, "dtype": dtype}
                yield about, gaussian(y, mean, spread), floors


def exp_and_sum(z: Floats) -> None:
    """The exponentials in float64 and their sums by row: what remains without labels and checks.

    Like the loss it has the memory of one block for them.
    """
    (n, k), room = z.shape, BLOCK // np.dtype(np.float64).itemsize
    rows, width = max(1, room // k), min(k, room)
    scratch = np.empty((min(n, rows), width))
    for start in range(0, n, rows):
        for left in range(0, k, width):
            piece = z[start : start + rows, left : left + width]
            e = np.exp(piece, out=scratch[: len(piece), : piece.shape[1]], dtype=np.float64)
            _ = np.einsum("ij->i", e) if k <= 32 else np.add.reduce(e, axis=1)


def losses(sizes: Sizes) -> list[Results]:
    """Every case, without the gradient and with it."""
    import_module("jax").config.update("jax_enable_x64", True)
    entries = []
    for about, ways, floors in cases(sizes):
        for gradient in (False, True):
            runs = {name: one.both if gradient else one.value for name, one in ways.items()}
            ours = runs[OURS]()
            for name, run in runs.items():
                agree(f"{name}, {about}", run(), ours, about["dtype"], about["shape"][0])
            del ours
            runs |= floors
            took, busy = take_turns(runs, sizes.seconds, sizes.rounds)
            (floor, *_), elements = floors, math.prod(about["shape"])
            entry = {**about, "gradient": gradient, "floor": floor, "rounds": len(took[OURS])}
            entry["contenders"] = {
                name: {
                    "ns": [1e9 * one / elements for one in quartiles(seconds)],
                    "by_floor": ratio(seconds, took[floor]),
                    "by_nllbook": ratio(seconds, took[OURS]),
                    "busy": busy[name],
                }
                for name, seconds in took.items()
            }
            entries.append(entry)
            print(named(entry), times(entry["contenders"][OURS]["by_floor"]), floor, flush=True)
    return entries


def one_row(sizes: Sizes) -> list[Results]:
    """The microseconds of a call with a single row."""
    row, one = np.linspace(-1, 1, 10)[None], np.array([0.5])
    calls: dict[str, Any] = {
        "categorical_nll": partial(nllbook.categorical_nll, np.array([3]), logits=row),
        "bernoulli_nll": partial(nllbook.bernoulli_nll, np.array([1]), logits=one),
        "gaussian_nll": partial(nllbook.gaussian_nll, one, one, std=one),
    }
    runs = {f"{name}+": partial(run, return_grad=True) for name, run in calls.items()} | calls
    took, _ = take_turns(runs, sizes.seconds, sizes.rounds)
    return [
        {
            "loss": name.rstrip("+"),
            "gradient": name.endswith("+"),
            "us": [1e6 * one for one in quartiles(seconds)],
        }
        for name, seconds in took.items()
    ]


# --- Memory --------------------------------------------------------------------------------------


def resident(pid: int | str = "self") -> int | None:
    """The bytes of a process in memory, without files mapped there; known on Linux alone."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"RssAnon:\s*(\d+) kB", status.read_text()) if status.exists() else None
    return 1024 * int(found[1]) if found else None


def _peaks(pipe: Any, prepare: Callable[..., Run], arguments: tuple[Any, ...]) -> None:
    run = prepare(*arguments)
    pipe.send(None)
    pipe.recv()
    pipe.send(np.asarray(run(), np.float64))


def peak_resident(prepare: Callable[..., Run], *arguments: Any) -> tuple[int | None, float]:
    """By how much a process of its own grows at most during one call; and what that returns.

    The memory is read from here, again and again: the call is not disturbed.
    """
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_peaks, args=(there, prepare, arguments))
    process.start()
    there.close()
    try:
        here.recv()  # prepared
        before = most = resident(str(process.pid)) or 0
        here.send(None)
        while not here.poll():
            most = max(most, resident(str(process.pid)) or 0)
        value = float(here.recv())
    finally:
        process.join()
    return (most - before if before else None), value


def one_call(n: int, k: int, dtype: str, gradient: bool) -> Run:
    """A call that keeps nothing but its value, and has been made on other rows before."""
    z, y = logits(np.random.default_rng(SEED), n, k, "untrained", dtype)
    nllbook.categorical_nll(y[:2], logits=z[:2], return_grad=gradient)
    if gradient:
        return lambda: nllbook.categorical_nll(y, logits=z, return_grad=True)[0]
    return lambda: nllbook.categorical_nll(y, logits=z)


def scratch(sizes: Sizes) -> list[Results]:
    """The bytes beyond the arguments and the result, as Python's allocators see them, and Linux."""
    entries = []
    for n, k in sizes.memory:
        for dtype in DTYPES:
            for gradient in (False, True):
                run = one_call(n, k, dtype, gradient)
                result = n * k * np.dtype(dtype).itemsize if gradient else 0
                tracemalloc.start()
                run()
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                grown, _ = peak_resident(one_call, n, k, dtype, gradient)
                entry: Results = {"shape": [n, k], "dtype": dtype, "gradient": gradient}
                entry["traced"] = peak - result
                entry["resident"] = None if grown is None else max(0, grown - result)
                entries.append(entry)
    return entries


# --- Growth, and what lies on a disk -------------------------------------------------------------


def growth(sizes: Sizes) -> list[Results]:
    """The nanoseconds of an element in small and in large arrays, and those of the floor."""
    most = sizes.growth[-1]
    rng, warm = np.random.default_rng(SEED), np.empty(most)
    z = 3 * rng.standard_normal(most)
    label, yes = rng.integers(1000, size=most // 1000), rng.integers(2, size=most).astype(float)
    normal = nllbook.Gaussian(0, 3)
    losses: dict[str, tuple[str, Callable[[int], Run]]] = {
        "categorical_nll": (EXP, lambda n: partial(
            nllbook.categorical_nll, label[: n // 1000], logits=z[:n].reshape(-1, 1000))),
        "bernoulli_nll": (EXP, lambda n: partial(nllbook.bernoulli_nll, yes[:n], logits=z[:n])),
        "gaussian_nll": (LOG, lambda n: partial(nllbook.gaussian_nll, z[:n], 0.0, std=3.0)),
        "nll": (LOG, lambda n: partial(nllbook.nll, z[:n], normal)),
    }  # fmt: skip
    positive = np.abs(z) + 0.5
    entries = []
    for loss, (floor, prepared) in losses.items():
        ufunc, of = (np.exp, z) if floor == EXP else (np.log, positive)
        runs: dict[str, Run] = {f"{n}": prepared(n) for n in sizes.growth}
        runs |= {f"{n}f": partial(ufunc, of[:n], out=warm[:n]) for n in sizes.growth}
        took, _ = take_turns(runs, sizes.seconds, sizes.rounds)
        for n in sizes.growth:
            ns, floor_ns = (
                [1e9 * one / n for one in quartiles(took[key])] for key in (f"{n}", f"{n}f")
            )
            entries.append(
                {"loss": loss, "elements": n, "ns": ns, "floor": floor, "floor_ns": floor_ns}
            )
        print(f"{loss}: growth", flush=True)
    return entries


MAPPED, BATCHES, AT_ONCE = "memory-mapped", "in batches", "in one go"


def from_disk(path: str, loss: str, how: str) -> Run:
    """A loss of float32 numbers in a file: rows of 1000 logits, or samples of a Gaussian."""
    stored = np.lib.format.open_memmap(path, mode="r")
    numbers = stored.reshape(-1, 1000)
    model, y = nllbook.Gaussian(0, 3), np.arange(len(numbers)) % 1000
    if how == BATCHES:
        step = max(1, len(numbers) // 100)
        if loss == "nll":
            return lambda: nllbook.nll(batches(numbers, step), model)
        return lambda: nllbook.categorical_nll(batches(y, step), logits=batches(numbers, step))
    array = numbers if how == MAPPED else np.array(numbers)
    if loss == "nll":
        return lambda: nllbook.nll(array, model)
    return lambda: nllbook.categorical_nll(y, logits=array)


def batches(array: NDArray[Any], step: int) -> Any:
    """Some rows after the other, each time read anew."""
    return (np.array(array[start : start + step]) for start in range(0, len(array), step))


def disk(sizes: Sizes) -> list[Results]:
    """The same numbers in one go, as a mapped file, and batch by batch."""
    entries = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "numbers.npy")
        stored = np.lib.format.open_memmap(path, "w+", np.float32, (sizes.disk,))
        rng = np.random.default_rng(SEED)
        for start in range(0, sizes.disk, 10**6):
            part = stored[start : start + 10**6]
            part[:] = 3 * rng.standard_normal(len(part), np.float32)
        del stored, part
        for loss in ("categorical_nll", "nll"):
            _, expected = peak_resident(from_disk, path, loss, AT_ONCE)
            for how in (MAPPED, BATCHES):
                grown, found = peak_resident(from_disk, path, loss, how)
                entry: Results = {"loss": loss, "how": how, "bytes": 4 * sizes.disk}
                entry["difference"] = abs(found - expected) / abs(expected)
                entry["resident"] = grown
                entries.append(entry)
    return entries


# --- Optimisers ----------------------------------------------------------------------------------


class Arrived(Exception):
    """Raised by the objective where it is close enough to the optimum."""


def optimisers(sizes: Sizes) -> Results:
    """Softmax regression on digits, with the penalty of LogisticRegression(C=1): time to arrive.

    Newton and gradient descent are stopped as soon as they have arrived; scikit-learn's solvers
    have the loosest tolerance of a grid with which they arrive.
    """
    model = import_module("sklearn.linear_model").LogisticRegression
    digits = nllbook.datasets.load_digits()
    pixels, y = digits["pixels"][: sizes.digits] / 16, digits["digit"][: sizes.digits]
    n, k, penalty = len(y), 10, 1 / len(y)
    X = np.hstack([np.ones((n, 1)), pixels])
    start = np.zeros((X.shape[1], k))
    target, asked = -math.inf, 0

    def first(W: Any) -> tuple[Any, Any]:
        """The intercepts W[0] are free; the square of their sum, 0 at the optimum, fixes them."""
        nonlocal asked
        value, slope = nllbook.categorical_nll(y, logits=X @ W, return_grad=True)
        value += penalty / 2 * (np.sum(W[1:] ** 2) + W[0].sum() ** 2)
        asked += 1
        if value <= target:
            raise Arrived
        gradient = X.T @ slope
        gradient[1:] += penalty * W[1:]
        gradient[0] += penalty * W[0].sum()
        return value, gradient

    def second(W: Any) -> tuple[Any, Any, Any]:
        value, gradient = first(W)
        p = nllbook.softmax(X @ W)
        products = (X[:, :, None] * p[:, None, :]).reshape(n, -1)
        hessian = (products.T @ products / -n).reshape(*start.shape, *start.shape)
        for c in range(k):
            hessian[:, c, :, c] += (X * p[:, c, None]).T @ X / n
            hessian[range(1, len(W)), c, range(1, len(W)), c] += penalty
        hessian[0, :, 0, :] += penalty
        return value, gradient, hessian

    history = nllbook.newton(second, start)
    best = float(history.value[-1])
    curvatures = np.linalg.eigvalsh(second(history.x[-1])[2].reshape(start.size, -1))
    target = best + WITHIN * best

    def arrive(run: Run) -> int:
        nonlocal asked
        asked = 0
        try:
            run()
        except Arrived:
            return asked - 1
        sys.exit("Wrong: an optimiser of nllbook did not arrive")

    def fitted(solver: str, tol: float) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged
            one = model(C=1.0, solver=solver, tol=tol, max_iter=2000, random_state=0)
            return one.fit(pixels, y)

    runs: dict[str, Run] = {
        NEWTON: partial(arrive, lambda: nllbook.newton(second, start)),
        DESCENT: partial(arrive, lambda: nllbook.gradient_descent(
            first, start, learning_rate=1.5 / curvatures[-1], steps=10**6)),
    }  # fmt: skip
    steps = {name: run() for name, run in runs.items()}
    for solver in ("lbfgs", "newton-cg", "newton-cholesky", "sag", "saga"):
        for tol in 10.0 ** np.arange(-1, -9, -0.5):
            try:
                one = fitted(solver, tol)
                first(np.vstack([one.intercept_ - one.intercept_.mean(), one.coef_.T]))
            except Arrived:
                runs[solver] = partial(fitted, solver, tol)
                break
    took, _ = take_turns(runs, 0, sizes.rounds)
    best_solver = min((name for name in runs if name not in steps), key=lambda s: median(took[s]))
    return {
        "images": n,
        "parameters": start.size,
        "within": WITHIN,
        "nll": best,
        "condition": float(curvatures[-1] / curvatures[0]),
        "steps": steps,
        "best": best_solver,
        "seconds": {name: quartiles(one) for name, one in took.items()},
        "by_best": {name: ratio(one, took[best_solver]) for name, one in took.items()},
    }


# --- The whole -----------------------------------------------------------------------------------


def surroundings() -> Results:
    """Machine and versions."""
    names = ("numpy", "scipy", "scikit-learn", "torch", "jax", "optax")
    about = {
        "month": f"{datetime.date.today():%B %Y}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "features": np.show_config(mode="dicts")["SIMD Extensions"]["found"],
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }
    versions = {"nllbook": nllbook.__version__, "Python": platform.python_version()}
    versions |= {name: version(name).partition("+")[0] for name in names}
    return {"machine": about, "versions": versions}


def measured(sizes: Sizes) -> Results:
    parts = (losses, one_row, scratch, growth, disk, optimisers)
    results = surroundings()
    for part in parts:
        start = time.perf_counter()
        results[part.__name__] = part(sizes)
        print(f"{part.__name__}: {time.perf_counter() - start:.0f} s", flush=True)
    return results


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run at all?")
    parser.add_argument("--page", action="store_true", help="measure nothing; what is said, anew")
    parser.add_argument("--to", type=Path, help="a folder to write to, instead of the book")
    asked = parser.parse_args(arguments)
    there = Path(__file__).parent
    written, said, drawn = there / "results/speed.json", there / "speed.md", there / "../chapters"
    if asked.to:
        written, said, drawn = asked.to / written.name, asked.to / said.name, asked.to
    if not asked.page:
        if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
            os.environ.update(ONE_THREAD)  # before anything is imported that reads them
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
        results = measured(QUICK if asked.quick else FULL)
        written.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    results = json.loads(written.read_text(encoding="utf-8"))
    text = speed_page.fragment(results)
    said.write_text(text, encoding="utf-8")
    speed_page.draw(results, drawn)
    print(re.sub(r"</?(?:div|details|summary|code).*?>|<!--.*-->", "", text))
    print(f"Written to {said}")


if __name__ == "__main__":
    main()
