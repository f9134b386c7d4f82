"""Whose long work is done when."""

import threading

import pytest
import trio
import trio.testing

from alatau.transport.web.turns import Turns


async def _until_asked(turns: Turns, nursery: trio.Nursery, source: str, done: list[str]) -> trio.CancelScope:
    """Ask for a turn, and go on once it waits, or is at work."""
    scope = trio.CancelScope()

    async def ask() -> None:
        with scope:
            await turns.take(source, lambda: done.append(source))

    nursery.start_soon(ask)
    await trio.testing.wait_all_tasks_blocked()
    return scope


@pytest.mark.trio
async def test_addresses_have_their_turn_one_after_the_other() -> None:
    """Who asks a hundred times does not make another wait for all of them."""
    turns, done, gate = Turns(), list[str](), threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turns.take, "first", gate.wait)
        await trio.testing.wait_all_tasks_blocked()
        for source in ("many", "many", "many", "one", "other", "other"):
            await _until_asked(turns, nursery, source, done)
        gate.set()
    assert done == ["many", "one", "other", "many", "other", "many"]


@pytest.mark.trio
async def test_who_gives_up_takes_no_turn() -> None:
    """While it waits."""
    turns, done, gate = Turns(), list[str](), threading.Event()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns.take, "first", gate.wait)
            await trio.testing.wait_all_tasks_blocked()
            waiting = await _until_asked(turns, nursery, "gone", done)
            await _until_asked(turns, nursery, "stays", done)
            waiting.cancel()
            await trio.testing.wait_all_tasks_blocked()
            gate.set()
        assert done == ["stays"]
        await turns.take("gone", lambda: done.append("back"))
        assert done == ["stays", "back"]


@pytest.mark.trio
async def test_who_gives_up_in_the_moment_of_its_turn_passes_it_on() -> None:
    """It is called and cancelled before it runs."""
    turns, done, gate = Turns(), list[str](), threading.Event()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            waiting = trio.CancelScope()

            async def first() -> None:
                await turns.take("first", gate.wait)
                waiting.cancel()

            async def second() -> None:
                with waiting:
                    await turns.take("second", lambda: done.append("second"))

            nursery.start_soon(first)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(second)
            await trio.testing.wait_all_tasks_blocked()
            await _until_asked(turns, nursery, "third", done)
            gate.set()
    assert done == ["third"]


@pytest.mark.trio
async def test_a_failure_passes_the_turn_on() -> None:
    """What the work raises is raised where it was asked for."""
    turns = Turns()
    with pytest.raises(ZeroDivisionError):
        await turns.take("a", lambda: 1 // 0)
    assert await turns.take("a", lambda: 5) == 5


@pytest.mark.trio
async def test_the_thread_rests_as_long_as_it_worked(autojump_clock: trio.testing.MockClock) -> None:
    """So that consensus, which shares its interpreter, has half of the time at least."""
    turns = Turns()

    def work() -> float:
        autojump_clock.jump(2.0)  # what the work takes
        return trio.from_thread.run_sync(trio.current_time)

    first = await turns.take("a", work)
    second = await turns.take("b", work)
    assert second - first == pytest.approx(2.0 + 2.0)
