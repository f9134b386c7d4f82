"""The city's proof on a small document: it holds, and whatever is changed by one tiyn turns it red."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from alatau_devnet.city import proof

RESIDENT, SHOP, HUB = "aa" * 20, "bb" * 20, "cc" * 20
PAID, LEFT = "01" * 32, "02" * 32
FIRST, SECOND = "11" * 32, "12" * 32


def document() -> dict[str, Any]:
    """One with 1,000 paid 300 and a fee of 3 and got 50 back; another with 1,000 paid 100 and 1, and has left."""
    return {
        "hub": HUB,
        "accounts": {
            PAID: {"owner": RESIDENT, "paid": {FIRST: [300, 3]}, "received": {}, "vouchers": [747, 253]},
            LEFT: {"owner": "dd" * 20, "paid": {SECOND: [100, 1]}, "received": {}, "vouchers": None},
            "03" * 32: {
                "owner": SHOP,
                "paid": {},
                "received": {FIRST: [300, 50], SECOND: [100, 0]},
                "vouchers": [350, 4_650],
            },
        },
        "contract": {
            "channels": {
                PAID: {"owner": RESIDENT, "party": 1_000, "hub": 0, "settled": None},
                LEFT: {"owner": "dd" * 20, "party": 1_000, "hub": 0, "settled": [899, 101]},
                "03" * 32: {"owner": SHOP, "party": 0, "hub": 5_000, "settled": None},
            },
            "claimed": {"dd" * 20: 400},
            "credits": {"dd" * 20: 499, HUB: 101},
            "held": 1_000 + 5_000 + 499 + 101,
            "balance": 6_600,
        },
        "hub_book": [[PAID, "03" * 32, FIRST, 300, 3], [LEFT, "03" * 32, SECOND, 100, 1]],
    }


def test_books_that_agree_are_proved() -> None:
    """Sums in the line are those of the contract."""
    line, problems = proof.check(document())
    assert problems == []
    assert line.startswith("PROVED: money in 70.00 KZT = held 66.00 KZT + out 4.00 KZT")


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a number stands."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return []
    if isinstance(value, int):
        return [path]
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for key, inner in items for found in places(inner, (*path, key))]


@pytest.mark.parametrize("path", places(document()), ids=lambda path: ".".join(str(part)[:6] for part in path))
def test_one_tiyn_anywhere_breaks_it(path: tuple[Any, ...]) -> None:
    """Every number of the document is needed: none can be one more without being noticed."""
    broken = copy.deepcopy(document())
    place = broken
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] += 1
    line, problems = proof.check(broken)
    assert problems
    assert line.startswith("BROKEN in ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda one: one["accounts"][PAID]["paid"].clear(), "the merchant alone knows of it"),
        (lambda one: one["accounts"]["03" * 32]["received"].pop(SECOND), "the payer alone knows of it"),
        (lambda one: one["hub_book"].pop(), "the hub's book has None"),
        (lambda one: one["hub_book"].append([PAID, LEFT, "99" * 32, 1, 0]), "the hub's book alone knows of it"),
        (lambda one: one["contract"]["channels"].pop(PAID), "the chain knows none"),
    ],
)
def test_what_one_side_alone_knows_breaks_it(change: Any, words: str) -> None:
    """Payers, merchants, hub and chain must tell the same."""
    broken = document()
    change(broken)
    assert any(words in problem for problem in proof.check(broken)[1])


def test_a_file_is_checked_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code says whether it holds."""
    file = tmp_path / "ledger.json"
    monkeypatch.setattr("sys.argv", ["proof", str(file)])
    file.write_text(json.dumps(document()))
    assert proof.main() == 0
    broken = document()
    broken["accounts"][PAID]["vouchers"][0] += 1
    file.write_text(json.dumps(broken))
    assert proof.main() == 1
