"""What an attack does to the processes of the validators: do they live, how much memory and how many descriptors."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from alatau_devnet.network import Devnet, DevnetNode
from alatau_devnet.process_usage import usage_of
from alatau_devnet.processes import running_pid

_EVERY_S: Final = 0.5


@dataclass(slots=True)
class NodeUse:
    """The most that one node took."""

    pid: int | None
    rss_before: int
    rss_most: int
    descriptors_before: int
    descriptors_most: int


@dataclass(slots=True)
class Watch:
    """What the nodes take from now on. :meth:`follow` must run."""

    network: Devnet
    nodes: dict[str, NodeUse] = field(default_factory=dict)

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
            await trio.sleep(_EVERY_S)

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
