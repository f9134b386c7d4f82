"""One listener to the node's new blocks, for all callers that wait for something to become final.

Subscribers are not each given a queue: they wait for the height to grow and then read from the recent blocks kept
here, or from the store. A slow one therefore costs nothing and misses nothing.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

import trio

from alatau.chain.executed import ExecutedBlock
from alatau.rpc.failures import failure
from alatau.rpc.final_block import FinalBlock, final_block_of, height_not_reached, tip_height
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node
from alatau.rpc.turns import FairTurns
from alatau.transport.call import Call

T = TypeVar("T")

BEGINS_AFTER: Final = "alatau-begins-after-height"
"""Response header of a subscription: the height after which it misses nothing."""


def begin_after(call: Call, height: int) -> None:
    """Tell a subscriber in the response headers after which height its stream begins; before genesis that is 0."""
    call.begin({BEGINS_AFTER: str(max(height, 0))})


class Feed:
    """The tip as the services see it. :meth:`run` must be running for anything to move."""

    def __init__(self, node: Node, limits: Limits) -> None:
        self._node = node
        self._limits = limits
        self._recent: OrderedDict[int, FinalBlock] = OrderedDict()
        self._grown = trio.Event()
        self._waiting: dict[bytes, trio.Event] = {}
        self._height = -1
        self._turns = FairTurns(limits.reads_waiting_max, limits.reads_waiting_each_max)
        """One block is read at a time: a second thread would only take the interpreter from the first."""
        self._reading = trio.CapacityLimiter(1)

    @property
    def height(self) -> int:
        """Height of the last block that this feed has seen; -1 before it runs."""
        return self._height

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Follow the node until cancelled. Reports started once the height is known."""
        started = False
        while True:
            with self._node.subscriptions.open() as blocks:
                self._catch_up()
                if not started:
                    started = True
                    task_status.started()
                async for executed in blocks:
                    self._take(executed)
            # The node cut the subscription because this task was late: open another, read the rest from the store.
            await trio.lowlevel.checkpoint()

    async def wait_above(self, height: int) -> None:
        """Return once a block above ``height`` is decided."""
        while self._height <= height:
            await self._grown.wait()

    def recent(self, height: int) -> FinalBlock | None:
        """A decided block, if it is among the last few.

        Raises:
            RpcError: NODE_SYNCING or HEIGHT_NOT_REACHED.
        """
        final = self._recent.get(height)
        if final is None:
            tip = tip_height(self._node.store)
            if height > tip:
                raise height_not_reached(height, tip)
        return final

    async def read(self, caller: Hashable, work: Callable[..., T], *arguments: Any) -> T:
        """Run ``work`` on the store, and then ``arguments``, in a thread: reading an older block takes long.

        Raises:
            RpcError: SERVER_BUSY or TOO_MANY_CALLS.
        """
        turn = await self._turns.take(caller)
        began = time.monotonic()
        try:
            return await trio.to_thread.run_sync(work, self._node.store, *arguments, limiter=self._reading)
        finally:
            turn.end(time.monotonic() - began)

    async def wait_final(self, transaction_hash: bytes) -> None:
        """Return once a transaction is final; the caller bounds the time.

        Raises:
            RpcError: SERVER_BUSY.
        """
        event = self._waiting.get(transaction_hash)
        if event is None:
            if len(self._waiting) >= self._limits.waiting_transactions_max:
                raise failure("SERVER_BUSY", "too many callers wait for transactions", retry_after_s=1)
            event = self._waiting[transaction_hash] = trio.Event()
        try:
            if self._node.store.find_transaction(transaction_hash) is None:
                await event.wait()
        finally:
            if not event.is_set() and event.statistics().tasks_waiting == 0:
                self._waiting.pop(transaction_hash, None)

    def _take(self, executed: ExecutedBlock) -> None:
        height = executed.block.header.number
        if height <= self._height:
            return
        self._recent[height] = final_block_of(executed)
        while len(self._recent) > self._limits.recent_blocks:
            self._recent.popitem(last=False)
        if self._waiting:
            for tx in executed.block.transactions:
                event = self._waiting.pop(tx.hash, None)
                if event is not None:
                    event.set()
        self._grow(height)

    def _catch_up(self) -> None:
        """Move to the store's tip, releasing whoever waits for a transaction that went by unseen."""
        tip = self._node.store.tip
        if tip is None or tip.number <= self._height:
            return
        for transaction_hash in tuple(self._waiting):
            if self._node.store.find_transaction(transaction_hash) is not None:
                self._waiting.pop(transaction_hash).set()
        self._grow(tip.number)

    def _grow(self, height: int) -> None:
        self._height = height
        grown, self._grown = self._grown, trio.Event()
        grown.set()
