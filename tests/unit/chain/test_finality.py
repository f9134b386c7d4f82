"""What a commit proves, and how one may fail to."""

from dataclasses import replace

import pytest

from alatau.chain.errors import InvalidCommitError
from alatau.chain.finality import verify_commit
from alatau.types.vote import Commit, CommitSignature
from tests.support.small_network import PAYER, VALIDATORS, SmallNetwork, build, commit_for, small_network


def refuse(network: SmallNetwork, commit: Commit, match: str) -> None:
    """Expect ``commit`` not to prove the network's first block."""
    block = build(network).executed.block
    with pytest.raises(InvalidCommitError, match=match):
        verify_commit(commit, 1, block.hash, network.validators, network.domain)


def test_three_of_four_prove_a_decision() -> None:
    """More than two thirds of the power suffice, and so do all."""
    network = small_network()
    block = build(network).executed.block
    for signers in (VALIDATORS[:3], VALIDATORS[1:], VALIDATORS):
        verify_commit(commit_for(network, block, signers), 1, block.hash, network.validators, network.domain)


def test_two_of_four_prove_nothing() -> None:
    """Exactly half is no quorum."""
    network = small_network()
    refuse(network, commit_for(network, build(network).executed.block, VALIDATORS[:2]), "2 of 4 voting power")


def test_a_signature_counts_once() -> None:
    """The same signature three times does not make a quorum (Pantheon 827)."""
    network = small_network()
    commit = commit_for(network, build(network).executed.block, VALIDATORS[:1])
    refuse(network, replace(commit, signatures=commit.signatures * 3), "each once")


def test_a_signature_counts_for_its_signer() -> None:
    """Relabelling one validator's signature as another's is found out (CometBFT GHSA-c32p-wcqj-j677)."""
    network = small_network()
    commit = commit_for(network, build(network).executed.block)
    one = commit.signatures[0].signature
    relabelled = tuple(CommitSignature(key.address, one) for key in VALIDATORS[:3])
    refuse(network, replace(commit, signatures=relabelled), "is not theirs")


def test_strangers_do_not_count() -> None:
    """A key that is no validator's is refused, not skipped."""
    network = small_network()
    block = build(network).executed.block
    signers = sorted((*VALIDATORS[:3], PAYER), key=lambda key: key.address)
    refuse(network, commit_for(network, block, signers), "no validator of height 1")


def test_order_is_fixed() -> None:
    """Two encodings of one commit would give a block two hashes."""
    network = small_network()
    commit = commit_for(network, build(network).executed.block)
    refuse(network, replace(commit, signatures=commit.signatures[::-1]), "sorted")


def test_a_commit_is_for_one_block_of_one_height() -> None:
    """Another height or hash is refused before a signature is looked at."""
    network = small_network()
    commit = commit_for(network, build(network).executed.block)
    refuse(network, replace(commit, height=2), "at height 2")
    refuse(network, replace(commit, block_hash=bytes(32)), "is for block 00")


def test_the_round_is_signed() -> None:
    """Precommits of round 0 do not prove a decision in round 1."""
    network = small_network()
    commit = commit_for(network, build(network).executed.block)
    refuse(network, replace(commit, round=1), "is not theirs")


def test_a_signature_of_another_network_is_refused() -> None:
    """The domain binds chain and genesis."""
    network = small_network()
    other = replace(network, domain=bytes(32))
    refuse(network, commit_for(other, build(network).executed.block), "is not theirs")


def test_a_malformed_signature_is_refused() -> None:
    """Zeros recover no key."""
    network = small_network()
    commit = commit_for(network, build(network).executed.block)
    broken = (CommitSignature(commit.signatures[0].validator, bytes(65)), *commit.signatures[1:])
    refuse(network, replace(commit, signatures=broken), "malformed")
