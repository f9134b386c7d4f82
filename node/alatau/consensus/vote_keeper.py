"""Every vote of a height, counted by validator, never by position or by message.

In the paper a node's log holds every message; whoever signs two prevotes in a round counts for both blocks, since
a polka for either is a fact. Memory is finite, so:

* of a validator, kind and round the first two different votes are kept, which is proof of equivocation; more
  only as part of a quorum for one block, of which there are few however many lies are told
* of rounds beyond the next, a validator's votes of its two highest are kept: enough to skip to them (L55), and a
  validator that runs through a million rounds holds two (Besu GHSA-23rh-rrqg-wq82). A round that has decided is kept
  whole: its precommits are the block's commit, whenever the block comes
* of rounds that are over, only votes for blocks: they can still decide (L49) or prove a lock (L28)
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from alatau.types.validator import ValidatorSet
from alatau.types.vote import Vote, VoteKind

_VOTES_EACH_MAX = 2
"""Different votes kept of a validator in one kind and round: the two that prove equivocation."""

_FAR_ROUNDS_MAX = 2
"""Rounds beyond the next that are kept of a validator."""


class VoteStatus(Enum):
    """What a vote would be to the keeper, known before its signature is checked."""

    NEW = auto()
    DUPLICATE = auto()
    CONFLICTING = auto()
    """The validator voted for something else in this kind and round."""
    IGNORED = auto()
    """Over, too far ahead, or one lie too many: dropped without a word."""


@dataclass(slots=True)
class Tally:
    """The votes of one kind in one round."""

    by_hash: dict[bytes | None, dict[bytes, Vote]] = field(default_factory=dict)
    power: dict[bytes | None, int] = field(default_factory=dict)
    voters: dict[bytes, int] = field(default_factory=dict)
    """How many different votes each validator cast."""
    voters_power: int = 0
    """Of all who voted, each counted once."""


@dataclass(slots=True)
class _Round:
    prevotes: Tally = field(default_factory=Tally)
    precommits: Tally = field(default_factory=Tally)
    seen: dict[bytes, None] = field(default_factory=dict)
    """Whoever voted in the round, in either kind."""
    seen_power: int = 0

    def tally(self, kind: VoteKind) -> Tally:
        return self.prevotes if kind is VoteKind.PREVOTE else self.precommits


_NO_VOTES = Tally()


class VoteKeeper:
    """Counts the votes of one height."""

    def __init__(self, validators: ValidatorSet) -> None:
        self._validators = validators
        self._rounds: dict[int, _Round] = {}
        self._far: dict[bytes, list[int]] = {}
        self._decisive: dict[int, bytes] = {}
        self._round = 0
        self.count = 0
        """Votes counted so far, in whatever round."""

    # ---------------------------------------------------------------- taking votes

    def status(self, vote: Vote) -> VoteStatus:
        """What taking ``vote`` would do. The voter is in the set; the signature need not be checked yet."""
        if vote.round < self._round - 1 and vote.block_hash is None:
            return VoteStatus.IGNORED
        known = self._rounds.get(vote.round)
        if known is None:
            return VoteStatus.IGNORED if self._too_far(vote.validator, vote.round) else VoteStatus.NEW
        tally = known.tally(vote.kind)
        if vote.validator in tally.by_hash.get(vote.block_hash, ()):
            return VoteStatus.DUPLICATE
        cast = tally.voters.get(vote.validator, 0)
        if cast:
            return VoteStatus.CONFLICTING if cast < _VOTES_EACH_MAX else VoteStatus.IGNORED
        if vote.validator not in known.seen and self._too_far(vote.validator, vote.round):
            return VoteStatus.IGNORED
        return VoteStatus.NEW

    def add(self, vote: Vote) -> None:
        """Count a vote whose signature is right. A vote that is known changes nothing."""
        if vote.round > self._round + 1:
            self._make_room_ahead(vote.validator, vote.round)
        votes = self._rounds.get(vote.round)
        if votes is None:
            votes = self._rounds[vote.round] = _Round()
        tally = votes.tally(vote.kind)
        voters = tally.by_hash.setdefault(vote.block_hash, {})
        if vote.validator in voters:
            return
        power = self._validators.power_of(vote.validator)
        voters[vote.validator] = vote
        self.count += 1
        tally.power[vote.block_hash] = tally.power.get(vote.block_hash, 0) + power
        if vote.validator not in tally.voters:
            tally.voters_power += power
        tally.voters[vote.validator] = tally.voters.get(vote.validator, 0) + 1
        if vote.validator not in votes.seen:
            votes.seen[vote.validator] = None
            votes.seen_power += power
        if (
            vote.kind is VoteKind.PRECOMMIT
            and vote.block_hash is not None
            and self._validators.has_quorum(tally.power[vote.block_hash])
        ):
            self._decisive.setdefault(vote.round, vote.block_hash)

    def start_round(self, round_: int) -> None:
        """The node is in ``round_`` now: forget what rounds that are over do not need."""
        self._round = round_
        for past in [r for r in self._rounds if r < round_ - 1]:
            votes = self._rounds[past]
            for tally in (votes.prevotes, votes.precommits):
                tally.by_hash.pop(None, None)
            if not votes.prevotes.by_hash and not votes.precommits.by_hash:
                del self._rounds[past]
        for validator, far in list(self._far.items()):
            self._far[validator] = [r for r in far if r > round_ + 1]

    def _too_far(self, validator: bytes, round_: int) -> bool:
        if round_ <= self._round + 1:
            return False
        far = self._far.get(validator, ())
        return len(far) >= _FAR_ROUNDS_MAX and round_ < min(far)

    def _make_room_ahead(self, validator: bytes, round_: int) -> None:
        far = self._far.setdefault(validator, [])
        if round_ in far:
            return
        far.append(round_)
        if len(far) > _FAR_ROUNDS_MAX:
            lowest = min(far)
            far.remove(lowest)
            if (
                lowest not in self._decisive
            ):  # What decided is kept, all of it: the block may come later than the votes.
                self._forget(validator, lowest)

    def _forget(self, validator: bytes, round_: int) -> None:
        votes = self._rounds.get(round_)
        if votes is None or validator not in votes.seen:
            return
        power = self._validators.power_of(validator)
        del votes.seen[validator]
        votes.seen_power -= power
        for tally in (votes.prevotes, votes.precommits):
            if tally.voters.pop(validator, 0):
                tally.voters_power -= power
            for block_hash, voters in tally.by_hash.items():
                if voters.pop(validator, None):
                    tally.power[block_hash] -= power
        if not votes.seen:
            del self._rounds[round_]

    # ---------------------------------------------------------------- asking

    def polka(self, round_: int) -> bytes | None:
        """The block with 2f+1 prevotes in ``round_``."""
        tally = self._tally(VoteKind.PREVOTE, round_)
        for block_hash, power in tally.power.items():
            if block_hash is not None and self._validators.has_quorum(power):
                return block_hash
        return None

    def has_polka(self, round_: int, block_hash: bytes | None) -> bool:
        """Whether ``block_hash``, or nil, has 2f+1 prevotes in ``round_``."""
        return self._validators.has_quorum(self._tally(VoteKind.PREVOTE, round_).power.get(block_hash, 0))

    def has_quorum(self, kind: VoteKind, round_: int) -> bool:
        """Whether 2f+1 voted in ``round_``, for whatever (L34, L47)."""
        return self._validators.has_quorum(self._tally(kind, round_).voters_power)

    @property
    def decisive(self) -> dict[int, bytes]:
        """The blocks with 2f+1 precommits, by round: of any round, since a decision never expires (L49)."""
        return self._decisive

    def skip_round(self) -> int | None:
        """The highest later round in which f+1 voted (L55)."""
        ahead = (r for r, v in self._rounds.items() if r > self._round and self._validators.has_honest(v.seen_power))
        return max(ahead, default=None)

    def votes_for(self, kind: VoteKind, round_: int, block_hash: bytes | None) -> tuple[Vote, ...]:
        """The votes for one block or nil, by validator."""
        voters = self._tally(kind, round_).by_hash.get(block_hash, {})
        return tuple(voters[address] for address in sorted(voters))

    def votes_of(self, validator: bytes, round_: int) -> tuple[Vote, ...]:
        """A validator's votes in a round."""
        votes = self._rounds.get(round_)
        if votes is None:
            return ()
        tallies = (votes.prevotes, votes.precommits)
        return tuple(vs[validator] for tally in tallies for vs in tally.by_hash.values() if validator in vs)

    def last_votes_of(self, validator: bytes) -> tuple[Vote, ...]:
        """A validator's votes in the highest round in which it voted."""
        for round_ in sorted(self._rounds, reverse=True):
            votes = self.votes_of(validator, round_)
            if votes:
                return votes
        return ()

    def conflicting(self, vote: Vote) -> Vote | None:
        """Another vote of the same validator, kind and round, if it is still kept."""
        tally = self._tally(vote.kind, vote.round)
        for block_hash, voters in tally.by_hash.items():
            if block_hash != vote.block_hash and vote.validator in voters:
                return voters[vote.validator]
        return None

    def deviating(self, decided: bytes) -> tuple[Vote, ...]:
        """Votes that neither the decided block nor a quorum of their step explains, by round, kind and validator.

        None in a height that went well. Where somebody told two nodes two things, at least one of them holds one
        of the two votes here, and the other holds its contradiction.
        """
        found: list[Vote] = []
        for round_ in sorted(self._rounds):
            votes = self._rounds[round_]
            for tally in (votes.prevotes, votes.precommits):
                for block_hash, voters in tally.by_hash.items():
                    if block_hash != decided and not self._validators.has_quorum(tally.power[block_hash]):
                        found += (voters[validator] for validator in sorted(voters))
        return tuple(found)

    def named(self, round_: int) -> dict[bytes, bytes]:
        """The blocks that somebody votes for in ``round_``, each with a validator that does."""
        names: dict[bytes, bytes] = {}
        for kind in VoteKind:
            for block_hash, voters in self._tally(kind, round_).by_hash.items():
                if block_hash is not None and voters:
                    names.setdefault(block_hash, min(voters))
        return names

    def certificate(self, round_: int) -> tuple[Vote, ...]:
        """Votes that let others enter ``round_``: 2f+1 precommits of the one before (L47), or f+1 of it (L55)."""
        before = self._tally(VoteKind.PRECOMMIT, round_ - 1)
        if self._validators.has_quorum(before.voters_power):
            return _one_each(before)
        votes = self._rounds.get(round_)
        if votes is None:
            return ()
        return (*_one_each(votes.prevotes), *_one_each(votes.precommits))

    def cast(self, kind: VoteKind, round_: int) -> dict[bytes, bytes | None]:
        """What each validator voted for, the first of its votes where it signed several."""
        return {vote.validator: vote.block_hash for vote in _one_each(self._tally(kind, round_))}

    def _tally(self, kind: VoteKind, round_: int) -> Tally:
        votes = self._rounds.get(round_)
        return votes.tally(kind) if votes else _NO_VOTES


def _one_each(tally: Tally) -> tuple[Vote, ...]:
    chosen: dict[bytes, Vote] = {}
    for voters in tally.by_hash.values():
        for validator, vote in voters.items():
            chosen.setdefault(validator, vote)
    return tuple(chosen[address] for address in sorted(chosen))
