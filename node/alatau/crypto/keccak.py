"""Keccak-256 as Ethereum uses it: the original padding, not FIPS 202's (Yellow Paper, section 3)."""

from typing import Final

from sha3 import keccak_256 as _keccak_256

EMPTY_HASH: Final = _keccak_256(b"").digest()
"""keccak256 of no bytes: the code hash of an account without code."""


def keccak256(data: bytes) -> bytes:
    """Hash ``data`` to 32 bytes; about 1 us for a short input."""
    digest: bytes = _keccak_256(data).digest()
    return digest
