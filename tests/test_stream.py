"""Losses of data that come in batches, or lie on a disk: as in one go, in constant memory."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from nllbook import Bernoulli, Gaussian, categorical_nll, nll
from nllbook._reduce import BLOCK
from nllbook._stream import Running

EPS = float(np.finfo(np.float64).eps)
CUTS = (0, 1, 4, 4, 57, 300)  # batches of very different sizes, one of them empty


def cut(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    return (array[start:stop] for start, stop in itertools.pairwise(CUTS))


def table(dtype: str = "float64") -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(11)
    z = rng.normal(0, 3, (CUTS[-1], 7)).astype(dtype)
    return rng.integers(7, size=len(z)), z, rng.random(len(z))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_batches_cost_what_all_cost_in_one_go(reduction: Any, dtype: str) -> None:
    y, z, w = table(dtype)
    eps = float(np.finfo(dtype).eps)  # two sums of the same terms, each right to a few roundings
    options: dict[str, Any]
    for options in (
        {},
        {"class_weight": np.arange(7.0)},
        {"ignore_index": 3},
        {"label_smoothing": 0.1},
    ):
        whole = categorical_nll(y, logits=z, sample_weight=w, reduction=reduction, **options)
        parts = categorical_nll(
            cut(y), logits=cut(z), sample_weight=cut(w), reduction=reduction, **options
        )
        assert parts.dtype == dtype
        np.testing.assert_allclose(parts, whole, rtol=4 * eps)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(
        categorical_nll(cut(y), probs=cut(p), sample_weight=2.0, reduction=reduction),
        categorical_nll(y, probs=p, sample_weight=2.0, reduction=reduction),
        rtol=4 * eps,
    )
    x = z[:, 0]
    model = Gaussian(0.5, 2.0)
    parts = nll(cut(x), model, sample_weight=cut(w), reduction=reduction)
    assert parts.dtype == dtype
    np.testing.assert_allclose(parts, nll(x, model, w, reduction), rtol=4 * eps)


def test_batches_by_hand() -> None:
    """(1·log 2 + 3·log 4 + 0·log 4)/(1 + 3 + 0) = 7/4 log 2."""
    x = iter([[1], [0, 0]])
    weights = iter([[1], [3, 0]])
    value = nll(x, Bernoulli(0.5), sample_weight=weights)
    assert value == pytest.approx(math.log(2), rel=2 * EPS)
    value = nll(iter([[1], [0, 0]]), Bernoulli(0.75), sample_weight=iter([[1], [3, 0]]))
    assert value == pytest.approx((-math.log(0.75) + 3 * math.log(4)) / 4, rel=2 * EPS)
    assert nll(iter([[1], [1]]), Bernoulli(0.5), reduction="sum") == 2 * math.log(2)


def test_one_weight_for_all_batches_may_be_any() -> None:
    for weight in (5e-324, 1e308):
        model, x = Gaussian(0, 0.1), [[3.0], [0.0, 1.0]]
        whole = nll([3.0, 0.0, 1.0], model, sample_weight=weight)
        assert nll(iter(x), model, sample_weight=weight) == pytest.approx(whole, rel=4 * EPS)
    value = categorical_nll(iter([[0]]), logits=iter([[[0.0, 0.0]]]), class_weight=[1e308] * 2)
    assert value == pytest.approx(math.log(2), rel=4 * EPS)


def test_no_batches_at_all() -> None:
    assert nll(iter([]), Bernoulli(0.5), reduction="sum") == 0.0
    assert categorical_nll(iter([]), logits=iter([]), reduction="sum") == 0.0
    assert type(nll(iter([]), Bernoulli(0.5), reduction="sum")) is np.float64


def test_float32_only_where_all_batches_are() -> None:
    ones = np.ones(2, np.float32)
    assert nll(iter([ones, ones]), Gaussian(0, 1)).dtype == np.float32
    assert nll(iter([ones, ones.astype(float)]), Gaussian(0, 1)).dtype == np.float64


def test_losses_that_are_not_finite_pass() -> None:
    assert nll(iter([[2.0], [1.0]]), Bernoulli(0.5)) == math.inf
    assert math.isnan(nll(iter([[math.nan], [2.0]]), Bernoulli(0.5)))
    huge = iter([[-1e200], [-1e200]])  # each costs about 5e399
    assert nll(huge, Gaussian(0, 1), reduction="sum") == math.inf


ONE, TWO = [[0.0, 1.0]], [[0.0, 1.0], [2.0, 1.0]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: categorical_nll([0], logits=iter([ONE])),
            TypeError,
            r"^logits comes in batches, and so must y: an iterator$",
        ),
        (
            lambda: categorical_nll(iter([[0]]), probs=ONE),
            TypeError,
            r"^y comes in batches, and so must probs: an iterator$",
        ),
        (
            lambda: categorical_nll(iter([[0]]), logits=iter([ONE]), return_grad=True),
            ValueError,
            r"^return_grad: the gradient of batches has to be asked for one by one$",
        ),
        (
            lambda: categorical_nll(iter([[0]]), logits=iter([ONE]), sample_weight=[1.0]),
            TypeError,
            r"^sample_weight must be an iterator of batches, too, or one number$",
        ),
        (
            lambda: categorical_nll(iter([[0], [1]]), logits=iter([ONE])),
            ValueError,
            r"^logits ended after 1 batches, before the others$",
        ),
        (
            lambda: categorical_nll(iter([[0]] * 4), logits=iter([ONE] * 3)),
            ValueError,
            r"^logits ended after 3 batches, before the others$",
        ),
        (
            lambda: categorical_nll(iter([[0], [1, 2]]), logits=iter([ONE, TWO])),
            ValueError,
            r"^in batch 1: y\[1\] = 2 is outside 0..1$",
        ),
        (
            lambda: categorical_nll(iter([["a"]]), logits=iter([ONE])),
            TypeError,
            r"^in batch 0: y must be real numbers",
        ),
        (
            lambda: nll(iter([[1]]), Bernoulli(0.5), reduction="none"),
            ValueError,
            r"^reduction must be 'mean' or 'sum' where batches come one after another, got 'none'$",
        ),
        (
            lambda: nll(iter([[1]]), Bernoulli(0.5), sample_weight=iter([[0.0]])),
            ValueError,
            r"^no row has a weight, and their mean is not defined: sum them instead$",
        ),
        (
            lambda: nll(iter([]), Bernoulli(0.5)),
            ValueError,
            r"^no row has a weight, and their mean is not defined: sum them instead$",
        ),
        (
            lambda: nll(iter([[1], [0]]), Bernoulli(0.5), sample_weight=iter([[1e308]] * 2)),
            ValueError,
            r"^the weights add up to more than a float holds: divide them by a number$",
        ),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_errors_of_the_iterator_itself_pass_through() -> None:
    def broken() -> Iterator[list[int]]:
        yield [1]
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match=r"^the disk is gone$"):
        nll(broken(), Bernoulli(0.5))


def test_a_running_sum_keeps_what_roundings_lose() -> None:
    """1 + 10⁵ · 1e-17, where each addition alone is lost; and 1e16 + 1 − 1e16."""
    tiny = Running()
    for x in [1.0] + [1e-17] * 100_000:
        tiny.add(x)
    assert tiny.value() == 1 + 1e-12
    large = Running()
    for x in (1.0, 1e16, 1.0, -1e16):
        large.add(x)
    assert large.value() == 2.0


def test_arrays_on_disk_give_the_same(tmp_path: Path) -> None:
    y, z, _ = table()
    for dtype in (np.float64, np.float32):
        kept = np.memmap(tmp_path / np.dtype(dtype).name, dtype, "w+", shape=z.shape)
        kept[:] = z
        kept.flush()
        read = np.memmap(tmp_path / np.dtype(dtype).name, dtype, "r", shape=z.shape)
        assert categorical_nll(y, logits=read) == categorical_nll(y, logits=z.astype(dtype))
        model = Gaussian(0, 1)
        assert nll(read, model) == nll(z.astype(dtype), model)


def peak(call: Callable[[], Any]) -> int:
    """The most memory that a call holds at a time, in bytes, beyond what was there."""
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_loss_takes_one_block_of_scratch_and_some_numbers_per_row(dtype: str) -> None:
    """A block is 256 KiB; per row ten numbers of 8 bytes; NumPy's buffers to cast and the rest."""
    rng = np.random.default_rng(3)
    for n, k in ((2_000, 500), (40, 60_000)):
        z = rng.standard_normal((n, k)).astype(dtype)
        y = rng.integers(k, size=n)
        most = 8 * BLOCK + 10 * 8 * n + 2**17
        assert peak(lambda z=z, y=y: categorical_nll(y, logits=z)) < most < z.nbytes / 2  # type: ignore[misc]


def test_nll_takes_some_blocks_of_scratch() -> None:
    """A sample takes 8 bytes, and what is computed on the way a few blocks."""
    x = np.zeros(60 * BLOCK)
    assert peak(lambda: nll(x, Gaussian(0, 1))) < 10 * 8 * BLOCK < x.nbytes / 4


def test_batches_take_no_more_memory_the_more_they_are() -> None:
    def batches(number: int) -> Iterator[NDArray[Any]]:
        return (np.full(1000, float(i)) for i in range(number))

    def cost(number: int) -> int:
        return peak(lambda: nll(batches(number), Gaussian(0, 1)))

    assert cost(500) < cost(5) + 4096
