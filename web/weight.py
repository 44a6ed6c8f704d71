"""Weighs pages of the built site as a browser loads them: bytes, requests, layout shifts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from web.browser import DESKTOP, visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MOST_BYTES = 400_000  # over the wire, compressed, to the page's end
MOST_REQUESTS = 30
MOST_SHIFT = 0.01  # cumulative layout shift; 0.1 counts as good elsewhere

# Every shift of what is already drawn, from the first paint on; those that a click causes are none.
_WATCH = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (!entry.hadRecentInput) {
      const what = entry.sources.map(({ node }) => (node?.outerHTML ?? "").slice(0, 120));
      window.shifts.push([entry.value, what.join(" | ")]);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
"""
# Down to the end, a screen at a time, so that what is loaded late is loaded; the page may grow. Now
# and then headless Chromium 156 stops giving frames, until something moves: hence the clock beside.
_SCROLL = """async () => {
  const page = document.documentElement;
  const frame = () => Promise.race([new Promise(requestAnimationFrame),
    new Promise((done) => setTimeout(done, 250))]);
  while (page.scrollTop + innerHeight < page.scrollHeight - 1) {
    scrollTo({ top: page.scrollTop + innerHeight, behavior: "instant" });
    await frame();
    await frame();
  }
  await Promise.all([...document.images].map((image) => image.decode()));
  await document.fonts.ready;
  await new Promise((done) => setTimeout(done, 100));
}"""


@dataclass(frozen=True)
class Weight:
    """What one page cost one reader with an empty cache."""

    bytes: int
    requests: int
    shift: float
    shifted: tuple[str, ...]  # the shifts, and of what
    largest: tuple[str, ...]  # bytes and address of each file, the largest first


def weigh(browser: Browser, url: str, size: tuple[int, int] = DESKTOP) -> Weight:
    """Load a page, go down to its end, and count."""
    with visit(browser, "about:blank", size=size) as found:
        page = found.page
        page.add_init_script(_WATCH)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        addresses: dict[str, str] = {}
        sizes: dict[str, int] = {}

        def asked(event: dict[str, object]) -> None:
            address = str(event["request"]["url"])  # type: ignore[index]
            if not address.startswith(("data:", "blob:")):
                addresses[str(event["requestId"])] = address

        def came(event: dict[str, object]) -> None:
            sizes[str(event["requestId"])] = int(str(event["encodedDataLength"]).partition(".")[0])

        session.on("Network.requestWillBeSent", asked)
        session.on("Network.loadingFinished", came)
        page.goto(url, wait_until="load", timeout=60_000)
        page.evaluate(_SCROLL)
        shifts = page.evaluate("window.shifts")
    files = sorted(((sizes.get(key, 0), url) for key, url in addresses.items()), reverse=True)
    return Weight(
        sum(one for one, _ in files),
        len(files),
        sum(value for value, _ in shifts),
        tuple(f"{value:.4f} {what}" for value, what in shifts),
        tuple(f"{one} {address}" for one, address in files),
    )
