"""Roots of lists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from alatau.codec import rlp
from alatau.trie.errors import ProofError
from alatau.trie.ordered import item_at, ordered_root, prove_item
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


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=40), st.data())
def test_every_item_is_proved(items: list[bytes], data: st.DataObject) -> None:
    """At its own index, under the root of its list; without any one of its nodes nothing is."""
    index = data.draw(st.integers(0, len(items) - 1))
    nodes, root = prove_item(items, index), ordered_root(items)
    assert item_at(root, index, nodes) == items[index]
    missing = data.draw(st.integers(0, len(nodes) - 1))
    with pytest.raises(ProofError):
        item_at(root, index, nodes[:missing] + nodes[missing + 1 :])
    with pytest.raises(ProofError):
        item_at(bytes(32), index, nodes)


def test_proofs_of_long_lists() -> None:
    """Where indices have one, two and three bytes; the end of the list is proved too."""
    for count in (1, 127, 128, 129, 256, 257, 700):
        items = [b"item %d, longer than a reference, so that it is hashed" % n for n in range(count)]
        root = ordered_root(items)
        for index in {0, 1, 126, 127, 128, 255, 256, count - 1}:
            if index < count:
                assert item_at(root, index, prove_item(items, index)) == items[index]
        assert item_at(root, count, prove_item(items, count)) is None
