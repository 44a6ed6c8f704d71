"""One process that runs one submission, shut off from everything; how the grader talks to it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from nllgrade.errors import GradeError
from nllgrade.wire import WireError, frame, read_frame

Level = Literal["bwrap", "container"]
# The users that submissions run as where the grader is root.
NOBODY, CONTAINED = 65534, 65533
GRACE, START = 0.2, 60.0  # seconds
MOST_HEAD = 1 << 16  # bytes of a reply's head
MOST_ARRAYS = 1 << 23  # bytes of a reply's arrays


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    memory: int = 1 << 30  # bytes, each process
    processes: int = 8  # threads included
    disk: int = 1 << 24  # bytes of files; all of them are in memory
    seconds: float = 10.0  # a cell, or one call
    total: float = 90.0  # seconds, all in all


class Gone(Exception):
    """The sandbox did not answer; the message says how it ended, in words for the student."""


class Sandbox:
    """A fresh sandbox; end it with ``close``, or use it in a ``with``."""

    def __init__(self, runtime: Path, level: Level, limits: Limits) -> None:
        self.limits = limits
        self.level = level
        command = bubblewrap(runtime, limits) if level == "bwrap" else bare(runtime)
        user: dict[str, Any] = {}
        if os.geteuid() == 0:  # limits on processes do not bind root
            number = NOBODY if level == "bwrap" else CONTAINED
            user = {"user": number, "group": number, "extra_groups": []}
        self.process = subprocess.Popen(
            [*command, json.dumps(resources(limits))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={} if level == "bwrap" else environment(str(runtime)) | {"HOME": "/nonexistent"},
            cwd="/",
            start_new_session=True,
            bufsize=0,
            **user,
        )
        self.asked = 0

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """See that it answers, before anything of a submission runs in it.

        Raises
        ------
        GradeError
            Where it does not: then the machine is at fault, and nobody's points are.
        """
        try:
            self.ask({"number": 0, "source": ""}, [], START)
        except Gone as error:
            self.close()
            raise GradeError(f"the sandbox {error} before it was used: try `doctor`") from None

    def ask(
        self, head: Mapping[str, Any], arrays: list[NDArray[Any]], seconds: float
    ) -> tuple[dict[str, Any], list[NDArray[Any]]]:
        """Send a request and return the reply's head and arrays, unbelieved.

        Raises
        ------
        Gone
            Where no well-formed reply came in time. The sandbox is then of no more use.
        """
        end = time.monotonic() + seconds
        self.asked += 1
        try:
            self._write(frame({**head, "id": self.asked}, arrays), end)
            reply, parts = read_frame(lambda size: self._read(size, end), MOST_HEAD, MOST_ARRAYS)
        except WireError as error:
            raise Gone(f"gave an answer that could not be read ({error})") from None
        if reply.get("id") != self.asked:
            raise Gone("gave an answer to another question")
        return reply, parts

    def _write(self, data: bytes, end: float) -> None:
        stream = self.process.stdin
        assert stream
        view = memoryview(data)
        while view:
            left = end - time.monotonic()
            if left <= 0 or not select.select([], [stream], [], left)[1]:
                raise Gone("took too long")
            try:
                view = view[os.write(stream.fileno(), view[: select.PIPE_BUF]) :]
            except OSError:
                raise Gone("ended the process it ran in") from None

    def _read(self, size: int, end: float) -> bytes:
        stream = self.process.stdout
        assert stream
        parts: list[bytes] = []
        while size:
            left = end - time.monotonic()
            if left <= 0 or not select.select([stream], [], [], left)[0]:
                raise Gone("took too long")
            part = os.read(stream.fileno(), min(size, 1 << 16))
            if not part:
                raise Gone("ended the process it ran in")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        """End it, and every process in it."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=GRACE)  # an honest one ends now, and its time is counted
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait(timeout=10)
        if self.level == "container":
            end_all_of(CONTAINED)


def end_all_of(user: int) -> None:
    """End every process of a user at once, so that none can start another meanwhile.

    bubblewrap's own namespace does this; a container has none for each submission.
    """
    end = time.monotonic() + 5
    while _processes_of(user) and time.monotonic() < end:
        child = os.fork()
        if child == 0:
            try:
                os.setuid(user)
                os.kill(-1, 9)
            finally:
                os._exit(0)
        os.waitpid(child, 0)


def _processes_of(user: int) -> list[int]:
    """The processes of a user that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == user and " Z " not in (entry / "stat").read_text():
                    found.append(int(entry.name))
    return found


def resources(limits: Limits) -> dict[str, int]:
    """The limits that the runner sets for itself, for good, before it runs anything."""
    return {
        "AS": limits.memory,
        "NPROC": limits.processes,
        "FSIZE": limits.disk,
        "NOFILE": 64,
        "CORE": 0,
        "CPU": int(limits.total) + 1,
    }


def environment(runtime: str) -> dict[str, str]:
    """What the runner's process knows of the world."""
    return {**_ENVIRONMENT, "PATH": f"{runtime}/bin", "LD_LIBRARY_PATH": f"{runtime}/lib"}


_ENVIRONMENT = {
    "HOME": "/work",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/work",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_PYTHON = ("-I", "-S", "-B", "-X", "utf8")


def bubblewrap(runtime: Path, limits: Limits) -> list[str]:
    """The command that runs the runner with namespaces of its own and nothing to read but this."""
    program = shutil.which("bwrap")
    if program is None:
        raise GradeError("bubblewrap is not installed. On Debian or Ubuntu: apt install bubblewrap")
    libraries = [
        argument
        for place in ("/usr/lib", "/usr/lib64", "/lib", "/lib64")
        if Path(place).exists()
        for argument in (
            ("--symlink", os.readlink(place), place)
            if Path(place).is_symlink()
            else ("--ro-bind", place, place)
        )
    ]
    settings = environment("/runtime").items()
    return [
        program,
        *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent"),
        *("--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox"),
        *libraries,
        *("--ro-bind", str(runtime), "/runtime"),
        *("--dev", "/dev", "--remount-ro", "/dev"),
        *("--size", str(limits.disk), "--tmpfs", "/work", "--chdir", "/work"),
        *("--remount-ro", "/"),
        *(part for one in settings for part in ("--setenv", *one)),
        *("--", "/runtime/bin/python", *_PYTHON, "/runtime/grader/runner.py"),
    ]


def bare(runtime: Path) -> list[str]:
    """The command without namespaces, for where the container is thrown away afterwards."""
    return [str(runtime / "bin" / "python"), *_PYTHON, str(runtime / "grader" / "runner.py")]


def describe(limits: Limits) -> str:
    """The limits as text that stands for them in a hash."""
    return json.dumps(asdict(limits), sort_keys=True)
