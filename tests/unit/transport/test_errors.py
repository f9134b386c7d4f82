"""Errors on the wire."""

import urllib.parse

import pytest
from google.rpc.status_pb2 import Status

from alatau.transport.errors import DOMAIN, Code, FieldViolation, RpcError, from_status, to_status


def test_an_error_survives_the_wire() -> None:
    """Everything that was said comes back."""
    error = RpcError(
        Code.FAILED_PRECONDITION,
        "nonce is 3, expected 5",
        reason="NONCE_TOO_LOW",
        metadata={"expected": "5"},
        field_violations=[FieldViolation("transactions[2].nonce", "is 3", "TOO_LOW")],
        retry_after_s=0.25,
    )
    back = from_status(error.code, error.message, to_status(error).SerializeToString())
    assert (back.code, back.message, back.reason, back.metadata) == (
        Code.FAILED_PRECONDITION, "nonce is 3, expected 5", "NONCE_TOO_LOW",
        {"expected": "5", "retry_in_ms": "250"},
    )  # fmt: skip
    assert back.field_violations == error.field_violations
    assert back.retry_after_s == 0.25


def test_the_wire_form_is_googles() -> None:
    """Any gRPC library reads it: Status with an ErrorInfo of our domain first."""
    status = to_status(RpcError(Code.NOT_FOUND, "no such block", reason="BLOCK_NOT_FOUND"))
    assert status.code == 5
    assert status.details[0].type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    assert DOMAIN.encode() in status.details[0].value


@pytest.mark.parametrize("details", [None, b"\xff\xff", Status().SerializeToString()])
def test_missing_or_unreadable_details_leave_the_codes_name(details: bytes | None) -> None:
    """A proxy's error, or another server's, is still one with a reason."""
    error = from_status(Code.UNAVAILABLE, "gone", details)
    assert (error.reason, error.message, error.field_violations) == ("UNAVAILABLE", "gone", ())


@pytest.mark.parametrize("character", ["x", "%", "é", "\U0001f600", "\ud800", "\n"])
def test_a_huge_message_is_cut(character: str) -> None:
    """Trailers are bounded, and so is what is put into them, as it is encoded there."""
    message = to_status(RpcError(Code.INTERNAL, character * 10_000, reason="R")).message
    assert 0 < len(message) < 10_000
    assert len(urllib.parse.quote(message, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~", errors="replace")) <= 1_000


@pytest.mark.parametrize("path", ["f", "transactions[1].authorizations[2].signature" * 20])
def test_many_violations_stay_readable_for_every_client(path: str) -> None:
    """The first ones, and how many more there are; with everything else an error holds, below 8 KiB of trailers."""
    violations = [FieldViolation(f"{path}[{n}]", "must be 20 bytes, is é" * 5, "LENGTH") for n in range(100_000)]
    error = RpcError(
        Code.INVALID_ARGUMENT,
        "e" * 5_000,
        reason="INVALID_REQUEST",
        metadata={"a": "1" * 9_000, "b": "2"},
        field_violations=violations,
        retry_after_s=1.0,
    )
    encoded = to_status(error).SerializeToString()
    assert len(encoded) <= 5_120
    back = from_status(error.code, "", encoded)
    assert back.field_violations[0].reason == "LENGTH"
    left = len(violations) - len(back.field_violations) + 1
    assert back.field_violations[-1].description == f"and {left} more violations"
    assert (back.reason, back.metadata["b"], back.retry_after_s) == ("INVALID_REQUEST", "2", 1.0)
