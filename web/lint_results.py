"""The rules of web.lint about what cells print and check: losses, and results of simulations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from web.cells import tree
from web.labels import Book
from web.lint_rules import Finding, finding
from web.source import Directive

# ---- printed losses

_UNIT = re.compile(r"\b(?:nats?|bits?|bytes)\b")
_LOG_UNIT = re.compile(r"\b(?:nats?|bits?)\b")
# "slope of the NLL" and "descent on the loss" name something else.
_LOSS = re.compile(
    r"(?<!\bof )(?<!\bof the )(?<!\bof the mean )(?<!\bon the )"
    r"\b(?:NLLs?|loss(?:es)?|log-likelihoods?)\b",
    re.IGNORECASE,
)
_REDUCTION = re.compile(
    r"\b(?:mean|sum|per|each)\b|\b(?:NLL|loss) of an? |\b(?:nats?|bits?|bytes) an? "
)
# Expectations, lengths and logarithms by definition: their names say it all.
_DEFINED = re.compile(
    r"\b(?:entrop(?:y|ies)|KL|surprisals?|surprise|divergences?|information|codes?|log|H)\b",
    re.IGNORECASE,
)
_LOSS_FUNCTION = re.compile(r"(?:\w+_)?(?:nll|entropy)|log_likelihood|kl_divergence|surprisal")


def printed_losses(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            texts = _Texts(cell)
            if not texts.prints:
                continue
            said = " ".join(texts.found)
            named = bool(_LOSS.search(said))
            computed = any(_is_loss(node, texts.losses) for node in _inside(texts.prints))
            logs = computed or bool(_LOG_UNIT.search(said))
            missing = []
            if (named or computed) and not _UNIT.search(said):
                missing.append("its unit")
            if not _REDUCTION.search(said) and (named or (logs and not _DEFINED.search(said))):
                missing.append("mean or sum" if named else "what it is")
            if missing:
                line = cell.body_line + texts.prints[0].lineno - 1
                wrong = f"a loss is printed that does not say {' and '.join(missing)}"
                remedy = "print it in words, like 'NLL 1.03 nats (mean)' or '2.9 bits a letter'"
                yield finding(page, line, wrong, remedy)


class _Texts(ast.NodeVisitor):
    """The texts that the prints of a cell may show, and the names of losses."""

    def __init__(self, cell: Directive) -> None:
        self.prints: list[ast.Call] = []
        self.found: list[str] = []
        self.losses: set[str] = set()
        self.visit(tree(cell))

    def visit_Call(self, node: ast.Call) -> None:
        if _called(node) == "print":
            self.prints.append(node)
            constants = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
            self.found += [value for value in constants if isinstance(value, str)]

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring is shown nowhere
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.append(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if _is_loss(node.value, self.losses):
            self.losses |= {name for target in node.targets for name in _bound(target)}
        self.generic_visit(node)


def _is_loss(node: ast.AST, losses: set[str]) -> bool:
    """Whether an expression is a loss, or several: what it computes on the way does not count."""
    match node:
        case ast.Name():
            return node.id in losses
        case ast.Call():
            return bool(_LOSS_FUNCTION.fullmatch(_called(node)))
        case ast.GeneratorExp() | ast.ListComp():
            return _is_loss(node.elt, losses)
        case ast.Tuple() | ast.List():
            return any(_is_loss(one, losses) for one in node.elts)
        case ast.JoinedStr():
            return any(_is_loss(one, losses) for one in node.values)
        case ast.FormattedValue():
            return _is_loss(node.value, losses)
    return False


# ---- simulations

DRAWN, MEAN = 1, 2
_MEANS = {"mean", "average", "std", "var", "median", "quantile", "percentile"}
_ERROR = re.compile(r"±|standard[ _](?:error|deviation)")


def seeded_draws(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            for node in _inside([tree(cell)]):
                if not isinstance(node, ast.Call):
                    continue
                line = cell.body_line + node.lineno - 1
                seed = node.args[0] if node.args else None
                if _called(node) == "default_rng":
                    if not (isinstance(seed, ast.Constant) and isinstance(seed.value, int)):
                        wrong = "the seed of this generator is not written out"
                        yield finding(page, line, wrong, "give default_rng a whole number")
                elif isinstance(node.func, ast.Attribute) and _last(node.func.value) == "random":
                    wrong = f"random.{node.func.attr} draws from a generator that all code shares"
                    yield finding(page, line, wrong, "draw from np.random.default_rng(seed)")


def simulated_errors(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        draws = _Draws()
        for cell in page.cells:
            draws.results = []
            draws.visit(tree(cell))
            if draws.results and not _ERROR.search(cell.body):
                line = cell.body_line + draws.results[0] - 1
                wrong = "a mean of random draws is shown without its standard error"
                remedy = "print it with ±, or give check a standard_error"
                yield finding(page, line, wrong, remedy)


class _Draws(ast.NodeVisitor):
    """Follows random draws through the cells of a page, to the means of them that are shown.

    ``results`` are the lines where a mean is printed, or checked against what was not drawn. Two
    sides from the same draws are an identity, an inequality holds at every draw: no error bar.
    """

    def __init__(self) -> None:
        self.levels: dict[str, int] = {}
        self.results: list[int] = []

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            self._bind(target, self._level(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        self._bind(node.target, max(self._level(node.target), self._level(node.value)))

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self._bind(ast.Name(node.name), 0)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._bind(node.target, self._level(node.iter))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        with self._scope():
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    self._bind(ast.Name(argument.arg), 0)
            self.generic_visit(node)
            returned = (one.value for one in ast.walk(node) if isinstance(one, ast.Return))
            level = max((self._level(value) for value in returned if value), default=0)
        self._bind(ast.Name(node.name), level)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        levels = [self._level(argument) for argument in node.args]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            if _last(node.func.value) in self.levels and any(levels):  # a list, not numpy
                self._bind(node.func.value, max(levels))
        elif _called(node) == "print":
            if MEAN in levels:
                self.results.append(node.lineno)
        elif _called(node) == "check":
            sides = levels[1:3]
            if MEAN in sides and 0 in sides:
                self.results.append(node.lineno)

    @contextmanager
    def _scope(self) -> Iterator[None]:
        """What is bound inside is forgotten after."""
        outer = dict(self.levels)
        yield
        self.levels = outer

    def _bind(self, target: ast.expr, level: int) -> None:
        for name in _bound(target):
            self.levels[name] = level

    def _level(self, node: ast.AST) -> int:
        """0 for what no draw enters, DRAWN for what one does, MEAN for a mean of draws."""
        if isinstance(node, ast.Name):
            return self.levels.get(node.id, 0)
        with self._scope():
            for loop in getattr(node, "generators", []):
                self._bind(loop.target, self._level(loop.iter))
            level = max((self._level(child) for child in ast.iter_child_nodes(node)), default=0)
        if isinstance(node, ast.Call):
            if _called(node) == "default_rng":
                return DRAWN
            if _called(node) in _MEANS and level:
                return MEAN
            if _called(node) == "nll" and node.args and self._level(node.args[0]):
                return MEAN
        return level


# ---- Python


def _called(call: ast.Call) -> str:
    return _last(call.func)


def _last(node: ast.AST) -> str:
    """The last name of a dotted one."""
    return getattr(node, "attr", getattr(node, "id", ""))


def _bound(target: ast.expr) -> Iterator[str]:
    """The names that an assignment to this changes."""
    match target:
        case ast.Name():
            yield target.id
        case ast.Tuple() | ast.List():
            for one in target.elts:
                yield from _bound(one)
        case ast.Starred() | ast.Subscript() | ast.Attribute():
            yield from _bound(target.value)


def _inside(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        yield from ast.walk(node)
