"""Makes the site light: one style sheet, one script, small figures, and nothing that no page uses.

The extensions add some fifteen sheets and twelve scripts to each page. A page written here links
`site.css` and `site.js` instead; these are put together when all pages are written, since what
goes into them depends on what stands there: rules for classes that are on no page are left out,
and fonts hold the letters and icons that are shown.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from posixpath import normpath
from typing import Any

from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.builders.html._assets import _CascadingStyleSheet, _JavaScript
from sphinx.config import Config
from sphinx.errors import ExtensionError

from web import fonts, maths, source
from web.access import with_headings
from web.prune import prune, without_comments

THEME = "sphinx_book_theme"
# What the theme's templates link by themselves; web/templates/static/ keeps them from it.
FIRST_STYLES = ("styles/theme.css", "styles/pydata-sphinx-theme.css")
LAST_SCRIPTS = ("scripts/bootstrap.js", "scripts/pydata-sphinx-theme.js")
MATHS = "katex/katex.css"
# Of parts that this book does not use: running cells in the page, tabs, folding by script, notes in
# the margin. The first are files, the second what the settings of such scripts hold.
UNUSED = (
    *("togglebutton.css", "togglebutton.js"),
    *("sphinx-thebe.css", "sphinx-thebe.js", "design-tabs.js"),
    "scripts/sphinx-book-theme.js",  # access.js does what is left of it
)
UNUSED_SETTINGS = ("toggleHint", "togglebutton", "toggleOpenOnPrint", "THEBE", "thebe")
# Of no use to a reader, among what the theme and Sphinx copy into the site.
DROPPED = (
    *("*.map", "*webpack-macros.html", "scripts/*", "styles/*", "vendor/*", "locales/*"),
    *("katex/katex.css", "katex/fonts/*", "basic.css", "language_data.js", "file.png"),
    *("minus.png", "plus.png", "play-solid.svg", "copy-button.svg", "check-solid.svg"),
    "copybutton_funcs.js",
)
STYLE, SCRIPT = "site.css", "site.js"
# Before the first paint: fonts begin to load, and "auto" becomes the theme that it stands for.
# Else both come a moment later, and change the widths of what is drawn.
FIRST = """
for (const font of document.fonts) font.load();
if (document.documentElement.dataset.theme === "auto") {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
"""
# For draw.js, in chapters: they are long, and their first sections begin below the first screen.
FIRST_LONG = """
const [{ type } = {}] = performance.getEntriesByType("navigation");
if (!location.hash && type === "navigate") document.documentElement.dataset.drawing = "";
addEventListener("error", ({ target }) => {
  if (target.localName === "script") delete document.documentElement.dataset.drawing;
}, true);
"""
# Classes that bootstrap's script puts together, so that they are written nowhere.
COMPOSED = {f"bs-{box}-{side}" for box in ("tooltip", "popover") for side in ("auto", "top")}
EARLY = 40_000  # characters; what begins further down is below the first screen
AWAITED = "first-table"

_LINK = re.compile(rf"(_static/(?:{re.escape(STYLE)}|{re.escape(SCRIPT)}))(?:\?v=\w+)?")
_CLASSES = re.compile(r"\bclass=(?:\"([^\"]*)\"|'([^']*)')")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_IMPORT = re.compile(r"@import\s+[\"']([^\"']+)[\"'];")
_URL = re.compile(r"url\(\s*([\"']?)(?!data:|#)([^\"')]+)\1\s*\)")
_NOT_SHOWN = re.compile(r"background-image:\s*url\(file\.png\);")  # in Sphinx's lists of results
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{4,5})\b")
_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="([^"]*_images/([^"/]+\.(?:png|webp)))"[^>]*>')
_SIZED = re.compile(r"\b(?:width|height|loading)=")


def _name(asset: _CascadingStyleSheet | _JavaScript) -> str:
    """Its place under _static."""
    return os.fspath(asset.filename or "").removeprefix("_static/")


def _unused(script: _JavaScript) -> bool:
    settings = script.attributes.get("body", "")
    return _name(script) in UNUSED or any(word in settings for word in UNUSED_SETTINGS)


class Assets:
    """What one build puts together."""

    def __init__(self) -> None:
        self.styles: list[str] = []
        self.scripts: list[_JavaScript] = []
        paths = (one.path for one in source.pages() if one.number)
        self.long = {path.relative_to(source.ROOT).with_suffix("").as_posix() for path in paths}

    def page(
        self,
        app: Sphinx,
        page: str,
        template: str,
        context: dict[str, Any],
        tree: nodes.document | None,
    ) -> None:
        """Let a page link the bundles, and besides only what it has for itself."""
        site = app.builder
        if not isinstance(site, StandaloneHTMLBuilder) or app.config.html_theme != THEME:
            return
        if not self.styles:
            shared = sorted(site._orig_css_files, key=lambda style: style.priority)
            found = [*FIRST_STYLES, *map(_name, shared), MATHS]
            self.styles = [name for name in dict.fromkeys(found) if name not in UNUSED]
            scripts = sorted(site._orig_js_files, key=lambda script: script.priority)
            self.scripts = [script for script in scripts if not _unused(script)]
        context["css_files"] = [
            _CascadingStyleSheet(f"_static/{STYLE}", priority=0),
            *(one for one in context["css_files"] if _name(one) not in (*self.styles, *UNUSED)),
        ]
        bundled = {str(script) for script in self.scripts}
        first = FIRST + FIRST_LONG if page in self.long else FIRST
        context["script_files"] = [
            _JavaScript("", body=first, priority=0),
            _JavaScript(f"_static/{SCRIPT}", priority=0, defer="defer"),
            *(
                one
                for one in context["script_files"]
                if str(one) not in bundled
                and not _unused(one)
                # for a list of versions, which the site has not; it would run too early
                and "DOCUMENTATION_OPTIONS.pagename" not in one.attributes.get("body", "")
            ),
        ]

    def end(self, app: Sphinx, exception: Exception | None) -> None:
        """Write the bundles and finish the pages, unless no page was written."""
        if exception is not None or not self.styles:
            return
        site = Path(app.outdir)
        pages = {path: path.read_text(encoding="utf-8") for path in html_pages(site)}
        sizes = smaller_figures(site / "_images")
        pages = {path: steady(with_headings(finished(html, sizes))) for path, html in pages.items()}
        script = self.script(site / "_static")
        style = self.style(app, list(pages.values()), script)
        for name, content in ((STYLE, style), (SCRIPT, script)):
            (site / "_static" / name).write_text(content, encoding="utf-8")
        marks = {name: _hash(content) for name, content in ((STYLE, style), (SCRIPT, script))}
        for path, html in pages.items():
            linked = _LINK.sub(lambda found: f"{found[1]}?v={marks[Path(found[1]).name]}", html)
            if linked != path.read_text(encoding="utf-8"):
                path.write_text(linked, encoding="utf-8")
        self.drop(site, pages)

    def script(self, static: Path) -> str:
        """All shared scripts in their order, the settings they read first.

        They were written to run one after the other; in one deferred file they still do.
        """
        settings = [script.attributes["body"] for script in self.scripts if not script.filename]
        names = [_name(script) for script in self.scripts if script.filename]
        contents = [_read(static, name) for name in dict.fromkeys([*names, *LAST_SCRIPTS])]
        whole = "\n;\n".join([*dict.fromkeys(settings), *contents])
        return re.sub(r"(?m)^//# sourceMappingURL=.*$\n?", "", whole)

    def style(self, app: Sphinx, pages: list[str], script: str) -> str:
        """All shared style sheets in their order, as far as some page or script needs them."""
        static = Path(app.outdir, "_static")
        whole = "\n".join(_inlined(static, name) for name in self.styles)
        own = [path.read_text(encoding="utf-8") for path in static.glob("*.js")]
        classes = {name for page in pages for name in known_classes(page)} | COMPOSED
        classes.update(word for text in (script, *own) for word in _WORD.findall(text))
        chosen: dict[str, set[str]] = {}
        for page in pages:
            for font, found in fonts.letters(page).items():
                chosen.setdefault(font, set()).update(found)
        kept = prune(whole, classes, lambda body: body)
        chosen["fa-solid-900"] = icons(kept)
        katex = maths.fetch_katex(Path(app.srcdir, app.config.maths_cache)) / "dist" / "fonts"
        folders = (katex, static / "vendor" / "fontawesome" / "webfonts")

        def face(body: str) -> str:
            """The same with its font cut and put in, or nothing if the site shows none of it."""
            address = _URL.search(body)
            if address is None:
                return body
            font = Path(address[2]).stem
            content = b""
            for path in (folder / f"{font}.ttf" for folder in folders):
                if font in chosen and path.is_file():
                    content = fonts.cut(path, chosen[font])
            rest = re.sub(r"src:[^;]*(?:;base64[^;]*)?;?", "", body)
            return f'{rest};src:url({fonts.as_url(content)}) format("woff")' if content else ""

        return '@charset "utf-8";\n' + prune(kept, classes, face)

    def drop(self, site: Path, pages: dict[Path, str]) -> None:
        """Delete what is in the bundles now, and what no page uses."""
        static = site / "_static"
        bundled = {*self.styles, *map(_name, self.scripts), *UNUSED} - {""}
        for path in sorted(static.rglob("*"), reverse=True):
            name = path.relative_to(static).as_posix()
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif name in bundled or any(fnmatch(name, one) for one in DROPPED):
                path.unlink()
        named = "".join(pages.values())
        for path in (*static.glob("*.css"), *static.glob("*.js")):
            if path.name not in named:
                path.unlink()
        for path in (*site.glob("_images/*"), *static.glob("images/*")):
            if path.name not in named:
                path.unlink()


def html_pages(site: Path) -> Iterator[Path]:
    """The pages of the site, without what lies in its folders for files."""
    for path in sorted(site.rglob("*.html")):
        if not path.relative_to(site).parts[0].startswith("_"):
            yield path


def known_classes(html: str) -> set[str]:
    return {name for found in _CLASSES.findall(html) for name in "".join(found).split()}


def icons(css: str) -> set[str]:
    """The characters for private use in a style sheet, which are Font Awesome's icons."""
    found = {chr(int(code, 16)) for code in _ESCAPE.findall(css)} | set(css)
    return {letter for letter in found if "\ue000" <= letter <= "\uf8ff"}


def smaller_figures(folder: Path) -> dict[str, tuple[int, int]]:
    """Write each PNG as WebP as well, pixel for pixel the same; return the sizes of all figures."""

    def one(path: Path) -> tuple[str, tuple[int, int]]:
        with Image.open(path) as image:
            target = path.with_suffix(".webp")
            if path.suffix == ".png" and not target.is_file():
                flat = image.convert("RGB") if _opaque(image) else image.convert("RGBA")
                flat.save(target, "WEBP", lossless=True, quality=60, method=4, exact=False)
            return target.name, image.size

    found = [*folder.glob("*.png"), *folder.glob("*.webp")] if folder.is_dir() else []
    with ThreadPoolExecutor() as threads:  # Pillow works outside of Python's lock
        return dict(threads.map(one, found))


def _opaque(image: Image.Image) -> bool:
    return image.convert("RGBA").getchannel("A").getextrema() == (255, 255)


def finished(html: str, sizes: dict[str, tuple[int, int]]) -> str:
    """The page with its figures as WebP; their sizes keep their places free, and those after the
    first wait until the reader comes near."""
    seen = 0

    def tag(found: re.Match[str]) -> str:
        nonlocal seen
        seen += 1
        name = Path(found[2]).with_suffix(".webp").name
        if name not in sizes:
            return found[0]
        written = found[0].replace(found[1], found[1].removesuffix(found[2]) + name)
        if _SIZED.search(written):
            return written
        width, height = sizes[name]
        late = ' loading="lazy"' if seen > 1 else ""
        more = f' width="{width}" height="{height}"{late} decoding="async"'
        return written.replace("<img", "<img" + more, 1)

    return _IMAGE.sub(tag, html)


def steady(html: str) -> str:
    """The page, not to be drawn before the first table is there if the page begins with it: each
    row that comes may widen a column, and so move the rows that are there."""
    top = html.find("<article")
    end = html.find("</table>", top)
    if AWAITED not in html and 0 <= html.find("<table", top, top + EARLY) < end:
        end += len("</table>")
        html = f'{html[:end]}<span id="{AWAITED}"></span>{html[end:]}'
        link = f'<link rel="expect" href="#{AWAITED}" blocking="render" />\n  </head>'
        html = html.replace("</head>", link, 1)
    return html


def _read(static: Path, name: str) -> str:
    try:
        return (static / name).read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise ExtensionError(
            f"assets: _static/{name} is missing, which pages need: has the theme changed its "
            "files? Correct the names at the top of web/assets.py"
        ) from missing


def _inlined(static: Path, name: str) -> str:
    """A style sheet with those it imports, and its addresses as seen from _static."""
    folder = Path(name).parent.as_posix()
    css = without_comments(_read(static, name))
    css = _NOT_SHOWN.sub("", css)
    css = _URL.sub(lambda found: f'url("{normpath(f"{folder}/{found[2]}")}")', css)
    return _IMPORT.sub(lambda found: _inlined(static, normpath(f"{folder}/{found[1]}")), css)


def _hash(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def _watch(app: Sphinx, config: Config) -> None:
    """Let Sphinx write all pages anew when a style, a script or a template has changed."""
    files = sorted((source.ROOT / "web").rglob("*"))
    kinds = {".css", ".js", ".html", ".py"}
    content = b"".join(path.read_bytes() for path in files if path.suffix in kinds)
    config.book_assets = hashlib.sha256(content).hexdigest()


def setup(app: Sphinx) -> dict[str, Any]:
    assets = Assets()
    app.add_config_value("book_assets", "", "html", types=(str,))
    app.connect("config-inited", _watch)
    app.connect("html-page-context", assets.page, priority=950)  # after all that add something
    app.connect("build-finished", assets.end, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
