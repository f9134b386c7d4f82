"""The endpoint: bodies and messages in, answers out; each request counted, admitted and done by itself."""

from collections.abc import Mapping
from typing import Any

import structlog
import trio

from alatau.jsonrpc import envelope
from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.envelope import Invalid, Request
from alatau.jsonrpc.errors import INTERNAL_ERROR, METHOD_NOT_FOUND, JsonRpcError, from_rpc
from alatau.jsonrpc.methods import Method, methods_of
from alatau.jsonrpc.subscriptions import Session
from alatau.rpc.services import Parts
from alatau.transport.call import Call
from alatau.transport.errors import RpcError
from alatau.transport.web.exchange import ConnectionLostError
from alatau.transport.web.json_face import Counted
from alatau.transport.web.websocket import WebSocket

_LOG = structlog.get_logger("alatau.jsonrpc")


class JsonRpc:
    """Serves Ethereum's JSON-RPC; a ``transport.web.json_face.JsonEndpoint``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._methods: Mapping[str, Method] = methods_of(parts)

    async def answer(self, body: bytes, call: Call, counted: Counted) -> bytes | None:
        """See ``JsonEndpoint``. The requests of a batch are done one after the other."""
        return await self._answer(body, call, counted, self._methods)

    async def _answer(self, body: bytes, call: Call, counted: Counted, methods: Mapping[str, Method]) -> bytes | None:
        try:
            asked = envelope.read_body(body)
        except JsonRpcError as error:
            return envelope.failure(None, error)
        if not isinstance(asked, list):
            return await self._one(asked, call, counted, methods)
        answers = [await self._one(one, call, counted, methods) for one in asked]
        said = [one for one in answers if one is not None]
        return envelope.batch(said) if said else None

    async def converse(self, socket: WebSocket, call: Call, counted: Counted) -> None:
        """See ``JsonEndpoint``. Requests of one socket are done one after the other."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(socket.keep_alive)
                session = Session(self._parts, socket, call, nursery)
                methods = {**self._methods, **session.methods()}
                while (message := await socket.receive()) is not None:
                    said = await self._answer(message, call, counted, methods)
                    if said is not None:
                        await socket.send(said)
                    session.begin()
                nursery.cancel_scope.cancel()
        except* ConnectionLostError:
            pass  # There is nobody to tell.

    async def _one(
        self, request: Request | Invalid, call: Call, counted: Counted, methods: Mapping[str, Method]
    ) -> bytes | None:
        if isinstance(request, Invalid):
            return envelope.failure(request.id, request.error)
        try:
            result = await self._done(request, call, counted, methods)
            return None if request.notifies else envelope.answer(request.id, result)
        except JsonRpcError as error:
            failed = error
        except RpcError as error:
            failed = from_rpc(error)
        except Exception:  # noqa: BLE001  a handler's bug must not end the server
            _LOG.exception("jsonrpc.handler_failed", method=request.method)
            failed = JsonRpcError(INTERNAL_ERROR, "the node failed to answer; its log says why")
        return None if request.notifies else envelope.failure(request.id, failed)

    async def _done(self, request: Request, call: Call, counted: Counted, methods: Mapping[str, Method]) -> Any:
        async with counted():
            method = methods.get(request.method)
            if method is None:
                text = f"the method {request.method[:100]} does not exist/is not available"
                raise JsonRpcError(METHOD_NOT_FOUND, text)
            self._parts.access.enter(call, method.role)
            return await method.handler(Asked(request.method, request.params, call))
