"""Both ways to have asyncio beside Trio."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from alatau.transport.bridge import run


@pytest.fixture(params=["guest", "thread"])
def drive(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[None]]], None]:
    """Runs a Trio function as a guest on asyncio, and under plain ``trio.run`` with asyncio in a thread."""

    def as_guest(main: Callable[[], Awaitable[None]]) -> None:
        async def with_time_limit(_shutdown: trio.Event) -> None:
            with trio.fail_after(30):
                await main()

        run(with_time_limit)

    def plain(main: Callable[[], Awaitable[None]]) -> None:
        async def with_time_limit() -> None:
            with trio.fail_after(30):
                await main()

        trio.run(with_time_limit)

    return as_guest if request.param == "guest" else plain
