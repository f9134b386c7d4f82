"""Council.check_in and check_in_signed: keys that are silent for long leave the quorum until they are heard again."""

import boa
import pytest
from eth.exceptions import Revert

from tests.contracts.actors import approvals
from tests.contracts.council.signs_of_life import sign_of_life
from tests.contracts.world import (
    DELAY,
    SILENCE,
    ZERO,
    World,
    banker,
    chair,
    decide,
    deploy,
    guardian,
    lawyer,
    now,
    stranger,
    terms,
    wait,
)

DIGEST = b"\xd1" * 32


def test_a_silent_key_does_not_count(world: World) -> None:
    """From the second on in which its silence is complete; one sign of life brings it back."""
    council = world.fund_council
    wait(SILENCE - 1)
    council.check_in(sender=chair.address)
    council.check_in(sender=banker.address)
    assert council.verify(DIGEST, approvals(DIGEST, chair, lawyer)) == 1
    wait(1)
    with boa.reverts("council: silent for too long, must check in"):
        council.verify(DIGEST, approvals(DIGEST, chair, lawyer))
    assert council.verify(DIGEST, approvals(DIGEST, chair, banker)) == 1
    council.check_in(sender=lawyer.address)
    assert council.verify(DIGEST, approvals(DIGEST, chair, lawyer)) == 1


def test_the_larger_majority_is_counted_without_the_silent(world: World) -> None:
    """A lost key does not make a veto final: of three, the two that are left override."""
    council = world.fund_council
    for present, accepted in ((chair, False), (banker, True)):
        council.check_in(sender=present.address)
        with boa.env.anchor():
            wait(SILENCE - 1)
            council.check_in(sender=chair.address)
            council.check_in(sender=banker.address)
            wait(int(accepted))
            given = (DIGEST, approvals(DIGEST, chair, banker), True)
            if accepted:
                assert council.verify_majority(*given) == 1
            else:
                with boa.reverts("council: too few approvals"):
                    council.verify_majority(*given)


@pytest.mark.parametrize(
    ("threshold", "heard", "quorum", "decides"),
    [
        (1, 0, 1, False), (1, 1, 1, True),
        (2, 1, 2, False), (2, 2, 2, True),
        (3, 1, 2, False), (3, 2, 2, True), (3, 3, 3, True),
        (5, 2, 3, False), (5, 3, 3, True), (5, 4, 4, True), (5, 5, 5, True),
    ],
)  # fmt: skip
def test_fewer_decide_while_keys_are_silent(threshold: int, heard: int, quorum: int, *, decides: bool) -> None:
    """All who are left, but never fewer than half of the threshold, nor one where two were needed."""
    with boa.env.anchor():
        members = sorted((chair, banker, lawyer, stranger, guardian), key=lambda a: a.raw)
        addresses = [m.address for m in members]
        other = "0x" + "77" * 20
        council = deploy("Council", "Five", addresses, threshold, other, DELAY, SILENCE, ZERO)
        wait(SILENCE)
        for member in members[:heard]:
            council.check_in(sender=member.address)
        assert (council.quorum(), council.can_decide()) == (quorum, decides)
        if decides:
            assert council.verify(DIGEST, approvals(DIGEST, *members[:quorum])) == 1
        if heard:
            with boa.reverts("council: too few approvals"):
                council.verify(DIGEST, approvals(DIGEST, *members[: min(quorum, heard + 1) - 1]))


def test_signs_of_life_by_signature(world: World) -> None:
    """Anyone carries them, for a day; not from tomorrow, not from strangers, not under another time or name."""
    council = world.fund_council
    wait(SILENCE)
    made = now()
    signed = sign_of_life(world.fund_council, lawyer, made)
    for member, time, signature, reason in (
        (lawyer, made + 1, sign_of_life(world.fund_council, lawyer, made + 1), "council: not of today"),
        (lawyer, made - 1, signed, "council: bad signature"),
        (chair, made, signed, "council: bad signature"),
        (chair, made, b"", "council: bad signature"),
        (stranger, made, sign_of_life(world.fund_council, stranger, made), "council: not a member"),
    ):
        with boa.reverts(reason):
            council.check_in_signed(member.address, time, signature, sender=stranger.address)
    with boa.env.anchor():
        wait(86_399)
        council.check_in_signed(lawyer.address, made, signed, sender=stranger.address)
        assert council.seen(lawyer.address) == now()
    wait(86_400)
    with boa.reverts("council: not of today"):
        council.check_in_signed(lawyer.address, made, signed, sender=stranger.address)


def test_strangers_do_not_check_in(world: World) -> None:
    """Nor does the guardian."""
    for other in (stranger, guardian):
        with boa.reverts("council: not a member"):
            world.fund_council.check_in(sender=other.address)


def test_what_a_member_sends_is_a_sign_of_life(world: World) -> None:
    """Confirming and proposing too; a change of the council is none for those who stay, and one for who comes."""
    council = world.fund_council
    wait(10)
    council.confirm(DIGEST, sender=chair.address)
    members = sorted((chair, banker, stranger), key=lambda a: a.raw)
    change = ([m.address for m in members], 2, guardian.address, terms(council))
    identity = council.propose_membership(*change, sender=banker.address)
    assert council.seen(chair.address) == council.seen(banker.address) == now()
    before = now()
    decide(council, identity, chair, banker)
    council.change_membership(*change)
    assert council.seen(chair.address) == before
    assert council.seen(stranger.address) == now()


def test_silence_has_a_least_length(world: World) -> None:
    """A holiday is no loss of a key."""
    with pytest.raises(Revert, match="silence too short"):
        deploy("Council", "Hasty", [chair.address], 1, guardian.address, DELAY, 30 * 86_400 - 1, ZERO)
    assert world.fund_council.silence() == SILENCE
