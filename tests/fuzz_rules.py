"""What the fuzzer asks of every result: its type, shape, range, and that its form does not matter.

A rule is a function of the arguments, the result, and the function that was called, which may be
called again. It holds by the docstrings, for whatever arguments the function has accepted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import nllbook
from tests.fuzz_cases import DISCRETE, MODELS, Array

Given = dict[str, Any]
Function = Callable[..., Any]


class ViolationError(Exception):
    """Something that the package promises does not hold."""


def require(holds: object, what: str) -> None:
    if not holds:
        raise ViolationError(what)


def quietly(function: Function, given: Given) -> Any:
    """Call it once more, as most callers do."""
    try:
        with np.errstate(all="ignore"):
            return function(**given)
    except Exception as error:
        raise ViolationError(f"called again it raises {type(error).__name__}: {error}") from error


def plain(value: Any) -> Any:
    """The same numbers in a plain array: contiguous, writeable, of the machine's byte order."""
    if np.ndim(value) == 0:
        return value
    array = np.asarray(value)
    return np.array(array, array.dtype.newbyteorder("="), order="C", subok=False)


def is_single(value: Any) -> bool:
    dtype = np.asarray(value).dtype
    return dtype.kind == "f" and dtype.itemsize <= 4


def of_type(what: str, result: Any, shape: tuple[int, ...], single: bool) -> None:
    """An array of NumPy's own, or a scalar of NumPy's own where the shape is ()."""
    expected = np.ndarray if shape else np.generic
    dtype = np.dtype(np.float32 if single else np.float64)
    fits = isinstance(result, expected) and (not shape or type(result) is np.ndarray)
    require(fits, f"{what} is a {type(result).__name__}, wanted {expected.__name__}")
    require(result.shape == shape, f"{what} has shape {result.shape}, wanted {shape}")
    require(result.dtype == dtype, f"{what} is {result.dtype.str}, wanted {dtype}")


def agree(what: str, one: Any, other: Any) -> None:
    """Equal but for rounding, NaN and infinities included."""
    a, b = np.asarray(one), np.asarray(other)
    require(a.dtype == b.dtype, f"{what}: {a.dtype} and {b.dtype}")
    tolerance = 1e-5 if a.dtype == np.float32 else 1e-9
    same = a.shape == b.shape and np.allclose(a, b, tolerance, tolerance, equal_nan=True)
    require(same, f"{what}: {one!r} and {other!r}")


def between(what: str, result: Any, low: float, high: float) -> None:
    outside = (result < low) | (result > high)  # NaN passes
    require(not np.any(outside), f"{what} = {result!r} is outside [{low}, {high}]")


def no_nan(what: str, result: Any, allowed: Any = False) -> None:
    """NaN where ``allowed`` alone."""
    require(not np.any(np.isnan(result) & ~np.asarray(allowed)), f"{what} is NaN: {result!r}")


Judge = Callable[[Given, Any, Function], None]


def by_element(
    low: float = -math.inf,
    high: float = math.inf,
    nan: Callable[[Array], Array] = lambda x: np.zeros(x.shape, bool),
    argument: str = "",
) -> Judge:
    """A function of each number of an array: its first argument, unless another is named."""

    def judge(given: Given, result: Any, function: Function) -> None:
        name = argument or next(iter(given))
        x = np.asarray(given[name])
        of_type("the result", result, x.shape, is_single(x))
        between("the result", result, low, high)
        was_nan = np.isnan(x)
        require(np.all(np.isnan(result)[was_nan]), f"a NaN became a number: {result!r}")
        no_nan("the result", result, was_nan | nan(x.astype(np.float64)))
        agree("plain", quietly(function, given | {name: plain(given[name])}), result)
        flipped = quietly(function, given | {name: np.flip(x)})
        agree("in another order", flipped, np.flip(result)[()])

    return judge


def poles(x: Array) -> Array:
    """Those of digamma, and −∞."""
    return np.asarray((x <= 0) & (x == np.floor(x)))


def judge_xlogy(given: Given, result: Any, function: Function) -> None:
    x, y = (np.asarray(given[name]) for name in "xy")
    infinite = np.isinf(x.astype(np.float64))  # as a larger long double is, too
    of_type("the result", result, np.broadcast(x, y).shape, is_single(x) and is_single(y))
    require(x.shape == y.shape or not x.ndim or not y.ndim, f"{x.shape} was broadcast to {y.shape}")
    no_nan("the result", result, np.isnan(x) | np.isnan(y) | (infinite & (y == 1)))
    agree("plain", quietly(function, {name: plain(one) for name, one in given.items()}), result)


def judge_outcomes(given: Given, result: Any, function: Function) -> None:
    names = [name for name in "pq" if name in given]
    arrays = [np.asarray(given[name]) for name in names]
    axis = given.get("axis", -1)
    shape = tuple(np.delete(arrays[0].shape, axis).tolist())
    of_type("the result", result, shape, all(map(is_single, arrays)))
    for array in arrays:
        require(array.shape == arrays[0].shape, f"{array.shape} was broadcast")
    nan = np.any([np.isnan(array).any(axis=axis) for array in arrays], axis=0)
    require(np.array_equal(np.isnan(result), nan), f"NaN in other rows: {result!r}")
    between("the result", result, 0, math.inf)
    agree("plain", quietly(function, given | {name: plain(given[name]) for name in names}), result)
    flipped = given | {n: np.flip(a, axis) for n, a in zip(names, arrays, strict=True)}
    agree("in another order", quietly(function, flipped), result)


def judge_logsumexp(given: Given, result: Any, function: Function) -> None:
    a, axis, keep = np.asarray(given["a"]), given.get("axis", -1), given.get("keepdims", False)
    axis = None if axis is None else int(axis)
    with np.errstate(all="ignore"):
        largest = np.max(a.astype(np.float64), axis, keepdims=bool(keep), initial=-np.inf)
    of_type("the result", result, np.shape(largest), is_single(a))
    require(np.array_equal(np.isnan(result), np.isnan(largest)), f"NaN elsewhere: {result!r}")
    slack = 1e-6 * np.where(np.isfinite(largest), np.abs(largest), 0) + 1e-6
    require(np.all((result >= largest - slack) | np.isnan(largest)), f"{result!r} < {largest!r}")
    agree("plain", quietly(function, given | {"a": plain(given["a"])}), result)


def judge_softmax(low: float, high: float, given: Given, result: Any, function: Function) -> None:
    z, axis = np.asarray(given["z"]), given.get("axis", -1)
    of_type("the result", result, z.shape, is_single(z))
    between("the result", result, low, high)
    wide: Any = np.moveaxis(z, axis, -1).astype(np.float32 if is_single(z) else np.float64)
    nan = np.isnan(wide).any(-1) | (np.isposinf(wide).sum(-1) > 1) | np.isneginf(wide).all(-1)
    found = np.isnan(np.moveaxis(result, axis, -1))
    if result.size:
        require(
            np.array_equal(found, np.broadcast_to(nan[..., None], found.shape)), "NaN elsewhere"
        )
        if high == 1:
            sums = np.moveaxis(result, axis, -1).astype(np.float64).sum(-1)
            agree(
                "the sums", sums.astype(result.dtype), np.where(nan, np.nan, 1).astype(result.dtype)
            )
    agree("plain", quietly(function, given | {"z": plain(given["z"])}), result)


# The arguments of losses that are data and parameters, and those that go row by row.
PARAMETERS = (
    *("logits", "probs", "mean", "std", "variance", "log_std", "loc", "scale", "rate", "log_rate"),
)
BY_ROW = ("y", "x", *PARAMETERS, "sample_weight", "pos_weight")


def judge_categorical(given: Given, result: Any, function: Function) -> None:
    judge_loss(0, given, result, function, classes=True)


def judge_loss(
    low: float, given: Given, result: Any, function: Function, classes: bool = False
) -> None:
    """The rules of the docstring of ``nllbook.losses``; ``low`` is what no loss is below."""
    names = [name for name in ("y", *PARAMETERS) if given.get(name) is not None]
    arrays = {name: np.asarray(given[name]) for name in names}
    floats = [a for n, a in arrays.items() if type(given[n]) not in (bool, int, float)]
    floats = [a for a in floats if a.dtype.kind == "f"]
    single = bool(floats) and all(map(is_single, floats))
    shapes = {array.shape for array in arrays.values() if array.ndim}
    shape = next(iter(shapes), ())
    if classes:
        shape = arrays[names[1]].shape[:-1]
    else:
        require(len(shapes) <= 1, f"shapes {shapes} were broadcast")
    known = ~_unknown_rows(arrays, shape, classes)
    reduction, grad = given.get("reduction", "mean"), given.get("return_grad", False)
    value, gradients = result if grad else (result, ())
    _reduced(given, value, shape, single, reduction, known, low, function)
    if not grad:
        return
    wanted = [name for name in names if name != "y"]
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    require(len(gradients) == len(wanted), f"{len(gradients)} gradients, wanted {len(wanted)}")
    for name, gradient in zip(wanted, gradients, strict=True):
        scalar = arrays[name].ndim == 0 and reduction != "none"
        full = arrays[name].shape if classes else shape
        of_type(f"the gradient by {name}", gradient, () if scalar else full, single)
        rows_known = known[..., None] if classes else known
        if not scalar:
            no_nan(f"the gradient by {name}", gradient, ~rows_known)
    alone = quietly(function, given | {"return_grad": False})
    agree("the value without its gradient", alone, value)


def _unknown_rows(arrays: dict[str, Array], shape: tuple[int, ...], classes: bool) -> Array:
    """Rows that hold a NaN, or logits that have no softmax."""
    unknown: Array = np.zeros(shape, bool)
    for name, array in arrays.items():
        nan: Any = np.isnan(array)
        if classes and array.ndim > len(shape):
            nan = nan.any(-1)
            if name == "logits":
                wide: Any = array.astype(np.float32 if is_single(array) else np.float64)
                nan = np.asarray(nan | np.isposinf(wide).any(-1) | np.isneginf(wide).all(-1))
        unknown = np.asarray(unknown | nan)
    return unknown


def _reduced(
    given: Given,
    value: Any,
    shape: tuple[int, ...],
    single: bool,
    reduction: str,
    known: Array,
    low: float,
    function: Function,
) -> None:
    """The value against the losses of the rows, in this order, in another, and in plain arrays."""
    of_type("the value", value, shape if reduction == "none" else (), single)
    between("the value", value, low, math.inf)
    arguments = {name: one for name, one in given.items() if name != "return_grad"}
    arguments["reduction"] = "none"
    losses = quietly(function, arguments)
    no_nan("the loss of a row", losses, ~known)
    simple = {name: plain(one) if name in BY_ROW else one for name, one in arguments.items()}
    agree("plain", quietly(function, simple), losses)
    if shape:
        order = np.arange(shape[0])[::-1]
        turned = {
            name: one[order] if name in BY_ROW and np.ndim(one) else one
            for name, one in simple.items()
        }
        agree("in another order", quietly(function, turned), losses[order])
    terms = np.ravel(losses).astype(float).tolist()
    if not np.all(np.isfinite(terms)) or reduction == "none":
        if reduction != "none" and np.all(np.isfinite(terms) | np.isposinf(terms)):
            no_nan("the value", value)
        return
    weighted = any(given.get(name) is not None for name in WEIGHTS)
    if reduction == "sum" or not weighted:
        try:
            total = math.fsum(terms) / (len(terms) if reduction == "mean" else 1)
        except OverflowError:
            return
        size = (
            math.fsum(abs(term) for term in terms) if max(map(abs, terms), default=0) < 1e300 else 0
        )
        slack = (1e-6 if single else 1e-12) * size + 1e-300
        exact = abs(float(value) - total) <= slack or not size or (single and size > 1e38)
        require(exact, f"{reduction} = {value!r}, but the losses of the rows give {total!r}")


WEIGHTS = ("sample_weight", "class_weight", "pos_weight", "ignore_index")


def judge_nll(given: Given, result: Any, function: Function) -> None:
    x, dist = np.asarray(given["x"]), given["dist"]
    low = 0.0 if type(dist).__name__ in DISCRETE else -math.inf
    reduction = given.get("reduction", "mean")
    _reduced(given, result, x.shape, is_single(x), reduction, ~np.isnan(x), low, function)


def judge_likelihood(given: Given, result: Any, function: Function) -> None:
    of_type("the result", result, (), is_single(given["x"]))
    discrete = type(given["dist"]).__name__ in DISCRETE
    between("the result", result, 0, 1 if discrete else math.inf)


def judge_log_likelihood(given: Given, result: Any, function: Function) -> None:
    of_type("the result", result, (), is_single(given["x"]))
    discrete = type(given["dist"]).__name__ in DISCRETE
    between("the result", result, -math.inf, 0 if discrete else math.inf)


def judge_model(given: Given, result: Any, function: Function) -> None:
    for name in given:
        value = np.asarray(getattr(result, name))
        require(np.all(np.isfinite(value)), f"{name} = {value!r} was accepted")
        require(value.dtype == np.float64, f"{name} is {value.dtype}")


def judge_entropy(name: str, given: Given, result: Any, function: Function) -> None:
    require(isinstance(result, float), f"the entropy is a {type(result).__name__}")
    require(math.isfinite(result) or result == -math.inf, f"the entropy is {result}")
    require(result >= 0 or name not in DISCRETE, f"the entropy is {result}")


def judge_sample(given: Given, result: Any, function: Function) -> None:
    size = given["size"]
    require(np.shape(result) == (size if isinstance(size, tuple) else (size,)), "another size")
    if size != ():
        require(np.asarray(result).dtype in (np.float64, np.int64), "of another dtype")


def judge_fit(name: str, given: Given, result: Any, function: Function) -> None:
    """No model of the family near by makes the data more probable."""
    require(type(result).__name__ == name, f"{result!r} is no {name}")
    x = np.asarray(given["x"]).astype(np.float64)
    with np.errstate(all="ignore"):
        best = nllbook.nll(x, result)
        for one in MODELS[name]:
            for change in (1 - 1e-3, 1 + 1e-3):
                near = {own: getattr(result, own) for own in MODELS[name]}
                near[one] *= change
                if one == "df" or not math.isfinite(near[one]) or near[one] == 0:
                    continue
                if name == "Bernoulli" and near[one] > 1:
                    continue
                other = nllbook.nll(x, type(result)(**near))
                if np.isfinite([best, other]).all():
                    slack = 1e-9 * (1 + abs(best))
                    require(best <= other + slack, f"{near} is better: {other} < {best}")


def judge_huffman(given: Given, result: Any, function: Function) -> None:
    weights = np.asarray(given["weights"])
    require(len(result) == weights.size, "another number of words")
    symbols = list(range(len(result)))
    require(nllbook.prefix_decode("".join(result), result) == symbols, f"no prefix code: {result}")
    require(function(weights=plain(weights)) == result, "another code from a plain array")


def judge_prefix_encode(given: Given, result: Any, function: Function) -> None:
    symbols = np.asarray(given["symbols"]).tolist()
    require(nllbook.prefix_decode(result, given["words"]) == symbols, f"{result!r} is decoded else")


def judge_prefix_decode(given: Given, result: Any, function: Function) -> None:
    require(nllbook.prefix_encode(result, given["words"]) == given["code"], f"{result!r}")


def judge_arithmetic_encode(given: Given, result: Any, function: Function) -> None:
    symbols = np.asarray(given["symbols"]).tolist()
    decoded = nllbook.arithmetic_decode(result, given["frequencies"], len(symbols))
    require(decoded == symbols, f"{result!r} is decoded as {decoded}")


def judge_arithmetic_decode(given: Given, result: Any, function: Function) -> None:
    length = given["length"]
    require(isinstance(result, list) and len(result) == length, f"{result!r}")
    code = nllbook.arithmetic_encode(result, given["frequencies"])
    require(len(code) <= len(given["code"]), f"{result} is encoded as {code!r}")


def judge_history(given: Given, result: Any, function: Function) -> None:
    x0, steps = np.asarray(given["x0"]), given.get("steps", 50)
    require(1 <= len(result) <= steps + 1, f"{len(result)} iterates")
    dtype = np.dtype(np.float32 if is_single(x0) else np.float64)
    shapes = {"x": x0.shape, "value": (), "gradient": x0.shape}
    for name, shape in shapes.items():
        part = getattr(result, name)
        require(part.shape == (len(result), *shape), f"{name} has shape {part.shape}")
        require(part.dtype == dtype, f"{name} is {part.dtype}")
    require(np.array_equal(result.x[0], x0.astype(dtype)), f"it starts at {result.x[0]}")
    expected = type(None) if "learning_rate" in given else bool
    require(type(result.converged) is expected, f"converged = {result.converged!r}")


def judge_check(given: Given, result: Any, function: Function) -> None:
    require(result is None, f"{result!r}")


def judge_scientific(given: Given, result: Any, function: Function) -> None:
    require(
        isinstance(result, str) and re.fullmatch("−?\\d.*10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", result), f"{result!r}"
    )
