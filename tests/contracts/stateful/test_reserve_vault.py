"""Adversaries at the vault: no order of acts releases more than was approved, allowed and there.

A model beside the contract keeps the books, the bucket and every release's life; each act must succeed or fail as the
model says.
"""

from dataclasses import dataclass
from typing import Any

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.contracts.actors import Actor, approvals
from tests.contracts.reserve_vault.intents import (
    CASE,
    ORDER,
    TOKEN,
    Action,
    Provenance,
    approved_change,
    confiscate,
    deposit,
    proposed,
)
from tests.contracts.world import (
    DELAY,
    LARGE_DELAY,
    World,
    build_world,
    court,
    custodian,
    deputy,
    director,
    governor,
    guardian,
    neighbour,
    now,
    proposer,
    resident,
    stranger,
    treasury,
    wait,
)

CAPACITY, LEAK, LARGE = 200_000, 2, 100_000
"""Narrow enough that the bucket fills: it takes more than a day to leak."""

SIGNERS = (
    (governor, deputy),
    (deputy, director),
    (governor, deputy, director),
    (governor,),
    (governor, proposer),
    (deputy, guardian),
)
"""Who might sign: some are enough, some too few, some strangers to the board."""


@dataclass(slots=True)
class Known:
    """What the model knows of a release."""

    identity: bytes
    amount: int
    provenance: Provenance
    expires: int
    state: str = "proposed"
    ready_at: int = 0


class VaultMachine(RuleBasedStateMachine):
    """Releases, deposits, cases, vetoes and time."""

    world: World

    @initialize()
    def start(self) -> None:
        """A vault with something in it to fight for."""
        self.books = dict.fromkeys(Provenance, 0)
        self.releases: list[Known] = []
        self.level, self.updated = 0, now()
        self.paid = 0
        self.returned = 0
        self.case = "none"
        self.case_ready_at = 0
        narrower = approved_change(self.world, Action.SET_LIMITS, TOKEN, LARGE, CAPACITY, LEAK, delay=0)
        self.world.vault.execute_change(narrower)
        self.take_in(400_000, Provenance.NATIONAL_FUND)
        self.confiscate(40_000)

    def leaked_level(self) -> int:
        """What is in the bucket now."""
        return max(0, self.level - LEAK * (now() - self.updated))

    @rule(amount=st.integers(1, 100_000), provenance=st.sampled_from([Provenance.MINED, Provenance.NATIONAL_FUND]))
    def take_in(self, amount: int, provenance: Provenance) -> None:
        """The custodian deposits what it has."""
        if self.world.token.balanceOf(custodian.address) >= amount:
            deposit(self.world, amount, provenance)
            self.books[provenance] += amount

    @rule(amount=st.integers(1, 50_000))
    def confiscate(self, amount: int) -> None:
        """The court adds to the case until it is decided."""
        if self.case in ("none", "locked") and self.world.token.balanceOf(court.address) >= amount:
            confiscate(self.world, amount)
            self.books[Provenance.CONFISCATED] += amount
            self.case = "locked"

    @rule(forfeits=st.booleans())
    def decide_case(self, forfeits: bool) -> None:
        """A verdict, once."""
        if self.case != "locked":
            with boa.reverts("case: not locked"):
                self.world.vault.forfeit(CASE, ORDER, sender=court.address)
        elif forfeits:
            self.world.vault.forfeit(CASE, ORDER, sender=court.address)
            self.case = "forfeited"
        else:
            self.world.vault.order_return(CASE, neighbour.address, ORDER, sender=court.address)
            self.case, self.case_ready_at = "returnable", now() + DELAY

    @rule()
    def give_back(self) -> None:
        """Anyone executes a return: only an ordered and ripe one pays."""
        amount = self.books[Provenance.CONFISCATED]
        if self.case != "returnable" or now() < self.case_ready_at or amount == 0:
            with boa.reverts():
                self.world.vault.execute_return(CASE, TOKEN)
            return
        self.world.vault.execute_return(CASE, TOKEN, sender=stranger.address)
        self.books[Provenance.CONFISCATED] = 0
        self.returned += amount

    @rule(
        percent=st.sampled_from([1, 10, 24, 25, 26, 60, 100, 101]),
        provenance=st.sampled_from([Provenance.NATIONAL_FUND, Provenance.MINED, Provenance.CONFISCATED]),
        lasts=st.integers(4, 40),
    )
    def propose(self, percent: int, provenance: Provenance, lasts: int) -> None:
        """The proposer asks for a part of a book; impossible releases are refused."""
        amount = max(1, self.books[provenance] * percent // 100)
        confiscated = provenance is Provenance.CONFISCATED
        version = self.world.reserve_council.policy_version()
        expires = now() + lasts * DELAY
        wanted: dict[str, Any] = {
            "amount": amount,
            "provenance": provenance,
            "case_id": CASE if confiscated else bytes(32),
            "terms": (version, len(self.releases), 0, expires),
        }
        if amount > min(self.books[provenance], CAPACITY) or (confiscated and self.case != "forfeited"):
            with boa.reverts():
                proposed(self.world, **wanted)
            return
        identity = proposed(self.world, **wanted)
        self.releases.append(Known(identity, amount, provenance, expires))

    @rule(percent=st.sampled_from([5, 20, 60]), waits=st.sampled_from([DELAY - 1, DELAY, LARGE_DELAY]))
    def release_in_order(self, percent: int, waits: int) -> None:
        """What usually happens: proposed, approved by two, and some waiting."""
        before = len(self.releases)
        self.propose(percent, Provenance.NATIONAL_FUND, 30)
        if len(self.releases) > before:
            self.approve(before, SIGNERS[0])
        wait(waits, 1)

    @precondition(lambda self: self.releases)
    @rule(which=st.integers(0, 9), signers=st.sampled_from(SIGNERS))
    def approve(self, which: int, signers: tuple[Actor, ...]) -> None:
        """Any set of people signs: only two of the board count."""
        known = self.releases[which % len(self.releases)]
        given = approvals(known.identity, *signers)
        ready_at = now() + (LARGE_DELAY if known.amount > LARGE else DELAY)
        enough = len(signers) >= 2 and set(signers) <= {governor, deputy, director}
        if known.state != "proposed" or not enough or ready_at > known.expires:
            with boa.reverts():
                self.world.vault.approve_decision(known.identity, given)
            return
        self.world.vault.approve_decision(known.identity, given)
        known.state, known.ready_at = "approved", ready_at

    @precondition(lambda self: self.releases)
    @rule(which=st.integers(0, 9))
    def veto(self, which: int) -> None:
        """The guardian stops what is not done."""
        known = self.releases[which % len(self.releases)]
        if known.state not in ("proposed", "approved"):
            with boa.reverts("decision: nothing to veto"):
                self.world.vault.veto_decision(known.identity, sender=guardian.address)
            return
        self.world.vault.veto_decision(known.identity, sender=guardian.address)
        known.state = "vetoed"

    @precondition(lambda self: self.releases)
    @rule(which=st.integers(0, 9), by=st.sampled_from([proposer, stranger, treasury]))
    def execute(self, which: int, by: Actor) -> None:
        """Anyone tries to execute anything at any time."""
        known = self.releases[which % len(self.releases)]
        ripe = known.state == "approved" and known.ready_at <= now() <= known.expires
        if not ripe or known.amount > self.books[known.provenance] or self.leaked_level() + known.amount > CAPACITY:
            with boa.reverts():
                self.world.vault.execute_release(known.identity, sender=by.address)
            return
        self.world.vault.execute_release(known.identity, sender=by.address)
        known.state = "executed"
        self.level, self.updated = self.leaked_level() + known.amount, now()
        self.books[known.provenance] -= known.amount
        self.paid += known.amount

    @rule(seconds=st.sampled_from([1, DELAY - 1, DELAY, LARGE_DELAY, 20_000]))
    def let_time_pass(self, seconds: int) -> None:
        """Minutes and hours."""
        wait(seconds, 1)

    @rule(amount=st.integers(1, 100))
    def donate(self, amount: int) -> None:
        """Tokens sent without a deposit change nothing."""
        self.world.token.transfer(self.world.vault.address, amount, sender=resident.address)

    @invariant()
    def books_are_right(self) -> None:
        """Provenances sum to what is held, and the tokens are there."""
        for provenance, amount in self.books.items():
            assert self.world.vault.ledger(TOKEN, provenance) == amount
        held = self.world.vault.held(TOKEN)
        assert held == sum(self.books.values())
        assert self.world.token.balanceOf(self.world.vault.address) >= held

    @invariant()
    def only_executed_releases_were_paid(self) -> None:
        """Each once, to the destination, and nothing else left but returns."""
        executed = sum(known.amount for known in self.releases if known.state == "executed")
        assert self.world.token.balanceOf(treasury.address) == executed == self.paid
        assert self.world.token.balanceOf(neighbour.address) == self.returned


@pytest.mark.ignore_isolation
def test_no_order_of_acts_empties_the_vault() -> None:
    """Random lives of releases and cases, with every act tried at every time."""
    with boa.swap_env(boa.Env()):
        VaultMachine.world = build_world()
        run_state_machine_as_test(
            VaultMachine,
            settings=settings(max_examples=25, stateful_step_count=30, deadline=None),
        )
