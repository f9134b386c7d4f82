"""The state before, and the difference."""

from alatau.evm.calls import create_address
from alatau.evm.tracing.prestate_tracer import AccountSnapshot, PrestateTracer
from alatau.state.block_state import BlockState
from tests.support.assembly import assemble
from tests.support.world import CALLER, CONTRACT, OTHER, MemoryState, call, contract

THIRD = b"\x03" * 20


def traced(parent: MemoryState, value: int = 0) -> PrestateTracer:
    """A call to ``CONTRACT`` under a prestate tracer."""
    state = BlockState(parent)
    tracer = PrestateTracer(state, (CALLER, CONTRACT))
    call(state, parent, value=value, tracer=tracer)
    return tracer


def test_accounts_and_slots_as_they_were() -> None:
    """What was read and what was written is there, with its value before the transaction."""
    code = assemble(
        f"PUSH 1 SLOAD POP PUSH 9 PUSH 2 SSTORE PUSH 8 PUSH 2 SSTORE PUSH 0x{OTHER.hex()} BALANCE "
        f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 4 PUSH 0x{THIRD.hex()} GAS CALL STOP"
    )
    parent = contract(code, balance=5, slots={1: 7, 2: 3, 4: 4}).put(OTHER, balance=11).put(THIRD, balance=1)
    before = traced(parent, value=6).existing()
    assert before[CONTRACT] == AccountSnapshot(5, 1, code, {1: 7, 2: 3})
    assert before[OTHER].balance == 11
    assert before[THIRD].balance == 1
    assert before[CALLER].balance == 10**18


def test_only_what_changed_is_in_the_difference() -> None:
    """Accounts that were only read are in neither side; of slots only the changed ones are."""
    code = assemble(f"PUSH 1 SLOAD POP PUSH 0 PUSH 2 SSTORE PUSH 0x{OTHER.hex()} BALANCE STOP")
    before, after = traced(contract(code, slots={1: 7, 2: 3}).put(OTHER, balance=11), value=1).changes()
    assert set(before) == set(after) == {CALLER, CONTRACT}
    assert before[CONTRACT].storage == {2: 3}
    assert after[CONTRACT].storage == {2: 0}
    assert after[CONTRACT].balance == 1


def test_a_created_account_is_only_after() -> None:
    """A new contract has no state before."""
    code = assemble("PUSH 0 PUSH 0 PUSH 0 CREATE STOP")
    before, after = traced(contract(code, nonce=3)).changes()
    created = create_address(CONTRACT, 3)
    assert created not in before
    assert after[created] == AccountSnapshot(0, 1, b"")


def test_a_delegate_counts() -> None:
    """An account that points to a contract shows that contract too."""
    parent = contract(assemble(f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0x{OTHER.hex()} GAS STATICCALL STOP"))
    parent.put(OTHER, code=b"\xef\x01\x00" + THIRD).put(THIRD, code=b"\x00")
    assert traced(parent).before[THIRD].code == b"\x00"
