"""Which node a command talks to, and whom it trusts to be that node."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from alatau.app.config_file import read_config
from alatau.app.home import HomeError
from alatau.cli.context import Context, option_group
from alatau.client import SyncClient, client_tls, connect_sync
from alatau.transport.certificates import public_key_of
from alatau.types.endpoint import Endpoint, parse_endpoint

_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with, not listened on


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """What ``--node``, ``--ca``, ``--cert`` and ``--key`` say."""

    endpoints: tuple[str, ...] = ()
    """``host:port`` of each; none stands for the node in the home."""
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


node_options = option_group(
    "node",
    NodeOptions,
    click.option(
        "--node",
        "endpoints",
        multiple=True,
        envvar="ALATAU_NODE",
        help="host:port of a node's client API. Given more than once, the next is asked where one does not answer "
        "[env: ALATAU_NODE, with spaces between several]. Default: --home's.",
    ),
    click.option(
        "--ca",
        envvar="ALATAU_CA",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Certificates (PEM) that the nodes' must come from [env: ALATAU_CA].",
    ),
    click.option(
        "--cert",
        "certificate",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Your certificate (PEM), for a node that asks for one; with --key.",
    ),
    click.option(
        "--key",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="The private key (PEM) of --cert.",
    ),
)
"""Gives a command ``--node``, ``--ca``, ``--cert`` and ``--key``, as the argument ``node``."""


@contextmanager
def open_client(context: Context, node: NodeOptions) -> Iterator[SyncClient]:
    """A client of the nodes that the options name; without them of the node in the home."""
    if (node.certificate is None) != (node.key is None):
        raise HomeError("--cert and --key belong together")
    if not node.endpoints:
        home = context.home()
        config = read_config(home.config_file, {}).rpc
        endpoints = [dialled(parse_endpoint(config.listen))]
        # A node that asks for certificates takes its own, which is an operator's.
        own = (home.tls_certificate, home.tls_key) if config.client_authority else (None, None)
        certificate, key = (node.certificate, node.key) if node.certificate or node.key else own
        tls = client_tls(node_key=public_key_of(home.tls_certificate.read_bytes()), cert=certificate, key=key)
    elif node.ca is None:
        raise HomeError("--node needs --ca: the certificates by which to know that it is the right node")
    else:
        endpoints, tls = (
            [parse_endpoint(endpoint) for endpoint in node.endpoints],
            client_tls(ca=node.ca, cert=node.certificate, key=node.key),
        )
    with connect_sync([str(endpoint) for endpoint in endpoints], tls) as client:
        yield client


def dialled(listen: Endpoint) -> Endpoint:
    """Where to dial what listens on ``listen``."""
    if listen.host not in _EVERYWHERE:
        return listen
    return Endpoint("127.0.0.1" if listen.host == _EVERYWHERE[0] else "::1", listen.port)
