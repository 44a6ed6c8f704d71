"""Submissions that attack, cheat, break or stumble: no unearned point, no lost honest one.

Each is bounded in count and time and aims at loopback and the test's own folders alone; none starts
before the doctor has proved the isolation, since grading refuses to.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nllgrade import runtime
from nllgrade.grade import Result, grade
from nllgrade.master import ASSIGNMENTS
from nllgrade.sandbox import Limits, Sandbox

from tests.coursework.papers import (
    FULL,
    LIMITS,
    blank,
    code,
    graded,
    place,
    points,
    solved,
    terms,
    written,
)

WRONG = "def bernoulli_likelihood(x, p):\n    return 0.5\n"
NOTHING = dict.fromkeys(FULL, 0.0)
WITHOUT_Q1 = FULL | {"q1": 0.0}


def cheating(attack: str, *, first: bool = True) -> dict[str, Any]:
    """All right but q1, with an attack before or after everything."""
    notebook = solved(answers={"q1": WRONG})
    notebook["cells"].insert(0 if first else len(notebook["cells"]), code(attack))
    return notebook


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """No process of a sandbox outlives its test by 5 seconds; the masters stay as they are."""
    before = digest()
    yield
    end = time.monotonic() + 5
    while sandboxed() and time.monotonic() < end:
        time.sleep(0.05)
    assert sandboxed() == []
    assert digest() == before


def digest() -> str:
    files = sorted(ASSIGNMENTS.iterdir())
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def sandboxed() -> list[int]:
    """The processes that run a submission of these tests, wherever they hang in the tree."""
    mark = f'"FSIZE": {LIMITS.disk}'.encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


# ---- honest work keeps its marks, however clumsily it is handed in


def test_sandboxes_are_found_while_they_are_there() -> None:
    with Sandbox(runtime.folder(), "bwrap", LIMITS) as sandbox:
        sandbox.begin()
        assert sandboxed()


def test_the_reference_earns_everything() -> None:
    result = graded(solved())
    assert result.status == "graded"
    assert points(result) == FULL
    assert all(one.reason == "" for one in result.items)


def test_a_blank_notebook_earns_nothing() -> None:
    result = graded(blank())
    assert result.status == "graded"
    assert points(result) == NOTHING
    assert result.items[0].reason.endswith(": not written yet")


def _without_tests(notebook: dict[str, Any]) -> dict[str, Any]:
    notebook["cells"] = [one for one in notebook["cells"] if "try_out" not in one["source"]]
    return notebook


def _edited_tests(notebook: dict[str, Any]) -> dict[str, Any]:
    for one in notebook["cells"]:
        if "try_out" in one["source"]:
            one["source"] = "raise SystemExit('no tests')"
    return notebook


def _renamed(notebook: dict[str, Any]) -> dict[str, Any]:
    for number, one in enumerate(notebook["cells"]):
        if "nbgrader" in one["metadata"]:
            one["metadata"]["nbgrader"] |= {"grade_id": f"mine-{number}", "points": 10**6}
    return notebook


def _no_metadata(notebook: dict[str, Any]) -> dict[str, Any]:
    for one in notebook["cells"]:
        one["metadata"] = {}
    del notebook["metadata"]
    return notebook


def _twice(notebook: dict[str, Any]) -> dict[str, Any]:
    notebook["cells"] = [one for cell in notebook["cells"] for one in (cell, cell)]
    return notebook


def _shuffled(notebook: dict[str, Any]) -> dict[str, Any]:
    """The questions from the last to the first, what they need still in front."""
    start = place(notebook, "q1") - 1
    data = place(notebook, "q3") - 1
    head = [*notebook["cells"][:start], notebook["cells"][data]]
    questions = notebook["cells"][start:data] + notebook["cells"][data + 1 :]
    own = [one for one in questions if "q3" in json.dumps(one["metadata"])]
    rest = [one for one in questions if one not in own]
    notebook["cells"] = [*head, *reversed(rest), *own]
    return notebook


def _patched_testing(notebook: dict[str, Any]) -> dict[str, Any]:
    attack = (
        "import numpy.testing as t\n"
        "for name in dir(t):\n    setattr(t, name, lambda *a, **k: None)\n"
        "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
    )
    notebook["cells"].append(code(attack))
    return notebook


def _faked_outputs(notebook: dict[str, Any]) -> dict[str, Any]:
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "q1: 10/10"}]
    return notebook


def _ipython(notebook: dict[str, Any]) -> dict[str, Any]:
    notebook["cells"].insert(
        0,
        code(
            "%matplotlib inline\n!pip install nothing\nfiles = !ls\nnp?\n?np\n%time two = 2\n"
            "def f():\n    len?\n    return two  # right?\ndisplay(files)\nhelp(len)\n"
            "from IPython.display import Markdown, display\ndisplay(Markdown('x'))\n"
            "assert f() == 2"
        ),
    )
    notebook["cells"].insert(1, code("%%time\nmine = 1"))
    notebook["cells"].insert(2, code("%%bash\nrm -rf /"))
    notebook["cells"].append(
        code("assert mine == 1 and f() == two\nmarker = 'ran'\nprint(f'{marker}')")
    )
    return notebook


def _drawing(notebook: dict[str, Any]) -> dict[str, Any]:
    drawing = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('drawn')"
    notebook["cells"].append(code(drawing))
    return notebook


def _old_format(notebook: dict[str, Any]) -> dict[str, Any]:
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["input"] = one.pop("source")
    return {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": notebook["cells"]}]}


def _text(notebook: dict[str, Any]) -> dict[str, Any]:
    for one in notebook["cells"]:
        one["source"] = "".join(one["source"])
    return notebook


CLUMSY: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "test cells deleted": _without_tests,
    "test cells edited": _edited_tests,
    "cells renamed, points changed": _renamed,
    "no metadata, no kernel": _no_metadata,
    "every cell twice": _twice,
    "questions reordered": _shuffled,
    "numpy.testing patched": _patched_testing,
    "outputs faked": _faked_outputs,
    "IPython's own syntax": _ipython,
    "a figure drawn": _drawing,
    "nbformat 3": _old_format,
    "sources as one text": _text,
}


@pytest.mark.slow
@pytest.mark.parametrize("what", CLUMSY)
def test_honest_work_keeps_its_marks(what: str) -> None:
    result = graded(CLUMSY[what](solved()))
    assert points(result) == FULL, [one.reason for one in result.items]
    if what in ("a figure drawn", "IPython's own syntax"):
        assert result.said[-1].error == ""
        assert result.said[-1].printed in ("drawn\n", "ran\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings_are_read(encoding: str) -> None:
    assert points(graded(json.dumps(solved()).encode(encoding)))["q1"] == 3.0


# ---- broken files are rows

BROKEN: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "blanks": lambda: b" \n",
    "truncated": lambda: written(solved())[:-100],
    "binary": lambda: bytes(range(256)) * 40,
    "a list": lambda: b"[1, 2, 3]",
    "text": lambda: b'"cells"',
    "no cells": lambda: b'{"cells": []}',
    "cells that are none": lambda: b'{"cells": {"a": 1}}',
    "deep": lambda: b"[" * 100_000,
    "a huge number": lambda: b'{"cells": ' + b"9" * 10_000 + b"}",
    "a zip bomb": lambda: b"PK\x03\x04" + bytes(10_000),
    "10,000 cells": lambda: written({"cells": [code("x = 1")] * 10_000}),
    "more lists than memory is for": lambda: (
        b'{"cells": [{"cell_type": "code", "source": "", "outputs": [' + b"[]," * 600_000 + b"0]}]}"
    ),
    "a book of code": lambda: written({"cells": [code("x = 1\n" * 200_000)]}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_a_row(what: str) -> None:
    result = graded(BROKEN[what]())
    assert result.status == "unreadable"
    assert result.reason
    assert points(result) == NOTHING


def test_cells_that_are_no_cells_are_passed_over() -> None:
    notebook = solved()
    strange: list[Any] = [None, 3, {}, {"cell_type": 5, "source": 7}, {"source": [1, None]}]
    notebook["cells"] = strange + notebook["cells"]
    notebook["cells"][-1]["metadata"] = "text"
    assert points(graded(notebook)) == FULL


# ---- what hangs, dies or fills up loses only its own question

HANGING = {
    "an endless loop": "while True:\n    pass",
    "a loop that catches everything": (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "sleep": "import time\ntime.sleep(1000)",
    "a C loop": "sum(range(10**18))",
    "no answer to signals": (
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", HANGING)
def test_an_answer_that_hangs_costs_its_question(what: str) -> None:
    body = "def bernoulli_likelihood(x, p):\n" + "\n".join(
        "    " + line for line in HANGING[what].split("\n")
    )
    result = graded(solved(answers={"q1": body}))
    assert points(result) == WITHOUT_Q1
    assert "took too long" in result.items[0].reason


@pytest.mark.slow
def test_a_cell_that_hangs_is_left_out() -> None:
    notebook = solved()
    notebook["cells"].insert(place(notebook, "q1"), code("while True:\n    pass"))
    result = graded(notebook)
    assert points(result) == FULL
    assert "took too long; it was left out" in result.said[0].error


DYING = {
    "sys.exit": "import sys\nsys.exit(0)",
    "os._exit": "import os\nos._exit(0)",
    "abort": "import os\nos.abort()",
    "segmentation fault": "import ctypes\nctypes.string_at(0)",
    "kill everything": "import os\nos.kill(-1, 9)",
    "kill the parent": "import os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)",
    "8 GiB": "block = bytearray(8 << 30)",
    "8 GiB in pieces": "blocks = [bytearray(64 << 20) for _ in range(128)]",
    "8 GiB of an array": "import numpy\nblock = numpy.ones(1 << 30)",
    "recursion": "def f(n):\n    return f(n + 1)\nf(0)",
    "an error that cannot be printed": (
        "class E(Exception):\n    def __str__(self): raise KeyError\nraise E"
    ),
    "input()": "answer = input('name? ')",
    "a fork bomb": (
        "import os\nfor _ in range(100):\n    try: os.fork()\n    except OSError: pass\n"
        "import time\ntime.sleep(0.2)"
    ),
    "a thread bomb": (
        "import threading, time\nfor _ in range(100):\n"
        "    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()"
    ),
    "the disk filled": (
        "for n in range(100):\n    with open(f'f{n}', 'wb') as f:\n"
        "        for _ in range(100): f.write(bytes(1 << 20))"
    ),
    "100 MB of output": "for _ in range(100):\n    print('x' * 10**6)",
    "100 MB beside print": "import os\nfor _ in range(100):\n    os.write(1, bytes(10**6))",
    "memory beside the process": (
        "import ctypes, os\nassert ctypes.CDLL(None).shmget(0, 1 << 30, 0o1600) == -1\n"
        "os.memfd_create('x')"
    ),
    "a chain of forks": "import os\nwhile True:\n    if os.fork() > 0: os._exit(0)",
    "setuid": "import os\nos.setuid(0)",
    "a namespace of its own": (
        "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == -1\nraise OSError"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", DYING)
def test_what_dies_or_fills_up_costs_nothing_else(what: str) -> None:
    notebook = solved()
    notebook["cells"].insert(place(notebook, "q1"), code(DYING[what]))
    result = graded(notebook)
    assert result.status == "graded"
    assert points(result) == FULL
    said = {one.cell: one for one in result.said}
    assert all(len(one.printed) <= 2000 and len(one.error) <= 700 for one in said.values())


# ---- cheats earn nothing

CHEATS = {
    "always equal": (
        "class Yes(float):\n    __array_priority__ = 1e9\n"
        "    def __eq__(self, other): return True\n    def __sub__(self, other): return 0.0\n"
        "    def __abs__(self): return 0.0\n    __rsub__ = __sub__\n    __hash__ = None\n"
        "def bernoulli_likelihood(x, p): return Yes(0.5)"
    ),
    "an array that lies about its shape": (
        "import numpy as np\nclass Liar(np.ndarray):\n    shape = ()\n    dtype = np.dtype(float)\n"
        "    def tobytes(self, *a): return bytes(8)\n"
        "    def __array__(self, *a, **k): return np.zeros(3)\n"
        "def bernoulli_likelihood(x, p): return np.zeros(3).view(Liar)"
    ),
    "an object array": (
        "import numpy as np\nclass Yes:\n    def __eq__(self, other): return True\n"
        "def bernoulli_likelihood(x, p): return np.array(Yes(), dtype=object)"
    ),
    "nan": "def bernoulli_likelihood(x, p): return float('nan')",
    "inf": "def bernoulli_likelihood(x, p): return float('inf')",
    "true": "def bernoulli_likelihood(x, p): return True",
    "complex": "def bernoulli_likelihood(x, p): return 0.5 + 0j",
    "a huge array": "import numpy\ndef bernoulli_likelihood(x, p): return numpy.zeros(10**7)",
    "a deep array": "import numpy\ndef bernoulli_likelihood(x, p): return numpy.zeros((1,) * 32)",
    "text": "def bernoulli_likelihood(x, p): return 'right'",
    "a generator": "def bernoulli_likelihood(x, p):\n    while True: yield 0.5",
    "a pickle": (
        "import pickle, os\nclass P:\n    def __reduce__(self): return (os._exit, (0,))\n"
        "def bernoulli_likelihood(x, p): return pickle.dumps(P())"
    ),
    "the function of nllbook": (
        "from nllbook import likelihood, Bernoulli\n"
        "def bernoulli_likelihood(x, p): return likelihood(x, Bernoulli(p))"
    ),
    "nllbook's modules": (
        "import nllbook.likelihood\ndef bernoulli_likelihood(x, p):\n"
        "    return nllbook.likelihood.likelihood(x, nllbook.Bernoulli(p))"
    ),
    "the reference": (
        "import nllgrade.master\nfrom nllgrade.spec import compile_spec\n"
        "spec = compile_spec(nllgrade.master.read('1', nllgrade.master.Course()))\n"
        "def bernoulli_likelihood(x, p): return float(spec.items[0].cases[0].expected.arrays[0])"
    ),
    "patched numpy": (
        "import numpy as np\nnp.asarray = np.array = lambda *a, **k: np.float64(0.5)\n"
        "np.ascontiguousarray = lambda *a, **k: np.float64(0.5)"
    ),
    "patched builtins": (
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.all = lambda x: True\n"
        "builtins.isinstance = lambda *a: True"
    ),
    "patched sys.modules": (
        "import sys, types\nsys.modules['nllgrade'] = types.ModuleType('nllgrade')\n"
        "sys.modules['wire'] = types.ModuleType('wire')\nsys.modules['numpy'] = None"
    ),
    "an import hook": (
        "import sys\nclass Hook:\n    def find_spec(self, name, *rest):\n"
        "        raise ImportError('mine')\nsys.meta_path.insert(0, Hook())"
    ),
    "a trace function": (
        "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: None)"
    ),
    "atexit": "import atexit, os\natexit.register(lambda: os.write(2, b'x'))",
    "the stack searched": (
        "import gc, sys\nfound = [o for o in gc.get_objects() if isinstance(o, dict) and\n"
        "         ('expected' in o or 'verdict' in o)]\n"
        "frame = sys._getframe()\nwhile frame:\n    found += [k for k in frame.f_locals\n"
        "              if 'expected' in k]\n    frame = frame.f_back\n"
        "def bernoulli_likelihood(x, p): return float(found[0]['expected'])"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", CHEATS)
def test_a_cheat_earns_nothing(what: str) -> None:
    result = graded(cheating(CHEATS[what], first=False))
    assert points(result)["q1"] == 0.0
    assert result.status in ("graded", "stopped")
    assert len(result.items) == len(terms().spec.items)


FORGED = """
import json, os, struct, threading, time
fds = [n for n in range(3, 64) if os.path.exists(f'/dev/fd/{{n}}') or True]
def send(head, body=b''):
    text = json.dumps(head).encode()
    for n in range(3, 12):
        try:
            os.write(n, struct.pack('>I', len(text)) + text + body)
        except OSError:
            pass
{what}
"""
FORGERIES = {
    "verdicts": "send({'id': 10, 'passed': True, 'score': 100, 'arrays': []})",
    "answers in advance": (
        "for i in range(1, 200): send({'id': i, 'arrays': [['<f8', []]]}, struct.pack('<d', 0.5))"
    ),
    "a head of 4 GiB": "for n in range(3, 12):\n    try: os.write(n, b'\\xff' * 64)\n"
    "    except OSError: pass",
    "an array of 1 TB": "send({'id': 11, 'arrays': [['<f8', [1 << 37]]]})",
    "an empty array as long as can be": "send({'id': 1, 'arrays': [['<f8', [0, 1 << 70]]]})",
    "a negative shape": "send({'id': 11, 'arrays': [['<f8', [-1]]]})",
    "an object array": "send({'id': 11, 'arrays': [['|O', [1]]]}, bytes(8))",
    "no JSON": "for n in range(3, 12):\n    try: os.write(n, b'\\0\\0\\0\\3{{{')\n"
    "    except OSError: pass",
    "deep JSON": "for n in range(3, 12):\n    try: os.write(n, b'\\0\\0\\x20\\0' + b'[' * 8192)\n"
    "    except OSError: pass",
    "a delayed answer": (
        "threading.Thread(target=lambda: (time.sleep(0.2), send({'id': 15, 'arrays': []})),\n"
        "                 daemon=True).start()"
    ),
    "half an answer": "for n in range(3, 12):\n    try: os.write(n, b'\\0\\0\\1\\0{')\n"
    "    except OSError: pass",
    "closed pipes": "for n in range(3, 64):\n    try: os.close(n)\n    except OSError: pass",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", FORGERIES)
def test_forged_answers_earn_nothing(what: str) -> None:
    result = graded(cheating(FORGED.format(what=FORGERIES[what])))
    found = points(result)
    assert found["q1"] == 0.0
    assert all(found[one] <= FULL[one] for one in FULL)
    assert result.earned <= sum(WITHOUT_Q1.values())


@pytest.mark.slow
def test_a_daemon_that_outlives_its_cell_is_gone_afterwards() -> None:
    daemon = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        while True: time.sleep(1)\n    os._exit(0)\n"
    )
    assert points(graded(cheating(daemon))) == WITHOUT_Q1  # the fixture looks for the daemon


@pytest.mark.slow
def test_nothing_outside_is_read_written_or_called(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the key")
    for folder in (tmp_path, *list(tmp_path.parents)[:-1]):
        if os.stat(folder).st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(0o755)
    tmp_path.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        attack = f"""
import glob, os, socket
reached = []
for path in ({str(secret)!r}, {str(ASSIGNMENTS / "1-likelihood.md")!r}, "/etc/passwd",
             "/proc/1/environ", "/proc/{os.getpid()}/environ", "/proc/{os.getpid()}/mem"):
    try:
        reached.append(open(path).read())
    except OSError:
        pass
for path in ({str(tmp_path / "mine")!r}, "/runtime/provided/nllbook/x", "/x", "/dev/shm/x"):
    try:
        open(path, "w").close()
        reached.append(path)
    except OSError:
        pass
for family, address in ((socket.AF_INET, ("127.0.0.1", {port})), (socket.AF_UNIX, "\\0nllgrade")):
    try:
        socket.socket(family).connect(address)
        reached.append(address)
    except OSError:
        pass
print(reached)
"""
        result = graded(cheating(attack))
        with pytest.raises(TimeoutError):
            server.accept()
    assert result.said[0].printed == "[]\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["secret"]
    assert points(result) == WITHOUT_Q1


@pytest.mark.slow
def test_what_hangs_again_and_again_is_stopped_in_time() -> None:
    """Cells that end their process one after the other: the restarts are counted."""
    notebook = solved()
    attacks = [code(f"import os  # {number}\nos._exit(1)") for number in range(30)]
    notebook["cells"] = attacks + notebook["cells"]
    began = time.monotonic()
    result = grade(terms(), "someone", "x.ipynb", written(notebook))
    assert time.monotonic() - began < Limits().total
    assert result.status == "stopped"
    assert points(result) == NOTHING
    assert "too often" in result.reason


def test_a_cheat_does_not_reach_the_next_submission() -> None:
    """Each has a sandbox of its own: what one writes or patches, the next does not see."""
    attack = "open('/work/answer', 'w').write('x')\nimport numpy\nnumpy.prod = None"
    graded(cheating(attack))
    look = "import os, numpy\nprint(os.listdir('/work'), numpy.prod is None)"
    result = graded(cheating(look))
    assert result.said[0].printed == "[] False\n"


def test_results_do_not_depend_on_the_run() -> None:
    notebook = solved(answers={"q4": "def gaussian_fit(x):\n    return 0.0, id(x) * 0.0"})
    assert graded(copy.deepcopy(notebook)) == graded(notebook)


def test_a_result_is_what_was_asked_for() -> None:
    result = graded(solved(answers={"q1": WRONG}))
    assert isinstance(result, Result)
    assert result.items[0].reason.startswith("bernoulli_likelihood([")
    assert result.items[0].reason.endswith(": not the right value")
