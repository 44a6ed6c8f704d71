"""The mutants' runner: it catches what it should, and says so when nothing objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mutants
from web import source


def mutant(file: str, old: str, new: str) -> mutants.Mutant:
    return mutants.Mutant("a mistake", file, old, new, chapter="likelihood")


def test_every_file_of_mistakes_is_read_in_the_order_of_the_book() -> None:
    chapters = [one.name for one in source.chapters()]
    found = list(dict.fromkeys(mutant.chapter for mutant in mutants.MUTANTS))
    assert found == [name for name in chapters if name in found]
    assert {f"{name}.toml" for name in found} == {path.name for path in mutants.FOLDER.iterdir()}


def test_every_mutant_finds_its_place_and_changes_it() -> None:
    for mutant in mutants.MUTANTS:
        text = (source.ROOT / mutant.file).read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, mutant
        assert mutant.old != mutant.new


@pytest.mark.slow
def test_a_harmless_change_survives_so_the_unmutated_book_passes() -> None:
    harmless = mutant("nllbook/likelihood.py", "np.prod(", "np.prod( ")
    assert mutants.catch([harmless]) == [(False, "SURVIVED: no check of the book objects")]


@pytest.mark.slow
def test_a_mistake_is_caught_and_its_claim_named() -> None:
    mistake = mutant("nllbook/distributions.py", "std(ddof=0)", "std(ddof=1)")
    assert mutants.catch([mistake]) == [(True, "mle-gaussian")]


@pytest.mark.slow
def test_a_crash_is_not_a_catch() -> None:
    crash = mutant("nllbook/likelihood.py", "np.prod(", "np.prodd(")
    ((caught, why),) = mutants.catch([crash])
    assert not caught
    assert why.startswith("CRASHED, no check objects: AttributeError")


@pytest.mark.slow
def test_a_mutant_that_never_ends_is_no_catch() -> None:
    endless = mutant(
        "nllbook/likelihood.py", "np.prod(", "__import__('time').sleep(99) or np.prod("
    )
    assert mutants.catch([endless], limit=5) == [(False, "HUNG, no check objects in 5 s")]


@pytest.mark.slow
def test_the_mutants_of_a_chapter_share_what_comes_before_them() -> None:
    def of_cells(old: str, new: str) -> mutants.Mutant:
        return mutant("chapters/likelihood.md", old, new)

    found = mutants.catch(
        [
            of_cells("import numpy as np", "import numpy as np  # as ever"),
            next(one for one in mutants.MUTANTS if one.file == "chapters/likelihood.md"),
            of_cells("import numpy as np", "import numpyy as np"),
        ]
    )
    assert [caught for caught, _ in found] == [False, True, False]
    assert found[0][1].startswith("SURVIVED")
    assert found[2][1] == "CRASHED, no check objects: ModuleNotFoundError: No module named 'numpyy'"


@pytest.mark.slow
def test_a_run_that_is_killed_is_no_catch() -> None:
    deadly = mutant("nllbook/likelihood.py", "np.prod(", "__import__('os').abort() or np.prod(")
    ((caught, why),) = mutants.catch([deadly])
    assert not caught
    assert why.startswith("CRASHED, no check objects: ")


def test_the_report_fails_for_a_survivor_and_for_a_claim_that_caught_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    one = mutant("a file", "old", "new")
    assert mutants.report([(one, (True, "a-claim"))], {"a-claim"}) == 0
    assert mutants.report([(one, (True, "a-claim")), (one, (False, "SURVIVED"))], {"a-claim"}) == 1
    assert "1 of 2 mutants caught" in capsys.readouterr().out
    assert mutants.report([(one, (False, "a-claim")), (one, (True, "b"))], {"a-claim", "b"}) == 1
    assert mutants.report([(one, (True, "a-claim"))], {"a-claim", "other"}) == 1
    assert "other: no mutant is caught by its checks" in capsys.readouterr().out


def test_an_entry_with_a_wrong_key_is_named(tmp_path: Path) -> None:
    text = "[[mutant]]\nmistake = 'm'\nfle = 'x'\nold = 'a'\nnew = 'b'\n"
    (tmp_path / "likelihood.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^likelihood\.toml: 'm' has the keys .*fle"):
        mutants.read(tmp_path)


def test_a_mutant_without_a_place_is_refused() -> None:
    lost = mutant("nllbook/distributions.py", "no such text", "x")
    with pytest.raises(ValueError, match="exactly once, found it 0 times: mend the mutant"):
        mutants.catch([lost])
