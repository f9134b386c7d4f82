"""Requests of HTTP/1.1 as bytes go over the wire, and their answers."""

from dataclasses import dataclass

import h11
import trio


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(slots=True)
class HttpClient:
    """A connection, kept over several requests."""

    stream: trio.abc.Stream
    http: h11.Connection
    host: str = "127.0.0.1"
    """Whom requests name."""

    async def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> HttpAnswer:
        """Send one request, names of headers with ``_`` for ``-``, and read its answer."""
        await self.send(method, target, body, **headers)
        return await self.answer()

    async def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> None:
        """Only send it."""
        if self.http.our_state is not h11.IDLE:
            self.http.start_next_cycle()
        fields = [("Host", self.host.encode()), ("Content-Length", str(len(body)).encode())]
        fields += [(name.replace("_", "-"), value.encode("latin-1")) for name, value in headers.items()]
        out = self.http.send(h11.Request(method=method, target=target, headers=fields)) or b""
        out += (self.http.send(h11.Data(data=body)) or b"") + (self.http.send(h11.EndOfMessage()) or b"")
        await self.stream.send_all(out)

    async def head(self) -> h11.Response:
        """The head of an answer."""
        event = await self.event()
        assert isinstance(event, h11.Response)
        return event

    async def event(self) -> object:
        """What comes next: a head, a part of a body, its end."""
        with trio.fail_after(10):
            while (event := self.http.next_event()) is h11.NEED_DATA:
                self.http.receive_data(bytes(await self.stream.receive_some(65_536)))
        return event

    async def answer(self) -> HttpAnswer:
        """A whole answer."""
        head, body = await self.head(), b""
        while isinstance(event := await self.event(), h11.Data):
            body += event.data
        assert isinstance(event, h11.EndOfMessage), event
        headers = {name.decode(): value.decode() for name, value in head.headers}
        return HttpAnswer(head.status_code, headers, body)


async def http_client(port: int) -> HttpClient:
    """Connect on loopback."""
    return HttpClient(await trio.open_tcp_stream("127.0.0.1", port), h11.Connection(h11.CLIENT))
