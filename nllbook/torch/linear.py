"""The softmax NLL of a linear layer, chunk of rows by chunk of rows.

With the inputs X (n, d), the weights W (k, d) and G (n, k), the gradient of the loss with respect
to the logits Z = X Wᵀ + b, which `softmax` writes in place of the logits:

    ∂/∂X = G W        ∂/∂W = Gᵀ X = Σ over chunks of G_cᵀ X_c        ∂/∂b = Gᵀ 1

A row of G needs that row of Z and nothing else, so one chunk of rows at a time is enough. For a sum
or a mean the factor of each row is known in the forward pass: the gradients are made there, while
the chunk is at hand, and the backward pass hands them out. They are held once: whoever goes
backward a second time has them made anew. For "none" the factors are known in the backward pass
only, and the logits are made twice. So are those of float16, whose gradients divided by the number
of rows would underflow before the factor comes that is to keep them from it (GradScaler's).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nllbook.torch import _check
from nllbook.torch.softmax import Options, softmax_nll_

CHUNK_BYTES = 52 * 2**20  # of logits at a time; a matrix product with fewer rows is slower
# On a GPU each chunk reads and writes the k d float32 sums of the weights' gradient, 8 bytes for
# 2 CHUNK_ROWS operations. At some 300 operations a byte (an H100, by its data sheet) that takes
# 8 · 300 / (2 · 2048) = 0.6 of that product's own time: with fewer rows it would wait for memory.
CHUNK_ROWS = 2048
# The number of rows that are kept comes to the CPU, which no recorded CUDA graph can do.
UNSAFE = (torch.Tag.cudagraph_unsafe,)


def linear_cross_entropy(
    x: Tensor,
    weight: Tensor,
    target: Tensor,
    *,
    bias: Tensor | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    softcap: float | None = None,
    z_loss: float = 0.0,
    reduction: str = "mean",
    chunk_rows: int | None = None,
) -> Tensor:
    """−log softmax(x Wᵀ + b)[target] in nats, without the logits of all rows in memory.

    See the chapter "NLL at vocabulary scale".

    Parameters
    ----------
    x : Tensor, shape (..., d)
        The inputs of the last layer: float64, float32, bfloat16 or float16.
    weight : Tensor, shape (k, d)
        One row for each of the k classes, in the type of ``x``.
    target : Tensor of integers, shape (...)
        The classes, 0 to k − 1.
    bias : Tensor, shape (k,), optional
        In the type of ``x``.
    ignore_index : int
        Rows with this target count for nothing: loss and gradient are 0, whatever they hold.
    label_smoothing : float in [0, 1]
        The target becomes (1 − ε) onehot + ε/k.
    softcap : float > 0, optional
        The logits z become softcap · tanh(z / softcap).
    z_loss : float >= 0
        Adds z_loss · logsumexp(z)² to the loss of each row, so that logits do not drift.
    reduction : {"mean", "sum", "none"}
        "mean" divides by the number of rows that are kept.
    chunk_rows : int, optional
        How many rows have their logits in memory at a time; by default as many as fit in 52 MiB,
        and on a GPU 2,048.
        The result depends on it by rounding only.

    Returns
    -------
    Tensor
        A number, or for "none" the losses of the rows, (...), in the type of ``x``, but float32 for
        the half-precision types. Differentiable once in ``x``, ``weight`` and ``bias``, any
        number of times over. Half-precision inputs are multiplied into float32 logits, and the
        gradient of ``weight`` is summed over the chunks in float32.

    Raises
    ------
    ValueError
        For a target outside the classes, shapes that do not fit, devices that differ, a mean over
        no kept row, or an option outside its range.
    TypeError
        For what is not a tensor of the type asked for.

    Notes
    -----
    Liger Kernel, too, makes the gradients in the forward pass: Hsu et al., arXiv:2410.10989.

    Examples
    --------
    >>> import torch
    >>> from nllbook.torch import linear_cross_entropy
    >>> x, weight = torch.zeros(2, 3), torch.zeros(8, 3)
    >>> loss = linear_cross_entropy(x, weight, torch.tensor([1, 7]))
    >>> round(loss.item(), 4)  # log 8
    2.0794
    """
    _check.floating("x", x)
    _check.floating("weight", weight, x, "x")
    if x.ndim < 1 or weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"x and weight must have shapes (..., d) and (k, d), got {tuple(x.shape)} and "
            f"{tuple(weight.shape)}"
        )
    if bias is not None:
        _check.floating("bias", bias, x, "x")
        if bias.shape != weight.shape[:1]:
            raise ValueError(
                f"bias must have the shape ({weight.shape[0]},), got {tuple(bias.shape)}"
            )
    target = _check.indices(target, x.shape[:-1], x, "x")
    if target.numel() and not len(weight):
        raise ValueError("weight must have a row for each class, and has none")
    _check.whole("ignore_index", ignore_index)
    _check.fraction("label_smoothing", label_smoothing)
    if softcap is not None:
        _check.number("softcap", softcap)
        if not 0 < softcap < float("inf"):
            raise ValueError(f"softcap = {softcap} must be finite and > 0, or None")
    _check.number("z_loss", z_loss)
    if not 0 <= z_loss < float("inf"):
        raise ValueError(f"z_loss = {z_loss} must be finite and >= 0")
    if chunk_rows is not None:
        _check.whole("chunk_rows", chunk_rows)
        if chunk_rows < 1:
            raise ValueError(f"chunk_rows = {chunk_rows} must be >= 1, or None")
    _check.reduction(reduction)

    parameters = [x, weight] if bias is None else [x, weight, bias]
    wanted = [torch.is_grad_enabled() and one.requires_grad for one in parameters]
    loss, *_ = _linear_nll(
        x.reshape(target.numel(), x.shape[-1]),
        weight,
        bias,
        target,
        [*wanted, False][:3],
        reduction,
        chunk_rows or _rows_at_a_time(weight, x.dtype),
        ignore_index,
        label_smoothing,
        softcap,
        z_loss,
    )
    return loss.reshape(x.shape[:-1]) if reduction == "none" else loss


def _rows_at_a_time(weight: Tensor, dtype: torch.dtype) -> int:
    if weight.is_cuda:
        return CHUNK_ROWS
    return max(1, CHUNK_BYTES // (max(1, weight.shape[0]) * _wide(dtype).itemsize))


def _wide(dtype: torch.dtype) -> torch.dtype:
    """What numbers of this type are summed in."""
    return torch.float64 if dtype == torch.float64 else torch.float32


def _at_once(reduction: str, dtype: torch.dtype) -> bool:
    """Whether the gradients are made in the forward pass."""
    return reduction != "none" and dtype != torch.float16


@torch.library.custom_op("nllbook::linear_nll", mutates_args=(), tags=UNSAFE)
def _linear_nll(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    wanted: list[bool],
    reduction: str,
    chunk_rows: int,
    ignore_index: int,
    label_smoothing: float,
    softcap: float | None,
    z_loss: float,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The loss; where it is a number, also the gradients of x, weight and bias that are wanted."""
    options = Options(ignore_index, label_smoothing, softcap, z_loss)
    count = _check.classes(target, weight.shape[0], ignore_index)
    if reduction == "mean" and not count:
        raise ValueError(
            "every target is ignore_index (or there is none), and the mean over no row is not "
            "defined: reduction='sum' gives 0"
        )
    target = target.reshape(-1)
    by = count if reduction == "mean" else 1
    scale = None
    if _at_once(reduction, x.dtype) and any(wanted):
        scale = torch.full(target.shape, 1 / by, dtype=_wide(x.dtype), device=x.device)
    losses, *gradients = _in_chunks(x, weight, bias, target, scale, wanted, chunk_rows, options)
    loss = losses if reduction == "none" else losses.sum(dtype=torch.float64).div(by)
    return loss.to(_wide(x.dtype)), *gradients


@torch.library.custom_op("nllbook::linear_nll_backward", mutates_args=(), tags=UNSAFE)
def _linear_nll_backward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    scale: Tensor,
    wanted: list[bool],
    reduction: str,
    chunk_rows: int,
    ignore_index: int,
    label_smoothing: float,
    softcap: float | None,
    z_loss: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of x, weight and bias that are wanted, for a factor of each row, or of all."""
    options = Options(ignore_index, label_smoothing, softcap, z_loss)
    if reduction == "mean":
        scale = scale / (target != ignore_index).sum()
    target = target.reshape(-1)
    rows = scale.expand(target.shape)
    return _in_chunks(x, weight, bias, target, rows, wanted, chunk_rows, options)[1:]


def _in_chunks(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    scale: Tensor | None,
    wanted: list[bool],
    chunk_rows: int,
    options: Options,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The losses of the rows, and with a ``scale`` of each row the gradients that are wanted."""
    (n, d), k, wide = x.shape, weight.shape[0], _wide(x.dtype)
    chunk_rows = min(chunk_rows, n)
    of_x, of_weight, of_bias = (one and scale is not None for one in wanted)
    losses = x.new_empty(n, dtype=wide)
    dx = x.new_empty((n, d) if of_x else 0)
    dweight = x.new_zeros((k, d) if of_weight else 0, dtype=wide)
    dbias = x.new_zeros(k if of_bias else 0, dtype=wide)
    memory = x.new_empty((chunk_rows, k), dtype=wide)
    dinputs = x.new_empty((chunk_rows if of_x else 0, d), dtype=wide)
    mixed = x.is_cuda and x.dtype != wide  # products of half-precision numbers, summed in float32
    matrix = weight if mixed else weight.to(wide)
    for start in range(0, n, max(1, chunk_rows)):
        rows = slice(start, start + chunk_rows)
        kept = (target[rows] != options.ignore_index)[:, None]
        inputs = torch.where(kept, x[rows], 0.0)  # the others may hold NaN, and 0 · NaN is NaN
        inputs = inputs if mixed else inputs.to(wide)
        z = memory[: len(inputs)]
        if mixed:
            torch.mm(inputs, matrix.T, out_dtype=wide, out=z)
        else:
            torch.mm(inputs, matrix.T, out=z)
        if bias is not None:
            z += bias
        row_scale = None if scale is None else scale[rows]
        losses[rows] = softmax_nll_(z, target[rows], row_scale, options)  # z: now the gradient
        if of_bias:
            dbias += z.sum(0)
        if mixed:
            z = z.to(x.dtype)
        if of_x:  # with out=, as all products here, so that autocast leaves it alone
            if mixed:
                torch.mm(z, matrix, out_dtype=wide, out=dinputs[: len(z)])
            else:
                torch.mm(z, matrix, out=dinputs[: len(z)])
            dx[rows] = dinputs[: len(z)]
        if of_weight and mixed:
            torch.addmm(dweight, z.T, inputs, out_dtype=wide, out=dweight)
        elif of_weight:
            dweight.addmm_(z.T, inputs)
    return losses, dx, dweight.to(weight.dtype), dbias.to(x.dtype)


@_linear_nll.register_fake
def _(x, weight, bias, target, wanted, reduction, *options):  # type: ignore[no-untyped-def]
    wide = _wide(x.dtype)
    loss = x.new_empty(x.shape[0] if reduction == "none" else (), dtype=wide)
    return loss, *_like(x, weight, bias, [one and _at_once(reduction, x.dtype) for one in wanted])


@_linear_nll_backward.register_fake
def _(x, weight, bias, target, scale, wanted, *options):  # type: ignore[no-untyped-def]
    return _like(x, weight, bias, wanted)


def _like(
    x: Tensor, weight: Tensor, bias: Tensor | None, wanted: list[bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Empty gradients, of no size where they are not wanted."""
    of_x, of_weight, of_bias = wanted
    return (
        x.new_empty(x.shape if of_x else 0),
        x.new_empty(weight.shape if of_weight else 0),
        x.new_empty(weight.shape[0] if of_bias else 0),
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, weight, bias, target, ctx.wanted, ctx.reduction, *ctx.options = inputs
    ctx.save_for_backward(x, weight, bias, target)
    ctx.gradients = output[1:] if _at_once(ctx.reduction, x.dtype) else None
    ctx.mark_non_differentiable(*output[1:])
    ctx.set_materialize_grads(False)


def _backward(ctx: Any, upstream: Tensor | None, *_: None) -> tuple[Tensor | None, ...]:
    if torch.is_grad_enabled():
        raise RuntimeError(
            "linear_cross_entropy is differentiable once: create_graph=True is not supported"
        )
    if upstream is None:
        return (None,) * 11
    gradients, ctx.gradients = ctx.gradients, None
    if gradients is None:
        x, weight, bias, target = ctx.saved_tensors
        gradients = _linear_nll_backward(
            x, weight, bias, target, upstream, ctx.wanted, ctx.reduction, *ctx.options
        )
    elif torch.compiler.is_compiling():
        gradients = [(one.to(_wide(one.dtype)) * upstream).to(one.dtype) for one in gradients]
    elif (factor := upstream.item()) != 1:  # as a tensor it might be rounded to half precision
        gradients = [one.mul_(factor) for one in gradients]  # nobody else has them
    found = [one if want else None for one, want in zip(gradients, ctx.wanted, strict=True)]
    return (*found, *(None,) * 8)


_linear_nll.register_autograd(_backward, setup_context=_keep)
