"""A validator that starts on a chain: it hears where the network stands before it signs."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import structlog.testing
import trio

from alatau.consensus.inputs import InMessage, InPeerConnected, InPeerDisconnected, InTransactionsAvailable
from alatau.consensus.messages import Message, ProposalMessage, StatusMessage, VotesMessage
from alatau.consensus.signing import Silence, sign_step
from alatau.engine import joining as joining_module
from alatau.engine.block_sync import Fetched
from alatau.engine.joining import Event, Joining
from alatau.types.validator import validator_set
from alatau.types.vote import Proposal, Vote
from tests.support.local_nodes import (
    Hub,
    LocalNode,
    local_genesis,
    opened_node,
    running_node,
    wait_for_height,
)
from tests.support.small_network import VALIDATORS

ME = VALIDATORS[3]
Place = tuple[int, int, int]


class Signed:
    """Everything that the validator said in all its lives."""

    def __init__(self) -> None:
        self.hashes: dict[Place, set[bytes | None]] = {}

    def listen(self, node: LocalNode) -> None:
        """Note what this life says to everybody."""
        send = node.peers.broadcast

        def noting(message: Message) -> None:
            match message:
                case VotesMessage(votes):
                    for vote in votes:
                        self._note(vote)
                case ProposalMessage(proposal=proposal):
                    self._note(proposal)
                case _:
                    pass
            send(message)

        node.peers.broadcast = noting  # type: ignore[method-assign]

    def _note(self, signed: Vote | Proposal) -> None:
        signer = signed.validator if isinstance(signed, Vote) else signed.proposer
        if signer == ME.address:
            place = (signed.height, signed.round, sign_step(signed))
            self.hashes.setdefault(place, set()).add(signed.block_hash)


@asynccontextmanager
async def one_life(folder: Path, hub: Hub, signed: Signed, *, connected: bool = True) -> AsyncIterator[LocalNode]:
    """The validator, from its start to its stop."""
    async with opened_node(ME, local_genesis(), folder, hub) as node, trio.open_nursery() as nursery:
        signed.listen(node)
        await nursery.start(node.engine.run, node.records)
        if connected:
            hub.join(node.peers)
        try:
            yield node
        finally:
            hub.leave(node.peers)
            nursery.cancel_scope.cancel()


async def until_joined(node: LocalNode) -> None:
    """At most 20 s."""
    with trio.fail_after(20):
        while not node.engine.joined:  # noqa: ASYNC110  a flag, looked at
            await trio.sleep(0.01)


@pytest.mark.trio
async def test_an_older_home_restored_signs_nothing_again(tmp_path: Path) -> None:
    """Sign state and chain are of one age, and both are old: alone it keeps silent, among its peers it finds out."""
    hub, signed, home = Hub(), Signed(), tmp_path / "home"
    async with AsyncExitStack() as stack:
        others = [
            await stack.enter_async_context(running_node(key, local_genesis(), tmp_path / str(n), hub))
            for n, key in enumerate(VALIDATORS[:2])  # With them every block needs our signature.
        ]
        async with one_life(home, hub, signed) as node:
            await wait_for_height([node], 3)
        shutil.copytree(home, tmp_path / "backup")
        async with one_life(home, hub, signed) as node:
            await wait_for_height([node, *others], node.view.height + 4)
        shutil.rmtree(home)
        shutil.copytree(tmp_path / "backup", home)
        before = {place: set(hashes) for place, hashes in signed.hashes.items()}
        async with one_life(home, hub, signed, connected=False) as node:
            old = node.view.height
            await trio.sleep(0.8)  # Two timeouts and eight heartbeats.
            assert not node.engine.joined
            assert signed.hashes == before, "it said something, all by itself"
            hub.join(node.peers)
            await until_joined(node)
            assert node.view.height >= old + 4
            await trio.sleep(0.5)
            view = node.engine._c.consensus.view()
            assert (view.silence, view.may_sign) == (Silence.NOT_ALLOWED, False)
        assert signed.hashes == before


@pytest.mark.trio
async def test_a_network_that_restarts_as_a_whole_goes_on(tmp_path: Path) -> None:
    """Those that wait tell each other where they stand; nobody waits for who is away."""
    hub, keys = Hub(), VALIDATORS[:3]
    reached = 0
    for _ in range(3):
        async with AsyncExitStack() as stack:
            nodes = [
                await stack.enter_async_context(running_node(key, local_genesis(), tmp_path / str(n), hub))
                for n, key in enumerate(keys)
            ]
            await wait_for_height(nodes, reached + 3)
            reached = max(node.view.height for node in nodes)


@pytest.mark.trio
async def test_who_claims_what_it_cannot_show_holds_nobody_up(tmp_path: Path) -> None:
    """It is asked once; with a quorum heard the node begins. What came meanwhile is kept for consensus, in order."""
    async with opened_node(ME, local_genesis(), tmp_path, Hub()) as node:
        asked: list[bytes] = []

        async def nothing_good(fetched: Fetched) -> bool:
            await trio.lowlevel.checkpoint()
            asked.append(fetched.peer)
            return False

        joining = Joining(node.view, node.peers, ME.address, nothing_good)
        send, receive = trio.open_memory_channel[Event](10)
        liar, first, second = (key.address for key in VALIDATORS[:3])
        events: list[Event] = [
            InPeerConnected(liar),
            InMessage(liar, StatusMessage(10**6, 0, bytes(32))),
            InMessage(first, StatusMessage(1, 0, bytes(32))),
            InMessage(liar, StatusMessage(10**7, 0, bytes(32))),
        ]
        for event in [InTransactionsAvailable(), *events]:
            send.send_nowait(event)
        with trio.fail_after(10):
            held = await joining.run(receive)
        assert asked == [liar]
        assert held == (*events[:3], InTransactionsAvailable())
        assert second not in joining._heights


# ---------------------------------------------------------------- one start, event by event

FIRST, SECOND, THIRD = (key.address for key in VALIDATORS[:3])


def decides(peer: bytes, height: int) -> Event:
    """A peer's status."""
    return InMessage(peer, StatusMessage(height, 0, bytes(32)))


class Start:
    """A joining on a chain at genesis, whose peers serve nothing, and what it did."""

    def __init__(self, node: LocalNode, monkeypatch: pytest.MonkeyPatch, validator: bytes = ME.address) -> None:
        self.fetched: list[tuple[bytes, int, bool]] = []
        """Whom it asked, from which height on, and whether it said that it was fetching meanwhile."""
        self.sent: list[tuple[bytes, Message]] = []
        self.joining = Joining(node.view, node.peers, validator, self._nothing_good)

        async def fetch_blocks(peer: bytes, height: int, _count: int) -> tuple[bytes, tuple[()]]:
            await trio.lowlevel.checkpoint()
            self.fetched.append((peer, height, self.joining.fetching))
            return peer, ()

        monkeypatch.setattr(node.peers, "fetch_blocks", fetch_blocks)
        monkeypatch.setattr(node.peers, "send", lambda peer, message: self.sent.append((peer, message)))

    async def _nothing_good(self, fetched: Fetched) -> bool:
        await trio.lowlevel.checkpoint()
        assert self.joining.fetching
        return bool(fetched.blocks)

    async def after(self, *events: Event) -> tuple[Event, ...] | None:
        """What it holds when it has begun; None where it waits for more."""
        send, receive = trio.open_memory_channel[Event](len(events))
        for event in events:
            send.send_nowait(event)
        send.close()
        try:
            return await self.joining.run(receive)
        except trio.EndOfChannel:
            return None


@pytest.mark.trio
async def test_a_start_waits_for_a_quorum_of_the_height_that_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for that of another height's set; it says once that it listens, and only what came is held."""
    async with opened_node(ME, local_genesis(), tmp_path, Hub()) as node:
        node.view.validators[2] = validator_set(node.view.validators[1].validators[:1])
        with structlog.testing.capture_logs() as logs:
            start = Start(node, monkeypatch)
            assert await start.after() is None
            assert await start.after(decides(FIRST, 1)) is None
            held = await start.after(decides(SECOND, 1))
        assert held == (decides(FIRST, 1), decides(SECOND, 1))
        assert start.fetched == []
        assert not start.joining.fetching
        assert [line["event"] for line in logs] == ["consensus.listening"] * 3, "once for each run"


@pytest.mark.trio
async def test_a_start_says_once_that_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many speak before enough have."""
    async with opened_node(ME, local_genesis(), tmp_path, Hub()) as node:
        start = Start(node, monkeypatch)
        with structlog.testing.capture_logs() as logs:
            assert await start.after(InPeerConnected(FIRST), InPeerConnected(SECOND), decides(FIRST, 1)) is None
        assert [(line["event"], line["validators"]) for line in logs] == [("consensus.listening", 0)]
        assert start.sent == [(peer, StatusMessage(1, 0, node.view.tip.hash)) for peer in (FIRST, SECOND)]


@pytest.mark.trio
async def test_who_is_no_validator_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It decides nothing that it could contradict."""
    async with opened_node(ME, local_genesis(), tmp_path, Hub()) as node:
        assert await Start(node, monkeypatch, validator=b"\x01" * 20).after() == ()


@pytest.mark.trio
async def test_who_is_one_block_ahead_is_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the block that is missing on; once, and again when it has connected anew."""
    async with opened_node(ME, local_genesis(), tmp_path, Hub()) as node:
        start = Start(node, monkeypatch)
        assert await start.after(decides(FIRST, 1), decides(FIRST, 2), decides(FIRST, 2)) is None
        assert start.fetched == [(FIRST, 1, True)]
        assert not start.joining.fetching
        assert await start.after(InPeerConnected(FIRST)) is None
        assert start.fetched == [(FIRST, 1, True)] * 2


@pytest.mark.trio
async def test_the_heights_of_a_bounded_number_of_peers_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those the latest; one more is not heard until somebody leaves."""
    monkeypatch.setattr(joining_module, "_HELD_MAX", 2)
    async with opened_node(ME, local_genesis(), tmp_path, Hub()) as node:
        joining = Start(node, monkeypatch).joining
        for peer, height in ((FIRST, 1), (SECOND, 1), (THIRD, 1), (FIRST, 3)):
            joining._note(decides(peer, height))
        assert joining._heights == {FIRST: 3, SECOND: 1}
        joining._note(InPeerDisconnected(SECOND))
        joining._note(decides(THIRD, 1))
        assert joining._heights == {FIRST: 3, THIRD: 1}
