"""What validators do for each other beyond the rules: repeat, answer, ask, catch up.

The paper assumes that every message arrives in the end. Here connections break and nodes restart, so whoever is in
a round for long repeats what others may have missed; whoever connects is told where we stand; whoever lacks a block
asks one of its voters; and whoever is behind says so by its status and is answered. Nothing here is believed: it
all comes down to messages that prove themselves.
"""

from alatau.consensus.effects import DoBroadcast, DoRequestSync, DoSend
from alatau.consensus.height import Height, Phase, ValidatorContext, others, set_timer
from alatau.consensus.inputs import TimerKind
from alatau.consensus.message_checks import VOTES_PER_VALIDATOR_MAX
from alatau.consensus.messages import ProposalRequest, RoundCertificate, StatusMessage, VotesMessage
from alatau.types.vote import Vote, VoteKind

_ANSWERS_MAX = 8
"""Blocks and commits sent to one peer, on its request or because it is behind, in one height. A peer on a bad
line asks again once a rebroadcast, a hostile one gets eight blocks."""


_OTHER_PROPOSALS_MAX = 2
"""Blocks asked for only because somebody votes for them in a round that has a proposal: one is enough for proof."""


# ---------------------------------------------------------------- repeating


def rebroadcast(ctx: ValidatorContext, height: Height) -> None:
    """Say again what others may have missed: our votes, the best polka, how this round was entered.

    The polka ends a hidden lock (Malachite 997): whoever is locked shows why, and others can propose it.
    """
    driver, state = height.driver, height.driver.state
    height.requested.clear()
    votes = list(own_last_votes(ctx, height))
    if state.valid_hash is not None:
        votes += driver.votes.votes_for(VoteKind.PREVOTE, state.valid_round, state.valid_hash)
    if votes:
        ctx.do(DoBroadcast(VotesMessage(tuple(dict.fromkeys(votes)))))
    certificate = driver.votes.certificate(state.round) if state.round > 0 else ()
    if certificate:
        ctx.do(DoBroadcast(RoundCertificate(height.number, state.round, certificate)))
    ctx.do(DoBroadcast(status(height)))
    ask_for_proposal(ctx, height)


def own_last_votes(ctx: ValidatorContext, height: Height) -> tuple[Vote, ...]:
    """Our votes of this round, and our precommit of the round that locked us: it may still decide (L49)."""
    address, driver = ctx.authority.address, height.driver
    if address is None:
        return ()
    votes = driver.votes.votes_of(address, driver.state.round)
    if driver.state.locked_round == driver.state.round:
        return votes
    locked = driver.votes.votes_of(address, driver.state.locked_round)  # None without a lock, in round -1.
    return (*votes, *(vote for vote in locked if vote.kind is VoteKind.PRECOMMIT))


def show_deviating_votes(ctx: ValidatorContext, old: Height) -> None:
    """A height is over: show the votes that its decision does not explain, once.

    Whoever told one of us one thing and another of us another is found out where the two meet. In a height that went
    well there are none, and nothing is sent.
    """
    decided = next(iter(old.driver.votes.decisive.values()), None)
    if decided is None:
        return
    votes = [v for v in old.driver.votes.deviating(decided) if v.validator != ctx.authority.address]
    if votes:
        most = VOTES_PER_VALIDATOR_MAX * len(old.context.validators.validators)
        ctx.do(DoBroadcast(VotesMessage(tuple(votes[-most:]))))


def status(height: Height) -> StatusMessage:
    """Where we stand."""
    return StatusMessage(height.number, height.driver.state.round, height.context.parent_hash)


# ---------------------------------------------------------------- answering


def greet(ctx: ValidatorContext, height: Height, peer: bytes) -> None:
    """Tell a peer that has just connected where we stand, and what it may have missed of the round.

    Also what it said itself last: a node that lost its disks must not say something else.
    """
    ctx.do(DoSend(peer, status(height)))
    if height.phase is not Phase.RUNNING:
        return
    votes = own_last_votes(ctx, height) + height.driver.votes.last_votes_of(peer)
    if votes:
        ctx.do(DoSend(peer, VotesMessage(votes)))
    round_ = height.driver.state.round
    certificate = height.driver.votes.certificate(round_) if round_ > 0 else ()
    if certificate:
        ctx.do(DoSend(peer, RoundCertificate(height.number, round_, certificate)))
    if height.proposer(round_) == ctx.authority.address:
        answer_request(ctx, height, peer, round_, None)


def answer_request(ctx: ValidatorContext, height: Height, peer: bytes, round_: int, block_hash: bytes | None) -> None:
    """Send a proposal of this height, if we have it."""
    message = height.driver.proposals.find(round_, block_hash)
    if message is not None and _may_answer(height, peer):
        ctx.do(DoSend(peer, message))


def help_behind(ctx: ValidatorContext, height: Height, peer: bytes, peer_height: int) -> None:
    """Answer a peer that says it is behind: where we are, and the last commit if that is all it lacks."""
    if peer_height >= height.number or not _may_answer(height, peer):
        return
    ctx.do(DoSend(peer, status(height)))
    if peer_height == height.number - 1 and height.last.votes:
        ctx.do(DoSend(peer, VotesMessage(height.last.votes)))


def _may_answer(height: Height, peer: bytes) -> bool:
    """Count an answer against the peer's share for this height."""
    given = height.answers.get(peer, 0)
    if given >= _ANSWERS_MAX:
        return False
    height.answers[peer] = given + 1
    return True


# ---------------------------------------------------------------- asking


def ask_for_proposal(ctx: ValidatorContext, height: Height) -> None:
    """Ask the proposer for this round's proposal, if it is not here."""
    round_ = height.driver.state.round
    proposer = height.proposer(round_)
    if proposer != ctx.authority.address and not height.driver.proposals.in_round(round_):
        _request(ctx, height, proposer, round_, None)


def ask_for_missing_blocks(ctx: ValidatorContext, height: Height) -> None:
    """Ask a voter, each time another, for a block that a quorum names and that is not here."""
    votes = height.driver.votes
    for round_, block_hash in height.driver.missing_blocks():
        if (round_, block_hash) in height.requested:
            continue
        voters = votes.cast(VoteKind.PREVOTE, round_) | votes.cast(VoteKind.PRECOMMIT, round_)
        peers = sorted(voters.keys() - {ctx.authority.address})
        if peers:
            height.requests += 1
            _request(ctx, height, peers[height.requests % len(peers)], round_, block_hash)


def _request(ctx: ValidatorContext, height: Height, peer: bytes, round_: int, block_hash: bytes | None) -> None:
    height.requested.add((round_, block_hash))
    ctx.do(DoSend(peer, ProposalRequest(height.number, round_, block_hash)))


def ask_for_other_proposals(ctx: ValidatorContext, height: Height) -> None:
    """Ask who votes for another block than the round's proposal for the proposal that it got.

    A correct validator votes for what the proposer sent it: then the proposer signed two, and here is the proof. A
    lying one has nothing to show. At most two voters are asked until the next rebroadcast.
    """
    round_ = height.driver.state.round
    offered = {kept.message.proposal.block_hash for kept in height.driver.proposals.in_round(round_)}
    if not offered or height.proposer(round_) in height.reported:
        return
    named = height.driver.votes.named(round_)
    asked = {block_hash for asked_round, block_hash in height.requested if asked_round == round_}
    unseen = sorted(named.keys() - offered, key=lambda block_hash: (block_hash not in asked, block_hash))
    for block_hash in unseen[:_OTHER_PROPOSALS_MAX]:
        voter = named[block_hash]
        if block_hash not in asked and voter != ctx.authority.address:
            _request(ctx, height, voter, round_, block_hash)


# ---------------------------------------------------------------- catching up


def note_claim(ctx: ValidatorContext, height: Height, peer: bytes, peer_height: int) -> None:
    """A peer says, or shows by a message, that it decides ``peer_height``."""
    ctx.peer_heights.claim(peer, peer_height)
    if peer_height > height.number:
        follow_claims(ctx, height)


def follow_claims(ctx: ValidatorContext, height: Height, *, now: bool = False) -> None:
    """Ask for blocks: at once if we are two heights behind, else only if we stay behind for a while."""
    ahead = ctx.peer_heights.ahead(height.number)
    if ahead is None or height.phase is Phase.COMMITTING:
        return
    peer, claimed = ahead
    if look_again(ctx, height) and (now or claimed > height.number + 1):
        ctx.do(DoRequestSync(peer, height.number))


def look_again(ctx: ValidatorContext, height: Height) -> bool:
    """Look at the claims again in a while; whether that was not planned already."""
    if height.sync_timer_set:
        return False
    height.sync_timer_set = True
    set_timer(ctx, height, TimerKind.SYNC, ctx.parameters.timeout_vote_ms)
    return True


def may_release(ctx: ValidatorContext, height: Height) -> bool:
    """End the holding of a node without a past, if nobody is ahead and whoever answers has answered."""
    if ctx.peer_heights.holding and ctx.peer_heights.may_release(height.number, others(ctx, height)):
        ctx.peer_heights.holding = False
        ctx.guard.joined(height.number)
    return not ctx.peer_heights.holding
