"""The quiz directive: a question whose options open to say at once whether they are right, and why.

It takes the id of a wrong belief and needs no script: every option is a native ``details`` element.
All of them may stand open at once, so that a reader can compare the reasons. Where scripts run,
quiz.js remembers which were answered; the role quiz-count says how many quizzes a chapter has, the
directive quiz-progress how many the book has, and both are then counted up by it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.std import StandardDomain
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole, SphinxTranslator
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


class quiz_count(nodes.Inline, nodes.TextElement):
    """How many quizzes there are: `quizzes` has their ids; `note` is the paragraph for the book."""


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


class QuizProgressDirective(SphinxDirective):
    """Says how many quizzes the book has; the script adds what was answered, and a button."""

    def run(self) -> list[nodes.Node]:
        ids = [belief.id for belief in read_beliefs(self).values() if belief.quiz]
        return [quiz_count("", f"The chapters hold {len(ids)} quizzes.", quizzes=ids, note=True)]


class QuizCountRole(SphinxRole):
    """Says how many quizzes a chapter has."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        known = read_beliefs(self).values()
        ids = [one.id for one in known if one.quiz and one.chapter == self.text]
        if not ids:
            problem = f"no quiz is in a chapter {self.text!r}: name the file, without .md"
            message = self.inliner.reporter.error(problem, line=self.lineno)
            return [], [message]
        return [quiz_count("", f"{len(ids)} quizzes", quizzes=ids, note=False)], []


def read_beliefs(directive: SphinxDirective | SphinxRole) -> dict[str, beliefs.Belief]:
    """The wrong beliefs, for a directive whose page is rendered again when they change."""
    directive.env.note_dependency(FILE)
    path = Path(directive.env.srcdir, FILE)
    if not path.exists():
        problem = f"{FILE} is missing: the wrong beliefs have to be written there"
        raise _error(directive, problem)
    try:
        return _load(path, path.stat().st_mtime_ns)
    except SourceError as error:
        raise _error(directive, str(error)) from None


def _error(asked: SphinxDirective | SphinxRole, problem: str) -> Exception:
    return asked.error(problem) if isinstance(asked, SphinxDirective) else ExtensionError(problem)


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


def _visit_count(self: HTML5Translator, node: quiz_count) -> None:
    name, tag = ("quiz-note", "p") if node["note"] else ("quiz-count", "span")
    listed: dict[str, Any] = {"data-quizzes": " ".join(node["quizzes"])}
    self.body.append(self.starttag(node, tag, "", CLASS=name, **listed))


def _depart_count(self: HTML5Translator, node: quiz_count) -> None:
    self.body.append("</p>\n" if node["note"] else "</span>")


def _plain(self: SphinxTranslator, node: nodes.Element) -> None:
    """For a builder that does not write HTML: the words alone."""


def _of_quiz(node: nodes.Node) -> bool:
    if isinstance(node, nodes.reference):
        return "#quiz-" in node.get("refuri", "")
    return isinstance(node, quiz | quiz_count)


def _add_script(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """On the pages alone that have a quiz, a number of them or a link to one."""
    if tree and any(tree.findall(_of_quiz)):
        app.add_js_file("quiz.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(quiz, html=(_visit_quiz, _depart_quiz))
    app.add_node(quiz_option, html=(_visit_option, _depart_option))
    app.add_node(quiz_answer, html=(_visit_answer, _depart_answer))
    plain = (_plain, _plain)
    app.add_node(quiz_count, html=(_visit_count, _depart_count), text=plain, latex=plain)
    app.add_directive("quiz", QuizDirective)
    app.add_directive("quiz-progress", QuizProgressDirective)
    app.add_role("quiz-count", QuizCountRole())
    app.connect("html-page-context", _add_script)
    app.add_post_transform(PlainQuiz)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
