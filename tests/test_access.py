"""What stands in the way of who reads by ear, by keyboard or with weak eyes: nothing may.

axe-core looks at all pages as they are when everything is unfolded; the rest is what it cannot see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bs4 import BeautifulSoup

from tests.test_reading import PAGES
from web.access import with_headings
from web.browser import DESKTOP, PHONE, Scheme, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

# The size of what one clicks on is of WCAG 2.2 AA; axe looks at it only when told to.
RULES: dict[str, Any] = {"rules": {"target-size": {"enabled": True}}}
COLOURS: dict[str, Any] = {"runOnly": ["color-contrast"]}

UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
# axe leaves out what is hidden from screen readers, as the drawn formulas are, but counts them.
NO_DRAWN_FORMULAS = "document.querySelectorAll('.katex-html').forEach((one) => one.remove())"


def violations(page: Page, axe: str, options: dict[str, Any], part: str = "") -> list[str]:
    """One line an element: the rule, what it asks, the element. Of one part of the page, or all."""
    page.evaluate(axe)
    where = json.dumps(part) if part else "document"
    asked = json.dumps({**options, "resultTypes": ["violations"]})
    found = page.evaluate(f"axe.run({where}, {asked})")
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@contextmanager
def opened(
    site: Path,
    browser: Browser,
    name: str,
    scheme: Scheme = "light",
    size: tuple[int, int] = DESKTOP,
    query: str = "",
) -> Iterator[Page]:
    """A page of the site, opened from disk, without movements that axe might meet half-way."""
    url = (site / "html" / f"{name}.html").as_uri() + query
    with visit(browser, url, scheme=scheme, size=size, reduced_motion="reduce") as found:
        yield found.page


@pytest.mark.parametrize("name", PAGES[1:])
def test_axe_finds_nothing_on_a_page_with_everything_unfolded(
    site: Path, browser: Browser, axe: str, name: str
) -> None:
    with opened(site, browser, name) as page:
        page.evaluate(UNFOLD)
        page.evaluate(NO_DRAWN_FORMULAS)
        page.wait_for_timeout(400)
        assert violations(page, axe, RULES) == []


@pytest.mark.parametrize("name", PAGES[1:])
def test_axe_finds_no_pale_colour_in_the_dark(
    site: Path, browser: Browser, axe: str, name: str
) -> None:
    with opened(site, browser, name, "dark") as page:
        page.evaluate(UNFOLD)
        page.evaluate(NO_DRAWN_FORMULAS)
        assert violations(page, axe, COLOURS) == []


# A page of each kind; the smaller ones of a kind, since axe takes its time.
@pytest.mark.parametrize(
    "name",
    [
        *("chapters/likelihood", "chapters/notation", "chapters/api", "chapters/cheat-sheet"),
        *("chapters/other-libraries", "chapters/bibliography"),
    ],
)
def test_axe_finds_nothing_on_a_phone(site: Path, browser: Browser, axe: str, name: str) -> None:
    with opened(site, browser, name, size=PHONE) as page:
        page.evaluate(UNFOLD)
        page.evaluate(NO_DRAWN_FORMULAS)
        page.wait_for_timeout(400)
        assert violations(page, axe, RULES) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_results_of_a_search(
    site: Path, browser: Browser, axe: str, scheme: Scheme, size: tuple[int, int]
) -> None:
    with opened(site, browser, "search", scheme, size, "?q=loss") as page:
        assert page.locator(".search-more").is_visible()
        assert violations(page, axe, RULES) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens_over_a_page(
    site: Path, browser: Browser, axe: str, scheme: Scheme
) -> None:
    with opened(site, browser, "chapters/changelog", scheme, PHONE) as page:
        for button, dialog in (
            (".primary-toggle", "#pst-primary-sidebar-modal"),
            (".secondary-toggle", "#pst-secondary-sidebar-modal"),
            (".search-button", "#pst-search-dialog"),
        ):
            page.click(button)
            assert page.locator(dialog).is_visible()
            assert violations(page, axe, RULES) == []
            page.keyboard.press("Escape")
    with opened(site, browser, "chapters/log-likelihood", scheme) as page:
        page.keyboard.press("Tab")
        term = page.locator("a.term").first
        term.focus()
        shown = f"#{term.get_attribute('aria-describedby')}"
        assert page.locator(shown).is_visible()
        page.evaluate(NO_DRAWN_FORMULAS)
        assert violations(page, axe, COLOURS, shown) == []


def tree(page: Page) -> list[tuple[str, str]]:
    """What a screen reader is told: role and name of each thing on the page."""
    session = page.context.new_cdp_session(page)
    return [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in session.send("Accessibility.getFullAXTree")["nodes"]
        if not node["ignored"]
    ]


def focused(page: Page, attribute: str = "className") -> str:
    return str(page.evaluate(f"document.activeElement.{attribute}"))


def news(page: Page) -> str:
    """What was last said aloud, apart from what one moves to."""
    page.wait_for_timeout(400)
    return page.locator("body > p[role=status]").inner_text()


def test_a_page_names_its_language_its_landmarks_and_its_headings(
    site: Path, browser: Browser
) -> None:
    with opened(site, browser, "chapters/changelog") as page:
        assert page.evaluate("document.documentElement.lang") == "en"
        found = tree(page)
        assert [role for role, _ in found].count("banner") == 1
        assert [role for role, _ in found].count("main") == 1
        navigations = [name for role, name in found if role == "navigation"]
        assert {"Chapters", "Contents"} <= set(navigations)
        assert len(set(navigations)) == len(navigations), "two have one name"
        assert page.locator("h1:visible").count() == 1


def test_the_first_tab_leads_past_the_menus(site: Path, browser: Browser) -> None:
    with opened(site, browser, "chapters/changelog") as page:
        page.keyboard.press("Tab")
        assert focused(page, "innerText") == "Skip to main content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('main') !== null")


def test_the_buttons_above_the_text_say_what_they_are_and_how_things_stand(
    site: Path, browser: Browser
) -> None:
    with opened(site, browser, "chapters/changelog") as page:
        assert ("button", "Colours: as on this device") in tree(page)
        page.focus(".theme-switch-button")
        page.keyboard.press("Enter")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert "theme-switch-button" in focused(page), "the theme takes the focus away"
        assert ("button", "Colours: dark") in tree(page)
        assert news(page) == "Colours: dark"

        chapters = page.locator(".primary-toggle")
        assert ("button", "Chapters") in tree(page)
        assert chapters.get_attribute("aria-expanded") == "true"
        chapters.focus()
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        assert chapters.get_attribute("aria-expanded") == "false"
        page.keyboard.press("Shift+Tab")
        assert focused(page, "innerText") == "Skip to main content", "a hidden link has the focus"


@pytest.mark.parametrize(
    ("button", "name"), [("primary", "Chapters"), ("secondary", "On this page")]
)
def test_a_drawer_takes_the_focus_and_gives_it_back(
    site: Path, browser: Browser, button: str, name: str
) -> None:
    with opened(site, browser, "chapters/changelog", size=PHONE) as page:
        for leave in ("Escape", "Enter"):  # by keyboard, or with the button that has the focus
            page.locator(f".{button}-toggle").click()
            assert ("dialog", name) in tree(page)
            assert focused(page, "innerText") == "Close"
            page.keyboard.press(leave)
            assert not page.locator(f"#pst-{button}-sidebar-modal").is_visible()
            assert f"{button}-toggle" in focused(page)


def test_a_link_in_the_drawer_leads_out_of_it(site: Path, browser: Browser) -> None:
    with opened(site, browser, "chapters/changelog", size=PHONE) as page:
        page.locator(".secondary-toggle").click()
        page.locator("#pst-secondary-sidebar-modal a[href='#errata']").click()
        assert not page.locator("#pst-secondary-sidebar-modal").is_visible()
        assert page.url.endswith("#errata")
        assert "toggle" not in focused(page), "the next Tab would start above the place"


def test_the_search_dialog_opens_by_keyboard_and_gives_the_focus_back(
    site: Path, browser: Browser
) -> None:
    with opened(site, browser, "chapters/changelog") as page:
        page.focus(".search-button-field")
        page.keyboard.press("Control+k")
        assert ("dialog", "Search") in tree(page)
        assert focused(page, "name") == "q"
        page.keyboard.press("Escape")
        assert "search-button-field" in focused(page)


def test_code_and_solutions_open_by_keyboard_and_copying_is_said(
    site: Path, browser: Browser
) -> None:
    with opened(site, browser, "chapters/likelihood") as page:
        found = tree(page)
        assert ("DisclosureTriangle", "Show the code") in found
        assert ("DisclosureTriangle", "Solution to Exercise 1.1 (Trace it: by hand)") in found
        solution = page.locator("details.solution").first
        assert not solution.locator("section").is_visible()
        solution.locator("summary").first.focus()
        page.keyboard.press("Enter")
        assert solution.locator("section").is_visible()

        assert page.locator(".output .copybtn").count() == 0, "nobody runs an output"
        copy = page.locator(".copybtn").first
        code = page.locator("div.cell_input pre").first.inner_text().splitlines()[0]
        assert ("button", f"Copy to clipboard: {code}") in found
        copy.focus()
        page.keyboard.press("Shift+Tab")  # so that the focus is one that shows
        page.keyboard.press("Tab")
        page.wait_for_timeout(500)
        assert copy.evaluate("button => getComputedStyle(button).opacity") == "1"
        page.keyboard.press("Enter")
        assert news(page) == "Copied!"


def test_what_a_button_says_goes_with_the_pointer(site: Path, browser: Browser) -> None:
    with opened(site, browser, "chapters/notation") as page:
        button = page.locator(".theme-switch-button:visible").first
        button.hover()
        page.locator(".tooltip").wait_for(timeout=5_000)
        button.click()
        page.mouse.move(600, 500)
        page.locator(".tooltip").wait_for(state="detached", timeout=5_000)
        assert button.evaluate("(button) => button === document.activeElement")


def test_the_title_of_a_numbered_box_is_a_heading() -> None:
    box = '<div class="{} admonition" id="x">\n<p class="admonition-title">{}</p></div>'
    page = "<h1>One</h1>{}<h2>Two</h2>{}{}".format(
        box.format("proof definition", "A"), box.format("exercise", "B"), box.format("note", "C")
    )
    once = with_headings(page)
    titles = BeautifulSoup(once, "html.parser").select("p")
    assert [title.get("role") for title in titles] == ["heading", "heading", None]
    assert [title.get("aria-level") for title in titles] == ["2", "3", None]
    assert with_headings(once) == once


def test_statements_and_exercises_are_among_the_headings(site: Path, browser: Browser) -> None:
    with opened(site, browser, "chapters/likelihood") as page:
        headings = [name for role, name in tree(page) if role == "heading"]
        assert "Definition 1.1 (Likelihood)" in headings
        assert "Exercise 1.1 (Trace it: by hand)" in headings


def test_solutions_are_folded_without_a_script_and_unfold_on_paper(
    site: Path, browser: Browser
) -> None:
    url = (site / "html" / "chapters" / "likelihood.html").as_uri()
    with visit(browser, url, java_script_enabled=False) as found:
        inside = found.page.locator("details.solution section").first
        assert inside.bounding_box() is None or not inside.is_visible()
        found.page.emulate_media(media="print")
        assert inside.is_visible()


@pytest.mark.parametrize("name", ["notation", "exam-templates", "api", "claims", "cheat-sheet"])
def test_every_row_of_a_table_has_a_head(site: Path, browser: Browser, name: str) -> None:
    with opened(site, browser, f"chapters/{name}") as page:
        assert page.locator("table.table > tbody > tr").count() > 0
        headless = """() => {
            const words = (cell) => {
                const copy = cell.cloneNode(true);
                copy.querySelectorAll(".katex").forEach((formula) => formula.remove());
                return copy.textContent.trim();
            };
            return [...document.querySelectorAll("table.table > tbody > tr")].filter((row) =>
                row.cells.length === row.closest("table").tHead.rows[0].cells.length
                && (row.cells[0].tagName === "TH") !== (words(row.cells[0]) !== "")
            ).map((row) => row.innerText);
        }"""
        assert page.evaluate(headless) == []
        assert page.locator("tbody th:not([scope=row])").count() == 0
        assert page.locator("thead th:not([scope=col])").count() == 0


def test_no_two_links_to_patterns_or_quizzes_read_the_same(site: Path, browser: Browser) -> None:
    for name, links in (
        ("exam-templates", "table a[href^='#sec-template']"),
        ("wrong-beliefs", "a[href*='#quiz-']"),
    ):
        with opened(site, browser, f"chapters/{name}") as page:
            texts = page.locator(links).all_text_contents()
            assert len(texts) > 15
            assert len(set(texts)) == len(texts)
            assert min(map(len, texts)) > 5


def test_a_search_is_told_calmly_and_has_its_own_title_and_address(
    site: Path, browser: Browser
) -> None:
    with opened(site, browser, "search", query="?q=loss") as page:
        assert page.title().startswith("loss — Search")
        assert focused(page) == "search-status"
        assert ("list", "Results") in tree(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('.search-results') !== null")
        told = "window.told = []; new MutationObserver(() => told.push(status.textContent))"
        page.evaluate(
            "() => { const status = document.querySelector('.search-status');"
            f"{told}.observe(status, {{ childList: true }}); }}"
        )
        field = page.locator(".bd-search-container input")
        field.fill("")
        field.press_sequentially("entropy", delay=250)
        page.wait_for_timeout(1700)
        said = [words for words in page.evaluate("told") if words]
        assert said == ["The best 10 results."], "not once for each letter"
        assert page.url.endswith("?q=entropy")
        field.fill("")
        page.wait_for_timeout(500)
        assert page.url.endswith("search.html")
        assert page.title().startswith("Search")
