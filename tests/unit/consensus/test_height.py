"""How long steps wait."""

from alatau.consensus.height import timeout_ms
from alatau.consensus.inputs import TimerKind
from alatau.types.chain_config import ConsensusParameters

PARAMETERS = ConsensusParameters(timeout_propose_ms=300, timeout_vote_ms=100, timeout_delta_ms=50, timeout_max_ms=1_000)


def test_timeouts_grow_by_the_same_step_each_round() -> None:
    """Linear: some round is long enough for any finite delay."""
    assert [timeout_ms(PARAMETERS, TimerKind.PROPOSE, r) for r in range(4)] == [300, 350, 400, 450]
    assert [timeout_ms(PARAMETERS, TimerKind.PREVOTE, r) for r in range(3)] == [100, 150, 200]
    assert timeout_ms(PARAMETERS, TimerKind.PRECOMMIT, 1) == 150


def test_timeouts_stop_growing_at_the_cap() -> None:
    """Of every kind, in every later round."""
    assert timeout_ms(PARAMETERS, TimerKind.PROPOSE, 14) == 1_000
    assert timeout_ms(PARAMETERS, TimerKind.PRECOMMIT, 10**9) == 1_000
