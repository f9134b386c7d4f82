"""``alatau reserve``: the reserve's journal and statements, proved, and what its vault and positions say now."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from alatau.app.genesis.file import read_genesis
from alatau.app.home import HomeError
from alatau.app.json_field import canonical_json
from alatau.app.private_file import write_private
from alatau.artifacts import addresses
from alatau.artifacts.addresses import GENESIS_CONTRACTS
from alatau.chain.genesis import make_genesis
from alatau.cli.connection import NodeOptions, node_options, open_client
from alatau.cli.context import Context, option_group, pass_context
from alatau.cli.output import json_option, print_facts, print_rows
from alatau.cli.positions import attest, positions, report
from alatau.cli.values import parse_hash
from alatau.client import EventFilter, SyncClient, queries
from alatau.client.decisions import abi_of
from alatau.client.light import LightClient, TrustedHeader
from alatau.client.reserve_journal import Entry, ProvedHead, check_chain, proved_head, read_journal
from alatau.client.reserve_statement import StatementBlock, statement
from alatau.types.genesis import genesis_validator_set
from alatau.wire.block import BlockView

FORMAT: Final = "alatau journal 1"
JOURNALS: Final = ("ReserveVault", "PositionLedger")


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """What ``--trust`` and ``--sequential`` say."""

    block: str | None = None
    sequential: bool = False


trust_options = option_group(
    "trust",
    TrustOptions,
    click.option(
        "--trust",
        "block",
        metavar="HASH",
        help="Hash of a block to trust (alatau genesis show); the home's genesis by default.",
    ),
    click.option("--sequential", is_flag=True, help="Verify every header since; needs no trusting period."),
)
"""Gives a command ``--trust`` and ``--sequential``, as the argument ``trust``."""

_output = click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write it to."
)


@click.group()
def reserve() -> None:
    """The reserve: what it holds, what was attested, and its journal, proved."""


for _command in (positions, attest, report):
    reserve.add_command(_command)


@reserve.command()
@node_options
@json_option
@pass_context
def show(context: Context, node: NodeOptions, as_json: bool) -> None:
    """Show what each asset's limits are now, what is behind it, and whether releases stand still."""
    vault, positions = abi_of("ReserveVault"), abi_of("PositionLedger")
    with open_client(context, node) as client:
        at_vault = client.contract(vault, addresses.RESERVE_VAULT)
        at_positions = client.contract(positions, addresses.POSITION_LEDGER)
        rows = []
        for asset in (bytes(20), addresses.SETTLEMENT_TOKEN):
            capacity, leak, available = at_vault.read("limits", asset)
            tier = at_positions.read("limit_bps", asset)
            backing, held = at_positions.read("backing", asset), at_vault.read("held", asset)
            rows.append((asset, held, capacity, f"{leak} a second", available, f"{tier / 100:g} %", backing))
        until = at_vault.read("paused_until")
        facts = {
            "paused": at_vault.read("paused"),
            "paused_until": until and _time(until),
            "journal_length": at_vault.read("journal_length"),
            "journal_head": at_vault.read("journal_head"),
        }
    if not as_json:
        columns = ("asset", "held", "limit", "refills", "can leave now", "tier", "backing")
        print_rows(columns, rows, as_json=False)
        print_facts(facts, as_json=False)
        return
    names = ("asset", "held", "limit", "leak_per_second", "available", "tier", "backing")
    listed = [dict(zip(names, map(_text, row), strict=True)) for row in rows]
    print_facts({**facts, "assets": listed}, as_json=True)


@reserve.command()
@click.argument("contract", type=click.Choice(JOURNALS), default="ReserveVault")
@_output
@trust_options
@node_options
@json_option
@pass_context
def journal(
    context: Context, contract: str, output: Path, trust: TrustOptions, node: NodeOptions, as_json: bool
) -> None:
    """Export CONTRACT's journal, verified against a proof of the state that its validators decided."""
    with _light(context, node, trust) as (client, light):
        entries, proved = _proved(client, light, contract)
    header = proved.believed.header
    document = {
        "format": FORMAT,
        "contract": contract,
        "chain_id": light.chain_id,
        "genesis_hash": _text(light.genesis_hash),
        "height": header.number,
        "block_hash": _text(proved.believed.hash),
        "head": _text(proved.head),
        "entries": [_entry(entry) for entry in entries],
    }
    write_private(output, json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n")
    facts = {"contract": contract, "entries": len(entries), "head": proved.head, "proved_at_height": header.number}
    print_facts({**facts, "block_hash": proved.believed.hash, "file": str(output)}, as_json=as_json)


@reserve.command("statement")
@click.option(
    "--as-of", metavar="HEIGHT|TIME", help="Block, or UTC time as 2026-12-31T23:59:59; the newest by default."
)
@_output
@trust_options
@node_options
@json_option
@pass_context
def statement_(
    context: Context, as_of: str | None, output: Path, trust: TrustOptions, node: NodeOptions, as_json: bool
) -> None:
    """Write what the reserve held after a block, from proved journals: the same bytes whoever makes it, whenever."""
    with _light(context, node, trust) as (client, light):
        journals = {name: _proved(client, light, name) for name in JOURNALS}
        # The block's commit is in the one after it.
        newest = min(proved.believed.header.number for _, proved in journals.values()) - 1
        height = newest if as_of is None else _height(client, as_of, newest)
        if not 0 <= height <= newest:
            raise click.BadParameter(f"block {height} is not before the newest that is proved, {newest + 1}")
        believed = client.run(light.header_at(height))
        after = client.run(light.header_at(height + 1))
        at = StatementBlock(
            light.chain_id,
            light.genesis_hash,
            height,
            believed.hash,
            believed.header.timestamp,
            believed.header.state_root,
            after.header.parent_beacon_block_root,
        )
    vault, positions = (journals[name][0] for name in JOURNALS)
    document = statement(vault, positions, at)
    write_private(output, canonical_json(document) + b"\n")
    print_facts({"height": height, "block_hash": believed.hash, "file": str(output)}, as_json=as_json)


def _proved(client: SyncClient, light: LightClient, contract: str) -> tuple[list[Entry], ProvedHead]:
    """A whole journal, and the head that proves it."""
    address = GENESIS_CONTRACTS[contract][1]
    height = client.status().height
    proved = client.run(proved_head(light, address, height))
    entries = read_journal(abi_of(contract), client.logs(EventFilter((address,)), 0, height))
    check_chain(entries, proved.head)
    return entries, proved


def _height(client: SyncClient, text: str, newest: int) -> int:
    """The height that is named, or that of the last block at or before a time."""
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r:.40} is no height and no time such as 2026-12-31T23:59:59") from None
    seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    low, high = -1, newest
    while low < high:
        middle = (low + high + 1) // 2
        if client.run(queries.block(middle, BlockView.HEADER)).header.timestamp <= seconds:
            low = middle
        else:
            high = middle - 1
    if low < 0:
        raise click.BadParameter(f"the chain began after {text}")
    return low


@contextmanager
def _light(context: Context, node: NodeOptions, trust: TrustOptions) -> Iterator[tuple[SyncClient, LightClient]]:
    """A client, and a light client that believes what follows from one hash."""
    with open_client(context, node) as client:
        if trust.block is not None:
            found = client.run(LightClient.anchored_at(parse_hash(trust.block)))
            light = LightClient(found.chain_id, found.genesis_hash, found.trusted, sequential=trust.sequential)
            yield client, light
            return
        try:
            genesis = read_genesis(context.home().genesis_file)
        except (HomeError, FileNotFoundError):
            raise click.UsageError(
                "what is trusted? Give --trust HASH (`alatau genesis show` prints block 0's)"
            ) from None
        block = make_genesis(genesis).block
        trusted = TrustedHeader(block.header, block.hash, genesis_validator_set(genesis))
        yield client, LightClient(genesis.config.chain_id, block.hash, trusted, sequential=trust.sequential)


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "index": entry.index,
        "kind": entry.kind,
        "payload_hash": _text(entry.payload_hash),
        "head": _text(entry.head),
        "height": entry.height,
        "transaction": _text(entry.transaction_hash),
        "event": entry.event,
        "values": {name: _text(value) for name, value in entry.values.items()},
    }


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list | tuple):
        return [_text(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _text(item) for name, item in value.items()}
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _time(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
