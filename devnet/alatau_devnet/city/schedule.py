"""Who pays whom, how much and when: a day with a morning, a lunch and an evening peak."""

import math
from dataclasses import dataclass
from random import Random
from typing import Final

from alatau_devnet.city.population import TIYN, Size

FIRST_HOUR, LAST_HOUR = 6.0, 23.0
"""Between these somebody pays."""
_PEAKS: Final = ((8.3, 0.8, 1.0), (13.0, 0.9, 1.5), (18.7, 1.5, 1.8))
"""Hour, width in hours, height over the base of 0.35."""
_BASE: Final = 0.35
_REFUND_SHARE: Final = 0.01
_PRICE_MIN, _PRICE_MAX = 150 * TIYN, 1_400 * TIYN


@dataclass(frozen=True, slots=True)
class Purchase:
    """One payment of the day."""

    at: float
    """Share of the day, 0 to 1."""
    payer: int
    """Number of a resident."""
    merchant: int
    """Number of a merchant, counted from the first merchant."""
    amount: int
    """Tiyn."""
    refund: int
    """Tiyn that the merchant gives back a little later; 0 for nothing."""


def demand(hour: float) -> float:
    """How busy the city is; the base alone is 0.35."""
    return _BASE + sum(height * math.exp(-(((hour - at) / width) ** 2)) for at, width, height in _PEAKS)


def hour_of(share: float) -> float:
    """The hour at a share of the day."""
    return FIRST_HOUR + share * (LAST_HOUR - FIRST_HOUR)


def day_of(size: Size, seed: int) -> list[Purchase]:
    """All payments, in order of time. Some shops are busier than others; no resident spends what it does not have."""
    draw = Random(seed + 1)  # noqa: S311
    highest = max(demand(hour_of(step / 1_000)) for step in range(1_001))
    weights = [1 / (rank + 20) ** 0.6 for rank in range(size.merchants)]
    shops = draw.choices(range(size.merchants), weights, k=size.payments)
    purchases = []
    for shop in shops:
        at = draw.random()
        while draw.random() * highest > demand(hour_of(at)):
            at = draw.random()
        amount = draw.randrange(_PRICE_MIN, _PRICE_MAX)
        refund = draw.randrange(1, amount + 1) if draw.random() < _REFUND_SHARE else 0
        purchases.append(Purchase(at, draw.randrange(size.residents), shop, amount, refund))
    return sorted(purchases, key=lambda purchase: purchase.at)
