"""The asyncio side of serving: one coroutine for each call, over bytes.

It admits the call, moves a stream's messages between grpc and the pipes, and waits for the job's result. When the
client cancels, its deadline passes or its connection ends, grpc cancels the coroutine and it cancels the job.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Protocol

import grpc
import trio

from alatau.transport.admission import ServicerContext
from alatau.transport.errors import DETAILS_KEY, RpcError, short_message, to_status
from alatau.transport.job import Job
from alatau.transport.pipes import PipeToTrio
from alatau.transport.service import Handler, Method, Service, does_announce

_STATUS: Final = {code.value[0]: code for code in grpc.StatusCode}


class Desk(Protocol):
    """Takes calls over to Trio: the server."""

    def admit(self, method: Method, handler: Handler, request: bytes, context: ServicerContext) -> Job:
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
    """A method without serializers: parsing happens on the Trio side, with our errors."""
    at_once = not does_announce(handler)
    """A stream's headers go out when it is admitted: whoever waits for them must not wait for its first message."""

    async def unary(request: bytes, context: ServicerContext) -> bytes:
        try:
            job = desk.admit(method, handler, request, context)
        except RpcError as error:
            return await _abort(context, error)
        return await _result(desk, job, context)

    async def stream(request: Any, context: ServicerContext) -> bytes | None:
        try:
            job = desk.admit(method, handler, b"" if method.client_streaming else request, context)
        except RpcError as error:
            return await _abort(context, error)
        if at_once:
            await context.send_initial_metadata(())
        return await _pump(desk, job, context)

    match method.client_streaming, method.server_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(unary)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(stream)
        case True, False:
            return grpc.stream_unary_rpc_method_handler(stream)
        case _:
            return grpc.stream_stream_rpc_method_handler(stream)


async def _pump(desk: Desk, job: Job, context: ServicerContext) -> bytes | None:
    """Move a call's messages until its handler has ended."""
    reading = None if job.inbound is None else asyncio.ensure_future(_read_all(job.inbound, context))
    try:
        if job.outbound is None:
            return await _result(desk, job, context)
        while (message := await job.outbound.get()) is not None:
            if isinstance(message, bytes):
                await context.write(message)
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


async def _read_all(pipe: PipeToTrio, context: ServicerContext) -> None:
    error: BaseException | None = trio.BrokenResourceError("the caller is gone")
    try:
        while (message := await context.read()) is not grpc.aio.EOF:
            await pipe.put(message)
        error = None
    finally:
        pipe.close(error)


async def _result(desk: Desk, job: Job, context: ServicerContext) -> bytes:
    try:
        result = await job.result
    except asyncio.CancelledError:
        desk.cancel(job)
        raise
    return await _abort(context, result) if isinstance(result, RpcError) else result


async def _abort(context: ServicerContext, error: RpcError) -> bytes:
    details = to_status(error).SerializeToString()
    await context.abort(
        _STATUS[error.code.value], short_message(error.message), trailing_metadata=((DETAILS_KEY, details),)
    )
    raise AssertionError  # abort always raises
