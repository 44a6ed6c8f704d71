"""What the losses are in other libraries: reads chapters/other-libraries.yml, and shows it.

The directive `in-libraries` takes the id of a loss and shows its table, `library-versions` says
which versions the lock has. tests/libraries/ has a test for every cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from web.beliefs import Reader, nearest
from web.source import CHAPTERS, ROOT, SourceError

FILE = CHAPTERS / "other-libraries.yml"
LOCK = ROOT / "requirements.txt"
MAKEFILE = ROOT / "Makefile"
LIBRARIES = {  # in the order of the columns: how the page calls them
    "nllbook": "nllbook",
    "torch": "PyTorch",
    "sklearn": "scikit-learn",
    "scipy": "SciPy",
    "optax": "Optax",
}
PACKAGES = {"torch": "torch", "sklearn": "scikit-learn", "scipy": "scipy", "optax": "optax"}

_PLACE = re.compile(r"<(\w+)>")
_EXPONENT = re.compile(r"(-?[\d.]+)e(-?\d+)")
# Where a long name may be broken: after _ or ., before a capital, after the bracket of a call,
# before a value in quotes.
_BREAK = re.compile(r'(?<=\w[_.])(?=\w\w)|(?<=[a-z])(?=[A-Z])|(?<=\w\()(?=\w)|(?<==)(?=")')


@dataclass(frozen=True)
class Cell:
    """What a library does: MyST, and the values in it, as they are written."""

    text: str
    values: dict[str, str]

    @property
    def shown(self) -> str:
        """The text with its values."""
        return _PLACE.sub(lambda place: _typeset(self.values[place[1]]), self.text)


@dataclass(frozen=True)
class Loss:
    """A loss: patterns of names that libraries lack; rows of cells by library."""

    id: str
    absent: dict[str, str]
    rows: dict[str, dict[str, Cell]]
    line: int

    @property
    def libraries(self) -> list[str]:
        """The libraries that have it, in the order of the columns."""
        return [name for name in LIBRARIES if name not in self.absent]


def load(path: Path = FILE) -> dict[str, Loss]:
    """The losses by id, in the order of the file.

    Raises
    ------
    SourceError
        At the first mistake: file and line, what is wrong, what to do.
    """
    reader = Reader(path)
    losses: dict[str, Loss] = {}
    for node in reader.items(reader.root(), "the file", "losses"):
        loss = _loss(reader, node)
        if loss.id in losses:
            first = losses[loss.id].line
            reader.fail(node, f"the loss {loss.id!r} stands on line {first} too: rename one")
        losses[loss.id] = loss
    return losses


def pins(package: str) -> list[str]:
    """The versions that the lock has of a package, by the version of Python; of torch the one."""
    if package == "torch":  # kept out of the lock
        return re.findall(r"^TORCH := torch==(\S+)$", _read(MAKEFILE), re.MULTILINE)
    return re.findall(rf"^{re.escape(package)}==([^\s;]+)", _read(LOCK), re.MULTILINE)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _loss(reader: Reader, node: yaml.Node) -> Loss:
    entry = reader.mapping(node, "a loss", ("loss", "rows"), ("absent",))
    absent = reader.entries(entry["absent"], "absent") if "absent" in entry else {}
    _known(reader, absent, LIBRARIES)
    patterns = {name: reader.text(value, name) for name, value in absent.items()}
    loss = Loss(reader.identifier(entry["loss"], "loss"), patterns, {}, reader.line(node))
    for name, row in reader.entries(entry["rows"], "rows").items():
        if not name.isascii():
            reader.fail(row, f"the row {name!r} names tests: use ASCII alone")
        cells = reader.entries(row, f"the row {name!r}")
        _known(reader, cells, loss.libraries)
        if missing := [library for library in loss.libraries if library not in cells]:
            reader.fail(row, f"the row {name!r} has no cell for {missing[0]}: add it")
        loss.rows[name] = {library: _cell(reader, cells[library]) for library in loss.libraries}
    return loss


def _known(reader: Reader, entries: dict[str, yaml.Node], known: Collection[str]) -> None:
    for name, value in entries.items():
        if name not in known:
            wrong = f"no library {name!r} can stand here{nearest(name, known)}"
            reader.fail(value, f"{wrong}: use {', '.join(known)}")


def _cell(reader: Reader, node: yaml.Node) -> Cell:
    if not isinstance(node, yaml.MappingNode):
        texts = {"text": reader.text(node, "a cell")}
    else:
        texts = {
            name: reader.text(one, name) for name, one in reader.entries(node, "a cell").items()
        }
        if "text" not in texts:
            reader.fail(node, "the cell lacks its text: add the key 'text'")
    text = texts.pop("text")
    places = set(_PLACE.findall(text))
    if odd := sorted(places ^ set(texts)):
        reader.fail(node, f"{odd[0]!r} must be a key of the cell and stand in its text as <…>")
    return Cell(text, texts)


def _typeset(number: str) -> str:
    """2.22e-16 as a formula, -100 with a minus."""
    found = _EXPONENT.fullmatch(number)
    if not found:
        return number.replace("-", "−")
    mantissa = "" if found[1] == "1" else rf"{found[1]} \cdot "
    return f"${mantissa}10^{{{int(found[2])}}}$"


class html_element(nodes.General, nodes.TextElement):
    """An HTML element with the tag and the attributes of the node; it may hold links."""


class wbr(nodes.Inline, nodes.Element):
    """A place where a line may be broken."""


class TableDirective(SphinxDirective):
    """The table of one loss: a row for each aspect, a column for each library that has it.

    On a phone its rows stand below each other, which takes its meaning as a table from it; so all
    parts say what they are, and each cell has the name of its library, hidden where there is room.
    Where all libraries do the same there is one cell for all. A row has an id: libraries-loss-row.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(FILE))
        try:
            losses = load()
        except SourceError as error:
            raise self.error(str(error)) from None
        name = self.arguments[0]
        if name not in losses:
            raise self.error(f"{FILE.name} has no loss {name!r}{nearest(name, losses)}")
        loss = losses[name]
        heads = [
            _part("th", "columnheader", nodes.Text(LIBRARIES[one]), scope="col")
            for one in loss.libraries
        ]
        corner = _part("th", "columnheader", nodes.Text("Aspect"), scope="col")
        rows = [self._row(name, row, cells) for row, cells in loss.rows.items()]
        table = _part(
            "table",
            "table",
            _part("thead", "rowgroup", _part("tr", "row", corner, *heads)),
            _part("tbody", "rowgroup", *rows),
        )
        table["classes"] = ["libraries"]
        table["attributes"]["aria-label"] = f"{name.replace('-', ' ')} by library"
        lacking = " and ".join(LIBRARIES[one] for one in LIBRARIES if one in loss.absent)
        verb = "have" if len(loss.absent) > 1 else "has"
        note = nodes.paragraph(text=f"{lacking} {verb} no such function.") if lacking else None
        return [table, *([note] if note else [])]

    def _row(self, loss: str, name: str, cells: dict[str, Cell]) -> nodes.Node:
        identifier = nodes.make_id(f"libraries {loss} {name}")
        # For the mouse, as beside headings; the keyboard and a reader's voice need no stop for it.
        here = {"href": f"#{identifier}", "tabindex": "-1", "aria-hidden": "true"}
        mark = html_element("", "", nodes.Text("#"), tag="a", attributes=here)
        mark["classes"] = ["headerlink"]
        head = _part("th", "rowheader", nodes.Text(name), mark, scope="row")
        row = _part("tr", "row", head)
        row["ids"], row["names"] = [identifier], [identifier]
        self.state.document.note_explicit_target(row)
        if len(cells) > 1 and len({cell.shown for cell in cells.values()}) == 1:
            shared = next(iter(cells.values()))
            row += self._cell("all", shared, colspan=str(len(cells)))
            return row
        for library, cell in cells.items():
            row += self._cell(library, cell)
        return row

    def _cell(self, library: str, cell: Cell, **attributes: str) -> html_element:
        label = nodes.inline("", f"{LIBRARIES.get(library, library)}: ", classes=["library"])
        part = _part("td", "cell", label, *self.parse_inline(cell.shown)[0], **attributes)
        if library != "nllbook":
            part["classes"].append("elsewhere")  # no link to a name of nllbook
        for literal in part.findall(nodes.literal):
            names = _BREAK.split(literal.astext())
            literal.clear()
            for name in names[:-1]:
                literal += [nodes.Text(name), wbr()]
            literal += nodes.Text(names[-1])
        return part


class VersionsDirective(SphinxDirective):
    """A sentence: the versions in the lock, and torch's in the Makefile."""

    def run(self) -> list[nodes.Node]:
        for file in (LOCK, MAKEFILE):
            self.env.note_dependency(str(file))
        found = [f"{LIBRARIES[one]} {' or '.join(pins(name))}" for one, name in PACKAGES.items()]
        found[-1] += f" on JAX {' or '.join(pins('jax'))}"
        return [nodes.paragraph(text=f"The versions are {', '.join(found[:-1])} and {found[-1]}.")]


def _part(tag: str, role: str, *children: nodes.Node, **attributes: str) -> html_element:
    return html_element("", "", *children, tag=tag, attributes={"role": role, **attributes})


def _open(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(translator.starttag(node, node["tag"], "", **node["attributes"]))


def _close(translator: HTML5Translator, node: nodes.Element) -> None:
    translator.body.append(f"</{node['tag']}>\n")


def _break(translator: HTML5Translator, _: nodes.Element) -> None:
    translator.body.append("<wbr>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(html_element, html=(_open, _close))
    app.add_node(wbr, html=(_break, None))
    app.add_directive("in-libraries", TableDirective)
    app.add_directive("library-versions", VersionsDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
