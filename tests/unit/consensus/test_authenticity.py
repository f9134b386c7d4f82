"""Signatures of votes and proposals, with real keys."""

from dataclasses import replace

import pytest

from alatau.consensus.authenticity import Authority, check_signature, digest_of
from alatau.consensus.errors import SignatureMismatchError
from alatau.crypto.secp256k1 import PrivateKey, recover_address
from alatau.types.vote import NO_ROUND, Proposal, Vote, VoteKind, consensus_domain

KEY = PrivateKey(b"\x07" * 32)
HERE = Authority(KEY.address, KEY.sign, recover_address, consensus_domain(7773, bytes(32)))
ELSEWHERE = replace(HERE, domain=consensus_domain(7774, bytes(32)))


def signed(unsigned: Vote | Proposal, authority: Authority = HERE) -> Vote | Proposal:
    """What the validator sends."""
    return replace(unsigned, signature=KEY.sign(digest_of(authority, unsigned)))


VOTE = Vote(VoteKind.PREVOTE, 5, 2, None, KEY.address, b"")
PROPOSAL = Proposal(5, 2, b"\x01" * 32, NO_ROUND, 1_700_000_000_000, KEY.address, b"")


@pytest.mark.parametrize("unsigned", [VOTE, PROPOSAL])
def test_a_signature_is_its_authors_and_for_this_network(unsigned: Vote | Proposal) -> None:
    """Right here, worthless on another chain, under another name or over another field."""
    right = signed(unsigned)
    check_signature(HERE, right)
    named = "validator" if isinstance(unsigned, Vote) else "proposer"
    for wrong in (
        signed(unsigned, ELSEWHERE),
        replace(right, **{named: bytes(20)}),
        replace(right, round=3),
        replace(right, height=6),
        replace(right, block_hash=b"\x02" * 32),
        replace(right, signature=b""),
        replace(right, signature=bytes(65)),
        replace(right, signature=right.signature + b"\0"),
    ):
        with pytest.raises(SignatureMismatchError):
            check_signature(HERE, wrong)


def test_a_prevote_is_no_precommit() -> None:
    """The kind is signed."""
    vote = signed(VOTE)
    assert isinstance(vote, Vote)
    with pytest.raises(SignatureMismatchError):
        check_signature(HERE, replace(vote, kind=VoteKind.PRECOMMIT))
