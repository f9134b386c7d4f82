"""Watches the messages of one height and raises the events of the round state machine.

The rules of the paper are conditions on the set of messages received, not reactions to single messages. So the
driver does not ask "what does this vote change?" but, after every change, "which rule's condition holds?", until
none does. A restart that puts the same messages back therefore arrives in the same state, in whatever order.

Where the paper asks for the proposal of the round beside a polka (L36) or precommits (L49), here the *block* is
enough, from a proposal of any round: among 2f+1 votes of a round for a block at least f+1 are of correct
validators, who cast them on a proposal of that round.
"""

from alatau.consensus.inputs import TimerKind
from alatau.consensus.proposal_keeper import Kept, ProposalKeeper
from alatau.consensus.state_machine import (
    Event,
    Output,
    Polka,
    PolkaForNil,
    PrecommitsOfQuorum,
    Precommitted,
    PrevotesOfQuorum,
    Proposed,
    RoundState,
    StartRound,
    Step,
    TimedOut,
    apply,
)
from alatau.consensus.vote_keeper import VoteKeeper
from alatau.types.block import Block
from alatau.types.validator import ValidatorSet
from alatau.types.vote import NO_ROUND, VoteKind


class Driver:
    """One height: its votes, its proposals and its round state."""

    def __init__(self, validators: ValidatorSet) -> None:
        self.state = RoundState()
        self.votes = VoteKeeper(validators)
        self.proposals = ProposalKeeper()

    @property
    def kept(self) -> int:
        """How many messages were kept so far: while it stays, no rule's condition on messages changes."""
        return self.votes.count + self.proposals.count

    # ---------------------------------------------------------------- moving

    def start_round(self, round_: int, *, is_proposer: bool) -> tuple[Output, ...]:
        """L11."""
        outputs = self._apply(StartRound(round_, is_proposer))
        self.votes.start_round(round_)
        self.proposals.forget(round_ - 1, self._wanted())
        return outputs

    def time_out(self, kind: TimerKind, round_: int) -> tuple[Output, ...]:
        """L57, L61, L65."""
        return self._apply(TimedOut(kind, round_))

    def advance(self) -> tuple[Output, ...]:
        """Apply rules whose conditions hold, up to the first that has something to do; nothing where none has."""
        for event in self._enabled():
            outputs = self._apply(event)
            if outputs:
                return outputs
        return ()

    def _apply(self, event: Event) -> tuple[Output, ...]:
        self.state, outputs = apply(self.state, event)
        return outputs

    def _enabled(self) -> list[Event]:
        """The events whose conditions on messages hold, most decisive first; guards are the state machine's."""
        state = self.state
        events: list[Event] = [
            Precommitted(round_, block_hash)
            for round_, block_hash in self.votes.decisive.items()
            if self.proposals.verdict(block_hash)
        ]
        round_ = state.round
        match state.step:
            case Step.PROPOSE:
                events += [event for kept in self.proposals.in_round(round_) if (event := self._proposed(kept))]
            case Step.PREVOTE | Step.PRECOMMIT:
                polka = self.votes.polka(round_)
                if polka is not None and self.proposals.verdict(polka):
                    events.append(Polka(polka))
        if state.step is Step.PREVOTE:
            if self.votes.has_polka(round_, None):
                events.append(PolkaForNil())
            if not state.prevote_timer and self.votes.has_quorum(VoteKind.PREVOTE, round_):
                events.append(PrevotesOfQuorum())
        if not state.precommit_timer and self.votes.has_quorum(VoteKind.PRECOMMIT, round_):
            events.append(PrecommitsOfQuorum())
        return events

    def _proposed(self, kept: Kept) -> Proposed | None:
        """L22 or L28, once the block is judged and, for L28, the polka of its valid round is here."""
        proposal = kept.message.proposal
        verdict = self.proposals.verdict(proposal.block_hash)
        if proposal.valid_round == NO_ROUND:
            if not kept.timely:
                return Proposed(proposal.block_hash, NO_ROUND, acceptable=False)
            return None if verdict is None else Proposed(proposal.block_hash, NO_ROUND, acceptable=verdict)
        if verdict is None or not self.votes.has_polka(proposal.valid_round, proposal.block_hash):
            return None
        return Proposed(proposal.block_hash, proposal.valid_round, acceptable=verdict)

    # ---------------------------------------------------------------- what is missing

    def to_validate(self) -> list[Block]:
        """Blocks that a rule waits for and that nobody has judged: of this round, or asked for by votes."""
        hashes = [k.message.proposal.block_hash for k in self.proposals.in_round(self.state.round)[:1]]
        hashes += self._named_by_quorums()
        blocks = (self.proposals.block(h) for h in dict.fromkeys(hashes) if self.proposals.verdict(h) is None)
        return [block for block in blocks if block is not None]

    def missing_blocks(self) -> list[tuple[int, bytes]]:
        """(round, hash) of blocks that a quorum names and that are not here."""
        named = [(r, h) for r, h in self.votes.decisive.items() if self.proposals.block(h) is None]
        polka = self.votes.polka(self.state.round)
        if polka is not None and self.proposals.block(polka) is None:
            named.append((self.state.round, polka))
        return named

    def is_wanted(self, block_hash: bytes) -> bool:
        """Whether votes ask for this block."""
        return block_hash in self._wanted()

    def _named_by_quorums(self) -> list[bytes]:
        """Blocks with a polka in this round, or with a decision; the polkas of valid rounds of proposals."""
        state = self.state
        named = list(self.votes.decisive.values())
        polka = self.votes.polka(state.round)
        if polka is not None:
            named.append(polka)
        for kept in self.proposals.in_round(state.round)[1:]:
            proposal = kept.message.proposal
            if proposal.valid_round >= 0 and self.votes.has_polka(proposal.valid_round, proposal.block_hash):
                named.append(proposal.block_hash)
        return named

    def _wanted(self) -> set[bytes]:
        own = (self.state.locked_hash, self.state.valid_hash)
        return {h for h in (*own, *self._named_by_quorums()) if h is not None}
