"""What a block takes: shares first, then age; nobody is starved, whatever others send."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alatau.mempool.limits import MempoolLimits
from alatau.mempool.outcome import Admitted, Reason, Refused
from alatau.mempool.pool import Mempool
from alatau.mempool.shares import DEBT_MS_MAX, DEFAULT_ALLOWANCES, HEAVY_GAS, LANE_BURST_MS, PATIENCE_MS, SenderClass
from alatau.types.account import Account
from alatau.types.transaction import Transaction
from tests.support.transactions import checked_transfer

RICH = Account(nonce=0, balance=10**30)
BLOCK_GAS = 16_777_216
BLOCK_BYTES = 4_000_000
INTERVAL_MS = 1_000
BUDGET_US = 400_000
"""Of building, after which the builder takes no more."""


class Chain:
    """A pool and the blocks that are made of it, with the time that they take."""

    def __init__(self, **limits: int) -> None:
        self.pool = Mempool(MempoolLimits(gas_limit_max=BLOCK_GAS, **limits), 0)
        self.nonces: dict[bytes, int] = defaultdict(int)
        self.sent: dict[bytes, int] = defaultdict(int)
        self.costs: dict[bytes, tuple[int, int]] = {}
        self.now_ms = 0
        self.height = 0
        self.included: dict[bytes, int] = {}
        """Transaction hash -> height."""

    def send(
        self, sender: bytes, sender_class: SenderClass, *, gas_limit: int = 100_000, gas: int = 37_000, us: int = 100
    ) -> Transaction | None:
        """The sender's next transaction, if the pool takes it; it will use ``gas`` and take ``us``."""
        tx = replace(checked_transfer(self.sent[sender], salt=int.from_bytes(sender, "big")), gas_limit=gas_limit)
        account = Account(self.nonces[sender], RICH.balance)
        if not isinstance(self.pool.admit(tx, sender, account, self.now_ms, sender_class), Admitted):
            return None
        self.sent[sender] += 1
        self.costs[tx.hash] = gas, us
        return tx

    def block(self) -> list[Transaction]:
        """Build, execute and commit a block; the next comes an interval later, or when this one has run."""
        self.height += 1
        taken, gas_used, busy_us = [], 0, 0
        selection = self.pool.select(BLOCK_GAS, BLOCK_BYTES, self.now_ms)
        gas_of: dict[bytes, int] = defaultdict(int)
        for pooled in selection:
            gas, us = self.costs[pooled.tx.hash]
            assert gas_used + pooled.tx.gas_limit <= BLOCK_GAS, "a transaction that does not fit is never given"
            assert pooled.tx.nonce == self.nonces[pooled.sender], "nonces come in order"
            before, share = gas_of[pooled.sender], DEFAULT_ALLOWANCES[pooled.sender_class].block_gas_percent
            if before:
                assert before + pooled.tx.gas_limit <= BLOCK_GAS * share // 100, "a sender keeps to its part"
            selection.spent(gas, us)
            taken.append(pooled)
            gas_used += gas
            busy_us += us
            gas_of[pooled.sender] += gas
            self.nonces[pooled.sender] += 1
            if busy_us >= BUDGET_US:
                break
        self.now_ms += max(INTERVAL_MS, busy_us // 1_000)
        changed: dict[bytes, Account | None] = {p.sender: Account(self.nonces[p.sender], RICH.balance) for p in taken}
        self.pool.update([p.tx.hash for p in taken], changed, self.now_ms)
        for pooled in taken:
            self.included[pooled.tx.hash] = self.height
        return [p.tx for p in taken]


def account(kind: int, number: int) -> bytes:
    """An address."""
    return bytes([kind]) * 18 + number.to_bytes(2, "big")


ATTACKS = {
    # The cost of each transaction in gas limit, gas, microseconds, and who sends it.
    "creations of a developer": (BLOCK_GAS, BLOCK_GAS, 5_000_000, SenderClass.DEVELOPER),
    "calls of a resident": (BLOCK_GAS, BLOCK_GAS, 1_200_000, SenderClass.RESIDENT),
    "calls below what counts as heavy": (HEAVY_GAS, HEAVY_GAS, 200_000, SenderClass.RESIDENT),
    "huge limits that are not used": (BLOCK_GAS, 30_000, 100, SenderClass.MERCHANT),
    "payments by the thousand": (100_000, 37_000, 100, SenderClass.LICENSED),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("attackers", [1, 30])
def test_honest_payments_are_in_the_next_blocks_whatever_others_send(attack: str, attackers: int) -> None:
    """One account or thirty of one operator, refilled after each block: payments wait two blocks at most.

    Of the attackers' transactions below the heavy limit each account's first may come before: those were older.
    """
    gas_limit, gas, us, attacker_class = ATTACKS[attack]
    chain = Chain()
    patient = 2 if gas_limit != HEAVY_GAS else 2 + attackers
    for height in range(80):
        for number in range(attackers):
            while chain.sent[account(9, number)] < chain.nonces[account(9, number)] + 8:
                if not chain.send(account(9, number), attacker_class, gas_limit=gas_limit, gas=gas, us=us):
                    break
        honest = [chain.send(account(1, n), SenderClass.RESIDENT) for n in range(height % 7, 60, 7)]
        chain.block()
        waits = [tx for tx in honest if tx is not None and tx.hash not in chain.included]
        deadline = chain.height + patient - 1
        # What came with this block must be in it or, at the latest, in the next ones.
        while waits and chain.height < deadline:
            chain.block()
            waits = [tx for tx in waits if tx.hash not in chain.included]
        assert not waits, f"{len(waits)} payments of block {height} wait"


@given(st.integers(1, 40), st.integers(200_000, 8_000_000), st.sampled_from(["developer", "resident"]))
@settings(max_examples=25, deadline=None)
def test_heavy_work_keeps_to_its_class_however_many_accounts_send_it(accounts: int, us: int, name: str) -> None:
    """Over ten minutes the heavy transactions of a class take its share of time, a burst and one transaction more."""
    chain, taken_us, sender_class = Chain(), 0, SenderClass(name)
    while chain.now_ms < 600_000:
        for number in range(accounts):
            if chain.sent[account(9, number)] == chain.nonces[account(9, number)]:
                chain.send(account(9, number), sender_class, gas_limit=BLOCK_GAS, gas=BLOCK_GAS, us=us)
        before = chain.now_ms
        taken_us += us * len(chain.block())
        if taken_us and chain.now_ms == before + INTERVAL_MS and accounts == 40:
            chain.now_ms += 9 * INTERVAL_MS  # A heartbeat: nothing else to do.
    share = DEFAULT_ALLOWANCES[sender_class].class_time_percent / 100
    assert taken_us / 1_000 <= share * (chain.now_ms + LANE_BURST_MS) + us / 1_000


def test_a_heavy_transaction_is_not_starved_by_payments() -> None:
    """Payments fill every block, and still a deployment that asks for a whole block's gas comes after its delay."""
    chain = Chain()
    deployment = None
    for height in range(30):
        for number in range(450):
            chain.send(account(1, number), SenderClass.RESIDENT)
        if height == 3:
            deployment = chain.send(account(8, 1), SenderClass.DEVELOPER, gas_limit=BLOCK_GAS, gas=5_000_000, us=20_000)
        chain.block()
    assert deployment is not None
    assert deployment.hash in chain.included
    assert chain.included[deployment.hash] <= 4 + 6


@pytest.mark.parametrize("us", [200_000, 1_000_000])
def test_a_deployment_waits_for_one_creation_of_another_developers_flood(us: int) -> None:
    """Until that one's time is paid for, not for a second: whoever was just served queues behind who came meanwhile."""
    chain, waiting = Chain(), dict[int, Transaction]()
    paid_in = us * 100 // DEFAULT_ALLOWANCES[SenderClass.DEVELOPER].class_time_percent // 1_000 // INTERVAL_MS
    for height in range(200):
        while chain.sent[account(9, 1)] < chain.nonces[account(9, 1)] + 30:
            if not chain.send(account(9, 1), SenderClass.DEVELOPER, gas_limit=BLOCK_GAS, gas=BLOCK_GAS, us=us):
                break
        if height % 37 == 10 and height < 150:
            sent = chain.send(account(8, height), SenderClass.DEVELOPER, gas_limit=BLOCK_GAS, gas=5_000_000, us=20_000)
            assert sent is not None
            waiting[chain.height] = sent
        chain.block()
    assert len(waiting) == 4
    waits = [chain.included.get(deployment.hash, 10**9) - came_at for came_at, deployment in waiting.items()]
    assert max(waits) <= paid_in + 4, waits


def test_the_same_inputs_give_the_same_block() -> None:
    """Costs and times are inputs: nothing else decides."""

    def blocks() -> list[list[bytes]]:
        chain = Chain()
        for n in range(200):
            sender_class = list(SenderClass)[n % 5]
            chain.send(account(n % 5, n % 17), sender_class, gas=30_000 + n, us=100 * n)
        return [[tx.hash for tx in chain.block()] for _ in range(10)]

    assert blocks() == blocks()


def test_gas_that_waits_is_bounded_for_a_sender_and_for_all() -> None:
    """Thirty whole blocks of one sender do not wait at once; a first transaction always may."""
    limits = MempoolLimits(gas_limit_max=BLOCK_GAS, per_sender_gas_max=2 * BLOCK_GAS, gas_max=5 * BLOCK_GAS)
    pool = Mempool(limits, 0)

    def send(sender: bytes, nonce: int) -> Admitted | Refused:
        return pool.admit(replace(checked_transfer(nonce, salt=sender[0]), gas_limit=BLOCK_GAS), sender, RICH, 0)

    hog, second, third, newcomer = (bytes([n]) * 20 for n in range(1, 5))
    assert isinstance(send(hog, 0), Admitted)
    assert isinstance(send(hog, 1), Admitted)
    refused = send(hog, 2)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.POOL_FULL
    assert "gas" in refused.message
    for sender, nonce in ((second, 0), (second, 1), (third, 0)):
        assert isinstance(send(sender, nonce), Admitted)
    assert pool.gas == 5 * BLOCK_GAS
    assert isinstance(send(newcomer, 0), Refused), "nobody holds more than twice as much"
    light = pool.admit(checked_transfer(0, salt=77), newcomer, RICH, 0)
    assert isinstance(light, Admitted)
    assert len(light.dropped) == 1
    assert pool.gas <= limits.gas_max


def test_senders_take_turns() -> None:
    """One who sent a hundred at once does not go before those who came a moment later, nor in front of the next."""
    chain = Chain()
    for _ in range(50):
        chain.send(account(1, 1), SenderClass.LICENSED)
    chain.now_ms = 5
    for _ in range(3):
        chain.send(account(1, 2), SenderClass.LICENSED)
    senders = [p.sender for p in chain.pool.select(BLOCK_GAS, BLOCK_BYTES, 10)]
    assert senders[:6] == [account(1, 1), account(1, 2)] * 3


def test_a_tip_does_not_push_others_out_of_a_full_pool() -> None:
    """Who holds most gives way first, however much it pays."""
    pool = Mempool(MempoolLimits(count_max=8), 0)
    hog = b"\x09" * 20
    for n in range(4):
        pool.admit(checked_transfer(0, salt=n), account(1, n), RICH, 0)
    for nonce in range(8):
        pool.admit(checked_transfer(nonce, tip=10**9), hog, RICH, 0)
    assert all(pool.knows_sender(account(1, n)) for n in range(4))
    assert isinstance(pool.admit(checked_transfer(0, salt=5), account(1, 5), RICH, 0), Admitted)
    assert all(pool.knows_sender(account(1, n)) for n in range(4))


def test_the_pool_says_when_a_block_could_take_something() -> None:
    """Nothing waits, something may go now, or all wait for their debts."""
    chain = Chain()
    assert chain.pool.takeable_in_ms(0) is None
    chain.send(account(1, 1), SenderClass.RESIDENT, gas=BLOCK_GAS, gas_limit=BLOCK_GAS)
    chain.send(account(1, 1), SenderClass.RESIDENT)
    assert chain.pool.takeable_in_ms(0) == 0
    chain.block()
    wait_ms = chain.pool.takeable_in_ms(chain.now_ms)
    assert wait_ms
    assert list(chain.pool.select(BLOCK_GAS, BLOCK_BYTES, chain.now_ms)) == []
    chain.now_ms += wait_ms
    assert chain.pool.takeable_in_ms(chain.now_ms) == 0
    assert len(chain.block()) == 1


class ShareMachine(RuleBasedStateMachine):
    """Any senders of any class at any cost: order, bounds, and nobody with work waits for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = Chain(count_max=60, per_sender_max=6)
        self.waiting_since: dict[bytes, int] = {}

    @rule(
        sender=st.integers(0, 7),
        cost=st.sampled_from([(100_000, 37_000, 100), (2_000_000, 900_000, 20_000), (BLOCK_GAS, BLOCK_GAS, 900_000),
                              (BLOCK_GAS, 40_000, 200), (5_000_000, 4_000_000, 15_000)]),
        count=st.integers(1, 5),
    )  # fmt: skip
    def send(self, sender: int, cost: tuple[int, int, int], count: int) -> None:
        """Transactions arrive."""
        gas_limit, gas, us = cost
        for _ in range(count):
            self.chain.send(account(1, sender), list(SenderClass)[sender % 5], gas_limit=gas_limit, gas=gas, us=us)

    @rule(count=st.integers(1, 6))
    def blocks(self, count: int) -> None:
        """Time passes in blocks."""
        for _ in range(count):
            self.chain.block()

    @invariant()
    def debts_are_bounded(self) -> None:
        """Nobody is shut out for longer than the longest debt."""
        latest = self.chain.now_ms + DEBT_MS_MAX
        assert max(self.chain.pool._shares._paid_at.values(), default=latest) <= latest

    def teardown(self) -> None:
        """When nothing new comes, all that waits is included within the longest debts and their patience."""
        chain = self.chain
        end = chain.now_ms + len(chain.pool) * (DEBT_MS_MAX + PATIENCE_MS)
        while len(chain.pool) and chain.now_ms < end:
            chain.now_ms += chain.pool.takeable_in_ms(chain.now_ms) or 0
            assert chain.block(), "what may go goes"
        assert len(chain.pool) == 0


ShareMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestShareMachine = ShareMachine.TestCase
