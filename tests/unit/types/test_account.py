import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.codec.rlp import RlpError
from alatau.crypto.keccak import EMPTY_HASH, keccak256
from alatau.types.account import EMPTY_ACCOUNT, Account, decode_account, encode_account
from alatau.types.header import EMPTY_ROOT


def test_the_empty_account() -> None:
    """No nonce, no balance, no storage, no code (EIP-161)."""
    assert Account(0, 0, EMPTY_ROOT, EMPTY_HASH) == EMPTY_ACCOUNT
    expected = "f8448080" + "a0" + EMPTY_ROOT.hex() + "a0" + EMPTY_HASH.hex()
    assert encode_account(EMPTY_ACCOUNT).hex() == expected


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**256 - 1))
def test_round_trip(nonce: int, balance: int) -> None:
    """The trie's leaf reads back."""
    account = Account(nonce, balance, keccak256(b"storage"), keccak256(b"code"))
    assert decode_account(encode_account(account)) == account


@pytest.mark.parametrize("account", [Account(nonce=2**64), Account(balance=2**256), Account(code_hash=bytes(31))])
def test_widths_are_checked(account: Account) -> None:
    """A stored leaf that is wider than its fields is corrupt."""
    with pytest.raises(RlpError):
        decode_account(encode_account(account))
