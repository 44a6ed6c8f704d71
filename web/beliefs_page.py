"""The directive `wrong-beliefs`: all of them, chapter by chapter, with why they tempt and fail."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from web import quiz
from web.beliefs import Belief

_GLUE = re.compile(r"\{glue:text\}(`+)(?P<name>(?:(?!::).)+?)\1")


class _Beliefs(nodes.General, nodes.Element):
    """The beliefs of one chapter, until the order of the chapters is known."""


class _QuizLink(nodes.Inline, nodes.Element):
    """Where the link to a quiz will stand."""


class WrongBeliefsDirective(SphinxDirective):
    """Shows every wrong belief; texts are read as if they stood in the belief's chapter."""

    def run(self) -> list[nodes.Node]:
        _pages(self.env).add(self.env.docname)
        found: dict[str, _Beliefs] = {}
        for belief in quiz.read_beliefs(self).values():
            chapter = str(PurePosixPath(quiz.FILE).parent / belief.chapter)
            if chapter not in self.env.found_docs:
                raise self.error(f"{belief.id!r}: there is no chapter {chapter}: correct its name")
            group = found.setdefault(chapter, _Beliefs("", nodes.definition_list()))
            group["chapter"] = chapter
            cast(nodes.Element, group[0]).append(self._item(belief, chapter))
        return list(found.values())

    def _item(self, belief: Belief, chapter: str) -> nodes.definition_list_item:
        words = self.parse_inline(_from(chapter, belief.belief))[0]
        term = nodes.term("", "", nodes.Text("“"), *words, nodes.Text("”"))
        term["ids"].append(f"belief-{belief.id}")
        facts = nodes.definition()
        for label, text in (
            ("Why it tempts.", belief.tempting),
            ("What refutes it.", belief.refutation),
        ):
            facts += quiz.lead(
                self.parse_text_to_nodes(_from(chapter, text)), label, "belief-label"
            )
        places = self.parse_inline(f"See {{prf:ref}}`{belief.claim}`. ")[0] if belief.claim else []
        if belief.quiz:
            places.append(_QuizLink(chapter=chapter, target=f"quiz-{belief.id}"))
        if places:
            facts += nodes.paragraph("", "", *places)
        if belief.sources:
            sources = nodes.Text("; ".join(belief.sources))
            facts += nodes.paragraph("", "", nodes.strong(text="Sources: "), sources)
        return nodes.definition_list_item("", term, facts)


def _from(chapter: str, text: str) -> str:
    """The text with the numbers that the chapter's cells glue, as another page names them."""

    def whole(match: re.Match[str]) -> str:
        name = match["name"] if ":" in match["name"] else f"{match['name']}:s"
        return f"{{glue:text}}`/{chapter}.md::{name}`"

    return _GLUE.sub(whole, text)


def _pages(env: BuildEnvironment) -> set[str]:
    """The pages that hold the directive."""
    pages: set[str] = env.__dict__.setdefault("nll_beliefs", set())
    return pages


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _pages(env).discard(docname)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: Any) -> None:
    _pages(env).update(_pages(other))


def _to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """They show numbers and titles of all chapters: write them again whenever anything was read."""
    return sorted(_pages(env))


def _arrange(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """As a page is written: chapters in the order of the table of contents, with their titles."""
    groups = list(doctree.findall(_Beliefs))
    order = {name: place for place, name in enumerate(app.env.collect_relations())}
    shown: list[nodes.Node] = []  # myst-parser makes a heading of a rubric that has a level
    for group in sorted(groups, key=lambda one: order.get(one["chapter"], len(order))):
        title = nodes.Text(app.env.titles[group["chapter"]].astext())
        link = make_refnode(app.builder, docname, group["chapter"], "", title)
        shown += [nodes.rubric("", "", link, level=2), *group.children]
    for place in list(doctree.findall(_QuizLink)):
        words = nodes.Text("Its quiz is in the chapter.")
        target = place["target"]
        link = make_refnode(app.builder, docname, place["chapter"], target, words)
        place.replace_self(link)
    for group in groups[1:]:
        group.parent.remove(group)
    if groups:
        groups[0].replace_self(shown)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(_Beliefs)
    app.add_node(_QuizLink)
    app.add_directive("wrong-beliefs", WrongBeliefsDirective)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _to_write)
    app.connect("doctree-resolved", _arrange)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
