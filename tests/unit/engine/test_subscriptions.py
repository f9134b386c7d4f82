"""Subscribers to committed blocks."""

from types import SimpleNamespace
from typing import Any

import pytest
import trio

from alatau.engine.subscriptions import Subscriptions


def block(number: int) -> Any:
    """Something to publish; subscriptions do not look inside."""
    return SimpleNamespace(number=number)


@pytest.mark.trio
async def test_every_subscriber_gets_every_block() -> None:
    """Two subscribers see the same, from when they came."""
    subscriptions = Subscriptions()
    with subscriptions.open() as first:
        subscriptions.publish(block(1))
        with subscriptions.open() as second:
            subscriptions.publish(block(2))
            assert [(await first.receive()).number for _ in range(2)] == [1, 2]
            assert (await second.receive()).number == 2


@pytest.mark.trio
async def test_a_slow_subscriber_is_cut_off_and_keeps_what_it_was_given() -> None:
    """Publishing never waits; the channel of one that lags ends after the blocks it holds."""
    subscriptions = Subscriptions()
    with subscriptions.open() as slow, subscriptions.open() as quick:
        for number in range(100):
            subscriptions.publish(block(number))
            await quick.receive()
        got = [entry.number async for entry in slow]
        assert got == list(range(len(got)))
        assert len(got) < 100


@pytest.mark.trio
async def test_one_that_left_is_forgotten() -> None:
    """Publishing after a subscriber's end does nothing to it."""
    subscriptions = Subscriptions()
    with subscriptions.open() as gone:
        pass
    subscriptions.publish(block(1))
    with pytest.raises(trio.ClosedResourceError):
        await gone.receive()
