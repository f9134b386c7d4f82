"""How much an account may pay: at once, in a day, in a month, by its tier.

A payment counts when it is taken, and no longer where it was cancelled; a refund gives nothing back, since what was
paid was paid. Day and month are the hub's calendar's: they come with each :class:`Moment`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

UNLIMITED: Final = 2**128
"""Above every amount there is."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Now: of the chain and of the hub's calendar."""

    time: int
    """Seconds since 1970."""
    block: int
    """Height of the chain, up to which its news has been told."""
    day: int
    """Days since 1970 in the hub's time zone."""
    day_ends: int
    """Seconds since 1970."""
    month: int
    """Months since 1970 in the hub's time zone."""
    month_ends: int
    """Seconds since 1970."""


class Period(Enum):
    """What a limit is about."""

    PAYMENT = "payment"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one tier, in token units."""

    payment: int = UNLIMITED
    day: int = UNLIMITED
    month: int = UNLIMITED


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account has paid in the day and the month of its last payment."""

    day: int = 0
    day_paid: int = 0
    month: int = 0
    month_paid: int = 0


@dataclass(frozen=True, slots=True)
class Excess:
    """The limit that a payment would pass."""

    period: Period
    limit: int
    used: int
    frees: int
    """Seconds since 1970 at which the period ends; 0 for the limit of a single payment, which never frees."""


def limits_of(tiers: Mapping[int, Limits], tier: int) -> Limits:
    """The limits of ``tier``; those of the lowest tier where it has none of its own: nobody is without a limit."""
    return tiers[tier] if tier in tiers else tiers[min(tiers)]


def used_now(usage: Usage, moment: Moment) -> Usage:
    """``usage`` with what is over taken out."""
    day_paid = usage.day_paid if usage.day == moment.day else 0
    month_paid = usage.month_paid if usage.month == moment.month else 0
    return Usage(moment.day, day_paid, moment.month, month_paid)


def excess(limits: Limits, usage: Usage, amount: int, moment: Moment) -> Excess | None:
    """The first limit that paying ``amount`` would pass, the narrowest period first."""
    now = used_now(usage, moment)
    if amount > limits.payment:
        return Excess(Period.PAYMENT, limits.payment, 0, 0)
    if now.day_paid + amount > limits.day:
        return Excess(Period.DAY, limits.day, now.day_paid, moment.day_ends)
    if now.month_paid + amount > limits.month:
        return Excess(Period.MONTH, limits.month, now.month_paid, moment.month_ends)
    return None


def counted(usage: Usage, amount: int, moment: Moment) -> Usage:
    """``usage`` after ``amount`` was paid."""
    now = used_now(usage, moment)
    return replace(now, day_paid=now.day_paid + amount, month_paid=now.month_paid + amount)


def uncounted(usage: Usage, amount: int, day: int, month: int) -> Usage:
    """``usage`` after a payment of ``day`` and ``month`` came to nothing; periods that are over stay as they are."""
    return replace(
        usage,
        day_paid=max(usage.day_paid - amount, 0) if usage.day == day else usage.day_paid,
        month_paid=max(usage.month_paid - amount, 0) if usage.month == month else usage.month_paid,
    )
