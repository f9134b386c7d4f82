"""The chain's news for one channel: blocks, money, closing, secrets. From the wallet's own node, not from the hub."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import trio

from alatau.artifacts.artifact import load
from alatau.channels.state import Phase, Window, side_of
from alatau.channels.transition import (
    Change,
    ChangeClosing,
    ChangeDeposited,
    ChangeSettled,
    ChangeSubmitted,
    ChangeWithdrawn,
)
from alatau.client import Client
from alatau.client.abi import Event, load_abi
from alatau.client.channel_events import in_effect_order
from alatau.transport.errors import RpcError
from alatau.wallet.link import Link
from alatau.wire.logs import EventFilter, EventLog

_PAUSE_S: Final = 1.0
_OF_CHANNEL: Final = ("Deposited", "Withdrawn", "Closing", "Submitted", "Settled")
_STRIDE: Final = 5_000
"""Blocks whose events are listed at once, where the wallet was away."""
_NOTE_BLOCKS: Final = 500
"""After so many blocks without news the height is written all the same: so many are asked for again at most."""


class ChainWatch:
    """Tells a link what the chain says. :meth:`run` is its task."""

    def __init__(self, client: Client, link: Link, height: int) -> None:
        """Follow from ``height`` on: the block up to which the link's state knows the chain."""
        self._client = client
        self._link = link
        self.height = height
        self._noted = height
        self._abi = load_abi(load("CityChannels").abi)
        contract = link.core.state.domain.contract
        topics = tuple(self._abi.event(name).topic for name in _OF_CHANNEL)
        self._channel = EventFilter((contract,), (topics, (link.core.state.id,)))
        self._secrets = EventFilter((contract,), ((self._abi.event("Revealed").topic,),))
        self._secrets_from = max(height - link.core.state.settle_blocks, 0)
        """A lock lives shorter than this: an older secret decides nothing."""

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await self._follow()
            except RpcError:
                await trio.sleep(_PAUSE_S)

    async def _follow(self) -> None:
        await self.catch_up(await self.tip())
        async with self._client.follow_blocks(self.height + 1) as blocks:
            async for block in blocks:
                await self.catch_up(block.height)

    async def tip(self) -> int:
        """The chain's height, as the node says. Raises ``RpcError`` where it does not answer."""
        return (await self._client.status()).height

    async def catch_up(self, height: int) -> None:
        """Tell all that happened up to a block."""
        if self._secrets_from <= self.height:  # what an earlier process knew of them is not on the disk
            async for log in self._client.logs(self._secrets, self._secrets_from, self.height):
                self._link.core.learn_secret(self._decoded(log).values["secret"], log.height)
            self._secrets_from = self.height + 1
        while self.height < height:
            first, last = self.height + 1, min(height, self.height + _STRIDE)
            secrets = [log async for log in self._client.logs(self._secrets, first, last)]
            logs = [log async for log in self._client.logs(self._channel, first, last)]
            if self.height + 1 != first:
                continue  # another task was faster
            for log in secrets:
                self._link.core.learn_secret(self._decoded(log).values["secret"], log.height)
            self._secrets_from = last + 1
            note = last - self._noted >= _NOTE_BLOCKS
            self.height = last
            self._noted = last if note or logs else self._noted
            self._link.learn(self._changes(logs), last, note=note)
            self._forget_secrets(last)

    def _changes(self, logs: list[EventLog]) -> Iterator[Change]:
        """One after the other: totals go on from the state that the one before has made."""
        for log in in_effect_order(self._abi, logs):
            event = self._decoded(log)
            change = self._change(event.name, event.values)
            if change is not None:
                yield change

    def _decoded(self, log: EventLog) -> Event:
        event = self._abi.decode_event(log)
        assert event is not None, "the filter lets through what the ABI declares"
        return event

    def _forget_secrets(self, height: int) -> None:
        core = self._link.core
        for secret_hash, block in list(core.revealed.items()):
            if block + core.state.settle_blocks < height:
                del core.revealed[secret_hash]

    def _change(self, name: str, values: Mapping[str, Any]) -> Change | None:
        core = self._link.core
        match name:
            case "Deposited":
                total = side_of(core.state, values["party"]).deposited + values["amount"]
                return ChangeDeposited(values["party"], total)
            case "Withdrawn":
                total = core.withdrawn.get(values["party"], 0) + values["amount"]
                core.withdrawn[values["party"]] = total
                newer = total > side_of(core.state, values["party"]).withdrawn
                return ChangeWithdrawn(values["party"], total) if newer else None
            case "Closing" if core.state.phase is Phase.OPEN:
                return ChangeClosing(Window(values["settle_block"], values["settle_time"]))
            case "Submitted":
                return ChangeSubmitted(values["payer"], values["nonce"])
            case "Settled":
                return ChangeSettled()
        return None
