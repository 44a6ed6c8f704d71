"""Turns the source of the book into the site: one Sphinx extension made of small parts."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from web import source

STYLES = ("book.css", "quiz.css")


def _add_styles(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(source.ROOT / "web" / "static"))
    for style in STYLES:
        app.add_css_file(style)


def setup(app: Sphinx) -> dict[str, Any]:
    from web import claims, data, quiz

    claims.setup(app)
    data.setup(app)
    quiz.setup(app)
    app.setup_extension("web.maths")
    app.connect("config-inited", _add_styles)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
