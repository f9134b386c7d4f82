"""Records of a hub's books come back as they were."""

import pytest

from alatau.books.accounts import CAPITAL, CREDIT, FEES, escrow_account, owner_account, suspense_account
from alatau.channels.day_book import DayTotals
from alatau.channels.forwarding.facts import Fact, FactKind
from alatau.codec.rlp import RlpError
from alatau.storage import book_records as records
from alatau.storage.book_records import ClosedDay, DayPhase

CHANNEL = b"\x0c" * 32


@pytest.mark.parametrize("kind", FactKind)
def test_facts(kind: FactKind) -> None:
    """With and without what is optional."""
    for fact in (
        Fact(kind, 20_000, 1_728_000_001, b"\x01" * 32, CHANNEL, 7),
        Fact(kind, 20_000, 1_728_000_001, b"\x01" * 32, b"", 2**112 - 1, b"\x02" * 32, 5, b"\x03" * 32),
    ):
        assert records.read_fact(records.write_fact(fact)) == fact


def test_accounts_balances_and_days() -> None:
    """Balances have signs; a day may have no totals."""
    for account in (CAPITAL, CREDIT, FEES, *(of(CHANNEL) for of in (escrow_account, owner_account, suspense_account))):
        assert records.read_account(records.write_account(account)) == account
    for balance in (0, 1, -1, 2**160, -(2**160)):
        assert records.read_balance(records.write_balance(balance)) == balance
    for totals in (None, DayTotals(b"\x04" * 32, 10, 8, 2, 3)):
        for phase in DayPhase:
            closed = ClosedDay(20_000, totals, phase)
            assert records.read_day(20_000, records.write_day(closed)) == closed


def test_what_was_not_written_here_is_refused() -> None:
    """Bytes of something else."""
    with pytest.raises(RlpError):
        records.read_fact(b"\xc1\x01")
