"""Checks the book's source, without executing or building it: `python -m web.lint`.

One line a finding: file, line, what is wrong, what to do, the rule. There is no way to switch a
rule off for a line: change the text, or the rule.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from web import beliefs, lint_rules, plain_markdown, source
from web.beliefs import nearest
from web.labels import Book
from web.lint_rules import Finding, finding

# What the book's pages may use. Another one must first be taught to the notebooks, or be of use on
# pages without cells alone.
DIRECTIVES = plain_markdown.DIRECTIVES | {"code-cell"}
SITE_ONLY = {"claims-ledger", "datasets", "glossary", "include", "wrong-beliefs"}
SITE_ONLY |= {"in-libraries", "library-versions"}
ROLES = plain_markdown.ROLES


def known_directives(book: Book) -> Iterator[Finding]:
    known = DIRECTIVES | SITE_ONLY
    for page in book.pages:
        for one in page.directives:
            if one.name not in known:
                wrong = f"unknown directive {one.name!r}{nearest(one.name, known)}"
                yield finding(
                    page, one.line, wrong, "correct it, or teach it to web/plain_markdown.py"
                )
            elif one.name in SITE_ONLY and page.cells:
                wrong = f"the directive {one.name!r} cannot be shown in a notebook"
                yield finding(page, one.line, wrong, "move it to a page without code cells")


def known_roles(book: Book) -> Iterator[Finding]:
    for page in book.texts:
        for role in page.roles:
            if role.name not in ROLES:
                wrong = f"unknown role {role.name!r}{nearest(role.name, ROLES)}"
                yield finding(page, role.line, wrong, "correct it, or teach web/plain_markdown.py")


@dataclass(frozen=True)
class Rule:
    """A rule: its id, what it demands, and the function that finds where it is broken."""

    id: str
    demand: str
    find: Callable[[Book], Iterator[Finding]]


RULES = (
    Rule("directive-known", "directives are in DIRECTIVES", known_directives),
    Rule("directive-indent", "directives start in column 1", lint_rules.indented_directives),
    Rule("role-known", "roles are in ROLES", known_roles),
    Rule("cell-nested", "code cells stand outside directives", lint_rules.nested_cells),
    Rule("cell-python", "code cells are Python", lint_rules.python_cells),
    Rule("cell-length", "code cells show 15 lines or fewer", lint_rules.long_cells),
    Rule("page-runnable", "pages with cells have the header", lint_rules.runnable_pages),
    Rule("page-listed", "pages are in _toc.yml", lint_rules.listed_pages),
    Rule("label-unique", "a label stands once in the book", lint_rules.unique_labels),
    Rule("reference-known", "references lead to a label", lint_rules.known_references),
    Rule("figure-described", "figures have name, caption, alt", lint_rules.described_figures),
    Rule("alt-telling", "alt text is 30 characters, no caption", lint_rules.telling_alts),
    Rule("claim-labelled", "theorems and the like have a label", lint_rules.labelled_claims),
    Rule("claim-once", "a claim is stated once", lint_rules.claims_once),
    Rule("claim-known", "a check names a stated claim", lint_rules.known_claims),
    Rule("claim-checked", "a claim has a check on its page", lint_rules.checked_claims),
    Rule("exercise-solved", "exercises and solutions come in pairs", lint_rules.solved_exercises),
    Rule("solution-folded", "solutions are folded", lint_rules.folded_solutions),
    Rule("objective-section", "objectives and core sections match", lint_rules.objectives),
    Rule("beliefs-valid", "wrong-beliefs.yml is well-formed", lint_rules.valid_beliefs),
    Rule("quiz-known", "quizzes exist, once, in their chapter", lint_rules.known_quizzes),
    Rule("quiz-shown", "a quiz is shown in its chapter", lint_rules.shown_quizzes),
    Rule("glue-known", "the prose shows only what was glued", lint_rules.known_glue),
    Rule("glue-used", "what was glued is shown", lint_rules.used_glue),
    Rule("install-bare", "no package of ours by bare name", lint_rules.bare_installs),
)


def lint(
    chapters: Sequence[source.Chapter],
    beliefs_file: Path = beliefs.FILE,
    files: Sequence[Path] = (),
) -> list[Finding]:
    """All findings, by file and line; ``files`` are those in which no bare install may stand."""
    book = Book(list(chapters), beliefs_file, files=files)
    found = [replace(one, rule=rule.id) for rule in RULES for one in rule.find(book)]
    return sorted(found, key=lambda one: (str(one.path), one.line, one.message))


def tracked(root: Path = source.ROOT) -> list[Path]:
    """The files that git keeps, and those that it would; without git, all but what was built."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        if not (root / ".git").exists():
            raise FileNotFoundError(root / ".git")  # or git would look in the folders above
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return sorted(_walked(root))
    return [root / name for name in sorted(set(listed.decode().split("\0")) - {""})]


def _walked(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name not in ("_build", "__pycache__") and not path.name.startswith("."):
                yield from _walked(path)
        elif path.is_file():
            yield path


def main() -> int:
    try:
        findings = lint(source.pages(), files=tracked())
    except source.SourceError as error:
        print(error)
        return 1
    for one in findings:
        print(one)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
