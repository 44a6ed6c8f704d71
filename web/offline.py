"""The whole site as a folder and a zip that open from a disk: _build/nllbook-site.

``python -m web.offline``, after the site was built. The landing page offers the zip, and the PDF of
web/pdf.py, where they are published; elsewhere it says which commands make them.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from web import pdf
from web.source import ROOT

SITE = ROOT / "_build" / "html"
NAME = "nllbook-site"
NOT_FOR_READERS = (".buildinfo*", ".doctrees", "reports", "*webpack-macros.html")
START = """\
Open index.html in a browser. No network is needed.

To run code in the pages, serve this folder from your own machine: in it,

    python -m http.server --bind 127.0.0.1

and open http://127.0.0.1:8000 in the browser.
"""
PUBLISHED = """\
<p><strong>To take along:</strong> <a href="../{pdf}">the whole book as a PDF</a>, or
<a href="../{zip}.zip">the site as a zip</a>: unpack it and open <code>index.html</code>. Served
from your own machine, as the file <code>START.txt</code> in it says, it runs the code too.</p>
"""
LOCAL = """\
<p><strong>To take along:</strong> <code>make pdf</code> prints the whole book, and
<code>make site-offline</code> packs the site into a zip that opens from a disk.</p>
"""


def pack(site: Path, folder: Path, address: str = "") -> Path:
    """Put the site into ``folder/nllbook-site`` and a zip beside it; the zip.

    The same site gives the same bytes. In a zip there is no zip: that link leads to ``address``.
    """
    place, target = folder / NAME, folder / f"{NAME}.zip"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(site, place, ignore=shutil.ignore_patterns(*NOT_FOR_READERS, target.name))
    (place / "START.txt").write_text(START, encoding="utf-8")
    landing = place / "chapters" / "index.html"
    text = landing.read_text(encoding="utf-8")
    landing.write_text(text.replace(f'"../{NAME}.zip"', f'"{address}{NAME}.zip"'), encoding="utf-8")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(place.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target


class TakeAlong(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        text = PUBLISHED if self.config.html_baseurl else LOCAL
        return [nodes.raw("", text.format(pdf=pdf.NAME, zip=NAME), format="html")]


def setup(app: Sphinx) -> None:
    app.add_directive("take-along", TakeAlong)


def main() -> int:
    if not (SITE / "chapters" / "index.html").is_file():
        print("The site is not built: make book", file=sys.stderr)
        return 1
    target = pack(SITE, ROOT / "_build")
    size = target.stat().st_size / 1e6
    print(f"_build/{NAME}/index.html opens from a disk; {target.name}: {size:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
