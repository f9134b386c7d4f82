"""The answer to one call, as it goes out: headers, messages, how the call ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import h11
import trio
from google.protobuf.message import Message

from alatau.transport.errors import RpcError
from alatau.transport.service import Method
from alatau.transport.web.cors import Headers
from alatau.transport.web.dialect import IDENTITY, Dialect, Framing
from alatau.transport.web.envelope import envelope
from alatau.transport.web.exchange import Connection, ConnectionLostError
from alatau.transport.web.json_form import to_json
from alatau.transport.web.outcome import (
    end_of_connect_stream,
    end_of_grpc_web,
    error_json,
    http_status,
    retry_after,
)

_TRAILER: Final = "trailer-"
"""What begins so goes after the messages, under the rest of the name; of a bare answer with the headers (Connect)."""


@dataclass(slots=True)
class Answer:
    """What has been said to a client, and how to go on."""

    connection: Connection
    method: Method
    dialect: Dialect
    headers: Headers
    """Of every answer to this request."""
    trailers: Headers = field(default_factory=list)
    began: bool = False

    def announce(self, fields: Mapping[str, str]) -> None:
        """Add headers, before anything was sent."""
        is_bare = self.dialect.framing is Framing.BARE
        for name, value in fields.items():
            if name.startswith(_TRAILER) and not is_bare:
                self.trailers.append((name.removeprefix(_TRAILER), value))
            else:
                self.headers.append((name, value))

    async def begin(self) -> None:
        """Send the headers of an enveloped answer; again, nothing."""
        if self.began or self.dialect.framing is Framing.BARE:
            return
        self.began = True
        encodings = []
        match self.dialect.framing:
            case Framing.CONNECT:
                encodings.append(("Connect-Accept-Encoding", IDENTITY))
            case Framing.GRPC_WEB:
                encodings.append(("Grpc-Accept-Encoding", IDENTITY))
        head = [("Content-Type", self.dialect.content_type), *encodings, *self.headers]
        await self.connection.send(self.connection.head(200, head))

    async def message(self, message: Message | bytes) -> None:
        """Send one message of a stream: what handlers call ``send``.

        Raises:
            trio.BrokenResourceError: nobody takes it.
            RpcError: SERVER_BUSY, too much waits to be taken.
        """
        try:
            await self.begin()
            await self._send_held(envelope(0, await self._encoded(message)))
        except ConnectionLostError as error:
            raise trio.BrokenResourceError from error

    async def end(self, result: Message | RpcError | None) -> None:
        """Send the one message of a call that is no stream, or an error, and the end."""
        if self.dialect.framing is Framing.BARE:
            await self._end_bare(result)
            return
        error = result if isinstance(result, RpcError) else None
        if isinstance(result, Message):
            await self.message(result)
        await self.begin()
        last = end_of_connect_stream if self.dialect.framing is Framing.CONNECT else end_of_grpc_web
        await self.connection.send(h11.Data(data=last(error, self.trailers)), h11.EndOfMessage())

    async def _end_bare(self, result: Message | RpcError | None) -> None:
        if isinstance(result, RpcError):
            status, content_type, body = http_status(result.code), "application/json", error_json(result)
            self.headers += retry_after(result)
        else:
            assert result is not None
            status, content_type, body = 200, self.dialect.content_type, await self._encoded(result)
            try:
                self.connection.hold(len(body))
            except RpcError as busy:
                await self._end_bare(busy)
                return
        head = [("Content-Type", content_type), ("Accept-Encoding", IDENTITY), ("Content-Length", str(len(body)))]
        await self.connection.send(
            self.connection.head(status, [*head, *self.headers]), h11.Data(data=body), h11.EndOfMessage()
        )

    async def _encoded(self, message: Message | bytes) -> bytes:
        if not self.dialect.is_json:
            return message if isinstance(message, bytes) else message.SerializeToString()
        if isinstance(message, bytes):  # made once for many subscribers
            message = self.method.response.FromString(message)
        return await to_json(message, self.connection.aside, as_hex=self.dialect.as_hex)

    async def _send_held(self, data: bytes) -> None:
        self.connection.hold(len(data))
        try:
            await self.connection.send(h11.Data(data=data))
        finally:
            self.connection.let_go(len(data))
