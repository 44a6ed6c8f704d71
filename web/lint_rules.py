"""The rules of web.lint, one function each; its table says what they demand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from web import beliefs, labels
from web.beliefs import nearest
from web.lint_book import Book, Finding, Page, syntax_error, tags
from web.source import Directive, SourceError

MIN_ALT = 30  # characters; less can hardly say what a figure shows
MAX_LINES = 15  # of a cell, as shown
HIDDEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
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


# ---- directives, roles and cells


def indented_directives(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for match, line in page.find(_INDENTED):
            wrong = f"the directive {match['name']} is indented, and nothing here sees it"
            yield page.finding(line, wrong, "start it in column 1")


def nested_cells(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            if cell.inside:
                wrong = f"a code cell inside {cell.inside[-1]} is never executed"
                yield page.finding(cell.line, wrong, "move it out, or use exercise-start and -end")


def python_cells(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            if error := syntax_error(cell):
                line = cell.body_line + (error.lineno or 1) - 1
                yield page.finding(line, f"the cell is no Python ({error.msg})", "mend it")


def long_cells(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            length = len(cell.body.strip("\n").split("\n"))
            if length > MAX_LINES and not tags(cell) & HIDDEN:
                wrong = f"the cell shows {length} lines, more than {MAX_LINES}"
                yield page.finding(cell.line, wrong, "split it, or fold it with the tag hide-input")


# ---- labels and references


def unique_labels(book: Book) -> Iterator[Finding]:
    seen: dict[str, tuple[Page, int]] = {}
    claims = {place for places in book.claims.values() for place in places}
    for page in book.pages:
        for label, line in sorted(page.labels, key=lambda pair: pair[1]):
            first, where = seen.setdefault(label.lower(), (page, line))
            both_claims = {(first, where), (page, line)} <= claims
            if (first, where) != (page, line) and not both_claims:
                wrong = f"the label {label!r} stands in {first.path.name}:{where} too"
                yield page.finding(line, wrong, "rename one")


def known_references(book: Book) -> Iterator[Finding]:
    for page in book.texts:
        for one in page.references:
            slug = (one.page or page.name, one.target)
            if one.target in book.labels or (one.how == "the link" and slug in book.headings):
                continue
            wrong = f"{one.how} leads to {one.target!r}, which is no label of the book"
            hint = nearest(one.target, book.labels)
            yield page.finding(one.line, wrong + hint, "correct it, or add the label")


# ---- figures


def described_figures(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for cell in page.cells:
            parts = labels.figure_options(cell.options)
            missing = [part for part in FIGURE_PARTS if not parts.get(part)]
            if _PLOTS.search(cell.body) and missing:
                wrong = f"the figure of this cell has no {' and no '.join(missing)}"
                yield page.finding(
                    cell.line, wrong, "write mystnb: figure: name, caption, image: alt"
                )
        for line, alt, _ in _pictures(page):
            if not alt:
                yield page.finding(line, "the picture has no alt text", "say what it shows")


def telling_alts(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        cells = [(cell.line, labels.figure_options(cell.options)) for cell in page.cells]
        drawn = [(line, parts["alt"], parts.get("caption")) for line, parts in cells]
        for line, alt, caption in [*drawn, *_pictures(page)]:
            words, said = " ".join((alt or "").split()), " ".join((caption or "").split())
            remedy = "say what the figure shows to someone who cannot see it"
            if words and words == said:
                yield page.finding(line, "the alt text repeats the caption", remedy)
            elif 0 < len(words) < MIN_ALT:
                wrong = f"the alt text has {len(words)} characters, fewer than {MIN_ALT}"
                yield page.finding(line, wrong, remedy)


def _pictures(page: Page) -> Iterator[tuple[int, str, str]]:
    """Line, alt text and caption of the pictures that no cell draws."""
    for one in page.named("figure", "image"):
        yield one.line, one.options.get("alt", ""), one.body
    for match, line in page.find(_IMAGE):
        yield line, match["alt"].strip(), ""


# ---- claims


def labelled_claims(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for one in page.statements:
            if not one.options.get("label"):
                wrong = f"this {one.name} has no label"
                yield page.finding(one.line, wrong, "add the claim's id, or make it a prf:remark")


def claims_once(book: Book) -> Iterator[Finding]:
    for claim, ((first, where), *others) in book.claims.items():
        for page, line in others:
            wrong = f"the claim {claim!r} is stated in {first.path.name}:{where} too"
            yield page.finding(line, wrong, "keep one statement and refer to it by prf:ref")


def known_claims(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for call in page.calls("check"):
            if call.argument is None:
                yield page.finding(call.line, "the claim's id is no plain string", "write it out")
            elif call.argument not in book.claims:
                wrong = f"no claim {call.argument!r} is stated{nearest(call.argument, book.claims)}"
                remedy = "correct the id, or state it in a prf:proposition with that label"
                yield page.finding(call.line, wrong, remedy)


def checked_claims(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        checked = {call.argument for call in page.calls("check")}
        for one in page.statements:
            claim = one.options.get("label")
            if claim and claim not in checked:
                wrong = f"no cell of this page checks the claim {claim!r}"
                yield page.finding(one.line, wrong, f'add check("{claim}", …) to a cell')


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
                yield page.finding(one.line, wrong, "write a solution with its label")
        for one in solutions:
            if one.argument not in asked:
                wrong = f"a solution to {one.argument!r}, which is no exercise of this page"
                yield page.finding(one.line, wrong, "correct the label, or write the exercise")


def folded_solutions(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for one in page.named("solution", "solution-start"):
            if "dropdown" not in one.options.get("class", "").split():
                yield page.finding(one.line, "the solution is not folded", "add :class: dropdown")


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
                    yield page.finding(line, wrong, "link it to the (sec-…)= label of its section")
        for section in page.sections if page.cells else ():
            core = [one for one in section.labels if _is_core(one)]
            if section.level == 2 and core and not promised & set(core):
                wrong = f"no objective leads to the section {core[0]!r}"
                yield page.finding(section.line, wrong, "add one to the admonition `objectives`")


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
    found = book.beliefs
    if isinstance(found, SourceError):
        yield Finding(found.path, found.line, found.message)
        return
    pages = [page.name for page in book.pages]
    for belief in found.values():
        if belief.chapter not in pages:
            wrong = f"there is no chapter {belief.chapter!r}{nearest(belief.chapter, pages)}"
            yield Finding(book.beliefs_file, belief.line, f"{wrong}: name the file, without .md")


def known_quizzes(book: Book) -> Iterator[Finding]:
    shown: Counter[str] = Counter()
    for page in book.pages:
        for one in page.named("quiz"):
            shown[one.argument] += 1
            if shown[one.argument] == 2:
                yield page.finding(one.line, f"the quiz {one.argument!r} comes twice", "drop one")
            if isinstance(book.beliefs, SourceError):
                continue
            if problem := beliefs.misplaced(book.beliefs, one.argument, page.name):
                yield Finding(page.path, one.line, problem)


# ---- numbers in the prose


def known_glue(book: Book) -> Iterator[Finding]:
    emitted = {(page.name, call.argument) for page in book.pages for call in page.calls("glue")}
    for page in book.pages:
        for call in page.calls("glue"):
            if call.argument is None:
                yield page.finding(call.line, "the name to glue is no plain string", "write it out")
    for chapter, name, page, line in _glue_uses(book):
        if (chapter, name) not in emitted:
            wrong = f"no cell of {chapter}.md glues {name!r}"
            names = [str(known) for place, known in emitted if place == chapter]
            remedy = f'correct the name, or add glue("{name}", …) to a cell'
            yield page.finding(line, wrong + nearest(name, names), remedy)


def used_glue(book: Book) -> Iterator[Finding]:
    used = {(chapter, name) for chapter, name, _, _ in _glue_uses(book)}
    for page in book.pages:
        for call in page.calls("glue"):
            if call.argument and (page.name, call.argument) not in used:
                wrong = f"nothing shows the glued {call.argument!r}"
                yield page.finding(call.line, wrong, "use it by the role glue:text, or drop it")


def _glue_uses(book: Book) -> Iterator[tuple[str, str, Page, int]]:
    """The chapter that must glue it, the name, and where it is used."""
    for page in book.texts:
        for role in page.roles:
            if role.name == "glue:text":
                chapter, separator, name = role.content.rpartition("::")
                home = chapter.removesuffix(".md") if separator else _home(book, page, role.line)
                if home:
                    yield home, name.partition(":")[0], page, role.line


def _home(book: Book, page: Page, line: int) -> str:
    """The page, or the chapter of the belief that stands on this line."""
    if page.path != book.beliefs_file:
        return page.name
    if isinstance(book.beliefs, SourceError):
        return ""
    before = [belief.chapter for belief in book.beliefs.values() if belief.line <= line]
    return before[-1] if before else ""


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
