"""``alatau hub day-book``, ``proof``, ``audit``: a hub's books for its operator, its owners and its auditors."""

import csv
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from alatau.app.hub.books import HubBooks, open_books
from alatau.artifacts import addresses
from alatau.artifacts.artifact import load
from alatau.books.accounts import Account
from alatau.books.amounts import read_decimal
from alatau.books.audit import audit_day, export_closings
from alatau.books.calendar import day_date
from alatau.books.camt053 import day_book_message
from alatau.books.csv_export import day_csv
from alatau.books.day_export import DayExport
from alatau.books.day_root import inclusion
from alatau.books.errors import BooksError, NotInBookError
from alatau.books.json_export import write_day
from alatau.books.json_import import read_day
from alatau.books.json_record import LINE_BYTES_MAX
from alatau.books.pacs004 import Return, returns_message
from alatau.books.pacs008 import Payout, message_id, payouts, payouts_message
from alatau.books.proof_json import write_proof
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.exit_codes import ExitCode
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.values import parse_hash
from alatau.hub.day_close import export_of, ledger_of, root_of
from alatau.zones import zone_of

_F = TypeVar("_F", bound=Callable[..., Any])
_FORMATS: Final = ("json", "csv", "camt.053", "pacs.008", "pacs.004")


def day_option(*, required: bool) -> Callable[[_F], _F]:
    """Give a command ``--day``, as a datetime."""
    text = "Which, as 2026-11-27, in the hub's time zone."
    return click.option("--day", type=click.DateTime(["%Y-%m-%d"]), required=required, help=text)


def number_of(day: datetime) -> int:
    """Days since 1970."""
    return (day.date() - date(1970, 1, 1)).days


@click.command("day-book")
@day_option(required=True)
@click.option("--format", "form", type=click.Choice(_FORMATS), default="json", show_default=True, help="Of the file.")
@click.option(
    "--returns",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="For pacs.004, what came back: CSV with reference of the return, reference of the payout, amount, reason.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where to; standard output by default.")
@pass_context
def day_book(context: Context, day: datetime, form: str, returns: Path | None, out: Path | None) -> None:
    """Write a closed day: json for auditors, csv for spreadsheets, camt.053 for accountants, pacs.008 for the bank.

    The hub may run meanwhile. No owner stands in camt.053; pacs.008 pays those whom books.beneficiaries names.
    """
    if (form == "pacs.004") != (returns is not None):
        raise click.UsageError("--returns belongs to --format pacs.004")
    with open_books(context.home()) as books:
        data = _written(books, number_of(day), form, returns)
    if out is None:
        sys.stdout.buffer.write(data)
    else:
        out.write_bytes(data)
        say(f"{len(data)} bytes in {out}")


def _written(books: HubBooks, day: int, form: str, returns: Path | None) -> bytes:
    heading, zone, created = books.heading(day), zone_of(books.config.hub.time_zone), int(time.time())
    if form == "json":
        return "".join(write_day(export_of(books.store.journal, heading))).encode()
    if form == "csv":
        return "".join(day_csv(export_of(books.store.journal, heading))).encode()
    ledger = ledger_of(books.store.journal, day)
    if form == "camt.053":
        return day_book_message(ledger, books.holder, books.agent, books.unit, zone, created=created)
    transfers = payouts(ledger, books.beneficiaries())
    if not transfers:
        raise BooksError(f"nobody in books.beneficiaries was paid out on {day_date(day)}")
    if returns is None:
        return payouts_message(transfers, books.holder, books.agent, books.unit, day=day, created=created)
    back = tuple(_returns(books, returns, {one.reference: one for one in transfers}, message_id(day, transfers)))
    return returns_message(back, books.unit, day=day, created=created)


def _returns(books: HubBooks, path: Path, sent: Mapping[bytes, Payout], original: str) -> Iterable[Return]:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for line, row in enumerate(csv.reader(file), start=1):
            try:
                reference, payout, amount, reason = (part.strip() for part in row)
                paid = sent[bytes.fromhex(payout.removeprefix("0x"))]
                own = bytes.fromhex(reference.removeprefix("0x"))
                yield Return(own, paid, original, read_decimal(books.unit, amount), reason)
            except KeyError as error:
                raise BooksError(f"{path}:{line}: no payout of this reference on that day") from error
            except ValueError as error:
                raise BooksError(f"{path}:{line}: reference,payout,amount,reason: {error}") from error


@click.command()
@click.argument("channel")
@day_option(required=True)
@pass_context
def proof(context: Context, channel: str, day: datetime) -> None:
    """Write the proof that the day of CHANNEL is in the book that was posted, for its owner or a court."""
    identity, number = parse_hash(channel), number_of(day)
    with open_books(context.home()) as books:
        heading = books.heading(number)
        root = root_of(books.store.journal, number)
        if root is None:
            raise NotInBookError(f"nobody paid on {day_date(number)}")
        click.echo(write_proof(heading, inclusion(root, identity)), nl=False)


@click.command()
@click.argument("export", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@day_option(required=False)
@click.option(
    "--previous",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Export of the day before: this one has to begin with what that ended with.",
)
@click.option("--without-chain", is_flag=True, help="Compute everything, and ask no node for the root.")
@node_options
@json_option
@pass_context
def audit(
    context: Context,
    export: Path,
    day: datetime | None,
    previous: Path | None,
    without_chain: bool,
    node: NodeOptions,
    as_json: bool,
) -> int:
    """Compute a day again from EXPORT (json) and compare it with the root on the chain; name the first difference.

    It needs a node and no hub. Exit code 7 if there is a difference.
    """
    told = _read(export)
    if day is not None and told.heading.day != number_of(day):
        raise BooksError(f"{export} is of {day_date(told.heading.day)}")
    before: dict[Account, int] | None = None
    if previous is not None:
        earlier = _read(previous)
        if earlier.heading.day != told.heading.day - 1 or earlier.heading.hub != told.heading.hub:
            raise BooksError(f"{previous} is not the same hub's book of the day before")
        before = export_closings(earlier)
    posted = None
    if not without_chain:
        with open_client(context, node) as client:
            if client.status().chain_id != told.heading.chain_id:
                raise BooksError(f"the export is of chain {told.heading.chain_id}, the node of another one")
            contract = client.contract(load("DayBook").abi, addresses.DAY_BOOK)
            posted = bytes(contract.read("day_root", told.heading.hub, told.heading.day))
    difference = audit_day(told, zone_of(told.heading.zone), posted=posted, previous=before)
    facts = {
        "day": str(day_date(told.heading.day)),
        "hub": told.heading.hub,
        "entries": len(told.entries),
        "channels_in_the_book": told.totals.entries if told.totals else 0,
        "compared_with_the_chain": not without_chain,
        "compared_with_the_day_before": previous is not None,
        "difference": None if difference is None else str(difference),
    }
    print_facts(facts, as_json=as_json)
    return ExitCode.OK if difference is None else ExitCode.DAMAGED


def _read(path: Path) -> DayExport:
    with path.open("rb") as file:
        return read_day(iter(partial(file.readline, LINE_BYTES_MAX + 1), b""))
