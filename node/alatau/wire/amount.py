"""256-bit integers as protobuf ``bytes``: unsigned, big-endian, without leading zeros, so zero is empty.

Protobuf has no integer wider than 64 bits. One form only, so that equal amounts are equal bytes.
"""

_SIZE_MAX = 32


class AmountError(ValueError):
    """The sender's bytes are no amount: longer than 32 bytes, or with leading zeros."""


def write_amount(value: int) -> bytes:
    """The shortest bytes of ``value``, which is below 2**256."""
    return value.to_bytes((value.bit_length() + 7) >> 3, "big")


def read_amount(data: bytes) -> int:
    """The integer that ``data`` holds.

    Raises:
        AmountError: more than 32 bytes, or leading zeros.
    """
    if len(data) > _SIZE_MAX:
        raise AmountError(f"amount has {len(data)} bytes, more than {_SIZE_MAX}")
    if data[:1] == b"\x00":
        raise AmountError("amount has leading zeros")
    return int.from_bytes(data, "big")
