"""CALL, CREATE and their kin: frames within frames."""

import sys

import pytest

from alatau.evm.bounds import CALL_DEPTH_MAX
from alatau.evm.calls import create2_address, create_address, delegate_of
from alatau.evm.frame import Runtime
from alatau.evm.message import RECURSION_LIMIT
from alatau.evm.runtime import new_runtime, translating_runtime
from alatau.types.account import Account
from alatau.types.chain_config import Fork
from tests.support.assembly import RETURN_TOP, assemble
from tests.support.world import CALLER, CONTRACT, OTHER, MemoryState, contract, run

OTHER_WORD = f"0x{OTHER.hex()}"
RUNTIMES = pytest.mark.parametrize("runtime", [new_runtime(Fork.OSAKA), translating_runtime(Fork.OSAKA)])
DEEP = assemble(
    "PUSH 0 SLOAD PUSH 1 ADD PUSH 0 SSTORE "
    "PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 ADDRESS GAS CALL PUSH 1 SLOAD PUSH @end JUMPI "
    "PUSH 1 PUSH 1 SSTORE DUP1 PUSH 2 SSTORE :end STOP"
)
"""Counts itself in slot 0 and calls itself until it cannot; the deepest leaves its result in slot 2."""


def number(output: bytes) -> int:
    """A returned word."""
    return int.from_bytes(output)


@RUNTIMES
def test_calls_nest_1024_deep_and_no_deeper(runtime: Runtime) -> None:
    """The frame at depth 1,024 runs, its own call fails and costs nothing, and Python's stack holds."""
    sys.setrecursionlimit(1_000)
    outcome, state = run(contract(DEEP), gas=10**13, runtime=runtime)
    assert outcome.succeeded
    assert sys.getrecursionlimit() == RECURSION_LIMIT
    assert state.storage(CONTRACT, 0) == CALL_DEPTH_MAX + 1
    assert state.storage(CONTRACT, 2) == 0


@RUNTIMES
def test_a_caller_keeps_a_64th(runtime: Runtime) -> None:
    """However much gas is asked for, 63/64 of what is left is passed on (EIP-150)."""
    parent = contract(
        assemble(f"PUSH 32 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} GAS CALL PUSH 0 MLOAD" + RETURN_TOP)
    )
    parent.put(OTHER, code=assemble("GAS" + RETURN_TOP))
    outcome, _ = run(parent, gas=100_000, runtime=runtime)
    # 5 PUSHes of the shortest form, PUSH20, GAS, memory of a word, cold account.
    left = 100_000 - (3 + 4 * 2 + 3 + 2 + 3 + 2_600)
    assert number(outcome.output) == left - left // 64 - 2


@RUNTIMES
def test_the_stipend_is_a_gift(runtime: Runtime) -> None:
    """A call with value gives its callee 2,300 gas more than the caller pays."""
    parent = contract(
        assemble(f"PUSH 32 PUSH 0 PUSH 0 PUSH 0 PUSH 1 PUSH {OTHER_WORD} PUSH 0 CALL PUSH 0 MLOAD" + RETURN_TOP),
        balance=5,
    )
    parent.put(OTHER, code=assemble("GAS" + RETURN_TOP))
    outcome, state = run(parent, runtime=runtime)
    assert number(outcome.output) == 2_298
    assert state.balances[OTHER] == 1


@RUNTIMES
def test_a_call_without_the_ether_fails_and_costs_little(runtime: Runtime) -> None:
    """The callee does not run, its gas comes back, the return data is empty."""
    parent = contract(
        assemble(f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 9 PUSH {OTHER_WORD} GAS CALL RETURNDATASIZE ADD" + RETURN_TOP)
    )
    parent.put(OTHER, code=assemble("INVALID"))
    outcome, _ = run(parent, runtime=runtime)
    assert outcome.succeeded
    assert number(outcome.output) == 0
    assert outcome.gas_left > 10_000_000 - 40_000


@RUNTIMES
def test_a_revert_undoes_storage_logs_refunds_and_warmth(runtime: Runtime) -> None:
    """After a reverted call the state is as before it, and what it warmed is cold again."""
    call = f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} PUSH 60000 CALL POP "
    measure = "GAS PUSH 0 MSTORE " + call + "GAS PUSH 0 MLOAD SUB PUSH 0 MSTORE "
    code = call + measure + "PUSH 32 PUSH 0 RETURN"
    parent = contract(assemble(code))
    parent.put(
        OTHER,
        code=assemble("PUSH 0 PUSH 3 SSTORE PUSH 0 PUSH 0 LOG0 PUSH 9 PUSH 1 TSTORE PUSH 0 PUSH 0 REVERT"),
        slots={3: 7},
    )
    outcome, state = run(parent, runtime=runtime)
    assert outcome.succeeded
    assert (state.logs, state.refund, state.storage(OTHER, 3)) == ([], 0, 7)
    assert state.transient.get(OTHER, {}) == {}
    # Cold slot again: 2,100 + 2,900 of the SSTORE are in the second call's cost.
    assert 5_000 < number(outcome.output) < 6_200


@RUNTIMES
def test_a_failure_spends_the_callee_s_gas_only(runtime: Runtime) -> None:
    """INVALID in a callee with 10,000 gas costs these 10,000, and the caller goes on."""
    parent = contract(assemble(f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} PUSH 10000 CALL" + RETURN_TOP))
    parent.put(OTHER, code=b"\xfe")
    outcome, _ = run(parent, runtime=runtime)
    assert number(outcome.output) == 0
    assert 12_600 < 10_000_000 - outcome.gas_left < 12_700


@RUNTIMES
@pytest.mark.parametrize(
    "forbidden",
    [
        "PUSH 1 PUSH 1 SSTORE",
        "PUSH 1 PUSH 1 TSTORE",
        "PUSH 0 PUSH 0 LOG0",
        "PUSH 0 PUSH 0 PUSH 0 CREATE",
        "PUSH 0 PUSH 0 PUSH 0 PUSH 0 CREATE2",
        "PUSH 0 SELFDESTRUCT",
        "PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 1 PUSH 0 GAS CALL",
    ],
)
def test_a_static_call_changes_nothing(runtime: Runtime, forbidden: str) -> None:
    """Every change of state fails within a STATICCALL (EIP-214), also one further down."""
    parent = contract(assemble(f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} PUSH 90000 STATICCALL" + RETURN_TOP))
    parent.put(OTHER, code=assemble(forbidden + " STOP"), balance=5)
    outcome, state = run(parent, runtime=runtime)
    assert number(outcome.output) == 0
    assert state.diff().storage == {}


@RUNTIMES
def test_delegatecall_keeps_caller_value_and_storage(runtime: Runtime) -> None:
    """The code of another account runs as if it were the caller's own."""
    parent = contract(assemble(f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} GAS DELEGATECALL STOP"), balance=0)
    parent.put(OTHER, code=assemble("CALLER PUSH 1 SSTORE CALLVALUE PUSH 2 SSTORE ADDRESS PUSH 3 SSTORE STOP"))
    _, state = run(parent, value=77, runtime=runtime)
    stored = [state.storage(CONTRACT, slot) for slot in (1, 2, 3)]
    assert stored == [number(CALLER), 77, number(CONTRACT)]


@RUNTIMES
def test_a_delegated_account_runs_its_delegate_s_code(runtime: Runtime) -> None:
    """A call to an account that points elsewhere (EIP-7702) runs that code there; its own code stays the pointer."""
    parent = contract(
        assemble(
            f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} GAS CALL POP PUSH {OTHER_WORD} EXTCODESIZE"
            + RETURN_TOP
        )
    )
    delegate = b"\xde" * 20
    parent.put(OTHER, code=b"\xef\x01\x00" + delegate).put(delegate, code=assemble("ADDRESS PUSH 1 SSTORE STOP"))
    outcome, state = run(parent, runtime=runtime)
    assert state.storage(OTHER, 1) == number(OTHER)
    assert number(outcome.output) == 23


def test_what_is_a_designation() -> None:
    """Only 23 bytes that begin with 0xef0100."""
    assert delegate_of(b"\xef\x01\x00" + OTHER) == OTHER
    assert delegate_of(b"\xef\x01\x00" + OTHER + b"\0") is None
    assert delegate_of(b"") is None


@RUNTIMES
def test_a_large_input_is_lent(runtime: Runtime) -> None:
    """A callee reads a large input as it was, and the caller's memory can grow afterwards."""
    parent = contract(
        assemble(
            f"PUSH 0xabcdef PUSH 8000 MSTORE PUSH 32 PUSH 0 PUSH 9000 PUSH 0 PUSH 0 PUSH {OTHER_WORD} GAS CALL "
            "PUSH 1 PUSH 20000 MSTORE PUSH 0 MLOAD" + RETURN_TOP
        )
    )
    parent.put(
        OTHER,
        code=assemble(
            "CALLDATASIZE PUSH 0 PUSH 0 CALLDATACOPY PUSH 8000 CALLDATALOAD PUSH 8000 MLOAD EQ CALLDATASIZE MUL"
            + RETURN_TOP
        ),
    )
    for code in (None, b"\xfe"):
        if code is not None:
            parent.put(OTHER, code=code)
        outcome, _ = run(parent, runtime=runtime)
        assert outcome.succeeded
        assert number(outcome.output) == (9_000 if code is None else 0)


RETURN_CODE = "PUSH 0x6001600155 PUSH 0 MSTORE PUSH 5 PUSH 27 RETURN"
"""Initcode that deploys ``PUSH1 1 PUSH1 1 SSTORE``."""


def creator(initcode: str, kind: str = "CREATE") -> MemoryState:
    """A contract that creates with ``initcode`` and returns the new address."""
    code = assemble(initcode)
    salt = "PUSH 5 " if kind == "CREATE2" else ""
    text = (
        f"PUSH {int.from_bytes(code.ljust(32, bytes(1))):#x} PUSH 0 MSTORE {salt}PUSH {len(code)} PUSH 0 PUSH 0 {kind}"
    )
    return contract(assemble(text + RETURN_TOP), nonce=9)


@RUNTIMES
def test_create_and_create2_addresses(runtime: Runtime) -> None:
    """The new account is where sender and nonce, or sender, salt and initcode put it, with nonce 1."""
    outcome, state = run(creator(RETURN_CODE), runtime=runtime)
    address = create_address(CONTRACT, 9)
    assert number(outcome.output) == number(address)
    assert state.nonces[address] == 1
    assert state.code(state.code_hashes[address]).hex() == "6001600155"
    assert state.nonces[CONTRACT] == 10
    outcome, _ = run(creator(RETURN_CODE, "CREATE2"), runtime=runtime)
    assert number(outcome.output) == number(create2_address(CONTRACT, 5, assemble(RETURN_CODE)))


def test_published_create2_address() -> None:
    """The example of EIP-1014 with zeros."""
    assert create2_address(bytes(20), 0, b"\0").hex() == "4d1a2e2bb4f88f0250f26ffff098b0b30b26bf38"


@RUNTIMES
@pytest.mark.parametrize("taken", [Account(nonce=1), Account(code_hash=b"\1" * 32), Account(storage_root=b"\2" * 32)])
def test_nothing_is_created_over_an_account(runtime: Runtime, taken: Account) -> None:
    """A nonce, code or storage at the address makes a creation fail with all its gas (EIP-684, EIP-7610)."""
    parent = creator(RETURN_CODE)
    address = create_address(CONTRACT, 9)
    parent.accounts[address] = taken
    parent.codes[taken.code_hash] = b"\x01" if taken.code_hash == b"\1" * 32 else b""
    outcome, state = run(parent, gas=200_000, runtime=runtime)
    assert number(outcome.output) == 0
    assert outcome.gas_left < 4_000
    assert state.nonces[CONTRACT] == 10


@RUNTIMES
@pytest.mark.parametrize(
    "initcode", ["PUSH 0xef PUSH 0 MSTORE8 PUSH 1 PUSH 0 RETURN", "PUSH 24577 PUSH 0 RETURN", "INVALID"]
)
def test_bad_code_is_not_deployed(runtime: Runtime, initcode: str) -> None:
    """Code that begins with 0xEF or is longer than 24,576 bytes fails the creation (EIP-3541, EIP-170)."""
    outcome, state = run(creator(initcode), runtime=runtime)
    assert number(outcome.output) == 0
    assert create_address(CONTRACT, 9) not in state.diff().accounts


@RUNTIMES
def test_a_contract_created_and_destroyed_leaves_nothing(runtime: Runtime) -> None:
    """SELFDESTRUCT in the transaction of the creation removes account and storage (EIP-6780)."""
    parent = creator("PUSH 1 PUSH 1 SSTORE CALLER SELFDESTRUCT")
    outcome, state = run(parent, runtime=runtime)
    address = create_address(CONTRACT, 9)
    assert number(outcome.output) == number(address)
    assert address not in state.diff().accounts
    assert address not in state.diff().storage


@RUNTIMES
def test_an_older_contract_only_sends_its_balance(runtime: Runtime) -> None:
    """SELFDESTRUCT of an account that existed before pays out and leaves code and storage."""
    parent = contract(assemble(f"PUSH {OTHER_WORD} SELFDESTRUCT"), balance=50, slots={1: 2})
    _, state = run(parent, runtime=runtime)
    assert (state.balances[CONTRACT], state.balances[OTHER]) == (0, 50)
    assert state.code_hashes[CONTRACT] == parent.accounts[CONTRACT].code_hash
    assert state.storage(CONTRACT, 1) == 2


@RUNTIMES
def test_precompiles(runtime: Runtime) -> None:
    """A precompile's failure spends the gas sent; its output is return data like any other."""
    identity = "PUSH 0xabc PUSH 0 MSTORE PUSH 32 PUSH 64 PUSH 32 PUSH 0 PUSH 4 GAS STATICCALL POP PUSH 64 MLOAD"
    outcome, _ = run(contract(assemble(identity + RETURN_TOP)), runtime=runtime)
    assert number(outcome.output) == 0xABC
    off_curve = "PUSH 1 PUSH 0 MSTORE PUSH 64 PUSH 64 PUSH 64 PUSH 0 PUSH 6 PUSH 5000 STATICCALL"
    outcome, _ = run(contract(assemble(off_curve + RETURN_TOP)), runtime=runtime)
    assert number(outcome.output) == 0
    # Cold here: it is a transaction that warms the precompiles.
    assert 7_600 < 10_000_000 - outcome.gas_left < 7_700
