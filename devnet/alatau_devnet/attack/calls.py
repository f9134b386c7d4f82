"""Attacks with calls that a node serves to everybody: expensive ones, and ones that wait."""

import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import trio

from alatau.client import RpcError, client_tls
from alatau.client.exchange import METHODS
from alatau.pb.api.v1 import transaction_service_pb2
from alatau.transport.channel import Channel, open_channel
from alatau.transport.limits import Limits
from alatau_devnet.attack.scene import Scene
from alatau_devnet.attack.sources import relay

LOOP: bytes = bytes.fromhex("5b5f56")
"""JUMPDEST PUSH0 JUMP: init code that burns all the gas that it is given."""
SOURCES = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
_LOOPING = 64
_WAITING_PER_SOURCE = 512
_CALL_S = 30.0
_PAUSE_S = 0.02
"""After a refusal: an attacker does not heed what it is told about retrying, but it shares our cores."""

Attempt = Callable[[Channel, Counter[str]], Awaitable[None]]
"""What is done over a channel until the node refuses it; counts by name what it achieves meanwhile."""


@asynccontextmanager
async def channel_from(source: str, scene: Scene) -> AsyncIterator[Channel]:
    """A channel to the victim from a loopback address."""
    tls = client_tls(node_key=scene.victim.tls_public_key)
    async with relay(source, scene.victim.rpc) as endpoint, open_channel(endpoint, tls, Limits()) as channel:
        yield channel


async def looping_calls(scene: Scene, seconds: float) -> object:
    """One client keeps 64 calls under way that burn all the gas that a call may use."""
    return await keep_trying(scene, seconds, SOURCES[:1], _LOOPING, _call, _PAUSE_S)


async def waiting_calls(scene: Scene, seconds: float) -> object:
    """Four clients wait for transactions that do not exist, with as many calls as they can."""
    return await keep_trying(scene, seconds, SOURCES, _WAITING_PER_SOURCE, _wait, _PAUSE_S)


async def _call(channel: Channel, events: Counter[str]) -> None:
    message = transaction_service_pb2.CallMessage(data=LOOP)
    request = transaction_service_pb2.CallRequest(message=message)
    while True:
        await channel.unary(METHODS["Call"], request, timeout_s=_CALL_S)
        events["OK"] += 1


async def _wait(channel: Channel, events: Counter[str]) -> None:
    while True:
        request = transaction_service_pb2.GetReceiptRequest(hash=os.urandom(32), wait=True)
        await channel.unary(METHODS["GetReceipt"], request, timeout_s=300.0)
        events["OK"] += 1


async def keep_trying(
    scene: Scene, seconds: float, sources: tuple[str, ...], count: int, attempt: Attempt, pause_s: float
) -> str:
    """Keep ``count`` attempts under way from each source, each made anew ``pause_s`` after it ended or was refused.

    Gives how often each thing was achieved, and each reason of a refusal heard.
    """
    events: Counter[str] = Counter()

    async def loop(channel: Channel) -> None:
        while True:
            try:
                await attempt(channel, events)
            except RpcError as error:
                events[error.reason] += 1
            await trio.sleep(pause_s)

    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(channel_from(source, scene)) for source in sources]
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for channel in channels:
                    for _ in range(count):
                        nursery.start_soon(loop, channel)
    return ", ".join(f"{what} {number}" for what, number in sorted(events.items())) or "nothing was answered"
