"""Whose turn it is: a function of committed data alone, without any state of its own.

Each height and round has a slot number, ``height + round``. Slots run through a cycle as long as the proposers'
total power (divided by its greatest common divisor), each validator owning as many slots of it as it has power.
A stride near the golden section of the cycle walks through it, so that the turns of a heavy validator do not
follow one another; with equal powers the walk is a plain rotation. Nothing accumulates from height to height, so
there are no priorities for a snapshot to lie about (CometBFT GHSA-g5xx-c4hv-9ccc).

A validator whose signature is in none of the last commits is passed over, so that a dead ministry does not cost
a timeout every nth block. As soon as a commit in a block carries its signature, it has its turns back.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd

from alatau.types.validator import Validator, ValidatorSet
from alatau.types.vote import Commit

_GOLDEN_NUMERATOR, _GOLDEN_DENOMINATOR = 618_033_989, 1_000_000_000
"""The golden section, as a fraction, since every node must compute the same stride."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """The proposers of a height, in turn."""

    proposers: tuple[Validator, ...]
    ends: tuple[int, ...]
    """For each proposer, the slot after its last."""
    stride: int
    """Coprime to the length of the cycle."""

    def proposer(self, height: int, round_: int) -> bytes:
        """Address of the validator whose turn ``round_`` of ``height`` is."""
        cycle = self.ends[-1]
        slot = (height + round_) * self.stride % cycle
        return self.proposers[bisect_right(self.ends, slot)].address


def rotation(validators: ValidatorSet, absent: frozenset[bytes]) -> Rotation:
    """The rotation of a height: everybody but the absent, if the others are at least f+1 by power.

    If they are not, absent ones are taken back in order of address until they are: with f faulty ones among
    them, at least one proposer has to be correct.
    """
    chosen = [v for v in validators.validators if v.address not in absent]
    missing = [v for v in validators.validators if v.address in absent]
    while not validators.has_honest(sum(v.power for v in chosen)):
        chosen.append(missing.pop(0))
    chosen.sort(key=lambda v: v.address)
    unit = gcd(*(v.power for v in chosen))
    ends = tuple(accumulate(v.power // unit for v in chosen))
    stride = max(1, ends[-1] * _GOLDEN_NUMERATOR // _GOLDEN_DENOMINATOR)
    while gcd(stride, ends[-1]) != 1:
        stride += 1
    return Rotation(tuple(chosen), ends, stride)


def proposer(validators: ValidatorSet, height: int, round_: int, absent: frozenset[bytes]) -> bytes:
    """Address of the proposer of a round; for more than one round keep the :func:`rotation`."""
    return rotation(validators, absent).proposer(height, round_)


def absent_validators(validators: ValidatorSet, commits: Sequence[Commit], window: int) -> frozenset[bytes]:
    """Who is passed over, given the ``last_commit`` of the last ``window`` committed blocks.

    A chain younger than ``window`` commits passes nobody over. The parent's own commit is not among ``commits``:
    until a block carries it, each node may hold a different one.
    """
    if len(commits) < window:
        return frozenset()
    signed = {entry.validator for commit in commits[-window:] for entry in commit.signatures}
    return frozenset(validators.by_address) - signed
