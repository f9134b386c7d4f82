"""Checking that a commit proves a decision: the one question of a syncing node and of a light client.

A signature counts for the address that it recovers to, never for its position, and an address counts once
(CometBFT GHSA-c32p-wcqj-j677; Pantheon 827).
"""

from alatau.chain.errors import InvalidCommitError
from alatau.crypto.secp256k1 import SignatureError, recover_address
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, VoteKind, vote_digest


def verify_commit(commit: Commit, height: int, block_hash: bytes, validators: ValidatorSet, domain: bytes) -> None:
    """Check that more than two thirds of ``validators``' power precommitted ``block_hash`` at ``height``.

    Costs one signature recovery (about 45 us) for each signature, after the checks that cost nothing.

    Args:
        commit: the commit, from a block's body or a peer.
        height: the height that it must be for.
        block_hash: the 32-byte hash that it must be for.
        validators: the set that decides ``height``.
        domain: the network's EIP-712 domain separator (``types.vote.consensus_domain``).

    Raises:
        InvalidCommitError: it is for something else, out of order, from strangers, forged or too light.
    """
    if commit.height != height or commit.block_hash != block_hash:
        msg = f"commit is for block {commit.block_hash.hex()} at height {commit.height}"
        raise InvalidCommitError(msg)
    addresses = [entry.validator for entry in commit.signatures]
    if addresses != sorted(set(addresses)):
        msg = "commit's signatures are not sorted by validator, each once"
        raise InvalidCommitError(msg)
    strangers = [address for address in addresses if address not in validators.by_address]
    if strangers:
        msg = f"commit is signed by 0x{strangers[0].hex()}, no validator of height {height}"
        raise InvalidCommitError(msg)
    power = sum(validators.power_of(address) for address in addresses)
    if not validators.has_quorum(power):
        msg = f"commit carries {power} of {validators.total_power} voting power, needs more than two thirds"
        raise InvalidCommitError(msg)
    digest = vote_digest(domain, VoteKind.PRECOMMIT, height, commit.round, block_hash)
    for entry in commit.signatures:
        try:
            signer = recover_address(digest, entry.signature)
        except SignatureError as error:
            msg = f"commit's signature of 0x{entry.validator.hex()} is malformed: {error}"
            raise InvalidCommitError(msg) from error
        if signer != entry.validator:
            msg = f"commit's signature of 0x{entry.validator.hex()} is not theirs"
            raise InvalidCommitError(msg)
