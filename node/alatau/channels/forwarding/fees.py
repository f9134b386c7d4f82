"""What a hub asks for a payment, on top of its amount. Integers only."""

from dataclasses import dataclass
from typing import Final

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """A fixed part and a share."""

    base: int = 0
    """Token units a payment."""
    parts_per_million: int = 0
    """Of the amount, rounded down."""

    def __post_init__(self) -> None:
        if self.base < 0 or not 0 <= self.parts_per_million <= MILLION:
            raise ValueError(f"a fee is 0 or more, its share at most {MILLION} parts per million")


NO_FEES: Final = FeeSchedule()


def fee_of(schedule: FeeSchedule, amount: int) -> int:
    """What the payer pays besides ``amount``, in token units."""
    return schedule.base + amount * schedule.parts_per_million // MILLION
