"""256-bit integers as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.wire.amount import AmountError, read_amount, write_amount


@given(st.integers(0, 2**256 - 1), st.integers(0, 32))
def test_an_amount_is_written_in_one_form_and_read_in_any(value: int, zeros: int) -> None:
    """It comes back as it was; what is written has no leading zero, what is read may, as Java's integers have."""
    data = write_amount(value)
    assert data[:1] != b"\x00"
    assert read_amount(data) == read_amount(bytes(zeros) + data) == value


def test_zero_is_empty_and_257_bits_are_too_many() -> None:
    """The ends of the range."""
    assert write_amount(0) == b""
    with pytest.raises(AmountError, match="257 bits"):
        read_amount(b"\x01" + bytes(32))
    with pytest.raises(AmountError, match="65 bytes"):
        read_amount(bytes(65))
