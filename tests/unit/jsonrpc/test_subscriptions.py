"""eth_subscribe over a WebSocket, with web3.py's own and by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

from tests.support.jsonrpc_rig import json_node
from tests.support.solo_node import Running, SoloNode, payment, running
from tests.support.token_transfers import transfers
from tests.support.waiting import eventually


@dataclass
class Socket:
    """A client's end."""

    stream: trio.SocketStream
    socket: WSConnection
    heard: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, method: str, *params: Any) -> Any:
        """An answer; what subscriptions say meanwhile is kept."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        await self.stream.send_all(self.socket.send(TextMessage(data=json.dumps(body))))
        while "id" not in (message := await self._next()):
            self.heard.append(message)
        return message.get("result", message.get("error"))

    async def told(self) -> tuple[str, Any]:
        """What a subscription says next: its name, and what."""
        message = self.heard.pop(0) if self.heard else await self._next()
        assert message["method"] == "eth_subscription"
        return message["params"]["subscription"], message["params"]["result"]

    async def _next(self) -> dict[str, Any]:
        text = ""
        with trio.fail_after(10):
            while True:
                for event in self.socket.events():
                    if isinstance(event, TextMessage):
                        text += event.data
                        if event.message_finished:
                            message: dict[str, Any] = json.loads(text)
                            return message
                self.socket.receive_data(bytes(await self.stream.receive_some(65_536)))


@asynccontextmanager
async def _socket(node: SoloNode) -> AsyncIterator[tuple[Running, Socket]]:
    async with running(node) as served:
        stream = await trio.open_tcp_stream("127.0.0.1", await served.serve_http(jsonrpc=True))
        client = Socket(stream, WSConnection(ConnectionType.CLIENT))
        try:
            await stream.send_all(client.socket.send(Request(host="127.0.0.1", target="/")))
            client.socket.receive_data(bytes(await stream.receive_some(65_536)))
            assert isinstance(next(iter(client.socket.events())), AcceptConnection)
            yield served, client
        finally:
            await trio.aclose_forcefully(stream)


@pytest.mark.trio
async def test_blocks_logs_and_pending_transactions_are_told(node: SoloNode) -> None:
    """From the next block on, without a gap; nothing is told of a subscription that ended."""
    await transfers(node, 1)
    async with _socket(node) as (_, client):
        assert await client.ask("eth_chainId") == "0x1e5d"
        heads = await client.ask("eth_subscribe", "newHeads")
        for _ in range(3):
            node.commit_block()
        found = [await client.told() for _ in range(3)]
        assert [(name, head["number"]) for name, head in found] == [(heads, hex(height)) for height in (2, 3, 4)]
        assert found[-1][1]["hash"] == f"0x{node.store.tip_hash.hex()}"
        assert await client.ask("eth_unsubscribe", heads) is True
        assert (await client.ask("eth_unsubscribe", heads))["message"] == "subscription not found"
        logs = await client.ask("eth_subscribe", "logs", {"topics": []})
        await transfers(node, 2)
        assert [(name, int(log["data"], 16)) for name, log in [await client.told(), await client.told()]] == [
            (logs, 2),
            (logs, 3),
        ]
        await client.ask("eth_unsubscribe", logs)
        pending = await client.ask("eth_subscribe", "newPendingTransactions")
        tx = payment(3)
        assert await node.submit([tx.encoded]) == [None]
        assert await client.told() == (pending, f"0x{tx.hash.hex()}")
        await client.ask("eth_unsubscribe", pending)
        await client.ask("eth_subscribe", "newPendingTransactions", True)
        assert await node.submit([payment(4).encoded]) == [None]
        assert (await client.told())[1]["nonce"] == "0x4"


@pytest.mark.trio
async def test_what_cannot_be_subscribed_says_so(node: SoloNode) -> None:
    """Unknown names, wrong filters; and over HTTP there is no such method."""
    async with _socket(node) as (_, client):
        for arguments in (("news",), (), ("logs", {"topics": 5}), (7,)):
            assert (await client.ask("eth_subscribe", *arguments))["code"] == -32602
        names = [await client.ask("eth_subscribe", "newHeads") for _ in range(65)]
        assert names[-1]["code"] == -32005
        assert len(set(names[:64])) == 64
    async with json_node(node) as asked:
        _, answer = await asked.post({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})
        assert answer["error"]["code"] == -32601


@pytest.mark.trio
async def test_subscriptions_take_the_places_of_streams(node: SoloNode) -> None:
    """And give them back when their socket goes."""
    async with _socket(node) as (served, client):
        await client.ask("eth_subscribe", "newHeads")
        await client.ask("eth_subscribe", "newHeads")
        streams = served.api.parts.streams
        await eventually(lambda: streams.taken == 2)
        await client.stream.aclose()
        await eventually(lambda: streams.taken == 0)
