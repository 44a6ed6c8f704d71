"""The classifiers that "Classification losses" writes from scratch, against scikit-learn's.

The functions are taken from the chapter's cells. scikit-learn minimises the same objective, mean
NLL + ‖V‖²/(2nC) with the intercepts free (its user guide, "Logistic regression"), with a solver of
its own. What it returns is put into the objective as the chapter has it, and into one written out
here.
"""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from nllbook import categorical_nll, datasets
from web import source

WANTED = {"objective", "second_derivatives", "fit", "logistic", "launches", "six"}


def chapters_functions() -> dict[str, Any]:
    """The functions named in WANTED, as the chapter defines them, and what they need."""
    namespace: dict[str, Any] = {}
    first, *cells = source.read(source.CHAPTERS / "classification-losses.md").cells
    exec(first.body, namespace)  # the imports
    rings = datasets.load_orings()
    namespace["fahrenheit"] = rings["temperature"].astype(float)
    namespace["distress"] = (rings["distressed"] > 0).astype(float)
    namespace["hurt"] = rings["distressed"] / 6
    for cell in cells:
        for node in ast.parse(cell.body).body:
            if isinstance(node, ast.FunctionDef) and node.name in WANTED:
                exec(ast.unparse(node), namespace)
    assert set(namespace) >= WANTED
    return namespace


CHAPTER = chapters_functions()


def written_out(W: NDArray[Any], x: NDArray[Any], y: NDArray[Any], C: float) -> float:
    """The objective by loops and Python's math: no function of the book."""
    total = 0.0
    for row, label in zip(x, y, strict=True):
        z = [float(b + row @ v) for b, v in zip(W[0], W[1:].T, strict=True)]
        total += math.log(math.fsum(math.exp(one - max(z)) for one in z)) + max(z) - z[label]
    return total / len(y) + float(np.sum(W[1:] ** 2)) / (2 * len(y) * C)


def scikit_learn(x: NDArray[Any], y: NDArray[Any], C: float) -> NDArray[Any]:
    """The weights of scikit-learn's optimum, arranged like the chapter's."""
    model = LogisticRegression(C=C, tol=1e-10, max_iter=20_000).fit(x, y)
    return np.vstack([model.intercept_, model.coef_.T])


def penguins(columns: list[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    table = datasets.load_penguins()
    complete = table["sex"] != ""
    x = np.column_stack([table[name] for name in columns])[complete]
    return (x - x.mean(axis=0)) / x.std(axis=0), np.unique(
        table["species"][complete], return_inverse=True
    )[1]


def digits(part: int | None = None) -> tuple[NDArray[Any], NDArray[Any]]:
    table = datasets.load_digits()
    rows = np.ones(len(table), bool) if part is None else np.arange(len(table)) % 3 == part
    return table["pixels"][rows] / 16, table["digit"][rows]


FOUR = ["bill_length", "bill_depth", "flipper_length", "body_mass"]


@pytest.mark.parametrize(
    ("data", "C"),
    [
        pytest.param(digits(), 1.0, id="all digits", marks=pytest.mark.slow),
        pytest.param(digits(0), 0.01, id="0.01"),
        pytest.param(digits(0), 1.0, id="1"),
        pytest.param(digits(0), 100.0, id="100", marks=pytest.mark.slow),
        pytest.param(penguins(FOUR), 1.0, id="penguins"),
        pytest.param(penguins(FOUR), 100.0, id="penguins, 100"),
        pytest.param(penguins(FOUR[:2]), math.inf, id="penguins by two, free"),
    ],
)
def test_softmax_regression(data: tuple[NDArray[Any], NDArray[Any]], C: float) -> None:
    x, y = data
    ours, theirs = CHAPTER["fit"](x, y, C), scikit_learn(x, y, C)
    value, gradient = CHAPTER["objective"](ours, x, y, C)
    assert np.abs(gradient).max() < 1e-11
    assert abs(value - written_out(ours, x, y, C)) < 1e-12
    rival = CHAPTER["objective"](theirs, x, y, C)[0]
    assert abs(rival - written_out(theirs, x, y, C)) < 1e-12
    assert -1e-12 < rival - value < 1e-9  # nothing lower was found there
    nll = [categorical_nll(y, logits=W[0] + x @ W[1:]) for W in (ours, theirs)]
    assert abs(nll[0] - nll[1]) < 1e-6


def test_another_penalty_is_told_apart() -> None:
    """What the comparison is worth: C doubled, or ‖V‖²/(nC), is seen at once."""
    x, y = digits(0)
    theirs = scikit_learn(x, y, 1.0)
    for C in (0.5, 2.0):
        other = CHAPTER["fit"](x, y, C)
        nll = [categorical_nll(y, logits=W[0] + x @ W[1:]) for W in (other, theirs)]
        assert abs(nll[0] - nll[1]) > 1e-2


def test_launches() -> None:
    """Two classes without a penalty: one column of weights, the maximum-likelihood fit."""
    x = (CHAPTER["fahrenheit"] - 31)[:, None]
    y = CHAPTER["distress"].astype(int)
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(x, y)
    theirs = np.array([model.intercept_[0], model.coef_[0, 0]])
    ours = CHAPTER["newton"](CHAPTER["launches"], [0.0, 0.0]).x[-1]
    assert np.abs(CHAPTER["launches"](ours)[1]).max() < 1e-9
    values = [CHAPTER["launches"](w)[0] / len(y) for w in (ours, theirs)]
    assert abs(values[0] - values[1]) < 1e-6
    # Dalal, Fowlkes and Hoadley's data in other hands: logit 15.043 − 0.2322 t
    assert abs(ours[0] - 31 * ours[1] - 15.043) < 1e-3
    assert abs(ours[1] + 0.2322) < 1e-4


def test_six_rings_as_published() -> None:
    """The estimates of Dalal, Fowlkes and Hoadley (1989) for the number of distressed O-rings.

    By temperature alone 5.085 and −0.1156, standard errors 3.052 and 0.047, as quoted from the
    fourth page of the article in a notebook of Inria's course on reproducible research.
    """
    at_31 = CHAPTER["newton"](CHAPTER["six"], np.zeros(2)).x[-1]
    to_zero = np.array([[1.0, -31.0], [0.0, 1.0]])  # the intercept at 0 °F, from that at 31 °F
    covariance = to_zero @ np.linalg.inv(CHAPTER["six"](at_31)[2]) @ to_zero.T
    intercept, slope = to_zero @ at_31
    errors = np.sqrt(np.diag(covariance))
    assert (round(intercept, 3), round(slope, 4)) == (5.085, -0.1156)
    assert (round(errors[0], 3), round(errors[1], 3)) == (3.052, 0.047)
