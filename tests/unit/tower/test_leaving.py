"""A mass exit on a real chain, while the hub is silent: everybody gets what the newest vouchers say."""

from collections.abc import Sequence
from pathlib import Path

import trio

from alatau.channels.messages import Lock, channel_id
from alatau.channels.protection import SignedCloseRequest
from alatau.crypto.secp256k1 import PrivateKey
from alatau.tower.contesting import Contester
from alatau.tower.group_commit import Changes
from alatau.tower.leaving import MassExit, Progress
from alatau.tower.protecting import take_close_request
from alatau.tower.tower import Tower
from tests.support.channel_network import DEPOSIT, SETTLE_BLOCKS, channel_node, close, events_of, open_channels
from tests.support.channels import DOMAIN, HUB, close_request, parties, protection
from tests.support.solo_node import SoloNode, running
from tests.support.waiting import eventually
from tests.unit.tower.towers import followed, hand_over, standing, watching

LATE = 1_700_000_000 + 10**6
COUNT = 70
"""More than one closing transaction takes."""


async def deposit(tower: Tower, requests: Sequence[SignedCloseRequest]) -> None:
    """Give a tower requests, past the wire."""

    def take(changes: Changes) -> None:
        for each in requests:
            take_close_request(changes, each, tower.post.height, int(tower.post.now()))

    await tower.post.commits.commit(take)


async def pass_blocks(node: SoloNode) -> None:
    """A chain that goes on."""
    while True:
        await trio.sleep(0.1)
        node.commit_block()


def payouts(node: SoloNode) -> dict[bytes, tuple[int, int]]:
    """By channel, what a and b got."""
    return {event["id"]: (event["payout_a"], event["payout_b"]) for event in events_of(node, "Settled")}


def test_all_leave_with_what_is_theirs(tmp_path: Path) -> None:
    """Vouchers of both directions and pending payments count; who has not asked stays; who closes already leaves."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, COUNT + 1)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            asking = range(COUNT)
            await hand_over(tower, [protection(5, 100, ends=parties(n)) for n in asking if n % 2])
            await hand_over(tower, [protection(7, 30, ends=parties(n), payer=HUB) for n in asking if n % 3 == 0])
            lock = Lock(b"\x07" * 32, 3, node.store.tip.number + 11)
            await hand_over(tower, [protection(6, 110, ends=parties(1), locks=[lock])])
            await deposit(tower, [close_request(LATE, ends=parties(n)) for n in asking])
            close(node, HUB, 2)
            await followed(tower, run)
            reports: list[Progress] = []
            run.nursery.start_soon(pass_blocks, node)
            with trio.fail_after(120):
                done = await MassExit(tower.post, tower.sender, tower.follower).run(reports.append)
            assert (done.asked, done.settled, done.late, done.refused) == (COUNT, COUNT, 0, 0)
            expected = {}
            for n in asking:
                sent = (110 if n == 1 else 100 if n % 2 else 0) - (30 if n % 3 == 0 else 0)
                paid = max(0, min(DEPOSIT, DEPOSIT - sent))
                expected[channel_id(DOMAIN, parties(n))] = (paid, DEPOSIT - paid)
            assert payouts(node) == expected
            assert [each.settled for each in reports] == sorted(each.settled for each in reports)
            assert max(each.closing for each in reports) > 0
            assert tower.post.alarms.words() == ()

    trio.run(main)


def test_an_exit_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    """Begun again by a tower that was killed while channels were closing, it finishes; nothing is closed twice."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 3)
        async with running(node, produce=True) as run:
            async with watching(tmp_path / "tower", run) as tower:
                await deposit(tower, [close_request(LATE, ends=parties(n)) for n in range(3)])
                with trio.CancelScope() as killed:

                    def stop(progress: Progress) -> None:
                        if progress.closing == 3:
                            killed.cancel()

                    await MassExit(tower.post, tower.sender, tower.follower).run(stop)
                assert killed.cancelled_caught
            run.nursery.start_soon(pass_blocks, node)
            async with watching(tmp_path / "tower", run) as tower:
                with trio.fail_after(60):
                    done = await MassExit(tower.post, tower.sender, tower.follower).run(lambda _: None)
            assert (done.settled, len(events_of(node, "Closing")), len(payouts(node))) == (3, 3, 3)

    trio.run(main)


def test_late_and_refused_requests_hold_up_no_other(tmp_path: Path) -> None:
    """One is past its deadline, one carries a forged signature, past all checks: both are counted, the rest leaves."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 4)
        async with running(node, produce=True) as run, watching(tmp_path / "tower", run) as tower:
            soon = int(tower.post.now()) + 5
            forged = close_request(LATE, ends=parties(1), signer=PrivateKey(b"\x61" * 32))
            good = [close_request(LATE, ends=parties(n)) for n in (0, 3)]
            await deposit(tower, [close_request(soon, ends=parties(2)), forged, *good])
            run.nursery.start_soon(pass_blocks, node)
            with trio.fail_after(60):
                done = await MassExit(tower.post, tower.sender, tower.follower).run(lambda _: None)
            assert (done.asked, done.settled, done.late, done.refused) == (4, 2, 1, 1)
            assert set(payouts(node)) == {channel_id(DOMAIN, parties(n)) for n in (0, 3)}

    trio.run(main)


def test_nothing_is_settled_below_what_is_due(tmp_path: Path) -> None:
    """While a voucher could not be brought yet the tower does not end its channel, although anybody may."""

    async def main() -> None:
        node = channel_node(tmp_path / "node")
        open_channels(node, 1)
        async with (
            running(node, produce=True) as run,
            standing(tmp_path / "tower", run) as tower,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(tower.post.commits.run)
            nursery.start_soon(tower.follower.run)
            await followed(tower, run)
            await hand_over(tower, [protection(5, 100), protection(7, 30, payer=HUB)])
            await deposit(tower, [close_request(LATE)])
            nursery.start_soon(MassExit(tower.post, tower.sender, tower.follower).run, lambda _: None)
            await eventually(tower.post.docket.due, "one direction is due")
            for _ in range(SETTLE_BLOCKS + 3):
                node.commit_block()
            await followed(tower, run)
            await trio.testing.wait_all_tasks_blocked(0.5)
            assert payouts(node) == {}
            nursery.start_soon(Contester(tower.post, tower.sender).run)
            nursery.start_soon(pass_blocks, node)
            await eventually(lambda: payouts(node), "it settles", within_s=30)
            assert list(payouts(node).values()) == [(DEPOSIT - 70, 70)]
            nursery.cancel_scope.cancel()

    trio.run(main)
