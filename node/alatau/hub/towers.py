"""The hub's watchtowers: they get each voucher that pays it, and say what they hold when its disk was put back."""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import trio

from alatau.channels.forwarding.book import Book
from alatau.channels.forwarding.effects import DoForgetChannel, DoStoreChannel, Store
from alatau.channels.forwarding.inputs import InputAttach
from alatau.channels.messages import Parties
from alatau.channels.state import ChannelState
from alatau.channels.tower_feed import newest
from alatau.client.tower_feeding import Party, TowerEndpoint, TowerLink, Words
from alatau.storage.database import Database, DatabaseOptions, open_database
from alatau.storage.disk import Disk


@dataclass(frozen=True, slots=True)
class Towers:
    """All of them. :meth:`run` is their task."""

    links: tuple[TowerLink, ...]
    clock: Callable[[], float]
    """Seconds since 1970."""

    async def run(self) -> None:
        """Hand over until cancelled."""
        async with trio.open_nursery() as nursery:
            for link in self.links:
                nursery.start_soon(link.run)

    def stored(self, stores: Sequence[Store]) -> None:
        """A batch is on the disk; never waits."""
        if not self.links:
            return
        for store in stores:
            for link in self.links:
                if isinstance(store, DoStoreChannel):
                    link.offer(store.state)
                elif isinstance(store, DoForgetChannel):
                    link.forget(store.parties, store.channel_id)

    async def with_what_they_hold(self, parties: Parties, said: InputAttach) -> InputAttach:
        """What a party shows to a hub that was restored, each voucher in place of an older one of a tower's.

        Raises:
            TowerError: one of them does not answer: what it holds may be newer, so nothing is signed before.
        """
        now = int(self.clock())
        held = [voucher for link in self.links for voucher in await link.recall(parties, now)]
        own = newest(said.own, *(one for one in held if one.voucher.payer == parties.a))
        hubs = newest(said.hubs, *(one for one in held if one.voucher.payer == parties.b))
        return replace(said, own=own, hubs=hubs)


class TowerWords:
    """Receipts of towers on the disk: tower, channel and payer to nonce, in a small LevelDB without flushes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, tower: bytes) -> Mapping[bytes, int]:
        """As ``Words``."""
        return {key[20:]: _NONCE.unpack(value)[0] for key, value in self._database.items_with(tower)}

    def keep(self, tower: bytes, news: Mapping[bytes, int]) -> None:
        """As ``Words``."""
        batch = self._database.batch()
        for direction, nonce in news.items():
            if nonce:
                batch.put(tower + direction, _NONCE.pack(nonce))
            else:
                batch.delete(tower + direction)
        self._database.write(batch)

    def close(self) -> None:
        """Let go of the folder."""
        self._database.close()


class _NoWords:
    """For a hub without towers."""

    def load(self, _tower: bytes) -> Mapping[bytes, int]:
        return {}

    def keep(self, tower: bytes, news: Mapping[bytes, int]) -> None:
        """Nothing is kept: all is handed over again."""


NO_WORDS: Final[Words] = _NoWords()
_NONCE: Final = struct.Struct(">Q")


def open_words(path: Path) -> TowerWords:
    """Open or make the database. Raises ``StorageError``."""
    expected = path.exists() and any(path.iterdir())
    return TowerWords(open_database(path, DatabaseOptions(sync=False), Disk(), expected=expected))


def build_towers(
    endpoints: Sequence[TowerEndpoint],
    party: Party,
    words: Words,
    book: Book,
    alarm: Callable[[str], None],
    clock: Callable[[], float],
) -> Towers:
    """The towers of a hub whose memory is ``book``."""

    def channels() -> list[ChannelState]:
        return [member.state for member in list(book.members.values())]

    links = tuple(TowerLink(one, party, words, channels, alarm) for one in endpoints)
    return Towers(links, clock)
