"""What a wallet learns from its own node, once and in order."""

from pathlib import Path

import trio

from alatau.channels.state import Phase, side_of
from alatau.crypto.keccak import keccak256
from alatau.wallet.channel_wallet import open_wallet
from tests.support.hub_city import DOMAIN, HUB, RESIDENTS, SETTLE_BLOCKS, TILL
from tests.support.waiting import eventually
from tests.unit.wallet.shop import DEPOSIT, Shop, in_shop


def test_money_that_goes_in_counts_once(tmp_path: Path) -> None:
    """However often the wallet is started anew, and if it came while the wallet was away."""

    async def story(shop: Shop) -> None:
        setup = shop.city.setup(RESIDENTS[1], tmp_path / "second")
        async with open_wallet(setup) as wallet:
            await wallet.open(100)
            await wallet.deposit(70)
            assert wallet.state is not None
            parties = wallet.state.parties
        for _ in range(2):
            async with open_wallet(setup) as wallet:
                await eventually(lambda: wallet.connected)
                assert (wallet.spendable, wallet.stale) == (170, False)
        channels = DOMAIN.contract
        shop.city.send(HUB, "CityChannels", channels, "deposit", (parties.a, parties.b, parties.salt), 33)
        shop.city.node.commit_block()
        async with open_wallet(setup) as wallet:
            await eventually(lambda: wallet.connected)
            assert side_of(wallet.state, HUB.address).deposited == 33  # type: ignore[arg-type]

    in_shop(tmp_path, story)


def test_a_close_that_brings_a_voucher_is_understood(tmp_path: Path) -> None:
    """The contract logs the voucher first; the wallet then brings nothing that is known already."""

    async def story(shop: Shop) -> None:
        await shop.pay(40)
        await eventually(lambda: shop.till.spendable == 40)
        await shop.till.close_alone()
        state = shop.till.state
        assert state is not None
        assert (state.phase, state.b.submitted_nonce) == (Phase.CLOSING, state.b.nonce)

    in_shop(tmp_path, story)


def test_secrets_of_the_chain_are_known_and_forgotten(tmp_path: Path) -> None:
    """As long as a lock may live that waits for one; a wallet that is started later knows them too."""

    async def story(shop: Shop) -> None:
        secret = b"\x77" * 32
        shop.city.send(TILL, "CityChannels", DOMAIN.contract, "reveal", secret)
        height = shop.city.node.commit_block().block.header.number
        link = shop.resident._link
        assert link is not None
        await eventually(lambda: keccak256(secret) in link.core.revealed)
        assert link.core.revealed[keccak256(secret)] == height
        setup = shop.city.setup(RESIDENTS[1], tmp_path / "later")
        async with open_wallet(setup) as later:
            await later.open(10)
            assert later._link is not None
            known = later._link.core
            await eventually(lambda: keccak256(secret) in known.revealed)
        for _ in range(SETTLE_BLOCKS + 2):
            shop.city.node.commit_block()
            await trio.sleep(0.002)
        await eventually(lambda: keccak256(secret) not in link.core.revealed)
        assert shop.resident.spendable == DEPOSIT

    in_shop(tmp_path, story)
