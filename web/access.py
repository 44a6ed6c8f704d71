"""Mends what the theme and the extensions leave in the way of a screen reader or a keyboard.

Here what is written for a page; its templates are in `templates/`, colours and sizes in
`static/access.css`, what only a script can do in `static/access.js`.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode, depart_HideCellInput, visit_HideCellInput
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.writers.html5 import HTML5Translator

from web import source

COMPONENTS = source.ROOT / "web" / "templates" / "components"


class folded(nodes.General, nodes.Element):
    """A box of which only the title is seen until one opens it."""


class folded_title(nodes.General, nodes.TextElement):
    """That title."""


def _fold(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Make every box with the class dropdown a native `details`, which needs no script.

    The title of a solution links to its exercise, which stands right above: a link inside what one
    clicks on to open would be a trap.
    """
    if app.builder.format != "html":
        return
    for box in list(doctree.findall(nodes.Element)):
        if (
            isinstance(box, nodes.Admonition)
            and "dropdown" in box["classes"]
            and isinstance(box[0], nodes.title)
        ):
            parts = [
                part.children if isinstance(part, nodes.reference) else [part]
                for part in box[0].children
            ]
            title = folded_title("", "", *(one for part in parts for one in part))
            box.replace_self(
                folded("", title, *box.children[1:], ids=box["ids"], classes=box["classes"])
            )


def _visit_folded(self: HTML5Translator, node: folded) -> None:
    self.body.append(self.starttag(node, "details", CLASS="admonition"))


def _depart_folded(self: HTML5Translator, node: folded) -> None:
    self.body.append("</details>\n")


def _visit_title(self: HTML5Translator, node: folded_title) -> None:
    self.body.append(self.starttag(node, "summary", "", CLASS="admonition-title"))


def _depart_title(self: HTML5Translator, node: folded_title) -> None:
    self.body.append("</summary>\n")


def _visit_hidden_code(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """As myst-nb does, but named by the words that are seen: "Show the code"."""
    start = len(self.body)
    visit_HideCellInput(self, node)
    written = "".join(self.body[start:])
    self.body[start:] = [written.replace(' aria-label="Toggle hidden content"', "")]


def _visit_entry(self: HTML5Translator, node: nodes.entry) -> None:
    """A cell of a table. Those of the first row and column are heads, and say of what.

    A head without words is none: browsers make no name of a formula, and an empty one would be read
    as a head. A row that a cell from above reaches into has fewer cells; its first one is no head.
    """
    row: Any = node.parent
    wide = sum(1 + cell.get("morecols", 0) for cell in row)
    top = isinstance(row.parent, nodes.thead)
    first = row.index(node) == 0 and wide == row.parent.parent["cols"]
    attributes: dict[str, Any] = {"CLASS": "head" if top else "stub" if first else ""}
    tag = "td"
    words = "".join(
        text for text in node.findall(nodes.Text) if not isinstance(text.parent, nodes.math)
    )
    if (top or first) and words.strip():
        tag, attributes["scope"] = "th", "col" if top else "row"
    for name, span in (("morerows", "rowspan"), ("morecols", "colspan")):
        if name in node:
            attributes[span] = node[name] + 1
    self.body.append(self.starttag(node, tag, "", **attributes))
    self.context.append(f"</{tag}>\n")


def _depart_entry(self: HTML5Translator, node: nodes.entry) -> None:
    self.body.append(self.context.pop())


def _visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """An entry of the bibliography: of a list, in roles that browsers know."""
    if not isinstance(node.previous_sibling(), nodes.citation):
        self.body.append('<div role="list" class="citation-list">\n')
    self.body.append(self.starttag(node, "div", CLASS="citation", role="listitem"))


def _depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    self.body.append("</div>\n")
    if not isinstance(node.next_node(descend=False, siblings=True), nodes.citation):
        self.body.append("</div>\n")


_HEADING = re.compile(r"<h([1-6])\b")
_TITLE = re.compile(
    r'(?P<box><div class="(?:proof|exercise) [^>]*)>(?P<between>\s*)<p class="admonition-title">'
)


def with_headings(html: str) -> str:
    """The page with a heading in every numbered box, one level below that of the section.

    Definitions, propositions, exercises are boxes with a paragraph as title; as headings a screen
    reader lists them, and goes from one to the next.
    """

    def title(found: re.Match[str]) -> str:
        level = int(_HEADING.findall(html, 0, found.start())[-1]) + 1
        role = f'role="heading" aria-level="{level}"'
        return f'{found["box"]}>{found["between"]}<p class="admonition-title" {role}>'

    return _TITLE.sub(title, html)


def _override(app: Sphinx) -> None:
    """Once all extensions are set up, so that theirs do not override these."""
    app.add_node(folded, html=(_visit_folded, _depart_folded))
    app.add_node(folded_title, html=(_visit_title, _depart_title))
    for node, visit, depart in (
        (HideCodeCellNode, _visit_hidden_code, depart_HideCellInput),
        (nodes.entry, _visit_entry, _depart_entry),
        (nodes.citation, _visit_citation, _depart_citation),
    ):
        app.add_node(node, override=True, html=(visit, depart))


def _components(app: Sphinx, config: Config) -> None:
    """Ours before the theme's of the same name."""
    config.templates_path.insert(0, str(COMPONENTS))


def setup(app: Sphinx) -> None:
    app.add_css_file("access.css")
    app.add_js_file("access.js", loading_method="defer")
    app.connect("config-inited", _components)
    app.connect("builder-inited", _override)
    app.connect("doctree-resolved", _fold)
