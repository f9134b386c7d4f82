"""Trie nodes and their encodings (Yellow Paper, appendix D).

A node is kept as its RLP, decoded for the moment in which it changes and encoded again: those bytes are what
is hashed and stored, and they take a third of the memory of a decoded node.

A *reference* is how a parent names a child: ``0xa0`` and the 32-byte hash; or the child's own RLP where that
is shorter than 32 bytes; or ``0x80`` for no child. References are RLP items already, so a branch is encoded by
joining them.
"""

import re
import struct
from typing import Final, NamedTuple, TypeAlias

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.trie.paths import pack_extension, pack_leaf, unpack

EMPTY_REFERENCE: Final = b"\x80"
HASH_MARK: Final = b"\xa0"
"""RLP header of a 32-byte string."""
REFERENCE_SIZE: Final = 33
"""A reference of this size is a hash; a shorter one is the node itself."""
INLINE_SIZE_MAX: Final = 31

Branch: TypeAlias = list[bytes]
"""Sixteen references and the RLP of the value that ends here (``0x80`` for none; always, in the state)."""


class Leaf(NamedTuple):
    """The end of a key."""

    path: str
    """What remains of the key."""
    value: bytes


class Extension(NamedTuple):
    """Nibbles that all keys below share."""

    path: str
    reference: bytes
    """Of a branch."""


Node: TypeAlias = Branch | Leaf | Extension

_PLAIN_REFERENCES: Final = re.compile(rb"\x80|\xa0.{32}", re.DOTALL)
"""The references of a branch without inline children, from left to right."""
_FULL: Final = struct.Struct("3x" + "33s" * 16 + "s")
"""A branch with sixteen hashes and no value: a header of three bytes, then the references."""
_FULL_MARKS: Final = HASH_MARK * 16 + EMPTY_REFERENCE
"""Every 33rd byte of such a branch, from the third on."""
_LIST_HEADERS: Final = tuple(rlp.wrap_list(bytes(size))[: -size or None] for size in range(540))
"""Header of a list by the size of its payload, up to that of a branch of hashes (529)."""
_STRING_HEADERS: Final = tuple(rlp.encode(bytes(size))[: -size or None] for size in range(128))
"""Header of a string by its size, up to that of an account and more; not for sizes 0 and 1."""


def reference_of(raw: bytes) -> bytes:
    """How a parent names the node with this RLP."""
    return raw if len(raw) <= INLINE_SIZE_MAX else HASH_MARK + keccak256(raw)


def encode_branch(branch: Branch) -> bytes:
    """RLP of a branch."""
    return _list_of(b"".join(branch))


def encode_leaf(path: str, value: bytes) -> bytes:
    """RLP of a leaf."""
    return _list_of(_string(pack_leaf(path)) + _string(value))


def encode_extension(path: str, reference: bytes) -> bytes:
    """RLP of an extension."""
    return _list_of(_string(pack_extension(path)) + reference)


def decode_node(raw: bytes) -> Node:
    """Read a node; a branch comes as a list that the caller may change.

    Raises:
        ValueError: the bytes are no node (``RlpError`` is one).
    """
    if len(raw) == _FULL.size and raw[3::33] == _FULL_MARKS:
        # The third byte starts an item, so does the 36th if it is a hash, and so on: these are the references.
        return list(_FULL.unpack(raw))
    start = 1 if raw[0] < 0xF8 else raw[0] - 0xF6
    first = raw[start]
    if 0x81 < first < 0xA0:
        # A string of 2 to 31 bytes comes first: a path, no reference.
        return _decode_short(raw, start + 1, start + first - 0x7F)
    references: list[bytes] = _PLAIN_REFERENCES.findall(raw, start)
    if len(references) == 17 and sum(map(len, references)) == len(raw) - start:
        return references
    return _decode_any(raw)


def _decode_short(raw: bytes, start: int, end: int) -> Node:
    """Read a leaf or an extension whose packed path is ``raw[start:end]``."""
    text = raw[start:end].hex()
    flag = text[0]
    if flag == "3" or text.startswith("20"):
        path = text[1:] if flag == "3" else text[2:]
        size = len(raw) - end
        header = raw[end]
        # The usual values: an account (a string of 56 to 255 bytes), a word (shorter).
        if header == 0xB8 and raw[end + 1] == size - 2 > 55:
            return Leaf(path, raw[end + 2 :])
        if 0x80 < header <= 0xB7 and header == 0x7F + size > 0x81:
            return Leaf(path, raw[end + 1 :])
    return _decode_any(raw)


def _decode_any(raw: bytes) -> Node:
    """Read a leaf, an extension, or a branch with inline children or a value."""
    items = rlp.decode_list(raw)
    if len(items) == 17:
        return [rlp.encode(item) for item in items]
    packed, target = rlp.to_list(items, 2)
    path, is_leaf = unpack(rlp.to_bytes(packed))
    if is_leaf:
        return Leaf(path, rlp.to_bytes(target))
    return Extension(path, rlp.encode(target))


def _list_of(payload: bytes) -> bytes:
    size = len(payload)
    return (_LIST_HEADERS[size] if size < len(_LIST_HEADERS) else rlp.wrap_list(payload)[:-size]) + payload


def _string(data: bytes) -> bytes:
    size = len(data)
    return _STRING_HEADERS[size] + data if 1 < size < len(_STRING_HEADERS) else rlp.encode(data)
