"""Bounded queues between the loops."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from alatau.transport.bridge import current_bridge
from alatau.transport.pipes import BYTES_MAX, COUNT_MAX, PipeToAsyncio, PipeToTrio

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def test_everything_arrives_once_and_in_order(drive: Drive) -> None:
    """Both directions, with producers much faster than the bound."""
    items = [str(number).encode() for number in range(1_000)]

    async def main() -> None:
        async with current_bridge() as bridge:
            to_trio, to_asyncio = PipeToTrio(bridge), PipeToAsyncio(bridge)

            async def echo() -> None:
                while (item := await to_asyncio.get()) is not None:
                    await to_trio.put(item)
                to_trio.close()

            async def produce() -> None:
                for item in items:
                    await to_asyncio.put(item)
                to_asyncio.close()

            arrived = []
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.call, echo)
                nursery.start_soon(produce)
                while (item := await to_trio.get()) is not None:
                    arrived.append(item)
            assert arrived == items

    drive(main)


@pytest.mark.parametrize(("size", "fits"), [(1, COUNT_MAX), (BYTES_MAX // 4, 4), (BYTES_MAX * 2, 1)])
def test_a_full_pipe_makes_its_producer_wait(drive: Drive, size: int, fits: int) -> None:
    """Full by count or by bytes; one message fits whatever its size."""

    async def main() -> None:
        async with current_bridge() as bridge:
            to_asyncio, put = PipeToAsyncio(bridge), []

            async def produce() -> None:
                while True:
                    await to_asyncio.put(bytes(size))
                    put.append(1)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(produce)
                await trio.testing.wait_all_tasks_blocked(0.02)
                assert len(put) == fits
                await bridge.call(to_asyncio.get)
                await trio.testing.wait_all_tasks_blocked(0.02)
                assert len(put) == fits + 1
                nursery.cancel_scope.cancel()

    drive(main)


def test_what_was_put_before_the_end_is_still_read(drive: Drive) -> None:
    """Then comes the end, or the error that the pipe was closed with."""

    async def main() -> None:
        async with current_bridge() as bridge:
            whole, broken = PipeToTrio(bridge), PipeToTrio(bridge)
            for pipe in (whole, broken):
                await bridge.call(lambda pipe=pipe: pipe.put(b"last"))
            whole.close()
            broken.close(ConnectionError("lost"))
            assert [await whole.get(), await whole.get()] == [b"last", None]
            assert await broken.get() == b"last"
            with pytest.raises(ConnectionError, match="lost"):
                await broken.get()

    drive(main)


def test_putting_into_a_closed_pipe_fails(drive: Drive) -> None:
    """Also for a producer that was already waiting."""

    async def main() -> None:
        async with current_bridge() as bridge:
            pipe, outcomes = PipeToAsyncio(bridge), []

            async def produce() -> None:
                try:
                    while True:
                        await pipe.put(bytes(BYTES_MAX))
                except trio.BrokenResourceError:
                    outcomes.append("broken")

            async with trio.open_nursery() as nursery:
                nursery.start_soon(produce)
                await trio.testing.wait_all_tasks_blocked(0.02)
                pipe.close()
            assert outcomes == ["broken"]

    drive(main)


def test_a_cancelled_reader_leaves_the_pipe_usable(drive: Drive) -> None:
    """Nothing is lost between two readers."""

    async def main() -> None:
        async with current_bridge() as bridge:
            pipe = PipeToTrio(bridge)
            with trio.move_on_after(0.02):
                await pipe.get()
            await bridge.call(lambda: _put_soon(pipe))
            assert await pipe.get() == b"x"

    drive(main)


async def _put_soon(pipe: PipeToTrio) -> None:
    await asyncio.sleep(0.001)
    await pipe.put(b"x")
