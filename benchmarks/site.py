"""Measures what the site costs a reader: weight, requests, layout shifts; Lighthouse's scores.

    python benchmarks/site.py [--python RUNS] [--lighthouse RUNS] [--only PART-OF-A-NAME ...]

Reads _build/html, served from loopback and compressed; prints tables with the goals beside, and
writes nothing. `--lighthouse 3` adds medians of three runs, minutes a page on a small machine.
`--python 5` measures how long Python in the page takes, from Run to what the cell shows, and what
is moved for it: medians of five runs, each by a reader who comes for the first time.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from typing import TYPE_CHECKING

from web import lighthouse, runtime, source
from web.browser import PHONE, launched, served, visit
from web.weight import MOST_BYTES, MOST_REQUESTS, MOST_SHIFT, weigh

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SITE = source.ROOT / "_build" / "html"
LOOKED_AT = ("index", "cheat-sheet")  # by Lighthouse, besides the chapters


CELLS = {
    "first value": "import nllbook\nnllbook.surprisal(0.25)",
    "first figure": "from nllbook import plotting\nf, (ax,) = plotting.figure()\nax.plot([0, 1]);",
    "SymPy besides": "import sympy\nsympy.Integer(1)",
    "once more": "nllbook.surprisal(0.5)",
}


def python(browser: Browser, address: str) -> dict[str, tuple[float, float]]:
    """Seconds to the end of each cell, and megabytes moved so far; one reader, nothing cached."""
    found = {}
    with visit(browser, address) as visited:
        page = visited.page
        moved: dict[str, int] = {}
        page.on(
            "response",
            lambda one: moved.update({one.url: int(one.headers.get("content-length", 0))}),
        )
        cell = page.locator(".cell:has(.run-bar)").first
        cell.get_by_role("button", name="Edit").click()
        for name, code in CELLS.items():
            cell.get_by_role("textbox").fill(code)
            start = time.perf_counter()
            cell.get_by_role("textbox").press("Shift+Enter")
            page.wait_for_function("document.querySelector('.run-note').textContent === 'Done.'")
            seconds = time.perf_counter() - start
            mine = (size for url, size in moved.items() if f"/{runtime.FOLDER}/" in url)
            found[name] = (seconds, sum(mine) / 1e6)
            page.evaluate("document.querySelector('.run-note').textContent = ''")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lighthouse", type=int, default=0, metavar="RUNS")
    parser.add_argument("--python", type=int, default=0, metavar="RUNS")
    parser.add_argument("--only", nargs="*", default=[""])
    options = parser.parse_args()
    if not (SITE / "chapters" / "index.html").is_file():
        sys.exit("The site is not built: make book")
    numbers = {
        page.path.relative_to(source.ROOT).with_suffix("").as_posix(): page.number
        for page in source.pages()
    }
    pages = [page for page in [*numbers, "search"] if any(part in page for part in options.only)]
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")
    with launched() as browser, served(SITE) as start:
        goals = f"{MOST_BYTES / 1000:.0f}", str(MOST_REQUESTS), *[f"{MOST_SHIFT}"] * 2
        print(f"\n{'':36} {'kB':>6} {'requests':>9} {'shift, 1280 px':>15} {'390 px':>8}")
        print("{:36} {:>6} {:>9} {:>15} {:>8}".format("goal: at most", *goals))
        for page in pages:
            wide = weigh(browser, f"{start}{page}.html")
            narrow = weigh(browser, f"{start}{page}.html", PHONE)
            print(
                f"{page:36} {max(wide.bytes, narrow.bytes) / 1000:6.0f} "
                f"{max(wide.requests, narrow.requests):9} {wide.shift:15.4f} {narrow.shift:8.4f}",
                flush=True,
            )
        if options.python:
            address = f"{start}chapters/log-likelihood.html"
            readers = [python(browser, address) for _ in range(options.python)]
            print(f"\n{'Python in the page':36} {'seconds':>8} {'MB moved':>9}")
            print(f"{'goal: at most':36} {'':>8} {26:9}")
            for name in CELLS:
                times, moved = zip(*(one[name] for one in readers), strict=True)
                print(f"{name:36} {statistics.median(times):8.2f} {statistics.median(moved):9.1f}")
    if options.lighthouse:
        with served(SITE) as start:
            print(f"\nLighthouse {lighthouse.VERSION}, medians of {options.lighthouse}")
            print(f"{'':36} {'':8}", *(f"{name:>15}" for name in lighthouse.CATEGORIES))
            for form, least in lighthouse.GOALS.items():
                print(f"{'goal: at least':36} {form:8}", *(f"{one:15.2f}" for one in least))
            for page in pages:
                if numbers.get(page) or page.rpartition("/")[2] in LOOKED_AT:
                    for form in lighthouse.GOALS:
                        found = lighthouse.scores(f"{start}{page}.html", form, options.lighthouse)
                        told = ("no result" if one is None else f"{one:.2f}" for one in found)
                        print(f"{page:36} {form:8}", *(f"{one:>15}" for one in told), flush=True)


if __name__ == "__main__":
    main()
