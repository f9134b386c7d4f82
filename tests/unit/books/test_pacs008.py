"""Payouts: what left an owner's account goes to its bank account, once, by a message that the schema takes."""

import pytest
from hypothesis import given, settings

from alatau.books import bookings
from alatau.books.amounts import Unit
from alatau.books.errors import BooksError
from alatau.books.iso20022 import AmountTooLargeError, transaction_uuid
from alatau.books.pacs008 import MESSAGE, Beneficiary, Payout, message_id, payouts, payouts_message
from alatau.books.parties import Agent, Holder
from tests.unit.books.banks import BANK, HUB, MERCHANT, NAMES, read, texts
from tests.unit.books.days import CHANNELS, DAY, clock, ledger_of, reference

A, B = CHANNELS[:2]
TO = Beneficiary(MERCHANT, BANK)
LEDGER = ledger_of(
    [
        bookings.deposit(clock(1), reference(1), A, 5_000_00),
        bookings.deposit(clock(2), reference(2), B, 7_000_00),
        bookings.withdrawal(clock(3), reference(3), A, 1_500_50),
        bookings.withdrawal(clock(4), reference(4), B, 10_00),
        bookings.close_payout(clock(5), reference(5), B, 6_990_00, 0),
        bookings.payment(clock(6), reference(6), A, CHANNELS[2], 1_00),
        bookings.hub_withdrawal(clock(7), reference(7), 1, channel=A),
    ]
)
TRANSFERS = payouts(LEDGER, {A: TO, B: Beneficiary(HUB, Agent("Other"))})


def message_of(*transfers: Payout) -> bytes:
    """What the hub sends the morning after."""
    return payouts_message(transfers, HUB, BANK, Unit(), day=DAY + 1, created=clock(90_000).time)


def test_withdrawals_and_payouts_of_owners_with_an_account_are_paid() -> None:
    """No payment, nothing of the hub, and nobody without a bank account."""
    assert [(one.reference[-1], one.amount) for one in TRANSFERS] == [(3, 1_500_50), (4, 10_00), (5, 6_990_00)]
    assert [one.amount for one in payouts(LEDGER, {A: TO})] == [1_500_50]


def test_the_message_names_each_transfer() -> None:
    """Amounts, accounts, banks, ids, and the sum."""
    root = read(MESSAGE, message_of(*TRANSFERS))
    body, header = "FIToFICstmrCdtTrf/CdtTrfTxInf", "FIToFICstmrCdtTrf/GrpHdr"
    assert texts(root, f"{header}/NbOfTxs") == ["3"]
    assert texts(root, f"{header}/TtlIntrBkSttlmAmt") == ["8500.50"]
    assert texts(root, f"{header}/IntrBkSttlmDt") == ["2026-11-28"]
    assert texts(root, f"{body}/IntrBkSttlmAmt") == ["1500.50", "10.00", "6990.00"]
    assert texts(root, f"{body}/CdtrAcct/Id/IBAN") == [MERCHANT.account]
    assert texts(root, f"{body}/CdtrAcct/Id/Othr/Id") == [HUB.account] * 2
    assert texts(root, f"{body}/CdtrAgt/FinInstnId/BICFI") == [BANK.bic]
    assert texts(root, f"{body}/PmtId/UETR") == [transaction_uuid(reference(number)) for number in (3, 4, 5)]


def test_a_message_that_is_written_again_is_the_same() -> None:
    """So that nobody is paid twice; another set of transfers has another id."""
    assert message_of(*TRANSFERS) == message_of(*TRANSFERS)
    assert message_id(DAY, TRANSFERS) != message_id(DAY, TRANSFERS[:2])
    assert len(message_id(DAY, TRANSFERS)) == 35


@settings(max_examples=25)
@given(NAMES, NAMES, NAMES)
def test_hostile_names_stay_names(payee: str, bank: str, note: str) -> None:
    """Whatever they hold."""
    one = Payout(reference(1), 5, Beneficiary(Holder(payee, "1"), Agent(bank)), note)
    root = read(MESSAGE, message_of(one))
    body = "FIToFICstmrCdtTrf/CdtTrfTxInf"
    assert texts(root, f"{body}/Cdtr/Nm") == [payee]
    assert texts(root, f"{body}/CdtrAgt/FinInstnId/Nm") == [bank]
    assert texts(root, f"{body}/RmtInf/Ustrd") == [note]


def test_what_a_message_cannot_carry_is_refused() -> None:
    """An amount, a sum, a note."""
    half = Payout(reference(1), 10**18 // 2, TO)
    with pytest.raises(AmountTooLargeError, match="18 digits"):
        message_of(Payout(reference(1), 10**18, TO))
    with pytest.raises(AmountTooLargeError, match="18 digits"):
        message_of(half, half)
    with pytest.raises(BooksError, match="note: 141 characters, at most 140"):
        message_of(Payout(reference(1), 5, TO, "x" * 141))
