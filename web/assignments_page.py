"""The page of the assignments: `{assignment}` becomes the questions of one, with their answers.

They are those of the public practice version, as `nllgrade release` hands them out without a key.
The notebooks themselves are written beside the pages, for readers to download. `{questions}`
becomes a table: which question asks for which statement of the book.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from nllgrade import master
from nllgrade.master import Course, Master, Question, questions
from nllgrade.release import release
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

from web import beliefs, launch, source
from web.launch import Addresses

PAGE = "chapters/assignments"
BOILERPLATE = "Replace each "  # how a paragraph begins that only the notebook needs
HOW_TO_WRITE = "Write in Markdown; formulas go between dollar signs."

_CHOICE = re.compile(r'^choice = ("\w")$', re.MULTILINE)
_DIRECTIVE = re.compile(
    r"^```\{(?P<what>assignment|questions)\}[ ]*(?P<name>.*)\n```$", re.MULTILINE
)
_LINK = re.compile(r"\]\(book:chapters/([\w-]+)\.html(?:#([\w-]+))?\)")
_MARK = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)


def expand(text: str, found: Addresses) -> str:
    """A page with the questions in place of the directives; links for where it is published."""

    def written(match: re.Match[str]) -> str:
        if match["what"] == "questions":
            return "\n".join(_table())
        one = master.read(match["name"], Course())
        return "\n".join((_links(one.name, found), "", *_assignment(one)))

    return _DIRECTIVE.sub(written, text)


def _links(name: str, found: Addresses) -> str:
    """Where to get the notebook, and to run it if the book is published."""
    file, number = f"assignment-{name}", name.partition("-")[0]
    ways = [(f"../{launch.FOLDER}/{file}.ipynb", f"Assignment {number}: download the notebook")]
    if found.github and found.site:
        ways += [(found.colab(file), f"Assignment {number} in Colab")]
        ways += [(found.binder(file), f"Assignment {number} in Binder")]
    links = (f'<a class="reference external" href="{to}">{words}</a>' for to, words in ways)
    return " · ".join(links)


def _assignment(found: Master) -> Iterator[str]:
    paragraphs = _to_pages(found.parts[0].source).split("\n\n")[1:]  # after the title
    yield "\n\n".join(one for one in paragraphs if not one.startswith(BOILERPLATE))
    yield ""
    for question in questions(found):
        yield from _question(found, question)


def _question(found: Master, question: Question) -> Iterator[str]:
    """A question, folded; in it its answer, folded again."""
    points = f"{question.points:g} point{'s' * (question.points != 1)}"
    yield f":::::{{dropdown}} {question.title} ({points})"
    yield from (f":name: {_name(found, question)}", ":class-container: on-paper", "")
    for part in question.parts:
        if part.kind == "markdown" and not part.is_manual:
            lines = _to_pages(part.source).split("\n")
            yield "\n".join(lines[1:] if lines[0].startswith("## ") else lines)
        elif part.kind == "code" and not (part.is_tested or part.is_solution):
            yield from _code(part.source)
        yield ""
    yield f"::::{{dropdown}} Answer to {_place(found, question)}"
    answer = question.answer
    if answer.is_manual:
        yield from (_to_pages(answer.source), "", "**What earns the points:**", "")
        for one in answer.ours["rubric"]:
            worth = f"{one['points']:g} point{'s' * (one['points'] != 1)}"
            yield f"- {one['criterion']} ({worth})"
    else:
        yield from _code(_MARK.sub("", answer.source).strip("\n"))
        yield from ("", "Plausible, and wrong. The grader knows an answer that", "")
        yield from _mistakes(found, answer.grade_id)
    rests = [f"{{prf:ref}}`{name}` ({_titles()[name]})" for name in found.claims[answer.grade_id]]
    yield from ("", f"It rests on {_listed(rests)}.")
    yield from ("::::", ":::::", "")


def _name(found: Master, question: Question) -> str:
    """What a link leads to."""
    return f"assignment-{_place(found, question).replace('.', '-')}"


def _place(found: Master, question: Question) -> str:
    """The numbers of the assignment and the question, such as 1.3."""
    return f"{found.name.partition('-')[0]}.{question.title.partition('.')[0]}"


def _mistakes(found: Master, question: str) -> Iterator[str]:
    known = beliefs.load(beliefs.FILE)
    for mistake in found.mistakes:
        if mistake.question == question:
            one = known.get(mistake.belief)
            link = f" (see [“{one.belief}”](#{one.anchor}))" if one else ""
            choice = _CHOICE.search(mistake.source)
            letter = f"`{choice[1]}`: " if choice else ""
            yield f"- {letter}{mistake.what}{link}"


def _code(source: str) -> Iterator[str]:
    yield from ("```python", source, "```")


def _to_pages(text: str) -> str:
    """Links to the book's site lead to its pages."""
    text = _LINK.sub(lambda at: f"](#{at[2]})" if at[2] else f"]({at[1]}.md)", text)
    return text.replace(HOW_TO_WRITE, "")


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _table() -> Iterator[str]:
    """A row for each statement that is asked for, in the order of the book."""
    places: dict[str, list[str]] = {name: [] for name in _titles()}
    for name in master.names():
        found = master.read(name, Course())
        for question in questions(found):
            for claim in found.claims[question.answer.grade_id]:
                link = f"[{_place(found, question)}](#{_name(found, question)})"
                places[claim].append(link)
    yield from ("| Statement | Questions |", "| --- | --- |")
    for claim, title in _titles().items():
        if places[claim]:
            yield f"| {{prf:ref}}`{claim}`: {title} | {', '.join(places[claim])} |"


@cache
def _titles() -> dict[str, str]:
    """What the statements of the book are called, by label and in its order."""
    return {one.label: one.argument for page in source.pages() for one in page.statements}


def notebooks(site: str) -> Iterator[tuple[str, str]]:
    """The practice notebooks as students receive them: names and texts."""
    for name in master.names():
        yield f"assignment-{name}", release(master.read(name, Course()), site)


def _read(app: Sphinx, docname: str, content: list[str]) -> None:
    if not _DIRECTIVE.search(content[0]):
        return
    found = _published(app)
    content[0] = expand(content[0], found)
    chapters = [one.path for one in source.pages()]
    for path in (*master.ASSIGNMENTS.iterdir(), *chapters, beliefs.FILE, Path(__file__)):
        app.env.note_dependency(str(path))
    app.env.assignments_for = found  # type: ignore[attr-defined]


def _outdated(app: Sphinx, env: BuildEnvironment, *changes: set[str]) -> list[str]:
    """The page has links for where the book is published, and is read anew for another place."""
    before = getattr(env, "assignments_for", None)
    return [PAGE] if before not in (None, _published(app)) and PAGE in env.found_docs else []


def _published(app: Sphinx) -> Addresses:
    settings = app.config
    return launch.addresses(settings.html_theme_options["repository_url"], settings.html_baseurl)


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    folder = Path(app.outdir) / launch.FOLDER
    folder.mkdir(exist_ok=True)
    for name, text in notebooks(app.config.html_baseurl):
        (folder / f"{name}.ipynb").write_text(text, encoding="utf-8", newline="\n")


def setup(app: Sphinx) -> None:
    app.connect("source-read", _read)
    app.connect("env-get-outdated", _outdated)
    app.connect("build-finished", _write)
