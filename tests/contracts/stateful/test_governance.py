"""Every office is hostile, and nothing is decided without the council's honest members, who can always decide.

Four of five members are honest. Beside them act the fifth, the guardian and every office of the registry, in any order
and at any time: they propose, veto, pause, replay approvals, suspend, freeze and deregister. A model says of each
decision whether it may be approved, overridden, vetoed or executed now. At the end of each story the four get their way
in bounded time, whatever was done before, although the guardian vetoes all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.contracts.actors import Actor, actor, approvals, override_digest
from tests.contracts.settlement_token.changes import Action, change
from tests.contracts.settlement_token.recoveries import ORDER
from tests.contracts.world import (
    DELAY,
    World,
    banker,
    build_world,
    chair,
    compliance,
    court,
    decide,
    guardian,
    issuer,
    lawyer,
    licensor,
    merchant,
    neighbour,
    now,
    registrar,
    resident,
    stranger,
    terms,
    wait,
)

elder, scholar = actor("elder"), actor("scholar")
HONEST = (banker, lawyer, elder, scholar)
MEMBERS = (chair, *HONEST)
THRESHOLD = 3
GUARDIANS = (guardian, merchant)
"""Whoever is the guardian is hostile; his successor, too."""
OFFICES = (registrar, licensor, compliance, court, issuer)
CABALS = ((chair,), (chair, guardian), (chair, court, compliance), (chair, registrar, licensor, issuer), OFFICES)
"""Who approves what only they want: however many, there is one member among them at most."""
LIFE = 20 * 86_400
WEEK, REST = 7 * 86_400, 14 * 86_400
PAUSING = ("token", "channel_pause")
DOMAINS = {"token": "Digital Tenge", "channel_pause": "Alatau ChannelPause", "fund_council": "Fund council"}


@dataclass(slots=True, eq=False)
class Known:
    """What the model knows of a decision."""

    contract: str
    identity: bytes
    execute: Callable[[], object]
    effect: Callable[[], None]
    version: int
    expires: int
    state: str = "proposed"
    ready_at: int = 0
    overridden: bool = False


class GovernanceMachine(RuleBasedStateMachine):
    """Decisions of a council of five about the token, the channels' pause and itself."""

    world: World
    wanted = Bundle("wanted")
    """Decisions of the honest."""
    unwanted = Bundle("unwanted")
    """Decisions that only the others want."""

    @initialize()
    def start(self) -> None:
        """Three members become five by a decision of their own."""
        council = self.world.fund_council
        members = sorted(member.address.lower() for member in MEMBERS)
        agreed = (members, THRESHOLD, guardian.address, terms(council))
        identity = council.propose_membership(*agreed, sender=banker.address)
        decide(council, identity, banker, lawyer)
        council.change_membership(*agreed)
        self.version = council.policy_version()
        self.guardian = 0
        self.allowance = self.world.token.issuer_allowance(issuer.address)
        self.paused = dict.fromkeys(PAUSING, 0)
        self.rests = {(contract, who): 0 for contract in PAUSING for who in GUARDIANS}

    # ------------------------------------------------------------------ proposing

    def _allowance(self, by: Actor, account: Actor, value: int) -> Known:
        token = self.world.token
        proposed = change(self.world, Action.SET_ALLOWANCE, account.address, value)
        proposed = (*proposed[:-1], terms(self.world.fund_council, lasts=LIFE))
        identity = token.propose_change(proposed, sender=by.address)

        def effect() -> None:
            self.allowance = value

        return self._known("token", identity, lambda: token.execute_change(identity), effect)

    def _lift(self, by: Actor, contract: str) -> Known:
        agreed = terms(self.world.fund_council, lasts=LIFE)
        called = getattr(self.world, contract)

        def effect() -> None:
            self.paused[contract] = now()

        if contract == "channel_pause":
            identity = called.propose_unpause(agreed, sender=by.address)
            return self._known(contract, identity, lambda: called.unpause(agreed), effect)
        proposed = (*change(self.world, Action.UNPAUSE)[:-1], agreed)
        identity = called.propose_change(proposed, sender=by.address)
        return self._known(contract, identity, lambda: called.execute_change(identity), effect)

    def _guardian(self, by: Actor, members: tuple[Actor, ...], threshold: int, successor: int) -> Known:
        council = self.world.fund_council
        seats = sorted(member.address.lower() for member in members)
        agreed = (seats, threshold, GUARDIANS[successor].address, terms(council, lasts=LIFE))
        identity = council.propose_membership(*agreed, sender=by.address)

        def effect() -> None:
            self.guardian = successor
            self.version += 1

        return self._known("fund_council", identity, lambda: council.change_membership(*agreed), effect)

    def _known(
        self, contract: str, identity: bytes, execute: Callable[[], object], effect: Callable[[], None]
    ) -> Known:
        return Known(contract, identity, execute, effect, self.version, now() + LIFE)

    @rule(target=wanted, by=st.sampled_from(HONEST), more=st.integers(1, 1_000))
    def honest_propose_an_allowance(self, by: Actor, more: int) -> Known:
        """More than the issuer may mint now, so that it waits."""
        return self._allowance(by, issuer, self.allowance + more)

    @rule(target=wanted, by=st.sampled_from(HONEST), contract=st.sampled_from(PAUSING))
    def honest_propose_the_end_of_a_pause(self, by: Actor, contract: str) -> Known:
        """Whether there is one or not."""
        return self._lift(by, contract)

    @rule(target=wanted, by=st.sampled_from(HONEST))
    def honest_propose_another_guardian(self, by: Actor) -> Known:
        """Who is captured as well."""
        return self._guardian(by, MEMBERS, THRESHOLD, 1 - self.guardian)

    @rule(target=unwanted, kind=st.sampled_from(["money", "seats", "threshold"]))
    def the_member_proposes(self, kind: str) -> Known:
        """Money for a stranger, a council of his own, a council in which he decides alone."""
        if kind == "money":
            return self._allowance(chair, stranger, 10**9)
        if kind == "seats":
            return self._guardian(chair, (chair, court, compliance), 1, self.guardian)
        return self._guardian(chair, MEMBERS, 1, self.guardian)

    @rule(by=st.sampled_from((*OFFICES, *GUARDIANS, stranger)))
    def nobody_else_proposes(self, by: Actor) -> None:
        """Offices and guardian have no seat."""
        for act in (
            lambda: self._allowance(by, stranger, 1),
            lambda: self._lift(by, "token"),
            lambda: self._guardian(by, MEMBERS, THRESHOLD, self.guardian),
        ):
            with pytest.raises(boa.BoaError):
                act()

    # ------------------------------------------------------------------ deciding

    def _alive(self, known: Known) -> bool:
        return known.version == self.version and now() <= known.expires

    @rule(known=wanted, signers=st.sampled_from([HONEST[:3], HONEST[1:], HONEST]))
    def honest_approve(self, known: Known, signers: tuple[Actor, ...]) -> None:
        """Three or four of them."""
        may = known.state == "proposed" and self._alive(known) and now() + DELAY <= known.expires
        self._try(
            may, lambda: self._contract(known).approve_decision(known.identity, approvals(known.identity, *signers))
        )
        if may:
            known.state, known.ready_at = "approved", now() + DELAY

    @rule(known=wanted, signers=st.sampled_from([HONEST[:3], HONEST]))
    def honest_override(self, known: Known, signers: tuple[Actor, ...]) -> None:
        """Four of five are three quarters, three are not."""
        may = known.state == "vetoed" and self._alive(known) and len(signers) == len(HONEST)
        self._try(may, lambda: self._override(known, *signers))
        if may:
            known.state, known.ready_at, known.overridden = "approved", now() + 3 * DELAY, True
            known.expires = max(known.expires, known.ready_at + WEEK)

    @rule(known=wanted)
    def anyone_executes(self, known: Known) -> None:
        """What is approved, ripe and alive, once."""
        may = known.state == "approved" and now() >= known.ready_at and self._alive(known)
        self._try(may, known.execute)
        if may:
            known.state = "executed"
            known.effect()

    @rule(known=unwanted, signers=st.sampled_from(CABALS))
    def the_cabal_approves(self, known: Known, signers: tuple[Actor, ...]) -> None:
        """One seat among them: it is never enough, by approval or by override."""
        self._try(
            False, lambda: self._contract(known).approve_decision(known.identity, approvals(known.identity, *signers))
        )
        self._try(False, lambda: self._override(known, *signers))

    @rule(known=unwanted, other=wanted)
    def the_cabal_replays(self, known: Known, other: Known) -> None:
        """What honest members signed for another decision, the member's own in the place of one of them."""
        given = approvals(other.identity, *HONEST)
        self._try(False, lambda: self._contract(known).approve_decision(known.identity, given))
        mixed = sorted([*given[:2], *approvals(known.identity, chair)], key=lambda each: each[0].lower())
        self._try(False, lambda: self._contract(known).approve_decision(known.identity, mixed))

    @rule(known=unwanted)
    def the_cabal_executes(self, known: Known) -> None:
        """Nothing that only they want is ever carried out."""
        self._try(False, known.execute)

    # ------------------------------------------------------------------ saying no

    @rule(known=st.one_of(wanted, unwanted), who=st.sampled_from(GUARDIANS))
    def guardian_vetoes(self, known: Known, who: Actor) -> None:
        """He who is in office, what is not done and was not overridden."""
        may = who == GUARDIANS[self.guardian] and known.state in ("proposed", "approved") and not known.overridden
        self._try(may, lambda: self._contract(known).veto_decision(known.identity, sender=who.address))
        if may:
            known.state = "vetoed"

    @rule(known=st.one_of(wanted, unwanted), who=st.sampled_from((chair, *OFFICES, stranger)))
    def nobody_else_vetoes(self, known: Known, who: Actor) -> None:
        """Neither office nor member."""
        self._try(False, lambda: self._contract(known).veto_decision(known.identity, sender=who.address))

    @rule(contract=st.sampled_from(PAUSING), who=st.sampled_from((*GUARDIANS, chair, court)))
    def guardian_pauses(self, contract: str, who: Actor) -> None:
        """A week, then he rests for two."""
        may = who == GUARDIANS[self.guardian] and now() >= self.rests[contract, who]
        self._try(may, lambda: getattr(self.world, contract).pause(sender=who.address))
        if may:
            self.paused[contract], self.rests[contract, who] = now() + WEEK, now() + WEEK + REST

    @rule(target_=st.sampled_from((*HONEST, issuer, stranger)))
    def offices_harass(self, target_: Actor) -> None:
        """Whatever the offices can do to whoever is in their way; some of it is refused, none of it counts here."""
        registry, account = self.world.participants, target_.address
        for office, act in (
            (compliance, lambda: registry.suspend(account, sender=compliance.address)),
            (court, lambda: registry.freeze(account, ORDER, 10**9, 2**64 - 1, sender=court.address)),
            (registrar, lambda: registry.deregister(account, sender=registrar.address)),
            (registrar, lambda: registry.name_successor(account, neighbour.address, sender=registrar.address)),
            (licensor, lambda: registry.license(account, 0, 0, False, 0, sender=licensor.address)),
        ):
            del office
            try:
                act()
            except boa.BoaError:
                continue

    @rule(days=st.integers(0, 6), seconds=st.integers(0, 3 * DELAY))
    def time_passes(self, days: int, seconds: int) -> None:
        """Not so much that keys count as silent."""
        wait(days // 4 * 86_400 + seconds, 1)

    # ------------------------------------------------------------------ what holds

    @invariant()
    def nothing_but_what_was_wanted_has_happened(self) -> None:
        """Seats, guardian, bodies, allowances and pauses are the model's."""
        council, token = self.world.fund_council, self.world.token
        assert {seat.lower() for seat in council.members()} == {member.address.lower() for member in MEMBERS}
        assert (council.threshold(), council.policy_version()) == (THRESHOLD, self.version)
        assert council.guardian() == GUARDIANS[self.guardian].address
        assert token.body() == self.world.channel_pause.body() == council.address
        assert (token.issuer_allowance(issuer.address), token.issuer_allowance(stranger.address)) == (self.allowance, 0)
        for contract in PAUSING:
            assert getattr(self.world, contract).paused() == (now() < self.paused[contract])

    def teardown(self) -> None:
        """From wherever the story ended, four members replace a guardian who vetoes all of it, and then govern."""
        if not hasattr(self, "version"):
            return
        began = now()
        for _ in range(2):  # the first successor is captured before he takes office
            known = self._guardian(HONEST[0], MEMBERS, THRESHOLD, 1 - self.guardian)
            self._get_their_way(known)
        self._get_their_way(self._allowance(HONEST[0], issuer, self.allowance + 1))
        for contract in PAUSING:
            self._get_their_way(self._lift(HONEST[0], contract))
        self.nothing_but_what_was_wanted_has_happened()
        assert self.world.token.transfer(neighbour.address, 1, sender=resident.address)
        assert now() - began <= 5 * 3 * DELAY

    def _get_their_way(self, known: Known) -> None:
        """Approved, vetoed at the last moment, overridden, executed after three delays."""
        contract = self._contract(known)
        self._approve(known, *HONEST)
        contract.veto_decision(known.identity, sender=GUARDIANS[self.guardian].address)
        self._override(known, *HONEST)
        with pytest.raises(boa.BoaError):
            contract.veto_decision(known.identity, sender=GUARDIANS[self.guardian].address)
        wait(3 * DELAY, 1)
        known.execute()
        known.effect()

    def _approve(self, known: Known, *signers: Actor) -> None:
        self._contract(known).approve_decision(known.identity, approvals(known.identity, *signers))

    def _override(self, known: Known, *signers: Actor) -> None:
        contract = self._contract(known)
        digest = override_digest(contract, DOMAINS[known.contract], known.identity, known.version)
        contract.approve_decision(known.identity, approvals(digest, *signers))

    def _contract(self, known: Known) -> Any:
        return getattr(self.world, known.contract)

    @staticmethod
    def _try(may: bool, act: Callable[[], object]) -> None:
        if may:
            act()
            return
        with pytest.raises(boa.BoaError):
            act()


@pytest.mark.ignore_isolation
def test_no_cabal_decides_and_none_stops_the_council() -> None:
    """Random lives of decisions, with every office against them."""
    with boa.swap_env(boa.Env()):
        GovernanceMachine.world = build_world()
        run_state_machine_as_test(
            GovernanceMachine,
            settings=settings(max_examples=8, stateful_step_count=30, deadline=None),
        )
