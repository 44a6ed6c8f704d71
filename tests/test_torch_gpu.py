"""On a CUDA device: the compiled kernel, and products of half-precision numbers in float32."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nllbook.torch import linear_cross_entropy
from nllbook.torch.softmax import Options, softmax_nll_, softmax_nll_torch_
from tests.test_torch import OPTIONS, chunked, gradients, layer, plain

pytestmark = pytest.mark.gpu
EPS = torch.finfo(torch.float32).eps


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("k", [7, 32_000, 128_256])
def test_kernel_computes_the_formulas(k: int, options: dict[str, Any]) -> None:
    rng = torch.Generator("cuda").manual_seed(0)
    z = torch.randn(16, k, generator=rng, device="cuda")
    target = torch.randint(k, (16,), generator=rng, device="cuda")
    z[3, target[3]] = 40.0  # confident
    target[5] = -100
    scale = torch.linspace(-1, 2, 16, device="cuda")
    doubles, logits = z.double(), z.clone()
    expected = softmax_nll_torch_(doubles, target, scale.double(), Options(**options))
    only = softmax_nll_(z, target, None, Options(**options))
    assert torch.equal(z, logits)
    losses = softmax_nll_(z, target, scale, Options(**options))
    assert torch.equal(losses, only)
    # some dozens of roundings, of logits of up to 40 and of their square
    assert torch.all((losses - expected).abs() <= 128 * EPS * (1 + expected.abs()))
    assert torch.all((z - doubles).abs() <= 128 * EPS * scale.abs()[:, None])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_loss_and_gradients_are_those_in_float64(dtype: Any, reduction: str) -> None:
    x, weight, bias, target = (one.cuda() for one in layer(200, 64, 1000, dtype, ignored=0.2))
    loss, found = gradients(chunked, x, weight, bias, target, reduction=reduction, chunk_rows=64)
    doubles = [one.double() for one in (x, weight, bias)]
    expected, slopes = gradients(plain, *doubles, target, reduction=reduction)
    # Float32 products may be made in TF32 only where it is asked for. Half precision has gradients
    # of logits rounded to 2⁻⁹, then sums of those and their rounding.
    allowed = 1e-5 if dtype == torch.float32 else 2**-7
    assert torch.linalg.norm(loss - expected) <= 1e-5 * torch.linalg.norm(expected)
    for got, want in zip(found, slopes, strict=True):
        assert got.dtype == dtype
        assert torch.linalg.norm(got.double() - want) <= allowed * torch.linalg.norm(want)


def test_a_wrong_class_is_an_error_after_which_the_device_works() -> None:
    x, weight, target = torch.zeros(6, 3).cuda(), torch.zeros(10, 3).cuda(), torch.arange(6).cuda()
    target[4] = 10
    with pytest.raises(ValueError, match=r"target\[4\] = 10 is outside 0\.\.9"):
        linear_cross_entropy(x, weight, target)
    target[4] = 9
    assert linear_cross_entropy(x, weight, target).item() == pytest.approx(2.302585, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_going_backward_again_gives_the_same_bits(dtype: Any) -> None:
    x, weight, _, target = (one.cuda() for one in layer(64, 16, 100, dtype))
    x.requires_grad_()
    weight.requires_grad_()
    loss = linear_cross_entropy(x, weight, target, chunk_rows=16)
    first = torch.autograd.grad(loss, [x, weight], retain_graph=True)
    again = torch.autograd.grad(loss, [x, weight], retain_graph=True)
    assert all(map(torch.equal, first, again))


def test_it_takes_less_memory_than_the_logits() -> None:
    n, d, k = 4096, 64, 32_000
    x = torch.randn(n, d, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    weight = torch.randn(k, d, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    target = torch.randint(k, (n,), device="cuda")
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    linear_cross_entropy(x, weight, target, chunk_rows=256).backward()
    # a chunk of float32 logits is 1/16 of all, one of bfloat16 1/32; dW is d/n of all, and a half
    assert torch.cuda.max_memory_allocated() - before < n * k * 4 / 4
