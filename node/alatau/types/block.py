"""A block: header, transactions, and the commit of its parent."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeVar, cast

from alatau.codec import rlp
from alatau.crypto.keccak import keccak256
from alatau.types.header import Header, encode_header, header_from_item, header_hash
from alatau.types.transaction import Transaction, decode_transaction
from alatau.types.vote import Commit, commit_from_item, commit_item

T = TypeVar("T")

_PREFIX_MAX: Final = 4
"""Bytes of RLP before a string or list below 16 MiB."""

STEP: Final = 200
"""Transactions read between two pauses: about 2 ms."""

_PART_ITEMS_MAX: Final = 1_024
"""Items in a header, which has 22, or in a commit, which has 5 and 3 more for each validator: 339 validators."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block. Its identity is the header's hash and does not depend on the round that decided it."""

    header: Header
    transactions: tuple[Transaction, ...]
    last_commit: Commit | None
    """The commit of the parent; None in genesis and in the first block."""
    hash: bytes = field(init=False)
    """keccak256 of the header's RLP."""

    def __post_init__(self) -> None:
        """Hash once."""
        object.__setattr__(self, "hash", header_hash(self.header))


def encode_block(block: Block) -> bytes:
    """RLP of (header, transactions as envelope strings, commit or empty list), for the wire and the store."""
    commit: rlp.Item = [] if block.last_commit is None else commit_item(block.last_commit)
    payload = encode_header(block.header) + rlp.encode([tx.encoded for tx in block.transactions]) + rlp.encode(commit)
    return rlp.wrap_list(payload)


def block_size(block: Block) -> int:
    """Bytes of :func:`encode_block`, or at most four more a transaction and sixteen in all: nothing is encoded."""
    commit = 0 if block.last_commit is None else len(rlp.encode(commit_item(block.last_commit)))
    transactions = sum(len(tx.encoded) + _PREFIX_MAX for tx in block.transactions)
    return len(encode_header(block.header)) + transactions + commit + 4 * _PREFIX_MAX


def decode_block(data: bytes) -> Block:
    """Read a block; raises ``RlpError`` or ``TransactionError``. Checks form only, not validity."""
    return last(decode_block_in_steps(data))


def decode_block_in_steps(
    data: bytes, known: Callable[[bytes], Transaction | None] | None = None
) -> Generator[None, None, Block]:
    """The same with a pause after every ``STEP`` transactions, so that a host can do something else in between.

    ``known`` gives a transaction by its hash where one is at hand, which saves most of the work.
    """
    parts = list(islice(rlp.split_list(data), 4))
    if len(parts) != 3:
        raise rlp.RlpError("a block has three parts")
    header, commit = (rlp.decode(part, _PART_ITEMS_MAX) for part in (parts[0], parts[2]))
    transactions: list[Transaction] = []
    for item in rlp.split_list(parts[1]):
        envelope = rlp.to_bytes(rlp.decode(item, 1))
        found = None if known is None else known(keccak256(envelope))
        transactions.append(decode_transaction(envelope) if found is None else found)
        if not len(transactions) % STEP:
            yield
    return Block(
        header=header_from_item(header),
        transactions=tuple(transactions),
        last_commit=None if commit == [] else commit_from_item(commit),
    )


def last(steps: Generator[Any, Any, T]) -> T:
    """Run steps to their end without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return cast("T", end.value)
