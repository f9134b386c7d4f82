"""What parties and hubs say, over the wire and back."""

import pytest

from alatau.channels.forwarding.effects import (
    Message,
    SayAccepted,
    SayAgreed,
    SayAttached,
    SayCancelled,
    SayConsent,
    SayPending,
    SayRefunded,
    SayRefused,
    SaySecret,
    SayVoucher,
    SayWanted,
)
from alatau.channels.forwarding.inputs import (
    InputAttach,
    Request,
)
from alatau.channels.forwarding.payment import Refund
from alatau.channels.forwarding.refusal import Reason
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.wire.bounds import WireError
from alatau.wire.channel_session import Attachment, read_message, read_request, write_message, write_request
from tests.support.channel_messages import AGREEMENT, CHANNEL, HASH, INVOICE, REQUESTS, VOUCHER

_pb = channel_service_pb2
REFUND = Refund(bytes(32), bytes(32), bytes(20), HASH, 3, 10**15, 99, 0)

MESSAGES = (
    SayAttached(VOUCHER, None, 5, 10**20, (HASH,)),
    SayAttached(None, VOUCHER, 0, 0, ()),
    SayVoucher(VOUCHER, (INVOICE,), (REFUND,)),
    SaySecret(HASH, b"\x0b" * 32),
    SayPending(HASH),
    SayCancelled(HASH, b"\x0c" * 32),
    SayAccepted(4, b"\x03" * 65),
    SayRefunded(REFUND, VOUCHER),
    SayAgreed(AGREEMENT, b"\x04" * 65),
    SayConsent(10**18, 9, b"\x05" * 65),
    SayWanted((HASH, bytes(32))),
    SayRefused(Reason.LIMIT_EXCEEDED, "чай", HASH, {"limit": "5"}),
)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda one: type(one).__name__)
def test_a_request_comes_back(request_: Request) -> None:
    """All fields."""
    assert read_request(_pb.PartyMessage.FromString(write_request(request_).SerializeToString())) == request_


def test_attach_comes_back_with_its_signature() -> None:
    """With and without vouchers."""
    for said in (InputAttach(CHANNEL, None, None), InputAttach(CHANNEL, VOUCHER, VOUCHER, (INVOICE,))):
        data = write_request(said, attach_signature=b"\x06" * 65).SerializeToString()
        assert read_request(_pb.PartyMessage.FromString(data)) == Attachment(said, b"\x06" * 65)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda one: type(one).__name__)
def test_a_message_comes_back(message: Message) -> None:
    """All fields."""
    data = write_message(CHANNEL, message).SerializeToString()
    assert read_message(_pb.HubMessage.FromString(data)) == (CHANNEL, message)


def test_reasons_are_those_of_the_definition() -> None:
    """Numbers and names."""
    names = {value.number: value.name for value in _pb.DESCRIPTOR.enum_types_by_name["RefusalReason"].values}
    assert {reason.value: f"REFUSAL_REASON_{reason.name}" for reason in Reason} == {
        number: name for number, name in names.items() if number
    }


@pytest.mark.parametrize(
    "message",
    [
        _pb.PartyMessage(channel_id=CHANNEL),
        _pb.PartyMessage(channel_id=b"short", secret=_pb.Secret(secret=HASH)),
        _pb.PartyMessage(channel_id=CHANNEL, secret=_pb.Secret(secret=b"short")),
        _pb.PartyMessage(channel_id=CHANNEL, attach=_pb.Attach()),
        _pb.PartyMessage(channel_id=CHANNEL, receipt=_pb.VoucherReceipt(nonce=1)),
    ],
)
def test_what_nobody_says_is_refused(message: _pb.PartyMessage) -> None:
    """A wrong length, or nothing."""
    with pytest.raises(WireError):
        read_request(message)


def test_a_reason_of_a_later_version_is_named() -> None:
    """And not taken for another."""
    message = _pb.HubMessage(channel_id=CHANNEL, refused=_pb.Refused(text="new"))
    message.refused.reason = 99  # type: ignore[assignment]
    with pytest.raises(WireError, match="99"):
        read_message(message)
