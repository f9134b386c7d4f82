from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.types.vote import (
    DOMAIN_NAME,
    DOMAIN_VERSION,
    NO_ROUND,
    Commit,
    CommitSignature,
    VoteKind,
    commit_from_item,
    commit_hash,
    commit_item,
    consensus_domain,
    proposal_digest,
    vote_digest,
)

_GENESIS = keccak256(b"genesis")
_CHAIN = 7773
_hashes = st.binary(min_size=32, max_size=32)
_heights = st.integers(0, 2**64 - 1)
_rounds = st.integers(0, 2**31 - 1)
_DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "salt", "type": "bytes32"},
]


def _reference_digest(name: str, members: list[tuple[str, str]], message: dict[str, Any]) -> bytes:
    """What a wallet would sign for the struct ``name``."""
    signable = encode_typed_data(
        full_message={
            "types": {"EIP712Domain": _DOMAIN_FIELDS, name: [{"type": t, "name": n} for t, n in members]},
            "primaryType": name,
            "domain": {"name": DOMAIN_NAME, "version": DOMAIN_VERSION, "chainId": _CHAIN, "salt": _GENESIS},
            "message": message,
        }
    )
    return bytes(_hash_eip191_message(signable))


_VOTE = [("uint8", "kind"), ("uint64", "height"), ("uint32", "round"), ("bytes32", "blockHash")]
_PROPOSAL = [
    ("uint64", "height"),
    ("uint32", "round"),
    ("bytes32", "blockHash"),
    ("int32", "validRound"),
    ("uint64", "timestampMs"),
]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(VoteKind), _heights, _rounds, st.none() | _hashes)
def test_vote_digest_is_typed_data(kind: VoteKind, height: int, round_: int, block_hash: bytes | None) -> None:
    """A vote's digest is EIP-712's, so wallets show it and contracts check it; nil is a zero hash."""
    message = {"kind": int(kind), "height": height, "round": round_, "blockHash": block_hash or bytes(32)}
    expected = _reference_digest("Vote", _VOTE, message)
    assert vote_digest(consensus_domain(_CHAIN, _GENESIS), kind, height, round_, block_hash) == expected


@settings(max_examples=50, deadline=None)
@given(_heights, _rounds, _hashes, st.integers(NO_ROUND, 2**31 - 1), _heights)
def test_proposal_digest_is_typed_data(
    height: int, round_: int, block_hash: bytes, valid_round: int, timestamp_ms: int
) -> None:
    """A proposal's digest is EIP-712's; the valid round may be -1."""
    message = {
        "height": height,
        "round": round_,
        "blockHash": block_hash,
        "validRound": valid_round,
        "timestampMs": timestamp_ms,
    }
    domain = consensus_domain(_CHAIN, _GENESIS)
    expected = _reference_digest("Proposal", _PROPOSAL, message)
    assert proposal_digest(domain, height, round_, block_hash, valid_round, timestamp_ms) == expected


def test_every_field_is_signed() -> None:
    """Digests that differ in one thing only all differ: no signature serves twice."""
    other = keccak256(b"other")
    digests = {
        vote_digest(consensus_domain(_CHAIN, _GENESIS), VoteKind.PREVOTE, 5, 1, other),
        vote_digest(consensus_domain(_CHAIN + 1, _GENESIS), VoteKind.PREVOTE, 5, 1, other),
        vote_digest(consensus_domain(_CHAIN, other), VoteKind.PREVOTE, 5, 1, other),
        vote_digest(consensus_domain(_CHAIN, _GENESIS), VoteKind.PRECOMMIT, 5, 1, other),
        vote_digest(consensus_domain(_CHAIN, _GENESIS), VoteKind.PREVOTE, 6, 1, other),
        vote_digest(consensus_domain(_CHAIN, _GENESIS), VoteKind.PREVOTE, 5, 2, other),
        vote_digest(consensus_domain(_CHAIN, _GENESIS), VoteKind.PREVOTE, 5, 1, None),
        proposal_digest(consensus_domain(_CHAIN, _GENESIS), 5, 1, other, NO_ROUND, 9),
        proposal_digest(consensus_domain(_CHAIN, _GENESIS), 5, 1, other, 0, 9),
        proposal_digest(consensus_domain(_CHAIN, _GENESIS), 5, 1, other, NO_ROUND, 10),
    }
    assert len(digests) == 10


_COMMIT = Commit(9, 2, keccak256(b"block"), tuple(CommitSignature(bytes((n,)) * 20, bytes((n,)) * 65) for n in (1, 2)))


def test_commit_round_trip() -> None:
    """A commit reads back, and its hash is that of its RLP."""
    assert commit_from_item(rlp.decode(rlp.encode(commit_item(_COMMIT)))) == _COMMIT
    assert commit_hash(_COMMIT) == keccak256(rlp.encode(commit_item(_COMMIT)))


@pytest.mark.parametrize(
    "item",
    [
        [9, 2, bytes(31), []],
        [2**64, 2, bytes(32), []],
        [9, 2**32, bytes(32), []],
        [9, 2, bytes(32), [[bytes(20), bytes(64)]]],
        [9, 2, bytes(32), [[bytes(19), bytes(65)]]],
        [9, 2, bytes(32), [[bytes(20)]]],
        [9, 2, bytes(32)],
    ],
)
def test_malformed_commit(item: rlp.Item) -> None:
    """Widths are fixed; a signature has 65 bytes."""
    with pytest.raises(rlp.RlpError):
        commit_from_item(rlp.decode(rlp.encode(item)))
