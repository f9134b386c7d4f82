"""A node whose machine's clock is wrong: ``python -m alatau_devnet.attack.skewed_node SECONDS <arguments of alatau>``.

The node's own code sees both clocks that tell the time of day moved. Those that measure intervals are not, as on a real
machine; neither is the clock of gRPC, which reckons deadlines by the time of day and would find two in one process.
"""

import asyncio  # noqa: F401  its clock stays
import sys
import time
import types

import grpc.aio  # noqa: F401
import trio  # noqa: F401


def skew(seconds: float) -> None:
    """Move the time of day for every module that is imported from now on; libraries were imported before."""
    moved = types.ModuleType("time")
    moved.__dict__.update(vars(time))
    moved.__dict__["time"] = lambda: time.time() + seconds
    moved.__dict__["time_ns"] = lambda: time.time_ns() + int(seconds * 1e9)
    sys.modules["time"] = moved


if __name__ == "__main__":
    skew(float(sys.argv[1]))
    from alatau.cli.main import run

    sys.exit(run(sys.argv[2:]))
