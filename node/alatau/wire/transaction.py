"""Transactions taken apart, for clients that do not decode RLP."""

from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from alatau.pb.api.v1 import transaction_pb2
from alatau.types.transaction import Transaction, decode_transaction
from alatau.wire.amount import write_amount


class TransactionState(IntEnum):
    """How far a transaction has come. Values as in ``alatau.api.v1.TransactionState``."""

    POOLED = 1
    FINAL = 2
    REFUSED = 3
    """In a result of a batch only."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a final transaction stands."""

    height: int
    block_hash: bytes
    index: int
    """In the block."""


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """A transaction as a node knows it."""

    transaction: Transaction
    sender: bytes
    state: TransactionState
    position: Position | None
    """None while it is pooled."""


def write_transaction(tx: Transaction, sender: bytes) -> transaction_pb2.Transaction:
    """All fields, and the bytes that were signed."""
    return transaction_pb2.Transaction(
        hash=tx.hash,
        raw=tx.encoded,
        type=tx.type,
        chain_id=tx.chain_id,
        sender=sender,
        nonce=tx.nonce,
        gas_limit=tx.gas_limit,
        max_fee_per_gas=write_amount(tx.max_fee_per_gas),
        max_priority_fee_per_gas=write_amount(tx.max_priority_fee_per_gas),
        to=tx.to or b"",
        value=write_amount(tx.value),
        data=tx.data,
        access_list=[
            transaction_pb2.AccessListEntry(address=address, slots=[slot.to_bytes(32, "big") for slot in slots])
            for address, slots in tx.access_list
        ],
        authorizations=[
            transaction_pb2.Authorization(
                chain_id=write_amount(entry.chain_id),
                address=entry.address,
                nonce=entry.nonce,
                signature=entry.r.to_bytes(32, "big") + entry.s.to_bytes(32, "big") + bytes((entry.y_parity,)),
            )
            for entry in tx.authorizations
        ],
    )


def read_transaction(message: transaction_pb2.Transaction) -> Transaction:
    """The transaction in ``raw``: the other fields follow from it, so they are not believed but derived.

    Raises:
        TransactionError, RlpError: the node sent something else.
    """
    return decode_transaction(message.raw)


def write_state(state: TransactionState | None) -> "transaction_pb2.TransactionState.ValueType":
    """For the wire; None is unspecified."""
    return cast("transaction_pb2.TransactionState.ValueType", 0 if state is None else state.value)


def write_position(position: Position) -> transaction_pb2.TransactionPosition:
    """For the wire."""
    return transaction_pb2.TransactionPosition(
        height=position.height, block_hash=position.block_hash, index=position.index
    )


def read_position(message: transaction_pb2.TransactionPosition) -> Position:
    """From the wire."""
    return Position(message.height, message.block_hash, message.index)
