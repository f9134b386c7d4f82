"""What becomes of a transaction on admission."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a transaction is not pooled. The names are those of the client API's error catalogue."""

    ALREADY_KNOWN = "ALREADY_KNOWN"
    """This very transaction waits already: nothing to do, sending it again is no error."""
    NONCE_TOO_LOW = "NONCE_TOO_LOW"
    """Sender's fault: a final transaction has this nonce. Sign with the account's next nonce."""
    NONCE_GAP_TOO_LARGE = "NONCE_GAP_TOO_LARGE"
    """Sender's fault: send the missing nonces first."""
    UNDERPRICED = "UNDERPRICED"
    """Sender's fault: below the base fee, or pays too little more than the transaction it would replace."""
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    """Sender's fault: gas limit times fee plus value of what waits exceeds the balance."""
    GAS_LIMIT_TOO_HIGH = "GAS_LIMIT_TOO_HIGH"
    """Sender's fault: no block could take it."""
    TRANSACTION_TOO_LARGE = "TRANSACTION_TOO_LARGE"
    """Sender's fault: more bytes than one transaction may have."""
    POOL_FULL = "POOL_FULL"
    """Nobody's fault: the pool, or this sender's share of it, is used up. Send again later."""
    EXPIRED = "EXPIRED"
    """Waited too long; only ever a reason for leaving the pool."""
    REFUSED = "REFUSED"
    """The block builder found that the state refuses it; only ever a reason for leaving the pool."""
    TOO_SLOW = "TOO_SLOW"
    """Sender's fault: it took longer than a block may be built; only ever a reason for leaving the pool."""
    REPLACED = "REPLACED"
    """Another transaction with its nonce took its place; only ever a reason for leaving the pool."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A transaction that left the pool without being in a block."""

    hash: bytes
    reason: Reason


@dataclass(frozen=True, slots=True)
class Admitted:
    """The transaction waits now. Pass it on to peers."""

    ready: bool
    """False behind a gap: a block can take it only after the nonces before it arrive."""
    dropped: tuple[Dropped, ...] = ()
    """What had to go for it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The transaction does not wait here."""

    reason: Reason
    message: str
    """For people: found and expected values."""
    dropped: tuple[Dropped, ...] = ()
    """What it outranked, and had to go before it was clear that the room gained was not enough."""
    next_nonce: int | None = None
    """Where the nonce is what is wrong: the one to send next."""
    retry_after_ms: int | None = None
    """Where waiting alone helps, and the time is known."""
    values: Mapping[str, int] = field(default_factory=dict)
    """What the message says in words, for programs; names are those of the client API's errors."""
