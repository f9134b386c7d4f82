"""What every node of a network agrees on beforehand; part of the genesis file."""

from dataclasses import dataclass, field
from enum import StrEnum


class Fork(StrEnum):
    """A rule set of the EVM."""

    PRAGUE = "prague"
    OSAKA = "osaka"


@dataclass(frozen=True, slots=True)
class SystemContracts:
    """Addresses of the contracts that the node itself reads; None where a network does without one."""

    validator_registry: bytes | None = None
    participant_registry: bytes | None = None


@dataclass(frozen=True, slots=True)
class ConsensusParameters:
    """Timing and liveness rules of consensus. Times in milliseconds."""

    block_interval_ms: int = 1_000
    """Least time between two blocks that carry transactions."""
    heartbeat_ms: int = 10_000
    """An empty block follows after this long without transactions."""
    timeout_propose_ms: int = 3_000
    timeout_vote_ms: int = 1_000
    """Prevote and precommit timeouts."""
    timeout_delta_ms: int = 500
    """Added to each timeout per round."""
    timeout_max_ms: int = 30_000
    """Cap of every timeout (Besu 7642: uncapped timeouts stall for hours)."""
    clock_drift_ms_max: int = 5_000
    """A proposal further than this from a validator's clock gets a nil prevote."""
    absent_commits: int = 16
    """A validator that signed none of this many last commits is passed over as proposer."""


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """The rules of one network."""

    chain_id: int
    name: str
    block_gas_limit: int = 40_000_000
    """It bounds bytes, not time: a byte of a block takes 10 gas at least (EIP-7623), so that every answer about a block
    fits in the 4 MiB that clients of gRPC take. Time is bounded by the builder's clock and by the timeouts of rounds
    (docs/adr/0024-time-is-guarded-by-clocks.md). 1,080 token payments."""
    block_size_bytes_max: int = 4 * 1024 * 1024
    """Largest encoded block; a proposal above it is refused before it is read."""
    base_fee_per_gas: int = 0
    """Wei; constant, never drifting with load."""
    forks: tuple[tuple[int, Fork], ...] = ((0, Fork.OSAKA),)
    """(height, rule set), ascending; the first is at height 0."""
    system: SystemContracts = field(default_factory=SystemContracts)
    consensus: ConsensusParameters = field(default_factory=ConsensusParameters)

    def fork_at(self, height: int) -> Fork:
        """The rule set in force at ``height``."""
        return next(fork for start, fork in reversed(self.forks) if start <= height)
