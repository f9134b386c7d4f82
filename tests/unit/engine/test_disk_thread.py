"""The owner task and the disk: the loop goes on while the disk works, and nothing is said before it has answered."""

import errno
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from alatau.consensus.effects import (
    DoBroadcast,
    DoCommit,
    DoPersist,
    DoRecordSignState,
    DoResetLog,
    DoRewriteLog,
    Effect,
)
from alatau.consensus.inputs import InTransactionsAvailable
from alatau.consensus.messages import Message, ProposalMessage, VotesMessage
from alatau.consensus.records import OwnVoteRecord, SignState, SignStep
from alatau.consensus.signing import sign_step
from alatau.engine.disk_thread import DiskThread
from alatau.storage import wal as wal_module
from alatau.storage.disk import Batch, Disk
from alatau.storage.errors import WriteFailedError
from alatau.storage.sign_state import SignStateFile
from alatau.types.vote import Proposal, Vote, VoteKind
from tests.support.local_nodes import (
    Hub,
    LocalNode,
    local_genesis,
    opened_node,
    running_node,
    wait_for_height,
)
from tests.support.small_network import VALIDATORS, SmallNetwork, build, commit_for, payment

VOTE = Vote(VoteKind.PREVOTE, 1, 0, None, VALIDATORS[0].address, bytes(65))
STATE = SignState(1, 0, SignStep.PREVOTE, bytes(32))
RECORD = OwnVoteRecord(VOTE, -1, None, -1, None)


class HeldDisk(Disk):
    """A disk that answers nothing until it is let go."""

    def __init__(self) -> None:
        self.holds = False
        self.asked = 0
        self.let_go = threading.Event()
        self.gave_up = False
        """Nobody let it go: the loop stood still meanwhile."""

    def _work(self) -> None:
        if self.holds:
            self.asked += 1
            self.gave_up |= not self.let_go.wait(10)

    def write(self, descriptor: int, data: bytes, offset: int) -> None:
        """Held."""
        self._work()
        super().write(descriptor, data, offset)

    def write_batch(self, batch: Batch) -> None:
        """Held."""
        self._work()
        super().write_batch(batch)

    def sync(self, descriptor: int) -> None:
        """Held."""
        self._work()
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        """Held."""
        self._work()
        super().truncate(descriptor, size)

    def sync_folder(self, folder: Path) -> None:
        """Held."""
        self._work()
        super().sync_folder(folder)


@asynccontextmanager
async def held_node(folder: Path) -> AsyncIterator[tuple[LocalNode, HeldDisk]]:
    """A node that is not started, on a disk that may be held."""
    disk = HeldDisk()
    async with opened_node(VALIDATORS[0], local_genesis(), folder, Hub(), disk) as node:
        yield node, disk


def decided(node: LocalNode) -> DoCommit:
    """A block that the network decided and this node has executed."""
    network = SmallNetwork(local_genesis(), node.view.tip, node.view.validators[1], node.domain)
    executed = build(network, [payment(0)]).executed
    node.engine._c.production._keep(executed)
    return DoCommit(executed.block, commit_for(network, executed.block))


WAITING: dict[str, Callable[[LocalNode], Effect]] = {
    "sign state": lambda _: DoRecordSignState(STATE),
    "log reset": lambda _: DoResetLog(2),
    "log rewritten": lambda _: DoRewriteLog((RECORD,)),
    "log crowded": lambda _: DoPersist(RECORD),
    "commit": decided,
}


@pytest.mark.trio
@pytest.mark.parametrize("what", WAITING)
async def test_the_loop_goes_on_while_the_disk_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Every effect that waits for the disk leaves the loop to the others: it ticks until they let the disk go."""
    monkeypatch.setattr(wal_module, "_PENDING_BYTES_MAX", 10)
    async with held_node(tmp_path) as (node, disk), trio.open_nursery() as nursery:
        effect = WAITING[what](node)
        disk.holds = True
        nursery.start_soon(node.engine._perform, effect)
        with trio.fail_after(20):
            while not disk.asked:
                await trio.lowlevel.checkpoint()
            for _ in range(100):
                await trio.lowlevel.checkpoint()
        disk.let_go.set()
    assert not disk.gave_up


@pytest.mark.trio
async def test_the_parent_is_read_while_a_block_is_written(tmp_path: Path) -> None:
    """Calls that are served meanwhile see the tip before; then, at once, the whole of the new one."""
    async with held_node(tmp_path) as (node, disk), trio.open_nursery() as nursery:
        effect = decided(node)
        disk.holds = True
        nursery.start_soon(node.engine._perform, effect)
        while not disk.asked:
            await trio.lowlevel.checkpoint()
        assert node.view.height == 0
        assert node.store.block(1) is None
        disk.let_go.set()
    assert node.view.height == 1
    assert node.store.block(1) == effect.block


@pytest.mark.trio
async def test_a_cancelled_owner_finishes_what_the_disk_has_begun(tmp_path: Path) -> None:
    """The node is told to stop in the midst of an fsync: it waits for its end, and the file is whole."""
    async with held_node(tmp_path) as (node, disk):
        disk.holds = True
        ended = trio.Event()

        async def owner() -> None:
            with trio.CancelScope() as scope:
                nursery.start_soon(cancel_at_the_disk, scope)
                await node.engine._perform(DoPersist(RECORD))
                await node.engine._perform(DoRecordSignState(STATE))
            ended.set()

        async def cancel_at_the_disk(scope: trio.CancelScope) -> None:
            while not disk.asked:
                await trio.lowlevel.checkpoint()
            scope.cancel()
            for _ in range(20):
                await trio.lowlevel.checkpoint()
                assert not ended.is_set(), "the owner is gone, but its thread still writes"
            disk.let_go.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(owner)
        assert SignStateFile.open(tmp_path / "sign_state.json").last == STATE


class BrokenDisk(Disk):
    """A disk that fails from a moment on."""

    broken = False

    def sync(self, descriptor: int) -> None:
        """Fail while broken."""
        if self.broken:
            raise OSError(errno.EIO, "Input/output error")
        super().sync(descriptor)


@pytest.mark.trio
async def test_a_disk_that_fails_stops_the_node_before_anything_is_said(tmp_path: Path) -> None:
    """The error comes out of the thread as it is, and what follows in the list is not done."""
    disk = BrokenDisk()
    async with opened_node(VALIDATORS[0], local_genesis(), tmp_path, Hub(), disk) as node:
        said: list[Message] = []
        node.peers.broadcast = said.append  # type: ignore[method-assign]
        effects = (DoPersist(RECORD), DoRecordSignState(STATE), DoBroadcast(VotesMessage((VOTE,))))
        disk.broken = True
        node.engine._c.consensus.step = lambda *_: effects  # type: ignore[method-assign]
        with pytest.raises(WriteFailedError):
            await node.engine._step(InTransactionsAvailable())
        assert said == []


@dataclass(slots=True)
class Durable:
    """What a loss of power would leave."""

    log: bytes = b""
    sign_state: bytes = b""


class RecordingDisk(Disk):
    """A slow disk that remembers what of the log and the sign state is durable."""

    def __init__(self) -> None:
        self.durable = Durable()
        self._replaced: tuple[Path, bytes] | None = None

    def sync(self, descriptor: int) -> None:
        """Take a while, then note the log."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        data = path.read_bytes()
        time.sleep(0.002)
        super().sync(descriptor)
        if path.name == "consensus.wal":
            self.durable.log = data

    def replace(self, source: Path, target: Path) -> None:
        """Not durable before its folder is."""
        super().replace(source, target)
        self._replaced = (target, target.read_bytes())

    def sync_folder(self, folder: Path) -> None:
        """Take a while, then note the sign state."""
        time.sleep(0.002)
        super().sync_folder(folder)
        if self._replaced is not None and self._replaced[0].name == "sign_state.json":
            self.durable.sign_state = self._replaced[1]

    def last_signed(self, scratch: Path) -> tuple[int, int, int]:
        """Height, round and step of the sign state that a loss of power would leave."""
        scratch.write_bytes(self.durable.sign_state)
        last = SignStateFile.open(scratch).last
        assert last is not None
        return last.height, last.round, last.step


@pytest.mark.trio
async def test_no_signature_leaves_before_log_and_sign_state_are_durable(tmp_path: Path) -> None:
    """Of every message of a validator on a slow disk, through some heights, both were durable when it left."""
    disk, hub, genesis = RecordingDisk(), Hub(), local_genesis()
    checked = {"votes": 0, "proposals": 0}
    async with (
        running_node(VALIDATORS[1], genesis, tmp_path / "1", hub) as second,
        running_node(VALIDATORS[2], genesis, tmp_path / "2", hub) as third,
        opened_node(VALIDATORS[0], genesis, tmp_path / "0", hub, disk) as first,
        trio.open_nursery() as nursery,
    ):
        send = first.peers.broadcast

        def check(signed: Vote | Proposal) -> None:
            assert (signed.height, signed.round, sign_step(signed)) <= disk.last_signed(tmp_path / "scratch.json")
            assert signed.signature in disk.durable.log

        def checking(message: Message) -> None:
            match message:
                case VotesMessage(votes):
                    for vote in votes:
                        if vote.validator == first.key.address:
                            checked["votes"] += 1
                            check(vote)
                case ProposalMessage(proposal=proposal) if proposal.proposer == first.key.address:
                    checked["proposals"] += 1
                    check(proposal)
                case _:
                    pass
            send(message)

        first.peers.broadcast = checking  # type: ignore[method-assign]
        await nursery.start(first.engine.run, first.records)
        hub.join(first.peers)
        await wait_for_height([first, second, third], 6)
        hub.leave(first.peers)
        nursery.cancel_scope.cancel()
    assert checked["votes"] >= 12
    assert checked["proposals"] >= 1


@pytest.mark.trio
async def test_the_disk_does_one_thing_at_a_time() -> None:
    """Two that are asked for together are done one after the other."""
    running, at_once = 0, 0

    def work() -> None:
        nonlocal running, at_once
        running += 1
        at_once = max(at_once, running)
        time.sleep(0.05)  # long enough for another thread to begin, if it may
        running -= 1

    disk = DiskThread()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(disk.run, work)
    assert at_once == 1
