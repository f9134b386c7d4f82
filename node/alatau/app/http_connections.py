"""Who holds a connection to the metrics port, and who gives way: a newcomer is never refused.

An orchestrator's probe comes from anywhere, also from the address that floods the port, so no bound may turn it away.
Instead the connection that has waited longest makes room: of the same address, where that has its share already, else
of the address that has most. A probe asks at once; to take its place before it is answered, a flood would have to open
as many connections as there are places within a millisecond.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import trio

from alatau.transport.connection_table import source_of


class HttpConnections:
    """The connections of a server, each the scope that ends it."""

    def __init__(self, total_max: int, per_source_max: int) -> None:
        self._total_max = total_max
        self._per_source_max = per_source_max
        self._open: dict[str, dict[trio.CancelScope, None]] = {}
        """By source, each from the one that asked longest ago to the latest."""
        self.displaced = 0

    def __len__(self) -> int:
        """Connections that are open."""
        return sum(map(len, self._open.values()))

    @contextmanager
    def enter(self, address: str) -> Iterator[trio.CancelScope]:
        """Hold a place; the block is left early when somebody newer takes it."""
        source = source_of(address)
        held = self._open.setdefault(source, {})
        if len(held) >= self._per_source_max:
            self._displace(source)
        elif len(self) >= self._total_max:
            self._displace(max(self._open, key=lambda name: len(self._open[name])))
        scope = trio.CancelScope()
        self._open.setdefault(source, {})[scope] = None
        try:
            with scope:
                yield scope
        finally:
            self._leave(source, scope)

    def asked(self, address: str, scope: trio.CancelScope) -> None:
        """A request came: the connection is the latest of its address again."""
        held = self._open.get(source_of(address), {})
        if scope in held:
            held[scope] = held.pop(scope)

    def _displace(self, source: str) -> None:
        oldest = next(iter(self._open[source]))
        oldest.cancel()
        self.displaced += 1
        self._leave(source, oldest)

    def _leave(self, source: str, scope: trio.CancelScope) -> None:
        held = self._open.get(source)
        if held is not None and scope in held:
            del held[scope]
        if held is not None and not held:
            del self._open[source]
