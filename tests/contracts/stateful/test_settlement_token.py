"""Standings change under the token's memory: every payment succeeds exactly where the registry's rules of now allow it.

The model asks nobody and remembers nothing but the facts; the token remembers standings in its balance words.
"""

from dataclasses import dataclass
from itertools import permutations

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.contracts.actors import Actor
from tests.contracts.settlement_token.changes import Action, approved
from tests.contracts.world import (
    ZERO,
    World,
    build_world,
    compliance,
    court,
    guardian,
    issuer,
    licensor,
    merchant,
    neighbour,
    now,
    registrar,
    resident,
    wait,
)

PEOPLE = (resident, neighbour, merchant)
people = st.sampled_from(PEOPLE)
amounts = st.sampled_from([0, 1, 400, 5_000, 60_000])


@dataclass(slots=True)
class Facts:
    """What is true of an account."""

    balance: int
    tier: int
    registered: bool = True
    suspended: bool = False
    expires: int = 0
    frozen: int = 0
    frozen_until: int = 0


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

    def admitted(self, actor: Actor) -> bool:
        """Whether the account may hold and send money now."""
        facts = self.facts[actor]
        return facts.registered and not facts.suspended and (facts.expires == 0 or now() < facts.expires)

    def frozen(self, actor: Actor) -> int:
        """What a court holds of the account's money now."""
        facts = self.facts[actor]
        return facts.frozen if now() < facts.frozen_until else 0

    def fits(self, actor: Actor, amount: int) -> bool:
        """Whether the account's tier lets it hold that much more."""
        cap = self.caps[self.facts[actor].tier]
        return cap == 0 or self.facts[actor].balance + amount <= cap

    def exercise(self) -> None:
        """Everybody pays everybody: before a change so that the token remembers, after it to see that it forgot."""
        for payer, payee in permutations(PEOPLE, 2):
            self.pay(payer, payee, 1)

    @rule(actor=people)
    def heal(self, actor: Actor) -> None:
        """An account comes into good standing again."""
        self.suspend(actor, suspends=False)
        self.release(actor)
        self.register(actor, 1, 0)
        if self.paused:
            self.pause(pauses=False)

    @rule(payer=people, payee=people, amount=amounts)
    def pay(self, payer: Actor, payee: Actor, amount: int) -> None:
        """A payment, allowed or not."""
        source = self.facts[payer]
        allowed = not self.paused and self.admitted(payer) and self.admitted(payee) and source.balance >= amount
        if allowed and self.frozen(payer):
            allowed = source.balance - amount >= self.frozen(payer)
        source.balance -= amount if allowed else 0
        allowed_by_cap = allowed and self.fits(payee, amount)
        if not allowed_by_cap:
            source.balance += amount if allowed else 0
            with boa.reverts():
                self.world.token.transfer(payee.address, amount, sender=payer.address)
            return
        self.facts[payee].balance += amount
        self.world.token.transfer(payee.address, amount, sender=payer.address)

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

    @rule(actor=people, amount=st.sampled_from([1, 5_000, 10**12]), lasts=st.sampled_from([1, 500]))
    def freeze(self, actor: Actor, amount: int, lasts: int) -> None:
        """A court order."""
        self.exercise()
        self.world.participants.freeze(actor.address, b"\x0c" * 32, amount, now() + lasts, sender=court.address)
        self.facts[actor].frozen, self.facts[actor].frozen_until = amount, now() + lasts
        self.exercise()

    @rule(actor=people)
    def release(self, actor: Actor) -> None:
        """An order lifted."""
        if self.facts[actor].frozen_until:
            self.world.participants.release(actor.address, sender=court.address)
            self.facts[actor].frozen_until = 0

    @rule(tier=st.sampled_from([1, 2]), cap=st.sampled_from([0, 1, 60_000]))
    def cap(self, tier: int, cap: int) -> None:
        """Another cap for a tier."""
        self.exercise()
        self.world.participants.set_tier_cap(tier, cap, sender=licensor.address)
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
        for actor, facts in self.facts.items():
            assert self.world.token.balanceOf(actor.address) == facts.balance
        assert self.world.token.totalSupply() == self.supply


@pytest.mark.ignore_isolation
def test_remembered_standings_are_never_stale() -> None:
    """Random days of a city, with every office at work."""
    with boa.swap_env(boa.Env()):
        TokenMachine.world = build_world()
        run_state_machine_as_test(
            TokenMachine,
            settings=settings(max_examples=25, stateful_step_count=20, deadline=None),
        )
