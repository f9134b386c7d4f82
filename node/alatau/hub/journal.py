"""The hub's books on its disk: facts in the order of their booking, balances as of the last closed day, closed days.

Balances are kept once, of the newest closed day; those of an older one follow by taking back what was booked since.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from alatau.books.accounts import Account
from alatau.books.hub_facts import entry_of
from alatau.channels.forwarding.facts import Fact
from alatau.hub import schema
from alatau.storage import book_records as records
from alatau.storage.book_records import ClosedDay, DayPhase
from alatau.storage.database import Database

_NONE: Final = b""


class Journal:
    """Tables ``j``, ``b`` and ``t``. Not safe to write from two threads; reading is safe from any."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._number = int.from_bytes(database.get(schema.NUMBER_KEY) or _NONE, "big")

    def put(self, batch: Any, fact: Fact) -> None:
        """Add a fact to a batch that is about to be written."""
        self._number += 1
        batch.put(schema.JOURNAL + schema.u32(fact.day) + schema.u64(self._number), records.write_fact(fact))
        batch.put(schema.NUMBER_KEY, schema.u64(self._number))

    def facts(self, first_day: int, last_day: int) -> Iterator[Fact]:
        """Of these days, both included: day by day, in the order of their booking."""
        start, stop = schema.JOURNAL + schema.u32(first_day), schema.JOURNAL + schema.u32(last_day + 1)
        for _, data in self._database.items(start, stop):
            yield records.read_fact(data)

    def first_day(self) -> int | None:
        """The oldest day of which a fact is here."""
        key = next(self._database.keys(schema.JOURNAL, schema.JOURNAL + b"\xff"), None)
        return None if key is None else int.from_bytes(key[1:5], "big")

    @property
    def closed_day(self) -> int | None:
        """The newest day that is closed."""
        data = self._database.get(schema.CLOSED_KEY)
        return None if data is None else int.from_bytes(data, "big")

    def balances(self) -> dict[Account, int]:
        """As of the end of the newest closed day; nothing where there is none."""
        return {
            records.read_account(key[1:]): records.read_balance(data)
            for key, data in self._database.items_with(schema.BALANCE)
        }

    def openings(self, day: int) -> dict[Account, int]:
        """What a closed day, or the next one, began with."""
        closed = self.closed_day
        found = self.balances()
        if closed is None:
            return found
        for fact in self.facts(day, closed):
            for posting in entry_of(fact).postings:
                found[posting.account] = found.get(posting.account, 0) - posting.credit + posting.debit
        return {account: balance for account, balance in found.items() if balance}

    def close_day(self, closed: ClosedDay, before: Mapping[Account, int], after: Mapping[Account, int]) -> None:
        """A day is over: its sums and the balances at its end, in one durable write."""
        batch = self._database.batch()
        for account in before:
            if account not in after:
                batch.delete(schema.BALANCE + records.write_account(account))
        for account, balance in after.items():
            if before.get(account) != balance:
                batch.put(schema.BALANCE + records.write_account(account), records.write_balance(balance))
        batch.put(schema.CLOSED_DAY + schema.u32(closed.day), records.write_day(closed))
        batch.put(schema.CLOSED_KEY, schema.u32(closed.day))
        self._database.write(batch)

    def mark(self, closed: ClosedDay, phase: DayPhase) -> None:
        """How far a day's root has come."""
        batch = self._database.batch()
        batch.put(schema.CLOSED_DAY + schema.u32(closed.day), records.write_day(replace(closed, phase=phase)))
        self._database.write(batch)

    def closed(self, day: int) -> ClosedDay | None:
        """A day that is over, if it is closed and not forgotten."""
        data = self._database.get(schema.CLOSED_DAY + schema.u32(day))
        return None if data is None else records.read_day(day, data)

    def closed_days(self) -> Iterator[ClosedDay]:
        """All that are not forgotten, oldest first."""
        for key, data in self._database.items_with(schema.CLOSED_DAY):
            yield records.read_day(int.from_bytes(key[1:5], "big"), data)

    def prune(self, before_day: int, most: int) -> int:
        """Forget facts of closed days before ``before_day``, at most ``most``, and then the days; gives how many went.

        A day whose root is not on the chain yet stays.
        """
        waiting = [one.day for one in self.closed_days() if one.phase is DayPhase.CLOSED]
        closed = self.closed_day
        if closed is None:
            return 0
        end = schema.u32(min(before_day, closed, *waiting))
        batch = self._database.batch()
        count = 0
        for table in (schema.JOURNAL, schema.CLOSED_DAY):
            for key in self._database.keys(table, table + end):
                if count == most:
                    break
                batch.delete(key)
                count += 1
        if count:
            self._database.write(batch)
        return count
