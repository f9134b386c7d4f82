"""What the peer network counted; read by observability, written by nobody else."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Totals since the start. Keys of the ``Counter`` fields become labels of metrics."""

    sessions_opened: int = 0
    sessions_ended: Counter[str] = field(default_factory=Counter)
    """By reason."""
    sessions_refused: Counter[str] = field(default_factory=Counter)
    """By reason."""
    dials_failed: Counter[str] = field(default_factory=Counter)
    """By reason."""
    messages_in: Counter[str] = field(default_factory=Counter)
    """By kind."""
    messages_out: Counter[str] = field(default_factory=Counter)
    """By kind, once for each peer."""
    bytes_out: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Messages that a full queue dropped, by lane."""
    transactions_in: int = 0
    """New ones."""
    transactions_duplicate: int = 0
    transactions_out: int = 0
    blocks_served: int = 0
    blocks_fetched: int = 0
    bans: Counter[str] = field(default_factory=Counter)
    """By reason."""
