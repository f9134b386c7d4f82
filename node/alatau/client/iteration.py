"""Asynchronous iterators that a program may leave at any time.

Plain classes: an asynchronous generator that is not run to its end must be closed by hand, or Python complains.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Generic, Protocol, TypeVar

from alatau.client.exchange import Plan
from alatau.client.queries import Pages

T = TypeVar("T")
S = TypeVar("S")


class Runner(Protocol):
    """Carries out plans on Trio."""

    async def run(self, plan: Plan[T]) -> T:
        """Ask what the plan asks until it is done."""


class Mapped(Generic[T]):
    """What a stream gives, each item read by a function; items that it reads as None are left out."""

    def __init__(self, source: AsyncIterator[Any], read: Callable[[Any], T | None]) -> None:
        self._source = source
        self._read = read

    def __aiter__(self) -> "Mapped[T]":
        return self

    async def __anext__(self) -> T:
        while True:
            item = self._read(await anext(self._source))
            if item is not None:
                return item


class Listed(Generic[T]):
    """The items of a listing, fetched page by page as they are taken."""

    def __init__(self, runner: Runner, pages: Pages[T]) -> None:
        self._runner = runner
        self._pages = pages
        self._items: deque[T] = deque()

    def __aiter__(self) -> "Listed[T]":
        return self

    async def __anext__(self) -> T:
        while not self._items:
            if self._pages.done:
                raise StopAsyncIteration
            self._items += await self._runner.run(self._pages.next_page())
        return self._items.popleft()
