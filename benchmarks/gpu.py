"""Measures the losses of nllbook.torch beside what the machine can do, and beside their peers.

    python -m benchmarks.gpu --out FILE [--device cpu|cuda] [--repetitions N] [--small]

First all is compared with float64; what is wrong stops the run, with exit status 1. Then every
time is a median over repetitions in which the contenders take turns, beside a floor: the bytes that
must move by the rate of a large copy, or the matrix products alone. Prints a table, writes JSON.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import nllbook
from nllbook.torch import linear_cross_entropy
from nllbook.torch.softmax import Options, softmax_nll_

Entry = dict[str, Any]  # a row of the table, or a goal

OURS, EAGER, COMPILED = "nllbook", "eager", "torch.compile"
CHUNKED, LIGER, CCE = "torch, chunked", "Liger", "cut-cross-entropy"
BARE, COPY = "matrix products alone", "copy"  # the floors
FORWARD, BOTH = "forward", "forward+backward"
LINEAR, SOFTMAX = "linear + NLL", "softmax NLL"

# Where a row of float32 logits fits into the registers of one multiprocessor, 256 KiB, a gradient
# needs every logit read once and written once; where not, read twice and written once.
FITS = 2**16
SIZES: dict[str, dict[str, list[Any]]] = {  # rows, width of the inputs, classes; rows, classes
    "cpu": {LINEAR: [(2048, 512, 32_000, torch.float32)], SOFTMAX: []},
    "cuda": {
        LINEAR: [(8192, 4096, 128_256, torch.bfloat16)],
        SOFTMAX: [(8192, 32_000), (8192, 64_000), (4096, 128_256)],
    },
    "small": {
        LINEAR: [(64, 16, 500, torch.float32), (64, 16, 500, torch.bfloat16)],
        SOFTMAX: [(16, 500), (4, 70_000)],
    },
}


# --- Is it right? --------------------------------------------------------------------------------


def check(device: str) -> None:
    """Ends the run with a line about the first result that float64 contradicts."""
    for dtype, within, slope_within in (
        (torch.float32, 1e-5, 1e-5),
        (torch.bfloat16, 1e-4, 2e-2),  # gradients of logits are rounded before the products
    ):
        x, weight, bias = (
            torch.randn(shape, device=device).to(dtype) for shape in ((37, 16), (1003, 16), (1003,))
        )
        target = torch.randint(1003, (37,), device=device)
        target[5] = -100
        upstream = torch.rand(37, device=device)
        for biased, smoothing, cap, z_loss, reduction in itertools.product(
            (False, True), (0.0, 0.1), (None, 3.0), (0.0, 1e-2), ("mean", "sum", "none")
        ):
            options = Options(-100, smoothing, cap, z_loss)
            inputs = [x, weight, bias][: 2 + biased]
            by = upstream if reduction == "none" else upstream[0]
            asked = {"target": target, "options": options, "reduction": reduction}
            found = with_gradients(partial(ours, **asked), inputs, by)
            wanted = with_gradients(partial(exact, **asked), [one.double() for one in inputs], by)
            called = f"linear_cross_entropy, {dtype}, {reduction}, {options}, bias: {biased}"
            compare(called, found, wanted, [within] + [slope_within] * len(inputs))

    for k in (1003, 40_000):  # one piece of a row, and several
        z = 3 * torch.randn(37, k, device=device)
        target = torch.randint(k, (37,), device=device)
        target[5] = -100
        scale = torch.rand(37, device=device)
        for smoothing, cap, z_loss in itertools.product((0.0, 0.1), (None, 5.0), (0.0, 1e-2)):
            options = Options(-100, smoothing, cap, z_loss)
            wanted = with_gradients(
                partial(plain, target=target, options=options), [z.double()], scale
            )
            slopes = z.clone()
            losses = softmax_nll_(slopes, target, scale, options)
            without = softmax_nll_(z.clone(), target, None, options)
            called = f"softmax_nll_, {k} classes, {options}"
            compare(called, [losses, slopes], wanted, [1e-5, 1e-5])
            compare(f"{called}, no gradient", [without], wanted[:1], [1e-5])


def ours(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    target: Tensor,
    options: Options,
    reduction: str,
) -> Tensor:
    return linear_cross_entropy(
        x,
        weight,
        target,
        bias=bias,
        ignore_index=options.ignore_index,
        label_smoothing=options.label_smoothing,
        softcap=options.softcap,
        z_loss=options.z_loss,
        reduction=reduction,
        chunk_rows=8,
    )


def exact(*inputs: Tensor, target: Tensor, options: Options, reduction: str) -> Tensor:
    losses = plain(F.linear(*inputs), target, options)
    kept = (target != options.ignore_index).sum()
    return losses if reduction == "none" else losses.sum() / (kept if reduction == "mean" else 1)


def plain(z: Tensor, target: Tensor, options: Options) -> Tensor:
    """The losses of the rows by the formulas as they stand."""
    if options.softcap is not None:
        z = options.softcap * torch.tanh(z / options.softcap)
    kept = target != options.ignore_index
    of_target = z.gather(1, torch.where(kept, target, 0)[:, None])[:, 0]
    lse, smoothing = z.logsumexp(1), options.label_smoothing
    losses = lse - (1 - smoothing) * of_target - smoothing * z.mean(1)
    return torch.where(kept, losses + options.z_loss * lse**2, 0.0)


def with_gradients(f: Callable[..., Tensor], inputs: list[Tensor], by: Tensor) -> list[Tensor]:
    """What f gives, and its gradients when it is followed by the factors ``by``."""
    inputs = [one.detach().clone().requires_grad_() for one in inputs]
    value = f(*inputs)
    value.backward(by.to(value.dtype))
    return [value.detach(), *[one.grad for one in inputs]]


def compare(called: str, found: list[Tensor], wanted: list[Tensor], within: list[float]) -> None:
    names = ("the loss", "the gradient of the first", "of the second", "of the third argument")
    for name, one, exact, most in zip(names, found, wanted, within, strict=False):
        error = float((one.double() - exact).abs().max() / exact.abs().max())
        if not error <= most:  # NaN, too
            sys.exit(f"Wrong: {called}: {name} is off by {error:.1e} (allowed: {most:.0e})")


# --- Time and memory -----------------------------------------------------------------------------


@dataclass
class Contender:
    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None  # before each run, not timed


def seconds(run: Callable[[], object], device: str) -> float:
    if device == "cpu":
        start = perf_counter()
        run()
        return perf_counter() - start
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    run()
    end.record()
    torch.cuda.synchronize()
    return float(begin.elapsed_time(end)) / 1000


def take_turns(contenders: list[Contender], device: str, repetitions: int) -> dict[str, Entry]:
    """The seconds of each, after a warm-up. The caches are as the one before left them."""
    found: dict[str, list[float]] = {one.name: [] for one in contenders}
    for repetition in range(repetitions + 1):
        for one in contenders:
            one.prepare()
            took = seconds(one.run, device)
            if repetition:
                found[one.name].append(took)
    return {
        name: {"median": median(s), "min": min(s), "max": max(s), "repetitions": repetitions}
        for name, s in found.items()
    }


def peak_bytes(one: Contender, device: str) -> int:
    """The most memory held at a time, beyond what there was before."""
    one.prepare()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        one.run()
        torch.cuda.synchronize()
        return int(torch.cuda.max_memory_allocated() - before)
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        one.run()
    events = profile.profiler.kineto_results.events()
    changes = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return int(max(itertools.accumulate((change for _, change in changes), initial=0)))


def copy_rate(device: str, repetitions: int, small: bool) -> Entry:
    """Bytes read and written per second by a large copy."""
    count = 2**20 if small else {"cpu": 2**28, "cuda": 2**31}[device]
    source = torch.ones(count // 4, device=device)
    to = torch.zeros_like(source)
    took = take_turns([Contender("copy", lambda: to.copy_(source))], device, repetitions)["copy"]
    return {"bytes": count, "bytes_per_second": 2 * count / took["median"], "seconds": took}


# --- The cases -----------------------------------------------------------------------------------


def eager_linear(x: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(x @ weight.T, target)


def eager_softmax(z: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(z, target)


def compiled(f: Callable[..., Tensor], small: bool) -> Callable[..., Tensor]:
    """Without a compiler for the small run, where only the way through this file matters."""
    torch.compiler.reset()
    backend = "eager" if small else "inductor"
    return torch.compile(f, dynamic=False, backend=backend)  # type: ignore[no-any-return]


def peers(device: str) -> Iterator[tuple[str, str, Callable[..., Tensor] | None]]:
    """The name, the version and the loss of x, weight and target of others' kernels; or why not."""
    for name, package, module in (
        (LIGER, "liger_kernel", "liger_kernel.transformers.fused_linear_cross_entropy"),
        (CCE, "cut_cross_entropy", "cut_cross_entropy"),
    ):
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            yield name, "not installed", None
            continue
        if device == "cpu":
            yield name, f"{version}, not for the CPU", None
            continue
        try:
            found = import_module(module)
        except ImportError as error:
            yield name, f"{version}, cannot be imported: {error}", None
            continue
        if name == CCE:
            yield name, version, found.linear_cross_entropy
        else:
            loss = found.LigerFusedLinearCrossEntropyLoss()
            yield name, version, lambda x, weight, target, loss=loss: loss(weight, x, target)


def linear(
    n: int, d: int, k: int, dtype: torch.dtype, device: str, repetitions: int, small: bool
) -> tuple[list[Entry], Entry]:
    """Entries of a linear layer and its NLL; the rate of the products alone, and who failed."""
    x = torch.randn(n, d, device=device).to(dtype).requires_grad_()
    weight = (torch.randn(k, d, device=device) / d**0.5).to(dtype).requires_grad_()
    target = torch.randint(k, (n,), device=device)
    options = torch.nn.LinearCrossEntropyOptions()
    losses: dict[str, Callable[..., Tensor]] = {
        OURS: linear_cross_entropy,
        EAGER: eager_linear,
        COMPILED: compiled(eager_linear, small),
        CHUNKED: lambda x, weight, y: F.linear_cross_entropy(x, weight, y, options=options),
    }

    def forward(loss: Callable[..., Tensor]) -> None:
        with torch.no_grad():
            loss(x, weight, target)

    def both(loss: Callable[..., Tensor]) -> None:
        loss(x, weight, target).backward()

    def clear() -> None:
        x.grad = weight.grad = None

    failed = {}
    for name, _, loss in peers(device):
        if loss is None:
            continue
        try:  # what others wrote may not work with this torch, triton or device
            both(loss)
            losses[name] = loss
        except Exception as error:
            failed[name] = f"{type(error).__name__}: {error}"
            print(f"{name} is left out: {failed[name]}", flush=True)

    a, b = x.detach(), weight.detach()
    z, dx, dweight = a.new_empty(n, k), torch.empty_like(a), torch.empty_like(b)

    def products(what: str) -> None:
        torch.mm(a, b.T, out=z)
        if what == BOTH:
            torch.mm(z, b, out=dx)
            torch.mm(z.T, a, out=dweight)

    kind = str(dtype).removeprefix("torch.")
    case: Entry = {"case": LINEAR, "shape": [n, d, k], "dtype": kind}
    entries: list[Entry] = []
    for what, run in ((FORWARD, forward), (BOTH, both)):
        contenders = [Contender(BARE, partial(products, what))]
        contenders += [Contender(name, partial(run, loss), clear) for name, loss in losses.items()]
        times = take_turns(contenders, device, repetitions)
        floor = times[BARE]["median"]
        entries += rows(case, what, contenders, times, floor, device)
        clear()
    rate = 6 * n * d * k / floor
    return entries, {"shape": [n, d, k], "dtype": kind, "flops_per_second": rate, "failed": failed}


def rows(
    case: Entry,
    what: str,
    contenders: list[Contender],
    times: dict[str, Entry],
    floor: float,
    device: str,
) -> list[Entry]:
    """An entry for each of the contenders in this case."""
    return [
        {
            **case,
            "contender": one.name,
            "what": what,
            "seconds": times[one.name],
            "floor_ratio": times[one.name]["median"] / floor,
            "peak_bytes": peak_bytes(one, device) if what == BOTH else None,
        }
        for one in contenders
    ]


def softmax(n: int, k: int, device: str, repetitions: int, small: bool) -> list[Entry]:
    """Entries of the NLL of logits that are there already."""
    source = torch.randn(n, k, device=device)
    z = source.clone().requires_grad_()
    ours = source.clone()
    target = torch.randint(k, (n,), device=device)
    scale = torch.full((n,), 1 / n, device=device)
    options = Options()
    fast = compiled(eager_softmax, small)
    copy = Contender(COPY, lambda: ours.copy_(source))  # one pass reads, one writes

    def clear() -> None:
        z.grad = None

    def forward(loss: Callable[..., Tensor]) -> None:
        with torch.no_grad():
            loss(z, target)

    def both(loss: Callable[..., Tensor]) -> None:
        loss(z, target).backward()

    case: Entry = {"case": SOFTMAX, "shape": [n, k], "dtype": "float32"}
    entries: list[Entry] = []
    for what, run, factor, passes in (
        (FORWARD, forward, None, 1),
        (BOTH, both, scale, 2 if k <= FITS else 3),
    ):
        contenders = [
            copy,
            Contender(
                OURS,
                partial(softmax_nll_, ours, target, factor, options),
                copy.run,
            ),
            Contender(EAGER, partial(run, eager_softmax), clear),
            Contender(COMPILED, partial(run, fast), clear),
        ]
        times = take_turns(contenders, device, repetitions)
        floor = passes / 2 * times[COPY]["median"]
        entries += rows(case, what, contenders, times, floor, device)
        clear()
    return entries


# --- Goals, and what is written ------------------------------------------------------------------


def goal(text: str, wanted: float, measured: float, least: bool = False) -> Entry:
    met = measured >= wanted if least else measured <= wanted
    return {"goal": text, "wanted": wanted, "measured": measured, "met": met}


def which(one: Entry) -> tuple[str, tuple[int, ...], str]:
    return one["case"], tuple(one["shape"]), one["dtype"]


def goals(entries: list[Entry]) -> list[Entry]:
    """What was aimed at, on a CPU in float32 and on an H100."""
    found = []
    for case, shape, dtype in dict.fromkeys(map(which, entries)):
        here = [one for one in entries if which(one) == (case, shape, dtype)]
        both = {one["contender"]: one for one in here if one["what"] == BOTH}
        took = {name: one["seconds"]["median"] for name, one in both.items()}
        if case == SOFTMAX:
            (forward,) = [o for o in here if o["what"] == FORWARD and o["contender"] == OURS]
            classes, passes = f"{shape[1]:,} classes", 2 if shape[1] <= FITS else 3
            found += [
                goal(
                    f"H100, {classes}, forward, 1 pass: share of the copy bandwidth",
                    0.85,
                    1 / forward["floor_ratio"],
                    True,
                ),
                goal(
                    f"H100, {classes}, with gradient, {passes} passes: share of the copy bandwidth",
                    0.8 if shape[1] <= FITS else 0.65,
                    1 / both[OURS]["floor_ratio"],
                    True,
                ),
                goal(f"H100, {classes}: eager's time by ours", 3, took[EAGER] / took[OURS], True),
            ]
        elif dtype == "float32":
            peak = both[OURS]["peak_bytes"] / both[EAGER]["peak_bytes"]
            found += [
                goal("CPU: our time by eager's", 0.85, took[OURS] / took[EAGER]),
                goal("CPU: our peak memory by eager's", 1 / 6, peak),
            ]
        else:
            n, d, k = shape
            beyond = both[OURS]["peak_bytes"] - 2 * d * (n + k)
            fastest = min(one for name, one in took.items() if name not in (OURS, BARE))
            found += [
                goal("H100, linear: our time by three products'", 1.15, both[OURS]["floor_ratio"]),
                goal("H100, linear: our GB beyond the gradients", 0.3, beyond / 1e9),
                goal("H100, linear: our time by the fastest peer's", 1, took[OURS] / fastest),
            ]
    return found


def machine(device: str) -> Entry:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    found: Entry = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load": os.getloadavg()[0],  # of the last minute, before the measurements
        "device": "cpu",
    }
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        found |= {"device": properties.name, "device_memory_bytes": properties.total_memory}
    return found


def versions(device: str) -> dict[str, str]:
    found = {"nllbook": nllbook.__version__, "python": platform.python_version()}
    found |= {"torch": torch.__version__, "cuda": torch.version.cuda or "none"}
    try:
        found["triton"] = import_module("triton").__version__
    except ImportError:
        found["triton"] = "not installed"
    return found | {name: version for name, version, _ in peers(device)}


def table(entries: list[Entry]) -> None:
    for (case, shape, dtype), rows in itertools.groupby(entries, which):
        print(f"\n{case}, {' × '.join(f'{size:,}' for size in shape)}, {dtype}")
        for row in rows:
            took, peak = row["seconds"], row["peak_bytes"]
            print(
                f"  {row['what']:17}{row['contender']:22}{1000 * took['median']:10.2f} ms"
                f"{1000 * took['min']:10.2f} to{1000 * took['max']:10.2f}"
                f"{row['floor_ratio']:8.2f} × floor"
                + ("" if peak is None else f"{peak / 1e6:10.1f} MB")
            )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    there = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", choices=("cpu", "cuda"), default=there)
    parser.add_argument("--repetitions", type=int, help="by default 7 on a CPU, 20 on a GPU")
    parser.add_argument("--small", action="store_true", help="tiny shapes: does it run at all?")
    asked = parser.parse_args(arguments)
    device, small = asked.device, asked.small
    repetitions = asked.repetitions or (2 if small else {"cpu": 7, "cuda": 20}[device])
    torch.manual_seed(2026)

    written: Entry = {"machine": machine(device), "versions": versions(device)}
    for part in written.values():
        print(", ".join(f"{name}: {value}" for name, value in part.items()))
    check(device)
    print("Right: agrees with float64.", flush=True)

    copy = copy_rate(device, repetitions, small)
    written["floors"] = {"copy": copy, "products": []}
    entries: list[Entry] = []
    sizes = SIZES["small" if small else device]
    for n, k in sizes[SOFTMAX]:
        entries += softmax(n, k, device, repetitions, small)
    for n, d, k, dtype in sizes[LINEAR]:
        more, products = linear(n, d, k, dtype, device, repetitions, small)
        entries += more
        written["floors"]["products"].append(products)
    written |= {"cases": entries, "goals": goals(entries)}
    asked.out.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    print(f"\ncopy: {copy['bytes_per_second'] / 1e9:.1f} GB/s read and written")
    for one in written["floors"]["products"]:
        print(f"products, {one['dtype']}: {one['flops_per_second'] / 1e9:,.0f} Gflop/s")
    table(entries)
    print()
    for one in written["goals"]:
        verdict = "met" if one["met"] else "NOT MET"
        print(f"{one['goal']:74}{one['measured']:8.3f}  goal {one['wanted']:.3f}  {verdict}")


if __name__ == "__main__":
    main()
