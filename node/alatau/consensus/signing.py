"""What stands between this validator and signing two things where it may sign one.

Three guards, any of which keeps it silent:

* the sign state only grows: nothing is signed at or below the last (height, round, step), unless it is the very
  same thing again
* a sign state of this height that the log does not account for means that the log, and with it the lock, is
  lost: silent for the height (Malachite 850: votes that were sent, by a node that had forgotten their value)
* our own signature, brought by a peer, under something we do not remember: an old backup runs, or a second node
  has our key. Silent for the height. A node whose disks are empty knows why it does not remember: it signs nothing
  up to there and goes on, since a quorum of such nodes would otherwise stand still for ever (Besu 8307)
"""

from collections.abc import Iterable

from alatau.consensus.authenticity import Authority, digest_of
from alatau.consensus.records import OwnVoteRecord, ProposalRecord, Record, SignState, SignStep
from alatau.types.vote import Proposal, Vote, VoteKind


def sign_step(signed: Vote | Proposal) -> SignStep:
    """The step that a vote or proposal belongs to."""
    if isinstance(signed, Proposal):
        return SignStep.PROPOSAL
    return SignStep.PREVOTE if signed.kind is VoteKind.PREVOTE else SignStep.PRECOMMIT


class SigningGuard:
    """Decides whether this validator may sign, and remembers what it signed."""

    def __init__(self, authority: Authority, last: SignState | None, *, allowed: bool) -> None:
        self._authority = authority
        self._allowed = allowed and authority.address is not None
        self._silent_height = 0
        self.last = last

    def restore(self, height: int, records: Iterable[Record]) -> bool:
        """Compare the log with the sign state, at the start; whether the log is ahead, so that it must be recorded.

        The log is written first, so after a crash it may hold one more of our signatures than the sign state.
        """
        signed = [state for record in records if (state := self._own(record)) is not None]
        if self.last is not None and self.last.height >= height and self.last not in signed:
            self._silent_height = self.last.height
        newest = max(signed, default=None)
        if newest is None or (self.last is not None and newest <= self.last):
            return False
        self.last = newest
        return True

    def _own(self, record: Record) -> SignState | None:
        signed: Vote | Proposal
        match record:
            case OwnVoteRecord(vote=vote):
                signed = vote
            case ProposalRecord(message=message) if message.proposal.proposer == self._authority.address:
                signed = message.proposal
            case _:
                return None
        return SignState(signed.height, signed.round, sign_step(signed), digest_of(self._authority, signed))

    def recognise(self, signed: Vote | Proposal, *, forgetful: bool) -> None:
        """A peer showed our own signature under something that the log does not hold.

        ``forgetful`` is a node that began with empty disks: signatures of its past are no surprise.
        """
        if not forgetful:
            self._silent_height = max(self._silent_height, signed.height)
            return
        state = SignState(signed.height, signed.round, sign_step(signed), digest_of(self._authority, signed))
        self.last = state if self.last is None else max(self.last, state)

    def may_sign(self, height: int) -> bool:
        """Whether anything at ``height`` may be signed at all."""
        return self._allowed and height > self._silent_height

    def sign(self, signed: Vote | Proposal) -> tuple[SignState, bytes] | None:
        """The sign state to record and the signature, or None where signing is not safe."""
        if not self.may_sign(signed.height):
            return None
        digest = digest_of(self._authority, signed)
        state = SignState(signed.height, signed.round, sign_step(signed), digest)
        last = self.last
        if last is not None and state != last:
            position = (last.height, last.round, last.step)
            if (state.height, state.round, state.step) <= position:
                return None
        self.last = state
        return state, self._authority.sign(digest)
