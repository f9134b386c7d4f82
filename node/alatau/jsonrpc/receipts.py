"""Receipts and logs as JSON objects (execution-apis, ``schemas/receipt.yaml``)."""

from typing import Any

from alatau.jsonrpc.values import data, optional_data, quantity
from alatau.types.receipt import Log, logs_bloom
from alatau.wire.logs import EventLog
from alatau.wire.receipt import TransactionReceipt


def receipt_object(receipt: TransactionReceipt) -> dict[str, Any]:
    """The outcome of a final transaction."""
    position = receipt.position
    return {
        "transactionHash": data(receipt.transaction_hash),
        "transactionIndex": quantity(position.index),
        "blockHash": data(position.block_hash),
        "blockNumber": quantity(position.height),
        "from": data(receipt.sender),
        "to": optional_data(receipt.to),
        "cumulativeGasUsed": quantity(receipt.cumulative_gas_used),
        "gasUsed": quantity(receipt.gas_used),
        "effectiveGasPrice": quantity(receipt.effective_gas_price),
        "contractAddress": optional_data(receipt.contract_address),
        "logs": [log_object(log, receipt.timestamp) for log in receipt.logs],
        "logsBloom": data(logs_bloom(Log(log.address, log.topics, log.data) for log in receipt.logs)),
        "status": quantity(receipt.succeeded),
        "type": quantity(receipt.type),
    }


def log_object(log: EventLog, timestamp: int) -> dict[str, Any]:
    """A log with its place; nothing final is ever removed."""
    return {
        "address": data(log.address),
        "topics": [data(topic) for topic in log.topics],
        "data": data(log.data),
        "blockNumber": quantity(log.height),
        "blockHash": data(log.block_hash),
        "blockTimestamp": quantity(timestamp),
        "transactionHash": data(log.transaction_hash),
        "transactionIndex": quantity(log.transaction_index),
        "logIndex": quantity(log.log_index),
        "removed": False,
    }
