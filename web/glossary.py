"""Terms of the glossary in the chapters: each carries its definition, shown on hover and on focus.

A `{term}` is a link to its entry, described (`aria-describedby`) by a hidden element at the end of
the page. `glossary.js` shows that element, which is neither printed nor copied nor searched.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.writers.html5 import HTML5Translator


class term_link(nodes.Inline, nodes.TextElement):
    """A link to an entry, with the id of the definition that describes it."""


class definitions(nodes.General, nodes.Element):
    """What the terms of a page mean: `entries` has (id, term, text) for each."""


def _entries(env: BuildEnvironment) -> dict[str, dict[str, tuple[str, str, str]]]:
    """By page and id of a term: the id of its entry, the entry's first term, what it means."""
    found: dict[str, dict[str, tuple[str, str, str]]] = env.__dict__.setdefault("nll_terms", {})
    return found


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    for glossary in doctree.findall(addnodes.glossary):
        found = _entries(app.env).setdefault(app.env.docname, {})
        for item in glossary.findall(nodes.definition_list_item):
            terms = [child for child in item if isinstance(child, nodes.term)]
            meaning = " ".join(cast(nodes.Element, item[-1])[0].astext().split())
            for one in terms:
                for name in one["ids"]:
                    found[name] = (terms[0]["ids"][0], terms[0].astext(), meaning)


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _entries(env).pop(docname, None)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: Any) -> None:
    read = _entries(other)
    _entries(env).update({name: read[name] for name in docnames if name in read})


def _describe(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """As a page is written: tie its terms to their definitions, which come last on the page."""
    if app.builder.format != "html":
        return
    used: dict[str, tuple[str, str, str]] = {}
    known = {name: one for page in _entries(app.env).values() for name, one in page.items()}
    for link in list(doctree.findall(nodes.reference)):
        if "refuri" not in link or not any(
            "std-term" in one["classes"] for one in link.findall(nodes.inline)
        ):
            continue  # on the page of the glossary the entry itself is near
        entry, first, meaning = known[link["refuri"].partition("#")[2]]
        name = entry.replace("term-", "definition-", 1)
        used[name] = (name, first, meaning)
        words = term_link(
            "", "", nodes.Text(link.astext()), refuri=link["refuri"], describedby=name
        )
        link.replace_self(words)
    if used:
        doctree += definitions(entries=list(used.values()))


def _visit_link(self: HTML5Translator, node: term_link) -> None:
    attributes = {"href": node["refuri"], "aria-describedby": node["describedby"]}
    self.body.append(self.starttag(node, "a", "", CLASS="term", **attributes))


def _depart_link(self: HTML5Translator, node: term_link) -> None:
    self.body.append("</a>")


def _visit_definitions(self: HTML5Translator, node: definitions) -> None:
    for name, term, meaning in node["entries"]:
        self.body.append(
            f'<div class="term-definition" id="{name}" role="tooltip" popover="manual">'
            f"<b>{escape(term)}:</b> {escape(meaning)}</div>\n"
        )
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_node(term_link, html=(_visit_link, _depart_link))
    app.add_node(definitions, html=(_visit_definitions, None))
    app.add_js_file("glossary.js", loading_method="defer")
    app.connect("doctree-read", _collect)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("doctree-resolved", _describe)
