"""Whose turn it is: a function of committed data alone, without any state of its own.

Each height and round has a slot number, ``height + round``. Slots run through a cycle as long as the validators'
total power (divided by its greatest common divisor), each validator owning as many slots of it as it has power.
A stride near the golden section of the cycle walks through it, so that the turns of a heavy validator do not
follow one another; with equal powers the walk is a plain rotation. Nothing accumulates from height to height, so
there are no priorities for a snapshot to lie about (CometBFT GHSA-g5xx-c4hv-9ccc).

Two kinds of validator are *passed over*: the walk goes on to the next slot where one of theirs comes.

* The **absent**, whose signature is in none of the last commits, so that a dead ministry does not cost a timeout
  every nth block. As soon as a commit in a block carries its signature, it has its turns back.
* The **failing**, who sign but whose proposals nobody takes: a clock that is an hour off, a machine too slow to build.
  They built none of the last blocks although several were of their slots. In about ``_TRIAL_HEIGHTS`` heights one slot
  is theirs all the same, and one block that is decided gives them back the others.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import gcd
from typing import Final

from alatau.types.validator import ValidatorSet
from alatau.types.vote import Commit

_GOLDEN_NUMERATOR, _GOLDEN_DENOMINATOR = 618_033_989, 1_000_000_000
"""The golden section, as a fraction, since every node must compute the same stride."""

_FAILED_SLOTS_MIN: Final = 2
"""Slots without a block from which a validator counts as failing: one can be a lost message."""

_SLOTS_EACH: Final = 3
"""Blocks looked back at are at least this many for each validator, so that everybody had slots among them."""

_TRIAL_HEIGHTS: Final = 192
"""A failing validator costs a second round once in about so many heights. A round that fails lasts a second or two,
so many blocks of 200 ms take 38 s: fewer than one payment in twenty waits."""


@dataclass(frozen=True, slots=True)
class PastBlock:
    """What a committed block says about turns."""

    height: int
    builder: bytes
    """Its header's beneficiary: who proposed it first, whichever round decided it."""
    last_commit: Commit | None
    """The commit of the block before it."""


class Rotation:
    """The proposers of a height's rounds."""

    def __init__(self, validators: ValidatorSet, height: int, passed_over: frozenset[bytes], *, trial: bool) -> None:
        self._slots = _Slots(validators)
        self._height = height
        self._passed_over = passed_over
        self._trial = trial
        self._order: list[bytes] = []
        self._looked_at = 0

    def proposer(self, round_: int) -> bytes:
        """Address of the validator whose turn ``round_`` is. Costs about 1 us for each round, once."""
        cycle = self._slots.cycle
        while len(self._order) <= round_ and self._looked_at < cycle:
            owner = self._slots.owner(self._height + self._looked_at)
            if owner not in self._passed_over or (self._trial and not self._looked_at):
                self._order.append(owner)
            self._looked_at += 1
        return self._order[round_ % len(self._order)]


class _Slots:
    """Who owns which slot, everybody counted."""

    __slots__ = ("_addresses", "_ends", "_stride", "cycle")

    def __init__(self, validators: ValidatorSet) -> None:
        unit = gcd(*(v.power for v in validators.validators))
        self._addresses = [v.address for v in validators.validators]
        self._ends = list(accumulate(v.power // unit for v in validators.validators))
        self.cycle = self._ends[-1]
        stride = max(1, self.cycle * _GOLDEN_NUMERATOR // _GOLDEN_DENOMINATOR)
        while gcd(stride, self.cycle) != 1:
            stride += 1
        self._stride = stride

    def owner(self, slot: int) -> bytes:
        return self._addresses[bisect_right(self._ends, slot * self._stride % self.cycle)]


def rotation(
    validators: ValidatorSet, height: int, absent: frozenset[bytes], failing: frozenset[bytes] = frozenset()
) -> Rotation:
    """The rotation of a height: everybody but the absent and failing, if the others are at least f+1 by power.

    If they are not, failing and then absent ones are taken back in order of address until they are: with f faulty ones
    among them, at least one proposer has to be correct.
    """
    taken_back = sorted(failing - absent) + sorted(absent)
    passed_over = {address for address in absent | failing if address in validators.by_address}
    while not validators.has_honest(validators.total_power - sum(map(validators.power_of, passed_over))):
        passed_over.discard(taken_back.pop(0))
    count = len(validators.validators)
    trial = not height // count % max(1, _TRIAL_HEIGHTS // count)
    owner = _Slots(validators).owner(height)
    return Rotation(validators, height, frozenset(passed_over), trial=trial and owner in failing - absent)


def proposer(
    validators: ValidatorSet,
    height: int,
    round_: int,
    absent: frozenset[bytes],
    failing: frozenset[bytes] = frozenset(),
) -> bytes:
    """Address of the proposer of a round; for more than one round keep the :func:`rotation`."""
    return rotation(validators, height, absent, failing).proposer(round_)


def absent_validators(validators: ValidatorSet, commits: Sequence[Commit], window: int) -> frozenset[bytes]:
    """Who is absent, given the ``last_commit`` of the last ``window`` committed blocks.

    A chain younger than ``window`` commits passes nobody over. The parent's own commit is not among ``commits``:
    until a block carries it, each node may hold a different one.
    """
    if len(commits) < window:
        return frozenset()
    signed = {entry.validator for commit in commits[-window:] for entry in commit.signatures}
    return frozenset(validators.by_address) - signed


def blocks_looked_at(validators: ValidatorSet, absent_commits: int) -> int:
    """How many of the last blocks say who is absent and who is failing."""
    return max(absent_commits, _SLOTS_EACH * len(validators.validators)) + 1


def failing_validators(validators: ValidatorSet, blocks: Sequence[PastBlock], absent_commits: int) -> frozenset[bytes]:
    """Who signs commits but built none of the last blocks, several of which were of its slots.

    A slot counts against its owner only where the owner signed that very block: not before it joined, nor while it
    was down, which is what :func:`absent_validators` is for. A chain that is shorter than what is looked at has
    nobody failing.

    Args:
        validators: the set that decides the next height.
        blocks: the last committed blocks, ascending; the last :func:`blocks_looked_at` of them count.
        absent_commits: the chain's parameter.
    """
    count = blocks_looked_at(validators, absent_commits)
    if len(blocks) < count:
        return frozenset()
    recent, slots = blocks[-count:], _Slots(validators)
    builders = {block.builder for block in recent}
    failed = dict.fromkeys(validators.by_address.keys() - builders, 0)
    for block, after in pairwise(recent):
        owner, commit = slots.owner(block.height), after.last_commit
        if owner in failed and commit is not None and any(s.validator == owner for s in commit.signatures):
            failed[owner] += 1
    return frozenset(address for address, times in failed.items() if times >= _FAILED_SLOTS_MIN)
