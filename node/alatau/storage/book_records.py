"""What a hub keeps of its books on disk, as RLP and back. What was not written here raises ``RlpError``."""

from dataclasses import dataclass
from enum import IntEnum

from alatau.books.accounts import Account, AccountKind
from alatau.channels.day_book import DayTotals
from alatau.channels.forwarding.facts import Fact, FactKind
from alatau.codec.rlp import Item as Encodable
from alatau.codec.rlp import decode, encode, to_bytes, to_list, to_uint

_KINDS = (
    AccountKind.CHANNEL,
    AccountKind.SUSPENSE,
    AccountKind.ESCROW,
    AccountKind.FEES,
    AccountKind.CAPITAL,
)
"""Numbers on disks: their places here."""


class DayPhase(IntEnum):
    """How far a day's root has come. The values are on disks."""

    CLOSED = 1
    """Its sums are fixed; the chain does not hold them yet."""
    POSTED = 2
    """The contract holds the root, or nobody paid and there is none."""
    DIFFERS = 3
    """The contract holds another root: this hub's disk is an older copy than what posted it."""


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day that is over."""

    day: int
    """Days since 1970 in the hub's time zone."""
    totals: DayTotals | None
    """None for a day on which nobody paid."""
    phase: DayPhase


def write_fact(fact: Fact) -> bytes:
    """A fact."""
    head: list[Encodable] = [int(fact.kind), fact.day, fact.time, fact.reference, fact.channel]
    return encode([*head, fact.amount, fact.other, fact.part, fact.invoice_hash])


def read_fact(data: bytes) -> Fact:
    """A fact."""
    kind, day, time, reference, channel, amount, other, part, invoice_hash = to_list(decode(data), 9)
    return Fact(
        FactKind(to_uint(kind)),
        to_uint(day),
        to_uint(time),
        to_bytes(reference, 32),
        to_bytes(channel),
        to_uint(amount),
        to_bytes(other),
        to_uint(part),
        to_bytes(invoice_hash),
    )


def write_account(account: Account) -> bytes:
    """A byte for the kind, and the channel."""
    return bytes((_KINDS.index(account.kind),)) + account.channel_id


def read_account(data: bytes) -> Account:
    """An account."""
    return Account(_KINDS[data[0]], data[1:])


def write_balance(balance: int) -> bytes:
    """A sign, and what it is without it."""
    return encode([int(balance < 0), abs(balance)])


def read_balance(data: bytes) -> int:
    """A balance."""
    negative, amount = to_list(decode(data), 2)
    return -to_uint(amount) if to_uint(negative) else to_uint(amount)


def write_day(closed: ClosedDay) -> bytes:
    """A closed day; its number is in the key."""
    totals = closed.totals
    told: list[Encodable] = (
        [] if totals is None else [totals.tree, totals.debits, totals.credits, totals.fees, totals.entries]
    )
    return encode([int(closed.phase), told])


def read_day(day: int, data: bytes) -> ClosedDay:
    """A closed day."""
    phase, told = to_list(decode(data), 2)
    numbers = to_list(told)
    totals = DayTotals(to_bytes(numbers[0], 32), *(to_uint(one) for one in numbers[1:])) if numbers else None
    return ClosedDay(day, totals, DayPhase(to_uint(phase)))
