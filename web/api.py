"""The `api` directive: a module of nllbook from its docstrings, tied to the book both ways.

Each entry lists the sections whose cells use the name, and each name in the text of the book that
stands as code, `nll` or `datasets.load_engel()`, leads to its entry, as do those that a chapter's
first cell imports.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import NumpyDocstring
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

import nllbook
from web import cells, source

PAGE = "chapters/api"
MANY = 12  # sections; more are folded
# Public names that no cell of the book uses, each with the reason why it is public.
UNUSED = {
    "nllbook.ClaimError": "What a check that fails raises.",
    "nllbook.History": "What `gradient_descent` and `newton` return.",
    "nllbook.distributions.Distribution": "What all models have in common.",
    "nllbook.datasets.Table": "What the functions that load a table return.",
    "nllbook.datasets.Text": "What `load_novel` returns.",
    "nllbook.plotting.use_style": "Called by `plotting.figure`; for figures made without it.",
    "nllbook.figures.Picture": "What `show` returns.",
    "nllbook.figures.module": "What `show` gives to the widget, and the book's pages run.",
    "nllbook.exercises.try_out": "What the notebooks of the assignments call.",
    "nllbook.exercises.ExerciseError": "What it raises where an answer is wrong.",
    "nllbook.xlogy": "0 · log 0 = 0, in the entropy of `Categorical` and for a rate of 0.",
    "nllbook.log_sigmoid": "The log-probability of a yes from its logit, on its own.",
    "nllbook.torch.data_parallel_nll": "Called by [the program of two processes](#sec-processes).",
    "nllbook.torch.vocab_parallel_nll": "Called by [the program of two processes](#sec-processes).",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Name:
    """A public name: as it is imported, and where it is defined."""

    full: str  # nllbook.nll, nllbook.datasets.load_engel
    module: str  # likelihood, datasets
    kind: str  # function, class, exception

    @property
    def short(self) -> str:
        return self.full.rpartition(".")[2]

    @property
    def spellings(self) -> set[str]:
        """How the text and the cells may write it."""
        inside = f"{self.module}.{self.short}"
        return {self.short, inside, f"nllbook.{inside}", self.full}


@cache
def public() -> dict[str, Name]:
    """The public names by their full names: what nllbook exports, and what its objects share.

    Of an exported module, such as `datasets`, every function and class is public.
    """
    exported = {name: getattr(nllbook, name) for name in nllbook.__all__}
    whole = {one.__name__ for one in exported.values() if inspect.ismodule(one)}
    modules = {one.__module__ for one in exported.values() if not inspect.ismodule(one)}
    found = {}
    for place in sorted(modules | whole):
        for name, value in vars(import_module(place)).items():
            shared = inspect.isclass(value) and inspect.isabstract(value)  # the base of all models
            if name.startswith("_") or getattr(value, "__module__", "") != place:
                continue
            if name in exported or shared or place in whole:
                full = f"{'nllbook' if name in exported else place}.{name}"
                found[full] = Name(full, place.removeprefix("nllbook."), _kind(value))
    return found | {full: Name(full, "torch", "function") for full in of_torch()[1]}


@cache
def of_torch() -> tuple[str, dict[str, ast.FunctionDef]]:
    """The docstring of nllbook.torch and its functions, read: PyTorch may not be installed."""
    folder = Path(nllbook.__file__).parent / "torch"
    trees = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(folder.glob("*.py"))}
    last = cast(ast.Assign, trees["__init__"].body[-1])  # __all__
    exported = ast.literal_eval(last.value)
    functions = {
        f"nllbook.torch.{one.name}": one
        for tree in trees.values()
        for one in tree.body
        if isinstance(one, ast.FunctionDef) and one.name in exported
    }
    return ast.get_docstring(trees["__init__"]) or "", functions


def _kind(value: object) -> str:
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function"


@cache
def spellings() -> dict[str, Name]:
    """The public names by every spelling of them."""
    return {one: name for name in public().values() for one in name.spellings}


def named(text: str) -> str | None:
    """The full name of what a piece of code is or calls, if that is public: `nll(x, model)`.

    A method is given with its class: of `Gaussian.fit(x)` it is nllbook.Gaussian.fit.
    """
    try:
        tree = ast.parse(text.replace("…", "..."), mode="eval").body
    except SyntaxError:
        # `f(x, ..., reduction="none")`: no Python, but it is clear what is called
        match = re.fullmatch(r"([A-Za-z_][\w.]*)\(.*\)", text, re.DOTALL)
        return named(match[1]) if match else None
    chain: list[str] = []
    while isinstance(tree, ast.Call | ast.Attribute):
        if isinstance(tree, ast.Call):
            chain, tree = [], tree.func  # what a call gives is something else
        else:
            chain, tree = [tree.attr, *chain], tree.value
    if not isinstance(tree, ast.Name):
        return None
    parts = [tree.id, *chain]
    for length in range(len(parts), 0, -1):
        if name := spellings().get(".".join(parts[:length])):
            return ".".join([name.full, *parts[length : length + 1]])
    return None


@cache
def uses() -> dict[str, list[tuple[source.Chapter, source.Section]]]:
    """The sections whose cells use each public name, in the order of the book."""
    found: dict[str, dict[tuple[str, int], tuple[source.Chapter, source.Section]]] = {}
    for chapter in source.chapters():
        for name, line in cells.names(chapter, "nllbook"):
            for one in public().values():
                if name in one.spellings or any(name.startswith(f"{s}.") for s in one.spellings):
                    section = chapter.section(line)
                    place = (chapter.name, section.line)
                    found.setdefault(one.full, {})[place] = (chapter, section)
    return {name: list(places.values()) for name, places in found.items()}


def by_chapter(places: list[tuple[source.Chapter, source.Section]]) -> list[str]:
    """Links to the sections, an item of a Markdown list for each chapter."""
    found: dict[str, list[str]] = {}
    for chapter, section in places:
        slug = f"{chapter.name}.md#{section.slug}"
        link = f"[{section.title}]({'#' + section.labels[0] if section.labels else slug})"
        found.setdefault(f"[{chapter.title}]({chapter.name}.md)", []).append(link)
    return [f"- {chapter}: {', '.join(links)}" for chapter, links in found.items()]


class ApiDirective(SphinxDirective):
    """The docstring of a module of nllbook and the entries of its public names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        for path in source.CHAPTERS.glob("*.md"):  # whose cells use the names
            self.env.note_dependency(str(path))
        module = self.arguments[0]
        names = [name for name in public().values() if name.module == module]
        if not names:
            raise self.error(f"nllbook has no module {module!r} with public names: correct it")
        if module == "torch":
            lines = self._written()
        else:
            lines = [f".. automodule:: nllbook.{module}", "   :no-index:", ""]
            for name in names:
                prefix, _, short = name.full.rpartition(".")
                lines += [f".. currentmodule:: {prefix}", f".. auto{name.kind}:: {short}"]
                lines += ["   :members:", ""] if name.kind == "class" else [""]
        found = self.parse_text_to_nodes("```{eval-rst}\n" + "\n".join(lines) + "\n```")
        for node in found:
            for cell in [one[0] for one in node.findall(nodes.row)]:
                if named(cell.astext()):  # the name in a table's first column
                    cell.children = [nodes.paragraph("", "", nodes.literal(text=cell.astext()))]
            for entry in node.findall(addnodes.desc):
                if entry["objtype"] == "method":  # the list of contents would move at each
                    entry["no-contents-entry"] = True
                full = _full_name(entry)
                if full in public():
                    cast(nodes.Element, entry[-1]).extend(self._uses(full))
        return found

    def _written(self) -> list[str]:
        """What autodoc would write of nllbook.torch, if it could be sure to import it."""
        about, functions = of_torch()
        lines = [*about.split("\n"), "", ".. currentmodule:: nllbook.torch", ""]
        for full, one in functions.items():
            for argument in [node for node in ast.walk(one.args) if isinstance(node, ast.arg)]:
                argument.annotation = None  # the docstring says the types
            lines += [f".. py:function:: {full.rpartition('.')[2]}({ast.unparse(one.args)})", ""]
            text = _with_links(full, ast.get_docstring(one) or "")
            told = NumpyDocstring(text, self.config).lines()
            lines += [*(f"   {line}".rstrip() for line in told), ""]
        return lines

    def _uses(self, name: str) -> list[nodes.Node]:
        """The sections that use a name, chapter by chapter; folded where they are many."""
        if name in UNUSED:
            return self.parse_text_to_nodes(f"*In the book:* {UNUSED[name]}")
        places = uses().get(name, [])
        if not places:
            raise self.error(f"no cell uses {name}: use it, or say in UNUSED why it is public")
        lines = by_chapter(places)
        head = f"In {len(places)} sections of the book" if len(places) > MANY else "In the book"
        text = "\n".join(lines)
        if len(places) > MANY:
            text = f"````{{dropdown}} {head}\n{text}\n````"
        else:
            text = f"*{head}:*\n\n{text}"
        return [nodes.container("", *self.parse_text_to_nodes(text), classes=["uses"])]


class ContentsDirective(SphinxDirective):
    """The page's own sections with the public names in each, all of them links."""

    def run(self) -> list[nodes.Node]:
        page = source.read(source.ROOT / f"{PAGE}.md")
        modules = {name.module for name in public().values()}
        if missing := sorted(modules - {one.argument for one in page.named("api")}):
            wrong = f"the page does not show the module {missing[0]!r} of nllbook"
            raise self.error(f"{wrong}: add a section with the directive api")
        lines = []
        for one in page.named("api"):
            title = page.section(one.line).title
            names = [name.short for name in public().values() if name.module == one.argument]
            lines.append(
                f"[{title}](#api-{one.argument})\n: " + ", ".join(map("`{}`".format, names))
            )
        return [
            nodes.container("", *self.parse_text_to_nodes("\n\n".join(lines)), classes=["names"])
        ]


def _full_name(entry: addnodes.desc) -> str:
    signature = cast(nodes.Element, entry[0])
    return f"{signature['module']}.{signature['fullname']}"


class LinkNames(SphinxPostTransform):
    """Makes a link of every piece of inline code that is or calls a public name."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        objects = self.env.domains["py"].data["objects"]
        for literal in list(self.document.findall(nodes.literal)):
            target = named(literal.astext()) if _is_free(literal) else None
            if target is None or PAGE not in self.env.all_docs:
                continue
            while target and target not in objects:  # a method without an entry: its class has one
                target = target.rpartition(".")[0]
            entry = objects.get(target)
            if entry is None or _means_another(literal, entry.node_id):
                continue
            link = make_refnode(
                self.app.builder, self.env.docname, entry.docname, entry.node_id, []
            )
            literal.replace_self(link)
            link += literal
            link["classes"].append("api")


def _is_free(literal: nodes.literal) -> bool:
    """Whether a link may stand there: not in another one, nor in a heading or a signature."""
    node = literal.parent
    taken = nodes.reference | nodes.title | addnodes.pending_xref | addnodes.desc_signature
    while node is not None and not isinstance(node, taken):
        node = node.parent
    return node is None


def _means_another(literal: nodes.literal, entry: str) -> bool:
    """Whether it is another library's, in the entry it would lead to, or an entry's parameter."""
    node = literal.parent
    while node is not None:
        if "elsewhere" in node["classes"]:
            return True
        if isinstance(node, addnodes.desc):
            signature = cast(nodes.Element, node[0])
            parameters = {one.astext() for one in signature.findall(addnodes.desc_sig_name)}
            if entry in signature["ids"] or literal.astext() in parameters:
                return True
        node = node.parent
    return False


def link_imports(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """In the cell that imports from nllbook, make links of the names (one place a chapter)."""
    objects = app.env.domains["py"].data["objects"]

    def link(match: re.Match[str]) -> str:
        name = spellings().get(match[1])
        if name and name.full in objects:
            target = objects[name.full].node_id
        elif match[1] in {one.module for one in public().values()}:
            target = f"api-{match[1]}"
        else:
            return match[0]
        url = f"{app.builder.get_relative_uri(page, PAGE)}#{target}"
        return f'<a class="api" href="{url}">{match[0]}</a>'

    if PAGE in app.env.all_docs:
        context["body"] = re.sub(
            # to the end of the import
            r'<span class="nn">nllbook(?:\.torch)?</span>[^\n(]*(?:\([^)]*\))?',
            lambda cell: re.sub(r'<span class="n">(\w+)</span>', link, cell[0]),
            context.get("body", ""),
        )


@cache
def _titles() -> dict[str, str]:
    return {page.title: f"/chapters/{page.name}" for page in source.pages()}


def _with_links(name: str, text: str) -> str:
    """A docstring in which `the chapter "Likelihood"` is a link."""

    def chapter(match: re.Match[str]) -> str:
        before, title = match[1], " ".join(match[2].split())
        if title in _titles():
            return f"{before}:doc:`{title} <{_titles()[title]}>`"
        if before.startswith("chapter"):
            logger.warning("the docstring of %s: no chapter has the title %r: mend it", name, title)
        return match[0]

    return re.sub(r'(\bchapters?\s+|\band\s+)"([^"]+)"', chapter, text)


def link_chapters(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """In a docstring, make links of the chapters' titles and of the top of the module."""
    text = _with_links(name, "\n".join(lines))
    if what != "module":  # |z| is no substitution; tables would lose their columns
        text = re.sub(r"``.*?``|\|", lambda one: one[0] if one[0] != "|" else r"\|", text)
    top = f"api-{getattr(obj, '__module__', '').removeprefix('nllbook.')}"
    text = text.replace("the top of this module", f":ref:`the top of this module <{top}>`")
    lines[:] = text.split("\n")


def setup(app: Sphinx) -> None:
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    app.add_directive("api", ApiDirective)
    app.add_directive("api-contents", ContentsDirective)
    app.add_post_transform(LinkNames)
    app.connect("html-page-context", link_imports)
    app.connect("autodoc-process-docstring", link_chapters, priority=400)
