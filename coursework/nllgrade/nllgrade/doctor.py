"""Proves on this machine, by trying, that a submission cannot get out of its sandbox."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nllgrade import runtime
from nllgrade.errors import GradeError
from nllgrade.sandbox import Gone, Level, Limits, Sandbox

LIMITS = Limits(memory=1 << 29, processes=8, disk=1 << 22, seconds=30.0)

# Each defines `told`, True where the sandbox holds. They know the limits and two addresses.
PROBES = {
    "runs NumPy": """
import numpy as np
told = float(np.ones(3).sum()) == 3.0
""",
    "is not root": """
import os
told = os.getuid() != 0 and os.geteuid() != 0
""",
    "cannot gain privileges": """
import ctypes
told = ctypes.CDLL(None).prctl(39, 0, 0, 0, 0) == 1
""",
    "cannot read the answers": """
try:
    open({secret!r}).read()
    told = False
except OSError:
    told = True
""",
    "cannot write beside its folder": """
import os
told = True
for place in ({outside!r}, "/", "/runtime", "/dev", "/dev/shm", "/usr/lib", "/etc", "/var/tmp"):
    try:
        with open(os.path.join(place, "nllgrade-probe"), "w") as file:
            file.write("x")
        os.remove(os.path.join(place, "nllgrade-probe"))
        told = False
    except OSError:
        pass
""",
    "cannot fill the disk": """
import os
written = 0
try:
    for number in range(64):
        with open(f"/work/{{number}}", "wb", buffering=0) as file:
            for _ in range(64):
                written += file.write(bytes({disk} // 32))
    told = False
except OSError:
    told = 0 < written <= {disk}
for number in range(64):
    try:
        os.remove(f"/work/{{number}}")
    except OSError:
        pass
""",
    "cannot take more memory": """
try:
    block = bytearray({memory})
    told = False
except MemoryError:
    told = True
""",
    "cannot keep memory aside": """
import ctypes, os
told = ctypes.CDLL(None).shmget(0, 4096, 0o1600) == -1
try:
    os.memfd_create("x")
    told = False
except OSError:
    pass
""",
    "cannot start many processes": """
import os, signal
children = []
try:
    for _ in range(64):
        child = os.fork()
        if child == 0:
            while True:
                signal.pause()
        children.append(child)
except OSError:
    pass
for child in children:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
told = len(children) < {processes}
""",
    "reaches no network": """
import socket
told = True
for address in (("127.0.0.1", {port}), ("10.255.255.1", 80)):
    try:
        socket.create_connection(address, timeout=0.5).close()
        told = False
    except OSError:
        pass
""",
    "sees no other process": """
import os
told = not os.path.exists("/proc/1")
try:
    os.kill({pid}, 0)
    told = told and {pid} < 100  # in its own world it has such numbers itself
except ProcessLookupError:
    pass
except PermissionError:
    told = False
""",
    "makes no namespaces": """
import ctypes
told = ctypes.CDLL(None).unshare(0x10000000) == -1
""",
}
# What a container alone does not give.
ONLY_CONFINED = {
    "cannot write beside its folder",
    "cannot fill the disk",
    "reaches no network",
    "sees no other process",
    "makes no namespaces",
}


@dataclass(frozen=True)
class Finding:
    """What a probe found; ``problem`` is empty where the sandbox holds."""

    what: str
    problem: str = ""


def examine(level: Level) -> list[Finding]:
    """Try everything that the level promises to prevent."""
    found: list[Finding] = []
    if level == "container" and os.geteuid() != 0:
        return [Finding("drops its user", "the level `container` needs root, to drop it")]
    with _targets(level) as targets, Sandbox(runtime.folder(), level, LIMITS) as sandbox:
        for what, probe in PROBES.items():
            if level == "container" and what in ONLY_CONFINED:
                continue
            found.append(Finding(what, _tried(sandbox, probe.format(**targets))))
            if found[-1].problem and len(found) == 1:
                return found  # it does not even start
    found.append(Finding("leaves no process behind", _outlives(level)))
    return found


def _tried(sandbox: Sandbox, probe: str) -> str:
    try:
        reply, _ = sandbox.ask({"number": 0, "source": probe}, [], LIMITS.seconds)
        if reply.get("error"):
            return str(reply["error"])
        head: dict[str, object] = {"name": "told", "arguments": None, "options": {}}
        reply, arrays = sandbox.ask(head, [], LIMITS.seconds)
        return "" if len(arrays) == 1 and arrays[0].all() else "it can"
    except Gone as error:
        return f"the sandbox {error}"


@contextmanager
def _targets(level: Level) -> Iterator[dict[str, object]]:
    """Something to read, to write to and to connect to, which everybody outside could."""
    with tempfile.TemporaryDirectory(prefix="nllgrade-doctor-") as name:
        folder = Path(name)
        secret = folder / "secret"
        secret.write_text("an answer", encoding="utf-8")
        # in a container the grader's files are kept from others by their mode alone
        folder.chmod(0o777 if level == "bwrap" else 0o700)
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield {
                "secret": str(secret),
                "outside": str(folder),
                "port": server.getsockname()[1],
                "pid": os.getpid(),
                "memory": LIMITS.memory,
                "disk": LIMITS.disk,
                "processes": LIMITS.processes,
            }


def _outlives(level: Level) -> str:
    """Whether a process that left the submission's own survives the sandbox.

    It holds the pipe of the answers open, so the pipe ends when the last process is gone.
    """
    escape = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            signal.pause()
    os._exit(0)
"""
    with Sandbox(runtime.folder(), level, LIMITS) as sandbox:
        try:
            reply, _ = sandbox.ask({"number": 0, "source": escape}, [], LIMITS.seconds)
        except Gone as error:
            return f"the sandbox {error}"
        if reply.get("error"):
            return str(reply["error"])
        stream = sandbox.process.stdout
        assert stream
        pipe = os.dup(stream.fileno())
    ended = threading.Event()

    def wait() -> None:
        with os.fdopen(pipe, "rb") as rest:
            while rest.read(1 << 16):
                pass
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    return "" if ended.wait(5) else "a process is still there after 5 seconds"


@cache
def require(level: Level) -> None:
    """Examine once in this process, and refuse where something does not hold.

    Raises
    ------
    GradeError
        With what does not hold, and what to do.
    """
    problems = [one for one in examine(level) if one.problem]
    if problems:
        said = "; ".join(f"{one.what}: {one.problem}" for one in problems)
        raise GradeError(f"Nothing is graded, since the sandbox does not hold ({said}). {REMEDY}")


REMEDY = (
    "Needed: Linux, bubblewrap 0.8 or newer (apt install bubblewrap), and user namespaces, which "
    "Ubuntu 24.04 and Docker block by default: see the instructor's guide, or use "
    "`--level container` where each submission runs in a container of its own that is thrown away."
)
