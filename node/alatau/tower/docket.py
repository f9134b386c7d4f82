"""Which vouchers the contract has to hear of now. In memory; made again from the database when the tower starts.

It holds the channels that are closing, never all: a tower of 55,000 channels keeps those on its disk and is up in
seconds.
"""

from dataclasses import dataclass
from typing import TypeAlias

import trio

from alatau.channels.protection import Protection
from alatau.channels.state import Phase
from alatau.channels.watching import WatchedChannel, is_due, payers
from alatau.storage.database import Database
from alatau.tower import store

Direction: TypeAlias = tuple[bytes, bytes]
"""Channel id and payer."""


@dataclass(frozen=True, slots=True)
class Due:
    """A voucher that the contract has to hear of."""

    held: Protection
    settle_block: int
    """First block in which it would be too late."""


class Docket:
    """What is closing and what is due."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.closing: dict[bytes, WatchedChannel] = {}
        self._due: dict[Direction, Due] = {}
        self._changed = trio.Event()
        self.protected = 0
        """Channels with a voucher."""
        self.close_requests = 0
        """Channels with a request to close."""
        self.heard: set[bytes] | None = None
        """Ids of channels of which something was told since it was last emptied, for who leads an exit; else None."""

    def load(self) -> None:
        """Make it of what lies in the database."""
        for channel_id in list(store.closing(self._database)):
            self.refresh(channel_id)
        self.count()

    def count(self) -> None:
        """Count what is kept: about 0.1 s for a city."""
        self.protected = sum(1 for _ in store.protected_channels(self._database))
        self.close_requests = sum(1 for _ in store.channels_with_request(self._database))

    def refresh(self, channel_id: bytes) -> None:
        """Something was told or handed over about a channel."""
        if self.heard is not None:
            self.heard.add(channel_id)
        channel = store.channel(self._database, channel_id)
        if channel is None or channel.phase is not Phase.CLOSING or channel.window is None:
            known = self.closing.pop(channel_id, None)
            if known is not None:
                for payer in payers(known.parties):
                    self._due.pop((channel_id, payer), None)
            return
        self.closing[channel_id] = channel
        for payer in payers(channel.parties):
            held = store.protection(self._database, channel_id, channel.parties, payer)
            if held is not None and is_due(channel, held):
                self._due[(channel_id, payer)] = Due(held, channel.window.settle_block)
            else:
                self._due.pop((channel_id, payer), None)
        self._changed.set()
        self._changed = trio.Event()

    def due(self) -> list[Due]:
        """All that is due, the most urgent first."""
        return sorted(self._due.values(), key=lambda due: due.settle_block)

    def is_due(self, due: Due) -> bool:
        """Whether the contract still does not know it."""
        voucher = due.held.voucher
        now = self._due.get((voucher.channel_id, voucher.payer))
        return now is not None and now.held.voucher.nonce >= voucher.nonce

    async def changed(self) -> None:
        """Wait until something is told or handed over about a channel that is closing."""
        await self._changed.wait()
