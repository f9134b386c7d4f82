"""The home of a process that runs beside nodes, a hub or a tower: made by its ``init``, read at its start.

::

    config.toml        settings (0600: it may name a password file)
    node.pem           certificates by which the process knows its nodes
    keys/              NAME.json: its account; tls.key, tls.crt: who it is to clients
    data/              the database
    lock               held while a process uses the home
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from alatau.app.config_file import ConfigError, Problem, render_config_of
from alatau.app.home import Home, HomeError, create_home
from alatau.app.private_file import is_private, write_keystore, write_private
from alatau.app.provision import certificate_hosts, new_private_key
from alatau.app.settings import Schema
from alatau.client.keystore import STANDARD_COST, KeystoreError, ScryptCost
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import issue_identity, new_key

NODE_AUTHORITY: Final = "node.pem"
"""Where ``init`` puts the certificates of the nodes, and where the configuration looks unless it says otherwise."""

Ask = Callable[[], str] | None
"""Asks a person for the password of the keys; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of process."""

    name: str
    """``hub``, ``tower``: of the command, the keystore and the certificate."""
    schema: Schema[Any]
    listen: str
    """Key of the setting that says where clients connect."""

    def keystore(self, home: Home) -> Path:
        """Of the process's account."""
        return home.keys / f"{self.name}.json"


def provision_service(
    service: Service,
    folder: Path,
    *,
    settings: Mapping[str, Any],
    authority: bytes,
    password: str,
    cost: ScryptCost = STANDARD_COST,
    hosts: Iterable[str] = (),
) -> tuple[Home, PrivateKey]:
    """Make a home and its account.

    Args:
        service: of what.
        folder: where.
        settings: of the configuration, by key; already checked.
        authority: certificates (PEM) that the nodes' must come from.
        password: of the account's keystore.
        cost: of opening it.
        hosts: further names and addresses by which clients will dial the process.

    Raises:
        HomeError: the folder holds a home already.
        CertificateError: one of ``hosts`` is neither a name nor an address.
        ConfigError: ``authority`` holds no certificate.
        OSError: a file cannot be written.
    """
    check_authority(authority, "--node-ca")
    default = next(setting.default for setting in service.schema.settings if setting.key == service.listen)
    names = list(dict.fromkeys([*certificate_hosts([settings.get(service.listen, default)]), *hosts]))
    identity = issue_identity(new_key(), service.name, names)
    home, key = create_home(folder), new_private_key()
    write_keystore(service.keystore(home), key, password, cost)
    write_private(home.tls_key, identity.key_pem)
    write_private(home.tls_certificate, identity.certificate_pem)
    write_private(folder / NODE_AUTHORITY, authority)
    write_private(home.config_file, render_config_of(service.schema, settings).encode())
    return home, key


def check_kind(service: Service, home: Home) -> None:
    """Whether it is a home of this service; raises ``HomeError``."""
    name = service.name
    if not service.keystore(home).exists():
        raise HomeError(
            f"{home.folder} is no {name}'s home: keys/{name}.json is missing; see: alatau {name} init --help"
        )


def check_private(*paths: Path | None) -> None:
    """That nobody else may read the files that are there; raises ``KeystoreError``."""
    for path in filter(None, paths):
        if path.exists() and not is_private(path):
            raise KeystoreError(f"{path}: others may read it; mend with: chmod 600 {path}")


def read_authority(home: Home, setting: str, name: str) -> bytes:
    """Certificates in the file that a setting names. Raises ``ConfigError``."""
    authority = read_named(home, setting, name)
    check_authority(authority, f"{setting} = {name}")
    return authority


def read_named(home: Home, setting: str, name: str) -> bytes:
    """The file that a setting names, relative to the home. Raises ``ConfigError``."""
    try:
        return (home.folder / name).read_bytes()
    except (OSError, ValueError) as error:
        raise wrong_setting(setting, name, f"cannot be read: {error}") from error


def check_authority(data: bytes, where: str) -> None:
    """That ``data`` holds certificates; raises ``ConfigError`` that says ``where`` they were named."""
    try:
        x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise ConfigError((Problem("config.toml", f"{where}: no certificate in PEM: {error}"),)) from error


def wrong_setting(setting: str, value: str, why: str) -> ConfigError:
    """One setting is wrong, for a reason that only the home shows."""
    return ConfigError((Problem("config.toml", f'{setting} = "{value}": {why}'),))
