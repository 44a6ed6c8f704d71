"""check(...) itself: each form passes and fails where it must, and says the same everywhere."""

from __future__ import annotations

import json
import math
import sys
import types
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from nllbook import ClaimError, check

INF, NAN = math.inf, math.nan
FEW = settings(max_examples=60, deadline=None, derandomize=True)


@pytest.fixture
def published() -> Iterator[list[dict[str, Any]]]:
    """What a notebook cell shows, in a real IPython shell."""
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(
        user_module=types.ModuleType("a_cell"),
        config=Config({"HistoryManager": {"enabled": False}}),
    )
    shell.display_pub = CapturingDisplayPublisher(parent=shell)
    yield shell.display_pub.outputs
    InteractiveShell.clear_instance()


def passes(*args: Any, **options: Any) -> bool:
    """Whether the claim holds; any error but a ClaimError is an error of the test."""
    try:
        check("claim", *args, **options)
    except ClaimError:
        return False
    return True


# --- within a tolerance --------------------------------------------------------------------------
# Powers of two, so that both sides of every boundary are exact in binary.


def test_a_tolerance_beyond_the_floats_is_no_error() -> None:
    with np.errstate(all="raise"):
        assert passes(1e308, -1e307, rtol=100.0)
        assert not passes(-1.7e308, 1.7e308, rtol=1.0)


@pytest.mark.parametrize("sign", [1, -1])
def test_rtol_is_relative_to_right(sign: int) -> None:
    right = sign * 4.0
    assert passes(right, right, rtol=2.0**-3)
    assert passes(right * (1 + 2.0**-3), right, rtol=2.0**-3)  # on the edge: it counts
    assert passes(right * (1 - 2.0**-3), right, rtol=2.0**-3)
    assert not passes(right * (1 + 2.0**-3 + 2.0**-40), right, rtol=2.0**-3)
    assert not passes(right * (1 - 2.0**-3 - 2.0**-40), right, rtol=2.0**-3)
    assert not passes(-right, right, rtol=2.0**-3)


def test_rtol_is_relative_to_right_alone() -> None:
    assert passes(3.0, 2.0, rtol=0.5)
    assert not passes(2.0, 3.0, rtol=0.3125)  # a third of the right side is more
    assert passes(2.0, 3.0, rtol=0.375)  # though less than half, of the left side
    assert passes(0.5, 1.0, rtol=0.5)
    assert not passes(1.0, 0.5, rtol=0.5)  # half of the left side, all of the right


def test_rtol_forgives_nothing_at_zero() -> None:
    assert passes(0.0, 0.0, rtol=1e-3)
    assert not passes(5e-324, 0.0, rtol=1.0)


def test_atol_is_absolute() -> None:
    assert passes(1000.5, 1000.0, atol=0.5)
    assert passes(999.5, 1000.0, atol=0.5)
    assert not passes(1000.5 + 2.0**-30, 1000.0, atol=0.5)
    assert not passes(999.5 - 2.0**-30, 1000.0, atol=0.5)
    assert not passes(0.0, 0.75, atol=0.5)


def test_both_tolerances_add_up() -> None:
    assert passes(8.0 + 1.5, 8.0, rtol=2.0**-3, atol=0.5)
    assert not passes(8.0 + 1.5 + 2.0**-30, 8.0, rtol=2.0**-3, atol=0.5)


def test_every_entry_counts() -> None:
    right = np.arange(6.0).reshape(2, 3)
    for place in np.ndindex(right.shape):
        left = right.copy()
        left[place] += 1.0
        assert passes(left, right, atol=1.0)
        assert not passes(left, right, atol=0.875)
        assert not passes(left, right, exact=True)


@FEW
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(1e-9, 1.0))
def test_tolerances_mean_what_the_formula_says(left: float, right: float, tolerance: float) -> None:
    error, of = abs(Fraction(left) - Fraction(right)), Fraction(tolerance)
    # exact rational arithmetic; where rounding could decide, either answer will do
    for allowed, options in (
        (of, {"atol": tolerance}),
        (of * abs(Fraction(right)), {"rtol": tolerance}),
        (of + of * abs(Fraction(right)), {"rtol": tolerance, "atol": tolerance}),
    ):
        if abs(error - allowed) > Fraction(1, 10**9) * (error + allowed):
            assert passes(left, right, **options) == (error <= allowed)


@pytest.mark.parametrize("kind", [np.float32, np.int64, np.int8, np.uint8, np.uint64])
def test_tolerances_for_other_types(kind: type) -> None:
    """Unsigned integers wrap around when subtracted: 1 − 2 must not become 255."""
    for left, right in ((1, 2), (2, 1)):
        assert passes(kind(left), kind(right), atol=1.0)
        assert passes([kind(left)], [kind(right)], atol=1.0)
        assert not passes(kind(left), kind(right), atol=0.5)


def test_tolerances_for_differences_beyond_an_integer_type() -> None:
    assert not passes(np.int8(127), np.int8(-128), atol=2.0)  # 255, not −1
    assert passes(np.int8(127), np.int8(-128), atol=255.0)
    assert not passes(np.int8(-128), np.int8(0), rtol=0.5)  # |−128| is no int8


def test_booleans_are_zeros_and_ones() -> None:
    assert passes(True, 1.0, rtol=1e-12)
    assert passes([True, False], [True, False], atol=1e-12)
    assert not passes(True, False, atol=0.5)


def test_fractions_are_exact_sides() -> None:
    assert passes(1 / 3, Fraction(1, 3), rtol=1e-15)
    assert not passes(1 / 3, Fraction(1, 2), rtol=1e-15)
    assert passes(Fraction(2, 6), Fraction(1, 3), exact=True)
    assert not passes(Fraction(2, 6), Fraction(1, 4), exact=True)


@pytest.mark.parametrize("options", [{"rtol": 1e-3}, {"atol": 1e-3}, {"rtol": 1e-3, "atol": 1e-3}])
def test_infinities_within_a_tolerance(options: dict[str, float]) -> None:
    """∞ against anything else fails; no tolerance reaches it."""
    assert not passes(INF, 1.0, **options)
    assert not passes(1.0, INF, **options)
    assert not passes(INF, -INF, **options)
    assert not passes([1.0, -INF], [1.0, INF], **options)


def test_equal_infinities_need_exact() -> None:
    """A difference of ∞ and ∞ is no number: no tolerance holds, and no warning tells."""
    assert not passes(INF, INF, rtol=1e-3)
    assert passes(INF, INF, exact=True)


def test_huge_sides_do_not_overflow_with_a_warning() -> None:
    assert not passes(1e308, -1e308, rtol=1.0)
    assert not passes(np.float32(3e38), np.float32(-3e38), rtol=1.0)


# --- exactly -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (0.1 + 0.2, 0.3, False),
        (0.5 + 0.25, 0.75, True),
        (np.nextafter(1, 2), 1.0, False),
        (INF, INF, True),
        (-INF, -INF, True),
        (INF, -INF, False),
        (INF, 1.7976931348623157e308, False),
        (5e-324, 0.0, False),
        (0, 0.0, True),
        (True, True, True),
        (True, False, False),
        (2**100, 2**100, True),
        (2**100, 2**100 + 1, False),
        ([1, 2], [1, 2], True),
        ([1, 2], [1, 3], False),
        ([1, 1], 1, True),
        (1, [1, 2], False),
    ],
)
def test_exact(left: Any, right: Any, equal: bool) -> None:
    assert passes(left, right, exact=True) == equal


@pytest.mark.parametrize("integer", [2**53 + 1, -(2**53) - 1, 2**63 - 1])
def test_exact_compares_large_integers_with_floats_as_python_does(integer: int) -> None:
    rounded = float(integer)
    assert integer != rounded
    assert not passes(integer, rounded, exact=True)
    assert not passes([integer], [rounded], exact=True)
    assert passes(int(rounded), rounded, exact=True)


# --- NaN -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"rtol": 1e300},
        {"atol": 1e300},
        {"exact": True},
        {"standard_error": 0.01, "rival": 100.0},
    ],
)
def test_nan_always_fails(options: dict[str, Any]) -> None:
    for left, right in ((NAN, 1.0), (1.0, NAN), (NAN, NAN)):
        assert not passes(left, right, **options)
    if "rival" not in options:
        assert not passes([1.0, NAN, 3.0], [1.0, 2.0, 3.0], **options)
        assert not passes([1.0, 2.0, 3.0], [1.0, NAN, 3.0], **options)


@pytest.mark.parametrize("bound", ["greater_than", "less_than"])
def test_nan_is_on_no_side_of_a_bound(bound: str) -> None:
    for left in (NAN, [NAN, NAN], [100.0, NAN], [-100.0, NAN]):
        assert not passes(left, **{bound: 0.0, "margin": 1.0})


@pytest.mark.parametrize("bound", ["greater_than", "less_than"])
@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_bound_is_a_finite_number(bound: str, value: float) -> None:
    """−∞ is below everything, so that a check against it could not fail."""
    with pytest.raises(ValueError, match=f"^{bound} = .* must be finite"):
        check("claim", 1.0, **{bound: value, "margin": 1.0})  # type: ignore[arg-type]


# --- inequalities --------------------------------------------------------------------------------


def test_greater_than_by_a_margin() -> None:
    assert passes(1.5, greater_than=1.0, margin=0.5)
    assert not passes(1.5 - 2.0**-50, greater_than=1.0, margin=0.5)
    assert not passes(1.25, greater_than=1.0, margin=0.5)  # beyond the bound, not by the margin
    assert not passes(0.5, greater_than=1.0, margin=0.5)
    assert passes(-1.0, greater_than=-2.0, margin=1.0)
    assert passes(INF, greater_than=1.0, margin=0.5)
    assert not passes(-INF, greater_than=1.0, margin=0.5)


def test_less_than_by_a_margin() -> None:
    assert passes(0.5, less_than=1.0, margin=0.5)
    assert not passes(0.5 + 2.0**-50, less_than=1.0, margin=0.5)
    assert not passes(0.75, less_than=1.0, margin=0.5)
    assert not passes(1.5, less_than=1.0, margin=0.5)
    assert passes(-2.0, less_than=-1.0, margin=1.0)
    assert passes(-INF, less_than=1.0, margin=0.5)
    assert not passes(INF, less_than=1.0, margin=0.5)


def test_every_entry_is_beyond_the_bound() -> None:
    assert passes([[2.0, 3.0], [4.0, 5.0]], greater_than=1.0, margin=1.0)
    assert not passes([[2.0, 3.0], [1.5, 5.0]], greater_than=1.0, margin=1.0)
    assert passes([-2.0, -3.0], less_than=0.0, margin=2.0)
    assert not passes([-2.0, 3.0], less_than=0.0, margin=2.0)


def test_a_bound_of_zero_is_a_bound() -> None:
    assert not passes(-1.0, greater_than=0.0, margin=0.5)
    assert not passes(1.0, less_than=0, margin=0.5)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.bool_])
def test_bounds_for_other_types(kind: type) -> None:
    assert not passes(kind(1), greater_than=1.5, margin=0.25)
    assert not passes(kind(0), greater_than=1, margin=0.5)
    assert passes(kind(0), less_than=1, margin=0.5)


# --- simulations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_a_simulation_lies_within_four_standard_errors(sign: int) -> None:
    options = {"standard_error": 0.25, "rival": 2.0 - sign * 10.0}
    assert passes(2.0, 2.0, **options)
    assert passes(2.0 + sign * 1.0, 2.0, **options)
    assert passes(2.0 - sign * 1.0, 2.0, **options)
    assert not passes(2.0 + sign * (1.0 + 2.0**-40), 2.0, **options)
    assert not passes(2.0 - sign * (1.0 + 2.0**-40), 2.0, **options)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_rival_too_near_shows_that_more_samples_are_needed(sign: int) -> None:
    assert passes(2.0, 2.0, standard_error=0.25, rival=2.0 + sign * 2.5)
    message = (
        r"^claim: the rival .* is only 9\.\d standard errors from 2: take more samples, "
        r"until at least 10 lie between$"
    )
    with pytest.raises(ValueError, match=message):
        check("claim", 2.0, 2.0, standard_error=0.25, rival=2.0 + sign * 2.4)
    with pytest.raises(ValueError, match=r"is only 0\.0 standard errors from 2"):
        check("claim", 2.0, 2.0, standard_error=0.25, rival=2.0)


def test_an_estimate_of_the_rival_fails() -> None:
    assert not passes(5.0, 2.0, standard_error=0.25, rival=5.0)


@pytest.mark.parametrize("rival", [NAN, INF, -INF])
def test_a_rival_is_a_finite_number(rival: float) -> None:
    """∞ is far from everything: it would make any simulation look decisive."""
    with pytest.raises(ValueError, match=r"rival .* must be finite"):
        check("claim", 2.0, 2.0, standard_error=0.25, rival=rival)


def test_infinities_in_a_simulation_fail() -> None:
    assert not passes(INF, 2.0, standard_error=0.25, rival=5.0)
    assert not passes(2.0, -INF, standard_error=0.25, rival=5.0)


def test_a_simulation_is_one_number() -> None:
    assert passes([2.0], [2.0], standard_error=0.25, rival=5.0)
    with pytest.raises(
        ValueError, match="claim: a simulation is checked one number at a time, got"
    ):
        check("claim", [2.0, 2.0], 2.0, standard_error=0.25, rival=5.0)


def test_a_simulation_needs_a_rival() -> None:
    message = "claim: standard_error needs rival, the nearest plausible wrong value"
    with pytest.raises(TypeError, match=message):
        check("claim", 2.0, 2.0, standard_error=0.25)


# --- what is no check ----------------------------------------------------------------------------

FORMS: dict[str, dict[str, Any]] = {
    "close": {"rtol": 1e-3},
    "simulation": {"standard_error": 1e-3, "rival": 9.0},
    "greater": {"greater_than": 0.0, "margin": 1e-3},
    "less": {"less_than": 9.0, "margin": 1e-3},
    "exact": {"exact": True},
}
TWO_SIDED = ["close", "simulation", "exact"]


def test_the_forms_hold_by_themselves() -> None:
    """So that the refusals below are refusals of the combination."""
    for form, options in FORMS.items():
        assert passes(1.0, *([1.0] if form in TWO_SIDED else []), **options)


@pytest.mark.parametrize("one", FORMS)
@pytest.mark.parametrize("other", FORMS)
def test_exactly_one_form(one: str, other: str) -> None:
    if one == other:
        return
    names = [name for name in FORMS if name in (one, other)]
    message = (
        "^check takes exactly one of rtol/atol, standard_error, greater_than, less_than, exact; "
        f"got {names[0]} and {names[1]}$"
    )
    with pytest.raises(TypeError, match=message):
        check("claim", 1.0, 1.0, **FORMS[one] | FORMS[other])


@pytest.mark.parametrize("options", [{}, {"exact": False}, {"rival": 3.0}, {"margin": 0.1}])
def test_no_form_at_all(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^check takes exactly one of .*; got none$"):
        check("claim", 1.0, 1.0, **options)


@pytest.mark.parametrize("form", TWO_SIDED)
def test_two_sides_are_needed(form: str) -> None:
    with pytest.raises(TypeError, match=r"^right is needed, except with greater_than or less_than"):
        check("claim", 1.0, **FORMS[form])
    with pytest.raises(TypeError, match=r"^margin goes with greater_than or less_than"):
        check("claim", 1.0, 1.0, **FORMS[form], margin=0.1)


@pytest.mark.parametrize("form", ["close", "greater", "less", "exact"])
def test_a_rival_goes_with_a_simulation(form: str) -> None:
    sides = [1.0, 1.0] if form in TWO_SIDED else [1.0]
    with pytest.raises(TypeError, match=r"^rival goes with standard_error$"):
        check("claim", *sides, **FORMS[form], rival=3.0)


@pytest.mark.parametrize("bound", ["greater_than", "less_than"])
def test_a_bound_is_one_side_and_has_a_margin(bound: str) -> None:
    with pytest.raises(TypeError, match=r"^right is needed, except with greater_than or less_than"):
        check("claim", 1.0, 1.0, **{bound: 3.0}, margin=0.1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^margin goes with greater_than .*, and they need it$"):
        check("claim", 1.0, **{bound: 3.0})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["rtol", "atol", "standard_error", "margin"])
@pytest.mark.parametrize("value", [0, 0.0, -1e-3, NAN, INF])
def test_a_tolerance_is_positive_and_finite(name: str, value: float) -> None:
    options: dict[str, Any] = {name: value}
    if name == "standard_error":
        options["rival"] = 9.0
    if name == "margin":
        options["greater_than"] = 0.0
    sides = [1.0] if name == "margin" else [1.0, 1.0]
    with pytest.raises(ValueError, match=f"^{name} = .* must be positive and finite$"):
        check("claim", *sides, **options)


@pytest.mark.parametrize("form", ["close", "exact"])
@pytest.mark.parametrize("shapes", [((2,), (3,)), ((3, 1), (3,)), ((1,), (3,)), ((2, 3), (3, 2))])
def test_shapes_never_broadcast_silently(
    form: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    left, right = (np.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match=r"^claim: the sides have shapes \(.*\) and \(.*\)$"):
        check("claim", left, right, **FORMS[form])


@pytest.mark.parametrize("form", FORMS)
def test_nothing_to_compare(form: str) -> None:
    rights: list[Any] = [[[]], [1.0]] if form in TWO_SIDED else [[]]
    for right in rights:
        with pytest.raises(ValueError, match=r"^claim: there is nothing to compare"):
            check("claim", [], *right, **FORMS[form])


# --- what it says when it fails ------------------------------------------------------------------


def failure(*args: Any, **options: Any) -> str:
    with pytest.raises(ClaimError) as caught:
        check("the-claim", *args, **options)
    assert isinstance(caught.value, AssertionError)
    assert caught.value.claim == "the-claim"
    return str(caught.value)


@pytest.mark.parametrize(
    ("args", "options", "tail"),
    [
        ([5.0, 4.0], {"rtol": 0.125}, "a difference of 1; wanted within rtol 0.125"),
        ([5.0, 4.0], {"atol": 1e-12}, "a difference of 1; wanted within atol 1e-12"),
        ([4, 5], {"rtol": 1e-9, "atol": 1e-12}, "of -1; wanted within rtol 1e-09 + atol 1e-12"),
        ([5.0, 4.0], {"exact": True}, "a difference of 1; wanted exactly equal"),
        ([5.0], {"greater_than": 4.5, "margin": 2}, "of 0.5; wanted > 4.5 by at least 2"),
        ([5.0], {"less_than": 4.5, "margin": 2}, "of 0.5; wanted < 4.5 by at least 2"),
        (
            [5.0, 4.0],
            {"standard_error": 0.125, "rival": 6},
            "of 1; wanted within 4 standard errors, the rival 6 is not (SE 0.125)",
        ),
    ],
)
def test_a_failure_names_claim_sides_difference_and_tolerance(
    args: list[float], options: dict[str, Any], tail: str
) -> None:
    message = failure(*args, **options)
    right = args[1] if len(args) == 2 else options.get("greater_than", options.get("less_than"))
    assert message.startswith(f"the-claim fails: {args[0]} against {right}, ")
    assert message.endswith(tail)


def test_a_failure_says_where() -> None:
    message = failure([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.5, 4.0]], atol=0.25)
    assert message.startswith("the-claim fails at (1, 0): 3.0 against 3.5")


def test_a_failure_points_to_an_entry_that_fails() -> None:
    """Not to the largest difference, which may well be within the tolerance."""
    message = failure([1e6 + 1, 2.0], [1e6, 1.0 + 2**-1], rtol=1e-3)
    assert message.startswith("the-claim fails at (1,): 2.0 against 1.5")
    assert "fails at (1,): " in failure([9.0, 0.5], greater_than=0.0, margin=1.0)
    assert "fails at (0,): " in failure([-0.5, -9.0], less_than=0.0, margin=1.0)
    assert "fails at (2,): " in failure([INF, 1.0, 2.0], [INF, 1.0, 3.0], exact=True)


def test_a_failure_points_to_nan() -> None:
    assert "fails at (1,): nan" in failure([9.0, NAN, 7.0], [1.0, 2.0, 3.0], atol=1e-3)
    assert "fails at (1,): nan" in failure([9.0, NAN], greater_than=0.0, margin=1.0)


def test_a_failure_tells_two_large_integers_apart() -> None:
    message = failure(2**100, 2**100 + 1, exact=True)
    assert str(2**100) in message
    assert str(2**100 + 1) in message
    assert "a difference of -1;" in message


def test_a_failure_of_texts_is_a_failure_too() -> None:
    message = failure(["a", "left"], ["a", "right"], exact=True)
    assert message == (
        "the-claim fails at (1,): 'left' against 'right', different values; wanted exactly equal"
    )


def test_a_failure_shows_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    failure(5.0, 4.0, rtol=1e-3)
    assert capsys.readouterr() == ("", "")


# --- what it shows when it holds -----------------------------------------------------------------

LINES: list[tuple[list[Any], dict[str, Any], str, dict[str, Any]]] = [
    (
        [4.5, 4.0],
        {"rtol": 0.25},
        "within rtol 0.25",
        {"kind": "close", "difference": 0.125, "tolerance": 0.25},  # in units of the right side
    ),
    (
        [[0.0, 4.5], [0.0, 4.0]],  # 0 over 0 is no number
        {"rtol": 0.25},
        "within rtol 0.25",
        {"kind": "close", "difference": 0.125, "tolerance": 0.25},
    ),
    (
        [0.625, 0.5],
        {"rtol": 0.5},
        "within rtol 0.5",
        {"kind": "close", "difference": 0.25, "tolerance": 0.5},
    ),
    (
        [-4.5, -4.0],
        {"atol": 0.75},
        "within atol 0.75",
        {"kind": "close", "difference": 0.5, "tolerance": 0.75},
    ),
    (
        [[4.0, 2.25], [4.0, 2.0]],
        {"rtol": 0.25, "atol": 0.5},
        "within rtol 0.25 + atol 0.5",
        {"kind": "close", "difference": 0.25, "tolerance": 0.75},
    ),
    (
        [2.25, 2.0],
        {"standard_error": 0.125, "rival": 4.0},
        "within 4 standard errors, the rival 4 is not",
        {"kind": "simulation", "difference": 2.0, "tolerance": 4.0},
    ),
    (
        [[3.0, 2.0]],
        {"greater_than": 1.0, "margin": 0.5},
        "> 1 by at least 0.5",
        {"kind": "greater", "difference": 1.0, "tolerance": 0.5},
    ),
    (
        [[-3.0, -2.0]],
        {"less_than": 1.0, "margin": 0.5},
        "< 1 by at least 0.5",
        {"kind": "less", "difference": 3.0, "tolerance": 0.5},
    ),
    (
        [2.0, 2.0],
        {"exact": True},
        "exactly equal",
        {"kind": "exact", "difference": 0.0, "tolerance": 0.0},
    ),
]
EACH_LINE = pytest.mark.parametrize(("args", "options", "text", "record"), LINES)


@EACH_LINE
def test_one_line_and_the_record_in_a_notebook(
    args: list[Any],
    options: dict[str, Any],
    text: str,
    record: dict[str, Any],
    published: list[dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    check("the-claim", *args, **options)
    (output,) = published
    assert output["data"] == {"text/plain": f"✓ the-claim: {text}"}
    assert output["metadata"] == {"nllbook": {"claim": "the-claim", **record}}
    assert capsys.readouterr().out == ""


@EACH_LINE
def test_one_line_is_printed_elsewhere(
    args: list[Any],
    options: dict[str, Any],
    text: str,
    record: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    InteractiveShell.clear_instance()
    check("the-claim", *args, **options)
    assert capsys.readouterr() == (f"✓ the-claim: {text}\n", "")


def test_a_line_is_printed_where_ipython_was_never_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "IPython")
    check("the-claim", 1, 1, exact=True)
    assert capsys.readouterr().out == "✓ the-claim: exactly equal\n"
    assert "IPython" not in sys.modules


@pytest.mark.parametrize(
    ("sides", "options"),
    [
        ([(1.0, 1.0), (1.0, 1.0 + 3e-13), ([1.0, 5.0], [1.0, 5.0])], {"rtol": 1e-12}),
        ([(0.0, 0.0), (1e-17, 0.0), (-3e-16, 0.0)], {"atol": 1e-12}),
        ([(0.1, 0.0), (-0.3, 0.0), (0.2, 0.01)], {"standard_error": 0.1, "rival": 2.0}),
        ([(1.0,), (2.0,), ([3.0, 4.0],)], {"greater_than": 0.0, "margin": 0.5}),
    ],
)
def test_the_line_does_not_depend_on_the_difference(
    sides: list[tuple[Any, ...]], options: dict[str, Any], published: list[dict[str, Any]]
) -> None:
    for left_right in sides:
        check("the-claim", *left_right, **options)
    assert len({output["data"]["text/plain"] for output in published}) == 1
    differences = {output["metadata"]["nllbook"]["difference"] for output in published}
    assert len(differences) > 1  # that is the metadata's part


def test_nothing_is_published_for_a_failure(published: list[dict[str, Any]]) -> None:
    failure(5.0, 4.0, rtol=1e-3)
    assert published == []


@pytest.mark.parametrize(
    ("args", "options"),
    [
        ([np.float32(1), np.float32(1)], {"rtol": np.float32(0.5)}),
        ([Fraction(1, 3), 1 / 3], {"rtol": 1e-15}),
        ([np.int64(3)], {"greater_than": np.int64(1), "margin": np.float64(0.5)}),
        ([2.0, 2.0], {"standard_error": np.float32(0.25), "rival": np.int64(9)}),
    ],
)
def test_the_record_is_plain_json(
    args: list[Any], options: dict[str, Any], published: list[dict[str, Any]]
) -> None:
    check("the-claim", *args, **options)
    record = published[0]["metadata"]["nllbook"]
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_the_record_of_an_infinite_slack_is_json_too(published: list[dict[str, Any]]) -> None:
    """``Infinity`` is not JSON: browsers, and strict readers of notebooks, would stumble."""
    check("the-claim", INF, greater_than=0.0, margin=1.0)
    json.dumps(published[0]["metadata"], allow_nan=False)


def test_the_sides_are_not_changed() -> None:
    left, right = np.array([3.0, 4.0]), np.array([3.0, 4.5])
    for side in (left, right):
        side.flags.writeable = False
    check("the-claim", left, right, atol=0.5)
    np.testing.assert_array_equal(left, [3.0, 4.0])
    np.testing.assert_array_equal(right, [3.0, 4.5])


def test_it_returns_nothing() -> None:
    """So that a cell which ends in it shows one output."""
    result: Any = check("the-claim", 1, 1, exact=True)
    assert result is None


@pytest.mark.parametrize(
    "option", ["rtol", "atol", "standard_error", "greater_than", "less_than", "margin", "rival"]
)
def test_a_tolerance_or_a_bound_is_one_number(option: str) -> None:
    others: dict[str, Any] = {"margin": {"less_than": 1.0}, "rival": {"standard_error": 0.1}}.get(
        option, {}
    )
    others |= {"margin": 1.0} if option in ("greater_than", "less_than") else {}
    right = None if "margin" in (option, *others) else 5.0
    wrong: Any
    error: Any
    for wrong, error in ((np.ones(2), ValueError), (np.ones(0), ValueError), ("1", TypeError)):
        with pytest.raises(error, match=f"^{option} must be "):
            check("the-claim", 5.0, right, **{option: wrong}, **others)


@pytest.mark.parametrize(
    "side", ["text", None, 1j, 10**400, [None, 1.0], np.datetime64("2026", "D")]
)
def test_within_a_tolerance_are_numbers_only(side: Any) -> None:
    forms: list[dict[str, Any]] = [{"rtol": 1e-3}, {"standard_error": 1.0, "rival": 99}]
    for form in forms:
        with pytest.raises(TypeError, match=r"^left must be real numbers that fit into float64"):
            check("the-claim", side, 5.0, **form)
    with pytest.raises(TypeError, match=r"^right must be real numbers that fit into float64"):
        check("the-claim", np.full(np.shape(side), 5.0), side or [side], rtol=1e-3)
    with pytest.raises(TypeError, match=r"^left must be real numbers that fit into float64"):
        check("the-claim", side, greater_than=0.0, margin=1.0)


@pytest.mark.parametrize("right", [[None, 1.0], [10**400, 1], [1j, 1], ["a", "b"]])
def test_values_that_are_no_floats_are_compared_exactly(right: Any) -> None:
    check("the-claim", right, right, exact=True)
    with pytest.raises(ClaimError, match="different values"):
        check("the-claim", [0.5, 1.0], right, exact=True)


def test_sides_with_a_mask_or_ragged_rows_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^left must not be a masked array"):
        check("the-claim", np.ma.masked_array([1.0]), 1.0, exact=True)
    ragged: Any = [[1.0], 2.0]
    with pytest.raises(ValueError, match=r"^right must be an array"):
        check("the-claim", 1.0, ragged, exact=True)
    with pytest.raises(ValueError, match=r"^left must be an array"):
        check("the-claim", ragged, 1.0, rtol=1e-3)


def test_the_floating_point_errors_of_the_caller_do_not_matter() -> None:
    with np.errstate(all="raise"):
        check("the-claim", [1e308, 5e-324], [1.1e308, 5e-324], rtol=0.5)
        check("the-claim", math.inf, greater_than=1.0, margin=1.0)
        failure(1e308, -1e308, rtol=1.0)
