"""How long each step of a round waits (arXiv 1807.04938, section 5: timeouts grow with the round)."""

from alatau.consensus.inputs import TimerKind
from alatau.types.chain_config import ConsensusParameters


def timeout_ms(parameters: ConsensusParameters, kind: TimerKind, round_: int) -> int:
    """Delay of a step's timer, or of the rebroadcast, in ``round_``.

    Linear in the round, so that some round is long enough for any finite delay, and capped, so that a network
    that was down for a night is back within one timeout (Besu 7642). No power of two can overflow (Quorum 1664).
    """
    match kind:
        case TimerKind.PROPOSE | TimerKind.REBROADCAST:
            first = parameters.timeout_propose_ms
        case _:
            first = parameters.timeout_vote_ms
    return min(first + round_ * parameters.timeout_delta_ms, parameters.timeout_max_ms)
