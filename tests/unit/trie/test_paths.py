"""Paths: packing, prefixes, hashes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.crypto.keccak import keccak256
from alatau.trie.paths import address_hash, address_path, pack_extension, pack_leaf, shared_length, slot_path, unpack

PATHS = st.text("0123456789abcdef", max_size=64)


@given(PATHS)
def test_paths_come_back(path: str) -> None:
    """Hex-prefix keeps length, digits and kind."""
    assert unpack(pack_leaf(path)) == (path, True)
    assert unpack(pack_extension(path)) == (path, False)


@pytest.mark.parametrize("packed", [b"", b"\x40", b"\x21", b"\x05", b"\xf0"])
def test_wrong_flags_are_refused(packed: bytes) -> None:
    """No flag, an unknown flag, padding that is not zero."""
    with pytest.raises(ValueError, match=r"hex-prefix|padding"):
        unpack(packed)


def test_shared_length_counts_from_the_start() -> None:
    """The common prefix, given part of it."""
    assert shared_length("abcd", "abxy", 1) == 2
    assert shared_length("ab", "abcd", 0) == 2
    assert shared_length("a", "a", 1) == 1


def test_keys_are_hashed() -> None:
    """Addresses as they are, slots as 32 bytes."""
    address = bytes(range(20))
    assert address_path(address) == address_hash(address).hex() == keccak256(address).hex()
    assert slot_path(7) == keccak256(bytes(31) + b"\x07").hex()
