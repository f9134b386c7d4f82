"""Bounds of the channels' constructor, batches and lists: the last value that is taken, and the one after it."""

from typing import Any

import boa
import pytest
from eth.exceptions import Revert

from alatau.channels.messages import Lock
from tests.contracts.city_channels.tills import (
    NO_CLAIM,
    claim_of,
    let_window_pass,
    lock_arguments,
    open_till,
    request,
    start_closing,
    till_of,
)
from tests.contracts.world import World, deploy, hub, resident


def channels_with(world: World, blocks: int, seconds: int) -> Any:
    """Channels of another window."""
    return deploy(
        "CityChannels",
        world.token.address,
        world.participants.address,
        world.channel_pause.address,
        blocks,
        seconds,
    )


@pytest.mark.parametrize(("blocks", "seconds"), [(1, 1), (2**32 - 1, 2**32 - 1)])
def test_windows_at_their_edges(world: World, blocks: int, seconds: int) -> None:
    """The shortest and the longest."""
    made = channels_with(world, blocks, seconds)
    assert (made.settle_blocks(), made.settle_seconds()) == (blocks, seconds)


@pytest.mark.parametrize(
    ("blocks", "seconds", "reason"),
    [
        (0, 600, "channels: no window"),
        (20, 0, "channels: no window"),
        (2**32, 600, "channels: window out of range"),
        (20, 2**32, "channels: window out of range"),
    ],
)
def test_no_window_and_endless_ones_are_refused(world: World, blocks: int, seconds: int, reason: str) -> None:
    """Blocks and seconds each: a window of zero would settle before anybody could answer."""
    with pytest.raises(Revert, match=reason):
        channels_with(world, blocks, seconds)


def test_batches_take_so_many_and_no_more(world: World) -> None:
    """64 exits, 64 vouchers, 256 settlements; of channels that are not there nothing happens."""
    till = till_of()
    exit_ = (till.key, request(till, resident), NO_CLAIM)
    submission = (till.key, NO_CLAIM)
    for call, element, most in (
        (world.channels.close_many, exit_, 64),
        (world.channels.submit_many, submission, 64),
        (world.channels.settle_many, till.key, 256),
    ):
        call([element] * most)
        with boa.reverts():
            call([element] * (most + 1))


def test_eight_locks_settle_and_nine_are_not_taken(world: World) -> None:
    """A list of nine, rightly signed, is no voucher; of eight with known secrets each pays, to the hub and back."""
    for payer, payee in ((resident, hub), (hub, resident)):
        with boa.env.anchor():
            till = open_till(world, hub_amount=4_000)
            start_closing(world, till)
            height = int(boa.env.evm.patch.block_number)
            locks = tuple(Lock(bytes((number,)) * 32, 10, height + 5) for number in range(1, 10))
            with boa.reverts():
                world.channels.submit(till.key, claim_of(till, payer, 1, 500, locks=locks), sender=payee.address)
            world.channels.submit(till.key, claim_of(till, payer, 1, 500, locks=locks[:8]), sender=payee.address)
            let_window_pass()
            lists: list[list[Any]] = [lock_arguments(locks[:8]), []]
            world.channels.settle(till.key, *(lists if payer == resident else reversed(lists)))
            assert world.channels.credit(payee.address) == (4_500 if payee == hub else 10_500)


def test_zero_is_paid_in_without_asking_the_token(world: World) -> None:
    """A channel opened with nothing moves nothing, and leaves no trace in what is held."""
    before = world.token.balanceOf(resident.address)
    open_till(world, amount=0)
    assert (world.channels.held(), world.token.balanceOf(resident.address)) == (0, before)
