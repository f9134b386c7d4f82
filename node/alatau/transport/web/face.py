"""The HTTP face of a server: the same handlers, counted with the same callers, for browsers and curl.

A connection serves one request after the other.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import h11
import structlog
import trio
from google.protobuf.message import Message

from alatau.transport.call import PeerIdentity
from alatau.transport.call_admission import key_not_trusted
from alatau.transport.certificates import CertificateError
from alatau.transport.connection_table import ConnectionRefusedByLimitError, ConnectionTable, Entry
from alatau.transport.descriptors import connections_affordable
from alatau.transport.errors import RpcError, detached
from alatau.transport.front import REPORT_S, address_name
from alatau.transport.limits import METADATA_BYTES_MAX, Limits
from alatau.transport.server import Server
from alatau.transport.service import Handler, Method, Service
from alatau.transport.web.answer import Answer
from alatau.transport.web.cors import Headers, answer_headers, is_allowed, preflight_headers
from alatau.transport.web.dialect import (
    CONTENT_TYPES,
    Dialect,
    Framing,
    dialect_of,
    is_free_of_side_effects,
    is_safe_host,
    methods_of,
    read_query,
)
from alatau.transport.web.envelope import PREFIX_SIZE
from alatau.transport.web.exchange import HEAD_S, IDLE_S, Connection, ConnectionLostError
from alatau.transport.web.files import WebFiles
from alatau.transport.web.holdings import Holdings
from alatau.transport.web.invocation import Caller, describe, run
from alatau.transport.web.json_face import (
    BODY_BYTES_MAX,
    PATH,
    JsonEndpoint,
    answer_or_gone,
    call_of,
    wants_websocket,
)
from alatau.transport.web.tls import HandshakeError, TlsStream, WebTls
from alatau.transport.web.turns import Turns
from alatau.transport.web.websocket import WebSocket

_LOG = structlog.get_logger("alatau.transport")

_UNSAFE_HOST: Final = "GET is taken by address and by localhost, not by a name that a page may have made: send a POST\n"
_TEXT: Final = "text/plain; charset=utf-8"
_BARE_JSON: Final = Dialect(Framing.BARE, "application/json", is_json=True)


class WebFace:
    """What is served over HTTP; :meth:`serve` serves it."""

    def __init__(
        self,
        server: Server,
        services: Sequence[Service],
        limits: Limits,
        origins: frozenset[str],
        tls: WebTls | None = None,
        files: WebFiles | None = None,
        json_endpoint: JsonEndpoint | None = None,
    ) -> None:
        """Count calls with those of ``server``; pages of ``origins`` may call (``cors.ANY_ORIGIN``: of any).

        Without ``tls`` connections are plain, without ``json_endpoint`` no JSON-RPC is served. ``files`` are given to
        whoever asks.
        """
        self._json = json_endpoint
        self._server = server
        self._endpoints: Mapping[str, tuple[Method, Handler]] = {
            method.path: (method, handler) for service in services for method, handler in service.endpoints
        }
        self._limits = limits
        self._origins = origins
        self._tls = tls
        self._files = {} if files is None else files
        self.holdings = Holdings()
        self._turns = Turns()
        self.connections = ConnectionTable(
            limits,
            min(limits.connections_max, connections_affordable()),
            protect_established=tls is not None and tls.trust is not None,
        )
        self._scopes: dict[Entry, trio.CancelScope] = {}
        self._callers: dict[Entry, Caller] = {}
        self.calls_started = 0
        self.calls_under_way = 0
        """Calls that have not ended."""
        self.calls_refused: Counter[str] = Counter()
        """Requests refused before their handler ran, by reason or HTTP's status. Those of who has had its share count
        with ``server``'s."""

    @property
    def held_bytes(self) -> int:
        """What all connections make the node keep."""
        return self.holdings.total

    async def serve(self, listeners: list[trio.SocketListener]) -> None:
        """Answer until cancelled."""
        trust = None if self._tls is None else self._tls.trust
        stop_watching = None if trust is None else trust.on_change(self._end_untrusted)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._report)
                await trio.serve_listeners(self._admit, listeners)
        finally:
            if stop_watching is not None:
                stop_watching()

    def _end_untrusted(self) -> None:
        """Close the connections of keys that are no longer trusted."""
        for entry, caller in self._callers.items():
            if not self._is_trusted(caller):
                self._scopes[entry].cancel()

    def _is_trusted(self, caller: Caller) -> bool:
        return self._tls is None or self._tls.permits(caller.peer)

    async def _report(self) -> None:
        reported = self.connections.refused.copy()
        while True:
            await trio.sleep(REPORT_S)
            if refused := self.connections.refused - reported:
                count = len(self.connections)
                _LOG.warning("transport.connections_refused", port="http", within_s=REPORT_S, open=count, **refused)
            reported = self.connections.refused.copy()

    async def _admit(self, stream: trio.SocketStream) -> None:
        scope = trio.CancelScope()
        entry: Entry | None = None
        connection: Connection | None = None
        try:
            address = stream.socket.getpeername()[0]
            entry, leaving = self.connections.admit(address)
            if leaving is not None:
                self._scopes[leaving].cancel()
            self._scopes[entry] = scope
            with scope:
                secure, peer = await self._secured(stream)
                connection = Connection(secure, entry.source, self.holdings, self._turns)
                caller = self._callers[entry] = Caller(peer, address_name(address.partition("%")[0]))
                await self._serve(connection, entry, caller)
        except HandshakeError as error:
            self.connections.refused[error.reason] += 1
        except (ConnectionRefusedByLimitError, ConnectionLostError, OSError, trio.BrokenResourceError):
            pass  # There is nobody to tell.
        except Exception:  # noqa: BLE001  a fault in one connection must not end the node
            _LOG.exception("transport.web_connection_failed")
        finally:
            if connection is not None and connection.given_up:
                self.connections.refused[connection.given_up] += 1
            if entry is not None:
                self.connections.remove(entry)
                self._scopes.pop(entry, None)
                self._callers.pop(entry, None)
            await trio.aclose_forcefully(stream)

    async def _secured(self, stream: trio.SocketStream) -> tuple[trio.SocketStream | TlsStream, PeerIdentity | None]:
        """The connection after the handshake that it needs, and whose it is; raises ``HandshakeError``."""
        if self._tls is None:
            return stream, None
        secure = await self._tls.accept(stream, HEAD_S)
        try:
            return secure, self._tls.peer_of(secure)
        except CertificateError as error:
            raise HandshakeError("CERTIFICATE_UNREADABLE") from error

    async def _serve(self, connection: Connection, entry: Entry, caller: Caller) -> None:
        first_byte_s = HEAD_S
        try:
            while request := await connection.read_head(first_byte_s):
                await self._answer(connection, request, entry, caller)
                if connection.http.our_state is not h11.DONE or connection.http.their_state is not h11.DONE:
                    await connection.drain()
                    return
                connection.http.start_next_cycle()
                first_byte_s = IDLE_S
        except h11.RemoteProtocolError as error:
            if connection.http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                await self._refuse(connection, error.error_status_hint, f"{error}\n", [])
        except h11.LocalProtocolError as error:  # the client broke the protocol while we answered
            raise ConnectionLostError from error

    async def _answer(self, connection: Connection, request: h11.Request, entry: Entry, caller: Caller) -> None:
        if _head_size(request) > METADATA_BYTES_MAX:
            text = f"query and headers have up to {METADATA_BYTES_MAX} bytes together: send a POST\n"
            await self._refuse(connection, 431, text, [])
            return
        headers = _joined(request)
        origin = headers.get("origin")
        if not is_allowed(origin, self._origins):
            text = (
                f"pages of {origin} may not call this node: its operator lists those that may (http.allowed_origins)\n"
            )
            await self._refuse(connection, 403, text, [("Vary", "Origin")])
            return
        path, _, query = request.target.decode("latin-1").partition("?")
        endpoint = self._endpoints.get(path)
        cors = answer_headers(origin)
        if request.method == b"OPTIONS" and origin is not None:
            connection.skip_body()
            await connection.send(connection.head(204, preflight_headers(origin)), h11.EndOfMessage())
        elif path in self._files and request.method in (b"GET", b"HEAD"):
            file = self._files[path]
            connection.skip_body()
            data = [] if connection.is_head else [h11.Data(data=file.data)]
            await connection.send(connection.head(200, file.headers()), *data, h11.EndOfMessage())
        elif path == PATH and self._json is not None:
            await self._json_rpc(self._json, connection, request, headers, cors, (entry, caller))
        elif endpoint is None:
            await self._refuse(connection, 404, f"no method {path}\n", cors)
        elif request.method == b"GET" and is_free_of_side_effects(endpoint[0]):
            if origin is None and self._tls is None and not is_safe_host(headers.get("host", "")):
                await self._refuse(connection, 421, _UNSAFE_HOST, cors)
                return
            await self._call(connection, endpoint, headers, cors, (entry, caller), query)
        elif request.method == b"POST":
            dialect = dialect_of(endpoint[0], headers)
            if dialect is None:
                text = f"the content type is none of {CONTENT_TYPES}, or not that of the method's kind\n"
                await self._refuse(connection, 415, text, [("Accept-Post", CONTENT_TYPES), *cors])
            else:
                await self._call(connection, endpoint, headers, cors, (entry, caller), None, dialect)
        else:
            allowed = methods_of(endpoint[0])
            await self._refuse(connection, 405, f"this method is called by {allowed}\n", [("Allow", allowed), *cors])

    async def _call(
        self,
        connection: Connection,
        endpoint: tuple[Method, Handler],
        headers: Mapping[str, str],
        cors: Headers,
        connected: tuple[Entry, Caller],
        query: str | None,
        dialect: Dialect = _BARE_JSON,
    ) -> None:
        """Serve a call; its message is in the body, or in ``query``."""
        (method, handler), (entry, caller) = endpoint, connected
        answer = Answer(connection, method, dialect, list(cors))
        try:
            try:
                data = b""
                if query is not None:
                    answer.dialect, data = read_query(query, headers)
                if not self._is_trusted(caller):
                    raise self._untrusted()
                async with self._server.counted(caller.key):
                    entry.established = True
                    result = await self._taken(answer, handler, headers, caller, None if query is None else data)
            except RpcError as error:
                result = detached(error)
            connection.skip_body()
            await answer.end(result)
        finally:
            connection.let_go()

    async def _json_rpc(
        self,
        endpoint: JsonEndpoint,
        connection: Connection,
        request: h11.Request,
        headers: Mapping[str, str],
        cors: Headers,
        connected: tuple[Entry, Caller],
    ) -> None:
        """Serve a body of JSON-RPC, or a WebSocket to its end. Each request in it is counted as a call."""
        entry, caller = connected
        call = call_of(caller)

        def counted() -> AbstractAsyncContextManager[None]:
            if not self._is_trusted(caller):
                raise self._untrusted()
            return self._server.counted(caller.key)

        if wants_websocket(request.method, headers):
            entry.established = True
            socket = WebSocket(connection, request, BODY_BYTES_MAX)
            await socket.accept()
            await endpoint.converse(socket, call, counted)
            raise ConnectionLostError
        if request.method != b"POST":
            await self._refuse(connection, 405, "JSON-RPC is called by POST\n", [("Allow", "POST"), *cors])
        elif headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            await self._refuse(connection, 415, "the content type is not application/json\n", cors)
        else:
            entry.established = True
            try:
                body = await connection.read_body(BODY_BYTES_MAX)
                answer = await answer_or_gone(endpoint, connection, body, call, counted)
                await self._send_json(connection, answer, cors)
            except RpcError as error:  # too long, or no room for it
                await self._refuse(connection, 413, f"{error.message}\n", cors)
            finally:
                connection.let_go()

    async def _send_json(self, connection: Connection, body: bytes | None, cors: Headers) -> None:
        if body is None:
            await connection.send(connection.head(204, list(cors)), h11.EndOfMessage())
            return
        connection.hold(len(body))
        head = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *cors]
        await connection.send(connection.head(200, head), h11.Data(data=body), h11.EndOfMessage())

    async def _taken(
        self, answer: Answer, handler: Handler, headers: Mapping[str, str], caller: Caller, data: bytes | None
    ) -> Message | RpcError | None:
        """Read the rest of a call that was counted in, and run it."""
        try:
            call = describe(answer, headers, caller)
            body = await answer.connection.read_body(self._limits.message_bytes_max + PREFIX_SIZE)
        except RpcError as error:
            self.calls_refused[error.reason or error.code.name] += 1
            raise
        self.calls_started += 1
        self.calls_under_way += 1
        try:
            return await run(answer, handler, call, body if data is None else data)
        finally:
            self.calls_under_way -= 1

    def _untrusted(self) -> RpcError:
        self.calls_refused["KEY_NOT_TRUSTED"] += 1
        return key_not_trusted()

    async def _refuse(self, connection: Connection, status: int, text: str, headers: Headers) -> None:
        """An answer in words, to what is no call."""
        self.calls_refused[f"HTTP_{status}"] += 1
        connection.skip_body()
        body = text.encode()
        head = [("Content-Type", _TEXT), ("Content-Length", str(len(body))), *headers]
        data = [] if connection.is_head else [h11.Data(data=body)]
        await connection.send(connection.head(status, head), *data, h11.EndOfMessage())


def _head_size(request: h11.Request) -> int:
    return len(request.target) + sum(len(name) + len(value) for name, value in request.headers)


def _joined(request: h11.Request) -> dict[str, str]:
    """Headers by name in lower case; several of one name are one list (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
