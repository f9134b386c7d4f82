"""The first message of TLS, as OpenSSL writes it, whole, in pieces, and wrong."""

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.transport.client_hello import HELLO_BYTES_MAX, NotClientHelloError, offers_tls_1_3


def hello(least: ssl.TLSVersion, most: ssl.TLSVersion) -> bytes:
    """What a client that takes these versions sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version, context.maximum_version = least, most
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="node.alatau").do_handshake()
    return outgoing.read()


V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize(("least", "most", "offered"), [(V13, V13, True), (V12, V13, True), (V12, V12, False)])
def test_only_who_offers_1_3_is_taken(least: ssl.TLSVersion, most: ssl.TLSVersion, *, offered: bool) -> None:
    """Alone or beside 1.2; a client of 1.2 sends no list of versions at all."""
    assert offers_tls_1_3(hello(least, most)) is offered


def test_a_message_that_comes_in_pieces_is_waited_for() -> None:
    """Every beginning of it says nothing yet, and bytes behind it change nothing."""
    whole = hello(V12, V13)
    assert {offers_tls_1_3(whole[:end]) for end in range(len(whole))} == {None}
    assert offers_tls_1_3(whole + b"more") is True


def test_a_message_spread_over_records_is_put_together() -> None:
    """A record may hold any part of it (RFC 8446, 5.1)."""
    message = hello(V13, V13)[5:]
    records = b"".join(
        b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece
        for piece in (message[at : at + 7] for at in range(0, len(message), 7))
    )
    assert offers_tls_1_3(records) is True


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n",
        b"P",
        b"\x16\x02\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff",
        b"\x16\x03\x01\x00\x00",
        b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
        b"\x16\x03\x01\x00\x04\x01\xff\xff\xff",
        b"\x16\x03\x01\x00\x04\x01\x00\x00\x00",
    ],
    ids=["http", "letter", "SSL 2", "long record", "empty record", "another message", "long message", "empty message"],
)
def test_anything_else_is_refused_at_once(garbage: bytes) -> None:
    """Nothing is waited for that cannot become a ClientHello."""
    with pytest.raises(NotClientHelloError):
        offers_tls_1_3(garbage)


def test_a_message_that_never_ends_is_given_up() -> None:
    """Records of one byte each cannot make it longer than its bound."""
    record = b"\x16\x03\x01\x00\x01\x01"
    head = b"\x16\x03\x01\x00\x04\x01\x00\x3f\x00"
    with pytest.raises(NotClientHelloError, match="too long"):
        offers_tls_1_3(head + record * (HELLO_BYTES_MAX // len(record)))


@given(at=st.integers(0, 600), value=st.integers(0, 255))
def test_a_damaged_message_is_refused_or_judged(at: int, value: int) -> None:
    """One wrong byte anywhere raises no other error than the documented one."""
    damaged = bytearray(_WHOLE)
    damaged[at % len(damaged)] = value
    with contextlib.suppress(NotClientHelloError):
        assert offers_tls_1_3(bytes(damaged)) in (True, False, None)


_WHOLE = hello(V12, V13)
