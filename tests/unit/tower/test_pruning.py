"""Settled channels are forgotten some time after."""

from pathlib import Path

import trio

from alatau.channels.messages import channel_id
from alatau.channels.watching import NewsSettled
from alatau.tower import store
from alatau.tower.group_commit import Changes
from alatau.tower.pruning import forget_settled
from tests.support.channels import DOMAIN, parties, protection
from tests.support.tower_post import manned, tell, tell_opened

COUNT = 300
"""More than one change forgets."""


def test_only_what_settled_long_ago_is_forgotten(tmp_path: Path) -> None:
    """All of it, in as many changes as it takes; the others and their vouchers stay, and are counted."""

    async def main() -> None:
        async with manned(tmp_path) as post:
            ids = [channel_id(DOMAIN, parties(number)) for number in range(COUNT)]
            await tell_opened(post, 1, COUNT)

            def hold(changes: Changes) -> None:
                for number in (0, COUNT - 2, COUNT - 1):
                    store.keep_protection(changes, protection(1, 1, ends=parties(number)))

            await post.commits.commit(hold)
            await tell(post, 5, [(each, NewsSettled(5)) for each in ids[: COUNT - 2]])
            await tell(post, 6, [(ids[COUNT - 2], NewsSettled(6))])
            assert await forget_settled(post, -1) == 0
            assert await forget_settled(post, 4) == 0
            assert await forget_settled(post, 5) == COUNT - 2
            assert [store.channel(post.database, each) is not None for each in ids[-3:]] == [False, True, True]
            assert (list(store.protected_channels(post.database)), post.docket.protected) == (sorted(ids[-2:]), 2)

    trio.run(main)
