"""A gRPC server whose handlers are Trio functions.

Theory of operation. grpc.aio runs one asyncio coroutine for each call (``router``); it admits the call and puts a
:class:`Job` into the inbox. One Trio task takes everything that is in the inbox when it wakes up and starts a
task for each job, so a burst of calls costs one change of sides.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import grpc
import trio

from alatau.transport.bridge import Bridge, current_bridge
from alatau.transport.call import Call
from alatau.transport.call_admission import CallAdmission, ServicerContext
from alatau.transport.connection_table import ConnectionTable
from alatau.transport.credentials import ServerTls
from alatau.transport.descriptors import connections_affordable
from alatau.transport.errors import Code, RpcError
from alatau.transport.front import Front, PortInUseError
from alatau.transport.garbage import quieten_grpc
from alatau.transport.health import Health
from alatau.transport.holdings import CallHolding
from alatau.transport.job import CANCELLED, Job, run_job
from alatau.transport.limits import Limits
from alatau.transport.pipes import PipeToAsyncio, PipeToTrio
from alatau.transport.router import Router
from alatau.transport.service import Handler, Method, Service
from alatau.transport.standard_services import StandardServices

__all__ = ["Listener", "PortInUseError", "Server", "serve"]


_FLUSH_SHARE: Final = 0.25
"""Of the grace at the end: in it calls that did not finish are told that they will not."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server listens."""

    host: str
    port: int
    """0 takes a free one."""
    tls: ServerTls


class Server:
    """A running server; :func:`serve` makes one."""

    def __init__(
        self,
        bridge: Bridge,
        services: Sequence[Service],
        listeners: Sequence[Listener],
        limits: Limits,
        health: Health,
    ) -> None:
        self._bridge = bridge
        self._services = services
        self._listeners = listeners
        self._limits = limits
        self._health = health
        self._trust = [listener.tls.trust for listener in listeners if listener.tls.trust is not None]
        self._admission = CallAdmission(limits, self._trust)
        self._inbox: deque[Job] = deque()
        self._jobs: set[Job] = set()
        self._dispatcher: trio.lowlevel.Task | None = None
        self._front: Front | None = None
        self.connections = ConnectionTable(
            limits,
            min(limits.connections_max, connections_affordable()),
            protect_established=bool(self._trust) and len(self._trust) == len(listeners),
        )
        self._stopping: asyncio.Future[None] | None = None
        """From the moment that it stops; done once no call is under way."""
        self.ports: tuple[int, ...] = ()
        """The port of each listener, in their order."""
        self.calls_started = 0
        self.calls_refused = self._admission.refused
        """Calls refused before their handler ran, by reason."""

    @property
    def calls_under_way(self) -> int:
        """Calls that have not ended."""
        return len(self._jobs)

    @property
    def held_bytes(self) -> int:
        """What all connections make this server keep."""
        return 0 if self._front is None else self._front.holdings.total

    # -- asyncio side ------------------------------------------------------------------------------------

    async def open(self) -> grpc.aio.Server:
        """Asyncio: bind and start."""
        front = self._front = Front(self._limits, self.connections)
        server = grpc.aio.server(options=self._limits.server_options())
        names = [service.name for service in self._services if service.described]
        standard = StandardServices(self)
        await self._health.attach(self._bridge, standard, names)
        standard.reflect(names)
        server.add_generic_rpc_handlers((Router(self, self._services), standard))
        try:
            ports = []
            for listener in self._listeners:
                port, inside = front.listen(listener.host, listener.port)
                server.add_secure_port(inside, listener.tls.credentials())
                ports.append(port)
            await server.start()
        except BaseException:
            front.close()
            await server.stop(None)
            raise
        front.start()
        self.ports = tuple(ports)
        return server

    async def stop(self, server: grpc.aio.Server) -> None:
        """Asyncio: take no more connections and calls, let those under way finish within the grace, close.

        Whoever is not let finish is told so by us: gRPC would say CANCELLED, as if the client had wanted it.
        """
        assert self._front is not None
        self._front.stop_accepting()
        self._stopping = asyncio.get_running_loop().create_future()
        flush_s = self._limits.shutdown_grace_s * _FLUSH_SHARE
        if self._jobs:
            await asyncio.wait((self._stopping,), timeout=self._limits.shutdown_grace_s - flush_s)
        self._bridge.to_trio(self._end, tuple(self._jobs))
        await server.stop(flush_s)
        self._front.close()

    def begin_call(self, context: ServicerContext, connection: str) -> CallHolding:
        """Asyncio: the headers of a call are there; what it holds counts until gRPC has done with it."""
        assert self._front is not None
        holding = self._front.begin_call(connection)
        context.add_done_callback(holding.end)
        return holding

    def describe(self, path: str, context: ServicerContext, connection: str) -> Call:
        """Asyncio: who calls; raises ``RpcError`` for whom this listener does not trust, and for all once it stops."""
        if self._stopping is not None:
            raise _stopped()
        return self._admission.describe(path, context, connection)

    @contextmanager
    def count_in(self, call: Call, connection: str) -> Iterator[None]:
        """Asyncio: a call that no handler of ours serves is under way; raises ``RpcError`` where it is not let in."""
        assert self._front is not None
        self._front.established(connection)
        self._admission.enter(call.caller)
        try:
            yield
        finally:
            self._admission.leave(call.caller)

    def admit(
        self, method: Method, handler: Handler, request: bytes, call: Call, connection: str, holding: CallHolding
    ) -> Job:
        """Asyncio: start a call; raises ``RpcError`` where it is not let in."""
        assert self._front is not None
        self._front.established(connection)
        outbound = PipeToAsyncio(self._bridge, holding.hand) if method.server_streaming else None
        job = Job(
            method=method,
            handler=handler,
            call=call if outbound is None else replace(call, begin=outbound.begin),
            request=request,
            result=asyncio.get_running_loop().create_future(),
            inbound=PipeToTrio(self._bridge) if method.client_streaming else None,
            outbound=outbound,
            connection=connection,
            holding=holding,
        )
        self._admission.enter(job.caller)
        self._jobs.add(job)
        self.calls_started += 1
        self._inbox.append(job)
        self._bridge.to_trio(self._wake_dispatcher)
        return job

    def cancel(self, job: Job) -> None:
        """Asyncio: nobody waits for this call any more."""
        if self._front is not None and time.monotonic() - job.begun_at < self._limits.early_s:
            self._front.cancelled(job.connection)
        self._bridge.to_trio(job.scope.cancel)

    def _conclude(self, job: Job, result: bytes | RpcError) -> None:
        """Asyncio: hand over the result; the client may have cancelled meanwhile."""
        self._jobs.discard(job)
        if self._stopping is not None and not self._jobs and not self._stopping.done():
            self._stopping.set_result(None)
        self._admission.leave(job.caller)
        if not job.result.done():
            job.result.set_result(result)

    # -- Trio side ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def counted(self, caller: bytes | str) -> AsyncIterator[None]:
        """Trio: a call that came by another listener is under way; raises ``RpcError`` where it is not let in.

        A caller has one count and one rate, whichever way it comes.
        """

        async def enter() -> None:
            if self._stopping is not None:
                raise _stopped()
            self._admission.enter(caller)

        with trio.CancelScope(shield=True):  # it takes no time; a call counted in and forgotten would count for ever
            await self._bridge.call(enter)
        try:
            yield
        finally:
            self._bridge.to_asyncio(self._admission.leave, caller)

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
            if job.call.peer is not None and not self._admission.permits(job.call.peer.tls_key_hash):
                job.refused = self._admission.untrusted()
                job.scope.cancel()

    def end_streams(self) -> None:
        """Trio: end every streaming call, which would else outlast any grace."""
        self._end(tuple(job for job in self._jobs if job.is_stream))

    def _end(self, jobs: Sequence[Job]) -> None:
        """Trio: end calls because the server stops."""
        for job in jobs:
            job.refused = _stopped()
            job.scope.cancel()

    def watch_trust(self) -> Callable[[], None]:
        """Follow the listeners' trust stores; gives a function that stops it."""
        stops = [store.on_change(self.end_untrusted) for store in self._trust]

        def stop_all() -> None:
            for stop in stops:
                stop()

        return stop_all

    async def _run(self, job: Job) -> None:
        result: bytes | RpcError = CANCELLED
        try:
            result = await run_job(job)
        finally:
            if job.outbound is not None:
                job.outbound.close()
            self._bridge.to_asyncio(self._conclude, job, result)

    def _wake_dispatcher(self) -> None:
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            trio.lowlevel.reschedule(dispatcher)

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._dispatcher = None
        return trio.lowlevel.Abort.SUCCEEDED


def _stopped() -> RpcError:
    return RpcError(Code.UNAVAILABLE, "the node is shutting down", reason="NODE_STOPPING")


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
    quieten_grpc()
    limits = limits or Limits()
    async with current_bridge() as bridge:
        server = Server(bridge, services, listeners, limits, health or Health())
        grpc_server = await bridge.call(server.open)
        stop_watching = server.watch_trust()
        calls = trio.CancelScope(shield=True)  # they outlive the cancellation by the grace
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_dispatch_within, server, calls)
            try:
                task_status.started(server)
                await trio.sleep_forever()
            finally:
                stop_watching()
                server.end_streams()
                with trio.CancelScope(shield=True):
                    await bridge.call(lambda: server.stop(grpc_server))
                calls.cancel()


async def _dispatch_within(server: Server, scope: trio.CancelScope) -> None:
    with scope:
        await server.dispatch()
