"""The mempool's rules, and its invariants under arbitrary use."""

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from alatau.crypto.keccak import keccak256
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.outcome import Admitted, Dropped, Reason, Refused
from alatau.mempool.pool import Mempool
from alatau.types.account import Account
from tests.support.transactions import checked_transfer

RESIDENT = b"\x01" * 20
MERCHANT = b"\x02" * 20
RICH = Account(nonce=0, balance=10**30)


def pool_of(**limits: int) -> Mempool:
    """A pool without a base fee."""
    return Mempool(MempoolLimits(**limits), base_fee_per_gas=0)


def nonces(pool: Mempool, sender: bytes = RESIDENT) -> list[int]:
    """What a block would take of a sender."""
    return [p.tx.nonce for p in pool.select(10**9, 10**9, 0) if p.sender == sender]


def reason_of(outcome: Admitted | Refused) -> Reason:
    """Why an admission failed; it says so in words too."""
    assert isinstance(outcome, Refused), outcome
    assert outcome.message
    return outcome.reason


def test_a_transaction_is_selected_once_admitted() -> None:
    """The plain path: in, out for a block, gone once the block is final."""
    pool, tx = pool_of(), checked_transfer(0)
    assert pool.admit(tx, RESIDENT, RICH, 0) == Admitted(ready=True)
    assert [p.tx for p in pool.select(10**9, 10**9, 0)] == [tx]
    assert pool.get(tx.hash) is tx
    assert pool.update([tx.hash], {RESIDENT: replace(RICH, nonce=1)}, 1) == ()
    assert len(pool) == pool.size_bytes == pool._ready_count == 0


def test_the_same_transaction_twice_is_known_already() -> None:
    """Idempotent submits: the second is told apart from an error."""
    pool = pool_of()
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    assert reason_of(pool.admit(checked_transfer(0), RESIDENT, RICH, 0)) is Reason.ALREADY_KNOWN
    assert len(pool) == 1


def test_nonces_come_out_in_order_however_they_arrive() -> None:
    """A client that sends in parallel loses nothing; what follows a gap waits for it."""
    pool = pool_of()
    assert pool.admit(checked_transfer(2), RESIDENT, RICH, 0) == Admitted(ready=False)
    assert pool.admit(checked_transfer(1), RESIDENT, RICH, 0) == Admitted(ready=False)
    assert nonces(pool) == []
    assert pool._ready_count == 0
    assert pool.admit(checked_transfer(0), RESIDENT, RICH, 0) == Admitted(ready=True)
    assert nonces(pool) == [0, 1, 2]
    assert pool.next_nonce(RESIDENT) == 3


def test_a_used_nonce_is_too_low() -> None:
    """Known from the account as well as from a later update."""
    pool = pool_of()
    assert reason_of(pool.admit(checked_transfer(4), RESIDENT, Account(nonce=5), 0)) is Reason.NONCE_TOO_LOW
    pool.admit(checked_transfer(5), RESIDENT, Account(nonce=5), 0)
    pool.admit(checked_transfer(6), RESIDENT, Account(nonce=5), 0)
    pool.update([], {RESIDENT: Account(nonce=6)}, 0)
    assert reason_of(pool.admit(checked_transfer(5, salt=1), RESIDENT, None, 0)) is Reason.NONCE_TOO_LOW


def test_a_nonce_far_beyond_the_missing_one_is_refused() -> None:
    """The gap is counted from the first missing nonce, not from the account's."""
    pool = pool_of(gap_max=2)
    assert reason_of(pool.admit(checked_transfer(3), RESIDENT, RICH, 0)) is Reason.NONCE_GAP_TOO_LARGE
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    assert isinstance(pool.admit(checked_transfer(3), RESIDENT, RICH, 0), Admitted)


def test_what_one_block_cannot_hold_is_refused() -> None:
    """Oversized bytes and gas are the sender's fault and never wait."""
    pool = pool_of(transaction_size_bytes_max=200, gas_limit_max=20_000)
    assert reason_of(pool.admit(checked_transfer(0, size=201), RESIDENT, RICH, 0)) is Reason.TRANSACTION_TOO_LARGE
    assert reason_of(pool.admit(checked_transfer(0), RESIDENT, RICH, 0)) is Reason.GAS_LIMIT_TOO_HIGH


def test_a_fee_cap_below_the_base_fee_is_underpriced() -> None:
    """It could never be in a block, since the base fee of a network is constant."""
    pool = Mempool(MempoolLimits(), base_fee_per_gas=7)
    assert reason_of(pool.admit(checked_transfer(0, tip=1, cap=6), RESIDENT, RICH, 0)) is Reason.UNDERPRICED
    assert isinstance(pool.admit(checked_transfer(0, tip=1, cap=7), RESIDENT, RICH, 0), Admitted)


def test_all_that_waits_of_a_sender_is_payable_together() -> None:
    """Two transfers of 60 from a balance of 100: the second is refused now, not in a block."""
    pool, account = pool_of(), Account(balance=100)
    assert isinstance(pool.admit(checked_transfer(0, value=60), RESIDENT, account, 0), Admitted)
    assert reason_of(pool.admit(checked_transfer(1, value=60), RESIDENT, account, 0)) is Reason.INSUFFICIENT_FUNDS


def test_a_balance_that_shrank_drops_the_last_nonces() -> None:
    """A block spent the sender's money: what it still pays for stays."""
    pool = pool_of()
    for nonce in range(3):
        pool.admit(checked_transfer(nonce, value=30), RESIDENT, Account(balance=100), 0)
    dropped = pool.update([], {RESIDENT: Account(balance=60)}, 1)
    assert dropped == (Dropped(checked_transfer(2, value=30).hash, Reason.INSUFFICIENT_FUNDS),)
    assert nonces(pool) == [0, 1]


@pytest.mark.parametrize(("tip", "cap", "taken"), [(110, 110, True), (109, 200, False), (110, 109, False)])
def test_a_replacement_raises_tip_and_cap_by_a_tenth(tip: int, cap: int, *, taken: bool) -> None:
    """The usual rule, on both prices: otherwise a replacement is free spam."""
    pool = pool_of()
    pool.admit(checked_transfer(0, tip=100), RESIDENT, RICH, 0)
    outcome = pool.admit(checked_transfer(0, tip=tip, cap=cap), RESIDENT, RICH, 0)
    assert isinstance(outcome, Admitted) is taken
    assert len(pool) == 1


def test_a_free_transaction_is_outbid_by_one_wei() -> None:
    """A tenth of nothing is nothing: the raise is at least 1 wei."""
    pool = pool_of()
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    assert pool.admit(checked_transfer(0, tip=1), RESIDENT, RICH, 0) == Admitted(
        ready=True, dropped=(Dropped(checked_transfer(0).hash, Reason.REPLACED),)
    )
    assert [p.tip for p in pool.select(10**9, 10**9, 0)] == [1]


def test_on_a_free_network_a_replacement_waits_its_time() -> None:
    """Base fee 0, no wei anywhere: the sender corrects a payment that no block took, but not at once."""
    pool = pool_of(replacement_wait_ms=10_000)
    pool.admit(checked_transfer(0), RESIDENT, None, 0)
    assert reason_of(pool.admit(checked_transfer(0, salt=1), RESIDENT, None, 9_999)) is Reason.UNDERPRICED
    assert isinstance(pool.admit(checked_transfer(0, salt=1), RESIDENT, None, 10_000), Admitted)
    assert [p.tx for p in pool.select(10**9, 10**9, 0)] == [checked_transfer(0, salt=1)]


def test_a_replacement_keeps_the_pool_within_its_bytes() -> None:
    """A larger one for the same nonce is refused where the pool is full, and the old one stays."""
    pool = pool_of(size_bytes_max=200)
    pool.admit(checked_transfer(0, size=150), RESIDENT, RICH, 0)
    assert reason_of(pool.admit(checked_transfer(0, tip=1, size=201), RESIDENT, RICH, 0)) is Reason.POOL_FULL
    assert pool.size_bytes == 150
    assert isinstance(pool.admit(checked_transfer(0, tip=1, size=200), RESIDENT, RICH, 0), Admitted)


def test_older_transactions_go_first_whatever_they_pay() -> None:
    """A tip buys nobody else's place; within a sender the nonces decide."""
    pool = pool_of()
    pool.admit(checked_transfer(0, tip=1), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(1, tip=9), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(0, tip=5), MERCHANT, RICH, 0)
    pool.admit(checked_transfer(0, tip=1, salt=1), b"\x03" * 20, RICH, 0)
    order = [(p.sender[0], p.tx.nonce) for p in pool.select(10**9, 10**9, 0)]
    assert order == [(1, 0), (1, 1), (2, 0), (3, 0)]


def test_selection_stops_at_the_bytes_of_a_block() -> None:
    """A transaction that does not fit holds back only its own sender."""
    pool = pool_of()
    pool.admit(checked_transfer(0, size=150), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(0, size=120), MERCHANT, RICH, 0)
    pool.admit(checked_transfer(1, size=100), MERCHANT, RICH, 0)
    assert [p.sender[0] for p in pool.select(10**9, 149, 0)] == [2]
    assert list(pool.select(20_999, 10**9, 0)) == []


def test_the_pool_may_change_while_a_block_is_built() -> None:
    """The builder runs in slices: what leaves meanwhile is not given, what arrives may be."""
    pool = pool_of()
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(0, salt=1), MERCHANT, RICH, 0)
    selection = pool.select(10**9, 10**9, 0)
    assert next(selection).sender == RESIDENT
    pool.drop(checked_transfer(0, salt=1).hash, Reason.EXPIRED)
    pool.admit(checked_transfer(1), RESIDENT, RICH, 0)
    assert [p.tx for p in selection] == [checked_transfer(1)]
    assert nonces(pool) == [0, 1]


def test_another_transaction_with_the_nonce_was_in_the_block() -> None:
    """Sent through another node: ours is reported as dropped, so that its waiter hears of it."""
    pool = pool_of()
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    dropped = pool.update([b"\x09" * 32], {RESIDENT: replace(RICH, nonce=1)}, 1)
    assert dropped == (Dropped(checked_transfer(0).hash, Reason.NONCE_TOO_LOW),)


def test_a_block_that_fills_a_gap_makes_the_rest_ready() -> None:
    """The missing nonce came in through another node."""
    pool = pool_of()
    pool.admit(checked_transfer(1), RESIDENT, RICH, 0)
    assert pool._ready_count == 0
    pool.update([], {RESIDENT: replace(RICH, nonce=1)}, 1)
    assert nonces(pool) == [1]
    assert pool._ready_count == 1


def test_one_sender_has_its_share() -> None:
    """A spammer is told that the pool is full for it."""
    pool = pool_of(per_sender_max=2)
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(1), RESIDENT, RICH, 0)
    assert reason_of(pool.admit(checked_transfer(2), RESIDENT, RICH, 0)) is Reason.POOL_FULL
    assert isinstance(pool.admit(checked_transfer(0, salt=1), MERCHANT, RICH, 0), Admitted)


def test_a_full_pool_prefers_the_better_tip() -> None:
    """The cheapest goes with what follows it; an equal tip does not displace anyone."""
    pool = pool_of(count_max=2)
    pool.admit(checked_transfer(0, tip=1), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(1, tip=1), RESIDENT, RICH, 0)
    assert reason_of(pool.admit(checked_transfer(0, tip=1, salt=1), b"\x03" * 20, RICH, 0)) is Reason.POOL_FULL
    outcome = pool.admit(checked_transfer(0, tip=2), MERCHANT, RICH, 0)
    assert isinstance(outcome, Admitted)
    assert [d.reason for d in outcome.dropped] == [Reason.POOL_FULL]
    assert [p.sender for p in pool.select(10**9, 10**9, 0)] == [RESIDENT, MERCHANT]


def test_a_full_pool_takes_from_whoever_holds_most() -> None:
    """On a free network tips are equal: a newcomer displaces the tail of the largest sender."""
    pool = pool_of(count_max=4)
    for nonce in range(4):
        pool.admit(checked_transfer(nonce), RESIDENT, RICH, 0)
    outcome = pool.admit(checked_transfer(0, salt=1), MERCHANT, RICH, 0)
    assert outcome == Admitted(ready=True, dropped=(Dropped(checked_transfer(3).hash, Reason.POOL_FULL),))
    assert nonces(pool) == [0, 1, 2]


def test_a_full_pool_drops_what_no_block_can_take_first() -> None:
    """Queued transactions hold room only while nobody needs it."""
    pool = pool_of(count_max=2)
    pool.admit(checked_transfer(5, tip=100), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(0), MERCHANT, RICH, 0)
    outcome = pool.admit(checked_transfer(0, salt=1), b"\x03" * 20, RICH, 0)
    assert outcome == Admitted(ready=True, dropped=(Dropped(checked_transfer(5, tip=100).hash, Reason.POOL_FULL),))


def test_the_queued_are_bounded_together() -> None:
    """Gaps of many senders cannot fill the pool."""
    pool = pool_of(queued_max=2)
    for sender in (1, 2):
        pool.admit(checked_transfer(1, salt=sender), bytes([sender]) * 20, RICH, 0)
    assert reason_of(pool.admit(checked_transfer(1), b"\x03" * 20, RICH, 0)) is Reason.POOL_FULL
    assert isinstance(pool.admit(checked_transfer(0), b"\x03" * 20, RICH, 0), Admitted)


def test_what_waits_too_long_expires() -> None:
    """The queued sooner than the ready."""
    pool = pool_of(lifetime_ms=1_000, queued_lifetime_ms=100)
    pool.admit(checked_transfer(0), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(2), RESIDENT, RICH, 0)
    assert pool.update([], {}, 100) == (Dropped(checked_transfer(2).hash, Reason.EXPIRED),)
    assert pool.update([], {}, 999) == ()
    assert pool.update([], {}, 1_000) == (Dropped(checked_transfer(0).hash, Reason.EXPIRED),)
    assert len(pool) == 0


def test_a_gap_is_told() -> None:
    """Which nonce is missing, for which transactions, and which to send next after a refusal."""
    pool = pool_of(gap_max=4)
    for nonce in (0, 3, 2):
        pool.admit(checked_transfer(nonce), RESIDENT, Account(balance=RICH.balance), 0)
    assert pool.missing_nonce(checked_transfer(0).hash) is None
    assert pool.missing_nonce(checked_transfer(2).hash) == pool.missing_nonce(checked_transfer(3).hash) == 1
    assert pool.queued_nonces(RESIDENT) == [2, 3]
    assert pool.queued_nonces(MERCHANT) == []
    far = pool.admit(checked_transfer(6), RESIDENT, None, 0)
    assert isinstance(far, Refused)
    assert far.next_nonce == 1
    pool.admit(checked_transfer(1), RESIDENT, None, 0)
    assert pool.missing_nonce(checked_transfer(3).hash) is None
    assert pool.queued_nonces(RESIDENT) == []
    low = pool.admit(checked_transfer(0, salt=1), MERCHANT, Account(nonce=7, balance=1), 0)
    assert isinstance(low, Refused)
    assert low.next_nonce == 7


def test_what_left_is_remembered_until_it_comes_again() -> None:
    """Expired behind a gap, replaced, refused: whoever asks later hears why."""
    pool = pool_of(queued_lifetime_ms=100, replacement_wait_ms=0)
    pool.admit(checked_transfer(2), RESIDENT, RICH, 0)
    pool.admit(checked_transfer(0), MERCHANT, RICH, 0)
    pool.admit(checked_transfer(0, salt=1), MERCHANT, RICH, 1)
    pool.update([], {}, 100)
    assert pool.departed(checked_transfer(2).hash) is Reason.EXPIRED
    assert pool.departed(checked_transfer(0).hash) is Reason.REPLACED
    pool.update([checked_transfer(0, salt=1).hash], {MERCHANT: replace(RICH, nonce=1)}, 101)
    assert pool.departed(checked_transfer(0, salt=1).hash) is None, "it is in a block"
    pool.admit(checked_transfer(2), RESIDENT, RICH, 102)
    assert pool.departed(checked_transfer(2).hash) is None


class PoolMachine(RuleBasedStateMachine):
    """Arbitrary admissions, blocks and expiries against a small pool; a model re-derives what must hold."""

    senders = Bundle("senders")

    def __init__(self) -> None:
        super().__init__()
        self.limits = MempoolLimits(
            count_max=12, size_bytes_max=1_500, per_sender_max=6, gap_max=4, queued_max=5, lifetime_ms=50,
            queued_lifetime_ms=20, replacement_wait_ms=5, per_sender_gas_max=120_000, gas_max=300_000,
        )  # fmt: skip
        self.pool = Mempool(self.limits, 0)
        self.accounts: dict[bytes, Account] = {}
        self.now = 0

    @rule(target=senders, number=st.integers(1, 5), balance=st.integers(0, 400))
    def meet(self, number: int, balance: int) -> bytes:
        """An account appears."""
        sender = bytes([number]) * 20
        self.accounts.setdefault(sender, Account(balance=balance))
        return sender

    @rule(
        sender=senders,
        nonce=st.integers(0, 8),
        tip=st.integers(0, 3),
        salt=st.integers(0, 1),
        value=st.integers(0, 90),
        size=st.integers(100, 400),
        gas=st.sampled_from([0, 0, 0, 50_000, 130_000]),
    )
    def admit(self, *, sender: bytes, nonce: int, tip: int, salt: int, value: int, size: int, gas: int) -> None:
        """A transaction arrives."""
        tx = checked_transfer(nonce, tip=tip, salt=salt, value=value, size=size)
        if gas:
            digest = keccak256(tx.hash + gas.to_bytes(8, "big"))
            tx = replace(tx, gas_limit=gas, max_fee_per_gas=0, max_priority_fee_per_gas=0, hash=digest)
        else:
            tx = replace(tx, gas_limit=1)
        before = len(self.pool)
        outcome = self.pool.admit(tx, sender, self.accounts[sender], self.now)
        assert len(self.pool) == before + isinstance(outcome, Admitted) - len(outcome.dropped)
        assert (tx.hash in self.pool) == (
            isinstance(outcome, Admitted) or (isinstance(outcome, Refused) and outcome.reason is Reason.ALREADY_KNOWN)
        )

    @rule(take=st.integers(0, 6), spend=st.integers(0, 100))
    def commit(self, take: int, spend: int) -> None:
        """A block takes the first few and moves balances."""
        selected = [p for p, _ in zip(self.pool.select(10**9, 10**9, 0), range(take), strict=False)]
        changed: dict[bytes, Account | None] = {}
        for p in selected:
            account = self.accounts[p.sender]
            assert p.tx.nonce == account.nonce, "a block takes nonces in order"
            self.accounts[p.sender] = Account(account.nonce + 1, max(0, account.balance - spend))
            changed[p.sender] = self.accounts[p.sender]
        dropped = self.pool.update([p.tx.hash for p in selected], changed, self.now)
        assert not {d.hash for d in dropped} & {p.tx.hash for p in selected}

    @rule(ms=st.integers(1, 30))
    def wait(self, ms: int) -> None:
        """Time passes."""
        self.now += ms

    @rule()
    def discard_first(self) -> None:
        """The builder finds one invalid."""
        first = next(self.pool.select(10**9, 10**9, 0), None)
        if first:
            assert self.pool.drop(first.tx.hash, Reason.EXPIRED)

    @invariant()
    def bounded_and_consistent(self) -> None:
        """Bounds hold and the books agree with what is held."""
        pool, limits = self.pool, self.limits
        assert len(pool) <= limits.count_max
        assert pool.size_bytes <= limits.size_bytes_max
        assert pool.size_bytes == sum(len(p.tx.encoded) for p in pool._by_hash.values())
        assert pool.gas == sum(p.tx.gas_limit for p in pool._by_hash.values()) <= limits.gas_max
        assert len(pool) - pool._ready_count <= limits.queued_max + limits.per_sender_max
        assert pool._ready_count == sum(q.ready for q in pool._queues.values())
        for sender, queue in pool._queues.items():
            assert 0 < len(queue.by_nonce) <= limits.per_sender_max
            assert queue.cost == sum(p.cost for p in queue.by_nonce.values()) <= queue.balance
            assert queue.gas == sum(p.tx.gas_limit for p in queue.by_nonce.values())
            if len(queue.by_nonce) > 1:
                assert queue.gas <= limits.per_sender_gas_max
            assert min(queue.by_nonce) >= queue.nonce
            assert queue.nonce + queue.ready not in queue.by_nonce
            assert queue.by_nonce.keys() >= set(range(queue.nonce, queue.nonce + queue.ready))
            assert (sender in pool._gapped) == (len(queue.by_nonce) > queue.ready)

    @invariant()
    def selection_is_all_that_is_ready(self) -> None:
        """All that is ready comes out, once, by age."""
        selected = list(self.pool.select(10**9, 10**9, 0))
        assert len(selected) == self.pool._ready_count == len({p.tx.hash for p in selected})
        heads = [p for p in selected if p.tx.nonce == self.pool._queues[p.sender].nonce]
        assert [p.order for p in heads] == [p.order for p in sorted(heads, key=lambda p: (p.at_ms, p.order))]


PoolMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPoolMachine = PoolMachine.TestCase
