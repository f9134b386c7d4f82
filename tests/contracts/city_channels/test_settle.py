"""CityChannels.settle and settle_many: after the window, by the newest vouchers."""

import boa
import pytest

from tests.contracts.city_channels.tills import (
    DEPOSIT,
    HUB_DEPOSIT,
    agreement,
    claim_of,
    consent,
    credited,
    let_window_pass,
    open_till,
    own,
    start_closing,
    till_of,
)
from tests.contracts.world import SETTLE_BLOCKS, SETTLE_SECONDS, World, hub, resident, stranger, wait


@pytest.mark.parametrize(
    ("seconds", "blocks", "reason"),
    [
        (SETTLE_SECONDS, SETTLE_BLOCKS - 1, r"channels: window open (blocks)"),
        (SETTLE_SECONDS - 1, SETTLE_BLOCKS, r"channels: window open (seconds)"),
        (10 * SETTLE_SECONDS, 0, r"channels: window open (blocks)"),
        (0, 10 * SETTLE_BLOCKS, r"channels: window open (seconds)"),
    ],
    ids=["a block early", "a second early", "halted chain", "rushing chain"],
)
def test_window_is_blocks_and_seconds(world: World, seconds: int, blocks: int, reason: str) -> None:
    """A chain that halts swallows no window, and one that rushes neither."""
    till = open_till(world)
    start_closing(world, till)
    wait(seconds, blocks)
    with boa.reverts(reason):
        world.channels.settle(till.key, [], [])
    wait(SETTLE_SECONDS, SETTLE_BLOCKS)
    world.channels.settle(till.key, [], [], sender=stranger.address)
    assert credited(world) == (DEPOSIT, 0)


def test_settled_exactly_once(world: World) -> None:
    """Money moves from the channel to credits, and is there once."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    start_closing(world, till)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert world.channels.held() == DEPOSIT + HUB_DEPOSIT == sum(credited(world))
    with boa.reverts("channels: not closing"):
        world.channels.settle(till.key, [], [])
    with boa.reverts("channels: not open"):
        world.channels.close_cooperatively(*agreement(till, DEPOSIT, HUB_DEPOSIT))


def test_open_and_unknown_channels_are_not_settled(world: World) -> None:
    """Only what is closing."""
    open_till(world)
    for salt in (0, 1):
        with boa.reverts("channels: not closing"):
            world.channels.settle(till_of(salt).key, [], [])


def test_withdrawals_count(world: World) -> None:
    """Payout of a = deposits - withdrawn + received - sent."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    world.channels.withdraw(*consent(till, resident, 2_000, by=hub), sender=resident.address)
    world.channels.close(till.key, own(hub), claim_of(till, resident, 1, 3_000), sender=hub.address)
    world.channels.submit(till.key, claim_of(till, hub, 1, 100), sender=resident.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 2_000 - 3_000 + 100, HUB_DEPOSIT + 3_000 - 100)


@pytest.mark.parametrize(
    ("sent_ab", "sent_ba", "payout_a"),
    [
        (0, 0, DEPOSIT),
        (DEPOSIT, 0, 0),
        (DEPOSIT + 1, 0, 0),
        (0, HUB_DEPOSIT, DEPOSIT + HUB_DEPOSIT),
        (0, HUB_DEPOSIT + 1, DEPOSIT + HUB_DEPOSIT),
        (2**112 - 1, 2**112 - 1, DEPOSIT),
    ],
)
def test_payout_is_clamped(world: World, sent_ab: int, sent_ba: int, payout_a: int) -> None:
    """Nobody gets less than nothing or more than all."""
    till = open_till(world, hub_amount=HUB_DEPOSIT)
    start_closing(world, till)
    world.channels.submit(till.key, claim_of(till, resident, 1, sent_ab), sender=hub.address)
    world.channels.submit(till.key, claim_of(till, hub, 1, sent_ba), sender=resident.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (payout_a, DEPOSIT + HUB_DEPOSIT - payout_a)


def test_batch_settles_what_is_ripe(world: World) -> None:
    """A mass exit: those not ripe, unknown or settled already are passed over."""
    tills = [open_till(world, salt=salt, amount=1_000) for salt in range(5)]
    for till in tills[:3]:
        start_closing(world, till)
    let_window_pass()
    start_closing(world, tills[3])
    world.channels.settle(tills[0].key, [], [])
    world.channels.settle_many([till.key for till in (*tills, till_of(99))])
    assert credited(world) == (3_000, 0)
    assert world.channels.held() == 5_000
