"""Typed structured data hashing (EIP-712), for structs whose members are 32-byte words.

A digest is ``keccak256(0x1901 || domain_separator || struct_hash)``; a Vyper contract recomputes it and
checks the signature with ``ecrecover``.
"""

from alatau.crypto.keccak import keccak256


def type_hash(signature: str) -> bytes:
    """Hash of an encoded type such as ``Vote(uint8 kind,uint64 height)``."""
    return keccak256(signature.encode("ascii"))


def word(value: int) -> bytes:
    """A 32-byte big-endian word; a negative integer in two's complement."""
    return (value % (1 << 256)).to_bytes(32, "big")


def struct_hash(type_hash_: bytes, *words: bytes) -> bytes:
    """Hash of a struct whose members are ``words``, 32 bytes each (dynamic members hashed beforehand)."""
    assert all(len(w) == 32 for w in words)
    return keccak256(type_hash_ + b"".join(words))


def typed_digest(domain_separator: bytes, struct_hash_: bytes) -> bytes:
    """The 32-byte digest that is signed."""
    return keccak256(b"\x19\x01" + domain_separator + struct_hash_)
