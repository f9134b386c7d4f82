import tracemalloc
from typing import Any

import pytest
import rlp as reference
from hypothesis import given
from hypothesis import strategies as st
from rlp.exceptions import DecodingError

from alatau.codec import rlp

_items: st.SearchStrategy[Any] = st.recursive(
    st.binary(max_size=80) | st.binary(min_size=255, max_size=258),
    lambda children: st.lists(children, max_size=6),
    max_leaves=30,
)


def _listed(item: Any) -> Any:
    return [_listed(child) for child in item] if isinstance(item, (list, tuple)) else item


@given(_items)
def test_round_trip_and_the_reference_library(item: Any) -> None:
    """Every item decodes from its encoding, which is the same as that of the library rlp."""
    encoded = rlp.encode(item)
    assert encoded == reference.encode(item)
    assert rlp.decode(encoded) == _listed(item)


@given(st.binary(max_size=40))
def test_random_bytes_decode_as_in_the_reference_library(data: bytes) -> None:
    """Where the library accepts bytes, the value is the same; where it refuses, so does this decoder."""
    try:
        expected = _listed(reference.decode(data, strict=True))
    except DecodingError:
        with pytest.raises(rlp.RlpError):
            rlp.decode(data)
    else:
        assert rlp.decode(data) == expected


@given(_items, st.data())
def test_what_decodes_is_canonical(item: Any, data: st.DataObject) -> None:
    """After any single change to an encoding, the result is refused or is itself the only encoding of its value."""
    encoded = bytearray(rlp.encode(item))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] = data.draw(st.integers(0, 255))
    try:
        value = rlp.decode(bytes(encoded))
    except rlp.RlpError:
        return
    assert rlp.encode(value) == encoded


@given(st.integers(min_value=0, max_value=2**256 - 1))
def test_integers(value: int) -> None:
    """Big-endian without leading zeros; zero is the empty string."""
    encoded = rlp.encode(value)
    assert encoded == reference.encode(value)
    assert rlp.to_uint(rlp.decode(encoded)) == value


def test_other_sequences_and_buffers() -> None:
    """Tuples are lists; bytearray and memoryview are strings."""
    assert rlp.encode((1, (b"a", []))) == rlp.encode([1, [b"a", ()]])
    assert rlp.encode(bytearray(b"ab")) == rlp.encode(memoryview(b"ab")) == rlp.encode(b"ab")


def test_programming_errors() -> None:
    """A negative integer or a text is the programmer's mistake, found where it is made."""
    with pytest.raises(OverflowError):
        rlp.encode(-1)
    with pytest.raises(TypeError, match="str is no RLP item"):
        rlp.encode(["text"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "where an item should start"),
        ("80" * 2, "1 bytes follow"),
        ("8100", "single byte"),
        ("c28100", "single byte"),
        ("817f", "single byte"),
        ("83aabb", "past the end"),
        ("c3aabb", "past the end"),
        ("c283aabb", "past the end"),
        ("b8", "length field reaches"),
        ("b837" + "00" * 55, "short payload"),
        ("f837" + "00" * 55, "short payload"),
        ("b90038" + "00" * 56, "leading zeros"),
        ("c2b838", "past the end"),
        ("bfffffffffffffffff", "past the end"),
        ("f800", "leading zeros"),
    ],
)
def test_not_canonical(data: str, message: str) -> None:
    """Each way of being wrong has its message."""
    with pytest.raises(rlp.RlpError, match=message):
        rlp.decode(bytes.fromhex(data))


def test_nesting_is_bounded() -> None:
    """A peer that nests a million lists gets an error, not our stack."""
    nested = b""
    for _ in range(65):
        nested = rlp.wrap_list(nested)
    assert rlp.decode(nested)
    with pytest.raises(rlp.RlpError, match="nested deeper"):
        rlp.decode(rlp.wrap_list(nested))
    with pytest.raises(rlp.RlpError):
        rlp.decode(b"\xc1" * 1_000_000 + b"\xc0")


@given(st.lists(_items, max_size=4))
def test_wrap_list(items: list[Any]) -> None:
    """A list from items that are already encoded is the list of the items."""
    assert rlp.wrap_list(b"".join(rlp.encode(item) for item in items)) == rlp.encode(items)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda: rlp.decode_list(b"\x80"), "expected a list"),
        (lambda: rlp.to_bytes([]), "expected a string"),
        (lambda: rlp.to_bytes(b"ab", 3), "expected 3 bytes, found 2"),
        (lambda: rlp.to_list(b""), "expected a list"),
        (lambda: rlp.to_list([b""], 2), "list of 2 items, found 1"),
        (lambda: rlp.to_uint([]), "expected an integer"),
        (lambda: rlp.to_uint(b"\x00"), "leading zeros"),
        (lambda: rlp.to_uint(b"\x00\x01"), "leading zeros"),
        (lambda: rlp.to_uint(b"\x01" * 9, 64), "wider than 64 bits"),
    ],
)
def test_readers_are_strict(read: Any, message: str) -> None:
    """A field of another shape or width than its place demands is an error."""
    with pytest.raises(rlp.RlpError, match=message):
        read()


def test_readers_give_values() -> None:
    """What fits is given back."""
    assert rlp.decode_list(b"\xc1\x80") == [b""]
    assert rlp.to_bytes(b"abc", 3) == b"abc"
    assert rlp.to_list([b""], 1) == [b""]
    assert (rlp.to_uint(b""), rlp.to_uint(b"\xff" * 8, 64)) == (0, 2**64 - 1)


@pytest.mark.parametrize("fill", [b"\x80", b"\xc0", b"\x01"], ids=["empty strings", "empty lists", "bytes"])
def test_more_items_than_allowed_are_refused_before_they_are_built(fill: bytes) -> None:
    """A million empty items fit into a megabyte; building them would take fifty."""
    data = rlp.wrap_list(fill * 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(rlp.RlpError, match="more than 1000 items"):
            rlp.decode(data, 1_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 1024


@given(item=_items)
def test_items_are_counted_at_any_depth(item: Any) -> None:
    """Exactly as many as there are pass."""
    count, data = _count(item), rlp.encode(item)
    assert rlp.decode(data, count) == _listed(item)
    if count - 1 < len(data):
        with pytest.raises(rlp.RlpError):
            rlp.decode(data, count - 1)


def _count(item: Any) -> int:
    return 1 + sum(map(_count, item)) if isinstance(item, (list, tuple)) else 1


@given(items=st.lists(_items))
def test_a_list_is_split_into_the_encodings_of_its_children(items: list[Any]) -> None:
    """One after the other, without looking into them."""
    assert list(rlp.split_list(rlp.encode(items))) == [rlp.encode(item) for item in items]


@given(data=st.binary(max_size=80))
def test_splitting_agrees_with_decoding(data: bytes) -> None:
    """What splits into canonical children is a list, and what is a list splits."""
    try:
        children = [rlp.decode(child) for child in rlp.split_list(data)]
    except rlp.RlpError:
        with pytest.raises(rlp.RlpError):
            rlp.decode_list(data)
    else:
        assert rlp.decode_list(data) == children
