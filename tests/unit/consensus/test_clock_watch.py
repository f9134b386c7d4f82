"""Whether our own clock is right, judged by decided blocks."""

import pytest

from alatau.consensus.clock_watch import _REPEAT_EVERY, _SAMPLES, ClockChange, ClockWatch

DRIFT_MS = 500


def told(watch: ClockWatch, *blocks: tuple[bytes, int]) -> list[ClockChange | None]:
    """What it says after each block of (proposer, offset)."""
    return [watch.decided(proposer, offset_ms, DRIFT_MS) for proposer, offset_ms in blocks]


@pytest.mark.parametrize("offset_ms", [900, -900])
def test_several_proposers_on_one_side_say_that_ours_is_off(offset_ms: int) -> None:
    """After as many blocks as must agree, and how far; again only after a while; and once when it is right again."""
    watch = ClockWatch()
    rounds = [(b"%d" % (n % 3), offset_ms) for n in range(_SAMPLES)]
    assert told(watch, *rounds) == [None] * (_SAMPLES - 1) + [ClockChange.OFF]
    assert watch.offset_ms == offset_ms
    later = told(watch, *[(b"1", offset_ms)] * (_REPEAT_EVERY - 1))
    assert later == [None] * (_REPEAT_EVERY - 2) + [ClockChange.OFF]
    assert told(watch, (b"1", DRIFT_MS), (b"2", 0)) == [ClockChange.RIGHT, None]
    assert watch.offset_ms is None


@pytest.mark.parametrize(
    "offsets",
    [[(b"a", 900)] * 8, [(b"a", 900), (b"b", -900)] * 4, [(b"a", 900), (b"b", 900), (b"c", 100)] * 3],
    ids=["one proposer alone", "on both sides", "one in between is right"],
)
def test_what_may_be_the_others_fault_says_nothing(offsets: list[tuple[bytes, int]]) -> None:
    """Our clock is blamed only where different proposers agree, block after block."""
    watch = ClockWatch()
    assert told(watch, *offsets) == [None] * len(offsets)
    assert watch.offset_ms is None


@pytest.mark.parametrize("side", [1, -1])
def test_how_far_ours_is_off_is_what_most_blocks_say(side: int) -> None:
    """The median: one block that came late does not count for more. Two proposers are several."""
    watch = ClockWatch()
    offsets = [side * offset for offset in (600, 700, 800, 5_000)]
    assert told(watch, *((b"%d" % (n % 2), offset) for n, offset in enumerate(offsets)))[-1] is ClockChange.OFF
    assert watch.offset_ms == sorted(offsets)[2]


@pytest.mark.parametrize("side", [1, -1])
def test_a_block_just_within_the_bound_clears_our_clock(side: int) -> None:
    """As far as ``clock_drift_ms_max`` is right: with such a block among the last, nothing is said."""
    offsets = [side * offset for offset in (DRIFT_MS, 900, 900, 900)]
    watch = ClockWatch()
    assert told(watch, *((b"%d" % n, offset) for n, offset in enumerate(offsets))) == [None] * len(offsets)
