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


def test_those_that_failed_are_bounded() -> None:
    """As claims are."""
    heights = PeerHeights()
    for number in range(5_000):
        heights.failed(number.to_bytes(2, "big"))
    assert len(heights._failed) == 1_024


def test_a_peer_that_is_known_moves_on_among_a_full_table() -> None:
    """Only new ids find no place."""
    heights = PeerHeights()
    for number in range(5_000):
        heights.claim(number.to_bytes(2, "big"), 9)
    heights.claim(bytes(2), 90)
    assert heights.ahead(9) == (bytes(2), 90)


def test_a_peer_that_left_comes_back_as_a_new_one() -> None:
    """What it said counts no more, and what it failed at is forgotten."""
    heights = PeerHeights()
    heights.introduced(ONE)
    heights.failed(ONE)
    heights.gone(ONE)
    assert not heights.may_release(1, {ONE})
    heights.claim(ONE, 9)
    assert heights.ahead(5) == (ONE, 9)
