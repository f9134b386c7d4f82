"""``eth_subscribe`` on a WebSocket: new blocks, logs, transactions that wait.

A subscription follows the chain by height and reads what it tells, so that a slow reader misses nothing while it is
there: it lags, and a reader that does not take a message in time is closed.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import trio
from wsproto.frame_protocol import CloseReason

from alatau.jsonrpc import envelope
from alatau.jsonrpc.asked import Asked
from alatau.jsonrpc.blocks import header_object
from alatau.jsonrpc.errors import LIMIT_EXCEEDED, JsonRpcError, invalid_params
from alatau.jsonrpc.log_methods import LogFilter, read_filter
from alatau.jsonrpc.methods import Method
from alatau.jsonrpc.receipts import log_object
from alatau.jsonrpc.transactions import transaction_object
from alatau.jsonrpc.values import data, new_name, read_bool
from alatau.rpc.access import caller_of
from alatau.rpc.event_service import may_match
from alatau.rpc.final_block import event_logs, tip_height
from alatau.rpc.services import Parts
from alatau.rpc.stored_block import stored_final_block
from alatau.storage.log_index import matches
from alatau.transport.call import Call
from alatau.transport.errors import RpcError
from alatau.transport.web.websocket import WebSocket

SUBSCRIPTIONS_MAX: Final = 64
"""Of one socket. Each also takes one of the node's places for streams."""
POOL_S: Final = 0.2
"""Between two looks at the pool: a fifth of the time that a block takes."""
_HEIGHT_MAX: Final = 2**63
_REASON_MAX: Final = 100
"""Characters of a reason to close: a frame of control has 125 bytes (RFC 6455, 5.5)."""

Tell = Callable[[Any], Awaitable[None]]


class Session:
    """The subscriptions of one socket."""

    def __init__(self, parts: Parts, socket: WebSocket, call: Call, nursery: trio.Nursery) -> None:
        self._parts = parts
        self._socket = socket
        self._call = call
        self._nursery = nursery
        self._open: dict[str, trio.CancelScope] = {}
        self._waiting: list[Callable[[], Awaitable[None]]] = []

    def methods(self) -> Mapping[str, Method]:
        """What a socket can be asked besides."""
        return {"eth_subscribe": Method(self.subscribe), "eth_unsubscribe": Method(self.unsubscribe)}

    def begin(self) -> None:
        """Start what was subscribed: once its name is sent, so that nothing is told before."""
        for task in self._waiting:
            self._nursery.start_soon(task)
        self._waiting.clear()

    async def subscribe(self, asked: Asked) -> Any:
        """Begin to tell; gives the subscription's name."""
        asked.most(2)
        if len(self._open) >= SUBSCRIPTIONS_MAX:
            raise JsonRpcError(LIMIT_EXCEEDED, f"a socket has at most {SUBSCRIPTIONS_MAX} subscriptions")
        height = tip_height(self._parts.node.store) + 1
        work: Callable[[Tell], Awaitable[None]]
        match asked.at(0, lambda value: value):
            case "newHeads":
                work = partial(self._heads, height)
            case "logs":
                work = partial(self._logs, height, asked.get(1, read_filter, read_filter({})))
            case "newPendingTransactions":
                full = asked.get(1, read_bool, default=False)
                work = partial(self._pool, self._parts.node.mempool.admissions, full)
            case other:
                raise invalid_params(f'no "{str(other)[:60]}" subscription in eth namespace')
        name = new_name()
        self._open[name] = trio.CancelScope()
        self._waiting.append(partial(self._run, name, work))
        return name

    async def unsubscribe(self, asked: Asked) -> Any:
        """Whether there was such a subscription; nothing is told of it from now on."""
        asked.most(1)
        scope = self._open.pop(asked.at(0, str), None)
        if scope is None:
            raise JsonRpcError(-32000, "subscription not found")
        scope.cancel()
        return True

    async def _run(self, name: str, work: Callable[[Tell], Awaitable[None]]) -> None:
        async def tell(result: Any) -> None:
            await self._socket.send(envelope.notification("eth_subscription", name, result))

        scope = self._open.get(name)
        if scope is None:
            return
        try:
            with scope, self._parts.streams.take(caller_of(self._call)):
                await work(tell)
        except RpcError as error:  # no place, or no turn: the client comes back later
            await self._socket.close(CloseReason.TRY_AGAIN_LATER, error.message[:_REASON_MAX])
        finally:
            self._open.pop(name, None)

    async def _heads(self, height: int, tell: Tell) -> None:
        while True:
            await self._parts.feed.wait_above(height - 1)
            header = self._parts.node.store.header(height)
            assert header is not None, "the store has what is decided"
            await tell(header_object(header))
            height += 1

    async def _logs(self, height: int, wanted: LogFilter, tell: Tell) -> None:
        query = wanted.query(0, _HEIGHT_MAX)
        feed, store = self._parts.feed, self._parts.node.store
        while True:
            await feed.wait_above(height - 1)
            header = store.header(height)
            assert header is not None, "the store has what is decided"
            if may_match(query, header.logs_bloom):
                final = feed.recent(height)
                if final is None:
                    final = await feed.read(caller_of(self._call), stored_final_block, height)
                for log, placed in event_logs(final):
                    if matches(log, query):
                        await tell(log_object(placed, header.timestamp))
            else:
                await trio.lowlevel.checkpoint()
            height += 1

    async def _pool(self, seen: int, full: bool, tell: Tell) -> None:
        mempool = self._parts.node.mempool
        while True:
            await trio.sleep(POOL_S)
            for pooled in mempool.newer_than(seen):
                seen = max(seen, pooled.order)
                await tell(transaction_object(pooled.tx, pooled.sender, None) if full else data(pooled.tx.hash))
