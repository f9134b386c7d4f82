"""Signatures of votes and proposals: made and checked in one place, each checked once.

The core is given two functions instead of a key, so that a simulation of thousands of heights can do without
elliptic curves and the node without trusting the core with a secret.
"""

from collections.abc import Callable
from dataclasses import dataclass

from alatau.consensus.errors import SignatureMismatchError
from alatau.crypto.secp256k1 import SIGNATURE_SIZE, SignatureError, Signer
from alatau.types.vote import Proposal, Vote, proposal_digest, vote_digest

Recover = Callable[[bytes, bytes], bytes]
"""(digest, signature) -> address; raises ``SignatureError``. In the node ``crypto.secp256k1.recover_address``."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who we are and how signatures are made and checked."""

    address: bytes | None
    """Of our voting key; None for an observer."""
    sign: Signer
    """Must be deterministic: the same digest signed again after a restart gives the same bytes."""
    recover: Recover
    domain: bytes
    """``types.vote.consensus_domain`` of the network."""


def digest_of(authority: Authority, signed: Vote | Proposal) -> bytes:
    """What the signature of a vote or proposal covers."""
    if isinstance(signed, Vote):
        return vote_digest(authority.domain, signed.kind, signed.height, signed.round, signed.block_hash)
    return proposal_digest(
        authority.domain, signed.height, signed.round, signed.block_hash, signed.valid_round, signed.timestamp_ms
    )


def check_signature(authority: Authority, signed: Vote | Proposal) -> None:
    """Check that whoever is named signed it; about 45 us.

    Raises:
        SignatureMismatchError: the signature is malformed or another's.
    """
    named = signed.validator if isinstance(signed, Vote) else signed.proposer
    if len(signed.signature) != SIGNATURE_SIZE:
        raise SignatureMismatchError(f"signature of 0x{named.hex()} has {len(signed.signature)} bytes")
    try:
        signer = authority.recover(digest_of(authority, signed), signed.signature)
    except SignatureError as error:
        raise SignatureMismatchError(f"signature of 0x{named.hex()} is malformed: {error}") from error
    if signer != named:
        raise SignatureMismatchError(f"signature of 0x{named.hex()} is of 0x{signer.hex()}")
