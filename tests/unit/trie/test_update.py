"""Batch updates against py-trie: roots, stored nodes, and what is reported as gone."""

from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from alatau.trie.update import TrieUpdate
from alatau.types.header import EMPTY_ROOT

PREFIX = b"A"

# Few digits and variable lengths, so that keys share paths, extend one another and merge again.
KEYS = st.binary(min_size=0, max_size=4).map(lambda b: bytes(x & 0x11 for x in b))
VALUES = st.one_of(st.just(b""), st.binary(min_size=1, max_size=4), st.binary(min_size=30, max_size=60))
BATCHES = st.lists(st.dictionaries(KEYS, VALUES, max_size=12), max_size=8)


class Stored:
    """Nodes by path, as the store keeps them."""

    def __init__(self) -> None:
        self.nodes: dict[bytes, bytes] = {}
        self.root = EMPTY_ROOT

    def change(self, batch: dict[bytes, bytes]) -> TrieUpdate:
        """Apply a batch and store what it gives."""
        update = TrieUpdate(lambda _reference, key: self.nodes[key])
        self.root = update.apply(PREFIX, self.root, sorted((key.hex(), value) for key, value in batch.items()))
        update.close()
        for key, before in update.previous.items():
            assert self.nodes[key] == before, "what is reported as replaced is what was stored"
        for key, raw in update.nodes.items():
            assert self.nodes.get(key) == update.previous.get(key), "every path that changes says what was there"
            if raw is None:
                del self.nodes[key]
            else:
                self.nodes[key] = raw
        return update


def content_after(batches: list[dict[bytes, bytes]]) -> dict[bytes, bytes]:
    """What the batches leave."""
    content: dict[bytes, bytes] = {}
    for batch in batches:
        content = {key: value for key, value in {**content, **batch}.items() if value}
    return content


def reference_root(content: dict[bytes, bytes]) -> bytes:
    """The root that py-trie gives, by insertion alone: it stumbles over deletions of keys within an extension."""
    reference = HexaryTrie({})
    for key, value in content.items():
        reference[key] = value
    return bytes(reference.root_hash)


@settings(max_examples=200, deadline=None)
@given(BATCHES)
def test_batches_give_the_root_of_py_trie(batches: list[dict[bytes, bytes]]) -> None:
    """Any batches of insertions, changes and deletions give the root that py-trie gives to what is left."""
    stored = Stored()
    for batch in batches:
        stored.change(batch)
    assert stored.root == reference_root(content_after(batches))


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_nothing_is_left_behind(batches: list[dict[bytes, bytes]]) -> None:
    """What is stored is what the same content gives when it is built at once: stale paths are deleted."""
    stored = Stored()
    for batch in batches:
        stored.change(batch)
    content = content_after(batches)
    fresh = Stored()
    fresh.change(content)
    assert stored.nodes == fresh.nodes


@settings(max_examples=100, deadline=None)
@given(BATCHES, st.data())
def test_changes_that_change_nothing_touch_nothing(batches: list[dict[bytes, bytes]], data: st.DataObject) -> None:
    """Writing the value that is there, or deleting what is not, leaves root and nodes alone."""
    stored = Stored()
    for batch in batches:
        stored.change(batch)
    content = content_after(batches)
    keys = data.draw(st.lists(KEYS, unique=True))
    before, root = dict(stored.nodes), stored.root
    stored.change({key: content.get(key, b"") for key in keys})
    assert (stored.nodes, stored.root) == (before, root)


@settings(max_examples=100, deadline=None)
@given(BATCHES)
def test_wiping_deletes_every_node(batches: list[dict[bytes, bytes]]) -> None:
    """A wiped trie leaves no path behind."""
    stored = Stored()
    for batch in batches:
        stored.change(batch)
    update = TrieUpdate(lambda _reference, key: stored.nodes[key])
    update.wipe(PREFIX, stored.root)
    update.close()
    assert update.nodes == dict.fromkeys(stored.nodes)


def test_emptied_trie_has_the_empty_root() -> None:
    """Deleting the last key gives the root of nothing and deletes the last node."""
    stored = Stored()
    stored.change({b"ab": b"x" * 40})
    stored.change({b"ab": b""})
    assert (stored.root, stored.nodes) == (EMPTY_ROOT, {})
