"""A council whose keys are lost, and what restores it."""

from tests.contracts.world import (
    DELAY,
    SILENCE,
    World,
    deputy,
    governor,
    guardian,
    lawyer,
    stranger,
    terms,
    wait,
)

Change = tuple[list[str], int, str, tuple[int, int, int, int]]


def restoration(world: World) -> Change:
    """New members for the fund council, under the policy of the reserve council."""
    members = sorted([stranger.address, lawyer.address], key=lambda a: int(a, 16))
    return (members, 2, guardian.address, terms(world.reserve_council, lasts=30 * DELAY))


def lose_keys(world: World) -> None:
    """All of the fund council fall silent; the board does not."""
    wait(SILENCE)
    for member in (governor, deputy):
        world.reserve_council.check_in(sender=member.address)
