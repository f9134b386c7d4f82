"""How long who is kept out."""

from hypothesis import given
from hypothesis import strategies as st

from alatau.p2p.bans import Bans

KEY = b"k" * 32


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_bans_double_up_to_a_ceiling() -> None:
    """And none lasts for ever: a validator with a bug comes back."""
    clock = Clock()
    bans = Bans(30.0, 600.0, 1_800.0, clock)
    lasted = []
    for _ in range(40):
        lasted.append(bans.add(KEY, "bad_block"))
        clock.now += lasted[-1]
        assert bans.left_s(KEY) == 0
    assert lasted[:6] == [30, 60, 120, 240, 480, 600]
    assert set(lasted[5:]) == {600}


def test_a_ban_under_way_is_neither_prolonged_nor_renamed() -> None:
    """What else arrives of the same flood counts once."""
    clock = Clock()
    bans = Bans(30.0, 600.0, 1_800.0, clock)
    bans.add(KEY, "first")
    clock.now += 10
    assert bans.add(KEY, "second") == 20
    assert (bans.left_s(KEY), bans.reason(KEY)) == (20, "first")
    clock.now += 20
    assert bans.reason(KEY) == ""


def test_good_behaviour_is_remembered_too() -> None:
    """One ban is forgotten for each while since the last one ended."""
    clock = Clock()
    bans = Bans(30.0, 600.0, 1_800.0, clock)
    for _ in range(4):
        clock.now += bans.add(KEY, "bad_block")
    clock.now += 2 * 1_800
    assert bans.add(KEY, "bad_block") == 120
    clock.now += 120 + 100 * 1_800
    assert bans.add(KEY, "bad_block") == 30


def test_keys_that_left_are_forgotten() -> None:
    """Memory is bounded by the members."""
    bans = Bans(30.0, 600.0, 1_800.0, Clock())
    bans.add(KEY, "bad_block")
    bans.keep_only({b"other"})
    assert bans.left_s(KEY) == 0


@given(pauses=st.lists(st.floats(0, 10_000), max_size=30))
def test_whatever_happens_a_ban_ends_within_the_ceiling(pauses: list[float]) -> None:
    """And lasts at least the first length."""
    clock = Clock()
    bans = Bans(30.0, 600.0, 1_800.0, clock)
    for pause in pauses:
        clock.now += pause
        fresh = bans.left_s(KEY) == 0
        seconds = bans.add(KEY, "x")
        assert 0 < seconds <= 600
        if fresh:
            assert seconds >= 30
