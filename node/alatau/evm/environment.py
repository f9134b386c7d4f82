"""What a contract can learn of the world around it, apart from the state."""

from collections.abc import Callable
from dataclasses import dataclass

from alatau.types.chain_config import Fork


@dataclass(frozen=True, slots=True)
class BlockEnvironment:
    """The block in which a transaction executes."""

    fork: Fork
    chain_id: int
    number: int
    timestamp: int
    """Seconds since 1970."""
    beneficiary: bytes
    """Receives the priority fees; 20 bytes."""
    gas_limit: int
    base_fee_per_gas: int
    """Wei; it is burnt."""
    prev_randao: bytes
    """32 bytes."""
    block_hash: Callable[[int], bytes]
    """Hash of one of the last 256 blocks, by number; asked for no other."""
    blob_base_fee: int = 1
    """Wei per blob gas; 1 is its least, and its value wherever no blobs are (EIP-4844)."""


@dataclass(frozen=True, slots=True)
class TransactionEnvironment:
    """The transaction that a message belongs to."""

    origin: bytes
    """Its sender."""
    gas_price: int
    """Wei that each unit of gas costs the sender."""
    blob_hashes: tuple[bytes, ...] = ()
