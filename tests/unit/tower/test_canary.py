"""A tower tries itself on a real chain, and a trial that it does not win is an alarm."""

from dataclasses import replace
from pathlib import Path

import pytest
import trio

from alatau.tower import store
from alatau.tower.canary import CanaryFailedError, CanaryKeeper
from alatau.tower.duties import Duties
from tests.support.channel_network import (
    CANARY_HUB,
    SETTLE_BLOCKS,
    TOWERS,
    channel_node,
    close,
    events_of,
    open_channels,
)
from tests.support.channels import HUB, OWNER, parties, protection
from tests.support.solo_node import SoloNode, running
from tests.support.waiting import eventually
from tests.unit.tower.towers import OPTIONS, followed, hand_over, standing, watching

TRIED = replace(OPTIONS, canary_hub=CANARY_HUB, canary_period_s=1.0)


async def pass_blocks(node: SoloNode) -> None:
    """A chain that goes on."""
    while True:
        await trio.sleep(0.05)
        node.commit_block()


def test_it_wins_trial_after_trial(tmp_path: Path) -> None:
    """Each in a channel of its own, closed with the old voucher, corrected, settled; the time is kept."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run, options=TRIED) as tower:
            run.nursery.start_soon(pass_blocks, node)
            await eventually(lambda: len(events_of(node, "Settled")) >= 2, "two trials", within_s=60)
            submitted = [(event["payer"], event["nonce"]) for event in events_of(node, "Submitted")]
            assert submitted[:4] == [(CANARY_HUB.address, 1), (CANARY_HUB.address, 2)] * 2
            assert len({event["id"] for event in events_of(node, "Opened")}) >= 2
            assert {(event["a"], event["amount"]) for event in events_of(node, "Opened")} == {(TOWERS[0].address, 0)}
            assert store.canary(tower.post.database).contested > 1_700_000_000
            assert "canary" not in tower.post.alarms.on

    trio.run(main)


def test_a_trial_goes_on_after_a_kill(tmp_path: Path) -> None:
    """The tower was killed between closing and contesting: started again, it wins that trial and begins no other."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        slow = replace(TRIED, canary_period_s=3_600.0)
        async with running(node, produce=True) as run:
            async with standing(tmp_path / "tower", run, options=slow) as tower, trio.open_nursery() as nursery:
                nursery.start_soon(tower.post.commits.run)
                nursery.start_soon(tower.follower.run)
                keeper = CanaryKeeper(tower.post, tower.sender, tower.follower, CANARY_HUB, 3_600.0)
                nursery.start_soon(keeper.run)
                await eventually(lambda: events_of(node, "Closing"), "the trial is closing")
                nursery.cancel_scope.cancel()
            assert [event["nonce"] for event in events_of(node, "Submitted")] == [1]
            run.nursery.start_soon(pass_blocks, node)
            async with watching(tmp_path / "tower", run, options=slow) as tower:
                await eventually(lambda: events_of(node, "Settled"), "it settles", within_s=30)
                assert [event["nonce"] for event in events_of(node, "Submitted")] == [1, 2]
                assert len(events_of(node, "Opened")) == 1
                assert store.canary(tower.post.database).contested > 0

    trio.run(main)


def test_a_trial_that_is_lost_is_an_alarm(tmp_path: Path) -> None:
    """Nobody contests: when the window has passed the trial says so, before a real channel is lost the same way."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        async with (
            running(node, produce=True) as run,
            standing(tmp_path / "tower", run, options=TRIED) as tower,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(tower.post.commits.run)
            nursery.start_soon(tower.follower.run)
            keeper = CanaryKeeper(tower.post, tower.sender, tower.follower, CANARY_HUB, 1.0)
            await tower.follower.caught_up()

            async def lose() -> None:
                await eventually(lambda: events_of(node, "Closing"), "the trial is closing")
                for _ in range(SETTLE_BLOCKS + 1):
                    node.commit_block()

            nursery.start_soon(lose)
            with pytest.raises(CanaryFailedError, match="was lost"):
                await keeper.trial()
            nursery.start_soon(keeper.run)
            duties = Duties(tower.post, tower.client, canary_due_s=10**6)
            await eventually(lambda: tower.post.canary_failure, "the keeper remembers")
            await duties.look()
            assert "was lost" in tower.post.alarms.on["canary"]
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_a_trial_by_others_counts(tmp_path: Path) -> None:
    """Where an account was named whose channels are canaries, a contest of one of them is the sign of life."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 1)
        for named, expected in ((OWNER.address, True), (HUB.address, False)):
            close_height = node.store.tip.number
            options = replace(OPTIONS, canary_account=named)
            async with (
                running(node, produce=True) as run,
                watching(tmp_path / f"tower {close_height}", run, options=options) as tower,
            ):
                number = 0 if expected else 1
                if not expected:
                    open_channels(node, 1, first=1)
                    await followed(tower, run)
                await hand_over(tower, [protection(5, 50, ends=parties(number))])
                close(node, OWNER, number)
                await eventually(lambda tower=tower: tower.post.contests_won == 1, "it contests")
                await trio.testing.wait_all_tasks_blocked(0.1)
                assert (store.canary(tower.post.database).contested > 0) is expected

    trio.run(main)
