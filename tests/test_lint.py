"""Every rule of web.lint finds its mistake, on its line and alone; the book itself has none."""

from __future__ import annotations

import re
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

See {numref}`fig-dice`.

````{note}
```{figure} dice.png
:name: fig-dice
:alt: Two dice that show a two and a five, on a table.
Two dice.
```
````

```{glossary}
coin
  A disc with two sides.
```
"""

BELIEFS = """\
- id: coins-remember
  chapter: coins
  belief: A coin remembers, for all its {glue:text}`heads` heads.
  tempting: After many heads a tail seems due.
  words: [memory]
  refutation: See {prf:ref}`counting`.
  counterexample: |
    from math import comb

    print(f"{comb(10, 7)} of 1024")
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
  words: [w]
  refutation: r
  counterexample: print(1)
  claim: counting
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
BARE_FIGURE = "```{figure} 2.png\n:alt: Two more dice, which show two sixes.\nMore.\n```\n"
COUNTING = "```{prf:theorem} Counting"
PRINT = 'print("pip install is not meant here")'
FILES = {"coins.md": CHAPTER, "dice.md": DICE, "wrong-beliefs.yml": BELIEFS, "README.md": ""}


def lint_files(folder: Path, files: dict[str, str]) -> list[lint_rules.Finding]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    numbers = {"coins.md": 1, "dice.md": None}  # a chapter, and a page outside the numbered parts
    pages = [source.read(folder / name, numbers[name]) for name in files if name in numbers]
    others = [folder / name for name in files]
    return lint.lint(pages, folder / "wrong-beliefs.yml", others)


def changed(file: str, old: str, new: str) -> dict[str, str]:
    text = FILES.get(file, "")
    assert text.count(old) == 1 or not old, f"{old!r} must stand once in {file}"
    return {**FILES, file: text.replace(old, new) if old else new}


# The rule, the file, what is replaced by what, and the text on the line that is to be reported.
CASES = [
    ("nll-markup-001", "dice.md", "{note}", "{nite}", "{nite}"),
    ("nll-markup-002", "dice.md", TOP, TOP + "- x\n\n  ```{note}\n  ```\n", "{note}\n  "),
    ("nll-markup-001", "coins.md", "## Exercises", "## Exercises\n```{datasets}\n```\n", "{datas"),
    ("nll-markup-001", "coins.md", "{term}`coin`", "{trem}`coin`", "{trem}"),
    ("nll-markup-001", "wrong-beliefs.yml", "It is independent.", "{bold}`It`.", "{bold}"),
    (
        "nll-cell-001",
        "coins.md",
        COUNTING,
        f"````{{note}}\n```{{code-cell}}\n1\n```\n````\n\n{COUNTING}",
        "{code-cell}\n1",
    ),
    (
        "nll-cell-002",
        "coins.md",
        "fig, axes = plotting.figure()\n",
        "fig = plotting.figure()\n1 +\n",
        "1 +",
    ),
    (
        "nll-cell-003",
        "coins.md",
        ":tags: [hide-input]\n1\n",
        ":tags: [x]\n1\n",
        "{code-cell} ipython3\n:",
    ),
    ("nll-cell-004", "coins.md", "glue, plotting", "glue, ploting", "from nllbook"),
    ("nll-page-001", "coins.md", "    format_name: myst\n", "    extension: .md\n", "---"),
    (
        "nll-page-001",
        "coins.md",
        "\n  text_representation:\n    format_name: myst\n",
        " x\n",
        "---",
    ),
    ("nll-page-001", "coins.md", "kernelspec:\n  name: python3\n", "", "---"),
    ("nll-page-002", "cards.md", "", "# Cards\n", "# Cards"),
    ("nll-label-001", "dice.md", "(dice-throws)=", "(dice-throws)=\n(sec-count)=", "(sec-count)="),
    ("nll-label-001", "dice.md", TOP, TOP + "(Counting)=\n", "(Counting)="),
    ("nll-label-001", "dice.md", TOP, TOP + "$$ a $$ (fig-coins)\n", "(fig-coins)"),
    ("nll-label-001", "dice.md", TOP, TOP + "(fig-dice)=\n", "{figure}"),
    ("nll-label-002", "coins.md", "{eq}`eq-heads`", "{eq}`eq-tails`", "eq-tails"),
    ("nll-label-002", "coins.md", "and on the [", "{numref}`a <fig-coin>` [", "<fig-coin>"),
    ("nll-label-002", "coins.md", "dice.md#dice-throws", "dice.md#sec-coins", "dice.md"),
    ("nll-label-002", "coins.md", "(#exercises)", "(#solutions)", "(#solutions)"),
    ("nll-label-002", "coins.md", "{eq}`eq-heads`", "{term}`a head <heads>`", "{term}"),
    ("nll-label-002", "wrong-beliefs.yml", "{prf:ref}`counting`", "{prf:ref}`c`", "{prf:ref}`c`"),
    (
        "nll-figure-001",
        "coins.md",
        f"  image:\n    alt: {BARS}\n",
        "",
        "{code-cell} ipython3\n---",
    ),
    (
        "nll-figure-001",
        "coins.md",
        "fig, axes = plotting.figure()\n```",
        "1\n```\n```{code-cell}\nplt.plot([1])\n```",
        "{code-cell}\nplt",
    ),
    ("nll-figure-001", "dice.md", f":alt: {DOTS}\n", "", "{figure}"),
    ("nll-figure-001", "dice.md", "Two dice.\n", "\n", "{figure}"),
    ("nll-figure-001", "dice.md", TOP, TOP + BARE_FIGURE, "{figure} 2.png"),
    ("nll-figure-001", "coins.md", f"![{COINS}]", "![]", "![](coins"),
    ("nll-figure-002", "coins.md", BARS, "A bar chart.", "{code-cell} ipython3\n---"),
    (
        "nll-figure-002",
        "dice.md",
        "Two dice.",
        "Two dice that show a two\nand a five, on a table.",
        "{figure}",
    ),
    ("nll-figure-002", "coins.md", COINS, "Coins", "![Coins]"),
    ("nll-claim-001", "dice.md", TOP, TOP + "```{prf:lemma}\nA die.\n```\n", "{prf:lemma}"),
    (
        "nll-claim-001",
        "coins.md",
        "(sec-compare)=\n",
        "```{prf:lemma}\n:label: counting\n```\n\n(sec-compare)=\n",
        "{prf:lemma}",
    ),
    (
        "nll-claim-002",
        "coins.md",
        'glue("heads"',
        'check("couning", 1, 1)\nglue("heads"',
        "couning",
    ),
    ("nll-claim-002", "coins.md", 'glue("heads"', 'check(f"{1}", 1, 1)\nglue("heads"', 'f"{1}'),
    ("nll-claim-002", "dice.md", TOP, TOP + "```{prf:lemma}\n:label: dice\n```\n", "{prf:lemma}"),
    (
        "nll-exercise-001",
        "dice.md",
        TOP,
        TOP + "```{exercise}\n:label: ex-dice\n```\n",
        "{exercise}",
    ),
    (
        "nll-exercise-001",
        "dice.md",
        TOP,
        TOP + "```{solution} ex-dice\n:class: dropdown\n```\n",
        "{solution}",
    ),
    ("nll-exercise-002", "coins.md", ":class: dropdown\n", "", "{solution-start}"),
    (
        "nll-objective-001",
        "coins.md",
        "- [count heads](#sec-count)",
        "- learn\n- [count heads](#sec-count)",
        "- learn",
    ),
    (
        "nll-objective-001",
        "coins.md",
        "compare coins (",
        "[dice](dice.md#dice-throws) (",
        "- [dice]",
    ),
    (
        "nll-objective-001",
        "coins.md",
        "## Exercises",
        "(sec-more)=\n## More\n\n## Exercises",
        "## More",
    ),
    ("nll-quiz-001", "wrong-beliefs.yml", "claim: counting", "claim: couning", "  claim:"),
    (
        "nll-quiz-001",
        "wrong-beliefs.yml",
        "  tempting: After many heads a tail seems due.\n",
        "",
        "- id",
    ),
    ("nll-quiz-002", "dice.md", TOP, TOP + "```{quiz} coin-remembers\n```\n", "{quiz}"),
    ("nll-quiz-002", "dice.md", TOP, TOP + "```{quiz} coins-forget\n```\n", "{quiz}"),
    (
        "nll-quiz-002",
        "wrong-beliefs.yml",
        "- id: coins-remember\n",
        UNSHOWN.replace("chapter: dice", "chapter: coins") + "- id: coins-remember\n",
        "- id: dice",
    ),
    (
        "nll-belief-001",
        "wrong-beliefs.yml",
        "- id: coins-remember\n",
        UNSHOWN[: UNSHOWN.index("  quiz:")] + "- id: coins-remember\n",
        "- id: coins",
    ),
    *[
        ("nll-belief-002", "wrong-beliefs.yml", old, new, marker)
        for old, new, marker in (
            ("comb(10, 7)}", "comb(10, 7) }" + " " * 80, "    print"),
            ("    print(", "    len(", "    from math"),
            ("    print(", "    import scipy.stats\n    print(", "    import scipy"),
            ("from math", "from torch.nn", "from torch"),
        )
    ],
    ("nll-number-001", "coins.md", "{glue:text}`heads` and", "{glue:text}`tails` and", "`tails`"),
    ("nll-number-001", "wrong-beliefs.yml", "{glue:text}`heads`", "{glue:text}`tails`", "`tails`"),
    ("nll-number-001", "dice.md", TOP, TOP + "{glue:text}`heads`\n", "{glue:text}"),
    ("nll-number-001", "dice.md", TOP, TOP + "{glue:text}`coins.md::tails:s`\n", "{glue:text}"),
    ("nll-number-001", "coins.md", 'glue("heads"', 'glue("tails", "3")\nglue("heads"', '"tails"'),
    ("nll-install-001", "README.md", "", f"# Read\n\n`pip install {OURS}`\n", "pip"),
    ("nll-figure-003", "dice.md", "See {numref}`fig-dice`.", "", "{figure}"),
    ("nll-figure-003", "dice.md", "See {numref}`fig-dice`.", "See {ref}`fig-dice`.", "{figure}"),
    (
        "nll-figure-003",
        "coins.md",
        "{numref}`the <fig-coins>`",
        "the figure",
        "{code-cell} ipython3\n---",
    ),
    *[
        ("nll-number-002", "coins.md", COUNTING, f"{typed}\n\n{COUNTING}", typed)
        for typed in (
            "The mean is 7.25.",
            "There are 7,250 heads.",
            "There are 725 heads.",
            "About 73 per cent are heads.",
            "About 73 % are heads.",
            "A loss of −7.25 nats in $n = 7.25$ flips.",
            "In chapter 1.2 the mean was 7.25.",
        )
    ],
    ("nll-number-002", "coins.md", "with two bars, one", "with 725 bars, one", "with 725"),
    ("nll-number-002", "coins.md", "The coins, with", "Of 1,875 coins", "Of 1,875"),
    (
        "nll-number-002",  # an input, but of another cell
        "coins.md",
        f"{BARS}\n---\nfig, axes = plotting.figure()\n```",
        f"Of 725, {BARS}\n---\nfig, axes = plotting.figure()\n```\n```{{code-cell}}\n725\n```",
        "Of 725",
    ),
    (
        "nll-number-002",
        "coins.md",
        "and on the [",
        "\n```{image} coins.png\n:alt: Some of the 725 coins, on a table.\n```\n[",
        "Some of",
    ),
    ("nll-number-002", "wrong-beliefs.yml", "a tail seems due", "7.25 tails are due", "- id"),
    *[
        ("nll-loss-001", "coins.md", PRINT, printed, "print(")
        for printed in (
            'print(f"NLL {x:.2f}")',
            'print(f"NLL {x:.2f} nats")',
            'print(f"mean loss {x:.2f}")',
            'print(f"{x:.2f} nats")',
            'print(f"{x:.2f} bits, {y:.2f} bits")',
            'print(f"{nll(x, model):.2f}")',
            "print(entropy(p))",
            "print(*[nllbook.kl_divergence(p, q) for q in others])",
            'print("log-likelihood", x)',
            'print(f"mean {nll(x, model):.2f}")',
            'print(f"{nll(x, model):.0f} bytes")',
            'print(f"NLL {x:.2f} nats, KL {y:.2f} nats")',
        )
    ],
    *[
        ("nll-loss-001", "coins.md", PRINT, f"{before}\n    {printed}", printed)
        for before, printed in (
            ('for name in ("NLL", "KL"):', 'print(f"{name}: {x:.2f}")'),
            ("if True:\n    pair = nll(x, a), nll(x, b)", "print(pair)"),
        )
    ],
    (
        "nll-loss-001",
        "coins.md",
        PRINT,
        "train, test = (nll(x, model) for x in parts)\nprint(train)",
        "print(train",
    ),
    (
        "nll-loss-001",
        "coins.md",
        PRINT,
        'line = f"train {nll(x, model):.2f}"\nprint(line)',
        "print(line",
    ),
    *[
        ("nll-simulation-001", "coins.md", PRINT, drawn, drawn)
        for drawn in (
            "rng = np.random.default_rng()",
            "rng = default_rng(None)",
            "rng = np.random.default_rng(seed)",
            "x = np.random.normal(0, 1)",
            "np.random.seed(7)",
            "x = random.random()",
        )
    ],
    *[
        (
            "nll-simulation-002",
            "coins.md",
            PRINT,
            f"draws = np.random.default_rng(7).normal(0, 1, 100)\n{shown}",
            shown.split("\n")[-1],
        )
        for shown in (
            'print(f"{draws.mean():.2f}")',
            'print(f"{np.mean(draws > 0):.0%} are above")',
            "mean = draws.mean()\nprint(mean, 'on average')",
            'check("counting", draws.std(), 1.0, rtol=0.1)',
            "squares = [x**2 for x in draws]\nprint(np.var(squares))",
            "means = []\nfor x in draws:\n    means.append(x)\nprint(np.mean(means))",
            "def of(x):\n    return draws.mean() - x\nprint(of(1))",
            "print([x.mean() for x in draws])",
            "total = 0\ntotal += draws.mean()\nprint(total)",
            "found = [0]\nfound[0] = draws.mean()\nprint(found)",
            'print(f"{nll(draws, model):.2f} nats (mean)")',
        )
    ],
    (
        "nll-simulation-002",
        "coins.md",
        "fig, axes = plotting.figure()\n```",
        "rng = np.random.default_rng(7)\nfig, axes = plotting.figure()\n```\n"
        "```{code-cell}\nx = rng.poisson(3, 9)\n```\n```{code-cell}\nprint(x.mean())\n```",
        "print(x.mean",
    ),
    (
        "nll-install-001",
        "README.md",
        "",
        f"RUN python -m pip install -q numpy '{OURS}[torch]>=1'",
        "pip",
    ),
    ("nll-install-001", "README.md", "", f'"source": ["!pip install {OURS}\\n"]', "pip"),
]


def test_a_page_outside_the_numbered_parts_needs_no_objectives(tmp_path: Path) -> None:
    section = "\n(sec-more)=\n## More\n\n```{code-cell} ipython3\n1 + 1\n```\n"
    found = lint_files(tmp_path, {**FILES, "dice.md": DICE + section})
    assert "nll-objective-001" not in {one.rule for one in found}


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


# Texts and cells that no rule may object to, in place of the text that stands there.
GOOD = [
    *[
        (COUNTING, f"{text}\n\n{COUNTING}")
        for text in (
            "See section 4.25, equations 5.11 and 5.15.1, and pp. 313–316, from version 2.31.",
            "In 1875 and in 2024, by IEEE 754 and SHA-256, under NumPy 2.41.",
            "See #725, 3/4125 and draft-725.",
            "He timed it over 7.44 km {cite:p}`stigler1977`.",
            "As {cite:t}`stigler1977` has it,\n7.44 km.",
            "```{image} a.png\n:width: 725px\n:alt: Some coins that lie on a table.\n```",
            "The paragraph is one:\n7.44 km,\nas {cite:t}`stigler1977` has it.",
            "In code `7.25`, in maths $7.25$, in a link [here](dice.md#dice-throws).",
            "Three tosses, 12 heads, 50 corps-years.",
            "$$\nx = 7.25\n$$",
            "```{admonition} Predict\n:class: predict\nIs it 0.05, 0.5 or 500?\n```",
            "```{code-cell}\nrate = 0.61\n```\nAt a rate of 0.61, or −0.61.",
            "```{code-cell}\nn, share = 20_000, 0.95\n```\nOf 20,000 there are 95 %.",
        )
    ],
    *[
        (PRINT, cell)
        for cell in (
            'print(f"NLL {x:.2f} nats (mean)")',
            'print(f"{nll(x, model):.2f} nats, sum")',
            'print(f"{nll(x, model):.2f} bits a letter")',
            'print("nats (mean)    NLL")\nfor x in losses:\n    print(f"{x:.2f}")',
            'for name in ("NLL, nats (mean)", "KL, nats"):\n    print(f"{name}: {x:.2f}")',
            'print(f"entropy {entropy(p):.2f} nats")',
            'print(f"KL {x:.2f} bits, surprise {y:.2f} bits")',
            'print(f"rate {x:.2f}")  # after minimising the loss',
            'print(f"slope of the mean log-likelihood {x:.2f}, descent on the loss: {y}")',
            'print(f"log p = {x:.2f} nats")',
            'print(f"NLL of a throw: {x:.0f} bits")',
            'def f(x):\n    """The loss."""\n    return x\nprint(f"rate {x:.2f}")',
            'rate = argmin(lambda t: nll(x, model(t)), 0, 1)\nprint(f"rate {rate:.2f}")',
            'check("counting", nll(x, model), loss, rtol=1e-12)\nprint("rate")',
            'ax.plot(x, label="NLL")\nprint("rate")',
        )
    ],
    *[
        (PRINT, f"rng = np.random.default_rng(7)\nx = rng.normal(0, 1, 9)\n{cell}")
        for cell in (
            'print(f"{x.mean():.2f} ± {x.std() / 3:.2f}")',
            'check("counting", x.mean(), 0.0, standard_error=x.std() / 3)',
            'check("counting", x.mean(), np.sum(x) / 9, rtol=1e-12)',  # an identity
            'check("counting", [abs(t) for t in x], greater_than=0.0)',
            "print(x[0])",
            'check("counting", nll(data, Gaussian(x[0], 1)), 7, rtol=1e-12)',
            "y = 1\ndef of():\n    y = x.mean()\n    return 2\nprint(y)",
            "y = 1\nz = [y for y in [x.mean()]]\nprint(y)",
            "x = np.array([1, 2])\nprint(x.mean())",  # no longer a draw
            "def of(x):\n    return x.mean()\nprint(of(data))",
            "print([x.mean() for x in data])",
            "x = x.std()\ntry:\n    1 / 0\nexcept ArithmeticError as x:\n    print(x)",
            "all_of = np.append(x, 1)\nprint(np.mean(data))",
        )
    ],
]


@pytest.mark.parametrize(("old", "new"), GOOD)
def test_what_is_in_order_is_left_alone(tmp_path: Path, old: str, new: str) -> None:
    assert [str(one) for one in lint_files(tmp_path, changed("coins.md", old, new))] == []


@pytest.mark.parametrize("name", ["vocab_parallel_nll", "vocab_parallel_loss"])
def test_names_are_known_where_the_package_that_their_module_needs_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for module in [one for one in sys.modules if one.startswith("nllbook.torch")]:
        monkeypatch.delitem(sys.modules, module)
    old = "from nllbook import"
    new = f"from nllbook.torch import {name}\n{old}"
    wrong = [one.rule for one in lint_files(tmp_path, changed("coins.md", old, new))]
    assert wrong == ([] if name == "vocab_parallel_nll" else ["nll-cell-004"])


def test_a_page_without_cells_may_have_numbers(tmp_path: Path) -> None:
    assert lint_files(tmp_path, changed("dice.md", TOP, TOP + "A mean of 7.25.\n")) == []


def test_numbers_in_a_quiz_are_given(tmp_path: Path) -> None:
    edited = changed("wrong-beliefs.yml", "Is a tail due?", "Of 725 heads, 7.25 a day, is one due?")
    assert lint_files(tmp_path, edited) == []


def test_the_rules_are_listed_for_contributors(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main(["--rules"]) == 0
    listed = capsys.readouterr().out
    assert listed in (source.ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert listed.count("\n") == len(lint.RULES)
    assert lint.main(["--rule"]) == 2


@pytest.mark.parametrize("rule", lint.RULES, ids=lambda rule: rule.id)
def test_a_rule_has_an_id_a_demand_and_a_reason(rule: lint.Rule) -> None:
    assert re.fullmatch(r"nll-[a-z]+-\d{3}", rule.id)
    assert rule.demand.endswith(".")
    assert rule.reason.endswith(".")


def test_every_rule_has_a_case() -> None:
    assert {case[0] for case in CASES} == {rule.id for rule in lint.RULES}
    assert len({rule.id for rule in lint.RULES}) == len(lint.RULES)


def test_a_quiz_stands_once_and_in_its_chapter(tmp_path: Path) -> None:
    again = "# Dice\n```{quiz} coins-remember\n```\n"
    found = lint_files(tmp_path, changed("dice.md", TOP, again))
    assert [one.rule for one in found] == ["nll-quiz-002"] * 2
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
    assert [(one.rule, one.line) for one in found] == [("nll-install-001", 2)]


def test_a_finding_names_the_nearest_claim_on_one_line(tmp_path: Path) -> None:
    edited = changed("coins.md", 'glue("heads"', 'check("couting", 1, 1)\nglue("heads"')
    text = str(lint_files(tmp_path, edited)[0])
    assert text.startswith(f"{tmp_path}/coins.md:44: no claim 'couting'")
    assert "(nearest: counting)" in text
    assert text.endswith("[nll-claim-002]")
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


@pytest.mark.parametrize(("old", "new"), [("claim: counting", "claim: x"), ("belief:", "beleif:")])
def test_a_mistake_in_the_beliefs_makes_no_other_finding(
    tmp_path: Path, old: str, new: str
) -> None:
    files = changed("wrong-beliefs.yml", old, new)
    files["coins.md"] = files["coins.md"].replace("{glue:text}`heads`", "seven")
    assert [one.rule for one in lint_files(tmp_path, files)] == ["nll-quiz-001"]


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
