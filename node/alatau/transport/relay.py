"""Moving bytes between two sockets on asyncio's loop, as they come, without looking at them.

Each direction holds at most one piece that its sink has not taken; until it is gone nothing more is read from the
source, so that a slow reader slows its writer, as one connection would.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

_PIECE_BYTES: Final = 64 * 1024
"""Read at once: four records of TLS. Also what a direction holds at most."""

_LINGER_S: Final = 2.0
"""How long the other half of a connection may take to end after the first. What the server said last (an alert, a
GOAWAY) still arrives; closing at once with unread bytes would reset the connection and lose it."""


class Relay:
    """Two sockets joined until one ends. Both are closed then, and ``on_closed`` is called once."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        outside: socket.socket,
        inside: socket.socket,
        first: bytes,
        throttle: Callable[[int], float],
        on_closed: Callable[[], None],
    ) -> None:
        """Join two non-blocking sockets.

        ``first`` are bytes that were read from ``outside`` already. ``throttle`` is told how many more were read there
        and gives the seconds until the next are; it may close the relay.
        """
        self._loop = loop
        self._sockets = (outside, inside)
        self._on_closed = on_closed
        self._deadline: asyncio.TimerHandle | None = None
        self._closed = False
        self._inward = _Direction(loop, outside, inside, self, throttle)
        self._outward = _Direction(loop, inside, outside, self, None)
        self._outward.start(b"")
        self._inward.start(first)

    def close(self) -> None:
        """Close both sockets now."""
        if self._closed:
            return
        self._closed = True
        if self._deadline is not None:
            self._deadline.cancel()
        self._inward.stop()
        for end in self._sockets:
            self._loop.remove_reader(end)
            self._loop.remove_writer(end)
            end.close()
        self._on_closed()

    def direction_ended(self) -> None:
        """One direction has delivered everything."""
        if self._inward.ended and self._outward.ended:
            self.close()
        elif self._deadline is None and not self._closed:
            self._deadline = self._loop.call_later(_LINGER_S, self.close)

    @property
    def client_left(self) -> bool:
        """Whether the outside has ended: what ends inside now is no choice of the client's."""
        return self._closed or self._inward.source_ended

    @property
    def closed(self) -> bool:
        """Whether both sockets are closed."""
        return self._closed


class _Direction:
    """From one socket to the other."""

    __slots__ = (
        "_loop",
        "_pause",
        "_relay",
        "_rest",
        "_sink",
        "_sink_lost",
        "_source",
        "_throttle",
        "ended",
        "source_ended",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        source: socket.socket,
        sink: socket.socket,
        relay: Relay,
        throttle: Callable[[int], float] | None,
    ) -> None:
        self._loop, self._source, self._sink, self._relay, self._throttle = loop, source, sink, relay, throttle
        self._pause: asyncio.TimerHandle | None = None
        self._rest = memoryview(b"")
        self.source_ended = self._sink_lost = self.ended = False

    def start(self, first: bytes) -> None:
        """Begin, with bytes that are to be sent before any that are read."""
        self._loop.add_reader(self._source, self._read)
        if first:
            self._write(first)

    def _read(self) -> None:
        try:
            data = self._source.recv(_PIECE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._relay.close()
            return
        if not data:
            self._loop.remove_reader(self._source)
            self.source_ended = True
            self._finish()
        else:
            if self._throttle is not None and (wait_s := self._throttle(len(data))) > 0:
                self._loop.remove_reader(self._source)
                self._pause = self._loop.call_later(wait_s, self._resume)
            if not self._sink_lost and not self._relay.closed:
                self._write(data)

    def _resume(self) -> None:
        self._pause = None
        if not self._rest and not self.source_ended:
            self._loop.add_reader(self._source, self._read)

    def stop(self) -> None:
        """The relay is closed."""
        if self._pause is not None:
            self._pause.cancel()

    def _write(self, data: bytes) -> None:
        try:
            sent = self._sink.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._lose_sink()
            return
        if sent < len(data):
            self._rest = memoryview(data)[sent:]
            self._loop.remove_reader(self._source)
            self._loop.add_writer(self._sink, self._write_rest)

    def _write_rest(self) -> None:
        try:
            self._rest = self._rest[self._sink.send(self._rest) :]
        except BlockingIOError:
            return
        except OSError:
            self._lose_sink()
            return
        if not self._rest:
            self._loop.remove_writer(self._sink)
            if self._pause is None:
                self._resume()

    def _lose_sink(self) -> None:
        """Nobody reads any more at the sink: what still comes is thrown away until the connection has ended."""
        self._sink_lost = True
        self._rest = memoryview(b"")
        self._loop.remove_writer(self._sink)
        if self._pause is None:
            self._resume()
        self._end()

    def _finish(self) -> None:
        """The source has ended, and everything it said is delivered (it is not read while something waits)."""
        if not self._sink_lost:
            try:
                self._sink.shutdown(socket.SHUT_WR)
            except OSError:
                self._relay.close()
                return
        self._end()

    def _end(self) -> None:
        self.ended = True
        self._relay.direction_ended()
