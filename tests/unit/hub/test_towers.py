"""A hub and its watchtower: what it gives, and what it takes back when its disk was put back."""

import shutil
import time
from pathlib import Path

import trio

from alatau.channels.messages import channel_id
from alatau.channels.state import side_of
from alatau.channels.watching import NewsOpened
from alatau.hub.store import open_store
from alatau.hub.towers import open_words
from alatau.tower import store
from alatau.tower.post import Post
from alatau.wallet.link import Link, PaymentFailedError
from tests.support.guest import as_guest
from tests.support.hub_city import DEPOSIT, DOMAIN, HUB, RESIDENTS, TILL, HubCity, hub_city
from tests.support.served_tower import served_tower
from tests.support.tower_post import tell
from tests.support.waiting import eventually


async def stay(city: HubCity, link: Link) -> None:
    """Connected with the hub as it is now."""
    async with city.dial() as dialled:
        await link.run(dialled)


async def joined(city: HubCity, post: Post, nursery: trio.Nursery) -> tuple[Link, Link]:
    """A resident and a till that hub and tower know, with the hub's money in the till's channel."""
    links = await city.joined(RESIDENTS[0], DEPOSIT), await city.joined(TILL, 0)
    await tell(post, 1, [(link.core.state.id, NewsOpened(link.core.state.parties)) for link in links])
    resident, till = links
    for link in links:
        nursery.start_soon(stay, city, link)
        await link.connected.wait()
    try:
        await resident.pay(till.invoice(300, bytes([99]) * 32, seconds=600).signed)
    except PaymentFailedError:
        await eventually(lambda: side_of(till.core.state, HUB.address).deposited > 0)
    assert city.hub is not None
    members = city.hub.owner.core.book.members
    await eventually(lambda: side_of(members[till.core.state.id].state, HUB.address).deposited > 0)
    return resident, till


def held(post: Post, link: Link) -> dict[bytes, int]:
    """Payer to nonce, as the tower has it."""
    parties = link.core.state.parties
    found = store.protections(post.database, channel_id(DOMAIN, parties), parties)
    return {each.voucher.payer: each.voucher.nonce for each in found}


def test_each_payment_reaches_the_tower(tmp_path: Path) -> None:
    """The payer's newest voucher, with the hub's receipt, some moments after it is on the hub's disk."""

    async def main() -> None:
        async with (
            hub_city(tmp_path, hub=False) as city,
            served_tower(tmp_path / "tower", clock=time.time) as (post, tower),
            trio.open_nursery() as nursery,
        ):
            city.towers = (tower,)
            await city.start_hub()
            resident, till = await joined(city, post, nursery)
            await resident.pay(till.invoice(300, bytes(32), seconds=600).signed)
            await eventually(lambda: side_of(resident.core.state, resident.core.me).locks == ())
            mine = side_of(resident.core.state, resident.core.me)
            await eventually(lambda: held(post, resident) == {resident.core.me: mine.nonce}, "the fold is protected")
            assert city.hub is not None
            (link,) = city.hub.towers.links
            await eventually(lambda: not link.behind)
            nursery.cancel_scope.cancel()

    as_guest(main)


def test_a_hub_that_was_put_back_goes_on_from_what_its_tower_holds(tmp_path: Path) -> None:
    """A party that hides what it has paid gains nothing; while the tower is away, nothing is agreed."""

    async def main() -> None:
        async with hub_city(tmp_path, hub=False) as city, trio.open_nursery() as nursery:
            async with served_tower(tmp_path / "tower", clock=time.time) as (post, tower):
                city.towers = (tower,)
                await city.start_hub()
                resident, till = await joined(city, post, nursery)
                await city.stop_hub()
                shutil.copytree(tmp_path / "hub", tmp_path / "old")
                await city.start_hub()
                for link in (resident, till):
                    nursery.start_soon(stay, city, link)
                    await link.connected.wait()
                await resident.pay(till.invoice(300, bytes(32), seconds=600).signed)
                await eventually(lambda: side_of(resident.core.state, resident.core.me).transferred == 300)
                newest = side_of(resident.core.state, resident.core.me).nonce
                await eventually(lambda: held(post, resident) == {resident.core.me: newest})
                await city.stop_hub()
            port = int(tower.endpoint.rpartition(":")[2])
            shutil.rmtree(tmp_path / "hub")
            shutil.move(tmp_path / "old", tmp_path / "hub")
            restored = open_store(tmp_path / "hub", DOMAIN, HUB.address)
            assert restored.mark_restored() == 2
            restored.close()
            await city.start_hub()
            assert city.hub is not None
            member = city.hub.owner.core.book.members[resident.core.state.id]
            liar = city.link(RESIDENTS[0], resident.core.state.parties, DEPOSIT)
            liar.height = resident.height
            nursery.start_soon(stay, city, liar)
            await trio.sleep(0.5)
            assert not liar.connected.is_set()
            assert not member.agreed
            async with served_tower(tmp_path / "tower", port, clock=time.time):
                await city.stop_hub()
                await city.start_hub()
                member = city.hub.owner.core.book.members[resident.core.state.id]
                nursery.start_soon(stay, city, liar)
                await liar.connected.wait()
                assert (member.state.a.nonce, member.state.a.transferred) == (newest, 300)
                assert side_of(liar.core.state, liar.core.me).nonce == newest
            nursery.cancel_scope.cancel()

    as_guest(main)


def test_words_of_towers_are_kept_apart(tmp_path: Path) -> None:
    """By tower; nonce 0 forgets; opened again they are there."""
    words = open_words(tmp_path / "words")
    first, second, channel = bytes(20), b"\x01" * 20, b"\x02" * 32
    words.keep(first, {channel: 7})
    words.keep(second, {channel: 9, bytes(32): 1})
    words.keep(second, {bytes(32): 0})
    words.close()
    again = open_words(tmp_path / "words")
    assert (again.load(first), again.load(second)) == ({channel: 7}, {channel: 9})
    again.close()
