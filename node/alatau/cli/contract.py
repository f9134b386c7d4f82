"""``alatau call`` and ``alatau deploy``: read contracts, and put new ones on the chain."""

import json
from pathlib import Path
from typing import Any

import click

from alatau.cli.bytecode_file import read_deployable
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.sender import SenderOptions, sender_options
from alatau.cli.values import abi_option, find_abi, find_contract, parse_address, parse_argument, shown
from alatau.cli.waiting import explain_waiting
from alatau.client.abi import Abi


@click.command()
@click.argument("contract")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@abi_option
@click.option("--sender", help="Address that the call claims to come from.")
@click.option("--height", type=click.IntRange(0), help="State after this block; the last by default.")
@node_options
@json_option
@pass_context
def call(
    context: Context,
    contract: str,
    function: str,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    sender: str | None,
    height: int | None,
    node: NodeOptions,
    as_json: bool,
) -> None:
    """Call FUNCTION of CONTRACT and print what it returns; nothing changes.

    CONTRACT is a name from genesis (SettlementToken) or an address with --abi.
    """
    abi, address = find_contract(contract, abi_file)
    types = abi.function(function, len(arguments)).inputs
    values = [parse_argument(kind, text) for kind, text in zip(types, arguments, strict=True)]
    caller = None if sender is None else parse_address(sender)
    with open_client(context, node) as client:
        result = shown(client.contract(abi, address).read(function, *values, sender=caller, height=height))
    if as_json:
        click.echo(json.dumps({"result": result}))
    else:
        click.echo(json.dumps(result) if isinstance(result, list) else result)


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1)
@click.option("--abi", "abi_file", type=click.Path(path_type=Path), help="ABI's file, for code in hexadecimal.")
@click.option("--abi-output", type=click.Path(path_type=Path, dir_okay=False), help="File to write the ABI to.")
@sender_options
@node_options
@json_option
@pass_context
def deploy(
    context: Context,
    source: Path,
    arguments: tuple[str, ...],
    abi_file: Path | None,
    abi_output: Path | None,
    sender: SenderOptions,
    node: NodeOptions,
    as_json: bool,
) -> None:
    """Deploy SOURCE with the constructor's ARGUMENTS, and wait until it is final.

    SOURCE is a Vyper contract (.vy), which is compiled; a compiler's output (.json with abi and bytecode); or a file
    with the code in hexadecimal, which needs --abi if its constructor takes arguments.
    """
    found = read_deployable(source)
    abi = found.abi
    if abi_file is not None:
        if abi is not None:
            raise click.UsageError(f"{source} has its own ABI: leave --abi out")
        abi = find_abi(abi_file)
    values = _constructor_values(abi, arguments)
    with open_client(context, node) as client:
        wallet = sender.wallet(client)
        with explain_waiting(client):
            deployed = client.deploy(wallet, abi or Abi(()), found.initcode, *values, gas_limit=sender.gas_limit)
    facts: dict[str, Any] = {"contract": deployed.address}
    if found.entries is not None:
        written = abi_output or source.with_name(source.stem + ".abi.json")
        written.write_text(json.dumps(found.entries, indent=1) + "\n")
        facts["abi"] = str(written)
    print_facts(facts, as_json=as_json)
    shown_abi = facts.get("abi", abi_file)
    if shown_abi is not None:
        say(f"Try: alatau call 0x{deployed.address.hex()} FUNCTION ... --abi {shown_abi}")


def _constructor_values(abi: Abi | None, arguments: tuple[str, ...]) -> list[Any]:
    if abi is None:
        if arguments:
            raise click.UsageError("code alone does not tell what its constructor takes: give --abi")
        return []
    if len(arguments) != len(abi.constructor):
        expected = ", ".join(abi.constructor) or "none"
        raise click.UsageError(f"the constructor takes ({expected}); {len(arguments)} arguments were given")
    return [parse_argument(kind, text) for kind, text in zip(abi.constructor, arguments, strict=True)]
