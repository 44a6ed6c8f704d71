"""The shipped data: complete, unchanged, read-only, each with its source and licence."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import tomllib
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.datasets

from nllbook import datasets
from nllbook.datasets import (
    Table,
    Text,
    load_coal_disasters,
    load_digits,
    load_engel,
    load_horse_kicks,
    load_hubble,
    load_illinois_rainfall,
    load_newcomb,
    load_novel,
    load_orings,
    load_penguins,
)

DATA = Path(str(files("nllbook"))) / "data"
LOADERS: list[Callable[[], Table | Text]] = [
    function for name, function in vars(datasets).items() if name.startswith("load_")
]
TABLES: list[Callable[[], Any]] = [
    function for function in LOADERS if function.__annotations__["return"] == "Table"
]
MEASUREMENTS = ["bill_length", "bill_depth", "flipper_length", "body_mass"]
CORPS = ["G", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XIV", "XV"]


def index() -> dict[str, dict[str, str]]:
    return tomllib.loads((DATA / "index.toml").read_text(encoding="utf-8"))


# --- what the data are ---------------------------------------------------------------------------


def test_horse_kicks_are_14_corps_in_20_years() -> None:
    kicks = load_horse_kicks()
    assert len(kicks) == 280
    assert list(kicks.columns) == ["year", "corps", "deaths"]
    np.testing.assert_array_equal(kicks["year"], np.repeat(np.arange(1875, 1895), 14))
    np.testing.assert_array_equal(kicks["corps"], CORPS * 20)
    assert kicks["deaths"].dtype == kicks["year"].dtype == np.int64
    # Bortkiewicz 1898, p. 25: 144 corps-years without a death, 91 with one, …
    assert Counter(kicks["deaths"].tolist()) == {0: 144, 1: 91, 2: 32, 3: 11, 4: 2}
    assert kicks["deaths"].sum() == 196


def test_horse_kicks_by_corps_and_by_year() -> None:
    """The margins of the printed table; a swap of two cells would show in them."""
    kicks = load_horse_kicks()
    cells = kicks["deaths"].reshape(20, 14)
    assert dict(zip(CORPS, cells.sum(axis=0).tolist(), strict=True)) == {
        "G": 16, "I": 16, "II": 12, "III": 12, "IV": 8, "V": 11, "VI": 17, "VII": 12, "VIII": 7,
        "IX": 13, "X": 15, "XI": 25, "XIV": 24, "XV": 8,
    }  # fmt: skip
    by_year = [3, 5, 7, 9, 10, 18, 6, 14, 11, 9, 5, 11, 15, 6, 11, 17, 12, 15, 8, 4]
    assert cells.sum(axis=1).tolist() == by_year


def test_the_usual_200_corps_years() -> None:
    kicks = load_horse_kicks()
    usual = ~np.isin(kicks["corps"], ["G", "I", "VI", "XI"])
    assert usual.sum() == 200
    # the counts that every textbook prints since Fisher 1925, table 2: 109, 65, 22, 3, 1
    assert np.bincount(kicks["deaths"][usual]).tolist() == [109, 65, 22, 3, 1]
    assert kicks["deaths"][usual].sum() == 122


def test_newcomb_is_stiglers_table_5() -> None:
    light = load_newcomb()
    deviation = light["deviation"]
    assert len(light) == len(deviation) == 66
    np.testing.assert_array_equal(light["i"], np.arange(1, 67))
    assert deviation.dtype == np.int64
    assert sorted(deviation.tolist())[:3] == [-44, -2, 16]  # the two outliers, then the rest
    assert deviation.max() == 40
    assert deviation.sum() == 1730  # a mean of 26.21, as in Stigler 1977
    assert float(np.median(deviation)) == 27.0
    assert deviation[:6].tolist() == [28, 26, 33, 24, 34, -44]  # in the order of his table
    assert deviation[-2:].tolist() == [16, 23]


def test_the_storms_are_those_of_rice() -> None:
    storms = load_illinois_rainfall()
    rainfall = storms["rainfall"]
    assert list(storms.columns) == ["year", "rainfall"]
    assert rainfall.dtype == np.float64
    years, counts = np.unique(storms["year"], return_counts=True)
    assert years.tolist() == [1960, 1961, 1962, 1963, 1964]
    assert counts.tolist() == [48, 48, 56, 37, 38]  # the lengths of Rice's five files
    assert np.all(np.diff(storms["year"]) >= 0)
    assert rainfall[:8].tolist() == [0.02, 0.001, 0.001, 0.12, 0.08, 0.42, 1.72, 0.05]
    assert rainfall[-3:].tolist() == [0.6, 0.002, 0.05]
    assert (rainfall.min(), rainfall.max()) == (0.001, 2.13)
    # sums in thousandths of an inch, so exact
    thousandths = np.round(1000 * rainfall).astype(np.int64)
    np.testing.assert_array_equal(thousandths / 1000, rainfall)
    assert thousandths.sum() == 50_937
    assert (thousandths**2).sum() == 41_674_345
    # Rice's moment estimates, 0.375 and 1.674, come from the rounded mean and variance
    mean, variance = round(rainfall.mean(), 3), round(rainfall.var(ddof=1), 4)
    assert (round(mean**2 / variance, 3), round(mean / variance, 3)) == (0.375, 1.674)


def test_the_novel_is_whole() -> None:
    novel = load_novel()
    assert len(novel.text) == 684_768
    assert novel.text.isascii()
    assert novel.text.startswith("PRIDE AND PREJUDICE\n\nBy Jane Austen\n")
    assert novel.text.rstrip().endswith("uniting them.")  # its last sentence
    assert novel.text.count("\n") == 13_030
    assert "\r" not in novel.text
    assert "Gutenberg" not in novel.text
    chapters = [line for line in novel.text.splitlines() if line.startswith("Chapter ")]
    assert chapters == [f"Chapter {number}" for number in range(1, 62)]


def test_engel_is_the_data_set_of_koenker_and_bassett() -> None:
    engel = load_engel()
    income, food = engel["income"], engel["food"]
    assert list(engel.columns) == ["income", "food"]
    assert len(engel) == 235
    assert income.dtype == food.dtype == np.float64
    assert (income[0], food[0]) == (420.157650843928, 255.839424594576)
    assert (income[137], food[137]) == (4957.81302447901, 1827.1999644396)  # the richest
    assert np.argmax(income) == 137
    assert np.all(food < income)
    # sum(income), sum(food) and sum(income * food) of quantreg's copy, rounded once
    assert math.fsum(income) == 230881.16533838297
    assert math.fsum(food) == 146675.27615863856
    assert math.fsum(income * food) == 174712745.22610414
    assert (
        len({*zip(income.tolist(), food.tolist(), strict=True)}) == 232
    )  # one stands three times, one twice


def test_engel_gives_the_median_line_that_quantreg_prints() -> None:
    """Its vignette rq.pdf prints intercept 81.4822474 and slope 0.5601806.

    A median line passes through two of the points and halves the others.
    """
    engel = load_engel()
    residual = engel["food"] - (81.4822474 + 0.5601806 * engel["income"])
    on = np.abs(residual) < 3e-4  # half the slope's last printed digit, times the largest income
    assert (on.sum(), (residual[~on] > 0).sum(), (residual[~on] < 0).sum()) == (2, 116, 117)


def test_orings_are_the_field_joints_of_23_launches() -> None:
    orings = load_orings()
    assert list(orings.columns) == ["flight", "temperature", "distressed"]
    assert orings["temperature"].dtype == orings["distressed"].dtype == np.int64
    # in the order of UCI's file, which gives temperature and count, but names no flight
    assert orings["temperature"].tolist() == [
        66, 70, 69, 68, 67, 72, 73, 70, 57, 63, 70, 78, 67, 53, 67, 75, 70, 81, 76, 79, 75, 76, 58,
    ]  # fmt: skip
    hit = orings["distressed"] > 0
    assert dict(zip(orings["flight"][hit], orings["distressed"][hit], strict=True)) == {
        "2": 1, "41-B": 1, "41-C": 1, "41-D": 1, "51-C": 2, "61-A": 2, "61-C": 1,
    }  # fmt: skip
    # as in challenger.txt; flight 4 was lost at sea
    assert orings["flight"].tolist() == [
        "1", "2", "3", "5", "6", "7", "8", "9", "41-B", "41-C", "41-D", "41-G", "51-A", "51-C",
        "51-D", "51-B", "51-G", "51-F", "51-I", "51-J", "61-A", "61-B", "61-C",
    ]  # fmt: skip


def test_orings_give_the_logistic_line_of_this_table() -> None:
    """R's glm on vcd's SpaceShuttle: 5.08498 - 0.11560 t. Here the score at that line is 0.

    With 0 for flight 61-A, as in UCI's file of erosion only, the score would be far from it.
    """
    orings = load_orings()
    t = orings["temperature"].astype(float)
    p = 1 / (1 + np.exp(-(5.0849772 - 0.1156012 * t)))
    for x in (np.ones(23), t):
        assert abs(float((x * (orings["distressed"] - 6 * p)).sum())) < 1e-2
        erosion_only = np.where(orings["flight"] == "61-A", 0, orings["distressed"])
        assert abs(float((x * (erosion_only - 6 * p)).sum())) > 1


def test_penguins_are_all_344_with_their_gaps() -> None:
    penguins = load_penguins()
    assert list(penguins.columns) == [
        "species", "island", "bill_length", "bill_depth", "flipper_length", "body_mass", "sex",
        "year",
    ]  # fmt: skip
    assert len(penguins) == 344
    assert Counter(zip(penguins["species"].tolist(), penguins["island"].tolist(), strict=True)) == {
        ("Adelie", "Biscoe"): 44, ("Adelie", "Dream"): 56, ("Adelie", "Torgersen"): 52,
        ("Chinstrap", "Dream"): 68, ("Gentoo", "Biscoe"): 124,
    }  # fmt: skip
    assert Counter(penguins["sex"].tolist()) == {"male": 168, "female": 165, "": 11}
    assert Counter(penguins["year"].tolist()) == {2007: 110, 2008: 114, 2009: 120}
    assert penguins["year"].dtype == np.int64
    measured = [penguins[name] for name in MEASUREMENTS]
    assert [column.dtype for column in measured] == [np.float64] * 4
    unmeasured = np.isnan(measured)
    assert np.flatnonzero(unmeasured.any(axis=0)).tolist() == [3, 271]  # rows 4 and 272 of R
    assert unmeasured.sum() == 8
    assert np.all(penguins["sex"][[3, 271]] == "")
    assert (~unmeasured.any(axis=0) & (penguins["sex"] != "")).sum() == 333


def test_penguins_have_the_sums_of_the_r_package() -> None:
    """colSums(p[p$species == s, 3:6], na.rm = TRUE) in R, in tenths, so exact; and by sex."""
    penguins = load_penguins()
    sums = {
        species: [
            round(10 * np.nansum(penguins[name][penguins["species"] == species]))
            for name in MEASUREMENTS
        ]
        for species in ("Adelie", "Gentoo", "Chinstrap")
    }
    assert sums == {
        "Adelie": [58_575, 27_703, 286_830, 5_588_000],
        "Gentoo": [58_431, 18_428, 267_140, 6_243_500],
        "Chinstrap": [33_207, 12_526, 133_160, 2_538_500],
    }
    mass = penguins["body_mass"]
    assert mass[penguins["sex"] == "female"].sum() == 245_925 + 119_925 + 271_425
    assert mass[penguins["sex"] == "male"].sum() == 295_175 + 133_925 + 334_575
    first = [penguins[name][0] for name in penguins.columns]
    assert first == ["Adelie", "Torgersen", 39.1, 18.7, 181.0, 3750.0, "male", 2007]
    last = [penguins[name][343] for name in penguins.columns]
    assert last == ["Chinstrap", "Dream", 50.2, 18.7, 198.0, 3775.0, "female", 2009]


def test_digits_are_those_of_scikit_learn() -> None:
    digits = load_digits()
    pixels, digit = digits["pixels"], digits["digit"]
    assert list(digits.columns) == ["pixels", "digit"]
    assert (pixels.shape, digit.shape) == ((1797, 64), (1797,))
    assert pixels.dtype == digit.dtype == np.int64
    assert pixels.flags.c_contiguous
    theirs = sklearn.datasets.load_digits()
    np.testing.assert_array_equal(pixels, theirs.data)
    np.testing.assert_array_equal(digit, theirs.target)
    np.testing.assert_array_equal(pixels.reshape(-1, 8, 8), theirs.images)


def test_digits_are_uci_s_test_half() -> None:
    digits = load_digits()
    # the class distribution that optdigits.names gives for the test set
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(digits["digit"]).tolist() == counts
    assert (digits["pixels"].min(), digits["pixels"].max()) == (0, 16)
    # three pixels at the left and right edges are white in all images
    assert np.flatnonzero(digits["pixels"].max(axis=0) == 0).tolist() == [0, 32, 39]


def test_hubble_is_his_table_1() -> None:
    hubble = load_hubble()
    assert list(hubble.columns) == ["name", "distance", "velocity"]
    assert len(hubble) == 24
    assert hubble["distance"].dtype == np.float64
    assert hubble["velocity"].dtype == np.int64
    # row by row from a transcription that names the nebulae (the R package stat0002 has no names)
    assert dict(zip(hubble["name"].tolist(), hubble["velocity"].tolist(), strict=True)) == {
        "S. Mag.": 170, "L. Mag.": 290, "N.G.C. 6822": -130, "598": -70, "221": -185, "224": -220,
        "5457": 200, "4736": 290, "5194": 270, "4449": 200, "4214": 300, "3031": -30, "3627": 650,
        "4826": 150, "5236": 500, "1068": 920, "5055": 450, "7331": 500, "4258": 500, "4151": 960,
        "4382": 500, "4472": 850, "4486": 800, "4649": 1090,
    }  # fmt: skip
    assert hubble["distance"].tolist() == [
        0.032, 0.034, 0.214, 0.263, 0.275, 0.275, 0.45, 0.5, 0.5, 0.63, 0.8, 0.9, 0.9, 0.9, 0.9,
        1.0, 1.1, 1.1, 1.4, 1.7, 2.0, 2.0, 2.0, 2.0,
    ]  # fmt: skip


def test_hubble_s_magnitudes_fit_his_distances() -> None:
    """The table's other columns, m and M: m - M = 5 log10(r / 10 pc), within their rounding."""
    apparent = np.array([
        1.5, 0.5, 9.0, 7.0, 8.8, 5.0, 9.9, 8.4, 7.4, 9.5, 11.3, 8.3, 9.1, 9.0, 10.4, 9.1, 9.6,
        10.4, 8.7, 12.0, 10.0, 8.8, 9.7, 9.5,
    ])  # fmt: skip
    absolute = -np.array([
        16.0, 17.2, 12.7, 15.1, 13.4, 17.2, 13.3, 15.1, 16.1, 14.5, 13.2, 16.4, 15.7, 15.7, 14.4,
        15.9, 15.6, 14.8, 17.0, 14.2, 16.5, 17.7, 16.8, 17.0,
    ])  # fmt: skip
    modulus = 5 * np.log10(load_hubble()["distance"] * 1e5)
    assert np.max(np.abs(modulus - (apparent - absolute))) < 0.1  # a step of r moves it by more


def test_coal_disasters_are_191_in_112_years() -> None:
    coal = load_coal_disasters()
    assert list(coal.columns) == ["year", "disasters"]
    assert coal["year"].tolist() == list(range(1851, 1963))
    assert coal["disasters"].dtype == np.int64
    assert coal["disasters"].sum() == 191
    # from the R package spmrf: table(coal$events)
    assert np.bincount(coal["disasters"]).tolist() == [33, 31, 13, 16, 11, 6, 2]
    # the four of 1947 fell on 10 January, 15 and 22 August and 9 September
    in_year = dict(zip(coal["year"].tolist(), coal["disasters"].tolist(), strict=True))
    assert (in_year[1947], in_year[1866], in_year[1961], in_year[1962]) == (4, 6, 0, 1)


def test_coal_disasters_differ_from_those_of_pymc_as_the_index_says() -> None:
    """An independent copy, pymc/examples/DisasterModel.py, with its three mistakes undone."""
    theirs = [
        4, 5, 4, 0, 1, 4, 3, 4, 0, 6, 3, 3, 4, 0, 2, 6, 3, 3, 5, 4, 5, 3, 1, 4, 4, 1, 5, 5, 3, 4, 2,
        5, 2, 2, 3, 4, 2, 1, 3, 2, 2, 1, 1, 1, 1, 3, 0, 0, 1, 0, 1, 1, 0, 0, 3, 1, 0, 3, 2, 2, 0, 1,
        1, 1, 0, 1, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0, 1, 1, 0, 2, 3, 3, 1, 1, 2, 1, 1, 1, 1, 2, 4, 2, 0,
        0, 1, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1,
    ]  # fmt: skip
    assert (len(theirs), sum(theirs)) == (111, 191)
    theirs.insert(1945 - 1851, 0)  # one of the three years without a disaster
    theirs[3:5] = [1, 0]  # 1854, 1855
    theirs[90:92] = [3, 3]  # 1941, 1942
    np.testing.assert_array_equal(load_coal_disasters()["disasters"], theirs)


# --- where they come from ------------------------------------------------------------------------


def test_every_file_is_in_the_index_and_nothing_else() -> None:
    assert {path.name for path in DATA.iterdir()} - {"index.toml"} == set(index())


@pytest.mark.parametrize("name", sorted(index()))
def test_every_file_has_source_licence_and_its_own_checksum(name: str) -> None:
    entry = index()[name]
    assert set(entry) == {"description", "source", "licence", "sha256"}
    assert all(len(entry[key].split()) >= 8 for key in ("description", "source", "licence"))
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("load", LOADERS)
def test_what_is_loaded_says_whose_it_is(load: Callable[[], Table | Text]) -> None:
    data = load()
    entry = index()[data.name]
    for key, value in entry.items():
        assert getattr(data, key) == value


def test_every_file_has_a_loader() -> None:
    assert sorted(load().name for load in LOADERS) == sorted(index())
    assert len(TABLES) == len(LOADERS) - 1  # and one novel


@pytest.mark.parametrize("load", LOADERS)
def test_a_changed_file_is_refused(
    load: Callable[[], Table | Text], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = load().name
    content = (DATA / name).read_bytes()
    changed = content[:-2] + (b"8" if content[-2:-1] == b"9" else b"9") + content[-1:]
    assert changed != content
    assert len(changed) == len(content)
    (tmp_path / "index.toml").write_bytes((DATA / "index.toml").read_bytes())
    (tmp_path / name).write_bytes(changed)
    monkeypatch.setattr(datasets, "_DATA", tmp_path)
    found, expected = hashlib.sha256(changed).hexdigest(), hashlib.sha256(content).hexdigest()
    message = (
        f"^the data file {name} was changed: its SHA-256 is {found}, expected {expected}; "
        "install nllbook again$"
    )
    with pytest.raises(ValueError, match=message):
        load()


def test_windows_line_ends_are_a_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    content = (DATA / "newcomb.csv").read_bytes()
    (tmp_path / "index.toml").write_bytes((DATA / "index.toml").read_bytes())
    (tmp_path / "newcomb.csv").write_bytes(content.replace(b"\n", b"\r\n"))
    monkeypatch.setattr(datasets, "_DATA", tmp_path)
    with pytest.raises(ValueError, match=r"^the data file newcomb\.csv was changed"):
        load_newcomb()


# --- how they behave -----------------------------------------------------------------------------


@pytest.mark.parametrize("load", TABLES)
def test_columns_are_read_only(load: Callable[[], Table]) -> None:
    table = load()
    for column in table.columns.values():
        with pytest.raises(ValueError, match="read-only"):
            column[0] = column[1]
        with pytest.raises(ValueError, match="read-only"):
            column.sort()
    with pytest.raises(TypeError, match="does not support item assignment"):
        table.columns["other"] = column  # type: ignore[index]


@pytest.mark.parametrize("load", TABLES)
def test_columns_are_of_equal_length(load: Callable[[], Table]) -> None:
    table = load()
    assert {len(column) for column in table.columns.values()} == {len(table)}
    assert {column.ndim for name, column in table.columns.items() if name != "pixels"} == {1}


@pytest.mark.parametrize("load", LOADERS)
def test_fields_cannot_be_replaced(load: Callable[[], Table | Text]) -> None:
    data = load()
    for field in dataclasses.fields(data):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(data, field.name, "another")


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(KeyError) as caught:
        load_horse_kicks()["death"]
    message = caught.value.args[0]
    assert message == "horse_kicks.csv has no column 'death', but year, corps, deaths"


@pytest.mark.parametrize("load", LOADERS)
def test_one_loaded_twice_can_be_compared(load: Callable[[], Table | Text]) -> None:
    first: Any = load()
    second: Any = load()
    assert (first == second) is True  # no "truth value of an array is ambiguous"
    assert hash(first) == hash(second)
    assert first != first.name
    assert all(first != other() for other in LOADERS if other is not load)


@pytest.mark.parametrize("load", LOADERS)
def test_the_repr_fits_in_a_notebook(load: Callable[[], Table | Text]) -> None:
    shown = repr(load())
    assert load().name in shown
    assert len(shown) < 2000  # a novel whose repr is the novel would be 700 kB of output


@pytest.mark.parametrize(
    ("values", "column"),
    [
        (["3", "NA"], [3.0, np.nan]),  # integers with a gap are floating
        (["NA", "-3.5"], [np.nan, -3.5]),
        (["3", "4"], [3, 4]),  # no gap: still integers
        (["x", "NA", "3"], ["x", "", "3"]),
        (["NA", "NA"], ["", ""]),  # nothing says that it is a number
        (["3", ""], ["3", ""]),  # only the mark is missing
        (["3", "nan"], ["3", "nan"]),
        (["3", "NA "], ["3", "NA "]),
    ],
)
def test_only_the_mark_of_the_file_is_missing(values: list[str], column: list[Any]) -> None:
    found = datasets._column(values, missing="NA")
    expected = np.array(column)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    assert not found.flags.writeable


def test_no_entry_is_missing_in_a_file_without_a_mark() -> None:
    assert datasets._column(["3", "NA"]).tolist() == ["3", "NA"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["3", "-4"], "i"),
        (["3", "x"], "U"),
        (["3.5", "1"], "f"),
        (["-0.001", "-2.0"], "f"),
        (["I"], "U"),
        (["nan", "1"], "U"),
        (["1_000", "2"], "U"),
        (["", "2"], "U"),
        (["1e3", "2"], "U"),
        ([".5", "2"], "U"),
    ],
)
def test_a_column_is_numbers_where_all_entries_are(values: list[str], kind: str) -> None:
    column: Any = datasets._column(values)
    assert column.dtype.kind == kind
    assert column.tolist() == [{"i": int, "f": float, "U": str}[kind](value) for value in values]
