"""Whom to ask, and when to begin."""

from alatau.consensus.peer_heights import PeerHeights

ONE, TWO, THREE = b"1", b"2", b"3"


def test_the_highest_claim_is_asked_then_the_next() -> None:
    """A peer that failed stands back until the others had their turn."""
    heights = PeerHeights()
    heights.claim(ONE, 90)
    heights.claim(TWO, 7)
    assert heights.ahead(5) == (ONE, 90)
    heights.failed(ONE)
    assert heights.ahead(5) == (TWO, 7)
    heights.claim(ONE, 95)
    assert heights.ahead(5) == (TWO, 7)
    heights.forgive()
    assert heights.ahead(5) == (ONE, 95)
    heights.gone(ONE)
    heights.gone(TWO)
    assert heights.ahead(5) is None


def test_claims_at_or_below_us_are_nothing() -> None:
    """A lowered claim replaces the higher one."""
    heights = PeerHeights()
    heights.claim(ONE, 9)
    heights.claim(ONE, 5)
    assert heights.ahead(5) is None


def test_claims_are_bounded() -> None:
    """Ids are cheap where anybody may connect."""
    heights = PeerHeights()
    for number in range(5_000):
        heights.claim(number.to_bytes(2, "big"), 9)
        heights.introduced(number.to_bytes(2, "big"))
    assert len(heights._claims) == len(heights._heard) == 1_024


def test_a_newcomer_begins_when_all_have_answered_or_time_is_up() -> None:
    """And never while somebody shows a chain."""
    heights = PeerHeights()
    others = {ONE, TWO}
    heights.introduced(ONE)
    assert not heights.may_release(1, others)
    heights.introduced(TWO)
    assert heights.may_release(1, others)
    heights.claim(THREE, 80)
    assert not heights.may_release(1, others)
    assert heights.may_release(80, others)
    late = PeerHeights()
    late.paused_enough = True
    assert late.may_release(1, others)
