"""CityChannels.close: one party starts the settlement."""

import boa

from tests.contracts.city_channels.tills import (
    DEPOSIT,
    NO_CLAIM,
    claim_of,
    consent,
    credited,
    let_window_pass,
    open_till,
    own,
    request,
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
    stranger,
    wait,
)


def test_window_is_announced(world: World) -> None:
    """Blocks and seconds, both from now."""
    till = open_till(world)
    start_closing(world, till)
    (event,) = world.channels.get_logs()
    seen = world.channels.channel(till.id)
    assert (seen.closing, seen.open, seen.settle_block, seen.settle_time) == (
        True,
        False,
        event.settle_block,
        event.settle_time,
    )
    assert (event.settle_block, event.settle_time) == (
        boa.env.evm.patch.block_number + SETTLE_BLOCKS,
        now() + SETTLE_SECONDS,
    )


def test_payee_closes_with_the_newest_voucher(world: World) -> None:
    """The hub needs only the resident's signature on what it is paid."""
    till = open_till(world)
    world.channels.close(till.key, own(hub), claim_of(till, resident, 7, 2_500), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 2_500, 2_500)


def test_payer_closes_with_a_receipt(world: World) -> None:
    """The resident shows that the hub knew what it was paid."""
    till = open_till(world)
    with boa.reverts("channels: bad receipt"):
        world.channels.close(till.key, own(resident), claim_of(till, resident, 7, 2_500), sender=resident.address)
    world.channels.close(
        till.key, own(resident), claim_of(till, resident, 7, 2_500, receipt_by=hub), sender=resident.address
    )


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
    world.channel_pause.pause(sender=guardian.address)
    world.token.pause(sender=guardian.address)
    world.participants.license(hub.address, 0, 0, False, 0, sender=licensor.address)
    world.participants.suspend(hub.address, sender=compliance.address)
    world.channels.close(
        till.key, own(resident), claim_of(till, resident, 1, 100, receipt_by=hub), sender=resident.address
    )
    world.channels.submit(till.key, claim_of(till, resident, 2, 200), sender=hub.address)
    let_window_pass()
    world.channels.settle(till.key, [], [])
    assert credited(world) == (DEPOSIT - 200, 200)


def test_anyone_carries_a_partys_request(world: World) -> None:
    """A suspended resident sends no transactions and gets out all the same, with what he was paid."""
    till = open_till(world)
    world.participants.suspend(resident.address, sender=compliance.address)
    claim = claim_of(till, resident, 1, 100, receipt_by=hub)
    world.channels.close(till.key, request(till, resident), claim, sender=stranger.address)
    let_window_pass()
    world.channels.settle(till.key, [], [], sender=stranger.address)
    assert credited(world) == (DEPOSIT - 100, 100)


def test_request_is_a_partys_and_for_one_channel(world: World) -> None:
    """Not a stranger's, not forged, not another channel's or party's, not late, not another message."""
    till, other = open_till(world), open_till(world, salt=1)
    withdrawal = consent(till, resident, 5, by=resident)
    good = request(till, resident)
    for bad in (
        request(till, resident, signed_by=stranger),
        request(other, resident),
        (hub.address, *good[1:]),
        (good[0], good[1] + 1, good[2]),
        (*good[:2], withdrawal[3]),
        (*good[:2], b""),
    ):
        with boa.reverts("channels: bad signature"):
            world.channels.close(till.key, bad, NO_CLAIM, sender=stranger.address)
    with boa.reverts("channels: not a party"):
        world.channels.close(till.key, request(till, neighbour), NO_CLAIM, sender=stranger.address)
    wait(61)
    with boa.reverts("channels: too late"):
        world.channels.close(till.key, good, NO_CLAIM, sender=stranger.address)
    assert world.channels.channel(till.id).open


def test_carried_voucher_needs_its_payees_receipt(world: World) -> None:
    """The request says that a party wants to close, not by which voucher."""
    till = open_till(world)
    with boa.reverts("channels: bad receipt"):
        world.channels.close(till.key, request(till, resident), claim_of(till, resident, 1, 1), sender=stranger.address)


def test_request_counts_in_its_last_second(world: World) -> None:
    """And not in the next one."""
    till = open_till(world)
    asked = request(till, resident, deadline=now() + 10)
    wait(11)
    with boa.reverts("channels: too late"):
        world.channels.close(till.key, asked, NO_CLAIM, sender=stranger.address)
    wait(-1)
    world.channels.close(till.key, asked, NO_CLAIM, sender=stranger.address)


def test_request_is_used_once(world: World) -> None:
    """A channel closes once; its id is never used again."""
    till = open_till(world)
    asked = request(till, hub)
    world.channels.close(till.key, asked, NO_CLAIM, sender=stranger.address)
    with boa.reverts("channels: not open"):
        world.channels.close(till.key, asked, NO_CLAIM, sender=stranger.address)
