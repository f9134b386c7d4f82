"""Messages of the next height, kept until this one is decided.

Others may be a moment ahead; what they say then is worth keeping, within a fixed share of memory for each
validator: the votes of four rounds and one proposal. Signatures are checked on arrival, so nobody fills another's
share.
"""

from alatau.consensus.messages import ProposalMessage
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Vote

_PROPOSALS_MAX = 4
"""Blocks kept, of up to 4 MiB each. Liars can fill these; an honest proposal is then asked for a little later."""

_ROUNDS_MAX = 4
"""Rounds kept: two validators are never more than a round or two apart without one of them needing to sync."""


class NextHeight:
    """The early messages of ``height``."""

    def __init__(self, height: int, validators: ValidatorSet) -> None:
        self.height = height
        self.validators = validators
        self._votes: dict[tuple[bytes, int, int], Vote] = {}
        self._proposals: dict[bytes, tuple[bytes, ProposalMessage]] = {}

    def wants_vote(self, vote: Vote) -> bool:
        """Whether a vote would be kept; its signature need not be checked yet."""
        return (
            vote.round < _ROUNDS_MAX
            and vote.validator in self.validators.by_address
            and (vote.validator, vote.kind, vote.round) not in self._votes
        )

    def add_vote(self, vote: Vote) -> None:
        """Keep a vote whose signature is right."""
        self._votes[vote.validator, vote.kind, vote.round] = vote

    def wants_proposal(self, message: ProposalMessage) -> bool:
        """Whether a proposal would be kept; whose turn it is is known only when the height begins."""
        proposal = message.proposal
        return (
            len(self._proposals) < _PROPOSALS_MAX
            and proposal.round < _ROUNDS_MAX
            and proposal.proposer in self.validators.by_address
            and proposal.proposer not in self._proposals
        )

    def add_proposal(self, peer: bytes, message: ProposalMessage) -> None:
        """Keep a proposal whose signature and body are right, with who brought it: the proof of lock is unchecked."""
        self._proposals[message.proposal.proposer] = peer, message

    @property
    def votes(self) -> tuple[Vote, ...]:
        """The votes kept, as they came."""
        return tuple(self._votes.values())

    @property
    def proposals(self) -> tuple[tuple[bytes, ProposalMessage], ...]:
        """The proposals kept, as they came, each with the peer that brought it."""
        return tuple(self._proposals.values())
