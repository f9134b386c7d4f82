"""A hub's home, of the kind that :mod:`alatau.app.service_home` makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alatau.app.config_file import read_config_of
from alatau.app.home import Home
from alatau.app.hub.config import SCHEMA, HubSettings
from alatau.app.password import find_password
from alatau.app.provision import load_tls_identity
from alatau.app.service_home import Ask, Service, check_kind, check_private, read_authority
from alatau.client import client_tls
from alatau.client.keystore import read_keystore
from alatau.client.tower_feeding import TowerEndpoint
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import TlsIdentity
from alatau.transport.credentials import ClientTls

HUB: Final = Service("hub", SCHEMA, listen="hub.listen")


@dataclass(frozen=True, slots=True)
class HubHomeContents:
    """What the files of a hub's home say."""

    home: Home
    config: HubSettings
    key: PrivateKey
    identity: TlsIdentity
    node_tls: ClientTls
    """Whom the hub trusts to be its node."""
    towers: tuple[TowerEndpoint, ...] = ()


def read_hub_home(home: Home, environment: Mapping[str, str], ask: Ask) -> HubHomeContents:
    """Everything that a hub starts from.

    Raises:
        HomeError: it is no hub's home.
        ConfigError: a setting is wrong, or a file that it names.
        KeystoreError, WrongPasswordError, PasswordError: the key cannot be opened.
        CertificateError, OSError: the hub's own certificate cannot be read.
    """
    check_kind(HUB, home)
    config = read_config_of(SCHEMA, home.config_file, environment)
    identity = load_tls_identity(home)
    password_file = home.folder / config.hub.password_file if config.hub.password_file else None
    check_private(HUB.keystore(home), home.tls_key, password_file)
    node_tls = client_tls(ca=read_authority(home, "chain.ca", config.chain.ca))
    towers = _towers(home, config)
    key = read_keystore(HUB.keystore(home), find_password(password_file, environment, ask))
    return HubHomeContents(home, config, key, identity, node_tls, towers)


def _towers(home: Home, config: HubSettings) -> tuple[TowerEndpoint, ...]:
    if not config.towers.endpoints:
        return ()
    tls = client_tls(ca=read_authority(home, "towers.ca", config.towers.ca))
    return tuple(TowerEndpoint(name.strip(), tls) for name in config.towers.endpoints.split(","))
