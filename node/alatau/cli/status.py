"""``alatau status``, ``peers``, ``validators``: how the node and its network are doing."""

import time
from datetime import UTC, datetime
from typing import Any

import click

from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, pass_context
from alatau.cli.output import console, json_option, print_facts, print_rows
from alatau.client import SyncClient


@click.command()
@click.option("--watch", is_flag=True, help="Ask again every second until interrupted.")
@node_options
@json_option
@pass_context
def status(context: Context, watch: bool, node: NodeOptions, as_json: bool) -> None:
    """Network, height, sync state, and in words what consensus waits for; warnings first."""
    with open_client(context, node) as client:
        while True:
            facts = _facts(client)
            if watch and not as_json:
                console().clear()
            if not as_json:
                for warning in facts.pop("warnings"):
                    console().print(f"[bold white on red]WARNING[/] [bold]{warning}[/]")
            print_facts(facts, as_json=as_json)
            if not watch:
                return
            time.sleep(1)


@click.command()
@node_options
@json_option
@pass_context
def peers(context: Context, node: NodeOptions, as_json: bool) -> None:
    """Nodes that the node is connected to."""
    with open_client(context, node) as client:
        rows = [
            (
                p.name,
                p.validator,
                p.endpoint,
                "out" if p.outbound else "in",
                p.height,
                None if p.round_trip_us is None else round(p.round_trip_us / 1000, 2),
                p.id,
            )
            for p in client.peers()
        ]
    print_rows(("name", "validator", "endpoint", "direction", "height", "round_trip_ms", "id"), rows, as_json=as_json)


@click.command()
@click.option("--height", type=click.IntRange(0), help="Those that decide this height; the next by default.")
@node_options
@json_option
@pass_context
def validators(context: Context, height: int | None, node: NodeOptions, as_json: bool) -> None:
    """The validators, and how they voted last."""
    with open_client(context, node) as client:
        found = client.validators(height)
        votes = {v.validator.address: v for v in client.consensus_state().votes} if height is None else {}
    rows = []
    for v in found.validators.validators:
        vote = votes.get(v.address)
        rows.append((v.name, v.power, v.endpoint, vote.connected if vote else None, v.address))
    print_rows(("name", "power", "endpoint", "connected", "address"), rows, as_json=as_json)


def _facts(client: SyncClient) -> dict[str, Any]:
    now, consensus = client.status(), client.consensus_state()
    return {
        "warnings": list(now.warnings),
        "silence": now.silence or None,
        "network": now.network,
        "chain_id": now.chain_id,
        "height": now.height,
        "block_hash": now.block_hash,
        "state_root": now.state_root,
        "block_time": datetime.fromtimestamp(now.timestamp, UTC).isoformat(),
        "sync": now.sync_state.name.lower(),
        "highest_peer_height": now.highest_peer_height,
        "peers": now.peer_count,
        "pool_transactions": now.pool_transactions,
        "validator_address": now.validator_address,
        "round": consensus.round,
        "step": consensus.step.name.lower(),
        "proposer": consensus.proposer.name if consensus.proposer else None,
        "stalled": consensus.stalled,
        "explanation": " ".join(consensus.explanation),
        "version": now.version,
        "fork": now.fork,
        "genesis_hash": now.genesis_hash,
    }
