"""What a page says of itself to search engines, social networks and browsers; the pages around it.

Every page has a description: the field `description` of its front matter, or its first paragraph.
What needs the site's own address (canonical links, cards, the sitemap) is there only where that is
known: web/launch.py finds it, and puts it into the setting html_baseurl.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.config import Config

from web import card, citation, source

TEMPLATES = source.ROOT / "web" / "templates"
CARDS = "_static/cards"
TITLE = "An executable book"  # of the landing page, whose heading is the book's own title
LANDING_STYLE = "landing.css"
ELSEWHERE = {  # the pages that have no source
    "search": "Search the book: sections, claims, wrong beliefs, terms and functions.",
    "404": "This address leads to no page of the book; here is where to go from it.",
}
# A bell curve and its negative logarithm. As an address of its own it costs no request.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="6" fill="#274891"/><g fill="none" stroke="#fff">'
    '<path d="M5 8q11 38 22 0" stroke-width="3.5"/>'
    '<path d="M4 17c7 0 8-10 12-10s5 10 12 10" stroke-width="2" stroke-dasharray="3 2"/></g></svg>'
)
COLOURS = {"light": "#ffffff", "dark": "#121212"}  # the theme's own, behind its pages
# Where a browser keeps nothing for a page, to ask for its storage is an error, and the theme asks.
# There each page has a storage of its own, as long as it is open.
STORAGE = (
    "<script>for(const name of['localStorage','sessionStorage'])try{window[name]}"
    "catch{const kept={};Object.defineProperty(window,name,{value:{getItem:key=>kept[key]??null,"
    "setItem(key,value){kept[key]=value},removeItem(key){delete kept[key]}}})}</script>"
)


# ---- the address and the descriptions


def configure(app: Sphinx, config: Config) -> None:
    """Ours before the theme's of the same name."""
    config.templates_path.insert(0, str(TEMPLATES))


def note_description(app: Sphinx, tree: nodes.document) -> None:
    """Where the front matter has no description, take the first paragraph, as plain text."""
    first = next((one for one in tree.findall(nodes.paragraph)), nodes.paragraph())
    about = app.env.metadata[app.env.docname]
    about.setdefault("description", " ".join(first.astext().split()))


# ---- in the head of each page


def _tag(name: str, value: str) -> str:
    kind = "property" if name.startswith("og:") else "name"
    return f'<meta {kind}="{name}" content="{escape(value)}" />'


def tags(title: str, description: str, kind: str, url: str = "", image: str = "") -> str:
    """The tags that describe a page; those of a card only where the picture has an address."""
    found = {
        "description": description,
        "og:title": title,
        "og:description": description,
        "og:type": kind,
        "og:locale": "en",
        "og:url": url,
        "og:image": image,
        "og:image:width": str(card.SIZE[0]) if image else "",
        "og:image:height": str(card.SIZE[1]) if image else "",
        "og:image:alt": f"{title}. Beside it, a likelihood and its negative logarithm, whose "
        "extremes are at one place."
        if image
        else "",
        "twitter:card": "summary_large_image" if image else "summary",
    }
    lines = [_tag(name, value) for name, value in found.items() if value]
    lines += [
        f'<meta name="theme-color" content="{colour}" media="(prefers-color-scheme: {scheme})" />'
        for scheme, colour in COLOURS.items()
    ]
    lines.append(
        f'<link rel="icon" type="image/svg+xml" href="data:image/svg+xml,{quote(ICON)}" />'
    )
    return "\n    ".join(lines)


def _number(app: Sphinx, page: str) -> int:
    """The number of a chapter, 0 for another page."""
    return app.env.toc_secnumbers.get(page, {}).get("", (0,))[0]


def image(app: Sphinx, page: str) -> str:
    """The address of the card of a page, where the site's address is known."""
    name = Path(page).name if _number(app, page) else "book"
    address = app.config.html_baseurl
    return f"{address}{CARDS}/{name}.png" if address else ""


def describe_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Put what a page says of itself into its head, and the version into its last line."""
    cited = citation.read(address=app.config.html_baseurl)
    context["book_version"] = cited.version
    description = ELSEWHERE.get(page) or app.env.metadata[page].get("description", "")
    title = app.env.titles[page].astext() if page in app.env.titles else page.capitalize()
    landing = page == app.config.root_doc
    url, picture = context.get("pageurl") or "", image(app, page)
    found = [STORAGE, tags(title, description, "book" if landing else "article", url, picture)]
    if landing:
        context["title"] = TITLE
        app.add_css_file(LANDING_STYLE)
        about = json.dumps(cited.as_json(description, picture)).replace("<", "\\u003c")
        found.append(f'<script type="application/ld+json">{about}</script>')
    context["metatags"] = "\n    ".join([context.get("metatags") or "", *found, ""])


# ---- the pages and files around them


def _pages(app: Sphinx) -> Iterator[tuple[str, str, int]]:
    """The address, the title and the number of each page, as the table of contents has them."""
    for name in app.env.collect_relations():
        uri = app.builder.get_target_uri(name)
        yield uri, app.env.titles[name].astext(), _number(app, name)


def _write_around(app: Sphinx, exception: Exception | None) -> None:
    """Write the front door and the page for what is not found; with an address, what needs one."""
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    out, root = Path(app.outdir), app.config.root_doc
    address = app.config.html_baseurl
    (start, book, _), *others = _pages(app)
    about = app.env.metadata[root].get("description", "")
    render = app.builder.templates.render

    found = tags("Not found", ELSEWHERE["404"], "website")
    parts = [
        ("Chapters", [(uri, f"{number}. {title}") for uri, title, number in others if number]),
        ("To look up", [(uri, title) for uri, title, number in others if not number]),
    ]
    context = {"book": book, "start": start, "parts": parts, "tags": found}
    page = render("404.html", {**context, "root": urlsplit(address).path})
    (out / "404.html").write_text(page.lstrip(), encoding="utf-8")

    if root != "index":
        found = tags(book, about, "book", address and address + start, image(app, root))
        if address:
            found += f'\n    <link rel="canonical" href="{address}{start}" />'
        page = render("redirect.html", {"book": book, "target": start, "tags": found})
        (out / "index.html").write_text(page.lstrip(), encoding="utf-8")

    for name, content in _for_engines(app).items():
        if address:
            (out / name).write_text(content, encoding="utf-8")
        else:  # from an earlier build, with one
            (out / name).unlink(missing_ok=True)
    if address:
        _draw_cards(out / CARDS, book, others)
    else:
        shutil.rmtree(out / CARDS, ignore_errors=True)


def _for_engines(app: Sphinx) -> dict[str, str]:
    """The sitemap, and robots.txt, which leads to it (and is read at the root of a host alone)."""
    address = app.config.html_baseurl
    places = "\n".join(
        f"  <url><loc>{escape(address + uri)}</loc></url>" for uri, _, _ in _pages(app)
    )
    sitemap = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{places}\n</urlset>\n'
    )
    return {
        "sitemap.xml": sitemap,
        "robots.txt": f"User-agent: *\nAllow: /\n\nSitemap: {address}sitemap.xml\n",
    }


def _draw_cards(folder: Path, book: str, pages: list[tuple[str, str, int]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    chapters = [(Path(uri).stem, title, number) for uri, title, number in pages if number]
    for name, title, number in [("book", book, 0), *chapters]:
        card.draw(folder / f"{name}.png", book, title, len(chapters), number)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("cite-this", citation.CiteDirective)
    app.connect("config-inited", configure, priority=1)
    app.connect("doctree-read", note_description)
    app.connect("html-page-context", describe_page)
    # before another extension writes a front door without a title
    app.connect("build-finished", _write_around, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
