"""CityChannels.close: one party starts the settlement."""

import boa

from tests.contracts.city_channels.tills import (
    DEPOSIT,
    claim_of,
    credited,
    let_window_pass,
    open_till,
    start_closing,
    till_of,
)
from tests.contracts.world import (
    SETTLE_BLOCKS,
    SETTLE_SECONDS,
    World,
    compliance,
    guardian,
    hub,
    licensor,
    neighbour,
    now,
    resident,
)


def test_window_is_announced(world: World) -> None:
    """Blocks and seconds, both from now."""
    till = open_till(world)
    start_closing(world, till)
    (event,) = world.channels.get_logs()
    assert (event.settle_block, event.settle_time) == (
        boa.env.evm.patch.block_number + SETTLE_BLOCKS,
        now() + SETTLE_SECONDS,
    )


def test_payee_closes_with_the_newest_voucher(world: World) -> None:
    """The hub needs only the resident's signature on what it is paid."""
    till = open_till(world)
    world.channels.close(till.key, *claim_of(till, resident, 7, 2_500), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 2_500, 2_500)


def test_payer_closes_with_a_receipt(world: World) -> None:
    """The resident shows that the hub knew what it was paid."""
    till = open_till(world)
    with boa.reverts("channels: bad receipt"):
        world.channels.close(till.key, *claim_of(till, resident, 7, 2_500), sender=resident.address)
    world.channels.close(till.key, *claim_of(till, resident, 7, 2_500, receipt_by=hub), sender=resident.address)


def test_only_parties_close(world: World) -> None:
    """And only what is open."""
    till = open_till(world)
    with boa.reverts("channels: not a party"):
        start_closing(world, till, by=neighbour)
    with boa.reverts("channels: not open"):
        start_closing(world, till_of(5))
    start_closing(world, till)
    with boa.reverts("channels: not open"):
        start_closing(world, till, by=hub)


def test_neither_pause_nor_licence_stops_closing(world: World) -> None:
    """Who wants his money back gets it, whatever became of the hub."""
    till = open_till(world)
    world.channels.pause(sender=guardian.address)
    world.token.pause(sender=guardian.address)
    world.participants.license(hub.address, 0, 0, False, 0, sender=licensor.address)
    world.participants.suspend(hub.address, sender=compliance.address)
    world.channels.close(till.key, *claim_of(till, resident, 1, 100, receipt_by=hub), sender=resident.address)
    world.channels.submit(till.key, *claim_of(till, resident, 2, 200), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 200, 200)
