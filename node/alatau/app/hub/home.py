"""A hub's home: made by ``alatau hub init``, read and found right by ``alatau hub start``.

::

    config.toml        settings (0600: it may name a password file)
    node.pem           certificates by which the hub knows its nodes
    keys/              hub.json: the account that signs vouchers; tls.key, tls.crt: who it is to wallets
    data/              the database
    lock               held while a process uses the home
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from alatau.app.config_file import ConfigError, Problem, read_config_of, render_config_of
from alatau.app.home import Home, HomeError, create_home
from alatau.app.hub.config import SCHEMA, HubSettings
from alatau.app.password import find_password
from alatau.app.private_file import is_private, write_keystore, write_private
from alatau.app.provision import certificate_hosts, load_tls_identity, new_private_key
from alatau.client import client_tls
from alatau.client.keystore import STANDARD_COST, KeystoreError, ScryptCost, read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import TlsIdentity, issue_identity, new_key
from alatau.transport.credentials import ClientTls

NODE_AUTHORITY: Final = "node.pem"

Ask = Callable[[], str] | None
"""Asks a person for the password of the key; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class HubHomeContents:
    """What the files of a hub's home say."""

    home: Home
    config: HubSettings
    key: PrivateKey
    identity: TlsIdentity
    node_tls: ClientTls
    """Whom the hub trusts to be its node."""


def hub_keystore(home: Home) -> Path:
    """Keystore of the hub's account."""
    return home.keys / "hub.json"


def provision_hub(
    folder: Path,
    *,
    settings: Mapping[str, Any],
    authority: bytes,
    password: str,
    cost: ScryptCost = STANDARD_COST,
    hosts: Iterable[str] = (),
) -> tuple[Home, PrivateKey]:
    """Make a hub's home and its account.

    Args:
        folder: where.
        settings: of the configuration, by key; already checked.
        authority: certificates (PEM) that the nodes' must come from.
        password: of the account's keystore.
        cost: of opening it.
        hosts: further names and addresses by which wallets will dial the hub.

    Raises:
        HomeError: the folder holds a home already.
        CertificateError: one of ``hosts`` is neither a name nor an address.
        ConfigError: ``authority`` holds no certificate.
        OSError: a file cannot be written.
    """
    _check_authority(authority, "--node-ca")
    listen = settings.get("hub.listen", HubSettings().hub.listen)
    names = list(dict.fromkeys([*certificate_hosts([listen]), *hosts]))
    identity = issue_identity(new_key(), "hub", names)
    home, key = create_home(folder), new_private_key()
    write_keystore(hub_keystore(home), key, password, cost)
    write_private(home.tls_key, identity.key_pem)
    write_private(home.tls_certificate, identity.certificate_pem)
    write_private(folder / NODE_AUTHORITY, authority)
    write_private(home.config_file, render_config_of(SCHEMA, settings).encode())
    return home, key


def read_hub_home(home: Home, environment: Mapping[str, str], ask: Ask) -> HubHomeContents:
    """Everything that a hub starts from.

    Raises:
        HomeError: it is no hub's home.
        ConfigError: a setting is wrong, or a file that it names.
        KeystoreError, WrongPasswordError, PasswordError: the key cannot be opened.
        CertificateError, OSError: the hub's own certificate cannot be read.
    """
    if not hub_keystore(home).exists():
        raise HomeError(f"{home.folder} is no hub's home: keys/hub.json is missing; see: alatau hub init --help")
    config = read_config_of(SCHEMA, home.config_file, environment)
    identity = load_tls_identity(home)
    password_file = home.folder / config.hub.password_file if config.hub.password_file else None
    for path in filter(None, (hub_keystore(home), home.tls_key, password_file)):
        if path.exists() and not is_private(path):
            raise KeystoreError(f"{path}: others may read it; mend with: chmod 600 {path}")
    try:
        authority = (home.folder / config.chain.ca).read_bytes()
    except (OSError, ValueError) as error:
        problem = Problem("config.toml", f'chain.ca = "{config.chain.ca}": cannot be read: {error}')
        raise ConfigError((problem,)) from error
    _check_authority(authority, f"chain.ca = {config.chain.ca}")
    return HubHomeContents(
        home=home,
        config=config,
        key=read_keystore(hub_keystore(home), find_password(password_file, environment, ask)),
        identity=identity,
        node_tls=client_tls(ca=authority),
    )


def _check_authority(data: bytes, where: str) -> None:
    try:
        x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigError((Problem("config.toml", f"{where}: no certificate in PEM: {error}"),)) from error
