"""``alatau tx``: send value, call a contract in a transaction, submit signed bytes, look a transaction up."""

from pathlib import Path
from typing import Any

import click

from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.events import EventNames
from alatau.cli.output import json_option, print_facts, print_json
from alatau.cli.sender import SenderOptions, print_receipt, sender_options
from alatau.cli.traces import call_document, call_line
from alatau.cli.values import (
    abi_option,
    find_abi,
    find_contract,
    parse_address,
    parse_amount,
    parse_argument,
    parse_data,
    parse_hash,
)
from alatau.cli.waiting import explain_waiting
from alatau.client import contract_plans
from alatau.client.abi import Abi
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
    sender: SenderOptions,
    node: NodeOptions,
    as_json: bool,
) -> None:
    """Send value, and wait until it is final."""
    recipient, amount = parse_address(to), parse_amount(value)
    with open_client(context, node) as client:
        wallet = sender.wallet(client)
        with explain_waiting(client):
            receipt = client.transfer(wallet, recipient, amount, gas_limit=sender.gas_limit)
        print_receipt(receipt, as_json=as_json)


@tx.command()
@click.argument("contract")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@abi_option
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
    sender: SenderOptions,
    node: NodeOptions,
    as_json: bool,
) -> None:
    """Call FUNCTION of CONTRACT in a transaction, and wait until it is final.

    CONTRACT is a name from genesis (SettlementToken) or an address with --abi.
    """
    abi, address = find_contract(contract, abi_file)
    types = abi.function(function, len(arguments)).inputs
    values = [parse_argument(kind, text) for kind, text in zip(types, arguments, strict=True)]
    amount = parse_amount(value)
    with open_client(context, node) as client:
        wallet = sender.wallet(client)
        with explain_waiting(client):
            target = client.contract(abi, address)
            receipt = target.send(wallet, function, *values, value=amount, gas_limit=sender.gas_limit)
    print_receipt(receipt, as_json=as_json, names=_names(address, abi_file))


@tx.command()
@click.argument("signed")
@click.option("--no-wait", is_flag=True, help="Return when the node has it, not when it is final.")
@node_options
@json_option
@pass_context
def raw(context: Context, signed: str, no_wait: bool, node: NodeOptions, as_json: bool) -> None:
    """Submit SIGNED, a transaction's bytes in hexadecimal."""
    data = parse_data(signed)
    with open_client(context, node) as client:
        if no_wait:
            submitted = client.submit(data)
            print_facts({"transaction": submitted.hash, "state": submitted.state.name.lower()}, as_json=as_json)
        else:
            with explain_waiting(client):
                receipt = client.submit_and_wait(data)
            failure = None if receipt.succeeded else client.run(contract_plans.explain(receipt, _abi_of(receipt.to)))
            print_receipt(receipt, as_json=as_json, names=EventNames(), failure=failure)


@tx.command()
@click.argument("transaction_hash")
@abi_option
@node_options
@json_option
@pass_context
def show(context: Context, transaction_hash: str, abi_file: Path | None, node: NodeOptions, as_json: bool) -> None:
    """Show a transaction and, once it is final, its outcome: its events, or why it failed."""
    wanted = parse_hash(transaction_hash)
    with open_client(context, node) as client:
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
            receipt = client.receipt(wanted)
            names, failure = _names(receipt.to, abi_file), None
            if not receipt.succeeded:
                known = names.contract(receipt.to) if receipt.to is not None else None
                failure = client.run(contract_plans.explain(receipt, known[1] if known else Abi(())))
            print_receipt(receipt, as_json=as_json, names=names, failure=failure, **details)
        else:
            facts = {"transaction": wanted, "sender": record.sender, "to": record.transaction.to}
            print_facts(facts | details, as_json=as_json)


@tx.command()
@click.argument("transaction_hash")
@abi_option
@node_options
@json_option
@pass_context
def trace(context: Context, transaction_hash: str, abi_file: Path | None, node: NodeOptions, as_json: bool) -> None:
    """Run a final transaction again where it stands, and show every call that it made."""
    wanted = parse_hash(transaction_hash)
    with open_client(context, node) as client:
        found = client.trace(wanted)
    names = _names(found.calls[0].to, abi_file)
    if as_json:
        calls = [call_document(call, names) for call in found.calls]
        facts: dict[str, Any] = {"transaction": wanted, "height": found.height, "gas_used": found.gas_used}
        print_json({**facts, "truncated": found.truncated, "calls": calls})
        return
    for call in found.calls:
        click.echo(call_line(call, names))
    if found.truncated:
        click.echo("... more calls than a trace shows")


def _names(address: bytes | None, abi_file: Path | None) -> EventNames:
    """Names of what is known, and of the contract that ``--abi`` is for."""
    if address is None or abi_file is None:
        return EventNames()
    return EventNames({address: ("0x" + address.hex(), find_abi(abi_file))})


def _abi_of(address: bytes | None) -> Abi:
    known = None if address is None else EventNames().contract(address)
    return Abi(()) if known is None else known[1]
