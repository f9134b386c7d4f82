"""Amounts as decimals: every token unit is written, and read back to the unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.books.amounts import DECIMALS_MAX, Unit, decimal_text, read_decimal
from alatau.books.entries import AMOUNT_MAX
from alatau.books.errors import BooksError

units = st.integers(0, DECIMALS_MAX).map(lambda decimals: Unit("KZT", decimals))


@given(units, st.integers(-AMOUNT_MAX, AMOUNT_MAX))
def test_amounts_are_read_as_they_are_written(unit: Unit, amount: int) -> None:
    """Up to the largest, with every number of decimals."""
    assert read_decimal(unit, decimal_text(unit, amount)) == amount


@pytest.mark.parametrize(
    ("decimals", "amount", "text"),
    [
        (2, 0, "0.00"),
        (2, 5, "0.05"),
        (2, -5, "-0.05"),
        (2, 1_234_567, "12345.67"),
        (0, 1_234, "1234"),
        (5, 100_000, "1.00000"),
        (2, AMOUNT_MAX, "51922968585348276285304963292200.95"),
    ],
)
def test_all_decimals_are_written(decimals: int, amount: int, text: str) -> None:
    """Also zeros."""
    assert decimal_text(Unit("KZT", decimals), amount) == text


@pytest.mark.parametrize(("text", "amount"), [("7", 700), ("7.5", 750), ("-0.05", -5)])
def test_decimals_may_be_left_out(text: str, amount: int) -> None:
    """As people write amounts."""
    assert read_decimal(Unit(), text) == amount


@pytest.mark.parametrize("text", ["", ".5", "5.", "1e3", "+1", "01", "1,5", " 1", "1.2.3", "٣", "NaN"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    """With what one looks like."""
    with pytest.raises(BooksError, match=r"such as 12\.50"):
        read_decimal(Unit(), text)


def test_fractions_of_a_unit_are_refused() -> None:
    """Nothing is rounded."""
    with pytest.raises(BooksError, match=r"0\.001 has more than 2 decimals"):
        read_decimal(Unit(), "0.001")


@pytest.mark.parametrize(("currency", "decimals"), [("kzt", 2), ("KZTT", 2), ("", 2), ("KZT", -1), ("KZT", 19)])
def test_a_unit_is_a_currency_with_decimals(currency: str, decimals: int) -> None:
    """As ISO 4217 writes it; no more decimals than a token here has."""
    with pytest.raises(BooksError, match=r"capital letters|decimals are 0 to 18"):
        Unit(currency, decimals)
