"""A hub with a resident's and a till's wallet, in one process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import SignedInvoice
from alatau.channels.state import side_of
from alatau.transport.bridge import run
from alatau.wallet.channel_wallet import ChannelWallet, open_wallet
from alatau.wallet.link import PaymentFailedError
from tests.support.hub_city import HUB, RESIDENTS, TILL, HubCity, hub_city
from tests.support.waiting import eventually

_LIMIT_S = 240
DEPOSIT = 5_000


@dataclass
class Shop:
    """A hub, a resident and a till whose wallets are open."""

    city: HubCity
    folder: Path
    resident: ChannelWallet
    till: ChannelWallet

    def bill(self, amount: int) -> SignedInvoice:
        """The till asks for money."""
        return self.till.invoice(amount).signed

    async def pay(self, amount: int) -> bytes:
        """The resident pays, and the till has it; gives the hash of the secret."""
        paid = await self.resident.pay(self.bill(amount))
        secret_hash = paid.signed.invoice.secret_hash
        await self.till.paid(secret_hash)
        return secret_hash


async def give_liquidity(shop: Shop) -> None:
    """The first payment is refused, and the hub puts money into the till's channel."""
    with pytest.raises(PaymentFailedError, match="too little in the merchant's channel") as caught:
        await shop.resident.pay(shop.bill(300))
    assert caught.value.reason is Reason.NO_LIQUIDITY
    till = shop.till
    await eventually(lambda: till.state is not None and side_of(till.state, HUB.address).deposited > 0)
    assert shop.city.hub is not None
    assert till.state is not None
    member = shop.city.hub.owner.core.book.members[till.state.id]
    await eventually(lambda: side_of(member.state, HUB.address).deposited > 0)


@asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    """Both have opened their channels."""
    async with hub_city(folder) as city:
        resident = city.setup(RESIDENTS[0], folder / "resident")
        till = city.setup(TILL, folder / "till")
        async with open_wallet(resident) as first, open_wallet(till) as second:
            await first.open(DEPOSIT)
            await second.open(0)
            shop = Shop(city, folder, first, second)
            await give_liquidity(shop)
            yield shop


def in_shop(folder: Path, story: Callable[[Shop], Awaitable[None]]) -> None:
    """Run a story as a process does."""

    async def main(_shutdown: trio.Event) -> None:
        with trio.fail_after(_LIMIT_S):
            async with open_shop(folder) as shop:
                await story(shop)

    run(main)
