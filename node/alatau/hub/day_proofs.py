"""Proofs of inclusion for whoever asks: the tree of a day is built once and kept while its owners ask for it."""

from collections import OrderedDict
from typing import Final

import trio

from alatau.books.day_root import DayRoot, Inclusion, inclusion
from alatau.books.errors import NotInBookError
from alatau.hub.day_close import root_of
from alatau.hub.journal import Journal

_TREES_MAX: Final = 3
"""Of a city's day a tree is some 30 MB; most ask for yesterday's."""


class DayProofs:
    """Trees of closed days."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._trees: OrderedDict[int, tuple[DayRoot | None, dict[bytes, int]]] = OrderedDict()
        self._turn = trio.Lock()

    async def proof(self, day: int, channel_id: bytes) -> Inclusion:
        """A channel's. Raises ``NotInBookError``: the day is not closed, or the channel neither paid nor received."""
        if self._journal.closed(day) is None:
            raise NotInBookError(f"day {day} is not closed yet, or was forgotten")
        async with self._turn:
            if day not in self._trees:
                root = await trio.to_thread.run_sync(root_of, self._journal, day)
                places = {} if root is None else {entry.channel_id: n for n, entry in enumerate(root.entries)}
                self._trees[day] = root, places
                if len(self._trees) > _TREES_MAX:
                    self._trees.popitem(last=False)
            self._trees.move_to_end(day)
            root, places = self._trees[day]
        if root is None or channel_id not in places:
            raise NotInBookError(f"channel 0x{channel_id.hex()} neither paid nor received on day {day}")
        return inclusion(root, channel_id)
