"""DayBook: hubs commit to each past day, and anyone checks that an entry is in it and in its totals."""

from dataclasses import astuple, replace
from typing import Any

import boa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alatau.books.bookings import payment
from alatau.books.day_root import day_root, inclusion, is_included, posted_root
from alatau.books.entries import Moment
from alatau.channels.day_book import DayEntry, Node, day_book, is_in_book
from tests.contracts.world import World, compliance, hub, licensor, merchant, now, wait

ROWS = [DayEntry(bytes((n,)) * 32, 100 + n, 90 + n) for n in range(5)]
TOTALS = day_book(ROWS).totals


def yesterday() -> int:
    """Days since 1970."""
    return now() // 86_400 - 1


def test_day_is_posted_once_after_it_is_over(world: World) -> None:
    """Yesterday's book is closed; today's is not."""
    with boa.reverts("day: not over"):
        world.day_book.post_day_root(yesterday() + 1, astuple(TOTALS), sender=hub.address)
    world.day_book.post_day_root(yesterday(), astuple(TOTALS), sender=hub.address)
    with boa.reverts("day: posted already"):
        world.day_book.post_day_root(yesterday(), astuple(replace(TOTALS, tree=b"\x01" * 32)), sender=hub.address)
    world.day_book.post_day_root(yesterday() - 1, astuple(TOTALS), sender=hub.address)


@pytest.mark.parametrize("lose", ["never had", "licence", "standing"])
def test_only_licensed_hubs_post(world: World, lose: str) -> None:
    """Not merchants, not hubs that were."""
    if lose == "licence":
        world.participants.license(hub.address, 0, 0, False, 0, sender=licensor.address)
    elif lose == "standing":
        world.participants.suspend(hub.address, sender=compliance.address)
    poster = merchant if lose == "never had" else hub
    with boa.reverts("day: hub not licensed"):
        world.day_book.post_day_root(yesterday(), astuple(TOTALS), sender=poster.address)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"tree": bytes(32)}, "day: no root"),
        ({"debits": TOTALS.debits + 1}, "day: debits are not credits and fees"),
        ({"credits": TOTALS.credits + 1}, "day: debits are not credits and fees"),
        ({"fees": TOTALS.fees - 1}, "day: debits are not credits and fees"),
        ({"debits": 2**256 - 1}, "day: sums out of range"),
        ({"credits": 2**128}, "day: sums out of range"),
        ({"fees": 2**128}, "day: sums out of range"),
        ({"entries": 0}, "day: entries out of range"),
        ({"entries": 2**20 + 1}, "day: entries out of range"),
    ],
)
def test_books_that_do_not_balance_are_refused(world: World, changes: dict[str, Any], reason: str) -> None:
    """What all paid is what all received and the fees."""
    with boa.reverts(reason):
        world.day_book.post_day_root(yesterday(), astuple(replace(TOTALS, **changes)), sender=hub.address)


def told(world: World, totals: Any, row: DayEntry, place: int, siblings: tuple[Node, ...], day: int) -> bool:
    """What the contract says of an entry."""
    arguments = (astuple(totals), astuple(row), place, [astuple(node) for node in siblings])
    return bool(world.day_book.in_day_book(hub.address, day, *arguments))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(20, 10**9), st.integers(0, 20)), min_size=1, max_size=6), st.integers(0, 5))
def test_contract_and_package_agree_on_entries(world: World, amounts: list[tuple[int, int]], place: int) -> None:
    """True entries, changed ones, other places, longer and shorter proofs."""
    rows = [DayEntry(bytes((n + 1,)) * 32, *pair) for n, pair in enumerate(amounts)]
    book = day_book(rows)
    place %= len(rows)
    with boa.env.anchor():
        world.day_book.post_day_root(yesterday(), astuple(book.totals), sender=hub.address)
        row, proof = rows[place], book.proof(place)
        nothing = Node(bytes(32), 0, 0)
        cases = (
            (book.totals, row, place, proof, True),
            (book.totals, replace(row, debits=row.debits + 1), place, proof, False),
            (book.totals, replace(row, credits=row.credits + 1), place, proof, False),
            (book.totals, replace(row, channel_id=bytes(32)), place, proof, False),
            (book.totals, row, place + len(rows), proof, False),
            (book.totals, row, place, (*proof, nothing), False),
            (replace(book.totals, fees=book.totals.fees + 1), row, place, proof, False),
        )
        for totals, entry, where, siblings, expected in cases:
            assert told(world, totals, entry, where, siblings, yesterday()) is expected
            assert is_in_book(totals, entry, where, siblings) is expected
        assert not told(world, book.totals, row, place, proof, yesterday() - 1)


def test_absurd_sums_are_no_proof_and_no_failure(world: World) -> None:
    """A view that is asked nonsense says no."""
    world.day_book.post_day_root(yesterday(), astuple(TOTALS), sender=hub.address)
    most = 2**256 - 1
    proof = day_book(ROWS).proof(0)
    assert not told(world, TOTALS, replace(ROWS[0], debits=most), 0, proof, yesterday())
    assert not told(world, TOTALS, replace(ROWS[0], credits=most), 0, proof, yesterday())
    absurd = (Node(proof[0].hash, most, 0), *proof[1:])
    assert not told(world, TOTALS, ROWS[0], 0, absurd, yesterday())
    absurd = (Node(proof[0].hash, 0, most), *proof[1:])
    assert not told(world, TOTALS, ROWS[0], 0, absurd, yesterday())


def test_bounds_of_a_book_are_taken_and_one_more_is_not(world: World) -> None:
    """Sums up to 2^128 - 1, a million entries and a few."""
    most = 2**128 - 1
    for day, changes in enumerate(
        (
            {"debits": most, "credits": most, "fees": 0},
            {"debits": most, "credits": 0, "fees": most},
            {"entries": 2**20},
            {"entries": 1},
        ),
        start=1,
    ):
        totals = astuple(replace(TOTALS, **changes))
        world.day_book.post_day_root(yesterday() - day, totals, sender=hub.address)
        assert world.day_book.day_root(hub.address, yesterday() - day) != bytes(32)


def test_a_day_ends_at_midnight(world: World) -> None:
    """In its last second it is not over, in the next one it is."""
    day = now() // 86_400
    wait((day + 1) * 86_400 - 1 - now())
    with boa.reverts("day: not over"):
        world.day_book.post_day_root(day, astuple(TOTALS), sender=hub.address)
    wait(1)
    world.day_book.post_day_root(day, astuple(TOTALS), sender=hub.address)


def _posted(world: World, day: int, entry: DayEntry, **changes: Any) -> Any:
    """A book of one entry, whose totals are said otherwise."""
    totals = replace(day_book([entry]).totals, **changes)
    world.day_book.post_day_root(day, astuple(totals), sender=hub.address)
    return totals


def test_an_entry_of_the_largest_sums_is_in_its_book(world: World) -> None:
    """At the bound it counts, as an entry and beside one."""
    most = 2**128 - 1
    entry = DayEntry(b"\x07" * 32, most, most)
    totals = _posted(world, yesterday(), entry)
    assert told(world, totals, entry, 0, (), yesterday())
    pair = [DayEntry(b"\x01" * 32, 0, 0), entry]
    book = day_book(pair)
    world.day_book.post_day_root(yesterday() - 1, astuple(book.totals), sender=hub.address)
    assert told(world, book.totals, pair[0], 0, book.proof(0), yesterday() - 1)


def test_tree_and_totals_have_to_agree(world: World) -> None:
    """A hub that posts another sum than its tree's has no entry in its book."""
    entry = DayEntry(b"\x07" * 32, 100, 90)
    changes = ({}, {"debits": 101, "fees": 11}, {"credits": 91, "fees": 9}, {"entries": 2})
    for day, change in enumerate(changes, start=1):
        totals = _posted(world, yesterday() - day, entry, **change)
        expected = change.keys() <= {"entries"}
        assert told(world, totals, entry, 0, (), yesterday() - day) is expected
    totals = _posted(world, yesterday(), entry)
    assert not told(world, totals, entry, 1, (), yesterday())


def test_a_place_beyond_the_entries_is_not_in_the_book(world: World) -> None:
    """Neither the one after the last, where the tree was filled up, nor one that the proof does not reach."""
    book = day_book(ROWS)
    world.day_book.post_day_root(yesterday(), astuple(book.totals), sender=hub.address)
    filler = DayEntry(bytes(32), 0, 0)
    assert told(world, book.totals, ROWS[4], 4, book.proof(4), yesterday())
    assert not told(world, book.totals, ROWS[4], 5, book.proof(4), yesterday())
    assert not told(world, book.totals, filler, 5, book.proof(4), yesterday())
    assert not told(world, book.totals, ROWS[0], 8, book.proof(0), yesterday())


def test_a_ledgers_day_is_posted_and_its_proofs_are_taken(world: World) -> None:
    """What the books compute is the word that the contract keeps, and each owner's proof leads to it."""
    channels = [bytes((n,)) * 32 for n in (3, 1, 2)]
    at = Moment(yesterday(), now())
    pairs = list(zip(channels, channels[1:] + channels[:1], strict=True))
    entries = [payment(at, bytes((n,)) * 32, *pair, 100 + n, fee=n) for n, pair in enumerate(pairs)]
    root = day_root(yesterday(), entries)
    assert root is not None
    world.day_book.post_day_root(root.day, astuple(root.book.totals), sender=hub.address)
    word = world.day_book.day_root(hub.address, root.day)
    assert word == posted_root(root.book.totals)
    for channel in channels:
        proof = inclusion(root, channel)
        assert is_included(proof, word)
        assert told(world, proof.totals, proof.entry, proof.index, proof.siblings, proof.day)
