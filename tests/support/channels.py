"""A channel between a resident and a hub, and what both sign."""

from collections.abc import Sequence

from alatau.artifacts import addresses
from alatau.channels.messages import (
    CloseRequest,
    Lock,
    Parties,
    Voucher,
    channel_id,
    channels_domain,
    close_request_digest,
    receipt_digest,
    sign_voucher,
)
from alatau.channels.protection import Protection, SignedCloseRequest
from alatau.crypto.secp256k1 import PrivateKey
from tests.support.transactions import CHAIN_ID

OWNER = PrivateKey(b"\x41" * 32)
"""Party a of every channel here."""
HUB = PrivateKey(b"\x42" * 32)
"""Party b."""
DOMAIN = channels_domain(CHAIN_ID, addresses.CITY_CHANNELS)


def parties(number: int = 0) -> Parties:
    """Ends of the channel with that number."""
    return Parties(OWNER.address, HUB.address, number.to_bytes(32, "big"))


def protection(
    nonce: int,
    transferred: int,
    *,
    ends: Parties | None = None,
    locks: Sequence[Lock] = (),
    payer: PrivateKey = OWNER,
    signer: PrivateKey | None = None,
    receiver: PrivateKey | None = None,
) -> Protection:
    """A voucher of ``payer`` with the other's receipt; ``signer`` and ``receiver`` sign in their place."""
    ends = ends or parties()
    payee = HUB if payer is OWNER else OWNER
    voucher = Voucher(channel_id(DOMAIN, ends), payer.address, nonce, transferred, tuple(locks))
    signed = sign_voucher(DOMAIN, voucher, (signer or payer).sign)
    return Protection(ends, signed, (receiver or payee).sign(receipt_digest(DOMAIN, voucher)))


def close_request(
    deadline: int, *, ends: Parties | None = None, party: PrivateKey = OWNER, signer: PrivateKey | None = None
) -> SignedCloseRequest:
    """A party's request to close; ``signer`` signs in its place."""
    ends = ends or parties()
    request = CloseRequest(channel_id(DOMAIN, ends), party.address, deadline)
    return SignedCloseRequest(ends, request, (signer or party).sign(close_request_digest(DOMAIN, request)))
