"""``alatau init``: a home for a new node."""

import shutil
from pathlib import Path

import click

from alatau.app.config import SETTINGS
from alatau.app.genesis.file import read_genesis
from alatau.app.provision import provision_home
from alatau.cli.context import Context, ask_password, pass_context, password_file_option
from alatau.cli.output import json_option, print_facts, say
from alatau.cli.service_init import check_options
from alatau.client.keystore import DEVNET_COST, STANDARD_COST


@click.command()
@click.option("--name", required=True, help="The ministry's name, for people.")
@click.option("--observer", is_flag=True, help="A node that follows without voting: no voting and operator keys.")
@click.option("--p2p-listen", help="Where peers connect, host:port.")
@click.option("--rpc-listen", help="Where clients connect, host:port.")
@click.option("--host", "hosts", multiple=True, help="Further name or address for the certificate; may repeat.")
@click.option("--http-listen", help="Where browsers and curl connect, host:port.")
@click.option("--metrics-listen", help="Where /metrics, /livez and /readyz answer, host:port.")
@click.option(
    "--genesis", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Genesis file to copy in."
)
@click.option("--weak-keystore", is_flag=True, help="Encrypt keys cheaply; for throw-away networks only.")
@password_file_option
@json_option
@pass_context
def init(
    context: Context,
    name: str,
    observer: bool,
    p2p_listen: str | None,
    rpc_listen: str | None,
    hosts: tuple[str, ...],
    http_listen: str | None,
    metrics_listen: str | None,
    genesis: Path | None,
    weak_keystore: bool,
    password_file: Path | None,
    as_json: bool,
) -> None:
    """Make a node's home: keys, certificate, configuration."""
    given = {
        "p2p.listen": p2p_listen,
        "rpc.listen": rpc_listen,
        "http.listen": http_listen,
        "metrics.listen": metrics_listen,
    }
    settings = {key: value for key, value in given.items() if value is not None}
    check_options(SETTINGS, settings, {key: f"--{key.replace('.', '-')}" for key in settings})
    if genesis is not None:
        read_genesis(genesis)
    if password_file is not None and not observer:
        settings["keys.password_file"] = str(password_file.resolve())
    password = None if observer else ask_password("Password for the new keys", password_file, confirm=True)
    made = provision_home(
        context.home_folder,
        name=name,
        settings=settings,
        password=password,
        cost=DEVNET_COST if weak_keystore else STANDARD_COST,
        hosts=hosts,
    )
    if genesis is not None:
        shutil.copyfile(genesis, made.home.genesis_file)
    print_facts(
        {
            "home": str(made.home.folder),
            "operator": made.operator.address if made.operator else None,
            "voting_address": made.voting.address if made.voting else None,
            "tls_key_hash": made.identity.key_hash,
            "certificate_until": made.identity.not_after.isoformat(),
        },
        as_json=as_json,
    )
    if genesis is None:
        say("Next: contribute to the network's genesis (alatau genesis contribute), or copy its genesis.json here.")
