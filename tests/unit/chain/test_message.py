"""Reads and estimates."""

import pytest

from alatau.chain import message
from alatau.chain.message import CallFailedError, CallRequest, call, estimate_gas
from alatau.chain.transaction import InvalidTransactionError, TransactionResult
from alatau.evm.environment import BlockEnvironment
from alatau.state.parent import ParentState
from tests.support.assembly import RETURN_TOP, assemble
from tests.support.world import CALLER, CONTRACT, OTHER, MemoryState, block, contract

OTHER_WORD = f"0x{OTHER.hex()}"


def test_a_read_changes_nothing() -> None:
    """What a call writes is seen by it alone."""
    parent = contract(assemble("PUSH 1 SLOAD PUSH 1 ADD DUP1 PUSH 1 SSTORE" + RETURN_TOP), slots={1: 41})
    for _ in range(2):
        result = call(block(), parent, CallRequest(sender=CALLER, to=CONTRACT))
        assert int.from_bytes(result.output) == 42
    assert parent.slots[CONTRACT] == {1: 41}


def test_a_read_may_come_from_a_contract_and_costs_nothing() -> None:
    """No balance, no signature, no rule against contracts as senders."""
    parent = contract(assemble("CALLER" + RETURN_TOP)).put(OTHER, code=b"\x00")
    result = call(block(base_fee_per_gas=10**9), parent, CallRequest(sender=OTHER, to=CONTRACT))
    assert result.output[12:] == OTHER


def test_ether_that_is_not_there_cannot_be_sent() -> None:
    """Value has to be covered even in a read."""
    with pytest.raises(InvalidTransactionError) as refusal:
        call(block(), MemoryState(), CallRequest(to=CONTRACT, value=1))
    assert refusal.value.reason == "insufficient_funds"
    assert refusal.value.values == {"balance": 0, "needed": 1}


def test_too_little_gas_is_refused() -> None:
    """A call below its intrinsic gas does not begin."""
    with pytest.raises(InvalidTransactionError) as refusal:
        call(block(), MemoryState(), CallRequest(to=CONTRACT, gas=20_000))
    assert refusal.value.reason == "intrinsic_gas"


def test_a_read_that_creates_gives_the_code() -> None:
    """Without a recipient the data is initcode."""
    initcode = assemble("PUSH 0x6001600155 PUSH 0 MSTORE PUSH 5 PUSH 27 RETURN")
    result = call(block(), contract(b""), CallRequest(sender=CALLER, to=None, data=initcode))
    assert result.output.hex() == "6001600155"
    assert result.contract_address is not None


def test_the_estimate_of_a_transfer() -> None:
    """Exactly the intrinsic gas."""
    assert estimate_gas(block(), contract(b""), CallRequest(sender=CALLER, to=OTHER, value=1)) == 21_000


@pytest.mark.parametrize(
    "code",
    [
        "PUSH 1 PUSH 1 SSTORE STOP",
        "PUSH 0 PUSH 5 SSTORE STOP",
        f"PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH 0 PUSH {OTHER_WORD} GAS CALL ISZERO PUSH @no JUMPI STOP :no INVALID",
        "PUSH 60000 GAS LT PUSH @no JUMPI STOP :no PUSH 0 PUSH 0 REVERT",
    ],
)
def test_an_estimate_is_the_least_that_works(code: str) -> None:
    """One gas less fails: with refunds, with the 64th held back, with contracts that look at their gas."""
    parent = contract(assemble(code), slots={5: 1})
    parent.put(OTHER, code=assemble("PUSH 60 :l PUSH 1 SWAP1 SUB DUP1 DUP1 SSTORE DUP1 PUSH @l JUMPI STOP"))
    request = CallRequest(sender=CALLER, to=CONTRACT)
    estimate = estimate_gas(block(), parent, request)
    assert call(block(), parent, CallRequest(sender=CALLER, to=CONTRACT, gas=estimate)).succeeded
    assert not call(block(), parent, CallRequest(sender=CALLER, to=CONTRACT, gas=estimate - 1)).succeeded


def test_a_contract_that_burns_what_it_gets_costs_a_few_executions(monkeypatch: pytest.MonkeyPatch) -> None:
    """And has an estimate that suffices, close to the least."""
    burns = contract(bytes.fromhex("5b6103e85a115f5700"))  # while GAS > 1000
    spent = []

    def counted(block: BlockEnvironment, parent: ParentState, request: CallRequest) -> TransactionResult:
        result = call(block, parent, request)
        spent.append(result.gas_used)
        return result

    monkeypatch.setattr(message, "call", counted)
    most = 1_000_000
    estimate = estimate_gas(block(), burns, CallRequest(sender=CALLER, to=CONTRACT, gas=most))
    assert sum(spent) <= (message.ESTIMATE_TRIALS_MAX + 1) * most
    assert most * 15 // 16 <= estimate <= most
    assert call(block(), burns, CallRequest(sender=CALLER, to=CONTRACT, gas=estimate)).succeeded


def test_a_call_that_cannot_succeed_has_no_estimate() -> None:
    """The error carries the contract's reason."""
    parent = contract(assemble("PUSH 0xbad PUSH 0 MSTORE PUSH 32 PUSH 0 REVERT"))
    with pytest.raises(CallFailedError) as failure:
        estimate_gas(block(), parent, CallRequest(sender=CALLER, to=CONTRACT))
    assert int.from_bytes(failure.value.result.output) == 0xBAD
