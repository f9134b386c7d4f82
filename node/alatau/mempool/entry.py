"""A transaction that waits, and the queue of its sender."""

from dataclasses import dataclass, field

from alatau.mempool.shares import SenderClass
from alatau.types.transaction import Transaction


@dataclass(slots=True)
class PooledTransaction:
    """A transaction that waits. Not frozen, because that would cost a fifth of an admission."""

    tx: Transaction
    sender: bytes
    tip: int
    """Wei per gas above the base fee."""
    cost: int
    """Wei: gas limit times fee cap plus value."""
    added_ms: int
    order: int
    """Counts admissions: the older of two goes first."""
    sender_class: SenderClass
    at_ms: int
    """Since when it waits in the order of a block: ``added_ms``, a heavy one's later, and not before the sender's
    transaction before it was taken. The one field that changes."""


@dataclass(slots=True)
class SenderQueue:
    """What waits of one sender."""

    nonce: int
    """The account's next nonce."""
    balance: int
    by_nonce: dict[int, PooledTransaction] = field(default_factory=dict)
    ready: int = 0
    """How many follow one another from ``nonce`` on."""
    cost: int = 0
    """Sum of the costs of all."""
    gas: int = 0
    """Sum of the gas limits of all."""
