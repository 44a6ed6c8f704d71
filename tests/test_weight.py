"""How much a page is: its bytes and requests, that nothing on it moves; and what was cut out."""

from __future__ import annotations

import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from tests.test_reading import PAGES
from web import fonts
from web.assets import STYLE, finished, icons, known_classes, smaller_figures, steady
from web.browser import DESKTOP, PHONE, served, visit
from web.prune import needed, prune
from web.weight import MOST_BYTES, MOST_REQUESTS, MOST_SHIFT, weigh

if TYPE_CHECKING:
    from playwright.sync_api import Browser


# The first page sends its reader on at once, and what is not found has a page without the bundle.
WHOLE = [name for name in PAGES if name not in ("index", "404")]


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("name", WHOLE)
def test_a_page_is_light_and_stands_still(
    browser: Browser, address: str, name: str, size: tuple[int, int]
) -> None:
    found = weigh(browser, f"{address}{name}.html", size)
    assert 50_000 < found.bytes <= MOST_BYTES, found.largest
    assert 3 <= found.requests <= MOST_REQUESTS, found.largest
    assert found.shift < MOST_SHIFT, found.shifted


@pytest.mark.slow
def test_a_page_that_moves_is_seen_to_move(browser: Browser, tmp_path: Path) -> None:
    """A box of 300 px comes late, above the text."""
    late = (
        "document.body.prepend(document.createElement('hr')); document.body.style.marginTop='300px'"
    )
    (tmp_path / "late.html").write_text(
        "<!doctype html><title>Late</title><link rel=icon href=data:,><p>Text.<p>More text."
        f"<script>requestAnimationFrame(() => requestAnimationFrame(() => {{ {late} }}))</script>"
    )
    with served(tmp_path) as start:
        found = weigh(browser, f"{start}late.html")
    assert found.shift > MOST_SHIFT
    assert found.requests == 1
    assert 0 < found.bytes < 2_000


# What the browser draws with a font: every letter of the formulas, and every icon.
LETTERS = """() => {
  const found = {};
  const add = (font, text) => { found[font] = (found[font] ?? "") + text; };
  const key = (style) => [style.fontFamily.split(",")[0].replaceAll('"', ""), style.fontWeight,
    style.fontStyle].join("|");
  for (const formula of document.querySelectorAll(".katex-html")) {
    const walker = document.createTreeWalker(formula, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      add(key(getComputedStyle(walker.currentNode.parentElement)), walker.currentNode.data);
    }
  }
  for (const element of document.querySelectorAll("body, body *")) {
    for (const pseudo of ["::before", "::after"]) {
      const style = getComputedStyle(element, pseudo);
      const text = style.content;
      if (/^"[^]*[\\ue000-\\uf8ff]/.test(text)) add(key(style), text.slice(1, -1));
    }
  }
  return found;
}"""
NOT_DRAWN = set("\u200b\u00a0 ")


@pytest.fixture(scope="module")
def glyphs(site: Path) -> dict[str, set[str]]:
    """The characters of each font in the style sheet, by family, weight and style."""
    css = (site / "html" / "_static" / STYLE).read_text(encoding="utf-8")
    found = {}
    for face in re.findall(r"@font-face\{([^}]*)\}", css):
        said = dict(re.findall(r"(font-family|font-weight|font-style):([^;}]*)", face))
        family = said["font-family"].replace("\\", "").strip("\"' ")
        content = b64decode(face.partition("base64,")[2].partition(")")[0])
        key = "|".join((family, said.get("font-weight", "400"), said.get("font-style", "normal")))
        found[key] = set(map(chr, TTFont(BytesIO(content)).getBestCmap()))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_the_fonts_have_every_letter_and_every_icon(
    site: Path, browser: Browser, glyphs: dict[str, set[str]], name: str
) -> None:
    with visit(browser, (site / "html" / f"{name}.html").as_uri()) as found:
        drawn = found.page.evaluate(LETTERS)
    assert any("Font Awesome" in font for font in drawn)
    missing = {
        font: sorted(set(text) - glyphs.get(font, set()) - NOT_DRAWN)
        for font, text in drawn.items()
        if font.startswith(("KaTeX", "Font Awesome"))
    }
    assert not any(missing.values()), missing


@pytest.mark.slow
def test_every_icon_on_a_page_has_its_rule(site: Path) -> None:
    css = (site / "html" / "_static" / STYLE).read_text(encoding="utf-8")
    ruled = set(re.findall(r"\.(fa-[\w-]+):before\{[^}]*content:", css))
    sizes = {"fa-solid", "fa-regular", "fa-lg"}  # not icons
    for name in PAGES:
        html = (site / "html" / f"{name}.html").read_text(encoding="utf-8")
        used = {one for one in known_classes(html) if one.startswith("fa-")} - sizes
        assert used <= ruled, name


@pytest.mark.slow
def test_nothing_lies_about_that_no_page_uses(site: Path) -> None:
    html = site / "html"
    texts = [*html.rglob("*.html"), *html.rglob("*.css"), *html.rglob("*.js")]
    said = "".join(path.read_text(encoding="utf-8") for path in texts)
    kinds = {
        ".css",
        ".js",
        ".map",
        ".woff",
        ".woff2",
        ".ttf",
        ".png",
        ".svg",
        ".webp",
        ".po",
        ".mo",
    }
    files = [path for path in html.rglob("*") if path.suffix in kinds]
    assert [path.name for path in files if path.name not in said] == []
    addresses = re.findall(r"url\([\"']?(?!data:|#)([^\"')]+)", said)
    assert addresses == []  # each would be a request more


def test_a_rule_stays_if_all_its_classes_are_known() -> None:
    known = {"a", "b"}
    assert needed(".a .b:hover > p", known)
    assert needed(".a:not(.c)", known)
    assert needed('.a[title=".c"]', known)
    assert not needed(".a .c", known)
    assert not needed(".a.c", known)


def test_pruning_keeps_order_groups_and_strings() -> None:
    css = """
    /* gone */ /*! stays */ @charset "utf-8";
    .a, .c > p, p:is(.a, .c) { content: "}/*"; color: red }
    @media print { .c { color: red } .b { color: blue } }
    @media (width > 9em) { .c { color: red } }
    @font-face { font-family: X; src: url(x.woff2) }
    .c { color: red }
    @keyframes turn { from { top: 0 } to { top: 1px } }
    """
    assert prune(css, {"a", "b"}, lambda body: "").split("\n") == [
        "/*! stays */",
        '@charset "utf-8";',
        '.a,p:is(.a, .c){content: "}/*"; color: red}',
        "@media print{.b{color: blue}",
        "}",
        "@keyframes turn{from { top: 0 } to { top: 1px }}",
        "",
    ]


def test_the_letters_of_a_formula_by_font() -> None:
    html = (
        '<p class="x">not this <span class="katex-html"><span class="mord mathnormal">x</span>'
        '<span class="mrel">&lt;</span><span class="mord mathbb">R</span></span></p><code>no</code>'
    )
    assert fonts.letters(html) == {
        "KaTeX_Math-Italic": {"x"},
        "KaTeX_Main-Regular": {"<"},
        "KaTeX_AMS-Regular": {"R"},
    }
    assert fonts.of("delimsizing size3") == "KaTeX_Size3-Regular"
    assert icons('.a{content:"\\f185"} .b{content:"\uf186"}') == {"\uf185", "\uf186"}


def test_a_figure_becomes_smaller_and_stays_as_it_was_drawn(tmp_path: Path) -> None:
    clear = Image.linear_gradient("L").convert("RGBA")
    clear.putpixel((3, 4), (10, 20, 30, 128))
    clear.save(tmp_path / "clear.png")
    clear.convert("RGB").save(tmp_path / "opaque.png")
    sizes = smaller_figures(tmp_path)
    assert sizes == {"clear.webp": (256, 256), "opaque.webp": (256, 256)}
    for name, mode in (("clear", "RGBA"), ("opaque", "RGB")):
        with (
            Image.open(tmp_path / f"{name}.png") as old,
            Image.open(tmp_path / f"{name}.webp") as new,
        ):
            assert new.mode == mode
            assert old.convert(mode).tobytes() == new.tobytes()
    page = (
        '<img alt="A" src="../_images/clear.png" /><img src="../_images/opaque.png"/>'
        '<img src="x.png">'
    )
    once = finished(page, sizes)
    assert once == (
        '<img width="256" height="256" decoding="async" alt="A" src="../_images/clear.webp" />'
        '<img width="256" height="256" loading="lazy" decoding="async" '
        'src="../_images/opaque.webp"/>'
        '<img src="x.png">'
    )
    assert finished(once, sizes) == once  # a page that was not written anew stays


def test_a_page_that_begins_with_a_table_waits_for_it() -> None:
    page = "<head></head><article><table><tr></tr></table><p></p></article>"
    once = steady(page)
    assert '<link rel="expect" href="#first-table" blocking="render" />' in once
    assert '</table><span id="first-table"></span><p>' in once
    assert steady(once) == once
    assert (
        steady("<head></head><article><p></p></article>")
        == "<head></head><article><p></p></article>"
    )
