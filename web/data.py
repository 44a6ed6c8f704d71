"""The `datasets` directive: what the shipped data are, how to load them, who uses them, whose."""

from __future__ import annotations

import tomllib

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from nllbook import datasets
from web import api, source

FOLDER = source.ROOT / "nllbook" / "data"


class DatasetsDirective(SphinxDirective):
    """A definition list of nllbook/data/index.toml; sizes and uses are looked up, not written."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(FOLDER / "index.toml"))
        loaded = {}
        for name in api.public().values():
            if name.short.startswith("load_"):
                data = getattr(datasets, name.short)()
                loaded[data.name] = (name, data)
        index = tomllib.loads((FOLDER / "index.toml").read_text(encoding="utf-8"))
        files = nodes.definition_list(classes=["datasets"])
        for file, entry in index.items():
            name, data = loaded[file]
            term = nodes.term("", "", nodes.literal(text=file), ids=[f"data-{file.split('.')[0]}"])
            facts = nodes.definition("", nodes.paragraph(text=entry["description"]))
            load = nodes.literal(text=f"datasets.{name.short}()")
            size = f": {_size(data)}; {(FOLDER / file).stat().st_size:,} bytes"
            facts += _fact("To load it", load, nodes.Text(size))
            facts += _fact("Used in")
            facts += self.parse_text_to_nodes("\n".join(api.by_chapter(api.uses()[name.full])))
            facts += _fact("Source", nodes.Text(entry["source"]))
            facts += _fact("Licence", nodes.Text(entry["licence"]))
            facts += _fact("SHA-256", nodes.literal(text=entry["sha256"], classes=["checksum"]))
            files += nodes.definition_list_item("", term, facts)
        return [files]


def _size(data: datasets.Table | datasets.Text) -> str:
    if isinstance(data, datasets.Text):
        return f"a text of {len(data.text):,} characters"
    return f"{len(data):,} rows of {', '.join(data.columns)}"


def _fact(label: str, *value: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.strong(text=f"{label}: "), *value)


def setup(app: Sphinx) -> None:
    app.add_directive("datasets", DatasetsDirective)
