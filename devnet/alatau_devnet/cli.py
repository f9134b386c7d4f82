"""``alatau devnet``: a local network in seconds."""

from pathlib import Path

import click

from alatau.cli.output import console, json_option, print_facts, print_rows, say
from alatau_devnet.network import (
    DEFAULT_FOLDER,
    Devnet,
    create_network,
    load_network,
    network_exists,
    remove_network,
    start_nodes,
    stop_nodes,
)
from alatau_devnet.plan import MINISTRIES, DevnetOptions
from alatau_devnet.processes import LOG_NAME, log_tail, running_pid
from alatau_devnet.snippets import paste_ready, write_account_keystores
from alatau_devnet.watch import status_of, wait_until_deciding

_folder_option = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where the network lives.",
)


@click.group()
def devnet() -> None:
    """A local network for development: real nodes, public keys."""


@devnet.command()
@click.option("--validators", type=click.IntRange(1, len(MINISTRIES)), help="How many; 4 in a new network.")
@click.option("--residents", type=click.IntRange(2, 400), default=64, show_default=True, help="Funded accounts.")
@click.option("--fresh", is_flag=True, help="Begin a new chain even if one is there.")
@_folder_option
@json_option
def up(validators: int | None, residents: int, fresh: bool, folder: Path, as_json: bool) -> None:
    """Start the network in the folder, or make one; return when it decides blocks."""
    network = _existing(folder, validators) if network_exists(folder) and not fresh else None
    if network is None:
        network = create_network(folder, DevnetOptions(validators=validators or 4, residents=residents))
        say(f"genesis ceremony of {len(network.nodes)} validators, transcript 0x{network.transcript_hash.hex()}")
    start_nodes(network)
    height = wait_until_deciding(network)
    keystores = write_account_keystores(network)
    if as_json:
        print_facts({"folder": str(folder), "height": height, "nodes": [n.rpc for n in network.nodes]}, as_json=True)
        return
    _print_nodes(network, as_json=False)
    console().print(f"\n[bold]Paste:[/]\n{paste_ready(network, keystores)}", markup=True)


@devnet.command()
@click.option("--remove", is_flag=True, help="Delete its data as well.")
@_folder_option
def down(remove: bool, folder: Path) -> None:
    """Stop the network's nodes, and only those."""
    network = load_network(folder)
    say(f"{stop_nodes(network)} of {len(network.nodes)} nodes stopped")
    if remove:
        remove_network(folder)
        say(f"{folder} removed")


@devnet.command()
@_folder_option
@json_option
def status(folder: Path, as_json: bool) -> None:
    """Show each node: process, height, hash, peers."""
    _print_nodes(load_network(folder), as_json=as_json)


@devnet.command()
@click.argument("node", required=False)
@click.option("--lines", type=click.IntRange(1), default=20, show_default=True, help="Lines from the end.")
@_folder_option
def logs(node: str | None, lines: int, folder: Path) -> None:
    """Show the end of the logs; of NODE (part of its name) or of all."""
    found = [n for n in load_network(folder).nodes if node is None or node.lower() in n.name.lower()]
    if not found:
        raise click.BadParameter(f"no node is called {node!r}")
    for one in found:
        say(f"== {one.name}: {one.home / LOG_NAME}")
        click.echo(log_tail(one.home, lines))


def _existing(folder: Path, validators: int | None) -> Devnet | None:
    """The network in ``folder`` unless another number of validators was asked for."""
    network = load_network(folder)
    if validators is None or validators == len(network.nodes):
        return network
    raise click.UsageError(f"{folder} holds a network of {len(network.nodes)} validators; to replace it add --fresh")


def _print_nodes(network: Devnet, *, as_json: bool) -> None:
    rows = []
    for node in network.nodes:
        now = status_of(node)
        rows.append(
            (
                node.name,
                str(running_pid(node.home) or "-"),
                now.height if now else None,
                "0x" + now.block_hash.hex()[:16] if now else None,
                now.peer_count if now else None,
                node.rpc,
                node.http,
                node.metrics,
            )
        )
    print_rows(("node", "pid", "height", "block_hash", "peers", "grpc", "http", "metrics"), rows, as_json=as_json)
