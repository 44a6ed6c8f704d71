"""Fresh environments, and notebooks run in them: what readers have, not what developers have."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import ipykernel.kernelspec
import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from web.source import ROOT

v4: Any = nbformat.v4  # has no types
MINUTES = 10
PICTURES = ("image/", "application/vnd.jupyter.widget-view")


def python(version: str) -> str:
    """That Python if this machine has one, else the running one: the output says which."""
    installed = Path.home().glob(f".pyenv/versions/{version}.*/bin/python")
    found = shutil.which(f"python{version}") or next(map(str, sorted(installed)), "")
    if not found or subprocess.run([found, "--version"], capture_output=True).returncode:
        found = sys.executable
        print(f"There is no Python {version} here: {found} stands in")
    return found


def environment(folder: Path, version: str, requirements: Path, pip: str = "pip") -> Path:
    """A virtual environment with these packages and this pip; the path of its Python."""
    return install(empty(folder, version), "-r", str(requirements), pip)


def empty(folder: Path, version: str) -> Path:
    """A virtual environment without any package; the path of its Python."""
    subprocess.run([python(version), "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


def install(here: Path, *wanted: str) -> Path:
    """Have these packages installed for that Python, which is given back."""
    folder = here.parent.parent
    clean = outside(VIRTUAL_ENV=str(folder), UV_FIND_LINKS=os.environ.get("PIP_FIND_LINKS", ""))
    options = ["install", "--quiet", *wanted]
    with_uv = [str(Path(sys.executable).parent / "uv"), "pip", *options]
    with_pip = [sys.executable, "-m", "pip", "--python", str(here), *options]
    for command in (with_uv, with_pip):
        if shutil.which(command[0]):
            run = subprocess.run(
                command, env=clean, capture_output=True, text=True, timeout=MINUTES * 60
            )
            if run.returncode == 0:
                return here
    raise AssertionError(f"{' '.join(wanted)} could not be installed: {run.stderr[-500:]}")


def outside(**more: str) -> dict[str, str]:
    """The environment without what leads back to this checkout, or away from this machine."""
    ours = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "MPLBACKEND"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **more}


@contextmanager
def lab(interpreter: Path, folder: Path) -> Iterator[str]:
    """JupyterLab of that environment with this folder, on this machine alone; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {name: str(folder / ".jupyter") for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    program = [str(interpreter.parent / "jupyter-lab"), "--no-browser", "--allow-root"]
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": folder,
        "IdentityProvider.token": "",
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
    }
    path = f"{interpreter.parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        [*program, *(f"--{name}={value}" for name, value in options.items())],
        env=outside(**own, JUPYTER_RUNTIME_DIR=str(folder / ".jupyter" / "runtime"), PATH=path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            address = f"http://127.0.0.1:{port}/"
            _wait_for(f"{address}api")
            yield address
        finally:
            server.terminate()


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"nothing answers at {address}")


class _Other(KernelSpecManager):
    """The kernel of another interpreter."""

    interpreter = ""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        command = [self.interpreter, *ipykernel.kernelspec.make_ipkernel_cmd()[1:]]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def _run(work: Coroutine[Any, Any, list[Any]]) -> list[Any]:
    """In a thread of its own: a browser that a test has open runs a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def execute(interpreter: Path, text: str) -> list[Any]:
    """Run a notebook top to bottom in a folder of its own; its code cells, with new outputs."""
    return _run(_execute(interpreter, text))


async def _execute(interpreter: Path, text: str) -> list[Any]:
    notebook = v4.reads(text)
    specs = _Other()
    specs.interpreter = str(interpreter)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            km=AsyncKernelManager(kernel_spec_manager=specs),
            timeout=120,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        await client.async_execute(
            env=outside(IPYTHONDIR=folder, PYDEVD_DISABLE_FILE_VALIDATION="1"), cleanup_kc=True
        )
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(cell: Any) -> list[Any]:
    """What a cell's outputs say in words: no images or widgets, streams in one piece."""
    found: list[Any] = []
    for output in cell.outputs:
        if output.output_type != "stream":
            data = output.get("data", {})
            words = {kind: data[kind] for kind in data if not kind.startswith(PICTURES)}
            found.append((output.output_type, words, output.get("evalue")))
        elif found and found[-1][:2] == ("stream", output.name):
            found[-1] = ("stream", output.name, found[-1][2] + output.text)
        else:
            found.append(("stream", output.name, output.text))
    return found


def differences(interpreter: Path, texts: Mapping[str, str], skip: str) -> list[str]:
    """Run the notebooks; every cell that does not say what its committed one says, a line each."""

    two_at_a_time = asyncio.Semaphore(2)

    async def compare(name: str) -> list[str]:
        committed = v4.reads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
        wanted = {cell.id: said(cell) for cell in committed.cells if cell.cell_type == "code"}
        try:
            async with two_at_a_time:
                cells = await _execute(interpreter, texts[name])
        except CellExecutionError as error:
            return [f"{name}: {error}"]
        got = {cell.id: said(cell) for cell in cells if cell.id != skip}
        return [
            f"{name}, cell {one}: {got.get(one)} instead of {wanted.get(one)}"
            for one in wanted | got
            if got.get(one) != wanted.get(one)
        ]

    async def all_of_them() -> list[list[str]]:
        return await asyncio.gather(*map(compare, texts))

    return [line for lines in _run(all_of_them()) for line in lines]
