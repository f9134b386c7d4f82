"""The queue before a stream."""

from collections.abc import Awaitable, Callable

import pytest
import trio

from alatau.p2p.send_queue import Drop, SendQueue

Drive = Callable[[Callable[[], Awaitable[None]]], None]


async def drain(queue: SendQueue) -> list[bytes]:
    """Everything that waits."""
    return [await queue.get() for _ in range(len(queue))]


@pytest.mark.parametrize(("drop", "kept"), [(Drop.OLDEST, [b"2", b"3", b"4"]), (Drop.NEWEST, [b"0", b"1", b"2"])])
def test_a_full_queue_gives_up_the_oldest_or_the_newest(drive: Drive, drop: Drop, kept: list[bytes]) -> None:
    """And says how many."""

    async def main() -> None:
        queue = SendQueue(3, drop)
        assert [queue.put(b"%d" % number) for number in range(5)] == [0, 0, 0, 1, 1]
        assert await drain(queue) == kept

    drive(main)


def test_bytes_count_too(drive: Drive) -> None:
    """Several small ones go for a big one; one that exceeds the bound alone still fits into an empty queue."""

    async def main() -> None:
        queue = SendQueue(10, Drop.OLDEST, bytes_max=100)
        for _ in range(4):
            queue.put(bytes(25))
        assert queue.put(bytes(60)) == 3
        assert [len(item) for item in await drain(queue)] == [25, 60]
        assert queue.put(bytes(500)) == 0
        assert queue.put(bytes(1)) == 1
        assert await drain(queue) == [bytes(1)]

    drive(main)


def test_getting_waits_for_putting(drive: Drive) -> None:
    """In order."""

    async def main() -> None:
        queue, got = SendQueue(10, Drop.OLDEST), []

        async def get() -> None:
            got.extend([await queue.get(), await queue.get()])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(get)
            await trio.sleep(0.01)
            queue.put(b"1")
            await trio.sleep(0.01)
            queue.put(b"2")
        assert got == [b"1", b"2"]

    drive(main)
