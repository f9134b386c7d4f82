"""Counting by reason."""

from alatau.p2p.counters import Reasons


def test_reasons_that_peers_make_up_take_no_room() -> None:
    """They become labels of metrics: only so many, only words."""
    reasons = Reasons()
    reasons.note("KEY_NOT_TRUSTED")
    for number in range(1_000):
        reasons.note(f"MADE_UP_{number}")
    reasons.note("KEY_NOT_TRUSTED")
    reasons.note('evil"} 1\n')
    reasons.note("X" * 65)
    assert len(reasons) <= 65
    assert reasons["KEY_NOT_TRUSTED"] == 2
    assert reasons.total() == 1_004
    assert all(reason.isidentifier() for reason in reasons)
