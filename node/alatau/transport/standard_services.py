"""Health and reflection, gRPC's own services, behind the bounds of every other call.

Their libraries answer on asyncio and know no bounds: a thousand connections could keep a quarter of a million calls
to them open. So their handlers are served through these, which charge each call to its connection and its caller, and
let one caller keep ``_LASTING_EACH_MAX`` streams.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import grpc

from alatau.transport.call import Call
from alatau.transport.call_admission import ServicerContext
from alatau.transport.errors import Code, RpcError
from alatau.transport.holdings import CallHolding
from alatau.transport.reflection import reflection_handlers
from alatau.transport.router import abort, letting_go, read_one

_LASTING_EACH_MAX: Final = 32
"""Streams of one caller: a balancer watches the health of each of a handful of services."""
_LASTING_MAX: Final = 1_024
"""And of all callers."""


class Counts(Protocol):
    """Counts calls: the server."""

    def begin_call(self, context: ServicerContext, connection: str) -> CallHolding:
        """The headers of a call are there."""
        ...

    def describe(self, path: str, context: ServicerContext, connection: str) -> Call:
        """Who calls; raises ``RpcError`` for whom this listener does not trust."""
        ...

    def count_in(self, call: Call, connection: str) -> Any:
        """A context in which a call is under way; raises ``RpcError`` where it is not let in."""
        ...


class StandardServices(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handlers of these services; takes them as a ``grpc.aio.Server`` does."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._handlers: dict[str, grpc.RpcMethodHandler] = {}
        self._lasting: Counter[bytes | str] = Counter()

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """For generated code: it adds the same as registered methods, which have names."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        """For generated code: serve these methods."""
        for name, handler in handlers.items():
            path = f"/{service}/{name}"
            self._handlers[path] = self._bounded(path, handler)

    def reflect(self, services: Sequence[str]) -> None:
        """Answer reflection for services."""
        for path, handler in reflection_handlers(services).items():
            self._handlers[path] = self._bounded(path, handler)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler for a path."""
        return self._handlers.get(handler_call_details.method)

    def _bounded(self, path: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        decode, encode = handler.request_deserializer, handler.response_serializer

        @letting_go
        async def unary(context: ServicerContext) -> Any:
            connection = context.peer()
            holding = self._counts.begin_call(context, connection)
            try:
                call = self._counts.describe(path, context, connection)
                request = decode(await read_one(context, holding))
                with self._counts.count_in(call, connection):
                    return await handler.unary_unary(request, context)
            except RpcError as error:
                await abort(context, error, holding)

        @letting_go
        async def watch(context: ServicerContext) -> None:
            connection = context.peer()
            holding = self._counts.begin_call(context, connection)
            try:
                call = self._counts.describe(path, context, connection)
                request = decode(await read_one(context, holding))
                with self._counts.count_in(call, connection), self._lasts(call):
                    await handler.unary_stream(request, context)
            except RpcError as error:
                await abort(context, error, holding)

        async def converse(requests: AsyncIterator[Any], context: ServicerContext) -> AsyncIterator[Any]:
            connection = context.peer()
            holding = self._counts.begin_call(context, connection)
            try:
                call = self._counts.describe(path, context, connection)
                with self._counts.count_in(call, connection), self._lasts(call):
                    holding.begin_reading()
                    async for response in handler.stream_stream(requests, context):
                        size = response.ByteSize()
                        holding.hand(size)
                        yield response
                        holding.sent(size)
            except RpcError as error:
                await abort(context, error, holding)

        match handler.request_streaming, handler.response_streaming:
            case False, False:
                return grpc.stream_unary_rpc_method_handler(unary, None, encode)
            case False, True:
                return grpc.stream_stream_rpc_method_handler(watch, None, encode)
            case shape:
                assert shape == (True, True), f"{path} has a shape that nothing needed yet"
                return grpc.stream_stream_rpc_method_handler(converse, decode, encode)

    @contextmanager
    def _lasts(self, call: Call) -> Iterator[None]:
        if self._lasting[call.caller] >= _LASTING_EACH_MAX or self._lasting.total() >= _LASTING_MAX:
            message = "too many such streams are open"
            raise RpcError(Code.RESOURCE_EXHAUSTED, message, reason="TOO_MANY_CALLS", retry_after_s=5.0)
        self._lasting[call.caller] += 1
        try:
            yield
        finally:
            self._lasting[call.caller] -= 1
            if not self._lasting[call.caller]:
                del self._lasting[call.caller]
