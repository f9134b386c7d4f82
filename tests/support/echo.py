"""An echo service on loopback with real certificates."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio
from google.protobuf.wrappers_pb2 import BytesValue

from alatau.transport.call import Call
from alatau.transport.certificates import TlsIdentity, issue_identity, new_key
from alatau.transport.channel import Channel, open_channel
from alatau.transport.credentials import IdentityHolder, ServerTls, TrustStore, dial_node
from alatau.transport.errors import Code, FieldViolation, RpcError
from alatau.transport.health import Health
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, Server, serve
from alatau.transport.service import Method, Service, announces

UNARY = Method("/test.Echo/Unary", BytesValue, BytesValue, client_streaming=False, server_streaming=False)
REPEAT = Method("/test.Echo/Repeat", BytesValue, BytesValue, client_streaming=False, server_streaming=True)
ANNOUNCE = Method("/test.Echo/Announce", BytesValue, BytesValue, client_streaming=False, server_streaming=True)
COUNT = Method("/test.Echo/Count", BytesValue, BytesValue, client_streaming=True, server_streaming=False)
CHAT = Method("/test.Echo/Chat", BytesValue, BytesValue, client_streaming=True, server_streaming=True)


def value(data: bytes) -> BytesValue:
    """A message."""
    return BytesValue(value=data)


@dataclass
class Echo:
    """Serves the four shapes, and notes what happened to its calls."""

    calls: list[Call] = field(default_factory=list)
    started: int = 0
    sent: int = 0
    cancelled: int = 0

    async def unary(self, request: BytesValue, call: Call) -> BytesValue:
        """Answer, fail or wait, as the request says."""
        self.calls.append(call)
        match request.value:
            case b"refuse":
                raise RpcError(
                    Code.INVALID_ARGUMENT,
                    "no",
                    reason="REFUSED",
                    metadata={"limit": "1"},
                    field_violations=[FieldViolation("value", "is refuse", "WORD")],
                    retry_after_s=1.5,
                )
            case b"group":
                async with trio.open_nursery():
                    raise RpcError(Code.NOT_FOUND, "nothing there", reason="GROUPED")
            case b"bug":
                raise KeyError("a secret that stays in the log")
            case b"wait":
                await self._wait()
        return request

    async def repeat(self, request: BytesValue, call: Call, send: Callable[[Any], Awaitable[None]]) -> None:
        """Send as many messages as the request says, or for ever."""
        self.calls.append(call)
        if request.value == b"wait":
            await self._wait()
        if request.value == b"forever":
            self.started += 1
            try:
                while True:
                    await send(value(b"x" * 1_000))
                    self.sent += 1
            except (trio.Cancelled, trio.BrokenResourceError):  # which one depends on what the end met first
                self.cancelled += 1
                raise
        for number in range(int(request.value)):
            await send(value(str(number).encode()))

    @announces
    async def announce(self, request: BytesValue, call: Call, send: Callable[[Any], Awaitable[None]]) -> None:
        """Tell the request in the headers, then wait, or fail or answer without telling it."""
        match request.value:
            case b"refuse":
                raise RpcError(Code.NOT_FOUND, "no", reason="REFUSED")
            case b"answer":
                await send(value(b"unannounced"))
            case word:
                call.begin({"alatau-word": word.decode()})
        await self._wait()

    async def count(self, requests: AsyncIterator[BytesValue], call: Call) -> BytesValue:
        """Count the requests."""
        total = 0
        async for _ in requests:
            total += 1
        return value(str(total).encode())

    async def chat(
        self, requests: AsyncIterator[BytesValue], call: Call, send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Send every request back."""
        async for request in requests:
            if request.value == b"wait":
                await self._wait()
            await send(request)

    async def _wait(self) -> None:
        self.started += 1
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            self.cancelled += 1
            raise

    def service(self, *, described: bool = True) -> Service:
        """The service description."""
        handlers = (
            (UNARY, self.unary),
            (REPEAT, self.repeat),
            (ANNOUNCE, self.announce),
            (COUNT, self.count),
            (CHAT, self.chat),
        )
        return Service("test.Echo", handlers, described)


@dataclass
class Rig:
    """A server and a client that it trusts."""

    server: Server
    echo: Echo
    health: Health
    server_identity: IdentityHolder
    client_identity: TlsIdentity
    trust: TrustStore
    nursery: trio.Nursery

    @property
    def target(self) -> str:
        """Where it listens for certified clients."""
        return f"127.0.0.1:{self.server.ports[0]}"

    @asynccontextmanager
    async def channel(self, identity: TlsIdentity | None = None) -> AsyncIterator[Channel]:
        """A channel as the trusted client, or as another."""
        tls = dial_node(self.server_identity.current.public_key, identity or self.client_identity)
        async with open_channel(self.target, tls) as channel:
            yield channel


@asynccontextmanager
async def rig(
    limits: Limits | None = None,
    *,
    public: bool = False,
    described: bool = True,
    port: int = 0,
    host: str = "127.0.0.1",
) -> AsyncIterator[Rig]:
    """A running echo server; with ``public`` it has a second listener without client certificates."""
    server_identity = IdentityHolder(issue_identity(new_key(), "server", ["127.0.0.1"]))
    client = issue_identity(new_key(), "client")
    trust, echo, health = TrustStore([client.public_key]), Echo(), Health()
    listeners = [Listener(host, port, ServerTls(server_identity, trust))]
    if public:
        listeners.append(Listener("127.0.0.1", 0, ServerTls(server_identity, None)))
    limits = limits or Limits(shutdown_grace_s=0.2)
    async with trio.open_nursery() as nursery:
        services = [echo.service(described=described)]
        server = await nursery.start(partial(serve, services, listeners, limits=limits, health=health))
        yield Rig(server, echo, health, server_identity, client, trust, nursery)
        nursery.cancel_scope.cancel()
