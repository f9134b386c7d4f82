"""Reading a day back: it is what was written, and whatever is not right is said with its line and field."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alatau.books import json_import
from alatau.books.amounts import Unit
from alatau.books.audit import audit_day
from alatau.books.day_export import Heading, export_day
from alatau.books.entries import Entry
from alatau.books.json_export import write_day
from alatau.books.json_import import read_day
from alatau.books.json_record import LINE_BYTES_MAX, RecordError
from tests.unit.books.days import ALMATY, DAY, city_days, ledger_of

VECTOR = (Path(__file__).parents[2] / "vectors" / "books" / "day.jsonl").read_bytes()
LINES = VECTOR.splitlines(keepends=True)
units = st.integers(0, 18).map(lambda decimals: Unit("KZT", decimals))
PLACES = {"day": 1, "account": 2, "entry": 13, "totals": len(LINES) - 1, "end": len(LINES)}
"""A line of each record, from 1; the entry is a payment with a fee."""


@given(city_days(), units, st.binary(min_size=20, max_size=20))
def test_what_was_written_is_read(days: list[list[Entry]], unit: Unit, hub: bytes) -> None:
    """Every day, with amounts up to the largest and any number of decimals."""
    export = export_day(Heading(hub, 7_773, "Asia/Almaty", DAY, unit), ledger_of(days[0]))
    assert read_day(line.encode() for line in write_day(export)) == export


def test_the_vector_is_a_day_in_order() -> None:
    """It is read, audited, and written as the same bytes."""
    export = read_day(LINES)
    assert audit_day(export, ALMATY, previous={}) is None
    assert "".join(write_day(export)).encode() == VECTOR
    payment = export.entries[4]
    assert (payment.kind.value, payment.invoice_hash[-1], len(payment.postings)) == ("payment", 4, 3)


def changed(record: str, members: dict[str, Any]) -> list[bytes]:
    """The vector with members of a record's line replaced; ``None`` stands for one that is left out."""
    place = PLACES[record] - 1
    data = json.loads(LINES[place])
    assert data["record"] == record
    kept = {name: value for name, value in (data | members).items() if value != "missing"}
    return [*LINES[:place], json.dumps(kept).encode(), *LINES[place + 1 :]]


def posting(**members: Any) -> list[Any]:
    """The payment's postings, the first one changed."""
    first, *others = json.loads(LINES[PLACES["entry"] - 1])["postings"]
    kept = {name: value for name, value in (first | members).items() if value != "missing"}
    return [kept, *others]


@pytest.mark.parametrize(
    ("record", "members", "field", "reason"),
    [
        ("day", {"version": 2}, "version", "reads version 1, not 2"),
        ("day", {"version": "1"}, "version", "a number from 0"),
        ("day", {"version": True}, "version", "a number from 0"),
        ("day", {"hub": "0x48"}, "hub", "0x and 40 digits"),
        ("day", {"hub": "missing"}, "hub", "is missing"),
        ("day", {"zone": 5}, "zone", "a string, not 5"),
        ("day", {"day": -1}, "day", "a number from 0"),
        ("day", {"currency": "tenge"}, "currency", "three capital letters"),
        ("day", {"currency": None}, "currency", "a string, not None"),
        ("day", {"decimals": 19}, "decimals", "a number from 0 to 18"),
        ("account", {"account": "cash"}, "account", "one of channel"),
        ("account", {"account": "fees:0x00"}, "account", "0x and 64 digits"),
        ("account", {"account": 1}, "account", "a string, not 1"),
        ("account", {"opening": 5}, "opening", "a string, not 5"),
        ("account", {"opening": "5.0"}, "opening", "digits of a number"),
        ("account", {"opening": "-0"}, "opening", "digits of a number"),
        ("account", {"opening": "1" * 60}, "opening", "digits of a number"),
        ("account", {"closing_decimal": "1.00"}, "closing_decimal", "90000.00 for 9000000 token units, not '1.00'"),
        ("account", {"closing_decimal": "1.001"}, "closing_decimal", "for 9000000 token units"),
        ("account", {"closing_decimal": "missing"}, "closing_decimal", "is missing"),
        ("entry", {"kind": "gift"}, "kind", "one of payment, .*, not 'gift'"),
        ("entry", {"day": "1"}, "day", "a number from 0"),
        ("entry", {"time": 1.5}, "time", r"a number from 0 to \d+, not 1.5"),
        ("entry", {"reference": "0x" + "00" * 31}, "reference", "0x and 64 digits"),
        ("entry", {"invoice": "missing"}, "invoice", "is missing"),
        ("entry", {"invoice": ""}, "invoice", "0x and 64 digits"),
        ("entry", {"postings": {}}, "postings", "an array of 2 to 16"),
        ("entry", {"postings": []}, "postings", "an array of 2 to 16"),
        ("entry", {"postings": posting() * 6}, "postings", "an array of 2 to 16"),
        ("entry", {"postings": posting()[:2]}, "postings", "debits are 150750, credits 150000"),
        ("entry", {"postings": [1, 2]}, r"postings\[0\]", "an object, not 1"),
        ("entry", {"postings": posting(debit="0", debit_decimal="0.00")}, r"postings\[0\].debit", "from 1 to"),
        ("entry", {"postings": posting(debit="-5")}, r"postings\[0\].debit", "from 1 to"),
        ("entry", {"postings": posting(debit=str(2**112))}, r"postings\[0\].debit", "from 1 to"),
        ("entry", {"postings": posting(debit="missing")}, r"postings\[0\].credit", "is missing"),
        ("entry", {"postings": posting(credit="5")}, r"postings\[0\].credit", "not both"),
        ("entry", {"postings": posting(account="till")}, r"postings\[0\].account", "one of channel"),
        ("totals", {"tree": "0x"}, "tree", "0x and 64 digits"),
        ("totals", {"fees": "-1"}, "fees", "digits of a number from 0"),
        ("totals", {"root": "0x" + "00" * 32}, "root", "of these totals it is 0x"),
        ("totals", {"entries": None}, "entries", "a number from 0"),
        ("end", {"entries": 8}, "entries", "8, but 7 were read"),
        ("end", {"accounts": 0}, "accounts", "0, but 7 were read"),
        ("end", {"totals": 0}, "totals", "0, but 1 were read"),
        ("end", {"record": "stop"}, "record", "one of day, account, entry, totals, end, not 'stop'"),
        ("end", {"record": "day"}, "record", "the first record, and no other, is 'day'"),
        ("end", {"record": "missing"}, "record", "is missing"),
    ],
)
def test_a_wrong_member_is_said_with_line_and_field(
    record: str, members: dict[str, Any], field: str, reason: str
) -> None:
    """What stands there, and what belongs there."""
    with pytest.raises(RecordError, match=rf"line {PLACES[record]}, {field}: .*{reason}") as caught:
        read_day(changed(record, members))
    assert caught.value.line == PLACES[record]
    assert caught.value.field == field.replace("\\", "")


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "line 1: the file ends without its record 'end'"),
        (LINES[:-1], f"line {len(LINES)}: the file ends without"),
        (LINES[1:], "line 1, record: the first record, and no other, is 'day'; this is 'account'"),
        ([*LINES, LINES[-1]], f"line {len(LINES) + 1}, record: nothing follows"),
        ([LINES[0], LINES[1], LINES[1]], "line 3, account: .* was there before"),
        ([*LINES[:-1], LINES[-2]], f"line {len(LINES)}, record: there are totals already"),
        ([*LINES[:8], *LINES[9:]], "7, but 6 were read: lines are missing"),
        ([LINES[0], b"{"], "line 2: no record: "),
        ([LINES[0], b'{"record":"end","record":"end"}'], "line 2: no record: "),
        ([b"[]"], r"line 1: an object, not \[\]"),
        ([LINES[0], b"\xff\n"], "line 2: no record: "),
        ([LINES[0], b" " * (LINE_BYTES_MAX + 1)], "line 2: no record: more than 16384 bytes"),
        ([LINES[0], b"[" * 10_000], "line 2: no record: "),
    ],
)
def test_a_file_that_is_none_is_said_with_its_line(lines: list[bytes], reason: str) -> None:
    """Cut short, doubled, out of order, or no JSON."""
    with pytest.raises(RecordError, match=reason):
        read_day(lines)


def test_a_file_without_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the bound it is read, one line less and it is not."""
    monkeypatch.setattr(json_import, "LINES_MAX", len(LINES))
    assert read_day(LINES).totals is not None
    monkeypatch.setattr(json_import, "LINES_MAX", len(LINES) - 1)
    with pytest.raises(RecordError, match=f"line {len(LINES)}: at most {len(LINES) - 1} lines"):
        read_day(LINES)


def test_members_that_nobody_knows_are_passed_over() -> None:
    """Later exports may say more under the same version."""
    assert read_day(changed("entry", {"colour": "blue"})) == read_day(LINES)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.integers(0, len(LINES) - 1), st.data(), values)
def test_no_value_gets_another_error_out_of_the_reader(place: int, data: st.DataObject, value: Any) -> None:
    """Whatever stands for any member, what is read is written the same, or an error names the line."""
    record = json.loads(LINES[place])
    name = data.draw(st.sampled_from(sorted(record)))
    record[name] = value
    lines = [*LINES[:place], json.dumps(record).encode(), *LINES[place + 1 :]]
    try:
        export = read_day(lines)
    except RecordError as error:
        told = error.line
    else:
        told = place + 1
        assert read_day(line.encode() for line in write_day(export)) == export
    assert place < told <= len(LINES)
