"""A node whose machine's clock is wrong: ``python -m alatau_devnet.attack.skewed_node SECONDS <arguments of alatau>``.

Both clocks that tell the time of day are moved; those that measure intervals are not, as on a real machine.
"""

import sys
import time

from alatau.cli.main import run


def skew(seconds: float) -> None:
    """Move this process's time of day."""
    true_time, true_time_ns = time.time, time.time_ns
    time.time = lambda: true_time() + seconds
    time.time_ns = lambda: true_time_ns() + int(seconds * 1e9)


if __name__ == "__main__":
    skew(float(sys.argv[1]))
    sys.exit(run(sys.argv[2:]))
