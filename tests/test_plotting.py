"""How the book's figures are drawn: their style, their size, and what the chapters make of both."""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgba

from nllbook import plotting
from nllbook.plotting import BLUE, GREEN, GREY, INK, ORANGE, PALE, PAPER, PINK
from web.cells import tree
from web.source import chapters

COLOURS = [BLUE, ORANGE, GREEN, PINK]


@pytest.fixture(autouse=True)
def _leave_matplotlib_as_it_was() -> Iterator[None]:
    backend = mpl.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        yield
    plt.close("all")
    plt.switch_backend(backend)


def test_the_cycle_has_a_dash_for_each_colour() -> None:
    plotting.use_style()
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    colours = [to_hex("#" + entry["color"].lstrip("#")) for entry in cycle]
    assert colours == [to_hex(colour) for colour in COLOURS]
    dashes = [entry["linestyle"] for entry in cycle]
    assert dashes[0] == "-"
    assert len(set(dashes)) == len(COLOURS)


def test_lines_of_a_figure_differ_in_colour_and_dash() -> None:
    _, axes = plotting.figure()
    lines = [axes[0].plot([0, 1], [k, k])[0] for k in range(4)]
    assert [to_hex(line.get_color()) for line in lines] == [to_hex(c) for c in COLOURS]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-.", ":"]


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (2, 1), (3, 1), (1, 2), (3, 2)])
def test_a_figure_and_a_list_of_its_axes(columns: int, rows: int) -> None:
    fig, axes = plotting.figure(columns, rows=rows)
    assert type(axes) is list
    assert len(axes) == columns * rows
    assert all(isinstance(one, Axes) for one in axes)
    assert fig.axes == axes
    places = [(-one.get_position().y0, one.get_position().x0) for one in axes]
    assert places == sorted(set(places))  # row by row, each from left to right
    assert len({x for _, x in places}) == columns
    assert len({y for y, _ in places}) == rows


def test_the_size_of_a_figure() -> None:
    assert tuple(plotting.figure()[0].get_size_inches()) == (4.8, 2.7)
    assert tuple(plotting.figure(3, rows=2)[0].get_size_inches()) == (4.8, 5.4)
    assert tuple(plotting.figure(2, height=5)[0].get_size_inches()) == (4.8, 5.0)
    with pytest.raises(TypeError):
        plotting.figure(1, 5)  # type: ignore[call-arg]  # two bare numbers could be rows and columns


def test_text_has_eleven_pixels_where_a_phone_shows_the_figure() -> None:
    fig, axes = plotting.figure(2)
    axes[0].plot([0, 1], [0, 1], label="a line")
    axes[0].set(xlabel="x", ylabel="y", title="title")
    legend = axes[0].legend()
    written = [axes[0].title, axes[0].xaxis.label, axes[0].yaxis.label, *legend.get_texts()]
    written += [*axes[0].get_xticklabels(), axes[0].text(0.5, 0.5, "text")]
    assert {text.get_fontsize() for text in written} == {11}
    stream = io.BytesIO()
    fig.savefig(stream, format="png", bbox_inches="tight")  # as notebooks do
    stream.seek(0)
    points_wide = plt.imread(stream).shape[1] / fig.dpi * 72
    assert 11 * 358 / points_wide >= 11  # a screen 390 pixels wide less its margins


def test_a_figure_is_opaque_white() -> None:
    """In JupyterLab's and Colab's dark themes a transparent one would lose its text."""
    fig, axes = plotting.figure(2)
    for one in axes:
        one.fill_between([0.4, 0.6], 0, 1, color=BLUE)
        one.set(xlim=(0, 1))
    stream = io.BytesIO()
    fig.savefig(stream, format="png")
    stream.seek(0)
    image = plt.imread(stream)
    assert (image[..., 3] == 1).all()
    white = (image[..., :3] == 1).all(axis=-1)
    assert white[0].all()
    assert white[-1].all()
    assert np.mean(white) > 0.5


def test_text_is_ink_and_axes_are_grey() -> None:
    _, axes = plotting.figure()
    axes[0].plot([0, 1], [0, 1], label="a line")
    axes[0].set(xlabel="x", title="title")
    legend = axes[0].legend()
    written = [axes[0].title, axes[0].xaxis.label, axes[0].yaxis.label, *legend.get_texts()]
    written += [*axes[0].get_xticklabels(), *axes[0].get_yticklabels()]
    assert {to_hex(text.get_color()) for text in written} == {to_hex(INK)}
    assert {to_hex(spine.get_edgecolor()) for spine in axes[0].spines.values()} == {to_hex(GREY)}
    assert not axes[0].spines["top"].get_visible()
    assert not axes[0].spines["right"].get_visible()
    assert axes[0].spines["left"].get_visible()


def test_an_area_has_an_edge_that_shows_where_it_ends() -> None:
    _, (ax,) = plotting.figure()
    (bar,) = ax.bar([0], [1], color=PALE)
    ax.hist([0.5], bins=1, color=PALE)
    column = ax.patches[-1]
    band = ax.fill_between([0, 1], 0, 1, facecolor=PALE)
    edges = [bar.get_edgecolor(), column.get_edgecolor(), band.get_edgecolor()[0]]
    assert {to_hex(edge) for edge in edges} == {to_hex(GREY)}
    assert all(one.get_linewidth() > 0 for one in (bar, column))


def test_the_font_ships_with_matplotlib() -> None:
    plotting.use_style()
    (family,) = mpl.rcParams["font.family"]
    path = mpl.font_manager.findfont(family, fallback_to_default=False)
    assert path.startswith(mpl.get_data_path())


def test_style_is_set_at_the_call_not_at_the_import() -> None:
    mpl.rcdefaults()
    assert to_hex(mpl.rcParams["text.color"]) == "#000000"
    plotting.use_style()
    assert to_hex(mpl.rcParams["text.color"]) == to_hex(INK)


def test_shades_go_from_paper_to_grey() -> None:
    ends = plotting.SHADES([0.0, 1.0])
    np.testing.assert_allclose(ends, [to_rgba(PAPER), to_rgba(GREY)], atol=1 / 255)


def test_no_other_name_is_made_up() -> None:
    with pytest.raises(AttributeError, match=r"module 'nllbook\.plotting' has no attribute 'RED'"):
        plotting.RED  # noqa: B018


# What the chapters draw.

PALETTE = {"BLUE", "ORANGE", "GREEN", "PINK", "GREY", "PALE", "INK", "PAPER", "SHADES"}
WRITES = {"text", "annotate", "set_title", "set_xlabel", "set_ylabel", "suptitle", "clabel"}
DRAWS = {"plot", "axhline", "axvline", "errorbar", "step", "scatter", "contour", "loglog"}


def slips(cell: ast.Module) -> Iterator[str]:
    """What a cell draws that not every reader could see."""
    for node in ast.walk(cell):
        if isinstance(node, ast.Dict):
            given = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            called, positional = "", []
        elif isinstance(node, ast.Call):
            given = {word.arg: word.value for word in node.keywords}
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            positional = node.args
        else:
            continue
        colours = [
            value
            for key, value in given.items()
            if isinstance(key, str)
            and (key in ("c", "fc", "ec", "cmap") or key.endswith(("color", "colors")))
        ]
        for value in colours:
            if any(isinstance(part, ast.Constant) for part in ast.walk(value)):
                yield f"a colour that is not the palette's: {ast.unparse(value)}"
        names = {
            part.attr
            for value in colours
            for part in ast.walk(value)
            if isinstance(part, ast.Attribute)
        }
        formats = [
            one.value
            for one in positional
            if isinstance(one, ast.Constant) and isinstance(one.value, str)
        ]
        if called in WRITES:
            if names - {"INK"}:
                yield f"text in another colour than INK: {ast.unparse(node)}"
        elif called in DRAWS:
            if any(set(one) & set("bgrcmykwC0123456789") for one in formats):
                yield f"a colour in a format: {ast.unparse(node)}"
            marked = formats or {"linestyle", "ls", "marker", "fmt"} & set(given)
            variable = any(
                isinstance(one, ast.Name) and one.id in ("style", "marker") for one in positional
            )
            if names & {"ORANGE", "GREEN", "PINK"} and not marked and not variable:
                yield f"told from a blue line by its colour alone: {ast.unparse(node)}"
        small = [value for key, value in given.items() if key in ("fontsize", "size")]
        if any(
            not isinstance(value, ast.Constant)
            or not isinstance(value.value, int | float)
            or value.value < 11
            for value in small
        ):
            yield f"text of less than 11 points: {ast.unparse(node)}"


DRAWN = {
    cell.label: tree(cell)
    for chapter in chapters()
    for cell in chapter.cells
    if "plotting.figure(" in cell.body
}


def test_the_chapters_have_figures() -> None:
    assert len(DRAWN) >= 29


@pytest.mark.parametrize("name", DRAWN)
def test_a_chapter_draws_what_every_reader_can_see(name: str) -> None:
    assert list(slips(DRAWN[name])) == []
    used = {
        node.attr
        for node in ast.walk(DRAWN[name])
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "plotting"
    }
    assert used <= PALETTE | {"figure"}


@pytest.mark.parametrize(
    ("code", "slip"),
    [
        ("ax.plot(x, y, color='red')", "not the palette's"),
        ("ax.plot(x, y, color='#0072B2')", "not the palette's"),
        ("ax.plot(x, y, color=(1, 0, 0))", "not the palette's"),
        ("look = {'markeredgecolor': 'white'}", "not the palette's"),
        ("ax.imshow(x, cmap='viridis')", "not the palette's"),
        ("ax.plot(x, y, 'r--')", "a colour in a format"),
        ("ax.plot(x, y, color=plotting.ORANGE)", "by its colour alone"),
        ("ax.axhline(0, color=plotting.PINK)", "by its colour alone"),
        ("ax.text(1, 1, 'a', color=plotting.BLUE)", "another colour than INK"),
        ("ax.text(1, 1, 'a', fontsize=9)", "less than 11 points"),
        ("ax.set_title('a', size='small')", "less than 11 points"),
    ],
)
def test_a_slip_is_found(code: str, slip: str) -> None:
    (found,) = slips(ast.parse(code))
    assert slip in found


@pytest.mark.parametrize(
    "code",
    [
        "ax.plot(x, y, '--', color=plotting.ORANGE)",
        "ax.plot(x, y, color=plotting.BLUE)",
        "ax.bar(x, y, color=plotting.PALE)",
        "ax.text(1, 1, 'red', color=plotting.INK)",
    ],
)
def test_what_is_no_slip_is_not(code: str) -> None:
    assert list(slips(ast.parse(code))) == []
