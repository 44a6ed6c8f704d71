"""Reads the notebook that a student handed in, and believes nothing that it says."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_BYTES = 10_000_000  # of a file: text outputs and a few pictures fit, a bomb does not
MOST_LISTS = 500_000  # and objects: an empty one takes 64 bytes when it is read
MOST_CELLS = 1_000
MOST_CODE = 1_000_000  # characters of all code cells together
MOST_STATED = 40
MOST_WRITTEN = 20_000  # characters of a derivation


def clean(text: str, most: int) -> str:
    """Text as every file can hold it: no halves of characters, not longer than this."""
    return text[:most].encode("utf-8", "replace").decode()


class UnreadableError(Exception):
    """Why the file is no notebook that can be graded, in words for the student."""


@dataclass(frozen=True)
class Cell:
    """A cell: its kind, its source, and the id that nbgrader's format gives it."""

    kind: str
    source: str
    grade_id: str = ""


@dataclass(frozen=True)
class Notebook:
    """What was handed in, and the course and the assignment that it says it was made for."""

    cells: list[Cell]
    course: str
    assignment: str


def read_bytes(path: Path) -> bytes:
    """The content of a submitted file: an ordinary one of bearable size."""
    try:
        # a link could lead to the answers, or out of the folder
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        is_link = path.is_symlink()
        why = "a link, not a file" if is_link else f"cannot be opened ({error.strerror})"
        raise UnreadableError(why) from None
    with os.fdopen(number, "rb") as file:
        status = os.fstat(number)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("not an ordinary file")
        if status.st_nlink > 1:
            raise UnreadableError("a link to another file")
        if status.st_size > MOST_BYTES:
            raise UnreadableError(f"over {MOST_BYTES // 1_000_000} MB: clear the outputs")
        return file.read(MOST_BYTES + 1)


def parse(data: bytes) -> Notebook:
    """The cells of a notebook in nbformat 3 or 4.

    Raises
    ------
    UnreadableError
        Where there are none, or more than anybody writes.
    """
    if not data.strip():
        raise UnreadableError("the file is empty")
    if data.count(b"[") + data.count(b"{") > MOST_LISTS:
        raise UnreadableError(f"over {MOST_LISTS} lists: clear the outputs")
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise UnreadableError("the file is no notebook: it is not JSON") from None
    if not isinstance(said, dict):
        raise UnreadableError("the file is no notebook: it holds no cells")
    sheets = said.get("worksheets")  # nbformat 3
    holders = sheets if isinstance(sheets, list) else [said]
    found = [
        cell
        for holder in holders
        if isinstance(holder, dict) and isinstance(holder.get("cells"), list)
        for cell in holder["cells"]
    ]
    if not found:
        raise UnreadableError("the file is no notebook: it holds no cells")
    if len(found) > MOST_CELLS:
        raise UnreadableError(f"{len(found)} cells, of at most {MOST_CELLS}")
    cells = [_cell(one) for one in found if isinstance(one, dict)]
    if sum(len(one.source) for one in cells if one.kind == "code") > MOST_CODE:
        raise UnreadableError(f"over {MOST_CODE} characters of code")
    metadata = said.get("metadata")
    return Notebook(cells, _stated(metadata, "course"), _stated(metadata, "assignment"))


def _stated(metadata: object, what: str) -> str:
    ours = metadata.get("coursework") if isinstance(metadata, dict) else None
    stated = ours.get(what) if isinstance(ours, dict) else None
    return clean(stated, MOST_STATED) if isinstance(stated, str) else ""


def _cell(said: dict[str, Any]) -> Cell:
    source = said.get("source", said.get("input", ""))  # nbformat 3 calls code "input"
    if isinstance(source, list):
        source = "".join(one for one in source if isinstance(one, str))
    metadata = said.get("metadata")
    grader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = grader.get("grade_id") if isinstance(grader, dict) else None
    return Cell(
        said["cell_type"] if isinstance(said.get("cell_type"), str) else "",
        clean(source, MOST_BYTES) if isinstance(source, str) else "",
        grade_id if isinstance(grade_id, str) else "",
    )
