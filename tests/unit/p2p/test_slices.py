"""Long work leaves others their turn."""

from collections.abc import Awaitable, Callable, Generator

import pytest
import trio

from alatau.p2p.slices import in_slices

Drive = Callable[[Callable[[], Awaitable[None]]], None]


def test_others_run_between_the_steps(drive: Drive) -> None:
    """And the result is the steps' own."""
    order: list[str] = []

    def steps() -> Generator[None, None, int]:
        for _ in range(3):
            order.append("step")
            yield
        return 7

    async def other() -> None:
        for _ in range(3):
            order.append("other")
            await trio.lowlevel.checkpoint()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            assert await in_slices(steps()) == 7
        assert "step,step,step" not in ",".join(order)

    drive(main)


def test_an_error_of_a_step_comes_out(drive: Drive) -> None:
    """As it is."""

    def steps() -> Generator[None, None, None]:
        yield
        raise ValueError("mine")

    async def main() -> None:
        with pytest.raises(ValueError, match="mine"):
            await in_slices(steps())

    drive(main)
