"""What each connection makes a server keep in memory, and who gives way when that is too much. Pure: no sockets here.

gRPC has bounds for how long a message may be and how many calls a connection may have, but none for what they come to
together. It makes room for a whole message as soon as its length is known, and keeps an answer until its client takes
it: a client that leaves the last byte of each request away, or opens no window for answers, would have a node keep
256 calls of 4 MiB for each of 256 connections. So three things are charged to a connection:

* each call, from its headers until gRPC has done with it, with ``CALL_BYTES``;
* answers, from when they are handed to gRPC until it has sent them or given them up;
* what came in and is in no message yet. That cannot be seen inside TLS, so it is what the connection has carried less
  the messages that came out of it, and nothing once no call waits for a message. What else a call puts on the wire
  is credited with each message, each way, so that streams which last for weeks do not run up a debt.

When all connections together hold more than a bound, the source that holds most loses the connection by which it does:
whoever does not do it is not concerned, and can neither be kept out nor starved.
"""

from collections import Counter
from collections.abc import Callable
from typing import Final

CALL_BYTES: Final = 16 * 1024
"""A call under way: some 21 KiB were measured, gRPC's objects for the most part."""
_FRAMING_BYTES: Final = 48
"""Credited with a message that comes in: its prefix, a frame's header and a record of TLS around it."""
_ANSWERED_BYTES: Final = 128
"""Credited with a message that goes out: updates of both windows, and a ping by which gRPC measures the connection."""


def held_bytes_for(calls: int, message_bytes: int) -> int:
    """What a server must be able to hold for so many calls under way and sixteen of the longest messages."""
    return calls * CALL_BYTES + 16 * message_bytes


class Holdings:
    """Of all connections of one server."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._connections: dict[Holding, None] = {}
        self.total = 0
        """Bytes that all of them hold."""

    def open(self, source: str, close: Callable[[], None]) -> "Holding":
        """A new connection of a source, which ``close`` closes; :meth:`Holding.end` must follow."""
        holding = Holding(self, source, close)
        self._connections[holding] = None
        return holding

    def forget(self, holding: "Holding") -> None:
        """It is closed. For :class:`Holding`."""
        del self._connections[holding]

    def relieve(self) -> None:
        """Close connections until what is held is within the bound."""
        while self.total > self._bytes_max and self._connections:
            by_source = Counter[str]()
            for holding in self._connections:
                by_source[holding.source] += holding.bytes
            ((richest, _),) = by_source.most_common(1)
            largest = max((held for held in self._connections if held.source == richest), key=lambda held: held.bytes)
            largest.close()
            largest.end()

    @property
    def too_much(self) -> bool:
        """Whether it is time for :meth:`relieve`."""
        return self.total > self._bytes_max


class Holding:
    """Of one connection."""

    __slots__ = ("_all", "_reading", "_unfinished", "bytes", "close", "ended", "source")

    def __init__(self, all_: Holdings, source: str, close: Callable[[], None]) -> None:
        self._all = all_
        self.ended = False
        self._reading = 0
        self._unfinished = 0
        self.source = source
        self.close = close
        self.bytes = 0
        """What it holds."""

    def add(self, count: int) -> None:
        """It holds so many bytes more; fewer where negative."""
        if not self.ended:
            self.bytes += count
            self._all.total += count
            if count > 0 and self._all.too_much:
                self._all.relieve()

    def came(self, count: int) -> None:
        """So many bytes came over it."""
        self._unfinished += count
        self.add(count)

    def credit(self, count: int) -> None:
        """So many of the bytes that came are accounted for."""
        taken = min(count, self._unfinished)
        if taken:
            self._unfinished -= taken
            self.add(-taken)

    def begin_reading(self) -> None:
        """Another of its calls waits for messages."""
        self._reading += 1

    def end_reading(self) -> None:
        """It does no more; after the last one nothing that came can be part of a message."""
        self._reading -= 1
        if not self._reading:
            self.credit(self._unfinished)

    def end(self) -> None:
        """The connection is closed; nothing that follows counts, and a second end is none."""
        if not self.ended:
            self._all.total -= self.bytes
            self.ended, self.bytes = True, 0
            self._all.forget(self)


class CallHolding:
    """Of one call, from its headers to its end."""

    __slots__ = ("_connection", "_ended", "_held", "_reading")

    def __init__(self, connection: Holding) -> None:
        self._connection = connection
        self._held = CALL_BYTES
        self._reading = self._ended = False
        connection.add(CALL_BYTES)

    def begin_reading(self) -> None:
        """It waits for its messages."""
        self._reading = True
        self._connection.begin_reading()

    def message(self, size: int) -> None:
        """A message of the client is complete."""
        self._connection.credit(size + _FRAMING_BYTES)

    def end_reading(self) -> None:
        """It waits for no further message; a second end is none."""
        if self._reading:
            self._reading = False
            self._connection.end_reading()

    def hand(self, size: int) -> None:
        """An answer of so many bytes waits to be sent."""
        if not self._ended:
            self._held += size
            self._connection.add(size)

    def sent(self, size: int) -> None:
        """It was sent."""
        if not self._ended:
            self._held -= size
            self._connection.add(-size)
            self._connection.credit(_ANSWERED_BYTES)

    def end(self, _context: object = None) -> None:
        """The call is over, for gRPC too; a second end is none."""
        self.end_reading()
        if not self._ended:
            self._ended = True
            self._connection.add(-self._held)
