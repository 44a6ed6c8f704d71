"""The cases of the fuzzer: arguments in every form, plausible ones for every public function."""

from __future__ import annotations

import contextlib
import math
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nllbook

WRITTEN = "<call>"  # the file name of what is evaluated from text

Rng = np.random.Generator
Array = NDArray[Any]


# --- Arguments and their forms -------------------------------------------------------------------


class Subclass(np.ndarray[Any, Any]):
    """Arrays of a class of their own, as other libraries have them."""


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def swapped(array: Array) -> Array:
    """The same numbers in the other byte order."""
    return array.astype(array.dtype.newbyteorder())


def masked(array: Array) -> Any:
    return np.ma.masked_array(array, np.zeros(array.shape, bool))


NAMES: dict[str, Any] = {name: getattr(nllbook, name) for name in nllbook.__all__} | {
    "np": np,
    "nan": math.nan,
    "inf": math.inf,
    "Decimal": Decimal,
    "Fraction": Fraction,
    "Subclass": Subclass,
    "masked": masked,
    "read_only": read_only,
    "swapped": swapped,
}

# The same numbers in other forms, all of which are accepted; {} stands for a plain array.
FORMS = (
    *6 * ["{}"],
    "{}.tolist()",
    "tuple({}.tolist())",
    "list({})",
    "np.asfortranarray({})",
    "{}.T.copy().T",
    "{}[::-1].copy()[::-1]",
    "{}[..., ::-1].copy()[..., ::-1]",
    "np.repeat({}, 2, axis=-1)[..., ::2]",
    "read_only({})",
    "swapped({})",
    "{}.view(Subclass)",
)
SINGLE = ("{}", "{}[()]", *4 * ["{}.item()"])  # the forms of a single number

DTYPES = (
    *("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g"),
    *(">f4", ">f8", ">i8", "O", "c8", "c16", "U", "S"),
)

# Other shapes and dtypes: most of these are refused.
MUTATIONS = (
    "{}[..., None]",
    "{}[None]",
    "np.atleast_1d({})[:-1]",
    "np.atleast_1d({})[:0]",
    "np.atleast_1d({})[:1]",
    "np.atleast_1d({})[0]",
    "np.ravel({})",
    "np.transpose({})",
    "np.stack([{}, {}])",
    "np.append({}, 1)",
    "np.append({}, 1).tolist()",
    *[f"np.asarray({{}}).astype('{dtype}')" for dtype in DTYPES],
    "np.asarray({}).astype('i8').astype('M8[s]')",
    "np.asarray({}).astype('i8').astype('m8[s]')",
    "np.rec.fromarrays([np.asarray({})])",
    "masked(np.asarray({}))",
    "[np.asarray({}).tolist(), 1.0]",
    "[{}]",
    "-1 * np.asarray({})",
    "2 * np.asarray({})",
    "np.nextafter(np.asarray({}), 2.0)",
    "np.asarray({}) * (1 + 1e-15)",
    "np.asarray({}) * (1 - 1e-6)",
)

ODD = (
    *("None", "True", "False", "0", "1", "-1", "2", "0.5", "-0.0", "nan", "inf", "-inf", "1e308"),
    *("2**63", "2**64 - 1", "10**30", "-10**400", "[10**30, 1]", "[2**63, -1]", "5e-324"),
    *("''", "'1'", "'mean'", "b''", "b'1'", "bytearray(b'01')", "['1', '2']", "['a', 1]"),
    *("1j", "[1j, 2]", "object()", "int", "...", "slice(2)", "dict()", "{1: 2}", "{0, 1}"),
    *("Fraction(1, 2)", "Decimal('0.5')", "[Fraction(1, 2)] * 2", "[Decimal('0.5')] * 2"),
    *("[]", "[[]]", "[[], [1]]", "[[1, 2], [3]]", "[[1.0], 2.0]", "[None, 1.0]", "[True, False]"),
    *("np.array(None)", "np.array(5)", "np.array(0.5, 'f4')", "np.float32(0.5)", "np.float16(1)"),
    *("np.int8(1)", "np.uint64(2**64 - 1)", "np.bool_(True)", "np.longdouble('1e4000')"),
    *("np.datetime64('2026-01-01')", "np.timedelta64(1, 's')", "np.array(['2026'], 'M8[D]')"),
    *("np.zeros((0, 3))", "np.zeros((2, 0))", "np.zeros((2, 1, 3))", "np.ones((1,) * 30)"),
    *("np.array([(1, 2.0)], 'i4,f8')", "np.array([1, 'a'], object)", "np.array([1.0, 2], object)"),
    *("masked(np.array([1.0, 2.0]))", "range(3)", "memoryview(b'01')", "len", "lambda x: x"),
)

HARD = (
    *(math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, -5e-324, 2.3e-308, 1e-300, 1e-16),
    *(1e308, -1e308, 1.7976931348623157e308, 745.0, -745.0, 710.0, -710.0, 88.0, -104.0),
    *(1.0, -1.0, 1 + 2.3e-16, 1 - 1.2e-16, -2.3e-16, 0.5, 2.0, 2.0**31, 2.0**53, 2.0**63, 1e16),
)


@dataclass(frozen=True)
class Argument:
    """What is passed: Python text, in which {} stands for the array (a plain one, of numbers)."""

    text: str = "{}"
    array: Array | None = None

    def value(self) -> Any:
        """Made anew, so that nothing can change it for the next call."""
        if self.array is None:
            return eval(compiled(self.text), NAMES)
        array = self.array.copy()
        return array if self.text == "{}" else eval(compiled(self.text), NAMES, {"array": array})

    def __str__(self) -> str:
        if self.array is None:
            return self.text
        dtype = "g" if self.array.dtype.char == "g" else self.array.dtype.str[1:]
        data = f"np.array({self.array.tolist()!r}, '{dtype}')"
        if self.array.size == 0:
            data = f"np.zeros({self.array.shape}, '{dtype}')"
        return self.text.replace("{}", data)

    def within(self, form: str) -> Argument:
        """The argument in that form; as it was where it has no such form."""
        changed = replace(self, text=form.replace("{}", self.text))
        try:
            changed.value()
        except Exception:  # whatever NumPy says of it
            return self
        return changed


@cache
def compiled(text: str) -> types.CodeType:
    return compile(text.replace("{}", "array"), WRITTEN, "eval")


Arguments = dict[str, Argument]


def pick(rng: Rng, options: Sequence[Any]) -> Any:
    return options[int(rng.integers(len(options)))]


def text(rng: Rng, *options: object) -> Argument:
    """One of these values (not arrays), as Python."""
    return Argument(repr(pick(rng, options)))


# The float types, the usual ones more often.
FLOATS = ("f8", "f8", "f8", "f4", "f4", "f2", "g")
WHOLE = ("i8", "i8", "i8", "i4", "u1", "u8", "f8", "f4")


def drawn(rng: Rng, kind: str, shape: tuple[int, ...]) -> Array:
    """Numbers of a kind, as a plain array of some dtype."""
    values: Any
    dtypes: tuple[str, ...]
    match kind:
        case "real":
            values, dtypes = rng.normal(0, 3, shape), (*FLOATS, "i8", "i2")
        case "positive":
            values, dtypes = rng.lognormal(0, 1.5, shape) + 1e-3, FLOATS
        case "unit":
            values = np.where(rng.random(shape) < 0.2, rng.integers(0, 2, shape), rng.random(shape))
            dtypes = FLOATS
        case "bit":
            values, dtypes = rng.integers(0, 2, shape), (*WHOLE, "?")
        case "count":
            values, dtypes = rng.poisson(rng.choice([1, 4, 30]), shape), WHOLE
        case "weight":
            values, dtypes = rng.choice([0.0, 0.5, 1, 2, 3], shape), (*FLOATS, "i8")
        case _:
            raise ValueError(kind)
    return np.asarray(values).astype(pick(rng, dtypes))


def simplex(rng: Rng, shape: tuple[int, ...]) -> Array:
    """Distributions on the last axis: dense ones, sure ones, some with zeros."""
    if 0 in shape:
        return np.zeros(shape)
    k = shape[-1]
    values = rng.dirichlet(np.ones(k), shape[:-1])
    if rng.random() < 0.3:
        values = np.eye(k)[rng.integers(0, k, shape[:-1])]
    elif rng.random() < 0.3:
        values = np.where(rng.random(shape) < 0.4, 0, values)
        values[..., 0] += values.sum(axis=-1) == 0
        values /= values.sum(axis=-1, keepdims=True)
    return values.astype(pick(rng, FLOATS))


def formed(rng: Rng, array: Array) -> Argument:
    """The array in some form, now and then with a hard value in it."""
    if array.size and array.dtype.kind == "f" and rng.random() < 0.15:
        array.flat[int(rng.integers(array.size))] = pick(rng, HARD)
    return Argument(array=array).within(pick(rng, FORMS if array.ndim else SINGLE))


SHAPES: list[tuple[int, ...]] = [
    *((), (1,), (2,), (3,), (3,), (4,), (5,), (6,), (12,), (2, 3), (3, 1), (1, 4), (2, 2, 2)),
    *((0,), (0, 2)),
]


def rows(rng: Rng, **kinds: str) -> Arguments:
    """Data and parameters of one shape, some of them single numbers."""
    shape = pick(rng, SHAPES)
    shapes = {name: () if rng.random() < 0.3 else shape for name in kinds}
    return {name: formed(rng, drawn(rng, kinds[name], shapes[name])) for name in kinds}


def shape_of(given: Arguments) -> tuple[int, ...]:
    """The shape of the rows."""
    shapes = [one.array.shape for one in given.values() if one.array is not None]
    return max(shapes, key=len)


def reductions(rng: Rng, given: Arguments, shape: tuple[int, ...]) -> Arguments:
    """The arguments that all losses share."""
    if rng.random() < 0.4:
        own = shape if rng.random() < 0.8 else ()
        given["sample_weight"] = formed(rng, drawn(rng, "weight", own))
    if rng.random() < 0.8:
        given["reduction"] = text(rng, "mean", "sum", "none", "none")
    if rng.random() < 0.5:
        given["return_grad"] = text(rng, True, True, False)
    return given


# --- Function by function ------------------------------------------------------------------------


def categorical(rng: Rng) -> Arguments:
    shape = pick(rng, [one for one in SHAPES if len(one) < 3])
    k = int(rng.integers(1, 6))
    name = pick(rng, ["logits", "probs"])
    scores = drawn(rng, "real", (*shape, k)) if name == "logits" else simplex(rng, (*shape, k))
    soft = rng.random() < 0.35
    labels = simplex(rng, (*shape, k)) if soft else rng.integers(0, k, shape)
    if not soft:
        labels = labels.astype(pick(rng, ("i8", "i8", "i4", "u1", "u8")))
    given = {"y": formed(rng, np.asarray(labels)), name: formed(rng, scores)}
    if rng.random() < 0.2:
        given["class_weight"] = formed(rng, drawn(rng, "weight", (k,)))
    if rng.random() < 0.2:
        given["ignore_index"] = text(rng, -100, 0, 1, -1, None)
    if rng.random() < 0.3:
        given["label_smoothing"] = text(rng, 0.0, 0.1, 0.5, 1.0, 1, 1.5)
    return reductions(rng, given, shape)


def elementary(rng: Rng, *choices: dict[str, str], **fixed: Sequence[object]) -> Arguments:
    """A loss: data and parameters of one of these choices of kinds, and what is fixed."""
    given = rows(rng, **pick(rng, choices))
    shape = shape_of(given)
    for name, options in fixed.items():
        given[name] = text(rng, *options)
    return reductions(rng, given, shape)


def bernoulli(rng: Rng) -> Arguments:
    y = pick(rng, ["bit", "bit", "unit"])
    given = elementary(rng, {"y": y, "logits": "real"}, {"y": y, "probs": "unit"})
    if rng.random() < 0.2:
        shape = pick(rng, [(), shape_of({"y": given["y"]})])
        given["pos_weight"] = formed(rng, drawn(rng, "weight", shape))
    return given


def poisson(rng: Rng) -> Arguments:
    return elementary(rng, {"y": "count", "rate": "positive"}, {"y": "count", "log_rate": "real"})


def gaussian(rng: Rng) -> Arguments:
    both = {"y": "real", "mean": "real"}
    std, variance = both | {"std": "positive"}, both | {"variance": "positive"}
    return elementary(rng, std, variance, both | {"log_std": "real"})


def scaled(rng: Rng, **fixed: Sequence[object]) -> Arguments:
    return elementary(rng, {"y": "real", "loc": "real", "scale": "positive"}, **fixed)


def array_of(kind: str, name: str, rng: Rng) -> Arguments:
    return {name: formed(rng, drawn(rng, kind, pick(rng, SHAPES)))}


def based(make: Callable[[Rng], Arguments], rng: Rng) -> Arguments:
    """At times with the base of a logarithm."""
    given = make(rng)
    if rng.random() < 0.4:
        given["base"] = text(rng, 2, 10, 2.0, math.e, 1.5, None, 1, 0.5, -2)
    return given


def along(rng: Rng, given: Arguments) -> Arguments:
    """At times with an axis; for the first one the rows of probabilities are moved to it."""
    if rng.random() < 0.4:
        axis = pick(rng, [0, 0, 0, -1, -1, 1, -2, 3, 1.0, None, "0"])
        given["axis"] = Argument(repr(axis))
        if axis == 0:
            for name, one in given.items():
                if one.array is not None and one.array.ndim:
                    given[name] = replace(one, array=np.moveaxis(one.array, -1, 0).copy())
    return given


def several(rng: Rng) -> tuple[int, ...]:
    """The shape of some distributions over up to five outcomes."""
    return (*pick(rng, [(), (), (2,), (3,), (2, 2), (0,)]), int(rng.integers(1, 6)))


def distributions(names: Sequence[str], rng: Rng) -> Arguments:
    shape = several(rng)
    return along(rng, {name: formed(rng, simplex(rng, shape)) for name in names})


def logits(name: str, rng: Rng) -> Arguments:
    return along(rng, {name: formed(rng, drawn(rng, "real", several(rng)))})


def log_sums(rng: Rng) -> Arguments:
    given = logits("a", rng)
    if rng.random() < 0.3:
        given["keepdims"] = text(rng, True, False)
    return given


MODELS = {
    "Bernoulli": {"p": "unit"},
    "Exponential": {"rate": "positive"},
    "Gamma": {"shape": "positive", "rate": "positive"},
    "Gaussian": {"mean": "real", "std": "positive"},
    "Laplace": {"loc": "real", "scale": "positive"},
    "Poisson": {"rate": "positive"},
    "StudentT": {"df": "positive", "loc": "real", "scale": "positive"},
    "Categorical": {},
    "Uniform": {},
}
DATA = {
    "Bernoulli": "bit",
    "Categorical": "count",
    "Exponential": "positive",
    "Gamma": "positive",
    "Poisson": "count",
}
DISCRETE = ("Bernoulli", "Categorical", "Poisson")
EXTREME = (5e-324, 1e-300, 1e-10, 1e10, 1e300, 1.7e308)


def parameters(name: str, rng: Rng) -> Arguments:
    if name == "Categorical":
        return {"probs": formed(rng, simplex(rng, (int(rng.integers(1, 6)),)))}
    if name == "Uniform":
        low = drawn(rng, "real", ())
        high = low + drawn(rng, "positive", ())
        return {"low": formed(rng, low), "high": formed(rng, np.asarray(high))}
    return {one: formed(rng, drawn(rng, kind, ())) for one, kind in MODELS[name].items()}


def model(name: str, rng: Rng) -> Argument:
    """A model, at times with an extreme parameter."""
    while True:
        given = parameters(name, rng)
        if MODELS[name] and rng.random() < 0.2:
            given[pick(rng, list(given))] = text(rng, *EXTREME)
        written = f"{name}({', '.join(f'{one}={value}' for one, value in given.items())})"
        with contextlib.suppress(ValueError):
            eval(written, NAMES)
            return Argument(written)


def method(name: str, rng: Rng) -> Arguments:
    kind = DATA.get(name, "real") if rng.random() < 0.8 else "real"
    return {"self": model(name, rng), **array_of(kind, "x", rng)}


def of_model(name: str, rng: Rng) -> Arguments:
    return {"self": model(name, rng)}


def sampled(name: str, rng: Rng) -> Arguments:
    given = {"self": model(name, rng), "size": text(rng, 0, 1, 5, (), (2, 3), (0, 2))}
    return given | {"rng": Argument("np.random.default_rng(0)")}


def fitted(name: str, rng: Rng) -> Arguments:
    shape = pick(
        rng, [(int(rng.integers(1, 12)),), (int(rng.integers(2, 12)),), (5,), (0,), (2, 3)]
    )
    given = {"x": formed(rng, drawn(rng, DATA.get(name, "real"), shape))}
    if name == "StudentT":
        given["df"] = formed(rng, drawn(rng, "positive", ()))
    if name == "Categorical" and rng.random() < 0.5:
        given["k"] = text(rng, 1, 3, 10, 1000, None, 0, -1, 2.0, 10**30)
    return given


def with_model(weighted: bool, rng: Rng) -> Arguments:
    name = pick(rng, list(MODELS))
    given = {**array_of(DATA.get(name, "real"), "x", rng), "dist": model(name, rng)}
    if weighted:
        given = reductions(rng, given, shape_of(given))
        given.pop("return_grad", None)
    return given


def weights_of_symbols(rng: Rng) -> Arguments:
    return {"weights": formed(rng, drawn(rng, "positive", (int(rng.integers(1, 8)),)))}


WORDS = (["0"], ["0", "1"], ["0", "10", "11"], ["00", "01", "1"], ["1", "01", "001", "000"])
NO_WORDS: tuple[Any, ...] = (
    [],
    "01",
    ["0", "01"],
    ["01", "0"],
    ["2"],
    [""],
    ["0", "0"],
    [0, 1],
    (),
    None,
    5,
    [b"0"],
)


def to_prefix(rng: Rng) -> Arguments:
    words = pick(rng, WORDS)
    symbols = rng.integers(0, len(words), rng.integers(0, 9)).astype(pick(rng, ["i8", "u1", "u8"]))
    chosen = words if rng.random() < 0.8 else pick(rng, NO_WORDS)
    return {"symbols": formed(rng, symbols), "words": text(rng, chosen, tuple(words))}


def from_prefix(rng: Rng) -> Arguments:
    words = pick(rng, WORDS)
    code = "".join(pick(rng, words) for _ in range(rng.integers(0, 9)))
    broken = pick(rng, [code[:-1], code + "2", code + " ", code.encode(), list(code), "١"])
    chosen = words if rng.random() < 0.8 else pick(rng, NO_WORDS)
    return {"code": text(rng, code, code, code, broken), "words": text(rng, chosen)}


def counts_of_symbols(rng: Rng, k: int) -> Array:
    shape = (k,) if rng.random() < 0.7 else (k, k)
    top = pick(rng, [2, 5, 100, 2**28])
    return rng.integers(rng.random() < 0.8, top, shape).astype(pick(rng, ["i8", "i8", "u8", "u4"]))


def to_arithmetic(rng: Rng) -> Arguments:
    k = int(rng.integers(1, 6))
    symbols = rng.integers(0, k, rng.integers(0, 40))
    return {
        "symbols": formed(rng, symbols),
        "frequencies": formed(rng, counts_of_symbols(rng, k)),
    }


def from_arithmetic(rng: Rng) -> Arguments:
    given = to_arithmetic(rng)
    symbols, table = given.pop("symbols").array, given["frequencies"].array
    assert symbols is not None
    assert table is not None
    code, length = rng.bytes(int(rng.integers(0, 20))), symbols.size
    if rng.random() < 0.8:
        with contextlib.suppress(ValueError):
            code = nllbook.arithmetic_encode(symbols, table)
    if rng.random() < 0.2:
        length = pick(rng, [0, -1, 1, length + 1, 2.0, True, None, "3"])
    return {
        "code": text(rng, code, code, code, bytearray(code), code[:-1], code.hex()),
        **given,
    } | {"length": text(rng, length)}


# Functions to optimise, some of which are wrong, or leave the finite numbers.
SLOPES = (
    *9 * ["lambda x: (0.5 * float(np.sum(x * x)), x)"],
    "lambda x: (np.sum(np.cos(x)), -np.sin(x))",
    "lambda x: (np.float32(np.sum(x)), np.ones(np.shape(x), 'f4'))",
    "lambda x: (np.sum(-np.exp(x)), -np.exp(x) * 1e200)",
    "lambda x: [1.0, x]",
    "lambda x: (1.0, x, x)",
    "lambda x: (x, x)",
    "lambda x: (1.0, [x, x])",
    "lambda x: (None, x)",
    "lambda x: (10**400, x)",
    "lambda x: (nan, x)",
    "lambda x: 1 // 0",
    "lambda x: None",
)
CURVES = (
    *9 * ["lambda x: (0.5 * float(np.sum(x * x)), x, square(x))"],
    "lambda x: (np.sum(np.cos(x)), -np.sin(x), square(x) * np.cos(x))",
    "lambda x: (np.sum(x), x, 0 * square(x))",
    "lambda x: (np.sum(x), x, square(x) * 1e308)",
    "lambda x: (np.sum(x), x * 1e308, square(x) * 1e-308)",
    "lambda x: (np.sum(x), x, x)",
    "lambda x: (np.sum(x), x, inf * square(x))",
    "lambda x: (np.sum(x), x)",
    "lambda x: 1 // 0",
)


def square(x: Any) -> Any:
    """The Hessian of half the sum of squares."""
    return np.eye(np.size(x)).reshape(2 * np.shape(x))


NAMES["square"] = square


def descent(rng: Rng) -> Arguments:
    given = array_of("real", "x0", rng)
    given["value_and_grad"] = Argument(pick(rng, SLOPES))
    given["learning_rate"] = text(rng, *4 * [0.1, 0.5, 1], 1e-300, 1e300, 0, -1)
    given["steps"] = text(rng, *4 * [0, 1, 5, 20], -1, 2.0, True)
    if rng.random() < 0.3:
        given["maximize"] = text(rng, True, False)
    return given


def newton(rng: Rng) -> Arguments:
    given = array_of("real", "x0", rng)
    given["derivatives"] = Argument(pick(rng, CURVES))
    if rng.random() < 0.5:
        given["steps"] = text(rng, 0, 1, 5, -1, 2.0)
    if rng.random() < 0.3:
        given["tolerance"] = text(rng, 0, 1e-6, 0.1, 1e300, -1, math.nan)
    if rng.random() < 0.3:
        given["maximize"] = text(rng, True, False)
    return given


def claim(rng: Rng) -> Arguments:
    left = formed(rng, drawn(rng, pick(rng, ["real", "positive", "count"]), pick(rng, SHAPES)))
    given = {"claim": Argument("'fuzzed'"), "left": left}
    form = pick(rng, ["rtol", "atol", "standard_error", "greater_than", "less_than", "exact"])
    if form in ("greater_than", "less_than"):
        given[form] = text(rng, *((-1e3, -20) if form == "greater_than" else (1e3, 50, 100)))
        given["margin"] = text(rng, 1e-3, 0.5, 0, -1)
    elif form == "exact":
        given |= {"right": left, "exact": Argument("True")}
    else:
        given |= {"right": left, form: text(rng, 1e-9, 1e-300, 0.1, 1e300, 0, -1, math.nan)}
        if form == "standard_error":
            given["left"] = given["right"] = formed(rng, drawn(rng, "real", ()))
            given["rival"] = text(rng, 100, -100, 0.5, math.inf)
    return given


def in_prose(rng: Rng) -> Arguments:
    given = {"value": formed(rng, drawn(rng, "real", ()))}
    if rng.random() < 0.5:
        given["digits"] = text(rng, 0, 1, 2, 5, 17, -1, 2.0)
    return given
