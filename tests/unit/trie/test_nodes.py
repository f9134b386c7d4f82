"""Node encodings against the rlp library."""

import rlp as reference_rlp
from hypothesis import given
from hypothesis import strategies as st

from alatau.trie.nodes import (
    Extension,
    Leaf,
    Node,
    decode_node,
    encode_branch,
    encode_extension,
    encode_leaf,
    reference_of,
)
from alatau.trie.paths import pack_extension, pack_leaf

PATHS = st.text("0123456789abcdef", max_size=64)
HASHES = st.binary(min_size=32, max_size=32).map(lambda digest: b"\xa0" + digest)
SMALL = st.tuples(st.text("01", min_size=1, max_size=3), st.binary(min_size=1, max_size=3)).map(
    lambda leaf: encode_leaf(*leaf)
)
REFERENCES = st.one_of(st.just(b"\x80"), HASHES, SMALL)


def encode_node(node: Node) -> bytes:
    """RLP of any node."""
    if isinstance(node, Leaf):
        return encode_leaf(node.path, node.value)
    if isinstance(node, Extension):
        return encode_extension(node.path, node.reference)
    return encode_branch(node)


@given(PATHS, st.binary(min_size=1, max_size=200))
def test_leaves_come_back(path: str, value: bytes) -> None:
    """A leaf of any path and value is canonical RLP and decodes to itself."""
    raw = encode_leaf(path, value)
    assert raw == reference_rlp.encode([pack_leaf(path), value])
    assert decode_node(raw) == Leaf(path, value)


@given(PATHS.filter(bool), st.one_of(HASHES, SMALL))
def test_extensions_come_back(path: str, reference: bytes) -> None:
    """So does an extension, also of a child that lies inside it."""
    raw = encode_extension(path, reference)
    assert raw == reference_rlp.encode([pack_extension(path), reference_rlp.decode(reference)])
    assert decode_node(raw) == Extension(path, reference)


@given(st.lists(REFERENCES, min_size=16, max_size=16), st.binary(max_size=60))
def test_branches_come_back(children: list[bytes], value: bytes) -> None:
    """So does a branch of any mix of empty, hashed and inline children, with or without a value."""
    branch = [*children, reference_rlp.encode(value)]
    raw = encode_branch(branch)
    assert raw == reference_rlp.encode([*map(reference_rlp.decode, children), value])
    assert decode_node(raw) == branch
    assert encode_node(decode_node(raw)) == raw


@given(st.binary(max_size=80))
def test_noise_is_refused(data: bytes) -> None:
    """What is no node raises ValueError or IndexError, or decodes to something that encodes to itself."""
    try:
        node = decode_node(data)
    except (ValueError, IndexError):
        return
    assert encode_node(node) == data


def test_short_nodes_are_their_own_reference() -> None:
    """31 bytes stay inline, 32 are hashed."""
    short, long = encode_leaf("1", b"x" * 28), encode_leaf("1", b"x" * 29)
    assert (len(short), reference_of(short)) == (31, short)
    assert (len(long), len(reference_of(long))) == (32, 33)
