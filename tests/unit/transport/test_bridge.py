"""The way between the loops, and a process's way in and out."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.lowlevel

from alatau.transport.bridge import ForcedShutdown, current_bridge, run

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def test_run_gives_what_main_gives() -> None:
    """A result, or the exception that ended it."""

    async def answer(_shutdown: trio.Event) -> int:
        await trio.lowlevel.checkpoint()
        return 42

    async def fail(_shutdown: trio.Event) -> None:
        raise KeyError("mine")

    assert run(answer) == 42
    with pytest.raises(KeyError, match="mine"):
        run(fail)


def test_run_again_after_it_ended() -> None:
    """Nothing of a run is left for the next one to trip over."""

    async def main(_shutdown: trio.Event) -> int:
        async with current_bridge() as bridge:
            return await bridge.call(lambda: asyncio.sleep(0.001, 7))

    assert [run(main) for _ in range(3)] == [7, 7, 7]


def test_run_in_a_thread() -> None:
    """Signals are the main thread's; everything else works anywhere."""
    results = []

    async def main(_shutdown: trio.Event) -> int:
        await trio.sleep(0.001)
        return 5

    thread = threading.Thread(target=lambda: results.append(run(main)))
    thread.start()
    thread.join(10)
    assert results == [5]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_main_to_end(number: signal.Signals) -> None:
    """The event is set; main ends when it is done, and its result counts."""

    async def main(shutdown: trio.Event) -> str:
        os.kill(os.getpid(), number)
        with trio.fail_after(5):
            await shutdown.wait()
        return "in order"

    assert run(main) == "in order"


def test_a_second_signal_does_not_wait() -> None:
    """What still runs is cancelled, and the caller told."""

    async def main(shutdown: trio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await shutdown.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await trio.sleep(30)

    with pytest.raises(ForcedShutdown):
        run(main)


def test_an_idle_process_ends_within_a_second_of_sigterm() -> None:
    """A whole process, asleep when the signal comes."""
    code = (
        "import trio\n"
        "from alatau.transport.bridge import run\n"
        "async def main(shutdown):\n"
        "    print('up', flush=True)\n"
        "    await shutdown.wait()\n"
        "    print('down', flush=True)\n"
        "run(main)\n"
    )
    env = {**os.environ, "PYTHONPATH": "node"}
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert process.wait(10) == 0
        assert time.monotonic() - started < 2
        assert process.stdout.read() == b"down\n"


def test_a_call_brings_its_result_or_its_error(drive: Drive) -> None:
    """Whatever the asyncio side returns or raises."""

    async def fail() -> None:
        raise ValueError("theirs")

    async def main() -> None:
        async with current_bridge() as bridge:
            assert await bridge.call(lambda: asyncio.sleep(0.001, "done")) == "done"
            with pytest.raises(ValueError, match="theirs"):
                await bridge.call(fail)

    drive(main)


def test_cancelling_a_call_cancels_the_asyncio_side_first(drive: Drive) -> None:
    """When Trio goes on, nothing of the call runs any more."""
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            ended.append(True)

    async def main() -> None:
        async with current_bridge() as bridge:
            with trio.move_on_after(0.05) as scope:
                await bridge.call(work)
            assert scope.cancelled_caught
            assert ended == [True]

    drive(main)


def test_a_call_that_wins_against_its_cancellation_keeps_its_result(drive: Drive) -> None:
    """What has happened on the other side is not forgotten."""

    async def stubborn() -> str:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(30)
        return "done all the same"

    async def main() -> None:
        async with current_bridge() as bridge:
            with trio.move_on_after(0.05):
                assert await bridge.call(stubborn) == "done all the same"

    drive(main)


def test_the_thread_of_a_plain_trio_run_lives_while_it_is_used() -> None:
    """One thread for all users at once, none afterwards."""

    def threads() -> int:
        return sum(thread.name == "alatau-asyncio" for thread in threading.enumerate())

    async def main() -> None:
        assert threads() == 0
        async with current_bridge() as one:
            async with current_bridge() as two:
                assert one is two
                assert threads() == 1
            assert threads() == 1
        assert threads() == 0

    trio.run(main)


def test_a_hosted_run_needs_no_thread() -> None:
    """Both loops share one."""

    async def main(_shutdown: trio.Event) -> None:
        async with current_bridge() as bridge:
            assert bridge.token is None
            where = await bridge.call(_thread_name)
            assert where == threading.current_thread().name

    run(main)


async def _thread_name() -> str:
    return threading.current_thread().name
