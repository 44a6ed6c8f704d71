"""The page of the assignments: every question with its answer, and the notebooks beside it."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest
from nllgrade import master
from nllgrade.errors import GradeError
from nllgrade.master import Course, questions
from nllgrade.release import left_in, release

from web import assignments_page, source
from web.assignments_page import expand
from web.launch import Addresses

NAMES = master.names()
NOWHERE = Addresses()


@pytest.mark.parametrize("name", NAMES)
def test_its_questions_are_numbered_and_each_has_one_answer(name: str) -> None:
    asked = questions(master.read(name, Course()))
    assert [one.title.partition(". ")[0] for one in asked] == [
        str(number) for number in range(1, len(asked) + 1)
    ]
    for one in asked:
        assert sum(part.is_solution for part in one.parts) == 1
        assert one.points > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_question_rests_on_statements_of_its_chapter(name: str) -> None:
    found = master.read(name, Course())
    chapter = name.partition("-")[2]
    (page,) = (one for one in source.pages() if one.name == chapter)
    stated = {one.label for one in page.statements}
    assert set(found.claims) == {one.answer.grade_id for one in questions(found)}
    for question, claims in found.claims.items():
        assert claims, question
        assert set(claims) <= stated, question


@pytest.mark.parametrize("name", NAMES)
def test_the_page_has_all_answers_and_no_hidden_case(name: str) -> None:
    found = master.read(name, Course())
    text = expand(f"```{{assignment}} {name}\n```", NOWHERE)
    assert not re.search(r"### |\{\{|book:|try_out|NotImplemented", text)
    for part in found.parts:
        if part.is_manual:
            assert part.source.split("\n")[0] in text
        elif part.is_solution:
            assert part.answer.rstrip("\n") in text
        elif part.hidden:
            assert part.hidden not in text
    for mistake in found.mistakes:
        assert re.search(rf"^- (`\"\w\"`: )?{re.escape(mistake.what)}", text, re.MULTILINE)


def test_other_pages_stay_as_they_are() -> None:
    text = "```{note}\nassignment\n```"
    assert expand(text, NOWHERE) == text


def test_buttons_need_to_know_where_the_book_is_published() -> None:
    line = expand("```{assignment} 1\n```", NOWHERE).split("\n")[0]
    assert re.findall('href="([^"]+)"', line) == ["../notebooks/assignment-1-likelihood.ipynb"]
    found = Addresses("https://github.com/reader/Fork", "https://reader.github.io/Fork/")
    line = expand("```{assignment} 1-likelihood\n```", found).split("\n")[0]
    assert re.findall('href="([^"]+)"', line) == [
        "../notebooks/assignment-1-likelihood.ipynb",
        found.colab("assignment-1-likelihood"),
        found.binder("assignment-1-likelihood"),
    ]


def test_the_table_names_each_question() -> None:
    table = expand("```{questions}\n```", NOWHERE)
    asked = {
        f"{name[0]}.{number}"
        for name in NAMES
        for number in range(1, len(questions(master.read(name, Course()))) + 1)
    }
    assert set(re.findall(r"\b\d\.\d+\b", table)) == asked
    links = "[1.2](#assignment-1-2), [1.3](#assignment-1-3)"
    assert f"| {{prf:ref}}`mle-poisson`: The Poisson MLE is the mean | {links} |" in table


@pytest.mark.slow
def test_the_notebooks_beside_the_pages_are_those_released_without_a_key(site: Path) -> None:
    folder = site / "html" / "notebooks"
    written = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(written) == {f"assignment-{name}.ipynb" for name in NAMES}
    for name in NAMES:
        found = master.read(name, Course())
        text = written[f"assignment-{name}.ipynb"]
        assert text == release(found)
        assert left_in(found, text) == []
    page = (site / "html" / "chapters" / "assignments.html").read_text(encoding="utf-8")
    for name in written:
        assert f'href="../notebooks/{name}"' in page


def test_the_guide_names_the_wheel_that_is_published() -> None:
    version = importlib.metadata.version("nllbook")
    guide = (source.CHAPTERS / "instructors.md").read_text(encoding="utf-8")
    assert f"book/nllbook-{version}-py3-none-any.whl`" in guide


def test_an_unknown_assignment_is_refused() -> None:
    with pytest.raises(GradeError, match="no assignment is called '9'"):
        expand("```{assignment} 9\n```", NOWHERE)
    assert assignments_page.BOILERPLATE in master.read("1", Course()).parts[0].source
