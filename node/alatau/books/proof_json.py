"""An owner's proof of a day as a file: one JSON record, which a resident keeps and anybody checks against the chain.

Amounts are token units, as digits in a string. Checked is it by :func:`alatau.books.day_root.is_included` with the word
that ``DayBook.day_root(hub, day)`` holds, and that hub and chain are the right ones.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from alatau.books.calendar import DAY_MAX, day_date
from alatau.books.day_export import Heading
from alatau.books.day_root import Inclusion
from alatau.books.json_export import VERSION
from alatau.books.json_record import Record, read_record
from alatau.channels.day_book import ENTRIES_MAX, SUM_MAX, DayEntry, DayTotals, Node
from alatau.codec.plain_text import plain_text

_DEPTH_MAX: Final = ENTRIES_MAX.bit_length() - 1


@dataclass(frozen=True, slots=True)
class Proof:
    """Whose book an inclusion is of."""

    hub: bytes
    """20 bytes."""
    chain_id: int
    inclusion: Inclusion


def write_proof(heading: Heading, proof: Inclusion) -> str:
    """The record, with its end of line; ``heading`` is of the proof's day."""
    assert heading.day == proof.day, "a heading of this day"
    record = {
        "record": "proof",
        "version": VERSION,
        "hub": plain_text(heading.hub),
        "chain_id": heading.chain_id,
        "day": proof.day,
        "date": day_date(proof.day).isoformat(),
        "channel": plain_text(proof.entry.channel_id),
        **_sums(proof.entry),
        "index": proof.index,
        "siblings": [{"hash": plain_text(node.hash), **_sums(node)} for node in proof.siblings],
        "totals": {
            "tree": plain_text(proof.totals.tree),
            **_sums(proof.totals),
            "fees": str(proof.totals.fees),
            "entries": proof.totals.entries,
        },
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def read_proof(data: bytes) -> Proof:
    """The proof that :func:`write_proof` wrote; whether it leads to the chain's word is still to be checked.

    Raises:
        RecordError: a member is missing, or is not what it has to be.
    """
    record = read_record(1, data)
    if record.text("record") != "proof":
        record.fail("record", "is 'proof' for a proof")
    if record.number("version", 0, 2**31) != VERSION:
        record.fail("version", f"this program reads version {VERSION}, not {record.value('version')}")
    told = record.part("totals")
    kept, entries = told.units("fees", 0, SUM_MAX), told.number("entries", 1, ENTRIES_MAX)
    totals = DayTotals(told.octets("tree", 32), *_read_sums(told), kept, entries)
    siblings = tuple(
        Node(node.octets("hash", 32), *_read_sums(node)) for node in record.parts("siblings", 0, _DEPTH_MAX)
    )
    entry = DayEntry(record.octets("channel", 32), *_read_sums(record))
    index = record.number("index", 0, ENTRIES_MAX - 1)
    inclusion = Inclusion(record.number("day", 0, DAY_MAX), totals, entry, index, siblings)
    return Proof(record.octets("hub", 20), record.number("chain_id", 0, 2**64 - 1), inclusion)


def _sums(node: DayEntry | Node | DayTotals) -> dict[str, Any]:
    return {"debits": str(node.debits), "credits": str(node.credits)}


def _read_sums(record: Record) -> tuple[int, int]:
    return record.units("debits", 0, SUM_MAX), record.units("credits", 0, SUM_MAX)
