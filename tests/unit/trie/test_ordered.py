"""Roots of lists."""

from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from alatau.codec import rlp
from alatau.trie.ordered import ordered_root
from alatau.types.header import EMPTY_ROOT


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=40))
def test_equals_py_trie(items: list[bytes]) -> None:
    """Any list has the root that py-trie gives to the map from RLP indices."""
    reference = HexaryTrie({})
    for index, item in enumerate(items):
        reference[rlp.encode(index)] = item
    assert ordered_root(items) == reference.root_hash


def test_long_lists() -> None:
    """Indices of one, two and three bytes sort differently as RLP than as numbers."""
    for count in (127, 128, 129, 255, 256, 257, 700):
        items = [b"item %d, longer than a reference, so that it is hashed" % n for n in range(count)]
        reference = HexaryTrie({})
        for index, item in enumerate(items):
            reference[rlp.encode(index)] = item
        assert ordered_root(items) == reference.root_hash


def test_nothing() -> None:
    """An empty list has the root of an empty trie."""
    assert ordered_root([]) == EMPTY_ROOT
