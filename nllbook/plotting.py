"""One style for all figures: legible in light, dark and print, on a phone, and to the colour-blind.

Colours: ``BLUE``, ``ORANGE``, ``GREEN`` and ``PINK`` for what is drawn, in this order; ``GREY`` for
what guides the eye; ``PALE``, and the colour map ``SHADES``, for areas behind something else. Text
is always ``INK``, on ``PAPER``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Searched for among blues, oranges, greens and pinks: the least difference of two is as large as it
# can be for eyes of every kind, on white and as the site's dark mode shows them (web/static/
# figures.css), and they differ in lightness too. tests/test_palette.py has the measures.
BLUE, ORANGE, GREEN, PINK = "#274891", "#CA5C00", "#339775", "#BF7CB6"
INK, PAPER = "#1A1A1A", "#FFFFFF"  # text, and what it stands on
GREY = "#666666"  # axes, edges of areas, lines that guide the eye
PALE = "#E0E0E0"  # areas behind something else; an edge in GREY shows where they end

WIDTH = 4.8  # inches: on a phone 11 points are then 11 pixels
STYLE: dict[Any, Any] = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.prop_cycle": f"cycler('color', {[BLUE, ORANGE, GREEN, PINK]})"
    " + cycler('linestyle', ['-', '--', '-.', ':'])",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.dpi": 144,
    # White, not transparent: dark text would be lost on the dark pages of JupyterLab and Colab.
    "figure.facecolor": PAPER,
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same on every machine
    "font.size": 11,
    "legend.fontsize": "medium",
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.labelcolor": INK,
    "lines.linewidth": 2,
    "patch.edgecolor": GREY,
    "patch.force_edgecolor": True,
    "patch.linewidth": 0.8,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
}


def use_style() -> None:
    """Set the book's style for every figure that follows (matplotlib's rcParams).

    Raises
    ------
    ModuleNotFoundError
        Where matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with mpl.rc_context():
    ...     use_style()
    ...     mpl.rcParams["text.color"] == INK
    True
    """
    _matplotlib().rcParams.update(STYLE)


def figure(
    columns: int = 1, *, rows: int = 1, height: float | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure with the given panels, as wide as a phone shows with text that can be read.

    Two panels side by side have room for three or four ticks each; with more to show, use rows.

    Parameters
    ----------
    columns, rows : int
        How many panels there are beside each other, and below each other.
    height : float, optional
        In inches; 2.7 a row unless said otherwise. The width is always 4.8 inches.

    Returns
    -------
    figure, axes
        ``axes`` is always a list, one entry a panel, row by row.

    Raises
    ------
    ModuleNotFoundError
        Where matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> with plt.rc_context():
    ...     fig, (left, right) = figure(2)
    >>> fig.get_size_inches().tolist()
    [4.8, 2.7]
    >>> plt.close(fig)
    """
    use_style()
    import matplotlib.pyplot as plt

    size = (WIDTH, 2.7 * rows if height is None else height)
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    return fig, list(axes.flat)


def __getattr__(name: str) -> Any:
    """``SHADES``, a colour map from white to grey, made when first asked for."""
    if name != "SHADES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _matplotlib()
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", [PAPER, GREY])


def _matplotlib() -> Any:
    """Matplotlib, which is imported when something is drawn: the rest of nllbook does without."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ModuleNotFoundError(
            "drawing needs matplotlib, which is not installed: pip install matplotlib",
            name="matplotlib",
        ) from error
    return mpl
