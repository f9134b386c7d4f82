"""``init`` of a process that runs beside nodes (hub, tower): its options, and what it does with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from alatau.app.config_file import ConfigError, Problem
from alatau.app.service_home import Service, provision_service
from alatau.app.settings import Setting
from alatau.cli.context import Context, ask_password, option_group, password_file_option
from alatau.cli.output import print_facts, say
from alatau.client.keystore import DEVNET_COST, STANDARD_COST


@dataclass(frozen=True, slots=True)
class InitOptions:
    """What the command line says."""

    nodes: tuple[str, ...]
    node_ca: Path
    listen: str | None
    metrics_listen: str | None
    hosts: tuple[str, ...]
    weak_keystore: bool
    password_file: Path | None


init_options = option_group(
    "options",
    InitOptions,
    click.option("--node", "nodes", required=True, multiple=True, help="host:port of a node's client API; may repeat."),
    click.option(
        "--node-ca",
        required=True,
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Certificates (PEM) that the nodes' must come from; copied into the home.",
    ),
    click.option("--listen", help="Where clients connect, host:port."),
    click.option("--metrics-listen", help="Where /metrics, /livez and /readyz answer, host:port."),
    click.option("--host", "hosts", multiple=True, help="Further name or address for the certificate; may repeat."),
    click.option("--weak-keystore", is_flag=True, help="Encrypt the key cheaply; for throw-away networks only."),
    password_file_option,
)
"""Gives a command these options, as the argument ``options``."""


@dataclass(frozen=True, slots=True)
class SettingKeys:
    """Under which keys the service's configuration has them."""

    nodes: str
    metrics_listen: str
    password_file: str


def init_service(
    context: Context, service: Service, keys: SettingKeys, options: InitOptions, next_step: str, *, as_json: bool
) -> None:
    """Make the home that ``--home`` names, and say what to do next."""
    given = {
        keys.nodes: ",".join(options.nodes),
        service.listen: options.listen,
        keys.metrics_listen: options.metrics_listen,
        keys.password_file: None if options.password_file is None else str(options.password_file.resolve()),
    }
    settings = {key: value for key, value in given.items() if value is not None}
    shown = {keys.nodes: "--node", service.listen: "--listen", keys.metrics_listen: "--metrics-listen"}
    check_options(service.schema.settings, settings, shown)
    password = ask_password(f"Password for the {service.name}'s key", options.password_file, confirm=True)
    home, key = provision_service(
        service,
        context.home_folder,
        settings=settings,
        authority=options.node_ca.read_bytes(),
        password=password,
        cost=DEVNET_COST if options.weak_keystore else STANDARD_COST,
        hosts=options.hosts,
    )
    print_facts({"home": str(home.folder), "account": key.address}, as_json=as_json)
    say(next_step)


def check_options(settings: Iterable[Setting], values: Mapping[str, str], shown: Mapping[str, str]) -> None:
    """Check values that options give to settings.

    Args:
        settings: of the configuration.
        values: by key of the setting.
        shown: key -> how the command line names it; others are not checked.

    Raises:
        ConfigError: with every problem found.
    """
    problems = tuple(
        Problem(shown[s.key], f"{values[s.key]}: {wrong}")
        for s in settings
        if s.key in shown and s.key in values and (wrong := s.check(values[s.key]))
    )
    if problems:
        raise ConfigError(problems)
