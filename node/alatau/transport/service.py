"""Services and their methods, described by the generated protobuf descriptors.

A handler is a plain Trio function, by the method's shape:

* unary: ``async def h(request, call) -> response``
* server stream: ``async def h(request, call, send) -> None`` with ``await send(message)``
* client stream: ``async def h(requests, call) -> response`` with ``async for request in requests``
* both: ``async def h(requests, call, send) -> None``
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

Handler = Callable[..., Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
"""Hands one message, or the encoding of one (made once for many peers), to the peer.

Waits while the peer is slow, raises ``trio.BrokenResourceError`` once it is gone.
"""


Check = Callable[[str, bytes], None]
"""Looks at a message's bytes, by its full name, before anything is built of them; raises ``RpcError``."""


def announces(handler: Handler) -> Handler:
    """Mark a handler of a stream that sends its response headers itself, by ``call.begin``."""
    handler.announces = True  # type: ignore[attr-defined]
    return handler


def does_announce(handler: Handler) -> bool:
    """Whether ``handler`` is marked so."""
    return getattr(handler, "announces", False)


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service."""

    path: str
    """As on the wire: ``/package.Service/Method``."""
    request: type[Message]
    response: type[Message]
    client_streaming: bool
    server_streaming: bool
    check: Check | None = None
    idempotency: int = MethodOptions.IdempotencyLevel.IDEMPOTENCY_UNKNOWN
    """What its definition says of side effects; who has none may be called by GET."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service and the functions that serve it."""

    name: str
    """Full name: ``package.Service``."""
    endpoints: tuple[tuple[Method, Handler], ...]
    described: bool = True
    """Whether reflection tells of it: what nodes say among themselves is no client's business."""


def methods(descriptor: ServiceDescriptor, check: Check | None = None) -> dict[str, Method]:
    """The methods of a service by name; what a client calls."""
    return {method.name: _method(descriptor, method, check) for method in descriptor.methods}


def bind(
    descriptor: ServiceDescriptor, implementation: object, check: Check | None = None, *, described: bool = True
) -> Service:
    """Serve ``descriptor`` with ``implementation``, whose functions are named as the methods in snake case.

    ``described`` says whether reflection tells of it.

    Raises:
        TypeError: the implementation lacks a method (a programmer's error, seen at start).
    """
    endpoints = []
    for method in descriptor.methods:
        name = _snake_case(method.name)
        handler = getattr(implementation, name, None)
        if handler is None:
            msg = f"{type(implementation).__name__} does not serve {descriptor.full_name}/{method.name}: no {name}()"
            raise TypeError(msg)
        endpoints.append((_method(descriptor, method, check), cast("Handler", handler)))
    return Service(descriptor.full_name, tuple(endpoints), described)


def _method(service: ServiceDescriptor, method: MethodDescriptor, check: Check | None) -> Method:
    return Method(
        path=f"/{service.full_name}/{method.name}",
        request=GetMessageClass(method.input_type),
        response=GetMessageClass(method.output_type),
        client_streaming=method.client_streaming,
        server_streaming=method.server_streaming,
        check=check,
        idempotency=method.GetOptions().idempotency_level,
    )


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
