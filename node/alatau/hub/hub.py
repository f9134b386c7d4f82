"""A hub as a whole: what it needs of the chain before it starts, and its tasks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from functools import partial
from typing import Final

import structlog
import trio

from alatau.artifacts.addresses import SIGNATURE_VERIFIER
from alatau.artifacts.artifact import load
from alatau.channels.forwarding.book import Policy
from alatau.channels.forwarding.core import HubCore
from alatau.channels.forwarding.limits import Moment
from alatau.channels.messages import Domain
from alatau.client import Client
from alatau.client.tower_feeding import Party, TowerEndpoint, Words
from alatau.client.wallet import Wallet
from alatau.crypto.secp256k1 import PrivateKey
from alatau.hub.accounts import Accounts
from alatau.hub.chain_duties import ChainDuties
from alatau.hub.chain_feed import ChainFeed
from alatau.hub.day_duties import DayDuties
from alatau.hub.owner import Owner
from alatau.hub.service import ChannelService
from alatau.hub.store import HubStore
from alatau.hub.towers import NO_WORDS, Towers, build_towers
from alatau.hub.wallet_service import WalletService

_LOG = structlog.get_logger(__name__)

_ARTIFACT: Final = "CityChannels"

MomentOf = Callable[[float, int], Moment]
"""Seconds since 1970 and a height of the chain to the hub's moment."""


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts of a hub."""

    owner: Owner
    feed: ChainFeed
    duties: ChainDuties
    service: ChannelService
    wallets: WalletService
    """For pages, over HTTP."""
    store: HubStore
    towers: Towers
    days: DayDuties

    async def run(self) -> None:
        """Follow the chain and serve until cancelled.

        Raises:
            StorageError: the disk failed; start the hub again.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.owner.run)
            nursery.start_soon(self.feed.run)
            nursery.start_soon(self.duties.run)
            nursery.start_soon(self.towers.run)
            nursery.start_soon(self.days.run)

    def unreadiness(self) -> str | None:
        """Why wallets should not be sent here now; None when ready."""
        if not self.feed.connected:
            return "no node of the chain answers"
        return None


async def ask_settle_blocks(client: Client, contract: bytes) -> int:
    """How many blocks, at least, the contract lets a closing channel be contested."""
    return int(await client.contract(load(_ARTIFACT).abi, contract).read("settle_blocks"))


async def ask_passkeys(client: Client, domain: Domain) -> Domain:
    """``domain`` with the relying party whose passkeys the network takes."""
    verifier = client.contract(load("SignatureVerifier").abi, SIGNATURE_VERIFIER)
    return replace(domain, rp_id_hash=await verifier.read("rp_id_hash"))


def build_hub(
    *,
    store: HubStore,
    client: Client,
    key: PrivateKey,
    domain: Domain,
    policy: Policy,
    settle_blocks: int,
    moment: MomentOf,
    liquidity_step: int,
    clock: Callable[[], float] = time.time,
    tower_endpoints: Sequence[TowerEndpoint] = (),
    tower_words: Words = NO_WORDS,
    zone: tzinfo = UTC,
) -> Hub:
    """Put a hub together on what is on its disk."""
    began = time.monotonic()
    book = store.load(key.address, key.sign, policy)
    duties = ChainDuties(client, Wallet(key, domain.chain_id), book, liquidity_step)
    party = Party(domain, key.address, key.sign)
    towers = build_towers(tower_endpoints, party, tower_words, book, duties.alarm, clock)
    owner = Owner(
        HubCore(book), store, partial(_moment_at, moment, clock), duties.take, stored=towers.stored, height=store.height
    )
    feed = ChainFeed(client, owner, domain.contract, settle_blocks)
    _LOG.info(
        "hub.loaded",
        channels=len(book.members),
        payments=len(book.payments),
        height=store.height,
        seconds=round(time.monotonic() - began, 3),
    )
    service = ChannelService(owner, store, domain, clock, towers)
    accounts = Accounts(client, duties.wallet, duties.turn, domain, settle_blocks)
    days = DayDuties(owner, store.journal, duties, client, zone, clock)
    return Hub(owner, feed, duties, service, WalletService(service, owner, accounts, clock), store, towers, days)


def _moment_at(moment: MomentOf, clock: Callable[[], float], height: int) -> Moment:
    return moment(clock(), height)
