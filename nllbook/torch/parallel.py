"""The NLL when classes, or rows, are spread over several processes.

**Vocabulary-parallel.** Process r holds the logits z_j of the classes in its shard S_r. What it has
to know of the others' are a few numbers a row. With m = max_j z_j, which is an all-reduce of the
shards' largest, t = (1 − ε) onehot(y) + ε/k and the class weights w, one more all-reduce brings

    r = Σ_{j≠y} exp(z_j − m)      z_y − m      w_y      Σ_j w_j      Σ_j w_j (z_j − m)

(the last two are used with smoothing only). Let s = r + exp(z_y − m), so that log p_j = z_j − m −
log s, and u = Σ_j w_j t_j, the weight of the row. Its loss is u log s − Σ_j w_j t_j (z_j − m), and
the gradient u p_j − w_j t_j of the logits here needs nothing from elsewhere. As in `softmax`, log s
is log1p(r + (exp(z_y − m) − 1)), and 1 − p_y is r/s, so that confident rows keep their digits.

**Data-parallel.** The NLL of a batch is a sum over its rows: the mean over the rows of all
processes is the sum of their sums over the sum of their counts, not the mean of their means.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from nllbook.torch import _check


def vocab_parallel_nll(
    logits_shard: Tensor,
    target: Tensor,
    *,
    group: dist.ProcessGroup | None = None,
    class_weight: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """−log softmax(z)[target] in nats, where each process holds the logits of some classes.

    All processes of the group call it together, and all get the same loss. See the chapter "NLL at
    vocabulary scale".

    Parameters
    ----------
    logits_shard : Tensor, shape (..., k_r)
        The logits of this process's classes, which follow those of the processes before it. The
        k_r may differ. Half-precision logits are computed in float32.
    target : Tensor of integers, shape (...)
        The same on all processes: classes out of all k = Σ k_r.
    group : ProcessGroup, optional
        The processes that share the classes; by default all of them.
    class_weight : Tensor, shape (k_r,), optional
        Finite numbers >= 0, the weights of this process's classes.
    ignore_index : int
        Rows with this target count for nothing: loss and gradient are 0, whatever they hold.
    label_smoothing : float in [0, 1]
        The target t becomes (1 − ε) onehot + ε/k.
    reduction : {"mean", "sum", "none"}
        The loss of a row is Σ_j w_j t_j (−log p_j). "mean" divides the sum of the rows by the sum
        of their weights Σ_j w_j t_j, as ``nllbook.categorical_nll`` does. PyTorch's cross_entropy
        divides by the sum of the w_y instead, which differs where weights and smoothing meet.

    Returns
    -------
    Tensor
        A number, or for "none" the losses (...), float64 for float64 logits and else float32.
        Differentiable once, with respect to this process's logits, when all processes go backward
        from the same number.

    Raises
    ------
    ValueError
        Without a process group, for a target outside the classes, for shapes that do not fit, for
        a mean over rows that weigh nothing.
    TypeError
        For what is not a tensor of the type asked for.

    Notes
    -----
    The all-reduces of the largest logit, the sum and the target's logit are those of Megatron-LM:
    Shoeybi et al., arXiv:1909.08053.

    Examples
    --------
    >>> import torch.distributed as dist  # a group of this process alone; torchrun starts more
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> loss = vocab_parallel_nll(torch.zeros(2, 8), torch.tensor([1, 7]))
    >>> round(loss.item(), 4)  # log 8
    2.0794
    >>> dist.destroy_process_group()
    """
    _check.floating("logits_shard", logits_shard)
    if logits_shard.ndim < 1:
        raise ValueError("logits_shard must have the shape (..., k_r), got one number")
    group = _group(group)
    width = logits_shard.shape[-1]
    try:
        target = _check.indices(target, logits_shard.shape[:-1], logits_shard, "logits_shard")
        weight = _class_weight(class_weight, logits_shard)
        _check.whole("ignore_index", ignore_index)
        _check.fraction("label_smoothing", label_smoothing)
        _check.reduction(reduction)
    except (TypeError, ValueError):
        _widths(-1, logits_shard.device, group)  # the others are waiting for this process
        raise
    widths = _widths(width, logits_shard.device, group)
    if min(widths) < 0:
        raise ValueError(
            f"process {widths.index(-1)} of the group was called with something wrong: "
            "the error there says what"
        )
    first, k = sum(widths[: group.rank()]), sum(widths)
    _check.classes(target, k, ignore_index)
    z = logits_shard.reshape(target.numel(), width)
    z = z if z.dtype == torch.float64 else z.float()
    flat = torch.where(target == ignore_index, -1, target).reshape(-1)
    losses, weights = _VocabParallel.apply(z, flat, weight, first, label_smoothing, k, group)
    if reduction == "none":
        return losses.reshape(target.shape)
    total = losses.sum()
    if reduction == "sum":
        return total
    by = weights.sum()
    if by == 0:
        raise ValueError(
            "every row is ignored or has weight 0 (or there is none), and their mean is not "
            "defined: reduction='sum' gives 0"
        )
    return total / by


def _class_weight(class_weight: Tensor | None, logits_shard: Tensor) -> Tensor:
    """The weights of this process's classes, in the type that is computed in."""
    width, dtype = logits_shard.shape[-1], logits_shard.dtype
    dtype = dtype if dtype == torch.float64 else torch.float32
    if class_weight is None:
        return logits_shard.new_ones(width, dtype=dtype)
    _check.floating("class_weight", class_weight)
    _check.same_device("class_weight", class_weight, logits_shard, "logits_shard")
    if class_weight.shape != (width,):
        raise ValueError(
            f"class_weight must have the shape ({width},), one number for each class of this "
            f"process, got {tuple(class_weight.shape)}"
        )
    if not torch.all(torch.isfinite(class_weight) & (class_weight >= 0)):
        raise ValueError("class_weight must be finite and >= 0")
    return class_weight.detach().to(dtype)


def _widths(width: int, device: torch.device, group: dist.ProcessGroup) -> list[int]:
    """How many classes each process has."""
    widths = torch.zeros(group.size(), dtype=torch.int64, device=device)
    widths[group.rank()] = width
    dist.all_reduce(widths, group=group)
    return [int(one) for one in widths.tolist()]


class _VocabParallel(torch.autograd.Function):
    """The weighted losses of the rows, and their weights."""

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        target: Tensor,
        weight: Tensor,
        first: int,
        smoothing: float,
        k: int,
        group: dist.ProcessGroup,
    ) -> tuple[Tensor, Tensor]:
        kept, width = target >= 0, z.shape[1]
        z = torch.where(kept[:, None], z, 0.0)  # what the others hold may be anything
        largest = z.amax(1) if width else z.new_full((len(z),), -torch.inf)
        dist.all_reduce(largest, dist.ReduceOp.MAX, group=group)
        z -= torch.where(torch.isfinite(largest), largest, 0.0)[:, None]

        here = (target >= first) & (target < first + width)
        rows = here.nonzero()[:, 0]  # those whose right class is one of this process's
        index = target[rows] - first
        own = z.new_zeros(len(z))
        own_weight = z.new_zeros(len(z))
        own[rows], own_weight[rows] = z[rows, index], weight[index]
        weighted = torch.where(weight > 0, weight * z, 0.0).sum(1) if smoothing else None
        p = z.exp_()
        p[rows, index] = 0
        terms = [p.sum(1), own, own_weight]
        if weighted is not None:
            terms += [weight.sum().expand(len(z)), weighted]
        sums = torch.stack(terms)
        dist.all_reduce(sums, group=group)
        rest, of_target, w_y = sums[:3]
        aimed = (1 - smoothing) * w_y
        loss = -torch.where(aimed > 0, aimed * of_target, 0.0)
        all_weights = z.new_zeros(())
        if smoothing:
            all_weights = sums[3] * (smoothing / k)
            loss -= sums[4] * (smoothing / k)
        row_weight = aimed + all_weights
        of_target_exp = of_target.exp()
        loss += row_weight * (rest + (of_target_exp - 1)).log1p()

        total = rest + of_target_exp
        p *= (row_weight / total)[:, None]
        at_target = all_weights * (of_target_exp / total) - aimed * (rest / total)
        p[rows, index] = at_target[rows]
        if smoothing:
            p -= weight * (smoothing / k)
        p[~kept] = 0
        ctx.save_for_backward(p, kept)
        row_weight = torch.where(kept, row_weight, 0.0)
        ctx.mark_non_differentiable(row_weight)
        return torch.where(kept, loss, 0.0), row_weight

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        gradient, kept = ctx.saved_tensors
        return (gradient * torch.where(kept, upstream, 0.0)[:, None], *(None,) * 6)


def data_parallel_nll(
    nll_sum: Tensor,
    count: Tensor | float,
    *,
    group: dist.ProcessGroup | None = None,
    averaged: bool = True,
) -> Tensor:
    """The mean NLL over the rows of all processes, Σ nll_sum / Σ count, in the unit of ``nll_sum``.

    That is nats where the losses are. All processes of the group call it together, and all get the
    same number. See the chapter "NLL at vocabulary scale".

    Parameters
    ----------
    nll_sum : Tensor, one number
        The sum of this process's losses, such as `linear_cross_entropy` with reduction "sum".
    count : number or Tensor, one number >= 0
        How many rows that is, or what they weigh together; it may be 0.
    group : ProcessGroup, optional
        By default all processes.
    averaged : bool
        Whether the gradients of the processes will be averaged, as DistributedDataParallel does, or
        (False) added up. With P processes the gradient here is P / Σ count times that of
        ``nll_sum``, or 1 / Σ count times it, so that the gradient is that of the mean either way.

    Returns
    -------
    Tensor
        One number, differentiable with respect to ``nll_sum``.

    Raises
    ------
    ValueError
        Without a process group; for what is not one number; where Σ count is 0.
    TypeError
        For an ``nll_sum`` that is no tensor of floats.

    Examples
    --------
    >>> import torch.distributed as dist  # a group of this process alone; torchrun starts more
    >>> dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    >>> data_parallel_nll(torch.tensor(6.0), 4)
    tensor(1.5000)
    >>> dist.destroy_process_group()
    """
    _check.floating("nll_sum", nll_sum)
    if nll_sum.ndim:
        raise ValueError(f"nll_sum must be one number, got shape {tuple(nll_sum.shape)}")
    given = torch.as_tensor(count, dtype=torch.float64, device=nll_sum.device)
    if given.ndim or not 0 <= given < torch.inf:
        raise ValueError(f"count must be one finite number >= 0, got {count}")
    group = _group(group)
    sums = torch.stack([nll_sum.detach().double(), given])
    dist.all_reduce(sums, group=group)
    total, rows = sums
    if rows == 0:
        raise ValueError("the count of all processes is 0, and the mean over no row is not defined")
    factor = group.size() if averaged else 1
    return _Mean.apply(nll_sum, total / rows, factor / rows)


class _Mean(torch.autograd.Function):
    """A known value whose gradient with respect to ``nll_sum`` is a known factor."""

    @staticmethod
    def forward(ctx: Any, nll_sum: Tensor, value: Tensor, factor: Tensor) -> Tensor:
        ctx.save_for_backward(factor)
        return value.to(nll_sum.dtype)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        (factor,) = ctx.saved_tensors
        return (upstream * factor).to(upstream.dtype), None, None


def _group(group: dist.ProcessGroup | None) -> dist.ProcessGroup:
    """The group, or that of all processes; a ValueError where there is none."""
    if not dist.is_available() or not dist.is_initialized():
        raise ValueError(
            "there is no process group: start the processes with torchrun, and call "
            "torch.distributed.init_process_group first"
        )
    if group is None:
        return dist.group.WORLD
    if group == dist.GroupMember.NON_GROUP_MEMBER:
        raise ValueError("group must be one that this process is a member of")
    return group
