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

Ask = Callable[[Channel], Awaitable[object]]


@asynccontextmanager
async def channel_from(source: str, scene: Scene) -> AsyncIterator[Channel]:
    """A channel to the victim from a loopback address."""
    tls = client_tls(node_key=scene.victim.tls_public_key)
    async with relay(source, scene.victim.rpc) as endpoint, open_channel(endpoint, tls, Limits()) as channel:
        yield channel


async def looping_calls(scene: Scene, seconds: float) -> object:
    """One client keeps 64 calls under way that burn all the gas that a call may use."""
    message = transaction_service_pb2.CallMessage(data=LOOP)
    return await _keep_asking(scene, seconds, SOURCES[:1], _LOOPING, lambda c: _call(c, message))


async def waiting_calls(scene: Scene, seconds: float) -> object:
    """Four clients wait for transactions that do not exist, with as many calls as they can."""
    return await _keep_asking(scene, seconds, SOURCES, _WAITING_PER_SOURCE, _wait)


async def _call(channel: Channel, message: transaction_service_pb2.CallMessage) -> None:
    request = transaction_service_pb2.CallRequest(message=message)
    await channel.unary(METHODS["Call"], request, timeout_s=_CALL_S)


async def _wait(channel: Channel) -> None:
    request = transaction_service_pb2.GetReceiptRequest(hash=os.urandom(32), wait=True)
    await channel.unary(METHODS["GetReceipt"], request, timeout_s=300.0)


async def _keep_asking(scene: Scene, seconds: float, sources: tuple[str, ...], count: int, ask: Ask) -> object:
    """Keep ``count`` calls under way from each source, whatever the answers."""
    answers: Counter[str] = Counter()

    async def loop(channel: Channel) -> None:
        while True:
            try:
                await ask(channel)
                answers["OK"] += 1
            except RpcError as error:
                answers[error.reason] += 1
                await trio.sleep(_PAUSE_S)

    async with AsyncExitStack() as stack:
        channels = [await stack.enter_async_context(channel_from(source, scene)) for source in sources]
        with trio.move_on_after(seconds):
            async with trio.open_nursery() as nursery:
                for channel in channels:
                    for _ in range(count):
                        nursery.start_soon(loop, channel)
    return ", ".join(f"{reason} {number}" for reason, number in sorted(answers.items())) or "nothing was answered"
