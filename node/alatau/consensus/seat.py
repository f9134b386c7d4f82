"""Our seat at the table: what lasts from height to height."""

from dataclasses import dataclass, field

from alatau.consensus.authenticity import Authority
from alatau.consensus.catch_up import CatchUp
from alatau.consensus.effects import Effect
from alatau.consensus.signing import SigningGuard
from alatau.types.chain_config import ConsensusParameters


@dataclass(slots=True)
class Seat:
    """Who we are, what we may sign, whom we could ask, and the effects of the step that is running."""

    authority: Authority
    parameters: ConsensusParameters
    guard: SigningGuard
    catch_up: CatchUp = field(default_factory=CatchUp)
    effects: list[Effect] = field(default_factory=list)
    now_ms: int = 0
    """Wall clock of this step."""
    last_proposal_ms: int = 0
    """When the last decided block was proposed: the block interval counts from there."""

    def do(self, *effects: Effect) -> None:
        """Ask the host for something, after everything asked before."""
        self.effects.extend(effects)
