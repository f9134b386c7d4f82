"""What stands between this validator and signing two things where it may sign one.

* The sign state only grows: nothing is signed at or below the last (height, round, step), unless it is the very same
  thing again.
* A sign state of this height that the log does not account for means that the log, and with it the lock, is lost:
  silent for the height (Malachite 850: votes that were sent, by a node that had forgotten their value). Where the sign
  state shows that no block was precommitted, there was no lock to lose, and it goes on.
* Our own signature, brought by a peer, that we did not make: a second node has our key, or an old copy of our disk
  runs. Silent on *probation*, below.

Everything that was signed at a height is remembered until the height is over, and what could be of our past without
being remembered (at or below the sign state, where the log is lost or the disks are empty) is no surprise. So
nobody can bring us to silence by showing us what we said ourselves, however old.

**Probation** is the last resort, and ends. It lasts for ``HEIGHTS`` heights without a sign of the other self,
twice as long each time that it begins anew; or, where the network stands still meanwhile, perhaps because we keep
silent, for as many rebroadcasts within one height. A commit that carries a signature of our key which is not ours is
a sign of the other self, so one that goes on voting is never joined. An operator who has found and stopped the other
one restarts the node to end it at once.

A node whose disks are empty does not know what it signed. It adopts what it is shown of the heights at which its
past can have been (a quorum of such nodes would otherwise stand still for ever, Besu 8307); later, or where it has
signed something else itself since, it is another self as well.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from alatau.consensus.authenticity import Authority, digest_of
from alatau.consensus.records import OwnProposalRecord, OwnVoteRecord, ProposalRecord, Record, SignState, SignStep
from alatau.types.vote import Proposal, Vote, VoteKind, vote_digest

HEIGHTS: Final = 16
"""Heights of the first probation, in each of which a second self that votes shows in the commit."""

_HEIGHTS_MAX: Final = 1_024
"""Longest probation: a quarter of an hour of full blocks at the default interval."""

_FOR_EVER: Final = 2**64


class Silence(Enum):
    """Why a validator does not sign; the value is a stable word for logs and ``status``."""

    NOT_ALLOWED = "sign_state_stale"
    """The host found the sign state missing or older than the chain."""
    LOG_LOST = "consensus_log_lost"
    """The log does not hold what was signed at this height: until the height is over."""
    KEY_IN_USE = "key_in_use_elsewhere"
    """Another process signs with our key: probation."""


def sign_step(signed: Vote | Proposal) -> SignStep:
    """The step that a vote or proposal belongs to."""
    if isinstance(signed, Proposal):
        return SignStep.PROPOSAL
    return SignStep.PREVOTE if signed.kind is VoteKind.PREVOTE else SignStep.PRECOMMIT


class SigningGuard:
    """Decides whether this validator may sign, and remembers what it signed."""

    def __init__(self, authority: Authority, last: SignState | None, *, allowed: bool) -> None:
        self._authority = authority
        self._allowed = allowed
        self._height = 0
        self._known: set[bytes] = set()
        """Digests of what was signed at the height, by us or, once noticed, by another self. Three a round."""
        self._complete = True
        """Whether ``_known`` holds all that we signed at the height."""
        self._signed_here: set[tuple[int, int, int]] = set()
        """(height, round, step) of what we signed at the height since the start."""
        self._log_lost_height = 0
        self._past_until = 0
        """Up to this height, signatures that we do not remember may be of our past: the disks were empty."""
        self._probation_heights = HEIGHTS
        self._silent_until = 0
        """First height after the probation."""
        self._quiet_rebroadcasts = 0
        self._alarmed_at = 0
        self.last = last

    # ---------------------------------------------------------------- heights

    def restore(self, height: int, records: Iterable[Record]) -> bool:
        """Compare the log with the sign state, at the start; whether the log is ahead, so that it must be recorded.

        The log is written first, so after a crash it may hold one more of our signatures than the sign state.
        """
        self._height = height
        signed = [state for record in records if (state := self._own(record)) is not None]
        self._known = {state.digest for state in signed}
        if self.last is not None and self.last.height >= height and self.last not in signed:
            self._complete = False
            if not self._never_locked(self.last, height):
                self._log_lost_height = self.last.height
        newest = max(signed, default=None)
        if newest is None or (self.last is not None and newest <= self.last):
            return False
        self.last = newest
        return True

    def begin(self, height: int) -> None:
        """The tip moved: what was signed below ``height`` is of no use any more."""
        self._height = height
        self._known.clear()
        self._signed_here.clear()
        self._complete = self.last is None or self.last.height < height
        self._quiet_rebroadcasts = 0

    def began_empty(self) -> None:
        """The disks are empty: until :meth:`joined`, any signature of ours may be of our past."""
        self._past_until = _FOR_EVER

    def joined(self, height: int) -> None:
        """We begin to sign at ``height``, the highest that any peer decides: our past ended one height later."""
        if self._past_until:
            self._past_until = height + 1

    def _never_locked(self, last: SignState, height: int) -> bool:
        """Whether the sign state alone shows that we precommitted no block: nothing, or nil in round 0."""
        if (last.height, last.round) != (height, 0):
            return False
        nil = vote_digest(self._authority.domain, VoteKind.PRECOMMIT, height, 0, None)
        return last.step < SignStep.PRECOMMIT or last.digest == nil

    def _own(self, record: Record) -> SignState | None:
        match record:
            case OwnVoteRecord(vote=vote):
                return self._state(vote)
            case OwnProposalRecord(proposal):
                return self._state(proposal)
            case ProposalRecord(message=message) if message.proposal.proposer == self._authority.address:
                return self._state(message.proposal)
            case _:
                return None

    def _state(self, signed: Vote | Proposal) -> SignState:
        return SignState(signed.height, signed.round, sign_step(signed), digest_of(self._authority, signed))

    # ---------------------------------------------------------------- another self

    def recognise(self, signed: Vote | Proposal) -> bool:
        """A peer, or a commit, shows a signature of our key; whether it is another self's, and the operator is to know.

        The signature is right; a height that is over proves nothing. Of a self that goes on signing the operator is
        reminded every ``HEIGHTS`` heights.
        """
        state = self._state(signed)
        if state.height < self._height or state.digest in self._known:
            return False
        place = _place(state)
        if place not in self._signed_here:
            if state.height <= self._past_until:
                self.last = state if self.last is None else max(self.last, state)
                return False
            here = state.height == self._height and self._complete
            if not here and self.last is not None and place <= _place(self.last):
                return False
        if state.height == self._height:
            self._known.add(state.digest)
        again = self.on_probation(self._height)
        if self._silent_until and not again:
            self._probation_heights = min(2 * self._probation_heights, _HEIGHTS_MAX)
        self._silent_until = max(state.height, self._height) + 1 + self._probation_heights
        self._quiet_rebroadcasts = 0
        if again and state.height < self._alarmed_at + HEIGHTS:
            return False
        self._alarmed_at = state.height
        return True

    def on_probation(self, height: int) -> bool:
        """Whether another self was seen too lately for us to sign at ``height``."""
        return height < self._silent_until

    def rebroadcast(self) -> bool:
        """A height lasts long; whether a probation ends by that, without a sign of the other self."""
        if not self.on_probation(self._height):
            return False
        self._quiet_rebroadcasts += 1
        if self._quiet_rebroadcasts < self._probation_heights:
            return False
        self._silent_until = self._height
        return True

    # ---------------------------------------------------------------- signing

    def silence(self, height: int) -> Silence | None:
        """Why nothing may be signed at ``height``; None where it may, or for an observer."""
        if self._authority.address is None:
            return None
        if not self._allowed:
            return Silence.NOT_ALLOWED
        if self.on_probation(height):
            return Silence.KEY_IN_USE
        return Silence.LOG_LOST if height <= self._log_lost_height else None

    def silent_until(self, height: int) -> int | None:
        """First height that may be signed again if nothing else happens; None where silence does not end by itself."""
        match self.silence(height):
            case Silence.KEY_IN_USE:
                return self._silent_until
            case Silence.LOG_LOST:
                return self._log_lost_height + 1
            case _:
                return None

    def may_sign(self, height: int) -> bool:
        """Whether anything at ``height`` may be signed at all."""
        return self._authority.address is not None and self.silence(height) is None

    def sign(self, signed: Vote | Proposal) -> tuple[SignState, bytes] | None:
        """The sign state to record and the signature, or None where signing is not safe."""
        if not self.may_sign(signed.height):
            return None
        state = self._state(signed)
        last = self.last
        if last is not None and state != last and _place(state) <= _place(last):
            return None
        self.last = state
        self._known.add(state.digest)
        self._signed_here.add(_place(state))
        return state, self._authority.sign(state.digest)


def _place(state: SignState) -> tuple[int, int, int]:
    return state.height, state.round, state.step
