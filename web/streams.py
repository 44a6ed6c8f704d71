"""What a cell prints is shown as it was printed, in however many pieces the kernel sent it.

myst-nb strips each piece and puts the ends of lines back by guess, so that a piece which began with
the end of a line left an empty line on the site, now and then.
"""

from __future__ import annotations

from typing import Any

from myst_nb.core import render, utils
from nbformat import NotebookNode


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with the pieces of each stream in one, where its first piece stood."""
    found: list[NotebookNode] = []
    streams: dict[str, NotebookNode] = {}
    for output in outputs:
        if output.output_type == "stream" and output.name in streams:
            streams[output.name].text += output.text
            continue
        if output.output_type == "stream":
            output = streams[output.name] = NotebookNode(output)
        found.append(output)
    return found


def _coalesced(outputs: list[NotebookNode]) -> Any:
    return utils.coalesce_streams(joined(outputs))


def setup() -> None:
    render.coalesce_streams = _coalesced
