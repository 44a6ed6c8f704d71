"""Every assignment: the reference is right, every planted mistake fails, nothing leaks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from nllgrade.errors import GradeError
from nllgrade.master import ASSIGNMENTS, Course, Master, Part, names, read, stub
from nllgrade.release import left_in, linked, release
from nllgrade.spec import Item, compile_spec
from nllgrade.verdict import agrees, likely_mistake

import nllbook
from nllbook import exercises
from tests.coursework.papers import master, terms
from web.source import CHAPTERS, chapters

KEYS = [Course(), Course(b"a course key of this test"), Course(b"another key of this test")]
NAMES = names()
LEAST_MISTAKES = 8


def items(name: str, course: Course) -> tuple[Item, ...]:
    return terms(name, course).spec.items


def solutions(found: Master) -> dict[str, Part]:
    return {part.grade_id: part for part in found.parts if part.is_solution and not part.is_manual}


def test_there_is_one_assignment_for_each_of_the_first_six_chapters() -> None:
    wanted = [f"{page.number}-{page.name}" for page in chapters() if page.number]
    assert wanted[: len(NAMES)] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_its_size_is_that_of_an_assignment(name: str) -> None:
    found = master(name)
    manual = [part for part in found.parts if part.is_manual]
    assert len(manual) == 1
    assert sum(one["points"] for one in manual[0].ours["rubric"]) == manual[0].points
    assert 4 <= len({one.question for one in terms(name).spec.items}) <= 8
    assert found.points == 20
    assert "60 to 90 minutes" in found.parts[0].source


@pytest.mark.parametrize("course", KEYS, ids=lambda one: one.name)
@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_right_and_every_planted_mistake_fails(name: str, course: Course) -> None:
    planted = master(name, course).mistakes
    assert len({(one.question, one.what) for one in planted}) == len(planted)
    for item in items(name, course):
        for case in item.cases:
            assert agrees(case.expected, case.expected, item.rtol, item.atol) == ""
            for array in case.expected.arrays:
                assert array.dtype.kind in "biuf"
    for one in planted:
        what = one.what
        asked = [item for item in items(name, course) if item.question == one.question]
        failing = [
            item.id
            for item in asked
            if any(
                agrees(case.mistaken[what], case.expected, item.rtol, item.atol)
                for case in item.cases
            )
        ]
        assert failing, f"{one.question}: nobody notices who {what}"
        for item in asked:
            answers = [case.mistaken[what] for case in item.cases]
            if item.id in failing:
                assert likely_mistake(answers, item), f"{item.id}: {what}"


@pytest.mark.parametrize("name", NAMES)
def test_the_letter_of_the_choice_is_a_course_s_own(name: str) -> None:
    """The options are the same, and so is the right one; elsewhere it has another letter."""

    def options(course: Course) -> tuple[dict[str, str], str]:
        found = read(name, course)
        text = "\n".join(part.source for part in found.parts)
        (letter,) = re.findall(r'^choice = "(\w)"$', text, re.MULTILINE)
        text = re.sub(r"[\d.]+", "#", text)  # constants of the course stand in some
        return dict(re.findall(r'^- `"(\w)"`: (.*)$', text, re.MULTILINE)), letter

    courses = [Course(), *(Course(f"the key of course number {n}".encode()) for n in range(12))]
    found = [options(one) for one in courses]
    assert len({one[letter] for one, letter in found}) == 1
    assert {frozenset(one.values()) for one, _ in found} == {frozenset(found[0][0].values())}
    assert len({letter for _, letter in found}) >= 4


@pytest.mark.parametrize("name", NAMES)
def test_every_question_has_enough_plausible_mistakes(name: str) -> None:
    counts = dict.fromkeys(solutions(master(name)), 0)
    for one in master(name).mistakes:
        counts[one.question] += 1
    assert min(counts.values()) >= LEAST_MISTAKES, counts


@pytest.mark.parametrize("name", NAMES)
def test_mistakes_name_beliefs_that_the_book_refutes(name: str) -> None:
    text = (CHAPTERS / "wrong-beliefs.yml").read_text(encoding="utf-8")
    known = {one["id"] for one in yaml.safe_load(text)}
    found = {one.belief for one in master(name).mistakes if one.belief}
    assert found <= known
    assert len(found) >= 3


@pytest.mark.parametrize("course", KEYS[:2], ids=lambda one: one.name)
@pytest.mark.parametrize("name", NAMES)
def test_the_released_notebook_is_the_master_minus_the_gaps(name: str, course: Course) -> None:
    found = master(name, course)
    released: list[dict[str, Any]] = json.loads(release(found))["cells"]
    assert len(released) == len(found.parts)
    for cell, part in zip(released, found.parts, strict=True):
        source = "".join(cell["source"])
        if part.is_solution:
            gap = "*Write your answer here.*" if part.is_manual else "raise NotImplementedError()"
            assert gap in source
        elif part.kind == "markdown":
            assert source == linked(part.source, "")
        else:
            assert source == part.source.split("### BEGIN HIDDEN")[0].strip("\n")
        if part.nbgrader:
            mine = cell["metadata"]["nbgrader"]
            assert mine["schema_version"] == 3
            assert mine["grade_id"] == part.grade_id
            assert mine["points"] == part.points if mine["grade"] else "points" not in mine
    text = json.dumps(released)
    assert not re.search(r"\{\{\w+\}\}", text)


def test_a_leak_stops_the_release() -> None:
    found = master()
    whole = json.loads(release(found))
    assert left_in(found, json.dumps(whole)) == []
    secret = next(part for part in found.parts if part.is_solution).answer.strip().split("\n")[-1]
    for leak in (secret, "### BEGIN SOLUTION", "nllgrade"):
        broken = json.loads(json.dumps(whole))
        broken["cells"][3]["source"].append("\n" + leak)
        assert left_in(found, json.dumps(broken)), leak
    keyed = master(course=KEYS[1])
    broken = json.loads(release(keyed))
    broken["cells"][0]["source"].append(KEYS[1].key.decode())
    assert left_in(keyed, json.dumps(broken)) == ["the course key"]


def test_links_lead_to_the_book_or_are_text() -> None:
    text = "see [chapter 1](book:chapters/likelihood.html#sec-maximum)."
    assert linked(text, "") == "see chapter 1."
    assert linked(text, "https://x.org/b/") == (
        "see [chapter 1](https://x.org/b/chapters/likelihood.html#sec-maximum)."
    )


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_sections_that_exist(name: str) -> None:
    text = (ASSIGNMENTS / f"{name}.md").read_text(encoding="utf-8")
    found = re.findall(r"\(book:chapters/([\w-]+)\.html(?:#([\w-]+))?\)", text)
    assert found
    for page, label in found:
        source = (CHAPTERS / f"{page}.md").read_text(encoding="utf-8")
        assert not label or f"({label})=" in source, label


@pytest.mark.parametrize("name", NAMES)
def test_courses_differ_and_each_is_always_the_same(name: str) -> None:
    def asked(course: Course) -> str:
        found = compile_spec(read(name, course))
        return repr([(one.id, [case.arguments for case in one.cases]) for one in found.items])

    assert asked(KEYS[1]) == asked(KEYS[1])
    assert len({asked(course) for course in KEYS}) == 3
    sources = [[part.source for part in read(name, course).parts] for course in KEYS]
    assert sources[0] != sources[1] or sources[1] != sources[2]  # constants or data


@pytest.mark.parametrize("name", NAMES)
def test_public_cases_are_right_for_the_reference_and_never_hidden_ones(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scope: dict[str, Any] = {"__name__": "__main__"}
    for part in master(name).parts:
        if part.kind == "code":
            exec(part.source, scope)
    told = capsys.readouterr().out
    asked = re.findall(r'try_out\("([\w-]+)"', (ASSIGNMENTS / f"{name}.md").read_text())
    assert asked
    for question in asked:
        assert f"✓ {question}:" in told
    functions = {part.ours["function"] for part in master(name).parts if "function" in part.ours}
    assert len(asked) == len(functions)


def test_every_public_case_belongs_to_an_assignment() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in ASSIGNMENTS.glob("*.md"))
    path = Path(exercises.__file__).with_name("exercises.json")
    assert set(re.findall(r'try_out\("([\w-]+)"', text)) == set(json.loads(path.read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_an_assignment_needs_nothing_that_the_sandbox_lacks(name: str) -> None:
    text = (ASSIGNMENTS / f"{name}.md").read_text(encoding="utf-8")
    modules = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert modules <= {"math", "numpy", "nllbook", "itertools", "fractions"}
    assert set(re.findall(r"^from nllbook import (.+)$", text, re.MULTILINE)) <= {
        "datasets, exercises",
        "datasets, exercises, plotting",
        "exercises",
    }
    assert nllbook.__version__


def test_a_wrong_name_or_key_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GradeError, match="no assignment is called 'x'; there are 1-likelihood"):
        read("x", Course())
    short = tmp_path / "key"
    short.write_bytes(b"short")
    with pytest.raises(GradeError, match="at least 16 bytes, this one 5"):
        Course.read(short)
    with pytest.raises(GradeError, match="cannot be read"):
        Course.read(tmp_path / "none")


def test_a_stub_keeps_the_indent() -> None:
    part = Part("code", "def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n")
    assert stub(part) == "def f():\n    # YOUR CODE HERE\n    raise NotImplementedError()"


def test_draws_depend_on_everything_and_on_nothing_else() -> None:
    draws = {
        tuple(course.draw(*what).integers(0, 2**63, 2))
        for course in KEYS
        for what in (("a", "b"), ("ab",), ("a", "c"))
    }
    assert len(draws) == 9
    assert KEYS[0].name == "practice"
    assert len({one.name for one in KEYS}) == 3
    assert np.all(KEYS[1].draw("a").random(3) == KEYS[1].draw("a").random(3))
