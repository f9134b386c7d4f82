"""Where consensus stands, for people and metrics. A copy: reading it later shows the same moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from alatau.consensus.signing import Silence
from alatau.consensus.state_machine import Step
from alatau.types.validator import ValidatorSet


@dataclass(frozen=True, slots=True)
class RoundView:
    """The round as this node sees it."""

    height: int
    round: int
    step: Step
    proposer: bytes
    """Address of the round's proposer."""
    proposal_received: bool
    prevotes: Mapping[bytes, bytes | None]
    """Validator -> block hash, or None for nil; validators not heard of are absent."""
    precommits: Mapping[bytes, bytes | None]
    locked_round: int
    """-1 where not locked."""
    validators: ValidatorSet
    absent: frozenset[bytes]
    """Validators passed over as proposers until a commit carries them."""
    failing: frozenset[bytes]
    """Validators passed over as proposers, but for a trial now and then: they sign, and nobody takes their blocks."""
    may_sign: bool
    """Whether this node votes at this height."""
    silence: Silence | None
    """Why a validator does not sign; None where it may, and for an observer."""
    silent_until: int | None
    """First height at which it signs again by itself; None where it signs, or an operator has to decide."""
    clock_offset_ms: int | None
    """How far our clock is behind the others' (negative: ahead); None while it agrees with theirs."""
    holding: bool
    """Whether it waits to hear of an existing chain before it begins."""
    highest_claim: int
    """Highest height that a peer claims to decide; 0 where none is ahead."""
