"""What the peer network counted; read by observability, written by nobody else."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

_REASONS_MAX: Final = 64
"""Different reasons of one kind; a node knows about thirty. Some come from peers, who could make up any number."""


class Reasons(Counter[str]):
    """How often, by reason."""

    def note(self, reason: str) -> None:
        """Count one; a reason beyond the bound, or that is no word, counts as OTHER."""
        known = reason in self or (len(self) < _REASONS_MAX and reason.isidentifier() and len(reason) <= _REASONS_MAX)
        self[reason if known else "OTHER"] += 1


@dataclass(slots=True)
class Counters:
    """Totals since the start. Keys of the ``Counter`` fields become labels of metrics."""

    sessions_opened: int = 0
    sessions_ended: Reasons = field(default_factory=Reasons)
    sessions_refused: Reasons = field(default_factory=Reasons)
    dials_failed: Reasons = field(default_factory=Reasons)
    messages_in: Counter[str] = field(default_factory=Counter)
    """By kind."""
    messages_out: Counter[str] = field(default_factory=Counter)
    """By kind, once for each peer."""
    bytes_out: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Messages that a full queue dropped, by lane."""
    throttled: Counter[str] = field(default_factory=Counter)
    """Times that a message waited because its sender had used its budget, by lane."""
    transactions_in: int = 0
    """New ones."""
    transactions_duplicate: int = 0
    transactions_out: int = 0
    blocks_served: int = 0
    blocks_fetched: int = 0
    bans: Reasons = field(default_factory=Reasons)
