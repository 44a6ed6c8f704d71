"""The cheat sheet: every claim is on it, every formula of it is right, and its PDFs are its own.

A formula of the sheet that no check of tests/sheet_formulas.py names fails a test, and so does one
that was changed on the sheet alone.
"""

from __future__ import annotations

import re
from pathlib import Path

import pikepdf
import pytest
import yaml
from numpy.testing import assert_allclose

from tests.sheet_formulas import CHECKS, Check
from web import committed, print_sheet, source
from web.labels import Book

SHEET = source.read(source.CHAPTERS / "cheat-sheet.md")
STARTS = ("- ", "| {prf:ref}", "**Notation.**")
ENTRIES = [line for line in SHEET.text.split("\n") if line.startswith(STARTS)]
LINK = re.compile(r"\{prf:ref\}`[^`<]+<([^>]+)>`")
PAGE_LINK = re.compile(r"\]\(([\w-]+)\.md\)")
SPAN = re.compile(r"\$[^$]+\$")
# A formula that says something, and is not just the name of a thing.
SAYS = re.compile(r"[-=<>+/|!]|\\(?:ge|le|sum|prod|int|frac|log|to|propto|approx|max|iff)\b")
SYLLABUS = yaml.safe_load((source.ROOT / "tests" / "syllabus.yml").read_text(encoding="utf-8"))

# On the sheet, and left to the claim's own checks: limits and conditions.
NOT_HERE = {
    r"$L(\hat\theta) \ge L(\theta)$",  # def-mle
    r"$\hat\theta \to$ where",  # mle-is-kl-projection
    r"$\mathrm{NLL} \to H(p, p_\theta)$",  # consistency; its mean for all n is checked
    r"$-L$",  # same-argmin-different-values
    r"$\mathrm{KL}(\hat p\,\|\,p_\theta) = \infty$",  # continuous-caveat
    r"$\eta = w \cdot x$",
    r"$W_B = 0$",
    r"$1/k$",
    r"$0\log 0 = 0$",
    r"$\log$",
    r"$r = y - \mu$, $z = r/\sigma$",
    r"if some $L > 0$",
}


def claims(entry: str) -> list[str]:
    """The statements that an entry links to; the line of notation has none."""
    return LINK.findall(entry) or ["notation"]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.claim)
def test_a_formula_computed_twice(check: Check) -> None:
    check.run()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.claim)
def test_a_checked_formula_stands_beside_its_claim(check: Check) -> None:
    beside = [one for one in ENTRIES if check.claim in claims(one)]
    for formula in check.formulas:
        assert any(formula in entry for entry in beside), f"not on the sheet: {formula}"


def test_every_formula_of_the_sheet_is_checked() -> None:
    unchecked = []
    for entry in ENTRIES:
        checked = [f for check in CHECKS for f in check.formulas if check.claim in claims(entry)]
        checked += NOT_HERE
        covered = " ".join(formula for formula in checked if formula in entry)
        for span in SPAN.findall(entry):
            if SAYS.search(span) and span not in covered:
                unchecked.append((claims(entry)[0], span))
        if entry.startswith("|"):  # of a table every cell, words too
            row = entry.split("|", 2)[2]
            for formula in sorted(checked, key=len, reverse=True):
                row = row.replace(formula, "")
            if left := row.strip(" |,;"):
                unchecked.append((claims(entry)[0], left))
    assert not unchecked, "add a check, or a reason to NOT_HERE"


def test_every_claim_and_definition_of_the_book_is_on_the_sheet() -> None:
    linked = {claim for entry in ENTRIES for claim in LINK.findall(entry)}
    optional = {chapter.name for chapter in source.chapters() if committed.needs(chapter)}
    owed = {claim for name, those in SYLLABUS.items() if name not in optional for claim in those}
    defined = {
        one.label
        for page in source.pages()
        for one in page.directives
        if one.name == "prf:definition"
    }
    assert linked == owed | defined


# ---- its PDFs


SIZES = {"a4": (297, 210), "letter": (279.4, 215.9)}  # mm, lying


@pytest.fixture(params=SIZES)
def paper(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_pdf_is_one_page_of_its_paper_tagged_and_small(paper: str) -> None:
    path = print_sheet.target(paper)
    assert path.stat().st_size < 200_000
    with pikepdf.open(path) as pdf:
        assert len(pdf.pages) == 1
        box = [float(one) / 72 * 25.4 for one in pdf.pages[0].MediaBox]
        assert_allclose(box, (0, 0, *SIZES[paper]), atol=0.3)
        assert pdf.Root.MarkInfo.Marked
        assert "/StructTreeRoot" in pdf.Root
        assert str(pdf.Root.Lang).startswith("en")
        assert str(pdf.docinfo["/Title"]).startswith("Cheat sheet")
        assert not {"/CreationDate", "/ModDate"} & set(pdf.docinfo.keys())


def test_the_pdf_was_printed_from_the_present_sheet(paper: str) -> None:
    present = print_sheet.source_hash(Book())
    with pikepdf.open(print_sheet.target(paper)) as pdf:
        kept = str(pdf.docinfo["/Keywords"])
    assert kept.endswith(present), "chapters/cheat-sheet-*.pdf are stale: run make cheat-sheet"


def test_the_links_of_the_pdf_lead_to_the_statements_on_the_site(paper: str) -> None:
    chapters, labels = f"{print_sheet.address()}chapters/", Book().labels
    targets = {one.target for one in SHEET.references}
    wanted = {f"{chapters}{labels[one].page.name}.html#{one}" for one in targets}
    wanted |= {f"{chapters}{name}.html" for name in PAGE_LINK.findall(SHEET.text)}
    with pikepdf.open(print_sheet.target(paper)) as pdf:
        assert {str(one.A.URI) for one in pdf.pages[0].Annots} == wanted


def test_another_number_of_a_statement_makes_the_pdf_stale(tmp_path: Path) -> None:
    book = Book()
    chapter = next(page for page in book.pages if page.name == "likelihood")
    opening = "```{prf:proposition}"
    one_more = f"{opening} One more\n:label: one-more\n1\n```\n\n{opening}"
    path = tmp_path / "likelihood.md"
    path.write_text(chapter.text.replace(opening, one_more, 1), encoding="utf-8")
    renumbered = source.read(path, chapter.number)
    others = [renumbered if page is chapter else page for page in book.pages]
    assert print_sheet.source_hash(Book(others)) != print_sheet.source_hash(book)


def test_without_a_browser_the_tool_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(print_sheet, "SITE", tmp_path)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "cheat-sheet.html").write_text("<head></head>", encoding="utf-8")
    assert print_sheet.main() == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "apt install chromium" in said


def printed(uri: str, pages: int = 1) -> pikepdf.Pdf:
    """A PDF with one link, as Chromium would leave it."""
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page()
    link = pikepdf.Dictionary(A=pikepdf.Dictionary(URI=pikepdf.String(uri)))
    pdf.pages[0].Annots = pikepdf.Array([link])
    for key in ("/Creator", "/CreationDate", "/ModDate"):
        pdf.docinfo[key] = "here and now"
    return pdf


def test_links_of_this_machine_become_links_of_the_site() -> None:
    pdf = printed(f"{print_sheet.SITE.as_uri()}/chapters/likelihood.html#mle-poisson")
    print_sheet.finish(pdf, "a4", Book())
    (link,) = pdf.pages[0].Annots
    assert str(link.A.URI) == "../../chapters/likelihood.html#mle-poisson"


@pytest.mark.parametrize(
    ("pdf", "said"),
    [
        (printed("https://example.org/"), "https://example.org/ leaves the book"),
        (printed("file:///", pages=2), "it takes 2 pages of A4, not 1: shorten it"),
    ],
)
def test_a_print_that_cannot_be_kept_is_refused(pdf: pikepdf.Pdf, said: str) -> None:
    with pytest.raises(print_sheet.PrintError, match=said):
        print_sheet.finish(pdf, "a4", Book())
