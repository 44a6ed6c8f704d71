"""The ledger of claims: every claim owed is stated once and checked, and the ledger says so."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
import yaml

from web import claims, source

SYLLABUS: dict[str, list[str]] = yaml.safe_load(
    (source.ROOT / "tests" / "syllabus.yml").read_text(encoding="utf-8")
)
CHECK = re.compile(r"\bcheck\(\s*\"([^\"]+)\"")

CHAPTER = """# Title

```{prf:proposition} One and one
:label: sum
$1 + 1 = 2$
```

```{code-cell} ipython3
check("sum", 1 + 1, 2, exact=True)
```
"""


@pytest.fixture
def chapter(tmp_path: Path) -> source.Chapter:
    path = tmp_path / "addition.md"
    path.write_text(CHAPTER, encoding="utf-8")
    return source.read(path)


def executed(*claim_ids: str) -> nbformat.NotebookNode:
    """A notebook of one cell whose checks have left their records."""
    record = {"kind": "close", "difference": 1e-16, "tolerance": 1e-12}
    outputs = [
        nbformat.v4.new_output(
            "display_data",
            data={"text/plain": f"✓ {name}: within rtol 1e-12"},
            metadata={"nllbook": {"claim": name, **record}},
        )
        for name in claim_ids
    ]
    cell = nbformat.v4.new_code_cell("check(...)", outputs=outputs)
    notebook: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=[cell])
    return notebook


def test_each_chapter_states_the_claims_it_owes_and_no_others() -> None:
    for chapter in source.chapters():
        stated = sorted(one.options["label"] for one in chapter.statements)
        owed = sorted(SYLLABUS.get(chapter.name, []))
        assert stated == owed, f"{chapter.path.name} against tests/syllabus.yml"
    stating = {page.name for page in source.pages() if page.statements}
    assert set(SYLLABUS) == stating, "tests/syllabus.yml"


def test_every_check_names_a_claim_of_its_chapter_and_every_claim_has_a_check() -> None:
    for chapter in source.chapters():
        checked = {name for cell in chapter.cells for name in CHECK.findall(cell.body)}
        assert checked == set(SYLLABUS.get(chapter.name, []))


def test_every_claim_has_a_proof_right_after_it() -> None:
    for chapter in source.chapters():
        names = [one.name for one in chapter.directives if one.name.startswith("prf:")]
        for place, name in enumerate(names):
            if name in source.STATEMENTS:
                assert names[place + 1] == "prf:proof", f"{chapter.path}: statement {place}"


def test_an_entry_has_the_statement_and_every_check(chapter: source.Chapter) -> None:
    (entry,) = claims.ledger(chapter, executed("sum", "sum"))
    check = {"kind": "close", "difference": 1e-16, "tolerance": 1e-12}
    assert entry == {
        "id": "sum",
        "chapter": "addition",
        "statement": "$1 + 1 = 2$",
        "checks": [check, check],
    }


def test_a_check_of_an_unknown_claim_is_refused(chapter: source.Chapter) -> None:
    with pytest.raises(ValueError, match=r"addition.*'summ'.*names no statement.*correct the id"):
        claims.ledger(chapter, executed("sum", "summ"))


def test_a_claim_without_a_check_is_refused(chapter: source.Chapter) -> None:
    with pytest.raises(source.SourceError, match=r"addition.md:3: the claim sum has no executed"):
        claims.ledger(chapter, executed())


def test_a_failed_cell_is_named_with_its_line_and_error(chapter: source.Chapter) -> None:
    notebook = executed("sum")
    claims.refuse_failed_cell(chapter, notebook)  # no error, no complaint
    notebook.cells[0].outputs.append(
        nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="division by zero")
    )
    message = r"addition.md:8: this cell fails with ZeroDivisionError: division by zero: mend"
    with pytest.raises(source.SourceError, match=message):
        claims.refuse_failed_cell(chapter, notebook)


def test_the_table_groups_checks_and_shows_the_worst() -> None:
    records = [
        {"kind": "close", "difference": 1e-15, "tolerance": 1e-12},
        {"kind": "close", "difference": 3e-14, "tolerance": 1e-12},
        {"kind": "greater", "difference": 0.7, "tolerance": 0.5},
        {"kind": "greater", "difference": 0.6, "tolerance": 0.5},
        {"kind": "simulation", "difference": 1.234, "tolerance": 4.0},
        {"kind": "exact", "difference": 0.0, "tolerance": 0.0},
    ]
    assert list(claims._summary(records)) == [
        ("two sides agree (2 times)", "3.0e-14", "1e-12"),
        ("inequality, > (2 times)", "0.6 beyond", "at least 0.5"),
        ("simulation", "1.23 SE", "4 SE"),
        ("equal to the last bit", "0", "0"),
    ]
