"""The commit of the last height, with the precommits that came after it was enough.

A height is decided by the first quorum of precommits; the slowest validator is never in it. If blocks carried only
that quorum, a slow but healthy validator would look absent and lose its turns as proposer. So precommits for the
decided block are added until our next block is built, which carries them.
"""

from dataclasses import replace

from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit, CommitSignature, Vote, VoteKind


class LatePrecommits:
    """Extends a commit; bounded by its validator set.

    Without the set, as after a restart or a jump, the commit stays as it is.
    """

    def __init__(self, commit: Commit | None, validators: ValidatorSet | None) -> None:
        self._commit = commit
        self._validators = validators.by_address if validators else {}
        self._signatures = {s.validator: s.signature for s in commit.signatures} if commit else {}

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
