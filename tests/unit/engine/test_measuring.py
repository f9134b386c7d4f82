"""What each transaction of a block cost, measured while the block is made."""

from collections.abc import Generator, Iterator

import pytest

from alatau.engine.measuring import measured


def test_each_transaction_is_charged_with_its_own_steps() -> None:
    """Time between steps belongs to others; steps that yield no gas belong to the transaction that they lead to."""
    ticks: Iterator[int] = iter([0, 5_000, 100_000, 107_000, 200_000, 202_000, 300_000, 399_000, 400_000])
    sent: list[object] = []

    def work() -> Generator[int | None, object, str]:
        sent.append((yield 21_000))
        sent.append((yield None))
        sent.append((yield 50_000))
        yield None  # sealing: nobody's
        return "block"

    charged: list[tuple[int, int]] = []
    steps = measured(work(), lambda gas, us: charged.append((gas, us)), lambda: next(ticks))
    next(steps)
    for message in (None, None, True):
        steps.send(message)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "block"
    assert charged == [(21_000, 5), (50_000, 9)]
    assert sent == [None, None, True]


def test_the_clock_is_this_threads_work() -> None:
    """A transaction that computes is charged for it."""

    def work() -> Generator[int | None, object, None]:
        sum(range(1_000_000))
        yield 1

    charged: list[int] = []
    list(measured(work(), lambda _, us: charged.append(us)))
    assert charged[0] > 0
