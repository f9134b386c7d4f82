"""A proof of a day comes over the wire as it was; what is none is refused."""

import pytest

from alatau.channels.day_book import DayEntry, day_book, is_in_book
from alatau.pb.channel.v1 import channel_service_pb2
from alatau.wire.bounds import WireError
from alatau.wire.day_proof import read_day_proof, write_day_proof

_pb = channel_service_pb2
ROWS = tuple(DayEntry(bytes([number]) * 32, 10 * number, 9 * number) for number in range(1, 6))


def test_every_entry_of_a_book() -> None:
    """Each leads to the totals after it was read."""
    book = day_book(ROWS)
    for index, entry in enumerate(ROWS):
        sent = write_day_proof((book.totals, entry, index, book.proof(index)))
        totals, found, place, siblings = read_day_proof(entry.channel_id, sent)
        assert (totals, found, place) == (book.totals, entry, index)
        assert is_in_book(totals, found, place, siblings)


def test_what_is_no_proof() -> None:
    """A place beyond the book, a root that is none, more nodes than a tree has."""
    book = day_book(ROWS)
    for change in ({"index": 5}, {"tree": b"\x01"}, {"entries": 0}, {"siblings": [_pb.DayNode(hash=bytes(32))] * 21}):
        sent = write_day_proof((book.totals, ROWS[0], 0, book.proof(0)))
        for name, value in change.items():
            if name == "siblings":
                sent.siblings.extend(value)  # type: ignore[arg-type]
            else:
                setattr(sent, name, value)
        with pytest.raises(WireError):
            read_day_proof(ROWS[0].channel_id, sent)
