"""The ValidatorRegistry contract as the node sees it: what it calls, and how it reads the answer.

The contract is ``contracts/governance/ValidatorRegistry.vy``. A change that block h made decides from h+2 on.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError

from alatau.crypto.keccak import keccak256
from alatau.types.endpoint import EndpointError, parse_endpoint
from alatau.types.validator import VALIDATORS_MAX, Validator, ValidatorSet, validator_set
from alatau.types.vote import Proposal, Vote

SET_VERSION_SLOT: Final = 0
"""Slot of ``set_version``: it grows with every change of validators or observers, and with nothing else.

What a running node reads when the slot changes, a node that starts reads from the state of any later block: a registry
whose ``validators()`` changed without it would part them.
"""

VALIDATOR_ABI: Final = "(address,address,bytes32,bytes,uint256,bytes)"
"""operator, voting key, TLS key hash, endpoint, power, name. The contract declares the texts as strings, which are
encoded like bytes; read as bytes, a text that is no UTF-8 spoils nothing but itself."""

ADMITTED_MAX: Final = 64
"""Validators that the contract admits: its ``VALIDATORS_MAX``."""

OBSERVER_ABI: Final = "(bytes32,bytes)"

POWER_MAX: Final = 2**40
"""Of one validator, as in the contract: their sum stays far inside 64 bits."""

VALIDATORS_CALL: Final = keccak256(b"validators()")[:4]
OBSERVERS_CALL: Final = keccak256(b"observers()")[:4]
GENESIS_HASH_CALL: Final = keccak256(b"genesis_hash()")[:4]
BIND_GENESIS_CALL: Final = keccak256(b"bind_genesis()")[:4]
"""Once, in the first 8,191 blocks: evidence cannot be checked before the contract knows the genesis hash."""

_ANSWERS_SELECTOR: Final = keccak256(b"answers(address)")[:4]

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
    """The set that ``validators()`` returned.

    Who decides with what power is taken exactly or refused, for every node must come to the same set. Texts are taken
    as far as they can be read: an endpoint that nobody can dial becomes "", a name keeps what is printable of it.

    Raises:
        RegistryAnswerError: no such answer, an empty set, one voting key twice, a power out of range.
    """
    (rows,) = _decode(f"{VALIDATOR_ABI}[]", output)
    if not rows:
        raise RegistryAnswerError("the validator registry answered with an empty set")
    if len(rows) > VALIDATORS_MAX:
        raise RegistryAnswerError(f"the validator registry answered with {len(rows)} validators, over {VALIDATORS_MAX}")
    keys = {voting_key for _, voting_key, *_ in rows}
    if len(keys) != len(rows):
        raise RegistryAnswerError("the validator registry answered with one voting key twice")
    if any(not 0 < power <= POWER_MAX for *_, power, _ in rows):
        raise RegistryAnswerError(f"the validator registry answered with a power outside of 1..{POWER_MAX}")
    return validator_set(
        Validator(
            address=bytes.fromhex(voting_key.removeprefix("0x")),
            power=power,
            tls_key_hash=tls_key_hash,
            endpoint=_readable_endpoint(endpoint),
            name=_readable_name(name),
        )
        for _, voting_key, tls_key_hash, endpoint, power, name in rows
    )


def decode_observers(output: bytes) -> tuple[Observer, ...]:
    """The observers that ``observers()`` returned, with names as above. Raises ``RegistryAnswerError``."""
    (rows,) = _decode(f"{OBSERVER_ABI}[]", output)
    return tuple(Observer(tls_key_hash, _readable_name(name)) for tls_key_hash, name in rows)


def with_known_endpoints(found: ValidatorSet, known: ValidatorSet) -> ValidatorSet:
    """``found``, where a validator whose endpoint could not be read keeps the one that it had in ``known``.

    Endpoints decide nothing (``ValidatorSet.hash`` leaves them out), so nodes may differ in them.
    """
    if all(v.endpoint for v in found.validators):
        return found
    return validator_set(
        v
        if v.endpoint or v.address not in known.by_address
        else replace(v, endpoint=known.by_address[v.address].endpoint)
        for v in found.validators
    )


def answers_call(voting_key: bytes) -> bytes:
    """Call data that asks whether evidence against a voting key (20 bytes, its address) is still heard."""
    return _ANSWERS_SELECTOR + voting_key.rjust(32, b"\0")


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


def _readable_endpoint(text: bytes) -> str:
    """``host:port``, or "" where it is none."""
    try:
        endpoint = text.decode("ascii")
        parse_endpoint(endpoint)
    except (UnicodeDecodeError, EndpointError):
        return ""
    return endpoint


def _readable_name(text: bytes) -> str:
    """What people can read; U+FFFD stands for what they cannot."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text.decode("utf-8", errors="replace"))


def _decode(abi_type: str, output: bytes) -> tuple[Any, ...]:
    try:
        return abi_decode([abi_type], output)
    except (DecodingError, OverflowError) as error:
        raise RegistryAnswerError(f"the validator registry's answer is not {abi_type}: {error}") from error
