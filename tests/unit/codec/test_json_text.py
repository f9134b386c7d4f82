import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.codec.json_text import DEPTH_MAX, DIGITS_MAX, JsonError, parse_json
from tests.support.hostile_json import TEXTS

_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**77), 10**77)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=4), children, max_size=4),
    max_leaves=20,
)


@given(_values)
def test_what_json_loads_reads_is_read_alike(value: Any) -> None:
    """Within the bounds there is no dialect."""
    assert parse_json(json.dumps(value).encode(), 1 << 20) == value


@given(st.binary(max_size=200))
def test_bytes_are_json_or_a_json_error(data: bytes) -> None:
    """Nothing else comes out, whatever goes in."""
    try:
        parse_json(data, 1 << 20)
    except JsonError:
        return
    assert data.strip()


def test_depth_has_a_bound() -> None:
    """Exactly this deep, and not one level deeper."""
    assert parse_json(b"[" * DEPTH_MAX + b"]" * DEPTH_MAX, 1 << 20) is not None
    for deeper in (b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), TEXTS["closed arrays in each other"]):
        with pytest.raises(JsonError, match=f"more than {DEPTH_MAX} arrays and objects inside each other"):
            parse_json(deeper, 1 << 20)


def test_numbers_and_sizes_have_bounds() -> None:
    """Each message names the bound."""
    assert parse_json(b"9" * DIGITS_MAX, 100) == 10**DIGITS_MAX - 1
    with pytest.raises(JsonError, match="a number of 81 digits; at most 80"):
        parse_json(b"9" * (DIGITS_MAX + 1), 100)
    with pytest.raises(JsonError, match="a number of 5000 digits"):
        parse_json(TEXTS["a number of 5,000 digits"], 10_000)
    with pytest.raises(JsonError, match="out of range"):
        parse_json(b"[1e999]", 100)
    assert parse_json(b"  1  ", 5) == 1
    with pytest.raises(JsonError, match="more than 5 bytes"):
        parse_json(b"  1   ", 5)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": 1,\n "a": 2}', "the name 'a' occurs twice"),
        (b'["\xff"]', "not UTF-8 at byte 2"),
        (b'{\n "a": }', "no JSON at line 2, column 7"),
        (b'["\\ud800"]', "half of a surrogate pair"),
        (b'{"\\ud800": 1}', "half of a surrogate pair"),
        (b"[Infinity]", "Infinity is no JSON"),
    ],
)
def test_mistakes_are_named(data: bytes, message: str) -> None:
    """A place, or what is wrong."""
    with pytest.raises(JsonError, match=message):
        parse_json(data, 100)
