"""What a cell prints is shown whole, however the kernel cuts it into pieces."""

from __future__ import annotations

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_output

from web import streams


def piece(text: str, name: str = "stdout") -> NotebookNode:
    output: NotebookNode = new_output("stream", name=name, text=text)
    return output


@pytest.mark.parametrize(
    "pieces",
    [
        ["one\n", "two\n"],
        ["one", "\n", "two\n"],
        ["one", "\ntwo\n"],
        ["one\ntwo", "\n"],
        ["one\ntwo\n"],
    ],
)
def test_the_pieces_of_a_stream_make_what_was_printed(pieces: list[str]) -> None:
    from myst_nb.core import render

    streams.setup()
    (shown,) = render.coalesce_streams([piece(text) for text in pieces])
    assert shown.text == "one\ntwo\n"


def test_other_outputs_and_streams_stay_apart_and_in_order() -> None:
    figure = new_output("display_data", data={"text/plain": "a figure"})
    outputs = [piece("a"), figure, piece("w", "stderr"), piece("b")]
    shown = streams.joined(outputs)
    assert [one.get("text", "figure") for one in shown] == ["ab", "figure", "w"]
    assert outputs[0].text == "a", "the outputs of the notebook are left alone"
