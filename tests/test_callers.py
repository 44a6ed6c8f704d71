"""Who calls, and with what: any array-like, any thread, any floating-point setting of the caller's.

Every public function that takes an array is called here with every kind of array.
"""

from __future__ import annotations

import copy
import inspect
import math
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

import nllbook
from nllbook import (
    Bernoulli,
    Categorical,
    Exponential,
    Gamma,
    Gaussian,
    Laplace,
    Poisson,
    StudentT,
    Uniform,
)
from nllbook.distributions import Distribution

Arguments = dict[str, Any]
MODELS: list[Distribution] = [
    Bernoulli(0.3),
    Categorical(np.array([0.2, 0.3, 0.5])),
    Poisson(1.5),
    Exponential(2.0),
    Gamma(2.0, 3.0),
    Gaussian(0.5, 2.0),
    Laplace(0.5, 2.0),
    StudentT(3.0, 0.5, 2.0),
    Uniform(0.0, 4.0),
]

Y = np.array([2, 0, 1, 1])
X = np.array([0.5, 1.0, 2.5, 0.25])
ONES = np.array([1, 0, 0, 1])
LOGITS = np.array([[2.0, 0.0, 1.0], [0.0, 1.0, 3.0], [1.0, 1.0, 1.0], [-40.0, 0.0, 2.0]])
PROBS = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [1.0, 0.0, 0.0], [0.125, 0.125, 0.75]])
W = np.array([1.0, 2.0, 0.5, 0.0])
COUNTS = np.array([3, 2, 1])
BOWL = {"learning_rate": 0.25, "steps": 3}


def bowl(x: Any) -> tuple[Any, Any]:
    return (x * x).sum(), 2 * x


def bowl_with_hessian(x: Any) -> tuple[Any, Any, Any]:
    return (*bowl(x), 2 * np.eye(x.size).reshape(2 * x.shape))


def cases() -> Iterator[tuple[str, Callable[..., Any], Arguments]]:
    """A function, and the arguments of it that are arrays."""
    every: Arguments = {"return_grad": True, "reduction": "none"}
    losses: dict[str, Arguments] = {
        "categorical_nll": {"y": Y, "logits": LOGITS, "class_weight": W[:3]},
        "bernoulli_nll": {"y": ONES, "logits": X, "pos_weight": W},
        "gaussian_nll": {"y": X, "mean": Y, "std": X},
        "laplace_nll": {"y": X, "loc": Y, "scale": X},
        "poisson_nll": {"y": Y, "rate": X},
        "student_t_nll": {"y": X, "loc": Y, "scale": X, "df": 3},
        "huber_nll": {"y": X, "loc": Y, "scale": X, "delta": 1.5},
        "asymmetric_laplace_nll": {"y": X, "loc": Y, "scale": X, "quantile": 0.25},
    }
    for name, given in losses.items():
        numbers = {key: value for key, value in given.items() if np.ndim(value) == 0}
        arrays = {key: value for key, value in given.items() if np.ndim(value)}
        function = partial(getattr(nllbook, name), **numbers)
        yield name, partial(function, return_grad=True), arrays | {"sample_weight": W}
        yield name, partial(function, **every), arrays
    categorical, gaussian = nllbook.categorical_nll, nllbook.gaussian_nll
    yield "categorical_nll", partial(categorical, **every), {"y": PROBS, "logits": LOGITS}
    yield "categorical_nll", partial(categorical, **every), {"y": Y, "probs": PROBS}
    yield (
        "bernoulli_nll",
        partial(nllbook.bernoulli_nll, **every),
        {"y": ONES, "probs": PROBS[3, 0]},
    )
    yield "gaussian_nll", partial(gaussian, **every), {"y": PROBS, "mean": LOGITS, "log_std": PROBS}
    yield "gaussian_nll", partial(gaussian, **every), {"y": X, "mean": Y, "variance": X}
    yield "poisson_nll", partial(nllbook.poisson_nll, **every), {"y": Y, "log_rate": X}
    for name in ("likelihood", "log_likelihood", "nll"):
        yield name, partial(getattr(nllbook, name), dist=Gaussian(0, 1)), {"x": LOGITS}
    yield "nll", partial(nllbook.nll, dist=Gaussian(0, 1)), {"x": X, "sample_weight": W}
    for name in ("entropy", "surprisal", "binary_entropy"):
        yield name, getattr(nllbook, name), {"p": PROBS}
    for name in ("cross_entropy", "kl_divergence"):
        yield name, getattr(nllbook, name), {"p": PROBS, "q": PROBS[::-1]}
    yield "perplexity", nllbook.perplexity, {"nll": X}
    yield "logsumexp", nllbook.logsumexp, {"a": LOGITS}
    yield "logsumexp", partial(nllbook.logsumexp, axis=None), {"a": LOGITS}
    for name in ("softmax", "log_softmax"):
        yield name, getattr(nllbook, name), {"z": LOGITS}
        yield name, partial(getattr(nllbook, name), axis=0), {"z": LOGITS}
    for name in ("sigmoid", "log_sigmoid", "softplus"):
        yield name, getattr(nllbook, name), {"z": LOGITS}
    for name in ("lgamma", "digamma", "trigamma"):
        yield name, getattr(nllbook, name), {"x": LOGITS}
    yield "xlogy", nllbook.xlogy, {"x": PROBS, "y": PROBS}
    yield "huffman_code", nllbook.huffman_code, {"weights": COUNTS}
    yield (
        "prefix_encode",
        nllbook.prefix_encode,
        {"symbols": Y, "words": np.array(["0", "10", "11"])},
    )
    yield "arithmetic_encode", nllbook.arithmetic_encode, {"symbols": Y, "frequencies": COUNTS}
    decode = partial(nllbook.arithmetic_decode, b"\x60", length=2)
    yield "arithmetic_decode", decode, {"frequencies": COUNTS}
    yield "gradient_descent", partial(descend, BOWL), {"x0": X}
    yield "gradient_descent", partial(descend, BOWL), {"x0": LOGITS}
    yield "newton", newton, {"x0": LOGITS}
    yield "check", partial(nllbook.check, "a-claim", rtol=1e-9), {"left": X, "right": X}
    for model in MODELS:
        family, name = type(model), type(model).__name__
        inside = ONES if family is Bernoulli else Y if family in (Categorical, Poisson) else X
        fit = partial(StudentT.fit, df=3.0) if family is StudentT else family.fit
        yield name, fit, {"x": inside}
        yield name, model.log_prob, {"x": np.stack([inside, X])}
        yield name, model.prob, {"x": inside}
    yield "Categorical", Categorical, {"probs": PROBS[0]}


def descend(options: Arguments, x0: Any) -> Any:
    return vars(nllbook.gradient_descent(bowl, x0, **options))


def newton(x0: Any) -> Any:
    return vars(nllbook.newton(bowl_with_hessian, x0))


CASES = [pytest.param(*one, id=f"{number} {one[0]}") for number, one in enumerate(cases())]
EACH = pytest.mark.parametrize(("name", "function", "arguments"), CASES)


def same(found: Any, expected: Any) -> None:
    """Equal to the last bit, and of the same types and shapes."""
    assert type(found) is type(expected)
    if isinstance(expected, tuple):
        for one, other in zip(found, expected, strict=True):
            same(one, other)
    elif isinstance(expected, dict):
        same(tuple(found.items()), tuple(expected.items()))
    elif isinstance(expected, np.ndarray | np.generic):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected


def test_every_function_that_takes_an_array_is_called() -> None:
    takes = set()
    for name in nllbook.__all__:
        public = getattr(nllbook, name)
        if inspect.isfunction(public):
            kinds = [str(one.annotation) for one in inspect.signature(public).parameters.values()]
            takes |= {name} if any("ArrayLike" in kind for kind in kinds) else set()
    models = {type(model).__name__ for model in MODELS}
    assert {name for name, _, _ in cases()} == takes | models


# ---- kinds of arrays


class Own(np.ndarray[Any, Any]):
    """A subclass of NumPy's array, as units and images are."""


class Labelled:
    """As a Series or a DataFrame of pandas with labels of its own: no position finds anything."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.values, dtype)

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __getitem__(self, label: Any) -> Any:
        raise KeyError(label)


def tuples(value: Any) -> Any:
    return tuple(map(tuples, value)) if isinstance(value, list) else value


def own(array: Any) -> Any:
    return array.view(Own)


def on_disk(folder: Path, array: Any) -> Any:
    mapped = np.memmap(folder / f"{len([*folder.iterdir()])}", array.dtype, "w+", shape=array.shape)
    mapped[...] = array
    mapped.flush()
    return mapped


def read_only(array: Any) -> Any:
    found = array.copy()
    found.flags.writeable = False
    return found


KINDS: dict[str, Callable[[Any], Any]] = {
    "a list": lambda array: array.tolist(),
    "a tuple": lambda array: tuples(array.tolist()),
    "a subclass": own,
    "a Series": Labelled,
    "read-only": read_only,
    "of another layout": lambda array: np.asfortranarray(array)[::-1].copy()[::-1],
}


def converted(arguments: Arguments, kind: Callable[[Any], Any]) -> Arguments:
    return {
        name: kind(np.asarray(value)) for name, value in arguments.items() if np.ndim(value)
    } | {name: value for name, value in arguments.items() if not np.ndim(value)}


@EACH
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_array_gives_what_an_array_gives(
    name: str, function: Callable[..., Any], arguments: Arguments, kind: str
) -> None:
    same(function(**converted(arguments, KINDS[kind])), function(**arguments))


@EACH
def test_an_array_on_a_disk_gives_what_an_array_gives(
    name: str, function: Callable[..., Any], arguments: Arguments, tmp_path: Path
) -> None:
    found = function(**converted(arguments, partial(on_disk, tmp_path)))
    same(found, function(**arguments))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
@EACH
def test_a_matrix_is_taken_for_an_array_or_refused(
    name: str, function: Callable[..., Any], arguments: Arguments
) -> None:
    """A matrix has two dimensions always: with as many, the result is an array's; else an error."""
    kept = {key: value for key, value in arguments.items() if np.ndim(value) != 2}
    matrices = {key: np.asmatrix(arguments[key]) for key in arguments.keys() - kept.keys()}
    same(function(**kept, **matrices), function(**arguments))
    for key in [key for key, value in kept.items() if np.ndim(value) and key != "words"]:
        given, rows = ({**arguments, key: make(kept[key])} for make in (np.asmatrix, np.atleast_2d))
        try:
            expected = function(**rows)
        except ValueError as error:
            with pytest.raises(ValueError, match=f"^{re.escape(str(error))}$"):
                function(**given)
        else:
            same(function(**given), expected)


# ---- models


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_copies_of_a_model_equal_it(model: Distribution) -> None:
    packed = [pickle.dumps(model, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for other in (copy.copy(model), copy.deepcopy(model), *map(pickle.loads, packed)):
        assert other == model
        assert hash(other) == hash(model)
        assert repr(other) == repr(model)
        same(other.log_prob(Y), model.log_prob(Y))
        assert other.entropy() == model.entropy()


def test_a_model_fitted_to_any_kind_of_array_can_be_copied() -> None:
    for kind in KINDS.values():
        model = Categorical.fit(kind(Y))
        assert pickle.loads(pickle.dumps(model)) == model == Categorical.fit(Y)


# ---- threads


def test_eight_threads_at_once_get_what_one_gets() -> None:
    calls = [partial(call, **arguments) for name, call, arguments in cases() if name != "check"]
    expected = [call() for call in calls]
    together = Barrier(8)

    def work(first: int) -> list[Any]:
        together.wait()
        found = [calls[(first + step) % len(calls)]() for step in range(len(calls))]
        return found[-first:] + found[:-first]  # in the order of the calls

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(work, range(8)))
    finally:
        sys.setswitchinterval(interval)
    for one in found:
        same(tuple(one), tuple(expected))


@EACH
def test_the_callers_floating_point_settings_change_nothing_and_stay(
    name: str, function: Callable[..., Any], arguments: Arguments
) -> None:
    expected = function(**arguments)
    with np.errstate(all="raise"):
        before = np.geterr()
        same(function(**arguments), expected)
        assert np.geterr() == before


def test_hard_rows_disturb_no_setting_either() -> None:
    """Overflow, 0 · ∞ and log 0, while the caller wants an error for each."""
    with np.errstate(all="raise"):
        assert nllbook.categorical_nll(0, logits=[-np.inf, 1e308]) == math.inf
        assert nllbook.bernoulli_nll([1], probs=[0.0]) == math.inf
        assert nllbook.gaussian_nll(1e308, -1e308, std=1e-300) == math.inf
        assert nllbook.logsumexp([1e308, 1e308]) == 1e308
        assert Gaussian(0, 1e-300).prob(1.0) == 0
        with pytest.raises(FloatingPointError):
            np.exp(1e4)
