"""What a transaction needs to be included, and what including it does."""

from dataclasses import replace

import pytest

from alatau.chain.transaction import InvalidTransactionError, apply_transaction, intrinsic_gas, validate_transaction
from alatau.crypto.secp256k1 import PrivateKey
from alatau.evm.calls import create_address
from alatau.state.block_state import BlockState
from alatau.types.chain_config import Fork
from alatau.types.transaction import (
    Transaction,
    TransactionType,
)
from tests.support.assembly import assemble
from tests.support.transactions import authorization, signed
from tests.support.world import BENEFICIARY, CONTRACT, OTHER, MemoryState, block

RESIDENT = PrivateKey(b"\x01" * 32)
GUARDIAN = PrivateKey(b"\x02" * 32)
ETHER = 10**18


def sent(**changes: object) -> Transaction:
    """A transaction of the resident: 1 wei for somebody, with gas for more, unless ``changes`` differ."""
    return signed(RESIDENT, **{"gas_limit": 100_000, "to": OTHER} | changes)


def parent(balance: int = ETHER, nonce: int = 0) -> MemoryState:
    """A state in which the resident has some ether."""
    return MemoryState().put(RESIDENT.address, balance=balance, nonce=nonce)


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("wrong_chain", {"chain_id": 1}),
        ("gas_limit_above_block", {"gas_limit": 60_000_001}),
        ("gas_limit_above_cap", {"gas_limit": 16_777_217}),
        ("tip_above_fee_cap", {"max_fee_per_gas": 20, "max_priority_fee_per_gas": 21}),
        ("fee_cap_below_base_fee", {"max_fee_per_gas": 9}),
        ("initcode_too_large", {"to": None, "data": bytes(49_153), "gas_limit": 3_000_000}),
        ("intrinsic_gas", {"gas_limit": 20_999}),
        ("intrinsic_gas", {"data": b"\1" * 1_000, "gas_limit": 60_999}),
        ("nonce_too_low", {"nonce": 4}),
        ("nonce_too_high", {"nonce": 6}),
        ("insufficient_funds", {"value": ETHER}),
        ("no_authorizations", {"type": TransactionType.SET_CODE}),
        ("no_blobs", {"type": TransactionType.BLOB}),
        ("too_many_blobs", {"type": TransactionType.BLOB, "blob_versioned_hashes": (b"\1" * 32,) * 7}),
        ("blob_version", {"type": TransactionType.BLOB, "blob_versioned_hashes": (b"\2" * 32,)}),
        ("blob_fee_cap_below_base_fee", {"type": TransactionType.BLOB, "blob_versioned_hashes": (b"\1" * 32,)}),
    ],
)
def test_refusals(reason: str, fields: dict[str, object]) -> None:
    """Each rule has its stable reason, and a refused transaction changes nothing."""
    state = BlockState(parent(nonce=5))
    tx = sent(**{"nonce": 5, "max_fee_per_gas": 10, **fields})
    with pytest.raises(InvalidTransactionError) as refusal:
        apply_transaction(block(base_fee_per_gas=10), state, tx, RESIDENT.address)
    assert refusal.value.reason == reason
    assert state.diff().accounts == {}


@pytest.mark.parametrize("kind", TransactionType)
@pytest.mark.parametrize("chain_id", [0, 1, 7774])
def test_no_chain_id_but_the_own(kind: TransactionType, chain_id: int) -> None:
    """A transaction that names a chain is for that one, in every type; 0 is no wildcard (EIP-2930, EIP-1559)."""
    with pytest.raises(InvalidTransactionError) as refusal:
        validate_transaction(block(), BlockState(parent()), sent(type=kind, chain_id=chain_id), RESIDENT.address)
    assert refusal.value.reason == "wrong_chain"


def test_prague_has_no_cap_per_transaction() -> None:
    """EIP-7825 is Osaka's."""
    tx = sent(gas_limit=16_777_217)
    validate_transaction(block(Fork.PRAGUE), BlockState(parent()), tx, RESIDENT.address)


def test_contracts_do_not_sign_but_delegated_accounts_do() -> None:
    """EIP-3607 with EIP-7702's exception."""
    state = parent().put(RESIDENT.address, balance=ETHER, code=b"\x00")
    with pytest.raises(InvalidTransactionError) as refusal:
        validate_transaction(block(), BlockState(state), sent(), RESIDENT.address)
    assert refusal.value.reason == "sender_has_code"
    state = parent().put(RESIDENT.address, balance=ETHER, code=b"\xef\x01\x00" + OTHER)
    validate_transaction(block(), BlockState(state), sent(), RESIDENT.address)


def test_the_last_nonce_is_never_used() -> None:
    """An account at nonce 2**64 - 2 sends its last transaction (EIP-2681)."""
    last = 2**64 - 2
    tx = sent(nonce=last)
    state = BlockState(parent(nonce=last))
    assert apply_transaction(block(), state, tx, RESIDENT.address).succeeded
    assert state.nonces[RESIDENT.address] == 2**64 - 1
    with pytest.raises(InvalidTransactionError) as refusal:
        apply_transaction(block(), state, replace(tx, nonce=2**64 - 1), RESIDENT.address)
    assert refusal.value.reason == "nonce_at_maximum"


def test_intrinsic_gas() -> None:
    """21,000; 4 or 16 a byte; 32,000 and 2 a word for creations; access lists; authorizations; and the floor."""
    assert intrinsic_gas(OTHER, b"") == (21_000, 21_000)
    assert intrinsic_gas(OTHER, b"\0\1") == (21_020, 21_050)
    assert intrinsic_gas(None, bytes(33)) == (21_000 + 33 * 4 + 32_000 + 4, 21_330)
    assert intrinsic_gas(OTHER, b"", ((OTHER, (1, 2)),), 2)[0] == 21_000 + 2_400 + 2 * 1_900 + 50_000


def test_fees_go_where_they_belong() -> None:
    """The sender pays price times gas, the tip goes to the beneficiary, the base fee to nobody."""
    state = BlockState(parent())
    tx = sent(max_fee_per_gas=50, max_priority_fee_per_gas=7)
    result = apply_transaction(block(base_fee_per_gas=10), state, tx, RESIDENT.address)
    assert result.gas_used == 21_000
    assert state.balances[RESIDENT.address] == ETHER - 1 - 21_000 * 17
    assert state.balances[BENEFICIARY] == 21_000 * 7
    assert state.balances[OTHER] == 1


def test_a_network_without_fees() -> None:
    """At a base fee of 0 and prices of 0 nobody pays, and the beneficiary does not come to exist."""
    state = BlockState(parent(balance=1))
    assert apply_transaction(block(), state, sent(), RESIDENT.address).succeeded
    assert state.account(BENEFICIARY) is None
    account = state.account(RESIDENT.address)
    assert account is not None
    assert (account.balance, account.nonce) == (0, 1)


def test_refunds_are_capped_at_a_fifth() -> None:
    """EIP-3529: clearing many slots gives back at most a fifth of the gas used."""
    state = parent().put(
        CONTRACT,
        nonce=1,
        code=assemble("".join(f"PUSH 0 PUSH {n} SSTORE " for n in range(20))),
        slots=dict.fromkeys(range(20), 1),
    )
    result = apply_transaction(
        block(), BlockState(state), sent(to=CONTRACT, value=0, gas_limit=300_000), RESIDENT.address
    )
    before = 21_000 + 20 * (2 + 3 + 5_000) - 1
    assert result.gas_used == before - before // 5


def test_calldata_has_a_floor() -> None:
    """A transaction with much data and little work pays 10 a token (EIP-7623)."""
    result = apply_transaction(block(), BlockState(parent()), sent(data=b"\1" * 1_000), RESIDENT.address)
    assert result.gas_used == 21_000 + 40 * 1_000


def test_a_reverted_transaction_pays_and_keeps_its_reason() -> None:
    """Nonce and fee hold; value, logs and storage do not."""
    code = assemble("PUSH 1 PUSH 1 SSTORE PUSH 0 PUSH 0 LOG0 PUSH 0xbad PUSH 0 MSTORE PUSH 32 PUSH 0 REVERT")
    state = BlockState(parent().put(CONTRACT, nonce=1, code=code))
    tx = sent(to=CONTRACT, max_fee_per_gas=1)
    result = apply_transaction(block(base_fee_per_gas=1), state, tx, RESIDENT.address)
    assert (result.succeeded, result.reverted, result.logs) == (False, True, ())
    assert int.from_bytes(result.output) == 0xBAD
    assert state.nonces[RESIDENT.address] == 1
    assert state.balances[RESIDENT.address] == ETHER - result.gas_used
    assert state.diff().storage == {}


def test_a_creation() -> None:
    """The contract is where sender and nonce put it; the result names it."""
    initcode = assemble("PUSH 0x6001600155 PUSH 0 MSTORE PUSH 5 PUSH 27 RETURN")
    state = BlockState(parent())
    result = apply_transaction(block(), state, sent(to=None, data=initcode, value=3), RESIDENT.address)
    address = create_address(RESIDENT.address, 0)
    assert result.contract_address == address
    assert state.balances[address] == 3
    assert state.diff().codes == {state.code_hashes[address]: bytes.fromhex("6001600155")}


def test_a_creation_that_fails_names_no_contract() -> None:
    """The nonce is used all the same."""
    state = BlockState(parent())
    result = apply_transaction(block(), state, sent(to=None, data=b"\xfe", value=3), RESIDENT.address)
    assert (result.succeeded, result.contract_address, result.gas_used) == (False, None, 100_000)
    assert state.nonces[RESIDENT.address] == 1


def test_what_is_warm_from_the_start() -> None:
    """Sender, recipient, beneficiary, precompiles and the access list cost 100 to look at, others 2,600."""

    def cost(address: bytes, **fields: object) -> int:
        code = assemble(f"PUSH 0x{address.hex()} BALANCE STOP")
        state = BlockState(parent().put(CONTRACT, nonce=1, code=code))
        tx = sent(to=CONTRACT, value=0, **fields)
        gas = intrinsic_gas(tx.to, tx.data, tx.access_list)[0] + 3
        return apply_transaction(block(), state, tx, RESIDENT.address).gas_used - gas

    assert cost(OTHER) == 2_600
    assert [cost(address) for address in (RESIDENT.address, CONTRACT, BENEFICIARY)] == [100, 100, 100]
    assert [cost((n).to_bytes(20) if n > 255 else b"\0" * 19 + bytes((n,))) for n in (1, 0x11, 0x100)] == [100] * 3
    assert cost(OTHER, access_list=((OTHER, ()),)) == 100


def test_an_access_list_warms_slots() -> None:
    """A listed slot costs 100 to read, and keeps its original value for refunds."""
    state = parent().put(CONTRACT, nonce=1, code=assemble("PUSH 5 SLOAD STOP"), slots={5: 1})
    tx = sent(to=CONTRACT, value=0, access_list=((CONTRACT, (5,)),))
    result = apply_transaction(block(), BlockState(state), tx, RESIDENT.address)
    assert result.gas_used == 21_000 + 2_400 + 1_900 + 3 + 100


def test_set_code() -> None:
    """A guardian lets an account run a contract's code, and the sender calls it at once (EIP-7702)."""
    state = parent().put(CONTRACT, nonce=1, code=assemble("ADDRESS PUSH 1 SSTORE STOP"))
    block_state = BlockState(state)
    tx = sent(
        type=TransactionType.SET_CODE,
        to=GUARDIAN.address,
        value=0,
        authorizations=(authorization(GUARDIAN, CONTRACT),),
        gas_limit=200_000,
    )
    result = apply_transaction(block(), block_state, tx, RESIDENT.address)
    assert result.succeeded
    assert block_state.storage(GUARDIAN.address, 1) == int.from_bytes(GUARDIAN.address)
    assert block_state.nonces[GUARDIAN.address] == 1
    assert block_state.code(block_state.code_hashes[GUARDIAN.address]) == b"\xef\x01\x00" + CONTRACT


def test_delegating_to_a_precompile_runs_nothing() -> None:
    """A pointer to a precompile's address has no code behind it."""
    tx = sent(
        type=TransactionType.SET_CODE,
        to=GUARDIAN.address,
        value=0,
        data=b"abc",
        authorizations=(authorization(GUARDIAN, (4).to_bytes(20)),),
    )
    result = apply_transaction(block(), BlockState(parent()), tx, RESIDENT.address)
    assert (result.succeeded, result.output) == (True, b"")
