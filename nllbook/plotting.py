"""One style for all figures: legible in light, dark and print, and for colour-blind readers.

Colours: ``BLUE``, ``ORANGE``, ``GREEN`` and ``PINK`` for what is drawn, in this order; ``GREY`` for
text and axes; ``PALE``, and the colour map ``SHADES``, for areas behind something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours (jfly.uni-koeln.de/color), those with a contrast of at least 3 to 1
# against both the white and the dark page.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY = "#7A7A7A"  # text and axes: about as far from white as from the dark page, over 4 to 1
PALE = "#7A7A7A73"  # the same, 45 % opaque: areas behind something else

STYLE: dict[Any, Any] = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.labelcolor": GREY,
    "axes.labelsize": 12,
    "axes.prop_cycle": f"cycler('color', {[BLUE, ORANGE, GREEN, PINK]})"
    " + cycler('linestyle', ['-', '--', '-.', ':'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": 144,
    "figure.facecolor": "none",
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same on every machine
    "font.size": 11,
    "legend.frameon": False,
    "legend.labelcolor": GREY,
    "lines.linewidth": 2.2,
    "savefig.facecolor": "none",
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def use_style() -> None:
    """Set the book's style for every figure that follows (matplotlib's rcParams)."""
    import matplotlib as mpl

    mpl.rcParams.update(STYLE)


def figure(columns: int = 1, *, height: float = 3.2) -> tuple[Figure, list[Axes]]:
    """A figure of one row with the given number of panels, 6.2 inches wide.

    Returns
    -------
    figure, axes
        ``axes`` is always a list, one entry a panel.
    """
    import matplotlib.pyplot as plt

    use_style()
    fig, axes = plt.subplots(1, columns, figsize=(6.2, height), squeeze=False)
    return fig, list(axes[0])


def __getattr__(name: str) -> Any:
    """``SHADES``, a colour map from transparent to grey, made when first asked for."""
    if name != "SHADES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", [GREY + "00", GREY + "FF"])
