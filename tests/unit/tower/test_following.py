"""The cursor is where the database is, whatever is lost in between."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from alatau.artifacts import addresses
from alatau.channels.messages import channel_id
from alatau.channels.state import Phase
from alatau.channels.watching import News
from alatau.tower import following, store
from alatau.tower.group_commit import Changes
from alatau.tower.tower import Tower, TowerOptions
from tests.support.channel_network import HUB, OWNER, channel_node, close, open_channels
from tests.support.channels import DOMAIN, parties, protection
from tests.support.solo_node import running
from tests.support.waiting import eventually
from tests.unit.tower.towers import followed, hand_over, serve_until, standing, watching

IDENTITY = channel_id(DOMAIN, parties())


def test_the_cursor_moves_where_nothing_happens(tmp_path: Path) -> None:
    """With every block, not with every event: what a restart begins behind is the tip."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, watching(tmp_path / "tower", run) as tower:
            for _ in range(5):
                node.commit_block()
            await followed(tower, run)
            assert store.cursor(tower.post.database) == node.store.tip.number == 6
            assert (tower.post.tip.height, tower.post.tip.time) == (6, node.store.tip.timestamp)

    trio.run(main)


def test_a_channel_of_every_phase_is_found_in_one_go(tmp_path: Path) -> None:
    """A tower with an empty disk begins at genesis, or where it is told; what was opened before that is unknown."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 3)
        close(node, OWNER, 1, stale=protection(2, 20, ends=parties(1)))
        opened_at = node.store.tip.number
        open_channels(node, 1, first=3)
        ids = [channel_id(DOMAIN, parties(number)) for number in range(4)]
        async with running(node) as run:
            async with watching(tmp_path / "all", run) as tower:
                found = [store.channel(tower.post.database, each) for each in ids]
                phases = [channel.phase for channel in found if channel is not None]
                assert phases == [Phase.OPEN, Phase.CLOSING, Phase.OPEN, Phase.OPEN]
            later = TowerOptions(addresses.CITY_CHANNELS, from_height=opened_at + 1)
            async with watching(tmp_path / "later", run, options=later) as tower:
                assert [store.channel(tower.post.database, each) is not None for each in ids] == [False] * 3 + [True]

    trio.run(main)


def test_a_long_absence_is_caught_up_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole blocks at a time: no part ends within a block, and the cursor never runs ahead of what is written."""
    monkeypatch.setattr(following, "_EVENTS_MAX", 20)

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 60)
        node.commit_block()
        written: list[int] = []
        async with running(node) as run, standing(tmp_path / "tower", run) as tower, trio.open_nursery() as nursery:
            nursery.start_soon(tower.post.commits.run)
            keep = following.apply_news

            def noted(changes: Changes, news: Sequence[tuple[bytes, News]]) -> list[bytes]:
                written.append(len(news))
                return keep(changes, news)

            monkeypatch.setattr(following, "apply_news", noted)
            await tower.follower.catch_up(node.store.tip.number)
            nursery.cancel_scope.cancel()
            assert written == [33, 27]
            assert tower.post.height == store.cursor(tower.post.database) == node.store.tip.number
            assert len([n for n in range(60) if _is_known(tower, n)]) == 60

    trio.run(main)


def _is_known(tower: Tower, number: int) -> bool:
    return store.channel(tower.post.database, channel_id(DOMAIN, parties(number))) is not None


def test_a_lost_node_is_followed_again(tmp_path: Path) -> None:
    """What was decided while nobody answered is not missed, and is contested."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 1)
        async with trio.open_nursery() as nursery:
            lost = trio.CancelScope()
            run = await nursery.start(serve_until, node, lost)
            async with watching(tmp_path / "tower", run) as tower:
                await hand_over(tower, [protection(7, 9, payer=HUB)])
                lost.cancel()
                await eventually(lambda: not nursery.child_tasks, "the node is gone")
                close(node, HUB)
                await nursery.start(serve_until, node, trio.CancelScope(), run.server.ports[0])
                await eventually(lambda: tower.post.contests_won == 1, "it contests", within_s=30)
                await followed(tower, run)
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_a_disk_of_another_network_is_refused(tmp_path: Path) -> None:
    """A tower does not mix channels of two contracts."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, standing(tmp_path / "tower", run) as tower:
            network = store.stored_network(tower.post.database)
            assert network is not None
            assert (network.chain_id, network.genesis_hash) == (DOMAIN.chain_id, node.store.genesis_hash)
            assert (network.settle_blocks, network.settle_seconds, network.domain) == (12, 3, DOMAIN)

    trio.run(main)
