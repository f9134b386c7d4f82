"""Long work lets other tasks in between."""

import threading
from collections.abc import Generator
from functools import partial

import pytest
import trio

from alatau.transport.slices import in_slices


def counting(steps: int) -> Generator[None, bool | None, int]:
    """A generator of ``steps`` steps that can be told to end."""
    done = 0
    for _ in range(steps):
        done += 1
        if (yield):
            break
    return done


@pytest.mark.trio
async def test_the_result_comes_through() -> None:
    """Work runs to its end."""
    assert await in_slices(counting(10)) == 10


@pytest.mark.trio
async def test_work_ends_when_there_is_enough() -> None:
    """The generator is told to stop and ends in its own way."""
    asked = iter([False, False, True])
    assert await in_slices(counting(10), enough=lambda: next(asked)) == 3


@pytest.mark.trio
async def test_others_run_between_slices() -> None:
    """With slices of no length every step lets others in."""
    seen = []

    async def watch() -> None:
        for n in range(5):
            seen.append(n)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await in_slices(counting(50), slice_s=0.0)
        assert seen == list(range(5))


@pytest.mark.trio
async def test_an_error_ends_the_work() -> None:
    """What the generator raises is what the caller sees."""

    def failing() -> Generator[None, None, None]:
        yield
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await in_slices(failing())


@pytest.mark.trio
async def test_work_that_was_cancelled_before_it_began_does_not_begin() -> None:
    """A wait for a thread returns as if nothing had happened; the next piece of work must not."""
    begun = []

    def noting() -> Generator[None, None, None]:
        begun.append(True)
        yield

    with trio.CancelScope() as scope:
        scope.cancel()
        await in_slices(noting())
    assert scope.cancelled_caught
    assert not begun


def threads(steps: int) -> Generator[str, None, list[int]]:
    """Announces every second step as a long one; gives the threads that took them."""
    found = []
    for step in range(steps):
        yield "long" if step % 2 == 0 else "short"
        found.append(threading.get_ident())
    return found


@pytest.mark.trio
async def test_a_long_step_is_taken_in_a_thread() -> None:
    """The others are not."""
    taken = await in_slices(threads(4), long_next=lambda said: said == "long")
    assert [ident == threading.get_ident() for ident in taken] == [False, True, False, True]


@pytest.mark.trio
async def test_an_error_in_a_long_step_comes_through() -> None:
    """Also the end of the work, which no thread can raise as it is."""

    def failing() -> Generator[str, None, None]:
        yield "long"
        raise ValueError("no")

    def ending() -> Generator[str, None, str]:
        yield "long"
        return "done"

    with pytest.raises(ValueError, match="no"):
        await in_slices(failing(), long_next=lambda said: said == "long")
    assert await in_slices(ending(), long_next=lambda said: said == "long") == "done"


def test_a_thread_that_outlives_its_run_keeps_nobody_waiting() -> None:
    """A long step that was left alone when its Trio run ended is no reason to wait in the next run."""
    hold, began = threading.Event(), threading.Event()

    def stuck() -> Generator[str, None, None]:
        yield "long"
        began.set()
        hold.wait(30)

    async def leave() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(in_slices, stuck(), long_next=lambda said: said == "long"))
            await trio.to_thread.run_sync(began.wait)
            nursery.cancel_scope.cancel()

    async def go_on() -> None:
        with trio.fail_after(20):
            await in_slices(threads(2), long_next=lambda said: said == "long")

    trio.run(leave)
    try:
        trio.run(go_on)
    finally:
        hold.set()
