"""A payment as residents make them: a transfer of the settlement token, signed."""

from typing import Final

from alatau.artifacts import addresses
from alatau.crypto.eip712 import word
from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.transaction import Transaction, UnsignedTransaction, sign_transaction

_TRANSFER: Final = keccak256(b"transfer(address,uint256)")[:4]
_GAS_LIMIT: Final = 100_000
"""A transfer to a holder costs about 40,000."""


def transfer_call(payee: bytes, amount: int) -> bytes:
    """Call data of the settlement token's ``transfer``; ``amount`` in its smallest unit."""
    return _TRANSFER + bytes(12) + payee + word(amount)


def token_payment(
    key: PrivateKey, payee: bytes, amount: int, *, chain_id: int, nonce: int, gas_limit: int = _GAS_LIMIT
) -> Transaction:
    """``amount`` (smallest units) of the settlement token from ``key`` to the address ``payee``."""
    unsigned = UnsignedTransaction(
        chain_id=chain_id,
        nonce=nonce,
        gas_limit=gas_limit,
        to=addresses.SETTLEMENT_TOKEN,
        data=transfer_call(payee, amount),
    )
    return sign_transaction(unsigned, key.sign)
