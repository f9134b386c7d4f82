"""Choosing transactions for a block, one at a time, each by what those before it cost.

The heap holds the first ready transaction of each sender by age. Most senders have no debt, and neither has their
class: what comes off the heap is taken at once. The others are put aside by their level of debt and come when the
heap is empty. Levels only grow while a block is made, since its clock stands still, so one that has grown meanwhile
is put aside again, and what comes is always of the lowest level there is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, TypeAlias

from alatau.mempool.entry import PooledTransaction, SenderQueue
from alatau.mempool.shares import HEAVY_GAS, PATIENCE_MS, Shares

_MISFITS_MAX: Final = 256
"""Light transactions that may be found too large for what is left of a block before it counts as full."""
_GAS_MIN: Final = 21_000
"""No transaction asks for less."""

Head: TypeAlias = tuple[int, int, PooledTransaction]
"""Since when it waits (``PooledTransaction.at_ms``), its number, and the transaction itself."""


@dataclass(slots=True)
class Selection:
    """Iterates over what a block may take; the pool may change meanwhile, and what leaves it is not given any more.

    After each transaction report with :meth:`spent` what it cost; without a report its gas limit counts as used.
    """

    heads: list[Head]
    """A heap; used up."""
    waiting: Mapping[bytes, PooledTransaction]
    queues: Mapping[bytes, SenderQueue]
    shares: Shares
    gas_limit: int
    gas_left: int
    size_left: int
    now_ms: int
    _aside: list[tuple[int, int, int, PooledTransaction]] = field(default_factory=list)
    _taken: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Sender -> gas and number of its transactions in the block."""
    _last: PooledTransaction | None = None
    _misfits: int = 0

    def __iter__(self) -> Iterator[PooledTransaction]:
        """Itself."""
        return self

    def __next__(self) -> PooledTransaction:
        """The next transaction."""
        if self._last is not None:
            self._use(self._last, self._last.tx.gas_limit)
        while self.gas_left >= _GAS_MIN and self._misfits < _MISFITS_MAX:
            if self.heads:
                at_ms, order, pooled = heappop(self.heads)
                level = 0
            elif self._aside:
                level, at_ms, order, pooled = heappop(self._aside)
            else:
                break
            if self.waiting.get(pooled.tx.hash) is not pooled:
                continue
            now_at = self._level(pooled, at_ms)
            if now_at is None:
                continue
            if now_at > level:
                heappush(self._aside, (now_at, at_ms, order, pooled))
                continue
            tx = pooled.tx
            if tx.gas_limit <= self.gas_left and len(tx.encoded) <= self.size_left:
                self._last = pooled
                return pooled
            if tx.gas_limit <= HEAVY_GAS:
                self._misfits += 1
        raise StopIteration

    @property
    def last(self) -> PooledTransaction:
        """The transaction that was given and is not reported yet."""
        assert self._last is not None, "nothing was given, or all of it is reported"
        return self._last

    def spent(self, gas_used: int, time_us: int) -> None:
        """What the last transaction used: 0 gas where it was not included, but its time counts all the same."""
        pooled = self.last
        heavy = pooled.tx.gas_limit > HEAVY_GAS
        self.shares.charge(pooled.sender, pooled.sender_class, gas_used, time_us, self.now_ms, heavy=heavy)
        self._use(pooled, gas_used)

    def _use(self, pooled: PooledTransaction, gas: int) -> None:
        self._last = None
        self.gas_left -= gas
        if not gas:
            return
        self.size_left -= len(pooled.tx.encoded)
        sender = pooled.sender
        before, count = self._taken.get(sender, (0, 0))
        self._taken[sender] = before + gas, count + 1
        queue = self.queues.get(sender)
        following = queue.by_nonce.get(pooled.tx.nonce + 1) if queue else None
        if following is not None:
            # After all that came before this block, and after those of whom fewer were taken.
            heappush(self.heads, (max(following.at_ms, self.now_ms + count), following.order, following))

    def _level(self, pooled: PooledTransaction, since_ms: int) -> int | None:
        """Where it stands in the order of debts; None where it may not be in this block."""
        sender, gas_limit = pooled.sender, pooled.tx.gas_limit
        level = self.shares.level(sender, pooled.sender_class, self.now_ms, heavy=gas_limit > HEAVY_GAS)
        taken = self._taken.get(sender)
        if taken is not None and taken[0] + gas_limit > self.shares.block_gas(pooled.sender_class, self.gas_limit):
            return None
        if level and self.now_ms - since_ms >= PATIENCE_MS:
            return 0
        return level
