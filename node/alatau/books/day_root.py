"""From a day's ledger to the root that a hub posts: entries for the sum tree, and proofs that one is in it.

DayBook.vy counts what owners paid and received (``PAID_KINDS``), by channels in the order of their ids. Deposits,
payouts, locks in flight and the hub's own moves are no part of it: with them debits would not be credits and fees. A
day on which nobody paid has no root; the hub posts nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from alatau.books.accounts import AccountKind
from alatau.books.entries import PAID_KINDS, Entry
from alatau.books.errors import NotInBookError
from alatau.channels.day_book import DayBook, DayEntry, DayTotals, Node, day_book, is_in_book
from alatau.channels.messages import uint_word
from alatau.crypto.keccak import keccak256


@dataclass(frozen=True, slots=True)
class DayRoot:
    """A day's entries in the order of their leaves, and the tree over them."""

    day: int
    entries: tuple[DayEntry, ...]
    """By channel id; a channel that neither paid nor received is not among them."""
    book: DayBook


@dataclass(frozen=True, slots=True)
class Inclusion:
    """What shows an owner that its day is in what the hub posted: arguments of ``DayBook.in_day_book``."""

    day: int
    totals: DayTotals
    entry: DayEntry
    index: int
    siblings: tuple[Node, ...]


def day_entries(entries: Iterable[Entry]) -> tuple[DayEntry, ...]:
    """What each channel's owner paid and received by these entries, in the order of the ids."""
    paid: dict[bytes, int] = {}
    received: dict[bytes, int] = {}
    for entry in entries:
        if entry.kind in PAID_KINDS:
            for posting in entry.postings:
                if posting.account.kind is AccountKind.CHANNEL:
                    channel = posting.account.channel_id
                    paid[channel] = paid.get(channel, 0) + posting.debit
                    received[channel] = received.get(channel, 0) + posting.credit
    return tuple(DayEntry(channel, paid[channel], received[channel]) for channel in sorted(paid))


def day_root(day: int, entries: Iterable[Entry]) -> DayRoot | None:
    """The tree of a day's entries; None for a day on which nobody paid.

    Raises:
        ValueError: more channels or larger sums than the contract takes.
    """
    rows = day_entries(entries)
    return DayRoot(day, rows, day_book(rows)) if rows else None


def posted_root(totals: DayTotals) -> bytes:
    """What ``DayBook.day_root`` holds after the totals were posted: keccak256 of their ABI encoding, 32 bytes."""
    numbers = (totals.debits, totals.credits, totals.fees, totals.entries)
    return keccak256(totals.tree + b"".join(map(uint_word, numbers)))


def inclusion(root: DayRoot, channel_id: bytes) -> Inclusion:
    """The proof for a channel. Raises ``NotInBookError``."""
    for index, entry in enumerate(root.entries):
        if entry.channel_id == channel_id:
            return Inclusion(root.day, root.book.totals, entry, index, root.book.proof(index))
    raise NotInBookError(f"channel 0x{channel_id.hex()} neither paid nor received on day {root.day}")


def is_included(proof: Inclusion, posted: bytes) -> bool:
    """Whether the proof leads to the word that the contract holds for the day."""
    leads = is_in_book(proof.totals, proof.entry, proof.index, proof.siblings)
    return leads and posted_root(proof.totals) == posted
