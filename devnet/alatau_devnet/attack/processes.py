"""Faults of whole processes: validators that stand still, as on a machine that swaps, or whose clock is wrong."""

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import trio

from alatau_devnet.attack.scene import Scene
from alatau_devnet.errors import DevnetError
from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.processes import LOG_NAME, running_pid, start_process, stop_processes
from alatau_devnet.watch import height_of, wait_until

OFFERED: Final = "heavy block offered at height"
"""Begins what a heavy proposer says of each of its blocks."""
_ALATAU: Final = ("alatau.cli",)
_CATCH_UP_S: Final = 60.0
"""For a node to start and to reach the height at which the others were."""


async def stop_one(scene: Scene, seconds: float) -> object:
    """SIGSTOP one validator of four, then let it go on."""
    return await _stop(scene, seconds, 1)


async def stop_two(scene: Scene, seconds: float) -> object:
    """SIGSTOP two validators of four: no quorum is left until they go on."""
    return await _stop(scene, seconds, 2)


async def _stop(scene: Scene, seconds: float, count: int) -> object:
    pids = [running_pid(node.home) for node in scene.network.nodes[-count:]]
    stopped = [pid for pid in pids if pid is not None]
    try:
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        await trio.sleep(seconds)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
    return f"{len(stopped)} stopped for {seconds:.0f} s"


async def clock_ahead(scene: Scene, seconds: float) -> object:
    """One validator's clock an hour ahead."""
    return await _skew(scene, 1, seconds, 3_600.0)


async def clock_behind(scene: Scene, seconds: float) -> object:
    """One validator's clock an hour behind."""
    return await _skew(scene, 1, seconds, -3_600.0)


async def two_clocks_ahead(scene: Scene, seconds: float) -> object:
    """Two validators' clocks three seconds ahead: within what proposals may be off, and half of the power."""
    return await _skew(scene, 2, seconds, 3.0)


async def heavy_proposer(scene: Scene, seconds: float) -> object:
    """One validator fills its own blocks with the slowest code, and heeds no clock."""
    async with heavy_proposals(scene.network) as offered:
        await trio.sleep(seconds)
        return f"{offered()} blocks offered in {seconds:.0f} s"


@asynccontextmanager
async def heavy_proposals(network: Devnet) -> AsyncIterator[Callable[[], int]]:
    """The last validator is such a proposer meanwhile; gives how many blocks it has offered since it had caught up."""
    node, witness = network.nodes[-1], network.nodes[0]
    log = node.home / LOG_NAME
    await trio.to_thread.run_sync(_restart, node, ("alatau_devnet.attack.heavy_proposer_node",), witness)
    from_byte = log.stat().st_size
    try:
        yield lambda: log.read_bytes()[from_byte:].count(OFFERED.encode())
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(_restart, node, _ALATAU, witness)


async def _skew(scene: Scene, count: int, seconds: float, offset_s: float) -> object:
    """Run nodes with a wrong clock for a while, then with the right one.

    One is restarted after the other, and each must have caught up before the next: a quorum stays.
    """
    nodes = scene.network.nodes[-count:]
    witness = scene.network.nodes[0]
    for node in nodes:
        await trio.to_thread.run_sync(_restart, node, _skewed(offset_s), witness)
    await trio.sleep(seconds)
    for node in nodes:
        await trio.to_thread.run_sync(_restart, node, _ALATAU, witness)
    return f"{len(nodes)} ran with a clock off by {offset_s:+,.0f} s for {seconds:.0f} s"


def _skewed(offset_s: float) -> tuple[str, ...]:
    return ("alatau_devnet.attack.skewed_node", f"{offset_s}")


def _restart(node: DevnetNode, program: tuple[str, ...], witness: DevnetNode) -> None:
    stop_processes([node.home])
    start_process(node.home, program)
    target = height_of(witness)
    if not wait_until(lambda: height_of(node) >= target, _CATCH_UP_S):
        raise DevnetError(f"{node.name} did not reach height {target} within {_CATCH_UP_S:.0f} s of its restart")
