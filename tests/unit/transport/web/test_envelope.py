"""Messages with flags and length."""

import pytest

from alatau.transport.errors import Code, RpcError
from alatau.transport.web.envelope import COMPRESSED, TRAILERS, envelope, only_message


def test_a_request_is_one_envelope() -> None:
    """An empty message is one too."""
    assert envelope(2, b"ab") == b"\x02\x00\x00\x00\x02ab"
    assert only_message(envelope(0, b"ab")) == b"ab"
    assert only_message(envelope(0, b"")) == b""


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.UNIMPLEMENTED),
        (envelope(0, b"a") * 2, Code.UNIMPLEMENTED),
        (envelope(COMPRESSED, b"a"), Code.INTERNAL),
        (envelope(TRAILERS, b"a"), Code.INVALID_ARGUMENT),
        (envelope(0, b"ab")[:-1], Code.INVALID_ARGUMENT),
        (b"\x00\x00", Code.INVALID_ARGUMENT),
        (b"\x00\xff\xff\xff\xff", Code.INVALID_ARGUMENT),
    ],
)
def test_anything_else_is_refused_as_the_protocols_say(body: bytes, code: Code) -> None:
    """None, several, compressed, of unknown kind, cut off."""
    with pytest.raises(RpcError) as refused:
        only_message(body)
    assert refused.value.code is code
