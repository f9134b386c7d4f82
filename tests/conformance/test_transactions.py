"""TransactionTests of ethereum/tests: reading a transaction, and what can be checked without a chain.

The files end with Cancun (some with Paris). The rules since then add one check that they do not know, the
floor price of data (EIP-7623); where it makes a difference the test says so.
"""

from typing import Any

import pytest

from alatau.chain.transaction import InvalidTransactionError, intrinsic_gas, validate_transaction
from alatau.crypto.keccak import EMPTY_HASH
from alatau.evm.environment import BlockEnvironment
from alatau.state.block_state import BlockState
from alatau.types.account import Account
from alatau.types.chain_config import Fork
from alatau.types.transaction import TransactionError, decode_transaction, recover_sender
from tests.conformance.published import documents

_LATEST_FIRST = ("Cancun", "Shanghai", "Paris", "London")

_FOLDER = "ethereum_tests/TransactionTests/"

_TESTS: dict[str, Any] = {
    f"{path.removeprefix(_FOLDER)}:{name}": test
    for path, tests in documents("ethereum_tests", _FOLDER)
    for name, test in tests.items()
}

_BLOCK = BlockEnvironment(
    fork=Fork.PRAGUE,
    chain_id=1,
    number=1,
    timestamp=1,
    beneficiary=bytes(20),
    gas_limit=2**64 - 1,
    base_fee_per_gas=0,
    prev_randao=bytes(32),
    block_hash=lambda _number: bytes(32),
)


class _Rich:
    """A parent state whose sender owns the value and all that an account can besides, at the nonce that it uses."""

    def __init__(self, nonce: int, value: int) -> None:
        self._account = Account(nonce=nonce, balance=2**256 - 1 + value)

    def account(self, _address: bytes) -> Account:
        return self._account

    def storage(self, _address: bytes, _slot: int) -> int:
        return 0

    def code(self, code_hash: bytes) -> bytes:
        assert code_hash == EMPTY_HASH
        return b""


def _accepted(data: bytes) -> tuple[bytes, bytes, int] | str:
    """Hash, sender and intrinsic gas, or why the transaction is refused."""
    try:
        tx = decode_transaction(data)
        sender = recover_sender(tx)
        gas, _ = validate_transaction(_BLOCK, BlockState(_Rich(tx.nonce, tx.value)), tx, sender)
    except (TransactionError, InvalidTransactionError) as error:
        return str(error)
    return tx.hash, sender, gas


@pytest.mark.parametrize("name", _TESTS)
def test_transaction(name: str) -> None:
    """Valid ones have the published hash, sender and intrinsic gas; the others are refused."""
    test = _TESTS[name]
    expected = next(test["result"][fork] for fork in _LATEST_FIRST if fork in test["result"])
    data = bytes.fromhex(test["txbytes"].removeprefix("0x"))
    result = _accepted(data)
    if "exception" in expected:
        assert isinstance(result, str), f"accepted, but {expected['exception']}"
        return
    tx = decode_transaction(data)
    if tx.gas_limit < intrinsic_gas(tx.to, tx.data, tx.access_list)[1]:
        assert isinstance(result, str)
        assert "below the" in result
        assert recover_sender(tx).hex() == expected["sender"].removeprefix("0x")
        return
    assert not isinstance(result, str), f"refused: {result}"
    assert result[0].hex() == expected["hash"].removeprefix("0x")
    assert result[1].hex() == expected["sender"].removeprefix("0x")
    assert result[2] == int(expected["intrinsicGas"], 16)


def test_all_files_are_read() -> None:
    """210 tests in 14 folders."""
    assert len(_TESTS) == 210
    assert len({name.split("/")[0] for name in _TESTS}) == 14
