"""Runs Trio functions as a node does: as a guest on asyncio."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from alatau.transport.bridge import run


@pytest.fixture
def drive() -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Runs a Trio function, with a limit of time."""

    def as_guest(main: Callable[[], Awaitable[None]]) -> None:
        async def with_time_limit(_shutdown: trio.Event) -> None:
            with trio.fail_after(30):
                await main()

        run(with_time_limit)

    return as_guest
