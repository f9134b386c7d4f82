"""An echo service on loopback, over gRPC and over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from alatau.transport.limits import Limits
from alatau.transport.web.face import WebFace
from alatau.transport.web.files import WebFile
from alatau.transport.web.tls import WebTls
from tests.support.echo import Rig, rig
from tests.support.http import HttpClient, http_client

PAGE = "https://bank.example"
"""The origin that may call."""
FILES = {"/page": WebFile("text/html; charset=utf-8", b"<!doctype html><title>page</title>")}
LIMITS = Limits(shutdown_grace_s=0.2, message_bytes_max=100_000, concurrent_calls_per_peer_max=4)


@dataclass
class Served:
    """A server of gRPC with its HTTP face."""

    rig: Rig
    face: WebFace
    port: int
    clients: list[HttpClient] = field(default_factory=list)

    async def client(self) -> HttpClient:
        """A new connection, closed when the test ends."""
        self.clients.append(await http_client(self.port))
        return self.clients[-1]


@asynccontextmanager
async def served(*, secure: bool = False, certified: bool = False) -> AsyncIterator[Served]:
    """Both, on loopback; HTTP over TLS where it is ``secure``, for the rig's client alone where it is ``certified``."""
    async with rig(LIMITS, public=True) as running:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        tls = WebTls(running.server_identity, running.trust if certified else None) if secure or certified else None
        face = WebFace(running.server, [running.echo.service()], LIMITS, frozenset({PAGE}), tls, FILES)
        running.nursery.start_soon(face.serve, listeners)
        node = Served(running, face, listeners[0].socket.getsockname()[1])
        try:
            yield node
        finally:
            for client in node.clients:
                await trio.aclose_forcefully(client.stream)
