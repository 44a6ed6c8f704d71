"""Makes notebooks/ from chapters/: plain Markdown, and code cells with their text outputs.

``python -m web.notebooks [name ...]`` converts and executes all chapters, or those named;
``python -m web.notebooks --check`` executes nothing and fails where a notebook is stale.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import ipykernel.kernelspec
import jupytext.myst
import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from nllbook.prose import MIME_PREFIX
from web import committed
from web.gfm import anchor
from web.labels import Book
from web.plain_markdown import Writer
from web.source import FOLDED, ROOT, Chapter, SourceError, figure_options

v4: Any = nbformat.v4  # has no types
NOTEBOOKS = ROOT / "notebooks"
TIMEOUT = 120  # seconds a cell, as in pyproject.toml for nbval

# Nothing that differs from machine to machine: no version of Python, no name of an environment.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDED_OUTPUT = {"hide-output", "remove-output"}
# An address in memory or a path says something else on every machine.
_MACHINE = re.compile(r"\bat 0x[0-9a-fA-F]{6,}|/ipykernel_\d+/")


@dataclass(frozen=True)
class Piece:
    """A cell as jupytext reads it from the chapter, with its line there."""

    cell: NotebookNode
    line: int


class _ThisPython(KernelSpecManager):
    """The kernel of the running interpreter, whichever kernels are installed."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            resource_dir=ipykernel.kernelspec.RESOURCES, **ipykernel.kernelspec.get_kernel_dict()
        )


def make(chapter: Chapter, book: Book) -> str:
    """The text of a chapter's notebook, executed."""
    pieces = read_pieces(chapter)
    execute(chapter, [piece for piece in pieces if piece.cell.cell_type == "code"])
    codes = [piece.cell for piece in pieces if piece.cell.cell_type == "code"]
    notebook = assemble(chapter, book, pieces, {**glued_elsewhere(chapter), **glued(codes)})
    nbformat.validate(notebook)
    return str(v4.writes(notebook)) + "\n"


def read_pieces(chapter: Chapter) -> list[Piece]:
    """The cells of a chapter, their Markdown still MyST."""
    for cell in chapter.cells:
        if cell.inside:
            raise SourceError(
                *chapter.origin(cell.line),
                f"a code cell inside {{{cell.inside[-1]}}}: move it out, or use the -start and "
                "-end form of exercise and solution",
            )
    try:
        notebook = jupytext.myst.myst_to_notebook(chapter.text, add_source_map=True)
    except (nbformat.ValidationError, jupytext.myst.MystMetadataParsingError) as error:
        said = str(error).split("\n")[0]
        message = f"this makes no notebook ({said}): mend the front matter or the cells' options"
        raise SourceError(chapter.path, 1, message) from None
    lines = chapter.text.split("\n")
    pieces = []
    for cell, line in zip(notebook.cells, notebook.metadata["source_map"], strict=True):
        if cell.cell_type == "markdown":  # jupytext counts from 0 and drops blank lines
            line += 1
            while not lines[line - 1]:
                line += 1
        pieces.append(Piece(cell, line))
    found = [piece.line for piece in pieces if piece.cell.cell_type == "code"]
    for line in sorted({cell.line for cell in chapter.cells} ^ set(found)):
        raise SourceError(*chapter.origin(line), "jupytext sees other cells here: mend the fences")
    return pieces


def assemble(
    chapter: Chapter, book: Book, pieces: list[Piece], glue: Mapping[str, str]
) -> NotebookNode:
    """The notebook with the code cells as they are, and the text in plain Markdown."""
    writer = Writer(book, chapter, glue)
    note = (
        f"*Generated from [chapters/{chapter.name}.md](../chapters/{chapter.name}.md): "
        "edit that file, then run `make notebooks`.*"
    )
    cells = [_markdown(note, "generated")]
    seen: Counter[str] = Counter()
    for piece in pieces:
        cell, name = piece.cell, _cell_id(piece.cell, seen)
        if cell.cell_type == "markdown":
            text = writer.write(cell.source, piece.line)
            cells += [_markdown(text, name)] if text else []
            continue
        figure = figure_options(cell.metadata)
        cell = v4.new_code_cell(
            cell.source,
            id=name,
            metadata=_code_metadata(cell.metadata, folded=bool(writer.solution)),
            outputs=cell.outputs,
            execution_count=cell.execution_count,
        )
        cells.append(cell)
        if text := figure.get("caption") or figure["alt"]:
            before = anchor(figure["name"]) if figure.get("name") else ""
            text = before + writer.caption("Fig.", text, piece.line)
            cells.append(_markdown(text, f"{name}-caption"))
    notebook: NotebookNode = v4.new_notebook(cells=cells, metadata=METADATA)
    notebook.nbformat_minor = 5
    return notebook


def _markdown(text: str, name: str) -> NotebookNode:
    cell: NotebookNode = v4.new_markdown_cell(text, id=name)
    return cell


def _cell_id(cell: NotebookNode, seen: Counter[str]) -> str:
    """An id that changes only with the cell's own source, so that a new cell moves no other id."""
    digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
    name = f"{'code' if cell.cell_type == 'code' else 'text'}-{digest}"
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def _code_metadata(options: Mapping[str, Any], *, folded: bool = False) -> dict[str, Any]:
    """The cell's tags, and what makes JupyterLab and Colab fold what the site hides.

    A cell of a solution is ``folded`` whole.
    """
    tags = set(options.get("tags", []))
    metadata: dict[str, Any] = {"tags": sorted(tags)} if tags else {}
    if folded or tags & FOLDED:
        metadata["cellView"] = "form"
        metadata["jupyter"] = {"source_hidden": True}
    if folded or tags & FOLDED_OUTPUT:
        metadata.setdefault("jupyter", {})["outputs_hidden"] = True
    return metadata


def glued(cells: list[NotebookNode]) -> dict[str, str]:
    """What the cells emitted for the prose, by name."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return {
        output.metadata["scrapbook"]["name"]: ast.literal_eval(
            output.data[MIME_PREFIX + "text/plain"]
        )
        for output in outputs
        if "scrapbook" in output.get("metadata", {})
    }


def glued_elsewhere(chapter: Chapter) -> dict[str, str]:
    """What the committed notebooks of other chapters emitted, as this page names it."""
    found: dict[str, str] = {}
    uses = [role for role in chapter.roles if role.name == "glue:text" and "::" in role.content]
    first = {role.content.partition("::")[0]: role.line for role in reversed(uses)}
    for page, line in first.items():
        path = NOTEBOOKS / f"{Path(page).stem}.ipynb"
        if not path.exists():
            message = f"notebooks/{path.name}, which glues what stands here, is missing: make it"
            raise SourceError(*chapter.origin(line), message)
        cells = v4.reads(path.read_text(encoding="utf-8")).cells
        found |= {f"{page}::{name}:s": text for name, text in glued(cells).items()}
    return found


# ---- execution


def execute(chapter: Chapter, codes: list[Piece]) -> None:
    """Run the code cells in a folder of their own and keep the outputs that are for everyone."""
    # builds matplotlib's cache of fonts here, where its message spoils no cell
    import matplotlib.font_manager  # noqa: F401

    notebook = v4.new_notebook(cells=[piece.cell for piece in codes])
    manager = AsyncKernelManager(kernel_spec_manager=_ThisPython())
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(
            notebook,
            km=manager,
            timeout=TIMEOUT,
            resources=resources,
            extra_arguments=["--log-level=ERROR"],  # ipykernel warns of its own connection
        )
        # nobody's own IPython settings, nor another backend: figures are shown by IPython's
        environment = {**os.environ, "IPYTHONDIR": folder, "MPLBACKEND": ""}
        with client.setup_kernel(env=environment, cleanup_kc=True):
            for index, piece in enumerate(codes):
                _run(client, chapter, piece, index)
                _tidy(chapter, piece, index + 1, folder)


def _run(client: NotebookClient, chapter: Chapter, piece: Piece, index: int) -> None:
    try:
        client.execute_cell(piece.cell, index)
    except CellExecutionError as error:
        message = f"the cell raises {error.ename}: {error.evalue}".split("\n")[0]
        raise SourceError(
            *chapter.origin(piece.line), f"{message}: mend the cell or what it calls"
        ) from None
    except CellTimeoutError:
        message = f"the cell runs for more than {TIMEOUT} s: make it smaller"
        raise SourceError(*chapter.origin(piece.line), message) from None
    except DeadKernelError:
        message = "the kernel died in this cell: run it alone to see why"
        raise SourceError(*chapter.origin(piece.line), message) from None


def _tidy(chapter: Chapter, piece: Piece, count: int, folder: str) -> None:
    """Drop what differs between machines from a cell's outputs; refuse what cannot be dropped."""
    outputs: list[NotebookNode] = []
    for output in piece.cell.outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                said = output.text.strip().split("\n")[-1]
                message = f"the cell writes to stderr ({said}): mend what it warns of"
                raise SourceError(*chapter.origin(piece.line), message)
            if outputs and outputs[-1].output_type == "stream":
                outputs[-1].text += output.text
                continue
        elif output.output_type == "error":  # a cell with the tag raises-exception
            output.traceback = [f"{output.ename}: {output.evalue}"]
        else:
            _tidy_data(output, whole=bool(committed.needs(chapter)))
        if "execution_count" in output:
            output.execution_count = count
        outputs.append(output)
    for output in outputs:
        shown = str(output)
        if (match := _MACHINE.search(shown)) or folder in shown or str(ROOT) in shown:
            what = match[0] if match else "a path"
            message = f"the output holds {what}, which no two machines share: do not show it"
            raise SourceError(*chapter.origin(piece.line), message)
    piece.cell.outputs = outputs
    piece.cell.execution_count = count


def _tidy_data(output: NotebookNode, *, whole: bool) -> None:
    """Keep text alone: images and the random ids of widgets go, as nbval does not compare them.

    A notebook that may have to stand for a run (`web.committed`) keeps its images, and what its
    checks measured.
    """
    for mime in list(output.data):
        image = mime.startswith("image/") and not whole
        if image or mime == "application/vnd.jupyter.widget-view+json":
            del output.data[mime]
    kept = {"scrapbook", "nllbook"} if whole else {"scrapbook"}  # it names the text for --check
    for name in set(output.metadata) - kept:
        del output.metadata[name]


# ---- comparison


class _Unknown(dict[str, str]):
    """Stands for the text of a glue that the committed notebook does not have."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "…"


def stale(chapter: Chapter, book: Book, path: Path) -> str | None:
    """Why the notebook at ``path`` is not the chapter's, in one line; None if it is."""
    if not path.exists():
        return _stale(chapter, path, "missing")
    committed = v4.reads(path.read_text(encoding="utf-8"))
    glue = _Unknown({**glued_elsewhere(chapter), **glued(committed.cells)})
    wanted = assemble(chapter, book, read_pieces(chapter), glue)
    for number, (old, new) in enumerate(zip_longest(committed.cells, wanted.cells), 1):
        if old is None or new is None or _essence(old) != _essence(new):
            return _stale(chapter, path, f"stale (cell {number} differs)")
        if old.cell_type == "code" and not old.execution_count:
            return _stale(chapter, path, f"not executed (cell {number})")
    if committed.metadata != wanted.metadata:
        return _stale(chapter, path, "stale (its metadata differs)")
    return None


def _stale(chapter: Chapter, path: Path, how: str) -> str:
    source, notebook = (
        file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
        for file in (chapter.path, path)
    )
    return f"{source}: {notebook} is {how}: run make notebooks"


def _essence(cell: NotebookNode) -> tuple[Any, ...]:
    return cell.cell_type, cell.get("id"), cell.source, dict(cell.metadata)


def main(arguments: list[str] | None = None) -> int:
    """Make or check the notebooks; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m web.notebooks", description=__doc__)
    parser.add_argument("--check", action="store_true", help="execute nothing, find what is stale")
    parser.add_argument(
        "names", nargs="*", help="chapters, by file name without .md (default: all)"
    )
    options = parser.parse_args(arguments)
    try:
        return _main(options.check, options.names)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1


def _main(check: bool, names: list[str]) -> int:
    book = Book()
    chapters = [page for page in book.pages if page.cells]
    if unknown := set(names) - {chapter.name for chapter in chapters}:
        print(f"no chapter with code cells is called {', '.join(unknown)}", file=sys.stderr)
        return 2
    problems: list[str] = []
    for chapter in chapters:
        path = NOTEBOOKS / f"{chapter.name}.ipynb"
        if names and chapter.name not in names:
            continue
        if check:
            problems += filter(None, [stale(chapter, book, path)])
        else:
            path.write_text(make(chapter, book), encoding="utf-8", newline="\n")
            print(f"{path.relative_to(ROOT)}: written")
    strays = {path.stem for path in NOTEBOOKS.glob("*.ipynb")} - {page.name for page in chapters}
    problems += [f"notebooks/{name}.ipynb has no chapter: delete it" for name in sorted(strays)]
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
