"""What this validator says itself: proposals and votes, signed, recorded, then sent.

The three effects stand in this order: the record in the log, the sign state, the broadcast. Whatever follows from
our own vote comes later in the list.

The log holds what we signed and what that rests on: before a precommit stands the polka that justifies it, with the
block. Nothing else is worth a write, whoever says it, so no peer can fill the log: it takes a quorum to add a block.
"""

from dataclasses import replace
from typing import Final

from alatau.consensus.effects import DoBroadcast, DoBuildBlock, DoPersist, DoRecordSignState, DoRewriteLog
from alatau.consensus.height import LOG_BYTES, Height, ValidatorContext, is_validator
from alatau.consensus.messages import ProposalMessage, VotesMessage
from alatau.consensus.proposal_keeper import Kept
from alatau.consensus.records import OwnProposalRecord, OwnVoteRecord, ProposalRecord, Record, VoteRecord
from alatau.consensus.state_machine import Propose, Step
from alatau.types.block import Block, block_size
from alatau.types.vote import NO_ROUND, Proposal, Vote, VoteKind

_OWN_BLOCKS_BYTES_MAX: Final = 64 * 1024 * 1024
"""Blocks of our own proposals in one height's log, which save a round after a crash. More are only noted: they are of
rounds that failed, of a height that has been stalled for long."""

_VOTE_BYTES: Final = 256
"""At least what a record of a vote or of a proposal without its block takes."""


def propose(ctx: ValidatorContext, height: Height, wish: Propose) -> None:
    """L14 to L19: the valid block if there is one, else a new one, which the host builds."""
    driver = height.driver
    for kept in driver.proposals.in_round(wish.round):
        if kept.message.proposal.proposer == ctx.authority.address:
            ctx.do(DoBroadcast(kept.message))  # Signed before a restart: the log has it.
            return
    if wish.valid_hash is not None:
        block = driver.proposals.block(wish.valid_hash)
        if block is not None:  # It was logged before it was locked; a log whose body is wrong is asked for again.
            sign_proposal(ctx, height, block, wish.valid_round)
    elif height.spare is not None and _is_recent(ctx, height.spare):
        sign_proposal(ctx, height, height.spare, NO_ROUND)
    else:
        timestamp = max(height.context.parent_timestamp, ctx.now_ms // 1_000)
        ctx.do(DoBuildBlock(height.number, wish.round, height.last.commit, timestamp))


def take_built(ctx: ValidatorContext, height: Height, round_: int, block: Block) -> None:
    """The host built a block. Built too slowly for its round, it is good for our next (Besu 11005)."""
    header, state = block.header, height.driver.state
    if header.number != height.number or header.parent_hash != height.context.parent_hash:
        return
    in_time = state.round == round_ and state.step is Step.PROPOSE
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
    proof = proof_of_lock(height, block, valid_round)
    proposer = ctx.authority.address
    unsigned = Proposal(height.number, round_, block.hash, valid_round, ctx.now_ms, proposer, b"")
    signed = ctx.guard.sign(unsigned)
    if signed is None:
        return
    sign_state, signature = signed
    message = ProposalMessage(replace(unsigned, signature=signature), block, proof)
    keep_proposal(ctx, height, message, timely=True)
    driver.proposals.judge(block.hash, valid=True)
    height.own.append(OwnProposalRecord(message.proposal))
    if block.hash in height.logged_blocks or height.logged_bytes + block_size(block) > _OWN_BLOCKS_BYTES_MAX:
        _log(ctx, height, OwnProposalRecord(message.proposal))
    else:
        _log(ctx, height, ProposalRecord(message, timely=True))
    ctx.do(DoRecordSignState(sign_state), DoBroadcast(message))


def proof_of_lock(height: Height, block: Block, valid_round: int) -> tuple[Vote, ...]:
    """The polka that a block is proposed again with; nothing where it is proposed for the first time, in round -1."""
    return height.driver.votes.votes_for(VoteKind.PREVOTE, valid_round, block.hash)


def keep_proposal(ctx: ValidatorContext, height: Height, message: ProposalMessage, *, timely: bool) -> None:
    """Add a proposal, ours or a peer's, to the messages of the height."""
    height.driver.proposals.add(Kept(message, timely))
    if height.proposed_at_ms is None:
        height.proposed_at_ms = ctx.now_ms


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
    height.own.append(record)
    _log(ctx, height, record)
    ctx.do(DoRecordSignState(sign_state), DoBroadcast(VotesMessage((vote,))))
    height.driver.votes.add(vote)


# ---------------------------------------------------------------- the log


def log_polka(ctx: ValidatorContext, height: Height) -> None:
    """Log what the valid value rests on, before anything is signed on it: its block and the prevotes of its polka.

    An observer needs no log: it signs nothing that could contradict what it forgot.
    """
    if is_validator(ctx, height):
        for record in _resting_on(ctx, height):
            _log(ctx, height, record)


def log_round_entry(ctx: ValidatorContext, height: Height) -> None:
    """Log why this round was entered, before anything is signed in it: whoever is in an earlier one must be shown it.

    The precommits that ended the round before, or the votes that were ahead, may have reached nobody else, and who
    signed them may never say them again.
    """
    if is_validator(ctx, height):
        for record in _entry_of_round(ctx, height):
            _log(ctx, height, record)


def shorten_log(ctx: ValidatorContext, height: Height) -> None:
    """Write the log anew with what a restart needs, if it holds much more: the height has been stalled for long."""
    if height.logged_bytes <= height.rewrite_at_bytes:
        return
    height.logged_blocks.clear()
    height.logged_bytes = 0
    records = [*_resting_on(ctx, height), *_entry_of_round(ctx, height), *height.own]
    for record in records:
        _measure(height, record)
    height.rewrite_at_bytes = LOG_BYTES + 2 * height.logged_bytes
    ctx.do(DoRewriteLog(tuple(records)))


def _resting_on(ctx: ValidatorContext, height: Height) -> list[Record]:
    """The blocks of the valid and the locked value that are not logged, and the polka of the valid one."""
    state, driver = height.driver.state, height.driver
    records: list[Record] = []
    for block_hash, round_ in {state.locked_hash: state.locked_round, state.valid_hash: state.valid_round}.items():
        if block_hash is None or block_hash in height.logged_blocks:
            continue
        kept = driver.proposals.kept(round_, block_hash)
        if kept is not None:
            records.append(ProposalRecord(kept.message, kept.timely))
    if state.valid_hash is not None:
        polka = driver.votes.votes_for(VoteKind.PREVOTE, state.valid_round, state.valid_hash)
        records += [VoteRecord(vote) for vote in polka if vote.validator != ctx.authority.address]
    return records


def _entry_of_round(ctx: ValidatorContext, height: Height) -> list[Record]:
    """The votes of others that let this node enter its round; none for round 0, which nobody has to be let into."""
    round_ = height.driver.state.round
    votes = height.driver.votes.certificate(round_) if round_ > 0 else ()
    return [VoteRecord(vote) for vote in votes if vote.validator != ctx.authority.address]


def _log(ctx: ValidatorContext, height: Height, record: Record) -> None:
    _measure(height, record)
    ctx.do(DoPersist(record))


def _measure(height: Height, record: Record) -> None:
    height.logged_bytes += _VOTE_BYTES
    if isinstance(record, ProposalRecord):
        height.logged_bytes += block_size(record.message.block) + _VOTE_BYTES * len(record.message.proof_of_lock)
        height.logged_blocks.add(record.message.block.hash)
