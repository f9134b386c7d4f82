"""Which connections a server holds, and who gives way when there is no more room. Pure: no sockets here.

Two bounds hold for what is open: one for an address, one for all. Under the second nobody can lock others out by
holding many: when it is reached, a newcomer takes the place of the oldest connection that has not made a call yet, of
the address that has most of these; if there is none, of the oldest one of the address that has most, as long as the
newcomer's address has fewer.
"""

import ipaddress
from collections import Counter
from dataclasses import dataclass

from alatau.transport.limits import Limits
from alatau.transport.rates import PerCaller, TokenBucket


class ConnectionRefusedByLimitError(Exception):
    """There is no room for a connection. ``reason`` is for counting."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(eq=False, slots=True)
class Entry:
    """One connection. Its server knows what else belongs to it."""

    source: str
    """The address, or the network of addresses, that it is charged to."""
    established: bool = False
    """Whether it has made a call."""


@dataclass(frozen=True, slots=True)
class _Rates:
    """Of one source."""

    connections: TokenBucket
    young_bytes: TokenBucket
    cancelled_calls: TokenBucket


class ConnectionTable:
    """The connections of one server."""

    def __init__(self, limits: Limits, total_max: int, *, protect_established: bool) -> None:
        """``protect_established`` never gives up a connection that has made a call: where peers have certificates."""
        self._limits = limits
        self._total_max = total_max
        self._protect = protect_established
        self._entries: dict[str, dict[Entry, None]] = {}
        """By source, each from the oldest to the newest."""
        self._rates = PerCaller[str, _Rates](self._new_rates)
        self._total = 0
        self.refused: Counter[str] = Counter()
        """Connections that were closed before their handshake, by reason."""

    def __len__(self) -> int:
        """Connections that are open."""
        return self._total

    def admit(self, address: str) -> tuple[Entry, Entry | None]:
        """Take a connection in; gives its entry, and one that has to be closed for it (and is out of the table).

        Raises:
            ConnectionRefusedByLimitError: the newcomer is to be closed.
        """
        source = source_of(address)
        held = self._entries.get(source, {})
        if not self._rates.of(source).connections.take():
            raise self._refusal("CONNECTION_RATE")
        if len(held) >= self._limits.connections_per_address_max:
            raise self._refusal("CONNECTIONS_PER_ADDRESS")
        leaving = self._make_room(source) if self._total >= self._total_max else None
        entry = Entry(source)
        self._entries.setdefault(source, {})[entry] = None
        self._total += 1
        return entry, leaving

    def remove(self, entry: Entry) -> None:
        """The connection is closed; nothing happens if it is out already."""
        held = self._entries.get(entry.source)
        if held is None or entry not in held:
            return
        del held[entry]
        self._total -= 1
        if not held:
            del self._entries[entry.source]

    def _make_room(self, newcomer: str) -> Entry:
        young = {
            source: waiting
            for source, held in self._entries.items()
            if (waiting := [entry for entry in held if not entry.established])
        }
        if young:
            leaving = max(young.values(), key=len)[0]
        else:
            richest = max(self._entries.values(), key=len)
            own = len(self._entries.get(newcomer, ()))
            if self._protect or len(richest) <= own + 1:
                raise self._refusal("CONNECTIONS_TOTAL")
            leaving = next(iter(richest))
        self.remove(leaving)
        self.refused["CONNECTION_DISPLACED"] += 1
        return leaving

    def young_bytes(self, source: str) -> TokenBucket:
        """What is read from new connections of a source."""
        return self._rates.of(source).young_bytes

    def may_cancel(self, source: str) -> bool:
        """Charge a source for a call that it gave up; False where it has had its share, which is counted."""
        within = self._rates.of(source).cancelled_calls.take()
        if not within:
            self.refused["CANCELLED_CALLS"] += 1
        return within

    def _new_rates(self, _source: str) -> _Rates:
        limits = self._limits
        return _Rates(
            TokenBucket(limits.connections_per_s, limits.connections_burst),
            TokenBucket(limits.young_bytes_per_s, limits.young_bytes_per_s),
            TokenBucket(limits.cancelled_calls_per_s, limits.cancelled_calls_burst),
        )

    def _refusal(self, reason: str) -> ConnectionRefusedByLimitError:
        self.refused[reason] += 1
        return ConnectionRefusedByLimitError(reason)


def source_of(address: str) -> str:
    """What an address counts as: an IPv4 address as itself, an IPv6 address as its /64, which one host may own."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
