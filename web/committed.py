"""Chapters that need a package which is not installed show what their committed notebooks hold.

The front matter of such a chapter names the package, as in ``needs: torch``. Where it cannot be
imported, the outputs of the committed notebook are put where myst-nb looks for those of a run. So
these notebooks keep their figures, and the differences that their checks measured.

``python -m web.committed`` says which chapters these are, and how to run them.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from web import source

v4: Any = nbformat.v4  # has no types
NOTEBOOKS = source.ROOT / "notebooks"


def needs(chapter: source.Chapter) -> str:
    """The package that a chapter needs besides those of the lock, if any."""
    return str(chapter.front_matter.get("needs", ""))


def missing(chapter: source.Chapter) -> bool:
    """Whether the chapter cannot be run here."""
    package = needs(chapter)
    return bool(package) and find_spec(package) is None


def executed(chapter: source.Chapter) -> nbformat.NotebookNode:
    """The chapter as myst-nb reads it, with the outputs of the committed notebook."""
    path = NOTEBOOKS / f"{chapter.name}.ipynb"
    if not path.exists():
        raise source.SourceError(
            chapter.path,
            1,
            f"this chapter needs {needs(chapter)}, and notebooks/{path.name}, which could stand "
            "for a run, is missing: install the package and run make notebooks",
        )
    made = v4.reads(path.read_text(encoding="utf-8"))
    ran = [cell for cell in made.cells if cell.cell_type == "code"]
    notebook: nbformat.NotebookNode = read_myst_markdown_notebook(chapter.text)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if [cell.source for cell in cells] != [cell.source for cell in ran]:
        raise source.SourceError(
            chapter.path,
            1,
            f"notebooks/{path.name} holds other cells than this chapter, which needs "
            f"{needs(chapter)} to be run: install it and run make notebooks",
        )
    for cell, one in zip(cells, ran, strict=True):
        cell.outputs, cell.execution_count = one.outputs, one.execution_count
    return notebook


def _use(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    for chapter in source.chapters():
        docname = str(chapter.path.relative_to(source.ROOT).with_suffix(""))
        if docname in docnames and missing(chapter):
            cache = get_cache(env.mystnb_config.execution_cache_path)  # type: ignore[attr-defined]
            bundle = CacheBundleIn(executed(chapter), str(Path(env.doc2path(docname))))
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def setup(app: Sphinx) -> None:
    app.connect("env-before-read-docs", _use)


def main() -> int:
    for chapter in source.chapters():
        if missing(chapter):
            print(
                f"{chapter.title!r} shows the outputs of its committed notebook: "
                f"make .venv/{needs(chapter)} and then make book run it here."
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
