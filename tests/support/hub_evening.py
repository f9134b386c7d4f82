"""A hub on a chain whose clock everybody but the chain shares: a day with payments, which a test lets end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from alatau.books.amounts import Unit
from alatau.books.day_export import DayExport, Heading
from alatau.channels.forwarding.effects import DoAskLiquidity
from alatau.channels.state import side_of
from alatau.hub.day_close import export_of
from alatau.wallet.channel_wallet import ChannelWallet, open_wallet
from alatau.wallet.day_check import posted_word
from alatau.zones import zone_of
from tests.support.guest import as_guest
from tests.support.hub_city import HUB, RESIDENTS, TILL, HubCity, hub_city
from tests.support.transactions import CHAIN_ID
from tests.support.waiting import eventually

DAY = 19_674
"""The chain of these tests begins on the day after it, late."""
NOON = DAY * 86_400 + 43_200
ZONE = zone_of("UTC")


@dataclass
class Clock:
    """Everybody's, but the chain's."""

    now: float = NOON

    def __call__(self) -> float:
        """As ``time.time``."""
        return self.now


@dataclass
class Evening:
    """A day on which a resident paid 300 and was paid back 120."""

    city: HubCity
    clock: Clock
    resident: ChannelWallet
    till: ChannelWallet

    async def posted(self) -> bytes | None:
        """The word on chain."""
        return await posted_word(self.city.client, HUB.address, DAY)

    def export(self) -> DayExport:
        """As for an auditor."""
        assert self.city.hub is not None
        heading = Heading(HUB.address, CHAIN_ID, "UTC", DAY, Unit())
        return export_of(self.city.hub.store.journal, heading)


def in_the_evening(folder: Path, story: Callable[[Evening], Awaitable[None]]) -> None:
    """Run a story after payments were made."""

    async def main() -> None:
        clock = Clock()
        async with hub_city(folder, clock=clock) as city:
            resident, till = city.setup(RESIDENTS[0], folder / "resident"), city.setup(TILL, folder / "till")
            async with open_wallet(resident) as first, open_wallet(till) as second:
                await first.open(5_000)
                await second.open(0)
                assert city.hub is not None
                assert second.state is not None
                members, identity = city.hub.owner.core.book.members, second.state.id
                city.hub.duties.take(DoAskLiquidity(identity, 1_000))
                await eventually(lambda: side_of(members[identity].state, HUB.address).deposited > 0)
                signed = second.invoice(300).signed
                await first.pay(signed)
                await second.paid(signed.invoice.secret_hash)
                await second.refund(signed.invoice.secret_hash, 120)
                await eventually(lambda: first.spendable == 4_820)
                await story(Evening(city, clock, first, second))

    as_guest(main, 120)
