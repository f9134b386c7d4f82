"""Payments while everything fails: connections break, wallets, tills and the hub are killed at any write.

Whatever happens, in the end every payment is paid on both sides or on none, both sides of every channel agree, and the
hub owns what it took in fees, no more and no less.
"""

import pytest

from alatau.channels.forwarding.book import SECRET_BLOCKS
from alatau.channels.forwarding.effects import DoCarry
from alatau.channels.forwarding.fees import fee_of
from alatau.channels.forwarding.inputs import InputClosing, InputRevealed
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from alatau.channels.state import Window, side_of
from alatau.channels.transition import DoSubmit
from tests.support.city import HUB, City, Killed
from tests.support.payment_stories import FEES, POLICY, Story, pairs


@pytest.mark.parametrize("seed", range(60))
def test_every_payment_ends_on_both_sides_alike(seed: int) -> None:
    """Paid here and there, or nowhere; the hub keeps its fees."""
    story = Story(seed)
    story.run()
    fees = 0
    for outgoing, incoming, fee in pairs(story):
        assert outgoing is not OutgoingPhase.OFFERED
        assert (outgoing is OutgoingPhase.PAID) == (incoming is IncomingPhase.PAID)
        fees += fee if outgoing is OutgoingPhase.PAID else 0
    assert story.city.hub.book.payments == {}
    for person in story.city.people.values():
        here, there = person.core.state, story.city.member(person)
        for party in (person.key.address, HUB.address):
            assert side_of(here, party).latest == side_of(there, party).latest
            assert side_of(here, party).locks == ()
    assert story.city.hub_gain() == fees


def test_the_stories_reach_what_they_are_for() -> None:
    """Paid, cancelled and refused payments, refunds and deaths of the hub all happen."""
    seen: set[object] = set()
    for seed in range(20):
        story = Story(seed)
        story.run()
        seen |= {outgoing for outgoing, _, _ in pairs(story)}
        seen |= {"refund"} if story.city.disk.refunds else set()
    assert seen == {OutgoingPhase.PAID, OutgoingPhase.CANCELLED, OutgoingPhase.REFUSED, "refund"}


def test_what_the_chain_is_owed_is_brought_by_the_next_process() -> None:
    """The hub dies after it has written that a channel is closing, and before it has brought its voucher."""
    city = City(POLICY)
    resident, till = city.join(1, deposit=1_000), city.join(2, hub_deposit=500)
    city.run_hub()
    for person in (resident, till):
        city.connect(person)
    city.settle_down()
    city.do(till, till.core.invoice(100, b"\x01" * 32, city.now, seconds=600))
    (bill,) = (incoming.signed for incoming in till.core.incoming.values())
    city.do(resident, resident.core.pay(bill, fee_of(FEES, 100), 30, city.now))
    city.settle_down()

    def die(_batch: int) -> None:
        raise Killed

    city.after_write = die
    city.tell(InputClosing(resident.channel_id, Window(60, city.time + 60)))
    with pytest.raises(Killed):
        city.run_hub()
    assert city.acts == []
    city.after_write = lambda _batch: None
    city.crash_hub()
    city.run_hub()
    (carried,) = city.acts
    assert isinstance(carried, DoCarry)
    assert isinstance(carried.action, DoSubmit)
    assert carried.action.signed == side_of(resident.core.state, resident.key.address).latest


def test_old_secrets_leave_memory_and_disk() -> None:
    """As soon as no lock can wait for them; younger ones stay."""
    city = City(POLICY)
    for number in (1, 2):
        city.tell(InputRevealed(number.to_bytes(32, "big"), city.block))
        city.mine()
    assert len(city.disk.secrets) == 2
    city.block = 1 + SECRET_BLOCKS
    city.mine()
    assert list(city.disk.secrets) == [(2).to_bytes(32, "big")]
    assert list(city.hub.book.secrets.values()) == [(2).to_bytes(32, "big")]
