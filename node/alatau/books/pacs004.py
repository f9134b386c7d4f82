"""Returns as ISO 20022 pacs.004.001.09: transfers that came back, since an account is closed or for another reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from alatau.books.amounts import Unit
from alatau.books.errors import BooksError
from alatau.books.iso20022 import (
    date_text,
    document,
    put,
    put_amount,
    short_reference,
    time_text,
    transaction_uuid,
    written,
)
from alatau.books.pacs008 import MESSAGE as ORIGINAL_MESSAGE
from alatau.books.pacs008 import Payout
from alatau.crypto.keccak import keccak256

MESSAGE: Final = "pacs.004.001.09"

_REASON: Final = re.compile("[A-Z0-9]{4}")


@dataclass(frozen=True, slots=True)
class Return:
    """All or a part of a transfer that came back."""

    reference: bytes
    """32 bytes: of the return."""
    original: Payout
    original_id: str
    """Id of the message that had the transfer (:func:`alatau.books.pacs008.message_id`)."""
    amount: int
    """Token units, at most the transfer's."""
    reason: str
    """Four characters of the external code set of return reasons: ``AC04`` for a closed account."""

    def __post_init__(self) -> None:
        if not 0 < self.amount <= self.original.amount:
            raise BooksError(f"amount: {self.amount} of {self.original.amount} cannot come back")
        if not _REASON.fullmatch(self.reason):
            raise BooksError(f"reason: four characters of ISO 20022's return reasons such as AC04, not {self.reason!r}")


def returns_message(returns: Sequence[Return], unit: Unit, *, day: int, created: int) -> bytes:
    """The message for all returns of a day.

    Args:
        returns: at least one.
        unit: the token's.
        day: on which the banks settle.
        created: seconds since 1970 of the message.

    Raises:
        AmountTooLargeError: an amount or the sum has more digits than ISO 20022 allows.
    """
    assert returns, "at least one return"
    root, body = document(MESSAGE, "PmtRtr")
    header = put(body, "GrpHdr")
    digest = keccak256(b"".join(one.reference for one in returns))
    put(header, "MsgId", f"returns-{date_text(day)}-{digest[:8].hex()}")
    put(header, "CreDtTm", time_text(created))
    put(header, "NbOfTxs", str(len(returns)))
    put_amount(header, "TtlRtrdIntrBkSttlmAmt", unit, sum(one.amount for one in returns))
    put(header, "IntrBkSttlmDt", date_text(day))
    put(header, "SttlmInf/SttlmMtd", "CLRG")
    for one in returns:
        _return(put(body, "TxInf"), one, unit)
    return written(root)


def _return(part: ET.Element, one: Return, unit: Unit) -> None:
    original = short_reference(one.original.reference)
    put(part, "RtrId", short_reference(one.reference))
    put(part, "OrgnlGrpInf/OrgnlMsgId", one.original_id)
    put(part, "OrgnlGrpInf/OrgnlMsgNmId", ORIGINAL_MESSAGE)
    put(part, "OrgnlInstrId", original)
    put(part, "OrgnlEndToEndId", original)
    put(part, "OrgnlTxId", original)
    put(part, "OrgnlUETR", transaction_uuid(one.original.reference))
    put_amount(part, "OrgnlIntrBkSttlmAmt", unit, one.original.amount)
    put_amount(part, "RtrdIntrBkSttlmAmt", unit, one.amount)
    put(part, "RtrRsnInf/Rsn/Cd", one.reason)
