"""Trio as a guest on asyncio, as in a node."""

from collections.abc import Awaitable, Callable

import trio

from alatau.transport.bridge import run

Main = Callable[[], Awaitable[None]]
Drive = Callable[[Main], None]
"""Runs a Trio function to its end."""

_LIMIT_S = 30


def in_time(main: Main, limit_s: float = _LIMIT_S) -> Main:
    """The same, with a generous limit."""

    async def limited() -> None:
        with trio.fail_after(limit_s):
            await main()

    return limited


def as_guest(main: Main, limit_s: float = _LIMIT_S) -> None:
    """Run a Trio function as a node runs."""
    limited = in_time(main, limit_s)

    async def until_done(_shutdown: trio.Event) -> None:
        await limited()

    run(until_done)
