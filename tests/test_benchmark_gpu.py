"""The measurements of nllbook.torch: they run, say all they should, and stop at a wrong result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu
from web.source import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """What a small run writes, and what it prints."""
    out = tmp_path_factory.mktemp("benchmark") / "small.json"
    command = (sys.executable, "-m", "benchmarks.gpu", "--small", "--device", "cpu", "--out", out)
    found = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(out.read_text(encoding="utf-8")), found.stdout


def test_what_is_written_names_the_machine_and_the_versions(
    measured: tuple[dict[str, Any], str],
) -> None:
    written, _ = measured
    assert set(written) == {"machine", "versions", "floors", "cases", "goals"}
    machine = written["machine"]
    assert {"date", "cpu", "cores", "threads", "memory_bytes", "load", "device"} <= set(machine)
    assert machine["device"] == "cpu"
    assert machine["threads"] == 1
    versions = {"nllbook", "python", "torch", "cuda", "triton", gpu.LIGER, gpu.CCE}
    assert set(written["versions"]) == versions
    assert all(written["versions"].values())


def test_every_contender_has_its_times_in_every_case(measured: tuple[dict[str, Any], str]) -> None:
    written, printed = measured
    cases: dict[Any, set[tuple[str, str]]] = {}
    for one in written["cases"]:
        assert set(one) == {
            *("case", "shape", "dtype", "contender", "what"),
            *("seconds", "floor_ratio", "peak_bytes"),
        }
        cases.setdefault(gpu.which(one), set()).add((one["contender"], one["what"]))
        seconds = one["seconds"]
        assert 0 < seconds["min"] <= seconds["median"] <= seconds["max"]
        assert seconds["repetitions"] == 2
        assert one["floor_ratio"] > 0
        assert (one["peak_bytes"] is None) == (one["what"] == gpu.FORWARD)
        assert one["contender"] in printed
    assert len(cases) == 4
    for (case, _, _), found in cases.items():
        names = {gpu.OURS, gpu.EAGER, gpu.COMPILED}
        names |= {gpu.BARE, gpu.CHUNKED} if case == gpu.LINEAR else {gpu.COPY}
        assert found == {(name, what) for name in names for what in (gpu.FORWARD, gpu.BOTH)}
    assert written["floors"]["copy"]["bytes_per_second"] > 0
    assert all(one["flops_per_second"] > 0 for one in written["floors"]["products"])


def test_the_memory_of_what_makes_all_logits_is_known(
    measured: tuple[dict[str, Any], str],
) -> None:
    """Eager holds three blocks like the logits at a time, and the copy and the products nothing."""
    written, _ = measured
    peaks = {
        (*gpu.which(one), one["contender"]): one["peak_bytes"]
        for one in written["cases"]
        if one["what"] == gpu.BOTH
    }
    n, d, k, dtype = gpu.SIZES["small"][gpu.LINEAR][0]
    logits = n * k * dtype.itemsize
    assert 3 * logits <= peaks[gpu.LINEAR, (n, d, k), "float32", gpu.EAGER] < 3.1 * logits
    assert peaks[gpu.LINEAR, (n, d, k), "float32", gpu.BARE] == 0
    for shape in gpu.SIZES["small"][gpu.SOFTMAX]:
        assert peaks[gpu.SOFTMAX, shape, "float32", gpu.COPY] == 0


def test_goals_are_met_or_not(measured: tuple[dict[str, Any], str]) -> None:
    written, printed = measured
    assert len(written["goals"]) == 2 * 3 + 2 + 3
    for one in written["goals"]:
        assert set(one) == {"goal", "wanted", "measured", "met"}
        assert one["goal"] in printed
        at_least = "share" in one["goal"] or "eager's time by ours" in one["goal"]
        assert one["met"] == (
            one["measured"] >= one["wanted"] if at_least else one["measured"] <= one["wanted"]
        )


@pytest.mark.parametrize("name", ["linear_cross_entropy", "softmax_nll_"])
def test_a_wrong_result_stops_it(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    right = getattr(gpu, name)
    monkeypatch.setattr(gpu, name, lambda *args, **kwargs: right(*args, **kwargs) + 1e-3)
    with pytest.raises(SystemExit, match=f"Wrong: {name}, .* is off by ") as stopped:
        gpu.main(["--small", "--device", "cpu", "--out", str(tmp_path / "none.json")])
    assert isinstance(stopped.value.code, str)  # printed, and the exit status is 1
    assert not (tmp_path / "none.json").exists()
