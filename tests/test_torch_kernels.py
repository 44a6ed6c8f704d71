"""The Triton kernel, run by Triton's interpreter on the CPU, against the formulas in float64."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from nllbook.torch.softmax import Options, softmax_nll_torch_
from tests import programs
from tests.test_torch import OPTIONS, error, exact

pytestmark = pytest.mark.slow
EPS = torch.finfo(torch.float32).eps
INF, NAN = float("inf"), float("nan")
SIZES = (1, 5, 1000, 9000)  # the last is more than the 8192 classes of a block
LEADS = (0.5, 5.0, 20.0, 80.0)
Call = list[Any]  # logits, classes, factors of the rows or None, options


def calls() -> dict[str, Call]:
    rng = torch.Generator().manual_seed(1)
    factors = torch.tensor([1.0, 0.3, -2.0, 0.0])
    z, target = torch.randn(3, 9, generator=rng), torch.tensor([3, 8, 0])
    found: dict[str, Call] = {"far apart": [z, target, factors[:3], OPTIONS["all"]]}
    for name, options in OPTIONS.items():
        for k in SIZES:
            z = torch.randn(4, k, generator=rng)
            z[1] = torch.tensor([NAN, INF, -INF])[torch.arange(k) % 3]
            target = torch.tensor([k - 1, -100, k // 2, 0])
            found[f"{name} {k}"] = [z, target, factors, options]
            found[f"{name} {k} without gradient"] = [z.clone(), target, None, options]
    z = torch.randn(4, 9000, generator=rng)
    z[0, :8500] = z[1, 8000:] = z[2, ::2] = -INF  # all of the first block is −inf, or of the second
    found["impossible classes"] = [z, torch.tensor([8999, 3, 1, 0]), factors, {"z_loss": 0.1}]
    z = torch.tensor([[0.3 + lead, 0.3, -1.2, 0.7] for lead in LEADS])
    found["confident"] = [z, torch.zeros(4, dtype=torch.int64), torch.ones(4), {}]
    found["surprised"] = [z.clone(), torch.full((4,), 2), torch.ones(4), {}]
    z, target = torch.randn(4, 9, generator=rng), torch.tensor([3, 0, 8, 0])
    found["other index"] = [z, target, factors, {"ignore_index": 0}]
    strided = torch.stack([target, factors.long()], 1)[:, 0], torch.stack([factors] * 2, 1)[:, 0]
    found["strided"] = [torch.randn(4, 20, generator=rng)[:, :9], *strided, {}]
    found["no rows"] = [z[:0], target[:0], factors[:0], {}]
    return found


CALLS = calls()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """What the interpreter found, and the memory it took for the first of the calls."""
    folder: Path = tmp_path_factory.mktemp("kernels")
    torch.save(list(CALLS.values()), folder / "calls")
    programs.run("tests/on_interpreter.py", folder / "calls", folder / "results")
    found, memory = torch.load(folder / "results")
    return dict(zip(CALLS, found, strict=True)), memory


@pytest.mark.parametrize("name", CALLS)
def test_kernel_computes_the_formulas(results: tuple[dict[str, Any], int], name: str) -> None:
    logits, target, scale, options = CALLS[name]
    losses, left = results[0][name]
    z = logits.double()
    expected = softmax_nll_torch_(
        z, target, None if scale is None else scale.double(), Options(**options)
    )
    # Sums by halves: some log₂ 9000 roundings, and as many of logits and exponentials before them.
    # Losses of hard rows are as large as logits, whose roundings they cannot undo.
    assert torch.all((losses - expected).abs() <= 32 * EPS * (1 + expected.abs()))
    if scale is None:
        assert torch.equal(left.nan_to_num(7, 8, 9), logits.nan_to_num(7, 8, 9))
    else:
        assert torch.all((left - z).abs() <= 64 * EPS)  # factors are as large as 2
    ignored = target == options.get("ignore_index", -100)
    assert torch.all(losses[ignored] == 0)


@pytest.mark.parametrize(("name", "y"), [("confident", 0), ("surprised", 2)])
def test_kernel_keeps_the_digits_of_confident_rows(
    results: tuple[dict[str, Any], int], name: str, y: int
) -> None:
    losses, slopes = results[0][name]
    for row, lead in enumerate(LEADS):
        value, slope = exact(CALLS[name][0][row], y)
        # some ten roundings, and that of a difference of logits, which an exponential multiplies
        allowed = (10 + lead) * EPS
        assert error(losses[row], value) < allowed
        for got, want in zip(slopes[row], slope, strict=True):
            assert error(got, want) < allowed


def test_rows_may_begin_beyond_2_to_the_31_numbers(
    results: tuple[dict[str, Any], int],
) -> None:
    """The first call was made so, and did not take the 8 GiB that lie between."""
    assert results[1] < 500 * 1024  # KiB, of which imports by the interpreter are most


def test_the_kernel_compiles_for_a_gpu_that_is_not_here(tmp_path: Path) -> None:
    cache = {"TRITON_CACHE_DIR": str(tmp_path), "TRITON_DEFAULT_FP_FUSION": "1"}  # or it warns
    printed = programs.run("tests/on_compiler.py", **cache)
    for gradient, _, found in json.loads(printed):
        assert found == {
            "compiled": True,
            "reads four at a time": True,
            "writes four at a time": gradient,
            "spills": False,
        }
