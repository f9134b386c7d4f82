"""Who gives way at the metrics port."""

from contextlib import ExitStack

import trio

from alatau.app.http_connections import HttpConnections


async def _main() -> None:
    with ExitStack() as stack:
        places = HttpConnections(4, 2)
        first = stack.enter_context(places.enter("192.0.2.1"))
        second = stack.enter_context(places.enter("192.0.2.1"))
        places.asked("192.0.2.1", first)
        third = stack.enter_context(places.enter("192.0.2.1"))
        assert [scope.cancel_called for scope in (first, second, third)] == [False, True, False]
        others = [stack.enter_context(places.enter("192.0.2.2")) for _ in range(2)]
        newcomer = stack.enter_context(places.enter("192.0.2.3"))
        assert not newcomer.cancel_called
        assert sum(scope.cancel_called for scope in (first, third, *others)) == 1
        assert (len(places), places.displaced) == (4, 2)
    assert len(places) == 0


def test_the_one_that_asked_longest_ago_gives_way() -> None:
    """Of the same address where it has its share, else of the one that has most; a newcomer is always let in."""
    trio.run(_main)


def test_a_place_that_was_taken_is_left_at_once() -> None:
    """Whoever waits in it is cancelled, and the count is right afterwards."""

    async def main() -> None:
        places = HttpConnections(1, 1)

        async def hold(started: trio.Event) -> None:
            with places.enter("192.0.2.1"):
                started.set()
                await trio.sleep_forever()

        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                started = trio.Event()
                nursery.start_soon(hold, started)
                await started.wait()
                with places.enter("2001:db8::1"):
                    await trio.testing.wait_all_tasks_blocked()
                    assert len(places) == 1

    trio.run(main)
