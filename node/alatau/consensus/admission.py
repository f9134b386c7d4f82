"""How messages of peers come to count.

From the outside in: is the author a validator of the height, is it new, is it that author's turn; only then the
signature, and only then the message. A vote or proposal is checked once, however often it arrives.
"""

from alatau.consensus.authenticity import check_signature
from alatau.consensus.door import check_proposal, check_vote, is_timely
from alatau.consensus.effects import DoPersist, DoReportEvidence
from alatau.consensus.errors import MalformedMessageError, WrongProposerError
from alatau.consensus.height import Height, Phase, is_validator
from alatau.consensus.messages import ProposalMessage
from alatau.consensus.records import VoteRecord
from alatau.consensus.seat import Seat
from alatau.consensus.vote_keeper import Standing
from alatau.consensus.voting import keep_proposal
from alatau.types.vote import Proposal, Vote

_ROUNDS_AHEAD_MAX = 4
"""Proposals of later rounds that are kept: one block each, so a hostile proposer holds four blocks of memory."""


def by_subject(votes: tuple[Vote, ...]) -> list[list[Vote]]:
    """Group votes by what they vote on."""
    groups: dict[tuple[int, int, int, bytes | None], list[Vote]] = {}
    for vote in votes:
        groups.setdefault((vote.height, vote.round, vote.kind, vote.block_hash), []).append(vote)
    return list(groups.values())


def admit_votes(seat: Seat, height: Height, group: list[Vote]) -> None:
    """Count votes for one subject. A quorum for a block is kept whole, however many lies its voters told.

    Raises:
        MessageError: one of them is a stranger's or forged; then none counts.
    """
    validators, keeper = height.context.validators, height.driver.votes
    for vote in group:
        check_vote(vote, validators)
    power = sum(validators.power_of(address) for address in {vote.validator for vote in group})
    is_quorum = group[0].block_hash is not None and validators.has_quorum(power)
    taken = []
    for vote in group:
        standing = keeper.standing(vote)
        if standing is not Standing.KNOWN and (is_quorum or standing is not Standing.USELESS):
            taken.append((vote, standing))
            check_signature(seat.authority, vote)
    for vote, standing in taken:
        if vote.validator == seat.authority.address:
            seat.guard.recognise(vote, forgetful=seat.catch_up.forgetful)
        if standing is Standing.CONFLICTING:
            _convict(seat, height, vote.validator, keeper.conflicting(vote), vote)
        count(seat, height, vote)


def count(seat: Seat, height: Height, vote: Vote) -> None:
    """Count a vote whose signature is right. Votes for blocks go to the log: proofs of locks rest on them."""
    height.peer_began = True
    if vote.block_hash is not None and height.undecided and is_validator(seat, height):
        seat.do(DoPersist(VoteRecord(vote)))
    height.driver.votes.add(vote)


def admit_proposal(seat: Seat, height: Height, message: ProposalMessage, *, verified: bool = False) -> None:
    """Keep a proposal, unless it is known, too far ahead, or one lie too many.

    Args:
        seat: ours.
        height: the height that it is for.
        message: the proposal with its block.
        verified: whether its signature was checked when it came early.

    Raises:
        MessageError: no correct proposer sent this.
    """
    proposal, driver = message.proposal, height.driver
    check_proposal(message, height.context.validators)
    if height.phase is Phase.COMMITTING or driver.proposals.knows(proposal.round, proposal.block_hash):
        return
    if proposal.round > driver.state.round + _ROUNDS_AHEAD_MAX:
        return
    if proposal.proposer != height.proposer(proposal.round):
        raise WrongProposerError(f"0x{proposal.proposer.hex()} does not propose in round {proposal.round}")
    if message.block.header.parent_hash != height.context.parent_hash:
        raise MalformedMessageError(f"block {proposal.block_hash.hex()} has another parent than our tip")
    if not verified:
        check_signature(seat.authority, proposal)
    if proposal.proposer == seat.authority.address:
        seat.guard.recognise(proposal, forgetful=seat.catch_up.forgetful)
    earlier = driver.proposals.in_round(proposal.round)
    if earlier:
        _convict(seat, height, proposal.proposer, earlier[0].message.proposal, proposal)
        if not driver.proposals.has_room(proposal.round) and not driver.is_wanted(proposal.block_hash):
            return
    if message.proof_of_lock:
        admit_votes(seat, height, list(message.proof_of_lock))
    timely = is_timely(message, height.context.parent_timestamp, seat.now_ms, seat.parameters)
    keep_proposal(seat, height, message, timely=timely)


def _convict(
    seat: Seat, height: Height, validator: bytes, first: Vote | Proposal | None, second: Vote | Proposal
) -> None:
    """Report an equivocation, once for each validator and height."""
    if first is not None and validator not in height.convicted:
        height.convicted.add(validator)
        seat.do(DoReportEvidence(first, second))
