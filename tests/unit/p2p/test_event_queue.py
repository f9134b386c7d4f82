"""Whose message the engine hears next."""

import pytest
import trio
import trio.testing

from alatau.consensus.inputs import InMessage, InPeerConnected, InPeerDisconnected, PeerEvent
from alatau.consensus.messages import StatusMessage, VotesMessage
from alatau.p2p.event_queue import TURN, EventQueue
from alatau.types.vote import Vote, VoteKind

A, B, C = b"a" * 20, b"b" * 20, b"c" * 20
DECIDING = 7


def votes(peer: bytes, count: int = 1, height: int = DECIDING) -> InMessage:
    """So many votes of a peer."""
    vote = Vote(VoteKind.PREVOTE, height, 0, None, b"v" * 20, b"s" * 65)
    return InMessage(peer, VotesMessage((vote,) * count))


def queue(units_max: int = 1_000) -> EventQueue:
    """At height 7."""
    return EventQueue(units_max, lambda: DECIDING)


async def fill(waiting: EventQueue, *events: PeerEvent) -> None:
    """Put events, each at the cost of its votes."""
    for event in events:
        await waiting.put(event, len(event.message.votes) if isinstance(event, InMessage) else 1)  # type: ignore[union-attr]


async def heard(waiting: EventQueue, count: int) -> list[bytes]:
    """Whose the next events are."""
    return [(await waiting.get()).peer for _ in range(count)]


def test_a_peer_that_says_much_holds_nobody_up() -> None:
    """After a turn of the loud one the quiet one is heard, whatever waits before it."""

    async def main() -> None:
        waiting = queue()
        await fill(waiting, *[votes(A)] * 900, votes(B))
        assert B in await heard(waiting, TURN + 1)

    trio.run(main)


def test_turns_are_fair_by_votes_and_not_by_messages() -> None:
    """Of two that say all the time, one in large messages, each has half of the checks."""

    async def main() -> None:
        waiting = queue(10_000)
        await fill(waiting, *[votes(A, 500)] * 8, *[votes(B)] * 4_000)
        checks = {A: 0, B: 0}
        while checks[A] < 3_000:
            event = await waiting.get()
            assert isinstance(event, InMessage)
            assert isinstance(event.message, VotesMessage)
            checks[event.peer] += len(event.message.votes)
        assert 2_000 <= checks[B] <= 3_500

    trio.run(main)


def test_what_is_about_the_height_being_decided_goes_first() -> None:
    """Of any peer, before what others say of other heights; and a peer that connects is told at once."""

    async def main() -> None:
        waiting = queue()
        await fill(waiting, *[votes(A, 1, 99)] * 10, *[votes(B, 1, 99)] * 10, votes(C), votes(C), InPeerConnected(b"d"))
        assert set(await heard(waiting, 3)) == {C, b"d"}
        assert sorted(await heard(waiting, 20)) == [A] * 10 + [B] * 10

    trio.run(main)


def test_what_a_peer_said_keeps_its_order() -> None:
    """Also against its connection and disconnection."""

    async def main() -> None:
        waiting = queue()
        events = [InPeerConnected(A), votes(A, 2), votes(A, 3, 99), votes(A, 1), InPeerDisconnected(A)]
        await fill(waiting, *events)
        assert [await waiting.get() for _ in events] == events

    trio.run(main)


def test_a_full_line_makes_its_own_peer_wait() -> None:
    """Until something of it is taken; another peer's is put at once."""

    async def main() -> None:
        waiting = queue(units_max=4)
        await fill(waiting, *[votes(A)] * 4)
        put = trio.Event()

        async def one_more() -> None:
            await fill(waiting, votes(A))
            put.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(one_more)
            await trio.testing.wait_all_tasks_blocked()
            assert not put.is_set()
            await fill(waiting, votes(B))
            assert waiting.waiting(A) == 4
            while A not in await heard(waiting, 1):
                pass
            await put.wait()
            assert waiting.waiting(A) == 4

    trio.run(main)


def test_an_empty_line_takes_a_message_of_any_size() -> None:
    """Otherwise it would wait for ever."""

    async def main() -> None:
        waiting = queue(units_max=4)
        await fill(waiting, votes(A, 500))
        assert await heard(waiting, 1) == [A]
        assert waiting.waiting(A) == 0

    trio.run(main)


@pytest.mark.parametrize("first", [True, False])
def test_the_taker_waits_for_the_first(*, first: bool) -> None:
    """Whoever comes earlier."""

    async def main() -> None:
        waiting, taken = queue(), []

        async def take() -> None:
            taken.append(await waiting.get())

        async with trio.open_nursery() as nursery:
            if first:
                nursery.start_soon(take)
                await trio.testing.wait_all_tasks_blocked()
            await waiting.put(InMessage(A, StatusMessage(DECIDING, 0, bytes(32))), 1)
            if not first:
                nursery.start_soon(take)
        assert [event.peer for event in taken] == [A]

    trio.run(main)
