"""Values of JSON-RPC: quantities without leading zeros, bytes as pairs of digits, and how arguments are read.

Readers take what a client sent and raise ``JsonRpcError`` INVALID_PARAMS with what is wrong; nothing is guessed.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from alatau.jsonrpc.errors import JsonRpcError, invalid_params

T = TypeVar("T")

_QUANTITY: Final = re.compile(r"0[xX](?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})")
_DATA: Final = re.compile(r"0[xX](?:[0-9a-fA-F]{2})*")
_WORD: Final = re.compile(r"0[xX][0-9a-fA-F]{1,64}")
_NAME_BITS: Final = 127
UINT64_MAX: Final = 2**64 - 1


def quantity(value: int) -> str:
    """A number: ``0x0``, ``0x41``."""
    return hex(value)


def data(value: bytes) -> str:
    """Bytes, an address or a hash."""
    return f"0x{value.hex()}"


def optional_data(value: bytes | None) -> str | None:
    """Bytes, or null."""
    return None if value is None else data(value)


def word(value: int) -> str:
    """A number as 32 bytes."""
    return f"0x{value:064x}"


def new_name() -> str:
    """Of a filter or a subscription: nobody can guess it, and it has the form of a quantity, as schemas want it."""
    return quantity(secrets.randbits(_NAME_BITS) | 1 << _NAME_BITS)


def read_quantity(value: Any) -> int:
    """A number below 2**256."""
    if not isinstance(value, str):
        raise invalid_params(f"expected a quantity as a hex string, found {_shown(value)}")
    if not _QUANTITY.fullmatch(value):
        if re.fullmatch(r"0[xX]0[0-9a-fA-F]+", value):
            raise invalid_params(f"hex number with leading zero digits: {_shown(value)}")
        raise invalid_params(f"{_shown(value)} is no quantity: 0x and hex digits, at most 64")
    return int(value, 16)


def read_uint64(value: Any) -> int:
    """A number below 2**64."""
    number = read_quantity(value)
    if number > UINT64_MAX:
        raise invalid_params(f"hex number > 64 bits: {_shown(value)}")
    return number


def read_data(value: Any) -> bytes:
    """Bytes of any length."""
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise invalid_params(f"{_shown(value)} is no data: 0x and pairs of hex digits")
    return bytes.fromhex(value[2:])


def sized(size: int) -> Callable[[Any], bytes]:
    """A reader of so many bytes."""

    def read(value: Any) -> bytes:
        found = read_data(value)
        if len(found) != size:
            raise invalid_params(f"{_shown(value)} has {len(found)} bytes, expected {size}")
        return found

    return read


read_address: Final = sized(20)
read_hash: Final = sized(32)


def read_slot(value: Any) -> int:
    """A storage slot: up to 32 bytes, with leading zeros or without."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise invalid_params(f"{_shown(value)} is no storage slot: 0x and 1 to 64 hex digits")
    return int(value, 16)


def read_bool(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise invalid_params(f"expected true or false, found {_shown(value)}")
    return value


def read_object(value: Any) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise invalid_params(f"expected an object, found {_shown(value)}")
    return value


def read_list(value: Any, most: int) -> list[Any]:
    """A JSON array of bounded length."""
    if not isinstance(value, list):
        raise invalid_params(f"expected an array, found {_shown(value)}")
    if len(value) > most:
        raise invalid_params(f"an array of {len(value)} entries, at most {most}")
    return value


def field(document: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T | None:
    """A field of an object, None where it is absent or null; errors name it."""
    value = document.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except JsonRpcError as error:
        raise invalid_params(f"{name}: {error.message}") from error


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
