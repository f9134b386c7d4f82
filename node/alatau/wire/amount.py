"""256-bit integers as protobuf ``bytes``: unsigned and big-endian.

Protobuf has no integer wider than 64 bits. Written without leading zeros, so that zero is empty and equal amounts are
equal bytes; read with or without.
"""

from typing import Final

_BITS_MAX: Final = 256
_READ_MAX: Final = 64
"""Bytes of an amount that are looked at."""


class AmountError(ValueError):
    """The sender's bytes are no amount: wider than 256 bits."""


def write_amount(value: int) -> bytes:
    """The shortest bytes of ``value``, which is below 2**256."""
    return value.to_bytes((value.bit_length() + 7) >> 3, "big")


def read_amount(data: bytes) -> int:
    """The integer that ``data`` holds. Leading zeros do not matter: Java's ``BigInteger`` and fixed widths have some.

    Raises:
        AmountError: more than 256 bits, or more than 64 bytes.
    """
    if len(data) > _READ_MAX:
        raise AmountError(f"amount has {len(data)} bytes, more than {_READ_MAX}")
    value = int.from_bytes(data, "big")
    if value.bit_length() > _BITS_MAX:
        raise AmountError(f"amount has {value.bit_length()} bits, more than {_BITS_MAX}")
    return value
