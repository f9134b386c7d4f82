"""Which node a command talks to, and whom it trusts to be that node."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from alatau.app.config_file import read_config
from alatau.app.home import HomeError
from alatau.cli.context import Context
from alatau.client import SyncClient, client_tls, connect_sync
from alatau.transport.certificates import public_key_of
from alatau.types.endpoint import Endpoint, parse_endpoint

_F = TypeVar("_F", bound=Callable[..., Any])
_EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  compared with, not listened on


def node_options(command: _F) -> _F:
    """Give a command ``--node`` and ``--ca``."""
    node = click.option(
        "--node",
        envvar="ALATAU_NODE",
        help="host:port of the node's client API [env: ALATAU_NODE]. Default: --home's.",
    )
    ca = click.option(
        "--ca",
        envvar="ALATAU_CA",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="Certificates (PEM) that the node's must come from [env: ALATAU_CA].",
    )
    return node(ca(command))


@contextmanager
def open_client(context: Context, node: str | None, ca: Path | None) -> Iterator[SyncClient]:
    """A client of the node that the options name; without them of the node in the home."""
    if node is None:
        home = context.home()
        endpoint = _dialled(parse_endpoint(read_config(home.config_file, {}).rpc.listen))
        tls = client_tls(node_key=public_key_of(home.tls_certificate.read_bytes()))
    elif ca is None:
        raise HomeError("--node needs --ca: the certificates by which to know that it is the right node")
    else:
        endpoint, tls = parse_endpoint(node), client_tls(ca=ca)
    with connect_sync(str(endpoint), tls) as client:
        yield client


def _dialled(listen: Endpoint) -> Endpoint:
    """Where to dial what listens on ``listen``."""
    if listen.host not in _EVERYWHERE:
        return listen
    return Endpoint("127.0.0.1" if listen.host == _EVERYWHERE[0] else "::1", listen.port)
