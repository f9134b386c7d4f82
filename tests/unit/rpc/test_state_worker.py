"""The thread for reads: its turn, its pace, and that a caller may leave it."""

import threading

import pytest
import trio

from alatau.rpc.limits import Limits
from alatau.rpc.state_worker import StateWorker
from alatau.storage.store import StoreOptions
from alatau.transport.errors import RpcError
from tests.unit.rpc.solo_node import RESIDENT, SoloNode, solo_node


class Clock:
    """Time that passes only when told; sleeping lets it pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        """The time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds

    def work(self, seconds: float) -> None:
        """Something that takes this long."""
        self.now += seconds


@pytest.mark.trio
async def test_long_work_is_followed_by_as_long_a_rest(node: SoloNode) -> None:
    """Half of a core is left to the node, whatever clients ask; short work goes on at once."""
    clock = Clock()
    worker = StateWorker(node.store, Limits(), clock, clock.sleep)
    await worker.run(lambda: clock.work(0.5))
    await worker.run(lambda: clock.work(0.001))
    assert clock.slept == [0.5]
    await worker.run(lambda: clock.work(0.001))
    assert clock.slept == [0.5]
    await worker.run(lambda: clock.work(0.5))
    clock.now += 0.3  # idle meanwhile: part of the rest is over
    await worker.run(lambda: clock.work(0.001))
    assert clock.slept == pytest.approx([0.5, 0.2])


@pytest.mark.trio
async def test_work_that_fails_needs_its_rest_too(node: SoloNode) -> None:
    """What a call raises reaches its caller, and costs what it took."""
    clock = Clock()
    worker = StateWorker(node.store, Limits(), clock, clock.sleep)

    def fail() -> None:
        clock.work(0.25)
        raise LookupError

    with pytest.raises(LookupError):
        await worker.run(fail)
    await worker.run(lambda: None)
    assert clock.slept == [0.25]


@pytest.mark.trio
async def test_a_caller_that_leaves_does_not_free_the_thread(node: SoloNode) -> None:
    """The next work waits until the abandoned one has ended: there is never more than one."""
    worker = StateWorker(node.store, Limits(call_time_s_max=0.05))
    go_on, running = threading.Event(), []

    def long_work() -> None:
        running.append("first")
        go_on.wait()
        running.append("end of first")

    with pytest.raises(RpcError, match="CALL_TOO_SLOW"):
        await worker.run(long_work)
    with pytest.raises(RpcError, match="CALL_TOO_SLOW"):
        await worker.run(lambda: running.append("second"))
    go_on.set()
    with trio.fail_after(5):
        while True:
            try:
                await worker.run(lambda: running.append("third"))
            except RpcError:
                continue
            break
    assert running[:3] == ["first", "end of first", "third"]
    assert "second" not in running


@pytest.mark.trio
async def test_a_state_that_is_pruned_meanwhile(node: SoloNode, tmp_path: object) -> None:
    """It could be read when the call came, not when its turn came: the caller is told so."""
    short = solo_node(tmp_path / "short", store_options=StoreOptions(history_blocks=1))
    worker = StateWorker(short.store, Limits())
    for _ in range(3):
        short.commit_block()
    with pytest.raises(RpcError, match="STATE_PRUNED"):
        await worker.on_state(0, lambda state: state.account(RESIDENT.address))
    assert (await worker.on_state(3, lambda state: state.account(RESIDENT.address))) is not None
    short.store.close()
