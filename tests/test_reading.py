"""What readers meet: every page of the built site in Chromium, with no other host in reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from web import npm
from web.browser import Scheme, visit
from web.source import ROOT, pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

PAGES = (
    "index",
    "404",
    "search",
    *(str(page.path.relative_to(ROOT).with_suffix("")) for page in pages()),
)


def test_these_are_all_the_pages(site: Path) -> None:
    html = site / "html"
    found = {str(path.relative_to(html).with_suffix("")) for path in html.rglob("*.html")}
    assert {name for name in found if not name.startswith("_static/")} == set(PAGES)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_from_disk_a_page_asks_no_other_host_and_logs_no_error(
    site: Path, browser: Browser, name: str, scheme: Scheme
) -> None:
    with visit(browser, (site / "html" / f"{name}.html").as_uri(), scheme=scheme) as found:
        found.page.wait_for_timeout(300)  # scripts that wait
        assert found.elsewhere == []
        assert found.errors == []


# A new version has a new checksum, too: `npm view axe-core@VERSION dist.integrity` tells it.
AXE = "4.14.1"
AXE_SHA512 = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
)


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core, which looks for what stands in the way of some readers."""
    folder = npm.fetch("axe-core", AXE, AXE_SHA512, ("axe.min.js",), ROOT / npm.CACHE)
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def violations(found: Any) -> list[str]:
    """One line an element: the rule, what it asks, the element."""
    return [
        f"{rule['id']}: {rule['help']}: {node['html'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES[1:])
def test_axe_finds_nothing_in_the_light(site: Path, browser: Browser, axe: str, name: str) -> None:
    with visit(browser, (site / "html" / f"{name}.html").as_uri()) as found:
        found.page.evaluate(axe)
        assert violations(found.page.evaluate("axe.run({resultTypes: ['violations']})")) == []


@pytest.mark.parametrize("name", PAGES[1:])
def test_axe_finds_nothing_in_the_dark(site: Path, browser: Browser, axe: str, name: str) -> None:
    """There only the colours differ."""
    address = (site / "html" / f"{name}.html").as_uri()
    with visit(browser, address, scheme="dark") as found:
        found.page.evaluate(axe)
        only = json.dumps({"runOnly": ["color-contrast"], "resultTypes": ["violations"]})
        assert violations(found.page.evaluate(f"axe.run({only})")) == []
