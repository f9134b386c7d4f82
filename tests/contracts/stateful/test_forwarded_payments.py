"""Payments forwarded through a hub, with locks, in two assets, among parties who cheat, are suspended, or frozen.

A resident locks money to the hub, the hub locks the same to a merchant under the same secret and expiry. Resident and
merchant do what they like: fold or not, reveal at any block, close by any voucher of theirs through a request that a
stranger carries; offices suspend and freeze them. The hub follows `transition` and has a tower that is up once in a
window. Whatever they do, the hub ends with what it paid in, each channel pays what `payouts` says, and the books hold.
"""

from dataclasses import dataclass, field
from typing import Any

import boa
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from alatau.channels.calls import NO_CLAIM, claim_argument, locks_argument
from alatau.channels.messages import (
    LOCKS_MAX,
    Lock,
    Parties,
    SignedVoucher,
    Voucher,
    channel_id,
    channels_domain,
    receipt_digest,
    sign_voucher,
)
from alatau.channels.state import ChannelState, Phase, Window, available, opened, payouts, side_of
from alatau.channels.transition import (
    ChangeClosing,
    ChangeDeposited,
    ChangeSettled,
    ChangeSubmitted,
    ChangeVoucher,
    DoSubmit,
    transition,
)
from alatau.crypto.keccak import keccak256
from tests.contracts.actors import Actor
from tests.contracts.city_channels.tills import Till, request
from tests.contracts.world import (
    SETTLE_BLOCKS,
    SETTLE_SECONDS,
    World,
    build_world,
    compliance,
    court,
    deploy,
    deploy_mock,
    hub,
    merchant,
    now,
    resident,
    stranger,
    wait,
)

DEPOSIT = 1_000
LIFE_MAX = SETTLE_BLOCKS - 1
"""Blocks: a longer lock is refused, by the contract and off the chain."""


def height() -> int:
    """The test chain's."""
    return int(boa.env.evm.patch.block_number)


@dataclass
class Side:
    """A channel of a customer with the hub: what the chain is called with, and what both know off it."""

    customer: Actor
    till: Till
    state: ChannelState
    history: list[SignedVoucher] = field(default_factory=list)
    """Vouchers by which the customer was paid, or pays, oldest first."""

    @property
    def payer(self) -> Actor:
        """The resident pays the hub, the hub pays the merchant."""
        return resident if self.customer is resident else hub

    def sign(self, locks: tuple[Lock, ...], more: int, revealed: dict[bytes, int]) -> None:
        """The payer's next voucher; both take it."""
        mine = side_of(self.state, self.payer.raw)
        voucher = Voucher(self.state.id, self.payer.raw, mine.nonce + 1, mine.transferred + more, locks)
        signed = sign_voucher(self.state.domain, voucher, self.payer.key.sign)
        self.state, _ = transition(self.state, ChangeVoucher(signed, height(), now(), revealed))
        self.history.append(signed)


@dataclass
class Street:
    """An asset: its contract, a resident's and a merchant's channel."""

    channels: Any
    token: Any
    sides: dict[Actor, Side]
    secrets: list[bytes] = field(default_factory=list)
    revealed: dict[bytes, int] = field(default_factory=dict)
    """Hash -> block."""

    def secret_of(self, lock: Lock) -> bytes:
        """The merchant knows them all."""
        return next(secret for secret in self.secrets if keccak256(secret) == lock.secret_hash)


class ForwardingMachine(RuleBasedStateMachine):
    """Two assets, two channels in each."""

    world: World
    streets: list[Street]

    @initialize()
    def start(self) -> None:
        """Channels with money on the payers' sides."""
        mock = deploy_mock("SilentToken")
        for owner in (resident, hub):
            mock.mint(owner.address, 10 * DEPOSIT)
        pause, registry = self.world.channel_pause.address, self.world.participants.address
        other = deploy("CityChannels", mock.address, registry, pause, SETTLE_BLOCKS, SETTLE_SECONDS)
        self.streets = [self._street(self.world.channels, self.world.token), self._street(other, mock)]
        self.bound: set[Actor] = set()

    def _street(self, channels: Any, token: Any) -> Street:
        domain = channels_domain(boa.env.evm.patch.chain_id, bytes.fromhex(channels.address.removeprefix("0x")))
        sides = {}
        for customer in (resident, merchant):
            parties = Parties(customer.raw, hub.raw, bytes(32))
            till = Till(domain, parties, channel_id(domain, parties))
            paid_in = DEPOSIT if customer is resident else 0
            token.approve(channels.address, 2**200, sender=customer.address)
            token.approve(channels.address, 2**200, sender=hub.address)
            channels.open(hub.address, bytes(32), paid_in, sender=customer.address)
            state = opened(domain, parties, paid_in, settle_blocks=SETTLE_BLOCKS)
            if customer is merchant:
                channels.deposit(till.key, DEPOSIT, sender=hub.address)
                state, _ = transition(state, ChangeDeposited(hub.raw, DEPOSIT))
            sides[customer] = Side(customer, till, state)
        return Street(channels, token, sides)

    def _both_open(self, street: Street) -> bool:
        return all(side.state.phase is Phase.OPEN for side in street.sides.values())

    @rule(which=st.integers(0, 1), amount=st.integers(1, 200), life=st.integers(1, LIFE_MAX))
    def forward(self, which: int, amount: int, life: int) -> None:
        """A payment under way: the same lock in both channels, the resident's first."""
        street = self.streets[which]
        first, second = street.sides[resident], street.sides[merchant]
        pending = max(len(side_of(side.state, side.payer.raw).locks) for side in (first, second))
        room = min(available(side.state, side.payer.raw) for side in (first, second))
        if not self._both_open(street) or pending == LOCKS_MAX or amount > room:
            return
        secret = keccak256(bytes((which, len(street.secrets))))
        street.secrets.append(secret)
        lock = Lock(keccak256(secret), amount, height() + life)
        for side in (first, second):
            side.sign((*side_of(side.state, side.payer.raw).locks, lock), 0, street.revealed)

    @rule(which=st.integers(0, 1), number=st.integers(0, 9))
    def reveal(self, which: int, number: int) -> None:
        """The merchant makes a secret known, in time or not."""
        street = self.streets[which]
        if not 0 <= number < len(street.secrets) or keccak256(street.secrets[number]) in street.revealed:
            return
        street.channels.reveal(street.secrets[number], sender=stranger.address)
        street.revealed[keccak256(street.secrets[number])] = height()

    @rule(which=st.integers(0, 1), resident_too=st.booleans())
    def fold(self, which: int, resident_too: bool) -> None:
        """Merchant and hub turn the oldest lock into a payment; the resident follows, or does not."""
        street = self.streets[which]
        second = street.sides[merchant]
        locks = side_of(second.state, hub.raw).locks
        # The secret goes to the hub off the chain: worth something only while it could still be revealed in time.
        if second.state.phase is not Phase.OPEN or not locks or locks[0].expiry_block < height():
            return
        if locks[0].secret_hash not in street.revealed:
            street.channels.reveal(street.secret_of(locks[0]), sender=hub.address)
            street.revealed[locks[0].secret_hash] = height()
        if street.revealed[locks[0].secret_hash] > locks[0].expiry_block:
            return
        second.sign(locks[1:], locks[0].amount, street.revealed)
        first = street.sides[resident]
        kept = side_of(first.state, resident.raw).locks
        if resident_too and first.state.phase is Phase.OPEN and locks[0] in kept:
            first.sign(tuple(lock for lock in kept if lock != locks[0]), locks[0].amount, street.revealed)

    @rule(which=st.integers(0, 1), customer=st.sampled_from([resident, merchant]), stale=st.integers(0, 3))
    def leave(self, which: int, customer: Actor, stale: int) -> None:
        """A customer asks to close, by an old voucher or none; a stranger carries it."""
        street = self.streets[which]
        side = street.sides[customer]
        if side.state.phase is not Phase.OPEN:
            return
        claim: tuple[Any, ...] = NO_CLAIM
        chosen = None
        if stale and len(side.history) >= stale:
            chosen = side.history[-stale]
            payee = hub if side.payer is resident else merchant
            receipt = payee.key.sign(receipt_digest(side.state.domain, chosen.voucher))
            claim = claim_argument(chosen, receipt)
        claim = (side.payer.address, *claim[1:])
        street.channels.close(side.till.key, request(side.till, customer), claim, sender=stranger.address)
        window = Window(height() + SETTLE_BLOCKS, now() + SETTLE_SECONDS)
        side.state, _ = transition(side.state, ChangeClosing(window))
        if chosen is not None:
            side.state, _ = transition(side.state, ChangeSubmitted(side.payer.raw, chosen.voucher.nonce))

    @rule(which=st.integers(0, 1), amount=st.integers(1, 200), life=st.integers(1, LIFE_MAX))
    def rob(self, which: int, amount: int, life: int) -> None:
        """The resident leaves and settles as early as he may; then the merchant reveals, and leaves in turn."""
        self.forward(which, amount, life)
        self.leave(which, resident, 1)
        self.advance(SETTLE_BLOCKS)
        self.settle(which, resident)
        self.reveal(which, len(self.streets[which].secrets) - 1)

    @rule(customer=st.sampled_from([resident, merchant]), how=st.sampled_from(["suspend", "freeze"]))
    def bind(self, customer: Actor, how: str) -> None:
        """An office does what it may to a party: nothing of it touches a channel."""
        if customer in self.bound:
            return
        self.bound.add(customer)
        if how == "suspend":
            self.world.participants.suspend(customer.address, sender=compliance.address)
        else:
            order = (customer.address, b"\x01" * 32, 2**100, 2**64 - 1)
            self.world.participants.freeze(*order, sender=court.address)

    @rule(blocks=st.integers(1, 30))
    def advance(self, blocks: int) -> None:
        """Blocks pass; towers are up once in each window."""
        for street in self.streets:
            for side in street.sides.values():
                self._tower(street, side)
        wait(blocks * 40, blocks)

    def _tower(self, street: Street, side: Side) -> None:
        """What a payee's tower submits: the newest voucher, with the receipt."""
        _, effects = transition(side.state, ChangeDeposited(hub.raw, side.state.b.deposited))
        for due in (effect for effect in effects if isinstance(effect, DoSubmit)):
            payee = hub if side.payer is resident else merchant
            receipt = payee.key.sign(receipt_digest(side.state.domain, due.signed.voucher))
            claim = (side.payer.address, *claim_argument(due.signed, receipt)[1:])
            street.channels.submit(side.till.key, claim, sender=stranger.address)
            side.state, _ = transition(side.state, ChangeSubmitted(side.payer.raw, due.signed.voucher.nonce))

    @rule(which=st.integers(0, 1), customer=st.sampled_from([resident, merchant]))
    def settle(self, which: int, customer: Actor) -> None:
        """Whoever is first, as soon as it may be."""
        self._settle(self.streets[which], self.streets[which].sides[customer])

    def _settle(self, street: Street, side: Side) -> None:
        window = side.state.window
        if side.state.phase is not Phase.CLOSING or window is None:
            return
        if height() < window.settle_block or now() < window.settle_time:
            return
        lists = [side_of(side.state, party.raw).locks for party in (side.customer, hub)]
        unlocked = [
            sum(lock.amount for lock in locks if street.revealed.get(lock.secret_hash, 2**64) <= lock.expiry_block)
            for locks in lists
        ]
        before = [street.channels.credit(party.address) for party in (side.customer, hub)]
        street.channels.settle(side.till.key, *(locks_argument(locks) for locks in lists), sender=stranger.address)
        after = [street.channels.credit(party.address) for party in (side.customer, hub)]
        assert (after[0] - before[0], after[1] - before[1]) == payouts(side.state, *unlocked)
        side.state, _ = transition(side.state, ChangeSettled())

    @invariant()
    def books_hold(self) -> None:
        """What channels and credits hold is what is there, in each asset."""
        for street in self.streets:
            held = sum(side.state.total for side in street.sides.values() if side.state.phase is not Phase.SETTLED)
            held += sum(street.channels.credit(party.address) for party in (resident, merchant, hub))
            assert street.channels.held() == held
            assert street.token.balanceOf(street.channels.address) >= held

    def teardown(self) -> None:
        """All leave; the hub, which only passed payments on, has what it paid in."""
        for number in range(len(self.streets)):
            for customer in (resident, merchant):
                self.leave(number, customer, 0)
        self.advance(SETTLE_BLOCKS)
        for street in self.streets:
            for side in street.sides.values():
                self._settle(street, side)
                assert side.state.phase is Phase.SETTLED
            assert street.channels.credit(hub.address) == DEPOSIT, "the hub lost or won"


@pytest.mark.ignore_isolation
def test_whoever_passes_payments_on_loses_nothing() -> None:
    """Random lives of forwarded payments."""
    with boa.swap_env(boa.Env()):
        ForwardingMachine.world = build_world()
        run_state_machine_as_test(
            ForwardingMachine,
            settings=settings(max_examples=12, stateful_step_count=20, deadline=None),
        )
