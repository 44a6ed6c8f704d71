"""The measurements of speed and memory: their arithmetic, what is said of them, a quick run.

No time is tested: a slow machine fails nothing here.
"""

from __future__ import annotations

import copy
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from benchmarks import speed, speed_page
from benchmarks.speed_page import EXP, GOALS, OURS, REASONS, Results
from web.source import CHAPTERS, ROOT

MEASURED: Results = json.loads((ROOT / "benchmarks/results/speed.json").read_text(encoding="utf-8"))
SAID = (ROOT / "benchmarks/speed.md").read_text(encoding="utf-8")


# --- The arithmetic ------------------------------------------------------------------------------


def test_everybody_is_first_and_second_equally_often() -> None:
    orders = [speed.turns(["a", "b", "c"], round) for round in range(6)]
    assert orders[:3] == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]]
    for place in range(3):
        assert sorted(order[place] for order in orders) == ["a", "a", "b", "b", "c", "c"]


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def call(self, name: str, seconds: float) -> Callable[[], None]:
        def run() -> None:
            self.log.append(name)
            self.now += seconds

        return run


def test_contenders_take_turns() -> None:
    clock = Clock()
    runs = {name: clock.call(name, seconds) for name, seconds in (("slow", 2.0), ("fast", 0.5))}
    clocks = (lambda: clock.now, lambda: 3 * clock.now)
    found, busy = speed.take_turns(runs, 0, (3, 9), clocks)
    assert found == {"slow": [2.0] * 3, "fast": [0.5] * 3}
    assert busy == {"slow": 3, "fast": 3}
    assert clock.log == ["slow", "fast", *("slow", "fast"), *("fast", "slow"), *("slow", "fast")]


@pytest.mark.parametrize(("seconds", "rounds"), [(0, 3), (12.5, 5), (1000, 9)])
def test_time_decides_how_many_rounds_there_are(seconds: float, rounds: int) -> None:
    clock = Clock()
    runs = {"slow": clock.call("slow", 2.0), "fast": clock.call("fast", 0.5)}
    found, _ = speed.take_turns(runs, seconds, (3, 9), (lambda: clock.now, lambda: 0.0))
    assert len(found["slow"]) == len(found["fast"]) == rounds


def test_short_calls_are_repeated_after_one_that_is_not_counted() -> None:
    clock = Clock()
    cold, warm = clock.call("short", 0.001), clock.call("short", 0.00025)
    runs = {
        "long": clock.call("long", 0.01),
        "short": lambda: warm() if clock.log[-1] == "short" else cold(),
    }
    found, _ = speed.take_turns(runs, 0, (1, 1), (lambda: clock.now, lambda: 0.0))
    assert clock.log.count("long") == 2 + 1
    assert clock.log.count("short") == 2 + 1 + 8  # 2 ms
    assert found["short"] == pytest.approx([0.00025])


def test_a_ratio_is_taken_within_a_round() -> None:
    """The machine was ten times slower in the second round, for both."""
    assert speed.ratio([3, 30, 4, 2, 6], [1, 10, 1, 1, 1]) == [3, 3, 4]
    assert speed.quartiles([5, 1, 2, 4, 3]) == [2, 3, 4]


# --- Peers that compute something else -----------------------------------------------------------


def test_another_result_stops_the_run() -> None:
    ours = np.float64(2.0), np.array([[0.05, -0.05]])
    speed.agree("peer", (2.0 + 1e-10, ours[1]), ours, "float64", 10)
    speed.agree("peer", 2.001, ours[0], "float32", 10)
    for found, dtype, said in (
        ((2.0 + 2e-8, ours[1]), "float64", "the mean of peer is off by 1.0e-08, float64"),
        ((2.0, -ours[1]), "float64", "the slope of peer is off by 1.0e+00, float64"),
        ((2.0, ours[1] + 2e-6), "float32", "the slope of peer is off by 2.0e-05, float32"),
        ((math.nan, ours[1]), "float32", "the mean of peer is off by nan, float32"),
    ):
        with pytest.raises(SystemExit, match=re.escape(f"Wrong: {said} (allowed: ")):
            speed.agree("peer", found, ours, dtype, 10)


def test_logits_are_what_they_are_called() -> None:
    for dtype in speed_page.DTYPES:
        z, y = speed.logits(np.random.default_rng(0), 200, 10, "confident", dtype)
        assert z.dtype == dtype
        for row, label in zip(z, y, strict=True):
            others = np.delete(row, label)
            assert 5 - 1e-5 <= row[label] - others.max() <= 20 + 1e-5
        z, y = speed.logits(np.random.default_rng(0), 200, 10, "untrained", dtype)
        assert np.std(z) == pytest.approx(3, rel=0.1)


@pytest.mark.parametrize("sizes", [speed.FULL, speed.QUICK])
def test_sizes_can_be_cut_into_rows(sizes: speed.Sizes) -> None:
    assert all(one % 1000 == 0 for one in (*sizes.growth, sizes.disk))
    assert sizes.rounds[0] >= 2  # for quartiles


# --- What is said --------------------------------------------------------------------------------


AHEAD = f"{speed_page.CATEGORICAL} {speed_page.LOGSUMEXP} float64"


def with_ratio(goal: str, value: float) -> Results:
    """The measurements, but for the ratios to the floor or to nllbook of a goal."""
    results = copy.deepcopy(MEASURED)
    for entry in results["losses"]:
        if entry["loss"] == "categorical_nll":
            for one in entry["contenders"].values():
                one["by_floor" if goal == "wide" else "by_nllbook"] = [value] * 3
    return results


def line(results: Results, says: str) -> str:
    (found,) = [one for one in speed_page.goals(results) if one.startswith(f"| {says} ")]
    return found


@pytest.mark.parametrize(
    ("goal", "value", "met"),
    [
        ("wide", 1.35, True),
        ("wide", 1.36, False),
        (AHEAD, 10.0, True),
        (AHEAD, 9.9, False),
    ],
)
def test_a_goal_that_is_missed_is_said_to_be_missed(goal: str, value: float, met: bool) -> None:
    says = next(one.says for one in GOALS if one.name == goal)
    results = with_ratio(goal, value)
    assert ("**missed**" in line(results, says)) == (not met)
    assert speed_page.number(value) in line(results, says)
    reasons = [one for one in speed_page.goals(results) if one.startswith(f"- **{says}.** ")]
    assert len(reasons) == (not met)
    if reasons and goal in REASONS:
        assert reasons[0].endswith(REASONS[goal](results))


def test_the_worst_case_decides() -> None:
    results = with_ratio("wide", 1.2)
    entries = [
        entry
        for entry in results["losses"]
        if entry["dtype"] == "float64" and not entry["gradient"] and entry["floor"] == EXP
        if entry["loss"] == "categorical_nll" and entry["shape"][1] >= 1000
    ]
    entries[-1]["contenders"][OURS]["by_floor"] = [1.3, 1.4, 1.5]
    said = line(results, GOALS[0].says)
    assert [one.strip() for one in said.split("|")][3:6] == [
        "1.40 (1.30 to 1.50)",
        speed_page.named(entries[-1]),
        "**missed**, the goal between the quartiles",
    ]
    entries[-1]["contenders"][OURS]["by_floor"] = [1.36, 1.4, 1.5]
    assert "between" not in line(results, GOALS[0].says)
    entries[-1]["contenders"][OURS]["by_floor"] = [1.2, 1.3, 1.4]
    assert "| met, the goal between" in line(results, GOALS[0].says)


def test_what_was_not_measured_is_said_not_to_be() -> None:
    results = copy.deepcopy(MEASURED)
    for one in results["scratch"]:
        one["resident"] = None  # as where there is no /proc
    assert "not measured" in "\n".join(speed_page.goals(results))
    assert speed_page.fragment(results)


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (
            [4.5, 2.9, 3.0],
            "`nll` takes 4.50 ns an element in arrays of 100, 2.90 in arrays of 1,000. The first "
            "calls of a turn are slower than the next, and short calls feel it most.",
        ),
        (
            [3.0, 2.9, 4.5],
            "`nll` takes 4.50 ns an element in arrays of 10,000, 2.90 in arrays of 1,000.",
        ),
    ],
)
def test_of_the_sizes_the_slowest_and_the_fastest_are_named(times: list[float], said: str) -> None:
    slopes = {"nll": times, "gaussian_nll": [6.0, 6.1, 6.2]}  # slower, but flat
    grown = [
        {"loss": loss, "elements": 10**power, "ns": [ns - 0.1, ns, ns + 0.1]}
        for loss, found in slopes.items()
        for power, ns in enumerate(found, 2)
    ]
    assert REASONS["growth"]({"growth": grown}) == said


def test_every_reason_belongs_to_a_goal() -> None:
    names = [goal.name for goal in GOALS]
    assert len(set(names)) == len(names)
    assert set(REASONS) <= set(names)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (0.12, "0.12"), (0.0123, "0.012")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert speed_page.number(value) == text


# --- The page ------------------------------------------------------------------------------------


def test_the_page_says_what_was_measured() -> None:
    assert speed_page.fragment(MEASURED) == SAID, "run python -m benchmarks.speed --page"


@pytest.mark.parametrize("name", speed_page.DRAWN)
def test_the_figures_show_what_was_measured(name: str) -> None:
    with Image.open(CHAPTERS / f"{name}.png") as drawn:
        stale = f"{name}.png is stale: run python -m benchmarks.speed --page"
        assert drawn.info["Source"] == speed_page.digest(MEASURED), stale


@pytest.mark.parametrize("name", speed_page.DRAWN)
def test_nothing_lies_beyond_the_axes(name: str) -> None:
    fig = speed_page.DRAWN[name](MEASURED)
    plt.close(fig)
    for ax in fig.axes:
        (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
        for line in ax.lines:
            if line.get_marker() not in ("None", "", None):
                for x, y in zip(*line.get_data(), strict=True):
                    assert left <= x <= right, line.get_label()
                    assert low <= y <= high, line.get_label()


@pytest.mark.parametrize("loss", speed_page.LOSSES)
def test_one_row_has_the_value_first_and_then_the_gradient(loss: str) -> None:
    took = {one["gradient"]: one["us"] for one in MEASURED["one_row"] if one["loss"] == loss}
    cells = f"| {speed_page.times(took[False])} | {speed_page.times(took[True])} |"
    table = SAID[SAID.index("<summary>One row, microseconds</summary>") :]
    row = next(line for line in table.splitlines() if line.startswith(f"| {loss} "))
    assert re.sub(" +", " ", row) == f"| {loss} {cells}"


def test_the_page_is_in_the_book() -> None:
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert toc.index("file: chapters/speed\n") < toc.index("file: chapters/accuracy\n")
    page = (CHAPTERS / "speed.md").read_text(encoding="utf-8")
    assert "```{include} ../benchmarks/speed.md\n" in page
    for name in speed_page.DRAWN:
        assert f"```{{figure}} {name}.png\n" in page


def test_the_errors_are_those_of_the_accuracy_table() -> None:
    for family in speed_page.FAMILIES:
        found = speed_page.errors(family)
        peers = {OURS, *speed_page.PEERS} - {speed_page.SCIPY}
        assert set(found) == peers
        assert 0 < found[OURS] < 1e-15
        assert max(found.values()) <= 1


# --- A quick run ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that a quick run writes to, and what it prints."""
    folder = tmp_path_factory.mktemp("speed")
    command = (sys.executable, "-m", "benchmarks.speed", "--quick", "--to", str(folder))
    found = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert found.returncode == 0, found.stderr
    return folder, found.stdout


def every_number(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [one for part in value.values() for one in every_number(part)]
    if isinstance(value, list):
        return [one for part in value for one in every_number(part)]
    return [value] if isinstance(value, float) else []


@pytest.mark.slow
def test_a_quick_run_writes_everything(quick: tuple[Path, str]) -> None:
    folder, printed = quick
    results = json.loads((folder / "speed.json").read_text(encoding="utf-8"))
    assert list(results) == list(MEASURED)
    assert all(map(math.isfinite, every_number(results)))
    said = (folder / "speed.md").read_text(encoding="utf-8")
    assert said == speed_page.fragment(results)
    for goal in GOALS:
        assert goal.says in printed
    for name in speed_page.DRAWN:
        with Image.open(folder / f"{name}.png") as drawn:
            assert drawn.info["Source"] == speed_page.digest(results)


@pytest.mark.slow
def test_a_quick_run_measures_everybody_in_every_case(quick: tuple[Path, str]) -> None:
    results = json.loads((quick[0] / "speed.json").read_text(encoding="utf-8"))
    kinds = {
        loss: [one for one in results["losses"] if one["loss"] == loss]
        for loss in speed_page.LOSSES
    }
    sizes, dtypes, gradient = speed.QUICK, 2, 2
    assert [len(entries) for entries in kinds.values()] == [
        len(sizes.rows) * 2 * dtypes * gradient,
        len(sizes.terms) * 2 * dtypes * gradient,
        len(sizes.terms) * 2 * dtypes * gradient,
    ]
    for loss, peers in {
        "categorical_nll": {*speed_page.PEERS} - {speed_page.SCIPY},
        "bernoulli_nll": {*speed_page.PEERS} - {speed_page.LOGSUMEXP, speed_page.LOG_SOFTMAX},
        "gaussian_nll": {speed_page.SCIPY, speed_page.TORCH},
    }.items():
        for entry in kinds[loss]:
            contenders = entry["contenders"]
            assert set(contenders) >= peers | {OURS, entry["floor"]}
            assert contenders[entry["floor"]]["by_floor"] == [1, 1, 1]
            assert contenders[OURS]["by_nllbook"] == [1, 1, 1]
            assert all(one["ns"] == sorted(one["ns"]) for one in contenders.values())
    assert len(results["one_row"]) == 6
    assert len(results["scratch"]) == len(sizes.memory) * dtypes * gradient
    assert len(results["growth"]) == 4 * len(sizes.growth)
    assert len(results["disk"]) == 4
    assert max(one["difference"] for one in results["disk"]) <= np.finfo(np.float32).eps
    found = results["optimisers"]
    assert {speed_page.NEWTON, speed_page.DESCENT} < set(found["seconds"])
    assert found["by_best"][found["best"]] == [1, 1, 1]
