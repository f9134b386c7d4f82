"""What a restart puts back from the log of its height.

The log holds facts, not inputs to be run again: proposals, votes, and with each own vote the lock that it left. They
go back where they were, and the rules go on from there by themselves.
"""

from dataclasses import replace

from alatau.consensus import rebroadcast
from alatau.consensus.errors import MessageError
from alatau.consensus.height import Height, Phase, ValidatorContext, set_round_timer
from alatau.consensus.inputs import TimerKind
from alatau.consensus.message_checks import check_body
from alatau.consensus.messages import ProposalMessage
from alatau.consensus.proposal_keeper import Kept
from alatau.consensus.records import OwnProposalRecord, OwnVoteRecord, ProposalRecord, Record, VoteRecord
from alatau.consensus.state_machine import Step
from alatau.consensus.voting import proof_of_lock
from alatau.types.block import block_size
from alatau.types.vote import VoteKind


def restore(ctx: ValidatorContext, height: Height, records: tuple[Record, ...]) -> None:
    """Put back what the log holds of this height, in its order; say again what was said last."""
    driver = height.driver
    for record in records:
        match record:
            case ProposalRecord():
                _restore_proposal(ctx, height, record)
            case OwnProposalRecord():
                _restore_own_proposal(height, record)
            case VoteRecord(vote):
                driver.votes.add(vote)
            case OwnVoteRecord():
                _restore_own_vote(height, record)
    height.peer_began = height.interval_over = True
    if driver.state.step is not Step.UNSTARTED:
        height.phase = Phase.RUNNING
        set_round_timer(ctx, height, TimerKind.REBROADCAST)
        rebroadcast.rebroadcast(ctx, height)


def _restore_proposal(ctx: ValidatorContext, height: Height, record: ProposalRecord) -> None:
    """Put back a proposal, unless its block has another body than the hash covers: older programs logged such.

    Then whatever votes name it, the block is asked for again.
    """
    message = record.message
    if message.proposal.proposer == ctx.authority.address:
        height.own.append(OwnProposalRecord(message.proposal))
    try:
        check_body(message.block, ctx.config)
    except MessageError:
        return
    height.driver.proposals.add(Kept(message, record.timely))
    for vote in message.proof_of_lock:
        height.driver.votes.add(vote)
    height.logged_blocks.add(message.block.hash)
    height.logged_bytes += block_size(message.block)


def _restore_own_proposal(height: Height, record: OwnProposalRecord) -> None:
    """Put back a proposal of ours whose block another record holds."""
    proposal = record.proposal
    height.own.append(record)
    block = height.driver.proposals.block(proposal.block_hash)
    if block is not None:
        proof = proof_of_lock(height, block, proposal.valid_round)
        height.driver.proposals.add(Kept(ProposalMessage(proposal, block, proof), timely=True))


def _restore_own_vote(height: Height, record: OwnVoteRecord) -> None:
    """Put back a vote of ours with round, step and lock as they were after it."""
    vote, driver = record.vote, height.driver
    height.own.append(record)
    driver.votes.start_round(vote.round)
    driver.votes.add(vote)
    driver.state = replace(
        driver.state,
        round=vote.round,
        step=Step.PREVOTE if vote.kind is VoteKind.PREVOTE else Step.PRECOMMIT,
        locked_round=record.locked_round,
        locked_hash=record.locked_hash,
        valid_round=record.valid_round,
        valid_hash=record.valid_hash,
    )
