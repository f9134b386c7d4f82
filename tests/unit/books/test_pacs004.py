"""Returns: a transfer that came back is told by the ids of the one that went."""

import pytest

from alatau.books.amounts import Unit
from alatau.books.errors import BooksError
from alatau.books.iso20022 import short_reference, transaction_uuid
from alatau.books.pacs004 import MESSAGE, Return, returns_message
from alatau.books.pacs008 import Beneficiary, Payout, message_id
from tests.unit.books.banks import BANK, MERCHANT, read, texts
from tests.unit.books.days import DAY, clock, reference

SENT = [Payout(reference(number), 1_000 * number, Beneficiary(MERCHANT, BANK)) for number in (1, 2)]


def returned(place: int, amount: int, reason: str = "AC04") -> Return:
    """One of the transfers, or a part of it."""
    return Return(reference(90 + place), SENT[place], message_id(DAY, SENT), amount, reason)


def test_returns_name_what_went() -> None:
    """The message, each transfer's ids and amount, what came back and why."""
    data = returns_message(
        [returned(0, 1_000), returned(1, 1, "MS03")], Unit(), day=DAY + 2, created=clock(180_000).time
    )
    root = read(MESSAGE, data)
    body = "PmtRtr/TxInf"
    assert texts(root, "PmtRtr/GrpHdr/TtlRtrdIntrBkSttlmAmt") == ["10.01"]
    assert texts(root, f"{body}/RtrId") == [short_reference(reference(number)) for number in (90, 91)]
    assert texts(root, f"{body}/OrgnlGrpInf/OrgnlMsgId") == [message_id(DAY, SENT)] * 2
    assert texts(root, f"{body}/OrgnlGrpInf/OrgnlMsgNmId") == ["pacs.008.001.08"] * 2
    assert texts(root, f"{body}/OrgnlEndToEndId") == [short_reference(reference(number)) for number in (1, 2)]
    assert texts(root, f"{body}/OrgnlUETR") == [transaction_uuid(reference(number)) for number in (1, 2)]
    assert texts(root, f"{body}/OrgnlIntrBkSttlmAmt") == ["10.00", "20.00"]
    assert texts(root, f"{body}/RtrdIntrBkSttlmAmt") == ["10.00", "0.01"]
    assert texts(root, f"{body}/RtrRsnInf/Rsn/Cd") == ["AC04", "MS03"]


@pytest.mark.parametrize("amount", [0, -1, 1_001])
def test_no_more_comes_back_than_went(amount: int) -> None:
    """Nor nothing."""
    with pytest.raises(BooksError, match=f"amount: {amount} of 1000"):
        returned(0, amount)


@pytest.mark.parametrize("reason", ["", "AC4", "ac04", "CLOSED"])
def test_reasons_are_of_the_standards_form(reason: str) -> None:
    """Four characters."""
    with pytest.raises(BooksError, match="reason: four characters"):
        returned(0, 1, reason)
