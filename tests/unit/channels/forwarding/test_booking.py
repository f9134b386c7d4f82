"""What a hub books, in the stories in which everything fails: the books say what the vouchers say, to the last unit."""

from collections import Counter

import pytest

from alatau.books.accounts import CREDIT, FEES, owner_account
from alatau.books.hub_facts import entry_of
from alatau.books.ledger import closing_balances, fold_day
from alatau.channels.forwarding.booking import owed
from alatau.channels.forwarding.facts import Fact, FactKind
from alatau.channels.forwarding.inputs import (
    InputClaimed,
    InputClosing,
    InputSettled,
    InputWithdraw,
    InputWithdrawn,
)
from alatau.channels.messages import Withdraw
from alatau.channels.state import Window
from tests.support.city import City, Person
from tests.support.payment_stories import Story, pairs


def balances(facts: list[Fact]) -> dict[object, int]:
    """All days folded, one after another; each entry is checked on the way."""
    found: dict[object, int] = {}
    for day in sorted({fact.day for fact in facts}):
        entries = [entry_of(fact) for fact in facts if fact.day == day]
        found = dict(closing_balances(fold_day(day, found, entries)))  # type: ignore[arg-type]
    return found


def assert_books_are_vouchers(city: City) -> None:
    """Every owner has by the books what it has by the newest vouchers."""
    found = balances(city.disk.facts)
    assert sum(found.values()) == 0
    for channel_id, member in city.hub.book.members.items():
        assert found.get(owner_account(channel_id), 0) == owed(city.hub.book, member) == member.booked


@pytest.mark.parametrize("seed", range(30))
def test_the_books_say_what_the_vouchers_say_though_the_hub_is_killed(seed: int) -> None:
    """At every write; nothing has to be adjusted, and what is earned is the fees of what was paid."""
    story = Story(seed, dying=0.005)
    story.run()
    assert_books_are_vouchers(story.city)
    kinds = Counter(fact.kind for fact in story.city.disk.facts)
    assert kinds[FactKind.ADJUSTMENT] == 0
    paid = [fee for outgoing, _, fee in pairs(story) if outgoing.name == "PAID"]
    assert kinds[FactKind.PAYMENT] == len(paid)
    assert balances(story.city.disk.facts).get(FEES, 0) == sum(paid)


def test_a_restored_hub_books_what_its_parties_show() -> None:
    """As adjustments: the older copy knows of no payments, only of vouchers."""
    adjusted = 0
    for seed in range(12):
        story = Story(seed, restores=True, dying=0.0)
        story.run()
        assert_books_are_vouchers(story.city)
        adjusted += sum(fact.kind is FactKind.ADJUSTMENT for fact in story.city.disk.facts)
    assert adjusted > 0


def opened() -> tuple[City, Person]:
    """One resident, connected."""
    city = City()
    person = city.join(1, deposit=1_000, hub_deposit=50)
    city.run_hub()
    city.connect(person)
    city.settle_down()
    return city, person


def test_money_that_is_let_out_is_booked_once() -> None:
    """At the consent, and not again when the chain tells of it, nor when it is asked for a second time."""
    city, person = opened()
    for _ in range(2):
        city.queue.append(InputWithdraw(person.channel_id, Withdraw(person.channel_id, person.key.address, 300, 10**9)))
        city.run_hub()
    city.tell(InputWithdrawn(person.channel_id, person.key.address, 300))
    city.run_hub()
    assert [f.amount for f in city.disk.facts if f.kind is FactKind.WITHDRAWAL] == [300]
    assert_books_are_vouchers(city)


def test_the_chains_judgement_is_booked_and_the_owner_leaves() -> None:
    """A channel that is settled by less than the books say is adjusted first; then its account is at nothing."""
    city, person = opened()
    city.tell(InputClosing(person.channel_id, Window(60, city.time + 60)))
    city.tell(InputSettled(person.channel_id, 900, 150))
    city.tell(InputClaimed(b"\x01" * 32, 150))
    city.run_hub()
    last = city.disk.facts[-3:]
    assert [(f.kind, f.amount, f.part) for f in last] == [
        (FactKind.ADJUSTMENT, 0, 100),
        (FactKind.PAYOUT, 900, 150),
        (FactKind.CLAIM, 150, 0),
    ]
    found = balances(city.disk.facts)
    assert found.get(owner_account(person.channel_id), 0) == found.get(CREDIT, 0) == 0
