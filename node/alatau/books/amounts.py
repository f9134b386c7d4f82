"""Amounts as text: token units are integers, people and banks read decimals of a currency."""

import re
from dataclasses import dataclass
from typing import Final

from alatau.books.errors import BooksError

DECIMALS_MAX: Final = 18
"""More digits after the point than any token here has; the contract's field would hold 255."""

_DECIMAL: Final = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a token counts."""

    currency: str = "KZT"
    """Code of ISO 4217."""
    decimals: int = 2
    """How many digits of an amount stand after the point: the token's ``decimals``."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise BooksError(f"a currency is three capital letters such as KZT, not {self.currency!r}")
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise BooksError(f"decimals are 0 to {DECIMALS_MAX}, not {self.decimals}")


def decimal_text(unit: Unit, amount: int) -> str:
    """1234567 token units of two decimals as ``12345.67``; all decimals are written."""
    digits = str(abs(amount)).rjust(unit.decimals + 1, "0")
    sign = "-" if amount < 0 else ""
    if not unit.decimals:
        return sign + digits
    return f"{sign}{digits[: -unit.decimals]}.{digits[-unit.decimals :]}"


def read_decimal(unit: Unit, text: str) -> int:
    """The token units of a decimal text. Raises ``BooksError`` for what is no amount of this unit."""
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise BooksError(f"an amount is digits with a point, such as 12.50, not {text!r}")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    if len(fraction) > unit.decimals:
        raise BooksError(f"{text} has more than {unit.decimals} decimals")
    amount = int(whole + fraction.ljust(unit.decimals, "0"))
    return -amount if sign else amount
