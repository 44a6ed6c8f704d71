"""The command `nllgrade`."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

from nllgrade import batch, doctor, export, feedback, master, release, rubric, submission
from nllgrade.errors import GradeError
from nllgrade.grade import Result, Terms, grade
from nllgrade.sandbox import Limits
from nllgrade.spec import Spec, compile_spec


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 where it is refused, or 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except GradeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped: the same command goes on where it was.", file=sys.stderr)
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nllgrade", description="The coursework of the book.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=about, description=about)
        added.set_defaults(run=run)
        return added

    one = command("doctor", _doctor, "Prove that submissions cannot get out of their sandbox.")
    _level(one)
    one = command("key", _key, "Write a new course key, which only the instructor should have.")
    one.add_argument("file", type=Path)
    one = command("release", _release, "Write the notebook that students receive.")
    _assignment(one)
    one.add_argument("--out", type=Path, default=Path(), help="folder (default: here)")
    one.add_argument("--book", default="", help="address of the book's site, for the links")
    one = command("grade", _grade, "Grade a folder of submissions.")
    one.add_argument("submissions", type=Path)
    _assignment(one, option=True)
    one.add_argument("--out", type=Path, required=True, help="folder of the results")
    one.add_argument("--jobs", type=int, default=0, help="processes (default: one per core)")
    one.add_argument("--scheduler", default="", help="address of a dask scheduler to use instead")
    one.add_argument("--seconds", type=float, default=Limits.seconds, help="for a cell or a call")
    _level(one)
    one = command("rubric", _rubric, "Write the sheet for what a person grades, or read it back.")
    _results(one)
    one.add_argument("--merge", type=Path, help="the sheet, filled in")
    one = command("feedback", _feedback, "Write a page for each student.")
    _results(one)
    one = command("report", _report, "Write a page about the class.")
    _results(one)
    one = command("export", _export, "Hand the points to a school's system.")
    _results(one)
    one.add_argument("--format", choices=("csv", *export.SCHOOLS), default="csv")
    one.add_argument("--into", type=Path, help="the table that Canvas or Moodle exported")
    one.add_argument("--column", help="its column that takes the points")
    one.add_argument(
        "--match", help="its column that names students (default: Canvas ID, Moodle Identifier)"
    )
    one = command("autograder", _autograder, "Write the zip that Gradescope takes.")
    _assignment(one)
    one.add_argument("--out", type=Path, default=Path("autograder.zip"))
    one = command("gradescope", _gradescope, "Grade inside Gradescope's container.")
    _assignment(one)
    one.add_argument("--folder", type=Path, default=Path("/autograder"))
    return parser


def _results(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("results", type=Path, help="the folder that `grade` wrote")
    _masters(parser)


def _masters(parser: argparse.ArgumentParser) -> None:
    about = "folder of the masters"
    parser.add_argument("--assignments", type=Path, default=master.ASSIGNMENTS, help=about)


def _level(parser: argparse.ArgumentParser) -> None:
    levels = ("bwrap", "container")
    parser.add_argument("--level", choices=levels, default="bwrap", help="how to isolate")


def _assignment(parser: argparse.ArgumentParser, *, option: bool = False) -> None:
    about = "its name, or how that begins: 1"
    if option:
        parser.add_argument("--assignment", required=True, help=about)
    else:
        parser.add_argument("assignment", help=about)
    parser.add_argument("--course-key", type=Path, help="for hidden inputs of your own")
    _masters(parser)


def _master(options: argparse.Namespace) -> master.Master:
    course = master.Course.read(options.course_key)
    return master.read(options.assignment, course, options.assignments)


def _doctor(options: argparse.Namespace) -> int:
    found = doctor.examine(options.level)
    for one in found:
        print(
            f"{'✗' if one.problem else '✓'} {one.what}" + (f": {one.problem}" * bool(one.problem))
        )
    if any(one.problem for one in found):
        print(doctor.REMEDY)
        return 1
    return 0


def _key(options: argparse.Namespace) -> int:
    try:
        number = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise GradeError(f"{options.file}: {error.strerror}") from None
    with os.fdopen(number, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
    print(f"{options.file}: written. Keep it to yourself, and keep it: the grades depend on it.")
    return 0


def _release(options: argparse.Namespace) -> int:
    found = _master(options)
    compile_spec(found)  # the reference must answer everything that will be asked
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{found.name}.ipynb"
    path.write_text(release.release(found, options.book), encoding="utf-8", newline="\n")
    print(f"{path}: written ({found.points:g} points, course {found.course.name})")
    return 0


def _grade(options: argparse.Namespace) -> int:
    found = _master(options)
    if not 0 < options.seconds < Limits.total or options.jobs < 0:
        most = f"{Limits.total:g}"
        raise GradeError(f"--seconds is more than 0 and less than {most}, --jobs not negative")
    if options.out.resolve().is_relative_to(options.submissions.resolve()):
        raise GradeError(f"{options.out} is among the submissions: give --out another folder")
    terms = Terms(compile_spec(found), options.level, Limits(seconds=options.seconds))
    handed = batch.find(options.submissions, found.name)
    said = batch.grade_all(
        handed, terms, options.out, jobs=options.jobs, scheduler=options.scheduler
    )
    if others := sum(reason.startswith("made for the course") for _, reason in said):
        print(f"{others} were made for another course: is --course-key the right one?")
    if others := sum(reason.startswith("made for the assignment") for _, reason in said):
        print(f"{others} were made for another assignment: is --assignment the right one?")
    if twice := batch.twice(handed):
        print(f"More than one submission, of which to keep one: {', '.join(twice)}")
    counts = dict.fromkeys(("graded", "unreadable", "stopped"), 0)
    for status, _ in said:
        counts[status] += 1
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    print(f"{options.out / batch.GRADEBOOK}: {len(said)} submissions, {summary}")
    return 0


def _loaded(
    options: argparse.Namespace,
) -> tuple[list[Result], Spec, master.Master, rubric.Marks]:
    """The results, what was asked (as for practice: no answers are needed), and the marks."""
    results = batch.load(options.results)
    found = master.read(results[0].assignment, master.Course(), options.assignments)
    return results, compile_spec(found), found, rubric.stored(options.results)


def _rubric(options: argparse.Namespace) -> int:
    results, spec, _, marks = _loaded(options)
    if options.merge:
        merged, left_out = rubric.read_sheet(options.merge, results, spec.manual)
        rubric.store(merged, options.results)
        for line in left_out:
            print(f"Left out, {line}")
        done = sum(rubric.who(one) in rubric.stored(options.results) for one in results)
        print(f"{options.results / rubric.MERGED}: {done} of {len(results)} submissions graded")
        return 0
    path = options.results / rubric.SHEET
    if path.exists():
        raise GradeError(f"{path} is there already: merge it, then rename it")
    print(f"{path}: {rubric.write_sheet(results, spec.manual, marks, path)} criteria to grade")
    return 0


def _feedback(options: argparse.Namespace) -> int:
    results, _, found, marks = _loaded(options)
    feedback.write_all(results, found, marks, options.results / "feedback")
    print(f"{options.results / 'feedback'}: {len(results)} pages")
    return 0


def _report(options: argparse.Namespace) -> int:
    from nllgrade import report  # draws, and so takes a second to import

    results, spec, found, marks = _loaded(options)
    path = options.results / "report.html"
    beliefs = report.known_beliefs(options.assignments)
    path.write_text(report.report(results, spec, found.title, marks, beliefs), encoding="utf-8")
    print(f"{path}: written")
    return 0


def _export(options: argparse.Namespace) -> int:
    results, _, _, marks = _loaded(options)
    if names := [one.student for one in results if one.manual and rubric.who(one) not in marks]:
        print(f"Not graded by hand yet, and exported without those points: {', '.join(names)}")
    path = options.results / f"{options.format}.csv"
    if options.format == "csv":
        print(export.write_csv(results, marks, path))
        return 0
    if not (options.into and options.column):
        raise GradeError(f"--format {options.format} needs --into TABLE and --column NAME")
    school = export.SCHOOLS[options.format]
    if options.match:
        school = replace(school, column=options.match)
    print(export.fill(school, results, marks, options.into, options.column, path))
    return 0


def _autograder(options: argparse.Namespace) -> int:
    found = _master(options)
    compile_spec(found)
    print(export.gradescope_zip(found, options.assignments, options.out))
    return 0


def _gradescope(options: argparse.Namespace) -> int:
    found = _master(options)
    terms = Terms(compile_spec(found), "container", Limits())
    handed = [
        path
        for path in sorted((options.folder / "submission").rglob("*.ipynb"))
        if path.is_file() and not {"__MACOSX", ".ipynb_checkpoints"} & set(path.parts)
    ]
    try:
        if len(handed) != 1:
            raise submission.UnreadableError(f"{len(handed)} notebooks: hand in one file")
        content = submission.read_bytes(handed[0])
        record = export.gradescope_results(grade(terms, "student", handed[0].name, content))
    except submission.UnreadableError as error:
        record = {"score": 0, "output": f"unreadable: {error}"}
    path = options.folder / "results" / "results.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
