"""Gives vouchers to watchtowers, and asks them back: for hubs and wallets.

Each tower has a task of its own, so that one that is away or slow holds up nobody: neither payments, which never wait
for a tower, nor the other towers. Which of two towers contests in the end does not matter, the contract takes a
voucher once.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
import trio

from alatau.channels.errors import ChannelError
from alatau.channels.messages import CloseRequest, Domain, Parties, SignedVoucher, close_request_digest, receipt_digest
from alatau.channels.protection import Protection, SignedCloseRequest, TowerReceipt
from alatau.channels.state import ChannelState, other_party, side_of
from alatau.channels.tower_feed import Offer, TowerFeed, ahead
from alatau.client import tower_plans
from alatau.client.client import Client, connect
from alatau.crypto.secp256k1 import Signer
from alatau.transport.credentials import ClientTls
from alatau.transport.errors import RpcError
from alatau.transport.one_thread import OneThread
from alatau.wire.bounds import WireError
from alatau.wire.tower import Refusal

_LOG = structlog.get_logger(__name__)

LINGER_S: Final = 1.0
"""A payment's lock and its fold come within this, and are one offer."""
LATE_S: Final = 60.0
"""A voucher that a tower has not signed for after so long is an alarm."""
_PAUSE_S: Final = 2.0
"""Before a tower is tried again that did not answer."""

_SIGNING: Final = OneThread("receipts for towers")


class TowerError(Exception):
    """A tower is away, of another network, or signs wrongly. The text says which and why; nothing was lost by it."""


class Words(Protocol):
    """Where receipts of towers are kept. They need no flush: what is lost is handed over again."""

    def load(self, tower: bytes) -> Mapping[bytes, int]:
        """Direction -> nonce, as ``keep`` was told of this tower (20 bytes)."""

    def keep(self, tower: bytes, news: Mapping[bytes, int]) -> None:
        """Of one tower; nonce 0 forgets the direction."""


@dataclass(frozen=True, slots=True)
class TowerEndpoint:
    """A watchtower."""

    endpoint: str
    """``host:port``."""
    tls: ClientTls


@dataclass(frozen=True, slots=True)
class Party:
    """Who is protected."""

    domain: Domain
    address: bytes
    """20 bytes: vouchers that pay it are handed over, and its own with the other side's receipts."""
    sign: Signer


@dataclass(slots=True)
class TowerLink:
    """One tower, as its client sees it. :meth:`run` is its task."""

    tower: TowerEndpoint
    party: Party
    words: Words
    newest: Callable[[], list[ChannelState]]
    """All channels that may need protection, as they are on the disk."""
    alarm: Callable[[str], None]
    linger_s: float = LINGER_S
    """How long an offer waits for newer ones of its channel."""
    close_by: int = 0
    """Seconds since 1970 until which the tower may close the party's channels in a mass exit; 0: it may not."""
    address: bytes | None = None
    """Of the tower, 20 bytes; None until it has said."""
    feed: TowerFeed = field(default_factory=lambda: TowerFeed({}))
    problem: str = ""
    """Why it takes nothing now; empty while it does."""
    _wake: trio.Event = field(default_factory=trio.Event)
    _alarmed: bool = False
    _deposited: set[bytes] = field(default_factory=set)

    @property
    def lag_s(self) -> float:
        """How long the oldest voucher has waited for a receipt, in seconds."""
        return self.feed.lag(time.monotonic())

    def offer(self, state: ChannelState) -> None:
        """A channel is on the disk as it is in ``state``; never waits."""
        now, mine = time.monotonic(), side_of(state, self.party.address)
        latest = side_of(state, other_party(state, self.party.address)).latest
        if latest is not None and self.feed.offer(state.parties, latest, now):
            self._wake.set()
        own = mine.latest if mine.receipt is not None else None  # without the receipt nobody could bring it
        if own is not None and self.feed.offer(state.parties, own, now, mine.receipt):
            self._wake.set()
        if self._may_deposit(state):
            self._wake.set()

    def forget(self, parties: Parties, channel: bytes) -> None:
        """It is settled."""
        gone = self.feed.forget(parties, channel)
        self._deposited.discard(channel)
        if self.address is not None:
            self.words.keep(self.address, dict.fromkeys(gone, 0))

    async def run(self) -> None:
        """Hand over until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_lag)
            while True:
                try:
                    async with connect(self.tower.endpoint, self.tower.tls) as client:
                        await self._feed(client)
                except (RpcError, TowerError, ChannelError, WireError) as error:
                    self.problem = str(error)
                    _LOG.warning("towers.away", tower=self.tower.endpoint, error=str(error))
                await trio.sleep(_PAUSE_S)

    @property
    def behind(self) -> bool:
        """Whether the tower lacks anything that the party has, or has not been asked yet."""
        return self.address is None or self.feed.waiting > 0

    async def recall(self, parties: Parties, now: int) -> list[SignedVoucher]:
        """The newest vouchers of both directions that the tower holds; each is checked.

        Raises:
            TowerError: it does not answer, or gives what is not signed.
        """
        try:
            async with connect(self.tower.endpoint, self.tower.tls) as client:
                plan = tower_plans.recover(self.party.domain, parties, now, self.party.sign)
                return [each.signed for each in await client.run(plan)]
        except (RpcError, ChannelError, WireError) as error:
            raise TowerError(f"the tower at {self.tower.endpoint} does not say what it holds: {error}") from error

    async def _feed(self, client: Client) -> None:
        address = await self._introduce(client)
        if address != self.address:
            self.address = address
            self.feed = TowerFeed(self.words.load(address))
        for state in self.newest():
            self.offer(state)
        while True:
            if self.close_by:
                await self._deposit(client)
            at = self.feed.next_at()
            if at is None:
                self.problem = ""
                self._wake = trio.Event()
                await self._wake.wait()
                await trio.sleep(self.linger_s)
                continue
            offers = self.feed.batch(time.monotonic())
            if offers:
                await self._hand_over(client, address, offers)
                self.problem = ""
            else:
                await trio.sleep(max(at - time.monotonic(), 0.1))

    async def _introduce(self, client: Client) -> bytes:
        status = await client.run(tower_plans.status())
        domain = self.party.domain
        if (status.chain_id, status.contract) != (domain.chain_id, domain.contract):
            raise TowerError(
                f"it watches the contract 0x{status.contract.hex()} of chain {status.chain_id}, and the channels are of"
                f" 0x{domain.contract.hex()} on chain {domain.chain_id}"
            )
        return status.address

    async def _hand_over(self, client: Client, address: bytes, offers: Sequence[Offer]) -> None:
        protections = await trio.to_thread.run_sync(self._with_receipts, offers, limiter=_SIGNING.limiter)
        outcomes = await client.run(tower_plans.protect(self.party.domain, address, protections))
        nonces = [outcome.nonce if isinstance(outcome, TowerReceipt) else None for outcome in outcomes]
        refusals = [outcome.why for outcome in outcomes if isinstance(outcome, Refusal)]
        if refusals:
            _LOG.warning("towers.refused", tower=self.tower.endpoint, vouchers=len(refusals), first=refusals[0])
        for channel in ahead(offers, nonces):
            self.alarm(
                f"the tower at {self.tower.endpoint} holds a newer voucher of channel 0x{channel.hex()}: this store"
                " is an older copy"
            )
        news = self.feed.answered(offers, nonces, time.monotonic())
        if news:
            self.words.keep(address, news)

    def _with_receipts(self, offers: Sequence[Offer]) -> list[Protection]:
        """In a thread: 40 us each."""
        domain, sign = self.party.domain, self.party.sign
        return [
            Protection(offer.parties, offer.signed, offer.receipt or sign(receipt_digest(domain, offer.signed.voucher)))
            for offer in offers
        ]

    async def _deposit(self, client: Client) -> None:
        """Leave requests to close, for the day on which the other side is silent."""
        for state in self.newest():
            if not self._may_deposit(state):
                continue
            request = CloseRequest(state.id, self.party.address, self.close_by)
            signature = self.party.sign(close_request_digest(self.party.domain, request))
            signed = SignedCloseRequest(state.parties, request, signature)
            (outcome,) = await client.run(tower_plans.deposit_close_requests([signed]))
            if isinstance(outcome, Refusal):
                raise TowerError(f"it does not keep the request to close: {outcome.why}")
            self._deposited.add(state.id)

    def _may_deposit(self, state: ChannelState) -> bool:
        return bool(self.close_by) and state.id not in self._deposited

    async def _watch_lag(self) -> None:
        while True:
            await trio.sleep(LINGER_S)
            late = self.lag_s > LATE_S
            if late and not self._alarmed:
                self.alarm(
                    f"the tower at {self.tower.endpoint} has not signed for a voucher for {LATE_S:.0f} s; payments go"
                    f" on without it{': ' if self.problem else ''}{self.problem}"
                )
            self._alarmed = late
