"""Blocks of the store as clients get them: from their bytes, decoding only what an answer needs.

For any thread: everything here follows from one height's records, never from where the tip is. A block of a thousand
transactions takes some milliseconds.
"""

from collections.abc import Iterator, Sequence

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.pb.api.v1 import block_pb2, log_pb2, transaction_pb2
from alatau.rpc.final_block import (
    FinalBlock,
    ReceiptPlace,
    add_transactions,
    fit_receipt,
    outcomes,
    place_log,
    place_receipt,
    raw_block,
)
from alatau.storage.log_index import FoundLog, LogQuery, logs_of, matches
from alatau.storage.store import Store
from alatau.trie.ordered import prove_item
from alatau.types.header import Header, encode_header, header_hash
from alatau.types.receipt import encode_receipt
from alatau.types.transaction import Transaction, decode_transaction, recover_sender
from alatau.types.vote import commit_item
from alatau.wire.block import BlockView, write_header, write_outcomes
from alatau.wire.logs import EventLog, write_log
from alatau.wire.receipt import ReceiptProof, TransactionReceipt, write_receipt, write_receipt_proof


def stored_message(store: Store, height: int, view: BlockView) -> block_pb2.Block:
    """The message of a block in a view."""
    transactions = _transactions(store, height)
    header = _header(store, height)
    message = block_pb2.Block(
        hash=header_hash(header), header=write_header(header), transaction_count=len(transactions)
    )
    if view is BlockView.RAW:
        message.raw.CopyFrom(raw_block(store, height))
    elif view is not BlockView.HEADER:
        message.transaction_hashes.extend(map(keccak256, transactions))
    if view is BlockView.OUTCOMES:
        message.outcomes.extend(write_outcomes(outcomes(store.receipts(height))))
    elif view is BlockView.FULL:
        for _ in add_transactions(message, stored_final_block(store, height)):
            pass
    return message


def stored_transaction(store: Store, height: int, index: int) -> Transaction:
    """One transaction of a block."""
    return decode_transaction(_transactions(store, height)[index])


def stored_receipt(store: Store, height: int, index: int) -> transaction_pb2.Receipt:
    """The message of the outcome of one transaction."""
    return fit_receipt(write_receipt(stored_outcome(store, height, index)))


def stored_outcome(store: Store, height: int, index: int) -> TransactionReceipt:
    """The outcome of one transaction."""
    tx = stored_transaction(store, height, index)
    receipts = store.receipts(height)[: index + 1]
    header = _header(store, height)
    place = ReceiptPlace(header, header_hash(header), index, sum(len(before.logs) for before in receipts[:-1]))
    gas_before = receipts[-2].cumulative_gas_used if index else 0
    return place_receipt(place, tx, recover_sender(tx), receipts[-1], gas_before)


def stored_receipt_proof(store: Store, height: int, index: int) -> transaction_pb2.ReceiptProof:
    """Proof of one transaction and of its outcome, with the header and the commit that certify it."""
    transactions = _transactions(store, height)
    receipts = [encode_receipt(receipt) for receipt in store.receipts(height)]
    commit = store.commit_of(height)
    assert commit is not None, "a block with transactions was decided"
    return write_receipt_proof(
        ReceiptProof(
            index=index,
            transaction=transactions[index],
            transaction_nodes=prove_item(transactions, index),
            receipt=receipts[index],
            receipt_nodes=prove_item(receipts, index),
            header=encode_header(_header(store, height)),
            commit=rlp.encode(commit_item(commit)),
        )
    )


def stored_logs(store: Store, height: int, query: LogQuery) -> list[log_pb2.Log]:
    """The logs of a block that match."""
    found = [entry for entry in logs_of(height, store.receipts(height)) if matches(entry.log, query)]
    return log_messages(store, found)


def log_messages(store: Store, found: Sequence[FoundLog]) -> list[log_pb2.Log]:
    """Messages of logs of any blocks, in their order."""
    return [write_log(log) for log, _ in placed_logs(store, found)]


def placed_logs(store: Store, found: Sequence[FoundLog]) -> Iterator[tuple[EventLog, int]]:
    """Logs of any blocks with their place, and the timestamp of the block."""
    timestamp = 0
    height, block_hash, hashes = -1, b"", []
    for entry in found:
        if entry.height != height:
            header = _header(store, entry.height)
            height, block_hash, timestamp = entry.height, header_hash(header), header.timestamp
            hashes = [keccak256(encoded) for encoded in _transactions(store, height)]
        yield place_log(entry, block_hash, hashes), timestamp


def _transactions(store: Store, height: int) -> list[bytes]:
    """The encoded transactions of a block."""
    encoded = store.block_bytes(height)
    assert encoded is not None, f"the store has block {height}"
    return [rlp.to_bytes(item) for item in rlp.to_list(rlp.decode_list(encoded)[1])]


def _header(store: Store, height: int) -> Header:
    header = store.header(height)
    assert header is not None, f"the store has block {height}"
    return header


def stored_final_block(store: Store, height: int) -> FinalBlock:
    """A block with its outcomes and senders."""
    block = store.block(height)
    assert block is not None, f"the store has block {height}"
    return FinalBlock(block, store.receipts(height), tuple(map(recover_sender, block.transactions)))
