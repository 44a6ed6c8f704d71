"""The softmax NLL of a block of logits, and its gradient in their place: in PyTorch, or Triton.

With one row of logits z, the class y of k, the smoothing ε, the capped logits c = cap tanh(z/cap)
(c = z without a cap), L = logsumexp(c) and p = softmax(c):

    loss   = L − (1 − ε) c_y − ε mean(c) + z_loss L²
    ∂/∂c_j = (1 + 2 z_loss L) p_j − (1 − ε) [j = y] − ε/k,      ∂/∂z_j = ∂/∂c_j (1 − (c_j/cap)²)

Near certainty L − c_y and p_y − 1 would lose their digits. Let m be the largest of c, r the sum of
exp(c_j − m) over j ≠ y, and s = r + exp(c_y − m). Then, for all rows alike,

    L = m + log s,      L − c_y = (m − c_y) + log1p(r + (exp(c_y − m) − 1)),      1 − p_y = r/s

since exp(c_y − m) − 1 is exactly 0 where c_y is the largest, and where it is not, r is at least 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor


@dataclass(frozen=True)
class Options:
    """What the loss is made of besides the logits and the classes."""

    ignore_index: int = -100
    label_smoothing: float = 0.0
    softcap: float | None = None
    z_loss: float = 0.0


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def softmax_nll_(z: Tensor, target: Tensor, scale: Tensor | None, options: Options) -> Tensor:
    """The losses of the rows of ``z``; their gradients times ``scale`` (n,) take its place.

    Without ``scale`` what ``z`` holds afterwards is of no use. Rows of ``ignore_index`` give 0.
    ``z``: (n, k), float32 or float64, contiguous. The losses have the type of ``z``.
    """
    if z.is_cuda and z.dtype == torch.float32 and _has_triton():
        from nllbook.torch import kernels

        return kernels.softmax_nll_(z, target, scale, options)
    return softmax_nll_torch_(z, target, scale, options)


def softmax_nll_torch_(z: Tensor, target: Tensor, scale: Tensor | None, options: Options) -> Tensor:
    """`softmax_nll_` in plain PyTorch."""
    smoothing, cap, k = options.label_smoothing, options.softcap, z.shape[1]
    kept = target != options.ignore_index
    y = torch.where(kept, target, 0)[:, None]
    slope = None
    if cap is not None:
        z.div_(cap)
        if scale is not None:
            slope = z.cosh().reciprocal_().square_()  # 1 − tanh², which would lose its digits
        z = z.tanh_().mul_(cap)
    largest = z.amax(1, keepdim=True)
    of_target = z.gather(1, y)
    mean = z.mean(1, keepdim=True) if smoothing else None

    of_target_exp = (of_target - largest).exp_()
    z.sub_(largest).exp_().scatter_(1, y, 0.0)
    rest = z.sum(1, keepdim=True)
    total = rest + of_target_exp
    lse = largest + total.log()
    loss = (largest - of_target) + (rest + (of_target_exp - 1)).log1p_()
    if mean is not None:
        loss += smoothing * (of_target - mean)
    if options.z_loss:
        loss += options.z_loss * lse * lse
    loss = torch.where(kept, loss[:, 0], 0.0)
    if scale is None:
        return loss

    rows = torch.where(kept, scale, 0.0)[:, None]
    boost = 2 * options.z_loss * lse
    at_target = boost * (of_target_exp / total) - rest / total + smoothing * (1 - 1 / k)
    z.mul_(rows * (1 + boost) / total)
    if smoothing:
        z.sub_(rows * (smoothing / k))
    z.scatter_(1, y, rows * at_target)
    if slope is not None:
        z.mul_(slope)
    z.masked_fill_(~kept[:, None], 0.0)  # also where a row that does not count holds a NaN
    return loss
