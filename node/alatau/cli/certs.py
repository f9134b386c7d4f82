"""``alatau certs``: what outside clients need to know a node by."""

from pathlib import Path

import click

from alatau.app.genesis.file import read_genesis
from alatau.cli.context import Context, pass_context
from alatau.cli.output import say
from alatau.transport.certificates import authority_certificate, public_key_of, trust_anchor


@click.group()
def certs() -> None:
    """Certificates for clients."""


@certs.command()
@click.option("--all", "every", is_flag=True, help="Also the other founding validators', from the genesis file.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else printed.")
@pass_context
def ca(context: Context, every: bool, output: Path | None) -> None:
    """Print the certificate authority of this node (PEM), by which any TLS client verifies it.

    It stays valid when the node renews its certificate, and ends only with the node's TLS key. It holds nothing secret.
    """
    home = context.home()
    pem = authority_certificate(home.tls_key.read_bytes())
    if every:
        keys = (v.tls_public_key for v in read_genesis(home.genesis_file).validators)
        pem += b"".join(trust_anchor(key) for key in keys if key != public_key_of(pem))
    if output is None:
        click.echo(pem, nl=False)
    else:
        output.write_bytes(pem)
        say(f"{output} written. Clients name it as their CA file, and dial a name that the node's certificate carries.")
