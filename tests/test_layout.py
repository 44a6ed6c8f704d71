"""What every page looks like to its readers: maths, narrow screens, the keyboard, and paper."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from markdown_it import MarkdownIt
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from nllgrade import master
from nllgrade.master import Course

from web.browser import DRAWN, PHONE, visit
from web.source import ROOT, pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

CHAPTERS = [str(page.path.relative_to(ROOT).with_suffix("")) for page in pages()]
PAGES = ["search", *CHAPTERS]
KINDS = ["search", "chapters/index", "chapters/log-likelihood", "chapters/cheat-sheet"]

# ---- Maths

# The text that KaTeX draws, and that of its MathML brought into the order in which it is drawn:
# what is stacked from the bottom to the top, tables by columns, limits behind their operator.
FORMULAS = r"""() => {
  const clean = (text) => text.normalize("NFKC").replace(/[\s\u2061-\u2064\u200b\u2060]/g, "")
    .replace(/\ue020=/g, "≠");
  const drawn = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    if (node.matches(".overline-line")) return "\u0305";
    if (node.matches(".delimsizing.mult") && !clean(node.textContent)) return "∣"; // two lines
    const parts = [...node.childNodes];
    if (node.matches(".op-limits > .vlist-t > .vlist-r > .vlist"))
      parts.sort((a, b) => !!b.querySelector(":scope > .mop, :scope > span > .mop")
        - !!a.querySelector(":scope > .mop, :scope > span > .mop"));
    return parts.map(drawn).join("");
  };
  const told = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.localName === "annotation") return "";
    const parts = [...node.children];
    if (node.localName === "mfrac") return told(parts[1]) + told(parts[0]);
    if (node.localName === "mtable") {
      const rows = parts.map((row) => [...row.children]);
      return rows[0].flatMap((_, i) => rows.map((row) => (row[i] ? told(row[i]) : ""))).join("");
    }
    return [...node.childNodes].map(told).join("");
  };
  return [...document.querySelectorAll(".katex")].map((formula) => {
    const [maths, twin] = formula.querySelectorAll("math, .katex-html");
    return {
      tex: formula.querySelector("annotation").textContent,
      drawn: clean(drawn(twin)),
      told: clean(told(maths)),
      read: clean(maths.querySelector("semantics").firstElementChild.textContent),
      silent: twin.getAttribute("aria-hidden") === "true" && !formula.closest("[aria-hidden]"),
    };
  });
}"""

# What a reader, or a screen reader, meets as words: no code, and no TeX that is only kept along.
WORDS = r"""() => {
  const words = [document.title];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode())
    if (!walk.currentNode.parentElement.closest("pre, code, script, style, annotation"))
      words.push(walk.currentNode.data);
  for (const element of document.querySelectorAll("[title], [alt], [aria-label], meta[content]"))
    for (const name of ["title", "alt", "aria-label", "content"])
      words.push(element.getAttribute(name) ?? "");
  return words;
}"""

UNFOLD = """() => {
  document.querySelectorAll("details").forEach((fold) => { fold.open = true; });
}"""

TEX = re.compile(r"\$[^$\s][^$]*\$|\\[a-zA-Z]{2,}|\\[()\[\]]|[\^_]\{")
WRAPPING = re.compile(
    r"\\(begin|end)\{(equation\*?|align\*?|split)\}|\\!\\begin\{aligned\}|\\end\{aligned\}|\s"
)


@dataclass
class Maths:
    """What a page says in formulas."""

    formulas: list[dict[str, Any]]
    spoken: list[str]  # in the accessibility tree, when all folds are open
    words: list[str]
    errors: int


def spoken(page: Page) -> list[str]:
    """The text of each formula in Chromium's accessibility tree, in the order of the page."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    by_id = {node["nodeId"]: node for node in nodes}

    def role(node: dict[str, Any]) -> str:
        return "" if node.get("ignored") else str(node.get("role", {}).get("value", ""))

    def text(node: dict[str, Any]) -> str:
        if role(node) == "StaticText":
            return str(node["name"]["value"])
        return "".join(text(by_id[child]) for child in node.get("childIds", []))

    def walk(node: dict[str, Any]) -> Iterator[str]:
        if role(node) == "MathMLMath":
            yield text(node)
        else:
            for child in node.get("childIds", []):
                yield from walk(by_id[child])

    return list(walk(nodes[0]))


@pytest.fixture(scope="module", params=PAGES)
def maths(request: pytest.FixtureRequest, site: Path, browser: Browser) -> tuple[str, Maths]:
    with visit(browser, (site / "html" / f"{request.param}.html").as_uri()) as found:
        page = found.page
        page.evaluate(UNFOLD)
        return request.param, Maths(
            page.evaluate(FORMULAS),
            spoken(page),
            page.evaluate(WORDS),
            page.locator(".katex-error, .katex [style*='cc0000']").count(),
        )


def plain(text: str) -> str:
    return re.sub(r"[\s\u2061-\u2064\u200b\u2060]", "", unicodedata.normalize("NFKC", text))


def test_every_formula_is_in_the_accessibility_tree_once(maths: tuple[str, Maths]) -> None:
    _, found = maths
    assert [plain(text) for text in found.spoken] == [f["read"] for f in found.formulas]
    assert all(f["read"] and f["silent"] for f in found.formulas)


def test_what_is_drawn_is_what_is_told(maths: tuple[str, Maths]) -> None:
    """They can differ only where some sign has no text, as a line: see `FORMULAS`."""
    _, found = maths
    differ = [(f["tex"], f["drawn"], f["told"]) for f in found.formulas if f["drawn"] != f["told"]]
    assert differ == []
    assert found.errors == 0


def test_no_tex_is_left_in_the_words(maths: tuple[str, Maths]) -> None:
    words = (one for one in maths[1].words if not one.startswith("Copy to clipboard: "))  # code
    assert [one for one in words if TEX.search(one)] == []


PARSER = (
    MarkdownIt("commonmark")
    .enable("table")
    .use(dollarmath_plugin, double_inline=True)
    .use(amsmath_plugin)
    .use(colon_fence_plugin)
    .use(deflist_plugin)
    .use(front_matter_plugin)
)
OPTIONS = re.compile(r"\A(---\n(.*\n)*?---\n|(:[\w-]+:.*\n)+)")


def strings(data: object) -> Iterator[str]:
    """All texts in what a YAML file says."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict | list):
        for value in data.values() if isinstance(data, dict) else data:
            yield from strings(value)


@cache
def written_in(name: str) -> Any:
    return yaml.safe_load((ROOT / "chapters" / name).read_text(encoding="utf-8"))


def formulas(text: str) -> Iterator[str]:
    """The formulas in the source of a page, with those of what it includes and of its quizzes."""
    for block in PARSER.parse(text):
        for token in (block, *(block.children or ())):
            if token.type.startswith("math_") or token.type == "amsmath":
                yield token.content
        if block.type not in ("fence", "colon_fence") or not block.info.startswith("{"):
            continue
        name, _, argument = block.info[1:].partition("}")
        argument = argument.strip()
        if name == "math":
            yield OPTIONS.sub("", block.content)
        elif name == "include":
            yield from formulas((ROOT / "chapters" / argument).read_text(encoding="utf-8"))
        elif name == "quiz":
            (belief,) = (b for b in written_in("wrong-beliefs.yml") if b["id"] == argument)
            for words in strings(belief["quiz"]):
                yield from formulas(words)
        elif name == "assignment":
            for part in master.read(argument, Course()).parts:
                if part.kind == "markdown":
                    yield from formulas(part.source)
        elif name == "code-cell":
            if block.content.startswith("---\n"):
                options = yaml.safe_load(block.content.split("---\n")[1])
                yield from formulas(options.get("mystnb", {}).get("figure", {}).get("caption", ""))
        else:
            yield from formulas(argument)
            yield from formulas(OPTIONS.sub("", block.content))


def test_every_formula_of_the_source_is_on_its_page_and_no_other(
    maths: tuple[str, Maths],
) -> None:
    """The source is read by markdown-it alone, without Sphinx."""
    name, found = maths
    shown = Counter(WRAPPING.sub("", f["tex"]) for f in found.formulas)
    source = ROOT / f"{name}.md"
    written = Counter(
        WRAPPING.sub("", tex)
        for tex in (formulas(source.read_text(encoding="utf-8")) if source.is_file() else ())
    )
    assert written - shown == Counter()
    if name == "chapters/other-libraries":  # its tables come from a file of their own
        data = written_in("other-libraries.yml")
        tables = {WRAPPING.sub("", tex) for text in strings(data) for tex in formulas(text)}
        numbers = re.compile(r"([\d.]+\\cdot)?10\^\{-?\d+\}")  # written so by web/libraries.py
        assert {tex for tex in shown - written if not numbers.fullmatch(tex)} <= tables
    else:
        assert shown - written == Counter()


def test_a_copied_formula_is_its_tex(site: Path, browser: Browser) -> None:
    with visit(browser, (site / "html" / "chapters" / "likelihood.html").as_uri()) as found:
        found.page.evaluate("""() => {
          addEventListener("copy", (event) => {
            window.copied = event.clipboardData.getData("text/plain");
          });
          getSelection().selectAllChildren(document.querySelector(".bd-article p .katex"));
        }""")
        tex = found.page.evaluate("document.querySelector('.bd-article p annotation').textContent")
        found.page.keyboard.press("Control+C")
        assert found.page.evaluate("window.copied") == f"${tex}$"


# ---- Narrow screens, wide boxes

# What a reader could not get at: a page that scrolls sideways, what sticks out of the screen with
# no box around it that scrolls, words that are cut off, boxes that scroll for a mouse alone.
TROUBLE = r"""(folded) => {
  const width = document.documentElement.clientWidth, trouble = [];
  const say = (what, e, by) =>
    trouble.push(`${what}: ${e.localName}#${e.id}.${e.getAttribute("class")} (${by}): ${
      e.textContent.trim().slice(0, 40)}`);
  if (document.documentElement.scrollWidth > width) trouble.push("the page scrolls sideways");
  const hides = (e, side) => /hidden|clip/.test(getComputedStyle(e)[side]);
  const scrolls = (e) => /auto|scroll/.test(getComputedStyle(e).overflowX)
    && e.scrollWidth > e.clientWidth;
  const within = (e, test) => {
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
      if (test(p)) return true;
    return false;
  };
  const left_out = ".visually-hidden, .katex-mathml, .katex-html *, svg *, dialog, [class*=skip], "
    + ".bd-sidebar-primary, .bd-sidebar-secondary, .headerlink";
  for (const e of document.body.querySelectorAll("*")) {
    if (e.closest(left_out) || !e.checkVisibility({ visibilityProperty: true })) continue;
    const box = e.getBoundingClientRect();
    if (box.width && (box.right > width + 1 || box.left < -1) && !within(e, scrolls))
      say("sticks out", e, Math.round(box.right - width));
    if (hides(e, "overflowX") && e.scrollWidth > e.clientWidth + 1)
      say("cut off at its side", e, e.scrollWidth - e.clientWidth);
    if (hides(e, "overflowY") && e.scrollHeight > e.clientHeight + 1)
      say("cut off below", e, e.scrollHeight - e.clientHeight);
    if (scrolls(e) && !(e.tabIndex === 0 && e.getAttribute("role") === "group"
        && e.getAttribute("aria-label"))) say("no way in by keyboard", e, e.tabIndex);
  }
  for (const e of document.querySelectorAll("article [aria-label$='scrolls sideways']"))
    // in a closed fold nothing can be reached, and its boxes are looked at when it opens
    if (e.checkVisibility() && !scrolls(e)) say("a stop that leads nowhere", e, e.tabIndex);
  return trouble;
}"""

# WCAG 1.4.12: a reader may space the text like this.
SPACING = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
  word-spacing: .16em !important; } p { margin-bottom: 2em !important; }"""


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_lost_whatever_the_width(site: Path, browser: Browser, name: str) -> None:
    """320 px is WCAG's narrowest, 390 a phone, 640 is 1280 px at 200 %."""
    address = (site / "html" / f"{name}.html").as_uri()
    with visit(browser, address, size=(320, 844)) as found:
        for width in (320, 390, 640, 1280):
            found.page.set_viewport_size({"width": width, "height": 844})
            found.page.wait_for_timeout(500)  # the theme looks at its boxes 300 ms later
            assert (width, found.page.evaluate(TROUBLE)) == (width, [])
        found.page.set_viewport_size({"width": 390, "height": 844})
        found.page.add_style_tag(content=SPACING)
        found.page.wait_for_timeout(500)
        assert ("spaced", found.page.evaluate(TROUBLE)) == ("spaced", [])


def test_without_scripts_wide_boxes_scroll_all_the_same(site: Path, browser: Browser) -> None:
    address = (site / "html" / "chapters" / "log-likelihood.html").as_uri()
    with visit(browser, address, size=(390, 844), java_script_enabled=False) as found:
        found.page.wait_for_timeout(300)
        trouble = found.page.evaluate(TROUBLE)
        scrolls = [line for line in trouble if line.startswith("no way in by keyboard")]
        assert scrolls, "nothing is wide here: take another page"
        assert trouble == scrolls


# ---- Long pages are drawn in pieces, the first screen first

LONG = "chapters/classification-losses.html"
LAST = "article > section > section:last-of-type p"
SHOWN = "(e) => e.checkVisibility({ contentVisibilityAuto: true })"
TOP = "(e) => e.getBoundingClientRect().top"


def test_a_long_page_is_first_drawn_where_the_reader_is(site: Path, browser: Browser) -> None:
    address = (site / "html" / LONG).as_uri()
    with visit(browser, address, size=PHONE, drawn=False) as found:
        drawn = "[document.querySelector('article h1'), document.querySelector(last)].map(shown)"
        first = f"""() => new Promise((done) => addEventListener("DOMContentLoaded", () => {{
          const last = "{LAST}", shown = {SHOWN};
          requestAnimationFrame(() => requestAnimationFrame(() => done({drawn})));
        }}))"""
        found.page.add_init_script(f"window.first = ({first})();")
        found.page.goto(address + "?")
        assert found.page.evaluate("window.first") == [True, False]
        found.page.wait_for_function(DRAWN)
        assert found.page.locator(LAST).last.evaluate(SHOWN)
        assert found.page.locator("article [aria-label='Formula, scrolls sideways']").count() > 3
        whole = found.page.evaluate("document.documentElement.scrollHeight")
        found.page.goto(address + "?", wait_until="load")
        found.page.mouse.wheel(0, 10)
        found.page.wait_for_timeout(200)  # who reads on at once gets the rest at once
        assert found.page.locator(LAST).last.evaluate(SHOWN)
        found.page.reload()  # the browser returns to where the reader was: the page must be as long
        assert found.page.locator(LAST).last.evaluate(SHOWN)
        assert found.page.evaluate("document.documentElement.scrollHeight") == whole


@pytest.mark.parametrize(
    "jump", ["(e) => e.scrollIntoView()", "(e) => { e.tabIndex = 0; e.focus(); }"]
)
def test_a_jump_while_a_long_page_is_drawn_arrives(site: Path, browser: Browser, jump: str) -> None:
    """Which gets all of it drawn: what was out of sight above becomes several times as high."""
    with visit(browser, (site / "html" / LONG).as_uri(), size=PHONE, drawn=False) as found:
        assert not found.page.evaluate(DRAWN), "drawn before anyone could jump"
        target = found.page.locator("#exercises > p").first
        target.evaluate(jump)
        found.page.wait_for_timeout(500)
        assert found.page.evaluate(DRAWN)
        assert 0 <= target.evaluate(TOP) < PHONE[1]


def test_a_link_leads_into_a_long_page(site: Path, browser: Browser) -> None:
    address = (site / "html" / LONG).as_uri()
    with visit(browser, f"{address}#exercises", size=PHONE, drawn=False) as found:
        assert found.page.locator(LAST).last.evaluate(SHOWN)
        found.page.wait_for_timeout(500)
        assert 0 <= found.page.locator("#exercises").evaluate(TOP) < PHONE[1] / 4


def test_the_contents_show_where_the_reader_is(site: Path, browser: Browser) -> None:
    with visit(browser, (site / "html" / LONG).as_uri(), reduced_motion="reduce") as found:
        links = found.page.locator(".bd-sidebar-secondary .page-toc a")
        assert links.count() > 5
        for place in (2, links.count() - 2):
            target = links.nth(place).get_attribute("href")
            assert target is not None
            found.page.evaluate("(id) => document.getElementById(id).scrollIntoView()", target[1:])
            found.page.wait_for_timeout(300)
            active = found.page.locator(".bd-sidebar-secondary .page-toc a.active")
            assert active.last.get_attribute("href") == target


# ---- Keyboard, motion, colours

FOCUS = r"""() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e), box = e.getClientRects()[0];
  const [x, y] = [box.left + Math.min(box.width / 2, 20), box.top + Math.min(box.height / 2, 8)];
  const top = document.elementFromPoint(x, y);
  return {
    what: `${e.localName}#${e.id}.${e.getAttribute("class")} ${e.textContent.trim().slice(0, 30)}`,
    marked: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)
      || style.boxShadow !== "none",
    seen: !!top && (e.contains(top) || top.contains(e)),
  };
}"""


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_focus_is_seen_wherever_the_keyboard_leads(
    site: Path, browser: Browser, name: str, key: str
) -> None:
    """Up, too: there the bar at the top could lie over it."""
    address = (site / "html" / f"{name}.html").as_uri()
    with visit(browser, address, reduced_motion="reduce") as found:
        found.page.wait_for_timeout(300)
        stops = []
        for _ in range(120):
            found.page.keyboard.press(key)
            if stop := found.page.evaluate(FOCUS):  # else it has left the page, to enter it again
                stops.append(stop)
        assert len(stops) > 5
        assert [stop for stop in stops if not (stop["marked"] and stop["seen"])] == []


def test_who_wants_less_motion_gets_none(site: Path, browser: Browser) -> None:
    address = (site / "html" / "chapters" / "log-likelihood.html").as_uri()
    moving = r"""() => [...document.querySelectorAll("*")].filter((e) => {
      const style = getComputedStyle(e);
      const times = `${style.transitionDuration},${style.animationDuration}`;
      return style.scrollBehavior === "smooth" || times.split(",").some((t) => parseFloat(t) > 0);
    }).map((e) => `${e.localName}.${e.getAttribute("class")}`)"""
    with visit(browser, address, reduced_motion="reduce") as found:
        assert found.page.evaluate(moving) == []
        assert found.page.evaluate("document.getAnimations().length") == 0
    with visit(browser, address) as found:
        assert found.page.evaluate(moving) != []  # else the test sees nothing


def test_with_forced_colours_no_plate_covers_a_letter(site: Path, browser: Browser) -> None:
    """Chromium lays one behind each text, unless told not to: that of a hat covers its letter."""
    address = (site / "html" / "chapters" / "log-likelihood.html").as_uri()
    with visit(browser, address, scheme="dark", forced_colors="active") as found:
        plates = r"""() => [...document.querySelectorAll(".katex-html, .katex-html *")]
          .filter((e) => getComputedStyle(e).forcedColorAdjust !== "none").length"""
        assert found.page.evaluate(plates) == 0
        colours = r"""() => [...document.querySelectorAll(".bd-article :is(p, a) .katex")].filter(
          (e) => getComputedStyle(e).color !== getComputedStyle(e.closest("p, a")).color).length"""
        assert found.page.evaluate(colours) == 0


# ---- Paper

PAPER = r"""() => {
  const trouble = [], wide = document.documentElement.clientWidth;
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  for (const e of document.querySelectorAll("nav, header, footer, button, input, .bd-sidebar"))
    if (shown(e) && e.getBoundingClientRect().height) trouble.push(`navigation: ${e.className}`);
  for (const e of document.querySelectorAll("html, body, .bd-content, .bd-article"))
    if (!/255, 255, 255|, 0\)/.test(getComputedStyle(e).backgroundColor))
      trouble.push(`dark: ${e.className}`);
  for (const e of document.querySelectorAll("article img"))
    if (getComputedStyle(e).filter !== "none") trouble.push(`filter: ${e.alt}`);
  for (const e of document.querySelectorAll("article :is(p, li, h1, h2, h3, td, pre, pre span)")) {
    const light = getComputedStyle(e).color.match(/\d+/g).slice(0, 3).map(Number);
    if (shown(e) && Math.min(...light) > 140) trouble.push(`pale: ${e.textContent.slice(0, 40)}`);
  }
  for (const e of document.querySelectorAll("article :is(pre, .katex-display, p, img, table)"))
    if (shown(e) && e.getBoundingClientRect().right > wide + 1)
      trouble.push(`cut off: ${e.localName} ${e.textContent.slice(0, 40)}`);
  return trouble;
}"""


@pytest.mark.parametrize("name", [name for name in CHAPTERS if not name.endswith("cheat-sheet")])
def test_in_print_a_page_is_its_text_alone_dark_on_white(
    site: Path, browser: Browser, name: str
) -> None:
    """From dark mode, on A4 with margins of 1 cm: 718 px. The cheat sheet has its own style."""
    address = (site / "html" / f"{name}.html").as_uri()
    with visit(browser, address, scheme="dark", size=(718, 1000)) as found:
        found.page.emulate_media(media="print", color_scheme="dark")
        found.page.wait_for_timeout(300)
        assert found.page.evaluate(PAPER) == []
        assert found.page.locator("article h1").first.is_visible()
