"""Whole networks of peers on loopback: real keys, real TLS, real gRPC."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import trio

from alatau.consensus.inputs import InMessage, InPeerConnected, InPeerDisconnected
from alatau.consensus.messages import (
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.p2p.handshake import ChainId
from alatau.p2p.network import Network
from alatau.transport.certificates import issue_identity
from alatau.transport.errors import RpcError
from alatau.transport.server import PortInUseError
from alatau.types.vote import Proposal, Vote, VoteKind
from tests.support.ministries import CHAIN, QUICK, Blocks, Node, ministry
from tests.support.waiting import eventually

Drive = Callable[[Callable[[], Awaitable[None]]], None]


async def mesh(stack: AsyncExitStack, nodes: list[Node]) -> list[Network]:
    """Start all nodes and wait until each has a session with each other."""
    networks = [await stack.enter_async_context(node.running([])) for node in nodes]
    for node, network in zip(nodes, networks, strict=True):
        network.set_members([other.member() for other in nodes if other is not node])
    await eventually(lambda: all(len(n.connected()) == len(nodes) - 1 for n in networks), "everybody connected")
    opened: list[int] = []
    while opened != (opened := [n.counters.sessions_opened for n in networks]):  # noqa: ASYNC110
        await trio.sleep(0.3)  # where both sides dialled, one session ends now, with what was queued on it
    return networks


async def heard(network: Network, kind: type) -> tuple[bytes, object]:
    """The next message of a kind, with who said it."""
    while True:
        event = await network.next_event()
        if isinstance(event, InMessage) and isinstance(event.message, kind):
            return event.peer, event.message


def vote(height: int = 5, round_: int = 0) -> Vote:
    """A vote that is right in form."""
    return Vote(VoteKind.PREVOTE, height, round_, b"h" * 32, b"v" * 20, b"s" * 65)


def test_four_ministries_find_each_other(drive: Drive) -> None:
    """One session for each pair, whoever dialled, and each knows where the others stand."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 5)]
        nodes[0].blocks = Blocks.of_height(3)
        async with AsyncExitStack() as stack:
            networks = await mesh(stack, nodes)
            await trio.sleep(0.2)
            assert [len(n.connected()) for n in networks] == [3] * 4
            dialed = sum(peer.dialed for n in networks for peer in n.peers())
            assert dialed == 6
            view = {peer.member.name: peer for peer in networks[1].peers()}
            assert view["ministry-1"].height == 3
            assert view["ministry-1"].agent.startswith("alatau/")
            assert view["ministry-3"].height == 0

    drive(main)


def test_every_kind_of_consensus_message_arrives_as_it_was(drive: Drive) -> None:
    """Broadcast to all, with the sender's validator address."""
    block, _ = Blocks.of_height(1).chain[0]
    proposal = Proposal(1, 2, block.hash, 1, 1_700_000_000_000, b"p" * 20, b"q" * 65)
    messages = [
        VotesMessage((vote(), replace(vote(), kind=VoteKind.PRECOMMIT, block_hash=None))),
        RoundCertificate(5, 3, (vote(5, 3),)),
        StatusMessage(6, 1, b"t" * 32),
        ProposalRequest(5, 3, b"h" * 32),
        ProposalRequest(5, 3, None),
        ProposalMessage(proposal, block, (vote(1, 1),)),
    ]

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 4)]
        async with AsyncExitStack() as stack:
            networks = await mesh(stack, nodes)
            for message in messages:
                networks[0].broadcast(message)
                for network in networks[1:]:
                    assert await heard(network, type(message)) == (nodes[0].address, message)

    drive(main)


def test_a_message_to_one_reaches_only_that_one(drive: Drive) -> None:
    """And a message to somebody who is not there goes nowhere, quietly."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 4)]
        async with AsyncExitStack() as stack:
            one, two, three = await mesh(stack, nodes)
            one.send(nodes[1].address, VotesMessage((vote(7),)))
            one.send(b"nobody" * 4, VotesMessage((vote(8),)))
            await heard(two, VotesMessage)
            await trio.sleep(0.1)
            assert three.counters.messages_in["VotesMessage"] == 0
            assert one.counters.messages_out["VotesMessage"] == 1

    drive(main)


def test_a_transaction_crosses_each_link_once(drive: Drive) -> None:
    """Whoever passes on what it got sends nothing to those who got it from the same hand."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 5)]
        transactions = tuple(bytes([number]) * 150 for number in range(1, 101))
        async with AsyncExitStack() as stack:
            networks = await mesh(stack, nodes)
            networks[0].gossip_transactions(transactions)
            for network in networks[1:]:
                peer_id, received = await network.next_transactions()
                assert (peer_id, received) == (nodes[0].address, transactions)
                network.gossip_transactions(received)
            await trio.sleep(0.2)
            assert [n.counters.transactions_out for n in networks] == [300, 0, 0, 0]
            assert [n.counters.transactions_duplicate for n in networks] == [0, 0, 0, 0]

    drive(main)


def test_a_transaction_is_passed_on_to_who_was_not_reached(drive: Drive) -> None:
    """Between nodes that are not connected to each other it goes through one that is connected to both."""

    async def main() -> None:
        left, middle, right = (ministry(number) for number in range(1, 4))
        async with left.running([]) as a, middle.running([]) as b, right.running([]) as c:
            a.set_members([middle.member()])
            c.set_members([middle.member()])
            b.set_members([left.member(), right.member()])
            await eventually(lambda: len(b.connected()) == 2 and a.connected() and c.connected(), "all know it")
            a.gossip_transactions([b"x" * 150])
            _, received = await b.next_transactions()
            b.gossip_transactions(received)
            assert await c.next_transactions() == (middle.address, (b"x" * 150,))
            await trio.sleep(0.1)
            assert a.counters.transactions_duplicate == 0

    drive(main)


def test_what_waits_in_the_pool_goes_to_a_peer_that_has_just_come(drive: Drive) -> None:
    """Whatever it had shown before: it may have lost it."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 3)]
        async with AsyncExitStack() as stack:
            one, two = await mesh(stack, nodes)
            two.gossip_transactions([b"x" * 150])
            await one.next_transactions()
            one.send_transactions(nodes[1].address, [b"x" * 150, b"y" * 150])
            _, received = await two.next_transactions()
            assert b"y" * 150 in received

    drive(main)


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (replace(CHAIN, genesis_hash=bytes(32)), "WRONG_GENESIS"),
        (replace(CHAIN, genesis_file_hash=bytes(32)), "WRONG_GENESIS_FILE"),
        (replace(CHAIN, chain_id=1), "WRONG_CHAIN"),
    ],
)
def test_a_node_of_another_chain_is_refused_with_a_reason(drive: Drive, other: ChainId, reason: str) -> None:
    """Both sides know why, nothing else passes, and the dialler does not hammer."""

    async def main() -> None:
        here, there = ministry(1), ministry(2)
        async with here.running([]) as one, there.running([], chain=other) as two:
            one.set_members([there.member()])
            two.set_members([here.member()])
            await eventually(
                lambda: one.peers()[0].last_end == reason and two.peers()[0].last_end == reason, "both know why"
            )
            await trio.sleep(0.3)
            assert one.connected() == two.connected() == ()
            tries = one.counters.dials_failed[reason] + two.counters.dials_failed[reason]
            assert 1 <= tries <= 16

    drive(main)


def test_a_node_knows_who_keeps_it_out_and_why(drive: Drive) -> None:
    """Whichever side dials; until it is let in again. The one that bans says nothing of the kind of itself."""

    async def main() -> None:
        nodes, slow = [ministry(1), ministry(2)], replace(QUICK, ban_s=1.0)  # longer than whose turn it is not waits
        async with nodes[0].running([], settings=slow) as first, nodes[1].running([], settings=slow) as second:
            first.set_members([nodes[1].member()])
            second.set_members([nodes[0].member()])
            await eventually(lambda: first.connected() and second.connected(), "they meet")
            for one, two in ((first, second), (second, first)):
                one.report(one.peers()[0].member.peer_id, "BAD_TRANSACTION")
                await eventually(lambda two=two: two.peers()[0].keeps_us_out == "BAD_TRANSACTION", "it knows")
                assert one.peers()[0].keeps_us_out == ""
                await eventually(lambda: first.connected() and second.connected(), "they meet again")
                assert two.peers()[0].keeps_us_out == ""
                assert two.alone_s() == 0

    drive(main)


def test_a_node_that_comes_back_is_found_again(drive: Drive) -> None:
    """The others hear that it disconnected and connected, and talk to it again."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 4)]
        async with AsyncExitStack() as stack:
            one, two = await mesh(stack, nodes[:2])
            async with nodes[2].running([node.member() for node in nodes[:2]]) as three:
                for network in (one, two):
                    network.set_members([node.member() for node in nodes])
                await eventually(lambda: len(three.connected()) == 2, "the third is connected")
                while await one.next_event() != InPeerConnected(nodes[2].address):
                    pass
            assert await one.next_event() == InPeerDisconnected(nodes[2].address)
            assert one.connected() == (nodes[1].address,)
            async with nodes[2].running([node.member() for node in nodes[:2]]) as three:
                assert await one.next_event() == InPeerConnected(nodes[2].address)
                await eventually(lambda: len(three.connected()) == 2, "the third is connected again")
                one.broadcast(VotesMessage((vote(9),)))
                assert await heard(three, VotesMessage) == (nodes[0].address, VotesMessage((vote(9),)))

    drive(main)


def test_a_member_that_is_removed_loses_its_session_at_once(drive: Drive) -> None:
    """And cannot come back; the rest stays connected."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 4)]
        async with AsyncExitStack() as stack:
            networks = await mesh(stack, nodes)
            for network, node in zip(networks[:2], nodes[:2], strict=True):
                network.set_members([other.member() for other in nodes[:2] if other is not node])
            await eventually(lambda: networks[2].connected() == (), "the removed one is alone")
            await trio.sleep(0.3)
            assert networks[2].connected() == ()
            assert networks[0].connected() == (nodes[1].address,)
            assert networks[1].connected() == (nodes[0].address,)

    drive(main)


@pytest.mark.parametrize("remover_dialed", [True, False])
@pytest.mark.parametrize("how", ["removed", "banned"])
def test_a_peer_hears_why_its_session_ends_whoever_dialled(drive: Drive, how: str, *, remover_dialed: bool) -> None:
    """Removed from the registry, or banned: the reason reaches the other side, which shows and counts it."""

    async def main() -> None:
        one, two = ministry(1), ministry(2)
        async with one.running([]) as here, two.running([]) as there:
            if remover_dialed:
                there.set_members([replace(one.member(), endpoint="")])
                here.set_members([two.member()])
            else:
                here.set_members([replace(two.member(), endpoint="")])
                there.set_members([one.member()])
            await eventually(lambda: len(here.connected()) == len(there.connected()) == 1, "connected")
            assert here.peers()[0].dialed is remover_dialed
            if how == "removed":
                here.set_members([])
                reason = "KEY_NOT_TRUSTED"
            else:
                here.report(two.address, reason := "bad_block")
            await eventually(lambda: there.counters.sessions_ended[reason] == 1, "the other side knows why")
            assert here.counters.sessions_ended[reason] == 1
            if how == "removed" and not remover_dialed:
                await eventually(lambda: there.counters.dials_failed.total() >= 1, "it was refused")
                assert there.peers()[0].last_end == "KEY_NOT_TRUSTED"

    drive(main)


def test_a_member_that_rotates_its_key_is_the_same_peer_with_the_new_key_only(drive: Drive) -> None:
    """The session on the old key ends; one on the new key begins, under the same validator address."""

    async def main() -> None:
        one, two, rotated = ministry(1), ministry(2), ministry(2)
        async with one.running([]) as network:
            async with two.running([one.member()]) as before:
                network.set_members([two.member()])
                await eventually(lambda: len(before.connected()) == 1, "connected")
                network.set_members([replace(rotated.member(), endpoint="")])
                await eventually(lambda: network.connected() == (), "the old key is out")
            async with rotated.running([one.member()]):
                await eventually(lambda: network.connected() == (rotated.address,), "the new key is in")

    drive(main)


def test_a_certificate_renewed_on_the_same_key_changes_nothing(drive: Drive) -> None:
    """Sessions go on, and new ones show the new certificate."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 3)]
        async with AsyncExitStack() as stack:
            one, two = await mesh(stack, nodes)
            opened = one.counters.sessions_opened
            renewed = issue_identity(nodes[0].identity.key_pem, "ministry-1")
            one._identity.renew(renewed)
            await trio.sleep(0.1)
            assert one.counters.sessions_opened == opened
            two._table.sessions[nodes[0].address].end("TEST")
            await eventually(lambda: two.counters.sessions_opened == 2, "a new session")
            await eventually(lambda: len(one.connected()) == 1, "on both sides")

    drive(main)


def test_a_peer_that_is_reported_is_kept_out_for_a_while(drive: Drive) -> None:
    """Then it may come back: its operator may have repaired it."""

    async def main() -> None:
        nodes = [ministry(number) for number in range(1, 3)]
        async with AsyncExitStack() as stack:
            one, two = await mesh(stack, nodes)
            one.report(nodes[1].address, "signature")
            assert one.counters.bans["signature"] == 1
            await eventually(lambda: one.connected() == two.connected() == (), "gone")
            await trio.sleep(QUICK.ban_s / 2)
            assert one.connected() == ()
            await eventually(lambda: len(one.connected()) == 1, "back")

    drive(main)


def test_two_nodes_that_dial_each_other_at_once_end_with_one_session(drive: Drive) -> None:
    """Again and again, whatever the order in which the two connections come up."""

    async def main() -> None:
        one, two = ministry(1), ministry(2)
        async with one.running([]) as a, two.running([]) as b:

            def one_session() -> bool:
                ours, theirs = a._table.sessions.get(two.address), b._table.sessions.get(one.address)
                return ours is not None and theirs is not None and ours.dialed is not theirs.dialed

            for _ in range(10):
                a.set_members([replace(two.member(), endpoint="")])  # so that only the test dials
                b.set_members([replace(one.member(), endpoint="")])
                a_dial, b_dial = a._dialer.dial, b._dialer.dial
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(quietly, a_dial, two.member())
                    nursery.start_soon(quietly, b_dial, one.member())
                    # For a moment each side may hold the other connection: then one of the two is refused or replaced.
                    await eventually(one_session, "one session")
                    nursery.cancel_scope.cancel()
                a.set_members([])
                b.set_members([])
                await eventually(lambda: a.connected() == b.connected() == (), "apart")

    drive(main)


async def quietly(dial: Callable[..., Awaitable[None]], member: object) -> None:
    """Dial, and take a refusal for an answer."""
    try:
        await dial(member)
    except RpcError as error:
        assert error.reason in {"DUPLICATE_SESSION", "UNAVAILABLE", "CANCELLED", "KEY_NOT_TRUSTED"}  # noqa: PT017


def test_a_port_in_use_is_said_so(drive: Drive) -> None:
    """Not wrapped into a group: the command line prints it."""

    async def main() -> None:
        one, two = ministry(1), ministry(2)
        async with one.running([]):
            two.port = one.port
            with pytest.raises(BaseException) as caught:  # noqa: PT011
                async with two.running([]):
                    pass
            error = caught.value
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            assert isinstance(error, PortInUseError)

    drive(main)


def test_a_lone_validator_runs(drive: Drive) -> None:
    """Nobody to talk to is no error."""

    async def main() -> None:
        async with ministry(1).running([]) as network:
            network.broadcast(VotesMessage((vote(),)))
            network.gossip_transactions([b"x" * 100])
            await trio.sleep(0.05)
            assert network.connected() == ()
            assert network.peers() == ()

    drive(main)
