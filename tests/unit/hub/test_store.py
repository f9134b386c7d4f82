"""The hub's disk: what was written comes back, in a new process and after every batch."""

from dataclasses import replace
from pathlib import Path

import pytest

from alatau.channels.forwarding.book import Book
from alatau.channels.forwarding.core import HubCore
from alatau.channels.forwarding.payment import PaymentPhase
from alatau.hub.store import HubStore, LineKind, WrongDatabaseError, open_store
from tests.support.city import DOMAIN, HUB, POLICY, City, Person

_DAY = 1_000_000 // 86_400


class DiskOfStore:
    """The city's disk, on a real LevelDB that is closed and opened at each crash."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = open_store(path, DOMAIN, HUB.address)
        self.cursor = 0

    def write(self, stores: object) -> None:
        """As the city's."""
        self.store.write(tuple(stores), 0)  # type: ignore[arg-type]

    def reopened(self) -> Book:
        """What a new process knows."""
        self.store.close()
        self.store = open_store(self.path, DOMAIN, HUB.address)
        return self.store.load(HUB.address, HUB.sign, POLICY)


def stored_city(path: Path) -> tuple[City, DiskOfStore, Person, Person]:
    """A resident and a till; the hub writes to a real disk."""
    disk = DiskOfStore(path)
    made = City()
    made.disk = disk  # type: ignore[assignment]
    made.hub = HubCore(disk.reopened())
    resident, till = made.join(1, deposit=1_000), made.join(2, hub_deposit=500)
    made.run_hub()
    for person in (resident, till):
        made.connect(person)
    made.settle_down()
    return made, disk, resident, till


def pay(made: City, resident: Person, till: Person, number: int, amount: int) -> bytes:
    """A payment; gives the hash of its secret."""
    secret = number.to_bytes(32, "big")
    made.do(till, till.core.invoice(amount, secret, made.now, seconds=600))
    bill = next(i.signed for i in till.core.incoming.values() if i.secret == secret)
    made.do(resident, resident.core.pay(bill, 0, 30, made.now))
    return bill.invoice.secret_hash


def assert_same(one: Book, other: Book) -> None:
    """Two memories of one hub."""
    assert {k: (m.state, m.withdrawn_on_chain, m.agreed) for k, m in one.members.items()} == {
        k: (m.state, m.withdrawn_on_chain, m.agreed) for k, m in other.members.items()
    }
    for name in ("payments", "by_invoice", "by_secret", "usage", "standings", "revealed", "secrets", "by_party"):
        assert getattr(one, name) == getattr(other, name), name


def test_after_every_batch_the_disk_is_the_memory(tmp_path: Path) -> None:
    """Payments locked, revealed, folded, refunded: a new process knows what the old one knew."""
    made, disk, resident, till = stored_city(tmp_path / "db")
    paid = pay(made, resident, till, 1, 100)
    while made.queue or any(person.inbox for person in made.people.values()):
        made.run_hub()
        assert_same(made.hub.book, disk.reopened())
        made.hub.book.archive = disk.store
        for person in made.people.values():
            made.hear(person)
    made.do(till, till.core.refund(paid, 30, made.now))
    made.settle_down()
    assert_same(made.hub.book, disk.reopened())
    disk.store.close()


def test_lines_are_in_order_and_go_when_they_are_old(tmp_path: Path) -> None:
    """A statement of each side, the day of all, and nothing is left of a day that was pruned."""
    made, disk, resident, till = stored_city(tmp_path / "db")
    for number in (1, 2, 3):
        paid = pay(made, resident, till, number, 10 * number)
        made.settle_down()
        made.time += 1
    made.do(till, till.core.refund(paid, 5, made.now))
    made.settle_down()
    mine = [line for _, line in disk.store.lines(resident.channel_id, _DAY, _DAY)]
    kinds = [LineKind.PAID] * 3 + [LineKind.REFUND_RECEIVED]
    assert [line.kind for line in mine] == kinds
    assert [line.payment.amount for line in mine] == [10, 20, 30, 30]
    assert mine[-1].refund is not None
    assert mine[-1].refund.amount == 5
    theirs = [line.kind for _, line in disk.store.lines(till.channel_id, _DAY, _DAY)]
    assert theirs == [LineKind.RECEIVED] * 3 + [LineKind.REFUND_PAID]
    assert len(list(disk.store.day(_DAY))) == 4
    (place, _), *_ = list(disk.store.lines(resident.channel_id, _DAY, _DAY))
    assert len(list(disk.store.lines(resident.channel_id, _DAY, _DAY, place))) == 3
    assert disk.store.prune(_DAY, 100) == 0
    assert disk.store.prune(_DAY + 1, 2) == 2
    assert disk.store.prune(_DAY + 1, 100) == 1, "the refund; its payment is needed as long as it has one"
    assert disk.store.prune(_DAY + 1, 100) == 1
    assert list(disk.store.day(_DAY)) == []
    assert list(disk.store.lines(resident.channel_id, _DAY, _DAY)) == []
    disk.store.close()


def test_what_is_under_way_is_never_pruned(tmp_path: Path) -> None:
    """The payer has not folded yet."""
    made, disk, resident, till = stored_city(tmp_path / "db")
    pay(made, resident, till, 1, 100)
    made.run_hub()
    made.disconnect(resident)
    made.settle_down()
    assert {p.phase for p in made.hub.book.payments.values()} == {PaymentPhase.REVEALED}
    assert disk.store.prune(_DAY + 1, 100) == 0
    disk.store.close()


def test_a_copy_that_was_put_back_waits_for_every_party(tmp_path: Path) -> None:
    """Nothing is signed in a channel until its party has attached; then it goes on."""
    made, disk, resident, till = stored_city(tmp_path / "db")
    pay(made, resident, till, 1, 100)
    made.settle_down()
    assert disk.store.mark_restored() == 2
    made.hub = HubCore(disk.reopened())
    assert {member.agreed for member in made.hub.book.members.values()} == {False}
    made.connect(resident)
    made.settle_down()
    assert made.hub.book.members[resident.channel_id].agreed
    assert disk.reopened().members[resident.channel_id].agreed
    disk.store.close()


def test_another_hubs_database_is_refused(tmp_path: Path) -> None:
    """Its keys would sign for money that is not there."""
    open_store(tmp_path / "db", DOMAIN, HUB.address).close()
    for domain, hub in ((DOMAIN, b"\x01" * 20), (replace(DOMAIN, chain_id=1), HUB.address)):
        with pytest.raises(WrongDatabaseError, match="another hub"):
            open_store(tmp_path / "db", domain, hub)


def test_the_height_is_written_with_its_news(tmp_path: Path) -> None:
    """So that nothing is told twice."""
    store: HubStore = open_store(tmp_path / "db", DOMAIN, HUB.address)
    assert store.height == 0
    store.write((), 17)
    store.write((), None)
    store.close()
    store = open_store(tmp_path / "db", DOMAIN, HUB.address)
    assert store.height == 17
    store.close()
