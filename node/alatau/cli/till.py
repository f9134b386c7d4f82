"""``alatau till``: a merchant's till: invoices as QR codes, receipts, refunds, the end of the day."""

from datetime import date
from pathlib import Path
from typing import Any

import click
import trio

from alatau.books.amounts import decimal_text
from alatau.books.calendar import day_date, day_number
from alatau.channels.invoice import Details, read_details, write_details
from alatau.channels.party.records import Incoming, IncomingPhase
from alatau.cli.channel_options import (
    FolderOptions,
    Opened,
    connected,
    folder_options,
    run_wallet,
    wait_paid,
)
from alatau.cli.output import json_option, print_facts, print_rows, say
from alatau.cli.qr_code import qr_lines, write_qr
from alatau.cli.statement_formats import format_options, put_out, statement_bytes
from alatau.cli.values import parse_hash
from alatau.cli.wallet_history import check_statement, number_of
from alatau.wallet.channel_wallet import INVOICE_SECONDS
from alatau.wallet.errors import WalletError
from alatau.wallet.invoice_text import invoice_text
from alatau.wallet.owner_books import owner_statement

_PATIENCE_S = 5.0


@click.group()
def till() -> None:
    """A merchant's till. It uses the folder of a wallet: alatau wallet create, and alatau wallet open 0.

    \b
    alatau till invoice 1500.00 --wait      show a QR code, wait, print a receipt
    alatau till refund HASH 500.00          pay a part back
    alatau till day                         what came in today
    """


@till.command()
@click.argument("amount")
@click.option("--register-number", default="", help="Of the cash register, as the tax office knows it.")
@click.option("--receipt-number", default="", help="Of the fiscal receipt.")
@click.option("--fiscal-sign", default="", help="Of the fiscal receipt.")
@click.option("--operator", default="", help="Address at which the operator of fiscal data shows the receipt.")
@click.option("--reference", default="", help="The merchant's own words; the customer sees them.")
@click.option("--name", default="", help="Of the shop; the customer sees it.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 7 * 24 * 60),
    default=INVOICE_SECONDS // 60,
    show_default=True,
    help="How long it can be paid.",
)
@click.option("--png", type=click.Path(path_type=Path, dir_okay=False), help="Write the QR code as a picture, too.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="The same as a drawing.")
@click.option("--wait", "waits", is_flag=True, help="Wait until it is paid, and print a receipt.")
@folder_options
@json_option
def invoice(
    amount: str,
    register_number: str,
    receipt_number: str,
    fiscal_sign: str,
    operator: str,
    reference: str,
    name: str,
    minutes: int,
    png: Path | None,
    svg: Path | None,
    waits: bool,
    folder: FolderOptions,
    as_json: bool,
) -> None:
    """Ask for AMOUNT: the QR code goes to the terminal, the invoice as text to standard output.

    Somebody pays it only while a till of this folder is connected: with --wait, or alatau till listen.
    """
    details = write_details(Details(register_number, receipt_number, fiscal_sign, operator, reference, name))

    async def task(opened: Opened) -> dict[str, Any]:
        made = opened.wallet.invoice(opened.amount(amount), seconds=minutes * 60, details=details)
        text = invoice_text(made.signed)
        for path in (png, svg):
            if path is not None:
                write_qr(text, path)
        for line in qr_lines(text):
            say(line)
        say(text)
        facts = {"invoice": text, "invoice_hash": made.invoice_hash, "amount": opened.money(made.signed.invoice.amount)}
        if not waits:
            return facts
        say(f"{opened.money(made.signed.invoice.amount)} until {opened.when(made.signed.invoice.expires)}. Waiting.")
        return facts | receipt_facts(opened, await wait_paid(opened, made))

    print_facts(run_wallet(folder, task), as_json=as_json)


def receipt_facts(opened: Opened, paid: Incoming) -> dict[str, Any]:
    """What is printed for the customer."""
    shown = read_details(paid.signed.invoice.details)
    facts: dict[str, Any] = {"paid": opened.money(paid.signed.invoice.amount), "time": opened.when(paid.paid_time)}
    facts |= {name: getattr(shown, name) for name in Details.__slots__ if getattr(shown, name)}
    return facts | {"merchant": paid.signed.invoice.merchant, "invoice_hash": paid.invoice_hash}


@till.command()
@folder_options
@json_option
def listen(folder: FolderOptions, as_json: bool) -> None:
    """Stay connected, so that invoices can be paid, and print a receipt for each payment, until interrupted."""

    async def task(opened: Opened) -> None:
        seen = {one.invoice_hash for one in opened.wallet.incoming if one.phase is IncomingPhase.PAID}
        async with connected(opened, _PATIENCE_S) as there:
            say("Connected." if there else "The hub is not connected; it is tried again and again.")
        while True:
            for one in opened.wallet.incoming:
                if one.phase is IncomingPhase.PAID and one.invoice_hash not in seen:
                    seen.add(one.invoice_hash)
                    print_facts(receipt_facts(opened, one), as_json=as_json)
            await opened.wallet.changed()

    run_wallet(folder, task)


@till.command()
@click.argument("invoice_hash", metavar="HASH")
@click.argument("amount")
@folder_options
@json_option
def refund(invoice_hash: str, amount: str, folder: FolderOptions, as_json: bool) -> None:
    """Pay AMOUNT of the invoice HASH back to whoever paid it. The hash stands on the receipt."""
    wanted = parse_hash(invoice_hash)

    async def task(opened: Opened) -> dict[str, Any]:
        paid = next((one for one in opened.wallet.incoming if one.invoice_hash == wanted), None)
        if paid is None:
            raise WalletError(f"this till knows no invoice 0x{wanted.hex()}: alatau wallet history lists them")
        left = paid.signed.invoice.amount - paid.refunded
        if opened.amount(amount) > left:
            raise WalletError(f"{opened.money(left)} of this invoice can be refunded")
        after = await opened.wallet.refund(paid.signed.invoice.secret_hash, opened.amount(amount))
        return {
            "refunded": opened.money(after.refunds[-1][1]),
            "in_all": opened.money(after.refunded),
            "of": opened.money(after.signed.invoice.amount),
            "invoice_hash": wanted,
        }

    print_facts(run_wallet(folder, task), as_json=as_json)


@till.command()
@click.option("--date", "of", type=click.DateTime(["%Y-%m-%d"]), help="Which day; today by default.")
@click.option("--receipts", is_flag=True, help="List every payment and refund.")
@folder_options
@json_option
def day(of: Any, receipts: bool, folder: FolderOptions, as_json: bool) -> None:
    """Add up a day: what came in and what was refunded, as this till knows it. The hub need not be there."""

    async def task(opened: Opened) -> tuple[Opened, int, list[tuple[int, str, int, Incoming]]]:
        await trio.lowlevel.checkpoint()
        number = opened.today() if of is None else (of.date() - date(1970, 1, 1)).days
        return opened, number, sorted(_movements(opened, number), key=lambda one: one[0])

    opened, number, found = run_wallet(folder, task)
    received = [amount for _, what, amount, _ in found if what == "received"]
    refunded = [amount for _, what, amount, _ in found if what == "refunded"]
    if receipts:
        rows = (
            (
                opened.when(time),
                what,
                decimal_text(opened.unit, amount),
                read_details(one.signed.invoice.details).receipt_number,
                one.invoice_hash,
            )
            for time, what, amount, one in found
        )
        print_rows(("time", "what", "amount", "receipt_number", "invoice_hash"), rows, as_json=as_json)
        return
    facts = {
        "day": str(day_date(number)),
        "time_zone": opened.settings.money.time_zone,
        "payments": len(received),
        "received": opened.money(sum(received)),
        "refunds": len(refunded),
        "refunded": opened.money(sum(refunded)),
        "left": opened.money(sum(received) - sum(refunded)),
    }
    print_facts(facts, as_json=as_json)


@till.command("day-end")
@click.option("--date", "of", type=click.DateTime(["%Y-%m-%d"]), help="Which day; today by default.")
@click.option("--verify", is_flag=True, help="Hold it against the root that the hub posted on the chain.")
@format_options
@folder_options
@json_option
def day_end(
    of: Any, verify: bool, form: str, holder: str, out: Path | None, folder: FolderOptions, as_json: bool
) -> None:
    """The hub's statement of a day, for the accountant: json, csv or camt.053 by --format."""

    async def task(opened: Opened) -> dict[str, Any] | bytes:
        day = opened.today() if of is None else number_of(of)
        if verify:
            return await check_statement(opened, day, None)
        made = await owner_statement(opened.wallet, day, day)
        if form != "table":
            return statement_bytes(opened, made, form, holder)
        return {
            "day": str(day_date(day)),
            "opening": opened.money(made.opening),
            "movements": len(made.movements),
            "in": opened.money(sum(one.credit for one in made.movements)),
            "out": opened.money(sum(one.debit for one in made.movements)),
            "closing": opened.money(made.closing),
        }

    done = run_wallet(folder, task)
    if isinstance(done, bytes):
        put_out(done, out)
    else:
        print_facts(done, as_json=as_json)


def _movements(opened: Opened, number: int) -> list[tuple[int, str, int, Incoming]]:
    found = []
    for one in opened.wallet.incoming:
        if one.phase is IncomingPhase.PAID and day_number(opened.zone, one.paid_time) == number:
            found.append((one.paid_time, "received", one.signed.invoice.amount, one))
        for time, amount in one.refunds:
            if day_number(opened.zone, time) == number:
                found.append((time, "refunded", amount, one))
    return found
