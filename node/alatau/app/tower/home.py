"""A tower's home: made by ``alatau tower init``, read and found right by ``alatau tower start``.

::

    config.toml        settings (0600: it may name a password file)
    node.pem           certificates by which the tower knows its nodes
    keys/              tower.json: the account that signs receipts and contests; tls.key, tls.crt: who it is to clients
    data/              the database
    lock               held while a process uses the home
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509

from alatau.app.config_file import ConfigError, Problem, read_config_of, render_config_of
from alatau.app.home import Home, HomeError, create_home
from alatau.app.password import find_password
from alatau.app.private_file import is_private, write_keystore, write_private
from alatau.app.provision import certificate_hosts, load_tls_identity, new_private_key
from alatau.app.tower.config import TOWER_SCHEMA, TowerConfig
from alatau.client import client_tls
from alatau.client.keystore import STANDARD_COST, KeystoreError, ScryptCost, read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import TlsIdentity, issue_identity, new_key
from alatau.transport.credentials import ClientTls, TrustStore

Ask = Callable[[], str] | None
"""Asks a person for the password of the keys; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class TowerHomeContents:
    """What the files of a tower's home say."""

    home: Home
    config: TowerConfig
    key: PrivateKey
    canary_hub: PrivateKey | None
    identity: TlsIdentity
    node_tls: ClientTls
    """Whom the tower trusts to be its node."""
    clients: TrustStore | None
    """Whom it lets in; None asks nobody for a certificate."""


def tower_keystore(home: Home) -> Path:
    """Keystore of the tower's account."""
    return home.keys / "tower.json"


def provision_tower(
    folder: Path,
    *,
    settings: Mapping[str, Any],
    authority: bytes,
    password: str,
    cost: ScryptCost = STANDARD_COST,
    hosts: Iterable[str] = (),
) -> tuple[Home, PrivateKey]:
    """Make a tower's home and its account.

    Args:
        folder: where.
        settings: of the configuration, by key; already checked.
        authority: certificates (PEM) that the nodes' must come from.
        password: of the account's keystore.
        cost: of opening it.
        hosts: further names and addresses by which clients will dial the tower.

    Raises:
        HomeError: the folder holds a node or a tower already.
        CertificateError: one of ``hosts`` is neither a name nor an address.
        ConfigError: ``authority`` holds no certificate.
        OSError: a file cannot be written.
    """
    _check_authority(authority, "--node-ca")
    listen = settings.get("service.listen", TowerConfig().service.listen)
    names = list(dict.fromkeys([*certificate_hosts([listen]), *hosts]))
    identity = issue_identity(new_key(), "tower", names)
    home, key = create_home(folder), new_private_key()
    write_keystore(tower_keystore(home), key, password, cost)
    write_private(home.tls_key, identity.key_pem)
    write_private(home.tls_certificate, identity.certificate_pem)
    write_private(folder / TowerConfig().node.authority, authority)
    write_private(home.config_file, render_config_of(TOWER_SCHEMA, settings).encode())
    return home, key


def read_tower_home(home: Home, environment: Mapping[str, str], ask: Ask) -> TowerHomeContents:
    """Everything that a tower starts from.

    Raises:
        ConfigError: a setting is wrong, or a file that it names.
        KeystoreError, WrongPasswordError, PasswordError: a key cannot be opened.
        CertificateError, OSError: the tower's own certificate cannot be read.
    """
    if not tower_keystore(home).exists():
        raise HomeError(f"{home.folder} is no tower's home: keys/tower.json is missing; see: alatau tower init --help")
    config = read_config_of(TOWER_SCHEMA, home.config_file, environment)
    identity = load_tls_identity(home)
    password_file = home.folder / config.keys.password_file if config.keys.password_file else None
    canary = home.folder / config.canary.hub_keystore if config.canary.hub_keystore else None
    if canary is not None and not canary.is_file():
        raise _wrong("canary.hub_keystore", config.canary.hub_keystore, "there is no such file")
    for path in filter(None, (tower_keystore(home), home.tls_key, password_file, canary)):
        if path.exists() and not is_private(path):
            raise KeystoreError(f"{path}: others may read it; mend with: chmod 600 {path}")
    password = find_password(password_file, environment, ask)
    return TowerHomeContents(
        home=home,
        config=config,
        key=read_keystore(tower_keystore(home), password),
        canary_hub=None if canary is None else read_keystore(canary, password),
        identity=identity,
        node_tls=_node_tls(home, config),
        clients=_clients(home, config, identity),
    )


def _node_tls(home: Home, config: TowerConfig) -> ClientTls:
    authority = _read(home, "node.authority", config.node.authority)
    _check_authority(authority, f"node.authority = {config.node.authority}")
    certificate, key = config.node.certificate, config.node.key
    if bool(certificate) != bool(key):
        raise _wrong("node.certificate", certificate, "node.certificate and node.key belong together")
    if not certificate:
        return client_tls(ca=authority)
    own = _read(home, "node.certificate", certificate), _read(home, "node.key", key)
    return client_tls(ca=authority, cert=own[0], key=own[1])


def _clients(home: Home, config: TowerConfig, own: TlsIdentity) -> TrustStore | None:
    name = config.service.client_authority
    if not name:
        return None
    authority = _read(home, "service.client_authority", name)
    _check_authority(authority, f"service.client_authority = {name}")
    return TrustStore([own.public_key], authority)


def _read(home: Home, setting: str, name: str) -> bytes:
    try:
        return (home.folder / name).read_bytes()
    except (OSError, ValueError) as error:
        raise _wrong(setting, name, f"cannot be read: {error}") from error


def _check_authority(data: bytes, where: str) -> None:
    try:
        x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigError((Problem("config.toml", f"{where}: no certificate in PEM: {error}"),)) from error


def _wrong(setting: str, value: str, why: str) -> ConfigError:
    return ConfigError((Problem("config.toml", f'{setting} = "{value}": {why}'),))
