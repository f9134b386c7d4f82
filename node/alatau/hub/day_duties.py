"""Closes the hub's days and brings their roots to the chain, each once, however often the hub dies on the way.

What a day comes to is fixed on the disk before it is sent. Whether the contract holds it is asked of the chain, before
and after: a hub that was killed between the two sends nothing twice. A root that the contract holds and these books do
not lead to is an alarm; nobody can change it any more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

import structlog
import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.books.day_root import posted_root
from alatau.books.errors import BooksError
from alatau.channels.day_book import DayTotals
from alatau.client import Client
from alatau.client.contract import Contract
from alatau.client.errors import ContractFailed, TransactionFailed
from alatau.hub.chain_duties import ChainDuties
from alatau.hub.day_close import close, next_day, unposted
from alatau.hub.journal import Journal
from alatau.hub.owner import Owner
from alatau.storage.book_records import ClosedDay, DayPhase
from alatau.transport.errors import Code, RpcError

_LOG = structlog.get_logger(__name__)

_PAUSE_S: Final = 5.0
"""Between two looks at the clock, and before a root is tried again."""
_LATE_S: Final = 6 * 3_600
"""A root that is not on the chain so long after it was closed is an alarm."""


@dataclass(slots=True)
class DayDuties:
    """:meth:`run` is its task."""

    owner: Owner
    journal: Journal
    duties: ChainDuties
    client: Client
    zone: tzinfo
    clock: Callable[[], float]
    """Seconds since 1970."""
    pause_s: float = _PAUSE_S
    broken: str = ""
    """Why a day cannot be closed; empty while none is in the way."""
    _late: frozenset[int] = frozenset()
    """Days of which the operator has been told."""

    def waiting(self) -> list[ClosedDay]:
        """Closed days whose root the chain does not hold."""
        return unposted(self.journal.closed_days())

    async def run(self) -> None:
        """Close and post until cancelled."""
        while True:
            await self._close()
            await self._post()
            await trio.sleep(self.pause_s)

    async def _close(self) -> None:
        while not self.broken:
            day = next_day(self.journal, self.owner.core.book, self.zone, int(self.clock()))
            if day is None:
                return
            try:
                closed, before, after = await trio.to_thread.run_sync(close, self.journal, day)
            except BooksError as error:
                self.broken = f"day {day} cannot be closed: {error}"
                self.duties.alarm(self.broken)
                return
            await self.owner.write(lambda: self.journal.close_day(closed, before, after))  # noqa: B023  (run at once)
            _LOG.info("hub.day_closed", day=day, paid=closed.totals.debits if closed.totals else 0)

    async def _post(self) -> None:
        contract = self.client.contract(load("DayBook").abi, addresses.DAY_BOOK)
        for day in self.waiting():
            if day.phase is not DayPhase.CLOSED or day.totals is None:
                continue
            try:
                phase = await self._posted(contract, day, day.totals)
            except (ContractFailed, TransactionFailed) as error:
                _LOG.warning("hub.day_refused", day=day.day, error=str(error))
                self._complain(day)
                return
            except RpcError as error:
                self.duties.wallet.forget_nonce()
                _LOG.warning("hub.day_not_posted", day=day.day, error=error.message, reason=error.reason)
                self._complain(day)
                return
            await self.owner.write(lambda: self.journal.mark(day, phase))  # noqa: B023  (run at once)
            _LOG.info("hub.day_posted", day=day.day, phase=phase.name.lower())

    async def _posted(self, contract: Contract, day: ClosedDay, totals: DayTotals) -> DayPhase:
        async with self.duties.turn:
            held = await self._held(contract, day.day)
            if not any(held):
                await contract.send(self.duties.wallet, "post_day_root", day.day, totals_argument(totals))
                held = await self._held(contract, day.day)
        if held == posted_root(totals):
            return DayPhase.POSTED
        if not any(held):
            raise RpcError(Code.UNAVAILABLE, "the node has not read the block that took the root", reason="NOT_READ")
        self.duties.alarm(f"the chain holds another root of day {day.day} than these books: they are an older copy's")
        return DayPhase.DIFFERS

    async def _held(self, contract: Contract, day: int) -> bytes:
        return bytes(await contract.read("day_root", self.duties.wallet.address, day))

    def _complain(self, day: ClosedDay) -> None:
        if day.day not in self._late and self.clock() > (day.day + 1) * 86_400 + _LATE_S:
            self._late |= {day.day}
            self.duties.alarm(f"the root of day {day.day} is not on the chain yet")


def totals_argument(totals: DayTotals) -> tuple[Any, ...]:
    """``DayTotals`` as the contract takes it."""
    return (totals.tree, totals.debits, totals.credits, totals.fees, totals.entries)
