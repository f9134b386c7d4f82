"""Find transactions by who sent them and who was paid, where the operator wants the index.

A transaction has an entry under its sender and nonce, one in its sender's list, and one in its receiver's where it
carries value: three small records, some 120 bytes before LevelDB packs them. Money that a contract sends on is not in
it; events tell of that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from alatau.storage import schema
from alatau.storage.database import Database
from alatau.types.transaction import Transaction

_INDEX_SIZE: Final = 4
_PLACE_SIZE: Final = schema.HEIGHT_SIZE + _INDEX_SIZE
_LISTED: Final = b"\x01"
PAGE_MAX: Final = 1_000
"""Entries that one query gives at most."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a transaction stands."""

    height: int
    index: int


def account_records(
    height: int, transactions: Sequence[Transaction], senders: Sequence[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """The index entries of a block, as (key, value)."""
    for index, (tx, sender) in enumerate(zip(transactions, senders, strict=True)):
        place = _place_bytes(Place(height, index))
        yield _sent_key(sender, tx.nonce), place
        yield schema.ACCOUNT_TRANSACTIONS + sender + place, _LISTED
        if tx.to is not None and tx.value and tx.to != sender:
            yield schema.ACCOUNT_TRANSACTIONS + tx.to + place, _LISTED


def find_sent(db: Database, sender: bytes, nonce: int) -> Place | None:
    """Where the transaction of a sender with a nonce stands; None where it is not indexed."""
    found = db.get(_sent_key(sender, nonce))
    return None if found is None else _place(found)


def places_of(db: Database, address: bytes, first: Place, last_height: int, limit: int) -> tuple[list[Place], bool]:
    """Up to ``limit`` places of an account from ``first`` to the end of ``last_height``, and whether there are more."""
    prefix = schema.ACCOUNT_TRANSACTIONS + address
    found: list[Place] = []
    for key in db.keys(prefix + _place_bytes(first), prefix + _place_bytes(Place(last_height + 1, 0))):
        if len(found) == limit:
            return found, True
        found.append(_place(key[-_PLACE_SIZE:]))
    return found, False


def _sent_key(sender: bytes, nonce: int) -> bytes:
    return schema.SENT + sender + nonce.to_bytes(8, "big")


def _place_bytes(place: Place) -> bytes:
    return schema.height_key(place.height) + place.index.to_bytes(_INDEX_SIZE, "big")


def _place(encoded: bytes) -> Place:
    return Place(
        int.from_bytes(encoded[: schema.HEIGHT_SIZE], "big"), int.from_bytes(encoded[schema.HEIGHT_SIZE :], "big")
    )
