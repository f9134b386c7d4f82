"""How much may wait, and for how long."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MempoolLimits:
    """Bounds of a mempool. The defaults keep it below about 60 MB, of a node's 200."""

    count_max: int = 16_384
    """Transactions. At 600 payments a second, 27 s of backlog; a decoded transfer takes about 2 kB."""
    size_bytes_max: int = 32 * 1024 * 1024
    """Sum of the encoded sizes: eight full blocks."""
    transaction_size_bytes_max: int = 128 * 1024
    """One encoded transaction; what other Ethereum nodes take."""
    gas_limit_max: int = 100_000_000
    """Gas limit of one transaction: the block's, since a block could never take more."""
    per_sender_max: int = 1_024
    """Transactions of one sender: a hub that pays thousands needs room, a spammer must not fill the pool."""
    per_sender_gas_max: int = 800_000_000
    """Sum of the gas limits of one sender: eight blocks', what its share could use in a minute or so. A single
    transaction always may wait."""
    gas_max: int = 25_600_000_000
    """Sum of the gas limits of all: 256 blocks', as many as ``count_max`` payments ask for (1.6 billion) many times
    over; it keeps what asks for whole blocks from filling the pool."""
    gap_max: int = 64
    """How far a nonce may lie beyond the next one that is missing: what a client's parallel sends may reorder."""
    queued_max: int = 2_048
    """Transactions behind a gap, of all senders together: no block can take them, so they may hold only an
    eighth of the pool."""
    lifetime_ms: int = 3 * 60 * 60 * 1_000
    """A transaction that no block took for three hours is forgotten; its sender may send it again."""
    queued_lifetime_ms: int = 5 * 60 * 1_000
    """One behind a gap goes sooner."""
    replacement_wait_ms: int = 10_000
    """A transaction that pays no more than the one it replaces may do so once that one waited this long."""
