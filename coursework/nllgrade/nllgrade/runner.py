"""Runs a submission inside the sandbox, and answers the grader's requests with plain arrays.

It holds no test, no expected value and no verdict, and nothing that it says is believed: the
submission shares its process and may say whatever it likes in its place.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import io
import json
import os
import re
import resource
import struct
import sys
import types
from typing import Any, BinaryIO

_RUNTIME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(_RUNTIME, one) for one in ("grader", "packages", "provided")]

import numpy as np  # noqa: E402
from wire import frame, read_frame, unpack  # type: ignore[import-not-found]  # noqa: E402

MOST_PRINTED = 2_000  # characters that are kept of what a cell prints
MOST_SAID = 500  # characters of an error's message
# %magic and !command, on their own or assigned; name? and ?name; but %time runs what follows it.
_MAGIC = re.compile(
    r"^(?P<start>[ \t]*(?:\w+[ \t]*=[ \t]*)?)"
    r"(?:%(?:time|timeit)[ \t]+(?P<rest>[^-\s].*)|[%!].*|\?{1,2}[\w.]+|[\w.]+\?{1,2})[ \t]*$",
    re.MULTILINE,
)
_CELL_MAGIC = re.compile(r"\A\s*%%(?P<name>\w+).*\n?")
_TRANSPARENT = {"capture", "time", "timeit", "prun"}  # they run the cell as Python


class Printed(io.TextIOBase):
    """Keeps the start of what is printed and forgets the rest."""

    def __init__(self) -> None:
        self.kept = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.kept) < MOST_PRINTED:
            self.kept += text[: MOST_PRINTED - len(self.kept)]
        return len(text)


def python(source: str) -> str:
    """A cell as plain Python: what only IPython understands is left out."""
    try:
        ast.parse(source)
        return source
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    if match := _CELL_MAGIC.match(source):
        if match["name"] not in _TRANSPARENT:
            return ""
        source = source[match.end() :]
    return _MAGIC.sub(lambda match: match["start"] + (match["rest"] or "None"), source)


def described(error: BaseException) -> str:
    """An error in one line, with the line of the submission in which it arose."""
    place, trace = "", error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename.startswith("cell "):
            place = f" ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    try:
        said = str(error)
    except BaseException:
        said = "an error that cannot be printed"
    return f"{type(error).__name__}: {said}"[:MOST_SAID].replace("\n", " ") + place


def plain(value: Any) -> tuple[list[Any], dict[str, Any]]:
    """An answer as plain arrays: several for a tuple; text stays text."""
    if isinstance(value, str):
        return [], {"text": value[:MOST_SAID]}
    parts = value if isinstance(value, tuple) else (value,)
    arrays = [np.asarray(one) for one in parts]
    for one in arrays:
        if one.dtype.kind not in "biuf" or one.dtype.itemsize > 8:
            raise TypeError(f"the answer holds {one.dtype}, not booleans, integers or floats")
    return [np.array(one, subok=False) for one in arrays], {"tuple": isinstance(value, tuple)}


class Runner:
    """The submission's names, and what can be asked of them."""

    def __init__(self) -> None:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.names = module.__dict__
        self.names["display"] = lambda *values, **options: print(*values)
        self.names["help"] = lambda *what: None
        self.process = os.getpid()

    def cell(self, number: int, source: str) -> dict[str, Any]:
        printed, problem = Printed(), ""
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(Printed()):
            try:
                code = compile(python(source), f"cell {number}", "exec", dont_inherit=True)
                exec(code, self.names)
            except BaseException as error:  # SystemExit too: the other cells still count
                problem = described(error)
        if os.getpid() != self.process:  # a process that the cell started must not answer
            os._exit(0)
        return {"printed": str(printed.kept), "error": problem}

    def answer(
        self, name: str, arguments: list[Any] | None, options: dict[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """What the name stands for; called with arguments if there are any."""
        if name not in self.names:
            return [], {"missing": True}
        with contextlib.redirect_stdout(Printed()), contextlib.redirect_stderr(Printed()):
            try:
                value = self.names[name]
                return plain(value if arguments is None else value(*arguments, **options))
            except NotImplementedError:
                return [], {"error": "not written yet"}
            except BaseException as error:
                return [], {"error": described(error)}


def limit(limits: dict[str, int]) -> None:
    """Give up, for good, what a submission needs none of."""
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


# System calls that keep memory beside a process's own, look into others, or make namespaces; by
# machine, with its number for seccomp (linux/audit.h): shmget, semget, msgget, memfd_create,
# memfd_secret, ptrace, unshare, setns, userfaultfd, bpf, perf_event_open, io_uring_setup, add_key,
# keyctl.
FORBIDDEN = {
    "x86_64": (0xC000003E, (29, 64, 68, 319, 447, 101, 272, 308, 323, 321, 298, 425, 248, 250)),
    "aarch64": (0xC00000B7, (194, 190, 186, 279, 447, 117, 97, 268, 282, 280, 241, 425, 217, 219)),
}
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06  # of the filter's language
ALLOW, KILL, NOT_PERMITTED = 0x7FFF0000, 0x80000000, 0x00050001


def forbid() -> None:
    """Have the kernel refuse, for good, those system calls; and all of another machine's numbers.

    On other machines than these nothing is forbidden, and the doctor finds it.
    """
    number, calls = FORBIDDEN.get(os.uname().machine, (0, ()))
    if not calls:
        return
    lines = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, number), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0)]
    lines += [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, KILL)]  # x86_64's second set of numbers
    for one in calls:
        lines += [(EQUAL, 0, 1, one), (RETURN, 0, 0, NOT_PERMITTED)]
    lines.append((RETURN, 0, 0, ALLOW))
    program = b"".join(struct.pack("HBBI", *line) for line in lines)
    body = ctypes.create_string_buffer(program)
    head = ctypes.create_string_buffer(struct.pack("HP", len(lines), ctypes.addressof(body)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    no_new_privileges, seccomp, filtered = 38, 22, 2  # linux/prctl.h
    if prctl(no_new_privileges, 1, 0, 0, 0) or prctl(seccomp, filtered, head, 0, 0):
        raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def main() -> None:
    limit(json.loads(sys.argv[1]))
    forbid()
    requests: BinaryIO = os.fdopen(os.dup(0), "rb")
    replies: BinaryIO = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    sys.argv = [""]
    runner = Runner()
    huge = 1 << 40
    while True:
        try:
            request, arrays = read_frame(requests.read, huge, huge)
        except Exception:
            os._exit(0)  # the grader has closed the pipe; nothing that waits for the end is run
        if "source" in request:
            parts: list[Any] = []
            said = runner.cell(request["number"], request["source"])
        else:
            arguments = request["arguments"]
            given = None if arguments is None else [unpack(one, arrays) for one in arguments]
            options = {key: unpack(one, arrays) for key, one in request["options"].items()}
            parts, said = runner.answer(request["name"], given, options)
        replies.write(frame({**said, "id": request["id"]}, parts))
        replies.flush()


if __name__ == "__main__":
    main()
