"""``alatau tower``: a watchtower of payment channels."""

import os
from datetime import UTC, datetime
from typing import Any

import click

from alatau.app.config_file import read_config_of
from alatau.app.tower.config import TOWER_SCHEMA
from alatau.app.tower.home import TOWER
from alatau.app.tower.process import run_exit, run_tower
from alatau.cli.connection import dialled
from alatau.cli.context import Context, ask_for_keys, pass_context
from alatau.cli.exit_codes import ExitCode
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.service_init import InitOptions, SettingKeys, init_options, init_service
from alatau.client import client_tls, connect_sync, tower_plans
from alatau.tower.leaving import Progress
from alatau.transport.certificates import public_key_of
from alatau.types.endpoint import parse_endpoint


@click.group()
def tower() -> None:
    """A watchtower: keeps the newest vouchers of payment channels and contests closes below them.

    --home names the tower's own folder, not a node's.
    """


@tower.command()
@init_options
@json_option
@pass_context
def init(context: Context, options: InitOptions, as_json: bool) -> None:
    """Make a tower's home: account, certificate, configuration."""
    init_service(
        context,
        TOWER,
        SettingKeys("node.endpoints", "metrics.listen", "keys.password_file"),
        options,
        "Next: have the registrar register the account as a participant, then: alatau tower start",
        as_json=as_json,
    )


@tower.command()
@pass_context
def start(context: Context) -> None:
    """Run the tower until it is told to stop (SIGTERM or Ctrl-C)."""
    run_tower(context.home(), ask_for_keys())


@tower.command("exit")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_context
def exit_(context: Context, yes: bool) -> int:
    """Close all channels whose parties have asked for it in advance, without their hub's help.

    Runs the tower meanwhile; stop the one that runs in this home first. Interrupted, it goes on when it is begun again.
    Ends with 0 when all have settled, with 1 where requests were late or refused.
    """
    home = context.home()
    if not yes:
        click.confirm(
            "Bring every channel with a request to the contract now? It cannot be undone", abort=True, err=True
        )
    shown: list[Progress] = []

    def report(progress: Progress) -> None:
        if shown[-1:] != [progress]:
            shown[:] = [progress]
            say(_line(progress))

    done = run_exit(home, ask_for_keys(), report)
    if done is None:
        say("stopped before the end; begin again to go on: alatau tower exit")
        return ExitCode.INTERRUPTED
    return ExitCode.OK if done.settled == done.asked else ExitCode.FAILED


@tower.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> None:
    """How far the running tower has followed the chain, what it keeps, what would stop a contest."""
    home = context.home()
    config = read_config_of(TOWER_SCHEMA, home.config_file, os.environ).service
    own = (home.tls_certificate, home.tls_key) if config.client_authority else (None, None)
    tls = client_tls(node_key=public_key_of(home.tls_certificate.read_bytes()), cert=own[0], key=own[1])
    with connect_sync(str(dialled(parse_endpoint(config.listen))), tls) as client:
        now = client.run(tower_plans.status())
    facts: dict[str, Any] = {
        "alarms": list(now.alarms) if as_json else "\n".join(now.alarms) or "none",
        "account": now.address,
        "chain_id": now.chain_id,
        "contract": now.contract,
        "height": now.height,
        "chain_height": now.tip_height,
        "channels": now.channels,
        "closing": now.closing,
        "contests_due": now.contests_due,
        "contests_won": now.contests_won,
        "close_requests": now.close_requests,
        "canary_contested": _time(now.canary_contested),
    }
    print_facts(facts, as_json=as_json)


def _line(progress: Progress) -> str:
    return (
        f"{progress.asked} asked: {progress.settled} settled, {progress.closing} closing, "
        f"{progress.contests_due} vouchers due, {progress.late} late, {progress.refused} refused"
    )


def _time(seconds: int) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
