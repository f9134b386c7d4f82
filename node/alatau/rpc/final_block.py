"""A decided block with its outcomes, and the messages that clients get of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import trio

from alatau.chain.executed import ExecutedBlock
from alatau.codec import rlp
from alatau.evm.calls import create_address
from alatau.pb.api.v1 import block_pb2, transaction_pb2
from alatau.rpc.failures import failure
from alatau.storage.log_index import FoundLog, logs_of
from alatau.storage.store import Store
from alatau.types.block import Block
from alatau.types.header import Header, encode_header
from alatau.types.receipt import Log, Receipt
from alatau.types.transaction import Transaction
from alatau.types.vote import commit_item
from alatau.wire.block import BlockView, Outcome, write_header, write_outcomes
from alatau.wire.logs import EventLog
from alatau.wire.receipt import TransactionReceipt, write_receipt
from alatau.wire.transaction import Position, write_transaction

ANSWER_BYTES_MAX = 3 * 1024 * 1024 + 512 * 1024
"""A block or receipt larger than this leaves out what can be had otherwise: clients of gRPC take 4 MiB by default. It
happens to blocks of 1.7 MB of call data, which is there twice, or of more than 30,000 logs, on purpose only."""
AHEAD_MAX = 1_000
"""Heights above the tip that are worth waiting for, some minutes: subscriptions may begin there."""
_BLOCK_S = 1.0
"""About when to ask again for the next block."""
_TRANSACTIONS_PER_SLICE = 100
"""Transactions taken apart between two looks at other tasks: about 4 ms."""


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A decided block and what its transactions came to."""

    block: Block
    receipts: tuple[Receipt, ...]
    senders: tuple[bytes, ...]
    messages: dict[BlockView, block_pb2.Block] = field(default_factory=dict, compare=False)
    """Messages made of it, by view: several subscribers share one. At most one for each view."""

    @property
    def height(self) -> int:
        """The block's height."""
        return self.block.header.number


def final_block_of(executed: ExecutedBlock) -> FinalBlock:
    """Keep what the services need, and let go of the rest (diffs and tries are large)."""
    return FinalBlock(executed.block, executed.receipts, executed.senders)


def tip_height(store: Store) -> int:
    """Height of the last decided block.

    Raises:
        RpcError: NODE_SYNCING, where there is not even a genesis.
    """
    if store.tip is None:
        raise failure("NODE_SYNCING", "this node has no blocks yet")
    return store.tip.number


def height_not_reached(height: int, tip: int, what: str = "") -> Exception:
    """The error for a height above the tip, or for ``what`` of it; where it is near, with when to ask again."""
    is_decided = f"{what} of height {height} are" if what else f"height {height} is"
    return failure(
        "HEIGHT_NOT_REACHED",
        f"{is_decided} not decided yet, the tip is {tip}",
        metadata={"height": str(tip)},
        retry_after_s=_BLOCK_S if height - tip <= AHEAD_MAX else None,
    )


def transaction_receipt(final: FinalBlock, index: int) -> TransactionReceipt:
    """The outcome of one transaction."""
    block = final.block
    place = ReceiptPlace(block.header, block.hash, index, sum(len(receipt.logs) for receipt in final.receipts[:index]))
    before = final.receipts[index - 1].cumulative_gas_used if index else 0
    return place_receipt(place, block.transactions[index], final.senders[index], final.receipts[index], before)


def transaction_receipts(final: FinalBlock) -> Iterator[TransactionReceipt]:
    """The outcomes of all transactions, in order."""
    first_log = before = 0
    block = final.block
    for index, receipt in enumerate(final.receipts):
        place = ReceiptPlace(block.header, block.hash, index, first_log)
        yield place_receipt(place, block.transactions[index], final.senders[index], receipt, before)
        first_log += len(receipt.logs)
        before = receipt.cumulative_gas_used


def event_logs(final: FinalBlock) -> Iterator[tuple[Log, EventLog]]:
    """All logs of a block, in order, without and with their place."""
    hashes = [tx.hash for tx in final.block.transactions]
    for found in logs_of(final.height, final.receipts):
        yield found.log, place_log(found, final.block.hash, hashes)


def place_log(found: FoundLog, block_hash: bytes, transaction_hashes: Sequence[bytes]) -> EventLog:
    """A log with the hashes of its block and transaction."""
    log = found.log
    return EventLog(
        log.address,
        log.topics,
        log.data,
        found.height,
        block_hash,
        transaction_hashes[found.transaction_index],
        found.transaction_index,
        found.log_index,
    )


@dataclass(frozen=True, slots=True)
class ReceiptPlace:
    """Where a receipt stands."""

    header: Header
    block_hash: bytes
    index: int
    """Of the transaction in its block."""
    first_log: int
    """Logs of the transactions before it."""


def place_receipt(
    place: ReceiptPlace, tx: Transaction, sender: bytes, receipt: Receipt, gas_before: int
) -> TransactionReceipt:
    """A receipt as clients get it; ``gas_before`` is what the transactions before it used."""
    header, block_hash, index = place.header, place.block_hash, place.index
    return TransactionReceipt(
        transaction_hash=tx.hash,
        position=Position(header.number, block_hash, index),
        type=tx.type,
        succeeded=receipt.succeeded,
        gas_used=receipt.cumulative_gas_used - gas_before,
        cumulative_gas_used=receipt.cumulative_gas_used,
        effective_gas_price=effective_gas_price(tx, header.base_fee_per_gas),
        contract_address=created_contract(tx, sender, receipt),
        logs=tuple(
            EventLog(
                entry.address,
                entry.topics,
                entry.data,
                header.number,
                block_hash,
                tx.hash,
                index,
                place.first_log + offset,
            )
            for offset, entry in enumerate(receipt.logs)
        ),
        sender=sender,
        to=tx.to,
        timestamp=header.timestamp,
    )


def effective_gas_price(tx: Transaction, base_fee_per_gas: int) -> int:
    """Wei per gas that the sender paid (EIP-1559)."""
    return min(tx.max_fee_per_gas, base_fee_per_gas + tx.max_priority_fee_per_gas)


def created_contract(tx: Transaction, sender: bytes, receipt: Receipt) -> bytes | None:
    """Where a transaction put its contract; None where it is no creation, or one that failed and so made none.

    Everything that clients are told of a created contract comes from here.
    """
    return create_address(sender, tx.nonce) if tx.to is None and receipt.succeeded else None


async def block_message(final: FinalBlock, view: BlockView, store: Store) -> block_pb2.Block:
    """The message of a block in a view; ``store`` has its encodings."""
    message = final.messages.get(view)
    if message is not None:
        return message
    block = final.block
    message = block_pb2.Block(
        hash=block.hash, header=write_header(block.header), transaction_count=len(block.transactions)
    )
    if view is BlockView.RAW:
        message.raw.CopyFrom(raw_block(store, final.height))
    elif view is not BlockView.HEADER:
        message.transaction_hashes.extend([tx.hash for tx in block.transactions])
    if view is BlockView.OUTCOMES:
        message.outcomes.extend(write_outcomes(outcomes(final.receipts)))
    elif view is BlockView.FULL:
        for index in add_transactions(message, final):
            if index % _TRANSACTIONS_PER_SLICE == 0:
                await trio.lowlevel.checkpoint()
    final.messages[view] = message
    return message


def add_transactions(message: block_pb2.Block, final: FinalBlock) -> Iterator[int]:
    """Add transactions and receipts, one a step; gives the index of each."""
    for index, receipt in enumerate(transaction_receipts(final)):
        message.transactions.append(write_transaction(final.block.transactions[index], receipt.sender))
        message.receipts.append(write_receipt(receipt))
        yield index
    fit_block(message)


def fit_block(message: block_pb2.Block) -> None:
    """Leave out of a block that is too large what is elsewhere too: first call data, largest first, then logs."""
    size = message.ByteSize()
    for tx in sorted(message.transactions, key=lambda tx: len(tx.data), reverse=True):
        if size <= ANSWER_BYTES_MAX or not tx.data:
            break
        size -= len(tx.data)
        tx.data, tx.data_omitted = b"", True
    for receipt in sorted(message.receipts, key=lambda receipt: receipt.ByteSize(), reverse=True):
        if size <= ANSWER_BYTES_MAX or not receipt.logs:
            break
        size -= receipt.ByteSize()
        omit_logs(receipt)
        size += receipt.ByteSize()


def fit_receipt(message: transaction_pb2.Receipt) -> transaction_pb2.Receipt:
    """The same for a receipt by itself."""
    if message.ByteSize() > ANSWER_BYTES_MAX:
        omit_logs(message)
    return message


def omit_logs(message: transaction_pb2.Receipt) -> None:
    """Leave out a receipt's logs, and say so."""
    message.ClearField("logs")
    message.logs_omitted = True


def raw_block(store: Store, height: int) -> block_pb2.RawBlock:
    """The encodings of a block that the store has."""
    header, block, commit = store.header(height), store.block_bytes(height), store.commit_of(height)
    assert header is not None
    assert block is not None
    return block_pb2.RawBlock(
        header=encode_header(header),
        block=block,
        commit=b"" if commit is None else rlp.encode(commit_item(commit)),
    )


def outcomes(receipts: Iterable[Receipt]) -> list[Outcome]:
    """The outcomes of a block's transactions, in short."""
    found, before = [], 0
    for receipt in receipts:
        found.append(Outcome(receipt.succeeded, receipt.cumulative_gas_used - before))
        before = receipt.cumulative_gas_used
    return found
