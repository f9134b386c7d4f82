"""Subscriptions that outlive their connection: opened again where they were, with the same node or another."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, ExitStack
from typing import Generic, TypeVar

import trio

from alatau.client.endpoints import Endpoints, nobody_answered
from alatau.client.exchange import PAUSE_S_MAX, RETRY_PAUSES_S
from alatau.transport.channel import Channel
from alatau.transport.errors import Code, RpcError
from alatau.transport.sync_channel import SyncChannel

T = TypeVar("T")
P = TypeVar("P")


class _Place(Generic[T, P]):
    """Where a subscription stands, and what a lost connection means for it."""

    def __init__(self, position: P, after: Callable[[T], P]) -> None:
        self.position = position
        self._after = after
        self._failed = 0

    def passed(self, item: T) -> T:
        """The subscription gave ``item``: it goes on behind it."""
        self.position = self._after(item)
        self._failed = 0
        return item

    def lost(self, error: RpcError, nodes: int) -> float:
        """Seconds before it is opened again, with one of ``nodes``; raises what no other attempt mends."""
        if error.code is not Code.UNAVAILABLE and error.reason != "SERVER_BUSY" and not nobody_answered(error):
            raise error
        self._failed += 1
        return pause_s(self._failed, nodes, error)


class Resuming(Generic[T, P]):
    """Items of a subscription, across any number of lost connections.

    Waits as long as nobody answers, or the node is too busy for another stream: bound it with a cancel scope where that
    is too long. Any other error is raised.
    """

    def __init__(
        self,
        stack: AsyncExitStack,
        endpoints: Endpoints[Channel],
        open_at: Callable[[Channel, P], AbstractAsyncContextManager[AsyncIterator[T]]],
        position: P,
        after: Callable[[T], P],
    ) -> None:
        """Begin at ``position``; ``after`` says where to go on after an item."""
        self._stack = stack
        self._endpoints = endpoints
        self._open_at = open_at
        self._place = _Place(position, after)
        self._items: AsyncIterator[T] | None = None
        self._channel = endpoints.current

    def __aiter__(self) -> "Resuming[T, P]":
        return self

    async def __anext__(self) -> T:
        while True:
            try:
                if self._items is None:
                    self._channel = self._endpoints.current
                    opened = self._open_at(self._channel, self._place.position)
                    self._items = await self._stack.enter_async_context(opened)
                return self._place.passed(await anext(self._items))
            except RpcError as error:
                wait_s = self._place.lost(error, len(self._endpoints))
            self._items = None
            await self._stack.aclose()
            self._endpoints.leave(self._channel)
            await trio.sleep(wait_s)


class SyncResuming(Generic[T, P]):
    """The same without an event loop."""

    def __init__(
        self,
        stack: ExitStack,
        endpoints: Endpoints[SyncChannel],
        open_at: Callable[[SyncChannel, P], AbstractContextManager[Iterator[T]]],
        position: P,
        after: Callable[[T], P],
    ) -> None:
        """Begin at ``position``; ``after`` says where to go on after an item."""
        self._stack = stack
        self._endpoints = endpoints
        self._open_at = open_at
        self._place = _Place(position, after)
        self._items: Iterator[T] | None = None
        self._channel = endpoints.current

    def __iter__(self) -> "SyncResuming[T, P]":
        return self

    def __next__(self) -> T:
        while True:
            try:
                if self._items is None:
                    self._channel = self._endpoints.current
                    self._items = self._stack.enter_context(self._open_at(self._channel, self._place.position))
                return self._place.passed(next(self._items))
            except RpcError as error:
                wait_s = self._place.lost(error, len(self._endpoints))
            self._items = None
            self._stack.close()
            self._endpoints.leave(self._channel)
            time.sleep(wait_s)


def pause_s(failed: int, count: int, error: RpcError) -> float:
    """Seconds before the next attempt: none while there is a node that was not asked, then doubling each round."""
    rounds, rest = divmod(failed, count)
    if rest:
        return 0.0
    return error.retry_after_s or min(RETRY_PAUSES_S[0] * 2 ** min(rounds - 1, 10), PAUSE_S_MAX)
