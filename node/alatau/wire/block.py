"""Decided blocks, as much of them as a client asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from alatau.pb.api.v1 import block_pb2
from alatau.types.header import (
    EMPTY_OMMERS_HASH,
    EMPTY_REQUESTS_HASH,
    EMPTY_ROOT,
    NONCE,
    Header,
)
from alatau.types.transaction import Transaction
from alatau.types.vote import Commit, CommitSignature
from alatau.wire.amount import read_amount, write_amount
from alatau.wire.receipt import TransactionReceipt, read_receipt
from alatau.wire.transaction import read_transaction


class BlockView(IntEnum):
    """How much of a block. Values as in ``alatau.api.v1.BlockView``."""

    HEADER = 1
    HASHES = 2
    OUTCOMES = 3
    FULL = 4
    RAW = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a transaction, in short."""

    succeeded: bool
    gas_used: int


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Encodings of a block, to verify it."""

    header: bytes
    """RLP of the header."""
    block: bytes
    """RLP of the block."""
    commit: bytes
    """RLP of the commit that decided it; empty for genesis."""


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A decided block. What the view left out is empty."""

    hash: bytes
    header: Header
    transaction_count: int
    transaction_hashes: tuple[bytes, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    receipts: tuple[TransactionReceipt, ...] = ()
    raw: RawBlock | None = None

    @property
    def height(self) -> int:
        """The block's height."""
        return self.header.number


def write_header(header: Header) -> block_pb2.Header:
    """The fields that vary; the others are constants of the chain (docs/chain.md)."""
    return block_pb2.Header(
        parent_hash=header.parent_hash,
        height=header.number,
        timestamp_s=header.timestamp,
        beneficiary=header.beneficiary,
        state_root=header.state_root,
        transactions_root=header.transactions_root,
        receipts_root=header.receipts_root,
        logs_bloom=header.logs_bloom,
        gas_limit=header.gas_limit,
        gas_used=header.gas_used,
        base_fee_per_gas=write_amount(header.base_fee_per_gas),
        validator_set_hash=header.extra_data,
        mix_hash=header.mix_hash,
        last_commit_hash=header.parent_beacon_block_root,
    )


def read_header(message: block_pb2.Header) -> Header:
    """The whole header: hashing it gives the block's hash."""
    return Header(
        parent_hash=message.parent_hash,
        ommers_hash=EMPTY_OMMERS_HASH,
        beneficiary=message.beneficiary,
        state_root=message.state_root,
        transactions_root=message.transactions_root,
        receipts_root=message.receipts_root,
        logs_bloom=message.logs_bloom,
        difficulty=0,
        number=message.height,
        gas_limit=message.gas_limit,
        gas_used=message.gas_used,
        timestamp=message.timestamp_s,
        extra_data=message.validator_set_hash,
        mix_hash=message.mix_hash,
        nonce=NONCE,
        base_fee_per_gas=read_amount(message.base_fee_per_gas),
        withdrawals_root=EMPTY_ROOT,
        blob_gas_used=0,
        excess_blob_gas=0,
        parent_beacon_block_root=message.last_commit_hash,
        requests_hash=EMPTY_REQUESTS_HASH,
    )


def write_outcomes(outcomes: Sequence[Outcome]) -> list[block_pb2.TransactionOutcome]:
    """For the wire."""
    return [block_pb2.TransactionOutcome(succeeded=o.succeeded, gas_used=o.gas_used) for o in outcomes]


def read_block(message: block_pb2.Block) -> BlockRecord:
    """From the wire."""
    raw = message.raw
    return BlockRecord(
        hash=message.hash,
        header=read_header(message.header),
        transaction_count=message.transaction_count,
        transaction_hashes=tuple(message.transaction_hashes),
        outcomes=tuple(Outcome(o.succeeded, o.gas_used) for o in message.outcomes),
        transactions=tuple(read_transaction(tx) for tx in message.transactions),
        receipts=tuple(read_receipt(receipt) for receipt in message.receipts),
        raw=RawBlock(raw.header, raw.block, raw.commit) if message.HasField("raw") else None,
    )


def write_commit(commit: Commit, raw: bytes) -> block_pb2.Commit:
    """For the wire, with ``raw``, its RLP."""
    return block_pb2.Commit(
        height=commit.height,
        round=commit.round,
        block_hash=commit.block_hash,
        signatures=[
            block_pb2.CommitSignature(validator=entry.validator, signature=entry.signature)
            for entry in commit.signatures
        ],
        raw=raw,
    )


def read_commit(message: block_pb2.Commit) -> Commit:
    """From the wire; says nothing about whether it is valid."""
    signatures = tuple(CommitSignature(entry.validator, entry.signature) for entry in message.signatures)
    return Commit(message.height, message.round, message.block_hash, signatures)
