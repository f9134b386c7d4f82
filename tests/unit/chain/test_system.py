"""System calls at the beginning of a block."""

from alatau.chain.system import BEACON_ROOTS_ADDRESS, HISTORY_ADDRESS, SYSTEM_ADDRESS, run_block_start, system_call
from alatau.state.block_state import BlockState
from tests.support.assembly import assemble
from tests.support.world import CONTRACT, MemoryState, block

HISTORY_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
)
"""The contract of EIP-2935, as published there."""

BEACON_CODE = bytes.fromhex(
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff810690815414603c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
)
"""The contract of EIP-4788, as published there."""


def test_hashes_are_stored() -> None:
    """The parent's hash and its commit's hash go to the slots that the EIPs name."""
    parent = (
        MemoryState()
        .put(HISTORY_ADDRESS, nonce=1, code=HISTORY_CODE)
        .put(BEACON_ROOTS_ADDRESS, nonce=1, code=BEACON_CODE)
    )
    state = BlockState(parent)
    environment = block()
    run_block_start(environment, state, b"\xaa" * 32, b"\xbb" * 32)
    assert state.storage(HISTORY_ADDRESS, (environment.number - 1) % 8_191) == int.from_bytes(b"\xaa" * 32)
    assert state.storage(BEACON_ROOTS_ADDRESS, environment.timestamp % 8_191) == environment.timestamp
    assert state.storage(BEACON_ROOTS_ADDRESS, environment.timestamp % 8_191 + 8_191) == int.from_bytes(b"\xbb" * 32)
    assert SYSTEM_ADDRESS not in state.diff().accounts


def test_without_the_contracts_nothing_happens() -> None:
    """A network may do without them."""
    state = BlockState(MemoryState())
    run_block_start(block(), state, b"\xaa" * 32, b"\xbb" * 32)
    assert state.diff().accounts == {}


def test_the_outcome_of_a_system_call() -> None:
    """The system is the caller; a failure undoes what the call did and is reported."""
    state = BlockState(MemoryState().put(CONTRACT, nonce=1, code=assemble("CALLER PUSH 1 SSTORE PUSH 0 PUSH 0 REVERT")))
    outcome = system_call(block(), state, CONTRACT, b"")
    assert outcome is not None
    assert outcome.reverted
    assert state.diff().storage == {}
