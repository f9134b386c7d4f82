"""A decided block with its outcomes, and the messages that clients get of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import trio

from alatau.chain.executed import ExecutedBlock
from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import block_pb2
from alatau.rpc.failures import failure
from alatau.storage.store import Store
from alatau.types.block import Block, encode_block
from alatau.types.header import encode_header
from alatau.types.receipt import Log, Receipt
from alatau.types.transaction import Transaction, recover_sender
from alatau.types.vote import commit_item
from alatau.wire.block import BlockView, Outcome, write_header, write_outcomes
from alatau.wire.logs import EventLog
from alatau.wire.receipt import TransactionReceipt, write_receipt
from alatau.wire.transaction import Position, write_transaction

_TRANSACTIONS_PER_SLICE = 100
"""Transactions taken apart between two looks at other tasks: about 4 ms."""


@dataclass(frozen=True, slots=True)
class FinalBlock:
    """A decided block and what its transactions came to."""

    block: Block
    receipts: tuple[Receipt, ...]
    senders: tuple[bytes, ...] | None
    """None where the block came from the store: senders are then recovered where they are asked for."""
    messages: dict[BlockView, block_pb2.Block] = field(default_factory=dict, compare=False)
    """Messages made of it, by view: several subscribers share one. At most one for each view."""

    @property
    def height(self) -> int:
        """The block's height."""
        return self.block.header.number

    def sender(self, index: int) -> bytes:
        """Sender of a transaction."""
        return recover_sender(self.block.transactions[index]) if self.senders is None else self.senders[index]


def final_block_of(executed: ExecutedBlock) -> FinalBlock:
    """Keep what the services need, and let go of the rest (diffs and tries are large)."""
    return FinalBlock(executed.block, executed.receipts, executed.senders)


def load_final_block(store: Store, height: int) -> FinalBlock:
    """Read a block from the store, which has it. Takes about 15 us for each transaction; for any thread."""
    block = store.block(height)
    assert block is not None, f"the store has block {height}"
    return FinalBlock(block, store.receipts(height), None)


def tip_height(store: Store) -> int:
    """Height of the last decided block.

    Raises:
        RpcError: NODE_SYNCING, where there is not even a genesis.
    """
    if store.tip is None:
        raise failure("NODE_SYNCING", "this node has no blocks yet")
    return store.tip.number


def height_not_reached(height: int, tip: int) -> Exception:
    """The error for a height above the tip."""
    return failure(
        "HEIGHT_NOT_REACHED",
        f"height {height} is not decided yet, the tip is {tip}",
        metadata={"height": str(tip)},
    )


def transaction_receipt(final: FinalBlock, index: int) -> TransactionReceipt:
    """The outcome of one transaction."""
    first_log = sum(len(receipt.logs) for receipt in final.receipts[:index])
    return _receipt(final, index, first_log)


def transaction_receipts(final: FinalBlock) -> Iterator[TransactionReceipt]:
    """The outcomes of all transactions, in order."""
    first_log = 0
    for index, receipt in enumerate(final.receipts):
        yield _receipt(final, index, first_log)
        first_log += len(receipt.logs)


def event_logs(final: FinalBlock) -> Iterator[tuple[Log, EventLog]]:
    """All logs of a block, in order, without and with their place."""
    log_index = 0
    for index, receipt in enumerate(final.receipts):
        for entry in receipt.logs:
            yield (
                entry,
                EventLog(
                    entry.address,
                    entry.topics,
                    entry.data,
                    final.height,
                    final.block.hash,
                    final.block.transactions[index].hash,
                    index,
                    log_index,
                ),
            )
            log_index += 1


def _receipt(final: FinalBlock, index: int, first_log: int) -> TransactionReceipt:
    tx, receipt, header = final.block.transactions[index], final.receipts[index], final.block.header
    position = Position(header.number, final.block.hash, index)
    before = final.receipts[index - 1].cumulative_gas_used if index else 0
    sender = final.sender(index)
    return TransactionReceipt(
        transaction_hash=tx.hash,
        position=position,
        type=tx.type,
        succeeded=receipt.succeeded,
        gas_used=receipt.cumulative_gas_used - before,
        cumulative_gas_used=receipt.cumulative_gas_used,
        effective_gas_price=effective_gas_price(tx, header.base_fee_per_gas),
        contract_address=created_address(sender, tx.nonce) if tx.to is None else None,
        logs=tuple(
            EventLog(
                entry.address,
                entry.topics,
                entry.data,
                header.number,
                final.block.hash,
                tx.hash,
                index,
                first_log + offset,
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


def created_address(sender: bytes, nonce: int) -> bytes:
    """Where a transaction that creates a contract puts it (Yellow Paper, eq. 90)."""
    return keccak256(rlp.encode((sender, nonce)))[12:]


async def block_message(final: FinalBlock, view: BlockView, store: Store) -> block_pb2.Block:
    """The message of a block in a view; ``store`` has its commit."""
    message = final.messages.get(view)
    if message is None:
        message = final.messages[view] = await _block_message(final, view, store)
    return message


async def _block_message(final: FinalBlock, view: BlockView, store: Store) -> block_pb2.Block:
    block = final.block
    message = block_pb2.Block(
        hash=block.hash, header=write_header(block.header), transaction_count=len(block.transactions)
    )
    match view:
        case BlockView.HEADER:
            return message
        case BlockView.RAW:
            commit = store.commit_of(final.height)
            message.raw.header = encode_header(block.header)
            message.raw.block = encode_block(block)
            message.raw.commit = b"" if commit is None else rlp.encode(commit_item(commit))
            return message
        case _:
            message.transaction_hashes.extend([tx.hash for tx in block.transactions])
    match view:
        case BlockView.OUTCOMES:
            message.outcomes.extend(write_outcomes(list(_outcomes(final))))
        case BlockView.FULL:
            await _add_all(message, final)
    return message


async def _add_all(message: block_pb2.Block, final: FinalBlock) -> None:
    """Add transactions and receipts, a slice at a time."""
    if final.senders is None:
        transactions = final.block.transactions
        senders = await trio.to_thread.run_sync(lambda: tuple(map(recover_sender, transactions)))
        final = replace(final, senders=senders)
    for index, receipt in enumerate(transaction_receipts(final)):
        message.transactions.append(write_transaction(final.block.transactions[index], receipt.sender))
        message.receipts.append(write_receipt(receipt))
        if index % _TRANSACTIONS_PER_SLICE == 0:
            await trio.lowlevel.checkpoint()


def _outcomes(final: FinalBlock) -> Iterator[Outcome]:
    before = 0
    for receipt in final.receipts:
        yield Outcome(receipt.succeeded, receipt.cumulative_gas_used - before)
        before = receipt.cumulative_gas_used
