"""Interactive figures on the site: a script puts each in the place of its picture.

A cell that ends in ``figures.show("coin")`` draws a picture. Behind it the page gets an empty
place for the sliders, kept free from the start so that nothing jumps, and links the figure's
module from nllbook/figures as a script of the old kind, which pages opened from disk may run too.

``python -m web.figures`` draws the pictures anew, in Chromium.
"""

from __future__ import annotations

import ast
import html
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.config import Config

from nllbook import figures
from web import cells, source

STYLE = "figure.css"
PLACE = '<div class="live" data-figure="{name}" data-state="{state}" style="--rows:{rows}"></div>'
_PLACED = re.compile(r'<div class="live" data-figure="(\w+)"')
# Also for run.js, which shows figures that the reader's code makes.
START = """
globalThis.nllFigures ??= {};
const fill = (place, state) => {
  const nothing = () => {};
  const model = { get: (name) => state[name], set: (name, value) => (state[name] = value) };
  shown.render({ model: { ...model, save_changes: nothing, on: nothing }, el: place });
  const figure = place.closest("figure");
  for (const picture of figure.querySelectorAll("img")) picture.loading = "eager"; // for paper
  figure.classList.add("moves");
};
nllFigures.NAME = fill;
for (const place of document.querySelectorAll(".live[data-figure=NAME]"))
  fill(place, JSON.parse(place.dataset.state));
"""


def script(name: str) -> str:
    """A figure's module as a script that fills its places on the page."""
    module = figures.module(name).replace("export default", "const shown =")
    module = module.replace("export function", "function")
    return "(() => {\n" + module + START.replace("NAME", name) + "})();\n"


def shown(page: source.Chapter) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Of each interactive figure its label, its name and the numbers it starts with."""
    for cell in page.cells:
        for node in ast.walk(cells.tree(cell)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "figures.show":
                name = ast.literal_eval(node.args[0])
                given = {str(one.arg): ast.literal_eval(one.value) for one in node.keywords}
                label = str(source.figure_options(cell.options).get("name", ""))
                yield label, name, {**figures.STATES[name], **given}


def _place(name: str, state: dict[str, Any]) -> str:
    return PLACE.format(name=name, state=html.escape(json.dumps(state)), rows=len(state))


def _make_places(app: Sphinx, doctree: nodes.document) -> None:
    path = source.ROOT / f"{app.env.docname}.md"
    found = shown(source.read(path)) if path.exists() else ()
    wanted = {label: (name, state) for label, name, state in found}
    for figure in doctree.findall(nodes.figure):
        image = figure.next_node(nodes.image)
        for label in wanted.keys() & set(figure["names"]):
            assert image is not None
            assert image.parent is not None
            place = nodes.raw("", _place(*wanted[label]), format="html")
            image.parent.insert(image.parent.index(image) + 1, place)


def _link(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: object) -> None:
    for name in dict.fromkeys(_PLACED.findall(context.get("body", ""))):
        app.add_js_file(f"figure-{name}.js", loading_method="defer")


def _write(app: Sphinx, exception: Exception | None) -> None:
    static = Path(app.outdir, "_static")
    if exception is None and static.is_dir():
        for name in figures.STATES:
            (static / f"figure-{name}.js").write_text(script(name), encoding="utf-8")


def _add_style(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(figures.FOLDER / STYLE))
    app.add_css_file(STYLE)


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _add_style)
    app.connect("doctree-read", _make_places)
    app.connect("html-page-context", _link)
    app.connect("build-finished", _write, priority=100)  # before web.assets looks through them


def picture(browser: Any, name: str) -> bytes:
    """The figure as it starts, as a PNG of few colours."""
    place = _place(name, figures.STATES[name])
    css = (figures.FOLDER / "figure.css").read_text(encoding="utf-8")
    page = browser.new_page(viewport={"width": 360, "height": 640}, device_scale_factor=2)
    page.set_content(
        f"<style>{css} body {{ margin: 7px }}</style><figure style='margin:0'>{place}</figure>"
        f"<script>{script(name)}</script>"
    )
    page.wait_for_selector(".nll-says:not(:empty)", state="attached")
    drawn = Image.open(io.BytesIO(page.locator("svg").screenshot()))
    page.close()
    content = io.BytesIO()
    drawn.convert("RGB").quantize(64).save(content, "PNG", optimize=True)
    return content.getvalue()


def main() -> int:
    from web.browser import launched

    with launched() as browser:
        for name in figures.STATES:
            (figures.FOLDER / f"{name}.png").write_bytes(picture(browser, name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
