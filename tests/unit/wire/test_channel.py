"""Channels, vouchers and invoices over the wire."""

import pytest

from alatau.channels.messages import Parties
from alatau.pb.channel.v1 import channel_pb2
from alatau.wire.bounds import WireError
from alatau.wire.channel import (
    read_invoice,
    read_parties,
    read_voucher,
    write_invoice,
    write_parties,
    write_voucher,
)
from tests.support.channel_messages import INVOICE, VOUCHER

PARTIES = Parties(b"\x01" * 20, b"\x02" * 20, b"\x03" * 32)


def test_what_is_written_is_read() -> None:
    """All fields come back as they were."""
    assert read_voucher(channel_pb2.Voucher.FromString(write_voucher(VOUCHER).SerializeToString())) == VOUCHER
    assert read_invoice(channel_pb2.Invoice.FromString(write_invoice(INVOICE).SerializeToString())) == INVOICE
    assert read_parties(channel_pb2.Parties.FromString(write_parties(PARTIES).SerializeToString())) == PARTIES


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel_id", b"\x01" * 31),
        ("payer", b"\x01" * 21),
        ("transferred", b"\x01" * 33),
        ("signature", b""),
        ("signature", b"\x01" * 1025),
        ("locks", [channel_pb2.Lock(secret_hash=b"\x01" * 32)] * 9),
        ("locks", [channel_pb2.Lock(secret_hash=b"\x01" * 31)]),
    ],
)
def test_a_voucher_that_nobody_writes_is_refused(field: str, value: object) -> None:
    """Lengths and counts are checked before the voucher is looked at."""
    message = write_voucher(VOUCHER)
    message.ClearField(field)  # type: ignore[arg-type]
    changed = channel_pb2.Voucher(**{field: value})  # type: ignore[arg-type]
    message.MergeFrom(changed)
    with pytest.raises(WireError):
        read_voucher(message)


@pytest.mark.parametrize("field", ["merchant", "hub", "secret_hash", "signature"])
def test_an_invoice_without_a_field_is_refused(field: str) -> None:
    """Each has its length."""
    message = write_invoice(INVOICE)
    message.ClearField(field)  # type: ignore[arg-type]
    with pytest.raises(WireError):
        read_invoice(message)


@pytest.mark.parametrize("field", ["a", "b", "salt"])
def test_parties_without_a_field_are_refused(field: str) -> None:
    """Each has its length."""
    message = write_parties(PARTIES)
    message.ClearField(field)  # type: ignore[arg-type]
    with pytest.raises(WireError):
        read_parties(message)
