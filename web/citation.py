"""How to cite the book, made from CITATION.cff: in a sentence, as BibTeX, as schema.org has it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from web.source import ROOT

FILE = ROOT / "CITATION.cff"
KEY = "nllbook"  # of the BibTeX entry


# strftime would name them in the language of the machine.
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


@dataclass(frozen=True)
class Citation:
    """What CITATION.cff says, and the address of the site, where it is known."""

    title: str
    authors: tuple[str, ...]
    version: str
    date: datetime.date
    keywords: tuple[str, ...]
    address: str = ""

    @property
    def sentence(self) -> str:
        """The citation in plain words."""
        day = f"{self.date.day} {MONTHS[self.date.month - 1]} {self.date.year}"
        start = f"{', '.join(self.authors)} ({self.date.year}). "
        end = f" {self.address}" if self.address else ""
        return f"{start}{self.title}. Version {self.version}, {day}.{end}"

    @property
    def bibtex(self) -> str:
        """The same as BibTeX; the braces keep the authors' name in one piece."""
        fields = {
            "author": " and ".join(f"{{{author}}}" for author in self.authors),
            "title": f"{{{self.title}}}",
            "year": str(self.date.year),
            "month": MONTHS[self.date.month - 1][:3].lower(),
            "version": self.version,
            "url": self.address,
        }
        width = max(map(len, fields))
        lines = [
            # a month is a name that BibTeX knows, and so stands without braces
            f"  {name:{width}} = {value if name == 'month' else f'{{{value}}}'},"
            for name, value in fields.items()
            if value
        ]
        return "\n".join([f"@book{{{KEY},", *lines, "}"])

    def as_json(self, description: str, image: str = "") -> dict[str, Any]:
        """The book in the words of schema.org, for those who index pages."""
        licences = ["https://creativecommons.org/licenses/by/4.0/", "https://spdx.org/licenses/MIT"]
        found = {
            "@context": "https://schema.org",
            "@type": ["Book", "LearningResource"],
            "name": self.title,
            "description": description,
            "author": [{"@type": "Organization", "name": author} for author in self.authors],
            "version": self.version,
            "datePublished": self.date.isoformat(),
            "inLanguage": "en",
            "isAccessibleForFree": True,
            "license": licences,
            "keywords": ", ".join(self.keywords),
            "url": self.address,
            "image": image,
        }
        return {name: value for name, value in found.items() if value}


def read(path: Path = FILE, address: str = "") -> Citation:
    """Read CITATION.cff."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Citation(
        title=content["title"],
        authors=tuple(author["name"] for author in content["authors"]),
        version=str(content["version"]),
        date=datetime.date.fromisoformat(str(content["date-released"])),
        keywords=tuple(content["keywords"]),
        address=address,
    )


class CiteDirective(SphinxDirective):
    """Shows the citation as a sentence and as BibTeX, which the theme gives a button to copy."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(FILE))
        citation = read(address=self.config.html_baseurl)
        sentence = nodes.paragraph("", citation.sentence, classes=["citation"])
        bibtex = nodes.literal_block("", citation.bibtex, language="bibtex")
        self.set_source_info(bibtex)
        return [sentence, bibtex]
