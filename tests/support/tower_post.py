"""A tower's post on a real disk, without a chain: what it has heard is told by hand."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.channels.messages import channel_id
from alatau.channels.watching import News, NewsOpened
from alatau.client.abi import load_abi
from alatau.crypto.secp256k1 import PrivateKey
from alatau.storage.disk import Disk
from alatau.tower import store
from alatau.tower.docket import Docket
from alatau.tower.following import apply_news
from alatau.tower.group_commit import GroupCommit
from alatau.tower.post import Post
from tests.support.channels import parties
from tests.support.transactions import CHAIN_ID

TOWER = PrivateKey(b"\x44" * 32)
NOW = 1_700_000_000
NETWORK = store.Network(CHAIN_ID, b"\x05" * 32, addresses.CITY_CHANNELS, settle_blocks=10, settle_seconds=5)


@asynccontextmanager
async def manned(
    folder: Path, disk: Disk | None = None, clock: Callable[[], float] = lambda: NOW
) -> AsyncIterator[Post]:
    """A post whose writer runs; ``clock`` gives seconds since 1970."""
    database = store.open_store(folder, disk)
    docket = Docket(database)
    docket.load()
    post = Post(TOWER, NETWORK, load_abi(load("CityChannels").abi), database, GroupCommit(database), docket, clock)
    post.height = store.cursor(database) or 0
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(post.commits.run)
            yield post
            nursery.cancel_scope.cancel()
    finally:
        database.close()


async def tell(post: Post, height: int, news: Sequence[tuple[bytes, News]]) -> None:
    """The chain says something in a block."""

    def write(changes: object) -> list[bytes]:
        changed = apply_news(changes, news)  # type: ignore[arg-type]
        store.keep_cursor(changes, height)  # type: ignore[arg-type]
        return changed

    for changed in await post.commits.commit(write):
        post.docket.refresh(changed)
    post.height = height


async def tell_opened(post: Post, height: int, count: int) -> None:
    """The first ``count`` channels are opened."""
    domain = post.network.domain
    ends = [parties(number) for number in range(count)]
    await tell(post, height, [(channel_id(domain, each), NewsOpened(each)) for each in ends])
