"""How calls end, in either protocol."""

import json

from alatau.transport.errors import Code, RpcError
from alatau.transport.web.outcome import (
    end_of_connect_stream,
    end_of_grpc_web,
    error_json,
    http_status,
    retry_after,
)


def test_every_code_has_its_status() -> None:
    """None is a success but OK itself, which is never asked for."""
    assert {http_status(code) for code in Code if code is not Code.OK} == {
        400, 401, 403, 404, 409, 429, 499, 500, 501, 503, 504
    }  # fmt: skip


def test_the_name_of_a_code_is_connects() -> None:
    """Which spells one of them in another way than gRPC."""
    error = RpcError(Code.CANCELLED, "gone", reason="")
    assert json.loads(error_json(error)) == {"code": "canceled", "message": "gone", "details": []}


def test_a_message_cannot_break_out_of_its_line() -> None:
    """Line ends and all that is not printable are percent-encoded, and percent itself."""
    frame = end_of_grpc_web(RpcError(Code.NOT_FOUND, "50%\r\ngrpc-status: 0 Zoë", reason=""), [("name", "value")])
    lines = frame[5:].decode().split("\r\n")
    assert lines[:3] == ["grpc-status: 5", "name: value", "grpc-message: 50%25%0D%0Agrpc-status: 0 Zo%C3%AB"]


def test_a_stream_of_connect_ends_with_error_and_trailers() -> None:
    """Both in one object."""
    frame = end_of_connect_stream(RpcError(Code.ABORTED, "no", reason=""), [("a", "1"), ("a", "2")])
    assert json.loads(frame[5:]) == {
        "error": {"code": "aborted", "message": "no", "details": []},
        "metadata": {"a": ["1", "2"]},
    }


def test_a_time_to_wait_is_never_shortened() -> None:
    """The header has whole seconds."""
    assert retry_after(RpcError(Code.UNAVAILABLE, "later", reason="", retry_after_s=1.2)) == [("Retry-After", "2")]
    assert retry_after(RpcError(Code.UNAVAILABLE, "never", reason="")) == []
