"""A hub's book of a day as a sum tree: debits = credits + fees, and proofs that an entry is in it.

Each node is hashed with the sums of its children, so a proof of an entry also proves that its amounts are in the
totals (DayBook.vy checks the same; Chalkias, Lewi, Mohassel and Nikolaenko, "Distributed Auditing Proofs of
Liabilities", 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alatau.channels.messages import uint_word
from alatau.crypto.keccak import keccak256

ENTRIES_MAX: Final = 1 << 20
"""Channels in a book (the contract's bound on the depth of proofs)."""

SUM_MAX: Final = 2**128 - 1
"""Largest sum of a day (the contract's bound)."""


@dataclass(frozen=True, slots=True)
class DayEntry:
    """What the owner of a channel paid and received on a day."""

    channel_id: bytes
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class Node:
    """A hash with the sums under it."""

    hash: bytes
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class DayTotals:
    """What a hub posts."""

    tree: bytes
    debits: int
    credits: int
    fees: int
    """What the hub kept: debits - credits."""
    entries: int


@dataclass(frozen=True, slots=True)
class DayBook:
    """All rows of the tree, from the leaves to the root."""

    rows: tuple[tuple[Node, ...], ...]
    entries: int

    @property
    def totals(self) -> DayTotals:
        """What commits to the book."""
        (root,) = self.rows[-1]
        return DayTotals(root.hash, root.debits, root.credits, root.debits - root.credits, self.entries)

    def proof(self, index: int) -> tuple[Node, ...]:
        """The nodes beside the way from entry ``index`` up to the root."""
        assert 0 <= index < self.entries, "no such entry"
        siblings = []
        for row in self.rows[:-1]:
            siblings.append(row[index ^ 1])
            index //= 2
        return tuple(siblings)


_NOTHING: Final = Node(bytes(32), 0, 0)
"""Fills up an odd row."""


def day_book(entries: Sequence[DayEntry]) -> DayBook:
    """The book of a day.

    Raises:
        ValueError: no entries or too many, an amount out of range, or more received than paid.
    """
    if not 0 < len(entries) <= ENTRIES_MAX:
        raise ValueError(f"{len(entries)} entries; from 1 to {ENTRIES_MAX}")
    if any(min(entry.debits, entry.credits) < 0 for entry in entries):
        raise ValueError("an amount is negative")
    fees = sum(entry.debits - entry.credits for entry in entries)
    if fees < 0:
        raise ValueError(f"{-fees} more was received than paid")
    if sum(entry.debits for entry in entries) > SUM_MAX:
        raise ValueError("the sum of a day is out of range")
    row = tuple(Node(leaf_hash(entry), entry.debits, entry.credits) for entry in entries)
    rows = []
    while len(row) > 1:
        if len(row) % 2:
            row = (*row, _NOTHING)
        rows.append(row)
        row = tuple(_parent(left, right) for left, right in zip(row[::2], row[1::2], strict=True))
    return DayBook((*rows, row), len(entries))


def leaf_hash(entry: DayEntry) -> bytes:
    """keccak256 of the entry's three words."""
    return keccak256(entry.channel_id + uint_word(entry.debits) + uint_word(entry.credits))


def is_in_book(totals: DayTotals, entry: DayEntry, index: int, siblings: Sequence[Node]) -> bool:
    """Whether hashes and sums lead from ``entry`` to ``totals``: the contract's check."""
    node = Node(leaf_hash(entry), entry.debits, entry.credits)
    place = index
    for sibling in siblings:
        node = _parent(node, sibling) if place % 2 == 0 else _parent(sibling, node)
        place //= 2
    sums = (totals.tree, totals.debits, totals.credits)
    adds_up = totals.debits == totals.credits + totals.fees
    return adds_up and index < totals.entries and place == 0 and (node.hash, node.debits, node.credits) == sums


def _parent(left: Node, right: Node) -> Node:
    words = (
        left.hash + uint_word(left.debits) + uint_word(left.credits),
        right.hash + uint_word(right.debits) + uint_word(right.credits),
    )
    return Node(keccak256(b"".join(words)), left.debits + right.debits, left.credits + right.credits)
