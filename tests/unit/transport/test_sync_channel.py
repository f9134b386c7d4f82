"""The channel for programs without an event loop."""

from pathlib import Path

import pytest
import trio

from alatau.client.exchange import METHODS
from alatau.pb.api.v1 import block_service_pb2, node_service_pb2
from alatau.transport.errors import RpcError
from alatau.transport.sync_channel import SyncChannel
from tests.support.solo_node import Running, running, solo_node


@pytest.mark.trio
async def test_a_channel_that_closes_ends_its_calls(tmp_path: Path) -> None:
    """A stream under way and a later call: closed on this side, not a node that does not answer."""

    def work(served: Running) -> list[str]:
        channel = SyncChannel(served.endpoint, served.tls)
        reasons = []
        with channel.server_stream(
            METHODS["SubscribeBlocks"], block_service_pb2.SubscribeBlocksRequest(from_height=0)
        ) as blocks:
            next(blocks)
            channel.close()
            for attempt in (
                lambda: next(blocks),
                lambda: channel.unary(METHODS["GetStatus"], node_service_pb2.GetStatusRequest()),
                lambda: channel.server_stream(
                    METHODS["SubscribeBlocks"], block_service_pb2.SubscribeBlocksRequest()
                ).__enter__(),
            ):
                with pytest.raises(RpcError) as caught:
                    attempt()
                reasons.append(caught.value.reason)
        return reasons

    node = solo_node(tmp_path)
    async with running(node) as served:
        assert await trio.to_thread.run_sync(work, served) == ["CHANNEL_CLOSED"] * 3
    node.store.close()
