"""Proofs as files: what was written is read and leads to the word on chain; what was changed does not, or is said."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from alatau.books import bookings
from alatau.books.amounts import Unit
from alatau.books.day_export import Heading
from alatau.books.day_root import day_root, inclusion, is_included, posted_root
from alatau.books.entries import Entry
from alatau.books.json_record import RecordError
from alatau.books.proof_json import Proof, read_proof, write_proof
from tests.unit.books.days import CHANNELS, DAY, city_days, clock, reference

HEADING = Heading(b"\x48" * 20, 7_773, "Asia/Almaty", DAY, Unit())
ROOT = day_root(
    DAY,
    [
        bookings.payment(clock(number), reference(number), CHANNELS[number], CHANNELS[0], 100 + number, fee=1)
        for number in (1, 2, 3)
    ],
)
assert ROOT is not None
WORD = posted_root(ROOT.book.totals)
PROOF = inclusion(ROOT, CHANNELS[2])
RECORD: dict[str, Any] = json.loads(write_proof(HEADING, PROOF))


@given(city_days())
def test_what_was_written_is_read_and_leads_to_the_word(days: list[list[Entry]]) -> None:
    """For every channel of every day."""
    root = day_root(DAY, days[0])
    for entry in root.entries if root else ():
        assert root is not None
        proof = inclusion(root, entry.channel_id)
        read = read_proof(write_proof(HEADING, proof).encode())
        assert read == Proof(HEADING.hub, HEADING.chain_id, proof)
        assert is_included(read.inclusion, posted_root(root.book.totals))


def test_a_proof_of_a_million_channels_is_read() -> None:
    """Twenty nodes with the largest sums fit into a record."""
    (sibling,) = PROOF.siblings[:1]
    largest = replace(sibling, debits=2**128 - 1, credits=2**128 - 1)
    deep = replace(PROOF, siblings=(largest,) * 20)
    assert read_proof(write_proof(HEADING, deep).encode()).inclusion == deep
    with pytest.raises(RecordError, match="siblings: an array of 0 to 20"):
        read_proof(write_proof(HEADING, replace(PROOF, siblings=(largest,) * 21)).encode())


@pytest.mark.parametrize(
    ("member", "value"),
    [("debits", "104"), ("credits", "1"), ("index", 1), ("channel", "0x" + "02" * 32), ("siblings", [])],
)
def test_a_changed_proof_leads_nowhere(member: str, value: object) -> None:
    """It can be read, and is not included."""
    assert is_included(read_proof(json.dumps(RECORD).encode()).inclusion, WORD)
    assert not is_included(read_proof(json.dumps(RECORD | {member: value}).encode()).inclusion, WORD)


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"record": "day"}, "record: is 'proof'"),
        ({"version": 2}, "version: this program reads version 1, not 2"),
        ({"hub": "0x"}, "hub: 0x and 40 digits"),
        ({"day": "1"}, "day: a number from 0"),
        ({"debits": 5}, "debits: a string, not 5"),
        ({"credits": str(2**128)}, "credits: digits of a number from 0"),
        ({"index": -1}, "index: a number from 0 to 1048575"),
        ({"siblings": {}}, "siblings: an array of 0 to 20"),
        ({"siblings": [1]}, r"siblings\[0\]: an object, not 1"),
        ({"siblings": [{}]}, r"siblings\[0\].hash: is missing"),
        ({"totals": None}, "totals: an object, not None"),
        ({"totals": {"fees": "1"}}, r"totals\.entries: is missing"),
    ],
)
def test_what_is_no_proof_is_said_by_its_field(members: dict[str, Any], reason: str) -> None:
    """On its one line."""
    with pytest.raises(RecordError, match=f"line 1, {reason}"):
        read_proof(json.dumps(RECORD | members).encode())
