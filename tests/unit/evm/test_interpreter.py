"""The interpreter: stretches, and fields of JUMPDESTs."""

from alatau.evm.environment import TransactionEnvironment
from alatau.evm.frame import SUCCESS, Frame, Machine, Tracer
from alatau.evm.interpreter import TAKEN, interpret
from alatau.evm.program import Program
from alatau.evm.runtime import new_runtime
from alatau.state.block_state import BlockState
from alatau.types.chain_config import Fork
from tests.support.assembly import assemble
from tests.support.world import CALLER, CONTRACT, block, contract, run


def frame(code: bytes) -> Frame:
    """A frame for ``code``."""
    machine = Machine(BlockState(contract(code)), block(), TransactionEnvironment(CALLER, 0), new_runtime(Fork.OSAKA))
    return Frame(machine, CALLER, CONTRACT, 0, b"", 1_000, 0, False, Program(code))


def test_a_stretch_ends_where_a_jump_is_taken() -> None:
    """The interpreter hands back at a taken jump, so that a translation of its target may run."""
    f = frame(assemble("PUSH 1 PUSH @there JUMP STOP :there STOP"))
    assert interpret(f, 0, f.machine.runtime.handlers) == TAKEN - 7
    assert f.stack == [1]
    assert interpret(f, 7, f.machine.runtime.handlers) == SUCCESS


def test_a_jump_not_taken_goes_on() -> None:
    """A JUMPI whose condition is 0 does not end the stretch."""
    f = frame(assemble("PUSH 0 PUSH @there JUMPI STOP :there STOP"))
    assert interpret(f, 0, f.machine.runtime.handlers) == SUCCESS


def test_running_off_the_end_stops() -> None:
    """Code ends as if with STOP, also within the immediate of a PUSH, which reads zeros."""
    f = frame(b"\x61\xab")
    assert interpret(f, 0, f.machine.runtime.handlers) == SUCCESS
    assert f.stack == [0xAB00]


def test_a_field_of_jumpdests_costs_its_length() -> None:
    """However it is run, each JUMPDEST costs 1."""
    f = frame(b"\x5b" * 700)
    assert interpret(f, 0, f.machine.runtime.handlers) == SUCCESS
    assert f.gas == 300


def test_tracers_see_each_jumpdest() -> None:
    """Under a tracer the field is shown step by step, with the gas at each."""

    class Steps(Tracer):
        def __init__(self) -> None:
            self.seen: list[tuple[int, int]] = []

        def step(self, frame: Frame, pc: int) -> None:
            self.seen.append((pc, frame.gas))

    steps = Steps()
    outcome, _ = run(contract(b"\x5b\x5b\x5b\x00"), gas=100, tracer=steps)
    assert outcome.gas_left == 97
    assert steps.seen == [(0, 100), (1, 99), (2, 98), (3, 97)]
