"""What a tower stores reads back as it was."""

import pytest

from alatau.channels.messages import Lock
from alatau.channels.state import Phase, Window
from alatau.channels.watching import Submitted, WatchedChannel
from alatau.codec.rlp import RlpError
from alatau.crypto.keccak import keccak256
from alatau.tower.records import (
    decode_channel,
    decode_close_request,
    decode_protection,
    encode_channel,
    encode_close_request,
    encode_protection,
)
from tests.support.channels import HUB, close_request, parties, protection

LOCKS = (Lock(b"\x01" * 32, 7, 99), Lock(b"\x02" * 32, 2**112 - 1, 2**64 - 1))
CHANNELS = [
    WatchedChannel(parties()),
    WatchedChannel(parties(3), Phase.CLOSING, Window(20, 1_000), Submitted(5, LOCKS), Submitted(2**64 - 1)),
    WatchedChannel(parties(4), Phase.SETTLED, Window(20, 2**40), settled_block=21),
    WatchedChannel(parties(5), Phase.SETTLED, settled_block=22),
]


@pytest.mark.parametrize("channel", CHANNELS)
def test_channels_read_back(channel: WatchedChannel) -> None:
    """In every phase, with and without a window and locks."""
    assert decode_channel(encode_channel(channel)) == channel


def test_vouchers_and_requests_read_back() -> None:
    """With their signatures; channel and parties come from where they lie."""
    for held in (protection(1, 0), protection(2**64 - 1, 5, payer=HUB, locks=LOCKS)):
        assert decode_protection(held.voucher.channel_id, held.parties, encode_protection(held)) == held
    request = close_request(2_000_000_000, party=HUB)
    assert decode_close_request(request.request.channel_id, request.parties, encode_close_request(request)) == request


def test_other_bytes_are_no_record() -> None:
    """A record cut short is found out."""
    with pytest.raises(RlpError):
        decode_channel(encode_channel(CHANNELS[1])[:-1])


def test_records_are_frozen() -> None:
    """What lies on disks does not change by accident: another encoding needs another schema."""
    held = protection(3, 5, locks=LOCKS)
    written = [encode_channel(CHANNELS[1]), encode_protection(held), encode_close_request(close_request(9))]
    assert [keccak256(data).hex()[:16] for data in written] == [
        "3eead7b9c42dbaab",
        "9fbd979e648625ae",
        "3e64913100b89c43",
    ]
