"""The committed notebooks are their chapters' own, executed, and sensitive to a single digit."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from web import committed, notebooks, plain_markdown, portable
from web.labels import Book
from web.plain_markdown import Writer
from web.source import ROOT, Chapter, SourceError, chapters, read

SAMPLE = Path(__file__).parent / "fixtures" / "sample.md"

REFERENCES = """
@article{fisher1922, author = {Fisher, Ronald A.}, title = {On the mathematical foundations},
  journal = {Phil. Trans.}, year = 1922, doi = {10.1098/rsta.1922.0009}}
@book{book1999, editor = {Ash, Ann and Birch, Bob}, title = {A book}, publisher = {P}, year = 1999}
@misc{team2020, author = {Ash, Ann and Birch, Bob and Cedar, Cy}, title = {Three}, year = 2020}
@misc{uncited, author = {Nobody, Ned}, title = {Unread}, year = 2001}
"""
BELIEFS = """
- id: density-above-one
  chapter: sample
  belief: A density is below 1.
  words: [density]
  tempting: A probability is.
  refutation: A density has a unit.
  counterexample: print(1 / 0.1)
  claim: second
  sources: [none]
  quiz:
    question: Can a density be {glue:text}`rate`, or more than 1?
    options:
      - {text: "Yes, *if* $a<b$", correct: true, why: "It has a unit, see {eq}`eq-labelled`."}
      - {text: "No", correct: false, why: "It is no probability."}
      - {text: "Never `a|b`", correct: false, why: "It is no probability."}
"""


def a_book(folder: Path, path: Path) -> tuple[Chapter, Book]:
    """A chapter as a book of its own, with the sample's references and quiz."""
    (folder / "references.bib").write_text(REFERENCES, encoding="utf-8")
    (folder / "beliefs.yml").write_text(BELIEFS, encoding="utf-8")
    chapter = read(path)
    return chapter, Book([chapter], folder / "beliefs.yml", folder / "references.bib")


def convert(folder: Path, myst: str) -> str:
    """A piece of MyST, in plain Markdown."""
    path = folder / "piece.md"
    path.write_text(myst, encoding="utf-8")
    chapter, book = a_book(folder, path)
    return Writer(book, chapter, {"rate": "0.610"}).write(chapter.text, 1)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Chapter, Book, str]:
    """The sample chapter, its book and its executed notebook."""
    chapter, book = a_book(tmp_path_factory.mktemp("sample"), SAMPLE)
    return chapter, book, notebooks.make(chapter, book)


def sources(text: str, kind: str) -> list[str]:
    return ["".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == kind]


# ---- conversion, a directive or role at a time

DISPLAYED = '<a id="eq-a"></a>\n$$\na = b \\tag{1}\n$$'
CONVERSIONS = {
    "comment": ("a\n% not for readers\nb", "a\nb"),
    "target": ("(here)=\n## Here", '<a id="here"></a>\n\n## Here'),
    "code": ("`{ref}` and ``{eq}`x` ``", "`{ref}` and ``{eq}`x` ``"),
    "fence": ("```python\n% x {ref}`y`\n```", "```python\n% x {ref}`y`\n```"),
    "roles": (
        "{sub}`2`{sup}`3` {kbd}`A` {math}`x` {term}`t` {term}`t <long>`",
        "<sub>2</sub><sup>3</sup> <kbd>A</kbd> $x$ t t",
    ),
    "abbr": ("{abbr}`NLL (loss (mean))`", '<abbr title="loss (mean)">NLL</abbr>'),
    "glue": ("is {glue:text}`rate`.", "is 0.610."),
    "equation": ("$$a = b$$ (eq-a)\n\n{eq}`eq-a`", f"{DISPLAYED}\n\n[(1)](#eq-a)"),
    "math": ("```{math}\n:label: eq-a\na = b\n```", DISPLAYED),
    "inline": ("a $$b$$ c", "a $$b$$ c"),
    "lines": ("$$\na \\\\\nb\n$$", "$$\n\\begin{aligned}\na \\\\\nb\n\\end{aligned}\n$$"),
    "align": (
        "$$\n\\begin{align*}a &= b\\end{align*}\n$$",
        "$$\n\\begin{aligned}a &= b\\end{aligned}\n$$",
    ),
    "in a list": ("- a\n  $$b$$ (eq-a)", '- a\n  <a id="eq-a"></a>\n  $$\n  b \\tag{1}\n  $$'),
    "theorem": (
        "```{prf:lemma} T\n:label: l\nB.\n```",
        '<a id="l"></a>**Lemma 1 (T).** B.',
    ),
    "one counter": (
        "```{prf:lemma}\nA.\n```\n```{prf:theorem}\nB.\n```\n```{prf:remark}\nC.\n```",
        "**Lemma 1.** A.\n\n**Theorem 2.** B.\n\n**Remark 1.** C.",
    ),
    "list first": ("```{prf:example}\n- a\n```", "**Example 1.**\n\n- a"),
    "proof": ("```{prf:proof}\nSo $x$.\n```", "*Proof.* So $x$. ∎"),
    "proof ends in maths": (
        "```{prf:proof}\nSo\n\n$$\nx\n$$\n```",
        "*Proof.* So\n\n$$\nx\n$$\n\n∎",
    ),
    "proof begins with maths": (
        "```{prf:proof}\n$$\nx\n$$\n```",
        "*Proof.*\n\n$$\nx\n$$\n\n∎",
    ),
    "prf:ref": (
        "{prf:ref}`l` {prf:ref}`that <l>`\n\n```{prf:lemma} T\n:label: l\nB.\n```",
        '[Lemma 1](#l) [that](#l)\n\n<a id="l"></a>**Lemma 1 (T).** B.',
    ),
    "note": ("```{note}\nB.\n```", "<blockquote>\n\n**Note.** B.\n\n</blockquote>"),
    "colons": (":::{tip}\nB.\n:::", "<blockquote>\n\n**Tip.** B.\n\n</blockquote>"),
    "first line": ("```{note} A.\n```", "<blockquote>\n\n**Note.** A.\n\n</blockquote>"),
    "admonition": (
        "```{admonition} Why?\nB.\n```",
        "<blockquote>\n\n**Why?** B.\n\n</blockquote>",
    ),
    "dropdown": (
        "```{dropdown} A $a<b$ `c`\nB.\n```",
        "<details>\n<summary>A $a\\lt{}b$ <code>c</code></summary>\n\nB.\n\n</details>",
    ),
    "nested": (
        "````{note}\n```{prf:proof}\nB.\n```\n````",
        "<blockquote>\n\n**Note.** *Proof.* B. ∎\n\n</blockquote>",
    ),
    "figure": (
        "```{figure} i/p.png\n:name: f\n:alt: Alt\nCaption.\n```\n{numref}`f` {numref}`P %s <f>`",
        '<a id="f"></a>![Alt](../chapters/i/p.png)\n\n*Fig. 1. Caption.*\n\n[Fig. 1](#f) [P 1](#f)',
    ),
    "list-table": (
        "```{list-table} C\n:header-rows: 1\n* - a\n  - b\n    c\n* - `x|y`\n  - $|z|$\n```",
        "*Table 1. C*\n\n| a | b c |\n| --- | --- |\n| `x\\|y` | $\\vert{}z\\vert{}$ |",
    ),
    "no header": (
        "```{list-table}\n* - a\n  - b\n```",
        "|  |  |\n| --- | --- |\n| a | b |",
    ),
    "table": (
        "```{table} C\n:name: t\n| a |\n| --- |\n```\n{numref}`t`",
        '<a id="t"></a>*Table 1. C*\n\n| a |\n| --- |\n\n[Table 1](#t)',
    ),
    "definition list": ("Term\n: What it means.", "- **Term**: What it means."),
    "exercise": (
        "```{exercise} T\n:label: e\nB.\n```\n```{solution} e\nS.\n```",
        '<a id="e"></a>**Exercise 1 (T).** B.\n\n'
        "<details>\n<summary>Solution to Exercise 1</summary>\n\nS.\n\n</details>",
    ),
    "gated": (
        "```{exercise-start}\n:label: e\n```\nB.\n```{exercise-end}\n```\n"
        "```{solution-start} e\n```\nS.\n```{solution-end}\n```",
        '<a id="e"></a>**Exercise 1.**\n\nB.\n\n'
        "<details>\n<summary>Solution to Exercise 1</summary>\n\nS.\n\n</details>",
    ),
    "code-block": ("```{code-block} python\n{ref}`x`\n```", "```python\n{ref}`x`\n```"),
    "cite": ("{cite}`book1999`", "(Ash and Birch 1999)"),
    "cite:p": (
        "{cite:p}`fisher1922,{see}team2020{p. 5}`",
        "([Fisher 1922](https://doi.org/10.1098/rsta.1922.0009); see Ash et al. 2020, p. 5)",
    ),
    "cite:t": ("{cite:t}`team2020`", "Ash et al. (2020)"),
    "section": (
        "# Title\n\n(s)=\n## On `x`\n\n{ref}`s` {ref}`it <s>` [](#s) {doc}`piece` [](piece.md#s)",
        '# Title\n\n<a id="s"></a>\n\n## On `x`\n\n'
        "[On `x`](#s) [it](#s) [On `x`](#s) [Title](../chapters/piece.md) [On `x`](#s)",
    ),
    "linked heading": (
        "## A Heading\n\n[it](#a-heading)",
        '<a id="a-heading"></a>\n\n## A Heading\n\n[it](#a-heading)',
    ),
    "files": (
        "[r](../README.md) ![i](i.png){width=50%} [w](https://x.org)",
        "[r](../README.md) ![i](../chapters/i.png) [w](https://x.org)",
    ),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_conversion(name: str, tmp_path: Path) -> None:
    myst, markdown = CONVERSIONS[name]
    assert convert(tmp_path, myst) == markdown


def test_the_sample_uses_every_directive_and_role_that_can_be_converted() -> None:
    chapter = read(SAMPLE)
    used = {directive.name for directive in chapter.directives}
    assert not plain_markdown.DIRECTIVES - used
    assert not plain_markdown.ROLES - {role.name for role in chapter.roles}


def test_quiz(tmp_path: Path) -> None:
    statement = "```{prf:lemma}\n:label: second\nB.\n```\n$$x$$ (eq-labelled)\n\n"
    markdown = convert(tmp_path, statement + "```{quiz} density-above-one\n```")
    assert "**Quiz.** Can a density be 0.610, or more than 1?\n\n<details>" in markdown
    assert "<summary>Yes, <em>if</em> $a\\lt{}b$</summary>\n\n✓ Right. It has a unit" in markdown
    assert "see [(1)](#eq-labelled). See [Lemma 1](#second).\n\n</details>" in markdown
    assert "<summary>No</summary>\n\n✗ Not so. It is no probability." in markdown


def test_bibliography_lists_what_is_cited_alone(tmp_path: Path) -> None:
    markdown = convert(tmp_path, "{cite:t}`team2020` {cite}`book1999`\n\n```{bibliography}\n```")
    assert [line[:7] for line in markdown.split("\n")[2:]] == ["- Ann A", "- Ann A"]
    assert "Three" in markdown
    assert "Unread" not in markdown


def test_links_to_other_pages(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# Other\n\n(far)=\n## Far\n\n```{code-cell}\n```\n")
    (tmp_path / "words.md").write_text("# Words\n\n## KL divergence\n")
    (tmp_path / "piece.md").write_text(
        "[a](other.md) {doc}`other` {ref}`far` [](other.md#far) [w](words.md#kl-divergence)"
    )
    pages = [read(tmp_path / f"{name}.md") for name in ("piece", "other", "words")]
    assert Writer(Book(pages), pages[0], {}).write(pages[0].text, 1) == (
        "[a](other.ipynb) [Other](other.ipynb) [Far](other.ipynb#far) [Far](other.ipynb#far) "
        "[w](../chapters/words.md#kl-divergence)"
    )


@pytest.mark.parametrize(
    ("myst", "line", "message"),
    [
        ("a\n\n```{grid} 2\n```", 3, "{grid} is a directive that notebooks cannot show: write it"),
        ("a\nb {download}`x`", 2, "{download} is a role that notebooks cannot show: write it"),
        ("````{note}\n\n```{grid}\n```\n````", 3, "{grid} is a directive"),
        ("- a\n\n  ```{note}\n  b\n  ```", 3, "{note} is indented: start it in column 1"),
        ("{ref}`nowhere`", 1, "nothing in the book has the label 'nowhere'"),
        ("[x](#nowhere)", 1, "no page has the label 'nowhere'"),
        ("\n{glue:text}`pi`", 2, "no cell emits glue('pi', …): add it"),
        ("{cite}`nobody`", 1, "references.bib has no entry 'nobody'"),
        ("```{quiz} no-such\n```", 1, "beliefs.yml has no quiz 'no-such'"),
        ("```{list-table}\n* - a\nb\n```", 3, "no cell of a list-table"),
        ("```{note}\nb", 1, "the fence ``` is never closed"),
    ],
)
def test_mistakes_name_their_place(tmp_path: Path, myst: str, line: int, message: str) -> None:
    with pytest.raises(SourceError, match=re.escape(message)) as error:
        convert(tmp_path, myst)
    assert f"piece.md:{line}: " in str(error.value)


def test_a_code_cell_inside_a_directive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "piece.md"
    path.write_text("````{note}\n```{code-cell}\n1\n```\n````\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"piece.md:2: a code cell inside \{note\}: move it out"):
        notebooks.read_pieces(read(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("```{code-cell}\n:tags: 5\n1\n```\n", "this makes no notebook (5 is not of type 'array'"),
        ("---\nkernelspec: 5\n---\n# A\n", "this makes no notebook (5 is not of type 'object'"),
        (
            "```{code-cell}\n:tags: a: b\n1\n```\n",
            "this makes no notebook (Code cell 0 at line 1 could",
        ),
    ],
)
def test_what_makes_no_notebook_is_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "piece.md").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=re.escape(words)) as error:
        notebooks.read_pieces(read(tmp_path / "piece.md"))
    assert "\n" not in str(error.value)


# ---- cells


def test_an_inserted_cell_moves_no_other_id(tmp_path: Path) -> None:
    def ids(text: str) -> list[str]:
        path = tmp_path / "piece.md"
        path.write_text(text, encoding="utf-8")
        chapter, book = a_book(tmp_path, path)
        pieces = notebooks.read_pieces(chapter)
        return [cell.id for cell in notebooks.assemble(chapter, book, pieces, {}).cells]

    cell, other = "```{code-cell}\nx = 1\n```\n", "```{code-cell}\ny = 2\n```\n"
    before, after = ids(f"A.\n\n{cell}{cell}"), ids(f"A.\n\n{other}{cell}{cell}")
    assert len(set(before)) == 4
    assert after == [*before[:2], after[2], *before[2:]]


def run_cells(folder: Path, *cells: str) -> list[dict[str, Any]]:
    path = folder / "piece.md"
    blocks = [f"```{{code-cell}}\n{cell}\n```" for cell in cells]
    path.write_text("\n\n".join(blocks), encoding="utf-8")
    made = json.loads(notebooks.make(*a_book(folder, path)))
    return [cell for cell in made["cells"] if cell["cell_type"] == "code"]


@pytest.mark.slow
def test_outputs_are_kept_without_what_differs_between_machines(tmp_path: Path) -> None:
    first, second, third = run_cells(
        tmp_path,
        "import sys\nprint('a')\nsys.stdout.flush()\nprint('b')",
        "from nllbook import check\ncheck('one', 1.0, 1.0, rtol=1e-9)\n3.0",
        ":tags: [raises-exception]\n1 / 0",
    )
    assert [output["text"] for output in first["outputs"]] == [["a\n", "b\n"]]
    assert second["outputs"][0]["data"] == {"text/plain": ["✓ one: within rtol 1e-09"]}
    assert [output["metadata"] for output in second["outputs"]] == [{}, {}]
    assert second["outputs"][1]["execution_count"] == second["execution_count"] == 2
    assert third["outputs"][0]["traceback"] == ["ZeroDivisionError: division by zero"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1 / 0", "the cell raises ZeroDivisionError: division by zero: mend the cell"),
        ("import sys\nprint('oh', file=sys.stderr)", "the cell writes to stderr (oh): mend"),
        ("object()", "which no two machines share: do not show it"),
        ("import os\nprint(os.getcwd())", "the output holds a path"),
    ],
)
def test_cells_that_cannot_be_committed(tmp_path: Path, cell: str, message: str) -> None:
    with pytest.raises(SourceError, match=re.escape(message)) as error:
        run_cells(tmp_path, "x = 1", cell)
    assert "piece.md:5: " in str(error.value)


@pytest.mark.slow
def test_sample_reads_well(sample: tuple[Chapter, Book, str]) -> None:
    text = sample[2]
    markdown = "\n\n".join(sources(text, "markdown"))
    assert "Generated from [chapters/sample.md]" in sources(text, "markdown")[0]
    assert "The rate is 0.610." in markdown
    assert '<a id="fig-line"></a><em>Fig. 1. A *line* of slope 0.610.</em>' in markdown
    assert "*An empty figure.*" in markdown
    assert "*Fig. 2. What the picture shows.*" in markdown
    assert not unread(markdown)


@pytest.mark.slow
def test_folded_cells_stay_and_are_folded(sample: tuple[Chapter, Book, str]) -> None:
    code = [cell for cell in json.loads(sample[2])["cells"] if cell["cell_type"] == "code"]
    assert len(code) == len(sample[0].cells)
    folded = {"cellView": "form", "jupyter": {"source_hidden": True}}
    assert code[1]["metadata"] == {"tags": ["hide-input"], **folded}
    assert code[3]["metadata"] == {"tags": ["hide-cell"], **folded}
    assert code[0]["metadata"] == {}


@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes(sample: tuple[Chapter, Book, str]) -> None:
    chapter, book, text = sample
    assert notebooks.make(chapter, book) == text
    assert text.endswith("}\n")


# ---- a stale notebook


@pytest.mark.slow
def test_a_stale_notebook_is_found(sample: tuple[Chapter, Book, str], tmp_path: Path) -> None:
    chapter, book, text = sample
    path = tmp_path / "sample.ipynb"
    start = f"tests/fixtures/sample.md: {path} is "
    assert notebooks.stale(chapter, book, path) == f"{start}missing: run make notebooks"
    path.write_text(text, encoding="utf-8")
    assert notebooks.stale(chapter, book, path) is None
    for old, new, how in [
        ("rate = 122 / 200", "rate = 123 / 200", "stale (cell 3 differs)"),
        ("The rate is 0.610.", "The rate is 0.611.", "stale (cell 5 differs)"),
        ('"hide-input"', '"hide-output"', "stale (cell 4 differs)"),
        ('"execution_count": 1,', '"execution_count": null,', "not executed (cell 3)"),
        ('"name": "python3"', '"name": "python4"', "stale (its metadata differs)"),
    ]:
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        assert notebooks.stale(chapter, book, path) == f"{start}{how}: run make notebooks"
    cut = json.loads(text)
    last = len(cut["cells"])
    del cut["cells"][-1]
    path.write_text(json.dumps(cut), encoding="utf-8")
    assert f"cell {last} differs" in str(notebooks.stale(chapter, book, path))


def nbval(path: Path) -> tuple[int, str]:
    """Exit status and report of nbval's comparison of a notebook with a re-run."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no", "-q"]
    command += ["-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={path.parent}", str(path)]
    environment = {**os.environ, "MPLBACKEND": ""}
    done = subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "cell"),
    [
        ('"0.61\\n"', '"0.62\\n"', 0),
        ('"application/papermill.record/text/plain": "\'0.610\'"', "…: \"'0.611'\"", 1),
        ("within rtol 1e-12", "within rtol 1e-13", 0),
        ('"two\\n"', '"too\\n"', 5),
    ],
)
def test_nbval_sees_a_tampered_output(
    sample: tuple[Chapter, Book, str], tmp_path: Path, old: str, new: str, cell: int
) -> None:
    path = tmp_path / "sample.ipynb"
    text = sample[2]
    assert text.count(old) == 1
    new = new.replace("…", old.split(": ")[0])
    path.write_text(text.replace(old, new), encoding="utf-8")
    status, report = nbval(path)
    assert status == 1
    assert re.findall(r"^FAILED .*::Cell (\d+)", report, re.MULTILINE) == [str(cell)]


@pytest.mark.slow
def test_nbval_passes_what_was_not_tampered_with(
    sample: tuple[Chapter, Book, str], tmp_path: Path
) -> None:
    path = tmp_path / "sample.ipynb"
    path.write_text(sample[2], encoding="utf-8")
    status, report = nbval(path)
    assert status == 0, report
    assert f"{len(sample[0].cells)} passed" in report


# ---- the committed notebooks


def unread(markdown: str) -> list[str]:
    """What is left of MyST outside code."""
    text = re.sub(
        r"(?ms)^(`{3,}).*?^\1|(`+).+?\2", lambda m: "`" if m[0][:3] != "```" else "", markdown
    )
    return re.findall(r"(?m)\{[a-z:]+\}`.*|^:::.*|^\(\S+\)=$|^%.*|\$\$[ ]*\(.*", text)


def test_unread_finds_myst() -> None:
    assert unread("a {eq}`b`\n(x)=\n% y\n$$x$$ (z)") == ["{eq}`", "(x)=", "% y", "$$ (z)"]


@pytest.mark.slow
def test_the_committed_notebooks_are_those_of_the_chapters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {path.stem for path in notebooks.NOTEBOOKS.glob("*.ipynb")}
    assert names == {chapter.name for chapter in chapters()}
    assert notebooks.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


WHOLE = {chapter.name for chapter in chapters() if committed.needs(chapter)}


@pytest.mark.parametrize(
    "path", sorted(notebooks.NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem
)
def test_committed_notebooks_hold_text_alone(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    kept = {"scrapbook"}
    if path.stem in WHOLE:  # it stands for a run, where the package that it needs is missing
        kept |= {"nllbook"}
    else:
        assert '"image/' not in text
    assert str(ROOT) not in text
    made = json.loads(text)
    assert made["metadata"] == notebooks.METADATA
    code = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    # nbval passes a cell without a count unseen
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    for output in (output for cell in code for output in cell["outputs"]):
        assert set(output.get("metadata", {})) <= kept
        assert output.get("name") != "stderr"
    assert not unread("\n\n".join(sources(text, "markdown")))


# ---- the site's numbers

CONF = """\
extensions = ["myst_nb", "sphinx_proof", "sphinx_exercise"]
myst_enable_extensions = ["amsmath", "dollarmath"]
numfig = True
prf_realtyp_to_countertyp = dict.fromkeys(["corollary", "lemma", "proposition"], "theorem")
html_math_renderer = "mathjax"
"""


@pytest.mark.slow
def test_the_numbers_are_those_of_the_site(tmp_path: Path) -> None:
    first, head = chapters()[0], "---\nfile_format: mystnb\n"
    (tmp_path / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "one.md").write_text(first.text, encoding="utf-8")
    sample = SAMPLE.read_text(encoding="utf-8")
    (tmp_path / "two.md").write_text(sample.replace("---\n", head, 1), encoding="utf-8")
    (tmp_path / "last.md").write_text("# Last\n\n$$x$$ (eq-last)\n", encoding="utf-8")
    toc = "# A\n```{toctree}\n:numbered:\none\ntwo\n```\n```{toctree}\nlast\n```\n"
    (tmp_path / "index.md").write_text(toc, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", ".", "_build"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    numbers = {"one": 1, "two": 2, "last": None}
    pages = [read(tmp_path / f"{name}.md", number) for name, number in numbers.items()]
    book = Book(pages)
    shown = re.compile(r'(?:caption-number|eqno)">([^<]*)<')
    for page in pages:
        html = (tmp_path / "_build" / f"{page.name}.html").read_text(encoding="utf-8")
        ours = [label for label in book.places.values() if label.page is page and label.number]
        assert ours
        assert sorted(map(str.strip, shown.findall(html))) == sorted(one.text for one in ours)
        for one in ours:
            if one.name:
                start = html.index(f'id="{"equation-" * (one.kind == "Equation")}{one.name}"')
                match = shown.search(html, start)
                assert match
                assert match[1].strip() == one.text


# ---- other machines


@pytest.mark.slow
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="only there is it certain that something can be reduced",
)
def test_other_arithmetic_changes_bits() -> None:
    settings, missing = portable.other_arithmetic()
    assert not missing
    assert set(settings) == {"NPY_DISABLE_CPU_FEATURES", "OPENBLAS_CORETYPE"}
    assert portable.differing(portable.basket({}), portable.basket({})) == []


@pytest.mark.slow
def test_portable_fails_where_an_output_differs(
    sample: tuple[Chapter, Book, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portable, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(portable, "other_arithmetic", lambda: ({}, []))
    assert portable.main() == 1  # nothing to run
    (tmp_path / "sample.ipynb").write_text(sample[2], encoding="utf-8")
    assert portable.main() == 0
    (tmp_path / "sample.ipynb").write_text(sample[2].replace('"0.61\\n"', '"0.62\\n"'))
    assert portable.main() == 1


@pytest.mark.slow
def test_the_cells_of_a_solution_are_folded_whole_and_no_others() -> None:
    for chapter in chapters():
        starts = chapter.named("solution-start")
        ends = chapter.named("solution-end")
        spans = [(start.line, end.line) for start, end in zip(starts, ends, strict=True)]
        inside = {
            cell.body.strip("\n")
            for cell in chapter.cells
            if any(start < cell.line < end for start, end in spans)
        }
        path = ROOT / "notebooks" / f"{chapter.name}.ipynb"
        folded = {
            cell.source
            for cell in nbformat.read(path, as_version=4).cells
            if cell.metadata.get("jupyter", {}).get("outputs_hidden")
        }
        assert bool(inside) == bool(starts)
        assert folded == inside
