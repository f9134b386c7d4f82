"""What is kept of the pool over the end of a process, with the real log and a real admission."""

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from alatau.app import pool_file
from alatau.app.pool_file import PoolFile
from alatau.chain.execution import block_environment
from alatau.engine.admission import Admission, AdmissionView
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.pool import Mempool
from alatau.storage.disk import Disk
from alatau.storage.pool_log import PoolLog, read_pool_log
from alatau.types.account import Account
from tests.support.local_nodes import Hub, local_genesis, opened_node
from tests.support.small_network import PAYER, VALIDATORS, payment, small_network
from tests.support.waiting import eventually


class Life:
    """A process with a pool and its file; what it leaves when it is gone is on the disk."""

    def __init__(self, folder: Path, disk: Disk | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        network = small_network()
        tip = network.tip
        view = AdmissionView(tip.state, block_environment(network.config, tip.header, tip.block_hash))
        self.mempool = Mempool(MempoolLimits(replacement_wait_ms=0), 0)
        self.file = PoolFile(folder, self.mempool, disk, clock)
        self.admission = Admission(
            self.mempool, network.config, lambda: view, lambda: 0, lambda _: None, keep=self.file.append
        )


@asynccontextmanager
async def life(folder: Path) -> AsyncIterator[Life]:
    """Ends without closing anything, as kill -9 does."""
    process = Life(folder)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.admission.run, lambda: None)
        yield process
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_what_was_acknowledged_is_in_the_pool_of_the_next_life(tmp_path: Path) -> None:
    """In two lives that end by a kill; what became final between is left out, what was replaced does not return."""
    hub = Hub()
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path / "node", hub) as node:
        async with life(tmp_path / "pool") as first:
            sent = [payment(n).encoded for n in range(600)]
            assert await first.admission.submit(sent) == [None] * 600
            better = payment(5, value=2).encoded
            assert await first.admission.submit([better]) == [None]
        async with life(tmp_path / "pool") as second:
            await second.file.resume(second.admission, node.store)
            assert len(second.mempool) == 600
            assert second.mempool.get(payment(5, value=2).hash) is not None
        async with life(tmp_path / "pool") as third:
            await third.file.resume(third.admission, node.store)
            assert len(third.mempool) == 600


@pytest.mark.trio
async def test_an_orderly_stop_leaves_what_waits_and_nothing_else(tmp_path: Path) -> None:
    """The log is as long as the pool, not as the process lived."""
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path / "node", Hub()) as node:
        async with life(tmp_path / "pool") as process:
            await process.file.resume(process.admission, node.store)
            await process.admission.submit([payment(n).encoded for n in range(5)])
            account = Account(nonce=3, balance=10**20)
            process.mempool.update([payment(n).hash for n in range(3)], {PAYER.address: account}, 0)
            process.file.close()
        assert read_pool_log(tmp_path / "pool") == [payment(n).encoded for n in range(3, 5)]


@pytest.mark.trio
async def test_a_stop_before_everything_was_offered_again_loses_nothing(tmp_path: Path) -> None:
    """An impatient operator: the node is told to stop while it still starts."""
    PoolLog(tmp_path / "pool").append([payment(n).encoded for n in range(3)])
    async with life(tmp_path / "pool") as process:
        process.file.close()
    assert read_pool_log(tmp_path / "pool") == [payment(n).encoded for n in range(3)]


@pytest.mark.trio
async def test_a_disk_that_refuses_does_not_stop_admission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported, once, and written again when there is room."""
    async with life(tmp_path / "pool") as process:

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as broken:
            broken.setattr(PoolLog, "append", full)
            assert await process.admission.submit([payment(0).encoded]) == [None]
        assert await process.admission.submit([payment(1).encoded]) == [None]
    assert read_pool_log(tmp_path / "pool") == [payment(1).encoded]


@pytest.mark.trio
async def test_the_log_is_flushed_and_shortened_while_the_node_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that is full gives way to what still waits."""
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path / "node", Hub()) as node:
        async with life(tmp_path / "pool") as process, trio.open_nursery() as nursery:
            monkeypatch.setattr(pool_file, "_SYNC_S", 0.01)
            process.file._log._segment_bytes = 1_000
            await process.file.resume(process.admission, node.store)
            nursery.start_soon(process.file.run)
            await process.admission.submit([payment(n).encoded for n in range(20)])
            account = Account(nonce=18, balance=10**20)
            process.mempool.update([payment(n).hash for n in range(18)], {PAYER.address: account}, 0)
            with trio.fail_after(20):
                while {path.name for path in (tmp_path / "pool").iterdir()} != {"2.kept", "2.log"}:  # noqa: ASYNC110
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        assert read_pool_log(tmp_path / "pool") == [payment(n).encoded for n in (18, 19)]


class StuckDisk(Disk):
    """Its writes wait until they are let go, once ``stuck`` is set."""

    def __init__(self) -> None:
        self.stuck = False
        self.go_on = threading.Event()
        self.writes = 0

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """Wait, then write."""
        self.writes += 1
        if self.stuck:
            assert threading.current_thread() is not threading.main_thread(), "the loop waits for the disk"
            self.go_on.wait(30)
        super().write(descriptor, data, offset)


@pytest.mark.trio
async def test_a_disk_that_falls_behind_holds_up_answers_and_nothing_else(tmp_path: Path) -> None:
    """After a slow write a thread writes; clients are answered once it has, peers' transactions are pooled at once."""
    disk, seconds = StuckDisk(), [0.0]

    def clock() -> float:
        seconds[0] += 1.0  # every write seems to have taken a second
        return seconds[0]

    process = Life(tmp_path, disk, clock)
    answered: list[int] = []

    async def submit(nonce: int) -> None:
        assert await process.admission.submit([payment(nonce).encoded]) == [None]
        answered.append(nonce)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.admission.run, lambda: None)
        nursery.start_soon(process.file.run)
        await submit(0)
        disk.stuck = True
        nursery.start_soon(submit, 1)
        await eventually(lambda: disk.writes == 2, "the thread is at it")
        assert payment(1).hash in process.mempool
        assert answered == [0]
        disk.go_on.set()
        await eventually(lambda: answered == [0, 1], "it is written, and told")
        assert read_pool_log(tmp_path) == [payment(n).encoded for n in range(2)]
        nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_what_no_thread_has_written_yet_is_written_at_the_stop(tmp_path: Path) -> None:
    """Its clients have no answer, but it is in the pool."""
    pool = PoolFile(tmp_path, Mempool(MempoolLimits(), 0), clock=iter(range(100)).__next__)
    assert pool.append([payment(0).encoded], []) is None
    assert pool.append([payment(1).encoded], []) is not None
    pool.close()
    assert read_pool_log(tmp_path) == [payment(n).encoded for n in range(2)]
