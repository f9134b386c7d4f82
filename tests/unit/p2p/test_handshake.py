"""The first message each way."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import trio

from alatau.p2p.handshake import LASTING_REFUSALS, own_hello, read_hello
from alatau.transport.errors import RpcError
from alatau.wire.session import PROTOCOL_VERSION, Goodbye, Hello, write_session
from tests.support.ministries import CHAIN, Blocks


def said(*messages: Any) -> AsyncIterator[Any]:
    """A stream on which a peer says so much and then ends."""
    say, hear = trio.open_memory_channel[Any](len(messages))
    for message in messages:
        say.send_nowait(message)
    say.close()
    return hear


async def refused(hello: Hello) -> RpcError:
    """Why a hello is refused."""
    with pytest.raises(RpcError) as caught:
        await read_hello(said(write_session(hello)), CHAIN, 5.0)
    return caught.value


@pytest.mark.trio
async def test_nodes_of_one_chain_understand_each_other() -> None:
    """What one says first, the other reads: height and all."""
    hello = own_hello(CHAIN, Blocks.of_height(3))
    assert (hello.height, hello.protocol_version) == (3, PROTOCOL_VERSION)
    assert await read_hello(said(write_session(hello)), CHAIN, 5.0) == hello


@pytest.mark.trio
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"protocol_version": PROTOCOL_VERSION + 1}, "WRONG_PROTOCOL"),
        ({"chain_id": 1}, "WRONG_CHAIN"),
        ({"genesis_hash": bytes(32)}, "WRONG_GENESIS"),
        ({"genesis_file_hash": bytes(32)}, "WRONG_GENESIS_FILE"),
    ],
)
async def test_another_chain_is_refused_with_both_values(change: dict[str, Any], reason: str) -> None:
    """A lasting refusal: a retry in a moment changes nothing, and the operator reads what each side has."""
    hello = own_hello(CHAIN, Blocks())
    error = await refused(replace(hello, **change))
    assert error.reason == reason
    assert reason in LASTING_REFUSALS
    ((name, value),) = change.items()
    ours = getattr(hello, name)
    shown = [v.hex() if isinstance(v, bytes) else str(v) for v in (ours, value)]
    assert [error.metadata["expected"], error.metadata["found"]] == shown


@pytest.mark.trio
async def test_what_is_no_hello_is_refused() -> None:
    """Another message first, one that is none, or an end."""
    with pytest.raises(RpcError, match="the first message is a hello") as other:
        await read_hello(said(write_session(Goodbye("CLOSED", ""))), CHAIN, 5.0)
    assert other.value.reason == "HANDSHAKE_EXPECTED"
    cut = write_session(replace(own_hello(CHAIN, Blocks()), genesis_hash=bytes(31)))
    with pytest.raises(RpcError) as malformed:
        await read_hello(said(cut), CHAIN, 5.0)
    assert malformed.value.reason == "MALFORMED_MESSAGE"
    with pytest.raises(RpcError, match="before it said hello") as ended:
        await read_hello(said(), CHAIN, 5.0)
    assert ended.value.reason == "CLOSED"


@pytest.mark.trio
async def test_who_says_nothing_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    """A connection that is only held costs no more than the deadline."""
    _say, silent = trio.open_memory_channel[Any](0)
    with pytest.raises(RpcError) as late:
        await read_hello(silent, CHAIN, 5.0)
    assert (late.value.reason, trio.current_time()) == ("HANDSHAKE_TIMEOUT", 5.0)
