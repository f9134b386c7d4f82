"""``alatau tower``: a watchtower of payment channels."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from alatau.app.config_file import ConfigError, Problem, read_config_of
from alatau.app.tower.config import TOWER_SCHEMA
from alatau.app.tower.home import provision_tower
from alatau.app.tower.process import run_exit, run_tower
from alatau.cli.connection import dialled
from alatau.cli.context import Context, ask_for_keys, ask_password, pass_context, password_file_option
from alatau.cli.exit_codes import ExitCode
from alatau.cli.output import json_option, print_facts, say
from alatau.client import client_tls, connect_sync, tower_plans
from alatau.client.keystore import DEVNET_COST, STANDARD_COST
from alatau.tower.leaving import Progress
from alatau.transport.certificates import public_key_of
from alatau.types.endpoint import parse_endpoint


@click.group()
def tower() -> None:
    """A watchtower: keeps the newest vouchers of payment channels and contests closes below them.

    --home names the tower's own folder, not a node's.
    """


@tower.command()
@click.option("--node", "nodes", required=True, multiple=True, help="host:port of a node's client API; may repeat.")
@click.option(
    "--node-ca",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Certificates (PEM) that the nodes' must come from; copied into the home.",
)
@click.option("--listen", help="Where hubs and wallets connect, host:port.")
@click.option("--metrics-listen", help="Where /metrics, /livez and /readyz answer, host:port.")
@click.option("--host", "hosts", multiple=True, help="Further name or address for the certificate; may repeat.")
@click.option("--weak-keystore", is_flag=True, help="Encrypt the key cheaply; for throw-away networks only.")
@password_file_option
@json_option
@pass_context
def init(
    context: Context,
    nodes: tuple[str, ...],
    node_ca: Path,
    listen: str | None,
    metrics_listen: str | None,
    hosts: tuple[str, ...],
    weak_keystore: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Make a tower's home: account, certificate, configuration."""
    given = {
        "node.endpoints": ",".join(nodes),
        "service.listen": listen,
        "metrics.listen": metrics_listen,
        "keys.password_file": None if password_file is None else str(password_file.resolve()),
    }
    settings = {key: value for key, value in given.items() if value is not None}
    _check(settings)
    password = ask_password("Password for the tower's key", password_file, confirm=True)
    home, key = provision_tower(
        context.home_folder,
        settings=settings,
        authority=node_ca.read_bytes(),
        password=password,
        cost=DEVNET_COST if weak_keystore else STANDARD_COST,
        hosts=hosts,
    )
    print_facts({"home": str(home.folder), "account": key.address}, as_json=as_json)
    say("Next: have the registrar register the account as a participant, then: alatau tower start")


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


def _check(settings: dict[str, str]) -> None:
    options = {"node.endpoints": "--node", "service.listen": "--listen", "metrics.listen": "--metrics-listen"}
    problems = tuple(
        Problem(options[s.key], f"{settings[s.key]}: {wrong}")
        for s in TOWER_SCHEMA.settings
        if s.key in options and s.key in settings and (wrong := s.check(settings[s.key]))
    )
    if problems:
        raise ConfigError(problems)
