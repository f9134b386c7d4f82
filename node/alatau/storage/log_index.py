"""Find logs by address and topics, with bounded work.

For each address and each topic the index holds one entry a block: where in the block its logs are. A query
walks the entries of its most telling condition, looks the others up at the same height, and reads receipts only
where all conditions meet. It stops after ``STEPS_MAX`` entries or a full page, and says where to go on.
"""

import heapq
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from alatau.storage import schema
from alatau.storage.database import Database
from alatau.types.receipt import Log, Receipt

STEPS_MAX: Final = 20_000
"""Steps of one query at most, about 50 ms: an index entry walked is one."""
BLOCK_STEPS: Final = 50
"""Steps that reading the receipts of a block counts, and a step more for each log: about 100 us and 2 us."""
PAGE_MAX: Final = 10_000
"""Logs that one query gives at most: about 10 MB of answer."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which logs to give, oldest first; an empty condition holds always."""

    first: int
    """Lowest height."""
    last: int
    """Highest height."""
    addresses: tuple[bytes, ...] = ()
    """Any of them."""
    topics: tuple[tuple[bytes, ...], ...] = ()
    """By position, any of the topics; an empty tuple stands for any topic, or none at all."""
    limit: int = PAGE_MAX
    """Logs wanted at most."""


@dataclass(frozen=True, slots=True, order=True)
class LogCursor:
    """Where a query goes on."""

    height: int
    log_index: int


@dataclass(frozen=True, slots=True)
class FoundLog:
    """A log and its place."""

    log: Log
    height: int
    transaction_index: int
    log_index: int
    """Index in the block, counting through all transactions."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some of the logs asked for."""

    logs: tuple[FoundLog, ...]
    next: LogCursor | None
    """Where to go on; None where the range is done. A page may be empty and not the last."""


def index_records(height: int, receipts: Iterable[Receipt]) -> Iterator[tuple[bytes, bytes]]:
    """The index entries of a block, as (key, value)."""
    positions: dict[bytes, list[int]] = {}
    log_index = 0
    for receipt in receipts:
        for log in receipt.logs:
            positions.setdefault(schema.LOG_ADDRESS + log.address, []).append(log_index)
            for topic in dict.fromkeys(log.topics):
                positions.setdefault(schema.LOG_TOPIC + topic, []).append(log_index)
            log_index += 1
    suffix = schema.height_key(height)
    for prefix, found in positions.items():
        yield prefix + suffix, struct.pack(f">{len(found)}I", *found)


def matches(log: Log, query: LogQuery) -> bool:
    """Whether a log meets the conditions of a query on address and topics."""
    if query.addresses and log.address not in query.addresses:
        return False
    return all(
        not wanted or (position < len(log.topics) and log.topics[position] in wanted)
        for position, wanted in enumerate(query.topics)
    )


def logs_of(height: int, receipts: Iterable[Receipt]) -> Iterator[FoundLog]:
    """All logs of a block with their places."""
    log_index = 0
    for transaction_index, receipt in enumerate(receipts):
        for log in receipt.logs:
            yield FoundLog(log, height, transaction_index, log_index)
            log_index += 1


def candidate_heights(db: Database, query: LogQuery, first: int) -> Iterator[tuple[int, bool]]:
    """Heights from ``first`` on, ascending, each with whether logs there may match.

    Every height where no condition is set; else each at which the most telling condition has an entry.
    """
    groups = _groups(query)
    if not groups:
        yield from ((height, True) for height in range(first, query.last + 1))
        return
    leading, *others = groups
    walks = [_heights(db, prefix, first, query.last) for prefix in leading]
    before = -1
    for height in heapq.merge(*walks):
        if height != before:
            yield height, all(_any_at(db, group, height) for group in others)
        before = height


def _groups(query: LogQuery) -> list[list[bytes]]:
    """The conditions, each as index prefixes of which any may hold; those that usually tell most come first."""
    topics = [[schema.LOG_TOPIC + topic for topic in wanted] for wanted in query.topics if wanted]
    signature = topics[:1] if query.topics and query.topics[0] else []
    arguments = topics[len(signature) :]
    addresses = [[schema.LOG_ADDRESS + address for address in query.addresses]] if query.addresses else []
    return [*arguments, *addresses, *signature]


def _heights(db: Database, prefix: bytes, first: int, last: int) -> Iterator[int]:
    start, stop = prefix + schema.height_key(first), prefix + schema.height_key(last + 1)
    for key in db.keys(start, stop):
        yield int.from_bytes(key[-schema.HEIGHT_SIZE :], "big")


def _any_at(db: Database, group: list[bytes], height: int) -> bool:
    suffix = schema.height_key(height)
    return any(db.get(prefix + suffix) is not None for prefix in group)
