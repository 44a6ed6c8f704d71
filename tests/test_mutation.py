"""The changes that the unit tests must notice, and the bench that shows whether they do."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from tests import mutation
from tests.changes import Change, changes
from web.source import ROOT


def of(text: str, folder: Path) -> dict[str, list[str]]:
    """What becomes of each function of a module with this text."""
    (folder / "toy.py").write_text(text, encoding="utf-8")
    found: dict[str, list[str]] = {}
    for change in changes(folder / "toy.py")[0]:
        found.setdefault(change.function, []).append(change.after)
    return found


def test_a_function_is_changed_one_piece_at_a_time(tmp_path: Path) -> None:
    assert of("def f(x, y=1):\n    return x < y + 1\n", tmp_path) == {
        "f": [
            "def f(x, y=2):",
            "return x <= y + 1",
            "return x < y - 1",
            "return x < y + 2",
        ]
    }


def test_a_change_is_made_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "toy.py").write_text("X = 1\n\n\ndef f(x):\n    return x + 1\n", encoding="utf-8")
    found, _ = changes(tmp_path / "toy.py")
    assert [change.apply() for change in found if change.function == "f"] == [
        "X = 1\n\n\ndef f(x):\n    return x - 1\n",
        "X = 1\n\n\ndef f(x):\n    return x + 2\n",
    ]


def test_decorated_functions_methods_and_constants_are_changed(tmp_path: Path) -> None:
    text = "A, B = 1, g(0)\n\n@d(3)\ndef f():\n    return 1\n\nclass C(e(4)):\n    x: int = 5\n"
    text += "    @classmethod\n    def m(cls):\n        return 2\n"
    assert of(text, tmp_path) == {
        "A, B": ["A, B = None", "A, B = 2, g(0)", "A, B = 1, g(None)", "A, B = 1, g(1)"],
        "f": ["return 2"],
        "C.m": ["return 3"],
    }


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ('"""1 + 1"""', "1 + 1"),
        ("x: Literal[1] = y", "Literal[1]"),
        ('raise ValueError(f"not {x + 1}" + str(1 - x))', 'f"not {x + 1}" + str(1 - x)'),
        ('raise ValueError("not " "this") from error', '"not " "this"'),
        ('refuse("x", y, z, f"in 0..{k - 1}")', 'f"in 0..{k - 1}"'),
        ('batch.refuse("x", z, "finite")', '"finite"'),
        ("x.astype(np.float64)[:]", "x.astype(np.float64)"),
    ],
)
def test_messages_and_what_means_nothing_are_left_alone(
    line: str, kept: str, tmp_path: Path
) -> None:
    texts = of(f"def f():\n    {line}\n    return x - 1\n", tmp_path)["f"]
    assert texts.pop() == "return x - 2"
    assert texts.pop() == "return x + 1"
    assert all(kept in text for text in texts)


def test_a_text_that_is_used_in_messages_only_is_left_alone(tmp_path: Path) -> None:
    text = 'def f(x):\n    a = f"[{x - 1}]"\n    b = "text"\n    c = x - 1\n'
    text += '    raise ValueError(f"{a} {b} {c}")\n    return b\n'
    assert of(text, tmp_path)["f"] == [
        "b = None",
        'b = "XXtextXX"',
        'b = "TEXT"',
        "c = None",
        "c = x + 1",
        "c = x - 2",
    ]


def test_beside_a_message_the_rest_is_changed(tmp_path: Path) -> None:
    found = of(
        'def f():\n    raise E(claim, f"{x - 1}")\n    refuse("y", y > 1, "> 1")\n', tmp_path
    )
    assert found["f"] == [
        'raise E(None, f"{x - 1}")',
        'raise E(f"{x - 1}")',
        'refuse("y", None, "> 1")',
        'refuse("y", "> 1")',
        'refuse("y", y >= 1, "> 1")',
        'refuse("y", y > 2, "> 1")',
    ]


def test_a_hash_follows_the_function_but_not_its_docstring_or_its_neighbours(
    tmp_path: Path,
) -> None:
    def hashes(docstring: str, value: int, other: int) -> str:
        path = tmp_path / f"{docstring}-{value}-{other}" / "toy.py"
        path.parent.mkdir()
        path.write_text(f'X = {other}\ndef f():\n    """{docstring}"""\n    return {value}\n')
        return changes(path)[1]["toy.f"]

    assert hashes("a", 1, 1) == hashes("b", 1, 1) == hashes("a", 1, 2) != hashes("a", 2, 1)


def survivors(folder: Path) -> tuple[dict[Change, str], dict[str, str], dict[str, str]]:
    """Results with one survivor in twenty, the hashes, and the entry that explains it."""
    (folder / "toy.py").write_text("def f(x):\n    return x + 1\n", encoding="utf-8")
    (plus, number), hashes = changes(folder / "toy.py")
    results = {replace(number, end=number.end + i): "killed" for i in range(1, 19)}
    entry = {"where": "toy.f", "hash": hashes["toy.f"], "before": plus.before, "after": plus.after}
    return {**results, number: "timed out", plus: "survived"}, hashes, {**entry, "why": "because"}


def test_an_explained_survivor_is_no_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, hashes, entry = survivors(tmp_path)
    assert mutation.report(results, hashes, [entry]) == []
    table = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert table == [["toy", "20", "18", "1", "1", "95.0"], ["all", "20", "18", "1", "1", "95.0"]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"after": "return x"}, "no test notices it; write one, or explain it in survivors.toml:"),
        ({"after": "return x"}, "survivors.toml: toy.f: remove 'return x', which does not survive"),
        ({"hash": "0"}, "survivors.toml: toy.f has changed: look at its reasons again, and write "),
        ({"why": " "}, "survivors.toml: toy.f: 'return x - 1' needs a why"),
        ({"where": "toy.g"}, "survivors.toml: toy.g: remove 'return x - 1', which does not surv"),
    ],
)
def test_what_is_wrong_with_an_entry_is_a_problem(
    change: dict[str, str], problem: str, tmp_path: Path
) -> None:
    results, hashes, entry = survivors(tmp_path)
    problems = mutation.report(results, hashes, [{**entry, **change}])
    assert [one for one in problems if one.startswith(problem)]


def test_an_unexplained_survivor_is_printed_ready_to_be_explained(tmp_path: Path) -> None:
    results, hashes, entry = survivors(tmp_path)
    (problem,) = mutation.report(results, hashes, [])
    (found,) = tomllib.loads(problem.partition("\n")[2])["survivor"]
    assert {**found, "why": "because"} == entry


def test_too_many_survivors_are_a_problem_whatever_the_reasons(tmp_path: Path) -> None:
    results, hashes, entry = survivors(tmp_path)
    del results[next(iter(results))]
    assert mutation.report(results, hashes, [entry]) == [
        "94.7 % of the mutants are noticed, 95 % are wanted"
    ]


TOY = """
def double(x):
    return 2 * x

def unneeded(x):
    return abs(x + 1) if x > 0 else x + 1

def count(n):
    while n > 0:
        n -= 1
    return n
"""
TEST = """
from toy.toy import count, double, unneeded

def test_double():
    assert double(3) == 6

def test_unneeded():
    assert unneeded(2) == 3 and unneeded(-3) == -2

def test_count():
    assert count(3) == 0
"""
RUN = """
import sys
from pathlib import Path
from tests import mutation
from tests.changes import changes

mutants, _ = changes(Path(sys.argv[1]) / "toy" / "toy.py")
bench = mutation.run(mutants, sys.argv[1:])
for mutant, result in bench.results.items():
    print(result, mutant.where, mutant.after, sep=" | ")
"""


def bench(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    (folder / "toy").mkdir()
    (folder / "toy" / "toy.py").write_text(TOY, encoding="utf-8")
    (folder / "test_toy.py").write_text(test, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", RUN, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_bench_tells_noticed_from_unnoticed_and_endless(tmp_path: Path) -> None:
    run = bench(tmp_path, TEST)
    lines = [line.split(" | ", 1) for line in run.stdout.splitlines() if "|" in line]
    results = {change: result for result, change in lines}
    assert results["toy.double | return 2 / x"] == "killed", run
    assert results["toy.count | n = 1"] == "timed out"
    assert {change for change, result in results.items() if result == "survived"} == {
        "toy.unneeded | return abs(x + 1) if (x > 0) and False else x + 1",
        "toy.unneeded | return abs(x + 1) if x >= 0 else x + 1",
        "toy.unneeded | return abs(x + 1) if x > 1 else x + 1",
    }


@pytest.mark.slow
def test_tests_that_fail_without_a_change_stop_the_bench(tmp_path: Path) -> None:
    run = bench(tmp_path, TEST.replace("== 6", "== 7"))
    assert run.returncode
    assert "without any change" in run.stderr + run.stdout
