"""Bytes in metadata that gRPC does not allow."""

import logging

import pytest
import trio

from alatau.transport.errors import RpcError
from alatau.transport.garbage import UNDECODABLE, check_metadata
from alatau.types.endpoint import Endpoint
from alatau_devnet.attack.frames import END_HEADERS, END_STREAM, PREFACE, Kind, call_headers, frame, grpc_message
from alatau_devnet.attack.tls import connect_tls
from tests.support.echo import rig
from tests.support.waiting import eventually


@pytest.mark.parametrize("value", ["caf\u00e9", "a\nb", "\x00", "\x7f", b"\x80"])
def test_a_value_that_is_not_printable_ascii_is_named(value: str | bytes) -> None:
    """The field, and where such bytes belong."""
    with pytest.raises(RpcError, match="INVALID_REQUEST") as caught:
        check_metadata({"good": "~ ok !", "name": value})
    (violation,) = caught.value.field_violations
    assert violation.field == "metadata[name]"
    assert "-bin" in violation.description


def test_binary_and_printable_values_pass() -> None:
    """Anything under a name for bytes, and every printable character under another."""
    check_metadata({"token-bin": b"\x00\xff", "trace": "".join(map(chr, range(0x20, 0x7F))), "empty": ""})


def test_garbage_in_metadata_is_refused_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """From a client without any credential: no traceback, a count; the next call is served."""

    async def main() -> None:
        async with rig(public=True) as r:
            before = UNDECODABLE.count
            for name, value in ((b"\xff\xfe-name", b"v"), (b"name", b"\x80\x81"), (b"n", b"caf\xc3\xa9")):
                stream = await connect_tls(Endpoint("127.0.0.1", r.server.ports[1]))
                head = frame(
                    Kind.HEADERS, call_headers("/test.Echo/Unary", [(name, value)]), flags=END_HEADERS, stream=1
                )
                body = frame(Kind.DATA, grpc_message(b""), flags=END_STREAM, stream=1)
                await stream.send_all(PREFACE + frame(Kind.SETTINGS) + head + body)
                received = b""
                with trio.fail_after(20):
                    while b"grpc-status" not in received:
                        received += await stream.receive_some()
                await trio.aclose_forcefully(stream)
            await eventually(lambda: r.server.calls_refused["INVALID_REQUEST"] == 2)
            assert UNDECODABLE.count > before
            assert r.echo.calls == []

    with caplog.at_level(logging.DEBUG):
        trio.run(main)
    assert "Invalid encoding" not in caplog.text
