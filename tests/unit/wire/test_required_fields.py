"""Fields of what hubs and towers are sent: without one that is REQUIRED nothing is read, without another it is."""

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message

from alatau.channels.forwarding.inputs import InputAttach
from alatau.hub.wallet_service import _money
from alatau.pb.channel.v1 import channel_service_pb2, tower_service_pb2, wallet_service_pb2
from alatau.wire.bounds import WireError
from alatau.wire.channel_session import read_request, write_request
from alatau.wire.tower import read_close_request, read_protection, write_close_request, write_protection
from tests.support.channel_messages import CHANNEL, INVOICE, REQUESTS, VOUCHER
from tests.support.channels import DOMAIN, close_request, protection
from tests.support.field_behavior import all_messages, behavior, is_choice, without_each

_DECIDED_LATER = {"alatau.channel.v1.CloseRequest.deadline"}
"""Zero is read, and refused by the tower since it has passed (``tests/unit/tower/test_service.py``)."""
_SERVICES = (
    channel_service_pb2.DESCRIPTOR.services_by_name["ChannelService"],
    tower_service_pb2.DESCRIPTOR.services_by_name["TowerService"],
    wallet_service_pb2.DESCRIPTOR.services_by_name["WalletService"],
)
_MONEY = wallet_service_pb2.SignedMoney(
    owner=b"\x01" * 20, amount=b"\x01", valid_after=1, valid_before=2, signature=b"\x02" * 65
)

READ: list[tuple[Message, Callable[[Any], object]]] = [
    *((write_request(request), read_request) for request in REQUESTS),
    (write_request(InputAttach(CHANNEL, VOUCHER, VOUCHER, (INVOICE,)), attach_signature=b"\x03" * 65), read_request),
    (write_protection(protection(3, 50)), read_protection),
    (_MONEY, _money),
    (write_close_request(close_request(7)), lambda message: read_close_request(DOMAIN, message)),
]


@pytest.mark.parametrize(("message", "read"), READ)
def test_what_is_not_read_without_a_field_says_so(message: Message, read: Callable[[Any], object]) -> None:
    """At all depths, field by field."""
    read(message)
    for field, without in without_each(message):
        if field.full_name in _DECIDED_LATER:
            continue
        try:
            read(without)
            refused = False
        except WireError:
            refused = True
        assert refused == ("REQUIRED" in behavior(field)), field.full_name


def test_every_field_of_a_request_says_what_it_is() -> None:
    """And none of a oneof does."""
    for service in _SERVICES:
        for method in service.methods:
            for message in all_messages(method.input_type).values():
                for field in message.fields:
                    assert len(behavior(field)) == (0 if is_choice(field) else 1), field.full_name
