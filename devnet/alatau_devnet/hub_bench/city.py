"""The people of the benchmark: keys that both processes derive, so that nothing has to be handed over."""

from dataclasses import dataclass
from typing import Final

from alatau.channels.messages import Parties, channel_id, channels_domain
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey

CHAIN_ID: Final = 7773
DOMAIN: Final = channels_domain(CHAIN_ID, bytes.fromhex("00000000000000000000000000000000a1a7a007"))
HEIGHT: Final = 1
"""Of the chain: it stands still, so that locks signed beforehand stay good."""
LOCK_BLOCKS: Final = 30
SETTLE_BLOCKS: Final = 100
DEPOSIT: Final = 10**12

HUB: Final = PrivateKey(keccak256(b"hub of the benchmark"))


@dataclass(frozen=True, slots=True)
class Person:
    """An account with a channel."""

    key: PrivateKey
    parties: Parties
    channel_id: bytes


def person(number: int) -> Person:
    """Resident or merchant, by number."""
    key = PrivateKey(keccak256(b"person" + number.to_bytes(4, "big")))
    parties = Parties(key.address, HUB.address, bytes(32))
    return Person(key, parties, channel_id(DOMAIN, parties))
