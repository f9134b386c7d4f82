"""``alatau tx``: send value, call a contract in a transaction, submit signed bytes, look a transaction up."""

from pathlib import Path

import click

from alatau.cli.connection import node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.output import json_option, print_facts
from alatau.cli.sender import open_wallet, print_receipt, sender_options
from alatau.cli.values import find_contract, parse_address, parse_amount, parse_argument, parse_data, parse_hash, shown
from alatau.client.abi import Event
from alatau.wire.transaction import TransactionState


@click.group()
def tx() -> None:
    """Transactions."""


@tx.command()
@click.option("--to", required=True, help="Recipient's address.")
@click.option("--value", required=True, help="Amount, such as 100, 2gwei or 1.5ether.")
@sender_options
@node_options
@json_option
@pass_context
def send(
    context: Context,
    to: str,
    value: str,
    keystore: Path,
    password_file: Path | None,
    node: str | None,
    ca: Path | None,
    as_json: bool,
) -> None:
    """Send value, and wait until it is final."""
    recipient, amount = parse_address(to), parse_amount(value)
    with open_client(context, node, ca) as client:
        wallet = open_wallet(client, keystore, password_file)
        print_receipt(client.transfer(wallet, recipient, amount), as_json=as_json)


@tx.command()
@click.argument("contract")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@click.option("--abi", "abi_file", type=click.Path(path_type=Path), help="ABI's file, for a contract by address.")
@click.option("--value", default="0", help="Amount to send with it.")
@sender_options
@node_options
@json_option
@pass_context
def invoke(
    context: Context,
    contract: str,
    function: str,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    value: str,
    keystore: Path,
    password_file: Path | None,
    node: str | None,
    ca: Path | None,
    as_json: bool,
) -> None:
    """Call FUNCTION of CONTRACT in a transaction, and wait until it is final.

    CONTRACT is a name from genesis (SettlementToken) or an address with --abi.
    """
    abi, address = find_contract(contract, abi_file)
    types = abi.function(function, len(arguments)).inputs
    values = [parse_argument(kind, text) for kind, text in zip(types, arguments, strict=True)]
    amount = parse_amount(value)
    with open_client(context, node, ca) as client:
        wallet = open_wallet(client, keystore, password_file)
        found = client.contract(abi, address)
        receipt = found.send(wallet, function, *values, value=amount)
        events = [_event(event) for event in found.events(receipt)]
        print_receipt(receipt, as_json=as_json, events=events if as_json else "\n".join(events) or None)


@tx.command()
@click.argument("signed")
@click.option("--no-wait", is_flag=True, help="Return when the node has it, not when it is final.")
@node_options
@json_option
@pass_context
def raw(context: Context, signed: str, no_wait: bool, node: str | None, ca: Path | None, as_json: bool) -> None:
    """Submit SIGNED, a transaction's bytes in hexadecimal."""
    data = parse_data(signed)
    with open_client(context, node, ca) as client:
        if no_wait:
            submitted = client.submit(data)
            print_facts({"transaction": submitted.hash, "state": submitted.state.name.lower()}, as_json=as_json)
        else:
            print_receipt(client.submit_and_wait(data), as_json=as_json)


@tx.command()
@click.argument("transaction_hash")
@node_options
@json_option
@pass_context
def show(context: Context, transaction_hash: str, node: str | None, ca: Path | None, as_json: bool) -> None:
    """Show a transaction and, once it is final, its outcome."""
    wanted = parse_hash(transaction_hash)
    with open_client(context, node, ca) as client:
        record = client.transaction(wanted)
        details = {
            "state": record.state.name.lower(),
            "type": record.transaction.type.name.lower(),
            "nonce": record.transaction.nonce,
            "value": record.transaction.value,
            "gas_limit": record.transaction.gas_limit,
            "data": record.transaction.data,
        }
        if record.state is TransactionState.FINAL:
            print_receipt(client.receipt(wanted), as_json=as_json, **details)
        else:
            facts = {"transaction": wanted, "sender": record.sender, "to": record.transaction.to}
            print_facts(facts | details, as_json=as_json)


def _event(event: Event) -> str:
    members = (f"{name}={shown(value)}" for name, value in event.values.items())
    return f"{event.name}({', '.join(members)})"
