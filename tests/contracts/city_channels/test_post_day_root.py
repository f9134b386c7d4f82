"""CityChannels.post_day_root: a hub commits to its book of a day."""

import boa

from tests.contracts.world import NO_HASH, World, hub, merchant, now

ROOT = b"\x09" * 32


def test_root_is_posted_once_after_the_day(world: World) -> None:
    """Yesterday's book is closed; today's is not."""
    today = now() // 86_400
    with boa.reverts("channels: the day is not over"):
        world.channels.post_day_root(today, ROOT, sender=hub.address)
    world.channels.post_day_root(today - 1, ROOT, sender=hub.address)
    assert world.channels.day_root(hub.address, today - 1) == ROOT
    with boa.reverts("channels: posted already"):
        world.channels.post_day_root(today - 1, b"\x01" * 32, sender=hub.address)


def test_only_hubs_post_and_only_roots(world: World) -> None:
    """Not merchants, and not nothing."""
    with boa.reverts("channels: hub not licensed"):
        world.channels.post_day_root(1, ROOT, sender=merchant.address)
    with boa.reverts("channels: no root"):
        world.channels.post_day_root(1, NO_HASH, sender=hub.address)
