"""The whole book as a PDF, and the site as a zip that opens from a disk."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest

from web import offline, pdf
from web.browser import served, visit
from web.source import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PAGE = '<article class="bd-article">\n<section id="{0}"><h1>{0}</h1>{1}</section></article>'


# ---- the document that is printed


def test_links_lead_from_place_to_place_in_the_document(tmp_path: Path) -> None:
    links = '<a class="x" href="{}">text</a>'
    addresses = {
        "two.html": 'href="#two"',
        "two.html#there": 'href="#two--there"',
        "#here": 'href="#one--here"',
        "https://x.org/two.html": 'href="https://x.org/two.html"',
        "index.html": "",  # not in the document: the words alone
        "../_downloads/a.csv": "",
    }
    text = PAGE.format("one", "".join(map(links.format, addresses)))
    made = pdf.part("one", text, {"one", "two"}, tmp_path)
    found = re.findall(r'<a class="x" ?(.*?)>text</a>', made)
    assert found == list(addresses.values())
    assert 'id="one"' in made
    assert '<section id="one--one">' in made


def test_images_are_found_from_anywhere_and_none_is_late(tmp_path: Path) -> None:
    text = PAGE.format("one", '<img loading="lazy" src="../_images/a.webp">')
    made = pdf.part("one", text, {"one"}, tmp_path)
    assert f'src="{(tmp_path / "_images" / "a.webp").resolve().as_uri()}"' in made
    assert "lazy" not in made


def test_a_page_without_an_article_is_named(tmp_path: Path) -> None:
    with pytest.raises(pdf.PdfError, match=r"chapters/one\.html has no article"):
        pdf.part("one", "<p>Nothing</p>", {"one"}, tmp_path)


def test_the_contents_have_pages_and_sections() -> None:
    body = (
        '<section id="one--one"><span id="one--s"></span><h1>1. One</h1>'
        '<section id="one--two">\n<h2>1.1. <em>Two</em></h2>'
        '<section id="one--three"><h3>Three</h3>'
    )
    assert list(pdf.headings("one", body)) == [
        pdf.Entry("one", 1, "1. One"),
        pdf.Entry("one--two", 2, "1.1. <em>Two</em>"),
    ]
    made = pdf.contents(list(pdf.headings("one", body)), {"one": 7})
    assert '<a href="#one"><span>1. One</span><span class="page">7</span>' in made


@pytest.mark.slow
def test_the_document_is_whole(site: Path) -> None:
    """Every page, exercise and solution; links that lead somewhere, and no id twice."""
    text, entries = pdf.document(site / "html", {})
    wanted = [page.name for page in pages() if page.name not in pdf.LEFT_OUT]
    assert [one.target for one in entries if one.level == 1] == wanted
    ids = re.findall(r'\bid="([^"]+)"', text)
    links = set(re.findall(r'<a\b[^>]*? href="#([^"]*)"', text))
    assert len(ids) == len(set(ids))
    assert links - set(ids) == set()
    assert len(links) > 1000
    exercises = sum(page.text.count("{exercise}") for page in pages())
    assert len(re.findall(r'<div class="exercise ', text)) == exercises > 40
    assert text.count("Solution to") >= exercises


# ---- on paper


ONLY = ("likelihood", "bibliography")  # a chapter and a page of references: the whole takes minutes
TEXTS: list[str] = []  # what was printed for it


@pytest.fixture(scope="module")
def printed(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pdf") / pdf.NAME
    real = pdf.printed

    def noted(browser: Browser, text: str, folder: Path) -> Path:
        TEXTS.append(text)
        return real(browser, text, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pdf, "printed", noted)
        assert pdf.make(site / "html", target, ONLY) > 30
    return target


def outline(item: Any) -> list[str]:
    """The titles of bookmarks, depth first."""
    found = []
    while item is not None:
        found += [str(item.Title), *(outline(item.First) if "/First" in item else [])]
        item = item.get("/Next")
    return found


@pytest.mark.slow
def test_links_are_alive_and_stay_inside(printed: Path) -> None:
    with pikepdf.open(printed) as book:
        names = set(book.Root.Dests.keys())
        inside, outside = [], []
        for page in book.pages:
            for link in page.get("/Annots", []):
                if "/Dest" in link:
                    inside.append(str(link.Dest))
                else:
                    outside.append(str(link.A.URI))
    assert outside
    assert len(inside) > 100
    assert set(inside) <= names
    assert all(re.match("https?://", address) for address in outside)


@pytest.mark.slow
def test_it_says_what_it_is(printed: Path) -> None:
    with pikepdf.open(printed) as book:
        titles = outline(book.Root.Outlines.First)
        assert titles[:2] == ["1. Likelihood", "1.1. A question: which rate?"]
        assert titles.count("1.8. Exercises") == 1
        assert str(book.docinfo["/Title"]) == "From likelihood to loss: an executable book"
        assert str(book.Root.Lang) == "en"
        assert book.Root.MarkInfo.Marked
        assert not {"/CreationDate", "/ModDate", "/Creator"} & set(book.docinfo.keys())
        assert all("/Contents" in page for page in book.pages)


@pytest.mark.slow
def test_the_contents_name_the_right_pages(site: Path, printed: Path) -> None:
    _, entries = pdf.document(site / "html", {}, ONLY)
    listed = re.findall(r'<a href="#([^"]+)"><span>.*?<span class="page">(\d*)</span>', TEXTS[-1])
    where = pdf.places(printed)
    assert listed == [(one.target, str(where[one.target])) for one in entries]
    assert int(listed[0][1]) > 2  # after the cover and the contents


# ---- from a disk


@pytest.mark.slow
def test_the_zip_opens_from_a_disk_and_runs_where_it_is_served(
    site: Path, browser: Browser, tmp_path: Path
) -> None:
    target = offline.pack(site / "html", tmp_path)
    place = tmp_path / "a folder with spaces"
    with zipfile.ZipFile(target) as archive:
        archive.extractall(place)
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {offline.NAME}
    assert not any(".doctrees" in name for name in names)
    assert (place / offline.NAME / "START.txt").read_text() == offline.START
    for name in ("index.html", "chapters/likelihood.html"):
        with visit(browser, (place / offline.NAME / name).as_uri()) as found:
            assert found.page.title()
            assert (found.elsewhere, found.errors) == ([], [])
    with (
        served(place / offline.NAME) as start,
        visit(browser, f"{start}chapters/likelihood.html") as found,
    ):
        cell = found.page.locator(".cell:has(.run-bar)").first
        cell.get_by_role("button", name="Run cell").click()
        cell.get_by_text("Done.").wait_for(timeout=60_000)
        assert (found.elsewhere, found.errors) == ([], [])


def test_the_same_site_gives_the_same_zip_whose_own_link_leads_to_the_original(
    tmp_path: Path,
) -> None:
    site = tmp_path / "html"
    (site / "chapters").mkdir(parents=True)
    (site / ".doctrees").mkdir()
    (site / ".doctrees" / "x").write_text("x")
    link = f'<a href="../{offline.NAME}.zip">zip</a>'
    (site / "chapters" / "index.html").write_text(link)
    one = offline.pack(site, tmp_path, "https://x.org/book/").read_bytes()
    assert offline.pack(site, tmp_path, "https://x.org/book/").read_bytes() == one
    with zipfile.ZipFile(tmp_path / f"{offline.NAME}.zip") as archive:
        assert archive.namelist() == [
            f"{offline.NAME}/START.txt",
            f"{offline.NAME}/chapters/index.html",
        ]
        text = archive.read(f"{offline.NAME}/chapters/index.html").decode()
    assert text == f'<a href="https://x.org/book/{offline.NAME}.zip">zip</a>'
