"""Talking to a node as a plan: what is asked and what is made of the answer, apart from how it is sent.

A plan is a generator that yields :class:`Ask` and gets the response message. The asynchronous and the synchronous
client run the same plans (cf. sans-I/O, https://sans-io.readthedocs.io).
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from google.protobuf.message import Message

from alatau.pb.api.v1 import (
    block_service_pb2,
    event_service_pb2,
    node_service_pb2,
    state_service_pb2,
    transaction_service_pb2,
)
from alatau.transport.service import Method, methods

T = TypeVar("T")

DEFAULT_TIMEOUT_S = 10.0
"""For an ordinary call: many times what a busy node takes."""


FINAL_TIMEOUT_S = 30.0
"""How long to wait for a transaction to become final: many times the interval of blocks."""


RETRY_PAUSES_S = (0.05, 0.2, 0.5, 1.0)
"""Pauses before a call is made again that no node answered: a connection was lost, a node restarts. Every call of the
API may be repeated, submits included (docs/api.md)."""

PAUSE_S_MAX = 5.0
"""Longest pause between attempts to resume a subscription."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One unary call."""

    method: Method
    request: Message
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to ask before some time has passed."""

    seconds: float


Plan: TypeAlias = Generator[Ask | Pause, Any, T]

_SERVICES = (
    transaction_service_pb2.DESCRIPTOR.services_by_name["TransactionService"],
    block_service_pb2.DESCRIPTOR.services_by_name["BlockService"],
    state_service_pb2.DESCRIPTOR.services_by_name["StateService"],
    event_service_pb2.DESCRIPTOR.services_by_name["EventService"],
    node_service_pb2.DESCRIPTOR.services_by_name["NodeService"],
)

METHODS: dict[str, Method] = {name: method for service in _SERVICES for name, method in methods(service).items()}
"""All methods of the client API; their names are unique across its services."""


def ask(name: str, request: Message, read: Callable[[Any], T], timeout_s: float = DEFAULT_TIMEOUT_S) -> Plan[T]:
    """The plan of one call."""
    response = yield Ask(METHODS[name], request, timeout_s)
    return read(response)
