"""Checks the book's source, without executing or building it: `python -m web.lint`.

One line a finding: file, line, what is wrong, what to do, the rule; then the broken rules, each
with its reason. There is no way to switch a rule off for a line: change the text, or the rule.
`python -m web.lint --rules` lists the rules.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from web import (
    beliefs,
    lint_beliefs,
    lint_numbers,
    lint_results,
    lint_rules,
    plain_markdown,
    source,
)
from web.beliefs import nearest
from web.labels import Book
from web.lint_rules import Finding, finding

# What the book's pages may use. Another one must first be taught to the notebooks, or be of use on
# pages without cells alone.
DIRECTIVES = plain_markdown.DIRECTIVES | {"code-cell"}
SITE_ONLY = {
    *(
        "api",
        "api-contents",
        "assignment",
        "cite-this",
        "claims-ledger",
        "container",
        "datasets",
        "glossary",
    ),
    *("in-libraries", "include", "library-versions", "questions", "quiz-progress", "take-along"),
}
ROLES = plain_markdown.ROLES | {"quiz-count"}


def known_markup(book: Book) -> Iterator[Finding]:
    known = DIRECTIVES | SITE_ONLY
    for page in book.pages:
        for one in page.directives:
            if one.name not in known:
                wrong = f"unknown directive {one.name!r}{nearest(one.name, known)}"
                yield finding(page, one.line, wrong, "correct it, or teach web/plain_markdown.py")
            elif one.name in SITE_ONLY and page.cells:
                wrong = f"the directive {one.name!r} cannot be shown in a notebook"
                yield finding(page, one.line, wrong, "move it to a page without code cells")
    for page in book.texts:
        for role in page.roles:
            if role.name not in ROLES:
                wrong = f"unknown role {role.name!r}{nearest(role.name, ROLES)}"
                yield finding(page, role.line, wrong, "correct it, or teach web/plain_markdown.py")


@dataclass(frozen=True)
class Rule:
    """A rule: its id, what it demands, why, and the function that finds where it is broken.

    An id is never given to another rule, so that what was written about it stays true.
    """

    id: str
    demand: str
    reason: str
    find: Callable[[Book], Iterator[Finding]]

    def __str__(self) -> str:
        return f"`{self.id}`: {self.demand} *{self.reason}*"


RULES = (
    Rule(
        "nll-markup-001",
        "Directives and roles are those that the site and the notebooks both know.",
        "An unknown one is printed as it stands.",
        known_markup,
    ),
    Rule(
        "nll-markup-002",
        "A directive starts in column 1.",
        "Nothing here sees an indented one, so that no rule would hold in it.",
        lint_rules.indented_directives,
    ),
    Rule(
        "nll-page-001",
        "A page with cells has the front matter of a notebook.",
        "Without it no cell is executed, and no error says so.",
        lint_rules.runnable_pages,
    ),
    Rule(
        "nll-page-002",
        "Every page is in `_toc.yml`.",
        "What is not there is in no menu, and is not checked.",
        lint_rules.listed_pages,
    ),
    Rule(
        "nll-cell-001",
        "A code cell stands outside of other directives.",
        "Inside one it is never executed.",
        lint_rules.nested_cells,
    ),
    Rule(
        "nll-cell-002",
        "A code cell is Python.",
        "A slip is found here in a second, in the build in a minute.",
        lint_rules.python_cells,
    ),
    Rule(
        "nll-cell-003",
        "A code cell shows 15 lines or fewer.",
        "More are not read; plumbing can be folded.",
        lint_rules.long_cells,
    ),
    Rule(
        "nll-cell-004",
        "What a code cell imports from nllbook is there.",
        "After a renaming the build finds one chapter a minute, this all of them in a second.",
        lint_rules.known_imports,
    ),
    Rule(
        "nll-label-001",
        "A label stands once in the book, whatever its case.",
        "A link would lead to either of the two.",
        lint_rules.unique_labels,
    ),
    Rule(
        "nll-label-002",
        "A reference leads to a label of the book.",
        "Readers would click on nothing.",
        lint_rules.known_references,
    ),
    Rule(
        "nll-figure-001",
        "A figure has a name, a caption and an alt text.",
        "The name gives it a number; the caption says what to see; the alt text says it to those "
        "who cannot.",
        lint_rules.described_figures,
    ),
    Rule(
        "nll-figure-002",
        "An alt text has 30 characters or more, and does not repeat the caption.",
        "A screen reader reads both: the alt text is for what the caption takes for seen.",
        lint_rules.telling_alts,
    ),
    Rule(
        "nll-figure-003",
        "Some text sends the reader to each figure by its number.",
        "A figure that the text does not need is decoration; in print it may lie on another page.",
        lint_rules.shown_figures,
    ),
    Rule(
        "nll-claim-001",
        "A theorem, proposition, lemma or corollary has the claim's id as its label, once.",
        "The ledger and the checks find it by that.",
        lint_rules.stated_claims,
    ),
    Rule(
        "nll-claim-002",
        "A claim has a check on its page, and a check has its claim in the book.",
        "What is claimed is checked, and what is checked is said.",
        lint_rules.checked_claims,
    ),
    Rule(
        "nll-exercise-001",
        "An exercise has its solution on the same page, and a solution its exercise.",
        "Who learns alone has nobody to ask.",
        lint_rules.solved_exercises,
    ),
    Rule(
        "nll-exercise-002",
        "A solution is folded.",
        "One should be able to try before one reads it.",
        lint_rules.folded_solutions,
    ),
    Rule(
        "nll-objective-001",
        "An objective links to its section, and each core section is the aim of an objective.",
        "The list at the top is a promise; a section that it leaves out is not core.",
        lint_rules.objectives,
    ),
    Rule(
        "nll-quiz-001",
        "`wrong-beliefs.yml` is well-formed, and names chapters and claims of the book.",
        "The chapters, the index of beliefs and the graders read it.",
        lint_rules.valid_beliefs,
    ),
    Rule(
        "nll-quiz-002",
        "A quiz is shown once, in the chapter of its belief.",
        "It asks what that chapter has just said.",
        lint_rules.shown_quizzes,
    ),
    Rule(
        "nll-belief-001",
        "`wrong-beliefs.yml` follows the order of the book.",
        "Their page shows them as the file has them.",
        lint_beliefs.ordered,
    ),
    Rule(
        "nll-belief-002",
        "A counterexample prints, in 79 columns, with NumPy, nllbook and the standard library.",
        "A belief is refuted by a number, and that wherever the reader runs it.",
        lint_beliefs.runnable,
    ),
    Rule(
        "nll-number-001",
        "The text shows only numbers that some cell glues, and every one of them.",
        "A name without a number breaks the sentence; a number without a sentence is dead code.",
        lint_numbers.shown_glue,
    ),
    Rule(
        "nll-number-002",
        "A number of three digits or more, a decimal or a percentage is glued, unless it is an "
        "input: written in the code (for captions and alt texts in that of the figure), quoted "
        "in a paragraph that cites its source, or offered as a guess.",
        "A typed result stays as it is when the code changes.",
        lint_numbers.typed_numbers,
    ),
    Rule(
        "nll-loss-001",
        "A cell that prints a loss prints its unit, and whether it is a mean or a sum; one that "
        "prints nats or bits says of what.",
        "A factor of n or of log 2 looks like a better model.",
        lint_results.printed_losses,
    ),
    Rule(
        "nll-simulation-001",
        "Random numbers come from `default_rng` with a seed that is written out.",
        "Other numbers would come on every run, and no claim on them could be checked.",
        lint_results.seeded_draws,
    ),
    Rule(
        "nll-simulation-002",
        "A mean of random draws is printed with ±, or checked with a `standard_error`.",
        "Without it nobody can say whether it agrees with what is claimed.",
        lint_results.simulated_errors,
    ),
    Rule(
        "nll-install-001",
        "Nothing installs a package of ours by its bare name.",
        "The names are not ours on any index: someone else's code would come.",
        lint_rules.bare_installs,
    ),
)


def lint(
    chapters: Sequence[source.Chapter],
    beliefs_file: Path = beliefs.FILE,
    files: Sequence[Path] = (),
) -> list[Finding]:
    """All findings, by file and line; ``files`` are those in which no bare install may stand."""
    book = Book(list(chapters), beliefs_file, files=files)
    # a set, for the texts of the wrong beliefs are read in their file and on their page
    found = {replace(one, rule=rule.id) for rule in RULES for one in rule.find(book)}
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


def rules() -> str:
    """The rules as a list in Markdown, which CONTRIBUTING.md shows."""
    return "\n".join(f"- {rule}" for rule in RULES)


def main(arguments: Sequence[str] = ()) -> int:
    if arguments:
        known = list(arguments) == ["--rules"]
        print(rules() if known else "usage: python -m web.lint [--rules]")
        return 0 if known else 2
    try:
        findings = lint(source.pages(), files=tracked())
    except source.SourceError as error:
        print(error)
        return 1
    for one in findings:
        print(one)
    broken = {one.rule for one in findings}
    for rule in RULES:
        if rule.id in broken:
            print(f"{rule.id}: {rule.demand} {rule.reason}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
