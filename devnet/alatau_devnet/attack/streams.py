"""Attacks with streams: opened and left alone, or opened and not read."""

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final

import trio

from alatau.client import RpcError
from alatau.client.exchange import METHODS
from alatau.pb.api.v1 import block_pb2, block_service_pb2
from alatau.transport.channel import Channel, Stream
from alatau_devnet.attack.calls import SOURCES, channel_from
from alatau_devnet.attack.scene import Scene

_SLOW: Final = 500
_IDLE: Final = 1_000
_PAUSE_S: Final = 1.0
"""After a stream was refused or ended. The node says five seconds."""

Hold = Callable[[Channel, Counter[str]], Awaitable[None]]


async def slow_streams(scene: Scene, seconds: float) -> object:
    """500 subscriptions to whole blocks from genesis on, whose messages nobody reads."""
    return await _hold(scene, seconds, SOURCES[:1], _SLOW, _subscribe_unread)


async def idle_streams(scene: Scene, seconds: float) -> object:
    """1,000 submit streams, from four addresses, on which nothing is sent."""
    return await _hold(scene, seconds, SOURCES, _IDLE // len(SOURCES), _submit_nothing)


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


async def _hold(scene: Scene, seconds: float, sources: tuple[str, ...], count: int, hold: Hold) -> object:
    """Keep ``count`` streams open from each source, whatever the answers."""
    events: Counter[str] = Counter()

    async def loop(channel: Channel) -> None:
        while True:
            try:
                await hold(channel, events)
            except RpcError as error:
                events[error.reason] += 1
            await trio.sleep(_PAUSE_S)

    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(channel_from(source, scene)) for source in sources]
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for channel in channels:
                    for _ in range(count):
                        nursery.start_soon(loop, channel)
    return ", ".join(f"{what} {number}" for what, number in sorted(events.items())) or "nothing was answered"
