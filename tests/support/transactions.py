"""Transactions and authorizations that are rightly signed, and one as the pool sees it."""

from typing import Any, Final

from alatau.crypto.keccak import keccak256
from alatau.crypto.secp256k1 import PrivateKey
from alatau.types.transaction import (
    Authorization,
    Transaction,
    TransactionType,
    UnsignedTransaction,
    authorization_digest,
    sign_transaction,
)

CHAIN_ID: Final = 7773
"""Of every network in tests that does not say otherwise."""


def signed(key: PrivateKey, *, to: bytes | None, **fields: Any) -> Transaction:
    """The first transaction of ``key``: 1 wei for ``to`` with the gas of a plain transfer, unless ``fields`` differ."""
    terms: dict[str, Any] = {"chain_id": CHAIN_ID, "nonce": 0, "gas_limit": 21_000, "value": 1}
    return sign_transaction(UnsignedTransaction(**terms | {"to": to} | fields), key.sign)


def authorization(key: PrivateKey, address: bytes, nonce: int = 0, chain_id: int = CHAIN_ID) -> Authorization:
    """The signed wish of ``key`` that its account run the code of ``address`` (EIP-7702)."""
    signature = key.sign(authorization_digest(chain_id, address, nonce))
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    return Authorization(chain_id, address, nonce, signature[64], r, s)


def checked_transfer(
    nonce: int, *, tip: int = 0, cap: int | None = None, salt: int = 0, value: int = 0, size: int = 110
) -> Transaction:
    """A transaction as the pool sees it: decoded, its signature already checked elsewhere."""
    encoded = keccak256(repr((nonce, tip, cap, salt, value)).encode()).ljust(size, b"\0")
    return Transaction(
        type=TransactionType.FEE_MARKET,
        chain_id=CHAIN_ID,
        nonce=nonce,
        max_priority_fee_per_gas=tip,
        max_fee_per_gas=tip if cap is None else cap,
        gas_limit=21_000,
        to=b"\x02" * 20,
        value=value,
        data=b"",
        access_list=(),
        authorizations=(),
        max_fee_per_blob_gas=0,
        blob_versioned_hashes=(),
        y_parity=0,
        r=1,
        s=1,
        encoded=encoded,
        hash=keccak256(encoded),
    )
