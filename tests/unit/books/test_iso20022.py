"""What messages share, and the schemas that the tests hold them to."""

from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from alatau.books.amounts import Unit
from alatau.books.iso20022 import (
    AmountTooLargeError,
    document,
    iso_amount,
    put,
    short_reference,
    transaction_uuid,
    written,
)
from alatau.books.pacs008 import Beneficiary, Payout, payouts_message
from tests.support.iso20022_schema import schema_of
from tests.unit.books.banks import BANK, HUB, MERCHANT
from tests.unit.books.days import DAY, clock, reference


@pytest.mark.parametrize(
    ("decimals", "amount", "text"),
    [
        (2, 10**18 - 1, "9999999999999999.99"),
        (0, 10**18 - 1, "9" * 18),
        (5, 1, "0.00001"),
        (18, 10**18, "1.00000"),
        (18, 123_45 * 10**16, "123.45000"),
    ],
)
def test_amounts_are_written_as_the_schemas_take_them(decimals: int, amount: int, text: str) -> None:
    """Zeros beyond five decimals are left out."""
    assert iso_amount(Unit("KZT", decimals), amount) == text


@pytest.mark.parametrize(("decimals", "amount"), [(2, 10**18), (0, 10**18), (18, 1), (6, 1), (5, 2**112 - 1)])
def test_amounts_that_do_not_fit_are_refused(decimals: int, amount: int) -> None:
    """Nothing is rounded."""
    with pytest.raises(AmountTooLargeError, match="has more than"):
        iso_amount(Unit("KZT", decimals), amount)


def test_elements_are_put_into_the_outer_one_that_came_last() -> None:
    """A second path goes on where the first one was; a single name is always new."""
    root, body = document("camt.053.001.08", "Body")
    put(body, "A/B/C", "1")
    put(body, "A/B/D", "<&>")
    put(body, "A")
    put(body, "A/E", "2")
    expected = "<Body><A><B><C>1</C><D>&lt;&amp;&gt;</D></B></A><A><E>2</E></A></Body></Document>"
    assert written(root).decode().endswith(f'xsd:camt.053.001.08">{expected}')
    assert written(root).startswith(b"<?xml version='1.0' encoding='utf-8'?>")


def test_ids_are_the_references() -> None:
    """Short enough for a field; the UUID is one of version 4, and the same each time."""
    assert short_reference(bytes(range(32))) == "000102030405060708090a0b0c0d0e0f"
    first, second = (UUID(transaction_uuid(reference(number))) for number in (1, 2))
    assert (first.version, first.variant) == (4, "specified in RFC 4122")
    assert first == UUID(transaction_uuid(reference(1)))
    assert first != second


MESSAGE = payouts_message(
    [Payout(reference(1), 5_00, Beneficiary(MERCHANT, BANK))], HUB, BANK, Unit(), day=DAY, created=clock(0).time
).decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<NbOfTxs>1</NbOfTxs>", ""),
        ("<NbOfTxs>1</NbOfTxs>", "<NbOfTxs>one</NbOfTxs>"),
        ('Ccy="KZT"', 'Ccy="kzt"'),
        ('Ccy="KZT"', ""),
        (">5.00<", ">5.000001<"),
        (">5.00<", ">-5.00<"),
        ("<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>NONE</ChrgBr>"),
        ("<ChrgBr>SLEV</ChrgBr>", ""),
        ("<IBAN>KZ86125KZT5004100100</IBAN>", "<IBAN>KZ86</IBAN><Othr><Id>1</Id></Othr>"),
        ("<BICFI>ABCDKZKA</BICFI>", "<BICFI>ABCD</BICFI>"),
        ("<Dbtr>", "<Debtor/><Dbtr>"),
        (f"<Nm>{HUB.name}</Nm>", f"<Nm>{'x' * 141}</Nm>"),
        ("2026-11-27</IntrBkSttlmDt>", "27.11.2026</IntrBkSttlmDt>"),
        ("pacs.008.001.08", "pacs.008.001.07"),
    ],
)
def test_the_schemas_notice_what_is_wrong(old: str, new: str) -> None:
    """What is missing, misplaced, too long, of another alphabet, or both of two alternatives."""
    schema = schema_of("pacs.008.001.08")
    assert schema.is_valid(MESSAGE)
    assert old in MESSAGE
    assert not schema.is_valid(MESSAGE.replace(old, new))


@pytest.mark.parametrize("message", ["camt.053.001.08", "pacs.008.001.08", "pacs.004.001.09"])
def test_schemas_are_of_their_message_alone(message: str) -> None:
    """An empty document is none."""
    schema = schema_of(message)
    assert isinstance(schema, xmlschema.XMLSchema)
    assert not schema.is_valid(ET.tostring(document(message, "Nothing")[0], encoding="unicode"))
    assert len(schema.types) > 100
