r"""Set the book's maths while it is built, with KaTeX.

A page then shows every formula, and tells it to a screen reader (MathML), with no script
and no network. Sphinx calls this renderer for each formula; one Node process draws them.
What KaTeX cannot draw is a warning with file and line, so that `-W` stops the build.

Two settings, both optional: `maths_macros`, the macros of the whole book as KaTeX takes
them (`{"\\R": "\\mathbb{R}"}`), and `maths_cache`, where KaTeX is kept between builds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html import escape
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util.logging import get_node_location, getLogger
from sphinx.util.math import get_node_equation_number, wrap_displaymath
from sphinx.writers.html5 import HTML5Translator

from web import npm
from web.search import formula

# A new version has a new checksum, too: `npm view katex@VERSION dist.integrity` tells it.
VERSION = "0.19.1"
SHA512 = "jG8uKntjSEcm2EpQOh0XturpPuuC9r3Sq5HLHdsFdWZT27E672SF19QEi+of0/YeOy15lDgRhKvr5614uRrEfA=="

# The theme cuts off what is too wide. Here a display formula scrolls in its own box beside
# its number; an inline one may break over lines, and on a narrow screen its paragraph scrolls.
CSS = """
div.math > .katex-display { flex: 1; min-width: 0; margin: 0; padding: .65em .25em;
  overflow: auto hidden; } /* with room for what stands above and below the line */
span.math { display: inline; overflow: visible; }
span.nobreak { white-space: nowrap; }
@media screen and (max-width: 60em) {
  p:has(span.math) { overflow: auto hidden; padding-bottom: .5em; }
}
"""

COPY = "copy-tex.min.js"  # KaTeX's own: who copies a formula gets its TeX
SHORT = 20  # characters of a formula that may be kept on one line with what follows it

logger = getLogger(__name__)


def fetch_katex(cache: Path) -> Path:
    """Return the folder of KaTeX's own files, got once by npm and checked against SHA512."""
    return npm.fetch("katex", VERSION, SHA512, ("dist/", "LICENSE"), cache)


def copy_styles(katex: Path, target: Path) -> None:
    """Put KaTeX's style sheet with our rules, its woff2 fonts, COPY and its licence in `target`."""
    (target / "fonts").mkdir(parents=True, exist_ok=True)
    for font in katex.glob("dist/fonts/*.woff2"):
        shutil.copyfile(font, target / "fonts" / font.name)
    shutil.copyfile(katex / "LICENSE", target / "LICENSE")
    css = (katex / "dist" / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r",url\([^)]*\.(woff|ttf)\) format\([^)]*\)", "", css)
    (target / "katex.css").write_text(css + CSS, encoding="utf-8")
    shutil.copyfile(katex / "dist" / "contrib" / COPY, target / COPY)


def to_katex(tex: str, *, nowrap: bool) -> str:
    """Make a display formula one that KaTeX takes and leaves unnumbered, as Sphinx numbers it."""
    tex = re.sub(r"\\label\s*\{[^{}]*\}", "", tex)
    if not nowrap and (r"\\" in tex or "\n\n" in tex.strip()):
        tex = wrap_displaymath(tex, None, False)
    return re.sub(r"\\(begin|end)\{(equation|align|alignat|gather)\}", r"\\\1{\2*}", tex)


def has_maths(tree: nodes.Node) -> bool:
    """Say whether any formula is in `tree`."""
    return any(isinstance(node, nodes.math | nodes.math_block) for node in tree.findall())


def keep_punctuation(app: Sphinx, tree: nodes.document, name: str) -> None:
    """Tie the punctuation that follows a short formula to it: a line must not begin with it."""
    for node in list(tree.findall(nodes.math)):
        after = node.next_node(descend=False, siblings=True)
        if not isinstance(after, nodes.Text) or len(node.astext()) > SHORT:
            continue
        if mark := re.match(r"[,.;:!?)’”]+", after):
            # by its place: two texts that read alike are equal, and replace() takes the first
            place = after.parent.index(node) + 1
            after.parent[place] = nodes.Text(after[mark.end() :])
            tied = nodes.inline(classes=["nobreak"])
            node.replace_self(tied)
            tied += [node, nodes.Text(mark[0])]


class Maths:
    """The renderer of one build, with its Node process and what that has drawn."""

    node: subprocess.Popen[str] | None = None
    owner = 0  # the process that started `node`: a parallel worker is a fork, with its own

    def begin(self, app: Sphinx) -> None:
        """Fetch KaTeX and put its style sheet in the site, if this build is for the web."""
        site = app.builder
        if not isinstance(site, StandaloneHTMLBuilder) or site.math_renderer_name != "katex":
            return
        self.katex = fetch_katex(Path(app.srcdir, app.config.maths_cache))
        if wrong := [name for name in app.config.maths_macros if not name.startswith("\\")]:
            raise ExtensionError(f"maths: these maths_macros lack their backslash: {wrong}")
        self.macros = json.dumps(app.config.maths_macros)
        self.drawn: dict[tuple[str, bool], dict[str, str]] = {}
        self.reported: set[tuple[str | None, str]] = set()
        copy_styles(self.katex, Path(app.outdir, "_static", "katex"))
        app.connect("doctree-resolved", keep_punctuation)
        app.connect("html-page-context", self.page)

    def end(self, app: Sphinx, exception: Exception | None) -> None:
        """Stop the Node process with the build."""
        if self.node is not None:
            with self.node:
                self.node.terminate()

    def ask(self, tex: str, *, display: bool) -> dict[str, str]:
        """Let Node draw a formula, and start it for the first one."""
        if self.node is None or self.owner != os.getpid():
            script = Path(__file__).with_suffix(".mjs")
            self.node = subprocess.Popen(
                [npm.node(), str(script), str(self.katex / "dist"), self.macros],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            self.owner = os.getpid()
        assert self.node.stdin is not None
        assert self.node.stdout is not None
        try:
            self.node.stdin.write(json.dumps({"tex": tex, "display": display}) + "\n")
            self.node.stdin.flush()
            answer: dict[str, str] = json.loads(self.node.stdout.readline())
        except (OSError, ValueError) as error:
            raise ExtensionError("maths: Node stopped while it drew a formula") from error
        return answer

    def draw(self, node: nodes.math | nodes.math_block, tex: str, *, display: bool) -> str:
        """Return a formula as HTML; if it cannot be drawn, report it and return its source."""
        key = (tex, display)
        if key not in self.drawn:
            self.drawn[key] = self.ask(tex, display=display)
        if "html" in self.drawn[key]:
            return self.drawn[key]["html"]
        where, source = get_node_location(node), " ".join(node.astext().split())
        if (where, source) not in self.reported:  # a title is drawn on many pages
            self.reported.add((where, source))
            logger.warning("%s in formula: %s", self.drawn[key]["error"], source, location=where)
        return f"<code>{escape(source)}</code>"

    def plain(self, title: nodes.Node | None) -> str:
        """Return a title with maths as text, where markup would be read as words; else nothing."""
        if title is None or not has_maths(title):
            return ""
        words = title.deepcopy()
        for node in list(words.findall(nodes.math)):
            drawn = BeautifulSoup(self.draw(node, node.astext(), display=False), "html.parser")
            node.replace_self(nodes.Text(formula(drawn.math) if drawn.math else node.astext()))
        return escape(" ".join(words.astext().split()))

    def inline(self, writer: HTML5Translator, node: nodes.math) -> None:
        """Write a formula that stands in a line of text."""
        html = self.draw(node, node.astext(), display=False)
        writer.body.append(writer.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
        writer.body.append(html + "</span>")
        raise nodes.SkipNode

    def display(self, writer: HTML5Translator, node: nodes.math_block) -> None:
        """Write a formula that stands by itself, with its number if it has one."""
        tex = to_katex(node.astext(), nowrap=bool(node.get("nowrap")))
        writer.body.append(writer.starttag(node, "div", CLASS="math notranslate nohighlight"))
        if node.get("number"):
            number = get_node_equation_number(writer, node)
            writer.body.append(f'<span class="eqno">({number})')
            writer.add_permalink_ref(node, _("Link to this equation"))
            writer.body.append("</span>")
        writer.body.append(self.draw(node, tex, display=True) + "</div>\n")
        raise nodes.SkipNode

    def page(
        self, app: Sphinx, name: str, template: str, context: dict[str, Any], tree: Any
    ) -> None:
        """Link the style sheet where maths may show, and keep markup out of plain titles."""
        titles = app.env.titles
        shown = [*titles.values(), tree] if tree else titles.values()  # the sidebar shows titles
        if any(map(has_maths, shown)):
            app.add_css_file("katex/katex.css")
            app.add_js_file(f"katex/{COPY}", loading_method="defer")
        if title := self.plain(app.env.longtitles.get(name)):
            context["title"] = title
        assert isinstance(app.builder, StandaloneHTMLBuilder)
        _parent, *neighbours = app.builder.relations.get(name, [None, None, None])
        for side, other in zip(("prev", "next"), neighbours, strict=True):
            if context.get(side) and (title := self.plain(titles.get(other or ""))):
                context[f"{side}_title"] = context[side]["title"]  # what the theme's link shows
                context[side]["title"] = title


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the renderer to Sphinx; `html_math_renderer = "katex"` chooses it."""
    maths = Maths()
    app.add_config_value("maths_macros", {}, "html", types=(dict,))
    app.add_config_value("maths_cache", npm.CACHE, "", types=(str,))
    app.add_html_math_renderer("katex", (maths.inline, None), (maths.display, None))
    app.connect("builder-inited", maths.begin)
    app.connect("build-finished", maths.end)
    return {"version": VERSION, "parallel_read_safe": True, "parallel_write_safe": True}
