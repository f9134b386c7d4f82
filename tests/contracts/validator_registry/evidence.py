"""Signed votes and proposals for the tests of evidence, made by the node's own code."""

from typing import Any

import boa
from boa.util.abi import Address

from alatau.chain.validator_registry import BIND_GENESIS_CALL
from alatau.types.vote import VoteKind, consensus_domain, proposal_digest, vote_digest
from tests.contracts.actors import Actor
from tests.contracts.world import wait

GENESIS_HASH = b"\x6e" * 32
BLOCK_1, BLOCK_2 = b"\x01" * 32, b"\x02" * 32
HISTORY = "0x0000F90827F1C53a10cb7A02335B175320002935"
HISTORY_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f356001430381116042"
    "57611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)
"""The contract of EIP-2935, as in its specification."""


def bind(world: Any) -> None:
    """Let the registry learn the genesis hash from the history contract, as a node's first blocks do."""
    boa.env.set_code(HISTORY, HISTORY_CODE)
    boa.env.set_storage(HISTORY, 0, int.from_bytes(GENESIS_HASH, "big"))
    if boa.env.evm.patch.block_number <= 256:
        wait(blocks=300)
    boa.env.execute_code(to_address=Address(str(world.validators.address)), data=BIND_GENESIS_CALL)


def vote(
    voter: Actor,
    block_hash: bytes | None,
    *,
    height: int = 7,
    round_: int = 0,
    kind: VoteKind = VoteKind.PRECOMMIT,
    chain_id: int | None = None,
    genesis_hash: bytes = GENESIS_HASH,
) -> tuple[bytes, bytes]:
    """A vote as the contract takes it, signed as the node signs it."""
    chain = boa.env.evm.patch.chain_id if chain_id is None else chain_id
    digest = vote_digest(consensus_domain(chain, genesis_hash), kind, height, round_, block_hash)
    return block_hash or bytes(32), voter.key.sign(digest)


def proposal(voter: Actor, block_hash: bytes, valid_round: int = -1) -> tuple[bytes, int, int, bytes]:
    """A proposal for height 7, round 2, as the contract takes it."""
    domain = consensus_domain(boa.env.evm.patch.chain_id, GENESIS_HASH)
    digest = proposal_digest(domain, 7, 2, block_hash, valid_round, 1_700_000_000_000)
    return block_hash, valid_round, 1_700_000_000_000, voter.key.sign(digest)
