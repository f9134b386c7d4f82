"""Validators and their set: who may vote on a height, and with what weight."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256

VALIDATORS_MAX: Final = 256
"""Validators in a set. Each round costs every one the checking of two votes of each, 50 us apiece: 25 ms of a round."""


@dataclass(frozen=True, slots=True)
class Validator:
    """One member of a validator set."""

    address: bytes
    """20 bytes: address of the voting key."""
    power: int
    """Voting power, at least 1."""
    tls_key_hash: bytes
    """32 bytes: sha256 of the SubjectPublicKeyInfo (DER) of the node's TLS key; who a peer is."""
    endpoint: str
    """``host:port`` where its peers reach it."""
    name: str
    """The ministry's name, for people."""


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """The validators of a height, sorted by address, without duplicates."""

    validators: tuple[Validator, ...]
    total_power: int = field(init=False)
    hash: bytes = field(init=False)
    """keccak256(rlp([[address, power], ...])), carried in a header's ``extra_data``."""
    by_address: dict[bytes, Validator] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Derive totals; assert the invariants (sorted, unique, positive power, not empty)."""
        addresses = [v.address for v in self.validators]
        assert addresses, "a validator set is never empty"
        assert addresses == sorted(set(addresses)), "validators are sorted by address, each once"
        assert all(v.power > 0 for v in self.validators), "a validator's power is positive"
        object.__setattr__(self, "total_power", sum(v.power for v in self.validators))
        object.__setattr__(self, "by_address", {v.address: v for v in self.validators})
        digest = keccak256(rlp.encode([(v.address, v.power) for v in self.validators]))
        object.__setattr__(self, "hash", digest)

    def power_of(self, address: bytes) -> int:
        """The power of ``address``; 0 for a stranger."""
        validator = self.by_address.get(address)
        return validator.power if validator else 0

    def has_quorum(self, power: int) -> bool:
        """Whether ``power`` exceeds two thirds of the total (right also where n is not 3f+1, Celo 117)."""
        return power * 3 > self.total_power * 2

    def has_honest(self, power: int) -> bool:
        """Whether ``power`` exceeds one third, so that at least one holder is honest (f+1)."""
        return power * 3 > self.total_power


def validator_set(validators: Iterable[Validator]) -> ValidatorSet:
    """Sort ``validators`` into a set."""
    return ValidatorSet(tuple(sorted(validators, key=lambda v: v.address)))


def encode_validator_set(validators: ValidatorSet) -> bytes:
    """RLP of a set with all that is known of its members."""
    return rlp.encode(
        [(v.address, v.power, v.tls_key_hash, v.endpoint.encode(), v.name.encode()) for v in validators.validators]
    )


def decode_validator_set(data: bytes) -> ValidatorSet:
    """Read what :func:`encode_validator_set` wrote.

    Raises:
        ValueError: it is not that (``RlpError`` and ``UnicodeDecodeError`` are such), or no set that there can be.
    """
    members = []
    for item in rlp.decode_list(data):
        address, power, tls_key_hash, endpoint, name = rlp.to_list(item, 5)
        members.append(
            Validator(
                rlp.to_bytes(address, 20),
                rlp.to_uint(power, 256),
                rlp.to_bytes(tls_key_hash, 32),
                rlp.to_bytes(endpoint).decode(),
                rlp.to_bytes(name).decode(),
            )
        )
    return checked_validator_set(members)


def checked_validator_set(members: Sequence[Validator]) -> ValidatorSet:
    """A set from whatever somebody sent or stored.

    Raises:
        ValueError: it is empty, not sorted by address, names one twice, or has one without power.
    """
    addresses = [v.address for v in members]
    if not members or addresses != sorted(set(addresses)):
        raise ValueError("a validator set has at least one member, and each once, sorted by address")
    if any(v.power <= 0 for v in members):
        raise ValueError("a validator has no power")
    return ValidatorSet(tuple(members))
