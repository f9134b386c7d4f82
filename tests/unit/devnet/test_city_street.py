"""Actors of the city on a real hub and a real chain of one: they pay, refund, go offline, outlive the hub's death."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import trio

from alatau.channels.messages import Parties, channel_id
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.channels.state import payouts, side_of
from alatau.crypto.secp256k1 import PrivateKey
from alatau_devnet.city.actor import Actor, Clock, actor_of
from alatau_devnet.city.carriers import Contracts
from alatau_devnet.city.chain import ChainEyes
from alatau_devnet.city.gateway import Gateway
from alatau_devnet.city.population import Kind, Person
from alatau_devnet.city.schedule import Purchase
from alatau_devnet.city.street import Street
from alatau_devnet.city.world import Lines
from alatau_devnet.service_homes import ServiceHome
from tests.support.guest import as_guest
from tests.support.hub_city import DEPOSIT, DOMAIN, HUB, RESIDENTS, SETTLE_BLOCKS, TILL, HubCity, hub_city
from tests.support.waiting import eventually


@dataclass
class Here:
    """The hub in this process, as a gateway dials it; its port is another one after each start."""

    city: HubCity

    @property
    def endpoint(self) -> str:
        """Of now."""
        return self.city.hub_endpoint

    @property
    def tls(self) -> Any:
        """Its node's."""
        return self.city.chain.tls


def person(key: PrivateKey, number: int, kind: Kind, deposit: int) -> Person:
    """Somebody of the hub's city."""
    parties = Parties(key.address, HUB.address, bytes(32))
    return Person(
        number, kind, f"person {number}", f"{number:012d}", key, parties, channel_id(DOMAIN, parties), deposit
    )


@asynccontextmanager
async def open_street(folder: Path) -> AsyncIterator[tuple[HubCity, Street, ChainEyes]]:
    """Two residents and a till that is connected; the first payment makes the hub put money in."""
    async with hub_city(folder) as city, trio.open_nursery() as nursery:
        people = [person(key, number, Kind.RESIDENT, DEPOSIT) for number, key in enumerate(RESIDENTS)]
        people.append(person(TILL, 2, Kind.MERCHANT, 0))
        for one in people:
            assert isinstance(one.key, PrivateKey)
            city.open_on_chain(one.key, one.deposit)
        clock = Clock(time.time)
        actors = {one.channel_id: actor_of(DOMAIN, one, SETTLE_BLOCKS) for one in people}
        residents, till = list(actors.values())[:2], list(actors.values())[2]
        gateways: dict[bytes, Gateway] = {}

        def do(actor: Actor, effects: Any) -> None:
            gateways[actor.person.channel_id].do(actor, effects)

        lines = Lines((city.client,), city.client, cast("Any", None), Contracts())
        eyes = ChainEyes(lines, clock, actors, do)
        for group in (residents, [till]):
            hub = cast("ServiceHome", Here(city))
            gateway = Gateway(hub, clock, {one.person.channel_id: one for one in group}, eyes.bring, eyes.touched)
            gateways |= dict.fromkeys(gateway.actors, gateway)
            nursery.start_soon(gateway.run)
        nursery.start_soon(eyes.run)
        await eventually(lambda: till.core.agreed)
        yield city, Street(residents, [till], gateways, clock, 0, 30), eyes
        nursery.cancel_scope.cancel()


def test_a_day_of_purchases_and_a_refund(tmp_path: Path) -> None:
    """Each is paid once, the refund comes back, nothing is under way afterwards; money is conserved."""

    async def main() -> None:
        async with open_street(tmp_path) as (_, street, _):
            day = [Purchase(number / 20, number % 2, 0, 100 + number, 0) for number in range(19)]
            day.append(Purchase(1.0, 0, 0, 500, 120))
            await street.run(day, 2.0)
            assert await street.quiet(20) == []
            assert street.figures.paid == 20
            assert street.figures.refunds == 1
            first, _ = street.residents
            (till,) = street.merchants
            await eventually(lambda: side_of(first.core.state, first.core.hub).transferred == 120)
            spent = sum(purchase.amount for purchase in day)
            assert sum(payouts(one.core.state)[0] for one in street.residents) == 2 * DEPOSIT - spent + 120
            assert payouts(till.core.state)[0] == spent - 120

    as_guest(main)


def test_the_hub_dies_while_customers_pay(tmp_path: Path) -> None:
    """They wait and go on with the same invoices; each is paid once, by what both sides hold."""

    async def main() -> None:
        async with open_street(tmp_path) as (city, street, _):
            day = [Purchase(number / 30, number % 2, 0, 100, 0) for number in range(30)]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(street.run, day, 3.0)
                await eventually(lambda: street.figures.paid >= 5)
                await city.stop_hub()
                await city.start_hub()
            assert await street.quiet(30) == []
            paid = {
                digest
                for one in street.residents
                for digest, outgoing in one.core.outgoing.items()
                if outgoing.phase is OutgoingPhase.PAID
            }
            (till,) = street.merchants
            received = {one.invoice_hash for one in till.core.incoming.values() if one.phase is IncomingPhase.PAID}
            assert paid == received
            assert len(paid) == street.figures.paid == 30
            assert payouts(till.core.state)[0] == 3_000

    as_guest(main)


def test_a_till_that_is_offline_is_paid_when_it_is_back(tmp_path: Path) -> None:
    """Nothing is locked meanwhile."""

    async def main() -> None:
        async with open_street(tmp_path) as (_, street, _):
            (till,) = street.merchants
            await street.buy(street.residents[0], till, 100)
            gateway = street.gateway(till)
            gateway.pause()
            await eventually(lambda: not till.core.agreed)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(street.buy, street.residents[0], till, 200)
                await eventually(lambda: street.figures.refused["MERCHANT_AWAY"] > 0, within_s=20)
                assert side_of(street.residents[0].core.state, street.residents[0].core.me).locks == ()
                gateway.resume()
            assert street.figures.paid == 2

    as_guest(main)


def test_a_limit_ends_a_purchase_at_once(tmp_path: Path) -> None:
    """The hub of this city lets nobody pay more than 600 at a time."""

    async def main() -> None:
        async with open_street(tmp_path) as (_, street, _):
            assert await street.buy(street.residents[0], street.merchants[0], 601) is None
            assert street.figures.refused == {"LIMIT_EXCEEDED": 1}
            assert street.figures.gave_up == 1

    as_guest(main)
