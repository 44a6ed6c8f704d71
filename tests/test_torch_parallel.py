"""Losses over two processes, against NumPy's over all classes and rows in one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
import torch.distributed as dist

from nllbook import categorical_nll
from nllbook.torch import data_parallel_nll, linear_cross_entropy, vocab_parallel_nll
from tests import programs
from tests.on_processes import LOSS_PARALLEL, OPTIONS, ROWS, K, layer, shares, vocabulary

pytestmark = pytest.mark.slow
NAN = float("nan")
Results = list[dict[str, Any]]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """What each of the two processes got."""
    folder = tmp_path_factory.mktemp("processes")
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    programs.run(*torchrun, "tests/on_processes.py", folder)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


def expected(reduction: Any, table: str = "logits", dtype: Any = None, **options: Any) -> Any:
    """NumPy's loss of all classes, and its gradient for the factors from upstream."""
    given = vocabulary()
    logits = given[table].to(dtype or torch.float64).double().numpy()
    if options.get("class_weight"):
        options["class_weight"] = given["weight"].numpy()
    ignored = options.setdefault("ignore_index", -100)
    y = given["target"].where(given["target"] >= 0, ignored).numpy()
    value, slope = categorical_nll(
        y,
        logits=logits,
        reduction=reduction,
        return_grad=True,
        **options,
    )
    return value, slope * (given["upstream"].numpy()[:, None] if reduction == "none" else -1.5)


def joined(results: Results, name: str) -> np.ndarray[Any, Any]:
    return np.concatenate([np.array(one[name]["slope"]) for one in results], axis=1)


@pytest.mark.parametrize("cut", [3, 5, 8, 0, K])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", OPTIONS)
def test_classes_over_processes(results: Results, options: str, reduction: str, cut: int) -> None:
    name = f"{options}, {reduction}, {cut}"
    value, slope = expected(reduction, **OPTIONS[options])
    for one in results:
        assert one[name]["loss"] == results[0][name]["loss"]
        # some dozens of roundings, of logits of up to 10
        np.testing.assert_allclose(one[name]["loss"], value, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(joined(results, name), slope, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("reduction", ["sum", "none"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize("table", ["logits", "hard"])
def test_confident_rows_keep_their_digits(
    results: Results, table: str, dtype: str, reduction: str
) -> None:
    name = f"{table}, {reduction}, {dtype}"
    value, slope = expected(reduction, table, getattr(torch, dtype))
    wide = "float64" if dtype == "float64" else "float32"
    eps = torch.finfo(getattr(torch, wide)).eps
    half = torch.finfo(torch.bfloat16).eps / 2 if dtype == "bfloat16" else 0
    # exponentials of differences of some 50 are off by 50 roundings; slopes are then rounded
    for one in results:
        assert one[name]["types"] == [f"torch.{wide}", f"torch.{dtype}"]
        np.testing.assert_allclose(one[name]["loss"], value, rtol=64 * eps)
    np.testing.assert_allclose(joined(results, name), slope, rtol=64 * eps + half)


def whole_batch(processes: int) -> tuple[float, Any]:
    """The mean over the rows of so many processes, and the gradient of the weights, in one."""
    parts = shares()[:processes]
    x, target = (torch.cat(columns) for columns in zip(*parts, strict=True))
    weight = layer().requires_grad_()
    loss = linear_cross_entropy(x, weight, target)
    (slope,) = torch.autograd.grad(loss, weight)
    return loss.item(), slope.numpy()


@pytest.mark.parametrize("averaged", [True, False])
@pytest.mark.parametrize("empty", [True, False])
def test_the_mean_over_unequal_processes_is_that_of_the_batch(
    results: Results, averaged: bool, empty: bool
) -> None:
    value, slope = whole_batch(1 if empty else 2)
    for one in results:
        got = one[f"rows, {averaged}, {empty}"]
        assert got["loss"] == pytest.approx(value, rel=1e-14)  # sums in another order
        np.testing.assert_allclose(got["slope"], slope, rtol=1e-13, atol=1e-14)


def test_the_mean_of_means_is_not(results: Results) -> None:
    value, slope = whole_batch(2)
    assert ROWS[0] != ROWS[1]
    assert abs(results[0]["naive"]["loss"] - value) > 0.1
    assert np.abs(results[0]["naive"]["slope"] - slope).max() > 0.05


def test_errors_over_processes(results: Results) -> None:
    for one in results:
        assert one["no rows"]["error"] == (
            "ValueError: the count of all processes is 0, and the mean over no row is not defined"
        )
    message = "ValueError: group must be one that this process is a member of"
    assert results[0]["stranger"]["error"] == message


# --- PyTorch's own loss over shards, in version 2.13.0 -------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("smoothing", "RuntimeError: aten.masked_fill_.Scalar got mixed torch.Tensor and DTensor"),
        ("weights and smoothing", "RuntimeError: aten.mul.Tensor got mixed torch.Tensor and DTens"),
        ("weights, ignored", "RuntimeError: index -100 is out of bounds for dimension 1 with size"),
    ],
)
def test_loss_parallel_refuses(results: Results, name: str, message: str) -> None:
    for one in results:
        assert one[f"loss_parallel, {name}"]["error"].startswith(message)


@pytest.mark.parametrize("name", ["plain", "weights", "uneven"])
def test_loss_parallel_is_wrong_for_uneven_shards_and_right_for_even_ones(
    results: Results, name: str
) -> None:
    given = vocabulary()
    target = given["target"] if LOSS_PARALLEL[name].get("ignored") else given["target"].abs() % K
    weight = given["weight"] if LOSS_PARALLEL[name].get("weight") else None
    logits = given["logits"].requires_grad_()
    want = torch.nn.functional.cross_entropy(logits, target, weight=weight)
    (slope,) = torch.autograd.grad(want, logits)
    loss = results[0][f"loss_parallel, {name}"]["loss"]
    distance = np.abs(joined(results, f"loss_parallel, {name}") - slope.numpy()).max()
    if name == "uneven":  # without an error
        assert abs(loss - want.item()) > 0.1
        assert distance > 0.1
    else:
        assert loss == pytest.approx(want.item(), rel=1e-14)
        assert distance < 1e-14


# --- Errors --------------------------------------------------------------------------------------


def test_what_one_process_refuses_the_others_do_not_wait_for(results: Results) -> None:
    elsewhere, own = (one["refused by one"]["error"] for one in results)
    assert "label_smoothing = 2.0 must be in [0, 1]" in own
    assert "process 1 of the group was called with something wrong" in elsewhere


@pytest.fixture
def alone() -> Iterator[None]:
    """A group of one process, this one."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


Z, Y = torch.zeros(2, 3, 5), torch.tensor([[0, 4, 1], [2, -100, 3]])


def test_without_a_group_there_is_an_error() -> None:
    message = "there is no process group: start the processes with torchrun, and call "
    with pytest.raises(ValueError, match=message):
        vocab_parallel_nll(Z, Y)
    with pytest.raises(ValueError, match=message):
        data_parallel_nll(torch.tensor(1.0), 1)


@pytest.mark.usefixtures("alone")
def test_one_process_is_a_group_too() -> None:
    loss = vocab_parallel_nll(Z, Y)
    assert loss.item() == pytest.approx(np.log(5), rel=1e-6)  # float32
    assert data_parallel_nll(torch.tensor(6.0), torch.tensor(4)).item() == 1.5


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"logits_shard": [0.0]}, TypeError, "logits_shard must be a torch.Tensor, got list"),
        (
            {"logits_shard": Y},
            TypeError,
            "logits_shard must be float64, float32, bfloat16 or float16, got ",
        ),
        ({"logits_shard": Z.sum()}, ValueError, "logits_shard must have the shape (..., k_r), got"),
        ({"target": Y[0]}, ValueError, "of logits_shard without its last axis, (2, 3), got (3,)"),
        ({"target": Y.float()}, TypeError, "target must be integers, the indices of classes, got "),
        ({"target": Y + 1}, ValueError, "target[0, 1] = 5 is outside 0..4, and not ignore_index"),
        ({"target": Y.to("meta")}, ValueError, "target is on meta, but logits_shard is on cpu"),
        ({"class_weight": [1.0] * 5}, TypeError, "class_weight must be a torch.Tensor, got list"),
        ({"class_weight": torch.ones(4)}, ValueError, "class_weight must have the shape (5,), one"),
        ({"class_weight": -torch.ones(5)}, ValueError, "class_weight must be finite and >= 0"),
        ({"class_weight": NAN * Z[0, 0]}, ValueError, "class_weight must be finite and >= 0"),
        ({"class_weight": torch.zeros(5)}, ValueError, "every row is ignored or has weight 0"),
        ({"target": Y * 0 - 100}, ValueError, "mean is not defined: reduction='sum' gives 0"),
        ({"ignore_index": 1.0}, TypeError, "ignore_index must be a whole number, got 1.0"),
        ({"label_smoothing": 2}, ValueError, "label_smoothing = 2 must be in [0, 1]"),
        ({"reduction": "max"}, ValueError, "reduction must be 'mean', 'sum' or 'none', got 'max'"),
    ],
)
def test_errors_of_vocab_parallel(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        vocab_parallel_nll(**{"logits_shard": Z, "target": Y, **given})


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("nll_sum", "count", "error", "message"),
    [
        (1.0, 1, TypeError, "nll_sum must be a torch.Tensor, got float"),
        (
            torch.tensor(1),
            1,
            TypeError,
            "nll_sum must be float64, float32, bfloat16 or float16, got torch.int64",
        ),
        (torch.ones(2), 1, ValueError, "nll_sum must be one number, got shape (2,)"),
        (torch.tensor(1.0), -1, ValueError, "count must be one finite number >= 0, got -1"),
        (torch.tensor(1.0), NAN, ValueError, "count must be one finite number >= 0, got nan"),
        (torch.tensor(1.0), [1, 2], ValueError, "count must be one finite number >= 0, got [1, 2]"),
        (torch.tensor(0.0), 0, ValueError, "the count of all processes is 0, and the mean over no"),
    ],
)
def test_errors_of_data_parallel(
    nll_sum: Any, count: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=re.escape(message)):
        data_parallel_nll(nll_sum, count)
