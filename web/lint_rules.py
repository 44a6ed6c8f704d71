"""The rules of web.lint about structure, one function each; its table says what they demand."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from web import beliefs
from web.beliefs import nearest
from web.cells import calls, imports, syntax_error
from web.labels import Book
from web.source import FOLDED, ROOT, Chapter, Directive, SourceError, figure_options, mapping, tags

MIN_ALT = 30  # characters; less can hardly say what a figure shows
MAX_LINES = 15  # of a cell, as shown
# Sections that no objective leads to: sec-question, sec-summary-likelihood and so on.
FRAME = re.compile(r"sec-(question|further|exercises|elsewhere|summary)(-.+)?")
FIGURE_PARTS = ("name", "caption", "alt")

_INDENTED = re.compile(r"^[ \t>]+(?:`{3,}|:{3,})\{(?P<name>[^}\s]+)\}", re.MULTILINE)
_PLOTS = re.compile(r"\bplotting\.figure\(|\bplt\.")
_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(")
_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d+[.)])[ \t]+", re.MULTILINE)
_NAME = r"""(?:-\s+)?["']?(?:nllbook|nllgrade)(?:\[[\w,]*\])?(?:[=<>~!]=?[\w.*,=<>~!]*)?["']?"""
_END = r"(?=\\n|[\s`\"',;)&|]|\.?$)(?!\s*@)"
_INSTALL = re.compile(
    rf"\b(?:pip[\d.]*|uv|pipx|conda|mamba|poetry)(?:\s+pip)?\s+(?:install|add)"
    rf"(?:[ \t]+[-\w./=<>:\[\]~\"']+)*?[ \t]+{_NAME}{_END}"
)
_REQUIREMENT = re.compile(rf"^\s*{_NAME}\s*(?:$|[;#])")


@dataclass(frozen=True)
class Finding:
    """A mistake: where, what is wrong and what to do, and the rule that found it."""

    path: Path
    line: int
    message: str
    rule: str = ""

    def __str__(self) -> str:
        place = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        return f"{place}:{self.line}: {self.message} [{self.rule}]"


def finding(page: Chapter, line: int, wrong: str, remedy: str) -> Finding:
    return Finding(*page.origin(line), f"{wrong}: {remedy}")


def readable_beliefs(book: Book) -> dict[str, beliefs.Belief] | None:
    """None where they cannot be read, which valid_beliefs reports."""
    try:
        return book.beliefs
    except SourceError:
        return None


# ---- directives, roles and cells


def indented_directives(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for match, line in page.find(_INDENTED):
            wrong = f"the directive {match['name']} is indented, and nothing here sees it"
            yield finding(page, line, wrong, "start it in column 1")


def nested_cells(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            if cell.inside:
                wrong = f"a code cell inside {cell.inside[-1]} is never executed"
                yield finding(page, cell.line, wrong, "move it out, or use exercise-start and -end")


def python_cells(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            if error := syntax_error(cell):
                line = cell.body_line + (error.lineno or 1) - 1
                yield finding(page, line, f"the cell is no Python ({error.msg})", "mend it")


def long_cells(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            length = len(cell.body.strip("\n").split("\n"))
            if length > MAX_LINES and not tags(cell) & FOLDED:
                wrong = f"the cell shows {length} lines, more than {MAX_LINES}"
                yield finding(
                    page, cell.line, wrong, "split it, or fold it with the tag hide-input"
                )


def _names(module: str) -> Collection[str] | None:
    """What can be imported from a module, or None where there is no such module."""
    try:
        return vars(import_module(module)).keys()
    except ModuleNotFoundError as error:
        if not error.name or error.name.partition(".")[0] == module.partition(".")[0]:
            return None
    spec = find_spec(module)  # it is there, but needs a package that is not: read it
    tree = ast.parse(Path(spec.origin or "").read_text("utf-8")) if spec else ast.Module([], [])
    lines = [one for one in tree.body if isinstance(one, ast.ImportFrom)]
    return {one.asname or one.name for line in lines for one in line.names}


def known_imports(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for module, name, line in imports(page, "nllbook"):
            known = _names(module)
            if known is None:
                yield finding(page, line, f"there is no module {module}", "correct the import")
            elif name not in known:
                wrong = f"{module} has no {name!r}{nearest(name, known)}"
                yield finding(page, line, wrong, "correct the import")


def runnable_pages(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        header = page.front_matter
        representation = mapping(mapping(header.get("jupytext")).get("text_representation"))
        missing = [] if representation.get("format_name") == "myst" else ["jupytext"]
        missing += [] if header.get("kernelspec") else ["kernelspec"]
        if page.cells and missing:
            wrong = (
                f"a page with code cells, but its front matter has no {' and no '.join(missing)}"
            )
            yield finding(page, 1, wrong, "copy the front matter of chapters/likelihood.md")


def listed_pages(book: Book) -> Iterator[Finding]:
    listed = {page.path for page in book.pages}
    for folder in sorted({path.parent for path in listed}):
        for path in sorted(folder.glob("*.md")):
            if path not in listed and path.name != "README.md":
                wrong = "this page is missing from _toc.yml, so the book does not have it"
                yield Finding(path, 1, f"{wrong}: add it there, or delete the file")


# ---- labels and references


def unique_labels(book: Book) -> Iterator[Finding]:
    seen: dict[str, tuple[Chapter, int]] = {}
    claims = {place for places in book.claims.values() for place in places}
    for page in book.pages:
        for label, line in sorted(page.labels, key=lambda pair: pair[1]):
            first, where = seen.setdefault(label.lower(), (page, line))
            both_claims = {(first, where), (page, line)} <= claims
            if (first, where) != (page, line) and not both_claims:
                wrong = f"the label {label!r} stands in {first.path.name}:{where} too"
                yield finding(page, line, wrong, "rename one")


def known_references(book: Book) -> Iterator[Finding]:
    for page in book.texts:
        for one in page.references:
            slug = (one.page or page.name, one.target)
            if one.target in book.labels or (one.how == "the link" and slug in book.headings):
                continue
            wrong = f"{one.how} leads to {one.target!r}, which is no label of the book"
            hint = nearest(one.target, book.labels)
            yield finding(page, one.line, wrong + hint, "correct it, or add the label")
        for role in page.roles:
            term = re.sub(r".*<(.+)>", r"\1", role.content).replace("’", "'")
            if role.name == "term" and term not in book.terms:
                wrong = f"the glossary has no term {term!r}{nearest(term, book.terms)}"
                yield finding(page, role.line, wrong, "correct it, or add its entry")


# ---- figures


def described_figures(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            parts = figure_options(cell.options)
            missing = [part for part in FIGURE_PARTS if not parts.get(part)]
            if _PLOTS.search(cell.body) and missing:
                wrong = f"the figure of this cell has no {' and no '.join(missing)}"
                yield finding(
                    page, cell.line, wrong, "write mystnb: figure: name, caption, image: alt"
                )
        for one in page.named("figure"):
            named = {"name": one.label, "caption": one.body.strip()}
            if missing := [part for part in named if not named[part]]:
                wrong = f"this figure has no {' and no '.join(missing)}"
                yield finding(page, one.line, wrong, "write :name:, and the caption as its text")
        for line, alt, _ in _pictures(page):
            if not alt:
                yield finding(page, line, "the picture has no alt text", "say what it shows")


def telling_alts(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        cells = [(cell.line, figure_options(cell.options)) for cell in page.cells]
        drawn = [(line, parts["alt"], parts.get("caption")) for line, parts in cells]
        for line, alt, caption in [*drawn, *_pictures(page)]:
            words, said = " ".join((alt or "").split()), " ".join((caption or "").split())
            remedy = "say what the figure shows to someone who cannot see it"
            if words and words == said:
                yield finding(page, line, "the alt text repeats the caption", remedy)
            elif 0 < len(words) < MIN_ALT:
                wrong = f"the alt text has {len(words)} characters, fewer than {MIN_ALT}"
                yield finding(page, line, wrong, remedy)


def shown_figures(book: Book) -> Iterator[Finding]:
    shown = {one.target for page in book.texts for one in page.references if one.how == "{numref}"}
    for page in book.pages:
        for one in page.directives:
            name = one.label if one.name in ("code-cell", "figure") else ""
            if name and name not in shown:
                wrong = f"no text sends the reader to the figure {name!r} by its number"
                yield finding(page, one.line, wrong, f"write {{numref}}`{name}` where it is meant")


def _pictures(page: Chapter) -> Iterator[tuple[int, str, str]]:
    """Line, alt text and caption of the pictures that no cell draws."""
    for one in page.named("figure", "image"):
        yield one.line, one.options.get("alt", ""), one.body
    for match, line in page.find(_IMAGE):
        yield line, match["alt"].strip(), ""


# ---- claims


def stated_claims(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for one in page.statements:
            if not one.options.get("label"):
                wrong = f"this {one.name} has no label"
                yield finding(page, one.line, wrong, "add the claim's id, or make it a prf:remark")
    for claim, ((first, where), *others) in book.claims.items():
        for page, line in others:
            wrong = f"the claim {claim!r} is stated in {first.path.name}:{where} too"
            yield finding(page, line, wrong, "keep one statement and refer to it by prf:ref")


def checked_claims(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for call in calls(page, "check"):
            if call.argument is None:
                yield finding(page, call.line, "the claim's id is no plain string", "write it out")
            elif call.argument not in book.claims:
                wrong = f"no claim {call.argument!r} is stated{nearest(call.argument, book.claims)}"
                remedy = "correct the id, or state it in a prf:proposition with that label"
                yield finding(page, call.line, wrong, remedy)
        checked = {call.argument for call in calls(page, "check")}
        for one in page.statements:
            claim = one.options.get("label")
            if claim and claim not in checked:
                wrong = f"no cell of this page checks the claim {claim!r}"
                yield finding(page, one.line, wrong, f'add check("{claim}", …) to a cell')


# ---- exercises, objectives, quizzes


def solved_exercises(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        exercises = page.named("exercise", "exercise-start")
        solutions = page.named("solution", "solution-start")
        asked = {one.options.get("label") for one in exercises}
        solved = {one.argument for one in solutions}
        for one in exercises:
            if one.options.get("label") not in solved:
                wrong = (
                    f"the exercise {one.options.get('label', 'without a label')} has no solution"
                )
                yield finding(page, one.line, wrong, "write a solution with its label")
        for one in solutions:
            if one.argument not in asked:
                wrong = f"a solution to {one.argument!r}, which is no exercise of this page"
                yield finding(page, one.line, wrong, "correct the label, or write the exercise")


def folded_solutions(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for one in page.named("solution", "solution-start"):
            if "dropdown" not in one.options.get("class", "").split():
                yield finding(page, one.line, "the solution is not folded", "add :class: dropdown")


def objectives(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        sections = {label for section in page.sections for label in section.labels}
        boxes = [one for one in page.named("admonition") if _is_objectives(one)]
        promised: set[str] = set()
        for box in boxes:
            for line, end in _items(box):
                targets = {one.target for one in page.references if line <= one.line < end}
                promised |= targets
                if not targets or not targets <= sections:
                    wrong = "the objective links to no section of this page"
                    yield finding(page, line, wrong, "link it to the (sec-…)= label of its section")
        for section in page.sections if page.number else ():  # a reference page has no objectives
            core = [one for one in section.labels if _is_core(one)]
            if section.level == 2 and core and not promised & set(core):
                wrong = f"no objective leads to the section {core[0]!r}"
                yield finding(page, section.line, wrong, "add one to the admonition `objectives`")


def _is_objectives(box: Directive) -> bool:
    return "objectives" in box.options.get("class", "").split()


def _is_core(label: str) -> bool:
    return label.startswith("sec-") and not FRAME.fullmatch(label)


def _items(box: Directive) -> Iterator[tuple[int, int]]:
    """The first line of each item of a list, and the line after its last one."""
    starts = [
        box.body_line + box.body.count("\n", 0, match.start()) for match in _ITEM.finditer(box.body)
    ]
    yield from zip(starts, [*starts[1:], box.end_line], strict=True)


def valid_beliefs(book: Book) -> Iterator[Finding]:
    if not book.beliefs_file.exists():
        return
    try:
        found = beliefs.load(book.beliefs_file, book.claims)
    except SourceError as error:
        yield Finding(error.path, error.line, error.message)
        return
    pages = [page.name for page in book.pages]
    for belief in found.values():
        if belief.chapter not in pages:
            wrong = f"there is no chapter {belief.chapter!r}{nearest(belief.chapter, pages)}"
            yield Finding(book.beliefs_file, belief.line, f"{wrong}: name the file, without .md")


def shown_quizzes(book: Book) -> Iterator[Finding]:
    shown: Counter[str] = Counter()
    known = readable_beliefs(book)
    for page in book.pages:
        for one in page.named("quiz"):
            shown[one.argument] += 1
            if shown[one.argument] == 2:
                yield finding(page, one.line, f"the quiz {one.argument!r} comes twice", "drop one")
            if known is None:
                continue
            if problem := beliefs.misplaced(known, one.argument, page.name):
                yield Finding(*page.origin(one.line), problem)

    for belief in (readable_beliefs(book) or {}).values():
        home = book.page(belief.chapter)
        if home and belief.quiz and belief.id not in {one.argument for one in home.named("quiz")}:
            wrong = f"{home.path.name} does not show the quiz {belief.id!r}"
            remedy = "show it by the directive quiz there, or drop it here"
            yield Finding(book.beliefs_file, belief.line, f"{wrong}: {remedy}")


# ---- other files


def bare_installs(book: Book) -> Iterator[Finding]:
    for path in book.files:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
        is_list = path.name.startswith(("requirements", "environment"))
        for number, line in enumerate(lines, 1):
            if _INSTALL.search(line) or (is_list and _REQUIREMENT.match(line)):
                wrong = "this installs by a name that is not ours on any index"
                yield Finding(
                    path, number, f"{wrong}: install from the checkout, or a wheel by hash"
                )
