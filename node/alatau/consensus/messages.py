"""What validators say to each other about a height.

Every message is self-certifying: what counts is the signature inside, never the peer that brought it, so any
node may pass any message on.
"""

from dataclasses import dataclass
from typing import TypeAlias

from alatau.types.block import Block
from alatau.types.vote import Proposal, Vote


@dataclass(frozen=True, slots=True)
class ProposalMessage:
    """A proposal with its block."""

    proposal: Proposal
    block: Block
    """The block whose hash the proposal signs."""
    proof_of_lock: tuple[Vote, ...] = ()
    """The prevotes of ``proposal.valid_round`` for the block, where it is proposed again (L28)."""
    prevote: Vote | None = None
    """The proposer's own prevote for the block, signed in the same step: said here, it needs no message of its own.

    It is on the way only. Whoever keeps, logs or passes on a proposal does so without it, and counts it as a vote."""


@dataclass(frozen=True, slots=True)
class VotesMessage:
    """Votes, of any validators and rounds of one height: one's own, a polka, or the commit of a height."""

    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class RoundCertificate:
    """Votes that prove that ``round`` was entered: precommits of the round before, or f+1 votes of it."""

    height: int
    round: int
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class StatusMessage:
    """Where a node stands. Unsigned: it makes a peer worth asking, and is never believed further."""

    height: int
    """The height that it is deciding."""
    round: int
    tip_hash: bytes
    """Hash of its last committed block."""


@dataclass(frozen=True, slots=True)
class ProposalRequest:
    """Asks for a proposal of a round that did not arrive."""

    height: int
    round: int
    block_hash: bytes | None
    """The block that votes name and the asker lacks; None for whatever was proposed in the round."""


Message: TypeAlias = ProposalMessage | VotesMessage | RoundCertificate | StatusMessage | ProposalRequest
