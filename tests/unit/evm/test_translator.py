"""Translated code: the same results as interpreted code, and the Python that it should be."""

import re
from pathlib import Path
from random import Random

import pytest

from alatau.evm.frame import Runtime
from alatau.evm.message import Outcome
from alatau.evm.opcodes import opcodes
from alatau.evm.program import Program
from alatau.evm.runtime import new_runtime, translating_runtime
from alatau.evm.translator import Translation
from alatau.state.block_state import BlockState
from alatau.types.chain_config import Fork
from tests.support.assembly import RETURN_TOP, assemble, push
from tests.support.world import CONTRACT, OTHER, MemoryState, contract, run

TABLE = opcodes(Fork.OSAKA)
INTERPRETING = new_runtime(Fork.OSAKA)
TRANSLATING = translating_runtime(Fork.OSAKA)


def source(code: bytes, entry: int = 0, budget: int = 500) -> str:
    """The Python of a region."""
    return Translation(Program(code), entry, TABLE, budget, everything=True).source()


def result(parent: MemoryState, runtime: Runtime, gas: int, data: bytes = b"") -> tuple[object, ...]:
    """Everything that a call gives, for comparison."""
    outcome, state = run(parent, gas=gas, runtime=runtime, data=data)
    return (*summary(outcome), state.logs, state.refund, state.diff())


def summary(outcome: Outcome) -> tuple[object, ...]:
    """An outcome as a tuple."""
    return outcome.succeeded, outcome.reverted, outcome.gas_left, outcome.output


def both_agree(parent: MemoryState, gas: int, data: bytes = b"") -> tuple[object, ...]:
    """Interpreted and translated, at this gas, are the same."""
    interpreted = result(parent, new_runtime(Fork.OSAKA), gas, data)
    assert result(parent, TRANSLATING, gas, data) == interpreted
    return interpreted


def test_stack_instructions_become_nothing() -> None:
    """PUSH, DUP, SWAP and POP leave no trace; constants fold."""
    text = source(assemble("PUSH 2 PUSH 3 ADD DUP1 MUL PUSH 7 SWAP1 POP POP STOP"))
    assert text == (
        "def region(f):\n"
        "    gas = f.gas\n"
        "    S = f.stack\n"
        "    gas -= 27\n"
        "    if gas < 0:\n"
        "        raise OutOfGasError\n"
        "    f.gas = gas\n"
        "    return SUCCESS\n"
    )


def test_a_word_stored_and_read_again_never_becomes_bytes() -> None:
    """MSTORE and MLOAD at a constant offset are a local."""
    text = source(assemble("CALLER PUSH 64 MSTORE PUSH 64 MLOAD PUSH 1 ADD PUSH 0 SSTORE STOP"))
    assert "mem" not in text
    assert "v2 = 1 + v1\n" in text


def test_a_mapping_slot_is_one_hash() -> None:
    """KECCAK256 of two words just stored takes them from their locals."""
    text = source(assemble("CALLER PUSH 0 MSTORE PUSH 5 PUSH 32 MSTORE PUSH 64 PUSH 0 KECCAK256 SLOAD" + RETURN_TOP))
    assert "keccak_pair(v1, 5)" in text


def test_a_constant_jump_goes_on() -> None:
    """There is no trace of a jump to a constant, and what cannot run is not there."""
    text = source(assemble("PUSH @there JUMP PUSH 0xdead PUSH 0 SSTORE :there ADDRESS" + RETURN_TOP))
    assert "57005" not in text
    assert "return 0" not in text


def test_a_loop_is_a_loop() -> None:
    """A jump back to the entry of a region is ``continue``."""
    code = assemble("PUSH 10 :head PUSH 1 SWAP1 SUB DUP1 PUSH @head JUMPI STOP")
    text = source(code, entry=2)
    assert "while True:" in text
    assert "continue" in text


def test_code_that_never_ran_is_left_out() -> None:
    """An arm that was never taken only gives the program counter to go on at."""
    code = assemble("CALLVALUE PUSH @rare JUMPI STOP :rare " + "PUSH 1 PUSH 0 SSTORE " * 9 + "STOP")
    program = Program(code)
    text = Translation(program, 0, TABLE, 500).source()
    assert "return 6" in text
    assert "store" not in text
    program.entries[6] = 1
    assert "store" in Translation(program, 0, TABLE, 500).source()


def test_the_budget_bounds_a_region() -> None:
    """However long the code, a region holds no more instructions than its budget, give or take a block."""
    translation = Translation(Program(b"\x5b" * 24_576), 0, TABLE, 300, everything=True)
    assert "return 300" in translation.source()
    assert translation.count == 300


def test_ways_out_with_a_full_stack_count() -> None:
    """Three hundred constants on the stack, written at each of sixty ways out, use the budget up sooner."""
    code = assemble(
        f"PUSH {2**256 - 1:#x} " * 300 + "CALLVALUE PUSH @rare JUMPI " * 60 + "STOP :rare" + " ADDRESS POP" * 12
    )
    translation = Translation(Program(code), 0, TABLE, 500)
    assert len(translation.source()) < 120_000
    assert translation.weight >= 500 > translation.count
    both_agree(contract(code), 100_000)


def test_branches_that_double_do_not_explode() -> None:
    """A row of branches that join again has 2**n ways through it; the budget ends them."""
    code = assemble("".join(f"CALLVALUE PUSH @a{n} JUMPI ADDRESS POP :a{n} " for n in range(40)) + "STOP")
    translation = Translation(Program(code), 0, TABLE, 400, everything=True)
    assert len(translation.source().splitlines()) < 4_000
    both_agree(contract(code), 100_000)


def test_jumping_back_to_the_beginning() -> None:
    """A loop through offset 0 finds the stack and memory as it left them, not empty."""
    code = assemble(":head MSIZE PUSH 32 ADD PUSH 0 SWAP1 MSTORE MSIZE PUSH 300 GT PUSH @head JUMPI MSIZE" + RETURN_TOP)
    succeeded, *_ = both_agree(contract(code), 100_000)
    assert succeeded


@pytest.mark.parametrize("depth", [960, 961, 1_023, 1_024, 1_025])
def test_a_full_stack(depth: int) -> None:
    """Near the top of the stack a loop ends as it should, with or without room for one more word."""
    code = assemble(
        f"PUSH 0 PUSH {depth} SSTORE PUSH 0 :head PUSH 1 PUSH 0 SLOAD ADD DUP1 PUSH 0 SSTORE "
        f"PUSH {depth} GT PUSH @head JUMPI STOP"
    )
    both_agree(contract(assemble(f"PUSH 0 :head DUP1 PUSH 1 ADD DUP1 PUSH {depth} GT PUSH @head JUMPI STOP")), 10**6)
    both_agree(contract(code), 10**7)


CASES = 150
"""Random programs; some seconds. ``make fuzz`` runs longer, against the executable specification."""

BLOCKS = (
    "PUSH 3 DUP1 MUL POP",
    "CALLVALUE ISZERO ISZERO PUSH 5 MSTORE",
    "PUSH 7 PUSH 32 MSTORE PUSH 32 MLOAD PUSH 64 MSTORE",
    "PUSH 100 MLOAD PUSH 33 MSTORE",
    "PUSH 0 CALLDATALOAD PUSH 3 MOD PUSH 200 MSTORE8",
    "PUSH 64 PUSH 0 KECCAK256 PUSH 96 MSTORE",
    "PUSH 1 SLOAD PUSH 1 ADD PUSH 1 SSTORE",
    "PUSH 0 PUSH 2 SSTORE",
    "PUSH 9 PUSH 3 TSTORE PUSH 3 TLOAD PUSH 4 SSTORE",
    "GAS PUSH 0 MSTORE",
    "MSIZE PUSH 160 MSTORE",
    "PUSH 40 PUSH 3 PUSH 10 CALLDATACOPY",
    "PUSH 32 PUSH 0 PUSH 128 CODECOPY",
    "PUSH 50 PUSH 1 PUSH 60 MCOPY",
    "PUSH 0xaa PUSH 32 PUSH 31 LOG1",
    "PUSH 2 PUSH 300 EXP PUSH 0 MSTORE",
    "PUSH 32 PUSH 0 PUSH 32 PUSH 0 PUSH 0 ADDRESS GAS CALL POP",
    "PUSH 32 PUSH 0 PUSH 32 PUSH 0 PUSH 0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c PUSH 2500 STATICCALL PUSH 5 SSTORE",
    "RETURNDATASIZE PUSH 0 PUSH 7 RETURNDATACOPY",
    "PUSH 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff PUSH 1 ADD PUSH 6 SSTORE",
    "CALLER ADDRESS XOR PUSH 96 SHR PUSH 255 AND PUSH 64 MSTORE",
    "PUSH 0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c BALANCE PUSH 224 MSTORE",
    "PUSH 20 CALLDATALOAD BYTE PUSH 7 SSTORE",
    "POP",
    "DUP3 SWAP2",
    "ADD",
)
"""Pieces of programs; some leave the stack short, some end the frame."""

ENDS = (
    "STOP",
    "PUSH 96 PUSH 0 RETURN",
    "PUSH 40 PUSH 20 REVERT",
    "INVALID",
    "PUSH 7 JUMP",
    "MSIZE PUSH 0 RETURN",
    "GAS" + RETURN_TOP,
)


def random_program(random: Random) -> bytes:
    """Blocks with a counted loop, a branch on the input and an end."""
    pick = random.choice
    head = " ".join(pick(BLOCKS[:-3]) for _ in range(random.randrange(4)))
    body = " ".join(pick(BLOCKS) for _ in range(random.randrange(1, 5)))
    left, right = (" ".join(pick(BLOCKS) for _ in range(random.randrange(3))) for _ in range(2))
    return assemble(
        f"PUSH 11 PUSH 12 PUSH 13 {head} PUSH {random.randrange(1, 4)} :loop {body} "
        f"PUSH 1 SWAP1 SUB DUP1 PUSH @loop JUMPI "
        f"PUSH {random.randrange(40)} CALLDATALOAD PUSH 1 AND PUSH @left JUMPI {right} {pick(ENDS)} "
        f":left {left} {pick(ENDS)}"
    )


def test_translated_and_interpreted_agree_at_any_gas() -> None:
    """Programs with loops, branches, memory, storage and calls to themselves do the same either way.

    Outcome, output, gas, logs, refund and state are compared, with plenty of gas and with too little of it.
    """
    for seed in range(CASES):
        random = Random(seed)
        code = random_program(random)
        data = random.randbytes(random.randrange(40, 70))
        parent = contract(code, slots={1: 5, 2: 9, 7: 1})
        parent.put(OTHER, code=assemble("PUSH 0 CALLDATALOAD PUSH 1 ADD" + RETURN_TOP), balance=7)
        plenty = 150_000
        _, _, left, *_ = both_agree(parent, plenty, data)
        used = plenty - left if isinstance(left, int) else plenty
        for gas in {used - 1, used, used + 1, *(random.randrange(used + 1) for _ in range(6))}:
            both_agree(parent, max(gas, 0), data)


def test_every_gas_limit_of_one_program() -> None:
    """From nothing to enough, each limit gives the same result in both; only too little fails."""
    code = assemble(
        "PUSH 3 :loop GAS PUSH 0 MSTORE PUSH 2300 PUSH 1 SSTORE PUSH 32 PUSH 0 KECCAK256 POP PUSH 1 SWAP1 SUB DUP1 "
        "PUSH @loop JUMPI PUSH 32 PUSH 0 RETURN"
    )
    parent = contract(code, slots={1: 1})
    outcomes = [both_agree(parent, gas)[0] for gas in range(0, 9_000, 7)]
    assert outcomes == sorted(outcomes)
    assert outcomes[-1]


def test_a_wide_immediate_and_a_deep_expression() -> None:
    """PUSH32 fields and thousands of dependent instructions are translated in pieces."""
    code = assemble("CALLVALUE " + f"PUSH {2**256 - 3:#x} XOR NOT " * 2_000) + assemble(RETURN_TOP)
    both_agree(contract(code), 10**6)


def test_frames_do_not_share_what_regions_know() -> None:
    """A region's constants are the code's, never a call's: the same region serves every input and caller."""
    parent = contract(assemble("PUSH 0 CALLDATALOAD PUSH 0 SLOAD ADD DUP1 PUSH 0 SSTORE" + RETURN_TOP))
    for number in range(4):
        outcome, state = run(parent, data=push(number, 32)[1:], runtime=TRANSLATING)
        assert int.from_bytes(outcome.output) == number
        assert state.storage(CONTRACT, 0) == number


def test_regions_are_kept() -> None:
    """Code is translated once."""
    runtime = translating_runtime(Fork.OSAKA)
    code = assemble("PUSH 1 PUSH 0 SSTORE STOP")
    for _ in range(3):
        outcome, state = run(contract(code), runtime=runtime)
        assert outcome.succeeded
        assert isinstance(state, BlockState)
    assert runtime.programs.program(code).translated == 4


def test_the_documentation_shows_what_is() -> None:
    """The bytecode and the Python in ``docs/evm.md`` are what assembler and translator give."""
    text = (Path(__file__).parents[3] / "docs" / "evm.md").read_text()
    blocks = [block.strip() for block in re.findall(r"```(?:python)?\n(.*?)```", text, re.DOTALL)]
    listing = next(block for block in blocks if ":loop" in block)
    code = assemble(" ".join(listing.split()))
    assert code.hex() in blocks
    assert source(code).strip() in blocks
    assert source(code, entry=3).strip() in blocks
