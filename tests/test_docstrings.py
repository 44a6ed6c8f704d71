"""Each public name of nllbook says what it does: its docstring is held to the rules below.

The source is read, not imported, so that `nllbook.torch` is looked at without PyTorch. That the
examples run is seen elsewhere: pytest runs them all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import nllbook
from web import api
from web.source import pages

Function = ast.FunctionDef
PACKAGE = Path(nllbook.__file__).parent
# What serves the making of the book: it has no formula, and belongs to no chapter.
HELPERS = {"claims", "exercises", "figures", "plotting", "prose"}
NO_FORMULA = HELPERS | {"datasets", "nllbook.History"}
# What has one of these in its name is measured in a unit.
MEASURED = re.compile(r"log|nll|entropy|surprisal|divergence|perplexity|softplus|encode|huffman")
UNIT = re.compile(r"\b(nats|bits?)\b")
FORMULA = re.compile(r"[=ΣΠ√·−‖]|\b(exp|log)\(")
# "Parameters, result and errors as for ``softplus``."
LIKE = re.compile(r"\b(Parameters(?:,? \w+)*) as for ``(\w+)``")
SECTION = re.compile(r"^([A-Z]\w+)\n-+$", re.MULTILINE)
CHAPTER = re.compile(r"\bchapters?\s+((?:(?:,| and)?\s*\"[^\"]+\")+)")
SHARED = "see the top of this module"


def module(full: str) -> str:
    return api.public()[full].module


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def files(full: str) -> list[Path]:
    """Where the module of a public name is written."""
    alone, folder = PACKAGE / f"{module(full)}.py", PACKAGE / module(full)
    return [alone] if alone.exists() else sorted(folder.glob("*.py"))


@cache
def node(full: str) -> ast.FunctionDef | ast.ClassDef:
    """The definition of a public name."""
    (found,) = (
        one
        for path in files(full)
        for one in tree(path).body
        if isinstance(one, ast.FunctionDef | ast.ClassDef)
        if one.name == api.public()[full].short
    )
    return found


def text(full: str) -> str:
    """The docstring, with that of its module where it sends the reader to it."""
    found = ast.get_docstring(node(full)) or ""
    about = ast.get_docstring(tree(files(full)[0])) or ""
    return f"{found}\n\n{about}" if SHARED in " ".join(found.split()) else found


def sections(full: str) -> dict[str, str]:
    """The parts of a docstring by their heads; what comes before them by ""."""
    before, *rest = SECTION.split(ast.get_docstring(node(full)) or "")
    return {"": before} | dict(zip(rest[::2], rest[1::2], strict=True))


def like(full: str) -> set[str]:
    """What it has in common with another function, to whose docstring it refers."""
    found = LIKE.search(text(full))
    return set(re.findall(r"\w+", found[1])) if found else set()


PUBLIC = sorted(api.public())
FUNCTIONS = [name for name in PUBLIC if api.public()[name].kind == "function"]
CLASSES = [name for name in PUBLIC if api.public()[name].kind == "class"]


def functions(full: str) -> Iterator[Function]:
    """The function, or the public methods of the class."""
    one = node(full)
    if isinstance(one, ast.FunctionDef):
        yield one
    else:
        found = [part for part in one.body if isinstance(part, ast.FunctionDef)]
        yield from (part for part in found if not part.name.startswith("_"))


def arguments(function: Function) -> list[ast.arg]:
    spec = function.args
    named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, spec.vararg, spec.kwarg]
    return [one for one in named if one is not None and one.arg not in ("self", "cls")]


def described(part: str) -> set[str]:
    """The names that a section explains: lines without indent, `x, y : array_like`."""
    heads = re.findall(r"^(\S.*)$", part, re.MULTILINE)
    return {name.strip(" *`") for head in heads for name in head.partition(" : ")[0].split(",")}


@pytest.mark.parametrize("full", PUBLIC)
def test_it_has_an_example(full: str) -> None:
    assert ">>> " in sections(full).get("Examples", ""), f"{full} has no example that runs"


@pytest.mark.parametrize("full", [*FUNCTIONS, *CLASSES])
def test_every_parameter_and_result_has_its_type(full: str) -> None:
    for one in functions(full):
        assert [arg.arg for arg in arguments(one) if arg.annotation is None] == [], one.name
        assert one.returns, f"{full}: what {one.name} returns has no type"


@pytest.mark.parametrize("full", FUNCTIONS)
def test_it_explains_its_parameters_result_and_errors(full: str) -> None:
    (function,) = functions(full)
    found, shared = sections(full), like(full)
    names = {one.arg for one in arguments(function)}
    if names and "Parameters" not in shared:
        assert described(found.get("Parameters", "")) == names
    assert function.returns
    returns = ast.unparse(function.returns)
    if returns != "None" and "result" not in shared:
        assert found.get("Returns", "").strip(), f"{full} does not say what it returns"
    if names and "errors" not in shared:
        assert re.search(r"^\w+Error\b", found.get("Raises", ""), re.MULTILINE)


@pytest.mark.parametrize("full", CLASSES)
def test_a_class_explains_what_it_is_made_of(full: str) -> None:
    one = node(full)
    assert isinstance(one, ast.ClassDef)
    fields = {
        part.target.id
        for part in one.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }
    found = sections(full)
    assert described(found.get("Parameters", found.get("Attributes", ""))) >= fields


@pytest.mark.parametrize("full", FUNCTIONS)
def test_what_it_refers_to_is_there(full: str) -> None:
    for match in LIKE.finditer(text(full)):
        other = f"nllbook.{match[2]}"
        assert other in FUNCTIONS, f"{full} refers to {match[2]}"
        assert module(other) == module(full)
        assert not like(other), f"{full} refers to {match[2]}, which refers elsewhere"


@pytest.mark.parametrize("full", [one for one in PUBLIC if MEASURED.search(one.rpartition(".")[2])])
def test_it_says_in_which_unit_it_measures(full: str) -> None:
    assert UNIT.search(text(full)), f"{full} names no unit: nats, bits"


@pytest.mark.parametrize("full", [one for one in PUBLIC if not {one, module(one)} & NO_FORMULA])
def test_it_has_its_formula(full: str) -> None:
    found = sections(full)
    prose = "".join(part for head, part in found.items() if head in ("", "Returns", "Attributes"))
    assert FORMULA.search(prose), f"{full} has no formula"


@cache
def titles() -> set[str]:
    return {page.title for page in pages()}


@cache
def uses(full: str) -> set[str]:
    """The numbered chapters whose cells use it."""
    return {chapter.title for chapter, _ in api.uses().get(full, []) if chapter.number}


@pytest.mark.parametrize("full", PUBLIC)
def test_it_names_its_chapter(full: str) -> None:
    named = {
        " ".join(title.split())
        for match in CHAPTER.finditer(text(full))
        for title in re.findall(r'"([^"]+)"', match[1])
    }
    assert named <= titles()
    if module(full) in HELPERS:
        return
    assert named, f"{full} names no chapter"
    assert not uses(full) or named & uses(full), f"{full}: used in {uses(full)}, not in {named}"
