"""The softmax NLL of a linear layer in chunks, against the plain formula in float64.

The oracle keeps all logits, and is differentiated by PyTorch. mpmath and NumPy's loss are others.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from nllbook import categorical_nll
from nllbook.torch import linear_cross_entropy
from nllbook.torch.linear import CHUNK_BYTES, _rows_at_a_time
from nllbook.torch.softmax import Options, softmax_nll_, softmax_nll_torch_

INF, NAN = float("inf"), float("nan")
HALF = (torch.bfloat16, torch.float16)
TYPES = (torch.float64, torch.float32, *HALF)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "smoothing": {"label_smoothing": 0.1},
    "softcap": {"softcap": 2.0},
    "z_loss": {"z_loss": 0.3},
    "all": {"label_smoothing": 0.3, "softcap": 1.5, "z_loss": 0.1},
}
REDUCTIONS = ("mean", "sum", "none")
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
every_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)
mp = mpmath.MPContext()  # its own: other tests choose their digits
mp.dps = 50


def layer(
    n: int, d: int, k: int, dtype: Any = torch.float64, seed: int = 0, ignored: float = 0.0
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs, weights, biases and classes, some of which are −100; logits are some −5 to 5."""
    rng = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=rng, dtype=torch.float64)

    target = torch.randint(k, (n,), generator=rng)
    target[torch.rand(n, generator=rng) < ignored] = -100
    tables = normal(n, d), normal(k, d) / d**0.5, normal(k)
    x, weight, bias = (table.to(dtype) for table in tables)
    return x, weight, bias, target


def plain(
    *given: Any,  # x, weight, bias or None, target
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    softcap: float | None = None,
    z_loss: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """The formula, with all logits in memory."""
    *tables, target = given
    logits = functional.linear(*tables)
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    kept = target != ignore_index
    losses = functional.cross_entropy(
        logits,
        target,
        reduction="none",
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
    )
    losses = losses + torch.where(kept, z_loss * logits.logsumexp(-1) ** 2, 0.0)
    if reduction == "none":
        return losses
    return losses.sum() / (kept.sum() if reduction == "mean" else 1)


def chunked(*given: Any, **options: Any) -> Any:
    x, weight, bias, target = given
    return linear_cross_entropy(x, weight, target, bias=bias, **options)


def leaves(*tables: Tensor | None) -> list[Any]:
    return [None if one is None else one.detach().clone().requires_grad_() for one in tables]


def gradients(
    function: Callable[..., Any],
    *given: Any,
    upstream: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor, list[Tensor]]:
    """The loss, and the gradients of x, weight and, if there is one, bias."""
    *tables, target = given
    inputs = leaves(*tables)
    loss = function(*inputs, target, **options)
    wanted = [one for one in inputs if one is not None]
    upstream = torch.ones_like(loss) if upstream is None else upstream
    found = torch.autograd.grad(loss, wanted, upstream.to(loss.dtype), retain_graph=True)
    return loss.detach(), list(found)


def assert_near(got: Tensor, want: Tensor, roundings: float, size: float = 0.0) -> None:
    """Off by so many roundings of the type of ``got``, and 256 of what sums are made in.

    These are of the largest number there is, or of ``size``: each number is a sum of at most some
    60 products, of numbers that went through a few more roundings each.
    """
    assert got.shape == want.shape
    if not got.numel():
        return
    wide = torch.float64 if got.dtype == torch.float64 else torch.float32
    size = max(size, float(want.abs().max()))
    smallest = torch.finfo(got.dtype).smallest_normal * torch.finfo(got.dtype).eps
    allowed = 256 * torch.finfo(wide).eps * size + smallest
    allowed = allowed + want.abs() * (roundings * torch.finfo(got.dtype).eps / 2)
    error = (got.double() - want.double()).abs()
    assert torch.all(error <= allowed), f"off by {(error / allowed).max():.3g} of what is allowed"


# --- Values and gradients ------------------------------------------------------------------------


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(data=st.data())
def test_loss_and_gradients_are_those_of_the_plain_formula_in_float64(data: st.DataObject) -> None:
    draw = data.draw
    dtype = draw(st.sampled_from(TYPES))
    n, d, k = (draw(st.integers(low, high)) for low, high in ((0, 9), (1, 6), (1, 12)))
    ignored = draw(st.sampled_from((0.0, 0.4, 1.0)))
    x, weight, bias, target = layer(n, d, k, dtype, draw(st.integers(0, 10**6)), ignored)
    options: dict[str, Any] = {
        "ignore_index": draw(st.sampled_from((-100, 0, 7))),
        "label_smoothing": draw(st.sampled_from((0.0, 0.1, 1.0))),
        "softcap": draw(st.sampled_from((None, 0.7, 30.0))),
        "z_loss": draw(st.sampled_from((0.0, 1e-3, 0.5))),
        "reduction": draw(st.sampled_from(REDUCTIONS)),
    }
    target = torch.where(target == -100, options["ignore_index"], target)
    assume(options["reduction"] != "mean" or bool((target != options["ignore_index"]).any()))
    inputs = [x, weight, bias if draw(st.booleans()) else None]
    wanted = draw(st.lists(st.booleans(), min_size=3, max_size=3))
    for one, want in zip(inputs, wanted, strict=True):
        if one is not None:
            one.requires_grad_(want)
    chunk_rows = draw(st.sampled_from((None, 1, 2, 5, 100)))
    upstream = torch.tensor(
        draw(st.lists(st.floats(-8, 8), min_size=max(n, 1), max_size=max(n, 1)))
    )
    upstream = upstream.double()[:n] if options["reduction"] == "none" else upstream.double()[0]

    loss = chunked(*inputs, target, chunk_rows=chunk_rows, **options)
    exact = [None if one is None else one.detach().double().requires_grad_() for one in inputs]
    expected = plain(*exact, target, **options)
    assert loss.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert_near(loss.detach(), expected.detach(), 1)
    asked = [i for i, one in enumerate(inputs) if one is not None and wanted[i]]
    assert loss.requires_grad == bool(asked)
    if not asked:
        return
    found = torch.autograd.grad(loss, [inputs[i] for i in asked], upstream.to(loss.dtype))
    slopes = torch.autograd.grad(expected, [exact[i] for i in asked], upstream)
    # bfloat16 is rounded before the factor from upstream comes, and after; the factor is, too
    roundings = 3 if dtype == torch.bfloat16 else 1
    for got, want in zip(found, slopes, strict=True):
        assert got.dtype == dtype
        assert_near(got, want, roundings, float(upstream.abs().max()) if n else 0.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@every_reduction
def test_loss_and_gradients_are_those_of_numpy(reduction: Any, smoothing: float) -> None:
    x, weight, bias, target = layer(12, 4, 7, ignored=0.3)
    logits = functional.linear(x, weight, bias).numpy()
    value, slope = categorical_nll(
        target.numpy(),
        logits=logits,
        ignore_index=-100,
        label_smoothing=smoothing,
        reduction=reduction,
        return_grad=True,
    )
    loss, found = gradients(
        chunked, x, weight, bias, target, reduction=reduction, label_smoothing=smoothing
    )
    wanted = slope @ weight.numpy(), slope.T @ x.numpy(), slope.sum(0)  # the chain rule
    assert_near(loss, torch.as_tensor(value), 1)
    for got, want in zip(found, wanted, strict=True):
        assert_near(got, torch.as_tensor(want), 1)


@every_option
@every_reduction
def test_gradients_are_the_finite_differences(reduction: str, options: dict[str, Any]) -> None:
    *inputs, target = layer(6, 3, 5, ignored=0.3)

    def loss(*given: Tensor) -> Any:
        return chunked(*given, target, reduction=reduction, chunk_rows=4, **options)

    assert torch.autograd.gradcheck(loss, leaves(*inputs))


@every_option
@pytest.mark.parametrize("k", [1, 6])
def test_softmax_nll_writes_the_gradient_in_the_place_of_the_logits(
    k: int, options: dict[str, Any]
) -> None:
    logits, _, _, target = layer(8, k, k, ignored=0.3)
    scale = torch.linspace(-1, 2, 8, dtype=torch.float64)
    (leaf,) = leaves(logits)
    expected = plain(leaf, torch.eye(k).double(), None, target, reduction="none", **options)
    (slope,) = torch.autograd.grad(expected, leaf, scale)
    for function in (softmax_nll_, softmax_nll_torch_):
        z = logits.clone()
        loss = function(z, target, scale, Options(**options))
        assert_near(loss, expected.detach(), 1)
        assert_near(z, slope, 1, size=1)
        only = function(logits.clone(), target, None, Options(**options))
        assert torch.equal(only, loss)


@pytest.mark.parametrize("chunk_rows", [1, 3, 7, 100, None])
def test_the_result_depends_on_the_chunks_by_rounding_only(chunk_rows: int | None) -> None:
    given = layer(20, 5, 9, ignored=0.2)
    loss, found = gradients(chunked, *given, chunk_rows=chunk_rows)
    expected, slopes = gradients(plain, *given)
    for got, want in zip([loss, *found], [expected, *slopes], strict=True):
        assert_near(got, want, 1)


@pytest.mark.parametrize(("dtype", "bytes_each"), [(torch.float64, 8), (torch.bfloat16, 4)])
def test_by_default_a_chunk_has_as_many_rows_as_fit(dtype: Any, bytes_each: int) -> None:
    rows = _rows_at_a_time(torch.empty(1000, 2), dtype)
    assert rows * 1000 * bytes_each <= CHUNK_BYTES < (rows + 1) * 1000 * bytes_each
    assert _rows_at_a_time(torch.empty(CHUNK_BYTES, 0), dtype) == 1


def test_autocast_leaves_the_types_alone() -> None:
    *tables, target = layer(20, 5, 9)
    inputs = [one.detach().float().requires_grad_() for one in tables]
    alone = torch.autograd.grad(chunked(*inputs, target), inputs)
    with torch.autocast("cpu", torch.bfloat16):
        loss = chunked(*inputs, target)
    for got, want in zip(torch.autograd.grad(loss, inputs), alone, strict=True):
        assert torch.equal(got, want)


@pytest.mark.parametrize("compiled", [False, True])
def test_a_factor_from_above_is_not_rounded_to_half_precision(compiled: bool) -> None:
    *tables, target = layer(400, 30, 50)
    inputs = [one.detach().bfloat16().requires_grad_() for one in tables]
    function = torch.compile(chunked, backend="aot_eager") if compiled else chunked
    whole = torch.autograd.grad(chunked(*inputs, target), inputs)
    third = torch.autograd.grad(function(*inputs, target) / 3, inputs)
    for one, all_of_it in zip(third[:2], whole[:2], strict=True):  # thousands of entries each
        one, all_of_it = one.double(), all_of_it.double()
        factor = (one * all_of_it).sum() / (all_of_it * all_of_it).sum()
        # the roundings of single entries average out; 1/3 in bfloat16 is 0.2 % off
        assert abs(factor * 3 - 1) < 5e-4


# --- Backward, more than once --------------------------------------------------------------------


@pytest.mark.parametrize("dtype", TYPES)
@every_reduction
def test_going_backward_again_gives_the_same_bits(reduction: str, dtype: Any) -> None:
    *tables, target = layer(10, 4, 6, dtype, ignored=0.3)
    inputs = leaves(*tables)
    loss = chunked(*inputs, target, reduction=reduction, chunk_rows=3)
    upstream = torch.ones_like(loss)
    first = torch.autograd.grad(loss, inputs, upstream, retain_graph=True)
    kept = [one.clone() for one in first]
    for one in first:
        one.fill_(NAN)  # what was handed out is the caller's
    for _ in range(2):
        again = torch.autograd.grad(loss, inputs, upstream, retain_graph=True)
        assert all(map(torch.equal, again, kept))


@every_reduction
def test_gradients_accumulate(reduction: str) -> None:
    *tables, target = layer(10, 4, 6, ignored=0.3)
    inputs = leaves(*tables)
    _, once = gradients(chunked, *tables, target, reduction=reduction)
    loss = chunked(*inputs, target, reduction=reduction)
    total = [torch.zeros_like(one) for one in once]
    for _ in range(3):
        loss.backward(torch.ones_like(loss), retain_graph=True)
        total = [so_far + one for so_far, one in zip(total, once, strict=True)]
        assert all(map(torch.equal, [one.grad for one in inputs], total))


@every_reduction
def test_a_second_derivative_is_refused(reduction: str) -> None:
    *tables, target = layer(4, 3, 5)
    inputs = leaves(*tables)
    loss = chunked(*inputs, target, reduction=reduction).sum()
    with pytest.raises(RuntimeError, match="differentiable once: create_graph=True is not"):
        torch.autograd.grad(loss, inputs, create_graph=True)


def test_without_gradients_none_are_made() -> None:
    *tables, target = layer(4, 3, 5)
    with torch.no_grad():
        loss = chunked(*leaves(*tables), target)
    assert not loss.requires_grad
    assert_near(loss, plain(*tables, target), 1)


# --- Shapes and types ----------------------------------------------------------------------------


def test_tables_need_not_be_contiguous() -> None:
    x, weight, bias, target = layer(6, 4, 5, ignored=0.2)
    strided = [
        x.T.contiguous().T,
        torch.stack([weight, weight], 1)[:, 1],
        torch.stack([bias, bias], 1)[:, 0],
        torch.stack([target, target], 1)[:, 1],
    ]
    assert not any(one.is_contiguous() for one in strided)
    for reduction in REDUCTIONS:
        loss, found = gradients(chunked, *strided, reduction=reduction)
        expected, slopes = gradients(plain, x, weight, bias, target, reduction=reduction)
        for got, want in zip([loss, *found], [expected, *slopes], strict=True):
            assert_near(got, want, 1)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (2, 0, 3), (3, 1, 2)])
def test_rows_may_have_any_shape(shape: tuple[int, ...]) -> None:
    n = int(np.prod(shape))
    x, weight, bias, target = layer(n, 4, 5)
    shaped = x.reshape(*shape, 4), weight, bias, target.reshape(shape)
    upstream = torch.linspace(1, 2, n).double()
    loss, found = gradients(
        chunked, *shaped, upstream=upstream.reshape(shape), reduction="none", chunk_rows=4
    )
    expected, slopes = gradients(
        plain, x, weight, bias, target, upstream=upstream, reduction="none"
    )
    assert_near(loss, expected.reshape(shape), 1)
    assert_near(found[0], slopes[0].reshape(*shape, 4), 1)
    assert_near(found[1], slopes[1], 1)
    total, _ = gradients(chunked, *shaped, reduction="sum")
    assert_near(total, expected.sum(), 1)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8])
def test_classes_are_integers_of_any_type(dtype: Any) -> None:
    *tables, target = layer(6, 4, 5)
    assert torch.equal(chunked(*tables, target.to(dtype)), chunked(*tables, target))


def test_a_layer_without_inputs_gives_log_k() -> None:
    x, weight = leaves(torch.zeros(3, 0), torch.zeros(4, 0))
    loss = linear_cross_entropy(x, weight, torch.tensor([0, 3, 1]), reduction="sum")
    loss.backward()
    assert loss.item() == pytest.approx(3 * np.log(4), rel=1e-6)  # float32 has 7 digits
    assert x.grad.shape == (3, 0)
    assert weight.grad.shape == (4, 0)


def test_no_rows_of_no_classes_cost_nothing() -> None:
    empty, none = torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64)
    assert float(linear_cross_entropy(empty, empty, none, reduction="sum")) == 0


# --- Rows that are ignored -----------------------------------------------------------------------


@every_option
def test_a_batch_of_ignored_rows(options: dict[str, Any]) -> None:
    *tables, target = layer(4, 3, 5, ignored=1.0)
    with pytest.raises(
        ValueError, match=r"every target is ignore_index .* reduction='sum' gives 0"
    ):
        chunked(*tables, target, **options)
    for reduction, shape in (("sum", ()), ("none", (4,))):
        loss, found = gradients(chunked, *tables, target, reduction=reduction, **options)
        assert torch.equal(loss, torch.zeros(shape).double())
        assert all(torch.equal(one, torch.zeros_like(one)) for one in found)


@every_option
@every_reduction
@pytest.mark.parametrize("what", [NAN, INF, -INF])
def test_what_ignored_rows_hold_leaks_nowhere(
    what: float, reduction: str, options: dict[str, Any]
) -> None:
    x, weight, bias, target = layer(8, 3, 5)
    bad = torch.arange(8) % 3 == 1
    x[bad] = what
    target[bad] = -100
    upstream = torch.linspace(1, 2, 8).double() if reduction == "none" else torch.tensor(1.0)
    given = {"reduction": reduction, "chunk_rows": 5, **options}
    poisoned = torch.where(bad, what, upstream) if reduction == "none" else upstream
    loss, found = gradients(chunked, x, weight, bias, target, upstream=poisoned, **given)
    kept_upstream = upstream[~bad] if reduction == "none" else upstream
    rows = x[~bad], weight, bias, target[~bad]
    expected, slopes = gradients(
        plain, *rows, upstream=kept_upstream, reduction=reduction, **options
    )
    assert_near(loss[~bad] if reduction == "none" else loss, expected, 1)
    assert_near(found[0][~bad], slopes[0], 1)
    assert torch.equal(found[0][bad], torch.zeros(3, 3).double())
    for got, want in zip(found[1:], slopes[1:], strict=True):
        assert_near(got, want, 1)


# --- Hard logits ---------------------------------------------------------------------------------


@every_reduction
@pytest.mark.parametrize("z_loss", [0.0, 0.1])
def test_a_class_that_cannot_happen_is_one_that_is_not_there(z_loss: float, reduction: str) -> None:
    x, weight, bias, target = layer(8, 3, 5)
    there = torch.tensor([True, True, False, True, True])
    target[target == 2] = 4
    bias[2] = -INF
    given = {"reduction": reduction, "z_loss": z_loss}
    loss, (dx, dweight, dbias) = gradients(chunked, x, weight, bias, target, **given)
    fewer = torch.where(target > 2, target - 1, target)
    expected, slopes = gradients(plain, x, weight[there], bias[there], fewer, **given)
    for got, want in zip(
        [loss, dx, dweight[there], dbias[there]], [expected, *slopes], strict=True
    ):
        assert_near(got, want, 1)
    assert torch.equal(dweight[2], torch.zeros(3).double())
    assert float(dbias[2]) == 0
    target[0] = 2  # and now it happens
    assert chunked(x, weight, bias, target, **given).max() == INF


def exact(logits: Tensor, y: int) -> tuple[Any, list[Any]]:
    """The loss and its gradient from the textbook's formula, with 50 digits."""
    powers = [mp.exp(mp.mpf(z)) for z in logits.tolist()]
    total = mp.fsum(powers)
    slope = [power / total - (j == y) for j, power in enumerate(powers)]
    return mp.log(total / powers[y]), slope


def error(got: Tensor, want: Any) -> float:
    return float(abs((mp.mpf(float(got)) - want) / want))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("lead", [0.5, 3.0, 9.0, 20.0, 40.0, 80.0])
def test_confident_rows_keep_their_digits(lead: float, dtype: Any) -> None:
    logits = torch.tensor([0.3, 0.3 + lead, -1.2, 0.7], dtype=dtype)
    eps = torch.finfo(dtype).eps
    x, weight = leaves(torch.ones(1, 1, dtype=dtype), logits[:, None])
    for y in (1, 0):
        target = torch.tensor([y])
        loss = linear_cross_entropy(x, weight, target, chunk_rows=1)
        (slope,) = torch.autograd.grad(loss, weight)
        value, slopes = exact(logits, y)
        # some ten roundings, and that of a difference of logits, which an exponential multiplies
        allowed = (10 + lead) * eps
        assert error(loss.detach(), value) < allowed
        assert all(
            error(got, want) < allowed for got, want in zip(slope[:, 0], slopes, strict=True)
        )
        if y == 1 and lead >= 40:
            # what PyTorch's own says of so sure a row has no digit right
            assert error(functional.cross_entropy(logits[None], target), value) == 1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@every_reduction
def test_logits_of_ten_thousand(reduction: str, dtype: Any) -> None:
    weight = torch.tensor([[1e4], [-1e4], [0.0]], dtype=dtype)
    x, target = torch.ones(2, 1, dtype=dtype), torch.tensor([0, 1])
    loss, (dx, slope) = gradients(chunked, x, weight, None, target, reduction=reduction)
    by = 2 if reduction == "mean" else 1
    losses = torch.tensor([0, 2e4], dtype=dtype)  # exp(−1e4) is 0
    assert torch.equal(loss, losses if reduction == "none" else losses.sum() / by)
    assert torch.equal(slope, torch.tensor([[1.0], [-1.0], [0.0]], dtype=dtype) / by)
    assert torch.equal(dx, torch.tensor([[0], [2e4]], dtype=dtype) / by)


# --- Half precision ------------------------------------------------------------------------------


def roundings(got: Tensor, want: Tensor) -> float:
    """The largest error in roundings of bfloat16, beside 1e-4 for the sums in float32.

    These have 512 terms smaller than 4: each sum is off by at most 512 · 512 · 4 · 2⁻²⁴ = 0.06,
    and as roundings go up and down by √512 · 4 · √512 · 2⁻²⁴ = 1e-4.
    """
    unit = torch.finfo(torch.bfloat16).eps / 2
    return float((((got.double() - want).abs() - 1e-4) / (unit * want.abs())).max())


def test_the_gradient_of_the_weights_is_rounded_once_for_any_number_of_chunks() -> None:
    x, weight, _, target = layer(512, 8, 16, torch.bfloat16)
    _, (_, slope) = gradients(chunked, x, weight, None, target, reduction="sum", chunk_rows=8)
    doubles = x.double(), weight.double(), None
    _, (_, want) = gradients(plain, *doubles, target, reduction="sum")
    assert slope.dtype == torch.bfloat16
    assert roundings(slope, want) <= 1

    summed_in_half = torch.zeros_like(weight)
    for rows in torch.arange(512).split(8):
        chunk = x[rows].double(), weight.double(), None, target[rows]
        summed_in_half += gradients(plain, *chunk, reduction="sum")[1][1].to(torch.bfloat16)
    assert roundings(summed_in_half, want) > 10


def test_a_factor_keeps_gradients_of_float16_from_underflow() -> None:
    x, weight, bias, target = layer(20_000, 4, 50, torch.float16)
    factor = torch.tensor(2.0**18)  # as a GradScaler has it
    doubles = [one.double() for one in (x, weight, bias)]
    _, found = gradients(chunked, x, weight, bias, target, upstream=factor)
    _, slopes = gradients(plain, *doubles, target, upstream=factor)
    for got, want in zip(found, slopes, strict=True):
        # a rounding is at most 2⁻¹¹ of each number; the 20,000 rows are summed in float32
        assert torch.linalg.norm(got.double() - want) < 2**-11 * torch.linalg.norm(want)


# --- torch.compile -------------------------------------------------------------------------------


def assert_compiled_is_eager(backend: str, reduction: str) -> None:
    torch._dynamo.reset()
    given = layer(10, 4, 6, ignored=0.3)
    upstream = torch.linspace(0.5, 2, 10).double() if reduction == "none" else torch.tensor(0.3)
    compiled = torch.compile(chunked, fullgraph=True, backend=backend)
    options = {"reduction": reduction, "label_smoothing": 0.1, "chunk_rows": 4}
    loss, found = gradients(compiled, *given, upstream=upstream, **options)
    expected, slopes = gradients(chunked, *given, upstream=upstream, **options)
    for got, want in zip([loss, *found], [expected, *slopes], strict=True):
        assert_near(got, want, 1)


@pytest.mark.slow
@every_reduction
def test_compiled_as_one_graph_it_is_the_same(reduction: str) -> None:
    assert_compiled_is_eager("aot_eager", reduction)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_compiled_to_machine_code_it_is_the_same() -> None:
    assert_compiled_is_eager("inductor", "mean")


@pytest.mark.slow
def test_compiled_once_it_takes_any_number_of_rows() -> None:
    torch._dynamo.reset()
    compiled = torch.compile(chunked, fullgraph=True, backend="aot_eager", dynamic=True)
    for n in (5, 8, 11):
        *tables, target = layer(n, 4, 6, torch.bfloat16, ignored=0.2)
        found = []
        for function in (compiled, chunked):
            given = leaves(*tables)
            loss = function(*given, target, chunk_rows=3)
            loss.backward()
            found.append([loss, *(one.grad for one in given)])
        for got, want in zip(*found, strict=True):
            assert got.dtype == want.dtype
            assert torch.equal(got, want)


@pytest.mark.slow
@every_reduction
def test_the_operation_keeps_the_promises_that_compilers_rely_on(reduction: str) -> None:
    x, weight, bias, target = layer(5, 3, 4, ignored=0.2)
    leaves(x, weight, bias)
    wanted = [True, True, True]
    options = (reduction, 2, -100, 0.1, 2.0, 0.3)
    torch.library.opcheck(
        torch.ops.nllbook.linear_nll.default, (x, weight, bias, target, wanted, *options)
    )
    scale = torch.ones(5 if reduction == "none" else (), dtype=torch.float64)
    given = [one.detach() for one in (x, weight, bias)]
    torch.library.opcheck(
        torch.ops.nllbook.linear_nll_backward.default, (*given, target, scale, wanted, *options)
    )


def test_under_a_checkpoint_it_is_the_same() -> None:
    given = layer(7, 3, 5, ignored=0.2)

    def again(*tables: Tensor, **options: Any) -> Tensor:
        found: Tensor = checkpoint(chunked, *tables, use_reentrant=False, **options)
        return found

    loss, found = gradients(again, *given)
    expected, slopes = gradients(chunked, *given)
    for got, want in zip([loss, *found], [expected, *slopes], strict=True):
        assert torch.equal(got, want)


# --- Memory --------------------------------------------------------------------------------------


def peak(function: Callable[[], Any], folder: Path) -> int:
    """The most bytes that are allocated at a time while the function runs."""
    with torch.profiler.profile(profile_memory=True) as profiler:
        function()
    profiler.export_chrome_trace(str(folder / "trace.json"))
    events = json.loads((folder / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    memory = [event for event in events if event["name"] == "[memory]"]
    memory.sort(key=lambda event: event["args"]["Ev Idx"])
    sizes = [event["args"]["Bytes"] for event in memory]
    assert max(sizes) > 0
    return int(np.cumsum(sizes).max())


def test_it_takes_less_memory_than_the_logits(tmp_path: Path) -> None:
    n, d, k = 512, 4, 2000
    x, weight, _, target = layer(n, d, k, torch.float32)
    x, weight = leaves(x, weight)
    logits = n * k * 4
    # Of a chunk 1/16 of the logits, twice the gradient of the weights (a sum, and what is handed
    # out), d/n of the logits each, and a few numbers a row: less than 1/8, were nothing else there.
    some = peak(lambda: linear_cross_entropy(x, weight, target, chunk_rows=32).backward(), tmp_path)
    assert logits / 16 < some < logits / 8
    # The log-probabilities, their gradient, and that of the logits; the rest is a number a row.
    whole = peak(lambda: functional.cross_entropy(x @ weight.T, target).backward(), tmp_path)
    assert 3 * logits <= whole < 3.1 * logits


# --- Errors --------------------------------------------------------------------------------------

X, W, B = torch.zeros(6, 3), torch.zeros(10, 3), torch.zeros(10)
Y = torch.tensor([0, 9, 3, -100, 2, 1])
SHAPES = "x and weight must have shapes (..., d) and (k, d), got "
OUTSIDE = " is outside 0..9, and not ignore_index = -100"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"x": [[0.0]]}, TypeError, "x must be a torch.Tensor, got list"),
        (
            {"x": X.long()},
            TypeError,
            "x must be float64, float32, bfloat16 or float16, got torch.int64",
        ),
        ({"weight": None}, TypeError, "weight must be a torch.Tensor, got NoneType"),
        (
            {"weight": W.double()},
            TypeError,
            "weight must have the dtype of x, torch.float32, got torch.float64",
        ),
        ({"weight": W.to("meta")}, ValueError, "weight is on meta, but x is on cpu"),
        ({"weight": torch.zeros(10, 4)}, ValueError, SHAPES + "(6, 3) and (10, 4)"),
        ({"weight": torch.zeros(3)}, ValueError, SHAPES + "(6, 3) and (3,)"),
        ({"x": torch.tensor(1.0)}, ValueError, SHAPES + "() and (10, 3)"),
        ({"bias": B.half()}, TypeError, "bias must have the dtype of x, torch.float32, got "),
        ({"bias": B.to("meta")}, ValueError, "bias is on meta, but x is on cpu"),
        ({"bias": torch.zeros(9)}, ValueError, "bias must have the shape (10,), got (9,)"),
        ({"bias": torch.zeros(10, 1)}, ValueError, "bias must have the shape (10,), got (10, 1)"),
        ({"target": [0] * 6}, TypeError, "target must be a torch.Tensor, got list"),
        (
            {"target": Y.float()},
            TypeError,
            "target must be integers, the indices of classes, got torch.float32",
        ),
        ({"target": Y > 0}, TypeError, "target must be integers, the indices of classes, got "),
        (
            {"target": Y[:5]},
            ValueError,
            "target must have the shape of x without its last axis, (6,), got (5,)",
        ),
        ({"target": Y[:, None]}, ValueError, "its last axis, (6,), got (6, 1)"),
        ({"target": Y.to("meta")}, ValueError, "target is on meta, but x is on cpu"),
        ({"target": Y + 1}, ValueError, "target[1] = 10" + OUTSIDE),
        ({"target": -Y}, ValueError, "target[1] = -9" + OUTSIDE),
        ({"target": Y, "ignore_index": 0}, ValueError, "target[3] = -100 is outside 0..9, and not"),
        ({"target": Y.where(Y != 2, 2**40)}, ValueError, "target[4] = 1099511627776" + OUTSIDE),
        (
            {"x": X.reshape(2, 3, 3), "target": (Y + (Y == 1) * 30).reshape(2, 3)},
            ValueError,
            "target[1, 2] = 31" + OUTSIDE,
        ),
        ({"weight": W[:0]}, ValueError, "weight must have a row for each class, and has none"),
        ({"ignore_index": None}, TypeError, "ignore_index must be a whole number, got None"),
        ({"ignore_index": 1.5}, TypeError, "ignore_index must be a whole number, got 1.5"),
        ({"label_smoothing": None}, TypeError, "label_smoothing must be a number, got None"),
        ({"softcap": "a"}, TypeError, "softcap must be a number, got 'a'"),
        ({"z_loss": True}, TypeError, "z_loss must be a number, got True"),
        ({"chunk_rows": True}, TypeError, "chunk_rows must be a whole number, got True"),
        (
            {"x": X.to(torch.float8_e4m3fn)},
            TypeError,
            "x must be float64, float32, bfloat16 or float16, got torch.float8_e4m3fn",
        ),
        ({"label_smoothing": 1.5}, ValueError, "label_smoothing = 1.5 must be in [0, 1]"),
        ({"label_smoothing": -0.1}, ValueError, "label_smoothing = -0.1 must be in [0, 1]"),
        ({"label_smoothing": NAN}, ValueError, "label_smoothing = nan must be in [0, 1]"),
        ({"softcap": 0.0}, ValueError, "softcap = 0.0 must be finite and > 0, or None"),
        ({"softcap": -1.0}, ValueError, "softcap = -1.0 must be finite and > 0, or None"),
        ({"softcap": INF}, ValueError, "softcap = inf must be finite and > 0, or None"),
        ({"softcap": NAN}, ValueError, "softcap = nan must be finite and > 0, or None"),
        ({"z_loss": -1.0}, ValueError, "z_loss = -1.0 must be finite and >= 0"),
        ({"z_loss": INF}, ValueError, "z_loss = inf must be finite and >= 0"),
        ({"z_loss": NAN}, ValueError, "z_loss = nan must be finite and >= 0"),
        ({"chunk_rows": 0}, ValueError, "chunk_rows = 0 must be >= 1, or None"),
        ({"chunk_rows": 2.0}, TypeError, "chunk_rows must be a whole number, got 2.0"),
        (
            {"reduction": "max"},
            ValueError,
            "reduction must be 'mean', 'sum' or 'none', got 'max'",
        ),
    ],
)
def test_errors_name_the_argument_and_what_came(
    given: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments: dict[str, Any] = {"x": X, "weight": W, "target": Y, **given}
    with pytest.raises(error) as found:
        linear_cross_entropy(**arguments)
    assert message in str(found.value)
