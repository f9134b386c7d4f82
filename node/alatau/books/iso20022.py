"""What our ISO 20022 messages share: elements in order, amounts, dates, parties, references.

Sources: the message definitions of ISO 20022 in the versions that banks exchange now: camt.053.001.08, pacs.008.001.08,
pacs.004.001.09. Elements stand in the order that the schemas fix. Nothing is cut to fit: a field holds what it is
given, or the message is refused.
"""

import uuid
from typing import Final
from xml.etree import ElementTree as ET

from alatau.books.amounts import Unit, decimal_text
from alatau.books.calendar import day_date
from alatau.books.errors import BooksError
from alatau.books.json_export import utc_text
from alatau.books.parties import Agent, is_iban
from alatau.crypto.keccak import keccak256

DIGITS_MAX: Final = 18
"""Of an amount (totalDigits of ActiveCurrencyAndAmount)."""
FRACTION_MAX: Final = 5
"""Of its decimals (fractionDigits of the same)."""
ISSUER: Final = "ALATAU"
"""Whose the proprietary codes are."""

_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"


class AmountTooLargeError(BooksError):
    """ISO 20022 has 18 digits for an amount, five of them decimals. Use the JSON or CSV export for such a sum."""


def document(message: str, name: str) -> tuple[ET.Element, ET.Element]:
    """The root of a message such as ``camt.053.001.08``, and its one child."""
    root = ET.Element("Document", {"xmlns": _NAMESPACE + message})
    return root, ET.SubElement(root, name)


def written(root: ET.Element) -> bytes:
    """The message in UTF-8, with its declaration."""
    message: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return message


def put(parent: ET.Element, path: str, text: str = "") -> ET.Element:
    """The element at ``path`` (``A/B/C``), all of it new but an outer element that was put last; with a text."""
    *outer, name = path.split("/")
    for part in outer:
        last = parent[-1] if len(parent) else None
        parent = last if last is not None and last.tag == part else ET.SubElement(parent, part)
    element = ET.SubElement(parent, name)
    if text:
        element.text = text
    return element


def put_amount(parent: ET.Element, name: str, unit: Unit, amount: int) -> None:
    """An amount that is not negative, with its currency. Raises ``AmountTooLargeError``."""
    element = put(parent, name, iso_amount(unit, amount))
    element.set("Ccy", unit.currency)


def iso_amount(unit: Unit, amount: int) -> str:
    """The decimal of an amount as the schemas take it. Raises ``AmountTooLargeError``."""
    assert amount >= 0, "a message says which side an amount is on"
    text = decimal_text(unit, amount)
    if unit.decimals > FRACTION_MAX:
        text, beyond = text[: FRACTION_MAX - unit.decimals], text[FRACTION_MAX - unit.decimals :]
        if beyond.strip("0"):
            raise AmountTooLargeError(f"{text}{beyond} has more than {FRACTION_MAX} decimals")
    if sum(map(str.isdigit, text)) > DIGITS_MAX:
        raise AmountTooLargeError(f"{text} has more than {DIGITS_MAX} digits")
    return text


def put_signed(parent: ET.Element, unit: Unit, balance: int) -> None:
    """Amount and side."""
    put_amount(parent, "Amt", unit, abs(balance))
    put(parent, "CdtDbtInd", side(balance))


def side(balance: int) -> str:
    """``CRDT`` for what is owed to the owner, and for nothing; ``DBIT`` for what it owes."""
    return "DBIT" if balance < 0 else "CRDT"


def put_account(parent: ET.Element, name: str, account: str) -> ET.Element:
    """An account under ``name``: by its IBAN, or else by its number."""
    element = put(parent, name)
    put(element, "Id/IBAN" if is_iban(account) else "Id/Othr/Id", account)
    return element


def put_agent(parent: ET.Element, name: str, agent: Agent) -> None:
    """A bank under ``name``: by its BIC and its name."""
    institution = put(put(parent, name), "FinInstnId")
    if agent.bic:
        put(institution, "BICFI", agent.bic)
    put(institution, "Nm", agent.name)


def short_reference(reference: bytes) -> str:
    """32 hexadecimal digits of a reference, since a field has 35 characters: its first 16 bytes."""
    return reference[:16].hex()


def transaction_uuid(reference: bytes) -> str:
    """The UETR of a reference: a UUID of version 4 whose bits are a hash, so that a second export names the same."""
    return str(uuid.UUID(bytes=keccak256(b"UETR" + reference)[:16], version=4))


def date_text(day: int) -> str:
    """The calendar date of a day number."""
    return day_date(day).isoformat()


def time_text(time: int) -> str:
    """Seconds since 1970 as the schemas write them."""
    return utc_text(time)
