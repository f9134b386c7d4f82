"""What would keep a tower from contesting is said before anybody closes."""

from dataclasses import replace
from pathlib import Path

import trio

from alatau.artifacts.genesis import SYSTEM_CONTRACTS
from alatau.tower import store
from alatau.tower.duties import SILENCE_S, Duties
from alatau.wire.status import SyncState
from tests.support.channel_network import SETTLE_BLOCKS, TOWERS, channel_contracts, channel_node, suspend
from tests.support.solo_node import running, solo_node
from tests.support.waiting import eventually
from tests.unit.tower.towers import serve_until, standing, watching


def test_a_tower_at_its_post_has_no_alarms(tmp_path: Path) -> None:
    """However often it looks."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, watching(tmp_path / "tower", run) as tower:
            duties = Duties(tower.post, tower.client, canary_due_s=None)
            for _ in range(3):
                await duties.look()
                assert tower.post.alarms.words() == ()

    trio.run(main)


def test_it_says_when_it_may_not_send(tmp_path: Path) -> None:
    """Suspended, it names the account and who can mend it."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, standing(tmp_path / "tower", run) as tower:
            duties = Duties(tower.post, tower.client, canary_due_s=None)
            suspend(node, TOWERS[0].address)
            await duties.look()
            assert TOWERS[0].address.hex() in tower.post.alarms.on["permission"]
            assert "registrar" in tower.post.alarms.on["permission"]

    trio.run(main)


def test_it_says_when_it_cannot_pay(tmp_path: Path) -> None:
    """On a network with fees the account must hold what ten large transactions cost."""

    async def main() -> None:
        registry = SYSTEM_CONTRACTS.participant_registry
        node = solo_node(tmp_path / "node", registry=registry, contracts=channel_contracts(), base_fee_per_gas=7)
        async with running(node) as run, standing(tmp_path / "tower", run) as tower:
            await Duties(tower.post, tower.client, canary_due_s=None).look()
            assert f"{7 * 10 * (1 << 24)} for ten" in tower.post.alarms.on["funds"]

    trio.run(main)


def test_it_says_when_its_node_is_of_no_use(tmp_path: Path) -> None:
    """Gone, syncing, of another network, or of a chain that stands still."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with trio.open_nursery() as nursery:
            gone = trio.CancelScope()
            run = await nursery.start(serve_until, node, gone)
            async with standing(tmp_path / "tower", run) as tower:
                post, alarms = tower.post, tower.post.alarms
                duties = Duties(post, tower.client, canary_due_s=None)
                node.sync_state = SyncState.SYNCING  # type: ignore[assignment]
                await duties.look()
                assert "syncing" in alarms.on["connection"]
                node.sync_state = SyncState.SYNCED  # type: ignore[assignment]
                await duties.look()
                assert "connection" not in alarms.on
                network, post.network = post.network, replace(post.network, genesis_hash=bytes(32))
                await duties.look()
                assert "another network" in alarms.on["connection"]
                post.network = network
                duties._advanced_at -= SILENCE_S + 1
                await duties.look()
                assert "no new block for 61 s" in alarms.on["connection"]
                node.commit_block()
                await duties.look()
                assert "connection" not in alarms.on
                gone.cancel()
                await eventually(lambda: not nursery.child_tasks, "the node is gone")
                await duties.look()
                assert "no node answers" in alarms.on["connection"]

    trio.run(main)


def test_it_says_when_it_lags_half_a_window(tmp_path: Path) -> None:
    """Behind where the chain was at the look before: one that keeps up is never behind that."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, standing(tmp_path / "tower", run) as tower:
            duties = Duties(tower.post, tower.client, canary_due_s=None)
            for _ in range(SETTLE_BLOCKS // 2):
                node.commit_block()
            for expected in (False, True):
                await duties.look()
                assert ("lag" in tower.post.alarms.on) is expected
            tower.post.height = node.store.tip.number
            await duties.look()
            assert "lag" not in tower.post.alarms.on

    trio.run(main)


def test_it_says_when_its_trial_is_overdue(tmp_path: Path) -> None:
    """From its start, then from the last that succeeded."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, watching(tmp_path / "tower", run) as tower:
            now = tower.post.now()
            duties = Duties(tower.post, tower.client, canary_due_s=100)
            await duties.look()
            assert "canary" not in tower.post.alarms.on
            tower.post.now = lambda: now + 101
            await duties.look()
            assert "no contest of a canary channel has succeeded" in tower.post.alarms.on["canary"]
            await tower.post.commits.commit(lambda c: store.keep_canary(c, store.Canary(b"", int(now + 1))))
            await duties.look()
            assert "canary" not in tower.post.alarms.on

    trio.run(main)


def test_it_says_when_its_clock_is_wrong(tmp_path: Path) -> None:
    """By blocks that were decided just now, in either direction; right again, it is quiet."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node) as run, watching(tmp_path / "tower", run) as tower:
            right = tower.post.now
            for wrong_s, words in ((-20, "behind"), (20, "ahead of"), (0, None)):
                tower.post.now = lambda wrong_s=wrong_s: right() + wrong_s
                await trio.sleep(0.2)
                node.commit_block()
                await eventually(lambda words=words: (words or "") in tower.post.alarms.on.get("clock", ""))
                await eventually(lambda words=words: ("clock" in tower.post.alarms.on) is (words is not None))

    trio.run(main)
