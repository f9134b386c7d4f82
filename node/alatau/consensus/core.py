"""The consensus core: heights, signing, the log, and what peers need to hear.

``Consensus.step`` takes one input and gives the effects in the order in which the host must perform them. Inside,
the driver applies the rules of the paper to one height; the core turns what the rules want into effects:

* a vote is counted at once, but its record, its sign state and its broadcast are effects, in this order, and
  whatever follows from it comes later in the list. Nothing leaves this node that a crash could make it forget.
* a message is checked from the outside in: does it concern this height, is its author a validator, is it new;
  then its signature; then it counts. See ``door``.
* after a decision everything but messages for the next height waits for ``InNewHeight``.

Round 0 of a height begins when there is something to decide: a transaction here and the block interval over, a
peer that has begun, or the heartbeat. Until then no timer runs but these two, so an idle network is idle.
"""

from dataclasses import replace
from enum import Enum, auto

from alatau.consensus.authenticity import Authority, check_signature
from alatau.consensus.catch_up import CatchUp
from alatau.consensus.door import check_proposal, check_vote, check_vote_count, is_timely
from alatau.consensus.driver import Driver
from alatau.consensus.effects import (
    DoBroadcast,
    DoBuildBlock,
    DoCancelTimers,
    DoCommit,
    DoHalt,
    DoPersist,
    DoRecordSignState,
    DoReportEvidence,
    DoReportPeer,
    DoRequestSync,
    DoResetLog,
    DoSend,
    DoSetTimer,
    DoValidateBlock,
    Effect,
)
from alatau.consensus.errors import MalformedMessageError, MessageError, WrongProposerError
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
from alatau.consensus.late_precommits import LatePrecommits
from alatau.consensus.messages import (
    ProposalMessage,
    ProposalRequest,
    RoundCertificate,
    StatusMessage,
    VotesMessage,
)
from alatau.consensus.next_height import NextHeight
from alatau.consensus.proposal_keeper import Kept
from alatau.consensus.proposer import rotation
from alatau.consensus.records import OwnVoteRecord, ProposalRecord, Record, VoteRecord
from alatau.consensus.signing import SigningGuard
from alatau.consensus.state_machine import (
    CastVote,
    Decide,
    NextRound,
    Output,
    Propose,
    Schedule,
    Step,
)
from alatau.consensus.timeouts import timeout_ms
from alatau.consensus.view import RoundView
from alatau.consensus.vote_keeper import Standing
from alatau.types.block import Block
from alatau.types.chain_config import ConsensusParameters
from alatau.types.vote import NO_ROUND, Commit, CommitSignature, Proposal, Vote, VoteKind

_ROUNDS_AHEAD_MAX = 4
"""Proposals of later rounds that are kept: one block each, so a hostile proposer holds four blocks of memory."""

_ANSWERS_MAX = 8
"""Blocks and commits sent to one peer, on its request or because it is behind, in one height. A peer on a bad
line asks again once a rebroadcast, a hostile one gets eight blocks."""

_BUILD_SHARE = 0.4
"""Of the block interval, the time in which a block takes transactions (docs: chain)."""


class _Phase(Enum):
    WAITING = auto()
    """Nothing to decide at this height yet."""
    RUNNING = auto()
    COMMITTING = auto()
    """Decided; the host commits."""
    HALTED = auto()


class Consensus:
    """A validator's, or observer's, part in deciding one height after the other."""

    def __init__(self, authority: Authority, parameters: ConsensusParameters) -> None:
        self._authority = authority
        self._parameters = parameters
        self._effects: list[Effect] = []
        self._now_ms = 0
        self._catch_up = CatchUp()
        self._last_proposal_ms = 0
        self._phase = _Phase.COMMITTING

    def step(self, event: Input, now_ms: int) -> tuple[Effect, ...]:
        """Take one input and give the effects, to be performed in order before the next input.

        Args:
            event: the input; the first is ``InStart``.
            now_ms: the wall clock, milliseconds since 1970. It may jump; only proposals' times depend on it.
        """
        self._now_ms = now_ms
        self._effects = []
        if self._phase is not _Phase.HALTED:
            self._dispatch(event)
            self._advance()
        return tuple(self._effects)

    @property
    def height(self) -> int:
        """The height being decided."""
        return self._context.height

    def view(self) -> RoundView:
        """Where this node stands."""
        state, votes = self._driver.state, self._driver.votes
        ahead = self._catch_up.ahead(self.height)
        return RoundView(
            height=self.height,
            round=state.round,
            step=state.step,
            proposer=self._proposer(state.round),
            proposal_received=bool(self._driver.proposals.in_round(state.round)),
            prevotes=votes.cast(VoteKind.PREVOTE, state.round),
            precommits=votes.cast(VoteKind.PRECOMMIT, state.round),
            locked_round=state.locked_round,
            validators=self._context.validators,
            absent=self._context.absent,
            may_sign=self._is_validator() and self._guard.may_sign(self.height),
            holding=self._catch_up.holding,
            highest_claim=ahead[1] if ahead else 0,
        )

    def _dispatch(self, event: Input) -> None:
        match event:
            case InMessage(peer, message):
                self._on_message(peer, message)
            case InBlockValidated(height, block_hash, error):
                if height == self.height:
                    self._validating.discard(block_hash)
                    self._driver.proposals.judge(block_hash, valid=error is None)
            case InTimeout(timer):
                self._on_timeout(timer)
            case InBlockBuilt(round_, block):
                self._on_built(round_, block)
            case InTransactionsAvailable():
                self._transactions_waiting = True
            case InNewHeight(context):
                self._on_new_height(context)
            case InPeerConnected(peer):
                self._greet(peer)
            case InPeerDisconnected(peer):
                self._catch_up.gone(peer)
            case InSyncFailed(peer):
                self._catch_up.failed(peer)
                self._set_sync_timer()
            case InStart():
                self._on_start(event)

    def _do(self, *effects: Effect) -> None:
        self._effects.extend(effects)

    def _set_timer(self, kind: TimerKind, round_: int, delay_ms: int) -> None:
        self._do(DoSetTimer(Timer(kind, self.height, round_), delay_ms))

    # ---------------------------------------------------------------- heights

    def _on_start(self, event: InStart) -> None:
        height = event.context.height
        records = tuple(record for record in event.records if record.height == height)
        self._guard = SigningGuard(self._authority, event.sign_state, allowed=event.may_sign)
        log_is_ahead = self._guard.restore(height, records)
        self._next = NextHeight(height, event.context.validators)
        self._late = LatePrecommits(event.context.last_commit, None)
        self._begin(event.context)
        if log_is_ahead and self._guard.last is not None:
            self._do(DoRecordSignState(self._guard.last))
        if records:
            self._restore(records)
        if event.fresh and self._others():
            self._catch_up.holding = True
            self._set_timer(TimerKind.JOIN, 0, self._parameters.timeout_propose_ms)

    def _on_new_height(self, context: HeightContext) -> None:
        assert context.height > self.height, "heights only grow"
        if self._phase is not _Phase.COMMITTING:
            self._do(DoCancelTimers())
        followed = context.height == self.height + 1
        late = self._late_of(context) if followed else LatePrecommits(context.last_commit, None)
        self._do(DoResetLog(context.height))
        self._late = late
        self._begin(context)
        if followed:
            self._use_early_messages()
        else:
            self._next = NextHeight(context.height + 1, context.next_validators)
        if self._catch_up.holding:
            self._set_timer(TimerKind.JOIN, 0, self._parameters.timeout_propose_ms)
        self._follow_claims()

    def _late_of(self, context: HeightContext) -> LatePrecommits:
        """The parent's commit, with the precommits that came while it was being committed."""
        late = LatePrecommits(context.last_commit, self._context.validators)
        commit = context.last_commit
        if commit is not None:
            for vote in self._driver.votes.votes_for(VoteKind.PRECOMMIT, commit.round, commit.block_hash):
                if late.fits(vote):
                    late.add(vote)
        return late

    def _begin(self, context: HeightContext) -> None:
        """Set the variables of a new height (L1 to L10)."""
        self._context = context
        self._rotation = rotation(context.validators, context.absent)
        self._driver = Driver(context.validators)
        self._phase = _Phase.WAITING
        self._transactions_waiting = context.transactions_waiting
        self._peer_began = False
        self._heartbeat_over = False
        self._proposed_at_ms: int | None = None
        self._spare: Block | None = None
        self._requested: set[tuple[int, bytes | None]] = set()
        self._validating: set[bytes] = set()
        self._convicted: set[bytes] = set()
        self._answers: dict[bytes, int] = {}
        self._sync_timer_set = False
        self._catch_up.forgive()
        self._asked = 0
        wait = self._parameters.block_interval_ms - (self._now_ms - self._last_proposal_ms)
        self._interval_over = wait <= 0
        if not self._interval_over:
            self._set_timer(TimerKind.INTERVAL, 0, min(wait, self._parameters.block_interval_ms))
        self._set_timer(TimerKind.HEARTBEAT, 0, self._parameters.heartbeat_ms)

    def _use_early_messages(self) -> None:
        early, self._next = self._next, NextHeight(self.height + 1, self._context.next_validators)
        if early.height != self.height or early.validators.hash != self._context.validators.hash:
            return
        for vote in early.votes:
            self._count(vote)
        for message in early.proposals:
            self._admit_proposal(message, verified=True)

    def _restore(self, records: tuple[Record, ...]) -> None:
        """Put back what the log holds; the rules then go on from there by themselves."""
        driver = self._driver
        for record in records:
            match record:
                case ProposalRecord(message, timely):
                    driver.proposals.add(Kept(message, timely))
                    for vote in message.proof_of_lock:
                        driver.votes.add(vote)
                case VoteRecord(vote):
                    driver.votes.add(vote)
                case OwnVoteRecord(vote, locked_round, locked_hash, valid_round, valid_hash):
                    driver.votes.add(vote)
                    driver.state = replace(
                        driver.state,
                        round=vote.round,
                        step=Step.PREVOTE if vote.kind is VoteKind.PREVOTE else Step.PRECOMMIT,
                        locked_round=locked_round,
                        locked_hash=locked_hash,
                        valid_round=valid_round,
                        valid_hash=valid_hash,
                    )
        self._peer_began = self._interval_over = True
        if driver.state.step is not Step.UNSTARTED:
            self._phase = _Phase.RUNNING
            driver.votes.start_round(driver.state.round)
            self._set_step_timer(TimerKind.REBROADCAST)
            self._rebroadcast()

    # ---------------------------------------------------------------- rounds

    def _advance(self) -> None:
        """Apply rules until none has anything to do."""
        if self._phase is _Phase.WAITING and self._may_begin():
            self._start_round(0)
        while self._phase is _Phase.RUNNING or self._phase is _Phase.WAITING:
            outputs = self._driver.advance()
            if not outputs and (skip := self._driver.votes.skip_round()) is not None and not self._catch_up.holding:
                self._start_round(skip)  # L55, L56
                continue
            if not outputs:
                break
            self._perform(outputs)
        if self._phase is _Phase.RUNNING or self._phase is _Phase.WAITING:
            self._ask_host_and_peers()

    def _may_begin(self) -> bool:
        if self._catch_up.holding and not self._release():
            return False
        if self._driver.proposals.in_round(0):
            return True
        return self._interval_over and (self._transactions_waiting or self._peer_began or self._heartbeat_over)

    def _start_round(self, round_: int) -> None:
        self._phase = _Phase.RUNNING
        self._requested.clear()
        mine = self._proposer(round_) == self._authority.address and self._guard.may_sign(self.height)
        outputs = self._driver.start_round(round_, is_proposer=mine)
        self._set_step_timer(TimerKind.REBROADCAST)
        self._perform(outputs)
        if round_ > 0 and not mine and not self._driver.proposals.in_round(round_):
            self._request_proposal(self._proposer(round_), round_, None)

    def _perform(self, outputs: tuple[Output, ...]) -> None:
        for output in outputs:
            match output:
                case CastVote(kind, block_hash):
                    self._cast(kind, block_hash)
                case Schedule(kind):
                    self._set_step_timer(kind)
                case Propose(round_, valid_round, valid_hash):
                    self._propose(round_, valid_round, valid_hash)
                case NextRound(round_):
                    self._start_round(round_)
                case Decide(round_, block_hash):
                    self._decide(round_, block_hash)

    def _set_step_timer(self, kind: TimerKind) -> None:
        round_ = self._driver.state.round
        self._set_timer(kind, round_, timeout_ms(self._parameters, kind, round_))

    def _on_timeout(self, timer: Timer) -> None:
        if timer.height != self.height or self._phase is _Phase.COMMITTING:
            return
        match timer.kind:
            case TimerKind.INTERVAL:
                self._interval_over = True
            case TimerKind.HEARTBEAT:
                self._heartbeat_over = True
            case TimerKind.JOIN:
                self._catch_up.paused_enough = True
            case TimerKind.SYNC:
                self._sync_timer_set = False
                self._catch_up.forgive()
                self._follow_claims(now=True)
            case TimerKind.REBROADCAST:
                if timer.round == self._driver.state.round and self._phase is _Phase.RUNNING:
                    self._rebroadcast()
                    self._set_step_timer(TimerKind.REBROADCAST)
            case TimerKind.PROPOSE | TimerKind.PREVOTE | TimerKind.PRECOMMIT:
                self._perform(self._driver.time_out(timer.kind, timer.round))

    def _decide(self, round_: int, block_hash: bytes) -> None:
        block = self._driver.proposals.block(block_hash)
        assert block is not None, "L49 fires for a block that is here"
        votes = self._driver.votes.votes_for(VoteKind.PRECOMMIT, round_, block_hash)
        signatures = tuple(CommitSignature(vote.validator, vote.signature) for vote in votes)
        self._phase = _Phase.COMMITTING
        self._last_proposal_ms = self._proposed_at_ms or self._now_ms
        self._do(DoCancelTimers(), DoCommit(block, Commit(self.height, round_, block_hash, signatures)))

    # ---------------------------------------------------------------- proposing and voting

    def _propose(self, round_: int, valid_round: int, valid_hash: bytes | None) -> None:
        for kept in self._driver.proposals.in_round(round_):
            if kept.message.proposal.proposer == self._authority.address:
                self._do(DoBroadcast(kept.message))  # Signed before a restart; the log has it.
                return
        if valid_hash is not None:
            block = self._driver.proposals.block(valid_hash)
            assert block is not None, "a valid block is kept"
            self._sign_proposal(block, valid_round)
        elif self._spare is not None and self._is_recent(self._spare):
            self._sign_proposal(self._spare, NO_ROUND)
        else:
            timestamp = max(self._context.parent_timestamp, self._now_ms // 1_000)
            budget = int(self._parameters.block_interval_ms * _BUILD_SHARE)
            self._do(DoBuildBlock(self.height, round_, self._late.commit, timestamp, budget))

    def _on_built(self, round_: int, block: Block) -> None:
        header = block.header
        if header.number != self.height or header.parent_hash != self._context.parent_hash:
            return
        state = self._driver.state
        waited_for = state.round == round_ and state.step is Step.PROPOSE
        if waited_for and self._proposer(round_) == self._authority.address and self._phase is _Phase.RUNNING:
            self._sign_proposal(block, NO_ROUND)
        else:
            self._spare = block  # Built too slowly for its round: good for our next one (Besu 11005).

    def _is_recent(self, block: Block) -> bool:
        return self._now_ms - block.header.timestamp * 1_000 <= self._parameters.clock_drift_ms_max

    def _sign_proposal(self, block: Block, valid_round: int) -> None:
        assert self._authority.address is not None
        driver, round_ = self._driver, self._driver.state.round
        if driver.proposals.in_round(round_):
            return
        proof = driver.votes.votes_for(VoteKind.PREVOTE, valid_round, block.hash) if valid_round != NO_ROUND else ()
        timestamp_ms = max(self._now_ms, block.header.timestamp * 1_000)
        unsigned = Proposal(self.height, round_, block.hash, valid_round, timestamp_ms, self._authority.address, b"")
        signed = self._guard.sign(unsigned)
        if signed is None:
            return
        state, signature = signed
        message = ProposalMessage(replace(unsigned, signature=signature), block, proof)
        driver.proposals.judge(block.hash, valid=True)
        self._keep(message, timely=True)
        self._do(DoRecordSignState(state), DoBroadcast(message))

    def _cast(self, kind: VoteKind, block_hash: bytes | None) -> None:
        """Sign a vote, if we may, count it, and say it once it cannot be forgotten."""
        if not self._is_validator() or self._catch_up.holding:
            return
        assert self._authority.address is not None
        state = self._driver.state
        unsigned = Vote(kind, self.height, state.round, block_hash, self._authority.address, b"")
        signed = self._guard.sign(unsigned)
        if signed is None:
            return
        sign_state, signature = signed
        vote = replace(unsigned, signature=signature)
        record = OwnVoteRecord(vote, state.locked_round, state.locked_hash, state.valid_round, state.valid_hash)
        self._do(DoPersist(record), DoRecordSignState(sign_state), DoBroadcast(VotesMessage((vote,))))
        self._driver.votes.add(vote)

    def _is_validator(self) -> bool:
        return self._authority.address is not None and self._authority.address in self._context.validators.by_address

    def _proposer(self, round_: int) -> bytes:
        return self._rotation.proposer(self.height, round_)

    # ---------------------------------------------------------------- messages

    def _on_message(
        self,
        peer: bytes,
        message: ProposalMessage | VotesMessage | RoundCertificate | StatusMessage | ProposalRequest,
    ) -> None:
        try:
            match message:
                case VotesMessage(votes) | RoundCertificate(votes=votes):
                    self._on_votes(peer, votes)
                case ProposalMessage():
                    self._on_proposal(peer, message)
                case StatusMessage(height):
                    self._on_status(peer, height)
                case ProposalRequest(height, round_, block_hash):
                    self._on_request(peer, height, round_, block_hash)
        except MessageError as error:
            self._do(DoReportPeer(peer, error))

    def _on_votes(self, peer: bytes, votes: tuple[Vote, ...]) -> None:
        check_vote_count(votes, self._context.validators)
        for group in _by_subject(votes):
            height = group[0].height
            if height == self.height:
                self._admit_votes(group)
            elif height == self.height + 1:
                self._keep_for_next(peer, group)
            elif height < self.height:
                self._on_late_votes(group)
            else:
                self._on_claim(peer, height)

    def _admit_votes(self, group: list[Vote]) -> None:
        """Admit votes for one subject; together they may be a quorum, which is kept however many lies it holds."""
        validators = self._context.validators
        for vote in group:
            check_vote(vote, validators)
        standings = [(vote, self._driver.votes.standing(vote)) for vote in group]
        unknown = [(vote, standing) for vote, standing in standings if standing is not Standing.KNOWN]
        power = sum(validators.power_of(address) for address in {vote.validator for vote in group})
        is_quorum = group[0].block_hash is not None and validators.has_quorum(power)
        taken = [(v, s) for v, s in unknown if is_quorum or s is not Standing.USELESS]
        for vote, _ in taken:
            check_signature(self._authority, vote)
        for vote, standing in taken:
            if vote.validator == self._authority.address:
                self._guard.silence(self.height)  # Ours, and we do not remember it.
            if standing is Standing.CONFLICTING:
                self._convict(vote.validator, self._driver.votes.conflicting(vote), vote)
            self._count(vote)

    def _count(self, vote: Vote) -> None:
        """Count a vote whose signature is right."""
        self._peer_began = True
        if vote.block_hash is not None and self._phase is not _Phase.COMMITTING:
            self._do(DoPersist(VoteRecord(vote)))
        self._driver.votes.add(vote)

    def _convict(self, validator: bytes, first: Vote | Proposal | None, second: Vote | Proposal) -> None:
        if first is not None and validator not in self._convicted:
            self._convicted.add(validator)
            self._do(DoReportEvidence(first, second))

    def _keep_for_next(self, peer: bytes, group: list[Vote]) -> None:
        for vote in group:
            if self._next.height == vote.height and self._next.wants_vote(vote):
                check_signature(self._authority, vote)
                self._next.add_vote(vote)
        self._on_claim(peer, self.height + 1)

    def _on_late_votes(self, group: list[Vote]) -> None:
        """Complete the last commit. Who is behind says so by its status; votes may be a commit meant as help."""
        for vote in group:
            if self._late.fits(vote):
                check_signature(self._authority, vote)
                self._late.add(vote)

    def _on_proposal(self, peer: bytes, message: ProposalMessage) -> None:
        height = message.proposal.height
        if height == self.height:
            self._admit_proposal(message)
        elif height == self.height + 1:
            if self._next.height == height and self._next.wants_proposal(message):
                check_proposal(message, self._next.validators)
                check_signature(self._authority, message.proposal)
                self._next.add_proposal(message)
            self._on_claim(peer, height)
        elif height > self.height:
            self._on_claim(peer, height)

    def _admit_proposal(self, message: ProposalMessage, *, verified: bool = False) -> None:
        proposal, driver = message.proposal, self._driver
        check_proposal(message, self._context.validators)
        if self._phase is _Phase.COMMITTING or driver.proposals.knows(proposal.round, proposal.block_hash):
            return
        if proposal.round > driver.state.round + _ROUNDS_AHEAD_MAX:
            return
        if proposal.proposer != self._proposer(proposal.round):
            raise WrongProposerError(f"0x{proposal.proposer.hex()} does not propose in round {proposal.round}")
        if message.block.header.parent_hash != self._context.parent_hash:
            raise MalformedMessageError(f"block {proposal.block_hash.hex()} has another parent than our tip")
        if not verified:
            check_signature(self._authority, proposal)
        if proposal.proposer == self._authority.address:
            self._guard.silence(self.height)  # Ours, and we do not remember it.
        others = driver.proposals.in_round(proposal.round)
        if others:
            self._convict(proposal.proposer, others[0].message.proposal, proposal)
            if not driver.proposals.has_room(proposal.round) and not driver.is_wanted(proposal.block_hash):
                return
        if message.proof_of_lock:
            self._admit_votes(list(message.proof_of_lock))
        self._keep(message, timely=is_timely(message, self._now_ms, self._parameters))

    def _keep(self, message: ProposalMessage, *, timely: bool) -> None:
        self._driver.proposals.add(Kept(message, timely))
        self._proposed_at_ms = self._proposed_at_ms or self._now_ms
        self._do(DoPersist(ProposalRecord(message, timely)))

    def _on_request(self, peer: bytes, height: int, round_: int, block_hash: bytes | None) -> None:
        if height != self.height:
            self._help(peer, height)
            return
        message = self._driver.proposals.find(round_, block_hash)
        if message is not None and self._may_answer(peer):
            self._do(DoSend(peer, message))

    # ---------------------------------------------------------------- helping each other

    def _ask_host_and_peers(self) -> None:
        """Ask the host to judge blocks, and peers for blocks that a quorum names and that are not here."""
        driver = self._driver
        for block in driver.to_validate():
            if block.hash not in self._validating:
                self._validating.add(block.hash)
                self._do(DoValidateBlock(block))
        for round_, block_hash in driver.votes.decisive.items():
            if driver.proposals.verdict(block_hash) is False:
                self._phase = _Phase.HALTED
                reason = f"round {round_} of height {self.height} decided block {block_hash.hex()}, invalid here"
                self._do(DoHalt(reason))
                return
        for round_, block_hash in driver.missing_blocks():
            if (round_, block_hash) not in self._requested:
                voters = sorted(
                    driver.votes.cast(VoteKind.PREVOTE, round_) | driver.votes.cast(VoteKind.PRECOMMIT, round_)
                )
                others = [v for v in voters if v != self._authority.address]
                if others:
                    self._asked += 1
                    self._request_proposal(others[self._asked % len(others)], round_, block_hash)

    def _request_proposal(self, peer: bytes, round_: int, block_hash: bytes | None) -> None:
        self._requested.add((round_, block_hash))
        self._do(DoSend(peer, ProposalRequest(self.height, round_, block_hash)))

    def _rebroadcast(self) -> None:
        """Say again what others may have missed: our votes, the best polka, how this round was entered.

        The polka ends a hidden lock (Malachite 997): whoever is locked shows why, and others can propose it.
        """
        driver, state = self._driver, self._driver.state
        self._requested.clear()
        votes = list(self._own_last_votes())
        if state.valid_hash is not None:
            votes += driver.votes.votes_for(VoteKind.PREVOTE, state.valid_round, state.valid_hash)
        if votes:
            self._do(DoBroadcast(VotesMessage(tuple(dict.fromkeys(votes)))))
        certificate = driver.votes.certificate(state.round)
        if certificate and state.round > 0:
            self._do(DoBroadcast(RoundCertificate(self.height, state.round, certificate)))
        self._do(DoBroadcast(StatusMessage(self.height, state.round, self._context.parent_hash)))
        proposer = self._proposer(state.round)
        if proposer != self._authority.address and not driver.proposals.in_round(state.round):
            self._request_proposal(proposer, state.round, None)

    def _own_last_votes(self) -> tuple[Vote, ...]:
        """Our votes of this round, and our last precommit for a block."""
        address, driver = self._authority.address, self._driver
        if address is None:
            return ()
        votes = driver.votes.votes_of(address, driver.state.round)
        if driver.state.locked_hash is None or driver.state.locked_round == driver.state.round:
            return votes
        locked = driver.votes.votes_of(address, driver.state.locked_round)
        return (*votes, *(v for v in locked if v.kind is VoteKind.PRECOMMIT))

    def _greet(self, peer: bytes) -> None:
        """Tell a peer that has just connected where we stand, and what it may have missed of the round."""
        driver, state = self._driver, self._driver.state
        self._do(DoSend(peer, StatusMessage(self.height, state.round, self._context.parent_hash)))
        if self._phase is not _Phase.RUNNING:
            return
        votes = self._own_last_votes()
        if votes:
            self._do(DoSend(peer, VotesMessage(votes)))
        if self._proposer(state.round) == self._authority.address:
            message = driver.proposals.find(state.round, None)
            if message is not None and self._may_answer(peer):
                self._do(DoSend(peer, message))

    def _help(self, peer: bytes, height: int) -> None:
        """Answer a peer that is behind: where we are, and the commit if that is all it lacks."""
        if not self._may_answer(peer):
            return
        self._do(DoSend(peer, StatusMessage(self.height, self._driver.state.round, self._context.parent_hash)))
        if height == self.height - 1 and self._late.votes:
            self._do(DoSend(peer, VotesMessage(self._late.votes)))

    def _may_answer(self, peer: bytes) -> bool:
        """Count an answer against the peer's share for this height."""
        given = self._answers.get(peer, 0)
        if given >= _ANSWERS_MAX:
            return False
        self._answers[peer] = given + 1
        return True

    # ---------------------------------------------------------------- catching up

    def _on_status(self, peer: bytes, height: int) -> None:
        self._catch_up.introduced(peer)
        self._on_claim(peer, height)
        if height < self.height:
            self._help(peer, height)

    def _on_claim(self, peer: bytes, height: int) -> None:
        self._catch_up.claim(peer, height)
        if height > self.height:
            self._follow_claims()

    def _follow_claims(self, *, now: bool = False) -> None:
        """Ask for blocks: at once if we are two heights behind, else only if we stay behind for a while."""
        if self._phase is _Phase.COMMITTING:
            return
        ahead = self._catch_up.ahead(self.height)
        if ahead is None:
            return
        peer, claimed = ahead
        if self._set_sync_timer() and (now or claimed > self.height + 1):
            self._do(DoRequestSync(peer, self.height))

    def _set_sync_timer(self) -> bool:
        """Look again in a while; whether that was not planned already."""
        if self._sync_timer_set:
            return False
        self._sync_timer_set = True
        self._set_timer(TimerKind.SYNC, 0, self._parameters.timeout_vote_ms)
        return True

    def _release(self) -> bool:
        """End the holding, if nobody is ahead and whoever answers has answered."""
        if not self._catch_up.may_release(self.height, self._others()):
            return False
        self._catch_up.holding = False
        return True

    def _others(self) -> frozenset[bytes]:
        return frozenset(self._context.validators.by_address) - {self._authority.address}


def _by_subject(votes: tuple[Vote, ...]) -> list[list[Vote]]:
    """Group votes by what they vote on."""
    groups: dict[tuple[int, int, int, bytes | None], list[Vote]] = {}
    for vote in votes:
        groups.setdefault((vote.height, vote.round, vote.kind, vote.block_hash), []).append(vote)
    return list(groups.values())
