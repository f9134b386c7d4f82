"""A stale close on a real chain: contested by one tower, by two, by one that was down, by one that was kept out."""

from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs

from alatau.channels.messages import Lock, channel_id
from alatau.channels.state import Phase
from alatau.tower import contesting, store
from tests.support.channel_network import (
    TOWERS,
    channel_node,
    close,
    events_of,
    open_channels,
    reinstate,
    suspend,
)
from tests.support.channels import DOMAIN, HUB, OWNER, parties, protection
from tests.support.solo_node import running
from tests.support.waiting import eventually
from tests.unit.tower.towers import followed, hand_over, standing, watching


def submitted(node: object) -> list[tuple[bytes, int]]:
    """Payer and nonce of every voucher that the contract took."""
    return [(event["payer"], event["nonce"]) for event in events_of(node, "Submitted")]  # type: ignore[arg-type]


def test_a_stale_close_is_contested(tmp_path: Path) -> None:
    """The owner closes with its second voucher; the contract hears of the fifth, and of the hub's, locks and all."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 2)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            locks = [Lock(b"\x07" * 32, 3, node.store.tip.number + 5)]
            await hand_over(tower, [protection(5, 50, locks=locks), protection(4, 9, payer=HUB)])
            close(node, OWNER, stale=protection(2, 20))
            await eventually(lambda: len(submitted(node)) == 3, "both directions are brought")
            assert sorted(submitted(node)[1:]) == sorted([(OWNER.address, 5), (HUB.address, 4)])
            await eventually(lambda: tower.post.contests_won == 2, "the tower knows that it did")
            assert tower.post.docket.due() == []
            watched = store.channel(tower.post.database, channel_id(DOMAIN, parties()))
            assert watched is not None
            assert (watched.phase, watched.ab.nonce, watched.ba.nonce) == (Phase.CLOSING, 5, 4)
            assert watched.ab.locks == tuple(locks)
            assert tower.post.alarms.words() == ()

    trio.run(main)


def test_nothing_is_revealed_that_the_chain_need_not_know(tmp_path: Path) -> None:
    """A close with the newest voucher, and an open channel, bring nothing on chain."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 2)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            await hand_over(tower, [protection(5, 50), protection(6, 60, ends=parties(1))])
            close(node, OWNER, stale=protection(5, 50))
            await followed(tower, run)
            close(node, HUB, 1, stale=protection(6, 60, ends=parties(1)))
            await followed(tower, run)
            await trio.testing.wait_all_tasks_blocked(0.2)
            assert submitted(node) == [(OWNER.address, 5), (OWNER.address, 6)]
            assert tower.post.contests_won == 0

    trio.run(main)


def test_two_towers_do_no_harm(tmp_path: Path) -> None:
    """Both know of a stale close at once: each voucher is on chain once, and none of the towers is troubled."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 3)
        async with (
            running(node, produce=True) as run,
            watching(tmp_path / "first", run) as first,
            watching(tmp_path / "second", run, TOWERS[1]) as second,
        ):
            towers = (first, second)
            for tower in towers:
                await hand_over(tower, [protection(5, 50, ends=parties(number)) for number in range(3)])
            for number in range(3):
                close(node, OWNER, number)
            await eventually(lambda: not any(tower.post.docket.due() for tower in towers) and submitted(node))
            for tower in towers:
                await followed(tower, run)
            assert submitted(node) == [(OWNER.address, 5)] * 3
            await eventually(lambda: sum(tower.post.contests_won for tower in towers) == 3)
            assert [tower.post.alarms.words() for tower in towers] == [(), ()]

    trio.run(main)


def test_a_tower_that_was_down_catches_up_and_contests(tmp_path: Path) -> None:
    """What happened meanwhile, in any number of blocks, is followed up first; it begins exactly behind what it knew."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 1)
        async with running(node, produce=True) as run:
            async with watching(tmp_path / "tower", run) as tower:
                await hand_over(tower, [protection(5, 50)])
                reached = tower.post.height
            close(node, OWNER)
            for _ in range(3):
                node.commit_block()
            async with standing(tmp_path / "tower", run) as tower:
                assert (tower.post.height, tower.post.docket.protected) == (reached, 1)
            async with watching(tmp_path / "tower", run) as tower:
                await eventually(lambda: submitted(node) == [(OWNER.address, 5)], "it contests")

    trio.run(main)


def test_without_permission_it_alarms_and_goes_on_trying(tmp_path: Path) -> None:
    """Suspended before the close: alarms say what to do; reinstated within the window, it contests, and they end."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 1)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            await hand_over(tower, [protection(5, 50)])
            suspend(node, TOWERS[0].address)
            close(node, OWNER)
            await eventually(lambda: {"permission", "contests"} <= set(tower.post.alarms.on), "it alarms")
            assert submitted(node) == []
            reinstate(node, TOWERS[0].address)
            await eventually(lambda: submitted(node) == [(OWNER.address, 5)], "it contests")
            await eventually(lambda: not tower.post.alarms.on, "the alarms end")

    trio.run(main)


def test_a_voucher_that_the_contract_refuses_spoils_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of five has a lock that outlives the window, past all checks: the others are brought, and it is let rest."""
    monkeypatch.setattr(contesting, "_HEARD_S", 0.05)

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 5)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            good = [protection(5, 50, ends=parties(number)) for number in (0, 1, 3, 4)]
            poison = protection(5, 50, ends=parties(2), locks=[Lock(b"\x07" * 32, 3, 10**6)])
            await hand_over(tower, good)
            await tower.post.commits.commit(lambda changes: store.keep_protection(changes, poison))
            with capture_logs() as entries:
                for number in range(5):
                    close(node, OWNER, number)
                await eventually(lambda: len(submitted(node)) == 4, "the others are brought")
                await eventually(lambda: "contests" in tower.post.alarms.on, "the one is told of")
                await trio.testing.wait_all_tasks_blocked(0.5)
            assert "locks: expires after the window" in tower.post.alarms.on["contests"]
            assert [entry["event"] for entry in entries].count("tower.item_refused") == 1

    trio.run(main)
