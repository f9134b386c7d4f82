"""Reverse entries: encoding, patches, lookups over several blocks."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from alatau.storage.history import Entry, HistoryWriter, Kind, all_entries, find, older_value, value_before

VALUES = st.one_of(st.none(), st.binary(min_size=1, max_size=20), st.binary(min_size=80, max_size=80))
KEYS = st.sampled_from([b"a", b"bb", b"ccc", b"dddd"])


def write(changes: list[tuple[bytes, bytes | None, bytes | None]], height: int = 1) -> tuple[bytes, bytes]:
    """The records of one block."""
    writer = HistoryWriter(height)
    for change in changes:
        writer.add(*change)
    return writer.records()


@given(st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=8))
def test_every_height_is_read_back(blocks: list[dict[bytes, bytes | None]]) -> None:
    """For any course of values, what was under each key before each block is found."""
    states: list[dict[bytes, bytes | None]] = [{}]
    records = []
    for changes in blocks:
        before = states[-1]
        records.append(write([(key, before.get(key), value) for key, value in changes.items()]))
        states.append({**before, **changes})
    for height, state in enumerate(states[:-1]):
        indexes = [(at, records[at][0]) for at in range(height, len(records))]
        for key in (b"a", b"bb", b"ccc", b"dddd"):
            found = value_before(key, indexes, lambda at: records[at][1], lambda key=key: states[-1].get(key))
            assert found == state.get(key)


@given(st.binary(min_size=64, max_size=600), st.data())
def test_patches_are_small_and_right(new: bytes, data: st.DataObject) -> None:
    """Two values of one size that differ in a span cost that span."""
    start = data.draw(st.integers(0, len(new) - 1))
    end = data.draw(st.integers(start, len(new)))
    old = new[:start] + data.draw(st.binary(min_size=end - start, max_size=end - start)) + new[end:]
    _, entries = write([(b"k", old, new)])
    (entry,) = all_entries(entries)
    assert entry.kind is Kind.PATCH
    assert len(entry.value) <= end - start + 2
    assert older_value(entry, new) == old


def test_colliding_checksums_are_told_apart() -> None:
    """Two keys with one crc32 each find their own entry (the keys differ by a multiple of the polynomial)."""
    one, other = b"plumless", b"buckeroo"
    assert zlib.crc32(one) == zlib.crc32(other)
    index, entries = write([(one, b"1", None), (other, b"2", None)])
    assert len(list(find(index, one))) == 2
    for key, value in ((one, b"1"), (other, b"2")):
        assert value_before(key, [(0, index)], lambda _: entries, lambda: None) == value


def test_checksums_are_found_only_where_they_start() -> None:
    """Bytes of two neighbouring checksums that look like a third do not mislead."""
    keys = [b"key %d" % n for n in range(2_000)]
    index, entries = write([(key, key, None) for key in keys])
    for key in keys:
        assert value_before(key, [(0, index)], lambda _: entries, lambda: b"now") == key
    assert value_before(b"another", [(0, index)], lambda _: entries, lambda: b"now") == b"now"


def test_entries_come_in_order() -> None:
    """All entries of a block, as a rollback reads them."""
    _, entries = write([(b"x", None, b"1"), (b"y", b"2", None)])
    assert list(all_entries(entries)) == [Entry(b"x", Kind.ABSENT, b""), Entry(b"y", Kind.WHOLE, b"2")]


def test_few_patches_lie_one_over_another() -> None:
    """A key that changes in every block for long is read back with at most sixteen entries, at any height."""
    values = [bytes((n,)) * 100 for n in range(100)]
    records = [write([(b"k", values[n], values[n + 1])], n) for n in range(99)]
    for height in range(99):
        read: list[int] = []

        def entries_of(at: int, read: list[int] = read) -> bytes:
            read.append(at)
            return records[at][1]

        indexes = ((at, records[at][0]) for at in range(height, 99))
        assert value_before(b"k", indexes, entries_of, lambda: values[99]) == values[height]
        assert len(read) <= 16
