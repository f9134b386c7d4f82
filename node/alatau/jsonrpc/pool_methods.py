"""``txpool_*``: what waits in this node's pool, as geth shows it."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Final

from alatau.jsonrpc.asked import Asked, Encoded
from alatau.jsonrpc.envelope import encode
from alatau.jsonrpc.transactions import transaction_object
from alatau.jsonrpc.values import data, quantity, read_address
from alatau.mempool.entry import PooledTransaction
from alatau.rpc.services import Parts

SHOWN_MAX: Final = 4_096
"""Transactions in one answer: the oldest of each sender first; a full pool would be 40 MB of JSON."""


class PoolMethods:
    """The pool by sender and nonce."""

    def __init__(self, parts: Parts) -> None:
        self._node = parts.node

    async def status(self, asked: Asked) -> Any:
        """How many wait for a block, and how many behind a missing nonce."""
        asked.most(0)
        everything = self._node.mempool.everything()
        queued = sum(map(self._is_queued, everything))
        return {"pending": quantity(len(everything) - queued), "queued": quantity(queued)}

    async def content(self, asked: Asked) -> Any:
        """Transactions by sender and nonce."""
        asked.most(0)
        return self._shown(self._node.mempool.everything()[:SHOWN_MAX], _object)

    async def content_from(self, asked: Asked) -> Any:
        """Those of one sender, by nonce."""
        asked.most(1)
        address = asked.at(0, read_address)
        own = [pooled for pooled in self._node.mempool.everything() if pooled.sender == address]
        ready = {str(pooled.tx.nonce): _object(pooled) for pooled in own if not self._is_queued(pooled)}
        queued = {str(pooled.tx.nonce): _object(pooled) for pooled in own if self._is_queued(pooled)}
        return {"pending": ready, "queued": queued}

    async def inspect(self, asked: Asked) -> Any:
        """The same as ``content``, in words."""
        asked.most(0)
        return self._shown(self._node.mempool.everything()[:SHOWN_MAX], _words)

    def _shown(self, everything: Iterable[PooledTransaction], show: Callable[[PooledTransaction], Any]) -> Encoded:
        by_kind: dict[str, dict[str, dict[str, Any]]] = {"pending": defaultdict(dict), "queued": defaultdict(dict)}
        for pooled in everything:
            kind = "queued" if self._is_queued(pooled) else "pending"
            by_kind[kind][data(pooled.sender)][str(pooled.tx.nonce)] = show(pooled)
        return Encoded(encode(by_kind))

    def _is_queued(self, pooled: PooledTransaction) -> bool:
        return self._node.mempool.missing_nonce(pooled.tx.hash) is not None


def _object(pooled: PooledTransaction) -> dict[str, Any]:
    return transaction_object(pooled.tx, pooled.sender, None)


def _words(pooled: PooledTransaction) -> str:
    tx = pooled.tx
    to = "contract creation" if tx.to is None else data(tx.to)
    return f"{to}: {tx.value} wei + {tx.gas_limit} gas x {tx.max_fee_per_gas} wei"
