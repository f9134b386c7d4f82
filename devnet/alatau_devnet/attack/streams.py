"""Attacks with streams: opened and left alone, or opened and not read."""

from collections import Counter
from typing import Final

import trio

from alatau.client.exchange import METHODS
from alatau.pb.api.v1 import block_pb2, block_service_pb2
from alatau.transport.channel import Channel, Stream
from alatau_devnet.attack.calls import SOURCES, keep_trying
from alatau_devnet.attack.scene import Scene

_SLOW: Final = 500
_IDLE: Final = 1_000
_PAUSE_S: Final = 1.0
"""After a stream was refused or ended. The node says five seconds."""


async def slow_streams(scene: Scene, seconds: float) -> object:
    """500 subscriptions to whole blocks from genesis on, whose messages nobody reads."""
    return await keep_trying(scene, seconds, SOURCES[:1], _SLOW, _subscribe_unread, _PAUSE_S)


async def idle_streams(scene: Scene, seconds: float) -> object:
    """1,000 submit streams, from four addresses, on which nothing is sent."""
    return await keep_trying(scene, seconds, SOURCES, _IDLE // len(SOURCES), _submit_nothing, _PAUSE_S)


async def _subscribe_unread(channel: Channel, events: Counter[str]) -> None:
    request = block_service_pb2.SubscribeBlocksRequest(from_height=0, view=block_pb2.BLOCK_VIEW_FULL)
    async with channel.stream(METHODS["SubscribeBlocks"], request) as stream:
        await anext(stream)
        events["opened"] += 1
        await trio.sleep_forever()


async def _submit_nothing(channel: Channel, events: Counter[str]) -> None:
    stream: Stream
    async with channel.stream(METHODS["SubmitTransactions"]) as stream:
        events["opened"] += 1
        await anext(stream)
