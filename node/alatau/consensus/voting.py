"""What this validator says itself: proposals and votes, signed, recorded, then sent.

The three effects stand in this order: the record in the log, the sign state, the broadcast. Whatever follows from
our own vote comes later in the list.
"""

from dataclasses import replace

from alatau.consensus.effects import DoBroadcast, DoBuildBlock, DoPersist, DoRecordSignState
from alatau.consensus.height import Height, Phase, ValidatorContext, is_validator
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.proposal_keeper import Kept
from alatau.consensus.records import OwnVoteRecord, ProposalRecord
from alatau.consensus.state_machine import Propose, Step
from alatau.types.block import Block
from alatau.types.vote import NO_ROUND, Proposal, Vote, VoteKind

_BUILD_SHARE = 0.4
"""Of the block interval, the time in which a block takes transactions (docs: chain)."""


def propose(ctx: ValidatorContext, height: Height, wish: Propose) -> None:
    """L14 to L19: the valid block if there is one, else a new one, which the host builds."""
    driver = height.driver
    for kept in driver.proposals.in_round(wish.round):
        if kept.message.proposal.proposer == ctx.authority.address:
            ctx.do(DoBroadcast(kept.message))  # Signed before a restart: the log has it.
            return
    if wish.valid_hash is not None:
        block = driver.proposals.block(wish.valid_hash)
        assert block is not None, "a valid block is kept"
        sign_proposal(ctx, height, block, wish.valid_round)
    elif height.spare is not None and _is_recent(ctx, height.spare):
        sign_proposal(ctx, height, height.spare, NO_ROUND)
    else:
        timestamp = max(height.context.parent_timestamp, ctx.now_ms // 1_000)
        budget_ms = int(ctx.parameters.block_interval_ms * _BUILD_SHARE)
        ctx.do(DoBuildBlock(height.number, wish.round, height.late.commit, timestamp, budget_ms))


def take_built(ctx: ValidatorContext, height: Height, round_: int, block: Block) -> None:
    """The host built a block. Built too slowly for its round, it is good for our next (Besu 11005)."""
    header, state = block.header, height.driver.state
    if header.number != height.number or header.parent_hash != height.context.parent_hash:
        return
    in_time = height.phase is Phase.RUNNING and state.round == round_ and state.step is Step.PROPOSE
    if in_time and height.proposer(round_) == ctx.authority.address:
        sign_proposal(ctx, height, block, NO_ROUND)
    else:
        height.spare = block


def _is_recent(ctx: ValidatorContext, block: Block) -> bool:
    return ctx.now_ms - block.header.timestamp * 1_000 <= ctx.parameters.clock_drift_ms_max


def sign_proposal(ctx: ValidatorContext, height: Height, block: Block, valid_round: int) -> None:
    """L19: offer a block that is valid here, with the proof of its lock if it had a polka."""
    assert ctx.authority.address is not None
    driver, round_ = height.driver, height.driver.state.round
    if driver.proposals.in_round(round_):
        return
    proof = driver.votes.votes_for(VoteKind.PREVOTE, valid_round, block.hash) if valid_round != NO_ROUND else ()
    proposer = ctx.authority.address
    unsigned = Proposal(height.number, round_, block.hash, valid_round, ctx.now_ms, proposer, b"")
    signed = ctx.guard.sign(unsigned)
    if signed is None:
        return
    sign_state, signature = signed
    message = ProposalMessage(replace(unsigned, signature=signature), block, proof)
    keep_proposal(ctx, height, message, timely=True)
    driver.proposals.judge(block.hash, valid=True)
    ctx.do(DoRecordSignState(sign_state), DoBroadcast(message))


def keep_proposal(ctx: ValidatorContext, height: Height, message: ProposalMessage, *, timely: bool) -> None:
    """Add a proposal, ours or a peer's, to the messages of the height and to the log.

    An observer needs no log: it signs nothing that could contradict what it forgot.
    """
    height.driver.proposals.add(Kept(message, timely))
    if height.proposed_at_ms is None:
        height.proposed_at_ms = ctx.now_ms
    if is_validator(ctx, height):
        ctx.do(DoPersist(ProposalRecord(message, timely)))


def cast(ctx: ValidatorContext, height: Height, kind: VoteKind, block_hash: bytes | None) -> None:
    """Sign a vote, if we may, and count it."""
    if not is_validator(ctx, height) or ctx.peer_heights.holding:
        return
    assert ctx.authority.address is not None
    state = height.driver.state
    unsigned = Vote(kind, height.number, state.round, block_hash, ctx.authority.address, b"")
    signed = ctx.guard.sign(unsigned)
    if signed is None:
        return
    sign_state, signature = signed
    vote = replace(unsigned, signature=signature)
    record = OwnVoteRecord(vote, state.locked_round, state.locked_hash, state.valid_round, state.valid_hash)
    ctx.do(DoPersist(record), DoRecordSignState(sign_state), DoBroadcast(VotesMessage((vote,))))
    height.driver.votes.add(vote)
