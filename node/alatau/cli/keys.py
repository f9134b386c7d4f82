"""``alatau keys``: make, list, show, import, export keys; renew the certificate."""

import os
import sys
from pathlib import Path
from typing import TextIO

import click

from alatau.app.config_file import read_config
from alatau.app.private_file import write_keystore
from alatau.app.provision import load_tls_identity, new_private_key, renew_certificate
from alatau.cli.context import Context, ask_password, pass_context, password_file_option
from alatau.cli.output import json_option, print_facts, print_rows, say
from alatau.cli.resume_signing import resume_signing
from alatau.client.keystore import DEVNET_COST, STANDARD_COST, KeystoreError, keystore_address, read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import CertificateError

_keystore_argument = click.argument("keystore", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_weak_option = click.option("--weak", is_flag=True, help="Encrypt cheaply; for throw-away networks only.")


@click.group()
def keys() -> None:
    """Keys in encrypted files (Web3 Secret Storage, version 3)."""


keys.add_command(resume_signing)


@keys.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_weak_option
@password_file_option
@json_option
def new(file: Path, weak: bool, password_file: Path | None, as_json: bool) -> None:
    """Make an account's key and encrypt it into FILE."""
    password = ask_password("Password for the new key", password_file, confirm=True)
    _store(file, new_private_key(), password, weak=weak, as_json=as_json)


@keys.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--from-file",
    type=click.File(errors="replace"),
    default="-",
    help="File with the secret as 64 hexadecimal digits; standard input by default, never an argument.",
)
@_weak_option
@password_file_option
@json_option
def import_(file: Path, from_file: TextIO, weak: bool, password_file: Path | None, as_json: bool) -> None:
    """Encrypt an existing secret key into FILE."""
    if from_file.name == "<stdin>" and sys.stdin.isatty():
        text = str(click.prompt("Secret key, hexadecimal", hide_input=True))
    else:
        text = from_file.read(200)
    try:
        key = PrivateKey(bytes.fromhex(text.strip().removeprefix("0x")))
    except ValueError:
        raise KeystoreError("the input is no secp256k1 secret of 64 hexadecimal digits") from None
    password = ask_password("Password for the keystore", password_file, confirm=True)
    _store(file, key, password, weak=weak, as_json=as_json)


@keys.command()
@_keystore_argument
@password_file_option
@click.confirmation_option(prompt="This prints the secret key. Is nobody looking?")
def export(keystore: Path, password_file: Path | None) -> None:
    """Print the secret key in KEYSTORE."""
    key = read_keystore(keystore, ask_password(f"Password of {keystore.name}", password_file))
    click.echo("0x" + key.secret.hex())


@keys.command()
@_keystore_argument
@click.option("--check", is_flag=True, help="Open it with its password, too.")
@password_file_option
@json_option
def show(keystore: Path, check: bool, password_file: Path | None, as_json: bool) -> None:
    """Show the address in KEYSTORE."""
    if check:
        key = read_keystore(keystore, ask_password(f"Password of {keystore.name}", password_file))
        print_facts({"address": key.address, "public_key": key.public_key, "opens": True}, as_json=as_json)
    else:
        print_facts({"address": keystore_address(keystore)}, as_json=as_json)


@keys.command("list")
@json_option
@pass_context
def list_(context: Context, as_json: bool) -> None:
    """List the keys of the node's home."""
    home = context.home()
    rows = [
        (label, path.name, "0x" + keystore_address(path).hex(), "")
        for label, path in (("operator", home.operator_key), ("voting", home.voting_key))
        if path.exists()
    ]
    try:
        identity = load_tls_identity(home)
        rows.append(("tls", home.tls_key.name, "0x" + identity.key_hash.hex(), f"until {identity.not_after:%Y-%m-%d}"))
    except (CertificateError, OSError) as error:
        rows.append(("tls", home.tls_key.name, "unusable", str(error)))
    print_rows(("key", "file", "address_or_hash", "note"), rows, as_json=as_json)


@keys.command()
@click.option("--host", "hosts", multiple=True, help="Further name or address for the certificate; may repeat.")
@json_option
@pass_context
def rotate(context: Context, hosts: tuple[str, ...], as_json: bool) -> None:
    """Issue a fresh TLS certificate on the same key; a running node takes it without a restart.

    It carries every name and address of the last one, where the node listens, and those given.

    Who the node is to its peers does not change, so nobody has to be told.
    """
    home = context.home()
    config = read_config(home.config_file, os.environ)
    identity = renew_certificate(home, (config.rpc.listen, config.p2p.listen), hosts)
    print_facts(
        {"tls_key_hash": identity.key_hash, "certificate_until": identity.not_after.isoformat()}, as_json=as_json
    )


def _store(file: Path, key: PrivateKey, password: str, *, weak: bool, as_json: bool) -> None:
    write_keystore(file, key, password, DEVNET_COST if weak else STANDARD_COST)
    print_facts({"file": str(file), "address": key.address}, as_json=as_json)
    say("Keep a copy of the file and of its password in two places: without both the key is lost.")
