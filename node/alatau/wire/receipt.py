"""Outcomes of final transactions."""

from dataclasses import dataclass

from alatau.pb.api.v1 import transaction_pb2
from alatau.wire.amount import read_amount, write_amount
from alatau.wire.logs import EventLog, read_log, write_log
from alatau.wire.transaction import Position, read_position, write_position


@dataclass(frozen=True, slots=True)
class TransactionReceipt:
    """The outcome of a final transaction, with its place in the chain."""

    transaction_hash: bytes
    position: Position
    type: int
    succeeded: bool
    """False where it reverted or halted."""
    gas_used: int
    """By this transaction."""
    cumulative_gas_used: int
    """In the block, up to and including it."""
    effective_gas_price: int
    """Wei per gas that the sender paid."""
    contract_address: bytes | None
    """The contract that it created."""
    logs: tuple[EventLog, ...]
    sender: bytes
    to: bytes | None
    timestamp: int
    """Of the block, seconds since 1970."""


def write_receipt(receipt: TransactionReceipt) -> transaction_pb2.Receipt:
    """For the wire."""
    return transaction_pb2.Receipt(
        transaction_hash=receipt.transaction_hash,
        position=write_position(receipt.position),
        type=receipt.type,
        succeeded=receipt.succeeded,
        gas_used=receipt.gas_used,
        cumulative_gas_used=receipt.cumulative_gas_used,
        effective_gas_price=write_amount(receipt.effective_gas_price),
        contract_address=receipt.contract_address or b"",
        logs=[write_log(log) for log in receipt.logs],
        sender=receipt.sender,
        to=receipt.to or b"",
        timestamp_s=receipt.timestamp,
    )


def read_receipt(message: transaction_pb2.Receipt) -> TransactionReceipt:
    """From the wire."""
    return TransactionReceipt(
        transaction_hash=message.transaction_hash,
        position=read_position(message.position),
        type=message.type,
        succeeded=message.succeeded,
        gas_used=message.gas_used,
        cumulative_gas_used=message.cumulative_gas_used,
        effective_gas_price=read_amount(message.effective_gas_price),
        contract_address=message.contract_address or None,
        logs=tuple(read_log(log) for log in message.logs),
        sender=message.sender,
        to=message.to or None,
        timestamp=message.timestamp_s,
    )


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """A transaction and its receipt, with the nodes that prove both under a header, and what certifies the header."""

    index: int
    transaction: bytes
    """As the transactions' trie holds it."""
    transaction_nodes: tuple[bytes, ...]
    receipt: bytes
    """As the receipts' trie holds it."""
    receipt_nodes: tuple[bytes, ...]
    header: bytes
    """RLP."""
    commit: bytes
    """RLP."""


def write_receipt_proof(proof: ReceiptProof) -> transaction_pb2.ReceiptProof:
    """For the wire."""
    return transaction_pb2.ReceiptProof(
        index=proof.index,
        transaction=proof.transaction,
        transaction_nodes=proof.transaction_nodes,
        receipt=proof.receipt,
        receipt_nodes=proof.receipt_nodes,
        header=proof.header,
        commit=proof.commit,
    )


def read_receipt_proof(message: transaction_pb2.ReceiptProof) -> ReceiptProof:
    """From the wire; nothing in it is verified yet (``client/light.py`` does)."""
    return ReceiptProof(
        index=message.index,
        transaction=message.transaction,
        transaction_nodes=tuple(message.transaction_nodes),
        receipt=message.receipt,
        receipt_nodes=tuple(message.receipt_nodes),
        header=message.header,
        commit=message.commit,
    )
