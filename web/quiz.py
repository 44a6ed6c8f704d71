"""The quiz directive: a question whose options open to say at once whether they are right, and why.

It takes the id of a wrong belief and needs no script: every option is a native ``details`` element.
All of them may stand open at once, so that a reader can compare the reasons.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from web import beliefs
from web.source import ROOT, SourceError

# as seen from the folder that holds the sources
FILE = beliefs.FILE.relative_to(ROOT).as_posix()


class quiz(nodes.General, nodes.Element):
    """The question and its options."""


class quiz_option(nodes.General, nodes.Element):
    """An answer: what is always seen, then the verdict with its reason."""


class quiz_answer(nodes.General, nodes.TextElement):
    """The part of an option that is always seen."""


class QuizDirective(SphinxDirective):
    """Shows the quiz of the wrong belief with the given id, which must be of the same chapter."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        belief = self._belief(self.arguments[0])
        assert belief.quiz is not None  # or there was an error
        name = f"quiz-{belief.id}"
        node = quiz("", ids=[name], labelledby=f"{name}-question")
        node += nodes.container(
            "",
            *lead(self.parse_text_to_nodes(belief.quiz.question), "Quiz.", "quiz-label"),
            ids=[f"{name}-question"],
            classes=["quiz-question"],
        )
        for option in belief.quiz.options:
            node += self._option(option, belief.claim)
        self.set_source_info(node)
        standard = cast(StandardDomain, self.env.get_domain("std"))
        standard.note_hyperlink_target(name, self.env.docname, name)  # for the role ref
        return [node]

    def _option(self, option: beliefs.Option, claim: str) -> nodes.Node:
        why = lead(self.parse_text_to_nodes(option.why), option.verdict, "quiz-verdict")
        _end(why, self.parse_inline(f"See {{prf:ref}}`{claim}`.")[0])
        return quiz_option(
            "",
            quiz_answer("", "", *self.parse_inline(option.text)[0]),
            nodes.container("", *why, classes=["quiz-why"]),
            classes=["quiz-option", "right" if option.correct else "wrong"],
        )

    def _belief(self, name: str) -> beliefs.Belief:
        known = read_beliefs(self)
        chapter = PurePosixPath(self.env.docname).name
        problem = beliefs.misplaced(known, name, chapter)
        if problem:
            raise self.error(problem)
        return known[name]


def read_beliefs(directive: SphinxDirective) -> dict[str, beliefs.Belief]:
    """The wrong beliefs, for a directive whose page is rendered again when they change."""
    directive.env.note_dependency(FILE)
    path = Path(directive.env.srcdir, FILE)
    if not path.exists():
        raise directive.error(f"{FILE} is missing: the wrong beliefs have to be written there")
    try:
        return _load(path, path.stat().st_mtime_ns)
    except SourceError as error:
        raise directive.error(str(error)) from None


@lru_cache(maxsize=1)
def _load(path: Path, _modified: int) -> dict[str, beliefs.Belief]:
    return beliefs.load(path)


def lead(parsed: list[nodes.Node], text: str, name: str) -> list[nodes.Node]:
    """The nodes with a strong text before the first words."""
    if not parsed or not isinstance(parsed[0], nodes.paragraph):
        parsed = [nodes.paragraph(), *parsed]
    strong = nodes.strong("", text, classes=[name])
    cast(nodes.paragraph, parsed[0]).insert(0, [strong, nodes.Text(" ")])
    return parsed


def _end(parsed: list[nodes.Node], inline: list[nodes.Node]) -> None:
    """Put the inline nodes after the last words."""
    if not isinstance(parsed[-1], nodes.paragraph):
        parsed.append(nodes.paragraph())
    last = cast(nodes.paragraph, parsed[-1])
    last += [nodes.Text(" "), *inline]


class PlainQuiz(SphinxPostTransform):
    """For a builder that does not write HTML: the options as a list, and the answers after it."""

    default_priority = 5

    def run(self, **kwargs: Any) -> None:
        if self.app.builder.format == "html":
            return
        for node in list(self.document.findall(quiz)):
            question, *options = cast(list[nodes.Element], node.children)
            answers = [nodes.paragraph("", "", *cast(Any, one[0]).children) for one in options]
            whys = [cast(Any, one[1]).children for one in options]
            listed = _enumerated([[answer] for answer in answers])
            node.replace_self([*question.children, listed, _enumerated(whys)])


def _enumerated(items: list[list[nodes.Node]]) -> nodes.enumerated_list:
    entries = [nodes.list_item("", *item) for item in items]
    return nodes.enumerated_list("", *entries, enumtype="upperalpha", prefix="", suffix=".")


def _visit_quiz(self: HTML5Translator, node: quiz) -> None:
    attributes = {"role": "group", "aria-labelledby": node["labelledby"]}
    self.body.append(self.starttag(node, "div", CLASS="quiz", **attributes))


def _depart_quiz(self: HTML5Translator, node: quiz) -> None:
    self.body.append("</div>\n")


def _visit_option(self: HTML5Translator, node: quiz_option) -> None:
    self.body.append(self.starttag(node, "details"))


def _depart_option(self: HTML5Translator, node: quiz_option) -> None:
    self.body.append("</details>\n")


def _visit_answer(self: HTML5Translator, node: quiz_answer) -> None:
    self.body.append(self.starttag(node, "summary", ""))


def _depart_answer(self: HTML5Translator, node: quiz_answer) -> None:
    self.body.append("</summary>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(quiz, html=(_visit_quiz, _depart_quiz))
    app.add_node(quiz_option, html=(_visit_option, _depart_option))
    app.add_node(quiz_answer, html=(_visit_answer, _depart_answer))
    app.add_directive("quiz", QuizDirective)
    app.add_post_transform(PlainQuiz)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
