"""A gRPC server whose handlers are Trio functions.

Theory of operation. grpc.aio runs one asyncio coroutine per call; ours admits the call (limits, identity), puts
a :class:`_Job` into the inbox and waits for its result. One Trio task takes everything that is in the inbox
per wake-up and starts a task for each job. Messages of streams go through pipes. When the client cancels,
its deadline passes or its connection ends, grpc cancels the coroutine, which cancels the job's Trio scope.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
import structlog
import trio
from google.protobuf.message import Message
from grpc_health.v1 import health
from grpc_reflection.v1alpha import reflection

from alatau.transport.bridge import Bridge, current_bridge
from alatau.transport.call import Call, PeerIdentity
from alatau.transport.certificates import CertificateError, common_name_of, key_hash, public_key_of
from alatau.transport.credentials import ServerTls, require_tls_1_3
from alatau.transport.errors import DETAILS_KEY, Code, RpcError, to_status
from alatau.transport.health import Health
from alatau.transport.limits import Limits, PeerRates
from alatau.transport.messages import Requests, parse
from alatau.transport.pipes import PipeToAsyncio, PipeToTrio
from alatau.transport.service import Handler, Method, Service

_LOG = structlog.get_logger("alatau.transport")
_STATUS: Final = {code.value[0]: code for code in grpc.StatusCode}
_IDENTITIES_MAX: Final = 1_024
"""Certificates whose parsed identity is kept: every peer of a large network several times over."""

_CANCELLED: Final = RpcError(Code.CANCELLED, "the call was cancelled", reason="CANCELLED")


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server listens."""

    host: str
    port: int
    """0 takes a free one."""
    tls: ServerTls


class PortInUseError(OSError):
    """The address cannot be listened on: another process has it. Stop that, or configure another port."""


@dataclass(eq=False, slots=True)
class _Job:
    """A call on its way through Trio."""

    method: Method
    handler: Handler
    call: Call
    request: bytes
    result: "asyncio.Future[bytes | RpcError]"
    inbound: PipeToTrio | None
    outbound: PipeToAsyncio | None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    refused: RpcError | None = None
    """Why the server ended the call, where it did."""

    @property
    def caller(self) -> bytes | str:
        return self.call.peer.tls_key_hash if self.call.peer else self.call.address


class Server:
    """A running server; :func:`serve` makes one."""

    def __init__(self, bridge: Bridge, services: Sequence[Service], limits: Limits, health: Health) -> None:
        self._bridge = bridge
        self._limits = limits
        self._rates = PeerRates(limits)
        self._inbox: deque[_Job] = deque()
        self._dispatcher: trio.lowlevel.Task | None = None
        self._jobs: set[_Job] = set()
        self._per_caller: Counter[bytes | str] = Counter()
        self._identities: dict[bytes, PeerIdentity] = {}
        self._trusts: list[ServerTls] = []
        self._services = services
        self._health = health
        self.ports: tuple[int, ...] = ()
        """The port of each listener, in their order."""
        self.calls_started = 0
        self.calls_refused: Counter[str] = Counter()
        """Calls refused before their handler ran, by reason."""

    @property
    def calls_under_way(self) -> int:
        """Calls whose Trio task has not ended."""
        return len(self._jobs)

    # -- asyncio side ------------------------------------------------------------------------------------

    async def open(self, listeners: Sequence[Listener]) -> grpc.aio.Server:
        """Asyncio: bind and start."""
        server = grpc.aio.server(options=[*self._limits.options(), ("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((_Router(self, self._services),))
        names = [service.name for service in self._services]
        await self._health.attach(self._bridge, server, names)
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        ports = []
        for listener in listeners:
            self._trusts.append(listener.tls)
            try:
                port = server.add_secure_port(f"{listener.host}:{listener.port}", listener.tls.credentials())
            except RuntimeError as error:
                await server.stop(None)
                msg = f"cannot listen on {listener.host}:{listener.port}: {error}"
                raise PortInUseError(msg) from error
            ports.append(port)
        await server.start()
        self.ports = tuple(ports)
        return server

    def admit(
        self, method: Method, handler: Handler, request: bytes, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> _Job:
        """Asyncio: check a call against the limits before it costs anything; raises ``RpcError``."""
        peer = self._identify(context)
        address = context.peer()
        remaining = context.time_remaining()
        metadata = {key.lower(): value for key, value in context.invocation_metadata() or ()}
        call = Call(
            method=method.path,
            peer=peer,
            address=address.rpartition(":")[0],
            deadline=None if remaining is None else time.monotonic() + remaining,
            metadata=metadata,
        )
        job = _Job(
            method=method,
            handler=handler,
            call=call,
            request=request,
            result=asyncio.get_running_loop().create_future(),
            inbound=PipeToTrio(self._bridge) if method.client_streaming else None,
            outbound=PipeToAsyncio(self._bridge) if method.server_streaming else None,
        )
        self._check_limits(job.caller)
        self._jobs.add(job)
        self._per_caller[job.caller] += 1
        self.calls_started += 1
        self._inbox.append(job)
        self._bridge.to_trio(self._wake_dispatcher)
        return job

    def _check_limits(self, caller: bytes | str) -> None:
        limits = self._limits
        bucket = self._rates.bucket(caller)
        if not bucket.take():
            raise self._refusal(
                Code.RESOURCE_EXHAUSTED, "RATE_LIMITED", "too many calls a second", retry_after_s=bucket.wait_s()
            )
        if len(self._jobs) >= limits.concurrent_calls_max:
            raise self._refusal(Code.RESOURCE_EXHAUSTED, "SERVER_BUSY", "too many calls under way", retry_after_s=1.0)
        if self._per_caller[caller] >= limits.concurrent_calls_per_peer_max:
            raise self._refusal(Code.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS", "too many calls under way from this caller")

    def _refusal(self, code: Code, reason: str, message: str, *, retry_after_s: float | None = None) -> RpcError:
        self.calls_refused[reason] += 1
        return RpcError(code, message, reason=reason, retry_after_s=retry_after_s)

    def _identify(self, context: "grpc.aio.ServicerContext[Any, Any]") -> PeerIdentity | None:
        certificates = context.auth_context().get("x509_pem_cert")
        if not certificates:
            return None
        pem = certificates[0]
        identity = self._identities.get(pem)
        if identity is None:
            try:
                identity = PeerIdentity(key_hash(public_key_of(pem)), common_name_of(pem) or "")
            except CertificateError as error:
                raise self._refusal(Code.UNAUTHENTICATED, "CERTIFICATE_UNREADABLE", str(error)) from error
            if len(self._identities) >= _IDENTITIES_MAX:
                self._identities.clear()
            self._identities[pem] = identity
        if not self._permits(identity.tls_key_hash):
            raise self._refusal(Code.PERMISSION_DENIED, "KEY_NOT_TRUSTED", "this TLS key is not, or no longer, trusted")
        return identity

    def _permits(self, hash_: bytes) -> bool:
        return any(tls.trust is not None and tls.trust.permits(hash_) for tls in self._trusts)

    def cancel(self, job: _Job) -> None:
        """Asyncio: the client no longer waits for this call."""
        self._bridge.to_trio(job.scope.cancel)

    # -- Trio side ---------------------------------------------------------------------------------------

    async def dispatch(self) -> None:
        """Trio: start a task for each admitted call, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                while self._inbox:
                    nursery.start_soon(self._run, self._inbox.popleft())
                self._dispatcher = trio.lowlevel.current_task()
                if not self._inbox:  # else the asyncio thread added one meanwhile
                    await trio.lowlevel.wait_task_rescheduled(self._abort)
                self._dispatcher = None

    def end_untrusted(self) -> None:
        """Trio: end the calls of keys that are no longer trusted."""
        for job in tuple(self._jobs):
            if job.call.peer is not None and not self._permits(job.call.peer.tls_key_hash):
                job.refused = self._refusal(
                    Code.PERMISSION_DENIED, "KEY_NOT_TRUSTED", "this TLS key is no longer trusted"
                )
                job.scope.cancel()

    def watch_trust(self) -> Callable[[], None]:
        """Follow the listeners' trust stores; gives a function that stops it."""
        stops = [tls.trust.on_change(self.end_untrusted) for tls in self._trusts if tls.trust is not None]

        def stop_all() -> None:
            for stop in stops:
                stop()

        return stop_all

    async def _run(self, job: _Job) -> None:
        result: bytes | RpcError = _CANCELLED
        try:
            with job.scope:
                result = await _invoke(job)
            if job.scope.cancelled_caught:
                result = job.refused or _CANCELLED
        except Exception as error:  # noqa: BLE001  a handler's bug must not end the server
            result = _as_rpc_error(job, error)
        finally:
            self._jobs.discard(job)
            self._per_caller[job.caller] -= 1
            if not self._per_caller[job.caller]:
                del self._per_caller[job.caller]
            if job.outbound is not None:
                job.outbound.close()
            self._bridge.to_asyncio(_set_result, job.result, result)

    def _wake_dispatcher(self) -> None:
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            trio.lowlevel.reschedule(dispatcher)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._dispatcher = None
        return trio.lowlevel.Abort.SUCCEEDED

    def end_streams(self) -> None:
        """Trio: end every streaming call, which would else outlast any grace."""
        for job in tuple(self._jobs):
            if job.inbound is not None or job.outbound is not None:
                job.refused = RpcError(Code.UNAVAILABLE, "the node is shutting down", reason="SHUTTING_DOWN")
                job.scope.cancel()


async def serve(
    services: Sequence[Service],
    listeners: Sequence[Listener],
    *,
    limits: Limits | None = None,
    health: Health | None = None,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled: ``server = await nursery.start(partial(serve, services, listeners))``.

    On cancellation streams end, and unary calls under way get ``limits.shutdown_grace_s`` to finish.
    Raises ``PortInUseError``.
    """
    require_tls_1_3()
    limits = limits or Limits()
    async with current_bridge() as bridge, trio.open_nursery() as nursery:
        server = Server(bridge, services, limits, health or Health())
        grpc_server = await bridge.call(lambda: server.open(listeners))
        stop_watching = server.watch_trust()
        calls = trio.CancelScope(shield=True)  # they outlive the cancellation by the grace
        nursery.start_soon(_dispatch_within, server, calls)
        try:
            task_status.started(server)
            await trio.sleep_forever()
        finally:
            stop_watching()
            server.end_streams()
            with trio.CancelScope(shield=True):
                await bridge.call(lambda: grpc_server.stop(limits.shutdown_grace_s))
            calls.cancel()


async def _dispatch_within(server: Server, scope: trio.CancelScope) -> None:
    with scope:
        await server.dispatch()


class _Router(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the coroutine for a call's path; unknown paths are UNIMPLEMENTED."""

    def __init__(self, server: Server, services: Sequence[Service]) -> None:
        self._handlers = {
            method.path: _rpc_handler(server, method, handler)
            for service in services
            for method, handler in service.endpoints
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler for a path."""
        return self._handlers.get(handler_call_details.method)


_Context = Any
"""``grpc.aio.ServicerContext``; grpc ships no types."""


def _rpc_handler(server: Server, method: Method, handler: Handler) -> grpc.RpcMethodHandler:
    """The asyncio coroutine of a method, over bytes: parsing happens on the Trio side, with our errors."""

    async def unary(request: bytes, context: _Context) -> bytes:
        try:
            job = server.admit(method, handler, request, context)
        except RpcError as error:
            return await _abort(context, error)
        return await _await_result(server, job, context)

    async def stream(request: Any, context: _Context) -> bytes | None:
        try:
            job = server.admit(method, handler, b"" if method.client_streaming else request, context)
        except RpcError as error:
            return await _abort(context, error)
        return await _pump(server, job, context)

    match method.client_streaming, method.server_streaming:
        case False, False:
            return grpc.unary_unary_rpc_method_handler(unary)
        case False, True:
            return grpc.unary_stream_rpc_method_handler(stream)
        case True, False:
            return grpc.stream_unary_rpc_method_handler(stream)
        case _:
            return grpc.stream_stream_rpc_method_handler(stream)


async def _pump(server: Server, job: _Job, context: _Context) -> bytes | None:
    """Move a call's messages between grpc and the pipes until its handler has ended."""
    reading = None if job.inbound is None else asyncio.ensure_future(_read_all(job.inbound, context))
    try:
        if job.outbound is None:
            return await _await_result(server, job, context)
        while (message := await job.outbound.get()) is not None:
            await context.write(message)
        await _await_result(server, job, context)
    except asyncio.CancelledError:
        server.cancel(job)
        raise
    finally:
        if job.outbound is not None:
            job.outbound.close()
        if reading is not None:
            reading.cancel()
    return None


async def _read_all(pipe: PipeToTrio, context: _Context) -> None:
    error: BaseException | None = trio.BrokenResourceError("the caller is gone")
    try:
        while (message := await context.read()) is not grpc.aio.EOF:
            await pipe.put(message)
        error = None
    finally:
        pipe.close(error)


async def _await_result(server: Server, job: _Job, context: _Context) -> bytes:
    try:
        result = await job.result
    except asyncio.CancelledError:
        server.cancel(job)
        raise
    return await _abort(context, result) if isinstance(result, RpcError) else result


async def _abort(context: _Context, error: RpcError) -> bytes:
    details = to_status(error).SerializeToString()
    await context.abort(_STATUS[error.code.value], error.message, trailing_metadata=((DETAILS_KEY, details),))
    raise AssertionError  # abort always raises


def _set_result(future: "asyncio.Future[bytes | RpcError]", result: bytes | RpcError) -> None:
    if not future.done():  # the client may have cancelled meanwhile
        future.set_result(result)


async def _invoke(job: _Job) -> bytes | RpcError:
    """Trio: parse, run the handler, serialize."""
    method = job.method
    source = parse(method.request, job.request) if job.inbound is None else Requests(job.inbound, method.request)
    if job.outbound is not None:
        outbound = job.outbound

        async def send(message: Message | bytes) -> None:
            await outbound.put(message if isinstance(message, bytes) else message.SerializeToString())

        await job.handler(source, job.call, send)
        return b""
    response: Message = await job.handler(source, job.call)
    return response.SerializeToString()


def _as_rpc_error(job: _Job, error: Exception) -> RpcError:
    """What the client is told of a handler's exception; a nursery's group of one counts as that one."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, RpcError):
        return error
    if isinstance(error, trio.BrokenResourceError):  # the client went away while we sent
        return _CANCELLED
    _LOG.error("handler_failed", method=job.method.path, exc_info=error)
    return RpcError(Code.INTERNAL, "the node failed to serve the call; its log says why", reason="INTERNAL")
