"""The figures' colours, measured: light, dark, in print, to the colour-blind; and in Chromium."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from numpy.typing import NDArray

from nllbook.plotting import BLUE, GREEN, GREY, INK, ORANGE, PALE, PAPER, PINK, STYLE
from web.browser import PHONE, Scheme, visit
from web.source import chapters

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Array = NDArray[np.float64]

COLOURS = {"BLUE": BLUE, "ORANGE": ORANGE, "GREEN": GREEN, "PINK": PINK}
PAIRS = list(itertools.combinations(COLOURS, 2))
PAGES = {"light": "#FFFFFF", "dark": "#121212"}  # the theme's; the browser below compares

# Machado, Oliveira and Fernandes, A Physiologically-based Model for Simulation of Color Vision
# Deficiency, IEEE TVCG 15 (2009), severity 1.0, compared with colour-science's machado2010.py; they
# act on linear RGB.
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


def rgb(colour: str) -> Array:
    return np.array(to_rgb(colour))


def hue_rotation(degrees: float) -> Array:
    """The matrix of CSS's hue-rotate() (Filter Effects Module Level 1, 9.6 feColorMatrix)."""
    luma = np.tile([0.213, 0.715, 0.072], (3, 1))
    third = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    angle = math.radians(degrees)
    matrix: Array = luma + math.cos(angle) * (np.eye(3) - luma) + math.sin(angle) * third
    return matrix


def shown(colour: str, mode: str) -> Array:
    """What becomes of a figure's colour on the site, as sRGB from 0 to 1.

    Light: it stays. Dark (web/static/figures.css): invert(1), hue-rotate(180deg), each on the sRGB
    values themselves and clamped, then screened with the page (Compositing Level 1): 1 − (1 − a)
    (1 − b).
    """
    if mode == "light":
        return rgb(colour)
    filtered = np.clip(hue_rotation(180) @ (1 - rgb(colour)), 0, 1)
    return 1 - (1 - filtered) * (1 - rgb(PAGES["dark"]))


def linear(srgb: Array) -> Array:
    """sRGB's transfer function, undone."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def contrast(one: Array, other: Array) -> float:
    """WCAG 2.2's contrast ratio."""
    luminance = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (luminance[1] + 0.05) / (luminance[0] + 0.05)


def lab(srgb: Array, vision: str = "normal") -> Array:
    """CIE 1976 L*a*b* of a colour as such an eye sees it, relative to sRGB's white."""
    seen = np.clip(VISION[vision] @ linear(srgb), 0, 1)
    xyz = TO_XYZ @ seen / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def hue(colour: Array) -> float:
    """Degrees around the axis of greys in L*a*b*."""
    _, a, b = lab(colour)
    return math.degrees(math.atan2(b, a)) % 360


def difference(one: Array, other: Array) -> float:
    """CIEDE2000 of two L*a*b* colours: about 1 is just noticeable, side by side."""
    (l1, a1, b1), (l2, a2, b2) = one, other

    def redness(chroma: float) -> float:
        return math.sqrt(chroma**7 / (chroma**7 + 25**7))

    stretch = 1.5 - redness((math.hypot(a1, b1) + math.hypot(a2, b2)) / 2) / 2
    c1, c2 = math.hypot(stretch * a1, b1), math.hypot(stretch * a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    mean = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2

    def wave(factor: float, shift: float) -> float:
        return math.cos(math.radians(factor * mean + shift))

    t = 1 - 0.17 * wave(1, -30) + 0.24 * wave(2, 0) + 0.32 * wave(3, 6) - 0.20 * wave(4, -63)
    of_light = (l2 - l1) / (1 + 0.015 * (light - 50) ** 2 / math.sqrt(20 + (light - 50) ** 2))
    of_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    of_hue = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * chroma * t)
    blue = math.radians(60 * math.exp(-(((mean - 275) / 25) ** 2)))
    mixed = -2 * redness(chroma) * math.sin(blue) * of_chroma * of_hue
    return math.sqrt(of_light**2 + of_chroma**2 + of_hue**2 + mixed)


def test_the_ruler_itself() -> None:
    """Known values: a colour meter that is wrong would let anything pass."""
    assert contrast(rgb("black"), rgb("white")) == pytest.approx(21)
    # WebAIM's famous near miss
    assert contrast(rgb("#777777"), rgb("white")) == pytest.approx(4.48, abs=0.005)
    np.testing.assert_allclose(lab(np.ones(3)), [100, 0, 0], atol=1e-12)
    # sRGB red is L*a*b* = (53.24, 80.09, 67.20) under D65 (Lindbloom's calculator)
    np.testing.assert_allclose(lab(rgb("#FF0000")), [53.24, 80.09, 67.20], atol=0.02)
    for matrix in VISION.values():  # grey looks grey to every eye
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=2e-6)
    # a pair that a protanope confuses: pure red and a dark yellow-green
    pair = rgb("#FF0000"), rgb("#6F5F00")
    assert difference(*(lab(one) for one in pair)) > 30
    assert difference(*(lab(one, "protanopia") for one in pair)) < 20


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 2.4900, -0.0010), (50, -2.4900, 0.0011), 7.2195),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((50, 2.5, 0), (50, 3.1736, 0.5854), 1.0),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_differences_are_those_of_the_published_table(
    one: tuple[float, ...], other: tuple[float, ...], expected: float
) -> None:
    # Sharma, Wu and Dalal, The CIEDE2000 Color-Difference Formula, 2005, table 1
    found = difference(np.array(one), np.array(other))
    assert found == pytest.approx(expected, abs=5e-5)


def test_the_filter_turns_white_into_the_page_and_moves_all_channels_alike() -> None:
    np.testing.assert_allclose(shown(PAPER, "dark"), rgb(PAGES["dark"]), atol=1e-12)
    np.testing.assert_allclose(shown("black", "dark"), 1, atol=1e-12)
    np.testing.assert_allclose(hue_rotation(360), np.eye(3), atol=1e-12)
    # worked out: each channel c becomes c + 1 − 2 luma, so that their differences stay
    filtered = hue_rotation(180) @ (1 - rgb(ORANGE))
    moved = 1 - 2 * rgb(ORANGE) @ [0.213, 0.715, 0.072]
    np.testing.assert_allclose(filtered, rgb(ORANGE) + moved, atol=1e-12)


@pytest.mark.parametrize("mode", PAGES)
def test_text_is_legible(mode: str) -> None:
    for page in (PAPER, PALE):  # it also stands on areas
        assert contrast(shown(INK, mode), shown(page, mode)) >= 7  # WCAG 2.2, 1.4.6: level AAA


@pytest.mark.parametrize("mode", PAGES)
@pytest.mark.parametrize("name", COLOURS)
def test_every_line_stands_out_from_the_page(name: str, mode: str) -> None:
    assert contrast(shown(COLOURS[name], mode), rgb(PAGES[mode])) >= 3  # WCAG 2.2, 1.4.11


@pytest.mark.parametrize("mode", PAGES)
def test_axes_and_edges_stand_out_from_page_and_area(mode: str) -> None:
    assert contrast(shown(GREY, mode), rgb(PAGES[mode])) >= 4.5
    assert contrast(shown(GREY, mode), shown(PALE, mode)) >= 3


@pytest.mark.parametrize("mode", PAGES)
@pytest.mark.parametrize("name", ["BLUE", "ORANGE"])
def test_the_first_two_colours_stand_out_from_an_area(name: str, mode: str) -> None:
    assert contrast(shown(COLOURS[name], mode), shown(PALE, mode)) >= 3


@pytest.mark.parametrize("mode", PAGES)
@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_lines_are_told_apart_by_every_eye(pair: tuple[str, str], vision: str, mode: str) -> None:
    # Measured: 16.9 or more (orange and green, dark, protanopia). Okabe and Ito's blue, vermilion,
    # bluish green and reddish purple come down to 9.0, Tableau's blue, orange, green and pink to
    # 1.3. A search found no four of these names above 18 that differ in lightness, too: 15 leaves
    # room for another shade, but for none of those palettes.
    one, other = (lab(shown(COLOURS[name], mode), vision) for name in pair)
    assert difference(one, other) >= 15


@pytest.mark.parametrize("mode", PAGES)
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_without_colour_lines_differ_in_lightness_and_dash(
    pair: tuple[str, str], mode: str
) -> None:
    """On paper in grey, lightness alone would leave doubts: the dashes settle them."""
    one, other = (lab(shown(COLOURS[name], mode))[0] for name in pair)
    assert abs(one - other) >= 4
    with plt.rc_context(STYLE):
        cycle = list(plt.rcParams["axes.prop_cycle"])
    dashes = {"#" + entry["color"].lstrip("#"): entry["linestyle"] for entry in cycle}
    assert dashes[COLOURS[pair[0]]] != dashes[COLOURS[pair[1]]]


@pytest.mark.parametrize("mode", PAGES)
@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("BLUE", 255, 295), ("ORANGE", 45, 70), ("GREEN", 140, 175), ("PINK", 320, 355)],
)
def test_a_colour_is_what_it_is_called(name: str, first: float, last: float, mode: str) -> None:
    """Captions say "the orange mark"."""
    assert first <= hue(shown(COLOURS[name], mode)) <= last
    _, a, b = lab(shown(COLOURS[name], mode))
    assert math.hypot(a, b) >= 30  # not a shade of grey


# What Chromium really shows.


@contextmanager
def chapter(
    site: Path, browser: Browser, name: str, scheme: Scheme, **options: Any
) -> Iterator[Page]:
    address = (site / "html" / "chapters" / f"{name}.html").as_uri()
    with visit(browser, address, scheme=scheme, **options) as found:
        yield found.page


def load(page: Page) -> None:
    """Load the figures that wait until the reader comes near."""
    page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
    page.wait_for_function("[...document.images].every(one => one.complete && one.naturalWidth)")
    page.evaluate("Promise.all([...document.images].map(one => one.decode()))")  # else it is blank


def pixels(page: Page, selector: str) -> NDArray[np.int64]:
    """A screenshot of an element, as an array of its pixels' levels from 0 to 255."""
    png = page.locator(selector).screenshot(scale="css")
    levels: NDArray[np.int64] = np.rint(255 * plt.imread(io.BytesIO(png))[..., :3]).astype(int)
    return levels


def close(found: NDArray[np.int64], colour: Array) -> Any:
    """Which pixels have this colour, give or take the rounding of the steps."""
    return (np.abs(found - 255 * colour) <= 2.5).all(axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_chromium_shows_the_computed_colours(
    site: Path, browser: Browser, scheme: Scheme, media: Any
) -> None:
    with chapter(site, browser, "cross-entropy-and-kl", scheme) as page:
        page.emulate_media(media=media, color_scheme=scheme)
        load(page)
        found = pixels(page, "#fig-gap img")
    mode = scheme if media == "screen" else "light"  # paper is white
    share = {
        name: close(found, shown(colour, mode)).mean()
        for name, colour in {"PAPER": PAPER, "PALE": PALE, "ORANGE": ORANGE, "BLUE": BLUE}.items()
    }
    assert share["PAPER"] > 0.4
    assert share["PALE"] > 0.1
    assert share["ORANGE"] > 0.01
    assert share["BLUE"] > 0.0005  # a dashed line


SHOWN = ".bd-content figure:not(.moves) img, .bd-content .live svg"
FIGURES = [one.name for one in chapters() if any("plotting.figure" in c.body for c in one.cells)]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_stands_in_a_box(site: Path, browser: Browser, name: str, scheme: Scheme) -> None:
    """Its background is the page's: nothing around it may keep it from being blended."""
    with chapter(site, browser, name, scheme) as page:
        paint = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paint == "rgb({}, {}, {})".format(*np.rint(255 * rgb(PAGES[scheme])).astype(int))
        load(page)  # a figure that is not there yet has the colour of the page
        count = page.locator(SHOWN).count()
        assert count > 1
        for place in range(count):
            found = pixels(page, f"{SHOWN} >> nth={place}")
            assert close(found[:3], rgb(PAGES[scheme])).all(), place


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_text_in_figures_is_eleven_pixels_on_a_phone_and_as_the_text_around_on_a_desk(
    site: Path, browser: Browser, name: str
) -> None:
    drawn = STYLE["font.size"] / 72 * STYLE["figure.dpi"]
    sizes = """(nodes, drawn) => nodes.map((node) => node.localName === "img"
      ? drawn * node.clientWidth / node.naturalWidth
      : 11 * node.clientWidth / node.viewBox.baseVal.width)"""
    for size, least, most in ((PHONE, 11, 13), ((1280, 900), 15, 18)):
        with chapter(site, browser, name, "light", size=size) as page:
            load(page)
            found = page.eval_on_selector_all(SHOWN, sizes, drawn)
        assert len(found) > 1
        assert all(least <= one <= most for one in found), (size, found)
