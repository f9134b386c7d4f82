"""Payouts to bank accounts as ISO 20022 pacs.008.001.08: what a hub asks its bank to credit.

Ids follow from the entry's reference, so that a message that is written again names the same transfers and a bank that
has seen them notices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from alatau.books.accounts import AccountKind
from alatau.books.amounts import Unit
from alatau.books.entries import EntryKind
from alatau.books.iso20022 import (
    date_text,
    document,
    put,
    put_account,
    put_agent,
    put_amount,
    short_reference,
    time_text,
    transaction_uuid,
    written,
)
from alatau.books.ledger import DayLedger
from alatau.books.parties import NOTE_MAX, Agent, Holder, checked_text
from alatau.crypto.keccak import keccak256

MESSAGE: Final = "pacs.008.001.08"

PAYOUT_KINDS: Final = frozenset({EntryKind.WITHDRAWAL, EntryKind.CLOSE_PAYOUT})
"""What leaves an owner's account for good."""


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """Where an owner wants its money: the configuration's word, by channel."""

    holder: Holder
    agent: Agent


@dataclass(frozen=True, slots=True)
class Payout:
    """A transfer to a bank account."""

    reference: bytes
    """32 bytes: of the entry by which the money left the channel."""
    amount: int
    """Token units."""
    to: Beneficiary
    note: str = ""
    """What the payee reads; at most ``NOTE_MAX`` characters."""


def payouts(ledger: DayLedger, beneficiaries: Mapping[bytes, Beneficiary]) -> tuple[Payout, ...]:
    """What left the accounts of owners with a bank account on a day, in the order of booking."""
    return tuple(
        Payout(entry.reference, posting.debit, beneficiaries[posting.account.channel_id])
        for entry in ledger.entries
        if entry.kind in PAYOUT_KINDS
        for posting in entry.postings
        if posting.account.kind is AccountKind.CHANNEL and posting.account.channel_id in beneficiaries
    )


def message_id(day: int, transfers: Sequence[Payout]) -> str:
    """The message's id, 35 characters: its day and a hash of what it pays."""
    digest = keccak256(b"".join(transfer.reference for transfer in transfers))
    return f"payouts-{date_text(day)}-{digest[:8].hex()}"


def payouts_message(
    transfers: Sequence[Payout], debtor: Holder, agent: Agent, unit: Unit, *, day: int, created: int
) -> bytes:
    """The message for all transfers of a day.

    Args:
        transfers: at least one.
        debtor: the hub's account, which is debited.
        agent: the hub's bank.
        unit: the token's; the bank pays the same decimals of the currency.
        day: on which the banks settle.
        created: seconds since 1970 of the message.

    Raises:
        AmountTooLargeError: an amount or the sum has more digits than ISO 20022 allows.
        BooksError: a note cannot be carried.
    """
    assert transfers, "at least one transfer"
    root, body = document(MESSAGE, "FIToFICstmrCdtTrf")
    header = put(body, "GrpHdr")
    put(header, "MsgId", message_id(day, transfers))
    put(header, "CreDtTm", time_text(created))
    put(header, "NbOfTxs", str(len(transfers)))
    put_amount(header, "TtlIntrBkSttlmAmt", unit, sum(transfer.amount for transfer in transfers))
    put(header, "IntrBkSttlmDt", date_text(day))
    put(header, "SttlmInf/SttlmMtd", "CLRG")
    for transfer in transfers:
        _transfer(put(body, "CdtTrfTxInf"), transfer, debtor, agent, unit)
    return written(root)


def _transfer(part: ET.Element, transfer: Payout, debtor: Holder, agent: Agent, unit: Unit) -> None:
    reference = short_reference(transfer.reference)
    identification = put(part, "PmtId")
    put(identification, "InstrId", reference)
    put(identification, "EndToEndId", reference)
    put(identification, "TxId", reference)
    put(identification, "UETR", transaction_uuid(transfer.reference))
    put_amount(part, "IntrBkSttlmAmt", unit, transfer.amount)
    put(part, "ChrgBr", "SLEV")
    put(part, "Dbtr/Nm", debtor.name)
    put_account(part, "DbtrAcct", debtor.account)
    put_agent(part, "DbtrAgt", agent)
    put_agent(part, "CdtrAgt", transfer.to.agent)
    put(part, "Cdtr/Nm", transfer.to.holder.name)
    put_account(part, "CdtrAcct", transfer.to.holder.account)
    if transfer.note:
        put(part, "RmtInf/Ustrd", checked_text("note", transfer.note, NOTE_MAX))
