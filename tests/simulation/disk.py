"""What survives a crash of a simulated node, and what does not."""

from dataclasses import dataclass, field
from random import Random

from alatau.consensus.records import Record, SignState
from tests.simulation.chain import Ledger


@dataclass(slots=True)
class Disk:
    """The chain, the consensus log and the sign state of one node."""

    ledger: Ledger
    log: list[Record] = field(default_factory=list)
    """Flushed."""
    unflushed: list[Record] = field(default_factory=list)
    sign_state: SignState | None = None

    def flush(self) -> None:
        """What a flush of the log does."""
        self.log += self.unflushed
        self.unflushed.clear()

    def record_sign_state(self, sign_state: SignState) -> None:
        """As the file does: it only grows, whatever it is asked."""
        self.flush()
        last = self.sign_state
        if last is not None and last != sign_state:
            assert (last.height, last.round, last.step) < (sign_state.height, sign_state.round, sign_state.step)
        self.sign_state = sign_state

    def crash(self, chance: Random) -> None:
        """Keep what was flushed and, of the rest, whatever the disk had already written: a torn tail."""
        self.log += self.unflushed[: chance.randint(0, len(self.unflushed))]
        self.unflushed.clear()
