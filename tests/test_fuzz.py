"""The fuzzer: the quick part of its run, and that it sees what it is there to see."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import nllbook
from tests import fuzz
from tests.fuzz_cases import NAMES, Argument
from tests.fuzz_rules import ViolationError

TARGETS = {target.name: target for target in fuzz.targets()}
CASES = 2_000


@pytest.mark.parametrize("name", TARGETS)
def test_only_documented_errors_come_out_and_results_are_as_documented(name: str) -> None:
    summary = fuzz.fuzz(TARGETS[name], seed=0, numbers=range(-(-CASES // len(TARGETS))))
    assert not summary.report, summary.report
    assert summary.outcomes["accepted"] > 1, "most of it would not be seen"


def test_every_public_name_is_called_or_left_out_with_a_reason() -> None:
    called = {name.partition(".")[0] for name in TARGETS}
    assert called | set(fuzz.LEFT_OUT) == set(nllbook.__all__)
    assert not called & set(fuzz.LEFT_OUT)
    assert all(fuzz.LEFT_OUT.values())


def test_every_public_method_of_a_model_is_called() -> None:
    for name in nllbook.__all__:
        one = getattr(nllbook, name)
        if inspect.isclass(one) and name not in fuzz.LEFT_OUT:
            methods = {key for key in dir(one) if key[0] != "_" and callable(getattr(one, key))}
            assert {f"{name}.{method}" for method in methods} <= set(TARGETS)


def test_a_case_depends_on_its_seed_and_number_alone() -> None:
    target = TARGETS["categorical_nll"]
    one, other = fuzz.case(target, 3, 17), fuzz.case(target, 3, 17)
    assert str(one) == str(other)
    assert {name: str(arg) for name, arg in one.items()} == {k: str(v) for k, v in other.items()}
    assert str(fuzz.case(target, 3, 18)) != str(one) != str(fuzz.case(target, 4, 17))


# --- Planted faults ------------------------------------------------------------------------------


def report_of(name: str, planted: Callable[..., Any], cases: int = 300) -> str:
    """What the fuzzer says of a function in the place of the package's."""
    return fuzz.fuzz(replace(TARGETS[name], planted=planted), 0, range(cases)).report


def out_of_range(z: Any) -> Any:
    return nllbook.softplus(z) if np.size(z) < 4 else [][0]


def by_numpy(z: Any) -> Any:
    np.asarray(z, float)
    return nllbook.softplus(z)


def warns(z: Any) -> Any:
    if np.ndim(z) == 2:
        warnings.warn("two dimensions", stacklevel=1)
    return nllbook.softplus(z)


def overflows(z: Any) -> Any:
    nllbook.softplus(z)
    np.exp(np.asarray(z).astype(np.float64))
    return nllbook.softplus(z)


def changes_its_argument(z: Any) -> Any:
    result = nllbook.softplus(z)
    if isinstance(z, np.ndarray) and z.ndim and z.size and z.flags.writeable:
        z[..., 0] = 0
    return result


def wrong_shape(z: Any) -> Any:
    return np.atleast_1d(nllbook.softplus(z))


def wrong_dtype(z: Any) -> Any:
    return np.asarray(nllbook.softplus(z)).astype(np.float64)[()]


def nan_is_lost(z: Any) -> Any:
    result = nllbook.softplus(z)
    return np.nan_to_num(result, posinf=np.inf)[()]


def nan_is_made(z: Any) -> Any:
    result = nllbook.softplus(z)
    return np.where(result > 3, np.nan, result).astype(result.dtype) if np.ndim(z) else result


def negative(z: Any) -> Any:
    return -nllbook.softplus(z)


def strides_are_ignored(z: Any) -> Any:
    if isinstance(z, np.ndarray) and z.ndim == 1 and z.strides[0] < 0 and z.size > 1:
        return nllbook.softplus(z[::-1])
    return nllbook.softplus(z)


def says_nothing(z: Any) -> Any:
    try:
        return nllbook.softplus(z)
    except TypeError:
        raise TypeError("wrong type") from None


FAULTS = {
    out_of_range: "IndexError: list index out of range",
    by_numpy: "raised by accident at test_fuzz.py:|ComplexWarning: Casting",
    warns: "UserWarning: two dimensions",
    overflows: "FloatingPointError: overflow|underflow",
    changes_its_argument: "it changes its argument",
    wrong_shape: r"has shape \(1,\), wanted \(\)|is a ndarray, wanted generic",
    wrong_dtype: "is <f8, wanted float32",
    nan_is_lost: "a NaN became a number",
    nan_is_made: "is NaN",
    negative: "outside",
    strides_are_ignored: "plain|in another order",
    says_nothing: "names no argument",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_a_planted_fault_is_found_and_its_report_repeats_it(fault: Callable[..., Any]) -> None:
    report = report_of("softplus", fault)
    said, command, call = report.splitlines()
    assert re.search(FAULTS[fault], said)
    assert command.startswith("    python -m tests.fuzz --only softplus --seed 0 --case ")
    number = int(command.split()[-1])
    alone = fuzz.fuzz(replace(TARGETS["softplus"], planted=fault), 0, range(number, number + 1))
    assert alone.report == report, "the case alone"
    assert call.startswith("    softplus(z=")
    eval(call, NAMES | {"softplus": lambda z: z})  # it is Python


def always_broadcasts(y: Any, loc: Any, scale: Any, **others: Any) -> Any:
    try:
        y, loc, scale = (np.array(one) for one in np.broadcast_arrays(y, loc, scale))
    except ValueError as error:
        raise ValueError("y, loc and scale have other shapes") from error
    return nllbook.laplace_nll(y, loc, scale, **others)


def test_a_loss_that_broadcasts_is_found() -> None:
    target = TARGETS["laplace_nll"]
    wrong = {"y": Argument(array=np.zeros((3, 1))), "loc": Argument(array=np.zeros(3))}
    call = wrong | {"scale": Argument(array=np.ones(3)), "reduction": Argument("'none'")}
    assert fuzz.outcome(target, call) == "ValueError"
    with pytest.raises(ViolationError, match="were broadcast"):
        fuzz.outcome(replace(target, planted=always_broadcasts), call)
    assert "were broadcast" in report_of("laplace_nll", always_broadcasts, 2000)


def test_a_wrong_sum_is_found() -> None:
    def twice_the_sum(y: Any, loc: Any, scale: Any, **others: Any) -> Any:
        result = nllbook.laplace_nll(y, loc, scale, **others)
        return result * 2 if others.get("reduction") == "sum" else result

    assert re.search(
        "sum = .*, but the losses of the rows give", report_of("laplace_nll", twice_the_sum)
    )


def test_a_view_of_the_argument_is_found() -> None:
    def view(x: Any, y: Any) -> Any:
        return x[::-1]

    call = {"x": Argument(array=np.ones(3)), "y": Argument(array=np.ones(3))}
    with pytest.raises(ViolationError, match="the result is a view of the argument"):
        fuzz.outcome(replace(TARGETS["xlogy"], planted=view), call)


def test_what_an_optimiser_was_given_may_raise_whatever_it_likes() -> None:
    summary = fuzz.fuzz(TARGETS["newton"], 0, range(200))
    assert summary.outcomes["ZeroDivisionError"] > 0
    assert not summary.report


def test_the_command_prints_a_line_for_each_function_and_the_reports(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty = replace(TARGETS["softplus"], planted=negative)
    monkeypatch.setattr(fuzz, "targets", lambda: [TARGETS["sigmoid"], faulty])
    monkeypatch.setattr("sys.argv", ["fuzz", "--cases", "40", "--seed", "7"])
    assert fuzz.main() == 1
    out, err = capsys.readouterr()
    assert re.search(r"^sigmoid +20 cases, +\d+% accepted, .*TypeError", out)
    assert "python -m tests.fuzz --only softplus --seed 7 --case" in err
    monkeypatch.setattr("sys.argv", ["fuzz", "--only", "sigmoid", "--case", "3"])
    assert fuzz.main() == 0
    assert "1 cases" in capsys.readouterr().out
