"""Interactive figures: a picture, and where widgets can be shown, sliders that move it.

Each is a module of JavaScript in this folder, in the format of anywidget. The book's pages run it
as it is, and JupyterLab does if ``anywidget`` is installed. Elsewhere its picture is shown.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
STATES: dict[str, dict[str, Any]] = {
    "coin": {"n": 10, "k": 7},
    "product": {"n": 100},
    "surprise": {"p": 0.25},
    "gap": {"q": 0.6},
    "directions": {"a": 2.5, "direction": "reverse"},
    "residuals": {"m": 2.5, "s": 1.0},
    "logit": {"z": -2.0, "y": 1},
    "simplex": {"a": 1.0, "b": 0.0, "c": 2.0, "y": 0},
    "memory": {"rows": 13, "classes": 17.0, "bytes": 2},
}


def module(name: str) -> str:
    """The JavaScript of a figure, with what all figures share: one ES module.

    Parameters
    ----------
    name : str
        One of ``nllbook.figures.STATES``.

    Returns
    -------
    str
        In the format of anywidget.

    Raises
    ------
    FileNotFoundError
        For a figure that is not there.

    Examples
    --------
    >>> "export default" in module("coin")
    True
    """
    parts = [(FOLDER / f"{part}.js").read_text(encoding="utf-8") for part in ("shared", name)]
    return "\n".join(parts)


class Picture:
    """What `show` returns: displayed as a widget where that is possible, else as a picture.

    Parameters
    ----------
    name : str
        One of ``nllbook.figures.STATES``.
    state : dict
        All the numbers that it starts with.

    Examples
    --------
    >>> picture = show("coin", k=9)
    >>> picture.name, picture.state
    ('coin', {'n': 10, 'k': 9})
    """

    def __init__(self, name: str, state: dict[str, Any]) -> None:
        self.name, self.state = name, state
        self.widget: Any = _widget(name, state) if find_spec("anywidget") else None

    def __repr__(self) -> str:
        return f"<Figure {self.name}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        picture = (FOLDER / f"{self.name}.png").read_bytes()
        shown: dict[str, Any] = {"text/plain": repr(self), "image/png": picture}
        if self.widget is None:
            return shown
        found = self.widget._repr_mimebundle_()
        return {**(found[0] if isinstance(found, tuple) else found), **shown}


def _widget(name: str, state: dict[str, Any]) -> Any:
    import anywidget
    import traitlets

    traits = {key: traitlets.Any(value).tag(sync=True) for key, value in state.items()}
    parts = {"_esm": module(name), "_css": (FOLDER / "figure.css").read_text(encoding="utf-8")}
    return type(name.title(), (anywidget.AnyWidget,), {**parts, **traits})()


def show(name: str, **state: Any) -> Picture:
    """An interactive figure of the book.

    Parameters
    ----------
    name : str
        One of ``nllbook.figures.STATES``, which has the numbers that it starts with.
    **state
        Other numbers to start with. The picture, for where there are no widgets, keeps its own.

    Returns
    -------
    Picture
        Displayed when it is the last value of a cell. With ``anywidget`` installed its ``widget``
        has the numbers as attributes, which follow the sliders, and move them.

    Raises
    ------
    ValueError
        For a figure, or a number, that is not there.

    Examples
    --------
    >>> from nllbook import figures
    >>> figures.show("coin", k=9)
    <Figure coin>
    """
    if name not in STATES:
        raise ValueError(f"name = {name!r} must be one of {', '.join(STATES)}")
    if unknown := sorted(set(state) - set(STATES[name])):
        raise ValueError(
            f"{unknown[0]} is no number of {name!r}, which has {', '.join(STATES[name])}"
        )
    return Picture(name, {**STATES[name], **state})
