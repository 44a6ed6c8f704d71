"""Cuts the fonts for maths and icons down to the glyphs that the site shows, and puts them in CSS.

In the style sheet, a font is there when the first line is drawn: nothing moves when it comes.
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections import defaultdict
from html import unescape
from io import BytesIO
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

# The font that KaTeX's style sheet gives to a class; all else in a formula is in Main-Regular.
# Tests ask the browser for the font of every letter, so that none is missed here.
MAIN = "KaTeX_Main-Regular"
OF_CLASS = {
    "mathnormal": "KaTeX_Math-Italic",
    "boldsymbol": "KaTeX_Math-BoldItalic",
    **dict.fromkeys(("mathbf", "textbf"), "KaTeX_Main-Bold"),
    **dict.fromkeys(("mathit", "textit"), "KaTeX_Main-Italic"),
    **dict.fromkeys(("amsrm", "mathbb", "textbb"), "KaTeX_AMS-Regular"),
    "mathcal": "KaTeX_Caligraphic-Regular",
    **dict.fromkeys(("mathfrak", "textfrak"), "KaTeX_Fraktur-Regular"),
    **dict.fromkeys(("mathboldfrak", "textboldfrak"), "KaTeX_Fraktur-Bold"),
    **dict.fromkeys(("mathscr", "textscr"), "KaTeX_Script-Regular"),
    **dict.fromkeys(("mathsf", "textsf"), "KaTeX_SansSerif-Regular"),
    **dict.fromkeys(("mathboldsf", "textboldsf"), "KaTeX_SansSerif-Bold"),
    **dict.fromkeys(("mathsfit", "mathitsf", "textitsf"), "KaTeX_SansSerif-Italic"),
    **dict.fromkeys(("mathtt", "texttt"), "KaTeX_Typewriter-Regular"),
    "small-op": "KaTeX_Size1-Regular",
    "large-op": "KaTeX_Size2-Regular",
}
_DELIMITER = re.compile(r"\b(?:delimsizing size|delimsizinginner delim-size)([1-4])\b")
_LETTERS = re.compile(r'<span class="([^"]*)"[^>]*>(?:<span>)?([^<]+)')
_OUTSIDE = re.compile(r"<(?!/?(?:span|svg|path|line)\b)")  # no tag that a formula has

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it remarks on the dates of the fonts


def of(classes: str) -> str:
    """The font of a piece of a formula with these classes."""
    if delimiter := _DELIMITER.search(classes):
        return f"KaTeX_Size{delimiter[1]}-Regular"
    return next((OF_CLASS[one] for one in classes.split() if one in OF_CLASS), MAIN)


def letters(html: str) -> dict[str, set[str]]:
    """The letters that a page shows in each of KaTeX's fonts."""
    found: dict[str, set[str]] = defaultdict(set)
    shown = html.split('<span class="katex-html"')
    for formula in shown[1:]:
        for classes, text in _LETTERS.findall(_OUTSIDE.split(formula, maxsplit=1)[0]):
            found[of(classes)].update(unescape(text))
    return found


def cut(font: Path, wanted: set[str]) -> bytes:
    """The font with these characters alone, as WOFF; nothing if it has none of them."""
    with TTFont(font) as whole:
        if not wanted & set(map(chr, whole.getBestCmap())):
            return b""
        options = subset.Options()
        options.hinting = False
        options.layout_features = ["*"]
        cutter = subset.Subsetter(options)
        cutter.populate(text="".join(wanted))
        cutter.subset(whole)
        whole.flavor = "woff"
        whole["head"].modified = 0  # the same bytes from the same letters
        whole.recalcTimestamp = False
        content = BytesIO()
        whole.save(content)
        return content.getvalue()


def as_url(content: bytes) -> str:
    return f"data:font/woff;base64,{b64encode(content).decode()}"
