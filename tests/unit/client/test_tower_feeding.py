"""Vouchers that go to real towers, over TLS: taken, caught up with, refused, asked back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import trio

from alatau.channels.messages import channel_id, channels_domain
from alatau.channels.state import ChannelState, Side, opened
from alatau.client.tower_feeding import Party, TowerEndpoint, TowerError, TowerLink
from alatau.tower import store
from alatau.tower.post import Post
from tests.support.channels import DOMAIN, HUB, OWNER, parties, protection
from tests.support.guest import as_guest
from tests.support.served_tower import served_tower
from tests.support.tower_post import NOW, TOWER, tell_opened
from tests.support.waiting import eventually


def channel(nonce: int, transferred: int, number: int = 0) -> ChannelState:
    """A channel in which the owner's newest voucher pays the hub; 0 for none."""
    state = opened(DOMAIN, parties(number), 1_000, settle_blocks=10)
    signed = protection(nonce, transferred, ends=parties(number)).signed if nonce else None
    return ChannelState(DOMAIN, state.parties, state.id, 10, a=Side(1_000, latest=signed))


@dataclass
class Client:
    """A hub as its towers see it."""

    states: list[ChannelState] = field(default_factory=list)
    words: dict[bytes, int] = field(default_factory=dict)
    alarms: list[str] = field(default_factory=list)

    def load(self, tower: bytes) -> dict[bytes, int]:
        """As ``Words``."""
        assert tower == TOWER.address
        return dict(self.words)

    def keep(self, tower: bytes, news: dict[bytes, int]) -> None:  # type: ignore[override]
        """As ``Words``."""
        assert tower == TOWER.address
        self.words = {channel: nonce for channel, nonce in (self.words | news).items() if nonce}

    def link(self, tower: TowerEndpoint, close_by: int = 0, *, owner: bool = False) -> TowerLink:
        """Its end of one tower."""
        key = OWNER if owner else HUB
        party = Party(DOMAIN, key.address, key.sign)
        return TowerLink(tower, party, self, lambda: self.states, self.alarms.append, linger_s=0.0, close_by=close_by)


@asynccontextmanager
async def feeding(link: TowerLink) -> AsyncIterator[None]:
    """While its task runs."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        yield
        nursery.cancel_scope.cancel()


def held(post: Post, number: int = 0) -> list[int]:
    """Nonces that the tower holds of a channel."""
    found = store.protections(post.database, channel_id(DOMAIN, parties(number)), parties(number))
    return [each.voucher.nonce for each in found]


def in_test(story: Callable[[], Awaitable[None]]) -> None:
    """As a process runs it."""
    as_guest(story)


def test_what_is_offered_is_held_with_the_payees_receipt(tmp_path: Path) -> None:
    """What was there at the start, and what comes later; the tower's word is kept."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 2)
            client = Client([channel(3, 30), channel(0, 0, 1)])
            link = client.link(tower)
            async with feeding(link):
                await eventually(lambda: held(post) == [3], "what was there is handed over")
                link.offer(channel(1, 10, 1))
                await eventually(lambda: held(post, 1) == [1], "what comes later, too")
                await eventually(lambda: not link.behind)
            assert client.words == {channel(3, 30).id + OWNER.address: 3, channel(1, 10, 1).id + OWNER.address: 1}
            assert (link.lag_s, link.problem, client.alarms) == (0.0, "", [])
            link.forget(parties(), channel(3, 30).id)
            assert client.words == {channel(1, 10, 1).id + OWNER.address: 1}

    in_test(main)


def test_ones_own_voucher_is_handed_over_with_the_other_sides_receipt(tmp_path: Path) -> None:
    """Without the receipt nobody could bring it, and it stays here."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 1)
            state = channel(3, 30)
            link = Client([state]).link(tower, owner=True)
            async with feeding(link):
                await eventually(lambda: link.address)
                assert link.feed.waiting == 0
                link.offer(replace(state, a=replace(state.a, receipt=protection(3, 30).receipt)))
                await eventually(lambda: held(post) == [3])

    in_test(main)


def test_a_tower_that_was_away_gets_the_newest_when_it_is_back(tmp_path: Path) -> None:
    """Meanwhile nothing waits for it but its own offers."""

    async def main() -> None:
        client = Client([channel(1, 10)])
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 1)
            link = client.link(tower)
        async with feeding(link):
            await eventually(lambda: link.problem, "it is known to be away")
            for nonce in (2, 3):
                client.states = [channel(nonce, 10 * nonce)]
                link.offer(client.states[0])
            port = int(tower.endpoint.rpartition(":")[2])
            async with served_tower(tmp_path / "tower", port) as (post, _):
                await eventually(lambda: held(post) == [3], "it has caught up")
                await eventually(lambda: not link.problem)

    in_test(main)


def test_a_store_that_is_an_older_copy_is_an_alarm(tmp_path: Path) -> None:
    """The tower holds a newer voucher than is offered."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 1)
            before = Client([channel(9, 90)])
            link = before.link(tower)
            async with feeding(link):
                await eventually(lambda: not link.behind)
            old = Client([channel(4, 40)])
            async with feeding(old.link(tower)):
                await eventually(lambda: old.alarms, "somebody is told")
            assert "older copy" in old.alarms[0]
            assert held(post) == [9]

    in_test(main)


def test_a_channel_that_the_tower_has_not_seen_yet_waits(tmp_path: Path) -> None:
    """Refused first, taken later; the lag goes on meanwhile."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (_post, tower):
            link = Client([channel(3, 30)]).link(tower)
            async with feeding(link):
                await eventually(lambda: link.feed.refused == 1)
                assert link.behind
                assert link.lag_s > 0

    in_test(main)


def test_vouchers_are_asked_back_by_a_party(tmp_path: Path) -> None:
    """Both directions; a tower that does not answer is an error, never an empty answer."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 1)
            link = Client([channel(3, 30)]).link(tower)
            async with feeding(link):
                await eventually(lambda: not link.behind)
            (signed,) = await link.recall(parties(), NOW)
            assert signed == protection(3, 30).signed
        with pytest.raises(TowerError, match="does not say what it holds"):
            await link.recall(parties(), NOW)

    in_test(main)


def test_a_request_to_close_is_left_once(tmp_path: Path) -> None:
    """Of a party that wants it."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 1)
            link = Client([channel(0, 0)]).link(tower, close_by=NOW + 3_600, owner=True)
            async with feeding(link):
                await eventually(lambda: post.docket.close_requests == 1, "the tower has it")
                link.offer(channel(0, 0))
                await trio.sleep(0.1)
            assert post.docket.close_requests == 1

    in_test(main)


def test_a_tower_of_another_chain_is_not_fed(tmp_path: Path) -> None:
    """It says so itself, and gets nothing."""

    async def main() -> None:
        async with served_tower(tmp_path / "tower") as (post, tower):
            await tell_opened(post, 7, 1)
            domain = channels_domain(DOMAIN.chain_id + 1, DOMAIN.contract)
            client = Client([channel(3, 30)])
            link = TowerLink(
                tower, Party(domain, HUB.address, HUB.sign), client, lambda: client.states, client.alarms.append
            )
            async with feeding(link):
                await eventually(lambda: "it watches the contract" in link.problem)
            assert held(post) == []

    in_test(main)
