"""HTTP/2 frames (RFC 9113) and header blocks (RFC 7541) written by hand, so that they can be wrong on purpose."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER_BYTES: Final = 9
"""Before the payload of each frame."""


class Kind(IntEnum):
    """Types of frames."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4

CANCEL: Final = 0x8
"""Error code of a stream that its opener no longer wants."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: Kind, payload: bytes = b"", *, flags: int = 0, stream: int = 0) -> bytes:
    """The bytes of a frame."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Take the whole frames off the front of ``buffer``."""
    while len(buffer) >= HEADER_BYTES:
        end = HEADER_BYTES + int.from_bytes(buffer[:3], "big")
        if len(buffer) < end:
            return
        stream = int.from_bytes(buffer[5:9], "big") & 0x7FFFFFFF
        taken = Frame(buffer[3], buffer[4], stream, bytes(buffer[HEADER_BYTES:end]))
        del buffer[:end]
        yield taken


def header_block(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Literal fields that are not indexed, without Huffman codes (RFC 7541, 6.2.2)."""
    return b"".join(b"\x00" + _string(name) + _string(value) for name, value in headers)


def call_headers(path: str, extra: Iterable[tuple[bytes, bytes]] = ()) -> bytes:
    """The header block of a gRPC call."""
    return header_block(
        (
            (b":method", b"POST"),
            (b":scheme", b"https"),
            (b":path", path.encode()),
            (b":authority", b"node.alatau"),
            (b"content-type", b"application/grpc"),
            (b"te", b"trailers"),
            *extra,
        )
    )


def grpc_message(data: bytes, *, compressed: bool = False) -> bytes:
    """A message as gRPC puts it into DATA frames."""
    return bytes((compressed,)) + len(data).to_bytes(4, "big") + data


def rst_stream(stream: int, code: int = CANCEL) -> bytes:
    """Give a stream up."""
    return frame(Kind.RST_STREAM, code.to_bytes(4, "big"), stream=stream)


def setting(name: int, value: int) -> bytes:
    """One parameter, for a SETTINGS frame."""
    return name.to_bytes(2, "big") + value.to_bytes(4, "big")


def window_update(size: int, stream: int = 0) -> bytes:
    """Let the other side send so many bytes more."""
    return frame(Kind.WINDOW_UPDATE, size.to_bytes(4, "big"), stream=stream)


def _string(data: bytes) -> bytes:
    return _integer(len(data), 7) + data


def _integer(value: int, prefix_bits: int) -> bytes:
    """RFC 7541, 5.1, with a prefix whose other bits are zero."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes((value,))
    out, value = bytearray((most,)), value - most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)
