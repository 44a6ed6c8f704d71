"""Numbers for the prose: a cell formats them, the text shows them, nobody types them."""

from __future__ import annotations

import math

from nllbook._notebook import display
from nllbook._validate import integer, scalar

MIME_PREFIX = "application/papermill.record/"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def glue(name: str, text: str) -> None:
    """Make ``text`` available to the prose, which shows it by the role ``glue:text`` and the name.

    The text comes *formatted*, to the digits that hold on every machine: it is what the committed
    notebook keeps and what a re-run is compared with. Outside a notebook this does nothing.
    (The same message as ``myst_nb.glue``, which does not exist in Colab or in the browser.)

    Parameters
    ----------
    name : str
        What the prose calls it.
    text : str
        What it shows.

    Raises
    ------
    TypeError
        Where ``text`` is not a string: a bare float would show digits that differ by machine.

    Examples
    --------
    >>> glue("rate", f"{122 / 200:.2f}")
    """
    if not isinstance(text, str):
        raise TypeError(
            f"text must be a formatted string such as f'{{value:.2f}}', got {type(text).__name__}"
        )
    display(
        {MIME_PREFIX + "text/plain": repr(text)},  # quoted: a bare 0.50 would be shown as 0.5
        {"scrapbook": {"name": name, "mime_prefix": MIME_PREFIX}},
    )


def scientific(value: float, digits: int = 0) -> str:
    """``value`` for the prose, in powers of ten, with the given digits after the point.

    The spaces do not break, so that a number stays on one line.

    Parameters
    ----------
    value : float
        A finite number.
    digits : int
        How many digits come after the point, >= 0.

    Returns
    -------
    str
        Such as 3.1 · 10⁻¹⁰⁹.

    Raises
    ------
    TypeError, ValueError
        For a value that is no finite number, and digits that are no integer >= 0.

    Examples
    --------
    >>> print(scientific(3.08e-109).replace("\N{NO-BREAK SPACE}", " "))
    3 · 10⁻¹⁰⁹
    """
    value, digits = scalar("value", value, "finite", low=-math.inf), integer("digits", digits)
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    power = str(int(exponent)).translate(SUPERSCRIPTS)
    return f"{mantissa} · 10{power}".replace(" ", "\N{NO-BREAK SPACE}").replace("-", "−")
