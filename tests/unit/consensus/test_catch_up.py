"""Whom to ask, and when to begin."""

from alatau.consensus.catch_up import CatchUp

ONE, TWO, THREE = b"1", b"2", b"3"


def test_the_highest_claim_is_asked_then_the_next() -> None:
    """A peer that failed stands back until the others had their turn."""
    catch_up = CatchUp()
    catch_up.claim(ONE, 90)
    catch_up.claim(TWO, 7)
    assert catch_up.ahead(5) == (ONE, 90)
    catch_up.failed(ONE)
    assert catch_up.ahead(5) == (TWO, 7)
    catch_up.claim(ONE, 95)
    assert catch_up.ahead(5) == (TWO, 7)
    catch_up.forgive()
    assert catch_up.ahead(5) == (ONE, 95)
    catch_up.gone(ONE)
    catch_up.gone(TWO)
    assert catch_up.ahead(5) is None


def test_claims_at_or_below_us_are_nothing() -> None:
    """A lowered claim replaces the higher one."""
    catch_up = CatchUp()
    catch_up.claim(ONE, 9)
    catch_up.claim(ONE, 5)
    assert catch_up.ahead(5) is None


def test_claims_are_bounded() -> None:
    """Ids are cheap where anybody may connect."""
    catch_up = CatchUp()
    for number in range(5_000):
        catch_up.claim(number.to_bytes(2, "big"), 9)
        catch_up.introduced(number.to_bytes(2, "big"))
    assert len(catch_up._claims) == len(catch_up._heard) == 1_024


def test_a_newcomer_begins_when_all_have_answered_or_time_is_up() -> None:
    """And never while somebody shows a chain."""
    catch_up = CatchUp()
    others = {ONE, TWO}
    catch_up.introduced(ONE)
    assert not catch_up.may_release(1, others)
    catch_up.introduced(TWO)
    assert catch_up.may_release(1, others)
    catch_up.claim(THREE, 80)
    assert not catch_up.may_release(1, others)
    assert catch_up.may_release(80, others)
    late = CatchUp()
    late.paused_enough = True
    assert late.may_release(1, others)
