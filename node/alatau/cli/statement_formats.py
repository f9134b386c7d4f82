"""A statement of ``alatau wallet`` or ``alatau till`` as a file: JSON lines, CSV or camt.053."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from alatau.books.camt053 import statement_message
from alatau.books.csv_export import statement_csv
from alatau.books.day_export import Heading
from alatau.books.json_export import write_statement
from alatau.books.parties import Agent, Holder
from alatau.books.statements import Statement
from alatau.channels.invoice import read_details
from alatau.channels.party.records import Incoming, Outgoing
from alatau.cli.channel_options import Opened
from alatau.cli.output import say

FORMATS: Final = ("table", "json", "csv", "camt.053")

_F = TypeVar("_F", bound=Callable[..., Any])


def format_options(command: _F) -> _F:
    """Give a command ``--format``, ``--holder`` and ``--out``."""
    for option in (
        click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it into a file."),
        click.option("--holder", default="", help="With camt.053: your name, as the accountant knows it."),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            default="table",
            show_default=True,
            help="How it is written.",
        ),
    ):
        command = option(command)
    return command


def statement_bytes(opened: Opened, statement: Statement, form: str, holder: str) -> bytes:
    """The file. Raises ``BooksError``: a name cannot be carried."""
    setup, unit = opened.wallet.setup, opened.unit
    if form == "csv":
        return "".join(statement_csv(unit, statement)).encode()
    if form == "json":
        zone = opened.settings.money.time_zone
        heading = Heading(setup.hub, setup.domain.chain_id, zone, statement.last_day, unit)
        return "".join(write_statement(heading, statement)).encode()
    return statement_message(
        statement,
        Holder(holder or f"0x{setup.address.hex()}", statement.channel_id.hex()[:34]),
        Agent(f"Payment hub 0x{setup.hub.hex()}"),
        unit,
        opened.zone,
        created=int(setup.clock()),
        notes=_notes(opened),
    )


def _notes(opened: Opened) -> Mapping[bytes, str]:
    """Receipt numbers and references of invoices."""
    found = {}
    known: list[Incoming | Outgoing] = [*opened.wallet.incoming, *opened.wallet.outgoing]
    for one in known:
        details = read_details(one.signed.invoice.details)
        text = " ".join(part for part in (details.receipt_number, details.reference) if part)
        if text:
            found[one.invoice_hash] = text
    return found


def put_out(data: bytes, out: Path | None) -> None:
    """To the file, or to standard output."""
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        out.write_bytes(data)
        say(f"{len(data)} bytes in {out}")
