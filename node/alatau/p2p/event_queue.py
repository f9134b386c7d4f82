"""What peers said about consensus, waiting for the engine: a line for each peer, served in turn.

One queue for all would let a peer that says much hold up the others' votes. Here each peer has a bounded line of
its own; where that is full, its streams are not read on, and nobody else waits. Peers whose next message is about the
height that is being decided go first; among equals the turns are fair by *units*, which are signatures to check, and
not by messages (deficit round robin; Shreedhar and Varghese, 1995).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import trio

from alatau.consensus.inputs import InMessage, PeerEvent
from alatau.consensus.messages import Message, ProposalMessage, VotesMessage

TURN: Final = 64
"""Units of a turn: 3 ms of checking signatures."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An event in its line, with what its turn depends on."""

    event: PeerEvent
    units: int
    height: int | None
    """The height that it is about; None where it is about none and goes first."""


@dataclass(slots=True)
class _Line:
    """What waits of one peer, in the order in which it came."""

    events: deque[_Waiting] = field(default_factory=deque)
    units: int = 0
    credit: int = TURN
    """Units that it may still use before the others have had their turn; negative after a large message."""
    room: trio.Event = field(default_factory=trio.Event)
    """Set when something was taken."""


class EventQueue:
    """Many put, one takes."""

    def __init__(self, units_max: int, deciding: Callable[[], int]) -> None:
        """``units_max`` of one peer wait at most; ``deciding`` gives the height that is being decided."""
        self._units_max = units_max
        self._deciding = deciding
        self._lines: dict[bytes, _Line] = {}
        """Of the peers of which something waits."""
        self._turns: deque[bytes] = deque()
        """The same peers; the first is next."""
        self._arrived = trio.Event()

    def waiting(self, peer: bytes) -> int:
        """How many units of a peer wait."""
        line = self._lines.get(peer)
        return 0 if line is None else line.units

    async def put(self, event: PeerEvent, units: int) -> None:
        """Let an event wait its turn, behind what waits of its peer; first for room in the peer's line.

        An empty line takes an event of any size.
        """
        while (line := self._lines.get(event.peer)) is not None and line.units + units > self._units_max:
            line.room = trio.Event() if line.room.is_set() else line.room
            await line.room.wait()
        if line is None:
            line = self._lines[event.peer] = _Line()
            self._turns.append(event.peer)
        line.events.append(_Waiting(event, units, height_of(event.message) if isinstance(event, InMessage) else None))
        line.units += units
        self._arrived.set()

    async def get(self) -> PeerEvent:
        """The next event."""
        while not self._turns:
            self._arrived = trio.Event()
            await self._arrived.wait()
        peer = self._next()
        line = self._lines[peer]
        waiting = line.events.popleft()
        line.units -= waiting.units
        line.credit -= waiting.units
        line.room.set()
        if not line.events:
            del self._lines[peer]
            self._turns.remove(peer)
        return waiting.event

    def _next(self) -> bytes:
        """Whose turn it is."""
        first = None, self._deciding()
        urgent = {peer for peer, line in self._lines.items() if line.events[0].height in first}
        while True:
            for _ in range(len(self._turns)):
                peer = self._turns[0]
                line = self._lines[peer]
                if (not urgent or peer in urgent) and line.credit > 0:
                    return peer
                self._turns.rotate(-1)
            for line in self._lines.values():  # all that may go have had their turn
                line.credit = min(line.credit + TURN, TURN)


def height_of(message: Message) -> int:
    """The height that a message is about."""
    match message:
        case VotesMessage(votes):
            return max((vote.height for vote in votes), default=0)
        case ProposalMessage(proposal):
            return proposal.height
        case _:
            return message.height
