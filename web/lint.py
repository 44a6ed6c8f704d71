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

from web import beliefs, lint_rules, source
from web.beliefs import nearest
from web.lint_book import Book, Finding

# What the book's pages may use. Another one must first be taught to the notebooks.
DIRECTIVES = {
    *("admonition", "attention", "caution", "dropdown", "hint", "important", "note", "seealso"),
    *("tip", "warning"),
    *("code", "code-block", "code-cell", "figure", "image", "list-table", "math", "table"),
    *("prf:corollary", "prf:definition", "prf:example", "prf:lemma", "prf:proof"),
    *("prf:proposition", "prf:remark", "prf:theorem"),
    *("exercise", "exercise-end", "exercise-start", "quiz"),
    *("solution", "solution-end", "solution-start"),
    *("bibliography", "claims-ledger", "datasets", "glossary"),
}
ROLES = {
    *("abbr", "cite", "cite:p", "cite:t", "doc", "eq", "glue:text", "kbd", "math", "numref"),
    *("prf:ref", "ref", "sub", "sup", "term"),
}


def known_directives(book: Book) -> Iterator[Finding]:
    for page in book.pages:
        for one in page.directives:
            if one.name not in DIRECTIVES:
                wrong = f"unknown directive {one.name!r}{nearest(one.name, DIRECTIVES)}"
                yield page.finding(one.line, wrong, "correct it, or add it to web/lint.py")


def known_roles(book: Book) -> Iterator[Finding]:
    for page in book.texts:
        for role in page.roles:
            if role.name not in ROLES:
                wrong = f"unknown role {role.name!r}{nearest(role.name, ROLES)}"
                yield page.finding(role.line, wrong, "correct it, or add it to web/lint.py")


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
    book = Book(chapters, beliefs_file, files)
    found = [replace(finding, rule=rule.id) for rule in RULES for finding in rule.find(book)]
    return sorted(found, key=lambda finding: (str(finding.path), finding.line, finding.message))


def tracked() -> list[Path]:
    """The files that git keeps, and those that it would."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=source.ROOT, capture_output=True, check=True).stdout
    return [source.ROOT / name for name in sorted(set(listed.decode().split("\0")) - {""})]


def main() -> int:
    try:
        findings = lint(source.pages(), files=tracked())
    except source.SourceError as error:
        print(error)
        return 1
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
