"""Logs with their place in the chain, and filters of them."""

from dataclasses import dataclass

from alatau.pb.api.v1 import log_pb2


@dataclass(frozen=True, slots=True)
class EventLog:
    """What a contract emitted, and where."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    height: int
    block_hash: bytes
    transaction_hash: bytes
    transaction_index: int
    log_index: int
    """Index in the block, counting through all transactions."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which logs to give; an empty condition holds always."""

    addresses: tuple[bytes, ...] = ()
    """Any of them."""
    topics: tuple[tuple[bytes, ...], ...] = ()
    """By position, any of the topics; an empty tuple stands for any topic."""


def write_log(log: EventLog) -> log_pb2.Log:
    """For the wire."""
    return log_pb2.Log(
        address=log.address,
        topics=log.topics,
        data=log.data,
        height=log.height,
        block_hash=log.block_hash,
        transaction_hash=log.transaction_hash,
        transaction_index=log.transaction_index,
        log_index=log.log_index,
    )


def read_log(message: log_pb2.Log) -> EventLog:
    """From the wire."""
    return EventLog(
        message.address,
        tuple(message.topics),
        message.data,
        message.height,
        message.block_hash,
        message.transaction_hash,
        message.transaction_index,
        message.log_index,
    )


def write_filter(wanted: EventFilter) -> log_pb2.LogFilter:
    """For the wire."""
    topics = [log_pb2.TopicCondition(any_of=any_of) for any_of in wanted.topics]
    return log_pb2.LogFilter(addresses=wanted.addresses, topics=topics)
