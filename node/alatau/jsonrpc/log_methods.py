"""``eth_getLogs``: logs of a range of blocks, or of one named by its hash."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from alatau.jsonrpc.asked import Asked, Encoded
from alatau.jsonrpc.block_id import LATEST, BlockId, height_of, read_block_number
from alatau.jsonrpc.envelope import encode
from alatau.jsonrpc.errors import LIMIT_EXCEEDED, JsonRpcError, invalid_params
from alatau.jsonrpc.receipts import log_object
from alatau.jsonrpc.values import field, quantity, read_address, read_hash, read_list, read_object
from alatau.rpc.access import caller_of
from alatau.rpc.final_block import tip_height
from alatau.rpc.requests import FILTER_VALUES_MAX, TOPICS_MAX
from alatau.rpc.services import Parts
from alatau.rpc.state_worker import Piece
from alatau.rpc.stored_block import placed_logs
from alatau.storage.log_index import FoundLog, LogCursor, LogQuery
from alatau.storage.store import Store

LOGS_MAX: Final = 10_000
"""Logs of one answer: about 6 MB of JSON."""
PAGES_MAX: Final = 4
"""Pages of the index that one answer may take: each is a bounded walk, a tenth of a second at most."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs."""

    addresses: tuple[bytes, ...]
    topics: tuple[tuple[bytes, ...], ...]
    """By position, any of them; none for any topic."""
    first: BlockId
    last: BlockId
    block_hash: bytes | None

    def query(self, first: int, last: int) -> LogQuery:
        """The same as the index is asked."""
        return LogQuery(first, last, self.addresses, self.topics, LOGS_MAX)


def read_filter(value: Any) -> LogFilter:
    """A filter object; topics may be null, one, or a list of which one has to be there."""
    document = read_object(value)
    block_hash = field(document, "blockHash", read_hash)
    first, last = (field(document, name, read_block_number) for name in ("fromBlock", "toBlock"))
    if block_hash is not None and (first is not None or last is not None):
        raise invalid_params("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other")
    return LogFilter(_addresses(document), _topics(document), first or LATEST, last or LATEST, block_hash)


def _addresses(document: Mapping[str, Any]) -> tuple[bytes, ...]:
    value = document.get("address")
    if value is None:
        return ()
    values = read_list(value, FILTER_VALUES_MAX) if isinstance(value, list) else [value]
    return tuple(map(read_address, values))


def _topics(document: Mapping[str, Any]) -> tuple[tuple[bytes, ...], ...]:
    return field(document, "topics", lambda value: tuple(map(_position, read_list(value, TOPICS_MAX)))) or ()


def _position(value: Any) -> tuple[bytes, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        return (read_hash(value),)
    if None in value:  # any topic is one of them
        return ()
    return tuple(map(read_hash, read_list(value, FILTER_VALUES_MAX)))


class LogMethods:
    """Logs of what is decided."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node
        self._worker = parts.worker

    async def get_logs(self, asked: Asked) -> Any:
        """The logs that match, oldest first."""
        asked.most(1)
        wanted = asked.at(0, read_filter)
        first, last = self.range_of(wanted)
        return await self.between(asked, wanted, first, last)

    def range_of(self, wanted: LogFilter) -> tuple[int, int]:
        """The heights that a filter names; raises ``JsonRpcError`` for a range that is none."""
        store = self._node.store
        if wanted.block_hash is not None:
            height = height_of(store, BlockId(hash=wanted.block_hash))
            return height, height
        tip = tip_height(store)
        first = tip if wanted.first.height is None else wanted.first.height
        last = tip if wanted.last.height is None else wanted.last.height
        if first > last:
            raise invalid_params(f"invalid block range params: fromBlock {first} is above toBlock {last}")
        return first, min(last, tip)

    async def between(self, asked: Asked, wanted: LogFilter, first: int, last: int) -> Any:
        """The logs of a range of heights.

        Raises:
            JsonRpcError: LIMIT_EXCEEDED, with a smaller range that works.
        """
        if first > last:
            return []
        caller = caller_of(asked.call)
        piece = Piece(caller, ("eth_getLogs", caller))
        query = wanted.query(first, last)
        return await self._worker.run(piece, lambda: _answer(self._node.store, query))


def _answer(store: Store, query: LogQuery) -> Encoded:
    """In the thread: all logs of the range, as JSON."""
    found: list[FoundLog] = []
    cursor: LogCursor | None = None
    is_block = query.first == query.last  # always answered: a block's gas bounds it, to some 30,000 logs
    pages = 0
    while is_block or (pages < PAGES_MAX and len(found) <= LOGS_MAX):
        page = store.logs(query, cursor)
        found += page.logs
        cursor = page.next
        pages += 1
        if cursor is None and (is_block or len(found) <= LOGS_MAX):
            return Encoded(encode([log_object(log, timestamp) for log, timestamp in placed_logs(store, found)]))
    raise _too_many(query, found, cursor)


def _too_many(query: LogQuery, found: list[FoundLog], cursor: LogCursor | None) -> JsonRpcError:
    """The error that names the part of the range that was walked whole, or its first block."""
    reached = found[LOGS_MAX].height if len(found) > LOGS_MAX else query.last
    if cursor is not None:
        reached = min(reached, cursor.height)
    last = max(query.first, min(reached, query.last) - 1)
    text = (
        f"query exceeds what one answer holds ({LOGS_MAX} logs, and a bounded walk): "
        f"try with this block range [{quantity(query.first)}, {quantity(last)}]"
    )
    return JsonRpcError(LIMIT_EXCEEDED, text, {"from": quantity(query.first), "to": quantity(last), "limit": LOGS_MAX})
