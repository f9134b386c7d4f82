"""Blocks as JSON objects (execution-apis, ``schemas/block.yaml``); docs/chain.md says what differs in meaning."""

from typing import Any

from alatau.jsonrpc.transactions import Place, transaction_object
from alatau.jsonrpc.values import data, quantity
from alatau.rpc.final_block import FinalBlock
from alatau.types.block import block_size
from alatau.types.header import Header, header_hash


def header_object(header: Header) -> dict[str, Any]:
    """What ``newHeads`` says of a block."""
    return {
        "hash": data(header_hash(header)),
        "number": quantity(header.number),
        "parentHash": data(header.parent_hash),
        "sha3Uncles": data(header.ommers_hash),
        "miner": data(header.beneficiary),
        "stateRoot": data(header.state_root),
        "transactionsRoot": data(header.transactions_root),
        "receiptsRoot": data(header.receipts_root),
        "logsBloom": data(header.logs_bloom),
        "difficulty": quantity(header.difficulty),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "extraData": data(header.extra_data),
        "mixHash": data(header.mix_hash),
        "nonce": data(header.nonce),
        "baseFeePerGas": quantity(header.base_fee_per_gas),
        "withdrawalsRoot": data(header.withdrawals_root),
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.parent_beacon_block_root),
        "requestsHash": data(header.requests_hash),
    }


def block_object(final: FinalBlock, *, full: bool) -> dict[str, Any]:
    """A block with its transactions, or with their hashes."""
    block, header = final.block, final.block.header
    if full:
        transactions: list[Any] = [
            transaction_object(tx, sender, place_in(final, index))
            for index, (tx, sender) in enumerate(zip(block.transactions, final.senders, strict=True))
        ]
    else:
        transactions = [data(tx.hash) for tx in block.transactions]
    return header_object(header) | {
        "size": quantity(block_size(block)),
        "transactions": transactions,
        "uncles": [],
        "withdrawals": [],
    }


def place_in(final: FinalBlock, index: int) -> Place:
    """Where the transaction at an index stands."""
    header = final.block.header
    return Place(final.block.hash, header.number, index, header.base_fee_per_gas, header.timestamp)
