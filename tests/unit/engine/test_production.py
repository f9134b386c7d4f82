"""Building and checking blocks: each is executed once, and what it costs is charged."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import trio
import trio.testing

from alatau.chain.errors import InvalidBlockError
from alatau.chain.execution import HEAVY, Progress, block_environment
from alatau.consensus.effects import DoBuildBlock
from alatau.engine.admission import Admission, AdmissionView
from alatau.engine.production import _EXECUTED_MAX, Production, measured
from alatau.mempool.limits import MempoolLimits
from alatau.mempool.outcome import Admitted, Reason
from alatau.mempool.pool import Mempool
from alatau.mempool.shares import SenderClass
from alatau.state.parent import ParentState
from alatau.storage.store import Store
from alatau.types.account import Account
from alatau.types.block import Block
from alatau.types.transaction import Transaction
from tests.support.small_network import (
    PAYEE,
    PAYER,
    START,
    VALIDATORS,
    SmallNetwork,
    build,
    commit_for,
    payment,
    small_network,
    stored_network,
    tip_after,
)
from tests.support.transactions import signed

RICH = Account(nonce=0, balance=10**30)


def producer(network: SmallNetwork, budget_s: float = 60.0) -> tuple[Production, Mempool]:
    """A production on a network's tip, with an empty pool."""
    pool, tip = Mempool(MempoolLimits(), 0), network.tip
    view = AdmissionView(tip.state, block_environment(network.config, tip.header, tip.block_hash))
    admission = Admission(pool, network.config, lambda: view, lambda: 0, gossip=lambda _: None)
    return Production(network.config, network.domain, pool, admission, budget_s, lambda: 0), pool


def put(pool: Mempool, *transactions: Transaction, sender: bytes = PAYER.address) -> None:
    """Into the pool, as if the sender could pay."""
    for tx in transactions:
        assert isinstance(pool.admit(tx, sender, RICH, 0), Admitted)


async def built(network: SmallNetwork, production: Production, timestamp: int = START + 1) -> Block:
    """The first validator's block on the tip."""
    request = DoBuildBlock(1, 0, None, timestamp)
    return await production.build(network.tip, network.validators, request, VALIDATORS[0].address)


@pytest.mark.trio
async def test_a_block_is_executed_once_by_its_builder() -> None:
    """What was built is kept by its hash until the tip moves; executing it gives the same result, not another one."""
    network = small_network()
    production, pool = producer(network)
    put(pool, payment(0), payment(1))
    block = await built(network, production)
    assert [tx.nonce for tx in block.transactions] == [0, 1]
    kept = production.executed(block.hash)
    assert kept is not None
    assert await production.execute(network.tip, network.validators, network.validators, block) is kept
    production.forget()
    assert production.executed(block.hash) is None
    again = await production.execute(network.tip, network.validators, network.validators, block)
    assert again is not kept
    assert (again.block, again.trie.root) == (kept.block, kept.trie.root)


class _Noting:
    """A pool that tells what it charges: around it, since a method of a compiled class cannot be replaced."""

    def __init__(self, pool: Mempool, note: Callable[[bytes, SenderClass, int], None]) -> None:
        self._pool = pool
        self._note = note

    def charge(
        self, tx: Transaction, sender: bytes, sender_class: SenderClass, gas: int, time_us: int, now_ms: int
    ) -> None:
        """As the pool does, and told."""
        self._note(sender, sender_class, gas)
        self._pool.charge(tx, sender, sender_class, gas, time_us, now_ms)

    def __getattr__(self, name: str) -> object:
        return getattr(self._pool, name)


def _note_charges(production: Production, pool: Mempool, note: Callable[[bytes, SenderClass, int], None]) -> None:
    production._mempool = cast(Mempool, _Noting(pool, note))


@pytest.mark.trio
@pytest.mark.parametrize("known_as", [None, SenderClass.MERCHANT])
async def test_others_charge_the_sender_for_what_they_execute(known_as: SenderClass | None) -> None:
    """Each transaction's gas counts against its own sender's share, in the class that the pool knows."""
    network = small_network()
    block = build(network, [payment(0), payment(1)]).executed.block
    production, pool = producer(network)
    if known_as is not None:
        pool.admit(payment(0), PAYER.address, RICH, 0, known_as)
    charged: list[tuple[bytes, SenderClass, int]] = []
    _note_charges(production, pool, lambda *charge: charged.append(charge))
    executed = await production.execute(network.tip, network.validators, network.validators, block)
    assert executed.block == block
    assert charged == [(PAYER.address, known_as or SenderClass.INSTITUTION, 21_000)] * 2


@pytest.mark.trio
async def test_what_a_block_refuses_leaves_the_pool() -> None:
    """A sender who cannot pay after all; others' transactions are in the block."""
    network = small_network()
    production, pool = producer(network)
    poor = signed(PAYEE, to=PAYER.address)
    put(pool, poor, sender=PAYEE.address)
    put(pool, payment(0))
    block = await built(network, production)
    assert [tx.hash for tx in block.transactions] == [payment(0).hash]
    assert poor.hash not in pool
    assert pool.departed(poor.hash) is Reason.REFUSED


@pytest.mark.trio
async def test_a_block_ends_with_its_time() -> None:
    """Without any time to build it is empty, and valid; what waits goes on waiting."""
    network = small_network()
    production, pool = producer(network, budget_s=0.0)
    put(pool, *(payment(nonce) for nonce in range(200)))
    block = await built(network, production)
    assert len(block.transactions) < 200
    assert len(pool) == 200
    checking, _ = producer(network)
    await checking.execute(network.tip, network.validators, network.validators, block)


@pytest.mark.trio
async def test_a_signature_of_nobody_makes_a_block_invalid() -> None:
    """Before anything is executed."""
    network = small_network()
    block = build(network, [payment(0)]).executed.block
    production, _ = producer(network)
    forged = replace(block, transactions=(replace(payment(0), s=0, hash=bytes(32)),))
    with pytest.raises(InvalidBlockError, match=f"0x{bytes(32).hex()}: .*signature"):
        await production.execute(network.tip, network.validators, network.validators, forged)
    assert production.executed(forged.hash) is None


@pytest.mark.trio
async def test_the_commit_of_the_parent_is_checked() -> None:
    """By the set that decided the parent: too few signatures make the block invalid."""
    network = small_network()
    first = build(network).executed
    second = replace(network, tip=tip_after(network.tip, first))
    production, _ = producer(second)
    for signers, valid in ((VALIDATORS[:3], True), (VALIDATORS[:2], False)):
        commit = commit_for(network, first.block, signers)
        block = build(second, [payment(0)], commit).executed.block
        if valid:
            await production.execute(second.tip, network.validators, network.validators, block)
            continue
        with pytest.raises(InvalidBlockError, match="last_commit"):
            await production.execute(second.tip, network.validators, network.validators, block)


@pytest.mark.trio
async def test_executed_blocks_are_bounded() -> None:
    """The oldest goes; it would be executed again if it were decided after all."""
    network = small_network()
    production, _ = producer(network)
    blocks = [await built(network, production, START + 1 + n) for n in range(_EXECUTED_MAX + 1)]
    kept = [production.executed(block.hash) is not None for block in blocks]
    assert kept == [False] + [True] * _EXECUTED_MAX


@pytest.mark.trio
async def test_building_takes_as_long_as_the_clock_says(mock_clock: trio.testing.MockClock) -> None:
    """By a clock that stands still none at all; and without any time one transaction is tried, and no second."""
    mock_clock.jump(1_000.0)
    network = small_network()
    production, pool = producer(network, budget_s=0.0)
    production.last_build_s = -1.0
    put(pool, *(payment(nonce) for nonce in range(9)))
    assert len((await built(network, production)).transactions) <= 1
    assert production.last_build_s == 0.0


def test_time_is_counted_to_the_nanosecond() -> None:
    """999 of them are no microsecond, neither of the first transaction nor of the next."""
    ticks = iter([0, 999, 10_000, 10_999, 20_000, 20_000])
    charged: list[tuple[int, int]] = []

    def work() -> Generator[int, object, None]:
        yield 1
        yield 2

    assert len(list(measured(work(), lambda gas, us: charged.append((gas, us)), lambda: next(ticks)))) == 2
    assert charged == [(1, 0), (2, 0)]


def test_each_transaction_is_charged_with_its_own_steps() -> None:
    """Time between steps belongs to others; steps that yield no gas belong to the transaction that they lead to."""
    ticks: Iterator[int] = iter([0, 5_000, 100_000, 107_000, 200_000, 202_000, 300_000, 399_000, 400_000])
    sent: list[object] = []

    def work() -> Generator[int | None, object, str]:
        sent.append((yield 21_000))
        sent.append((yield None))
        sent.append((yield 50_000))
        yield None  # sealing: nobody's
        return "block"

    charged: list[tuple[int, int]] = []
    steps = measured(work(), lambda gas, us: charged.append((gas, us)), lambda: next(ticks))
    next(steps)
    for message in (None, None, True):
        steps.send(message)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "block"
    assert charged == [(21_000, 5), (50_000, 9)]
    assert sent == [None, None, True]


def test_the_clock_is_this_threads_work() -> None:
    """A transaction that computes is charged for it."""

    def work() -> Generator[int | None, object, None]:
        sum(range(1_000_000))
        yield 1

    charged: list[int] = []
    list(measured(work(), lambda _, us: charged.append(us)))
    assert charged[0] > 0


class _OneThread:
    """A state that only the thread which made it may read."""

    def __init__(self, state: ParentState) -> None:
        self._state = state
        self._owner = threading.get_ident()

    def account(self, address: bytes) -> Account | None:
        assert threading.get_ident() == self._owner
        return self._state.account(address)

    def storage(self, address: bytes, slot: int) -> int:
        assert threading.get_ident() == self._owner
        return self._state.storage(address, slot)

    def code(self, code_hash: bytes) -> bytes:
        assert threading.get_ident() == self._owner
        return self._state.code(code_hash)


def _when(ready: threading.Event, open_apart: Callable[[], AbstractContextManager[ParentState]]) -> Any:
    """The same, once somebody else has had a turn: who holds the loop waits in vain."""

    @contextmanager
    def opened() -> Iterator[ParentState]:
        assert ready.wait(20), "the loop stood still while a heavy transaction waited"
        with open_apart() as state:
            yield state

    return opened


def _stored(folder: Path, ready: threading.Event) -> tuple[SmallNetwork, Store]:
    """A network whose state is on disk, at genesis; heavy transactions run when ``ready`` is set."""
    network, store = stored_network(folder)
    tip = network.tip
    assert tip.open_apart is not None
    apart = _when(ready, tip.open_apart)
    return replace(network, tip=replace(tip, state=_OneThread(tip.state), open_apart=apart)), store


def _heavy() -> Transaction:
    """A creation that burns all of its gas: JUMPDEST PUSH1 0 JUMP."""
    return payment(0, to=None, data=bytes.fromhex("5b600056"), gas_limit=1_000_000)


@pytest.mark.trio
async def test_a_heavy_transaction_holds_nobody_up(tmp_path: Path) -> None:
    """While it runs, built or checked, other tasks go on; caches and shares stay with their own thread."""
    turned = threading.Event()
    network, store = _stored(tmp_path / "data", turned)
    owner = threading.get_ident()

    async def turn_over() -> None:
        for _ in range(5):
            await trio.sleep(0.001)
        turned.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn_over)
        production, pool = producer(network)
        put(pool, _heavy(), payment(1))
        block = await built(network, production)
    assert [tx.hash for tx in block.transactions] == [_heavy().hash, payment(1).hash]
    turned.clear()
    production, pool = producer(network)
    charged: list[int] = []

    def note(_sender: bytes, _class: SenderClass, gas: int) -> None:
        assert threading.get_ident() == owner
        charged.append(gas)

    _note_charges(production, pool, note)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(turn_over)
        await production.execute(network.tip, network.validators, network.validators, block)
    assert charged == [1_000_000, 21_000]
    store.close()


@pytest.mark.trio
async def test_a_heavy_transaction_is_left_alone_when_the_tip_moves(tmp_path: Path) -> None:
    """Its block is of no use any more: whoever waits for it goes on at once, and the next block finds all as before."""
    released = threading.Event()
    network, store = _stored(tmp_path / "data", released)
    production, pool = producer(network)
    put(pool, _heavy())
    with trio.move_on_after(0.1) as moved:
        await built(network, production)
    assert moved.cancelled_caught
    released.set()
    block = await built(network, production)
    assert [tx.hash for tx in block.transactions] == [_heavy().hash]
    store.close()


@pytest.mark.trio
async def test_a_transaction_that_outlasts_a_block_is_thrown_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block is built without it and what came behind; its sender pays for what was done in vain."""
    network, store = stored_network(tmp_path / "data")
    monkeypatch.setattr("alatau.engine.production._HEAVY_LEAST_S", 0.01)
    production, pool = producer(network, budget_s=0.01)
    slow = payment(1, to=None, data=bytes.fromhex("5b600056"), gas_limit=16_000_000)
    light, later = payment(0), payment(2)
    put(pool, light, slow, later)
    charged: list[tuple[bytes, int]] = []
    _note_charges(production, pool, lambda sender, _, gas: charged.append((sender, gas)))
    block = await built(network, production)
    assert [tx.hash for tx in block.transactions] == [light.hash]
    assert pool.departed(slow.hash) is Reason.TOO_SLOW
    assert charged == [(PAYER.address, 0)]
    await production.execute(network.tip, network.validators, network.validators, block)
    store.close()


def test_a_long_step_is_passed_on_and_told_of_in_the_next() -> None:
    """The host may take it in another thread; who is told of its cost is not called there."""
    told: list[tuple[int, int]] = []

    def work() -> Generator[Progress, object, None]:
        yield HEAVY
        yield 21_000
        yield 7

    steps = measured(work(), lambda gas, us: told.append((gas, us)), iter(range(0, 10**6, 1_000)).__next__)
    assert next(steps) is HEAVY
    assert next(steps) is None
    assert told == []
    next(steps)
    assert told == [(21_000, 2)]
    assert list(steps) == []
    assert [gas for gas, _ in told] == [21_000, 7]


@pytest.mark.trio
async def test_an_executed_block_says_how_long_it_took() -> None:
    """Seconds of this machine's clock, from the start of the execution to its end."""
    network = small_network()
    production, pool = producer(network)
    put(pool, payment(0))
    block = await built(network, production)
    production.forget()
    began = trio.current_time()
    await production.execute(network.tip, network.validators, network.validators, block)
    assert 0 < production.last_execution_s <= trio.current_time() - began


def test_what_was_thrown_out_counts_four_times() -> None:
    """No block pays for it, so its sender's share does, in microseconds."""
    production, pool = producer(small_network())
    put(pool, payment(0))
    pooled = pool.pooled(payment(0).hash)
    assert pooled is not None
    times: list[int] = []

    class Noting(_Noting):
        """Notes times, too."""

        def charge(self, *charged: Any) -> None:
            *_, time_us, _now_ms = charged
            times.append(time_us)

    production._mempool = cast("Mempool", Noting(pool, lambda *_: None))
    production._throw_out(pooled, 0.25)
    assert times == [1_000_000]
