"""The consensus core: one input in, effects out, in the order in which the host must perform them.

The driver applies the rules of the paper to one height; the core turns what the rules want into effects and carries
a node from height to height:

* a vote is counted at once, but its record, its sign state and its broadcast are effects, in this order, and
  whatever follows from it comes later in the list. Nothing leaves this node that a crash could make it forget
* after a decision everything but messages for the next height waits for ``InNewHeight``
* round 0 of a height begins when there is something to decide: a transaction here and the block interval over, a
  peer that has begun, or the heartbeat. Until then no timer runs but these two, so an idle network is idle

``receiving`` says how messages come to count, ``voting`` what we sign, ``signed_together`` how what one step signs is
made durable and said, ``restoring`` what the log gives back, ``rebroadcast`` what nodes repeat and answer.
"""

from dataclasses import replace

from alatau.consensus import rebroadcast, receiving, restoring, voting
from alatau.consensus.authenticity import Authority, check_signature
from alatau.consensus.clock_watch import ClockChange
from alatau.consensus.effects import (
    Alarm,
    DoAlarm,
    DoCancelTimers,
    DoCommit,
    DoHalt,
    DoRecordSignState,
    DoReportPeer,
    DoResetLog,
    DoValidateBlock,
    Effect,
)
from alatau.consensus.errors import MessageError
from alatau.consensus.height import (
    Height,
    Phase,
    ValidatorContext,
    afford,
    is_validator,
    new_height,
    others,
    set_round_timer,
    set_timer,
)
from alatau.consensus.inputs import (
    HeightContext,
    InBlockBuilt,
    InBlockValidated,
    InMessage,
    InNewHeight,
    InPeerConnected,
    InPeerDisconnected,
    Input,
    InStart,
    InSyncFailed,
    InTimeout,
    InTransactionsAvailable,
    Timer,
    TimerKind,
)
from alatau.consensus.last_height import LastHeight
from alatau.consensus.message_checks import check_body, check_prevote, check_proposal, check_vote_count
from alatau.consensus.messages import (
    Message,
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.consensus.next_height import NextHeight
from alatau.consensus.signed_together import sign_together
from alatau.consensus.signing import SigningGuard
from alatau.consensus.state_machine import CastVote, Decide, NextRound, Output, Propose, Schedule
from alatau.consensus.view import RoundView
from alatau.types.chain_config import ChainConfig
from alatau.types.vote import Commit, CommitSignature, Vote, VoteKind


class Consensus:
    """A validator's, or observer's, part in deciding one height after the other."""

    def __init__(self, authority: Authority, config: ChainConfig) -> None:
        self._ctx = ValidatorContext(authority, config, SigningGuard(authority, None, allowed=False))
        self._height: Height
        self._next: NextHeight
        self._kept = 0
        """Messages of the height that the rules have seen."""

    def step(self, event: Input, now_ms: int) -> tuple[Effect, ...]:
        """Take one input and give the effects, to be performed in order before the next input.

        Args:
            event: the input; the first is ``InStart``.
            now_ms: the wall clock, milliseconds since 1970. It may jump; only proposals' times and the block
                interval depend on it.
        """
        ctx = self._ctx
        ctx.now_ms = now_ms
        ctx.effects = []
        if isinstance(event, InStart):
            self._on_start(event)
        elif self._height.phase is Phase.HALTED:
            return ()
        elif isinstance(event, InTransactionsAvailable) and self._height.transactions_waiting:
            return ()  # At full load most inputs are these.
        else:
            self._dispatch(event)
            if self._is_idle(event):
                return tuple(ctx.effects)
        self._advance()
        return tuple(sign_together(ctx.effects))

    @property
    def height(self) -> int:
        """The height being decided."""
        return self._height.number

    def view(self) -> RoundView:
        """Where this node stands."""
        ctx, height = self._ctx, self._height
        state, votes = height.driver.state, height.driver.votes
        ahead = ctx.peer_heights.ahead(height.number)
        return RoundView(
            height=height.number,
            round=state.round,
            step=state.step,
            proposer=height.proposer(state.round),
            proposal_received=bool(height.driver.proposals.in_round(state.round)),
            prevotes=votes.cast(VoteKind.PREVOTE, state.round),
            precommits=votes.cast(VoteKind.PRECOMMIT, state.round),
            locked_round=state.locked_round,
            validators=height.context.validators,
            absent=height.context.absent,
            failing=height.context.failing,
            may_sign=is_validator(ctx, height) and ctx.guard.may_sign(height.number),
            silence=ctx.guard.silence(height.number) if is_validator(ctx, height) else None,
            silent_until=ctx.guard.silent_until(height.number),
            clock_offset_ms=ctx.clock.offset_ms,
            holding=ctx.peer_heights.holding,
            highest_claim=ahead[1] if ahead else 0,
        )

    def _dispatch(self, event: Input) -> None:
        ctx, height = self._ctx, self._height
        match event:
            case InMessage(peer, message):
                self._on_message(peer, message)
            case InTimeout(timer):
                self._on_timeout(timer)
            case InBlockValidated(number, block_hash, error):
                if number == height.number:
                    height.validating.discard(block_hash)
                    height.driver.proposals.judge(block_hash, valid=error is None)
            case InBlockBuilt(round_, block):
                voting.take_built(ctx, height, round_, block)
            case InTransactionsAvailable():
                height.transactions_waiting = True
            case InNewHeight(context):
                self._on_new_height(context)
            case InPeerConnected(peer):
                rebroadcast.greet(ctx, height, peer)
            case InPeerDisconnected(peer):
                ctx.peer_heights.gone(peer)
            case InSyncFailed(peer):
                ctx.peer_heights.failed(peer)
                rebroadcast.look_again(ctx, height)

    # ---------------------------------------------------------------- heights

    def _on_start(self, event: InStart) -> None:
        context = event.context
        records = tuple(record for record in event.records if record.height == context.height)
        ctx = self._ctx
        ctx.guard = SigningGuard(ctx.authority, event.sign_state, allowed=event.may_sign)
        log_is_ahead = ctx.guard.restore(context.height, records)
        self._begin(context, LastHeight(context.last_commit, None))
        self._next = NextHeight(context.height + 1, context.next_validators)
        if log_is_ahead and ctx.guard.last is not None:
            ctx.do(DoRecordSignState(ctx.guard.last))
        if records:
            restoring.restore(ctx, self._height, records)
        if event.fresh and others(ctx, self._height):
            ctx.peer_heights.holding = True
            ctx.guard.began_empty()
            self._set_join_timer()

    def _on_new_height(self, context: HeightContext) -> None:
        ctx, old = self._ctx, self._height
        assert context.height > old.number, "heights only grow"
        if old.undecided:
            ctx.do(DoCancelTimers())
        ctx.do(DoResetLog(context.height))
        self._compare_with_commit(context.last_commit)
        on_probation = ctx.guard.on_probation(old.number)
        ctx.guard.begin(context.height)
        if on_probation and not ctx.guard.on_probation(context.height):
            ctx.do(DoAlarm(Alarm.SIGNING_AGAIN, f"from height {context.height} on; no sign of the other process"))
        early = self._next
        self._next = NextHeight(context.height + 1, context.next_validators)
        if context.height == old.number + 1:
            self._begin(context, _last_height(context, old))
            rebroadcast.show_deviating_votes(ctx, old)
            self._use_early_messages(early)
        else:
            self._begin(context, LastHeight(context.last_commit, None))
        self._set_join_timer()
        rebroadcast.follow_claims(ctx, self._height)

    def _compare_with_commit(self, commit: Commit | None) -> None:
        """Whether a commit carries a signature of our key, and is it ours? Another self shows there if nowhere else."""
        address = self._ctx.authority.address
        for entry in () if commit is None else commit.signatures:
            if entry.validator == address:
                assert commit is not None
                place = (commit.height, commit.round, commit.block_hash)
                self._ctx.recognise(Vote(VoteKind.PRECOMMIT, *place, entry.validator, entry.signature))

    def _begin(self, context: HeightContext, last: LastHeight) -> None:
        ctx = self._ctx
        height = self._height = new_height(context, last)
        ctx.peer_heights.forgive()
        interval_ms = ctx.parameters.block_interval_ms
        wait_ms = interval_ms - (ctx.now_ms - ctx.last_proposal_ms)
        height.interval_over = wait_ms <= 0
        if not height.interval_over:
            set_timer(ctx, height, TimerKind.INTERVAL, min(wait_ms, interval_ms))
        set_timer(ctx, height, TimerKind.HEARTBEAT, ctx.parameters.heartbeat_ms)

    def _set_join_timer(self) -> None:
        if self._ctx.peer_heights.holding:
            set_timer(self._ctx, self._height, TimerKind.JOIN, self._ctx.parameters.timeout_propose_ms)

    def _use_early_messages(self, early: NextHeight) -> None:
        """Messages that came before their height did; their signatures are checked."""
        ctx, height = self._ctx, self._height
        if early.height != height.number or early.validators.hash != height.context.validators.hash:
            return
        for vote in early.votes:
            if vote.validator == ctx.authority.address:
                ctx.recognise(vote)
            receiving.count(height, vote)
        for peer, message in early.proposals:
            try:
                receiving.receive_proposal(ctx, height, peer, message)
            except MessageError as error:
                ctx.do(DoReportPeer(peer, error))

    # ---------------------------------------------------------------- rounds

    def _is_idle(self, event: Input) -> bool:
        """Whether this is a message of which nothing was kept: the rules had nothing to do before it, nor now.

        Most messages are: what nodes repeat, and votes beyond a quorum's. A node that is joining also waits for words.
        """
        ctx, driver = self._ctx, self._height.driver
        return isinstance(event, InMessage) and driver.kept == self._kept and not ctx.peer_heights.holding

    def _advance(self) -> None:
        """Apply rules until none has anything to do; then ask for what they wait for."""
        height = self._height
        if height.phase is Phase.WAITING and self._may_begin():
            self._start_round(0)
        while height.undecided:
            valid_round = height.driver.state.valid_round
            outputs = height.driver.advance()
            if height.driver.state.valid_round != valid_round:
                voting.log_polka(self._ctx, height)
            if outputs:
                self._perform(outputs)
                continue
            skip = height.driver.votes.skip_round()
            if skip is None or self._ctx.peer_heights.holding:
                break
            self._start_round(skip)  # L55, L56
            rebroadcast.ask_for_proposal(self._ctx, height)  # Its proposer was there before us.
        if height.undecided:
            self._ask()
        self._kept = self._height.driver.kept

    def _may_begin(self) -> bool:
        height = self._height
        if not rebroadcast.may_release(self._ctx, height):
            return False
        if height.driver.proposals.in_round(0):
            return True
        return height.interval_over and (height.transactions_waiting or height.peer_began or height.heartbeat_over)

    def _start_round(self, round_: int) -> None:
        ctx, height = self._ctx, self._height
        height.phase = Phase.RUNNING
        height.requested.clear()
        height.work.clear()
        mine = height.proposer(round_) == ctx.authority.address and ctx.guard.may_sign(height.number)
        outputs = height.driver.start_round(round_, is_proposer=mine)
        voting.log_round_entry(ctx, height)
        voting.shorten_log(ctx, height)
        set_round_timer(ctx, height, TimerKind.REBROADCAST)
        self._perform(outputs)

    def _perform(self, outputs: tuple[Output, ...]) -> None:
        ctx, height = self._ctx, self._height
        for output in outputs:
            match output:
                case CastVote(kind, block_hash):
                    voting.cast(ctx, height, kind, block_hash)
                case Schedule(kind):
                    set_round_timer(ctx, height, kind)
                case Propose():
                    voting.propose(ctx, height, output)
                case NextRound(round_):
                    self._start_round(round_)
                case Decide(round_, block_hash):
                    self._decide(round_, block_hash)

    def _on_timeout(self, timer: Timer) -> None:
        ctx, height = self._ctx, self._height
        if timer.height != height.number or not height.undecided:
            return
        match timer.kind:
            case TimerKind.INTERVAL:
                height.interval_over = True
            case TimerKind.HEARTBEAT:
                height.heartbeat_over = True
            case TimerKind.JOIN:
                ctx.peer_heights.paused_enough = True
            case TimerKind.SYNC:
                height.sync_timer_set = False
                ctx.peer_heights.forgive()
                rebroadcast.follow_claims(ctx, height, now=True)
            case TimerKind.REBROADCAST:
                if timer.round == height.driver.state.round and height.phase is Phase.RUNNING:
                    height.work.clear()
                    if ctx.guard.rebroadcast():
                        ctx.do(DoAlarm(Alarm.SIGNING_AGAIN, "the network stands; no sign of the other process"))
                    rebroadcast.rebroadcast(ctx, height)
                    set_round_timer(ctx, height, TimerKind.REBROADCAST)
            case TimerKind.PROPOSE | TimerKind.PREVOTE | TimerKind.PRECOMMIT:
                self._perform(height.driver.time_out(timer.kind, timer.round))

    def _decide(self, round_: int, block_hash: bytes) -> None:
        ctx, height = self._ctx, self._height
        block = height.driver.proposals.block(block_hash)
        assert block is not None, "L49 fires for a block that is here"
        votes = height.driver.votes.votes_for(VoteKind.PRECOMMIT, round_, block_hash)
        signatures = tuple(CommitSignature(vote.validator, vote.signature) for vote in votes)
        height.phase = Phase.COMMITTING
        ctx.last_proposal_ms = height.proposed_at_ms or ctx.now_ms
        self._watch_clock(block_hash)
        ctx.do(DoCancelTimers(), DoCommit(block, Commit(height.number, round_, block_hash, signatures)))

    def _watch_clock(self, block_hash: bytes) -> None:
        """A decided block's time was right to a quorum: compare it with our clock when its proposal came."""
        ctx, first = self._ctx, self._height.clock_offsets_ms.get(block_hash)
        if first is None:
            return
        proposer, offset_ms = first
        match ctx.clock.decided(proposer, offset_ms, ctx.parameters.clock_drift_ms_max):
            case ClockChange.OFF:
                side = "behind" if offset_ms > 0 else "ahead of"
                detail = f"{abs(offset_ms) / 1_000:.1f} s {side} the others', or their proposals come that late"
                ctx.do(DoAlarm(Alarm.CLOCK_OFF, detail))
            case ClockChange.RIGHT:
                ctx.do(DoAlarm(Alarm.CLOCK_RIGHT, "the others' proposals are in time again"))

    def _ask(self) -> None:
        """Ask the host to judge blocks and peers for blocks; halt if a decided block was judged invalid."""
        ctx, height, driver = self._ctx, self._height, self._height.driver
        for block in driver.to_validate():
            if block.hash not in height.validating:
                height.validating.add(block.hash)
                ctx.do(DoValidateBlock(block))
        for round_, block_hash in driver.votes.decisive.items():
            if driver.proposals.verdict(block_hash) is False:
                height.phase = Phase.HALTED
                ctx.do(DoHalt(f"round {round_} of height {height.number} decided {block_hash.hex()}, invalid here"))
                return
        rebroadcast.ask_for_missing_blocks(ctx, height)
        rebroadcast.ask_for_other_proposals(ctx, height)

    # ---------------------------------------------------------------- messages

    def _on_message(self, peer: bytes, message: Message) -> None:
        ctx, height = self._ctx, self._height
        try:
            match message:
                case VotesMessage(votes) | RoundCertificate(votes=votes):
                    check_vote_count(votes, height.context.validators)
                    for group in receiving.group_by_subject(votes):
                        self._on_votes(peer, group)
                case ProposalMessage(prevote=None):
                    self._on_proposal(peer, message)
                case ProposalMessage(prevote=Vote() as prevote):
                    check_prevote(prevote, message.proposal)
                    self._on_proposal(peer, replace(message, prevote=None))
                    self._on_votes(peer, [prevote])  # Also where the proposal is known: a copy may come without it.
                case StatusMessage(number):
                    ctx.peer_heights.introduced(peer)
                    rebroadcast.note_claim(ctx, height, peer, number)
                    rebroadcast.help_behind(ctx, height, peer, number)
                case ProposalRequest(number, round_, block_hash):
                    if number == height.number:
                        rebroadcast.answer_request(ctx, height, peer, round_, block_hash)
                    else:
                        rebroadcast.help_behind(ctx, height, peer, number)
        except MessageError as error:
            ctx.do(DoReportPeer(peer, error))

    def _on_votes(self, peer: bytes, group: list[Vote]) -> None:
        ctx, height = self._ctx, self._height
        number = group[0].height
        if number == height.number:
            receiving.receive_votes(ctx, height, peer, group)
        elif number < height.number:
            receiving.receive_past_votes(ctx, height, peer, group)
        else:
            for vote in group:
                if number == self._next.height and self._next.wants_vote(vote) and afford(height, peer, 1):
                    check_signature(ctx.authority, vote)
                    self._next.add_vote(vote)
            rebroadcast.note_claim(ctx, height, peer, number)

    def _on_proposal(self, peer: bytes, message: ProposalMessage) -> None:
        ctx, height = self._ctx, self._height
        number = message.proposal.height
        if number == height.number:
            receiving.receive_proposal(ctx, height, peer, message)
        elif number > height.number:
            if number == self._next.height and self._next.wants_proposal(message):
                check_proposal(message, self._next.validators)
                if afford(height, peer, receiving.cost_of(message)):
                    check_signature(ctx.authority, message.proposal)
                    check_body(message.block, ctx.config)
                    self._next.add_proposal(peer, message)
            rebroadcast.note_claim(ctx, height, peer, number)


def _last_height(context: HeightContext, old: Height) -> LastHeight:
    """The parent's commit, with the precommits that came while it was being committed, and all votes of its height."""
    commit = context.last_commit
    last = LastHeight(commit, old.context.validators, old.driver.votes)
    last.reported |= old.reported
    if commit is not None:
        for vote in old.driver.votes.votes_for(VoteKind.PRECOMMIT, commit.round, commit.block_hash):
            if last.fits(vote):
                last.add(vote)
    return last
