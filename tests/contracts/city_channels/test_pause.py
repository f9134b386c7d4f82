"""CityChannels.pause and unpause: the guardian stops new money, the council lets it in again."""

import boa

from tests.contracts.city_channels.tills import open_till
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    chair,
    decide,
    guardian,
    hub,
    terms,
    wait,
)


def test_only_the_guardian_pauses(world: World) -> None:
    """At once."""
    for other in (chair, hub):
        with boa.reverts("only the guardian"):
            world.channels.pause(sender=other.address)
    world.channels.pause(sender=guardian.address)
    assert world.channels.paused()


def test_council_lifts_the_pause_after_the_delay(world: World) -> None:
    """Two of three, then the delay, then once."""
    world.channels.pause(sender=guardian.address)
    decision = terms(world.fund_council)
    identity = world.channels.propose_unpause(decision, sender=chair.address)
    decide(world.channels, identity, chair, banker, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.channels.unpause(decision)
    wait(1)
    world.channels.unpause(decision)
    open_till(world)
    world.channels.pause(sender=guardian.address)
    with boa.reverts("decision: not approved"):
        world.channels.unpause(decision)
