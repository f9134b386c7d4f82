"""What the listeners for peers and for clients hold and refuse, as metrics."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from alatau.app.metrics import Labels, Metrics
from alatau.transport.server import Server

Servers: TypeAlias = Mapping[str, Server]
"""By the name of their port: ``peers``, ``clients``."""


def register_server_metrics(metrics: Metrics, servers: Servers) -> None:
    """Register them; ``docs/networking.md`` explains the reasons for which connections are refused."""
    metrics.gauge(
        "transport_connections",
        "Connections that are open.",
        lambda: {(port,): float(len(server.connections)) for port, server in servers.items()},
        labels=("port",),
    )
    metrics.gauge(
        "transport_held_bytes",
        "What connections make the node keep: calls, answers that nobody takes, requests that are not complete.",
        lambda: {(port,): float(server.held_bytes) for port, server in servers.items()},
        labels=("port",),
    )
    metrics.counter(
        "transport_connections_refused_total",
        "Connections that were closed before a call, or for another one.",
        _by_reason(servers, lambda server: server.connections.refused),
        labels=("port", "reason"),
    )
    metrics.counter(
        "transport_calls_refused_total",
        "Calls that were refused before they were looked at.",
        _by_reason(servers, lambda server: server.calls_refused),
        labels=("port", "reason"),
    )


def _by_reason(servers: Servers, read: Callable[[Server], Mapping[str, int]]) -> Callable[[], Mapping[Labels, float]]:
    return lambda: {
        (port, reason): float(count) for port, server in servers.items() for reason, count in read(server).items()
    }
