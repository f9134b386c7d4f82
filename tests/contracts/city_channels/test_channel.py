"""CityChannels.channel: everything that the contract knows of a channel, at every stage of its life."""

import boa

from tests.contracts.city_channels.tills import (
    DEPOSIT,
    agreement,
    claim_of,
    consent,
    open_till,
    own,
    start_closing,
    till_of,
)
from tests.contracts.world import SETTLE_BLOCKS, SETTLE_SECONDS, World, hub, now, resident


def test_what_was_never_opened_is_empty(world: World) -> None:
    """Neither used nor open, and nothing in it."""
    till = till_of()
    assert not any(world.channels.channel(till.id)[:3])
    assert not world.channels.used(till.id)
    assert tuple(world.channels.channel(till.id))[3:13] == (0,) * 10


def test_an_open_one_says_who_paid_in_and_took_out(world: World) -> None:
    """Each side by itself."""
    till = open_till(world, hub_amount=3_000)
    world.channels.withdraw(*consent(till, resident, 70, by=hub), sender=resident.address)
    world.channels.withdraw(*consent(till, hub, 90, by=resident), sender=hub.address)
    found = tuple(world.channels.channel(till.id))
    assert found[:7] == (True, True, False, DEPOSIT, 3_000, 70, 90)
    assert found[7:13] == (0, 0, 0, 0, 0, 0)


def test_a_closing_one_says_both_vouchers_and_the_window(world: World) -> None:
    """Nonces and sums of both directions, and when it may be settled."""
    till = open_till(world, hub_amount=3_000)
    begun, height = now(), int(boa.env.evm.patch.block_number)
    claim = claim_of(till, resident, 5, 500, receipt_by=hub)
    world.channels.close(till.key, own(resident), claim, sender=resident.address)
    world.channels.submit(till.key, claim_of(till, hub, 7, 300), sender=resident.address)
    found = tuple(world.channels.channel(till.id))
    assert found[:3] == (True, False, True)
    assert found[7:13] == (height + SETTLE_BLOCKS, begun + SETTLE_SECONDS, 5, 7, 500, 300)


def test_what_ended_is_used_for_ever(world: World) -> None:
    """Nothing but that is left."""
    agreed, settled = open_till(world), open_till(world, salt=1)
    world.channels.close_cooperatively(*agreement(agreed, 9_000, DEPOSIT - 9_000))
    start_closing(world, settled)
    assert tuple(world.channels.channel(agreed.id))[:5] == (True, False, False, 0, 0)
    assert world.channels.used(agreed.id)


def test_a_channel_that_lost_money_to_a_withdrawal_is_agreed_on_by_what_is_left(world: World) -> None:
    """Also where the whole of it goes to one side."""
    till = open_till(world)
    world.channels.withdraw(*consent(till, resident, 1_000, by=hub), sender=resident.address)
    with boa.reverts("channels: payouts do not add up"):
        world.channels.close_cooperatively(*agreement(till, DEPOSIT, 0))
    with boa.reverts("channels: payouts do not add up"):
        world.channels.close_cooperatively(*agreement(till, DEPOSIT - 1_000, 1))
    world.channels.close_cooperatively(*agreement(till, DEPOSIT - 1_000, 0))
    assert world.channels.credit(resident.address) == DEPOSIT - 1_000
