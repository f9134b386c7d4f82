"""``alatau wallet``: a resident's money with a payment hub."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import trio

from alatau.app.config_file import parse_config
from alatau.app.private_file import write_private
from alatau.app.provision import new_private_key
from alatau.app.wallet.backup import BYTES_MAX, contents_of, read_backup, restore, write_backup
from alatau.app.wallet.config import SCHEMA, domain_of_settings, unit_of
from alatau.app.wallet.home import CHAIN_CA, HUB_CA, TOWER_CA, empty_home, make_home
from alatau.books.amounts import decimal_text
from alatau.channels.invoice import Details, invoice_digest, read_details, write_details
from alatau.channels.party.records import Outgoing, OutgoingPhase, Receipt
from alatau.channels.state import Phase, payouts, side_of
from alatau.cli.channel_options import (
    TOWER_PATIENCE_S,
    FolderOptions,
    Opened,
    connected,
    folder_options,
    parse_amount,
    read_argument,
    run_wallet,
    wait_paid,
    why_failed,
)
from alatau.cli.context import ask_password
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.values import parse_address
from alatau.cli.wallet_history import history, statement
from alatau.client import client_tls, connect
from alatau.client.hub_plans import HubFacts
from alatau.client.keystore import DEVNET_COST, STANDARD_COST, read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.channel import open_channel
from alatau.transport.errors import RpcError
from alatau.wallet.chain_account import ChainAccount
from alatau.wallet.channel_wallet import INVOICE_SECONDS, Quote
from alatau.wallet.errors import WalletError
from alatau.wallet.invoice_text import invoice_text, read_invoice_text
from alatau.wallet.link import PaymentFailedError
from alatau.wallet.receipt import check_receipt, read_receipt_text, receipt_text
from alatau.wallet.setup import Setup
from alatau.wallet.store import open_wallet_store
from alatau.wallet.terms import ask_terms
from alatau.zones import zone_of

_HUB_PATIENCE_S = 5.0
"""So long a command that only looks waits for the hub."""


@click.group()
def wallet() -> None:
    """A resident's wallet: a channel with a payment hub.

    \b
    alatau wallet create --hub HOST:PORT --hub-ca hub.pem --node HOST:PORT --ca ca.pem
    alatau wallet open 2000.00        put money in
    alatau wallet pay alatau:...      what a QR code says
    alatau wallet balance
    """


for command in (history, statement):
    wallet.add_command(command)


@wallet.command()
@click.option("--hub", "hub_endpoint", required=True, help="host:port at which the hub serves wallets.")
@click.option(
    "--hub-ca",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) that the hub's must come from.",
)
@click.option("--node", "nodes", required=True, multiple=True, help="host:port of a node's client API; may repeat.")
@click.option(
    "--ca",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) that the nodes' must come from.",
)
@click.option(
    "--from",
    "keystore",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Keystore of an account that is registered already; by default a new key is made.",
)
@click.option("--tower", "towers", multiple=True, help="host:port of a watchtower; may repeat, better two.")
@click.option(
    "--tower-ca",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) that the towers' must come from.",
)
@click.option("--weak", is_flag=True, help="Encrypt the key cheaply; for throw-away networks only.")
@folder_options
@json_option
def create(
    hub_endpoint: str,
    hub_ca: Path,
    nodes: tuple[str, ...],
    ca: Path,
    keystore: Path | None,
    towers: tuple[str, ...],
    tower_ca: Path | None,
    weak: bool,
    folder: FolderOptions,
    as_json: bool,
) -> None:
    """Make a wallet's folder: ask the hub and the chain who they are, and encrypt a key."""
    if bool(towers) != (tower_ca is not None):
        raise click.UsageError("--tower and --tower-ca are given together")
    empty_home(folder.wallet)
    password = ask_password("Password of the wallet", folder.password_file, confirm=keystore is None)
    key = new_private_key() if keystore is None else read_keystore(keystore, password)
    given = {"hub.endpoint": hub_endpoint, "chain.nodes": ",".join(nodes)}
    certificates = {HUB_CA: hub_ca.read_bytes(), CHAIN_CA: ca.read_bytes()}
    if tower_ca is not None:
        given["towers.endpoints"] = ",".join(towers)
        certificates[TOWER_CA] = tower_ca.read_bytes()
    _check_settings(given)
    terms, decimals = trio.run(_introduce, key, given, certificates)
    settings = given | {
        "hub.address": "0x" + terms.address.hex(),
        "chain.id": terms.domain.chain_id,
        "chain.contract": "0x" + terms.domain.contract.hex(),
        "money.decimals": decimals,
    }
    cost = DEVNET_COST if weak else STANDARD_COST
    home = make_home(folder.wallet, key, password, settings, certificates, cost=cost)
    print_facts(
        {"folder": str(home.folder), "address": key.address, "hub": terms.address, "chain_id": terms.domain.chain_id},
        as_json=as_json,
    )
    say("The account has to be registered as a participant and hold money; then: alatau wallet open AMOUNT")


def _check_settings(given: dict[str, Any]) -> None:
    """Raises ``ConfigError`` before anything is dialled or written."""
    lines = [f"[hub]\nendpoint = {_quoted(given['hub.endpoint'])}", f"[chain]\nnodes = {_quoted(given['chain.nodes'])}"]
    if "towers.endpoints" in given:
        lines.append(f"[towers]\nendpoints = {_quoted(given['towers.endpoints'])}")
    parse_config(SCHEMA, "\n".join(lines).encode(), "the options", {})


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


async def _introduce(key: PrivateKey, given: dict[str, Any], certificates: dict[str, bytes]) -> tuple[HubFacts, int]:
    """Who the hub is, and that a node of the same chain knows the contract."""
    hub_tls, chain_tls = client_tls(ca=certificates[HUB_CA]), client_tls(ca=certificates[CHAIN_CA])
    nodes = tuple(given["chain.nodes"].split(","))
    async with open_channel(given["hub.endpoint"], hub_tls) as hub, connect(list(nodes), chain_tls) as client:
        terms, status = await ask_terms(hub), await client.status()
        if status.chain_id != terms.domain.chain_id:
            raise WalletError(
                f"the hub serves chain {terms.domain.chain_id}, and the node is of chain {status.chain_id}"
            )
        domain = terms.domain
        setup = Setup(key, domain, terms.address, given["hub.endpoint"], hub_tls, nodes, chain_tls, Path())
        return terms, await ChainAccount(client, setup).decimals()


@wallet.command("open")
@click.argument("amount")
@folder_options
@json_option
def open_(amount: str, folder: FolderOptions, as_json: bool) -> None:
    """Open a channel with the hub and put AMOUNT in.

    An account that has a channel already, since its folder was lost, takes it up again: the hub tells what was paid.
    """

    async def task(opened: Opened) -> dict[str, Any]:
        state = await opened.wallet.open(parse_amount(opened.unit, amount, zero=True))
        return {
            "channel": state.id,
            "phase": state.phase.name.lower(),
            "available": opened.money(opened.wallet.spendable),
        }

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@click.argument("amount")
@folder_options
@json_option
def deposit(amount: str, folder: FolderOptions, as_json: bool) -> None:
    """Put AMOUNT more into the channel."""

    async def task(opened: Opened) -> dict[str, Any]:
        await opened.wallet.deposit(opened.amount(amount))
        return {"available": opened.money(opened.wallet.spendable)}

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@click.argument("amount")
@folder_options
@json_option
def withdraw(amount: str, folder: FolderOptions, as_json: bool) -> None:
    """Take AMOUNT out of the channel, with the hub's consent; the channel stays open."""

    async def task(opened: Opened) -> dict[str, Any]:
        taken = await opened.wallet.withdraw(opened.amount(amount))
        return {"taken_out": opened.money(taken), "available": opened.money(opened.wallet.spendable)}

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@click.argument("invoice")
@click.option("--yes", is_flag=True, help="Do not ask before paying; a script must say so.")
@folder_options
@json_option
def pay(invoice: str, yes: bool, folder: FolderOptions, as_json: bool) -> None:
    """Pay INVOICE: what a QR code says, alatau:..., or - to read it from standard input.

    Paying the same invoice again is the same payment: it shows its outcome and costs nothing. Exit code 8 says that the
    payment is signed and its outcome is not known yet: run the same command again, and do not pay by another invoice.
    """
    signed = read_invoice_text(read_argument(invoice))

    async def task(opened: Opened) -> Outgoing:
        quote = await opened.wallet.quote(signed)
        _show_quote(opened, quote)
        if quote.known is None and quote.amount + quote.fee > quote.available:
            async with connected(opened, _HUB_PATIENCE_S):
                quote = await opened.wallet.quote(signed)
            if quote.amount + quote.fee > quote.available:
                raise WalletError(
                    f"{opened.money(quote.amount + quote.fee)} are to be paid, {opened.money(quote.available)} are"
                    " available; alatau wallet deposit puts more in"
                )
        if quote.known is None and not yes:
            if not sys.stdin.isatty():
                raise click.UsageError("nobody can be asked here: say --yes to pay")
            click.confirm("Pay?", abort=True, err=True)
        try:
            paid = await opened.wallet.pay(signed)
        except PaymentFailedError as error:
            raise WalletError(why_failed(opened, error)) from error
        print_facts(_receipt_facts(opened, paid), as_json=as_json)
        return paid

    run_wallet(folder, task)


def _show_quote(opened: Opened, quote: Quote) -> None:
    invoice = quote.signed.invoice
    details = read_details(invoice.details)
    say(f"to pay    {opened.money(quote.amount)}")
    say(f"fee       {opened.money(quote.fee)}")
    say(f"merchant  0x{invoice.merchant.hex()}")
    for name, value in (("for", details.reference), ("receipt", details.receipt_number)):
        if value:
            say(f"{name:<9} {value!r}")
    if quote.known is not None and quote.known.phase is OutgoingPhase.PAID:
        say("This was paid before; it is not paid again.")


def _receipt_facts(opened: Opened, paid: Outgoing) -> dict[str, Any]:
    invoice = paid.signed.invoice
    assert paid.secret is not None, "a payment that is final has its secret"
    return {
        "paid": opened.money(invoice.amount),
        "fee": opened.money(paid.lock.amount - invoice.amount),
        "merchant": invoice.merchant,
        "time": opened.when(paid.time),
        "invoice_hash": paid.invoice_hash,
        "available": opened.money(opened.wallet.spendable),
        "receipt": receipt_text(Receipt(paid.signed, paid.secret)),
    }


@wallet.command()
@click.argument("amount")
@click.option("--reference", default="", help="What it is for; the payer sees it.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 7 * 24 * 60),
    default=INVOICE_SECONDS // 60,
    show_default=True,
    help="How long it can be paid.",
)
@folder_options
@json_option
def receive(amount: str, reference: str, minutes: int, folder: FolderOptions, as_json: bool) -> None:
    """Ask for AMOUNT and wait until it is paid; the invoice goes to standard error as text.

    Show it as a QR code with alatau till, which has it as a picture, too.
    """
    details = write_details(Details(reference=reference))

    async def task(opened: Opened) -> dict[str, Any]:
        made = opened.wallet.invoice(opened.amount(amount), seconds=minutes * 60, details=details)
        say(invoice_text(made.signed))
        paid = await wait_paid(opened, made)
        return {"received": opened.money(paid.signed.invoice.amount), "time": opened.when(paid.paid_time)}

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@folder_options
@json_option
def balance(folder: FolderOptions, as_json: bool) -> None:
    """Show what can be paid now, and what the account holds outside the channel."""

    async def task(opened: Opened) -> dict[str, Any]:
        async with connected(opened, _HUB_PATIENCE_S) as there:
            pass
        mine = opened.wallet
        facts: dict[str, Any] = {"address": mine.setup.address, "available": opened.money(mine.spendable)}
        if mine.state is not None:
            facts["channel"] = mine.state.phase.name.lower()
            facts["under_way"] = opened.money(side_of(mine.state, mine.setup.address).locked)
            facts["by_the_newest_vouchers"] = opened.money(payouts(mine.state)[0])
        with trio.move_on_after(TOWER_PATIENCE_S):
            await mine.protected()
        for tower in mine.towers:
            facts[f"tower {tower.endpoint}"] = f"protected up to voucher {tower.nonce} of {tower.newest}" + (
                f" ({tower.problem})" if tower.problem else ""
            )
        facts["hub"] = "connected" if there else "not connected: what is shown is what this wallet knows"
        with trio.move_on_after(_HUB_PATIENCE_S):
            try:
                facts["account"] = opened.money(await mine.account.balance())
                facts["owed_by_the_contract"] = opened.money(await mine.account.credit(mine.setup.address))
            except RpcError as error:
                say(f"no node of the chain answers: {error.message}")
        return facts

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@click.option("--alone", is_flag=True, help="Without the hub: it takes until the window of the contract has ended.")
@click.option("--even-if-stale", is_flag=True, help="With --alone, from a backup that no hub has brought up to date.")
@folder_options
@json_option
def close(alone: bool, even_if_stale: bool, folder: FolderOptions, as_json: bool) -> None:
    """Close the channel and have the money paid to the account.

    With the hub it is done at once. With --alone run the same command again after the window, to settle and claim.
    """

    async def task(opened: Opened) -> dict[str, Any]:
        mine = opened.wallet
        if mine.state is not None and mine.state.phase is Phase.OPEN and not alone:
            return {"phase": "settled", "claimed": opened.money(await mine.close())}
        if mine.state is None or mine.state.phase is not Phase.OPEN:
            return {"phase": "settled", "claimed": opened.money(await mine.settle())}
        state = await mine.close_alone(even_if_stale=even_if_stale)
        assert state.window is not None, "it is closing"
        return {
            "phase": "closing",
            "settle_from_block": state.window.settle_block,
            "and_from": opened.when(state.window.settle_time),
        }

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@click.argument("lost", metavar="ADDRESS")
@folder_options
@json_option
def recover(lost: str, folder: FolderOptions, as_json: bool) -> None:
    """Have what is owed to ADDRESS, an account whose key is lost, paid to this wallet's account.

    The registrar has named this account its successor, the delay of the naming is over, and the hub has closed the
    channel of ADDRESS.
    """
    address = parse_address(lost)

    async def task(opened: Opened) -> dict[str, Any]:
        return {"claimed": opened.money(await opened.wallet.account.claim_for_successor(address))}

    print_facts(run_wallet(folder, task), as_json=as_json)


@wallet.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--weak", is_flag=True, help="Encrypt it cheaply; for throw-away networks only.")
@folder_options
@json_option
def backup(file: Path, weak: bool, folder: FolderOptions, as_json: bool) -> None:
    """Write the whole wallet into FILE, encrypted with the wallet's password. However old it is, it loses nothing."""
    home = folder.home()
    password = ask_password(f"Password of {home.keystore}", folder.password_file)
    key = home.key(password)
    store = open_wallet_store(home.database, domain_of_settings(home.settings()))
    try:
        data = write_backup(contents_of(home, store), password, cost=DEVNET_COST if weak else STANDARD_COST)
    finally:
        store.close()
    write_private(file, data)
    print_facts({"file": str(file), "bytes": len(data), "address": key.address}, as_json=as_json)


@wallet.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@folder_options
@json_option
def restore_(file: Path, folder: FolderOptions, as_json: bool) -> None:
    """Put a wallet back from FILE. It signs nothing before the hub has told what is newer."""
    password = ask_password("Password of the backup", folder.password_file)
    with file.open("rb") as opened:
        contents = read_backup(opened.read(BYTES_MAX + 1), password)
    home = restore(contents, folder.wallet)
    print_facts({"folder": str(home.folder), "address": home.key(password).address}, as_json=as_json)
    say("Stop every other copy of this wallet for good: two that sign for one channel work against each other.")


@wallet.command()
@click.argument("text", metavar="RECEIPT")
@folder_options
@json_option
def verify(text: str, folder: FolderOptions, as_json: bool) -> None:
    """Check a receipt, alatau-paid:..., that somebody shows; hub and chain are not asked."""
    settings = folder.home().settings()
    receipt = read_receipt_text(read_argument(text))
    check_receipt(domain_of_settings(settings), receipt)
    invoice = receipt.signed.invoice
    zone, unit = zone_of(settings.money.time_zone), unit_of(settings)
    facts = {
        "paid": f"{decimal_text(unit, invoice.amount)} {unit.currency}",
        "merchant": invoice.merchant,
        "issued": datetime.fromtimestamp(invoice.issued, zone).isoformat(sep=" ", timespec="seconds"),
        "invoice_hash": invoice_digest(domain_of_settings(settings), invoice),
    }
    shown = read_details(invoice.details)
    print_facts(
        facts | {name: getattr(shown, name) for name in Details.__slots__ if getattr(shown, name)}, as_json=as_json
    )
