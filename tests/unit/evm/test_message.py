"""The EVM's entry point."""

import sys

from alatau.evm.environment import TransactionEnvironment
from alatau.evm.message import RECURSION_LIMIT, Message, run_message
from alatau.state.block_state import BlockState, begin_transaction
from tests.support.assembly import RETURN_TOP, assemble
from tests.support.world import CALLER, CONTRACT, MemoryState, block, contract, run


def returned(text: str) -> int:
    """The word that a program leaves on top of its stack."""
    outcome, _ = run(contract(assemble(text + RETURN_TOP)))
    assert outcome.succeeded
    return int.from_bytes(outcome.output)


def test_a_contract_sees_its_block_and_transaction() -> None:
    """Each instruction of the environment reads its field."""
    environment = block()
    assert returned("NUMBER") == environment.number
    assert returned("TIMESTAMP") == environment.timestamp
    assert returned("COINBASE") == int.from_bytes(environment.beneficiary)
    assert returned("PREVRANDAO") == int.from_bytes(environment.prev_randao)
    assert returned("GASLIMIT") == environment.gas_limit
    assert returned("CHAINID") == environment.chain_id
    assert returned("BLOBBASEFEE") == 1
    assert returned("ORIGIN") == returned("CALLER") == int.from_bytes(CALLER)
    assert returned("GASPRICE") == 1
    assert returned("PUSH 0 BLOBHASH") == 1 << 248
    assert returned("PUSH 1 BLOBHASH") == 0
    assert returned("ADDRESS") == int.from_bytes(CONTRACT)


def test_hashes_of_256_blocks() -> None:
    """BLOCKHASH knows the 256 blocks before this one, and neither itself nor older ones."""
    environment = block()
    for number in (environment.number - 1, environment.number - 256):
        assert returned(f"PUSH {number} BLOCKHASH") == int.from_bytes(environment.block_hash(number))
    for number in (environment.number, environment.number - 257, 2**255):
        assert returned(f"PUSH {number} BLOCKHASH") == 0


def test_the_recursion_limit_is_raised_but_not_lowered() -> None:
    """A process that allows more keeps its limit."""
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(RECURSION_LIMIT + 500)
        returned("PUSH 1")
        assert sys.getrecursionlimit() == RECURSION_LIMIT + 500
    finally:
        sys.setrecursionlimit(max(before, RECURSION_LIMIT))


def test_a_creation_from_outside() -> None:
    """Initcode runs in the new account's frame; its output becomes the code."""
    state = BlockState(MemoryState().put(CALLER, balance=10))
    begin_transaction(state)
    initcode = assemble("ADDRESS PUSH 0 SSTORE PUSH 0x6001600155 PUSH 0 MSTORE PUSH 5 PUSH 27 RETURN")
    message = Message(CALLER, CONTRACT, initcode, creates=True, value=4, data=b"", gas=100_000)
    outcome = run_message(state, block(), TransactionEnvironment(CALLER, 0), message)
    assert outcome.succeeded
    assert (state.balances[CONTRACT], state.nonces[CONTRACT]) == (4, 1)
    assert state.storage(CONTRACT, 0) == int.from_bytes(CONTRACT)
    assert state.code(state.code_hashes[CONTRACT]).hex() == "6001600155"


def test_a_static_message() -> None:
    """A read can be made without the right to write."""
    outcome, _ = run(contract(assemble("PUSH 1 PUSH 1 SSTORE STOP")), static=True)
    assert not outcome.succeeded
    assert outcome.gas_left == 0
