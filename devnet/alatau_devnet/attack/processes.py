"""Faults of whole processes: validators that are stopped, as a machine that swaps or a debugger stops them."""

import os
import signal

import trio

from alatau_devnet.attack.scene import Scene
from alatau_devnet.processes import running_pid


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
