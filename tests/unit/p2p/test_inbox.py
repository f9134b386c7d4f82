"""Whatever a peer sends, from its bytes to the engine: it is taken, or refused with a reason."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Any

import trio
from hypothesis import given
from hypothesis import strategies as st

from alatau.p2p.handshake import read_hello
from alatau.p2p.methods import CONSENSUS, FETCH_BLOCKS, Lane, within_bounds
from alatau.transport.errors import MalformedMessageError, RpcError
from alatau.transport.messages import parse
from alatau.types.block import last
from alatau.wire.bounds import WireError
from alatau.wire.sync import read_committed, read_range, write_committed, write_range
from tests.support.ministries import CHAIN
from tests.support.peer_messages import COMMIT, FULL_BLOCK, PEER, SAID, Receiver, changed


@st.composite
def messages(draw: st.DrawFn) -> tuple[Lane, bytes]:
    """A lane, and what may come on it."""
    lane, data = draw(st.sampled_from(SAID))
    if draw(st.booleans()):
        return lane, draw(changed(data))
    return draw(st.sampled_from(list(Lane))), draw(st.binary(max_size=200))


@given(sent=st.lists(messages(), max_size=8))
def test_whatever_bytes_a_peer_sends_are_taken_or_refused(sent: list[tuple[Lane, bytes]]) -> None:
    """On every lane, whatever came before; what is refused has a reason, and nothing piles up."""

    async def main() -> None:
        receiver = Receiver()
        for lane, data in sent:
            try:
                await receiver.take(lane, data)
            except (MalformedMessageError, WireError) as error:
                assert error.reason.isidentifier()  # noqa: PT017
            await receiver.drain()
            assert receiver.inbox.events.waiting(PEER.peer_id) == 0
            assert len(receiver.gossip._bits) == 1
            assert receiver.session.height < 2**64

    trio.run(main)


@given(data=st.sampled_from([data for _, data in SAID]).flatmap(changed) | st.binary(max_size=200))
def test_whatever_comes_first_is_a_hello_or_refused(data: bytes) -> None:
    """With an error that can be told to the peer."""

    async def stream() -> AsyncIterator[Any]:
        yield parse(CONSENSUS.request, data, within_bounds)

    async def main() -> None:
        async with aclosing(stream()) as messages_:
            with suppress(RpcError):
                assert await read_hello(messages_, CHAIN, 1.0)

    trio.run(main)


def _answered(data: bytes) -> None:
    last(read_committed(parse(FETCH_BLOCKS.response, data, within_bounds)))


def _asked(data: bytes) -> None:
    read_range(parse(FETCH_BLOCKS.request, data, within_bounds))


BLOCKS = write_committed(FULL_BLOCK, COMMIT).SerializeToString()


@given(
    read=st.sampled_from([_answered, _asked]),
    data=st.sampled_from([BLOCKS, write_range(1, 10).SerializeToString()]).flatmap(changed) | st.binary(max_size=200),
)
def test_whatever_is_asked_or_answered_in_catching_up_is_read_or_refused(
    read: Callable[[bytes], None], data: bytes
) -> None:
    """Blocks, commits and ranges."""
    with suppress(MalformedMessageError, WireError):
        read(data)


def test_every_kind_of_message_is_among_those_that_are_changed() -> None:
    """A new kind has to be added here; and as they are, all are taken, but for a second hello."""
    envelope = {field.name for field in CONSENSUS.request.DESCRIPTOR.fields}
    assert {
        CONSENSUS.request.FromString(data).WhichOneof("message") for lane, data in SAID if lane is Lane.CONSENSUS
    } == envelope

    async def main() -> None:
        for lane, data in SAID[1:]:
            receiver = Receiver()
            await receiver.take(lane, data)
            await receiver.drain()

    trio.run(main)
