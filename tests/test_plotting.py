"""The book's figures: legible on the white and the dark page, in print, and to the colour-blind."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba
from numpy.typing import NDArray

from nllbook import plotting
from nllbook.plotting import BLUE, GREEN, GREY, ORANGE, PALE, PINK

WHITE, DARK = "#FFFFFF", "#14181E"  # the pages of the theme (pydata-sphinx-theme), light and dark
COLOURS = {"BLUE": BLUE, "ORANGE": ORANGE, "GREEN": GREEN, "PINK": PINK}

# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, IEEE TVCG 15 (2009), severity 1.0; they act on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# sRGB's primaries and white (IEC 61966-2-1), from linear RGB to CIE XYZ.
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(colour: str) -> NDArray[np.float64]:
    """sRGB's transfer function, undone."""
    rgb = np.array(to_rgba(colour)[:3])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    luminance = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (luminance[1] + 0.05) / (luminance[0] + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE 1976 L*a*b* of a linear RGB colour, relative to sRGB's white."""
    xyz = TO_XYZ @ rgb / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str) -> float:
    """CIE76: how far apart two colours look to such an eye; 2.3 is just noticeable."""
    seen = [lab(np.clip(VISION[vision] @ linear(colour), 0, 1)) for colour in (one, other)]
    return math.dist(*seen)


@pytest.fixture(autouse=True)
def _leave_matplotlib_as_it_was() -> Iterator[None]:
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        yield
    plt.close("all")
    plt.switch_backend(backend)


def test_the_ruler_itself() -> None:
    """Known values: a colour meter that is wrong would let anything pass."""
    assert contrast("#000000", WHITE) == pytest.approx(21)
    assert contrast("#777777", WHITE) == pytest.approx(4.48, abs=0.005)  # WebAIM's famous near miss
    np.testing.assert_allclose(lab(np.ones(3)), [100, 0, 0], atol=1e-12)
    # sRGB red is L*a*b* = (53.24, 80.09, 67.20) under D65 (Lindbloom's calculator)
    np.testing.assert_allclose(lab(linear("#FF0000")), [53.24, 80.09, 67.20], atol=0.02)
    for matrix in VISION.values():  # grey looks grey to every eye
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=2e-6)
    # the pair that the dichromat confuses: pure red and a dark yellow-green, to a protanope
    assert (
        distance("#FF0000", "#6F5F00", "normal")
        > 60
        > 20
        > distance("#FF0000", "#6F5F00", "protanopia")
    )


@pytest.mark.parametrize("page", [WHITE, DARK])
@pytest.mark.parametrize("name", COLOURS)
def test_every_line_stands_out_from_both_pages(name: str, page: str) -> None:
    assert contrast(COLOURS[name], page) >= 3  # WCAG 2.2, 1.4.11: graphical objects


@pytest.mark.parametrize("page", [WHITE, DARK])
def test_text_is_as_legible_as_one_colour_for_both_pages_can_be(page: str) -> None:
    # the two contrasts of one colour multiply to the pages' own: more than 4.22 is not to be had
    best = math.sqrt(contrast(WHITE, DARK))
    assert 4.2 < best < 4.25
    assert contrast(GREY, page) >= 4


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("pair", list(itertools.combinations(COLOURS, 2)), ids="-".join)
def test_lines_are_told_apart_by_every_eye(pair: tuple[str, str], vision: str) -> None:
    # Measured: at least 17.0 (blue and green under tritanopia; 17.9 for green and pink under
    # deuteranopia). 15 is over six just noticeable differences; yellow in place of any of the four
    # would have a contrast of 1.3 with white, and Tableau's red and green 13 under deuteranopia.
    assert distance(COLOURS[pair[0]], COLOURS[pair[1]], vision) >= 15


def test_colours_are_those_of_okabe_and_ito() -> None:
    # https://jfly.uni-koeln.de/color: blue, vermilion, bluish green, reddish purple
    rgb = [(0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167)]
    given = [tuple(round(255 * part) for part in to_rgba(c)[:3]) for c in COLOURS.values()]
    assert given == rgb


def test_pale_is_the_grey_and_translucent() -> None:
    assert to_rgba(PALE)[:3] == to_rgba(GREY)[:3]
    assert to_rgba(PALE)[3] == pytest.approx(0.45, abs=0.002)


def test_the_cycle_has_a_dash_for_each_colour() -> None:
    plotting.use_style()
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    colours = [to_hex("#" + entry["color"].lstrip("#")) for entry in cycle]
    assert colours == [to_hex(colour) for colour in COLOURS.values()]
    dashes = [entry["linestyle"] for entry in cycle]
    assert dashes[0] == "-"
    assert len(set(dashes)) == len(COLOURS)


def test_lines_of_a_figure_differ_in_colour_and_dash() -> None:
    _, axes = plotting.figure()
    lines = [axes[0].plot([0, 1], [k, k])[0] for k in range(4)]
    assert [to_hex(line.get_color()) for line in lines] == [to_hex(c) for c in COLOURS.values()]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-.", ":"]


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_a_figure_and_a_list_of_its_axes(columns: int) -> None:
    fig, axes = plotting.figure(columns)
    assert type(axes) is list
    assert len(axes) == columns
    assert all(isinstance(one, Axes) for one in axes)
    assert fig.axes == axes  # from left to right
    assert [one.get_position().x0 for one in axes] == sorted(
        {one.get_position().x0 for one in axes}
    )
    assert len({one.get_position().y0 for one in axes}) == 1


def test_the_size_of_a_figure() -> None:
    assert tuple(plotting.figure()[0].get_size_inches()) == (6.2, 3.2)
    assert tuple(plotting.figure(2, height=5)[0].get_size_inches()) == (6.2, 5.0)
    with pytest.raises(TypeError):
        plotting.figure(1, 5)  # type: ignore[call-arg]  # two bare numbers could be rows and columns


def test_the_page_shines_through() -> None:
    fig, axes = plotting.figure(2)
    for one in axes:
        one.fill_between([0.4, 0.6], 0, 1, color=BLUE)
        one.set(xlim=(0, 1))
    assert to_rgba(fig.get_facecolor())[3] == 0
    assert all(to_rgba(one.get_facecolor())[3] == 0 for one in axes)
    stream = io.BytesIO()
    fig.savefig(stream, format="png")
    stream.seek(0)
    alpha = plt.imread(stream)[..., 3]
    assert alpha[0, 0] == 0
    assert np.mean(alpha == 0) > 0.5  # only what is drawn is opaque …
    assert np.mean(alpha == 1) > 0.05  # … and that is


def test_text_and_axes_are_grey() -> None:
    _, axes = plotting.figure()
    axes[0].plot([0, 1], [0, 1], label="a line")
    axes[0].set(xlabel="x", title="title")
    legend = axes[0].legend()
    written = [axes[0].title, axes[0].xaxis.label, axes[0].yaxis.label, *legend.get_texts()]
    written += [*axes[0].get_xticklabels(), *axes[0].get_yticklabels()]
    assert {to_hex(text.get_color()) for text in written} == {to_hex(GREY)}
    assert {to_hex(spine.get_edgecolor()) for spine in axes[0].spines.values()} == {to_hex(GREY)}
    assert not axes[0].spines["top"].get_visible()
    assert not axes[0].spines["right"].get_visible()
    assert axes[0].spines["left"].get_visible()


def test_the_font_ships_with_matplotlib() -> None:
    plotting.use_style()
    (family,) = mpl.rcParams["font.family"]
    path = mpl.font_manager.findfont(family, fallback_to_default=False)
    assert path.startswith(mpl.get_data_path())


def test_style_is_set_at_the_call_not_at_the_import() -> None:
    mpl.rcdefaults()
    assert to_hex(mpl.rcParams["text.color"]) == "#000000"
    plotting.use_style()
    assert to_hex(mpl.rcParams["text.color"]) == to_hex(GREY)


def test_shades_go_from_nothing_to_grey() -> None:
    shades = plotting.SHADES
    np.testing.assert_allclose(shades([0.0, 1.0])[:, :3], [to_rgba(GREY)[:3]] * 2, atol=1 / 255)
    np.testing.assert_allclose(shades([0.0, 0.5, 1.0])[:, 3], [0, 0.5, 1], atol=1 / 255)


def test_no_other_name_is_made_up() -> None:
    with pytest.raises(AttributeError, match=r"module 'nllbook\.plotting' has no attribute 'RED'"):
        plotting.RED  # noqa: B018
