"""The asyncio side of serving: one coroutine for each call, over bytes.

It admits the call, moves a stream's messages between grpc and the pipes, and waits for the job's result. When the
client cancels, its deadline passes or its connection ends, grpc cancels the coroutine and it cancels the job.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NoReturn, Protocol, TypeVar, cast

import grpc
import trio

from alatau.transport.call import Call
from alatau.transport.call_admission import ServicerContext
from alatau.transport.errors import DETAILS_KEY, Code, RpcError, short_message, to_status
from alatau.transport.holdings import CallHolding
from alatau.transport.job import Job
from alatau.transport.pipes import PipeToTrio
from alatau.transport.service import Handler, Method, Service, does_announce

T = TypeVar("T")
_STATUS: Final = {code.value[0]: code for code in grpc.StatusCode}


class Desk(Protocol):
    """Takes calls over to Trio: the server."""

    def begin_call(self, context: ServicerContext, connection: str) -> CallHolding:
        """The headers of a call are there; ``connection`` is what grpc calls the one that they came by."""
        ...

    def describe(self, path: str, context: ServicerContext, connection: str) -> Call:
        """Who calls; raises ``RpcError`` for whom this listener does not trust."""
        ...

    def admit(
        self, method: Method, handler: Handler, request: bytes, call: Call, connection: str, holding: CallHolding
    ) -> Job:
        """Start a call; raises ``RpcError`` where it is not let in."""
        ...

    def cancel(self, job: Job) -> None:
        """Nobody waits for this call any more."""
        ...


class Router(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the coroutine for a call's path; grpc answers unknown paths with UNIMPLEMENTED."""

    def __init__(self, desk: Desk, services: Sequence[Service]) -> None:
        self._handlers = {
            method.path: _rpc_handler(desk, method, handler)
            for service in services
            for method, handler in service.endpoints
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler for a path."""
        return self._handlers.get(handler_call_details.method)


def _rpc_handler(desk: Desk, method: Method, handler: Handler) -> grpc.RpcMethodHandler:
    """A method without serializers: parsing happens on the Trio side, with our errors.

    To gRPC all requests are streams: else it would keep a call to itself until its one message is there, however long
    that takes, and nobody could count it.
    """
    at_once = not does_announce(handler)
    """A stream's headers go out when it is admitted: whoever waits for them must not wait for its first message."""

    async def start(context: ServicerContext) -> Job:
        connection = context.peer()
        holding = desk.begin_call(context, connection)
        try:
            call = desk.describe(method.path, context, connection)
            request = b"" if method.client_streaming else await read_one(context, holding)
            return desk.admit(method, handler, request, call, connection, holding)
        except RpcError as error:
            await abort(context, error, holding)

    @letting_go
    async def unary(context: ServicerContext) -> bytes:
        return await _result(desk, await start(context), context)

    @letting_go
    async def stream(context: ServicerContext) -> bytes | None:
        return await _pump(desk, await start(context), context, at_once=at_once)

    if method.server_streaming:
        return grpc.stream_stream_rpc_method_handler(stream)
    return grpc.stream_unary_rpc_method_handler(stream if method.client_streaming else unary)


def letting_go(serve: Callable[[ServicerContext], Awaitable[T]]) -> Callable[[object, ServicerContext], Awaitable[T]]:
    """What gRPC calls for a method that ``serve`` serves: a call that it aborts keeps nothing of its request.

    gRPC keeps the exception of an abort with the call, which the exception's frames know: such a circle waits for the
    collector, and so would the request that the frames hold.
    """

    async def handler(_requests: object, context: ServicerContext) -> T:
        try:
            return await serve(context)
        except grpc.aio.AbortError as ended:
            ended.__context__ = None
            raise ended.with_traceback(None) from None

    return handler


async def read_one(context: ServicerContext, holding: CallHolding) -> bytes:
    """The one message of a request. Raises ``RpcError`` where the client has ended its side without one."""
    holding.begin_reading()
    try:
        message = await context.read()
        if message is grpc.aio.EOF:
            raise RpcError(Code.INVALID_ARGUMENT, "the request ended before its message", reason="INVALID_REQUEST")
        holding.message(len(message))
        return cast("bytes", message)
    finally:
        holding.end_reading()


async def _pump(desk: Desk, job: Job, context: ServicerContext, *, at_once: bool) -> bytes | None:
    """Move a call's messages until its handler has ended; ``at_once`` sends its headers first."""
    reading = None if job.inbound is None else asyncio.ensure_future(_read_all(job.inbound, context, job.holding))
    try:
        if at_once:
            await context.send_initial_metadata(())
        if job.outbound is None:
            return await _result(desk, job, context)
        while (message := await job.outbound.get()) is not None:
            if isinstance(message, bytes):
                await context.write(message)
                job.holding.sent(len(message))
            else:
                await context.send_initial_metadata(tuple(message.items()))
        await _result(desk, job, context)
    except asyncio.CancelledError:
        desk.cancel(job)
        raise
    except grpc.aio.InternalError as error:  # the connection broke under a write, ahead of the cancellation
        desk.cancel(job)
        raise asyncio.CancelledError from error
    finally:
        if job.outbound is not None:
            job.outbound.close()
        if reading is not None:
            reading.cancel()
    return None


async def _read_all(pipe: PipeToTrio, context: ServicerContext, holding: CallHolding) -> None:
    error: BaseException | None = trio.BrokenResourceError("the caller is gone")
    holding.begin_reading()
    try:
        while (message := await context.read()) is not grpc.aio.EOF:
            holding.message(len(message))
            await pipe.put(message)
        error = None
    finally:
        holding.end_reading()
        pipe.close(error)


async def _result(desk: Desk, job: Job, context: ServicerContext) -> bytes:
    try:
        result = await job.result
    except asyncio.CancelledError:
        desk.cancel(job)
        raise
    if isinstance(result, RpcError):
        await abort(context, result, job.holding)
    job.holding.hand(len(result))
    return result


async def abort(context: ServicerContext, error: RpcError, holding: CallHolding) -> NoReturn:
    """End a call with an error."""
    details = to_status(error).SerializeToString()
    holding.hand(2 * len(details))  # base64 and what is around it
    await context.abort(
        _STATUS[error.code.value], short_message(error.message), trailing_metadata=((DETAILS_KEY, details),)
    )
    raise AssertionError  # abort always raises
