"""Recursive Length Prefix, Ethereum's canonical encoding (Yellow Paper, appendix B).

An *item* is ``bytes`` or a sequence of items. Integers are written as big-endian bytes without leading
zeros; :func:`encode` takes them as they are, :func:`to_uint` reads them back strictly.

Decoding is strict: a non-canonical length, a byte below 0x80 wrapped in a string header, or trailing
bytes are a :class:`RlpError`, because two encodings of one value would give one value two hashes.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

Item: TypeAlias = "bytes | int | Sequence[Item]"
Decoded: TypeAlias = "bytes | list[Decoded]"

_DEPTH_MAX = 64
"""Deepest nesting decoded. Protocol objects nest 5 deep; a peer that sends more is attacking the stack."""

_SHORT_MAX = 55
"""Longest payload, in bytes, whose length fits in the header byte (Yellow Paper, eq. 186)."""

_LENGTH_WIDTH_MAX = 8
"""Widest length field, in bytes (Yellow Paper: a payload is shorter than 2**64 bytes)."""

_STRING = 0x80
_LONG_STRING = 0xB8
_LIST = 0xC0

# Headers and small integers are made once: transactions, headers and trie nodes consist of little else.
_BYTES: Final = tuple(bytes((value,)) for value in range(256))
_SHORT_STRINGS: Final = tuple(bytes((_STRING + size,)) for size in range(_SHORT_MAX + 1))
_SHORT_LISTS: Final = tuple(bytes((_LIST + size,)) for size in range(_SHORT_MAX + 1))


class RlpError(ValueError):
    """The sender's bytes are not canonical RLP. Refuse the message; nothing in it can be trusted."""


def encode(item: Item) -> bytes:
    """Encode ``bytes``, a non-negative ``int`` or a list or tuple of items.

    Raises:
        OverflowError: an integer is negative (a programmer's error).
        TypeError: an item of another class (likewise).
    """
    if isinstance(item, (list, tuple)):
        payload = b"".join([encode(child) for child in item])
        size = len(payload)
        return (_SHORT_LISTS[size] if size <= _SHORT_MAX else _header(_LIST, size)) + payload
    if isinstance(item, int):
        if 0 < item < _STRING:
            return _BYTES[item]
        item = item.to_bytes((item.bit_length() + 7) >> 3, "big")
    elif isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
    elif isinstance(item, (bytearray, memoryview)):
        return encode(bytes(item))
    else:
        msg = f"{type(item).__name__} is no RLP item"
        raise TypeError(msg)
    size = len(item)
    return (_SHORT_STRINGS[size] if size <= _SHORT_MAX else _header(_STRING, size)) + item


def wrap_list(payload: bytes) -> bytes:
    """Put a list header before ``payload``, the concatenation of items that are already encoded."""
    size = len(payload)
    return (_SHORT_LISTS[size] if size <= _SHORT_MAX else _header(_LIST, size)) + payload


def decode(data: bytes, items_max: int | None = None) -> Decoded:
    """Decode exactly one item that fills ``data``.

    Args:
        data: what somebody sent or stored.
        items_max: how many items it may hold at any depth, itself included; None where the bytes are our own. A
            million empty items take a megabyte, and seconds to build, so they are counted before anything is built.

    Raises:
        RlpError: the bytes are not canonical, more follow, or they hold more items.
    """
    if items_max is not None and items_max < len(data):
        _check_count(data, items_max)
    item, end = _decode_at(data, 0, len(data), 0)
    if end != len(data):
        msg = f"{len(data) - end} bytes follow the item"
        raise RlpError(msg)
    return item


def split_list(data: bytes) -> Iterator[bytes]:
    """The encodings of a list's children, one after the other, none of them looked into.

    Raises:
        RlpError: the bytes are no list, or not canonical as far as that was looked at.
    """
    if not data or data[0] < _LIST:
        raise RlpError("expected a list, found a string")
    at, stop = _payload_bounds(data, 0, len(data), data[0] - _LIST)
    if stop != len(data):
        raise RlpError(f"{len(data) - stop} bytes follow the item")
    while at < stop:
        first = data[at]
        if first < _STRING:
            end = at + 1
        else:
            _, end = _payload_bounds(data, at, stop, first - (_STRING if first < _LIST else _LIST))
        yield data[at:end]
        at = end


def decode_list(data: bytes) -> list[Decoded]:
    """Decode one item that must be a list."""
    item = decode(data)
    if not isinstance(item, list):
        msg = "expected a list, found a string"
        raise RlpError(msg)
    return item


def to_bytes(item: Decoded, size: int | None = None) -> bytes:
    """Read a string item, of exactly ``size`` bytes where given."""
    if isinstance(item, list):
        msg = "expected a string, found a list"
        raise RlpError(msg)
    if size is not None and len(item) != size:
        msg = f"expected {size} bytes, found {len(item)}"
        raise RlpError(msg)
    return item


def to_list(item: Decoded, size: int | None = None) -> list[Decoded]:
    """Read a list item, of exactly ``size`` children where given."""
    if not isinstance(item, list):
        msg = "expected a list, found a string"
        raise RlpError(msg)
    if size is not None and len(item) != size:
        msg = f"expected a list of {size} items, found {len(item)}"
        raise RlpError(msg)
    return item


def to_uint(item: Decoded, bits: int = 256) -> int:
    """Read an unsigned integer of at most ``bits`` bits, without leading zeros."""
    if isinstance(item, list):
        msg = "expected an integer, found a list"
        raise RlpError(msg)
    if item[:1] == b"\x00":
        msg = "integer has leading zeros"
        raise RlpError(msg)
    if len(item) * 8 > bits:
        msg = f"integer is wider than {bits} bits"
        raise RlpError(msg)
    return int.from_bytes(item, "big")


def _header(base: int, size: int) -> bytes:
    if size <= _SHORT_MAX:
        return bytes((base + size,))
    width = (size.bit_length() + 7) >> 3
    return bytes((base + _SHORT_MAX + width,)) + size.to_bytes(width, "big")


def _decode_at(data: bytes, start: int, end: int, depth: int) -> tuple[Decoded, int]:
    """Decode the item that starts at ``start`` and must end by ``end``; give it and where it ended."""
    if start >= end:
        msg = "input ends where an item should start"
        raise RlpError(msg)
    if depth > _DEPTH_MAX:
        msg = f"nested deeper than {_DEPTH_MAX}"
        raise RlpError(msg)
    first = data[start]
    if first < _STRING:
        return data[start : start + 1], start + 1
    base = _STRING if first < _LIST else _LIST
    body, stop = _payload_bounds(data, start, end, first - base)
    if base == _STRING:
        if stop - body == 1 and data[body] < _STRING:
            msg = "single byte below 0x80 has a header"
            raise RlpError(msg)
        return data[body:stop], stop
    return _decode_children(data, body, stop, depth), stop


def _decode_children(data: bytes, at: int, stop: int, depth: int) -> list[Decoded]:
    """Decode the items that fill ``data[at:stop]``. Short strings, nearly all there are, are read in place."""
    children: list[Decoded] = []
    while at < stop:
        first = data[at]
        if first < _STRING:
            children.append(_BYTES[first])
            at += 1
        elif first < _LONG_STRING:
            body, at = at + 1, at + 1 + first - _STRING
            if at > stop:
                msg = "payload reaches past the end"
                raise RlpError(msg)
            if first == _STRING + 1 and data[body] < _STRING:
                msg = "single byte below 0x80 has a header"
                raise RlpError(msg)
            children.append(data[body:at])
        else:
            child, at = _decode_at(data, at, stop, depth + 1)
            children.append(child)
    return children


def _check_count(data: bytes, items_max: int) -> None:
    """Refuse more items than that. An item's header stands before its children, so one pass sees them all."""
    at = count = 0
    end = len(data)
    while at < end:
        count += 1
        if count > items_max:
            raise RlpError(f"more than {items_max} items")
        first = data[at]
        at += 1
        if first < _STRING:
            continue
        code = first - (_STRING if first < _LIST else _LIST)
        size = code
        if code > _SHORT_MAX:
            width = code - _SHORT_MAX
            size = int.from_bytes(data[at : at + width], "big")
            at += width
        if first < _LIST:
            at += size


def _payload_bounds(data: bytes, start: int, end: int, code: int) -> tuple[int, int]:
    """Where the payload begins and ends; ``code`` is the header byte less its base."""
    if code <= _SHORT_MAX:
        body, size = start + 1, code
    else:
        width = code - _SHORT_MAX
        body = start + 1 + width
        if width > _LENGTH_WIDTH_MAX or body > end:
            msg = "length field reaches past the end"
            raise RlpError(msg)
        if data[start + 1] == 0:
            msg = "length has leading zeros"
            raise RlpError(msg)
        size = int.from_bytes(data[start + 1 : body], "big")
        if size <= _SHORT_MAX:
            msg = "short payload has a long header"
            raise RlpError(msg)
    if body + size > end:
        msg = "payload reaches past the end"
        raise RlpError(msg)
    return body, body + size
