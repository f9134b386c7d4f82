"""Who lives in the city: keys of both curves, names that must never reach the chain, and channels with one hub."""

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from hashlib import sha256
from random import Random
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from alatau.channels.messages import Domain, Parties, channel_id
from alatau.crypto import p256
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.crypto.signature_schemes import P256_SCHEME

RESIDENTS: Final = 52_000
MERCHANTS: Final = 2_800
PAYMENTS: Final = 100_000
EXITS: Final = 2_000
"""Of the whole city; ``Size.of`` scales them."""

P256_SHARE: Final = 0.3
"""Of residents: those whose key is in a phone's secure chip, which knows P-256 alone."""
TIYN: Final = 100
"""A tenge."""
RESIDENT_DEPOSIT: Final = 20_000 * TIYN

_FIRST: Final = ("Aigerim", "Nurlan", "Dana", "Yerlan", "Madina", "Timur", "Saule", "Bolat", "Asel", "Ruslan")
_LAST: Final = ("Akhmetov", "Suleimen", "Ospanov", "Kim", "Ivanov", "Zhaksybek", "Tulegen", "Baimukhan", "Yessim")


class Key(Protocol):
    """Signs for an account."""

    @property
    def address(self) -> bytes:
        """20 bytes."""

    def sign(self, digest: bytes) -> bytes:
        """A signature of any scheme over 32 bytes."""


class ChipKey:
    """A P-256 key as a phone's secure chip holds it: it hashes what it signs (scheme 1)."""

    def __init__(self, seed: bytes) -> None:
        self._key = derive_private_key(int.from_bytes(seed, "big") % (p256.ORDER - 1) + 1, SECP256R1())
        point = self._key.public_key().public_numbers()
        self._public = point.x.to_bytes(32, "big") + point.y.to_bytes(32, "big")
        self.address = p256.address_of_p256_key(self._public)

    def sign(self, digest: bytes) -> bytes:
        """129 bytes."""
        r, s = decode_dss_signature(self._key.sign(sha256(digest).digest(), ECDSA(Prehashed(SHA256()))))
        half = p256.with_low_s(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return bytes((P256_SCHEME,)) + half + self._public


class Kind(Enum):
    """What a person is in the registry; its numbers."""

    RESIDENT = 1
    MERCHANT = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How large the city is."""

    residents: int
    merchants: int
    payments: int
    exits: int

    @classmethod
    def of(cls, scale: float) -> "Size":
        """The whole city at 1; never so small that an incident finds nobody."""
        return cls(
            max(round(RESIDENTS * scale), 60),
            max(round(MERCHANTS * scale), 10),
            max(round(PAYMENTS * scale), 100),
            max(round(EXITS * scale), 10),
        )


@dataclass(frozen=True)
class Person:
    """A resident or a merchant."""

    number: int
    """Residents first, then merchants."""
    kind: Kind
    name: str
    identity: str
    """Twelve digits, as on an identity card."""
    key: Key
    parties: Parties
    channel_id: bytes
    deposit: int
    """What it puts into its channel, tiyn."""

    @property
    def address(self) -> bytes:
        """20 bytes."""
        return self.key.address

    @cached_property
    def is_p256(self) -> bool:
        """Whether its key is of the phones' curve."""
        return isinstance(self.key, ChipKey)


def populate(size: Size, hub: bytes, domain: Domain, seed: int) -> list[Person]:
    """Residents, then merchants; the same for the same seed."""
    draw = Random(seed)  # noqa: S311  (a city, not a secret)
    people = []
    for number in range(size.residents + size.merchants):
        kind = Kind.RESIDENT if number < size.residents else Kind.MERCHANT
        secret = keccak256(f"city {seed}: person {number}".encode())
        chip = kind is Kind.RESIDENT and draw.random() < P256_SHARE
        key: Key = ChipKey(secret) if chip else PrivateKey(secret)
        parties = Parties(key.address, hub, bytes(32))
        name = f"{draw.choice(_FIRST)} {draw.choice(_LAST)}-{number:05d}"
        identity = f"{draw.randrange(10**12):012d}"
        deposit = RESIDENT_DEPOSIT if kind is Kind.RESIDENT else 0
        people.append(Person(number, kind, name, identity, key, parties, channel_id(domain, parties), deposit))
    return people
