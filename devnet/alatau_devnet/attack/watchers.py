"""What an attack does to the processes of the validators, and what else the machine had to do meanwhile."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.process_usage import usage_of
from alatau_devnet.processes import running_pid

_EVERY_S: Final = 0.5
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PROCESSORS: Final = os.cpu_count() or 1
_IDLE: Final = (3, 4)
"""Idle, and waiting for a disk: fields of the first line of /proc/stat (proc(5))."""
_GUEST: Final = 8
"""From here on the fields repeat what is in the first ones."""


@dataclass(slots=True)
class NodeUse:
    """The most that one node took."""

    pid: int | None
    rss_before: int
    rss_most: int
    descriptors_before: int
    descriptors_most: int


@dataclass(slots=True)
class ProcessorUse:
    """Who had this machine's processors in a stretch of time."""

    wall_s: float = 0.0
    victim_s: float = 0.0
    nodes_s: float = 0.0
    """All validators, the victim too."""
    attack_s: float = 0.0
    """The attacker's process and this one, the honest clients'."""
    busy_s: float = 0.0
    """Everybody, those that are none of ours too."""

    @property
    def others_share(self) -> float:
        """Share of the machine's processors that went to none of ours: other work here, or other guests of the host."""
        others_s = self.busy_s - self.nodes_s - self.attack_s
        return max(0.0, others_s) / (self.wall_s * _PROCESSORS) if self.wall_s else 0.0

    @property
    def victim_share(self) -> float:
        """Processors that the victim used, on average."""
        return self.victim_s / self.wall_s if self.wall_s else 0.0


@dataclass(slots=True)
class Watch:
    """What the nodes take from now on. :meth:`follow` must run."""

    network: Devnet
    nodes: dict[str, NodeUse] = field(default_factory=dict)
    use: ProcessorUse = field(default_factory=ProcessorUse)
    """Of the phase that is on."""
    _attacker: int | None = None
    _seen_s: dict[int, float] = field(default_factory=dict)
    _busy_s: float = 0.0
    _at_s: float = 0.0

    def __post_init__(self) -> None:
        for node in self.network.nodes:
            pid = running_pid(node.home)
            rss, descriptors = _use(pid)
            self.nodes[node.name] = NodeUse(pid, rss, rss, descriptors, descriptors)

    async def follow(self) -> None:
        """Look every half second until cancelled."""
        while True:
            for use in self.nodes.values():
                rss, descriptors = _use(use.pid)
                use.rss_most = max(use.rss_most, rss)
                use.descriptors_most = max(use.descriptors_most, descriptors)
            self._count_processors()
            await trio.sleep(_EVERY_S)

    def begin(self) -> ProcessorUse:
        """Count the processors for another phase from now on."""
        self._count_processors()
        self.use = ProcessorUse()
        return self.use

    @contextmanager
    def attacked_by(self, pid: int) -> Iterator[None]:
        """A process is ours and no validator's."""
        self._attacker = pid
        try:
            yield
        finally:
            self._count_processors()
            self._attacker = None

    def _count_processors(self) -> None:
        now, busy_s = trio.current_time(), _busy_s()
        pids = [running_pid(node.home) for node in self.network.nodes]
        ours = {pid for pid in (*pids, self._attacker, os.getpid()) if pid is not None}
        total_s = {pid: _cpu_s(pid) for pid in ours}
        if self._at_s:
            spent = {pid: cpu_s - self._seen_s.get(pid, 0.0) for pid, cpu_s in total_s.items()}
            nodes = {pid for pid in pids if pid is not None}
            self.use.wall_s += now - self._at_s
            self.use.busy_s += busy_s - self._busy_s
            self.use.victim_s += spent.get(pids[0] or 0, 0.0)
            self.use.nodes_s += sum(s for pid, s in spent.items() if pid in nodes)
            self.use.attack_s += sum(s for pid, s in spent.items() if pid not in nodes)
        self._at_s, self._busy_s, self._seen_s = now, busy_s, total_s

    @property
    def growth_bytes(self) -> int:
        """Growth of the node that grew most."""
        return max(use.rss_most - use.rss_before for use in self.nodes.values())

    @property
    def rss_most(self) -> int:
        """Memory of the largest node at its largest."""
        return max(use.rss_most for use in self.nodes.values())

    @property
    def descriptors_most(self) -> int:
        """Descriptors of the node that had most."""
        return max(use.descriptors_most for use in self.nodes.values())

    def died(self, *, restarted: bool = False) -> list[str]:
        """Nodes whose process is not the one of the beginning; where some were restarted, those that have none."""
        if restarted:
            return [node.name for node in self.network.nodes if running_pid(node.home) is None]
        return [node.name for node in self.network.nodes if not _lives(node, self.nodes[node.name].pid)]


def descriptors_of(pid: int) -> int:
    """Open descriptors of a process. Raises ``ProcessLookupError`` if it is gone."""
    try:
        return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except FileNotFoundError:
        raise ProcessLookupError(f"no process {pid}") from None


def _lives(node: DevnetNode, pid: int | None) -> bool:
    return pid is not None and running_pid(node.home) == pid


def _use(pid: int | None) -> tuple[int, int]:
    if pid is None:
        return 0, 0
    try:
        return usage_of(pid).rss_bytes, descriptors_of(pid)
    except ProcessLookupError:
        return 0, 0


def _cpu_s(pid: int) -> float:
    try:
        return usage_of(pid).cpu_s
    except ProcessLookupError:
        return 0.0


def _busy_s() -> float:
    """Processor time that was not idle since the machine started, of all processors."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return sum(value for at, value in enumerate(ticks[:_GUEST]) if at not in _IDLE) / _TICKS_PER_S
