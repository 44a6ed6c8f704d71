"""Wrong beliefs are read strictly; a quiz is usable without a script, and follows its file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from web import beliefs, source
from web.source import ROOT, SourceError

STYLES = ROOT / "web" / "static" / "quiz.css"

BELIEFS = """\
# A comment.
- id: coins-remember
  chapter: coins
  belief: A coin remembers.
  tempting: After many heads a tail seems due.
  words: [memory, tosses]
  refutation: Tosses are independent.
  counterexample: |
    from math import comb

    print(comb(10, 7), "of 1024")
  claim: tosses-are-independent
  sources: ["a/b#1"]
  quiz:
    question: After $k$ heads, {glue:text}`heads` of them in a row, is a tail due?
    options:
      - text: Yes, with `p` above $\\frac12$.
        correct: false
        why: The coin has *no* memory of its {glue:text}`heads` heads.
      - {text: "No", correct: true, why: "It stays $\\\\frac12$."}
      - text: It depends.
        correct: false
        why: |
          On nothing:

          $$ p = \\frac12 $$
- id: coins-are-fair
  chapter: coins
  belief: Coins are fair.
  tempting: They look it.
  words: [tosses]
  refutation: Some are not.
  counterexample: print("0.51")
  claim: tosses-are-independent
  sources: []
"""

CHAPTER = """\
---
file_format: mystnb
kernelspec:
  name: python3
---
# Coins

```{code-cell} ipython3
from nllbook import glue
glue("heads", "seven")
```

```{prf:theorem}
:label: tosses-are-independent
They are.
```

```{quiz} coins-remember
```
"""

CONF = """\
extensions = ["myst_nb", "sphinx_proof", "sphinx_design", "web.quiz", "web.beliefs_page"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
html_math_renderer = "mathjax"
nb_execution_raise_on_error = True
"""


# ---- the file


def load(folder: Path, text: str, claims: set[str] | None = None) -> dict[str, beliefs.Belief]:
    path = folder / "wrong-beliefs.yml"
    path.write_text(text, encoding="utf-8")
    return beliefs.load(path, claims)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    known = load(tmp_path, BELIEFS, {"tosses-are-independent"})
    assert list(known) == ["coins-remember", "coins-are-fair"]
    belief = known["coins-remember"]
    assert (belief.line, belief.chapter, belief.sources) == (2, "coins", ("a/b#1",))
    assert belief.quiz is not None
    assert [option.correct for option in belief.quiz.options] == [False, True, False]
    assert "It depends." in belief.texts
    assert belief.words == ("memory", "tosses")
    assert belief.anchor == "belief-coins-remember"
    assert belief.counterexample.startswith("from math import comb\n\nprint(")
    assert (belief.lines["refutation"], belief.lines["counterexample"]) == (7, 9)
    assert known["coins-are-fair"].lines["counterexample"] == 33
    assert known["coins-are-fair"].quiz is None


def test_no_beliefs_are_an_empty_list(tmp_path: Path) -> None:
    assert load(tmp_path, "[]") == {}


# What is replaced by what in the good file, the line that the error names, and words in it.
MISTAKES = [
    ("  belief: A coin remembers.", "  beleif: A coin remembers.", 4, "no key 'beleif'"),
    ("  belief: A coin remembers.\n", "", 2, "lacks the key 'belief'"),
    ("  tempting: They look it.", "  tempting: t\n  tempting: u", 31, "'tempting' twice"),
    ("  sources: []\n", "", 27, "lacks the key 'sources'"),
    ('  counterexample: print("0.51")\n', "", 27, "lacks the key 'counterexample'"),
    ('counterexample: print("0.51")', "counterexample: 0.51", 33, "counterexample is no text"),
    ("  claim: tosses-are-independent\n  sources: []", "  sources: []", 27, "key 'claim'"),
    ("words: [tosses]", "words: []", 31, "words is empty"),
    ("words: [tosses]", "words: tosses", 31, "words is no list"),
    ("words: [tosses]", "words: [51]", 31, "a word is no text"),
    ("id: coins-are-fair", "id: coins-remember", 27, "stands on line 2 too"),
    ("id: coins-are-fair", "id: Coins_fair", 27, "kebab-case"),
    ("independent\n  sources: []", "dependent\n  sources: []", 34, "nearest: tosses-are-ind"),
    ("correct: true", "correct: false", 17, "0 options are correct"),
    (
        "        correct: false\n        why: The",
        "        correct: true\n        why: The",
        17,
        "2 ",
    ),
    ('      - {text: "No", correct: true, why: "It stays $\\\\frac12$."}\n', "", 17, "2 options"),
    ('why: "It stays $\\\\frac12$."', 'why: " "', 20, "why is empty"),
    ('why: "It stays $\\\\frac12$."', 'reason: "x"', 20, "no key 'reason'"),
    ("correct: true", "correct: yes", 20, "neither true nor false"),
    ('text: "No"', "text: No", 20, "text is no text"),
    ("  refutation: Some are not.", "  refutation: 0.5", 32, "in quotes"),
    ("  sources: []", "  sources: none", 35, "sources is no list"),
    ("  quiz:\n    question: After", "  quiz:\n    questoin: After", 15, "no key 'questoin'"),
    ("  belief: Coins are fair.", "  belief: Coins: fair", 29, "not YAML"),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake[3] for mistake in MISTAKES])
def test_a_mistake_in_the_file_is_one_line_with_its_place(
    tmp_path: Path, mistake: tuple[str, str, int, str]
) -> None:
    old, new, line, words = mistake
    assert BELIEFS.count(old) == 1
    with pytest.raises(SourceError) as caught:
        load(tmp_path, BELIEFS.replace(old, new), {"tosses-are-independent"})
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/wrong-beliefs.yml:{line}: ")
    assert words in message
    assert message.count(": ") >= 2, "what is wrong, then what to do"
    assert "\n" not in message


def test_an_empty_file_and_one_without_a_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is empty"):
        load(tmp_path, "# nothing\n")
    with pytest.raises(SourceError, match="no list"):
        load(tmp_path, "id: x\n")
    with pytest.raises(SourceError, match="a belief is no mapping"):
        load(tmp_path, "- x\n")


def test_the_book_s_own_beliefs_are_good() -> None:
    assert beliefs.load()


# ---- the page


def build(
    folder: Path,
    builder: str,
    *,
    chapter: str = CHAPTER,
    yaml: str | None = BELIEFS,
    execute: bool = False,
    others: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Build a book of one chapter, with other pages before it; what Sphinx wrote to stderr."""
    (folder / "chapters").mkdir(exist_ok=True)
    for name, text in others.items():
        _write(folder / "chapters" / f"{name}.md", text)
    if not execute:
        chapter, yaml = (_without_glue(text) for text in (chapter, yaml or ""))
    _write(folder / "conf.py", CONF)
    toc = "\n".join(f"chapters/{name}" for name in (*others, "coins"))
    _write(folder / "index.md", f"# Book\n\n```{{toctree}}\n{toc}\n```\n")
    _write(folder / "chapters" / "coins.md", chapter)
    if yaml:
        _write(folder / "chapters" / "wrong-beliefs.yml", yaml)
    command = [sys.executable, "-m", "sphinx", "-b", builder, ".", f"_build/{builder}", "-q"]
    mode = "force" if execute else "off"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    done = subprocess.run(
        [*command, "-D", f"nb_execution_mode={mode}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def _write(path: Path, text: str) -> None:
    """Leave a file alone that is as it should be, so that Sphinx does not read it again."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _without_glue(text: str) -> str:
    return text.replace("{glue:text}`heads`", "seven")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("book")
    log = build(folder, "html", execute=True)
    assert "WARNING: No key" not in log
    assert "ERROR" not in log
    return (folder / "_build" / "html" / "chapters" / "coins.html").read_text(encoding="utf-8")


def _quiz(page: str) -> str:
    start = page.index('<div aria-labelledby="quiz-coins-remember-question"')
    return page[start : page.rindex("</details>")]


@pytest.mark.slow
def test_a_quiz_is_a_labelled_group_of_native_details(page: str) -> None:
    quiz = _quiz(page)
    assert 'role="group"' in quiz[: quiz.index(">")]
    assert 'id="quiz-coins-remember-question"' in quiz
    assert re.findall(r'<details class="quiz-option (\w+)">\s*<summary>', quiz) == [
        "wrong",
        "right",
        "wrong",
    ]
    assert not re.search(r"<script|onclick|<h\d|<button", quiz)
    assert " open" not in " ".join(re.findall(r"<details[^>]*>", quiz)), "no answer shows at first"


@pytest.mark.slow
def test_a_quiz_says_in_words_whether_an_option_is_right(page: str) -> None:
    verdicts = re.findall(r'<strong class="quiz-verdict">([^<]*)</strong>', _quiz(page))
    assert verdicts == ["✗ Not so.", "✓ Right.", "✗ Not so."]


@pytest.mark.slow
def test_the_texts_of_a_quiz_are_myst(page: str) -> None:
    quiz = _quiz(page)
    summary = quiz[quiz.index("<summary>") : quiz.index("</summary>")]
    assert "<code" in summary
    assert r"\(\frac12\)" in summary
    assert "<p>" not in summary
    assert "<em>no</em>" in quiz
    assert r"p = \frac12" in quiz
    assert quiz.count('<span class="pasted-text">seven</span>') == 2
    links = re.findall(r'See <a class="reference internal" href="#(.*?)">(.*?)</a>\.', quiz)
    assert links == [("tosses-are-independent", "Theorem 1")] * 3


@pytest.mark.slow
@pytest.mark.parametrize(("builder", "file"), [("text", "chapters/coins.txt"), ("latex", "*.tex")])
def test_elsewhere_a_quiz_is_a_list_with_its_answers_after_it(
    tmp_path: Path, builder: str, file: str
) -> None:
    # sphinx-proof writes HTML and LaTeX only
    chapter = re.sub(r"```\{prf:.*?```\n", "", CHAPTER, flags=re.DOTALL)
    yaml = BELIEFS
    log = build(tmp_path, builder, chapter=chapter, yaml=yaml)
    assert "ERROR" not in log
    assert "unknown node" not in log
    (written,) = (tmp_path / "_build" / builder).glob(file)
    text = " ".join(written.read_text(encoding="utf-8").split())
    order = ["is a tail due?", "It depends.", "Not so.", "Right."]
    places = [text.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.slow
def test_an_edit_of_the_beliefs_renders_the_page_again(tmp_path: Path) -> None:
    build(tmp_path, "html")
    build(tmp_path, "html", yaml=BELIEFS.replace("It depends.", "It depends on the weather."))
    written = (tmp_path / "_build" / "html" / "chapters" / "coins.html").read_text("utf-8")
    assert "It depends on the weather." in written


@pytest.mark.slow
def test_a_quiz_that_cannot_be_shown_is_an_error_with_its_place(tmp_path: Path) -> None:
    others = "".join(f"```{{quiz}} {name}\n```\n" for name in ("coin-remembers", "coins-are-fair"))
    yaml = BELIEFS.replace("chapter: coins\n  belief: A coin", "chapter: dice\n  belief: A coin")
    log = build(tmp_path, "html", chapter=CHAPTER + others, yaml=yaml)
    errors = [line for line in log.splitlines() if "ERROR" in line]
    expected = ["chapter 'dice'", "nearest: coins-remember", "has no quiz"]
    assert len(errors) == len(expected)
    for error, line, words in zip(errors, (18, 20, 22), expected, strict=True):
        assert f"chapters/coins.md:{line}: ERROR: " in error
        assert words in error


@pytest.mark.slow
def test_a_mistake_in_the_file_is_an_error_of_the_page(tmp_path: Path) -> None:
    yaml = BELIEFS.replace("  tempting: They look it.\n", "")
    log = build(tmp_path, "html", yaml=yaml)
    (error,) = [line for line in log.splitlines() if "ERROR" in line]
    assert "chapters/coins.md:18: ERROR: " in error
    assert "wrong-beliefs.yml:27: a belief lacks the key 'tempting': add it" in error


@pytest.mark.slow
def test_a_quiz_without_the_file_of_beliefs_is_an_error(tmp_path: Path) -> None:
    assert "wrong-beliefs.yml is missing" in build(tmp_path, "html", yaml=None)


# ---- the page of all beliefs

ALL = (
    BELIEFS.replace("refutation: Tosses are", "refutation: The {glue:text}`heads` tosses are")
    + """\
- id: dice-are-fair
  chapter: dice
  belief: Dice are $f$.
  words: [dice, tosses, "1 in 6"]
  tempting: They look it.
  refutation: In {prf:ref}`tosses-are-independent` nothing says so.
  counterexample: print("0.17")
  claim: tosses-are-independent
  sources: [a book, another]
"""
)
HEAD = CHAPTER[: CHAPTER.index("# Coins")]
OTHERS = {
    "all": HEAD + "# All of them\n\n```{wrong-beliefs}\n```\n\nThe end.\n",
    "dice": "# *Dice*\n",
}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The page of all beliefs, with its file and the chapters, not built."""
    texts = {"coins.md": CHAPTER, "wrong-beliefs.yml": ALL}
    texts |= {f"{name}.md": text for name, text in OTHERS.items()}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "all.md"


def test_the_page_is_written_out_with_cells_and_labels(written: Path) -> None:
    page = source.read(written)
    titles = ["All of them", "Coins", "“A coin remembers.”", "“Coins are fair.”", "*Dice*"]
    assert [one.title for one in page.sections] == [*titles, "“Dice are $f$.”"]
    labels = ["beliefs-coins", "belief-coins-remember", "belief-coins-are-fair"]
    assert [name for name, _ in page.labels] == [*labels, "beliefs-dice", "belief-dice-are-fair"]
    known = beliefs.load(written.with_name("wrong-beliefs.yml"))
    assert [one.body for one in page.cells] == [one.counterexample for one in known.values()]
    assert "{glue:text}`coins.md::heads:s` tosses" in page.text
    assert page.text.endswith("\n\nThe end.\n")


def test_what_stands_on_the_page_is_found_where_it_was_written(written: Path) -> None:
    page = source.read(written)
    shown = page.text.split("\n")
    files = {path: path.read_text(encoding="utf-8").split("\n") for path, _ in page.origins}
    assert {path.name for path in files} == {"all.md", "wrong-beliefs.yml"}
    assert len(page.origins) == len(shown)
    for words in (
        "# All of them",
        "The end.",
        "A coin remembers",
        "After many",
        "look it",
        "from math",
        "comb(10, 7)",
        '"0.51"',
        "{prf:ref}`tosses-are-independent` noth",
    ):
        lines = [number for number, line in enumerate(shown, 1) if words in line]
        path, line = page.origin(lines[-1])
        assert words in files[path][line - 1]
    assert page.origin(page.cells[2].body_line) == (written.with_name("wrong-beliefs.yml"), 42)


def test_words_lead_to_their_beliefs(written: Path) -> None:
    index = source.read(written).text.split("By the words people use\n")[1].split("\n```")[0]
    assert index.split("\n") == [
        "- **1** [1 in 6](#belief-dice-are-fair)",
        "- **D** [dice](#belief-dice-are-fair)",
        "- **M** [memory](#belief-coins-remember)",
        "- **T** [tosses 1](#belief-coins-remember), [2](#belief-coins-are-fair), "
        "[3](#belief-dice-are-fair)",
    ]


def test_a_page_without_the_directive_is_as_written(written: Path) -> None:
    page = source.read(written.with_name("coins.md"))
    assert (page.text, page.origins) == (CHAPTER, ())
    assert page.origin(3) == (page.path, 3)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("dice.md", r"wrong-beliefs.yml:37: there is no chapter 'dice': name the file"),
        ("wrong-beliefs.yml", r"all.md:8: wrong-beliefs.yml is missing: write"),
    ],
)
def test_a_page_that_cannot_be_written_out_says_why(written: Path, file: str, words: str) -> None:
    written.with_name(file).unlink()
    with pytest.raises(SourceError, match=words):
        source.read(written)


@pytest.mark.slow
def test_the_page_shows_every_belief_with_what_its_cell_prints(tmp_path: Path) -> None:
    def shown() -> str:
        return (tmp_path / "_build" / "html" / "chapters" / "all.html").read_text(encoding="utf-8")

    log = build(tmp_path, "html", yaml=ALL, execute=True, others=OTHERS)
    assert "ERROR" not in log
    assert "WARNING:" not in log
    page = shown()
    text = " ".join(re.sub(r"<[^>]*>", "", page).split())
    assert "“A coin remembers.”" in text
    assert "Why it tempts. After many heads a tail seems due." in text
    assert "What refutes it. The seven tosses are independent." in text
    quiz = "Its quiz: “A coin remembers.” is in the chapter."  # the belief, for who hears the links
    assert f"120 of 1024 Settled by Theorem 1. {quiz} Met in a/b#1." in text
    assert "0.17 Settled by Theorem 1. Met in a book, another." in text
    for anchor in ("coins-remember", "coins-are-fair", "dice-are-fair"):
        assert f'id="belief-{anchor}"' in page
    assert 'href="coins.html#quiz-coins-remember"' in page
    assert 'href="coins.html#tosses-are-independent"' in page
    assert 'href="https://github.com/a/b/issues/1"' in page
    # another number in the chapter, another title, another belief: the page is made anew each time
    eight = CHAPTER.replace('"seven"', '"eight"')
    build(tmp_path, "html", yaml=ALL, chapter=eight, execute=True, others=OTHERS)
    assert "eight</span> tosses are independent" in shown()
    others = {**OTHERS, "dice": "# *Two dice*\n"}
    build(tmp_path, "html", yaml=ALL, chapter=eight, execute=True, others=others)
    assert "<em>Two dice</em>" in shown()
    yaml = ALL.replace("They look it", "They shine")
    log = build(tmp_path, "html", yaml=yaml, chapter=eight, execute=True, others=others)
    assert "WARNING:" not in log
    assert "They shine" in shown()
    assert "eight</span> tosses are independent" in shown()


@pytest.mark.slow
def test_a_belief_of_no_chapter_stops_the_build(tmp_path: Path) -> None:
    log = build(tmp_path, "html", yaml=ALL, others={"all": OTHERS["all"]})
    assert "wrong-beliefs.yml:37: there is no chapter 'dice': name the file, without .md" in log


# ---- the styles


def _colours(theme: str) -> dict[str, str]:
    block = STYLES.read_text(encoding="utf-8").split(theme + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--quiz-(\w+): (#\w{6});", block))


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [":root", 'html[data-theme="dark"]'])
def test_text_and_lines_stand_out_in_both_themes(theme: str) -> None:
    colours = _colours(theme)
    for ground in ("box", "option"):
        for text in ("text", "label", "right", "wrong"):  # WCAG 2.2, 1.4.3
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for line in ("line", "focus", "right", "wrong"):  # WCAG 2.2, 1.4.11
            assert _contrast(colours[line], colours[ground]) >= 3, (line, ground)
