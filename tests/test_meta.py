"""What pages say of themselves, how the book is cited, and what is there only with an address."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from matplotlib.image import imread

from tests.test_reading import PAGES
from web import card, citation, meta
from web.source import ROOT, pages

ADDRESS = "https://host.example/the-book/"
SHORTEST, LONGEST = 50, 160  # of a description; more is cut off in lists of results

CONF = """\
import sys
sys.path.insert(0, {root!r})
extensions = ["myst_parser", "sphinx_external_toc", "web.meta"]
exclude_patterns = ["_build"]
external_toc_path = "_toc.yml"
project = html_title = "Coins"
html_theme = "basic"
html_baseurl = {address!r}
"""
BOOK = {
    "_toc.yml": "root: chapters/index\nsubtrees:\n  - numbered: true\n    entries:\n"
    "      - file: chapters/heads\n  - entries:\n      - file: chapters/list\n",
    "chapters/index.md": "---\ndescription: All about coins.\n---\n# Coins\n\nThese are *coins*.\n"
    "\n```{cite-this}\n```\n",
    "chapters/heads.md": '# Heads & <tails>\n\nIt "falls"\non one *or* another side.\n\nMore.\n',
    "chapters/list.md": "# A list\n\nOf coins.\n",
}


def build(folder: Path, address: str) -> subprocess.CompletedProcess[str]:
    for name, text in BOOK.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "conf.py").write_text(CONF.format(root=str(ROOT), address=address), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", ".", "out"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small book, built for an address."""
    folder = tmp_path_factory.mktemp("published")
    done = build(folder, ADDRESS)
    assert done.returncode == 0, done.stderr
    return folder


def tags(page: Path) -> dict[str, str]:
    """The tags of a page by name."""
    found = re.findall(
        r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', page.read_text("utf-8")
    )
    names = [name for name, _ in found if name not in ("viewport", "theme-color")]
    assert len(names) == len(set(names)), "one of each"
    return dict(found)


# ---- the real book


@pytest.mark.slow
def test_every_page_has_a_description_of_its_own(site: Path) -> None:
    found = {name: tags(site / "html" / f"{name}.html")["description"] for name in PAGES}
    for name, text in found.items():
        assert SHORTEST <= len(text) <= LONGEST, (name, len(text), text)
        assert not re.search(r"[$\\`*_]|\s\s", text), (name, text)
    del found["index"]  # the front door of the landing page
    assert len(set(found.values())) == len(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_the_head_of_a_page_is_whole(site: Path, name: str) -> None:
    page = (site / "html" / f"{name}.html").read_text(encoding="utf-8")
    assert '<html lang="en"' in page
    assert page.count("<title>") == page.count('rel="icon"') == 1
    about = tags(site / "html" / f"{name}.html")
    assert about["og:description"] == about["description"]
    assert {"og:title", "og:type", "twitter:card", "theme-color"} <= set(about)
    assert "og:image" not in about, "a card needs an address"
    assert 'rel="canonical"' not in page


@pytest.mark.slow
def test_titles_tell_the_pages_apart(site: Path) -> None:
    names = [name for name in PAGES if name != "index"]
    found = [
        re.findall(r"<title>(.*?)</title>", (site / "html" / f"{name}.html").read_text("utf-8"))[0]
        for name in names
    ]
    assert len(set(found)) == len(found)


@pytest.mark.slow
def test_without_an_address_nothing_is_there_that_needs_one(site: Path) -> None:
    for name in ("sitemap.xml", "robots.txt", meta.CARDS):
        assert not (site / "html" / name).exists()


@pytest.mark.slow
def test_every_page_leads_to_how_to_cite_the_book(site: Path) -> None:
    for page in pages():
        html = (site / "html" / page.path.relative_to(ROOT)).with_suffix(".html").read_text("utf-8")
        here = "" if page.name == "index" else "index.html"
        assert f'href="{here}#cite">Cite this book</a>' in html, page
    assert 'id="cite"' in (site / "html" / "chapters" / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_the_ways_to_other_pages_say_where_they_lead(site: Path) -> None:
    page = (site / "html" / "chapters" / "log-likelihood.html").read_text(encoding="utf-8")
    nav = page[page.index('<nav class="prev-next-area"') :]
    words = " ".join(re.sub(r"<[^>]+>", " ", nav[: nav.index("</nav>")]).split())
    assert words == "← Previous: 1. Likelihood Next: 3. Negative log-likelihood →"


# ---- the citation


def test_the_citation_says_what_the_file_says() -> None:
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    cited = citation.read(address=ADDRESS)
    day = datetime.date.fromisoformat(str(said["date-released"]))
    for text in (cited.sentence, cited.bibtex):
        for words in (said["title"], said["version"], said["authors"][0]["name"], str(day.year)):
            assert str(words) in text
        assert ADDRESS in text
    assert cited.as_json("x")["datePublished"] == day.isoformat()
    assert "url" not in citation.read().bibtex


def test_a_month_is_said_in_english_and_as_bibtex_knows_it() -> None:
    cited = citation.Citation("T", ("A",), "1", datetime.date(2026, 3, 9), ())
    assert cited.sentence == "A (2026). T. Version 1, 9 March 2026."
    assert " = mar,\n" in cited.bibtex


def test_bibtex_is_well_formed() -> None:
    text = citation.read(address=ADDRESS).bibtex
    assert re.fullmatch(r"@book\{\w+,\n(  \w+ *= (\{.*\}|[a-z]{3}),\n)+\}", text)
    assert text.count("{") == text.count("}")


# ---- with an address


@pytest.mark.slow
def test_with_an_address_a_page_knows_its_own(published: Path) -> None:
    page = published / "out" / "chapters" / "heads.html"
    html, about = page.read_text(encoding="utf-8"), tags(page)
    own = f"{ADDRESS}chapters/heads.html"
    assert f'<link rel="canonical" href="{own}"' in html
    assert about["og:url"] == own
    assert about["og:title"] == "Heads &amp; &lt;tails&gt;"
    assert about["description"] == "It “falls” on one or another side."
    assert about["og:image"] == f"{ADDRESS}{meta.CARDS}/heads.png"
    assert about["twitter:card"] == "summary_large_image"


@pytest.mark.slow
def test_a_card_is_there_wherever_a_page_names_one(published: Path) -> None:
    out = published / "out"
    for name in ("index", "chapters/index", "chapters/heads", "chapters/list", "search"):
        picture = tags(out / f"{name}.html")["og:image"].removeprefix(ADDRESS)
        assert imread(out / picture).shape[:2] == card.SIZE[::-1]
    assert {path.stem for path in (out / meta.CARDS).iterdir()} == {"book", "heads"}


@pytest.mark.slow
def test_the_sitemap_lists_every_page_under_its_address(published: Path) -> None:
    out = published / "out"
    tree = ET.parse(out / "sitemap.xml")
    found = [
        one.text or "" for one in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    ]
    assert found == [f"{ADDRESS}chapters/{name}.html" for name in ("index", "heads", "list")]
    assert all((out / one.removeprefix(ADDRESS)).is_file() for one in found)
    assert f"Sitemap: {ADDRESS}sitemap.xml" in (out / "robots.txt").read_text("utf-8")


@pytest.mark.slow
def test_the_landing_page_tells_engines_what_it_is(published: Path) -> None:
    page = (published / "out" / "chapters" / "index.html").read_text(encoding="utf-8")
    (about,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)
    found = json.loads(about)
    assert found["url"] == ADDRESS
    assert found["description"] == "All about coins."
    assert "Book" in found["@type"]
    assert f"url     = {{{ADDRESS}}}" in re.sub(r"<[^>]+>", "", page)


@pytest.mark.slow
def test_what_is_not_found_leads_home_from_any_depth(published: Path) -> None:
    page = (published / "out" / "404.html").read_text(encoding="utf-8")
    assert '<base href="/the-book/" />' in page
    assert "<script" not in page
    for link in re.findall(r'(?:href|action)="(?!data:|/the-book/)([^"]*)"', page):
        assert (published / "out" / link).is_file(), link


@pytest.mark.slow
def test_what_needs_an_address_goes_with_it(published: Path) -> None:
    done = build(published, "")
    assert done.returncode == 0, done.stderr
    out = published / "out"
    assert not (out / "sitemap.xml").exists()
    assert not (out / "robots.txt").exists()
    assert "og:image" not in tags(out / "chapters" / "heads.html")
    assert "canonical" not in (out / "chapters" / "heads.html").read_text("utf-8")


def test_the_icon_is_a_picture() -> None:
    line = meta.tags("t", "d", "article").splitlines()[-1]
    (found,) = re.findall(r'href="data:image/svg\+xml,([^"]+)"', line)
    assert ET.fromstring(unquote(found)).tag.endswith("svg")
