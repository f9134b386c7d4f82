"""Filters that are polled: what is new since the last time. They belong to whoever made them, and expire."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import trio

from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.errors import LIMIT_EXCEEDED, SERVER_ERROR, JsonRpcError
from alatau.jsonrpc.log_methods import LogFilter, LogMethods, read_filter
from alatau.jsonrpc.values import data, new_name
from alatau.rpc.access import caller_of
from alatau.rpc.final_block import tip_height
from alatau.rpc.services import Parts

EXPIRES_S: Final = 300.0
"""Without a poll a filter is gone, as in geth."""
FILTERS_MAX: Final = 4_096
"""Of all callers; each is some hundred bytes."""
FILTERS_EACH_MAX: Final = 64
"""Of one caller: another then loses nothing."""
_BLOCKS_MAX: Final = 1_000
"""Blocks that one poll goes on by; the next one goes on from there."""
_HASHES_MAX: Final = 10_000


@dataclass(slots=True)
class _Filter:
    """What was asked for, and how far it was told."""

    caller: Hashable
    polled_at: float
    logs: LogFilter | None
    """None for blocks and transactions that wait."""
    is_pool: bool = False
    next: int = 0
    """The first height that was not told, or the number of the last admission that was."""


class FilterMethods:
    """The filters of a node."""

    def __init__(self, parts: Parts, logs: LogMethods) -> None:
        self._node = parts.node
        self._logs = logs
        self._filters: OrderedDict[str, _Filter] = OrderedDict()
        """The one that was polled longest ago comes first."""

    async def new_filter(self, asked: Asked) -> Any:
        """Follow logs from the next block on."""
        asked.most(1)
        return self._add(asked, logs=asked.at(0, read_filter))

    async def new_block_filter(self, asked: Asked) -> Any:
        """Follow the hashes of blocks."""
        asked.most(0)
        return self._add(asked)

    async def new_pending_filter(self, asked: Asked) -> Any:
        """Follow the hashes of transactions that come into the pool."""
        asked.most(1)
        return self._add(asked, is_pool=True)

    async def changes(self, asked: Asked) -> Any:
        """What is new."""
        asked.most(1)
        found = self._find(asked)
        if found.is_pool:
            newer = self._node.mempool.newer_than(found.next)[:_HASHES_MAX]
            if newer:
                found.next = newer[-1].order
            return [data(pooled.tx.hash) for pooled in newer]
        first, last = found.next, min(tip_height(self._node.store), found.next + _BLOCKS_MAX - 1)
        if found.logs is None:
            found.next = last + 1
            return [data(self._node.store.hash_of(height)) for height in range(first, last + 1)]
        return await self._new_logs(asked, found, found.logs, first, last)

    async def logs(self, asked: Asked) -> Any:
        """All logs of a filter's range."""
        asked.most(1)
        found = self._find(asked)
        if found.logs is None:
            raise _not_found()
        return await self._logs.between(asked, found.logs, *self._logs.range_of(found.logs))

    async def uninstall(self, asked: Asked) -> Any:
        """Whether there was such a filter."""
        asked.most(1)
        name = asked.at(0, str)
        known = self._filters.get(name)
        if known is None or known.caller != caller_of(asked.call):
            return False
        del self._filters[name]
        return True

    async def _new_logs(self, asked: Asked, found: _Filter, wanted: LogFilter, first: int, last: int) -> Any:
        """The logs of as many blocks as one answer holds; the next poll goes on behind them."""
        if wanted.last.height is not None:
            last = min(last, wanted.last.height)
        while True:
            try:
                logs = await self._logs.between(asked, wanted, first, last)
            except JsonRpcError as error:
                if error.code != LIMIT_EXCEEDED or last <= first:
                    raise
                last = first + (last - first) // 2
            else:
                found.next = max(found.next, last + 1)
                return logs

    def _add(self, asked: Asked, *, logs: LogFilter | None = None, is_pool: bool = False) -> str:
        self._expire()
        caller = caller_of(asked.call)
        if sum(1 for one in self._filters.values() if one.caller == caller) >= FILTERS_EACH_MAX:
            raise JsonRpcError(LIMIT_EXCEEDED, f"one caller has at most {FILTERS_EACH_MAX} filters: uninstall some")
        if len(self._filters) >= FILTERS_MAX:
            raise JsonRpcError(
                LIMIT_EXCEEDED, "this node has as many filters as it keeps; subscribe, or ask for ranges"
            )
        first = tip_height(self._node.store) + 1
        if logs is not None and logs.first.height is not None:
            first = max(first, logs.first.height)
        name = new_name()
        begins = self._node.mempool.admissions if is_pool else first
        self._filters[name] = _Filter(caller, trio.current_time(), logs, is_pool, begins)
        return name

    def _find(self, asked: Asked) -> _Filter:
        self._expire()
        name = asked.at(0, str)
        found = self._filters.get(name)
        if found is None or found.caller != caller_of(asked.call):
            raise _not_found()
        found.polled_at = trio.current_time()
        self._filters.move_to_end(name)
        return found

    def _expire(self) -> None:
        gone = trio.current_time() - EXPIRES_S
        while self._filters:
            name, oldest = next(iter(self._filters.items()))
            if oldest.polled_at > gone:
                return
            del self._filters[name]


def _not_found() -> JsonRpcError:
    return JsonRpcError(SERVER_ERROR, "filter not found")
