"""A WebSocket on the HTTP face, with an endpoint that gives back what it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    RejectConnection,
    Request,
    TextMessage,
)

from alatau.transport.call import Call
from alatau.transport.web.exchange import ConnectionLostError
from alatau.transport.web.face import WebFace
from alatau.transport.web.json_face import BODY_BYTES_MAX, Counted
from alatau.transport.web.websocket import WebSocket
from tests.support.echo import Rig, rig
from tests.support.waiting import eventually
from tests.support.web_rig import LIMITS, PAGE


@dataclass
class Mirror:
    """Gives back messages, or as many as it is asked for."""

    ended: int = 0
    calls: list[Call] = field(default_factory=list)

    async def answer(self, body: bytes, call: Call, counted: Counted) -> bytes | None:
        """See ``JsonEndpoint``."""
        self.calls.append(call)
        async with counted():
            return body

    async def converse(self, socket: WebSocket, call: Call, _counted: Counted) -> None:
        """See ``JsonEndpoint``."""
        self.calls.append(call)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(socket.keep_alive)
                while (message := await socket.receive()) is not None:
                    for _ in range(10_000 if message == b"flood" else 1):
                        await socket.send(message if message != b"flood" else b"x" * 10_000)
                nursery.cancel_scope.cancel()
        except* ConnectionLostError:
            pass
        finally:
            self.ended += 1


@dataclass
class Client:
    """The other end, by the same library."""

    stream: trio.SocketStream
    socket: WSConnection

    async def say(self, event: Event) -> None:
        """Send."""
        await self.stream.send_all(self.socket.send(event))

    async def hear(self) -> Event:
        """What comes next."""
        with trio.fail_after(10):
            while True:
                for event in self.socket.events():
                    return event
                data = await self.stream.receive_some(65_536)
                self.socket.receive_data(bytes(data) or None)


@dataclass
class Stage:
    """A face with a mirror behind it."""

    rig: Rig
    face: WebFace
    mirror: Mirror
    port: int
    streams: list[trio.SocketStream] = field(default_factory=list)

    async def client(self, **headers: str) -> tuple[Client, Event]:
        """A connection and what it was answered."""
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        self.streams.append(stream)
        client = Client(stream, WSConnection(ConnectionType.CLIENT))
        extra = [(name.encode(), value.encode()) for name, value in headers.items()]
        await client.say(Request(host="127.0.0.1", target="/", extra_headers=extra))
        return client, await client.hear()


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """On loopback."""
    async with rig(LIMITS, public=True) as running:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        mirror = Mirror()
        services = [running.echo.service()]
        face = WebFace(running.server, services, LIMITS, frozenset({PAGE}), json_endpoint=mirror)
        running.nursery.start_soon(face.serve, listeners)
        stage = Stage(running, face, mirror, listeners[0].socket.getsockname()[1])
        try:
            yield stage
        finally:
            for stream in stage.streams:
                await trio.aclose_forcefully(stream)


@pytest.mark.trio
async def test_messages_go_both_ways_until_one_closes() -> None:
    """Text, bytes taken for text, pieces of one message, and a ping in between."""
    async with staged() as stage:
        client, answer = await stage.client()
        assert isinstance(answer, AcceptConnection)
        await client.say(TextMessage(data="один"))
        assert await client.hear() == TextMessage(data="один", frame_finished=True, message_finished=True)
        await client.say(BytesMessage(data=b"two", message_finished=False))
        await client.say(Ping(payload=b"there?"))
        assert await client.hear() == Pong(payload=b"there?")
        await client.say(BytesMessage(data=b" three"))
        heard = await client.hear()
        assert isinstance(heard, TextMessage)
        assert heard.data == "two three"
        await client.say(CloseConnection(code=1000))
        assert isinstance(await client.hear(), CloseConnection)
        await eventually(lambda: stage.mirror.ended == 1)
        await eventually(lambda: len(stage.face.connections) == 0)


@pytest.mark.trio
async def test_messages_that_come_together_are_all_heard() -> None:
    """Libraries send several at once, and a ping among them."""
    async with staged() as stage:
        client, _ = await stage.client()
        events = [TextMessage(data="1"), TextMessage(data="2"), Ping(), TextMessage(data="3")]
        await client.stream.send_all(b"".join(map(client.socket.send, events)))
        heard = [await client.hear() for _ in range(4)]
        assert [event.data for event in heard if isinstance(event, TextMessage)] == ["1", "2", "3"]


@pytest.mark.trio
async def test_pages_that_are_not_listed_get_no_socket() -> None:
    """A browser always says where a page is from."""
    async with staged() as stage:
        _, refused = await stage.client(origin="https://elsewhere.example")
        assert isinstance(refused, RejectConnection)
        assert refused.status_code == 403
        _, taken = await stage.client(origin=PAGE)
        assert isinstance(taken, AcceptConnection)


@pytest.mark.trio
async def test_a_message_that_is_too_long_ends_the_socket() -> None:
    """Whole or in pieces; nothing of it is answered."""
    async with staged() as stage:
        client, _ = await stage.client()
        with trio.move_on_after(10):
            try:
                for _ in range(BODY_BYTES_MAX // 65_536 + 2):
                    await client.say(TextMessage(data="x" * 65_536, message_finished=False))
            except trio.BrokenResourceError:
                pass
        await eventually(lambda: stage.mirror.ended == 1)


@pytest.mark.trio
async def test_who_is_silent_is_asked_and_then_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers stays, for ever; who does not loses its place."""
    monkeypatch.setattr("alatau.transport.web.websocket.PING_S", 0.05)
    monkeypatch.setattr("alatau.transport.web.websocket.SILENT_S", 0.3)
    async with staged() as stage:
        awake, _ = await stage.client()
        await stage.client()
        for _ in range(12):
            ping = await awake.hear()
            assert isinstance(ping, Ping)
            await awake.say(ping.response())
        await eventually(lambda: stage.mirror.ended == 1)
        assert stage.face.connections.refused["PING_TIMEOUT"] == 1
        await awake.say(TextMessage(data="still here"))


@pytest.mark.trio
async def test_who_does_not_read_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it did not take is not thinned out, and not kept for it either."""
    monkeypatch.setattr("alatau.transport.web.websocket.TAKE_S", 0.3)
    async with staged() as stage:
        client, _ = await stage.client()
        await client.say(TextMessage(data="flood"))
        await eventually(lambda: stage.mirror.ended == 1)
        assert stage.face.connections.refused["ANSWER_TIMEOUT"] == 1
        assert stage.face.held_bytes == 0
