"""What the contract has to hear of: kept while a tower runs, made again when it starts."""

from pathlib import Path

import trio

from alatau.channels.messages import channel_id
from alatau.channels.state import Window
from alatau.channels.watching import NewsClosing, NewsSettled, NewsSubmitted, Submitted
from alatau.tower import store
from alatau.tower.docket import Docket
from alatau.tower.group_commit import Changes
from alatau.tower.post import Post
from tests.support.channels import DOMAIN, HUB, OWNER, parties, protection
from tests.support.tower_post import NOW, manned, tell, tell_opened

FIRST, SECOND = (channel_id(DOMAIN, parties(number)) for number in range(2))


async def hold(post: Post, *nonces: int) -> None:
    """Vouchers of the owner in the first channels, in their order."""

    def write(changes: Changes) -> None:
        for number, nonce in enumerate(nonces):
            store.keep_protection(changes, protection(nonce, 10 * nonce, ends=parties(number)))

    await post.commits.commit(write)


def due(docket: Docket) -> list[tuple[bytes, int]]:
    """Channel and nonce, the most urgent first."""
    return [(each.held.voucher.channel_id, each.held.voucher.nonce) for each in docket.due()]


def test_what_is_due_follows_the_chain_and_a_restart(tmp_path: Path) -> None:
    """A close below what is held; the more urgent first; over when the contract knows it, or has settled."""

    async def main() -> None:
        async with manned(tmp_path) as post:
            await tell_opened(post, 7, 2)
            await hold(post, 5, 6)
            assert due(post.docket) == []
            await tell(post, 8, [(FIRST, NewsClosing(Window(30, NOW)))])
            await tell(post, 9, [(SECOND, NewsClosing(Window(20, NOW)))])
            await tell(post, 9, [(SECOND, NewsSubmitted(HUB.address, Submitted(9)))])
            assert due(post.docket) == [(SECOND, 6), (FIRST, 5)]
        async with manned(tmp_path) as post:
            assert due(post.docket) == [(SECOND, 6), (FIRST, 5)]
            first, second = reversed(post.docket.due())
            await tell(post, 10, [(FIRST, NewsSubmitted(OWNER.address, Submitted(4)))])
            assert post.docket.is_due(first)
            await tell(post, 11, [(FIRST, NewsSubmitted(OWNER.address, Submitted(5)))])
            assert not post.docket.is_due(first)
            assert due(post.docket) == [(SECOND, 6)]
            await tell(post, 12, [(SECOND, NewsSettled(12))])
            assert not post.docket.is_due(second)
            assert (due(post.docket), list(post.docket.closing)) == ([], [FIRST])
            assert list(store.closing(post.database)) == [FIRST]

    trio.run(main)


def test_who_waits_hears_of_a_closing(tmp_path: Path) -> None:
    """And not of an opening, which asks nothing of a tower."""

    async def main() -> None:
        async with manned(tmp_path) as post:
            with trio.move_on_after(5) as waiting:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(post.docket.changed)
                    await tell_opened(post, 7, 1)
                    await trio.testing.wait_all_tasks_blocked()
                    assert nursery.child_tasks
                    await tell(post, 8, [(FIRST, NewsClosing(Window(30, NOW)))])
            assert not waiting.cancelled_caught

    trio.run(main)
