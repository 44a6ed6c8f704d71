"""The page of all wrong beliefs: `{wrong-beliefs}` becomes headings, texts and code cells.

It is written out before anything reads the page: as a chapter like the others it is then executed,
linted and made into a notebook. The site gets the text by Sphinx's event source-read, everything
else by `web.source.read`, both from `expand`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from web import beliefs
from web.beliefs import Belief
from web.source import SourceError

Lines = Iterator[tuple[str, int]]  # of a text, each with its number in wrong-beliefs.yml

QUIZ = "Its quiz"  # the words of a link to one

_DIRECTIVE = re.compile(r"^```\{wrong-beliefs\}[ \t]*\n```[ \t]*$", re.MULTILINE)
_GLUE = re.compile(r"\{glue:text\}(?P<ticks>`+)(?P<name>(?:(?!::).)+?)(?P=ticks)")
_THREAD = re.compile(r"([\w.-]+/[\w.-]+)#(\d+)")
_TITLE = re.compile(r"^# +(.+?) *$", re.MULTILINE)


def expand(path: Path, text: str) -> tuple[str, tuple[tuple[Path, int], ...]]:
    """The page with the beliefs in place of the directive, and where each line was written.

    A page without the directive stays as it is, and has no origins.

    Raises
    ------
    SourceError
        Where the file of the beliefs, or a chapter that they name, cannot be used.
    """
    place = _DIRECTIVE.search(text)
    if not place:
        return text, ()
    file = path.parent / beliefs.FILE.name
    above = text.count("\n", 0, place.start())
    if not file.exists():
        raise SourceError(path, above + 1, f"{file.name} is missing: write the beliefs there")
    own = [(line, (path, number)) for number, line in enumerate(text.split("\n"), 1)]
    written = [(line, (file, number)) for line, number in _page(file)]
    lines = [*own[:above], *written, *own[above + 2 :]]
    return "\n".join(line for line, _ in lines), tuple(origin for _, origin in lines)


def _page(file: Path) -> Lines:
    groups: dict[str, list[Belief]] = {}
    for belief in beliefs.load(file).values():
        groups.setdefault(belief.chapter, []).append(belief)
    titles = {chapter: _title(file, group[0]) for chapter, group in groups.items()}
    yield from _contents(groups, titles)
    for chapter, group in groups.items():
        yield from _lines(f"(beliefs-{chapter})=\n## {titles[chapter]}\n", group[0].line)
        for belief in group:
            yield from _belief(belief)


def _title(file: Path, belief: Belief) -> str:
    """The first heading of the belief's chapter."""
    chapter = file.parent / f"{belief.chapter}.md"
    if not chapter.exists():
        message = f"there is no chapter {belief.chapter!r}: name the file, without .md"
        raise SourceError(file, belief.lines["chapter"], message)
    found = _TITLE.search(chapter.read_text(encoding="utf-8"))
    return found[1] if found else belief.chapter


def _contents(groups: dict[str, list[Belief]], titles: dict[str, str]) -> Lines:
    """Two lists of links, folded: by chapter, and by the words that people use."""
    yield from _lines("```{dropdown} All of them, by chapter", 1)
    for chapter, group in groups.items():
        yield from _lines(f"**{titles[chapter]}**\n", group[0].line)
        for belief in group:
            yield f"- [{belief.belief}](#{belief.anchor})", belief.line
        yield "", group[0].line
    yield from _lines("```\n\n```{dropdown} By the words people use", 1)
    words: dict[str, list[Belief]] = {}
    for belief in (belief for group in groups.values() for belief in group):
        for word in belief.words:
            words.setdefault(word, []).append(belief)
    for initial, entries in groupby(
        sorted(words, key=_sorted_as), lambda word: _sorted_as(word)[0]
    ):
        shown = " · ".join(_entry(word, words[word]) for word in entries)
        yield f"- **{initial.upper() if initial.isascii() else initial}** {shown}", 1
    yield from _lines("```\n", 1)


def _sorted_as(word: str) -> str:
    """A word as the index sorts it: by its letters and digits, whatever their case."""
    return re.sub(r"\W", "", word).lower()


def _entry(word: str, found: list[Belief]) -> str:
    """As in the index of a printed book: the word leads to its place, or numbers do to several."""
    if len(found) == 1:
        return f"[{word}](#{found[0].anchor})"
    links = [f"[{number}](#{belief.anchor})" for number, belief in enumerate(found, 1)]
    return ", ".join([links[0].replace("[1]", f"[{word} 1]"), *links[1:]])


def _belief(belief: Belief) -> Lines:
    """A section: the belief, why it tempts, what refutes it, a cell that does, the claim."""
    yield f"({belief.anchor})=", belief.line
    yield from _lines(f"### “{_here(belief, belief.belief)}”\n", belief.lines["belief"], same=True)
    for label, key in (("Why it tempts.", "tempting"), ("What refutes it.", "refutation")):
        text = _here(belief, getattr(belief, key))
        yield from _lines(f"**{label}** {text}\n", belief.lines[key], same=True)
    first = belief.lines["counterexample"]
    yield "```{code-cell} ipython3", first - 1
    yield from _lines(belief.counterexample, first)
    yield from _lines("```\n", belief.lines["claim"])
    see = f"Settled by {{prf:ref}}`{belief.claim}`."
    if belief.quiz:
        see += f" {{ref}}`{QUIZ} <quiz-{belief.id}>` is in the chapter."
    if belief.sources:
        see += f" Met in {', '.join(map(_source, belief.sources))}."
    yield from _lines(f"{see}\n", belief.lines["claim"], same=True)


def _source(text: str) -> str:
    """A link to a discussion, if it is one on GitHub."""
    match = _THREAD.fullmatch(text)
    return f"[{text}](https://github.com/{match[1]}/issues/{match[2]})" if match else text


def _lines(text: str, first: int, *, same: bool = False) -> Lines:
    """The lines of a text, counted from the first one, or all as written on ``first``."""
    for number, line in enumerate(text.split("\n")):
        yield line, first if same else first + number


def _here(belief: Belief, text: str) -> str:
    """The text with the numbers that its chapter's cells glue, as another page names them."""
    return _GLUE.sub(lambda match: f"{{glue:text}}`{belief.chapter}.md::{match['name']}:s`", text)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("source-read", _read)
    app.connect("doctree-resolved", _name_quizzes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _name_quizzes(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Say in the links to quizzes of which belief, for who hears a list of the links alone."""
    for link in list(doctree.findall(nodes.reference)):
        if link.astext() == QUIZ:
            title = next(link.parent.parent.findall(nodes.title))
            link += nodes.inline("", f": {title.astext()}", classes=["visually-hidden"])


def _read(app: Sphinx, docname: str, content: list[str]) -> None:
    """As Sphinx reads a page. Numbers and titles on it are those of all chapters that it names."""
    path = Path(app.env.doc2path(docname))
    try:
        content[0], origins = expand(path, content[0])
    except SourceError as error:
        raise ExtensionError(str(error)) from None
    if origins:
        known = beliefs.load(path.parent / beliefs.FILE.name).values()
        names = {beliefs.FILE.name, *(f"{belief.chapter}.md" for belief in known)}
        for name in names:
            app.env.note_dependency((path.parent / name).relative_to(app.srcdir).as_posix())
