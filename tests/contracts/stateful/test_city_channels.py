"""Adversaries at the channels: whatever they do in whatever order, the sums hold and the honest get their due.

The resident is honest, has a watchtower that is up once per window, and never signs more than it has. The hub does
what it likes: old vouchers, vouchers of its own making, closes at any time, calls by strangers.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

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

from tests.contracts.actors import Actor
from tests.contracts.city_channels.tills import NO_CLAIM, Till, agreement, claim_of, consent, own, till_of
from tests.contracts.world import (
    SETTLE_BLOCKS,
    SETTLE_SECONDS,
    World,
    build_world,
    hub,
    neighbour,
    now,
    resident,
    stranger,
    wait,
)

amounts = st.integers(0, 500)


@dataclass(slots=True)
class Ledger:
    """What the test knows of a channel: the truth that the contract must come to."""

    till: Till
    phase: str = "open"
    paid_in: dict[Actor, int] = field(default_factory=lambda: {resident: 0, hub: 0})
    taken: dict[Actor, int] = field(default_factory=lambda: {resident: 0, hub: 0})
    sent: dict[Actor, list[int]] = field(default_factory=lambda: {resident: [], hub: []})
    """Amounts of the vouchers of each payer, by nonce from 1."""
    shown: dict[Actor, int] = field(default_factory=lambda: {resident: 0, hub: 0})
    """Nonce that the contract knows."""

    @property
    def total(self) -> int:
        """What the channel holds."""
        return sum(self.paid_in.values()) - sum(self.taken.values())

    def spendable(self, party: Actor) -> int:
        """What a party may still sign away."""
        other = hub if party is resident else resident
        received = self.sent[other][-1] if self.sent[other] else 0
        spent = self.sent[party][-1] if self.sent[party] else 0
        return self.paid_in[party] - self.taken[party] + received - spent


def some(*phases: str) -> Callable[["ChannelsMachine"], bool]:
    """Whether a channel is in one of the phases."""
    return lambda machine: any(ledger.phase in phases for ledger in machine.ledgers)


class ChannelsMachine(RuleBasedStateMachine):
    """Two channels of the resident with the hub, and a third party who interferes."""

    world: World

    @initialize()
    def start(self) -> None:
        """Two channels with money on both sides."""
        self.credit = {resident: 0, hub: 0}
        self.wallets = {actor: self.world.token.balanceOf(actor.address) for actor in (resident, hub)}
        self.ledgers: list[Ledger] = []
        for actor in (resident, hub):
            self.world.token.approve(self.world.channels.address, 2**256 - 1, sender=actor.address)
        for _ in range(2):
            self.open(1_000)
            self.world.channels.deposit(self.ledgers[-1].till.key, 400, sender=hub.address)
            self.ledgers[-1].paid_in[hub] = 400
            self.wallets[hub] -= 400

    def pick(self, which: int, *phases: str) -> Ledger:
        """One of the channels in a phase; the rule's precondition says that there is one."""
        fitting = [ledger for ledger in self.ledgers if not phases or ledger.phase in phases]
        return fitting[which % len(fitting)]

    @precondition(lambda self: len(self.ledgers) < 8)
    @rule(amount=amounts)
    def open(self, amount: int) -> None:
        """The resident opens another channel."""
        till = till_of(salt=len(self.ledgers))
        self.world.channels.open(hub.address, till.parties.salt, amount, sender=resident.address)
        ledger = Ledger(till)
        ledger.paid_in[resident] = amount
        self.ledgers.append(ledger)
        self.wallets[resident] -= amount

    @precondition(some("open"))
    @rule(which=st.integers(0, 5), amount=amounts, by_hub=st.booleans())
    def deposit(self, which: int, amount: int, by_hub: bool) -> None:
        """A party adds money."""
        ledger = self.pick(which, "open")
        party = hub if by_hub else resident
        self.world.channels.deposit(ledger.till.key, amount, sender=party.address)
        ledger.paid_in[party] += amount
        self.wallets[party] -= amount

    @precondition(some("open"))
    @rule(
        which=st.integers(0, 5),
        payments=st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=1, max_size=4),
    )
    def pay_off_chain(self, which: int, payments: list[tuple[bool, int]]) -> None:
        """Vouchers over parts of what each has change hands; the chain knows nothing of it."""
        ledger = self.pick(which, "open")
        for by_hub, percent in payments:
            party = hub if by_hub else resident
            spent = ledger.sent[party][-1] if ledger.sent[party] else 0
            ledger.sent[party].append(spent + ledger.spendable(party) * percent // 100)

    @precondition(some("open"))
    @rule(which=st.integers(0, 5), percent=st.integers(1, 100), by_hub=st.booleans())
    def withdraw(self, which: int, percent: int, by_hub: bool) -> None:
        """A party takes out what it may still spend, with the other's consent."""
        ledger = self.pick(which, "open")
        party, other = (hub, resident) if by_hub else (resident, hub)
        amount = ledger.spendable(party) * percent // 100
        if amount == 0:
            return
        ledger.taken[party] += amount
        self.world.channels.withdraw(*consent(ledger.till, party, ledger.taken[party], by=other), sender=party.address)
        self.wallets[party] += amount

    @precondition(some("open"))
    @rule(which=st.integers(0, 5), nonce=st.integers(0, 4), by_hub=st.booleans())
    def close(self, which: int, nonce: int, by_hub: bool) -> None:
        """A party closes with any voucher that it was paid by, however old, or with none."""
        ledger = self.pick(which, "open")
        payee, payer = (hub, resident) if by_hub else (resident, hub)
        made = ledger.sent[payer]
        chosen = min(nonce, len(made))
        claim = NO_CLAIM
        if chosen:
            claim = claim_of(ledger.till, payer, chosen, made[chosen - 1])
        self.world.channels.close(ledger.till.key, own(payee), claim, sender=payee.address)
        ledger.phase = "closing"
        ledger.shown[payer] = chosen

    @precondition(some("open"))
    @rule(
        which=st.integers(0, 5),
        payments=st.lists(st.tuples(st.booleans(), st.integers(0, 100)), min_size=2, max_size=6),
        stale=st.integers(0, 3),
        by_hub=st.booleans(),
        newer=st.integers(1, 6),
    )
    def dispute(self, which: int, payments: list[tuple[bool, int]], stale: int, by_hub: bool, newer: int) -> None:
        """A whole dispute: payments, a stale close, other vouchers, the tower, the window, the settlement."""
        ledger = self.pick(which, "open")
        position = [other for other in self.ledgers if other.phase == "open"].index(ledger)
        self.pay_off_chain(position, payments)
        self.close(position, stale, by_hub)
        position = [other for other in self.ledgers if other.phase == "closing"].index(ledger)
        self.submit(position, newer, of_hub=by_hub)
        self.submit(position, newer, of_hub=not by_hub)
        self.tower_and_window(position)

    @precondition(some("closing"))
    @rule(which=st.integers(0, 5), nonce=st.integers(1, 4), of_hub=st.booleans())
    def submit(self, which: int, nonce: int, of_hub: bool) -> None:
        """Any voucher is tried: newer ones are taken, others refused."""
        ledger = self.pick(which, "closing")
        payer, payee = (hub, resident) if of_hub else (resident, hub)
        made = ledger.sent[payer]
        if not made:
            return
        chosen = min(nonce, len(made))
        claim = claim_of(ledger.till, payer, chosen, made[chosen - 1])
        if chosen <= ledger.shown[payer]:
            with boa.reverts("channels: not newer"):
                self.world.channels.submit(ledger.till.key, claim, sender=payee.address)
            return
        self.world.channels.submit(ledger.till.key, claim, sender=payee.address)
        ledger.shown[payer] = chosen

    @precondition(some("closing"))
    @rule(which=st.integers(0, 5), amount=st.integers(0, 2**112 - 1), forger=st.sampled_from([hub, stranger]))
    def forge(self, which: int, amount: int, forger: Actor) -> None:
        """The hub, or a stranger, makes vouchers in the resident's name."""
        ledger = self.pick(which, "closing")
        claim = claim_of(ledger.till, resident, 2**63, amount, signed_by=forger, receipt_by=hub)
        with boa.reverts("channels: bad signature"):
            self.world.channels.submit(ledger.till.key, claim, sender=hub.address)

    @precondition(some("closing"))
    @rule(which=st.integers(0, 5))
    def tower_and_window(self, which: int) -> None:
        """The resident's tower is up once in the window; then the window passes and anyone settles."""
        ledger = self.pick(which, "closing")
        made = ledger.sent[hub]
        if len(made) > ledger.shown[hub]:
            claim = claim_of(ledger.till, hub, len(made), made[-1], receipt_by=resident)
            self.world.channels.submit(ledger.till.key, claim, sender=stranger.address)
            ledger.shown[hub] = len(made)
        wait(SETTLE_SECONDS, SETTLE_BLOCKS)
        self.settle_one(ledger)

    @precondition(some("closing"))
    @rule(which=st.integers(0, 5))
    def settle_early(self, which: int) -> None:
        """Before its window has passed a channel does not settle."""
        ledger = self.pick(which, "closing")
        seen = self.world.channels.channel(ledger.till.id)
        if boa.env.evm.patch.block_number >= seen.settle_block and now() >= seen.settle_time:
            return
        with boa.reverts():
            self.world.channels.settle(ledger.till.key, [], [], sender=stranger.address)

    @precondition(some("open", "closing"))
    @rule(which=st.integers(0, 5), share=st.integers(0, 100))
    def agree(self, which: int, share: int) -> None:
        """Both agree on any division of all there is."""
        ledger = self.pick(which, "open", "closing")
        payout = ledger.total * share // 100
        self.world.channels.close_cooperatively(*agreement(ledger.till, payout, ledger.total - payout))
        self.credit[resident] += payout
        self.credit[hub] += ledger.total - payout
        ledger.phase = "settled"

    @rule(claimant=st.sampled_from([resident, hub, neighbour]))
    def claim(self, claimant: Actor) -> None:
        """Credits are paid once, and only to whom they belong."""
        due = self.credit.get(claimant, 0)
        if due == 0:
            with boa.reverts("channels: no credit"):
                self.world.channels.claim(claimant.address)
            return
        self.world.channels.claim(claimant.address, sender=stranger.address)
        self.credit[claimant] = 0
        self.wallets[claimant] += due

    def settle_one(self, ledger: Ledger) -> None:
        """Settle, and check both payouts against the vouchers that were shown."""
        before = [self.world.channels.credit(actor.address) for actor in (resident, hub)]
        self.world.channels.settle(ledger.till.key, [], [], sender=stranger.address)
        after = [self.world.channels.credit(actor.address) for actor in (resident, hub)]
        shown = {payer: ledger.sent[payer][nonce - 1] if nonce else 0 for payer, nonce in ledger.shown.items()}
        entitled = ledger.paid_in[resident] - ledger.taken[resident] + shown[hub] - shown[resident]
        payout = min(max(entitled, 0), ledger.total)
        assert [after[0] - before[0], after[1] - before[1]] == [payout, ledger.total - payout]
        assert payout >= min(ledger.spendable(resident), ledger.total), "the honest party got less than its due"
        self.credit[resident] += payout
        self.credit[hub] += ledger.total - payout
        ledger.phase = "settled"

    @invariant()
    def held_is_what_channels_and_credits_hold(self) -> None:
        """And the tokens are there."""
        in_channels = sum(ledger.total for ledger in self.ledgers if ledger.phase != "settled")
        held = in_channels + sum(self.credit.values())
        assert self.world.channels.held() == held
        assert self.world.token.balanceOf(self.world.channels.address) >= held

    @invariant()
    def wallets_hold_the_rest(self) -> None:
        """No unit is made or lost on the way."""
        for actor, expected in self.wallets.items():
            assert self.world.token.balanceOf(actor.address) == expected

    @invariant()
    def credits_are_known(self) -> None:
        """What each may claim is what was settled for it."""
        for actor, expected in self.credit.items():
            assert self.world.channels.credit(actor.address) == expected

    @invariant()
    def used_ids_stay_used(self) -> None:
        """For ever."""
        assert [ledger.till.id for ledger in self.ledgers if not self.world.channels.used(ledger.till.id)] == []


@pytest.mark.ignore_isolation
def test_no_order_of_acts_breaks_the_channels() -> None:
    """Random lives of channels, with every act tried at every time."""
    with boa.swap_env(boa.Env()):
        ChannelsMachine.world = build_world()
        run_state_machine_as_test(
            ChannelsMachine,
            settings=settings(max_examples=25, stateful_step_count=30, deadline=None),
        )
