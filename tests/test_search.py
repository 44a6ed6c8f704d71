"""The site's search: questions of students, claims by their ids, wrong beliefs by their words."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from web import beliefs, npm, search
from web.source import ROOT, STATEMENTS, chapters

RANK = ROOT / "web" / "static" / "search-rank.js"
QUESTIONS = yaml.safe_load((ROOT / "tests" / "search-questions.yml").read_text(encoding="utf-8"))


def entries_of(html: str) -> list[dict[str, Any]]:
    page = search.Page(f"<article>{html}</article>", 0)
    return [entry.as_json("page.html") for entry in page.entries]


def in_words(mathml: str) -> str:
    tag = BeautifulSoup(f"<math>{mathml}</math>", "html.parser").math
    assert tag is not None
    return " ".join(search.formula(tag).split())


def answers(scripts: list[Path], queries: list[str]) -> list[tuple[list[str], list[str]]]:
    """For each query the addresses that the scripts find, the best first, and its unknown words."""
    node = subprocess.run(
        [npm.node(), str(ROOT / "tests" / "search.mjs"), *map(str, scripts)],
        input="\n".join(map(json.dumps, queries)),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert node.returncode == 0, node.stderr
    return [json.loads(line) for line in node.stdout.splitlines()]


class Finder:
    """The search of the built site."""

    def __init__(self, html: Path) -> None:
        loaded = re.findall(r'<script defer src="(_static/search[^"]*)"', read(html, "search.html"))
        assert loaded[-1] == "_static/search-page.js"
        self.scripts = [html / name for name in loaded[:-1]]
        content = read(html, "_static/search/index.js").removeprefix("var bookIndex = ")
        self.entries: list[dict[str, Any]] = json.loads(content.removesuffix(";\n"))["entries"]

    def ranks(self, wanted: dict[str, set[str]]) -> dict[str, int]:
        """The place of the first right answer to each query; 10,000 where there is none."""
        found = zip(wanted, answers(self.scripts, list(wanted)), strict=True)
        return {
            query: next((i for i, url in enumerate(urls, 1) if url in wanted[query]), 10_000)
            for query, (urls, _) in found
        }


Answer = Callable[..., tuple[list[str], list[str]]]


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """Searches a site of a few texts: sections without a title, or entries as they are given."""

    def answer(query: str, *texts: str | dict[str, str]) -> tuple[list[str], list[str]]:
        given = [{"text": text} if isinstance(text, str) else text for text in texts]
        plain = {"kind": "section", "title": ""}
        search.put_libraries(tmp_path, ROOT / npm.CACHE)
        search.put_index(tmp_path, [{**plain, "url": entry["text"], **entry} for entry in given])
        (tmp_path / "search-rank.js").write_bytes(RANK.read_bytes())
        (one,) = answers([tmp_path / name for name in search.SCRIPTS[:-1]], [query])
        return one

    return answer


@pytest.fixture
def small(answer: Answer) -> Callable[..., list[str]]:
    return lambda query, *texts: answer(query, *texts)[0]


def read(html: Path, name: str) -> str:
    return (html / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def finder(site: Path) -> Finder:
    return Finder(site / "html")


@pytest.mark.slow
def test_every_question_has_its_answer_among_the_first_three(finder: Finder) -> None:
    assert len(QUESTIONS) >= 20
    urls = {entry["url"] for entry in finder.entries}
    wanted = {
        one["ask"]: {"chapters/" + right.replace("#", ".html#") for right in one["right"]}
        for one in QUESTIONS
    }
    missing = {url for right in wanted.values() for url in right} - urls
    assert not missing, f"tests/search-questions.yml names places that are no more: {missing}"
    late = {query: rank for query, rank in finder.ranks(wanted).items() if rank > 3}
    assert not late, f"their answers come later than third: {late}"


@pytest.mark.slow
def test_a_claim_is_found_first_by_its_id(finder: Finder) -> None:
    wanted = {
        one.label: {f"chapters/{chapter.name}.html#{one.label}"}
        for chapter in chapters()
        for one in chapter.directives
        if one.name in STATEMENTS
    }
    assert {query: rank for query, rank in finder.ranks(wanted).items() if rank > 1} == {}


@pytest.mark.slow
def test_a_wrong_belief_is_found_by_its_words(finder: Finder) -> None:
    wanted = {
        belief.belief: {f"chapters/wrong-beliefs.html#belief-{name}"}
        for name, belief in beliefs.load().items()
    }
    assert {query: rank for query, rank in finder.ranks(wanted).items() if rank > 3} == {}


@pytest.mark.slow
def test_every_entry_has_one_address_that_exists(site: Path, finder: Finder) -> None:
    """Two entries with one address: the page has an id twice, and one of them is out of reach."""
    urls = Counter(entry["url"] for entry in finder.entries)
    assert {url for url, count in urls.items() if count > 1} == set()
    for page, anchors in pages(urls).items():
        html = read(site / "html", page)
        assert [anchor for anchor in anchors if f'id="{anchor}"' not in html] == [], page


def pages(urls: Counter[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for url in urls:
        page, _, anchor = url.partition("#")
        found.setdefault(page, []).append(anchor)
    return found


@pytest.mark.slow
def test_the_search_is_loaded_by_its_own_page_alone_and_stays_small(site: Path) -> None:
    html = site / "html"
    loading = [path.name for path in html.rglob("*.html") if "search-rank" in path.read_text()]
    assert loading == ["search.html"]
    index = (html / "_static" / "search" / "index.js").read_bytes()
    assert len(gzip.compress(index)) < 250_000
    assert not (html / "searchindex.js").exists()


def test_what_begins_an_entry() -> None:
    found = entries_of(
        """
        <section id="page"><h1>Page <a class="headerlink" href="#page">#</a></h1><p>First.</p>
        <section id="slug"><span id="sec-own"></span><h2><span class="section-number">3.6. </span>
          Below<a class="headerlink" href="#slug">#</a></h2><p>Text.</p>
        <div class="proof proposition admonition" id="some-claim">
          <p class="admonition-title"><span class="caption-number">Proposition 3.7 </span>
            (Title)</p>
          <section id="proof-content"><p>Statement.</p></section></div>
        <div class="proof admonition" id="proof-7"><p>Proof. Because.</p></div>
        <div class="solution admonition" id="s"><p>Not told.</p></div>
        <dl><dt id="belief-x">“Wrong.”</dt><dd><p>Why not.</p></dd></dl>
        <dl class="py function"><dt class="sig sig-object py" id="nllbook.nll">
          <span>nll</span>(<em>x</em>)<a class="headerlink" href="#x">#</a></dt><dd>Mean.</dd></dl>
        <dl class="glossary"><dt id="term-nat">nat</dt><dd><p>A unit.</p></dd></dl>
        <p>After.</p></section></section>"""
    )
    assert [(one["kind"], one["url"].partition("#")[2], one["title"]) for one in found] == [
        ("section", "page", "Page"),
        ("section", "sec-own", "Below"),
        ("claim", "some-claim", "Title"),
        ("belief", "belief-x", "“Wrong.”"),
        ("function", "nllbook.nll", "nllbook.nll"),
        ("term", "term-nat", "nat"),
    ]
    assert [one.get("in") for one in found] == [None, 0, 1, 1, 1, 1]
    assert [one["text"] for one in found] == [
        "First.",
        "Text. Proof. Because. After.",
        "Statement.",
        "Why not.",
        "nll(x) Mean.",
        "A unit.",
    ]
    assert found[2]["number"] == "Proposition 3.7"
    assert found[2]["name"] == "some-claim"


@pytest.mark.parametrize(
    "folded",
    [
        '<div class="dropdown admonition"><p class="admonition-title">Answer</p>It is 2.</div>',
        '<details class="sd-dropdown"><summary>Answer</summary>It is 2.</details>',
        '<details class="hide"><summary><span>Show the code</span></summary></details>',
    ],
)
def test_what_is_folded_is_not_told(folded: str) -> None:
    (entry,) = entries_of(f"<section id='s'><h2>S</h2><p>What is 1 + 1?</p>{folded}</section>")
    assert entry["text"] == "What is 1 + 1?"


def test_every_synonym_has_the_definition() -> None:
    found = entries_of(
        """<dl class="glossary"><dt id="term-a">A<a class="headerlink" href="#term-a">#</a></dt>
        <dt id="term-b">B</dt><dd><p>Both.</p></dd><dt id="term-c">C</dt><dd>Another.</dd></dl>"""
    )
    assert [(one["title"], one["text"]) for one in found] == [
        *[("A", "Both."), ("B", "Both.")],
        ("C", "Another."),
    ]


def test_a_name_is_told_without_its_number() -> None:
    (entry,) = entries_of(
        '<section id="s"><h2>S</h2><a>Entropy<sup class="statement-number">D4.1</sup></a></section>'
    )
    assert entry["text"] == "Entropy"


def test_a_quiz_tells_its_question_and_not_its_answers() -> None:
    (_, quiz) = entries_of(
        """<section id="s"><h2>S</h2><div class="quiz" id="quiz-x"><div class="quiz-question">
        <p><strong class="quiz-label">Quiz.</strong> What is it?</p></div>
        <details class="quiz-option right"><summary>This.</summary></details></div></section>"""
    )
    assert quiz == {"kind": "quiz", "title": "What is it?", "url": "page.html#quiz-x", "in": 0}


@pytest.mark.parametrize(
    ("mathml", "expected"),
    [
        ("<mfrac><mn>1</mn><mi>n</mi></mfrac><mi>log</mi><mo>\u2061</mo><mi>p</mi>", "1/n log p"),
        ("<msup><mi>σ</mi><mn>2</mn></msup>", "σ^2"),
        ("<mover accent='true'><mi>σ</mi><mo>^</mo></mover>", "σ\u0302"),
        ("<munder><mo>∑</mo><mi>i</mi></munder><msub><mi>x</mi><mi>i</mi></msub>", "∑_i x_i"),
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mn>2</mn></mfrac>", "(a + 1)/2"),
        (
            "<mfrac><mn>1</mn><mrow><mi>p</mi><mo>(</mo><mi>q</mi><mo>)</mo></mrow></mfrac>",
            "1/(p(q))",
        ),
        ("<mfrac><mi>∂</mi><mrow><mi>∂</mi><mi>z</mi></mrow></mfrac>", "∂/∂z"),
        ("<mfrac linethickness='0px'><mi>n</mi><mi>k</mi></mfrac>", "n choose k"),
        ("<mi>h</mi><mo>=</mo><mo>−</mo><mi>p</mi>", "h = −p"),
        ("<semantics><mi>x</mi><annotation>\\mathrm x</annotation></semantics>", "x"),
    ],
)
def test_a_formula_is_told_in_a_line(mathml: str, expected: str) -> None:
    assert in_words(mathml) == expected


def test_words_in_a_page_are_no_markup() -> None:
    (entry,) = entries_of("<section id='s'><h2>&lt;b&gt;</h2><p>1 &lt; 2<!-- no --></p></section>")
    assert (entry["title"], entry["text"]) == ("<b>", "1 < 2")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("nll_loss", "NLLLoss takes it"),
        ("NLLLoss", "nll_loss takes it"),
        ("logsumexp", "by log-sum-exp"),
        ("crossentropy", "a cross-entropy of it"),
        ("cross entropy", "the CE of it"),
        ("NLL", "a negative log-likelihood"),
        ("sigma", "where σ² grows"),
        ("θ̂", "the estimate of theta"),
        ("normalize", "it is normalised"),
        ("diverging", "the weights diverge"),
        ("perplexty", "of a perplexity"),
        ("perpl", "of a perplexity"),
        ("zero", "falls to 0"),
        ("n-1", "divide by n−1"),
        ("Kullback-Leibler", "the KL of both"),
    ],
)
def test_what_is_the_same_for_the_search(
    small: Callable[..., list[str]], query: str, text: str
) -> None:
    assert small(query, "other words", text) == [text]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("entropy", "the cross-entropy of both"),
        ("why is the what", "why is it so"),
        ("mean", "by a median"),
    ],
)
def test_what_is_not_the_same(small: Callable[..., list[str]], query: str, text: str) -> None:
    assert small(query, "other words", text) == []


def test_a_word_in_a_title_says_more_than_one_in_a_text(small: Callable[..., list[str]]) -> None:
    assert small("huber", "a huber text", {"title": "Huber", "text": "of words"})[0] == "of words"


def test_who_types_a_name_finds_what_has_it_first(small: Callable[..., list[str]]) -> None:
    """Though another is full of the word."""
    full = {"title": "Entropy", "text": "entropy"}
    named = dict.fromkeys(("title", "name"), "nllbook.entropy")
    function = {"kind": "function", "text": "a function", **named}
    assert small("entropy", full, function) == ["a function", "entropy"]
    assert small("entropy of", full, function) == ["entropy", "a function"]
    defined = {"kind": "definition", "title": "Entropy", "text": "a definition"}
    assert small("entropy", full, function, defined) == ["a definition", "a function", "entropy"]


def test_of_synonyms_the_best_one_is_found(small: Callable[..., list[str]]) -> None:
    terms = [
        {"kind": "term", "title": title, "url": title, "text": "a soft label, or a soft target"}
        for title in ("soft target", "soft label")
    ]
    assert small("soft label", *terms) == ["soft label"]
    full = {
        "kind": "term",
        "title": "soft target, soft label",
        "url": "more",
        "text": terms[0]["text"],
    }
    assert small("soft label", full, *terms) == ["soft label"]


def test_no_more_is_found_than_anyone_reads(small: Callable[..., list[str]]) -> None:
    assert len(small("loss", *(f"loss {i}" for i in range(100)))) == 30


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("Cramér–Rao bound of the loss", ["Cramér", "Rao", "bound"]),
        ("the perplexty loss", ["perplexty"]),
        ("perpl", []),
        ("Kullback-Leibler loss", []),
        ("what is the loss", []),
    ],
)
def test_words_that_no_text_has_are_named(answer: Answer, query: str, words: list[str]) -> None:
    assert answer(query, "a loss", "its perplexity", "the KL of both")[1] == words
