"""Checks of the unit tests: small changes of the package's code, each of which a test must notice.

`tests/changes.py` says what is changed: several thousand mutants. The unit tests are collected and
run once, noting which lines each of them executes. Then every mutant gets a fork of this process:
the changed function is put in the place of the other, and the tests that execute the changed
statement are run, the fastest first, until one fails. One that takes 20 times the processor time it
took before, and a second more, has noticed the change too.

A mutant that no test notices must be in `tests/survivors.toml`, with the reason and a hash of its
function: when the function changes, the reason has to be looked at again. On these only tests that
take less than 10 ms are run; on the others all, so that nothing has a reason by mistake of a clock.
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import time
import tomllib
import traceback
import types
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Set
from dataclasses import replace
from pathlib import Path
from typing import Any

import coverage
import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.changes import PACKAGE, Change, changes

SURVIVORS = Path(__file__).parent / "survivors.toml"
# Imports alone; what is called while the others are imported; and figures, which are looked at.
LEFT_OUT = ("__init__", "_quiet", "plotting")
MODULES = sorted(path for path in PACKAGE.glob("*.py") if path.stem not in LEFT_OUT)
TESTS = (
    "claims_check",
    "coding",
    "datasets",
    "distributions",
    "exercises",
    "gamma_functions",
    "information",
    "likelihood",
    "losses",
    "numerics",
    "optimize",
    "prose",
    "stream",
)
WANTED = 95  # percent of all mutants; and no survivor without a reason
QUICK = 0.01  # seconds
KILLED, CRASHED = 1, 2  # exit status of a fork


class Bench:
    """A plugin of pytest: what it collected is run once, and then against each of the mutants."""

    def __init__(self, mutants: list[Change], explained: Set[Change]) -> None:
        self.mutants, self.explained = mutants, explained
        functions = {mutant.where: mutant for mutant in mutants if not mutant.constant}
        self.unchanged = [replace(one, start=0, end=0, new="") for one in functions.values()]
        self.seconds: dict[pytest.Item, float] = {}  # of processor time
        self.covering: dict[Path, dict[int, list[pytest.Item]]] = {}
        self.failed: list[str] = []
        self.results: dict[Change, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(f"{report.nodeid} fails:\n{report.longreprtext}")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        start = time.monotonic()
        session.config.option.tbstyle = "native"  # the others read the whole of the tests' source
        self._measure(session.items)
        count = len(session.items)
        print(f"{count} tests, all of which pass, in {time.monotonic() - start:.0f} s", flush=True)
        self._run_all()
        return True

    def _measure(self, items: list[pytest.Item]) -> None:
        """Run each test once: how long it takes, and which lines of the package it executes."""
        files = {mutant.file for mutant in self.mutants}
        tracer = coverage.Coverage(data_file=None, config_file=False, include=[*map(str, files)])
        tracer.start()
        for number, (item, following) in enumerate(zip(items, [*items, None][1:], strict=True)):
            forget("nllbook")
            tracer.switch_context(str(number))
            start = time.process_time()
            self._run(item, following)
            self.seconds[item] = time.process_time() - start
        tracer.stop()
        if self.failed:
            raise pytest.UsageError(f"without any change {self.failed[0]}")
        for file in files:
            numbers = tracer.get_data().contexts_by_lineno(str(file))
            self.covering[file] = {
                line: [items[int(number)] for number in those if number]
                for line, those in numbers.items()
            }
        tracer.get_data().close()

    @staticmethod
    def _run(item: pytest.Item, following: pytest.Item | None) -> None:
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)

    def _run_all(self) -> None:
        """First of all run the tests in a fork without a change, where they must pass."""
        running: dict[int, tuple[list[Change], int]] = {}
        killers: dict[str, set[pytest.Item]] = defaultdict(set)
        items = list(self.seconds)
        gc.freeze()  # so that no fork touches, and thereby copies, all of the memory
        waiting = deque([self.unchanged, *([mutant] for mutant in self.mutants)])
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                planted = waiting.popleft()
                known, tests = set[pytest.Item](), set(items)
                if planted is not self.unchanged:
                    known, tests = killers[planted[0].where], self._tests(planted[0])
                order = sorted(tests, key=lambda item: (item not in known, self.seconds[item]))
                pid, pipe = self._fork(planted, order)
                running[pid] = planted, pipe
            pid, status = os.wait()
            planted, pipe = running.pop(pid)
            with os.fdopen(pipe) as end:
                said = end.read()
            code = os.waitstatus_to_exitcode(status)
            strange = code in (CRASHED, -signal.SIGALRM, -signal.SIGKILL)
            if strange or (code and planted is self.unchanged):
                raise pytest.UsageError(f"{planted[0]}: exit status {code}, {said}")
            if planted is not self.unchanged:
                (mutant,) = planted
                names = {0: "survived", -signal.SIGPROF: "timed out"}
                self.results[mutant] = names.get(code, "killed")
                if len(self.results) % 1000 == 0:
                    print(f"{len(self.results)} of {len(self.mutants)} mutants", flush=True)
                if said:
                    killers[mutant.where].add(items[int(said)])

    def _tests(self, mutant: Change) -> set[pytest.Item]:
        """Those that execute the statement; only the quick ones for a survivor with a reason."""
        covering = self.covering[mutant.file]
        tests = {item for line in mutant.lines for item in covering.get(line, [])}
        return {
            item for item in tests if self.seconds[item] < QUICK or mutant not in self.explained
        }

    def _fork(self, planted: list[Change], order: list[pytest.Item]) -> tuple[int, int]:
        """A child that runs the tests until one fails, and a pipe which says what one."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return pid, reading
        try:
            signal.alarm(3600)  # in case it waits for something
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            code, said = self._child(planted, order)
        except BaseException:
            code, said = CRASHED, traceback.format_exc()
        os.write(writing, said.encode())
        os._exit(code)

    def _child(self, planted: list[Change], order: list[pytest.Item]) -> tuple[int, str]:
        for change in planted:
            try:
                new = load(change)
            except Exception:  # such a module cannot be imported
                return KILLED, ""
            plant(change, new)
        for item, following in zip(order, [*order, None][1:], strict=True):
            signal.setitimer(signal.ITIMER_PROF, 1 + 20 * self.seconds[item])
            self._run(item, following)
            if self.failed:
                number = list(self.seconds).index(item)
                return KILLED, str(number) if planted is not self.unchanged else self.failed[0]
        return 0, ""


def load(change: Change) -> types.ModuleType:
    """The changed module, beside the one that is in use."""
    new = types.ModuleType(f"{change.file.parent.name}.{change.file.stem}")
    new.__file__ = str(change.file)
    exec(compile(change.apply(), str(change.file), "exec"), new.__dict__)
    return new


def plant(change: Change, new: types.ModuleType) -> None:
    """Put the changed function or constant in the place of the other, wherever it is used."""
    live = sys.modules[new.__name__]
    package = change.file.parent.name
    if change.constant:
        users = [
            module
            for name, module in sys.modules.items()
            if name.startswith((package, "tests.", "test_"))
        ]
        for name, value in vars(new).items():
            old = vars(live).get(name)
            if not callable(value) and not isinstance(value, types.ModuleType) and name[:2] != "__":
                for module in users:
                    if vars(module).get(name, module) is old:
                        setattr(module, name, value)
    else:
        function, other = _function(live, change.function), _function(new, change.function)
        function.__code__ = other.__code__
        function.__defaults__, function.__kwdefaults__ = other.__defaults__, other.__kwdefaults__
    forget(package, "tests.", "test_")


def forget(*prefixes: str) -> None:
    """Have what functions of these modules remember computed anew."""
    for name, module in list(sys.modules.items()):
        if name.startswith(prefixes):
            for value in vars(module).values():
                getattr(value, "cache_clear", int)()


def _function(module: types.ModuleType, name: str) -> types.FunctionType:
    """The function or method of this qualified name, without its decorators."""
    *classes, last = name.split(".")
    owner: Any = module
    for one in classes:
        owner = getattr(owner, one)
    found = vars(owner)[last]
    while hasattr(found, "__wrapped__"):
        found = found.__wrapped__
    assert isinstance(found, types.FunctionType)
    return found


def report(
    results: dict[Change, str], hashes: dict[str, str], entries: list[dict[str, str]]
) -> list[str]:
    """Print the table; what is wrong with the survivors and their reasons."""
    problems = []
    given = Counter((entry["where"], entry["before"], entry["after"]) for entry in entries)
    survivors = [mutant for mutant, result in results.items() if result == "survived"]
    found = Counter((one.where, one.before, one.after) for one in survivors)
    for where, before, after in found - given:
        problems.append(
            f"no test notices it; write one, or explain it in {SURVIVORS.name}:\n[[survivor]]\n"
            f"where = {where!r}\nhash = {hashes[where]!r}\nbefore = {before!r}\nafter = {after!r}\n"
        )
    for where, _, after in given - found:
        problems.append(f"{SURVIVORS.name}: {where}: remove {after!r}, which does not survive")
    for where, known in {(entry["where"], entry["hash"]) for entry in entries}:
        if where in hashes and hashes[where] != known:
            problems.append(
                f"{SURVIVORS.name}: {where} has changed: look at its reasons again, and write "
                f"hash = {hashes[where]!r}"
            )
    for entry in entries:
        if not entry["why"].strip():
            problems.append(f"{SURVIVORS.name}: {entry['where']}: {entry['after']!r} needs a why")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, result in results.items():
        counts[mutant.file.stem][result] += 1
        counts["all"][result] += 1
    print(f"{'module':14} {'mutants':>8} {'killed':>8} {'timed out':>10} {'survived':>9} {'%':>7}")
    for module, count in sorted(counts.items(), key=lambda pair: (pair[0] == "all", pair[0])):
        percent = 100 * (1 - count["survived"] / count.total())
        columns = f"{count['killed']:8} {count['timed out']:10} {count['survived']:9}"
        print(f"{module:14} {count.total():8} {columns} {percent:7.1f}")
        if module == "all" and percent < WANTED:
            problems.append(f"{percent:.1f} % of the mutants are noticed, {WANTED} % are wanted")
    return problems


def run(mutants: list[Change], tests: Iterable[str], explained: Set[Change] = frozenset()) -> Bench:
    """Collect the tests, and run them against the mutants."""
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "COVERAGE_CORE": "ctrace"}
    # a failing example is enough, it need not be the simplest; and none is remembered
    settings.register_profile(
        "mutants",
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")
    bench = Bench(mutants, explained)
    arguments = [
        "-c",
        "pyproject.toml",
        "--capture=sys",
        "--assert=plain",
        "-m",
        "not slow and not gpu",
    ]
    arguments += ["-o", "addopts="]
    for plugin in ("nbval", "cacheprovider", "logging", "terminal"):
        arguments += ["-p", f"no:{plugin}"]
    status = pytest.main([*arguments, *tests], plugins=[bench])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(int(status))
    return bench


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="?", default="", help="functions whose name holds this")
    only = parser.parse_args().only
    mutants: list[Change] = []
    hashes: dict[str, str] = {}
    start = time.monotonic()
    for module in MODULES:
        found, known = changes(module)
        mutants += [mutant for mutant in found if only in mutant.where]
        hashes |= known
    if not mutants:  # the tests need not be run for that
        print(f"no function of nllbook has a name that holds {only!r}: no mutants of it")
        return 0
    entries = tomllib.loads(SURVIVORS.read_text(encoding="utf-8"))["survivor"]
    entries = [entry for entry in entries if only in entry["where"]]
    keys = {(entry["where"], entry["before"], entry["after"]) for entry in entries}
    explained = {one for one in mutants if (one.where, one.before, one.after) in keys}
    bench = run(mutants, [f"tests/test_{name}.py" for name in TESTS], explained)
    problems = report(bench.results, hashes, entries)
    print(f"{len(mutants)} mutants in {time.monotonic() - start:.0f} s")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
