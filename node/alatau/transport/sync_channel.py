"""A channel for programs without an event loop: plain synchronous grpc, one thread per call."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import grpc
from google.protobuf.message import Message

from alatau.transport.credentials import ClientTls
from alatau.transport.errors import DETAILS_KEY, Code, RpcError, channel_closed, from_status
from alatau.transport.limits import Limits
from alatau.transport.messages import parse
from alatau.transport.service import Method


class SyncChannel:
    """A connection that grpc makes on first use and again after a loss. Safe to use from several threads."""

    def __init__(self, target: str, tls: ClientTls, limits: Limits | None = None) -> None:
        options: list[tuple[str, Any]] = [
            *(limits or Limits()).options(),
            ("grpc.use_local_subchannel_pool", 1),  # never share a connection between two identities
            ("grpc.enable_http_proxy", 0),
        ]
        if tls.server_name is not None:
            options.append(("grpc.ssl_target_name_override", tls.server_name))
        self.target = target
        self._channel = grpc.secure_channel(target, tls.credentials(), options=options)
        self._closed = False

    def unary(self, method: Method, request: Message, *, timeout_s: float | None = None) -> Any:
        """Call a unary method and give its response.

        Raises:
            RpcError: as the server said, or UNAVAILABLE or DEADLINE_EXCEEDED from this side.
        """
        if self._closed:
            raise channel_closed()
        invoke = self._channel.unary_unary(method.path)
        try:
            data = invoke(request.SerializeToString(), timeout=timeout_s)
        except grpc.RpcError as error:
            raise self._to_rpc_error(error) from None
        return parse(method.response, cast("bytes", data))

    @contextmanager
    def server_stream(
        self, method: Method, request: Message, *, timeout_s: float | None = None
    ) -> Iterator[Iterator[Any]]:
        """Open a server stream; leaving the block cancels it. Iterating raises ``RpcError``."""
        if self._closed:
            raise channel_closed()
        call = self._channel.unary_stream(method.path)(request.SerializeToString(), timeout=timeout_s)
        try:
            yield self._responses(call, method)
        finally:
            call.cancel()

    def close(self) -> None:
        """End all calls and the connection; calls under way and later ones get ``CHANNEL_CLOSED``."""
        self._closed = True
        self._channel.close()

    def _responses(self, call: Any, method: Method) -> Iterator[Any]:
        try:
            for data in call:
                yield parse(method.response, data)
        except grpc.RpcError as error:
            raise self._to_rpc_error(error) from None

    def _to_rpc_error(self, error: grpc.RpcError) -> RpcError:
        """A failed call as our error; the object is also the call (``grpc.Call``)."""
        call: Any = error
        code = Code(call.code().value[0])
        if self._closed and code is Code.CANCELLED:
            return channel_closed()
        details = next((value for key, value in call.trailing_metadata() or () if key == DETAILS_KEY), None)
        return from_status(code, call.details() or "", details)
