"""What towers are given and give, as protobuf and back."""

from dataclasses import fields

import pytest

from alatau.channels.messages import Lock
from alatau.channels.protection import TowerReceipt
from alatau.pb.channel.v1 import tower_service_pb2
from alatau.wire.bounds import WireError
from alatau.wire.tower import (
    Refusal,
    TowerStatus,
    read_close_request,
    read_deposit,
    read_protection,
    read_status,
    read_tower_receipt,
    write_close_request,
    write_deposit,
    write_protection,
    write_status,
    write_tower_receipt,
)
from tests.support.channels import DOMAIN, HUB, close_request, parties, protection


def test_everything_reads_back() -> None:
    """Status, vouchers with receipts, requests, and what became of each."""
    status = TowerStatus(b"\x01" * 20, 2, b"\x03" * 20, 4, 5, 6, 7, 8, 9, 10, 11, ("lag: far",))
    assert len({getattr(status, field.name) for field in fields(status)}) == 12
    assert read_status(write_status(status)) == status
    held = protection(3, 5, payer=HUB, locks=[Lock(b"\x07" * 32, 1, 9)], ends=parties(4))
    assert read_protection(write_protection(held)) == held
    request = close_request(99, party=HUB, ends=parties(4))
    assert read_close_request(DOMAIN, write_close_request(request)) == request
    voucher = held.voucher
    receipt = TowerReceipt(voucher.channel_id, voucher.payer, 3, b"\x08" * 65)
    for outcome in (receipt, Refusal("no")):
        assert read_tower_receipt(write_tower_receipt(voucher.channel_id, voucher.payer, outcome)) == outcome
    for deposit in (99, Refusal("no")):
        assert read_deposit(write_deposit(deposit)) == deposit


def test_what_no_correct_sender_writes_is_refused() -> None:
    """Wrong lengths, wherever they are."""
    message = write_protection(protection(3, 5))
    message.receipt = b""
    with pytest.raises(WireError, match="receipt"):
        read_protection(message)
    with pytest.raises(WireError):
        read_protection(tower_service_pb2.Protection())
    request = write_close_request(close_request(99))
    request.party = b"\x01" * 19
    with pytest.raises(WireError, match=r"request\.party"):
        read_close_request(DOMAIN, request)
    with pytest.raises(WireError):
        read_tower_receipt(tower_service_pb2.TowerReceipt(nonce=1))
