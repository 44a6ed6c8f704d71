"""The softmax NLL of a block of logits as one Triton kernel: two reads of each number, one write.

A program takes one row. First pass, the online log-sum-exp: with m the largest so far and r the sum
of exp(c_j − m) over the classes seen so far, the right one apart, a piece whose largest is m' gives

    m, r  ←  M, r exp(m − M) + Σ exp(c_j − M)   where M = max(m, m')

Second pass: the gradient, in the place of the logits. The formulas are those of `softmax`.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from nllbook.torch.softmax import Options


def softmax_nll_(z: Tensor, target: Tensor, scale: Tensor | None, options: Options) -> Tensor:
    """The losses of the rows of ``z``; their gradients times ``scale`` (n,) take its place.

    Without ``scale`` the logits are left as they are. ``z``: (n, k), float32, classes contiguous.
    """
    n, k = z.shape
    loss = torch.empty(n, dtype=z.dtype, device=z.device)
    if n == 0:
        return loss
    target = target.contiguous()
    block = min(8192, triton.next_power_of_2(k))
    with torch.cuda.device_of(z):  # Triton launches on the current device
        _softmax_nll[(n,)](
            z,
            target,
            loss if scale is None else scale.contiguous(),
            loss,
            z.stride(0),
            k,
            options.ignore_index,
            options.label_smoothing,
            options.softcap or 1.0,
            options.z_loss,
            GRADIENT=scale is not None,
            CAPPED=options.softcap is not None,
            SMOOTHED=options.label_smoothing > 0,
            BLOCK=block,
            num_warps=min(16, max(1, block // 256)),
        )
    return loss


@triton.jit
def _capped(z, cap, CAPPED: tl.constexpr):  # type: ignore[no-untyped-def]
    """cap tanh(z/cap): tanh u = sign(u) (1 − e)/(1 + e) with e = exp(−2 abs(u))."""
    if CAPPED:
        e = tl.exp(-2 * tl.abs(z / cap))
        z = tl.where(z < 0, -cap, cap) * ((1 - e) / (1 + e))
    return z


@triton.jit
def _slope(z, cap):  # type: ignore[no-untyped-def]
    """1 − tanh²(z/cap) = 4e/(1 + e)², which keeps its digits near the cap."""
    e = tl.exp(-2 * tl.abs(z / cap))
    return 4 * e / ((1 + e) * (1 + e))


@triton.jit
def _softmax_nll(  # type: ignore[no-untyped-def]
    logits,
    targets,
    scales,
    losses,
    stride,
    k,
    ignore_index,
    smoothing,
    cap,
    z_loss,
    GRADIENT: tl.constexpr,
    CAPPED: tl.constexpr,
    SMOOTHED: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)  # row · stride may be more than 2³¹
    logits += row * stride
    y = tl.load(targets + row)
    if y == ignore_index:
        tl.store(losses + row, 0.0)
        if GRADIENT:
            for start in range(0, k, BLOCK):
                columns = start + tl.arange(0, BLOCK)
                tl.store(logits + columns, tl.zeros([BLOCK], tl.float32), mask=columns < k)
        return

    of_target = _capped(tl.load(logits + y), cap, CAPPED)
    largest = -float("inf")
    rest = 0.0
    total_of_logits = 0.0
    for start in range(0, k, BLOCK):
        columns = start + tl.arange(0, BLOCK)
        c = _capped(tl.load(logits + columns, mask=columns < k, other=-float("inf")), cap, CAPPED)
        c = tl.where(columns < k, c, -float("inf"))
        if SMOOTHED:
            total_of_logits += tl.sum(tl.where(columns < k, c, 0.0), axis=0)
        higher = tl.maximum(largest, tl.max(c, axis=0))
        origin = tl.where(higher == -float("inf"), 0.0, higher)
        others = tl.where(columns == y, -float("inf"), c)
        rest = rest * tl.exp(largest - origin) + tl.sum(tl.exp(others - origin), axis=0)
        largest = higher

    of_target_exp = tl.exp(of_target - largest)
    total = rest + of_target_exp
    lse = largest + tl.log(total)
    # log1p(u) = log(w) u/(w − 1) with w = 1 + u as rounded. Where the right class is the largest,
    # u is the sum of the others, to the last digit; elsewhere u is no small number.
    u = rest + (of_target_exp - 1)
    w = 1 + u
    loss = (largest - of_target) + tl.where(w == 1, u, tl.log(w) * (u / tl.where(w == 1, 1, w - 1)))
    if SMOOTHED:
        loss += smoothing * (of_target - total_of_logits / k)
    loss += z_loss * lse * lse
    tl.store(losses + row, loss)

    if GRADIENT:
        scale = tl.load(scales + row)
        boost = 2 * z_loss * lse
        uniform = smoothing / k
        at_target = boost * (of_target_exp / total) - rest / total + (smoothing - uniform)
        for start in range(0, k, BLOCK):
            columns = start + tl.arange(0, BLOCK)
            z = tl.load(logits + columns, mask=columns < k, other=0.0)
            c = _capped(z, cap, CAPPED)
            slope = tl.exp(c - largest) * ((1 + boost) / total) - uniform
            slope = tl.where(columns == y, at_target, slope)
            if CAPPED:
                slope *= _slope(z, cap)
            tl.store(logits + columns, scale * slope, mask=columns < k)
