"""A WebSocket (RFC 6455) on a connection of the HTTP face, spoken by wsproto. Every step has a deadline and a bound.

Whoever says nothing is asked every ``PING_S`` whether it is there, and closed where it does not answer. A reader that
does not take what it is sent is closed as well; nothing is ever left out for it.
"""

from collections import deque
from typing import Final

import h11
import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from alatau.transport.errors import RpcError
from alatau.transport.web.exchange import TAKE_S, Connection, ConnectionLostError

PING_S: Final = 20.0
"""Silence after which a client is asked; proxies cut what is silent for 60 s."""
SILENT_S: Final = 60.0
"""Silence after which it is closed, asked or not."""
_READ_SIZE: Final = 64 * 1024


class WebSocket:
    """Messages of text, or bytes taken for it, in both directions."""

    def __init__(self, connection: Connection, request: h11.Request, message_bytes_max: int) -> None:
        """Take over from HTTP after ``request``; :meth:`accept` begins."""
        self._connection = connection
        self._bytes_max = message_bytes_max
        self._socket = WSConnection(ConnectionType.SERVER)
        self._request = request
        self._sending = trio.Lock()
        self._heard_at = trio.current_time()
        self._partial = bytearray()
        self._events: deque[Event] = deque()
        """What came and was not looked at: several messages may come at once."""

    async def accept(self) -> None:
        """Do the handshake; raises ``ConnectionLostError`` for what is none."""
        headers = [(bytes(name), bytes(value)) for name, value in self._request.headers]
        try:
            self._socket.initiate_upgrade_connection(headers, self._request.target.decode("latin-1"))
        except RemoteProtocolError as error:
            raise ConnectionLostError from error
        for event in self._socket.events():
            if isinstance(event, Request):
                await self._send(AcceptConnection())
        trailing, _ = self._connection.http.trailing_data
        if trailing:
            self._feed(bytes(trailing))

    async def receive(self) -> bytes | None:
        """The next message; None once the client has closed.

        Raises:
            ConnectionLostError: it went away, broke the protocol, or sent too much.
        """
        while True:
            while self._events:
                event = self._events.popleft()
                match event:
                    case TextMessage() | BytesMessage():
                        await self._take(event.data.encode() if isinstance(event.data, str) else bytes(event.data))
                        if event.message_finished:
                            message = bytes(self._partial)
                            self._partial.clear()
                            return message
                    case Ping():
                        await self._send(event.response())
                    case CloseConnection():
                        await self._send(event.response())
                        return None
                    case Pong():
                        continue
            try:
                data = await self._connection.stream.receive_some(_READ_SIZE)
            except trio.BrokenResourceError as error:
                raise ConnectionLostError from error
            self._heard_at = trio.current_time()
            self._feed(bytes(data) or None)

    async def send(self, text: bytes) -> None:
        """Send a message; raises ``ConnectionLostError`` where nobody takes it in time."""
        try:
            self._connection.hold(len(text))
        except RpcError as error:  # too much waits for this client already
            self._connection.given_up = "HELD_BYTES"
            raise ConnectionLostError from error
        try:
            await self._send(TextMessage(data=text.decode()))
        finally:
            self._connection.let_go(len(text))

    async def keep_alive(self) -> None:
        """Ask a silent client whether it is there, until it is not; raises ``ConnectionLostError``."""
        while True:
            silent_s = trio.current_time() - self._heard_at
            if silent_s >= SILENT_S:
                self._connection.given_up = "PING_TIMEOUT"
                raise ConnectionLostError
            if silent_s >= PING_S:
                await self._send(Ping())
            await trio.sleep(PING_S)

    async def close(self, reason: CloseReason, text: str = "") -> None:
        """Say goodbye."""
        await self._send(CloseConnection(code=reason, reason=text))

    def _feed(self, data: bytes | None) -> None:
        try:
            self._socket.receive_data(data)
            self._events.extend(self._socket.events())
        except (LocalProtocolError, RemoteProtocolError) as error:
            raise ConnectionLostError from error

    async def _take(self, data: bytes) -> None:
        if len(self._partial) + len(data) > self._bytes_max:
            await self.close(CloseReason.MESSAGE_TOO_BIG, f"a message has at most {self._bytes_max} bytes")
            raise ConnectionLostError
        self._partial += data

    async def _send(self, event: Event) -> None:
        async with self._sending:
            try:
                out = self._socket.send(event)
            except LocalProtocolError as error:  # closed already
                raise ConnectionLostError from error
            with trio.move_on_after(TAKE_S):
                try:
                    await self._connection.stream.send_all(out)
                except trio.BrokenResourceError as error:
                    raise ConnectionLostError from error
                return
            self._connection.given_up = "ANSWER_TIMEOUT"
            raise ConnectionLostError
