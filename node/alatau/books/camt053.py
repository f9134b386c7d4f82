"""Statements as ISO 20022 camt.053.001.08: an owner's, movement by movement, and a hub's day book, by sums.

A hub's day book says what owners, fees, capital and escrow did in all, in one statement each, with one batch for each
kind and side. No owner stands in it, and no single amount. Balances are booked ones (``OPBD``, ``CLBD``); what the
owner can spend, locks left out, is ``CLAV``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final
from xml.etree import ElementTree as ET

from alatau.books.accounts import AccountKind
from alatau.books.amounts import Unit
from alatau.books.calendar import day_start
from alatau.books.entries import HOLD_KINDS
from alatau.books.iso20022 import (
    ISSUER,
    date_text,
    document,
    iso_amount,
    put,
    put_account,
    put_agent,
    put_amount,
    put_signed,
    short_reference,
    side,
    time_text,
    written,
)
from alatau.books.ledger import DayLedger
from alatau.books.parties import NOTE_MAX, Agent, Holder, checked_text
from alatau.books.statements import Movement, Statement
from alatau.codec.plain_text import plain_text

MESSAGE: Final = "camt.053.001.08"

_CONTROL_ACCOUNTS: Final = (
    ("OWNERS", frozenset({AccountKind.CHANNEL, AccountKind.SUSPENSE})),
    ("FEES", frozenset({AccountKind.FEES})),
    ("CAPITAL", frozenset({AccountKind.CAPITAL})),
    ("ESCROW", frozenset({AccountKind.ESCROW})),
)
"""What the day book has a statement of, and the accounts that each sums up."""


@dataclass(frozen=True, slots=True)
class _Batch:
    """Entries of one kind on one side of a control account."""

    code: str
    debit: bool
    number: int
    amount: int

    @property
    def signed(self) -> int:
        """What it adds to the balance."""
        return -self.amount if self.debit else self.amount


def statement_message(
    statement: Statement,
    holder: Holder,
    servicer: Agent,
    unit: Unit,
    zone: tzinfo,
    *,
    created: int,
    notes: Mapping[bytes, str] | None = None,
) -> bytes:
    """An owner's statement.

    Args:
        statement: of a day, or of days joined.
        holder: the owner's name and account, as the hub's configuration or the till has them.
        servicer: the hub.
        unit: the token's.
        zone: in which the days are counted.
        created: seconds since 1970 of the message.
        notes: what the owner wrote on its invoices, by their hashes: receipt numbers, references.

    Raises:
        AmountTooLargeError: a sum has more digits than ISO 20022 allows.
        BooksError: a note cannot be carried.
    """
    root, body = document(MESSAGE, "BkToCstmrStmt")
    name = f"{statement.first_day}-{statement.last_day}-{short_reference(statement.channel_id)[:16]}"
    _group(body, name, created)
    part = _begin(body, name, created, zone, statement.first_day, statement.last_day)
    account = put_account(part, "Acct", holder.account)
    put(account, "Ccy", unit.currency)
    put(account, "Nm", plain_text(statement.channel_id))
    put(account, "Ownr/Nm", holder.name)
    put_agent(account, "Svcr", servicer)
    _balance(part, "OPBD", unit, statement.opening, statement.first_day)
    _balance(part, "CLBD", unit, statement.closing, statement.last_day)
    _balance(part, "CLAV", unit, statement.closing - statement.held, statement.last_day)
    _summary(part, unit, [movement.credit - movement.debit for movement in statement.movements])
    for movement in statement.movements:
        _movement(part, unit, movement, (notes or {}).get(movement.invoice_hash, ""))
    return written(root)


def day_book_message(
    ledger: DayLedger, hub: Holder, servicer: Agent, unit: Unit, zone: tzinfo, *, created: int
) -> bytes:
    """A hub's day, one statement for each control account.

    Args:
        ledger: of the day.
        hub: the hub's name, and the number of its books, which the statements' accounts belong to.
        servicer: who keeps the books.
        unit: the token's.
        zone: in which the day is counted.
        created: seconds since 1970 of the message.

    Raises:
        AmountTooLargeError: a sum has more digits than ISO 20022 allows.
    """
    root, body = document(MESSAGE, "BkToCstmrStmt")
    _group(body, f"{ledger.day}-DAYBOOK", created)
    for code, kinds in _CONTROL_ACCOUNTS:
        moved = [line for account, line in ledger.accounts.items() if account.kind in kinds]
        part = _begin(body, f"{ledger.day}-{code}", created, zone, ledger.day, ledger.day)
        account = put(part, "Acct")
        put(account, "Id/Othr/Id", code)
        put(account, "Id/Othr/Issr", hub.account)
        put(account, "Ccy", unit.currency)
        put(account, "Ownr/Nm", hub.name)
        put_agent(account, "Svcr", servicer)
        _balance(part, "OPBD", unit, sum(line.opening for line in moved), ledger.day)
        _balance(part, "CLBD", unit, sum(line.closing for line in moved), ledger.day)
        batches = _batches(ledger, kinds)
        _summary(part, unit, [batch.signed for batch in batches])
        for batch in batches:
            _batch(part, unit, batch, ledger.day)
    return written(root)


def _batches(ledger: DayLedger, kinds: frozenset[AccountKind]) -> list[_Batch]:
    sums: dict[tuple[str, bool], tuple[int, int]] = {}
    for entry in ledger.entries:
        if entry.kind not in HOLD_KINDS:
            for posting in entry.postings:
                if posting.account.kind in kinds:
                    key = (entry.kind.value, posting.debit > 0)
                    number, amount = sums.get(key, (0, 0))
                    sums[key] = (number + 1, amount + posting.debit + posting.credit)
    return [_Batch(*key, *sums[key]) for key in sorted(sums)]


def _group(body: ET.Element, name: str, created: int) -> None:
    put(body, "GrpHdr/MsgId", name)
    put(body, "GrpHdr/CreDtTm", time_text(created))


def _begin(body: ET.Element, name: str, created: int, zone: tzinfo, first: int, last: int) -> ET.Element:
    part = put(body, "Stmt")
    put(part, "Id", name)
    put(part, "CreDtTm", time_text(created))
    put(part, "FrToDt/FrDtTm", time_text(day_start(zone, first)))
    put(part, "FrToDt/ToDtTm", time_text(day_start(zone, last + 1)))
    return part


def _balance(part: ET.Element, code: str, unit: Unit, balance: int, day: int) -> None:
    element = put(part, "Bal")
    put(element, "Tp/CdOrPrtry/Cd", code)
    put_signed(element, unit, balance)
    put(element, "Dt/Dt", date_text(day))


def _summary(part: ET.Element, unit: Unit, moved: list[int]) -> None:
    """Numbers and sums of both sides; credits are positive."""
    summary = put(part, "TxsSummry")
    total = put(summary, "TtlNtries")
    _count(total, unit, moved)
    put(total, "TtlNetNtry/Amt", iso_amount(unit, abs(sum(moved))))
    put(total, "TtlNetNtry/CdtDbtInd", side(sum(moved)))
    _count(put(summary, "TtlCdtNtries"), unit, [amount for amount in moved if amount > 0])
    _count(put(summary, "TtlDbtNtries"), unit, [amount for amount in moved if amount < 0])


def _count(element: ET.Element, unit: Unit, moved: list[int]) -> None:
    put(element, "NbOfNtries", str(len(moved)))
    put(element, "Sum", iso_amount(unit, sum(map(abs, moved))))


def _movement(part: ET.Element, unit: Unit, movement: Movement, note: str) -> None:
    entry = put(part, "Ntry")
    put(entry, "NtryRef", short_reference(movement.reference))
    put_signed(entry, unit, movement.credit - movement.debit)
    put(entry, "Sts/Cd", "BOOK")
    put(entry, "BookgDt/DtTm", time_text(movement.at.time))
    put(entry, "ValDt/Dt", date_text(movement.at.day))
    put(entry, "BkTxCd/Prtry/Cd", movement.kind.value)
    put(entry, "BkTxCd/Prtry/Issr", ISSUER)
    details = put(entry, "NtryDtls/TxDtls")
    put(details, "Refs/EndToEndId", short_reference(movement.reference))
    put_signed(details, unit, movement.credit - movement.debit)
    if movement.fee:
        record = put(details, "Chrgs/Rcrd")
        put_amount(record, "Amt", unit, movement.fee)
        put(record, "CdtDbtInd", "DBIT")
        put(record, "ChrgInclInd", "true")
    if note:
        put(details, "RmtInf/Ustrd", checked_text("note", note, NOTE_MAX))
    invoice = f" invoice {plain_text(movement.invoice_hash)}" if movement.invoice_hash else ""
    put(details, "AddtlTxInf", f"reference {plain_text(movement.reference)}{invoice}")


def _batch(part: ET.Element, unit: Unit, batch: _Batch, day: int) -> None:
    entry = put(part, "Ntry")
    put_signed(entry, unit, batch.signed)
    put(entry, "Sts/Cd", "BOOK")
    put(entry, "BookgDt/Dt", date_text(day))
    put(entry, "BkTxCd/Prtry/Cd", batch.code)
    put(entry, "BkTxCd/Prtry/Issr", ISSUER)
    details = put(entry, "NtryDtls/Btch")
    put(details, "NbOfTxs", str(batch.number))
    put_amount(details, "TtlAmt", unit, batch.amount)
    put(details, "CdtDbtInd", side(batch.signed))
