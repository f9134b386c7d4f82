"""The ValidatorRegistry contract as the node sees it: what it calls, and how it reads the answer.

The contract is ``contracts/governance/ValidatorRegistry.vy``. A change that block h made decides from h+2 on.
"""

from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError

from alatau.crypto.keccak import keccak256
from alatau.types.validator import VALIDATORS_MAX, Validator, ValidatorSet, validator_set
from alatau.types.vote import Proposal, Vote

SET_VERSION_SLOT: Final = 0
"""Slot of ``set_version``: it grows with every change of validators or observers, and with nothing else."""

VALIDATOR_ABI: Final = "(address,address,bytes32,string,uint256,string)"
"""operator, voting key, TLS key hash, endpoint, power, name."""

SEATS_MAX: Final = 64
"""Validators that the contract admits: its ``VALIDATORS_MAX``."""

OBSERVER_ABI: Final = "(bytes32,string)"

VALIDATORS_CALL: Final = keccak256(b"validators()")[:4]
OBSERVERS_CALL: Final = keccak256(b"observers()")[:4]
GENESIS_HASH_CALL: Final = keccak256(b"genesis_hash()")[:4]
BIND_GENESIS_CALL: Final = keccak256(b"bind_genesis()")[:4]
"""Once, in the first 8,191 blocks: evidence cannot be checked before the contract knows the genesis hash."""

_EQUIVOCATION_TYPES: Final = ("uint256", "uint256", "uint256", "(bytes32,bytes)", "(bytes32,bytes)")
_EQUIVOCATION_SELECTOR: Final = keccak256(f"report_equivocation({','.join(_EQUIVOCATION_TYPES)})".encode())[:4]
_SIGNED_PROPOSAL: Final = "(bytes32,int256,uint256,bytes)"
"""block hash, valid round, time in milliseconds, signature."""

_DOUBLE_PROPOSAL_TYPES: Final = ("uint256", "uint256", _SIGNED_PROPOSAL, _SIGNED_PROPOSAL)
_DOUBLE_PROPOSAL_SELECTOR: Final = keccak256(f"report_double_proposal({','.join(_DOUBLE_PROPOSAL_TYPES)})".encode())[:4]


class RegistryAnswerError(ValueError):
    """The contract at the registry's address answered what no ValidatorRegistry answers.

    Ours to fix: the genesis names a wrong address, or the contract is not the one this node was built for.
    """


@dataclass(frozen=True, slots=True)
class Observer:
    """A full node that may connect without deciding."""

    tls_key_hash: bytes
    """32 bytes: sha256 of the SubjectPublicKeyInfo (DER) of its TLS key."""
    name: str


def decode_validators(output: bytes) -> ValidatorSet:
    """The set that ``validators()`` returned. Raises ``RegistryAnswerError``."""
    (rows,) = _decode(f"{VALIDATOR_ABI}[]", output)
    if not rows:
        raise RegistryAnswerError("the validator registry answered with an empty set")
    if len(rows) > VALIDATORS_MAX:
        raise RegistryAnswerError(f"the validator registry answered with {len(rows)} validators, over {VALIDATORS_MAX}")
    return validator_set(
        Validator(
            address=bytes.fromhex(voting_key.removeprefix("0x")),
            power=power,
            tls_key_hash=tls_key_hash,
            endpoint=endpoint,
            name=name,
        )
        for _, voting_key, tls_key_hash, endpoint, power, name in rows
    )


def decode_observers(output: bytes) -> tuple[Observer, ...]:
    """The observers that ``observers()`` returned. Raises ``RegistryAnswerError``."""
    (rows,) = _decode(f"{OBSERVER_ABI}[]", output)
    return tuple(Observer(tls_key_hash, name) for tls_key_hash, name in rows)


def equivocation_call(first: Vote, second: Vote) -> bytes:
    """Call data that reports two conflicting votes of one validator."""
    assert (first.kind, first.height, first.round) == (second.kind, second.height, second.round)
    assert first.block_hash != second.block_hash
    votes = [(vote.block_hash or bytes(32), vote.signature) for vote in (first, second)]
    arguments = (int(first.kind), first.height, first.round, *votes)
    return _EQUIVOCATION_SELECTOR + abi_encode(_EQUIVOCATION_TYPES, arguments)


def double_proposal_call(first: Proposal, second: Proposal) -> bytes:
    """Call data that reports two different blocks proposed by one validator in one round."""
    assert (first.height, first.round) == (second.height, second.round)
    assert first.block_hash != second.block_hash
    signed = [(p.block_hash, p.valid_round, p.timestamp_ms, p.signature) for p in (first, second)]
    return _DOUBLE_PROPOSAL_SELECTOR + abi_encode(_DOUBLE_PROPOSAL_TYPES, (first.height, first.round, *signed))


def _decode(abi_type: str, output: bytes) -> tuple[Any, ...]:
    try:
        return abi_decode([abi_type], output)
    except (DecodingError, OverflowError, UnicodeDecodeError) as error:
        raise RegistryAnswerError(f"the validator registry's answer is not {abi_type}: {error}") from error
