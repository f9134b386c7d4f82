"""Subscriptions that outlive their connection: opened again where they were, with the same node or its successor."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Generic, TypeVar

import trio

from alatau.client.exchange import PAUSE_S_MAX, RETRY_PAUSES_S
from alatau.transport.errors import Code, RpcError

T = TypeVar("T")
P = TypeVar("P")


class Resuming(Generic[T, P]):
    """Items of a subscription, across any number of lost connections.

    Waits as long as nobody answers, or the node is too busy for another stream: bound it with a cancel scope where that
    is too long. Any other error is raised.
    """

    def __init__(
        self,
        stack: AsyncExitStack,
        open_at: Callable[[P], AbstractAsyncContextManager[AsyncIterator[T]]],
        position: P,
        after: Callable[[T], P],
    ) -> None:
        """Begin at ``position``; ``after`` says where to go on after an item."""
        self._stack = stack
        self._open_at = open_at
        self._position = position
        self._after = after
        self._items: AsyncIterator[T] | None = None

    def __aiter__(self) -> "Resuming[T, P]":
        return self

    async def __anext__(self) -> T:
        pause_s = RETRY_PAUSES_S[0]
        while True:
            try:
                if self._items is None:
                    self._items = await self._stack.enter_async_context(self._open_at(self._position))
                item = await anext(self._items)
            except RpcError as error:
                if error.code is not Code.UNAVAILABLE and error.reason != "SERVER_BUSY":
                    raise
                self._items = None
                await self._stack.aclose()
                await trio.sleep(error.retry_after_s or pause_s)
                pause_s = min(2 * pause_s, PAUSE_S_MAX)
            else:
                self._position = self._after(item)
                return item
