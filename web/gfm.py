"""Pieces of Markdown that GitHub, JupyterLab and Colab show alike."""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

# How a paragraph begins; a heading may stand on the same line.
_PARAGRAPH = re.compile(r"(?!`{3}|\*\s|\d+[.)]\s|\$\$)[\w(\"'*_`“$\[]")


def anchor(name: str) -> str:
    """A place that links can lead to."""
    return f'<a id="{name}"></a>'


def run_in(heading: str, body: str) -> str:
    """A heading on the first line of a paragraph; above a list, a table, displayed maths."""
    between = " " if _PARAGRAPH.match(body) else "\n\n"
    return f"{heading}{between}{body}".rstrip()


def environment(maths: str) -> str:
    """Maths of several lines in an environment that can stand between dollars and be tagged."""
    outside = re.sub(r"(?s)\\begin\{(\w+\*?)\}.*?\\end\{\1\}", "", maths)
    if "\\\\" in outside:
        return f"\\begin{{aligned}}\n{maths}\n\\end{{aligned}}"
    maths = re.sub(r"\\(begin|end)\{(?:align|eqnarray)\*?\}", r"\\\1{aligned}", maths)
    maths = re.sub(r"\\(begin|end)\{gather\*?\}", r"\\\1{gathered}", maths)
    return re.sub(r"\\(begin|end)\{equation\*?\}\n?", "", maths).strip()


def details(before: str, summary: str, body: str) -> str:
    """Folded text. Markdown is not read inside <summary>, but is after a blank line."""
    start = f"{before}\n\n" if before else ""
    return f"{start}<details>\n<summary>{html(summary)}</summary>\n\n{body.strip()}\n\n</details>"


def html(markdown: str) -> str:
    """One line of Markdown as HTML; its maths stays between dollars, without angle brackets."""
    parser = MarkdownIt("commonmark", {"html": True}).use(dollarmath_plugin)
    parser.add_render_rule("math_inline", lambda _, tokens, index, *rest: _dollars(tokens[index]))
    return str(parser.renderInline(markdown))


def _dollars(token: Any) -> str:
    maths = str(token.content).replace("<", r"\lt{}").replace(">", r"\gt{}")
    return f"${maths}$"


def _table_cell(text: str) -> str:
    """A bar would end the cell; within maths an escaped one would be drawn double."""
    parts = re.split(r"(\$[^$]+\$)", text)
    for index, part in enumerate(parts):
        if index % 2:
            part = part.replace(r"\|", r"\Vert{}").replace("|", r"\vert{}")
        parts[index] = part if index % 2 else part.replace("|", r"\|")
    return "".join(parts)


def table(rows: list[list[str]], has_header: bool) -> str:
    """A table; Markdown knows none without a header, so that one may be empty."""
    header, *body = rows if has_header else [[""] * len(rows[0]), *rows]
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(map(_table_cell, line))} |" for line in lines)
