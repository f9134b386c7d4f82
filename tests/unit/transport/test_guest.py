"""Trio under asyncio: everything that can wake it does, with and without the thread."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import outcome
import pytest
import trio
import trio.testing

from alatau.transport import guest
from alatau.transport.guest import start_guest

T = TypeVar("T")
Hosted = Callable[[Callable[[Callable[[], None]], Awaitable[T]]], T]


@pytest.fixture(params=["epoll", "thread"])
def hosted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Hosted[object]:
    """Runs a Trio function under asyncio, in our way and in Trio's; it gets the function that wakes the guest."""
    if request.param == "thread":
        monkeypatch.setattr(guest._Host, "_adopt", lambda _self, _tick: False)

    async def host(main: Callable[[Callable[[], None]], Awaitable[object]]) -> object:
        done: asyncio.Future[outcome.Outcome[object]] = asyncio.get_running_loop().create_future()
        wake: list[Callable[[], None]] = []

        async def guest_main() -> object:
            with trio.fail_after(10):
                return await main(wake[0])

        wake.append(start_guest(asyncio.get_running_loop(), guest_main, done.set_result))
        return (await asyncio.wait_for(done, 15)).unwrap()

    return lambda main: asyncio.run(host(main))


def test_a_deadline_wakes_it(hosted: Hosted[float]) -> None:
    """No sooner, and not much later."""

    async def main(_wake: Callable[[], None]) -> float:
        started = trio.current_time()
        await trio.sleep(0.05)
        return trio.current_time() - started

    assert 0.05 <= hosted(main) < 1.0


def test_input_and_output_wake_it(hosted: Hosted[bytes]) -> None:
    """Sockets that Trio itself waits for."""

    async def main(_wake: Callable[[], None]) -> bytes:
        left, right = socket.socketpair()
        reader, writer = (trio.SocketStream(trio.socket.from_stdlib_socket(end)) for end in (left, right))
        async with reader, writer, trio.open_nursery() as nursery:
            nursery.start_soon(_send_later, writer)
            return bytes(await reader.receive_some(10))

    assert hosted(main) == b"hello"


async def _send_later(writer: trio.SocketStream) -> None:
    await trio.sleep(0.02)
    await writer.send_all(b"hello")


def test_a_thread_wakes_it(hosted: Hosted[str]) -> None:
    """Work in threads comes back."""

    async def main(_wake: Callable[[], None]) -> str:
        where = await trio.to_thread.run_sync(threading.current_thread)
        assert where is not threading.main_thread()
        return "back"

    assert hosted(main) == "back"


@pytest.mark.parametrize("told", [True, False])
def test_the_host_wakes_it(hosted: Hosted[float], *, told: bool) -> None:
    """A task that asyncio makes runnable runs at once, whether the guest was told beforehand or not."""

    async def main(wake: Callable[[], None]) -> float:
        event = trio.Event()

        def fire() -> None:
            if told:
                wake()
            event.set()

        asyncio.get_running_loop().call_later(0.02, fire)
        started = trio.current_time()
        await event.wait()
        return trio.current_time() - started

    assert 0.01 < hosted(main) < 1.0


def test_waking_it_without_a_reason_harms_nothing(hosted: Hosted[int]) -> None:
    """Also when it has ended."""
    kept: list[Callable[[], None]] = []

    async def main(wake: Callable[[], None]) -> int:
        kept.append(wake)
        for _ in range(100):
            asyncio.get_running_loop().call_soon(wake)
        await trio.sleep(0.01)
        return 1

    assert hosted(main) == 1
    kept[0]()


def test_a_busy_guest_leaves_the_host_its_share(hosted: Hosted[int]) -> None:
    """Between two ticks the host's own callbacks run."""

    async def main(_wake: Callable[[], None]) -> int:
        turns = 0

        def again() -> None:
            nonlocal turns
            turns += 1
            asyncio.get_running_loop().call_soon(again)

        again()
        for _ in range(100):
            await trio.lowlevel.checkpoint()
        return turns

    assert hosted(main) >= 50  # type: ignore[operator]


def test_waiting_for_all_tasks_to_block_works(hosted: Hosted[list[int]]) -> None:
    """Tests of code that runs hosted need it."""

    async def main(_wake: Callable[[], None]) -> list[int]:
        done: list[int] = []

        async def work() -> None:
            for number in range(3):
                await trio.lowlevel.checkpoint()
                done.append(number)
            await trio.sleep_forever()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.cancel_scope.cancel()
        return done

    assert hosted(main) == [0, 1, 2]


def test_an_error_of_the_guest_is_the_hosts(hosted: Hosted[None]) -> None:
    """Nothing is swallowed on the way."""

    async def main(_wake: Callable[[], None]) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        hosted(main)
