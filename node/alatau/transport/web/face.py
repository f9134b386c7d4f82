"""The HTTP face of a server: the same handlers, counted with the same callers, for browsers and curl.

A connection serves one request after the other. A call's handler runs beside a look-out for the client: when that is
gone, or its deadline has passed, the handler is cancelled, as gRPC does it.
"""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import h11
import structlog
import trio
from google.protobuf.message import Message

from alatau.transport.call import Call
from alatau.transport.connection_table import ConnectionRefusedByLimitError, ConnectionTable, Entry
from alatau.transport.descriptors import connections_affordable
from alatau.transport.errors import Code, RpcError
from alatau.transport.front import address_name
from alatau.transport.garbage import check_metadata
from alatau.transport.job import CANCELLED, as_rpc_error
from alatau.transport.limits import Limits
from alatau.transport.messages import parse
from alatau.transport.server import Server
from alatau.transport.service import Handler, Method, Service, does_announce
from alatau.transport.web.answer import Answer
from alatau.transport.web.cors import Headers, answer_headers, is_allowed, preflight_headers
from alatau.transport.web.dialect import (
    CONTENT_TYPES,
    Dialect,
    Framing,
    check_headers,
    dialect_of,
    is_free_of_side_effects,
    metadata_of,
    read_query,
    timeout_of,
)
from alatau.transport.web.envelope import PREFIX_SIZE, only_message, unimplemented
from alatau.transport.web.exchange import HEAD_S, IDLE_S, Connection, ConnectionLostError
from alatau.transport.web.holdings import Holdings
from alatau.transport.web.json_form import from_json

_LOG = structlog.get_logger("alatau.transport")

_TEXT: Final = "text/plain; charset=utf-8"
_BARE_JSON: Final = Dialect(Framing.BARE, "application/json", is_json=True)


class WebFace:
    """What is served over HTTP; :meth:`serve` serves it."""

    def __init__(self, server: Server, services: Sequence[Service], limits: Limits, origins: frozenset[str]) -> None:
        """Count calls with those of ``server``; pages of ``origins`` may call (``cors.ANY_ORIGIN``: of any)."""
        self._server = server
        self._endpoints: Mapping[str, tuple[Method, Handler]] = {
            method.path: (method, handler) for service in services for method, handler in service.endpoints
        }
        self._limits = limits
        self._origins = origins
        self.holdings = Holdings()
        self.connections = ConnectionTable(
            limits, min(limits.connections_max, connections_affordable()), protect_established=False
        )
        self._scopes: dict[Entry, trio.CancelScope] = {}

    async def serve(self, listeners: list[trio.SocketListener]) -> None:
        """Answer until cancelled."""
        await trio.serve_listeners(self._admit, listeners)

    async def _admit(self, stream: trio.SocketStream) -> None:
        scope = trio.CancelScope()
        entry: Entry | None = None
        try:
            address = stream.socket.getpeername()[0]
            entry, leaving = self.connections.admit(address)
            if leaving is not None:
                self._scopes[leaving].cancel()
            self._scopes[entry] = scope
            with scope:
                await self._serve(Connection(stream, entry.source, self.holdings), entry, address)
        except (ConnectionRefusedByLimitError, ConnectionLostError, OSError, trio.BrokenResourceError):
            pass  # There is nobody to tell.
        except Exception:  # noqa: BLE001  a fault in one connection must not end the node
            _LOG.exception("transport.web_connection_failed")
        finally:
            if entry is not None:
                self.connections.remove(entry)
                self._scopes.pop(entry, None)
            await trio.aclose_forcefully(stream)

    async def _serve(self, connection: Connection, entry: Entry, address: str) -> None:
        first_byte_s = HEAD_S
        try:
            while request := await connection.read_head(first_byte_s):
                await self._answer(connection, request, entry, address_name(address.partition("%")[0]))
                if connection.http.our_state is not h11.DONE or connection.http.their_state is not h11.DONE:
                    await connection.drain()
                    return
                connection.http.start_next_cycle()
                first_byte_s = IDLE_S
        except h11.RemoteProtocolError as error:
            if connection.http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                await _plain(connection, error.error_status_hint, f"{error}\n", [])
        except h11.LocalProtocolError as error:  # the client broke the protocol while we answered
            raise ConnectionLostError from error

    async def _answer(self, connection: Connection, request: h11.Request, entry: Entry, peer: str) -> None:
        headers = _joined(request)
        origin = headers.get("origin")
        if not is_allowed(origin, self._origins):
            text = (
                f"pages of {origin} may not call this node: its operator lists those that may (http.allowed_origins)\n"
            )
            await _plain(connection, 403, text, [("Vary", "Origin")])
            return
        path, _, query = request.target.decode("latin-1").partition("?")
        endpoint = self._endpoints.get(path)
        cors = answer_headers(origin)
        if request.method == b"OPTIONS" and origin is not None:
            connection.skip_body()
            await connection.send(connection.head(204, preflight_headers(origin)), h11.EndOfMessage())
        elif endpoint is None:
            await _plain(connection, 404, f"no method {path}\n", cors)
        elif request.method == b"GET" and is_free_of_side_effects(endpoint[0]):
            await self._call(connection, endpoint, headers, cors, (entry, peer), query)
        elif request.method == b"POST":
            dialect = dialect_of(endpoint[0], headers)
            if dialect is None:
                text = f"the content type is none of {CONTENT_TYPES}, or not that of the method's kind\n"
                await _plain(connection, 415, text, [("Accept-Post", CONTENT_TYPES), *cors])
            else:
                await self._call(connection, endpoint, headers, cors, (entry, peer), None, dialect)
        else:
            await _plain(connection, 405, "POST, or GET where nothing is changed\n", [("Allow", "GET, POST"), *cors])

    async def _call(
        self,
        connection: Connection,
        endpoint: tuple[Method, Handler],
        headers: Mapping[str, str],
        cors: Headers,
        caller: tuple[Entry, str],
        query: str | None,
        dialect: Dialect = _BARE_JSON,
    ) -> None:
        """Serve a call; its message is in the body, or in ``query``."""
        (method, handler), (entry, peer) = endpoint, caller
        answer = Answer(connection, method, dialect, list(cors))
        try:
            try:
                data = b""
                if query is not None:
                    answer.dialect, data = read_query(query, headers)
                async with self._server.counted(peer):
                    entry.established = True
                    call = _describe(answer, headers, peer)
                    body = await connection.read_body(self._limits.message_bytes_max + PREFIX_SIZE)
                    result = await _run(answer, handler, call, body if query is None else data)
            except RpcError as error:
                result = error
            connection.skip_body()
            await answer.end(result)
        finally:
            connection.let_go()


def _describe(answer: Answer, headers: Mapping[str, str], peer: str) -> Call:
    """Who calls and how; raises ``RpcError`` for headers that are not understood here."""
    check_headers(answer.dialect, headers)
    timeout_s = timeout_of(answer.dialect, headers)
    metadata = metadata_of(headers)
    check_metadata(metadata)
    return Call(
        method=answer.method.path,
        peer=None,
        address=peer,
        deadline=None if timeout_s is None else time.monotonic() + timeout_s,
        metadata=metadata,
    )


async def _run(answer: Answer, handler: Handler, call: Call, body: bytes) -> Message | RpcError | None:
    """Run a call's handler to its end, its deadline or its client's going.

    Raises:
        ConnectionLostError: nobody is left to hear how it ended.
    """
    is_gone = False
    result: Message | RpcError | None = CANCELLED
    remaining_s = call.remaining_s()
    scope = trio.CancelScope(deadline=math.inf if remaining_s is None else trio.current_time() + remaining_s)

    async def begin() -> None:
        nonlocal is_gone
        try:
            await answer.begin()
        except ConnectionLostError:
            is_gone = True
            scope.cancel()

    async def look_out() -> None:
        nonlocal is_gone
        await answer.connection.wait_until_gone()
        is_gone = True
        scope.cancel()

    async with trio.open_nursery() as nursery:

        def announce(fields: Mapping[str, str]) -> None:
            answer.announce(fields)
            if answer.method.server_streaming:  # else they go with the one message
                nursery.start_soon(begin)

        nursery.start_soon(look_out)
        with scope:
            result = await _invoke(answer, handler, replace(call, begin=announce), body)
            if answer.method.server_streaming:
                await answer.begin()
                await answer.connection.settled()
        nursery.cancel_scope.cancel()
    if is_gone:
        raise ConnectionLostError
    if scope.cancelled_caught:
        return RpcError(Code.DEADLINE_EXCEEDED, "the deadline has passed", reason="")
    return result


async def _invoke(answer: Answer, handler: Handler, call: Call, body: bytes) -> Message | RpcError | None:
    """What a handler answers, or how it failed; raises nothing but ``trio.Cancelled``."""
    method, dialect = answer.method, answer.dialect
    if method.client_streaming:
        return unimplemented("streams of requests are taken by gRPC only")
    try:
        data = body if dialect.framing is Framing.BARE else only_message(body)
        if dialect.is_json:
            request = await from_json(method.request, data, method.check, as_hex=dialect.as_hex)
        else:
            request = parse(method.request, data, method.check)
        if not method.server_streaming:
            response_: Message = await handler(request, call)
            return response_
        if not does_announce(handler):
            await answer.begin()
        await handler(request, call, answer.message)
    except ConnectionLostError:
        return CANCELLED
    except Exception as error:  # noqa: BLE001  a handler's bug must not end the server
        return as_rpc_error(method.path, error)
    return None


def _joined(request: h11.Request) -> dict[str, str]:
    """Headers by name in lower case; several of one name are one list (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


async def _plain(connection: Connection, status: int, text: str, headers: Headers) -> None:
    """An answer in words, to what is no call."""
    connection.skip_body()
    body = text.encode()
    head = [("Content-Type", _TEXT), ("Content-Length", str(len(body))), *headers]
    await connection.send(connection.head(status, head), h11.Data(data=body), h11.EndOfMessage())
