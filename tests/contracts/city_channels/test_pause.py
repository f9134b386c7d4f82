"""ChannelPause.pause and unpause: the guardian stops new money, time or the council lets it in again."""

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
    resident,
    terms,
    wait,
)

DAY = 86_400


def test_only_the_guardian_pauses(world: World) -> None:
    """At once."""
    for other in (chair, hub):
        with boa.reverts("only the guardian"):
            world.channel_pause.pause(sender=other.address)
    world.channel_pause.pause(sender=guardian.address)
    assert world.channels.paused()


def test_council_lifts_the_pause_after_the_delay(world: World) -> None:
    """Two of three, then the delay, then once."""
    world.channel_pause.pause(sender=guardian.address)
    decision = terms(world.fund_council)
    identity = world.channel_pause.propose_unpause(decision, sender=chair.address)
    decide(world.channel_pause, identity, chair, banker, delay=DELAY - 1)
    with boa.reverts("decision: not ripe"):
        world.channel_pause.unpause(decision)
    wait(1)
    world.channel_pause.unpause(decision)
    open_till(world)
    with boa.reverts("decision: not approved"):
        world.channel_pause.unpause(decision)


def test_a_pause_lapses_and_its_guardian_rests(world: World) -> None:
    """New money waits a week at most, and two weeks pass before the same guardian stops it again (ADR 0043)."""
    world.channel_pause.pause(sender=guardian.address)
    assert world.channels.paused()
    wait(7 * DAY - 1)
    with boa.reverts("channels: paused"):
        world.channels.open(hub.address, bytes(32), 0, sender=resident.address)
    wait(1)
    assert not world.channels.paused()
    open_till(world)
    wait(14 * DAY - 1)
    with boa.reverts("pause: this guardian rests"):
        world.channel_pause.pause(sender=guardian.address)
    wait(1)
    world.channel_pause.pause(sender=guardian.address)
    assert world.channels.paused()
