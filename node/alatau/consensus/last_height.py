"""What still comes of the last height: precommits for its commit, and votes that contradict others.

A height is decided by the first quorum of precommits; the slowest validator is never in it. If blocks carried only
that quorum, a slow but healthy validator would look absent and lose its turns as proposer. So precommits for the
decided block are added until our next block is built, which carries them.

The votes of the height are kept as long, to compare them with what others heard: a validator that told half of the
network one thing and half another contradicts itself only where the two are laid side by side.
"""

from dataclasses import replace

from alatau.consensus.vote_keeper import VoteKeeper
from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, CommitSignature, Vote, VoteKind


class LastHeight:
    """Extends a commit; bounded by its validator set.

    Without the set, as after a restart or a jump, the commit stays as it is; without the votes, nothing but the
    commit can be contradicted.
    """

    def __init__(self, commit: Commit | None, validators: ValidatorSet | None, heard: VoteKeeper | None = None) -> None:
        self._commit = commit
        self._validators = validators.by_address if validators else {}
        self._signatures = {s.validator: s.signature for s in commit.signatures} if commit else {}
        self._heard = heard
        self.reported: set[bytes] = set()
        """Validators whose equivocation at that height was reported."""

    def fits(self, vote: Vote) -> bool:
        """Whether ``vote`` would add to the commit; its signature need not be checked yet."""
        commit = self._commit
        return (
            commit is not None
            and vote.kind is VoteKind.PRECOMMIT
            and (vote.height, vote.round, vote.block_hash) == (commit.height, commit.round, commit.block_hash)
            and vote.validator in self._validators
            and vote.validator not in self._signatures
        )

    def add(self, vote: Vote) -> None:
        """Add a vote that fits and whose signature is right."""
        self._signatures[vote.validator] = vote.signature

    def conflicting(self, vote: Vote) -> Vote | None:
        """A vote of the same validator, kind and round of that height for something else, if we hold one."""
        commit = self._commit
        if commit is None or vote.height != commit.height or vote.validator not in self._validators:
            return None
        heard = None if self._heard is None else self._heard.conflicting(vote)
        if heard is not None:
            return heard
        if vote.kind is not VoteKind.PRECOMMIT or vote.round != commit.round or vote.block_hash == commit.block_hash:
            return None
        return next((other for other in self.votes if other.validator == vote.validator), None)

    @property
    def commit(self) -> Commit | None:
        """The commit with all that came."""
        if self._commit is None:
            return None
        signatures = tuple(CommitSignature(v, self._signatures[v]) for v in sorted(self._signatures))
        return replace(self._commit, signatures=signatures)

    @property
    def votes(self) -> tuple[Vote, ...]:
        """The commit as the votes that it consists of: what a validator that is one height behind lacks."""
        c = self._commit
        if c is None:
            return ()
        return tuple(
            Vote(VoteKind.PRECOMMIT, c.height, c.round, c.block_hash, validator, signature)
            for validator, signature in sorted(self._signatures.items())
        )
