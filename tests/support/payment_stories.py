"""Random courses of payments while connections break and wallets, tills and the hub are killed at any write."""

import random
from collections.abc import Iterator

from alatau.channels.errors import ChannelError
from alatau.channels.forwarding.book import Policy
from alatau.channels.forwarding.fees import FeeSchedule, fee_of
from alatau.channels.forwarding.limits import Limits
from alatau.channels.invoice import SignedInvoice
from alatau.channels.party.records import IncomingPhase, OutgoingPhase
from tests.support.city import City, Killed, Person

FEES = FeeSchedule(base=1, parts_per_million=10_000)
POLICY = Policy({0: Limits(payment=400, day=2_000)}, FEES)
STEPS = 250


class Story:
    """A random course of events."""

    def __init__(self, seed: int, *, restores: bool = False, dying: float = 0.05) -> None:
        self.draw = random.Random(seed)
        self.city = City(POLICY)
        self.residents = [self.city.join(1 + i, deposit=1_500) for i in range(3)]
        self.tills = [self.city.join(11 + i, hub_deposit=900) for i in range(2)]
        self.secrets = 0
        self.bills: list[tuple[Person, SignedInvoice]] = []
        self.city.before_write = self.city.after_write = self._perhaps_killed
        self.dying = 0.0
        self.danger = dying
        self.backup = self.city.disk.copy() if restores else None
        self.restored = 0

    def _perhaps_killed(self, _batch: int) -> None:
        if self.draw.random() < self.dying:
            raise Killed

    def run(self) -> None:
        """Everything at random, and then calm."""
        self.dying = self.danger
        for _ in range(STEPS):
            self._something()
            self._perhaps_restored()
        self.dying = 0.0
        for person in self.city.people.values():
            self.city.connect(person)
        for _ in range(3):
            self.city.settle_down()
            self.city.mine(50)
        self.city.settle_down()

    def _perhaps_restored(self) -> None:
        if self.backup is None:
            return
        if self.draw.random() < 0.02:
            self.backup = self.city.disk.copy()
        elif self.draw.random() < 0.01 and self.backup.channels:
            self.city.restore_hub(self.backup)
            self.restored += 1

    def _something(self) -> None:
        everybody = [*self.residents, *self.tills]
        person = self.draw.choice(everybody)
        what = self.draw.choices(
            ("hub", "hear", "pay", "again", "connect", "disconnect", "restart", "mine", "refund"),
            (30, 60, 12, 4, 8, 2, 2, 3, 3),
        )[0]
        match what:
            case "hub":
                self._hub()
            case "hear":
                for _ in range(3):
                    self.city.hear(self.draw.choice(everybody))
            case "pay":
                self._pay()
            case "again" if self.bills:
                self._try(*self.draw.choice(self.bills))
            case "connect" if not person.connected:
                self.city.connect(person)
            case "disconnect":
                self.city.disconnect(person)
            case "restart":
                self.city.restart(person)
            case "mine":
                self._mine()
            case "refund":
                self._refund()

    def _hub(self) -> None:
        try:
            self.city.run_hub(self.draw.randint(1, 6))
        except Killed:
            self.city.crash_hub()

    def _mine(self) -> None:
        try:
            self.city.mine(self.draw.choice((1, 1, 1, 25)))
        except Killed:
            self.city.crash_hub()

    def _pay(self) -> None:
        till, resident = self.draw.choice(self.tills), self.draw.choice(self.residents)
        self.secrets += 1
        secret = self.secrets.to_bytes(32, "big")
        self.city.do(till, till.core.invoice(self.draw.randint(1, 450), secret, self.city.now, seconds=600))
        signed = next(i.signed for i in till.core.incoming.values() if i.secret == secret)
        self.bills.append((resident, signed))
        self._try(resident, signed)

    def _try(self, resident: Person, signed: SignedInvoice) -> None:
        try:
            fee = fee_of(FEES, signed.invoice.amount)
            self.city.do(resident, resident.core.pay(signed, fee, 30, self.city.now))
        except ChannelError:
            return  # not agreed, too little money, expired: nothing was signed

    def _refund(self) -> None:
        for till in self.tills:
            for secret_hash, incoming in till.core.incoming.items():
                left = incoming.signed.invoice.amount - incoming.refunded
                if not till.connected or incoming.phase is not IncomingPhase.PAID or left == 0:
                    continue
                try:
                    effects = till.core.refund(secret_hash, self.draw.randint(1, left), self.city.now)
                except ChannelError:
                    continue
                self.city.do(till, effects)
                return


def pairs(story: Story) -> Iterator[tuple[OutgoingPhase, IncomingPhase, int]]:
    """Both sides of every payment that was begun, with its fee."""
    incoming = {i.invoice_hash: i for till in story.tills for i in till.core.incoming.values()}
    for resident in story.residents:
        for outgoing in resident.core.outgoing.values():
            there = incoming[outgoing.invoice_hash]
            yield outgoing.phase, there.phase, outgoing.lock.amount - there.signed.invoice.amount
