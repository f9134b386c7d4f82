"""Turns of the event loop that hold everything else up."""

import asyncio
import time

import trio

from alatau.transport.bridge import run
from alatau.transport.loop_watch import HELD_S, LoopWatch


def test_a_turn_that_holds_the_loop_is_told() -> None:
    """Whoever does it, on Trio's side or asyncio's; and how long it was."""
    watch, told = LoopWatch(), list[float]()
    watch.held = told.append

    async def main(_shutdown: trio.Event) -> None:
        await trio.sleep(0.01)
        time.sleep(0.2)  # noqa: ASYNC251  on purpose
        await trio.sleep(0.01)
        asyncio.get_running_loop().call_soon(time.sleep, 0.3)
        await trio.sleep(0.01)

    run(main, handle_signals=False, watch=watch)
    first, second = sorted(told)[-2:]
    assert first >= 0.2
    assert second >= 0.3


def test_waiting_is_no_holding() -> None:
    """A loop that sleeps is free, and short turns are not told."""
    watch, told = LoopWatch(), list[float]()
    watch.held = told.append

    async def main(_shutdown: trio.Event) -> None:
        await trio.sleep(0.5)

    run(main, handle_signals=False, watch=watch)
    assert min(told, default=HELD_S) >= HELD_S
    assert max(told, default=0.0) < 0.5
