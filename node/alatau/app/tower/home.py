"""A tower's home, of the kind that :mod:`alatau.app.service_home` makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alatau.app.config_file import read_config_of
from alatau.app.home import Home
from alatau.app.password import find_password
from alatau.app.provision import load_tls_identity
from alatau.app.service_home import (
    Ask,
    Service,
    check_kind,
    check_private,
    read_authority,
    read_named,
    wrong_setting,
)
from alatau.app.tower.config import TOWER_SCHEMA, TowerConfig
from alatau.client import client_tls
from alatau.client.keystore import read_keystore
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import TlsIdentity
from alatau.transport.credentials import ClientTls, TrustStore

TOWER: Final = Service("tower", TOWER_SCHEMA, listen="service.listen")


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


def read_tower_home(home: Home, environment: Mapping[str, str], ask: Ask) -> TowerHomeContents:
    """Everything that a tower starts from.

    Raises:
        ConfigError: a setting is wrong, or a file that it names.
        KeystoreError, WrongPasswordError, PasswordError: a key cannot be opened.
        CertificateError, OSError: the tower's own certificate cannot be read.
    """
    check_kind(TOWER, home)
    config = read_config_of(TOWER_SCHEMA, home.config_file, environment)
    identity = load_tls_identity(home)
    password_file = home.folder / config.keys.password_file if config.keys.password_file else None
    canary = home.folder / config.canary.hub_keystore if config.canary.hub_keystore else None
    if canary is not None and not canary.is_file():
        raise wrong_setting("canary.hub_keystore", config.canary.hub_keystore, "there is no such file")
    check_private(TOWER.keystore(home), home.tls_key, password_file, canary)
    password = find_password(password_file, environment, ask)
    return TowerHomeContents(
        home=home,
        config=config,
        key=read_keystore(TOWER.keystore(home), password),
        canary_hub=None if canary is None else read_keystore(canary, password),
        identity=identity,
        node_tls=_node_tls(home, config),
        clients=_clients(home, config, identity),
    )


def _node_tls(home: Home, config: TowerConfig) -> ClientTls:
    authority = read_authority(home, "node.authority", config.node.authority)
    certificate, key = config.node.certificate, config.node.key
    if bool(certificate) != bool(key):
        raise wrong_setting("node.certificate", certificate, "node.certificate and node.key belong together")
    if not certificate:
        return client_tls(ca=authority)
    own = read_named(home, "node.certificate", certificate), read_named(home, "node.key", key)
    return client_tls(ca=authority, cert=own[0], key=own[1])


def _clients(home: Home, config: TowerConfig, own: TlsIdentity) -> TrustStore | None:
    name = config.service.client_authority
    if not name:
        return None
    return TrustStore([own.public_key], read_authority(home, "service.client_authority", name))
