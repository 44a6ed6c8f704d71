"""The ledger of claims: collected from the executed cells as the site is built.

Each statement with a claim's id (a sphinx-proof directive with that label) and each `check(...)` of
it in an executed cell becomes an entry of `_build/claims.json` and a row of the page that holds the
`claims-ledger` directive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from web import source

Claim = dict[str, Any]  # {id, chapter, statement, checks: [{kind, difference, tolerance}]}


def checks(notebook: nbformat.NotebookNode) -> Iterator[dict[str, Any]]:
    """What the checks of an executed notebook left in their outputs' metadata."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("nllbook")
            if record is not None:
                yield dict(record)


def refuse_failed_cell(chapter: source.Chapter, notebook: nbformat.NotebookNode) -> None:
    """Raise for the first cell of the executed notebook that ended in an error."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell, cell_source in zip(cells, chapter.cells, strict=True):
        for output in cell.outputs:
            if output.output_type == "error":
                raise source.SourceError(
                    *chapter.origin(cell_source.line),
                    f"this cell fails with {output.ename}: {output.evalue}: mend the cell",
                )


def ledger(chapter: source.Chapter, notebook: nbformat.NotebookNode) -> list[Claim]:
    """The chapter's claims, each with its executed checks.

    Raises
    ------
    ValueError
        Where a check names no statement of the chapter, or a statement has no check.
    """
    stated = {one.options["label"]: one for one in chapter.statements if "label" in one.options}
    claims: dict[str, Claim] = {
        name: {"id": name, "chapter": chapter.name, "statement": one.body.strip(), "checks": []}
        for name, one in stated.items()
    }
    for record in checks(notebook):
        name = record.pop("claim")
        if name not in claims:
            raise ValueError(
                f"chapters/{chapter.name}.md: check({name!r}, …) names no statement of this "
                "chapter: correct the id, or state the claim in a prf:proposition with that label"
            )
        claims[name]["checks"].append(record)
    for name, one in stated.items():
        if not claims[name]["checks"]:
            message = f"the claim {name} has no executed check: add one to a cell"
            raise source.SourceError(chapter.path, one.line, message)
    return list(claims.values())


LINE = re.compile(r"^✓ (?P<claim>[a-z0-9-]+): (?P<text>.+)$")


def _link_checks(doctree: nodes.document) -> None:
    """Each line that a check displays becomes one short paragraph that links to its statement.

    Equal lines in succession, as a loop gives them, become one that says how often.
    """
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code_output":
            continue
        last: tuple[str, nodes.paragraph] | None = None
        count = 0
        for output in list(cell.children):
            block = output.next_node(nodes.literal_block)
            match = LINE.match(block.astext().strip()) if block else None
            if match and last and match[0] == last[0]:
                count += 1
                last[1][-1] = nodes.Text(f": {match['text']} ({count} times)")
                cell.remove(output)
            elif match and block:
                link = nodes.reference(text=match["claim"], refid=match["claim"], internal=True)
                line = nodes.paragraph("", "✓ ", link, nodes.Text(": " + match["text"]))
                line["classes"].append("check")
                block.replace_self(line)
                last, count = (match[0], line), 1
            else:
                last = None


class LedgerDirective(SphinxDirective):
    """Shows every claim of the book with its checks, as measured in this build."""

    def run(self) -> list[nodes.Node]:
        _store(self.env)["pages"].add(self.env.docname)
        return [_Ledger()]


class _Ledger(nodes.General, nodes.Element):
    """Where the tables will stand, once all chapters are read."""


def _store(env: BuildEnvironment) -> dict[str, Any]:
    """What this extension keeps in the environment: claims by document, and the ledger's pages."""
    store: dict[str, Any] = env.__dict__.setdefault("nll_claims", {"claims": {}, "pages": set()})
    return store


def _executed(app: Sphinx, docname: str) -> nbformat.NotebookNode:
    """The document's notebook with its outputs.

    What myst-nb writes to `jupyter_execute` has outputs only when it was executed just now, with
    success or without; the cache has those of a run that succeeded.
    """
    path = Path(app.outdir).parent / "jupyter_execute" / f"{docname}.ipynb"
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    if any(cell.get("outputs") for cell in notebook.cells):
        return notebook
    cache = get_cache(app.env.mystnb_config.execution_cache_path)  # type: ignore[attr-defined]
    executed: nbformat.NotebookNode = cache.merge_match_into_notebook(notebook)[1]
    return executed


def _collect(app: Sphinx, doctree: nodes.document) -> None:
    """As a document is read: keep its claims."""
    docname = app.env.docname
    path = Path(app.env.doc2path(docname))
    if path.suffix != ".md":
        return
    chapter = source.read(path)
    if not chapter.cells:
        return
    try:
        notebook = _executed(app, docname)
        refuse_failed_cell(chapter, notebook)
        _store(app.env)["claims"][docname] = ledger(chapter, notebook)
    except ValueError as error:
        raise ExtensionError(str(error)) from None
    _link_checks(doctree)


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _store(env)["claims"].pop(docname, None)
    _store(env)["pages"].discard(docname)


def _merge(app: Sphinx, env: BuildEnvironment, docnames: Iterable[str], other: Any) -> None:
    _store(env)["claims"].update(_store(other)["claims"])
    _store(env)["pages"].update(_store(other)["pages"])


def _pages_to_write(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The ledger's pages show all chapters: write them again whenever anything was read."""
    return sorted(_store(env)["pages"])


def _in_order(env: BuildEnvironment) -> Iterator[tuple[str, list[Claim]]]:
    """Documents in the order of the table of contents, with their claims."""
    claims = _store(env)["claims"]
    order = {name: place for place, name in enumerate(_toc_order(env, env.config.root_doc))}
    for docname in sorted(claims, key=lambda name: (order.get(name, len(order)), name)):
        yield docname, claims[docname]


def _toc_order(env: BuildEnvironment, docname: str) -> Iterator[str]:
    yield docname
    for child in env.toctree_includes.get(docname, []):
        yield from _toc_order(env, child)


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """As a page is written: put the tables where the directive stood."""
    for place in doctree.findall(_Ledger):
        tables: list[nodes.Node] = []
        for chapter, claims in _in_order(app.env):
            if claims:
                title = app.env.titles[chapter].astext()
                section = nodes.section(ids=[nodes.make_id(f"claims-{chapter}")])
                section += nodes.title(text=title)
                section += _table(app, docname, chapter, claims)
                tables.append(section)
        place.replace_self(tables)


def _table(app: Sphinx, docname: str, chapter: str, claims: list[Claim]) -> nodes.table:
    table = nodes.table(classes=["ledger"])
    group = nodes.tgroup(cols=4)
    table += group
    for width in (34, 22, 22, 22):
        group += nodes.colspec(colwidth=width)
    head = nodes.thead()
    group += head
    head += _row([nodes.Text(t) for t in ("Claim", "Check", "Difference", "Allowed")])
    body = nodes.tbody()
    group += body
    for claim in claims:
        link = make_refnode(
            app.builder, docname, chapter, claim["id"], nodes.literal(text=claim["id"])
        )
        rows = [_row([nodes.Text(text) for text in texts]) for texts in _summary(claim["checks"])]
        rows[0].insert(0, nodes.entry("", nodes.paragraph("", "", link), morerows=len(rows) - 1))
        body += rows
    return table


KINDS = {
    "close": "two sides agree",
    "simulation": "simulation",
    "greater": "inequality, >",
    "less": "inequality, <",
    "exact": "equal to the last bit",
}


def _summary(records: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """One row for all checks of a kind and tolerance: how many, the worst difference, the bound."""
    groups: dict[tuple[str, float], list[float]] = {}
    for record in records:
        key = (record["kind"], record["tolerance"])
        groups.setdefault(key, []).append(record["difference"])
    for (kind, tolerance), differences in groups.items():
        times = f" ({len(differences)} times)" if len(differences) > 1 else ""
        worst = min(differences) if kind in ("greater", "less") else max(differences)
        yield KINDS[kind] + times, *_worded(kind, worst, tolerance)


def _worded(kind: str, difference: float, tolerance: float) -> tuple[str, str]:
    if kind == "exact":
        return "0", "0"
    if kind == "simulation":
        return f"{difference:.2f} SE", f"{tolerance:g} SE"
    if kind in ("greater", "less"):
        return f"{difference:.3g} beyond", f"at least {tolerance:g}"
    return f"{difference:.1e}", f"{tolerance:.0e}"


def _row(cells: list[nodes.Node]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        row += nodes.entry("", nodes.paragraph("", "", cell))
    return row


def _write_json(app: Sphinx, exception: Exception | None) -> None:
    if exception is None:
        entries = [claim for _, claims in _in_order(app.env) for claim in claims]
        path = Path(app.outdir).parent / "claims.json"
        path.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    app.add_directive("claims-ledger", LedgerDirective)
    app.add_node(_Ledger)
    app.connect("doctree-read", _collect)
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
    app.connect("env-updated", _pages_to_write)
    app.connect("doctree-resolved", _fill)
    app.connect("build-finished", _write_json)
