"""One request and its answer on a connection of HTTP/1.1, spoken by h11. Every step has a deadline and a bound."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import h11
import trio

from alatau.transport.errors import Code, RpcError
from alatau.transport.limits import METADATA_BYTES_MAX
from alatau.transport.web.holdings import Holdings
from alatau.transport.web.turns import Turns

T = TypeVar("T")

IDLE_S: Final = 75.0
"""Between requests: as of the metrics port, and longer than browsers and proxies reuse a connection."""
HEAD_S: Final = 5.0
"""From the first byte of a request's head to its last; of the first request from the start of its connection."""
BODY_S: Final = 30.0
"""For a request's body: 4 MiB over 1.2 Mbit/s."""
TAKE_S: Final = 60.0
"""For a client to take one message. Who sleeps longer is cut off, since what waits for it is kept."""
DRAIN_S: Final = 1.0
_READ_SIZE: Final = 64 * 1024


class ConnectionLostError(Exception):
    """The client went away or fell asleep, or speaks no HTTP from here on: the connection is closed without a word."""


@dataclass(slots=True)
class Connection:
    """A connection and whose it is."""

    stream: trio.abc.Stream
    source: str
    """The address, or network, that it is charged to."""
    holdings: Holdings
    turns: Turns
    http: h11.Connection = field(
        default_factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=METADATA_BYTES_MAX)
    )
    is_head: bool = False
    """Whether the request is a HEAD: its answer has no body."""
    is_broken: bool = False
    """Whether a part of an answer went out without the rest: nothing can be said after it."""
    given_up: str = ""
    """What the client did not do in time, for counting; empty while it does."""
    _held: int = 0
    _sending: trio.Lock = field(default_factory=trio.Lock)

    async def read_head(self, first_byte_s: float) -> h11.Request | None:
        """The next request's head; None where there will be none."""
        begun = bool(self.http.trailing_data[0])
        with trio.move_on_after(HEAD_S if begun else first_byte_s) as deadline:
            while True:
                match self.http.next_event():
                    case h11.NEED_DATA:
                        self.http.receive_data(bytes(await self.stream.receive_some(_READ_SIZE)))
                        if not begun:
                            begun, deadline.deadline = True, trio.current_time() + HEAD_S
                    case h11.Request() as request:
                        self.is_head = request.method == b"HEAD"
                        return request
                    case _:
                        return None
        if begun:
            self.given_up = "REQUEST_TIMEOUT"
        return None

    async def read_body(self, bytes_max: int) -> bytes:
        """The request's body, held until the call ends.

        Raises:
            RpcError: it is longer than ``bytes_max``, or there is no room for it.
            ConnectionLostError: it did not come, or not in time.
        """
        body = bytearray()
        with trio.move_on_after(BODY_S):
            while True:
                if self.http.they_are_waiting_for_100_continue:
                    await self.send(h11.InformationalResponse(status_code=100, headers=[]))
                match self.http.next_event():
                    case h11.NEED_DATA:
                        self.http.receive_data(bytes(await self.stream.receive_some(_READ_SIZE)))
                    case h11.Data(data=data):
                        if len(body) + len(data) > bytes_max:
                            message = f"the request is longer than {bytes_max} bytes"
                            raise RpcError(Code.RESOURCE_EXHAUSTED, message, reason="")
                        self.hold(len(data))
                        body += data
                    case h11.EndOfMessage():
                        return bytes(body)
                    case _:
                        raise ConnectionLostError
        self.given_up = "REQUEST_TIMEOUT"
        raise ConnectionLostError

    def skip_body(self) -> None:
        """Throw away what is there of a body that nobody wants, without waiting for more."""
        while self.http.their_state is h11.SEND_BODY and isinstance(self.http.next_event(), h11.Data):
            pass

    def hold(self, size: int) -> None:
        """Keep ``size`` bytes more until :meth:`let_go`; raises ``RpcError`` where there is no room."""
        self.holdings.take(self.source, size)
        self._held += size

    def let_go(self, size: int | None = None) -> None:
        """Keep ``size`` bytes less, or nothing any more."""
        size = self._held if size is None else size
        self.holdings.give_back(self.source, size)
        self._held -= size

    async def send(self, *events: h11.Event) -> None:
        """Send parts of an answer; raises ``ConnectionLostError`` where nobody takes them."""
        async with self._sending:
            if self.is_broken:
                raise ConnectionLostError
            self.is_broken = True  # until all of it is out: a cancellation may come in between
            out = b"".join(self.http.send(event) or b"" for event in events)
            with trio.move_on_after(TAKE_S):
                try:
                    await self.stream.send_all(out)
                except trio.BrokenResourceError as error:
                    raise ConnectionLostError from error
                self.is_broken = False
            if self.is_broken:
                self.given_up = "ANSWER_TIMEOUT"
                raise ConnectionLostError

    def head(self, status: int, headers: list[tuple[str, str]]) -> h11.Response:
        """The head of an answer; nobody between keeps a copy of it.

        Where the request is not read to its end, no other can follow, and the client is told not to send one.
        """
        closing = [] if self.http.their_state is h11.DONE else [("Connection", "close")]
        return h11.Response(status_code=status, headers=[*headers, ("Cache-Control", "no-store"), *closing])

    async def aside(self, work: Callable[[], T]) -> T:
        """Do long work elsewhere, when it is this client's turn."""
        return await self.turns.take(self.source, work)

    async def settled(self) -> None:
        """Wait until what another task sends is out."""
        async with self._sending:
            pass

    async def drain(self) -> None:
        """Throw away for a moment what a client still sends: closed at once, it might not see the answer."""
        with trio.move_on_after(DRAIN_S):
            try:
                if isinstance(self.stream, trio.abc.HalfCloseableStream):  # TLS cannot say it
                    await self.stream.send_eof()
                while await self.stream.receive_some(_READ_SIZE):
                    pass
            except trio.BrokenResourceError:
                return

    async def wait_until_gone(self) -> None:
        """Return when the client closes the connection; wait for ever where it has sent something more before."""
        if not self.http.trailing_data[0]:
            try:
                data = await self.stream.receive_some(_READ_SIZE)
            except trio.BrokenResourceError:
                return
            self.http.receive_data(bytes(data))
            if not data:
                return
        await trio.sleep_forever()
