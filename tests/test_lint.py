"""Every rule of web.lint finds its mistake, on its line and alone; the book itself has none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from web import lint, lint_rules, source

OURS = "nll" + "book"  # split, so that this file installs nothing by bare name either

CHAPTER = """\
---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  name: python3
---

# Coins

```{admonition} After this chapter you can
:class: objectives
- [count heads](#sec-count), and
  say why;
- compare coins ({ref}`sec-compare`).
```

(sec-question)=
## A question: which coin?

Text with `{nonsense}` in code, a {term}`coin`, {glue:text}`heads` and {eq}`eq-heads`.
% {nonsense}`in a comment`

$$
k = 7
$$ (eq-heads)

```text
{nonsense}`in a literal block`, ![](nothing.png)
```

(sec-count)=
## Counting

```{prf:theorem} Counting
:label: counting
Heads and tails add up.
```

```{code-cell} ipython3
from nllbook import check, glue, plotting

check("counting", 3 + 7, 10, exact=True)
glue("heads", "7")
print("pip install is not meant here")
```

(sec-compare)=
## Comparing

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-coins
    caption: The coins, with {glue:text}`heads` heads; see {prf:ref}`counting`.
  image:
    alt: A bar chart with two bars, one of them twice as tall as the other.
---
fig, axes = plotting.figure()
```

![Two coins on a table, one of them showing its head](coins.png) as in {numref}`the <fig-coins>`
and on the [page on dice](dice.md#dice-throws) or [below](#exercises).

```{quiz} coins-remember
```

## Exercises

```{exercise} Count
:label: ex-count
Count.
```

```{solution-start} ex-count
:class: dropdown
```

```{code-cell} ipython3
:tags: [hide-input]
1
2
3
4
5
6
7
8
9
10
11
12
13
14
15
16
```

```{solution-end}
```
"""

DICE = """\
---
jupytext: {text_representation: {format_name: myst}}
kernelspec: {name: python3}
---
# Dice

(dice-throws)=
## Throws

````{note}
```{figure} dice.png
:name: fig-dice
:alt: Two dice that show a two and a five, on a table.
Two dice.
```
````
"""

BELIEFS = """\
- id: coins-remember
  chapter: coins
  belief: A coin remembers, for all its {glue:text}`heads` heads.
  tempting: After many heads a tail seems due.
  refutation: See {prf:ref}`counting`.
  claim: counting
  sources: []
  quiz:
    question: Is a tail due?
    options:
      - {text: "Yes", correct: false, why: "No."}
      - {text: "No", correct: true, why: "It is independent."}
      - {text: "Sometimes", correct: false, why: "Never."}
"""

UNSHOWN = """\
- id: dice-forget
  chapter: dice
  belief: b
  tempting: t
  refutation: r
  sources: []
  quiz:
    question: q
    options:
      - {text: a, correct: true, why: w}
      - {text: b, correct: false, why: w}
      - {text: c, correct: false, why: w}
"""

BARS = "A bar chart with two bars, one of them twice as tall as the other."
COINS = "Two coins on a table, one of them showing its head"
DOTS = "Two dice that show a two and a five, on a table."
TOP = "# Dice\n"
FILES = {"coins.md": CHAPTER, "dice.md": DICE, "wrong-beliefs.yml": BELIEFS, "README.md": ""}


def lint_files(folder: Path, files: dict[str, str]) -> list[lint_rules.Finding]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    chapters = (name for name in files if name in ("coins.md", "dice.md"))
    pages = [source.read(folder / name, number) for number, name in enumerate(chapters, 1)]
    others = [folder / name for name in files]
    return lint.lint(pages, folder / "wrong-beliefs.yml", others)


def changed(file: str, old: str, new: str) -> dict[str, str]:
    text = FILES.get(file, "")
    assert text.count(old) == 1 or not old, f"{old!r} must stand once in {file}"
    return {**FILES, file: text.replace(old, new) if old else new}


# The rule, the file, what is replaced by what, and the text on the line that is to be reported.
CASES = [
    ("directive-known", "dice.md", "{note}", "{nite}", "{nite}"),
    ("directive-indent", "dice.md", TOP, TOP + "- x\n\n  ```{note}\n  ```\n", "{note}\n  "),
    ("directive-known", "coins.md", "## Exercises", "## Exercises\n```{datasets}\n```\n", "{datas"),
    ("role-known", "coins.md", "{term}`coin`", "{trem}`coin`", "{trem}"),
    ("role-known", "wrong-beliefs.yml", "It is independent.", "{bold}`It`.", "{bold}"),
    ("cell-nested", "dice.md", "Two dice.\n", "Two dice.\n```\n```{code-cell}\n1\n", "{code-cell}"),
    (
        "cell-python",
        "coins.md",
        "fig, axes = plotting.figure()\n",
        "fig = plotting.figure()\n1 +\n",
        "1 +",
    ),
    (
        "cell-length",
        "coins.md",
        ":tags: [hide-input]\n1\n",
        ":tags: [x]\n1\n",
        "{code-cell} ipython3\n:",
    ),
    ("page-runnable", "coins.md", "    format_name: myst\n", "    extension: .md\n", "---"),
    (
        "page-runnable",
        "coins.md",
        "\n  text_representation:\n    format_name: myst\n",
        " x\n",
        "---",
    ),
    ("page-runnable", "coins.md", "kernelspec:\n  name: python3\n", "", "---"),
    ("page-listed", "cards.md", "", "# Cards\n", "# Cards"),
    ("label-unique", "dice.md", "(dice-throws)=", "(dice-throws)=\n(sec-count)=", "(sec-count)="),
    ("label-unique", "dice.md", TOP, TOP + "(Counting)=\n", "(Counting)="),
    ("label-unique", "dice.md", TOP, TOP + "$$ a $$ (fig-coins)\n", "(fig-coins)"),
    ("label-unique", "dice.md", "fig-dice", "eq-heads", "{figure}"),
    ("reference-known", "coins.md", "{eq}`eq-heads`", "{eq}`eq-tails`", "eq-tails"),
    ("reference-known", "coins.md", "the <fig-coins>", "the <fig-coin>", "<fig-coin>"),
    ("reference-known", "coins.md", "dice.md#dice-throws", "dice.md#sec-coins", "dice.md"),
    ("reference-known", "coins.md", "(#exercises)", "(#solutions)", "(#solutions)"),
    ("reference-known", "wrong-beliefs.yml", "{prf:ref}`counting`", "{prf:ref}`c`", "{prf:ref}`c`"),
    (
        "figure-described",
        "coins.md",
        f"  image:\n    alt: {BARS}\n",
        "",
        "{code-cell} ipython3\n---",
    ),
    (
        "figure-described",
        "coins.md",
        "fig, axes = plotting.figure()\n```",
        "1\n```\n```{code-cell}\nplt.plot([1])\n```",
        "{code-cell}\nplt",
    ),
    ("figure-described", "dice.md", f":alt: {DOTS}\n", "", "{figure}"),
    ("figure-described", "coins.md", f"![{COINS}]", "![]", "![](coins"),
    ("alt-telling", "coins.md", BARS, "A bar chart.", "{code-cell} ipython3\n---"),
    (
        "alt-telling",
        "dice.md",
        "Two dice.",
        "Two dice that show a two\nand a five, on a table.",
        "{figure}",
    ),
    ("alt-telling", "coins.md", COINS, "Coins", "![Coins]"),
    ("claim-labelled", "dice.md", TOP, TOP + "```{prf:lemma}\nA die.\n```\n", "{prf:lemma}"),
    (
        "claim-once",
        "coins.md",
        "(sec-compare)=\n",
        "```{prf:lemma}\n:label: counting\n```\n\n(sec-compare)=\n",
        "{prf:lemma}",
    ),
    ("claim-known", "coins.md", 'glue("heads"', 'check("couning", 1, 1)\nglue("heads"', "couning"),
    ("claim-known", "coins.md", 'glue("heads"', 'check(f"{1}", 1, 1)\nglue("heads"', 'f"{1}'),
    ("claim-checked", "dice.md", TOP, TOP + "```{prf:lemma}\n:label: dice\n```\n", "{prf:lemma}"),
    (
        "exercise-solved",
        "dice.md",
        TOP,
        TOP + "```{exercise}\n:label: ex-dice\n```\n",
        "{exercise}",
    ),
    (
        "exercise-solved",
        "dice.md",
        TOP,
        TOP + "```{solution} ex-dice\n:class: dropdown\n```\n",
        "{solution}",
    ),
    ("solution-folded", "coins.md", ":class: dropdown\n", "", "{solution-start}"),
    (
        "objective-section",
        "coins.md",
        "- [count heads](#sec-count)",
        "- learn\n- [count heads](#sec-count)",
        "- learn",
    ),
    (
        "objective-section",
        "coins.md",
        "compare coins (",
        "[dice](dice.md#dice-throws) (",
        "- [dice]",
    ),
    (
        "objective-section",
        "coins.md",
        "## Exercises",
        "(sec-more)=\n## More\n\n## Exercises",
        "## More",
    ),
    ("beliefs-valid", "wrong-beliefs.yml", "claim: counting", "claim: couning", "- id"),
    (
        "beliefs-valid",
        "wrong-beliefs.yml",
        "  tempting: After many heads a tail seems due.\n",
        "",
        "- id",
    ),
    ("quiz-known", "dice.md", TOP, TOP + "```{quiz} coin-remembers\n```\n", "{quiz}"),
    ("quiz-known", "dice.md", TOP, TOP + "```{quiz} coins-forget\n```\n", "{quiz}"),
    (
        "quiz-shown",
        "wrong-beliefs.yml",
        "- id: coins-remember\n",
        UNSHOWN + "- id: coins-remember\n",
        "- id: dice",
    ),
    ("glue-known", "coins.md", "{glue:text}`heads` and", "{glue:text}`tails` and", "`tails`"),
    ("glue-known", "wrong-beliefs.yml", "{glue:text}`heads`", "{glue:text}`tails`", "`tails`"),
    ("glue-known", "dice.md", TOP, TOP + "{glue:text}`heads`\n", "{glue:text}"),
    ("glue-known", "dice.md", TOP, TOP + "{glue:text}`coins.md::tails:s`\n", "{glue:text}"),
    ("glue-used", "coins.md", 'glue("heads"', 'glue("tails", "3")\nglue("heads"', '"tails"'),
    ("install-bare", "README.md", "", f"# Read\n\n`pip install {OURS}`\n", "pip"),
    (
        "install-bare",
        "README.md",
        "",
        f"RUN python -m pip install -q numpy '{OURS}[torch]>=1'",
        "pip",
    ),
    ("install-bare", "README.md", "", f'"source": ["!pip install {OURS}\\n"]', "pip"),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)])
def test_a_rule_finds_its_mistake_and_nothing_else_is_found(
    tmp_path: Path, case: tuple[str, str, str, str, str]
) -> None:
    rule, file, old, new, marker = case
    files = changed(file, old, new)
    line = files[file].count("\n", 0, files[file].index(marker)) + 1
    found = lint_files(tmp_path, files)
    assert [(one.rule, one.path.name, one.line) for one in found] == [(rule, file, line)]
    assert ": " in found[0].message, "what is wrong, then what to do"


def test_a_good_book_has_no_findings(tmp_path: Path) -> None:
    assert lint_files(tmp_path, FILES) == []


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} == {rule.id for rule in lint.RULES}
    assert len({rule.id for rule in lint.RULES}) == len(lint.RULES)


def test_a_quiz_stands_once_and_in_its_chapter(tmp_path: Path) -> None:
    again = "# Dice\n```{quiz} coins-remember\n```\n"
    found = lint_files(tmp_path, changed("dice.md", TOP, again))
    assert [one.rule for one in found] == ["quiz-known"] * 2
    assert "belongs to the chapter 'coins'" in found[0].message + found[1].message
    assert "comes twice" in found[0].message + found[1].message


@pytest.mark.parametrize(
    "line",
    [
        "pip install -e .",
        f"pip install ./coursework/{OURS}",
        f"pip install {OURS}-0.1.0-py3-none-any.whl",
        f"pip install '{OURS} @ https://example.org/{OURS}.whl'",
        f"pip install {OURS}.whl",
        f"from {OURS} import check",
        f"pip install numpy && python -m {OURS}",
    ],
)
def test_other_installs_are_allowed(tmp_path: Path, line: str) -> None:
    assert lint_files(tmp_path, {**FILES, "README.md": line}) == []


def test_a_requirement_is_an_install(tmp_path: Path) -> None:
    found = lint_files(tmp_path, {**FILES, "requirements.txt": f"numpy\n{OURS}==0.1\n"})
    assert [(one.rule, one.line) for one in found] == [("install-bare", 2)]


def test_a_finding_names_the_nearest_claim_on_one_line(tmp_path: Path) -> None:
    edited = changed("coins.md", 'glue("heads"', 'check("couting", 1, 1)\nglue("heads"')
    text = str(lint_files(tmp_path, edited)[0])
    assert text.startswith(f"{tmp_path}/coins.md:44: no claim 'couting'")
    assert "(nearest: counting)" in text
    assert text.endswith("[claim-known]")
    assert "\n" not in text


def test_the_book_has_no_findings() -> None:
    assert [str(one) for one in lint.lint(source.pages(), files=lint.tracked())] == []


def test_the_command_exits_by_its_findings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = lint_rules.Finding(source.ROOT / "a.md", 1, "wrong: mend it")
    for found, status in (([], 0), ([finding], 1)):
        monkeypatch.setattr(lint, "lint", lambda *_, found=found, **__: found)
        assert lint.main() == status
    assert capsys.readouterr().out == "a.md:1: wrong: mend it []\n"


def test_the_command_runs() -> None:
    command = [sys.executable, "-m", "web.lint"]
    done = subprocess.run(command, cwd=source.ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("old", "new"), [("claim: counting", "claim: x"), ("belief:", "beleif:")])
def test_a_mistake_in_the_beliefs_makes_no_other_finding(
    tmp_path: Path, old: str, new: str
) -> None:
    files = changed("wrong-beliefs.yml", old, new)
    files["coins.md"] = files["coins.md"].replace("{glue:text}`heads`", "seven")
    assert [one.rule for one in lint_files(tmp_path, files)] == ["beliefs-valid"]


def test_broken_yaml_is_one_line_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    for text, words in (
        ("---\na: 1\nb: c: d\n---\n", "page.md:3: the front matter is not YAML (mapping values"),
        ("---\na: 1\n", "page.md:1: the front matter is never closed: close with ---"),
        ("---\n- a\n---\n", "page.md:1: the front matter is no mapping: write"),
        ("# A\n```{note}\n---\na: b: c\n---\n```\n", "page.md:4: the options are not YAML (map"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(source.SourceError) as error:
            source.read(path)
        assert words in str(error.value)
        assert "\n" not in str(error.value)


def test_without_git_the_tree_is_walked(tmp_path: Path) -> None:
    for name in ("README.md", "web/a.py", ".venv/b.py", "_build/c.html", ".ci/run"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert lint.tracked(tmp_path) == [tmp_path / "README.md", tmp_path / "web/a.py"]
