"""All services of a node over TLS, as a client meets them."""

from contextlib import AsyncExitStack

import pytest

from alatau.client import RpcError
from alatau.client.exchange import METHODS
from alatau.pb.api.v1 import block_service_pb2
from alatau.rpc.limits import Limits, with_streams
from alatau.transport.holdings import held_bytes_for
from alatau.transport.limits import Limits as ListenerLimits
from tests.support.solo_node import MERCHANT, RESIDENT, SoloNode, running


@pytest.mark.trio
async def test_a_transfer_becomes_final(node: SoloNode) -> None:
    """A client sends ether over TLS and gets the receipt once the transfer is final."""
    async with running(node, produce=True) as served, served.connect() as client:
        wallet = await client.wallet(RESIDENT)
        receipt = await client.transfer(wallet, MERCHANT.address, 5)
        assert receipt.succeeded
        assert receipt.position.height == 1
        assert await client.balance(MERCHANT.address) == 10**18 + 5


def test_whoever_has_every_stream_and_every_wait_has_calls_left() -> None:
    """However many streams an operator configures."""
    for streams in (1, 512, 100_000):
        limits = with_streams(streams, 4 << 20)
        assert limits.streams_max == streams
        assert limits.calls_each_max >= limits.streams_max + limits.waits_max + 1_536
        assert limits.calls_max >= limits.calls_each_max + 4_096
    assert held_bytes_for(8_192, 4 << 20) == ListenerLimits().held_bytes_max


@pytest.mark.trio
async def test_a_bank_behind_one_address_has_all_streams_and_still_asks(node: SoloNode) -> None:
    """The documented 512 streams over three connections, one more refused with the time to wait, and a status."""
    node.commit_block()
    request = block_service_pb2.SubscribeBlocksRequest()
    listener = ListenerLimits(
        concurrent_calls_max=Limits().calls_max, concurrent_calls_per_peer_max=Limits().calls_each_max
    )
    async with running(node, listener_limits=listener) as served, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(served.connect()) for _ in range(3)]
        for number in range(512):
            channel = clients[number % 3]._channel
            stream = await stack.enter_async_context(channel.stream(METHODS["SubscribeBlocks"], request))
            assert (await anext(stream)).height == 1
        with pytest.raises(RpcError, match="TOO_MANY_CALLS") as caught:
            async with clients[0]._channel.stream(METHODS["SubscribeBlocks"], request) as stream:
                await anext(stream)
        assert caught.value.retry_after_s
        assert caught.value.metadata["limit"] == "512"
        assert (await clients[0].status()).height == 1
