"""CityChannels.close_many, submit_many, settle_many: a mass exit, which nobody can spoil."""

import boa

from tests.contracts.city_channels.tills import (
    NO_CLAIM,
    claim_of,
    credited,
    let_window_pass,
    open_till,
    request,
    start_closing,
)
from tests.contracts.world import World, hub, resident, stranger


def test_residents_leave_together(world: World) -> None:
    """One carrier closes, brings the vouchers of both directions, and settles; the hub need not be there."""
    tills = [open_till(world, salt=salt, amount=1_000, hub_amount=100) for salt in range(4)]
    exits = [
        (till.key, request(till, resident), claim_of(till, hub, 1, 10 + n, receipt_by=resident))
        for n, till in enumerate(tills)
    ]
    # Somebody closes one of them first: the others leave all the same.
    start_closing(world, tills[2])
    world.channels.close_many(exits, sender=stranger.address)
    assert [world.channels.channel(till.id).closing for till in tills] == [True] * 4
    submissions = [(till.key, claim_of(till, resident, 3, 500, receipt_by=hub)) for till in tills]
    world.channels.submit(tills[0].key, claim_of(tills[0], resident, 4, 600), sender=hub.address)
    world.channels.submit_many(submissions, sender=stranger.address)
    let_window_pass()
    world.channels.settle_many([till.key for till in tills], sender=stranger.address)
    paid = 600 + 3 * 500 - (10 + 11 + 13)
    assert credited(world) == (4_000 - paid, 400 + paid)


def test_batches_check_every_signature(world: World) -> None:
    """A forged request or voucher stops its batch, which its carrier could have known."""
    till = open_till(world)
    with boa.reverts("channels: bad signature"):
        world.channels.close_many(
            [(till.key, request(till, resident, signed_by=stranger), NO_CLAIM)], sender=stranger.address
        )
    start_closing(world, till)
    with boa.reverts("channels: bad receipt"):
        world.channels.submit_many([(till.key, claim_of(till, resident, 1, 5))], sender=stranger.address)
    with boa.reverts("channels: bad signature"):
        world.channels.submit_many(
            [(till.key, claim_of(till, resident, 1, 5, signed_by=stranger, receipt_by=hub))], sender=stranger.address
        )


def test_vouchers_that_are_not_newer_are_passed_over(world: World) -> None:
    """Of a channel that is open, or knows them already."""
    till, other = open_till(world), open_till(world, salt=1)
    start_closing(world, till)
    batch = [(t.key, claim_of(t, resident, 2, 5, receipt_by=hub)) for t in (other, till, till)]
    world.channels.submit_many(batch, sender=stranger.address)
    world.channels.submit_many(batch, sender=stranger.address)
    seen = world.channels.channel(till.id)
    assert (seen.nonce_ab, seen.sent_ab, world.channels.channel(other.id).nonce_ab) == (2, 5, 0)
