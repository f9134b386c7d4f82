"""A wallet that was put back from a backup while payments that it has forgotten are under way."""

import pytest

from alatau.channels.party.core import PartyCore
from alatau.channels.party.records import IncomingPhase
from alatau.channels.state import ChannelState, payouts, side_of
from tests.support.city import SETTLE_BLOCKS, City, Person

LIFE = 40
PRICE = 70


def put_back(city: City, person: Person, state: ChannelState) -> None:
    """Its disk is lost; an older one is put in, which knows nothing of what came after."""
    city.disconnect(person)
    person.core = PartyCore(state, person.key.address, person.key.sign, stale=True, revealed=city.revealed)
    person.inbox.clear()


def offered() -> tuple[City, Person, Person, ChannelState]:
    """A payment whose lock has reached the till, which has not answered; and the payer's state before it."""
    city = City()
    payer, till = city.join(1, deposit=1_000), city.join(2, hub_deposit=1_000)
    city.run_hub()
    for person in (payer, till):
        city.connect(person)
    city.settle_down()
    before = payer.core.state
    city.do(till, till.core.invoice(PRICE, b"\x01" * 32, city.now, seconds=600))
    (made,) = till.core.incoming.values()
    city.do(payer, payer.core.pay(made.signed, 0, LIFE, city.now))
    city.run_hub()
    return city, payer, till, before


def test_a_secret_pays_a_lock_of_a_forgotten_payment() -> None:
    """The till answers after the payer came back: the payer folds, and nothing is in dispute."""
    city, payer, till, before = offered()
    put_back(city, payer, before)
    city.connect(payer)
    city.settle_down()
    mine = side_of(payer.core.state, payer.key.address)
    assert (mine.locks, mine.transferred) == ((), PRICE)
    assert payouts(city.member(payer)) == payouts(payer.core.state) == (1_000 - PRICE, PRICE)
    assert [one.phase for one in till.core.incoming.values()] == [IncomingPhase.PAID]
    assert city.hub_gain() == 0


@pytest.mark.parametrize("till_answers", [False, True])
def test_a_lock_of_a_forgotten_payment_ends_with_its_expiry(till_answers: bool) -> None:
    """Who never hears of it again has the money back when the lock has run out, and not before."""
    city, payer, till, before = offered()
    city.disconnect(till)
    put_back(city, payer, before)
    city.connect(payer)
    city.settle_down()
    assert side_of(payer.core.state, payer.key.address).locked == PRICE, "it may still be paid"
    if till_answers:
        city.connect(till)
        city.settle_down()
    city.mine(LIFE + 2)
    city.settle_down()
    mine = side_of(payer.core.state, payer.key.address)
    assert (mine.locks, mine.transferred) == ((), PRICE if till_answers else 0)
    assert payouts(city.member(payer)) == payouts(payer.core.state)
    assert city.hub_gain() == 0
    assert LIFE < SETTLE_BLOCKS


def test_a_till_that_has_forgotten_its_invoice_is_paid_all_the_same() -> None:
    """The secret was given away before the disk was lost: the amount is in the hub's voucher."""
    city, _payer, till, _ = offered()
    before = till.core.state
    city.settle_down()
    paid = payouts(till.core.state)[0]
    assert paid == PRICE
    put_back(city, till, before)
    city.connect(till)
    city.settle_down()
    assert payouts(till.core.state) == payouts(city.member(till))
    assert payouts(till.core.state)[0] == PRICE
