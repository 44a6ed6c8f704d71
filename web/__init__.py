"""Turns the source of the book into the site: one Sphinx extension made of small parts."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from web import source

STYLES = ("book.css", "figures.css", "names.css", "quiz.css", "layout.css")


def _digest(*patterns: str) -> str:
    """A short hash of the files in the repository that match the patterns."""
    files = sorted(path for pattern in patterns for path in source.ROOT.glob(pattern))
    content = b"".join(path.read_bytes() for path in files if path.is_file())
    return hashlib.sha256(content).hexdigest()[:16]


def _watch(app: Sphinx, config: Config) -> None:
    """Let a change in what the chapters import or cite reach the site.

    The cache of executed chapters knows only their cells, and Sphinx only their text. So the cache
    has a folder for each state of the package, and a change of anything else here reads all anew.
    """
    state = _digest(
        *("nllbook/**/*.py", "nllbook/data/*", "nllbook/figures/*.png", "requirements.txt")
    )
    config.nb_execution_cache_path = str(Path(app.srcdir) / "_build" / ".jupyter_cache" / state)
    inputs = _digest(
        *("web/*.py", "web/*.mjs", "chapters/*.bib", "chapters/notation.md", "CITATION.cff")
    )
    # some pages say other things where the site's address is known
    config.book_inputs = f"{inputs} {config.html_baseurl} {os.environ.get('NLLBOOK_SITE', '')}"


def _add_styles(app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(source.ROOT / "web" / "static"))
    for style in STYLES:
        app.add_css_file(style)
    for script in ("draw.js", "scroll.js"):  # in this order: the first needs the event load
        app.add_js_file(script, loading_method="defer")


def _number_repeated_ids(app: Sphinx, doctree: nodes.document) -> None:
    """sphinx-proof and sphinx-exercise give all their parts one id: an id must be one of a kind."""
    repeated = {"proof", "proof-content", "exercise-content", "solution-content"}
    seen: Counter[str] = Counter()
    for node in doctree.findall(nodes.Element):
        for place, name in enumerate(node["ids"]):
            if name in repeated:
                seen[name] += 1
                node["ids"][place] = f"{name}-{seen[name]}"


def setup(app: Sphinx) -> dict[str, Any]:
    from web import (
        access,
        api,
        assets,
        assignments_page,
        beliefs_page,
        claims,
        committed,
        data,
        figures,
        glossary,
        launch,
        libraries,
        meta,
        offline,
        quiz,
        runtime,
        search,
        sheet_page,
        streams,
    )

    access.setup(app)
    api.setup(app)
    assets.setup(app)
    assignments_page.setup(app)
    claims.setup(app)
    committed.setup(app)
    data.setup(app)
    figures.setup(app)
    glossary.setup(app)
    launch.setup(app)
    quiz.setup(app)
    runtime.setup(app)
    beliefs_page.setup(app)
    libraries.setup(app)
    meta.setup(app)
    offline.setup(app)
    sheet_page.setup(app)
    search.setup(app)
    streams.setup()
    app.setup_extension("web.maths")
    # Where they are set, kernels draw no figures, or others than these.
    os.environ.pop("MPLBACKEND", None)
    app.add_config_value("book_inputs", "", "env", types=(str,))
    app.connect("config-inited", _watch, priority=1)
    app.connect("config-inited", _add_styles)
    app.connect("doctree-read", _number_repeated_ids)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
