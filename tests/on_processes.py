"""Losses over the processes that torchrun starts: each writes what it got to FOLDER/<rank>.json.

The cases are made alike on all processes; `tests/test_torch_parallel.py` compares what they wrote.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor, Shard, init_device_mesh
from torch.distributed.tensor.parallel import loss_parallel
from torch.nn import functional

from nllbook.torch import data_parallel_nll, linear_cross_entropy, vocab_parallel_nll

INF, NAN = float("inf"), float("nan")
N, K, D = 7, 10, 4
ROWS = (5, 2)  # of the two processes
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "all smooth": {"label_smoothing": 1.0},
    "weights": {"class_weight": True},
    "weights and smoothing": {"class_weight": True, "label_smoothing": 0.3},
    "ignored": {"ignore_index": 3},
}
LOSS_PARALLEL: dict[str, dict[str, Any]] = {
    "plain": {"cut": 5, "ignored": True},
    "smoothing": {"cut": 5, "label_smoothing": 0.1},
    "weights": {"cut": 5, "weight": True},
    "weights, ignored": {"cut": 5, "weight": True, "ignored": True},
    "weights and smoothing": {"cut": 5, "weight": True, "label_smoothing": 0.1},
    "uneven": {"cut": 4},
}


def vocabulary() -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(3)
    logits = 3 * torch.randn(N, K, generator=rng, dtype=torch.float64)
    target = torch.tensor([0, 9, -100, 6, 3, 5, 2])
    weight = torch.rand(K, generator=rng, dtype=torch.float64) + 0.5
    weight[5] = 0
    upstream = torch.linspace(-1, 2, N).double()
    hard = logits.clone()
    hard[torch.arange(K) != target[:, None]] -= 40  # confident
    hard[3, :6] = hard[4, 7:] = -INF  # a whole shard, and a part
    hard[2] = NAN
    return {
        "logits": logits,
        "hard": hard,
        "target": target,
        "weight": weight,
        "upstream": upstream,
    }


def shares() -> list[tuple[Tensor, Tensor]]:
    """The inputs and classes of both processes."""
    rng = torch.Generator().manual_seed(4)
    x = torch.randn(sum(ROWS), D, generator=rng, dtype=torch.float64)
    target = torch.randint(K, (sum(ROWS),), generator=rng)
    target[1] = -100
    return list(zip(x.split(ROWS), target.split(ROWS), strict=True))


def layer() -> Tensor:
    return torch.randn(K, D, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def result(loss: Tensor, leaf: Tensor, upstream: Tensor | None = None) -> dict[str, Any]:
    if upstream is None:
        upstream = torch.ones_like(loss)
    (slope,) = torch.autograd.grad(loss, leaf, upstream.to(loss.dtype))
    types = [str(loss.dtype), str(slope.dtype)]
    return {"loss": loss.tolist(), "slope": slope.double().tolist(), "types": types}


def attempt(function: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return function()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def over_classes(cut: int, table: str, dtype: str, options: dict[str, Any]) -> dict[str, Any]:
    given = vocabulary()
    mine = slice(0, cut) if dist.get_rank() == 0 else slice(cut, K)
    leaf = given[table].to(getattr(torch, dtype))[:, mine].clone().requires_grad_()
    options = dict(options)
    if options.get("class_weight"):
        options["class_weight"] = given["weight"][mine]
    loss = vocab_parallel_nll(
        leaf,
        given["target"].where(given["target"] >= 0, options.get("ignore_index", -100)),
        **options,
    )
    return result(loss, leaf, given["upstream"] if loss.ndim else torch.tensor(-1.5))


def over_rows(averaged: bool, empty: bool) -> dict[str, Any]:
    """The mean over all rows of a layer whose weights each process has."""
    parts = shares()
    x, target = parts[dist.get_rank()]
    if empty and dist.get_rank() == 1:
        x, target = x[:0], target[:0]
    weight = layer().requires_grad_()
    total = linear_cross_entropy(x, weight, target, reduction="sum")
    loss = data_parallel_nll(total, (target != -100).sum(), averaged=averaged)
    return gathered(loss, weight, averaged)


def naive() -> dict[str, Any]:
    x, target = shares()[dist.get_rank()]
    weight = layer().requires_grad_()
    loss = linear_cross_entropy(x, weight, target)
    mean = loss.detach().clone()
    dist.all_reduce(mean)
    return {**gathered(loss, weight, True), "loss": (mean / 2).item()}


def gathered(loss: Tensor, weight: Tensor, averaged: bool) -> dict[str, Any]:
    (slope,) = torch.autograd.grad(loss, weight)
    dist.all_reduce(slope)
    if averaged:
        slope /= dist.get_world_size()
    return {"loss": loss.item(), "slope": slope.tolist()}


def of_torch(cut: int, ignored: bool = False, **options: Any) -> dict[str, Any]:
    """PyTorch's own loss over shards of the classes."""
    given = vocabulary()
    mine = slice(0, cut) if dist.get_rank() == 0 else slice(cut, K)
    target = given["target"] if ignored else given["target"].abs() % K
    if options.get("weight"):
        options["weight"] = given["weight"]
    leaf = given["logits"][:, mine].clone().requires_grad_()
    mesh = init_device_mesh("cpu", (2,))
    table = DTensor.from_local(leaf, mesh, [Shard(1)], shape=(N, K), stride=(K, 1))
    with loss_parallel():
        loss = functional.cross_entropy(table, target, **options)
        loss.backward()
    assert leaf.grad is not None
    return {"loss": loss.full_tensor().item(), "slope": leaf.grad.tolist()}


def main() -> None:
    dist.init_process_group("gloo")
    found: dict[str, Any] = {}
    for cut in (3, 5, 8, 0, K):
        for name, options in OPTIONS.items():
            for reduction in ("mean", "sum", "none"):
                given = {**options, "reduction": reduction}
                found[f"{name}, {reduction}, {cut}"] = over_classes(cut, "logits", "float64", given)
    for reduction in ("sum", "none"):
        for dtype in ("float64", "float32", "bfloat16"):
            for table in ("logits", "hard"):
                found[f"{table}, {reduction}, {dtype}"] = over_classes(
                    6, table, dtype, {"reduction": reduction}
                )
    for averaged in (True, False):
        for empty in (True, False):
            found[f"rows, {averaged}, {empty}"] = over_rows(averaged, empty)
    found["naive"] = naive()
    nothing = torch.zeros(())
    found["no rows"] = attempt(lambda: {"loss": data_parallel_nll(nothing, 0).item()})
    other = dist.new_group([1])
    if dist.get_rank() == 0:
        found["stranger"] = attempt(
            lambda: {"loss": data_parallel_nll(nothing, 1, group=other).item()}
        )
    smoothing = (0.1, 2.0)[dist.get_rank()]
    found["refused by one"] = attempt(
        lambda: over_classes(5, "logits", "float64", {"label_smoothing": smoothing})
    )
    for name, options in LOSS_PARALLEL.items():
        found[f"loss_parallel, {name}"] = attempt(lambda given=options: of_torch(**given))  # type: ignore[misc]
    path = Path(sys.argv[1]) / f"{dist.get_rank()}.json"
    path.write_text(json.dumps(found), encoding="utf-8")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
