"""What the tests of the cells share: their register, and ways to say what is expected."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

NAN, INF = math.nan, math.inf
LOG_2, LOG_3 = math.log(2), math.log(3)
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)

# Two rows of logits whose losses are easy by hand, and weights that tell the denominators apart.
ROWS = [[2.0, 0.0, 0.0], [0.0, 1.0, 3.0]]
LABELS = [0, 1]
LOSSES = [
    math.log(math.exp(2) + 2) - 2,
    math.log(1 + math.exp(1) + math.exp(3)) - 1,
]
WEIGHTS = [1.0, 2.0, 6.0]
P, Q = [[0.5, 0.5], [0.1, 0.9]], [[0.25, 0.75], [0.5, 0.5]]
TERMS = [
    [a * math.log(a / b) for a, b in zip(p, q, strict=True)] for p, q in zip(P, Q, strict=True)
]
KL = [sum(row) for row in TERMS]
ENTROPIES = [LOG_2, -0.1 * math.log(0.1) - 0.9 * math.log(0.9)]


class Cells:
    """The register of one library: its tests by the names "loss / row" of their cells."""

    def __init__(self, modules: list[Any]) -> None:
        self.tests: dict[str, Callable[..., None]] = {}
        self.names = {name for one in modules for name in dir(one) if not name.startswith("_")}

    def __call__(self, *cells: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Registers a function as the test of these cells; it gets the values in their texts."""

        def register(test: Callable[..., None]) -> Callable[..., None]:
            for cell in cells:
                assert cell not in self.tests, f"two tests for {cell!r}"
                self.tests[cell] = test
            return test

        return register


def near(got: Any, expected: Any, rel: float = 2e-6) -> None:
    """The numbers and their shape are those expected, to the digits of float32 unless told else."""
    shape(got, *np.shape(expected))  # a mean is not the same as equal numbers in each row
    rounding = 1e-15 if np.any(np.asarray(expected) == 0) else 0.0
    np.testing.assert_allclose(np.asarray(got), expected, rtol=rel, atol=rounding)


def shape(got: Any, *expected: int) -> None:
    assert np.shape(got) == expected, f"the shape is {np.shape(got)}, expected {expected}"


def reads(written: str, value: Any) -> None:
    """The number as the page has it is this value, rounded to the digits written."""
    unit = Decimal(10) ** int(Decimal(written).as_tuple().exponent)
    assert abs(Decimal(float(value)) - Decimal(written)) <= unit / 2 * (1 + Decimal("1e-6")), (
        f"the page has {written}, and it is {float(value)!r}"
    )


def refuses(error: type[Exception], call: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(error):
        call(*arguments)


def warns(call: Callable[[], Any], says: str, category: type[Warning] = UserWarning) -> Any:
    """What the call returns, after exactly this warning."""
    with pytest.warns(category, match=says):
        return call()


def silent(call: Callable[..., Any], *arguments: Any) -> Any:
    """What the call returns without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call(*arguments)


def lacks(function: Callable[..., Any], *parameters: str) -> None:
    """None of these words is in the name of a parameter of the function."""
    found = [name for name in inspect.signature(function).parameters for one in parameters
             if one in name]  # fmt: skip
    assert not found, f"{function.__name__} takes {', '.join(found)} by now"


def first(function: Callable[..., Any], *names: str) -> None:
    """The function's arguments begin with these names, in this order."""
    assert tuple(inspect.signature(function).parameters)[: len(names)] == names


def default(function: Callable[..., Any], parameter: str) -> Any:
    return inspect.signature(function).parameters[parameter].default
