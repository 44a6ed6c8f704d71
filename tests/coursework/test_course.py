"""A whole course: release, thirty submissions, grading, points by hand, feedback, export."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nllgrade import batch, export, report, rubric
from nllgrade.__main__ import main
from nllgrade.batch import find, harmless, shown
from nllgrade.errors import GradeError
from nllgrade.export import SCHOOLS
from nllgrade.grade import FAILED, Outcome, Result
from nllgrade.master import Course
from nllgrade.spec import Manual

from tests.coursework.papers import ASSIGNMENT, FULL, blank, code, master, solved, terms, written
from tests.coursework.test_hostile import CHEATS, DYING, WRONG

pytestmark = pytest.mark.slow

HANGS = "def bernoulli_likelihood(x, p):\n    while True: pass\n"


def handed_in(folder: Path) -> None:
    """Thirty students, ten of them hostile or clumsy, in the layouts in which files arrive."""
    folder.mkdir()
    answers = [None, {"q1": WRONG}, {"q4": 'raise ValueError("lost")'}, {"q8": 'choice = "b"'}]
    for number in range(20):
        notebook = solved(answers=answers[number % 4])
        manual = next(one for one in notebook["cells"] if one["id"] == "derivation")
        manual["source"] = (
            f"=HYPERLINK(student {number})\n<script>alert(1)</script>\ud83d\x0b\u2028."
        )
        student = folder / f"student{number:02}" / ASSIGNMENT
        student.mkdir(parents=True)
        (student / f"{ASSIGNMENT}.ipynb").write_bytes(written(notebook))
    attacks = [CHEATS["always equal"], DYING["os._exit"], DYING["8 GiB"], DYING["a fork bomb"]]
    for number, attack in enumerate(attacks):
        notebook = solved(answers={"q1": WRONG})
        notebook["cells"].append(code(attack))
        (folder / f"hostile{number}.ipynb").write_bytes(written(notebook))
    (folder / "hangs.ipynb").write_bytes(written(solved(answers={"q1": HANGS})))
    long = solved()
    next(one for one in long["cells"] if one["id"] == "derivation")["source"] = "x" * 10**6
    long["cells"].append(code("print('\ud83d' + '🎲' * 3000)\nraise ValueError('\udc00')"))
    (folder / "long.ipynb").write_bytes(written(long))
    (folder / "blank.ipynb").write_bytes(written(blank()))
    (folder / "=cmd|' !A0.ipynb").write_bytes(written(solved()))
    (folder / "torn.ipynb").write_bytes(written(solved())[:500])
    (folder / "link.ipynb").symlink_to(folder / "blank.ipynb")
    (folder / "homework.zip").write_bytes(b"PK\x03\x04")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course that was graded."""
    folder = tmp_path_factory.mktemp("course")
    handed_in(folder / "handed")
    assert run("grade", folder / "handed", "--assignment", "1", "--out", folder / "out") == 0
    return folder


def run(*arguments: object) -> int:
    """A command's exit status; grading forks, and so has a process of its own."""
    words = [str(one) for one in arguments]
    if words[0] != "grade":
        return main(words)
    command = [sys.executable, "-m", "nllgrade", *words, "--seconds", "5"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    return done.returncode


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_each_submission_has_one_row_and_its_points(course: Path) -> None:
    found = {one["student"]: one for one in rows(course / "out" / batch.GRADEBOOK)}
    assert len(rows(course / "out" / batch.GRADEBOOK)) == len(found) == 31
    expected = {0: 16.0, 1: 13.0, 2: 13.0, 3: 15.0}
    for number in range(20):
        row = found[f"student{number:02}"]
        assert (row["status"], row["automatic"]) == ("graded", f"{expected[number % 4]:g}")
    for number in range(4):
        assert found[f"hostile{number}"]["automatic"] == "13"
    assert found["hangs"]["automatic"] == "13"
    assert found["blank"]["automatic"] == "0"
    assert found["long"]["automatic"] == "16"
    assert found["'=cmd|' !A0"]["automatic"] == "16"
    for name, why in (("torn", "not JSON"), ("link", "a link"), ("homework", "in .ipynb")):
        assert found[name]["status"] == "unreadable"
        assert why in found[name]["reason"]
        assert found[name]["automatic"] == "0"
    assert {one["level"] for one in found.values()} == {"bwrap"}
    assert {one["course"] for one in found.values()} == {"practice"}
    assert {one["of"] for one in found.values()} == {"16"}


def test_grading_again_changes_nothing_and_runs_nothing(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (course / "out" / batch.GRADEBOOK).read_bytes()
    monkeypatch.setattr(batch, "_work", None)
    call = ["grade", course / "handed", "--assignment", "1", "--out", course / "out"]
    assert main([*map(str, call), "--seconds", "5"]) == 0
    assert (course / "out" / batch.GRADEBOOK).read_bytes() == before


@pytest.fixture(scope="module")
def few(course: Path) -> Path:
    """Some of the course, of each kind one or two."""
    folder = course / "few"
    shutil.copytree(course / "handed", folder, symlinks=True)
    for number in range(6, 20):
        shutil.rmtree(folder / f"student{number:02}")
    (folder / "hostile2.ipynb").unlink()
    assert run("grade", folder, "--assignment", "1", "--out", course / "few-out") == 0
    return folder


def test_another_number_of_processes_or_dask_gives_the_same_bytes(
    course: Path, few: Path, tmp_path: Path
) -> None:
    from distributed import LocalCluster

    before = (course / "few-out" / batch.GRADEBOOK).read_bytes()
    one = ("grade", few, "--assignment", "1", "--out")
    assert run(*one, tmp_path / "one", "--jobs", 1) == 0
    assert (tmp_path / "one" / batch.GRADEBOOK).read_bytes() == before
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        assert run(*one, tmp_path / "dask", "--scheduler", cluster.scheduler_address) == 0
    assert (tmp_path / "dask" / batch.GRADEBOOK).read_bytes() == before
    mine = sorted((course / "few-out" / "results").iterdir())
    theirs = sorted((tmp_path / "dask" / "results").iterdir())
    assert [one.name for one in mine] == [one.name for one in theirs]
    assert [one.read_bytes() for one in mine] == [one.read_bytes() for one in theirs]


def test_killed_midway_it_goes_on_where_it_was(course: Path, few: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nllgrade", "grade", str(few)]
    command += ["--assignment", "1", "--out", str(tmp_path), "--seconds", "5", "--jobs", "1"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    results = tmp_path / "results"
    end = time.monotonic() + 60
    while not results.is_dir() or len(list(results.glob("*.json"))) < 5:
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {path.name: path.stat().st_mtime_ns for path in results.glob("*.json")}
    assert 5 <= len(done) < 16
    assert not (tmp_path / batch.GRADEBOOK).exists()
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    assert (tmp_path / batch.GRADEBOOK).read_bytes() == (
        course / "few-out" / batch.GRADEBOOK
    ).read_bytes()
    assert {path.name: path.stat().st_mtime_ns for path in results.glob("*.json")}.items() >= (
        done.items()
    )


def test_points_by_hand_go_through_a_sheet(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = course / "out"
    (out / rubric.SHEET).unlink(missing_ok=True)
    assert run("rubric", out) == 0
    assert run("rubric", out) == 1
    assert "is there already" in capsys.readouterr().err
    sheet = rows(out / rubric.SHEET)
    readable = 28
    assert len(sheet) == 31 * 4
    assert sum(bool(one["written"]) for one in sheet) == readable
    assert not any(value.startswith("=") for one in sheet for value in one.values())
    for number, one in enumerate(sheet):
        one["points"] = "0,5" if number % 4 == 0 else "1"
        one["comment"] = "clear" if number % 4 == 0 else ""
    edited = tmp_path / "edited.csv"
    with edited.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(sheet[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(reversed(sheet))
    assert run("rubric", out, "--merge", edited) == 0
    marks = rubric.stored(out)
    assert len(marks) == 31
    results = batch.load(out)
    assert {rubric.earned(marks, one) for one in results} == {3.5}

    assert run("export", out) == 0
    table = {one["student"]: one for one in rows(out / "csv.csv")}
    assert table["student00"]["total"] == "19.5"
    assert table["student01"]["by hand"] == "3.5"

    assert run("feedback", out) == 0
    pages = sorted((out / "feedback").iterdir())
    assert len(pages) == 31
    mine = next(one for one in pages if one.name.startswith("student01-")).read_text()
    assert "16.5 of 20 points" in mine
    assert "bernoulli_likelihood([" in mine
    assert "clear" in mine
    assert "<script" not in mine
    right = terms().spec.items[0].cases[4].expected.arrays[0]
    assert str(float(right)) not in mine

    assert run("report", out) == 0
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "31 submissions: 28 graded, 3 unreadable." in report
    assert "The likelihood of θ is the probability of θ, given the data." in report
    assert report.count("data:image/png") == 2


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("points", "1.5", "row 2: points = '1.5', expected a number from 0 to 1"),
        ("points", "-1", "expected a number from 0"),
        ("points", "nan", "expected a number from 0"),
        ("points", "good", "expected a number from 0"),
        ("criterion", "style", "has no criterion 'style'"),
        ("question", "q9", "q9 has no criterion"),
        ("points", "", "row 2: no points, but other criteria of derivation have some"),
    ],
)
def test_a_wrong_sheet_is_refused(tmp_path: Path, column: str, value: str, why: str) -> None:
    results = [result("ann")]
    manual = (Manual("derivation", 2.0, ((1.0, "one"), (1.0, "two"))),)
    path = tmp_path / "sheet.csv"
    assert rubric.write_sheet(results, manual, {}, path) == 2
    sheet = [one | {"points": "1"} for one in rows(path)]
    sheet[0][column] = value
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(sheet[0]))
        writer.writeheader()
        writer.writerows(sheet)
    with pytest.raises(GradeError, match=why):
        rubric.read_sheet(path, results, manual)


def test_rows_of_what_is_gone_or_changed_are_left_out_and_named(tmp_path: Path) -> None:
    manual = (Manual("derivation", 1.0, ((1.0, "one"),)),)
    path = tmp_path / "sheet.csv"
    before = [result("ann"), result("bo"), result("cy")]
    rubric.write_sheet(before, manual, {}, path)
    path.write_text(path.read_text().replace("one,1,,", "one,1,1,"))
    after = [result("ann"), replace(result("bo"), manual={"derivation": "other words"})]
    marks, left_out = rubric.read_sheet(path, after, manual)
    assert [rubric.earned(marks, one) for one in after] == [1.0, None]
    assert left_out == [
        "bo (a.ipynb): changed since the sheet",
        "cy (a.ipynb): no such submission",
    ]


def test_points_by_hand_stay_with_a_derivation_that_was_only_handed_in_again(
    tmp_path: Path,
) -> None:
    first = replace(result("ann"), manual={"derivation": "p = n / S"})
    mark = rubric.Mark("one", 1.0, 1.0)
    rubric.store({rubric.who(first): {"derivation": (mark,)}}, tmp_path)
    again = replace(first, sha256="1" * 64)
    assert rubric.earned(rubric.stored(tmp_path), again) == 1.0
    other = replace(again, manual={"derivation": "p = S / n"})
    assert rubric.earned(rubric.stored(tmp_path), other) is None
    (tmp_path / rubric.MERGED).write_text("[[")
    with pytest.raises(GradeError, match="is damaged: delete it"):
        rubric.stored(tmp_path)


def test_a_spreadsheet_may_change_how_the_sheet_is_written(tmp_path: Path) -> None:
    """It begins with the mark by which Excel knows UTF-8, and rows may end early."""
    manual = (Manual("derivation", 1.0, ((1.0, "p − 1"),)),)
    path = tmp_path / "sheet.csv"
    rubric.write_sheet([result("ann")], manual, {}, path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert rubric.who(result("ann"))[2].startswith("v")  # 123456789012 would become 1.23E+11
    head, row, _ = path.read_text(encoding="utf-8-sig").split("\n")
    path.write_text(f"{head}\n{row.rstrip(',')}\n")
    assert rubric.read_sheet(path, [result("ann")], manual) == ({}, [])


def test_a_criterion_counts_once(tmp_path: Path) -> None:
    manual = (Manual("derivation", 1.0, ((1.0, "one"),)),)
    path = tmp_path / "sheet.csv"
    mark = rubric.Mark("one", 1.0, 1.0, "fine")
    marks = {rubric.who(result("ann")): {"derivation": (mark,)}}
    assert rubric.write_sheet([result("ann")], manual, marks, path) == 0
    assert rubric.read_sheet(path, [result("ann")], manual) == (marks, [])
    path.write_text(path.read_text() + path.read_text().split("\n", 1)[1])
    with pytest.raises(GradeError, match="row 3: this criterion was graded above"):
        rubric.read_sheet(path, [result("ann")], manual)
    path.write_text("student,points\nann,1\n")
    with pytest.raises(GradeError, match="no column criterion, file, of, question, version"):
        rubric.read_sheet(path, [result("ann")], manual)


def test_a_second_sheet_keeps_the_marks_of_the_first(tmp_path: Path) -> None:
    manual = (Manual("derivation", 1.0, ((1.0, "one"),)),)
    path = tmp_path / "sheet.csv"
    results = [result("ann")]
    for student in ("ann", "bo"):
        results = [result(one) for one in ("ann", "bo")[: ("ann", "bo").index(student) + 1]]
        rubric.write_sheet(results, manual, {}, path)
        text = path.read_text().replace("one,1,,", "one,1,1,", 1 if student == "ann" else 0)
        if student == "bo":
            head, ann, bo, end = text.split("\n")
            text = "\n".join([head, ann, bo.replace("one,1,,", "one,1,0.5,"), end])
        path.write_text(text)
        rubric.store(rubric.read_sheet(path, results, manual)[0], tmp_path)
    marks = rubric.stored(tmp_path)
    assert [rubric.earned(marks, one) for one in results] == [1.0, 0.5]
    rubric.write_sheet(results, manual, marks, path)
    assert [one["points"] for one in rows(path)] == ["1", "0.5"]


# ---- exports


def result(student: str, file: str = "a.ipynb", earned: float = 3.0) -> Result:
    items = (Outcome("q1-values", 4.0, earned, "wrong" if earned < 4 else ""),)
    return Result(student, file, "0" * 64, ASSIGNMENT, "practice", "bwrap", "graded", "", items)


def test_the_table_of_canvas_is_filled_and_otherwise_left_alone(tmp_path: Path) -> None:
    table = tmp_path / "canvas.csv"
    table.write_text(
        "Student,ID,SIS Login ID,Section,Likelihood (77),Essay (78)\r\n"
        "    Points Possible,,,,20,10\r\n"
        '"Ann, Lee",101,ann,A,,9\r\n'
        '"Bo, Y",102,bo,A,5,\r\n'
        '"Cy, Z",103,cy,B,,\r\n',
        newline="",
    )
    out = tmp_path / "out.csv"
    results = [
        result("leeann_101_555_a", "x_102_555_a.ipynb"),  # the number of somebody else
        result("yb_LATE_102_556_a", "yb_LATE_102_556_a.ipynb", 4.0),
        result("stranger"),
    ]
    said = export.fill(SCHOOLS["canvas"], results, {}, table, "Likelihood (77)", out)
    assert said.endswith("2 rows filled; not in the table: stranger")
    assert out.read_bytes() == (
        b"Student,ID,SIS Login ID,Section,Likelihood (77),Essay (78)\r\n"
        b"    Points Possible,,,,20,10\r\n"
        b'"Ann, Lee",101,ann,A,3,9\r\n'
        b'"Bo, Y",102,bo,A,4,\r\n'
        b'"Cy, Z",103,cy,B,,\r\n'
    )


def test_the_worksheet_of_moodle_is_filled(tmp_path: Path) -> None:
    table = tmp_path / "moodle.csv"
    table.write_text(
        "\ufeffIdentifier,Full name,Status,Grade,Maximum Grade\n"
        'Participant 41,Ann Lee,"Submitted for grading",,20.00\n'
        "Participant 42,Bo Y,No submission,,20.00\n",
        encoding="utf-8",
    )
    out = tmp_path / "out.csv"
    results = [result("Ann Lee_41_assignsubmission_file")]
    assert "1 rows filled" in export.fill(SCHOOLS["moodle"], results, {}, table, "Grade", out)
    assert [one["Grade"] for one in rows(out)] == ["3", ""]


def test_a_table_that_a_spreadsheet_saved_with_semicolons_is_filled(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    table = tmp_path / "moodle.csv"
    table.write_text('Identifier;Full name;Grade\nParticipant 41;"Lee, Ann; jr";\n')
    results = [result("Ann Lee_41_assignsubmission_file")]
    export.fill(SCHOOLS["moodle"], results, {}, table, "Grade", out)
    # by commas, since Moodle reads nothing else
    assert out.read_text() == 'Identifier,Full name,Grade\nParticipant 41,"Lee, Ann; jr",3\n'
    table.write_text("Student;ID;Section;A (7)\nLee;41;1,5;\n")
    export.fill(SCHOOLS["canvas"], [result("lee_41_9_a")], {}, table, "A (7)", out)
    assert out.read_text() == "Student;ID;Section;A (7)\nLee;41;1,5;3\n"


def test_the_report_knows_a_student_by_the_school_s_number(course: Path) -> None:
    spec = terms().spec
    found = batch.load(course / "out")[:2]
    again = [
        replace(one, student=name)
        for one, name in zip(found, ("leeann_101_555_a", "leeann_LATE_101_901_b"), strict=True)
    ]
    assert "More than one submission: 101." in report.report(again, spec, "t", {}, {})
    assert "More than one" not in report.report(found, spec, "t", {}, {})


def test_who_is_not_named_by_a_school_is_named_by_the_folder() -> None:
    names = {
        "ann": "ann",
        "leeann_101_555_a": "101",
        "leeann_LATE_101_901_b": "101",
        "A_B_7_assignsubmission_file_": "7",
    }
    assert {name: batch.named(name) for name in names} == names


def test_moodle_says_participant_in_the_school_s_language(tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "o.csv"
    table.write_text("ID,Bewertung\nTeilnehmer/in 41,\nTeilnehmer/in 142,\n")
    school = replace(SCHOOLS["moodle"], column="ID")
    export.fill(school, [result("Ann Lee_41_assignsubmission_file")], {}, table, "Bewertung", out)
    assert out.read_text() == "ID,Bewertung\nTeilnehmer/in 41,3\nTeilnehmer/in 142,\n"
    with pytest.raises(GradeError, match="would be overwritten"):
        export.fill(school, [], {}, table, "Bewertung", table)


def test_a_table_without_the_column_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("ID,Grade,Grade\n1,,\n")
    with pytest.raises(GradeError, match="has 2 columns 'Grade', of ID, Grade, Grade"):
        export.fill(SCHOOLS["canvas"], [], {}, table, "Grade", tmp_path / "o.csv")
    table.write_text("ID,Grade\n1,\n")
    twice = [result("1"), result("1", "b.ipynb")]
    twice += [result("lee_2_8_a"), result("lee_LATE_2_9_a")]
    said = "1/a.ipynb and 1/b.ipynb; lee_2_8_a/a.ipynb and lee_LATE_2_9_a/a.ipynb: keep one"
    with pytest.raises(GradeError, match=said):
        export.fill(SCHOOLS["canvas"], twice, {}, table, "Grade", tmp_path / "o.csv")


def test_the_autograder_s_zip_holds_all_that_it_needs(tmp_path: Path) -> None:
    key = tmp_path / "course.key"
    assert run("key", key) == 0
    assert key.stat().st_mode & 0o077 == 0
    assert run("key", key) == 1  # never overwritten
    path = tmp_path / "autograder.zip"
    assert run("autograder", "1", "--out", path, "--course-key", key) == 0
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "source")
        assert archive.getinfo("run_autograder").external_attr >> 16 == 0o755
    source = tmp_path / "source"
    assert (source / "course.key").read_bytes() == key.read_bytes().strip()
    folder = tmp_path / "autograder"
    (folder / "submission").mkdir(parents=True)
    wrong = solved(course=Course.read(key), answers={"q1": WRONG})
    (folder / "submission" / "mine.ipynb").write_bytes(written(wrong))
    call = (source / "run_autograder").read_text().split("nllgrade gradescope ")[1]
    words = call.replace("\\\n", " ").replace("/autograder/source", str(source)).split()
    os.chmod(tmp_path, 0o700)
    done = subprocess.run(
        [sys.executable, "-m", "nllgrade", "gradescope", *words, "--folder", str(folder)],
        env={**os.environ, "PYTHONPATH": f"{source}/nllgrade:{source}/nllbook-source"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if os.geteuid() != 0:
        assert "needs root" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "results" / "results.json").read_text())
    assert found["score"] == 13.0
    assert found["tests"][0]["score"] == 0.0
    assert sum(one["max_score"] for one in found["tests"]) == 16.0
    (folder / "submission" / "second.ipynb").write_bytes(written(wrong))
    assert run("gradescope", *words, "--folder", folder) == 0
    found = json.loads((folder / "results" / "results.json").read_text())
    assert found["score"] == 0
    assert "2 notebooks: hand in one file" in found["output"]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (("python3.11", "python3"), "python3.11 -m venv"),  # Ubuntu 22.04
        (("python3",), "python3 -m venv"),  # newer ones, or Debian 12
        ((), "choose Ubuntu 22.04 or newer"),
    ],
)
def test_gradescope_s_image_gets_a_python_that_is_new_enough(
    tmp_path: Path, there: tuple[str, ...], said: str
) -> None:
    """Its set-up in a made-up image: the Pythons ``there`` are new, others of it are old."""
    assert run("autograder", "1", "--out", tmp_path / "autograder.zip") == 0
    with zipfile.ZipFile(tmp_path / "autograder.zip") as archive:
        script = archive.read("setup.sh").decode()
    image = tmp_path / "bin"
    image.mkdir()
    stubs = dict.fromkeys(["apt-get", "chmod"], "exit 0") | {"python3": "exit 1"}
    stubs |= dict.fromkeys(there, f'[ "$1" = -c ] || echo "${{0##*/}}" "$@" >> {tmp_path}/said')
    for name, lines in stubs.items():
        (image / name).write_text(f"#!/bin/sh\n{lines}\n")
        (image / name).chmod(0o755)
    pip = tmp_path / "autograder" / "venv" / "bin" / "pip"
    pip.parent.mkdir(parents=True)
    pip.write_text(f'#!/bin/sh\necho pip "$@" >> {tmp_path}/said\n')
    pip.chmod(0o755)
    done = subprocess.run(
        ["/bin/bash", "-c", script.replace("/autograder/", f"{tmp_path}/autograder/")],
        env={"PATH": str(image)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == bool(there)
    log = tmp_path / "said"
    assert said in (log.read_text() if log.exists() else done.stderr)
    if there:
        assert [line.split("/")[-1] for line in log.read_text().split("\n")[1:3]] == [
            *("nllbook-source", "nllgrade")
        ]


# ---- finding and naming


def test_what_was_handed_in_is_found_once(tmp_path: Path) -> None:
    for name in ("ann/1-likelihood/a.ipynb", "ann/2-log-likelihood/b.ipynb", "bo/x.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    (tmp_path / "bo" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "bo" / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    (tmp_path / "cy").mkdir()
    (tmp_path / "di").mkdir()
    (tmp_path / "di" / "work.pdf").write_text("x")
    (tmp_path / "flat.ipynb").write_text("{}")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "Ann_7_assignsubmission_onlinetext_").mkdir()
    (tmp_path / "Ann_7_assignsubmission_onlinetext_onlinetext.html").write_text("x")
    found = [(one.student, one.file) for one in find(tmp_path, ASSIGNMENT)]
    assert found == [
        ("ann", "1-likelihood/a.ipynb"),
        ("bo", "x.ipynb"),
        ("cy", "nothing.ipynb"),
        ("di", "work.pdf"),
        ("flat", "flat.ipynb"),
    ]
    with pytest.raises(GradeError, match="is no folder"):
        find(tmp_path / "none", ASSIGNMENT)
    (tmp_path / "empty").mkdir()
    with pytest.raises(GradeError, match="holds no submission"):
        find(tmp_path / "empty", ASSIGNMENT)


def test_files_of_one_name_are_two_rows(tmp_path: Path) -> None:
    (tmp_path / "bo").mkdir()
    for name in ("bo/bo.ipynb", "bo.ipynb", "leeann_101_555_a.ipynb", "leeann_LATE_101_9_a.ipynb"):
        (tmp_path / name).write_text("{}")
    found = find(tmp_path, ASSIGNMENT)
    assert [one.file for one in found][:2] == ["bo/bo.ipynb", "bo.ipynb"]
    assert batch.twice(found) == ["101", "bo"]


def test_odd_names_are_shown_in_one_line() -> None:
    assert shown("Zoë 🎓.ipynb") == "Zoë 🎓.ipynb"
    assert shown("a\nb\t\x1b[0m") == "a\\x0ab\\x09\\x1b[0m"
    assert shown(os.fsdecode(b"\xff.ipynb")) == "\\xff.ipynb"
    assert [harmless(one) for one in ("=1", "+1", "-1", "@x", "1", "")] == [
        *("'=1", "'+1", "'-1", "'@x", "1", "")
    ]


def test_the_released_notebook_is_what_the_command_writes(tmp_path: Path) -> None:
    assert run("release", "1", "--out", tmp_path) == 0
    found = json.loads((tmp_path / f"{ASSIGNMENT}.ipynb").read_text(encoding="utf-8"))
    assert found == blank()
    assert master().points == sum(FULL.values()) + 4


def test_a_forgotten_key_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = Course(b"the key of this test's course")
    (tmp_path / "handed").mkdir()
    (tmp_path / "handed" / "ann.ipynb").write_bytes(written(solved(course=course)))
    call = ("grade", tmp_path / "handed", "--assignment", "1", "--out", tmp_path / "out")
    assert run(*call) == 0
    assert "1 were made for another course: is --course-key" in capsys.readouterr().out
    (row,) = rows(tmp_path / "out" / batch.GRADEBOOK)
    assert (row["status"], row["reason"]) == ("graded", f"made for the course {course.name}")
    (tmp_path / "key").write_bytes(course.key)
    assert run(*call, "--course-key", tmp_path / "key") == 0
    assert "another course" not in capsys.readouterr().out
    (row,) = rows(tmp_path / "out" / batch.GRADEBOOK)
    assert (row["reason"], row["automatic"]) == ("", "16")


def test_another_assignment_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "handed").mkdir()
    (tmp_path / "handed" / "ann.ipynb").write_bytes(written(solved("2-log-likelihood")))
    call = ("grade", tmp_path / "handed", "--assignment")
    assert run(*call, "1", "--out", tmp_path / "out") == 0
    assert "1 were made for another assignment: is --assignment" in capsys.readouterr().out
    (row,) = rows(tmp_path / "out" / batch.GRADEBOOK)
    assert (row["reason"], row["automatic"]) == ("made for the assignment 2-log-likelihood", "0")
    assert run(*call, "2", "--out", tmp_path / "out") == 1
    assert "holds the results of 1-likelihood: give --out another" in capsys.readouterr().err
    assert run(*call, "1", "--out", tmp_path / "handed" / "out") == 1
    assert "is among the submissions" in capsys.readouterr().err


def test_a_failure_of_the_grader_is_tried_again(tmp_path: Path) -> None:
    done, failed = tmp_path / "done.json", tmp_path / "failed.json"
    for path, reason in ((done, ""), (failed, f"{FAILED} on it (OSError)")):
        path.write_text(json.dumps(replace(result("ann"), reason=reason).record(), sort_keys=True))
    assert [batch._is_done(one) for one in (done, failed, tmp_path / "none.json")] == [
        *(True, False, False)
    ]


def test_ctrl_c_ends_it_in_one_line(few: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nllgrade", "grade", str(few), "--assignment", "1"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out"), "--seconds", "5"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not list((tmp_path / "out").glob("results/*.json")):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip() == "Stopped: the same command goes on where it was."


def test_commands_refuse_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("release", "nothing", "--out", tmp_path) == 1
    assert run("feedback", tmp_path) == 1
    assert run("grade", tmp_path / "no", "--assignment", "1", "--out", tmp_path / "o") == 1
    lines = capsys.readouterr().err.strip().split("\n")
    assert len(lines) == 3
    assert "holds no results: run `nllgrade grade` first" in lines[1]
