"""Who may attach to a channel: its party, and a device to which the party lent anything in it."""

import pytest

from alatau.channels.messages import Parties, channel_id, channels_domain
from alatau.channels.party.sessions import attach_digest, attached_by
from tests.support.phones import ChipKey, Passkey, lent

DOMAIN = channels_domain(7773, b"\x07" * 20, "example.org")
OWNER, DEVICE = Passkey("owner"), ChipKey("device")
CHANNEL = channel_id(DOMAIN, Parties(OWNER.address, b"\x0b" * 20, bytes(32)))
DIGEST = attach_digest(DOMAIN, CHANNEL, b"\x05" * 32)


@pytest.mark.parametrize("cap", [0, 900])
def test_the_owner_and_its_device_attach(cap: int) -> None:
    """Also a device that may pay nothing yet."""
    assert attached_by(DOMAIN, CHANNEL, DIGEST, OWNER.sign(DIGEST), OWNER.address)
    assert attached_by(DOMAIN, CHANNEL, DIGEST, lent(DOMAIN, CHANNEL, OWNER, DEVICE, cap).sign(DIGEST), OWNER.address)


def test_nobody_else_attaches() -> None:
    """A device without a loan, with one of another channel or owner, for another challenge; a signature cut short."""
    good = lent(DOMAIN, CHANNEL, OWNER, DEVICE, 900)
    other = attach_digest(DOMAIN, CHANNEL, b"\x06" * 32)
    refused = [
        DEVICE.sign(DIGEST),
        lent(DOMAIN, bytes(32), OWNER, DEVICE, 900).sign(DIGEST),
        lent(DOMAIN, CHANNEL, Passkey("stranger"), DEVICE, 900).sign(DIGEST),
        good.sign(other),
        good.sign(DIGEST)[:-1],
        b"",
    ]
    for signature in refused:
        assert not attached_by(DOMAIN, CHANNEL, DIGEST, signature, OWNER.address)
