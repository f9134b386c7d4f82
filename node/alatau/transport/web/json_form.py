"""Protobuf's JSON form of messages; bytes in it are base64 or, where the caller asked for it, 0x and hexadecimal.

Never both at once: ``0xab`` is base64 too (of three other bytes), so what is meant has to be said, not guessed.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from google.protobuf.message import Message

from alatau.transport.errors import Code, MalformedMessageError
from alatau.transport.service import Check

M = TypeVar("M", bound=Message)

JSON_BYTES_MAX: Final = 1024 * 1024
"""Of a request: twice the longest transaction in hexadecimal, four times over."""
JSON_ENTRIES_MAX: Final = 16_384
"""Commas in a request. Each may stand for a value to build, at 3 microseconds: 50 ms at most."""
LONG_BYTES: Final = 16 * 1024
"""Of a message from here on a thread converts it: 4 MiB of small fields take seconds, and the loop must not wait."""

_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_DEPTH_MAX: Final = 32
_BYTES_VALUE: Final = "google.protobuf.BytesValue"
LONG_ENTRIES: Final = 512
"""Commas in a request, from which on it is long too: a millisecond and a half."""
T = TypeVar("T")


class Aside(Protocol):
    """Does work that would hold up the loop somewhere else: ``turns.Turns``, for the address that asks."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What it gives; what it raises is raised."""
        ...


async def from_json(kind: type[M], data: bytes, check: Check | None, aside: Aside, *, as_hex: bool) -> M:
    """The message that a JSON object says; an empty body is an empty message.

    Raises:
        RpcError: MALFORMED_MESSAGE, with what is wrong and where; or what ``check`` says of its bytes.
    """
    entries = data.count(b",")
    if len(data) > JSON_BYTES_MAX or entries > JSON_ENTRIES_MAX:
        limits = {"bytes_max": str(JSON_BYTES_MAX), "entries_max": str(JSON_ENTRIES_MAX)}
        raise _malformed(kind, "it is larger than JSON may be here; use the binary form or split it", limits)
    is_long = len(data) >= LONG_BYTES or entries >= LONG_ENTRIES
    message = await _done(lambda: _parse(kind, data, as_hex=as_hex), aside if is_long else None)
    if check is not None:
        check(kind.DESCRIPTOR.full_name, message.SerializeToString())
    return message


async def to_json(message: Message, aside: Aside, *, as_hex: bool) -> bytes:
    """A message as a JSON object, in UTF-8."""
    is_long = message.ByteSize() >= LONG_BYTES
    return await _done(lambda: json_of(message, as_hex=as_hex), aside if is_long else None)


def json_of(message: Message, *, as_hex: bool) -> bytes:
    """The same, at once."""
    document = MessageToDict(message)
    if as_hex:
        document = _convert(message.DESCRIPTOR, document, _hex_of_base64)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


async def _done(work: Callable[[], T], aside: Aside | None) -> T:
    return work() if aside is None else await aside(work)


def _parse(kind: type[M], data: bytes, *, as_hex: bool) -> M:
    try:
        document = json.loads(data) if data else {}
        if as_hex:
            document = _convert(kind.DESCRIPTOR, document, _base64_of_hex)
        return ParseDict(document, kind(), max_recursion_depth=_DEPTH_MAX)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _malformed(kind, str(error)) from error


def _malformed(kind: type[Message], why: str, metadata: Mapping[str, str] | None = None) -> MalformedMessageError:
    name = kind.DESCRIPTOR.full_name
    return MalformedMessageError(
        Code.INVALID_ARGUMENT,
        f"the JSON is no {name}: {why}",
        reason="MALFORMED_MESSAGE",
        metadata={"message": name, **(metadata or {})},
    )


def _convert(descriptor: Any, document: Any, convert: Callable[[Any], Any]) -> Any:
    """The same document with the text of every field of bytes converted. What does not fit is left to the parser."""
    if descriptor.full_name == _BYTES_VALUE:
        return convert(document)
    if descriptor.full_name.startswith("google.protobuf.") or not isinstance(document, dict):
        return document
    by_name = {name: field for field in descriptor.fields for name in (field.name, field.json_name)}
    return {
        name: _convert_field(by_name[name], value, convert) if name in by_name else value
        for name, value in document.items()
    }


def _convert_field(field: FieldDescriptor, value: Any, convert: Callable[[Any], Any]) -> Any:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"]
        return {k: _convert_field(inner, v, convert) for k, v in value.items()} if isinstance(value, dict) else value
    if isinstance(value, list):
        return [_convert_one(field, item, convert) for item in value]
    return _convert_one(field, value, convert)


def _convert_one(field: FieldDescriptor, value: Any, convert: Callable[[Any], Any]) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return convert(value)
    return value if field.message_type is None else _convert(field.message_type, value, convert)


def _hex_of_base64(value: str) -> str:
    return "0x" + b64decode(value).hex()


def _base64_of_hex(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not _HEX.fullmatch(value):
        raise ValueError(f"{value[:80]!r} is not 0x and pairs of hexadecimal digits")
    return b64encode(bytes.fromhex(value[2:])).decode()
