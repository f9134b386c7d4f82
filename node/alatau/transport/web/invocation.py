"""One call over HTTP: who makes it, its handler beside a look-out for the client, how it ended.

When the client is gone or its deadline has passed, the handler is cancelled, as gRPC does it.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import trio
from google.protobuf.message import Message

from alatau.transport.call import Call, PeerIdentity
from alatau.transport.errors import Code, RpcError
from alatau.transport.garbage import check_metadata
from alatau.transport.job import CANCELLED, as_rpc_error
from alatau.transport.messages import parse
from alatau.transport.service import Handler, does_announce
from alatau.transport.web.answer import Answer
from alatau.transport.web.dialect import Framing, check_headers, metadata_of, timeout_of
from alatau.transport.web.envelope import only_message, unimplemented
from alatau.transport.web.exchange import ConnectionLostError
from alatau.transport.web.json_form import from_json


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is at the other end of a connection."""

    peer: PeerIdentity | None
    """By its certificate; None where nobody is asked for one."""
    address: str

    @property
    def key(self) -> bytes | str:
        """Whose calls count together, as over gRPC (``Call.caller``)."""
        return self.address if self.peer is None else self.peer.tls_key_hash


def describe(answer: Answer, headers: Mapping[str, str], caller: Caller) -> Call:
    """Who calls and how; raises ``RpcError`` for headers that are not understood here."""
    check_headers(answer.dialect, headers)
    timeout_s = timeout_of(answer.dialect, headers)
    metadata = metadata_of(headers)
    check_metadata(metadata)
    return Call(
        method=answer.method.path,
        peer=caller.peer,
        address=caller.address,
        deadline=None if timeout_s is None else time.monotonic() + timeout_s,
        metadata=metadata,
    )


async def run(answer: Answer, handler: Handler, call: Call, body: bytes) -> Message | RpcError | None:
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
            aside = answer.connection.aside
            request = await from_json(method.request, data, method.check, aside, as_hex=dialect.as_hex)
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
