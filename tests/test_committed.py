"""Chapters whose package is missing show their committed notebooks, where these are theirs."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import nbformat
import pytest
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook

from web import committed, source

(CHAPTER,) = [one for one in source.chapters() if committed.needs(one)]
DOCNAME = f"chapters/{CHAPTER.name}"


def test_a_chapter_is_missing_where_its_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert committed.needs(CHAPTER) == "torch"
    asked = []
    monkeypatch.setattr(committed, "find_spec", lambda name: asked.append(name))
    assert committed.missing(CHAPTER)
    assert asked == ["torch"]
    assert not committed.missing(source.chapters()[0]), "the others need nothing more"
    monkeypatch.setattr(committed, "find_spec", lambda name: "found")
    assert not committed.missing(CHAPTER)


def test_what_is_missing_is_said_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(committed, "find_spec", lambda name: None)
    assert committed.main() == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert CHAPTER.title in line
    assert "make .venv/torch" in line
    monkeypatch.setattr(committed, "find_spec", lambda name: "found")
    committed.main()
    assert capsys.readouterr().out == ""


def test_myst_nb_takes_the_committed_outputs_for_those_of_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(committed, "find_spec", lambda name: None)
    config = SimpleNamespace(execution_cache_path=str(tmp_path))
    env = SimpleNamespace(mystnb_config=config, doc2path=lambda name: f"{name}.md")
    committed._use(cast(Any, None), cast(Any, env), [DOCNAME, "chapters/likelihood"])
    read = read_myst_markdown_notebook(CHAPTER.text)
    cache = get_cache(str(tmp_path))
    assert len(cache.list_cache_records()) == 1, "only what cannot be run"
    merged = cache.merge_match_into_notebook(read)[1]
    shown = [cell.outputs for cell in merged.cells if cell.cell_type == "code"]
    path = committed.NOTEBOOKS / f"{CHAPTER.name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert shown == [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    kinds = {kind for outputs in shown for one in outputs for kind in one.get("data", {})}
    assert "image/png" in kinds, "its figures"
    assert any("nllbook" in one.get("metadata", {}) for outputs in shown for one in outputs)


def test_a_notebook_of_other_cells_or_none_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(committed, "NOTEBOOKS", tmp_path)
    with pytest.raises(source.SourceError, match=r"nll-on-gpu\.md:1: .* is missing: install"):
        committed.executed(CHAPTER)
    path = source.ROOT / "notebooks" / f"{CHAPTER.name}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    next(one for one in notebook["cells"] if one["cell_type"] == "code")["source"] = ["import os"]
    (tmp_path / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(source.SourceError, match=r"holds other cells than this chapter"):
        committed.executed(CHAPTER)
