"""A fuzzer: arbitrary arrays, dtypes and shapes for every public function of the package.

A case is a call. Most of its arguments are plausible, so that about half of the calls are accepted:
arrays of fitting shapes and float types in whatever form NumPy has (lists, views with negative
strides, other byte orders, subclasses, …), some with a hard value in them. Others are mutated: of
another shape or dtype, or no numbers at all. NumPy's floating-point errors and all warnings are
raised, as a caller may have set it. Of each call it is asked that

- an error is a ValueError or a TypeError (or what else the function documents), raised on purpose:
  by a ``raise`` in the package, with a message that names an argument (or begins as ``MESSAGES``);
- the arguments are as before, bit for bit, and share no memory with the result;
- the result is as documented: ``tests/fuzz_rules.py`` says what that means.

``python -m tests.fuzz --cases 200000 --seed 0`` prints a line for each function, and for its first
violation a report: the seed and the number of the case, and the call as Python, without what can be
left out of it. ``--only Gaussian.fit --case 17`` runs that case again.

Iterators are never passed: to add them, write them into ``ODD`` of ``tests/fuzz_cases.py``.
"""

from __future__ import annotations

import argparse
import contextlib
import dis
import inspect
import io
import re
import sys
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nllbook
from tests import fuzz_cases as cases
from tests import fuzz_rules as rules
from tests.fuzz_cases import MUTATIONS, NAMES, ODD, WRITTEN, Argument, Arguments, Rng, pick
from tests.fuzz_rules import Function, Given, Judge, ViolationError, require

PACKAGE = Path(nllbook.__file__).parent
SECONDS = 5.0  # of processor time: a case holds some hundred numbers at most
MUTATED = 0.4  # of the calls
TRIES = 100  # that a report costs at most
ERRORS_OF_CHECK = (ValueError, TypeError, nllbook.ClaimError)
FLAGS = ("exact", "keepdims", "maximize", "return_grad")  # True or False: Python asks what is so

# What is in nllbook.__all__ and not called here, and why.
LEFT_OUT = {
    "ClaimError": "an exception",
    "History": "a result, which gradient_descent and newton make",
    "datasets": "a module whose loaders take no data",
    "exercises": "a module that reads its own cases",
    "figures": "a module of drawings",
    "glue": "takes a name and a text, and shows them",
    "plotting": "a module of drawings",
}

# How messages begin that name no argument, because they are about several, or about what one holds.
MESSAGES = (
    "there are no rows, and their mean is not defined",
    "every row has weight 0",
    "the code ",  # of a decoder
    "check takes exactly one of",
    "fuzzed",  # the id of a claim
    *("value must", "gradient must", "hessian must"),  # what a function returned to an optimiser
)


@dataclass(frozen=True)
class Target:
    """A public function: what makes its cases, and what must hold of a result."""

    name: str
    make: Callable[[Rng], Arguments]
    judge: Judge
    errors: tuple[type[Exception], ...] = (ValueError, TypeError)
    kept: tuple[str, ...] = ()  # arguments that are never mutated: 2**63 steps take too long
    planted: Function | None = None  # what is called in the place of the package's function

    @property
    def function(self) -> Function:
        found: Function = self.planted or eval(self.name, NAMES)
        return found


def targets() -> list[Target]:
    """Every function and method that takes data, and the constructors of the models."""
    anything, at_least_0 = rules.by_element(), rules.by_element(low=0)
    real, positive, unit = (partial(cases.array_of, kind) for kind in ("real", "positive", "unit"))
    continuous = partial(rules.judge_loss, -np.inf)
    return [
        Target("categorical_nll", cases.categorical, rules.judge_categorical),
        Target("bernoulli_nll", cases.bernoulli, partial(rules.judge_loss, 0)),
        Target("poisson_nll", cases.poisson, partial(rules.judge_loss, 0)),
        Target("gaussian_nll", cases.gaussian, continuous),
        Target("laplace_nll", cases.scaled, continuous),
        Target("student_t_nll", partial(cases.scaled, df=(3.5, 1, 1e-3, 1e300, 0)), continuous),
        Target("huber_nll", partial(cases.scaled, delta=(1.25, 1, 1e-3, 1e300, 0)), continuous),
        Target(
            "asymmetric_laplace_nll",
            partial(cases.scaled, quantile=(0.3, 0.5, 1e-300, 0, 1)),
            continuous,
        ),
        Target("nll", partial(cases.with_model, True), rules.judge_nll),
        Target("likelihood", partial(cases.with_model, False), rules.judge_likelihood),
        Target(
            "log_likelihood",
            partial(cases.with_model, False),
            rules.judge_log_likelihood,
        ),
        Target("surprisal", partial(cases.based, partial(unit, "p")), at_least_0),
        Target("binary_entropy", partial(cases.based, partial(unit, "p")), at_least_0),
        Target("perplexity", partial(cases.based, partial(real, "nll")), at_least_0),
        Target(
            "entropy", partial(cases.based, partial(cases.distributions, "p")), rules.judge_outcomes
        ),
        Target(
            "cross_entropy",
            partial(cases.based, partial(cases.distributions, "pq")),
            rules.judge_outcomes,
        ),
        Target(
            "kl_divergence",
            partial(cases.based, partial(cases.distributions, "pq")),
            rules.judge_outcomes,
        ),
        Target("xlogy", partial(cases.rows, x="real", y="positive"), rules.judge_xlogy),
        Target("logsumexp", cases.log_sums, rules.judge_logsumexp),
        Target("softmax", partial(cases.logits, "z"), partial(rules.judge_softmax, 0, 1)),
        Target("log_softmax", partial(cases.logits, "z"), partial(rules.judge_softmax, -np.inf, 0)),
        Target("softplus", partial(real, "z"), at_least_0),
        Target("sigmoid", partial(real, "z"), rules.by_element(0, 1)),
        Target("log_sigmoid", partial(real, "z"), rules.by_element(high=0)),
        Target("lgamma", partial(positive, "x"), anything),
        Target("digamma", partial(positive, "x"), rules.by_element(nan=rules.poles)),
        Target("trigamma", partial(positive, "x"), rules.by_element(0, nan=np.isneginf)),
        Target("huffman_code", cases.weights_of_symbols, rules.judge_huffman),
        Target("prefix_encode", cases.to_prefix, rules.judge_prefix_encode),
        Target("prefix_decode", cases.from_prefix, rules.judge_prefix_decode),
        Target("arithmetic_encode", cases.to_arithmetic, rules.judge_arithmetic_encode),
        Target(
            "arithmetic_decode",
            cases.from_arithmetic,
            rules.judge_arithmetic_decode,
            kept=("length",),
        ),
        Target(
            "gradient_descent", cases.descent, rules.judge_history, kept=("value_and_grad", "steps")
        ),
        Target("newton", cases.newton, rules.judge_history, kept=("derivatives", "steps")),
        Target("check", cases.claim, rules.judge_check, ERRORS_OF_CHECK, kept=("claim",)),
        Target("scientific", cases.in_prose, rules.judge_scientific, kept=("digits",)),
        *(target for name in cases.MODELS for target in model_targets(name)),
    ]


def model_targets(name: str) -> list[Target]:
    """A model's constructor and its methods. ``sample`` leaves its arguments to NumPy."""
    top = 0.0 if name in cases.DISCRETE else np.inf
    method, of_model = partial(cases.method, name), partial(cases.of_model, name)
    fit = partial(rules.judge_fit, name)
    size = ("self", "size", "rng")
    return [
        Target(name, partial(cases.parameters, name), rules.judge_model),
        Target(f"{name}.log_prob", method, rules.by_element(high=top, argument="x"), kept=size),
        Target(f"{name}.prob", method, rules.by_element(0, np.exp(top), argument="x"), kept=size),
        Target(f"{name}.fit", partial(cases.fitted, name), fit),
        Target(f"{name}.entropy", of_model, partial(rules.judge_entropy, name), kept=size),
        Target(f"{name}.sample", partial(cases.sampled, name), rules.judge_sample, kept=size),
    ]


# --- One case ------------------------------------------------------------------------------------


def case(target: Target, seed: int, number: int) -> Arguments:
    """The arguments of a case, which depend on nothing but these three."""
    rng = np.random.default_rng([seed, zlib.crc32(target.name.encode()), number])
    with quiet():
        given = target.make(rng)
        free = [name for name in given if name not in (*FLAGS, *target.kept)]
        while free and rng.random() < MUTATED:
            name = pick(rng, free)
            if rng.random() < 0.6:
                given[name] = given[name].within(pick(rng, MUTATIONS))
            else:
                given[name] = Argument(pick(rng, ODD))
    return given


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Making the arguments may overflow and warn."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def outcome(target: Target, arguments: Arguments) -> str:
    """ "accepted", or the class of the error; a ViolationError where a promise is not kept."""
    with quiet():
        given = {name: argument.value() for name, argument in arguments.items()}
    before, result, refused = seen(given), None, ""
    start = time.process_time()
    try:
        with warnings.catch_warnings(), np.errstate(all="raise"), silent():
            warnings.simplefilter("error")
            result = target.function(**given)
    except target.errors as error:
        require_purpose(target.function, given, error)
        refused = type(error).__name__
    except Exception as error:
        if not raised_by_argument(error):
            raise ViolationError(f"{type(error).__name__}: {error}") from error
        refused = type(error).__name__
    seconds = time.process_time() - start
    require(seconds < SECONDS, f"it takes {seconds:.0f} s")
    require(seen(given) == before, "it changes its argument")
    if refused:
        return refused
    for array in arrays_in(result):
        for argument in given.values():
            shared = isinstance(argument, np.ndarray) and np.shares_memory(array, argument)
            require(not (shared and array.flags.writeable), "the result is a view of the argument")
    with quiet():
        target.judge(given, result, target.function)
    return "accepted"


def silent() -> contextlib.redirect_stdout[io.StringIO]:
    return contextlib.redirect_stdout(io.StringIO())


def seen(value: Any) -> Any:
    """All that a function could change of an argument."""
    if isinstance(value, dict):
        return {name: seen(one) for name, one in value.items()}
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        whole = value if value.base is None else np.asarray(value.base)
        return value.dtype, value.shape, value.strides, value.flags.writeable, whole.tobytes()
    if isinstance(value, np.random.Generator):
        return None  # is there to be used up
    return repr(value)


def arrays_in(result: Any) -> list[np.ndarray[Any, Any]]:
    if isinstance(result, tuple):
        return [array for one in result for array in arrays_in(one)]
    if isinstance(result, np.ndarray):
        return [result]
    return [one for one in getattr(result, "__dict__", {}).values() if isinstance(one, np.ndarray)]


def frames(error: Exception) -> list[Any]:
    found, here = [], error.__traceback__
    while here is not None:
        found.append(here)
        here = here.tb_next
    return found


def raised_by_argument(error: Exception) -> bool:
    """Whether a function that was passed, to an optimiser, has raised it: that passes through."""
    return bool(frames(error)[-1].tb_frame.f_code.co_filename == WRITTEN)


def require_purpose(function: Function, given: Given, error: Exception) -> None:
    """The error comes from a ``raise`` of the package, and its message names an argument."""
    innermost = frames(error)[-1]
    if raised_by_argument(error):
        return
    code = innermost.tb_frame.f_code
    said = f"{type(error).__name__}: {error}"
    ours = PACKAGE in Path(code.co_filename).parents or function.__module__ == "tests.test_fuzz"
    on_purpose = dis.opname[code.co_code[innermost.tb_lasti]] == "RAISE_VARARGS"
    where = f"{Path(code.co_filename).name}:{innermost.tb_lineno}"
    require(ours and on_purpose, f"raised by accident at {where}: {said}")
    model = given.get("self", getattr(function, "__self__", None))  # or the class that is fitted
    known = [*inspect.signature(function).parameters, *getattr(model, "__dataclass_fields__", ())]
    names = "|".join(known)
    named = re.search(rf"\b({names})\b", str(error)) or str(error).startswith(MESSAGES)
    require(named, f"the message names no argument: {said}")


# --- Many cases ----------------------------------------------------------------------------------


@dataclass
class Summary:
    """What came of the cases of one function."""

    target: Target
    outcomes: Counter[str] = field(default_factory=Counter)
    report: str = ""  # of the first violation

    def __str__(self) -> str:
        count = self.outcomes.total()
        refused = [f"{n} {name}" for name, n in sorted(self.outcomes.items()) if name != "accepted"]
        share = self.outcomes["accepted"] / max(count, 1)
        text = f"{self.target.name:24} {count:6} cases, {share:4.0%} accepted"
        return ", ".join([text, *refused])


def fuzz(target: Target, seed: int, numbers: range) -> Summary:
    """Run the cases until one shows a violation."""
    summary = Summary(target)
    for number in numbers:
        arguments = case(target, seed, number)
        try:
            summary.outcomes[outcome(target, arguments)] += 1
        except ViolationError as error:
            smallest, what = shrunk(target, arguments, error)
            call = ", ".join(f"{name}={value}" for name, value in smallest.items())
            summary.report = (
                f"{target.name}: {' '.join(str(what).split())}\n"
                f"    python -m tests.fuzz --only {target.name} --seed {seed} --case {number}\n"
                f"    {target.name}({call})"
            )
            break
    return summary


def shrunk(
    target: Target, arguments: Arguments, error: ViolationError
) -> tuple[Arguments, ViolationError]:
    """The call without what it violates a promise without, too, and how it does so then."""
    tries = 0
    smaller = iter(simpler(target, arguments))
    for candidate in smaller:
        tries += 1
        try:
            outcome(target, candidate)
        except ViolationError as other:
            arguments, error = candidate, other
            smaller = iter(simpler(target, arguments))
        except Exception:  # an argument that it needs was left out
            continue
        if tries == TRIES:
            break
    return arguments, error


def simpler(target: Target, arguments: Arguments) -> Iterator[Arguments]:
    """Each argument left out, or in its plain form, or an array with fewer rows."""
    for name, parameter in inspect.signature(target.function).parameters.items():
        if name in arguments and parameter.default is not parameter.empty:
            yield {other: one for other, one in arguments.items() if other != name}
    for name, one in arguments.items():
        if one.array is not None and one.text != "{}":
            yield arguments | {name: replace(one, text="{}")}
    longest = max(map(length, arguments.values()))
    for row in range(longest):
        yield {
            name: one if one.array is None or length(one) < longest else without(one, row)
            for name, one in arguments.items()
        }


def length(one: Argument) -> int:
    return 0 if one.array is None or one.array.ndim == 0 else len(one.array)


def without(one: Argument, row: int) -> Argument:
    assert one.array is not None
    return replace(one, array=np.delete(one.array, row, 0))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--cases", type=int, default=200_000, help="of all functions together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", metavar="NAME", help="one function, such as Gaussian.fit")
    parser.add_argument("--case", type=int, metavar="N", help="one case, with its call written out")
    options = parser.parse_args()
    chosen = [one for one in targets() if options.only in (None, one.name)]
    if not chosen:
        parser.error(
            f"--only {options.only}: the functions are {', '.join(t.name for t in targets())}"
        )
    numbers = range(-(-options.cases // len(chosen)))
    if options.case is not None:
        numbers = range(options.case, options.case + 1)
    summaries = []
    for target in chosen:
        summaries.append(fuzz(target, options.seed, numbers))
        print(summaries[-1], flush=True)
    total = sum((one.outcomes for one in summaries), Counter[str]())
    print(f"{total.total()} cases, {total['accepted'] / max(total.total(), 1):.0%} accepted")
    reports = [one.report for one in summaries if one.report]
    for report in reports:
        print(report, file=sys.stderr)
    return 1 if reports else 0


if __name__ == "__main__":
    sys.exit(main())
