"""Writes the MyST of a chapter as plain Markdown, which JupyterLab, Colab and GitHub show."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from web import labels
from web.gfm import anchor, details, environment, run_in, table
from web.labels import Book, Label
from web.source import REFERENCES, Chapter, Directive, SourceError, directives

_REMEDY = "write it in plain Markdown, or teach web/plain_markdown.py"
_ADMONITIONS = {
    name: name.capitalize()
    for name in ("note", "tip", "important", "warning", "caution", "attention", "hint")
} | {"seealso": "See also"}
# All that can be written as plain Markdown, and so all that a page with cells may use.
DIRECTIVES = {
    *_ADMONITIONS,
    *(set(labels.KINDS) - {"code-cell"}),
    *("admonition", "bibliography", "code", "code-block", "dropdown", "exercise-end", "image"),
    *("prf:proof", "quiz", "solution-end"),
}
ROLES = {
    *REFERENCES,
    *("abbr", "cite", "cite:p", "cite:t", "doc", "glue:text", "kbd", "math", "sub", "sup", "term"),
}

# What may stand in prose, in one pattern, so that nothing inside code or maths is taken for MyST.
_PROSE = re.compile(
    r"""
      ^[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>[^\n`]*)\n(?s:.*?)^[ \t]*(?P=mark)[ \t]*$
    | ^[ \t]+(?P<indented>:{3,}\{[^}\n]*\})
    | ^(?P<comment>%)[^\n]*(?:\n|\Z)
    | ^\((?P<target>[^()\s]+)\)=[ \t]*$
    | ^(?P<hashes>\#{1,6})[ \t]+(?P<heading>[^\n]+)$
    | ^(?P<term>[^\s:\n][^\n]*)\n:[ \t]+(?=\S)
    | (?P<indent>^[ \t]*)?\$\$(?P<display>(?s:.+?))\$\$(?:[ \t]*\((?P<equation>[^()\s]+)\))?
    | \{(?P<role>[a-z][\w:.-]*)\}(?P<ticks>`+)(?P<content>(?:[^\n]|\n(?!\n))+?)(?P=ticks)
    | (?P<code>`+)(?:[^\n]|\n(?!\n))+?(?<!`)(?P=code)(?!`)
    | (?P<bang>!?)\[(?P<text>(?:`[^`\n]*`|\$[^$\n]*\$|[^\[\]`$\n]|\n(?!\n))*)\]
      \((?P<url>[^()\s]+)(?P<title>[ ]"[^"\n]*")?\)(?:\{[^}\n]*\})?
    """,
    re.MULTILINE | re.VERBOSE,
)
_TEXT_AND_TARGET = re.compile(r"(?P<text>.+?)\s*<(?P<target>[^<>]+)>", re.DOTALL)
_CITATION = re.compile(r"(?:\{(?P<before>[^}]*)\})?(?P<key>[^{},]+)(?:\{(?P<after>[^}]*)\})?")


class Writer:
    """Writes the text of one chapter.

    ``glue`` holds what the chapter's cells emitted for the prose, by name.
    """

    def __init__(self, book: Book, chapter: Chapter, glue: Mapping[str, str]) -> None:
        self.book = book
        self.chapter = chapter
        self.glue = glue
        self.solution = ""  # the heading of the solution that is open, if any

    def write(self, text: str, first: int) -> str:
        """Plain Markdown for a piece of the chapter that begins on line ``first``.

        The text of a solution that holds code cells is folded piece by piece; while ``solution``
        is not empty, the cells between belong to it.
        """
        lines = text.split("\n")
        parts: list[str] = []
        folded: list[str] = []  # what of the solution stands in this piece
        heading = f"{self.solution}, continued"
        at = first
        for directive in directives(self.chapter.path, text, first):
            if directive.inside:
                continue
            between = self._prose("\n".join(lines[at - first : directive.line - first]), at)
            (folded if self.solution else parts).append(between)
            at = directive.end_line + 1
            if directive.name == "solution-start":
                heading = self.solution = self._solution(directive)
            elif directive.name == "solution-end":
                parts.append(_fold(heading, folded))
                self.solution = ""
            else:
                (folded if self.solution else parts).append(self._directive(directive))
        (folded if self.solution else parts).append(self._prose("\n".join(lines[at - first :]), at))
        if self.solution:
            parts.append(_fold(heading, folded))
        return _joined(parts)

    def caption(self, kind: str, text: str, line: int) -> str:
        """A caption in italics; it has a number where the book counts what stands on that line."""
        text = " ".join(self._prose(text, line).split())
        place = self.book.places.get((self.chapter.name, line))
        if place and place.number:
            text = f"{kind} {place.number}. {text}"
        return f"<em>{text}</em>" if "*" in text else f"*{text}*"

    # ---- text

    def _prose(self, text: str, line: int) -> str:
        def replace(match: re.Match[str]) -> str:
            return self._piece(match, line + text.count("\n", 0, match.start()))

        return _PROSE.sub(replace, text)

    def _piece(self, match: re.Match[str], line: int) -> str:
        if (match["mark"] and match["info"].startswith("{")) or match["indented"]:
            name = (match["indented"] or match["info"]).strip(":")
            raise self._error(line, f"the directive {name} is indented: start it in column 1")
        if match["mark"] or match["code"]:
            return match[0]
        if match["comment"]:
            return ""
        if match["target"]:
            return anchor(match["target"]) + "\n"
        if match["heading"]:
            return self._heading(match["hashes"], match["heading"], line)
        if match["term"]:  # of a definition list, which GitHub's Markdown does not have
            return f"- **{self._prose(match['term'], line)}**: "
        if match["display"]:
            if match["indent"] is None and not match["equation"]:
                return match[0]  # in the middle of a line
            return self._display(match["display"], match["equation"], match["indent"] or "", line)
        if match["role"]:
            return self._role(match["role"], match["content"], line)
        return self._link(match, line)

    def _heading(self, hashes: str, heading: str, line: int) -> str:
        place = self.book.places.get((self.chapter.name, line))
        slug = place.name if place else ""
        linked = (self.chapter.name, slug) in self.book.linked and slug not in self.book.labels
        return (anchor(slug) + "\n\n" if linked else "") + f"{hashes} {self._prose(heading, line)}"

    def _display(self, maths: str, name: str | None, indent: str, line: int) -> str:
        maths = environment(maths.strip())
        before = ""
        if name:
            before = f"{indent}{anchor(name)}\n"
            maths += f" \\tag{{{self._label(name, line).number}}}"
        return f"{before}{indent}$$\n{indent}{maths}\n{indent}$$"

    def _link(self, match: re.Match[str], line: int) -> str:
        url, name = self._address(match["url"], line)
        text = self._prose(match["text"], line)
        if not text and not match["bang"]:
            text = name or url
        return f"{match['bang']}[{text}]({url}{match['title'] or ''})"

    def _address(self, url: str, line: int) -> tuple[str, str]:
        """A link's address as seen from the notebook, and the name of what it leads to."""
        if re.match(r"[a-z][a-z0-9+.-]*:|//", url):
            return url, ""
        if url in self.book.labels:
            url = f"#{url}"
        path, _, fragment = url.partition("#")
        page = self.book.page(path) if path.endswith(".md") else None if path else self.chapter
        if page is None:  # an image or another file of the repository
            base = ".." if path.startswith("/") else "../chapters/"
            return posixpath.normpath(base + path) + url[len(path) :], ""
        if not fragment:
            return self._page_address(page), self._prose(page.title, line)
        label = self.book.labels.get(fragment) or self.book.headings.get((page.name, fragment))
        if label is None:
            raise self._error(line, f"no page has the label {fragment!r}: mend the link {url}")
        return self._label_address(label), self._prose(label.text, line)

    def _page_address(self, page: Chapter) -> str:
        """A page that has no notebook is linked to as a file of the repository."""
        return f"{page.name}.ipynb" if page.cells else f"../chapters/{page.name}.md"

    def _label_address(self, label: Label) -> str:
        here = label.page.name == self.chapter.name
        return ("" if here else self._page_address(label.page)) + f"#{label.name}"

    # ---- roles

    def _role(self, name: str, content: str, line: int) -> str:
        match = _TEXT_AND_TARGET.fullmatch(content)
        text, target = (match["text"], match["target"]) if match else ("", content)
        if name in REFERENCES:
            return self._reference(name, text, target, line)
        if name == "doc":
            url, page_title = self._address(f"{target}.md", line)
            return f"[{text or page_title}]({url})"
        if name in ("cite", "cite:p", "cite:t"):
            return self._cite(content, name == "cite:t", line)
        if name == "glue:text":
            if content not in self.glue:
                raise self._error(line, f"no cell emits glue({content!r}, …): add it to a cell")
            return self.glue[content]
        if name == "term":
            return text or content
        if name == "math":
            return f"${content}$"
        if name in ("kbd", "sub", "sup"):
            return f"<{name}>{content}</{name}>"
        if name == "abbr" and content.endswith(")"):
            short, _, long = content[:-1].partition(" (")
            return f'<abbr title="{long}">{short}</abbr>'
        raise self._error(line, f"{{{name}}} is a role that notebooks cannot show: {_REMEDY}")

    def _reference(self, name: str, text: str, target: str, line: int) -> str:
        label = self._label(target, line)
        if "%s" in text or "{number}" in text or "{name}" in text:
            text = text.replace("%s", "{number}").replace("{number}", label.number)
            text = text.replace("{name}", label.title)
        text = text or label.text
        if not text:
            raise self._error(line, f"{target!r} has no title: write {{{name}}}`text <{target}>`")
        return f"[{self._prose(text, line)}]({self._label_address(label)})"

    def _cite(self, content: str, in_text: bool, line: int) -> str:
        cited = []
        for match in _CITATION.finditer(content):
            key = match["key"].strip()
            if key not in self.book.references:
                place = self.book.references_file.name
                raise self._error(line, f"{place} has no entry {key!r}: add it or mend the key")
            entry = self.book.references[key]
            author, year = labels.cite(entry)
            before, after = match["before"] or "", match["after"] or ""
            year = f"{year}, {after}" if after else year
            text = f"{author} ({year})" if in_text else f"{author} {year}"
            url = labels.address(entry)
            cited.append(f"{before} ".lstrip() + (f"[{text}]({url})" if url else text))
        return "; ".join(cited) if in_text else f"({'; '.join(cited)})"

    # ---- directives

    def _directive(self, directive: Directive) -> str:
        name = directive.name
        if name in ("math", "code-block", "code", "figure", "image", "table", "list-table"):
            return self._block(directive)
        if name == "quiz":
            return self._quiz(directive)
        if name == "bibliography":
            return self._bibliography()
        if name == "exercise-end":
            return ""
        body = self._body(directive)
        title = self._prose(directive.argument, directive.line)
        before = _own_anchor(directive)
        if name == "prf:proof":
            end = " ∎" if re.search(r"[\w.,;:!?)$*]\Z(?<!\$\$)", body) else "\n\n∎"
            return run_in(f"{before}*Proof{f' ({title})' if title else ''}.*", body) + end
        if name == "solution":
            return details(before, self._solution(directive), body)
        if name in labels.KINDS:
            return self._statement(directive, before, title, body)
        if name == "dropdown":
            return details(before, title, body)
        if name in _ADMONITIONS:
            body = f"{title}\n\n{body}"  # docutils takes what stands on the first line as text
            return self._admonition(directive, before, _ADMONITIONS[name], body)
        if name == "admonition":
            return self._admonition(directive, before, title, body)
        raise self._error(
            directive.line, f"{{{name}}} is a directive that notebooks cannot show: {_REMEDY}"
        )

    def _solution(self, directive: Directive) -> str:
        exercise = self._label(directive.argument, directive.line)
        return f"Solution to {self._prose(exercise.text, directive.line)}"

    def _statement(self, directive: Directive, before: str, title: str, body: str) -> str:
        place = self.book.places[self.chapter.name, directive.line]
        number = f" {place.number}" if place.number else ""
        heading = f"{before}**{place.kind}{number}{f' ({title})' if title else ''}.**"
        return run_in(heading, body)

    def _admonition(self, directive: Directive, before: str, title: str, body: str) -> str:
        if "dropdown" in directive.options.get("class", ""):
            return details(before, title, body)
        heading = f"{before}**{title}{'' if title[-1:] in '.?!:' else '.'}**"
        # no `>` before each line: JupyterLab and Colab would take it into the displayed maths
        return f"<blockquote>\n\n{run_in(heading, body.strip())}\n\n</blockquote>"

    def _block(self, directive: Directive) -> str:
        line = directive.line
        before = _own_anchor(directive)
        if directive.name == "math":
            maths = f"{directive.argument}\n{directive.body}"
            return self._display(maths, directive.options.get("label"), "", line)
        if directive.name in ("code-block", "code"):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", directive.body)), default=0))
            return f"{fence}{directive.argument}\n{directive.body}\n{fence}"
        if directive.name in ("figure", "image"):
            alt = directive.options.get("alt", "")
            url, _ = self._address(directive.argument, line)
            caption, _, legend = directive.body.strip().partition("\n\n")
            shown = self.caption("Fig.", caption, line) if caption else ""
            rest = self._prose(legend, directive.body_line)
            return "\n\n".join(filter(None, [f"{before}![{alt}]({url})", shown, rest]))
        caption = self.caption("Table", directive.argument, line) if directive.argument else ""
        write = self._list_table if directive.name == "list-table" else self._body
        return "\n\n".join(filter(None, [before + caption, write(directive)]))

    def _body(self, directive: Directive) -> str:
        return self.write(directive.body, directive.body_line)

    def _list_table(self, directive: Directive) -> str:
        rows: list[list[str]] = []
        for number, line in enumerate(directive.body.split("\n"), directive.body_line):
            if match := re.match(r"(?:[*-] +|  )[*-](?: +(.*)|$)", line):
                if line[0] in "*-":
                    rows.append([])
                rows[-1].append(match[1] or "")
            elif line.strip() and not (rows and line.startswith("    ")):
                raise self._error(number, "no cell of a list-table: begin it with `* - ` or `  - `")
            elif line.strip():
                rows[-1][-1] += " " + line.strip()
        cells = [[self._prose(cell, directive.line) for cell in row] for row in rows]
        return table(cells, has_header=bool(int(directive.options.get("header-rows", 0))))

    def _quiz(self, directive: Directive) -> str:
        line, belief = directive.line, self.book.beliefs.get(directive.argument)
        if belief is None or belief.quiz is None:
            place = self.book.beliefs_file.name
            raise self._error(line, f"{place} has no quiz {directive.argument!r}: add it there")
        see = f" See {self._reference('prf:ref', '', belief.claim, line)}."
        start = f"{anchor(f'quiz-{belief.id}')}**Quiz.** "
        parts = [start + self.write(belief.quiz.question, line)]
        for option in belief.quiz.options:
            why = f"{option.verdict} {self.write(option.why, line)}{see}"
            parts.append(details("", self._prose(option.text, line), why))
        return "\n\n".join(parts)

    def _bibliography(self) -> str:
        contents = [role.content for role in self.chapter.roles if role.name.startswith("cite")]
        keys = {m["key"].strip() for content in contents for m in _CITATION.finditer(content)}
        entries = self.book.references
        return labels.bibliography([entries[key] for key in keys if key in entries])

    def _label(self, name: str, line: int) -> Label:
        if name not in self.book.labels:
            raise self._error(line, f"nothing in the book has the label {name!r}: mend it")
        return self.book.labels[name]

    def _error(self, line: int, message: str) -> SourceError:
        return SourceError(*self.chapter.origin(line), message)


def _joined(parts: list[str]) -> str:
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())


def _fold(heading: str, parts: list[str]) -> str:
    body = _joined(parts)
    return details("", heading, body) if body else ""


def _own_anchor(directive: Directive) -> str:
    label = directive.options.get("label") or directive.options.get("name")
    return anchor(label) if label else ""
