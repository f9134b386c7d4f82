"""Adversaries at the vault: no order of acts releases more than was approved, allowed and there.

A model beside the contract keeps books, buckets, cases, roles, pauses and every release's life; each act must succeed
or fail as the model says.
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
from tests.contracts.position_ledger.attestations import assure, identity, report
from tests.contracts.reserve_vault.intents import (
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
    ZERO,
    World,
    auditor,
    build_world,
    court,
    custodian,
    decide,
    deputy,
    director,
    governor,
    guardian,
    merchant,
    neighbour,
    now,
    proposer,
    prosecutor,
    resident,
    stranger,
    terms,
    treasury,
    wait,
)

CAPACITY, LEAK, LARGE = 200_000, 2, 100_000
"""Narrow enough that the bucket fills: it takes more than a day to leak. The same for both assets."""
WEEK = 7 * 86_400
ASSETS = (TOKEN, ZERO)
CASES = (b"\xca" * 32, b"\xcb" * 32)
DESTINATIONS = (treasury, merchant)

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
    asset: str
    to: Actor
    amount: int
    provenance: Provenance
    case_id: bytes
    expires: int
    delay: int
    lives: tuple[int, int]
    """Times that the board changed and that the proposer lost his role, before it."""
    state: str = "proposed"
    ready_at: int = 0


@dataclass(slots=True)
class Bucket:
    """What was spent and has not leaked."""

    level: int = 0
    updated: int = 0

    def now(self, numerator: int, denominator: int) -> int:
        """What is left of it at a rate."""
        return self.level - min(self.level, numerator * (now() - self.updated) // denominator)


@dataclass(slots=True)
class Case:
    """What the model knows of a case."""

    state: str = "none"
    ready_at: int = 0
    vetoed: bool = False

    @property
    def final(self) -> bool:
        """Whether its verdict stands."""
        return 0 < self.ready_at <= now()


class VaultMachine(RuleBasedStateMachine):
    """Releases, deposits, cases, vetoes, pauses, roles, another board, attested positions and time."""

    world: World

    @initialize()
    def start(self) -> None:
        """A vault with something in it to fight for."""
        self.books = {(a, p): 0 for a in ASSETS for p in Provenance}
        self.case_books = {(c, a): 0 for c in CASES for a in ASSETS}
        self.cases = {c: Case() for c in CASES}
        self.releases: list[Known] = []
        self.buckets = {a: Bucket(updated=now()) for a in ASSETS}
        self.recent = {(a, d.address): Bucket(updated=now()) for a in ASSETS for d in DESTINATIONS}
        self.paid = {(a, d.address): self.balance(a, d) for a in ASSETS for d in DESTINATIONS}
        self.returned = {a: self.balance(a, neighbour) for a in ASSETS}
        self.paused_until = 0
        self.boards = self.withdrawals = 0
        self.reported_at = 0
        self.disputed = False
        self.proposes = True
        boa.env.set_balance(custodian.address, 10**9)
        boa.env.set_balance(court.address, 10**9)
        assure(self.world, lasts=400 * 86_400)
        self.carry_out(Action.ALLOW_DESTINATION, merchant.address)
        for asset in ASSETS:
            self.carry_out(Action.SET_LIMITS, asset, LARGE, CAPACITY, LEAK)
            self.take_in(400_000, Provenance.NATIONAL_FUND, asset)
        self.confiscate(40_000, CASES[0], TOKEN)
        self.attest()

    def carry_out(self, action: Action, subject: str, *values: int) -> None:
        """A change that both councils want, with the delay that it takes."""
        self.world.vault.execute_change(approved_change(self.world, action, subject, *values))

    def balance(self, asset: str, owner: Actor) -> int:
        """What somebody has."""
        return int(boa.env.get_balance(owner.address) if asset == ZERO else self.world.token.balanceOf(owner.address))

    def capacity(self, asset: str) -> int:
        """What the bucket holds at the tier of now: the token has gold behind it, whose price is good for two days."""
        if asset == ZERO or not self.reported_at:
            return CAPACITY
        age, good = now() - self.reported_at, 2 * 86_400
        tier = next((t for n, t in ((1, 10_000), (2, 5_000), (4, 2_500)) if age <= n * good), 1_000)
        return CAPACITY * min(tier, 2_500 if self.disputed else 10_000) // 10_000

    @rule()
    def attest(self) -> None:
        """Custodian and auditor look anew; twice in a second is not anew."""
        if self.reported_at == now():
            with boa.reverts("ledger: not seen since"):
                report(self.world)
            return
        report(self.world)
        self.reported_at, self.disputed = now(), False

    @precondition(lambda self: self.reported_at and not self.disputed)
    @rule()
    def dispute(self) -> None:
        """The auditor doubts what he signed."""
        self.world.positions.dispute(identity(self.world), b"\x01" * 32, sender=auditor.address)
        self.disputed = True

    def recent_level(self, asset: str, to: Actor) -> int:
        """What went there lately."""
        return self.recent[asset, to.address].now(LARGE, WEEK)

    @rule(
        amount=st.integers(1, 100_000),
        provenance=st.sampled_from([Provenance.MINED, Provenance.NATIONAL_FUND]),
        asset=st.sampled_from(ASSETS),
    )
    def take_in(self, amount: int, provenance: Provenance, asset: str) -> None:
        """The custodian deposits what it has."""
        if self.balance(asset, custodian) < amount:
            return
        if asset == ZERO:
            self.world.vault.deposit_native(provenance, bytes(32), value=amount, sender=custodian.address)
        else:
            deposit(self.world, amount, provenance)
        self.books[asset, provenance] += amount

    @rule(amount=st.integers(1, 50_000), case_id=st.sampled_from(CASES), asset=st.sampled_from(ASSETS))
    def confiscate(self, amount: int, case_id: bytes, asset: str) -> None:
        """The court adds to a case until it is decided."""
        if self.cases[case_id].state not in ("none", "locked") or self.balance(asset, court) < amount:
            return
        if asset == ZERO:
            self.world.vault.deposit_native(Provenance.CONFISCATED, case_id, value=amount, sender=court.address)
        else:
            confiscate(self.world, amount, case_id)
        self.books[asset, Provenance.CONFISCATED] += amount
        self.case_books[case_id, asset] += amount
        self.cases[case_id].state = "locked"

    @rule(forfeits=st.booleans(), case_id=st.sampled_from(CASES))
    def decide_case(self, forfeits: bool, case_id: bytes) -> None:
        """The court's verdict, once it is confirmed only to name another owner."""
        case = self.cases[case_id]
        unconfirmed = case.state != "none" and case.ready_at == 0
        act = (
            (lambda: self.world.vault.forfeit(case_id, ORDER, sender=court.address))
            if forfeits
            else (lambda: self.world.vault.order_return(case_id, neighbour.address, ORDER, sender=court.address))
        )
        if not unconfirmed and (forfeits or case.state != "returnable"):
            with boa.reverts("case: not locked"):
                act()
            return
        act()
        case.state, case.ready_at = "forfeited" if forfeits else "returnable", 0

    @rule(case_id=st.sampled_from(CASES))
    def confirm_case(self, case_id: bytes) -> None:
        """The prosecutor agrees; the delay begins, the long one after a veto."""
        case = self.cases[case_id]
        owner = neighbour.address if case.state == "returnable" else ZERO
        if case.state not in ("forfeited", "returnable") or case.ready_at:
            with boa.reverts("case: decided otherwise"):
                self.world.vault.confirm_case(case_id, owner, ORDER, sender=prosecutor.address)
            return
        self.world.vault.confirm_case(case_id, owner, ORDER, sender=prosecutor.address)
        case.ready_at = now() + (LARGE_DELAY if case.vetoed else DELAY)

    @rule(case_id=st.sampled_from(CASES))
    def veto_case(self, case_id: bytes) -> None:
        """The guardian, once in a case."""
        case = self.cases[case_id]
        if case.state not in ("forfeited", "returnable") or case.final or case.vetoed:
            with boa.reverts("case: nothing to veto"):
                self.world.vault.veto_return(case_id, sender=guardian.address)
            return
        self.world.vault.veto_return(case_id, sender=guardian.address)
        self.cases[case_id] = Case("locked", vetoed=True)

    @rule(case_id=st.sampled_from(CASES), asset=st.sampled_from(ASSETS))
    def give_back(self, case_id: bytes, asset: str) -> None:
        """Anyone executes a return: only an ordered, confirmed and ripe one pays."""
        case, amount = self.cases[case_id], self.case_books[case_id, asset]
        if case.state != "returnable" or not case.final or amount == 0:
            with boa.reverts():
                self.world.vault.execute_return(case_id, asset)
            return
        self.world.vault.execute_return(case_id, asset, sender=stranger.address)
        self.case_books[case_id, asset] = 0
        self.books[asset, Provenance.CONFISCATED] -= amount
        self.returned[asset] += amount

    @rule(
        percent=st.sampled_from([1, 10, 24, 25, 26, 60, 100, 101]),
        provenance=st.sampled_from([Provenance.NATIONAL_FUND, Provenance.MINED, Provenance.CONFISCATED]),
        asset=st.sampled_from(ASSETS),
        to=st.sampled_from(DESTINATIONS),
        case_id=st.sampled_from(CASES),
        lasts=st.integers(4, 40),
    )
    def propose(self, percent: int, provenance: Provenance, asset: str, to: Actor, case_id: bytes, lasts: int) -> None:
        """The proposer asks for a part of a book; impossible releases are refused."""
        confiscated = provenance is Provenance.CONFISCATED
        book = self.case_books[case_id, asset] if confiscated else self.books[asset, provenance]
        amount, expires = max(1, book * percent // 100), now() + lasts * DELAY
        wanted: dict[str, Any] = {
            "asset": asset,
            "to": to.address,
            "amount": amount,
            "provenance": provenance,
            "case_id": case_id if confiscated else bytes(32),
            "terms": (self.world.reserve_council.policy_version(), len(self.releases), 0, expires),
        }
        if (
            amount > min(book, self.capacity(asset))
            or (confiscated and not self.forfeited(case_id))
            or now() < self.paused_until
            or not self.proposes
        ):
            with boa.reverts():
                proposed(self.world, **wanted)
            return
        delay = LARGE_DELAY if self.recent_level(asset, to) + amount > LARGE else DELAY
        lives = (self.boards, self.withdrawals)
        identity = proposed(self.world, **wanted)
        self.releases.append(Known(identity, asset, to, amount, provenance, wanted["case_id"], expires, delay, lives))

    def forfeited(self, case_id: bytes) -> bool:
        """Whether a case is the reserve's."""
        return self.cases[case_id].state == "forfeited" and self.cases[case_id].final

    @rule(
        percent=st.sampled_from([5, 20, 60]),
        waits=st.sampled_from([DELAY - 1, DELAY, LARGE_DELAY]),
        asset=st.sampled_from(ASSETS),
        to=st.sampled_from(DESTINATIONS),
    )
    def release_in_order(self, percent: int, waits: int, asset: str, to: Actor) -> None:
        """What usually happens: proposed, approved by two, some waiting, and executed."""
        before = len(self.releases)
        self.propose(percent, Provenance.NATIONAL_FUND, asset, to, CASES[0], 30)
        if len(self.releases) > before:
            self.approve(before, SIGNERS[0])
        wait(waits, 1)
        if len(self.releases) > before:
            self.execute(before, stranger)

    @precondition(lambda self: self.releases)
    @rule(which=st.integers(0, 30), signers=st.sampled_from(SIGNERS))
    def approve(self, which: int, signers: tuple[Actor, ...]) -> None:
        """Any set of people signs: only two of the board count."""
        known = self.releases[which % len(self.releases)]
        given = approvals(known.identity, *signers)
        ready_at = now() + known.delay
        enough = len(signers) >= 2 and set(signers) <= {governor, deputy, director}
        old = known.lives[0] != self.boards
        if known.state != "proposed" or not enough or ready_at > known.expires or old:
            with boa.reverts():
                self.world.vault.approve_decision(known.identity, given)
            return
        self.world.vault.approve_decision(known.identity, given)
        known.state, known.ready_at = "approved", ready_at

    @precondition(lambda self: self.releases)
    @rule(which=st.integers(0, 30))
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
    @rule(which=st.integers(0, 30), by=st.sampled_from([proposer, stranger, treasury]))
    def execute(self, which: int, by: Actor) -> None:
        """Anyone tries to execute anything at any time."""
        known = self.releases[which % len(self.releases)]
        asset, amount, bucket = known.asset, known.amount, self.buckets[known.asset]
        level, recent = bucket.now(LEAK, 1) + amount, self.recent_level(asset, known.to) + amount
        confiscated = known.provenance is Provenance.CONFISCATED
        if (
            known.state != "approved"
            or not known.ready_at <= now() <= known.expires
            or known.lives != (self.boards, self.withdrawals)
            or now() < self.paused_until
            or amount > self.books[asset, known.provenance]
            or (confiscated and amount > self.case_books[known.case_id, asset])
            or level > self.capacity(asset)
            or (recent > LARGE and known.delay < LARGE_DELAY)
        ):
            with boa.reverts():
                self.world.vault.execute_release(known.identity, sender=by.address)
            return
        self.world.vault.execute_release(known.identity, sender=by.address)
        known.state = "executed"
        bucket.level, bucket.updated = level, now()
        self.recent[asset, known.to.address] = Bucket(recent, now())
        self.books[asset, known.provenance] -= amount
        if confiscated:
            self.case_books[known.case_id, asset] -= amount
        self.paid[asset, known.to.address] += amount

    @rule()
    def pause(self) -> None:
        """The guardian, for a week, and not again for another."""
        if self.paused_until and now() < self.paused_until + WEEK:
            with boa.reverts("vault: paused lately"):
                self.world.vault.pause(sender=guardian.address)
            return
        self.world.vault.pause(sender=guardian.address)
        self.paused_until = now() + WEEK

    @precondition(lambda self: now() < self.paused_until)
    @rule()
    def lift_pause(self) -> None:
        """Both councils, after the delay."""
        self.carry_out(Action.LIFT_PAUSE, ZERO)
        self.paused_until = min(self.paused_until, now())

    @rule()
    def change_the_proposer(self) -> None:
        """His role is withdrawn at once and granted anew later: what he proposed before is void either way."""
        if self.proposes:
            self.world.vault.execute_change(
                approved_change(self.world, Action.WITHDRAW_ROLE, proposer.address, delay=0)
            )
            self.withdrawals += 1
        else:
            self.carry_out(Action.GRANT_ROLE, proposer.address, 1)
        self.proposes = not self.proposes

    @rule()
    def change_the_board(self) -> None:
        """The same people under a new policy: what they decided before is void."""
        board = self.world.reserve_council
        change = (board.members(), 2, guardian.address, terms(board))
        decide(board, board.propose_membership(*change, sender=governor.address), governor, deputy)
        board.change_membership(*change)
        self.boards += 1

    @rule(seconds=st.sampled_from([1, DELAY - 1, DELAY, LARGE_DELAY, 20_000, 3 * 86_400, WEEK]))
    def let_time_pass(self, seconds: int) -> None:
        """Minutes to days."""
        wait(seconds, 1)

    @rule(amount=st.integers(1, 100))
    def donate(self, amount: int) -> None:
        """Tokens sent without a deposit change nothing."""
        self.world.token.transfer(self.world.vault.address, amount, sender=resident.address)

    @invariant()
    def books_are_right(self) -> None:
        """Provenances sum to what is held, cases to what is confiscated, and the assets are there."""
        vault = self.world.vault
        for (asset, provenance), amount in self.books.items():
            assert vault.ledger(asset, provenance) == amount
        for (case_id, asset), amount in self.case_books.items():
            assert vault.case_amount(case_id, asset) == amount
        for asset in ASSETS:
            held = vault.held(asset)
            assert held == sum(amount for (a, _), amount in self.books.items() if a == asset)
            there = boa.env.get_balance(vault.address) if asset == ZERO else self.world.token.balanceOf(vault.address)
            assert there >= held

    @invariant()
    def only_executed_releases_were_paid(self) -> None:
        """Each once, to its destination, and nothing else left but returns."""
        for (asset, to), amount in self.paid.items():
            (owner,) = [d for d in DESTINATIONS if d.address == to]
            assert self.balance(asset, owner) == amount
        for asset, amount in self.returned.items():
            assert self.balance(asset, neighbour) == amount


@pytest.mark.ignore_isolation
def test_no_order_of_acts_empties_the_vault() -> None:
    """Random lives of releases and cases, with every act tried at every time."""
    with boa.swap_env(boa.Env()):
        VaultMachine.world = build_world()
        run_state_machine_as_test(
            VaultMachine,
            settings=settings(max_examples=15, stateful_step_count=30, deadline=None),
        )
