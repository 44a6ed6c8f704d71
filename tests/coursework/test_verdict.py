"""The comparison of an answer with the right one: what counts as right, and what is said."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from nllgrade.spec import Answer, Case, Item
from nllgrade.verdict import agrees, call, likely_mistake


def answer(*values: Any) -> Answer:
    return Answer(tuple(np.asarray(one) for one in values))


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (answer(0.5), answer(0.5)),
        (answer(1), answer(1.0)),
        (answer(3.0), answer(3)),
        (answer([1.0, 3.0]), answer(1.0, 3.0)),
        (answer(np.float32(0.5)), answer(0.5)),
        (answer([1.0, 2.0 + 1e-10]), answer([1.0, 2.0])),
        (answer(np.inf, np.nan), answer(np.inf, np.nan)),
        (answer([]), answer([])),
        (answer([True, False]), answer([True, False])),
        (Answer(text=" C "), Answer(text="c")),
    ],
)
def test_right_is_right(found: Answer, right: Answer) -> None:
    assert agrees(found, right, 1e-9, 0.0) == ""


@pytest.mark.parametrize(
    ("found", "right", "why"),
    [
        (answer(0.5 + 1e-8), answer(0.5), "not the right value"),
        (answer(-np.inf), answer(np.inf), "not the right value"),
        (answer(1.0), answer(np.inf), "not the right value"),
        (answer(np.inf), answer(1.0), "infinite"),
        (answer(np.nan), answer(1.0), "nan"),
        (answer([1.0, np.nan]), answer([np.nan, 1.0]), "nan"),
        (answer([1.0]), answer(1.0), r"the shape is \(1,\), not \(\)"),
        (answer([1.0, 2.0]), answer([[1.0], [2.0]]), "the shape"),
        (answer(1.0), answer(1.0, 2.0), "1 results, where 2"),
        (answer(1.0, 3.0), answer(1.0, 2.0), "result 2: not the right value"),
        (answer(True), answer(1.0), "True or False"),
        (answer(1), answer(True), "not bool"),
        (answer(3.5), answer(3), "not the right value"),
        (answer([1.0, 2.0]), answer(1.0, 3.0), "result 2: not the right value"),
        (answer([1.0]), answer(1.0, 3.0), "1 results, where 2"),
        (answer(1.0), Answer(text="c"), "not text in quotes"),
        (Answer(text="b"), Answer(text="c"), "not the right choice"),
        (Answer(text="1.0"), answer(1.0), "text, not a number"),
        (Answer(error="it broke"), answer(1.0), "it broke"),
    ],
)
def test_wrong_is_said(found: Answer, right: Answer, why: str) -> None:
    assert re.search(why, agrees(found, right, 1e-9, 0.0))


def test_what_is_said_holds_no_right_value() -> None:
    for found in (answer(0.25), answer([0.25]), answer(np.nan), Answer(text="x"), answer(1, 2)):
        assert "0.123" not in agrees(found, answer(0.123), 1e-9, 0.0)


def test_tolerances_add_up() -> None:
    assert agrees(answer(1.0 + 3e-3), answer(1.0), 1e-3, 1e-3) != ""
    assert agrees(answer(1.0 + 1.9e-3), answer(1.0), 1e-3, 1e-3) == ""
    assert agrees(answer(1e-4), answer(0.0), 1e-3, 0.0) != ""
    assert agrees(answer(1e-4), answer(0.0), 0.0, 1e-3) == ""


def item(*cases: Case) -> Item:
    return Item("q1-values", "q1", "f", 1.0, 1e-9, 0.0, cases)


def test_a_mistake_is_recognised_by_all_of_its_answers() -> None:
    found = item(
        Case((1,), {}, answer(1.0), {"halves": answer(0.5), "fails": Answer(error="x")}),
        Case((2,), {}, answer(2.0), {"halves": answer(1.0), "fails": Answer(error="y")}),
    )
    assert likely_mistake([answer(0.5), answer(1.0)], found) == "halves"
    assert likely_mistake([answer(0.5), answer(2.0)], found) == ""
    assert likely_mistake([Answer(error="z"), Answer(error="z")], found) == "fails"
    assert likely_mistake([Answer(text="a"), answer(1.0)], found) == ""


def test_a_request_is_shown_as_python_writes_it() -> None:
    array = np.array([[1.0, 2.0], [3.0, 4.0]])
    case = Case((array, 0.25), {"axis": 1}, answer(1.0))
    assert call(item(case), case) == "f([[1.0, 2.0], [3.0, 4.0]], 0.25, axis=1)"
    long = Case((np.arange(100),), {}, answer(1.0))
    assert call(item(long), long) == "f(<int64 of shape (100,), beginning 0>)"
    assert call(item(), Case(None, {}, answer(1.0))) == "f"
    assert len(call(item(), Case(("x" * 10**6,), {}, answer(1.0)))) < 200
