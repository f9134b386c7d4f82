"""What a wallet has on its disk is enough to go on, wherever its process was killed and however old a copy is."""

from collections.abc import Iterable
from itertools import count, product
from pathlib import Path

import pytest

from alatau.channels.party.effects import Put
from alatau.channels.party.records import OutgoingPhase
from alatau.channels.state import ChannelState, payouts, side_of
from alatau.wallet.channel_wallet import ChannelWallet, open_wallet
from alatau.wallet.errors import WalletError
from alatau.wallet.store import WalletStore, open_wallet_store
from tests.support.hub_city import DOMAIN, RESIDENTS, TILL
from tests.support.waiting import eventually
from tests.unit.wallet.shop import DEPOSIT, Shop, in_shop

PRICE = 40


class Killed(Exception):  # noqa: N818
    """The wallet's process ended here."""


def state_of(wallet: ChannelWallet) -> ChannelState:
    """Of its channel."""
    assert wallet.state is not None
    return wallet.state


def paid_by(wallet: ChannelWallet) -> int:
    """All that the wallet has paid for good, when nothing is under way."""
    side = side_of(state_of(wallet), wallet.setup.address)
    assert side.locks == ()
    return side.transferred


def test_a_wallet_that_is_killed_at_any_write_pays_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the write and after it, at each write of a payment: asked again, the same payment ends, once."""
    keep = WalletStore.keep

    async def story(shop: Shop) -> None:
        key = RESIDENTS[1]
        setup = shop.city.setup(key, tmp_path / "victim")
        async with open_wallet(setup) as wallet:
            await wallet.open(DEPOSIT)
        deaths, paid = 0, 0
        for after, last in product((False, True), (1, 2, 3, 4, 5, 6)):
            writes = count(1)

            def dying(store: WalletStore, puts: Iterable[Put]) -> None:
                mine = store._database.path == setup.database
                ends = mine and next(writes) == last  # noqa: B023  called within the turn
                if ends and not after:  # noqa: B023
                    raise Killed
                keep(store, puts)
                if ends:
                    raise Killed

            signed = shop.bill(PRICE)
            paid += PRICE
            monkeypatch.setattr(WalletStore, "keep", dying)
            try:
                async with open_wallet(setup) as wallet:
                    await wallet.pay(signed)
                    await eventually(lambda: side_of(state_of(wallet), key.address).locks == ())
            except* Killed:
                deaths += 1
            monkeypatch.setattr(WalletStore, "keep", keep)
            async with open_wallet(setup) as wallet:
                outgoing = await wallet.pay(signed)
                assert outgoing.phase is OutgoingPhase.PAID
                await eventually(lambda: side_of(state_of(wallet), key.address).locks == ())
                assert paid_by(wallet) == paid
        assert deaths >= 6, "most turns reach the write at which they die"

    in_shop(tmp_path, story)


def test_a_backup_of_any_age_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is taken at every write of payments and a refund; each is put back, and the hub tells what was since."""
    keep, copies = WalletStore.keep, {"resident": [], "till": []}  # type: ignore[var-annotated]

    def copying(store: WalletStore, puts: Iterable[Put]) -> None:
        copies[store._database.path.name].append(dict(store.items()))
        keep(store, puts)

    async def story(shop: Shop) -> None:
        monkeypatch.setattr(WalletStore, "keep", copying)
        for _ in range(3):
            secret_hash = await shop.pay(PRICE)
        await shop.till.refund(secret_hash, 15)
        await eventually(lambda: shop.resident.spendable == DEPOSIT - 3 * PRICE + 15)
        await eventually(lambda: side_of(state_of(shop.resident), shop.resident.setup.address).locks == ())
        await eventually(lambda: payouts(state_of(shop.till))[0] == 3 * PRICE - 15)
        monkeypatch.setattr(WalletStore, "keep", keep)
        due = {name: payouts(state_of(wallet)) for name, wallet in (("resident", shop.resident), ("till", shop.till))}
        assert all(len(found) > 8 for found in copies.values())
        for name, key in (("resident", RESIDENTS[0]), ("till", TILL)):
            for number, copy in enumerate(copies[name]):
                setup = shop.city.setup(key, tmp_path / f"{name}-{number}")
                store = open_wallet_store(setup.database, DOMAIN)
                store.put_back(copy)
                store.close()
                async with open_wallet(setup) as back:
                    assert back.stale
                    with pytest.raises(WalletError, match="put back from a backup"):
                        await back.close_alone()
                    await eventually(lambda: back.connected)
                    assert not back.stale
                    assert payouts(state_of(back)) == due[name]
        await last_copies_pay(shop, copies["resident"][0])

    async def last_copies_pay(shop: Shop, oldest: dict[bytes, bytes]) -> None:
        setup = shop.city.setup(RESIDENTS[0], tmp_path / "again")
        store = open_wallet_store(setup.database, DOMAIN)
        store.put_back(oldest)
        store.close()
        till = shop.city.setup(TILL, tmp_path / f"till-{len(copies['till']) - 1}")
        async with open_wallet(setup) as payer, open_wallet(till) as payee:
            await eventually(lambda: payee.connected)
            await payer.pay(payee.invoice(PRICE).signed)
            await eventually(lambda: payer.spendable == DEPOSIT - 4 * PRICE + 15)

    in_shop(tmp_path, story)


def test_an_account_that_has_lost_all_but_its_key_finds_its_channel(tmp_path: Path) -> None:
    """Open takes it up again, and the hub tells what was paid."""

    async def story(shop: Shop) -> None:
        await shop.pay(PRICE)
        await eventually(lambda: side_of(state_of(shop.resident), shop.resident.setup.address).locks == ())
        empty = shop.city.setup(RESIDENTS[0], tmp_path / "found")
        async with open_wallet(empty) as found:
            assert found.state is None
            await found.open(1_000)
            assert found.spendable == DEPOSIT - PRICE
            assert side_of(state_of(found), found.setup.address).deposited == DEPOSIT

    in_shop(tmp_path, story)
