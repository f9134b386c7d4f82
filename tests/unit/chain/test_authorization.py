"""Set-code authorizations, one by one (EIP-7702)."""

from dataclasses import replace

import pytest

from alatau.chain.authorization import apply_authorizations, authority_of
from alatau.crypto.secp256k1 import ORDER, PrivateKey
from alatau.state.block_state import (
    BlockState,
    balance_of,
    begin_transaction,
    code_hash_of,
    code_with_hash,
    end_transaction,
    touch,
)
from alatau.types.transaction import Authorization
from tests.support.transactions import CHAIN_ID, authorization
from tests.support.world import OTHER, MemoryState, block

OWNER = PrivateKey(b"\x03" * 32)


def wish(address: bytes = OTHER, nonce: int = 0, chain_id: int = CHAIN_ID) -> Authorization:
    """The owner's authorization."""
    return authorization(OWNER, address, nonce, chain_id)


def code_after(parent: MemoryState, *authorizations: Authorization) -> tuple[bytes, int]:
    """The owner's code afterwards, and the refund."""
    state = BlockState(parent)
    begin_transaction(state)
    refund = apply_authorizations(block(), state, authorizations)
    return code_with_hash(state, code_hash_of(state, OWNER.address)), refund


@pytest.mark.parametrize("chain_id", [0, 7773])
def test_for_this_chain_or_any(chain_id: int) -> None:
    """Chain 0 means every chain."""
    assert code_after(MemoryState(), wish(chain_id=chain_id)) == (b"\xef\x01\x00" + OTHER, 0)


def test_an_existing_account_gets_a_refund() -> None:
    """The price supposes a new account; half of it comes back where there was one."""
    assert code_after(MemoryState().put(OWNER.address, balance=1), wish())[1] == 12_500


def test_an_empty_account_that_exists_gets_a_refund_too() -> None:
    """EIP-7702 asks whether the authority is in the trie, as the executable specification does, not what it holds."""
    assert code_after(MemoryState().put(OWNER.address), wish()) == (b"\xef\x01\x00" + OTHER, 12_500)


def test_an_empty_account_that_was_removed_gets_none() -> None:
    """What an earlier transaction touched, and so removed (EIP-161), exists no more."""
    state = BlockState(MemoryState().put(OWNER.address))
    begin_transaction(state)
    balance_of(state, OWNER.address)
    touch(state, OWNER.address)
    end_transaction(state)
    begin_transaction(state)
    assert apply_authorizations(block(), state, [wish()]) == 0


@pytest.mark.parametrize(
    "invalid",
    [
        wish(chain_id=1),
        wish(nonce=1),
        replace(wish(), s=ORDER - wish().s, y_parity=1 - wish().y_parity),
        replace(wish(), y_parity=2),
        replace(wish(), r=0),
        replace(wish(), r=2**256),
        replace(wish(), nonce=2**64 - 1),
    ],
)
def test_an_invalid_one_is_passed_over(invalid: Authorization) -> None:
    """Wrong chain, nonce or signature: nothing happens, and the next one counts."""
    assert code_after(MemoryState(), invalid) == (b"", 0)
    assert code_after(MemoryState(), invalid, wish())[0] == b"\xef\x01\x00" + OTHER


def test_a_contract_is_not_overwritten() -> None:
    """An account with other code stays as it is."""
    assert code_after(MemoryState().put(OWNER.address, code=b"\x00"), wish()) == (b"\x00", 0)


def test_a_pointer_can_be_moved_and_taken_back() -> None:
    """The null address clears the code; each authorization takes a nonce."""
    moved = code_after(MemoryState(), wish(), wish(b"\x77" * 20, nonce=1))
    assert moved[0] == b"\xef\x01\x00" + b"\x77" * 20
    assert code_after(MemoryState(), wish(), wish(bytes(20), nonce=1)) == (b"", 12_500)


def test_who_signed() -> None:
    """The authority is recovered from the signature."""
    assert authority_of(wish()) == OWNER.address
    assert authority_of(replace(wish(), s=0)) is None
