"""Judge mutants in children of one process that has imported everything, and knows which test reaches what.

The process is pytest, stopped where its tests would run. A child runs all of them once and notes how long each takes
and which functions it calls. Then each mutant gets a child of its own, which changes the module in memory, runs the
tests that call the changed function, the quickest and those that found something before first, and ends with the
first failure. A child that takes far more time than its tests need, or more memory than the program ever does, has
noticed as well.
"""

import gc
import hashlib
import json
import os
import resource
import select
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from alatau_devnet.mutation.mutants import Mutant
from alatau_devnet.mutation.subject import Change, Subject

_CPU_BASE_S: Final = 5
_CPU_FACTOR: Final = 8
"""A test may take so much more of the processor in a mutant than in the program."""

_WALL_BASE_S: Final = 60.0
_WALL_FACTOR: Final = 30.0
"""A test may take so much longer in a mutant than in the program: on a busy machine it waits for the processor most of
the time. It is for those that wait for ever; those that compute for ever are found by their processor time."""

_MEMORY_BYTES: Final = 4 * 1024**3
"""Address space of a child."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What one test does in the program itself."""

    seconds: float
    parts: frozenset[tuple[str, str]]
    """Of the program, as its subject names them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went with a mutant."""

    killed_by: str | None
    """The test that noticed, with *(time)* where it did not end; None where none did."""
    tests: int
    """How many tests ran, or would have."""
    change: Change = Change.MADE
    """Where it was not made, nothing was tried."""


@dataclass(slots=True, eq=False)
class Trial:
    """The pytest plugin: one set of tests, some mutants of the files that they judge."""

    subject: Subject
    mutants: list[Mutant]
    left_out: tuple[str, ...]
    """Parts of names of tests that are not used."""
    longest_s: float
    """Nor are tests that take longer by themselves."""
    noted: Path
    """A file that keeps what each test reaches, from run to run, until its file changes."""
    judged: Callable[[Mutant, Verdict], bool]
    """Called with each verdict; False ends the trial."""
    workers: int = 1
    told: Callable[[str], None] = print
    _items: list[pytest.Item] = field(default_factory=list)
    _reach: dict[str, Reach] = field(default_factory=dict)
    _kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By file, and by file and function; and test."""
    _child: "_Child | None" = None

    # ------------------------------------------------------------ in the parent

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out what judges too slowly."""
        items[:] = [item for item in items if not any(part in item.nodeid for part in self.left_out)]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        self._items = list(session.items)
        self.subject.begin()
        gc.collect()
        gc.freeze()
        self._reach = self._measured()
        pending, running = iter(self.mutants), dict[int, _Running]()
        wanted = True
        while wanted or running:
            while wanted and len(running) < self.workers:
                mutant = next(pending, None)
                if mutant is None:
                    wanted = False
                else:
                    begun = self._begin(mutant)
                    running[begun.pipe] = begun
            for done in _wait(running):
                verdict = done.verdict()
                if verdict.killed_by:
                    self._kills[done.mutant.path, verdict.killed_by.removesuffix(" (time)")] += 1
                wanted = self.judged(done.mutant, verdict) and wanted
        return True

    def _measured(self) -> dict[str, Reach]:
        """What each test reaches: as noted before where its file is the same, else by running it."""
        known: dict[str, Any] = json.loads(self.noted.read_text()) if self.noted.exists() else {}
        digests = {item.path: hashlib.sha256(item.path.read_bytes()).hexdigest()[:16] for item in self._items}
        keys = {item.nodeid: f"{item.nodeid} {digests[item.path]}" for item in self._items}
        missing = [item for item in self._items if keys[item.nodeid] not in known]
        if missing:
            self.told(f"{len(missing)} of {len(self._items)} tests run once, to see what each of them reaches")
            found = self._run_once(missing)
            known |= {keys[name]: reach for name, reach in found.items()}
            self.noted.parent.mkdir(exist_ok=True)
            self.noted.write_text(json.dumps(known))
        return {
            test: Reach(known[key][0], frozenset((file, name) for file, name in known[key][1]))
            for test, key in keys.items()
            if known[key][0] <= self.longest_s
        }

    def _run_once(self, items: list[pytest.Item]) -> dict[str, Any]:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            _end_after(lambda: self._measure(items, write))
        os.close(write)
        with os.fdopen(read) as pipe:
            found: dict[str, Any] = json.loads(pipe.read() or "{}")
        os.waitpid(child, 0)
        if "failed" in found or not found:
            self.told(f"without any mutant this fails, so nothing was tried: {found.get('failed', 'the run itself')}")
            raise pytest.UsageError("tests fail without any mutant")
        return found

    def _begin(self, mutant: Mutant) -> "_Running":
        stages = [(name, self._chosen(mutant, name)) for name in self.subject.stages(mutant)]
        names = [item.nodeid for _, chosen in stages for item in chosen]
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.close(read)
            _end_after(lambda: self._judge(mutant, stages, write))
        os.close(write)
        patience = {name: _WALL_BASE_S + _WALL_FACTOR * self._reach[name].seconds * self.workers for name in names}
        return _Running(mutant, child, read, patience, time.monotonic() + _WALL_BASE_S, len(names))

    def _chosen(self, mutant: Mutant, stage: str) -> list[pytest.Item]:
        """The tests to run, in order: quick ones first, and before them those that found something already."""
        found = []
        for item in self._items:
            reach = self._reach.get(item.nodeid)
            if reach is not None and self.subject.concerns(mutant, stage, reach.parts):
                found.append(item)

        def promise(item: pytest.Item) -> float:
            here = self._kills[f"{mutant.path} {mutant.function}", item.nodeid]
            kills = here + self._kills[mutant.path, item.nodeid] / 4
            own = self.subject.owns(mutant, str(item.path))
            return (0.05 + self._reach[item.nodeid].seconds) / (1 + 4 * kills + 4 * own)

        return sorted(found, key=promise)

    # ------------------------------------------------------------ in a child

    def _measure(self, items: list[pytest.Item], write: int) -> None:
        self._child = _Child(write, first_failure_ends=False)
        found: dict[str, Any] = {}
        for item, after in _pairs(items):
            seen: set[tuple[str, str]] = set()
            began = time.process_time(), time.monotonic()
            with self.subject.watch(seen):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            seconds = max(time.process_time() - began[0], (time.monotonic() - began[1]) / 4)
            found[item.nodeid] = (round(seconds, 4), sorted(seen))
        if self._child.failed:
            found = {"failed": self._child.failed}
        with os.fdopen(write, "w") as pipe:
            pipe.write(json.dumps(found))

    def _judge(self, mutant: Mutant, stages: list[tuple[str, list[pytest.Item]]], write: int) -> None:
        self._child = _Child(write, first_failure_ends=True)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        change = Change.SAME_PROGRAM
        for stage, chosen in stages:
            outcome = self.subject.apply(mutant, stage)
            if outcome is not Change.SAME_PROGRAM:
                change = outcome
            if outcome is not Change.MADE:
                continue
            for item, after in _pairs(chosen):
                os.write(write, f"{item.nodeid}\n".encode())
                signal.setitimer(signal.ITIMER_PROF, _CPU_BASE_S + _CPU_FACTOR * self._reach[item.nodeid].seconds)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            signal.setitimer(signal.ITIMER_PROF, 0)
        os.write(write, b"alive" if change is Change.MADE else change.encode())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test said how it went."""
        if self._child is not None and report.failed:
            self._child.fails(report.nodeid)


@dataclass(slots=True)
class _Child:
    pipe: int
    first_failure_ends: bool
    failed: list[str] = field(default_factory=list)

    def fails(self, name: str) -> None:
        self.failed.append(name)
        if self.first_failure_ends:
            os.write(self.pipe, b"killed")
            os._exit(0)


@dataclass(slots=True)
class _Running:
    """A child at work, as its parent sees it."""

    mutant: Mutant
    process: int
    pipe: int
    patience: dict[str, float]
    """Seconds for each of its tests."""
    deadline: float
    """Of the test at which it is, by the clock of this machine."""
    tests: int
    said: bytes = b""

    def hears(self, data: bytes) -> None:
        """The child says at which test it is: the time for it begins."""
        self.said += data
        if b"\n" in data:
            self.deadline = time.monotonic() + self.patience[self.said.decode().split("\n")[-2]]

    def verdict(self) -> Verdict:
        """What the child found out, now that it has ended."""
        lines = self.said.decode().split("\n")
        last = lines[-2] if len(lines) > 1 else None
        match lines[-1]:
            case "alive":
                return Verdict(None, self.tests)
            case "killed":
                return Verdict(last or "?", self.tests)
            case Change.NOT_APPLIED | Change.NO_PROGRAM | Change.SAME_PROGRAM as change:
                return Verdict(None, 0, Change(change))
            case _:
                return Verdict(f"{last or 'import'} (time)", self.tests)


def _wait(running: dict[int, _Running]) -> Iterator[_Running]:
    """Read what children say; give those that have ended, at the latest at the deadline of a test."""
    ready, _, _ = select.select(list(running), [], [], 0.5)
    for pipe in list(running):
        child = running[pipe]
        data = os.read(pipe, 65_536) if pipe in ready else None
        if data:
            child.hears(data)
        late = time.monotonic() > child.deadline
        if late or data == b"":
            if late:
                os.kill(child.process, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child.process, 0)
            os.close(pipe)
            del running[pipe]
            yield child


def _end_after(work: Callable[[], None]) -> NoReturn:
    """A child does this and nothing of what its parent would do afterwards."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    try:
        work()
    except BaseException:  # noqa: BLE001  whatever it is, the child ends here, and says nothing more
        os._exit(1)
    os._exit(0)


def _pairs(items: Iterable[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each test with the one after it, as pytest wants it, so that fixtures end in time."""
    listed = list(items)
    return zip(listed, [*listed[1:], None], strict=False)  # Of no tests there is no last.
