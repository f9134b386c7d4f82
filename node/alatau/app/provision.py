"""Making a node's home: folders, keys, certificate, configuration."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alatau.app.config_file import render_config
from alatau.app.endpoint import parse_endpoint
from alatau.app.home import Home, create_home
from alatau.app.keystore import STANDARD_COST, ScryptCost, write_keystore
from alatau.app.private_file import write_private
from alatau.crypto.secp256k1 import PrivateKey
from alatau.transport.certificates import TlsIdentity, issue_identity, load_identity, new_key

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared with, not listened on


@dataclass(frozen=True, slots=True)
class ProvisionedHome:
    """A new home with the keys that were made for it."""

    home: Home
    voting: PrivateKey | None
    """None on an observer."""
    operator: PrivateKey | None
    identity: TlsIdentity


def new_private_key() -> PrivateKey:
    """A fresh secp256k1 key from the system's generator."""
    while True:
        try:
            return PrivateKey(secrets.token_bytes(32))
        except ValueError:
            continue  # Not below the order of the group: once in 2**128 draws.


def provision_home(
    folder: Path,
    *,
    name: str,
    settings: Mapping[str, Any],
    password: str | None,
    cost: ScryptCost = STANDARD_COST,
) -> ProvisionedHome:
    """Make a home in ``folder``; without ``password`` that of an observer, which has no voting and operator keys.

    The configuration is written last: an interrupted attempt leaves no home that looks complete.

    Raises:
        HomeError: the folder holds a node already.
        OSError: a file cannot be written, or a key is there already.
    """
    home = create_home(folder)
    voting = operator = None
    if password is not None:
        voting, operator = new_private_key(), new_private_key()
        write_keystore(home.voting_key, voting, password, cost)
        write_keystore(home.operator_key, operator, password, cost)
    identity = issue_identity(new_key(), name, certificate_hosts(settings))
    write_private(home.tls_key, identity.key_pem)
    write_private(home.tls_certificate, identity.certificate_pem)
    write_private(home.config_file, render_config(settings).encode())
    return ProvisionedHome(home, voting, operator, identity)


def load_tls_identity(home: Home) -> TlsIdentity:
    """The node's TLS key and certificate; raises ``CertificateError``, ``OSError``."""
    return load_identity(home.tls_key.read_bytes(), home.tls_certificate.read_bytes())


def renew_certificate(home: Home, name: str, hosts: list[str]) -> TlsIdentity:
    """Issue and store a fresh certificate on the same key: who the node is does not change."""
    identity = issue_identity(home.tls_key.read_bytes(), name, hosts)
    write_private(home.tls_certificate, identity.certificate_pem, replace=True)
    return identity


def certificate_hosts(settings: Mapping[str, Any]) -> list[str]:
    """Names and addresses that the certificate should carry: where clients and peers find this node."""
    endpoints = [settings[key] for key in ("rpc.listen", "p2p.listen") if key in settings]
    hosts = dict.fromkeys(parse_endpoint(text).host for text in endpoints)
    return [
        "localhost",
        "127.0.0.1",
        *(h for h in hosts if h not in _EVERYWHERE and h not in ("localhost", "127.0.0.1")),
    ]
