"""Where the book is published, and the buttons of a chapter: Colab, Binder, its notebook.

The addresses are those in _config.yml, unless NLLBOOK_REPOSITORY and NLLBOOK_SITE name others, as
`python -m web.publish` does. Where they are not known, no page has a button.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from web import source

REPOSITORY, SITE = "NLLBOOK_REPOSITORY", "NLLBOOK_SITE"  # the environment variables
BRANCH = "published"  # made by the workflow: the notebooks, the wheel, Binder's environment
FOLDER = "notebooks"  # in that branch and on the site
STYLE = "launch.css"
_GITHUB = re.compile(r"https://github\.com/(?P<name>[\w.-]+/[\w.-]+)")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class AddressError(Exception):
    """Says, in one line, what is wrong with an address."""


@dataclass(frozen=True)
class Addresses:
    """The repository's, and the site's with a slash at its end; empty where not known."""

    repository: str = ""
    site: str = ""

    @property
    def github(self) -> str:
        """OWNER/NAME, which is all that Colab and Binder need to know; empty for other hosts."""
        match = _GITHUB.fullmatch(self.repository)
        return match["name"] if match else ""

    def colab(self, chapter: str) -> str:
        path = f"{self.github}/blob/{BRANCH}/{FOLDER}/{chapter}.ipynb"
        return f"https://colab.research.google.com/github/{path}"

    def binder(self, chapter: str) -> str:
        path = f"{self.github}/{BRANCH}?urlpath=lab/tree/{FOLDER}/{chapter}.ipynb"
        return f"https://mybinder.org/v2/gh/{path}"


def addresses(repository: str = "", site: str = "") -> Addresses:
    """The addresses in one form, however they are written."""
    repository = repository.strip().rstrip("/").removesuffix(".git")
    if match := re.fullmatch(r"(?:ssh://)?git@([\w.-]+)[:/](.+)", repository):  # as git clones it
        repository = f"https://{match[1]}/{match[2]}"
    if repository and not re.fullmatch(r"https://[\w.-]+(:\d+)?(/[\w.-]+)+", repository):
        raise AddressError(f"{repository!r} is no repository: give https://github.com/OWNER/NAME")
    site = site.strip()
    if site:
        parts = urlsplit(site)
        secure = parts.scheme == "https" or parts.hostname in _LOOPBACK
        plain = re.fullmatch(r"https?://[\w.:\[\]-]+(/[\w.~%-]*)*", site)
        if not (secure and plain):
            raise AddressError(f"{site!r} is no site: give https://OWNER.github.io/NAME/")
        site = site.rstrip("/") + "/"
    return Addresses(repository, site)


def known(repository: str = "", site: str = "") -> Addresses:
    """The addresses in the environment; where there are none, those given."""
    return addresses(os.environ.get(REPOSITORY) or repository, os.environ.get(SITE) or site)


def _fill(app: Sphinx, config: Config) -> None:
    """Tell Sphinx and the theme the addresses: all pages are written anew when they change."""
    try:
        found = known(config.html_theme_options.get("repository_url", ""), config.html_baseurl)
    except AddressError as error:
        raise ConfigError(str(error)) from None
    config.html_theme_options["repository_url"] = found.repository if found.github else ""
    config.html_baseurl = found.site
    if found.site:
        app.add_css_file(STYLE)


def _buttons(found: Addresses, chapter: str, download: str) -> list[dict[str, str]]:
    def button(name: str, url: str, words: str, tooltip: str) -> dict[str, str]:
        text = f'<span class="visually-hidden">{words} </span>{name}'
        label = f"launch-{name.lower()}"
        return {"type": "link", "url": url, "text": text, "tooltip": tooltip, "label": label}

    run = "Run this chapter in"
    services = [
        button("Colab", found.colab(chapter), run, "Opens colab.research.google.com"),
        button("Binder", found.binder(chapter), run, "Opens mybinder.org, which may take minutes"),
    ]
    tooltip = "The chapter as a Jupyter notebook"
    file = button("Notebook", download, "Download this chapter as a", tooltip)
    return [*(services if found.github else []), file]


def _add_buttons(
    app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    """Links that a reader may follow; the page itself asks those hosts for nothing."""
    found = addresses(app.config.html_theme_options["repository_url"], app.config.html_baseurl)
    chapter = page.rpartition("/")[2]
    if found.site and tree is not None and chapter in app.config.notebook_names:
        download = context["pathto"](f"{FOLDER}/{chapter}.ipynb", resource=True)
        context["header_buttons"] += _buttons(found, chapter, download)


def _name_notebooks(app: Sphinx, config: Config) -> None:
    config.notebook_names = sorted(page.name for page in source.pages() if page.cells)


def setup(app: Sphinx) -> None:
    app.add_config_value("notebook_names", [], "html", types=(list,))
    app.connect("config-inited", _fill, priority=2)
    app.connect("config-inited", _name_notebooks)
    app.connect("html-page-context", _add_buttons, priority=900)  # after the theme's own
