"""What readers meet: every page of the built site in Chromium, with no other host in reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

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
