"""The self-checks of the coursework: they pass right answers, and say which input fails."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

from nllbook import exercises
from nllbook.exercises import ExerciseError, try_out


def right(x: Any, p: float) -> float:
    return float(np.prod(np.where(x == 1, p, 1 - p)))


def test_a_right_answer_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    try_out("likelihood-q1", right)
    assert capsys.readouterr().out == "✓ likelihood-q1: 4 of 4 public cases\n"


def said(question: str, function: Any) -> str:
    with pytest.raises(ExerciseError) as caught:
        try_out(question, function)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 700
    return text


def test_a_wrong_answer_names_the_input_and_both_values() -> None:
    def half(x: Any, p: float) -> float:
        return right(x, p) / 2

    assert said("likelihood-q1", half) == "likelihood-q1: half([1], 0.25) gave 0.125, not 0.25"


def test_a_tiny_error_counts() -> None:
    assert "not 0.25" in said("likelihood-q1", lambda x, p: right(x, p) * (1 + 1e-8))
    try_out("likelihood-q1", lambda x, p: right(x, p) * (1 + 1e-11))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x, p: [right(x, p)], r"has the shape (1,), not ()"),
        (lambda x, p: "0.25", "gave '0.25', which is no number"),
        (lambda x, p: [[1.0], [1.0, 2.0]], "which is no number"),
        (lambda x, p: True, "gave True, which is no number"),
        (lambda x, p: None, "gave None, which is no number"),
        (lambda x, p: 0.25 + 0j, "which is no number"),
        (lambda x, p: float("nan"), "gave nan, not 0.25"),
        (lambda x: 0.25, "raised TypeError"),
    ],
)
def test_what_is_no_answer_is_named(function: Any, why: str) -> None:
    assert why in said("likelihood-q1", function)


def test_what_is_not_written_yet_is_no_error_of_the_student() -> None:
    def stub(x: Any, p: float) -> float:
        raise NotImplementedError

    assert said("likelihood-q1", stub) == "likelihood-q1: not written yet"


def test_several_results_are_a_tuple() -> None:
    def fit(x: Any) -> tuple[float, float]:
        return float(np.mean(x)), float(np.std(x))

    try_out("likelihood-q4", fit)
    assert "not 2 results" in said("likelihood-q4", lambda x: [*fit(x)])
    assert "not 2 results" in said("likelihood-q4", lambda x: (*fit(x), 0.0))
    assert "gave 0.0, not 1.0" in said("likelihood-q4", lambda x: (fit(x)[0], 0.0))


def test_arguments_are_arrays_of_the_student_alone() -> None:
    def spoil(x: Any, p: float) -> float:
        found = right(x, p)
        x[:] = 0
        return found

    try_out("likelihood-q1", spoil)
    try_out("likelihood-q1", spoil)


def test_long_inputs_and_answers_are_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"arguments": [[1.0] * 1000], "answer": "inf"}
    monkeypatch.setattr(exercises, "_cases", lambda: {"long-q1": {"rtol": 0.5, "cases": [case]}})
    assert said("long-q1", lambda x: np.ones(1000)).startswith("long-q1: <lambda>([1.0, 1.0")
    try_out("long-q1", lambda x: np.inf)
    assert said("long-q1", lambda x: -np.inf).endswith("gave -inf, not inf")


def test_a_question_s_own_tolerance_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [{"arguments": [], "answer": 1.0}, {"arguments": [], "answer": "nan"}]
    monkeypatch.setattr(exercises, "_cases", lambda: {"q": {"rtol": 0.5, "cases": cases[:1]}})
    try_out("q", lambda: 1.4)
    assert "gave 1.6, not 1.0" in said("q", lambda: 1.6)
    monkeypatch.setattr(exercises, "_cases", lambda: {"q": {"cases": cases[1:]}})
    try_out("q", lambda: np.nan)
    assert "gave 0.0, not nan" in said("q", lambda: 0.0)


def test_arguments_keep_their_types(monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"arguments": [3, [1, 2], [1.0, "inf"]], "answer": 1}
    monkeypatch.setattr(exercises, "_cases", lambda: {"q": {"cases": [case]}})

    def types(n: Any, x: Any, y: Any) -> Any:
        return np.uint8(type(n) is int and x.dtype.kind == "i" and y[1] == np.inf)

    try_out("q", types)
    assert "gave 0, not 1" in said("q", lambda n, x, y: np.int64(0))


def test_a_function_without_a_name_is_yours() -> None:
    assert "likelihood-q1: your function([1], 0.25) gave 1.0" in said(
        "likelihood-q1", partial(lambda y, x, p: 1.0, 0)
    )


def test_what_is_shown_has_200_characters_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    case = {"arguments": [[7] * 1000], "answer": [1.0] * 1000}
    monkeypatch.setattr(exercises, "_cases", lambda: {"q": {"cases": [case]}})
    told = said("q", lambda x: np.zeros(1000))
    assert told == f"q: <lambda>({'[' + '7, ' * 66 + '7'}) gave {'[' + '0.0, ' * 39 + '0.0,'}, " + (
        f"not {'[' + '1.0, ' * 39 + '1.0,'}"
    )


def test_an_unknown_question_is_refused() -> None:
    with pytest.raises(ValueError, match="question = 'q1' is none of likelihood-q1, "):
        try_out("q1", right)
