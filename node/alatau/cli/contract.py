"""``alatau call`` and ``alatau deploy``: read contracts, and put new ones on the chain."""

import json
from pathlib import Path

import click

from alatau.artifacts.artifact import compile_source
from alatau.cli.connection import node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.sender import open_wallet, sender_options
from alatau.cli.values import find_contract, parse_address, parse_argument, shown
from alatau.client.abi import load_abi


@click.command()
@click.argument("contract")
@click.argument("function")
@click.argument("arguments", nargs=-1)
@click.option("--abi", "abi_file", type=click.Path(path_type=Path), help="ABI's file, for a contract by address.")
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
    node: str | None,
    ca: Path | None,
    as_json: bool,
) -> None:
    """Call FUNCTION of CONTRACT and print what it returns; nothing changes.

    CONTRACT is a name from genesis (SettlementToken) or an address with --abi.
    """
    abi, address = find_contract(contract, abi_file)
    types = abi.function(function, len(arguments)).inputs
    values = [parse_argument(kind, text) for kind, text in zip(types, arguments, strict=True)]
    caller = None if sender is None else parse_address(sender)
    with open_client(context, node, ca) as client:
        result = shown(client.contract(abi, address).read(function, *values, sender=caller, height=height))
    if as_json:
        click.echo(json.dumps({"result": result}))
    else:
        click.echo(json.dumps(result) if isinstance(result, list) else result)


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1)
@click.option("--abi-output", type=click.Path(path_type=Path, dir_okay=False), help="File to write the ABI to.")
@sender_options
@node_options
@json_option
@pass_context
def deploy(
    context: Context,
    source: Path,
    arguments: tuple[str, ...],
    abi_output: Path | None,
    keystore: Path,
    password_file: Path | None,
    node: str | None,
    ca: Path | None,
    as_json: bool,
) -> None:
    """Compile SOURCE (.vy) with Vyper, deploy it with the constructor's ARGUMENTS, wait until it is final."""
    artifact = compile_source(source)
    abi = load_abi(artifact.abi)
    if len(arguments) != len(abi.constructor):
        expected = ", ".join(abi.constructor) or "none"
        raise click.UsageError(f"the constructor takes ({expected}); {len(arguments)} arguments were given")
    values = [parse_argument(kind, text) for kind, text in zip(abi.constructor, arguments, strict=True)]
    abi_file = abi_output or source.with_suffix(".abi.json")
    with open_client(context, node, ca) as client:
        wallet = open_wallet(client, keystore, password_file)
        deployed = client.deploy(wallet, abi, artifact.initcode, *values)
    abi_file.write_text(json.dumps(artifact.abi, indent=1) + "\n")
    print_facts({"contract": deployed.address, "abi": str(abi_file)}, as_json=as_json)
    say(f"Try: alatau call 0x{deployed.address.hex()} FUNCTION ... --abi {abi_file}")
