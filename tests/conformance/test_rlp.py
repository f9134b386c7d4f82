"""RLPTests of ethereum/tests."""

from typing import Any

import pytest

from alatau.codec import rlp
from tests.conformance.published import documents

_FILES = dict(documents("ethereum_tests", "ethereum_tests/RLPTests/"))
_VALID: dict[str, Any] = _FILES["ethereum_tests/RLPTests/rlptest.json"]
_OTHER: dict[str, Any] = {
    name: test
    for path, tests in _FILES.items()
    if path != "ethereum_tests/RLPTests/rlptest.json"
    for name, test in tests.items()
}


def _value(item: Any) -> rlp.Item:
    """The value that a file means: ``#123`` is a large integer, any other text its characters' bytes."""
    if isinstance(item, list):
        return [_value(child) for child in item]
    if isinstance(item, str):
        return int(item[1:]) if item.startswith("#") else item.encode("latin-1")
    assert isinstance(item, int)
    return item


def _decoded(item: rlp.Item) -> rlp.Decoded:
    """What decoding gives back: bytes and lists only."""
    if isinstance(item, int):
        return item.to_bytes((item.bit_length() + 7) // 8, "big")
    return item if isinstance(item, bytes) else [_decoded(child) for child in item]


@pytest.mark.parametrize("name", _VALID)
def test_valid(name: str) -> None:
    """Encodes to the published bytes, and decodes back."""
    test = _VALID[name]
    data = bytes.fromhex(test["out"].removeprefix("0x"))
    assert rlp.encode(_value(test["in"])) == data
    assert rlp.decode(data) == _decoded(_value(test["in"]))


@pytest.mark.parametrize("name", _OTHER)
def test_invalid_and_random(name: str) -> None:
    """Bytes that are marked invalid are refused; those marked valid are canonical."""
    test = _OTHER[name]
    data = bytes.fromhex(test["out"].removeprefix("0x"))
    if test["in"] == "VALID":
        assert rlp.encode(rlp.decode(data)) == data
    else:
        assert test["in"] == "INVALID"
        with pytest.raises(rlp.RlpError):
            rlp.decode(data)


def test_all_files_are_read() -> None:
    """55 tests of 3 files."""
    assert (len(_FILES), len(_VALID) + len(_OTHER)) == (3, 55)
