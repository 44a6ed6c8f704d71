"""The real data of the book, shipped with the package: each with source, licence and checksum."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DATA = files("nllbook") / "data"


@dataclass(frozen=True)
class Table:
    """Columns of equal length, and where they come from.

    ``table["deaths"]`` is a read-only array. See the chapter "Likelihood".

    Attributes
    ----------
    name : str
        Of the file.
    columns : mapping from str to ndarray
        The columns by their names.
    description, source, licence : str
        What the data are, who published them, and what one may do with them.
    sha256 : str
        The checksum of the file.

    Examples
    --------
    >>> kicks = load_horse_kicks()
    >>> list(kicks.columns), len(kicks), int(kicks["deaths"].max())
    (['year', 'corps', 'deaths'], 280, 4)
    """

    name: str
    columns: Mapping[str, NDArray[Any]] = field(compare=False, repr=False)  # the checksum compares
    description: str
    source: str = field(repr=False)
    licence: str
    sha256: str

    def __getitem__(self, column: str) -> NDArray[Any]:
        if column not in self.columns:
            raise KeyError(f"{self.name} has no column {column!r}, but {', '.join(self.columns)}")
        return self.columns[column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


@dataclass(frozen=True)
class Text:
    """A text, and where it comes from. See the chapter "Likelihood".

    Attributes
    ----------
    name : str
        Of the file.
    text : str
        All of it.
    description, source, licence : str
        What it is, who published it, and what one may do with it.
    sha256 : str
        The checksum of the file.

    Examples
    --------
    >>> novel = load_novel()
    >>> novel.name, len(novel.text.splitlines()[0])
    ('pride_and_prejudice.txt', 19)
    """

    name: str
    text: str = field(repr=False)
    description: str
    source: str
    licence: str
    sha256: str


def load_horse_kicks() -> Table:
    """Deaths by horse kick in 14 corps of the Prussian army, 1875-1894 (Bortkiewicz 1898).

    See the chapter "Likelihood".

    Returns
    -------
    Table
        280 corps-years in the order of the printed table, year by year: ``year``, ``corps`` (G is
        the Guard) and ``deaths`` (men). The usual 200 leave out the corps G, I, VI and XI.

    Examples
    --------
    >>> kicks = load_horse_kicks()
    >>> len(kicks), int(kicks["deaths"].sum())
    (280, 196)
    """
    return _table("horse_kicks.csv")


def load_newcomb() -> Table:
    """Newcomb's 66 measurements of the passage time of light, 1882 (Stigler 1977, table 5).

    See the chapter "Likelihood".

    Returns
    -------
    Table
        ``deviation``: nanoseconds above 24,800 ns, in the order of Stigler's table.

    Examples
    --------
    >>> int(load_newcomb()["deviation"].min())  # 24,756 ns: a deviation may be negative
    -44
    """
    return _table("newcomb.csv")


def load_illinois_rainfall() -> Table:
    """Rainfall of 227 storms in southern Illinois, 1960-1964 (Le Cam and Neyman 1967).

    See the chapter "Log-likelihood".

    Returns
    -------
    Table
        ``year`` and ``rainfall`` (inches, averaged over a network of rain gauges), in the order of
        the source. All values are positive: from 0.001 to 2.13 inches.

    Examples
    --------
    >>> round(float(load_illinois_rainfall()["rainfall"].mean()), 3)
    0.224
    """
    return _table("illinois_rainfall.csv")


def load_engel() -> Table:
    """Income and food expenditure of 235 Belgian working-class households (Engel 1857).

    See the chapter "Mean squared error as Gaussian NLL".

    Returns
    -------
    Table
        ``income`` and ``food`` (expenditure on food), both in Belgian francs a year, a household
        a row, in the order of the R package quantreg.

    Examples
    --------
    >>> engel = load_engel()
    >>> share = engel["food"].sum() / engel["income"].sum()
    >>> len(engel), round(float(share), 3)  # of all income, the part spent on food
    (235, 0.635)
    """
    return _table("engel.csv")


def load_orings() -> Table:
    """The field O-rings of the 23 shuttle launches before Challenger's last (Dalal et al. 1989).

    See the chapter "Classification losses".

    Returns
    -------
    Table
        A launch a row, in order of time: ``flight`` (text: 1 to 9, then 41-B to 61-C; flight 4 is
        missing, its boosters were lost at sea), ``temperature`` (degrees Fahrenheit, of the joints
        at launch) and ``distressed``: how many of the six primary field-joint O-rings showed
        erosion or blow-by. Challenger was launched at 31 degrees according to Dalal, Fowlkes
        and Hoadley (1989); the Commission's report gives 36 for the air.

    Notes
    -----
    Other tables count otherwise; ``load_orings().source`` says which and how.

    Examples
    --------
    >>> orings = load_orings()
    >>> hit = orings["distressed"] > 0
    >>> len(orings), int(hit.sum()), int(orings["distressed"].sum())
    (23, 7, 9)
    >>> sorted(orings["temperature"][hit].tolist())
    [53, 57, 58, 63, 70, 70, 75]
    """
    return _table("orings.csv")


def load_penguins() -> Table:
    """Body measurements of 344 penguins near Palmer Station, Antarctica (Horst et al. 2020).

    See the chapter "Classification losses".

    Returns
    -------
    Table
        A penguin a row: ``species`` (Adelie, Chinstrap or Gentoo), ``island`` (Biscoe, Dream or
        Torgersen), ``bill_length``, ``bill_depth`` and ``flipper_length`` (mm), ``body_mass`` (g),
        ``sex`` (female or male) and ``year`` (2007 to 2009). What was not recorded is NaN among
        the four measurements and "" in ``sex``: 333 rows are complete.

    Examples
    --------
    >>> penguins = load_penguins()
    >>> complete = (penguins["sex"] != "") & ~np.isnan(penguins["body_mass"])
    >>> len(penguins), int(complete.sum())
    (344, 333)
    >>> penguins["flipper_length"][:4].tolist()
    [181.0, 186.0, 195.0, nan]
    """
    return _table("penguins.csv", missing="NA")


def load_digits() -> Table:
    """1,797 handwritten digits of 8 by 8 pixels: UCI's test part (Alpaydin and Kaynak 1998).

    See the chapter "Classification losses".

    Returns
    -------
    Table
        ``pixels``, shape (1797, 64): an image a row, its pixels row by row from the top left, each
        an integer from 0 (white) to 16 (black); ``digit``, shape (1797,): what was written, 0 to 9.

    Notes
    -----
    The same images in the same order as scikit-learn's ``load_digits``, which has them as float64.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits["pixels"].shape, digits["digit"][:10].tolist()
    ((1797, 64), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> for row in digits["pixels"][0].reshape(8, 8):
    ...     print("".join("#" if pixel > 7 else "-" for pixel in row))
    ---##---
    --####--
    --#--##-
    --#--##-
    --#--##-
    --#--#--
    --#-##--
    ---##---
    """
    name = "optdigits.csv"  # as at UCI, 65 integers a line and no header
    table = np.loadtxt(io.StringIO(_read(name).decode("ascii")), dtype=np.int64, delimiter=",")
    columns = {"pixels": table[:, :64].copy(), "digit": table[:, 64].copy()}
    for column in columns.values():
        column.flags.writeable = False
    return Table(name, MappingProxyType(columns), **_index()[name])


def load_hubble() -> Table:
    """Distances and velocities of 24 nebulae, from Hubble's table 1 of 1929.

    See the chapter "Mean squared error as Gaussian NLL".

    Returns
    -------
    Table
        A nebula a row, in the order of the table: ``name`` (as printed: the two Magellanic clouds,
        then numbers in the New General Catalogue), ``distance`` (10^6 parsecs) and ``velocity``
        (km/s; positive away from us). The distances are those of 1929, far too small.

    Examples
    --------
    >>> hubble = load_hubble()
    >>> approaching = hubble["velocity"] < 0
    >>> hubble["name"][approaching].tolist()  # 224 is the Andromeda nebula
    ['N.G.C. 6822', '598', '221', '224', '3031']
    """
    return _table("hubble.csv")


def load_coal_disasters() -> Table:
    """Explosions in British coal mines that killed ten or more, 1851-1962 (Jarrett 1979).

    See the chapter "Mean squared error as Gaussian NLL".

    Returns
    -------
    Table
        A year a row, 112 of them: ``year`` and ``disasters``, how many there were in it, 191 in
        all. Other disasters, such as fires, floods and falls down the shaft, are not counted.

    Examples
    --------
    >>> coal = load_coal_disasters()
    >>> len(coal), int(coal["disasters"].sum())
    (112, 191)
    >>> early = coal["year"] <= 1890  # 40 years of the 112
    >>> int(coal["disasters"][early].sum()), int(coal["disasters"][~early].sum())
    (125, 66)
    """
    return _table("coal_disasters.csv")


def load_novel() -> Text:
    """Jane Austen's *Pride and Prejudice* (1813), from its title to its last word.

    See the chapter "Likelihood".

    Returns
    -------
    Text
        Its ``text``, one string.

    Examples
    --------
    >>> load_novel().text.startswith("PRIDE AND PREJUDICE")
    True
    """
    name = "pride_and_prejudice.txt"
    return Text(name, _read(name).decode("utf-8"), **_index()[name])


@cache
def _index() -> dict[str, dict[str, str]]:
    """What data/index.toml says of each file."""
    return tomllib.loads((_DATA / "index.toml").read_text(encoding="utf-8"))


def _read(name: str) -> bytes:
    """The file's bytes, checked against the checksum in the index."""
    content = (_DATA / name).read_bytes()
    found, expected = hashlib.sha256(content).hexdigest(), _index()[name]["sha256"]
    if found != expected:
        raise ValueError(
            f"the data file {name} was changed: its SHA-256 is {found}, expected {expected}; "
            "install nllbook again"
        )
    return content


def _table(name: str, missing: str | None = None) -> Table:
    """The columns of a CSV file with a header; ``missing`` marks its empty cells, if it has any."""
    rows = list(csv.DictReader(io.StringIO(_read(name).decode("utf-8"))))
    columns = {column: _column([row[column] for row in rows], missing) for column in rows[0]}
    return Table(name, MappingProxyType(columns), **_index()[name])


def _column(values: list[str], missing: str | None = None) -> NDArray[Any]:
    """Integers where all entries are, else numbers where all are, else text; read-only.

    Text that Python would read as a number, such as "nan" or "1_000", stays text. Only an entry
    equal to ``missing`` may be missing: it becomes NaN in a column of numbers, integers too (which
    makes them floating), and "" in one of text.
    """
    present = [value for value in values if value != missing]
    column: NDArray[Any] = np.array(["" if value == missing else value for value in values])
    if all(re.fullmatch(r"-?\d+", value) for value in values):
        column = np.array([int(value) for value in values])
    elif present and all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in present):
        column = np.array([np.nan if value == missing else float(value) for value in values])
    column.flags.writeable = False
    return column
