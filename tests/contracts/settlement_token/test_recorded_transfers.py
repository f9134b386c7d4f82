"""SettlementToken: purposes on every kind of transfer, and the travel record that large ones need."""

from collections.abc import Callable
from typing import Any

import boa
import pytest
from eth.exceptions import Revert

from alatau.artifacts.genesis import NO_THRESHOLD
from tests.contracts.city_channels.claim_orders import order
from tests.contracts.city_channels.tills import agreement, open_till
from tests.contracts.settlement_token.authorizations import paying, recorded, signed
from tests.contracts.settlement_token.changes import Action, approved, change
from tests.contracts.world import (
    DELAY,
    NO_HASH,
    ZERO,
    World,
    chair,
    deploy,
    guardian,
    hub,
    neighbour,
    proposer,
    resident,
    stranger,
    wait,
)

PURPOSE, RECORD = b"\x01" * 32, b"\x02" * 32
NEEDS = "token: needs a travel record"
Pay = Callable[[World, int, bytes, bytes], None]


def set_threshold(world: World, amount: int) -> None:
    """Payments of this amount and more need a record from now on."""
    world.token.execute_change(approved(world, Action.SET_TRAVEL_THRESHOLD, ZERO, amount))


def _transfer(world: World, amount: int, purpose: bytes, record: bytes) -> None:
    assert world.token.transfer_recorded(neighbour.address, amount, purpose, record, sender=resident.address)


def _transfer_from(world: World, amount: int, purpose: bytes, record: bytes) -> None:
    world.token.approve(hub.address, amount, sender=resident.address)
    arguments = (resident.address, neighbour.address, amount, purpose, record)
    assert world.token.transfer_from_recorded(*arguments, sender=hub.address)


def _signed(world: World, amount: int, purpose: bytes, record: bytes) -> None:
    given = paying(amount=amount)
    world.token.transfer_signed_recorded(*recorded(given, resident, purpose, record), sender=stranger.address)


def _told(world: World) -> dict[str, Any]:
    return {type(event).__name__: event for event in world.token.get_logs()}


WAYS = {"transfer": _transfer, "transferFrom": _transfer_from, "by signature": _signed}


@pytest.mark.parametrize("pay", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("purpose", [NO_HASH, PURPOSE], ids=["no purpose", "purpose"])
@pytest.mark.parametrize("record", [NO_HASH, RECORD], ids=["no record", "record"])
def test_every_kind_of_transfer_says_what_for_and_names_its_record(
    world: World, pay: Pay, purpose: bytes, record: bytes
) -> None:
    """In events of their own beside the transfer's, and none for what is not given."""
    pay(world, 70, purpose, record)
    told = _told(world)
    assert ("Purpose" in told, "TravelRecord" in told) == (purpose != NO_HASH, record != NO_HASH)
    ends = (resident.address, neighbour.address, 70)
    for name, word in (("purpose", purpose), ("record_hash", record)):
        if word != NO_HASH:
            event = told["Purpose" if name == "purpose" else "TravelRecord"]
            assert (event.sender, event.receiver, event.amount, getattr(event, name)) == (*ends, word)
    assert (told["Transfer"].sender, told["Transfer"].receiver, told["Transfer"].amount) == ends
    assert world.token.balanceOf(neighbour.address) == 70


def test_a_tag_alone(world: World) -> None:
    """The short form, for payments below the threshold."""
    assert world.token.transfer_with_purpose(neighbour.address, 7, PURPOSE, sender=resident.address)
    told = _told(world)
    assert told["Purpose"].purpose == PURPOSE
    assert "TravelRecord" not in told


@pytest.mark.parametrize("pay", WAYS.values(), ids=WAYS)
def test_from_the_threshold_on_a_payment_needs_a_record(world: World, pay: Pay) -> None:
    """At it and above, not below; a purpose alone is none."""
    set_threshold(world, 70)
    with boa.reverts(NEEDS):
        pay(world, 70, PURPOSE, NO_HASH)
    with boa.env.anchor():
        pay(world, 69, PURPOSE, NO_HASH)
    pay(world, 70, NO_HASH, RECORD)
    assert _told(world)["TravelRecord"].record_hash == RECORD


def test_no_way_without_a_record_leads_past_the_threshold(world: World) -> None:
    """The forms of the standards have no place for one."""
    set_threshold(world, 70)
    world.token.approve(hub.address, 1_000, sender=resident.address)
    for refused in (
        lambda: world.token.transfer(neighbour.address, 70, sender=resident.address),
        lambda: world.token.transfer_with_purpose(neighbour.address, 70, PURPOSE, sender=resident.address),
        lambda: world.token.transferFrom(resident.address, neighbour.address, 70, sender=hub.address),
        lambda: world.token.transfer_signed(*signed(paying(), resident)),
    ):
        with boa.reverts(NEEDS):
            refused()
    world.token.transfer(neighbour.address, 69, sender=resident.address)


def test_what_was_signed_is_what_is_told(world: World) -> None:
    """Who carries it changes neither purpose nor record, nor uses it twice or in another form."""
    given = paying()
    authorization, purpose, record, signature = recorded(given, resident, PURPOSE, RECORD)
    for forged in ((RECORD, record), (purpose, PURPOSE), (purpose, NO_HASH)):
        with boa.reverts("authorization: bad signature"):
            world.token.transfer_signed_recorded(authorization, *forged, signature)
    with boa.reverts("authorization: bad signature"):
        world.token.transfer_signed(authorization, signature)
    with boa.reverts("authorization: bad signature"):
        world.token.transfer_signed_recorded(*recorded(given, neighbour))
    world.token.transfer_signed_recorded(authorization, purpose, record, signature)
    with boa.reverts("authorization: used or cancelled"):
        world.token.transfer_signed_recorded(authorization, purpose, record, signature)
    with boa.reverts("authorization: used or cancelled"):
        world.token.transfer_signed(*signed(given, resident))


def test_a_recorded_payment_has_its_time(world: World) -> None:
    """After the first second and before the last."""
    given = recorded(paying(), resident)
    late = recorded(paying(valid_after=paying().valid_after + 1), resident)
    with boa.reverts("authorization: too early"):
        world.token.transfer_signed_recorded(*late)
    wait(60)
    with boa.reverts("authorization: too late"):
        world.token.transfer_signed_recorded(*given)


def test_contracts_and_payments_to_oneself_are_exempt(world: World) -> None:
    """Channels, bonds and the vault keep books of their own; nobody informs himself."""
    set_threshold(world, 1)
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, 9_000, 1_000))
    world.channels.claim(resident.address)
    world.token.transfer(resident.address, 5, sender=resident.address)
    with boa.reverts(NEEDS):
        world.token.transfer(neighbour.address, 5, sender=resident.address)


def test_credit_goes_to_others_only_below_the_threshold(world: World) -> None:
    """A claim for somebody else is a payment that nobody could give a record to; for oneself it has no bound."""
    till = open_till(world)
    world.channels.close_cooperatively(*agreement(till, 9_000, 1_000))
    set_threshold(world, 500)
    with boa.reverts("claim: needs a travel record"):
        world.channels.claim_to(*order(500))
    world.channels.claim_to(*order(500, receiver=resident))
    world.channels.claim_to(*order(499, nonce=1))
    world.channels.claim(resident.address)
    assert world.channels.credit(resident.address) == 0


def test_the_council_lowers_at_once_and_raises_after_the_delay(world: World) -> None:
    """More payments with a record is the safe side; a decision that became a raise since is refused."""
    assert world.token.travel_threshold() == NO_THRESHOLD
    world.token.execute_change(approved(world, Action.SET_TRAVEL_THRESHOLD, ZERO, 1_000, delay=0))
    (event,) = [e for e in world.token.get_logs() if type(e).__name__ == "TravelThresholdChanged"]
    assert event.threshold == world.token.travel_threshold() == 1_000
    raised = approved(world, Action.SET_TRAVEL_THRESHOLD, ZERO, 1_001, delay=0)
    with boa.reverts("decision: not ripe"):
        world.token.execute_change(raised)
    wait(DELAY)
    world.token.execute_change(raised)
    quick = approved(world, Action.SET_TRAVEL_THRESHOLD, ZERO, 1_000, delay=0)
    world.token.execute_change(approved(world, Action.SET_TRAVEL_THRESHOLD, ZERO, 999, delay=0))
    with boa.reverts("change: raises after all"):
        world.token.execute_change(quick)


def test_threshold_outlives_a_pause_and_a_change_of_the_registry(world: World) -> None:
    """It shares a word with what is written anew then."""
    set_threshold(world, 70)
    world.token.pause(sender=guardian.address)
    wait(7 * 86_400)
    world.token.transfer(neighbour.address, 1, sender=resident.address)
    world.token.execute_change(approved(world, Action.SET_REGISTRY, world.participants.address))
    assert world.token.travel_threshold() == 70
    with boa.reverts(NEEDS):
        world.token.transfer(neighbour.address, 70, sender=resident.address)
    world.token.transfer(neighbour.address, 69, sender=resident.address)


@pytest.mark.parametrize("threshold", [0, 2**128, 2**256 - 1])
def test_what_the_word_cannot_hold_is_refused(world: World, threshold: int) -> None:
    """A threshold of nothing would stop payments of nothing; more than 128 bits would spill into the tag."""
    with boa.reverts("token: threshold out of range"):
        proposed = change(world, Action.SET_TRAVEL_THRESHOLD, value=threshold)
        world.token.propose_change(proposed, sender=chair.address)
    arguments = ("Tenge", "KZT", 2, chair.address, 1, chair.address, [], [], ZERO, [], threshold, ZERO)
    with pytest.raises(Revert, match="threshold out of range"):
        deploy("SettlementToken", *arguments)


def test_none_is_the_largest_threshold(world: World) -> None:
    """With it everything may be paid without a record, by whomever."""
    set_threshold(world, 1)
    world.token.execute_change(approved(world, Action.SET_TRAVEL_THRESHOLD, ZERO, NO_THRESHOLD))
    world.token.transfer(neighbour.address, 100_000, sender=resident.address)
    with boa.reverts("token: balance"):
        world.token.transfer(neighbour.address, 2**128 - 1, sender=proposer.address)
