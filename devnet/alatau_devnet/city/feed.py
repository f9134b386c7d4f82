"""What the hub has signed goes to the towers: one task a tower for all residents and merchants, with their receipts.

The hub's own feed gives the other direction.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import trio

from alatau.channels.errors import ChannelError
from alatau.channels.messages import CloseRequest, Domain, close_request_digest, receipt_digest
from alatau.channels.protection import Protection, SignedCloseRequest, TowerReceipt
from alatau.channels.state import side_of
from alatau.channels.tower_feed import Offer, TowerFeed
from alatau.client import RpcError, connect, tower_plans
from alatau.wire.tower import Refusal
from alatau_devnet.city.actor import Actor
from alatau_devnet.errors import DevnetError
from alatau_devnet.service_homes import ServiceHome

_ROUND_S: Final = 8.0
"""A busy till's vouchers of so long are one offer."""
_AT_ONCE: Final = 256


@dataclass(slots=True)
class CityFeed:
    """For one tower. :meth:`run` is its task."""

    tower: ServiceHome
    domain: Domain
    actors: dict[bytes, Actor]
    dirty: set[bytes] = field(default_factory=set)
    """Channels whose vouchers may be newer than the tower's."""
    feed: TowerFeed = field(default_factory=lambda: TowerFeed({}))
    handed: int = 0
    rounds: int = 0
    """How often the tower has had all that there was when the round began."""

    @property
    def waiting(self) -> int:
        """Vouchers that the tower has not signed for."""
        return self.feed.waiting + len(self.dirty)

    async def run(self) -> None:
        """Hand over until cancelled; a tower that is away is tried again."""
        while True:
            await trio.sleep(_ROUND_S)
            await self.catch_up()

    async def catch_up(self) -> bool:
        """Hand over all that there is now; False where the tower is away or has refused something."""
        dirty, self.dirty = self.dirty, set()
        for channel in dirty:
            self._offer(self.actors[channel])
        try:
            async with connect(self.tower.endpoint, self.tower.tls) as client:
                while offers := self.feed.batch(time.monotonic(), _AT_ONCE):
                    protections = [
                        Protection(offer.parties, offer.signed, offer.receipt or self._receipt(offer))
                        for offer in offers
                    ]
                    plan = tower_plans.protect(self.domain, self.tower.account, protections)
                    outcomes = await client.run(plan)
                    nonces = [one.nonce if isinstance(one, TowerReceipt) else None for one in outcomes]
                    self.feed.answered(offers, nonces, time.monotonic())
                    self.handed += len(offers)
        except (RpcError, ChannelError):
            return False
        if self.feed.waiting:
            return False
        self.rounds += 1
        return True

    async def leave_requests(self, leavers: Iterable[Actor], until: int) -> None:
        """Requests to close of those who leave when the hub is silent. Raises ``DevnetError`` where one is refused."""
        signed = []
        for actor in leavers:
            request = CloseRequest(actor.person.channel_id, actor.person.address, until)
            signature = actor.person.key.sign(close_request_digest(self.domain, request))
            signed.append(SignedCloseRequest(actor.person.parties, request, signature))
        async with connect(self.tower.endpoint, self.tower.tls) as client:
            for first in range(0, len(signed), _AT_ONCE):
                plan = tower_plans.deposit_close_requests(signed[first : first + _AT_ONCE])
                for outcome in await client.run(plan):
                    if isinstance(outcome, Refusal):
                        raise DevnetError(f"the tower keeps a request not: {outcome.why}")

    def note(self, actor: Actor) -> None:
        """An actor has made a step: the hub's voucher for it may be newer."""
        if side_of(actor.core.state, actor.core.hub).latest is not None:
            self.dirty.add(actor.person.channel_id)

    def _offer(self, actor: Actor) -> None:
        state = actor.core.state
        theirs = side_of(state, actor.core.hub).latest
        if theirs is not None:
            self.feed.offer(state.parties, theirs, time.monotonic())

    def _receipt(self, offer: Offer) -> bytes:
        actor = self.actors[offer.signed.voucher.channel_id]
        return actor.person.key.sign(receipt_digest(self.domain, offer.signed.voucher))
