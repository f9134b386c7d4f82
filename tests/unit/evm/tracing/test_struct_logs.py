"""Step by step."""

from alatau.evm.tracing.struct_logs import StructLogTracer
from tests.support.assembly import assemble
from tests.support.world import OTHER, contract, run


def test_each_step_with_its_cost() -> None:
    """Gas before a step, less its cost, is the gas before the next; the stack is the one before the step."""
    tracer = StructLogTracer()
    outcome, _ = run(
        contract(assemble("PUSH 7 PUSH 0 MSTORE PUSH 5 SLOAD STOP"), slots={5: 9}), gas=5_000, tracer=tracer
    )
    assert [(log.op, log.pc, log.gas_cost) for log in tracer.logs] == [
        ("PUSH1", 0, 3),
        ("PUSH0", 2, 2),
        ("MSTORE", 3, 6),
        ("PUSH1", 4, 3),
        ("SLOAD", 6, 2_100),
        ("STOP", 7, 0),
    ]
    assert [log.stack for log in tracer.logs[:3]] == [(), (7,), (7, 0)]
    assert tracer.logs[4].storage == {5: 9}
    assert all(a.gas - a.gas_cost == b.gas for a, b in zip(tracer.logs, tracer.logs[1:], strict=False))
    assert tracer.logs[-1].gas == outcome.gas_left


def test_a_call_costs_what_it_passes_on() -> None:
    """The caller's step holds the gas of the call; the callee's steps are one deeper."""
    parent = contract(assemble(f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0x{OTHER.hex()} PUSH 500 CALL STOP"))
    parent.put(OTHER, code=assemble("PUSH 1 PUSH 0 SSTORE STOP"))
    tracer = StructLogTracer(memory=True, return_data=True)
    run(parent, tracer=tracer)
    steps = [(log.op, log.depth, log.gas_cost, log.error) for log in tracer.logs[7:]]
    assert steps == [
        ("CALL", 1, 2_600 + 500, None),
        ("PUSH1", 2, 3, None),
        ("PUSH0", 2, 2, None),
        ("SSTORE", 2, 0, "out of gas"),
        ("STOP", 1, 0, None),
    ]
    assert tracer.logs[0].memory == b""
    assert tracer.logs[0].return_data == b""


def test_the_number_of_steps_is_bounded() -> None:
    """A long run is recorded up to the limit, and said to be cut."""
    tracer = StructLogTracer(limit=10)
    outcome, _ = run(contract(assemble(":l PUSH @l JUMP")), gas=10_000, tracer=tracer)
    assert not outcome.succeeded
    assert len(tracer.logs) == 10
    assert tracer.truncated


def test_an_invalid_byte() -> None:
    """A byte that is no instruction is shown as its value, with the error."""
    tracer = StructLogTracer()
    run(contract(b"\x0c"), tracer=tracer)
    assert [(log.op, log.error) for log in tracer.logs] == [("opcode 0x0c not defined", "invalid opcode")]
