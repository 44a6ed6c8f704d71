"""The small changes of a module's source that its unit tests must notice, made by mutmut.

Changed are functions and methods, their default values included, and the constants of the module.
Not changed are annotations, type aliases, docstrings, decorators, what a class body holds besides
its methods, and messages: an argument of a raised exception that holds a string, and a string given
to a function of `nllbook/_validate.py`, which only quotes it. `astype(None)` is left out as well:
NumPy takes it for `astype(np.float64)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import libcst as cst
from libcst import matchers as m
from libcst.metadata import (
    CodeRange,
    MetadataWrapper,
    PositionProvider,
    WhitespaceInclusivePositionProvider,
)
from mutmut.mutation.mutators import mutation_operators

PACKAGE = Path(__file__).parents[1] / "nllbook"
TEXT = m.SimpleString() | m.FormattedString()
CONSTANT = m.SimpleStatementLine(body=[m.Assign() | m.AnnAssign()])
ALIAS = m.SimpleStatementLine(body=[m.Assign(value=m.Subscript())])  # Floats = NDArray[np.float64]
DOCSTRING = m.SimpleStatementLine(body=[m.Expr(m.SimpleString())])
STRICT = m.Arg(keyword=m.Name("strict"))
FLOAT64 = m.Call(
    func=m.Attribute(attr=m.Name("astype")), args=[m.Arg(m.Name("None")), m.ZeroOrMore()]
)


@dataclass(frozen=True)
class Change:
    """The characters from ``start`` to ``end`` of a file become ``new``."""

    file: Path
    function: str  # its qualified name; outside of all functions that of the constant
    constant: bool
    start: int
    end: int
    new: str
    lines: range  # a test that executes none of them cannot notice
    before: str  # the lines concerned, in one, and what becomes of them
    after: str

    @property
    def where(self) -> str:
        return f"{self.file.stem}.{self.function}"

    def apply(self) -> str:
        """The changed source."""
        text = source(self.file)
        return text[: self.start] + self.new + text[self.end :]


@cache
def source(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def changes(file: Path) -> tuple[list[Change], dict[str, str]]:
    """All changes of a module, and a hash of each of its functions and constants."""
    reader = _Reader(file)
    found: dict[str, Change] = {}
    hashes = {}
    for name, node in reader.places():
        hashes[f"{file.stem}.{name}"] = reader.hash(node)
        for change in reader.below(node, name):
            found.setdefault(change.apply(), change)
    return list(found.values()), hashes


class _Reader:
    """A module's tree, with the place of each node in the text."""

    def __init__(self, file: Path) -> None:
        self.file, self.text = file, source(file)
        wrapper = MetadataWrapper(cst.parse_module(self.text), unsafe_skip_copy=True)
        self.tree = wrapper.module
        self.exact: Mapping[cst.CSTNode, CodeRange] = wrapper.resolve(PositionProvider)
        self.whole: Mapping[cst.CSTNode, CodeRange] = wrapper.resolve(
            WhitespaceInclusivePositionProvider
        )
        self.starts = [0]
        for line in self.text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def places(self) -> Iterator[tuple[str, cst.CSTNode]]:
        """Functions, methods and constants, with their qualified names."""
        for node in self.tree.body:
            if isinstance(node, cst.FunctionDef):
                yield node.name.value, node
            elif isinstance(node, cst.ClassDef):
                for method in node.body.body:
                    if isinstance(method, cst.FunctionDef):
                        yield f"{node.name.value}.{method.name.value}", method
            elif m.matches(node, CONSTANT) and not m.matches(node, ALIAS):
                yield self.tree.code_for_node(node).strip().split(" =")[0].split(":")[0], node

    def hash(self, node: cst.CSTNode) -> str:
        """Of the source without the docstring."""
        if isinstance(node, cst.FunctionDef) and m.matches(node.body.body[0], DOCSTRING):
            node = node.with_deep_changes(node.body, body=node.body.body[1:])
        return hashlib.sha256(self.tree.code_for_node(node).strip().encode()).hexdigest()[:12]

    def below(
        self,
        node: cst.CSTNode,
        name: str,
        lines: range = range(0),
        messages: frozenset[cst.CSTNode] = frozenset(),
    ) -> Iterator[Change]:
        """The changes of a node and of all below it."""
        if (
            isinstance(node, cst.Annotation | cst.Decorator)
            or m.matches(node, DOCSTRING)
            or node in messages
        ):
            return
        if isinstance(node, cst.BaseStatement):
            lines = self._lines(node)
        if isinstance(node, cst.FunctionDef):
            messages = _texts(node)
        elif isinstance(node, cst.Raise):
            messages |= frozenset(arg for arg in m.findall(node, m.Arg()) if m.findall(arg, TEXT))
        elif _quotes(node):
            messages |= frozenset(arg for arg in node.children if m.matches(arg, m.Arg(TEXT)))
        elif isinstance(node, cst.Call):
            messages |= frozenset(arg for arg in node.args if m.matches(arg, STRICT))
        kept = messages & set(node.children)
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for new in operator(node):
                    if kept <= set(new.children) and not _means_the_same(node, new):
                        yield self._change(node, new, name, lines)
        for child in node.children:
            yield from self.below(child, name, lines, messages)

    def _lines(self, statement: cst.BaseStatement) -> range:
        """Of a statement with a body those above it, but all of a function.

        A constant may be noticed anywhere in the module.
        """
        where = self.exact[statement]
        start, end = where.start.line, where.end.line + 1
        if isinstance(statement, cst.SimpleStatementLine):
            return range(start, end) if where.start.column else range(1, len(self.starts))
        if isinstance(statement, cst.FunctionDef):
            return range(start, end)
        assert isinstance(statement, cst.BaseCompoundStatement)
        first = self.exact[statement.body.body[0]].start.line  # of its body
        return range(start, max(start + 1, first))

    def _change(self, node: cst.CSTNode, new: cst.CSTNode, name: str, lines: range) -> Change:
        where = self.whole[node]
        first, last = self.starts[where.start.line - 1], self.starts[where.end.line]
        start, end = first + where.start.column, self.starts[where.end.line - 1] + where.end.column
        code = self.tree.code_for_node(new)
        after = self.text[first:start] + code + self.text[end:last]
        return Change(
            self.file,
            name,
            lines.start == 1,
            start,
            end,
            code,
            lines,
            _on_one_line(self.text[first:last]),
            _on_one_line(after),
        )


def _means_the_same(node: cst.CSTNode, new: cst.CSTNode) -> bool:
    """astype(None) is astype(np.float64); and 1e300 plus 1 is 1e300."""
    if isinstance(node, cst.Float) and isinstance(new, cst.Float):
        return node.evaluated_value == new.evaluated_value
    return m.matches(new, FLOAT64)


def _on_one_line(lines: str) -> str:
    """Without the comments, too."""
    return " ".join(" ".join(line.split("  #")[0] for line in lines.splitlines()).split())


def _texts(function: cst.FunctionDef) -> frozenset[cst.CSTNode]:
    """The assignments of texts that are used in messages only."""
    texts = []
    calls = [
        cst.ensure_type(cst.ensure_type(one, cst.Raise).exc, cst.Call)
        for one in m.findall(function, m.Raise(exc=m.Call()))
    ]
    messages = [arg for call in calls for arg in call.args if m.findall(arg, TEXT)]
    for one in m.findall(function, m.Assign(targets=[m.AssignTarget(m.Name())])):
        target = cst.ensure_type(one, cst.Assign).targets[0].target
        name = m.Name(cst.ensure_type(target, cst.Name).value)
        spoken = sum(len(m.findall(arg, name)) for arg in messages)
        if m.findall(one, TEXT) and len(m.findall(function, name)) == spoken + 1:
            texts.append(one)
    return frozenset(texts)


def _quotes(node: cst.CSTNode) -> bool:
    """Whether it is a call of a function that quotes a name or an expectation in its errors."""
    if not isinstance(node, cst.Call):
        return False
    function = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
    return isinstance(function, cst.Name) and function.value in _validators()


@cache
def _validators() -> set[str]:
    text = m.Param(name=m.Name("name") | m.Name("expected"))
    parameters = m.Parameters(params=[m.ZeroOrMore(), text, m.ZeroOrMore()])
    tree = cst.parse_module(source(PACKAGE / "_validate.py"))
    functions = m.findall(tree, m.FunctionDef(params=parameters))
    return {cst.ensure_type(one, cst.FunctionDef).name.value for one in functions}
