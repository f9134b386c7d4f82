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
from alatau.types.transaction import Authorization, authorization_digest
from tests.unit.evm.world import OTHER, MemoryState, block

OWNER = PrivateKey(b"\x03" * 32)


def signed(address: bytes = OTHER, nonce: int = 0, chain_id: int = 7773) -> Authorization:
    """The owner's authorization."""
    signature = OWNER.sign(authorization_digest(chain_id, address, nonce))
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    return Authorization(chain_id, address, nonce, signature[64], r, s)


def code_after(parent: MemoryState, *authorizations: Authorization) -> tuple[bytes, int]:
    """The owner's code afterwards, and the refund."""
    state = BlockState(parent)
    begin_transaction(state)
    refund = apply_authorizations(block(), state, authorizations)
    return code_with_hash(state, code_hash_of(state, OWNER.address)), refund


@pytest.mark.parametrize("chain_id", [0, 7773])
def test_for_this_chain_or_any(chain_id: int) -> None:
    """Chain 0 means every chain."""
    assert code_after(MemoryState(), signed(chain_id=chain_id)) == (b"\xef\x01\x00" + OTHER, 0)


def test_an_existing_account_gets_a_refund() -> None:
    """The price supposes a new account; half of it comes back where there was one."""
    assert code_after(MemoryState().put(OWNER.address, balance=1), signed())[1] == 12_500


def test_an_empty_account_that_exists_gets_a_refund_too() -> None:
    """EIP-7702 asks whether the authority is in the trie, as the executable specification does, not what it holds."""
    assert code_after(MemoryState().put(OWNER.address), signed()) == (b"\xef\x01\x00" + OTHER, 12_500)


def test_an_empty_account_that_was_removed_gets_none() -> None:
    """What an earlier transaction touched, and so removed (EIP-161), exists no more."""
    state = BlockState(MemoryState().put(OWNER.address))
    begin_transaction(state)
    balance_of(state, OWNER.address)
    touch(state, OWNER.address)
    end_transaction(state)
    begin_transaction(state)
    assert apply_authorizations(block(), state, [signed()]) == 0


@pytest.mark.parametrize(
    "invalid",
    [
        signed(chain_id=1),
        signed(nonce=1),
        replace(signed(), s=ORDER - signed().s, y_parity=1 - signed().y_parity),
        replace(signed(), y_parity=2),
        replace(signed(), r=0),
        replace(signed(), r=2**256),
        replace(signed(), nonce=2**64 - 1),
    ],
)
def test_an_invalid_one_is_passed_over(invalid: Authorization) -> None:
    """Wrong chain, nonce or signature: nothing happens, and the next one counts."""
    assert code_after(MemoryState(), invalid) == (b"", 0)
    assert code_after(MemoryState(), invalid, signed())[0] == b"\xef\x01\x00" + OTHER


def test_a_contract_is_not_overwritten() -> None:
    """An account with other code stays as it is."""
    assert code_after(MemoryState().put(OWNER.address, code=b"\x00"), signed()) == (b"\x00", 0)


def test_a_pointer_can_be_moved_and_taken_back() -> None:
    """The null address clears the code; each authorization takes a nonce."""
    moved = code_after(MemoryState(), signed(), signed(b"\x77" * 20, nonce=1))
    assert moved[0] == b"\xef\x01\x00" + b"\x77" * 20
    assert code_after(MemoryState(), signed(), signed(bytes(20), nonce=1)) == (b"", 12_500)


def test_who_signed() -> None:
    """The authority is recovered from the signature."""
    assert authority_of(signed()) == OWNER.address
    assert authority_of(replace(signed(), s=0)) is None
