"""The mutants' runner: it catches what it should, and says so when nothing objects."""

from __future__ import annotations

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
    assert mutants.catch(harmless) == (False, "SURVIVED: no check of the book objects")


@pytest.mark.slow
def test_a_mistake_is_caught_and_its_claim_named() -> None:
    mistake = mutant("nllbook/distributions.py", "std(ddof=0)", "std(ddof=1)")
    assert mutants.catch(mistake) == (True, "mle-gaussian")


@pytest.mark.slow
def test_a_crash_is_not_a_catch() -> None:
    crash = mutant("nllbook/likelihood.py", "np.prod(", "np.prodd(")
    caught, why = mutants.catch(crash)
    assert not caught
    assert why.startswith("CRASHED, no check objects: AttributeError")


def test_a_mutant_without_a_place_is_refused() -> None:
    lost = mutant("nllbook/distributions.py", "no such text", "x")
    with pytest.raises(ValueError, match="exactly once, found it 0 times: mend the mutant"):
        mutants.catch(lost)
