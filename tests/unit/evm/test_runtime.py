"""When code is translated."""

from alatau.evm.runtime import GAS_PER_INSTRUCTION, GROWTH_MAX, REGION_MAX, new_runtime, runtime_of
from alatau.types.chain_config import Fork
from tests.support.assembly import assemble
from tests.support.world import contract, run

LOOP = assemble("PUSH 0xffff :head PUSH 1 SWAP1 SUB DUP1 PUSH @head JUMPI STOP")


def test_what_runs_once_is_interpreted() -> None:
    """Code that is not hot is never translated, however much gas it burns."""
    runtime = new_runtime(Fork.OSAKA)
    code = assemble("PUSH 1 PUSH 2 ADD POP " * 3_000 + "STOP")
    outcome, _ = run(contract(code), runtime=runtime)
    assert outcome.succeeded
    assert runtime.programs.program(code).translated == 0


def test_a_loop_is_translated_once_it_has_paid() -> None:
    """A hot loop burns its credit interpreted, then runs as Python: translations never exceed what was paid."""
    runtime = new_runtime(Fork.OSAKA)
    outcome, _ = run(contract(LOOP), runtime=runtime)
    program = runtime.programs.program(LOOP)
    assert outcome.succeeded
    assert 3 in program.regions
    assert program.translated * GAS_PER_INSTRUCTION <= 10_000_000 - outcome.gas_left
    assert program.credit >= 0


def test_the_credit_is_the_program_s_own() -> None:
    """Gas that a callee burns is not its caller's credit."""
    runtime = new_runtime(Fork.OSAKA)
    caller = assemble(
        "PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0x0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c GAS CALL STOP"
    )
    outcome, _ = run(contract(caller).put(b"\x0c" * 20, code=LOOP), runtime=runtime)
    assert outcome.succeeded
    assert runtime.programs.program(caller).credit < 3_000


def test_translations_of_a_program_are_bounded() -> None:
    """A program whose parts are all hot, entered everywhere, is translated only so far."""
    runtime = new_runtime(Fork.OSAKA)
    body = "".join(f":d{n} PUSH 1 ADD DUP1 PUSH 0xfff AND PUSH {(n * 37) % 200:#x} POP " for n in range(200))
    code = assemble("PUSH 0 " + body + "DUP1 PUSH 40000 GT PUSH @d1 JUMPI STOP")
    for _ in range(3):
        run(contract(code), runtime=runtime)
    assert runtime.programs.program(code).translated <= GROWTH_MAX * len(code) + 2 * REGION_MAX


def test_one_runtime_per_fork() -> None:
    """The process keeps what it translated, for each fork apart."""
    assert runtime_of(Fork.OSAKA) is runtime_of(Fork.OSAKA)
    assert runtime_of(Fork.PRAGUE) is not runtime_of(Fork.OSAKA)
