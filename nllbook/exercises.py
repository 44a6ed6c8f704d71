"""Self-checks for the coursework: public cases that say at once which input fails.

They are no grades: the hidden cases of a course have other inputs, and harder ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

SHOWN = 200  # characters of an input or an answer


class ExerciseError(AssertionError):
    """An answer is wrong for a public case: the message names the input and both values.

    Examples
    --------
    >>> try_out("likelihood-q1", lambda x, p: 0.5)
    Traceback (most recent call last):
        ...
    nllbook.exercises.ExerciseError: likelihood-q1: <lambda>([1], 0.25) gave 0.5, not 0.25
    """


def try_out(question: str, function: Callable[..., Any]) -> None:
    """Run your function on the public cases of a question of the coursework.

    Parameters
    ----------
    question : str
        The question's name as the notebook writes it, such as ``"likelihood-q1"``.
    function : callable
        Your answer. It is called with copies: it may change what it gets.

    Raises
    ------
    ExerciseError
        At the first case that fails, with the call, the answer and what is right.
    ValueError
        Where no question is called so.

    Examples
    --------
    >>> try_out("likelihood-q1", lambda x, p: np.prod(np.where(np.asarray(x) == 1, p, 1 - p)))
    ✓ likelihood-q1: 4 of 4 public cases
    """
    cases = _cases()
    if question not in cases:
        raise ValueError(f"question = {question!r} is none of {', '.join(cases)}")
    rtol = cases[question].get("rtol", 1e-9)
    for case in cases[question]["cases"]:
        arguments = [_array(one) for one in case["arguments"]]
        asked = ", ".join(repr(one)[:SHOWN] for one in case["arguments"])
        call = f"{question}: {getattr(function, '__name__', 'your function')}({asked})"
        try:
            answer = function(*arguments)
        except NotImplementedError:
            raise ExerciseError(f"{question}: not written yet") from None
        except Exception as error:
            raise ExerciseError(f"{call} raised {type(error).__name__}: {error}") from error
        _compare(call, answer, case["answer"], rtol)
    count = len(cases[question]["cases"])
    print(f"✓ {question}: {count} of {count} public cases")


def _compare(call: str, answer: Any, right: Any, rtol: float) -> None:
    several = isinstance(right, dict)  # {"tuple": [...]}
    wanted = right["tuple"] if several else [right]
    if several and (not isinstance(answer, tuple) or len(answer) != len(wanted)):
        raise ExerciseError(f"{call} gave {answer!r:.{SHOWN}}, not {len(wanted)} results")
    for one, other in zip(answer if several else [answer], wanted, strict=True):
        expected = np.asarray(_array(other))
        try:
            found = np.asarray(one)
        except ValueError:  # lists of different lengths
            found = np.array(None)
        if found.dtype.kind not in ("i", "u", "f"):
            raise ExerciseError(f"{call} gave {one!r:.{SHOWN}}, which is no number")
        if found.shape != expected.shape:
            raise ExerciseError(f"{call} has the shape {found.shape}, not {expected.shape}")
        if not np.allclose(found, expected, rtol=rtol, atol=0, equal_nan=True):
            raise ExerciseError(f"{call} gave {_said(found)}, not {_said(expected)}")


def _said(values: Any) -> str:
    return repr(values.tolist())[:SHOWN]


def _array(value: Any) -> Any:
    """Lists of the file are arrays; texts, such as "nan" or "-inf", are floats."""
    if isinstance(value, list):
        return np.array([_array(one) for one in value])
    return float(value) if isinstance(value, str) else value


@cache
def _cases() -> dict[str, Any]:
    path = files("nllbook") / "exercises.json"
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found
