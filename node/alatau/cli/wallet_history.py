"""``alatau wallet history`` and ``statement``: what this wallet knows, and what the hub has booked."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
import trio

from alatau.books.amounts import decimal_text
from alatau.books.calendar import day_date
from alatau.books.day_export import Heading
from alatau.books.proof_json import write_proof
from alatau.channels.invoice import read_details
from alatau.channels.party.records import Incoming, IncomingPhase, Outgoing, OutgoingPhase
from alatau.cli.channel_options import FolderOptions, Opened, folder_options, run_wallet
from alatau.cli.output import json_option, print_facts, print_rows
from alatau.cli.statement_formats import format_options, put_out, statement_bytes
from alatau.wallet.owner_books import owner_day, owner_statement
from alatau.wallet.statement import StatementLine


@click.command()
@click.option("--last", type=click.IntRange(1), default=20, show_default=True, help="How many, newest last.")
@folder_options
@json_option
def history(last: int, folder: FolderOptions, as_json: bool) -> None:
    """List payments and invoices as this wallet knows them, without asking the hub."""

    async def task(opened: Opened) -> list[tuple[Any, ...]]:
        await trio.lowlevel.checkpoint()
        rows = [(one.time, _outgoing_row(opened, one)) for one in opened.wallet.outgoing]
        rows += [(one.signed.invoice.issued, _incoming_row(opened, one)) for one in opened.wallet.incoming]
        return [row for _, row in sorted(rows, key=lambda row: row[0])][-last:]

    print_rows(_HISTORY, run_wallet(folder, task), as_json=as_json)


_HISTORY = ("time", "what", "amount", "fee", "refunded", "state", "with", "reference", "invoice_hash")


def _outgoing_row(opened: Opened, one: Outgoing) -> tuple[Any, ...]:
    invoice = one.signed.invoice
    state = {
        OutgoingPhase.OFFERED: "outcome not known",
        OutgoingPhase.TAKEN: "under way",
        OutgoingPhase.PAID: "paid",
        OutgoingPhase.CANCELLED: f"not paid: {one.note}",
        OutgoingPhase.REFUSED: f"refused: {one.note}",
    }[one.phase]
    unit = opened.unit
    return (
        opened.when(one.time),
        "paid to",
        decimal_text(unit, invoice.amount),
        decimal_text(unit, one.lock.amount - invoice.amount),
        decimal_text(unit, one.refunded),
        state,
        invoice.merchant,
        read_details(invoice.details).reference,
        one.invoice_hash,
    )


def _incoming_row(opened: Opened, one: Incoming) -> tuple[Any, ...]:
    invoice = one.signed.invoice
    open_until = invoice.expires >= int(opened.wallet.setup.clock())
    state = {
        IncomingPhase.ISSUED: "waits to be paid" if open_until else "expired",
        IncomingPhase.LOCKED: "under way",
        IncomingPhase.PAID: "received",
        IncomingPhase.EXPIRED: "not paid: it ran out",
    }[one.phase]
    unit = opened.unit
    return (
        opened.when(one.paid_time or invoice.issued),
        "invoice",
        decimal_text(unit, invoice.amount),
        None,
        decimal_text(unit, one.refunded),
        state,
        None,
        read_details(invoice.details).reference,
        one.invoice_hash,
    )


_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How many, today included.")
@click.option("--from", "first", type=_DAY, help="First day, instead of --days.")
@click.option("--to", "last", type=_DAY, help="Last day, with --from; today by default.")
@click.option("--verify", type=_DAY, help="Hold this day against the root that the hub posted on the chain.")
@click.option(
    "--proof", type=click.Path(path_type=Path, dir_okay=False), help="With --verify: keep the proof in a file."
)
@format_options
@folder_options
@json_option
def statement(
    days: int,
    first: datetime | None,
    last: datetime | None,
    verify: datetime | None,
    proof: Path | None,
    form: str,
    holder: str,
    out: Path | None,
    folder: FolderOptions,
    as_json: bool,
) -> None:
    """Show what the hub has booked for the channel; as a file with balances by --format json, csv or camt.053.

    --verify checks that a day is in the book whose root the chain holds, with these sums, and lacks no payment that
    this wallet knows of.
    """
    if verify is not None:
        print_facts(
            run_wallet(folder, lambda opened: check_statement(opened, number_of(verify), proof)), as_json=as_json
        )
        return

    async def task(opened: Opened) -> list[tuple[Any, ...]] | bytes:
        end = opened.today() if last is None else number_of(last)
        begin = end - days + 1 if first is None else number_of(first)
        if form == "table":
            return [statement_row(opened, line) async for line in opened.wallet.statement(begin, end + 1)]
        return statement_bytes(opened, await owner_statement(opened.wallet, begin, end), form, holder)

    done = run_wallet(folder, task)
    if isinstance(done, bytes):
        put_out(done, out)
    else:
        print_rows(("day", "time", "what", "amount", "fee", "invoice_hash"), done, as_json=as_json)


def statement_row(opened: Opened, line: StatementLine) -> tuple[Any, ...]:
    """A line of the hub's, for people."""
    return (
        str(day_date(line.day)),
        opened.when(line.time),
        line.kind.name.lower(),
        decimal_text(opened.unit, line.amount),
        decimal_text(opened.unit, line.fee),
        line.invoice_hash,
    )


def number_of(day: datetime) -> int:
    """Days since 1970."""
    return (day.date() - date(1970, 1, 1)).days


async def check_statement(opened: Opened, day: int, kept: Path | None) -> dict[str, Any]:
    """What a check of a day says, and the proof in a file. Raises ``WalletError`` where something differs."""
    checked = await owner_day(opened.wallet, day)
    if kept is not None and checked.proof is not None:
        setup = opened.wallet.setup
        zone = opened.settings.money.time_zone
        heading = Heading(setup.hub, setup.domain.chain_id, zone, day, opened.unit)
        put_out(write_proof(heading, checked.proof).encode(), kept)
    return {
        "day": str(day_date(day)),
        "paid": opened.money(checked.paid),
        "received": opened.money(checked.received),
        "in_the_posted_book": checked.proof is not None,
        "checked": "statement, proof and the root on the chain agree",
    }
