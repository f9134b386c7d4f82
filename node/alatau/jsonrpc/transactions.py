"""Transactions as JSON objects (execution-apis, ``schemas/transaction.yaml``)."""

from dataclasses import dataclass
from typing import Any

from alatau.jsonrpc.values import data, optional_data, quantity, word
from alatau.rpc.final_block import effective_gas_price
from alatau.types.transaction import AccessList, Authorization, Transaction, TransactionType


@dataclass(frozen=True, slots=True)
class Place:
    """Where a final transaction stands."""

    block_hash: bytes
    height: int
    index: int
    base_fee_per_gas: int
    timestamp: int


def transaction_object(tx: Transaction, sender: bytes, place: Place | None) -> dict[str, Any]:
    """A transaction; what waits has no place, and its gas price is the most that it pays."""
    gas_price = tx.max_fee_per_gas if place is None else effective_gas_price(tx, place.base_fee_per_gas)
    body: dict[str, Any] = {
        "blockHash": None if place is None else data(place.block_hash),
        "blockNumber": None if place is None else quantity(place.height),
        "blockTimestamp": None if place is None else quantity(place.timestamp),
        "transactionIndex": None if place is None else quantity(place.index),
        "hash": data(tx.hash),
        "type": quantity(tx.type),
        "from": data(sender),
        "to": optional_data(tx.to),
        "nonce": quantity(tx.nonce),
        "gas": quantity(tx.gas_limit),
        "gasPrice": quantity(gas_price),
        "value": quantity(tx.value),
        "input": data(tx.data),
        "r": quantity(tx.r),
        "s": quantity(tx.s),
    }
    if tx.chain_id is not None:
        body["chainId"] = quantity(tx.chain_id)
    if tx.type is TransactionType.LEGACY:
        body["v"] = quantity(tx.y_parity + (27 if tx.chain_id is None else 35 + 2 * tx.chain_id))
        return body
    body["v"] = body["yParity"] = quantity(tx.y_parity)
    body["accessList"] = access_list_object(tx.access_list)
    if tx.type in (TransactionType.FEE_MARKET, TransactionType.BLOB, TransactionType.SET_CODE):
        body["maxFeePerGas"] = quantity(tx.max_fee_per_gas)
        body["maxPriorityFeePerGas"] = quantity(tx.max_priority_fee_per_gas)
    if tx.type is TransactionType.SET_CODE:
        body["authorizationList"] = [_authorization_object(one) for one in tx.authorizations]
    return body


def access_list_object(access_list: AccessList) -> list[dict[str, Any]]:
    """Accounts and slots of EIP-2930."""
    return [{"address": data(address), "storageKeys": [word(slot) for slot in slots]} for address, slots in access_list]


def _authorization_object(one: Authorization) -> dict[str, Any]:
    return {
        "chainId": quantity(one.chain_id),
        "address": data(one.address),
        "nonce": quantity(one.nonce),
        "yParity": quantity(one.y_parity),
        "r": quantity(one.r),
        "s": quantity(one.s),
    }
