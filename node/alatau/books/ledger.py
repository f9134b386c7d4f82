"""A day's ledger: entries folded into what each account opened with, was debited, was credited, and closed with.

Rules:

1. A day begins with the closing balances of the day before, which add up to nothing.
2. Entries are of the day, in the order in which they were booked, and none is booked twice: no two of a kind have one
   reference. A payment that was cancelled may be tried again, so holds and releases of one reference alternate.
3. What an owner has, and what its locks hold, is never below nothing.
4. Every entry balances, so the closing balances add up to nothing again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from alatau.books.accounts import OF_A_CHANNEL, Account, escrow_account, owner_account, suspense_account
from alatau.books.entries import Entry, EntryKind
from alatau.books.errors import DuplicateEntryError, OverdrawnError, UnbalancedError, WrongDayError
from alatau.codec.plain_text import plain_text


@dataclass(frozen=True, slots=True)
class AccountDay:
    """What a day did to an account. A balance is credits less debits: positive is owed, negative is held."""

    opening: int
    debits: int
    credits: int

    @property
    def closing(self) -> int:
        """The next day's opening balance."""
        return self.opening + self.credits - self.debits


@dataclass(frozen=True, slots=True)
class DayLedger:
    """A day's accounts and the entries that moved them."""

    day: int
    """The zone's day number, days since 1970."""
    accounts: Mapping[Account, AccountDay]
    """All that the day began with, and all that moved."""
    entries: tuple[Entry, ...]

    def account(self, account: Account) -> AccountDay:
        """What the day did to an account; one that is not there has nothing."""
        return self.accounts.get(account, _NOTHING)


_NOTHING: Final = AccountDay(0, 0, 0)
_OPPOSITES: Final = {EntryKind.HOLD: EntryKind.RELEASE, EntryKind.RELEASE: EntryKind.HOLD}


def fold_day(day: int, openings: Mapping[Account, int], entries: Iterable[Entry]) -> DayLedger:
    """The ledger of a day.

    Args:
        day: the zone's day number.
        openings: :func:`closing_balances` of the day before; empty for a hub's first day.
        entries: the day's, in the order in which they were booked.

    Raises:
        UnbalancedError: the opening balances are no day's end.
        WrongDayError: an entry is of another day.
        DuplicateEntryError: two entries of a kind have one reference.
        OverdrawnError: an owner has less than nothing after an entry.
    """
    if sum(openings.values()) != 0:
        raise UnbalancedError(sum(openings.values()))
    taken = tuple(entries)
    moved = {account: [opening, 0, 0] for account, opening in openings.items()}
    seen: dict[EntryKind, set[bytes]] = {kind: set() for kind in EntryKind}
    for place, entry in enumerate(taken):
        if entry.at.day != day:
            raise WrongDayError(place, entry.at.day, day)
        known = seen[entry.kind]
        if entry.reference in known:
            raise DuplicateEntryError(place, f"{entry.kind.value} {plain_text(entry.reference)}")
        known.add(entry.reference)
        if entry.kind in _OPPOSITES:
            seen[_OPPOSITES[entry.kind]].discard(entry.reference)
        for posting in entry.postings:
            line = moved.setdefault(posting.account, [0, 0, 0])
            line[1] += posting.debit
            line[2] += posting.credit
        for posting in entry.postings:
            if posting.debit:
                opening, debits, credits_ = moved[posting.account]
                if opening + credits_ < debits and posting.account.kind in OF_A_CHANNEL:
                    raise OverdrawnError(place, str(posting.account), opening + credits_ - debits)
    accounts = {account: AccountDay(*line) for account, line in moved.items()}
    assert sum(line.closing for line in accounts.values()) == 0, "entries that balance keep the sum of all balances"
    return DayLedger(day, accounts, taken)


def closing_balances(ledger: DayLedger) -> dict[Account, int]:
    """What the next day begins with: accounts at 0 are left out."""
    return {account: moved.closing for account, moved in ledger.accounts.items() if moved.closing}


def hub_share(balances: Mapping[Account, int], channel_id: bytes) -> int:
    """What of a channel's money is the hub's: what the contract holds, less what is the owner's or held by locks.

    Below nothing means that the books owe the owner more than the contract holds for the channel.
    """
    accounts = (escrow_account(channel_id), owner_account(channel_id), suspense_account(channel_id))
    return -sum(balances.get(account, 0) for account in accounts)
