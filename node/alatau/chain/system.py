"""What a block does to the state before its first transaction."""

from typing import Final

from alatau.evm.environment import BlockEnvironment, TransactionEnvironment
from alatau.evm.message import Message, Outcome, run_message
from alatau.state.block_state import (
    BlockState,
    begin_transaction,
    code_hash_of,
    code_with_hash,
    end_transaction,
)

SYSTEM_ADDRESS: Final = bytes.fromhex("fffffffffffffffffffffffffffffffffffffffe")
"""The caller of system calls (EIP-4788)."""
SYSTEM_CALL_GAS: Final = 30_000_000
"""Not counted against the block's limit (EIP-4788)."""
BEACON_ROOTS_ADDRESS: Final = bytes.fromhex("000f3df6d732807ef1319fb7b8bb8522d0beac02")
"""EIP-4788. Here the root is the hash of the parent's commit (``docs/chain.md``)."""
HISTORY_ADDRESS: Final = bytes.fromhex("0000f90827f1c53a10cb7a02335b175320002935")
"""Hashes of the last 8,191 blocks (EIP-2935)."""


def run_block_start(
    block: BlockEnvironment, state: BlockState, parent_hash: bytes, parent_beacon_block_root: bytes
) -> None:
    """Store the parent's commit hash and block hash in the contracts for them, where these exist."""
    system_call(block, state, BEACON_ROOTS_ADDRESS, parent_beacon_block_root)
    system_call(block, state, HISTORY_ADDRESS, parent_hash)


def system_call(block: BlockEnvironment, state: BlockState, address: bytes, data: bytes) -> Outcome | None:
    """Call ``address`` as the system: no nonce, no fee. None where there is no code.

    A failure changes nothing and is the caller's to judge; the two contracts above cannot fail.
    """
    begin_transaction(state)
    code = code_with_hash(state, code_hash_of(state, address))
    if not code:
        return None
    message = Message(SYSTEM_ADDRESS, address, code, creates=False, value=0, data=data, gas=SYSTEM_CALL_GAS)
    outcome = run_message(state, block, TransactionEnvironment(SYSTEM_ADDRESS, 0), message)
    end_transaction(state)
    return outcome
