"""Where consensus stands, for people and metrics. A copy: reading it later shows the same moment."""

from collections.abc import Mapping
from dataclasses import dataclass

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
    """Validators passed over as proposers."""
    may_sign: bool
    """Whether this node votes at this height."""
    holding: bool
    """Whether it waits to hear of an existing chain before it begins."""
    highest_claim: int
    """Highest height that a peer claims to decide; 0 where none is ahead."""
