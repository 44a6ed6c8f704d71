"""The `datasets` directive: what the shipped data are, where they come from, whose they are."""

from __future__ import annotations

import tomllib

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from web import source

INDEX = source.ROOT / "nllbook" / "data" / "index.toml"


class DatasetsDirective(SphinxDirective):
    """A definition list of nllbook/data/index.toml."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(INDEX))
        index = tomllib.loads(INDEX.read_text(encoding="utf-8"))
        files = nodes.definition_list()
        for name, entry in index.items():
            term = nodes.term("", "", nodes.literal(text=name))
            facts = nodes.definition("", nodes.paragraph(text=entry["description"]))
            facts += _fact("Source", nodes.Text(entry["source"]))
            facts += _fact("Licence", nodes.Text(entry["licence"]))
            facts += _fact("SHA-256", nodes.literal(text=entry["sha256"], classes=["checksum"]))
            files += nodes.definition_list_item("", term, facts)
        return [files]


def _fact(label: str, value: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.strong(text=f"{label}: "), value)


def setup(app: Sphinx) -> None:
    app.add_directive("datasets", DatasetsDirective)
