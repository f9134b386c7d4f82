"""What the listeners for peers and for clients hold and refuse, as metrics."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from alatau.app.metrics import Labels, Metrics
from alatau.transport.connection_table import ConnectionTable


class Served(Protocol):
    """A port and what goes on at it: a server of gRPC, or its HTTP face."""

    @property
    def connections(self) -> ConnectionTable:
        """Those that are open, and how many were refused."""
        ...

    @property
    def held_bytes(self) -> int:
        """What connections make the node keep."""
        ...

    @property
    def calls_started(self) -> int:
        """Calls whose handler ran, since the start."""
        ...

    @property
    def calls_under_way(self) -> int:
        """Of these, those that have not ended."""
        ...

    @property
    def calls_refused(self) -> Mapping[str, int]:
        """Calls refused before their handler ran, by reason."""
        ...


Servers: TypeAlias = Mapping[str, Served]
"""By the name of their port: ``peers``, ``clients``, and ``http`` where there is one."""


def register_server_metrics(metrics: Metrics, servers: Servers) -> None:
    """Register them; ``docs/networking.md`` explains the reasons for which connections are refused."""
    metrics.gauge(
        "transport_connections",
        "Connections that are open.",
        lambda: _by_port(servers, lambda server: len(server.connections)),
        labels=("port",),
    )
    metrics.gauge(
        "transport_held_bytes",
        "What connections make the node keep: calls, answers that nobody takes, requests that are not complete.",
        lambda: _by_port(servers, lambda server: server.held_bytes),
        labels=("port",),
    )
    metrics.gauge(
        "transport_calls",
        "Calls under way, streams among them.",
        lambda: _by_port(servers, lambda server: server.calls_under_way),
        labels=("port",),
    )
    metrics.counter(
        "transport_calls_total",
        "Calls that were let in.",
        lambda: _by_port(servers, lambda server: server.calls_started),
        labels=("port",),
    )
    metrics.counter(
        "transport_connections_refused_total",
        "Connections that were closed before a call, or for another one.",
        lambda: _by_reason(servers, lambda server: server.connections.refused),
        labels=("port", "reason"),
    )
    metrics.counter(
        "transport_calls_refused_total",
        "Calls that were refused before they were looked at.",
        lambda: _by_reason(servers, lambda server: server.calls_refused),
        labels=("port", "reason"),
    )


def _by_port(servers: Servers, read: Callable[[Served], int]) -> Mapping[Labels, float]:
    return {(port,): float(read(server)) for port, server in servers.items()}


def _by_reason(servers: Servers, read: Callable[[Served], Mapping[str, int]]) -> Mapping[Labels, float]:
    return {(port, reason): float(count) for port, server in servers.items() for reason, count in read(server).items()}
