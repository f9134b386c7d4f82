"""grpc.health.v1: whether each service takes calls. A node that is syncing says NOT_SERVING."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from alatau.transport.bridge import Bridge

_STATUS = {True: health_pb2.HealthCheckResponse.SERVING, False: health_pb2.HealthCheckResponse.NOT_SERVING}


class AcceptsHandlers(Protocol):
    """What a generated service is added to."""

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Serve these."""

    def add_registered_method_handlers(self, service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        """Serve these methods of a service."""


class _Servicer(health.aio.HealthServicer):  # type: ignore[misc]
    """The library's, which lacks the newest method."""

    def __init__(self, serving: Mapping[str, bool]) -> None:
        super().__init__()
        self._serving = serving

    async def List(self, _request: object, _context: object) -> health_pb2.HealthListResponse:  # noqa: N802  gRPC's name
        """The health of every service, and under the empty name that of the server."""
        statuses = {
            name: health_pb2.HealthCheckResponse(status=_STATUS[serving]) for name, serving in self._serving.items()
        }
        return health_pb2.HealthListResponse(statuses=statuses)


class Health:
    """The health of a server's services, kept from before it listens. One server each."""

    def __init__(self, *, serving: bool = True) -> None:
        self._default = serving
        self._serving: dict[str, bool] = {}
        self._servicer = _Servicer(self._serving)
        self._bridge: Bridge | None = None
        self._updates: set[asyncio.Future[None]] = set()

    def is_serving(self, service: str = "") -> bool:
        """What would be answered for a service; the empty name is the server as a whole."""
        return self._serving.get(service, self._default)

    def set_serving(self, serving: bool, services: Sequence[str] | None = None) -> None:
        """Say from now on whether ``services`` (all, and the server as a whole, if None) take calls."""
        if services is None:
            self._default = serving
        for name in self._serving if services is None else services:
            self._serving[name] = serving
            if self._bridge is not None:
                self._bridge.to_asyncio(self._publish, name, serving)

    async def attach(self, bridge: Bridge, server: AcceptsHandlers, services: Sequence[str]) -> None:
        """Asyncio: answer on ``server`` for ``services``."""
        self._bridge = bridge
        for name in ("", *services):
            self._serving.setdefault(name, self._default)
        for name, serving in self._serving.items():
            await self._servicer.set(name, _STATUS[serving])
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    def _publish(self, name: str, serving: bool) -> None:
        update = asyncio.ensure_future(self._servicer.set(name, _STATUS[serving]))
        self._updates.add(update)
        update.add_done_callback(self._updates.discard)
