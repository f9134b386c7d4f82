"""Energy: what the processor's own meters say (RAPL, powercap), or processor time at a stated power.

Linux gives RAPL's counters under /sys/class/powercap; most systems let only root read them, and few virtual machines
have them. Processor time at a power that the reader can check against the data sheet is the other way.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_POWERCAP: Final = Path("/sys/class/powercap")
WATTS_PER_CORE: Final = 15.0
"""A busy core of a server with its share of all else: 64 cores at 600 W, and half as much again for cooling."""
_J_PER_WH: Final = 3_600


@dataclass(frozen=True, slots=True)
class Energy:
    """What payments took, all nodes together."""

    joules_per_payment: float
    wh_per_million_payments: float
    source: str
    """``rapl``: the whole package, the load generator and everything else included; ``cpu``: the nodes' processor time
    at ``watts_per_core``."""
    watts_per_core: float


def rapl_joules(folder: Path = _POWERCAP) -> float | None:
    """The sum of the packages' counters; None where there are none or they may not be read."""
    try:
        counters = [
            int((zone / "energy_uj").read_text())
            for zone in folder.glob("intel-rapl:*")
            if (zone / "name").read_text().startswith("package")
        ]
    except (OSError, ValueError):
        return None
    return sum(counters) / 1e6 if counters else None


def energy(
    payments: int, cpu_s: float, before: float | None, after: float | None, watts_per_core: float = WATTS_PER_CORE
) -> Energy:
    """What ``payments`` took, from two readings of RAPL, or from ``cpu_s`` where a reading is missing or wrapped."""
    metered = before is not None and after is not None and after > before
    joules = after - before if metered and after is not None and before is not None else cpu_s * watts_per_core
    each = joules / payments
    return Energy(
        joules_per_payment=round(each, 5),
        wh_per_million_payments=round(each * 1e6 / _J_PER_WH, 2),
        source="rapl" if metered else "cpu",
        watts_per_core=watts_per_core,
    )
