"""What is said about the measurements of benchmarks/speed.py: goals, tables and figures.

All of it is made from the JSON that `make bench` writes; no number is typed but the goals.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import PAGE as ACCURACY
from benchmarks.accuracy import short, table
from nllbook import plotting

OURS, EXP, LOG, BARE = "nllbook", "np.exp", "np.log", "exp and sum alone"
LOGSUMEXP, LOG_SOFTMAX = "SciPy logsumexp", "SciPy log_softmax"
SCIPY, SKLEARN, TORCH, OPTAX = "SciPy", "scikit-learn", "torch", "optax"
PEERS = (LOGSUMEXP, LOG_SOFTMAX, SCIPY, SKLEARN, TORCH, OPTAX)
LOSSES = ("categorical_nll", "bernoulli_nll", "gaussian_nll")
DTYPES = ("float64", "float32")
NEWTON, DESCENT = "nllbook.newton", "nllbook.gradient_descent"
BLOCK, PER_ROW = 2**18, 64  # bytes that a loss may take: a block, and eight float64 a row

Results = dict[str, Any]
Measured = tuple[list[float], str]  # the quartiles, or the number alone; and of what
Found = Callable[[Results], Iterator[Measured]]


def number(value: float) -> str:
    """1,234, 12.3, 1.23, 0.012."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else short(value)


def times(values: Sequence[float]) -> str:
    """The median, with its quartiles where there are some: 1.31 (1.29 to 1.36)."""
    middle = number(values[len(values) // 2])
    return f"{middle} ({number(values[0])} to {number(values[-1])})" if len(values) > 1 else middle


def shape(entry: Results) -> str:
    return " × ".join(f"{one:,}" for one in entry["shape"])


def named(entry: Results) -> str:
    gradient = ", with gradient" if entry["gradient"] else ""
    data = f", {entry['data']}" if "data" in entry else ""
    return f"{shape(entry)}{data}, {entry['dtype']}{gradient}"


# --- The goals -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Goal:
    """A number that each of what was measured should not exceed, or should reach."""

    name: str
    says: str
    limit: float
    found: Found
    at_least: bool = False
    unit: str = ""
    digits: Callable[[float], str] = number

    def worst(self, results: Results) -> Measured | None:
        """What is furthest on the wrong side; None where nothing was measured."""
        found = list(self.found(results))
        worst = min if self.at_least else max
        return worst(found, key=lambda one: one[0][len(one[0]) // 2]) if found else None

    def met(self, values: Sequence[float]) -> bool:
        return self.right(values[len(values) // 2])

    def right(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def verdict(self, values: Sequence[float]) -> str:
        """Met or missed by the median; and where the goal is between the quartiles, that it is."""
        between = self.right(values[0]) != self.right(values[-1])
        verdict = "met" if self.met(values) else "**missed**"
        return verdict + (", the goal between the quartiles" if between else "")


def wide(entry: Results) -> bool:
    return bool(entry["shape"][1] >= 1000)


def narrow(entry: Results) -> bool:
    return entry["shape"][1] == 10 and long(entry)


def long(entry: Results) -> bool:
    return bool(entry["shape"][0] >= 10_000)


def of(loss: str, who: str, keep: Callable[[Results], bool], dtype: str = "") -> Found:
    """The ratios to the floor, or of a peer to nllbook, of a loss without gradient."""

    def found(results: Results) -> Iterator[Measured]:
        for entry in results["losses"]:
            if entry["loss"] != loss or entry["gradient"] or dtype not in ("", entry["dtype"]):
                continue
            if keep(entry):
                floor = who == entry["floor"]
                one = entry["contenders"][OURS if floor else who]
                yield one["by_floor" if floor else "by_nllbook"], named(entry)

    return found


def rows(results: Results) -> Iterator[Measured]:
    for one in results["one_row"]:
        yield one["us"], one["loss"] + (", with gradient" if one["gradient"] else "")


def beyond(what: str) -> Found:
    def found(results: Results) -> Iterator[Measured]:
        for entry in results["scratch"]:
            if entry[what] is not None:
                yield [max(0, entry[what] - PER_ROW * entry["shape"][0]) / 1024], named(entry)

    return found


def flat(results: Results) -> Iterator[Measured]:
    for loss in dict.fromkeys(one["loss"] for one in results["growth"]):
        ns = [one["ns"][1] for one in results["growth"] if one["loss"] == loss]
        yield [max(ns) / min(ns)], loss


def stored(what: str, unit: float = 1.0) -> Found:
    def found(results: Results) -> Iterator[Measured]:
        for one in results["disk"]:
            if one[what] is not None:
                yield [one[what] / unit], f"{one['loss']}, {one['how']}"

    return found


def arrival(optimiser: str) -> Found:
    def found(results: Results) -> Iterator[Measured]:
        one = results["optimisers"]
        yield one["by_best"][optimiser], f"beside {one['best']}"

    return found


CATEGORICAL, BERNOULLI, GAUSSIAN = LOSSES
FLOOR = f"`categorical_nll`, in passes of `{EXP}`"
GOALS = (
    Goal("wide", f"{FLOOR}: float64, k ≥ 1,000", 1.35, of(CATEGORICAL, EXP, wide, "float64")),
    Goal("wide32", f"{FLOOR}: float32, k ≥ 1,000", 1.6, of(CATEGORICAL, EXP, wide, "float32")),
    Goal("narrow", f"{FLOOR}: float64, k = 10", 2.7, of(CATEGORICAL, EXP, narrow, "float64")),
    Goal("narrow32", f"{FLOOR}: float32, k = 10", 3.2, of(CATEGORICAL, EXP, narrow, "float32")),
    *(
        Goal(
            f"{loss} {peer} {dtype}",
            f"`{loss}`, times faster than {says}, {dtype}{'' if keep is bool else ', n ≥ 10,000'}",
            least,
            of(loss, peer, keep, dtype),
            at_least=True,
        )
        for loss, peer, says, least, keep in (
            (CATEGORICAL, LOGSUMEXP, "`scipy.special.logsumexp`", 10, bool),
            (CATEGORICAL, LOG_SOFTMAX, "`scipy.special.log_softmax`", 3, bool),
            (CATEGORICAL, SKLEARN, SKLEARN, 2.5, long),
            (CATEGORICAL, TORCH, TORCH, 1, long),
            *((BERNOULLI, peer, peer, 1, long) for peer in (SCIPY, SKLEARN, TORCH, OPTAX)),
            *((GAUSSIAN, peer, peer, 3, long) for peer in (SCIPY, TORCH)),
        )
        for dtype in DTYPES
    ),
    Goal("one row", "One row", 20, rows, unit=" µs"),
    Goal(
        "traced",
        f"Memory besides arguments and result, less {PER_ROW} bytes a row, by tracemalloc",
        BLOCK / 1024,
        beyond("traced"),
        unit=" KiB",
    ),
    Goal(
        "resident",
        f"The same by Linux, and less {PER_ROW} bytes a row",
        BLOCK / 1024 + 1024,
        beyond("resident"),
        unit=" KiB",
    ),
    Goal("growth", "Time of an element in arrays of 100,000 up: most by least", 1.5, flat),
    Goal(
        "difference",
        "From a disk: the relative difference to the result in one go, in float32",
        float(np.finfo(np.float32).eps),
        stored("difference"),
        digits=short,
    ),
    Goal("disk", "From a disk: memory", 32, stored("resident", 2**20), unit=" MiB"),
    Goal("newton", "Newton, in times of scikit-learn's best solver", 1.5, arrival(NEWTON)),
    Goal("descent", "Gradient descent, in times of the same", 1.5, arrival(DESCENT)),
)


def worst_of(name: str, results: Results) -> tuple[float, Results]:
    """The limit of a goal about a loss, and the case that did worst."""
    goal = next(goal for goal in GOALS if goal.name == name)
    worst = goal.worst(results)
    return goal.limit, next(
        entry for entry in results["losses"] if worst and named(entry) == worst[1]
    )


def why_bare(name: str, results: Results) -> str:
    """What the loss cannot do without, and what that alone takes."""
    limit, entry = worst_of(name, results)
    ours, bare = (entry["contenders"][one]["by_floor"][1] for one in (OURS, BARE))
    rest = "more than the goal" if bare > limit else "labels, checks and logarithms take the rest"
    return (
        f"{DOUBLE if entry['dtype'] == 'float32' else ''}nllbook takes {number(ours)} floors; in "
        "NumPy the exponentials and their sums alone, in float64 and block by block, take "
        f"{number(bare)}: {rest}."
    )


DOUBLE = (
    "float32 is computed in float64, so that the result is right to half a unit in the last place. "
)
DOUBLE_TOO = {(CATEGORICAL, SKLEARN), (GAUSSIAN, SCIPY)}  # peers that compute float32 in float64
PASSES = {  # of NumPy over a block, without weights and gradient
    BERNOULLI: "twelve passes of NumPy over each block, of which exp and log1p are two",
    GAUSSIAN: "at most eight passes of NumPy over each block, of which log is one",
}


def why_peer(loss: str, peer: str, dtype: str, results: Results) -> str:
    """What is known of the case in which a peer is ahead, or not far enough behind."""
    if dtype == "float32" and (loss, peer) not in DOUBLE_TOO:
        return f"{DOUBLE}The peer computes in float32."
    _, entry = worst_of(f"{loss} {peer} {dtype}", results)
    floors = {who: one["by_floor"][1] for who, one in entry["contenders"].items()}
    took = (
        f"nllbook takes {number(floors[OURS])} floors, exponentials and sums alone "
        f"{number(floors[BARE])}"
        if BARE in floors
        else f"The {number(floors[OURS])} floors are {PASSES[loss]}"
    )
    return f"{took}; {peer} takes {number(floors[peer])}."


def why_scratch(results: Results) -> str:
    return "What NumPy keeps to convert one float type into another counts, too."


def why_small(results: Results) -> str:
    """At which sizes the loss that did worst is slowest and fastest."""
    loss = max(flat(results), key=lambda one: one[0][0])[1]
    found = [one for one in results["growth"] if one["loss"] == loss]
    slowest, fastest = (pick(found, key=lambda one: one["ns"][1]) for pick in (max, min))
    first = " The first calls of a turn are slower than the next, and short calls feel it most."
    return (
        f"`{loss}` takes {number(slowest['ns'][1])} ns an element in arrays of "
        f"{slowest['elements']:,}, {number(fastest['ns'][1])} in arrays of "
        f"{fastest['elements']:,}.{first if slowest is found[0] else ''}"
    )


def why_row(results: Results) -> str:
    took = {(one["loss"], one["gradient"]): number(one["us"][1]) for one in results["one_row"]}
    of = [f"{took[loss, False]} and {took[loss, True]} µs for `{loss}`" for loss in LOSSES]
    return (
        f"Without the gradient and with it a row takes {', '.join(of)}: it is the time of Python "
        "and of the calls of NumPy for checks and formula, whatever the row."
    )


def why_newton(results: Results) -> str:
    one = results["optimisers"]
    best, steps = one["best"], one["steps"][NEWTON]
    return (
        f"Each of its {steps} steps makes a Hessian of {one['parameters']:,} by "
        f"{one['parameters']:,} numbers and solves with it, {step(one, NEWTON)} ms a step; {best} "
        f"takes {number(1e3 * one['seconds'][best][1])} ms in all."
    )


def why_descent(results: Results) -> str:
    one = results["optimisers"]
    return (
        f"One step size serves curvatures that differ by a factor of {number(one['condition'])}: "
        f"it takes {one['steps'][DESCENT]:,} steps of {step(one, DESCENT)} ms."
    )


def step(one: Results, optimiser: str) -> str:
    return number(1e3 * one["seconds"][optimiser][1] / max(1, one["steps"][optimiser]))


REASONS: dict[str, Callable[[Results], str]] = {
    **{name: partial(why_bare, name) for name in ("wide", "wide32", "narrow", "narrow32")},
    **{
        f"{loss} {peer} {dtype}": partial(why_peer, loss, peer, dtype)
        for loss in LOSSES
        for peer in PEERS
        for dtype in DTYPES
        if any(goal.name == f"{loss} {peer} {dtype}" for goal in GOALS)
    },
    "one row": why_row,
    "traced": why_scratch,
    "growth": why_small,
    "newton": why_newton,
    "descent": why_descent,
}


# --- The tables ----------------------------------------------------------------------------------


def goals(results: Results) -> list[str]:
    lines, missed, kept = dict[str, list[str]](), list[str](), 0
    for goal in GOALS:
        worst = goal.worst(results)
        if worst is None:
            lines[goal.says] = [limit(goal), "not measured", "", ""]
            continue
        values, where = worst
        shown = times(values) if goal.digits is number else goal.digits(values[0])
        met = goal.met(values)
        kept += met
        lines[goal.says] = [limit(goal), shown + goal.unit, where, goal.verdict(values)]
        if not met:
            why = REASONS.get(goal.name)
            reason = why(results) if why else "The reason is not known."
            missed.append(f"- **{goal.says}.** {reason}")
    first = "Goal, and the case that did worst"
    of = f"Of {kept + len(missed)} goals"
    said = ["", f"{of} {kept} are met. Missed:" if missed else f"{of} all are met."]
    head = table(first, ["goal", "measured", "where", ""], lines)
    return [*head, *said, *([""] if missed else []), *missed]


def limit(goal: Goal) -> str:
    value = short(goal.limit) if goal.digits is short else f"{goal.limit:g}"
    return ("≥ " if goal.at_least else "≤ ") + value + goal.unit


def loss_table(results: Results, loss: str, dtype: str, gradient: bool) -> list[str]:
    found = [
        entry
        for entry in results["losses"]
        if (entry["loss"], entry["dtype"], entry["gradient"]) == (loss, dtype, gradient)
    ]
    peers = [one for one in PEERS if one in found[0]["contenders"]]
    floor = found[0]["floor"]
    lines = {
        f"{shape(entry)}, {entry['data']}": [
            number(entry["contenders"][floor]["ns"][1]) + " ns",
            times(entry["contenders"][OURS]["by_floor"]),
            *(number(entry["contenders"][one]["by_nllbook"][1]) for one in peers),
        ]
        for entry in found
    }
    first = dtype + (", with gradient" if gradient else "")
    return table(first, [floor, OURS, *peers], lines)


def folded(summary: str, *blocks: Sequence[str]) -> list[str]:
    lines = ['<details class="accuracy">', f"<summary>{summary}</summary>", ""]
    for block in blocks:
        lines += [*block, ""]
    return [*lines, "</details>", ""]


def fragment(results: Results) -> str:
    """The tables as Markdown that GitHub and the book both show."""
    lines = ["<!-- Written by `make bench`: do not edit. -->", "", "## The goals", ""]
    lines += ['<div class="accuracy">', "", *goals(results), "", "</div>", ""]
    lines += ["## Every case", ""]
    lines += [
        f"The first column is the floor's time for one element, the second that of {OURS} in "
        "floors, with the quartiles; the others are the times of the other libraries by that of "
        f"{OURS}: above 1, {OURS} is faster.",
        "",
    ]
    for loss in LOSSES:
        blocks = [loss_table(results, loss, dtype, g) for g in (False, True) for dtype in DTYPES]
        lines += folded(f"{loss}: time by shape, data and float type", *blocks)
    by_loss = {
        loss: [
            times(one["us"])
            for gradient in (False, True)
            for one in results["one_row"]
            if one["loss"] == loss and one["gradient"] == gradient
        ]
        for loss in LOSSES
    }
    lines += folded("One row, microseconds", table("", ["value", "with gradient"], by_loss))
    memory = {
        named(one): [f"{one['traced'] / 1024:,.0f}", kib(one["resident"])]
        for one in results["scratch"]
    }
    lines += folded(
        "Memory besides arguments and result, KiB", table("", ["tracemalloc", "Linux"], memory)
    )
    grown = {
        f"{one['loss']}, {one['elements']:,}": [times(one["ns"]), times(one["floor_ns"])]
        for one in results["growth"]
    }
    lines += folded(
        "Small and large arrays, nanoseconds an element",
        table("", [OURS, "floor"], grown),
    )
    mapped = {
        f"{one['loss']}, {one['how']}": [short(one["difference"]), kib(one["resident"])]
        for one in results["disk"]
    }
    size = results["disk"][0]["bytes"] / 1e6
    lines += folded(
        f"A file of {size:,.0f} MB on a disk",
        table("", ["relative difference", "memory, KiB"], mapped),
    )
    one = results["optimisers"]
    arrived = {
        name: [f"{1e3 * one['seconds'][name][1]:,.0f} ms", times(one["by_best"][name])]
        for name in one["seconds"]
    }
    lines += folded(
        f"Optimisers, to {short(one['within'])} above the smallest NLL, relatively",
        table("", ["time", f"by that of {one['best']}"], arrived),
    )
    lines += ["## The machine", "", machine(results)]
    return "\n".join(lines).rstrip() + "\n"


def kib(value: float | None) -> str:
    return "–" if value is None else f"{value / 1024:,.0f}"


def machine(results: Results) -> str:
    found, most = results["machine"], 0.0
    for entry in results["losses"]:
        most = max(most, *(one["busy"] for one in entry["contenders"].values()))
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    without = "" if any("AVX512" in one for one in found["features"]) else (
        " The goals were set for a machine with AVX-512, which this one has not."
    )  # fmt: skip
    return (
        f"Measured in {found['month']} on {found['system']}, {found['processor']}, "
        f"{found['cores']} cores, {found['memory'] / 2**30:.0f} GiB, where NumPy uses the "
        f"instructions {', '.join(found['features']) or 'of its baseline'}, with {versions}. "
        f"In the tables of losses nobody kept more than {most:.2f} cores busy.{without}"
    )


# --- The figures ---------------------------------------------------------------------------------

COLOURS = (plotting.BLUE, plotting.ORANGE, plotting.GREEN, plotting.PINK)
FAMILIES = ("moderate", "confident")  # of logits, as benchmarks/accuracy.py calls them
MARKERS, DASHES = "osD^", ("-", "--", "-.", ":")


def entry_of(results: Results, dtype: str, classes: int, data: str = "confident") -> Results:
    """The categorical NLL without gradient, of the most rows."""
    found = [
        entry
        for entry in results["losses"]
        if (entry["loss"], entry["dtype"], entry["data"]) == (CATEGORICAL, dtype, data)
        and not entry["gradient"]
        and entry["shape"][1] == classes
    ]
    return max(found, key=lambda entry: int(entry["shape"][0]))


def draw_ratios(results: Results) -> Any:
    """Everybody's time in floors, for wide and narrow rows; in nllbook's row also the goals."""
    fig, axes = plotting.figure(rows=2, height=6.6)
    who = [OURS, *(one for one in PEERS if one != SCIPY)]
    limits = {goal.name: goal.limit for goal in GOALS}
    for ax, dtype in zip(axes, DTYPES, strict=True):
        ax.axvline(1, color=plotting.GREY, linewidth=1)
        for index, (classes, goal) in enumerate(((1000, "wide"), (10, "narrow"))):
            contenders = entry_of(results, dtype, classes)["contenders"]
            found = np.array([contenders[one]["by_floor"] for one in who])
            places, colour = np.arange(len(who)) + 0.16 * (2 * index - 1), COLOURS[index]
            ax.hlines(places, found[:, 0], found[:, 2], color=colour)
            name = f"{classes:,} classes"
            ax.plot(found[:, 1], places, MARKERS[index], color=colour, label=name)
            at = limits[goal + dtype.removeprefix("float").replace("64", "")]
            ax.plot([at, at], [-0.45, 0.45], color=colour, linestyle=DASHES[index])
        ax.set_xscale("log")
        ax.set_yticks(range(len(who)), who)
        ax.invert_yaxis()
        plain_ticks(ax.xaxis)
        ax.set_title(dtype, loc="left")
    left, right = zip(*(ax.get_xlim() for ax in axes), strict=True)
    for ax in axes:  # one scale for both
        ax.set_xlim(min(left), max(right))
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.4, 1.1), ncols=2)
    axes[1].set_xlabel("time, in passes of np.exp")
    return fig


def plain_ticks(axis: Any) -> None:
    """1, 2, 5, 10, 20, … as they are said."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def draw_growth(results: Results) -> Any:
    """The time of an element, from small arrays to large ones."""
    fig, (ax,) = plotting.figure(height=3.4)
    names = list(dict.fromkeys(one["loss"] for one in results["growth"]))
    for index, loss in enumerate(names):
        found = [one for one in results["growth"] if one["loss"] == loss]
        sizes = [one["elements"] for one in found]
        ns = np.array([one["ns"] for one in found])
        style: Any = {"marker": MARKERS[index], "linestyle": DASHES[index], "color": COLOURS[index]}
        ax.plot(sizes, ns[:, 1], label=loss, **style)
        ax.vlines(sizes, ns[:, 0], ns[:, 2], color=COLOURS[index])
    floors = {
        floor: [
            float(np.median([one["floor_ns"][1] for one in results["growth"]
                             if (one["floor"], one["elements"]) == (floor, size)]))
            for size in sizes
        ]
        for floor in (EXP, LOG)
    }  # fmt: skip
    lower = min(floors, key=lambda floor: floors[floor][len(sizes) - 1])
    for floor, lines in floors.items():
        ax.plot(sizes, lines[: len(sizes)], color=plotting.GREY, linewidth=1, linestyle="-")
        at = (sizes[-1], lines[len(sizes) - 1])
        above = "top" if floor == lower else "bottom"  # the names beside the ends of the lines
        ax.annotate(f" {floor}", at, va=above, annotation_clip=False)
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)
    ax.set_xlabel("elements")
    ax.set_ylabel("nanoseconds an element")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return fig


def errors(family: str) -> dict[str, float]:
    """Of each library the worst relative error of the categorical NLL in float64: `accuracy.md`."""
    text = ACCURACY.read_text(encoding="utf-8").partition("\n## Categorical NLL\n")[2]
    first, _, rest = text.partition("| float64")[2].partition("\n")
    cells = re.search(rf"^\| {re.escape(family)} +\|(.*)\|$", rest, re.MULTILINE)
    assert cells is not None, f"{ACCURACY}: no row {family!r}"
    found, columns = {}, {SCIPY: LOG_SOFTMAX, "SciPy (2)": LOGSUMEXP}
    for name, cell in zip(first.split("|")[1:-1], cells[1].split("|"), strict=True):
        error = cell.replace("−", "-").strip().rpartition("<br>")[2]
        found[columns.get(name.strip(), name.strip())] = 1.0 if " for" in cell else float(error)
    return found


def draw_error_and_time(results: Results) -> Any:
    """What the digits cost: error to the right, time upwards, two markers for everybody."""
    fig, (ax,) = plotting.figure(height=4)
    contenders = entry_of(results, "float64", 1000)["contenders"]
    worst = {family: errors(family) for family in FAMILIES}
    taken = {name: contenders[name]["by_floor"][1] for name in worst[FAMILIES[0]]}
    least, most = min(taken.values()), max(taken.values())
    gap, before = (most / least) ** 0.055, 0.0
    for name in sorted(taken, key=taken.__getitem__):
        both = [worst[family][name] for family in FAMILIES]
        ax.plot(both, [taken[name]] * 2, color=plotting.GREY, linewidth=1, linestyle="-", zorder=0)
        if max(both) < 1e-3:
            ax.text(max(both), taken[name] / gap, name, ha="center", va="top")
            continue
        place = before = max(taken[name], before * gap)  # that no two names overlap
        ax.plot(
            [max(both), 4 * max(both)],
            [taken[name], place],
            color=plotting.GREY,
            linewidth=1,
            linestyle="-",
        )
        ax.text(6 * max(both), place, name, va="center")
    for index, family in enumerate(FAMILIES):
        x = [worst[family][name] for name in taken]
        style: Any = {"color": COLOURS[index], "markersize": (10, 6)[index]}
        ax.plot(x, list(taken.values()), MARKERS[index], label=f"{family} logits", **style)
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain_ticks(ax.yaxis)
    ax.set_ylim(least / gap**2, max(most, before) * gap)
    ax.set_xlim(1e-18, 1e9)
    ax.set_xticks([1e-16, 1e-12, 1e-8, 1e-4, 1])
    ax.set_xlabel("worst relative error")
    ax.set_ylabel("time, in passes of np.exp")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return fig


DRAWN: dict[str, Callable[[Results], Any]] = {
    "speed-ratios": draw_ratios,
    "speed-growth": draw_growth,
    "speed-errors": draw_error_and_time,
}


def digest(results: Results) -> str:
    """Of what the figures are drawn from: they hold it, so that a stale one is found."""
    said = [fragment(results), *(repr(errors(family)) for family in FAMILIES)]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def draw(results: Results, folder: Path) -> None:
    import matplotlib.pyplot as plt

    source = {"Source": digest(results), "Software": None}
    for name, figure in DRAWN.items():
        drawn = figure(results)
        drawn.savefig(folder / f"{name}.png", metadata=source)
        plt.close(drawn)
