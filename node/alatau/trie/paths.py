"""Paths in the trie: a lowercase hex string, one character per nibble, from the root down.

Hex text is the form in which Python slices, compares, joins and sorts nibbles fastest, packs them in one call
(``bytes.fromhex``), and which a person can read in a dump of the database.
"""

from functools import lru_cache
from typing import Final

from alatau.crypto.keccak import keccak256

ACCOUNTS: Final = b"A"
"""First byte of the path keys of the account trie; the path follows."""

STORAGE: Final = b"O"
"""First byte of the path keys of storage tries; the owner (keccak256 of the address) and the path follow."""

NIBBLE: Final = {digit: value for value, digit in enumerate("0123456789abcdef")}
DIGITS: Final = "0123456789abcdef"

HASHES_CACHED: Final = 1 << 15
"""Hashes of addresses and of slots kept, each: at about 300 bytes an entry, 10 MB. A hit spares about 1.3 us."""


@lru_cache(HASHES_CACHED)
def address_hash(address: bytes) -> bytes:
    """keccak256 of an address: the owner of its storage trie, and its key in the account trie."""
    return keccak256(address)


@lru_cache(HASHES_CACHED)
def address_path(address: bytes) -> str:
    """The path of an address in the account trie."""
    return keccak256(address).hex()


@lru_cache(HASHES_CACHED)
def slot_path(slot: int) -> str:
    """The path of a slot in a storage trie: of keccak256 of its 32 bytes."""
    return keccak256(slot.to_bytes(32, "big")).hex()


def storage_prefix(owner: bytes) -> bytes:
    """What the path keys of the storage trie of ``owner`` (32 bytes) begin with."""
    return STORAGE + owner


def pack_leaf(path: str) -> bytes:
    """Hex-prefix encoding of a leaf's path (Yellow Paper, appendix C, flag 1)."""
    return bytes.fromhex(("3" if len(path) & 1 else "20") + path)


def pack_extension(path: str) -> bytes:
    """Hex-prefix encoding of an extension's path (Yellow Paper, appendix C, flag 0)."""
    return bytes.fromhex(("1" if len(path) & 1 else "00") + path)


def unpack(packed: bytes) -> tuple[str, bool]:
    """The path of a hex-prefix encoding, and whether it is a leaf's.

    Raises:
        ValueError: the first nibble is no flag, or the padding is not zero.
    """
    text = packed.hex()
    flag = NIBBLE[text[0]] if text else len(DIGITS)
    if flag > 3:
        msg = f"{text!r} is no hex-prefix encoding"
        raise ValueError(msg)
    if flag & 1:
        return text[1:], flag > 1
    if text[1] != "0":
        msg = f"{text!r} has padding that is not zero"
        raise ValueError(msg)
    return text[2:], flag > 1


def shared_length(a: str, b: str, start: int) -> int:
    """How many leading digits two paths share, given that the first ``start`` are equal."""
    end = min(len(a), len(b))
    i = start
    while i < end and a[i] == b[i]:
        i += 1
    return i
