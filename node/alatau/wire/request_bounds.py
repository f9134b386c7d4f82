"""How much a client's request may hold, counted on its bytes before anything is built of them.

Four megabytes hold two million empty entries, and the parser makes something of each: a tenth of a second of the one
loop and 60 MB for a message that the first look at its length refuses. What a list may hold is for the services to
say, with errors that name the field; this bound is for what no client sends. Peers' messages have a table in which each
field has its own (``wire.peer_bounds``).
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, TypeAlias

from google.protobuf import descriptor_pool

from alatau.wire.bounds import WireError

ENTRIES_MAX: Final = 16_384
"""Fields of a request at all depths: eight times the longest list, a batch of 2,048 transactions."""
_ENTRY_BYTES_MIN: Final = 2
"""A tag and a value of one byte each; whatever is shorter than ``ENTRIES_MAX`` of these is not looked at."""
_LENGTH: Final = 2
"""Wire type of what has a length (see ``wire.bounds``)."""

Shape: TypeAlias = Mapping[int, str]
"""Tag of a field that holds messages -> their full name."""


def check_request(name: str, data: bytes) -> None:
    """Count what a message holds, by its full name; raises ``WireError`` where that is too much.

    What is no message passes: the parser says so.
    """
    if len(data) > _ENTRY_BYTES_MIN * ENTRIES_MAX:
        try:
            _count(name, data, 0, len(data), 0)
        except IndexError:
            return


@cache
def _shape(name: str) -> Shape:
    fields = descriptor_pool.Default().FindMessageTypeByName(name).fields
    return {f.number << 3 | _LENGTH: f.message_type.full_name for f in fields if f.message_type is not None}


def _count(name: str, data: bytes, at: int, end: int, count: int) -> int:
    """Count the fields up to ``end`` to those before; raises ``IndexError`` where ``data`` ends too soon."""
    shape = _shape(name)
    while at < end:
        count += 1
        if count > ENTRIES_MAX:
            raise WireError(f"the request holds more than {ENTRIES_MAX} entries")
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                _, at = _varint(data, at)
            case 1:
                at += 8
            case 2:
                size, at = _varint(data, at)
                inner = shape.get(tag)
                if inner is not None:
                    count = _count(inner, data, at, min(at + size, end), count)
                at += size
            case 5:
                at += 4
            case _:  # the ends of a group, which no message of ours has
                continue
    return count


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = data[at]
    at += 1
    if value < 0x80:
        return value, at
    value, shift = value & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise IndexError(at)
