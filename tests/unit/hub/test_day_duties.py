"""A day ends: its root comes to a real chain, once, and owners and auditors find it right or find why not."""

from dataclasses import replace
from pathlib import Path

import pytest
import trio

from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.books.audit import audit_day
from alatau.books.day_root import posted_root
from alatau.storage.book_records import DayPhase
from alatau.wallet.day_check import DayDiffersError, ask_day_proof, check_day
from alatau.wallet.errors import WalletError
from alatau.wallet.owner_books import owner_day, owner_statement
from tests.support.hub_city import HUB
from tests.support.hub_evening import DAY, ZONE, Evening, in_the_evening
from tests.support.waiting import eventually


def test_a_days_root_comes_to_the_chain_and_owners_find_themselves_in_it(tmp_path: Path) -> None:
    """Nothing is posted while the day lasts; then audit and both owners' proofs agree with what the chain holds."""

    async def story(evening: Evening) -> None:
        hub = evening.city.hub
        assert hub is not None
        await trio.sleep(0.5)
        assert (await evening.posted(), hub.days.waiting()) == (None, [])
        with pytest.raises(DayDiffersError, match="no proof"):
            await owner_day(evening.resident, DAY)
        evening.clock.now += 86_400
        await eventually(lambda: hub.store.journal.closed_day == DAY and not hub.days.waiting())
        word = await evening.posted()
        export = evening.export()
        assert export.totals is not None
        assert word == posted_root(export.totals)
        assert audit_day(export, ZONE, posted=word) is None
        wrong = replace(export, entries=export.entries[:-1])
        assert "credits: the export says 5120, computed is 5000" in str(audit_day(wrong, ZONE, posted=word))
        paid, sold = await owner_day(evening.resident, DAY), await owner_day(evening.till, DAY)
        assert (paid.paid, paid.received, sold.paid, sold.received) == (300, 120, 120, 300)
        book = evening.city.client.contract(load("DayBook").abi, addresses.DAY_BOOK)
        proof = paid.proof
        assert proof is not None
        totals = (proof.totals.tree, *(getattr(proof.totals, n) for n in ("debits", "credits", "fees", "entries")))
        siblings = [(one.hash, one.debits, one.credits) for one in proof.siblings]
        entry = (proof.entry.channel_id, proof.entry.debits, proof.entry.credits)
        assert await book.read("in_day_book", HUB.address, DAY, totals, entry, proof.index, siblings)

    in_the_evening(tmp_path, story)


def test_an_owner_finds_what_a_hub_left_out(tmp_path: Path) -> None:
    """A line that is missing, another sum, a proof of another book: each is named."""

    async def story(evening: Evening) -> None:
        hub = evening.city.hub
        assert hub is not None
        evening.clock.now += 86_400
        await eventually(lambda: hub.store.journal.closed_day == DAY and not hub.days.waiting())
        wallet = evening.resident
        assert wallet.state is not None
        lines = [line async for line in wallet.statement(DAY, DAY)]
        proof = await ask_day_proof(wallet.hub_channel, wallet.setup, wallet.state.id, DAY)
        word = await evening.posted()
        mine = wallet.outgoing, wallet.incoming
        assert proof is not None
        with pytest.raises(DayDiffersError, match="lacks the payment"):
            check_day(DAY, lines[1:], proof, word, *mine)
        with pytest.raises(DayDiffersError, match="the book has 300 paid and 120 received, the statement 300 and 0"):
            check_day(DAY, lines[:1], proof, word, *mine)
        forged = replace(proof, entry=replace(proof.entry, debits=299))
        with pytest.raises(DayDiffersError, match="does not lead to the root"):
            check_day(DAY, lines, forged, word, *mine)
        with pytest.raises(WalletError, match="not on the chain yet"):
            check_day(DAY, lines, proof, None, *mine)

    in_the_evening(tmp_path, story)


def test_a_hub_that_dies_before_and_after_it_posts_posts_once(tmp_path: Path) -> None:
    """Closed and not posted: the next process posts. Posted and not noted: it sees that the chain has it."""

    async def story(evening: Evening) -> None:
        city = evening.city
        assert city.hub is not None
        days, journal = city.hub.days, city.hub.store.journal
        turn = city.hub.duties.turn
        await turn.acquire()
        evening.clock.now += 86_400
        await eventually(lambda: journal.closed_day == DAY)
        (waiting,) = days.waiting()
        turn.release()
        await city.stop_hub()
        before = await evening.posted()
        await city.start_hub()
        assert city.hub is not None
        await eventually(lambda: not city.hub.days.waiting())  # type: ignore[union-attr]
        word = await evening.posted()
        assert word is not None
        assert before in (None, word)
        journal = city.hub.store.journal
        journal.mark(waiting, DayPhase.CLOSED)  # as if it had died before it noted it
        await eventually(lambda: not city.hub.days.waiting())  # type: ignore[union-attr]
        assert await evening.posted() == word
        assert waiting.totals is not None
        journal.mark(replace(waiting, totals=replace(waiting.totals, debits=301)), DayPhase.CLOSED)
        await eventually(lambda: journal.closed(DAY).phase is DayPhase.DIFFERS)  # type: ignore[union-attr]
        assert any("holds another root" in text for text in city.hub.duties.alarms)

    in_the_evening(tmp_path, story)


def test_an_owners_statement_has_balances_deposits_and_payments(tmp_path: Path) -> None:
    """From nothing to what the newest vouchers give; the chain's events count on the chain's days."""

    async def story(evening: Evening) -> None:
        made = await owner_statement(evening.resident, DAY, DAY + 3)
        assert (made.opening, made.closing) == (0, 4_820)
        assert [(one.kind.value, one.debit, one.credit) for one in made.movements] == [
            ("payment", 300, 0),
            ("refund", 0, 120),
            ("deposit", 0, 5_000),
        ]
        first = await owner_statement(evening.till, DAY, DAY)
        assert (first.opening, first.closing) == (0, 180)

    in_the_evening(tmp_path, story)
