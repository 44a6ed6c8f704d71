"""Draws the pictures that social networks show beside a link: 1200 by 630 pixels, one a chapter.

On the right stands what the book is about: a likelihood and its NLL, with their extremes at one
place. Below, the steps of the book's map, with the card's own chapter marked.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nllbook import plotting
from nllbook.plotting import INK, PAPER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (1200, 630)  # in pixels, as Open Graph and X ask for


def draw(path: Path, book: str, title: str, steps: int, step: int = 0) -> None:
    """Draw the card of a chapter, or, with step 0, that of the book."""
    import matplotlib as mpl
    from matplotlib.figure import Figure  # without pyplot, and so without a window

    with mpl.rc_context(plotting.STYLE | {"figure.constrained_layout.use": False}):
        figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, facecolor=PAPER)
        figure.text(0.065, 0.83, book if step else "An executable book", size=24, color=INK)
        lines = textwrap.wrap(title, 18, break_on_hyphens=False)
        size = 48 if len(lines) < 4 else 40
        words = figure.text(0.065, 0.75, "\n".join(lines), size=size, weight="bold", color=INK)
        words.set(va="top", linespacing=1.15)
        _curves(figure)
        _steps(figure, steps, step)
        figure.savefig(path, facecolor=PAPER, metadata={"Software": None})


def _curves(figure: Figure) -> None:
    ax = figure.add_axes((0.66, 0.3, 0.28, 0.6))
    z = np.linspace(-2.6, 2.6, 300)
    ax.plot(z, 1.9 * np.exp(-(z**2) / 2) - 0.1, color=plotting.ORANGE, linestyle="--", linewidth=4)
    ax.plot(z, z**2 / 2 - 2.6, color=plotting.BLUE, linewidth=5)
    ax.axvline(0, color=plotting.GREY, linestyle=":", linewidth=2)
    ax.text(0.75, 1.72, "likelihood", color=plotting.ORANGE, size=20)
    ax.text(-2.6, -3.0, "−log likelihood", color=plotting.BLUE, size=20)
    ax.set(xlim=(-2.6, 2.6), ylim=(-3.1, 2.1))
    ax.set_axis_off()


def _steps(figure: Figure, steps: int, step: int) -> None:
    """The chapters as a row of numbers on a line."""
    ax = figure.add_axes((0.04, 0.06, 0.9, 0.16))
    ax.set(xlim=(0, 13.5), ylim=(-0.9, 0.9), aspect="equal", anchor="W")
    ax.set_axis_off()
    ax.plot([0.7, 0.7 + 2 * (steps - 1)], [0, 0], color=plotting.GREY, linewidth=3, zorder=1)
    for number in range(1, steps + 1):
        place = 0.7 + 2 * (number - 1)
        own = number == step
        fill = plotting.BLUE if own else PAPER
        ax.scatter(place, 0, s=1500, color=fill, edgecolor=plotting.BLUE, linewidth=3, zorder=2)
        color = PAPER if own else plotting.BLUE
        ax.text(place, -0.03, str(number), color=color, size=20, ha="center", va="center")
