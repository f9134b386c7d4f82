"""Council.confirm: approval by transaction."""

import boa

from tests.contracts.world import World, chair, guardian, stranger


def test_only_members_confirm(world: World) -> None:
    """Nobody else leaves a mark."""
    for outsider in (stranger, guardian):
        with boa.reverts("council: not a member"):
            world.fund_council.confirm(bytes(32), sender=outsider.address)
    world.fund_council.confirm(bytes(32), sender=chair.address)
    seen, event = world.fund_council.get_logs()
    assert (event.digest, event.member, seen.member) == (bytes(32), chair.address, chair.address)
