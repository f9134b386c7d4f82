"""The day's payments: residents and tills that pay, refund, wait and try again, faster than in life."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

import trio

from alatau.channels.errors import ChannelError, InvalidInvoiceError
from alatau.channels.forwarding.refusal import Reason
from alatau.channels.invoice import SignedInvoice, invoice_digest
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.channels.state import Phase
from alatau.crypto.keccak import keccak256
from alatau_devnet.city.actor import Actor, Clock
from alatau_devnet.city.gateway import Gateway
from alatau_devnet.city.schedule import Purchase

_INVOICE_S: Final = 7_200
_ATTEMPTS_MAX: Final = 40
_AGAIN_S: Final = 0.7
_UNDER_WAY_MAX: Final = 600
"""Customers at tills at once; more wait in the queue, as in a shop."""
_FINAL: Final = (Reason.LIMIT_EXCEEDED, Reason.ACCOUNT_REFUSED, Reason.INVOICE_TAKEN)
_TICK_S: Final = 0.02


@dataclass(slots=True)
class Figures:
    """What is counted while the day goes on."""

    paid: int = 0
    refunds: int = 0
    gave_up: int = 0
    """Purchases that came to nothing: the customer left."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by reason; most are tried again and pass."""
    latencies_s: list[float] = field(default_factory=list)
    """From the payer's voucher to the secret, of payments that passed at the first attempt."""
    volume: int = 0
    """Tiyn paid to merchants."""


@dataclass(slots=True)
class Street:
    """All actors and how they reach the hub."""

    residents: Sequence[Actor]
    merchants: Sequence[Actor]
    gateway_of: dict[bytes, Gateway]
    """By channel id."""
    clock: Clock
    fee_parts: int
    lock_blocks: int
    figures: Figures = field(default_factory=Figures)
    share: float = 0.0
    """Of the day that is over."""
    begun: int = 0
    _draw: Random = field(default_factory=lambda: Random(7))  # noqa: S311
    _number: int = 0

    async def run(self, day: Sequence[Purchase], seconds: float) -> None:
        """All purchases, in at least ``seconds``; ends when each has ended."""
        room = trio.CapacityLimiter(_UNDER_WAY_MAX)
        started = time.monotonic()
        async with trio.open_nursery() as nursery:
            for purchase in day:
                while (time.monotonic() - started) / seconds < purchase.at:  # noqa: ASYNC110  a clock
                    await trio.sleep(_TICK_S)
                await room.acquire_on_behalf_of(purchase)
                self.share = purchase.at
                self.begun += 1
                nursery.start_soon(self._buy_in, room, purchase)
        self.share = 1.0

    async def buy(self, payer: Actor, shop: Actor, amount: int) -> bytes | None:
        """One purchase until it is paid, refused for good or given up; gives the hash of the secret when paid."""
        async with payer.turn:
            if payer.leaving or payer.core.state.phase is not Phase.OPEN or shop.core.state.phase is not Phase.OPEN:
                self.figures.gave_up += 1
                return None
            signed = self._bill(shop, amount)
            began = time.perf_counter()
            for attempt in range(_ATTEMPTS_MAX):
                outcome = await self._attempt(payer, signed)
                if outcome is OutgoingPhase.PAID:
                    if attempt == 0:
                        self.figures.latencies_s.append(time.perf_counter() - began)
                    self.figures.paid += 1
                    self.figures.volume += amount
                    return signed.invoice.secret_hash
                if outcome is None or payer.core.state.phase is not Phase.OPEN:
                    break
                await trio.sleep(_AGAIN_S)
            self.figures.gave_up += 1
            return None

    async def refund(self, shop: Actor, payer: Actor, secret_hash: bytes, amount: int) -> bool:
        """A part comes back, once the money is the shop's."""
        async with shop.turn:
            for _ in range(_ATTEMPTS_MAX):
                if payer.leaving:
                    return False
                paid = shop.core.incoming[secret_hash].phase is IncomingPhase.PAID
                if paid and shop.core.refunding is None and await self.gateway(shop).attach(shop):
                    try:
                        effects = shop.core.refund(secret_hash, amount, self.clock.now())
                    except ChannelError:
                        await trio.sleep(_AGAIN_S)
                        continue
                    self.gateway(shop).do(shop, effects)
                    self.figures.refunds += 1
                    return True
                await shop.wait(_AGAIN_S)
        return False

    async def quiet(self, seconds: float) -> list[Actor]:
        """Wait until nothing is under way in any channel; gives who is still busy when the time is over.

        Whoever has paid looks at its wallet first: a refund may have come while it was not connected.
        """
        for actor in self.residents:
            if actor.core.outgoing and actor.core.state.phase is Phase.OPEN and not actor.off:
                await self.gateway(actor).attach(actor)
        deadline = time.monotonic() + seconds
        while True:
            busy = [actor for actor in (*self.residents, *self.merchants) if actor.is_busy and not actor.off]
            if not busy or time.monotonic() > deadline:
                return busy
            for actor in busy:
                if not actor.core.agreed:
                    await self.gateway(actor).attach(actor)
            await trio.sleep(_AGAIN_S)

    def gateway(self, actor: Actor) -> Gateway:
        """By which it reaches the hub."""
        return self.gateway_of[actor.person.channel_id]

    async def _buy_in(self, room: trio.CapacityLimiter, purchase: Purchase) -> None:
        try:
            shop = self.merchants[purchase.merchant]
            secret_hash = await self.buy(self.residents[purchase.payer], shop, purchase.amount)
        finally:
            room.release_on_behalf_of(purchase)
        if secret_hash is not None and purchase.refund:
            await trio.sleep(self._draw.uniform(1, 5))
            await self.refund(shop, self.residents[purchase.payer], secret_hash, purchase.refund)

    def _bill(self, shop: Actor, amount: int) -> SignedInvoice:
        self._number += 1
        secret = keccak256(b"secret of the city" + self._number.to_bytes(8, "big") + shop.person.address)
        gateway = self.gateway(shop)
        gateway.do(shop, shop.core.invoice(amount, secret, self.clock.now(), seconds=_INVOICE_S))
        return shop.core.incoming[keccak256(secret)].signed

    async def _attempt(self, payer: Actor, signed: SignedInvoice) -> OutgoingPhase | None:
        """One attempt; None where another one is of no use."""
        core, digest = payer.core, invoice_digest(payer.core.state.domain, signed.invoice)
        if not await self.gateway(payer).attach(payer):
            return OutgoingPhase.CANCELLED
        fee = signed.invoice.amount * self.fee_parts // 1_000_000
        try:
            effects = core.pay(signed, fee, self.lock_blocks, self.clock.now())
        except InvalidInvoiceError:
            return None
        except ChannelError:
            return OutgoingPhase.CANCELLED if core.spendable >= signed.invoice.amount + fee else None
        self.gateway(payer).do(payer, effects)
        while (phase := core.outgoing[digest].phase) in (OutgoingPhase.OFFERED, OutgoingPhase.TAKEN):
            await payer.wait(1.0)
            if not core.agreed:
                await self.gateway(payer).attach(payer)
            if core.state.phase is not Phase.OPEN or payer.off:
                return None
        failed = payer.failures.pop(digest, None)
        if phase is not OutgoingPhase.PAID:
            reason = failed.reason if failed is not None else None
            self.figures.refused[reason.name if reason is not None else "CANCELLED"] += 1
            if reason in _FINAL:
                return None
        return phase
