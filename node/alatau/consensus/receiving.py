"""How messages of peers come to count.

From the outside in: is the author a validator of the height, is it new, would it be kept, can the peer still cause
work; only then the signature, then the block's body, and only then the message. A vote or proposal is checked once,
however often it arrives, and what would not be kept is not checked at all.
"""

from alatau.consensus.authenticity import check_signature
from alatau.consensus.effects import DoReportEvidence
from alatau.consensus.errors import MalformedMessageError, SignatureMismatchError, WrongProposerError
from alatau.consensus.height import Height, Phase, ValidatorContext, afford
from alatau.consensus.message_checks import check_body, check_proposal, check_vote, is_timely
from alatau.consensus.messages import ProposalMessage
from alatau.consensus.vote_keeper import VoteStatus
from alatau.consensus.voting import keep_proposal
from alatau.types.vote import NO_ROUND, Commit, Proposal, Vote, VoteKind

_ROUNDS_AHEAD_MAX = 4
"""Proposals of later rounds that are kept: one block each, so a hostile proposer holds four blocks of memory."""

_TRANSACTIONS_PER_CHECK = 10
"""Transactions whose root costs what a signature does: 4 us each against 45 us."""


def group_by_subject(votes: tuple[Vote, ...]) -> list[list[Vote]]:
    """Group votes by what they vote on."""
    groups: dict[tuple[int, int, int, bytes | None], list[Vote]] = {}
    for vote in votes:
        groups.setdefault((vote.height, vote.round, vote.kind, vote.block_hash), []).append(vote)
    return list(groups.values())


# ---------------------------------------------------------------- votes


def receive_votes(ctx: ValidatorContext, height: Height, peer: bytes, group: list[Vote]) -> bool:
    """Count votes for one subject. A quorum for a block is kept whole, however many lies its voters told.

    Gives whether they count now; False where the peer has caused enough work for this round, and nothing was done.

    Raises:
        MessageError: one of them is a stranger's or forged; then none counts.
    """
    validators, keeper = height.context.validators, height.driver.votes
    for vote in group:
        check_vote(vote, validators)
    power = sum(validators.power_of(address) for address in {vote.validator for vote in group})
    is_quorum = group[0].block_hash is not None and validators.has_quorum(power)
    taken: dict[bytes, tuple[Vote, VoteStatus]] = {}
    for vote in group:
        status = keeper.status(vote)
        if status is not VoteStatus.DUPLICATE and (is_quorum or status is not VoteStatus.IGNORED):
            taken.setdefault(vote.validator, (vote, status))
    if not afford(height, peer, len(taken)):
        return False
    for vote, _ in taken.values():
        check_signature(ctx.authority, vote)
    for vote, status in taken.values():
        if vote.validator == ctx.authority.address:
            ctx.recognise(vote)
        if status is VoteStatus.CONFLICTING:
            _report_equivocation(ctx, height, keeper.conflicting(vote), vote)
        count(height, vote)
    return True


def count(height: Height, vote: Vote) -> None:
    """Count a vote whose signature is right."""
    height.peer_began = True
    height.driver.votes.add(vote)


def receive_past_votes(ctx: ValidatorContext, height: Height, peer: bytes, group: list[Vote]) -> None:
    """Take votes of the last height: late precommits into its commit, and whatever contradicts what we hold of it.

    Raises:
        MessageError: one of them is forged.
    """
    for vote in group:
        other = height.last.conflicting(vote)
        if height.last.fits(vote):
            if afford(height, peer, 1):
                check_signature(ctx.authority, vote)
                height.last.add(vote)
        elif other is not None and vote.validator not in height.last.reported and afford(height, peer, 1):
            check_signature(ctx.authority, vote)
            _report_past(ctx, height, other, vote)


# ---------------------------------------------------------------- proposals


def receive_proposal(ctx: ValidatorContext, height: Height, peer: bytes, message: ProposalMessage) -> None:
    """Keep a proposal, unless it is known, too far ahead, one lie too many, or one more than the peer may send.

    Raises:
        MessageError: no correct node sends this. The fault is the peer's, whoever signed the proposal.
    """
    proposal, driver = message.proposal, height.driver
    check_proposal(message, height.context.validators)
    if height.phase is Phase.COMMITTING or driver.proposals.knows(proposal):
        return
    if proposal.round > driver.state.round + _ROUNDS_AHEAD_MAX:
        return
    if proposal.proposer != height.proposer(proposal.round):
        raise WrongProposerError(f"0x{proposal.proposer.hex()} does not propose in round {proposal.round}")
    if message.block.header.parent_hash != height.context.parent_hash:
        raise MalformedMessageError(f"block {proposal.block_hash.hex()} has another parent than our tip")
    missing = driver.is_wanted(proposal.block_hash) and driver.proposals.block(proposal.block_hash) is None
    if not driver.proposals.has_room(proposal.round) and not missing:
        return
    if not afford(height, peer, cost_of(message)):
        return
    check_signature(ctx.authority, proposal)
    check_body(message.block, ctx.config)
    if message.proof_of_lock and not receive_votes(ctx, height, peer, list(message.proof_of_lock)):
        return  # Without its proof it could only stand in the way of the same with it.
    if proposal.proposer == ctx.authority.address:
        ctx.recognise(proposal)
    for kept in driver.proposals.in_round(proposal.round):
        if kept.message.proposal.block_hash != proposal.block_hash:
            _report_equivocation(ctx, height, kept.message.proposal, proposal)
    _compare_last_commit(ctx, height, message.block.last_commit)
    if proposal.valid_round == NO_ROUND:
        offset_ms = proposal.timestamp_ms - ctx.now_ms
        height.clock_offsets_ms.setdefault(proposal.block_hash, (proposal.proposer, offset_ms))
    timely = is_timely(message, height.context.parent_timestamp, ctx.now_ms, ctx.parameters)
    keep_proposal(ctx, height, message, timely=timely)


def cost_of(message: ProposalMessage) -> int:
    """What checking a proposal and its body costs, in signature checks; its proof of lock is paid for apart."""
    return 1 + len(message.block.transactions) // _TRANSACTIONS_PER_CHECK


# ---------------------------------------------------------------- equivocation


def _report_equivocation(
    ctx: ValidatorContext, height: Height, first: Vote | Proposal | None, second: Vote | Proposal
) -> None:
    """Report an equivocation, once for each validator and height; our own key's is for others to report."""
    signer = second.validator if isinstance(second, Vote) else second.proposer
    if first is not None and signer not in height.reported and signer != ctx.authority.address:
        height.reported.add(signer)
        ctx.do(DoReportEvidence(first, second))


def _report_past(ctx: ValidatorContext, height: Height, first: Vote, second: Vote) -> None:
    if second.validator != ctx.authority.address:
        height.last.reported.add(second.validator)
        ctx.do(DoReportEvidence(first, second))


def _compare_last_commit(ctx: ValidatorContext, height: Height, commit: Commit | None) -> None:
    """Compare the parent's commit, as a proposer gathered it, with the precommits that were said to us.

    Whoever told one half of the network one thing and the other half another is seen here. Its signature is looked
    at only where it contradicts; whether the whole commit is right, the host finds out with the block.
    """
    if commit is None or commit.block_hash != height.context.parent_hash:
        return
    for entry in commit.signatures:
        vote = Vote(
            VoteKind.PRECOMMIT, commit.height, commit.round, commit.block_hash, entry.validator, entry.signature
        )
        other = height.last.conflicting(vote)
        if other is None or vote.validator in height.last.reported:
            continue
        try:
            check_signature(ctx.authority, vote)
        except SignatureMismatchError:
            return  # The block is invalid, and nobody votes for it.
        _report_past(ctx, height, other, vote)
