"""A channel to a gRPC server, used from Trio.

``async with open_channel("127.0.0.1:7000", tls) as channel:`` then ``await channel.unary(method, request)``,
or ``async with channel.stream(method) as stream:`` for streams of any shape.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import grpc
import grpc.aio
import trio
from google.protobuf.message import Message

from alatau.transport.bridge import Bridge, HostLostError, current_bridge
from alatau.transport.credentials import ClientTls
from alatau.transport.errors import DETAILS_KEY, Code, RpcError, channel_closed, from_status
from alatau.transport.limits import Limits
from alatau.transport.messages import Requests, parse
from alatau.transport.pipes import PipeToAsyncio, PipeToTrio
from alatau.transport.service import Method

M = TypeVar("M", bound=Message)
Metadata = Mapping[str, str | bytes]

_CONNECT_MS_MAX = 5_000
"""How long one attempt may take. grpc calls it the least back-off (its doc/connection-backoff.md: MIN_CONNECT_TIMEOUT),
though it delays nothing: handshakes of TLS take two round trips, and a busy machine answers late."""

_RECONNECT_MS_MAX = 5_000
"""grpc's own back-off between attempts; the default of two minutes outlasts any restart."""


class Channel:
    """A connection that grpc makes on first use and again after a loss. Made by :func:`open_channel`."""

    def __init__(self, bridge: Bridge, channel: grpc.aio.Channel, target: str) -> None:
        self._bridge = bridge
        self._channel = channel
        self.target = target

    async def unary(
        self,
        method: Method,
        request: Message,
        *,
        timeout_s: float | None = None,
        metadata: Metadata | None = None,
        wait_for_ready: bool = False,
    ) -> Any:
        """Call a unary method and give its response (of ``method.response``).

        ``wait_for_ready`` waits for a connection, up to the timeout, instead of failing at once without one.

        Raises:
            RpcError: as the server said, or UNAVAILABLE or DEADLINE_EXCEEDED from this side.
        """
        assert not method.client_streaming
        assert not method.server_streaming

        async def call() -> bytes:
            invoke = self._channel.unary_unary(method.path)
            return cast(
                "bytes",
                await invoke(
                    request.SerializeToString(),
                    timeout=timeout_s,
                    metadata=_pairs(metadata),
                    wait_for_ready=wait_for_ready,
                ),
            )

        try:
            data = await self._bridge.call(call)
        except grpc.aio.AioRpcError as error:
            raise to_rpc_error(error) from None
        except (HostLostError, grpc.aio.UsageError):
            raise channel_closed() from None
        return parse(method.response, data, method.check)

    @asynccontextmanager
    async def stream(
        self,
        method: Method,
        request: Message | None = None,
        *,
        timeout_s: float | None = None,
        metadata: Metadata | None = None,
    ) -> AsyncIterator["Stream"]:
        """Open a streaming call; leaving the block cancels it if it has not ended.

        ``request`` is the one request of a server stream; the other shapes send with ``stream.send``.
        """
        assert method.client_streaming is (request is None)
        stream = Stream(self._bridge, method)
        self._bridge.to_asyncio(stream.start, self._channel, request, timeout_s, _pairs(metadata))
        try:
            yield stream
        finally:
            stream.cancel()
            with trio.CancelScope(shield=True):
                await self._bridge.call(stream.ended)


class Stream:
    """A streaming call under way. Iterate it for the responses."""

    def __init__(self, bridge: Bridge, method: Method) -> None:
        self._bridge = bridge
        self._method = method
        self._inbound = PipeToTrio(bridge)
        self._outbound = PipeToAsyncio(bridge)
        self._responses = Requests(self._inbound, method.response, method.check)
        self._task: asyncio.Future[None] | None = None
        self._headers: Metadata = {}
        self._begun = trio.Event()

    async def send(self, message: Message | bytes) -> None:
        """Send one request, or the encoding of one; waits while the server is slow.

        Raises:
            trio.BrokenResourceError: the call has ended; reading its responses says how.
        """
        await self._outbound.put(message if isinstance(message, bytes) else message.SerializeToString())

    def finish_sending(self) -> None:
        """No more requests; responses may still come."""
        self._outbound.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self._responses.__anext__()

    async def begun(self) -> Metadata:
        """Wait until the server has taken the call, and give its response headers, names in lower case.

        They are empty where the call has ended instead; reading its responses says how.
        """
        await self._begun.wait()
        return self._headers

    async def response(self) -> Any:
        """The one response of a client stream, after the last request. Raises ``RpcError``."""
        self.finish_sending()
        async for response in self:
            return response
        raise RpcError(Code.INTERNAL, "the server ended the call without a response", reason="NO_RESPONSE")

    def cancel(self) -> None:
        """End the call now; nothing happens if it has ended."""
        self._bridge.to_asyncio(self._cancel)

    # -- asyncio side ------------------------------------------------------------------------------------

    def start(self, channel: grpc.aio.Channel, request: Message | None, timeout_s: float | None, metadata: Any) -> None:
        """Asyncio: make the call."""
        path, data = self._method.path, None if request is None else request.SerializeToString()
        try:
            match self._method.client_streaming, self._method.server_streaming:
                case False, True:
                    call = channel.unary_stream(path)(data, timeout=timeout_s, metadata=metadata)
                case True, False:
                    call = channel.stream_unary(path)(timeout=timeout_s, metadata=metadata)
                case _:
                    call = channel.stream_stream(path)(timeout=timeout_s, metadata=metadata)
        except grpc.aio.UsageError:
            self._outbound.close(channel_closed())
            self._inbound.close(channel_closed())
            self._bridge.to_trio(self._begin, {})
        else:
            self._task = asyncio.ensure_future(self._pump(call))

    async def ended(self) -> None:
        """Asyncio: wait until nothing of the call is left."""
        if self._task is not None:
            await asyncio.wait([self._task])

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _pump(self, call: Any) -> None:
        writing = asyncio.ensure_future(self._write_all(call)) if self._method.client_streaming else None
        heading = asyncio.ensure_future(self._read_headers(call))
        # asyncio cancels this task where its own side leaves the stream, or where another task closes the channel.
        error: BaseException | None = channel_closed()
        try:
            await self._read_all(call)
            error = None
        except grpc.aio.AioRpcError as failure:
            error = to_rpc_error(failure)
        finally:
            call.cancel()
            heading.cancel()
            if writing is not None:
                writing.cancel()
            self._bridge.to_trio(self._begin, {})
            self._outbound.close(error)  # first: who has read the end can no longer send
            self._inbound.close(error)

    async def _read_headers(self, call: Any) -> None:
        metadata = await call.initial_metadata()
        self._bridge.to_trio(self._begin, {key.lower(): value for key, value in metadata or ()})

    def _begin(self, headers: Metadata) -> None:
        if not self._begun.is_set():
            self._headers = headers
            self._begun.set()

    async def _read_all(self, call: Any) -> None:
        if not self._method.server_streaming:
            await self._inbound.put(await call)
            return
        while (message := await call.read()) is not grpc.aio.EOF:
            await self._inbound.put(message)
        code = await call.code()
        if code is not grpc.StatusCode.OK:
            raise grpc.aio.AioRpcError(
                code, await call.initial_metadata(), await call.trailing_metadata(), await call.details()
            )

    async def _write_all(self, call: Any) -> None:
        try:
            while (message := await self._outbound.get()) is not None:
                await call.write(message)
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the call ended; the reader says how
            self._outbound.close()


@asynccontextmanager
async def open_channel(target: str, tls: ClientTls, limits: Limits | None = None) -> AsyncIterator[Channel]:
    """A channel to ``host:port``. Nothing is connected before the first call."""
    async with current_bridge() as bridge:
        options: list[tuple[str, Any]] = [
            *(limits or Limits()).options(),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", _CONNECT_MS_MAX),
            ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS_MAX),
            ("grpc.use_local_subchannel_pool", 1),  # never share a connection between two identities
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
        ]
        if tls.server_name is not None:
            options.append(("grpc.ssl_target_name_override", tls.server_name))

        async def connect() -> grpc.aio.Channel:
            return grpc.aio.secure_channel(target, tls.credentials(), options=options)

        channel = await bridge.call(connect)
        try:
            yield Channel(bridge, channel, target)
        finally:
            with trio.CancelScope(shield=True):
                await bridge.call(lambda: channel.close(None))


def to_rpc_error(error: grpc.aio.AioRpcError) -> RpcError:
    """A failed call as our error, with the server's details where it sent some."""
    details = next((value for key, value in error.trailing_metadata() or () if key == DETAILS_KEY), None)
    return from_status(Code(error.code().value[0]), error.details() or "", details)


def _pairs(metadata: Metadata | None) -> tuple[tuple[str, str | bytes], ...] | None:
    return None if metadata is None else tuple(metadata.items())
