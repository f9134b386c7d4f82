"""A call on its way through Trio: parsing, the handler, and what its end means."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

import structlog
import trio
from google.protobuf.message import Message

from alatau.transport.call import Call
from alatau.transport.errors import Code, RpcError, detached
from alatau.transport.holdings import CallHolding
from alatau.transport.messages import Requests, parse
from alatau.transport.pipes import PipeToAsyncio, PipeToTrio
from alatau.transport.service import Handler, Method

_LOG = structlog.get_logger("alatau.transport")

CANCELLED: Final = RpcError(Code.CANCELLED, "the call was cancelled", reason="CANCELLED")
"""What nobody is left to hear: the caller is gone."""


@dataclass(eq=False, slots=True)
class Job:
    """One call, between its admission on asyncio and its result."""

    method: Method
    handler: Handler
    call: Call
    request: bytes
    """The one request; empty where they come as a stream."""
    result: "asyncio.Future[bytes | RpcError]"
    """Set once, on asyncio: the response's bytes (none for a stream) or how the call failed."""
    inbound: PipeToTrio | None
    outbound: PipeToAsyncio | None
    holding: CallHolding
    connection: str
    """What grpc calls the connection that it came by."""
    begun_at: float = field(default_factory=time.monotonic)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    refused: RpcError | None = None
    """Why this side ended the call, where it did."""

    @property
    def caller(self) -> bytes | str:
        """Who is charged for the call: the key, or the address of an anonymous caller."""
        return self.call.caller

    @property
    def is_stream(self) -> bool:
        """Whether messages stream in either direction."""
        return self.inbound is not None or self.outbound is not None


async def run_job(job: Job) -> bytes | RpcError:
    """Run a call's handler to its end. Raises nothing but ``trio.Cancelled`` from outside the call."""
    result: bytes | RpcError = CANCELLED
    try:
        with job.scope:
            result = await _invoke(job)
    except Exception as error:  # noqa: BLE001  a handler's bug must not end the server
        return as_rpc_error(job.method.path, error)
    return job.refused or CANCELLED if job.scope.cancelled_caught else result


async def _invoke(job: Job) -> bytes:
    method = job.method
    if job.inbound is None:
        source: Message | Requests = parse(method.request, job.request, method.check)
    else:
        source = Requests(job.inbound, method.request, method.check)
    if job.outbound is None:
        response: Message = await job.handler(source, job.call)
        return response.SerializeToString()
    outbound = job.outbound

    async def send(message: Message | bytes) -> None:
        await outbound.put(message if isinstance(message, bytes) else message.SerializeToString())

    await job.handler(source, job.call, send)
    return b""


def as_rpc_error(method: str, error: Exception) -> RpcError:
    """What the caller is told of a handler's exception; a nursery's group of one counts as that one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, RpcError):
        return detached(error)
    if isinstance(error, trio.BrokenResourceError):  # the caller went away while we sent
        return CANCELLED
    _LOG.error("transport.handler_failed", method=method, exc_info=error)
    return RpcError(Code.INTERNAL, "the node failed to serve the call; its log says why", reason="INTERNAL")
