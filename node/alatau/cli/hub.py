"""``alatau hub``: a payment hub."""

import os
from typing import Any

import click

from alatau.app.config_file import read_config_of
from alatau.app.home import Home
from alatau.app.hub.books import open_books
from alatau.app.hub.config import SCHEMA
from alatau.app.hub.home import HUB
from alatau.app.hub.process import mark_restored, run_hub
from alatau.books.calendar import day_date
from alatau.channels.forwarding.limits import UNLIMITED
from alatau.cli.connection import dialled
from alatau.cli.context import Context, ask_for_keys, pass_context
from alatau.cli.hub_books import audit, day_book, proof
from alatau.cli.output import json_option, print_facts
from alatau.cli.service_init import InitOptions, SettingKeys, init_options, init_service
from alatau.client import client_tls, connect_sync, hub_plans
from alatau.hub.day_close import unposted
from alatau.hub.liquidity import liquidity
from alatau.transport.certificates import public_key_of
from alatau.types.endpoint import parse_endpoint


@click.group()
def hub() -> None:
    """A payment hub: residents pay merchants through the channels that it has with each.

    --home names the hub's own folder, not a node's.
    """


for command in (day_book, proof, audit):
    hub.add_command(command)


@hub.command()
@init_options
@json_option
@pass_context
def init(context: Context, options: InitOptions, as_json: bool) -> None:
    """Make a hub's home: account, certificate, configuration."""
    init_service(
        context,
        HUB,
        SettingKeys("chain.nodes", "hub.metrics_listen", "hub.password_file"),
        options,
        "Next: have the registrar register the account and the licensor license it as a payment hub, send it tokens\n"
        "for merchants' channels, look over limits and fees in config.toml, then: alatau hub start",
        as_json=as_json,
    )


@hub.command()
@pass_context
def start(context: Context) -> None:
    """Run the hub until it is told to stop (SIGTERM or Ctrl-C)."""
    run_hub(context.home(), ask_for_keys())


@hub.command()
@click.option("--chain-id", required=True, type=int, help="Of the network, as the genesis file has it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_context
def restored(context: Context, chain_id: int, yes: bool, as_json: bool) -> None:
    """Say that data/ was put back from a backup.

    The hub then signs nothing in a channel until its party has connected and shown what it has: however old the copy
    is, what was promised since comes back from those to whom it was promised.
    """
    if not yes:
        click.confirm("Was the folder data/ of this hub put back from a backup?", abort=True, err=True)
    count = mark_restored(context.home(), ask_for_keys(), chain_id)
    print_facts({"channels_waiting": count}, as_json=as_json)


@hub.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> None:
    """Who the running hub is, how far it has followed the chain, what it asks and allows."""
    home = context.home()
    config = read_config_of(SCHEMA, home.config_file, os.environ).hub
    tls = client_tls(node_key=public_key_of(home.tls_certificate.read_bytes()))
    with connect_sync(str(dialled(parse_endpoint(config.listen))), tls) as client:
        facts = client.run(hub_plans.facts())
    limits = {
        str(tier): {"payment": _limit(one.payment), "day": _limit(one.day), "month": _limit(one.month)}
        for tier, one in facts.limits.items()
    }
    shown = "\n".join(
        f"tier {tier}: " + ", ".join(f"{period} {limit or 'any'}" for period, limit in one.items())
        for tier, one in limits.items()
    )
    print_facts(
        {
            "account": facts.address,
            "chain_id": facts.domain.chain_id,
            "contract": facts.domain.contract,
            "height": facts.height,
            "fee_base": facts.fees.base,
            "fee_parts_per_million": facts.fees.parts_per_million,
            "lock_blocks": f"{facts.lock_blocks_min} to {facts.lock_blocks_max}",
            "limits": limits if as_json else shown,
        }
        | _books(home),
        as_json=as_json,
    )


def _books(home: Home) -> dict[str, Any]:
    """Days and liquidity, of a copy of the hub's disk."""
    with open_books(home) as books:
        journal = books.store.journal
        waiting = unposted(journal.closed_days())
        closed = journal.closed_day
        share = liquidity(books.store.states(), books.hub)
    return {
        "last_closed_day": None if closed is None else str(day_date(closed)),
        "days_not_on_chain": ", ".join(str(day_date(one.day)) for one in waiting) or None,
        "channels": share.channels,
        "in_channels": share.hubs,
        "owed_to_owners": share.owners,
        "channels_without_liquidity": share.empty,
    }


def _limit(amount: int) -> str | None:
    return None if amount >= UNLIMITED else str(amount)
