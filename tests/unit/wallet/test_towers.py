"""A wallet and its watchtower: protected after a payment, and put back from an old copy without its hub."""

import time
from dataclasses import replace
from pathlib import Path

from alatau.channels.state import side_of
from alatau.channels.watching import NewsOpened
from alatau.wallet.channel_wallet import open_wallet
from alatau.wallet.store import open_wallet_store
from tests.support.hub_city import DOMAIN, HUB, RESIDENTS
from tests.support.served_tower import served_tower
from tests.support.tower_post import tell
from tests.support.waiting import eventually
from tests.unit.wallet.shop import DEPOSIT, Shop, in_shop


def test_the_hubs_vouchers_are_protected_and_come_back(tmp_path: Path) -> None:
    """A refund's voucher is with the tower; an old copy of the wallet, with its hub gone, goes on from there."""

    async def story(shop: Shop) -> None:
        async with served_tower(tmp_path / "tower", clock=time.time) as (post, tower):
            setup = replace(
                shop.city.setup(RESIDENTS[1], tmp_path / "wallet"), towers=(tower,), close_by=int(time.time()) + 3_600
            )
            async with open_wallet(setup) as wallet:
                state = await wallet.open(DEPOSIT)
                await tell(post, 1, [(state.id, NewsOpened(state.parties))])
                copy = dict(wallet._store.items())
                paid = await wallet.pay(shop.bill(300))
                secret_hash = paid.signed.invoice.secret_hash
                await shop.till.paid(secret_hash)
                await shop.till.refund(secret_hash, 120)
                await eventually(lambda: wallet.spendable == DEPOSIT - 300 + 120)
                assert wallet.state is not None
                newest = side_of(wallet.state, HUB.address).nonce
                await eventually(lambda: [one.nonce for one in wallet.towers] == [newest], "the tower has signed")
                assert post.docket.close_requests == 1
                await wallet.protected()
            async with open_wallet(setup) as wallet:
                assert wallet.state is not None
                await eventually(lambda: [one.nonce for one in wallet.towers] == [newest], "its word was kept")
            await shop.city.stop_hub()
            old = replace(setup, database=tmp_path / "old")
            store = open_wallet_store(old.database, DOMAIN)
            store.put_back(copy)
            store.close()
            async with open_wallet(old) as back:
                assert back.state is not None
                assert side_of(back.state, HUB.address).nonce == 0
                await eventually(lambda: side_of(back.state, HUB.address).nonce == newest, "the tower gives it back")  # type: ignore[arg-type]
                assert back.stale, "the hub has not been asked"

    in_shop(tmp_path, story)


def test_a_restored_wallet_waits_for_its_tower_before_it_speaks_to_the_hub(tmp_path: Path) -> None:
    """A tower that is away may hold more than the hub admits."""

    async def story(shop: Shop) -> None:
        async with served_tower(tmp_path / "tower", clock=time.time) as (post, tower):
            setup = replace(shop.city.setup(RESIDENTS[1], tmp_path / "wallet"), towers=(tower,))
            async with open_wallet(setup) as wallet:
                state = await wallet.open(DEPOSIT)
                await tell(post, 1, [(state.id, NewsOpened(state.parties))])
                copy = dict(wallet._store.items())
        store = open_wallet_store(tmp_path / "old", DOMAIN)
        store.put_back(copy)
        store.close()
        async with open_wallet(replace(setup, database=tmp_path / "old")) as back:
            await eventually(lambda: back.towers[0].problem, "the tower does not answer")
            assert back.stale
            assert not back.connected
            port = int(tower.endpoint.rpartition(":")[2])
            async with served_tower(tmp_path / "tower", port, clock=time.time):
                await eventually(lambda: back.connected, within_s=30)
                assert not back.stale

    in_shop(tmp_path, story)
