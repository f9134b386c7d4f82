"""Statements for accountants: the published schema takes them, they add up, and names stay what they are."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.books import bookings
from alatau.books.accounts import AccountKind
from alatau.books.amounts import Unit, read_decimal
from alatau.books.camt053 import MESSAGE, day_book_message, statement_message
from alatau.books.entries import HOLD_KINDS, Entry
from alatau.books.errors import BooksError
from alatau.books.iso20022 import AmountTooLargeError
from alatau.books.ledger import closing_balances, fold_day
from alatau.books.parties import Agent, Holder
from alatau.books.statements import Statement, joined, statements
from tests.unit.books.banks import BANK, HUB, MERCHANT, NAMES, read, texts
from tests.unit.books.days import ALMATY, CHANNELS, DAY, city_days, clock, ledger_of, reference

A, B = CHANNELS[:2]
CREATED = clock(90_000).time
KZT = Unit()


def signed(element: ET.Element) -> int:
    """Amount and side of an entry or a balance."""
    (amount,), (side,) = texts(element, "Amt"), texts(element, "CdtDbtInd")
    return read_decimal(KZT, amount) * (1 if side == "CRDT" else -1)


def children(element: ET.Element, path: str) -> list[ET.Element]:
    """Elements at ``A/B`` in the message's namespace."""
    space = element.tag.partition("}")[0] + "}"
    return element.findall("/".join(space + part for part in path.split("/")))


def balances(part: ET.Element) -> dict[str, int]:
    """By their code."""
    return {texts(one, "Tp/CdOrPrtry/Cd")[0]: signed(one) for one in children(part, "Bal")}


def message_of(statement: Statement, holder: Holder = MERCHANT, servicer: Agent = BANK, **others: object) -> bytes:
    """A statement in tenge."""
    return statement_message(statement, holder, servicer, KZT, ALMATY, created=CREATED, **others)  # type: ignore[arg-type]


@settings(max_examples=25)
@given(city_days(days=2, largest=10**12))
def test_statements_are_valid_and_add_up(days: list[list[Entry]]) -> None:
    """A day's and two days', for every owner: opening, each movement, closing."""
    first = ledger_of(days[0])
    second = fold_day(DAY + 1, closing_balances(first), days[1])
    told = [statements(first), statements(second)]
    for channel, last in told[1].items():
        parts = [day[channel] for day in told if channel in day]
        for one in (last, joined(parts)):
            (part,) = children(read(MESSAGE, message_of(one)), "BkToCstmrStmt/Stmt")
            moved = [signed(entry) for entry in children(part, "Ntry")]
            assert moved == [movement.credit - movement.debit for movement in one.movements]
            assert balances(part) == {"OPBD": one.opening, "CLBD": one.closing, "CLAV": one.closing - one.held}
            assert one.opening + sum(moved) == one.closing
            assert texts(part, "TxsSummry/TtlNtries/NbOfNtries") == [str(len(moved))]
            (net,) = children(part, "TxsSummry/TtlNtries/TtlNetNtry")
            assert signed(net) == sum(moved)


@settings(max_examples=25)
@given(city_days(largest=10**12))
def test_the_day_book_is_valid_and_in_balance(days: list[list[Entry]]) -> None:
    """Every control account runs from opening to closing, they add up to nothing, and no owner is named."""
    ledger = ledger_of(days[0])
    data = day_book_message(ledger, HUB, BANK, KZT, ALMATY, created=CREATED)
    parts = children(read(MESSAGE, data), "BkToCstmrStmt/Stmt")
    assert [texts(part, "Acct/Id/Othr/Id") for part in parts] == [["OWNERS"], ["FEES"], ["CAPITAL"], ["ESCROW"]]
    for part in parts:
        told = balances(part)
        assert told["OPBD"] + sum(map(signed, children(part, "Ntry"))) == told["CLBD"]
    assert sum(balances(part)["CLBD"] for part in parts) == 0
    counted = sum(int(number) for number in texts(parts[0], "Ntry/NtryDtls/Btch/NbOfTxs"))
    owners = [
        posting
        for entry in ledger.entries
        if entry.kind not in HOLD_KINDS
        for posting in entry.postings
        if posting.account.kind is AccountKind.CHANNEL
    ]
    assert counted == len(owners)
    assert [channel.hex() for channel in CHANNELS if channel.hex()[:32] in data.decode()] == []


PAID = statements(
    ledger_of(
        [
            bookings.deposit(clock(1), reference(1), A, 5_000_00),
            bookings.payment(clock(2), reference(2), A, B, 1_000_00, fee=5_00, invoice_hash=reference(9)),
        ]
    )
)


def test_a_payment_is_told_with_its_charge_and_references() -> None:
    """Debit with the fee in it, code, time, and the whole reference in words."""
    root = read(MESSAGE, message_of(PAID[A]))
    entry = children(root, "BkToCstmrStmt/Stmt/Ntry")[1]
    assert signed(entry) == -1_005_00
    assert texts(entry, "BkTxCd/Prtry/Cd") == ["payment"]
    assert texts(entry, "BookgDt/DtTm") == ["2026-11-26T19:00:02Z"]
    assert texts(entry, "ValDt/Dt") == ["2026-11-27"]
    assert texts(entry, "NtryDtls/TxDtls/Chrgs/Rcrd/Amt") == ["5.00"]
    assert texts(entry, "NtryDtls/TxDtls/AddtlTxInf") == [
        f"reference 0x{reference(2).hex()} invoice 0x{reference(9).hex()}"
    ]
    assert texts(root, "BkToCstmrStmt/Stmt/FrToDt/FrDtTm") == ["2026-11-26T19:00:00Z"]
    assert texts(root, "BkToCstmrStmt/Stmt/FrToDt/ToDtTm") == ["2026-11-27T19:00:00Z"]
    assert texts(root, "BkToCstmrStmt/Stmt/Acct/Id/IBAN") == [MERCHANT.account]
    assert texts(root, "BkToCstmrStmt/Stmt/Acct/Nm") == [f"0x{A.hex()}"]


def test_an_account_without_iban_is_named_by_its_number() -> None:
    """As its keeper writes it."""
    root = read(MESSAGE, message_of(PAID[A], HUB))
    assert texts(root, "BkToCstmrStmt/Stmt/Acct/Id/Othr/Id") == ["HUB-0001"]


@settings(max_examples=25)
@given(NAMES, NAMES, st.text(st.sampled_from("<>&'\"]\u0438;-! "), min_size=1, max_size=140).filter(str.strip))
def test_hostile_names_stay_names(owner: str, servicer: str, note: str) -> None:
    """Whatever they hold, they end no element and begin none."""
    data = message_of(PAID[B], Holder(owner, "1"), Agent(servicer), notes={reference(9): note})
    root = read(MESSAGE, data)
    assert texts(root, "BkToCstmrStmt/Stmt/Acct/Ownr/Nm") == [owner]
    assert texts(root, "BkToCstmrStmt/Stmt/Acct/Svcr/FinInstnId/Nm") == [servicer]
    assert texts(root, "BkToCstmrStmt/Stmt/Ntry/NtryDtls/TxDtls/RmtInf/Ustrd") == [note]


def test_what_a_message_cannot_carry_is_refused() -> None:
    """A note with a control character, a sum of 19 digits."""
    with pytest.raises(BooksError, match=r"note: a line of text cannot hold U\+0000"):
        message_of(PAID[B], notes={reference(9): "a\x00"})
    large = statements(ledger_of([bookings.deposit(clock(1), reference(1), A, 10**18)]))
    with pytest.raises(AmountTooLargeError, match=r"10000000000000000\.00 has more than 18 digits"):
        message_of(large[A])
