"""A server under test for ``connectconformance``: the suite's service behind the HTTP face that a node has.

It reads what is wanted from standard input and writes where it listens to standard output, each a message with its
length in four bytes. The suite's definitions are compiled by ``run`` and found by ``PYTHONPATH``.
"""

import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any, Final

import trio
from google.protobuf.message import Message

from alatau.transport.call import Call
from alatau.transport.certificates import issue_identity, new_key, trust_anchor
from alatau.transport.credentials import IdentityHolder, ServerTls
from alatau.transport.errors import Code, RpcError
from alatau.transport.limits import Limits
from alatau.transport.server import Listener, serve
from alatau.transport.service import announces, bind
from alatau.transport.web.face import WebFace
from alatau.transport.web.tls import WebTls

_SUITE: Final = "connectrpc.conformance.v1"
compat: Final = import_module(f"{_SUITE}.server_compat_pb2")
definitions: Final = import_module(f"{_SUITE}.service_pb2")

_UNIMPLEMENTED: Final = "Unimplemented"
_MESSAGE_BYTES_MAX: Final = 1024 * 1024
"""Where the suite does not say: more than any of its requests that must pass."""


class Conformance:
    """Answers as each request describes it."""

    async def unary(self, request: Any, call: Call) -> Message:
        """One request, one answer."""
        return await _answer(request, call, definitions.UnaryResponse)

    async def idempotent_unary(self, request: Any, call: Call) -> Message:
        """The same, which GET may ask for."""
        return await _answer(request, call, definitions.IdempotentUnaryResponse)

    @announces
    async def server_stream(self, request: Any, call: Call, send: Callable[[Message], Awaitable[None]]) -> None:
        """Some answers, each after its delay; the first tells of the request."""
        wanted = request.response_definition
        _announce(call, wanted)
        info = _request_info(request, call)
        for index, data in enumerate(wanted.response_data):
            await trio.sleep(wanted.response_delay_ms / 1_000)
            payload = definitions.ConformancePayload(data=data, request_info=info if index == 0 else None)
            await send(definitions.ServerStreamResponse(payload=payload))
        if wanted.HasField("error"):
            raise _error(wanted.error, info if not wanted.response_data else None)

    async def client_stream(self, *_call: object) -> Message:
        """Requests in a stream: the face refuses them before."""
        raise AssertionError

    bidi_stream = client_stream

    async def unimplemented(self, request: object, call: Call) -> Message:  # noqa: ARG002
        """What the suite wants refused."""
        raise RpcError(Code.UNIMPLEMENTED, f"{_UNIMPLEMENTED} is not implemented", reason="")


async def _answer(request: Any, call: Call, kind: type[Any]) -> Message:
    wanted = request.response_definition
    _announce(call, wanted)
    await trio.sleep(wanted.response_delay_ms / 1_000)
    info = _request_info(request, call)
    if wanted.HasField("error"):
        raise _error(wanted.error, info)
    payload = definitions.ConformancePayload(data=wanted.response_data, request_info=info)
    response: Message = kind(payload=payload)
    return response


def _announce(call: Call, wanted: Any) -> None:
    fields = {header.name: _joined(header.value) for header in wanted.response_headers}
    fields |= {f"trailer-{trailer.name}": _joined(trailer.value) for trailer in wanted.response_trailers}
    call.begin(fields)


def _joined(values: Iterable[str]) -> str:
    return ", ".join(values)


def _request_info(request: Message, call: Call) -> Any:
    info = definitions.ConformancePayload.RequestInfo()
    for name, value in call.metadata.items():
        text = b64encode(value).decode().rstrip("=") if isinstance(value, bytes) else value
        info.request_headers.add(name=name, value=[text])
    info.requests.add().Pack(request)
    remaining_s = call.remaining_s()
    if remaining_s is not None:
        info.timeout_ms = int(remaining_s * 1_000)
    return info


def _error(wanted: Any, info: Message | None) -> RpcError:
    details = list(wanted.details)
    if info is not None:
        packed = definitions.google_dot_protobuf_dot_any__pb2.Any()
        packed.Pack(info)
        details.append(packed)
    return RpcError(Code(wanted.code), wanted.message, reason="", details=details)


async def main() -> None:
    """Serve until ended by a signal."""
    size = int.from_bytes(sys.stdin.buffer.read(4), "big")
    wanted = compat.ServerCompatRequest.FromString(sys.stdin.buffer.read(size))
    service = bind(definitions.DESCRIPTOR.services_by_name["ConformanceService"], Conformance())
    limits = Limits(message_bytes_max=wanted.message_receive_limit or _MESSAGE_BYTES_MAX)
    identity = IdentityHolder(issue_identity(new_key(), "conformance", ["127.0.0.1"]))
    async with trio.open_nursery() as nursery:
        listener = Listener("127.0.0.1", 0, ServerTls(identity, None))
        server = await nursery.start(partial(serve, [service], [listener], limits=limits))
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        tls = WebTls(identity) if wanted.use_tls else None
        nursery.start_soon(WebFace(server, [service], limits, frozenset(), tls).serve, listeners)
        port = listeners[0].socket.getsockname()[1]
        anchor = trust_anchor(identity.current.public_key) if wanted.use_tls else b""
        answer = compat.ServerCompatResponse(host="127.0.0.1", port=port, pem_cert=anchor).SerializeToString()
        sys.stdout.buffer.write(len(answer).to_bytes(4, "big") + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    trio.run(main)
