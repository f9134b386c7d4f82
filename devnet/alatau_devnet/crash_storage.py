"""Kill a writing store again and again, and look at what it left: ``python -m alatau_devnet.crash_storage --help``.

A writer process does what a validator does at each height: it appends to the consensus log and flushes it, records
its sign state, commits the block, resets the log. After each of these it acknowledges through a pipe. It dies by
SIGKILL, at a random moment or at the n-th write, or its disk is full from the n-th write on. Then a checker process
opens what is left and compares it with what must be there:

* the store is at the last acknowledged height or at the one after, with the very hash of that block;
* ``check`` finds nothing between blocks, trie, flat tables and history; an earlier height can be proved;
* the log has every record whose flush was acknowledged, the sign state is not older than what was acknowledged.

Both are forked from a parent that never opens LevelDB, because its background thread does not survive a fork.
"""

import argparse
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import NoReturn

from alatau.chain.executed import ExecutedBlock
from alatau.consensus.records import SignState, SignStep
from alatau.storage.check import Finding
from alatau.storage.database import MIB, DatabaseOptions
from alatau.storage.disk import Batch, Disk
from alatau.storage.errors import DiskFullError, StorageError
from alatau.storage.sign_state import SignStateFile
from alatau.storage.store import Store, StoreOptions
from alatau.storage.wal import WriteAheadLog
from alatau.trie.proof import verify
from alatau.types.vote import Commit
from alatau_devnet.synthetic_chain import TOKEN, first_blocks

Blocks = list[tuple[ExecutedBlock, Commit | None]]

_HISTORY = 24
_VOTES = 3
"""Log records at each height."""
_FULL = 3
"""Exit code of a writer whose disk was full."""
_OPTIONS = StoreOptions(
    # A small buffer, so that LevelDB writes tables and a manifest under fire and not only its log.
    DatabaseOptions(write_buffer_bytes=MIB // 8, free_bytes_min=0),
    history_blocks=_HISTORY,
)


class WrongError(Exception):
    """What was found on the disk is not what must be there: a bug, or broken hardware."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The last height at which the writer said of each step that it was done."""

    flushed: int = -1
    signed: int = -1
    committed: int = -1


@dataclass(slots=True)
class Summary:
    """What a campaign did."""

    seed: int
    random_kills: int = 0
    boundary_kills: int = 0
    full_disks: int = 0
    real_full_disks: int = 0
    heights_committed: int = 0
    """By the writers that were killed at random."""
    found_one_ahead: int = 0
    """Checks that found the height after the last acknowledged one: the crash fell between write and answer."""
    torn_logs: int = 0
    """Checks that found a torn tail in the consensus log."""
    seconds: float = 0.0


class FaultyDisk(Disk):
    """Breaks at the n-th operation; counts them."""

    def __init__(self, at: int, fault: Callable[[], None]) -> None:
        self.count = 0
        self._at = at
        self._fault = fault

    def _step(self) -> None:
        self.count += 1
        if self._at and self.count >= self._at:
            self._fault()

    def boundary(self, name: str) -> None:  # noqa: ARG002  every boundary counts alike
        """See ``Disk``. A process may die here; a disk has nothing to refuse."""
        if self._fault is die:
            self._step()

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """See ``Disk``. May break before, in the middle, or after."""
        self._step()
        middle = len(data) // 2
        super().write(descriptor, data[:middle], offset)
        self._step()
        super().write(descriptor, data[middle:], offset + middle)
        self._step()

    def write_batch(self, batch: Batch) -> None:
        """See ``Disk``."""
        self._step()
        super().write_batch(batch)
        self._step()

    def sync(self, descriptor: int) -> None:
        """See ``Disk``."""
        self._step()
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """See ``Disk``."""
        self._step()
        super().truncate(descriptor, size)

    def replace(self, source: Path, target: Path) -> None:
        """See ``Disk``."""
        self._step()
        super().replace(source, target)

    def sync_folder(self, folder: Path) -> None:
        """See ``Disk``."""
        self._step()
        super().sync_folder(folder)


def die() -> None:
    """End this process as a power button does."""
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    """What the system says when there is no room."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def write_blocks(folder: Path, blocks: Blocks, until: int, disk: Disk, acknowledge: Callable[[str, int], None]) -> None:
    """What a validator's storage does, from where it is up to a height."""
    store = Store.open(folder / "data", _OPTIONS, disk)
    wal, report = WriteAheadLog.open(folder / "wal", disk)
    logged = {(record.height, record.payload) for record in report.records}
    sign_state = SignStateFile.open(folder / "sign_state.json", disk)
    store.init_genesis(blocks[0][0])
    assert store.tip is not None
    acknowledge("committed", store.tip.number)
    for height in range(store.tip.number + 1, until + 1):
        executed, commit = blocks[height]
        assert commit is not None
        for vote in range(_VOTES):
            if (height, _payload(height, vote)) not in logged:
                wal.append(height, _payload(height, vote))
        wal.flush()
        acknowledge("flushed", height)
        state = SignState(height, 0, SignStep.PRECOMMIT, executed.block.hash)
        if sign_state.last != state:
            sign_state.record(state)
        acknowledge("signed", height)
        store.commit(executed, commit)
        acknowledge("committed", height)
        wal.reset()
    store.close()
    wal.close()


def check_folder(folder: Path, blocks: Blocks, acknowledged: Acknowledged) -> tuple[int, int]:
    """Open what is left and compare; gives the height found, and the size of the log's torn tail.

    Raises:
        WrongError: something that must hold does not.
    """
    store = Store.open(folder / "data", _OPTIONS)
    height = -1 if store.tip is None else store.tip.number
    least = acknowledged.committed
    _demand(least <= height <= max(least + 1, 0), f"height {height} after {least} was acknowledged")
    if height >= 0:
        _demand(store.tip_hash == blocks[height][0].block.hash, f"block {height} is another than was written")
        findings = [step.what for step in store.check() if isinstance(step, Finding)]
        _demand(not findings, "; ".join(findings))
        earlier = max(height - 5, store.oldest_state)
        slots = list(blocks[0][0].diff.storage[TOKEN])[:4]
        verify(blocks[earlier][0].block.header.state_root, store.proof(TOKEN, slots, earlier))
    store.close()
    wal, report = WriteAheadLog.open(folder / "wal")
    wal.close()
    live = [record.payload for record in report.records if record.height > height]
    _demand(live == [_payload(height + 1, vote) for vote in range(len(live))], "the log has other records")
    if acknowledged.flushed > height:
        _demand(len(live) == _VOTES, f"{len(live)} of {_VOTES} flushed records are in the log")
    last = SignStateFile.open(folder / "sign_state.json").last
    signed = -1 if last is None else last.height
    _demand(acknowledged.signed <= signed <= height + 1, f"the sign state is at {signed}, not {acknowledged.signed}")
    _demand(signed < 0 or (last is not None and last.digest == blocks[signed][0].block.hash), "another was signed")
    return height, report.torn_bytes


def _payload(height: int, vote: int) -> bytes:
    return (b"vote %d of height %d " % (vote, height)) * 20


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise WrongError(what)


class Campaign:
    """Writers and checkers, one after another, on one folder."""

    def __init__(self, folder: Path, seed: int, heights: int) -> None:
        self.folder = folder
        self.blocks = list(first_blocks(seed, heights))
        self.random = random.Random(seed)  # noqa: S311  repeatable, not secret
        self.summary = Summary(seed)
        self.acknowledged = Acknowledged()
        self.operations = 0
        """Operations that the last writer on a sound disk counted."""

    def start_over(self) -> None:
        """An empty folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.acknowledged = Acknowledged()

    def write(self, until: int, disk: Disk | None = None, *, kill_at: tuple[int, float] | None = None) -> int:
        """Run a writer until a height, or until it dies; gives its exit status.

        ``kill_at``: kill it when it has acknowledged so many steps and so many seconds have passed then.
        """
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _run_child(lambda: self._write_in_child(until, disk or Disk(), writing))
        os.close(writing)
        with os.fdopen(reading) as lines:
            if kill_at is not None:
                self._take_acknowledgements(islice(lines, kill_at[0]))
                time.sleep(kill_at[1])
                os.kill(child, signal.SIGKILL)
            self._take_acknowledgements(lines)
        return os.waitpid(child, 0)[1]

    def _write_in_child(self, until: int, disk: Disk, writing: int) -> int:
        def acknowledge(step: str, height: int) -> None:
            os.write(writing, f"{step} {height}\n".encode())

        try:
            write_blocks(self.folder, self.blocks, until, disk, acknowledge)
        except DiskFullError:
            return _FULL
        if isinstance(disk, FaultyDisk):
            acknowledge("operations", disk.count)
        return 0

    def _take_acknowledgements(self, lines: Iterable[str]) -> None:
        for line in lines:
            step, number = line.split()
            if step == "operations":
                self.operations = int(number)
            else:
                self.acknowledged = replace(self.acknowledged, **{step: int(number)})

    def check(self) -> None:
        """Run a checker.

        Raises:
            WrongError: it found what must not be.
        """
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _run_child(lambda: self._check_in_child(writing))
        os.close(writing)
        with os.fdopen(reading) as answer:
            text = answer.read()
        os.waitpid(child, 0)
        if not text.startswith("found "):
            raise WrongError(
                f"{text or 'the checker died'} (acknowledged: {self.acknowledged}, seed {self.summary.seed})"
            )
        height, torn = map(int, text.split()[1:])
        self.summary.found_one_ahead += height > max(self.acknowledged.committed, 0)
        self.summary.torn_logs += torn > 0
        # From here on the node knows where it is.
        self.acknowledged = replace(self.acknowledged, committed=height)

    def _check_in_child(self, writing: int) -> int:
        try:
            height, torn = check_folder(self.folder, self.blocks, self.acknowledged)
            answer = f"found {height} {torn}"
        except (WrongError, StorageError, AssertionError) as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        return 0

    def kill_at_random(self, kills: int) -> None:
        """Kill writers at random moments; the same store lives on until it has all the heights."""
        self.start_over()
        for _ in range(kills):
            if self.acknowledged.committed >= len(self.blocks) - 2:
                self.start_over()
            before = self.acknowledged.committed
            # Some die while opening (0 steps, some milliseconds), most within the next few heights.
            steps = self.random.randrange(12)
            moment = self.random.uniform(0, 0.002 if steps else 0.03)
            self.write(len(self.blocks) - 1, kill_at=(steps, moment))
            self.check()
            self.summary.random_kills += 1
            self.summary.heights_committed += self.acknowledged.committed - before

    def break_everywhere(self, heights: int, fault: Callable[[], None]) -> int:
        """Break at every operation of opening and of some heights, then go on without faults; gives how many."""
        self.start_over()
        self.operations = 0
        _demand(self.write(heights, FaultyDisk(0, fault)) == 0, "a writer on a sound disk failed")
        operations = self.operations
        _demand(operations > 0, "a writer on a sound disk wrote nothing")
        for at in range(1, operations + 1):
            self.start_over()
            status = self.write(heights, FaultyDisk(at, fault))
            if fault is refuse:
                _demand(os.waitstatus_to_exitcode(status) == _FULL, f"operation {at}: no orderly end on a full disk")
            else:
                _demand(os.WIFSIGNALED(status), f"operation {at}: the writer outlived its death")
            self.check()
            _demand(self.write(heights + 1) == 0, f"operation {at}: the store did not go on")
            self.check()
            _demand(self.acknowledged.committed == heights + 1, f"operation {at}: not all heights were committed")
        return operations

    def fill_disk(self, size_mib: int) -> None:
        """Write into a file system until it is full, really; free some room, and go on."""
        room = self.folder / "filler"
        for free_kib in (0, 4, 16, 40, 100, 200):
            self.start_over()
            _mount(self.folder, size_mib)
            try:
                _demand(self.write(3) == 0, "no room for three heights")
                fill(room, free_kib)
                status = self.write(len(self.blocks) - 1)
                _demand(
                    os.waitstatus_to_exitcode(status) == _FULL,
                    f"{free_kib} KiB left: a full disk ended the writer with {status}",
                )
                room.unlink()
                self.check()
                goal = self.acknowledged.committed + 1
                _demand(self.write(goal) == 0, "the store did not go on after room was made")
                self.check()
                self.summary.real_full_disks += 1
            finally:
                subprocess.run(["umount", str(self.folder)], check=True)


def _run_child(work: Callable[[], int]) -> NoReturn:
    """Run in a forked process, and end it without the parent's clean-up."""
    try:
        status = work()
    except BaseException as error:  # noqa: BLE001  whatever it is, it is told and ends the child
        sys.stderr.write(f"writer: {type(error).__name__}: {error}\n")
        status = 1
    os._exit(status)


def _mount(folder: Path, size_mib: int) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "none", str(folder)], check=True)


def fill(file: Path, free_kib: int) -> None:
    """Take all room but ``free_kib``."""
    with file.open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4_096))
        except OSError as error:
            _demand(error.errno == errno.ENOSPC, str(error))
        filler.truncate(max(0, filler.tell() - free_kib * 1024))


def can_mount(folder: Path) -> bool:
    """Whether this user may mount a file system of its own."""
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "none", str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        return False
    subprocess.run(["umount", str(folder)], check=True)
    return True


def main() -> int:
    """Run a campaign and print what it did."""
    parser = argparse.ArgumentParser(
        prog="python -m alatau_devnet.crash_storage", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--kills", type=int, default=300, help="kills at random moments (300)")
    parser.add_argument("--heights", type=int, default=3, help="heights broken at every operation (3)")
    parser.add_argument("--seed", type=int, default=1, help="of blocks and moments (1)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON alone")
    given = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="alatau-crash-") as scratch:
        campaign = Campaign(Path(scratch) / "node", given.seed, heights=120)
        summary = campaign.summary
        try:
            summary.boundary_kills = campaign.break_everywhere(given.heights, die)
            summary.full_disks = campaign.break_everywhere(given.heights, refuse)
            campaign.kill_at_random(given.kills)
            if can_mount(Path(scratch) / "mount"):
                campaign.fill_disk(size_mib=6)
        except WrongError as error:
            print(f"seed {given.seed}: {error}", file=sys.stderr)
            return 1
        summary.seconds = round(time.monotonic() - started, 1)
    if given.json:
        print(json.dumps(asdict(summary)))
        return 0
    print(f"seed {summary.seed}, {summary.seconds} s: always at the acknowledged height or the one after")
    print(f"  {summary.boundary_kills} kills, one at each write of {given.heights} heights and of opening")
    print(
        f"  {summary.full_disks} full disks, one at each of these; {summary.real_full_disks} really full file systems"
    )
    print(f"  {summary.random_kills} kills at random moments over {summary.heights_committed} heights")
    print(f"  {summary.found_one_ahead} times one height ahead, {summary.torn_logs} torn logs cut off")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
