"""What blocks tell over time: their pace, their payload, who is missing from their commits."""

from collections import Counter

import trio

from alatau.app.metrics import Metrics
from alatau.chain.executed import ExecutedBlock
from alatau.rpc.node import Node
from alatau.types.validator import ValidatorSet

INTERVAL_S = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""From the shortest interval of a development network to several heartbeats of production."""


class BlockMetrics:
    """Counts committed blocks. Register, then run :meth:`follow` beside the node."""

    def __init__(self, metrics: Metrics) -> None:
        self._transactions = 0
        self._bytes = 0
        self._built: Counter[str] = Counter()
        self._absent: Counter[str] = Counter()
        self._last_at: float | None = None
        self._deciders: tuple[int, ValidatorSet | None] = (-1, None)
        """The height counted last, and those who decided it."""
        self._interval = metrics.histogram(
            "consensus_block_interval_seconds", "Time between two blocks as they are committed here.", INTERVAL_S
        )
        metrics.counter("consensus_txs_total", "Transactions in committed blocks.", lambda: self._transactions)
        metrics.counter("consensus_block_bytes_total", "Bytes of their transactions.", lambda: self._bytes)
        metrics.counter(
            "consensus_blocks_built_total", "Blocks by builder.", lambda: _by_label(self._built), ("validator",)
        )
        metrics.counter(
            "consensus_absent_commits_total",
            "Commits that a validator's precommit is missing from.",
            lambda: _by_label(self._absent),
            ("validator",),
        )

    async def follow(self, node: Node) -> None:
        """Until cancelled. A subscription that lagged is opened anew; blocks missed are not counted."""
        while True:
            with node.subscriptions.open() as blocks:
                async for executed in blocks:
                    self.count(node, executed, trio.current_time())

    def count(self, node: Node, executed: ExecutedBlock, now: float) -> None:
        """Count a block that was committed at ``now`` (seconds on any clock that only goes forward)."""
        block = executed.block
        if self._last_at is not None:
            self._interval.observe(now - self._last_at)
        self._last_at = now
        self._transactions += len(block.transactions)
        self._bytes += sum(len(tx.encoded) for tx in block.transactions)
        number = block.header.number
        before, self._deciders = self._deciders, (number, node.validators(number))
        validators = self._deciders[1]
        if validators is not None and (builder := validators.by_address.get(block.header.beneficiary)):
            self._built[builder.name] += 1
        # Those of the parent are of the past by now, and would be read from its state.
        signers = before[1] if before[0] == number - 1 else node.validators(number - 1)
        if block.last_commit is None or signers is None:
            return
        signed = {signature.validator for signature in block.last_commit.signatures}
        self._absent.update(v.name for v in signers.validators if v.address not in signed)


def _by_label(counted: Counter[str]) -> dict[tuple[str, ...], float]:
    return {(name,): count for name, count in counted.items()}
