"""The tree of calls."""

from alatau.evm.tracing.call_tracer import CallTrace, CallTracer, revert_reason
from tests.support.assembly import RETURN_TOP, assemble
from tests.support.world import CALLER, CONTRACT, OTHER, MemoryState, contract, run

OTHER_WORD = f"0x{OTHER.hex()}"


def trace(parent: MemoryState, **call: object) -> CallTrace:
    """The call that ``CALLER`` makes to ``CONTRACT``, traced; the result is that of the untraced call."""
    tracer = CallTracer()
    traced, traced_state = run(parent, tracer=tracer, **call)  # type: ignore[arg-type]
    plain, plain_state = run(parent, **call)  # type: ignore[arg-type]
    assert traced == plain
    assert traced_state.diff() == plain_state.diff()
    assert tracer.root is not None
    return tracer.root


def test_kinds_accounts_and_values() -> None:
    """Each kind of call shows who called whom, with what, and what came back."""
    calls = " ".join(
        f"PUSH 0 PUSH 0 PUSH 4 PUSH 28 {value} PUSH {OTHER_WORD} GAS {kind} POP"
        for kind, value in (("CALL", "PUSH 3"), ("CALLCODE", "PUSH 2"), ("DELEGATECALL", ""), ("STATICCALL", ""))
    )
    parent = contract(assemble(f"PUSH 0xabcdef01 PUSH 0 MSTORE {calls} STOP"), balance=10)
    parent.put(OTHER, code=assemble("PUSH 7" + RETURN_TOP))
    root = trace(parent, value=1, data=b"hi")
    assert (root.kind, root.caller, root.to, root.value, root.data) == ("CALL", CALLER, CONTRACT, 1, b"hi")
    assert [(c.kind, c.value) for c in root.calls] == [
        ("CALL", 3),
        ("CALLCODE", 2),
        ("DELEGATECALL", None),
        ("STATICCALL", None),
    ]
    for inner in root.calls:
        assert (inner.caller, inner.to, inner.data.hex()) == (CONTRACT, OTHER, "abcdef01")
        assert int.from_bytes(inner.output) == 7
        assert inner.gas_used == 16
    assert root.gas_used > sum(inner.gas_used for inner in root.calls)


def test_a_revert_with_a_reason() -> None:
    """A revert shows as such, with the text that the compiler encoded."""
    text = b"not enough"
    data = bytes.fromhex("08c379a0") + (32).to_bytes(32) + len(text).to_bytes(32) + text.ljust(32, b"\0")
    stores = "".join(
        f"PUSH {int.from_bytes(data[n : n + 32].ljust(32, bytes(1))):#x} PUSH {n} MSTORE " for n in range(0, 100, 32)
    )
    root = trace(contract(assemble(stores + "PUSH 100 PUSH 0 REVERT")))
    assert (root.error, root.revert_reason) == ("execution reverted", "not enough")


def test_reasons_that_are_none() -> None:
    """Other output, and output that breaks off or points anywhere, has no reason."""
    good = bytes.fromhex("08c379a0") + (32).to_bytes(32) + (3).to_bytes(32) + b"abc"
    assert revert_reason(good) == "abc"
    assert revert_reason(b"") is None
    assert revert_reason(good[:-1]) is None
    assert revert_reason(good[:4] + b"\xff" * 64 + b"abc") is None


def test_failures_and_refusals() -> None:
    """A callee that runs out of gas, and a call that lacks the ether, each say so."""
    parent = contract(
        assemble(
            f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} PUSH 3 CALL "
            f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 99 PUSH {OTHER_WORD} GAS CALL PUSH 0 PUSH 0 PUSH 9 CREATE STOP"
        )
    )
    parent.put(OTHER, code=assemble("PUSH 1 PUSH 1 SSTORE STOP"))
    errors = [inner.error for inner in trace(parent).calls]
    assert errors == ["out of gas", "insufficient balance for transfer", "insufficient balance for transfer"]


def test_logs_belong_to_their_call_and_go_with_it() -> None:
    """A reverted call shows no logs, neither its own nor those of calls below it."""
    parent = contract(
        assemble(
            f"PUSH 0 PUSH 0 LOG0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} GAS CALL "
            "PUSH 5 PUSH 0 PUSH 0 LOG1"
        )
    )
    parent.put(OTHER, code=assemble("PUSH 6 PUSH 0 PUSH 0 LOG1"))
    root = trace(parent)
    assert [len(log.topics) for log in root.logs] == [0, 1]
    assert [log.topics[0][-1] for log in root.calls[0].logs] == [6]
    parent.put(OTHER, code=assemble("PUSH 6 PUSH 0 PUSH 0 LOG1 PUSH 0 PUSH 0 REVERT"))
    root = trace(parent)
    assert len(root.logs) == 2
    assert root.calls[0].logs == ()


def test_creation_and_self_destruction() -> None:
    """A creation shows initcode and deployed code; SELFDESTRUCT shows as the transfer it is."""
    initcode = assemble("PUSH 0x6001600155 PUSH 0 MSTORE PUSH 5 PUSH 27 RETURN")
    word = int.from_bytes(initcode.ljust(32, b"\0"))
    parent = contract(
        assemble(
            f"PUSH {word:#x} PUSH 0 MSTORE PUSH {len(initcode)} PUSH 0 PUSH 2 CREATE POP PUSH {OTHER_WORD} SELFDESTRUCT"
        ),
        balance=9,
    )
    creation, destruction = trace(parent).calls
    assert (creation.kind, creation.value, creation.data) == ("CREATE", 2, initcode)
    assert creation.output.hex() == "6001600155"
    assert (destruction.kind, destruction.to, destruction.value) == ("SELFDESTRUCT", OTHER, 7)
