"""The page of the cheat sheet: the numbers beside its links to statements, and its own style."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

PAGE = "chapters/cheat-sheet"
STYLE = "cheat-sheet.css"


def number_links(app: Sphinx, tree: nodes.document, page: str) -> None:
    """Write each statement's number after the words that lead to it: paper has no links."""
    if page != PAGE:
        return
    for table in tree.findall(nodes.tgroup):  # the first column heads its row
        next(table.findall(nodes.colspec))["stub"] = 1
    statements = app.env.proof_list  # type: ignore[attr-defined]  # of sphinx-proof
    for link in tree.findall(nodes.reference):
        label = link.get("refuri", "").partition("#")[2]
        if label in statements:
            one = statements[label]
            counted = app.env.toc_fignumbers[one["docname"]][one["countertype"]][label]
            mark = "D" if one["realtype"] == "definition" else ""
            number = mark + ".".join(map(str, counted))
            link += nodes.superscript("", "\u00a0" + number, classes=["statement-number"])


def write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """A new statement in a chapter changes the numbers on the sheet."""
    return [PAGE] if PAGE in env.all_docs else []


def add_style(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """On this page alone, since it decides on the paper."""
    if page == PAGE:
        app.add_css_file(STYLE)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("env-updated", write_again)
    app.connect("doctree-resolved", number_links)
    app.connect("html-page-context", add_style)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
