"""The thread for reads: its turn, its pace, and that a caller may leave it."""

import threading
import time

import pytest
import trio

from alatau.rpc.limits import Limits
from alatau.rpc.state_worker import Piece, StateWorker
from alatau.storage.store import StoreOptions
from alatau.transport.errors import RpcError
from tests.support.solo_node import RESIDENT, SoloNode, solo_node
from tests.support.waiting import eventually


class Clock:
    """Time that passes only when told; sleeping lets it pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """The time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await trio.lowlevel.checkpoint()
        self.slept.append(seconds)
        self.now += seconds

    def work(self, seconds: float) -> None:
        """Something that takes this long."""
        self.now += seconds


ANY = Piece("a", "any")


@pytest.mark.trio
async def test_long_work_is_followed_by_as_long_a_rest(node: SoloNode) -> None:
    """Half of a core is left to the node, whatever clients ask; short work goes on at once."""
    clock = Clock()
    worker = StateWorker(node.store, Limits(), clock, clock.sleep)
    await worker.run(Piece("a", "long"), lambda: clock.work(0.5))
    await worker.run(Piece("b", "short"), lambda: clock.work(0.001))
    assert clock.slept == []  # the rest is the long lane's
    await worker.run(Piece("a", "long"), lambda: clock.work(0.5))
    assert clock.slept == pytest.approx([0.5], abs=0.01)  # some of it passed in the other lane
    clock.now += 0.3  # idle meanwhile: part of the rest is over
    await worker.run(Piece("a", "long"), lambda: clock.work(0.5))
    assert clock.slept == pytest.approx([0.5, 0.2], abs=0.01)
    clock.now += 10
    await worker.run(Piece("b", "short"), lambda: clock.work(0.04))
    await worker.run(Piece("b", "short"), lambda: clock.work(0.001))
    assert clock.slept == pytest.approx([0.5, 0.2, 0.04], abs=0.01)


@pytest.mark.trio
async def test_work_that_fails_needs_its_rest_too(node: SoloNode) -> None:
    """What a call raises reaches its caller, and costs what it took."""
    clock = Clock()
    worker = StateWorker(node.store, Limits(), clock, clock.sleep)

    def fail() -> None:
        clock.work(0.04)
        raise LookupError

    with pytest.raises(LookupError):
        await worker.run(ANY, fail)
    await worker.run(ANY, lambda: None)
    assert clock.slept == [pytest.approx(0.04)]


@pytest.mark.trio
async def test_a_caller_that_leaves_does_not_free_the_thread(node: SoloNode) -> None:
    """The next work waits until the abandoned one has ended: there is never more than one in a lane."""
    worker = StateWorker(node.store, Limits(call_time_s_max=0.05, call_wait_s_max=0.05))
    await worker.run(ANY, lambda: None)
    go_on, running = threading.Event(), []

    def long_work() -> None:
        running.append("first")
        go_on.wait()
        running.append("end of first")

    with pytest.raises(RpcError, match="CALL_TOO_SLOW"):
        await worker.run(ANY, long_work)
    with pytest.raises(RpcError, match="SERVER_BUSY") as caught:
        await worker.run(ANY, lambda: running.append("second"))
    assert caught.value.retry_after_s is not None
    go_on.set()
    worker = StateWorker(node.store, Limits())
    await worker.run(ANY, lambda: running.append("third"))
    await eventually(lambda: "end of first" in running)
    assert "second" not in running


@pytest.mark.trio
async def test_quick_work_does_not_wait_behind_long_work(node: SoloNode, nursery: trio.Nursery) -> None:
    """While one caller keeps 64 long calls under way, another's quick call is answered; a third's long one soon."""
    worker = StateWorker(node.store, Limits())
    looping, view, trace = Piece("a", "loop"), Piece("b", "view"), Piece("c", "trace")
    go_on, began = threading.Semaphore(0), []

    def loop() -> None:
        began.append("loop")
        go_on.acquire()
        time.sleep(0.06)

    go_on.release()
    await worker.run(looping, loop)  # now known to be long
    go_on.release()
    await worker.run(trace, loop)
    for _ in range(64):
        nursery.start_soon(worker.run, looping, loop)
    await eventually(lambda: len(began) == 3)
    with trio.fail_after(5):
        assert await worker.run(view, lambda: "seen") == "seen"
    before = len(began)
    nursery.start_soon(worker.run, trace, lambda: began.append("trace"))
    await trio.testing.wait_all_tasks_blocked(0.01)
    go_on.release()
    await eventually(lambda: "trace" in began)
    assert began[before] == "trace"
    nursery.cancel_scope.cancel()
    go_on.release(128)


@pytest.mark.trio
async def test_who_asked_for_long_work_has_the_unknown_in_the_long_lane(node: SoloNode) -> None:
    """Changing the function with each call does not keep an attacker in the quick lane; others are not blamed."""
    clock = Clock()
    worker = StateWorker(node.store, Limits(), clock, clock.sleep)
    await worker.run(Piece("a", 1), lambda: clock.work(1))
    assert worker._lane(Piece("a", 2)) is worker._long
    assert worker._lane(Piece("b", 2)) is worker._quick
    assert worker._lane(Piece("b", 1)) is worker._long
    clock.now += 11
    assert worker._lane(Piece("a", 2)) is worker._quick
    for _ in range(6):
        await worker.run(Piece("b", 1), lambda: clock.work(0.001))
    assert worker._lane(Piece("b", 1)) is worker._quick


@pytest.mark.trio
async def test_what_is_found_to_be_long_changes_lanes_before_it_runs(node: SoloNode, nursery: trio.Nursery) -> None:
    """Of 64 calls of a new kind that come at once the first one tells what the others are."""
    worker = StateWorker(node.store, Limits())
    looping = Piece("a", "loop")
    began = []

    def loop() -> None:
        began.append("loop")
        time.sleep(0.06)

    for _ in range(64):
        nursery.start_soon(worker.run, looping, loop)
    await eventually(lambda: len(began) >= 2)
    assert worker._quick.turns.waiting == 0
    with trio.fail_after(5):
        assert await worker.run(Piece("b", "view"), lambda: "seen") == "seen"
    nursery.cancel_scope.cancel()


@pytest.mark.trio
async def test_the_gas_of_long_calls_is_shared(node: SoloNode, nursery: trio.Nursery) -> None:
    """A long call gets its part of what there is; a quick one, or the only long one, gets all."""
    limits = Limits(call_gas_max=16_000_000, call_gas_least=3_000_000)
    worker = StateWorker(node.store, limits)
    go_on = threading.Event()
    pieces = [Piece(caller, ("loop", caller)) for caller in range(8)]
    for piece in pieces:
        worker._took[piece.kind] = 1.0
    assert worker.gas_max(pieces[0]) == 16_000_000
    given = []
    for piece in pieces:
        nursery.start_soon(worker.run, piece, go_on.wait)
        await trio.testing.wait_all_tasks_blocked(0.001)
        given.append(worker.gas_max(piece))
    assert given == [16_000_000, 8_000_000, 5_333_333, 4_000_000, 3_200_000, 3_000_000, 3_000_000, 3_000_000]
    assert worker.gas_max(Piece(1, "view")) == 16_000_000
    nursery.cancel_scope.cancel()
    go_on.set()


@pytest.mark.trio
async def test_a_state_that_is_pruned_meanwhile(node: SoloNode, tmp_path: object) -> None:
    """It could be read when the call came, not when its turn came: the caller is told so."""
    short = solo_node(tmp_path / "short", store_options=StoreOptions(history_blocks=1))
    worker = StateWorker(short.store, Limits())
    for _ in range(3):
        short.commit_block()
    with pytest.raises(RpcError, match="STATE_PRUNED"):
        await worker.on_state(ANY, 0, lambda state: state.account(RESIDENT.address))
    assert (await worker.on_state(ANY, 3, lambda state: state.account(RESIDENT.address))) is not None
    short.store.close()
