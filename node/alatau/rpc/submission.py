"""Offering transactions to the pool: what every way in has in common, whatever form its answers have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alatau.crypto.keccak import keccak256
from alatau.rpc.access import Access, caller_of
from alatau.rpc.failures import failure
from alatau.rpc.limits import Limits
from alatau.rpc.node import Node, Refusal
from alatau.transport.call import Call
from alatau.wire.transaction import TransactionState

_REASONS_OF_REPETITION = frozenset({"NONCE_TOO_LOW"})
"""What the pool says of a transaction that is final already: its nonce is used up, by itself."""


@dataclass(frozen=True, slots=True)
class _TooLarge:
    """Refused here, before it costs the pool anything."""

    message: str
    reason: str = "TRANSACTION_TOO_LARGE"
    retry_after_s: float | None = None
    next_nonce: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)


class Submission:
    """Takes what callers offer, within their rates."""

    def __init__(self, node: Node, access: Access, limits: Limits) -> None:
        self._node = node
        self._access = access
        self._limits = limits

    async def offer(
        self, transactions: Sequence[bytes], call: Call
    ) -> list[tuple[TransactionState | None, Refusal | None]]:
        """Offer ``transactions`` and say for each its state or why it was refused.

        Raises:
            RpcError: NODE_CUT_OFF, where they would wait here and nowhere else; RATE_LIMITED.
        """
        if (cut_off := self._node.cut_off()) is not None:
            raise failure("NODE_CUT_OFF", f"{cut_off} Ask another node.")
        self._access.spend_transactions(call, len(transactions))
        size_max = self._limits.transaction_bytes_max
        too_large = {index for index, tx in enumerate(transactions) if len(tx) > size_max}
        offered = [tx for index, tx in enumerate(transactions) if index not in too_large]
        answers = iter(await self._node.admission.submit(offered, caller_of(call)) if offered else ())
        results: list[tuple[TransactionState | None, Refusal | None]] = []
        for index, transaction in enumerate(transactions):
            if index in too_large:
                results.append((None, _TooLarge(f"transaction has {len(transaction)} bytes, more than {size_max}")))
                continue
            refusal = next(answers)
            if refusal is None:
                results.append((TransactionState.POOLED, None))
            elif refusal.reason in _REASONS_OF_REPETITION and self.is_final(keccak256(transaction)):
                results.append((TransactionState.FINAL, None))
            else:
                results.append((None, refusal))
        return results

    def is_final(self, transaction_hash: bytes) -> bool:
        """Whether a decided block has a transaction."""
        return self._node.store.find_transaction(transaction_hash) is not None
