"""Numbers in the prose: the message that myst-nb understands, and powers of ten."""

from __future__ import annotations

import math
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from nllbook import glue, scientific

SUPERSCRIPTS = {sign: plain for plain, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}


@pytest.fixture
def published() -> Iterator[list[dict[str, Any]]]:
    """What a notebook cell shows, in a real IPython shell."""
    InteractiveShell.clear_instance()
    cell = types.ModuleType("a_cell")
    shell = InteractiveShell.instance(
        user_module=cell, config=Config({"HistoryManager": {"enabled": False}})
    )
    shell.display_pub = CapturingDisplayPublisher(parent=shell)
    yield shell.display_pub.outputs
    InteractiveShell.clear_instance()


def test_glue_publishes_what_myst_nb_reads(published: list[dict[str, Any]]) -> None:
    glue("rate", "0.61")
    (output,) = published
    # the message of myst_nb.glue("rate", …, display=False): a prefixed type, the name in scrapbook
    assert output["data"] == {"application/papermill.record/text/plain": "'0.61'"}
    assert output["metadata"] == {
        "scrapbook": {"name": "rate", "mime_prefix": "application/papermill.record/"}
    }


def test_glue_sends_the_message_of_myst_nb_itself(published: list[dict[str, Any]]) -> None:
    from myst_nb import glue as original

    glue("rate", "0.61")
    original("rate", "0.61", display=False)
    ours, theirs = published
    assert ours["data"] == theirs["data"]
    assert ours["metadata"] == theirs["metadata"]


def test_glue_shows_nothing_else_in_a_notebook(
    published: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    glue("rate", "0.61")
    assert "text/plain" not in published[0]["data"]
    assert capsys.readouterr().out == ""


def test_glue_does_nothing_outside_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    InteractiveShell.clear_instance()
    glue("rate", "0.61")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("value", "kind"), [(0.61, "float"), (3, "int"), (None, "NoneType")])
def test_glue_takes_only_text(value: Any, kind: str) -> None:
    message = rf"^text must be a formatted string such as f'\{{value:\.2f\}}', got {kind}$"
    with pytest.raises(TypeError, match=message):
        glue("rate", value)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (3.08e-109, 0, "3 · 10⁻¹⁰⁹"),
        (24_800.0, 2, "2.48 · 10⁴"),
        (9.96, 1, "1.0 · 10¹"),  # rounding carries into the exponent
        (0.0, 0, "0 · 10⁰"),
        (1, 3, "1.000 · 10⁰"),
        (-3.2e5, 1, "−3.2 · 10⁵"),
        (5e-324, 0, "5 · 10⁻³²⁴"),
        (1234567890, 0, "1 · 10⁹"),
    ],
)
def test_scientific(value: float, digits: int, text: str) -> None:
    assert scientific(value, digits) == text.replace(" ", "\N{NO-BREAK SPACE}")
    assert digits or scientific(value) == scientific(value, 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), st.integers(0, 15))
def test_scientific_says_the_value(value: float, digits: int) -> None:
    said = scientific(value, digits).replace("\N{NO-BREAK SPACE}", " ").replace("−", "-")
    mantissa, power = said.split(" · 10")
    sign = -1 if power.startswith("⁻") else 1
    exponent = sign * int("".join(str(SUPERSCRIPTS[c]) for c in power.removeprefix("⁻")))
    assert value == 0 or 1 <= abs(float(mantissa)) < 10
    assert len(mantissa.partition(".")[2]) == digits
    # Python's own conversion of the decimal back to binary, right to half a unit of the last digit
    back = float(f"{mantissa}e{exponent}")
    if not math.isinf(back):
        assert abs(back / 2 - value / 2) <= 0.2500001 * 10.0**-digits * 10.0**exponent


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_scientific_refuses_what_has_no_power_of_ten(value: float) -> None:
    with pytest.raises(ValueError, match=r"value = .* must be finite"):
        scientific(value)


def test_scientific_refuses_what_is_no_number_and_no_count_of_digits() -> None:
    value: Any
    digits: Any
    for value in ("1", None, 10**400, 1j):
        with pytest.raises(TypeError, match=r"^value must be real numbers"):
            scientific(value)
    value, digits = np.ones(2), 2.0
    with pytest.raises(ValueError, match=r"^value must be one number"):
        scientific(value)
    with pytest.raises(TypeError, match=r"^digits must be an integer"):
        scientific(1.0, digits)
    with pytest.raises(ValueError, match=r"^digits = -1 must be >= 0"):
        scientific(1.0, -1)
