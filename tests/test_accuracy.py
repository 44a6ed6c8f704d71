"""The accuracy table: nllbook keeps its promises, the measure can see, the page is complete.

The inputs, the exact values and the measure are those of benchmarks/accuracy.py; here nllbook is
measured anew, and the exact values are compared with the plain definitions at a thousand digits.
"""

from __future__ import annotations

import inspect
import math
import re
from decimal import ROUND_CEILING
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import nllbook
from benchmarks import accuracy
from benchmarks.accuracy import DTYPES, FUNCTIONS, LIBRARIES, ROWS, Exact, Function, worst

pytestmark = pytest.mark.slow  # many digits take their time

ROOT = Path(__file__).parents[1]
EPS = {dtype: float(np.finfo(dtype).eps) for dtype in DTYPES}
TINY = float(np.finfo(np.float64).tiny)
INF, NAN = math.inf, math.nan

KEYS = [
    (function, dtype, family.name)
    for function in FUNCTIONS
    for family in function.families
    for dtype in family.dtypes
]
each = pytest.mark.parametrize(
    ("function", "dtype", "family"), KEYS, ids=[f"{f.name}, {d}, {name}" for f, d, name in KEYS]
)


@pytest.fixture(scope="module")
def measured() -> accuracy.Results:
    return accuracy.measure({"nllbook": accuracy.of_nllbook()})


# --- nllbook's promises --------------------------------------------------------------------------


@each
def test_nllbook_keeps_its_promise(
    measured: accuracy.Results, function: Function, dtype: str, family: str
) -> None:
    found = measured[function.name, dtype, family]["nllbook"]
    assert found.error <= function.limits[dtype], (
        f"{found.got!r} for {found.exact!r}: {found.error / EPS[dtype]:.3g} epsilons"
    )


def test_the_promises_are_these() -> None:
    four = {dtype: 4 * EPS[dtype] for dtype in DTYPES}
    rounded_sum = {"float32": EPS["float32"] / 2 + 1e-8}
    assert {function.name: function.limits for function in FUNCTIONS} == {
        "Categorical NLL": four,
        "Gradient": four,
        "log_softmax": four,
        "logsumexp": four,
        "Bernoulli NLL": four,
        "softplus": four,
        "log_sigmoid": four,
        "KL divergence": {"float64": 1e-12, "float32": four["float32"]},
        "Bernoulli mean": rounded_sum,
        "Categorical mean": rounded_sum,
    }


@pytest.mark.parametrize("family", accuracy.PAIRS, ids=lambda family: family.name)
def test_the_divergence_is_never_negative(family: accuracy.Family) -> None:
    kl_divergence = accuracy.of_nllbook()["KL divergence"].run
    for dtype in family.dtypes:
        for p, q in family.cases(dtype):
            assert np.all(kl_divergence(p, q) >= 0)
            assert np.all(kl_divergence(q, p) >= 0)


@pytest.mark.parametrize("family", accuracy.MANY, ids=lambda family: family.name)
def test_a_float64_mean_of_ten_million_float32_terms(family: accuracy.Family) -> None:
    """The labels are float64, and so is the result: it shows the sum itself, not its rounding."""
    ((z, y),) = family.cases("float32")
    exact = accuracy.many_truth(z, y)["Bernoulli mean"]
    found = nllbook.bernoulli_nll(y.astype(np.float64), logits=z)
    assert found.dtype == np.float64
    assert worst([found], exact, "float64").error <= 1e-8


# --- The exact values ----------------------------------------------------------------------------


def number(exact: Exact, index: int) -> Any:
    """The value that an ``Exact`` stands for, in mpmath."""
    high, low = float(exact.high[index]), float(exact.low[index])
    return mpmath.ldexp(mpmath.mpf(high) + mpmath.mpf(low), int(exact.shift[index]))


def assert_same(exact: Exact, expected: list[Any]) -> None:
    """To 30 digits: more than can be seen of an error, and what two floats hold."""
    assert len(exact.high) == len(expected)
    for index, value in enumerate(expected):
        assert abs(number(exact, index) - value) <= abs(value) * mpmath.mpf("1e-30")


HARD_ROWS = [
    ([0.3, -1.2, 2.5], 0),
    ([0.0, 100.0], 1),  # 1 − probability is 4e-44
    ([600.0, -745.0, 745.0], 2),
    ([600.0, -745.0, 745.0], 1),
    ([1e4, 1e4, 1e4 - 7], 2),
    ([1.0, 1.0 + 2.0**-52], 0),
    ([-40.0, -40.0], 1),
]


@pytest.mark.parametrize(("row", "label"), HARD_ROWS)
def test_rows_agree_with_the_plain_definitions(row: list[float], label: int) -> None:
    truth = accuracy.rows_truth(np.array([row]), np.array([label]))
    with mpmath.workdps(1000):  # the sums cancel, and nothing is lost
        powers = [mpmath.exp(one) for one in row]
        total = mpmath.fsum(powers)
        logs = [mpmath.log(one / total) for one in powers]
        assert_same(truth["Categorical NLL"], [-logs[label]])
        assert_same(truth["log_softmax"], logs)
        slope = [one / total - (place == label) for place, one in enumerate(powers)]
        assert_same(truth["Gradient"], slope)
        value = mpmath.log(total)
        got = number(truth["logsumexp"], 0)
        assert abs(got - value) <= mpmath.mpf("1e-30") * max(1, abs(value))
        assert truth["logsumexp"].scale[0] == max(1, abs(float(value)))


@pytest.mark.parametrize("z", [-745.0, -40.0, -1e-20, 0.0, 0.3, 20.0, 745.0])
@pytest.mark.parametrize("y", [0.0, 0.25, 1.0])
def test_scalars_agree_with_the_plain_definitions(z: float, y: float) -> None:
    bernoulli = accuracy.bernoulli_truth(np.array([z]), np.array([y]))["Bernoulli NLL"]
    truth = accuracy.scalars_truth(np.array([z]), np.array([y]))
    with mpmath.workdps(1000):
        sigma = 1 / (1 + mpmath.exp(-z))
        assert_same(bernoulli, [-y * mpmath.log(sigma) - (1 - y) * mpmath.log(1 - sigma)])
        assert_same(truth["softplus"], [-mpmath.log(1 - sigma)])
        assert_same(truth["log_sigmoid"], [mpmath.log(sigma)])


def test_the_divergence_agrees_with_its_definition() -> None:
    h = 2.0**-30
    p, q = np.array([[0.5, 0.5, 0.0]]), np.array([[0.5 - h, 0.5 - h, 2 * h]])
    truth = accuracy.pairs_truth(p, q)["KL divergence"]
    with mpmath.workdps(1000):
        assert_same(truth, [-mpmath.log(1 - 2 * mpmath.mpf(h))])  # log ½ / (½ − h), twice ½


def test_the_mean_counts_every_term() -> None:
    z, y = np.array([2.0, -1.0, 2.0, 2.0]), np.array([1, 0, 1, 0])
    truth = accuracy.many_truth(z, y)
    with mpmath.workdps(1000):
        terms = [mpmath.log(1 + mpmath.exp(one)) for one in (-2, -1, -2, 2)]
        for name in ("Bernoulli mean", "Categorical mean"):
            assert_same(truth[name], [mpmath.fsum(terms) / 4])


# --- The measure ---------------------------------------------------------------------------------


def exactly(*values: Any) -> Exact:
    return accuracy.relative([accuracy.mp.mpf(value) for value in values])


def test_an_error_is_measured_in_full() -> None:
    third = accuracy.relative([accuracy.mp.mpf(1) / 3])
    rounding = float((Fraction(1, 3) - Fraction(1 / 3)) * 3)
    assert worst([1 / 3], third, "float64").error == pytest.approx(abs(rounding), rel=1e-12)
    above = math.nextafter(1 / 3, 1)
    error = float((Fraction(above) - Fraction(1, 3)) * 3)
    assert worst([above], third, "float64").error == pytest.approx(error, rel=1e-12)
    assert worst([1e-300 * (1 + 2**-52)], exactly(1e-300), "float64").error == pytest.approx(
        2**-52, rel=0.5
    )


def test_the_worst_of_equal_errors_is_the_largest_value() -> None:
    found = worst([0.0, 0.0, 1.0, 0.0], exactly(1e-20, -1e-10, 1, 1e-30), "float64")
    assert found == accuracy.Worst(1.0, -1e-10, 0.0)
    assert accuracy.largest([accuracy.Worst(1, 1e-9, 0), found]).exact == 1e-9
    assert accuracy.largest([accuracy.Worst(1, 1e-11, 0), found]) == found


@pytest.mark.parametrize(
    ("got", "exact", "dtype", "error"),
    [
        (NAN, 1.0, "float64", INF),
        (INF, 1.0, "float64", INF),
        (-1.0, 1.0, "float64", 2.0),
        (0.0, 0.0, "float64", 0.0),
        (1e-300, 0.0, "float64", INF),  # where 0 is exact, nothing else will do
        (NAN, 0.0, "float64", INF),
        (INF, INF, "float64", 0.0),
        (NAN, INF, "float64", INF),
        (1e300, INF, "float64", INF),
        (-INF, INF, "float64", INF),
        (0.0, TINY, "float64", 1.0),  # the smallest normal number counts
        (0.0, TINY / 2, "float64", 0.0),  # those below it do not
        (NAN, TINY / 2, "float64", INF),
        (1.0, TINY / 2, "float64", INF),
        (0.0, "1e-500", "float64", 0.0),
        (0.0, 1e-39, "float32", 0.0),
        (0.0, 1e-39, "float64", 1.0),
    ],
)
def test_what_counts_as_an_error(got: float, exact: Any, dtype: str, error: float) -> None:
    assert worst([got], exactly(exact), dtype).error == error


def test_logsumexp_is_measured_against_at_least_one() -> None:
    exact = accuracy.floored([accuracy.mp.mpf("1e-20"), accuracy.mp.mpf(8)])
    assert worst([0.0, 8.0], exact, "float64").error == 1e-20
    assert worst([0.0, 8.5], exact, "float64").error == 0.5 / 8


def textbook(z: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        probs = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        return -np.log(probs[np.arange(len(y)), y])


def shifted(z: Any, y: Any) -> Any:
    top = z.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(z - top).sum(axis=1)) + top[:, 0]
    return log_sum - z[np.arange(len(y)), y]


@pytest.mark.parametrize("family", [one for one in ROWS if one.name != "all equal"])
def test_the_inputs_tell_good_formulas_from_textbook_ones(family: accuracy.Family) -> None:
    """Each family catches one of two familiar formulas, in float64."""
    cases = [case for case in family.cases("float64") if case[0].shape[1] <= 10]
    errors = [
        worst(formula(*case), accuracy.rows_truth(*case)["Categorical NLL"], "float64").error
        for case in cases
        for formula in (textbook, shifted)
    ]
    assert max(errors, default=INF) > 4 * EPS["float64"]


# --- The inputs ----------------------------------------------------------------------------------


@each
def test_inputs_are_the_same_at_every_call(function: Function, dtype: str, family: str) -> None:
    (found,) = [one for one in function.families if one.name == family]
    for case, again in zip(found.cases(dtype), found.cases(dtype), strict=True):
        for one, other in zip(case, again, strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == (np.int64 if one.dtype.kind == "i" else dtype)


def test_the_hard_list_is_among_the_inputs() -> None:
    cases = {
        (family.name, dtype): family.cases(dtype) for family in ROWS for dtype in family.dtypes
    }
    shapes = {z.shape[1] for found in cases.values() for z, _ in found}
    assert (min(shapes), max(shapes)) == (2, 50_257)

    def rows(name: str, dtype: str) -> list[tuple[Any, int]]:
        return [
            (row, int(label))
            for z, y in cases[name, dtype]
            for row, label in zip(z, y, strict=True)
        ]

    for dtype in DTYPES:
        assert all(np.ptp(row) == 0 for row, _ in rows("all equal", dtype))
        assert all(row.argmax() == label for row, label in rows("confident", dtype))
        assert all(row.argmin() == label for row, label in rows("confident, wrong", dtype))
        assert all(
            np.sort(row)[-1] > np.sort(row)[-2] + 15 for row, _ in rows("one dominant", dtype)
        )
        for row, _ in rows("near-ties", dtype):
            first, second = np.sort(row)[[-1, -2]]
            assert first - second <= 4 * np.spacing(first)
        for size, width in ((745, 90), (1e4, 40), (1e8, 150)):
            name = {745: "near ±745", 1e4: "near ±1e4", 1e8: "near ±1e8"}[size]
            found = np.concatenate([row for row, _ in rows(name, dtype)])
            assert np.all(np.abs(np.abs(found) - size) <= width)
            assert found.min() < 0 < found.max()
        masked = rows("−inf entries", dtype)
        assert any(row[label] == -INF for row, label in masked)
        alone = [np.isneginf(np.delete(row, label)).all() for row, label in masked if len(row) > 9]
        assert any(alone)
        assert any(np.ptp(row) == 0 for row, _ in rows("k = 50,257", dtype))
    losses = accuracy.rows_truth(*cases["confident", "float64"][0])["Categorical NLL"].rounded()
    assert TINY < losses.min() < 1e-290  # down to where the loss underflows
    assert losses.max() > 1e-30


@pytest.mark.parametrize("family", accuracy.PAIRS, ids=lambda family: family.name)
def test_probabilities_sum_to_exactly_one(family: accuracy.Family) -> None:
    for dtype in family.dtypes:
        for p, q in family.cases(dtype):
            for row in (*p, *q):
                assert row.min() >= 0
                assert sum(map(Fraction, row.tolist())) == 1
            assert np.all(q > 0)


# --- The page ------------------------------------------------------------------------------------

PAGE = accuracy.PAGE.read_text(encoding="utf-8")


def read_tables(text: str) -> dict[tuple[str, str, str], dict[str, str]]:
    """The entries of the page: by function ("" for the first section), float type, first cell."""
    entries: dict[tuple[str, str, str], dict[str, str]] = {}
    section, header = "", [""]
    for line in text.splitlines():
        cells = [one.strip() for one in line.strip("|").split("|")]
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and cells[0] in DTYPES:
            header = cells
        elif line.startswith("| ") and not set(line) <= set("|- "):
            key = section, header[0], cells[0]
            assert key not in entries
            entries[key] = dict(zip(header[1:], cells[1:], strict=True))
    return entries


TABLES = read_tables(PAGE)


def test_the_page_has_a_row_for_everything_that_is_measured() -> None:
    by_family = {(function.name, dtype, family) for function, dtype, family in KEYS}
    overall = {
        ("The worst of all finite inputs", dtype, function.name) for function, dtype, _ in KEYS
    }
    assert set(TABLES) == by_family | overall
    for (section, _, _), entries in TABLES.items():
        assert set(entries) <= set(LIBRARIES)
        assert {"nllbook", "SciPy", "torch", "optax"} <= set(entries)
        for entry in entries.values():
            assert re.fullmatch(r"–|0|[\d.e−]+<br>[\d.e−]+|\S+ for<br>\S+", entry), (section, entry)


@each
def test_the_page_shows_that_nllbook_keeps_its_promise(
    function: Function, dtype: str, family: str
) -> None:
    for key in (
        (function.name, dtype, family),
        ("The worst of all finite inputs", dtype, function.name),
    ):
        entry = TABLES[key]["nllbook"]
        assert " for" not in entry
        epsilons, error = re.split("<br>", entry.replace("−", "-")) if entry != "0" else ("0", "0")
        assert float(error) <= function.limits[dtype] * 1.1  # it is rounded up
        assert float(epsilons) * EPS[dtype] == pytest.approx(float(error), rel=0.2)


@pytest.mark.parametrize("library", LIBRARIES[1:])
def test_every_library_is_called_rightly(library: str) -> None:
    """A wrong argument, or arguments in the wrong order, would show at moderate inputs."""
    ordinary = {
        key: row[library]
        for key, row in TABLES.items()
        if library in row and key[1] == "float64" and key[2] in ("moderate", "unrelated")
    }
    assert ordinary
    for entry in ordinary.values():
        assert float(entry.partition("<br>")[2].replace("−", "-")) < 1e-10


def test_the_page_was_made_with_the_locked_versions() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE)
    pins += re.findall(r"\b(torch)==(\S+)", makefile)
    (line,) = [line for line in PAGE.splitlines() if line.startswith("Computed with")]
    for name in ("scipy", "scikit-learn", "torch", "optax", "jax", "numpy", "mpmath"):
        ((_, recorded),) = re.findall(rf"(^|[ ,]){name} ([\w.]*\w)", line)
        assert (name, recorded) in pins, f"{name} {recorded}: run make accuracy"


def test_the_version_of_torch_stands_in_one_place() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(re.findall(r"torch==", makefile)) == 1
    for name in ("pyproject.toml", "requirements.txt", "benchmarks/accuracy.py"):
        assert "torch==" not in (ROOT / name).read_text(encoding="utf-8")


def test_every_family_says_what_it_holds() -> None:
    for function in FUNCTIONS:
        for family in function.families:
            assert f"- **{family.name}**: {inspect.getdoc(family.make)}" in PAGE


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.512, "0.52"),
        (0.5, "0.5"),
        (3.001, "3.1"),
        (47.2, "48"),
        (1201, "1300"),
        (2.51e-16, "2.6e−16"),
        (4.41e15, "4.5e15"),
        (0, "0"),
        (INF, "inf"),
    ],
)
def test_errors_are_rounded_up(value: float, expected: str) -> None:
    assert accuracy.short(value, ROUND_CEILING) == expected


def test_results_are_rounded_to_the_nearest() -> None:
    assert accuracy.short(-5.94e-17) == "−5.9e−17"
    assert accuracy.short(-0.0) == "0"
