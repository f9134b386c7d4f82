"""Which block is meant: a number, a tag, a hash, or the object of EIP-1898.

Whatever is decided is final, so ``latest``, ``safe`` and ``finalized`` are one block. ``pending`` is the block that
would be proposed now: for reads of state it is the tip too, for calls its number and time are those to come.
"""

from dataclasses import dataclass
from typing import Any, Final

from alatau.jsonrpc.errors import invalid_params, unknown_block
from alatau.jsonrpc.values import field, read_bool, read_hash, read_uint64
from alatau.rpc.final_block import tip_height
from alatau.storage.store import Store

_TIP: Final = frozenset({"latest", "safe", "finalized"})


@dataclass(frozen=True, slots=True)
class BlockId:
    """A block as a caller names it."""

    height: int | None = None
    """By number; None for the tip, or where there is a hash."""
    hash: bytes | None = None
    pending: bool = False


LATEST: Final = BlockId()
PENDING: Final = BlockId(pending=True)
EARLIEST: Final = BlockId(height=0)


def read_block_id(value: Any) -> BlockId:
    """A number, a tag, or an object with ``blockNumber`` or ``blockHash``; a bare hash too, as geth takes it."""
    if isinstance(value, dict):
        return _read_object(value)
    if isinstance(value, str) and len(value) == 66:
        return BlockId(hash=read_hash(value))
    return read_block_number(value)


def read_block_number(value: Any) -> BlockId:
    """A number or a tag."""
    if value in _TIP:
        return LATEST
    if value == "pending":
        return PENDING
    if value == "earliest":
        return EARLIEST
    return BlockId(height=read_uint64(value))


def _read_object(value: dict[str, Any]) -> BlockId:
    hash_, number = field(value, "blockHash", read_hash), field(value, "blockNumber", read_block_number)
    field(value, "requireCanonical", read_bool)  # every block that is known here is canonical
    if (hash_ is None) == (number is None):
        raise invalid_params("expected either blockHash or blockNumber")
    return BlockId(hash=hash_) if number is None else number


def find_height(store: Store, block: BlockId) -> int | None:
    """The height of a decided block; None where there is none."""
    if block.hash is not None:
        return store.height_of(block.hash)
    tip = tip_height(store)
    if block.height is None:
        return tip
    return block.height if block.height <= tip else None


def height_of(store: Store, block: BlockId) -> int:
    """The same; raises ``JsonRpcError`` "header not found"."""
    height = find_height(store, block)
    if height is None:
        raise unknown_block()
    return height
