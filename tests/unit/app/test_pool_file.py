"""What is kept of the pool over the end of a process, with the real log and a real admission."""

from collections.abc import AsyncIterator
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
from alatau.storage.pool_log import PoolLog, read_pool_log
from alatau.types.account import Account
from tests.support.local_nodes import Hub, local_genesis, opened_node
from tests.support.small_network import PAYER, VALIDATORS, payment, small_network


class Life:
    """A process with a pool and its file; what it leaves when it is gone is on the disk."""

    def __init__(self, folder: Path) -> None:
        network = small_network()
        tip = network.tip
        view = AdmissionView(tip.state, block_environment(network.config, tip.header, tip.block_hash))
        self.mempool = Mempool(MempoolLimits(replacement_wait_ms=0), 0)
        self.file = PoolFile(folder, self.mempool)
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
