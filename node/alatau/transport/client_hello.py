"""The first message of a TLS connection, read before anything is spent on its sender (RFC 8446, 4.1.2).

grpc's Python API has no setting for the least version of TLS. A server that supports 1.3 takes it whenever the client
offers it (RFC 8446, 4.2.1), so it is enough to let in only those who do.
"""

from typing import Final

HELLO_BYTES_MAX: Final = 16_384
"""Longest taken: one full record (RFC 8446, 5.1). Browsers with post-quantum key shares send some 2 KiB."""

PROTOCOL_VERSION_ALERT: Final = bytes.fromhex("15 03 03 00 02 02 46")
"""A record with the fatal alert ``protocol_version`` (RFC 8446, 6.2), for who offers less."""

_HANDSHAKE_RECORD: Final = 22
_CLIENT_HELLO: Final = 1
_SUPPORTED_VERSIONS: Final = 43
_TLS_1_3: Final = 0x0304


class NotClientHelloError(ValueError):
    """The bytes do not begin a TLS connection. Whoever sends them wants another port, or means harm."""


def offers_tls_1_3(received: bytes) -> bool | None:
    """Whether the client that sent these first bytes offers TLS 1.3; None while the message is incomplete.

    Raises ``NotClientHelloError``.
    """
    hello = _first_message(received)
    if hello is None:
        if len(received) > HELLO_BYTES_MAX:
            raise NotClientHelloError("the first message is too long")
        return None
    try:
        return _TLS_1_3 in _supported_versions(hello)
    except IndexError as error:
        raise NotClientHelloError("a length in the first message points behind its end") from error


def _first_message(received: bytes) -> bytes | None:
    """The ClientHello without its header, gathered from the records that it is spread over."""
    message, at = bytearray(), 0
    while len(received) >= at + 5:
        if received[at] != _HANDSHAKE_RECORD or received[at + 1] != 3:
            raise NotClientHelloError("not a record of a TLS handshake")
        length = int.from_bytes(received[at + 3 : at + 5], "big")
        if not 0 < length <= HELLO_BYTES_MAX:
            raise NotClientHelloError("a record of impossible length")
        message += received[at + 5 : at + 5 + length]
        if message and message[0] != _CLIENT_HELLO:
            raise NotClientHelloError("the first message is no ClientHello")
        if len(message) >= 4:
            end = 4 + int.from_bytes(message[1:4], "big")
            if end > HELLO_BYTES_MAX:
                raise NotClientHelloError("the first message is too long")
            if len(message) >= end:
                return bytes(message[4:end])
        at += 5 + length
    if received and received[0] != _HANDSHAKE_RECORD:
        raise NotClientHelloError("not a record of a TLS handshake")
    return None


def _supported_versions(hello: bytes) -> set[int]:
    """The versions in the extension of that name; empty without one, as from clients of 1.2 and older."""
    at = 2 + 32  # legacy_version, random
    for width in (1, 2, 1):  # legacy_session_id, cipher_suites, legacy_compression_methods
        at += width + _length(hello, at, width)
    if at == len(hello):
        return set()
    end = at + 2 + _length(hello, at, 2)
    at += 2
    while at < end:
        kind, length = _length(hello, at, 2), _length(hello, at + 2, 2)
        at += 4
        if kind == _SUPPORTED_VERSIONS:
            count = _length(hello, at, 1) // 2
            return {_length(hello, at + 1 + 2 * i, 2) for i in range(count)}
        at += length
    return set()


def _length(data: bytes, at: int, width: int) -> int:
    if at + width > len(data):
        raise IndexError
    return int.from_bytes(data[at : at + width], "big")
