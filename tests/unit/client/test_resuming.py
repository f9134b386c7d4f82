"""Subscriptions that outlive their connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from alatau.client import Client, RpcError, connect
from alatau.client.resuming import _Place
from alatau.transport.errors import Code, channel_closed
from alatau.wire.block import BlockView
from alatau.wire.logs import EventFilter
from tests.support.restarts import Service
from tests.support.solo_node import MERCHANT, TOKEN, SoloNode, payment, token_artifacts


@asynccontextmanager
async def restartable(node: SoloNode) -> AsyncIterator[tuple[Service, Client]]:
    """A service and a client of it."""
    async with trio.open_nursery() as nursery:
        service = Service(node, nursery)
        served = await service.start()
        async with connect(served.endpoint, served.tls) as client:
            yield service, client
        await service.stop()


@pytest.mark.trio
async def test_blocks_go_on_after_a_restart(node: SoloNode) -> None:
    """The node stops twice while blocks are decided; the client sees every height once."""
    async with restartable(node) as (service, client), client.follow_blocks(0, BlockView.HEADER) as blocks:
        seen = [(await anext(blocks)).height]
        for _ in range(2):
            await service.stop()
            node.commit_block()
            await service.start()
            node.commit_block()
            seen += [(await anext(blocks)).height for _ in range(2)]
        assert seen == list(range(5))


@pytest.mark.trio
async def test_logs_go_on_after_a_restart(node: SoloNode) -> None:
    """Each log once, those of blocks decided meanwhile included."""
    async with restartable(node) as (service, client):
        data = client.contract(token_artifacts()["abi"], TOKEN).encode("transfer", MERCHANT.address, 1)
        async with client.follow_logs(EventFilter((TOKEN,)), from_height=1) as messages:
            heights = []
            for nonce in range(3):
                await service.stop()
                await node.submit([payment(nonce, to=TOKEN, value=0, data=data, gas_limit=90_000).encoded])
                node.commit_block()
                await service.start()
                while not (message := await anext(messages)).logs:
                    pass
                heights.append(message.height)
        assert heights == [1, 2, 3]


@pytest.mark.trio
async def test_other_errors_are_raised(node: SoloNode) -> None:
    """A request that is wrong stays wrong: it is not repeated for ever."""
    async with restartable(node) as (_, client), client.follow_logs(EventFilter((b"",)), from_height=0) as messages:
        with pytest.raises(RpcError, match="INVALID_REQUEST"):
            await anext(messages)


@pytest.mark.parametrize("code", [Code.UNAVAILABLE, Code.CANCELLED])
def test_what_grpc_ends_by_itself_is_opened_again(code: Code) -> None:
    """A lost connection, or a call that gRPC's core dropped among thousands."""
    place: _Place[int, int] = _Place(3, lambda height: height + 1)
    assert place.lost(RpcError(code, "ended", reason=code.name), nodes=1) >= 0
    with pytest.raises(RpcError):
        place.lost(channel_closed(), nodes=1)
