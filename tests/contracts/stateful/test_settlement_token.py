"""Standings change under the token's memory: every payment succeeds exactly where the rules of now allow it.

The model asks nobody and remembers nothing but the facts; the token remembers standings in its balance words, and sums
of payments where there are limits. Money enters channels of two hubs on one counter with transfers.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from itertools import count, permutations

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from alatau.artifacts.genesis import NO_CAP
from tests.contracts.actors import Actor, actor
from tests.contracts.participant_registry.changes import Cap, approved_cap
from tests.contracts.settlement_token.changes import NO_LIMITS, Action, Limits, approved, approved_limits
from tests.contracts.world import (
    ZERO,
    World,
    banker,
    build_world,
    chair,
    compliance,
    court,
    guardian,
    hub,
    issuer,
    lawyer,
    licensor,
    merchant,
    neighbour,
    now,
    registrar,
    resident,
    wait,
)

ASTANA = timezone(timedelta(hours=5))
OTHER_HUB = actor("other hub")
HUBS = (hub, OTHER_HUB)
PEOPLE = (resident, neighbour, merchant)
people = st.sampled_from(PEOPLE)
ORDERS = (b"\x0c" * 32, b"\x0d" * 32)
orders = st.sampled_from(ORDERS)
LIMITS = (NO_LIMITS, (5_000, 6_000, 60_000), (60_000, 60_000, 65_000), (0, 0, 0), (NO_CAP, 401, NO_CAP))
amounts = st.sampled_from([0, 1, 400, 5_000, 60_000])


@dataclass(slots=True)
class Facts:
    """What is true of an account."""

    balance: int
    tier: int
    registered: bool = True
    suspended: bool = False
    expires: int = 0
    orders: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Court orders: hash -> amount, and the second at which it ends."""
    counted: list[tuple[date, int]] = field(default_factory=list)
    """Payments under limits: the day, and how much."""


class TokenMachine(RuleBasedStateMachine):
    """Three people pay each other while offices do their work."""

    world: World

    @initialize()
    def start(self) -> None:
        """As genesis left them."""
        self.facts = {
            actor: Facts(self.world.token.balanceOf(actor.address), 2 if actor is merchant else 1) for actor in PEOPLE
        }
        self.caps = {1: self.world.participants.tier_cap(1), 2: self.world.participants.tier_cap(2)}
        self.supply = self.world.token.totalSupply()
        self.paused = False
        self.limits: dict[int, Limits] = {1: NO_LIMITS, 2: NO_LIMITS}
        self.salts = count(1)
        for person in PEOPLE:
            self.world.token.approve(self.world.channels.address, 2**256 - 1, sender=person.address)

    def admitted(self, actor: Actor) -> bool:
        """Whether the account may hold and send money now."""
        facts = self.facts[actor]
        return facts.registered and not facts.suspended and (facts.expires == 0 or now() < facts.expires)

    def frozen(self, actor: Actor) -> int:
        """What a court holds of the account's money now."""
        return sum(amount for amount, until in self.facts[actor].orders.values() if now() < until)

    def fits(self, actor: Actor, amount: int) -> bool:
        """Whether the account's tier lets it hold that much more."""
        cap = self.caps[self.facts[actor].tier]
        return self.facts[actor].balance + amount <= cap

    def within_limits(self, actor: Actor, amount: int) -> bool:
        """Whether the account's tier lets it pay that much more to others, now, today and this month."""
        payment, day, month = self.limits[self.facts[actor].tier]
        paid_today, paid_this_month = self.used(actor)
        return amount <= payment and paid_today + amount <= day and paid_this_month + amount <= month

    def used(self, actor: Actor) -> tuple[int, int]:
        """What the account has paid under limits, today and this month."""
        today = datetime.fromtimestamp(now(), ASTANA).date()
        counted = self.facts[actor].counted
        this_month = [(day, amount) for day, amount in counted if (day.year, day.month) == (today.year, today.month)]
        return sum(amount for day, amount in counted if day == today), sum(amount for _, amount in this_month)

    def count(self, actor: Actor, amount: int) -> None:
        """A payment to others went through."""
        if self.limits[self.facts[actor].tier] != NO_LIMITS:
            self.facts[actor].counted.append((datetime.fromtimestamp(now(), ASTANA).date(), amount))

    def may_send(self, payer: Actor, amount: int) -> bool:
        """Whether the account's money may go to somebody else."""
        source = self.facts[payer]
        left = source.balance - amount
        return not self.paused and self.admitted(payer) and left >= self.frozen(payer) and left >= 0

    def exercise(self) -> None:
        """Everybody pays everybody: before a change so that the token remembers, after it to see that it forgot."""
        for payer, payee in permutations(PEOPLE, 2):
            self.pay(payer, payee, 1)

    @rule(actor=people)
    def heal(self, actor: Actor) -> None:
        """An account comes into good standing again."""
        self.suspend(actor, suspends=False)
        for order in ORDERS:
            self.release(actor, order)
        self.register(actor, 1, 0)
        if self.paused:
            self.pause(pauses=False)

    @rule(payer=people, payee=people, amount=amounts)
    def pay(self, payer: Actor, payee: Actor, amount: int) -> None:
        """A payment, allowed or not."""
        source = self.facts[payer]
        allowed = self.may_send(payer, amount) and self.admitted(payee)
        allowed = allowed and (payer is payee or self.within_limits(payer, amount))
        source.balance -= amount if allowed else 0
        allowed_by_cap = allowed and self.fits(payee, amount)
        if not allowed_by_cap:
            source.balance += amount if allowed else 0
            with boa.reverts():
                self.world.token.transfer(payee.address, amount, sender=payer.address)
            return
        self.facts[payee].balance += amount
        self.world.token.transfer(payee.address, amount, sender=payer.address)
        if payer is not payee:
            self.count(payer, amount)

    @rule(payer=people, other=st.sampled_from(HUBS), amount=amounts)
    def open_channel(self, payer: Actor, other: Actor, amount: int) -> None:
        """Money enters a channel, with whichever hub: a payment like any other."""
        salt = next(self.salts).to_bytes(32, "big")
        if amount and not (self.may_send(payer, amount) and self.within_limits(payer, amount)):
            with boa.reverts():
                self.world.channels.open(other.address, salt, amount, sender=payer.address)
            return
        self.world.channels.open(other.address, salt, amount, sender=payer.address)
        self.facts[payer].balance -= amount
        if amount:
            self.count(payer, amount)

    @rule(payer=people, other=st.sampled_from(HUBS), first=amounts, more=amounts)
    def deposit(self, payer: Actor, other: Actor, first: int, more: int) -> None:
        """And more money enters a channel that is open."""
        self.open_channel(payer, other, 0)
        key = (payer.address, other.address, (next(self.salts) - 1).to_bytes(32, "big"))
        for amount in (first, more):
            if amount and not (self.may_send(payer, amount) and self.within_limits(payer, amount)):
                with boa.reverts():
                    self.world.channels.deposit(key, amount, sender=payer.address)
                continue
            self.world.channels.deposit(key, amount, sender=payer.address)
            self.facts[payer].balance -= amount
            if amount:
                self.count(payer, amount)

    @rule(tier=st.sampled_from([1, 2]), limits=st.sampled_from(LIMITS))
    def limit(self, tier: int, limits: Limits) -> None:
        """The council sets other limits: whatever was paid before counts under them."""
        self.exercise()
        self.world.token.execute_change(approved_limits(self.world, tier, limits))
        self.limits[tier] = limits
        self.exercise()

    @rule(days=st.sampled_from([1, 12, 31]))
    def let_days_pass(self, days: int) -> None:
        """Sums begin anew, of a day or of a month too."""
        wait(days * 86_400, 1)
        for member in (chair, banker, lawyer):
            self.world.fund_council.check_in(sender=member.address)
        self.exercise()

    @rule(payee=people, amount=st.sampled_from([1, 3_000, 50_000]))
    def issue(self, payee: Actor, amount: int) -> None:
        """New money, for those who may have it."""
        if self.paused or not self.admitted(payee) or not self.fits(payee, amount):
            with boa.reverts():
                self.world.token.mint(payee.address, amount, sender=issuer.address)
            return
        self.world.token.mint(payee.address, amount, sender=issuer.address)
        self.facts[payee].balance += amount
        self.supply += amount

    @rule(actor=people, tier=st.sampled_from([1, 2]), lasts=st.sampled_from([0, 1, 500]))
    def register(self, actor: Actor, tier: int, lasts: int) -> None:
        """A renewal, with another tier or an end."""
        self.exercise()
        kind = 2 if actor is merchant else 1
        expires = now() + lasts if lasts else 0
        self.world.participants.register(actor.address, kind, tier, expires, sender=registrar.address)
        facts = self.facts[actor]
        facts.registered, facts.tier, facts.expires = True, tier, expires
        self.exercise()

    @rule(actor=people)
    def deregister(self, actor: Actor) -> None:
        """Somebody moves away."""
        self.exercise()
        self.world.participants.deregister(actor.address, sender=registrar.address)
        self.facts[actor].registered = False
        self.exercise()

    @rule(actor=people, suspends=st.booleans())
    def suspend(self, actor: Actor, suspends: bool) -> None:
        """Compliance takes and gives back."""
        self.exercise()
        act = self.world.participants.suspend if suspends else self.world.participants.reinstate
        act(actor.address, sender=compliance.address)
        self.facts[actor].suspended = suspends
        self.exercise()

    @rule(actor=people, order=orders, amount=st.sampled_from([1, 5_000, 10**12]), lasts=st.sampled_from([1, 500]))
    def freeze(self, actor: Actor, order: bytes, amount: int, lasts: int) -> None:
        """A court order, or an amendment of one."""
        self.exercise()
        self.world.participants.freeze(actor.address, order, amount, now() + lasts, sender=court.address)
        self.facts[actor].orders[order] = (amount, now() + lasts)
        self.exercise()

    @rule(actor=people, order=orders)
    def release(self, actor: Actor, order: bytes) -> None:
        """An order lifted, if it still runs."""
        _, until = self.facts[actor].orders.pop(order, (0, 0))
        if now() < until:
            self.world.participants.release(actor.address, order, sender=court.address)

    @rule(tier=st.sampled_from([1, 2]), cap=st.sampled_from([NO_CAP, 1, 60_000]))
    def cap(self, tier: int, cap: int) -> None:
        """Another cap for a tier: the licensor lowers it, the council raises it."""
        self.exercise()
        if cap < self.caps[tier]:
            self.world.participants.lower_tier_cap(tier, cap, sender=licensor.address)
        else:
            self.world.participants.execute_cap(approved_cap(self.world, Cap.TIER, tier, cap))
        self.caps[tier] = cap
        self.exercise()

    @rule(pauses=st.booleans())
    def pause(self, pauses: bool) -> None:
        """The guardian pauses, the council lifts it after its delay."""
        if not pauses:
            self.world.token.execute_change(approved(self.world, Action.UNPAUSE, ZERO))
        elif now() < self.world.token.rests_until(guardian.address):
            with boa.reverts("pause: this guardian rests"):
                self.world.token.pause(sender=guardian.address)
            return
        else:
            self.world.token.pause(sender=guardian.address)
        self.paused = pauses

    @rule(seconds=st.sampled_from([1, 500]))
    def let_time_pass(self, seconds: int) -> None:
        """Registrations and freezes end by themselves."""
        self.exercise()
        wait(seconds, 1)
        self.exercise()

    @invariant()
    def balances_are_the_models(self) -> None:
        """And the supply is their sum with the rest."""
        for person, facts in self.facts.items():
            assert self.world.token.balanceOf(person.address) == facts.balance
        assert self.world.token.totalSupply() == self.supply

    @invariant()
    def counters_are_the_models(self) -> None:
        """What wallets are shown is what was paid."""
        for person in PEOPLE:
            seen = self.world.token.payments_of(person.address)
            assert (seen.used_today, seen.used_this_month) == self.used(person)


@pytest.mark.ignore_isolation
def test_remembered_standings_are_never_stale() -> None:
    """Random days of a city, with every office at work."""
    with boa.swap_env(boa.Env()):
        TokenMachine.world = build_world()
        TokenMachine.world.participants.admit_institution(OTHER_HUB.address, 3, sender=licensor.address)
        TokenMachine.world.participants.license(OTHER_HUB.address, 8, 0, False, 0, sender=licensor.address)
        run_state_machine_as_test(
            TokenMachine,
            settings=settings(max_examples=25, stateful_step_count=20, deadline=None),
        )
