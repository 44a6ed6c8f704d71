"""The landing page, the page for what is not found, and the quizzes that a browser remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.test_access import RULES, violations
from web import beliefs
from web.browser import DRAWN, PHONE, visit
from web.source import ROOT, chapters

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

LANDING = "chapters/index.html"
KNOWN = beliefs.load()


def quizzes(chapter: str) -> list[str]:
    return [one.id for one in KNOWN.values() if one.quiz and one.chapter == chapter]


def test_the_script_of_the_quizzes_is_small() -> None:
    assert len((ROOT / "web" / "static" / "quiz.js").read_bytes()) <= 3072


def test_every_chapter_with_quizzes_is_on_the_map() -> None:
    text = (ROOT / "chapters" / "index.md").read_text(encoding="utf-8")
    for chapter in chapters():
        assert (f"{{quiz-count}}`{chapter.name}`" in text) == bool(quizzes(chapter.name))


@pytest.mark.slow
def test_within_one_screen_are_what_it_is_the_map_and_the_doors(
    site: Path, browser: Browser
) -> None:
    with visit(browser, (site / "html" / LANDING).as_uri(), size=(1280, 800)) as found:
        ends = "(all) => [...all].map((one) => one.getBoundingClientRect().bottom)"
        for selector, count in ((".map li", 7), (".doors li", 3), ("h1 + p", 1)):
            bottoms = found.page.eval_on_selector_all(selector, ends)
            assert len(bottoms) == count
            assert max(bottoms) <= 800, selector


@pytest.mark.slow
def test_on_a_phone_the_map_is_on_the_first_screen(site: Path, browser: Browser) -> None:
    with visit(browser, (site / "html" / LANDING).as_uri(), size=PHONE) as found:
        last = found.page.locator(".map li").last.bounding_box()
        assert last
        assert last["y"] + last["height"] <= PHONE[1]
        wide = "document.documentElement.scrollWidth"
        assert found.page.evaluate(wide) <= PHONE[0]


@pytest.mark.slow
@pytest.mark.parametrize("disk", [True, False], ids=["disk", "served"])
def test_the_front_door_leads_to_the_landing_page(
    site: Path, browser: Browser, address: str, disk: bool
) -> None:
    start = f"{(site / 'html').as_uri()}/" if disk else address
    with visit(browser, f"{start}index.html") as found:
        found.page.wait_for_url(f"**/{LANDING}", timeout=10_000)
        assert found.page.locator("h1").first.inner_text()
        assert found.errors == []


@pytest.mark.slow
def test_the_front_door_is_accessible_where_nothing_moves_by_itself(
    site: Path, browser: Browser, axe: str
) -> None:
    text = (site / "html" / "index.html").read_text(encoding="utf-8")
    assert 'http-equiv="refresh" content="0;' in text
    with visit(browser, "about:blank") as found:
        found.page.set_content(text.replace('http-equiv="refresh"', 'name="x"'))
        assert violations(found.page, axe, RULES) == []


@pytest.mark.slow
@pytest.mark.parametrize("place", ["nothing", "chapters/nothing.html", "_static/nothing/at/all"])
def test_what_is_not_found_leads_to_the_book_and_its_search(
    browser: Browser, address: str, place: str
) -> None:
    with visit(browser, f"{address}{place}") as found:
        links = found.page.eval_on_selector_all("a", "(all) => all.map((one) => one.href)")
        assert f"{address}{LANDING}" in links
        assert f"{address}chapters/likelihood.html" in links
        found.page.fill("input", "variance")
        found.page.press("input", "Enter")
        found.page.wait_for_url(f"{address}search.html?q=variance", timeout=10_000)


# ---- the quizzes

CHAPTER = "chapters/likelihood.html"
FIRST, SECOND, *_ = quizzes("likelihood")
ALL = len(quizzes("likelihood"))


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that remembers, within one test."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def errors() -> list[str]:
    return []


def opened(context: BrowserContext, url: str, errors: list[str]) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url, wait_until="load", timeout=60_000)
    page.wait_for_function(DRAWN)
    return page


def answer(page: Any, quiz: str, kind: str) -> None:
    page.locator(f"#quiz-{quiz} .quiz-option.{kind} > summary").first.click()


def state(page: Any, quiz: str) -> str:
    return str(page.locator(f"#quiz-{quiz} .quiz-state").inner_text()).strip()


@pytest.mark.slow
@pytest.mark.parametrize("disk", [True, False], ids=["disk", "served"])
def test_what_was_answered_is_still_known_after_a_reload(
    site: Path, address: str, context: BrowserContext, errors: list[str], disk: bool
) -> None:
    start = f"{(site / 'html').as_uri()}/" if disk else address
    page = opened(context, f"{start}{CHAPTER}", errors)
    assert state(page, FIRST) == f"0 of {ALL} in this chapter"
    answer(page, FIRST, "right")
    answer(page, SECOND, "wrong")
    assert state(page, SECOND) == f"1 of {ALL} in this chapter", "a wrong one is no answer"
    page.reload()
    assert state(page, FIRST) == f"✓ Answered at first try 1 of {ALL} in this chapter"
    answer(page, SECOND, "right")
    assert state(page, SECOND) == f"✓ Answered 2 of {ALL} in this chapter"
    assert (
        page.inner_text(".quiz-note + [role=status]") == f"✓ Answered, 2 of {ALL} in this chapter"
    )

    page = opened(context, f"{start}{LANDING}", errors)
    counts = page.locator(".quiz-count").all_inner_texts()
    assert counts[0] == f"2 of {ALL} quizzes"
    assert counts[1] == f"{len(quizzes('log-likelihood'))} quizzes"
    every = sum(one.quiz is not None for one in KNOWN.values())
    assert f"2 of {every} quizzes answered, 1 at first try" in page.inner_text(".quiz-note")

    page = opened(context, f"{start}chapters/wrong-beliefs.html", errors)
    marks = [words for words in page.locator(".quiz-mark").all_inner_texts() if words]
    assert marks == ["✓ Answered at first try", "✓ Answered"]
    assert errors == []


@pytest.mark.slow
def test_on_paper_each_quiz_has_its_key_below(site: Path, browser: Browser) -> None:
    with visit(browser, (site / "html" / CHAPTER).as_uri()) as found:
        keys = "(id) => getComputedStyle(document.getElementById(id), '::after').content"
        shown = [f"quiz-{one}" for one in quizzes("likelihood")]
        assert {found.page.evaluate(keys, one) for one in shown} == {"none"}
        found.page.emulate_media(media="print")
        right = [
            [option.locator("xpath=self::*[contains(@class, 'right')]").count() for option in all_]
            for all_ in (found.page.locator(f"#{one} > .quiz-option").all() for one in shown)
        ]
        letters = [f'"Right: {"ABC"[options.index(1)]}"' for options in right]
        assert [found.page.evaluate(keys, one) for one in shown] == letters


@pytest.mark.slow
def test_answers_are_forgotten_on_request(
    address: str, context: BrowserContext, errors: list[str]
) -> None:
    page = opened(context, f"{address}{CHAPTER}", errors)
    answer(page, FIRST, "right")
    page.get_by_role("button", name="Forget all chapters' answers").click()
    assert state(page, FIRST) == f"0 of {ALL} in this chapter"
    assert page.evaluate("localStorage.getItem('nllbook-quizzes')") is None
    page.reload()
    assert state(page, FIRST) == f"0 of {ALL} in this chapter"
    assert errors == []


@pytest.mark.slow
def test_closing_a_right_answer_or_finding_it_again_changes_nothing(
    address: str, context: BrowserContext, errors: list[str]
) -> None:
    page = opened(context, f"{address}{CHAPTER}", errors)
    for kind in ("right", "right", "wrong", "right"):
        answer(page, FIRST, kind)
    assert state(page, FIRST).startswith("✓ Answered at first try")


@pytest.mark.slow
@pytest.mark.parametrize("kept", ["", "3", "null", "[1]", '{"gone": 2}', "{"])
def test_what_others_left_there_does_no_harm(
    address: str, context: BrowserContext, errors: list[str], kept: str
) -> None:
    page = opened(context, f"{address}404.html", errors)
    page.evaluate("(kept) => localStorage.setItem('nllbook-quizzes', kept)", kept)
    page = opened(context, f"{address}{CHAPTER}", errors)
    answer(page, FIRST, "right")
    assert state(page, FIRST) == f"✓ Answered at first try 1 of {ALL} in this chapter"
    assert errors == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [CHAPTER, LANDING])
def test_where_storage_is_blocked_nothing_fails(
    address: str, context: BrowserContext, errors: list[str], name: str
) -> None:
    """A frame without an origin of its own has none, as a browser that blocks it."""
    page = opened(context, f"{address}404.html", errors)
    page.evaluate(
        """(src) => new Promise((loaded) => {
            const frame = Object.assign(document.createElement("iframe"), { src, onload: loaded });
            frame.sandbox = "allow-scripts";
            document.body.append(frame);
        }).then(() => 0)""",
        f"{address}{name}",
    )
    frame = page.frames[1]
    assert frame.evaluate("localStorage.constructor === Object"), "the browser's own is blocked"
    assert "0 of" in (frame.locator(".quiz-note").text_content() or "")
    if name == CHAPTER:
        answer(frame, FIRST, "right")
        assert state(frame, FIRST).startswith(f"✓ Answered at first try 1 of {ALL}")
    assert errors == []


@pytest.mark.slow
def test_without_a_script_the_quizzes_and_the_map_are_whole(site: Path, browser: Browser) -> None:
    with visit(browser, (site / "html" / CHAPTER).as_uri(), java_script_enabled=False) as found:
        answer(found.page, FIRST, "right")
        assert found.page.locator(f"#quiz-{FIRST} .quiz-option.right .quiz-why").is_visible()
    with visit(browser, (site / "html" / LANDING).as_uri(), java_script_enabled=False) as found:
        assert found.page.locator(".quiz-count").all_inner_texts()[0] == f"{ALL} quizzes"
        assert found.page.locator(".quiz-note button").count() == 0
