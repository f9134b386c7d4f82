"""256-bit integers as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.wire.amount import AmountError, read_amount, write_amount


@given(st.integers(0, 2**256 - 1))
def test_an_amount_has_one_encoding(value: int) -> None:
    """It comes back as it was, without a leading zero."""
    data = write_amount(value)
    assert read_amount(data) == value
    assert data[:1] != b"\x00"
    with pytest.raises(AmountError):
        read_amount(b"\x00" + data)


def test_zero_is_empty_and_257_bits_are_too_many() -> None:
    """The ends of the range."""
    assert write_amount(0) == b""
    with pytest.raises(AmountError, match="33 bytes"):
        read_amount(b"\x01" + bytes(32))
