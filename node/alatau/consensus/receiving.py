"""How messages of peers come to count.

From the outside in: is the author a validator of the height, is it new, is it that author's turn; only then the
signature, and only then the message. A vote or proposal is checked once, however often it arrives.
"""

from alatau.consensus.authenticity import check_signature
from alatau.consensus.effects import DoPersist, DoReportEvidence
from alatau.consensus.errors import MalformedMessageError, WrongProposerError
from alatau.consensus.height import Height, Phase, ValidatorContext, is_validator
from alatau.consensus.message_checks import check_proposal, check_vote, is_timely
from alatau.consensus.messages import ProposalMessage
from alatau.consensus.records import VoteRecord
from alatau.consensus.vote_keeper import VoteStatus
from alatau.consensus.voting import keep_proposal
from alatau.types.vote import Proposal, Vote

_ROUNDS_AHEAD_MAX = 4
"""Proposals of later rounds that are kept: one block each, so a hostile proposer holds four blocks of memory."""


def group_by_subject(votes: tuple[Vote, ...]) -> list[list[Vote]]:
    """Group votes by what they vote on."""
    groups: dict[tuple[int, int, int, bytes | None], list[Vote]] = {}
    for vote in votes:
        groups.setdefault((vote.height, vote.round, vote.kind, vote.block_hash), []).append(vote)
    return list(groups.values())


def receive_votes(ctx: ValidatorContext, height: Height, group: list[Vote]) -> None:
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
        status = keeper.status(vote)
        if status is not VoteStatus.DUPLICATE and (is_quorum or status is not VoteStatus.IGNORED):
            taken.append((vote, status))
            check_signature(ctx.authority, vote)
    for vote, status in taken:
        if vote.validator == ctx.authority.address:
            ctx.guard.recognise(vote, forgetful=ctx.peer_heights.forgetful)
        if status is VoteStatus.CONFLICTING:
            _report_equivocation(ctx, height, vote.validator, keeper.conflicting(vote), vote)
        count(ctx, height, vote)


def count(ctx: ValidatorContext, height: Height, vote: Vote) -> None:
    """Count a vote whose signature is right. Votes for blocks go to the log: proofs of locks rest on them."""
    height.peer_began = True
    if vote.block_hash is not None and height.undecided and is_validator(ctx, height):
        ctx.do(DoPersist(VoteRecord(vote)))
    height.driver.votes.add(vote)


def receive_proposal(
    ctx: ValidatorContext, height: Height, message: ProposalMessage, *, verified: bool = False
) -> None:
    """Keep a proposal, unless it is known, too far ahead, or one lie too many.

    Args:
        ctx: ours.
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
        check_signature(ctx.authority, proposal)
    if proposal.proposer == ctx.authority.address:
        ctx.guard.recognise(proposal, forgetful=ctx.peer_heights.forgetful)
    earlier = driver.proposals.in_round(proposal.round)
    if earlier:
        _report_equivocation(ctx, height, proposal.proposer, earlier[0].message.proposal, proposal)
        if not driver.proposals.has_room(proposal.round) and not driver.is_wanted(proposal.block_hash):
            return
    if message.proof_of_lock:
        receive_votes(ctx, height, list(message.proof_of_lock))
    timely = is_timely(message, height.context.parent_timestamp, ctx.now_ms, ctx.parameters)
    keep_proposal(ctx, height, message, timely=timely)


def _report_equivocation(
    ctx: ValidatorContext, height: Height, validator: bytes, first: Vote | Proposal | None, second: Vote | Proposal
) -> None:
    """Report an equivocation, once for each validator and height."""
    if first is not None and validator not in height.reported:
        height.reported.add(validator)
        ctx.do(DoReportEvidence(first, second))
