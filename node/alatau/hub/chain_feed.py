"""The chain's news for the hub: as each block is decided, the events since the last one, as one batch with its height.

The height is written with what it brought, so that a hub that was down reads on where it was; an event that it is told
twice would count twice, and never is.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import structlog
import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.chain.permission import may_transact, tier_of
from alatau.channels.forwarding.inputs import (
    Input,
    InputAccount,
    InputClaimed,
    InputClosing,
    InputDeposited,
    InputOpened,
    InputRevealed,
    InputSettled,
    InputSubmitted,
    InputWithdrawn,
)
from alatau.channels.messages import Parties
from alatau.channels.state import Window
from alatau.client import Client
from alatau.client.abi import load_abi
from alatau.client.channel_events import in_effect_order
from alatau.crypto.keccak import keccak256
from alatau.hub.owner import ChainNews, Owner
from alatau.transport.errors import RpcError
from alatau.wire.logs import EventFilter, EventLog

_LOG = structlog.get_logger(__name__)

_STRIDE: Final = 5_000
"""Blocks whose events become one batch, where the hub was away."""
_PAUSE_S: Final = 1.0
"""Before another attempt, after a node failed."""
_EVENTS: Final = ("Opened", "Deposited", "Withdrawn", "Closing", "Submitted", "Settled", "Revealed", "Claimed")


class ChainFeed:
    """Follows the chain for the owner. :meth:`run` is its task."""

    def __init__(self, client: Client, owner: Owner, contract: bytes, settle_blocks: int) -> None:
        self._client = client
        self._owner = owner
        self._contract = contract
        self._settle_blocks = settle_blocks
        self._channels = load_abi(load("CityChannels").abi)
        self._registry = load_abi(load("ParticipantRegistry").abi)
        self._handed = owner.height
        self._told_of: set[bytes] = set()
        """Accounts of which the registry's events have told since this process began."""
        topics = [self._channels.event(name).topic for name in _EVENTS]
        self._filter = EventFilter(
            (contract, addresses.PARTICIPANT_REGISTRY), ((*topics, self._registry.event("StatusChanged").topic),)
        )
        self.connected = False

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._follow()
            except RpcError as error:
                _LOG.warning("hub.chain_lost", error=error.message, reason=error.reason)
            self.connected = False
            await trio.sleep(_PAUSE_S)

    async def _follow(self) -> None:
        status = await self._client.status()
        await self._catch_up(status.height, status.timestamp)
        async with self._client.follow_blocks(self._handed + 1) as blocks:
            self.connected = True
            async for block in blocks:
                await self._catch_up(block.height, block.header.timestamp)

    async def _catch_up(self, height: int, time: int) -> None:
        while self._handed < height:
            last = min(height, self._handed + _STRIDE)
            logs = [log async for log in self._client.logs(self._filter, self._handed + 1, last)]
            inputs = [told for log in in_effect_order(self._channels, logs) for told in await self._told(log, time)]
            await self._owner.put(ChainNews(inputs, last))
            self._handed = last

    async def _told(self, log: EventLog, time: int) -> list[Input]:
        if log.address == addresses.PARTICIPANT_REGISTRY:
            event = self._registry.decode_event(log)
            assert event is not None, "the filter lets through what the ABI declares"
            self._told_of.add(event.values["account"])
            return [_account(event.values["account"], event.values["word"], time)]
        event = self._channels.decode_event(log)
        assert event is not None, "the filter lets through what the ABI declares"
        if event.name == "Claimed":
            ours = event.values["account"] == self._owner.core.book.hub
            place = keccak256(log.height.to_bytes(8, "big") + log.log_index.to_bytes(4, "big"))
            return [InputClaimed(place, event.values["amount"])] if ours else []
        told = list(_channel_news(event.name, event.values, log.height, self._settle_blocks))
        book = self._owner.core.book
        if event.name == "Opened" and event.values["b"] == book.hub and not self._is_known(event.values["a"]):
            registry = self._client.contract(self._registry, addresses.PARTICIPANT_REGISTRY)
            word = await registry.read("status", event.values["a"])
            told.append(_account(event.values["a"], word, time))
        return told

    def _is_known(self, account: bytes) -> bool:
        """Whether the registry's events have said what the account is: 55,000 need no question each."""
        return account in self._told_of or account in self._owner.core.book.standings


def _account(account: bytes, word: int, time: int) -> InputAccount:
    return InputAccount(account, tier_of(word), may_transact(word, time))


def _channel_news(name: str, values: Mapping[str, Any], height: int, settle_blocks: int) -> Iterator[Input]:
    match name:
        case "Opened":
            parties = Parties(values["a"], values["b"], values["salt"])
            yield InputOpened(parties, values["amount"], settle_blocks)
        case "Deposited":
            yield InputDeposited(values["id"], values["party"], values["amount"])
        case "Withdrawn":
            yield InputWithdrawn(values["id"], values["party"], values["amount"])
        case "Closing":
            yield InputClosing(values["id"], Window(values["settle_block"], values["settle_time"]))
        case "Submitted":
            yield InputSubmitted(values["id"], values["payer"], values["nonce"])
        case "Settled":
            yield InputSettled(values["id"], values["payout_a"], values["payout_b"])
        case "Revealed":
            yield InputRevealed(values["secret"], height)
