"""What block 0 of a network is made of: the outcome of its genesis ceremony.

Read from and written to JSON by ``alatau.app.genesis.file``; executed by ``alatau.chain.genesis``.
"""

from dataclasses import dataclass, field

from alatau.types.chain_config import ChainConfig
from alatau.types.validator import Validator, ValidatorSet, validator_set


@dataclass(frozen=True, slots=True)
class GenesisValidator:
    """A founding validator, as its own operator described and signed it."""

    name: str
    """The ministry's name, for people."""
    operator: bytes
    """20 bytes: the account that acts for the ministry on chain, never the voting key."""
    voting_public_key: bytes
    """64 bytes: the uncompressed secp256k1 point without its prefix."""
    voting_address: bytes
    """20 bytes: address of the voting key."""
    tls_public_key: bytes
    """SubjectPublicKeyInfo (DER) of the node's TLS key. A key, no certificate: those are renewed without asking."""
    tls_key_hash: bytes
    """32 bytes: sha256 of ``tls_public_key``; who the node is to its peers."""
    endpoint: str
    """``host:port`` where its peers reach it."""
    power: int
    """Voting power, at least 1."""


@dataclass(frozen=True, slots=True)
class GenesisContract:
    """A contract that exists from block 0, deployed by running its constructor."""

    name: str
    address: bytes
    """20 bytes, fixed in the genesis file."""
    initcode: bytes
    """Creation bytecode followed by the ABI-encoded constructor arguments."""
    value: int = 0
    """Wei sent to the constructor."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """Everything that block 0 depends on. Contracts are deployed in the order given."""

    config: ChainConfig
    timestamp: int
    """Seconds since 1970."""
    alloc: dict[bytes, int]
    """Address -> wei."""
    validators: tuple[GenesisValidator, ...]
    """Sorted by voting address, each once."""
    contracts: tuple[GenesisContract, ...] = field(default=())


def genesis_validator_set(genesis: Genesis) -> ValidatorSet:
    """The set that decides block 1."""
    return validator_set(
        Validator(
            address=v.voting_address,
            power=v.power,
            tls_key_hash=v.tls_key_hash,
            endpoint=v.endpoint,
            name=v.name,
        )
        for v in genesis.validators
    )
