"""Votes, proposals and commits: what validators sign, as EIP-712 typed data.

The domain carries the chain id and, as its salt, the genesis hash, so a signature means nothing on another
network. A contract recomputes these digests and checks them with ``ecrecover``: equivocation is provable on
chain.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

from alatau.codec import rlp
from alatau.crypto.eip712 import struct_hash, type_hash, typed_digest, word
from alatau.crypto.keccak import keccak256
from alatau.types.header import ZERO_HASH

DOMAIN_NAME: Final = "Alatau Consensus"
DOMAIN_VERSION: Final = "1"
_DOMAIN_TYPE: Final = type_hash("EIP712Domain(string name,string version,uint256 chainId,bytes32 salt)")
VOTE_TYPE: Final = "Vote(uint8 kind,uint64 height,uint32 round,bytes32 blockHash)"
PROPOSAL_TYPE: Final = "Proposal(uint64 height,uint32 round,bytes32 blockHash,int32 validRound,uint64 timestampMs)"
_VOTE_TYPE_HASH: Final = type_hash(VOTE_TYPE)
_PROPOSAL_TYPE_HASH: Final = type_hash(PROPOSAL_TYPE)

NO_ROUND: Final = -1
"""``valid_round`` of a proposal that re-proposes nothing (arXiv 1807.04938, L21)."""

_DIGESTS_MAX: Final = 256
"""Subjects of votes that are remembered: a round has four, and few rounds are spoken of at once. 32 KiB."""


class VoteKind(IntEnum):
    """The two voting steps of a round."""

    PREVOTE = 1
    PRECOMMIT = 2


@dataclass(frozen=True, slots=True)
class Vote:
    """A validator's prevote or precommit."""

    kind: VoteKind
    height: int
    round: int
    block_hash: bytes | None
    """None is nil: no block gets this vote."""
    validator: bytes
    """Address of the voting key."""
    signature: bytes
    """65 bytes over :func:`vote_digest`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposer's signed offer of a block for a round. The block travels beside it."""

    height: int
    round: int
    block_hash: bytes
    valid_round: int
    """The round in which the block got a polka, or ``NO_ROUND``."""
    timestamp_ms: int
    """The proposer's clock, milliseconds since 1970; a validator too far from it prevotes nil."""
    proposer: bytes
    signature: bytes
    """65 bytes over :func:`proposal_digest`."""


@dataclass(frozen=True, slots=True)
class CommitSignature:
    """One precommit in a commit."""

    validator: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """Finality: precommits of more than two thirds of the power for one block."""

    height: int
    round: int
    block_hash: bytes
    signatures: tuple[CommitSignature, ...]
    """Sorted by validator address, each once."""


def consensus_domain(chain_id: int, genesis_hash: bytes) -> bytes:
    """The EIP-712 domain separator of a network's votes and proposals."""
    return struct_hash(
        _DOMAIN_TYPE,
        keccak256(DOMAIN_NAME.encode()),
        keccak256(DOMAIN_VERSION.encode()),
        word(chain_id),
        genesis_hash,
    )


@lru_cache(maxsize=_DIGESTS_MAX)
def vote_digest(domain: bytes, kind: VoteKind, height: int, round_: int, block_hash: bytes | None) -> bytes:
    """What a vote's signature covers; nil is hashed as 32 zero bytes. Alike for all validators, so remembered."""
    words = (word(kind), word(height), word(round_), block_hash or ZERO_HASH)
    return typed_digest(domain, struct_hash(_VOTE_TYPE_HASH, *words))


def proposal_digest(
    domain: bytes, height: int, round_: int, block_hash: bytes, valid_round: int, timestamp_ms: int
) -> bytes:
    """What a proposal's signature covers."""
    words = (word(height), word(round_), block_hash, word(valid_round), word(timestamp_ms))
    return typed_digest(domain, struct_hash(_PROPOSAL_TYPE_HASH, *words))


def commit_item(commit: Commit) -> rlp.Item:
    """The RLP item of a commit."""
    return (
        commit.height,
        commit.round,
        commit.block_hash,
        [(s.validator, s.signature) for s in commit.signatures],
    )


def commit_from_item(item: rlp.Decoded) -> Commit:
    """Read a commit; raises ``RlpError``."""
    f = rlp.to_list(item, 4)
    signatures = []
    for entry in rlp.to_list(f[3]):
        address, signature = rlp.to_list(entry, 2)
        signatures.append(CommitSignature(rlp.to_bytes(address, 20), rlp.to_bytes(signature, 65)))
    return Commit(rlp.to_uint(f[0], 64), rlp.to_uint(f[1], 32), rlp.to_bytes(f[2], 32), tuple(signatures))


def commit_hash(commit: Commit) -> bytes:
    """keccak256 of the commit's RLP: ``parent_beacon_block_root`` of the next header."""
    return keccak256(rlp.encode(commit_item(commit)))
