"""Bounds on what a message may hold, checked on its bytes before anything is built from them.

Protobuf's parser makes an object of each entry: 1.9 million empty ones fit into 3.8 MB, and cost half a gigabyte and a
second before anybody could count them. So a message's wire form is walked first, by a plan in which every field
has its bound. The walk makes no objects, and ends at the first thing that is too much: what it costs is bounded by
the plan and not by the sender.

The wire form: https://protobuf.dev/programming-guides/encoding/. A field is a tag (number << 3 | wire type) and a
value: a varint (type 0), 8 bytes (1), a length and so many bytes (2), or 4 bytes (5). Groups (3, 4) are proto2's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor

UNKNOWN_MAX: Final = 16
"""Entries of fields that this version does not know, in one message: room for what later versions add."""
UNKNOWN_BYTES_MAX: Final = 256
"""Their bytes together; the parser keeps them."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_VARINT_BYTES_MAX: Final = 10
_TAG_BYTES_MAX: Final = 5
_NUMBER_MAX: Final = 2**29 - 1
_FIXED: Final = {_FIXED64: 8, _FIXED32: 4}
_WIRE_TYPES: Final = {
    FieldDescriptor.TYPE_DOUBLE: _FIXED64,
    FieldDescriptor.TYPE_FIXED64: _FIXED64,
    FieldDescriptor.TYPE_SFIXED64: _FIXED64,
    FieldDescriptor.TYPE_FLOAT: _FIXED32,
    FieldDescriptor.TYPE_FIXED32: _FIXED32,
    FieldDescriptor.TYPE_SFIXED32: _FIXED32,
    FieldDescriptor.TYPE_STRING: _LENGTH,
    FieldDescriptor.TYPE_BYTES: _LENGTH,
    FieldDescriptor.TYPE_MESSAGE: _LENGTH,
}


class WireError(ValueError):
    """The peer sent a message that no correct node sends; nothing in it can be used. ``reason`` is stable."""

    def __init__(self, message: str, reason: str = "MALFORMED_MESSAGE") -> None:
        super().__init__(message)
        self.reason = reason


def sized(data: bytes, size: int, what: str) -> bytes:
    """Pass on ``data`` if it has ``size`` bytes, else raise ``WireError``."""
    if len(data) != size:
        raise WireError(f"{what} has {len(data)} bytes, expected {size}")
    return data


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of one field a message may hold."""

    size_max: int = 0
    """Bytes of one entry. For a message, 0 leaves it to the bounds of its own fields."""
    count_max: int = 1
    """Entries; a field that is not repeated has one."""
    reason: str = "MALFORMED_MESSAGE"
    """Of the error for one that is too long."""


Bounds: TypeAlias = Mapping[str, Mapping[str, Bound]]
"""Full name of a message -> name of a field -> its bound. Numbers that are not repeated need none."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field as it is walked."""

    name: str
    group: int
    """What is counted together: the field's own tag, or for the members of a oneof the first one's."""
    bound: Bound
    wire_type: int
    message: "Plan | None"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a message is walked."""

    name: str
    size_max: int
    """Bytes of the longest message within the bounds."""
    fields: Mapping[int, _Field]
    """By tag."""


class UnboundedFieldError(TypeError):
    """A message has a field that could hold anything; a programmer's error. Give it a bound in the table."""


def plan(message: Descriptor, bounds: Bounds) -> Plan:
    """How to walk a message; raises ``UnboundedFieldError``."""
    given = bounds.get(message.full_name, {})
    fields: dict[int, _Field] = {}
    sizes: dict[int, int] = {}
    for field in message.fields:
        walked = _field(field, given.get(field.name), bounds)
        fields[field.number << 3 | walked.wire_type] = walked
        sizes[walked.group] = max(sizes.get(walked.group, 0), _longest(walked))
    return Plan(message.full_name, sum(sizes.values()) + UNKNOWN_BYTES_MAX, fields)


def check(walked: Plan, data: bytes) -> None:
    """Walk a message; raises ``WireError`` where it is too long, holds too much, or is no message."""
    if len(data) > walked.size_max:
        raise WireError(f"{walked.name} has {len(data)} bytes, more than {walked.size_max}")
    try:
        _walk(walked, data, 0, len(data))
    except IndexError:
        raise WireError(f"{walked.name} ends within a field") from None


def _field(field: FieldDescriptor, bound: Bound | None, bounds: Bounds) -> _Field:
    wire_type = _WIRE_TYPES.get(field.type, _VARINT)
    repeated = field.is_repeated
    if repeated and (bound is None or wire_type != _LENGTH):  # packed numbers would need a walk of their own
        raise UnboundedFieldError(f"{field.full_name} is repeated without a bound")
    inner = None
    if field.message_type is not None:
        inner = plan(field.message_type, bounds)
        bound = bound or Bound()
        bound = Bound(min(bound.size_max or inner.size_max, inner.size_max), bound.count_max, bound.reason)
    elif wire_type == _LENGTH and (bound is None or not bound.size_max):
        raise UnboundedFieldError(f"{field.full_name} has no greatest size")
    bound = bound or Bound()
    if not repeated and bound.count_max != 1:
        raise UnboundedFieldError(f"{field.full_name} is not repeated")
    first = field if field.containing_oneof is None else field.containing_oneof.fields[0]
    return _Field(field.name, first.number, bound, wire_type, inner)


def _longest(field: _Field) -> int:
    length = field.bound.size_max + _VARINT_BYTES_MAX if field.wire_type == _LENGTH else _VARINT_BYTES_MAX
    return field.bound.count_max * (_TAG_BYTES_MAX + length)


def _walk(walked: Plan, data: bytes, at: int, end: int) -> None:
    """Walk the message between ``at`` and ``end``; raises ``IndexError`` where ``data`` ends too soon."""
    counts: dict[int, int] = {}
    unknown = unknown_bytes = 0
    while at < end:
        start = at
        tag = data[at]
        at += 1
        if tag >= 0x80:
            tag, at = _varint(data, start)
        field = walked.fields.get(tag)
        if field is None:
            at = _skip(walked, data, tag, at)
            unknown += 1
            unknown_bytes += at - start
            if unknown > UNKNOWN_MAX or unknown_bytes > UNKNOWN_BYTES_MAX:
                raise WireError(f"{walked.name} holds too much that this version does not know")
            continue
        count = counts[field.group] = counts.get(field.group, 0) + 1
        if count > field.bound.count_max:
            raise WireError(f"{walked.name} has more than {field.bound.count_max} of {field.name}")
        if field.wire_type == _LENGTH:
            size = data[at]
            at += 1
            if size >= 0x80:
                size, at = _varint(data, at - 1)
            if size > field.bound.size_max:
                msg = f"{walked.name}.{field.name} has {size} bytes, more than {field.bound.size_max}"
                raise WireError(msg, field.bound.reason)
            if at + size > end:
                raise WireError(f"{walked.name} ends within a field")
            if field.message is not None:
                _walk(field.message, data, at, at + size)
            at += size
        elif field.wire_type == _VARINT:
            at = at + 1 if data[at] < 0x80 else _varint(data, at)[1]
        else:
            at += _FIXED[field.wire_type]
    if at != end:
        raise WireError(f"{walked.name} ends within a field")


def _skip(walked: Plan, data: bytes, tag: int, at: int) -> int:
    """Where a field of an unknown tag ends."""
    wire_type = tag & 7
    if not 0 < tag >> 3 <= _NUMBER_MAX:
        raise WireError(f"{walked.name} has a field of number {tag >> 3}")
    if any(known >> 3 == tag >> 3 for known in walked.fields):
        raise WireError(f"{walked.name} has field {tag >> 3} in another type")
    match wire_type:
        case 0:
            return _varint(data, at)[1]
        case 2:
            size, at = _varint(data, at)
            return at + size
        case 1 | 5:
            return at + _FIXED[wire_type]
        case _:
            raise WireError(f"{walked.name} has a field of wire type {wire_type}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A varint, and where it ends."""
    value = 0
    for shift in range(0, 7 * _VARINT_BYTES_MAX, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise WireError("a varint of more than 10 bytes")
