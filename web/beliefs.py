"""The wrong beliefs and their quizzes: reads chapters/wrong-beliefs.yml, strictly."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import yaml

from web.source import CHAPTERS, SourceError, yaml_error

FILE = CHAPTERS / "wrong-beliefs.yml"
MIN_OPTIONS = 3
KEYS = (
    *("id", "chapter", "belief", "words", "tempting", "refutation", "counterexample"),
    *("claim", "sources"),
)

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_STRING, _BOOL, _NULL = (f"tag:yaml.org,2002:{name}" for name in ("str", "bool", "null"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Option:
    """One answer to a quiz, with the reason why it is right or wrong."""

    text: str
    correct: bool
    why: str

    @property
    def verdict(self) -> str:
        """The words that come before the reason."""
        return "✓ Right." if self.correct else "✗ Not so."


@dataclass(frozen=True)
class Quiz:
    """A question of which exactly one option is right."""

    question: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Belief:
    """A wrong belief; its texts are MyST, its counterexample is Python that prints.

    ``words`` are what people search for, ``claim`` is the statement that settles it, ``line`` is
    where it stands in the file, and ``lines`` where each of its keys has its value.
    """

    id: str
    chapter: str
    belief: str
    words: tuple[str, ...]
    tempting: str
    refutation: str
    counterexample: str
    claim: str
    sources: tuple[str, ...]
    quiz: Quiz | None
    line: int
    lines: Mapping[str, int] = field(repr=False)

    @property
    def anchor(self) -> str:
        """What a link to it on its page ends in, after the #."""
        return f"belief-{self.id}"

    @property
    def texts(self) -> tuple[str, ...]:
        """All of its texts."""
        quiz = self.quiz or Quiz("", ())
        answers = [text for option in quiz.options for text in (option.text, option.why)]
        own = (self.belief, self.tempting, self.refutation, *self.sources)
        return (*own, quiz.question, *answers)


def load(path: Path = FILE, claims: Collection[str] | None = None) -> dict[str, Belief]:
    """The beliefs by id, in the order of the file.

    ``claims`` are the ids that the book states; None leaves the claims unchecked.

    Raises
    ------
    SourceError
        At the first mistake: file and line, what is wrong, what to do.
    """
    reader = Reader(path)
    beliefs: dict[str, Belief] = {}
    for node in reader.items(reader.root(), "the file", "beliefs"):
        belief = _belief(reader, node)
        if belief.id in beliefs:
            first = beliefs[belief.id].line
            reader.fail(node, f"the id {belief.id!r} stands on line {first} too: rename one")
        if claims is not None and belief.claim not in claims:
            wrong = f"the book states no claim {belief.claim!r}{nearest(belief.claim, claims)}"
            raise SourceError(path, belief.lines["claim"], f"{wrong}: correct the id")
        beliefs[belief.id] = belief
    return beliefs


def misplaced(known: dict[str, Belief], name: str, chapter: str) -> str | None:
    """Why the quiz with this id cannot stand in this chapter, and what to do; None if it can."""
    if name not in known:
        wrong = f"{FILE.name} has no belief {name!r}{nearest(name, known)}"
        return f"{wrong}: correct the id, or add it there"
    belief = known[name]
    place = f"{FILE.name}, line {belief.line}"
    if belief.quiz is None:
        return f"the belief {name!r} has no quiz: write one in {place}"
    if belief.chapter != chapter:
        return (
            f"the quiz {name!r} belongs to the chapter {belief.chapter!r}, not to {chapter!r}: "
            f"move it, or change its chapter in {place}"
        )
    return None


def nearest(name: str, known: Collection[str]) -> str:
    """A hint at the known name that is most like this one."""
    near = get_close_matches(name, sorted(known), 1)
    return f" (nearest: {near[0]})" if near else ""


def _belief(reader: Reader, node: yaml.Node) -> Belief:
    entry = reader.mapping(node, "a belief", KEYS, ("quiz",))
    words = reader.texts(entry["words"], "words", "a word")
    if not words:
        reader.fail(entry["words"], "words is empty: write what people search for")
    return Belief(
        id=reader.identifier(entry["id"], "id"),
        chapter=reader.text(entry["chapter"], "chapter"),
        belief=reader.text(entry["belief"], "belief"),
        words=words,
        tempting=reader.text(entry["tempting"], "tempting"),
        refutation=reader.text(entry["refutation"], "refutation"),
        counterexample=reader.text(entry["counterexample"], "counterexample"),
        claim=reader.identifier(entry["claim"], "claim"),
        sources=reader.texts(entry["sources"], "sources", "a source"),
        quiz=_quiz(reader, entry["quiz"]) if "quiz" in entry else None,
        line=reader.line(node),
        lines={key: reader.first_line(value) for key, value in entry.items()},
    )


def _quiz(reader: Reader, node: yaml.Node) -> Quiz:
    entry = reader.mapping(node, "a quiz", ("question", "options"))
    options = tuple(
        _option(reader, option) for option in reader.items(entry["options"], "options", "options")
    )
    if len(options) < MIN_OPTIONS:
        reader.fail(entry["options"], f"{len(options)} options: write at least {MIN_OPTIONS}")
    right = sum(option.correct for option in options)
    if right != 1:
        message = f"{right} options are correct: let exactly one say `correct: true`"
        reader.fail(entry["options"], message)
    return Quiz(reader.text(entry["question"], "question"), options)


def _option(reader: Reader, node: yaml.Node) -> Option:
    entry = reader.mapping(node, "an option", ("text", "correct", "why"))
    return Option(
        reader.text(entry["text"], "text"),
        reader.flag(entry["correct"], "correct"),
        reader.text(entry["why"], "why"),
    )


class Reader:
    """Takes YAML nodes apart and says on which line one is not as it should be."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def root(self) -> yaml.Node:
        try:
            root = yaml.compose(self.path.read_text(encoding="utf-8"), Loader=_LOADER)
        except yaml.YAMLError as error:
            raise yaml_error(self.path, 1, "this is", error) from None
        if root is None:
            raise SourceError(self.path, 1, "the file is empty: write `[]` for an empty list")
        return root

    def line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1

    def first_line(self, node: yaml.Node) -> int:
        """Where its text begins, which is below the mark of a block."""
        is_block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
        return self.line(node) + is_block

    def fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise SourceError(self.path, self.line(node), message)

    def items(self, node: yaml.Node, what: str, of: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, f"{what} is no list: write a list of {of}")
        return list(node.value)

    def entries(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        """The values of a mapping whose keys are free."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"{what} is no mapping: write keys and values")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, "a key")
            if name in found:
                self.fail(key, f"{what} has the key {name!r} twice: drop one")
            found[name] = value
        return found

    def mapping(
        self, node: yaml.Node, what: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, yaml.Node]:
        known = (*required, *optional)
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f"{what} is no mapping: write the keys {', '.join(known)}")
        entry: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value not in known:
                self.fail(key, f"{what} has no key {key.value!r}: use {', '.join(known)}")
            if key.value in entry:
                self.fail(key, f"{what} has the key {key.value!r} twice: drop one")
            if key.value in required or value.tag != _NULL:
                entry[key.value] = value
        for name in required:
            if name not in entry:
                self.fail(node, f"{what} lacks the key {name!r}: add it")
        return entry

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag != _STRING:
            self.fail(node, f"{what} is no text: write text, in quotes if it looks like a number")
        if not node.value.strip():
            self.fail(node, f"{what} is empty: write it")
        return str(node.value).strip()

    def texts(self, node: yaml.Node, what: str, each: str) -> tuple[str, ...]:
        return tuple(self.text(item, each) for item in self.items(node, what, "texts"))

    def identifier(self, node: yaml.Node, what: str) -> str:
        text = self.text(node, what)
        if not _KEBAB.fullmatch(text):
            self.fail(node, f"{what} {text!r} is not in kebab-case: write it like-this")
        return text

    def flag(self, node: yaml.Node, what: str) -> bool:
        if node.tag != _BOOL or node.value not in ("true", "false"):
            self.fail(node, f"{what} is neither true nor false: write one of them")
        return bool(node.value == "true")
